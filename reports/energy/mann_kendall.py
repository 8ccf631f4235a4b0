"""
Is a series falling? Mann-Kendall with its exact distribution, by season, and the Theil-Sen slope.

Without ties the distribution of S is that of the inversions of a permutation, counted exactly;
with ties the normal approximation with corrected variance and continuity. By season (Hirsch, Slack
and Smith 1982) values are compared with those of the same calendar month only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import erf, sqrt
from statistics import median


@dataclass(frozen=True, slots=True)
class Trend:
    """S, the chance of an S as low by accident (one-sided), and the slope per step."""

    count: int
    s: int
    p_decline: float
    slope: float
    exact: bool


def mann_kendall(values: Sequence[float]) -> Trend:
    """The trend of values in order, one step apart; at least two."""
    return _trend([list(enumerate(values))])


def seasonal_kendall(values: Sequence[float | None], season: int) -> Trend:
    """
    The trend with values compared only ``season`` steps apart and multiples of it.

    None is a gap. The slope is per step.
    """
    known = [(at, value) for at, value in enumerate(values) if value is not None]
    return _trend([[pair for pair in known if pair[0] % season == k] for k in range(season)])


def _trend(groups: Sequence[Sequence[tuple[int, float]]]) -> Trend:
    groups = [group for group in groups if len(group) > 1]
    pairs = [pair for group in groups for pair in combinations(group, 2)]
    if not pairs:
        raise ValueError("a trend needs two values that can be compared")
    s = sum((two[1] > one[1]) - (two[1] < one[1]) for one, two in pairs)
    slope = median((two[1] - one[1]) / (two[0] - one[0]) for one, two in pairs)
    tied = any(len({value for _, value in group}) < len(group) for group in groups)
    chance = _by_normal(groups, s) if tied else _exactly([len(group) for group in groups], s)
    return Trend(sum(map(len, groups)), s, chance, slope, not tied)


def _exactly(sizes: Sequence[int], s: int) -> float:
    """P(S <= s) when every order of every group is as likely."""
    shares, most = [1.0], 0
    for size in sizes:
        for k in range(2, size + 1):  # the k-th value is below any number of those before it
            wider = [0.0] * (len(shares) + k - 1)
            for at, share in enumerate(shares):
                for more in range(k):
                    wider[at + more] += share / k
            shares = wider
        most += size * (size - 1) // 2
    # each value below an earlier one takes two from the largest S
    return min(1.0, sum(share for falls, share in enumerate(shares) if most - 2 * falls <= s))


def _by_normal(groups: Sequence[Sequence[tuple[int, float]]], s: int) -> float:
    variance = 0.0
    for group in groups:
        values = [value for _, value in group]
        ties = [values.count(value) for value in set(values)]
        terms = [len(values), *(-tie for tie in ties)]
        variance += sum(
            (1 if n > 0 else -1) * abs(n) * (abs(n) - 1) * (2 * abs(n) + 5) for n in terms
        )
    if variance == 0:
        return 1.0
    return 0.5 * (1 + erf((s + 1) / sqrt(variance / 18) / sqrt(2)))
