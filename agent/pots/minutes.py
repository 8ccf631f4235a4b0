"""Figures of a minute of pots → windows, as if they had been read from a device."""

from collections.abc import Iterable, Sequence

import numpy as np

from agent.minutes.window import Windows
from drivers.model import Equipment, Floats, Point, Quality
from drivers.quantities import quantities
from drivers.signals.pots import PotMinute

DIGITS = {  # that mean something, after the point
    "ae_seconds": 3,
    "ae_overvoltage": 3,
    "pseudo_resistance": 4,
    "normalised_voltage": 4,
    "resistance_slope": 3,
    "swing": 2,
    "flicker": 2,
    "feed_phase": 0,
    "feed_deficit": 2,
    "ae_risk": 0,
}
_OVER_THE_MINUTE = ("ae_seconds", "ae_overvoltage")  # as good as the voltages of the minute


class DerivedPoints:
    """The derived points of some pots, except those that a device tells itself."""

    def __init__(
        self, pots: Sequence[Equipment], device: str, fields: Iterable[str], read: set[str]
    ) -> None:
        known = quantities()
        self._columns: list[tuple[str, int]] = []
        points = []
        chosen = [field for field in DIGITS if field in set(fields)]
        for place, pot in enumerate(pots):
            for field in chosen:
                point = Point(pot, known[f"pot.{field}"], device, "computed", "float64")
                if point.id not in read:
                    points.append(point)
                    self._columns.append((field, place))
        self.points = tuple(points)

    def windows(self, minute: PotMinute) -> Windows:
        """What is not known has no value and is ``no_data``, never 0."""
        share = np.minimum(minute.seen / minute.expected, 1.0)
        rounded = {
            field: np.round(values, DIGITS[field]) for field, values in minute.values.items()
        }
        columns = self._columns
        values: Floats = np.array([rounded[field][place] for field, place in columns])
        there = np.isfinite(values)
        good = np.array(
            [share[place] if field in _OVER_THE_MINUTE else 1.0 for field, place in columns]
        )
        good = np.where(there, good, 0.0)
        count = np.array([minute.seen[place] for _, place in columns], dtype=np.int64)
        reason = np.where(good < 1, Quality.NO_DATA, Quality.GOOD).astype(np.uint8)
        return Windows(
            points=self.points,
            start_ns=minute.start_ns,
            period_s=60,
            mean=values,
            low=values,
            high=values,
            last=values,
            increment=np.full(len(values), np.nan),
            count=np.where(there, count, 0),
            good=good,
            reason=reason,
        )
