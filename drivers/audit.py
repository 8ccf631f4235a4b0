"""
The audit trail: who did what, when and why; hash-chained lines on disk that any process may add to.

A folder of segments ``<first n, 12 digits>-<month>.jsonl`` (closed ones ``….jsonl.gz``), one act
a line: canonical JSON with ``n`` (1, 2, …) and ``prev``, SHA-256 of the line before. ``head`` says
how many lines there are and the hash of the last, so that a loss at the end shows. Writers take a
``flock``; an act is on disk when ``add`` returns. Whoever could rewrite the whole folder is
contradicted by the Merkle log that holds the acts as well (docs/audit.md).
"""

import contextlib
import fcntl
import getpass
import os
import socket
import sys
import time
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from drivers import audit_files as files
from drivers.audit_act import Act, Break, Recorded
from drivers.language import say, why
from drivers.model import ConfigError

__all__ = [
    "Act",
    "AuditError",
    "AuditTrail",
    "Break",
    "Recorded",
    "Usage",
    "acting",
    "current_person",
    "note_act",
    "this_place",
]

DAY_NS = 86_400_000_000_000
KEEP_DAYS = 1096.0  # three years; what the law asks at least is LEAST_DAYS
LEAST_DAYS = 183.0  # six months of logs: our floor for the setting (docs/audit.md names the rules)
QUOTA_BYTES = 2 << 30  # six months at one act a second are about 1.2 GB: measured by case E8
WARN_SHARE = 0.8
LOCK_S = 10.0


class AuditError(Exception):
    """The act could not be recorded; what it tells of has happened nevertheless."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What the trail takes of its quota."""

    used_bytes: int
    quota_bytes: int

    @property
    def share(self) -> float:
        return self.used_bytes / self.quota_bytes

    @property
    def warns(self) -> bool:
        """From 80 % on: make room or raise the quota before acts are refused."""
        return self.share >= WARN_SHARE


class AuditTrail:
    """
    One folder of acts. Any number of processes may hold one on the same folder.

    Raises ConfigError for a setting below six months or no room at all.
    """

    def __init__(
        self, folder: Path, *, quota_bytes: int = QUOTA_BYTES, keep_days: float = KEEP_DAYS
    ) -> None:
        problems = []
        if not keep_days >= LEAST_DAYS:
            problems.append(
                say(
                    f"[audit] keep_days = {keep_days:g}：审计日志至少保存 {LEAST_DAYS:g} 天",
                    f"[audit] keep_days = {keep_days:g}: the audit trail is kept for at least "
                    f"{LEAST_DAYS:g} days",
                )
            )
        if quota_bytes < 1 << 16:
            problems.append(
                say(
                    f"[audit] 配额 {quota_bytes} 字节太小，至少 65536 字节",
                    f"[audit] a quota of {quota_bytes} bytes is too small, 65536 at least",
                )
            )
        if problems:
            raise ConfigError(problems)
        self.folder = folder
        self.quota_bytes = quota_bytes
        self.keep_days = keep_days

    def add(self, act: Act, *, prune: bool = True) -> Recorded:
        """Durable when it returns. Raises AuditError when the act could not be recorded."""
        return self.add_all([act], prune=prune)[0]

    def add_all(self, acts: Iterable[Act], *, prune: bool = True) -> list[Recorded]:
        """
        The same for many with one sync; all or, after an error, perhaps the first of them.

        ``prune`` False: nothing old goes. Only who knows the settings of the config may prune.
        Raises AuditError also for an act that only the trail itself may record.
        """
        made = list(acts)
        if any((each.what, each.target) == ("retention.deleted", files.ITSELF) for each in made):
            raise AuditError(f"{self.folder}: retention.deleted {files.ITSELF}: not yours to say")
        try:
            with self._locked():
                return self._add(made, prune=prune)
        except OSError as error:
            raise AuditError(f"{self.folder}: {why(error)}") from error

    def prune(self) -> list[str]:
        """Delete every segment older than asked, each with its record; the names of the files."""
        gone: list[str] = []
        try:
            with self._locked():
                while name := self._prune(files.Tail(self.folder)):
                    gone.append(name)
        except OSError as error:
            raise AuditError(f"{self.folder}: {why(error)}") from error
        return gone

    def read(self, after: int = 0) -> Iterator[Recorded]:
        """
        The acts in their order, those after number ``after``; broken lines are left out.

        Asks for no lock; a line that is just being written is not seen yet.
        """
        for line in files.lines(self.folder, after):
            if line.recorded is not None and line.recorded.n > after:
                yield line.recorded

    def check(self) -> Break | None:
        """The first place where something was changed, removed or put in; None: the chain holds."""
        while True:
            oldest = files.segments(self.folder)[:1]
            found = files.first_break(self.folder)
            if found is None or oldest == files.segments(self.folder)[:1]:
                return found  # else: pruned while we read

    def usage(self) -> Usage:
        """Bytes on disk against the quota."""
        return Usage(files.used_bytes(self.folder), self.quota_bytes)

    # --- writing, under the lock

    def _prune(self, tail: files.Tail) -> str:
        """The oldest segment, where it may go; its name, "" when none may."""
        old = files.prunable(self.folder, time.time_ns(), int(self.keep_days * DAY_NS))
        if old is None:
            return ""
        stated = {"upto": str(old.n), "hash": old.hash, "file": old.path.name}
        tail.write([_own("retention.deleted", files.ITSELF, stated)])
        old.path.unlink()
        return old.path.name

    def _add(self, acts: list[Act], *, prune: bool) -> list[Recorded]:
        count = len(acts)
        tail = files.Tail(self.folder)
        if tail.headless:  # told for good: what was cut off with it is not known any more
            acts.insert(0, _own("audit.repaired", files.ITSELF, {"lost": "head"}, result="failed"))
        if (cut := tail.repair()) is not None:
            acts.insert(0, _own("audit.repaired", files.ITSELF, {"cut": cut}))
        if prune:
            self._prune(tail)
        before = self.usage()
        if before.share >= 1:
            raise AuditError(
                say(
                    f"{self.folder}：审计日志已满（配额 {self.quota_bytes} 字节）；"
                    "请导出留存后提高 [audit] quota_mb",
                    f"{self.folder}: the audit trail is full (quota {self.quota_bytes} bytes); "
                    "raise [audit] quota_mb",
                )
            )
        made = tail.write(acts)
        after = self.usage()
        if after.warns and not before.warns:
            share = {"share": f"{after.share:.2f}", "quota_bytes": str(self.quota_bytes)}
            tail.write([_own("audit.quota", files.ITSELF, share, result="failed")])
        return made[len(made) - count :]

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """One writer at a time, between processes and threads. OSError when it cannot be had."""
        files.make_folder(self.folder)
        lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, files.file_mode(self.folder))
        try:
            end_s = time.monotonic() + LOCK_S
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > end_s:
                        raise
                    time.sleep(0.005)
            yield
        finally:
            os.close(lock)


