"""The template as an officer uses it: rows of the site, numbers typed in, imported unchanged."""

import csv
from datetime import UTC, datetime
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from reports.entries.asked import PURPOSES, SHEETS, asked
from reports.entries.importing import Preview, Status, preview_import
from reports.entries.kinds import KINDS, EntryKind, Group, Place, Span
from reports.entries.ledger import Ledger, read_ledger
from reports.entries.template import csv_template, xlsx_template
from reports.periods import Period
from reports.site import Site, load_site
from tests.reports import plant
from tests.reports.conftest import NOW, Office, Smelter

EARLY = datetime(2026, 11, 10, tzinfo=UTC)  # November is not over: it can be planned
RICH = """
fuels = ["diesel", "natural_gas"]
carbonates = ["sodium_carbonate"]
[abroad]
products = [{ cn = "76011010", name = { zh = "铝锭", en = "ingot" } }]
"""


@pytest.fixture
def rich(office: Office) -> Office:
    """An office of a plant with fuels, a carbonate and a product for Europe."""
    text = plant.SITE.replace('entries = "entries.jsonl"', f'entries = "entries.jsonl"\n{RICH}')
    office.site_file.write_text(text, "utf-8")
    (office.root / "notice.pdf").write_bytes(b"%PDF notice of the platform")
    return office


def value_for(kind: EntryKind) -> float:
    """Something plausible, in the unit that the template offers."""
    if kind.high is not None:
        middle = float((kind.low + kind.high) / 2)
        return middle * 100 if "%" in kind.units and kind.unit != "%" else middle
    return 1234.5


FACTS = {
    "sample": "S-12",
    "method": "GB/T 213",
    "laboratory": "示例检测中心",
    "accreditation": "CMA 160000",
    "tested_on": "2026-10-21",
    "valid_until": "2027-10-11",
    "body": "示例计量院",
    "certificate": "C-77",
    "result": "合格",
}


def fill(sheet: Any) -> int:
    """Type a number, and the facts that go with it, into every row; returns how many."""
    head = {str(cell.value).rpartition(" ")[2]: n for n, cell in enumerate(sheet[1], 1)}
    facts = {"on": "tested_on", "until": "valid_until", "body": "body"}
    count = 0
    for row in range(2, sheet.max_row + 1):
        label = sheet.cell(row, 1).value
        if not label:
            continue
        kind = KINDS[label.rpartition("[")[2].rstrip("]")]
        sheet.cell(row, head["value"], value_for(kind))
        if kind.span is Span.DAY:
            sheet.cell(row, head["period"], "2026-10-12")
        for name, column in head.items():
            fact = facts.get(name, name)
            if fact in FACTS and any(known.id == fact for known in kind.facts):
                sheet.cell(row, column, FACTS[fact])
        if kind.document:
            sheet.cell(row, head["document"], "notice.pdf")
        if kind.place is Place.INSTRUMENT:
            sheet.cell(row, head["body"], FACTS["body"])
        count += 1
    return count


def imported(path: Path, site: Site) -> Preview:
    return preview_import(path, site, Ledger(), EARLY)


@pytest.mark.parametrize("purpose", PURPOSES)
def test_every_row_of_a_filled_template_is_imported_unedited(rich: Office, purpose: str) -> None:
    site, path = rich.site, rich.root / "t.xlsx"
    sheets = asked(site, Ledger(), Period.year(2026), purpose, EARLY)
    path.write_bytes(xlsx_template(sheets, site))
    book = load_workbook(path)
    filled = sum(fill(book[SHEETS[sheet.group]]) for sheet in sheets)
    book.save(path)
    preview = imported(path, site)
    assert filled == len(preview.proposals) == sum(len(sheet.rows) for sheet in sheets)
    assert {each.status for each in preview.proposals} <= {Status.NEW}
    assert not preview.ignored
    assert not preview.unfilled


def test_together_the_templates_ask_for_every_kind(rich: Office) -> None:
    """But for what no site file tells: precursors, solids, the day of a certificate, meters."""
    sheets = asked(rich.site, Ledger(), Period.year(2026), "all", EARLY)
    kinds = {row.kind.id for sheet in sheets for row in sheet.rows}
    left = {kind.id for kind in KINDS.values()} - kinds
    assert left == {
        *("precursor_consumed", "precursor_see", "instrument_certificate"),
        *("solid_generated", "solid_used", "solid_stock_used"),
        *("control_hours", "control_fault_hours", "control_faults", "bags_changed"),
        *("consumable_used", "consumable_purchased", "consumable_stock_end"),
        *("hazardous_generated", "hazardous_transferred", "hazardous_stock_end"),
        "video_retention",
        "electricity_ac",  # both lines have meters for it
    }


