"""One poll of every group, for ``smelter agent read``: what an engineer sees at the cabinet."""

import asyncio
import math
import time
from dataclasses import dataclass

from agent.edge.config import GatewayConfig, LineConfig
from agent.minutes.quality import Judge
from agent.wire.encode import format_of
from drivers.config import make_driver
from drivers.model import DriverError, Frame, Group, Quality


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """The judged frame of one group, or why there is none."""

    group: Group
    frame: Frame

    @property
    def device(self) -> str:
        return self.group.device

    @property
    def reason(self) -> str:
        return self.frame.reason

    @property
    def answered(self) -> bool:
        return bool((self.frame.quality != Quality.NO_DATA).any())

    def _latest(self) -> list[tuple[float, Quality, str]]:
        """Value, quality and text of each point; a subscription's points by their last sample."""
        count = len(self.group.points)
        found = [(math.nan, Quality.NO_DATA, "")] * count
        index = range(count) if self.frame.index is None else self.frame.index.tolist()
        for k, i in enumerate(index):
            value, code = float(self.frame.values[k]), Quality(int(self.frame.quality[k]))
            found[i] = (value, code, self.frame.texts.get(i, ""))
        return found

    def rows(self, *, zh: bool) -> list[tuple[str, ...]]:
        """Lines of the table."""
        rows: list[tuple[str, ...]] = []
        for point, (value, code, text) in zip(self.group.points, self._latest(), strict=True):
            name = f"{point.quantity.name} {point.quantity.zh if zh else point.quantity.en}"
            shown = text or ("–" if math.isnan(value) else format_of(point)(value))
            unit = point.quantity.unit
            where = (self.device, str(point.equipment), name)
            rows.append((*where, shown, unit, code.wire, point.address))
        return rows

    def as_json(self) -> dict[str, object]:
        """The same for a machine."""
        values = [
            {
                "equipment": str(point.equipment),
                "quantity": point.quantity.name,
                "value": text or (None if math.isnan(value) else value),
                "unit": point.quantity.unit,
                "quality": code.wire,
                "address": point.address,
            }
            for point, (value, code, text) in zip(self.group.points, self._latest(), strict=True)
        ]
        return {
            "device": self.device,
            "interval_s": self.group.interval_s,
            "read_ns": self.frame.read_ns,
            "reason": self.reason,
            "values": values,
        }


async def read_once(config: GatewayConfig, device: str = "") -> list[Reading]:
    """Read every group of all devices, or of one; lines side by side."""
    async with asyncio.TaskGroup() as tasks:
        found = [tasks.create_task(_line(line, device)) for line in config.lines]
    return [reading for task in found for reading in task.result()]


async def _line(line: LineConfig, device: str) -> list[Reading]:
    groups = [group for group in line.groups if not device or group.device == device]
    readings: list[Reading] = []
    if not groups:
        return readings
    async with make_driver(line.devices, line.groups) as driver:
        for group in groups:
            slot_ns = time.time_ns()
            try:
                frame = await driver.read(group, slot_ns)
            except DriverError as error:
                frame = Frame.missing(group, slot_ns, time.time_ns(), Quality.NO_DATA, str(error))
            readings.append(Reading(group, Judge(group).judge(frame)))
    return readings
