"""What is counted about each device, for ``/metrics``."""

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from drivers.model import Frame, Quality

BUCKETS_MS = (0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000)


@dataclass(slots=True, eq=False)
class Histogram:
    """Counts by bucket of milliseconds; the last one is for everything above."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS_MS) + 1))
    sum_ms: float = 0.0

    def add(self, ms: float) -> None:
        self.counts[bisect_left(BUCKETS_MS, ms)] += 1
        self.sum_ms += ms

    @property
    def count(self) -> int:
        return sum(self.counts)

    def quantile(self, share: float) -> float:
        """Upper bound in ms of the bucket that holds this share; NaN when empty."""
        wanted, seen = share * self.count, 0
        for edge, count in zip((*BUCKETS_MS, float("inf")), self.counts, strict=True):
            seen += count
            if seen and seen >= wanted:
                return edge
        return float("nan")


@dataclass(slots=True, eq=False)
class DeviceTally:
    """Of one device, since the start."""

    polls: int = 0
    overload: int = 0  # slots skipped; of a subscription changes lost, at least
    values: int = 0
    online: bool = False
    newest_ns: int = 0  # slot of the last frame with a good value
    errors: Counter[str] = field(default_factory=Counter)
    odd: Counter[str] = field(default_factory=Counter)  # what a driver found odd, by kind
    quality: Counter[int] = field(default_factory=Counter)
    lag: Histogram = field(default_factory=Histogram)  # slot → answer complete
    late: Histogram = field(default_factory=Histogram)  # slot → asked

    def start(self, late_ns: int) -> None:
        """A poll begins this long after its slot."""
        self.polls += 1
        self.late.add(late_ns / 1e6)

    def take(self, frame: Frame) -> None:
        """Count a frame's samples by quality, and its lag."""
        self.odd.update(frame.counts)
        n = len(frame.quality)
        self.values += n
        bad = int(np.count_nonzero(frame.quality))
        self.quality[Quality.GOOD] += n - bad
        if bad:
            for code, count in enumerate(np.bincount(frame.quality).tolist()):
                if code and count:
                    self.quality[code] += count
        if bad < n:
            self.newest_ns = frame.slot_ns
            self.lag.add((frame.read_ns - frame.slot_ns) / 1e6)
