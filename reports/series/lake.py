"""Reading the lake: Parquet by plant and day, through Ibis on DuckDB, only what is asked for."""

import fcntl
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

import ibis

from drivers.language import say
from reports.periods import PLANT_TIME, Period
from reports.series.duck import Duck, connect, run, run_in_order
from reports.series.minutes import COLUMNS as GRID
from reports.series.minutes import Filling, MinuteGrid, Written, joined
from reports.series.pot_days import days_at_once, days_of, no_days
from reports.series.retimed import Retiming, in_true_time, paths_beyond, retimings
from reports.series.samples import no_samples, samples_between
from reports.series.store import (
    COLUMNS,
    DAY_NS,
    SECOND_NS,
    EventRecord,
    SeriesError,
    Table,
    TimeOn,
    Windows,
    windows_of,
)
from reports.site import Meter

AT_ONCE: Final = 24_000_000  # bytes of Parquet in one query: a day of minutes, months of hours
HOUR_NS: Final = 3_600_000_000_000
PLANT_NS: Final = 8 * HOUR_NS  # plant time is that much ahead of UTC
_EPOCH: Final = date(1970, 1, 1)
HOURS_BY: Final = ("equipment", "quantity", "hour_ns")
_TEXTS: Final = ("equipment", "quantity", "q", "raw", "gateway", "log")
_INTS: Final = ("ts_ns", "period_s", "n", "seq")
AT_HAND: Final = {
    name: "string" if name in _TEXTS else "int64" if name in _INTS else "float64"
    for name in COLUMNS
}
WINDOWS: Final = {"ts": "timestamp('UTC')"} | {k: v for k, v in AT_HAND.items() if k != "ts_ns"}
MEASURED: Final = ("peak", "mean", "integral", "gap")  # not in the oldest files
EVENTS: Final = {
    "ts": "timestamp('UTC')",
    "end": "timestamp('UTC')",
    **dict.fromkeys(("kind", "equipment", "id", "text", "gateway", "log"), "string"),
    "amount": "float64",
    **dict.fromkeys(MEASURED, "float64"),
    "seq": "int64",
}
WRITTEN: Final = ("point", "gateway", "log", "first_seq", "last_seq", "batches", "windows")
POINTS: Final = {
    **dict.fromkeys(("equipment", "quantity"), "string"),
    **dict.fromkeys(("point", "origin", "first", "after"), "int64"),
}
AT_A_TIME: Final = 200_000  # rows of a stream
EVENT_DAYS: Final = 31  # an event is filed under the day it began; longer ones are written again


@contextmanager
def open_lake(plant: str, root: Path) -> Iterator["LakeSeries"]:
    """The lake at ``root``, its files kept where they are while open. Raises SeriesError: none."""
    if not root.is_dir():
        raise SeriesError(
            say(
                f"还没有收到过数据（没有数据湖 {root}）；请工程师检查 "
                "site.toml 的 lake，或启动历史库",
                f"nothing was ever received: no lake there ({root}); check `lake` in site.toml, "
                "or start a historian",
            )
        )
    guard = root / ".reading"
    with ExitStack() as stack:
        if guard.exists():  # a copied lake has none, and nobody merges in it
            reading = stack.enter_context(guard.open("r"))
            fcntl.flock(reading, fcntl.LOCK_SH)  # small files are not merged away under our feet
        yield LakeSeries(plant, root, stack.enter_context(connect()))


