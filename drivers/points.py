"""
Point tables and profiles → ``Point``s, with every mistake of a table at once.

The CSV itself (encoding, header, templates) is read by ``drivers/tables.py``; a cell is checked in
``drivers/cells.py``. Columns: docs/architecture.md, "Point table".
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from drivers.cells import Cells
from drivers.config import DeviceConfig
from drivers.hj212.places import parse_place
from drivers.language import say, why
from drivers.model import ConfigError, Equipment, Group, Point
from drivers.opcua.nodes import parse_address as parse_node_id
from drivers.plan import Address, parse_address, width_of
from drivers.tables import REQUIRED, Row, decode_table, expansions, in_column, read_rows


def load_points(device: DeviceConfig, folder: Path) -> tuple[Point, ...]:
    """
    The points of a device, from its table or profile (paths relative to ``folder``).

    Raises ConfigError with a line ``file:line: column X: what to write instead`` for each mistake.
    """
    table = device.points or device.profile
    if table is None:
        told = say("请给出 points 或 profile", "give points or profile")
        raise ConfigError([f"device {device.name}: {told}"])
    name = str(table)
    try:
        data = (folder / table).read_bytes()
    except OSError as error:
        told = say(f"无法读取 {name}", f"cannot read {name}")
        raise ConfigError([f"device {device.name}: {told}: {why(error)}"]) from None
    needed = {*REQUIRED}
    needed -= set() if device.profile is None else {"equipment"}
    needed -= set() if device.driver.startswith("modbus") else {"type"}
    names = {"address"} if device.driver == "opcua" else set()  # a node may be called so
    rows, problems = read_rows(decode_table(data, name), name, needed, names)
    points: list[Point] = []
    for row in rows:
        points += _points_of(row, device, problems)
    if not points and not problems:
        told = say(
            "没有测点；表头以下请每个量写一行",
            "no points; write one line per quantity under the header",
        )
        problems.append(f"{name}: {told}")
    problems += _duplicates(points)
    if device.driver.startswith("modbus"):
        problems += _overlaps(points)
    if problems:
        raise ConfigError(problems)
    return tuple(points)


def group_points(points: Iterable[Point]) -> tuple[Group, ...]:
    """Points read together: a group per device, interval and mode, in order of appearance."""
    groups: dict[tuple[str, float, str], list[Point]] = {}
    for point in points:
        groups.setdefault((point.device, point.interval_s, point.mode), []).append(point)
    return tuple(Group(device, s, tuple(members)) for (device, s, _), members in groups.items())


def check_plant(points: Iterable[Point]) -> list[str]:
    """
    What is wrong between the devices of a plant: one point id must come from one device only.

    One line per pair of table rows, so that overlapping ``{001..036}`` templates are named once.
    """
    first: dict[str, Point] = {}
    clashes: dict[tuple[str, str], list[Point]] = {}
    for point in points:
        known = first.setdefault(point.id, point)
        if known is not point and known.device != point.device:
            clashes.setdefault((point.where, known.where), []).append(point)
    return [
        f"{where}: {_clash(found, first[found[0].id].device, known)}"
        for (where, known), found in clashes.items()
    ]


def _clash(found: Sequence[Point], other: str, known: str) -> str:
    return say(
        f"设备 {found[0].device} 的 {_named(found)}：设备 {other} 也读取它（{known}）；"
        "请删去一个，或改用不同的 equipment 名称",
        f"{_named(found)} of device {found[0].device}: device {other} reads it too ({known}); "
        "remove one, or name the equipment differently",
    )


def _points_of(row: Row, device: DeviceConfig, problems: list[str]) -> list[Point]:
    """The points of one line; none when the line has a mistake."""
    cells = Cells(row, problems)
    modbus = device.driver.startswith("modbus")
    prototype = cells.prototype(device, modbus=modbus)
    equipment = _equipment(cells, device)
    addresses = _addresses(cells, device, len(equipment), modbus=modbus)
    if cells.failed or prototype is None:
        return []
    if device.driver == "hj212":  # a logger speaks when it likes: moments, or what it summed up
        summed = parse_place(addresses[0]).summed
        prototype = replace(prototype, mode="report" if summed else "subscribe")
    return [
        replace(prototype, equipment=where, address=address)
        for where, address in zip(equipment, addresses, strict=True)
    ]


def _equipment(cells: Cells, device: DeviceConfig) -> list[Equipment]:
    text = cells.text("equipment")
    if device.profile is not None:
        if text:
            cells.fail(
                "equipment",
                say(
                    f"profile 中请留空；由设备 {device.name} 的 equipment 给出",
                    f"leave it empty in a profile; device {device.name} names it",
                ),
            )
        text = device.equipment
    try:
        return [Equipment.parse(name) for name in expansions(text)]
    except ValueError as error:
        cells.fail("equipment", str(error))
        return []


def _addresses(cells: Cells, device: DeviceConfig, n: int, *, modbus: bool) -> list[str]:
    """One address for each of the ``n`` pieces of equipment of a line."""
    try:
        texts = expansions(cells.text("address"))
        stride = device.stride if device.profile is not None else 0
        stride = int(cells.number("stride", stride, low=0, high=65535, whole=True))
        _check_counts(texts, n, stride if modbus else -1)
        texts = texts * n if len(texts) == 1 else texts
        if device.driver == "hj212":
            return [_checked_place(text, cells.text("quantity")) for text in texts]
        if not modbus:
            return [_node_id(text) for text in texts]
        return [_absolute(parse_address(text), device, i * stride) for i, text in enumerate(texts)]
    except ValueError as error:
        cells.fail("address", str(error))
        return []


def _check_counts(texts: Sequence[str], n: int, stride: int) -> None:
    """Raises ValueError unless the addresses differ; a stride of -1 cannot make them differ."""
    if len(texts) > 1 and len(texts) != n:
        raise ValueError(
            say(
                f"展开为 {len(texts)} 个地址，而 equipment 有 {n} 个；两者须一致",
                f"makes {len(texts)} addresses for {n} pieces of equipment; they must agree",
            )
        )
    if len(texts) == 1 and n > 1 and stride <= 0:
        wanted = (
            say("stride（相邻两台设备相隔的寄存器数）", "a stride (registers from one to the next)")
            if stride == 0
            else say("地址中的 {…}", "{…} in the address")
        )
        raise ValueError(
            say(
                f"{n} 个 equipment 会读同一个地址；请给出 {wanted}",
                f"{n} pieces of equipment would read the same address; give {wanted}",
            )
        )


def _absolute(address: Address, device: DeviceConfig, shift: int) -> str:
    if address.relative and device.profile is None:
        raise ValueError(
            say(
                f"{str(address)!r} 是相对地址，只用于 profile；请去掉 +",
                f"{str(address)!r} is relative; that is for profiles: write it without +",
            )
        )
    if not address.relative and device.profile is not None:
        raise ValueError(
            say(
                f"{str(address)!r}：profile 从 base 起算，请在数字前加 +",
                f"{str(address)!r}: a profile counts from its base: put + before the number",
            )
        )
    number = address.number + shift + (device.base if address.relative else 0)
    if number > 65535:
        place = f"{address.table.word}:{number}"
        raise ValueError(
            say(
                f"{place} 超出 65535；请检查 base 和 stride",
                f"{place} is beyond 65535; check base and stride",
            )
        )
    return str(replace(address, number=number, relative=False))


def _checked_place(text: str, quantity: str) -> str:
    """HJ 212: real-time data are measured, minutes, hours and days are the logger's own."""
    if parse_place(text).summed != quantity.startswith("cems."):
        raise ValueError(
            say(
                f"{text!r}：min、hour、day 对应 cems.*，rtd、state 对应其他量，而此处为 {quantity}",
                f"{text!r}: min, hour and day are cems.* quantities, rtd and state others; "
                f"here it is {quantity}",
            )
        )
    return text


