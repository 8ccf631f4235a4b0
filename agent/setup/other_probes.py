"""What an OPC UA server offers, what a CEMS logger says when it reports; only heard and read."""

import asyncio
import contextlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from agent.setup.answers import DeviceAnswers
from drivers.config import DeviceConfig
from drivers.language import say
from drivers.model import NonsenseError, UnreachableError

if TYPE_CHECKING:
    from drivers.opcua.browse import Variable

STRENGTH = ("Aes256Sha256RsaPss", "Aes128Sha256RsaOaep", "Basic256Sha256")  # the best first
BROWSE_MOST = 20_000
TIMEOUT_S = 5.0
_MN = re.compile(rb"MN=([0-9A-Za-z]{24})")


@dataclass
class Offered:
    """Endpoints of a server and the certificate it shows."""

    endpoints: list[str] = field(default_factory=list)  # policy and mode
    certificate: bytes = b""
    fingerprint: str = ""

    @property
    def best(self) -> str:
        """The strongest policy that encrypts; "none" only when there is no other."""
        encrypts = {e.split()[0] for e in self.endpoints if e.endswith("SignAndEncrypt")}
        return next((policy for policy in STRENGTH if policy in encrypts), "none")

    def as_json(self) -> dict[str, Any]:
        return {"endpoints": self.endpoints, "fingerprint": self.fingerprint, "best": self.best}

    def said(self) -> list[str]:
        """For a person."""
        lines = [say(f"端点：{', '.join(self.endpoints)}", f"offers {', '.join(self.endpoints)}")]
        if self.fingerprint:
            shown = ":".join(self.fingerprint[i : i + 2] for i in range(0, 64, 2)).upper()
            told = say("服务器证书 SHA-256", "certificate of the server, SHA-256")
            lines.append(f"{told} {shown}")
        if self.best == "none":
            told = say(
                "服务器不提供加密：同一网段的任何人都能看到并篡改数据",
                "the server offers no encryption: anybody on that network can read and alter",
            )
            lines.append(told)
        return lines


async def ask_endpoints(address: str, timeout_s: float = TIMEOUT_S) -> Offered:
    """Without session and credentials. DriverError when nobody answers."""
    from cryptography import x509

    from drivers.opcua.browse import endpoints
    from drivers.opcua.certificates import fingerprint

    found = Offered()
    offered = await endpoints(address, timeout_s)
    for point in offered:
        policy = str(point.SecurityPolicyUri).rpartition("#")[2]
        mode = str(point.SecurityMode.name).rstrip("_")
        text = f"{policy} {mode}"
        if text not in found.endpoints:
            found.endpoints.append(text)
        if point.ServerCertificate and not found.certificate:
            found.certificate = bytes(point.ServerCertificate)
    if found.certificate:
        try:
            shown = fingerprint(x509.load_der_x509_certificate(found.certificate))
        except ValueError as error:
            raise NonsenseError(f"{address}: shows no readable certificate: {error}") from None
        found.fingerprint = re.sub(r"[^0-9a-f]", "", shown.lower())
    return found


async def browse(device: DeviceConfig, root: str) -> "list[Variable]":
    """Variables of the server, with what they may be. DriverError; ValueError for a wrong root."""
    from drivers.opcua.browse import describe, walk
    from drivers.opcua.session import open_session

    session = await open_session(device)
    try:
        found = await walk(session, root, most=BROWSE_MOST)
        return list(await describe(session, found))
    finally:
        await session.drop()


@dataclass
class Heard:
    """What came to the port a logger reports to."""

    free: bool = False
    mns: list[str] = field(default_factory=list)
    bytes_seen: int = 0

    def as_json(self) -> dict[str, Any]:
        return {"port_free": self.free, "mn": self.mns, "bytes": self.bytes_seen}

    def said(self) -> list[str]:
        """For a person."""
        lines = [say("监听端口可用", "the port can be listened on")]
        if self.mns:
            lines.append(say(f"听到 MN：{', '.join(self.mns)}", f"heard MN {', '.join(self.mns)}"))
        elif self.bytes_seen:
            lines.append(say("有数据，但不是 HJ 212 报文", "data came, but no packet of HJ 212"))
        return lines


async def listen(device: DeviceAnswers) -> Heard:
    """
    Bind the port, and for ``listen_s`` hear who reports; nothing is answered, so that the logger
    keeps its packets and sends them again. DriverError when the port cannot be had.
    """
    host, _, port = device.address.rpartition(":")
    heard, came = Heard(), asyncio.Event()

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen = b""
        with contextlib.suppress(OSError):
            while chunk := await reader.read(4096):
                heard.bytes_seen += len(chunk)
                seen = (seen + chunk)[-8192:]
                for match in _MN.findall(seen):
                    if (mn := match.decode()) not in heard.mns:
                        heard.mns.append(mn)
                        came.set()
        writer.close()

    try:
        server = await asyncio.start_server(hear, host.strip("[]") or None, int(port))
    except OSError as error:
        told = say("无法监听", "cannot listen on")
        raise UnreachableError(f"{told} {device.address}: {error.strerror or error}") from None
    heard.free = True
    try:
        if device.listen_s:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(device.listen_s):
                    await came.wait()
    finally:
        server.close()
    return heard
