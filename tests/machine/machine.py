"""A clean Debian 12 with a systemd of its own, without network: installed into, run, thrown away.

Needs root and ``debootstrap``; the clean root is made once (about a minute) and kept.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.reliability.cases import NotRun, need_program, need_root

CACHE = Path(os.environ.get("SMELTER_TEST_ROOT", "/var/tmp/smelter-deb-test"))  # noqa: S108
PACKAGES = "python3,systemd,systemd-sysv,dbus,tzdata,ca-certificates,iproute2,openssl"
GROUPS = (Path("/sys/fs/cgroup/unified"), Path("/sys/fs/cgroup"))
BOOT = Path(__file__).with_name("boot")


def clean_root() -> Path:
    """What debootstrap made of Debian 12, kept from one run to the next."""
    need_root("a root of its own is mounted and booted")
    root = CACHE / "base"
    if (root / "lib/systemd/systemd").exists():
        return root
    command = need_program("debootstrap", "debootstrap")
    shutil.rmtree(root, ignore_errors=True)
    CACHE.mkdir(parents=True, exist_ok=True)
    made = subprocess.run(
        [command, "--variant=minbase", f"--include={PACKAGES}", "bookworm", str(root)],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        shutil.rmtree(root, ignore_errors=True)
        raise NotRun(f"debootstrap failed: {made.stdout[-300:]}{made.stderr[-300:]}")
    return root


class Machine:
    """Entered, its systemd runs; left, everything in it is gone."""

    def __init__(self) -> None:
        self._base = clean_root()
        self._folder = Path(tempfile.mkdtemp(prefix="machine-", dir=CACHE))
        unified = next((g for g in GROUPS if (g / "cgroup.controllers").exists()), None)
        if unified is None:
            raise NotRun("no cgroup 2 here: systemd cannot be started in a root of its own")
        self._group = unified / self._folder.name
        self._outer: subprocess.Popen[bytes] | None = None
        self._inner = 0
        self._others: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        for name in ("upper", "work", "root"):
            (self._folder / name).mkdir()
        self._group.mkdir()
        join = f'echo $$ >"{self._group}/cgroup.procs"; exec "$@"'
        spaces = [f"--{name}" for name in ("mount", "pid", "uts", "ipc", "net", "cgroup", "fork")]
        words = ["unshare", *spaces, "--kill-child", "sh", str(BOOT), str(self._base)]
        with (self._folder / "boot.log").open("wb") as log:
            self._outer = subprocess.Popen(
                ["sh", "-c", join, "sh", *words, str(self._folder)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            self.wait(self._up, "systemd in the machine", 60)
        except BaseException:
            self._clear()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._clear()

    def _clear(self) -> None:
        for each in (*self._others, self._outer):
            if each is not None and each.poll() is None:
                each.send_signal(signal.SIGKILL)
                each.wait(30)
        end = time.monotonic() + 30
        while self._group.exists() and time.monotonic() < end:
            for folder in sorted(self._group.rglob("*/"), reverse=True):
                with contextlib.suppress(OSError):
                    folder.rmdir()
            with contextlib.suppress(OSError):
                self._group.rmdir()
            time.sleep(0.1)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _up(self) -> bool:
        assert self._outer is not None
        if self._outer.poll() is not None:
            log = (self._folder / "boot.log").read_text("utf-8", "replace")
            raise NotRun(f"systemd does not start in a root of its own here: {log[-300:]}")
        children = Path(f"/proc/{self._outer.pid}/task/{self._outer.pid}/children")
        inner = children.read_text().split()
        self._inner = int(inner[0]) if inner else 0
        if not self._inner or Path(f"/proc/{self._inner}/comm").read_text().strip() != "systemd":
            return False
        return self.run("systemctl", "is-system-running", good=None) in {"running", "degraded"}

    @property
    def root(self) -> Path:
        """Its files as seen from outside."""
        return Path(f"/proc/{self._inner}/root")

    def run(self, *command: str, user: str = "", good: int | None = 0, env: str = "") -> str:
        """What a command in it said, both streams; ``good`` None takes every exit code."""
        spaces = [f"-{letter}" for letter in "mpuinCrw"]
        words = ["nsenter", "-t", str(self._inner), *spaces]
        words += ["env", "-i", "PATH=/usr/sbin:/usr/bin", "LANG=C.UTF-8", *env.split()]
        if user:
            words += ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"]
        done = subprocess.run(
            [*words, *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            timeout=600,
            check=False,
        )
        said = done.stdout.strip()
        assert good is None or done.returncode == good, f"{command}: {done.returncode}: {said}"
        return said

    def beside(self, *command: str) -> None:
        """A program of the outer machine, in the network of this one."""
        with (self._folder / "beside.log").open("ab") as log:
            words = ["nsenter", "-t", str(self._inner), "-n", *command]
            self._others.append(subprocess.Popen(words, stdout=log, stderr=log))

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
        file.chmod(mode)

    def listeners(self, user: str) -> list[str]:
        """Where processes of this user listen, like ``127.0.0.1:9464``."""
        uid = self.run("id", "-u", user)
        lines = self.run("ss", "-tlneH").splitlines()
        return sorted(line.split()[3] for line in lines if f"uid:{uid} " in f"{line} ")

    @staticmethod
    def wait(ready: Callable[[], bool], what: str, timeout_s: float = 60) -> float:
        """Seconds until it was so; AssertionError when it never was."""
        start = time.monotonic()
        while not ready():
            assert time.monotonic() < start + timeout_s, f"{what}: not after {timeout_s:.0f} s"
            time.sleep(0.1)
        return time.monotonic() - start
