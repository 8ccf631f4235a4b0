"""Which stretch of time a potline page speaks of: now, an hour, a day; and the newest day known."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

from drivers.language import say
from drivers.model import ConfigError
from reports.console.office import Office
from reports.periods import PLANT_TIME, Period, plant_now
from reports.site import Potline

SECOND_NS: Final = 10**9
MINUTE_NS: Final = 60 * SECOND_NS
NOW: Final = timedelta(minutes=10)  # a mean over these stands for now where nothing is live
SPANS: Final = {"24h": timedelta(hours=24), "7d": timedelta(days=7)}
MOMENTS: Final = ("now", "hour", "today", "yesterday")
FIRST, AFTER = date(2000, 1, 1), date(2100, 1, 1)  # what may be asked for
_FOLDER: Final = re.compile(r"day=(\d{4}-\d{2}-\d{2})")


@dataclass(frozen=True, order=True)
class Stretch(Period):
    """Some hours of plant time: the days that they touch, with bounds inside them."""

    from_ns: int
    to_ns: int

    @classmethod
    def between_ns(cls, from_ns: int, to_ns: int) -> "Stretch":
        first, last = day_of(from_ns), day_of(to_ns - 1)
        return cls(first, last + timedelta(days=1), from_ns, to_ns)

    @property
    def start_ns(self) -> int:
        return self.from_ns

    @property
    def end_ns(self) -> int:
        return self.to_ns


def day_of(time_ns: int) -> date:
    """The plant day of a moment."""
    return datetime.fromtimestamp(time_ns // SECOND_NS, PLANT_TIME).date()


def now_ns() -> int:
    """The full minute that is over."""
    return int(plant_now().timestamp()) // 60 * MINUTE_NS


def stretch_of(at: str) -> Period:
    """
    ``now``, ``hour``, ``today``, ``yesterday`` or ``2026-10-05``.

    Whole days are plain periods, with all that the store adds up by day. Raises ConfigError.
    """
    today = plant_now().date()
    if at in {"now", "hour"}:
        until_ns, back = now_ns(), NOW if at == "now" else timedelta(hours=1)
        return Stretch.between_ns(until_ns - int(back.total_seconds()) * SECOND_NS, until_ns)
    if at == "today":
        return Period.between(today, today)
    if at == "yesterday":
        return Period.between(today - timedelta(days=1), today - timedelta(days=1))
    day = day_named(at)
    if day is None or not FIRST <= day < AFTER:
        raise ConfigError(
            [
                say(
                    f"时间 {at!r} 无法识别；请写 {'、'.join(MOMENTS)} 或 2026-10-05",
                    f"{at!r} is no time; write {', '.join(MOMENTS)} or 2026-10-05",
                )
            ]
        )
    return Period.between(day, day)


def day_named(text: str) -> date | None:
    """``2026-10-05``; None for what is no day."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def line_of(office: Office, line: str) -> Potline:
    """Raises ConfigError: no such potline."""
    found = office.site.line(line)
    if found is None:
        known = ", ".join(each.id for each in office.site.potline) or "—"
        raise ConfigError(
            [
                say(
                    f"没有电解系列 {line!r}；site.toml 中有：{known}",
                    f"no potline {line!r}; site.toml has {known}",
                )
            ]
        )
    return found


def newest_day(office: Office) -> date | None:
    """The newest day, not after today, of which the store holds windows; None without any."""
    today = plant_now().date()
    if office.site.influxdb is not None or office.site.lake is None:
        return today
    return max((day for day in _days(office) if day <= today), default=None)


def oldest_day(office: Office) -> date | None:
    """The first day of which the lake holds windows; None where that is not known."""
    return min(_days(office), default=None)


def _days(office: Office) -> list[date]:
    if office.site.lake is None:
        return []
    folder = office.site.lake / "windows" / f"plant={office.site.plant}"
    return [day for each in _names(folder) if (day := _day(each)) is not None]


def _names(folder: Path) -> list[str]:
    try:
        return [each.name for each in folder.iterdir()]
    except OSError:
        return []


def _day(name: str) -> date | None:
    found = _FOLDER.fullmatch(name)
    return None if found is None else day_named(found[1])
