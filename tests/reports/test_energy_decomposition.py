"""A change of energy per tonne, shared out: always to the last digit, and without preference."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.assembly import Assembly, Head
from reports.energy.decomposition import operation_of
from reports.energy.shares_of_change import Operation, shares_of_change
from reports.model import How, Line, Section
from reports.periods import Period
from reports.values import Text

NAMES = {
    *("voltage", "anode_effects", "stopped_pots", "current_efficiency", "rectifier"),
    *("auxiliary", "other"),
}


def numbers(low: str, high: str, places: int) -> st.SearchStrategy[Decimal]:
    return st.decimals(low, high, places=places, allow_nan=False)


OPERATIONS = st.builds(
    Operation,
    total_kwh_per_t=numbers("12000", "15000", 2),
    working_v=numbers("3.7", "4.4", 4),
    effects_v=numbers("0", "0.1", 4),
    stopped_v=numbers("0", "0.1", 4),
    current_efficiency=numbers("0.85", "0.97", 4),
    rectifier_efficiency=numbers("0.96", "0.99", 4),
    auxiliary_kwh_per_t=numbers("0", "500", 2),
)
BEFORE = Operation(
    total_kwh_per_t=Decimal(13500),
    working_v=Decimal("4.00"),
    effects_v=Decimal("0.01"),
    stopped_v=Decimal("0.00"),
    current_efficiency=Decimal("0.92"),
    rectifier_efficiency=Decimal("0.98"),
    auxiliary_kwh_per_t=Decimal(250),
)


@given(OPERATIONS, OPERATIONS)
def test_the_parts_always_sum_to_the_change(before: Operation, after: Operation) -> None:
    parts = shares_of_change(before, after)
    assert set(parts) == NAMES
    assert sum(parts.values()) == after.total_kwh_per_t - before.total_kwh_per_t


@given(OPERATIONS)
def test_nothing_changed_is_nothing(run: Operation) -> None:
    assert set(shares_of_change(run, run).values()) == {Decimal(0)}


@given(OPERATIONS, OPERATIONS)
def test_exchanging_the_periods_turns_every_sign(one: Operation, two: Operation) -> None:
    there, back = shares_of_change(one, two), shares_of_change(two, one)
    for name, part in there.items():
        assert part == -back[name], name


@given(OPERATIONS, OPERATIONS)
def test_what_did_not_change_has_no_part(before: Operation, after: Operation) -> None:
    after = replace(after, rectifier_efficiency=before.rectifier_efficiency)
    assert shares_of_change(before, after)["rectifier"] == 0


def test_ten_millivolts_by_hand() -> None:
    """10 mV at CE 0.92 and rectifiers 0.98: 2979.98 x 0.01 / (0.92 x 0.98) = 33.0521 kWh/t."""
    after = replace(BEFORE, working_v=Decimal("4.01"), total_kwh_per_t=Decimal(13533))
    parts = shares_of_change(BEFORE, after)
    assert parts["voltage"] == pytest.approx(Decimal("33.0521"), abs=Decimal("0.0005"))
    assert parts["other"] == Decimal(33) - parts["voltage"]
    assert sum(parts[name] for name in NAMES - {"voltage", "other"}) == 0


def test_two_factors_share_their_product_evenly() -> None:
    """
    V 4.01 -> 4.11 and CE 0.92 -> 0.94, K/eta = 2979.98/0.98 = 3040.80.

    Voltage: (0.10/0.92 + 0.10/0.94)/2 x 3040.80 = 0.1075393 x 3040.80 = 327.005.
    CE: (4.01 + 4.11)/2 x (1/0.94 - 1/0.92) x 3040.80 = 4.06 x -0.0231267 x 3040.80 = -285.515.
    """
    after = replace(BEFORE, working_v=Decimal("4.10"), current_efficiency=Decimal("0.94"))
    parts = shares_of_change(BEFORE, after)
    assert float(parts["voltage"]) == pytest.approx(327.005, abs=0.01)
    assert float(parts["current_efficiency"]) == pytest.approx(-285.515, abs=0.01)


def test_signs_are_those_of_a_potroom() -> None:
    """More effects and stopped pots cost, better efficiencies save, auxiliaries as they are."""
    after = replace(
        BEFORE,
        effects_v=Decimal("0.02"),
        stopped_v=Decimal("0.01"),
        current_efficiency=Decimal("0.93"),
        rectifier_efficiency=Decimal("0.985"),
        auxiliary_kwh_per_t=Decimal(260),
    )
    parts = shares_of_change(BEFORE, after)
    assert parts["anode_effects"] > 0 < parts["stopped_pots"]
    assert parts["current_efficiency"] < 0 > parts["rectifier"]
    assert parts["auxiliary"] == 10


def lines_of(**values: str) -> dict[str, Line]:
    assembly = Assembly(Period.month(2026, 3), {})
    for name, value in values.items():
        what = Head("line1", name, Section.ENERGY, Text(zh=name, en=name), "1", 3)
        assembly.state(what, Decimal(value), How.COMPUTED, ())
    return assembly.lines


MARCH = {
    "aluminium": "10000",
    "electricity_rectifier": "130000",  # MWh: 13000 kWh/t
    "electricity_start": "650",  # half a percent of it
    "electricity_aux": "2000",
    "electricity_fgd": "500",
    "ac_specific": "13000",
    "dc_specific": "12740",
    "liquid_ac": "13000",
    "liquid_comprehensive_ac": "13250",
    "current_efficiency_tapping": "0.93",
    "ae_overvoltage": "4",
}


def test_the_figures_of_a_month_explain_its_energy_without_a_rest() -> None:
    """
    V = 12740 x 0.93 / 2979.98 = 3.97593 V; start-up 0.5 % of it 0.01988 V; effects 4 mV.

    Rectifiers 12740/13000 = 0.98; auxiliaries with desulphurisation 2500 MWh / 10000 t = 250 kWh/t.
    """
    run = operation_of(lines_of(**MARCH), "line1", "liquid_comprehensive_ac")
    assert run is not None
    assert float(run.working_v + run.effects_v + run.stopped_v) == pytest.approx(3.97593, abs=1e-5)
    assert float(run.stopped_v) == pytest.approx(0.01988, abs=1e-5)
    assert (run.effects_v, run.auxiliary_kwh_per_t) == (Decimal("0.004"), Decimal(250))
    assert run.rectifier_efficiency == Decimal("0.98")
    april = MARCH | {
        "dc_specific": "12602",
        "ac_specific": "12846",
        "liquid_comprehensive_ac": "13096",
        "electricity_rectifier": "128460",
        "current_efficiency_tapping": "0.94",
        "electricity_start": "0",
    }
    then = operation_of(lines_of(**april), "line1", "liquid_comprehensive_ac")
    assert then is not None
    parts = shares_of_change(run, then)
    assert sum(parts.values()) == -154
    assert abs(parts["other"]) < Decimal("0.0001")
    assert parts["stopped_pots"] < -60  # 0.5 % of 13000 kWh/t
    assert parts["current_efficiency"] < -130


def test_without_metal_or_current_efficiency_nothing_is_explained() -> None:
    for name in ("current_efficiency_tapping", "dc_specific", "ac_specific"):
        fewer = {key: value for key, value in MARCH.items() if key != name}
        assert operation_of(lines_of(**fewer), "line1", "liquid_comprehensive_ac") is None
