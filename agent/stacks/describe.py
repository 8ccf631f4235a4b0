"""What ``smelter agent check`` says of the stacks: what is measured how, limits, how judged."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from agent.stacks.settings import MEASUREMENT, PLANT_TIME, StackConfig
from drivers.language import say
from drivers.model import Point
from drivers.signals.stack import POLLUTANTS, needs

MINUTE_S = 60


def describe_stacks(stacks: Iterable[StackConfig], points: Iterable[Point]) -> list[dict[str, Any]]:
    """As JSON, one object a stack."""
    intervals: dict[str, dict[str, float]] = {}
    for point in points:
        if point.quantity.measurement == MEASUREMENT:
            of_one = intervals.setdefault(str(point.equipment), {})
            of_one[point.quantity.field] = point.interval_s
    return [_one(stack, intervals.get(stack.equipment, {})) for stack in stacks]


def _one(stack: StackConfig, intervals: dict[str, float]) -> dict[str, Any]:
    today = datetime.now(PLANT_TIME).date()
    fields = needs(stack.gas(), frozenset(intervals))
    followed = [name for name in POLLUTANTS if f"{name}_converted" in fields]
    wet, actual = stack.names("wet"), stack.names("actual")
    limits = {x.pollutant: x.hour_mg_m3 for x in stack.limits if x.holds_on(today)}
    return {
        "equipment": stack.equipment,
        "pollutants": {
            name: {
                "wet": name in wet,
                "actual": name in actual,
                "interval_s": max(intervals[x] for x in fields[f"{name}_converted"][:1]),
                "hour_limit_mg_m3": limits.get(name),
            }
            for name in followed
        },
        "reference_o2": stack.reference_o2,
        "flow": "flow_standard" in fields,
        "reading_spacing_s": stack.reading_spacing_s,
    }


def stack_lines(described: Iterable[dict[str, Any]]) -> list[str]:
    """A line for each stack, and one for whatever a person should know of it."""
    return [line for stack in described for line in _lines(stack)]


def _lines(stack: dict[str, Any]) -> list[str]:
    reference = stack["reference_o2"]
    told = (
        say("不折算", "not converted")
        if reference is None
        else say(f"折算至含氧量 {reference:g} %", f"converted to {reference:g} % O2")
    )
    parts = [_pollutant(name, each) for name, each in stack["pollutants"].items()]
    lines = [f"  {stack['equipment']}: {told}; {'; '.join(parts)}"]
    spacing = stack["reading_spacing_s"]
    every = {name: each["interval_s"] for name, each in stack["pollutants"].items()}
    slow = [name for name, interval_s in every.items() if spacing < interval_s <= MINUTE_S]
    never = [name for name, interval_s in every.items() if interval_s > MINUTE_S]
    if slow:
        names = ", ".join(slow)
        lines.append(
            say(
                f"    {names} 读数间隔大于 {spacing:g} 秒：分钟值按占比判定，不按读数个数",
                f"    {names}: readings more than {spacing:g} s apart; minutes are judged by their "
                "share, not by their number",
            )
        )
    if never:
        names = ", ".join(never)
        lines.append(
            say(
                f"    {names} 读数间隔大于 1 分钟：得不到有效小时均值，请加快采集",
                f"    {names}: less than one reading a minute, no hour will ever be valid; read "
                "them more often",
            )
        )
    if not stack["flow"]:
        lines.append(
            say(
                "    缺流速（或流量）或其换算所需测点：没有标干流量，不能计算排放量",
                "    no velocity or flow with what it is converted by: no standard flow, so no "
                "amounts",
            )
        )
    return lines


def _pollutant(name: str, each: dict[str, Any]) -> str:
    basis = say("湿基", "wet") if each["wet"] else say("干基", "dry")
    state = say("工况", "as in the duct") if each["actual"] else say("标态", "standard state")
    limit = each["hour_limit_mg_m3"]
    told = (
        say("无限值", "no limit")
        if limit is None
        else say(f"小时限值 {limit:g} mg/m3", f"hourly limit {limit:g} mg/m3")
    )
    return f"{name} {basis}{say('、', ', ')}{state}{say('、', ', ')}{told}"
