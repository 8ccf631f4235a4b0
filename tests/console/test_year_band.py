"""The year drawn: places on the axis reckoned by hand, what is measured, what is not known."""

from typing import Any

import pytest

from reports.console.figures.year_band import months, picture


def content(**rounded: float | None) -> dict[str, Any]:
    """Lines by id, with ``__`` for the point and ``_at_`` for the month; forecast from 10 on."""
    lines = []
    for name, value in rounded.items():
        identity = name.replace("__", ".", 1).replace("_at_", "@2026-")
        forecast = identity.endswith(("-10", "-11", "-12"))
        lines.append(
            {"id": identity, "rounded": value, "method": "forecast" if forecast else "summed"}
        )
    return {"lines": lines}


def test_a_running_year_is_drawn_as_measured_and_ahead() -> None:
    # 960 t at most: 960 / 4 = 240 → steps of 250, axis to 1000; 900 t stand at 90, 600 + 100 at 70
    found = picture(
        content(
            plant__emission=900,
            plant__emission_low=880,
            plant__emission_high=960,
            plant__allowance=None,
            plant__allowance_low=400,
            plant__allowance_high=450,
            line1__emission_at_09=600,
            line2__emission_at_09=100,
            line1__emission_at_10=200,
            line2__emission_at_11=None,
        )
    )
    assert found is not None
    emission, allowance = found["rows"]
    assert emission == {"id": "emission", "value": 90, "low": 88, "high": 96, "measured": 70}
    assert allowance == {
        "id": "allowance", "value": None, "low": 40, "high": 45, "measured": None,
    }  # fmt: skip
    assert [(tick["at"], tick["value"]) for tick in found["ticks"]] == [
        (0, 0), (25, 250), (50, 500), (75, 750), (100, 1000),
    ]  # fmt: skip


def test_a_year_that_is_over_is_measured_whole() -> None:
    found = picture(content(plant__emission=900, plant__allowance=1000, line1__emission_at_01=900))
    assert found is not None
    assert [row["measured"] for row in found["rows"]] == [None, None]
    assert [row["value"] for row in found["rows"]] == [90, 100]


@pytest.mark.parametrize("lines", [{}, {"plant__emission": None}, {"plant__emission": 0}])
def test_what_is_not_known_is_not_drawn(lines: dict[str, float | None]) -> None:
    assert picture(content(**lines)) is None
    assert picture(None) is None


def test_months_of_one_year_are_counted_once() -> None:
    lines = content(
        line1__emission_at_01=1, line2__emission_at_01=1, line1__emission_at_10=1
    )  # fmt: skip
    assert months({line["id"]: line for line in lines["lines"]}) == {"measured": 1, "forecast": 1}
