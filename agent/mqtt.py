"""How both ends reach a broker: ``[mqtt]``, a connection, topics, pauses between tries."""

import asyncio
import hashlib
import math
import random
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

import aiomqtt
import paho.mqtt.client as paho
from pydantic import Field, field_validator, model_validator

from drivers.config import Strict
from drivers.language import say, why
from drivers.model import ConfigError
from drivers.peer import PeerRefusedError
from drivers.secret import only_given, read_secret, secret_trouble
from drivers.tls import TlsFiles, TlsVersion, loopback, told_of_us, translate

KEEPALIVE_S = 12  # a half-open connection is noticed after at most twice that
PREFIX = "smelter/v1"
# Where the broker says that the historian is gone; its ACL lets the historian write there anyway.
AWAY = f"{PREFIX}/_/historian/receipt"
BROKER_FILES = ("ca", "cert", "key", "crl", "password_file")  # keys of [mqtt] that name one
CANCEL_AGAIN_S = 2.0  # more than a session needs to say goodbye
STEADY_S = 5.0  # a session that lived so long was no failed try


def _both(one: str, other: str) -> str:
    return say(
        f"{one} 与 {other} 须同时给出，或都不写",
        f"{one} and {other} belong together: give both or none",
    )


def unreadable(files: Mapping[str, Path]) -> list[str]:
    """Those of ``[mqtt]`` that cannot be read, by key."""
    found = []
    for name, path in files.items():
        if name == "password_file":
            found += [f"mqtt.{name}: {told}"] if (told := secret_trouble(path)) else []
            continue
        try:
            path.read_bytes()
        except OSError as error:
            if not only_given(path):
                found.append(f"mqtt.{name}: {path}: {why(error)}")
    return found


class BrokerConfig(Strict):
    """``[mqtt]`` of both ends. Paths are as given or relative to the config file."""

    url: str  # mqtt://host[:1883] or mqtts://host[:8883]
    ca: Path | None = None  # of the broker's certificate; the system's when not given
    cert: Path | None = None
    key: Path | None = None
    crl: Path | None = None  # revoked certificates of brokers; reissued when one is added
    tls_min: TlsVersion = "1.2"
    username: str = ""
    password_file: Path | None = None
    allow_plain_password: bool = False  # over mqtt:// to another machine, readable on the way
    client_id: str = Field(default="", max_length=64)  # default says plant and gateway
    protocol: Literal["3.1.1", "5"] = "3.1.1"

    @field_validator("url")
    @classmethod
    def _reachable(cls, url: str) -> str:
        if "@" in url:  # before anything repeats it: a password may stand there
            raise ValueError(
                say(
                    "url 只写主机和端口；用户名和密码请用 username 和 password_file",
                    "only host and port belong in url; use username and password_file",
                )
            )
        port_ok = True
        try:
            parts = urlsplit(url)
            _ = parts.port
        except ValueError:
            parts, port_ok = urlsplit(""), False
        if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname or not port_ok:
            forms = "mqtt://host:1883", "mqtts://host:8883"
            raise ValueError(
                say(
                    f"{url!r}：请写 {forms[0]}，用 TLS 时写 {forms[1]}",
                    f"{url!r}: write {forms[0]} or, with TLS, {forms[1]}",
                )
            )
        if parts.path.strip("/"):
            raise ValueError(say("url 只写主机和端口", "only host and port belong in url"))
        return url

    @model_validator(mode="after")
    def _complete(self) -> "BrokerConfig":
        found = []
        if (self.cert is None) != (self.key is None):
            found.append(_both("cert", "key"))
        if not self.tls and (self.ca or self.cert or self.key or self.crl):
            told = say(
                'ca、cert、key 和 crl 须用 TLS：url = "mqtts://…"',
                'ca, cert, key and crl need TLS: url = "mqtts://…"',
            )
            found.append(told)
        if self.username and not (self.tls or self.allow_plain_password or loopback(self.host)):
            told = say(
                '密码不能明文发往另一台机器：请用 url = "mqtts://…"；确需明文时写明 '
                "allow_plain_password = true",
                'a password would cross the network readable: use url = "mqtts://…", or say '
                "allow_plain_password = true if it must be",
            )
            found.append(told)
        if bool(self.username) != (self.password_file is not None):
            found.append(_both("username", "password_file"))
        if found:
            raise ValueError("\n".join(found))
        return self

    @property
    def tls(self) -> bool:
        return urlsplit(self.url).scheme == "mqtts"

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or (8883 if self.tls else 1883)

    def below(self, folder: Path) -> "BrokerConfig":
        """The same with relative paths taken from ``folder``."""
        return self.model_copy(update={n: folder / file for n, file in self._files().items()})

    def _files(self) -> dict[str, Path]:
        return {n: getattr(self, n) for n in BROKER_FILES if getattr(self, n) is not None}

    def problems(self) -> list[str]:
        """What would keep a connection from being tried: files that cannot be read."""
        found = unreadable(self._files())
        if not found and self.tls:
            found += [f"mqtt: {problem}" for problem in self._tls_files.problems()]
        return found

    @property
    def plain(self) -> bool:
        """Readable for everybody on the network between here and the broker."""
        return not self.tls and not loopback(self.host)

    @property
    def _tls_files(self) -> TlsFiles:
        return TlsFiles(self.ca, self.cert, self.key, self.crl, self.tls_min)

    @property
    def files_digest(self) -> str:
        """Another one when a certificate, a key or the list of revoked ones was renewed."""
        digest = hashlib.sha256()
        for name, path in sorted(self._files().items()):
            try:
                content = path.read_bytes()
            except OSError:
                content = b""
            digest.update(f"{name}:{len(content)}:".encode() + content)
        return digest.hexdigest()

    def tls_context(self) -> ssl.SSLContext | None:
        return self._tls_files.context() if self.tls else None

    def password(self) -> str | None:
        if self.password_file is None:
            return None
        try:
            return read_secret(self.password_file)
        except ConfigError as error:
            raise OSError("; ".join(error.problems)) from None


