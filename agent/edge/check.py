"""``smelter agent check``: what a good config would do, in words and as JSON."""

from collections.abc import Iterator
from typing import Any

from agent.edge.config import GatewayConfig, LineConfig
from agent.stacks.describe import describe_stacks, stack_lines
from drivers.cli import language
from drivers.config import DeviceConfig, make_driver
from drivers.language import plural, say
from drivers.model import ConfigError, Group
from drivers.profiles import doubts

Described = dict[str, Any]


def describe(config: GatewayConfig, *, plan: bool) -> Described:
    """Devices, points, samples per second; with ``plan`` the requests. May raise ConfigError."""
    problems: list[str] = []
    devices = []
    for line in config.lines:
        try:
            make_driver(line.devices, line.groups)
        except ConfigError as error:
            problems += error.problems
            continue
        devices += [_device(device, line, plan=plan) for device in line.devices]
    if problems:
        raise ConfigError(problems)
    stacks = describe_stacks(config.stacks, config.points)
    folder = config.path.parent
    unsure = doubts(folder / d.profile for d in config.devices if d.profile is not None)
    return {
        "plant": config.plant,
        "gateway": config.gateway,
        "config": config.digest,
        "data_dir": str(config.data_dir),
        "broker": config.mqtt.url,
        "lines": len(config.lines),
        "points": len(config.points),
        "samples_per_s": round(sum(device["samples_per_s"] for device in devices), 3),
        "devices": devices,
        **({"stacks": stacks} if stacks else {}),
        **({"profiles_to_check": unsure} if unsure else {}),
        **({"notes": notes} if (notes := list(_notes(config))) else {}),
    }


def _notes(config: GatewayConfig) -> Iterator[str]:
    """What is allowed, and better otherwise."""
    readable = [
        f"device {each.name}"
        for each in config.devices
        if each.hj212 is not None and each.hj212.pw and each.hj212.pw_file is None
    ]
    readable += [f"forward {x.name}" for x in config.forward if x.pw_file is None]
    if readable:
        named = ", ".join(readable)
        yield say(
            f"{named}：HJ 212 的 pw 写在配置中；可改用 pw_file（协议本身仍以明文传送）",
            f"{named}: pw of HJ 212 stands in the config; pw_file keeps it out of it (the protocol "
            "sends it readable all the same)",
        )


def _device(device: DeviceConfig, line: LineConfig, *, plan: bool) -> Described:
    groups = [group for group in line.groups if group.device == device.name]
    described: Described = {
        "name": device.name,
        "driver": device.driver,
        "address": device.address,
        "points": sum(len(group.points) for group in groups),
        "samples_per_s": sum(len(group.points) / group.interval_s for group in groups),
    }
    if plan:
        described |= _plan(device, line, groups)
    return described


def _plan(device: DeviceConfig, line: LineConfig, groups: list[Group]) -> Described:
    """What the driver room explains about the requests of a device, and its warnings."""
    if not device.driver.startswith("modbus"):
        listens = device.driver == "hj212"
        plan = [_logger(device, g) if listens else _opcua(device, g) for g in groups]
        return {"plan": plan, "warnings": [], "possible": True}
    from drivers.explain import explain

    explained = explain(device, line.devices, line.groups)
    return {
        "plan": list(explained.lines),
        "warnings": list(explained.warnings),
        "possible": explained.possible,
    }


def _logger(device: DeviceConfig, group: Group) -> str:
    mn, count = device.hj212.mn if device.hj212 else "", len(group.points)
    what = say("分钟、小时、日数据", "minutes, hours and days")
    if group.mode != "report":
        what = say("实时数据", "real-time data")
    return say(
        f"监听 {device.address}，数采仪 MN={mn}：{what}，{count} 个量",
        f"listens on {device.address}, logger MN={mn}: {count} values of its {what}",
    )


def _opcua(device: DeviceConfig, group: Group) -> str:
    nodes, zh = len({point.address for point in group.points}), language() == "zh"
    if group.mode == "subscribe":
        every = f"{device.sampling_ms or 1000 * group.interval_s:g} ms"
        return (
            f"订阅 {nodes} 个节点，采样 {every}"
            if zh
            else f"{nodes} node{plural(nodes)} subscribed, {every}"
        )
    reads = -(-nodes // device.max_nodes_per_read)
    if zh:
        return f"每 {group.interval_s:g} 秒：{nodes} 个节点，{reads} 次读取"
    every = f"every {group.interval_s:g} s"
    return f"{every}: {nodes} node{plural(nodes)} in {reads} read{plural(reads)}"


def summary(described: Described) -> str:
    """A few lines for a person."""
    zh = language() == "zh"
    devices = described["devices"]
    rate = f"{described['samples_per_s']:g}"
    head = (
        f"配置正确：{len(devices)} 台设备，{described['points']} 个点，每秒 {rate} 个采样"
        if zh
        else f"good: {_counted(len(devices), 'device')}, {_counted(described['points'], 'point')}, "
        f"{rate} samples/s"
    )
    rows = [
        f"  {d['name']}: {d['driver']} {d['address']}, "
        + (f"{d['points']} 点" if zh else _counted(d["points"], "point"))
        for d in devices
    ]
    notes = [f"  {note}" for note in described.get("notes", [])]
    unsure = [f"! {doubt}" for doubt in described.get("profiles_to_check", [])]
    return "\n".join([head, *rows, *stack_lines(described.get("stacks", [])), *notes, *unsure])


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{plural(count)}"


def explain_plan(described: Described) -> str:
    """The requests of each device, and what it cannot deliver."""
    word = "警告" if language() == "zh" else "WARNING"
    lines: list[str] = []
    for device in described["devices"]:
        lines += [f"{device['name']}:", *(f"  {line}" for line in device["plan"])]
        lines += [f"  {word}: {warning}" for warning in device["warnings"]]
    return "\n".join(lines)
