"""Registers → numbers: vectors worked by hand, and round trips through an encoder of our own."""

import math
import random
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.decode import (
    PAD,
    Decoded,
    Decoder,
    Place,
    order_of,
    packed_bit,
    register_bit,
    register_type,
)
from drivers.model import Equipment, Point, Quality
from drivers.quantities import quantities


def point(kind: str, order: str = "ABCD", **rest: object) -> Point:
    voltage = quantities()["meter.voltage"]
    return Point(Equipment("line1", "p1"), voltage, "plc", "holding:0", kind, order, **rest)  # type: ignore[arg-type]


def decode_one(wire: bytes, subject: Point, bit: int = -1) -> Decoded:
    place = register_bit(len(PAD), bit, subject.order) if bit >= 0 else Place(len(PAD))
    return Decoder([subject], [place], len(PAD) + len(wire)).decode(PAD + wire)


# Worked by hand. 123.456 is 0x42F6E979 and pi 0x400921FB54442D18 (IEEE 754); 4012 is 0x0FAC;
# -2 is all ones but the last bit; 305419896 is 0x12345678.
VECTORS = [
    ("uint16", "ABCD", "0FAC", 4012.0),
    ("uint16", "BADC", "AC0F", 4012.0),
    ("uint16", "CDAB", "0FAC", 4012.0),
    ("uint16", "BA", "AC0F", 4012.0),
    ("int16", "ABCD", "FFFE", -2.0),
    ("int16", "ABCD", "8000", -32768.0),
    ("uint32", "ABCD", "12345678", 305419896.0),
    ("uint32", "CDAB", "56781234", 305419896.0),
    ("uint32", "BADC", "34127856", 305419896.0),
    ("uint32", "DCBA", "78563412", 305419896.0),
    ("int32", "CDAB", "FFFEFFFF", -2.0),
    ("float32", "ABCD", "42F6E979", 123.45600128173828),
    ("float32", "CDAB", "E97942F6", 123.45600128173828),
    ("float32", "BADC", "F64279E9", 123.45600128173828),
    ("float32", "DCBA", "79E9F642", 123.45600128173828),
    ("float32", "ABCD", "80000000", -0.0),
    ("float32", "ABCD", "00000001", 1.401298464324817e-45),
    ("float64", "ABCD", "400921FB54442D18", math.pi),
    ("float64", "CDAB", "2D18544421FB4009", math.pi),
    ("float64", "GHEFCDAB", "2D18544421FB4009", math.pi),
    ("float64", "BADC", "0940FB214454182D", math.pi),
    ("float64", "DCBA", "182D4454FB210940", math.pi),
    ("uint48", "ABCD", "000100020003", 0x000100020003),
    ("uint48", "CDAB", "000300020001", 0x000100020003),
    ("uint48", "BADC", "010002000300", 0x000100020003),
    ("uint48", "DCBA", "030002000100", 0x000100020003),
    ("uint48", "ABCD", "FFFFFFFFFFFF", 281474976710655.0),
    ("int48", "ABCD", "FFFFFFFFFFFE", -2.0),
    ("int48", "DCBA", "FEFFFFFFFFFF", -2.0),
    ("uint64", "ABCD", "0020000000000000", 9007199254740992.0),
    ("int64", "ABCD", "FFFFFFFFFFFFFFFE", -2.0),
    ("int64", "CDAB", "FFFEFFFFFFFFFFFF", -2.0),
    ("bcd16", "ABCD", "1234", 1234.0),
    ("bcd16", "BADC", "3412", 1234.0),
    ("bcd32", "ABCD", "12345678", 12345678.0),
    ("bcd32", "CDAB", "56781234", 12345678.0),
    ("bcd48", "ABCD", "123456789012", 123456789012.0),
    ("bcd48", "CDAB", "901256781234", 123456789012.0),
    ("bcd64", "ABCD", "0012345678901234", 12345678901234.0),
    ("bcd64", "DCBA", "3412907856341200", 12345678901234.0),
]


