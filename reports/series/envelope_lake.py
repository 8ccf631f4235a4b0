"""Any point of a lake over any time: hours from the layer, windows and samples from the lake."""

import contextlib
import os
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import numpy as np

from reports.periods import PLANT_TIME, Period
from reports.series.duck import Duck, connect
from reports.series.envelope import (
    HOUR_S,
    Pieces,
    joined,
    no_pieces,
    shortest_in_each_hour,
)
from reports.series.envelope_layer import Days, GoneError, Layer, Progress
from reports.series.envelope_store import Found, Happening, Known
from reports.series.lake import LakeSeries
from reports.series.retimed import Retiming
from reports.series.store import DAY_NS, SECOND_NS, SeriesError
from reports.site import Meter

EVENT_DAYS: Final = 31  # an event is filed under the day it began
LOOKED_AT: Final = 8  # days that are asked which points there are, while there is no layer
TRIES: Final = 3  # a file of the layer may go while it is read

_WINDOWS: Final = """
SELECT epoch_us(ts) // 1000000 AS start_s, period_s AS span_s, mean, coalesce("min", mean) AS low,
  coalesce("max", mean) AS high, inc, good, q AS reason, seq FROM windows
WHERE equipment = ? AND quantity = ? AND ts >= make_timestamptz(?) AND ts < make_timestamptz(?)
ORDER BY start_s, span_s, seq
"""
_EVENTS: Final = """
SELECT max_by(kind, seq) AS kind, equipment, epoch_us(max_by(ts, seq)) / 1e6 AS start_s,
  epoch_us(max("end")) / 1e6 AS end_s, max_by("text", seq) AS "text", max(amount) AS amount, id
FROM events WHERE equipment IN (SELECT unnest(?)) GROUP BY id, equipment
HAVING start_s < ? AND (end_s IS NULL OR end_s >= ?) ORDER BY start_s LIMIT ?
"""


