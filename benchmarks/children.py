"""Child processes of a benchmark: started by module name, greeted in JSON, ended by their id."""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmarks.measure import peak_mb

ROOT = Path(__file__).resolve().parent.parent
QUIET = {"PYTHONUNBUFFERED": "1", "SMELTER_LANG": "en"}


class Child:
    """
    ``python -m module arguments`` while entered.

    A child prints one line of JSON when it is ready (``hello``) and one when it is told to end.
    """

    def __init__(self, module: str, *arguments: object, log: Path) -> None:
        self.command = [sys.executable, "-m", module, *map(str, arguments)]
        self.log = log
        self.hello: dict[str, Any] = {}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError(f"{self.command[2]} is not running")
        return self._process.pid

    def __enter__(self) -> Self:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                env=os.environ | QUIET,
            )
        try:
            self.hello = self.line(60.0)
        except BaseException:
            self.end()
            raise
        return self

    def line(self, timeout_s: float) -> dict[str, Any]:
        """The next line of JSON the child prints."""
        if self._process is None or self._process.stdout is None:
            raise RuntimeError(f"{self.command[2]} is not running")
        ready, _, _ = select.select([self._process.stdout], [], [], timeout_s)
        text = self._process.stdout.readline() if ready else b""
        if not text:
            raise RuntimeError(f"{' '.join(self.command)} said nothing; see {self.log}")
        found: dict[str, Any] = json.loads(text)
        return found

    def finish(self, timeout_s: float = 20.0) -> dict[str, Any]:
        """Tells the child to end and returns its last line."""
        if self._process is None:
            raise RuntimeError(f"{self.command[2]} is not running")
        self._process.send_signal(signal.SIGTERM)
        last = self.line(timeout_s)
        self.end()
        return last

    def end(self) -> None:
        end_process(self._process)
        self._process = None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()


def end_process(process: subprocess.Popen[bytes] | None, patience_s: float = 15.0) -> None:
    """Asks a process of ours to stop, then makes it."""
    if process is None:
        return
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(patience_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdout is not None:
        process.stdout.close()


def say(**words: object) -> None:
    """A child's line of JSON."""
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


def run_and_measure(
    command: Sequence[str], log: Path, timeout_s: float = 300.0
) -> tuple[int, float, float, float]:
    """
    Runs a program to its end: (exit code, wall s, CPU s, peak MB).

    The peak is read from /proc while it runs: ``ru_maxrss`` also counts its parent before exec.
    """
    start = time.monotonic()
    with log.open("ab") as out:
        process = subprocess.Popen(
            list(command), cwd=ROOT, stdout=out, stderr=out, env=os.environ | QUIET
        )
    deadline = start + timeout_s
    peak = 0.0
    while True:
        with contextlib.suppress(LookupError, OSError):  # ended, or ending
            peak = peak_mb(process.pid)
        pid, status, used = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        if time.monotonic() > deadline:
            process.kill()
            os.wait4(process.pid, 0)
            raise TimeoutError(f"{' '.join(command)} took more than {timeout_s} s; see {log}")
        time.sleep(0.01)
    code = os.waitstatus_to_exitcode(status)
    process.returncode = code
    return code, time.monotonic() - start, used.ru_utime + used.ru_stime, peak
