"""Reading the lake: Parquet by plant and day, through Ibis on DuckDB, only what is asked for."""

import fcntl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import ibis

from reports.months import PLANT_TIME, Period
from reports.series import (
    COLUMNS,
    SECOND_NS,
    EventRecord,
    SeriesError,
    Table,
    Windows,
    windows_of,
)
from reports.site import Meter

MEMORY: Final = "300MB"
HOUR_NS: Final = 3_600_000_000_000
EVENT_DAYS: Final = 31  # an event is filed under the day it began; longer ones are written again


@contextmanager
def open_lake(plant: str, root: Path) -> Iterator["LakeSeries"]:
    """
    The lake at ``root``, its files kept where they are while it is open.

    Raises SeriesError when there is no lake.
    """
    if not root.is_dir():
        raise SeriesError(f"{root}: no lake there; check `lake` in site.toml, or start a historian")
    with (root / ".reading").open("a") as reading:
        fcntl.flock(reading, fcntl.LOCK_SH)  # small files are not merged away under our feet
        backend = ibis.duckdb.connect(memory_limit=MEMORY, threads=2)
        try:
            yield LakeSeries(plant, root, backend)
        finally:
            backend.disconnect()


class LakeSeries:
    """One opened lake; see ``Series``."""

    def __init__(self, plant: str, root: Path, backend: Any) -> None:
        self._plant = plant
        self._root = root
        self._backend = backend

    @property
    def name(self) -> str:
        return "lake"

    def windows(self, meter: Meter, start_ns: int, end_ns: int) -> Windows:
        rows = self._windows([meter], start_ns, end_ns)
        return windows_of(meter, _arrow(rows, COLUMNS))

    def hourly(self, points: Sequence[Meter], period: Period) -> Table:
        rows = self._windows(points, period.start_ns, period.end_ns)
        return hours(self._newest(rows)).to_pyarrow()

    def events(self, equipment: str, period: Period) -> list[EventRecord]:
        first = datetime.fromtimestamp(period.start_ns // 10**9, UTC) - timedelta(days=EVENT_DAYS)
        paths = self._paths("events", int(first.timestamp()) * 10**9, period.end_ns)
        if not paths:
            return []
        table = self._backend.read_parquet(paths)
        chosen = table.filter(table.equipment == equipment).order_by("seq").to_pyarrow()
        newest = {
            record.id: record
            for record in map(
                EventRecord,
                *(chosen[name].to_pylist() for name in ("kind", "equipment")),
                _nanoseconds(chosen["ts"]),
                _nanoseconds(chosen["end"]),
                *(chosen[name].to_pylist() for name in ("id", "text", "amount")),
            )
        }
        return sorted(
            (
                record
                for record in newest.values()
                if record.start_ns < period.end_ns
                and (record.end_ns is None or record.end_ns >= period.start_ns)
            ),
            key=lambda record: record.start_ns,
        )

    def _windows(self, points: Sequence[Meter], start_ns: int, end_ns: int) -> Any:
        paths = self._paths("windows", start_ns, end_ns)
        if not paths:
            return ibis.memtable(_empty())
        table = self._backend.read_parquet(paths)
        wanted = [
            (table.equipment == point.equipment) & (table.quantity == point.quantity)
            for point in points
        ]
        mine = table.filter(ibis.or_(*wanted))
        named = mine.mutate(ts_ns=mine.ts.epoch_seconds().cast("int64") * SECOND_NS)
        return named.filter((named.ts_ns >= start_ns) & (named.ts_ns < end_ns))

    def _newest(self, rows: Any) -> Any:
        """One row per point and start: the one of the later batch."""
        key = ibis.window(group_by=["equipment", "quantity", "ts_ns"], order_by=ibis.desc("seq"))
        return rows.mutate(rank=ibis.row_number().over(key)).filter(ibis._.rank == 0)

    def _paths(self, table: str, start_ns: int, end_ns: int) -> list[str]:
        first = datetime.fromtimestamp(start_ns // 10**9, PLANT_TIME).date()
        last = datetime.fromtimestamp((end_ns - 1) // 10**9, PLANT_TIME).date()
        folder = self._root / table / f"plant={self._plant}"
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        return [str(path) for day in days for path in sorted(folder.glob(f"day={day}/*.parquet"))]


def hours(rows: Any) -> Any:
    """
    Hours from windows, as an expression: works on any Ibis backend.

    ``mean`` is weighted by good time, ``share`` is the good share of the hour; an hour without any
    window has no row.
    """
    good_s = rows.good * rows.period_s
    timed = rows.mutate(
        hour_ns=rows.ts_ns - rows.ts_ns % HOUR_NS,
        good_s=good_s,
        weighted=rows["mean"] * good_s,
        mean_s=ibis.ifelse(rows["mean"].isnull(), 0.0, good_s),
        low=ibis.coalesce(rows["min"], rows["mean"]),
        high=ibis.coalesce(rows["max"], rows["mean"]),
    )
    grouped = timed.group_by("hour_ns", "equipment", "quantity").aggregate(
        mean=timed.weighted.sum() / timed.mean_s.sum().nullif(0.0),
        min=timed.low.min(),
        max=timed.high.max(),
        inc=timed.inc.sum(),
        share=timed.good_s.sum() / 3600.0,
        windows=timed.count(),
    )
    return grouped.order_by("equipment", "quantity", "hour_ns")


def _nanoseconds(column: Any) -> list[Any]:
    """Timestamps of an Arrow column as ns, None where null."""
    return [None if us is None else us * 1000 for us in column.cast("int64").to_pylist()]


def _arrow(rows: Any, columns: Sequence[str]) -> Table:
    return rows.select(*columns).to_pyarrow()


def _empty() -> Table:
    import pyarrow as pa

    texts = {"equipment", "quantity", "q", "raw", "gateway", "log"}
    whole = {"ts_ns", "period_s", "n", "seq"}
    return pa.table(
        {
            name: pa.array(
                [],
                pa.string() if name in texts else pa.int64() if name in whole else pa.float64(),
            )
            for name in COLUMNS
        }
    )
