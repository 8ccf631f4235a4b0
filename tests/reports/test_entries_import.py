"""An import shows what changes before it does; a refusal says where, what, and what to write."""

import contextlib
import json
import os
import pty
import subprocess
import sys
import zipfile
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from drivers.model import ConfigError
from reports.entries.importing import preview_import
from reports.entries.kinds import KINDS
from reports.entries.ledger import Ledger, read_ledger
from tests.reports.conftest import NOW, Office, Smelter

HEAD = "kind,line,period,value,unit\n"
ITEM = "kind,line,item,period,value,unit\n"
LAB = "kind,line,item,period,value,unit,sample,method,laboratory,accreditation,tested_on\n"
CERTIFICATE = "kind,line,period,value,unit,valid_until,body,certificate,result\n"
FACTS = "S-1,GB/T 213,example laboratory,CMA 1,2026-10-20"
WHO = ("--author", "王敏", "--reason", "十月")


def book(path: Path, sheets: dict[str, list[list[Any]]]) -> Path:
    made = Workbook()
    made.remove(made.worksheets[0])
    for name, rows in sheets.items():
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(row)
    made.save(path)
    return path


def refused(office: Office, text: str) -> str:
    with pytest.raises(ConfigError) as error:
        office.enter(text)
    assert not read_ledger(office.site.entries).entries
    return error.value.problems[0]


HEADS = {5: HEAD, 6: ITEM, 11: LAB}
BAD = [
    # row, in English, in Chinese
    ("fuel_consumed,plant,,2026-10,5,t", "needs an item (fuel)", "须填品种（燃料）"),
    ("fuel_consumed,plant,wood,2026-10,5,t", "unknown item 'wood'", "没有品种 'wood'"),
    ("fuel_consumed,plant,natural_gas,2026-10,5,t", "unknown item", "没有品种"),
    ("heat_purchased,plant,diesel,2026-10,5,GJ", "has no items", "不分品种"),
    ("fuel_consumed,line1,diesel,2026-10,5,t", "of the whole plant", "按全厂填报"),
    ("gas_consumed,plant,natural_gas,2026-10,5,m3", "write 万Nm3 / Nm3", "请填 万Nm3 / Nm3"),
    ("product_saleable,plant,7601,2026-10,5,t", "CN code of 8 digits", "8 位 CN 编码"),
    ("allowance_held,plant,25,2026,5,t", "vintage year", "配额年度"),
    (
        f"gas_ncv,plant,natural_gas,2026-10,38931,kJ/m3,{FACTS}",
        "write 38931 kJ/m3 as 389.31 GJ/万Nm3",
        "38931 kJ/m3 填 389.31 GJ/万Nm3",
    ),
    (
        f"gas_ncv,plant,natural_gas,2026-10,38931,GJ/万Nm3,{FACTS}",
        "it lies in 20 – 700 GJ/万Nm3",
        "应在 20 – 700 GJ/万Nm3 之间",
    ),
    (
        f"fuel_ncv,plant,diesel,2026-10,42.652,kJ/kg,{FACTS}",
        "kJ/kg divided by 1000 is GJ/t",
        "kJ/kg 除以 1000 即 GJ/t",
    ),
    (f"fuel_carbon,plant,diesel,2026-10,86.3,fraction,{FACTS}", "more than 100 %", "超过 100 %"),
    (f"anode_sulphur,line1,,2026-10,20,%,{FACTS}", "0.003 – 0.05 fraction", "0.003 – 0.05"),
    (
        f"anode_sulphur,line1,,2026-10,0.02,%,{FACTS}",
        "0.02 % is 0.0002; for 2 % write 2 % or 0.02 fraction",
        "0.02 % 即 0.0002；2 % 请填 2 % 或 0.02 fraction",
    ),
    (
        f"anode_ash,line1,,2026-10,0.004,%,{FACTS}",
        "for 0.4 % write 0.4 % or 0.004 fraction",
        "0.4 % 请填 0.4 % 或 0.004 fraction",
    ),
    (f"anode_ash,line1,,2026-10,4,%,{FACTS}", "0.0005 – 0.02", "0.0005 – 0.02 fraction 之间"),
    (
        f"fuel_carbon,plant,coke,2026-10,0.85,%,{FACTS}",
        "for 85 % write 85 % or 0.85 fraction",
        "85 % 请填 85 % 或 0.85 fraction",
    ),
    (
        f"carbonate_purity,plant,dolomite,2026-10,0.95,%,{FACTS}",
        "for 95 % write 95 % or 0.95 fraction",
        "95 % 请填 95 % 或 0.95 fraction",
    ),
    ("collection_efficiency,line1,2026-10,0.95,%", "for 95 % write 95 %", "95 % 请填 95 %"),
    ("anode_sulphur,line1,2026-10,2,%", "missing: sample, method", "缺少：样品编号、检测方法"),
    (
        "anode_ash,line1,,2026-10,0.4,%,S,M,L,A,20.10.2026",
        "tested on '20.10.2026' is no date; write 2026-10-05",
        "检测日期 '20.10.2026' 不是日期；请填 2026-10-05",
    ),
    (
        "anode_ash,line1,,2026-10,0.4,%,S,M,L,A,2026-11-24",
        "tested on 2026-11-24 lies in the future",
        "检测日期 2026-11-24 在将来",
    ),
    (
        f"heat_purchased,plant,,2026-10,5,GJ,{FACTS}",
        "has no 'sample'",
        "净购入热量没有“样品编号”",
    ),
    ("current_efficiency,line1,2026-10,0.95,%", "it lies in 0.8 – 0.98", "应在 0.8 – 0.98"),
    ("current_efficiency,line1,2026-10,95,fraction", "more than 100 %", "超过 100 %"),
    ("current_efficiency,line1,2026-10,99,%", "it lies in 0.8 – 0.98", "应在 0.8 – 0.98"),
    ("anode_unit_mass,line1,2026-10,1050,t", "it lies in 0.1 – 5 t", "应在 0.1 – 5 t"),
    ("electricity_ac,line1,2026-10,282000000,MWh", "was it written in kWh", "是否以 kWh 填写"),
    ("ingot_produced,plant,2026-10,29800000,t", "was it written in kg", "是否以 kg 填写"),
    (
        "emission_verified,line1,2026-10,5,tCO2e",
        "entered per year; write 2026",
        "按年填报；请填 2026",
    ),
    ("emission_verified,line1,2026,5,tCO2e", "not over yet", "尚未结束"),
    ("anode_consumed,line1,2026,5,t", "entered per month; write 2026-10", "按月填报；请填 2026-10"),
    ("aluminium_tapped,line1,2026,5,t", "entered per month or day", "按月或日填报"),
    ("balance_value,plant,2026,1.9,tCO2e/t", "needs its document", "须附凭证文件"),
    ("heat_purchased,plant,2026-10,9e13,GJ", "is impossible", "不可能"),
    ("heat_purchased,plant,2026-10,1e-30,GJ", "is impossible", "不可能"),
    ("heat_purchased,plant,2026-10,5%,GJ", "is not a number", "不是数字"),
]


