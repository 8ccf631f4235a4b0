"""
The audit trail of a process: acts are written off the loop, tried again, and put into its log.

Whatever stands in the trail, also what commands of other processes added, becomes an ``audit`` line
of the record stream and is then under the next checkpoint. Nothing here stops acquisition.
"""

import asyncio
import contextlib
import json
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from agent.accepted import by_whom
from agent.batches.durable import make_folder, replace_text
from agent.batches.in_thread import in_full, to_the_end
from agent.health import Metrics
from agent.wire.encode import text
from drivers import audit_files as files
from drivers.audit import Act, AuditError, AuditTrail, current_person, this_place
from drivers.audit_act import NO_HASH, Recorded, Result
from drivers.audit_config import AuditConfig

_log = logging.getLogger(__name__)

EVERY_S = 1.0
AGAIN_S = 10.0
WAITING_MAX = 4096  # acts that wait for a disk; more are counted and told as one
PIECE = 500  # acts put into the log at a time


class HistorianAuditConfig(AuditConfig):
    """``[audit]`` of historian.toml; ``follow``: other trails (the office's) to keep in our log."""

    follow: tuple[Path, ...] = ()

    def below(self, folder: Path) -> Self:
        """Paths relative to the config's folder."""
        return self.model_copy(update={"follow": tuple(folder / each for each in self.follow)})


def audit_line(plant: str, gateway: str, trail: str, recorded: Recorded) -> bytes:
    """An act as a line of the record stream; ``hash`` is that of its line in the trail."""
    act = recorded.act
    said = {"who": act.who, "target": act.target, "why": act.why, "result": act.result}
    more = {"source": act.source} if act.source else {}
    if act.details:
        more["details"] = json.dumps(dict(act.details), ensure_ascii=False, sort_keys=True)
    named = {"trail": trail, **said, **more, "hash": recorded.hash}
    fields = ",".join(f"{name}={text(value)}" for name, value in named.items())
    return (
        f"audit,plant={plant},gateway={gateway},what={act.what} n={recorded.n}i,{fields} "
        f"{act.at_ns}"
    ).encode()


@dataclass(slots=True)
class Followed:
    """How far a trail is in our log: act ``n`` with that hash; ``path`` and ``end`` go on there."""

    trail: str
    folder: Path
    n: int = 0
    hash: str = NO_HASH
    path: Path | None = None
    end: int = 0
    broken: str = ""

    def news(self) -> list[Recorded]:
        """The next acts, at most PIECE; ``broken`` says when they do not go on from the last."""
        head_n, head = files.read_head(self.folder)
        if (head_n, head) == (self.n, self.hash):
            return []
        found = self._take(files.lines_from(self.path, self.end) if self.path else ())
        return found or self._take(files.lines(self.folder, max(self.n - 1, 0)))

    def _take(self, lines: Iterable[files.Line]) -> list[Recorded]:
        found: list[Recorded] = []
        known = self.n, self.hash
        met = False
        newest = self.n
        for line in lines:
            recorded, met = line.recorded, True
            newest = recorded.n if recorded is not None else newest
            if recorded is None:
                return found or self._skip("a line cannot be read")
            if recorded.n < self.n:
                continue
            if recorded.n == known[0]:
                if recorded.hash != known[1]:
                    return self._skip(f"act {recorded.n} is not the one that was put into the log")
                continue
            if (recorded.n, recorded.prev) != (self.n + 1, self.hash) and self.n:
                return found or self._skip(f"act {recorded.n} does not follow act {self.n}")
            found.append(recorded)
            self.n, self.hash = recorded.n, recorded.hash
            self.path = line.path if line.end else None
            self.end = line.end
            if len(found) >= PIECE:
                break
        if newest < self.n or (not met and self.n and files.read_head(self.folder)[0] < self.n):
            return self._skip(f"act {self.n} is gone")
        return found

    def _skip(self, trouble: str) -> list[Recorded]:
        """Tell it and go on behind what is there: what was recorded stays in the log."""
        self.broken = f"{self.folder}: {trouble}"
        self.n, self.hash = files.Tail(self.folder).n, files.Tail(self.folder).head
        self.path, self.end = None, 0
        return []


Keep = Callable[[list[bytes]], Awaitable[None]]
"""Puts lines into the log; returns when they are durable there, raises OSError when not."""


