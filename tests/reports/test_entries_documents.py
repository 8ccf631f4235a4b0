"""Documents are kept with the ledger and checked; certificates cover days, or do not."""

import os
from datetime import date
from pathlib import Path

import pytest

from drivers.model import ConfigError
from reports.chain import NO_HASH
from reports.entries.certificates import certificates, expired_part, valid_on
from reports.entries.documents import keep, kept_at
from reports.entries.ledger import Document, Ledger, read_ledger
from reports.periods import Period
from tests.reports.conftest import Office, Smelter

HEAD = "kind,line,period,value,unit,document\n"
WHO = ("--author", "王敏", "--reason", "十月")


@pytest.fixture
def proved(office: Office, smelter: Smelter) -> Office:
    """One figure, imported by the command, with a scan beside its table."""
    folder = office.root / "inbox"
    folder.mkdir()
    (folder / "磅单 10 月.pdf").write_bytes(b"%PDF scan")
    table = folder / "a.csv"
    table.write_text(f"{HEAD}aluminium_tapped,line1,2026-10,21050.25,t,磅单 10 月.pdf\n")
    code, said = smelter(
        *("entries", "import", str(table), "--site", str(office.site_file), *WHO, "--yes")
    )
    assert code == 0, said
    return office


def scan(office: Office) -> Path:
    document = read_ledger(office.site.entries).entries[0].figure.document
    assert document is not None
    return kept_at(office.site.entries, document)


def test_documents_and_tables_are_kept_whatever_becomes_of_the_inbox(
    proved: Office, smelter: Smelter
) -> None:
    assert scan(proved).parent == proved.root / "documents"
    assert scan(proved).name.endswith("-磅单 10 月.pdf")
    assert scan(proved).read_bytes() == b"%PDF scan"
    for path in (proved.root / "inbox").iterdir():
        path.unlink()
    code, said = smelter("entries", "check", "--site", str(proved.site_file))
    assert code == 0, said
    assert "1 entries, the chain is whole" in said
    assert "2 documents; 0 faults" in said
    _, said = smelter("entries", "list", "--site", str(proved.site_file))
    assert "document 磅单 10 月.pdf " in said


def test_a_changed_document_is_named(proved: Office, smelter: Smelter) -> None:
    scan(proved).write_bytes(b"%PDF scam")
    for lang, says in (("en", "was changed"), ("zh", "的内容已被改动")):
        code, said = smelter("entries", "check", "--site", str(proved.site_file), "--lang", lang)
        assert code == 1
        assert "磅单 10 月.pdf" in said
        assert says in said


def test_a_missing_document_is_named_unless_it_lies_elsewhere(
    proved: Office, smelter: Smelter
) -> None:
    scan(proved).unlink()
    where = ("entries", "check", "--site", str(proved.site_file))
    for lang, says in (("en", "is not there; it should be"), ("zh", "没有这个文件；应在")):
        code, said = smelter(*where, "--lang", lang)
        assert code == 1
        assert "磅单 10 月.pdf" in said
        assert says in said
    code, said = smelter(*where, "--beside", str(proved.root / "inbox"))
    assert code == 0, said


def test_a_broken_chain_is_the_answer_no(proved: Office, smelter: Smelter) -> None:
    file = proved.site.entries
    file.write_text(file.read_text("utf-8").replace("21050.25", "21050.26"), "utf-8")
    code, said = smelter("entries", "check", "--site", str(proved.site_file))
    assert code == 1
    assert "entries.jsonl:1: the chain is broken" in said


def test_an_empty_ledger_is_whole(office: Office, smelter: Smelter) -> None:
    code, said = smelter("entries", "check", "--site", str(office.site_file))
    assert code == 0
    assert NO_HASH[:16] in said


def test_a_document_of_a_revision_is_kept(proved: Office, smelter: Smelter) -> None:
    (proved.root / "slip.txt").write_text("21051")
    code, said = smelter(
        *("entries", "revise", "1", "21051", "--site", str(proved.site_file), *WHO),
        *("--document", str(proved.root / "slip.txt")),
    )
    assert code == 0, said
    (proved.root / "slip.txt").unlink()
    code, said = smelter("entries", "check", "--site", str(proved.site_file))
    assert code == 0, said
    code, said = smelter(
        *("entries", "revise", "2", "5", "--site", str(proved.site_file), *WHO),
        *("--document", "no.pdf"),
    )
    assert code == 2
    assert "no.pdf: the document is not there" in said


