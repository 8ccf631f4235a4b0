"""The durable log of batches, the same class at both ends: append, read, receipt, prune."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import zstandard

from agent.batches.batch import MAX_PAYLOAD, Batch, line_count
from agent.batches.files import (
    LogCounts,
    LogError,
    LogFiles,
    LogFullError,
    LogInUseError,
    LogWriteError,
)
from agent.batches.in_thread import to_the_end
from agent.batches.names import new_log_id, newest_log
from agent.batches.room import Level, Room

__all__ = [
    "Batch",
    "BatchLog",
    "Level",
    "LogCounts",
    "LogError",
    "LogFullError",
    "LogInUseError",
    "LogWriteError",
    "MakePayload",
    "new_log_id",
    "newest_log",
]

MakePayload = Callable[[int, str], tuple[bytes, int]]
"""(seq, previous digest in hex) -> (plain payload, lines), as ``wire.batch_payload`` gives it.
Called in a thread, once per try."""

_GROUP = 64  # appends that share one write
_LEVEL_EVERY_S = 1.0


@dataclass(slots=True, eq=False)
class _Entry:
    """An append that waits for its group."""

    done: "asyncio.Future[Batch]"
    make: Callable[[int, bytes], Batch]  # (seq, previous digest)
    urgent: bool = False


class BatchLog:
    """
    ``<folder>/<stream>/<log>/``: consecutive batches that no crash takes away.

    What ``append`` returned is durable. Concurrent appends share one write and one sync in a
    thread; numbers follow the order of the calls. Readers see only durable batches. Nothing
    un-receipted is ever deleted. Without ``log`` the stream's newest log is opened, or a new one
    made.

    ``keep_ns`` is the retention of receipted batches, ``max_bytes`` a cap that ends it early.
    ``shed`` is for the large stream: it gives way to the others (refuses from Level.SHED on) and
    ends the retention of receipted batches early when the disk gets short.
    """

    def __init__(
        self,
        folder: Path,
        *,
        stream: str,
        log: str | None = None,
        keep_ns: int | None = None,
        max_bytes: int | None = None,
        shed: bool = False,
        tail_bytes: int = 1 << 20,
    ) -> None:
        self.stream = stream
        self._folder = folder / stream
        self._log = log
        self._limits = (keep_ns, max_bytes)
        self._shed = shed
        self._refuse_at = Level.SHED if shed else Level.FULL
        self._tail_bytes = tail_bytes
        self._tail: deque[Batch] = deque()  # newest batches, so that a live reader needs no disk
        self._tail_size = 0
        self._newest = 0  # moves in the loop together with the tail, after the thread has written
        self._waiting: deque[_Entry] = deque()
        self._writing = asyncio.Lock()
        self._news = asyncio.Event()
        self._room = Room()
        self._level_at = float("-inf")
        self._packer = zstandard.ZstdCompressor(level=1)
        self._files: LogFiles | None = None

    async def __aenter__(self) -> Self:
        files, cancelled = await to_the_end(self._open)
        self._files = files
        if cancelled:
            await asyncio.to_thread(files.close)
            raise cancelled
        self._log = files.folder.name
        self._newest = files.newest
        await self._look_at_room()
        return self

    def _open(self) -> LogFiles:
        log = self._log or newest_log(self._folder) or new_log_id()
        files = LogFiles(self._folder / log, *self._limits, yields=self._shed)
        files.open()
        return files

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        async with self._writing:
            for entry in self._waiting:
                entry.done.set_exception(LogError(f"log {self._folder} was closed"))
            self._waiting.clear()
            files, self._files = self._opened, None
            _, cancelled = await to_the_end(files.close)
        self._news.set()
        if cancelled:
            raise cancelled

    @property
    def _opened(self) -> LogFiles:
        if self._files is None:
            raise LogError(f"log {self._folder} is not open")
        return self._files

    # what it holds

    @property
    def log_id(self) -> str:
        return self._opened.folder.name

    @property
    def newest(self) -> int:
        """Number of the last durable batch, 0 when there is none."""
        return self._newest

    @property
    def oldest(self) -> int:
        """First number still here, ``newest + 1`` when there is none."""
        return self._opened.oldest

    @property
    def previous_digest(self) -> bytes:
        """SHA-256 of the newest batch's plain payload; zeros before the first."""
        return self._opened.digest

    @property
    def written_at_ns(self) -> int:
        """When a batch was written last, by the file system's clock; 0 for an empty log."""
        return self._opened.written_at_ns

    @property
    def receipted(self) -> int:
        return self._opened.receipted

    @property
    def lost(self) -> tuple[tuple[int, int], ...]:
        """Inclusive ranges of numbers whose records were found damaged (bytes: quarantine/)."""
        return self._opened.damage.lost

    @property
    def damaged_places(self) -> int:
        return self._opened.damage.places

    @property
    def counts(self) -> LogCounts:
        return self._opened.counts

    @property
    def level(self) -> Level:
        """How full it is; at most a second old while appends are tried."""
        return self._room.level

    @property
    def room(self) -> Room:
        """The same in bytes."""
        return self._room

    def set_limits(self, keep_ns: int | None, max_bytes: int | None) -> None:
        """From now on, while open."""
        self._opened.keep_ns, self._opened.max_bytes = keep_ns, max_bytes

    # appending

    async def append(
        self,
        make: MakePayload,
        *,
        closed_ns: int,
        urgent: bool = False,
    ) -> Batch:
        """
        Numbers, hashes, compresses and stores one batch; durable when it returns.

        ``urgent`` may use the last reserve: for the event that says the log is full. Raises
        LogFullError, LogWriteError; then no number was used and the caller still has the data.
        """
        await self._admit(urgent=urgent)

        def number(seq: int, previous: bytes) -> Batch:
            payload, _ = make(seq, previous.hex())
            if len(payload) > MAX_PAYLOAD:
                raise ValueError(f"batch of {len(payload)} bytes, at most {MAX_PAYLOAD} are taken")
            packed = self._packer.compress(payload)
            return Batch.of(seq, closed_ns, line_count(payload), payload, packed)

        return await self._commit(_Entry(self._future(), number, urgent))

    async def append_copy(self, batch: Batch) -> Batch:
        """Stores a batch of another log under its own number, higher than the newest here."""
        await self._admit(urgent=False)

        def follow(seq: int, _previous: bytes) -> Batch:
            if batch.seq < seq:
                raise ValueError(f"batch {batch.seq} does not follow {seq - 1}")
            return batch

        return await self._commit(_Entry(self._future(), follow))

    @staticmethod
    def _future() -> "asyncio.Future[Batch]":
        return asyncio.get_running_loop().create_future()

    async def _admit(self, *, urgent: bool) -> None:
        if time.monotonic() - self._level_at > _LEVEL_EVERY_S:
            await self._look_at_room()
        if self.level >= self._refuse_at and not urgent:
            self.counts.refused_full += 1
            raise LogFullError(
                f"{self._opened.folder}: {self.level.name.lower()}, what must be kept here fills "
                "the room; restore the connection, free disk space or raise max_bytes"
            )

    async def _look_at_room(self) -> None:
        self._level_at = time.monotonic()
        self._room = await asyncio.to_thread(self._opened.look, time.time_ns())
        if self.level >= Level.WARN:
            await self.prune()

    async def _commit(self, entry: _Entry) -> Batch:
        """The first to get the lock writes for all who wait by then."""
        self._waiting.append(entry)
        try:
            async with self._writing:
                while not entry.done.done():
                    await self._write_group()
        except asyncio.CancelledError:
            if entry in self._waiting:
                self._waiting.remove(entry)
            raise
        return entry.done.result()

    async def _write_group(self) -> None:
        group = [self._waiting.popleft() for _ in range(min(len(self._waiting), _GROUP))]
        outcomes, cancelled = await to_the_end(self._store, group)
        for entry, outcome in zip(group, outcomes, strict=True):
            if entry.done.done():
                continue
            if isinstance(outcome, Batch):
                entry.done.set_result(outcome)
            else:
                entry.done.set_exception(outcome)
                entry.done.exception()  # its waiter may have been cancelled
        self._remember([outcome for outcome in outcomes if isinstance(outcome, Batch)])
        if cancelled:
            raise cancelled

    def _store(self, group: list[_Entry]) -> list[Batch | Exception]:
        """In the thread: one write for all; when there is no room, one for the urgent ones."""
        outcomes = self._write(group)
        full = any(isinstance(outcome, LogFullError) for outcome in outcomes)
        urgent = [at for at, entry in enumerate(group) if entry.urgent]
        if full and urgent and self._opened.release_reserve():
            again = self._write([group[at] for at in urgent])
            for at, outcome in zip(urgent, again, strict=True):
                outcomes[at] = outcome
        return outcomes

    def _write(self, group: list[_Entry]) -> list[Batch | Exception]:
        files = self._opened
        seq, previous = files.newest, files.digest
        outcomes: list[Batch | Exception] = []
        for entry in group:
            try:
                batch = entry.make(seq + 1, previous)
            except Exception as error:  # noqa: BLE001 - one caller's mistake is not its neighbours'
                outcomes.append(error)
            else:
                outcomes.append(batch)
                seq, previous = batch.seq, batch.digest
        batches = [outcome for outcome in outcomes if isinstance(outcome, Batch)]
        if batches:
            try:
                files.write(batches)
            except LogError as error:
                files.counts.refused_full += isinstance(error, LogFullError) * len(batches)
                return [error if isinstance(o, Batch) else o for o in outcomes]
        return outcomes

    def _remember(self, batches: list[Batch]) -> None:
        for batch in batches:
            self._tail.append(batch)
            self._tail_size += len(batch.stored)
        while self._tail_size > self._tail_bytes and self._tail:
            self._tail_size -= len(self._tail.popleft().stored)
        if batches:
            self._newest = batches[-1].seq
            self._news.set()
            self._news = asyncio.Event()

    # reading

    async def read(self, seq: int) -> Batch | None:
        """The batch of that number; None when it is pruned, lost or not yet written."""
        found = await self.read_from(seq, 1)
        return found[0] if found and found[0].seq == seq else None

    async def read_from(self, seq: int, limit_bytes: int) -> list[Batch]:
        """
        Batches from ``seq`` on, in order, up to ``limit_bytes`` of plain payload but at least one.

        Empty when there is none. A number that is missing in between is in ``lost`` (or was never
        here, in a copy); what follows it comes all the same.
        """
        if self._tail and self._tail[0].seq <= seq:
            return self._from_tail(seq, limit_bytes)
        return await asyncio.to_thread(self._opened.read, seq, limit_bytes)

    def _from_tail(self, seq: int, limit_bytes: int) -> list[Batch]:
        found: list[Batch] = []
        for batch in self._tail:
            if batch.seq >= seq:
                found.append(batch)
                limit_bytes -= batch.size
                if limit_bytes <= 0:
                    break
        return found

    async def wait_beyond(self, seq: int) -> None:
        """Returns when there is a batch with a higher number, or the log was closed."""
        while self._files is not None and self._newest <= seq:
            await self._news.wait()

    # receipts and room

    def set_receipted(self, upto: int) -> bool:
        """Every batch to ``upto`` is durable elsewhere. False when that cannot be true here."""
        files = self._opened
        if upto > self._newest:
            return False
        files.receipted = max(files.receipted, upto)
        return True

    def hold(self, upto: int | None) -> None:
        """Keep what follows ``upto`` though receipted and old: somebody still has to read it."""
        self._opened.held = upto

    def withdraw_receipt(self, upto: int) -> None:
        """The other end lost what it had: only what is up to ``upto`` counts as receipted."""
        files = self._opened
        files.receipted = max(0, min(files.receipted, upto))

    async def save_receipt(self, *, durable: bool = True) -> None:
        """Also done by ``prune`` and on leaving; an old one costs duplicates, never a loss."""
        async with self._writing:
            save = partial(self._opened.save_receipt, durable=durable)
            _, cancelled = await to_the_end(save)
        if cancelled:
            raise cancelled

    async def prune(self) -> int:
        """Deletes whole receipted segments past ``keep_ns`` or above ``max_bytes``; how many."""
        async with self._writing:
            files = self._opened
            done, cancelled = await to_the_end(self._prune, files)
        if cancelled:
            raise cancelled
        return done

    def _prune(self, files: LogFiles) -> int:
        done = files.prune(time.time_ns())
        self._room = files.look(time.time_ns())
        if self.level < Level.WARN:
            files.keep_reserve()
        return done
