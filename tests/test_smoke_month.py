"""
A month of two stacks: an anode baking furnace measured wet, and one whose quarter is too poor.

The furnace is held against its limits at 15 % of oxygen, and some air gets into its gas; the other
stack's instrument fails for nine days. What the report says is compared with the simulator's truth.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from simulators.compare_smoke import EXACT, SmokeFindings, rows_of, smoke_findings
from simulators.months import LOCAL
from simulators.smoke_files import write_smoke
from simulators.smoke_officer import write_journal_table
from simulators.smoke_plan import BAKING, POT_GAS, Happening, SmokePlan
from simulators.smoke_site import smoke_site
from tests.smoke_plant import Plant, brought_in

MONTH = "2025-07"  # the first of a quarter: what is known of the quarter is this month
PLANTED = (
    "level:DA002/so2@2025-07-03T08:00+60=35.0",  # the limit itself
    "level:DA002/so2@2025-07-03T10:00+60=35.2",  # just above it
    "level:DA002/nox@2025-07-05T13:00+120=128",
    "air:DA002@2025-07-07T09:00+180=20.8",  # nothing can be converted
    "level:DA002/so2@2025-07-07T10:00+60=300",
    "air:DA002@2025-07-09T15:00+15=20.7",  # 45 minutes are left: judged by them
    "level:DA002/so2@2025-07-09T15:00+60=52",
    "air:DA002@2025-07-09T18:00+16=20.7",  # 44: not judged
    "level:DA002/so2@2025-07-09T18:00+60=52",
    "air:DA002@2025-07-11T07:00+120=19.4",  # dry 10.1 mg/m3, converted 38
    "level:DA002/so2@2025-07-11T07:00+60=38",
    "calibration:DA002@2025-07-14T02:15+1",  # 44 minutes
    "communication:DA002@2025-07-16T10:00+16",
    "maintenance:DA002@2025-07-18T10:00+120",
    "level:DA001/so2@2025-07-02T11:00+60=36",
    "fault:DA001@2025-07-03T06:00+12960",  # 9 of 31 days
    "calibration:DA001@2025-07-12T06:00+30",
    "level:DA001/pm@2025-07-22T05:00+60=12.5",
)


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Plant:
    root = tmp_path_factory.mktemp("month")
    begin, end = (datetime(2025, month, 1, tzinfo=LOCAL) for month in (7, 8))
    happenings = tuple(Happening.parse(text) for text in PLANTED)
    baking = replace(BAKING, started=POT_GAS.started)
    plan = SmokePlan(begin, end, 7, (POT_GAS, baking), happenings)
    made = write_smoke(root / "history", plan, MONTH)
    (root / "site.toml").write_text(smoke_site("demo", plan.stacks), "utf-8")
    write_journal_table(root / "journal", made)
    return brought_in(root, MONTH)[0]


@pytest.fixture(scope="module")
def month(plant: Plant) -> dict[str, Any]:
    return plant.report("--month", MONTH)


@pytest.fixture(scope="module")
def found(plant: Plant, month: dict[str, Any]) -> SmokeFindings:
    return smoke_findings(month, plant.truth)


def test_every_hour_above_and_every_lost_hour_is_found_and_none_invented(
    found: SmokeFindings, plant: Plant
) -> None:
    assert (found.missed, found.invented) == ((), ())
    assert (found.lost_missed, found.lost_invented) == ((), ())
    so2 = plant.truth["stacks"]["DA002"]["pollutants"]["so2"]["exceeded"]
    assert [hour[:16] for hour in so2] == [
        *("2025-07-03T10:00", "2025-07-09T15:00", "2025-07-11T07:00")
    ]


def test_figures_are_the_truth_and_there_is_none_where_there_can_be_none(
    found: SmokeFindings,
) -> None:
    """Of 5 pollutants 7 figures each, and the gas of both stacks."""
    assert len(found.figures) == 5 * 7 + 2
    assert [x for x in found.figures if x.share is None or abs(x.share) > EXACT] == []
    none = {x.line for x in found.figures if x.reported is None}
    assert none == {f"DA001.{name}_total" for name in ("pm", "so2", "fluoride")}


def test_too_poor_a_quarter_has_no_stand_in_and_no_total(
    month: dict[str, Any], plant: Plant
) -> None:
    """216 hours of the fault and one of the calibration after it: 1 - 217/744 = 70.83 %."""
    content = month["content"]
    lines = {line["id"]: line for line in content["lines"]}
    truth = plant.truth["stacks"]["DA001"]["pollutants"]["so2"]
    assert truth["capture"]["2025-Q3"] == pytest.approx(527 / 744)
    (row,) = rows_of(content, "substitution-DA001")
    assert (row["hours"], row["method"]) == (217, "no stand-in")
    assert row["sulphur dioxide"] == "none"
    assert lines["DA001.so2_substituted_hours"]["value"] == 0
    assert lines["DA001.so2_substituted"]["value"] == 0
    total = lines["DA001.so2_total"]
    assert total["value"] is None
    assert "neither valid data nor a stand-in" in total["missing"][0]["en"]
    assert "季度捕集率不足" in total["missing"][0]["zh"]
    assert not content["complete"]
    told = [doubt["text"]["en"] for doubt in content["warnings"]]
    low = [x for x in told if "capture rate" in x and "sulphur" in x]
    assert len(low) == 1
    assert all(part in low[0] for part in ("2025-Q3", "70.83%", "75 %"))
    assert any("cannot be used for the emission total" in text for text in told)
    assert lines["DA002.so2_total"]["value"] > 0  # the other stack has its own


def test_what_cannot_be_converted_is_shown_and_never_clipped(
    month: dict[str, Any],
) -> None:
    content = month["content"]
    rows = {
        row["from"]: row
        for row in rows_of(content, "unconverted-DA002")
        if row["pollutant"] == "sulphur dioxide"
    }
    assert set(rows) == {"2025-07-07 09:00", "2025-07-09 15:00", "2025-07-09 18:00"}
    long = rows["2025-07-07 09:00"]
    told = [long[x] for x in ("hours", "minutes not converted", "hours not judged", "O2, dry")]
    assert [float(x) for x in told] == [3, 180, 3, 20.8]
    assert float(long["highest dry"]) == 300  # as it is: 6 / (21 - 20.8) would make it 9,000
    judged = [float(rows[f"2025-07-09 {x}:00"]["hours not judged"]) for x in (15, 18)]
    assert judged == [0, 1]
    told_doubts = [doubt["text"]["en"] for doubt in content["warnings"]]
    assert any("sulphur dioxide: 4 valid hours cannot be converted" in x for x in told_doubts)


def test_hours_of_a_day_with_air(plant: Plant) -> None:
    """The hour with 44 minutes left is above by them, and listed as what it is."""
    content = plant.report("--day", "2025-07-09")["content"]
    (hidden,) = [r for r in rows_of(content, "hidden") if r["pollutant"] == "sulphur dioxide"]
    assert (hidden["from"], hidden["highest"]) == ("2025-07-09 18:00", 52)
    assert hidden["not judged because"] == "O2 too near air to convert"
    rows = {row["hour"]: row for row in rows_of(content, "hours-DA002")}
    assert rows["15:00"]["sulphur dioxide, mean"] == 52
    assert rows["18:00"]["sulphur dioxide, mean"] is None
    assert rows["18:00"]["sulphur dioxide, state"] == "O2 too near air to convert"
