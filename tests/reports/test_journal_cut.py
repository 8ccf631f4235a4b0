"""A journal that was removed, cut or replaced is noticed by what others saw of it."""

import json
import shutil
from pathlib import Path

import pytest

from reports.journal.journal import read_journal
from tests.reports import noted
from tests.reports.conftest import Smelter
from tests.reports.noted import Folder
from tests.reports.test_journal import CALIBRATED, SIGNED, added

MADE = ("report", "emissions", "--day", "2026-10-05", "--format", "json", "--json", "--lang", "en")
BAKED = (
    *("--what", "stopped", "--stack", "DA001"),
    *("--start", "2026-10-05 13:00", "--end", "2026-10-05 16:00"),
)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return noted.build(tmp_path_factory.mktemp("noted"))


@pytest.fixture
def office(lake: Path, tmp_path: Path, smelter: Smelter) -> Folder:
    """Two marks with their traces, and a report that saw both."""
    made = noted.folder(lake, tmp_path)
    for mark in (CALIBRATED, BAKED):
        assert added(smelter, made, *mark, *SIGNED)[0] == 0
    code, said = report(smelter, made)
    assert code < 2, said
    assert json.loads(said)["fresh"]
    return made


def report(smelter: Smelter, office: Folder) -> tuple[int, str]:
    return smelter(*MADE, "--site", office.site, "--out", str(office.root / "reports"))


def check(smelter: Smelter, office: Folder, *more: str) -> tuple[int, str]:
    return smelter("journal", "check", "--site", office.site, *more)


def test_a_report_keeps_what_it_saw_and_goes_on_when_the_journal_grows(
    smelter: Smelter, office: Folder
) -> None:
    journal = read_journal(office.root / "journal.jsonl")
    [path] = (office.root / "reports").glob("emissions-2026-10-05-v1.json")
    seen = json.loads(path.read_text("utf-8"))["content"]["journal"]
    assert seen == {"entries": 2, "head": journal.head}
    assert check(smelter, office)[0] == 0
    away = (*CALIBRATED[:4], "--start", "2026-10-07 08:00", "--end", "2026-10-07 08:40")
    order = ("--evidence", office.file("order.pdf"))
    assert added(smelter, office, *away, *SIGNED, *order)[0] == 0
    code, said = report(smelter, office)  # another day's mark makes no new version
    assert code < 2, said
    assert not json.loads(said)["fresh"]
    assert check(smelter, office)[0] == 0


def test_a_removed_journal_is_refused(smelter: Smelter, office: Folder) -> None:
    for path in office.root.glob("journal.jsonl*"):
        path.unlink()
    code, said = report(smelter, office)
    assert code == 2
    assert "emissions-2026-10-05-v1.json stood on a journal of 2 records" in said
    assert "restore it from a backup" in said
    assert len(list((office.root / "reports").glob("*-v*.json"))) == 1
    code, said = check(smelter, office, "--json")
    faults = json.loads(said)["faults"]
    assert (code, len(faults)) == (1, 3)  # the report, and two traces without a record
    assert sum("a trace copy without a record" in text for text in faults) == 2
    code, said = check(smelter, office, "--lang", "zh")
    assert "记录被截断、替换或删除" in said
    assert "数据曲线副本没有对应的记录" in said


def test_a_journal_written_anew_is_refused_too(smelter: Smelter, office: Folder) -> None:
    """As long as before, whole in itself, and another one."""
    for path in office.root.glob("journal.jsonl*"):
        path.unlink()
    for mark in (BAKED, CALIBRATED):
        assert added(smelter, office, *mark, *SIGNED)[0] == 0
    assert report(smelter, office)[0] == 2
    code, said = check(smelter, office)
    assert (code, "do not lead to it" in said) == (1, True)


def test_what_was_lodged_remembers_the_journal_in_another_folder(
    smelter: Smelter, office: Folder
) -> None:
    [path] = (office.root / "reports").glob("emissions-2026-10-05-v1.json")
    lodged = ("--receipt", "R-1", "--on", "2026-11-20", "--author", "王敏", "--incomplete")
    code, said = smelter(
        *("lodge", str(path), "--site", office.site), *lodged, "--backdated", "试验"
    )
    assert code == 0, said
    shutil.rmtree(office.root / "reports")
    for file in office.root.glob("journal.jsonl*"):
        file.unlink()
    code, said = report(smelter, office)
    assert (code, "(R-1) stood on a journal of 2 records" in said) == (2, True), said


def test_the_folder_of_reports_must_be_there(smelter: Smelter, office: Folder) -> None:
    code, said = check(smelter, office, "--beside", str(office.root / "elsewhere"))
    assert (code, "there is no such folder" in said) == (2, True)
    moved = shutil.move(office.root / "reports", office.root / "kept")
    assert check(smelter, office, "--beside", str(moved))[0] == 0
