"""Real processes around a measurement: broker, PLC or OPC UA server, agent, historian."""

import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.children import QUIET, ROOT, Child, end_process
from benchmarks.layout import Image
from tests.servers import Server, free_port, mosquitto

SMELTER = Path(sys.executable).parent / "smelter"
SETTLE_S = 3.0
_SAMPLE = re.compile(r"^(\w+)(?:\{(.*?)\})? (\S+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a benchmark may write, and how long a steady load is watched."""

    folder: Path
    seconds: float = 60.0  # a whole minute, so that each figure holds exactly one window close


@dataclass(frozen=True, slots=True)
class DeviceTable:
    """One ``[[device]]`` of the gateway under test."""

    name: str
    driver: str
    address: str
    points: Path
    interval_s: float
    more: str = ""

    def toml(self) -> str:
        return (
            f'[[device]]\nname = "{self.name}"\ndriver = "{self.driver}"\n'
            f'address = "{self.address}"\npoints = "{self.points}"\n'
            f"interval_s = {self.interval_s}\n{self.more}\n"
        )


class Process:
    """The agent or the historian, run as the product is run; ended by its id."""

    def __init__(self, room: str, config: Path, health: int) -> None:
        self.room = room
        self.config = config
        self.health = health
        self.started_s = 0.0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError(f"{self.room} is not running")
        return self._process.pid

    @property
    def log(self) -> Path:
        return self.config.with_suffix(".log")

    def start(self) -> None:
        self.started_s = time.monotonic()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [str(SMELTER), self.room, "run", str(self.config)],
                cwd=ROOT,
                stdout=log,
                stderr=log,
                env=os.environ | QUIET,
            )

    def end(self) -> None:
        end_process(self._process)
        self._process = None

    def metrics(self) -> "Metrics":
        if self._process is not None and self._process.poll() is not None:
            raise RuntimeError(f"smelter {self.room} ended; see {self.log}")
        url = f"http://127.0.0.1:{self.health}/metrics"
        with urllib.request.urlopen(url, timeout=5) as answer:
            return Metrics(answer.read().decode())

    def wait_for(self, name: str, least: float, timeout_s: float = 120.0, **labels: str) -> float:
        """Waits until a metric (summed over its samples) is there; the seconds since the start."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            try:
                if self.metrics().total(name, **labels) >= least:
                    return time.monotonic() - self.started_s
            except (urllib.error.URLError, OSError):
                pass
            time.sleep(0.01)
        raise RuntimeError(f"smelter {self.room}: {name} < {least} after {timeout_s} s: {self.log}")


class Metrics:
    """One exposition of ``/metrics``."""

    def __init__(self, text: str) -> None:
        self.samples = [
            (name, dict(_LABEL.findall(labels)), float(value))
            for name, labels, value in _SAMPLE.findall(text)
        ]

    def find(self, name: str, **labels: str) -> Iterator[tuple[dict[str, str], float]]:
        for found, has, value in self.samples:
            if found == name and labels.items() <= has.items():
                yield has, value

    def total(self, name: str, **labels: str) -> float:
        return sum(value for _, value in self.find(name, **labels))


def quantile_ms(before: Metrics, after: Metrics, name: str, share: float) -> float:
    """Upper edge of the histogram bucket holding that share of what came between, all devices."""
    counts: dict[float, float] = {}
    for sign, metrics in ((-1, before), (1, after)):
        for labels, value in metrics.find(f"{name}_bucket"):
            edge = float(labels["le"].replace("+Inf", "inf"))
            counts[edge] = counts.get(edge, 0.0) + sign * value
    total = max(counts.values(), default=0.0)
    for edge in sorted(counts):
        if counts[edge] >= share * total:
            return edge * 1e3
    return float("nan")


@contextmanager
def broker(folder: Path) -> Iterator[Server]:
    server = mosquitto(folder).start()
    try:
        yield server
    finally:
        server.end()


@contextmanager
def plc(
    folder: Path, images: Sequence[Image], period_s: float, *, clock: tuple[int, int] | None = None
) -> Iterator[Child]:
    """The PLC process; ``clock`` is (device, register)."""
    named = {str(n): image for n, image in enumerate(images)}
    np.savez(folder / "images.npz", allow_pickle=False, **named)
    more = ["--clock", f"{clock[0]}:{clock[1]}"] if clock else []
    with Child(
        "benchmarks.plc",
        folder / "images.npz",
        "--period",
        period_s,
        *more,
        log=folder / "plc.log",
    ) as child:
        yield child


@contextmanager
def agent(
    folder: Path, broker_port: int, devices: Sequence[DeviceTable], more: str = ""
) -> Iterator[Process]:
    """An agent with these devices; started, not yet waited for."""
    health = free_port()
    config = folder / "gateway.toml"
    config.write_text(
        f'plant = "bench"\ngateway = "gw1"\ndata_dir = "{folder}/agent"\n'
        f'[mqtt]\nurl = "mqtt://127.0.0.1:{broker_port}"\n'
        f'[health]\nlisten = "127.0.0.1:{health}"\n{more}\n'
        + "".join(device.toml() for device in devices),
        "utf-8",
    )
    process = Process("agent", config, health)
    process.start()
    try:
        yield process
    finally:
        process.end()


@contextmanager
def historian(folder: Path, broker_port: int, more: str = "") -> Iterator[Process]:
    """A historian with a lake; started and ready."""
    health = free_port()
    config = folder / "historian.toml"
    config.write_text(
        f'data_dir = "{folder}/historian"\n[mqtt]\nurl = "mqtt://127.0.0.1:{broker_port}"\n'
        f'[health]\nlisten = "127.0.0.1:{health}"\n{more}\n',
        "utf-8",
    )
    process = Process("historian", config, health)
    process.start()
    try:
        process.wait_for("smelter_uptime_seconds", 0.0)
        yield process
    finally:
        process.end()
