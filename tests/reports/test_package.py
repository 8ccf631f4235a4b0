"""A package holds what proves a report, is the same each time, and its own program judges it."""

import ast
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from drivers.model import ConfigError
from reports.package import verify as program
from reports.package.gather import Gathered, Wish, _site
from reports.package.ring import open_ring
from reports.package.verify import verify
from tests.reports import plant
from tests.reports.conftest import Built, Office, Smelter
from tests.reports.forging import Original, files_of, packed, records
from tests.reports.proven import prove
from tests.reports.sealing import office_over, seal, sealed_in, written

SMELTER = (sys.executable, "-c", "from drivers.cli import main; main()")
LOG = f"demo/gw1/record/{plant.GATEWAY.log}"


def test_what_is_in_it(sealed: Original) -> None:
    files, said = files_of(sealed.path)
    assert {"README.txt", "verify.py", "report.json", "site/site.toml"} <= files.keys()
    assert {"entries/entries.jsonl", f"batches/{LOG}.seg", f"checkpoints/{LOG}"} <= files.keys()
    assert {f"proofs/{LOG}.txt", f"leaves/{LOG}.bin", "keys/demo/gw1.json"} <= files.keys()
    assert {"keys/report.json", "keys/witness.json", "rules/cn_ets_aluminium_2024.toml"} <= (
        files.keys()
    )
    assert sum(1 for name in files if name.startswith("documents/")) == 2
    assert (said["plant"], said["report"], said["batches"]) == (
        "demo", "carbon-monthly-2026-10-v1", "cited",
    )  # fmt: skip
    assert "已被改动" in files["README.txt"].decode()
    assert "To verify" in files["README.txt"].decode()
    assert not any(b"PRIVATE" in data for data in files.values())


def test_the_same_input_gives_the_same_bytes(sealed: Original, tmp_path: Path) -> None:
    office = sealed.folder.parent / "office"
    again = sealed_in(Office(office), tmp_path / "again.zip")
    assert again.read_bytes() == sealed.path.read_bytes()


def test_any_zip_program_reads_it(sealed: Original) -> None:
    with zipfile.ZipFile(sealed.path) as archive:
        assert archive.testzip() is None


