"""What a Modbus device tells before it is configured: who it is, which unit answers, word order."""

import os
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from agent.minutes.quality import Judge
from agent.setup.answers import UNITS, DeviceAnswers
from agent.setup.preview import plainly
from drivers.config import DeviceConfig, make_driver
from drivers.decode import register_type
from drivers.identify import Identity, identify
from drivers.language import say, why
from drivers.model import Driver, DriverError, Frame, Group, Kind, Quality, UnreachableError
from drivers.points import group_points, load_points

ORDERS = ("ABCD", "CDAB", "BADC", "DCBA")
TINY = 1e-6  # a float read in the wrong order is mostly next to nothing, or enormous
TIMEOUT_S = 1.0


@dataclass
class Answered:
    """Of one device; ``units`` are those that answered, with what they say they are."""

    units: dict[int, Identity | None] = field(default_factory=dict)
    silent: dict[int, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {
            "units": {
                str(unit): None if who is None else {k: v for k, v in asdict(who).items() if v}
                for unit, who in self.units.items()
            },
            "silent": {str(unit): why for unit, why in self.silent.items()},
        }

    def said(self) -> list[str]:
        """For a person."""
        lines = []
        for unit, who in self.units.items():
            texts = [text for text in asdict(who).values() if text] if who else []
            nameless = say(
                "有应答，但无设备标识（43/14）", "answers, without identification (43/14)"
            )
            lines.append(say(f"从站 {unit}：", f"unit {unit}: ") + (", ".join(texts) or nameless))
        if not self.units:
            lines += [
                say(f"从站 {unit}：{plainly(why)}", f"unit {unit}: no answer ({why})")
                for unit, why in self.silent.items()
            ]
        return [*lines, *self.remarks]


async def ask_units(device: DeviceAnswers) -> Answered:
    """
    Identification (43/14) of the unit that was named, or of a short list; nothing else is sent.

    A device without it answers with an exception, and so is there.
    """
    found = Answered()
    if device.driver == "modbus-rtu":
        found.remarks.append(_port_opens(device.address))
        if device.unit is None:
            found.remarks.append(say("未写从站号，按 1 读取", "no unit id given: 1 is read"))
        return found
    if device.driver != "modbus-tcp":
        found.remarks.append(
            say("未询问设备标识：仅 Modbus/TCP", "not asked who it is: Modbus/TCP only")
        )
        return found
    for unit in (device.unit,) if device.unit is not None else UNITS:
        asked = DeviceConfig(
            name=device.name,
            driver=device.driver,
            address=device.address,
            unit=unit,
            points=Path("none.csv"),
            timeout_s=device.timeout_s or TIMEOUT_S,
        )
        try:
            found.units[unit] = await identify(asked)
        except DriverError as error:
            found.silent[unit] = str(error)
            if "cannot reach" in str(error):
                break  # nobody is there: the other units neither
    return found


def _port_opens(port: str) -> str:
    """Says so; UnreachableError with why not, and what to do."""
    try:
        opened = os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError as error:
        told = say(
            f"串口 {port} 打不开：{why(error)}；是否接上、是否有权限（dialout 组）",
            f"serial port {port} does not open: {why(error)}; is it plugged in, and are you in the "
            "group dialout",
        )
        raise UnreachableError(told) from None
    try:
        if not os.isatty(opened):
            raise UnreachableError(say(f"{port} 不是串口", f"{port} is no serial port"))
    finally:
        os.close(opened)
    return say(f"串口 {port} 可以打开", f"serial port {port} opens")


async def best_order(device: DeviceConfig, folder: Path) -> tuple[str, dict[str, int], int]:
    """
    The word order in which most wide values are plausible, how many are in each, how many refused.

    "" when it has no wide values, or none can be told: zeros look alike in every order.
    """
    points = load_points(device, folder)
    plain = [p for p in points if not p.type.startswith(("bool", "ascii", "bcd"))]
    wide = [p for p in plain if register_type(p.type).words > 1]
    if not wide:
        return "", {}, 0
    plausible: dict[str, int] = {}
    refused = 0
    for order in ORDERS:
        swapped = tuple(replace(point, order=order) for point in wide)
        groups = group_points(swapped)
        async with make_driver((device,), groups) as driver:
            frames = [await _frame(driver, group) for group in groups]
        plausible[order] = sum(map(_good, frames))
        refused = max(refused, sum(int((f.quality == Quality.REFUSED).sum()) for f in frames))
    most = max(plausible.values())
    best = [order for order in ORDERS if plausible[order] == most]
    return (best[0] if most and len(best) == 1 else ""), plausible, refused


async def _frame(driver: Driver, group: Group) -> Frame:
    slot_ns = time.time_ns()
    try:
        return await driver.read(group, slot_ns)
    except DriverError as error:
        return Frame.missing(group, slot_ns, time.time_ns(), Quality.NO_DATA, str(error))


def _good(frame: Frame) -> int:
    """Samples in range that are not (next to) nothing; counters count less than gauges."""
    judged = Judge(frame.group).judge(frame)
    good = judged.quality == Quality.GOOD
    seen = np.abs(judged.values)
    told = good & (seen > TINY)
    weights = [1 if p.quantity.kind is Kind.COUNTER else 2 for p in frame.group.points]
    return int(np.dot(told, weights))
