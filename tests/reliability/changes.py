"""A17: the config changed, broken and mended, and the program replaced, under load with kills."""

import signal
import subprocess
import time
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from tests import servers
from tests.oracle.device import FakePlc
from tests.oracle.ledger import Ledger
from tests.oracle.plant import ROOT, Plant, wait
from tests.reliability.cases import NotRun, Outcome, Setting, case
from tests.reliability.links import verdict

OLDER = "0ae2356"  # the last commit before batches were put under a Merkle tree


def older_code(folder: Path) -> Path:
    """This project as it was at OLDER."""
    target = folder / "older"
    target.mkdir()
    packed = subprocess.run(
        ["git", "archive", OLDER, "agent", "drivers", "reports", "simulators"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if packed.returncode:
        raise NotRun(f"commit {OLDER} is not in this clone")
    subprocess.run(["tar", "-x", "-C", str(target)], input=packed.stdout, check=True)
    return target


@dataclass
class Changes:
    """A gateway under load, and the instants at which it was killed."""

    plant: Plant
    plc: FakePlc
    kills: list[tuple[int, int]] = field(default_factory=list)
    pause_s: float = 0.0

    def hang_up(self, watch_s: float = 2.5) -> None:
        """SIGHUP; the longest pause of the polls around it counts."""
        assert self.plant.agent.process is not None
        at_ns = time.time_ns()
        self.plant.agent.process.send_signal(signal.SIGHUP)
        time.sleep(watch_s)
        times = [at_ns] + [at for at, *_ in list(self.plc.served) if at > at_ns] + [time.time_ns()]
        gaps = [(b - a) / 1e9 for a, b in pairwise(times)]
        self.pause_s = max(self.pause_s, *gaps)
        assert self.plant.agent.alive, self.plant.agent.tail()

    def replace(self, code: Path) -> None:
        """Killed, and started from other code."""
        killed_ns = time.time_ns()
        self.plant.agent.end(signal.SIGKILL)
        self.plant.agent.code = code
        self.plant.agent.start()
        wait(lambda: self.plc.served[-1][0] > self.plant.agent.started_ns, "reading again", 20)
        self.kills.append((killed_ns - 1_500_000_000, time.time_ns() + 200_000_000))


@case(
    "A17",
    fault="reload, broken config, upgrade, downgrade",
    procedure="under 2,000 values/s: SIGHUP with another config, with a broken one, with the first "
    f"again; then SIGKILL and a start with the code of commit {OLDER}, SIGKILL and a start with "
    "today's, again and again on the same spool",
    mark="spool untouched; a bad config is refused with the old one running; pause ≤ 2 s; 0 lost",
)
def changes(setting: Setting) -> Outcome:
    rounds = setting.size(cut=2, full=10)
    code = older_code(setting.folder)
    broker = servers.mosquitto(setting.folder).start()
    try:
        with (
            FakePlc(200) as plc,
            Plant(setting.folder, plc.port, broker.port) as plant,
            Ledger(broker.port) as ledger,
        ):
            plant.agent.start()
            plant.historian.start()
            wait(lambda: any(ledger.receipted.values()), "the first receipt", 20)
            under = Changes(plant, plc)
            good = plant.gateway_toml.read_text()
            refused = 0
            for _ in range(rounds):
                other = good.replace("batch_interval_s = 0.2", "batch_interval_s = 0.3")
                plant.gateway_toml.write_text(other)
                under.hang_up()
                plant.gateway_toml.write_text(good.replace("interval_s = 0.1", "interval_s = 'x'"))
                told = plant.agent.log.read_text().count("new config refused")
                under.hang_up()
                refused += plant.agent.log.read_text().count("new config refused") > told
                plant.gateway_toml.write_text(good)
                under.hang_up()
                for version in (code, ROOT):
                    under.replace(version)
                    time.sleep(1.5)
            wait(plant.drained_now, "the historian with all the spool held", 60)
            end_ns = time.time_ns()
            plant.settle(60)
            clean, text = verdict(plant, plc, ledger, end_ns, under.kills)
            logs = {log for _, log in ledger.sent}
    finally:
        broker.end()
    figure = (
        f"{3 * rounds} reloads, {refused} of {rounds} broken configs refused, longest pause "
        f"{under.pause_s:.1f} s; {rounds} downgrades and upgrades by SIGKILL on {len(logs)} "
        f"logs; {text}"
    )
    passed = clean and refused == rounds and under.pause_s <= 2 and len(logs) == 2
    return Outcome(passed, figure)
