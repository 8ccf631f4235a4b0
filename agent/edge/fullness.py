"""A log that fills, is full, and takes again: the alarm before, the events, what was lost."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from agent.batches.room import Room, filled
from agent.edge.outbox import Outbox
from agent.edge.untaken import Lost, UntakenBook
from agent.wire.events import Event, EventBook, Happening
from drivers.model import Equipment

ALARM_AT, OVER_AT = 0.70, 0.60  # of the room; between them it stays as it is


class RoomAlarm:
    """Whether what must not be deleted takes most of the room that the logs could have."""

    def __init__(self) -> None:
        self.on = False
        self.share = 0.0
        self._rooms: Sequence[Room] = ()

    def look(self, rooms: Sequence[Room]) -> bool:
        """``rooms`` of all logs on one disk; True while the alarm lasts."""
        self._rooms, self.share = rooms, filled(rooms)
        self.on = self.share >= (OVER_AT if self.on else ALARM_AT)
        return self.on

    @property
    def text(self) -> str:
        """What is so full, and what to do."""
        held = sum(room.held for room in self._rooms)
        free = min((room.free for room in self._rooms), default=0)
        return (
            f"{self.share:.0%} of the room for batches is taken: {held / 1e6:,.1f} MB must be "
            f"kept, {free / 1e6:,.1f} MB are free; restore the connection to the historian, free "
            "disk space or raise max_bytes"
        )


class Fullness:
    """Of both outboxes of a gateway."""

    def __init__(
        self,
        record: Outbox,
        raw: Outbox,
        book: EventBook,
        where: Callable[[str], Equipment | None],
    ) -> None:
        self._record, self._boxes = record, (record, raw)
        self._book = book
        self._where = where  # the equipment of a device, where it has only one
        self._untaken = UntakenBook()
        self.room = RoomAlarm()
        self._oldest = {box.log.stream: box.log.oldest for box in self._boxes}

    async def open(self, path: Path) -> list[Event]:
        """What an earlier run lost before a full log and could not tell any more."""
        newest = {box.log.stream: box.log.newest for box in self._boxes}
        found = await asyncio.to_thread(self._untaken.open, path, newest)
        return [event for lost in found if (event := self._gap(lost))]

    async def keep(self) -> None:
        """For the next run, should this one end before there is room again."""
        text = self._untaken.changed({box.log.stream: box.losses() for box in self._boxes})
        if text is not None:
            await asyncio.to_thread(self._untaken.keep, text)

    def look(self, at_ns: int) -> Iterator[Event]:
        """After the outboxes were flushed."""
        if not self._record.refused:
            self._untaken.settle()
        for box in self._boxes:
            stream = box.log.stream
            if box.refused:
                text = f"{stream}: {box.refused}"
                yield from _some(self._book.begin(Happening.LOG_FULL, stream, at_ns, text))
                continue
            yield from _some(self._book.finish(Happening.LOG_FULL, stream, at_ns))
            for lost in self._untaken.tell(stream, box.gone):
                yield from _some(self._gap(lost))
        yield from self._pruned(at_ns)
        if self.room.look([box.log.room for box in self._boxes]):
            text = self.room.text
            yield from _some(self._book.begin(Happening.LOG_FILLING, "logs", at_ns, text))
        else:
            yield from _some(self._book.finish(Happening.LOG_FILLING, "logs", at_ns))

    def _pruned(self, at_ns: int) -> Iterator[Event]:
        """A deletion leaves a record, under the checkpoints of the record log."""
        for box in self._boxes:
            log, before = box.log, self._oldest[box.log.stream]
            if log.oldest > before:
                self._oldest[log.stream] = log.oldest
                text = (
                    f"{log.stream} {log.log_id}: batches {before} to {log.oldest - 1} deleted, "
                    f"receipted to {log.receipted}"
                )
                amount = float(log.oldest - before)
                yield self._book.once(Happening.PRUNED, at_ns, text, amount=amount)

    def _gap(self, lost: Lost) -> Event | None:
        what = f"{lost.device or 'gateway'}-{lost.stream}-full"
        start_ns, end_ns = lost.stretch.start_ns, lost.stretch.end_ns
        where = self._where(lost.device)
        self._book.begin(Happening.GAP, what, start_ns, lost.text, where)
        return self._book.finish(Happening.GAP, what, end_ns, amount=lost.stretch.values)

    def untaken(self) -> dict[tuple[str, str], tuple[int, int]]:
        """(values, reads) that found no room since the start, by (stream, device)."""
        return self._untaken.totals({box.log.stream: box.gone for box in self._boxes})


def _some(event: Event | None) -> tuple[Event, ...]:
    return (event,) if event else ()
