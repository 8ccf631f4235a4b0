"""Evidence from stack hours: limits met for a whole year, valid CEMS data."""

from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import Final

import numpy as np

from reports.assembly import Argument
from reports.emissions.states import (
    AUTOMATIC,
    HOUR_NS,
    Bools,
    PollutantHours,
    StackHours,
    State,
)
from reports.grade.bench import Bench, figure
from reports.grade.evidence import POLLUTANTS, LimitsMet, Uptime
from reports.grade.findings import Case, Finding, Status, join, unknown, worst
from reports.grade.ours import ours
from reports.grade.unjudged import hidden_above, lacks, told
from reports.journal.forms import FORMS, word_name
from reports.metered import amount
from reports.site_stacks import Stack
from reports.values import Text

MARKS: Final = {
    **{word: word_name("mark", word) for word in FORMS["mark"].words},
    "instrument": Text(zh="仪器状态", en="instrument state"),
}
CASES: Final = 200  # listed; the rest is counted
HUNDRED: Final = Decimal(100)


@dataclass(frozen=True, slots=True)
class _OfStack:
    """What one stack says of a limit."""

    status: Status
    text: Text
    highest: Decimal | None
    above: int
    valid: int
    inputs: tuple[Argument, ...]
    cases: tuple[Case, ...]


def limits_met(bench: Bench, industry: str, asked: LimitsMet) -> Finding:
    """Every judged hour of the year at or below the limit, at every stack that is meant."""
    meant = bench.stacks(industry, asked.stacks)
    lacking = sorted(set(asked.stacks) - {stack.id for stack in meant})
    if lacking:
        return unknown(
            f"site.toml 中没有排放口 {'、'.join(lacking)}",
            f"no stack {', '.join(lacking)} in site.toml",
            "set_up",
        )
    named = bool(asked.stacks)
    stacks = [stack for stack in meant if named or asked.pollutant in stack.pollutants]
    name = pollutant_name(asked.pollutant)
    if not stacks:
        return unknown(f"没有排放口监测{name.zh}", f"no stack has {name.en} measured", "set_up")
    found = [_of_stack(bench, stack, asked) for stack in stacks]
    known = [each.highest for each in found if each.highest is not None]
    status = worst([each.status for each in found])
    above, valid = sum(x.above for x in found), sum(x.valid for x in found)
    often = valid > 0 and Decimal(above) * HUNDRED > ours().rebuild_percent * valid
    return Finding(
        status,
        join([each.text for each in found]),
        max(known) if known else None,
        "mg/m3",
        2,
        tuple(argument for each in found for argument in each.inputs),
        tuple(case for each in found for case in each.cases),
        effort="" if status is Status.PROVEN else "rebuild" if above and often else "wait",
    )


def pollutant_name(pollutant: str) -> Text:
    """What a pollutant is called."""
    return POLLUTANTS.get(pollutant, Text(zh=pollutant, en=pollutant))


def _of_stack(bench: Bench, stack: Stack, asked: LimitsMet) -> _OfStack:
    at = stack.reference_o2
    if asked.reference_o2 is not None and at != asked.reference_o2:
        wanted = asked.reference_o2
        text = Text(
            zh=f"{stack.id} 折算基准氧为 {'无' if at is None else at} %，指标表为 {wanted} %",
            en=f"{stack.id} is converted to {'none' if at is None else at} % O2, "
            f"the table wants {wanted} %",
        )
        return _OfStack(Status.UNKNOWN, text, None, 0, 0, (), ())
    hours = bench.hours(stack)
    mine = hours.pollutants.get(asked.pollutant)
    if mine is None:
        text = Text(zh=f"{stack.id} 未监测该污染物", en=f"{stack.id} does not measure it")
        return _OfStack(Status.UNKNOWN, text, None, 0, 0, (), ())
    judged = mine.judged & ~np.isnan(mine.converted)
    above: Bools = judged & (mine.converted > float(asked.limit))
    capture = capture_of(mine)
    enough = capture is not None and capture * HUNDRED >= ours().least_capture_percent
    lacking = lacks(bench, hours, asked.pollutant)
    status = (
        Status.FAILED
        if above.any()
        else Status.PROVEN
        if enough and judged.any() and not lacking
        else Status.UNKNOWN
    )
    hidden = hidden_above(hours, mine, float(asked.limit))
    highest = amount(float(mine.converted[judged].max())) if judged.any() else None
    return _OfStack(
        status,
        join(
            [_limit_text(hours, mine, (judged, above), capture, highest), *lacking, *told(hidden)]
        ),
        highest,
        int(above.sum()),
        int(judged.sum()),
        _limit_lines(bench, hours, mine, highest, capture),
        (*_cases(stack.id, hours, above, mine.converted, asked), *hidden),
    )


def _limit_text(
    hours: StackHours,
    mine: PollutantHours,
    masks: tuple[Bools, Bools],
    capture: Decimal | None,
    highest: Decimal | None,
) -> Text:
    judged, above = masks
    place, marked = hours.stack.id, _marked(hours, mine)
    excluded, exempt = int(mine.having(State.EXCLUDED).sum()), int((mine.valid & mine.exempt).sum())
    share = "—" if capture is None else f"{capture * HUNDRED:.2f} %"
    top = "—" if highest is None else f"{highest:.2f}"
    zh = f"{place}：有效小时 {int(judged.sum())}，最高 {top} mg/m3，超出 {int(above.sum())} 小时"
    en = f"{place}: {int(judged.sum())} valid hours, highest {top} mg/m3, {int(above.sum())} above"
    few = Text(zh="", en="") if capture is None else _too_little(capture)
    return Text(
        zh=f"{zh}；标记剔除 {excluded}{marked.zh}，启停 {exempt}；有效率 {share}{few.zh}",
        en=f"{en}; left out by marks {excluded}{marked.en}, start and stop {exempt}; "
        f"captured {share}{few.en}",
    )


