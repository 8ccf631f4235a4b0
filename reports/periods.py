"""Years, months and days at the plant: fixed +08:00 outside, UTC inside, always [start, end)."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone

from drivers.language import say

PLANT_TIME = timezone(timedelta(hours=8))  # fixed: no summer time enters a total

_YEAR = re.compile(r"(\d{4})", re.ASCII)
_MONTH = re.compile(r"(\d{4})-(\d{2})", re.ASCII)
_QUARTER = re.compile(r"(\d{4})-[Qq]([1-4])", re.ASCII)
_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
_SPAN = re.compile(r"(\d{4}-\d{2}-\d{2})_(\d{4}-\d{2}-\d{2})", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """
    A year (``2026``), quarter (``2026-Q1``), month (``2026-10``), day (``2026-10-05``) or any days
    of plant time (``2026-03-10_2026-06-20``, both included): first day to the day after.

    ``start`` is in it, ``end`` is not; a window belongs to the period in which it starts.
    """

    first: date
    after: date

    @classmethod
    def parse(cls, text: str) -> "Period":
        """Raises ValueError that says what to write."""
        try:
            if found := _DAY.fullmatch(text):
                day = date(*map(int, found.groups()))
                return cls(day, day + timedelta(days=1))
            if found := _MONTH.fullmatch(text):
                return cls.month(int(found[1]), int(found[2]))
            if found := _YEAR.fullmatch(text):
                return cls.year(int(found[1]))
            if found := _QUARTER.fullmatch(text):
                return cls.quarter(int(found[1]), int(found[2]))
            if found := _SPAN.fullmatch(text):
                return cls.between(*map(date.fromisoformat, found.groups()))
        except ValueError:
            pass
        raise ValueError(
            say(
                f"{text!r} 不是年、月或日；请写 2026、2026-10 或 2026-10-05",
                f"{text!r} is no year, month or day; write 2026, 2026-10 or 2026-10-05",
            )
        )

    @classmethod
    def month(cls, year: int, month: int) -> "Period":
        return cls(date(year, month, 1), date(year + month // 12, month % 12 + 1, 1))

    @classmethod
    def quarter(cls, year: int, quarter: int) -> "Period":
        first = cls.month(year, 3 * quarter - 2)
        return cls(first.first, cls.month(year, 3 * quarter).after)

    @classmethod
    def year(cls, year: int) -> "Period":
        return cls(date(year, 1, 1), date(year + 1, 1, 1))

    @classmethod
    def between(cls, first: date, last: date) -> "Period":
        """Both days included. Raises ValueError when the last one comes first."""
        if last < first:
            raise ValueError(
                say(f"终日 {last} 早于始日 {first}", f"the last day {last} is before {first}")
            )
        return cls(first, last + timedelta(days=1))

    @property
    def is_year(self) -> bool:
        return self == Period.year(self.first.year)

    @property
    def whole_year(self) -> "Period":
        return Period.year(self.first.year)

    @property
    def months(self) -> tuple["Period", ...]:
        """The months that begin in it, in order."""
        found, month = [], self.whole_month
        while month.first < self.after:
            if month.first >= self.first:
                found.append(month)
            month = Period.month(month.after.year, month.after.month)
        return tuple(found)

    @property
    def is_quarter(self) -> bool:
        return self == self.whole_quarter

    @property
    def whole_quarter(self) -> "Period":
        """The quarter in which it begins."""
        return Period.quarter(self.first.year, (self.first.month + 2) // 3)

    @property
    def is_month(self) -> bool:
        return self.first.day == 1 and self == Period.month(self.first.year, self.first.month)

    @property
    def whole_month(self) -> "Period":
        return Period.month(self.first.year, self.first.month)

    @property
    def previous(self) -> "Period":
        """The month before this one."""
        last = self.first - timedelta(days=1)
        return Period.month(last.year, last.month)

    @property
    def days(self) -> tuple[date, ...]:
        count = (self.after - self.first).days
        return tuple(self.first + timedelta(days=n) for n in range(count))

    @property
    def start(self) -> datetime:
        return _midnight(self.first)

    @property
    def end(self) -> datetime:
        return _midnight(self.after)

    @property
    def start_ns(self) -> int:
        return int(self.start.timestamp()) * 1_000_000_000

    @property
    def end_ns(self) -> int:
        return int(self.end.timestamp()) * 1_000_000_000

    @property
    def hours(self) -> int:
        return (self.after - self.first).days * 24

    def __str__(self) -> str:
        if self.is_year:
            return f"{self.first:%Y}"
        if self.is_quarter:
            return f"{self.first:%Y}-Q{(self.first.month + 2) // 3}"
        if self.is_month or len(self.days) == 1:
            return self.first.strftime("%Y-%m" if self.is_month else "%Y-%m-%d")
        return f"{self.first}_{self.after - timedelta(days=1)}"


def plant_now() -> datetime:
    """The clock; no figure depends on it."""
    return wall_clock()


def wall_clock() -> datetime:
    """Where a test puts another day, for all that ask ``plant_now``."""
    return datetime.now(PLANT_TIME)


SPANS = ("day", "month", "quarter", "year")


def last_over(span: str, today: date) -> Period:
    """The newest day, month, quarter or year (``SPANS``) that is over on ``today``."""
    day = today - timedelta(days=1)
    found = _of(span, day)
    while found.after > today:  # the one of yesterday goes on
        found = _of(span, found.first - timedelta(days=1))
    return found


def _of(span: str, day: date) -> Period:
    """The one of ``SPANS`` that ``day`` lies in."""
    this = Period.between(day, day)
    return {
        "day": this,
        "month": this.whole_month,
        "quarter": this.whole_quarter,
        "year": this.whole_year,
    }[span]


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=PLANT_TIME)


def clock_text(time_ns: int) -> str:
    """``2026-10-05 08:01:00`` in plant time; a fraction of a second only where there is one."""
    moment = datetime.fromtimestamp(time_ns // 1_000_000_000, UTC).astimezone(PLANT_TIME)
    fraction = time_ns % 1_000_000_000
    return f"{moment:%Y-%m-%d %H:%M:%S}" + (f".{fraction:09d}".rstrip("0") if fraction else "")
