"""A broker and the links to it: ordered as MQTT promises, and otherwise as unkind as it may be."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiomqtt

from tests.simulation.loop import PROCESS, Process, SimLoop, uniform_log

KEEPALIVE_S = 12.0


@dataclass(slots=True)
class Lies:
    """How often the broker and the links do what they should not, as shares of messages."""

    forget: float = 0.0  # PUBACK, then nothing
    twice: float = 0.0
    slow: float = 0.0
    out_of_order: float = 0.0


@dataclass(slots=True, eq=False)
class Connection:
    """One client's link. ``up`` until either end, or the broker, gives it up."""

    name: str
    process: Process | None
    will: aiomqtt.Will | None
    queue: "asyncio.Queue[aiomqtt.Message | None]"
    up: bool = True
    filters: list[list[str]] = field(default_factory=list)
    sent_until_s: float = 0.0  # of the client's last message
    lanes: dict[str, float] = field(default_factory=dict)  # of the last message on each topic
    waiting: "set[asyncio.Future[None]]" = field(default_factory=set)
    held: list[Callable[[], None]] = field(default_factory=list)  # behind a partition


class Client:
    """What ``agent.mqtt.connection`` gives, as far as the product uses it."""

    def __init__(self, broker: "Broker", link: Connection) -> None:
        self._broker, self._link = broker, link

    async def subscribe(self, topics: list[tuple[str, int]]) -> None:
        await self._acknowledged(
            lambda: self._broker.subscribe(self._link, [name for name, _ in topics]), 10.0
        )

    async def publish(
        self,
        topic: str,
        payload: bytes | str | None = None,
        qos: int = 0,
        retain: bool = False,
        timeout: float | None = None,  # noqa: ASYNC109 - as aiomqtt
    ) -> None:
        data = payload.encode() if isinstance(payload, str) else payload or b""
        await self._acknowledged(
            lambda: self._broker.take(topic, data, retain=retain), timeout or 10.0
        )

    async def _acknowledged(self, arrive: Callable[[], None], most_s: float) -> None:
        link = self._link
        if not link.up:
            raise aiomqtt.MqttError("not connected")
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        link.waiting.add(done)
        self._broker.from_client(link, arrive, done)
        try:
            async with asyncio.timeout(most_s):
                await done
        except TimeoutError:
            raise aiomqtt.MqttError("Operation timed out") from None
        finally:
            link.waiting.discard(done)

    @property
    def messages(self) -> "Client":
        return self

    def __aiter__(self) -> AsyncIterator[aiomqtt.Message]:
        return self

    async def __anext__(self) -> aiomqtt.Message:
        if not self._link.up and self._link.queue.empty():
            raise aiomqtt.MqttError("Disconnected during message iteration")
        message = await self._link.queue.get()
        if message is None:
            raise aiomqtt.MqttError("Disconnected during message iteration")
        return message


