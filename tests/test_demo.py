"""``smelter demo`` as a newcomer runs it: to the report, to Ctrl-C, and with a child that dies."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulators.compare import deviations, read_json
from tests.servers import wait_until

SMELTER = (sys.executable, "-c", "from drivers.cli import main; main()")
MONTH = "2026-02"  # the shortest


def smelter(*arguments: str, **more: str) -> subprocess.Popen[str]:
    """A ``smelter`` process in an environment as bare as cron's."""
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "LANG": "C"}
    return subprocess.Popen(
        [*SMELTER, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        env=environment | more,
    )


def children_of(folder: Path) -> dict[int, str]:
    """Processes whose command line names the folder, apart from the demo itself."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if str(folder) in command and " demo " not in command:
            found[int(entry.name)] = command
    return found


def lines_until(process: subprocess.Popen[str], wanted: str, timeout_s: float = 300) -> str:
    """What it prints, to the line that contains ``wanted``."""
    assert process.stdout is not None
    end = time.monotonic() + timeout_s
    said = ""
    for line in process.stdout:
        said += line
        if wanted in line:
            return said
        assert time.monotonic() < end, said
    raise AssertionError(f"it ended with {process.wait()}:\n{said}")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    made = tmp_path / "demo"
    yield made
    left = children_of(made)
    for number in left:
        os.kill(number, signal.SIGKILL)
    assert not left, f"still running after the demo: {left}"


def test_once_ends_with_a_true_report(folder: Path) -> None:
    begin = time.monotonic()
    demo = smelter("demo", "--once", "--dir", str(folder), "--month", MONTH)
    said, _ = demo.communicate(timeout=400)
    print(said)
    assert demo.returncode == 0, said
    assert time.monotonic() - begin < 400
    found = list((folder / "reports").rglob("*"))
    assert {".json", ".pdf", ".xlsx"} <= {path.suffix for path in found}
    report = next(path for path in found if path.suffix == ".json")
    truth = json.loads((folder / "history" / f"truth-{MONTH}.json").read_text("utf-8"))
    figures = deviations(read_json(report), truth)
    assert len(figures) == 16
    assert all(figure.good for figure in figures), figures
    metal = truth["total"]["aluminium_tapped_t"]
    assert f"{metal:,.4f} t" in said
    assert re.search(r"deviation from the simulator's truth: 0\.0\d+%", said)
    trace_to_registers(report)


def trace_to_registers(report: Path) -> None:
    """The registers of a meter are shown as they came, and are the reading beside them."""
    trace = smelter("trace", str(report), "line1.electricity_ac", "--lang", "zh")
    traced, _ = trace.communicate(timeout=120)
    assert trace.returncode == 0, traced
    shown = re.findall(r"期[初末]表底 .*  ([\d,]+)\n *寄存器 0x(\w{8}) = (\d+) (\d+)\n", traced)
    assert len(shown) == 4, traced  # begin and end of two meters
    for reading, raw, high, low in shown:
        assert int(raw, 16) == (int(high) << 16) + int(low)
        assert int(raw, 16) * 10 == int(reading.replace(",", ""))


def test_live_values_then_ctrl_c(folder: Path) -> None:
    demo = smelter("demo", "--dir", str(folder), "--month", MONTH, "--pots", "4", SMELTER_LANG="zh")
    said = lines_until(demo, "Ctrl-C")
    assert "铝液产量" in said
    assert len(children_of(folder)) == 3  # historian, agent, console
    address = re.search(r"网页控制台：(http://127\.0\.0\.1:\d+/)  账户 officer.*密码 \S{16}", said)
    assert address, said
    with urllib.request.urlopen(f"{address[1]}login", timeout=60) as answer:  # noqa: S310
        assert "登录" in answer.read().decode()
    said = lines_until(demo, "历史库已回执批次")
    assert re.search(r"line1 平均槽电压 3\.[89]\d+ V", said)
    assert re.search(r"raw \d+", said)
    demo.send_signal(signal.SIGINT)
    rest, _ = demo.communicate(timeout=120)
    assert demo.returncode == 0, rest
    assert "演示已结束" in rest
    assert not children_of(folder)


def test_a_child_that_dies_ends_the_demo_with_its_log(folder: Path) -> None:
    demo = smelter("demo", "--dir", str(folder), "--month", MONTH, "--pots", "4")
    lines_until(demo, "polling the plant")
    victim = next(pid for pid, command in children_of(folder).items() if " agent run" in command)
    os.kill(victim, signal.SIGKILL)
    rest, _ = demo.communicate(timeout=120)
    assert demo.returncode == 1
    assert "agent ended unexpectedly" in rest
    assert "agent.log" in rest


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGHUP])
def test_broken_off_early_leaves_nobody_behind(folder: Path, sign: signal.Signals) -> None:
    demo = smelter("demo", "--dir", str(folder), "--month", MONTH, "--pots", "4")
    lines_until(demo, "polling the plant")
    demo.send_signal(sign)
    rest, _ = demo.communicate(timeout=120)
    assert demo.returncode == 130
    assert "has ended" in rest
    assert not children_of(folder)


def test_killed_it_leaves_nobody_behind(folder: Path) -> None:
    demo = smelter("demo", "--dir", str(folder), "--month", MONTH, "--pots", "4")
    lines_until(demo, "polling the plant")
    assert len(children_of(folder)) > 1
    demo.kill()
    demo.communicate(timeout=120)  # the children have other ends for their output
    wait_until(lambda: not children_of(folder), "end of the children", 30)


def test_a_folder_with_other_things_is_left_alone(folder: Path) -> None:
    folder.mkdir()
    (folder / "thesis.txt").write_text("mine", "utf-8")
    demo = smelter("demo", "--once", "--dir", str(folder))
    said, _ = demo.communicate(timeout=120)
    assert demo.returncode == 2
    assert "--dir" in said
    assert [path.name for path in folder.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    "wrong",
    [("--month", "october"), ("--month", "2999-01"), ("--pots", "2"), ("--lang", "fr")],
    ids="".join,
)
def test_wrong_use_is_exit_2(folder: Path, wrong: tuple[str, str]) -> None:
    demo = smelter("demo", "--dir", str(folder), *wrong)
    said, _ = demo.communicate(timeout=120)
    assert demo.returncode == 2, said
    assert not folder.exists()