def _node_id(text: str) -> str:
    """OPC UA: namespaces by URI, because a server may number them anew when it restarts."""
    if text.startswith("ns=") and not text.startswith("ns=0;"):
        number = text.partition(";")[0]
        raise ValueError(
            say(
                f"{text!r}：请用 nsu=<命名空间 URI> 代替 {number}；服务器重启后编号可能改变",
                f"{text!r}: write nsu=<namespace URI> instead of {number}; "
                "the number can change when the server restarts",
            )
        )
    parse_node_id(text)
    return text


def _duplicates(points: Iterable[Point]) -> list[str]:
    first: dict[str, Point] = {}
    again: dict[tuple[str, str], list[Point]] = {}
    for point in points:
        known = first.setdefault(point.id, point)
        if known is not point:
            again.setdefault((point.where, known.where), []).append(point)
    return [
        f"{where}: {_named(found)}"
        + say(f" 与 {known} 重复；请删去一个", f" is there already in {known}; remove one")
        for (where, known), found in again.items()
    ]


def _named(points: Sequence[Point]) -> str:
    if len(points) == 1:
        return points[0].id
    rest, last = len(points) - 1, points[-1].equipment
    return points[0].id + say(f"（及另外 {rest} 个，至 {last}）", f" (and {rest} more, to {last})")


def _overlaps(points: Iterable[Point]) -> list[str]:
    """Registers that two points read as different things: one of them is surely wrong."""
    kept = list(points)
    spans = sorted(
        ((a.table.value, a.number, a.number + width_of(p)), k)
        for k, p in enumerate(kept)
        for a in (parse_address(p.address),)
        if p.type != "bool"
    )
    problems: dict[tuple[str, str], str] = {}
    reach = ((0, 0, 0), 0)
    for span, k in spans:
        before, point = kept[reach[1]], kept[k]
        if span[0] == reach[0][0] and span[1] < reach[0][2]:
            same = span == reach[0] and (point.type, point.order) == (before.type, before.order)
            if not same:
                problems.setdefault((point.where, before.where), _overlap(point, before))
        if span[0] != reach[0][0] or span[2] > reach[0][2]:
            reach = (span, k)
    return list(problems.values())


def _overlap(point: Point, before: Point) -> str:
    this = f"{point.address} ({point.type}, {point.id})"
    that = f"{before.address} ({before.type} {before.order}, {before.id})"
    told = say(
        f"{this} 与 {before.where} 的 {that} 重叠；请改正 address、type、order 或 stride",
        f"{this} overlaps {that} of {before.where}; correct address, type, order or stride",
    )
    return f"{point.where}: {in_column('address')}: {told}"
