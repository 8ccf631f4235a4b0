"""The served plant against pymodbus and asyncua clients, its point tables, and value faults."""

import asyncio
import csv
import itertools
import math
import struct
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from asyncua import Client, ua
from pymodbus import FramerType
from pymodbus.client import AsyncModbusTcpClient

from drivers.config import DeviceConfig
from drivers.model import Point
from drivers.points import check_plant, load_points
from simulators.faults import Fault, Faults
from simulators.folder import Folder, write_folder
from simulators.plant import Scenario
from simulators.points import URN
from simulators.registers import WIDTHS
from simulators.world import World
from tests.servers import wait_until

START_S = 1_790_784_000.0
ORDERS = {
    "ABCD": (0, 1, 2, 3),
    "CDAB": (2, 3, 0, 1),
    "BADC": (1, 0, 3, 2),
    "DCBA": (3, 2, 1, 0),
}


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with World(Scenario(START_S, 60), opcua=False) as made:
        yield made


@pytest.fixture
def folder(world: World, tmp_path: Path) -> Folder:
    made = Folder(tmp_path)
    write_folder(made, world, "127.0.0.1:1883", {})
    return made


def decode(words: Sequence[int], kind: str, order: str) -> float:
    """The test's own reading of registers; shares nothing with drivers or simulators."""
    data = struct.pack(f">{len(words)}H", *words)
    if len(words) == 2:
        data = bytes(data[place] for place in ORDERS[order or "ABCD"])
    code = {"float32": ">f", "uint32": ">I", "uint16": ">H", "int16": ">h"}[kind]
    return float(struct.unpack(code, data)[0])


async def read(client: AsyncModbusTcpClient, row: dict[str, str], k: int, unit: int) -> float:
    """One value as the point table describes it."""
    area, _, place = row["address"].partition(":")
    number, _, bit = place.partition(".")
    address = int(number) + k * int(row["stride"] or 0)
    if area in {"coil", "discrete"}:
        ask = client.read_coils if area == "coil" else client.read_discrete_inputs
        return float((await ask(address, count=1, device_id=unit)).bits[0])
    words = client.read_holding_registers if area == "holding" else client.read_input_registers
    width = max(WIDTHS[row["type"]], 1)
    found = (await words(address, count=width, device_id=unit)).registers
    if bit:
        return float(found[0] >> int(bit) & 1)
    return decode(found, row["type"], row.get("order", "")) * float(row.get("scale") or 1)


def table(folder: Folder, device: str) -> list[dict[str, str]]:
    with (folder.points / f"{device}.csv").open(encoding="utf-8") as file:
        return [{"stride": "", **row} for row in csv.DictReader(file)]


async def test_every_pot_point_reads_back_in_every_dialect(world: World, folder: Folder) -> None:
    """All PLCs, all rows, first and last pot: the client finds what the physics holds."""
    section_of = {section.name: section for section in world.plant.sections}
    types = set()
    for device in world.devices:
        if device.section is None:
            continue
        host, _, port = world.addresses[device.name].partition(":")
        client = AsyncModbusTcpClient(host, port=int(port))
        await client.connect()
        for row in table(folder, device.name):
            line = row["equipment"].partition("/")[0]
            first, last = (int(part) for part in row["equipment"][-9:-1].split(".."))
            section = section_of[line]
            current = world.plant.gauges[f"{line}/series potline.current"]
            true = section.pot_columns(current)[row["quantity"].partition(".")[2]]
            types.add((row["type"], row.get("order", ""), row["address"].partition(":")[0]))
            for k in (0, last - first):
                seen = await read(client, row, k, 1)
                step = float(row.get("scale") or 1)
                expected = true[first - 1 + k]
                assert seen == pytest.approx(expected, rel=1e-6, abs=0.51 * step), row
        client.close()
    assert len(types) >= 8
    assert world.writes == 0