def test_a_free_row_of_each_kind_is_imported_from_the_template_without_rows(rich: Office) -> None:
    """The rows below: a person chooses from the lists what the program did not ask for."""
    site, path = rich.site, rich.root / "free.xlsx"
    sheets = asked(None, Ledger(), None, "", NOW)
    book = load_workbook(BytesIO(xlsx_template(sheets, site)))
    for group in Group:
        sheet = book[SHEETS[group]]
        head = {str(cell.value).rpartition(" ")[2]: n for n, cell in enumerate(sheet[1], 1)}
        for row, kind in enumerate((k for k in KINDS.values() if k.group is group), 2):
            sheet.cell(row, 1, kind.label)
            line = {Place.LINE: "line1 一系列", Place.PLANT: "plant", Place.INSTRUMENT: "scale-1"}
            sheet.cell(row, 2, line[kind.place])
            period = {Span.YEAR: "2026" if kind.early else "2025", Span.DAY: "2026-10-12"}
            sheet.cell(row, head["period"], period.get(kind.span, "2026-10"))
            unit = "%" if "%" in kind.units else kind.unit
            sheet.cell(row, head["unit"], unit)
            if kind.items is not None:
                free = {"cn_code": "76011010", "vintage": "2026", "precursor": "氧化铝"}
                free |= {"issue_month": "2026-03", "solid": "赤泥", "camera": "1号门禁"}
                free |= {"control": "gtc1/scrubber1", "hazardous": "大修渣 321-023-48"}
                first = next(iter(kind.items.names), "")
                sheet.cell(row, head["item"], free.get(kind.items.id, first))
        fill(sheet)
    book.save(path)
    preview = imported(path, site)
    assert {each.figure.kind.id for each in preview.proposals} == set(KINDS)


def test_the_csv_template_says_the_same(rich: Office) -> None:
    site, path = rich.site, rich.root / "t.csv"
    sheets = asked(site, Ledger(), Period.month(2026, 10), "", NOW)
    content = csv_template(sheets)
    assert content.startswith(b"\xef\xbb\xbf# ")
    rows = list(csv.reader(StringIO(content.decode("utf-8-sig"), newline="")))
    top = next(n for n, row in enumerate(rows) if not row[0].startswith("#"))
    head = rows[top]
    at = {name.rpartition(" ")[2]: n for n, name in enumerate(head)}
    for row in rows[top + 1 :]:
        kind = KINDS[row[0].rpartition("[")[2].rstrip("]")]
        if kind.group is Group.MONTHLY:
            row[at["value"]] = str(value_for(kind))
    with path.open("w", encoding="gb18030", newline="") as file:  # saved by a Chinese spreadsheet
        csv.writer(file).writerows(rows)
    preview = imported(path, site)
    monthly = next(sheet for sheet in sheets if sheet.group is Group.MONTHLY)
    assert len(preview.proposals) == len(monthly.rows)
    assert len(preview.unfilled) == sum(len(sheet.rows) for sheet in sheets) - len(monthly.rows)


def test_what_is_known_only_later_is_asked_for_the_year_before(rich: Office) -> None:
    yearly, plan = asked(rich.site, Ledger(), Period.year(2026), "allowance", EARLY)
    years = {(row.kind.id, row.period) for row in yearly.rows}
    assert ("emission_verified", "2025") in years
    assert ("balance_value", "2026") in years
    months = {row.period for row in plan.rows if row.kind.id == "aluminium_planned"}
    assert months == {"2026-11", "2026-12"}  # on 10 November
    prices = {row.period for row in plan.rows if row.kind.id == "allowance_price"}
    assert max(prices) == "2026-11"


def test_rows_are_those_of_the_site(rich: Office) -> None:
    october = Period.month(2026, 10)
    monthly, laboratory, *_ = asked(rich.site, Ledger(), october, "", NOW)
    rows = {(row.kind.id, row.line, row.item) for row in monthly.rows}
    assert ("aluminium_tapped", "line1 一系列", "") in rows
    assert ("fuel_consumed", "plant", "柴油 [diesel]") in rows
    assert ("gas_consumed", "plant", "天然气 [natural_gas]") in rows
    assert ("carbonate_consumed", "plant", "碳酸钠（纯碱） [sodium_carbonate]") in rows
    assert not any(kind == "electricity_ac" for kind, _, _ in rows)  # there are meters
    assert ("electricity_aux", "line2 二系列", "") in rows  # there is none
    assert ("electricity_aux", "line1 一系列", "") not in rows
    tested = {(row.kind.id, row.item) for row in laboratory.rows}
    assert ("gas_ncv", "天然气 [natural_gas]") in tested
    assert ("fuel_ncv", "柴油 [diesel]") in tested


def test_a_line_that_stopped_is_asked_for_no_more(rich: Office) -> None:
    text = rich.site_file.read_text("utf-8")
    ran = text.replace("started = 2010-01-01", "started = 2010-01-01\nstopped = 2026-10-01")
    rich.site_file.write_text(ran, "utf-8")
    for month, there in ((9, True), (10, False)):
        sheets = asked(rich.site, Ledger(), Period.month(2026, month), "", NOW)
        lines = {row.line for sheet in sheets for row in sheet.rows}
        assert ("line2 二系列" in lines) is there


