"""Entered figures: a table is taken wholly or not at all, the ledger shows every change."""

import json
import subprocess
import sys
from datetime import date

import pytest
from openpyxl import Workbook

from drivers.model import ConfigError
from reports.chain import NO_HASH
from reports.entries.importing import read_figures
from reports.entries.ledger import Ledger, read_ledger
from reports.periods import Period
from tests.reports import plant
from tests.reports.conftest import NOW, Office, Smelter

HEAD = "kind,line,period,value,unit\n"
LAB_HEAD = "kind,line,period,value,unit,sample,method,laboratory,accreditation,tested_on\n"
LAB = "S-1,YS/T 63.20,example laboratory,CNAS L0000,2026-10-20"


def test_a_month_is_imported_with_everything_that_proves_it(kept: Office) -> None:
    ledger = read_ledger(kept.site.entries)
    assert len(ledger.entries) == 7
    first = ledger.entries[0]
    assert first.figure.kind.id == "aluminium_tapped"
    assert str(first.figure.amount) == "21050.25"
    assert (first.author, first.reason) == ("王敏", "十月台账")
    assert first.figure.source is not None
    assert first.figure.source.name == "entries.csv"
    assert first.figure.row == 2
    assert first.figure.document is not None
    assert first.figure.document.name == "weighing.txt"
    assert len(first.figure.document.sha256) == 64
    assert ledger.entries[6].figure.amount == 412_005


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("aluminium_tapped,line1,2026-10,21050,kg", "wrong unit 'kg'"),
        ("aluminium_tapped,line1,2026-10,21050,", "wrong unit ''"),
        ("anode_sulphur,line1,2026-10,0.02,t", "write fraction / %"),
        ("aluminium_tapped,line1,2026-10,-5,t", "negative"),
        ("aluminium_tapped,line1,2026-10,,t", "missing, which is not zero"),
        ("aluminium_tapped,line1,2026-10,n/a,t", "not a number"),
        ("aluminium_tapped,line1,2026-10,NaN,t", "not a number"),
        ("aluminium_tapped,line1,2026-10,1e999999,t", "impossible"),
        ('aluminium_tapped,line1,2026-10,"12,5",t', "not a number"),
        ("aluminium_tapped,line1,2026-10,21050250,t", "was it written in kg"),
        ("aluminium_tapped,line9,2026-10,1,t", "unknown line 'line9'"),
        ("aluminium_tapped,plant,2026-10,1,t", "unknown line 'plant'"),
        ("electricity_purchased,line1,2026-10,1,MWh", "of the whole plant"),
        ("aluminum,line1,2026-10,1,t", "unknown kind 'aluminum'"),
        ("aluminium_tapped,line1,2026-13,1,t", "no month or day"),
        ("aluminium_tapped,line1,2026-02-30,1,t", "no month or day"),
        ("aluminium_tapped,line1,October,1,t", "no month or day"),
        ("anode_consumed,line1,2026-10-05,1,t", "entered per month"),
        ("aluminium_tapped,line1,2026-11,1,t", "not over yet"),
        ("aluminium_tapped,line1,2027-01,1,t", "lies in the future"),
        ("aluminium_tapped,line1,2026-11-23,1,t", "not over yet"),
        ("anode_stock_begin,line1,2026-12,1,t", "lies in the future"),
        ("aluminium_tapped,line1,2015-05,1,t", "did not run in 2015-05"),
        ("anode_sulphur,line1,2026-10,2,fraction", "more than 100 %"),
        ("anode_ash,line1,2026-10,101,%", "more than 100 %"),
        ("aluminium_tapped,line2,2026-10,1,t", "duplicate of row 2"),
        ("aluminium_tapped,line2,2026-10-07,1,t", "duplicate of row 2"),
    ],
)
def test_a_bad_row_is_named_and_nothing_is_imported(office: Office, row: str, says: str) -> None:
    good = "aluminium_tapped,line2,2026-10,10012.5,t\n"
    with pytest.raises(ConfigError) as refused:
        office.enter(HEAD + good + row + "\n")
    problems = refused.value.problems
    assert says in problems[0]
    assert "row 3" in problems[0]
    assert problems[-1].endswith("nothing was imported")
    assert not office.site.entries.exists() or not read_ledger(office.site.entries).entries


