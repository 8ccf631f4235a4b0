"""From values to places: round ticks of numbers and times, and the words on them."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(2000, 1, 1)  # noqa: DTZ001 - plant wall clock, as in reports/pictures.py
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_TIME_STEPS: Final = (
    *(_MINUTE * n for n in (1, 2, 5, 10, 15, 30)),
    *(_HOUR * n for n in (1, 2, 3, 6, 12)),
    *(_DAY * n for n in (1, 2, 5, 7, 14)),
)


@dataclass(frozen=True, slots=True)
class Scale:
    """A straight scale: value ``low`` stands at ``begin``, ``high`` at ``end`` (points)."""

    low: float
    high: float
    begin: float
    end: float

    def at(self, value: float) -> float:
        if self.high == self.low:
            return (self.begin + self.end) / 2
        share = (value - self.low) / (self.high - self.low)
        return self.begin + share * (self.end - self.begin)


TINY = 1e-300  # below it a power of ten is no normal number any more


def step_for(span: float, ticks: int) -> float:
    """A round step – 1, 2 or 5 times a power of ten – that gives about so many ticks."""
    if span < TINY:
        return 1.0
    rough = span / max(ticks, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * n for n in (1, 2, 5, 10) if power * n >= rough * 0.999)


def round_range(values: Iterable[float], *, zero: bool, ticks: int) -> tuple[float, float, float]:
    """Lowest and highest tick around the values, and the step; 0 to 1 when there are none."""
    found = list(values)
    low, high = (min(found), max(found)) if found else (0.0, 1.0)
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if high - low < TINY:
        margin = abs(high) * 0.05
        margin = margin if margin >= TINY else 1.0
        low, high = (low if zero and low == 0 else low - margin), high + margin
    step = step_for(high - low, ticks)
    return math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step, step


def ticks_of(low: float, high: float, step: float) -> list[float]:
    """The round values from ``low`` to ``high``."""
    count = round((high - low) / step)
    return [low + n * step for n in range(count + 1)]


def tick_text(value: float, step: float, decimals: int | None = None) -> str:
    """``12,500`` or ``4.05``: as many decimals as the step has, never a minus zero."""
    if decimals is None:
        decimals = max(0, -math.floor(math.log10(step) + 1e-9)) if step > 0 else 0
    text = f"{value:,.{min(decimals, 8)}f}"
    return text.removeprefix("-") if not text.strip("-0.,") else text.replace("-", "−")


@dataclass(frozen=True, slots=True)
class TimeTick:
    """A mark on the axis of time and its words."""

    place: float
    text: str


def time_ticks(low: float, high: float, count: int, lang: str) -> list[TimeTick]:
    """Round minutes, hours, days or months between two places (seconds)."""
    span = high - low
    step = next((s for s in _TIME_STEPS if span / s <= count), None)
    if step is None:
        return _month_ticks(low, high, count, lang)
    anchor = math.ceil(low / _DAY) * _DAY if step > _DAY else 0  # weeks begin where the axis does
    first = anchor + math.ceil((low - anchor) / step) * step
    places = [first + n * step for n in range(int((high - first) // step) + 1)]
    return [TimeTick(p, _moment_text(p, step, lang, first=n == 0)) for n, p in enumerate(places)]


def _moment_text(place: float, step: int, lang: str, *, first: bool) -> str:
    moment = _EPOCH + timedelta(seconds=place)
    day = f"{moment.month}月{moment.day}日" if lang == "zh" else f"{moment.day} {_month(moment)}"
    if step >= _DAY:
        return day
    midnight = (moment.hour, moment.minute) == (0, 0)
    clock = f"{moment.hour:02d}:{moment.minute:02d}"
    return day if midnight else f"{day} {clock}" if first else clock


def _month(moment: datetime) -> str:
    names = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    return names[moment.month - 1]


def _month_ticks(low: float, high: float, count: int, lang: str) -> list[TimeTick]:
    """The first of months, every n-th so that they do not crowd."""
    begin, end = _EPOCH + timedelta(seconds=low), _EPOCH + timedelta(seconds=high)
    months = range(begin.year * 12 + begin.month - 1, end.year * 12 + end.month)
    every = next(n for n in (1, 2, 3, 6, 12, 24, 60, 120, 1200) if len(months) / n <= count)
    found: list[TimeTick] = []
    for number in months:
        moment = datetime(number // 12, number % 12 + 1, 1)  # noqa: DTZ001 - plant wall clock
        place = (moment - _EPOCH).total_seconds()
        if low <= place <= high and number % every == 0:
            found.append(TimeTick(place, _month_text(moment, lang, first=not found)))
    return found


def _month_text(moment: datetime, lang: str, *, first: bool) -> str:
    if lang == "zh":
        year = f"{moment.year}年" if first or moment.month == 1 else ""
        return f"{year}{moment.month}月"
    return _month(moment) + (f" {moment.year}" if first or moment.month == 1 else "")


def every_nth(texts: Sequence[str], room: float, needed: float) -> int:
    """Every how many-th of the names can be written when each has ``room`` and wants ``needed``."""
    return max(1, math.ceil(needed / room)) if texts and room > 0 else 1
