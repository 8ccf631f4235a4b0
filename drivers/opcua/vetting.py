"""Who an OPC UA server is, before anything is sent to it: pinned, or believed by a trust list."""

import asyncio
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

from asyncua import ua
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from drivers.config import DeviceConfig
from drivers.language import say
from drivers.model import RefusedError, UnreachableError
from drivers.opcua.certificates import fingerprint, load_certificate
from drivers.opcua.gate import endpoints_of, url_of
from drivers.opcua.trust import Asked, TrustList
from drivers.peer import PeerRefusedError, Refusal, Why
from drivers.tls import described

ASK_S = 4.0  # for the list of endpoints


def certificate_in(path: Path | None) -> x509.Certificate:
    """RefusedError names the file that cannot be used."""
    try:
        return load_certificate(path or Path())
    except (OSError, ValueError) as error:
        raise RefusedError(f"certificate {path}: {error}") from None


async def server_certificate(device: DeviceConfig, policy_uri: str) -> x509.Certificate:
    """
    The certificate to encrypt for. With ``trust`` the server is asked for it and judged first.

    Raises PeerRefusedError for a server that is not believed (its certificate then lies in
    rejected/) or offers no such policy with SignAndEncrypt, and UnreachableError.
    """
    if device.trust is None:
        return certificate_in(device.server_certificate)
    trust = TrustList(device.trust)
    await asyncio.to_thread(trust.make)
    try:
        endpoints = await endpoints_of(device, max(device.timeout_s, ASK_S))
    except TimeoutError:
        raise UnreachableError(f"connect {device.address}: no answer") from None
    except (OSError, ua.UaError) as error:
        raise UnreachableError(f"connect {device.address}: {error}") from None
    found = [
        each for each in endpoints if _encrypted(each) and each.SecurityPolicyUri == policy_uri
    ]
    if not found:
        offered = sorted({_policy(each) for each in endpoints})
        _refuse(device, Why.POLICY, f"{device.security}, SignAndEncrypt", ", ".join(offered))
    shown, *chain = _certificates(device, found[0].ServerCertificate)
    uri = found[0].Server.ApplicationUri or ""
    asked = Asked(urlsplit(url_of(device)).hostname or "", uri)
    reason = await asyncio.to_thread(trust.judge, shown, chain, asked)
    if reason is not None:
        kept = await asyncio.to_thread(trust.reject, shown)
        text = described(shown.public_bytes(Encoding.PEM).decode())
        where = say(f"已存入 {kept}", f"kept as {kept}")
        _refuse(device, reason, _expected(reason, asked, device.trust), f"{text}; {where}")
    return shown


def _expected(reason: Why, asked: Asked, folder: Path) -> str:
    if reason is Why.URI:
        return asked.uri
    if reason is Why.HOST:
        return asked.host
    return str(folder / "crl" if reason in {Why.NO_LIST, Why.REVOKED} else folder / "trusted")


def _refuse(device: DeviceConfig, reason: Why, expected: str, shown: str) -> NoReturn:
    raise PeerRefusedError(Refusal(device.address, reason, expected, shown))


def _encrypted(endpoint: ua.EndpointDescription) -> bool:
    return bool(endpoint.SecurityMode == ua.MessageSecurityMode.SignAndEncrypt)


def _policy(endpoint: ua.EndpointDescription) -> str:
    name = str(endpoint.SecurityPolicyUri).rpartition("#")[2]
    return (
        name if name == "None" else f"{name} {ua.MessageSecurityMode(endpoint.SecurityMode).name}"
    )


def _certificates(device: DeviceConfig, data: bytes | None) -> list[x509.Certificate]:
    """The server's own, then what it sent of its chain: DER after DER."""
    found = []
    rest = data or b""
    try:
        while rest:
            size = _der_length(rest)
            found.append(x509.load_der_x509_certificate(rest[:size]))
            rest = rest[size:]
    except (ValueError, IndexError):
        _refuse(device, Why.BROKEN, "X.509", f"{len(data or b'')} bytes")
    if not found:
        _refuse(device, Why.BROKEN, "X.509", say("没有证书", "no certificate"))
    return found


def _der_length(data: bytes) -> int:
    """Of the first DER structure, its head included."""
    if data[0] != 0x30:
        raise ValueError("no DER sequence")
    if data[1] < 0x80:
        return 2 + data[1]
    count = data[1] & 0x7F
    return 2 + count + int.from_bytes(data[2 : 2 + count])


async def explain(device: DeviceConfig) -> None:
    """After a failed connection: does the server show another certificate than the pinned?"""
    if device.server_certificate is None:
        return
    pinned = fingerprint(certificate_in(device.server_certificate))
    try:
        endpoints = await endpoints_of(device, 2 * device.timeout_s + 1)
        shown = {
            fingerprint(x509.load_der_x509_certificate(endpoint.ServerCertificate))
            for endpoint in endpoints
            if endpoint.ServerCertificate
        }
    except (TimeoutError, OSError, ua.UaError, ValueError):
        return
    if shown and pinned not in shown:
        raise PeerRefusedError(
            Refusal(
                device.address,
                Why.NOT_PINNED,
                f"{device.server_certificate} {pinned}",
                ", ".join(sorted(shown))
                + say(
                    "。若服务器更换了证书，请到现场核对后替换该文件",
                    ". If the server got a new one, check it on site and replace the file",
                ),
            )
        )
    offered = {_policy(each) for each in endpoints}
    if shown and f"{device.security} SignAndEncrypt" not in {o.replace("_", "") for o in offered}:
        _refuse(
            device, Why.POLICY, f"{device.security}, SignAndEncrypt", ", ".join(sorted(offered))
        )
