"""A report comes out the same from originals elsewhere; what changed makes a new version (D4)."""

import json
import os
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from reports.make import make_report
from reports.rules.packs import packs
from reports.versions import read_report
from tests.reports import plant
from tests.reports.conftest import Built, Office, Smelter
from tests.reports.forging import HEAD_BYTES, record_with, records
from tests.reports.sealing import office_over, written

SMELTER = (sys.executable, "-c", "from drivers.cli import main; main()")
ROOT = Path(__file__).parents[2]


@pytest.fixture
def elsewhere(built: Built, tmp_path: Path) -> Path:
    """A copy of office and originals in another folder: no lake, other names of folders."""
    home = office_over(tmp_path / "home", built.root / "originals", built.root / "lake")
    written(home)
    away = tmp_path / "another machine" / "office"
    shutil.copytree(home.root, away)
    shutil.copytree(built.root / "originals", away.parent / "originals")
    text = (away / "site.toml").read_text("utf-8").replace(str(built.root), "/nowhere")
    (away / "site.toml").write_text(text, "utf-8")
    return away


def again(away: Path, *more: str, **surroundings: str) -> subprocess.CompletedProcess[str]:
    given = ("reports/carbon-monthly-2026-10-v1.json", "--originals")
    return subprocess.run(
        [*SMELTER, "recompute", *given, str(away.parent / "originals"), "--json", *more],
        cwd=away, capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | surroundings,
    )  # fmt: skip


@pytest.mark.parametrize(
    "surroundings",
    [
        {"TZ": "America/New_York", "LC_ALL": "C", "SMELTER_LANG": "en"},
        {"TZ": "Asia/Shanghai", "LANG": "zh_CN.UTF-8", "SMELTER_LANG": "zh", "PYTHONHASHSEED": "7"},
    ],
    ids=["new_york", "shanghai"],
)
def test_the_same_digest_elsewhere(elsewhere: Path, surroundings: dict[str, str]) -> None:
    done = again(elsewhere, **surroundings)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    report = read_report(elsewhere / "reports" / "carbon-monthly-2026-10-v1.json")
    assert (told["same"], told["is"]) == (True, report.content_sha256)


def test_one_figure_changed_in_the_originals_is_told(elsewhere: Path) -> None:
    """A record is replaced by a forged one, digest and CRC right: the sum comes out otherwise."""
    log = elsewhere.parent / "originals" / "demo" / "gw1" / "record" / plant.GATEWAY.log
    segment = min(log.glob("*.seg"))
    found = records(segment.read_bytes())
    payload = found[50][HEAD_BYTES:]
    forged = payload.replace(b"energy_import_inc=2400.0", b"energy_import_inc=2300.0", 1)
    assert forged != payload
    found[50] = record_with(found[50], forged)
    segment.write_bytes(b"".join(found))
    done = again(elsewhere)
    told = json.loads(done.stdout)
    assert (done.returncode, told["same"]) == (1, False), done.stderr
    assert any(row["ref"] == "line1.electricity_ac" for row in told["changes"])


def test_entries_of_later_days_do_not_matter(elsewhere: Path) -> None:
    Office(elsewhere).enter(
        "项目,工序,期间,数值,单位\n铝液产量,line1,2026-09,20000,t\n", "later.csv"
    )
    done = again(elsewhere)
    assert done.returncode == 0, done.stdout + done.stderr


def test_originals_that_are_not_there(elsewhere: Path, smelter: Smelter) -> None:
    report = elsewhere / "reports" / "carbon-monthly-2026-10-v1.json"
    code, said = smelter("recompute", str(report), "--originals", str(elsewhere))
    assert code == 2
    assert "no originals of plant demo" in said


OVERLAY = """
[[values]]
parameter = "{parameter}"
applies_from = 2026-01-01
value = {value}
unit = "{unit}"
title = "Example notice"
issuer = "Example office"
where = "paper copy"
locator = "p. 1"
seen = "read on paper"
document = "notice.txt"
sha256 = "{sha256}"
entered_by = "王敏"
checked_by = "李强"
checked_on = 2026-10-01
"""


