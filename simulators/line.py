"""Electricity of one potline: line current, rectifiers, AC and DC meters, auxiliaries."""

from dataclasses import dataclass

import numpy as np

from simulators.flows import Flow, Readings
from simulators.planted import Load, load_share
from simulators.wander import FAST_S, Floats, Wander, ambient_c, local_hour

BUS_OHM_PER_POT = 2.5e-8  # bus bars between the last pot and the rectifiers, per pot
DIP_PER_EFFECT = 0.004  # the regulators do not hold the current fully during an anode effect
AUX_KW_PER_POT = 31.0
FGD_KW_PER_POT = 7.5


@dataclass(frozen=True, slots=True)
class LineState:
    """What the rest of the plant needs from the pots at some instants."""

    time_s: Floats
    current_ka: Floats
    pots_v: Floats  # sum of pot voltages
    carbon_kg_s: Floats  # net anode carbon burnt
    effects: Floats  # pots in anode effect
    running: Floats | None = None  # pots in operation; None = all


class Line:
    """One potline as functions of time; ``name`` is its area (``line1``)."""

    def __init__(
        self, name: str, pots: int, current_ka: float, seed: int, loads: tuple[Load, ...] = ()
    ) -> None:
        self.name = name
        self.loads = loads  # of this line only
        self.pots = pots
        self.current_nominal_ka = current_ka
        self.rectifiers = 4 if pots <= 100 else 6
        self._slow = Wander(seed, f"{name} current")
        self._fast = Wander(seed, f"{name} current fast", FAST_S)
        self._aux = Wander(seed, f"{name} auxiliaries")
        self._share = [Wander(seed, f"{name} rectifier {k}") for k in range(self.rectifiers)]
        draw = np.random.default_rng([seed, pots, 11])
        self._efficiency = 0.983 + draw.normal(0, 0.001, self.rectifiers)
        self._factor = 0.955 + draw.uniform(0, 0.01)

    def current_ka(self, time_s: Floats, effects: Floats) -> Floats:
        """Line current; dips while pots are in anode effect."""
        wanders = 1 + 0.0018 * self._slow(time_s) + 0.0007 * self._fast(time_s)
        current: Floats = self.current_nominal_ka * wanders - self.dip_ka(effects)
        return current * load_share(self.loads, time_s) if self.loads else current

    def dip_ka(self, effects: Floats) -> Floats:
        """What the regulators lose while that many pots are in anode effect."""
        dip: Floats = self.current_nominal_ka * np.minimum(DIP_PER_EFFECT * effects, 0.017)
        return dip

    def dc_kw(self, state: LineState) -> Floats:
        """Power at the rectifiers' DC side: volts times kiloamperes."""
        power: Floats = self.line_v(state) * state.current_ka
        return power

    def line_v(self, state: LineState) -> Floats:
        """Pot voltages and the bus bars that no pot counts."""
        bus = BUS_OHM_PER_POT * self.pots * state.current_ka * 1000
        volts: Floats = state.pots_v + bus
        return volts

    def rectifier_kw(self, state: LineState) -> tuple[list[Floats], list[Floats]]:
        """DC current (kA) and AC power (kW) of each rectifier."""
        parts = [1 + 0.01 * share(state.time_s) for share in self._share]
        total = np.sum(parts, axis=0)
        volts = self.line_v(state)
        currents = [state.current_ka * part / total for part in parts]
        powers = [
            volts * current / efficiency
            for current, efficiency in zip(currents, self._efficiency, strict=True)
        ]
        return currents, powers

    def auxiliary_kw(self, time_s: Floats) -> Floats:
        """Fans, compressed air, cranes, lighting; more on the day shift."""
        day = 0.06 * np.sin(2 * np.pi * (local_hour(time_s) - 8) / 24)
        power: Floats = AUX_KW_PER_POT * self.pots * (1 + day + 0.02 * self._aux(time_s))
        return power

    def desulphurisation_kw(self, time_s: Floats) -> Floats:
        power: Floats = FGD_KW_PER_POT * self.pots * (1 + 0.015 * self._aux(time_s + 7_777))
        return power

    def readings(self, state: LineState) -> Readings:
        """Every electrical point of the line."""
        out = Readings()
        time_s = state.time_s
        currents, powers = self.rectifier_kw(state)
        volts = self.line_v(state)
        out.gauge(
            f"{self.name}/series",
            potline__current=state.current_ka,
            potline__voltage=volts,
            potline__pots_running=np.full_like(time_s, self.pots)
            if state.running is None
            else state.running,
        )
        for k, (current, power) in enumerate(zip(currents, powers, strict=True), 1):
            load = current / (self.current_nominal_ka / self.rectifiers)
            out.gauge(
                f"{self.name}/rect{k}",
                rectifier__dc_current=current,
                rectifier__dc_voltage=volts + 0.4,
                rectifier__ac_power=power,
                rectifier__oil_temperature=ambient_c(time_s) + 32 * load + k,
                rectifier__cooling_water_temperature=29 + 6 * load + 0.1 * k,
                rectifier__running=np.ones_like(time_s),
            )
        half = self.rectifiers // 2
        self._meter(out, "ac1", np.sum(powers[:half], axis=0), 10.0)
        self._meter(out, "ac2", np.sum(powers[half:], axis=0), 10.0)
        self._meter(out, "dc1", self.dc_kw(state), 1.0)
        self._meter(out, "aux1", self.auxiliary_kw(time_s), 0.1)
        self._meter(out, "fgd1", self.desulphurisation_kw(time_s), 0.1)
        return out

    def _meter(self, out: Readings, unit: str, power_kw: Floats, step_kwh: float) -> None:
        equipment = f"{self.name}/{unit}"
        nominal_kw = {
            "ac1": 4.0 * self.current_nominal_ka * self.pots / 2,
            "ac2": 4.0 * self.current_nominal_ka * self.pots / 2,
            "dc1": 4.0 * self.current_nominal_ka * self.pots,
            "aux1": AUX_KW_PER_POT * self.pots,
            "fgd1": FGD_KW_PER_POT * self.pots,
        }[unit]
        out.gauge(equipment, meter__active_power=power_kw)
        out.count(
            equipment,
            "meter.energy_import",
            Flow(power_kw / 3600, nominal_kw / 3600, step_kwh),
        )
        if unit.startswith("ac"):
            angle = np.tan(np.arccos(self._factor))
            out.gauge(equipment, meter__power_factor=np.full_like(power_kw, self._factor))
            out.count(
                equipment,
                "meter.reactive_import",
                Flow(power_kw * angle / 3600, nominal_kw * angle / 3600, step_kwh),
            )
