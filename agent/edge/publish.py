"""
From the batch log to the broker: in order, record first, until the historian's receipt.

What is not receipted is sent again, from the log; the broker's PUBACK moves nothing (except with
``delivery = "puback"``). Nothing here holds data that the log does not hold.
"""

import asyncio
import json
import logging
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import aiomqtt

from agent.batches.batch import ZSTD, Batch
from agent.batches.log import BatchLog
from agent.mqtt import MqttConfig, Pauses, connection, keep_connected, topic

_log = logging.getLogger(__name__)

WINDOW = 20  # batches sent and not yet receipted, per stream
ON_THE_WAY_BYTES = 256 << 10  # sent and not yet PUBACKed: a slow line stays fair to `record`
_RECEIPT_BYTES = 1024
_PUBACK_S = 60.0
_AGAIN_S = 1.0  # the same request to send again is obeyed at most once per this
_PATIENCE_MOST_S = 60.0
_NOTE_S = 0.05  # between two savings of the receipt that outlive the process
_KEEP_S = 30.0  # and that outlive a power cut


@dataclass(slots=True)
class PublishCounts:
    """Since the start; for /metrics."""

    connected: int = 0
    lost: int = 0
    batches: int = 0
    bytes: int = 0
    again: int = 0  # batches sent more than once
    receipts: int = 0
    resends: int = 0
    timeouts: int = 0
    foreign: int = 0  # receipts for another log or for a batch that is not there
    unreadable: int = 0


@dataclass(slots=True, eq=False)
class _Lane:
    """How far one stream is."""

    stream: str
    log: BatchLog
    patience_s: float
    first_patience_s: float
    next: int = 1
    furthest: int = 0
    window: int = WINDOW
    turn: int = 0  # counts jumps of `next`: a read that was under way is void
    heard_at: float = 0.0  # last PUBACK, receipt or start
    asked: tuple[int, float] = (0, -math.inf)
    flying: set[int] = field(default_factory=set)  # sent, not yet PUBACKed

    @property
    def floor(self) -> int:
        """Nothing up to here is to be sent: receipted, pruned or lost."""
        floor = max(self.log.receipted, self.log.oldest - 1)
        for first, last in self.log.lost:
            if first <= floor + 1 <= last:
                floor = last
        return floor

    @property
    def limit(self) -> int:
        return self.floor + self.window

    def restart(self) -> None:
        """Sends again from the first batch that is not receipted."""
        self.jump(self.floor + 1)
        self.heard_at = time.monotonic()

    def jump(self, seq: int) -> None:
        self.next = seq
        self.turn += 1

    @property
    def may_send(self) -> bool:
        return self.next <= min(self.log.newest, self.limit)

    @property
    def waits(self) -> bool:
        return self.next > self.floor + 1

    def heard(self) -> None:
        """The other end lives: the window opens again."""
        self.next = max(self.next, self.floor + 1)
        self.heard_at = time.monotonic()
        self.window, self.patience_s = WINDOW, self.first_patience_s

    def lose_patience(self) -> None:
        """Nobody receipts: one batch at a time, less and less often, until somebody does."""
        self.window = 1
        self.patience_s = min(self.patience_s * 2, _PATIENCE_MOST_S)
        self.restart()


