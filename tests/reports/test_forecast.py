"""The forecast to the end of a year: exact where nothing scatters, by hand where it does."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.allowance.forecast import T_975, Ahead, Measured, deviation, expect
from reports.model import How
from tests.reports.quota import Quota, months, office, value

D = Decimal
JANUARY = Measured(31, D(20000), D(9400))  # 0.47 t/t
FEBRUARY = Measured(28, D(18000), D(8640))  # 0.48 t/t


@pytest.fixture
def desk(tmp_path: Path) -> Quota:
    return office(tmp_path)


def test_without_a_plan_by_mean_day_and_mean_rate() -> None:
    """38000 t in 59 days, 18040 t of anode: 31 days give 19966.10 t and 0.474737 of it."""
    (month,) = expect([JANUARY, FEBRUARY], [Ahead(31)]) or ()
    assert float(month.aluminium_t) == pytest.approx(38000 / 59 * 31, rel=1e-12)
    assert float(month.anode_t) == pytest.approx(38000 / 59 * 31 * 18040 / 38000, rel=1e-12)
    assert month.planned == ()


def test_the_plan_goes_first() -> None:
    (month,) = expect([JANUARY], [Ahead(31, D(21000), D(9800))]) or ()
    assert (month.aluminium_t, month.anode_t) == (D(21000), D(9800))
    assert month.planned == ("aluminium", "anode")
    (month,) = expect([JANUARY], [Ahead(31, D(21000))]) or ()
    assert (month.anode_t, month.planned) == (D("9870"), ("aluminium",))


def test_nothing_measured_and_no_plan_is_no_forecast() -> None:
    assert expect([], [Ahead(31)]) is None
    assert expect([], [Ahead(31, D(21000))]) is None
    assert expect([], [Ahead(31, D(21000), D(9800))]) is not None


def test_one_month_states_no_deviation() -> None:
    ahead = [Ahead(28)]
    expected = expect([JANUARY], ahead)
    assert expected is not None
    assert deviation([JANUARY], ahead, expected) is None


def test_deviation_by_hand_without_a_plan() -> None:
    """
    Rates 0.47 and 0.48: s = 0.01/√2 = 0.00707107. One month ahead of P t, n = 2, t = 12.706:
    anode 12.706 * s * P * √(1 + 1/2). Days 645.161 and 642.857: s/mean = 1.62926/644.009.
    """
    ahead = [Ahead(31)]
    expected = expect([JANUARY, FEBRUARY], ahead)
    assert expected is not None
    found = deviation([JANUARY, FEBRUARY], ahead, expected)
    assert found is not None
    ahead_t = 38000 / 59 * 31
    assert (found.freedom, found.t, found.against_plan) == (1, D("12.706"), False)
    assert float(found.anode_t) == pytest.approx(
        12.706 * 0.01 / 2**0.5 * ahead_t * 1.5**0.5, rel=1e-9
    )
    days = 20000 / 31, 18000 / 28
    relative = (days[0] - days[1]) / 2**0.5 / (sum(days) / 2)
    assert float(found.aluminium_t) == pytest.approx(
        12.706 * relative * ahead_t * 1.5**0.5, rel=1e-9
    )


def test_deviation_by_hand_against_the_plan() -> None:
    """20000/20500 - 1 = -2.439 %, 18000/17500 - 1 = +2.857 %: rms 2.6563 %, on 40000 t ahead."""
    measured = [
        Measured(31, D(20000), D(9400), D(20500)),
        Measured(28, D(18000), D(8640), D(17500)),
    ]
    ahead = [Ahead(31, D(20000)), Ahead(30, D(20000))]
    expected = expect(measured, ahead)
    assert expected is not None
    found = deviation(measured, ahead, expected)
    assert found is not None
    rms = (((20000 / 20500 - 1) ** 2 + (18000 / 17500 - 1) ** 2) / 2) ** 0.5
    assert found.against_plan
    assert float(found.output_deviation) == pytest.approx(rms, rel=1e-9)
    assert float(found.aluminium_t) == pytest.approx(12.706 * rms * 40000, rel=1e-9)


def test_both_parts_join_as_squares() -> None:
    """3 t per t on 2 t of anode, 1.5 on 4 t of metal: √(6² + 6²)."""
    ahead = [Ahead(31)]
    expected = expect([JANUARY, FEBRUARY], ahead)
    assert expected is not None
    found = deviation([JANUARY, FEBRUARY], ahead, expected)
    assert found is not None
    joined = float(found.emission_t(D(3), D("1.5")))
    parts = 3 * float(found.anode_t), 1.5 * float(found.aluminium_t)
    assert joined == pytest.approx((parts[0] ** 2 + parts[1] ** 2) ** 0.5, rel=1e-12)


def test_the_quantiles_fall_towards_the_normal_one() -> None:
    assert list(T_975) == sorted(T_975, reverse=True)
    assert (T_975[0], T_975[10]) == (D("12.706"), D("2.201"))


@given(
    daily=st.integers(100, 900),
    rate=st.decimals(min_value="0.40", max_value="0.56", places=3),
    measured=st.integers(2, 11),
)
def test_a_constant_year_is_exact(daily: int, rate: Decimal, measured: int) -> None:
    days = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    over = [Measured(n, D(n * daily), D(n * daily) * rate) for n in days[:measured]]
    ahead = [Ahead(n) for n in days[measured:]]
    expected = expect(over, ahead)
    assert expected is not None
    tiny = D("1e-18")
    for month, n in zip(expected, days[measured:], strict=True):
        assert abs(month.aluminium_t - n * daily) < tiny
        assert abs(month.anode_t - n * daily * rate) < tiny
    found = deviation(over, ahead, expected)
    assert found is not None
    assert found.anode_t < tiny
    assert found.aluminium_t < tiny


# --- in the report


DAYS = {1: 31, 2: 28, 3: 31, 4: 30, 5: 31, 6: 30, 7: 31, 8: 31, 9: 30, 10: 31, 11: 30, 12: 31}


def constant(upto: int) -> list[str]:
    """680 t a day at 0.47 t/t."""
    per_month = {m: (str(680 * DAYS[m]), f"{680 * DAYS[m] * 0.47:.2f}") for m in range(1, upto + 1)}
    return months(2026, "line1", per_month)


def test_ten_constant_months_give_the_whole_year(desk: Quota) -> None:
    """248200 t * (0.47 * 3.0354250667 + 0.14481) = 390039.11 t, low and high alike."""
    content = desk.enter(*constant(10)).balance(2026, "1.6").content(2026, preliminary=True)
    expected = 248200 * (0.47 * 0.8482 * 0.976 * 44 / 12 + 0.14481)
    for name in ("emission", "emission_low", "emission_high"):
        assert float(value(content, f"plant.{name}")) == pytest.approx(expected, abs=1e-6)
    assert content.line("line1.emission@2026-10").method == ""
    assert content.line("line1.emission@2026-11").method == "forecast"
    assert content.line("line1.emission").method == "forecast"
    assert value(content, "plant.allowance_low") == value(content, "plant.allowance_high")


def test_a_plan_that_is_entered_is_named_and_cited(desk: Quota) -> None:
    desk.enter(*constant(10), "aluminium_planned,line1,2026-12,15000,t,,").balance(2026, "1.6")
    content = desk.content(2026, preliminary=True)
    line = content.line("line1.aluminium@2026-12")
    assert line.value == 15000
    assert "计划" in line.notes[0].zh
    assert "15000" in {str(entry.value) for entry in content.entries}


def test_a_gap_before_a_measured_month_is_missing_not_forecast(desk: Quota) -> None:
    rows = [row for row in constant(10) if ",2026-05," not in row]
    content = desk.enter(*rows).content(2026, preliminary=True)
    line = content.line("plant.emission")
    assert line.how is How.MISSING
    assert any("2026-05" in text.en for text in line.missing)


def test_one_measured_month_gives_a_figure_without_an_interval(desk: Quota) -> None:
    content = desk.enter(*constant(1)).balance(2026, "1.6").content(2026, preliminary=True)
    assert content.line("plant.emission").value is not None
    assert "plant.emission_low" not in {line.id for line in content.lines}
    assert "不足两个" in " ".join(
        block.text.zh for block in content.chapters[0].blocks if block.block == "paragraph"
    )


def test_no_month_and_no_plan_says_what_to_enter(desk: Quota) -> None:
    content = desk.content(2026, preliminary=True)
    assert not content.complete
    assert any(
        "nothing to forecast from" in text.en for text in content.line("plant.emission").missing
    )


def test_scatter_of_the_anode_widens_the_band(desk: Quota) -> None:
    rows = constant(8)
    rows += months(2026, "line1", {9: ("20400", "9792"), 10: ("21080", "9700")})  # 0.480, 0.460
    content = desk.enter(*rows).balance(2026, "1.6").content(2026, preliminary=True)
    low, point, high = (
        value(content, f"plant.{name}") for name in ("emission_low", "emission", "emission_high")
    )
    assert low < point < high
    assert point - low == high - point
    ends = value(content, "plant.position_low"), value(content, "plant.position_high")
    assert ends[0] < value(content, "plant.position") < ends[1]
