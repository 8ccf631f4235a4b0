"""
A proxy that gives InfluxDB 1.x the write address of 2.x: only URL and token are translated.

The body goes unchanged to a real InfluxDB parser, whose answer comes back as it is. So this tests
the 2.x *request* of influxdb-client over a 1.x engine, not the behaviour of a 2.x or 3.x server.
"""

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

TOKEN = "not-a-secret"  # noqa: S105 - of a test


def _handler(influxd_port: int) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            url = urlsplit(self.path)
            asked = {key: values[0] for key, values in parse_qs(url.query).items()}
            if url.path != "/api/v2/write":
                self._answer(404, b"not found")
            elif self.headers["Authorization"] != f"Token {TOKEN}":
                self._answer(401, b'{"code":"unauthorized","message":"unauthorized access"}')
            else:
                database, _, policy = asked["bucket"].partition("/")
                query = {"db": database, "precision": asked["precision"]}
                self._forward(urlencode(query | ({"rp": policy} if policy else {})), body)

        def _forward(self, query: str, body: bytes) -> None:
            encoding = self.headers.get("Content-Encoding")
            request = urllib.request.Request(
                f"http://127.0.0.1:{influxd_port}/write?{query}",
                data=body,
                headers={"Content-Encoding": encoding} if encoding else {},
            )
            try:
                with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - loopback
                    self._answer(answer.status, answer.read())
            except urllib.error.HTTPError as error:
                with error:
                    self._answer(error.code, error.read())

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            """Quiet."""

    return Handler


@contextmanager
def v2_proxy(influxd_port: int) -> Iterator[str]:
    """URL of a running proxy."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(influxd_port)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
