"""Feeds one view from the originals, at its own pace, and remembers durably how far it is."""

import asyncio
import fcntl
import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from agent.batches.batch import Batch
from agent.batches.durable import make_folder, replace_text
from agent.batches.in_thread import in_full
from agent.batches.log import BatchLog
from agent.historian.branches import is_piece
from agent.historian.originals import Originals
from agent.mqtt import Pauses
from agent.views import Source, StoredBatch, View

_log = logging.getLogger(__name__)

_PIECE_BYTES = 1 << 20
_PACE_S = 0.25  # between two looks at what came
_NO_END = 1 << 62


def _base(source: Source) -> Source:
    """The gateway's log that a piece belongs to."""
    return replace(source, log=source.log.partition("-a")[0])


def _begins(source: Source) -> int:
    """The first number of a piece."""
    return int(source.log.rpartition("-a")[2])


def _stored(source: Source, batches: list[Batch]) -> list[StoredBatch]:
    if not is_piece(source.log):
        return [StoredBatch(source, batch) for batch in batches]
    base = _base(source)
    return [StoredBatch(base, batch, source.log.removeprefix(base.log)) for batch in batches]


class ViewInUseError(Exception):
    """Another process feeds this view."""


@dataclass(slots=True)
class ViewCounts:
    """Since the start; for /metrics."""

    batches: int = 0
    writes: int = 0
    errors: int = 0
    written_at_s: float = 0.0  # wall clock


@dataclass(frozen=True, slots=True)
class Cursor:
    """
    Written to each number in ``done``; ``writing`` is the call under way, noted before it is made.

    After a crash exactly that call is repeated, so a view can recognise it.
    """

    done: Mapping[Source, int]
    writing: Mapping[Source, int]

    @classmethod
    def load(cls, path: Path) -> "Cursor":
        """Empty when there is none. Raises ValueError for a file that is not ours."""
        if not path.exists():
            return cls({}, {})
        try:
            said = json.loads(path.read_text("utf-8"))
            done, writing = (
                {Source(*name.split("/")): int(seq) for name, seq in said[part].items()}
                for part in ("done", "writing")
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f"{path} is damaged ({error}); run: smelter historian rebuild {path.parent.name}"
            ) from None
        return cls(done, writing)

    def save(self, path: Path) -> None:
        parts = {
            "done": {str(source): seq for source, seq in self.done.items()},
            "writing": {str(source): seq for source, seq in self.writing.items()},
        }
        replace_text(path, json.dumps(parts, indent=0))


