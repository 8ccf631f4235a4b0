"""B6 and B9: devices that fall silent or stand still, and what the poller asks of a device."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import uvloop

from agent.edge.clock import Timeline
from agent.edge.poll import Line, asked_of, requests_of
from agent.minutes.quality import Judge
from agent.tally import DeviceTally
from drivers.config import DeviceConfig
from drivers.modbus.driver import ModbusDriver
from drivers.model import Equipment, Frame, Group, Point, Quality
from drivers.points import group_points
from drivers.quantities import quantities
from tests.agent.test_poll import Book
from tests.drivers.opponent import Asked, Opponent, Script, register
from tests.reliability.cases import Outcome, Setting, case

PERIOD_S, STUCK_S = 0.5, 2.0
FROZEN, SILENT_S, GAP = 3, 3.0, 40
LIMIT, STORM_S = 10, 8.0


@dataclass
class Device(Opponent):
    """An opponent that can freeze one register, hang up on everybody, and keeps its hours."""

    frozen: bool = False
    rude: bool = False  # ends every connection at once
    at_s: list[float] = field(default_factory=list)  # of each request
    connected_s: list[float] = field(default_factory=list)
    open: int = 0
    open_most: int = 0

    def good(self, asked: Asked) -> bytes:
        reply = bytearray(super().good(asked))
        place = 3 + 2 * (FROZEN - asked.address)
        if self.frozen and asked.function == 3 and 3 <= place < len(reply) - 1:
            reply[place : place + 2] = register(asked.unit, 3, FROZEN, 0).to_bytes(2, "big")
        return bytes(reply)

    def _received(self, data: bytes) -> None:
        before = len(self.asked)
        super()._received(data)
        self.at_s += [time.monotonic()] * (len(self.asked) - before)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connected_s.append(time.monotonic())
        if self.rude:
            self._served[asyncio.current_task()] = writer
            writer.transport.abort()
            return
        self.open += 1
        asyncio.get_running_loop().call_later(0.02, self._count)  # the end of the last one is read
        try:
            await super()._serve(reader, writer)
        finally:
            self.open -= 1

    def _count(self) -> None:
        self.open_most = max(self.open_most, self.open)


def in_one_second(times: list[float]) -> int:
    """The most events in any second that begins with an event."""
    most = first = 0
    for last, at in enumerate(times):
        while at - times[first] >= 1.0:
            first += 1
        most = max(most, last - first + 1)
    return most


def points_at(addresses: range, stuck_s: float = 0.0) -> list[Point]:
    """Voltages 0.0001 V apart; between any two of a second block lie registers of others."""
    voltage = quantities()["pot.voltage"]
    return [
        Point(
            Equipment("line1", f"p{at}"), voltage, "plc", f"holding:{at}", "uint16",
            scale=0.0001, interval_s=PERIOD_S, stuck_after_s=stuck_s,
        )
        for at in addresses
    ]  # fmt: skip


def config_of(device: Device, **more: object) -> DeviceConfig:
    return DeviceConfig.model_validate(
        {"name": "plc", "driver": "modbus-tcp", "address": device.address, "timeout_s": 0.1}
        | {"points": "table.csv", "bridge_gap": 0}
        | more
    )


@asynccontextmanager
async def polled(config: DeviceConfig, group: Group) -> AsyncIterator[Book]:
    """The poller of the gateway asks the device while entered."""
    book = Book()
    driver = ModbusDriver((config,), (group,))
    groups = ((group, requests_of(config, group)),)
    line = Line(driver, {asked_of(config): DeviceTally()}, groups, Timeline(), book)
    task = asyncio.create_task(line.run())
    try:
        yield book
    finally:
        line.stop()
        await task


# --- B6


async def gone(way: str) -> tuple[float, int]:
    """Seconds from the last answer to the first frame that says so; good frames after that."""
    async with Device("tcp") as device:
        (group,) = group_points(points_at(range(8)))
        async with polled(config_of(device), group) as book:
            await asyncio.sleep(3 * PERIOD_S)
            device.script = lambda _asked: way if way != "rude" else "close"
            device.rude = way == "rude"
            since = len(device.asked)
            await asyncio.sleep(SILENT_S)
            until_ns = time.time_ns()
            device.script, device.rude = (lambda _asked: "good"), False
            asked = len(device.asked) - since
            await asyncio.sleep(7.0 if way == "rude" else 4.0)
            frames = book.frames
    assert asked or way == "rude"
    good = [frame for frame in frames if not frame.quality.any()]
    before = [frame for frame in good if frame.slot_ns < until_ns - SILENT_S * 1e9]
    bad = [frame for frame in frames if (frame.quality == Quality.NO_DATA).all()]
    assert before, "never answered"
    assert good[-1].slot_ns > until_ns, "not back"
    said_s = (bad[0].read_ns - before[-1].slot_ns) / 1e9
    wrong = sum(bad[0].slot_ns <= frame.slot_ns < until_ns - 1e8 for frame in good)
    return said_s, wrong


async def stands_still() -> tuple[float, int]:
    """Seconds until the frozen value is called stuck; other values that were called so."""
    async with Device("tcp") as device:

        def script(asked: Asked) -> str:
            device.cycle = asked.number
            return "good"

        device.script = script
        (group,) = group_points(points_at(range(8), STUCK_S))
        async with polled(config_of(device), group) as book:
            await asyncio.sleep(3 * PERIOD_S)
            device.frozen = True
            begun_ns = time.time_ns()
            await asyncio.sleep(STUCK_S + 4 * PERIOD_S)
        judge = Judge(group)
        judged = [judge.judge(frame) for frame in book.frames]
    stuck = [frame for frame in judged if frame.quality[FROZEN] == Quality.STUCK]
    assert stuck, "never called stuck"
    others = sum(_stuck_others(frame) for frame in judged)
    return (stuck[0].slot_ns - begun_ns) / 1e9, others


def _stuck_others(frame: Frame) -> int:
    return sum(int(code) == Quality.STUCK for i, code in enumerate(frame.quality) if i != FROZEN)


async def all_gone(times: int) -> tuple[list[tuple[float, int]], list[tuple[float, int]]]:
    """All ways side by side, again and again."""
    gone_found: list[tuple[float, int]] = []
    still_found: list[tuple[float, int]] = []
    for _ in range(times):
        async with asyncio.TaskGroup() as tasks:
            ways = ("silent", "close", "rude", "half", "exception11")
            left = [tasks.create_task(gone(way)) for way in ways]
            still = [tasks.create_task(stands_still()) for _ in range(2)]
        gone_found += [task.result() for task in left]
        still_found += [task.result() for task in still]
    return gone_found, still_found


@case(
    "B6",
    fault="device gone, or one value frozen while others move",
    procedure=f"poller every {PERIOD_S} s; the device falls silent, hangs up, refuses, answers by "
    f"halves or by exception 11; one register stands still (stuck_after_s = {STUCK_S:g})",
    mark="no_data within 2 periods and never the last value as good; stuck flagged within "
    "stuck_after_s and two periods, nothing else flagged",
)
def absent(setting: Setting) -> Outcome:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            left, still = runner.run(all_gone(setting.size(cut=1, full=8)))
        except ExceptionGroup:  # a machine that paused for seconds; a defect comes again
            left, still = runner.run(all_gone(setting.size(cut=1, full=8)))
    said_s, late = max(said for said, _ in left), max(flagged for flagged, _ in still)
    good, others = sum(wrong for _, wrong in left), sum(wrong for _, wrong in still)
    passed = said_s <= 2 * PERIOD_S and late <= STUCK_S + 2 * PERIOD_S and not good and not others
    return Outcome(
        passed,
        f"{len(left)} times gone: told after at most {said_s / PERIOD_S:.2f} periods, {good} good "
        f"frames in between; {len(still)} times frozen: flagged after at most {late:.2f} s, "
        f"{others} other values flagged",
    )


# --- B9


def storm(seed: int, device: Device) -> Script:
    """Spells of good answers, of silence, of hanging up, of nonsense."""
    dice = random.Random(seed)
    spell: list[Callable[[], str]] = []

    def script(_asked: Asked) -> str:
        if not spell:
            what = dice.choice(("good", "good", "silent", "close", "garbage", "half", "exception6"))
            spell.extend([lambda: what] * dice.randrange(1, 300 if what == "good" else 6))
            device.rude = dice.random() < 0.1
            asyncio.get_running_loop().call_later(dice.random() * 3, _polite, device)
        return spell.pop()()

    return script


def _polite(device: Device) -> None:
    device.rude = False


async def loaded(seed: int, seconds: float) -> tuple[int, int, int, int]:
    """Requests, the most in a second, connections in a second, connections open at once."""
    async with Device("tcp") as device:
        device.script = storm(seed, device)
        apart = [point for k in range(8) for point in points_at(range(GAP * k, GAP * k + 5))]
        (group,) = group_points(apart)
        async with polled(config_of(device, max_requests_per_s=LIMIT), group):
            await asyncio.sleep(seconds)
        return (
            len(device.at_s),
            in_one_second(device.at_s),
            in_one_second(device.connected_s),
            device.open_most,
        )


async def all_loaded(seed: int, many: int, seconds: float) -> list[tuple[int, int, int, int]]:
    async with asyncio.TaskGroup() as tasks:
        found = [tasks.create_task(loaded(seed + k, seconds)) for k in range(many)]
    return [task.result() for task in found]


@case(
    "B9",
    fault="load on the device",
    procedure=f"eight requests every {PERIOD_S} s are wanted, {LIMIT} a second allowed; "
    "storms of silence, nonsense, hanging up and refusing; the device counts",
    mark=f"at most {LIMIT} requests in every second, at most 1 connection at once",
)
def load(setting: Setting) -> Outcome:
    seconds = STORM_S * setting.size(cut=1, full=15)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        found = runner.run(all_loaded(setting.seed, 6, seconds))
    requests = sum(each[0] for each in found)
    most, connects, at_once = (max(each[k] for each in found) for k in (1, 2, 3))
    return Outcome(
        most <= LIMIT and at_once == 1 and requests > 0,
        f"{len(found)} devices for {seconds:.0f} s: {requests:,} requests, at most {most} in a "
        f"second, {connects} connections made in a second, {at_once} open at once",
    )
