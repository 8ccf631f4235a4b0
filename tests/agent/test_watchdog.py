"""The watchdog is fed by the loop itself: a loop that is blocked says nothing."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.oracle.plant import ROOT, Plant
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
async def run():
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, time.sleep, {block})
    await living(config)
uvloop.run(run())
"""
HEAD = "import asyncio, signal, sys, time, uvloop\nfrom pathlib import Path\n"


def told(manager: socket.socket, until: bytes, limit_s: float = 60) -> float:
    """When (monotonic) the process said so."""
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        manager.settimeout(max(end - time.monotonic(), 0.01))
        if until in manager.recv(4096):
            return time.monotonic()
    raise AssertionError(f"{until!r} not told")


@pytest.mark.parametrize("name", ["agent", "historian"])
def test_a_blocked_loop_feeds_no_watchdog(name: str, tmp_path: Path) -> None:
    plant = Plant(tmp_path, free_port(), free_port(), points=4)
    config = plant.gateway_toml if name == "agent" else plant.historian_toml
    log = (tmp_path / "process.log").open("wb")
    with log, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        environment = os.environ | {
            "NOTIFY_SOCKET": str(tmp_path / "notify"),
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
            process.send_signal(signal.SIGUSR1)
            silence, last, end = 0.0, time.monotonic(), time.monotonic() + 60
            while silence < BLOCK_S - 0.5:
                now = told(manager, b"WATCHDOG=1", 30)
                silence, last = now - last, now
                assert now < end, "no silence while the loop was blocked"
            told(manager, b"WATCHDOG=1")  # it turns again
            process.terminate()
            assert process.wait(30) == 0
        finally:
            process.kill()
            process.wait()