class ViewRunner:
    """One view with its cursor in ``folder``; entered before and left after the view is used."""

    def __init__(self, view: View, originals: Originals, folder: Path) -> None:
        self.view = view
        self.counts = ViewCounts()
        self._originals = originals
        self._folder = folder
        self._path = folder / "cursor.json"
        self._marker = folder / "resetting"
        self._lock: IO[bytes] | None = None
        self._cursor = Cursor({}, {})
        self._pending: list[StoredBatch] = []
        self._pending_bytes = 0
        self._read: dict[Source, int] = {}
        self._since = 0.0
        self.failing = ""

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(make_folder, self._folder)
        self._lock = (self._folder / "lock").open("wb")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.close()
            raise ViewInUseError(
                f"view {self.view.name}: another process feeds it; stop the historian first"
            ) from None
        try:
            self._cursor = await asyncio.to_thread(Cursor.load, self._path)
        except ValueError:
            self._lock.close()
            raise
        self._read = dict(self._cursor.done)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._lock is not None:
            self._lock.close()

    def behind(self) -> int:
        """Batches of the originals that the view does not have yet."""
        done = self._cursor.done
        return sum(
            max(0, min(log.newest, self._bound(source)) - max(done.get(source, 0), log.oldest - 1))
            for source, log in self._originals.logs.items()
        )

    async def run(self) -> None:
        """Writes what comes, until cancelled."""
        await self._repeat()
        while True:
            await self._gather()
            if not self._pending:
                if not await self._settle():
                    await self._wait(None)
            elif self._due_s() <= 0:
                await self._write(self._reach())
            else:
                await self._wait(self._due_s())

    async def catch_up(self) -> None:
        """Writes everything there is by now, and returns."""
        await self._repeat()
        while True:
            await self._gather()
            if self._pending:
                await self._write(self._reach())
            elif not await self._settle():
                return

    async def reset(self) -> None:
        """The view forgets everything; the next ``run`` or ``catch_up`` starts from the first."""
        await asyncio.to_thread(replace_text, self._marker, "")  # a crash in between: once more
        await self.view.reset()
        self._path.unlink(missing_ok=True)
        self._marker.unlink()
        self._cursor = Cursor({}, {})
        self._read = {}

    # gathering

    def _due_s(self) -> float:
        if self._pending_bytes >= self.view.flush_bytes:
            return 0.0
        return self._since + self.view.flush_s - time.monotonic()

    async def _wait(self, most_s: float | None) -> None:
        try:
            async with asyncio.timeout(most_s):
                await self._originals.wait_news()
                await asyncio.sleep(_PACE_S)
        except TimeoutError:
            return

    async def _gather(self) -> None:
        """Adds what is new to ``_pending``, a piece of each log in turn, up to ``flush_bytes``."""
        more = True
        while more and self._pending_bytes < self.view.flush_bytes:
            more = False
            for source, log in list(self._originals.logs.items()):
                if self._pending_bytes >= self.view.flush_bytes:
                    return
                more |= await self._take(source, log)

    async def _take(self, source: Source, log: BatchLog) -> bool:
        read, bound = self._read.get(source, 0), self._bound(source)
        newest = min(log.newest, bound) if source in self._originals.logs else 0
        if newest <= read:
            return False
        batches = await log.read_from(read + 1, _PIECE_BYTES)
        if source not in self._originals.logs:
            return True  # it was joined meanwhile: the log itself has the rest
        batches = [batch for batch in batches if batch.seq <= bound]
        if not self._pending and batches:
            self._since = time.monotonic()
        self._pending += _stored(source, batches)
        self._pending_bytes += sum(batch.size for batch in batches)
        self._read[source] = batches[-1].seq if batches else newest
        return True

    def _bound(self, source: Source) -> int:
        """
        To where a log is read: what came ahead of its backlog is taken from there.

        A piece that was joined and read may come again: a power cut undid its removal.
        """
        if is_piece(source.log):
            return _NO_END if self._read.get(_base(source), 0) < _begins(source) else 0
        begins = [
            _begins(other)
            for other in {*self._read, *self._originals.logs}
            if is_piece(other.log) and _base(other) == source
        ]
        read = self._read.get(source, 0)
        return min((begin - 1 for begin in begins if begin > read), default=_NO_END)

    async def _settle(self) -> bool:
        """With nothing pending: where a log was read up to what came ahead, go on behind that."""
        joined = [x for x in self._read if is_piece(x.log) and x not in self._originals.logs]
        for piece in sorted(joined, key=lambda x: self._read[x]):
            base = _base(piece)
            if self._read.get(base, 0) < _begins(piece) - 1:
                continue
            self._read[base] = max(self._read.get(base, 0), self._read.pop(piece))
            done = {**self._cursor.done, base: self._read[base]}
            done.pop(piece, None)
            self._cursor = Cursor(done, {})
            await in_full(self._cursor.save, self._path)
            return True
        return False

    def _reach(self) -> dict[Source, int]:
        reach: dict[Source, int] = {}
        for stored in self._pending:
            reach[stored.kept_in] = max(stored.seq, reach.get(stored.kept_in, 0))
        return reach

    # writing

    async def _repeat(self) -> None:
        """The call that was under way when the historian died, with the same batches."""
        if self._marker.exists():
            await self.reset()
        for source, upto in self._cursor.writing.items():
            log = self._originals.logs.get(source)
            read = self._cursor.done.get(source, 0)
            if log is None and is_piece(source.log):  # joined meanwhile
                log = self._originals.logs.get(_base(source))
                read = max(read, _begins(source) - 1)
            while log is not None and read < upto:
                batches = await log.read_from(read + 1, _PIECE_BYTES)
                batches = [batch for batch in batches if batch.seq <= upto]
                if not batches:
                    break
                self._pending += _stored(source, batches)
                read = batches[-1].seq
            self._read[source] = upto
        if self._pending:
            await self._write(dict(self._cursor.writing))

    async def _write(self, reach: Mapping[Source, int]) -> None:
        """Notes the call, makes it until it succeeds, notes that it did."""
        batches = sorted(self._pending, key=lambda stored: (stored.source, stored.seq))
        noted = Cursor(self._cursor.done, reach)
        pauses = Pauses(first_s=1.0, most_s=30.0)
        while True:
            try:
                await in_full(noted.save, self._path)
                await self.view.write(batches)
                done = Cursor({**self._cursor.done, **reach}, {})
                await in_full(done.save, self._path)
                break
            except Exception as error:  # noqa: BLE001 - whatever fails in a view delays only it
                self._fail(error)
            await asyncio.sleep(pauses.next_s())
        if self.failing:
            _log.info("view %s works again", self.view.name)
            self.failing = ""
        self._cursor = done
        self._pending, self._pending_bytes = [], 0
        self.counts.writes += 1
        self.counts.batches += len(batches)
        self.counts.written_at_s = time.time()

    def _fail(self, error: Exception) -> None:
        self.counts.errors += 1
        reason = f"{type(error).__name__}: {error}"
        if reason != self.failing:
            _log.warning("view %s: %s; nothing is lost, trying again", self.view.name, reason)
        self.failing = reason