def test_a_balance_value_in_kg_is_refused(office: Office) -> None:
    (office.root / "platform.png").write_bytes(b"screenshot")
    head = HEAD.rstrip("\n") + ",document\n"
    told = refused(office, head + "balance_value,plant,2026,1570,tCO2e/t,platform.png\n")
    assert "1570 tCO2e/t is impossible for balance_value; it lies in 1.2 – 5 tCO2e/t" in told


@pytest.mark.parametrize(("row", "english", "chinese"), BAD)
def test_every_refusal_says_what_to_write(
    office: Office, monkeypatch: pytest.MonkeyPatch, row: str, english: str, chinese: str
) -> None:
    text = HEADS[row.count(",") + 1] + row + "\n"
    for language, says, where in (("en", english, "row 2"), ("zh", chinese, "第 2 行")):
        monkeypatch.setenv("SMELTER_LANG", language)
        problem = refused(office, text)
        assert says in problem
        assert where in problem


@pytest.mark.parametrize(
    ("row", "english", "chinese"),
    [
        ("scale-1,2026-10,0.1,%,2027-10-01,B,C,", "entered per day", "按日填报"),
        ("scale-1,2026-10-05,30,%,2027-10-01,B,C,", "-20 – 20 %", "-20 – 20 %"),
        ("scale-1,2026-10-05,0.1,%,2026-10-04,B,C,", "is before the day", "早于检定日期"),
        ("scale-1,2026-10-05,0.1,%,,B,C,", "missing: valid until", "缺少：有效期至"),
        (
            "scale-1,2026-10-05,0.1,%,2027-10-01,B,C,OK",
            "wrong result 'OK'; write 合格 / 不合格 / pass / fail",
            "检定结论 'OK' 不对；请填 合格 / 不合格",
        ),
        (",2026-10-05,0.1,%,2027-10-01,B,C,", "the instrument is missing", "缺少计量器具编号"),
    ],
)
def test_certificates_are_checked(
    office: Office, monkeypatch: pytest.MonkeyPatch, row: str, english: str, chinese: str
) -> None:
    for language, says in (("en", english), ("zh", chinese)):
        monkeypatch.setenv("SMELTER_LANG", language)
        assert says in refused(office, f"{CERTIFICATE}instrument_certificate,{row}\n")


