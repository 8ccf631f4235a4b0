"""
Windows, samples and events in true time: what an unsynced gateway stamped, moved by ``retimed``.

Derived while reading; the rows of a store and the originals keep the stamps they were written
with. In the lake a row is moved when its gateway, log and stamp are those of a stretch and it was
not written long after the stretch became known; raw samples, which are in another log, by gateway
and stamp (a gateway uses no moment twice). InfluxDB does not say whose a row is: there a stretch is
moved where no other gateway wrote a batch in it (``influx.py``).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

PLANT_US: Final = 8 * 3_600_000_000  # plant time is that much ahead of UTC
DAY_US: Final = 86_400_000_000
LATER_SEQ: Final = 300  # batches: derived minutes follow the measured ones by some seconds
EDGE_US: Final = 60_000_000  # the minute in which a stretch began

Duck = Any  # duckdb.DuckDBPyConnection; imported where it is used, it is heavy
Paths = Callable[[str, int, int], list[str]]


@dataclass(frozen=True, slots=True)
class Retiming:
    """Gateway time [start, end) of a log is wrong by its shifts; told in batch ``seq``."""

    start_us: int
    end_us: int
    shift_us: int  # to add at the start
    shift_end_us: int  # and at the end; linear between them
    gateway: str
    log: str
    seq: int
    applied: bool = True  # False: the store cannot tell which rows are of this gateway

    def touches(self, start_ns: int, end_ns: int) -> bool:
        """Whether true time [start, end) has something of it."""
        low_us, high_us = self.touched_us
        return low_us * 1000 < end_ns and high_us * 1000 > start_ns

    def claims(self, stamp_ns: int) -> bool:
        """Whether a row with this stamp is of it."""
        return (self.start_us - EDGE_US) * 1000 < stamp_ns <= self.end_us * 1000

    def moved(self, stamp_ns: int) -> int:
        """True time of a stamp, ns."""
        return stamp_ns + 1000 * self._shift_us(stamp_ns // 1000)

    def stamp_of(self, true_ns: int) -> int:
        """The stamp that stood for a moment of true time, ns; within the crystal's error."""
        stamp_us = true_ns // 1000 - self.shift_us
        return true_ns - 1000 * self._shift_us(stamp_us)

    def _shift_us(self, at_us: int) -> int:
        length_us = max(1, self.end_us - self.start_us)
        slope = (self.shift_end_us - self.shift_us) / length_us
        return self.shift_us + round((at_us - self.start_us) * slope)

    @property
    def touched_us(self) -> tuple[int, int]:
        """True time that its windows may lie in."""
        return self.start_us + self.shift_us - EDGE_US, self.end_us + self.shift_end_us

    def case(self, column: str, *, whose: bool) -> str:
        """SQL: where this row is one of them, its true time."""
        told = f"gateway = {_quoted(self.gateway)} AND epoch_us({column}) <= {self.end_us} "
        told += f"AND epoch_us({column}) > {self.start_us - EDGE_US}"
        if whose:  # one that began as it ended has no sample of its own
            told += f" AND log = {_quoted(self.log)} AND seq <= {self.seq + LATER_SEQ}"
        shift = str(self.shift_us)
        if self.shift_us != self.shift_end_us:
            slope = (self.shift_end_us - self.shift_us) / (self.end_us - self.start_us)
            shift += f" + round((epoch_us({column}) - {self.start_us}) * {slope!r}::DOUBLE)"
        return f"WHEN {told} THEN {column} + to_microseconds(CAST({shift} AS BIGINT))"


def retimings(duck: Duck, root: Path, plant: str) -> list[Retiming]:
    """Every stretch that the lake knows of, the latest word on each; mostly none."""
    folder = root / "retimed" / f"plant={plant}"
    paths = [str(path) for path in sorted(folder.glob("day=*/*.parquet"))]
    if not paths:
        return []
    found = duck.read_parquet(paths).project(
        'epoch_us(ts), epoch_us("end"), shift_us, shift_end_us, gateway, log, seq'
    )
    rows = sorted((Retiming(*row) for row in found.fetchall()), key=lambda row: row.seq)
    return list({(row.gateway, row.log, row.start_us): row for row in rows}.values())


def paths_beyond(
    known: Sequence[Retiming], table: str, paths_of: Paths, days: tuple[int, int]
) -> set[str]:
    """Files under other days, by wrong stamps, with rows of these plant days."""
    first_ns, after_ns = _whole_days(days)
    found: set[str] = set()
    for each in known:
        if each.touches(first_ns, after_ns):
            found.update(paths_of(table, (each.start_us - EDGE_US) * 1000, each.end_us * 1000))
    return found


def in_true_time(rows: Duck, known: Sequence[Retiming], table: str, days: tuple[int, int]) -> Duck:
    """The rows of whole plant days, each at its true time; of events also when they ended."""
    whose = table != "raw"  # a stretch names the log of the records
    columns = ("ts", '"end"') if table == "events" else ("ts",)
    moved = ", ".join(
        f"CASE {' '.join(each.case(name, whose=whose) for each in known)} ELSE {name} END AS {name}"
        for name in columns
    )
    first_ns, after_ns = _whole_days(days)
    inside = f"epoch_us(ts) >= {first_ns // 1000} AND epoch_us(ts) < {after_ns // 1000}"
    return rows.project(f"* REPLACE ({moved})").filter(inside)


def _whole_days(days: tuple[int, int]) -> tuple[int, int]:
    return _day_us(days[0] // 1000) * 1000, (_day_us((days[1] - 1) // 1000) + DAY_US) * 1000


def _day_us(at_us: int) -> int:
    """Start of the plant day."""
    return (at_us + PLANT_US) // DAY_US * DAY_US - PLANT_US


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
