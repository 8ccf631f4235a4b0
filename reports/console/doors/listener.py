"""Where the console listens: a socket on loopback, or TLS whose certificate can be renewed."""

import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

from drivers.language import say, why
from drivers.model import ConfigError
from drivers.secret import OpenKeyError, refuse_open_key
from drivers.tls import loopback
from reports.site_console import Console

# TLS 1.2 for old browsers of a plant: forward secrecy and authenticated encryption only.
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"


@dataclass(slots=True)
class Listener:
    """An open socket, and the context for those who come to it; None: plain HTTP."""

    host: str
    port: int
    socket: socket.socket
    tls: ssl.SSLContext | None
    settings: Console

    @property
    def url(self) -> str:
        """As it is printed; the name in the certificate may be another."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}/"

    def renew(self) -> None:
        """
        The certificate as it is on disk now, for whoever comes next.

        Raises ConfigError when it cannot be used; then the one before goes on.
        """
        if self.tls is not None:
            tls_context(self.settings)  # tried in a fresh one first
            assert self.settings.cert is not None  # noqa: S101 - or there were no context
            self.tls.load_cert_chain(self.settings.cert, self.settings.key)


def open_listener(settings: Console, listen: str = "") -> Listener:
    """Raises ConfigError with everything that keeps it from being opened."""
    text = listen or settings.listen
    host, _, port_text = text.rpartition(":")
    host = host.strip("[]")
    if not host or not port_text.isdigit() or int(port_text) > 65_535:
        told = f"listen = {text!r}: "
        raise ConfigError([told + say("写作 主机:端口", "write host:port")])
    context = None if settings.cert is None and settings.key is None else tls_context(settings)
    if context is None and not loopback(host):
        raise ConfigError([_no_certificate(text)])
    return Listener(host, int(port_text), _bound(host, int(port_text)), context, settings)


def _no_certificate(text: str) -> str:
    return say(
        f"listen = {text}：未配置证书，只能监听本机（127.0.0.1），否则密码会以明文经过网络。"
        "请在 site.toml 的 [console] 写明 cert 和 key（docs/certificates.zh-CN.md）",
        f"listen = {text}: without a certificate only this machine (127.0.0.1) is served, or "
        "passwords would cross the network readable. Say cert and key in [console] of site.toml "
        "(docs/certificates.md)",
    )


def tls_context(settings: Console) -> ssl.SSLContext:
    """TLS 1.2 at least. Raises ConfigError by key."""
    if settings.cert is None or settings.key is None:
        raise ConfigError(
            ["[console] " + say("cert 和 key 须同时给出", "give cert and key together")]
        )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])
    found = [_unreadable("cert", settings.cert), _unreadable("key", settings.key)]
    if problems := [each for each in found if each]:
        raise ConfigError(problems)
    try:
        refuse_open_key(settings.key)
        context.load_cert_chain(settings.cert, settings.key)
    except OpenKeyError as error:
        raise ConfigError([f"[console] key: {error.strerror}"]) from None
    except (ssl.SSLError, ValueError) as error:
        told = say("证书与私钥无法使用或不配对", "certificate and key cannot be used together")
        raise ConfigError([f"[console] cert, key: {told}: {error}"]) from None
    return context


def _unreadable(key: str, path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.read(1)
    except OSError as error:
        return f"[console] {key}: {path}: {why(error)}"
    return ""


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        told = say("无法监听", "cannot listen on")
        raise ConfigError([f"{told} {host}:{port}: {why(error)}"]) from error