class Publisher:
    """Sends what the logs hold, ``record`` before the others, for as long as ``run`` runs."""

    def __init__(
        self,
        broker: MqttConfig,
        plant: str,
        gateway: str,
        logs: Mapping[str, BatchLog],
        *,
        receipt_timeout_s: float = 10.0,
        pause_most_s: float = 20.0,
    ) -> None:
        self._broker = broker
        self._plant, self._gateway = plant, gateway
        self._lanes = {
            stream: _Lane(stream, logs[stream], receipt_timeout_s, receipt_timeout_s)
            for stream in sorted(logs, key=lambda name: (name != "record", name))
        }
        self._pauses = Pauses(most_s=pause_most_s)
        self._wake = asyncio.Event()
        self._on_the_way = 0
        self._told: tuple[object, ...] = ()
        self.online = False
        self.counts = PublishCounts()
        self.on_cosignature: Callable[[bytes], None] = lambda _: None
        self.on_lost: Callable[[BaseException], None] = lambda _: None
        self.on_strange: Callable[[str], None] = lambda _: None  # a receipt that cannot be ours
        self._announced: bytes | None = None
        self._said: bytes | None = None
        self._news = asyncio.Event()

    async def run(self) -> None:
        """Connects, sends, and connects again, until cancelled; then says that it is offline."""
        await keep_connected(self._session, self._lost, self._pauses)

    def _lost(self, reason: BaseException) -> None:
        if self.online or not self.counts.lost:
            _log.warning("broker %s lost: %s; trying again", self._broker.url, reason)
        self.counts.lost += 1
        self.online = False
        self.on_lost(reason)

    async def _session(self) -> None:
        will = aiomqtt.Will(self._topic("state"), b'{"online":false}', qos=1, retain=True)
        name = f"smelter-{self._plant}-{self._gateway}"
        async with connection(self._broker, name, will=will) as client:
            wanted = [(self._topic(leaf), 1) for leaf in ("receipt", "cosignature")]
            await client.subscribe(wanted)
            await self._tell_state(client)
            _log.info("broker %s connected", self._broker.url)
            self.online = True
            self.counts.connected += 1
            self._on_the_way = 0
            for lane in self._lanes.values():
                lane.flying.clear()
                lane.restart()
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._listen(client))
                    tasks.create_task(self._send_all(client, tasks))
                    tasks.create_task(self._keep(client))
                    tasks.create_task(self._announce(client))
                    for lane in self._lanes.values():
                        tasks.create_task(self._watch(lane))
            except asyncio.CancelledError:
                await self._say_goodbye(client)
                raise
            finally:
                self.online = False

    async def _say_goodbye(self, client: aiomqtt.Client) -> None:
        try:
            await client.publish(
                self._topic("state"), self._state(online=False), qos=1, retain=True, timeout=2
            )
        except aiomqtt.MqttError:
            _log.info("could not say goodbye to the broker; the last will does")

    def _topic(self, leaf: str) -> str:
        return topic(self._plant, self._gateway, leaf)

    # state

    def _state(self, *, online: bool) -> str:
        logs = {
            lane.stream: {
                "log": lane.log.log_id,
                "oldest": lane.log.oldest,
                "newest": lane.log.newest,
            }
            | ({"lost": lane.log.lost[-100:]} if lane.log.lost else {})
            for lane in self._lanes.values()
        }
        return json.dumps({"online": online, "logs": logs}, separators=(",", ":"))

    def _limits(self) -> tuple[object, ...]:
        return tuple((lane.log.oldest, lane.log.lost) for lane in self._lanes.values())

    async def _tell_state(self, client: aiomqtt.Client) -> None:
        self._told = self._limits()
        await client.publish(self._topic("state"), self._state(online=True), qos=1, retain=True)

    async def _keep(self, client: aiomqtt.Client) -> None:
        """Now and then: receipts to the disk, and what the log no longer has to the broker."""
        while True:
            kept_at, noted = time.monotonic(), dict[str, int]()
            while time.monotonic() < kept_at + _KEEP_S:
                await asyncio.sleep(_NOTE_S)
                for lane in self._lanes.values():
                    if noted.get(lane.stream) != lane.log.receipted:
                        noted[lane.stream] = lane.log.receipted
                        await lane.log.save_receipt(durable=False)
            for lane in self._lanes.values():
                await lane.log.save_receipt()
            if self._limits() != self._told:
                await self._tell_state(client)

    # checkpoints

    def announce(self, checkpoint: bytes | None) -> None:
        """Publish this on ``…/checkpoint``, retained, now and after each connection."""
        self._announced = checkpoint
        self._news.set()

    async def _announce(self, client: aiomqtt.Client) -> None:
        self._said = None
        while True:
            self._news.clear()
            payload = self._announced
            if payload is not None and payload != self._said:
                await client.publish(self._topic("checkpoint"), payload, qos=1, retain=True)
                self._said = payload
            await self._news.wait()

    async def wait_said(self, most_s: float) -> None:
        """Returns when what was announced is with the broker, or it cannot be, or time is up."""
        end_s = time.monotonic() + most_s
        while self._awaited() and time.monotonic() < end_s:  # noqa: ASYNC110 - brief
            await asyncio.sleep(0.02)

    def _awaited(self) -> bool:
        return self.online and self._said != self._announced

    # sending

    async def _watch(self, lane: _Lane) -> None:
        while True:
            await lane.log.wait_beyond(lane.log.newest)
            self._wake.set()

    async def _send_all(self, client: aiomqtt.Client, tasks: asyncio.TaskGroup) -> None:
        while True:
            self._wake.clear()
            lane = self._first()
            if lane is not None:
                await self._send_some(lane, client, tasks)
                continue
            try:
                async with asyncio.timeout(self._next_doubt_s()):
                    await self._wake.wait()
            except TimeoutError:
                self._doubt()

    def _first(self) -> _Lane | None:
        """Whose turn it is; an earlier stream goes first as soon as it has something."""
        if self._on_the_way >= ON_THE_WAY_BYTES:
            return None
        return next((lane for lane in self._lanes.values() if lane.may_send), None)

    async def _send_some(
        self, lane: _Lane, client: aiomqtt.Client, tasks: asyncio.TaskGroup
    ) -> None:
        turn = lane.turn
        batches = await lane.log.read_from(lane.next, ON_THE_WAY_BYTES)
        if lane.turn != turn:
            return
        if not batches:  # the newest ones are damaged: nothing to send until the next
            lane.jump(lane.log.newest + 1)
        for batch in batches:
            if self._limits() != self._told:
                await self._tell_state(client)  # before a number that is missing is noticed
            if lane.turn != turn or batch.seq > lane.limit or self._first() is not lane:
                return
            lane.next = batch.seq + 1
            self.counts.again += batch.seq <= lane.furthest
            lane.furthest = max(lane.furthest, batch.seq)
            payload = self._payload(batch)
            self._on_the_way += len(payload)
            lane.flying.add(batch.seq)
            tasks.create_task(self._put(client, lane, batch.seq, payload))

    def _payload(self, batch: Batch) -> bytes:
        if self._broker.compression == "zstd" and batch.codec == ZSTD:
            return batch.stored
        return batch.payload

    async def _put(self, client: aiomqtt.Client, lane: _Lane, seq: int, payload: bytes) -> None:
        try:
            await client.publish(self._topic(lane.stream), payload, qos=1, timeout=_PUBACK_S)
        finally:
            self._on_the_way -= len(payload)
            self._wake.set()
        self.counts.batches += 1
        self.counts.bytes += len(payload)
        lane.heard_at = time.monotonic()
        lane.flying.discard(seq)
        if self._broker.delivery == "puback":
            lane.log.set_receipted(min(lane.flying, default=lane.next) - 1)

    # receipts

    def _next_doubt_s(self) -> float | None:
        """Seconds until a stream that waits for its receipt has waited too long."""
        if self._broker.delivery == "puback":
            return None
        due = [lane.heard_at + lane.patience_s for lane in self._lanes.values() if lane.waits]
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _doubt(self) -> None:
        for lane in self._lanes.values():
            if lane.waits and time.monotonic() >= lane.heard_at + lane.patience_s:
                self.counts.timeouts += 1
                lane.lose_patience()

    async def _listen(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            if str(message.topic).endswith("/cosignature"):
                self.on_cosignature(bytes(message.payload))
            elif self._broker.delivery == "receipt":
                self._take(bytes(message.payload))
                self._wake.set()

    def _take(self, payload: bytes) -> None:
        try:
            said = json.loads(payload[:_RECEIPT_BYTES])
            lane = self._lanes.get(said["stream"])
            upto, again = (_count(said, name) for name in ("upto", "resend_from"))
            ours = lane is not None and said["log"] == lane.log.log_id
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            self.counts.unreadable += 1
            return
        if lane is None or not ours:
            self._foreign(f"of another log: {payload[:120]!r}")
        elif upto is not None:
            self._receipt(lane, upto)
        elif again is not None:
            self._again(lane, again)
        else:
            self.counts.unreadable += 1

    def _foreign(self, text: str) -> None:
        self.counts.foreign += 1
        self.on_strange(text)

    def _receipt(self, lane: _Lane, upto: int) -> None:
        """Only what was sent can be receipted; after a restart that costs a few duplicates."""
        sent = max(lane.furthest, lane.log.receipted)
        if upto > sent or not lane.log.set_receipted(upto):
            self._foreign(f"{lane.stream} receipted to {upto}, but only {sent} were sent")
            return
        self.counts.receipts += 1
        lane.heard()

    def _again(self, lane: _Lane, seq: int) -> None:
        """The historian lacks ``seq``; it may have lost its disk and lack what it receipted."""
        if not 1 <= seq <= lane.log.newest:
            self.counts.foreign += seq != lane.log.newest + 1
            return
        now = time.monotonic()
        if seq >= lane.next or (lane.asked[0] == seq and now < lane.asked[1] + _AGAIN_S):
            return
        lane.asked = (seq, now)
        self.counts.resends += 1
        self._told = ()  # the state goes first, so that `oldest` there is fresh
        lane.log.withdraw_receipt(seq - 1)
        lane.heard()
        lane.restart()


def _count(said: dict[str, object], name: str) -> int | None:
    value = said.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError(f"{name}: {value!r}")
    return value
