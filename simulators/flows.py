"""What every part of the plant hands over: gauges by point id, and flows that counters add up."""

import zlib
from dataclasses import dataclass, field

import numpy as np

from simulators.wander import EPOCH_S, Floats


@dataclass(frozen=True, slots=True)
class Flow:
    """A rate per second, its nominal size, and the step of the register that counts it."""

    rate: Floats
    nominal: float
    step: float = 1.0

    def before(self, time_s: float, point: str) -> float:
        """
        Register value at a first instant, so that a later plant has counted more.

        A fifth and more above nominal keeps a plant that starts today ahead of its own history;
        how much more differs, since no two meters were installed on one day.
        """
        past = 1.2 + zlib.crc32(point.encode()) % 1000 / 3000
        return self.nominal * past * max(time_s - EPOCH_S, 0)

    def shown(self, counted: Floats) -> Floats:
        """What the display shows: whole steps only."""
        register: Floats = np.round(np.floor(counted / self.step) * self.step, 6)
        return register


@dataclass(slots=True)
class Readings:
    """Values at some instants: ``gauges`` and ``flows`` by ``"line1/ac1 meter.active_power"``."""

    gauges: dict[str, Floats] = field(default_factory=dict)
    flows: dict[str, Flow] = field(default_factory=dict)

    def gauge(self, equipment: str, **fields: Floats) -> None:
        """``measurement__field=value``; the double underscore stands for the dot."""
        for name, value in fields.items():
            self.gauges[f"{equipment} {name.replace('__', '.')}"] = value

    def count(self, equipment: str, quantity: str, flow: Flow) -> None:
        self.flows[f"{equipment} {quantity}"] = flow
