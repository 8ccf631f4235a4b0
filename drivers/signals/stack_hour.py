"""The hour of a stack while it runs: mean so far, forecast of its end with a band."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from drivers.model import Floats

MINUTE_NS: Final = 60_000_000_000
HOUR_NS: Final = 60 * MINUTE_NS
MINUTES: Final = 60
BAND: Final = 1.645  # standard deviations: nine in ten hours end inside
MOST_LIKE: Final = 0.95  # of the likeness of neighbouring minutes; one would mean nothing is known


@dataclass(frozen=True, slots=True)
class HourRules:
    """Parameters of the hour; ``least`` as HJ 75/76 and HJ 212 ask, the others are our own."""

    least: int = 45  # valid minutes of a valid hour
    recent: int = 10  # minutes whose mean is the level that is expected to last
    memory: int = 30  # minutes by which the scatter of the level is judged


@dataclass(frozen=True, slots=True)
class Forecast:
    """
    How the hour will end if it goes on as in the last minutes; NaN when nothing recent is known.

    ``low`` and ``high`` hold nine of ten endings; ``valid`` is how many valid minutes the hour can
    still get.
    """

    expected: float
    low: float
    high: float
    valid: int


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour: its start, how many minutes were valid, and the mean of these (NaN: none)."""

    start_ns: int
    valid: int
    mean: float
    highest: float  # of its minutes


class HourSoFar:
    """
    Minutes of one pollutant, in order of time; NaN is a minute that is not valid.

    Minutes that never come are not valid. An hour that is over is handed back once.
    """

    def __init__(self, rules: HourRules | None = None) -> None:
        self.rules = rules or HourRules()
        self.start_ns = -1  # of the hour under way; -1: no minute yet
        self.passed = 0  # minutes of it that are over
        self._minutes: Floats = np.full(MINUTES, np.nan)
        self._before: Floats = np.full(self.rules.memory, np.nan)

    def take(self, at_ns: int, value: float) -> Hour | None:
        """A minute by its start; returns the hour that it shows to be over."""
        over = self.until(at_ns)
        place = (at_ns - self.start_ns) // MINUTE_NS
        if 0 <= place < MINUTES:
            self._minutes[place] = value
            self.passed = max(self.passed, place + 1)
        return over

    def until(self, at_ns: int) -> Hour | None:
        """Nothing older than this will come; returns the hour that is over by it."""
        start_ns = at_ns - at_ns % HOUR_NS
        if start_ns <= self.start_ns:
            return None
        over = self.hour() if self.start_ns >= 0 else None
        gone = (start_ns - self.start_ns) // MINUTE_NS - MINUTES if over else MINUTES
        memory = self.rules.memory
        past = np.concatenate([self._minutes, np.full(min(gone, memory), np.nan)])
        self._before = past[-memory:]
        self._minutes = np.full(MINUTES, np.nan)
        self.start_ns, self.passed = start_ns, 0
        return over

    def hour(self) -> Hour:
        """The hour under way, as far as it came."""
        known = self._minutes[np.isfinite(self._minutes)]
        if not len(known):
            return Hour(self.start_ns, 0, math.nan, math.nan)
        return Hour(self.start_ns, len(known), float(known.mean()), float(known.max()))

    def holds(self, hour: Hour) -> bool:
        """True when enough of its minutes were valid."""
        return hour.valid >= self.rules.least

    def forecast(self) -> Forecast:
        """By the level of the last minutes; its uncertainty from their scatter and likeness."""
        hour, rest = self.hour(), MINUTES - self.passed
        seen = np.concatenate([self._before, self._minutes[: self.passed]])[-self.rules.memory :]
        late = seen[-self.rules.recent :]
        late = late[np.isfinite(late)]
        if not len(late):
            nan = math.nan
            return Forecast(nan, nan, nan, hour.valid + rest)
        level, valid = float(late.mean()), hour.valid + rest
        known = 0.0 if not hour.valid else hour.mean * hour.valid
        expected = (known + level * rest) / valid if valid else math.nan
        spread = BAND * _error(seen, len(late), rest) * rest / valid if valid else 0.0
        return Forecast(expected, max(expected - spread, 0.0), expected + spread, valid)


def _error(seen: Floats, used: int, rest: int) -> float:
    """
    Standard error of "the rest of the hour is like the last minutes".

    Scatter of the seen minutes, divided by how many independent ones the two means are worth;
    neighbours that are alike (r of lag 1) are worth less: n·(1 − r)/(1 + r).
    """
    known = seen[np.isfinite(seen)]
    if len(known) < 3 or rest == 0:
        return 0.0 if rest == 0 else float(known.std()) if len(known) > 1 else 0.0
    off = seen - known.mean()
    variance = float(np.nanmean(off * off))
    if variance <= 0:
        return 0.0
    pairs = off[1:] * off[:-1]
    alike = float(np.nanmean(pairs)) / variance if np.isfinite(pairs).any() else 0.0
    alike = min(max(alike, 0.0), MOST_LIKE)
    worth = (1 - alike) / (1 + alike)
    return math.sqrt(variance * (1 / max(used * worth, 1.0) + 1 / max(rest * worth, 1.0)))
