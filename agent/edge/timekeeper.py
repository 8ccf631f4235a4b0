"""
Gateway time together with what is known of its clock: state, unsynced stretches, their re-timing.

What is stamped while nobody knows the time, or while gateway time is still drawn in to a clock that
is right, keeps its stamp. The gateway notes which monotonic time of which boot each such stretch
began and ended at; when the clock is locked in that boot, the true time follows, and a ``retimed``
line says by how much to move the stretch. ``clock.json`` carries this over a restart; it cannot be
carried over to another boot, whose monotonic clock began anew.
"""

import json
import logging
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from agent.batches.durable import replace_text
from agent.batches.in_thread import in_full
from agent.edge.clock import STEP_NS, ClockStep, Timeline
from agent.edge.clock_state import (
    SECOND_NS,
    ClockState,
    ClockWatch,
    KernelClock,
    LastLock,
    boot_id,
    boottime_ns,
    kernel_clock,
)
from agent.wire.events import Retimed

_log = logging.getLogger(__name__)

BEND_NS = 400_000_000  # a stretch ends where gateway time left its monotonic clock by so much
WORTH_NS = 500_000_000  # a smaller shift is not worth a re-timing
SAVE_NS = 30 * SECOND_NS
PATIENCE_NS = 60 * SECOND_NS  # a clock may take so long after a boot before people are told
LONGEST_NS = 600 * SECOND_NS  # a stretch whose true time is known is not kept back longer
_MOST = 1000  # stretches kept


@dataclass(slots=True)
class Stretch:
    """Gateway time [start, end) that is not the true time, and the monotonic time beside it."""

    start_ns: int
    end_ns: int
    mono_ns: int  # of its start
    end_mono_ns: int
    rate: float
    boot: str


@dataclass(slots=True)
class Looked:
    """What one look found."""

    step: ClockStep | None = None
    retimed: list[Retimed] = field(default_factory=list)
    unsynced_since_ns: int | None = None  # to be told now
    synced: bool = False  # it was told as unsynced, and is over


