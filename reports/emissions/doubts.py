"""What an officer must look at first: hours nobody judged, marks, checks, points without data."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

import numpy as np

from reports.assembly import Assembly
from reports.basis import Basis
from reports.emissions.figures import label_of
from reports.emissions.hours import pieces
from reports.emissions.judged import silent
from reports.emissions.made import StackYear
from reports.emissions.marks import journal_of
from reports.emissions.minutes import production_points
from reports.emissions.states import State
from reports.emissions.unconverted import unconverted_doubts
from reports.emissions.words import ANALOGY, MARKS, SUPPORT, both, by_analogy
from reports.journal.control import months_later, tests_of
from reports.journal.drift import channel, rule
from reports.model import Doubt
from reports.periods import Period, clock_text
from reports.rules.packs import Legal
from reports.series.minutes import MINUTE_NS
from reports.site import Meter
from reports.site_stacks import Stack
from reports.values import Text
from reports.words import short_text

DAY_NS: Final = 86_400_000_000_000


def doubts(basis: Basis, assembly: Assembly, stacks: Sequence[StackYear]) -> Iterator[Doubt]:
    """Of all stacks, stack by stack."""
    for made in stacks:
        for name in made.stack.pollutants:
            yield from _unexplained(made, name)
            yield from _without_limit(made, name)
            yield from _low(assembly, made, name)
        yield from unconverted_doubts(made)
        yield from _outside(made)
        yield from _contradicted(made)
        yield from _not_told(made)
        yield from _half_told(made)
        yield from _unchecked(basis, assembly, made)
        yield from _unheard(basis, made)


def _unexplained(made: StackYear, name: str) -> Iterator[Doubt]:
    bare, label = [x for x in made.judged(name) if not x.handled], label_of(name)
    if bare:
        hours = sum(x.hours for x in bare)
        yield Doubt(
            line=f"{made.stack.id}.{name}_exceeded_hours",
            text=Text(
                zh=f"{label.zh}超标 {len(bare)} 次、{hours} 小时，环保记录中尚无说明",
                en=f"{label.en}: above the limit {len(bare)} times, {hours} hours, not "
                "yet explained in the journal",
            ),
        )


def _without_limit(made: StackYear, name: str) -> Iterator[Doubt]:
    """Valid hours of days for which the permit states no limit."""
    bare, label = np.flatnonzero(made.hours.without_limit(name)), label_of(name)
    if len(bare):
        first, last = (clock_text(int(made.hours.start_ns[n]))[:10] for n in (bare[0], bare[-1]))
        yield Doubt(
            line=f"{made.stack.id}.{name}_exceeded_hours",
            text=Text(
                zh=f"{label.zh}：{len(bare)} 个有效小时（{first} 至 {last}）未判定：无有效限值，"
                "请按当时的排污许可证补写 [[stacks.limits]] 的 from、until",
                en=f"{label.en}: {len(bare)} valid hours ({first} to {last}) not judged: no limit "
                "in force; write [[stacks.limits]] with from and until as the permit of that time "
                "states",
            ),
        )


def _outside(made: StackYear) -> Iterator[Doubt]:
    """Readings of days on which the stack is said to be out of use."""
    hours, names = made.hours, made.stack.pollutants
    found = np.zeros(len(hours.start_ns), dtype=np.bool_)
    for name in names:
        each = hours.pollutants[name]
        found |= each.having(State.OUTSIDE) & np.isfinite(each.shown)
    at = np.flatnonzero(found)
    if not len(at):
        return
    flows = int(np.isfinite(hours.flow[at]).sum())
    above = sum(x.hours for x in made.above if x.why == "outside")
    first, last = (clock_text(int(hours.start_ns[n]))[:16] for n in (at[0], at[-1]))
    yield Doubt(
        line=f"{made.stack.id}.hours",
        text=Text(
            zh=f"停用期间仍有数据：{len(at)} 小时有浓度读数、{flows} 小时有流量"
            f"（{first} 至 {last}），其中 {above} 小时·项高于限值；均未判定，也未计入排放量。"
            "请核对 site.toml 的 started、stopped",
            en=f"data although out of use: {len(at)} hours with readings, {flows} with flow "
            f"({first} to {last}), {above} hours of pollutants above the limit; none is judged or "
            "counted in the totals. Check started and stopped in site.toml",
        ),
    )


def _contradicted(made: StackYear) -> Iterator[Doubt]:
    for mark in made.hours.marks:
        if mark.contradicted is None:
            continue
        names = [name for name in made.stack.pollutants if mark.concerns(name)]
        above = [x.pollutant for x in made.above if x.judged and mark.number in x.marks]
        for name in dict.fromkeys(above or names[:1]):
            yield Doubt(
                line=f"{made.stack.id}.{name}_exceeded_hours",
                text=Text(
                    zh=f"标记 #{mark.number} 与数据矛盾，不作豁免：{mark.contradicted.zh}",
                    en=f"mark #{mark.number} is contradicted and excuses nothing: "
                    f"{mark.contradicted.en}",
                ),
            )


def _not_told(made: StackYear) -> Iterator[Doubt]:
    """Marks that hide hours above a limit while no trace says that they are true."""
    known = {mark.number: mark for mark in made.hours.marks if mark.number > 0}
    hidden: dict[int, dict[str, int]] = {}
    for each in made.above:
        mark = known.get(each.hidden_by)
        if not each.judged and mark is not None and not mark.supported:
            counts = hidden.setdefault(mark.number, {})
            counts[each.pollutant] = counts.get(each.pollutant, 0) + each.hours
    for number, counts in hidden.items():
        kind = MARKS[known[number].kind]
        told = both(
            [
                Text(zh=f"{label_of(n).zh} {h} 小时", en=f"{label_of(n).en} {h} h")
                for n, h in counts.items()
            ]
        )
        yield Doubt(
            line=f"{made.stack.id}.{next(iter(counts))}_exceeded_hours",
            text=Text(
                zh=f"标记 #{number}（{kind.zh}）使高于限值的小时未参与判定（{told.zh}），"
                "而数据曲线无法判断该标记是否属实",
                en=f"mark #{number} ({kind.en}) keeps hours above the limit from being judged "
                f"({told.en}), and no trace tells whether it is true",
            ),
        )


def _half_told(made: StackYear) -> Iterator[Doubt]:
    """Marks that excuse nothing, or only in part, or on somebody's word alone."""
    hiding = {x.hidden_by for x in made.above if not x.judged}
    for mark in made.hours.marks:
        if mark.number <= 0 or mark.contradicted is not None:
            continue
        minutes = sum(after - first for first, after in mark.usual) // MINUTE_NS
        if mark.unconfirmed:
            says = SUPPORT["unconfirmed"]
        elif minutes:
            says = Text(
                zh=f"数据曲线显示其中 {minutes} 分钟运行正常，该部分不作豁免",
                en=f"its trace shows {minutes} minutes as usual, these are not excused",
            )
        elif mark.supported or mark.number in hiding:
            continue
        else:
            says = SUPPORT["not_told"]
        kind = MARKS.get(mark.kind, Text(zh=mark.kind, en=mark.kind))
        yield Doubt(
            line=f"{made.stack.id}.hours",
            text=Text(
                zh=f"标记 #{mark.number}（{kind.zh}）：{says.zh}",
                en=f"mark #{mark.number} ({kind.en}): {says.en}",
            ),
        )


