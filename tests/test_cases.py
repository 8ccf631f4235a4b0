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


def check(config: Path, language: str, *options: str) -> subprocess.CompletedProcess[str]:
    program = "from drivers.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", program, "agent", "check", str(config), *options],
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


POINTS = "equipment,quantity,address,type\nline1/pot001,pot.voltage,holding:0,float32\n"
TOO_MUCH = """
plant = "demo"
gateway = "gw1"
data_dir = "data"
mqtt.url = "mqtt://192.0.2.20"
[[device]]
name = "plc"
driver = "modbus-tcp"
address = "192.0.2.10:502"
interval_s = 0.1
max_requests_per_s = {cap}
points = "points.csv"
"""


@pytest.mark.parametrize("options", [("--plan",), ("--plan", "--json")], ids=" ".join)
def test_a_plan_that_cannot_be_done_is_exit_code_1(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    (tmp_path / "points.csv").write_text(POINTS)
    config = tmp_path / "gateway.toml"
    config.write_text(TOO_MUCH.format(cap=5))
    assert check(config, "en").returncode == 0  # nobody asked
    no = check(config, "en", *options)
    assert (no.returncode, no.stderr) == (1, "")
    assert "CANNOT BE DONE: 10 requests/s, but max_requests_per_s = 5" in no.stdout
    config.write_text(TOO_MUCH.format(cap=10))
    yes = check(config, "en", *options)
    assert yes.returncode == 0, yes.stderr
    assert "every 0.1 s: 1 point in 1 request" in yes.stdout
    assert "CANNOT" not in yes.stdout


def test_there_are_cases() -> None:
    assert len(FOLDERS) >= 6
