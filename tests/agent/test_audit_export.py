"""An audit trail leaves only as [export] allows, into a file for its owner only."""

import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from agent.audit_commands import audit_app
from drivers.audit import Act, AuditTrail
from drivers.model import ConfigError

APPROVED = ["--approved-by", "Li", "--why", "asked by the auditor"]


def config_in(folder: Path, rule: str) -> Path:
    path = folder / "historian.toml"
    path.write_text(
        f'data_dir = "h"\n[mqtt]\nurl = "mqtt://127.0.0.1:1"\n[export]\nimportant = "{rule}"\n'
    )
    AuditTrail(folder / "h" / "audit").add(Act(time.time_ns(), "Li", "entry.added", "#1"))
    return path


def export(place: Path, out: Path, *more: str) -> Result:
    return CliRunner().invoke(audit_app, ["export", str(place), "--out", str(out), *more])


def results(folder: Path) -> list[tuple[str, str]]:
    return [(str(x.act.result), x.act.why) for x in AuditTrail(folder / "h/audit").read()][1:]


@pytest.mark.parametrize(
    ("rule", "words", "good"),
    [("free", [], True), ("approved", [], False), ("approved", APPROVED, True),
     ("refused", APPROVED, False)],
)  # fmt: skip
def test_the_rule_of_the_class_counts(
    tmp_path: Path, rule: str, words: list[str], good: bool
) -> None:
    out = tmp_path / "acts.csv"
    done = export(config_in(tmp_path, rule), out, *words)
    assert out.exists() == good
    if good:
        assert done.exit_code == 0, done.exception
        assert out.stat().st_mode & 0o777 == 0o600
    else:
        assert isinstance(done.exception, ConfigError)
    why = words[-1] if words else ""
    assert results(tmp_path) == [("ok" if good else "refused", why)]


def test_the_folder_alone_says_no_rules_so_somebody_must_approve(tmp_path: Path) -> None:
    config_in(tmp_path, "free")
    folder, out = tmp_path / "h" / "audit", tmp_path / "acts.csv"
    assert isinstance(export(folder, out).exception, ConfigError)
    assert export(folder, out, *APPROVED).exit_code == 0


def test_a_link_and_a_file_in_the_way_stay_as_they_are(tmp_path: Path) -> None:
    config, victim = config_in(tmp_path, "free"), tmp_path / "victim"
    link = tmp_path / "link.csv"
    link.symlink_to(victim)
    for out in (link, tmp_path / "no" / "folder.csv"):
        assert isinstance(export(config, out).exception, ConfigError)
    assert not victim.exists()
