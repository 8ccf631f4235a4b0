"""Questions to the children that work on the plant's data: two lanes of one child each."""

import asyncio
import contextlib
import json
import logging
import os
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from drivers.language import language, say
from drivers.model import ConfigError
from reports.console.beside import beside

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
# Whose questions these are, so that nobody takes all places; None: the console's own.
ASKING: Final[ContextVar[str | None]] = ContextVar("asking", default=None)
EACH_MOST: Final = {"quick": 24, "long": 8}  # of one account at a time
NOBODY_MOST: Final = 4  # of all who are not logged in


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
        self._asked: Counter[tuple[Lane, str]] = Counter()
        self.changed_s = 0.0  # wall time of the last act through this desk

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Desk"]:
        async with beside(*(lane.run() for lane in self._lanes.values())):
            yield self

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
        with self._place(lane):
            try:
                self._lanes[lane].waiting.put_nowait(_Asked(message, answer))
            except asyncio.QueueFull:
                raise BusyError from None
            return await answer

    @contextlib.contextmanager
    def _place(self, lane: Lane) -> Iterator[None]:
        """Of the places of the asker while he waits. Raises BusyError when he has them all."""
        asker = ASKING.get()
        if asker is None:
            yield
            return
        if self._asked[lane, asker] >= (EACH_MOST[lane] if asker else NOBODY_MOST):
            raise BusyError
        self._asked[lane, asker] += 1
        try:
            yield
        finally:
            self._asked[lane, asker] -= 1
            if not self._asked[lane, asker]:
                del self._asked[lane, asker]
