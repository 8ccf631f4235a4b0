"""
What stands in for a missing figure under the Chinese guide: the rule of the quality plan in force.

The guide has no table of its own that we could read: each parameter of the plan states a rule,
which must be conservative. ``conservative_v1`` is ours. Anode: the highest use per tonne of the
last 12 months, times this month's metal. Metal: a missing day counts as the lowest mean day of
those months where metal is output, and as the highest where it drives anode-effect emission, since
the same figure is safe with one sign here and with the other there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_UP, Decimal
from typing import Final

from reports.assembly import Argument, Assembly
from reports.entered import Entered, entered, month_of
from reports.entries.ledger import Entry, Ledger
from reports.model import Input
from reports.periods import Period
from reports.plan.plan import Plan
from reports.rules.packs import RuleError
from reports.site import Potline
from reports.values import Text
from reports.words import rounded

CODE: Final = "conservative_v1"
BY_PLAN: Final = "plan_conservative"
NO_RULE: Final = "none"  # the plan substitutes nothing
BACK: Final = 12  # months looked back upon
_STOCK: Final = ("anode_stock_begin", "anode_received", "anode_stock_end")


@dataclass(frozen=True, slots=True)
class Substitute:
    """A value in the place of a missing one, with what it was made from and why."""

    value: Decimal
    share: Decimal  # of the period, 0 to 1
    equation: str
    inputs: tuple[Argument, ...]
    notes: tuple[Text, ...]
    high: Decimal | None = None  # of metal: the value that is safe for emission


@dataclass(frozen=True, slots=True)
class Past:
    """A whole month of a line whose metal is known."""

    month: Period
    metal: Decimal
    entries: tuple[Entry, ...]

    @property
    def per_day(self) -> Decimal:
        return self.metal / len(self.month.days)


def allowed(assembly: Assembly, guide: str, plan: Plan | None, figure: str) -> Argument | None:
    """The legal rule as an input, when the plan in force lays ``CODE`` down for the figure."""
    parameter = None if plan is None else plan.parameter_of(figure)
    if parameter is None or parameter.missing.code != CODE:
        return None
    rule = assembly.legal(guide, "missing_data_method")
    if rule.value != BY_PLAN:
        raise RuleError(f"{rule.id}: {rule.value!r} is not built; known: {BY_PLAN}")
    return Argument(
        Input(name="missing_data_method", kind="legal", ref=rule.id, value=None, unit="")
    )


def other_rule(plan: Plan | None, figure: str) -> tuple[Text, ...]:
    """What the plan says must be done by hand when the figure is missing."""
    parameter = None if plan is None else plan.parameter_of(figure)
    if parameter is None or parameter.missing.code == CODE:
        return ()
    rule = parameter.missing
    if rule.code == NO_RULE:
        return (
            Text(
                zh=f"质量控制计划对该数据没有规定替代方法（计划原文：{rule.text.zh}）；请查明实际数值"
                "并录入，再重新生成报告",
                en="the quality plan lays down no substitute for this figure (its words: "
                f"“{rule.text.en}”); find the true value, enter it, and make the report again",
            ),
        )
    return (
        Text(
            zh=f"质量控制计划规定缺失时按以下方法处理（{rule.code}），程序不代为计算，请人工完成并"
            f"录入结果：{rule.text.zh}",
            en=f"for a missing figure the quality plan lays down ({rule.code}): “{rule.text.en}”; "
            "this is not done by the program: do it by hand and enter the result",
        ),
    )


def anode(
    assembly: Assembly,
    ledger: Ledger,
    line: Potline,
    month: Period,
    metal: Argument,
    rule: Argument,
) -> Substitute | None:
    """The month's anode; None when its metal, or every month before, is unknown too."""
    known = [
        (used / past.metal, past, used, entries)
        for past in _past(ledger, line, month)
        if past.metal > 0
        for used, entries in _anode_of(ledger, line, past.month)
    ]
    if metal.input.value is None or not known:
        return None
    rate, past, used, entries = max(known, key=lambda each: each[0])
    note = Text(
        zh=f"阳极消耗量缺失，按质量控制计划的缺失数据处理方法（{CODE}）替代：前 {BACK} 个月中"
        f"有数据的 {len(known)} 个月里最高单耗 {rounded(rate, 4)} t/t（{past.month}："
        f"{used} t / {past.metal} t）× 本月铝液产量",
        en=f"anode is missing; substituted as the quality plan says ({CODE}): the highest use of "
        f"{len(known)} known among the last {BACK} months, {rounded(rate, 4)} t/t ({past.month}: "
        f"{used} t / {past.metal} t), times this month's aluminium",
    )
    given = [assembly.entry(_name(entry), entry) for entry in (*entries, *past.entries)]
    return Substitute(
        value=rate * metal.input.value,
        share=Decimal(1),
        equation="C = max(C_m / P_m) × P",
        inputs=(metal, *given, rule),
        notes=(note,),
    )


