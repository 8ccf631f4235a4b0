"""
Windows in true time: what an unsynced gateway stamped, moved by the ``retimed`` rows of the lake.

Derived while reading; the rows of the lake and the originals keep the stamps they were written
with. A row is moved when its gateway, log and stamp are those of a stretch and it was not written
long after the stretch became known.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from reports.series.store import DAY_NS

PLANT_US: Final = 8 * 3_600_000_000  # plant time is that much ahead of UTC
DAY_US: Final = DAY_NS // 1000
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

    @property
    def touched_us(self) -> tuple[int, int]:
        """True time that its windows may lie in."""
        return self.start_us + self.shift_us - EDGE_US, self.end_us + self.shift_end_us

    @property
    def condition(self) -> str:
        """SQL: this row is one of them; one that began as it ended has no sample of its own."""
        return (
            f"gateway = {_quoted(self.gateway)} AND log = {_quoted(self.log)} "
            f"AND seq <= {self.seq + LATER_SEQ} "
            f"AND epoch_us(ts) > {self.start_us - EDGE_US} AND epoch_us(ts) <= {self.end_us}"
        )

    @property
    def shift(self) -> str:
        """SQL: microseconds to add to a row."""
        if self.shift_us == self.shift_end_us:
            return str(self.shift_us)
        slope = (self.shift_end_us - self.shift_us) / (self.end_us - self.start_us)
        return f"{self.shift_us} + round((epoch_us(ts) - {self.start_us}) * {slope!r}::DOUBLE)"


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


def view_in_true_time(
    duck: Duck,
    known: Sequence[Retiming],
    paths: Sequence[str],
    paths_of: Paths,
    days: tuple[int, int],
) -> bool:
    """Make the windows of whole plant days readable as ``windows``; False when there are none."""
    first_us = _day_us(days[0] // 1000)
    after_us = _day_us((days[1] - 1) // 1000) + DAY_US
    files = set(paths)
    for each in known:
        low_us, high_us = each.touched_us
        if low_us < after_us and high_us > first_us:  # their files lie under another day
            begin_ns, stop_ns = (each.start_us - EDGE_US) * 1000, each.end_us * 1000
            files.update(paths_of("windows", begin_ns, stop_ns))
    if not files:
        return False
    cases = " ".join(
        f"WHEN {each.condition} THEN ts + to_microseconds(CAST({each.shift} AS BIGINT))"
        for each in known
    )
    rows = duck.read_parquet(sorted(files)).project(f"* REPLACE (CASE {cases} ELSE ts END AS ts)")
    inside = rows.filter(f"epoch_us(ts) >= {first_us} AND epoch_us(ts) < {after_us}")
    inside.create_view("windows", replace=True)
    return True


def _day_us(at_us: int) -> int:
    """Start of the plant day."""
    return (at_us + PLANT_US) // DAY_US * DAY_US - PLANT_US


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
