"""Stand-ins for missing hourly amounts: every tier at its edge, windows in valid hours, causes."""

from datetime import date
from decimal import Decimal

import numpy as np
import pytest

from reports.emissions.amounts import Amounts, fill_in
from reports.emissions.rules import stand_in
from reports.emissions.states import HOUR_NS, Mark, PollutantHours, StackHours, State, hour_starts
from reports.periods import Period
from reports.rules.packs import packs
from reports.site_stacks import Stack

QUARTER = Period.quarter(2026, 1)  # 90 days, 2,160 hours
RULES = stand_in(packs(), date(2026, 1, 1))
STACK = Stack.model_validate(
    {
        "id": "DA001",
        "name": {"zh": "一", "en": "one"},
        "equipment": "gtc1/stack1",
        "industry": "electrolytic_aluminium",
        "area_m2": 10,
        "wet": False,
        "limits": [
            {"pollutant": "so2", "hour_mg_m3": 35, "from": "2020-01-01", "source": "permit"}
        ],
    }
)


def made(
    kg: np.ndarray[tuple[int], np.dtype[np.float64]],
    state: np.ndarray[tuple[int], np.dtype[np.int8]],
    control: tuple[Mark, ...] = (),
    period: Period = QUARTER,
) -> StackHours:
    count = len(kg)
    nothing = np.full(count, np.nan)
    so2 = PollutantHours(
        pollutant="so2",
        measured=nothing,
        dry=nothing,
        converted=nothing,
        shown=nothing,
        minutes=np.where(state == State.VALID, 60.0, 0.0),
        state=state,
        mark=np.zeros(count, dtype=np.int64),
        exempt=np.zeros(count, dtype=np.bool_),
        amount_kg=kg,
        unconverted=np.zeros(count, dtype=np.int64),
    )
    return StackHours(
        stack=STACK,
        period=period,
        start_ns=hour_starts(period),
        pollutants={"so2": so2},
        flow=nothing,
        o2=nothing,
        temperature=nothing,
        humidity=nothing,
        pressure=nothing,
        running=nothing,
        marks=(),
        out_of_control=control,
        said=(),
        methods={},
        written=(),
    )


def gaps(*spans: tuple[int, int], state: State = State.MISSING) -> StackHours:
    """Hour n has n/1000 kg, except in the spans [first, after)."""
    kg = np.arange(QUARTER.hours) / 1000
    states = np.full(QUARTER.hours, int(State.VALID), dtype=np.int8)
    for first, after in spans:
        kg[first:after] = np.nan
        states[first:after] = state
    return made(kg, states)


def filled(hours: StackHours, before: tuple[float, ...] = ()) -> Amounts:
    return fill_in(hours, "so2", len(hours.start_ns), RULES, lambda: np.array(before))


@pytest.mark.parametrize(
    ("length", "code", "looked_back"), [(1, "M180", 180), (24, "M180", 180), (25, "M720", 720)]
)
def test_a_short_gap_looks_back_180_hours_a_longer_one_720(
    length: int, code: str, looked_back: int
) -> None:
    hours = gaps((1000, 1000 + length))
    hours.pollutants["so2"].amount_kg[500] = 9.0  # 500 hours before: inside 720, outside 180
    found = filled(hours)
    gap = found.gaps[0]
    assert (gap.code, gap.looked_back, gap.hours) == (code, looked_back, length)
    assert gap.kg == pytest.approx(9.0 if looked_back == 720 else 0.999)
    assert found.replaced.sum() == length
    # 0 + 1 + … + 2159 thousandths, less the gap, plus the stand-in
    lost = sum(range(1000, 1000 + length)) / 1000
    total = 2159 * 2160 / 2 / 1000 + (9.0 - 0.5) - lost + length * float(gap.kg or 0)
    assert found.kg.sum() == pytest.approx(total)


