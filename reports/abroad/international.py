"""
``international``: the same year of the same potlines by IPCC, EU and US rules, side by side.

Measured anode effects count here, and only here: the Chinese figure is fixed per tonne. Every
figure names its method, its tier and the GWP set of its rule; sets are never mixed.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from reports.abroad.anode_effect_input import Flags, contradictions
from reports.abroad.co2 import add_co2
from reports.abroad.international_chapters import Found, chapters_of, doubts_of
from reports.abroad.lvae import add_lvae
from reports.abroad.pfc import Result, add_pfc
from reports.abroad.plant import (
    add_baking,
    add_plant_inputs,
    add_plant_metal,
    add_plant_total,
    add_total,
)
from reports.abroad.rules import RULES, Bench, bench_of, months_of
from reports.abroad.series import add_series
from reports.assembly import Assembly
from reports.basis import Basis
from reports.conclude import conclude
from reports.model import Content, Doubt
from reports.rules.packs import RuleError
from reports.site import PLANT, Potline
from reports.values import Text

NAME: Final = "international"
TITLE: Final = Text(
    zh="原铝温室气体排放国际方法对照报告",
    en="Greenhouse gases of primary aluminium by international methods",
)


def international(basis: Basis) -> Content:
    """The report. Raises RuleError when no rule is in force in that year."""
    assembly, flags = Assembly(basis.period, basis.packs), Flags(basis.series)
    year = basis.period
    lines = [line for line in basis.site.potline if line.runs_in(year.first, year.after)]
    for line in lines:
        add_series(basis, assembly, flags, line)
    benches = [b for rule in RULES if (b := bench_of(basis, assembly, flags, rule)) is not None]
    if not benches:
        raise RuleError(f"{year}: no rule of IPCC, EU or US is in force")
    add_plant_metal(benches[0], lines)
    add_plant_inputs(benches[0])
    found = [_one(bench, line) for bench in benches for line in lines]
    for bench in benches:
        add_baking(bench)
        add_plant_total(bench, lines)
    return conclude(
        basis,
        assembly,
        report=NAME,
        title=TITLE,
        potlines=lines,
        headline=tuple(f"{PLANT}.total.{bench.rule.key}" for bench in benches),
        warnings=(*_contradictions(basis, assembly, lines), *doubts_of(assembly, found)),
        chapters=chapters_of(assembly, found, benches, lines),
    )


def _contradictions(basis: Basis, assembly: Assembly, lines: Sequence[Potline]) -> Iterator[Doubt]:
    for line in lines:
        yield from contradictions(basis, assembly, line, months_of(basis, line))


def _one(bench: Bench, line: Potline) -> Found:
    """Every method of one rule for one potline, and their total by the first that can be had."""
    pfc, co2 = add_pfc(bench, line), add_co2(bench, line)
    parts, why = [], []
    for results in (co2, pfc):
        chosen = _chosen(results)
        if chosen is None:
            why += [each.why_not for each in results if each.why_not is not None]
        else:
            parts.append(chosen.line)
    quiet = add_lvae(bench, line)
    if quiet is not None:
        pfc.append(quiet)
        parts += [quiet.line] if quiet.line else []
    add_total(bench, line, parts, why)
    return Found(bench, line, tuple(co2), tuple(pfc), frozenset(parts))


def _chosen(results: list[Result]) -> Result | None:
    """The first method that applies, be its figure known or missing: no gap sinks the tier."""
    return next((each for each in results if each.line), None)
