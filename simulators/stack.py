"""Dry scrubber, wet desulphurisation and the stack with its CEMS, one chain per potline."""

from dataclasses import dataclass

import numpy as np

from simulators.flows import Flow, Readings
from simulators.line import LineState
from simulators.wander import FAST_S, Floats, Wander, local_hour

GAS_NM3_H_PER_POT = 7_500.0  # dry, at 0 degC and 101.325 kPa
SULPHUR_SHARE = 0.020  # of the anode carbon
FGD_REMOVAL = 0.905
SPAN = {"pm": 16.0, "so2": 80.0, "nox": 40.0, "fluoride": 4.0}  # calibration gas, mg/m3
RUNNING, CALIBRATION, MAINTENANCE = 0.0, 1.0, 2.0
LOCAL_S = 28_800


@dataclass(frozen=True, slots=True)
class Emission:
    """True emission of the chain: mass flows in kg/h, gas in dry Nm3/h."""

    gas_nm3_h: Floats
    pm: Floats
    so2: Floats
    nox: Floats
    fluoride: Floats


def instrument_state(time_s: Floats) -> Floats:
    """Zero and span check daily 02:00-02:15; maintenance on the 10th, 10:00-12:00 local."""
    hour = local_hour(time_s)
    days = np.floor((time_s + LOCAL_S) / 86_400).astype("datetime64[D]")
    of_month = (days - days.astype("datetime64[M]")).astype(np.int64) + 1
    state = np.where((hour >= 2) & (hour < 2.25), CALIBRATION, RUNNING)
    held = (of_month == 10) & (hour >= 10) & (hour < 12)
    states: Floats = np.where(held, MAINTENANCE, state)
    return states


class Stack:
    """Gas cleaning of one potline as functions of time; ``area`` is ``gtc1``."""

    def __init__(self, area: str, pots: int, seed: int) -> None:
        self.area = area
        self.pots = pots
        self._slow = {
            name: Wander(seed, f"{area} {name}")
            for name in ("flow", "sulphur", "removal", "pm", "nox", "fluoride", "wet")
        }
        self._fast = {name: Wander(seed, f"{area} {name} fast", FAST_S) for name in SPAN}
        # A duct in which the design flow moves at 14 m/s, warm and wet.
        wet_m3_s = GAS_NM3_H_PER_POT * pots / 3600 * (273.15 + 52) / 273.15 / (1 - 0.115)
        self.duct_m2 = round(wet_m3_s / 14, 2)

    def gas_nm3_h(self, time_s: Floats) -> Floats:
        flow: Floats = GAS_NM3_H_PER_POT * self.pots * (1 + 0.02 * self._slow["flow"](time_s))
        return flow

    def emission(self, state: LineState) -> Emission:
        """Mass balance: sulphur of the burnt anodes through the desulphurisation."""
        time_s = state.time_s
        gas = self.gas_nm3_h(time_s)
        sulphur = SULPHUR_SHARE * (1 + 0.03 * self._slow["sulphur"](time_s))
        passed = (1 - FGD_REMOVAL) * np.exp(
            0.10 * self._slow["removal"](time_s) + 0.04 * self._fast["so2"](time_s)
        )
        return Emission(
            gas_nm3_h=gas,
            pm=gas * 1e-6 * self._level(time_s, "pm", 3.6),
            so2=state.carbon_kg_s * 3600 * sulphur * 2 * passed,
            nox=gas * 1e-6 * self._level(time_s, "nox", 5.0),
            fluoride=gas * 1e-6 * self._level(time_s, "fluoride", 0.55) * (1 + 0.2 * state.effects),
        )

    def _level(self, time_s: Floats, name: str, mg_m3: float) -> Floats:
        level: Floats = mg_m3 * np.exp(
            0.15 * self._slow[name](time_s) + 0.08 * self._fast[name](time_s)
        )
        return level

    def readings(self, state: LineState) -> Readings:
        """Every point of scrubber, desulphurisation and stack."""
        out = Readings()
        time_s = state.time_s
        emission = self.emission(state)
        self._cems(out, time_s, emission)
        bag = np.mod(time_s, 1_800) / 1_800
        out.gauge(
            f"{self.area}/scrubber1",
            scrubber__pressure_drop=1_350 + 260 * bag + 30 * self._slow["flow"](time_s),
            scrubber__fan_current=95 * (emission.gas_nm3_h / GAS_NM3_H_PER_POT / self.pots) ** 2,
            scrubber__alumina_feed=238.0 * self.pots * (1 + 0.03 * self._slow["pm"](time_s)),
            scrubber__running=np.ones_like(time_s),
        )
        out.gauge(
            f"{self.area}/fgd1",
            desulphurisation__ph=5.6 + 0.1 * self._slow["removal"](time_s),
            desulphurisation__slurry_flow=9.0 * self.pots * (1 + 0.01 * self._slow["wet"](time_s)),
            desulphurisation__running=np.ones_like(time_s),
        )
        water = 0.055 * self.pots * (1 + 0.1 * self._slow["wet"](time_s))
        out.gauge(f"{self.area}/fgd_water1", water__flow=water)
        out.count(
            f"{self.area}/fgd_water1",
            "water.volume",
            Flow(water / 3600, 0.055 * self.pots / 3600, 0.01),
        )
        return out

    def _cems(self, out: Readings, time_s: Floats, emission: Emission) -> None:
        state = instrument_state(time_s)
        warm = 52 + 1.2 * self._slow["wet"](time_s)
        wet = 11.5 + 0.6 * self._slow["wet"](time_s + 999)
        static = -140 + 12 * self._slow["flow"](time_s + 55)
        per_second = emission.gas_nm3_h / 3600
        # What became of a dry normal cubic metre in the duct, where analysers measure, hot and wet.
        swollen = (273.15 + warm) / 273.15 * 101_325 / (101_325 + static) / (1 - wet / 100)
        actual = per_second * swollen
        zero_gas = local_hour(time_s) < 2.125
        measured: dict[str, Floats] = {}
        for name, span in SPAN.items():
            true = getattr(emission, name) / emission.gas_nm3_h * 1e6
            gas = np.where(zero_gas, 0.01 * span, span)
            seen = np.where(state == CALIBRATION, gas, true / swollen)
            measured[f"stack__{name}"] = np.where(state == MAINTENANCE, 0.0, seen)
        out.gauge(
            f"{self.area}/stack1",
            **measured,
            stack__o2=(20.55 + 0.05 * self._slow["flow"](time_s + 5)) * (1 - wet / 100),  # wet too
            stack__velocity=actual / self.duct_m2,
            stack__temperature=warm,
            stack__pressure=static,
            stack__humidity=wet,
            stack__flow=actual * 3600,
            stack__instrument_state=state,
        )
