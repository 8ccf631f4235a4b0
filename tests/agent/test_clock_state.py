"""What the kernel says of its clock, and what becomes of it; clocks of devices beside ours."""

import asyncio
import ctypes
from pathlib import Path

import numpy as np
import pytest

from agent.edge import clock_state, clock_told
from agent.edge.clock_state import ClockState, ClockWatch, KernelClock, LastLock, kernel_clock
from agent.edge.device_clock import DeviceClocks
from agent.wire.events import Event, EventBook
from drivers.model import Frame
from tests.agent.points import MINUTE_NS, START_NS, group, point
from tests.agent.time_bench import SYNCED, UNSYNCED, Run, World, run

SECOND = 10**9
OF = group(point("heat.flow", "line1/boiler1"), point("heat.flow", "line1/boiler2"))


def test_the_kernel_is_asked_and_nothing_is_set() -> None:
    assert ctypes.sizeof(clock_state._Timex) == 208, "struct timex of 64-bit Linux"
    before, told, after = kernel_clock(), kernel_clock(), kernel_clock()
    assert before.synced == told.synced == after.synced
    assert told.maxerror_ns is not None
    assert 0 <= told.maxerror_ns <= 17 * SECOND
    assert bool(told.source) == told.synced
    assert len(clock_state.boot_id()) == clock_state.BOOT_DIGITS
    assert clock_state.boottime_ns() > 0


@pytest.mark.parametrize(("zh", "word"), [(True, "未同步"), (False, "not synchronised")])
def test_an_engineer_is_told_of_an_unsynced_clock(
    monkeypatch: pytest.MonkeyPatch, zh: bool, word: str
) -> None:
    monkeypatch.setenv("SMELTER_LANG", "zh" if zh else "en")
    monkeypatch.setattr(clock_told, "kernel_clock", lambda: UNSYNCED)
    assert word in clock_told.here_unsynced()
    monkeypatch.setattr(clock_told, "kernel_clock", lambda: SYNCED)
    assert clock_told.here_unsynced() == ""


class Asked:
    """A kernel and a monotonic clock that a test sets."""

    def __init__(self) -> None:
        self.kernel, self.mono_ns = SYNCED, 0

    def watch(self, last: LastLock | None = None) -> ClockWatch:
        return ClockWatch(lambda: self.kernel, lambda: self.mono_ns, last)


def test_locked_then_holdover_then_unsynced() -> None:
    """20 ms known at the lock; 500 ppm: 16 s − 0.02 s are used up after 31,960 s."""
    asked = Asked()
    watch = asked.watch()
    assert watch.look().state is ClockState.LOCKED
    asked.kernel, asked.mono_ns = UNSYNCED, 31_960 * SECOND
    assert watch.look().state is ClockState.HOLDOVER
    asked.mono_ns = 31_961 * SECOND
    assert watch.look().state is ClockState.UNSYNCED


def test_an_error_of_a_second_is_still_locked() -> None:
    asked = Asked()
    asked.kernel = KernelClock(True, 0, SECOND, "chrony")
    assert asked.watch().look().state is ClockState.LOCKED
    asked.kernel = KernelClock(True, 0, SECOND + 1, "chrony")
    assert asked.watch().look().state is ClockState.HOLDOVER


def test_a_clock_set_by_hand_is_no_longer_held_over() -> None:
    asked = Asked()
    watch = asked.watch()
    watch.look()
    asked.kernel = UNSYNCED
    assert watch.look().state is ClockState.HOLDOVER
    assert watch.look(stepped=True).state is ClockState.UNSYNCED


def test_what_an_earlier_run_of_this_boot_knew_holds() -> None:
    asked = Asked()
    asked.kernel, asked.mono_ns = UNSYNCED, 1000 * SECOND
    assert asked.watch(LastLock(0, 0)).look().state is ClockState.HOLDOVER
    assert asked.watch().look().state is ClockState.UNSYNCED


def test_a_broken_clock_file_is_no_reason_not_to_start(tmp_path: Path) -> None:
    async def a_minute(_world: World) -> None:
        await asyncio.sleep(60)

    (tmp_path / "clock.json").write_text('{"good_ns": "x"')
    done = run(Run(tmp_path), World(), a_minute)
    assert len(done.slots) == 59


# --- clocks of devices


class Devices:
    """Frames of one device, a second apart, and the events and lines that follow."""

    def __init__(self) -> None:
        self.clocks = DeviceClocks("demo", "gw1", EventBook())
        self.at_ns = START_NS
        self.events: list[Event] = []
        self.lines: list[str] = []

    def serve(self, seconds: int, wrong_s: float = 0.0, frozen_ns: int = 0) -> None:
        for _ in range(seconds):
            self.at_ns += SECOND
            stamp = frozen_ns or self.at_ns + round(wrong_s * SECOND)
            value = float(self.at_ns % (97 * SECOND))
            frame = Frame(
                *(OF, self.at_ns, self.at_ns + 2_000_000),
                np.array([value, 4.0]),
                np.zeros(2, np.uint8),
                device_ns=np.array([stamp, START_NS - 3600 * SECOND]),
            )
            self.clocks.take(frame)
            for events, line in self.clocks.passed(self.at_ns):
                self.events += events
                self.lines += [line.decode()] if line else []


def test_a_right_clock_is_written_each_minute_and_no_event() -> None:
    devices = Devices()
    devices.serve(185)
    assert not devices.events, "a value at rest keeps its stamp: that is no wrong clock"
    assert devices.lines[0].startswith(
        "device_1m,plant=demo,line=gw1,unit=plc clock_offset=-0.002,"
    )
    assert devices.lines[0].endswith(f" {START_NS}")
    assert len(devices.lines) == 3


@pytest.mark.parametrize("wrong_s", [3600.0, -3600.0, 11.0])
def test_a_clock_that_is_off_is_an_event_within_ten_minutes(wrong_s: float) -> None:
    devices = Devices()
    devices.serve(125, wrong_s)
    (event,) = devices.events
    assert event.kind == "device_clock"
    assert f"{wrong_s - 0.002:+.1f} s" in event.text or f"{wrong_s - 0.002:+.1f} 秒" in event.text
    assert devices.at_ns - START_NS < 600 * SECOND
    devices.serve(65, -7200.0)
    devices.serve(130, 0.0)
    assert devices.events[-1].id == event.id
    assert devices.events[-1].end_ns is not None


def test_ten_seconds_are_not_yet_an_event() -> None:
    devices = Devices()
    devices.serve(300, 10.0)
    assert not devices.events


def test_a_clock_that_runs_backwards_is_an_event() -> None:
    devices = Devices()
    devices.serve(70)
    devices.serve(60, -5.0)
    (event,) = devices.events
    assert event.amount == pytest.approx(-4.0), "5 s back, 1 s on"
    assert event.end_ns == event.start_ns + MINUTE_NS


def test_a_frozen_clock_is_an_event_within_ten_minutes() -> None:
    devices = Devices()
    devices.serve(60)
    devices.serve(400, frozen_ns=devices.at_ns)
    (event,) = devices.events
    assert event.end_ns is None
    assert devices.at_ns - START_NS < 600 * SECOND
    devices.serve(70)
    assert devices.events[-1].end_ns is not None


def test_a_device_without_its_own_time_is_left_alone() -> None:
    clocks = DeviceClocks("demo", "gw1", EventBook())
    clocks.take(Frame(OF, START_NS, START_NS, np.ones(2), np.zeros(2, np.uint8)))
    assert not list(clocks.passed(START_NS + 10 * MINUTE_NS))
