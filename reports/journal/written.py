"""How a person writes times, numbers, results and pairs; each back as one canonical text."""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from drivers.language import say
from reports.entries.reading import number
from reports.journal.forms import As, Fact
from reports.journal.record import minute_text
from reports.periods import PLANT_TIME

_MOMENT: Final = re.compile(
    r"(\d{4})[-/年.](\d{1,2})[-/月.](\d{1,2})日?[ T]*(\d{1,2}):(\d{2})(?::00)?(?:\+08:00)?"
)
_DAY: Final = re.compile(r"(\d{4})[-/年.](\d{1,2})[-/月.](\d{1,2})日?(?:[ T]00:00(?::00)?)?")
_RESULTS: Final = {"pass": "pass", "合格": "pass", "fail": "fail", "不合格": "fail"}


def read_moment(text: str) -> int | None:
    """``2026-03-05 08:00`` of plant time as ns UTC; 24:00 ends the day. None: it is no time."""
    found = _MOMENT.fullmatch(" ".join(text.replace("：", ":").split()))
    if found is None:
        return None
    year, month, day, hour, minute = map(int, found.groups())
    try:
        if (hour, minute) == (24, 0):
            moment = datetime(year, month, day, tzinfo=PLANT_TIME) + timedelta(days=1)
        else:
            moment = datetime(year, month, day, hour, minute, tzinfo=PLANT_TIME)
    except (ValueError, OverflowError):
        return None
    return int(moment.timestamp()) * 1_000_000_000


def read_day(text: str) -> date | None:
    """A day; None when it is none."""
    found = _DAY.fullmatch(" ".join(text.split()))
    try:
        return None if found is None else date(*map(int, found.groups()))
    except ValueError:
        return None


def midnight_ns(day: date) -> int:
    """The beginning of the day at the plant, ns UTC."""
    moment = datetime(day.year, day.month, day.day, tzinfo=PLANT_TIME)
    return int(moment.timestamp()) * 1_000_000_000


def read_pairs(text: str) -> tuple[tuple[Decimal, Decimal], ...] | None:
    """``12.1/11.9; 13/12.7``: reference and CEMS; None when it is not so."""
    pairs = []
    for part in re.split(r"[;；\n]+", text.strip().strip(";；")):
        one, slash, other = part.partition("/")
        values = (number(one.strip()), number(other.strip()))
        if not slash or values[0] is None or values[1] is None:
            return None
        pairs.append((values[0], values[1]))
    return tuple(pairs)


def read_fact(fact: Fact, text: str) -> tuple[str, str]:
    """The fact as it is kept, and what is wrong with it ("" when nothing is)."""
    if not text.isprintable():
        return "", say(
            f"{fact.zh}含有无法显示的字符", f"{fact.en} has characters that cannot be shown"
        )
    read, example = _READERS[fact.how]
    found = read(text)
    return ("", _wrong(fact, text, example)) if found is None else (found, "")


def _number(text: str) -> str | None:
    value = number("".join(text.split()))
    return None if value is None else format(value, "f")


def _date(text: str) -> str | None:
    day = read_day(text)
    return None if day is None else day.isoformat()


def _moment(text: str) -> str | None:
    at = read_moment(text)
    return None if at is None else minute_text(at)


def _pairs(text: str) -> str | None:
    pairs = read_pairs(text)
    return None if pairs is None else "; ".join(f"{one:f}/{other:f}" for one, other in pairs)


def _text(text: str) -> str:
    return " ".join(text.split())


_READERS: Final[dict[As, tuple[Callable[[str], str | None], str]]] = {
    As.TEXT: (_text, ""),
    As.NUMBER: (_number, "12.5"),
    As.DATE: (_date, "2026-10-05"),
    As.MOMENT: (_moment, "2026-10-05 08:00"),
    As.RESULT: (lambda text: _RESULTS.get(text.lower()), "合格 / 不合格 / pass / fail"),
    As.PAIRS: (_pairs, "12.1/11.9; 13/12.7"),
}


def _wrong(fact: Fact, text: str, example: str) -> str:
    return say(
        f"{fact.zh} {text!r} 写法不对；请写 {example}",
        f"{fact.en} {text!r} cannot be read; write {example}",
    )
