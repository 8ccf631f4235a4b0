"""From the plant to the devices: what each device believes, after the value faults."""

from collections.abc import Mapping

import numpy as np

from simulators.faults import Faults
from simulators.plant import Plant
from simulators.points import COUNTER_FIELDS, FLAG_FIELDS, Column, Device
from simulators.registers import Bank, encode
from simulators.wander import Floats

LINK_LOST_ZERO = ("voltage", "resistance", "noise_lf", "noise_hf", "feed_interval")


class Believed:
    """
    Values of the plant as its devices believe them.

    Counter faults act once when they begin: ``rollover`` moves a counter close to the end of its
    register, ``reset`` to zero; the counter then runs on from there.
    """

    def __init__(self, plant: Plant, faults: Faults) -> None:
        self.plant = plant
        self.faults = faults
        self._shift: dict[str, float] = {}
        self._done: set[tuple[str, str]] = set()
        self._frozen: dict[str, Floats] = {}

    def pots(self, index: int, device: str) -> dict[str, Floats]:
        """Columns of all pots of a line for one device; stuck, NaN and lost pots are in them."""
        section = self.plant.sections[index]
        current = self.plant.gauges[f"{section.name}/series potline.current"]
        columns = section.pot_columns(current)
        if not self.faults.any() and not self._shift:
            self._frozen.clear()
            return columns
        columns = {name: values.copy() for name, values in columns.items()}
        for k in range(section.pots.count):
            target = f"{section.name}/pot{k + 1:03d}"
            self._pot_faults(columns, k, (device, target))
        return columns

    def _pot_faults(self, columns: dict[str, Floats], k: int, targets: tuple[str, str]) -> None:
        key = targets[1]
        if self.faults.active("stuck", *targets):
            held = self._frozen.setdefault(key, np.array([v[k] for v in columns.values()]))
            for values, old in zip(columns.values(), held, strict=True):
                values[k] = old
        else:
            self._frozen.pop(key, None)
        if self.faults.active("nan", *targets):
            for name, values in columns.items():
                if name not in (*FLAG_FIELDS, *COUNTER_FIELDS):
                    values[k] = np.nan
        for name in COUNTER_FIELDS:
            point = f"{key} pot.{name}"
            columns[name][k] = self._shifted(point, columns[name][k], targets, 2.0**32, 1.0)
        if self.faults.active("link_lost", *targets):
            for name in LINK_LOST_ZERO:
                columns[name][k] = 0.0
            columns["link"][k] = 1.0

    def single(self, point: str, device: str, modulus: float = 0.0) -> float:
        """Value of a point that belongs to no pot; counters as their display shows them."""
        equipment = point.partition(" ")[0]
        if point in self.plant.counters:
            value = self._counter(point, (device, equipment), modulus)
        else:
            value = self.plant.gauges[point]
        if not self.faults.any():
            return value
        if self.faults.active("stuck", device, equipment):
            return float(self._frozen.setdefault(point, np.array([value]))[0])
        self._frozen.pop(point, None)
        if point in self.plant.gauges and self.faults.active("nan", device, equipment):
            return float("nan")
        return value

    def _counter(self, point: str, targets: tuple[str, str], modulus: float) -> float:
        step = self.plant.counter_steps[point]
        end = modulus or 2.0**32 * step
        return self._shifted(point, self.plant.register(point), targets, end, step)

    def _shifted(
        self, point: str, value: float, targets: tuple[str, str], end: float, step: float
    ) -> float:
        """A counter after the faults that moved it; ``end`` is where its register rolls over."""
        for name in ("rollover", "reset"):
            if self.faults.active(name, *targets) is None:
                self._done.discard((name, point))
            elif (name, point) not in self._done:
                self._done.add((name, point))
                goal = end - 20 * step if name == "rollover" else 0.0
                self._shift[point] = goal - value
        return value + self._shift.get(point, 0.0)


def fill(device: Device, bank: Bank, believed: Believed) -> None:
    """Writes the present values of a device into its bank."""
    bank.tick()
    bank.torn = believed.faults.active("torn", device.name) is not None
    if device.section is not None:
        pots = believed.pots(device.section, device.name)
        for column in device.columns:
            _fill_pots(column, bank, pots)
        return
    for column in device.columns:
        point = f"{column.equipment} {column.quantity}"
        value = believed.single(point, device.name, column.modulus)
        bank.put_value(column.area, column.address, value / column.scale, column.type, column.order)


def _fill_pots(column: Column, bank: Bank, pots: Mapping[str, Floats]) -> None:
    chosen = slice(column.first, column.first + column.count)
    part = pots[column.quantity.partition(".")[2]][chosen]
    if column.bit is not None:
        rows = np.zeros((len(part), 2), dtype=np.uint8)
        for bit, name in enumerate(FLAG_FIELDS):
            rows[:, 1] |= (pots[name][chosen] > 0).astype(np.uint8) << np.uint8(bit)
    elif column.type == "bool":
        rows = (part > 0).astype(np.uint8)[:, None]
    else:
        rows = encode(part / column.scale, column.type, column.order)
    bank.put_column(column.area, column.address, column.stride, rows)
