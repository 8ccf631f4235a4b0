"""The historian's own copy of every batch: ``originals/<plant>/<gateway>/<stream>/<log>/``."""

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from agent.batches.in_thread import in_full
from agent.batches.log import BatchLog, new_log_id
from agent.historian.branches import BRANCH, Branches, is_piece
from agent.historian.received import OWN_GATEWAY, Received
from agent.views import Source
from agent.wire.encode import BatchHead, batch_payload, event_line
from agent.wire.events import EventBook, Happening

_TAIL_BYTES = 256 << 10
MOST_LOGS = 4096  # open at once; each keeps a file and up to _TAIL_BYTES


class TooManyLogsError(Exception):
    """Somebody invents logs; refuse rather than run out of files."""


def sources_in(folder: Path) -> Iterator[Source]:
    """Every log there is, in order; branches right behind the log they left."""
    for path in sorted(folder.glob("*/*/*/*/")):
        if BRANCH.fullmatch(path.name):
            yield Source(*path.relative_to(folder).parts)


class Originals:
    """All logs, opened for writing; one historian at a time."""

    def __init__(self, folder: Path, config: str) -> None:
        self.folder = folder
        self._config = config  # first 16 hex digits of the config's SHA-256
        self._logs: dict[Source, BatchLog] = {}
        self._branches: dict[Source, Branches] = {}
        self._own: dict[str, BatchLog] = {}
        self._events = EventBook()
        self.heard: Callable[[str, Happening, str], None] | None = None  # of our own events
        self._stack = AsyncExitStack()
        self._opening = asyncio.Lock()
        self._news = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._stack.push_async_callback(self._close_pieces)
        try:
            for source in await asyncio.to_thread(lambda: list(sources_in(self.folder))):
                await self._open(source)
        except BaseException:
            await self._stack.aclose()
            raise
        for source, log in self._logs.items():
            if source.gateway == OWN_GATEWAY:
                self._own[source.plant] = log
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()
        self._logs.clear()
        self._branches.clear()
        self._own.clear()

    async def _open(self, source: Source) -> BatchLog:
        if len(self._logs) >= MOST_LOGS:
            raise TooManyLogsError(f"{len(self._logs)} logs are open; {source} is not taken")
        folder = self.folder / source.plant / source.gateway
        log = BatchLog(folder, stream=source.stream, log=source.log, tail_bytes=_TAIL_BYTES)
        if is_piece(source.log):
            self._logs[source] = await log.__aenter__()
        else:
            self._logs[source] = await self._stack.enter_async_context(log)
        return log

    async def _close_pieces(self) -> None:
        for source, log in self._logs.items():
            if is_piece(source.log):
                await log.__aexit__(None, None, None)

    # what is there

    @property
    def logs(self) -> dict[Source, BatchLog]:
        return self._logs

    @property
    def plants(self) -> set[str]:
        return {source.plant for source in self._logs}

    async def wait_news(self) -> None:
        """Returns when something was stored after the call."""
        await self._news.wait()

    def stored(self) -> None:
        """Wakes whoever waits for news."""
        self._news.set()
        self._news = asyncio.Event()

    # what comes

    async def branches_of(self, received: Received) -> Branches:
        """Everything kept of the log this batch is from."""
        sender = received.sender
        source = Source(sender.plant, sender.gateway, received.stream, received.log)
        async with self._opening:
            if source not in self._branches:
                self._branches[source] = self._branched(source)
            return self._branches[source]

    def find_branches(self, source: Source) -> Branches | None:
        """The same for a log of which something is kept already."""
        if source not in self._branches and self._known(source):
            self._branches[source] = self._branched(source)
        return self._branches.get(source)

    def logs_of(self, source: Source) -> list[BatchLog]:
        """The log and its branches, the log itself first; not what came ahead of its backlog."""
        known = [log for log in self._known(source) if not is_piece(log.log_id)]
        return sorted(known, key=lambda log: (len(log.log_id), log.log_id))

    def _branched(self, source: Source) -> Branches:
        return Branches(self._known(source), self._maker(source), self._remover(source))

    def _known(self, source: Source) -> list[BatchLog]:
        """The log and its branches, the one that was written last at the end."""
        place = (source.plant, source.gateway, source.stream)
        known = [
            log
            for other, log in self._logs.items()
            if (other.plant, other.gateway, other.stream) == place
            and other.log.partition("-")[0] == source.log
        ]
        return sorted(known, key=lambda log: (log.written_at_ns, log.newest))

    def _maker(self, source: Source) -> Callable[[str], Awaitable[BatchLog]]:
        async def make(name: str) -> BatchLog:
            return await self._open(Source(source.plant, source.gateway, source.stream, name))

        return make

    def _remover(self, source: Source) -> Callable[[BatchLog], Awaitable[None]]:
        async def remove(log: BatchLog) -> None:
            """A piece of which every batch is in the log itself, too."""
            where = Source(source.plant, source.gateway, source.stream, log.log_id)
            del self._logs[where]  # nobody begins to read it any more
            await log.__aexit__(None, None, None)
            place = self.folder / str(where)
            await in_full(shutil.rmtree, place, ignore_errors=True)

        return remove

    # own events

    async def tell(
        self, plant: str, kind: Happening, text: str, *, amount: float | None = None
    ) -> None:
        """An event of the historian itself; a batch like any other, so the views get it too."""
        event = self._events.once(kind, time.time_ns(), text, amount=amount)
        await self.keep_own(plant, [event_line(plant, OWN_GATEWAY, event)])
        if self.heard is not None:
            self.heard(plant, kind, text)

    async def tell_audit(self, plant: str, text: str) -> None:
        """An event about the audit trail."""
        await self.tell(plant, Happening.AUDIT_STOPPED, text)

    async def keep_own(self, plant: str, lines: list[bytes]) -> None:
        """Lines of the historian itself, durable when it returns. Raises LogError."""
        log = self._own.get(plant) or await self._open_own(plant)
        head = BatchHead(plant, OWN_GATEWAY, "record", self._config)
        now_ns = time.time_ns()

        def make(seq: int, prev: str) -> tuple[bytes, int]:
            return batch_payload(head, lines, log=log.log_id, seq=seq, prev=prev, closed_ns=now_ns)

        await log.append(make, closed_ns=now_ns, urgent=True)
        self.stored()

    async def _open_own(self, plant: str) -> BatchLog:
        async with self._opening:
            if plant not in self._own:
                new = Source(plant, OWN_GATEWAY, "record", new_log_id())
                self._own[plant] = await self._open(new)
            return self._own[plant]
