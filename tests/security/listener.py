"""A server that tells what reached it: bytes on the wire, and what was said inside TLS."""

import contextlib
import socket
import ssl
import threading
import warnings
from types import TracebackType
from typing import Any, Self

from tests.security.pki import Signed


class Listener:
    """
    On loopback while entered. ``heard`` is everything that was sent inside TLS, all connections.

    ``shown`` None: no TLS at all, then ``heard`` is the plain text. ``most`` "1.0" … "1.2": newest
    version it speaks. ``answer`` is sent once something was heard.
    """

    def __init__(
        self, shown: Signed | None, *, most: str = "1.3", answer: bytes = b"", ca: str = ""
    ) -> None:
        self.heard = bytearray()
        self.greeted = 0  # handshakes that came to their end
        self.met = 0  # connections
        self.clients: list[str] = []  # names of the certificates that clients showed
        self._answer = answer
        self._context = None if shown is None else _context(shown, most, ca)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(10)

    def _serve(self) -> None:
        while True:
            try:
                link, _ = self._socket.accept()
            except OSError:
                return
            self.met += 1
            with contextlib.suppress(OSError, ValueError):
                self._meet(link)
            link.close()

    def _meet(self, link: socket.socket) -> None:
        link.settimeout(2)
        inner = link
        if self._context is not None:
            inner = self._context.wrap_socket(link, server_side=True)
        self.greeted += 1
        if isinstance(inner, ssl.SSLSocket) and (shown := inner.getpeercert()):
            subject: Any = shown["subject"]
            self.clients.append(dict(pair for part in subject for pair in part)["commonName"])
        answer = self._answer
        with inner:
            while data := inner.recv(65536):  # to the end: a close before it would undo the answer
                self.heard += data
                if answer:
                    inner.sendall(answer)
                    answer = b""


def _context(shown: Signed, most: str, ca: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that is what is being tested
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = {
            "1.0": ssl.TLSVersion.TLSv1,
            "1.1": ssl.TLSVersion.TLSv1_1,
            "1.2": ssl.TLSVersion.TLSv1_2,
            "1.3": ssl.TLSVersion.TLSv1_3,
        }[most]
    context.load_cert_chain(shown.cert, shown.key)
    if ca:
        context.load_verify_locations(ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context
