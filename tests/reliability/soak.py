"""A18: hours under random faults of every kind, with an eye on memory, handles and processor."""

import os
import random
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tests import servers
from tests.oracle.device import FakePlc
from tests.oracle.ledger import Ledger
from tests.oracle.plant import Plant, wait
from tests.oracle.proxy import Faults, Proxy
from tests.reliability.cases import Outcome, Setting, case, every_s
from tests.reliability.links import verdict


@dataclass
class Watch:
    """What one process used, look by look."""

    pid: int
    times_s: list[float] = field(default_factory=list)
    resident_mb: list[float] = field(default_factory=list)
    handles: list[int] = field(default_factory=list)

    def look(self) -> None:
        place = Path(f"/proc/{self.pid}")
        self.times_s.append(time.monotonic())
        pages = int((place / "statm").read_text().split()[1])
        self.resident_mb.append(pages * os.sysconf("SC_PAGE_SIZE") / 1e6)
        self.handles.append(len(list((place / "fd").iterdir())))

    @property
    def slope_mb_per_h(self) -> float:
        """Of the second half, when caches are warm; 0 where it is too short to say."""
        half = len(self.times_s) // 2
        if len(self.times_s) < 20:
            return 0.0
        slope, _ = np.polyfit(self.times_s[half:], self.resident_mb[half:], 1)
        return float(slope * 3600)

    def cores(self) -> float:
        """Processor seconds per second over its life so far."""
        parts = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        used = (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")
        return used / max(time.monotonic() - self.times_s[0], 1)


def _trouble(chance: random.Random, plant: Plant, broker: servers.Server, line: Proxy) -> str:
    """One fault, begun; the next one ends it."""
    line.faults = Faults()
    kind = chance.choice(("historian", "broker", "cut", "slices", "silence", "reload", "peace"))
    if kind == "historian":
        plant.historian.end(signal.SIGKILL)
        plant.historian.start()
    elif kind == "broker":
        broker.kill()
        broker.start()
    elif kind == "reload":
        assert plant.agent.process is not None
        plant.agent.process.send_signal(signal.SIGHUP)
    elif kind != "peace":
        line.faults = {
            "cut": Faults(cut=0.1, latency_s=0.05),
            "slices": Faults(slice=3),
            "silence": Faults(silent=True),
        }[kind]
        line.reset()
    return kind


@case(
    "A18",
    fault="soak",
    procedure="2,000 values/s; at random every 1–10 s: historian or broker killed, link cut in the "
    "middle of packets, in slices, silent, config reloaded; the agent lives through all of it",
    mark="nothing lost; memory slope ≤ 1 MB/h; handles constant; ≤ 1 core",
)
def soak(setting: Setting) -> Outcome:
    seconds, chance = setting.size(cut=60, full=86_400), setting.chance
    broker = servers.mosquitto(setting.folder).start()
    met: dict[str, int] = {}
    try:
        with (
            FakePlc(200) as plc,
            Proxy(broker.port, seed=setting.seed) as line,
            Plant(setting.folder, plc.port, broker.port, agent_broker=line.port) as plant,
            Ledger(broker.port) as ledger,
        ):
            plant.agent.start()
            plant.historian.start()
            wait(lambda: any(ledger.receipted.values()), "the first receipt", 30)
            assert plant.agent.process is not None
            watch = Watch(plant.agent.process.pid)
            with every_s(seconds) as more:
                while more():
                    watch.look()
                    kind = _trouble(chance, plant, broker, line)
                    met[kind] = met.get(kind, 0) + 1
                    time.sleep(chance.uniform(1, 10))
            line.faults = Faults()
            line.reset()
            wait(plant.drained_now, "the historian with all the spool held", 180)
            cores = watch.cores()
            end_ns = time.time_ns()
            plant.settle(90)
            clean, text = verdict(plant, plc, ledger, end_ns)
    finally:
        broker.end()
    drift = max(watch.handles[-3:]) - min(watch.handles[:3])
    faults = ", ".join(f"{count} × {kind}" for kind, count in sorted(met.items()))
    figure = (
        f"{seconds / 3600:.2f} h; {faults}; {text}; memory {watch.slope_mb_per_h:+.1f} MB/h, "
        f"handles {drift:+d}, {cores:.2f} cores"
    )
    steady = watch.slope_mb_per_h <= 1 and drift <= 2 and cores <= 1
    return Outcome(clean and steady, figure)
