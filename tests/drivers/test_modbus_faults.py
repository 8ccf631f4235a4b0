"""
Late, short, crossed, foreign, echoed, broken replies on every medium: never a wrong good value.

The opponent's values are a pure function of unit, table, address and cycle, so a stale value and a
neighbour's value are both told from the right one.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest
import uvloop

from drivers.config import DeviceConfig, SerialConfig
from drivers.modbus.driver import ModbusDriver
from drivers.model import DriverError, Equipment, Group, Point, Quality
from drivers.points import group_points
from drivers.quantities import quantities
from tests.drivers.opponent import Asked, Medium, Opponent, register

CYCLES = 2_000  # of each medium on each loop, 12,000 together
PAIRS = 20  # drivers and opponents side by side, so that waiting for timeouts overlaps
LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,  # where the agent runs
}
DRIVERS = {"tcp": "modbus-tcp", "rtu": "modbus-rtu-over-tcp", "serial": "modbus-rtu"}
FAULTS = (
    *("silent", "close", "late", "later", "short", "long", "half", "split", "lying"),
    *("foreign", "function", "crossed", "echo", "echo+good", "twice", "again", "garbage"),
    *("flipped", "exception4", "exception6", "exception11"),
)
# Refusals split blocks; on RTU two coil blocks of like length can then not be told apart.
TCP_FAULTS = ("stale id", "protocol", "exception2", "exception3")
TCP_ONLY_WRONG = ("flipped", "echo+good")  # no checksum on TCP: TCP has its own; no echo either


def points_of(device: str) -> list[Point]:
    """Ten registers thrice, ten 32-bit values, twenty coils: blocks of like and unlike length."""
    whole = quantities()["pot.feed_shots"]
    flag = quantities()["pot.anode_effect"]
    rows = [(f"holding:{at}", "uint16") for base in (0, 200, 400) for at in range(base, base + 10)]
    rows += [(f"input:{at}", "uint32") for at in range(1000, 1020, 2)]
    points = [
        Point(Equipment("line1", f"p{i}"), whole, device, address, kind)
        for i, (address, kind) in enumerate(rows)
    ]
    points += [
        Point(Equipment("line1", f"c{at}"), flag, device, f"coil:{at}", "bool")
        for at in range(3, 23)
    ]
    return points


def expected(points: tuple[Point, ...], unit: int, cycle: int) -> list[float]:
    function = {"holding": 3, "input": 4, "coil": 1}
    values = []
    for point in points:
        table, _, number = point.address.partition(":")
        word = register(unit, function[table], int(number), cycle)
        if point.type == "uint32":
            word = (word << 16) | register(unit, function[table], int(number) + 1, cycle)
        values.append(float(word & 1 if table == "coil" else word))
    return values


@dataclass
class Tally:
    good: int = 0
    wrong: int = 0
    last: str = ""  # reason of the last frame
    missing: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    played: Counter[str] = field(default_factory=Counter)
    functions: Counter[int] = field(default_factory=Counter)


def device_at(opponent: Opponent, name: str = "plc", unit: int = 1) -> DeviceConfig:
    return DeviceConfig.model_validate(
        {
            "name": name,
            "driver": DRIVERS[opponent.medium],
            "address": opponent.address,
            "unit": unit,
            "timeout_s": 0.03,
            "serial": SerialConfig(baudrate=115200, parity="N"),
            "points": "table.csv",
        }
    )


async def one_cycle(driver: ModbusDriver, group: Group, opponent: Opponent, tally: Tally) -> bool:
    """Reads once and judges; True when the device answered for every value."""
    try:
        frame = await driver.read(group, opponent.cycle)
    except DriverError as error:
        tally.errors[type(error).__name__] += 1
        tally.last = str(error)
        tally.missing += len(group.points)
        return False
    good = frame.quality == Quality.GOOD
    right = frame.values == np.array(expected(group.points, 1, opponent.cycle))
    tally.good += int((good & right).sum())
    tally.wrong += int((good & ~right).sum())
    tally.missing += int((~good).sum())
    assert np.isnan(frame.values[~good]).all()
    assert good.all() or frame.reason
    tally.last = frame.reason
    return Quality.NO_DATA not in frame.quality


async def faulty_run(medium: Medium, seed: int, cycles: int, tally: Tally) -> None:
    dice = random.Random(seed)
    faults = [fault for fault in FAULTS if medium != "tcp" or fault not in TCP_ONLY_WRONG]
    faults += TCP_FAULTS if medium == "tcp" else ()

    def script(_asked: Asked) -> str:
        return dice.choice(faults) if dice.random() < 0.05 else "good"

    async with Opponent(medium, script, late_s=0.035) as opponent:
        (group,) = group_points(points_of("plc"))
        async with ModbusDriver((device_at(opponent),), (group,)) as driver:
            for opponent.cycle in range(cycles):
                await one_cycle(driver, group, opponent, tally)
            opponent.script = lambda _asked: "good"
            await asyncio.sleep(0.15)
            for opponent.cycle in range(cycles, cycles + 50):  # a busy machine makes timeouts too
                if await one_cycle(driver, group, opponent, tally):
                    break
            else:
                raise AssertionError(f"not recovered: {tally.last}")
        tally.played += opponent.played
        tally.functions += opponent.requests


async def side_by_side(medium: Medium, seed: int, tally: Tally) -> None:
    async with asyncio.TaskGroup() as pairs:
        for k in range(PAIRS):
            pairs.create_task(faulty_run(medium, seed + k, CYCLES // PAIRS, tally))


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("medium", ["tcp", "rtu", "serial"])
def test_thousands_of_cycles_with_faults_bring_no_wrong_good_value(
    medium: Medium, loop: str
) -> None:
    seed = random.randrange(1 << 30)
    print(f"seed {seed}")
    tally = Tally()
    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        runner.run(side_by_side(medium, seed, tally))
    print(tally)
    assert tally.wrong == 0
    assert tally.good > 2 * tally.missing
    assert tally.functions.keys() <= {1, 2, 3, 4}
    assert all(tally.played[fault] > 5 for fault in ("late", "later", "crossed", "foreign"))


@pytest.mark.parametrize("medium", ["rtu", "serial"])
async def test_what_a_gateway_gave_up_and_then_passes_on_is_not_the_next_answer(
    medium: Medium,
) -> None:
    """Exception 11 to the third block, and its data as the answer to the first, of like length."""
    plays = {2: "exception11", 3: "crossed"}
    async with Opponent(medium, lambda asked: plays.get(asked.number, "good")) as opponent:
        (group,) = group_points(points_of("plc"))
        tally = Tally()
        async with ModbusDriver((device_at(opponent),), (group,)) as driver:
            for opponent.cycle in range(3):
                await one_cycle(driver, group, opponent, tally)
    first, third, fourth = opponent.asked[0], opponent.asked[2], opponent.asked[3]
    assert (third.function, third.count) == (first.function, first.count), "or this tests nothing"
    assert fourth.count != first.count
    assert tally.wrong == 0