def test_a_long_chinese_name_keeps_its_end(tmp_path: Path) -> None:
    file = tmp_path / ("磅" * 80 + ".pdf")
    file.write_bytes(b"x")
    kept = keep(tmp_path / "books" / "entries.jsonl", Document.of(file), file)
    assert kept.name.endswith("磅.pdf")
    assert len(kept.name.encode()) <= 255


def test_a_document_that_changes_while_it_is_kept_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.pdf"
    file.write_bytes(b"before")
    document = Document.of(file)
    file.write_bytes(b"after")
    with pytest.raises(ConfigError, match="was changed meanwhile"):
        keep(tmp_path / "entries.jsonl", document, file)


def test_a_full_disk_imports_nothing(
    office: Office, smelter: Smelter, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = office.root / "a.csv"
    table.write_text(f"{HEAD}aluminium_tapped,line1,2026-10,21050.25,t,weighing.txt\n")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        code, said = smelter(
            *("entries", "import", str(table), "--site", str(office.site_file), *WHO, "--yes")
        )
    assert code == 2
    assert "the disk is full" in said
    assert read_ledger(office.site.entries) == Ledger()


CERTIFICATE = "kind,line,period,value,unit,valid_until,body,certificate,result\n"


def row(day: str, until: str, result: str = "合格", instrument: str = "scale-1") -> str:
    return f"instrument_certificate,{instrument},{day},0.1,%,{until},示例计量院,C-{day},{result}\n"


def test_which_certificate_covers_a_day(office: Office) -> None:
    ledger = office.enter(
        CERTIFICATE
        + row("2026-03-01", "2027-02-28")
        + row("2025-02-20", "2026-02-19")
        + row("2026-01-01", "2026-12-31", instrument="scale-2")
    )
    first, second = certificates(ledger, "scale-1")
    assert (first.calibrated, second.calibrated) == (date(2025, 2, 20), date(2026, 3, 1))
    for day, number in (
        ("2025-02-19", None),  # the day before, of, and after
        ("2025-02-20", "C-2025-02-20"),
        ("2026-02-19", "C-2025-02-20"),
        ("2026-02-20", None),
        ("2026-02-28", None),
        ("2026-03-01", "C-2026-03-01"),
        ("2027-02-28", "C-2026-03-01"),
        ("2027-03-01", None),
    ):
        found = valid_on(ledger, "scale-1", date.fromisoformat(day))
        assert (None if found is None else found.number) == number, day
    uncovered = expired_part(ledger, "scale-1", Period.parse("2026-02"))
    assert uncovered == tuple(date(2026, 2, day) for day in range(20, 29))
    assert len(expired_part(ledger, "scale-1", Period.parse("2026"))) == 9
    assert expired_part(ledger, "scale-2", Period.parse("2026")) == ()
    assert len(expired_part(ledger, "scale-3", Period.parse("2026"))) == 365


def test_a_calibration_that_failed_ends_the_one_before(office: Office) -> None:
    ledger = office.enter(
        CERTIFICATE + row("2026-01-01", "2026-12-31") + row("2026-06-01", "2027-05-31", "不合格")
    )
    assert valid_on(ledger, "scale-1", date(2026, 5, 31)) is not None
    assert valid_on(ledger, "scale-1", date(2026, 6, 1)) is None
    assert len(expired_part(ledger, "scale-1", Period.parse("2026-06"))) == 30


def test_a_withdrawn_certificate_covers_nothing(office: Office, smelter: Smelter) -> None:
    office.enter(CERTIFICATE + row("2026-01-01", "2026-12-31"))
    where = ("--site", str(office.site_file), *WHO)
    assert smelter("entries", "revise", "1", "--withdraw", *where)[0] == 0
    assert certificates(read_ledger(office.site.entries), "scale-1") == ()
