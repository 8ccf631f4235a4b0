"""What of ``[[stacks]]`` does not fit the point tables: told with line, both languages, at once."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from agent.stacks.settings import MEASUREMENT, StackConfig
from agent.toml_lines import Place, line_of
from drivers.language import say
from drivers.model import Point
from drivers.signals.stack import GAS, POLLUTANTS, needs

_MEASURED = frozenset((*POLLUTANTS, *GAS))


def stack_problems(
    path: Path, lines: dict[Place, int], stacks: Iterable[StackConfig], points: Iterable[Point]
) -> list[str]:
    """Every mistake; none where a point table itself could not be read."""
    read: dict[str, set[str]] = {}
    for point in points:
        if point.quantity.measurement == MEASUREMENT and point.mode != "report":
            read.setdefault(str(point.equipment), set()).add(point.quantity.field)
    found: list[str] = []
    first: set[str] = set()
    for i, stack in enumerate(stacks):
        where = f"{path.name}:{line_of(lines, ('stacks', i, 'equipment'))}: stacks {i + 1} "
        told = read.get(stack.equipment, set()) & _MEASURED
        texts = list(_of_one(stack, frozenset(told)))
        if stack.equipment in first:
            texts.append(say("设备重复", "is listed twice"))
        first.add(stack.equipment)
        found += [f"{where}{stack.equipment}: {text}" for text in texts]
    return found


def _of_one(stack: StackConfig, read: frozenset[str]) -> Iterator[str]:
    if not read:
        yield say(
            "没有读取该设备 stack 量的测点；请核对 equipment 或点表",
            "no point reads a stack quantity of this equipment; check the name or the point table",
        )
        return
    fields = needs(stack.gas(), read)
    sources = {"nox": {"nox": ("nox",), "no": ("no",)}.get(stack.nox_from, ("no", "no2"))}
    for name in POLLUTANTS:
        wanted = set(sources.get(name, (name,)))
        limited = any(limit.pollutant == name for limit in stack.limits)
        if not read.issuperset(wanted):
            if limited:
                missing = "、".join(f"stack.{x}" for x in sorted(wanted - read))
                yield say(
                    f"{name} 有限值，但没有测点 {missing}",
                    f"{name} has a limit, but no point reads {missing.replace('、', ', ')}",
                )
        elif f"{name}_converted" not in fields:
            yield _lacking(name, stack, read)


def _lacking(name: str, stack: StackConfig, read: frozenset[str]) -> str:
    """Which readings are missing to state a pollutant dry and converted."""
    gas = stack.gas()
    wanted: set[str] = {"temperature", "pressure"} if name in gas.actual else set()
    wanted |= {"humidity"} if name in gas.wet else set()
    if stack.reference_o2 is not None:
        wanted |= {"o2"} | ({"humidity"} if "o2" in gas.wet else set())
    given = {"pressure"} if stack.static_pa is not None else set()
    given |= {"humidity"} if stack.moisture_percent is not None else set()
    missing = sorted(wanted - read - given)
    told = ", ".join(f"stack.{x}" for x in missing)
    keys = {"pressure": "static_pa", "humidity": "moisture_percent"}
    instead = ", ".join(keys[x] for x in missing if x in keys)
    hint = say(f"；或填写 {instead}", f", or set {instead}") if instead else ""
    return say(
        f"{name} 无法换算为标干浓度（或折算）：缺测点 {told}{hint}；仪表已给出标态或干基值时，"
        "请在 actual、wet 中注明",
        f"{name} cannot be stated dry and converted: add points {told}{hint}; where the instrument "
        "gives standard state or dry values already, say so in actual and wet",
    )
