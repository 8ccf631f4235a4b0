"""
Noise of the pot resistance in two bands: swing of the metal pad, and flicker of anodes and bubbles.

Bands are those that samples of a second can tell: swing 10 s and slower (means of six seconds over
five minutes, without their trend), flicker one to few seconds. They are engineering bands, not
those of a standard, and differ from what pot controllers call by the same names.
"""

import numpy as np

from drivers.model import Floats
from drivers.signals.resistance import Blocks, straight_lines

SECOND_NS = 1_000_000_000
FLICKER_MAX_S = 2.0  # slower than this a cadence tells nothing of it


class Swing:
    """
    Amplitude of the slow band, µΩ: √2 times the standard deviation, so a pure wave gives its own.

    NaN until six in ten blocks are known. A wave faster than the block is damped by its mean.
    """

    def __init__(
        self, count: int, interval_s: float, block_s: float = 6.0, window_s: float = 300.0
    ) -> None:
        block_s = max(block_s, interval_s)
        keep = max(round(window_s / block_s), 5)
        self._blocks = Blocks(count, block_s, keep)
        self._times: Floats = np.arange(float(keep)) * block_s
        self._least = -(-keep * 6 // 10)

    def add(self, at_ns: int, resistance_uohm: Floats) -> None:
        """One row; rows come in order of time."""
        self._blocks.add(at_ns, resistance_uohm)

    def value(self) -> Floats:
        """Over the blocks that are closed."""
        means = self._blocks.means
        _, rest = straight_lines(self._times, means)
        known = np.isfinite(rest)
        count = known.sum(axis=0)
        square = np.where(known, rest * rest, 0.0).sum(axis=0)
        amplitude: Floats = np.sqrt(2 * square / np.where(count >= self._least, count, np.nan))
        return amplitude


class Flicker:
    """
    RMS of the fast band, µΩ: how far samples lie off the line between their neighbours.

    White noise of RMS s gives s: the variance of the middle less the mean of both sides is 1.5 s².
    Only rows at an even cadence of two seconds at most count.
    """

    def __init__(self, count: int, interval_s: float) -> None:
        self._step_ns = round(interval_s * SECOND_NS)
        self._possible = interval_s <= FLICKER_MAX_S
        self._before = self._last = np.full(count, np.nan)
        self._before_ns = self._last_ns = 0
        self._square = np.zeros(count)
        self._n = np.zeros(count)

    def add(self, at_ns: int, resistance_uohm: Floats) -> None:
        """One row; rows come in order of time."""
        if not self._possible:
            return
        even = at_ns - self._last_ns == self._step_ns == self._last_ns - self._before_ns
        if even:
            off = self._last - 0.5 * (self._before + resistance_uohm)
            known = np.isfinite(off)
            self._square += np.where(known, off * off, 0.0)
            self._n += known
        self._before, self._before_ns = self._last, self._last_ns
        self._last, self._last_ns = resistance_uohm, at_ns

    def take(self, least: int) -> Floats:
        """Since the last call; NaN for pots with fewer samples than ``least``."""
        count = np.where(self._n >= max(least, 1), self._n, np.nan)
        rms: Floats = np.sqrt(self._square / (1.5 * count))
        self._square = np.zeros_like(self._square)
        self._n = np.zeros_like(self._n)
        return rms
