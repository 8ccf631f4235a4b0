"""E1: nothing is ever written to a device: counted by the devices, looked for in the sources."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from simulators.counting import FOLDER, total
from tests.fuzz.loop import BrokenError, run
from tests.read_only.scan import DECLARED, undeclared
from tests.read_only.test_scan import PLANTED, found_when_planted
from tests.reliability.cases import Outcome, Setting, case

ROOT = Path(__file__).resolve().parent.parent.parent
CUT = (
    *("tests/read_only", "tests/drivers/test_modbus.py", "tests/drivers/test_simulated_plant.py"),
    *("tests/drivers/test_identify.py", "tests/drivers/test_opcua.py"),
    *("tests/drivers/test_browse.py", "tests/drivers/test_hj212_receiver.py"),
)
FULL = ("tests/read_only", "tests/drivers", "tests/agent", "tests/security")
TARGETS = ("outgoing", "modbus", "opcua", "hj212")


@case(
    "E1",
    fault="something is written to a device",
    procedure="tests of drivers, gateway and security against devices that count every request by "
    "operation (Modbus over TCP, TLS, RTU and a serial line, OPC UA, HJ 212), hostile devices and "
    "point tables among them; hostile requests and answers before the gates of all drivers; a scan "
    "of the sources, and the same scan with something planted of every kind (cut: seven test "
    "files, 20,000 inputs)",
    mark="0 writing requests heard, 0 past a gate, 0 undeclared finds, all that is planted found",
)
def read_only(setting: Setting) -> Outcome:
    counts = setting.folder / "counts"
    counts.mkdir(parents=True)
    which = FULL if setting.full and setting.share >= 1 else CUT
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *which],
        cwd=ROOT,
        env={**os.environ, FOLDER: str(counts)},
        capture_output=True,
        text=True,
        check=False,
    )
    told = done.stdout.splitlines()[-1] if done.stdout else done.stderr[-200:]
    heard = total(counts)
    inputs = setting.size(cut=20_000, full=1_000_000)
    try:
        for name in TARGETS:
            run(name, inputs=inputs, seed=setting.seed)
    except BrokenError as broken:
        return Outcome(passed=False, figure=str(broken))
    finds = undeclared(ROOT)
    planted = sum(found_when_planted(_copy(setting.folder), kind) for kind in PLANTED)
    figure = (
        f"{heard}; tests: {told}; {inputs:,} inputs to each of {', '.join(TARGETS)}: 0 past a "
        f"gate; scan: {len(finds)} undeclared finds, {len(DECLARED)} declared; "
        f"{planted} of {len(PLANTED)} planted found"
    )
    good = not heard.writes and not finds and planted == len(PLANTED)
    return Outcome(good and done.returncode == 0 and heard.requests.total() > 0, figure)


def _copy(folder: Path) -> Path:
    root = folder / "planted"
    for name in {path for path, _ in PLANTED.values()}:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, root / name)
    return root
