"""What a counter did between two readings: went on, rolled over, was reset or replaced."""

from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from drivers.model import Codes, Equipment, Floats, Frame, Group, Indices, Kind, Point, Quality

UNSURE_SHARE = 0.01  # of the modulus: a rollover this close is believed without a maximum rate
RESET_SHARE = 0.05  # of the old reading: a new reading below it is a reset, without a maximum rate


class Step(IntEnum):
    """What the change from one reading to the next means."""

    ON = 0
    ROLLOVER = 1
    RESET = 2  # the register began again near zero
    REPLACEMENT = 3  # another register: a jump that neither consumption nor a rollover explains


def steps(
    before: Floats,
    now: Floats,
    elapsed_s: Floats,
    modulus: Floats | float = 0.0,
    max_per_s: Floats | float = np.inf,
) -> tuple[Floats, Codes]:
    """
    Increments and ``Step`` codes of readings, elementwise.

    ``elapsed_s`` is the time in which the counter can have run: since the reading last changed.
    A step that is no consumption (reset, replacement) has increment 0: nothing is invented. A
    rollover is believed only when it needs no more than the maximum rate and half the modulus.
    The elements may be points of one frame or readings of one point in time (``r[:-1], r[1:]``).
    """
    modulus = np.broadcast_to(np.asarray(modulus, dtype=np.float64), now.shape)
    with np.errstate(invalid="ignore"):
        allowed = np.multiply(max_per_s, elapsed_s) * (1 + 1e-9)
    bounded = np.isfinite(allowed)
    delta = now - before
    around = delta + modulus
    fits = np.where(bounded, np.minimum(allowed, modulus / 2), modulus * UNSURE_SHARE)
    rolled = (delta < 0) & (modulus > 0) & (around >= 0) & (around <= fits)
    went_on = (delta >= 0) & (delta <= np.where(bounded, allowed, np.inf))
    began = (delta < 0) & ~rolled & (now <= np.where(bounded, allowed, before * RESET_SHARE))
    codes = np.full(now.shape, Step.REPLACEMENT, dtype=np.uint8)
    codes[began] = Step.RESET
    codes[rolled] = Step.ROLLOVER
    codes[went_on] = Step.ON
    increments = np.where(went_on, delta, np.where(rolled, around, 0.0))
    return increments, codes


@dataclass(frozen=True, slots=True)
class CounterStep:
    """A step worth an event: a rollover, reset or replacement, or a bridged gap (``Step.ON``)."""

    point: Point
    step: Step
    before: float
    now: float
    before_ns: int
    now_ns: int
    increment: float
    ambiguous: bool = False  # the counter could have gone round unseen in that time


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """A frame with its counters judged; ``increments`` has one element per sample, NaN unknown."""

    frame: Frame
    increments: Floats
    bridged: Indices  # points whose increment reaches back over a gap
    steps: tuple[CounterStep, ...]


