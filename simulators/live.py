"""What the agent publishes, read back from the broker and shown while the demo runs."""

import asyncio
import json
import math
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime

import aiomqtt
from rich.console import Console
from rich.live import Live
from rich.table import Table

from drivers.language import say
from simulators.months import LOCAL

PLAIN_EVERY_S = 5.0
COMPUTED = ("_dry", "_converted", "_hour", "_hour_forecast", "flow_standard")  # of a stack


@dataclass(slots=True)
class Seen:
    """Latest values by ``"line1/pot007 pot.voltage"``, and what was receipted."""

    values: dict[str, float] = field(default_factory=dict)
    receipts: dict[str, int] = field(default_factory=dict)  # stream -> upto
    batches: int = 0
    newest_ns: int = 0

    def take(self, topic: str, payload: bytes) -> None:
        """One message of the gateway."""
        kind = topic.rpartition("/")[2]
        if kind == "receipt":
            receipt = json.loads(payload)
            if "upto" in receipt:
                self.receipts[receipt["stream"]] = receipt["upto"]
        elif kind == "raw":
            self.batches += 1
            for line in payload.decode("utf-8").splitlines():
                self._line(line)
        elif kind == "record":  # what the gateway computed of the stacks, once a minute
            for line in payload.decode("utf-8").splitlines():
                if line.startswith("stack_1m,"):
                    self._line(line.replace("stack_1m,", "stack,", 1), COMPUTED)

    def _line(self, line: str, only: tuple[str, ...] = ()) -> None:
        head, _, rest = line.partition(" ")
        measurement, *tags = head.split(",")
        if measurement in {"batch", "event", "frame"}:
            return
        named = dict(tag.split("=", 1) for tag in tags)
        fields, _, stamp = rest.rpartition(" ")
        for part in fields.split(","):
            name, _, text = part.partition("=")
            if only and not name.endswith(only):
                continue
            try:
                value = float(text.rstrip("i"))
            except ValueError:
                continue  # a reason, or a piece of one
            self.values[f"{named['line']}/{named['unit']} {measurement}.{name}"] = value
        self.newest_ns = max(self.newest_ns, int(stamp))

    def of(self, quantity: str) -> dict[str, list[float]]:
        """Values of a quantity by area."""
        found: dict[str, list[float]] = defaultdict(list)
        for point, value in self.values.items():
            equipment, _, name = point.partition(" ")
            if name == quantity:
                found[equipment.partition("/")[0]].append(value)
        return found


def rows(seen: Seen) -> list[tuple[str, str]]:
    """Label and value, as shown."""
    table: list[tuple[str, str]] = []
    for area, values in sorted(seen.of("potline.current").items()):
        table.append((say(f"{area} 系列电流", f"{area} current"), f"{values[0]:.1f} kA"))
    for area, values in sorted(seen.of("pot.voltage").items()):
        mean, most = sum(values) / len(values), max(values)
        shown = f"{mean:.3f} V  (max {most:.2f}, n = {len(values)})"
        table.append((say(f"{area} 平均槽电压", f"{area} mean pot voltage"), shown))
    for area, values in sorted(seen.of("pot.anode_effect").items()):
        count = sum(value > 0 for value in values)
        table.append((say(f"{area} 阳极效应槽数", f"{area} pots in anode effect"), f"{count:d}"))
    for area, values in sorted(seen.of("rectifier.ac_power").items()):
        table.append((say(f"{area} 整流功率", f"{area} rectifier power"), f"{sum(values):,.0f} kW"))
    for area, values in sorted(seen.of("stack.so2").items()):
        table.append((say(f"{area} 排放口 SO2", f"{area} stack SO2"), f"{values[0]:.1f} mg/m³"))
    expected = seen.of("stack.so2_hour_forecast")
    for area, values in sorted(seen.of("stack.so2_hour").items()):
        label = say(f"{area} SO2 本小时均值（预计）", f"{area} SO2, this hour (forecast)")
        forecast = f"  ({expected[area][0]:.1f})" if area in expected else ""
        table.append((label, f"{values[0]:.1f} mg/m³{forecast}"))
    for area, values in sorted(seen.of("heat_recovery.heat_flow").items()):
        table.append((say(f"{area} 余热回收", f"{area} heat recovered"), f"{values[0]:,.0f} kW"))
    solar = sum((sum(values) for values in seen.of("pv.power").values()), 0.0)
    table.append((say("光伏功率", "solar power"), f"{solar:,.0f} kW"))
    receipts = ", ".join(f"{name} {upto}" for name, upto in sorted(seen.receipts.items()))
    table.append((say("历史库已回执批次", "batches receipted"), receipts or "-"))
    return table


def picture(seen: Seen) -> Table:
    """All rows as one table with the time of the newest value."""
    moment = datetime.fromtimestamp(seen.newest_ns / 1e9, UTC).astimezone(LOCAL)
    title = say("网关实时数据", "live from the gateway")
    table = Table(title=f"{title}  {moment:%Y-%m-%d %H:%M:%S}", min_width=56)
    table.add_column(say("量", "quantity"))
    table.add_column(say("值", "value"), justify="right")
    for label, value in rows(seen):
        table.add_row(label, value)
    return table


async def follow(host: str, port: int, plant: str, seen: Seen) -> None:
    """Takes every message of the gateway until cancelled; a lost broker is tried again."""
    while True:
        try:
            async with aiomqtt.Client(host, port, protocol=aiomqtt.ProtocolVersion.V311) as client:
                await client.subscribe(f"smelter/v1/{plant}/gw1/#", qos=0)
                async for message in client.messages:
                    if isinstance(message.payload, bytes):
                        seen.take(str(message.topic), message.payload)
        except aiomqtt.MqttError:
            await asyncio.sleep(1)


async def show(console: Console, seen: Seen) -> None:
    """A table that renews itself on a terminal; a line now and then in a pipe."""
    while not console.is_terminal:
        await asyncio.sleep(PLAIN_EVERY_S)
        console.print("; ".join(f"{label} {value}" for label, value in rows(seen)), markup=False)
    with Live(picture(seen), console=console, refresh_per_second=2) as live:
        while True:
            await asyncio.sleep(1)
            live.update(picture(seen))


def whole(seen: Seen) -> bool:
    """True when values of pots have come and the historian has receipted."""
    voltages = [v for values in seen.of("pot.voltage").values() for v in values]
    return bool(voltages) and not math.isnan(sum(voltages)) and "raw" in seen.receipts
