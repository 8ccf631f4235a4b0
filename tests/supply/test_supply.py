"""Locks, licences and advisories of what is installed: pages true, weak and unknown refused."""

import io
import json
import subprocess
import sys
import zipfile
from datetime import date
from email.message import Message
from pathlib import Path

import pytest

from tests.supply import advisories, bom, licences
from tests.supply.advisories import SNAPSHOT, Snapshot, SnapshotError
from tests.supply.lock import LOCKS, ROOT, RUNTIME, Pin, read_lock

DAY = date(2026, 11, 23)


def pin(name: str = "amqp-thing", version: str = "2.4.1") -> Pin:
    return Pin(name, version, "", ("0" * 64,))


def advisory(name: str = "Amqp_Thing", **more: object) -> dict[str, object]:
    affected = [
        {
            "package": {"ecosystem": "PyPI", "name": name},
            "ranges": [
                {
                    "type": "ECOSYSTEM",
                    "events": [
                        {"introduced": "0"},
                        {"fixed": "1.9"},
                        {"introduced": "2.0"},
                        {"fixed": "2.4.2"},
                    ],
                }
            ],
        }
    ]
    return {"id": "MADE-UP-1", "summary": "reads past the end", "affected": affected} | more


def found(version: str, *said: dict[str, object]) -> list[advisories.Weakness]:
    return advisories.weaknesses([pin(version=version)], Snapshot(DAY, said))


def test_every_lock_is_pinned_by_hash_and_the_plant_gets_what_was_tested() -> None:
    tested = {(each.name, each.version) for each in read_lock(LOCKS[1])}
    for each in read_lock(RUNTIME):
        assert (each.name, each.version) in tested
    for lock in LOCKS:
        assert len(read_lock(lock)) > 20
        assert all(len(value) == 64 for each in read_lock(lock) for value in each.hashes)


def test_a_line_without_a_hash_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.lock").write_text("rich==15.0.0\n")
    with pytest.raises(ValueError, match="not pinned by hash: rich"):
        read_lock(tmp_path / "x.lock")
    (tmp_path / "x.lock").write_text("rich>=15 \\\n    --hash=sha256:00\n")
    with pytest.raises(ValueError, match="not pinned by hash: rich>=15"):
        read_lock(tmp_path / "x.lock")


def test_every_package_of_a_plant_has_a_known_licence_and_the_page_says_it() -> None:
    refused = [f"{x.pin.name}: {x.expression!r}" for x in licences.licences() if not x.accepted]
    assert refused == []
    assert (ROOT / "docs" / "licences.md").read_text("utf-8") == licences.page()


@pytest.mark.parametrize(
    ("expression", "good"),
    [
        ("MIT", True),
        ("Apache-2.0 OR GPL-2.0-only", True),
        ("Apache-2.0 AND GPL-2.0-only", False),
        ("(MIT OR GPL-3.0-only) AND BSD-3-Clause", True),
        ("(MIT AND SSPL-1.0) OR (AGPL-3.0-only)", False),
        ("GPL-3.0-or-later", False),
        ("LicenseRef-Proprietary", False),
        ("", False),
    ],
)
def test_which_licences_are_accepted(expression: str, good: bool) -> None:
    assert licences.acceptable(expression) is good


@pytest.mark.parametrize(
    ("fields", "expression"),
    [
        ([("License-Expression", "MIT"), ("License", "GPL")], "MIT"),
        ([("Classifier", "License :: OSI Approved :: BSD License"), ("License", "BSD-3-Clause")],
         "BSD-3-Clause"),
        ([("License", "Apache 2.0")], "Apache-2.0"),
        ([("License", "Do what thou wilt, but " + "not " * 40)], ""),
        ([("Classifier", "License :: OSI Approved :: GNU General Public License v3 (GPLv3)")],
         "GNU General Public License v3 (GPLv3)"),
        ([], ""),
    ],
)  # fmt: skip
def test_licences_as_people_write_them(fields: list[tuple[str, str]], expression: str) -> None:
    about = Message()
    for name, value in fields:
        about[name] = value
    assert licences.expression_of(about) == expression


@pytest.mark.parametrize(
    ("version", "weak"),
    [("1.8", True), ("1.9", False), ("1.9.5", False), ("2.0", True), ("2.4.1", True),
     ("2.4.2", False), ("2.5rc1", False), ("2.4.2rc1", True)],
)  # fmt: skip
def test_ranges_of_versions(version: str, weak: bool) -> None:
    assert bool(found(version, advisory())) is weak


