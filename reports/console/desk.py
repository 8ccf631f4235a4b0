"""Questions to the children that work on the plant's data: two lanes of one child each."""

import asyncio
import contextlib
import json
import logging
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from drivers.language import language, say
from drivers.model import ConfigError

_log = logging.getLogger(__name__)

Lane = Literal["quick", "long"]
Who = tuple[str, str]  # the person, and where the act comes from
NOBODY: Final[Who] = ("", "")
WAITING = 64  # questions in a lane; more are refused
IDLE_S: Final = {"quick": 120.0, "long": 20.0}
LIMIT_S: Final = {"quick": 60.0, "long": 3600.0}
LINE_BYTES = 64 << 20
HEAVY_MB = 500  # a child that grew beyond is ended after its answer
KEPT = 128  # answers remembered


class BusyError(Exception):
    """More questions wait than can be answered soon."""


class FailedError(Exception):
    """The child fell over; its traceback is in the log."""


@dataclass(slots=True)
class _Asked:
    message: dict[str, Any]
    answer: "asyncio.Future[Any]"


@dataclass(slots=True)
class _Lane:
    name: Lane
    site_file: Path
    waiting: "asyncio.Queue[_Asked]" = field(default_factory=lambda: asyncio.Queue(WAITING))
    child: asyncio.subprocess.Process | None = None

    async def run(self) -> None:
        """Answers what waits, for ever; the child ends when nothing came for a while."""
        try:
            while True:
                try:
                    async with asyncio.timeout(IDLE_S[self.name]):
                        asked = await self.waiting.get()
                except TimeoutError:
                    await self.end()
                    continue
                if not asked.answer.done():
                    await self._answer(asked)
        finally:
            await self.end()

    async def _answer(self, asked: _Asked) -> None:
        try:
            async with asyncio.timeout(LIMIT_S[self.name]):
                said = await self._ask(asked.message)
        except TimeoutError:
            await self.end()
            said = {"refused": [say("用时过长，已中止", "it took too long and was ended")]}
        except (OSError, ValueError) as error:
            await self.end()
            said = {"failed": f"{asked.message['job']}: {error}"}
        if said.get("peak_mb", 0) > HEAVY_MB:
            await self.end()
        if asked.answer.done():
            return
        if "said" in said:
            asked.answer.set_result(said["said"])
        elif "refused" in said:
            asked.answer.set_exception(ConfigError(said["refused"]))
        else:
            _log.error("%s failed: %s", asked.message["job"], said.get("failed", "no answer"))
            asked.answer.set_exception(FailedError(asked.message["job"]))

    async def _ask(self, message: dict[str, Any]) -> dict[str, Any]:
        child = await self._started()
        assert child.stdin is not None  # noqa: S101 - both were asked for
        assert child.stdout is not None  # noqa: S101
        child.stdin.write(json.dumps(message, ensure_ascii=False, default=str).encode() + b"\n")
        await child.stdin.drain()
        line = await child.stdout.readline()
        if not line:
            raise ValueError("the child ended without an answer")
        said: dict[str, Any] = json.loads(line)
        return said

    async def _started(self) -> asyncio.subprocess.Process:
        if self.child is None or self.child.returncode is not None:
            self.child = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "reports.console.worker", str(self.site_file)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                limit=LINE_BYTES,
                preexec_fn=_yielding if self.name == "long" else None,
            )
        return self.child

    async def end(self) -> None:
        """The child goes; what it was doing is not finished, files are written whole or not."""
        child, self.child = self.child, None
        if child is None or child.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await child.wait()


def _yielding() -> None:
    with contextlib.suppress(OSError):  # a sandbox may refuse even that
        os.nice(10)


class Desk:
    """Asked by pages and API. Enter it once: its lanes live inside."""

    def __init__(self, site_file: Path) -> None:
        self.site_file = site_file
        self._lanes: dict[Lane, _Lane] = {
            "quick": _Lane("quick", site_file),
            "long": _Lane("long", site_file),
        }
        self._kept: dict[str, tuple[float, Any]] = {}
        self.changed_s = 0.0  # wall time of the last act through this desk

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Desk"]:
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(lane.run()) for lane in self._lanes.values()]
            try:
                yield self
            finally:
                for task in running:
                    task.cancel()

    async def ask(
        self, job: str, *, lane: Lane = "quick", keep_s: float = 0.0, **arguments: Any
    ) -> Any:
        """
        What ``figures.today:carbon`` says, in the language of the caller; plain JSON values.

        ``keep_s``: an answer so young will do. Raises ConfigError as the command would, BusyError,
        FailedError.
        """
        key = json.dumps([job, language(), arguments], sort_keys=True, default=str)
        if keep_s and (found := self._kept.get(key)) and time.monotonic() - found[0] < keep_s:
            return found[1]
        said = await self._put(lane, job, NOBODY, arguments)
        if keep_s:
            while len(self._kept) >= KEPT:
                self._kept.pop(next(iter(self._kept)))
            self._kept[key] = (time.monotonic(), said)
        return said

    async def act(self, job: str, who: Who, *, lane: Lane = "quick", **arguments: Any) -> Any:
        """Something is changed or recorded, by ``who``; remembered answers are dropped."""
        try:
            return await self._put(lane, job, who, arguments)
        finally:
            self._kept.clear()
            self.changed_s = time.time()

    async def _put(self, lane: Lane, job: str, who: Who, arguments: dict[str, Any]) -> Any:
        message = {"job": job, "lang": language(), "who": who, "arguments": arguments}
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        try:
            self._lanes[lane].waiting.put_nowait(_Asked(message, answer))
        except asyncio.QueueFull:
            raise BusyError from None
        return await answer
