"""
The hourly layer: hours of closed plant days, summed up once, so that a year is read in a moment.

A folder of Parquet files that nothing depends on: ``<day>.parquet``, merged into
``<month>.parquet`` once every day of a past month is there, and ``index.json``, which says for each
day in which file it is and of which files of the lake it was made (names, sizes, times of change,
retimings). When these differ, the day is stale: it is not read, and made again. Deleting the folder
costs time only.

Rows are sorted by point and hour, so that the hours of one point lie in few row groups.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

from reports.series.duck import Duck
from reports.series.store import Table
from reports.site import Meter

FORM: Final = 1  # of the files; another one is made anew
GROUP_ROWS: Final = 32_768
INDEX: Final = "index.json"
COLUMNS: Final = (
    *("equipment", "quantity", "hour", "low", "high", "mean", "mean_s", "inc", "good_s"),
    *("span_s", "windows", "reason"),
)
ORDER: Final = "equipment, quantity, hour"
PLANT_HOURS: Final = 8
_DAY_ZERO: Final = date(1970, 1, 1)

# One pass over the windows of a day. `whole`: every window of the hour is there once and of the
# same length; the others are summed up again, each window once, of the shortest length only.
_SUMS: Final = """
SELECT equipment, quantity, CAST(epoch_us(ts) // 3600000000 AS INTEGER) AS hour,
  min(coalesce("min", mean)) AS low, max(coalesce("max", mean)) AS high,
  sum(mean * good * period_s)
    / nullif(sum(CASE WHEN mean IS NULL THEN 0 ELSE good * period_s END), 0) AS mean,
  sum(CASE WHEN mean IS NULL THEN 0 ELSE good * period_s END) AS mean_s,
  sum(inc) AS inc, sum(good * period_s) AS good_s, CAST(sum(period_s) AS DOUBLE) AS span_s,
  CAST(count(*) AS INTEGER) AS windows, mode(q) AS reason{more}
FROM {rows} GROUP BY 1, 2, 3
"""
_WHOLE: Final = """,
  min(period_s) = max(period_s)
  AND bit_count(bit_or(1::BIGINT << CAST(epoch_us(ts) // 60000000 % 60 AS INTEGER))) = count(*)
  AS whole"""
_ONCE: Final = """(
  SELECT * FROM windows SEMI JOIN doubtful ON windows.equipment = doubtful.equipment
    AND windows.quantity = doubtful.quantity
    AND epoch_us(ts) // 3600000000 = doubtful.hour
  WHERE windows.equipment >= ? AND windows.equipment <= ?
  QUALIFY period_s = min(period_s) OVER (
      PARTITION BY equipment, quantity, epoch_us(ts) // 3600000000)
    AND row_number() OVER (
      PARTITION BY equipment, quantity, ts, period_s ORDER BY seq DESC) = 1
)"""
_AT_ONCE: Final = 250_000  # rows that are ranked or sorted in one go

Days = Mapping[date, str]  # plant day of the lake -> mark of what its files are


@dataclass(slots=True)
class _Index:
    """What ``index.json`` says: of each day its mark and the file that has it; points, days."""

    lake: str
    days: dict[str, tuple[str, str]] = field(default_factory=dict)
    points: dict[str, tuple[str, str]] = field(default_factory=dict)  # first and last day


@dataclass(frozen=True, slots=True)
class Progress:
    """How many closed days the lake has, and how many of them are in the layer as they are."""

    days: int
    ready: int

    @property
    def left(self) -> int:
        return self.days - self.ready


class GoneError(Exception):
    """A file of the layer went while it was read."""


class Layer:
    """The folder of one plant's lake; reading needs no lock, building takes one."""

    def __init__(self, folder: Path, lake: Path) -> None:
        self.folder = folder
        self._lake = str(lake.resolve())
        self._index = self._read()

    @property
    def points(self) -> dict[str, tuple[date, date]]:
        """``equipment quantity`` of all days that were ever summed up: first and last day."""
        spans = self._index.points.items()
        return {each: (date.fromisoformat(a), date.fromisoformat(b)) for each, (a, b) in spans}

    def fresh(self, days: Days) -> set[date]:
        """Those days that are here as the lake has them."""
        known = self._index.days
        return {day for day, mark in days.items() if known.get(str(day), ("",))[0] == mark}

    def hours(
        self, duck: Duck, point: Meter, first: date, after: date, fresh: set[date]
    ) -> Table | None:
        """
        Hours of one point on the fresh days of [first, after), in order: COLUMNS; None: no file.

        Raises GoneError when a merge has just taken a file away: read the layer anew then.
        """
        wanted: dict[str, list[int]] = {}
        for day in fresh:
            if first <= day < after:
                file = self._index.days[str(day)][1]
                wanted.setdefault(file, []).append((day - _DAY_ZERO).days)
        if not wanted:
            return None
        parts = []
        for file, numbers in sorted(wanted.items()):
            low, high = min(numbers), max(numbers)
            chosen = f"hour >= {24 * low - PLANT_HOURS} AND hour < {24 * high + 24 - PLANT_HOURS}"
            if len(numbers) < high - low + 1:
                listed = ", ".join(map(str, numbers))
                chosen += f" AND (hour + {PLANT_HOURS}) // 24 IN ({listed})"
            source = _quoted(str(self.folder / file))
            mine = f"equipment = {_quoted(point.equipment)} AND quantity = "
            mine += f"{_quoted(point.quantity)} AND {chosen}"
            names = ", ".join(COLUMNS)
            parts.append(f"SELECT {names} FROM read_parquet({source}) WHERE {mine}")  # noqa: S608
        try:
            return duck.sql(" UNION ALL ".join(parts) + " ORDER BY hour").to_arrow_table()
        except Exception as error:
            if type(error).__name__ == "IOException":  # duckdb's; it is heavy to import
                raise GoneError from error
            raise

    @contextmanager
    def building(self) -> Iterator[bool]:
        """False: another process builds here."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / ".building").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            self._index = self._read()
            yield True

    def add_day(self, duck: Duck | None, day: date, mark: str) -> None:
        """Sum up one day from the view ``windows`` of its rows; None: it has none any more."""
        file = f"{day}.parquet"
        if duck is None:
            self._index.days[str(day)] = (mark, "")
            self._write()
            return
        _sum_up(duck)
        self._put(duck, "SELECT * FROM hours", file)
        found = duck.sql("SELECT DISTINCT equipment, quantity FROM hours").fetchall()
        for equipment, quantity in found:
            name = f"{equipment} {quantity}"
            first, last = self._index.points.get(name, (str(day), str(day)))
            self._index.points[name] = (min(first, str(day)), max(last, str(day)))
        duck.execute("DROP TABLE hours")
        self._index.days[str(day)] = (mark, file)
        self._write()

    def forget(self, days: Days) -> None:
        """Days that the lake no longer has."""
        gone = [day for day in self._index.days if date.fromisoformat(day) not in days]
        for day in gone:
            del self._index.days[day]
        if gone:
            self._write()
            self._sweep()

    def merge(self, duck: Duck, days: Days, today: date) -> bool:
        """One past month whose days are all fresh and in several files; False: none is left."""
        fresh = self.fresh(days)
        months: dict[str, list[date]] = {}
        for day in days:
            months.setdefault(f"{day:%Y-%m}", []).append(day)
        for month, mine in sorted(months.items(), reverse=True):
            files = {self._index.days[str(day)][1] for day in mine if day in fresh} - {""}
            over = f"{today:%Y-%m}" > month
            if over and fresh.issuperset(mine) and len(files) > 1:
                self._merge_month(duck, month, mine)
                return True
        return False

    def _merge_month(self, duck: Duck, month: str, days: list[date]) -> None:
        by_file: dict[str, list[int]] = {}
        for day in days:
            by_file.setdefault(self._index.days[str(day)][1], []).append((day - _DAY_ZERO).days)
        by_file.pop("", None)
        parts = []
        for file, numbers in sorted(by_file.items()):
            source = _quoted(str(self.folder / file))
            mine = f"(hour + {PLANT_HOURS}) // 24 IN ({', '.join(map(str, numbers))})"
            parts.append(f"SELECT * FROM read_parquet({source}) WHERE {mine}")  # noqa: S608
        file = f"{month}.parquet"
        self._merge(duck, " UNION ALL ".join(parts), file)
        for day in days:
            mark, before = self._index.days[str(day)]
            self._index.days[str(day)] = (mark, file if before else "")
        self._write()
        self._sweep()

    def _merge(self, duck: Duck, rows: str, file: str) -> None:
        """Some equipments at a time: a month is more than a small machine can sort at once."""
        import pyarrow.parquet as pq

        new, out = self.folder / f".{file}.{os.getpid()}", None
        counted = f"SELECT equipment, count(*) FROM ({rows}) GROUP BY 1 ORDER BY 1"  # noqa: S608
        chosen = f"SELECT * FROM ({rows}) WHERE equipment >= ? AND equipment <= ? ORDER BY {ORDER}"  # noqa: S608
        try:
            for portion in _portions(duck.sql(counted).fetchall()):
                table = duck.sql(chosen, params=list(portion)).to_arrow_table()
                out = out or pq.ParquetWriter(new, table.schema, compression="zstd")
                out.write_table(table, row_group_size=GROUP_ROWS)
        finally:
            if out is not None:
                out.close()
        new.replace(self.folder / file)

    def _put(self, duck: Duck, query: str, file: str) -> None:
        """Written beside, then exchanged whole."""
        new = self.folder / f".{file}.{os.getpid()}"
        duck.execute(f"SET temp_directory = {_quoted(str(self.folder / '.spill'))}")
        duck.execute(
            f"COPY ({query} ORDER BY {ORDER}) TO {_quoted(str(new))} "
            f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {GROUP_ROWS})"
        )
        new.replace(self.folder / file)

    def _sweep(self) -> None:
        """Files that no day names."""
        named = {file for _, file in self._index.days.values()}
        for path in self.folder.glob("*.parquet"):
            if path.name not in named:
                path.unlink(missing_ok=True)

    def _read(self) -> _Index:
        try:
            said = json.loads((self.folder / INDEX).read_bytes())
            if said["form"] == FORM and said["lake"] == self._lake:
                there = {"", *(path.name for path in self.folder.glob("*.parquet"))}
                rows = said["days"].items()
                days = {day: (mark, file) for day, (mark, file) in rows if file in there}
                points = {name: (first, last) for name, (first, last) in said["points"].items()}
                return _Index(self._lake, days, points)
        except (OSError, ValueError, KeyError, TypeError):
            pass  # none yet, or not ours: everything is made anew
        return _Index(self._lake)

    def _write(self) -> None:
        text = json.dumps(
            {
                "form": FORM,
                "lake": self._lake,
                "days": self._index.days,
                "points": self._index.points,
            }
        )
        new = self.folder / f".{INDEX}.{os.getpid()}"
        new.write_text(text, "utf-8")
        new.replace(self.folder / INDEX)


def _sum_up(duck: Duck) -> None:
    """The view ``windows`` -> the table ``hours``."""
    first = _SUMS.format(rows="windows", more=_WHOLE)
    duck.execute(f"CREATE OR REPLACE TEMP TABLE sums AS {first}")
    names = ", ".join(COLUMNS)
    duck.execute(f"CREATE OR REPLACE TEMP TABLE hours AS SELECT {names} FROM sums WHERE whole")  # noqa: S608
    duck.execute(
        "CREATE OR REPLACE TEMP TABLE doubtful AS "
        "SELECT equipment, quantity, hour, windows FROM sums WHERE NOT whole"
    )
    duck.execute("DROP TABLE sums")
    again = _SUMS.format(rows=_ONCE, more="")
    doubtful = duck.sql("SELECT equipment, sum(windows) FROM doubtful GROUP BY 1 ORDER BY 1")
    for first, last in _portions(doubtful.fetchall()):
        duck.execute(f"INSERT INTO hours SELECT {names} FROM ({again})", [first, last])  # noqa: S608
    duck.execute("DROP TABLE doubtful")


def _portions(rows: list[tuple[str, int]]) -> Iterator[tuple[str, str]]:
    """Of equipments and how many rows each has: from … to …, each with few enough rows."""
    first, size = None, 0
    for at, (equipment, count) in enumerate(rows):
        first = first or equipment
        size += count
        if size >= _AT_ONCE or at == len(rows) - 1:
            yield first, equipment
            first, size = None, 0


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
