"""Tables into the journal: every mistake at once, wholly or not at all, CSV and XLSX alike."""

import csv
import json
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from reports.journal.forms import FORMS, find_form
from reports.journal.journal import Journal, change_journal, read_journal
from reports.journal.record import MINUTE_NS, Evidence, Record, read_record
from reports.journal.rows import COLUMNS
from reports.journal.written import read_moment, read_pairs
from reports.periods import PLANT_TIME
from tests.reports import noted
from tests.reports.conftest import Smelter
from tests.reports.emitted import at
from tests.reports.noted import Folder

GOOD = {
    "mark": {"what": "校准", "start": "2026-10-05 08:00", "end": "2026-10-05 08:40"},
    "check": {
        "what": "calibration",
        "pollutants": "so2",
        "start": "2026/10/5 8:00",
        "full_scale": "100",
        "zero_before": "0.4",
        "span_reference": "80",
        "span_before": "81.2",
        "gas_bottle": "B-7",
        "gas_expiry": "2027-05-01",
    },
    "verification": {
        "what": "校验",
        "pollutants": "so2",
        "start": "2026-10-06 09:00",
        "pairs": "100/98; 102/101; 98/99; 101/99; 99/98; 100/99",
        "method": "HJ 57",
        "laboratory": "省站",
        "report_number": "J-26-1",
        "evidence": "order.pdf",
    },
    "exceedance": {
        "what": "control",
        "pollutants": "so2",
        "start": "2026-10-05 10:00",
        "end": "2026-10-05 12:00",
        "cause": "循环泵跳停",
        "measures": "切换备用泵",
        "reported_to": "县局",
        "reported_at": "2026-10-05 10:35",
    },
    "alert": {
        "equipment": "",
        "what": "橙色预警",
        "start": "2026-10-20 00:00",
        "end": "2026-10-23 24:00",
        "order": "〔2026〕7号",
        "issuer": "市政府",
        "evidence": "order.pdf",
    },
    "document": {
        "equipment": "全厂",
        "what": "declaration",
        "start": "2026-01-01",
        "title": "视频保存声明",
        "serves": "video-1 audit-2026Q3",
        "person": "王敏",
        "valid_until": "2026-12-31",
        "evidence": "order.pdf",
    },
}
SIGNED = ("--author", "王敏", "--yes")


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return noted.build(tmp_path_factory.mktemp("noted"))


@pytest.fixture
def office(lake: Path, tmp_path: Path) -> Folder:
    made = noted.folder(lake, tmp_path)
    made.file("order.pdf")
    return made


def table(rows: list[dict[str, str]]) -> str:
    text = StringIO(newline="")
    writer = csv.DictWriter(text, list(COLUMNS))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def row(kind: str, **other: str) -> dict[str, str]:
    return {"kind": kind, "equipment": "DA001", "reason": "例行工作"} | GOOD[kind] | other


def imported(smelter: Smelter, office: Folder, file: str, *more: str) -> tuple[int, str]:
    return smelter("journal", "import", file, "--site", office.site, *SIGNED, *more)


def test_one_of_each_kind(smelter: Smelter, office: Folder) -> None:
    file = office.file("all.csv", table([row(kind) for kind in FORMS]))
    code, said = imported(smelter, office, file, "--preview")
    assert (code, "6 new records" in said) == (0, True), said
    assert not (office.root / "journal.jsonl").exists()
    assert imported(smelter, office, file)[0] == 0
    journal = read_journal(office.root / "journal.jsonl")
    mark, check, verification, exceedance, alert, document = journal.records
    assert mark.judgement == "supported"
    assert (check.facts["span_drift"], check.facts["result"]) == ("1.20", "pass")
    assert verification.facts["relative_accuracy"] == "2.1498"
    assert exceedance.facts["reported_at"] == "2026-10-05T10:35+08:00"
    assert (alert.equipment, alert.end_ns) == ("", at("2026-10-24T00:00"))
    assert (document.start_ns, document.end_ns) == (
        at("2026-01-01T00:00"),
        at("2027-01-01T00:00"),
    )
    assert document.facts["serves"] == "video-1 audit-2026Q3"
    assert journal.alerts(at("2026-10-23T23:59"), at("2026-10-25T00:00")) == (alert,)
    assert journal.alerts(at("2026-10-24T00:00"), at("2026-10-25T00:00")) == ()
    assert {each.row for each in journal.records} == {2, 3, 4, 5, 6, 7}
    code, said = imported(smelter, office, file)
    assert (code, "0 new records, 6 there already" in said) == (0, True)
    assert smelter("journal", "check", "--site", office.site)[0] == 0
    assert (office.root / "documents" / f"{mark.source and mark.source.sha256}-all.csv").exists()


