"""
Early warning of an anode effect: four signs, and how many of them a pot shows.

It is a rule with limits that a plant sets, not a promise; docs/early-warning.md has what it found
and missed on simulated pots.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from drivers.model import Floats

Flags = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class WarningLimits:
    """From where on a sign counts, and how many signs make a warning."""

    slope_uohm_h: float = 0.75  # of the steady slope
    rise_uohm: float = 0.35
    deficit_kg: float = 34.0
    noise_growth: float = 3.0  # swing against its own mean of the last hours
    score: int = 2  # signs that make a warning
    on_min: int = 1  # shown for so many minutes it begins
    off_min: int = 10  # and not shown for so many it ends


def score(
    slope: Floats, rise: Floats, deficit: Floats, growth: Floats, limits: WarningLimits
) -> Floats:
    """Signs shown, 0 to 4; a sign that is not known is not shown. NaN: none of them is known."""
    signs = (
        (slope, limits.slope_uohm_h),
        (rise, limits.rise_uohm),
        (deficit, limits.deficit_kg),
        (growth, limits.noise_growth),
    )
    shown = np.zeros(len(slope))
    known = np.zeros(len(slope), dtype=bool)
    for values, limit in signs:
        known |= np.isfinite(values)
        shown += values >= limit
    return np.where(known, shown, np.nan)


class Growth:
    """A value against its own mean of the last ``memory_min`` minutes."""

    def __init__(self, count: int, memory_min: float = 240.0, least_min: int = 30) -> None:
        self._keep = np.exp(-1 / memory_min)
        self._least = least_min
        self._sum, self._weight = np.zeros(count), np.zeros(count)
        self._minutes = np.zeros(count)

    def minute(self, values: Floats) -> Floats:
        """Ratio to the mean before this minute; NaN until ``least_min`` minutes are known."""
        known = np.isfinite(values)
        enough = np.where((self._minutes >= self._least) & (self._sum > 0), self._weight, np.nan)
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio: Floats = values / (self._sum / enough)
        self._sum = self._sum * self._keep + np.where(known, values, 0.0)
        self._weight = self._weight * self._keep + known
        self._minutes += known
        return ratio


class Lasting:
    """A sign that must be shown for some minutes to begin, and be absent for some to end."""

    def __init__(self, count: int, on_min: int, off_min: int) -> None:
        self.on_min, self.off_min = on_min, off_min
        self.on: Flags = np.zeros(count, dtype=bool)
        self._shown: Counts = np.zeros(count, dtype=np.int64)
        self._absent: Counts = np.zeros(count, dtype=np.int64)

    def minute(self, shown: Flags, still: Flags, barred: Flags) -> tuple[Counts, Counts]:
        """
        Places where it begins and where it ends.

        ``still`` holds it on where it has begun (a lower limit); a barred pot ends at once.
        """
        self._shown = np.where(shown & ~barred, self._shown + 1, 0)
        self._absent = np.where(still & ~barred, 0, self._absent + 1)
        begins = ~self.on & (self._shown >= self.on_min)
        ends = self.on & ((self._absent >= self.off_min) | barred)
        self.on = (self.on | begins) & ~ends
        return np.flatnonzero(begins), np.flatnonzero(ends)
