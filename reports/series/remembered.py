"""A store that is asked once: what several topics of a report read, and counters month by month."""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final

import numpy as np

from drivers.model import Indices
from reports.periods import Period
from reports.series.counter_total import EDGE_NS
from reports.series.minutes import MinuteGrid
from reports.series.retimed import Retiming
from reports.series.store import DAY_NS, EventRecord, Series, Table, TimeOn, Windows
from reports.site import Meter

AHEAD_NS: Final = 100 * DAY_NS  # a counter is read so far at once: a quarter, and its edges
ARRAYS: Final = (
    *("start_ns", "period_ns", "mean", "low", "high", "last", "inc", "n", "good"),
    *("reason", "raw", "gateway", "log", "seq"),
)


@dataclass(frozen=True, slots=True)
class _Read:
    """Windows of a counter in [start, end)."""

    start_ns: int
    end_ns: int
    windows: Windows


@dataclass(slots=True)
class Remembered:
    """
    Another store, each of whose answers is kept; see ``Series``.

    ``until`` is the day after the longest period that will be asked for: what is asked for month by
    month is read ahead up to there, counters by quarters.
    """

    series: Series
    until: date
    _counters: dict[Meter, _Read] = field(default_factory=dict)
    _answers: dict[tuple[Any, ...], Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.series.name

    def windows(
        self, meter: Meter, start_ns: int, end_ns: int, period_s: int | None = None
    ) -> Windows:
        if period_s is not None:  # hours and days are few
            return self.series.windows(meter, start_ns, end_ns, period_s)
        known = self._counters.get(meter)
        if known is None or start_ns < known.start_ns or end_ns > known.end_ns:
            last_ns = Period(self.until, self.until).start_ns + EDGE_NS
            ahead_ns = max(end_ns, min(start_ns + AHEAD_NS, last_ns))
            found = self.series.windows(meter, start_ns, ahead_ns)
            known = _Read(start_ns, ahead_ns, found)
            self._counters[meter] = known
        if known.windows.doubles:  # they are counted of what was asked for, not of what was read
            return self.series.windows(meter, start_ns, end_ns)
        return _cut(known.windows, start_ns, end_ns)

    def hourly(self, points: Any, period: Period) -> Table:
        table = self._ahead(("hourly", *points), period, lambda p: self.series.hourly(points, p))
        starts = np.asarray(table["hour_ns"].to_numpy(), dtype=np.int64)
        return table.filter((starts >= period.start_ns) & (starts < period.end_ns))

    def minutes(self, points: Any, period: Period) -> MinuteGrid:
        return self.series.minutes(points, period)  # too much to keep

    def time_on(self, quantity: str, period: Period) -> list[TimeOn]:
        key = ("time_on", quantity)
        rows = self._ahead(key, period, lambda p: self.series.time_on(quantity, p))
        first = bisect_left(rows, period.first, key=lambda row: row.day)
        after = bisect_left(rows, period.after, key=lambda row: row.day)
        return list(rows[first:after])

    def _ahead(self, key: tuple[Any, ...], period: Period, ask: Callable[[Period], Any]) -> Any:
        """The answer for a period that holds the one asked for, read to the end at once."""
        known = self._answers.get(key)
        if known is None or period.first < known[0].first or period.after > known[0].after:
            whole = Period(period.first, max(period.after, self.until))
            known = (whole, ask(whole))
            self._answers[key] = known
        return known[1]

    def events(self, equipment: str, period: Period) -> list[EventRecord]:
        return self.series.events(equipment, period)

    def pot_days(self, period: Period) -> Table:
        return self._kept(("pot_days", period), lambda: self.series.pot_days(period))

    def happened(self, kind: str, period: Period) -> list[EventRecord]:
        key = ("happened", kind, period)
        return list(self._kept(key, lambda: self.series.happened(kind, period)))

    def retimed(self, period: Period) -> list[Retiming]:
        return self.series.retimed(period)

    def _kept(self, key: tuple[Any, ...], ask: Callable[[], Any]) -> Any:
        if key not in self._answers:
            self._answers[key] = ask()
        return self._answers[key]


def _cut(windows: Windows, start_ns: int, end_ns: int) -> Windows:
    """Those that start in [start, end), of windows none of which came twice."""
    starts: Indices = windows.start_ns
    first, after = (int(n) for n in np.searchsorted(starts, [start_ns, end_ns]))
    if (first, after) == (0, len(starts)):
        return windows
    return replace(windows, **{name: getattr(windows, name)[first:after] for name in ARRAYS})