async def test_meters_share_one_bus(world: World, folder: Folder) -> None:
    meters = [device for device in world.devices if device.driver == "modbus-rtu-over-tcp"]
    assert len({world.addresses[meter.name] for meter in meters}) == 1
    assert len({meter.unit for meter in meters}) == len(meters) >= 11
    host, _, port = world.addresses[meters[0].name].partition(":")
    client = AsyncModbusTcpClient(host, port=int(port), framer=FramerType.RTU)
    await client.connect()
    for meter in meters:
        for row in table(folder, meter.name):
            point = f"{row['equipment']} {row['quantity']}"
            seen = await read(client, row, 0, meter.unit)
            if row.get("counter_modulus"):
                modulus = float(row["counter_modulus"])
                assert row["original"] == "yes"
                assert seen == pytest.approx(world.plant.register(point) % modulus, abs=1e-6)
            else:
                assert seen == pytest.approx(world.plant.gauges[point], rel=1e-6)
    client.close()


async def test_the_house_reads_our_tables(world: World, folder: Folder) -> None:
    points: list[Point] = []
    for device in world.devices:
        config = DeviceConfig(
            name=device.name,
            driver=device.driver,
            address=world.addresses[device.name],
            unit=device.unit,
            points=Path(f"points/{device.name}.csv"),
        )
        points += load_points(config, folder.root)
    assert not check_plant(points)
    pots = [point for point in points if point.quantity.measurement == "pot"]
    assert len(pots) == 60 * 18


@pytest.fixture
async def dcs() -> AsyncIterator[World]:
    async with World(Scenario(START_S), faults=Faults()) as made:
        yield made


async def test_opcua_serves_by_namespace_uri_in_folders(dcs: World) -> None:
    async with Client(dcs.addresses["dcs"]) as client:
        space = await client.get_namespace_index(URN)
        assert space > 2  # not the number a careless client would guess
        line = await client.nodes.objects.get_child(f"{space}:line1")
        names = {(await child.read_browse_name()).Name for child in await line.get_children()}
        assert names == {"rect1", "rect2", "rect3", "rect4", "series"}
        for point in ("line1/rect2 rectifier.ac_power", "gtc1/hx1 heat_recovery.heat_flow"):
            equipment, _, quantity = point.partition(" ")
            text = f"{equipment.replace('/', '.')}.{quantity.partition('.')[2]}"
            value = await client.get_node(ua.NodeId(text, space)).read_value()
            assert value == dcs.plant.gauges[point]
        volts = await client.get_node(ua.NodeId("line1.pot_voltages", space)).read_value()
        assert volts == dcs.plant.sections[0].pots.voltage.tolist()
        node = client.get_node(ua.NodeId("line1.rect1.dc_current", space))
        with pytest.raises(ua.UaStatusCodeError):
            await node.write_value(1.0)


async def test_opcua_subscription_follows_the_plant(dcs: World) -> None:
    async with Client(dcs.addresses["dcs"]) as client:
        space = await client.get_namespace_index(URN)
        node = client.get_node(ua.NodeId("line1.series.current", space))
        subscription = await client.create_subscription(20)
        await subscription.subscribe_data_change(node, queuesize=10)
        seen: list[float] = []
        changes = aiter(subscription)
        expected = [dcs.plant.gauges["line1/series potline.current"]]
        for _ in range(3):
            await dcs.tick()
            expected.append(dcs.plant.gauges["line1/series potline.current"])
        async with asyncio.timeout(5):
            while len(seen) < 4:
                seen.append((await anext(changes)).value)
        await subscription.delete()
    assert seen == expected


async def test_opcua_faults(dcs: World) -> None:
    dcs.faults.add(Fault("nan", "line1/rect1"))
    dcs.faults.add(Fault("clock_step", "dcs", amount=-7200))
    await dcs.tick()
    async with Client(dcs.addresses["dcs"]) as client:
        space = await client.get_namespace_index(URN)
        node = client.get_node(ua.NodeId("line1.rect1.dc_current", space))
        data = await node.read_data_value(raise_on_bad_status=False)
        assert data.StatusCode is not None
        assert data.StatusCode.value == ua.StatusCodes.BadSensorFailure
        other = await client.get_node(ua.NodeId("line1.rect2.dc_current", space)).read_data_value()
        assert other.SourceTimestamp is not None
        late_s = (datetime.now(UTC) - other.SourceTimestamp.replace(tzinfo=UTC)).total_seconds()
        assert late_s == pytest.approx(7200, abs=5)


