"""Pseudo-resistance of pots, voltage at nominal current, and how fast the resistance rises."""

import numpy as np

from drivers.model import Floats

SECOND_NS = 1_000_000_000
STEPS = 5  # from mean to mean that make a steady slope


def pseudo_resistance(volts: Floats, current_ka: float, back_emf_v: float) -> Floats:
    """(V − V0)/I in µΩ; V0 is the voltage extrapolated to zero current (about 1.65 V)."""
    ohms: Floats = (volts - back_emf_v) * (1000 / current_ka)
    return ohms


def normalised_voltage(resistance_uohm: Floats, nominal_ka: float, back_emf_v: float) -> Floats:
    """V0 + R·I at nominal current, V: the voltage without the noise of the line current."""
    volts: Floats = back_emf_v + resistance_uohm * (nominal_ka / 1000)
    return volts


def straight_lines(times: Floats, values: Floats) -> tuple[Floats, Floats]:
    """
    Least-squares lines through the columns of ``values`` (times × pots), NaN left out.

    Returns slope per unit of time and the residuals; NaN with fewer than three values.
    """
    known = np.isfinite(values)
    count = known.sum(axis=0)
    enough = np.where(count >= 3, count, np.nan)
    t = np.where(known, times[:, None], 0.0)
    v = np.where(known, values, 0.0)
    t_mean, v_mean = t.sum(axis=0) / enough, v.sum(axis=0) / enough
    dt = np.where(known, times[:, None] - t_mean, 0.0)
    dv = np.where(known, values - v_mean, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        slope: Floats = (dt * dv).sum(axis=0) / (dt * dt).sum(axis=0)
    return slope, np.where(known, dv - slope * dt, np.nan)


class Blocks:
    """Means over whole blocks of time of the last ``keep`` blocks; rows come in order of time."""

    def __init__(self, count: int, block_s: float, keep: int) -> None:
        self.block_ns = round(block_s * SECOND_NS)
        self.means: Floats = np.full((keep, count), np.nan)  # newest last
        self.number = -1  # of the block under way
        self._sum = np.zeros(count)
        self._n = np.zeros(count)

    def add(self, at_ns: int, values: Floats) -> bool:
        """Take a row (NaN: not known); True when it closed at least one block."""
        number = at_ns // self.block_ns
        closed = self.number >= 0 and number > self.number
        if closed:
            self._close(number)
        if number < self.number:
            return False  # a row from the past: the clock was set back
        self.number = number
        known = np.isfinite(values)
        self._sum += np.where(known, values, 0.0)
        self._n += known
        return closed

    def _close(self, number: int) -> None:
        steps = min(number - self.number, len(self.means))
        self.means = np.roll(self.means, -steps, axis=0)
        self.means[-steps:] = np.nan
        if number - self.number <= len(self.means):
            with np.errstate(invalid="ignore"):
                self.means[-steps] = self._sum / self._n
        self._sum = np.zeros_like(self._sum)
        self._n = np.zeros_like(self._n)


class Slope:
    """
    Slope of the resistance, µΩ/h: a straight line through the last ten means of two minutes.

    NaN until six in ten means are known. ``steady`` is the median of the last five steps from mean
    to mean, which a single jump (a new anode, a beam move) does not touch as it tilts the line;
    ``rise`` (µΩ) is what the steady slope has added up to since it last stood lowest.
    """

    def __init__(self, count: int, mean_s: float = 120.0, points: int = 10) -> None:
        self._blocks = Blocks(count, mean_s, points)
        self._times: Floats = np.arange(float(points)) * (mean_s / 3600)
        self._step_h = mean_s / 3600
        self._least = -(-points * 6 // 10)
        self.value = np.full(count, np.nan)
        self.steady = np.full(count, np.nan)
        self.rise = np.full(count, np.nan)

    def add(self, at_ns: int, resistance_uohm: Floats) -> None:
        """One row of resistances; they come in order of time."""
        if not self._blocks.add(at_ns, resistance_uohm):
            return
        means = self._blocks.means
        slope, _ = straight_lines(self._times, means)
        self.value = np.where(np.isfinite(means).sum(axis=0) >= self._least, slope, np.nan)
        steps = np.diff(means[-STEPS - 1 :], axis=0)
        middle = np.sort(steps, axis=0)[STEPS // 2] / self._step_h
        self.steady = np.where(np.isfinite(steps).all(axis=0), middle, np.nan)
        before = np.where(np.isnan(self.rise), 0.0, self.rise)
        self.rise = np.maximum(before + self.steady * self._step_h, 0.0)
