"""The plant around the pots: energy balance, gas, heat, instruments, determinism."""

import numpy as np
import pytest

from simulators.heat import effectiveness
from simulators.line import LineState
from simulators.plant import Plant, Scenario
from simulators.stack import instrument_state
from simulators.truth import Ledger, pot_sums
from simulators.utilities import Utilities

START_S = 1_790_784_000.0  # 2026-10-01 00:00 UTC+8


def advance(plant: Plant, steps: int, dt_s: float = 60.0) -> Ledger:
    ledger = Ledger(plant)
    for _ in range(steps):
        plant.step(dt_s)
        ledger.add(plant.states, [pot_sums(s, dt_s) for s in plant.sections], dt_s)
    return ledger


def test_sizes() -> None:
    assert Scenario(START_S, 12).line_pots() == [12]
    assert Scenario(START_S, 400).line_pots() == [200, 200]
    assert Scenario(START_S, 25, lines=2).line_pots() == [13, 12]
    for wrong in (3, 401):
        with pytest.raises(ValueError, match="4 to 400"):
            Scenario(START_S, wrong)


def test_deterministic_and_independent_of_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = Plant(Scenario(START_S)), Plant(Scenario(START_S))
    advance(first, 100)
    monkeypatch.setattr("time.time", lambda: 0.0)
    advance(second, 100)
    assert first.gauges == second.gauges
    assert first.counters == second.counters
    assert Plant(Scenario(START_S, seed=8)).sections[0].pots.set_v.tolist() != (
        first.sections[0].pots.set_v.tolist()
    )


def test_meters_hold_the_energy_of_the_pots() -> None:
    plant = Plant(Scenario(START_S, 24))
    plant.step(60)
    before = dict(plant.counters)
    kwh = loss = 0.0
    for _ in range(600):
        plant.step(60)
        section = plant.sections[0]
        current = plant.gauges["line1/series potline.current"]
        kwh += section.pots.voltage.sum() * current / 60
        loss += (plant.gauges["line1/series potline.voltage"] - section.pots.voltage.sum()) * (
            current / 60
        )
    used = {point: plant.counters[point] - before[point] for point in before}
    dc = used["line1/dc1 meter.energy_import"]
    ac = used["line1/ac1 meter.energy_import"] + used["line1/ac2 meter.energy_import"]
    assert dc == pytest.approx(kwh + loss, rel=1e-9)
    assert 0 < loss / dc < 0.01  # bus bars
    assert 0.975 < dc / ac < 0.99
    parts = ac + used["line1/aux1 meter.energy_import"] + used["line1/fgd1 meter.energy_import"]
    grid = used["plant/grid1 meter.energy_import"] + used["plant/pv1 pv.energy"]
    assert 1.0 < grid / parts < 1.02


def test_rectifiers_share_the_current() -> None:
    plant = Plant(Scenario(START_S))
    plant.step(1)
    parts = [plant.gauges[f"line1/rect{k} rectifier.dc_current"] for k in (1, 2, 3, 4)]
    assert sum(parts) == pytest.approx(plant.gauges["line1/series potline.current"], rel=1e-12)
    assert len(set(parts)) == 4


def test_current_dips_in_an_anode_effect() -> None:
    line = Plant(Scenario(START_S)).sections[0].line
    time_s = np.full(3, START_S)
    steady, one, many = line.current_ka(time_s, np.array([0.0, 1.0, 9.0]))
    assert 0.002 < (steady - one) / 400 < 0.01
    assert (steady - many) / 400 == pytest.approx(0.017)


def test_registers_show_whole_steps_and_counters_only_grow() -> None:
    plant = Plant(Scenario(START_S))
    last: dict[str, float] = {}
    for _ in range(50):
        plant.step(60)
        for point, step in plant.counter_steps.items():
            shown = plant.register(point)
            assert shown / step == pytest.approx(round(shown / step), abs=1e-4)
            assert shown >= last.get(point, 0)
            last[point] = shown


def test_plant_of_today_has_counted_more_than_its_history() -> None:
    then = Plant(Scenario(START_S))
    advance(then, 1440)
    now = Plant(Scenario(START_S + 86_400))
    now.step(1)
    for point, value in then.counters.items():
        if "pv" not in point:
            assert now.counters[point] > value, point


def test_sulphur_of_the_anodes_leaves_through_the_stack() -> None:
    plant = Plant(Scenario(START_S))
    ledger = advance(plant, 1440)
    truth = ledger.truth()["lines"]["line1"]
    sulphur = truth["anode"]["burnt_t"] * 1000 * 0.02 * 2
    assert 0.05 < truth["emissions_kg"]["so2"] / sulphur < 0.15
    concentration = truth["emissions_kg"]["so2"] / truth["gas_nm3"] * 1e6
    assert 10 < concentration < 50


