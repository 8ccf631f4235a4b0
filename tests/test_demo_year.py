"""A simulated year as a newcomer runs it: every carbon report, true to what happened."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from pypdf import PdfReader

from simulators.compare import read_json
from simulators.compare_year import year_deviations

SMELTER = (sys.executable, "-c", "from drivers.cli import main; main()")
YEAR = "2025"
REPORTS = (
    *("quality-plan", "carbon-annual", "verification", "allowance", "international"),
    *("emissions", "grade"),
)


def smelter(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "LANG": "C"}
    return subprocess.run(
        [*SMELTER, *arguments],
        capture_output=True,
        encoding="utf-8",
        env=environment,
        timeout=900,
        check=False,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("year") / "demo"
    ended = smelter("demo", "--once", "--year", YEAR, "--dir", str(made), "--lang", "zh")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "与仿真真值的最大偏差" in ended.stdout
    assert "漏 0 个，多 0 个；伪造标记：1 个，识破 1 个" in ended.stdout
    return made


def content(folder: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = read_json(folder / "reports" / f"{name}-{YEAR}-v1.json")["content"]
    return found


def lines(folder: Path, name: str) -> dict[str, dict[str, Any]]:
    return {line["id"]: line for line in content(folder, name)["lines"]}


def test_every_figure_of_the_year_is_true(folder: Path) -> None:
    truth = read_json(folder / "history" / f"truth-{YEAR}.json")
    report = read_json(folder / "reports" / f"carbon-annual-{YEAR}-v1.json")
    found = year_deviations(report, truth)
    assert len(found) == 355
    assert [figure for figure in found if not figure.good] == []


def test_months_in_which_a_line_stood_still_are_not_stated(folder: Path) -> None:
    annual = lines(folder, "carbon-annual")
    assert annual["line2.aluminium@2025-08"]["value"] > 1000
    for still in ("line2.aluminium@2025-09", "line3.aluminium@2025-03"):
        line = annual.get(still)
        assert line is None or (line["value"], line["how"]) == (None, "none")
    (april,) = (p for p in content(folder, "carbon-annual")["potlines"] if p["id"] == "line3")
    assert april["days"] == 260  # 16 April to 31 December


def test_every_report_is_there_in_three_forms(folder: Path) -> None:
    for name in REPORTS:
        stem = folder / "reports" / f"{name}-{YEAR}-v1"
        report = read_json(stem.with_suffix(".json"))
        # No official table of a grade is confirmed, and so none is proven.
        assert report["content"]["complete"] is (name != "grade"), name
        pages = PdfReader(f"{stem}.zh.pdf").pages
        assert "示例铝业" in pages[0].extract_text()
        assert load_workbook(f"{stem}.zh.xlsx").sheetnames


def table(folder: Path, name: str, which: str) -> list[dict[str, Any]]:
    """Rows of a table by Chinese headings and texts."""
    for chapter in content(folder, name)["chapters"]:
        for block in chapter["blocks"]:
            if str(block.get("id", "")).startswith(which) and "rows" in block:
                heads = [column["label"]["zh"] for column in block["columns"]]
                rows = [[x["zh"] if isinstance(x, dict) else x for x in r] for r in block["rows"]]
                return [dict(zip(heads, row, strict=True)) for row in rows]
    return []


def test_the_alert_shows_what_was_kept_what_not_and_what_nobody_knows(folder: Path) -> None:
    """54 hours; of the usual gas 60 % is burned; no truck of a class that is kept out comes."""
    (alert,) = table(folder, "grade", "grade_alerts")
    assert (alert["级别"], alert["开始"]) == ("橙色", "2025-11-27 18:00:00")
    assert alert["落实情况"] == "应落实 4，已落实 2，未落实 1，未知 1"
    done = {row["措施"]: row for row in table(folder, "grade", "grade_alert_")}
    assert {name: row["落实"] for name, row in done.items()} == {
        "国五及以下货车停运": "已落实",
        "铸造炉少烧 30 % 天然气": "已落实",
        "一系列压减 5 % 负荷": "未落实",
        "停用 2 号混合炉（天然气表尚未接入）": "未知",
    }
    gas = done["铸造炉少烧 30 % 天然气"]
    assert gas["实际"] / gas["基准"] == pytest.approx(0.6, abs=0.03)  # the use wanders
    assert done["国五及以下货车停运"]["实际"] == 0


def test_papers_of_the_grade_are_there_run_out_or_missing(folder: Path) -> None:
    expires = table(folder, "grade", "grade_expires")
    assert [row["有效期至"] for row in expires if "门禁" in row["内容"]] == ["2026-02-28"]
    told = json.dumps(content(folder, "grade")["chapters"], ensure_ascii=False)
    assert "有效文件 5/5" in told
    assert "环保记录中没有用于自行监测报告（self_monitoring）的文件" in told
    assert "于 2025-12-31 声明一年内无环境处罚" in told


def test_a_certificate_that_ran_out_is_flagged(folder: Path) -> None:
    """The anode scale of line 1 was calibrated 40 days late, and nothing else is wrong."""
    warnings = content(folder, "carbon-annual")["warnings"]
    assert {warning["line"] for warning in warnings} == {"line1.anode_consumed"}
    assert "2025-10-16" in warnings[0]["text"]["zh"]


def test_anode_effects_move_the_methods_abroad_only(folder: Path) -> None:
    truth = read_json(folder / "history" / f"truth-{YEAR}.json")
    abroad = lines(folder, "international")
    for name in ("line1", "line2", "line3"):
        true = truth["lines"][name]["aem_min_per_cell_day"]
        (measured,) = (v["value"] for k, v in abroad.items() if k == f"{name}.ae_minutes")
        assert measured == pytest.approx(true, rel=1e-3)


def test_lodged_months_agree_and_every_figure_traces(folder: Path) -> None:
    listed = smelter("lodge", "--list", "--site", str(folder / "site.toml"), "--json")
    assert listed.returncode == 0, listed.stderr
    lodged = json.loads(listed.stdout)
    assert len(lodged) == 13  # the plan and twelve months
    report = str(folder / "reports" / f"carbon-annual-{YEAR}-v1.json")
    for line in ("plant.emission", "line2.electricity_ac@2025-08", "plant.fuel_co2.natural_gas"):
        traced = smelter("trace", report, line)
        assert traced.returncode == 0, traced.stdout + traced.stderr


def test_the_ledger_is_whole(folder: Path) -> None:
    checked = smelter("entries", "check", "--site", str(folder / "site.toml"))
    assert checked.returncode == 0, checked.stdout + checked.stderr
