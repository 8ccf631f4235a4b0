"""Stack gas as arrays: against the Decimal formulas, and against a third calculation made here."""

import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.signals.stack import (
    GAS,
    POLLUTANTS,
    StackGas,
    converted,
    dry_basis,
    figures,
    flow_standard,
    mass_rate,
    minute_mean,
    needs,
    nox_as_no2,
    standard_dry,
    standard_state,
)
from drivers.signals.stack_hour import HOUR_NS, MINUTE_NS, HourRules, HourSoFar
from reports.formulas import FORMULAS
from reports.formulas.numbers import FormulaError

NAN = math.nan
VECTOR = {"temperature_c": 120.0, "ambient_pa": 100_000.0, "static_pa": -500.0}
gases = st.fixed_dictionaries(
    {
        "c": st.decimals(0, 500, places=2),
        "t": st.decimals(-20, 380, places=1),
        "ba": st.decimals(85_000, 105_000, places=0),
        "ps": st.decimals(-9_000, 2_000, places=0),
        "x": st.decimals(0, "0.4", places=3),
        "o2": st.decimals(3, "20.4", places=2),
        "ref": st.decimals(3, 18, places=1),
        "v": st.decimals(0, 40, places=2),
    }
)


def test_the_worked_vector() -> None:
    """20·393/273·101325/99500 = 29.3193; /0.92 = 31.8688; ·6/3.8 = 50.3191; G = 20·529200e-6."""
    standard = standard_state(20.0, **VECTOR)
    dry = standard_dry(20.0, **VECTOR, moisture=0.08, wet=True)
    o2 = dry_basis(15.824, 0.08)
    flow = flow_standard(12.5, 1.05, 11.2, **VECTOR, moisture=0.08)
    assert float(standard) == pytest.approx(29.3193, abs=5e-5)
    assert float(dry) == pytest.approx(31.8688, abs=5e-5)
    assert float(o2) == pytest.approx(17.2)
    assert float(converted(dry, o2, 15.0).value) == pytest.approx(50.3191, abs=5e-5)
    assert float(flow) == pytest.approx(332_111.74, abs=0.01)
    assert float(mass_rate(dry, flow)) == pytest.approx(20 * 529_200 * 1e-6)  # factors cancel


def by_moles(c: float, t: float, ba: float, ps: float, x: float) -> float:
    """Dry concentration by counting gas: how many standard cubic metres is a cubic metre here?"""
    wet_standard_m3 = (ba + ps) / 101_325 * 273 / (273 + t)
    return c / (wet_standard_m3 - wet_standard_m3 * x)


@given(gases)
def test_arrays_formulas_and_a_third_way_agree(gas: dict[str, Decimal]) -> None:
    f = {name: float(value) for name, value in gas.items()}
    state = {"temperature_c": gas["t"], "ambient_pa": gas["ba"], "static_pa": gas["ps"]}
    standard = FORMULAS["standard_state"](c_mg_m3=gas["c"], **state)["c_mg_m3"]
    dry = FORMULAS["dry_basis"](c=standard, moisture_fraction=gas["x"])["c"]
    many = {name: np.full(3, value) for name, value in f.items()}
    got = standard_dry(many["c"], many["t"], many["ba"], many["ps"], many["x"], wet=True)
    assert got == pytest.approx(float(dry))
    assert got == pytest.approx(by_moles(f["c"], f["t"], f["ba"], f["ps"], f["x"]))
    told = FORMULAS["reference_oxygen"](c=dry, o2_dry_percent=gas["o2"], o2_ref_percent=gas["ref"])[
        "c"
    ]
    value, meaningless = converted(got, many["o2"], many["ref"])
    assert value == pytest.approx(float(told))
    # burnt fuel diluted with air: a part of air is (o2 / 21), so undiluted is c/(1 − o2/21)
    assert value == pytest.approx(got / (1 - f["o2"] / 21) * (1 - f["ref"] / 21))
    assert not meaningless.any()
    flow = FORMULAS["dry_standard_flow"](
        area_m2=9,
        velocity_m_s=gas["v"],
        velocity_coefficient=Decimal("1.05"),
        moisture_fraction=gas["x"],
        **state,
    )
    array = flow_standard(9.0, 1.05, many["v"], many["t"], many["ba"], many["ps"], many["x"])
    assert array == pytest.approx(float(flow["flow_m3_h"]))
    # mass is kept: what leaves is the same wherever it is measured
    assert mass_rate(got, array) == pytest.approx(f["c"] * 3600 * 9 * 1.05 * f["v"] * 1e-6)


