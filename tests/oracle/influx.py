"""A store that rejects: InfluxDB 1.x's ``/write``, with every fault a server can have."""

import gzip
import hashlib
import json
import random
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from tests.oracle.judge import Samples

FAULTS = ("500", "429", "partial", "broken body", "answer lost")
_VALUE = re.compile(rb"rectifier,plant=demo,line=sub1,unit=rec(\d+) dc_voltage=([^, ]+) (\d{19})")


def poison(line: bytes) -> bool:
    """One value line in about a thousand, always the same ones."""
    if not line.startswith(b"rectifier,"):
        return False
    return int.from_bytes(hashlib.sha256(line).digest()[:4], "big") % 1000 == 0


@dataclass
class FakeInflux:
    """
    Keeps lines by series and time, as InfluxDB does: the same again replaces itself.

    ``faulty`` is the share of requests that meet one of FAULTS, ``poisoned`` whether poison is
    refused. ``overwritten`` counts lines that replaced others of the same key.
    """

    seed: int = 1
    faulty: float = 0.0
    poisoned: bool = False
    lines: dict[bytes, bytes] = field(default_factory=dict)  # series and time → fields
    met: dict[str, int] = field(default_factory=dict)
    overwritten: int = 0
    requests: int = 0

    def __enter__(self) -> Self:
        self.lock = threading.Lock()
        self.chance = random.Random(self.seed)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def take(self, body: bytes) -> tuple[int, bytes, bool]:
        """(status, answer, whether the answer is to be lost)."""
        with self.lock:
            self.requests += 1
            fault = self.chance.choice(FAULTS) if self.chance.random() < self.faulty else ""
            bad = [line for line in body.split(b"\n") if self.poisoned and poison(line)]
            if fault:
                self.met[fault] = self.met.get(fault, 0) + 1
            if fault in {"500", "429"}:
                return int(fault), b"try later", False
            if bad and fault != "partial":
                return 400, _error(f"unable to parse {bad[0]!r}"), False
            for line in body.split(b"\n"):
                if line and line not in bad:
                    self._keep(line)
            if bad:
                return 400, _error("partial write: field type conflict dropped=1"), False
            if fault == "broken body":
                return 200, b'{"results": [{"sta', False
            return 204, b"", fault == "answer lost"

    def _keep(self, line: bytes) -> None:
        series, _, rest = line.partition(b" ")
        fields, _, time = rest.rpartition(b" ")
        key = series + b" " + time
        known = self.lines.get(key)
        self.overwritten += known is not None and known != fields and series.startswith(b"rect")
        self.lines[key] = fields

    def samples(self) -> Samples:
        """The values it holds."""
        rows = []
        with self.lock:
            for key, fields in self.lines.items():
                series, _, time = key.rpartition(b" ")
                found = _VALUE.fullmatch(series + b" " + fields + b" " + time)
                if found:
                    rows.append((int(found[1]), int(found[3]), float(found[2])))
        return Samples.of(rows)


def value_of(line: str) -> tuple[int, int, float] | None:
    """(point, time, value) of a line of values."""
    found = _VALUE.fullmatch(line.encode())
    return (int(found[1]), int(found[3]), float(found[2])) if found else None


def _error(text: str) -> bytes:
    return json.dumps({"error": text}).encode()


def _handler(store: FakeInflux) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            status, answer, lost = store.take(body)
            if lost:
                self.close_connection = True
                self.connection.close()
                return
            self.send_response(status)
            if status == 429:
                self.send_header("Retry-After", "1")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *args: Any) -> None:
            """Quiet."""

        def finish(self) -> None:
            try:
                super().finish()
            except (OSError, ValueError):
                return  # the answer that was lost on purpose

    return Handler