def test_fuels_of_the_ledger_are_asked_for_where_the_site_declares_none(office: Office) -> None:
    head = "kind,line,item,period,value,unit\n"
    ledger = office.enter(f"{head}fuel_consumed,plant,lignite,2026-09,5,t\n")
    monthly, *_ = asked(office.site, ledger, Period.month(2026, 10), "", NOW)
    fuels = {row.item for row in monthly.rows if row.kind.id == "fuel_consumed"}
    assert fuels == {"褐煤 [lignite]"}
    later, *_ = asked(office.site, ledger, Period.month(2027, 10), "", NOW.replace(year=2027))
    assert "fuel_consumed" not in {row.kind.id for row in later.rows}


def test_what_is_entered_stands_beside_in_grey_and_is_not_read(kept: Office) -> None:
    site = kept.site
    ledger = read_ledger(site.entries)
    sheets = asked(site, ledger, Period.month(2026, 10), "", NOW)
    book = load_workbook(BytesIO(xlsx_template(sheets, site)))
    sheet = book["月度数据 Monthly"]
    last = sheet.max_column
    assert sheet.cell(1, last).value == "已录入 entered before"
    assert sheet.cell(2, last).value == "21050.25 t (#1)"
    assert sheet.cell(2, last).font.color.rgb.endswith("808080")
    path = kept.root / "t.xlsx"
    sheet.cell(3, 5, "")
    sheet.cell(2, last, "900 t")  # whatever is written there
    for row in range(2, sheet.max_row + 1):
        if str(sheet.cell(row, 1).value).endswith("[heat_process]"):
            sheet.cell(row, 5, 7)
    book.save(path)
    preview = preview_import(path, site, ledger, NOW)
    assert [each.figure.kind.id for each in preview.proposals] == ["heat_process"] * 2
    assert any(row.row == 2 for row in preview.unfilled)


def test_lists_to_choose_from(rich: Office) -> None:
    sheets = asked(rich.site, Ledger(), Period.month(2026, 10), "", NOW)
    book = load_workbook(BytesIO(xlsx_template(sheets, rich.site)))
    sheet = book["月度数据 Monthly"]
    found = {str(v.sqref): v for v in sheet.data_validations.dataValidation}
    assert book["选项 Lists"].sheet_state == "hidden"
    kinds = next(v for at, v in found.items() if at.startswith("A2:"))
    assert kinds.type == "list"
    assert kinds.formula1.startswith("'选项 Lists'!")
    labels = {cell.value for cell in book["选项 Lists"]["A"]}
    assert {k.label for k in KINDS.values() if k.group is Group.MONTHLY} <= labels
    units = next(v for at, v in found.items() if at.startswith("F") and "MWh" in v.formula1)
    assert units.formula1 == '"MWh,kWh,万kWh"'
    values = next(v for at, v in found.items() if at.startswith("E2:"))
    assert (values.type, values.operator) == ("decimal", "greaterThanOrEqual")
    notes = book.worksheets[0]
    assert notes.title == "说明 Notes"
    text = " ".join(str(c.value) for row in notes for c in row if c.value)
    assert "空白不等于零" in text
    assert "empty is not zero" in text


def test_instruments_of_the_plan_have_a_row(rich: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    config = Path(__file__).resolve().parents[2] / "config" / "plan.example.toml"
    text = rich.site_file.read_text("utf-8")
    rich.site_file.write_text(text.replace("fuels =", f'plan = "{config}"\nfuels ='), "utf-8")
    from reports.plan.file import load_plan

    names = {each.id: each.name.zh for each in load_plan(config).instrument}
    site = load_site(rich.site_file)
    sheets = asked(site, Ledger(), Period.month(2026, 10), "verification", NOW)
    rows = next(sheet.rows for sheet in sheets if sheet.group is Group.INSTRUMENTS)
    assert {row.line for row in rows} == {f"{key} {name}" for key, name in names.items()}


def test_the_command_writes_both_forms_and_refuses_the_rest(rich: Office, smelter: Smelter) -> None:
    site = ("--site", str(rich.site_file))
    for name in ("a.xlsx", "a.csv"):
        out = rich.root / name
        code, said = smelter("entries", "template", "--out", str(out), "--month", "2026-10", *site)
        assert code == 0, said
        assert "rows to fill in" in said
        code, said = smelter("entries", "template", "--out", str(out))
        assert code == 2
        assert "not overwritten" in said
    for arguments, says in (
        (("--out", "x.pdf"), "write .xlsx or .csv"),
        (("--out", "x.csv", "--month", "2026-10"), "a period needs --site"),
        (("--out", "x.csv", "--month", "2026", *site), "write e.g. 2026-10"),
        (("--out", "x.csv", "--year", "2026-10", *site), "write e.g. 2026"),
        (("--out", "x.csv", "--month", "2026-10", "--year", "2026", *site), "not both"),
        (("--out", "x.csv", "--for", "gas"), "carbon-monthly"),
    ):
        code, said = smelter("entries", "template", *arguments)
        assert code == 2, arguments
        assert says in said