def test_every_mistake_at_once(smelter: Smelter, office: Folder) -> None:
    wrong = [
        (row("mark", what="holiday"), "a mark cannot be 'holiday'"),
        (row("mark", end="2026-10-05"), "end '2026-10-05' must be a day and minute"),
        (row("mark", end="2026-10-05 07:00"), "the end must be later than the start"),
        (row("mark", end="2030-01-01 00:00"), "lies in the future"),
        (row("mark", equipment="DA009"), "unknown stack 'DA009'"),
        (row("mark", pollutants="so2 nox"), "DA001 has no pollutant nox"),
        (row("mark", start="2019-10-05 08:00"), "does not work on that day"),
        (row("mark", reason=""), "the reason is missing"),
        (row("mark", order="x"), "a mark has no 'number of the order'"),
        (row("check", full_scale=""), "the full scale is missing"),
        (row("check", full_scale="many"), "full scale 'many' cannot be read"),
        (row("check", gas_expiry="2026-10-01"), "the gas was valid until 2026-10-01 only"),
        (row("verification", pairs="1/2; 3"), "reference/CEMS pairs '1/2; 3' cannot be read"),
        (row("verification", evidence=""), "its document is required"),
        (row("verification", method=""), "missing: reference method"),
        (row("exceedance", start="2026-10-05 10:10"), "start and end are whole hours"),
        (row("exceedance", pollutants=""), "is of one pollutant"),
        (row("exceedance", reported_to=""), "to whom and when it was reported"),
        (row("exceedance", not_reported="x"), "both that it was reported and why not"),
        (row("exceedance", reported_at="2026-10-05 09:00"), "that is before it happened"),
        (row("alert", evidence="gone.pdf"), "evidence 'gone.pdf' is not there"),
        (row("document", end="2026-12-31"), "write the end as 'valid until'"),
        (row("mark") | {"kind": "dream"}, "unknown kind 'dream'"),
    ]
    file = office.file("wrong.csv", table([row("alert"), *(each for each, _ in wrong)]))
    code, said = imported(smelter, office, file)
    assert code == 2
    for number, (_, sentence) in enumerate(wrong, 3):
        assert any(f"row {number}: " in line and sentence in line for line in said.splitlines()), (
            number,
            sentence,
            said,
        )
    assert "nothing was imported" in said
    assert not (office.root / "journal.jsonl").exists()
    code, said = imported(smelter, office, file, "--lang", "zh")
    assert "第 3 行：标记没有内容 'holiday'" in said
    assert "没有导入任何记录" in said


def test_a_record_with_other_facts_must_be_withdrawn_first(
    smelter: Smelter, office: Folder
) -> None:
    assert imported(smelter, office, office.file("a.csv", table([row("check")])))[0] == 0
    other = office.file("b.csv", table([row("check", span_before="82")]))
    code, said = imported(smelter, office, other)
    assert (code, "smelter journal withdraw 1" in said) == (2, True)
    twice = office.file("c.csv", table([row("mark"), row("mark")]))
    assert "the same as another row" in imported(smelter, office, twice)[1]


def test_the_xlsx_template_filled_in(smelter: Smelter, office: Folder) -> None:
    """Real times of a spreadsheet keep their minutes; midnight is not taken for a bare day."""
    path = office.root / "t.xlsx"
    made = smelter("journal", "template", "--out", str(path), "--site", office.site)
    assert made[0] == 0, made
    book = load_workbook(path)
    for form in FORMS.values():
        sheet = book[form.sheet]
        head = {str(cell.value): n for n, cell in enumerate(sheet[1], 1)}
        for name, text in row(form.kind).items():
            if text:
                sheet.cell(2, head[COLUMNS[name].header], text)
        assert find_form(form.sheet) is form
    marks = book[FORMS["mark"].sheet]
    at_midnight = marks.cell(3, 5, datetime(2026, 10, 5))  # noqa: DTZ001 - a spreadsheet has none
    at_midnight.number_format = "yyyy-mm-dd hh:mm"
    for column, text in ((2, "维护 [maintenance]"), (3, "DA001 一系列"), (6, "2026-10-05 00:30")):
        marks.cell(3, column, text)
    for column, text in ((len(marks[1]) - 2, "清洗"), (len(marks[1]) - 1, "order.pdf")):
        marks.cell(3, column, text)
    book.save(path)
    code, said = imported(smelter, office, str(path))
    assert code == 0, said
    journal = read_journal(office.root / "journal.jsonl")
    assert len(journal.records) == 7
    second = journal.marks("gtc1/stack1", at("2026-10-05T00:00"), at("2026-10-05T00:01"))
    assert [(x.what, x.end_ns) for x in second] == [("maintenance", at("2026-10-05T00:30"))]


def test_the_same_bytes_under_two_names_are_kept_twice(smelter: Smelter, office: Folder) -> None:
    office.file("copy.pdf")
    rows = [row("mark"), row("verification", evidence="order.pdf; copy.pdf")]
    assert imported(smelter, office, office.file("two.csv", table(rows)))[0] == 0
    assert smelter("journal", "check", "--site", office.site)[0] == 0
    names = {path.name[65:] for path in (office.root / "documents").iterdir()}
    assert {"order.pdf", "copy.pdf", "two.csv"} <= names


