"""Is energy per tonne falling: the test against every permutation, and what it says of a plant."""

from decimal import Decimal
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.energy.mann_kendall import mann_kendall, seasonal_kendall
from reports.energy.trend import at_one_current, decline_of, verdict_text
from reports.periods import Period

FALLING = [7.0, 6.5, 6.6, 6.1, 5.9, 5.0]


def months(count: int) -> list[Period]:
    found = [Period.month(2024, 1)]
    while len(found) < count:
        after = found[-1].after
        found.append(Period.month(after.year, after.month))
    return found


def decimals(values: list[float]) -> list[Decimal | None]:
    return [Decimal(f"{value:.4f}") for value in values]


def score(values: tuple[float, ...]) -> int:
    n = len(values)
    return sum(
        (values[j] > values[i]) - (values[j] < values[i]) for i in range(n) for j in range(i + 1, n)
    )


@given(st.lists(st.integers(0, 1000), min_size=2, max_size=6, unique=True))
def test_the_chance_is_that_of_all_permutations(values: list[int]) -> None:
    found = mann_kendall([float(value) for value in values])
    orders = [score(order) for order in permutations(map(float, values))]
    share = sum(s <= found.s for s in orders) / len(orders)
    assert found.exact
    assert found.s == score(tuple(map(float, values)))
    assert found.p_decline == pytest.approx(share)


def test_by_season_the_chance_is_that_of_all_orders_within_the_seasons() -> None:
    """Two seasons of three values: 6 x 6 orders, S of the seasons added."""
    values = [5.0, 9.0, 4.0, 8.5, 3.0, 8.7]
    found = seasonal_kendall(values, 2)
    one, two = values[::2], values[1::2]
    orders = [score(a) + score(b) for a in permutations(one) for b in permutations(two)]
    assert found.s == -3 - 1
    assert found.p_decline == pytest.approx(sum(s <= found.s for s in orders) / 36)
    # slopes per step: (4-5)/2, (3-5)/4, (3-4)/2; (8.5-9)/2, (8.7-9)/4, (8.7-8.5)/2
    assert found.slope == pytest.approx(np.median([-0.5, -0.5, -0.5, -0.25, -0.075, 0.1]))


def test_ties_take_the_normal_approximation_which_is_close() -> None:
    values = [5.0, 5.0, 4.0, 4.0, 3.0, 2.0, 3.0, 1.0]
    found = mann_kendall(values)
    orders = [score(order) for order in permutations(values)]
    assert not found.exact
    share = sum(s <= found.s for s in orders) / len(orders)
    assert found.p_decline == pytest.approx(share, abs=0.01)
    assert mann_kendall([4.0, 4.0, 4.0]).p_decline == 1.0


def test_known_values_of_the_exact_table() -> None:
    """n = 5, S = -10: 1/120; n = 4, S = 0: P(S <= 0) = 15/24."""
    assert mann_kendall([5, 4, 3, 2, 1]).p_decline == pytest.approx(1 / 120)
    assert mann_kendall([1, 4, 3, 2]).p_decline == pytest.approx(15 / 24)
    with pytest.raises(ValueError, match="two values"):
        mann_kendall([1.0])


def test_the_slope_is_the_median_of_pairs_and_ignores_one_wild_month() -> None:
    values = [100.0 - k for k in range(20)]
    values[7] = 500.0
    assert mann_kendall(values).slope == pytest.approx(-1, abs=0.05)
    assert mann_kendall(FALLING).p_decline < 0.05


def plant(
    count: int, slope: float, seed: int, step_at: int | None = None
) -> dict[str, list[float]]:
    """Months of a line: kWh/t with a season and noise; a step of the current at a month."""
    draw = np.random.default_rng(seed)
    at = np.arange(count)
    current = np.where(at >= (step_at if step_at is not None else count), 412.0, 400.0)
    volts = 1.65 + 2.35 * current / 400 + slope * at
    value = 2980 * volts / 0.93 / 0.98 + 25 * np.sin(2 * np.pi * at / 12) + draw.normal(0, 6, count)
    return {"value": value.tolist(), "current": current.tolist(), "volts": volts.tolist()}


