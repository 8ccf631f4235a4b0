"""
Every folder of tests/cases: a config, and what the command says about it.

``gateway.toml`` goes through ``smelter agent check``. With ``expected.err`` beside it the exit code
is 2 and standard error is that text, in English, and ``expected.zh.err`` in Chinese; with
``expected.out`` it is 0. ``SMELTER_UPDATE_CASES=1 pytest tests/test_cases.py`` writes them anew.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CASES = Path(__file__).parent / "cases"
UPDATE = bool(os.environ.get("SMELTER_UPDATE_CASES"))
FOLDERS = sorted(path.parent for path in CASES.glob("*/gateway.toml"))


def check(config: Path, language: str) -> subprocess.CompletedProcess[str]:
    program = "from drivers.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", program, "agent", "check", str(config)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"SMELTER_LANG": language, "PYTHONUTF8": "1"},
    )


def same(path: Path, text: str) -> None:
    if UPDATE:
        path.write_text(text, "utf-8")
    assert text == path.read_text("utf-8")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_what_check_says(folder: Path) -> None:
    for language, ending in (("en", ""), ("zh", ".zh")):
        answer = check(folder / "gateway.toml", language)
        said = (answer.stdout + answer.stderr).replace(str(folder), "CASE")
        assert "Traceback" not in said
        good = folder.name.startswith("good")
        assert answer.returncode == (0 if good else 2), said
        assert bool(answer.stdout) == good
        same(folder / f"expected{ending}.{'out' if good else 'err'}", said)


def test_the_example_config_is_good() -> None:
    example = Path(__file__).parent.parent / "config" / "gateway.example.toml"
    answer = check(example, "en")
    assert answer.returncode == 0, answer.stderr
    assert "407 points" in answer.stdout


def test_there_are_cases() -> None:
    assert len(FOLDERS) >= 6
