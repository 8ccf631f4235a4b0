"""Any point of an InfluxDB over any time: the server groups by time, only sums come here."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import numpy as np

from drivers.model import Equipment
from drivers.quantities import quantities
from reports.periods import PLANT_TIME, Period
from reports.series.envelope import (
    DAY_S,
    HOUR_S,
    PLANT_S,
    Pieces,
    joined,
    no_pieces,
)
from reports.series.envelope_layer import Progress
from reports.series.envelope_store import Found, Happening, Known
from reports.series.influx import PERIODS, InfluxSeries
from reports.series.store import SECOND_NS
from reports.site import Meter

LOOK_BACK: Final = timedelta(days=40)  # a point that was silent so long is not listed
STRETCH_S: Final = 32 * DAY_S  # asked for at once: a server may refuse more
Row = dict[str, Any]


class InfluxExplorer:
    """See ``Explorer``. There is no layer: the server keeps windows in order of time."""

    def __init__(self, series: InfluxSeries) -> None:
        self._series = series
        self._known: dict[str, Known] | None = None

    def points(self) -> dict[str, Known]:
        """Those with windows in the last days before the newest window of their series."""
        if self._known is None:
            found: dict[str, Known] = {}
            for measurement in self._measurements():
                for point, day in self._points_in(measurement):
                    before = found.get(point, Known(day, day))
                    found[point] = Known(min(day, before.first), max(day, before.last))
            self._known = dict(sorted(found.items()))
        return self._known

    def span(self) -> tuple[date, date] | None:
        return None

    def pieces(self, point: Meter, start_s: int, end_s: int, bucket_s: int, days: int) -> Found:  # noqa: ARG002 - an Explorer's
        """Buckets as wide as the answer needs, each of them one piece."""
        bucket_s, fine = max(bucket_s, 60), bucket_s < HOUR_S
        name = "windows" if fine else "hours"
        if self._moved(start_s, end_s) and fine:
            return Found(self._one_by_one(point, start_s, end_s), name, ())
        parts: list[Pieces] = []
        taken: set[int] = set()
        for ending, period_s in PERIODS.items():
            rows = [
                row
                for row in self._sums(point, ending, start_s, end_s, max(bucket_s, period_s))
                if row["time"] not in taken
            ]
            taken.update(row["time"] for row in rows)
            parts.append(_pieces_of(rows, period_s))
        return Found(joined([part for part in parts if len(part)]), name, ())

    def samples(self, point: Meter, start_s: int, end_s: int) -> Pieces:  # noqa: ARG002 - an Explorer's
        """The historian writes no raw samples there."""
        return no_pieces()

    def events(self, equipment: list[str], start_s: int, end_s: int, most: int) -> list[Happening]:
        first = datetime.fromtimestamp(start_s, PLANT_TIME).date()
        last = datetime.fromtimestamp(end_s - 1, PLANT_TIME).date()
        found = [
            Happening(
                each.kind,
                each.equipment,
                each.start_ns / SECOND_NS,
                None if each.end_ns is None else each.end_ns / SECOND_NS,
                each.text,
                each.amount,
            )
            for name in equipment
            for each in self._series.events(name, Period.between(first, last))
        ]
        inside = [
            each
            for each in found
            if each.start_s < end_s and (each.end_s is None or each.end_s >= start_s)
        ]
        return sorted(inside, key=lambda each: each.start_s)[:most]

    def progress(self) -> Progress:
        return Progress(0, 0)

    def build(self, budget_s: float) -> Progress:  # noqa: ARG002 - an Explorer's
        return Progress(0, 0)

    def _measurements(self) -> list[str]:
        names = {str(row["name"]) for row in self._series.ask("SHOW MEASUREMENTS")}
        known = {name.partition(".")[0] for name in quantities()}
        return sorted(
            name
            for name in names
            for base, _, end in [name.rpartition("_")]
            if base in known and end in PERIODS
        )

    def _points_in(self, measurement: str) -> Iterator[tuple[str, date]]:
        """Points of one measurement, each with a day on which it has a window."""
        base, _, _ = measurement.rpartition("_")
        fields = {str(row["fieldKey"]) for row in self._series.ask(_keys(measurement))}
        names = sorted(each.removesuffix("_n") for each in fields if each.endswith("_n"))
        names = [each for each in names if f"{base}.{each}" in quantities()]
        asked = (self._series.rows_of_plant(f'last("{name}_n")', measurement, "") for name in names)
        newest = next((rows for rows in asked if rows), None)
        if newest is None:
            return
        counts = ", ".join(f'count("{name}_n") AS "{name}"' for name in names)
        since_s = max(row["time"] for row in newest) // SECOND_NS
        day = datetime.fromtimestamp(since_s, UTC).astimezone(PLANT_TIME).date()
        since_ns = (since_s - int(LOOK_BACK.total_seconds())) * SECOND_NS
        grouped = f'AND time >= {since_ns} GROUP BY "line","unit"'
        for row in self._series.rows_of_plant(counts, measurement, grouped):
            for name in names:
                if row.get(name):
                    yield f"{Equipment(row['line'], row['unit'])} {base}.{name}", day

    def _moved(self, start_s: int, end_s: int) -> bool:
        first = datetime.fromtimestamp(start_s, PLANT_TIME).date()
        last = datetime.fromtimestamp(end_s - 1, PLANT_TIME).date()
        return any(each.applied for each in self._series.retimed(Period.between(first, last)))

    def _one_by_one(self, point: Meter, start_s: int, end_s: int) -> Pieces:
        """Windows at their true time, where an unsynced clock had stamped some of them."""
        found = self._series.windows(point, start_s * SECOND_NS, end_s * SECOND_NS)
        span = found.period_ns / SECOND_NS
        good_s = found.good * span
        mean_s = np.where(np.isfinite(found.mean), good_s, 0.0)
        whole = np.ones(len(found), dtype=np.int64)
        start = found.start_ns / SECOND_NS
        parts = (found.low, found.high, found.mean, mean_s, found.inc, good_s, span)
        return Pieces(start, *parts, whole, found.reason)

    def _sums(
        self, point: Meter, ending: str, start_s: int, end_s: int, bucket_s: int
    ) -> Iterator[Row]:
        """
        Buckets with windows of one length, in order.

        Fields that say nothing new are not on the wire: no ``_good`` means 1, no ``_min`` and
        ``_max`` the mean. So whole windows are counted, and those in part are summed up beside.
        """
        base, _, name = point.quantity.partition(".")
        measurement = f"{base}_{ending}"
        sums = (
            f'min("{name}") AS m_low, max("{name}") AS m_high, min("{name}_min") AS low, '
            f'max("{name}_max") AS high, sum("{name}") AS total, count("{name}") AS held, '
            f'sum("{name}_inc") AS inc, count("{name}_n") AS n, count("{name}_good") AS some, '
            f'sum("{name}_good") AS good, mode("{name}_q") AS q'
        )
        values = f'"{name}" AS v, "{name}_good" AS g, "{name}" * "{name}_good" AS vg'
        in_part = "sum(v) AS v, sum(g) AS g, sum(vg) AS vg, count(vg) AS c"
        where = self._series.where(point.equipment)
        for begin_s in range(start_s, end_s, STRETCH_S):
            inside = f"time >= {begin_s}s AND time < {min(begin_s + STRETCH_S, end_s)}s"
            every = f"GROUP BY time({bucket_s}s, {-PLANT_S % bucket_s}s) fill(none)"
            asked = _select(sums, f'"{measurement}"', f"{where} AND {inside} {every}")
            rows = [row for row in self._series.ask(asked) if row.get("n")]
            if any(row["some"] for row in rows):
                some = f'{where} AND {inside} AND "{name}_good" < 1'
                inner = _select(values, f'"{measurement}"', some)
                asked = _select(in_part, f"({inner})", f"WHERE {inside} {every}")
                parts = {row["time"]: row for row in self._series.ask(asked)}
                rows = [row | {"part": parts.get(row["time"])} for row in rows]
            yield from rows


def _select(columns: str, source: str, rest: str) -> str:
    return f"SELECT {columns} FROM {source} {rest}"  # noqa: S608 - names are checked or ours


def _keys(measurement: str) -> str:
    return f'SHOW FIELD KEYS FROM "{measurement}"'


def _pieces_of(rows: list[Row], period_s: int) -> Pieces:
    """One piece for each row; a bucket that a stretch cut in two is two pieces."""
    if not rows:
        return no_pieces()
    made = [_figures(row, period_s) for row in rows]
    start = np.array([row["time"] / SECOND_NS for row in rows])
    low, high, mean, mean_s, inc, good_s, span_s = (
        np.array(column, dtype=np.float64) for column in zip(*made, strict=True)
    )
    windows = np.array([row["n"] for row in rows], dtype=np.int64)
    reason = np.array([row["q"] or None for row in rows], dtype=object)
    return Pieces(start, low, high, mean, mean_s, inc, good_s, span_s, windows, reason)


def _figures(row: Row, period_s: int) -> tuple[float, ...]:
    """Of one bucket: ``low, high, mean, mean_s, inc, good_s, span_s``."""
    part = row.get("part") or {}
    whole = (row["held"] or 0) - (part.get("c") or 0)
    weight = whole + ((part.get("g") or 0.0) if part.get("c") else 0.0)
    total = (row["total"] or 0.0) - (part.get("v") or 0.0) + (part.get("vg") or 0.0)
    good = row["n"] - (row["some"] or 0) + (row["good"] or 0.0)
    lows = [each for each in (row["m_low"], row["low"]) if each is not None]
    highs = [each for each in (row["m_high"], row["high"]) if each is not None]
    nothing = float("nan")
    return (
        min(lows, default=nothing),
        max(highs, default=nothing),
        total / weight if weight else nothing,
        weight * period_s,
        nothing if row["inc"] is None else row["inc"],
        good * period_s,
        row["n"] * period_s,
    )
