"""Kill -9 of agent and historian at random instants: nothing receipted is lost or changed.

Real processes, real broker. The device numbers its answers, a spy on the broker keeps every
receipt, and an independent reader judges what lies in the historian's originals.
"""

import asyncio
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Self

import pytest
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from tests import servers
from tests.numbered_plc import NumberedPlc, reading
from tests.originals_reader import Kept, read_stream

KILLS = int(os.environ.get("SMELTER_KILLS", "50"))
PLANT, GATEWAY = "demo", "gw1"
VALUES = re.compile(r"^pot,plant=demo,line=line1,unit=pot001 (\S+) (\d{19})$")


class Spy:
    """Keeps every receipt that the broker carried: the promises the originals are held to."""

    def __init__(self, port: int) -> None:
        self.upto: dict[tuple[str, str], int] = defaultdict(int)
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self.client.on_connect = lambda client, *_: client.subscribe("smelter/v1/+/+/receipt", 1)
        self.client.on_message = self._receipt
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def _receipt(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        receipt = json.loads(message.payload)
        if "upto" in receipt:
            key = (receipt["stream"], receipt["log"])
            self.upto[key] = max(self.upto[key], receipt["upto"])

    def end(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


class Program:
    """One of our own processes, started again after every kill."""

    def __init__(self, *arguments: str, log: Path) -> None:
        self.arguments = arguments
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        start = "from drivers.cli import main; main()"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", start, *self.arguments], stdout=log, stderr=log
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def end(self, sign: signal.Signals, timeout_s: float = 20) -> int:
        assert self.process is not None
        assert self.process.poll() is None, f"died by itself: {self.log.read_text()[-2000:]}"
        self.process.send_signal(sign)
        code = self.process.wait(timeout_s)
        self.process = None
        return code


def configure(folder: Path, broker: int, device: int) -> tuple[Path, Path]:
    table = folder / "points.csv"
    table.write_text(
        "equipment,quantity,address,type\n"
        "line1/pot001,pot.feed_shots,holding:0,uint32\n"
        "line1/pot001,pot.resistance,holding:2,float32\n"
        "line1/pot001,pot.anode_effect_count,holding:4,uint32\n"
    )
    gateway = folder / "gateway.toml"
    gateway.write_text(
        f'plant = "{PLANT}"\ngateway = "{GATEWAY}"\ndata_dir = "{folder}/agent"\n'
        f'[mqtt]\nurl = "mqtt://127.0.0.1:{broker}"\n'
        "[log]\nbatch_interval_s = 0.2\n"
        f'[health]\nlisten = "127.0.0.1:{servers.free_port()}"\n'
        '[[device]]\nname = "plc"\ndriver = "modbus-tcp"\ninterval_s = 0.02\n'
        f'address = "127.0.0.1:{device}"\npoints = "points.csv"\n'
    )
    historian = folder / "historian.toml"
    historian.write_text(
        f'data_dir = "{folder}/historian"\n[mqtt]\nurl = "mqtt://127.0.0.1:{broker}"\n'
        f'[health]\nlisten = "127.0.0.1:{servers.free_port()}"\n'
    )
    return gateway, historian


async def torment(agent: Program, historian: Program, seed: int) -> list[int]:
    """Kills one of the two at random instants and starts it again; returns when (ns)."""
    chance = random.Random(seed)
    kills: list[int] = []
    agent.start()
    historian.start()
    await asyncio.sleep(2.0)
    for _ in range(KILLS):
        await asyncio.sleep(chance.uniform(0.0, 1.6))
        victim = chance.choice([agent, historian])
        kills.append(time.time_ns())
        victim.end(signal.SIGKILL)
        victim.start()
    return kills


def numbers(batches: list[Kept]) -> list[tuple[int, float, int]]:
    """(number, its float, its copy) of every good frame, in the order of the originals."""
    found = []
    for batch in batches:
        for line in batch.lines():
            match = VALUES.match(line)
            if match:
                fields = dict(part.split("=") for part in match[1].split(","))
                found.append(
                    (
                        int(float(fields["feed_shots"].rstrip("i"))),
                        float(fields["resistance"]),
                        int(float(fields["anode_effect_count"].rstrip("i"))),
                    )
                )
    return found


def judge_values(kept: dict[str, list[Kept]], plc: NumberedPlc, kills: list[int]) -> None:
    """Nothing altered, invented or twice; and only what was in flight at a kill is missing."""
    seen = [value for batches in kept.values() for value in numbers(batches)]
    for number, value, copy in seen:
        assert number < len(plc.served), f"invented: {number}"
        assert value == reading(number), f"altered: {number} carries {value}"
        assert copy == number, f"torn: {number} beside {copy}"
    got = {number for number, _, _ in seen}
    assert len(got) == len(seen), "a reading stands twice"
    missing = [at for k, at in enumerate(plc.served) if k not in got]
    assert len(got) > 0.5 * len(plc.served), f"only {len(got)} of {len(plc.served)} arrived"
    far = [min((kill - at for kill in kills), key=abs) / 1e9 for at in missing]
    far = [seconds for seconds in far if abs(seconds) > 1.5]
    assert not far, f"lost without a kill, s before (-: after) the nearest: {far}"


def drained(agent_log: Path, originals: Path) -> bool:
    """Everything the agent held durable a moment ago has arrived."""
    mine, theirs = read_stream(agent_log), read_stream(originals)
    return all(
        theirs.get(log) and theirs[log][-1].seq >= batches[-1].seq
        for log, batches in mine.items()
        if batches
    )


def judge_receipts(spy: Spy, originals: Path) -> None:
    """Every batch a receipt spoke of lies in the originals, from number 1 on."""
    assert spy.upto, "no receipt was ever sent"
    judged = 0
    for (stream, log), upto in spy.upto.items():
        if not (originals / stream / log).is_dir():
            continue  # the historian's own log is receipted to nobody
        kept = read_stream(originals / stream)[log]
        assert kept[0].seq == 1, f"{stream}/{log} starts at {kept[0].seq}"
        assert kept[-1].seq >= upto, f"{stream}/{log}: receipt {upto}, kept {kept[-1].seq}"
        judged += 1
    assert judged >= 2, "raw and record must both have been receipted"


@pytest.mark.parametrize("seed", [20261123])
async def test_nothing_receipted_is_lost(
    tmp_path: Path, mosquitto: servers.Server, seed: int
) -> None:
    print(f"seed {seed}, {KILLS} kills")  # shown when it fails
    spy = Spy(mosquitto.port)
    agent_log, historian_log = tmp_path / "agent.log", tmp_path / "historian.log"
    async with NumberedPlc() as plc:
        gateway, config = configure(tmp_path, mosquitto.port, plc.port)
        with (
            Program("agent", "run", str(gateway), log=agent_log) as agent,
            Program("historian", "run", str(config), log=historian_log) as historian,
        ):
            kills = await torment(agent, historian, seed)
            await asyncio.sleep(3.0)  # the last restarts find each other
            assert time.time_ns() - plc.served[-1] < 1_000_000_000, "polling did not come back"
            originals = tmp_path / "historian" / "originals" / PLANT / GATEWAY
            streams = [p for p in (tmp_path / "agent").rglob("r*") if p.name in {"raw", "record"}]
            assert len(streams) == 2
            servers.wait_until(
                lambda: all(drained(stream, originals / stream.name) for stream in streams),
                "the historian with everything the agent holds",
                30,
            )
            kills.append(time.time_ns())  # a poll may be under way at the graceful stop, too
            assert agent.end(signal.SIGTERM) == 0, agent_log.read_text()[-2000:]
            await asyncio.sleep(0.5)
            assert historian.end(signal.SIGTERM) == 0, historian_log.read_text()[-2000:]
    spy.end()
    judge_receipts(spy, originals)
    judge_values(read_stream(originals / "raw"), plc, kills)
    assert plc.writes == 0
