"""One packet as received: its bytes, what it says, and everything that is wrong with it."""

from dataclasses import dataclass

from drivers.hj212.crc import CrcKind, crc16, crc_text
from drivers.hj212.cut import Cut, Nothing, find_cut
from drivers.hj212.defects import Defect, Defects
from drivers.hj212.parse import SEGMENT_AT, read_segment
from drivers.hj212.segment import Segment
from drivers.hj212.values import Value


@dataclass(frozen=True, slots=True)
class Frame:
    """
    A packet and the judgement on it.

    ``ok``: length and sum are right, so what it says is what was sent; take nothing from a frame
    that is not. ``defects`` may be many all the same: a dirty head never makes a frame not ok.
    """

    raw: bytes  # from ## to the end, as received
    at: int  # byte offset in the stream
    declared: int | None  # length it declares
    plain: bytes  # the data segment, decrypted when a key was given
    crc: str  # as received, "" when missing
    crc_expected: str  # "" where it cannot be known (encrypted)
    crc_kind: CrcKind
    encrypted: bool
    segment: Segment
    values: tuple[Value, ...]
    defects: tuple[Defect, ...]

    @property
    def ok(self) -> bool:
        return not any(each.severity == "broken" for each in self.defects)

    @property
    def clean(self) -> bool:
        """Nothing against the form either: ``encode(segment)`` gives the same bytes."""
        return all(each.severity == "remark" for each in self.defects)


def make_frame(data: bytes | bytearray, cut: Cut, at: int, *, key_given: bool) -> Frame:
    """The packet of a cut; ``at``: of the first byte of ``data`` in the stream."""
    defects = Defects()
    unread = cut.kind == "encrypted"
    crc = cut.crc.decode("ascii")
    expected = "" if unread else crc_text(crc16(cut.plain))
    if not cut.whole:
        declared = "?" if cut.declared is None else cut.declared
        short = cut.kind == "missing" and len(cut.wire) < (cut.declared or 0)
        code = "truncated" if short else "length_wrong"
        defects.add(code, 2, declared=declared, actual=len(cut.wire))
    sum_at = SEGMENT_AT + len(cut.wire)
    if unread:
        defects.add("key_wrong" if key_given else "encrypted", SEGMENT_AT)
    elif cut.kind != "right":
        defects.add(f"crc_{cut.kind}", sum_at, received=crc, expected=expected)
    if crc != crc.upper():
        defects.add("crc_lower_case", sum_at, received=crc)
    if not cut.line_end and cut.kind != "missing":
        defects.add("no_crlf", sum_at + len(crc))
    segment, values = read_segment(cut.plain, defects, opaque=unread)
    return Frame(
        raw=bytes(data[cut.start : cut.end]),
        at=at + cut.start,
        declared=cut.declared,
        plain=cut.plain,
        crc=crc,
        crc_expected=expected,
        crc_kind=cut.kind,
        encrypted=cut.encrypted,
        segment=segment,
        values=values,
        defects=defects.all(),
    )


def decode_frame(raw: bytes, *, key: bytes | None = None, at: int = 0) -> Frame:
    """The frame that begins at the first byte of ``raw`` (``##``); never raises."""
    cut, _ = find_cut(raw, 0, key=key, final=True)
    if isinstance(cut, Nothing) or cut.start:
        cut = Cut(0, len(raw), None, raw, raw, b"", "missing", False, False, False)
    return make_frame(raw, cut, at, key_given=key is not None)


def decode(data: bytes, *, key: bytes | None = None) -> list[Frame]:
    """All frames in some bytes, with noise, log prefixes and line ends between; never raises."""
    frames: list[Frame] = []
    at = 0
    while True:
        cut, at = find_cut(data, at, key=key, final=True)
        if isinstance(cut, Nothing):
            return frames
        frames.append(make_frame(data, cut, 0, key_given=key is not None))
