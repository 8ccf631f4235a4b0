"""What becomes of a frame: quality, counters, window, raw lines. One GroupPipeline per group."""

from dataclasses import dataclass
from typing import NamedTuple

from agent.minutes.counters import Counters, CounterStep
from agent.minutes.quality import Judge
from agent.minutes.windows import Minutes, MinuteState, Windows
from agent.wire.encode import FrameEncoder, WindowEncoder
from drivers.model import Frame, Group


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

    def close_until(self, now_ns: int, grace_ns: int) -> list[Closed]:
        """Minutes that are over though no later frame came."""
        closed = self.minutes.close_until(now_ns, grace_ns)
        return [Closed(windows, self._record.encode(windows)) for windows in closed]

    def state(self) -> MinuteState:
        return self.minutes.state()

    def part(self, windows: Windows, points: list[int]) -> bytes:
        """Record lines of some points only (those that a new config no longer reads)."""
        return WindowEncoder(self._plant, [self.group.points[i] for i in points]).encode(
            windows.only(points)
        )
