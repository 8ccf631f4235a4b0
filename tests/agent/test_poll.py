"""Polling on virtual time: slots, dead devices, overload, pace, clock steps."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import pairwise
from types import TracebackType
from typing import Self

import numpy as np
import pytest

from agent.edge.clock import ClockStep
from agent.edge.poll import Asked, Line
from agent.tally import DeviceTally
from drivers.model import Frame, Group, Mode, Quality, RefusedError, UnreachableError
from tests.agent.points import START_NS, group, point
from tests.agent.virtual_time import WallClock, run_virtual

SECOND = 10**9


class Plant:
    """A driver: each device answers after ``takes_s``, or times out while it is dead."""

    def __init__(self, wall: WallClock, takes_s: dict[str, float]) -> None:
        self.wall, self.takes_s = wall, takes_s
        self.dead: dict[str, float] = {}  # device -> time-out, s
        self.error: type[Exception] = UnreachableError
        self.reads: list[tuple[str, int, float]] = []  # device, slot, loop time
        self.busy = False
        self.lost: dict[int, int] = {}  # number of the read -> changes lost before it

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert not self.busy or kind is not None

    async def read(self, of: Group, slot_ns: int) -> Frame:
        assert not self.busy, "two reads at once on one line"
        self.busy = True
        name = of.device
        self.reads.append((name, slot_ns, asyncio.get_running_loop().time()))
        try:
            if name in self.dead:
                timeout_s = self.dead[name]
                await asyncio.sleep(timeout_s)
                raise self.error(f"timeout after {timeout_s} s")
            await asyncio.sleep(self.takes_s[name])
        finally:
            self.busy = False
        n, lost = len(of.points), self.lost.get(len(self.reads), 0)
        now_ns = self.wall.wall_ns()
        return Frame(of, slot_ns, now_ns, np.full(n, 4.0), np.zeros(n, np.uint8), lost=lost)


class Book:
    """A sink that remembers."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.said: list[tuple[str, ...]] = []
        self.steps: list[ClockStep] = []

    def frame(self, frame: Frame) -> None:
        self.frames.append(frame)

    def lost(self, device: str, since_ns: int, reason: str) -> None:
        self.said.append(("lost", device, reason))

    def back(self, device: str, at_ns: int) -> None:
        self.said.append(("back", device))

    def overload(self, device: str, since_ns: int, reason: str) -> None:
        self.said.append(("overload", device))

    def relieved(self, device: str, at_ns: int, skipped: int) -> None:
        self.said.append(("relieved", device, str(skipped)))

    def slots(self, device: str) -> list[int]:
        return [frame.slot_ns for frame in self.frames if frame.group.device == device]

    def good(self, device: str) -> int:
        return sum(f.group.device == device and not f.quality.any() for f in self.frames)


Script = Callable[[Plant, WallClock, Book], Awaitable[None]]


def poll(
    script: Script,
    devices: dict[str, float],
    *,
    interval_s: float = 1.0,
    asked: dict[str, Asked] | None = None,
    requests: int = 1,
    mode: Mode = "poll",
    begun_before_s: float = 0.0,
) -> tuple[Plant, Book, dict[str, DeviceTally]]:
    """Run one line of these devices (name -> seconds an answer takes) while the script lasts."""

    async def main() -> tuple[Plant, Book, dict[str, DeviceTally]]:
        wall, book = WallClock(), Book()
        plant = Plant(wall, devices)
        tallies = {name: DeviceTally() for name in devices}
        groups = tuple(
            (
                group(point(equipment=f"line1/{n}", mode=mode), device=n, interval_s=interval_s),
                requests,
            )
            for n in devices
        )
        known = {(asked or {}).get(n, Asked(n, 0.5)): tallies[n] for n in devices}
        line = Line(plant, known, groups, wall.timeline, book, jitter=lambda: 1.0)

        async def look() -> None:
            while True:
                step = wall.timeline.look()
                if step:
                    book.steps.append(step)
                await asyncio.sleep(0.5)

        looking = asyncio.create_task(look())
        if begun_before_s:
            line.begin()
            await asyncio.sleep(begun_before_s)
        polling = asyncio.create_task(line.run())
        await script(plant, wall, book)
        line.stop()
        await polling
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking
        return plant, book, tallies

    return run_virtual(main())


def seconds(count: float) -> Script:
    async def script(_plant: Plant, _wall: WallClock, _book: Book) -> None:
        await asyncio.sleep(count)

    return script


def every(slots: list[int], interval_ns: int) -> bool:
    return all(b - a == interval_ns for a, b in pairwise(slots))


