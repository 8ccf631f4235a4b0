"""Flue-gas heat recovery before the gas cleaning: counter-flow exchanger with fouling."""

import numpy as np

from simulators.flows import Flow, Readings
from simulators.line import LineState
from simulators.stack import GAS_NM3_H_PER_POT
from simulators.wander import EPOCH_S, Floats, Wander, ambient_c

GAS_KJ_NM3K = 1.31
WATER_KJ_KGK = 4.186
CASING_LOSS = 0.03
CLEAN_NTU = 1.5
CLEANING_DAYS = 40.0
FOULING_AT_END = 0.30  # extra resistance, share of the clean one, just before cleaning


class HeatRecovery:
    """One exchanger as functions of time; ``area`` is ``gtc1``."""

    def __init__(self, area: str, pots: int, seed: int) -> None:
        self.area = area
        self.pots = pots
        self._gas = Wander(seed, f"{area} gas temperature")
        self._water = Wander(seed, f"{area} return water")
        self._offset_days = float(np.random.default_rng([seed, 31]).uniform(0, CLEANING_DAYS))
        nominal = GAS_NM3_H_PER_POT * pots / 3600 * GAS_KJ_NM3K  # kW/K
        self.clean_kw_k = CLEAN_NTU * nominal
        self.water_kg_s = round(1.1 * nominal / WATER_KJ_KGK, 1)

    def fouling(self, time_s: Floats) -> Floats:
        """0 just after cleaning, 1 just before the next."""
        days = (time_s - EPOCH_S) / 86_400 + self._offset_days
        dirty: Floats = np.mod(days, CLEANING_DAYS) / CLEANING_DAYS
        return dirty

    def readings(self, state: LineState, gas_dry_nm3_h: Floats) -> Readings:
        """Every point of the exchanger."""
        time_s = state.time_s
        gas = gas_dry_nm3_h / 0.985  # pot gas carries little moisture before the wet stage
        load = state.current_ka * state.pots_v / self.pots
        hot_in = 92 + 0.4 * ambient_c(time_s) + 0.02 * load + 2 * self._gas(time_s)
        cold_in = 52 + 1.5 * self._water(time_s)
        hot_kw_k = gas / 3600 * GAS_KJ_NM3K
        cold_kw_k = self.water_kg_s * WATER_KJ_KGK
        dirty = self.fouling(time_s)
        ua = self.clean_kw_k / (1 + FOULING_AT_END * dirty)
        ua = ua * (gas / (GAS_NM3_H_PER_POT * self.pots)) ** 0.6
        from_gas = effectiveness(ua, hot_kw_k, cold_kw_k) * (
            np.minimum(hot_kw_k, cold_kw_k) * (hot_in - cold_in)
        )
        to_water = from_gas * (1 - CASING_LOSS)
        out = Readings()
        drop = 620 * (gas / (GAS_NM3_H_PER_POT * self.pots)) ** 1.8 * (1 + 0.45 * dirty)
        out.gauge(
            f"{self.area}/hx1",
            heat_recovery__gas_flow=gas,
            heat_recovery__gas_in_temperature=hot_in,
            heat_recovery__gas_out_temperature=hot_in - from_gas / hot_kw_k,
            heat_recovery__gas_pressure_drop=drop,
            heat_recovery__water_flow=np.full_like(time_s, self.water_kg_s),
            heat_recovery__water_in_temperature=cold_in,
            heat_recovery__water_out_temperature=cold_in + to_water / cold_kw_k,
            heat_recovery__heat_flow=to_water,
            heat_recovery__fan_power=gas / 3600 * drop / 1000 / 0.7,
            heat_recovery__pump_power=np.full_like(time_s, 0.25 * self.water_kg_s),
        )
        nominal_kw = 0.55 * self.clean_kw_k / CLEAN_NTU * 75
        out.count(
            f"{self.area}/hx1",
            "heat_recovery.heat_energy",
            Flow(to_water * 1e-6, nominal_kw * 1e-6, 0.01),
        )
        return out


def effectiveness(ua: Floats, hot_kw_k: Floats, cold_kw_k: float) -> Floats:
    """Counter-flow exchanger, share of the largest possible heat flow."""
    least = np.minimum(hot_kw_k, cold_kw_k)
    ratio = least / np.maximum(hot_kw_k, cold_kw_k)
    ntu = ua / least
    even = np.abs(1 - ratio) < 1e-6
    safe = np.where(even, 0.5, ratio)
    grown = np.exp(-ntu * (1 - safe))
    share: Floats = np.where(even, ntu / (1 + ntu), (1 - grown) / (1 - safe * grown))
    return share
