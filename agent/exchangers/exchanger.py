"""One exchanger: minutes of its readings, from whatever groups bring them, in; figures out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from agent.exchangers.settings import MEASUREMENT, ExchangersConfig
from agent.minutes.window import Windows
from drivers.model import Equipment, Floats, Group, Point, Quality
from drivers.quantities import quantities
from drivers.signals.exchanger import INPUTS, Heat, Working, heat
from drivers.signals.fouling import MINUTE_NS, ExchangerWatch, Found, Judged

_GAS = ("gas_flow", "gas_in_temperature", "gas_out_temperature")
_WATER = ("water_flow", "water_in_temperature", "water_out_temperature")
_UA = (*_GAS, "water_flow", "water_in_temperature")
NEEDS = {  # what each derived field is made of
    "heat_gas": _GAS,
    "heat_water": _WATER,
    "heat_net": (*_WATER, "fan_power", "pump_power"),
    "balance_error": (*_GAS, *_WATER),
    "effectiveness": _UA,
    "ntu": _UA,
    "ua": _UA,
    "ua_clean": _UA,
    "ua_ratio": _UA,
    "ua_trend": _UA,
    "drop_ratio": (*_UA, "gas_pressure_drop"),
}
DIGITS = {"heat_gas": 1, "heat_water": 1, "heat_net": 1, "ua": 3, "ua_clean": 3, "ua_trend": 2}
_DIGITS = 4  # of the others


@dataclass(slots=True)
class Minute:
    """What has come in of a minute: by input its mean, share of the time, count and reason."""

    values: dict[str, float] = field(default_factory=dict)
    good: dict[str, float] = field(default_factory=dict)
    count: dict[str, int] = field(default_factory=dict)
    reason: dict[str, int] = field(default_factory=dict)


class Exchanger:
    """``take`` collects windows of its groups; ``settle`` makes figures of whole minutes."""

    def __init__(self, equipment: Equipment, settings: ExchangersConfig) -> None:
        self.equipment = equipment
        self.watch = ExchangerWatch(settings.limits(str(equipment)))
        self._heat = settings.heat_limits(str(equipment))
        self._least = settings.least_share
        self._sources: dict[Group, list[tuple[int, str]]] = {}
        self._closed: dict[Group, int] = {}
        self._pending: dict[int, Minute] = {}
        self._settled_ns = -1
        self.points: tuple[Point, ...] = ()

    def use(self, settings: ExchangersConfig) -> None:
        """These settings from now on."""
        self.watch.limits = settings.limits(str(self.equipment))
        self._heat = settings.heat_limits(str(self.equipment))
        self._least = settings.least_share

    def meet(self, groups: Iterable[Group], read: set[str]) -> None:
        """These groups are read now; what a device tells by itself (``read``) is not derived."""
        self._sources = {}
        for group in groups:
            found = [
                (place, point.quantity.field)
                for place, point in enumerate(group.points)
                if point.equipment == self.equipment
                and point.quantity.measurement == MEASUREMENT
                and point.quantity.field in INPUTS
            ]
            if found:
                self._sources[group] = found
        self._closed = {g: ns for g, ns in self._closed.items() if g in self._sources}
        told = {name for found in self._sources.values() for _, name in found}
        device = next((group.device for group in self._sources), "")
        known = quantities()
        points = (
            Point(self.equipment, known[f"{MEASUREMENT}.{name}"], device, "computed", "float64")
            for name, needs in NEEDS.items()
            if told.issuperset(needs)
        )
        self.points = tuple(point for point in points if point.id not in read)

    def hears(self, group: Group) -> bool:
        return group in self._sources

    def take(self, group: Group, windows: Windows) -> None:
        """A closed window of one of its groups; one that comes too late is left out."""
        self._closed[group] = windows.start_ns
        if windows.start_ns <= self._settled_ns:
            return
        minute = self._pending.setdefault(windows.start_ns, Minute())
        for place, name in self._sources[group]:
            good = float(windows.good[place])
            minute.good[name] = good
            minute.count[name] = int(windows.count[place])
            minute.reason[name] = int(windows.reason[place]) or Quality.NO_DATA
            value = float(windows.mean[place])
            minute.values[name] = value if good >= self._least else float("nan")

    def whole(self) -> list[int]:
        """Pending minutes that all groups have closed, oldest first."""
        upto_ns = min((self._closed.get(group, -1) for group in self._sources), default=-1)
        return sorted(at_ns for at_ns in self._pending if at_ns <= upto_ns)

    def over(self, now_ns: int, grace_ns: Mapping[Group, int]) -> list[int]:
        """Pending minutes for which nothing more can come, though some group is silent."""
        wait_ns = max((grace_ns.get(group, 0) for group in self._sources), default=0) + MINUTE_NS
        return sorted(at_ns for at_ns in self._pending if at_ns + MINUTE_NS + wait_ns <= now_ns)

    def settle(self, at_ns: int) -> tuple[Windows, Judged]:
        """Figures of one of the pending minutes; in order of time."""
        minute = self._pending.pop(at_ns)
        self._settled_ns = at_ns
        readings = {name: minute.values.get(name, float("nan")) for name in INPUTS}
        columns = {name: np.array([value]) for name, value in readings.items()}
        figures = heat(columns, self._heat)
        working = int(figures.working[0])
        found = Found(working, float(figures.balance[0]), float(figures.ua_kw_k[0]))
        judged = self.watch.minute(at_ns, readings, found)
        return self._windows(at_ns, minute, _values(figures, judged), working), judged

    def _windows(
        self, at_ns: int, minute: Minute, values: Mapping[str, float], working: int
    ) -> Windows:
        names = [point.quantity.field for point in self.points]
        value: Floats = np.array(
            [round(values[name], DIGITS.get(name, _DIGITS)) for name in names], dtype=np.float64
        )
        there = np.isfinite(value)
        good = np.array([min(minute.good.get(n, 0.0) for n in NEEDS[name]) for name in names])
        count = np.array([min(minute.count.get(n, 0) for n in NEEDS[name]) for name in names])
        reason = [
            self._reason(minute, NEEDS[name], working, known)
            for name, known in zip(names, there.tolist(), strict=True)
        ]
        return Windows(
            points=self.points,
            start_ns=at_ns,
            period_s=60,
            mean=value,
            low=value,
            high=value,
            last=value,
            increment=np.full(len(names), np.nan),
            count=np.where(there, count, 0).astype(np.int64),
            good=np.where(there, good, 0.0),
            reason=np.array(reason, dtype=np.uint8),
        )

    def _reason(self, minute: Minute, needs: Sequence[str], working: int, known: bool) -> int:
        """Of a missing figure: why its first missing reading is; else what the exchanger does."""
        for name in needs:
            if minute.good.get(name, 0.0) < (1.0 if known else self._least):
                return minute.reason.get(name, int(Quality.NO_DATA))
        if known:
            return int(Quality.GOOD)
        wrong = working == Working.CONTRADICTED
        return int(Quality.OUT_OF_RANGE if wrong else Quality.NOT_AVAILABLE)


def _values(figures: Heat, judged: Judged) -> dict[str, float]:
    """By the derived fields."""
    return {
        "heat_gas": float(figures.gas_kw[0]),
        "heat_water": float(figures.water_kw[0]),
        "heat_net": float(figures.net_kw[0]),
        "balance_error": float(figures.balance[0]),
        "effectiveness": float(figures.effectiveness[0]),
        "ntu": float(figures.ntu[0]),
        "ua": float(figures.ua_kw_k[0]),
        "ua_clean": judged.ua_clean,
        "ua_ratio": judged.ua_ratio,
        "ua_trend": judged.ua_trend,
        "drop_ratio": judged.drop_ratio,
    }
