"""A9: three days without a historian, then all of it at once while new values keep coming."""

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path

from agent.batches.log import BatchLog
from agent.edge.publish import Publisher
from tests import servers
from tests.agent.ends import append, broker_at, running
from tests.kill_harness import body_of, historian
from tests.originals_reader import read_stream
from tests.reliability.cases import Outcome, Setting, case

HOUR = 3600  # batches of each stream, one a second
LINES = 5


@dataclass
class Backfill:
    """What was seen while the backlog went out."""

    drain_s: float = 0.0
    latency_s: dict[str, list[float]] = field(default_factory=dict)  # of batches made meanwhile
    grown_mb: float = 0.0


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


async def _live(log: BatchLog, found: list[float], until: asyncio.Event) -> None:
    """One batch a second; how long until each is receipted."""
    waiting: set[asyncio.Task[None]] = set()

    async def watch(seq: int, made_at: float) -> None:
        while log.receipted < seq:  # noqa: ASYNC110 - a figure without an event
            await asyncio.sleep(0.02)
        found.append(time.monotonic() - made_at)

    while not until.is_set():
        await append(log, 1, LINES)
        waiting.add(asyncio.create_task(watch(log.newest, time.monotonic())))
        await asyncio.sleep(1.0)
    await asyncio.gather(*waiting)


async def _backfill(folder: Path, port: int, backlog: int) -> Backfill:
    seen = Backfill()
    async with BatchLog(folder, stream="record") as record, BatchLog(folder, stream="raw") as raw:
        logs = {"record": record, "raw": raw}
        for log in logs.values():
            for _ in range(0, backlog, 64):
                await asyncio.gather(*(append(log, 1, LINES) for _ in range(64)))
        behind = {name: log.newest for name, log in logs.items()}
        before, began = _resident_mb(), time.monotonic()
        publisher = Publisher(broker_at(port), "demo", "gw1", logs)
        over = asyncio.Event()
        seen.latency_s = {name: [] for name in logs}
        async with running(publisher.run()):
            lives = [asyncio.create_task(_live(logs[n], seen.latency_s[n], over)) for n in logs]
            while any(logs[n].receipted < behind[n] for n in logs):
                seen.grown_mb = max(seen.grown_mb, _resident_mb() - before)
                await asyncio.sleep(0.1)
            seen.drain_s = time.monotonic() - began
            over.set()
            await asyncio.gather(*lives)
    return seen


@case(
    "A9",
    fault="72 h outage",
    procedure="a spool with 72 h of batches (one a second and stream, written at once), then the "
    "real publisher and historian while each stream gets one more a second",
    mark="0 lost; live latency p95 ≤ 5 s during backfill; backfill ≥ 10× the acquisition rate; "
    "memory grows ≤ 50 MB",
)
def outage(setting: Setting) -> Outcome:
    backlog = setting.size(cut=HOUR // 2, full=72 * HOUR)
    broker = servers.mosquitto(setting.folder).start()
    server = historian(setting.folder, broker.port).start()
    try:
        seen = asyncio.run(_backfill(setting.folder / "spool", broker.port, backlog))
    finally:
        server.end()
        broker.end()
    lost, altered = _compare(setting.folder)
    worst = {name: sorted(found)[int(len(found) * 0.95)] for name, found in seen.latency_s.items()}
    rate = 2 * backlog / seen.drain_s
    figure = (
        f"{backlog / HOUR:.1f} h, {2 * backlog:,} batches drained in {seen.drain_s:.0f} s "
        f"({rate / 2:,.0f}× as fast as they are made); {lost} lost, {altered} altered; "
        f"live latency p95 {worst['record']:.1f} s of record, {worst['raw']:.1f} s of raw "
        f"(in order, after the backlog of the stream); memory grew by {seen.grown_mb:.0f} MB"
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
            held = {batch.seq: batch.payload for batch in theirs.get(log, ())}
            lost += sum(batch.seq not in held for batch in batches)
            for batch in batches:
                body = held.get(batch.seq, batch.payload).partition(b"\n")[2]
                altered += body != body_of(log, batch.seq, LINES)
    return lost, altered
