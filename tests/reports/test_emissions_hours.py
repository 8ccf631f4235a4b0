"""Hours of a stack: a worked example, and every boundary of the rules."""

from pathlib import Path

import numpy as np
import pytest

from reports.emissions.hours import State, exceedances
from tests.reports.emitted import SITE, STACK, STACK1, Smoke, Values, at

# HJ 212-2017 D.2, worked by hand: 20 mg/m3 wet at 120 °C, air 100,000 Pa, duct -500 Pa, moisture
# 8 %: 20·(393/273)·(101325/99500) = 29.3193; /0.92 = 31.8688 mg/m3 dry, standard state;
# 3600·12.5·1.05·11.2 = 529,200 m3/h; ·273/393·99500/101325·0.92 = 332,111.74 Nm3/h
VECTOR = {
    "stack.so2": 20.0,
    "stack.o2": 15.824,
    "stack.velocity": 11.2,
    "stack.temperature": 120.0,
    "stack.pressure": -500.0,
    "stack.humidity": 8.0,
}
LOST = VECTOR | {"stack.so2": (None, 0.0, "no_data")}
REFERENCE = STACK.replace("wet = true", "wet = true\nreference_o2 = 15")


@pytest.fixture
def smoke(tmp_path: Path) -> Smoke:
    return Smoke(tmp_path)


def test_the_worked_example_of_the_standard(smoke: Smoke) -> None:
    smoke.site = SITE + REFERENCE
    smoke.minutes(STACK1, "2026-10-05T08:00", 60, VECTOR)
    smoke.build()
    hours = smoke.of("2026-10-05")
    so2 = hours.pollutants["so2"]
    assert list(so2.state[7:10]) == [State.MISSING, State.VALID, State.MISSING]
    assert so2.measured[8] == pytest.approx(20.0)
    assert so2.dry[8] == pytest.approx(31.8688, abs=5e-5)
    assert so2.converted[8] == pytest.approx(50.3191, abs=5e-5)  # 31.8688·(21-15)/(21-17.2)
    assert hours.o2[8] == pytest.approx(17.2)
    assert hours.flow[8] == pytest.approx(332_111.74, abs=5e-3)
    assert so2.amount_kg[8] == pytest.approx(10.584)  # 20·529,200·1e-6: the state cancels
    assert hours.methods["so2.minutes"] == 60
    above = exceedances(hours, hours.stack)
    assert [(x.start_ns, x.hours, x.judged) for x in above] == [(at("2026-10-05T08:00"), 1, True)]
    assert above[0].highest == pytest.approx(50.3191, abs=5e-5)


def test_what_the_gateway_computed_goes_before_our_own(smoke: Smoke) -> None:
    edge = {"stack.so2_dry": 30.0, "stack.so2_converted": 30.0, "stack.flow_standard": 300_000.0}
    smoke.minutes(STACK1, "2026-10-05T08:00", 30, VECTOR | edge)
    smoke.minutes(STACK1, "2026-10-05T08:30", 30, VECTOR)
    smoke.build()
    hours = smoke.of("2026-10-05")
    assert hours.pollutants["so2"].dry[8] == pytest.approx((30 + 31.8688) / 2, abs=5e-5)
    assert (hours.methods["so2.edge"], hours.methods["so2.minutes"]) == (30, 30)


def test_a_minute_that_the_gateway_refused_is_not_computed_again(smoke: Smoke) -> None:
    """It saw eleven good readings of twelve: 92 % are enough for means, not for the standard."""
    eleven: Values = {name: (value, 11 / 12, "no_data") for name, value in VECTOR.items()}
    refused: Values = {f"stack.{x}": (None, 0.0, "no_data") for x in ("so2_dry", "flow_standard")}
    edge = {"stack.so2_dry": 30.0, "stack.flow_standard": 300_000.0}
    smoke.minutes(STACK1, "2026-10-05T08:00", 16, {**eleven, **refused})
    smoke.minutes(STACK1, "2026-10-05T08:16", 44, VECTOR | edge)
    smoke.build()
    hours = smoke.of("2026-10-05")
    so2 = hours.pollutants["so2"]
    assert (so2.minutes[8], so2.state[8]) == (44, State.INVALID)
    assert np.isnan(hours.flow[8])
    assert hours.methods["so2.edge"] == 44
    assert "so2.minutes" not in hours.methods