@pytest.mark.parametrize("o2", [20.51, 20.9, 21.0, 21.5])
def test_near_air_nothing_is_converted(o2: float) -> None:
    value, meaningless = converted(np.array([30.0, NAN]), np.array([o2, o2]), 15.0)
    assert np.isnan(value).all()
    assert meaningless.tolist() == [
        True,
        False,
    ]  # missing is another thing
    with pytest.raises(FormulaError, match="never clip"):
        FORMULAS["reference_oxygen"](c=30, o2_dry_percent=Decimal(str(o2)), o2_ref_percent=15)


def test_just_below_it_is() -> None:
    value, meaningless = converted(30.0, 20.5, 15.0)
    assert float(value) == pytest.approx(360.0)  # 30·6/0.5
    assert not meaningless
    assert float(converted(30.0, 20.0, 9.0, 28.0).value) == pytest.approx(30 * 19 / 8)


def test_without_a_reference_nothing_is_converted() -> None:
    dry = np.array([1.0, NAN])
    value, meaningless = converted(dry, 20.9, None)
    assert value is not dry
    assert value.tolist()[0] == 1.0
    assert not meaningless.any()


def test_nitrogen_oxides() -> None:
    assert float(nox_as_no2(30.006, 10.0)) == pytest.approx(56.005)
    told = FORMULAS["nox_from_no"](no_mg_m3=12, no2_mg_m3=3)["c_mg_m3"]
    assert float(nox_as_no2(12.0, 3.0)) == pytest.approx(float(told))


def test_minute_means_skip_what_is_not_good() -> None:
    values = np.array([[1.0, 3.0, 100.0], [NAN, 5.0, 7.0], [1.0, 1.0, 1.0]])
    good = np.array([[True, True, False], [True, True, True], [False, False, False]])
    mean, count = minute_mean(values, good)
    assert mean.tolist()[:2] == [2.0, 6.0]
    assert math.isnan(mean[2])
    assert count.tolist() == [2, 2, 0]


# --- figures of a stack


def readings(**more: float) -> dict[str, np.ndarray]:
    given = {"so2": 20.0, "temperature": 120.0, "pressure": -500.0, "humidity": 8.0}
    given |= {"ambient_pressure": 100_000.0, "o2": 15.824, "velocity": 11.2}
    return {name: np.array([value]) for name, value in (given | more).items()}


def test_figures_of_one_reading() -> None:
    gas = StackGas(12.5, 1.05, reference_o2=15.0)
    made = figures(readings(), gas)
    assert sorted(made) == ["flow_standard", "o2_dry", "so2_converted", "so2_dry"]
    assert made["so2_converted"] == pytest.approx(50.3191, abs=5e-5)
    assert made["flow_standard"] == pytest.approx(332_111.74, abs=0.01)


def test_an_actual_flow_stands_in_for_the_velocity() -> None:
    known = readings(flow=529_200.0)
    del known["velocity"]
    assert figures(known, StackGas(12.5))["flow_standard"] == pytest.approx(332_111.74, abs=0.01)


def test_what_is_needed_is_what_is_used() -> None:
    """Whatever is left out of the readings, fields are those whose needs are there."""
    gas = StackGas(12.5, reference_o2=15.0)
    all_read = frozenset((*POLLUTANTS, *GAS))
    for left in all_read:
        read = all_read - {left}
        made = figures({name: np.array([1.0]) for name in read}, gas)
        assert made.keys() == needs(gas, read).keys()
        for field, inputs in needs(gas, read).items():
            assert left not in inputs, field
            spoilt = {name: np.array([NAN if name in inputs else 1.0]) for name in read}
            assert np.isnan(figures(spoilt, gas)[field]).all()