class MqttConfig(BrokerConfig):
    """``[mqtt]`` of a gateway."""

    delivery: Literal["receipt", "puback"] = "receipt"
    compression: Literal["none", "zstd"] = "none"


def topic(plant: str, gateway: str, leaf: str) -> str:
    """``leaf``: record, raw, receipt or state."""
    return f"{PREFIX}/{plant}/{gateway}/{leaf}"


T = TypeVar("T")


class _Client(aiomqtt.Client):
    """
    Registers a socket for writing only while it is still the client's, and swallows no cancel.

    aiomqtt asks the loop to register later, by the number of the file; when the socket is closed
    meanwhile, that number may already belong to another file. And it waits with asyncio.wait_for,
    which in Python 3.11 loses a cancellation that comes with the answer: a task that publishes in
    a loop then never ends, nor the session it belongs to. A connection that breaks before the
    broker has answered fails at once: aiomqtt would wait for the answer until its time is up.
    """

    def _on_disconnect(
        self,
        client: paho.Client,
        userdata: Any,
        flags: paho.DisconnectFlags,
        reason_code: Any,
        properties: Any = None,
    ) -> None:
        if not self._connected.done():
            error = aiomqtt.MqttError(f"the connection broke before CONNACK ({reason_code})")
            self._connected.set_exception(error)
            self._connected.exception()  # nobody may be waiting any more
            return
        super()._on_disconnect(client, userdata, flags, reason_code, properties)
        if self._disconnected.done() and not self._disconnected.cancelled():
            self._disconnected.exception()  # the same: a session may end for another reason

    async def _wait_for(self, fut: Awaitable[T], timeout: float | None) -> T:  # noqa: ASYNC109 - as there
        limit = self.timeout if timeout is None else timeout
        try:
            async with asyncio.timeout(None if limit == math.inf else limit):
                return await fut
        except TimeoutError:
            raise aiomqtt.MqttError("Operation timed out") from None

    def _on_socket_register_write(
        self,
        client: paho.Client,
        userdata: Any,  # noqa: ARG002 - the signature is the library's
        sock: Any,
    ) -> None:
        def register() -> None:
            now: Any = client.socket()
            if now is not None and now is sock:
                self._loop.add_writer(now.fileno(), write)

        def write() -> None:
            try:
                client.loop_write()
            except Exception as error:  # noqa: BLE001 - as in aiomqtt: whatever it is, the session ends
                if not self._disconnected.done():
                    self._disconnected.set_exception(error)

        self._loop.call_soon_threadsafe(register)


