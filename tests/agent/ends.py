"""Both ends of the transport inside one test, over a real broker; and a gateway that misbehaves."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

import aiomqtt

from agent.batches.log import BatchLog
from agent.edge.publish import Publisher
from agent.historian.originals import Originals
from agent.historian.receive import Receiver
from agent.mqtt import BrokerConfig, MqttConfig
from agent.wire.encode import BatchHead, batch_payload
from tests.kill_harness import body_of
from tests.originals_reader import Kept, read_stream

PLANT, GATEWAY = "demo", "gw1"


def broker_at(port: int, **more: object) -> MqttConfig:
    return MqttConfig.model_validate({"url": f"mqtt://127.0.0.1:{port}", **more})


async def until(ready: Callable[[], bool], what: str, timeout_s: float = 60.0) -> None:
    try:
        async with asyncio.timeout(timeout_s):
            while not ready():  # noqa: ASYNC110 - watches files and counters, which have no event
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"{what}: not after {timeout_s} s") from None


@asynccontextmanager
async def running(*jobs: Coroutine[object, object, None]) -> AsyncIterator[None]:
    """Coroutines that run while entered."""
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        for outcome in ended:
            if isinstance(outcome, Exception):
                raise outcome


@asynccontextmanager
async def gateway_end(
    folder: Path, broker: MqttConfig, *, timeout_s: float = 1.0
) -> AsyncIterator[tuple[dict[str, BatchLog], Publisher]]:
    """Two logs and a publisher that sends them."""
    async with (
        BatchLog(folder, stream="record") as record,
        BatchLog(folder, stream="raw") as raw,
    ):
        logs = {"record": record, "raw": raw}
        publisher = Publisher(
            broker, PLANT, GATEWAY, logs, receipt_timeout_s=timeout_s, pause_most_s=0.3
        )
        async with running(publisher.run()):
            yield logs, publisher


@asynccontextmanager
async def historian_end(
    folder: Path, broker: BrokerConfig
) -> AsyncIterator[tuple[Originals, Receiver]]:
    async with Originals(folder / "originals", "0" * 16) as originals:
        receiver = Receiver(broker, originals, pause_most_s=0.3)
        async with running(receiver.run()):
            await until(lambda: receiver.online, "historian online")
            yield originals, receiver


async def append(log: BatchLog, count: int, lines: int = 3) -> None:
    head = BatchHead(PLANT, GATEWAY, log.stream, "0" * 16)

    def make(seq: int, prev: str) -> tuple[bytes, int]:
        body = body_of(log.log_id, seq, lines)
        return batch_payload(head, [body], log=log.log_id, seq=seq, prev=prev, closed_ns=seq)

    for _ in range(count):
        await log.append(make, closed_ns=1)


def kept(folder: Path, stream: str, gateway: str = GATEWAY) -> dict[str, list[Kept]]:
    """What the originals hold, by an independent reader; branches without the numbering check."""
    place = folder / "originals" / PLANT / gateway / stream
    return read_stream(place) if place.is_dir() else {}


def events(folder: Path) -> str:
    return "\n".join(
        line
        for batches in kept(folder, "record", "historian").values()
        for batch in batches
        for line in batch.lines()[1:]
    )


async def listen(port: int, topic: str, got: list[bytes]) -> None:
    """A consumer that keeps what it hears."""
    async with aiomqtt.Client("127.0.0.1", port) as client:
        await client.subscribe(topic, qos=1)
        async for message in client.messages:
            got.append(bytes(message.payload))  # noqa: PERF401 - read while it grows


class RawGateway:
    """Speaks the protocol by hand: any number, any bytes, any order."""

    def __init__(self, client: aiomqtt.Client, stream: str = "record") -> None:
        self.client, self.stream = client, stream
        self.heard: list[dict[str, object]] = []
        self.log = "00112233445566ff"

    @classmethod
    @asynccontextmanager
    async def connected(cls, port: int) -> AsyncIterator["RawGateway"]:
        async with aiomqtt.Client("127.0.0.1", port) as client:
            await client.subscribe(f"smelter/v1/{PLANT}/{GATEWAY}/receipt", qos=1)
            gateway = cls(client)
            async with running(gateway._listen()):
                yield gateway

    async def _listen(self) -> None:
        async for message in self.client.messages:
            self.heard.append(json.loads(bytes(message.payload)))

    def payload(self, seq: int, prev: bytes, text: str = "a", **other: str) -> bytes:
        tags = {"plant": PLANT, "gateway": GATEWAY, "stream": self.stream, **other}
        named = ",".join(f"{key}={value}" for key, value in tags.items())
        head = f'batch,{named} log="{self.log}",seq={seq}i,lines=1i,config="0",prev="{prev.hex()}"'
        return f'{head} {seq}\nnote,plant=demo text="{text}" {seq}'.encode()

    async def send(self, payload: bytes, topic: str = f"smelter/v1/{PLANT}/{GATEWAY}") -> None:
        await self.client.publish(f"{topic}/{self.stream}", payload, qos=1)

    async def say_state(self, oldest: int, newest: int, **more: object) -> None:
        log = {"log": self.log, "oldest": oldest, "newest": newest, **more}
        text = json.dumps({"online": True, "logs": {self.stream: log}})
        await self.client.publish(f"smelter/v1/{PLANT}/{GATEWAY}/state", text, qos=1, retain=True)

    def chain(self, first: int, last: int, text: str = "a", prev: bytes = bytes(32)) -> list[bytes]:
        """Payloads ``first`` to ``last``, each with the digest of the one before."""
        found = []
        for seq in range(first, last + 1):
            found.append(self.payload(seq, prev, f"{text}{seq}"))
            prev = sha256(found[-1]).digest()
        return found

    @property
    def upto(self) -> int:
        return max((int(str(each["upto"])) for each in self.heard if "upto" in each), default=0)

    @property
    def asked(self) -> list[int]:
        return [int(str(each["resend_from"])) for each in self.heard if "resend_from" in each]
