"""The grade as a person gets it: by command, in two languages, traced, with its exit code."""

import json
import zipfile
from pathlib import Path

import openpyxl
import pytest

from tests.reports.conftest import Smelter
from tests.reports.graded import GradeOffice

LINE = "plant.electrolytic_aluminium.cn_2020_electrolytic_aluminium.A.so2"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, graded_lake: Path) -> GradeOffice:
    return GradeOffice(tmp_path_factory.mktemp("report"), graded_lake).proven()


def made(office: GradeOffice, smelter: Smelter, *more: str) -> tuple[int, str]:
    return smelter(
        "report", "grade", "--site", str(office.site_file), "--month", "2026-10",
        "--out", str(office.root / "out"), *more,
    )  # fmt: skip


def test_the_report_in_all_forms_and_its_trace(office: GradeOffice, smelter: Smelter) -> None:
    code, told = made(office, smelter, "--format", "json,xlsx,pdf,html", "--lang", "zh")
    assert code == 0, told
    assert "level provable A" in told
    out = office.root / "out"
    content = json.loads((out / "grade-2026-10-v1.json").read_text("utf-8"))["content"]
    assert content["period"] == {
        "name": "2026-10",
        "start": "2025-11-01T00:00:00+08:00",
        "end": "2026-11-01T00:00:00+08:00",
    }
    assert (out / "grade-2026-10-v1.zh.pdf").read_bytes().startswith(b"%PDF")
    page = (out / "grade-2026-10-v1.zh.html").read_text("utf-8")
    assert "A 级可证明：13 项全部已证明" in page
    book = openpyxl.load_workbook(out / "grade-2026-10-v1.zh.xlsx")
    texts = {str(c.value) for sheet in book for row in sheet.iter_rows() for c in row}
    assert any("由本厂张三录入、李四核对" in text for text in texts)
    assert zipfile.is_zipfile(out / "grade-2026-10-v1.zh.xlsx")
    code, told = smelter("trace", str(out / "grade-2026-10"), LINE)
    assert code == 0, told
    for part in ("gtc1/stack1 stack.so2_converted", "= 30", "checked by 李四", "import"):
        assert part in told, part


def test_in_english_when_nothing_is_proven(
    office: GradeOffice, smelter: Smelter, tmp_path: Path
) -> None:
    """Without the typed tables: exit 1, counts instead of a letter, the texts to open."""
    bare = GradeOffice(tmp_path, office.lake)
    bare.write_site('tables = ["own.toml", "general.toml"]', "tables = []")
    code, told = made(bare, smelter, "--format", "json,html", "--lang", "en")
    assert code == 1
    assert "A not provable: 13 unknown, 0 failed" in told
    page = (tmp_path / "out" / "grade-2026-10-v1.en.html").read_text("utf-8")
    assert "A not provable: 13 unknown, 0 failed" in page
    assert "open a document, type its table" in page
    assert "A provable" not in page


def test_one_person_alone_stops_the_report(
    office: GradeOffice, smelter: Smelter, tmp_path: Path
) -> None:
    bad = GradeOffice(tmp_path, office.lake)
    bad.write_tables(entered="张三", checked="张三")
    code, told = made(bad, smelter)
    assert code == 2
    assert told.count("another person") == 2  # both files, at once


def test_help_says_which_months_are_meant(smelter: Smelter) -> None:
    code, told = smelter("report")
    assert code == 0
    assert "twelve months to the end of the month" in told


def test_a_document_recorded_by_command_is_found(
    graded_lake: Path, smelter: Smelter, tmp_path: Path
) -> None:
    office = GradeOffice(tmp_path, graded_lake)
    (tmp_path / "contract.pdf").write_bytes(b"contract")
    code, told = smelter(
        "journal", "add", "document", "--site", str(office.site_file), "--what", "document",
        "--start", "2026-01-05 00:00", "--fact", "serves=fuel, control_design",
        "--fact", "title=Gas contract", "--fact", "person=王敏",
        "--fact", "valid_until=2026-12-31", "--evidence", str(tmp_path / "contract.pdf"),
        "--author", "王敏", "--reason", "grade",
    )  # fmt: skip
    assert code == 0, told
    content = office.content()
    line = content.line("plant.electrolytic_aluminium.cn_2020_electrolytic_aluminium.A.fuel")
    assert line.value == 1
    assert "Gas contract" in content.model_dump_json().partition('"grade_expires"')[2]


def test_words_of_the_site_that_no_table_knows_are_all_told(
    graded_lake: Path, smelter: Smelter, tmp_path: Path
) -> None:
    office = GradeOffice(tmp_path, graded_lake)
    office.write_site(
        'industries = ["electrolytic_aluminium"]\ngenerations = ["CN-2020"]',
        'industries = ["steel"]\ngenerations = ["CN-1999"]',
    )
    code, told = made(office, smelter)
    assert code == 2
    assert "no steel" in told
    assert "no CN-1999" in told
