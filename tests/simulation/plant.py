"""A plant whose values are a pure function of device, point and slot."""

import asyncio
import random
from collections.abc import Callable
from types import TracebackType
from typing import Self

import numpy as np

from agent.wire.lines import Line
from drivers.model import Frame, Group, UnreachableError

GATEWAY = """plant = "demo"
gateway = "gw1"
data_dir = "/simulated/gw/data"
[mqtt]
url = "mqtt://127.0.0.1:1883"
compression = "{compression}"
[log]
batch_interval_s = {batch_s}
raw_days = {raw_days}
record_days = {record_days}
[evidence]
checkpoint_s = 5.0
[[device]]
name = "plc"
driver = "modbus-tcp"
address = "127.0.0.1:502"
interval_s = 1.0
timeout_s = 0.5
points = "plc.csv"
[[device]]
name = "meters"
driver = "modbus-tcp"
address = "127.0.0.1:503"
interval_s = 2.0
timeout_s = 0.5
points = "meters.csv"
"""
HEAD = "equipment,quantity,address,type,unit,counter_modulus,counter_max_per_s\n"
PLC = HEAD + (
    "line1/pot001,pot.voltage,holding:0,float32,V,,\nline1/pot002,pot.voltage,holding:2,float32,V,,\n"
)
METERS = HEAD + "line1/ac1,meter.energy_import,holding:10,uint32,kWh,4194304,1000\n"
DEVICES = ("plc", "meters")
HISTORIAN = """data_dir = "/simulated/store/data"
plants = ["demo"]
[mqtt]
url = "mqtt://127.0.0.1:1883"
[lake]
flush_s = 3.0
"""


def value(quantity: str, equipment: str, slot_ns: int) -> float:
    """What a point says at a slot; exact in a float32."""
    second = slot_ns // 1_000_000_000
    if quantity == "meter.energy_import":
        return float(second % (1 << 22))  # the modulus of the point table
    unit = int(equipment.removeprefix("line1/pot"))
    return 3.5 + (second * 7919 + unit * 613) % 256 / 64


def strange(line: Line) -> str:
    """What is wrong with a raw line; empty for the truth, or for no value with a reason."""
    names = {"pot": ("voltage", "pot.voltage"), "meter": ("energy_import", "meter.energy_import")}
    if line.measurement == "frame":
        return ""
    if line.measurement not in names:
        return f"{line.measurement} was never read"
    name, quantity = names[line.measurement]
    said = line.fields.get(name)
    if said is None:
        return "" if f"{name}_q" in line.fields else "neither value nor reason"
    true = value(quantity, f"{line.tags['line']}/{line.tags['unit']}", line.time_ns)
    return "" if said == true else f"{said}, but it was {true}"


class Plc:
    """A driver that asks nobody. ``dead`` is shared by all of them; ``told`` hears each answer."""

    def __init__(
        self, chance: random.Random, dead: set[str], told: Callable[[str, int, bool], None]
    ) -> None:
        self._chance, self._dead, self._told = chance, dead, told

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return

    async def read(self, group: Group, slot_ns: int) -> Frame:
        await asyncio.sleep(self._chance.uniform(0.002, 0.05))
        if group.device in self._dead:
            await asyncio.sleep(0.45)
            self._told(group.device, slot_ns, False)
            raise UnreachableError("timeout after 0.5 s")
        values = [value(p.quantity.name, str(p.equipment), slot_ns) for p in group.points]
        self._told(group.device, slot_ns, True)
        good = np.zeros(len(values), dtype=np.uint8)
        return Frame(group, slot_ns, slot_ns + 3_000_000, np.array(values), good)
