"""
``allowance``: what a plant gets for a year, what it owes, and what is left or lacking.

Emission verified, or from the months (those to come forecast), against the allowance of each
electrolysis process by the rule of that year. An unknown balance value gives a band, no point.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from reports.allowance.balance import Balance, add_balance, near_floor
from reports.allowance.chapters import chapters
from reports.allowance.front import Findings
from reports.allowance.position import Vintage, add_position, price
from reports.allowance.rules import (
    PACK,
    Rule,
    add_allowance,
    add_pre_allocation,
    rule_of,
)
from reports.allowance.year import YearOf, add_totals, add_year
from reports.assembly import Assembly
from reports.basis import Basis
from reports.carbon.plausibility import doubts
from reports.conclude import conclude
from reports.duties.milestones import milestones
from reports.model import Content, Doubt
from reports.site import PLANT
from reports.values import Text

NAME: Final = "allowance"
TITLE: Final = Text(
    zh="铝电解工序碳排放配额测算报告", en="Allowances of the electrolysis processes"
)


DAYS: Final = (
    *("report_due", "verification_due", "pre_allocation_due"),
    *("allocation_due", "issue_due", "surrender_due"),
)


@dataclass(frozen=True, slots=True)
class _Made:
    years: tuple[YearOf, ...]
    rules: dict[str, Rule]
    balance: Balance | None
    vintages: tuple[Vintage, ...]


def allowance(basis: Basis) -> Content:
    """The report. Raises RuleError when the rules of that year are not known."""
    assembly = Assembly(basis.period, basis.packs)
    running = [x for x in basis.site.potline if x.runs_in(basis.period.first, basis.period.after)]
    years = tuple(add_year(basis, assembly, line) for line in running)
    add_totals(basis, assembly, years)
    days = milestones(assembly, DAYS)
    below, found = _below(assembly)
    determined = next((day.due for day in days if day.id == "allocation_due"), None)
    made = _allocate(basis, assembly, years, determined, below=below)
    vintages, unusable = add_position(basis, assembly, [line.id for line in running])
    found += (
        *unusable,
        *_warnings(assembly, years, made),
        *doubts(assembly.lines, running, basis.period),
    )
    findings = Findings(
        basis, assembly, years, made.rules, made.balance, vintages, days, price(basis)
    )
    return conclude(
        basis,
        assembly,
        report=NAME,
        title=TITLE,
        potlines=running,
        duties=tuple(day.duty for day in days if day.ours),
        headline=_headline(assembly),
        warnings=found,
        chapters=chapters(findings),
    )


def _allocate(
    basis: Basis,
    assembly: Assembly,
    years: Sequence[YearOf],
    determined: date | None,
    *,
    below: bool,
) -> _Made:
    """The allowance of each process by its rule."""
    rules = {year.line.id: rule_of(assembly, year.line, determined, below=below) for year in years}
    needed = any(rule.name == "intensity" for rule in rules.values())
    balance = add_balance(basis, assembly) if needed else None
    for year in years:
        add_allowance(basis, assembly, year, rules[year.line.id], balance)
        add_pre_allocation(basis, assembly, year.line)
    return _Made(tuple(years), rules, balance, ())


def _below(assembly: Assembly) -> tuple[bool, tuple[Doubt, ...]]:
    """Whether the entity stays below the threshold, by its processes alone."""
    threshold = assembly.legal(PACK, "threshold_t")
    emission = assembly.lines[f"{PLANT}.emission"]
    if emission.value is None or emission.value >= threshold.number:
        return False, ()
    text = Text(
        zh=f"工序排放量合计低于纳入门槛 {threshold.number} t；若加上燃料和碳酸盐排放后不低于门槛，"
        "本报告的规则不适用，请核对企业层级排放量",
        en=f"the processes together emit less than the threshold of {threshold.number} t; if fuels "
        "and carbonates lift the entity over it, another rule applies: check the enterprise level",
    )
    return True, (Doubt(line=emission.id, text=text),)


def _warnings(assembly: Assembly, years: Sequence[YearOf], made: _Made) -> tuple[Doubt, ...]:
    found = _old_rule(assembly)
    for year in years:
        scope, rule = year.line.id, made.rules[year.line.id]
        if (text := near_floor(assembly, scope)) is not None:
            found.append(Doubt(line=f"{scope}.intensity", text=text))
        if rule.name == "none":
            emission = assembly.lines[f"{scope}.emission"].rounded
            text = Text(
                zh=f"该工序当年不予分配配额；其排放量 {emission} t 是否仍须清缴未见规定，"
                "此处按须清缴计（从严），请向省级主管部门核实",
                en=f"no allowance for this process; whether its {emission} t must be surrendered "
                "all the same was not seen: counted as due here (cautious); ask the province",
            )
            found.append(Doubt(line=f"{scope}.position", text=text))
    return tuple(found)


def _old_rule(assembly: Assembly) -> list[Doubt]:
    """A year for which no rule was made yet is reckoned by the last one: that is said."""
    year = assembly.period.first
    used = [legal for legal in assembly.legals.values() if legal.id.startswith(f"{PACK}.")]
    rules = [legal for legal in used if "allocation_rule@" in legal.id]
    if not rules or rules[0].applies_from.year == year.year:
        return []
    since = rules[0].applies_from.year
    text = Text(
        zh=f"{year.year} 年度的分配规则未知，按 {since} 年度的规则测算",
        en=f"no rule of allocation for {year.year} is known: reckoned by that of {since}",
    )
    return [Doubt(line=f"{PLANT}.allowance", text=text)]


def _headline(assembly: Assembly) -> tuple[str, ...]:
    names = (
        *("emission", "emission_low", "emission_high", "allowance", "allowance_low"),
        *("allowance_high", "position", "position_low", "position_high", "net_position"),
        *("saleable", "shortfall"),
    )
    known = [f"{PLANT}.{name}" for name in names if f"{PLANT}.{name}" in assembly.lines]
    needed = {f"{PLANT}.emission", f"{PLANT}.position"}
    return tuple(x for x in known if x in needed or assembly.lines[x].value is not None)