def test_a_minute_that_the_gateway_could_not_convert_is_not_converted_from_means(
    smoke: Smoke,
) -> None:
    """Some of its readings were near the oxygen of air; their mean, 17.2 %, does not show it."""
    smoke.site = SITE + REFERENCE
    near: Values = {"stack.so2_dry": 30.0, "stack.so2_converted": (None, 0.0, "out_of_range")}
    good = {"stack.so2_dry": 30.0, "stack.so2_converted": 47.0}
    smoke.minutes(STACK1, "2026-10-05T08:00", 16, {**VECTOR, **near})
    smoke.minutes(STACK1, "2026-10-05T08:16", 44, VECTOR | good)
    smoke.build()
    so2 = smoke.of("2026-10-05").pollutants["so2"]
    assert (so2.minutes[8], so2.unconverted[8]) == (60, 16)
    assert so2.state[8] == State.VALID
    assert not so2.judged[8]  # 44 minutes with a converted value


@pytest.mark.parametrize(("good", "state"), [(44, State.INVALID), (45, State.VALID)])
def test_an_hour_needs_45_minutes(smoke: Smoke, good: int, state: State) -> None:
    smoke.minutes(STACK1, "2026-10-05T08:00", good, VECTOR)
    smoke.minutes(STACK1, f"2026-10-05T08:{good}", 60 - good, LOST)
    smoke.build()
    so2 = smoke.of("2026-10-05").pollutants["so2"]
    assert so2.state[8] == state
    assert so2.minutes[8] == good
    assert np.isnan(so2.amount_kg[8]) == (state is State.INVALID)


def test_a_minute_needs_three_quarters_of_its_readings(smoke: Smoke) -> None:
    enough = VECTOR | {"stack.so2": (20.0, 0.75, "no_data")}
    few = VECTOR | {"stack.so2": (900.0, 0.74, "no_data")}
    smoke.minutes(STACK1, "2026-10-05T08:00", 45, enough)
    smoke.minutes(STACK1, "2026-10-05T08:45", 15, few)
    smoke.build()
    so2 = smoke.of("2026-10-05").pollutants["so2"]
    assert so2.state[8] == State.VALID
    assert so2.measured[8] == pytest.approx(20.0)


def test_hours_of_an_import_count_by_their_good_share(smoke: Smoke) -> None:
    smoke.hours(STACK1, "2026-10-05T08:00", 1, VECTOR | {"stack.so2": (20.0, 0.75, "no_data")})
    smoke.hours(STACK1, "2026-10-05T09:00", 1, VECTOR | {"stack.so2": (20.0, 0.74, "no_data")})
    smoke.build()
    hours = smoke.of("2026-10-05")
    so2 = hours.pollutants["so2"]
    assert list(so2.state[8:10]) == [State.VALID, State.INVALID]
    assert so2.amount_kg[8] == pytest.approx(10.584)
    assert hours.methods["so2.hours"] == 120


def test_oxygen_of_the_air_cannot_be_converted(smoke: Smoke) -> None:
    smoke.site = SITE + REFERENCE
    air = VECTOR | {"stack.o2": 21.0 * 0.92}  # dry: 21.0 %
    smoke.minutes(STACK1, "2026-10-05T08:00", 60, air)
    smoke.minutes(STACK1, "2026-10-05T09:00", 15, air)
    smoke.minutes(STACK1, "2026-10-05T09:15", 45, VECTOR)
    smoke.build()
    so2 = smoke.of("2026-10-05").pollutants["so2"]
    assert so2.state[8] == State.VALID  # the concentration is there, and so is its amount
    assert so2.amount_kg[8] == pytest.approx(10.584)
    assert np.isnan(so2.converted[8])
    assert so2.unconverted[8] == 60
    assert not so2.judged[8]
    assert so2.converted[9] == pytest.approx(50.3191, abs=5e-5)  # of the 45 minutes that can be
    assert so2.judged[9]