class LakeExplorer:
    """See ``Explorer``. ``today`` is the plant day that still runs: it is never summed up."""

    def __init__(self, series: LakeSeries, root: Path, plant: str, layer: Path) -> None:
        self._series = series
        self._windows = root / "windows" / f"plant={plant}"
        self._layer = Layer(layer / plant, root)
        self._duck: Duck | None = None
        self.today = datetime.now(PLANT_TIME).date()
        self._marks: dict[date, str] | None = None

    def points(self) -> dict[str, Known]:
        found = {name: Known(*span) for name, span in self._layer.points.items()}
        names = self._names()
        if not names:
            return found
        last = len(names) - 1
        newest = {names[-1]} if found else {names[last * n // LOOKED_AT] for n in range(LOOKED_AT)}
        for name in sorted(newest | {names[-1]}):
            day = date.fromisoformat(name)
            for equipment, quantity in self._points_of(day):
                point = f"{equipment} {quantity}"
                known = found.get(point, Known(day, day))
                found[point] = Known(min(known.first, day), max(known.last, day))
        return dict(sorted(found.items()))

    def span(self) -> tuple[date, date] | None:
        names = self._names()
        return (date.fromisoformat(names[0]), date.fromisoformat(names[-1])) if names else None

    def pieces(self, point: Meter, start_s: int, end_s: int, bucket_s: int, days: int) -> Found:
        if bucket_s < HOUR_S:
            return Found(self._read(point, start_s, end_s), "windows", ())
        for _ in range(TRIES):
            with contextlib.suppress(GoneError):
                return self._summed(point, start_s, end_s, days)
            self._layer = Layer(self._layer.folder, self._windows.parents[1])
        raise SeriesError(f"{self._layer.folder}: its files go while they are read")

    def _summed(self, point: Meter, start_s: int, end_s: int, days: int) -> Found:
        first, after = _day_of(start_s), _day_of(end_s - 1) + timedelta(days=1)
        there = {day: mark for day, mark in self._days().items() if first <= day < after}
        fresh = self._layer.fresh(there)
        summed = self._layer.hours(self._own_duck(), point, first, after, fresh)
        parts = [] if summed is None else [_of_hours(summed)]
        missing = sorted(
            [day for day in there if day not in fresh]
            + [day for name in self._names() if self.today <= (day := date.fromisoformat(name))]
        )
        missing = [day for day in missing if first <= day < after]
        late = max(0, len(missing) - days)
        read, waiting = missing[late:], missing[:late]
        for begin, end in _runs(read):
            parts.append(self._read(point, _start_s(begin), _start_s(end)))
        return Found(_cut(joined(parts), start_s, end_s), "hours", tuple(waiting))

    def samples(self, point: Meter, start_s: int, end_s: int) -> Pieces:
        table = self._series.samples(point, start_s * SECOND_NS, end_s * SECOND_NS)
        if not table.num_rows:
            return no_pieces()
        value = _floats(table["value"])
        good = np.isfinite(value).astype(np.float64)
        at = np.asarray(table["ts"].cast("int64").to_numpy(), dtype=np.int64) / 1e6
        ones, nothing = np.ones(len(value)), np.full(len(value), np.nan)
        reason = np.array(table["q"].to_pylist(), dtype=object)
        whole = np.ones(len(value), dtype=np.int64)
        return Pieces(at, value, value, value, good, nothing, good, ones, whole, reason)

    def events(self, equipment: list[str], start_s: int, end_s: int, most: int) -> list[Happening]:
        duck = self._series.reading(
            "events", start_s * SECOND_NS - EVENT_DAYS * DAY_NS, end_s * SECOND_NS
        )
        if duck is None or not equipment:
            return []
        rows = duck.execute(_EVENTS, [equipment, end_s, start_s, most]).fetchall()
        return [Happening(*row[:-1]) for row in rows]

    def progress(self) -> Progress:
        days = self._days()
        return Progress(len(days), len(self._layer.fresh(days)))

    def build(self, budget_s: float) -> Progress:
        """Newest days first, then months merged; one step at least is taken to its end."""
        until = time.monotonic() + budget_s
        with self._layer.building() as mine:
            if mine:
                days = self._days()
                self._layer.forget(days)
                for day in sorted(set(days) - self._layer.fresh(days), reverse=True):
                    start_ns = _start_s(day) * SECOND_NS
                    duck = self._series.reading("windows", start_ns, start_ns + DAY_NS)
                    self._layer.add_day(duck, day, days[day])
                    if time.monotonic() > until:
                        return self.progress()
                while self._layer.merge(self._own_duck(), days, self.today):
                    if time.monotonic() > until:
                        break
        return self.progress()

    def _own_duck(self) -> Duck:
        if self._duck is None:
            self._duck = connect()
        return self._duck

    def _read(self, point: Meter, start_s: int, end_s: int) -> Pieces:
        duck = self._series.reading("windows", start_s * SECOND_NS, end_s * SECOND_NS)
        if duck is None:
            return no_pieces()
        asked = [point.equipment, point.quantity, start_s * 10**6, end_s * 10**6]
        return _of_windows(duck.sql(_WINDOWS, params=asked).to_arrow_table())

    def _points_of(self, day: date) -> list[tuple[str, str]]:
        start_ns = _start_s(day) * SECOND_NS
        duck = self._series.reading("windows", start_ns, start_ns + 1)
        if duck is None:
            return []
        found = duck.sql("SELECT DISTINCT equipment, quantity FROM windows").fetchall()
        return [(equipment, quantity) for equipment, quantity in found]

    def _names(self) -> list[str]:
        if not self._windows.is_dir():
            return []
        with os.scandir(self._windows) as entries:
            found = [each.name.removeprefix("day=") for each in entries if each.is_dir()]
        return sorted(found)

    def _days(self) -> Days:
        """Closed days of the lake and a mark of what each consists of."""
        if self._marks is None:
            self._marks = {}
            moved = self._series.retimed(Period(date(1971, 1, 1), self.today))
            names = self._names()
            own = {name: _mark_of(self._windows / f"day={name}") for name in names}
            for name in names:
                day = date.fromisoformat(name)
                if day < self.today and own[name]:
                    self._marks[day] = own[name] + _moved_mark(moved, day, own)
        return self._marks


def _mark_of(folder: Path) -> str:
    """Names, sizes and times of change of the files of a day; empty when there are none."""
    with os.scandir(folder) as entries:
        files = [
            (each.name, (about := each.stat()).st_size, about.st_mtime_ns)
            for each in entries
            if each.name.endswith(".parquet")
        ]
    return sha256(repr(sorted(files)).encode()).hexdigest()[:16] if files else ""


def _moved_mark(moved: list[Retiming], day: date, own: dict[str, str]) -> str:
    """What retimings that touch the day bring to it: themselves, and the days of their stamps."""
    start_ns = _start_s(day) * SECOND_NS
    mine = [each for each in moved if each.touches(start_ns, start_ns + DAY_NS)]
    if not mine:
        return ""
    said = []
    for each in mine:
        first, last = (_day_of(at_us // 10**6) for at_us in (each.start_us, each.end_us))
        stamped = [own.get(str(first + timedelta(days=n))) for n in range((last - first).days + 1)]
        said.append((repr(each), stamped))
    return sha256(repr(said).encode()).hexdigest()[:16]


def _of_windows(table: Any) -> Pieces:
    """Each window once, by its later batch; of those of several lengths the shortest."""
    start, span = _floats(table["start_s"]), _floats(table["span_s"])
    last = np.ones(len(start), dtype=np.bool_)
    last[:-1] = (start[1:] != start[:-1]) | (span[1:] != span[:-1])
    good_s = _floats(table["good"]) * span
    mean = _floats(table["mean"])
    made = Pieces(
        start_s=start,
        low=_floats(table["low"]),
        high=_floats(table["high"]),
        mean=mean,
        mean_s=np.where(np.isfinite(mean), good_s, 0.0),
        inc=_floats(table["inc"]),
        good_s=good_s,
        span_s=span,
        windows=np.ones(len(start), dtype=np.int64),
        reason=_texts(table["reason"]),
    )
    return shortest_in_each_hour(made if last.all() else made.only(last))


def _of_hours(table: Any) -> Pieces:
    names = ("low", "high", "mean", "mean_s", "inc", "good_s", "span_s")
    return Pieces(
        start_s=_floats(table["hour"]) * HOUR_S,
        **{name: _floats(table[name]) for name in names},
        windows=_whole(table["windows"]),
        reason=_texts(table["reason"]),
    )


def _cut(pieces: Pieces, start_s: int, end_s: int) -> Pieces:
    """Whole hours that touch the interval."""
    inside = (pieces.start_s > start_s - HOUR_S) & (pieces.start_s < end_s)
    return pieces if inside.all() else pieces.only(inside)


def _runs(days: list[date]) -> Iterator[tuple[date, date]]:
    """First day and day after of each stretch without a hole."""
    begin: date | None = None
    for at, day in enumerate(days):
        begin = begin or day
        after = day + timedelta(days=1)
        if at + 1 == len(days) or days[at + 1] != after:
            yield begin, after
            begin = None


def _day_of(at_s: int) -> date:
    return datetime.fromtimestamp(at_s, PLANT_TIME).date()


def _start_s(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=PLANT_TIME).timestamp())


def _floats(column: Any) -> Any:
    return np.asarray(column.to_numpy(), dtype=np.float64)


def _whole(column: Any) -> Any:
    return np.asarray(column.to_numpy(), dtype=np.int64)


def _texts(column: Any) -> Any:
    """Mostly nothing: then no text is made."""
    if column.null_count == len(column):
        return np.full(len(column), None, dtype=object)
    return np.array(column.to_pylist(), dtype=object)