def verdict(count: int, slope: float, seed: int, step_at: int | None = None) -> str:
    made = plant(count, slope, seed, step_at)
    value, current, volts = (decimals(made[name]) for name in ("value", "current", "volts"))
    tonnes: list[Decimal | None] = [Decimal(1000)] * count
    found = decline_of(months(count), value, tonnes, current, volts)
    assert verdict_text(found).zh
    return found.verdict


def test_a_real_decline_is_proven_and_noise_is_not() -> None:
    """1 mV a month is 3.3 kWh/t a month."""
    assert verdict(36, -0.001, 1) == "proven"
    assert verdict(24, -0.002, 2) == "proven"
    assert verdict(36, +0.001, 3) == "not_proven"
    assert verdict(11, -0.005, 4) == "too_few"
    flat = [verdict(30, 0.0, seed) for seed in range(40)]
    assert flat.count("proven") <= 5  # one in twenty by accident


def test_raising_the_current_hides_no_decline_and_lowering_makes_none() -> None:
    """3 % more current costs 2.35 V x 0.03 = 70 mV, which is no fault of the pots."""
    made = plant(36, -0.001, 5, step_at=18)
    value, current, volts = (decimals(made[name]) for name in ("value", "current", "volts"))
    tonnes: list[Decimal | None] = [Decimal(1000)] * 36
    found = decline_of(months(36), value, tonnes, current, volts)
    assert found.raw is not None
    assert found.raw.slope > 0
    assert found.verdict == "proven"
    assert "电流归一" in verdict_text(found).zh
    assert "the same current" in verdict_text(found).en


def test_at_the_mean_current_by_hand() -> None:
    """
    Currents 400 and 420, mean 410; volts 4.00 and 4.1175 (R the same).

    13000 x (1.65 + 2.35 x 410/400)/4.00 = 13000 x 4.05875/4 = 13190.94
    """
    levels = at_one_current(
        [Decimal(13000), Decimal("13381.875")],
        [Decimal(400), Decimal(420)],
        [Decimal("4.00"), Decimal("4.1175")],
    )
    assert float(levels[0] or 0) == pytest.approx(13190.94, abs=0.01)
    assert float(levels[1] or 0) == pytest.approx(13190.94, abs=0.01)


def test_months_before_the_line_ran_do_not_hinder() -> None:
    made = plant(15, -0.004, 8)
    none: list[Decimal | None] = [None] * 3
    value, current, volts = (
        none + decimals(made[name])[3:] for name in ("value", "current", "volts")
    )
    found = decline_of(months(15), value, [Decimal(1)] * 15, current, volts)
    assert found.normalised
    assert found.verdict == "proven"
    assert found.trend is not None
    assert found.trend.count == 12


def test_without_current_nothing_is_taken_out_and_it_is_said() -> None:
    value = decimals(plant(14, -0.004, 6)["value"])
    nothing: list[Decimal | None] = [None] * 14
    found = decline_of(months(14), value, [Decimal(1)] * 14, nothing, nothing)
    assert not found.normalised
    assert "未归一" in verdict_text(found).zh
    assert "as it is" in verdict_text(found).en
    assert "24" in verdict_text(found).zh  # the caveat on seasons


def test_rolling_twelve_months_are_weighted_and_the_year_before_is_the_same_month() -> None:
    """Eleven months of 13000 with 1 t and one of 13100 with 9 t: (11 x 13000 + 9 x 13100)/20."""
    value: list[Decimal | None] = [*[Decimal(13000)] * 11, Decimal(13100), Decimal(12950)]
    tonnes: list[Decimal | None] = [*[Decimal(1)] * 11, Decimal(9), Decimal(1)]
    nothing: list[Decimal | None] = [None] * 13
    rows = decline_of(months(13), value, tonnes, nothing, nothing).months
    assert rows[10].rolling is None
    assert rows[11].rolling == Decimal(13045)
    assert (rows[11].on_year, rows[12].on_year) == (None, Decimal(-50))