def test_stand_ins_are_used_only_where_nothing_measures() -> None:
    gas = StackGas(12.5, ambient_pa=90_000.0, static_pa=0.0, moisture=0.5)
    known = readings()
    measured = figures(known, gas)["so2_dry"]
    for name in ("ambient_pressure", "pressure", "humidity"):
        del known[name]
    other = figures(known, gas)["so2_dry"]
    assert measured == pytest.approx(31.8688, abs=5e-5)
    assert other == pytest.approx(20 * 393 / 273 * 101_325 / 90_000 / 0.5)


# --- the hour

START = 1_790_000_000 * 10**9 // HOUR_NS * HOUR_NS


def fed(values: list[float], start_ns: int = START) -> HourSoFar:
    hours = HourSoFar()
    for k, value in enumerate(values):
        hours.take(start_ns + k * MINUTE_NS, value)
    return hours


def test_mean_so_far_and_forecast_of_a_steady_level() -> None:
    hours = fed([30.0] * 20)
    assert (hours.hour().mean, hours.hour().valid, hours.passed) == (30.0, 20, 20)
    told = hours.forecast()
    assert (told.expected, told.low, told.high, told.valid) == (30.0, 30.0, 30.0, 60)


def test_an_hour_is_handed_back_once_with_its_valid_minutes() -> None:
    hours = fed([10.0, NAN, 20.0])
    over = hours.take(START + HOUR_NS, 1.0)
    assert over is not None
    assert (over.start_ns, over.valid, over.mean, over.highest) == (START, 2, 15.0, 20.0)
    assert not hours.holds(over)
    assert hours.until(START + HOUR_NS + 30 * MINUTE_NS) is None
    assert hours.take(START + HOUR_NS + MINUTE_NS, 2.0) is None
    assert hours.hour().valid == 2


def test_a_new_hour_begins_at_the_level_of_the_last_minutes() -> None:
    hours = fed([10.0] * 50 + [40.0] * 10)
    hours.take(START + HOUR_NS, 40.0)
    assert hours.forecast().expected == 40.0


def test_after_a_long_silence_nothing_is_forecast() -> None:
    hours = fed([10.0] * 60)
    hours.until(START + 3 * HOUR_NS)
    assert math.isnan(hours.forecast().expected)
    assert hours.forecast().valid == 60


@given(st.lists(st.one_of(st.just(NAN), st.floats(0, 500)), min_size=1, max_size=60))
def test_the_hour_is_the_mean_of_its_valid_minutes(values: list[float]) -> None:
    hours = fed(values)
    known = [value for value in values if not math.isnan(value)]
    assert hours.hour().valid == len(known)
    if known:
        assert hours.hour().mean == pytest.approx(sum(known) / len(known))
    told = hours.forecast()
    assert told.valid == len(known) + 60 - len(values)
    if not math.isnan(told.expected):
        assert told.low <= told.expected + 1e-9
        assert told.expected <= told.high + 1e-9
    if len(values) == 60 and not math.isnan(told.expected):
        assert told.expected == pytest.approx(hours.hour().mean)
        assert told.high == pytest.approx(told.low)


@pytest.mark.parametrize("alike", [0.0, 0.6, 0.9])
def test_the_band_holds_most_endings(alike: float) -> None:
    """Hours of noise whose neighbours are alike; judged after 20 minutes, nine in ten are meant."""
    random = np.random.default_rng(11)
    inside = 0
    for _ in range(300):
        noise = random.normal(0, 3 * math.sqrt(1 - alike**2), 120)
        level = np.empty(120)
        level[0] = random.normal(0, 3)
        for k in range(1, 120):
            level[k] = alike * level[k - 1] + noise[k]
        values = (30 + level).tolist()
        hours = fed(values[:80])
        told = hours.forecast()
        mean = sum(values[60:]) / 60
        inside += told.low <= mean <= told.high
    assert inside / 300 > 0.75, inside / 300


def test_rules_of_the_hour_may_be_others() -> None:
    hours = HourSoFar(HourRules(least=2, recent=1))
    for k, value in enumerate([10.0, 50.0]):
        hours.take(START + k * MINUTE_NS, value)
    assert hours.forecast().expected == pytest.approx((60 + 58 * 50) / 60)
    assert hours.holds(hours.hour())
