"""The plant around the potlines: grid meter, photovoltaics, green power, water, gas, heat."""

import numpy as np

from simulators.flows import Flow, Readings
from simulators.wander import EPOCH_S, Floats, Wander, local_hour

PV_KW_PER_POT = 90.0
GREEN_SHARE = 0.28  # of the grid import, bought as green power
GAS_NM3_H_PER_POT = 4.0  # anode baking and cast house


class Utilities:
    """Everything that belongs to no potline, as functions of time."""

    def __init__(self, pots: int, seed: int) -> None:
        self.pots = pots
        self.less_gas: tuple[float, float, float] | None = None  # from, to (unix s), share left
        self._cloud = Wander(seed, "cloud", (86_400 * 5.3, 86_400 * 1.7, 9_000.0, 2_100.0, 600.0))
        self._use = Wander(seed, "utilities")

    def irradiance(self, time_s: Floats) -> Floats:
        """W/m2 on the panels; zero at night, clouds wander."""
        season = np.cos(2 * np.pi * ((time_s - EPOCH_S) / 86_400 - 172) / 365.25)
        half_day_h = 6 + 1.3 * season
        arc = np.cos(np.pi / 2 * (local_hour(time_s) - 12.2) / half_day_h)
        high = np.where(np.abs(local_hour(time_s) - 12.2) < half_day_h, arc, 0.0)
        clear = np.clip(0.72 + 0.25 * self._cloud(time_s), 0.08, 1.0)
        light: Floats = (880 + 120 * season) * np.maximum(high, 0) * clear
        return light

    def pv_kw(self, time_s: Floats) -> Floats:
        power: Floats = PV_KW_PER_POT * self.pots * self.irradiance(time_s) / 1000 * 0.84
        return power

    def readings(self, time_s: Floats, process_kw: Floats, nominal_kw: float) -> Readings:
        """Every shared point; ``process_kw`` is what potlines and gas cleaning draw."""
        out = Readings()
        wander = 1 + 0.05 * self._use(time_s)
        pv = self.pv_kw(time_s)
        grid = process_kw + 18.0 * self.pots * wander - pv
        out.gauge("plant/grid1", meter__active_power=grid)
        out.count("plant/grid1", "meter.energy_import", _per_hour(grid, nominal_kw, 10.0))
        out.gauge("plant/pv1", pv__power=pv, pv__irradiance=self.irradiance(time_s))
        out.count("plant/pv1", "pv.energy", _per_hour(pv, PV_KW_PER_POT * self.pots * 0.2, 0.1))
        green = np.maximum(grid, 0) * GREEN_SHARE
        out.count(
            "plant/green1", "green_power.energy", _per_hour(green, nominal_kw * GREEN_SHARE, 1.0)
        )
        water = 0.16 * self.pots * wander
        out.gauge(
            "plant/water1", water__flow=water, water__temperature=16 + 3 * self._use(time_s + 31)
        )
        out.count("plant/water1", "water.volume", _per_hour(water, 0.16 * self.pots, 0.01))
        fuel = GAS_NM3_H_PER_POT * self.pots * wander
        if self.less_gas is not None:
            begin_s, end_s, left = self.less_gas
            fuel = np.where((time_s > begin_s) & (time_s <= end_s), left * fuel, fuel)
        out.gauge(
            "plant/gas1",
            gas__flow=fuel,
            gas__pressure=280 + 5 * self._use(time_s + 17),
            gas__temperature=18 + 4 * self._use(time_s + 5),
        )
        out.count("plant/gas1", "gas.volume", _per_hour(fuel, GAS_NM3_H_PER_POT * self.pots, 0.01))
        heat_kw = 9.0 * self.pots * (1 + 0.2 * self._use(time_s + 77))
        out.gauge("plant/heat1", heat__flow=heat_kw)
        out.count(
            "plant/heat1",
            "heat.energy",
            Flow(heat_kw * 1e-6, 9.0 * self.pots * 1e-6, 0.001),
        )
        return out


def _per_hour(rate: Floats, nominal: float, step: float) -> Flow:
    return Flow(rate / 3600, nominal / 3600, step)
