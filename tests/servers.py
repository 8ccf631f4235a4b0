"""Real servers for tests: mosquitto and influxd on loopback with free ports, ended by their id.

A server that is not installed fails the test with the line that installs it; nothing is skipped.
"""

import fcntl
import functools
import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path


def _ports() -> Iterator[int]:
    """Below those that connections take by chance; runs side by side begin far apart."""
    all_of_them = itertools.cycle(range(10_000, 32_000))
    return itertools.islice(all_of_them, os.getpid() * 2503 % 22_000, None)


_PORTS = _ports()


@functools.cache
def _claims() -> int:
    """One file for all runs of this user; a lock on byte N claims port N until the process ends."""
    path = Path(tempfile.gettempdir()) / f"smelter-test-ports-{os.getuid()}"
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def free_port() -> int:
    """A port nobody listens on, and that no other run is given while this process lives."""
    for port in _PORTS:
        with socket.socket() as probe:
            try:
                fcntl.lockf(_claims(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("the ports go round for ever")


def program(name: str, package: str) -> str:
    """Path of an installed server program, or a failed test that says how to get it."""
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin:/sbin")
    assert path, f"{name} is missing: sudo apt-get install -y {package}"
    return path


def wait_until(
    ready: Callable[[], bool], what: str, timeout_s: float = 10.0, pause_s: float = 0.02
) -> None:
    """``pause_s`` is longer where asking costs much, so that the asked get on with their work."""
    end = time.monotonic() + timeout_s
    while not ready():
        assert time.monotonic() < end, f"{what} not ready after {timeout_s} s"
        time.sleep(pause_s)


def listening(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=0.2).close()
    except OSError:
        return False
    return True


@dataclass
class Server:
    """A child process that a test may stop, kill and start again on the same port and data."""

    command: list[str]
    port: int
    ready: Callable[[], bool]
    log: Path
    process: subprocess.Popen[bytes] | None = field(default=None)

    def start(self) -> "Server":
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log)
        wait_until(self.ready, self.command[0])
        gone = self.process.poll()
        assert gone is None, f"{self.command[0]} ended ({gone}); see {self.log.read_text()[-2000:]}"
        return self

    def end(self, sign: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(sign)
            self.process.wait(10)
            self.process = None

    def kill(self) -> None:
        self.end(signal.SIGKILL)


def mosquitto(folder: Path, extra: str = "") -> Server:
    """Mosquitto with room for a backlog, no persistence (receipts make it harmless)."""
    port = free_port()
    config = folder / "mosquitto.conf"
    config.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n"
        f"max_inflight_messages 0\nmax_queued_messages 100000\n{extra}"
    )
    return Server(
        [program("mosquitto", "mosquitto"), "-c", str(config)],
        port,
        lambda: listening(port),
        folder / "mosquitto.log",
    )


def influxd(folder: Path, http: str = "") -> Server:
    """InfluxDB 1.x from Debian; ``http`` is added to its [http] section."""
    port, rpc = free_port(), free_port()
    config = folder / "influxdb.toml"
    config.write_text(
        f"""reporting-enabled = false
bind-address = "127.0.0.1:{rpc}"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  query-log-enabled = false
[monitor]
  store-enabled = false
[subscriber]
  enabled = false
[http]
  bind-address = "127.0.0.1:{port}"
  log-enabled = false
{http}
"""
    )

    def ping() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=1):
                return True
        except (urllib.error.URLError, OSError):
            return False

    return Server(
        [program("influxd", "influxdb"), "run", "-config", str(config)],
        port,
        ping,
        folder / "influxd.log",
    )
