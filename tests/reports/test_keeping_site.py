"""A site is backed up whole, comes back elsewhere, and lets a package leave only as it says."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from drivers.backup_commands import backup, restore
from drivers.cli import _app
from drivers.doctor import Given
from drivers.model import ConfigError
from reports.chain import NO_HASH, canonical_line, line_hash
from reports.doctor import check
from reports.package.export import permit_package
from reports.site import load_site

ROOT = Path(__file__).parents[2]
RUN = CliRunner()


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The example with its overlays, a ledger of two lines and one document."""
    home = tmp_path / "home"
    shutil.copytree(ROOT / "config", home / "config")
    data = home / "data"
    (data / "documents").mkdir(parents=True)
    (data / "documents" / "ab12").write_text("a weighing slip")
    first = canonical_line({"n": 1, "prev": NO_HASH})
    second = canonical_line({"n": 2, "prev": line_hash(first)})
    (data / "journal.jsonl").write_text(f"{first}\n{second}\n")
    return home / "config" / "site.example.toml"


def test_a_site_comes_back_with_its_chains_and_documents(site: Path, tmp_path: Path) -> None:
    target = tmp_path / "site.smelter"
    made = RUN.invoke(_app("backup", backup), [str(site), "--out", str(target)])
    assert made.exit_code == 0, (made.output, made.exception)
    back = RUN.invoke(
        _app("restore", restore), [str(target), "--to", str(tmp_path / "to"), "--json"]
    )
    assert back.exit_code == 0, (back.output, back.exception)
    (config,) = json.loads(back.output)["restored"].values()
    found = load_site(Path(config))
    assert found.entries.parent == Path(config).parent / ".." / "data"
    assert (found.entries.parent / "documents" / "ab12").read_text() == "a weighing slip"
    journal = found.entries.with_name("journal.jsonl").read_bytes()
    assert journal == (site.parent.parent / "data" / "journal.jsonl").read_bytes()
    acts = next(found.entries.with_name("audit").glob("*.jsonl")).read_text("utf-8")
    assert "backup.restored" in acts


def test_a_broken_chain_is_told_by_check(site: Path, tmp_path: Path) -> None:
    journal = site.parent.parent / "data" / "journal.jsonl"
    journal.write_text(journal.read_text().replace('"n":1', '"n":3'))
    target = tmp_path / "site.smelter"
    assert RUN.invoke(_app("backup", backup), [str(site), "--out", str(target)]).exit_code == 0
    checked = RUN.invoke(_app("backup", backup), ["--check", str(target)])
    assert checked.exit_code == 1
    assert "journal.jsonl:2: the chain is broken" in checked.output


def test_a_package_leaves_only_as_the_site_says(site: Path) -> None:
    target = site.with_name("x.zip")
    plant = load_site(site)
    assert permit_package(plant, site, target, "", "")["rule"] == "free"
    text = site.read_text("utf-8")
    site.write_text(text + '\n[export]\nimportant = "approved"\n', "utf-8")
    with pytest.raises(ConfigError, match="somebody must approve"):
        permit_package(plant, site, target, "", "")
    assert permit_package(plant, site, target, "Li", "asked by the auditor")["approved_by"] == "Li"


def test_the_doctor_sees_a_site_without_data(site: Path) -> None:
    found = {(each.topic, each.level) for each in check(Given(site=site))}
    assert ("site", "bad") in found  # no lake here
    assert {("entries", "ok"), ("entries", "bad")} <= found  # the journal has no such record
    assert ("duties", "warn") in found  # and says so where it would be needed
    assert ("rules", "note") in found
    site.write_text("plant = 1\n", "utf-8")
    broken = list(check(Given(site=site)))
    assert {each.level for each in broken} == {"bad"}
    assert len(broken) > 2
