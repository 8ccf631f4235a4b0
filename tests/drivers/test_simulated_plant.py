"""The drivers on the simulated smelter and its faults: its own server, encoding and truth."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from drivers.config import DeviceConfig, make_driver
from drivers.model import Driver, DriverError, Frame, Group, Kind, Point, Quality
from drivers.points import group_points, load_points
from simulators.faults import LINE_FAULTS, Fault, Faults
from simulators.folder import Folder, write_folder
from simulators.plant import Scenario
from simulators.world import BUS, World

TIMEOUT_S, BUS_TIMEOUT_S = 0.25, 0.1
PLC, CEMS = "line1-plc1", "gtc1-cems"


@dataclass
class Site:
    """The plant and a driver on each of its lines."""

    world: World
    drivers: dict[str, Driver]
    groups: tuple[Group, ...]

    async def read(self, device: str) -> list[Frame]:
        """One poll of all groups of a device."""
        mine = [group for group in self.groups if group.device == device]
        return [await self.drivers[device].read(group, 0) for group in mine]

    def believes(self, point: Point) -> float:
        """What the device shows for the point, from the plant and not from its registers."""
        name, believed = point.quantity.field, self.world.believed
        if point.quantity.measurement == "pot":
            pot = int(point.equipment.unit.removeprefix("pot")) - 1
            return float(believed.pots(0, point.device)[name][pot])
        return believed.single(point.id, point.device, point.counter_modulus)

    def judge(self, frames: list[Frame]) -> tuple[int, int, list[str]]:
        """Good values, missing values, and the good values that are wrong."""
        good, missing, wrong = 0, 0, []
        for frame in frames:
            for point, value, quality in zip(
                frame.group.points, frame.values.tolist(), frame.quality.tolist(), strict=True
            ):
                if quality != Quality.GOOD:
                    assert np.isnan(value)
                    assert frame.reason or quality == Quality.NOT_AVAILABLE
                    missing += 1
                    continue
                good += 1
                shown = self.believes(point)
                if point.counter_modulus:
                    shown %= point.counter_modulus
                step = 1e-6 * abs(shown) if point.type.startswith("float") else 0.5 * point.scale
                if abs(value - shown) > step + 1e-9:
                    wrong.append(f"{point.id} {point.address}: {value}, device shows {shown}")
        return good, missing, wrong


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with contextlib.AsyncExitStack() as stack:
        scenario = Scenario(1_790_784_000.0, 12)
        world = await stack.enter_async_context(World(scenario, faults=Faults(), opcua=False))
        write_folder(Folder(tmp_path), world, "127.0.0.1:1883", {})
        lines: dict[str, list[DeviceConfig]] = {}
        for device in world.devices:
            config = DeviceConfig(
                name=device.name,
                driver=device.driver,
                address=world.addresses[device.name],
                unit=device.unit,
                timeout_s=TIMEOUT_S if device.driver == "modbus-tcp" else BUS_TIMEOUT_S,
                points=Path(f"points/{device.name}.csv"),
            )
            lines.setdefault(config.address, []).append(config)
        drivers: dict[str, Driver] = {}
        groups: list[Group] = []
        for configs in lines.values():
            mine = group_points(p for c in configs for p in load_points(c, tmp_path))
            driver = await stack.enter_async_context(make_driver(tuple(configs), mine))
            drivers |= {config.name: driver for config in configs}
            groups += mine
        yield Site(world, drivers, tuple(groups))
        assert world.writes == 0


async def test_every_value_of_the_plant_is_read_as_its_device_shows_it(site: Site) -> None:
    for _ in range(3):
        await site.world.tick()
        for device in site.world.devices:
            good, missing, wrong = site.judge(await site.read(device.name))
            assert not wrong
            assert missing == 0
            assert good > 0
    assert sum(server.statistics.exceptions for server in site.world.servers) == 0
    assert sum(server.statistics.overlapping for server in site.world.servers) == 0


TCP_FAULTS = [fault for fault in LINE_FAULTS if fault != "crc"]
BUS_FAULTS = ["stall", "late", "exception", "echo", "crc", "stale"]


@pytest.mark.parametrize(
    ("fault", "line"),
    [*((fault, PLC) for fault in TCP_FAULTS), *((fault, BUS) for fault in BUS_FAULTS)],
)
async def test_a_line_fault_makes_no_wrong_good_value_and_passes(
    site: Site, fault: str, line: str
) -> None:
    world = site.world
    device = PLC if line == PLC else next(d.name for d in world.devices if "meter" in d.name)
    await site.read(device)
    world.faults.add(Fault(fault, line, amount=1.2 * TIMEOUT_S if fault == "late" else None))
    missing = 0
    for _ in range(3):
        await world.tick()
        try:
            _, absent, wrong = site.judge(await site.read(device))
        except DriverError:
            missing += 1
        else:
            missing += absent
            assert not wrong
        assert not site.judge(await site.read(CEMS))[1], "its neighbours are read as ever"
    assert world.faults.applied[fault] > 0
    assert missing or fault in {"split", "stale"}
    world.faults.remove(fault)
    async with asyncio.timeout(20 * TIMEOUT_S):
        while True:  # an RTU line stays doubtful for ten timeouts; wrong it is never
            await world.tick()
            with contextlib.suppress(DriverError):
                _, absent, wrong = site.judge(await site.read(device))
                assert not wrong
                if not absent:
                    break
            await asyncio.sleep(TIMEOUT_S / 5)


async def test_no_value_is_not_available_and_counters_run_on(site: Site) -> None:
    """The devices' own codes for "no value" and NaN, as their point tables tell them."""
    for device in (PLC, CEMS):
        site.world.faults.add(Fault("nan", device))
        await site.world.tick()
        for frame in await site.read(device):
            for point, quality in zip(frame.group.points, frame.quality.tolist(), strict=True):
                absent = quality == Quality.NOT_AVAILABLE
                if point.type == "float32" or point.not_available:
                    assert absent == (point.quantity.kind is not Kind.COUNTER), point.id
                else:
                    assert quality == Quality.GOOD, point.id


async def test_stuck_values_and_torn_words_are_read_as_the_device_sends_them(site: Site) -> None:
    """Only the agent can know them from good ones: here they must not be mended or held back."""
    world = site.world
    world.faults.add(Fault("stuck", CEMS))
    await world.tick()
    first = await site.read(CEMS)
    await world.tick()
    second = await site.read(CEMS)
    for one, other in zip(first, second, strict=True):
        kinds = [point.quantity.kind for point in one.group.points]
        gauges = np.array([kind is Kind.GAUGE for kind in kinds])
        assert (one.values == other.values)[gauges].all()
    world.faults.remove("stuck")
    world.faults.add(Fault("torn", CEMS))
    await world.tick()
    torn = site.judge(await site.read(CEMS))
    assert torn[2], "torn words are other numbers, or the fault does nothing"
    world.faults.remove("torn")
    await world.tick()
    assert not site.judge(await site.read(CEMS))[2]