class Counters:
    """
    The counters of one group, from frame to frame.

    A reading that no rollover explains is not believed at once: it gets quality JUMP, and becomes
    a reset or replacement when the next reading agrees with it. So a single torn reading costs
    nothing, and the consumption since the last believed reading is never lost.
    """

    def __init__(self, group: Group, *, gap_s: float | None = None) -> None:
        points = group.points
        self.group = group
        self.where = np.array([i for i, p in enumerate(points) if p.quantity.kind is Kind.COUNTER])
        self.gap_ns = int(1e9 * (gap_s if gap_s is not None else max(60, 3 * group.interval_s)))
        n = len(points)
        self._is_counter = np.zeros(n, dtype=bool)
        if len(self.where):
            self._is_counter[self.where] = True
        self._modulus = np.array([p.counter_modulus for p in points])
        self._rate = np.array([p.counter_max_per_s for p in points])
        self._reading = np.full(n, np.nan)
        self._read_ns = np.zeros(n, dtype=np.int64)
        self._changed_ns = np.zeros(n, dtype=np.int64)
        self._odd = np.full(n, np.nan)  # a reading that waits to be confirmed
        self._odd_ns = np.zeros(n, dtype=np.int64)
        self._replaced = np.zeros(n, dtype=bool)  # by a meter of another number: see `replaced`
        self._odd_any = False  # of either: look closer

    def __len__(self) -> int:
        return len(self.where)

    def restore(self, readings: dict[str, tuple[float, int]]) -> None:
        """Continue from ``point id -> (reading, ns)``; points that are not named start anew."""
        for i in self.where:
            known = readings.get(self.group.points[i].id)
            if known is not None:
                self._reading[i], self._read_ns[i] = known
                self._changed_ns[i] = known[1]

    def readings(self) -> dict[str, tuple[float, int]]:
        """The last believed reading of each counter, as ``restore`` takes it."""
        return {
            self.group.points[i].id: (float(self._reading[i]), int(self._read_ns[i]))
            for i in self.where
            if not np.isnan(self._reading[i])
        }

    def replaced(self, equipment: Equipment) -> None:
        """Another device stands there: its next readings are no steps from the last ones."""
        for i in self.where:
            if self.group.points[i].equipment == equipment and not np.isnan(self._reading[i]):
                self._replaced[i] = self._odd_any = True

    def add(self, frame: Frame) -> Counted:
        """Judge the good readings of a frame and count what passed since the last ones."""
        increments = np.zeros(len(frame.values))
        noted: list[CounterStep] = []
        bridged: list[int] = []
        quality: Codes | None = None
        for samples in self._rounds(frame):
            points = samples if frame.index is None else frame.index[samples]
            times = (
                np.full(len(points), frame.slot_ns)
                if frame.times_ns is None
                else frame.times_ns[samples]
            )
            got, odd = self._round(points, frame.values[samples], times, noted, bridged)
            increments[samples] = got
            if len(odd):
                quality = frame.quality.copy() if quality is None else quality
                quality[samples[odd]] = Quality.JUMP
        if quality is not None:
            frame = replace(frame, quality=quality)
        return Counted(frame, increments, np.array(bridged, dtype=np.int64), tuple(noted))

    def _rounds(self, frame: Frame) -> list[Indices]:
        """Sample positions of good counter readings; each round has a point at most once."""
        if frame.index is None:
            if not frame.quality.any():
                return [self.where]
            return [self.where[frame.quality[self.where] == Quality.GOOD]]
        good = np.flatnonzero(self._is_counter[frame.index] & (frame.quality == Quality.GOOD))
        return [good[chosen] for chosen in rounds(frame.index[good])]

    def _round(
        self,
        points: Indices,
        now: Floats,
        times: Indices,
        noted: list[CounterStep],
        bridged: list[int],
    ) -> tuple[Floats, Indices]:
        """Take one reading per point; returns increments and which of them are odd."""
        before = self._reading[points]
        delta = now - before
        elapsed_s = (times - self._changed_ns[points]) * 1e-9 + self.group.interval_s
        plain = (delta >= 0) & (delta <= self._rate[points] * elapsed_s * (1 + 1e-9))
        late = times - self._read_ns[points] > self.gap_ns
        if plain.all() and not late.any() and not self._odd_any:
            self._accept(points, now, times, delta > 0)
            return delta, np.empty(0, dtype=np.int64)
        return self._careful(points, now, times, noted, bridged)

    def _accept(
        self, points: Indices, now: Floats, times: Indices, changed: npt.NDArray[np.bool_]
    ) -> None:
        self._changed_ns[points] = np.where(changed, times, self._changed_ns[points])
        self._reading[points] = now
        self._read_ns[points] = times

    def _careful(
        self,
        points: Indices,
        now: Floats,
        times: Indices,
        noted: list[CounterStep],
        bridged: list[int],
    ) -> tuple[Floats, Indices]:
        before, since = self._reading[points].copy(), self._changed_ns[points]
        elapsed_s: Floats = (times - since) * np.float64(1e-9) + self.group.interval_s
        increments, codes = steps(before, now, elapsed_s, self._modulus[points], self._rate[points])
        first = np.isnan(before)
        increments[first], codes[first] = np.nan, Step.ON
        codes[self._replaced[points]] = Step.REPLACEMENT
        odd = np.flatnonzero((codes == Step.RESET) | (codes == Step.REPLACEMENT))
        believed = np.ones(len(points), dtype=bool)
        for k in odd:
            step = self._confirm(points[k], float(now[k]), int(times[k]), Step(codes[k]))
            believed[k] = step is not None
            if step is not None:
                increments[k] = step.increment
                noted.append(step)
            else:
                increments[k] = 0.0
        usual = believed.copy()
        usual[odd] = False
        self._odd[points[usual]] = np.nan
        reach = times - self._read_ns[points]
        for k in np.flatnonzero(
            usual & ~first & ((reach > self.gap_ns) | (codes == Step.ROLLOVER))
        ):
            if reach[k] > self.gap_ns:
                bridged.append(int(points[k]))
            noted.append(
                self._noted(
                    int(points[k]),
                    Step(codes[k]),
                    float(now[k]),
                    int(times[k]),
                    float(increments[k]),
                )
            )
        self._accept(points[believed], now[believed], times[believed], (now != before)[believed])
        self._odd_any = bool((~np.isnan(self._odd)).any() or self._replaced.any())
        return increments, odd[~believed[odd]]

    def _confirm(self, i: int, now: float, now_ns: int, step: Step) -> CounterStep | None:
        """The step when an earlier odd reading agrees with this one; else this one waits."""
        if self._replaced[i]:
            self._replaced[i], self._odd[i] = False, np.nan
            return self._noted(i, Step.REPLACEMENT, now, now_ns, 0.0)
        odd, odd_ns = self._odd[i], int(self._odd_ns[i])
        elapsed_s = (now_ns - odd_ns) * 1e-9 + self.group.interval_s
        grown = now - odd
        agrees = 0 <= grown <= self._rate[i] * elapsed_s * (1 + 1e-9)
        if np.isnan(odd) or not agrees:
            self._odd[i], self._odd_ns[i] = now, now_ns
            return None
        self._odd[i] = np.nan
        ran_s = float(odd_ns - self._changed_ns[i]) * 1e-9 + self.group.interval_s
        known = steps(
            self._reading[i : i + 1],
            np.array([odd]),
            np.array([ran_s]),
            self._modulus[i : i + 1],
            self._rate[i : i + 1],
        )[1][0]
        step = Step(known) if known in {Step.RESET, Step.REPLACEMENT} else step
        return CounterStep(
            self.group.points[i],
            step,
            float(self._reading[i]),
            float(odd),
            int(self._read_ns[i]),
            odd_ns,
            float(grown),
        )

    def _noted(self, i: int, step: Step, now: float, now_ns: int, increment: float) -> CounterStep:
        """A rollover, or an increment over a gap, of a reading that was believed at once."""
        before_ns = int(self._read_ns[i])
        could_run = float(self._rate[i]) * (now_ns - before_ns) * 1e-9
        return CounterStep(
            self.group.points[i],
            step,
            float(self._reading[i]),
            now,
            before_ns,
            now_ns,
            increment,
            ambiguous=now_ns - before_ns > self.gap_ns and 0 < self._modulus[i] <= could_run,
        )


def rounds(index: Indices) -> list[Indices]:
    """Split positions so that each round names a point once, in order of arrival."""
    if not len(index):
        return []
    order = np.argsort(index, kind="stable")
    ordered = index[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    lengths = np.diff(np.r_[starts, len(ordered)])
    rank = np.arange(len(ordered)) - np.repeat(starts, lengths)
    return [np.sort(order[rank == r]) for r in range(int(rank.max()) + 1)]