def test_a_mark_over_the_edge_of_hours_takes_minutes_of_both(smoke: Smoke) -> None:
    smoke.minutes(STACK1, "2026-10-05T08:00", 180, VECTOR)
    smoke.mark("calibration", "2026-10-05T08:45", "2026-10-05T09:16")  # 15 and 16 minutes
    smoke.build()
    so2 = smoke.of("2026-10-05").pollutants["so2"]
    assert list(so2.state[8:11]) == [State.VALID, State.EXCLUDED, State.VALID]
    assert list(so2.minutes[8:11]) == [45, 44, 60]
    assert list(so2.mark[8:11]) == [0, 1, 0]


def test_a_mark_of_one_pollutant_leaves_the_others(smoke: Smoke) -> None:
    smoke.site = (
        SITE
        + STACK
        + """
[[stacks.limits]]
pollutant = "nox"
hour_mg_m3 = 100
from = 2020-01-01
source = "排污许可证 表 5"
"""
    )
    smoke.minutes(STACK1, "2026-10-05T08:00", 60, VECTOR | {"stack.nox": 50.0})
    smoke.mark("maintenance", "2026-10-05T08:00", "2026-10-05T09:00", pollutants=("nox",))
    smoke.build()
    found = smoke.of("2026-10-05").pollutants
    assert found["so2"].state[8] == State.VALID
    assert found["nox"].state[8] == State.EXCLUDED


def test_a_contradicted_mark_excuses_nothing_and_stays_visible(smoke: Smoke) -> None:
    smoke.minutes(STACK1, "2026-10-05T08:00", 60, VECTOR | {"stack.so2": 40.0})
    said = {"judgement": "contradicted"}
    smoke.mark("maintenance", "2026-10-05T08:00", "2026-10-05T09:00", facts=said)
    smoke.build()
    hours = smoke.of("2026-10-05")
    assert hours.pollutants["so2"].state[8] == State.VALID
    assert hours.marks[0].contradicted is not None
    above = exceedances(hours, hours.stack)
    assert [(x.judged, x.marks) for x in above] == [(True, (1,))]


@pytest.mark.parametrize("kind", ["maintenance", "start_up", "stopped"])
def test_an_exceedance_hidden_by_a_mark_is_listed(smoke: Smoke, kind: str) -> None:
    smoke.minutes(STACK1, "2026-10-05T08:00", 120, VECTOR | {"stack.so2": 40.0})
    smoke.mark(kind, "2026-10-05T08:00", "2026-10-05T10:00")
    smoke.build()
    hours = smoke.of("2026-10-05")
    above = exceedances(hours, hours.stack)
    assert [(x.judged, x.hours, x.marks) for x in above] == [(False, 2, (1,))]
    assert above[0].highest == pytest.approx(2 * 31.8688, abs=1e-4)
    kept = hours.pollutants["so2"].amount_kg[8:10]
    assert np.isfinite(kept).all() == (kind in {"start_up", "stopped"})


def test_a_source_that_stands_leaves_the_hours(smoke: Smoke) -> None:
    smoke.site = SITE + STACK.replace(
        "wet = true", 'wet = true\nproduction = "line1/series potline.current"'
    )
    smoke.minutes(STACK1, "2026-10-05T08:00", 240, VECTOR)
    smoke.minutes("line1/series", "2026-10-05T08:00", 105, {"potline.current": 400.0})
    smoke.minutes("line1/series", "2026-10-05T09:45", 59, {"potline.current": 0.0})
    smoke.minutes("line1/series", "2026-10-05T10:44", 76, {"potline.current": 400.0})
    smoke.build()
    hours = smoke.of("2026-10-05")
    so2 = hours.pollutants["so2"]
    # it stands 15 minutes of 9 o'clock and 44 of 10 o'clock: fewer than 45, so both count
    assert list(so2.state[8:12]) == [State.VALID] * 4
    assert list(hours.running[8:12]) == pytest.approx([1, 0.75, 16 / 60, 1])


