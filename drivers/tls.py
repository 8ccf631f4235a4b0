"""
TLS as a client, for every protocol: one context, and what its failures mean in plain words.

Verification is never off. A peer that fails is refused inside the handshake, before a byte of ours.
"""

import ipaddress
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from drivers.language import say, why
from drivers.peer import PeerRefusedError, Refusal, Why
from drivers.secret import OpenKeyError, refuse_open_key

TlsVersion = Literal["1.2", "1.3"]
_VERSIONS: Final = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}

# Numbers of OpenSSL's X509_V_ERR_…, x509_vfy.h
_BY_CODE: Final = {
    2: Why.UNKNOWN, 3: Why.NO_LIST, 7: Why.BROKEN, 8: Why.BROKEN, 9: Why.NOT_YET, 10: Why.EXPIRED,
    11: Why.NO_LIST, 12: Why.NO_LIST, 18: Why.UNKNOWN, 19: Why.UNKNOWN, 20: Why.UNKNOWN,
    21: Why.UNKNOWN, 23: Why.REVOKED, 24: Why.BROKEN, 26: Why.USE, 27: Why.UNKNOWN, 28: Why.UNKNOWN,
    33: Why.NO_LIST, 62: Why.HOST, 64: Why.HOST, 66: Why.WEAK_KEY, 67: Why.WEAK_KEY,
    68: Why.WEAK_KEY, 79: Why.BROKEN,
}  # fmt: skip
_OLD: Final = ("UNSUPPORTED_PROTOCOL", "VERSION_TOO_LOW", "ALERT_PROTOCOL_VERSION")
_NOT_TLS: Final = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "RECORD_LAYER")
_WEAK: Final = (
    "KEY_TOO_SMALL",
    "MD_TOO_WEAK",
    "DH_KEY_TOO_SMALL",
    "NO_CIPHERS",
)
# What a server says of *our* certificate, as an alert.
_OURS: Final = {
    "CERTIFICATE_REQUIRED": ("没有客户端证书", "it wants a client certificate"),
    "UNKNOWN_CA": ("签发我方证书的机构未被其信任", "our certificate's authority is unknown to it"),
    "CERTIFICATE_EXPIRED": ("我方证书已过期", "our certificate has expired"),
    "CERTIFICATE_REVOKED": ("我方证书已被吊销", "our certificate is revoked"),
    "BAD_CERTIFICATE": ("我方证书未被接受", "it does not accept our certificate"),
    "CERTIFICATE_UNKNOWN": ("我方证书未被接受", "it does not accept our certificate"),
    "HANDSHAKE_FAILURE": (
        "没有客户端证书，或没有共同的加密套件",
        "it wants a client certificate, or there is no cipher in common",
    ),
    "ACCESS_DENIED": ("我方证书没有权限", "our certificate may not connect"),
}


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """What a context is made from. Without ``ca`` the authorities of the system are believed."""

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    crl: Path | None = None
    least: TlsVersion = "1.2"

    def context(self) -> ssl.SSLContext:
        """
        A fresh context: files that were renewed count from the next connection on.

        With ``crl`` the peer's own certificate is looked up in it, and a list that is missing or
        outdated refuses it. Raises OSError or ssl.SSLError (which is one) for unusable files.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = _VERSIONS[self.least]
        if self.ca is None:
            context.load_default_certs()
        else:
            context.load_verify_locations(self.ca)
        if self.crl is not None:
            context.load_verify_locations(self.crl)
            context.verify_flags |= ssl.VerifyFlags.VERIFY_CRL_CHECK_LEAF
        if self.cert is not None:
            refuse_open_key(self.key or self.cert)
            context.load_cert_chain(self.cert, self.key)
        context.sslsocket_class = _Socket
        context.sslobject_class = _Object
        return context

    @property
    def files(self) -> dict[str, Path]:
        named = {"ca": self.ca, "cert": self.cert, "key": self.key, "crl": self.crl}
        return {name: path for name, path in named.items() if path is not None}

    def problems(self) -> list[str]:
        """What would keep a connection from being tried, by key."""
        found = []
        for name, path in self.files.items():
            try:
                path.read_bytes()
            except OSError as error:
                found.append(f"{name}: {path}: {why(error)}")
        if not found:
            try:
                self.context()
            except OpenKeyError as error:
                found.append(f"key: {error.strerror}")
            except (ssl.SSLError, ValueError) as error:
                keys = "ca、cert、key、crl", "ca, cert, key or crl"
                found.append(say(f"{keys[0]} 无法使用", f"{keys[1]} is not usable") + f": {error}")
        return found


class _Socket(ssl.SSLSocket):
    """Keeps what a refused peer has shown: afterwards nobody could say who it was."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except OSError as error:
            if isinstance(error, ssl.SSLCertVerificationError):
                _keep_shown(error, getattr(self, "_sslobj", None))
            if not isinstance(error, ssl.SSLWantReadError | ssl.SSLWantWriteError):
                self.close()  # paho leaves it to the garbage collector
            raise