@dataclass(slots=True)
class Auditor:
    """
    One per process: ``note`` never waits nor raises; ``run`` writes, follows and tries again.

    ``tell`` says what is wrong as an event; ``state`` remembers how far the log is.
    """

    plant: str
    gateway: str
    trail: AuditTrail
    state: Path
    tell: Callable[[str], None]
    follow: Sequence[Path] = ()
    acts: int = 0
    missed: int = 0
    trouble: str = ""
    _waiting: deque[Act] = field(default_factory=deque)
    _followed: list[Followed] = field(default_factory=list)
    _config: str = ""
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    def note(
        self,
        what: str,
        target: str,
        *,
        why: str = "",
        result: Result = "ok",
        source: str = "",
        details: dict[str, str] | None = None,
        who: str = "",
    ) -> None:
        """Record an act of this process, soon."""
        if len(self._waiting) >= WAITING_MAX:
            self.missed += 1
            return
        place = source or this_place()
        person = who or current_person()
        act = Act(time.time_ns(), person, what, target, why, result, place, details or {})
        self._waiting.append(act)
        self._wake.set()

    def open(self, config: str = "", target: str = "") -> None:
        """What an earlier run left; tells that this one starts, and whether the config is new."""
        known: dict[str, list[object]] = {}
        try:
            table = json.loads(self.state.read_text("utf-8"))
            known, self._config = table["followed"], str(table["config"])
        except (OSError, ValueError, KeyError, TypeError):
            pass  # the first run, or the file is damaged: all acts go into the log once more
        own = self.trail.folder
        for name, folder in [(self.gateway, own), *((str(f.resolve()), f) for f in self.follow)]:
            n, head = (known.get(name) or [0, NO_HASH])[:2]
            self._followed.append(Followed(name, folder, int(str(n)), str(head)))
        self.note("process.started", f"{self.plant}/{self.gateway}", details={"config": config})
        if config and self._config and config != self._config:
            self.changed(target, config)
        elif config and not self._config:
            self.note("config.loaded", target, details={"new": config})
        self._config = config

    def changed(self, target: str, config: str, said: str = "") -> None:
        """A config other than the last: by the person who accepted it, or by nobody knows whom."""
        who, why, whose = by_whom(self.trail, target, config)
        known = {"old": self._config, "new": config} | ({"said": said} if said else {})
        self.note("config.changed", target, why=why, details=known | whose, who=who)
        self._config = config

    # --- the trail

    async def run(self, keep: Keep) -> None:
        """Until cancelled: acts reach the disk though the log is slow."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._writing())
            tasks.create_task(self._following(keep))

    async def _writing(self) -> None:
        while True:
            self._wake.clear()
            await self.write()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(AGAIN_S):  # wait_for of 3.11 can lose a cancellation
                    await self._wake.wait()
            await asyncio.sleep(AGAIN_S if self.trouble else 0)

    async def _following(self, keep: Keep) -> None:
        while True:
            await self.put(keep)
            await asyncio.sleep(EVERY_S)

    async def close(self, keep: Keep) -> None:
        """Once more, when the process stops: ``keep`` need not wait for the disk."""
        await self.write()
        await self.put(keep, remember=False)

    async def put(self, keep: Keep, *, remember: bool = True) -> None:
        """What is new in the trails into the log; what was put twice has the same hash."""
        for each in self._followed:
            try:
                while news := await in_full(each.news):
                    lines = [audit_line(self.plant, self.gateway, each.trail, x) for x in news]
                    await keep(lines)
                    if remember:
                        await in_full(self._remember)
            except OSError as error:
                self._troubled(f"audit trail {each.folder} does not reach the log: {error}")
                return
            if each.broken:
                self._tell(f"audit trail changed: {each.broken}")
                each.broken = ""
                await in_full(self._remember)

    async def write(self) -> None:
        """What waits into the trail; on trouble it waits on."""
        count, missed = len(self._waiting), self.missed
        if not count:
            return
        acts = list(self._waiting)
        if missed:
            told = {"count": str(missed)}
            acts.append(
                Act(time.time_ns(), current_person(), "audit.missed", self.gateway, details=told)
            )
        try:
            _, cancelled = await to_the_end(self.trail.add_all, acts)
        except (AuditError, OSError) as error:
            self._troubled(f"acts are not recorded, all else goes on: {error}")
            return
        for _ in range(count):
            self._waiting.popleft()
        self.missed -= missed
        self.acts += len(acts)
        if self.trouble:
            _log.warning("acts are recorded again")
        self.trouble = ""
        if cancelled is not None:
            raise cancelled

    def _troubled(self, trouble: str) -> None:
        if trouble != self.trouble:
            self.trouble = trouble
            self._tell(trouble)

    def _tell(self, words: str) -> None:
        _log.error("%s", words)
        self.tell(words)

    def metrics(self, metrics: Metrics) -> None:
        """For /metrics."""
        add = metrics.add
        add("audit_acts_total", self.acts, "counter", "acts recorded since the start")
        add("audit_waiting", len(self._waiting), "gauge", "acts that are not on the disk yet")
        add("audit_up", not self.trouble, "gauge", "0 while acts cannot be recorded")
        with contextlib.suppress(OSError):
            share = self.trail.usage().share
            add("audit_used_share", share, "gauge", "of the quota; 0.8 and more: see doctor")

    def _remember(self) -> None:
        followed = {each.trail: [each.n, each.hash] for each in self._followed}
        make_folder(self.state.parent)
        replace_text(self.state, json.dumps({"followed": followed, "config": self._config}))
