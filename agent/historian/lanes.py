"""What came on one topic and waits for the disk, and what must go forward of it."""

import asyncio
from dataclasses import dataclass, field

from agent.historian.received import Sender
from agent.notify import Work

QUEUE = 64  # messages per stream; a gateway has at most 20 on the way


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
