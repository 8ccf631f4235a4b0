"""A9: three days without a historian, then it comes, and new values must not wait for the old."""

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path

from agent.batches.log import BatchLog
from agent.edge.publish import Publisher
from tests import servers
from tests.agent.ends import append, broker_at, running
from tests.kill_harness import Child, body_of, historian
from tests.originals_reader import read_stream
from tests.reliability.cases import Outcome, Setting, case

HOUR = 3600  # batches of each stream, one a second
LINES = 5


@dataclass
class Backfill:
    """What was seen while the backlog went out."""

    drain_s: float = 0.0  # from the first receipt to the last of the backlog
    latency_s: dict[str, list[float]] = field(default_factory=dict)  # of batches made meanwhile
    grown_mb: float = 0.0  # gateway
    historian_mb: float = 0.0


def _resident_mb(pid: int | str = "self") -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4096 / 1e6


async def _live(
    log: BatchLog, publisher: Publisher, found: list[float], until: asyncio.Event
) -> None:
    """One batch a second; how long from its appending until its receipt is here."""
    waiting: set[asyncio.Task[None]] = set()

    async def watch(seq: int, made_at: float) -> None:
        while not publisher.has(log.stream, seq):  # noqa: ASYNC110 - a figure without an event
            await asyncio.sleep(0.02)
        found.append(time.monotonic() - made_at)

    while not until.is_set():
        made_at = time.monotonic()
        await append(log, 1, LINES)
        waiting.add(asyncio.create_task(watch(log.newest, made_at)))
        await asyncio.sleep(1.0)
    await asyncio.gather(*waiting)


async def _backfill(folder: Path, port: int, backlog: int, server: Child) -> Backfill:
    """The broker is there all the time; the historian comes when the backlog is."""
    seen = Backfill()
    async with BatchLog(folder, stream="record") as record, BatchLog(folder, stream="raw") as raw:
        logs = {"record": record, "raw": raw}
        for log in logs.values():
            for _ in range(0, backlog, 64):
                await asyncio.gather(*(append(log, 1, LINES) for _ in range(64)))
        behind = {name: log.newest for name, log in logs.items()}
        before = _resident_mb()
        publisher = Publisher(broker_at(port), "demo", "gw1", logs)
        over = asyncio.Event()
        seen.latency_s = {name: [] for name in logs}
        async with running(publisher.run()):
            await asyncio.sleep(3.0)
            server.start()
            assert server.process is not None
            while not any(log.receipted for log in logs.values()):  # noqa: ASYNC110 - no event
                await asyncio.sleep(0.01)
            began, first_mb = time.monotonic(), _resident_mb(server.process.pid)
            lives = [
                asyncio.create_task(_live(logs[n], publisher, seen.latency_s[n], over))
                for n in logs
            ]
            while any(logs[n].receipted < behind[n] for n in logs):
                seen.grown_mb = max(seen.grown_mb, _resident_mb() - before)
                grown = _resident_mb(server.process.pid) - first_mb
                seen.historian_mb = max(seen.historian_mb, grown)
                await asyncio.sleep(0.1)
            seen.drain_s = time.monotonic() - began
            over.set()
            await asyncio.gather(*lives)
    return seen


@case(
    "A9",
    fault="72 h outage",
    procedure="a spool with 72 h of batches (one a second and stream, written at once) and the "
    "real publisher; then the real historian comes while each stream gets one more batch a "
    "second, timed from its appending to its receipt at the gateway",
    mark="0 lost; live latency p95 ≤ 5 s during backfill; backfill ≥ 10× the acquisition rate; "
    "memory grows ≤ 50 MB",
)
def outage(setting: Setting) -> Outcome:
    backlog = setting.size(cut=HOUR // 2, full=72 * HOUR)
    broker = servers.mosquitto(setting.folder).start()
    server = historian(setting.folder, broker.port)
    try:
        seen = asyncio.run(_backfill(setting.folder / "spool", broker.port, backlog, server))
        originals = setting.folder / "historian" / "originals"
        servers.wait_until(lambda: not list(originals.glob("*/*/*/*-a*")), "one log again", 300)
    finally:
        if server.process is not None:
            server.end()
        broker.end()
    lost, altered = _compare(setting.folder)
    worst = {name: sorted(found)[int(len(found) * 0.95)] for name, found in seen.latency_s.items()}
    rate = 2 * backlog / seen.drain_s
    figure = (
        f"{backlog / HOUR:.1f} h, {2 * backlog:,} batches drained in {seen.drain_s:.0f} s "
        f"({rate / 2:,.0f}× as fast as they are made); {lost} lost, {altered} altered; "
        f"{sum(map(len, seen.latency_s.values()))} live batches meanwhile, p95 "
        f"{worst['record']:.2f} s of record, {worst['raw']:.2f} s of raw, slowest "
        f"{max(map(max, seen.latency_s.values())):.2f} s; memory grew by {seen.grown_mb:.0f} MB "
        f"(the historian's by {seen.historian_mb:.0f} MB, lake included)"
    )
    quick = max(worst.values()) <= 5
    return Outcome(
        not lost and not altered and quick and rate >= 20 and seen.grown_mb <= 50, figure
    )


def _compare(folder: Path) -> tuple[int, int]:
    """(lost, altered) batches of the originals against the spool and what each must say."""
    lost = altered = 0
    for stream in ("record", "raw"):
        ours = read_stream(folder / "spool" / stream)
        theirs = read_stream(folder / "historian" / "originals" / "demo" / "gw1" / stream)
        for log, batches in ours.items():
            parts = [found for name, found in theirs.items() if name.partition("-a")[0] == log]
            held = {batch.seq: batch.payload for found in parts for batch in found}
            lost += sum(batch.seq not in held for batch in batches)
            for batch in batches:
                body = held.get(batch.seq, batch.payload).partition(b"\n")[2]
                altered += body != body_of(log, batch.seq, LINES)
    return lost, altered
