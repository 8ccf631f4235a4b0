"""What waits for the batch log: lines of one stream, closed as a batch now and then, bounded."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from functools import partial

from agent.batches.log import BatchLog, LogError
from agent.edge.untaken import Losses, Origin, Stretches
from agent.wire.encode import BatchHead, batch_payload

_log = logging.getLogger(__name__)

BATCH_BYTES = 4 << 20  # plain; a longer backlog becomes several batches
ROOM_BYTES = 64 << 20  # what may wait while the disk is slow or full


class Outbox:
    """
    Lines on their way into a batch log.

    ``add`` never waits, so that a slow disk does not slow the polls. While the log refuses, lines
    wait; what finds no room any more is counted in ``dropped``, by device in ``gone``, and never
    silently gone.
    """

    def __init__(
        self,
        log: BatchLog,
        head: BatchHead,
        now_ns: Callable[[], int],
        *,
        room_bytes: int = ROOM_BYTES,
        stamp: Callable[[], str] = lambda: "",
    ) -> None:
        self.log = log
        self.head = head
        self.dropped = 0  # lines, since the start
        self.refused = ""  # why the log takes nothing, while that lasts
        self._now_ns = now_ns
        self._stamp = stamp  # what the first line says of the clock
        self._room = room_bytes
        self.gone = Stretches()  # that nobody has told yet
        self._parts: deque[tuple[bytes, Origin | None]] = deque()
        self._bytes = 0
        self._taken: list[bytes] = []  # the batch under way
        self._waiting = Stretches()  # of all lines not yet in the log
        self._urgent = False

    @property
    def waiting_bytes(self) -> int:
        return self._bytes

    def losses(self) -> Losses:
        """What is lost and not told, and what would be lost with the process."""
        return Losses(self.gone, self._waiting if self.refused else Stretches(), self.log.newest)

    def add(self, part: bytes, *, urgent: bool = False, origin: Origin | None = None) -> bool:
        """
        Take lines; False when there is no room for them. ``urgent`` may use the last reserve.

        ``origin``: whose they are; without it they are the gateway's own, a value a line.
        """
        if self._bytes + len(part) > self._room and not urgent:
            lines = part.count(b"\n") + 1
            self.dropped += lines
            self.gone.add(origin or Origin("", self._now_ns(), lines))
            return False
        self._parts.append((part, origin))
        if origin:
            self._waiting.add(origin)
        self._bytes += len(part)
        self._urgent |= urgent
        return True

    async def flush(self) -> None:
        """
        Everything that waits becomes durable, or ``refused`` says why not.

        A cancellation waits for that: the log finishes what it began, and lines that it took while
        nobody listened any more would be written once again.
        """
        flushing = asyncio.ensure_future(self._flush())
        cancelled: asyncio.CancelledError | None = None
        while not flushing.done():
            try:
                await asyncio.wait((flushing,))
            except asyncio.CancelledError as error:
                cancelled = error
        flushing.result()
        if cancelled is not None:
            raise cancelled

    async def _flush(self) -> None:
        while self._parts or self._taken:
            self._take()
            closed_ns = self._now_ns()
            try:
                await self.log.append(
                    partial(self._payload, closed_ns), closed_ns=closed_ns, urgent=self._urgent
                )
            except (LogError, OSError) as error:
                if not self.refused:
                    _log.error("%s log refuses batches: %s", self.log.stream, error)
                self.refused = str(error)
                return
            if self.refused:
                _log.warning("%s log takes batches again", self.log.stream)
            self.refused, self._urgent = "", False
            self._bytes -= sum(map(len, self._taken))
            self._taken = []
            self._waiting = Stretches.of(origin for _, origin in self._parts if origin)

    def _take(self) -> None:
        """Move up to a batch's worth of lines into the batch under way."""
        size = sum(map(len, self._taken))
        while self._parts and (not size or size + len(self._parts[0][0]) <= BATCH_BYTES):
            part, _ = self._parts.popleft()
            self._taken.append(part)
            size += len(part)

    def _payload(self, closed_ns: int, seq: int, previous: str) -> tuple[bytes, int]:
        return batch_payload(
            self.head,
            self._taken,
            log=self.log.log_id,
            seq=seq,
            prev=previous,
            closed_ns=closed_ns,
            clock=self._stamp(),
        )
