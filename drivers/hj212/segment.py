"""
The data segment of a packet: head, and the CP body as ordered items of fields. Lossless.

Names are the standard's. Texts are kept as they came, numbers too: ``12.30`` stays ``12.30``.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

VERSIONS = {0: 2005, 1: 2017, 2: 2025}  # Flag >> 2
BEIJING = timezone(timedelta(hours=8))  # all times of HJ 212
HEAD = ("QN", "ST", "CN", "PW", "MN", "Flag", "PNUM", "PNO", "RF")

WANTS_ANSWER = 1  # bit 0; the letter A in 2017, D in 2025
WITHOUT_MN = frozenset({"1001", "1002", "9011", "9012", "9013"})  # of 2025, before 1002 gives one
NUMBERED = 2  # bit 1, PNUM and PNO stand in the head; the letter D in 2017, A in 2025


@dataclass(frozen=True, slots=True)
class Field:
    """``name=value``; value None where there was no ``=``. ``at``: byte in the frame."""

    name: str
    value: str | None
    at: int = field(default=0, compare=False)

    @property
    def text(self) -> str:
        return self.name if self.value is None else f"{self.name}={self.value}"


Item = tuple[Field, ...]  # what stands between two semicolons


@dataclass(frozen=True, slots=True)
class Segment:
    """
    One data segment. ``""`` and None: not there.

    ``flag`` is the number as sent; ask ``version``, ``wants_answer`` and ``numbered``: the letters
    A and D of its bits changed places between 2017 and 2025, the bits did not.
    """

    qn: str
    st: str
    cn: str
    pw: str
    mn: str
    flag: int | None
    cp: tuple[Item, ...] = ()
    pnum: int | None = None
    pno: int | None = None
    rf: bool = False  # backfilled (2025)

    @property
    def version(self) -> int | None:
        """2005, 2017 or 2025; None where Flag is missing or of an unknown version."""
        return None if self.flag is None else VERSIONS.get(self.flag >> 2)

    @property
    def wants_answer(self) -> bool:
        return self.flag is not None and bool(self.flag & WANTS_ANSWER)

    @property
    def numbered(self) -> bool:
        return self.flag is not None and bool(self.flag & NUMBERED)

    def fields(self) -> Iterator[Field]:
        """All fields of the body in order."""
        for item in self.cp:
            yield from item

    def get(self, name: str) -> str | None:
        """The first value of that name in the body, ``get("DataTime")``, ``get("QnRtn")``."""
        for each in self.fields():
            if each.name == name:
                return each.value
        return None

    @property
    def cp_text(self) -> str:
        """The body between ``CP=&&`` and ``&&``."""
        return body_text(self.cp)

    @property
    def text(self) -> str:
        """The segment in the standard's order."""
        values = (
            ("QN", self.qn),
            ("ST", self.st),
            ("CN", self.cn),
            ("PW", self.pw),
            ("MN", self.mn),
            ("Flag", "" if self.flag is None else str(self.flag)),
            ("PNUM", "" if self.pnum is None else str(self.pnum)),
            ("PNO", "" if self.pno is None else str(self.pno)),
            ("RF", "1" if self.rf else ""),
        )
        nameless = (
            self.version == 2025 and self.cn in WITHOUT_MN
        )  # "MN=;" stands there all the same
        head = "".join(
            f"{name}={value};" for name, value in values if value or (nameless and name == "MN")
        )
        return f"{head}CP=&&{self.cp_text}&&"


def flag_of(version: int, *, answer: bool = False, numbered: bool = False) -> int:
    """The Flag of a version (2005, 2017, 2025)."""
    number = next(bits for bits, year in VERSIONS.items() if year == version)
    return number << 2 | (WANTS_ANSWER if answer else 0) | (NUMBERED if numbered else 0)


def body_text(items: tuple[Item, ...]) -> str:
    """Items → text of the body."""
    return ";".join(",".join(each.text for each in item) for item in items)


def parse_body(text: str, at: int = 0) -> tuple[Item, ...]:
    """Text of a body → items; loses nothing, ``body_text`` gives it back. ``at``: of its start."""
    if not text:
        return ()
    items: list[Item] = []
    for part in _apart(text, ";"):
        fields: list[Field] = []
        for piece in _apart(part, ","):
            name, equals, value = piece.partition("=")
            fields.append(Field(name, value if equals else None, at))
            at += len(piece) + 1
        items.append(tuple(fields))
    return tuple(items)


def _apart(text: str, mark: str) -> list[str]:
    """``text.split(mark)``, but a log text between slashes, ``i11001-Info=//…//``, stays whole."""
    pieces = text.split(mark)
    if "=//" not in text:
        return pieces
    whole: list[str] = []
    open_log = False
    for piece in pieces:
        if open_log:
            whole[-1] += mark + piece
        else:
            whole.append(piece)
        log = whole[-1].rpartition("=//")[2] if "=//" in whole[-1] else None
        open_log = log is not None and "//" not in log
    if open_log:  # never closed: no log text, the marks count
        return pieces
    return whole


def moment(text: str | None) -> datetime | None:
    """YYYYMMDDhhmmss, or with ms, of Beijing time; None when it is no time."""
    if text is None or len(text) not in {14, 17} or not (text.isascii() and text.isdigit()):
        return None
    try:
        return datetime(
            int(text[:4]),
            int(text[4:6]),
            int(text[6:8]),
            int(text[8:10]),
            int(text[10:12]),
            int(text[12:14]),
            int(text[14:] or 0) * 1000,
            tzinfo=BEIJING,
        )
    except ValueError:
        return None


def qn_of(when: datetime) -> str:
    """The QN (17 digits, Beijing time) of a moment."""
    local = when.astimezone(BEIJING)
    return f"{local:%Y%m%d%H%M%S}{local.microsecond // 1000:03d}"


def time_text(when: datetime) -> str:
    """14 digits, Beijing time."""
    return f"{when.astimezone(BEIJING):%Y%m%d%H%M%S}"
