"""
Stack gas as arrays: standard state, dry basis, reference oxygen, flow, minute means.

The same equations as ``smelter compute`` has in Decimal (``reports/formulas/stack.py``), for many
readings at once. Inputs are arrays of one shape or numbers; NaN is a reading that is not there and
makes NaN of whatever needs it. Concentrations in mg/m3, moisture as a fraction, O2 in percent.
Source of the equations: HJ 212-2017 appendix D.2, numbers in brackets.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from drivers.model import Floats

Some = Floats | float
Mask = npt.NDArray[np.bool_]
NoxFrom = Literal["nox", "no", "no+no2"]

STANDARD_K: Final = 273.0  # as the standard prints it, not 273.15
STANDARD_PA: Final = 101_325.0
NO_G_MOL: Final = 30.006
NO2_G_MOL: Final = 46.005
NEAR_INITIAL: Final = 0.5  # % O2 below that of the air: our own limit of what conversion can mean
POLLUTANTS: Final = ("pm", "so2", "nox", "fluoride", "nh3", "hcl", "co", "asphalt_fume")
GAS: Final = (  # readings besides the pollutants
    *("o2", "velocity", "temperature", "pressure", "humidity", "flow", "ambient_pressure"),
    *("no", "no2"),
)


class Converted(NamedTuple):
    """``value`` at the reference oxygen, NaN where ``meaningless``: O2 too near that of the air."""

    value: Floats
    meaningless: Mask


def standard_state(
    c: Some, temperature_c: Some, ambient_pa: Some, static_pa: Some, *, zero_k: float = STANDARD_K
) -> Floats:
    """(18) Concentration at 273 K and 101,325 Pa, wet as it was: C·(273+t)/273·101325/(Ba+Ps)."""
    kelvin = (zero_k + np.asarray(temperature_c)) / zero_k
    found: Floats = np.asarray(c) * kelvin * (STANDARD_PA / (np.asarray(ambient_pa) + static_pa))
    return found


def dry_basis(c: Some, moisture: Some) -> Floats:
    """(19) From wet to dry: C/(1 − Xsw); of O2 just the same. ``moisture`` is a fraction."""
    found: Floats = np.asarray(c) / (1 - np.asarray(moisture))
    return found


def standard_dry(
    c: Some,
    temperature_c: Some,
    ambient_pa: Some,
    static_pa: Some,
    moisture: Some,
    *,
    wet: bool,
) -> Floats:
    """(18, 19) Dry concentration at standard state of what was measured at stack conditions."""
    found = standard_state(c, temperature_c, ambient_pa, static_pa)
    return dry_basis(found, moisture) if wet else found


def converted(
    c_dry: Some,
    o2_dry: Some,
    o2_ref: Some | None,
    o2_initial: float = 21.0,
    near: float = NEAR_INITIAL,
) -> Converted:
    """
    (28) At the reference oxygen: C·(O2ini − O2ref)/(O2ini − O2).

    ``o2_ref`` None: no reference is set, the dry concentration itself. Where O2 comes nearer to
    ``o2_initial`` than ``near`` (or above it) nothing is clipped: no value, and the mask says why.
    """
    c = np.asarray(c_dry, dtype=np.float64)
    if o2_ref is None:
        return Converted(c.copy(), np.zeros(c.shape, dtype=bool))
    left = o2_initial - np.asarray(o2_dry, dtype=np.float64)
    meaningless = np.isfinite(c) & (left < near)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = c * (o2_initial - np.asarray(o2_ref)) / left
    return Converted(np.where(meaningless, np.nan, value), meaningless)


def nox_as_no2(no: Some, no2: Some = 0.0) -> Floats:
    """(21) NOx as NO2 from the masses of NO and NO2: C_NO·46.005/30.006 + C_NO2."""
    found: Floats = np.asarray(no) * (NO2_G_MOL / NO_G_MOL) + np.asarray(no2)
    return found


def flow_actual(area_m2: float, kv: float, velocity: Some) -> Floats:
    """(29, 30) Wet flow as it is, m3/h: 3600·F·Kv·Vp."""
    found: Floats = 3600.0 * area_m2 * kv * np.asarray(velocity)
    return found


def to_standard_flow(
    flow_m3_h: Some, temperature_c: Some, ambient_pa: Some, static_pa: Some, moisture: Some
) -> Floats:
    """(31) Dry flow at standard state, Nm3/h: Qs·273/(273+t)·(Ba+Ps)/101325·(1 − Xsw)."""
    kelvin = STANDARD_K / (STANDARD_K + np.asarray(temperature_c))
    pressure = (np.asarray(ambient_pa) + static_pa) / STANDARD_PA
    found: Floats = np.asarray(flow_m3_h) * kelvin * pressure * (1 - np.asarray(moisture))
    return found


def flow_standard(
    area_m2: float,
    kv: float,
    velocity: Some,
    temperature_c: Some,
    ambient_pa: Some,
    static_pa: Some,
    moisture: Some,
) -> Floats:
    """(29–31) Dry flow at standard state, Nm3/h, from the velocity of the gas in m/s."""
    actual = flow_actual(area_m2, kv, velocity)
    return to_standard_flow(actual, temperature_c, ambient_pa, static_pa, moisture)


def mass_rate(c_dry: Some, flow_nm3_h: Some) -> Floats:
    """(33) kg/h of the dry, *unconverted* concentration: C·Q·1e-6."""
    found: Floats = np.asarray(c_dry) * np.asarray(flow_nm3_h) * 1e-6
    return found


def minute_mean(values: Floats, good: Mask) -> tuple[Floats, npt.NDArray[np.int64]]:
    """(23) Mean of the good readings over the last axis, NaN without any; and how many."""
    use = good & np.isfinite(values)
    count = use.sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(use, values, 0.0).sum(axis=-1) / count
    return np.asarray(mean), np.asarray(count, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class StackGas:
    """
    What must be known of an emission point to make figures of its readings.

    ``wet``: names (pollutants, ``o2``) that are measured in wet gas; ``actual``: pollutants that
    are measured at the temperature and pressure of the gas (others: at standard state already).
    ``ambient_pa``, ``static_pa``, ``moisture`` stand in where nothing measures them; NaN: unknown.
    """

    area_m2: float
    velocity_coefficient: float = 1.0
    ambient_pa: float = float("nan")
    static_pa: float = float("nan")
    moisture: float = float("nan")
    wet: frozenset[str] = frozenset((*POLLUTANTS, "o2"))
    actual: frozenset[str] = frozenset(POLLUTANTS)
    reference_o2: float | None = None
    initial_o2: float = 21.0
    near: float = NEAR_INITIAL
    nox_from: NoxFrom = "nox"


def needs(gas: StackGas, read: frozenset[str]) -> dict[str, tuple[str, ...]]:
    """
    By derived field, the readings it takes, first its own; fields that cannot be made are left out.

    ``read`` are the fields of ``stack`` that something measures.
    """
    stands_in = {"ambient_pressure": gas.ambient_pa, "pressure": gas.static_pa}
    stands_in["humidity"] = gas.moisture
    given = {name for name, value in stands_in.items() if not math.isnan(value)}
    state = ("temperature", "ambient_pressure", "pressure")
    found: dict[str, tuple[str, ...]] = {}
    o2: tuple[str, ...] = ("o2", "humidity") if "o2" in gas.wet else ("o2",)
    found["o2_dry"] = o2
    for name in POLLUTANTS:
        parts = _sources(name, gas.nox_from)
        dry: tuple[str, ...] = (*parts, *(state if name in gas.actual else ()))
        dry += ("humidity",) if name in gas.wet else ()
        found[f"{name}_dry"] = dry
        more = o2 if gas.reference_o2 is not None else ()
        found[f"{name}_converted"] = tuple(dict.fromkeys((*dry, *more)))
    moving = "velocity" if "velocity" in read else "flow"
    found["flow_standard"] = (moving, *state, "humidity")
    told = read | given
    return {
        field: tuple(name for name in inputs if name in read)
        for field, inputs in found.items()
        if told.issuperset(inputs)
    }


def figures(readings: Mapping[str, Floats], gas: StackGas) -> dict[str, Floats]:
    """
    ``<p>_dry``, ``<p>_converted``, ``o2_dry``, ``flow_standard`` of readings by their field names.

    As many as the readings allow (``needs``); ``humidity`` and ``o2`` in percent as measured. A
    converted value that is NaN beside a dry one and an O2 that are there is not meaningful.
    """
    fields = needs(gas, frozenset(readings))
    moisture = readings["humidity"] / 100 if "humidity" in readings else gas.moisture
    ambient = readings.get("ambient_pressure", gas.ambient_pa)
    static = readings.get("pressure", gas.static_pa)
    temperature = readings.get("temperature", float("nan"))
    found: dict[str, Floats] = {}
    if "o2_dry" in fields:
        o2 = readings["o2"]
        found["o2_dry"] = dry_basis(o2, moisture) if "o2" in gas.wet else o2
    for name in POLLUTANTS:
        if f"{name}_dry" not in fields:
            continue
        c = _concentration(readings, name, gas.nox_from)
        if name in gas.actual:
            c = standard_state(c, temperature, ambient, static)
        found[f"{name}_dry"] = c = dry_basis(c, moisture) if name in gas.wet else c
        if f"{name}_converted" in fields:
            o2_dry = found.get("o2_dry", float("nan"))
            value = converted(c, o2_dry, gas.reference_o2, gas.initial_o2, gas.near).value
            found[f"{name}_converted"] = value
    if "flow_standard" in fields:
        measured = readings.get("velocity")
        flow = (
            flow_actual(gas.area_m2, gas.velocity_coefficient, measured)
            if measured is not None
            else readings["flow"]
        )
        found["flow_standard"] = to_standard_flow(flow, temperature, ambient, static, moisture)
    return found


def _sources(pollutant: str, nox_from: NoxFrom) -> tuple[str, ...]:
    if pollutant != "nox" or nox_from == "nox":
        return (pollutant,)
    return ("no",) if nox_from == "no" else ("no", "no2")


def _concentration(readings: Mapping[str, Floats], name: str, nox_from: NoxFrom) -> Floats:
    parts = [readings[part] for part in _sources(name, nox_from)]
    return parts[0] if parts[0] is readings.get(name) else nox_as_no2(*parts)
