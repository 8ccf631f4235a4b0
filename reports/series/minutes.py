"""
Minutes of many points side by side: a grid of arrays, for what is judged minute by minute.

A grid holds one month at most (18 bytes per point and minute); who wants a year asks twelve times.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from drivers.model import Floats, Indices, Quality
from reports.periods import Period
from reports.site import Meter

MINUTE_NS: Final = 60_000_000_000
MINUTE_S: Final = 60
CODES: Final = {quality.name.lower(): int(quality) for quality in Quality}
COLUMNS: Final = ("point", "second", "mean", "good", "q", "period_s", "seq")
LONGEST_S: Final = 10**9

Bools = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int8]
Table = Any  # the stubs of pyarrow demand a type parameter that its classes do not take


@dataclass(frozen=True, slots=True)
class Written:
    """
    Batches of one log that hold the windows of a point.

    ``covered_s``: how much of the grid has a value of the point, by whatever log; set by the grid.
    """

    point: Meter
    gateway: str
    log: str
    first_seq: int
    last_seq: int
    batches: int
    windows: int
    covered_s: int = 0


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


def joined(found: Sequence[Written]) -> list[Written]:
    """Stretches of one log put together; a batch over the edge of two counts in both."""
    by: dict[tuple[Meter, str, str], Written] = {}
    for each in found:
        key = (each.point, each.gateway, each.log)
        known = by.get(key)
        by[key] = (
            each
            if known is None
            else replace(
                known,
                first_seq=min(known.first_seq, each.first_seq),
                last_seq=max(known.last_seq, each.last_seq),
                batches=known.batches + each.batches,
                windows=known.windows + each.windows,
            )
        )
    return list(by.values())


class Filling:
    """A grid while windows are laid into it, in any order and any number of tables."""

    def __init__(self, points: Sequence[Meter], period: Period) -> None:
        self._grid = empty_grid(points, period)
        self._seq = np.full(self._grid.mean.shape, -1, dtype=np.int64)
        self._length_s = np.full(self._grid.mean.shape, LONGEST_S, dtype=np.int32)

    def lay(self, table: Table) -> None:
        """
        ``COLUMNS``: ``point`` is a row of the grid, ``second`` the start from that of the grid.

        A window is spread over its minutes. Shorter windows stand above longer ones, and of two of
        one length the one of the later batch.
        """
        point, minute = _ints(table["point"]), _ints(table["second"]) // MINUTE_S
        length_s, seq = _ints(table["period_s"]), _ints(table["seq"])
        mean, good = _floats(table["mean"]), _floats(table["good"])
        good = np.where(np.isnan(mean), 0.0, np.clip(np.nan_to_num(good, nan=0.0), 0.0, 1.0))
        columns = seq, mean, good, _reasons(table["q"])
        for long_s in np.unique(length_s)[::-1].tolist():
            mine = np.flatnonzero(length_s == long_s)
            for step in range(max(1, long_s // MINUTE_S)):
                at = minute[mine] + step
                use = mine[(at >= 0) & (at < self._grid.minutes)]
                self._put(point[use], minute[use] + step, long_s, columns, use)

    def _put(
        self,
        point: Indices,
        minute: Indices,
        length_s: int,
        columns: tuple[Indices, Floats, Floats, Codes],
        use: Indices,
    ) -> None:
        seq, mean, good, reason = columns
        known_s, mine = self._length_s[point, minute], seq[use]
        above = (length_s < known_s) | ((length_s == known_s) & (mine >= self._seq[point, minute]))
        place, use = (point[above], minute[above]), use[above]
        grid = self._grid
        self._seq[place], self._length_s[place] = seq[use], length_s
        if not np.array_equal(self._seq[place], seq[use]):  # one window twice in this table
            order = np.argsort(seq[use], kind="stable")
            place, use = (place[0][order], place[1][order]), use[order]
            self._seq[place] = seq[use]
        grid.mean[place], grid.good[place], grid.reason[place] = mean[use], good[use], reason[use]
        grid.coarse[place] = length_s > MINUTE_S

    def grid(self, written: Sequence[Written]) -> MinuteGrid:
        """What was laid."""
        minutes = np.isfinite(self._grid.mean).sum(axis=1) * MINUTE_S
        covered = dict(zip(self._grid.points, minutes.tolist(), strict=True))
        told = tuple(replace(each, covered_s=covered[each.point]) for each in written)
        return replace(self._grid, written=told)


def _reasons(column: Any) -> Codes:
    encoded = column.dictionary_encode()
    known = [CODES.get(text, int(Quality.UNCERTAIN)) for text in encoded.dictionary.to_pylist()]
    if not known:
        return np.zeros(len(column), dtype=np.int8)
    at = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    found: Codes = np.where(at < 0, 0, np.array(known, dtype=np.int8)[at]).astype(np.int8)
    return found


def _floats(column: Any) -> Floats:
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.float64)


def _ints(column: Any) -> Indices:
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.int64)