def test_all_bad_rows_at_once(office: Office) -> None:
    rows = "a,line1,2026-10,1,t\naluminium_tapped,b,2026-10,x,kg\n"
    with pytest.raises(ConfigError) as refused:
        office.enter(HEAD + rows)
    assert len(refused.value.problems) == 3
    assert refused.value.problems[1].count(" | ") == 2  # line, value and unit


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("aluminium_tapped,line1,2026-10,1,t", "smelter entries revise 1"),
        ("aluminium_tapped,line1,2026-10-05,1,t", "must not overlap"),
    ],
)
def test_what_is_in_the_ledger_is_not_entered_again(kept: Office, row: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        kept.enter(f"{HEAD}{row}\n", "again.csv")


def test_the_same_file_twice_is_named(kept: Office) -> None:
    with pytest.raises(ConfigError, match="this very file was imported"):
        kept.enter(plant.ENTRIES)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("kind,line,period,value\na,b,c,1\n", "columns missing: 单位 unit"),
        ("kind,line,period,value,unit,weight\na,b,c,1,t,2\n", "unknown columns: weight"),
        ("1,2,3\n", "no header line"),
        (HEAD, "no figures"),
        ("", "no header line"),
    ],
)
def test_a_table_that_is_none(office: Office, text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        office.enter(text)


def test_document_that_is_not_there(office: Office) -> None:
    text = "kind,line,period,value,unit,document\naluminium_tapped,line1,2026-10,1,t,no.pdf\n"
    with pytest.raises(ConfigError, match=r"document 'no\.pdf' is not there"):
        office.enter(text)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_spreadsheet_encodings(office: Office, encoding: str, smelter: Smelter) -> None:
    path = office.root / "t.csv"
    path.write_bytes("项目,工序,期间,数值,单位\n铝液产量,一系列,2026-10,1,t\n".encode(encoding))
    code, said = smelter(
        *("entries", "import", str(path), "--site", str(office.site_file)),
        *("--author", "王敏", "--reason", "十月", "--yes"),
    )
    assert code == 0, said
    assert read_ledger(office.site.entries).entries[0].figure.line == "line1"


def test_a_month_that_a_spreadsheet_turned_into_a_date(office: Office) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["kind", "line", "period", "value", "unit"])
    sheet.append(["aluminium_tapped", "line1", date(2026, 10, 1), 1000, "t"])
    sheet.append(["aluminium_tapped", "line2", date(2026, 10, 1), 500, "t"])
    sheet["C2"].number_format = "mmm-yy"
    sheet["C3"].number_format = "yyyy-mm-dd"
    path = office.root / "dates.xlsx"
    book.save(path)

    figures = read_figures(path, office.site, Ledger(), NOW)
    assert [str(figure.period) for figure in figures] == ["2026-10", "2026-10-01"]


def test_units_are_converted_only_where_they_are_stated(office: Office) -> None:
    ledger = office.enter(
        LAB_HEAD
        + "electricity_ac,line1,2026-10,28200.5,万kWh\nelectricity_ac,line2,2026-10,135780372,kWh\n"
        + f"anode_sulphur,line1,2026-10,1.94,%,{LAB}\n"
        + f"anode_sulphur,line2,2026-10,0.0194,fraction,{LAB}\n"
    )
    amounts = [str(entry.figure.amount.normalize()) for entry in ledger.entries]
    assert amounts == ["282005", "135780.372", "0.0194", "0.0194"]


def test_revisions_show_and_the_old_value_stays(kept: Office, smelter: Smelter) -> None:
    where = ("--site", str(kept.site_file), "--author", "李强", "--reason", "磅单更正")
    code, said = smelter("entries", "revise", "1", "21051.5", *where)
    assert code == 0, said
    ledger = read_ledger(kept.site.entries)
    key = ("aluminium_tapped", "line1", Period.month(2026, 10), "")
    assert str(ledger.current()[key].figure.value) == "21051.5"
    assert str(ledger.entries[0].figure.value) == "21050.25"
    assert ledger.entries[7].revises == 1
    code, said = smelter("entries", "revise", "1", "1", *where)
    assert code == 2
    assert "the newest is entry 8" in said
    code, _ = smelter("entries", "revise", "8", "--withdraw", *where)
    assert code == 0
    assert key not in read_ledger(kept.site.entries).current()
    code, said = smelter("entries", "list", "--site", str(kept.site_file), "--all", "--json")
    table = json.loads(said)
    assert [entry["counts"] for entry in table["entries"]].count(False) == 3