def _low(assembly: Assembly, made: StackYear, name: str) -> Iterator[Doubt]:
    """Capture rates below what the rule asks, and too much that is missing for a total."""
    asked, most = made.stand_in.capture_least, made.stand_in.missing_most
    label, low, lost = label_of(name), list[str](), list[str]()
    for quarter, got in made.amounts[name].captures.items():
        if silent(made.wide, made.at(quarter)):
            continue  # said once, of all figures
        if got.rate is not None and got.rate < asked.fraction:
            low.append(f"{quarter} {got.rate:.2%}")
        share = None if got.amount_rate is None else 1 - got.amount_rate
        if share is not None and share > most.fraction:
            lost.append(f"{quarter} {share:.2%}")
    if low:
        assembly.cite(asked)
        told = ", ".join(low)
        yield Doubt(
            line=f"{made.stack.id}.{name}_capture",
            text=Text(
                zh=f"{label.zh}捕集率低于 {_percent(asked)}：{told}",
                en=f"{label.en}: capture rate below {_percent(asked)}: {told}",
            ),
        )
    if lost:
        assembly.cite(most)
        told = ", ".join(lost)
        yield Doubt(
            line=f"{made.stack.id}.{name}_total",
            text=Text(
                zh=f"{label.zh}缺失超过 {_percent(most)}（{told}）：自动监测数据不得用于核算排放量",
                en=f"{label.en}: more than {_percent(most)} is missing ({told}): "
                "the data cannot be used for the emission total",
            ),
        )


