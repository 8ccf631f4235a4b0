"""
The newest batches as they came, bounded in bytes and age; nothing of them is read here.

Only what the historian holds durably is put in. Keeping costs a few appends for each batch.
"""

from collections import deque
from dataclasses import dataclass, field

from agent.batches.batch import Batch
from agent.views import Source

SECOND_NS = 1_000_000_000
REACH_NS = {"raw": 90 * SECOND_NS, "record": 15 * 60 * SECOND_NS}
AHEAD_NS = 600 * SECOND_NS  # a clock may be so far ahead of ours
MOST_BYTES = 8 << 20  # of plain payload, of each of the three queues

Kept = tuple[Source, Batch]


@dataclass(slots=True)
class Queue:
    """First in, first out; the oldest go when there is no room."""

    kept: deque[Kept] = field(default_factory=deque)
    bytes: int = 0

    def add(self, source: Source, batch: Batch) -> int:
        """How many batches had to go."""
        self.kept.append((source, batch))
        self.bytes += batch.size
        gone = 0
        while self.bytes > MOST_BYTES and len(self.kept) > 1:
            self.drop()
            gone += 1
        return gone

    def drop(self) -> Kept:
        source, batch = self.kept.popleft()
        self.bytes -= batch.size
        return source, batch


class Ring:
    """What came and was not read yet; ``late`` is of a backlog: only its events matter."""

    def __init__(self) -> None:
        self._queues = {"raw": Queue(), "record": Queue()}
        self._late = Queue()
        self.gone = 0  # batches that nobody read

    def keep(self, source: Source, batch: Batch, now_ns: int) -> None:
        """Called for each batch that was stored, in order of coming."""
        queue = self._queues.get(source.stream)
        if queue is None:
            return
        age_ns = now_ns - batch.closed_ns
        reach_ns = REACH_NS[source.stream]
        if -AHEAD_NS <= age_ns <= reach_ns:
            self.gone += queue.add(source, batch)
            while queue.kept and now_ns - queue.kept[0][1].closed_ns > reach_ns:
                queue.drop()
                self.gone += 1
        elif source.stream == "record":
            self.gone += self._late.add(source, batch)

    def take(self, most_bytes: int) -> tuple[list[Kept], list[Kept]]:
        """Some of what is there, which is then gone from here: live batches, late ones."""
        found: list[Kept] = []
        for queue in self._queues.values():
            while queue.kept and most_bytes > 0:
                most_bytes -= queue.kept[0][1].size
                found.append(queue.drop())
        late: list[Kept] = []
        while self._late.kept and most_bytes > 0:
            most_bytes -= self._late.kept[0][1].size
            late.append(self._late.drop())
        return found, late

    @property
    def bytes(self) -> int:
        """Of plain payload; in memory it is a fraction of that."""
        return self._late.bytes + sum(queue.bytes for queue in self._queues.values())