@pytest.mark.parametrize(("kind", "order", "wire", "value"), VECTORS)
def test_worked_vectors(kind: str, order: str, wire: str, value: float) -> None:
    decoded = decode_one(bytes.fromhex(wire), point(kind, order))
    assert decoded.quality.tolist() == [Quality.GOOD]
    assert decoded.values.tolist() == [value]
    assert math.copysign(1, decoded.values[0]) == math.copysign(1, value)


@pytest.mark.parametrize(
    ("kind", "wire", "codes", "quality"),
    [
        ("float32", "7FC00000", (), Quality.NOT_AVAILABLE),  # quiet NaN
        ("float32", "7F800001", (), Quality.NOT_AVAILABLE),  # signalling NaN
        ("float32", "FFFFFFFF", (), Quality.NOT_AVAILABLE),
        ("float64", "7FF8000000000000", (), Quality.NOT_AVAILABLE),
        ("float32", "7F800000", (), Quality.UNDECODABLE),  # infinity
        ("float32", "FF800000", (), Quality.UNDECODABLE),
        ("float64", "FFF0000000000000", (), Quality.UNDECODABLE),
        ("uint64", "0020000000000001", (), Quality.UNDECODABLE),  # 2**53 + 1
        ("uint64", "FFFFFFFFFFFFFFFF", (), Quality.UNDECODABLE),
        ("uint64", "FFFFFFFFFFFFFFFF", (1.8446744073709552e19,), Quality.NOT_AVAILABLE),
        ("int64", "FFDFFFFFFFFFFFFF", (), Quality.UNDECODABLE),  # -(2**53 + 1)
        ("int64", "8000000000000000", (), Quality.UNDECODABLE),
        ("bcd16", "123A", (), Quality.UNDECODABLE),
        ("bcd16", "F234", (), Quality.UNDECODABLE),
        ("bcd32", "1234567F", (), Quality.UNDECODABLE),
        ("bcd48", "A00000000000", (), Quality.UNDECODABLE),
        ("bcd64", "9999999999999999", (), Quality.UNDECODABLE),  # above 2**53
        ("bcd16", "9999", (9999.0,), Quality.NOT_AVAILABLE),
        ("int16", "7FFF", (32767.0, -32768.0), Quality.NOT_AVAILABLE),
        ("int16", "8000", (32767.0, -32768.0), Quality.NOT_AVAILABLE),
        ("float32", "C61C3F9A", (-9999.9,), Quality.NOT_AVAILABLE),  # -9999.9 as float32
        ("int16", "7FFE", (32767.0, -32768.0), Quality.GOOD),
    ],
)
def test_values_that_are_none(
    kind: str, wire: str, codes: tuple[float, ...], quality: Quality
) -> None:
    decoded = decode_one(bytes.fromhex(wire), point(kind, not_available=codes))
    assert decoded.quality.tolist() == [quality]
    assert np.isnan(decoded.values[0]) == (quality is not Quality.GOOD)


def test_one_bad_value_leaves_its_neighbours_alone() -> None:
    subjects = [point("uint64"), point("uint64"), point("uint64")]
    wire = bytes.fromhex("0000000000000001FFFFFFFFFFFFFFFF0000000000000003")
    places = [Place(len(PAD) + 8 * i) for i in range(3)]
    decoded = Decoder(subjects, places, len(PAD) + 24).decode(PAD + wire)
    assert decoded.quality.tolist() == [Quality.GOOD, Quality.UNDECODABLE, Quality.GOOD]
    assert decoded.values[[0, 2]].tolist() == [1.0, 3.0]


def test_a_point_that_is_not_asked_for_is_refused() -> None:
    decoded = Decoder([point("uint16"), point("uint16")], [None, Place(2)], 4).decode(PAD + b"\0\7")
    assert decoded.quality.tolist() == [Quality.REFUSED, Quality.GOOD]
    assert np.isnan(decoded.values[0])
    assert decoded.values[1] == 7


