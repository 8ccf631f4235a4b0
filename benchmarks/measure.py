"""What a process costs: CPU seconds, memory, bytes written; and medians of timed functions."""

import gc
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

REPEATS = 5


@dataclass(frozen=True, slots=True)
class Usage:
    """What one process used between two instants; memory is that at the end."""

    cpu_s: float
    wall_s: float
    rss_mb: float
    peak_mb: float
    written_bytes: int

    @property
    def core_percent(self) -> float:
        return 100 * self.cpu_s / self.wall_s


def cpu_s(pid: int) -> float:
    """CPU seconds of all threads of a process so far, in ns resolution."""
    return time.clock_gettime((~pid << 3) | 2)  # the kernel's clock id of another process


def _status_mb(pid: int, key: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text("utf-8").splitlines():
        if line.startswith(key + ":"):
            return int(line.split()[1]) / 1024
    raise LookupError(f"/proc/{pid}/status has no {key}")


def rss_mb(pid: int) -> float:
    return _status_mb(pid, "VmRSS")


def peak_mb(pid: int) -> float:
    return _status_mb(pid, "VmHWM")


def written_bytes(pid: int) -> int:
    """Bytes this process made the kernel send to the disk (whole pages)."""
    for line in Path(f"/proc/{pid}/io").read_text("utf-8").splitlines():
        if line.startswith("write_bytes:"):
            return int(line.split()[1])
    raise LookupError(f"/proc/{pid}/io has no write_bytes")


class Watch:
    """Starts counting when made; ``usage`` says what the process used since."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._wall = time.monotonic()
        self._cpu = cpu_s(pid)
        self._written = written_bytes(pid)

    def usage(self) -> Usage:
        return Usage(
            cpu_s=cpu_s(self.pid) - self._cpu,
            wall_s=time.monotonic() - self._wall,
            rss_mb=rss_mb(self.pid),
            peak_mb=peak_mb(self.pid),
            written_bytes=written_bytes(self.pid) - self._written,
        )


def cpu_us(work: Callable[[], object], operations: int, *, repeats: int = REPEATS) -> float:
    """
    Median µs of CPU time per operation of ``work``, which does ``operations`` of them per call.

    The collector stays on, as in production; one call before the first timing warms caches.
    """
    work()
    times = []
    for _ in range(repeats):
        gc.collect()
        start = time.process_time_ns()
        work()
        times.append((time.process_time_ns() - start) / 1e3 / operations)
    return statistics.median(times)


def percentile(values: list[float], share: float) -> float:
    """Nearest-rank percentile; ``share`` 0.99 is p99."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, max(0, round(share * len(ranked)) - 1))]


def pin(core: int) -> None:
    """Keeps this process on one core, so that waking it does not measure the virtual machine."""
    if core in os.sched_getaffinity(0):
        os.sched_setaffinity(0, {core})
