"""MQTT → originals → receipts: every batch is checked, made durable, and only then receipted."""

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import Callable, Iterable

import aiomqtt

from agent.batches.batch import Batch
from agent.batches.log import LogError
from agent.historian.branches import Advertised, Holding, Outcome, Verdict
from agent.historian.lanes import Hello, Lane, ReceiveCounts
from agent.historian.originals import Originals, TooManyLogsError
from agent.historian.received import (
    STREAMS,
    Received,
    RefusedBatchError,
    Sender,
    read_batch,
    read_topic,
)
from agent.historian.states import read_state
from agent.historian.witness import Witness
from agent.mqtt import AWAY, PREFIX, BrokerConfig, Pauses, connection, keep_connected, topic
from agent.notify import Work
from agent.views import Source
from agent.wire.events import Happening

_log = logging.getLogger(__name__)

QUEUE_BYTES = 64 << 20  # of all streams together; what does not fit is asked for again
MOST_SENDERS = 1024
_GROUP = 32
_ASK_AGAIN_S = 2.0
_CLIENT_QUEUE = 256
_GONE = b'{"online":false}'
TRIES_S = 60.0  # more than one try to connect and the pause behind it


class Receiver:
    """Takes batches for as long as ``run`` runs; bounded in memory whatever is sent."""

    def __init__(
        self,
        broker: BrokerConfig,
        originals: Originals,
        *,
        plants: Iterable[str] = (),
        witness: Witness | None = None,
        pause_most_s: float = 10.0,
    ) -> None:
        self._broker = broker
        self._witness = witness
        self._plants = tuple(plants) or ("+",)  # "+" stands for all
        self._originals = originals
        self._pauses = Pauses(most_s=pause_most_s)
        self.on_lost: Callable[[BaseException], None] = lambda _: None
        self.on_stored: Callable[[Source, Batch], None] = lambda _source, _batch: None
        self.on_state: Callable[[Sender, bytes], None] = lambda _sender, _payload: None
        self._lanes: dict[tuple[Sender, str], Lane] = {}
        self._states: dict[Sender, dict[tuple[str, str], Advertised]] = {}
        self._queued_bytes = 0
        self._troubled: set[str] = set()
        self._tries = 0  # to connect
        self.online = False
        self.counts = ReceiveCounts()

    async def run(self) -> None:
        """Connects, receives, and connects again, until cancelled."""
        await keep_connected(self._session, self._lost, self._pauses)

    def works(self, wait_s: float) -> dict[str, Work]:
        """What must go forward: a session that is tried, what was received and is to be stored."""
        lanes = dict(lane.work(wait_s) for lane in self._lanes.values())
        return {"receiver": Work(None if self.online else self._tries, TRIES_S + wait_s), **lanes}

    def _lost(self, reason: BaseException) -> None:
        if self.online or not self.counts.lost:
            _log.warning("broker %s lost: %s; trying again", self._broker.url, reason)
        self.counts.lost += 1
        self._tries += 1
        self.online = False
        self.on_lost(reason)

    async def _session(self) -> None:
        will = aiomqtt.Will(AWAY, _GONE, qos=1)
        name = "smelter-historian"
        async with connection(self._broker, name, will=will, queue=_CLIENT_QUEUE) as client:
            leaves = ("state", "checkpoint", *STREAMS)
            wanted = [(plant, leaf) for leaf in leaves for plant in self._plants]
            await client.subscribe([(f"{PREFIX}/{plant}/+/{leaf}", 1) for plant, leaf in wanted])
            _log.info("broker %s connected", self._broker.url)
            self.online = True
            self.counts.connected += 1
            self._lanes.clear()  # what waited is sent again
            self._queued_bytes = 0
            try:
                async with asyncio.TaskGroup() as tasks:
                    if self._witness is not None:
                        tasks.create_task(self._cosign(client, self._witness))
                    async for message in client.messages:
                        await self._dispatch(client, tasks, message)
            except asyncio.CancelledError:
                with contextlib.suppress(aiomqtt.MqttError):
                    await client.publish(AWAY, _GONE, qos=1, timeout=2)
                raise
            finally:
                self.online = False

    async def _dispatch(
        self, client: aiomqtt.Client, tasks: asyncio.TaskGroup, message: aiomqtt.Message
    ) -> None:
        payload = bytes(message.payload)
        self.counts.messages += 1
        self.counts.bytes += len(payload)
        try:
            sender, leaf = read_topic(str(message.topic))
            if leaf == "state":
                self._take_state(client, tasks, sender, payload, ask=message.retain)
            elif leaf == "checkpoint":
                if self._witness is not None and payload:
                    self._witness.take(sender, payload)
            elif payload:
                self._enqueue(client, tasks, (sender, leaf), payload)
        except RefusedBatchError as error:
            self._refuse(str(message.topic), error)

    def _refuse(self, where: str, error: Exception) -> None:
        self.counts.refused += 1
        if len(self._troubled) < MOST_SENDERS and where not in self._troubled:
            self._troubled.add(where)
            _log.warning("%s: refused, and more of the kind only counted: %s", where, error)

    def _enqueue(
        self,
        client: aiomqtt.Client,
        tasks: asyncio.TaskGroup,
        key: tuple[Sender, str],
        payload: bytes,
    ) -> None:
        if key[1] not in STREAMS:
            raise RefusedBatchError(f"stream {key[1]!r} is none of ours")
        lane = self._lane(client, tasks, key)
        if lane.queue.full() or self._queued_bytes + len(payload) > QUEUE_BYTES:
            self.counts.overflow += 1
            return
        self._queued_bytes += len(payload)
        lane.queue.put_nowait(payload)

    def _lane(
        self, client: aiomqtt.Client, tasks: asyncio.TaskGroup, key: tuple[Sender, str]
    ) -> Lane:
        lane = self._lanes.get(key)
        if lane is None:
            if len(self._lanes) >= MOST_SENDERS * len(STREAMS):
                raise RefusedBatchError("too many gateways")
            lane = self._lanes[key] = Lane(*key)
            tasks.create_task(self._work(client, lane), name=f"receive {key}")
        return lane

    async def _cosign(self, client: aiomqtt.Client, witness: Witness) -> None:
        """What the witness answers, retained; all of it anew after each connection."""
        said: dict[Sender, bytes] = {}
        while True:
            for sender, payload in list(witness.answers.items()):
                if said.get(sender) != payload:
                    said[sender] = payload
                    where = topic(sender.plant, sender.gateway, "cosignature")
                    await client.publish(where, payload, qos=1, retain=True)
            await witness.wait_answer()

    # states

    def _take_state(
        self,
        client: aiomqtt.Client,
        tasks: asyncio.TaskGroup,
        sender: Sender,
        payload: bytes,
        *,
        ask: bool,
    ) -> None:
        """A retained state meets a historian that just came: it says from where to send on."""
        logs = read_state(payload)
        if logs is None:
            raise RefusedBatchError("state is not what a gateway says")
        if sender not in self._states and len(self._states) >= MOST_SENDERS:
            raise RefusedBatchError("too many gateways")
        self.on_state(sender, payload)
        if not logs:
            return  # the last will: what the logs hold is still as it was
        self._states[sender] = {(stream, log): said for stream, log, said in logs}
        for stream, log, _ in logs:
            lane = self._lane(client, tasks, (sender, stream))
            if not lane.queue.full():  # behind what it sent before, so that the answer covers it
                lane.queue.put_nowait(Hello(log, ask))

    async def _answer(self, client: aiomqtt.Client, lane: Lane, log: str, *, ask: bool) -> None:
        """What is durable here, and where ``ask``, from where to send on; what came ahead last."""
        said = self._states.get(lane.sender, {}).get((lane.stream, log), Advertised())
        branches = self._originals.find_branches(_source(lane, log))
        lane.apart.add(log)
        holdings = branches.holdings() if branches else []
        within = [each for each in holdings if not each.ahead] or [Holding(1, 0, b"")]
        for each in within[:-1]:
            await self._hold(client, lane, log, each)
        expected = said.gone_after(branches.newest if branches else 0) + 1
        await self._hold(client, lane, log, within[-1], expected if ask else None)
        await self._say_ahead(client, lane, log)
        if ask and said.ahead:
            newest = max(said.ahead - 1, branches.newest_ahead if branches else 0)
            await self._ask(client, lane, log, said.gone_after(newest) + 1)

    async def _say_ahead(self, client: aiomqtt.Client, lane: Lane, log: str) -> None:
        branches = self._originals.find_branches(_source(lane, log))
        for each in branches.holdings() if branches else ():
            if each.ahead:
                await self._hold(client, lane, log, each)

    async def _hold(
        self, client: aiomqtt.Client, lane: Lane, log: str, held: Holding, ask: int | None = None
    ) -> None:
        """What is held, and from where to send on: in one, so that nothing is sent in between."""
        said: dict[str, object] = {"log": log, "stream": lane.stream}
        said |= {} if held.first == 1 else {"from": held.first}
        said |= {"upto": held.last, "digest": held.digest.hex()}
        if ask is not None:
            self.counts.resends += 1
            said["resend_from"] = ask
        await self._say(client, lane.sender, said)

    async def _ask(self, client: aiomqtt.Client, lane: Lane, log: str, seq: int) -> None:
        self.counts.resends += 1
        said = {"log": log, "stream": lane.stream, "resend_from": seq}
        await self._say(client, lane.sender, said)

    async def _say(self, client: aiomqtt.Client, sender: Sender, what: dict[str, object]) -> None:
        text = json.dumps(what, separators=(",", ":"))
        await client.publish(topic(sender.plant, sender.gateway, "receipt"), text, qos=1)

    # batches

    async def _work(self, client: aiomqtt.Client, lane: Lane) -> None:
        """One group after the other: check in a thread, store, then one receipt for all."""
        while True:
            group: list[bytes] = []
            lane.busy = True
            while lane.queue.empty() and await self._join(lane):
                lane.turns += 1
            lane.busy = False
            item = await lane.queue.get()
            lane.busy = True
            lane.turns += 1
            while isinstance(item, bytes):
                group.append(item)
                if len(group) == _GROUP or lane.queue.empty():
                    break
                item = lane.queue.get_nowait()
            try:
                await self._take_group(client, lane, group)
            finally:
                self._queued_bytes = max(0, self._queued_bytes - sum(map(len, group)))
            if isinstance(item, Hello):
                await self._answer(client, lane, item.log, ask=item.ask)

    async def _join(self, lane: Lane) -> bool:
        """With nothing else to do: brings together what came ahead and its backlog; more to do?"""
        if not lane.apart:
            return False
        log = lane.apart.pop()
        branches = self._originals.find_branches(_source(lane, log))
        said = self._states.get(lane.sender, {}).get((lane.stream, log), Advertised())
        try:
            gap, more = await branches.join(said) if branches else (None, False)
        except (LogError, TooManyLogsError, OSError) as error:
            _log.warning("%s: what came ahead is not joined yet: %s", log, error)
            return bool(lane.apart)
        if gap is not None:
            await self._gone(lane.sender.plant, f"{lane.sender.gateway}/{lane.stream}/{log}", *gap)
        if more:
            lane.apart.add(log)
        return bool(lane.apart)

    async def _take_group(self, client: aiomqtt.Client, lane: Lane, group: list[bytes]) -> None:
        upto: dict[tuple[str, int], int] = {}
        resend: dict[tuple[str, bool], int] = {}
        for received in await asyncio.to_thread(self._read_group, lane, group):
            log, seq = received.log, received.batch.seq
            outcome = await self._store(received)
            lane.turns += 1
            if outcome is None:
                break
            lane.apart.add(log)
            live = 0 < self._advertised(received).ahead <= seq
            if outcome.verdict is Verdict.RESEND:
                resend[log, live] = outcome.first
            elif outcome.verdict not in {Verdict.REFUSED, Verdict.LATER}:
                since = (log, outcome.since)
                upto[since] = max(seq, upto.get(since, 0))
                resend.pop((log, live), None)
        for (log, since_seq), seq in upto.items():
            self.counts.receipts += 1
            since_said = {} if since_seq == 1 else {"from": since_seq}
            said: dict[str, object] = {"log": log, "stream": lane.stream, **since_said}
            await self._say(client, lane.sender, said | {"upto": seq})
        for (log, live), seq in resend.items():
            asked, now = lane.asked.get((log, live), (0, 0.0)), time.monotonic()
            if asked[0] != seq or now > asked[1] + _ASK_AGAIN_S:
                lane.asked = {(log, live): (seq, now), (log, not live): (0, 0.0)}
                await self._ask(client, lane, log, seq)
                if not live:  # it thinks now that nothing behind it is here
                    await self._say_ahead(client, lane, log)

    def _read_group(self, lane: Lane, group: list[bytes]) -> list[Received]:
        found = []
        for payload in group:
            try:
                found.append(read_batch(lane.sender, lane.stream, payload))
            except RefusedBatchError as error:
                self._refuse(f"{lane.sender.plant}/{lane.sender.gateway}/{lane.stream}", error)
        return found

    def _advertised(self, received: Received) -> Advertised:
        said = self._states.get(received.sender, {})
        return said.get((received.stream, received.log), Advertised())

    async def _store(self, received: Received) -> Outcome | None:
        """None when the disk would not take it: then it is not receipted and comes again."""
        advertised = self._advertised(received)
        try:
            branches = await self._originals.branches_of(received)
            outcome = await branches.take(received, advertised)
            await self._note(received, outcome)
        except (LogError, TooManyLogsError, OSError) as error:
            self.counts.not_stored += 1
            if "disk" not in self._troubled:
                self._troubled.add("disk")
                _log.error("not stored, not receipted, will come again: %s", error)
            return None
        self._troubled.discard("disk")
        return outcome

    async def _note(self, received: Received, outcome: Outcome) -> None:
        counts, seq = self.counts, received.batch.seq
        where = f"{received.sender.gateway}/{received.stream}/{received.log}"
        if outcome.verdict is Verdict.KNOWN:
            counts.known += 1
            return
        if outcome.verdict is Verdict.REFUSED:
            raise TooManyLogsError(f"{where}: too many contradictions, batch {seq} is not taken")
        if outcome.verdict in {Verdict.RESEND, Verdict.LATER}:
            return
        counts.stored += 1
        self._originals.stored()
        plant, gateway = received.sender.plant, received.sender.gateway
        self.on_stored(Source(plant, gateway, received.stream, received.log), received.batch)
        if outcome.verdict is Verdict.GAP:
            await self._gone(received.sender.plant, where, outcome.first, outcome.last)
        elif outcome.verdict is Verdict.CONFLICT:
            counts.conflicts += 1
            text = f"{where}: batch {seq} came again with other bytes; both are kept"
            await self._tell(received.sender.plant, Happening.CONFLICT, text)
        elif outcome.verdict is Verdict.REFILL:
            text = f"{where}: batch {seq}, unreadable here, came again and is kept in a branch"
            await self._tell(received.sender.plant, Happening.CONFLICT, text)

    async def _gone(self, plant: str, where: str, first: int, last: int) -> None:
        self.counts.gaps += 1
        self.counts.missing += last - first + 1
        text = f"{where}: batches {first} to {last} are gone at the gateway"
        await self._tell(plant, Happening.GAP, text, float(last - first + 1))

    async def _tell(
        self, plant: str, kind: Happening, text: str, amount: float | None = None
    ) -> None:
        _log.warning("%s: %s", kind, text)
        await self._originals.tell(plant, kind, text, amount=amount)


def _source(lane: Lane, log: str) -> Source:
    return Source(lane.sender.plant, lane.sender.gateway, lane.stream, log)
