"""What becomes of a frame: quality, counters, window, raw lines. One GroupPipeline per group."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from agent.minutes.counters import Counters, CounterStep
from agent.minutes.quality import Judge
from agent.minutes.windows import Minutes, MinuteState, Windows
from agent.wire.encode import FrameEncoder, WindowEncoder
from drivers.model import Frame, Group, Kind, Quality, Summary

_MOST_ENCODERS = 64  # of summaries with other points or periods


class Closed(NamedTuple):
    """A minute that is over, and its record lines."""

    windows: Windows
    lines: bytes


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """Of one frame: its judged form, its raw lines, and what happened."""

    frame: Frame
    raw: bytes
    closed: tuple[Closed, ...]  # the minutes it closed
    steps: tuple[CounterStep, ...]


class GroupPipeline:
    """The state that one group carries from frame to frame."""

    def __init__(self, plant: str, gateway: str, group: Group) -> None:
        self.group = group
        self.minutes = Minutes(group)
        self.counters = Counters(group)
        self._judge = Judge(group)
        self._raw = FrameEncoder(plant, gateway, group)
        self._record = WindowEncoder(plant, group.points)
        self._plant = plant
        self._summed: dict[tuple[int, bytes], WindowEncoder] = {}

    def take(self, frame: Frame) -> Outcome:
        """Everything that follows from one frame, in order."""
        frame = self._judge.judge(frame)
        counted = None
        if len(self.counters):
            counted = self.counters.add(frame)
            frame = counted.frame
        closed = self.minutes.add(frame, counted)
        return Outcome(
            frame,
            self._raw.encode(frame),
            tuple(Closed(windows, self._record.encode(windows)) for windows in closed),
            counted.steps if counted else (),
        )

    def reported(self, frame: Frame) -> Iterator[bytes]:
        """Record lines of what the device itself summed up: windows of its own periods."""
        for summary in frame.summaries:
            windows = self._windows(summary)
            key = summary.period_s, summary.index.tobytes()
            encoder = self._summed.get(key)
            if encoder is None:
                if len(self._summed) >= _MOST_ENCODERS:
                    self._summed.clear()
                encoder = WindowEncoder(self._plant, windows.points, summary.period_s)
                self._summed[key] = encoder
            yield encoder.encode(windows)

    def _windows(self, summary: Summary) -> Windows:
        """A value that is not good keeps its figure, and has no good sample."""
        points = tuple(self.group.points[i] for i in summary.index)
        times = np.full(len(points), summary.start_ns)
        said = Frame(
            *(self.group, summary.start_ns, summary.start_ns, summary.values, summary.quality),
            index=summary.index,
            times_ns=times,
        )
        judged = self._judge.judge(said)
        values, good = judged.values, judged.quality == Quality.GOOD
        counts = np.array([point.quantity.kind is Kind.COUNTER for point in points], dtype=bool)
        mean = np.where(counts, np.nan, values)
        words = {k: summary.words[i] for k, i in enumerate(summary.index) if i in summary.words}
        return Windows(
            points,
            summary.start_ns,
            summary.period_s,
            mean,
            np.where(np.isnan(summary.low), mean, summary.low),
            np.where(np.isnan(summary.high), mean, summary.high),
            mean,
            np.where(counts, values, np.nan),
            good.astype(np.int64),
            good.astype(np.float64),
            judged.quality,
            words,
        )

    def close_until(self, now_ns: int, grace_ns: int) -> list[Closed]:
        """Minutes that are over though no later frame came."""
        closed = self.minutes.close_until(now_ns, grace_ns)
        return [Closed(windows, self._record.encode(windows)) for windows in closed]

    def break_off(self) -> list[Closed]:
        """The minute under way as far as it came: time goes back to before it."""
        if not self.minutes.start_ns:
            return []
        windows = self.minutes.close()
        self.minutes = Minutes(self.group)
        return [Closed(windows, self._record.encode(windows))]

    def state(self) -> MinuteState:
        return self.minutes.state()

    def part(self, windows: Windows, points: list[int]) -> bytes:
        """Record lines of some points only (those that a new config no longer reads)."""
        return WindowEncoder(self._plant, [self.group.points[i] for i in points]).encode(
            windows.only(points)
        )
