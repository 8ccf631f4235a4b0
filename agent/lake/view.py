"""The lake as a view of the originals: writes in a thread, merges beside it."""

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import Self

import pyarrow as pa

from agent.lake.lake import Lake
from agent.lake.merge import Stopped
from agent.lake.tiers import Job
from agent.views import StoredBatch

_log = logging.getLogger(__name__)


class LakeView:
    """View ``lake``. One writer per folder; ``agent/lake/lake.py`` says what readers rely on."""

    def __init__(
        self,
        root: Path,
        *,
        flush_s: float = 10.0,
        flush_bytes: int = 8 << 20,
        look_s: float = 60.0,
    ) -> None:
        self.lake = Lake(root)
        self._flush_s = flush_s
        self._flush_bytes = flush_bytes
        self._look_s = look_s  # how often days are looked at that nobody writes to
        self._turn = asyncio.Lock()  # write and swap both change folders
        self._wake = asyncio.Event()
        self._stop = Event()
        self._merging: asyncio.Task[None] | None = None
        self._tasks = asyncio.TaskGroup()

    @property
    def name(self) -> str:
        return "lake"

    @property
    def flush_s(self) -> float:
        return self._flush_s

    @property
    def flush_bytes(self) -> int:
        return self._flush_bytes

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self.lake.open)
        await self._tasks.__aenter__()
        self._merging = self._tasks.create_task(self._merge(), name="lake merge")
        return self

    async def write(self, batches: Sequence[StoredBatch]) -> None:
        async with self._turn:
            await asyncio.to_thread(self.lake.write, batches)
        self._wake.set()

    async def reset(self) -> None:
        async with self._turn:
            await asyncio.to_thread(self.lake.reset)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._wake.set()
        await self._tasks.__aexit__(kind, error, trace)
        await asyncio.to_thread(self.lake.close)

    async def _merge(self) -> None:
        """Merge whatever is due, now and whenever something was written or a day went cold."""
        while not self._stop.is_set():
            self._wake.clear()
            try:
                await self._merge_due()
            except Stopped:
                return
            try:
                async with asyncio.timeout(self._look_s):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _merge_due(self) -> None:
        while not self._stop.is_set():
            async with self._turn:
                job = await asyncio.to_thread(self.lake.due)
            if job is None:
                return
            try:
                staged = await asyncio.to_thread(self.lake.merge, job, self._stop.is_set)
                await self._swap(job, staged)
            except (OSError, pa.ArrowException, RuntimeError):
                _log.exception("lake: %s stays as it is, merging failed", job.partition.folder)
                self.lake.give_up(job)

    async def _swap(self, job: Job, staged: Path) -> None:
        while not self._stop.is_set():
            async with self._turn:
                if await asyncio.to_thread(self.lake.swap, job, staged):
                    break
            await asyncio.sleep(0.2)  # a reader holds the lake
        if not self.lake.can_merge:
            _log.warning("lake: this file system cannot exchange folders, files stay unmerged")