@asynccontextmanager
async def connection(
    broker: BrokerConfig, client_id: str, *, will: aiomqtt.Will | None = None, queue: int = 1000
) -> AsyncIterator[aiomqtt.Client]:
    """
    One connection with a clean session: the batch logs remember, the broker need not.

    Raises PeerRefusedError when the broker is not who it should be, aiomqtt.MqttError when no
    connection can be made and OSError for an unreadable file.
    """
    client = _Client(
        broker.host,
        broker.port,
        username=broker.username or None,
        password=broker.password(),
        identifier=broker.client_id or client_id,
        protocol=aiomqtt.ProtocolVersion.V5
        if broker.protocol == "5"
        else aiomqtt.ProtocolVersion.V311,
        clean_session=True if broker.protocol == "3.1.1" else None,
        will=will,
        keepalive=KEEPALIVE_S,
        tls_context=broker.tls_context(),
        max_queued_incoming_messages=queue,
        max_inflight_messages=0,  # no limit of the library: the publisher has its own
        socket_options=((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),),
    )
    client.pending_calls_threshold = 1000  # the caller bounds what is in flight
    try:
        async with AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(client)
            except aiomqtt.MqttError as error:
                _explain(error, broker)
                raise
            yield client
    finally:
        client._client.disconnect()  # noqa: SLF001 - a try that failed half-way keeps its socket


def _explain(error: aiomqtt.MqttError, broker: BrokerConfig) -> None:
    """Raises what a failed connection means, where it is a matter of certificates."""
    expected = f"TLS ≥ {broker.tls_min}, {broker.host}, {broker.ca or 'system CA'}"
    translate(error, f"{broker.host}:{broker.port}", expected)
    ours = told_of_us(error)
    if ours:
        told = say(f"消息服务器拒绝我方：{ours}", f"the broker refuses us: {ours}")
        raise aiomqtt.MqttError(f"{told} ({error})") from error


class Pauses:
    """Seconds to wait before the next try: doubling, with jitter, from half to ``most_s``."""

    def __init__(self, first_s: float = 1.0, most_s: float = 20.0) -> None:
        self._first_s, self._most_s = first_s, most_s
        self._next_s = first_s

    def reset(self) -> None:
        self._next_s = self._first_s

    def next_s(self) -> float:
        pause_s = self._next_s * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load only
        self._next_s = min(self._next_s * 2, self._most_s)
        return pause_s


async def keep_connected(
    session: Callable[[], Coroutine[object, object, None]],
    lost: Callable[[BaseException], None],
    pauses: Pauses,
) -> None:
    """
    Runs sessions one after the other, with pauses, until cancelled; tells ``lost`` why one ended.

    Each session is a task of its own, so that a cancellation from outside is never mistaken for
    the end of a session. Errors that are not the network's are raised.
    """
    while True:
        started = time.monotonic()
        task = asyncio.create_task(session())
        try:
            await asyncio.wait((task,))
        finally:
            while not task.done():  # wait_for of Python 3.11 may swallow one as its answer arrives
                task.cancel()
                await asyncio.wait((task,), timeout=CANCEL_AGAIN_S)
        reasons = network_errors(task.exception())
        if not reasons:
            task.result()
        lost(reasons[0] if reasons else ConnectionError("the session ended"))
        if time.monotonic() > started + STEADY_S:
            pauses.reset()
        await asyncio.sleep(pauses.next_s())


def network_errors(error: BaseException | None) -> list[BaseException]:
    """What broke a session, when everything that broke it is the network's fault; else nothing."""
    if not isinstance(error, BaseExceptionGroup):
        kinds = aiomqtt.MqttError | OSError | PeerRefusedError
        return [error] if isinstance(error, kinds) else []
    inner = [network_errors(each) for each in error.exceptions]
    return [each for found in inner for each in found] if all(inner) else []
