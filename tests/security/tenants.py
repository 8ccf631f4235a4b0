"""Real mosquitto with the configuration as shipped, and clients that try what they may not."""

import asyncio
import json
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiomqtt
from cryptography.hazmat.primitives.serialization import Encoding

from agent.mqtt import MqttConfig
from drivers.authority import Authority, Owner, Use, key_bytes, new_key, request_of, write_file
from tests import servers
from tests.agent.ends import append, gateway_end, historian_end, until

SHIPPED = Path(__file__).parents[2] / "config" / "mosquitto"
A, B = "demo-gw1", "demo-gw2"
RECORD_A, RECORD_B = "smelter/v1/demo/gw1/record", "smelter/v1/demo/gw2/record"


def issue(authority: Authority, name: str, use: Use = "client", days: int = 2) -> None:
    """``<name>.pem`` and ``.key`` beside the authority, as `authority issue` makes them."""
    key = new_key(use)
    hosts = ("127.0.0.1", "localhost") if use == "server" else ()
    certificate = authority.sign(request_of(key, Owner(name, hosts)), use, days)
    write_file(authority.folder / f"{name}.key", key_bytes(key), 0o600)
    write_file(authority.folder / f"{name}.pem", certificate.public_bytes(Encoding.PEM))


def site(folder: Path) -> Authority:
    """An authority, and a certificate for each role of the shipped ACL."""
    made = Authority.create(folder, "site")
    (folder / "ca.pem").write_bytes(made.path.read_bytes())
    issue(made, "broker", "server")
    for name in (A, B, "demo-import", "historian", "reader", "stranger"):
        issue(made, name)
    return made


def shipped(folder: Path) -> servers.Server:
    """Mosquitto with what we ship; only paths, port and the user it runs as are changed."""
    port = servers.free_port()
    text = (SHIPPED / "smelter.conf").read_text("utf-8")
    text = text.replace("listener 8883 127.0.0.1", f"listener {port} 127.0.0.1")
    text = text.replace("/etc/mosquitto/smelter/acl", str(SHIPPED / "acl"))
    text = text.replace("/etc/mosquitto/smelter", str(folder))
    text = re.sub(r"persistence_location .*", f"persistence_location {folder}/", text)
    config = folder / "broker.conf"
    config.write_text(text + "\nuser root\n", "utf-8")
    return servers.Server(
        [servers.program("mosquitto", "mosquitto"), "-c", str(config)],
        port,
        lambda: servers.listening(port),
        folder / "broker.log",
    )


def config_of(folder: Path, port: int, name: str) -> MqttConfig:
    """As a gateway of that name has it."""
    files = {"ca": folder / "ca.pem", "cert": folder / f"{name}.pem", "key": folder / f"{name}.key"}
    return MqttConfig.model_validate({"url": f"mqtts://127.0.0.1:{port}", **files})


def client(folder: Path, port: int, name: str, **more: object) -> aiomqtt.Client:
    """A client of another make, with the certificate of that name."""
    context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    return aiomqtt.Client("127.0.0.1", port, tls_context=context, **more)  # type: ignore[arg-type]


