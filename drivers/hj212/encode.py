"""Segment → bytes, strictly: what would be reported on receipt is refused on sending."""

from datetime import datetime

from drivers.hj212.segment import Segment


class EncodeError(ValueError):
    """A segment that may not be sent; ``problems``: every reason."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def encode(segment: Segment, *, key: bytes | None = None) -> bytes:
    """The packet, from ``##`` to CR LF; with a key the body is encrypted (2025). Raises EncodeError."""
    raise NotImplementedError


def answer(  # noqa: PLR0913 - the parts of an answer
    to: Segment, cn: str, *, qn_rtn: int | None = None, exe_rtn: int | None = None
) -> Segment:
    """9011 (QnRtn), 9012 (ExeRtn), 9013, 9014 to a message: its QN, PW, MN, ST=91, no answer wanted."""
    raise NotImplementedError


def split(segment: Segment, qn: datetime) -> list[Segment]:
    """
    The segment in parts that fit (body 950, segment 1024), items kept whole, DataTime in each.

    Each part has its own QN, the first that of the segment, the next one ms later each. One part is
    the segment itself. Raises EncodeError when one item alone is too long, or for more than 9 parts (2025).
    """
    raise NotImplementedError
