"""
What an engineer reads about a Modbus plan before the start: blocks, load, can it be done.

Pure arithmetic on configs and points; ``smelter agent check --plan`` prints it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from drivers.config import DeviceConfig
from drivers.language import language, plural
from drivers.model import Group
from drivers.plan import (
    Block,
    char_s,
    limits_of,
    order_blocks,
    plan_blocks,
    request_cost_chars,
    spans_of,
)

HURRIED_S = 0.01  # few devices answer faster than this on average

TEXTS = {
    "en": {
        "group": "every {0:g} s: {1} point{3} in {2} request{4}",
        "registers": "  {0:<24} {1:>4} register{3}, {2} asked for",
        "bits": "  {0:<24} {1:>4} bit{3}, {2} asked for",
        "load": "load: {0:.3g} requests/s; {1:.4g} registers/s read, {2:.4g} asked for ({3:.0f} %)",
        "hint": "with bridge_gap = {0} it would be {1} request{3} instead of {2}",
        "line": "line {0}: {1} devices, {2:.3g} requests/s",
        "busy": "the line itself is busy {0:.1f} % of the time",
        "good": "can be done if a request is answered within {0:.0f} ms on average",
        "hurried": "DOUBTFUL: a request would have to be answered within {0:.1f} ms on average",
        "over": "CANNOT BE DONE: one second of polling needs {0:.2f} s; "
        "make the intervals {0:.1f} times as long, or read less",
        "capped": "CANNOT BE DONE: {0:.3g} requests/s, but max_requests_per_s = {1:g}; "
        "make the intervals {2:.1f} times as long, or raise it",
        "timeout": "CANNOT BE DONE: the reply of {0} takes {1:.2f} s on the line, "
        "timeout_s is {2:g}; raise timeout_s or lower max_registers",
        "silent": "a silent device costs its neighbours up to {0:g} s each time it is tried",
    },
    "zh": {
        "group": "每 {0:g} 秒：{1} 个点，{2} 次请求",
        "registers": "  {0:<24} {1:>4} 个寄存器，其中需要 {2} 个",
        "bits": "  {0:<24} {1:>4} 位，其中需要 {2} 位",
        "load": "负荷：{0:.3g} 次请求/秒；读取 {1:.4g} 个寄存器/秒，需要 {2:.4g} 个（{3:.0f} %）",
        "hint": "若 bridge_gap = {0}，只需 {1} 次请求（现为 {2} 次）",
        "line": "线路 {0}：{1} 台设备，{2:.3g} 次请求/秒",
        "busy": "仅线路传输就占用 {0:.1f} % 的时间",
        "good": "可以完成，条件是每次请求平均在 {0:.0f} 毫秒内得到应答",
        "hurried": "存疑：每次请求平均须在 {0:.1f} 毫秒内得到应答",
        "over": "无法完成：一秒的采集需要 {0:.2f} 秒；请把采集周期延长到 {0:.1f} 倍，或减少读取量",
        "capped": "无法完成：每秒 {0:.3g} 次请求，而 max_requests_per_s = {1:g}；"
        "请把采集周期延长到 {2:.1f} 倍，或提高该上限",
        "timeout": "无法完成：{0} 的应答在线路上需 {1:.2f} 秒，而 timeout_s 为 {2:g}；"
        "请加大 timeout_s 或减小 max_registers",
        "silent": "设备不应答时，每次尝试最多耽误同线路其他设备 {0:g} 秒",
    },
}


@dataclass(frozen=True, slots=True)
class GroupPlan:
    """The requests that read one group of points."""

    interval_s: float
    points: int
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class DeviceLoad:
    """What a plan asks of one device, per second; ``busy`` is line time per second, at best."""

    device: DeviceConfig
    groups: tuple[GroupPlan, ...]
    requests_per_s: float
    registers_per_s: float  # read; 16 bits of coils count as one register
    asked_per_s: float  # that belong to a point
    busy: float
    slowest: Block  # the longest reply
    slowest_s: float  # the time its exchange takes on the line


def loads(devices: Iterable[DeviceConfig], groups: Sequence[Group]) -> tuple[DeviceLoad, ...]:
    """The load of every Modbus device that has points."""
    found = []
    for device in devices:
        mine = [group for group in groups if group.device == device.name]
        if device.driver.startswith("modbus") and mine:
            found.append(_load(device, mine))
    return tuple(found)


def _load(device: DeviceConfig, groups: Sequence[Group]) -> DeviceLoad:
    limits = limits_of(device)
    plans = tuple(
        GroupPlan(
            g.interval_s, len(g.points), order_blocks(plan_blocks(spans_of(g.points), limits))
        )
        for g in groups
    )
    each = [(plan.interval_s, block) for plan in plans for block in plan.blocks]
    slowest = max((block for _, block in each), key=lambda block: block.octets)
    return DeviceLoad(
        device=device,
        groups=plans,
        requests_per_s=sum(1 / interval_s for interval_s, _ in each),
        registers_per_s=sum(_registers(b, b.count) / interval_s for interval_s, b in each),
        asked_per_s=sum(_registers(b, b.asked) / interval_s for interval_s, b in each),
        busy=sum((_line_s(device, b) + device.pause_s) / interval_s for interval_s, b in each),
        slowest=slowest,
        slowest_s=_line_s(device, slowest),
    )


def _registers(block: Block, count: int) -> float:
    return count / 16 if block.table.packed else count


def _line_s(device: DeviceConfig, block: Block) -> float:
    """Time of one exchange on a serial line: request 8, reply 5 + data, silences 7 characters."""
    if device.driver != "modbus-rtu":
        return 0.0
    return (8 + 5 + block.octets + 7) * char_s(device)


@dataclass(frozen=True, slots=True)
class Explanation:
    """``lines`` for a person; ``warnings`` say what will not work at the asked intervals."""

    lines: tuple[str, ...]
    warnings: tuple[str, ...]
    possible: bool = True  # False: the device cannot deliver, however fast it answers


def explain(
    device: DeviceConfig,
    devices: Sequence[DeviceConfig],
    groups: Sequence[Group],
    lang: str | None = None,
) -> Explanation:
    """
    The plan of one Modbus device, and whether its line can carry it.

    ``devices`` and ``groups`` are all of the line, this device's among them; ``lang`` is zh or
    en, by default that of the environment.
    """
    text = TEXTS[lang or language()]
    line = loads(devices, groups)
    mine = next((load for load in line if load.device.name == device.name), None)
    if mine is None:
        return Explanation((), ())
    verdict, broken = _verdict(line, text)
    impossible = _impossible(mine, text)
    return Explanation(
        lines=(*_device_lines(mine, text), *verdict),
        warnings=(*impossible, *broken),
        possible=not impossible and sum(load.busy for load in line) <= 1,
    )


def _device_lines(load: DeviceLoad, text: dict[str, str]) -> list[str]:
    device = load.device
    lines = [f"{device.driver} {device.address} unit {device.unit}"]
    for plan in load.groups:
        lines.append(_group_line(plan, text))
        for block in plan.blocks:
            span = f"{block.table.word}:{block.start}-{block.start + block.count - 1}"
            what = text["bits" if block.table.packed else "registers"]
            lines.append(what.format(span, block.count, block.asked, plural(block.count)))
        lines += _hint(plan, device, text)
    share = 100 * load.asked_per_s / load.registers_per_s
    lines.append(
        text["load"].format(load.requests_per_s, load.registers_per_s, load.asked_per_s, share)
    )
    return lines


def _group_line(plan: GroupPlan, text: dict[str, str]) -> str:
    points, requests = plan.points, len(plan.blocks)
    return text["group"].format(plan.interval_s, points, requests, plural(points), plural(requests))


def _hint(plan: GroupPlan, device: DeviceConfig, text: dict[str, str]) -> list[str]:
    """The smallest ``bridge_gap`` that would at least halve the requests of a group."""
    limits = limits_of(device)
    spans = [span for block in plan.blocks for span in block.spans if not span.table.packed]
    gaps = {b.start - a.end for a, b in pairwise(spans) if a.table is b.table}
    longest = limits.registers
    if device.driver == "modbus-rtu":  # beyond it a gap takes longer than a request
        longest = int(request_cost_chars(device) // 2) + 1
    for gap in sorted(gap for gap in gaps if limits.bridge < gap < longest):
        wider = [b for b in plan.blocks if b.table.packed]
        wider += plan_blocks(spans, replace(limits, bridge=gap))
        if 2 * len(wider) <= len(plan.blocks):
            return [text["hint"].format(gap, len(wider), len(plan.blocks), plural(len(wider)))]
    return []


def _impossible(load: DeviceLoad, text: dict[str, str]) -> list[str]:
    """What one device cannot do, whatever its neighbours do."""
    device, block, found = load.device, load.slowest, []
    cap = device.max_requests_per_s
    if cap and load.requests_per_s > cap:
        rate = load.requests_per_s
        found.append(text["capped"].format(rate, cap, rate / cap))
    if load.slowest_s > device.timeout_s:
        span = f"{block.table.word}:{block.start}-{block.start + block.count - 1}"
        found.append(text["timeout"].format(span, load.slowest_s, device.timeout_s))
    return found


def _verdict(line: Sequence[DeviceLoad], text: dict[str, str]) -> tuple[list[str], list[str]]:
    """What one line carries, and what is too much for it."""
    rate = sum(load.requests_per_s for load in line)
    busy = sum(load.busy for load in line)
    found = [text["line"].format(line[0].device.address, len(line), rate)] if len(line) > 1 else []
    if len(line) > 1:
        found.append(text["silent"].format(max(load.device.timeout_s for load in line)))
    if busy:
        found.append(text["busy"].format(100 * busy))
    if busy > 1:
        return found, [text["over"].format(busy)]
    patience_s = (1 - busy) / rate
    if patience_s < HURRIED_S:
        return found, [text["hurried"].format(1000 * patience_s)]
    if not any(_impossible(load, text) for load in line):
        found.append(text["good"].format(1000 * patience_s))
    return found, []
