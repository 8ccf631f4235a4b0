"""The watchdog is fed while everything goes forward: no blocked loop, no hung disk."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.notify import Watchdog, Work
from tests import servers
from tests.oracle.device import FakePlc
from tests.oracle.plant import ROOT, Plant, wait
from tests.servers import free_port

BLOCK_S = 4.0
BLOCKED = {
    "agent": """
from agent.edge.config import load_gateway
from agent.edge.process import run_gateway as living
config = load_gateway(Path(sys.argv[1]))
""",
    "historian": """
from agent.historian.commands import _run as living
from agent.historian.config import load_historian
config = load_historian(Path(sys.argv[1]))
""",
}
RUN = """
free = threading.Event()
free.set()
sync = os.fdatasync
def slow(file):
    free.wait()
    sync(file)
os.fdatasync = slow
async def run():
    on = asyncio.get_running_loop().add_signal_handler
    on(signal.SIGUSR1, time.sleep, {block})
    on(signal.SIGUSR2, lambda: free.clear() if free.is_set() else free.set())
    await living(config)
uvloop.run(run())
"""
HEAD = "import asyncio, os, signal, sys, threading, time, uvloop\nfrom pathlib import Path\n"


def told(manager: socket.socket, until: bytes, limit_s: float = 60) -> float:
    """When (monotonic) the process said so."""
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        manager.settimeout(max(end - time.monotonic(), 0.01))
        if until in manager.recv(4096):
            return time.monotonic()
    raise AssertionError(f"{until!r} not told")


@contextmanager
def managed(
    name: str, plant: Plant, folder: Path
) -> Iterator[tuple[socket.socket, "subprocess.Popen[bytes]"]]:
    """The real process under a service manager that waits a second; its log is process.log."""
    config = plant.gateway_toml if name == "agent" else plant.historian_toml
    log = (folder / "process.log").open("wb")
    with log, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(folder / "notify"))
        environment = os.environ | {
            "NOTIFY_SOCKET": str(folder / "notify"),
            "WATCHDOG_USEC": "1000000",
            "PYTHONPATH": str(ROOT),
        }
        environment.pop("WATCHDOG_PID", None)
        code = HEAD + BLOCKED[name] + RUN.format(block=BLOCK_S)
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(config)], env=environment, stderr=log
        )
        try:
            told(manager, b"READY=1")
            for _ in range(3):
                told(manager, b"WATCHDOG=1")
            yield manager, process
            process.terminate()
            assert process.wait(30) == 0
        finally:
            process.kill()
            process.wait()


def silent(manager: socket.socket, for_s: float) -> None:
    """Returns when nothing was fed for so long."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            told(manager, b"WATCHDOG=1", for_s)
        except (AssertionError, TimeoutError):
            return
    raise AssertionError("fed and fed")


@pytest.mark.parametrize("name", ["agent", "historian"])
def test_a_blocked_loop_feeds_no_watchdog(name: str, tmp_path: Path) -> None:
    """Neither device nor broker is there: that holds up nothing."""
    plant = Plant(tmp_path, free_port(), free_port(), points=4)
    with managed(name, plant, tmp_path) as (manager, process):
        process.send_signal(signal.SIGUSR1)
        silence, last, end = 0.0, time.monotonic(), time.monotonic() + 60
        while silence < BLOCK_S - 0.5:
            now = told(manager, b"WATCHDOG=1", 30)
            silence, last = now - last, now
            assert now < end, "no silence while the loop was blocked"
        told(manager, b"WATCHDOG=1")  # it turns again


def test_a_hung_disk_feeds_no_watchdog_of_the_agent(tmp_path: Path) -> None:
    with FakePlc(points=4) as plc:
        plant = Plant(tmp_path, plc.port, free_port(), points=4)
        with managed("agent", plant, tmp_path) as (manager, process):
            wait(plant.healthy, "health", 60)
            process.send_signal(signal.SIGUSR2)
            silent(manager, 3)
            with pytest.raises(urllib.error.HTTPError) as refused:  # the loop turns and answers
                urllib.request.urlopen(f"http://127.0.0.1:{plant.health}/healthz", timeout=10)
            assert refused.value.code == 503
            assert b"log stands still for" in refused.value.read()
            process.send_signal(signal.SIGUSR2)
            told(manager, b"WATCHDOG=1")
            wait(plant.healthy, "health again", 60)


def test_a_hung_disk_feeds_no_watchdog_of_the_historian(tmp_path: Path) -> None:
    broker = servers.mosquitto(tmp_path).start()
    try:
        with (
            FakePlc(points=4) as plc,
            Plant(tmp_path, plc.port, broker.port, points=4) as plant,
            managed("historian", plant, tmp_path) as (manager, process),
        ):
            plant.agent.start()
            wait(plant.drained, "batches in the historian", 60)
            process.send_signal(signal.SIGUSR2)
            silent(manager, 3)
            assert "/gw1/raw stands still for" in (tmp_path / "process.log").read_text()
            process.send_signal(signal.SIGUSR2)
            told(manager, b"WATCHDOG=1")
    finally:
        broker.end()


def test_what_has_nothing_to_do_is_not_late() -> None:
    figures: dict[str, Work] = {}
    now = [0.0]
    watchdog = Watchdog(lambda: figures, lambda: now[0])

    def after(seconds: float, **figure: int | None) -> str:
        now[0] += seconds
        figures.clear()
        figures.update({name: Work(value, 10) for name, value in figure.items()})
        watchdog.look()
        return watchdog.stuck

    assert after(0, log=1) == ""
    assert after(10, log=1) == ""  # as long as is allowed
    assert after(1, log=1) == "log stands still for 11 s"
    assert after(1, log=2) == ""
    assert after(1, log=None) == ""
    assert after(100, log=None) == ""
    assert after(1, log=2) == ""  # begun only now
    assert after(12, log=2, line=1) == "log stands still for 12 s"
    assert after(1, line=1) == ""  # gone with a reload
