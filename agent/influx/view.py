"""
InfluxDB as a view of the originals: lines go as they are, the same ones again are harmless.

What the server can never take (400, 422, a single line too long) is bisected out and kept in a
table of dead letters; everything else is tried until it succeeds, and the cursor stands still.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from agent.influx.api import Answer, Door, door_of
from agent.influx.config import InfluxConfig
from agent.influx.deadletter import DeadLetters
from agent.views import StoredBatch
from drivers.peer import Refusal

_log = logging.getLogger(__name__)

_BODY_BYTES: Final = 8 << 20
_FIRST_PAUSE_S, _LONGEST_PAUSE_S, _PERSON_PAUSE_S = 0.5, 30.0, 60.0
_LONGEST_RETRY_AFTER_S: Final = 3600.0


class Verdict(Enum):
    """What an answer means for the lines that were sent."""

    STORED = "stored"
    REFUSED = "refused"  # something in the lines: find it
    TOO_LARGE = "too large"
    LATER = "later"  # the server or the network: the same again, after a pause
    PERSON = "person"  # rights, address or name: somebody must act, and we go on trying


def verdict(status: int) -> Verdict:
    """The reaction that is right for 1.x, 2.x and 3.x alike."""
    if 200 <= status < 300:
        return Verdict.STORED
    if status in {400, 422}:
        return Verdict.REFUSED
    if status == 413:
        return Verdict.TOO_LARGE
    if status == 0 or status in {408, 429} or status >= 500:
        return Verdict.LATER
    return Verdict.PERSON


_ACT: Final = {
    401: "user, password or token is wrong",
    403: "this user or token may not write here",
    404: "no such database, bucket or address",
}


@dataclass(frozen=True, slots=True)
class Piece:
    """Lines for one request, as whole payloads or as parts of one."""

    parts: tuple[tuple[StoredBatch, bytes], ...]

    @property
    def body(self) -> bytes:
        return b"\n".join(text for _, text in self.parts)

    def lines(self) -> list[tuple[StoredBatch, bytes]]:
        return [(each, line) for each, text in self.parts for line in text.split(b"\n") if line]

    def halves(self) -> tuple["Piece", "Piece"] | None:
        """Two pieces with half of the lines each; None for a single line."""
        lines = self.lines()
        if len(lines) < 2:
            return None
        middle = len(lines) // 2
        return Piece(tuple(lines[:middle])), Piece(tuple(lines[middle:]))


def pieces(
    batches: Sequence[StoredBatch], most_lines: int, *, audit: bool = True
) -> Iterator[Piece]:
    """
    All lines of the batches in their order, at most about ``most_lines`` to a piece.

    Without ``audit`` acts are left out.
    """
    parts: list[tuple[StoredBatch, bytes]] = []
    lines = size = 0
    for batch in batches:
        payload = batch.payload if audit else _without_acts(batch.payload)
        for part in _cut(payload.rstrip(b"\n"), most_lines):
            count = part.count(b"\n") + 1
            if parts and (lines + count > most_lines or size + len(part) > _BODY_BYTES):
                yield Piece(tuple(parts))
                parts, lines, size = [], 0, 0
            parts.append((batch, part))
            lines += count
            size += len(part)
    if parts:
        yield Piece(tuple(parts))


def _without_acts(payload: bytes) -> bytes:
    if b"\naudit," not in payload:
        return payload
    return b"\n".join(each for each in payload.split(b"\n") if not each.startswith(b"audit,"))


def _cut(payload: bytes, most_lines: int) -> Iterator[bytes]:
    if payload.count(b"\n") < most_lines and len(payload) <= _BODY_BYTES:
        yield payload
        return
    lines = payload.split(b"\n")
    step = max(1, min(most_lines, len(lines) * _BODY_BYTES // len(payload)))
    for start in range(0, len(lines), step):
        yield b"\n".join(lines[start : start + step])


class InfluxView:
    """View ``influxdb``, or as the config names it; ``trouble`` says why it stands still."""

    def __init__(
        self,
        config: InfluxConfig,
        folder: Path,
        *,
        flush_s: float = 1.0,
        flush_bytes: int = 8 << 20,
        door: Door | None = None,
    ) -> None:
        self.config = config
        self.trouble = ""
        self.refused = 0
        self.lines = 0
        self._flush_s = flush_s
        self._flush_bytes = flush_bytes
        self._dead = DeadLetters(folder / f"{config.name}-refused.sqlite")
        self._burial = asyncio.Lock()
        self._door = door or door_of(config)
        self.on_peer: Callable[[str, Refusal | None], None] = lambda *_: None

    @property
    def name(self) -> str:
        return self.config.name

    @property
    def flush_s(self) -> float:
        return self._flush_s

    @property
    def flush_bytes(self) -> int:
        return self._flush_bytes

    @property
    def dead_letters(self) -> DeadLetters:
        return self._dead

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._door.close()
        self._dead.close()

    async def write(self, batches: Sequence[StoredBatch]) -> None:
        """
        All lines are in the database or among the dead letters on return.

        Pieces of the record stream go one after the other, for the lines of an event must arrive
        in their order; those of the raw stream two at a time.
        """
        for stream in self.config.streams:
            mine = [each for each in batches if each.source.stream == stream]
            await self._store_all(mine, at_once=2 if stream == "raw" else 1)

    async def reset(self) -> None:
        """
        Forget the dead letters. Nothing is deleted in the database, which others may use too:
        the same lines written again replace themselves.
        """
        await asyncio.to_thread(self._dead.clear)

    async def _store_all(self, batches: Sequence[StoredBatch], at_once: int) -> None:
        gate = asyncio.Semaphore(at_once)
        async with asyncio.TaskGroup() as tasks:
            most, audit = self.config.lines_per_request, self.config.audit
            for piece in pieces(batches, most, audit=audit):
                await gate.acquire()
                task = tasks.create_task(self._store(piece))
                task.add_done_callback(lambda _: gate.release())

    async def _store(self, piece: Piece) -> None:
        answer = await self._settled(piece)
        meaning = verdict(answer.status)
        if meaning is Verdict.STORED:
            self.lines += sum(text.count(b"\n") + 1 for _, text in piece.parts)
            return
        halves = piece.halves()
        if halves is not None:
            for half in halves:
                await self._store(half)
            return
        reason = str(answer)
        async with self._burial:
            await asyncio.to_thread(self._dead.add, [(*line, reason) for line in piece.lines()])
        self.refused += 1
        _log.warning("%s: a line was refused and kept: %s", self.name, reason)

    async def _settled(self, piece: Piece) -> Answer:
        """The first answer that says something about the lines themselves."""
        pause_s, body = _FIRST_PAUSE_S, piece.body
        while True:
            answer = await asyncio.to_thread(self._door.post, body)
            meaning = verdict(answer.status)
            if meaning not in {Verdict.LATER, Verdict.PERSON}:
                self._back()
                return answer
            self._lost(answer)
            if meaning is Verdict.PERSON:
                await asyncio.sleep(_PERSON_PAUSE_S)
                continue
            wait_s = pause_s * random.uniform(0.5, 1.0)  # noqa: S311 - spreads retries, no secret
            if answer.retry_after_s is not None:
                wait_s = max(wait_s, min(answer.retry_after_s, _LONGEST_RETRY_AFTER_S))
            await asyncio.sleep(wait_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _lost(self, answer: Answer) -> None:
        what = _ACT.get(answer.status, "trying again, nothing is lost")
        if answer.refusal is not None:
            self.on_peer(self.name, answer.refusal)
            what = "nothing was sent; a person must act"
        trouble = f"{self.config.url}: {answer} – {what}"
        if not self.trouble:
            _log.error("%s: %s", self.name, trouble)
        self.trouble = trouble

    def _back(self) -> None:
        if self.trouble:
            _log.info("%s: %s takes data again", self.name, self.config.url)
            self.on_peer(self.name, None)
            self.trouble = ""
