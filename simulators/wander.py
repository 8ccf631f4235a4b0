"""Slow wandering as a pure function of time, so that any instant can be asked in any order."""

import zlib

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

EPOCH_S = 1_704_067_200  # 2024-01-01 UTC, when the simulated plant was commissioned
SLOW_S = (86_400 * 9.1, 86_400 * 2.3, 41_000.0, 7_300.0, 1_900.0, 610.0)
FAST_S = (3_700.0, 810.0, 290.0, 127.0, 61.0, 23.0)


class Wander:
    """Sum of sines with phases drawn from seed and name; standard deviation 1."""

    def __init__(self, seed: int, name: str, periods_s: tuple[float, ...] = SLOW_S) -> None:
        draw = np.random.default_rng([seed, zlib.crc32(name.encode())])
        self._rate = 2 * np.pi / (np.array(periods_s) * draw.uniform(0.9, 1.1, len(periods_s)))
        self._phase = draw.uniform(0, 2 * np.pi, len(periods_s))
        self._size = np.sqrt(2 / len(periods_s))

    def __call__(self, time_s: Floats) -> Floats:
        angle = np.multiply.outer(time_s - EPOCH_S, self._rate) + self._phase
        total: Floats = np.sin(angle).sum(axis=-1) * self._size
        return total


def local_hour(time_s: Floats) -> Floats:
    """Hour of the day in UTC+8, 0 ≤ h < 24."""
    hour: Floats = np.mod(time_s + 28_800, 86_400) / 3_600
    return hour


def ambient_c(time_s: Floats) -> Floats:
    """Outdoor temperature, degC: a continental year and a daily swing."""
    year = np.cos(2 * np.pi * ((time_s - EPOCH_S) / 86_400 - 200) / 365.25)
    day = np.cos(2 * np.pi * (local_hour(time_s) - 15) / 24)
    air: Floats = 14 + 13 * year + 5 * day
    return air
