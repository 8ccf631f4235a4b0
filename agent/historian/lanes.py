"""What came on one topic and waits for the disk, and what must go forward of it."""

import asyncio
from dataclasses import dataclass, field

from agent.historian.received import Sender
from agent.notify import Work

QUEUE = 64  # messages per stream; a gateway has at most 20 on the way


@dataclass(slots=True)
class ReceiveCounts:
    """Since the start; for /metrics."""

    connected: int = 0
    lost: int = 0
    messages: int = 0
    bytes: int = 0
    stored: int = 0
    known: int = 0  # duplicates, receipted again
    gaps: int = 0
    missing: int = 0  # batch numbers gone for good
    conflicts: int = 0
    resends: int = 0  # asked for
    refused: int = 0  # no batch, or not the sender's
    overflow: int = 0  # no room in the queue: asked for again
    not_stored: int = 0  # the disk refused: not receipted
    receipts: int = 0


@dataclass(frozen=True, slots=True)
class Hello:
    """A gateway said its state: it wants to know what is durable here of this log."""

    log: str
    ask: bool  # and from where to send on


@dataclass(slots=True, eq=False)
class Lane:
    """What came on one topic and waits for the disk."""

    sender: Sender
    stream: str
    queue: "asyncio.Queue[bytes | Hello]" = field(default_factory=lambda: asyncio.Queue(QUEUE))
    asked: dict[tuple[str, bool], tuple[int, float]] = field(default_factory=dict)
    apart: set[str] = field(default_factory=set)  # logs of which something may be joined
    turns: int = 0  # groups taken, batches stored
    busy: bool = False

    @property
    def figure(self) -> int | None:
        """Moves while there is something to do."""
        return self.turns if self.busy or not self.queue.empty() else None

    def work(self, wait_s: float) -> tuple[str, Work]:
        """By name, for the watchdog."""
        name = f"batches of {self.sender.plant}/{self.sender.gateway}/{self.stream}"
        return name, Work(self.figure, wait_s)
