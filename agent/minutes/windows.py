"""Frames → minutes of a group of points. Arrays over the points, no object per sample."""

from typing import TypedDict

import numpy as np

from agent.minutes.counters import Counted, rounds
from agent.minutes.window import Windows
from drivers.model import Codes, Floats, Frame, Group, Indices, Kind, Quality

__all__ = ["MINUTE_S", "MinuteState", "Minutes", "Windows"]

MINUTE_S = 60
HOLD_INTERVALS = 3
SECOND_NS = 1_000_000_000


class MinuteState(TypedDict):
    """An unfinished window as JSON, to go on after a restart."""

    points: list[str]
    start_ns: int
    arrays: dict[str, list[float]]
    lost: list[list[float]]
    words: dict[str, str]


_STATE = (
    *("mark", "alive", "held", "code", "total", "cover", "low", "high", "last"),
    *("reading", "increment", "count", "bridged"),
)
_EVERY = slice(None)


class Minutes:
    """
    Sums the frames of one group into windows.

    A good sample holds until the next sample of its point, at most ``hold_s`` (three intervals): a
    value never holds over a gap. In a subscription each frame, even an empty one, says that the
    session lives, and held values hold on. Sums are weighted in whole nanoseconds, so a minute
    that was good throughout has exactly the share 1, and a constant exactly itself as mean.
    """

    def __init__(
        self, group: Group, *, period_s: int = MINUTE_S, hold_s: float | None = None
    ) -> None:
        n = len(group.points)
        self.group = group
        self.period_s = period_s
        self.period_ns = period_s * SECOND_NS
        self.hold_ns = round(
            1e9 * (HOLD_INTERVALS * group.interval_s if hold_s is None else hold_s)
        )
        self.start_ns = 0  # 0: no frame yet
        self.late = 0  # samples that came after their window was closed
        self._counters = np.array(
            [p.quantity.kind is Kind.COUNTER for p in group.points], dtype=bool
        )
        self._counter_at = np.flatnonzero(self._counters)
        self._all = np.arange(n)
        self._mark = np.zeros(n, dtype=np.int64)  # time is accounted for up to here
        self._alive = np.zeros(n, dtype=np.int64)  # held value was known to be valid here
        self._held = np.zeros(n)
        self._code = np.full(n, Quality.NO_DATA, dtype=np.uint8)
        self._spare = np.empty(n)
        # While every point was good in every frame, one number stands for a whole array:
        self._uniform = False
        self._mark_ns = 0
        self._seen_ns = 0
        self._open(0)

    def _open(self, start_ns: int) -> None:
        n = len(self._all)
        self.start_ns = start_ns
        self._mark_ns = max(self._mark_ns, start_ns)
        self._cover_all = 0
        self._count_all = 0
        self._carry = True
        np.maximum(self._mark, start_ns, out=self._mark)
        self._total = np.zeros(n)
        self._cover = np.zeros(n)
        self._lost = np.zeros((len(Quality), n))
        self._low = np.full(n, np.nan)
        self._high = np.full(n, np.nan)
        self._last = np.full(n, np.nan)
        self._reading = np.full(n, np.nan)
        self._increment = np.full(n, np.nan)
        self._bridged = np.zeros(n, dtype=bool)
        self._count = np.zeros(n, dtype=np.int64)
        self._words: dict[int, bytes] = {}

    @property
    def end_ns(self) -> int:
        return self.start_ns + self.period_ns

    # --- samples in

    def add(self, frame: Frame, counted: Counted | None = None) -> list[Windows]:
        """Take one frame; returns the windows it closed (those that end at or before it)."""
        if not self.start_ns:
            self._open(frame.slot_ns - frame.slot_ns % self.period_ns)
            self._mark_ns = self.start_ns
        if frame.index is not None:
            return self._add_sparse(frame, counted)
        if frame.slot_ns < self.start_ns:
            self.late += len(frame.values)
            return []
        closed: list[Windows] = []
        if frame.slot_ns >= self.end_ns:
            if frame.slot_ns == self.end_ns:  # the reading at the end is the minute's last
                self._count_dense(frame, counted)
                counted = None
            closed = self._close_before(frame.slot_ns)
            if frame.slot_ns == self.start_ns:
                self._take_dense(frame)
                return closed
        self._count_dense(frame, counted)
        self._take_dense(frame)
        return closed

    def _take_dense(self, frame: Frame) -> None:
        good = not frame.quality.any()
        if good and self._uniform and frame.slot_ns - self._seen_ns <= self.hold_ns:
            values, took_ns = frame.values, frame.slot_ns - self._mark_ns
            if took_ns > 0:
                np.multiply(self._held, took_ns, out=self._spare)
                self._total += self._spare
                self._cover_all += took_ns
                if self._carry:
                    self._keep_extremes(self._held)
                self._mark_ns = frame.slot_ns
            self._seen_ns = max(frame.slot_ns, self._seen_ns)
            self._carry = False
            self._keep_extremes(values)
            self._held = values
            self._count_all += 1
            return
        self._spread()
        self._take(_EVERY, frame.slot_ns, frame.values, frame.quality)
        if good:
            self._uniform, self._carry = True, False
            self._mark_ns = self._seen_ns = max(frame.slot_ns, self._seen_ns)

    def _keep_extremes(self, values: Floats) -> None:
        np.fmin(self._low, values, out=self._low)
        np.fmax(self._high, values, out=self._high)

    def _spread(self) -> None:
        """From one number for all points to an array of them."""
        if self._uniform:
            self._mark[:] = self._mark_ns
            self._alive[:] = self._seen_ns
            self._code[:] = Quality.GOOD
            if self._count_all:
                self._last = self._held.copy()
            self._held = self._held.copy()
            self._uniform = False
        self._cover += self._cover_all
        self._count += self._count_all
        self._cover_all = self._count_all = 0

    def _take(
        self, points: Indices | slice, at_ns: int | Indices, values: Floats, codes: Codes
    ) -> None:
        """Samples of different points; ``at_ns`` is one time or one per sample."""
        self._advance(points, at_ns)
        good = codes == Quality.GOOD
        shown = np.where(good, values, np.nan)
        self._held[points] = np.where(good, values, 0.0)
        self._code[points] = codes
        self._alive[points] = at_ns
        self._low[points] = np.fmin(self._low[points], shown)
        self._high[points] = np.fmax(self._high[points], shown)
        self._last[points] = np.where(good, values, self._last[points])
        self._count[points] += good

    def _advance(self, points: Indices | slice, to_ns: int | Indices) -> None:
        """Account for the time of each point up to ``to_ns`` by what it held."""
        mark = self._mark[points]
        until = np.minimum(to_ns, self._alive[points] + self.hold_ns)
        took = np.maximum(until - mark, 0).astype(np.float64)
        self._mark[points] = np.maximum(mark, to_ns)
        good = self._code[points] == Quality.GOOD
        if not good.all():
            bad = self._all[points][~good]
            self._lost[self._code[bad], bad] += took[~good]
            took[~good] = 0.0
        held = self._held[points]
        self._total[points] += held * took
        self._cover[points] += took
        carried = np.where(took > 0, held, np.nan)
        self._low[points] = np.fmin(self._low[points], carried)
        self._high[points] = np.fmax(self._high[points], carried)
        last = self._last[points]
        self._last[points] = np.where(np.isnan(last), carried, last)

    def _add_sparse(self, frame: Frame, counted: Counted | None) -> list[Windows]:
        assert frame.index is not None and frame.times_ns is not None  # noqa: S101, PT018 - sparse frames have both
        self._spread()
        closed: list[Windows] = []
        times = np.maximum(frame.times_ns, self.start_ns)
        self.late += int((frame.times_ns < self.start_ns).sum())
        increments = None if counted is None else counted.increments.copy()
        sure_ns = frame.complete_ns or frame.slot_ns  # what is younger may still come later
        newest = max(sure_ns, int(times.max(initial=0)))
        rest = np.arange(len(times))
        self._live(sure_ns)
        while newest >= self.end_ns:
            end_ns, at = self.end_ns, times[rest]
            self._take_sparse(frame, rest[at < end_ns], times)
            self._count_sparse(frame, rest[at <= end_ns], increments, counted)
            if increments is not None:
                increments[rest[at == end_ns]] = 0.0  # they belong to the window that ends here
            rest = rest[at >= end_ns]
            closed += self._close_before(end_ns)
        self._take_sparse(frame, rest, times)
        self._count_sparse(frame, rest, increments, counted)
        return closed

    def _take_sparse(self, frame: Frame, samples: Indices, times: Indices) -> None:
        assert frame.index is not None  # noqa: S101 - only called for sparse frames
        for chosen in rounds(frame.index[samples]):
            at = samples[chosen]
            self._take(frame.index[at], times[at], frame.values[at], frame.quality[at])
            self._live(frame.complete_ns or frame.slot_ns)

    def _live(self, now_ns: int) -> None:
        """The session was alive at ``now_ns``: what is held was still so."""
        np.maximum(self._alive, now_ns, out=self._alive, where=self._alive > 0)

    # --- counters

    def _count_dense(self, frame: Frame, counted: Counted | None) -> None:
        if frame.words:
            self._words.update(frame.words)
        if counted is None or not len(self._counter_at):
            return
        at = self._counter_at
        if frame.quality.any():
            at = at[frame.quality[at] == Quality.GOOD]
        self._count_in(at, counted.increments[at], frame.values[at])
        self._bridged[counted.bridged] = True

    def _count_sparse(
        self,
        frame: Frame,
        samples: Indices,
        increments: Floats | None,
        counted: Counted | None,
    ) -> None:
        if counted is None or increments is None or frame.index is None:
            return
        good = (frame.quality[samples] == Quality.GOOD) & self._counters[frame.index[samples]]
        samples = samples[good]
        for chosen in rounds(frame.index[samples]):
            at = samples[chosen]
            self._count_in(frame.index[at], increments[at], frame.values[at])
        self._bridged[np.intersect1d(counted.bridged, frame.index[samples])] = True

    def _count_in(self, points: Indices, increments: Floats, readings: Floats) -> None:
        before = self._increment[points]
        known = np.where(np.isnan(before), increments, before + increments)
        self._increment[points] = np.where(np.isnan(increments), before, known)
        self._reading[points] = readings

    # --- windows out

    def close_until(self, now_ns: int, grace_ns: int) -> list[Windows]:
        """Close what ended ``grace_ns`` ago though no later frame came."""
        closed: list[Windows] = []
        while self.start_ns and self.end_ns + grace_ns <= now_ns and not self._silent():
            closed.append(self.close())
        return closed

    def _silent(self) -> bool:
        """Nothing holds into this window and nothing came: there is nothing to say about it."""
        if self._uniform:
            return not self._count_all and self._seen_ns + self.hold_ns <= self.start_ns
        newest = int(self._alive.max(initial=0))
        return newest < self.start_ns and newest + self.hold_ns <= self.start_ns

    def _close_before(self, at_ns: int) -> list[Windows]:
        """Close each window that ends at or before ``at_ns``; skip those without any frame."""
        closed: list[Windows] = []
        while self.end_ns <= at_ns:
            if self._silent():
                self._spread()
                self._open(at_ns - at_ns % self.period_ns)
            else:
                closed.append(self.close())
        return closed

    def close(self) -> Windows:
        """The window under way, closed at its end whatever the time is."""
        uniform, end_ns = self._uniform, self.end_ns
        self._spread()
        self._advance(_EVERY, end_ns)
        windows = self._windows()
        self._open(end_ns)
        if uniform and self._seen_ns + self.hold_ns >= end_ns:
            self._uniform, self._mark_ns = True, end_ns
        return windows

    def _windows(self) -> Windows:
        cover, total = self._cover, self._total
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.where(cover > 0, total / cover, self._last)
        mean = np.clip(mean, self._low, self._high)
        mean = np.where((self._count == 0) & (cover == 0), np.nan, mean)
        last = np.where(self._counters, self._reading, self._last)
        good = cover / self.period_ns
        self._lost[Quality.NO_DATA] += np.maximum(
            self.period_ns - cover - self._lost.sum(axis=0), 0
        )
        main = self._lost.argmax(axis=0).astype(np.uint8)
        reason = np.where((good < 1) | self._bridged, main, Quality.GOOD).astype(np.uint8)
        reason[self._bridged & (reason == Quality.GOOD)] = Quality.NO_DATA
        return Windows(
            self.group.points,
            self.start_ns,
            self.period_s,
            np.where(self._counters, np.nan, mean),
            np.where(self._counters, np.nan, self._low),
            np.where(self._counters, np.nan, self._high),
            last,
            self._increment,
            self._count,
            good,
            reason,
            self._words,
        )

    # --- over a restart

    def state(self) -> MinuteState:
        """The unfinished window, for ``restore``."""
        self._spread()
        return {
            "points": [point.id for point in self.group.points],
            "start_ns": self.start_ns,
            "arrays": {name: getattr(self, f"_{name}").tolist() for name in _STATE},
            "lost": self._lost.tolist(),
            "words": {str(i): words.hex() for i, words in self._words.items()},
        }

    def restore(self, state: MinuteState) -> int:
        """
        Go on with a saved window; returns for how many points of this group it spoke.

        Points are found by name, so that a changed point table loses nothing. A window other than
        the one already under way is refused.
        """
        names = {point.id: i for i, point in enumerate(self.group.points)}
        pairs = [(i, names[name]) for i, name in enumerate(state["points"]) if name in names]
        if not pairs or not state["start_ns"] or self.start_ns not in {0, state["start_ns"]}:
            return 0
        self._spread()
        self.start_ns = state["start_ns"]
        source, target = (np.array(side, dtype=np.int64) for side in zip(*pairs, strict=True))
        for name in _STATE:
            array = getattr(self, f"_{name}")
            array[target] = np.array(state["arrays"][name])[source].astype(array.dtype)
        lost = np.array(state["lost"])  # has fewer rows when it was written before a new Quality
        self._lost[: len(lost), target] = lost[:, source]
        words = {int(i): bytes.fromhex(text) for i, text in state["words"].items()}
        self._words |= {new: words[old] for old, new in pairs if old in words}
        return len(pairs)
