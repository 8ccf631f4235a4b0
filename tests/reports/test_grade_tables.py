"""Indicator tables: what is shipped, how an officer types one, and what is refused."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import openpyxl
import pytest

from drivers.model import ConfigError
from reports.grade.listing import absent_text, evidence_text
from reports.grade.ours import ours
from reports.grade.overlay import lay, read_own_table, read_own_tables
from reports.grade.table import FAMILIES, load_table, tables
from tests.reports.conftest import Smelter
from tests.reports.graded import ALL, EVIDENCE, overlay_text

TODAY = date(2026, 11, 23)
EXAMPLE = Path(__file__).parents[2] / "config" / "overlays" / "grade-carbon.example.toml"


def own(folder: Path, **changes: str) -> Path:
    """A good file, with some words changed."""
    (folder / "table.txt").write_text("TEST\n", "utf-8")
    text = overlay_text("cn_2020_electrolytic_aluminium", EVIDENCE, ALL)
    for old, new in changes.items():
        text = text.replace(old, new)
    path = folder / "own.toml"
    path.write_text(text, "utf-8")
    return path


def said(folder: Path, *replaced: tuple[str, str]) -> str:
    path = own(folder)
    text = path.read_text("utf-8")
    for old, new in replaced:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, "utf-8")
    return "\n".join(read_own_table(path, TODAY).problems)


# --- what is shipped


def test_no_indicator_is_official_but_what_was_read_in_the_published_text() -> None:
    official = {
        (each.table, each.level)
        for table in tables().values()
        for each in table.indicators
        if each.confirmed == "official"
    }
    assert official == {("cn_2026_general", "A+")}
    assert not [x for t in tables().values() for x in t.indicators if x.confirmed == "site"]


def test_every_family_and_level_of_an_industry_is_told() -> None:
    for table in tables().values():
        if table.file.industry == "any":
            continue
        for level in table.file.levels:
            told = {each.family for each in table.of_level(level)}
            assert told >= set(FAMILIES) - {"conditions"}, (table.name, level)


def test_electrolytic_aluminium_is_absent_throughout() -> None:
    table = tables()["cn_2020_electrolytic_aluminium"]
    assert {each.confirmed for each in table.indicators} == {"absent"}
    assert len(table.indicators) == 27  # 9 families, A B C
    assert "环办大气函〔2020〕340号" in "\n".join(absent_text(tables()))


def test_a_plus_builds_on_a() -> None:
    assert tables()["cn_2026_general"].file.builds_on == {"A+": "A"}


def test_efforts_run_from_reading_to_rebuilding() -> None:
    names = [each.id for each in ours().efforts]
    assert names[0] == "read"
    assert names[-1] == "rebuild"
    assert names.index("type") < names.index("record") < names.index("wait")


def test_a_table_file_names_every_mistake_at_once() -> None:
    content = """title = "t"
industry = "steel"
generation = "X"
levels = ["A", "B", "A"]
builds_on = { "B" = "A" }
applies_from = 2026-01-01
colour = "red"

[sources.one]
title = "t"
issuer = "i"
where = "w"