def test_a_certificate_may_find_a_negative_error(office: Office) -> None:
    row = "instrument_certificate,scale-1 汽车衡,2026/9/30,-0.12,%,2027年9月29日,B,C-1,合格\n"
    figure = office.enter(CERTIFICATE + row).entries[0].figure
    assert (figure.line, str(figure.period), figure.amount) == (
        *("scale-1", "2026-09-30", Decimal("-0.12")),
    )
    assert figure.fact("valid_until") == "2027-09-29"


def test_an_instrument_that_the_plan_does_not_have(office: Office) -> None:
    plan = Path(__file__).resolve().parents[2] / "config" / "plan.example.toml"
    text = office.site_file.read_text("utf-8")
    office.site_file.write_text(
        text.replace("entries =", f'plan = "{plan}"\nentries =', 1), "utf-8"
    )
    row = "instrument_certificate,scale-99,2026-09-30,0,%,2027-09-29,B,C-1,\n"
    assert "no instrument 'scale-99' in the plan; it has: " in refused(office, CERTIFICATE + row)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.id)
def test_each_kind_is_known_by_its_names(office: Office, kind: Any) -> None:
    from reports.entries.kinds import find_kind

    for name in (kind.id, kind.zh, kind.en, kind.label, kind.en.upper()):
        assert find_kind(name) is kind


def test_names_in_either_language(office: Office) -> None:
    text = (
        "项目,工序,品种,期间,数值,单位\n"
        "燃料消耗量,全厂,柴油,2026年10月,12.5,t\n"
        "gas consumed,,natural gas,2026/10,31.2,万Nm3\n"
        "carbonate_consumed,plant,碳酸钠（纯碱） [sodium_carbonate],2026-10,3,t\n"
    )
    entries = office.enter(text).entries
    assert [entry.figure.key[0] + " " + entry.figure.item for entry in entries] == [
        "fuel_consumed diesel",
        "gas_consumed natural_gas",
        "carbonate_consumed sodium_carbonate",
    ]


def test_two_fuels_of_a_month_are_two_figures(office: Office) -> None:
    rows = "".join(f"fuel_consumed,plant,{x},2026-10,5,t\n" for x in ("diesel", "petrol"))
    assert len(office.enter(ITEM + rows).current()) == 2
    with pytest.raises(ConfigError, match="duplicate of row 2"):
        office.enter(ITEM + "fuel_consumed,plant,lng,2026-10,5,t\n" * 2, "b.csv")


HEADER = ["kind", "line", "period", "value", "unit"]


def test_all_sheets_with_a_header_are_read_and_the_others_named(
    office: Office, smelter: Smelter
) -> None:
    path = book(
        office.root / "b.xlsx",
        {
            "产量": [["2026 年 10 月"], HEADER, ["aluminium_tapped", "line1", "2026-10", 1, "t"]],
            "Pivot": [["sum", 3]],
            "热": [HEADER, ["heat_process", "line1", "2026-10", 2, "GJ"]],
            "empty": [],
        },
    )
    preview = preview_import(path, office.site, Ledger(), NOW)
    assert [(p.figure.sheet, p.figure.row) for p in preview.proposals] == [("产量", 3), ("热", 2)]
    assert preview.ignored == ("Pivot",)
    code, said = smelter(
        *("entries", "import", str(path), "--site", str(office.site_file), "--preview")
    )
    assert code == 0
    assert "sheets left out, no header: Pivot" in said


