"""Points, groups and device configs for the OPC UA tests."""

import time
from typing import Any

from drivers.config import DeviceConfig
from drivers.model import Equipment, Frame, Group, Point
from drivers.opcua.driver import OpcUaDriver
from drivers.quantities import quantities
from tests.drivers.opcua_server import URI

S = 1_000_000_000


def device(port: int, **more: Any) -> DeviceConfig:
    given = {"name": "dcs", "driver": "opcua", "address": f"opc.tcp://127.0.0.1:{port}"}
    return DeviceConfig.model_validate(
        {
            **given,
            "security": "none",
            "points": "points.csv",
            "timeout_s": 1.0,
            "interval_s": 0.2,
            **more,
        }
    )


def point(i: int, address: str, quantity: str = "pot.voltage", **more: Any) -> Point:
    equipment = Equipment("line1", f"pot{i:04d}")
    given = {"interval_s": 0.2, **more}
    return Point(equipment, quantities()[quantity], "dcs", address, "", **given)


def group_of(*addresses: str, interval_s: float = 0.2, **more: Any) -> Group:
    points = [point(i, address, **more) for i, address in enumerate(addresses)]
    return Group("dcs", interval_s, tuple(points))


def pots(count: int, interval_s: float = 0.2, **more: Any) -> Group:
    addresses = [f"nsu={URI};s=Pot{i:03d}.V" for i in range(count)]
    return group_of(*addresses, interval_s=interval_s, **more)


async def read(driver: OpcUaDriver, group: Group) -> Frame:
    return await driver.read(group, time.time_ns())
