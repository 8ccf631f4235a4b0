"""
A stack by the minute: what it really emits, and what its instruments show of it.

Every array has one value a minute, which stands for the minute that begins then (unix seconds).
The conversion to what an analyser sees is the simulator's own; nothing is shared with the report.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from simulators.smoke_plan import (
    CALIBRATION,
    CHECK_AT,
    CHECK_MINUTES,
    FAULT,
    MAINTENANCE,
    OFF,
    RUNNING,
    Happening,
    SmokePlan,
    StackDesign,
)
from simulators.wander import FAST_S, Floats, Wander, local_hour

MINUTE_S = 60.0
STANDARD_K, STANDARD_PA = 273.0, 101_325.0
OXYGEN_OF_AIR = 21.0
OUTDOORS = 0.85  # of the limit: what wanders by itself never comes nearer
FULL_SCALE = {"pm": 20.0, "so2": 100.0, "nox": 200.0, "fluoride": 5.0}  # mg/m3
SPAN = {"pm": 16.0, "so2": 80.0, "nox": 150.0, "fluoride": 4.0}  # calibration gas, mg/m3
STATES = {
    "calibration": CALIBRATION,
    "maintenance": MAINTENANCE,
    "fault": FAULT,
    "power_off": OFF,
}
FANS_LEFT = 0.35  # share of the gas that the fans move for a source that hardly runs
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class StackMinutes:
    """
    One stack over a period, minute by minute.

    ``true`` are mg/m3, dry, at standard state and not converted; ``converted`` the same at the
    reference oxygen. ``shown`` are points as devices give them; NaN is no value. ``there`` says
    where the gateway has a row at all.
    """

    design: StackDesign
    time_s: Floats
    true: dict[str, Floats]
    converted: dict[str, Floats]  # NaN where the oxygen leaves no conversion
    gas_nm3_h: Floats
    o2_dry: Floats
    state: Floats  # of the instrument
    load: Floats  # of the source, 0 to 1
    there: Mask
    off: Mask  # the device answers nothing good
    planted: tuple[Happening, ...]
    gain: dict[str, Floats]  # what the analyser makes of a true value: 1 unless it drifts
    shown: dict[str, Floats] = field(default_factory=dict)  # by point id


def minutes_of(plan: SmokePlan, stack: StackDesign) -> StackMinutes:
    """Simulates one stack of the plan."""
    begin_s, end_s = plan.begin.timestamp(), plan.end.timestamp()
    time_s = np.arange(begin_s, end_s, MINUTE_S)
    planted = plan.of(stack.id)
    slow = {
        name: Wander(plan.seed, f"{stack.id} {name}")
        for name in ("flow", "warm", "wet", "static", "o2", *stack.usual)
    }
    middle_s = time_s + MINUTE_S / 2
    load = _load(time_s, planted)
    moves = 1 + 0.02 * slow["flow"](middle_s)
    gas = stack.gas_nm3_h * moves * np.where(load > 0, FANS_LEFT + (1 - FANS_LEFT) * load, 0.0)
    o2 = _oxygen(stack, time_s, planted, stack.o2 + 0.05 * slow["o2"](middle_s))
    share, meaningful = _share_of_reference(stack, o2)
    converted = {
        name: _level(plan.seed, stack, name, time_s, load, planted, slow[name])
        for name in stack.usual
    }
    true = {name: level / share for name, level in converted.items()}
    state = instrument_state(stack, time_s, planted)
    made = StackMinutes(
        stack,
        time_s,
        true,
        {name: np.where(meaningful, level, np.nan) for name, level in converted.items()},
        gas,
        o2,
        state,
        load,
        there=~_any(time_s, planted, "communication"),
        off=_any(time_s, planted, "power_off"),
        planted=planted,
        gain={name: _drifted(name, time_s, planted) for name in stack.usual},
    )
    _show(plan, made, slow)
    return made


def _any(time_s: Floats, planted: tuple[Happening, ...], *kinds: str) -> Mask:
    found = np.zeros(len(time_s), dtype=bool)
    for one in planted:
        if one.kind in kinds:
            found |= one.inside(time_s)
    return found


def _load(time_s: Floats, planted: tuple[Happening, ...]) -> Floats:
    load = np.ones(len(time_s))
    for one in planted:
        at = one.inside(time_s)
        share = (time_s[at] - one.begin.timestamp()) / (60 * one.minutes)
        if one.kind == "stop":
            load[at] = 0.0
        elif one.kind == "shut_down":
            load[at] = 1 - 0.8 * share
        elif one.kind == "start_up":
            load[at] = 0.2 + 0.8 * share
    return load


def _oxygen(
    stack: StackDesign, time_s: Floats, planted: tuple[Happening, ...], o2: Floats
) -> Floats:
    """Dry, %; planted air in the duct."""
    for one in planted:
        if one.kind == "air" and one.stack == stack.id:
            o2 = np.where(one.inside(time_s), one.size, o2)
    return o2


def _share_of_reference(stack: StackDesign, o2: Floats) -> tuple[Floats, Mask]:
    """What the converted value is of the dry one, and where that means anything."""
    if stack.reference_o2 is None:
        return np.ones(len(o2)), np.ones(len(o2), dtype=bool)
    left = OXYGEN_OF_AIR - o2
    meaningful = left > 0.05 * OXYGEN_OF_AIR  # between 19.95 and 21 nothing is planted
    share = np.where(meaningful, (OXYGEN_OF_AIR - stack.reference_o2) / np.maximum(left, 1e-9), 1.0)
    return share, meaningful


def _level(
    seed: int,
    stack: StackDesign,
    name: str,
    time_s: Floats,
    load: Floats,
    planted: tuple[Happening, ...],
    slow: Wander,
) -> Floats:
    """True concentration at reference oxygen, mg/m3."""
    quick = Wander(seed, f"{stack.id} {name} fast", FAST_S)(time_s)
    level = stack.usual[name] * np.exp(0.12 * slow(time_s) + 0.06 * quick)
    level = np.minimum(level, OUTDOORS * stack.limits[name]) * np.where(load > 0, 1.0, 0.05)
    wild = 1 + 0.05 * np.tanh(quick)
    for one in planted:
        at = one.inside(time_s)
        if one.kind == "level" and one.pollutant == name:
            level = np.where(at, one.size, level)
        elif one.kind == "desulphurisation_trip" and name == "so2":
            level = np.where(at, one.size * wild, level)
        elif one.kind == "scrubber_trip" and name in {"pm", "fluoride"}:
            level = np.where(at, one.size * wild * (1.0 if name == "pm" else 0.2), level)
        elif one.kind in {"start_up", "shut_down"}:
            level = np.where(at, level * one.size, level)
    return level


def instrument_state(
    stack: StackDesign, time_s: Floats, planted: tuple[Happening, ...] = ()
) -> Floats:
    """0 running, 1 calibration, 2 maintenance, 3 fault, 4 off, as the device tells it."""
    hour, first = local_hour(time_s), CHECK_AT.seconds / 3600
    checking = (hour >= first) & (hour < first + CHECK_MINUTES / 60)
    state = np.where(checking, CALIBRATION, RUNNING)
    for one in planted:
        if one.kind in STATES and one.stack == stack.id:
            state = np.where(one.inside(time_s), STATES[one.kind], state)
    return state


def _show(plan: SmokePlan, made: StackMinutes, slow: dict[str, Wander]) -> None:
    """Fills in what the devices give."""
    stack, time_s = made.design, made.time_s
    middle_s = time_s + MINUTE_S / 2
    warm = stack.warm_c + 1.2 * slow["warm"](middle_s)
    wet = np.clip(stack.moisture + 0.006 * slow["wet"](middle_s), 0.02, 0.5)
    static = -140 + 12 * slow["static"](middle_s)
    dense = STANDARD_K / (STANDARD_K + warm) * (stack.ambient_pa + static) / STANDARD_PA
    left = (1 - wet) if stack.wet else np.ones_like(wet)  # of a dry concentration, measured wet
    shown = {
        f"{stack.equipment} stack.o2": made.o2_dry * left,
        f"{stack.equipment} stack.temperature": warm,
        f"{stack.equipment} stack.pressure": static,
        f"{stack.equipment} stack.humidity": wet * 100,
        f"{stack.equipment} stack.velocity": made.gas_nm3_h
        / (1 - wet)
        / dense
        / 3600
        / stack.area_m2
        / stack.velocity_coefficient,
    }
    for name, true in made.true.items():
        seen = true * left * dense * made.gain[name]
        seen = np.where(made.state == CALIBRATION, _gas_seen(name, time_s), seen)
        seen = np.where(made.state == MAINTENANCE, 0.0, seen)
        shown[f"{stack.equipment} stack.{name}"] = np.where(
            made.state == FAULT, stack.usual[name] * 0.5, seen
        )
    for values in shown.values():
        values[made.off] = np.nan
    if not stack.flags:
        shown[f"{stack.equipment} stack.instrument_state"] = np.where(made.off, np.nan, made.state)
    if stack.potline:
        wander = Wander(plan.seed, f"{stack.potline} current")
        shown[f"{stack.potline}/series potline.current"] = (
            400 * (1 + 0.0018 * wander(middle_s)) * made.load
        )
    for (equipment, quantity), trips in zip(
        stack.controls, (("scrubber_trip",), ("desulphurisation_trip",)), strict=False
    ):
        tripped = _any(time_s, made.planted, *trips)
        shown[f"{equipment} {quantity}"] = np.where(tripped | (made.load == 0), 0.0, 1.0)
    made.shown.update(shown)


def _drifted(name: str, time_s: Floats, planted: tuple[Happening, ...]) -> Floats:
    gain = np.ones(len(time_s))
    for one in planted:
        if one.kind == "drift" and one.pollutant == name:
            gain = np.where(one.inside(time_s), gain * (1 + one.size), gain)
    return gain


def _gas_seen(name: str, time_s: Floats) -> Floats:
    """Zero gas, then span gas: seven and a half minutes each in the check of the day."""
    zero: Floats = np.where(
        local_hour(time_s) < (CHECK_AT.seconds / 60 + CHECK_MINUTES / 2) / 60, 0.0, SPAN[name]
    )
    return zero
