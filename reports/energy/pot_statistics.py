"""Robust statistics of daily values: spread, slope, one step, and the error of a mean."""

from dataclasses import dataclass
from math import erf, sqrt

import numpy as np

from drivers.model import Floats

MAD_TO_SIGMA = 1.4826  # of a normal distribution
LEAST_SIDE = 5  # days on either side of a step


@dataclass(frozen=True, slots=True)
class Step:
    """Where values change most: index of the first after it, size, and size over its error."""

    at: int
    size: float
    score: float


def robust_score(values: Floats, floor: float) -> tuple[Floats, float]:
    """
    How many spreads each value lies above the median, and the median; -inf where unknown.

    The spread is that of the median absolute deviation, at least ``floor``.
    """
    known = values[np.isfinite(values)]
    if not len(known):
        return np.full(values.shape, -np.inf), float("nan")
    middle = float(np.median(known))
    spread = max(MAD_TO_SIGMA * float(np.median(np.abs(known - middle))), floor)
    score: Floats = np.where(np.isfinite(values), (values - middle) / spread, -np.inf)
    return score, middle


def theil_sen(values: Floats) -> float:
    """Median slope between all pairs of values a step apart, per step; 0 of fewer than two."""
    at = np.flatnonzero(np.isfinite(values))
    if len(at) < 2:
        return 0.0
    if len(at) > 120:  # a year of days: every few days tell the slope as well
        at = at[:: -(-len(at) // 120)]
    one, two = np.triu_indices(len(at), 1)
    return float(np.median((values[at[two]] - values[at[one]]) / (at[two] - at[one])))


def step_of(values: Floats) -> Step | None:
    """The one step that explains most; None of too few values."""
    at = np.flatnonzero(np.isfinite(values))
    n = len(at)
    if n < 2 * LEAST_SIDE:
        return None
    known = values[at]
    left = np.cumsum(known)[LEAST_SIDE - 1 : n - LEAST_SIDE]
    count = np.arange(LEAST_SIDE, n - LEAST_SIDE + 1)
    means = left / count, (known.sum() - left) / (n - count)
    gain = count * (n - count) * (means[1] - means[0]) ** 2
    best = int(np.argmax(gain))
    k = int(count[best])
    size = float(means[1][best] - means[0][best])
    inside = float(known[:k].var() * k + known[k:].var() * (n - k)) / max(n - 2, 1)
    error = sqrt(max(inside, 1e-12) * (1 / k + 1 / (n - k)))
    return Step(int(at[k]), size, abs(size) / error)


def error_of_mean(values: Floats) -> float:
    """Standard error of the mean of consecutive values that hang together (lag one); NaN of < 3."""
    known = values[np.isfinite(values)]
    n = len(known)
    if n < 3:
        return float("nan")
    away = known - known.mean()
    variance = float((away**2).sum())
    if variance == 0:
        return 0.0
    lag = min(max(float((away[1:] * away[:-1]).sum()) / variance, 0.0), 0.95)
    alike = n * (1 - lag) / (1 + lag)
    return sqrt(variance / (n - 1) / alike)


def normal_share(score: float) -> float:
    """Share of a normal distribution below that many standard deviations."""
    return 0.5 * (1 + erf(score / sqrt(2)))
