"""
One session with one OPC UA server: opened with the pinned certificate, read-only, bounded in time.

Built on asyncua's service calls without its supervisor: the driver decides when to connect, and
nothing runs in the background but what the driver started itself.
"""

import asyncio
import contextlib
import datetime as dt
import logging
import struct
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from asyncua import Client, ua
from asyncua.crypto import security_policies
from asyncua.ua.ua_binary import struct_from_binary

from drivers.config import DeviceConfig
from drivers.model import ConfigError, DriverError, NonsenseError, RefusedError, UnreachableError
from drivers.opcua.binary import UnusualError, Value, read_answer
from drivers.opcua.certificates import application_uri, load_key
from drivers.opcua.gate import ALLOWED_REQUESTS, ReadOnlyGate, bare_client
from drivers.opcua.values import status_name
from drivers.opcua.vetting import certificate_in, explain, server_certificate
from drivers.peer import PeerRefusedError, Refusal, Why
from drivers.secret import read_secret

__all__ = ["ALLOWED_REQUESTS", "ReadOnlyGate", "Session", "TooManyError", "open_session"]

CONNECT_TIMEOUT_S = 4.0  # for a PLC doing RSA; the whole of connecting
CHANNEL_LIFETIME_S = 3600.0
MIN_YEAR = 1970  # an OPC UA DateTime of 0 is 1601: "none"
SESSION_TIMEOUT_S = 60.0  # an unclean end leaves no session at the server for long
STATE_NODE = ua.NodeId(2259)  # Server_ServerStatus_State
NAMESPACES_NODE = ua.NodeId(2255)
LIMIT_NODES = {
    "read": ua.NodeId(11705),  # OperationLimits: MaxNodesPerRead
    "browse": ua.NodeId(11710),
    "items": ua.NodeId(11714),  # MaxMonitoredItemsPerCall
}

_S = ua.StatusCodes
_REFUSALS = frozenset({
    _S.BadUserAccessDenied, _S.BadIdentityTokenRejected, _S.BadIdentityTokenInvalid,
    _S.BadSecurityChecksFailed, _S.BadSecurityPolicyRejected, _S.BadSecurityModeRejected,
    _S.BadSecurityModeInsufficient, _S.BadCertificateInvalid, _S.BadCertificateUntrusted,
    _S.BadCertificateTimeInvalid, _S.BadCertificateUriInvalid, _S.BadCertificateUseNotAllowed,
    _S.BadCertificateChainIncomplete, _S.BadCertificateRevoked, _S.BadCertificateHostNameInvalid,
    _S.BadUserSignatureInvalid, _S.BadApplicationSignatureInvalid, _S.BadIdentityChangeNotSupported,
    _S.BadNonceInvalid, _S.BadLicenseExpired, _S.BadServiceUnsupported,
})  # fmt: skip
_TOO_MANY = frozenset({
    _S.BadTooManyOperations, _S.BadResponseTooLarge, _S.BadRequestTooLarge,
    _S.BadEncodingLimitsExceeded, _S.BadTcpMessageTooLarge,
})  # fmt: skip


class TooManyError(UnreachableError):
    """More nodes in one call than the server takes; ask for fewer."""


@contextlib.contextmanager
def translated(what: str, timeout_s: float) -> Iterator[None]:
    """What asyncua and the socket raise, as "what do I do now"."""
    try:
        yield
    except DriverError:
        raise
    except TimeoutError:
        raise UnreachableError(f"{what}: no answer in {timeout_s:g} s") from None
    except ua.UaStatusCodeError as error:
        text = f"{what}: the server says {status_name(error.code)}"
        kind = RefusedError if error.code in _REFUSALS else UnreachableError
        raise (TooManyError if error.code in _TOO_MANY else kind)(text) from None
    except OSError as error:
        raise UnreachableError(f"{what}: {error or 'connection closed'}") from None
    except ua.UaError as error:
        raise NonsenseError(f"{what}: {error}") from None