def test_bits_of_a_register_and_packed_coils() -> None:
    wire = bytes.fromhex("8001")  # bits 15 and 0
    found = [decode_one(wire, point("bool"), bit).values[0] for bit in range(16)]
    assert found == [1.0] + [0.0] * 14 + [1.0]
    swapped = bytes.fromhex("0180")
    found = [decode_one(swapped, point("bool", "BADC"), bit).values[0] for bit in range(16)]
    assert found == [1.0] + [0.0] * 14 + [1.0]
    # The example of the Modbus specification, 6.1: coils 20-38 are CD 6B 05.
    coils = bytes.fromhex("CD6B05")
    places = [packed_bit(len(PAD), i) for i in range(19)]
    decoded = Decoder([point("bool")] * 19, places, len(PAD) + 3).decode(PAD + coils)
    assert "".join(str(int(v)) for v in decoded.values) == "1011001111010110101"


@pytest.mark.parametrize(
    ("wire", "order", "text", "quality"),
    [
        ("534E313233343500", "ABCD", "SN12345", Quality.GOOD),
        ("4E53323134330035", "BADC", "SN12345", Quality.GOOD),
        ("534E203120202020", "ABCD", "SN 1", Quality.GOOD),
        ("0000000000000000", "ABCD", "", Quality.NOT_AVAILABLE),
        ("2020202020202020", "ABCD", "", Quality.NOT_AVAILABLE),
        ("53FF313233343500", "ABCD", "", Quality.UNDECODABLE),
        ("5301313233343500", "ABCD", "", Quality.UNDECODABLE),
    ],
)
def test_texts(wire: str, order: str, text: str, quality: Quality) -> None:
    decoded = decode_one(bytes.fromhex(wire), point("ascii:8", order))
    assert decoded.texts == {0: text}
    assert decoded.quality.tolist() == [quality]


def test_raw_registers_of_original_points_are_kept_as_on_the_wire() -> None:
    decoded = decode_one(bytes.fromhex("E97942F6"), point("float32", "CDAB", original=True))
    assert decoded.words == {0: bytes.fromhex("E97942F6")}


@settings(deadline=None)
@given(st.integers(0, 65535), st.sampled_from(["0.1", "0.01", "0.001", "0.0001", "-0.5", "10"]))
def test_a_decimal_scale_gives_the_decimal_number(raw: int, scale: str) -> None:
    subject = point("uint16", scale=float(scale))
    value = decode_one(raw.to_bytes(2, "big"), subject).values[0]
    assert value == float(Decimal(raw) * Decimal(scale))


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_scale_and_offset_are_within_a_rounding(raw: int, scale: float, offset: float) -> None:
    subject = point("uint32", scale=scale or 1.0, offset=offset)
    value = decode_one(raw.to_bytes(4, "big"), subject).values[0]
    exact = raw * Fraction(subject.scale) + Fraction(offset)
    error = 2**-51 * max(abs(float(exact)), abs(raw * subject.scale), abs(offset)) + 5e-324
    assert abs(Fraction(float(value)) - exact) <= Fraction(error)


# An encoder that shares nothing with the decoder: arithmetic on integers, no struct, no numpy.
ORDERS: dict[str, Callable[[list[int]], list[int]]] = {
    "ABCD": lambda words: words,
    "CDAB": lambda words: words[::-1],
    "BADC": lambda words: [((w & 255) << 8) | (w >> 8) for w in words],
    "DCBA": lambda words: [((w & 255) << 8) | (w >> 8) for w in words[::-1]],
}


def encode(pattern: int, words: int, order: str) -> bytes:
    registers = [(pattern >> (16 * (words - 1 - i))) & 0xFFFF for i in range(words)]
    out = bytearray()
    for register in ORDERS[order](registers):
        out += bytes((register >> 8, register & 255))
    return bytes(out)


def float_of(pattern: int, exponent_bits: int, fraction_bits: int) -> float:
    """IEEE 754 by its definition."""
    sign = -1.0 if pattern >> (exponent_bits + fraction_bits) else 1.0
    exponent = (pattern >> fraction_bits) & ((1 << exponent_bits) - 1)
    fraction = pattern & ((1 << fraction_bits) - 1)
    bias = (1 << (exponent_bits - 1)) - 1
    if exponent == (1 << exponent_bits) - 1:
        return math.nan if fraction else sign * math.inf
    if exponent == 0:
        return sign * math.ldexp(fraction, 1 - bias - fraction_bits)
    return sign * math.ldexp((1 << fraction_bits) | fraction, exponent - bias - fraction_bits)


