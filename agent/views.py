"""What a view of the originals is: it can be rebuilt, and delays nobody but itself."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Protocol, Self

from agent.batches.batch import Batch


@dataclass(frozen=True, slots=True, order=True)
class Source:
    """Where batches come from: one log of one stream of one gateway."""

    plant: str
    gateway: str
    stream: str  # "record" or "raw"
    log: str  # 16 hex digits, "-c<seq>" appended for the other branch of a conflict

    def __str__(self) -> str:
        return f"{self.plant}/{self.gateway}/{self.stream}/{self.log}"


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """
    A batch of the originals; durable, receipted, never altered.

    ``source`` is the gateway's log. Numbers of one source come in order, except of what came ahead
    of a backlog: that has a ``run`` of its own (``-a<first seq>``), in order too.
    """

    source: Source
    batch: Batch
    run: str = ""

    @property
    def kept_in(self) -> Source:
        """Source and run in one: within it numbers only rise."""
        return replace(self.source, log=self.source.log + self.run) if self.run else self.source

    @property
    def seq(self) -> int:
        return self.batch.seq

    @property
    def payload(self) -> bytes:
        """Plain line protocol, unpacked anew at each use: take it once."""
        return self.batch.payload


class View(Protocol):
    """
    A view of the originals, entered with ``async with`` by the historian.

    * ``write`` is called by one task, never concurrently, with batches sorted by source and seq. It
      returns when everything is durable in the view and raises when anything is not; then the same
      call is made again, with the same batches, after a pause – also after a crash of the historian
      in or after ``write``: the call is noted on disk before it is made. A view that names
      its output by its input (or whose writes are idempotent) is therefore exactly once.
    * What a view can never take (a poison line) it keeps aside and counts; it does not raise.
    * The historian gathers up to ``flush_bytes`` of plain payload or ``flush_s`` seconds, whichever
      is first, into one ``write``.
    * ``reset`` throws away everything the view holds; then it is written anew from the first batch.
    """

    @property
    def name(self) -> str: ...

    @property
    def flush_s(self) -> float: ...

    @property
    def flush_bytes(self) -> int: ...

    async def __aenter__(self) -> Self: ...

    async def write(self, batches: Sequence[StoredBatch]) -> None: ...

    async def reset(self) -> None: ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