def test_a_mistake_names_its_sheet_and_row_in_both_languages(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = ["aluminium_tapped", "line1", "2026-10", -1, "t"]
    path = book(office.root / "b.xlsx", {"A": [HEADER, bad], "B": [HEADER, [], bad]})
    for language, places in (
        ("en", ("sheet A, row 2", "sheet B, row 3")),
        ("zh", ("工作表“A”第 2 行", "工作表“B”第 3 行")),
    ):
        monkeypatch.setenv("SMELTER_LANG", language)
        with pytest.raises(ConfigError) as error:
            preview_import(path, office.site, Ledger(), NOW)
        assert places[0] in error.value.problems[0]
        assert places[1] in error.value.problems[1]


def test_the_same_figure_on_two_sheets(office: Office) -> None:
    row = ["aluminium_tapped", "line1", "2026-10", 1, "t"]
    path = book(office.root / "b.xlsx", {"A": [HEADER, row], "B": [HEADER, row]})
    with pytest.raises(ConfigError, match="sheet B, row 2: duplicate of sheet A, row 2"):
        preview_import(path, office.site, Ledger(), NOW)


def test_a_formula_that_nobody_computed_and_merged_cells_are_refused(office: Office) -> None:
    made = Workbook()
    sheet = made.worksheets[0]
    sheet.append(HEADER)
    sheet.append(["aluminium_tapped", "line1", "2026-10", "=20000+1050", "t"])
    sheet.append(["heat_process", "line1", "2026-10", 1, "GJ"])
    sheet.append(["heat_process", None, "2026-10", 1, "GJ"])
    sheet.merge_cells("B3:B4")
    path = office.root / "b.xlsx"
    made.save(path)
    with pytest.raises(ConfigError) as error:
        preview_import(path, office.site, Ledger(), NOW)
    problems = " ".join(error.value.problems)
    assert "row 2: 数值 value: the formula =20000+1050 has no result" in problems
    assert "row 3: 工序 line: merged cells B3:B4" in problems
    assert "row 4: 工序 line: merged cells B3:B4" in problems


def test_cells_as_spreadsheets_keep_them(office: Office) -> None:
    """Numbers as text, a date as its serial number, a year as a number, a share as 1.94%."""
    made = Workbook()
    sheet = made.worksheets[0]
    sheet.append([*HEADER, "sample", "method", "laboratory", "accreditation", "tested_on"])
    sheet.append(["aluminium_tapped", "line1", 46300, "1 050.25", "t"])
    sheet.append(["aluminium_tapped", "line2", "2026-10", 0.1 + 0.2, "t"])
    sheet.append(["emission_verified", "line1", 2025, 400000, "tCO2e"])
    lab = ["S", "M", "L", "A", 46315]
    for row, (line, unit) in enumerate((("line1", "%"), ("line2", "fraction")), 5):
        sheet.append(["anode_sulphur", line, date(2026, 10, 1), 0.0194, unit, *lab])
        sheet.cell(row, 4).number_format = "0.00%"
        sheet.cell(row, 3).number_format = "yyyy-mm-dd"
    path = office.root / "b.xlsx"
    made.save(path)
    figures = [p.figure for p in preview_import(path, office.site, Ledger(), NOW).proposals]
    # 46300 is 2026-10-05: 46023 is 2026-01-01, and 277 days later
    assert (str(figures[0].period), str(figures[0].value)) == ("2026-10-05", "1050.25")
    assert str(figures[1].value) == "0.3"
    assert str(figures[2].period) == "2025"
    assert [figure.amount for figure in figures[3:]] == [Decimal("0.0194")] * 2
    assert figures[3].fact("tested_on") == "2026-10-20"
    assert str(figures[3].period) == "2026-10"


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.xlsx", b"PK no zip", "no XLSX workbook"),
        ("a.xls", b"\xd0\xcf\x11\xe0", "no XLSX workbook"),
        ("a.csv", b"kind\xff\xff\xff", "neither UTF-8 nor GBK"),
        ("a.csv", b'kind,line,period,value,unit\n"', "no CSV"),
        (
            "a.csv",
            b"kind,line,period,value,unit,value\na,b,c,1,t,2\n",
            "columns named twice: value",
        ),
        ("a.csv", b"kind,line,period,unit\na,b,c,t\n", "no header line"),
    ],
)
def test_a_file_that_is_no_table(office: Office, name: str, content: bytes, says: str) -> None:
    path = office.root / name
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=says):
        preview_import(path, office.site, Ledger(), NOW)