@pytest.mark.parametrize(
    "arguments",
    [("99", "1"), ("1", "-1"), ("1", "abc"), ("1", "NaN"), ("1",), ("1", "5", "--withdraw")],
)
def test_revise_refuses(kept: Office, smelter: Smelter, arguments: tuple[str, ...]) -> None:
    where = ("--site", str(kept.site_file), "--author", "李强", "--reason", "更正")
    before = kept.site.entries.read_bytes()
    code, _ = smelter("entries", "revise", *where, "--", *arguments)
    assert code == 2
    assert kept.site.entries.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("1", "-3"), "'-3' is no number >= 0"),
        (("1", "-3.5"), "'-3.5' is no number >= 0"),
        (("1", "--widthdraw"), "'--widthdraw' is no number >= 0"),
        (("1", "5", "--vaucher", "CL-1"), "--vaucher"),
    ],
)
def test_revise_refuses_a_negative_value_as_a_value(
    kept: Office, smelter: Smelter, arguments: tuple[str, ...], says: str
) -> None:
    where = ("--site", str(kept.site_file), "--author", "李强", "--reason", "更正")
    before = kept.site.entries.read_bytes()
    code, said = smelter("entries", "revise", *arguments, *where)
    assert code == 2
    assert says in said
    assert kept.site.entries.read_bytes() == before


def test_the_chain_shows_every_tampering(kept: Office) -> None:
    path = kept.site.entries
    lines = path.read_text("utf-8").splitlines()
    assert json.loads(lines[0])["prev"] == NO_HASH
    for number in range(len(lines) - 1):
        changed = [*lines]
        changed[number] = changed[number].replace('"value":"', '"value":"1', 1)
        path.write_text("\n".join(changed) + "\n", "utf-8")
        with pytest.raises(ConfigError, match="chain is broken"):
            read_ledger(path)
        path.write_text("\n".join(lines[:number] + lines[number + 1 :]) + "\n", "utf-8")
        with pytest.raises(ConfigError, match="chain is broken"):
            read_ledger(path)
    path.write_text("\n".join(lines) + "\n", "utf-8")
    assert len(read_ledger(path).entries) == 7


IMPORT = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from reports.entries.ledger import change_ledger
from reports.entries.importing import read_figures
from reports.site import load_site
site = load_site(Path(sys.argv[1]))
now = datetime(2026, 11, 23, tzinfo=UTC)
for name in sys.argv[2:]:
    change_ledger(site.entries, lambda ledger: ledger.added(
        read_figures(Path(name), site, ledger, now), author="a", reason="b", time=now))
"""


def test_two_importers_at_once_lose_nothing(office: Office) -> None:
    files: list[list[str]] = [[], []]
    for day in range(1, 31):
        path = office.root / f"{day}.csv"
        path.write_text(f"{HEAD}aluminium_tapped,line1,2026-09-{day:02d},{day},t\n")
        files[day % 2].append(str(path))
    running = [
        subprocess.Popen([sys.executable, "-c", IMPORT, str(office.site_file), *part])
        for part in files
    ]
    assert [process.wait(60) for process in running] == [0, 0]
    ledger = read_ledger(office.site.entries)
    assert sorted(int(entry.figure.amount) for entry in ledger.entries) == list(range(1, 31))


def test_words_are_in_both_languages(
    office: Office, smelter: Smelter, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = office.root / "bad.csv"
    path.write_text(f"{HEAD}aluminium_tapped,line1,2026-10,-5,kg\n")
    code, said = smelter(
        *("entries", "import", str(path), "--site", str(office.site_file)),
        *("--author", "王敏", "--reason", "十月", "--lang", "zh"),
    )
    assert code == 2
    assert "第 2 行" in said
    assert "单位 'kg' 不对；请填 t" in said
