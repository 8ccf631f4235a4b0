"""The yardstick of the early warning is worked by hand; a small run of it gives sane figures."""

import math

import pytest

from benchmarks.early_warning import Found, Shots, figures, simulate


def test_figures_worked_by_hand() -> None:
    hour = 3600.0
    found = Found(
        pot_days=10.0,
        warnings=[
            (1, 1000.0, 1600.0),  # right: 40 min ahead
            (1, 2000.0, 2900.0),  # right for the same effect, 23 min ahead
            (2, 1000.0, 1600.0),  # wrong: the effect comes after the hour
            (3, 1000.0, 9000.0),  # right: still on after two hours
            (4, 5000.0, 5600.0),  # wrong: after the effect
        ],
        effects=[(1, 3400.0), (2, 4700.0), (3, 8200.0), (4, 4000.0)],
    )
    of = figures(found, hour)
    assert of["precision"] == pytest.approx(3 / 5)
    assert of["recall"] == pytest.approx(2 / 4)
    assert of["lead_min"] == pytest.approx((2400 / 60 + 7200 / 60) / 2)
    assert of["alarms_per_pot_day"] == pytest.approx(0.5)
    # four effects in ten pot-days: one within an hour of any moment with 1 - exp(-0.4/24)
    assert of["chance"] == pytest.approx(1 - math.exp(-0.4 / 24))


def test_without_warnings_there_is_no_precision() -> None:
    of = figures(Found(pot_days=1.0, effects=[(1, 10.0)]), 3600.0)
    assert math.isnan(of["precision"])
    assert of["recall"] == 0.0


def test_a_small_run_finds_effects_and_warns_within_bounds() -> None:
    found = simulate(20, 0.75, 10.0, 5, Shots.FELL)
    assert found.pot_days == pytest.approx(10.0)
    assert len(found.warnings) < found.pot_days  # not one a pot and day
    again = simulate(20, 0.75, 10.0, 5, Shots.FELL)
    assert (found.warnings, found.effects) == (again.warnings, again.effects)