class Broker:
    """Clean sessions only: nobody who is not connected gets anything later, but retained ones."""

    def __init__(self, loop: SimLoop, chance: random.Random, trace: Callable[..., None]) -> None:
        self._loop, self._chance, self._trace = loop, chance, trace
        self.up = True
        self.lies = Lies()
        self.cut: set[str] = set()  # hosts behind a partition
        self.retained: dict[str, bytes] = {}
        self._saved: dict[str, bytes] = {}
        self._links: list[Connection] = []

    # links

    @asynccontextmanager
    async def connection(
        self, _config: Any, name: str, *, will: aiomqtt.Will | None = None, queue: int = 1000
    ) -> AsyncIterator[Client]:
        process = PROCESS.get()
        await asyncio.sleep(self._delay_s())
        if process is not None and process.host in self.cut:
            await asyncio.sleep(5.0)
            raise aiomqtt.MqttError("timed out")
        if not self.up:
            raise aiomqtt.MqttError("[Errno 111] Connection refused")
        for other in [each for each in self._links if each.name == name]:
            self._gone(other, say_will=True)
        link = Connection(name, process, will, asyncio.Queue(queue + 1))
        self._links.append(link)
        self._trace("connect", name)
        if process is not None:
            process.died.append(lambda: self._loop.world(self._delay_s(), self._closed, link))
        try:
            yield Client(self, link)
        finally:
            self._gone(link, say_will=False)

    def _closed(self, link: Connection) -> None:
        """The kernel closed a dead process' socket; behind a partition nobody hears it."""
        if link.process is not None and link.process.host in self.cut:
            self._loop.world(1.5 * KEEPALIVE_S, lambda: self._gone(link, say_will=True))
        else:
            self._gone(link, say_will=True)

    def _gone(self, link: Connection, *, say_will: bool) -> None:
        if link not in self._links:
            return
        self._links.remove(link)
        self._trace("disconnect", link.name)
        self._fail(link)
        if say_will and link.will is not None and self.up:
            will = link.will
            data = will.payload if isinstance(will.payload, bytes) else b""
            self.take(will.topic, data, retain=will.retain, honest=True)

    def _fail(self, link: Connection) -> None:
        """The client's end notices."""
        link.up = False
        if link.process is not None and not link.process.alive:
            return
        for future in sorted(link.waiting, key=hash):
            if not future.done():
                future.set_exception(aiomqtt.MqttError("Disconnected"))
        if link.queue.full():
            link.queue.get_nowait()
        link.queue.put_nowait(None)

    def reset(self, host: str | None = None) -> None:
        """RST on the links of a host, or on all."""
        for link in list(self._links):
            if host is None or (link.process is not None and link.process.host == host):
                self._gone(link, say_will=True)

    def partition(self, host: str, seconds: float) -> None:
        """Nothing gets through, and nobody is told; both ends notice by the keepalive."""
        self.cut.add(host)
        self._trace("partition", host, round(seconds, 3))
        for link in [each for each in self._links if each.process and each.process.host == host]:
            patience_s = KEEPALIVE_S * (1 + self._chance.random())
            self._loop.world(patience_s, self._give_up, link)
        self._loop.world(seconds, self._heal, host)

    def _give_up(self, link: Connection) -> None:
        if link.up and link.process is not None and link.process.host in self.cut:
            link.held.clear()
            self._gone(link, say_will=True)

    def _heal(self, host: str) -> None:
        self.cut.discard(host)
        self._trace("healed", host)
        for link in self._links:
            if link.process is not None and link.process.host == host:
                held, link.held = link.held, []
                for deliver in held:
                    deliver()

    def crash(self, down_s: float) -> None:
        """Retained messages come back as they were at some earlier time, or not at all."""
        self._trace("broker crash", round(down_s, 3))
        self.up = False
        for link in list(self._links):
            self._gone(link, say_will=False)
        self.retained = dict(self._saved) if self._chance.random() < 0.7 else {}
        self._loop.world(down_s, self._start)

    def _start(self) -> None:
        self.up = True
        self._trace("broker up")

    def save(self) -> None:
        self._saved = dict(self.retained)

    # messages

    def _delay_s(self) -> float:
        if self._chance.random() < self.lies.slow:
            return uniform_log(self._chance, 0.1, 5.0)
        return uniform_log(self._chance, 0.001, 0.05)

    def _through(self, link: Connection, deliver: Callable[[], None]) -> None:
        if link.process is not None and link.process.host in self.cut:
            link.held.append(deliver)
        else:
            deliver()

    def from_client(
        self, link: Connection, arrive: Callable[[], None], done: "asyncio.Future[None]"
    ) -> None:
        """A message of a client to the broker, and the acknowledgement back; in order."""
        at_s = max(link.sent_until_s, self._loop.time() + self._delay_s())
        link.sent_until_s = at_s
        process = link.process

        def acknowledge() -> None:
            if link.up and process is not None and process.alive and not done.done():
                done.set_result(None)

        def come() -> None:
            if link.up and self.up:
                arrive()
                self._loop.world(self._delay_s(), self._through, link, acknowledge)

        self._loop.world(at_s - self._loop.time(), self._through, link, come)

    def subscribe(self, link: Connection, filters: list[str]) -> None:
        link.filters += [each.split("/") for each in filters]
        for topic, payload in list(self.retained.items()):
            if _matches(link, topic):
                self._to_client(link, topic, payload, retained=True)

    def take(self, topic: str, payload: bytes, *, retain: bool, honest: bool = False) -> None:
        """What a client published; PUBACK follows whatever becomes of it."""
        lies = Lies() if honest else self.lies
        if self._chance.random() < lies.forget:
            self._trace("forgotten", topic)
            return
        if retain:
            self.retained.pop(topic, None)
            if payload:
                self.retained[topic] = payload
        for link in self._links:
            if _matches(link, topic):
                self._to_client(link, topic, payload)
                if self._chance.random() < lies.twice:
                    self._to_client(link, topic, payload)

    def _to_client(
        self, link: Connection, topic: str, payload: bytes, *, retained: bool = False
    ) -> None:
        at_s = self._loop.time() + self._delay_s()
        if self._chance.random() >= self.lies.out_of_order:
            at_s = max(at_s, link.lanes.get(topic, 0.0))
            link.lanes[topic] = at_s
        message = aiomqtt.Message(aiomqtt.Topic(topic), payload, 1, retained, 0, None)

        def come() -> None:
            alive = link.process is None or link.process.alive
            if link.up and alive and link.queue.qsize() < link.queue.maxsize - 1:
                self._trace("deliver", link.name, topic, len(payload))
                link.queue.put_nowait(message)

        self._loop.world(at_s - self._loop.time(), self._through, link, come)


def _matches(link: Connection, topic: str) -> bool:
    parts = topic.split("/")
    return any(
        len(pattern) == len(parts)
        and all(want in ("+", have) for want, have in zip(pattern, parts, strict=True))
        for pattern in link.filters
    )
