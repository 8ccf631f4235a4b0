"""A config that keeps a process from starting is an act, told once."""

import subprocess
import sys
from pathlib import Path

import pytest

from drivers.audit import AuditTrail


@pytest.mark.parametrize("command", ["agent", "historian"])
def test_a_config_that_is_refused_at_the_start_is_told_once(tmp_path: Path, command: str) -> None:
    config = tmp_path / "wrong.toml"
    config.write_text('data_dir = "data"\nnonsense = 1\n', "utf-8")
    for _ in range(2):  # a service manager tries again
        done = subprocess.run(
            [sys.executable, "-c", "from drivers.cli import main; main()", command, "run", config],
            capture_output=True,
            check=False,
        )
        assert done.returncode == 2, done.stderr
    [only] = [each.act for each in AuditTrail(tmp_path / "data" / "audit").read()]
    assert (only.what, only.result) == ("config.refused", "refused")
    assert "nonsense" in only.why