def test_a_stopped_mark_against_running_production_is_contradicted(smoke: Smoke) -> None:
    smoke.site = SITE + STACK.replace(
        "wet = true", 'wet = true\nproduction = "line1/series potline.current"'
    )
    smoke.minutes(STACK1, "2026-10-05T08:00", 60, VECTOR | {"stack.so2": 40.0})
    smoke.minutes("line1/series", "2026-10-05T08:00", 60, {"potline.current": 400.0})
    smoke.mark("stopped", "2026-10-05T08:00", "2026-10-05T09:00")
    smoke.build()
    hours = smoke.of("2026-10-05")
    assert hours.pollutants["so2"].state[8] == State.VALID
    assert hours.marks[0].contradicted is not None
    assert exceedances(hours, hours.stack)[0].judged


def test_the_instrument_marks_itself(smoke: Smoke) -> None:
    smoke.minutes(STACK1, "2026-10-05T08:00", 40, VECTOR | {"stack.instrument_state": 0.0})
    smoke.minutes(STACK1, "2026-10-05T08:40", 20, VECTOR | {"stack.instrument_state": 1.0})
    smoke.build()
    hours = smoke.of("2026-10-05")
    so2 = hours.pollutants["so2"]
    assert (so2.state[8], so2.mark[8]) == (State.EXCLUDED, -1)
    assert [(m.kind, m.start_ns, m.end_ns) for m in hours.marks] == [
        ("calibration", at("2026-10-05T08:40"), at("2026-10-05T09:00"))
    ]


def test_a_limit_may_change_inside_a_month(smoke: Smoke) -> None:
    first = STACK.replace("source =", "until = 2026-10-05\nsource =")
    smoke.site = (
        SITE
        + first
        + """
[[stacks.limits]]
pollutant = "so2"
hour_mg_m3 = 30
from = 2026-10-06
source = "新排污许可证 表 5"
"""
    )
    smoke.minutes(STACK1, "2026-10-05T22:00", 240, VECTOR)  # 31.87 mg/m3, below 35, above 30
    smoke.build()
    hours = smoke.of("2026-10-05_2026-10-06")
    above = exceedances(hours, hours.stack)
    assert [(x.start_ns, x.hours, x.limit) for x in above] == [(at("2026-10-06T00:00"), 2, 30.0)]


def test_a_stack_counts_from_the_day_it_was_started(smoke: Smoke) -> None:
    smoke.site = SITE + STACK.replace("started = 2020-01-01", "started = 2026-10-06")
    smoke.minutes(STACK1, "2026-10-05T22:00", 240, VECTOR)
    smoke.build()
    so2 = smoke.of("2026-10").pollutants["so2"]
    assert (so2.state[: 5 * 24] == State.OUTSIDE).all()
    assert list(so2.state[5 * 24 : 5 * 24 + 3]) == [State.VALID, State.VALID, State.MISSING]


def test_hours_are_of_plant_time_over_the_edge_of_a_month(smoke: Smoke) -> None:
    smoke.minutes(STACK1, "2026-09-30T23:00", 120, VECTOR)
    smoke.build()
    september, october = smoke.of("2026-09"), smoke.of("2026-10")
    assert np.flatnonzero(september.pollutants["so2"].valid).tolist() == [30 * 24 - 1]
    assert np.flatnonzero(october.pollutants["so2"].valid).tolist() == [0]
    both = smoke.of("2026-09-01_2026-10-31").pollutants["so2"]
    assert np.flatnonzero(both.valid).tolist() == [30 * 24 - 1, 30 * 24]