class _Object(ssl.SSLObject):
    """The same for asyncio and uvloop."""

    def do_handshake(self) -> None:
        try:
            super().do_handshake()
        except ssl.SSLCertVerificationError as error:
            _keep_shown(error, getattr(self, "_sslobj", None))
            raise


def _keep_shown(error: ssl.SSLCertVerificationError, inner: Any) -> None:
    """An inner method of CPython's ssl: where it is missing, the refusal names no certificate."""
    chain: Sequence[Any] = getattr(inner, "get_unverified_chain", tuple)() or ()
    if chain:
        error.add_note("shown:" + chain[0].public_bytes())


def loopback(host: str | None) -> bool:
    """Nobody on a network can read along."""
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return host == "localhost"


def refusal_of(error: BaseException, address: str, expected: str = "") -> Refusal | None:
    """What a failed handshake means; None when the network, not the peer, is at fault."""
    found = _ssl_error(error)
    if isinstance(found, ssl.SSLCertVerificationError):
        reason = _BY_CODE.get(found.verify_code, Why.BROKEN)
        notes = [note for note in getattr(found, "__notes__", []) if note.startswith("shown:")]
        shown = described(notes[0].removeprefix("shown:")) if notes else ""
        return Refusal(address, reason, expected, shown)
    name = (found.reason or "") if found else ""
    for names, reason in ((_OLD, Why.VERSION), (_NOT_TLS, Why.NOT_TLS), (_WEAK, Why.WEAK_KEY)):
        if any(each in name for each in names):
            return Refusal(address, reason, expected if reason is not Why.VERSION else "TLS ≥ 1.2")
    return None


def translate(error: BaseException, address: str, expected: str = "") -> None:
    """Raises PeerRefusedError from ``error`` where the peer is at fault."""
    refusal = refusal_of(error, address, expected)
    if refusal is not None:
        raise PeerRefusedError(refusal) from error


def told_of_us(error: BaseException) -> str:
    """What the server says of our own certificate; empty when it says nothing of it."""
    found = _ssl_error(error)
    name = (found.reason or "") if found else str(error).upper().replace(" ", "_")
    if "ALERT" not in name:
        return ""
    return next((say(*texts) for word, texts in _OURS.items() if word in name), "")


def _ssl_error(error: BaseException | None) -> ssl.SSLError | None:
    for _ in range(10):
        if error is None or isinstance(error, ssl.SSLError):
            return error
        inner = error.args[0] if error.args else None  # urllib3 wraps instead of chaining
        wrapped = inner if isinstance(inner, BaseException) else getattr(error, "reason", None)
        follow = error.__cause__ or error.__context__ or wrapped
        error = follow if isinstance(follow, BaseException) else None
    return None


def described(pem: str) -> str:
    """A certificate in a line: whose, of whom, until when, fingerprint."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    try:
        shown = x509.load_pem_x509_certificate(pem.encode())
        subject, issuer = shown.subject.rfc4514_string(), shown.issuer.rfc4514_string()
        until = f"{shown.not_valid_after_utc:%Y-%m-%d}"
    except ValueError:
        return say("无法读取的证书", "a certificate that cannot be read")
    finger = shown.fingerprint(hashes.SHA256()).hex()[:32]
    return say(
        f"{subject}（签发者 {issuer}，有效期至 {until}，SHA-256 {finger}…）",
        f"{subject} (by {issuer}, until {until}, SHA-256 {finger}…)",
    )