def test_stack_velocity_and_flow_agree_with_normal_flow() -> None:
    plant = Plant(Scenario(START_S))
    plant.step(60)
    value = {
        point.partition("stack.")[2]: number
        for point, number in plant.gauges.items()
        if point.startswith("gtc1/stack1")
    }
    kelvin = 273.15 + value["temperature"]
    pressure = (101_325 + value["pressure"]) / 101_325
    dry = value["flow"] * 273.15 / kelvin * pressure * (1 - value["humidity"] / 100)
    emission = plant.emissions(plant.states)[0]
    assert dry == pytest.approx(emission.gas_nm3_h[0], rel=1e-9)
    assert value["flow"] == pytest.approx(
        value["velocity"] * 3600 * plant.sections[0].stack.duct_m2
    )
    mass = value["so2"] * value["flow"] * 1e-6  # as it is in the duct, kg/h
    assert mass == pytest.approx(emission.so2[0])


def test_daily_calibration_and_monthly_maintenance() -> None:
    minutes = START_S + 60.0 * np.arange(31 * 1440, dtype=np.float64)
    state = instrument_state(minutes)
    assert (state == 1).sum() == 31 * 15
    assert (state == 2).sum() == 120
    day, minute = divmod(int(np.flatnonzero(state == 2)[0]), 1440)
    assert (day + 1, minute) == (10, 600)
    stack = Plant(Scenario(START_S)).sections[0].stack
    at = np.array([START_S + 2 * 3600 + 60, START_S + 2 * 3600 + 600, START_S + 3 * 3600])
    ones = np.ones(3)
    seen = stack.readings(LineState(at, 400 * ones, 47 * ones, 0.17 * ones, 0 * ones)).gauges
    zero, span, gas = seen["gtc1/stack1 stack.so2"]
    assert (zero, span) == (0.8, 80.0)
    assert 8 < gas < 45  # hot and wet


def test_heat_recovery_balances() -> None:
    plant = Plant(Scenario(START_S))
    plant.step(60)
    value = {
        point.partition("recovery.")[2]: number
        for point, number in plant.gauges.items()
        if "heat_recovery" in point
    }
    gas_kw = (
        value["gas_flow"]
        * 1.31
        / 3600
        * (value["gas_in_temperature"] - value["gas_out_temperature"])
    )
    water_kw = (
        value["water_flow"]
        * 4.186
        * (value["water_out_temperature"] - value["water_in_temperature"])
    )
    assert value["heat_flow"] == pytest.approx(water_kw)
    assert 0.02 < (gas_kw - water_kw) / gas_kw < 0.05
    assert value["gas_out_temperature"] > 75  # above the acid dew margin


def test_fouling_costs_heat_until_cleaning() -> None:
    heat = Plant(Scenario(START_S)).sections[0].heat
    days = START_S + 86_400 * np.arange(80.0)
    dirty = heat.fouling(days)
    assert 1 <= (np.diff(dirty) < 0).sum() <= 2
    assert 0 <= dirty.min() < 0.05
    assert 0.95 < dirty.max() < 1
    same = np.ones(80)
    seen = heat.readings(LineState(days, 400 * same, 47 * same, same, 0 * same), 9e4 * same)
    corner = np.corrcoef(dirty, seen.gauges["gtc1/hx1 heat_recovery.gas_pressure_drop"])[0, 1]
    assert corner > 0.99


def test_effectiveness_of_counterflow() -> None:
    """Even capacity flows: NTU / (1 + NTU); one endless flow: 1 - exp(-NTU)."""
    one = np.array([1.0])
    assert effectiveness(2 * one, one, 1.0)[0] == pytest.approx(2 / 3)
    assert effectiveness(2 * one, one, 1e9)[0] == pytest.approx(1 - np.exp(-2), rel=1e-6)


def test_no_sun_at_night() -> None:
    utilities = Utilities(12, 1)
    midnight = START_S + 86_400.0 * np.arange(365, dtype=np.float64)
    assert utilities.pv_kw(midnight).max() == 0
    noon = utilities.pv_kw(midnight + 12 * 3600)
    assert noon.min() > 0
    assert noon.max() < 12 * 90 * 1.2


def test_step_length_is_bounded() -> None:
    plant = Plant(Scenario(START_S))
    for wrong in (0, 61, -1):
        with pytest.raises(ValueError, match="at most 60"):
            plant.step(wrong)