def _own(
    what: str,
    target: str,
    details: dict[str, str],
    result: Literal["ok", "failed"] = "ok",
) -> Act:
    """What the trail itself has to tell."""
    at_ns = time.time_ns()
    return Act(at_ns, current_person(), what, target, result=result, details=details)


_acting: ContextVar[tuple[str, str]] = ContextVar("acting", default=("", ""))


@contextlib.contextmanager
def acting(person: str, place: str) -> Iterator[None]:
    """Inside, acts are those of ``person``, whom the console knows by password, at ``place``."""
    token = _acting.set((person, place))
    try:
        yield
    finally:
        _acting.reset(token)


def current_person() -> str:
    """Who acts, else SMELTER_PERSON, else the name of the login (through sudo: who called it)."""
    if person := _acting.get()[0]:
        return person
    if person := os.environ.get("SMELTER_PERSON", "").strip():
        return person
    return _login()


def this_place() -> str:
    """Where an act comes from: login and host of a command, the address of a browser."""
    return _acting.get()[1] or f"{_login()}@{socket.gethostname()}"


def _login() -> str:
    if os.geteuid() == 0 and (sudo := os.environ.get("SUDO_USER", "")):
        return sudo
    try:
        import pwd

        return pwd.getpwuid(os.getuid()).pw_name
    except (ImportError, KeyError):
        with contextlib.suppress(KeyError, OSError):
            return getpass.getuser()
        return f"uid{os.getuid()}"


def note_act(
    trail: AuditTrail | Path,
    what: str,
    target: str,
    *,
    reason: str = "",
    who: str = "",
    result: Literal["ok", "refused", "failed"] = "ok",
    details: dict[str, str] | None = None,
) -> bool:
    """
    Record what a command has just done, as the person who called it. Never prunes.

    A trail that cannot be written is told on standard error and changes nothing else: False.
    """
    person = who.strip() or current_person()
    place = this_place()
    act = Act(time.time_ns(), person, what, target, reason, result, place, details or {})
    try:
        (trail if isinstance(trail, AuditTrail) else AuditTrail(trail)).add(act, prune=False)
    except AuditError as error:
        told = say("未能记入审计日志", "not recorded in the audit trail")
        sys.stderr.write(f"{told} ({what}): {error}\n")
        return False
    return True
