"""Reading InfluxDB 1.x, 2.x or 3.x by InfluxQL over ``/query``, the one language all share."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute
import urllib3

from drivers.model import Equipment
from drivers.secret import read_secret
from drivers.tls import refusal_of
from reports.periods import Period
from reports.series.duck import connect
from reports.series.influx_answers import Rows, lines_of, rows_of
from reports.series.lake import AT_HAND, hours_of
from reports.series.minutes import Filling, MinuteGrid, Written
from reports.series.pot_days import QUANTITIES, days_of, no_days
from reports.series.retimed import EDGE_US, Retiming
from reports.series.store import (
    DAY_NS,
    SECOND_NS,
    EventRecord,
    SeriesError,
    Table,
    TimeOn,
    Windows,
    windows_of,
)
from reports.site import Influx, Meter

PERIODS: Final = {"1m": 60, "1h": 3600, "1d": 86400}  # endings of window measurements
DAY: Final = timedelta(days=1)
CHUNK_ROWS: Final = 10_000
EVENT_DAYS: Final = 31
HISTORIAN: Final = "historian"  # a gateway name of its own, for events; it has no windows
_MEASURED: Final = {  # field of the measurement `event` -> of EventRecord
    "peak_v": "peak",
    "mean_v": "mean",
    "overvoltage_vs": "integral",
    "gap_s": "gap",
}
_FIELDS: Final = {
    "mean": "",
    "min": "_min",
    "max": "_max",
    "last": "_last",
    "inc": "_inc",
    "n": "_n",
    "good": "_good",
    "q": "_q",
    "raw": "_raw",
}
_SAFE = re.compile(r"[A-Za-z0-9_-]+")


class InfluxSeries:
    """
    One database; see ``Series``.

    Asks one plant day at a time: InfluxDB 3 Core refuses long ranges, and an answer stays small.
    Month bounds are ours, InfluxQL knows no months.
    """

    def __init__(self, plant: str, config: Influx) -> None:
        self._plant = plant
        self._config = config
        self._known: list[Retiming] | None = None
        try:
            context = config.tls_context()
        except OSError as error:
            raise SeriesError(f"{config.url}: {error}") from None
        limits = urllib3.Timeout(connect=5.0, read=config.timeout_s)
        self._http = urllib3.PoolManager(timeout=limits, retries=False, ssl_context=context)

    @property
    def name(self) -> str:
        return "influxdb"

    def windows(
        self, meter: Meter, start_ns: int, end_ns: int, period_s: int | None = None
    ) -> Windows:
        rows = self._rows(meter, start_ns, end_ns)
        wanted = [row for row in rows if period_s in {None, row["period_s"]}]
        return windows_of(meter, _table(wanted))

    def hourly(self, points: Sequence[Meter], period: Period) -> Table:
        rows = [row for p in points for row in self._rows(p, period.start_ns, period.end_ns)]
        return hours_of(_table(rows))

    def minutes(self, points: Sequence[Meter], period: Period) -> MinuteGrid:
        filling, counts = Filling(points, period), Counter[Meter]()
        for mine in _by_measurement(points):
            for day in period.days:
                rows = list(self._minute_rows(mine, Period(day, day + DAY)))
                if rows:
                    counts.update(row[1] for row in rows)
                    filling.lay(_grid_table(rows, points, period.start_ns))
        return filling.grid([Written(point, "", "", 0, 0, 0, n) for point, n in counts.items()])

    def _minute_rows(self, points: Sequence[Meter], day: Period) -> Iterator[tuple[Any, ...]]:
        """``time ns, point, mean, good, reason, period`` of one day of points of one series."""
        measurement = points[0].quantity.partition(".")[0]
        names = [point.quantity.partition(".")[2] for point in points]
        columns = ",".join(f'"{name}","{name}_n","{name}_good","{name}_q"' for name in names)
        where = self._where(points[0].equipment)
        for ending, period_s in PERIODS.items():
            asked = columns, f"{measurement}_{ending}", where
            for row in self._timed(*asked, day.start_ns, day.end_ns):
                for point, name in zip(points, names, strict=True):
                    if row.get(f"{name}_n") is not None:
                        good = row.get(f"{name}_good")
                        share = 1.0 if good is None else good
                        reason = row.get(f"{name}_q")
                        yield row["time"], point, row.get(name), share, reason, period_s

    def time_on(self, quantity: str, period: Period) -> list[TimeOn]:
        return [found for day in period.days for found in self._times_on(quantity, day)]

    def pot_days(self, period: Period) -> Table:
        found = [no_days()]
        for day in period.days:
            rows = self._pot_windows(day)
            if rows:
                windows = _table(rows)
                ts = pa.compute.divide(windows["ts_ns"], 1000).cast(pa.timestamp("us", "UTC"))
                with connect() as duck:
                    duck.register("windows", windows.append_column("ts", ts))
                    found.append(days_of(duck))
        return pa.concat_tables(found).sort_by([("day", "ascending"), ("equipment", "ascending")])

    def _pot_windows(self, day: date) -> Rows:
        span = Period(day, day + timedelta(days=1))
        names = [quantity.partition(".")[2] for quantity in QUANTITIES]
        columns = ",".join(f'"{name}{ending}"' for name in names for ending in _FIELDS.values())
        found: Rows = []
        for ending, period_s in PERIODS.items():
            asked = columns, f"pot_{ending}", self._of_plant(), span.start_ns, span.end_ns
            for answer in self._timed(*asked, each_unit=True):
                for quantity, name in zip(QUANTITIES, names, strict=True):
                    row = {field: answer.get(f"{name}{end}") for field, end in _FIELDS.items()}
                    if row["n"] is not None:
                        meter = Meter(f"{answer['line']}/{answer['unit']}", quantity)
                        found.append(_filled(row, meter, answer["time"], period_s))
        return found

    def _times_on(self, quantity: str, day: date) -> list[TimeOn]:
        measurement, _, field = quantity.partition(".")
        columns = f'"{field}","{field}_good"'
        span = Period(day, day + timedelta(days=1))
        on_s: dict[str, float] = {}
        good_s: dict[str, float] = {}
        for ending, period_s in PERIODS.items():
            asked = columns, f"{measurement}_{ending}", self._of_plant()
            for row in self._timed(*asked, span.start_ns, span.end_ns, each_unit=True):
                if row.get(field) is None:
                    continue
                name = f"{row['line']}/{row['unit']}"
                good = row.get(f"{field}_good")
                known_s = period_s * (1.0 if good is None else good)
                on_s[name] = on_s.get(name, 0.0) + row[field] * known_s
                good_s[name] = good_s.get(name, 0.0) + known_s
        return [TimeOn(day, name, on_s[name], good_s[name]) for name in sorted(on_s)]

    def events(self, equipment: str, period: Period) -> list[EventRecord]:
        first_ns = period.start_ns - EVENT_DAYS * DAY_NS
        return [
            record
            for record in self._events(self._where(equipment), first_ns, period.end_ns)
            if record.end_ns is None or record.end_ns >= period.start_ns
        ]

    def happened(self, kind: str, period: Period) -> list[EventRecord]:
        found: list[EventRecord] = []
        for day in period.days:
            span = Period(day, day + timedelta(days=1))
            where = f"{self._of_plant()} AND \"kind\"='{kind}'"
            found += self._events(where, span.start_ns, span.end_ns)
        return sorted(found, key=lambda record: (record.start_ns, record.equipment))

    def _events(self, where: str, start_ns: int, end_ns: int) -> list[EventRecord]:
        """Each event once; the later row of one says when it ended."""
        columns = '"id","text","end","amount","kind","line","unit"' + "".join(
            f',"{field}"' for field in _MEASURED
        )
        found: dict[str, EventRecord] = {}
        for row in self._timed(columns, "event", where, start_ns, end_ns):
            end = row.get("end")
            found[row["id"]] = EventRecord(
                kind=row["kind"],
                equipment=f"{row.get('line')}/{row.get('unit')}",
                start_ns=row["time"],
                end_ns=None if end is None else int(end),
                id=row["id"],
                text=row.get("text") or "",
                amount=row.get("amount"),
                **{name: row.get(field) for field, name in _MEASURED.items()},
            )
        return list(found.values())

    def _rows(self, meter: Meter, start_ns: int, end_ns: int) -> Iterator[dict[str, Any]]:
        measurement, _, field = meter.quantity.partition(".")
        columns = ",".join(f'"{field}{ending}"' for ending in _FIELDS.values())
        for ending, period_s in PERIODS.items():
            for begin_ns in range(start_ns, end_ns, DAY_NS):
                asked = columns, f"{measurement}_{ending}", self._where(meter.equipment)
                after_ns = min(begin_ns + DAY_NS, end_ns)
                for answer in self._timed(*asked, begin_ns, after_ns):
                    row = {name: answer.get(f"{field}{end}") for name, end in _FIELDS.items()}
                    if row["n"] is not None:  # windows of other quantities share the series
                        yield _filled(row, meter, answer["time"], period_s)

    def _where(self, equipment: str) -> str:
        place = Equipment.parse(equipment)
        return f"{self._of_plant()} AND \"line\"='{place.line}' AND \"unit\"='{place.unit}'"

    where = _where

    def ask(self, query: str) -> Rows:
        """Rows of the answer to a query that only reads, as ``column -> value``."""
        return self._ask(query)

    def rows_of_plant(self, columns: str, measurement: str, more: str) -> Rows:
        """Of the plant, at the stamps they were written with."""
        return self._ask(_select(columns, measurement, f"{self._of_plant()} {more}"))

    def _of_plant(self) -> str:
        return f"WHERE \"plant\"='{self._safe_plant()}'"

    # true time

    def retimed(self, period: Period) -> list[Retiming]:
        return [each for each in self._moves() if each.touches(period.start_ns, period.end_ns)]

    def _moves(self) -> list[Retiming]:
        """Stretches that an unsynced gateway stamped; asked for once."""
        if self._known is None:
            columns = '"end","shift","shift_end"'
            grouped = f'{self._of_plant()} GROUP BY "gateway"'
            rows = self._ask(_select(columns, "retimed", grouped))
            self._known = [self._retiming(row) for row in rows]
        return self._known

    def _retiming(self, row: dict[str, Any]) -> Retiming:
        start, end, shift, shift_end = (
            int(row[name]) // 1000 for name in ("time", "end", "shift", "shift_end")
        )
        found = Retiming(start, end, shift, shift_end, row["gateway"], log="", seq=0)
        return replace(found, applied=self._alone(found))

    def _alone(self, stretch: Retiming) -> bool:
        """Nobody else wrote while it lasted, so every row that is stamped so is its own."""
        begin_ns, after_ns = (stretch.start_us - EDGE_US) * 1000, stretch.end_us * 1000 + 1
        span = f"AND time >= {begin_ns} AND time < {after_ns + EDGE_US * 1000}"
        where = f'{self._of_plant()} {span} GROUP BY "gateway"'
        rows = self._ask(_select('last("seq") AS "seq"', "batch", where))
        return {row["gateway"] for row in rows} <= {stretch.gateway, HISTORIAN}

    def _timed(
        self,
        columns: str,
        measurement: str,
        where: str,
        start_ns: int,
        end_ns: int,
        *,
        each_unit: bool = False,
    ) -> Rows:
        """Rows of true time [start, end): those of unsynced stretches moved, here only."""

        def asked(first_ns: int, after_ns: int) -> Rows:
            span = f"{where} AND time >= {first_ns} AND time < {after_ns}"
            span += ' GROUP BY "line","unit"' if each_unit else ""
            return self._ask(_select(columns, measurement, span))

        moves = [each for each in self._moves() if each.applied]
        rows = asked(start_ns, end_ns)
        if not moves:
            return rows
        found = [row for row in rows if not any(each.claims(row["time"]) for each in moves)]
        for each in moves:
            if each.touches(start_ns, end_ns):
                for row in asked((each.start_us - EDGE_US) * 1000 + 1, each.end_us * 1000 + 1):
                    row["time"] = _whole_second(each.moved(row["time"]))
                    if row.get("end") is not None and each.claims(int(row["end"])):
                        row["end"] = each.moved(int(row["end"]))
                    if start_ns <= row["time"] < end_ns:
                        found.append(row)
        return found

    def _safe_plant(self) -> str:
        if not _SAFE.fullmatch(self._plant):
            raise SeriesError(f"plant {self._plant!r} cannot be asked for")
        return self._plant

    def _ask(self, query: str) -> Rows:
        """Rows of the answer as ``column -> value``, ``time`` in ns. Raises SeriesError."""
        config = self._config
        fields = {
            "db": config.database,
            "q": query,
            "epoch": "ns",
            "chunked": "true",
            "chunk_size": str(CHUNK_ROWS),
        }
        if config.retention_policy:
            fields["rp"] = config.retention_policy
        try:
            response = self._http.request(
                "GET",
                f"{config.url.rstrip('/')}/query",
                fields=fields,
                headers=self._headers(),
                preload_content=False,
            )
        except urllib3.exceptions.HTTPError as error:
            refusal = refusal_of(error, config.url, f"TLS ≥ {config.tls_min}")
            raise SeriesError(str(refusal or f"{config.url}: {error}")) from error
        try:
            if response.status != 200:
                text = response.read(500).decode("utf-8", "replace").strip()
                raise SeriesError(f"{config.url}: HTTP {response.status}: {text}")
            return [row for line in lines_of(response) for row in rows_of(config.url, line)]
        except urllib3.exceptions.HTTPError as error:
            raise SeriesError(f"{config.url}: answer broke off: {error}") from None
        finally:
            response.release_conn()

    def _headers(self) -> dict[str, str]:
        config = self._config
        if config.token_file is not None:
            return {"Authorization": f"Token {read_secret(config.token_file)}"}
        if config.username:
            secret = read_secret(config.password_file) if config.password_file else ""
            return urllib3.make_headers(basic_auth=f"{config.username}:{secret}")
        return {}


def _by_measurement(points: Sequence[Meter]) -> list[list[Meter]]:
    """Points that one query can ask for."""
    found: dict[tuple[str, str], list[Meter]] = {}
    for point in points:
        found.setdefault((point.equipment, point.quantity.partition(".")[0]), []).append(point)
    return list(found.values())


def _grid_table(rows: Sequence[tuple[Any, ...]], points: Sequence[Meter], origin_ns: int) -> Table:
    number = {point: n for n, point in enumerate(points)}
    times, point, mean, good, reason, period_s = zip(*rows, strict=True)
    return pa.record_batch(
        {
            "point": pa.array([number[each] for each in point], pa.int64()),
            "second": pa.array([(time - origin_ns) // SECOND_NS for time in times], pa.int64()),
            "mean": pa.array(mean, pa.float64()),
            "good": pa.array(good, pa.float64()),
            "q": pa.array(reason, pa.string()),
            "period_s": pa.array(period_s, pa.int64()),
            "seq": pa.array([0] * len(rows), pa.int64()),
        }
    )


def _select(columns: str, measurement: str, where: str) -> str:
    return " ".join(("SELECT", columns, "FROM", f'"{measurement}"', where))


def _whole_second(ns: int) -> int:
    """Windows of the lake start at whole seconds too."""
    return ns - ns % SECOND_NS


def _filled(row: dict[str, Any], meter: Meter, time_ns: int, period_s: int) -> dict[str, Any]:
    """Fields that the wire leaves out when they say nothing new, put back."""
    row["good"] = 1.0 if row["good"] is None else row["good"]
    for name in ("min", "max"):
        row[name] = row["mean"] if row[name] is None else row[name]
    return row | {
        "ts_ns": time_ns,
        "period_s": period_s,
        "equipment": meter.equipment,
        "quantity": meter.quantity,
        "gateway": None,
        "log": None,
        "seq": 0,
    }


def _table(rows: Rows) -> Table:
    kinds = {"string": pa.string(), "int64": pa.int64(), "float64": pa.float64()}
    return pa.table(
        {name: pa.array([row[name] for row in rows], kinds[kind]) for name, kind in AT_HAND.items()}
    )
