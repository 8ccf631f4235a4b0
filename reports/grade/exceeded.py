"""Evidence of the permit: no hour above its limits, or reported when equipment caused it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from reports.assembly import Argument
from reports.emissions.hours import exceedances
from reports.emissions.states import HOUR_NS, Exceedance, StackHours
from reports.grade.bench import Bench, figure
from reports.grade.evidence import NoExceedance
from reports.grade.findings import Case, Finding, Status, join, unknown
from reports.grade.measured import HUNDRED, capture_of, pollutant_name
from reports.grade.ours import ours
from reports.grade.unjudged import hidden_permit, lacks, told, without_limit
from reports.periods import PLANT_TIME
from reports.site_stacks import Stack
from reports.values import Text

CASES: Final = 200  # listed; the rest is counted


@dataclass(frozen=True, slots=True)
class _Unjudged:
    """What keeps hours from being held against the permit, and those above it that a mark hides."""

    lacking: tuple[Text, ...]
    hidden: tuple[Case, ...]
    thin: bool  # too few hours valid


def no_exceedance(bench: Bench, industry: str, asked: NoExceedance) -> Finding:
    """Permit limits kept all year; what equipment caused was reported when it occurred."""
    stacks = [x for x in bench.stacks(industry, asked.stacks) if x.limits]
    if not stacks:
        return unknown(
            "没有带许可限值的排放口", "no stack with limits of its permit in site.toml", "set_up"
        )
    open_cases: list[Case] = []
    hidden: list[Case] = []
    lacking: list[Text] = []
    explained, counted, thin = 0, 0, False
    inputs: list[Argument] = []
    for stack in stacks:
        hours = bench.hours(stack)
        for name in stack.pollutants:
            lacking += (*without_limit(hours, name), *lacks(bench, hours, name))
        for each in exceedances(hours, stack):
            if not each.judged:
                hidden += hidden_permit(each, hours)
                continue
            counted += each.hours
            if _reported(bench, each):
                explained += each.hours
            else:
                open_cases.append(_exceeded(each))
        captures = [capture_of(mine) for mine in hours.pollutants.values()]
        thin = thin or any(
            x is None or x * HUNDRED < ours().least_capture_percent for x in captures
        )
        inputs.append(_exceeded_line(bench, hours, stack))
    more = _Unjudged(tuple(lacking), tuple(hidden), thin=thin)
    return _exceedance_finding(open_cases, (explained, counted), tuple(inputs), more)


def _exceeded_line(bench: Bench, hours: StackHours, stack: Stack) -> Argument:
    total = sum(each.hours for each in exceedances(hours, stack) if each.judged)
    label = Text(zh=f"{stack.name.zh}超许可限值小时", en=f"{stack.name.en}: hours above the permit")
    head = figure(stack.id, "year_exceeded_hours", label, "h", 0)
    return bench.line(head, Decimal(total), bench.sources(hours, stack.pollutants))


def _exceedance_finding(
    open_cases: Sequence[Case],
    hours: tuple[int, int],
    inputs: tuple[Argument, ...],
    more: _Unjudged,
) -> Finding:
    explained, counted = hours
    unsure = more.thin or bool(more.lacking)
    status = Status.FAILED if open_cases else Status.UNKNOWN if unsure else Status.PROVEN
    zh = f"超许可限值 {counted} 小时，其中发生时已报告 {explained} 小时"
    en = f"{counted} hours above the permit, {explained} of them reported when they occurred"
    if more.thin:
        zh += f"；有效率低于 {ours().least_capture_percent} %（本程序自定），不足以证明"
        en += f"; captured below {ours().least_capture_percent} % (our own limit)"
    return Finding(
        status,
        join([Text(zh=zh, en=en), *more.lacking, *told(more.hidden)]),
        Decimal(counted),
        "h",
        0,
        inputs,
        (*open_cases, *more.hidden)[:CASES],
        effort="" if status is Status.PROVEN else "wait",
    )


def _reported(bench: Bench, each: Exceedance) -> bool:
    """A record says that equipment was the cause, and that it was reported within a day (ours)."""
    for record in bench.journal.records:
        if record.number not in each.handled:
            continue
        by_equipment = record.what in {"control", "instrument"}
        if by_equipment and (told := record.facts.get("reported_at", "")):
            moment = datetime.fromisoformat(told.replace(" ", "T"))
            moment = moment if moment.tzinfo else moment.replace(tzinfo=PLANT_TIME)
            late_ns = each.start_ns + ours().report_hours * HOUR_NS
            if moment.timestamp() * 10**9 <= late_ns:
                return True
    return False


def _exceeded(each: Exceedance) -> Case:
    name = pollutant_name(each.pollutant)
    return Case(
        each.stack,
        each.start_ns,
        each.end_ns,
        Text(
            zh=f"{name.zh}最高 {each.highest:.2f} mg/m3，许可限值 {each.limit:g}，未见发生时的报告",
            en=f"{name.en} up to {each.highest:.2f} mg/m3, permit {each.limit:g}, "
            "no report of the time it occurred",
        ),
    )