[[indicators]]
name = "x"
family = "energie"
levels = ["D"]
zh = "一"
en = "one"
source = "two"
locator = "p"
confirmed = "sure"
seen = "s"
seen_zh = "s"
evidence = [{ kind = "limits_met", pollutant = "so2", limit = -1 }]
"""
    with pytest.raises(ConfigError) as error:
        load_table("t", content.encode())
    told = str(error.value)
    for part in (
        *("t.toml:2: industry", "t.toml:4: levels", "builds_on.B", "t.toml:7: colour"),
        *("family", "no level of this table", "unknown source 'two'", "confirmed", "limit"),
    ):
        assert part in told, part


# --- an overlay


def test_a_good_overlay_takes_the_place_of_what_was_absent(tmp_path: Path) -> None:
    laid = lay(tables(), read_own_tables([own(tmp_path)]), "electrolytic_aluminium")
    table = laid["cn_2020_electrolytic_aluminium"]
    assert {each.confirmed for each in table.of_level("A")} == {"site"}
    assert {each.confirmed for each in table.of_level("B")} == {"absent"}
    assert table.digest != tables()[table.name].digest


def test_what_is_typed_in_part_stays_absent_besides(tmp_path: Path) -> None:
    path = own(tmp_path)
    text = path.read_text("utf-8").replace(
        'family = "limits", level = "A", state = "complete"',
        'family = "limits", level = "A", state = "partial"',
    )
    path.write_text(text, "utf-8")
    laid = lay(tables(), read_own_tables([path]), "electrolytic_aluminium")
    rows = laid["cn_2020_electrolytic_aluminium"].of_level("A")
    assert sorted(x.confirmed for x in rows if x.family == "limits") == ["absent", "site"]


@pytest.mark.parametrize(
    ("replaced", "told"),
    [
        (('checked_by = "李四"', 'checked_by = "张三"'), "another person"),
        (('checked_by = "李四"', 'checked_by = " 张 三"'), "another person"),
        (('checked_by = "李四"', 'checked_by = ""'), "checked_by: is missing"),
        (("checked_on = 2026-10-20", "checked_on = 2026-11-24"), "is to come"),
        (('document = "table.txt"', 'document = "gone.txt"'), "gone.txt"),
        (('name = "so2"', 'name = "fuel"'), "is there already"),
        (('state = "complete"', 'state = "none"'), '"none" goes with no indicator'),
        (('family = "energy", level = "A"', 'family = "energy", level = "B"'), "says nothing of"),
        (('levels = ["A"]', 'levels = ["Z"]'), "says nothing of"),
        (('pollutant = "so2", limit = 30', 'pollutant = "so2", limit = 0'), "must be above 0"),
        (('kind = "interlock"', 'kind = "none_known"'), "say which evidence"),
        (('kind = "interlock"', 'kind = "photo"'), "write one of"),
        (("consumable_used", "coffee"), "no kind of entry coffee"),
        (("national_vi", "horse"), "no horse"),
        (('table = "cn_2020_electrolytic_aluminium"', 'table = "cn_2020_alu"'), "no table"),
    ],
)
def test_a_bad_overlay_is_refused_by_name(
    tmp_path: Path, replaced: tuple[str, str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMELTER_LANG", "en")
    assert told in said(tmp_path, replaced)


def test_an_empty_table_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMELTER_LANG", "en")
    path = own(tmp_path)
    head = path.read_text("utf-8").partition("[[indicators]]")[0]
    path.write_text(head.replace('"complete"', '"none"'), "utf-8")
    assert "an empty table proves no level" in "".join(read_own_table(path, TODAY).problems)


def test_a_changed_document_ends_the_overlay(tmp_path: Path) -> None:
    path = own(tmp_path)
    assert read_own_table(path, TODAY).problems == ()
    (tmp_path / "table.txt").write_text("TEST 2\n", "utf-8")
    assert "sha256" in "".join(read_own_table(path, TODAY).problems)


def test_the_same_family_is_typed_once(tmp_path: Path) -> None:
    first = own(tmp_path)
    second = tmp_path / "more.toml"
    second.write_text(first.read_text("utf-8"), "utf-8")
    with pytest.raises(ConfigError) as error:
        read_own_tables([first, second])
    assert str(first) in str(error.value)


def test_an_official_row_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "table.txt").write_text("TEST\n", "utf-8")
    path = tmp_path / "own.toml"
    mine = {"chosen": ("conditions", '{ kind = "document", what = "x" }')}
    text = overlay_text("cn_2026_general", mine, ("conditions",))
    path.write_text(text.replace('"A"', '"A+"'), "utf-8")
    assert "official" in "".join(read_own_table(path, TODAY).problems)


def test_a_general_table_may_be_typed_for_one_industry(tmp_path: Path) -> None:
    (tmp_path / "table.txt").write_text("TEST\n", "utf-8")
    path = tmp_path / "own.toml"
    text = overlay_text("ha_2024", {"fuel": EVIDENCE["fuel"]}, ("energy",))
    path.write_text(f'industry = "carbon"\n{text}', "utf-8")
    read = read_own_tables([path])
    carbon, other = (lay(tables(), read, each)["ha_2024"] for each in ("carbon", "alumina"))
    assert carbon.name == "ha_2024-carbon"
    assert other is tables()["ha_2024"]
    assert [x.name for x in carbon.of_level("A") if x.family == "energy"] == ["fuel"]


# --- templates


def test_the_workbook_is_filled_in_and_read_back(tmp_path: Path, smelter: Smelter) -> None:
    path = tmp_path / "own.xlsx"
    table = "cn_2020_electrolytic_aluminium"
    code, told = smelter("rules", "template", "grade", table, "--out", str(path))
    assert code == 0, told
    assert smelter("rules", "template", f"grade.{table}", "--out", str(path))[0] == 2  # is there
    code, told = smelter("rules", "check", str(path))
    assert code == 2
    assert "checked_by" in told
    fill(path, sha=overlay_text(table, {}, ()).partition('sha256 = "')[2][:64])
    (tmp_path / "table.txt").write_text("TEST\n", "utf-8")
    code, told = smelter("rules", "check", str(path))
    assert code == 0, told
    assert "checked by 李四" in told
    laid = lay(tables(), read_own_tables([path]), "electrolytic_aluminium")[table]
    rows = {each.name: each for each in laid.of_level("A") if each.family == "limits"}
    assert evidence_text(rows["so2"].evidence[0]).en == (
        "limit met in every valid hour SO2 DA001, DA002 ≤ 35 mg/m3"
    )
    assert [each.kind for each in rows["so2"].evidence] == ["limits_met", "interlock"]


def fill(path: Path, sha: str) -> None:
    book = openpyxl.load_workbook(path)
    paper, coverage, rows = (book[name] for name in book.sheetnames[:3])
    known = {"seen": "纸质文件", "document": "table.txt", "sha256": sha, "entered_by": "张三"}
    known |= {"checked_by": "李四", "checked_on": "2026/10/20"}
    for row in paper.iter_rows():
        key = str(row[0].value).rpartition("[")[2].rstrip("]")
        if key in known:
            row[1].value = known[key]
    for row in coverage.iter_rows(min_row=2):
        if "[limits]" in str(row[0].value) and row[1].value == "A":
            row[2].value = "全部已录入 [complete]"
    heads = [str(cell.value).rpartition("[")[2].rstrip("]") for cell in rows[2]]
    written: tuple[dict[str, str | int], ...] = (
        {"name": "so2", "family": "排放限值 [limits]", "levels": "A", "zh": "二氧化硫",
         "locator": "第3页", "kind": "限值 [limits_met]", "subject": "so2", "number": 35,
         "unit": "mg/m3", "items": "DA001、DA002"},
        {"name": "so2", "kind": "同步 [interlock]", "number": 0, "unit": "min"},
    )  # fmt: skip
    for number, cells in enumerate(written, 3):
        for key, value in cells.items():
            rows.cell(number, heads.index(key) + 1, value)
    book.save(path)


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        ("unit", "ppm", "write the unit mg/m3"),
        ("number", "many", "is no number"),
        ("kind", "photo", "kind of evidence is one of"),
        ("reference_o2", "22", "must be below 21"),
        ("family", "fish", "family"),
    ],
)
def test_a_wrong_cell_is_named_with_its_row(
    tmp_path: Path, smelter: Smelter, column: str, value: str, told: str
) -> None:
    path = tmp_path / "own.xlsx"
    table = "cn_2020_electrolytic_aluminium"
    assert smelter("rules", "template", "grade", table, "--out", str(path))[0] == 0
    fill(path, sha=overlay_text(table, {}, ()).partition('sha256 = "')[2][:64])
    (tmp_path / "table.txt").write_text("TEST\n", "utf-8")
    book = openpyxl.load_workbook(path)
    rows = book[book.sheetnames[2]]
    heads = [str(cell.value).rpartition("[")[2].rstrip("]") for cell in rows[2]]
    rows.cell(3, heads.index(column) + 1, value)
    book.save(path)
    code, output = smelter("rules", "check", str(path))
    assert code == 2
    assert "row 3" in output
    assert told in output


def test_a_toml_template_does_not_load_before_it_is_filled_in(
    tmp_path: Path, smelter: Smelter
) -> None:
    path = tmp_path / "own.toml"
    assert smelter("rules", "template", "grade.cn_2020_carbon", "--out", str(path))[0] == 0
    code, told = smelter("rules", "check", str(path))
    assert code == 2
    for key in ("seen", "document", "entered_by", "checked_by", "checked_on", "coverage.1.state"):
        assert f"{key}:" in told, key


def listed(smelter: Callable[..., tuple[int, str]], *words: str) -> str:
    code, told = smelter("rules", *words)
    assert code == 0, told
    return told


def test_rules_commands_know_the_tables(smelter: Smelter) -> None:
    assert "grade.ha_2024" in listed(smelter, "list", "--pack", "grade")
    assert "A.limit_so2" in listed(smelter, "list", "--pack", "grade.cn_2020_carbon")
    assert '"state": "absent"' in listed(
        smelter, "list", "--pack", "grade.cn_2020_alumina", "--json"
    )
    shown = listed(smelter, "show", "grade.cn_2020_carbon.A.limit_so2")
    assert "chinacarbon-al.com" in shown
    assert "35 mg/m3" in shown
    assert "二手资料" in listed(smelter, "show", "grade.cn_2020_carbon.A.limit_so2", "--lang", "zh")
    assert "grade.cn_2020_electrolytic_aluminium" in listed(smelter, "absent")
    code, told = smelter("rules", "list", "--pack", "grade.nothing")
    assert code == 2
    assert "grade.cn_2020_carbon" in told


def test_the_example_is_good_and_says_it_is_made_up() -> None:
    overlay = read_own_table(EXAMPLE, TODAY)
    assert overlay.problems == ()
    assert "示例" in EXAMPLE.read_text("utf-8").splitlines()[1]
