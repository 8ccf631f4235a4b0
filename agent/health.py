"""``/metrics`` in the Prometheus text format and ``/healthz``, by a tiny HTTP server."""

import asyncio
import os
import resource
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from agent.tally import BUCKETS_MS, DeviceTally, Histogram
from drivers.model import Quality

REQUEST_S = 5.0
REQUEST_BYTES = 8192
MOST_CONNECTIONS = 16

Answer = Callable[[], tuple[bool, str]]
Latest = Callable[[str], Awaitable[tuple[str, bytes]]]  # query → status, JSON
LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})


class Metrics:
    """Builds one exposition; each name is described once, before its first sample."""

    def __init__(self) -> None:
        self._families: dict[str, list[str]] = {}

    def add(self, name: str, value: float, kind: str, text: str, **labels: object) -> None:
        """One sample of ``smelter_<name>``."""
        self._family(f"smelter_{name}", kind, text).append(
            f"smelter_{name}{_labels(labels)} {value:.10g}"
        )

    def histogram(self, name: str, found: Histogram, text: str, **labels: object) -> None:
        """A histogram in seconds, and its p50 and p99 as plain gauges."""
        full = f"smelter_{name}_seconds"
        family = self._family(full, "histogram", text)
        total = 0
        for edge, count in zip((*BUCKETS_MS, float("inf")), found.counts, strict=True):
            total += count
            le = "+Inf" if edge == float("inf") else f"{edge / 1000:g}"
            family.append(f"{full}_bucket{_labels({**labels, 'le': le})} {total}")
        family.append(f"{full}_sum{_labels(labels)} {found.sum_ms / 1000:.6g}")
        family.append(f"{full}_count{_labels(labels)} {total}")
        for share, label in ((0.5, "p50"), (0.99, "p99")):
            value = found.quantile(share) / 1000
            self.add(f"{name}_{label}_seconds", value, "gauge", f"{text}, {label}", **labels)

    def _family(self, name: str, kind: str, text: str) -> list[str]:
        head = [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]
        return self._families.setdefault(name, head)

    def text(self) -> str:
        return "\n".join(line for family in self._families.values() for line in family) + "\n"


def _labels(labels: Mapping[str, object]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(str(v))}"' for name, v in labels.items()) + "}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def device_metrics(metrics: Metrics, device: str, tally: DeviceTally) -> None:
    """Everything about one device."""
    add = metrics.add
    add("device_up", tally.online, "gauge", "1 while the device answers", device=device)
    add("polls_total", tally.polls, "counter", "reads begun", device=device)
    add("overload_slots_total", tally.overload, "counter", "slots or changes lost", device=device)
    add("samples_total", tally.values, "counter", "samples, good or not", device=device)
    for reason, count in tally.errors.items():
        add("errors_total", count, "counter", "failed reads", device=device, reason=reason)
    for kind, count in sorted(tally.odd.items()):
        add("device_odd_total", count, "counter", "oddities by kind", device=device, what=kind)
    for code, count in sorted(tally.quality.items()):
        quality = Quality(code).wire
        add("quality_total", count, "counter", "samples", device=device, quality=quality)
    metrics.histogram("lag", tally.lag, "from the slot to the complete answer", device=device)
    metrics.histogram("lateness", tally.late, "from the slot to the request", device=device)


def process_metrics(metrics: Metrics) -> None:
    """CPU and memory of this process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    cpu_s = usage.ru_utime + usage.ru_stime
    metrics.add("process_cpu_seconds_total", cpu_s, "counter", "user and system time")
    metrics.add("process_resident_bytes", resident_bytes(), "gauge", "resident memory")


def resident_bytes() -> int:
    """Resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGESIZE")


def count_metrics(metrics: Metrics, prefix: str, counts: Any, **labels: object) -> None:
    """Every number of a dataclass of counts, under its own name."""
    if not is_dataclass(counts):
        return
    for one in fields(counts):
        value = getattr(counts, one.name)
        if isinstance(value, int | float):
            text = one.name.replace("_", " ")
            metrics.add(f"{prefix}_{one.name}_total", value, "counter", text, **labels)


@asynccontextmanager
async def serve(
    listen: str,
    exposition: Callable[[], str],
    healthy: Answer,
    latest: Latest | None = None,
) -> AsyncIterator[int]:
    """
    Serve on ``host:port`` while entered; yields the port. Empty ``listen``: nothing, port 0.

    ``latest`` answers ``/latest?…`` to this machine only: plant data stand in it.
    """
    if not listen:
        yield 0
        return
    host, _, port = listen.rpartition(":")
    slots = asyncio.Semaphore(MOST_CONNECTIONS)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if not slots.locked():
                async with slots, asyncio.timeout(REQUEST_S):
                    request = await reader.readuntil(b"\r\n\r\n")
                    asked = _latest_query(request) if latest is not None else None
                    if latest is not None and asked is not None:
                        writer.write(await _say_latest(latest, asked, request, writer))
                    else:
                        writer.write(_respond(request, exposition, healthy))
                    await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(handle, host.strip("[]"), int(port), limit=REQUEST_BYTES)
    async with server:
        yield server.sockets[0].getsockname()[1]


def _respond(request: bytes, exposition: Callable[[], str], healthy: Answer) -> bytes:
    method, path, *_ = (*request.split(b"\r\n", 1)[0].split(b" "), b"", b"")
    if method not in {b"GET", b"HEAD"}:
        return _http("405 Method Not Allowed", "only GET\n", method)
    if path == b"/metrics":
        kind = "text/plain; version=0.0.4; charset=utf-8"
        return _http("200 OK", exposition(), method, kind)
    if path == b"/healthz":
        good, text = healthy()
        return _http("200 OK" if good else "503 Service Unavailable", f"{text}\n", method)
    return _http("404 Not Found", "/metrics or /healthz\n", method)


def _latest_query(request: bytes) -> str | None:
    method, target, *_ = (*request.split(b"\r\n", 1)[0].split(b" "), b"", b"")
    path, _, query = target.decode("ascii", "replace").partition("?")
    return query if method == b"GET" and path == "/latest" else None


async def _say_latest(
    latest: Latest, query: str, request: bytes, writer: asyncio.StreamWriter
) -> bytes:
    peer = writer.get_extra_info("peername")
    hosts = [x[5:].strip() for x in request.split(b"\r\n") if x[:5].lower() == b"host:"]
    host = hosts[0].decode("ascii", "replace") if len(hosts) == 1 else ""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    if not peer or peer[0] not in LOCAL or name.strip("[]") not in LOCAL:
        return _http("403 Forbidden", "/latest is for this machine only\n", b"GET")
    status, body = await latest(query)
    return _http_bytes(status, body, "application/json; charset=utf-8")


def _http(status: str, body: str, method: bytes, kind: str = "text/plain; charset=utf-8") -> bytes:
    content = _http_bytes(status, body.encode(), kind)
    return content.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if method == b"HEAD" else content


def _http_bytes(status: str, content: bytes, kind: str) -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(content)}\r\n"
        "Connection: close\r\nCache-Control: no-store\r\n\r\n"
    )
    return head.encode() + content


def uptime_metric(metrics: Metrics, started_s: float) -> None:
    """Seconds since ``started_s`` of the monotonic clock."""
    metrics.add("uptime_seconds", time.monotonic() - started_s, "gauge", "since the start")


def all_devices(metrics: Metrics, tallies: Iterable[tuple[str, DeviceTally]]) -> None:
    """``device_metrics`` of each."""
    for device, tally in tallies:
        device_metrics(metrics, device, tally)
