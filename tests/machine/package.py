"""The Debian package in a machine: built twice, installed, fed by a simulated smelter, judged."""

import itertools
import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path

from tests.machine.machine import Machine
from tests.oracle.plant import ROOT, newest
from tests.originals_reader import read_stream
from tests.servers import program

AGENT, HISTORIAN = "smelter-agent", "smelter-historian"
SPOOL = "var/lib/smelter/agent"
ORIGINALS = "var/lib/smelter/historian/originals/demo/gw1"
STREAMS = ("record", "raw")
BROKER = "listener 1883 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 0\n"

Held = dict[str, dict[str, list[bytes]]]  # stream -> log -> payloads of its batches in order


@cache
def build(revision: int) -> Path:
    """``deploy/deb`` of this tree, once per run; later revisions reuse the wheelhouse."""
    environment = os.environ | {"REVISION": str(revision), "PYTHON": sys.executable}
    house = ROOT / "dist/wheelhouse"
    if revision > 1:
        environment["WHEELHOUSE"] = str(house)
    done = subprocess.run(
        [str(ROOT / "deploy/deb")], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-1500:]
    made: str = re.findall(r"(dist/smelter-agent_\S+\.deb)", done.stderr)[-1]
    return ROOT / made


@dataclass
class Installed:
    """The package in ``machine``; ``took_s`` keeps what each step took."""

    machine: Machine
    took_s: dict[str, float] = field(default_factory=dict)

    def dpkg(self, step: str, deb: Path) -> str:
        """Installs this version; what dpkg said."""
        inside = self.machine.root / "root" / deb.name
        if not inside.exists():
            inside.write_bytes(deb.read_bytes())
        start = time.monotonic()
        said = self.machine.run("dpkg", "-i", f"/root/{deb.name}")
        self.took_s[step] = time.monotonic() - start
        return said

    def feed(self, folder: Path) -> None:
        """A simulated smelter and a broker in the machine, and configs that name them."""
        config = folder / "mosquitto.conf"
        config.write_text(BROKER)
        self.machine.beside(program("mosquitto", "mosquitto"), "-c", str(config))
        there = "/var/lib/simulated"
        self.machine.run(
            *("systemd-run", "--unit=simulated", "-p", "User=nobody"),
            *("-p", "StateDirectory=simulated", "smelter", "simulate", "pots12"),
            *("--dir", there, "--broker", "127.0.0.1:1883"),
        )
        wanted = self.machine.root / "var/lib/simulated/site.toml"
        self.machine.wait(wanted.exists, "the simulated smelter")
        self.machine.run("sh", "-c", f"cp {there}/points/* /etc/smelter/points/")
        for name, port in (("gateway", 9464), ("historian", 9465)):
            text = (self.machine.root / f"var/lib/simulated/{name}.toml").read_text("utf-8")
            text = text.replace('"data/', '"/var/lib/smelter/')
            text += f'\n[health]\nlisten = "127.0.0.1:{port}"\n'
            self.machine.write(f"/etc/smelter/{name}.toml", text)
        site = (self.machine.root / "var/lib/simulated/site.toml").read_text("utf-8")
        site = re.sub(r'"(\.\./)?data/historian', '"/var/lib/smelter/historian', site)
        site = re.sub(
            r"(?m)^entries = .*$", 'entries = "/var/lib/smelter/site/entries.jsonl"', site
        )
        self.machine.write("/etc/smelter/site.toml", site)

    def held(self, place: str = SPOOL) -> Held:
        """Every batch on disk by an independent reader: numbers consecutive, digests good."""
        found: Held = {}
        for stream in STREAMS:
            logs = read_stream(self.machine.root / place / stream)
            found[stream] = {name: [kept.payload for kept in log] for name, log in logs.items()}
        return found

    def settled(self) -> bool:
        """The originals hold what the spool holds, but for what is on its way."""
        ours = newest(self.machine.root / SPOOL)
        theirs = newest(self.machine.root / ORIGINALS)
        return bool(ours) and all(theirs.get(log, 0) >= seq - 3 for log, seq in ours.items())

    def grown(self, by: int, since: dict[tuple[str, str], int]) -> bool:
        """The raw stream has a batch each second; the record stream one or two a minute."""
        now = newest(self.machine.root / SPOOL)
        return any(s == "raw" and n >= since.get((s, log), 0) + by for (s, log), n in now.items())

    def flows(self, by: int = 8) -> None:
        """Waits for more batches, and for their receipts."""
        since = newest(self.machine.root / SPOOL)
        self.machine.wait(partial(self.grown, by, since), f"{by} more batches", 90)
        self.machine.wait(self.settled, "the historian with all of them", 90)

    def pids(self) -> tuple[str, str]:
        agent, historian = (
            self.machine.run("systemctl", "show", "-P", "MainPID", unit)
            for unit in (AGENT, HISTORIAN)
        )
        return agent, historian


def kept(before: Held, after: Held) -> list[str]:
    """What of ``before`` is not byte for byte at the head of the same log in ``after``."""
    wrong = []
    for stream, logs in before.items():
        if set(logs) != set(after[stream]):
            wrong.append(f"{stream}: logs {sorted(logs)} became {sorted(after[stream])}")
        for name, batches in logs.items():
            if after[stream].get(name, [])[: len(batches)] != batches:
                wrong.append(f"{stream}/{name}: {len(batches)} batches are not what they were")
    return wrong


def pause_s(held: Held, from_ns: int) -> float:
    """Longest stretch without a sample in the raw stream from then on, seconds."""
    stamp = re.compile(rb" (\d{19})$", re.MULTILINE)
    texts = [text for log in held["raw"].values() for text in log]
    times = sorted({int(found) for text in texts for found in stamp.findall(text)})
    times = [each for each in times if each >= from_ns]
    return max((b - a for a, b in itertools.pairwise(times)), default=0) / 1e9


def tried(machine: Machine, unit: str, arguments: str, drop_in: str = "") -> dict[str, str]:
    """The probe in the sandbox of ``unit``: trial -> refusal, "" when it worked."""
    text = (ROOT / "systemd" / unit).read_text("utf-8")
    command = "/opt/smelter/current/bin/python -I /usr/local/lib/probe.py"
    text = re.sub(r"(?m)^ExecStart=.*$", f"ExecStart={command} {arguments}", text)
    text = re.sub(r"(?m)^(WatchdogSec|Restart|RestartSec|ExecReload)=.*\n", "", text)
    text = re.sub(r"(?m)^Type=.*$", "Type=oneshot", text) + drop_in
    text = text.replace("%i", "agent")  # of a template
    machine.write("/usr/local/lib/probe.py", Path(__file__).with_name("probe.py").read_text())
    machine.write("/etc/systemd/system/probe.service", text)
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "start", "probe")
    answer = machine.root / arguments.partition(" ")[0].lstrip("/") / "probe.json"
    assert answer.exists(), machine.run("journalctl", "-u", "probe", "--no-pager", good=None)
    found: dict[str, str] = json.loads(answer.read_text("utf-8"))
    answer.unlink()
    return found
