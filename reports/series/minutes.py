"""
Minutes of many points side by side: a grid of arrays, for what is judged minute by minute.

A grid holds one month at most (18 bytes per point and minute); who wants a year asks twelve times.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from drivers.model import Floats, Quality
from reports.periods import Period
from reports.site import Meter

MINUTE_NS: Final = 60_000_000_000
MINUTE_S: Final = 60
CODES: Final = {quality.name.lower(): int(quality) for quality in Quality}
COLUMNS: Final = ("second", "equipment", "quantity", "mean", "good", "q", "period_s")

Bools = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int8]
Table = Any  # the stubs of pyarrow demand a type parameter that its classes do not take


@dataclass(frozen=True, slots=True)
class Written:
    """Batches of one log that hold the windows of a point."""

    point: Meter
    gateway: str
    log: str
    first_seq: int
    last_seq: int
    batches: int
    windows: int


@dataclass(frozen=True, slots=True, eq=False)
class MinuteGrid:
    """
    Points × minutes of a period, in the order asked for.

    ``mean`` NaN = no good value; ``good`` the good share of the window, 0 where there is none;
    ``reason`` the Quality that kept it from being good (0 = all good, or no window at all);
    ``coarse`` where a window longer than a minute was spread over its minutes.
    """

    points: tuple[Meter, ...]
    period: Period
    mean: Floats
    good: Floats
    reason: Codes
    coarse: Bools
    written: tuple[Written, ...] = ()

    @property
    def minutes(self) -> int:
        return int(self.mean.shape[1])

    def row(self, point: Meter) -> int | None:
        """Where a point stands; None when it was not asked for."""
        return self.points.index(point) if point in self.points else None


def empty_grid(points: Sequence[Meter], period: Period) -> MinuteGrid:
    """A grid in which nothing is known."""
    shape = (len(points), (period.end_ns - period.start_ns) // MINUTE_NS)
    return MinuteGrid(
        points=tuple(points),
        period=period,
        mean=np.full(shape, np.nan),
        good=np.zeros(shape),
        reason=np.zeros(shape, dtype=np.int8),
        coarse=np.zeros(shape, dtype=np.bool_),
    )


def fill(grid: MinuteGrid, table: Table) -> None:
    """
    Lay windows into the grid: ``COLUMNS``, the row that counts last.

    ``second`` is the start of a window in seconds from the start of the grid. Longer windows are
    laid first, whole minutes and shorter ones over them.
    """
    rows = np.array([], dtype=np.int64) if not len(table) else _rows(grid, table)
    if not len(rows):
        return
    second = _ints(table["second"])
    period_s = _ints(table["period_s"])
    mean = np.asarray(table["mean"].to_numpy(), dtype=np.float64)
    good = np.asarray(table["good"].to_numpy(), dtype=np.float64)
    good = np.where(np.isnan(mean), 0.0, np.clip(np.nan_to_num(good, nan=0.0), 0.0, 1.0))
    reason = _reasons(table["q"])
    for length_s in sorted(set(period_s.tolist()), reverse=True):
        mine = (period_s == length_s) & (rows >= 0)
        at, first = rows[mine], second[mine] // MINUTE_S
        spread = max(1, int(length_s) // MINUTE_S)
        for step in range(spread):
            minute = first + step
            inside = (minute >= 0) & (minute < grid.minutes)
            place = (at[inside], minute[inside])
            grid.mean[place] = mean[mine][inside]
            grid.good[place] = good[mine][inside]
            grid.reason[place] = reason[mine][inside]
            grid.coarse[place] = spread > 1


def _rows(grid: MinuteGrid, table: Table) -> npt.NDArray[np.int64]:
    """The row of the grid that each window belongs to, -1 for none."""
    places = {(point.equipment, point.quantity): n for n, point in enumerate(grid.points)}
    equipment = table["equipment"].combine_chunks().dictionary_encode()
    quantity = table["quantity"].combine_chunks().dictionary_encode()
    names, kinds = equipment.dictionary.to_pylist(), quantity.dictionary.to_pylist()
    of = np.array([[places.get((name, kind), -1) for kind in kinds] for name in names])
    found: npt.NDArray[np.int64] = of[_ints(equipment.indices), _ints(quantity.indices)]
    return found


def _reasons(column: Any) -> Codes:
    encoded = column.combine_chunks().dictionary_encode()
    known = [CODES.get(text, int(Quality.UNCERTAIN)) for text in encoded.dictionary.to_pylist()]
    if not known:
        return np.zeros(len(column), dtype=np.int8)
    at = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return np.where(at < 0, 0, np.array(known, dtype=np.int8)[at]).astype(np.int8)


def _ints(column: Any) -> npt.NDArray[np.int64]:
    return np.asarray(column.to_numpy(), dtype=np.int64)