def metal_days(
    assembly: Assembly,
    ledger: Ledger,
    line: Potline,
    month: Period,
    found: Entered,
    rule: Argument,
) -> Substitute | None:
    """Metal with its missing days; None when not even one day of the month is known."""
    days = [d for d in month.days if line.runs_in(d, d + timedelta(days=1))]
    here = len(found.entries)
    if not here or here >= len(days):
        return None
    known = sum((entry.figure.amount for entry in found.entries), Decimal(0))
    means = {str(month): known / here} | {
        str(past.month): past.per_day for past in _past(ledger, line, month)
    }
    low, high = min(means, key=lambda m: means[m]), max(means, key=lambda m: means[m])
    lacking = len(days) - here
    least, most = known + lacking * means[low], known + lacking * means[high]
    note = Text(
        zh=f"{found.missing[0].zh}；按质量控制计划的缺失数据处理方法（{CODE}）替代：产量侧每缺一天计"
        f" {rounded(means[low], 2)} t（{low} 日均，近 {BACK} 个月最低），"
        f"合计 {rounded(least, 2)} t；"
        f"排放侧（阳极效应）每缺一天计 {rounded(means[high], 2)} t（{high} 日均，最高），"
        f"合计 {rounded(most, 2)} t。少计产量使阳极效应排放偏低而强度偏高，两侧各取保守值",
        en=f"{found.missing[0].en}; substituted as the quality plan says ({CODE}): as output each "
        f"missing day counts {rounded(means[low], 2)} t (mean day of {low}, lowest of {BACK} "
        f"months), {rounded(least, 2)} t in all; for anode-effect emission "
        f"{rounded(means[high], 2)} t (mean day of {high}, highest), {rounded(most, 2)} t in all. "
        "Less metal means less PFC but a higher intensity: each side takes what is safe",
    )
    return Substitute(
        value=least,
        share=(Decimal(lacking) / len(days)).quantize(Decimal("0.0001"), rounding=ROUND_UP),
        equation="P = Σ P_d + n × min(P_m / d_m)",
        inputs=(*found.inputs(assembly), rule),
        notes=(note,),
        high=most,
    )


def _past(ledger: Ledger, line: Potline, month: Period) -> Iterator[Past]:
    """The months before with known metal in which the line ran from the first day to the last."""
    for _ in range(BACK):
        month = month.previous
        whole = all(line.runs_in(day, day + timedelta(days=1)) for day in month.days)
        found = month_of(ledger, "aluminium_tapped", line, month)
        if whole and found.amount is not None:
            yield Past(month, found.amount, found.entries)


def _anode_of(
    ledger: Ledger, line: Potline, month: Period
) -> Iterator[tuple[Decimal, Sequence[Entry]]]:
    """What was entered as consumed, else the stock balance; nothing when neither is whole."""
    found = month_of(ledger, "anode_consumed", line, month)
    if found.amount is not None:
        yield found.amount, found.entries
        return
    stock = [entered(ledger, kind, line.id, month) for kind in _STOCK]
    whole = [entry for entry in stock if entry is not None]
    if len(whole) == len(stock):
        begin, received, end = (entry.figure.amount for entry in whole)
        yield begin + received - end, whole


def _name(entry: Entry) -> str:
    return f"{entry.figure.kind.id} {entry.figure.period}"