def test_its_own_program_needs_nothing_and_says_the_same(
    sealed: Original, tmp_path: Path, smelter: Smelter
) -> None:
    with zipfile.ZipFile(sealed.path) as archive:
        archive.extract("verify.py", tmp_path)
    broken = tmp_path / "broken.zip"
    data = bytearray(sealed.path.read_bytes())
    data[len(data) // 3] ^= 4
    broken.write_bytes(bytes(data))
    for path, code in ((sealed.path, 0), (broken, 1)):
        keys = [word for key in sealed.trusted for word in ("--trusted-key", key)]
        for more in (["--json"], ["--lang", "en"]):
            alone = subprocess.run(
                [sys.executable, "-I", "-S", "verify.py", str(path), *keys, *more],
                cwd=tmp_path, capture_output=True, check=False, env={"LANG": "C"},
            )  # fmt: skip
            done = subprocess.run(
                [*SMELTER, "verify", str(path), *keys, *more],
                cwd=Path(__file__).parents[2], capture_output=True, check=False,
            )  # fmt: skip
            assert (alone.returncode, done.returncode) == (code, code), alone.stderr + done.stderr
            if more != ["--json"] or code:
                assert done.stdout == alone.stdout
            if more == ["--json"]:
                assert json.loads(alone.stdout)["verdict"] == ("intact", "changed")[code]
    said = alone.stdout.decode()
    assert "changed, or signed by a foreign key" in said.splitlines()[0]
    assert "已被改动" in said.splitlines()[0]


def test_the_program_uses_the_standard_library_of_3_8_only() -> None:
    tree = ast.parse(Path(program.__file__).read_text("utf-8"), feature_version=(3, 8))
    named = {
        alias.name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    named |= {
        (node.module or "").partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
    }
    assert named <= sys.stdlib_module_names
    assert not named & {"socket", "urllib", "http", "ssl", "ftplib"}


def test_commands_make_and_judge_a_package(
    sealed: Original, tmp_path: Path, smelter: Smelter
) -> None:
    office = sealed.folder.parent / "office"
    report = office / "reports" / "carbon-monthly-2026-10-v1.json"
    target = tmp_path / "month.zip"
    code, said = smelter("package", str(report), "--out", str(target))
    assert code == 0, said
    assert f"signed by: {sealed.office_ring.vkey}" in said
    code, said = smelter("package", str(report), "--out", str(target))
    assert code == 2
    assert "exists, not overwritten" in said
    code, said = smelter("package", str(report), "--out", str(tmp_path / "x.zip"), "--at", "noon")
    assert code == 2
    code, said = smelter("verify", str(tmp_path / "none.zip"))
    assert code == 2


def test_every_batch_and_every_batch_of_an_hour(sealed: Original, tmp_path: Path) -> None:
    office = Office(sealed.folder.parent / "office")
    few = records(files_of(sealed.path)[0][f"batches/{LOG}.seg"])
    hour = sealed_in(office, tmp_path / "hour.zip", Wish(hours_ns=(plant.GAP_TO_NS,)))
    more = records(files_of(hour)[0][f"batches/{LOG}.seg"])
    assert len(more) == len(few) + 1  # the plant's batches hold an hour each
    whole = sealed_in(office, tmp_path / "whole.zip", Wish(whole=True))
    every = records(files_of(whole)[0][f"batches/{LOG}.seg"])
    assert len(every) >= 31 * 24
    assert verify(str(whole), sealed.trusted, []).code == 0
    files, said = files_of(whole)
    assert said["counts"][LOG][2] == len(every)
    ends = int.from_bytes(every[0][8:16], "little"), int.from_bytes(every[-1][8:16], "little")
    for counts in (said["counts"], {LOG: [*ends, len(every) - 1]}):
        fewer = files | {f"batches/{LOG}.seg": b"".join(every[:300] + every[301:])}
        cut = packed(sealed, fewer, said | {"counts": counts}, sealed.office_ring)
        places = [each["where"] for each in verify(str(cut), sealed.trusted, []).changed]
        seq = int.from_bytes(every[300][8:16], "little")
        assert f"batches/{LOG}.seg: batch {seq}" in places
        assert (f"batches/{LOG}.seg" in places) == (counts == said["counts"])
    with pytest.raises(ConfigError, match="--most-mb"):
        sealed_in(office, tmp_path / "most.zip", Wish(whole=True, most_bytes=10_000))


def test_addresses_and_accounts_of_stores_stay_at_home(
    sealed: Original, tmp_path: Path, built: Built
) -> None:
    root = sealed.ends.root
    office = office_over(tmp_path / "office", root / "originals", built.root / "lake")
    text = office.site_file.read_text("utf-8")
    office.site_file.write_text(
        text.replace(f'lake = "{built.root}/lake"\n', "")
        + '\n[influxdb]\nurl = "http://u:secret@192.0.2.1:8086"\ndatabase = "d"\n'
        'username = "reader"\npassword_file = "secret.txt"\nallow_plain_password = true\n',
        "utf-8",
    )
    found = Gathered()
    _site(found, office.site, office.site_file)
    kept = found.files["site/site.toml"].decode()
    assert "secret" not in kept
    assert "reader" not in kept
    assert 'database = "d"' in kept


def test_without_a_checkpoint_nothing_is_claimed(built: Built, tmp_path: Path) -> None:
    office = office_over(tmp_path / "office", built.root / "originals", built.root / "lake")
    path = sealed_in(office, tmp_path / "bare.zip")
    found = verify(str(path), [], [])
    assert found.code == 2
    assert any("no cosigned checkpoint yet" in each["en"] for each in found.unknown)
    assert any("没有会签的检查点" in each["zh"] for each in found.unknown)


def test_a_batch_newer_than_the_checkpoint_is_said_to_be(built: Built, tmp_path: Path) -> None:
    ends = prove(tmp_path / "h", built.root / "originals", size=lambda whole: whole - 1)
    office = office_over(tmp_path / "office", ends.root / "originals", built.root / "lake")
    found = verify(str(sealed_in(office, tmp_path / "p.zip")), [ends.trusted], [])
    assert found.code in {0, 2}
    last = [each for each in found.unknown if "newer than the newest" in each["en"]]
    assert bool(last) == (found.code == 2)


def test_the_key_is_ours_alone_and_can_be_changed(built: Built, tmp_path: Path) -> None:
    ledger = tmp_path / "entries.jsonl"
    first = open_ring(ledger, "demo")
    folder = tmp_path / "report-keys"
    assert (folder / "0001.key").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert open_ring(ledger, "demo").vkey == first.vkey
    second = open_ring(ledger, "demo", rotate=True)
    assert not (folder / "0001.key").exists()
    assert [len(first.notes), len(second.notes)] == [1, 2]
    history = program.History(list(second.notes))
    assert [key.vkey(history.owner) for key in history.keys] == [first.vkey, second.vkey]
    with pytest.raises(program.Broken):
        program.History(list(reversed(second.notes)))
    (folder / "0002.key").chmod(0o640)
    with pytest.raises(ConfigError, match="others can read it"):
        open_ring(ledger, "demo")
    (folder / "0002.key").unlink()
    with pytest.raises(ConfigError, match="restore it from a backup"):
        open_ring(ledger, "demo")


def test_a_rotated_key_is_believed_by_who_knows_the_first(built: Built, tmp_path: Path) -> None:
    original = seal(tmp_path, built.root)
    office = Office(tmp_path / "office")
    open_ring(office.site.entries, "demo", rotate=True)
    path = sealed_in(office, tmp_path / "second.zip")
    assert verify(str(path), original.trusted, []).code == 0


def test_national_algorithms_all_the_way(built: Built, tmp_path: Path) -> None:
    """SM3 tree taken over after 3 leaves, SM2 keys of gateway, historian and office."""
    ends = prove(
        tmp_path / "h", built.root / "originals", hash_name="sm3", after=3, algorithm="sm2"
    )
    office = office_over(tmp_path / "office", ends.root / "originals", built.root / "lake")
    ring = open_ring(office.site.entries, "demo", "sm2")
    found = verify(str(sealed_in(office, tmp_path / "sm.zip")), [ends.trusted, ring.vkey], [])
    assert (found.code, found.keys_checked) == (0, True), (found.changed, found.unknown)


def test_a_pruned_batch_and_a_lost_document_are_named(built: Built, tmp_path: Path) -> None:
    original = seal(tmp_path, built.root)
    office = Office(tmp_path / "office")
    written(office)
    segment = min((original.ends.root / "originals" / LOG).glob("*.seg"))
    segment.unlink()
    for path in (office.root / "documents").glob("*weighing.txt"):
        path.unlink()
    found = verify(str(sealed_in(office, tmp_path / "p.zip")), original.trusted, [])
    said = [each["en"] for each in found.unknown]
    assert found.code == 2
    assert any("pruned or is damaged" in text for text in said)
    assert any("weighing.txt: is not kept" in text for text in said)
