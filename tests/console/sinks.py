"""Where notices arrive in tests: an SMTP server with and without TLS, an HTTP listener."""

import base64
import email
import email.policy
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Heard:
    """What an HTTP listener was sent, and what it answers."""

    url: str = ""
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    status: int = 200
    answer: bytes = b"{}"


@contextmanager
def listener() -> Iterator[Heard]:
    heard = Heard()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.requests.append((self.path, dict(self.headers), body))
            self.send_response(heard.status)
            if heard.status == 302:
                self.send_header("Location", f"{heard.url}/elsewhere")
            self.send_header("Content-Length", str(len(heard.answer)))
            self.end_headers()
            self.wfile.write(heard.answer)

        def log_message(self, *args: Any) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        heard.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield heard
        finally:
            server.shutdown()
            thread.join()


@dataclass
class Mailbox:
    """A small SMTP server: what it took, and how."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    to: list[str] = field(default_factory=list)
    log_in: str = ""
    encrypted: list[bool] = field(default_factory=list)
    refuse: str = ""  # answer to RCPT


def serve_mail(box: Mailbox, link: socket.socket, tls: ssl.SSLContext | None, way: str) -> None:
    """One connection, from greeting to QUIT."""
    secure = way == "tls"
    if secure and tls is not None:
        link = tls.wrap_socket(link, server_side=True)
    lines = link.makefile("rb")

    def say(text: str) -> None:
        link.sendall(f"{text}\r\n".encode())

    say("220 sink")
    while line := lines.readline().decode().strip():
        word = line.split(maxsplit=1)[0].upper()
        if word in {"EHLO", "HELO"}:
            say("250-sink")
            if way == "starttls" and not secure:
                say("250-STARTTLS")
            say("250 AUTH PLAIN")
        elif word == "STARTTLS" and tls is not None:
            say("220 go on")
            link = tls.wrap_socket(link, server_side=True)
            lines, secure = link.makefile("rb"), True
        elif word == "AUTH":
            box.log_in = base64.b64decode(line.split()[2]).decode()
            say("235 ok")
        elif word == "RCPT":
            box.to.append(line)
            say(box.refuse or "250 ok")
        elif word == "DATA":
            say("354 go on")
            data = b""
            while (row := lines.readline()) != b".\r\n":
                data += row
            box.encrypted.append(secure)
            made = email.message_from_bytes(data, policy=email.policy.default)
            assert isinstance(made, EmailMessage)
            box.mails.append(made)
            say("250 taken")
        elif word == "QUIT":
            say("221 bye")
            break
        else:
            say("250 ok")
    link.close()


@contextmanager
def mailbox(tls: ssl.SSLContext | None = None, way: str = "plain") -> Iterator[Mailbox]:
    box = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as server:
        box.port = server.getsockname()[1]
        server.settimeout(0.1)
        over = threading.Event()

        def run() -> None:
            while not over.is_set():
                try:
                    link, _ = server.accept()
                except TimeoutError:
                    continue
                link.settimeout(60)
                try:
                    serve_mail(box, link, tls, way)
                except (OSError, ssl.SSLError):
                    link.close()  # a client that does not believe us

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield box
        finally:
            over.set()
            thread.join()
