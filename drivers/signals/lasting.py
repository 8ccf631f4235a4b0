"""An alarm that must hold for some steps to begin and to end; running means that may be saved."""

import math
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Change:
    """An alarm begins (``end_ns`` is None) or ends; ``value`` is what it was judged by."""

    start_ns: int
    end_ns: int | None
    value: float


@dataclass(slots=True)
class Alarm:
    """``run`` steps from ``since_ns`` on speak for a change; ``start_ns`` None: it is off."""

    run: int = 0
    since_ns: int = 0
    seen_ns: int = 0  # end of the last step
    start_ns: int | None = None

    def step(
        self, at_ns: int, size_ns: int, value: float, *, bad: bool, well: bool, hold: int
    ) -> Change | None:
        """One step in order of time; ``bad`` begins it, ``well`` ends it, ``hold`` in a row."""
        self.seen_ns = at_ns + size_ns
        if not (bad if self.start_ns is None else well):
            self.run = 0
            return None
        if not self.run:
            self.since_ns = at_ns
        self.run += 1
        if self.run < hold:
            return None
        self.run = 0
        if self.start_ns is not None:
            return self.stop(self.since_ns, value)
        self.start_ns = self.since_ns
        return Change(self.start_ns, None, value)

    def stop(self, at_ns: int, value: float = float("nan")) -> Change | None:
        """It ends whatever was measured; None when there was none."""
        start_ns, self.start_ns = self.start_ns, None
        self.run = 0
        return None if start_ns is None else Change(start_ns, max(at_ns, start_ns), value)


@dataclass(slots=True)
class Means:
    """Means of some figures over a stretch of time that has a number (a day, an hour)."""

    number: int = -1
    totals: list[float] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)

    def open(self, number: int, figures: int) -> None:
        self.number = number
        self.totals, self.counts = [0.0] * figures, [0] * figures

    def add(self, *values: float) -> None:
        """NaN is not known."""
        for place, value in enumerate(values):
            if math.isfinite(value):
                self.totals[place] += value
                self.counts[place] += 1

    def mean(self, place: int, least: int) -> float:
        """NaN with fewer than ``least`` values."""
        if place >= len(self.counts) or self.counts[place] < max(least, 1):
            return float("nan")
        return self.totals[place] / self.counts[place]
