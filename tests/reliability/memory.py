"""M1: what the agent's memory does while the broker stays away for 72 hours."""

import asyncio
import re
import time
import urllib.request
from functools import partial
from pathlib import Path

import numpy as np

from agent.batches.log import BatchLog
from agent.wire.encode import BatchHead, batch_payload
from tests import servers
from tests.oracle.device import FakePlc
from tests.oracle.plant import Plant, wait
from tests.reliability.cases import Outcome, Setting, case

HOURS_72_S = 259_200  # so many batches of each stream, one a second
STREAMS = ("record", "raw")
LEAST_WARM_S = 300
MOST_MB = 256.0
MOST_PER_BATCH = 200.0  # bytes; 72 h of both streams would be 104 MB


def _body(seq: int, at_ns: int) -> bytes:
    return "\n".join(
        f"rectifier,plant=demo,line=sub1,unit=rec{k:03d} dc_voltage={800 + (seq * 7 + k) % 97 / 8} "
        f"{at_ns}"
        for k in range(1, 21)
    ).encode()


def _payload(head: BatchHead, log: str, at_ns: int, seq: int, prev: str) -> tuple[bytes, int]:
    return batch_payload(head, [_body(seq, at_ns)], log=log, seq=seq, prev=prev, closed_ns=at_ns)


async def _pile_up(folder: Path, count: int) -> None:
    """As many batches of each stream as ``count`` seconds make, by the product's own log."""
    begin_ns = time.time_ns() - (count + 60) * 1_000_000_000
    for stream in STREAMS:
        async with BatchLog(folder, stream=stream) as log:
            head = BatchHead("demo", "gw1", stream, "0" * 16)

            make = partial(_payload, head, log.log_id)

            for first in range(0, count, 64):
                ns = [begin_ns + k * 1_000_000_000 for k in range(first, min(first + 64, count))]
                await asyncio.gather(*(log.append(partial(make, at), closed_ns=at) for at in ns))


def _memory_mb(plant: Plant, name: str = "VmRSS") -> float:
    assert plant.agent.process is not None
    status = Path(f"/proc/{plant.agent.process.pid}/status").read_text("ascii")
    found = re.search(rf"^{name}:\s+(\d+) kB", status, re.MULTILINE)
    assert found
    return int(found[1]) / 1000


def _metric(plant: Plant, name: str) -> float:
    with urllib.request.urlopen(f"http://127.0.0.1:{plant.health}/metrics", timeout=30) as page:
        text: str = page.read().decode()
    found = re.findall(rf"^smelter_{name}(?:{{.*}})? (\S+)$", text, re.MULTILINE)
    return sum(map(float, found))


def _up(plant: Plant) -> bool:
    try:
        return _metric(plant, "uptime_seconds") > 0
    except OSError:
        assert plant.agent.alive, plant.agent.tail()
        return False


def _watched(plant: Plant, seconds: int) -> tuple[float, float, float]:
    """Memory in MB at the end, bytes per batch by the slope of the second half, batches written."""
    before = _metric(plant, "batch_newest")
    looks: list[tuple[float, float]] = []
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        time.sleep(1)
        looks.append((_metric(plant, "batch_newest"), _memory_mb(plant)))
    half = np.array(looks[len(looks) // 2 :])
    slope, _ = np.polyfit(half[:, 0], half[:, 1], 1)
    return float(half[-1, 1]), float(slope * 1e6), looks[-1][0] - before


@case(
    "M1",
    fault="broker away for 72 h",
    procedure="the real agent, 200 values at 20 Hz, a batch of each stream every 50 ms, no broker; "
    "then restarted on a spool with as many batches as 72 h make (1/s, two streams), none of them "
    "receipted, and watched while more pile up",
    mark=f"resident memory ≤ {MOST_MB:g} MB and ≤ {MOST_PER_BATCH:g} bytes more per batch; "
    "every batch of the spool still waits",
)
def broker_away(setting: Setting) -> Outcome:
    waiting = setting.size(cut=3000, full=HOURS_72_S)
    watched_s = setting.size(cut=20, full=600)
    dead = servers.free_port()
    with (
        FakePlc(200) as plc,
        Plant(setting.folder, plc.port, dead, interval_s=0.05, batch_s=0.05) as plant,
    ):
        plant.agent.start()
        wait(lambda: _up(plant), "the agent", 60)
        empty_mb, _, _ = _watched(plant, max(watched_s // 6, 10))
        plant.agent.end()
        heap = setting.folder / "waiting"
        plant.agent_dir = heap
        plant.configure()
        asyncio.run(_pile_up(heap, waiting))
        size_mb = sum(path.stat().st_size for path in heap.rglob("*.seg")) / 1e6
        begun_s = time.monotonic()
        plant.agent.start()
        wait(lambda: _up(plant), "the agent on the full spool", 600)
        start_s = time.monotonic() - begun_s
        full_mb, per_batch, more = _watched(plant, watched_s)
        peak_mb = _memory_mb(plant, "VmHWM")
        queue = _metric(plant, "queue_batches")
        plant.agent.end()
    kept = queue >= 2 * waiting + more * 0.99
    figure = (
        f"{waiting / 3600:.1f} h = {2 * waiting:,} batches, {size_mb:,.0f} MB on disk; up after "
        f"{start_s:.1f} s; resident {empty_mb:.0f} MB with an empty spool, {full_mb:.0f} MB with "
        f"it, peak {peak_mb:.0f} MB; {per_batch:+.0f} bytes per batch in the second half of "
        f"{watched_s} s, {more:,.0f} more batches; {queue:,.0f} waiting"
    )
    warm = watched_s >= LEAST_WARM_S  # before that the slope is that of caches that fill
    small = peak_mb <= MOST_MB and (not warm or per_batch <= MOST_PER_BATCH)
    return Outcome(passed=small and kept, figure=figure)
