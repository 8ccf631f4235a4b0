"""The only way to a data logger: answers to what it sent, and questions for data it recorded."""

from datetime import UTC, datetime, timedelta, timezone

from drivers.hj212.encode import ECHOED, EncodeError, encode
from drivers.hj212.segment import Field, Segment, flag_of, qn_of, time_text
from drivers.language import say

ANSWERS = frozenset({"9013", "9014"})
QUESTIONS = frozenset({"2051", "2061", "2031"})
MARKS = frozenset("#&;,=")
_BODY = ["BeginTime", "EndTime"]
PLANT_TIME = timezone(timedelta(hours=8))


class ForbiddenError(Exception):
    """A packet that would do something to the device. It is a mistake in this program."""


def sealed(segment: Segment, key: bytes | None) -> bytes:
    """
    The bytes of a packet that only answers or asks for recorded data.

    Everything else (clock, intervals, passwords, calibration, sampling) raises ForbiddenError.
    EncodeError where what it repeats of a device's or a setting's text could be read as a packet.
    """
    names = [field.name for field in segment.fields()]
    answers = segment.cn in ANSWERS and not names
    asks = segment.cn in QUESTIONS and names == _BODY
    if not (answers or asks):
        raise ForbiddenError(f"CN={segment.cn} {segment.cp_text}")
    for text in (segment.qn, segment.pw, segment.mn):
        if not MARKS.isdisjoint(text) or not text.isprintable():
            told = say(
                f"QN、PW、MN 中不得有 # & ; , = 等分隔符：{text!r}",
                f"QN, PW and MN must not hold a separator (# & ; , =): {text!r}",
            )
            raise EncodeError([told])
    secret = key if asks and segment.version == 2025 else None
    return encode(segment, key=secret, tolerate=ECHOED)


def question(
    command: str, first_s: int, last_s: int, *, mn: str, pw: str, version: int, qn: datetime
) -> Segment:
    """Ask for the windows that begin from ``first_s`` to ``last_s``, seconds UTC, both included."""
    begin, end = (
        Field(name, time_text(datetime.fromtimestamp(time_s, UTC)))
        for name, time_s in zip(_BODY, (first_s, last_s), strict=True)
    )
    flag = flag_of(2025 if version == 2025 else 2017, answer=True)
    return Segment(qn_of(qn), "31", command, pw, mn, flag, ((begin,), (end,)))