@pytest.mark.parametrize("fault", ["bomb", "version"])
def test_a_workbook_that_cannot_be_unpacked(office: Office, fault: str) -> None:
    """A gigabyte of zeros in a megabyte, and a ZIP of a version that nobody reads."""
    path = office.root / "a.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for n in range(5):
            book.writestr(f"xl/{n}.xml", bytes((64 << 20) if fault == "bomb" else 9))
    if fault == "version":
        content = bytearray(path.read_bytes())
        content[content.index(b"PK\x01\x02") + 6] = 152
        path.write_bytes(content)
    with pytest.raises(ConfigError, match="320 MiB" if fault == "bomb" else "version 15.2"):
        preview_import(path, office.site, Ledger(), NOW)


MIXED = (
    f"{HEAD}aluminium_tapped,line1,2026-10,21050.25,t\n"  # as it is
    "anode_consumed,line1,2026-10,9900,t\n"  # differs
    "heat_process,line1,2026-10,7,GJ\n"  # new
)


def test_preview_shows_and_does_nothing(kept: Office, smelter: Smelter) -> None:
    path = kept.root / "mixed.csv"
    path.write_text(MIXED, "utf-8")
    before = {p.name: p.read_bytes() for p in kept.root.iterdir() if p.is_file()}
    where = ("entries", "import", str(path), "--site", str(kept.site_file), "--preview")
    code, said = smelter(*where)
    assert code == 0
    lines = said.splitlines()
    assert "  =  2026-10  line1  aluminium_tapped  21050.25 t  [row 2]" in lines
    assert "  ~  2026-10  line1  anode_consumed  9876.40 t (entry 2) → 9900 t  [row 3]" in lines
    assert "  +  2026-10  line1  heat_process  7 GJ  [row 4]" in lines
    assert "new 1, there already 1, revisions 1, again 0" in said
    assert "to correct it add --revise" in said
    code, said = smelter(*where, "--lang", "zh")
    assert "  ~  2026-10  line1  阳极消耗量  9876.40 t (第 2 条) → 9900 t  [第 3 行]" in said
    assert "新增 1，不变 1，修订 1，撤回后重填 0" in said
    assert {p.name: p.read_bytes() for p in kept.root.iterdir() if p.is_file()} == before


def test_rows_that_differ_need_revise_and_keep_author_and_reason(
    kept: Office, smelter: Smelter
) -> None:
    path = kept.root / "mixed.csv"
    path.write_text(MIXED, "utf-8")
    where = ("entries", "import", str(path), "--site", str(kept.site_file))
    code, said = smelter(*where, *WHO, "--yes")
    assert code == 2
    assert "row 3: anode_consumed of line1 for 2026-10 is entry 2 (9876.40 t)" in said
    assert len(read_ledger(kept.site.entries).entries) == 7
    code, said = smelter(*where, "--author", "李强", "--reason", "复核", "--revise", "--yes")
    assert code == 0, said
    entries = read_ledger(kept.site.entries).entries
    assert len(entries) == 9  # the row that says the same is not written again
    revision = next(e for e in entries[7:] if e.figure.kind.id == "anode_consumed")
    assert (revision.revises, revision.author, revision.reason) == (2, "李强", "复核")
    assert next(e for e in entries[7:] if e is not revision).revises is None


def test_nobody_to_ask_means_no_import(office: Office, smelter: Smelter) -> None:
    path = office.root / "a.csv"
    path.write_text(f"{HEAD}aluminium_tapped,line1,2026-10,1,t\n")
    where = ("entries", "import", str(path), "--site", str(office.site_file), *WHO)
    for stdin in ("", "y\n"):
        code, said = smelter(*where, stdin=stdin)
        assert code == 2
        assert "add --yes to import, or --preview to only look" in said
    assert not office.site.entries.exists()
    code, said = smelter(*where[:5], "--yes")
    assert code == 2
    assert "--author and --reason are required" in said


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 1), ("\n", 1)])
def test_on_a_terminal_it_asks(office: Office, answer: str, code: int) -> None:
    """A real terminal, and a process of its own on it."""
    path = office.root / "a.csv"
    path.write_text(f"{HEAD}aluminium_tapped,line1,2015-10,1,t\n")
    given = ["smelter", "entries", "import", str(path), "--site", str(office.site_file), *WHO]
    program = f"import sys; sys.argv = {given!r}; from drivers.cli import main; main()"
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=os.environ | {"SMELTER_LANG": "en"},
    ) as process:
        os.close(theirs)
        os.write(ours, answer.encode())
        said = b""
        with contextlib.suppress(OSError):  # the end of the other side
            while part := os.read(ours, 4096):
                said += part
        assert process.wait(60) == code, said.decode()
    os.close(ours)
    assert b"import these changes? [y/N]" in said
    assert len(read_ledger(office.site.entries).entries) == (code == 0)


