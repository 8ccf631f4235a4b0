"""Heat exchangers between flue gas and water: heat of both sides, balance, effectiveness, UA."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from drivers.model import Floats

INPUTS: Final = (  # fields of measurement heat_recovery
    *("gas_flow", "gas_in_temperature", "gas_out_temperature"),
    *("water_flow", "water_in_temperature", "water_out_temperature"),
    *("gas_pressure_drop", "fan_power", "pump_power"),
)
SECONDS_PER_HOUR: Final = 3600.0
EVEN: Final = 1e-12  # capacity flows that differ by less than this share are alike


class Working(IntEnum):
    """What can be said of an exchanger in one minute."""

    YES = 0
    UNKNOWN = 1  # a reading is missing
    STANDING = 2  # no gas, no water, or gas hardly warmer than water: no heat to judge it by
    CONTRADICTED = 3  # no exchanger could do what the sensors say


@dataclass(frozen=True, slots=True)
class HeatLimits:
    """Parameters of the arithmetic; every one is the plant's to set."""

    gas_kj_nm3_k: float = 1.31  # heat capacity of pot gas
    water_kj_kg_k: float = 4.186
    least_k: float = 10.0  # gas must come warmer than water by this
    sensor_k: float = 1.0  # outlets may lie outside the inlets by this error of sensors
    fan_before_kw: float = 0.0  # power of the fan without the exchanger


@dataclass(frozen=True, slots=True, eq=False)
class Heat:
    """
    Arrays of one shape; NaN where a figure cannot be stated.

    ``gas_kw`` heat the gas gave, ``water_kw`` heat the water took, ``net_kw`` the latter less the
    extra power of fan and pump, ``balance`` (gas − water)/gas, ``effectiveness`` and ``ntu`` of a
    counterflow exchanger and ``ua_kw_k`` by the gas side, ``working`` codes of Working.
    """

    gas_kw: Floats
    water_kw: Floats
    net_kw: Floats
    balance: Floats
    effectiveness: Floats
    ntu: Floats
    ua_kw_k: Floats
    working: npt.NDArray[np.uint8]


def heat(readings: Mapping[str, Floats], limits: HeatLimits | None = None) -> Heat:
    """
    What exchangers did, from their readings by the names of INPUTS (NaN: not known).

    Flows in Nm3/h and kg/s, temperatures in degC, powers in kW; arrays over minutes or exchangers.
    An input that is not there at all is NaN throughout. Same equations as ``smelter compute
    heat_exchanger``: Q = V·c/3600·(t1 − t2), eff = Q/(C_min·(t_gas,in − t_water,in)),
    NTU = ln((1 − eff·C_r)/(1 − eff))/(1 − C_r), UA = NTU·C_min (effectiveness-NTU method).
    """
    limits = limits or HeatLimits()
    known = next(iter(readings.values()))
    nothing = np.full(np.shape(known), np.nan)
    get = {name: readings.get(name, nothing) for name in INPUTS}
    gas_in, gas_out = get["gas_in_temperature"], get["gas_out_temperature"]
    water_in, water_out = get["water_in_temperature"], get["water_out_temperature"]
    gas = get["gas_flow"] * (limits.gas_kj_nm3_k / SECONDS_PER_HOUR)
    water = get["water_flow"] * limits.water_kj_kg_k
    gas_kw = gas * (gas_in - gas_out)
    water_kw = water * (water_out - water_in)
    with np.errstate(invalid="ignore", divide="ignore"):
        least, most = np.minimum(gas, water), np.maximum(gas, water)
        effectiveness = gas_kw / (least * (gas_in - water_in))
        working = _working(get, effectiveness, limits)
        effectiveness = np.where(working == Working.YES, effectiveness, np.nan)
        ntu = transfer_units(effectiveness, least / most)
        balance = np.where(
            (working == Working.YES) & (gas_kw > 0), (gas_kw - water_kw) / gas_kw, np.nan
        )
    told = working != Working.CONTRADICTED  # of which side the sensors are wrong nobody knows
    gas_kw, water_kw = np.where(told, gas_kw, np.nan), np.where(told, water_kw, np.nan)
    extra_kw = get["fan_power"] - limits.fan_before_kw + get["pump_power"]
    ua = ntu * least
    return Heat(gas_kw, water_kw, water_kw - extra_kw, balance, effectiveness, ntu, ua, working)


def _working(
    get: Mapping[str, Floats], effectiveness: Floats, limits: HeatLimits
) -> npt.NDArray[np.uint8]:
    needed = [get[name] for name in INPUTS[:5]]
    gas_in, gas_out, water_in = needed[1], needed[2], needed[4]
    unknown = ~np.isfinite(np.stack(needed)).all(axis=0)
    flows = (needed[0] > 0) & (needed[3] > 0)
    low = np.minimum(gas_in, water_in) - limits.sensor_k
    high = np.maximum(gas_in, water_in) + limits.sensor_k
    outside = [(out < low) | (out > high) for out in (gas_out, get["water_out_temperature"])]
    driven = flows & (gas_in - water_in >= limits.least_k)
    wrong = flows & (outside[0] | outside[1])
    wrong |= driven & (effectiveness >= 1)
    codes = np.where(driven, Working.YES, Working.STANDING)
    codes = np.where(wrong, Working.CONTRADICTED, codes)
    found: npt.NDArray[np.uint8] = np.where(unknown, Working.UNKNOWN, codes).astype(np.uint8)
    return found


def transfer_units(effectiveness: Floats, ratio: Floats) -> Floats:
    """NTU of a counterflow exchanger; ``ratio`` is C_min/C_max, effectiveness below 1."""
    gap = 1 - ratio
    even = gap < EVEN
    part = effectiveness / (1 - effectiveness)
    safe = np.where(even, 1.0, gap)
    # (1 − eff·C_r)/(1 − eff) = 1 + eff/(1 − eff)·(1 − C_r), without loss of digits near C_r = 1
    found: Floats = np.where(even, part, np.log1p(part * safe) / safe)
    return found
