"""A1: processes killed at random instants under load, and stores that come and go."""

import os
import random
import re
import signal
import statistics
import struct
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests import servers
from tests.oracle.device import FakePlc
from tests.oracle.judge import Judgement, batches_in, judge, judge_batches, raw_in
from tests.oracle.ledger import Ledger
from tests.oracle.plant import Plant, wait
from tests.oracle.stores import create_database, influx_samples, lake_samples
from tests.reliability.cases import Outcome, Setting, case

SPACED_S = (0.5, 3.5)  # between a restart and the next kill: most of it is judged
_MEMORY_NS = 1_500_000_000  # what was served longer than that before a kill was durable
_POLL_NS = 300_000_000  # from an answer to the batch that its poll is in
_HEAD = struct.Struct("<4sIQq")
_TAIL = 1 << 20


def _durable_ns(spool: Path) -> int:
    """When the newest batch of the raw stream that lies in the spool was closed; 0: none."""
    segments = sorted(spool.glob("raw/*/*.seg"), key=lambda path: path.name)
    if not segments:
        return 0
    with segments[-1].open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _TAIL))
        data = file.read()
    closed = [
        _HEAD.unpack_from(data, found.start())
        for found in re.finditer(b"SMB1", data)
        if found.start() + 68 <= len(data)
    ]
    whole = [each for each in closed if 0 <= each[3] < time.time_ns()]
    return whole[-1][3] if whole else 0


@dataclass
class Torment:
    """Kills one process after the other, and remembers when."""

    plant: Plant
    plc: FakePlc
    influx: servers.Server
    chance: random.Random
    turn: int  # kills with every store up, then as many with one of them down
    spaced_s: tuple[float, float]
    excuses: list[tuple[int, int]] = field(default_factory=list)
    restarts_s: list[float] = field(default_factory=list)  # of the agent, to its first read

    def run(self, kills: int) -> None:
        self.plant.agent.start()
        self.plant.historian.start()
        self.first_read()
        for number in range(kills):
            self._turn(number)
            time.sleep(self.chance.uniform(*self.spaced_s))
            up = self.plant.historian.alive
            if up and self.chance.random() < 0.25:
                self.plant.historian.end(signal.SIGKILL)
                self.plant.historian.start()
            else:
                self.kill_agent()
        self._up()

    def kill_agent(self) -> None:
        """
        What was served after the newest batch in the spool was closed was in memory only.

        That is looked up in the spool; and nobody may hold anything back for longer than
        ``_MEMORY_NS``.
        """
        killed_ns = time.time_ns()
        self.plant.agent.end(signal.SIGKILL)
        durable_ns = _durable_ns(self.plant.spool)
        self.plant.agent.start()
        self.first_read()
        since_ns = max(killed_ns - _MEMORY_NS, durable_ns - _POLL_NS)
        self.excuses.append((since_ns, killed_ns + 200_000_000))

    def first_read(self) -> None:
        started_ns = self.plant.agent.started_ns
        wait(
            lambda: bool(self.plc.served) and self.plc.served[-1][0] > started_ns,
            f"reading after a restart ({self.plant.agent.tail()})",
            180,
        )
        self.restarts_s.append((time.time_ns() - started_ns) / 1e9)

    def _turn(self, number: int) -> None:
        if number % self.turn:
            return
        self._up()
        match number // self.turn % 4:
            case 1:
                self.plant.historian.end(signal.SIGKILL)
            case 3:
                self.influx.kill()
            case _:
                pass

    def _up(self) -> None:
        if not self.plant.historian.alive:
            self.plant.historian.start()
        if self.influx.process is None:
            self.influx.start()


@case(
    "A1",
    fault="process crash",
    procedure="SIGKILL of agent or historian at random instants under 2,000 values/s; historian "
    "and InfluxDB down by turns of 25 kills; originals, lake and InfluxDB judged value by value",
    mark="0 lost, 0 altered, 0 invented, 0 twice in every store; reads again in ≤ 5 s; on the wire "
    "≤ 1 batch repeated per kill",
)
def kills(setting: Setting) -> Outcome:
    number = setting.size(cut=20, full=1000)
    broker = servers.mosquitto(setting.folder, "max_queued_messages 10000\n").start()
    influx = servers.influxd(setting.folder).start()
    create_database(influx.port, "plant")
    url = f"http://127.0.0.1:{influx.port}"
    try:
        with (
            FakePlc(200) as plc,
            Plant(setting.folder, plc.port, broker.port, influx_url=url) as plant,
            Ledger(broker.port) as ledger,
        ):
            turn, spaced_s = (25, SPACED_S) if setting.full else (5, (0.0, 0.9))
            torment = Torment(plant, plc, influx, setting.chance, turn, spaced_s)
            torment.run(number)
            stop_ns = time.time_ns()
            plant.settle(900 if setting.full else 180, views=("lake", "influxdb"))
            torment.excuses.append((stop_ns - 2_000_000_000, time.time_ns()))
            found = {
                "originals": judge(plc, raw_in(plant.originals), excuses=torment.excuses),
                "lake": judge(plc, lake_samples(plant.lake), excuses=torment.excuses),
                "InfluxDB": judge(
                    plc, influx_samples(influx.port, "plant"), excuses=torment.excuses
                ),
                "batches": judge_batches(
                    batches_in(plant.originals), ledger.sent, ledger.receipted, complete=False
                ),
            }
            return _outcome(number, found, torment, ledger, loaded=not setting.full)
    finally:
        influx.end(signal.SIGKILL)
        broker.end()


def _outcome(
    number: int, found: dict[str, Judgement], torment: Torment, ledger: Ledger, *, loaded: bool
) -> Outcome:
    """``loaded``: among other tests on a busy machine the times are only reported."""
    bad = {name: str(each) for name, each in found.items() if not each.clean}
    same = len({found[name].stored for name in ("originals", "lake", "InfluxDB")}) == 1
    values = found["originals"]
    again, needless = ledger.again / number, ledger.needless / number
    inside = sum(any(a <= at <= b for a, b in torment.excuses) for at, _, _ in torment.plc.served)
    judged = 1 - inside / max(1, len(torment.plc.served))
    figure = (
        f"{number} kills; {values.stored:,} values in each store, "
        f"{values.missing} missing, {values.altered} altered, {values.invented} invented, "
        f"{values.duplicated} twice ({values.in_flight:,} in memory at a kill); "
        f"{ledger.messages:,} batches sent, {again:.2f} repeated per kill, {needless:.2f} of them "
        f"though receipted; {judged:.0%} of the answers were given when nothing is excused (the "
        f"rest were in no batch of the spool yet); reads again after at most "
        f"{max(torment.restarts_s):.1f} s, mostly after {statistics.median(torment.restarts_s):.1f}"
        f" s, at a load of {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores"
    )
    if loaded:
        figure += " (restart time and repeats not judged in the cut)"
    if bad or not same:
        figure += f"; WRONG: {bad}, stored {[found[n].stored for n in found]}"
    quick = (max(torment.restarts_s) <= 5 and again <= 1) or loaded
    passed = not bad and same and quick and not torment.plc.writes
    return Outcome(passed and not ledger.contradictions, figure)