def _marked(hours: StackHours, mine: PollutantHours) -> Text:
    """By which marks hours were left out, and how many marks are contradicted and excuse none."""
    kinds = {x.number: x.kind for x in hours.marks if x.number != AUTOMATIC}
    numbers = mine.mark[mine.having(State.EXCLUDED)].tolist()
    counts: dict[str, int] = {}
    for number in numbers:
        kind = kinds.get(number, "instrument")
        counts[kind] = counts.get(kind, 0) + 1
    names = {kind: MARKS.get(kind, Text(zh=kind, en=kind)) for kind in counts}
    zh = [f"{names[kind].zh} {count}" for kind, count in sorted(counts.items())]
    en = [f"{names[kind].en} {count}" for kind, count in sorted(counts.items())]
    against = sum(
        mark.contradicted is not None and mark.concerns(mine.pollutant) for mark in hours.marks
    )
    if against:
        zh.append(f"另有 {against} 个标记与 DCS 记录矛盾，不予剔除")
        en.append(f"{against} marks contradicted by the DCS excuse nothing")
    if not zh:
        return Text(zh="", en="")
    return Text(zh=f"（{'、'.join(zh)}）", en=f" ({', '.join(en)})")


def _too_little(capture: Decimal) -> Text:
    least = ours().least_capture_percent
    if capture * HUNDRED >= least:
        return Text(zh="", en="")
    return Text(
        zh=f"，低于 {least} %（本程序自定），不足以证明",
        en=f", below {least} % (our own limit): too little to prove it",
    )


def capture_of(mine: PollutantHours) -> Decimal | None:
    """
    Valid hours over the hours of the year in which the source ran and the stack was in use.

    Hours a mark took out, or that cannot be converted, count as not captured: 0 to 1, None when
    there was no hour at all.
    """
    due = int((~mine.having(State.STOPPED, State.OUTSIDE)).sum())
    captured = int((mine.valid & ~mine.not_convertible).sum())
    return None if due == 0 else Decimal(captured) / due


def _limit_lines(
    bench: Bench,
    hours: StackHours,
    mine: PollutantHours,
    highest: Decimal | None,
    capture: Decimal | None,
) -> tuple[Argument, ...]:
    stack, name = hours.stack, pollutant_name(mine.pollutant)
    sources = bench.sources(hours, (mine.pollutant, f"{mine.pollutant}_converted", "no", "no2"))
    of = f"{stack.name.zh}{name.zh}", f"{stack.name.en}, {name.en}"
    top = Text(zh=f"{of[0]}最高小时均值", en=f"{of[1]}: highest hourly mean")
    share = Text(zh=f"{of[0]}全年有效率", en=f"{of[1]}: share of hours valid")
    heads = (
        figure(stack.id, f"{mine.pollutant}_hour_highest", top, "mg/m3", 2),
        figure(stack.id, f"{mine.pollutant}_year_capture", share, "fraction", 4),
    )
    return bench.line(heads[0], highest, sources), bench.line(heads[1], capture, sources)


def _cases(
    place: str, hours: StackHours, above: Bools, values: object, asked: LimitsMet
) -> tuple[Case, ...]:
    """Hours above the limit, those one after the other joined."""
    found = []
    numbers = np.asarray(values, dtype=np.float64)
    places = np.flatnonzero(above)
    for _, group in groupby(enumerate(places), key=lambda each: each[1] - each[0]):
        run = [int(n) for _, n in group]
        start, top = int(hours.start_ns[run[0]]), float(numbers[run].max())
        name = pollutant_name(asked.pollutant)
        found.append(
            Case(
                place,
                start,
                start + len(run) * HOUR_NS,
                Text(
                    zh=f"{name.zh}最高 {top:.2f} mg/m3，指标 {asked.limit}",
                    en=f"{name.en} up to {top:.2f} mg/m3, the table says {asked.limit}",
                ),
            )
        )
    return tuple(found[:CASES])


def cems_uptime(bench: Bench, industry: str, asked: Uptime) -> Finding:
    """Share of hours with valid CEMS data, of the worst pollutant of the worst stack."""
    stacks = [stack for stack in bench.stacks(industry) if stack.limits]
    shares: list[tuple[Decimal, str, str]] = []
    inputs: list[Argument] = []
    for stack in stacks:
        hours = bench.hours(stack)
        for mine in hours.pollutants.values():
            capture = capture_of(mine)
            if capture is not None:
                shares.append((capture * HUNDRED, stack.id, mine.pollutant))
                inputs += _limit_lines(bench, hours, mine, _highest(mine), capture)[1:]
    if not shares:
        return unknown("没有排放口数据", "there are no data of any stack", "set_up")
    least, place, pollutant = min(shares)
    name = pollutant_name(pollutant)
    met = least >= asked.percent
    return Finding(
        Status.PROVEN if met else Status.FAILED,
        Text(
            zh=f"最低 {least:.2f} %（{place} {name.zh}），要求 {asked.percent} %",
            en=f"lowest {least:.2f} % ({place}, {name.en}), wanted {asked.percent} %",
        ),
        least,
        "%",
        2,
        tuple(inputs),
        effort="" if met else "wait",
    )


def _highest(mine: PollutantHours) -> Decimal | None:
    judged = mine.judged & ~np.isnan(mine.converted)
    return amount(float(mine.converted[judged].max())) if judged.any() else None
