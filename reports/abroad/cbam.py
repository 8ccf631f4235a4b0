"""
``cbam``: embedded emission of unwrought aluminium (CN 7601) of a year, and what it costs to import.

Direct emission only. The actual figure stands beside the default that is charged without it.
"""

from typing import Final

from drivers.language import say
from reports.abroad.anode_effect_input import Flags
from reports.abroad.cbam_chapters import chapters_of
from reports.abroad.cbam_charge import VALUES, add_charge
from reports.abroad.cbam_emission import add_emission
from reports.abroad.cbam_goods import add_goods, add_precursors, add_scrap
from reports.abroad.gwp import gwp_set
from reports.abroad.international_chapters import doubts_of
from reports.abroad.rules import RULES, Bench, months_of
from reports.assembly import Assembly
from reports.basis import Basis
from reports.conclude import conclude
from reports.model import Content, Doubt
from reports.rules.packs import RuleError
from reports.site import PLANT
from reports.values import Text

NAME: Final = "cbam"
TITLE: Final = Text(
    zh="欧盟 CBAM 隐含排放报告（未锻轧铝）",
    en="CBAM: embedded emissions of unwrought aluminium",
)
EU: Final = next(rule for rule in RULES if rule.key == "eu")
HEADLINE: Final = (
    *("cbam_see", "cbam_default", "certificates_per_t", "certificates_per_t_default"),
)


def cbam(basis: Basis) -> Content:
    """The report. Raises RuleError for a year before the rule."""
    assembly, year = Assembly(basis.period, basis.packs), basis.period
    try:
        bench = Bench(basis, assembly, Flags(basis.series), EU, gwp_set(assembly, EU.pack))
    except RuleError as error:
        raise RuleError(_too_early(error)) from None
    assembly.legal(VALUES, "indirect_scope")
    lines = [line for line in basis.site.potline if line.runs_in(year.first, year.after)]
    months = sorted({month for line in lines for month in months_of(basis, line)})
    found, doubts = add_emission(bench, lines)
    add_goods(bench, months)
    add_scrap(bench, months)
    add_precursors(bench, months)
    add_charge(bench, months)
    charged = assembly.lines[f"{PLANT}.certificates_per_t"]
    flagged = [Doubt(line=charged.id, text=note) for note in charged.notes]
    return conclude(
        basis,
        assembly,
        report=NAME,
        title=TITLE,
        potlines=lines,
        headline=tuple(f"{PLANT}.{name}" for name in HEADLINE),
        warnings=(*flagged, *doubts, *doubts_of(assembly, found)),
        chapters=chapters_of(bench, found, lines, months),
    )


def _too_early(error: RuleError) -> str:
    """The words for a year that this rule does not govern."""
    return say(
        f"该年度尚不适用正式期规则 (EU) 2025/2547；过渡期规则 (EU) 2023/1773 不在本程序内：{error}",
        "the rule of the definitive period, (EU) 2025/2547, did not apply yet; that of the "
        f"transitional period, (EU) 2023/1773, is not in the program: {error}",
    )
