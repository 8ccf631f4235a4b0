"""
Allowance of a process by the rule of its year, every number of it from the rule pack.

A balance value that nobody read yet gives a band of allowances, never a point.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Final

from reports.allowance.balance import Balance, below_floor
from reports.allowance.year import YearOf
from reports.assembly import Argument, Assembly, Head
from reports.basis import Basis
from reports.entered import entered
from reports.formulas import FORMULAS
from reports.model import How, Input, Line, Section
from reports.periods import Period
from reports.rules.packs import Legal, RuleError
from reports.site import Potline
from reports.values import Text

PACK: Final = "cn_allowance_aluminium"
T: Final = "t"
_LABELS: Final = {
    "x": Text(zh="强度偏离度 X", en="Deviation X from the balance value"),
    "alpha": Text(zh="调整系数 α", en="Adjustment α"),
    "allowance": Text(zh="应发配额量", en="Allowance"),
    "allowance_low": Text(zh="应发配额量下限", en="Allowance, low end"),
    "allowance_high": Text(zh="应发配额量上限", en="Allowance, high end"),
    "allocated": Text(zh="已核定下发配额量", en="Allowance issued"),
    "pre_allocation": Text(zh="预分配配额量", en="Pre-allocation"),
    "position": Text(zh="当年盈缺（配额−排放）", en="Allowance less emission"),
    "position_low": Text(zh="当年盈缺下限", en="Allowance less emission, low end"),
    "position_high": Text(zh="当年盈缺上限", en="Allowance less emission, high end"),
}
_DECIMALS: Final = {"x": 6, "alpha": 6, "position": 2, "position_low": 2, "position_high": 2}


@dataclass(frozen=True, slots=True)
class Rule:
    """Which rule a process falls under, and why."""

    argument: Argument  # the rule's name; missing when nobody could read the rule
    name: str  # verified_emission | intensity | none, "" when it is not known
    case: str  # allocation | new | closed | below


def head(scope: str, name: str) -> Head:
    """A line of this report."""
    unit = "" if name in {"x", "alpha"} else T
    return Head(scope, name, Section.ALLOWANCE, _LABELS[name], unit, _DECIMALS.get(name, 0))


def rule_of(assembly: Assembly, line: Potline, determined: date | None, *, below: bool) -> Rule:
    """
    The rule for a process: entity below the threshold, new in the year, closed, or the usual one.

    Closed is what stopped before the day on which the province determines the allowance; without
    that day, before the end of the year. Raises RuleError when the rule is not known or not built.
    """
    first, end = assembly.period.first, determined or assembly.period.after
    case = "allocation"
    if below:
        case = "below"
    elif line.started >= first:
        case = "new"
    elif line.stopped is not None and line.stopped < end:
        case = "closed"
    names = {
        "allocation": "allocation_rule",
        "below": "below_threshold_rule",
        "new": "new_line_rule",
        "closed": "closed_line_rule",
    }
    legal = assembly.legal_or_absent(PACK, names[case])
    if not isinstance(legal, Legal):
        return Rule(assembly.law_or_absent("rule", PACK, names[case]), "", case)
    if legal.value not in {"verified_emission", "intensity", "none"}:
        raise RuleError(
            f"{legal.id}: {legal.value!r} is not built; known: verified_emission, intensity, none"
        )
    given = Input(name="rule", kind="legal", ref=legal.id, value=None, unit="name")
    return Rule(Argument(given), str(legal.value), case)


def add_allowance(
    basis: Basis, assembly: Assembly, year: YearOf, rule: Rule, balance: Balance | None
) -> None:
    """Lines ``x``, ``alpha``, ``allowance``, ``position`` of a process, and a band if need be."""
    scope = year.line.id
    notes = [case_text(rule)]
    if rule.name == "intensity" and balance is not None:
        _intensity(assembly, scope, balance, notes)
    else:
        _plain(assembly, scope, rule, notes)
    _position(basis, assembly, scope)
    if balance is not None:
        _band(assembly, year, rule, balance)


def case_text(rule: Rule) -> Text:
    """Why a process gets what it gets."""
    cases = {
        "allocation": Text(zh="正常运行工序", en="running process"),
        "new": Text(zh="当年新投运工序", en="process commissioned in the year"),
        "closed": Text(zh="核定前已关停工序", en="process closed before the determination"),
        "below": Text(zh="年度排放量低于纳入门槛的单位", en="entity below the threshold"),
    }
    gets = {
        "intensity": Text(zh="按强度系数法核定", en="by the intensity rule"),
        "verified_emission": Text(
            zh="配额量等于核查排放量", en="allowance equals the verified emission"
        ),
        "none": Text(zh="当年不予分配配额", en="no allowance in the year"),
        "": Text(zh="该情形的规则未知", en="the rule for this case is not known"),
    }
    case, name = cases[rule.case], gets[rule.name]
    return Text(zh=f"{case.zh}：{name.zh}", en=f"{case.en}: {name.en}")


def _intensity(assembly: Assembly, scope: str, balance: Balance, notes: Sequence[Text]) -> None:
    """By the intensity rule; refused below what nature allows, missing without balance value."""
    refused = below_floor(assembly, scope)
    for name, key in (("x", "x"), ("alpha", "alpha"), ("allowance", "allowance_t")):
        arguments = [*_quantities(assembly, scope), balance.argument, *_slope(assembly)]
        if refused is not None:
            arguments = [Argument(a.input, (refused,)) for a in arguments]
        assembly.compute(head(scope, name), "allowance", arguments, key=key, notes=notes)


def _quantities(assembly: Assembly, scope: str) -> list[Argument]:
    return [
        assembly.from_line("emission_t", f"{scope}.emission"),
        assembly.from_line("aluminium_t", f"{scope}.aluminium"),
    ]


def _slope(assembly: Assembly) -> list[Argument]:
    clip = assembly.legal(PACK, "x_clip")
    return [
        assembly.law("slope", assembly.legal(PACK, "slope")),
        assembly.law("clip_fraction", clip, as_fraction=True),
    ]


def slope_values(assembly: Assembly) -> dict[str, Decimal]:
    """``slope`` and ``clip_fraction`` of the year, as the formula takes them."""
    return {a.input.name: a.input.value for a in _slope(assembly) if a.input.value is not None}


def _plain(assembly: Assembly, scope: str, rule: Rule, notes: Sequence[Text]) -> None:
    """As much as was emitted, or nothing at all."""
    emission = assembly.from_line("emission_t", f"{scope}.emission")
    arguments = [emission, rule.argument]
    missing = (*rule.argument.missing, *(emission.missing if rule.name != "none" else ()))
    value = Decimal(0) if rule.name == "none" else emission.input.value
    of = head(scope, "allowance")
    if rule.name == "verified_emission":
        of = replace(of, decimals=2)  # as much as was emitted, to the hundredth
    line = assembly.state(
        of, None if missing else value, How.COMPUTED, arguments, missing=missing, notes=notes
    )
    assembly.put(line, equation="A = 0" if rule.name == "none" else "A = E")


def _position(basis: Basis, assembly: Assembly, scope: str) -> None:
    """Allowance issued, else by the rule, less the emission that must be surrendered."""
    entry = entered(basis.ledger, "allowance_allocated", scope, basis.period)
    source = f"{scope}.allowance"
    if entry is not None:
        source = f"{scope}.allocated"
        argument = assembly.entry("allowance_allocated", entry)
        assembly.state(head(scope, "allocated"), entry.figure.amount, How.ENTERED, [argument])
        rule = assembly.lines[f"{scope}.allowance"]
        if rule.how is How.MISSING:  # what was issued counts; it cannot be recomputed here
            for name in ("x", "alpha", "allowance"):
                if (line := assembly.lines.get(f"{scope}.{name}")) is not None:
                    assembly.put(line, how=How.NONE, missing=(), notes=(*line.notes, *line.missing))
    subtract(assembly, head(scope, "position"), source, f"{scope}.emission")


def subtract(assembly: Assembly, of: Head, have: str, owe: str) -> Line:
    """``have − owe``, missing when either is."""
    arguments = [assembly.from_line("A", have), assembly.from_line("E", owe)]
    first, second = (argument.input.value for argument in arguments)
    missing = tuple(dict.fromkeys(text for a in arguments for text in a.missing))
    value = None if first is None or second is None else first - second
    line = assembly.state(of, value, How.COMPUTED, arguments, missing=missing)
    return assembly.put(line, equation="A − E")


def corners(
    assembly: Assembly, year: YearOf, rule: Rule, balance: Balance
) -> list[tuple[Decimal, Decimal]]:
    """Allowance and position (t) at each end of the forecast and of the balance value."""
    scope = year.line.id
    emission, metal = (
        assembly.lines[f"{scope}.{name}"].value for name in ("emission", "aluminium")
    )
    if rule.name != "intensity" or emission is None or not metal:
        return []
    if below_floor(assembly, scope) is not None:
        return []
    found = []
    for amount, output in year.ends or ((emission, metal),):
        for value in balance.ends:
            made = FORMULAS["allowance"](
                emission_t=amount,
                aluminium_t=output,
                balance_t_per_t=value,
                **slope_values(assembly),
            )
            found.append((made["allowance_t"], made["position_t"]))
    return found


def _band(assembly: Assembly, year: YearOf, rule: Rule, balance: Balance) -> None:
    """Low and high ends; none when the balance value and the emission are both known."""
    scope = year.line.id
    found = corners(assembly, year, rule, balance)
    issued = f"{scope}.allocated" in assembly.lines
    if len(found) < 2 or issued:
        return
    arguments = [
        *_quantities(assembly, scope),
        *_slope(assembly),
        *map(Argument, balance.inputs),
    ]
    for n, name in enumerate(("allowance", "position")):
        values = [pair[n] for pair in found]
        for end, value in (("low", min(values)), ("high", max(values))):
            assembly.state(
                head(scope, f"{name}_{end}"), value, How.COMPUTED, arguments, notes=[balance.note]
            )


def add_pre_allocation(basis: Basis, assembly: Assembly, line: Potline) -> None:
    """What was issued ahead: as entered, else share of last year's verified emission."""
    of = head(line.id, "pre_allocation")
    entry = entered(basis.ledger, "allowance_pre_allocated", line.id, basis.period)
    if entry is not None:
        argument = assembly.entry("allowance_pre_allocated", entry)
        assembly.state(of, entry.figure.amount, How.ENTERED, [argument])
        return
    before = Period.year(basis.period.first.year - 1)
    verified = entered(basis.ledger, "emission_verified", line.id, before)
    share = assembly.legal(PACK, "pre_allocation_share")
    if share.number == 0:
        none = Text(zh=f"{basis.period} 年度无预分配", en=f"no pre-allocation for {basis.period}")
        assembly.state(of, None, How.NONE, (), notes=[none])
        return
    law = assembly.law("share", share, as_fraction=True)
    if verified is None:
        none = Text(
            zh=f"未录入 {before} 年核查排放量（emission_verified），预分配量未计算",
            en=f"no verified emission of {before} entered (emission_verified): not computed",
        )
        assembly.state(of, None, How.NONE, (law,), notes=[none])
        return
    given = assembly.entry("previous_emission_t", verified)
    assembly.compute(of, "pre_allocation", [given, law])
