"""
The gateway's time: wall time that no step of the system clock sends back over time already used.

Slots are stamped with it. It runs on the monotonic clock, follows small differences smoothly and
takes a step forward at once (a declared gap, no burst). A step back it takes only into time
that was never stamped; otherwise it runs on and is drawn in slowly: no slot is served twice.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

STEP_NS = 250_000_000  # a smaller difference is drift
CHASE_NS = 10_000_000_000  # drift is made good in about this time
MAX_SLEW = 0.05
BELIEVED_BACK_NS = 2 * 3600 * 1_000_000_000  # further back the system clock is taken to be wrong
LOOK_S = 0.5


@dataclass(frozen=True, slots=True)
class ClockStep:
    """The system clock jumped by ``size_ns`` at gateway time ``at_ns``."""

    at_ns: int
    size_ns: int
    followed: bool  # False: gateway time runs on as before
    moved_ns: int = 0  # by which gateway time moved; another size while it was still drawn in


class Timeline:
    """
    Gateway time. ``floor_ns`` is the newest time already used by an earlier run.

    ``good_ns`` is the newest that was used while the clock was right, ``used`` what was stamped
    besides by a clock that was not.
    """

    def __init__(
        self,
        wall_ns: Callable[[], int] = time.time_ns,
        mono_ns: Callable[[], int] = time.monotonic_ns,
        floor_ns: int = 0,
        good_ns: int | None = None,
        used: Iterable[tuple[int, int]] = (),
    ) -> None:
        self._wall, self._mono = wall_ns, mono_ns
        wall = wall_ns()
        self._floor_ns = floor_ns
        self._good_ns = floor_ns if good_ns is None else good_ns
        self._anchor_ns = self._begun_ns = max(wall, floor_ns + 1)
        self._mono_ns = mono_ns()
        self._rate = 1.0
        self._difference_ns = wall - self._anchor_ns
        self._used: list[tuple[int, int]] = list(used)
        self._own = len(self._used)  # those before are of earlier runs
        self.epoch = 0  # counts steps: slots are to be found anew

    @property
    def ahead_ns(self) -> int:
        """How far gateway time runs ahead of the system clock (at the last look)."""
        return -self._difference_ns

    @property
    def rate(self) -> float:
        """Gateway seconds per monotonic second: not 1 while it is drawn in."""
        return self._rate

    @property
    def last_used(self) -> tuple[int, int]:
        """What was stamped between the last two steps that were followed."""
        return self._used[-1]

    def now_ns(self) -> int:
        return self._anchor_ns + round((self._mono() - self._mono_ns) * self._rate)

    def shift_ns(self) -> int:
        """What to add to a time stamp of the system clock; 0 while both agree."""
        shift = self.now_ns() - self._wall()
        return shift if abs(shift) >= STEP_NS else 0

    def look(self, *, trusted: bool = False) -> ClockStep | None:
        """
        Compare with the system clock; tells a step once.

        ``trusted``: the clock has just become right, and this run did not know the time until now:
        then it may go back before its own beginning, to any time that was never stamped.
        """
        now_ns, wall = self.now_ns(), self._wall()
        difference = wall - now_ns
        jump, self._difference_ns = difference - self._difference_ns, difference
        self._anchor_ns, self._mono_ns = now_ns, self._mono()
        if abs(difference) < STEP_NS or self._must_hold(difference, wall, trusted):
            self._rate = 1.0 + self._slew(difference)
            return ClockStep(now_ns, jump, followed=False) if abs(jump) >= STEP_NS else None
        self._used.append((self._begun_ns, now_ns))
        self._anchor_ns = self._begun_ns = wall
        self._difference_ns, self._rate = 0, 1.0
        self.epoch += 1
        return ClockStep(now_ns, jump, followed=True, moved_ns=difference)

    def _must_hold(self, difference: int, wall: int, trusted: bool) -> bool:
        if difference > 0:
            return False
        used = [*self._used, (self._begun_ns, self.now_ns())]
        first = min(start for start, _ in used[self._own :])
        least = self._good_ns if trusted else max(first, self._floor_ns)
        return wall <= least or any(a <= wall <= b for a, b in used)

    @staticmethod
    def _slew(difference: int) -> float:
        if difference < -BELIEVED_BACK_NS:
            return 0.0
        return max(-MAX_SLEW, min(MAX_SLEW, difference / CHASE_NS))

    def next_slot(self, after_ns: int, interval_ns: int) -> int:
        """The first slot after ``after_ns`` that was not used before a step."""
        slot = after_ns - after_ns % interval_ns + interval_ns
        for start, end in sorted(self._used):
            if start <= slot <= end and end >= self._begun_ns:
                slot = end - end % interval_ns + interval_ns
        return slot

    async def sleep_until(self, at_ns: int) -> None:
        """Returns at ``at_ns``, or early after a step."""
        epoch = self.epoch
        while self.epoch == epoch and (left_ns := at_ns - self.now_ns()) > 0:  # noqa: ASYNC110 - time
            await asyncio.sleep(min(left_ns / 1e9 / self._rate, LOOK_S))
