"""The stream reader of HJ 212: pieces, lies about length, resynchronising, bounded memory."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from drivers.hj212.cut import PACKET_MOST
from drivers.hj212.frame import Frame
from drivers.hj212.reader import FrameReader
from tests.drivers.hj212_samples import SEEN_GOOD, SEEN_MODBUS, STANDARD, packet

STREAM = [packet(text) for text in STANDARD]
PLAIN = packet(STANDARD[8])


def read(*pieces: bytes) -> list[Frame]:
    reader = FrameReader()
    found = [frame for piece in pieces for frame in reader.feed(piece)]
    return found + reader.finish()


def test_byte_by_byte() -> None:
    reader = FrameReader()
    found = [frame for octet in b"".join(STREAM) for frame in reader.feed(bytes((octet,)))]
    assert [frame.raw for frame in found] == STREAM
    assert reader.pending == 0
    assert reader.noise == 0


@given(st.lists(st.integers(0, 4000), max_size=6))
def test_pieces_make_no_difference(cuts: list[int]) -> None:
    whole = b"noise" + b"##12x".join([*STREAM, SEEN_MODBUS, *SEEN_GOOD])
    edges = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    pieces = [whole[a:b] for a, b in pairwise(edges)]
    assert [f.raw for f in read(*pieces)] == [f.raw for f in read(whole)]
    assert [f.raw for f in read(whole)] == [*STREAM, SEEN_MODBUS, *SEEN_GOOD]


def test_position_in_the_stream_and_noise_are_counted() -> None:
    reader = FrameReader()
    first = reader.feed(b"abc" + PLAIN)
    second = reader.feed(b"de" + PLAIN)
    assert [f.at for f in first + second] == [3, 3 + len(PLAIN) + 2]
    assert reader.noise == 5


def test_a_length_too_large_takes_no_other_packet_with_it() -> None:
    lying = b"##9999" + PLAIN[6:]
    frames = read(lying, PLAIN, PLAIN)
    assert [frame.ok for frame in frames] == [False, True, True]
    assert frames[0].crc_kind == "right"  # the segment is sound, the length is not
    assert {each.code for each in frames[0].defects} == {"length_wrong"}


def test_a_length_too_small() -> None:
    frames = read(b"##0100" + PLAIN[6:], PLAIN)
    assert [frame.ok for frame in frames] == [False, True]
    assert frames[0].segment.cn == "2061"


def test_a_packet_without_its_end_is_judged_in_silence() -> None:
    reader = FrameReader()
    assert reader.feed(PLAIN[:-2]) == []
    (frame,) = reader.finish()
    assert frame.ok
    assert [each.code for each in frame.defects] == ["no_crlf"]


def test_a_packet_cut_off_by_the_next_one() -> None:
    frames = read(PLAIN[:80] + PLAIN)
    assert [frame.ok for frame in frames] == [False, True]
    assert frames[0].defects[0].code == "truncated"


def test_a_damaged_packet_is_one_frame() -> None:
    damaged = PLAIN.replace(b"Cou=63.0", b"Cou=93.0")
    frames = read(damaged + PLAIN)
    assert [frame.crc_kind for frame in frames] == ["wrong", "right"]


def test_a_length_without_digits() -> None:
    frames = read(b"##  35" + PLAIN[6:] + PLAIN)
    assert [frame.ok for frame in frames] == [False, True]
    assert frames[0].declared is None


def test_memory_is_bounded_by_one_packet() -> None:
    reader = FrameReader()
    for _ in range(2000):
        reader.feed(b"##9999" + b"x" * 994)
        assert reader.pending <= PACKET_MOST + 16
    for _ in range(2000):
        reader.feed(b"x" * 1000)
        assert reader.pending <= PACKET_MOST + 16
    for _ in range(2000):
        reader.feed(b"##QN=" * 200)
        assert reader.pending <= PACKET_MOST + 16


def test_ten_thousand_bytes_are_still_a_packet() -> None:
    """Some devices send more than 1,024 bytes; four digits of length are what can be sent."""
    items = ";".join(f"SB{number % 1000}-RS=1" for number in range(700))
    long = packet(STANDARD[1].replace("QnRtn=1", items))
    (frame,) = read(long)
    assert frame.ok
    assert {"segment_too_long", "cp_too_long"} <= {each.code for each in frame.defects}
