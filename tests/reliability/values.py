"""B1, B2, B4: late, foreign, broken and torn replies, and never a wrong good value."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import uvloop

from drivers.config import DeviceConfig
from drivers.modbus.driver import ModbusDriver
from drivers.model import DriverError, Equipment, Frame, Group, Point, Quality
from drivers.points import group_points
from drivers.quantities import quantities
from tests.drivers.opponent import Asked, Medium, Opponent, register
from tests.drivers.test_modbus_faults import device_at, expected, points_of
from tests.reliability.cases import Outcome, Setting, case

MEDIA: tuple[Medium, ...] = ("tcp", "rtu", "serial")
PAIRS = 20  # drivers and devices side by side, so that waiting for time-outs overlaps
TIMEOUT_S = 0.03  # of `device_at`
LATE_S = (1.1, 1.4, 2.0, 3.3, 6.0)  # in time-outs; a reply after ten is thought impossible
POSITIONS = 8  # questions of one cycle, at most


@dataclass
class Seen:
    """What frames held against what the device had."""

    good: int = 0
    wrong: int = 0
    unmarked: int = 0  # of a question without a good answer, yet neither right nor marked
    cycles: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    positions: Counter[int] = field(default_factory=Counter)

    def take(self, frame: Frame, right: list[float]) -> None:
        good = frame.quality == Quality.GOOD
        same = frame.values == np.array(right)
        self.good += int((good & same).sum())
        self.wrong += int((good & ~same).sum())
        self.unmarked += int((~good & ~np.isnan(frame.values)).sum())
        for code, many in zip(*np.unique(frame.quality[~good], return_counts=True), strict=True):
            self.codes[Quality(int(code)).wire] += int(many)


async def read_or_missing(driver: ModbusDriver, group: Group, slot: int) -> Frame:
    """As the poller takes it: an error is a frame without values."""
    try:
        return await driver.read(group, slot)
    except DriverError as error:
        return Frame.missing(group, slot, slot, Quality.NO_DATA, str(error))


# --- B1


async def late_replies(medium: Medium, seed: int, cycles: int, seen: Seen) -> None:
    """In every second cycle one reply comes late; its place in the cycle goes round."""
    dice, place, begun = random.Random(seed), -1, 0

    def script(asked: Asked) -> str:
        if asked.number - begun != place:
            return "good"
        seen.positions[place] += 1
        opponent.late_s = TIMEOUT_S * dice.choice(LATE_S)
        return "late"

    async with Opponent(medium, script) as opponent:
        (group,) = group_points(points_of("plc"))
        async with ModbusDriver((device_at(opponent),), (group,)) as driver:
            for opponent.cycle in range(cycles):
                begun = len(opponent.asked)
                place = opponent.cycle // 2 % POSITIONS if opponent.cycle % 2 else -1
                frame = await read_or_missing(driver, group, opponent.cycle)
                seen.take(frame, expected(group.points, 1, opponent.cycle))
                seen.cycles += 1


async def side_by_side(medium: Medium, seed: int, cycles: int, seen: Seen) -> None:
    async with asyncio.TaskGroup() as pairs:
        for k in range(PAIRS):
            pairs.create_task(late_replies(medium, seed + k, cycles // PAIRS, seen))


@case(
    "B1",
    fault="a reply later than the time-out",
    procedure="scripted device on TCP, RTU over TCP and serial (pty); in every second cycle one "
    "reply comes 1.1 to 6 time-outs late, at each position of the cycle in turn",
    mark="0 values under a wrong point in 10,000 cycles of each medium; points without answer "
    "are no_data",
)
def late(setting: Setting) -> Outcome:
    cycles, told, passed = setting.size(cut=800, full=10_000), [], True
    for medium in MEDIA:
        seen = Seen()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(side_by_side(medium, setting.seed, cycles, seen))
        passed &= not seen.wrong and not seen.unmarked and seen.cycles == cycles
        passed &= seen.good > 0 and set(seen.codes) == {"no_data"} and len(seen.positions) >= 5
        told.append(
            f"{medium}: {seen.cycles:,} cycles, {sum(seen.positions.values()):,} late at "
            f"{len(seen.positions)} positions, {seen.good:,} right, {seen.wrong} wrong, "
            f"{seen.codes['no_data']:,} no_data"
        )
    return Outcome(passed, "; ".join(told))


# --- B2

PATIENCE_S = 0.25  # a pause of a busy machine is not one of the faults
TRIES = 3
NO_DATA, REFUSED = {Quality.NO_DATA}, {Quality.REFUSED}
WHOLE: set[Quality] = {Quality.GOOD}
EITHER = WHOLE | NO_DATA
EXPECTED: dict[str, set[Quality]] = {
    **dict.fromkeys(("silent", "close", "short", "long", "half", "lying"), NO_DATA),
    **dict.fromkeys(("foreign", "function", "garbage"), NO_DATA),
    **dict.fromkeys((f"exception{code}" for code in (1, 4, 7, 8)), REFUSED),
    **dict.fromkeys((f"exception{code}" for code in (5, 6, 10, 11)), NO_DATA),
    "split": WHOLE,
    "crossed": EITHER,  # the first question of all has no reply before it
    "echo": NO_DATA,
    "twice": EITHER,  # which of the two is old, nothing tells; both here are right
    "again": EITHER,
}
ONLY_TCP = {"stale id": NO_DATA, "protocol": NO_DATA}
ONLY_RTU = {"echo+good": WHOLE, "flipped": NO_DATA}


def asked_points(group: Group, asked: Asked) -> list[int]:
    """Points that the question is about, by their addresses."""
    table = {3: "holding", 4: "input", 1: "coil"}[asked.function]
    return [
        i
        for i, point in enumerate(group.points)
        if point.address.partition(":")[0] == table
        and asked.address <= int(point.address.partition(":")[2]) < asked.address + asked.count
    ]


async def one_fault(medium: Medium, fault: str, place: int, seen: Seen) -> list[str]:
    """A fresh device: good, faulty at one question, then good until all is there again."""
    allowed = (EXPECTED | ONLY_TCP | ONLY_RTU)[fault]
    wrong: list[str] = []
    hit: list[Asked] = []

    def script(asked: Asked) -> str:
        if asked.number - begun == place and opponent.cycle == 1:
            hit.append(asked)
            return fault
        return "good"

    async with Opponent(medium, script) as opponent:
        (group,) = group_points(points_of("plc"))
        begun = 0
        patient = device_at(opponent).model_copy(update={"timeout_s": PATIENCE_S})
        async with ModbusDriver((patient,), (group,)) as driver:
            for opponent.cycle in range(8):
                begun = len(opponent.asked)
                frame = await read_or_missing(driver, group, opponent.cycle)
                seen.take(frame, expected(group.points, 1, opponent.cycle))
                if opponent.cycle == 1 and hit:
                    got = {Quality(int(frame.quality[i])) for i in asked_points(group, hit[0])}
                    if not got <= allowed:
                        wrong.append(f"{medium} {fault} at {place}: {sorted(got)}")
                if opponent.cycle > 1 and not frame.quality.any():
                    break
            else:
                if fault != "exception1":  # remembered as never to be asked: 30 s and more
                    wrong.append(f"{medium} {fault} at {place}: not whole again")
    return wrong


async def all_faults(medium: Medium, seen: Seen, times: int) -> tuple[int, list[str]]:
    faults = EXPECTED | (ONLY_TCP if medium == "tcp" else ONLY_RTU)
    trials = [(fault, place) for fault in faults for place in range(5)] * times
    gate, wrong = asyncio.Semaphore(PAIRS), list[str]()

    async def trial(fault: str, place: int) -> None:
        async with gate:
            for _ in range(TRIES):  # a machine that pauses makes time-outs; a defect comes again
                told = await one_fault(medium, fault, place, seen)
                if not told:
                    return
            wrong.extend(told)

    async with asyncio.TaskGroup() as group:
        for fault, place in trials:
            group.create_task(trial(fault, place))
    return len(trials), wrong


@case(
    "B2",
    fault="echo, crossed unit id, wrong function, short and long frames, exception codes",
    procedure="scripted device on TCP, RTU over TCP and serial; each fault once at each of five "
    "questions of a cycle, then good answers again",
    mark="0 wrong good values; the right quality code for each; whole again afterwards",
)
def broken(setting: Setting) -> Outcome:
    trials, wrong, seen = 0, list[str](), Seen()
    for medium in MEDIA:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            times = setting.size(cut=1, full=20)
            more, bad = runner.run(all_faults(medium, seen, times))
        trials, wrong = trials + more, wrong + bad
    figure = (
        f"{trials:,} trials of {len(EXPECTED | ONLY_TCP | ONLY_RTU)} faults, {seen.good:,} right, "
        f"{seen.wrong} wrong, {len(wrong)} with another code than laid down"
    )
    return Outcome(not seen.wrong and not wrong, "; ".join([figure, *wrong[:5]]))


# --- B4


def wide_points(dice: random.Random) -> list[Point]:
    """Values of 32, 48 and 64 bits at any address, side by side or apart, in any word order."""
    whole, points, at = quantities()["pot.feed_shots"], [], dice.randrange(5)
    for number in range(24):
        kind, words = dice.choice((("uint32", 2), ("uint48", 3), ("int32", 2), ("float64", 4)))
        order = dice.choice(("ABCD", "CDAB", "BADC", "DCBA"))
        place = Equipment("line1", f"p{number}")
        points.append(Point(place, whole, "plc", f"holding:{at}", kind, order=order))
        at += words + dice.choice((0, 0, 1, 7))
    return points


def value_at(point: Point, cycle: int) -> float:
    """What the registers mean, written down from the definition of the four orders."""
    start, words = int(point.address.partition(":")[2]), {"uint48": 3, "float64": 4}
    many = words.get(point.type, 2)
    octets = [register(1, 3, start + k, cycle).to_bytes(2, "big") for k in range(many)]
    if point.order in {"CDAB", "DCBA"}:
        octets.reverse()
    if point.order in {"BADC", "DCBA"}:
        octets = [pair[::-1] for pair in octets]
    raw = b"".join(octets)
    if point.type == "float64":
        return float(np.frombuffer(raw, ">f8")[0])
    return float(int.from_bytes(raw, "big", signed=point.type == "int32"))


async def torn(medium: Medium, seed: int, tally: Counter[str]) -> None:
    """Every register changes between any two questions: a value of two questions is a mixture."""
    dice = random.Random(seed)
    refused = frozenset(dice.sample(range(150), dice.choice((0, 0, 2))))

    def script(asked: Asked) -> str:
        opponent.cycle = asked.number
        return "good"

    async with Opponent(medium, script, refused=refused) as opponent:
        (group,) = group_points(wide_points(dice))
        most = dice.choice((4, 5, 7, 16, 125))
        device = device_at(opponent).model_copy(
            update={"max_registers": most, "timeout_s": 1.0, "bridge_gap": dice.choice((0, 4))}
        )
        async with ModbusDriver((DeviceConfig.model_validate(device),), (group,)) as driver:
            for _ in range(4):
                begun = len(opponent.asked)
                frame = await read_or_missing(driver, group, 0)
                shots = range(begun, len(opponent.asked))
                for i in np.flatnonzero(frame.quality == Quality.GOOD):
                    point, value = group.points[i], frame.values[i]
                    whole = any(value == value_at(point, cycle) for cycle in shots)
                    tally["whole" if whole else "mixed"] += 1
                tally["reads"] += 1


async def torn_together(medium: Medium, seed: int, tally: Counter[str]) -> None:
    async with asyncio.TaskGroup() as pairs:
        for k in range(PAIRS):
            pairs.create_task(torn(medium, seed + k, tally))


@case(
    "B4",
    fault="values of 32, 48 and 64 bits whose words change between two reads",
    procedure="device that changes every register after each question; random layouts, word "
    "orders, block limits and refused registers",
    mark="0 mixed values taken",
)
def mixed(setting: Setting) -> Outcome:
    tally: Counter[str] = Counter()
    many = setting.size(cut=60, full=2_000)
    for medium in MEDIA[:2]:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            for k in range(0, many, PAIRS):
                runner.run(torn_together(medium, setting.seed + k, tally))
    figure = f"{tally['reads']:,} reads, {tally['whole']:,} whole values, {tally['mixed']} mixed"
    return Outcome(not tally["mixed"] and tally["whole"] > 0, figure)
