"""An event loop whose time jumps to the next timer: hours of polling in milliseconds, no races."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

from agent.edge.clock import Timeline
from tests.agent.points import START_NS

T = TypeVar("T")


class _Selector(selectors.SelectSelector):
    """Does not wait: moves the loop's time on by what it was asked to wait."""

    now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            return super().select(0.05)
        self.now_s += max(timeout, 0.0)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.virtual = _Selector()
        super().__init__(self.virtual)

    def time(self) -> float:
        return self.virtual.now_s


class WallClock:
    """A system clock that a test may set, and the gateway time that follows it."""

    def __init__(self, begin_ns: int = START_NS - 500_000_000, floor_ns: int = 0) -> None:
        self.begin_ns = begin_ns
        self.timeline = Timeline(self.wall_ns, self.mono_ns, floor_ns)

    def mono_ns(self) -> int:
        return round(asyncio.get_running_loop().time() * 1e9)

    def wall_ns(self) -> int:
        return self.begin_ns + self.mono_ns()

    def step(self, seconds: float) -> None:
        self.begin_ns += round(seconds * 1e9)


def run_virtual(work: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)
