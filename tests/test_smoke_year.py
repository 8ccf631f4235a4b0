"""
A simulated year of a stack, minute by minute through broker and historian to the emissions report.

Planted: exceedances, calibrations, maintenance, outages, a drift, a stop, and one forged mark. The
report must find every hour and invent none; the comparison reads report.json like an outsider.
"""

import json
import shutil
from typing import Any

import pytest

from simulators.compare_smoke import EXACT, SmokeFindings, rows_of, smoke_findings
from tests.smoke_plant import Plant, brought_in, smelter

YEAR = "2025"


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Plant:
    """The year simulated and brought in."""
    root = tmp_path_factory.mktemp("smoke")
    smelter("simulate", "--smoke", YEAR, "--dir", str(root))
    made, said = brought_in(root, YEAR)
    assert "1 mark contradicted by the trace" in said
    return made


@pytest.fixture(scope="module")
def year(plant: Plant) -> dict[str, Any]:
    return plant.report("--year", YEAR)


@pytest.fixture(scope="module")
def found(plant: Plant, year: dict[str, Any]) -> SmokeFindings:
    return smoke_findings(year, plant.truth)


def test_every_planted_hour_above_a_limit_is_found_and_none_invented(found: SmokeFindings) -> None:
    assert found.missed == ()
    assert found.invented == ()


def test_every_lost_hour_is_lost_and_no_other(found: SmokeFindings) -> None:
    """Outages, calibrations, maintenance, fault and drift, by hour and pollutant."""
    assert found.lost_missed == ()
    assert found.lost_invented == ()


def test_amounts_captures_and_stand_ins_are_the_truth(found: SmokeFindings) -> None:
    """Of 3 pollutants 12 months and the year, 5 figures each; 2 more of the year; and the gas."""
    assert len(found.figures) == 3 * (13 * 5 + 2) + 1
    wrong = [x for x in found.figures if x.share is None or abs(x.share) > EXACT]
    assert wrong == []


def test_the_report_has_what_the_truth_has_not_said_to_it(
    plant: Plant, year: dict[str, Any]
) -> None:
    """The comparison can fail: another truth is not met."""
    changed = json.loads(json.dumps(plant.truth))
    so2 = changed["stacks"]["DA001"]["pollutants"]["so2"]
    so2["exceeded"] = so2["exceeded"][1:]
    so2["total"]["measured_t"] *= 1.00001
    wrong = smoke_findings(year, changed)
    assert wrong.invented == ("DA001 so2 2025-01-15T11:00",)
    assert [x.line for x in wrong.figures if not abs(x.share or 0) <= EXACT] == ["DA001.so2_total"]
    assert not wrong.good()


def test_the_forged_mark_excuses_nothing_and_is_shown(
    found: SmokeFindings, year: dict[str, Any]
) -> None:
    assert (found.forged, found.forged_true) == (1, 1)
    (row,) = [r for r in rows_of(year["content"], "exceedances") if r["from"] == "2025-12-09 14:00"]
    assert row["hours"] == 3
    assert row["marks that touch it"].startswith("#")
    assert any(
        "contradicted" in doubt["text"]["en"] and row["marks that touch it"] in doubt["text"]["en"]
        for doubt in year["content"]["warnings"]
    )


def test_what_is_above_but_not_judged_is_shown_with_its_reason(year: dict[str, Any]) -> None:
    """25 minutes at 300 mg/m3 make no hour; a marked start-up is not judged; both are said."""
    rows = rows_of(year["content"], "hidden")
    assert [(r["from"], r["hours"]) for r in rows] == [
        ("2025-08-12 09:00", 1),
        ("2025-10-24 06:00", 6),
    ]
    assert "minutes" in rows[0]["not judged because"]
    assert "start-up" in rows[1]["not judged because"]
    assert "hint: above for 6 hours, 2 or more" in rows[1]["mark"]  # nothing but a hint
    assert "secondary" in rows[1]["mark"]


def test_hours_of_a_day_by_the_minute(plant: Plant) -> None:
    """Of one day an hour with 45 minutes and one with 44."""
    content = plant.report("--day", "2025-01-09")["content"]
    rows = {row["hour"]: row["sulphur dioxide, state"] for row in rows_of(content, "hours-DA001")}
    assert len(rows) == 24
    assert rows.pop("14:00") == "too few valid minutes"
    assert set(rows.values()) == {"valid"}


def test_a_start_up_whose_mark_is_withdrawn_is_judged(plant: Plant, year: dict[str, Any]) -> None:
    """The same data, one mark less: the six hours of the start-up are above the limit too."""
    marks = json.loads(smelter("journal", "list", *plant.site, "--kind", "mark", "--json"))
    (number,) = [r["n"] for r in marks["records"] if r["what"] == "start_up"]
    copy = plant.root / "withdrawn"
    (copy / "data").mkdir(parents=True)
    (copy / "data" / "historian").symlink_to(plant.root / "data" / "historian")
    shutil.copytree(plant.root / "data" / "documents", copy / "data" / "documents")
    for name in ("journal.jsonl", "journal.jsonl.head"):
        shutil.copy(plant.root / "data" / name, copy / "data" / name)
    shutil.copy(plant.root / "site.toml", copy / "site.toml")
    other = Plant(copy, plant.truth)
    why = ("--author", "王敏（仿真）", "--reason", "启动标记有误")
    smelter("journal", "withdraw", str(number), *other.site, *why)
    after = other.report("--month", "2025-10")["content"]
    before = {x["id"]: x["value"] for x in year["content"]["lines"]}
    assert before["DA001.so2_exceeded_hours@2025-10"] == 1
    hours = {x["id"]: x["value"] for x in after["lines"]}
    assert hours["DA001.so2_exceeded_hours"] == 7
    (taken_back,) = rows_of(after, "withdrawn-DA001")
    assert (taken_back["number"], taken_back["mark"]) == (f"#{number}", "start-up")
    assert taken_back["who withdrew it and why"] == "王敏（仿真）: 启动标记有误"


def test_a_changed_journal_is_refused(plant: Plant) -> None:
    """The forged mark made true afterwards: a letter of its verdict changed breaks the chain."""
    copy = plant.root / "tampered"
    (copy / "data").mkdir(parents=True)
    (copy / "data" / "historian").symlink_to(plant.root / "data" / "historian")
    text = (plant.root / "data" / "journal.jsonl").read_text("utf-8")
    assert text.count('"contradicted"') == 1
    changed = text.replace('"contradicted"', '"supported"')
    (copy / "data" / "journal.jsonl").write_text(changed, "utf-8")
    shutil.copy(plant.root / "site.toml", copy / "site.toml")
    number = text[: text.index('"contradicted"')].count("\n") + 1
    said = smelter("journal", "check", "--site", str(copy / "site.toml"), good=(1,))
    assert f"journal.jsonl:{number + 1}" in said  # the next line no longer follows it
    refused = ("report", "emissions", "--site", str(copy / "site.toml"), "--month", "2025-12")
    said = smelter(*refused, "--out", str(copy / "reports"), "--format", "json", good=(2,))
    assert "journal.jsonl" in said
    assert not list((copy / "reports").glob("*")) if (copy / "reports").exists() else True
    whole = smelter("journal", "check", *plant.site)
    assert "0 faults" in whole
