"""What a window is: the summary of a minute of some points, as arrays over the points."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from drivers.model import Codes, Floats, Indices, Point


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """
    One window of each point of a group; element ``i`` belongs to ``points[i]``.

    NaN is "not there". ``good`` is the share of the window's time with good values, ``count`` the
    number of good samples, ``reason`` the main Quality when not all was good. ``last`` is the last
    good sample, of a counter the reading at the window's end; ``increment`` is of counters only.
    """

    points: tuple[Point, ...]
    start_ns: int
    period_s: int
    mean: Floats
    low: Floats
    high: Floats
    last: Floats
    increment: Floats
    count: Indices
    good: Floats
    reason: Codes
    words: dict[int, bytes] = field(default_factory=dict)

    def only(self, points: Sequence[int]) -> "Windows":
        """The same window of some of the points."""
        at = np.array(points, dtype=np.int64)
        return replace(
            self,
            points=tuple(self.points[i] for i in points),
            mean=self.mean[at],
            low=self.low[at],
            high=self.high[at],
            last=self.last[at],
            increment=self.increment[at],
            count=self.count[at],
            good=self.good[at],
            reason=self.reason[at],
            words={k: self.words[i] for k, i in enumerate(points) if i in self.words},
        )
