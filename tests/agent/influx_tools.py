"""What the InfluxDB tests share: query a real server; a server that gives documented answers."""

import json
import threading
import urllib.parse
import urllib.request
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from agent.influx.config import InfluxConfig
from agent.influx.view import InfluxView
from tests.servers import Server


def ask(port: int, query: str, database: str = "plant") -> list[list[Any]]:
    """Rows of an InfluxQL answer, times in ns; an error in the answer raises."""
    form = urllib.parse.urlencode({"db": database, "q": query, "epoch": "ns"}).encode()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/query", form, timeout=10) as answer:
        (result,) = json.load(answer)["results"]
    assert "error" not in result, result
    return [row for series in result.get("series", []) for row in series["values"]]


def count(port: int, field_: str = "voltage", measurement: str = "pot") -> int:
    found = ask(port, f'select count("{field_}") from "{measurement}"')  # noqa: S608 - of a test
    return int(found[0][1]) if found else 0


def view_of(url: str, folder: Path, **more: Any) -> InfluxView:
    config = {"api": "v1", "url": url, "database": "plant", "timeout_s": 5.0} | more
    return InfluxView(InfluxConfig.model_validate(config), folder)


def view(server: Server, folder: Path, **more: Any) -> InfluxView:
    ask(server.port, "create database plant")
    return view_of(f"http://127.0.0.1:{server.port}", folder, **more)


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


Answerer = Callable[[list[str]], Reply]


@contextmanager
def documented_answers(answer: Answerer) -> Iterator[str]:
    """
    URL of a server that answers as documents say 2.x and 3.x do; it stores nothing.

    ``answer`` gets the lines of each request. No real 2.x or 3.x server can run here.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = zlib.decompress(body, 31)
            reply = answer(body.decode().split("\n"))
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *args: Any) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
