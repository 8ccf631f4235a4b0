"""The machine in general terms, and two numbers that say how fast and how noisy it is just now."""

import os
import platform
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Machine:
    """What a reader needs to judge the figures; nothing that names one particular machine."""

    cores: int
    processor: str
    memory_gib: float
    system: str
    python: str
    file_system: str

    def __str__(self) -> str:
        return (
            f"{self.cores} cores ({self.processor}), {self.memory_gib:.0f} GiB, "
            f"{self.file_system}, {self.system}, {self.python}"
        )


def _field(path: str, key: str, separator: str = ":") -> str:
    try:
        lines = Path(path).read_text("utf-8").splitlines()
    except OSError:
        return ""
    for line in lines:
        name, _, value = line.partition(separator)
        if name.strip() == key:
            return value.strip().strip('"')
    return ""


def _processor() -> str:
    maker = {"GenuineIntel": "Intel", "AuthenticAMD": "AMD"}.get(
        _field("/proc/cpuinfo", "vendor_id"), ""
    )
    virtual = " in a virtual machine" if "hypervisor" in _field("/proc/cpuinfo", "flags") else ""
    kind = platform.machine() or "unknown processor"
    return f"{maker} {kind}{virtual}".strip()


def _file_system(folder: Path) -> str:
    """File system of ``folder``: the longest mount point above it wins."""
    best, kind = "", "unknown file system"
    try:
        mounts = Path("/proc/mounts").read_text("utf-8").splitlines()
    except OSError:
        return kind
    for line in mounts:
        _, point, name, *_ = line.split()
        above = str(folder) == point or str(folder).startswith(point.rstrip("/") + "/")
        if above and len(point) > len(best):
            best, kind = point, name
    return kind


def this_machine(folder: Path) -> Machine:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return Machine(
        cores=os.cpu_count() or 1,
        processor=_processor(),
        memory_gib=memory,
        system=_field("/etc/os-release", "PRETTY_NAME", "=") or platform.system(),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        file_system=_file_system(folder.resolve()),
    )


def counting_ns() -> float:
    """Median ns of one turn of an empty counting loop: how fast Python is here and now."""
    turns = 300_000
    times = []
    for _ in range(7):
        start = time.perf_counter_ns()
        for _turn in range(turns):
            pass
        times.append((time.perf_counter_ns() - start) / turns)
    return statistics.median(times)


def sync_ms(folder: Path) -> float:
    """Median ms of one fdatasync of an appended 4 KiB."""
    times = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(50):
            file.write(bytes(4096))
            file.flush()
            start = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append((time.perf_counter() - start) * 1e3)
    return statistics.median(times)


def foreign_load() -> float:
    """Share of all cores that was busy in the last second, before a benchmark has begun."""

    def busy_and_all() -> tuple[int, int]:
        ticks = [
            int(part) for part in Path("/proc/stat").read_text("utf-8").split("\n")[0].split()[1:]
        ]
        return sum(ticks) - ticks[3] - ticks[4], sum(ticks)

    before = busy_and_all()
    time.sleep(1.0)
    after = busy_and_all()
    return (after[0] - before[0]) / max(1, after[1] - before[1])
