"""What binds ledger and journal beyond the office's own key: anchors, earlier packages, heads."""

import json
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from drivers.model import ConfigError
from reports.package.ring import open_ring
from reports.package.verify import main, text, verify
from tests.reports.conftest import Built, Office, Smelter
from tests.reports.forging import Original, files_of, packed
from tests.reports.sealing import office_over, written

SMELTER = (sys.executable, "-c", "from drivers.cli import main; main()")


def rewritten(lines: bytes, number: int) -> bytes:
    """A ledger of the same length with another reason, all of its chain computed anew."""
    rows, prev, out = [json.loads(line) for line in lines.splitlines()], "0" * 64, []
    rows[number]["reason"] = "something else"
    for row in rows:
        row["prev"] = prev
        out.append(json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(",", ":")))
        prev = sha256(out[-1].encode()).hexdigest()
    return "".join(f"{line}\n" for line in out).encode()


def forged(sealed: Original, number: int = 0) -> Path:
    """The office's own key, its ledger written anew as a whole, the report made to agree."""
    files, said = files_of(sealed.path)
    name = "entries/entries.jsonl"
    files[name] = rewritten(files[name], number)
    lines = [line.encode() for line in files[name].decode().splitlines()]
    table = json.loads(files["report.json"])
    table["content"]["ledger"]["head"] = sha256(lines[-1]).hexdigest()
    for entry in table["content"]["entries"]:
        entry["hash"] = sha256(lines[entry["number"] - 1]).hexdigest()
    whole = json.dumps(table["content"], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    table["content_sha256"] = said["content_sha256"] = sha256(whole.encode()).hexdigest()
    files["report.json"] = json.dumps(table, ensure_ascii=False, sort_keys=True).encode()
    return packed(sealed, files, said, sealed.office_ring)


def test_a_ledger_rewritten_and_signed_by_the_office_needs_more_than_the_package(
    sealed: Original, tmp_path: Path
) -> None:
    kept = tmp_path / "kept.zip"
    shutil.copy(sealed.path, kept)
    report = tmp_path / "kept.json"
    report.write_bytes(files_of(sealed.path)[0]["report.json"])
    path = forged(sealed)
    blind = verify(str(path), sealed.trusted, [])
    assert blind.code == 0, "it agrees with itself"
    assert "rewrote ledger, journal and lodgings as a whole" in text(blind, "en")
    assert "整体改写并重签" in text(blind, "zh")
    for earlier in (kept, report):
        found = verify(str(path), sealed.trusted, [], earlier=[str(earlier)])
        assert found.code == 1
        said = {each["where"]: each["en"] for each in found.changed}
        assert "does not go on from the" in said["entries/entries.jsonl: line 7"]
        assert "the same version says something else" in said["report.json"]
        true = verify(str(sealed.path), sealed.trusted, [], earlier=[str(earlier)])
        assert (true.code, "rewrote ledger" in text(true, "en")) == (0, False), true.changed


def test_what_was_kept_must_be_whole_itself(sealed: Original, tmp_path: Path) -> None:
    data = bytearray(sealed.path.read_bytes())
    data[len(data) // 2] ^= 1
    for content in (bytes(data), b"PK", b"{}", b"[1]", b"no json"):
        path = tmp_path / "kept"
        path.write_bytes(content)
        found = verify(str(sealed.path), sealed.trusted, [], earlier=[str(path)])
        assert (found.code, len(found.unknown)) == (2, 1), content[:20]
    with pytest.raises(OSError, match="none"):
        verify(str(sealed.path), sealed.trusted, [], earlier=[str(tmp_path / "none")])


def test_the_options_of_the_program(
    sealed: Original, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    office, _ = sealed.trusted
    call = [str(sealed.path), "--trusted-key", office]
    assert main(call) == 2
    assert main([*call, "--without-originals"]) == 0
    assert main([*call, "--without-originals", "--earlier", str(forged(sealed))]) == 1
    for more, code in (((), 2), (("--without-originals",), 0)):
        done = subprocess.run([*SMELTER, "verify", *call, *more], capture_output=True, check=False)
        assert done.returncode == code, done.stderr
    dashed = [str(sealed.path), "--key", "-plant+1f2e3d4c+AbCd", "--key", office]
    done = subprocess.run([*SMELTER, "verify", *dashed], capture_output=True, check=False)
    assert b"usage:" not in done.stderr, done.stderr  # a value, not an option
    assert done.stdout


def test_a_journal_that_no_longer_leads_on_is_found_with_the_offices_own_key(
    sealed: Original,
) -> None:
    files, said = files_of(sealed.path)
    table = json.loads(files["report.json"])
    table["content"]["journal"] = {"entries": 2, "head": "ab" * 32}
    whole = json.dumps(table["content"], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    table["content_sha256"] = said["content_sha256"] = sha256(whole.encode()).hexdigest()
    table["lodged"] = {"content_sha256": "cd" * 32, "receipt": "R-1"}
    files["report.json"] = json.dumps(table, ensure_ascii=False, sort_keys=True).encode()
    found = verify(str(packed(sealed, files, said, sealed.office_ring)), sealed.trusted, [])
    places = [each["where"] for each in found.changed]
    assert places == ["entries/journal.jsonl: line 0", "entries/lodgings.jsonl: line 0"]


def test_a_broken_ledger_is_not_packed(built: Built, tmp_path: Path, smelter: Smelter) -> None:
    """Every mistake at once; the report itself was made before."""
    office = office_over(tmp_path / "office", built.root / "originals", built.root / "lake")
    report = written(office)
    whole = office.site.entries.read_text("utf-8")
    office.site.entries.write_text(whole.replace('"value":"', '"value":"1', 1), "utf-8")
    office.site.journal.write_text("{}\n", "utf-8")
    code, said = smelter("package", str(report))
    assert code == 2
    assert "entries.jsonl:1" in said or "entries.jsonl:2" in said
    assert "journal.jsonl:1" in said
    assert not list((tmp_path / "office" / "reports").glob("*.zip"))


def test_a_ledger_that_is_another_one_is_not_packed(built: Built, tmp_path: Path) -> None:
    office = office_over(tmp_path / "office", built.root / "originals", built.root / "lake")
    written(office)
    file = office.site.entries
    file.write_bytes(rewritten(file.read_bytes(), 1))
    last = sha256(file.read_bytes().splitlines()[-1]).hexdigest()
    lines = len(file.read_bytes().splitlines())
    file.with_name(f"{file.name}.head").write_text(f"{lines} {last}\n", "utf-8")
    with pytest.raises(ConfigError, match=r"do not lead to it|不再延续"):
        package_of(office, tmp_path / "p.zip")


def package_of(office: Office, target: Path) -> None:
    from reports.package.gather import Wish, gather
    from reports.site import load_site
    from reports.versions import read_report

    path = office.root / "reports" / "carbon-monthly-2026-10-v1.json"
    site = load_site(office.site_file)
    ring = open_ring(site.entries, site.plant)
    gather(read_report(path), path, site, office.site_file, ring, Wish())
