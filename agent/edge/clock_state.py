"""
How far the system clock may be trusted: what the kernel says of it (``adjtimex``), read only.

locked: synchronised, and wrong by a second at most. holdover: synchronised earlier in this boot,
and since then wrong by no more than the crystal may drift. unsynced: nobody can tell.
"""

import ctypes
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

SECOND_NS = 1_000_000_000
LOCKED_NS = SECOND_NS  # largest error of a clock that counts as locked
HOLDOVER_NS = 16 * SECOND_NS  # the kernel itself gives a clock up here
DRIFT = 500e-6  # what the kernel assumes of a free running crystal
BOOT_DIGITS = 12

_STA_UNSYNC, _STA_PPSTIME, _STA_NANO = 0x0040, 0x0004, 0x2000
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_DAEMONS = (
    ("chrony", Path("/run/chrony")),
    ("timesyncd", Path("/run/systemd/timesync")),
    ("ntpd", Path("/run/ntpd.pid")),
    ("ntpsec", Path("/run/ntpsec")),
)


class ClockState(StrEnum):
    """As it stands in the first line of every batch."""

    LOCKED = "locked"
    HOLDOVER = "holdover"
    UNSYNCED = "unsynced"


@dataclass(frozen=True, slots=True)
class KernelClock:
    """What the kernel knows of its clock; None where it does not."""

    synced: bool
    offset_ns: int | None = None  # still to be slewed
    maxerror_ns: int | None = None
    source: str = ""  # chrony, timesyncd, ntpd, pps, kernel; empty: nobody keeps it


@dataclass(frozen=True, slots=True)
class ClockHealth:
    """State of the clock at one look."""

    state: ClockState
    kernel: KernelClock

    @property
    def unsynced(self) -> bool:
        return self.state is ClockState.UNSYNCED


class _Timex(ctypes.Structure):
    """``struct timex`` of Linux, the same in glibc and musl."""

    _fields_ = [
        ("modes", ctypes.c_uint),
        *((name, ctypes.c_long) for name in ("offset", "freq", "maxerror", "esterror")),
        ("status", ctypes.c_int),
        *((name, ctypes.c_long) for name in ("constant", "precision", "tolerance")),
        *((name, ctypes.c_long) for name in ("sec", "usec", "tick", "ppsfreq", "jitter")),
        ("shift", ctypes.c_int),
        *((name, ctypes.c_long) for name in ("stabil", "jitcnt", "calcnt", "errcnt", "stbcnt")),
        ("tai", ctypes.c_int),
        ("reserved", ctypes.c_int * 11),
    ]


def kernel_clock() -> KernelClock:
    """Asks the kernel; changes nothing and needs no rights. Unsynced where it cannot be asked."""
    try:
        adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError):
        return KernelClock(synced=False)
    told = _Timex()
    state = adjtimex(ctypes.byref(told))
    if state < 0:
        return KernelClock(synced=False)
    synced = not told.status & _STA_UNSYNC
    scale = 1 if told.status & _STA_NANO else 1000
    if not synced:
        return KernelClock(synced=False, maxerror_ns=told.maxerror * 1000)
    source = "pps" if told.status & _STA_PPSTIME else _daemon() or "kernel"
    return KernelClock(True, told.offset * scale, told.maxerror * 1000, source)


def _daemon() -> str:
    return next((name for name, path in _DAEMONS if path.exists()), "")


def boot_id() -> str:
    """The first digits of the kernel's boot id; empty where there is none."""
    try:
        return _BOOT.read_text("ascii").replace("-", "").strip()[:BOOT_DIGITS]
    except OSError:
        return ""


def boottime_ns() -> int:
    """Nanoseconds since the boot, suspend included: no step of the clock moves it."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


@dataclass(frozen=True, slots=True)
class LastLock:
    """When (ns since the boot) the clock was last locked, and how wrong it could be then."""

    mono_ns: int
    error_ns: int


class ClockWatch:
    """Judges the clock at each look; ``last`` is what an earlier run of this boot knew."""

    def __init__(
        self,
        kernel: Callable[[], KernelClock] = kernel_clock,
        mono_ns: Callable[[], int] = boottime_ns,
        last: LastLock | None = None,
    ) -> None:
        self._kernel, self._mono = kernel, mono_ns
        self.last = last

    def look(self, *, stepped: bool = False) -> ClockHealth:
        """``stepped``: somebody set the clock, so an earlier lock says nothing any more."""
        kernel, now_ns = self._kernel(), self._mono()
        error_ns = kernel.maxerror_ns or 0
        if kernel.synced and error_ns <= LOCKED_NS:
            self.last = LastLock(now_ns, error_ns)
            return ClockHealth(ClockState.LOCKED, kernel)
        if stepped and not kernel.synced:
            self.last = None
        if kernel.synced or self._held(now_ns):
            return ClockHealth(ClockState.HOLDOVER, kernel)
        return ClockHealth(ClockState.UNSYNCED, kernel)

    def _held(self, now_ns: int) -> bool:
        if self.last is None:
            return False
        drift_ns = (now_ns - self.last.mono_ns) * DRIFT
        return self.last.error_ns + drift_ns <= HOLDOVER_NS
