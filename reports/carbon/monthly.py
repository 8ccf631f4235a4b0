"""
``carbon-monthly``: process and enterprise emission of one month, by the Chinese ETS guide.

Beside the emission stand the auxiliary figures; electricity and heat are reported, not counted.
The year's report is put together of the same months.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

from reports.assembly import Assembly
from reports.basis import Basis
from reports.carbon.auxiliary import add_plant_auxiliary, add_potline_auxiliary
from reports.carbon.corrections import add_corrections
from reports.carbon.enterprise import (
    FUEL_KINDS,
    add_enterprise,
    fuel_table,
    in_use,
    is_gas,
)
from reports.carbon.lodging_day import lodging_due
from reports.carbon.lodging_list import lodging_list
from reports.carbon.plausibility import doubts
from reports.carbon.process import GUIDE, accept, add_potline, add_totals, bench_of
from reports.carbon.stock_carried import stock_doubts
from reports.chapters import Block, Chapter, Details, Grid, Standard
from reports.conclude import conclude, words
from reports.model import Content, Doubt, DutyUse, Line
from reports.plan.deviations import deviations
from reports.rules.packs import Legal
from reports.site import PLANT, Potline
from reports.values import Text

NAME: Final = "carbon-monthly"
TITLE: Final = Text(
    zh="铝冶炼企业温室气体排放月度报告",
    en="Monthly greenhouse gas report of an aluminium smelter",
)
HEADLINE: Final = ("aluminium", "emission", "intensity", "enterprise_emission")
TOTAL: Final = Text(zh="全厂合计", en="Plant total")


@dataclass(frozen=True, slots=True)
class Month:
    """What one month says: its bench with every line, the potlines that ran, the warnings."""

    assembly: Assembly
    potlines: tuple[Potline, ...]
    warnings: tuple[Doubt, ...]


def assemble_month(basis: Basis) -> Month:
    """Every figure of the month. Raises RuleError when the rules of that month are not known."""
    site, month, ledger, series = basis.site, basis.period, basis.ledger, basis.series
    assembly = Assembly(month, basis.packs)
    bench = bench_of(basis, assembly)
    accept(bench)
    lines = [line for line in site.potline if line.runs_in(month.first, month.after)]
    for line in lines:
        add_potline(bench, line)
        add_potline_auxiliary(assembly, site, line, ledger, series, GUIDE)
    add_totals(bench, [line.id for line in lines])
    found = add_enterprise(bench)
    add_plant_auxiliary(assembly, site, [line.id for line in lines], ledger, GUIDE)
    add_corrections(assembly, ledger, bench.plan, month)
    fuels = [fuel for fuel in in_use(bench, FUEL_KINDS, site.fuels) if not is_gas(fuel)]
    carried = stock_doubts(ledger, month, lines, fuels)
    warnings = (*doubts(assembly.lines, lines, month), *found, *carried)
    return Month(assembly, tuple(lines), warnings)


def carbon_monthly(basis: Basis) -> Content:
    """The report. Raises RuleError when the rules of that month are not known."""
    month = assemble_month(basis)
    assembly, lines = month.assembly, month.potlines
    due = lodging_due(assembly.legal, basis.period)
    listed = lodging_list(assembly, lines, basis.period)
    return conclude(
        basis,
        assembly,
        report=NAME,
        title=TITLE,
        potlines=lines,
        duties=() if due is None else (_duty(*due),),
        headline=tuple(f"{PLANT}.{name}" for name in HEADLINE),
        warnings=(*month.warnings, *deviations(basis, tuple(assembly.lines.values()))),
        chapters=_chapters(tuple(assembly.lines.values()), lines, listed),
    )


def _duty(day: date, legal: Legal) -> DutyUse:
    text = Text(zh="月度存证", en="lodge the month")
    return DutyUse(id="lodge", text=text, due=day, legal=legal.id)


SUMMARY: Final = (
    *("aluminium", "anode_consumed", "anode_net", "anode_co2", "pfc", "emission", "intensity"),
)
BESIDE: Final = (
    *("electricity_ac", "specific_energy", "electricity_aux", "heat_process", "indirect_co2"),
)
ENTERPRISE: Final = ("fuel_co2", "anode_co2", "pfc", "carbonate_co2", "enterprise_emission")
PURCHASED: Final = (
    *("electricity_purchased", "electricity_purchased_co2"),
    *("heat_purchased", "heat_purchased_co2"),
)


def enterprise_blocks(lines: tuple[Line, ...]) -> tuple[Block, ...]:
    """The four sources and their sum, then fuels and carbonates one by one."""
    table = fuel_table(lines)
    total = ((PLANT, Text(zh="企业层级", en="Enterprise")),)
    return (Grid(places=total, names=ENTERPRISE), *(() if table is None else (table,)))


def purchased(lines: tuple[Line, ...]) -> Details:
    """What was bought, and what it means in CO2."""
    there = {line.id for line in lines}
    ids = tuple(f"{PLANT}.{name}" for name in PURCHASED)
    return Details(lines=tuple(identity for identity in ids if identity in there))


def _chapters(
    lines: tuple[Line, ...], running: tuple[Potline, ...], listed: Chapter
) -> tuple[Chapter, ...]:
    """What is printed: summary, auxiliary figures, processes, then each figure and its sources."""
    places = (*((line.id, words(line.name)) for line in running), (PLANT, TOTAL))
    details = (
        Details(title=name, lines=tuple(line.id for line in lines if line.scope == scope))
        for scope, name in places
    )
    return (
        Chapter(
            title=Text(zh="铝电解工序排放汇总", en="Summary of the electrolysis processes"),
            front=True,
            blocks=(Grid(places=places, names=SUMMARY, sums=True),),
        ),
        Chapter(
            title=Text(zh="企业层级排放汇总", en="Summary at enterprise level"),
            front=True,
            blocks=enterprise_blocks(lines),
        ),
        Chapter(
            title=Text(zh="辅助参数（不计入排放量）", en="Auxiliary figures (not counted)"),
            front=True,
            blocks=(
                Grid(places=places, names=BESIDE),
                purchased(lines),
                Standard(part="duties"),
                Standard(part="signatures"),
            ),
        ),
        listed,
        Chapter(title=Text(zh="工序基本信息", en="Processes"), blocks=(Standard(part="potlines"),)),
        Chapter(
            title=Text(zh="逐项结果、公式与来源", en="Figures, formulas, sources"),
            blocks=tuple(details),
        ),
        Chapter(title=Text(zh="法规参数", en="Legal values"), blocks=(Standard(part="legals"),)),
        Chapter(title=Text(zh="录入数据", en="Entries"), blocks=(Standard(part="entries"),)),
        Chapter(title=Text(zh="计量与覆盖率", en="Meters"), blocks=(Standard(part="meters"),)),
        Chapter(title=Text(zh="版本差异", en="Changes"), blocks=(Standard(part="changes"),)),
    )