def test_slots_are_whole_seconds_of_wall_time_and_none_is_missing() -> None:
    plant, book, tallies = poll(seconds(100), {"plc": 0.2})
    slots = book.slots("plc")
    assert slots[0] == START_NS
    assert len(slots) >= 99
    assert every(slots, SECOND)
    assert book.good("plc") == len(slots) == tallies["plc"].polls
    assert book.said == []
    assert tallies["plc"].late.quantile(0.99) <= 1
    late = [at * SECOND - (slot - START_NS) - SECOND // 2 for _, slot, at in plant.reads]
    assert max(late) < SECOND / 1000


def test_a_slow_device_skips_slots_and_says_so_and_never_queues() -> None:
    async def script(plant: Plant, _wall: WallClock, _book: Book) -> None:
        await asyncio.sleep(30)
        plant.takes_s["plc"] = 2.5
        await asyncio.sleep(30)
        plant.takes_s["plc"] = 0.1
        await asyncio.sleep(40)

    _plant, book, tallies = poll(script, {"plc": 0.1})
    slots = book.slots("plc")
    assert every(slots, SECOND), "each slot has exactly one frame, in order"
    skipped = [f for f in book.frames if (f.quality == Quality.OVERLOAD).all()]
    assert tallies["plc"].overload == len(skipped)
    assert 15 <= len(skipped) <= 21
    assert all(np.isnan(f.values).all() for f in skipped), "no stale values"
    assert [said[0] for said in book.said] == ["overload", "relieved"]
    assert book.said[1][2] == str(len(skipped))


def test_a_dead_device_is_told_once_and_comes_back() -> None:
    async def script(plant: Plant, _wall: WallClock, _book: Book) -> None:
        await asyncio.sleep(10)
        plant.dead["plc"] = 0.5
        await asyncio.sleep(120)
        plant.dead.clear()
        await asyncio.sleep(20)

    plant, book, _ = poll(script, {"plc": 0.1})
    assert every(book.slots("plc"), SECOND)
    assert [said[0] for said in book.said] == ["lost", "back"]
    tries = [r for r in plant.reads if 10 <= r[2] < 130]
    assert 20 <= len(tries) <= 40, "asked every few seconds, not each second"
    missing = [f for f in book.frames if f.quality.any()]
    assert all((f.quality == Quality.NO_DATA).all() for f in missing)
    assert {f.reason for f in missing} == {"timeout after 0.5 s"}
    assert len(missing) <= 126


def test_one_lost_answer_costs_one_slot() -> None:
    async def script(plant: Plant, _wall: WallClock, _book: Book) -> None:
        await asyncio.sleep(10.2)
        plant.dead["plc"] = 0.5
        await asyncio.sleep(1)
        plant.dead.clear()
        await asyncio.sleep(10)

    _, book, _ = poll(script, {"plc": 0.1})
    assert sum(bool(f.quality.any()) for f in book.frames) == 1


def test_a_dead_device_on_a_shared_line_does_not_delay_its_neighbours() -> None:
    async def script(plant: Plant, _wall: WallClock, _book: Book) -> None:
        await asyncio.sleep(10)
        plant.dead["b"] = 0.5
        await asyncio.sleep(300)
        plant.dead.clear()
        await asyncio.sleep(60)

    devices = dict.fromkeys("abcd", 0.05)
    plant, book, tallies = poll(script, devices)
    for name in "acd":
        assert every(book.slots(name), SECOND)
        assert book.good(name) == len(book.slots(name))
        assert tallies[name].overload == 0
    late = Counter(
        round(at - (slot - START_NS) / SECOND - 0.5)
        for name, slot, at in plant.reads
        if name != "b"
    )
    assert set(late) <= {0, 1}
    assert late[1] <= 2, "only the first time-out may push c and d, once"
    assert every(book.slots("b"), SECOND)
    assert [said[:2] for said in book.said] == [("lost", "b"), ("back", "b")]
    assert book.slots("b")[-1] == book.slots("a")[-1]
    probes = [r for r in plant.reads if r[0] == "b" and 11 < r[2] < 310]
    assert 8 <= len(probes) <= 20, "exponential back-off to half a minute"


def test_a_busy_shared_line_still_probes_now_and_then() -> None:
    async def script(plant: Plant, _wall: WallClock, _book: Book) -> None:
        plant.dead["b"] = 0.9
        await asyncio.sleep(200)
        plant.dead.clear()
        await asyncio.sleep(200)

    asked = {"b": Asked("b", 0.9)}
    _, book, _ = poll(script, {"a": 0.4, "b": 0.1}, asked=asked)
    assert ("back", "b") in book.said


def test_refused_is_asked_rarely() -> None:
    async def script(plant: Plant, _wall: WallClock, _book: Book) -> None:
        plant.dead["plc"], plant.error = 0.01, RefusedError
        await asyncio.sleep(300)

    plant, _, tallies = poll(script, {"plc": 0.1})
    assert len(plant.reads) <= 12
    assert tallies["plc"].errors["refused"] == len(plant.reads)


def test_a_driver_that_breaks_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    async def script(plant: Plant, _wall: WallClock, _book: Book) -> None:
        plant.dead["plc"], plant.error = 0.01, ZeroDivisionError
        await asyncio.sleep(10)
        plant.dead.clear()
        await asyncio.sleep(30)

    _, book, tallies = poll(script, {"plc": 0.1})
    assert tallies["plc"].errors["internal"] > 0
    assert [said[0] for said in book.said] == ["lost", "back"]
    assert "the driver failed" in caplog.text


def test_no_second_holds_more_requests_than_allowed() -> None:
    asked = {"plc": Asked("plc", 0.5, max_requests_per_s=10)}
    plant, book, tallies = poll(seconds(60), {"plc": 0.01}, interval_s=0.2, asked=asked, requests=4)
    times = [at for _, _, at in plant.reads]
    for at in times:
        assert sum(4 for other in times if at <= other < at + 1) <= 10
    assert len(times) >= 100
    assert tallies["plc"].overload > 100, "what the cap forbids is told"
    assert every(book.slots("plc"), SECOND // 5)


def test_a_subscription_skips_nothing() -> None:
    _, book, tallies = poll(seconds(30), {"plc": 2.2}, mode="subscribe")
    assert tallies["plc"].overload == 0
    assert not any(f.quality.any() for f in book.frames)


def test_changes_a_server_lost_are_counted_and_one_event() -> None:
    async def script(plant: Plant, _wall: WallClock, _book: Book) -> None:
        plant.lost = {5: 3, 7: 1, 40: 2}
        await asyncio.sleep(60)

    _, book, tallies = poll(script, {"plc": 0.1}, mode="subscribe")
    assert tallies["plc"].overload == 6
    told = [("overload", "plc"), ("relieved", "plc", "4")]
    assert book.said == [*told, ("overload", "plc"), ("relieved", "plc", "2")]


@pytest.mark.parametrize("step_s", [1.0, -1.0, 3600.0, -3600.0, 86400.0, -1.7e9])
def test_a_clock_step_makes_no_duplicate_and_swallows_no_slot(step_s: float) -> None:
    async def script(_plant: Plant, wall: WallClock, _book: Book) -> None:
        await asyncio.sleep(30)
        wall.step(step_s)
        await asyncio.sleep(60)

    _, book, tallies = poll(script, {"plc": 0.1})
    slots = book.slots("plc")
    assert len(set(slots)) == len(slots)
    assert slots == sorted(slots)
    (step,) = book.steps
    assert step.size_ns / 1e9 == pytest.approx(step_s, abs=0.01)
    assert step.followed == (step_s > 0)
    assert tallies["plc"].overload == 0, "a step is no overload"
    assert book.good("plc") == len(slots)
    assert len(slots) >= 90 * 0.95 - 2, "at most five per cent slower while it is drawn in"
    if step_s > 0:
        assert slots[-1] >= START_NS + (step_s + 85) * SECOND


def test_a_clock_set_wrong_and_right_again_leaves_no_scar() -> None:
    async def script(_plant: Plant, wall: WallClock, _book: Book) -> None:
        await asyncio.sleep(30)
        wall.step(86400)
        await asyncio.sleep(60)
        wall.step(-86400)
        await asyncio.sleep(30)

    _, book, _ = poll(script, {"plc": 0.1})
    slots = book.slots("plc")
    assert len(set(slots)) == len(slots)
    assert [step.followed for step in book.steps] == [True, True]
    assert slots[-1] == pytest.approx(START_NS + 119 * SECOND, abs=2 * SECOND)


def test_time_used_by_an_earlier_run_is_not_used_again() -> None:
    async def main() -> None:
        wall = WallClock(begin_ns=START_NS - 1000 * SECOND, floor_ns=START_NS)
        assert wall.timeline.now_ns() > START_NS
        assert wall.timeline.next_slot(wall.timeline.now_ns(), SECOND) > START_NS
        wall.step(1000)
        step = wall.timeline.look()
        assert step is None or not step.followed
        wall.step(5)
        await asyncio.sleep(1)
        step = wall.timeline.look()
        assert step is not None
        assert step.followed

    run_virtual(main())
