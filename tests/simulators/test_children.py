"""Children of the demo: what they print, how they fail, and that no orphan is left."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from simulators.children import ChildFailedError, Children

TIED = "from simulators.orphans import end_with_parent as tie; tie({}); print('alive')"


def tied_to(parent: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", TIED.format(parent)]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def test_a_child_whose_parent_died_before_it_could_ask_ends_at_once() -> None:
    assert tied_to(os.getpid()).stdout == "alive\n"
    late = tied_to(os.getppid())
    assert late.returncode == 1
    assert late.stdout == ""
    assert f"process {os.getppid()}, which started this one, has ended" in late.stderr


async def test_a_child_prints_into_its_log_and_says_why_it_failed(tmp_path: Path) -> None:
    async with Children(tmp_path / "logs") as children:
        said = await children.run("formulas", "compute", "--list")
        assert "anode_net" in said
        assert children.log("formulas").read_text("utf-8") == said
        with pytest.raises(ChildFailedError, match="nonsense"):
            await children.run("wrong", "compute", "nonsense")


async def test_a_child_that_ends_is_noticed(tmp_path: Path) -> None:
    async with Children(tmp_path / "logs") as children:
        await children.start("agent", "agent", "run", str(tmp_path / "none.toml"))
        with pytest.raises(ChildFailedError, match=r"none\.toml"):
            await children.watch()
