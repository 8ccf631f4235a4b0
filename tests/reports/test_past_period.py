"""``--past``: the newest day, month, quarter or year that is over, for timers."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.model import ConfigError
from reports.commands import report
from reports.periods import SPANS, last_over

DAYS = st.dates(date(2000, 1, 1), date(2100, 12, 31))


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        ("2026-01-01", ["2025-12-31", "2025-12", "2025-Q4", "2025"]),
        ("2026-03-01", ["2026-02-28", "2026-02", "2025-Q4", "2025"]),
        ("2026-04-01", ["2026-03-31", "2026-03", "2026-Q1", "2025"]),
        ("2024-03-01", ["2024-02-29", "2024-02", "2023-Q4", "2023"]),
        ("2026-12-31", ["2026-12-30", "2026-11", "2026-Q3", "2025"]),
    ],
)
def test_boundary_days(today: str, expected: list[str]) -> None:
    assert [str(last_over(span, date.fromisoformat(today))) for span in SPANS] == expected


@given(DAYS, st.sampled_from(SPANS))
def test_is_over_and_no_newer_one_is(today: date, span: str) -> None:
    found = last_over(span, today)
    assert found.after <= today
    assert last_over(span, found.after) == found  # it is the newest from its first day after on
    assert (today - found.after).days < {"day": 1, "month": 31, "quarter": 92, "year": 366}[span]


@pytest.mark.parametrize(
    ("name", "given", "told"),
    [
        ("energy", {"past": "week"}, "--past day | month | quarter | year"),
        ("energy", {"past": "month", "month": "2026-10"}, "--month"),
        ("carbon-annual", {"past": "month"}, "--year"),
    ],
)
def test_refusals(name: str, given: dict[str, str], told: str) -> None:
    with pytest.raises(ConfigError, match=told.replace("|", r"\|")):
        report(name, **given)  # type: ignore[arg-type]
