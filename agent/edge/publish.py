"""
From the batch log to the broker: in order, record first, until the historian's receipt.

What is not receipted is sent again, from the log; the broker's PUBACK moves nothing (except with
``delivery = "puback"``). After an outage new batches go beside the backlog and before it
(``lane.py``). Nothing here holds data that the log does not hold.
"""

import asyncio
import json
import logging
import time
from collections.abc import Callable, Mapping

import aiomqtt

from agent.batches.batch import ZSTD, Batch
from agent.batches.log import BatchLog
from agent.edge.answer import AnswerError, read_answer
from agent.edge.lane import WINDOW, Lane, PublishCounts, Run
from agent.mqtt import AWAY, MqttConfig, Pauses, connection, keep_connected, topic

_log = logging.getLogger(__name__)

ON_THE_WAY_BYTES = 256 << 10  # sent and not yet PUBACKed: a slow line stays fair to `record`
_PUBACK_S = 60.0
_AGAIN_S = 1.0  # the same request to send again is obeyed at most once per this
HELLO_S = 1.0  # the historian answers our state with what it has; so long that is waited for
_DECIDE_S = 0.05  # it may say more than one thing
_NOTE_S = 0.05  # between two savings of the receipt that outlive the process
_KEEP_S = 30.0  # and that outlive a power cut
TRIES_S = 60.0  # more than one try to connect and the pause behind it


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
        pause_most_s: float = 10.0,
        beside: bool = True,
    ) -> None:
        """``beside``: new batches overtake a long backlog; of no use to an import."""
        self._broker = broker
        self._plant, self._gateway = plant, gateway
        self._receipts = broker.delivery == "receipt"
        self._beside = beside and self._receipts
        self._lanes = {
            stream: Lane(stream, logs[stream], receipt_timeout_s, receipts=self._receipts)
            for stream in sorted(logs, key=lambda name: (name != "record", name))
        }
        self._alive = False  # the historian was heard in this session
        self._pauses = Pauses(most_s=pause_most_s)
        self._wake = asyncio.Event()
        self._on_the_way = 0
        self._told: tuple[object, ...] = ()
        self.online = False
        self.turns = 0  # of the session, or tries to begin one
        self.sending: int | None = None  # while batches are read and put on their way
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
        self.turns += 1
        self.online = False
        self.sending = None
        self.on_lost(reason)

    async def _session(self) -> None:
        will = aiomqtt.Will(self._topic("state"), b'{"online":false}', qos=1, retain=True)
        name = f"smelter-{self._plant}-{self._gateway}"
        self.turns += 1
        async with connection(self._broker, name, will=will) as client:
            wanted = [self._topic(leaf) for leaf in ("receipt", "cosignature")]
            await client.subscribe([(each, 1) for each in (*wanted, AWAY)])
            await self._tell_state(client)
            _log.info("broker %s connected", self._broker.url)
            self.online = True
            self.counts.connected += 1
            self._on_the_way = 0
            self._alive = False
            for lane in self._lanes.values():
                lane.connected()
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._listen(client, tasks))
                    tasks.create_task(self._send_all(client, tasks))
                    tasks.create_task(self._keep(client))
                    tasks.create_task(self._announce(client))
                    tasks.create_task(self._greet())
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

    def has(self, stream: str, seq: int) -> bool:
        """Whether the historian has receipted this batch, be it ahead of a backlog."""
        return self._lanes[stream].has(seq)

    # state

    def _state(self, *, online: bool) -> str:
        logs = {
            lane.stream: {
                "log": lane.log.log_id,
                "oldest": lane.log.oldest,
                "newest": lane.log.newest,
            }
            | ({"lost": lane.log.lost[-100:]} if lane.log.lost else {})
            | ({"ahead": lane.ahead} if lane.ahead else {})
            for lane in self._lanes.values()
        }
        return json.dumps({"online": online, "logs": logs}, separators=(",", ":"))

    def _limits(self) -> tuple[object, ...]:
        return tuple((x.log.oldest, x.log.lost, x.ahead) for x in self._lanes.values())

    async def _tell_state(self, client: aiomqtt.Client) -> None:
        self._told = self._limits()
        await client.publish(self._topic("state"), self._state(online=True), qos=1, retain=True)

    async def _keep(self, client: aiomqtt.Client) -> None:
        """Now and then: receipts to the disk, and what the log no longer has to the broker."""
        while True:
            kept_at, noted = time.monotonic(), dict[str, int]()
            while time.monotonic() < kept_at + _KEEP_S:
                await asyncio.sleep(_NOTE_S)
                self.turns += 1
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

    async def _watch(self, lane: Lane) -> None:
        while True:
            await lane.log.wait_beyond(lane.log.newest)
            self._wake.set()

    async def _greet(self) -> None:
        """Nobody answers our state: one batch of one stream asks, later one of the others."""
        wait_s = HELLO_S
        for lane in self._lanes.values():
            await asyncio.sleep(wait_s)
            if self._alive:
                self._open_all()
                return
            lane.most = max(lane.most, 1)
            self._wake.set()
            wait_s = lane.first_patience_s if lane.backlog.next <= lane.log.newest else 0.0

    def _hush(self, tasks: asyncio.TaskGroup) -> None:
        """The historian is gone: what is sent now would only be sent again; one asks, later."""
        if not self._receipts:
            return
        self._alive = False
        for lane in self._lanes.values():
            lane.most = 0
        tasks.create_task(self._greet())

    def _open_all(self) -> None:
        for lane in self._lanes.values():
            self._open(lane)

    def _open(self, lane: Lane) -> None:
        if lane.most < WINDOW:
            lane.most, lane.decide_at = WINDOW, time.monotonic() + _DECIDE_S
        self._wake.set()

    def _hear(self, lane: Lane, run: Run) -> None:
        """The historian lives, and knows this log."""
        if run.window < WINDOW:
            lane.decide_at = time.monotonic() + _DECIDE_S  # it was away for a while
        run.heard()
        self._alive = True
        self._open(lane)
        if any(each.most == 1 for each in self._lanes.values()):
            self._open_all()  # the time to greet is over

    async def _send_all(self, client: aiomqtt.Client, tasks: asyncio.TaskGroup) -> None:
        while True:
            self._wake.clear()
            self._decide()
            run = self._first()
            if run is not None:
                self.sending = self.counts.batches
                await self._send_some(run, client, tasks)
                self.sending = None
                continue
            try:
                async with asyncio.timeout(self._next_doubt_s()):
                    await self._wake.wait()
            except TimeoutError:
                self._doubt()

    def _decide(self) -> None:
        for lane in self._lanes.values():
            if lane.decide_at is not None and time.monotonic() >= lane.decide_at:
                lane.decide_at = None
                if self._beside and lane.answers:
                    lane.part()

    def _runs(self) -> list[Run]:
        """Live ones first, then backlogs; an earlier stream before a later one."""
        lanes = self._lanes.values()
        behind = [lane.backlog for lane in lanes if lane.live is not None]
        return [lane.runs[0] for lane in lanes] + behind

    def _first(self) -> Run | None:
        """Whose turn it is; an earlier run goes first as soon as it has something."""
        if self._on_the_way >= ON_THE_WAY_BYTES:
            return None
        return next((run for run in self._runs() if run.may_send), None)

    async def _send_some(self, run: Run, client: aiomqtt.Client, tasks: asyncio.TaskGroup) -> None:
        turn = run.turn
        batches = await run.log.read_from(run.next, ON_THE_WAY_BYTES)
        if run.turn != turn:
            return
        if not batches or batches[0].seq > run.last:  # the newest ones are damaged: nothing to
            run.jump(run.last + 1)  # send until the next
        for batch in batches:
            if self._limits() != self._told:
                await self._tell_state(client)  # before a number that is missing is noticed
            if run.turn != turn or self._first() is not run:
                return
            if batch.seq < run.next:  # receipted meanwhile
                continue
            if batch.seq > min(run.limit, run.last):
                return
            self.counts.again += batch.seq <= run.furthest
            run.sending(batch.seq)
            payload = self._payload(batch)
            self._on_the_way += len(payload)
            tasks.create_task(self._put(client, run, batch.seq, payload))

    def _payload(self, batch: Batch) -> bytes:
        if self._broker.compression == "zstd" and batch.codec == ZSTD:
            return batch.stored
        return batch.payload

    async def _put(self, client: aiomqtt.Client, run: Run, seq: int, payload: bytes) -> None:
        try:
            await client.publish(self._topic(run.stream), payload, qos=1, timeout=_PUBACK_S)
        finally:
            self._on_the_way -= len(payload)
            self._wake.set()
        self.counts.batches += 1
        self.counts.bytes += len(payload)
        run.heard_at = time.monotonic()
        run.flying.discard(seq)
        if not self._receipts:
            run.log.set_receipted(min(run.flying, default=run.next) - 1)

    # receipts

    def _next_doubt_s(self) -> float | None:
        """Seconds until a run that waits for its receipt has waited too long."""
        lanes = self._lanes.values()
        due = [lane.decide_at for lane in lanes if lane.decide_at is not None]
        if self._receipts:
            due += [run.heard_at + run.patience_s for run in self._runs() if run.waits]
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _doubt(self) -> None:
        for run in self._runs() if self._receipts else ():
            if run.waits and time.monotonic() >= run.heard_at + run.patience_s:
                self.counts.timeouts += 1
                run.lose_patience()

    async def _listen(self, client: aiomqtt.Client, tasks: asyncio.TaskGroup) -> None:
        async for message in client.messages:
            if str(message.topic) == AWAY:
                self._hush(tasks)
            elif str(message.topic).endswith("/cosignature"):
                self.on_cosignature(bytes(message.payload))
            elif self._receipts:
                await self._take(bytes(message.payload))
                self._wake.set()

    async def _take(self, payload: bytes) -> None:
        try:
            said = read_answer(payload)
        except AnswerError:
            self.counts.unreadable += 1
            return
        lane = self._lanes.get(said.stream)
        if lane is None or said.log != lane.log.log_id:
            self._foreign(f"of another log: {payload[:120]!r}")
            return
        if said.upto is not None:
            await self._receipt(lane, said.first, said.upto, said.digest)
        if said.again is not None:  # at once, before anything is sent on what was just heard
            self._again(lane, said.again)

    def _foreign(self, text: str) -> None:
        self.counts.foreign += 1
        self.on_strange(text)

    async def _receipt(self, lane: Lane, first: int, upto: int, digest: object) -> None:
        """
        Only what this process sent can be receipted by number alone.

        With the digest of the last batch it may be from before: each digest covers the one before
        it. A digest that is not ours is of a log that forgot; then nothing is taken as receipted.
        """
        sent = max(*(run.furthest for run in lane.runs), lane.log.receipted)
        if digest is None:
            if upto > sent or not lane.receipted(first, upto):
                self._foreign(f"{lane.stream} receipted to {upto}, but only {sent} were sent")
                return
        else:
            lane.answers = True
            batch = await lane.log.read(upto) if upto > lane.log.receipted else None
            if batch is not None and batch.digest.hex() == digest:
                lane.receipted(first, upto)
        self.counts.receipts += 1
        self._hear(lane, lane.run_of(upto))

    def _again(self, lane: Lane, seq: int) -> None:
        """The historian lacks ``seq``; it may have lost its disk and lack what it receipted."""
        if not 1 <= seq <= lane.log.newest:
            self.counts.foreign += seq != lane.log.newest + 1
            return
        run, now = lane.run_of(seq), time.monotonic()
        if run.asked[0] == seq and now < run.asked[1] + _AGAIN_S:
            return
        lane.lacks(seq)
        self._hear(lane, run)
        if seq >= run.next:
            return
        run.asked = (seq, now)
        self.counts.resends += 1
        self._told = ()  # the state goes first, so that `oldest` there is fresh
        run.restart()