def test_named_versions_last_affected_withdrawn_and_others_packages() -> None:
    package = {"ecosystem": "PyPI", "name": "amqp.thing"}
    named = advisory(affected=[{"package": package, "versions": ["2.4.1"]}])
    assert found("2.4.1", named)
    assert not found("2.4.0", named)
    events = [{"introduced": "1"}, {"last_affected": "2.4.1"}]
    last = advisory(
        affected=[{"package": package, "ranges": [{"type": "ECOSYSTEM", "events": events}]}]
    )
    assert found("2.4.1", last)
    assert not found("2.4.2", last)
    assert not found("2.4.1", advisory(withdrawn="2026-01-01T00:00:00Z"))
    assert not found("2.4.1", advisory("other"))
    assert not found(
        "2.4.1",
        advisory(
            affected=[
                {"package": {"ecosystem": "npm", "name": "amqp-thing"}, "versions": ["2.4.1"]}
            ]
        ),
    )


@pytest.mark.parametrize(
    ("vector", "score", "grade"),
    [  # examples of FIRST's CVSS 3.1 guide, and scores worked out by its equations
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8, "critical"),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 6.1, "moderate"),
        ("CVSS:3.0/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:N/A:N", 5.9, "moderate"),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", 7.5, "high"),
        ("CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:L/I:N/A:N", 3.3, "low"),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0.0, "low"),
        ("CVSS:3.1/AV:N", None, "unknown"),
    ],
)
def test_grades(vector: str, score: float | None, grade: str) -> None:
    assert advisories.cvss3(vector) == score
    [weakness] = found("2.4.1", advisory(severity=[{"type": "CVSS_V3", "score": vector}]))
    assert weakness.grade == grade
    assert weakness.fails == (grade in {"high", "critical", "unknown"})


def test_the_publishers_word_counts_and_no_word_fails() -> None:
    assert [x.grade for x in found("2.4.1", advisory(database_specific={"severity": "LOW"}))] == [
        "low"
    ]
    assert [x.fails for x in found("2.4.1", advisory())] == [True]


def test_snapshots_are_made_of_what_was_brought(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("A.json", json.dumps(advisory()))
        archive.writestr("B.json", json.dumps(advisory("other")))
        archive.writestr("README", "no")
    (tmp_path / "all.zip").write_bytes(stream.getvalue())
    kept = tmp_path / "advisories.json"
    count = advisories.keep(kept, advisories.brought(tmp_path / "all.zip"), [pin()], DAY)
    assert count == 1
    snapshot = advisories.read_snapshot(kept)
    assert snapshot.day == DAY
    assert [each.id for each in advisories.weaknesses([pin()], snapshot)] == ["MADE-UP-1"]
    assert not snapshot.is_old(date(2027, 2, 21))  # 90 days
    assert snapshot.is_old(date(2027, 2, 22))
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "x.json").write_text("[1]")
    for wrong in ("folder", "none", "advisories.json"):
        with pytest.raises(SnapshotError):
            list(advisories.brought(tmp_path / wrong))
    with pytest.raises(SnapshotError):
        advisories.read_snapshot(tmp_path / "all.zip")


def test_the_command_fails_on_a_high_one_and_says_when_it_is_old(tmp_path: Path) -> None:
    first = read_lock(RUNTIME)[0]
    package = {"ecosystem": "PyPI", "name": first.name}
    high = advisory(
        affected=[{"package": package, "versions": [first.version]}],
        database_specific={"severity": "HIGH"},
    )
    kept = tmp_path / "advisories.json"
    advisories.keep(kept, [high], [first], date(2020, 1, 1))
    done = audit(kept)
    assert done.returncode == 1
    assert f"{first.name} {first.version}: MADE-UP-1 (high)" in done.stdout
    assert "more than 90 days old" in done.stdout
    advisories.keep(kept, [], [first], advisories.today())
    assert audit(kept).returncode == 0
    assert audit(tmp_path / "none.json").returncode == 2


def audit(kept: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.supply", "audit", str(kept)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_no_known_high_weakness_is_in_the_locks() -> None:
    """With the snapshot in deploy/, once somebody brought one: `make advisories FROM=…`."""
    if not SNAPSHOT.is_file():  # nobody says that there is no weakness: neither does the page
        row = next(x for x in (ROOT / "docs/security.md").read_text().splitlines() if "| E6 |" in x)
        assert "against a made-up advisory only: none was brought" in row
        return
    snapshot = advisories.read_snapshot(SNAPSHOT)
    pins = {each for lock in LOCKS for each in read_lock(lock)}
    assert [str(each) for each in advisories.weaknesses(pins, snapshot) if each.fails] == []


def test_an_sbom_that_lacks_or_adds_something_is_told(tmp_path: Path) -> None:
    parts = sorted(bom.installed(Path(sys.executable)))
    made = tmp_path / "sbom.json"

    def write(said: list[tuple[str, str]]) -> None:
        components = [{"name": name, "version": version} for name, version in said]
        made.write_text(json.dumps({"bomFormat": "CycloneDX", "components": components}))

    write(parts)
    assert bom.differences(made, Path(sys.executable)) == []
    write([("made-up", "1"), *parts[1:]])
    assert bom.differences(made, Path(sys.executable)) == [
        "only in the SBOM: made-up 1",
        f"only installed: {parts[0][0]} {parts[0][1]}",
    ]
