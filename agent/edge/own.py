"""The gateway's own figures: one point of each a minute in the record stream, and in /metrics."""

import asyncio
import logging
import os
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from agent.batches.log import BatchLog
from agent.edge.desk import Desk
from agent.edge.timekeeper import Timekeeper
from agent.health import Metrics, resident_bytes
from agent.wire.encode import number

_log = logging.getLogger(__name__)

MINUTE_NS = 60_000_000_000
LOOK_S = 1.0
UNIT = "agent"  # the figures' equipment is <gateway>/agent, as a device's is <gateway>/<device>

DIGITS = {  # agent.<name> of the dictionary, in its order → digits that mean something
    "missed_slots": 0,
    "failed_reads": 0,
    "late_samples": 0,
    "dropped_lines": 0,
    "devices_lost": 0,
    "broker_up": 0,
    "queue_batches": 0,
    "queue_bytes": 0,
    "last_receipt_age_s": 1,
    "clock_offset_s": 6,
    "clock_error_s": 6,
    "disk_free_bytes": 0,
    "disk_used_share": 4,
    "memory_bytes": 0,
    "cpu_share": 4,
}


class OwnFigures:
    """
    What the gateway knows of itself: counts of the minute that ended, levels at its end.

    What it does not know – no receipt yet, a clock that nobody keeps – has no value, never 0.
    """

    def __init__(
        self,
        place: tuple[str, str, Path],
        logs: Mapping[str, BatchLog],
        desk: Desk,
        time_: Timekeeper,
        online: Callable[[], bool],
    ) -> None:
        self._plant, self._gateway, self._folder = place
        self._logs, self._desk, self._time, self._online = logs, desk, time_, online
        self._written_ns = 0  # start of the minute that was told last
        self._receipted = {name: log.receipted for name, log in logs.items()}
        self._receipt_s: float | None = None  # by the monotonic clock
        self._counted = self._counts()
        self._cpu = (time.process_time(), time.monotonic())

    async def run(self) -> None:
        """Until cancelled; a figure that cannot be had stops nothing."""
        self._written_ns = self._minute_ns()
        while True:
            await asyncio.sleep(LOOK_S)
            self._hear()
            minute_ns = self._minute_ns()
            if minute_ns == self._written_ns:
                continue
            self._written_ns = minute_ns
            found = await asyncio.to_thread(self._of_the_disk)
            found |= self._of_the_minute() | self._levels()
            self._desk.record.add(self._line(found, minute_ns - MINUTE_NS))

    def metrics(self, metrics: Metrics) -> None:
        """The levels, as they are now."""
        found = self._levels() | self._of_the_disk()
        for name, metric, text in _METRICS:
            if (value := found.get(name)) is not None:
                metrics.add(metric, value, "gauge", text)

    def _minute_ns(self) -> int:
        now_ns = self._time.clock.now_ns()
        return now_ns - now_ns % MINUTE_NS

    def _hear(self) -> None:
        """Notice that a receipt came."""
        receipted = {name: log.receipted for name, log in self._logs.items()}
        if any(receipted[name] > self._receipted[name] for name in receipted):
            self._receipt_s = time.monotonic()
        self._receipted = receipted

    # --- figures

    def _counts(self) -> dict[str, float]:
        """Since the start; of a device that is read no more they are gone."""
        tallies, desk = self._desk.tallies.values(), self._desk
        return {
            "missed_slots": sum(t.overload for t in tallies),
            "failed_reads": sum(t.errors.total() for t in tallies),
            "late_samples": sum(p.minutes.late for p in desk.pipelines.values()),
            "dropped_lines": desk.record.dropped + desk.raw.dropped,
        }

    def _of_the_minute(self) -> dict[str, float | None]:
        before, self._counted = self._counted, self._counts()
        cpu, self._cpu = self._cpu, (time.process_time(), time.monotonic())
        passed_s = max(self._cpu[1] - cpu[1], 0.001)
        return {
            **{name: max(now - before[name], 0) for name, now in self._counted.items()},
            "cpu_share": (self._cpu[0] - cpu[0]) / passed_s,
        }

    def _levels(self) -> dict[str, float | None]:
        kernel = self._time.health.kernel
        offset_ns = kernel.offset_ns if kernel.synced else None
        heard_s = self._receipt_s
        return {
            "devices_lost": sum(not t.online for t in self._desk.tallies.values()),
            "broker_up": float(self._online()),
            "queue_batches": sum(log.newest - log.receipted for log in self._logs.values()),
            "last_receipt_age_s": None if heard_s is None else time.monotonic() - heard_s,
            "clock_offset_s": None if offset_ns is None else offset_ns / 1e9,
            "clock_error_s": None if kernel.maxerror_ns is None else kernel.maxerror_ns / 1e9,
            "memory_bytes": resident_bytes(),
        }

    def _of_the_disk(self) -> dict[str, float | None]:
        """Free space as this user may fill it, and what waits for a receipt."""
        try:
            disk = os.statvfs(self._folder)
            queue = sum(map(partial(waiting_bytes, self._folder), self._logs.values()))
        except OSError as error:
            _log.warning("own figures without disk: %s", error)
            return {}
        free, used = disk.f_bavail * disk.f_frsize, disk.f_blocks - disk.f_bfree
        could = used + disk.f_bavail  # as df counts: what root keeps for itself is not there
        return {
            "disk_free_bytes": free,
            "disk_used_share": used / could if could else None,
            "queue_bytes": queue,
        }

    def _line(self, found: Mapping[str, float | None], start_ns: int) -> bytes:
        fields = []
        for name, digits in DIGITS.items():
            value = found.get(name)
            if value is None:
                fields += [f"{name}_n=0i", f"{name}_good=0", f'{name}_q="no_data"']
            else:
                fields += [f"{name}={number(round(float(value), digits))}", f"{name}_n=1i"]
        tags = f"plant={self._plant},line={self._gateway},unit={UNIT}"
        return f"agent_1m,{tags} {','.join(fields)} {start_ns}".encode()


_METRICS = (  # those that the exposition does not have under a name of their own
    ("devices_lost", "devices_lost", "devices that do not answer"),
    ("queue_batches", "queue_batches", "batches of all streams that wait for a receipt"),
    ("queue_bytes", "queue_bytes", "disk taken by batches that wait for a receipt"),
    ("last_receipt_age_s", "last_receipt_age_seconds", "since the last receipt, once one came"),
    ("disk_free_bytes", "disk_free_bytes", "free for this user where the data folder is"),
    ("disk_used_share", "disk_used_share", "used share of that disk, 0 to 1"),
)


def waiting_bytes(folder: Path, log: BatchLog) -> int:
    """Bytes on disk that are not receipted; inside a segment by its share of batches."""
    first_waiting, total = log.receipted + 1, 0
    if first_waiting > log.newest:
        return 0
    with os.scandir(folder / log.stream / log.log_id) as entries:
        found = sorted(
            (int(e.name[:20]), e.stat().st_size) for e in entries if e.name.endswith(".seg")
        )
    ends = [first for first, _ in found[1:]] + [log.newest + 1]
    for (first, size), end in zip(found, ends, strict=True):
        if end > first_waiting and end > first:
            total += size * (end - max(first, first_waiting)) // (end - first)
    return total