class Tenants:
    """The broker with historian and gateway A running, and what must not happen to them."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.refused: list[str] = []  # what was tried in vain
        self.held: list[str] = []  # what went through and should not have

    def _note(self, what: str, *, refused: bool) -> None:
        (self.refused if refused else self.held).append(what)

    async def speaks(self, name: str, topics: list[str], marker: str) -> None:
        """``name`` publishes on each topic; the historian's certificate listens to all it may."""
        heard: set[str] = set()
        mark = f"smelter/v1/{name.replace('-', '/')}/state"
        async with client(self.folder, self.port, "historian") as ear:
            for leaf in ("record", "raw", "state", "checkpoint"):
                await ear.subscribe(f"smelter/v1/+/+/{leaf}", qos=1)
            async with client(self.folder, self.port, name) as mouth:
                for topic in topics:
                    await mouth.publish(topic, marker, qos=1)
                if name in {A, B}:
                    await mouth.publish(mark, f"{marker} end", qos=1)
            await self._hear(ear, marker, heard, wait=name in {A, B})
        for topic in topics:
            self._note(f"{name} publishes {topic}", refused=topic not in heard)

    async def _hear(self, ear: aiomqtt.Client, marker: str, heard: set[str], *, wait: bool) -> None:
        """Until the last allowed message came: what came before it, came."""
        try:
            async with asyncio.timeout(10 if wait else 0.5):
                async for message in ear.messages:
                    text = bytes(message.payload).decode(errors="replace")
                    if text == f"{marker} end":
                        return
                    if text == marker:
                        heard.add(str(message.topic))
        except TimeoutError:
            if wait:
                raise AssertionError(f"{marker}: not even what is allowed arrived") from None

    async def listens(self, name: str, filters: list[str]) -> None:
        """``name`` subscribes to each; B and the historian speak; nothing of it arrives."""
        heard: list[str] = []
        async with client(self.folder, self.port, name) as ear:
            for each in filters:
                await ear.subscribe(each, qos=1)
            async with client(self.folder, self.port, B) as mouth:
                await mouth.publish(RECORD_B, b"of B", qos=1)
            async with client(self.folder, self.port, "historian") as mouth:
                for topic in ("gw2/receipt", "gw2/cosignature"):
                    await mouth.publish(f"smelter/v1/demo/{topic}", b"of B", qos=1)
                await mouth.publish("smelter/v1/demo/gw1/receipt", b"of A", qos=1)
            try:
                async with asyncio.timeout(10):
                    async for message in ear.messages:
                        heard.append(str(message.topic))
                        if bytes(message.payload) == b"of A":
                            break
            except TimeoutError:
                raise AssertionError("its own receipt did not arrive") from None
        strange = [each for each in heard if "/gw2/" in each]
        self._note(f"{name} reads {', '.join(filters)}", refused=not strange)

    async def receipts(self, name: str) -> None:
        """``name`` writes a receipt and a cosignature for A; A hears only the historian's."""
        heard: list[bytes] = []
        leaves = ("receipt", "cosignature")
        if name == A:  # two connections of one certificate would throw each other out
            ear_name, victim = B, "gw2"
        else:
            ear_name, victim = A, "gw1"
        async with client(self.folder, self.port, ear_name) as ear:
            for leaf in leaves:
                await ear.subscribe(f"smelter/v1/demo/{victim}/{leaf}", qos=1)
            async with client(self.folder, self.port, name) as forger:
                for leaf in leaves:
                    await forger.publish(f"smelter/v1/demo/{victim}/{leaf}", b"forged", qos=1)
            async with client(self.folder, self.port, "historian") as historian:
                await historian.publish(f"smelter/v1/demo/{victim}/receipt", b"true", qos=1)
            async with asyncio.timeout(10):
                async for message in ear.messages:
                    if bytes(message.payload) == b"true":
                        break
                    heard.append(bytes(message.payload))
        self._note(f"{name} writes receipts and cosignatures for {victim}", refused=not heard)

    async def will(self) -> None:
        """A dies with a last will in B's name."""
        heard: list[str] = []
        will = aiomqtt.Will("smelter/v1/demo/gw2/state", b'{"online":false,"by":"gw1"}', qos=1)
        async with client(self.folder, self.port, "historian") as ear:
            await ear.subscribe("smelter/v1/+/+/state", qos=1)
            dying = client(self.folder, self.port, A, will=will)
            await dying.__aenter__()
            sock = dying._client.socket()
            assert isinstance(sock, ssl.SSLSocket)
            sock.shutdown(2)
            with suppress(aiomqtt.MqttError):
                await dying.__aexit__(None, None, None)
            async with client(self.folder, self.port, B) as mouth:
                await mouth.publish("smelter/v1/demo/gw2/state", b"end", qos=1)
            async with asyncio.timeout(10):
                async for message in ear.messages:
                    if bytes(message.payload) == b"end":
                        break
                    heard.append(bytes(message.payload).decode())
        self._note("A's last will in B's name", refused=not any("gw1" in each for each in heard))

    async def client_id(self) -> None:
        """A connects under B's client id: B stays connected."""
        stolen = "smelter-demo-gw2"
        async with (
            client(self.folder, self.port, B, identifier=stolen) as victim,
            client(self.folder, self.port, A, identifier=stolen) as thief,
        ):
            await thief.publish(RECORD_A, b"x", qos=1)
            try:
                await victim.publish(RECORD_B, b"still here", qos=1, timeout=5)
                alive = True
            except aiomqtt.MqttError:
                alive = False
        self._note("A takes over B's client id", refused=alive)


def forgeries(log: str) -> dict[str, bytes]:
    """Receipts that nobody may believe: a broker gone bad would deliver them."""
    stream = {"stream": "record"}
    huge = {"log": log, **stream, "upto": 10**30}
    return {
        "for numbers never sent": json.dumps({"log": log, **stream, "upto": 10_000}).encode(),
        "huge number": json.dumps(huge).encode(),
        "negative": json.dumps({"log": log, **stream, "upto": -5}).encode(),
        "of another log": json.dumps({"log": "f" * 32, **stream, "upto": 3}).encode(),
        "of another stream": json.dumps({"log": log, "stream": "raw", "upto": 10_000}).encode(),
        "true as a number": json.dumps({"log": log, **stream, "upto": True}).encode(),
        "a list": b'[{"upto": 3}]',
        "10 MB": b'{"upto":' + b"9" * 10_000_000 + b"}",
        "no JSON": b"\xff\xfe\x00receipt",
        "resend of what never was": json.dumps(
            {"log": log, **stream, "resend_from": 9**9}
        ).encode(),
    }


@asynccontextmanager
async def forged_receipts(folder: Path, port: int) -> AsyncIterator[list[str]]:
    """
    Gateway A with twenty batches on an *open* broker, whoever may publish receipts: after each
    forgery all are still there. Yields what was lost.
    """
    lost: list[str] = []
    broker = MqttConfig(url=f"mqtt://127.0.0.1:{port}")
    async with gateway_end(folder, broker, timeout_s=30) as (logs, publisher):
        record = logs["record"]
        await append(record, 20)
        await until(lambda: publisher.counts.batches >= 1, "sent")
        async with aiomqtt.Client("127.0.0.1", port) as forger:
            for name, payload in forgeries(record.log_id).items():
                before = publisher.counts.unreadable + publisher.counts.foreign
                await forger.publish("smelter/v1/demo/gw1/receipt", payload, qos=1)

                def looked_at(before: int = before) -> bool:
                    return publisher.counts.unreadable + publisher.counts.foreign > before

                await until(looked_at, f"{name} looked at")
                await record.prune()
                if record.receipted or record.oldest != 1 or record.newest != 20:
                    lost.append(f"{name}: {record.oldest}…{record.newest}, {record.receipted}")
        yield lost


async def delivered(folder: Path, own: Path, port: int) -> int:
    """Batches that went the whole way under the shipped rules, of 20."""
    async with (
        historian_end(own, config_of(folder, port, "historian")),
        gateway_end(own / "edge", config_of(folder, port, A)) as (logs, _),
    ):
        await append(logs["record"], 20)
        await until(lambda: logs["record"].receipted == 20, "receipts over TLS", 30)
        return logs["record"].receipted
