"""The sum of HJ 212: the standard's examples, an independent calculation, what it misses."""

from hypothesis import given
from hypothesis import strategies as st

from drivers.hj212.crc import crc16, crc16_modbus, crc_text, name_crc, swapped
from drivers.hj212.frame import decode_frame

EXAMPLE = (
    b"QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=010000A8900016F000169DC0;Flag=5;"
    b"CP=&&RtdInterval=30&&"
)
SEGMENTS = st.binary(min_size=1, max_size=300)


def by_the_letter(segment: bytes) -> int:
    """Appendix A word for word."""
    register = 0xFFFF
    for octet in segment:
        register = register >> 8 ^ octet
        for _ in range(8):
            bit = register & 1
            register >>= 1
            if bit:
                register ^= 0xA001
    return register


def test_the_example_of_appendix_a() -> None:
    assert len(EXAMPLE) == 101
    assert crc_text(crc16(EXAMPLE)) == "1C80"


def test_the_example_of_2025() -> None:
    segment = (
        b"QN=20240601085857223;ST=32;CN=1011;PW=123456;MN=010000A8900016F000169DC0;Flag=9;CP=&&&&"
    )
    assert len(segment) == 87
    assert crc_text(crc16(segment)) == "2200"


def test_modbus_is_another_sum() -> None:
    assert crc16_modbus(b"123456789") == 0x4B37  # the catalogue value of CRC-16/MODBUS
    assert swapped(0x4B37) == 0x374B


@given(st.binary(max_size=3000))
def test_folding_gives_the_same_sum(segment: bytes) -> None:
    assert crc16(segment) == by_the_letter(segment)


def test_there_are_256_sums_only() -> None:
    sums = {by_the_letter(bytes(pair)) for pair in ((a, b) for a in range(256) for b in range(256))}
    assert len(sums) == 256
    assert {value & 0xFF for value in sums} == {0, 1, 0x40, 0x41, 0x80, 0x81, 0xC0, 0xC1}


@given(SEGMENTS, st.integers(0), st.integers(1, 255))
def test_any_change_of_one_byte_is_detected(segment: bytes, at: int, change: int) -> None:
    """So is every single-bit flip: the step from byte to byte loses nothing."""
    changed = bytearray(segment)
    changed[at % len(segment)] ^= change
    assert crc16(bytes(changed)) != crc16(segment)


def test_every_single_bit_flip_of_a_packet_is_reported() -> None:
    packet = b"##0101" + EXAMPLE + b"1C80\r\n"
    assert decode_frame(packet).ok
    for bit in range(8 * len(packet[:-2])):
        flipped = bytearray(packet)
        flipped[bit // 8] ^= 1 << bit % 8
        frame = decode_frame(bytes(flipped))
        assert frame.defects, bit
        if 48 <= bit < 8 * 107:  # the data segment
            assert not frame.ok, bit


@given(SEGMENTS.filter(lambda s: len(s) > 8), st.integers(0), st.integers(1, 255))
def test_the_same_change_eight_bytes_apart_is_never_detected(
    segment: bytes, at: int, change: int
) -> None:
    """What the documentation warns of; the reason why evidence does not rest on this sum."""
    at %= len(segment) - 8
    changed = bytearray(segment)
    changed[at] ^= change
    changed[at + 8] ^= change
    assert crc16(bytes(changed)) == crc16(segment)


def test_two_digits_swapped_eight_apart() -> None:
    """31.5 → 81.5 and 80 → 30, eight bytes later, leave the sum as it is."""
    assert crc16(b"a=31.5;bb=80") == crc16(b"a=81.5;bb=30")


def test_neighbouring_letters_swapped_are_detected() -> None:
    for a in range(32, 127):
        for b in range(a + 1, 127):
            assert crc16(b"x" + bytes((a, b)) + b"y") != crc16(b"x" + bytes((b, a)) + b"y")


def test_other_sums_are_named() -> None:
    modbus = crc16_modbus(EXAMPLE)
    assert name_crc(EXAMPLE, 0x1C80) == "right"
    assert name_crc(EXAMPLE, 0x801C) == "swapped"
    assert name_crc(EXAMPLE, modbus) == "modbus"
    assert name_crc(EXAMPLE, swapped(modbus)) == "modbus_swapped"
    assert name_crc(EXAMPLE, 0x1C81) == "wrong"