class Timekeeper:
    """Owns the gateway's time line. ``used_ns``: newest time in the logs, of any earlier run."""

    def __init__(
        self,
        folder: Path,
        used_ns: int = 0,
        *,
        wall_ns: Callable[[], int],
        mono_ns: Callable[[], int] = boottime_ns,
        line_mono_ns: Callable[[], int] = time.monotonic_ns,
        kernel: Callable[[], KernelClock] = kernel_clock,
        boot: str | None = None,
    ) -> None:
        self._path = folder / "clock.json"
        self._wall, self._mono, self._line_mono = wall_ns, mono_ns, line_mono_ns
        self.boot = boot_id() if boot is None else boot
        self._good_ns = 0  # newest time that was stamped by a clock that was right
        self._stretches: list[Stretch] = []
        self._past: list[tuple[int, int]] = []  # re-timed, and still ahead of the clock
        self._last: LastLock | None = None
        self._load()
        self._end_last_run(used_ns)
        self._watch = ClockWatch(kernel, mono_ns, self._last)
        self.health = self._watch.look()
        self.clock = self._timeline(used_ns)
        self.unsaved = False
        self.unsettled = False  # re-timings that are not yet durable in the log
        self._told = False
        self._saved_ns = 0
        self._since_ns: int | None = None
        self._wrong = False
        self._note(self.clock.now_ns(), fresh=True)
        self.save()

    def look(self) -> Looked:
        """Compare with the system clock and the kernel's word; to be called twice a second."""
        was_unsynced = self.health.unsynced
        before_ns, wall_ns, mono_ns = self.clock.now_ns(), self._wall(), self._mono()
        jumped = abs(wall_ns - before_ns + self.clock.ahead_ns) >= STEP_NS
        self.health = self._watch.look(stepped=jumped)
        found = Looked()
        if self._wrong:
            self._stretches[-1].end_ns, self._stretches[-1].end_mono_ns = before_ns, mono_ns
        locked = self.health.state is ClockState.LOCKED
        found.step = self.clock.look(trusted=locked and was_unsynced)
        followed = found.step is not None and found.step.followed
        if followed and found.step is not None and found.step.size_ns < 0:
            self._past.append(self.clock.last_used)
            self.unsaved = True
        begins = not self._wrong or followed or self._bent() or (locked and self._told_late())
        self._note(self.clock.now_ns(), fresh=begins or was_unsynced != self.health.unsynced)
        if locked:
            found.retimed = self._retime(wall_ns, mono_ns)
        self._tell(found)
        self.unsettled |= bool(found.retimed)
        late = self._mono() - self._saved_ns >= SAVE_NS
        self.unsaved |= late or was_unsynced != self.health.unsynced
        return found

    def settle(self) -> None:
        """The re-timings told are durable: forget the stretches on the disk too."""
        if self.unsettled:
            self.unsettled, self.unsaved = False, True

    async def keep(self) -> None:
        """Write what is new, in a thread: no poll waits for the disk."""
        if self.unsaved and not self.unsettled:
            self.unsaved = False
            await in_full(self._write, self._content())

    def stamp(self) -> str:
        """Fields for the first line of a batch that is closed now."""
        kernel = self.health.kernel
        fields = [f',boot="{self.boot}"'] if self.boot else []
        fields += [f",mono={self._mono()}i", f',clock="{self.health.state}"']
        if kernel.synced and kernel.offset_ns is not None:
            fields.append(f",offset={kernel.offset_ns}i")
        if kernel.maxerror_ns is not None:
            fields.append(f",maxerror={kernel.maxerror_ns}i")
        if kernel.source:
            fields.append(f',sync="{kernel.source}"')
        return "".join(fields)

    def save(self) -> None:
        """To the disk, whole or not at all."""
        self.unsaved = False
        self._write(self._content())

    def _content(self) -> str:
        content = {
            "good_ns": self._good_ns,
            "boot": self.boot,
            "last": None if self._watch.last is None else asdict(self._watch.last),
            "unsynced": [asdict(each) for each in self._stretches[-_MOST:]],
            "past": self._past[-_MOST:],
        }
        self._saved_ns = self._mono()
        return json.dumps(content)

    def _write(self, content: str) -> None:
        try:
            replace_text(self._path, content)
        except OSError as error:
            _log.warning("clock file not written path=%s error=%s", self._path, error)

    # --- what an earlier run left

    def _load(self) -> None:
        try:
            content = json.loads(self._path.read_text("utf-8"))
            self._good_ns = int(content["good_ns"])
            self._stretches = [Stretch(**each) for each in content["unsynced"]]
            self._past = [(int(start), int(end)) for start, end in content.get("past", [])]
            if content["boot"] == self.boot and self.boot and content["last"] is not None:
                self._last = LastLock(**content["last"])
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError) as error:
            _log.warning("clock file unusable path=%s error=%r", self._path, error)

    def _end_last_run(self, used_ns: int) -> None:
        """A run that was killed stamped up to the newest time in the logs."""
        if not self._stretches:
            self._good_ns = max(self._good_ns, used_ns)
            return
        last = self._stretches[-1]
        lasted_ns = self._mono() - last.mono_ns if last.boot == self.boot else used_ns
        if last.start_ns <= used_ns <= last.start_ns + lasted_ns:
            last.end_ns = max(last.end_ns, used_ns + 1)
            passed_ns = (last.end_ns - last.start_ns) / last.rate
            last.end_mono_ns = last.mono_ns + round(passed_ns)

    def _timeline(self, used_ns: int) -> Timeline:
        """A right clock starts at its own time even where an unsynced run stamped the future."""
        spans = [*self._past, *((each.start_ns, each.end_ns) for each in self._stretches)]
        used = [(start - SECOND_NS, end) for start, end in spans]  # it began between two looks
        wall_ns = self._wall()
        if self.health.state is ClockState.LOCKED and wall_ns > self._good_ns and used:
            floor_ns = max(
                [self._good_ns, *(end for start, end in used if start <= wall_ns <= end)]
            )
        else:
            floor_ns = max([used_ns, self._good_ns, *(end for _, end in used)])
        return Timeline(
            self._wall, self._line_mono, floor_ns=floor_ns, good_ns=self._good_ns, used=used
        )

    # --- unsynced stretches

    def _bent(self) -> bool:
        """Gateway time does not run as it did at the begin of the stretch."""
        last, rate = self._stretches[-1], self.clock.rate
        passed_ns = self._mono() - last.mono_ns
        far_ns = self.clock.now_ns() - last.start_ns - passed_ns * last.rate
        return abs(far_ns) >= BEND_NS or abs(rate - last.rate) * SECOND_NS >= BEND_NS / 20

    def _told_late(self) -> bool:
        return self._mono() - self._stretches[-1].mono_ns >= LONGEST_NS

    def _note(self, now_ns: int, *, fresh: bool) -> None:
        """Is what is stamped from now on right? If not, since when, and how fast it runs."""
        self._wrong = self.health.unsynced or abs(self.clock.ahead_ns) >= WORTH_NS
        if not self.health.unsynced:
            self._since_ns = None
        elif self._since_ns is None:
            self._since_ns = now_ns
        if not self._wrong:
            self._good_ns = max(self._good_ns, now_ns)
        elif fresh:
            mono_ns, rate = self._mono(), self.clock.rate
            self._stretches.append(Stretch(now_ns, now_ns, mono_ns, mono_ns, rate, self.boot))

    def _retime(self, wall_ns: int, mono_ns: int) -> list[Retimed]:
        """Ended stretches of this boot get their true time; those of other boots stay so."""
        found = []
        ended = self._stretches[:-1] if self._wrong else self._stretches
        for each in ended:
            if each.boot != self.boot or not self.boot or each.end_ns <= each.start_ns:
                continue
            shift_ns = wall_ns - (mono_ns - each.mono_ns) - each.start_ns
            shift_end_ns = wall_ns - (mono_ns - each.end_mono_ns) - each.end_ns
            if max(abs(shift_ns), abs(shift_end_ns)) >= WORTH_NS:
                span = each.start_ns, each.end_ns
                found.append(Retimed(*span, shift_ns, shift_end_ns, each.mono_ns, each.boot))
        self._past += [(each.start_ns, each.end_ns) for each in ended]
        self._past = [span for span in self._past if span[1] >= wall_ns]  # stamped: not again
        self._stretches = self._stretches[len(ended) :]
        return found

    def _tell(self, found: Looked) -> None:
        if not self.health.unsynced:
            found.synced, self._told = self._told, False
            return
        since_ns = self.clock.now_ns() if self._since_ns is None else self._since_ns
        if not self._told and self.clock.now_ns() - since_ns >= PATIENCE_NS:
            found.unsynced_since_ns, self._told = since_ns, True