def test_nothing_to_import_is_good(kept: Office, smelter: Smelter) -> None:
    path = kept.root / "again.csv"
    path.write_text(f"{HEAD}aluminium_tapped,line1,2026-10,21050.25,t\n")
    code, said = smelter("entries", "import", str(path), "--site", str(kept.site_file), *WHO)
    assert code == 0
    assert "nothing to import" in said


def test_what_was_withdrawn_comes_back_and_is_shown(kept: Office, smelter: Smelter) -> None:
    where = ("--site", str(kept.site_file), *WHO)
    smelter("entries", "revise", "2", "--withdraw", *where)
    path = kept.root / "again.csv"
    path.write_text(f"{HEAD}anode_consumed,line1,2026-10,9800,t\n")
    code, said = smelter("entries", "import", str(path), *where, "--yes")
    assert code == 0, said
    assert "  ^  2026-10  line1  anode_consumed  9800 t" in said
    assert read_ledger(kept.site.entries).entries[-1].revises is None


def test_facts_are_revised_by_name(office: Office, smelter: Smelter) -> None:
    office.enter(f"{LAB}anode_sulphur,line1,,2026-10,1.94,%,{FACTS}\n")
    where = ("--site", str(office.site_file), *WHO)
    code, said = smelter("entries", "revise", "1", "1.9", "--fact", "sample=S-2", *where)
    assert code == 0, said
    figure = read_ledger(office.site.entries).entries[-1].figure
    assert (figure.fact("sample"), figure.fact("method")) == ("S-2", "GB/T 213")
    for fact, says in (("colour=red", "sample, method"), ("tested_on=soon", "is no date")):
        code, said = smelter("entries", "revise", "2", "1.9", "--fact", fact, *where)
        assert code == 2
        assert says in said
    code, said = smelter("entries", "revise", "2", "194", *where)
    assert code == 2
    assert "more than 100 %" in said


def test_a_list_tells_facts_documents_and_items(office: Office, smelter: Smelter) -> None:
    office.enter(f"{LAB}gas_ncv,plant,natural_gas,2026-10,389.31,GJ/万Nm3,{FACTS}\n")
    where = ("--site", str(office.site_file))
    _, said = smelter("entries", "list", *where, "--year", "2026")
    assert "natural_gas" in said
    assert "sample S-1" in said
    _, said = smelter("entries", "list", *where, "--lang", "zh")
    assert "天然气" in said
    assert "样品编号 S-1" in said
    _, said = smelter("entries", "list", *where, "--month", "2026-10", "--json")
    assert json.loads(said)["entries"][0]["more"]["sample"] == "S-1"
    _, said = smelter("entries", "list", *where, "--month", "2026-09")
    assert not said


def test_times_of_entries_are_plant_time(kept: Office) -> None:
    entry = read_ledger(kept.site.entries).entries[0]
    assert entry.time == NOW
    assert json.loads(entry.text())["time"] == "2026-11-23T12:00:00+08:00"


def test_what_somebody_else_enters_meanwhile_stops_the_import(
    office: Office, smelter: Smelter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the preview and the answer another person enters the same figure."""
    path = office.root / "a.csv"
    path.write_text(f"{HEAD}aluminium_tapped,line1,2026-10,21050,t\n")

    def slow(**_: bool) -> None:
        office.enter(f"{HEAD}aluminium_tapped,line1,2026-10,20000,t\n", "other.csv")

    monkeypatch.setattr("reports.entries.changing._ask", slow)
    code, said = smelter("entries", "import", str(path), "--site", str(office.site_file), *WHO)
    assert code == 2
    assert "somebody changed the ledger meanwhile" in said
    assert [str(e.figure.value) for e in read_ledger(office.site.entries).entries] == ["20000"]


@pytest.mark.parametrize("author", ["\udce7\udce6", "王\n敏"])
def test_names_that_cannot_be_shown_are_refused(
    office: Office, smelter: Smelter, author: str
) -> None:
    """Bytes of another encoding reach a program as lone surrogates."""
    path = office.root / "a.csv"
    path.write_text(f"{HEAD}aluminium_tapped,line1,2026-10,21050,t\n")
    where = ("--site", str(office.site_file), "--author", author, "--reason", "十月", "--yes")
    code, said = smelter("entries", "import", str(path), *where)
    assert code == 2
    assert "cannot be shown" in said