def _percent(legal: Legal) -> str:
    return f"{short_text(Decimal(legal.number))} %"


# --- checks


def _unchecked(basis: Basis, assembly: Assembly, made: StackYear) -> Iterator[Doubt]:
    """Time before the first calibration, or verification, that the journal holds."""
    first, after = made.stack.within(basis.period.first, basis.period.after)
    if first >= after:
        return
    lacking: dict[tuple[str, str], list[str]] = {}
    for name in made.stack.pollutants:
        for verifies in (False, True):
            said = _never(basis, assembly, made, name, Period(first, after), verifies=verifies)
            if said is not None:
                lacking.setdefault((said.zh, said.en), []).append(name)
    for (zh, en), names in lacking.items():
        labels = both([label_of(name) for name in names])
        analogy = ANALOGY if any(by_analogy(name) for name in names) else Text(zh="", en="")
        yield Doubt(
            line=f"{made.stack.id}.{names[0]}_capture",
            text=Text(
                zh=f"{labels.zh}：{zh}{analogy.zh and f'（{analogy.zh}）'}",
                en=f"{labels.en}: {en}{analogy.en and f' ({analogy.en})'}",
            ),
        )


def _never(
    basis: Basis, assembly: Assembly, made: StackYear, name: str, part: Period, *, verifies: bool
) -> Text | None:
    """
    What is said when no test was recorded in time, counted from the first day of the part.

    From the first test on an overdue one makes data out of control; before it nothing else tells.
    """
    group = channel(name)
    key = "verification_months" if verifies else f"calibration_{group}_days"
    legal = rule(basis.packs, key, part.first) if group else None
    if legal is None:
        return None
    number = int(legal.number)
    days = (months_later(part.first, number) - part.first).days if verifies else number
    tests = [
        test
        for test in tests_of(journal_of(basis), made.stack, name)
        if test.verifies == verifies and test.record.start_ns < part.end_ns
    ]
    until_ns = min((test.record.start_ns for test in tests), default=part.end_ns)
    length = (until_ns - part.start_ns) / DAY_NS
    if length <= days and (tests or length < days):
        return None
    assembly.cite(legal)
    due, last = int(length // days), clock_text(until_ns - 1)[:10]
    zh, en = ("校验", "verification") if verifies else ("校准", "calibration")
    unit_zh, unit_en = ("个月", "months") if verifies else ("天", "days")
    return Text(
        zh=f"环保记录中 {part.first} 至 {last} 无{zh}记录，"
        f"按每 {number} {unit_zh}一次应有 {due} 次；"
        "数据是否受控无从证明",
        en=f"the journal holds no {en} from {part.first} to {last}; at one every {number} "
        f"{unit_en} {due} were due: nothing shows that the data were in control",
    )


# --- points


def _unheard(basis: Basis, made: StackYear) -> Iterator[Doubt]:
    """Points of production and treatment named in site.toml that brought nothing."""
    stack = made.stack
    first, after = stack.within(basis.period.first, basis.period.after)
    if first >= after or silent(made.wide, made.at(Period(first, after))):
        return
    production = production_points(basis.site, stack)
    left = _without_data(basis, (*production, *stack.controls), Period(first, after))
    for point in left:
        if point in production:
            text = Text(
                zh=f"生产信号测点 {point} 本期没有任何数据：停运时段只能凭标记认定，标记也无法核对",
                en=f"{point}, the point that says that the source runs, has no data at all: stops "
                "are known from marks only, and marks cannot be checked",
            )
        else:
            text = Text(
                zh=f"治理设施测点 {point} 本期没有任何数据：无法证明治理设施与生产同步运行",
                en=f"{point}, a point of the treatment, has no data at all: nothing shows that it "
                "ran while production ran",
            )
        yield Doubt(line=f"{stack.id}.stopped_hours", text=text)


def brought_data(basis: Basis, stack: Stack) -> bool:
    """True when the instruments of a stack measured a pollutant in the period, in use or not."""
    names = [f"stack.{name}{kind}" for name in stack.pollutants for kind in ("", "_dry")]
    wanted = [Meter(stack.equipment, name) for name in names]
    return len(_without_data(basis, wanted, basis.period)) < len(wanted)


def _without_data(basis: Basis, points: Sequence[Meter], part: Period) -> list[Meter]:
    left = list(dict.fromkeys(points))
    for piece in pieces(part):
        if not left:
            break
        heard = {each.point for each in basis.series.minutes(left, piece).written}
        left = [point for point in left if point not in heard]
    return left