class Session:
    """
    An open session. ``drop`` ends it; a dropped one is not used again.

    ``namespaces`` and ``limits`` are the server's, read when the session was opened. ``heard_s``
    is the monotonic time of the last answer to anything. ``setup_s`` is how long a request may take
    that is made once and is heavy for a PLC, such as a thousand monitored items.
    """

    def __init__(self, client: Client, timeout_s: float) -> None:
        self.client = client
        self.timeout_s = timeout_s
        self.setup_s = max(timeout_s, CONNECT_TIMEOUT_S)
        self.namespaces: tuple[str, ...] = ()
        self.limits = dict.fromkeys(LIMIT_NODES, 0)
        self.heard_s = time.monotonic()
        self._renewed_s = time.monotonic()

    async def ask(self, request: Any, timeout_s: float | None = None) -> bytes:
        """Send a request, give the bytes of its answer; 0 waits without end (Publish)."""
        wait_s = self.timeout_s if timeout_s is None else timeout_s
        request.RequestHeader = ua.RequestHeader()
        answer = await self.client.uaclient._send_request(request, wait_s)  # noqa: SLF001 - bytes
        self.heard_s = time.monotonic()
        return bytes(answer)

    async def read(self, request: ua.ReadRequest) -> list[Value]:
        """One Read service call; raises DriverError."""
        with translated("read", self.timeout_s):
            answer = await self.ask(request)
            try:
                result, values = read_answer(answer)
            except UnusualError:
                return general_values(
                    struct_from_binary(ua.ReadResponse, general_buffer(answer)).Results
                )
            except (struct.error, IndexError, ValueError) as error:
                raise NonsenseError(f"read: broken answer ({error})", answer) from None
            if result >> 31:
                raise ua.UaStatusCodeError(result)
            if len(values) != len(request.Parameters.NodesToRead):
                wanted = len(request.Parameters.NodesToRead)
                raise NonsenseError(f"read: {len(values)} values for {wanted} nodes", answer)
            return values

    async def keep(self) -> None:
        """Renew the secure channel in time; raises UnreachableError when that was missed."""
        age_s = time.monotonic() - self._renewed_s
        lifetime_s = self.client.secure_channel_timeout / 1000
        if age_s > lifetime_s:
            raise UnreachableError("secure channel expired between two reads")
        if age_s > 0.75 * lifetime_s:  # OPC 10000-4 §5.5.2.1
            with translated("renew secure channel", self.timeout_s):
                await self.client.open_secure_channel(renew=True)
                self.client.uaclient.revolve_security_token()
            self._renewed_s = time.monotonic()

    async def heartbeat(self) -> None:
        """Prove that the server answers, by a Read of its state."""
        await self.read(read_request([STATE_NODE]))

    async def drop(self) -> None:
        """End it: politely while the connection stands, within ``timeout_s`` in any case."""
        client = self.client
        with contextlib.suppress(Exception):
            async with asyncio.timeout(self.timeout_s):
                if client.uaclient.protocol and not client.uaclient.protocol.is_closed:
                    await client.close_session()
                    await client.close_secure_channel()
        protocol = client.uaclient.protocol
        client.disconnect_socket()
        if protocol and protocol.transport:
            protocol.transport.abort()  # nothing left worth waiting for


def read_request(
    nodes: Sequence[ua.NodeId], attribute: ua.AttributeIds = ua.AttributeIds.Value
) -> ua.ReadRequest:
    """One Read call, values not from a cache, with both timestamps."""
    request = ua.ReadRequest()
    request.Parameters.MaxAge = 0.0
    request.Parameters.TimestampsToReturn = ua.TimestampsToReturn.Both
    for node in nodes:
        wanted = ua.ReadValueId()
        wanted.NodeId, wanted.AttributeId = node, attribute
        request.Parameters.NodesToRead.append(wanted)
    return request


async def open_session(device: DeviceConfig, idle_s: float = 0.0) -> Session:
    """
    Connect, prove the server's identity, log in, learn namespaces and limits.

    ``idle_s`` is the longest pause between two reads. Raises DriverError; then nothing stays open.
    """
    # asyncua logs each fault at every level of its stack; the poller tells it once, in our words
    logging.getLogger("asyncua").setLevel(logging.CRITICAL)
    client = _client(device, idle_s)
    session = Session(client, max(device.timeout_s, CONNECT_TIMEOUT_S))
    if device.security != "none":
        await _secure(client, device)
    try:
        with translated(f"connect {device.address}", CONNECT_TIMEOUT_S):
            async with asyncio.timeout(session.timeout_s):
                await _connect(client, device)
                await _learn(session)
    except UnreachableError:
        await _end(session)
        if device.security != "none":
            await explain(device)
        raise
    except BaseException:
        await _end(session)
        raise
    session.timeout_s = device.timeout_s
    client.uaclient._timeout = device.timeout_s  # noqa: SLF001 - no setter
    if client.uaclient.protocol:
        client.uaclient.protocol.timeout = device.timeout_s
    return session