class LakeSeries:
    """One opened lake; see ``Series``."""

    def __init__(self, plant: str, root: Path, duck: Duck) -> None:
        self._plant = plant
        self._root = root
        self._duck = duck
        self._pot_days: tuple[Period, Table] | None = None  # a report asks for the same twice
        self._retimings = retimings(duck, root, plant)

    @property
    def name(self) -> str:
        return "lake"

    def windows(
        self, meter: Meter, start_ns: int, end_ns: int, period_s: int | None = None
    ) -> Windows:
        if not self._view("windows", start_ns, end_ns):
            return windows_of(meter, no_windows())
        rows = chosen([meter], start_ns, end_ns)
        if period_s is not None:
            rows = rows.filter(rows.period_s == period_s)
        return windows_of(meter, run(self._duck, rows.select(*COLUMNS)))

    def hourly(self, points: Sequence[Meter], period: Period) -> Table:
        import pyarrow as pa

        found = [no_hours()]
        for start_ns, after_ns in self._stretches(period):
            if self._view("windows", start_ns, after_ns):
                rows = chosen(points, start_ns, after_ns)
                found.append(run_in_order(self._duck, hours(rows)))
        return pa.concat_tables(found).sort_by([(name, "ascending") for name in HOURS_BY])

    def minutes(self, points: Sequence[Meter], period: Period) -> MinuteGrid:
        filling, written = Filling(points, period), []
        for start_ns, after_ns in self._stretches(period):
            if self._view("windows", start_ns, after_ns):
                self._duck.register("points", named(points, (period.start_ns, start_ns, after_ns)))
                for part in self._duck.sql(minute_rows()).to_arrow_reader(AT_A_TIME):
                    filling.lay(part)
                found = self._duck.sql(written_by()).to_arrow_table()
                columns = (found[name].to_pylist() for name in WRITTEN)
                written += [Written(points[at], *rest) for at, *rest in zip(*columns, strict=True)]
        return filling.grid(joined(written))

    def time_on(self, quantity: str, period: Period) -> list[TimeOn]:
        found = []
        for start_ns, after_ns in self._stretches(period):
            if self._view("windows", start_ns, after_ns):
                rows = run_in_order(self._duck, times_on(quantity, start_ns, after_ns))
                days = [_EPOCH + timedelta(days=n) for n in rows["day"].to_pylist()]
                columns = (rows[name].to_pylist() for name in ("equipment", "on_s", "good_s"))
                found += list(map(TimeOn, days, *columns))
        return found

    def events(self, equipment: str, period: Period) -> list[EventRecord]:
        first = datetime.fromtimestamp(period.start_ns // 10**9, UTC) - timedelta(days=EVENT_DAYS)
        if not self._view("events", int(first.timestamp()) * SECOND_NS, period.end_ns):
            return []
        table = ibis.table(EVENTS, name="events")
        return sorted(
            (
                record
                for record in self._newest(table.filter(table.equipment == equipment))
                if record.start_ns < period.end_ns
                and (record.end_ns is None or record.end_ns >= period.start_ns)
            ),
            key=lambda record: record.start_ns,
        )

    def pot_days(self, period: Period) -> Table:
        import pyarrow as pa

        if self._pot_days is not None and self._pot_days[0] == period:
            return self._pot_days[1]
        found, start_ns = [no_days()], period.start_ns
        while start_ns < period.end_ns:  # as many days at once as memory allows
            days = days_at_once(self._windows_on(start_ns))
            after_ns = min(start_ns + days * DAY_NS, period.end_ns)
            if self._view("windows", start_ns, after_ns):
                found.append(days_of(self._duck))
            start_ns = after_ns
        order = [("day", "ascending"), ("equipment", "ascending")]
        self._pot_days = period, pa.concat_tables(found).sort_by(order)
        return self._pot_days[1]

    def happened(self, kind: str, period: Period) -> list[EventRecord]:
        if not self._view("events", period.start_ns, period.end_ns):
            return []
        table = ibis.table(EVENTS, name="events")
        found = self._newest(table.filter(table.kind == kind))
        inside = [x for x in found if period.start_ns <= x.start_ns < period.end_ns]
        return sorted(inside, key=lambda record: (record.start_ns, record.equipment or ""))

    def retimed(self, period: Period) -> list[Retiming]:
        return [each for each in self._retimings if each.touches(period.start_ns, period.end_ns)]

    def samples(self, meter: Meter, start_ns: int, end_ns: int) -> Table:
        """Raw samples of a point in [start_ns, end_ns), in order; columns: samples.SAMPLES."""
        if not self._view("raw", start_ns, end_ns):
            return no_samples()
        return run(self._duck, samples_between(meter, start_ns, end_ns))

    def reading(self, table: str, start_ns: int, end_ns: int) -> Duck | None:
        """DuckDB with the rows of these whole plant days as view ``table``; None: no files."""
        return self._duck if self._view(table, start_ns, end_ns) else None

    def _newest(self, rows: Any) -> list[EventRecord]:
        """Each event once: its newest row; of one batch the row that says most comes last."""
        table = run(self._duck, rows.order_by(["seq", rows.end.notnull(), rows.amount]))
        records = map(
            EventRecord,
            *(table[name].to_pylist() for name in ("kind", "equipment")),
            _nanoseconds(table["ts"]),
            _nanoseconds(table["end"]),
            *(table[name].to_pylist() for name in ("id", "text", "amount", *MEASURED)),
        )
        return list({record.id: record for record in records}.values())

    def _stretches(self, period: Period) -> Iterator[tuple[int, int]]:
        """The period in stretches of whole days, as many at once as their files are small."""
        start_ns, size = period.start_ns, 0
        for at_ns in range(period.start_ns, period.end_ns, DAY_NS):
            more = sum(
                Path(path).stat().st_size for path in self._paths("windows", at_ns, at_ns + 1)
            )
            if size and size + more > AT_ONCE:
                yield start_ns, at_ns
                start_ns, size = at_ns, 0
            size += more
        yield start_ns, period.end_ns

    def _windows_on(self, start_ns: int) -> int:
        """Windows of one plant day."""
        if not self._view("windows", start_ns, start_ns + DAY_NS):
            return 0
        return int(self._duck.sql("SELECT count(*) FROM windows").fetchall()[0][0])

    def _view(self, table: str, start_ns: int, end_ns: int) -> bool:
        """Make the files of these days readable as ``table``; False when there are none."""
        files, days = set(self._paths(table, start_ns, end_ns)), (start_ns, end_ns)
        files |= paths_beyond(self._retimings, table, self._paths, days)
        if not files:
            return False
        grew = table == "events"  # older files lack its newer columns
        found = self._duck.read_parquet(sorted(files), union_by_name=grew)
        lacking = [name for name in MEASURED if grew and name not in found.columns]
        if lacking:
            empty = ", ".join(f"CAST(NULL AS DOUBLE) AS {name}" for name in lacking)
            found = found.project(f"*, {empty}")
        if self._retimings:
            found = in_true_time(found, self._retimings, table, days)
        found.create_view(table, replace=True)
        return True

    def _paths(self, table: str, start_ns: int, end_ns: int) -> list[str]:
        first = datetime.fromtimestamp(start_ns // 10**9, PLANT_TIME).date()
        last = datetime.fromtimestamp((end_ns - 1) // 10**9, PLANT_TIME).date()
        folder = self._root / table / f"plant={self._plant}"
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        return [str(path) for day in days for path in sorted(folder.glob(f"day={day}/*.parquet"))]


def chosen(points: Sequence[Meter], start_ns: int, end_ns: int) -> Any:
    """Windows of some points that start in [start_ns, end_ns), as an expression."""
    table = ibis.table(WINDOWS, name="windows")
    wanted = [
        (table.equipment == point.equipment) & (table.quantity == point.quantity)
        for point in points
    ]
    mine = table.filter(ibis.or_(*wanted))
    named = mine.mutate(ts_ns=mine.ts.epoch_seconds().cast("int64") * SECOND_NS)
    return named.filter((named.ts_ns >= start_ns) & (named.ts_ns < end_ns))


def named(points: Sequence[Meter], bounds_ns: tuple[int, int, int]) -> Table:
    """
    Points by number, to join with: cheaper than their names in every row.

    ``bounds_ns`` (start of the grid, first and after of the stretch) stand beside them, so that the
    query is the same text each time.
    """
    import pyarrow as pa

    named: dict[str, Any] = {
        "equipment": pa.array([point.equipment for point in points], pa.string()),
        "quantity": pa.array([point.quantity for point in points], pa.string()),
        "point": pa.array(range(len(points)), pa.int64()),
    }
    for name, bound_ns in zip(("origin", "first", "after"), bounds_ns, strict=True):
        named[name] = pa.array([bound_ns // SECOND_NS] * len(points), pa.int64())
    return pa.table(named)


def _numbered() -> Any:
    """Windows of the table ``points``, in its stretch of time, as an expression."""
    wanted = ibis.table(POINTS, name="points")
    table = ibis.table(WINDOWS, name="windows").inner_join(wanted, ["equipment", "quantity"])
    timed = table.mutate(second=table.ts.epoch_seconds().cast("int64"))
    return timed.filter((timed.second >= timed["first"]) & (timed.second < timed.after))


@cache
def minute_rows() -> str:
    """SQL of the windows for a grid."""
    rows = _numbered()
    wanted = rows.mutate(second=rows.second - rows.origin).select(*GRID)
    return str(ibis.to_sql(wanted, dialect="duckdb"))


@cache
def written_by() -> str:
    """SQL of the batches that hold the windows of each point."""
    rows = _numbered()
    by = ("point", "gateway", "log")
    found = rows.group_by(*by).aggregate(
        first_seq=rows.seq.min(),
        last_seq=rows.seq.max(),
        batches=rows.seq.nunique(),
        windows=rows.count(),
    )
    return str(ibis.to_sql(found.order_by(*by), dialect="duckdb"))


def hours(rows: Any) -> Any:
    """
    Hours from windows, as an expression: works on any Ibis backend.

    One row per window start (the later batch counts). ``mean`` is weighted by good time, ``share``
    is the good share of the hour; an hour without any window has no row.
    """
    key = ibis.window(group_by=["equipment", "quantity", "ts_ns"], order_by=ibis.desc("seq"))
    rows = rows.mutate(rank=ibis.row_number().over(key))
    rows = rows.filter(rows["rank"] == 0)
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
    return grouped.order_by(*HOURS_BY)


def times_on(quantity: str, start_ns: int, end_ns: int) -> Any:
    """
    Per plant day and equipment the seconds a flag was set and was known, as an expression.

    The mean of a flag's window is the share of its good time in which it was set. A window that is
    there twice counts once, by its later batch.
    """
    table = ibis.table(WINDOWS, name="windows")
    mine = table.filter(table.quantity == quantity)
    named = mine.mutate(ts_ns=mine.ts.epoch_seconds().cast("int64") * SECOND_NS)
    named = named.mutate(day=((named.ts_ns + PLANT_NS) // DAY_NS).cast("int64"))
    inside = named.filter((named.ts_ns >= start_ns) & (named.ts_ns < end_ns))
    timed = inside.mutate(
        known_s=ibis.ifelse(inside["mean"].isnull(), 0.0, inside.good * inside.period_s)
    )
    timed = timed.mutate(set_s=ibis.coalesce(timed["mean"], 0.0) * timed.known_s)
    once = timed.group_by("day", "equipment", "ts_ns").aggregate(
        set_s=timed.set_s.argmax(timed.seq), known_s=timed.known_s.argmax(timed.seq)
    )
    summed = once.group_by("day", "equipment").aggregate(
        on_s=once.set_s.sum(), good_s=once.known_s.sum()
    )
    return summed.order_by("day", "equipment")


def hours_of(windows: Table) -> Table:
    """Hours of windows that are at hand (COLUMNS)."""
    with connect() as duck:
        duck.register("windows", windows)
        return run_in_order(duck, hours(ibis.table(AT_HAND, name="windows")))


@cache
def no_hours() -> Table:
    """A table of hours without rows."""
    return hours_of(no_windows())


def no_windows() -> Table:
    """A table of windows without rows."""
    import pyarrow as pa

    kinds = {"string": pa.string(), "int64": pa.int64(), "float64": pa.float64()}
    return pa.table({name: pa.array([], kinds[kind]) for name, kind in AT_HAND.items()})


def _nanoseconds(column: Any) -> list[Any]:
    """Timestamps of an Arrow column as ns, None where null."""
    return [None if us is None else us * 1000 for us in column.cast("int64").to_pylist()]
