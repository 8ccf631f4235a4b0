"""A gateway that signs and a historian that cosigns, over a real broker, inside one test."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiomqtt

from agent.batches.log import BatchLog
from agent.edge.evidence import Evidence, log_to_open
from agent.edge.publish import Publisher
from agent.evidence.note import Head, read_head, read_note
from agent.evidence.settings import EvidenceConfig
from agent.historian.originals import Originals
from agent.historian.receive import Receiver
from agent.historian.witness import Witness
from agent.mqtt import BrokerConfig, MqttConfig
from agent.wire.events import Happening
from tests.agent.ends import GATEWAY, PLANT, append, running, until

TOPIC = f"smelter/v1/{PLANT}/{GATEWAY}"


@dataclass
class Edge:
    """The gateway's end."""

    folder: Path
    logs: dict[str, BatchLog]
    evidence: Evidence
    publisher: Publisher
    told: list[tuple[Happening, str]] = field(default_factory=list)

    def kinds(self) -> list[str]:
        return [str(kind) for kind, _ in self.told]

    def cosigned(self, stream: str = "record") -> int:
        return self.evidence.notary.cosigned_sizes().get(stream, 0)

    async def add(self, count: int, stream: str = "record") -> None:
        """Batches, and a checkpoint over them."""
        await append(self.logs[stream], count)
        await self.evidence.sign()

    async def until_cosigned(self, size: int, stream: str = "record") -> None:
        await until(lambda: self.cosigned(stream) == size, f"cosigned to {size}")


@asynccontextmanager
async def edge_end(folder: Path, broker: MqttConfig, **settings: object) -> AsyncIterator[Edge]:
    told: list[tuple[Happening, str]] = []
    config = EvidenceConfig.model_validate({"checkpoint_s": 3600, **settings})
    async with AsyncExitStack() as stack:
        logs = {
            stream: await stack.enter_async_context(
                BatchLog(folder, stream=stream, log=await log_to_open(folder, stream))
            )
            for stream in ("record", "raw")
        }
        evidence = Evidence(
            folder, PLANT, GATEWAY, config, lambda kind, text: told.append((kind, text))
        )
        await evidence.open(logs)
        publisher = evidence.attach(
            Publisher(broker, PLANT, GATEWAY, logs, receipt_timeout_s=1.0, pause_most_s=0.3)
        )
        async with running(publisher.run(), evidence.run()):
            yield Edge(folder, logs, evidence, publisher, told)


@asynccontextmanager
async def witness_end(
    folder: Path, broker: BrokerConfig, signature: str = "ed25519"
) -> AsyncIterator[Witness]:
    async with Originals(folder / "originals", "0" * 16) as originals:
        witness = Witness(folder, originals, signature=signature)
        receiver = Receiver(broker, originals, witness=witness, pause_most_s=0.3)
        async with running(receiver.run(), witness.run()):
            await until(lambda: receiver.online, "historian online")
            yield witness


def stored_head(path: Path) -> Head:
    return read_head(read_note(path.read_text("utf-8")).text)


async def last_said(port: int, leaf: str) -> bytes:
    """What is retained on a topic of the gateway."""
    async with aiomqtt.Client("127.0.0.1", port) as client:
        await client.subscribe(f"{TOPIC}/{leaf}", qos=1)
        async for message in client.messages:
            return bytes(message.payload)
    raise AssertionError("nothing retained")


async def say(port: int, leaf: str, payload: bytes | dict[str, object]) -> None:
    text = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    async with aiomqtt.Client("127.0.0.1", port) as client:
        await client.publish(f"{TOPIC}/{leaf}", text, qos=1, retain=True)
