"""One packet as received: its bytes, what it says, and everything that is wrong with it."""

from dataclasses import dataclass

from drivers.hj212.crc import CrcKind
from drivers.hj212.defects import Defect
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
    crc_expected: str
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


def decode_frame(raw: bytes, *, key: bytes | None = None, at: int = 0) -> Frame:
    """The frame that begins at the first byte of ``raw`` (``##``); never raises."""
    raise NotImplementedError


def decode(data: bytes, *, key: bytes | None = None) -> list[Frame]:
    """All frames in some bytes, with noise, log prefixes and line ends between; never raises."""
    raise NotImplementedError