def test_a_changed_rule_gives_a_new_version_and_the_old_one_stays(
    built: Built, tmp_path: Path, smelter: Smelter
) -> None:
    office = office_over(tmp_path / "home", built.root / "originals", built.root / "lake")
    first = written(office)
    old = first.read_bytes()
    parameter = packs()["cn_ets_aluminium_2024"].parameters["anode_loss_rate"]
    legal = next(x for x in read_report(first).content.legals if "anode_loss_rate" in x.id)
    (office.root / "notice.txt").write_text("notice\n", "utf-8")
    digest = sha256(b"notice\n").hexdigest()
    value = round(float(legal.value) * 1.01, 6)
    own = OVERLAY.format(
        parameter="cn_ets_aluminium_2024.anode_loss_rate",
        value=value,
        unit=parameter.unit,
        sha256=digest,
    )
    (office.root / "own.toml").write_text(own, "utf-8")
    text = office.site_file.read_text("utf-8")
    office.site_file.write_text('overlays = ["own.toml"]\n' + text, "utf-8")
    second = written(office)
    assert second.name == "carbon-monthly-2026-10-v2.json"
    assert first.read_bytes() == old
    assert read_report(first).version == 1
    code, said = smelter("recompute", str(first), "--lang", "en")
    assert code == 1
    assert "rules changed: cn_ets_aluminium_2024. The old version stays as it is" in said
    code, said = smelter("recompute", str(first), "--lang", "zh")
    assert "规则文本已变：cn_ets_aluminium_2024" in said
    report = read_report(second)
    changed = {change.ref: change for change in report.changes}
    assert any(ref.startswith("cn_ets_aluminium_2024.anode_loss_rate") for ref in changed)
    assert changed["line1.emission"].before != changed["line1.emission"].after
    assert report.previous_sha256 == read_report(first).content_sha256


def test_a_revised_entry_gives_a_new_version_that_says_who_and_why(
    built: Built, tmp_path: Path, smelter: Smelter
) -> None:
    office = office_over(tmp_path / "home", built.root / "originals", built.root / "lake")
    first = written(office)
    revision = ("21000", "--author", "李强", "--reason", "磅单更正")
    site = ("--site", str(office.site_file))
    code, said = smelter("entries", "revise", "1", *site, *revision)
    assert code == 0, said
    out = office.root / "reports"
    made = make_report("carbon-monthly", office.site_file, plant.OCTOBER, out, ["json"], "zh")
    assert made.report.version == 2
    why = " ".join(change.why.zh for change in made.report.changes if change.why is not None)
    assert "李强" in why
    assert "磅单更正" in why
    assert read_report(first).version == 1
    code, said = smelter("recompute", str(first))  # from the ledger as it was then
    assert code == 0, said
    file = office.site.entries
    lines = file.read_text("utf-8").splitlines(keepends=True)
    file.write_text("".join(lines[:3]), "utf-8")  # cut, the head beside it made to agree
    head = sha256(lines[2].rstrip("\n").encode()).hexdigest()
    file.with_name(f"{file.name}.head").write_text(f"3 {head}\n", "utf-8")
    code, said = smelter("recompute", str(first), "--lang", "en")
    assert code == 2
    assert "does not go on from the" in said


def test_a_report_of_an_older_program(elsewhere: Path) -> None:
    """Its rule pack had another text, and it did not know a field yet: said, nothing invented."""
    path = elsewhere / "reports" / "carbon-monthly-2026-10-v1.json"
    table = json.loads(path.read_text("utf-8"))
    del table["content"]["plan"]  # a field of later versions, at its default
    table["content"]["packs"]["cn_ets_aluminium_2024"] = "ab" * 32
    text = json.dumps(table["content"], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    table["content_sha256"] = sha256(text.encode()).hexdigest()
    path.write_text(json.dumps(table, ensure_ascii=False), "utf-8")
    done = again(elsewhere, SMELTER_LANG="en")
    told = json.loads(done.stdout)
    assert (done.returncode, told["same"]) == (1, False), done.stderr
    [cause] = told["causes"]
    assert cause.startswith("rules changed: cn_ets_aluminium_2024.")
    assert "smelter report makes a new one" in cause
