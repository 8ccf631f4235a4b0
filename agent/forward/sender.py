"""From the spool to the platform: in order, live before backfilled in 2025, until acknowledged."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from agent.batches.in_thread import to_the_end
from agent.batches.log import BatchLog
from agent.forward.link import Link, RefusedError
from agent.forward.maker import Message
from agent.forward.settings import ForwardConfig
from agent.forward.spool import Acknowledged, Made, made_of
from agent.mqtt import Pauses
from drivers.hj212.encode import EncodeError, split
from drivers.hj212.segment import Field, Item, Segment, flag_of, qn_of, time_text
from drivers.language import say

_log = logging.getLogger(__name__)

SECOND_NS = 1_000_000_000
SAVE_S = 0.5
AGAIN_S = 600.0  # what was refused is tried again after this
OURS = frozenset({"3", "4", "5", "6"})  # password, MN, ST, Flag: our config is not theirs


@dataclass(slots=True)
class ForwardCounts:
    """Since the start; for /metrics."""

    connected: int = 0
    lost: int = 0
    packets: int = 0
    again: int = 0  # packets repeated because no answer came in time
    acknowledged: int = 0
    backfilled: int = 0
    refused: int = 0
    timeouts: int = 0
    orders_refused: int = 0
    unsendable: int = 0
    pruned: int = 0  # entries that were deleted before they were acknowledged


class Sender:
    """Sends what the spool holds, for as long as ``run`` runs."""

    def __init__(
        self,
        config: ForwardConfig,
        spool: BatchLog,
        acknowledged: Acknowledged,
        key: bytes | None,
        *,
        wall_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._config, self._spool, self._acknowledged = config, spool, acknowledged
        self._key, self._wall_ns = key, wall_ns
        self._pauses = Pauses(first_s=min(1.0, config.pause_most_s), most_s=config.pause_most_s)
        self._qn_ms = 0
        self._saved_s = 0.0
        self._set_aside: dict[int, float] = {}  # refused entries, until then (monotonic)
        self._told = ""
        self.online = False
        self.counts = ForwardCounts()

    @property
    def unsent(self) -> int:
        """Entries that the platform has not acknowledged."""
        return self._spool.newest - self._acknowledged.upto - len(self._acknowledged.beyond)

    async def run(self) -> None:
        """Connect, send, and connect again, until cancelled."""
        while True:
            try:
                await self._session()
            except* (OSError, TimeoutError) as errors:
                self._lost(errors.exceptions[0])
            except* RefusedError as errors:
                self._lost(errors.exceptions[0])
            await self._save(force=True)
            task = asyncio.current_task()
            if task is not None and task.cancelling():  # an error came with it, and hid it
                raise asyncio.CancelledError
            await asyncio.sleep(self._pauses.next_s())

    def _lost(self, error: BaseException) -> None:
        why = str(error) or type(error).__name__
        if self.online or why != self._told:
            _log.warning("platform %s (%s) lost: %s", self._config.name, self._config.address, why)
        self._told = why
        self.counts.lost += self.online
        self.online = False

    async def _session(self) -> None:
        def asked(_: Segment) -> None:
            self.counts.orders_refused += 1

        link = await Link.connect(self._config.address, self._key, asked)
        self.counts.connected += 1
        self.online = True
        try:
            async with asyncio.TaskGroup() as tasks:
                listening = tasks.create_task(link.listen())
                await self._send_on(link)
                listening.cancel()
        finally:
            link.close()

    async def _send_on(self, link: Link) -> None:
        """
        2017: everything in order. 2025: what was made since the connection first, then the backlog.

        Both lanes go up in order; only one packet is on its way at a time.
        """
        live = self._spool.newest if self._config.version == 2025 else self._acknowledged.upto
        while True:
            self._forget_pruned()
            newest = self._spool.newest
            live = max(live, self._acknowledged.upto)
            seq = self._next(live, newest)
            if seq is not None:
                await self._entry(link, seq)
                live = seq
                continue
            seq = self._next(self._acknowledged.upto, live)
            if seq is not None:
                await self._entry(link, seq)
                continue
            await self._save(force=True)
            await self._wait(newest)

    def _next(self, after: int, upto: int) -> int | None:
        now_s = time.monotonic()
        for seq in range(after + 1, upto + 1):
            if seq not in self._acknowledged and self._set_aside.get(seq, 0.0) <= now_s:
                return seq
        return None

    async def _wait(self, newest: int) -> None:
        """For a new entry, or until something that was set aside is due."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(AGAIN_S / 10):
                await self._spool.wait_beyond(newest)

    def _forget_pruned(self) -> None:
        before = self._acknowledged.upto
        self._acknowledged.skip(self._spool.oldest)
        self.counts.pruned += max(0, self._acknowledged.upto - before)

    async def _entry(self, link: Link, seq: int) -> None:
        batch = await self._spool.read(seq)
        if batch is not None and not await self._all(link, made_of(batch)):
            self._set_aside[seq] = time.monotonic() + AGAIN_S
            return
        self._set_aside.pop(seq, None)
        self._acknowledged.add(seq)
        self._pauses.reset()
        self._told = ""
        await self._save()

    async def _all(self, link: Link, made: Made) -> bool:
        """False when the platform refuses one of them; the others were taken."""
        good = True
        for message in made.messages:
            late_s = (self._wall_ns() - made.made_ns) / SECOND_NS
            late = late_s > self._config.late_s
            try:
                for segment in self._packets(message, late=late):
                    await self._packet(link, segment)
            except EncodeError as error:
                self.counts.unsendable += 1
                _log.error("platform %s: %s", self._config.name, error)
            except RefusedError as error:
                self._refused(message, error)
                good = False
        return good

    async def _packet(self, link: Link, segment: Segment) -> None:
        config = self._config
        self.counts.packets += 1
        self.counts.backfilled += segment.rf
        try:
            await link.deliver(segment, config.timeout_s, config.retries, self._again)
        except TimeoutError:
            self.counts.timeouts += 1
            raise
        self.counts.acknowledged += 1

    def _again(self) -> None:
        self.counts.again += 1

    def _refused(self, message: Message, error: RefusedError) -> None:
        self.counts.refused += 1
        if error.code in OURS:
            what = {"3": "PW", "4": "MN", "5": "ST", "6": "Flag"}[error.code]
            told = say(
                f"平台不认可 {what}（{error}）；请核对 [[forward]]",
                f"the platform does not accept {what} ({error}); compare [[forward]] with it",
            )
            raise ConnectionRefusedError(told) from None
        start = datetime.fromtimestamp(message.start_s, UTC)
        told = f"CN={message.command} DataTime={time_text(start)}: {error}"
        _log.warning("platform %s refused %s", self._config.name, told)

    def _packets(self, message: Message, *, late: bool) -> Iterator[Segment]:
        config = self._config
        start = Field("DataTime", time_text(datetime.fromtimestamp(message.start_s, UTC)))
        segment = Segment(
            qn="",
            st="31",
            cn=message.command,
            pw=config.pw,
            mn=config.mn,
            flag=flag_of(config.version, answer=True),
            cp=((start,), *_items(message)),
            rf=late and config.version == 2025,
        )
        yield from self._named(segment)

    def _named(self, segment: Segment) -> Iterator[Segment]:
        """With QNs that rise, one ms for each part."""
        self._qn_ms = max(self._qn_ms + 1, self._wall_ns() // 1_000_000)
        named = replace(segment, qn=qn_of(datetime.fromtimestamp(self._qn_ms / 1000, UTC)))
        pieces = split(named)
        self._qn_ms += len(pieces) - 1
        yield from pieces

    async def _save(self, *, force: bool = False) -> None:
        if not force and time.monotonic() - self._saved_s < SAVE_S:
            return
        self._saved_s = time.monotonic()
        try:
            _, cancelled = await to_the_end(self._acknowledged.save)
        except OSError as error:
            _log.warning("platform %s: position not saved: %s", self._config.name, error)
        else:
            if cancelled:
                raise cancelled
        if self._spool.set_receipted(self._acknowledged.upto):
            await self._spool.prune()


def _items(message: Message) -> Iterator[Item]:
    """Fields of one factor stand together, with commas."""
    fields: list[Field] = []
    for name, value in message.fields:
        if fields and fields[-1].name.partition("-")[0] != name.partition("-")[0]:
            yield tuple(fields)
            fields = []
        fields.append(Field(name, value))
    if fields:
        yield tuple(fields)