def words(world: World, device: str, area: str, address: int, count: int = 2) -> bytes:
    return world.banks[device].registers(area, address, count)


async def test_pot_faults(world: World) -> None:
    """Pot 2 of the first PLC: float32 ABCD at holding 100 + 36, status word at its end."""
    at = 136
    device = "line1-plc1"
    world.faults.add(Fault("link_lost", "line1/pot002"))
    await world.tick()
    assert words(world, device, "holding", at) == bytes(4)
    assert words(world, device, "holding", at + 35, 1) == bytes((0, 2))  # the trap: link = 1
    assert words(world, device, "holding", 100) != bytes(4)
    world.faults.remove("link_lost")
    world.faults.add(Fault("nan", "line1/pot002"))
    await world.tick()
    assert math.isnan(struct.unpack(">f", words(world, device, "holding", at))[0])
    world.faults.remove("nan")
    world.faults.add(Fault("stuck", "line1/pot002"))
    seen = set()
    for _ in range(5):
        await world.tick()
        seen.add(words(world, device, "holding", at))
    assert len(seen) == 1
    world.faults.remove("stuck")
    await world.tick()
    assert words(world, device, "holding", at) not in seen


async def test_counter_faults(world: World, folder: Folder) -> None:
    device = "meter-line1-dc1"
    row = next(r for r in table(folder, device) if r["quantity"] == "meter.energy_import")
    at = int(row["address"].partition(":")[2])

    def shown() -> int:
        data = words(world, device, "holding", at)
        return int(decode(struct.unpack(">2H", data), "uint32", row["order"]))

    world.faults.add(Fault("rollover", device))
    await world.tick()
    assert shown() == 2**32 - 20
    values = [shown()]
    for _ in range(40):
        await world.tick()
        values.append(shown())
    assert values[-1] < 10_000  # it rolled over and ran on
    steps = [(b - a) % 2**32 for a, b in itertools.pairwise(values)]
    power = world.plant.gauges["line1/dc1 meter.active_power"] / 3600
    assert sum(steps) == pytest.approx(40 * power, rel=0.05)
    world.faults.remove("rollover")
    world.faults.add(Fault("reset", device))
    await world.tick()
    assert shown() == 0
    await world.tick()
    assert 0 < shown() < 100


async def test_reset_of_a_pot_controller_lasts(world: World, folder: Folder) -> None:
    row = next(r for r in table(folder, "line1-plc1") if r["quantity"] == "pot.feed_shots")
    at = int(row["address"].partition(":")[2])

    def shots(pot: int) -> int:
        found = struct.unpack(">I", words(world, "line1-plc1", "holding", at + 36 * (pot - 1)))
        return int(found[0])

    untouched = shots(2)
    world.faults.add(Fault("reset", "line1/pot001"))
    await world.tick()
    assert shots(1) == 0
    world.faults.remove("reset")
    for _ in range(60):
        await world.tick()
    assert 0 < shots(1) < 10  # a shot each 20 to 40 s
    assert untouched < shots(2) < untouched + 10


async def test_torn_device(world: World) -> None:
    device = next(d for d in world.devices if d.name == "gtc1-cems")
    column = next(c for c in device.columns if c.quantity == "stack.so2")
    before = words(world, device.name, "holding", column.address)
    world.faults.add(Fault("torn", device.name))
    await world.tick()
    torn = words(world, device.name, "holding", column.address)
    assert torn[2:] == before[2:]
    assert torn[:2] != before[:2]


async def test_run_moves_the_plant_with_the_clock() -> None:
    async with World(Scenario(START_S), opcua=False, accelerate=90) as world:
        begin = world.plant.time_s
        running = asyncio.create_task(world.run())
        await asyncio.to_thread(
            wait_until, lambda: world.plant.time_s >= begin + 180, "two ticks", 5
        )
        running.cancel()
        truth = world.truth()["lines"]["line1"]
        hours = (world.plant.time_s - START_S) / 3600
        assert truth["electricity_kwh"]["dc"] == pytest.approx(12 * 1600 * hours, rel=0.1)
    with pytest.raises(ValueError, match="accelerate"):
        World(Scenario(START_S), accelerate=0)