async def _end(session: Session) -> None:
    session.timeout_s = 0.5
    await session.drop()


def _client(device: DeviceConfig, idle_s: float) -> Client:
    client = bare_client(device, max(device.timeout_s, CONNECT_TIMEOUT_S))
    client.session_timeout = int(1000 * max(SESSION_TIMEOUT_S, 3 * idle_s))
    client.secure_channel_timeout = int(1000 * max(CHANNEL_LIFETIME_S, 6 * idle_s))
    if device.username:
        client.set_user(device.username)
        client.set_password(_password(device.password_file))
    return client


async def _secure(client: Client, device: DeviceConfig) -> None:
    """Who the server is stands before its channel is opened."""
    kind = getattr(security_policies, f"SecurityPolicy{device.security}")
    server = await server_certificate(device, kind.URI)
    try:
        key = load_key(device.key or Path())
    except (OSError, ValueError) as error:
        raise RefusedError(f"{device.name}: key {device.key}: {error}") from None
    ours = certificate_in(device.certificate)
    policy = kind(server, ours, key, ua.MessageSecurityMode.SignAndEncrypt)
    client.security_policy = policy
    client.uaclient.set_security(policy)
    client.application_uri = application_uri(ours)


def _password(path: Path | None) -> str:
    try:
        return read_secret(path or Path())
    except ConfigError as error:
        raise RefusedError(f"password_file {'; '.join(error.problems)}") from None


async def _connect(client: Client, device: DeviceConfig) -> None:
    """The channel is opened for the pinned certificate; only then are credentials sent."""
    await client.connect_socket()
    await client.send_hello()
    await client.open_secure_channel()
    try:
        await client.create_session()
    except ua.UaStatusCodeError:
        raise
    except ua.UaError as error:  # another certificate, a wrong signature, no such endpoint
        reason = Why.POLICY if "endpoint" in str(error) else Why.NOT_PINNED
        expected = f"{device.server_certificate or device.trust}, {device.security}"
        raise PeerRefusedError(Refusal(device.address, reason, expected, str(error))) from None
    await client.activate_session(username=client._username, password=client._password)  # noqa: SLF001


async def _learn(session: Session) -> None:
    nodes = [NAMESPACES_NODE, *LIMIT_NODES.values()]
    (namespaces, *_), *limits = await session.read(read_request(nodes))
    if not isinstance(namespaces, tuple):
        raise NonsenseError("the server gives no namespace array")
    session.namespaces = tuple(str(uri) for uri in namespaces)
    for name, (limit, *_) in zip(LIMIT_NODES, limits, strict=True):
        session.limits[name] = limit if isinstance(limit, int) else 0


def general_buffer(data: bytes) -> Any:
    """What asyncua's own decoder reads from."""
    return ua.utils.Buffer(data)


def general_values(results: Sequence[ua.DataValue]) -> list[Value]:
    """Values from the general decoder, for answers our own does not read."""
    return [
        (
            _plain(value.Value.Value) if value.Value is not None else None,
            value.StatusCode.value if value.StatusCode is not None else 0,
            time_ns(value.SourceTimestamp),
            time_ns(value.ServerTimestamp),
        )
        for value in results
    ]


def _plain(raw: Any) -> object:
    """As our own decoder would give it: flat arrays, seconds for a DateTime, text for texts."""
    if isinstance(raw, list | tuple):
        return tuple(_plain(element) for element in ua.flatten(raw))
    if isinstance(raw, ua.LocalizedText):
        return raw.Text
    if isinstance(raw, dt.datetime):
        return time_ns(raw) / 1e9 if raw.year > MIN_YEAR else None
    return raw


def time_ns(moment: Any) -> int:
    """A datetime of the general decoder, or None, to ns; 0 for none."""
    if moment is None or moment.year <= MIN_YEAR:
        return 0
    aware = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    since: dt.timedelta = aware - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    return since // dt.timedelta(microseconds=1) * 1000
