"""A12: 20 % packet loss and 64 kbit/s, made by the kernel in a network namespace of its own."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

from tests import servers
from tests.oracle.device import FakePlc
from tests.oracle.ledger import Ledger
from tests.oracle.plant import ROOT, Plant, wait
from tests.originals_reader import read_stream
from tests.reliability.cases import NotRun, Outcome, Setting, case, need_program, need_root
from tests.reliability.links import verdict

RATE = "64kbit"
POINTS = 120  # of 50 bytes each second; a batch passes the line three times, the ledger's included
_BAD = re.compile(rb"^frame,.* bad=[1-9]\d*i,.* (\d{19})$", re.MULTILINE)


@case(
    "A12",
    fault="20 % packet loss and 64 kbit/s",
    procedure="gateway, broker and historian in a network namespace: nftables drops every fifth "
    "packet to or from the broker at random, a token bucket passes 64 kbit/s of them in all; three "
    "times as much is made as passes",
    mark="0 lost; the rate binds: the queue is behind at the end of it; it drains when the rate "
    "allows",
)
def lossy(setting: Setting) -> Outcome:
    need_root("a network namespace")
    for name, package in (("ip", "iproute2"), ("tc", "iproute2"), ("nft", "nftables")):
        need_program(name, package)
    seconds = setting.size(cut=30, full=900)
    done = subprocess.run(
        ["unshare", "-n", sys.executable, "-m", __name__, str(setting.folder), str(seconds)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 3:
        raise NotRun(done.stderr.strip()[-200:])
    if done.returncode:
        return Outcome(passed=False, figure=done.stderr.strip()[-300:])
    said = json.loads(done.stdout.splitlines()[-1])
    return Outcome(bool(said["passed"]), str(said["figure"]))


def _set(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.stderr.write(f"{' '.join(words)}: {done.stderr}")
        raise SystemExit(3)


def _bad_line(port: int) -> None:
    _set("ip", "link", "set", "lo", "mtu", "1500")
    _set("tc", "qdisc", "replace", "dev", "lo", "root", "handle", "1:", "htb", "default", "1")
    for name, rate in (("1:1", "1gbit"), ("1:2", RATE)):
        _set(*f"tc class add dev lo parent 1: classid {name} htb rate {rate} burst 4000".split())
    _set("nft", "add table inet bad")
    _set("nft", "add chain inet bad in { type filter hook input priority 0; }")
    _set("nft", "add chain inet bad out { type filter hook output priority 0; }")
    for side in ("dport", "sport"):
        _set("nft", f"add rule inet bad in tcp {side} {port} numgen random mod 100 < 20 drop")
        _set("nft", f"add rule inet bad out tcp {side} {port} meta priority set 1:2")


def _declared(plant: Plant) -> list[tuple[int, int]]:
    """(from, to) in ns of polls that the gateway says failed."""
    return [
        (int(found[1]), int(found[1]) + 1_000_000_000)
        for batches in read_stream(plant.originals / "raw").values()
        for batch in batches
        for found in _BAD.finditer(batch.payload)
    ]


def inside(folder: Path, seconds: float) -> dict[str, object]:
    """Runs in the namespace, where only a loopback of its own exists."""
    _set("ip", "link", "set", "lo", "up")
    broker = servers.mosquitto(folder).start()
    try:
        with (
            FakePlc(POINTS) as plc,
            Plant(
                folder, plc.port, broker.port, points=POINTS, interval_s=1.0, batch_s=1.0
            ) as plant,
            Ledger(broker.port) as ledger,
        ):
            plant.agent.start()
            plant.historian.start()
            wait(lambda: any(ledger.receipted.values()), "the first receipt", 20)
            _bad_line(broker.port)
            looks = []
            for _ in range(int(seconds)):
                time.sleep(1.0)
                looks.append(not plant.drained_now())
            _set("nft", "delete table inet bad")
            _set("tc", "qdisc", "del", "dev", "lo", "root")
            drain_s = wait(plant.drained_now, "the historian with all the spool held", 300)
            end_ns = time.time_ns()
            plant.settle(90)
            clean, text = verdict(plant, plc, ledger, end_ns, _declared(plant))
    finally:
        broker.end()
    bound = f"{sum(looks)} of {len(looks)} looks found the queue behind"
    if not looks[-1]:
        bound += ", not at the end: the rate did not bind it"
    figure = f"{seconds:.0f} s of it, {bound}, drained {drain_s:.0f} s after it; {text}"
    return {"passed": clean and looks[-1], "figure": figure}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(inside(Path(sys.argv[1]), float(sys.argv[2]))) + "\n")