@pytest.mark.parametrize(
    ("missing", "code"),
    [
        (216, "M720"),  # 1944 / 2160 = 90 % exactly
        (217, "M2160"),
        (540, "M2160"),  # 1620 / 2160 = 75 % exactly
        (541, "none"),
    ],
)
def test_tiers_hold_at_their_very_edge(missing: int, code: str) -> None:
    found = filled(gaps((1500, 1500 + missing)), before=(1.0,) * 5000)
    assert found.gaps[0].code == code
    assert np.isnan(found.kg).any() == (code == "none")


def test_stopped_hours_leave_the_denominator_and_break_a_gap() -> None:
    hours = gaps((1000, 1020), (1030, 1050))
    so2 = hours.pollutants["so2"]
    so2.state[1020:1030] = State.STOPPED
    so2.amount_kg[1020:1030] = 0.0
    found = filled(hours)
    assert [(g.first, g.length, g.code) for g in found.gaps] == [
        (1000, 20, "M180"),
        (1030, 20, "M180"),
    ]
    rate = found.captures[QUARTER]
    assert (rate.counted, rate.valid) == (2150, 2110)
    assert rate.rate == Decimal(2110) / 2150


def test_the_window_counts_valid_hours_not_those_of_the_clock() -> None:
    hours = gaps((1000, 1001), (900, 924))
    hours.pollutants["so2"].amount_kg[796] = 7.0  # 100 - 24 + … : the 180th valid hour is 796
    found = filled(hours)
    late = next(gap for gap in found.gaps if gap.first == 1000)
    assert late.kg == pytest.approx(7.0)
    hours.pollutants["so2"].amount_kg[796], hours.pollutants["so2"].amount_kg[795] = 0.796, 7.0
    again = next(gap for gap in filled(hours).gaps if gap.first == 1000)
    assert again.kg == pytest.approx(0.999)


def test_hours_before_the_quarter_are_asked_for_when_needed() -> None:
    found = filled(gaps((10, 11)), before=(5.0, *(1.0,) * 170))
    assert found.gaps[0].kg == 1.0  # 10 hours of the quarter and 170 before: the 5 is the 171st
    assert found.gaps[0].looked_back == 180
    wider = filled(gaps((9, 10)), before=(5.0, *(1.0,) * 170))
    assert wider.gaps[0].kg == 5.0


def test_without_any_valid_hour_before_there_is_no_value() -> None:
    found = filled(gaps((0, 1)))
    assert (found.gaps[0].code, found.gaps[0].kg) == ("none", None)
    assert np.isnan(found.kg[0])


def test_lost_control_looks_back_from_the_last_good_check() -> None:
    start = QUARTER.start_ns
    hours = gaps((1000, 1010), state=State.OUT_OF_CONTROL)
    span = Mark(7, "out_of_control", start + 990 * HOUR_NS, start + 1010 * HOUR_NS)
    out = made(hours.pollutants["so2"].amount_kg, hours.pollutants["so2"].state, (span,))
    found = filled(out)
    assert found.gaps[0].code == "C180"
    assert found.gaps[0].kg == pytest.approx(0.989)


def test_a_gap_over_two_quarters_goes_by_the_rate_of_each() -> None:
    half = Period(QUARTER.first, Period.quarter(2026, 2).after)  # 2160 + 2184 hours
    kg = np.ones(half.hours)
    state = np.full(half.hours, int(State.VALID), dtype=np.int8)
    kg[2150 : 2160 + 600] = np.nan  # 99.5 % and 72.5 %
    state[2150 : 2160 + 600] = State.MISSING
    found = filled(made(kg, state, period=half))
    assert [(g.first, g.hours, g.length, g.code) for g in found.gaps] == [
        (2150, 10, 610, "M720"),
        (2160, 600, 610, "none"),
    ]


def test_a_valid_concentration_without_flow_has_no_amount() -> None:
    hours = gaps()
    hours.pollutants["so2"].amount_kg[1000:1300] = np.nan
    found = filled(hours)
    rate = found.captures[QUARTER]
    assert (rate.valid, rate.amounts) == (2160, 1860)  # 86.1 % of the amounts
    assert found.gaps[0].code == "M2160"