def test_templates_and_lists_refuse_what_they_do_not_know(smelter: Smelter, office: Folder) -> None:
    out = str(office.root / "t.csv")
    assert smelter("journal", "template", "--out", out, "--kind", "mark")[0] == 0
    assert "exists already" in smelter("journal", "template", "--out", out)[1]
    assert smelter("journal", "template", "--out", "t.pdf")[0] == 2
    assert smelter("journal", "template", "--out", "x.csv", "--kind", "dream")[0] == 2
    listed = ("journal", "list", "--site", office.site)
    assert smelter(*listed, "--stack", "DA009")[0] == 2
    assert smelter(*listed, "--period", "last year")[0] == 2
    assert "nothing is written in it" in imported(smelter, office, out)[1]
    headless = office.file("no.csv", "a,b\n1,2\n")
    assert "no header line" in imported(smelter, office, headless)[1]


def test_due_in_both_languages(smelter: Smelter, office: Folder) -> None:
    assert imported(smelter, office, office.file("a.csv", table([row("check")])))[0] == 0
    due = ("journal", "due", "--site", office.site, "--on", "2026-10-12")
    code, said = smelter(*due)
    assert (code, "calibrate zero and span" in said, "3 overdue" in said) == (1, True, True)
    assert "未核实" in smelter(*due, "--lang", "zh")[1]
    assert smelter("journal", "due", "--site", office.site, "--on", "soon")[0] == 2


def test_duties_know_the_checks_of_stacks(smelter: Smelter, office: Folder) -> None:
    duties = ("duties", "--site", office.site, "--on", "2026-10-12", "--json")
    assert "full_path" not in smelter(*duties)[1]  # no journal is kept here
    assert imported(smelter, office, office.file("a.csv", table([row("check")])))[0] == 0
    code, said = smelter(*duties)
    found = {each["id"]: each for each in json.loads(said)["duties"]}
    assert code == 1
    assert (found["calibration"]["due"], found["calibration"]["state"]) == ("2026-10-12", "open")
    assert found["calibration"]["confirmed"] == "unverified"
    late = found["stack_checks"]  # one row of all that is overdue
    assert late["state"] == "overdue"
    assert "审核" in late["note"]["zh"]
    assert "没有任何记录" in late["note"]["zh"]


MINUTES = st.integers(min_value=28_000_000, max_value=32_000_000)  # since 1970: 2023 to 2030
TEXTS = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=12)


@given(st.lists(st.tuples(MINUTES, TEXTS, TEXTS, st.booleans()), min_size=1, max_size=5))
def test_a_journal_reads_back_as_it_was_written(rows: list[tuple[int, str, str, bool]]) -> None:
    evidence = (Evidence(kind="document", sha256="ab" * 32, name="单.pdf"),)
    journal = Journal().added(
        [
            Record(
                kind="mark",
                what="fault",
                equipment="gtc1/stack1",
                start_ns=minute * MINUTE_NS,
                end_ns=(minute + 7) * MINUTE_NS if ends else None,
                facts={"sub_item": fact},
                reason=reason,
                author="王敏",
                at=datetime(2026, 11, 20, 1, 2, 3, 4, tzinfo=UTC),
                evidence=evidence,
            )
            for minute, reason, fact, ends in rows
        ]
    )
    assert tuple(read_record(json.loads(each.text())) for each in journal.all) == journal.all
    assert [each.number for each in journal.all] == list(range(1, len(rows) + 1))


@given(MINUTES)
def test_moments_as_people_write_them(minute: int) -> None:
    moment = datetime.fromtimestamp(minute * 60, PLANT_TIME)
    for text in (
        f"{moment:%Y-%m-%d %H:%M}",
        f"{moment.year}/{moment.month}/{moment.day} {moment.hour}:{moment:%M}",
        f"{moment:%Y年%m月%d日 %H：%M}",
        moment.isoformat(timespec="minutes"),
    ):
        assert read_moment(text) == minute * MINUTE_NS, text


def test_moments_that_are_none() -> None:
    assert read_moment("2026-10-05 24:00") == at("2026-10-06T00:00")
    for text in ("", "2026-10-05", "2026-02-30 08:00", "2026-10-05 08:60", "2026-10-05 08:00:30"):
        assert read_moment(text) is None
    assert read_moment("2026-10-05T08:00Z") is None  # plant time only
    assert read_pairs("1/2;") is not None
    assert read_pairs("1-2") is None


def test_two_writers_do_not_overwrite_one_another(office: Folder) -> None:
    """The records of both are there, in one chain."""
    path = office.root / "journal.jsonl"
    one = Record(
        kind="alert",
        what="red",
        start_ns=at("2026-10-05T00:00"),
        reason="x",
        author="王敏",
        at=datetime(2026, 11, 20, tzinfo=UTC),
    )
    for _ in range(3):
        change_journal(path, lambda _: [one])
    assert [each.number for each in read_journal(path).all] == [1, 2, 3]