def meaning(kind: str, pattern: int) -> tuple[float, Quality]:
    """What a bit pattern of a type is, from the definitions of the types."""
    size = int(kind[-2:])
    if kind.startswith("float"):
        value = float_of(pattern, *((8, 23) if size == 32 else (11, 52)))
        if math.isnan(value):
            return math.nan, Quality.NOT_AVAILABLE
        return value, Quality.UNDECODABLE if math.isinf(value) else Quality.GOOD
    if kind.startswith("bcd"):
        digits = f"{pattern:x}"
        if not digits.isdecimal() or int(digits) > 2**53:
            return math.nan, Quality.UNDECODABLE
        return float(int(digits)), Quality.GOOD
    number = pattern - (1 << size) if kind[0] == "i" and pattern >> (size - 1) else pattern
    return float(number), Quality.UNDECODABLE if abs(number) > 2**53 else Quality.GOOD


KINDS = [
    f"{kind}{size}"
    for kind, sizes in {
        "uint": (16, 32, 48, 64),
        "int": (16, 32, 48, 64),
        "float": (32, 64),
        "bcd": (16, 32, 48, 64),
    }.items()
    for size in sizes
]
SPECIAL = [
    0,
    1,
    0x7F800000,
    0x7F800001,
    0x7FC00000,
    0x80000000,
    0x7FF0000000000000,
    2**53,
    2**53 + 1,
]


@st.composite
def patterns(draw: st.DrawFn, size: int, kind: str) -> int:
    if kind.startswith("bcd") and draw(st.booleans()):
        return int(str(draw(st.integers(0, 10 ** (size // 4) - 1))), 16)
    return draw(
        st.one_of(st.integers(0, 2**size - 1), st.sampled_from(SPECIAL).map(lambda p: p % 2**size))
    )


@st.composite
def cells(draw: st.DrawFn) -> list[tuple[str, str, int]]:
    """A block of values of any types and orders, one behind the other or in runs of one type."""
    found: list[tuple[str, str, int]] = []
    for _ in range(draw(st.integers(1, 6))):
        kind, order = draw(st.sampled_from(KINDS)), draw(st.sampled_from(sorted(ORDERS)))
        bits = draw(st.lists(patterns(int(kind[-2:]), kind), min_size=1, max_size=5))
        found += [(kind, order, pattern) for pattern in bits]
    return found


@settings(max_examples=200, deadline=None)
@given(cells(), st.integers(0, 3), st.randoms(use_true_random=False))
def test_round_trip_of_mixed_blocks(
    block: list[tuple[str, str, int]], gap: int, dice: random.Random
) -> None:
    wire, places = b"", []
    for kind, order, pattern in block:
        wire += b"\xa5\x5a" * gap
        places.append(Place(len(PAD) + len(wire)))
        wire += encode(pattern, int(kind[-2:]) // 16, order)
    subjects = [point(kind, order) for kind, order, _ in block]
    shuffled = list(range(len(block)))
    dice.shuffle(shuffled)
    decoder = Decoder(
        [subjects[i] for i in shuffled], [places[i] for i in shuffled], len(PAD) + len(wire)
    )
    decoded = decoder.decode(PAD + wire)
    for k, i in enumerate(shuffled):
        value, quality = meaning(block[i][0], block[i][2])
        assert decoded.quality[k] == quality, block[i]
        if quality is Quality.GOOD:
            assert decoded.values[k] == value, block[i]
            assert math.copysign(1, decoded.values[k]) == math.copysign(1, value)
        else:
            assert np.isnan(decoded.values[k])


def test_names_of_types_and_orders_are_explained() -> None:
    with pytest.raises(ValueError, match="write float32"):
        register_type("REAL")
    with pytest.raises(ValueError, match="write uint16"):
        register_type("unit16")
    with pytest.raises(ValueError, match="write one of bool"):
        register_type("quaternion")
    with pytest.raises(ValueError, match="ABCD, CDAB, BADC or DCBA"):
        order_of("ACBD", 2)
    assert str(order_of("EFCDAB", 3)) == "CDAB"
    assert str(order_of("HGFEDCBA", 4)) == "DCBA"
