"""A plant under test: device, gateway, broker, historian as real processes that may be killed."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from tests import servers
from tests.originals_reader import records

ROOT = Path(__file__).parents[2]
MAIN = "from drivers.cli import main; main()"


@dataclass
class Program:
    """One of our own processes; ``prefix`` runs it under another program (strace …)."""

    arguments: Sequence[str]
    log: Path
    code: Path = ROOT  # where the packages are imported from
    prefix: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    started_ns: int = 0

    def start(self) -> Self:
        environment = {**os.environ, "SMELTER_LANG": "en", "PYTHONPATH": str(self.code)}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, sys.executable, "-c", MAIN, *self.arguments],
                stdout=log,
                stderr=log,
                cwd=self.log.parent,
                env=environment | dict(self.environment),
                start_new_session=bool(self.prefix),
            )
        self.started_ns = time.time_ns()
        return self

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def end(self, sign: signal.Signals = signal.SIGKILL, timeout_s: float = 30) -> int:
        """Its exit code. It must be alive: nobody but the test ends it."""
        assert self.process is not None
        assert self.process.poll() is None, f"died by itself: {self.tail()}"
        if self.prefix:
            os.killpg(self.process.pid, sign)
        else:
            self.process.send_signal(sign)
        code = self.process.wait(timeout_s)
        self.process = None
        return code

    def clear(self) -> None:
        """Gone, whatever it was doing."""
        if self.process is not None and self.process.poll() is None:
            if self.prefix:
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.kill()
            self.process.wait()
        self.process = None

    def tail(self) -> str:
        return self.log.read_text("utf-8", "replace")[-1500:]


@dataclass
class Plant:
    """
    Folder, ports and programs of one gateway and one historian; entered nothing runs yet.

    The agent reads ``points`` values every ``interval_s``; ``record_broker`` is where the gateway
    looks for the broker (a proxy in front of it, say).
    """

    folder: Path
    device_port: int
    broker_port: int
    points: int = 200
    interval_s: float = 0.1
    batch_s: float = 0.2
    agent_dir: Path | None = None
    historian_dir: Path | None = None
    agent_broker: int | None = None
    historian_broker: int | None = None
    influx_url: str = ""
    max_bytes: int | None = None
    waiting_bytes: int | None = None
    driver: str = "modbus-tcp"
    timeout_s: float = 10.0  # an answer after it was served, and no agent ever had it

    def __post_init__(self) -> None:
        self.agent_dir = self.agent_dir or self.folder / "agent"
        self.historian_dir = self.historian_dir or self.folder / "historian"
        self.health = servers.free_port()
        self.gateway_toml = self.folder / "gateway.toml"
        self.historian_toml = self.folder / "historian.toml"
        self.configure()
        self.agent = Program(["agent", "run", str(self.gateway_toml)], self.folder / "agent.log")
        self.historian = Program(
            ["historian", "run", str(self.historian_toml)], self.folder / "historian.log"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.agent.clear()
        self.historian.clear()

    def configure(self) -> None:
        """Writes both configs and the point table."""
        (self.folder / "points.csv").write_text(
            "equipment,quantity,address,type,stride\n"
            f"sub1/rec{{001..{self.points:03d}}},rectifier.dc_voltage,holding:0,float32,2\n"
        )
        limits = {"max_bytes": self.max_bytes, "waiting_bytes": self.waiting_bytes}
        most = "".join(f"{name} = {limit}\n" for name, limit in limits.items() if limit)
        self.gateway_toml.write_text(
            f'plant = "demo"\ngateway = "gw1"\ndata_dir = "{self.agent_dir}"\n'
            f'[mqtt]\nurl = "mqtt://127.0.0.1:{self.agent_broker or self.broker_port}"\n'
            f"[log]\nbatch_interval_s = {self.batch_s}\n{most}"
            f'[health]\nlisten = "127.0.0.1:{self.health}"\n'
            f'[[device]]\nname = "plc"\ndriver = "{self.driver}"\n'
            f"interval_s = {self.interval_s}\ntimeout_s = {self.timeout_s}\n"
            f'address = "127.0.0.1:{self.device_port}"\npoints = "points.csv"\n'
        )
        influx = ""
        if self.influx_url:
            influx = f'[[influxdb]]\napi = "v1"\nurl = "{self.influx_url}"\ndatabase = "plant"\n'
        self.historian_toml.write_text(
            f'data_dir = "{self.historian_dir}"\n'
            f'[mqtt]\nurl = "mqtt://127.0.0.1:{self.historian_broker or self.broker_port}"\n'
            f'[lake]\nflush_s = 1.0\n[health]\nlisten = ""\n{influx}'
        )

    @property
    def spool(self) -> Path:
        assert self.agent_dir is not None
        return self.agent_dir

    @property
    def originals(self) -> Path:
        assert self.historian_dir is not None
        return self.historian_dir / "originals" / "demo" / "gw1"

    @property
    def lake(self) -> Path:
        assert self.historian_dir is not None
        return self.historian_dir / "lake"

    def drained(self, upto: Mapping[tuple[str, str], int] | None = None) -> bool:
        """The originals hold what the spool held when ``upto`` was taken, or holds now."""
        theirs = newest(self.originals)
        wanted = newest(self.spool) if upto is None else upto
        return bool(wanted) and all(theirs.get(log, 0) >= seq for log, seq in wanted.items())

    def drained_now(self) -> bool:
        """As ``drained``, tolerant of a batch or two that are on their way."""
        ours, theirs = newest(self.spool), newest(self.originals)
        return bool(ours) and all(theirs.get(log, 0) >= seq - 2 for log, seq in ours.items())

    def lacking(self) -> int:
        """Batches behind what the originals hold in one piece."""
        theirs = newest(self.originals)
        return sum(seq - theirs.get(log, 0) for log, seq in newest(self.spool).items())

    def viewed(self, view: str = "lake") -> bool:
        """The view holds everything the originals hold."""
        assert self.historian_dir is not None
        path = self.historian_dir / "views" / view / "cursor.json"
        if not path.exists():
            return False
        done = json.loads(path.read_text())["done"]
        held = newest(self.originals)
        return all(done.get(f"demo/gw1/{s}/{log}", 0) >= seq for (s, log), seq in held.items())

    def settle(self, timeout_s: float = 60.0, views: Sequence[str] = ("lake",)) -> None:
        """
        What the spool holds now is in the originals, the agent stopped in good order, all of it in
        the views, and the historian stopped in good order.
        """
        upto = newest(self.spool)
        wait(partial(self.drained, upto), "the historian with all the spool holds", timeout_s)
        code = self.agent.end(signal.SIGTERM)
        assert code == 0, f"agent ended with {code}: {self.agent.tail()}"
        for view in views:
            wait(partial(self.viewed, view), f"view {view} complete", timeout_s)
        code = self.historian.end(signal.SIGTERM)
        assert code == 0, f"historian ended with {code}: {self.historian.tail()}"

    def healthy(self) -> bool:
        """What /healthz says; False also when nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.health}/healthz", timeout=2) as it:
                return bool(it.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def metrics(self) -> dict[str, float]:
        """/metrics as numbers by name with labels."""
        address = f"http://127.0.0.1:{self.health}/metrics"
        with urllib.request.urlopen(address, timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        pairs = (line.rpartition(" ") for line in lines if line and not line.startswith("#"))
        return {name: float(number) for name, _, number in pairs}


def newest(folder: Path) -> dict[tuple[str, str], int]:
    """(stream, log) → newest number below ``folder``, from the last segment of each log."""
    found = {}
    for stream in ("record", "raw"):
        for log in (folder / stream).glob("*"):
            segments = sorted(log.glob("*.seg"))
            batches = [batch.seq for path in segments[-2:] for batch in records(path)]
            if batches:
                found[stream, log.name] = max(batches)
    return found


def wait(ready: Callable[[], bool], what: str, timeout_s: float = 30.0) -> float:
    """Seconds until it was so; AssertionError when it never was."""
    start = time.monotonic()
    while not ready():
        assert time.monotonic() < start + timeout_s, f"{what}: not after {timeout_s:.0f} s"
        time.sleep(0.05)
    return time.monotonic() - start
