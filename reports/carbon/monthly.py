"""
``carbon-monthly``: emission of the electrolysis processes of one month, by the Chinese ETS guide.

Beside the emission stand the auxiliary figures; electricity and heat are reported, not counted.
"""

from datetime import timedelta
from typing import Final

from reports.assembly import Assembly
from reports.basis import Basis
from reports.carbon.auxiliary import add_plant_auxiliary, add_potline_auxiliary
from reports.carbon.plausibility import doubts
from reports.carbon.process import GUIDE, Bench, accept, add_potline, add_totals
from reports.chapters import Chapter, Details, Grid, Standard
from reports.conclude import conclude, words
from reports.model import Content, DutyUse, Line
from reports.site import PLANT, Potline
from reports.values import Text

NAME: Final = "carbon-monthly"
TITLE: Final = Text(
    zh="铝电解工序温室气体排放月度报告",
    en="Monthly greenhouse gas report, electrolysis processes",
)


def carbon_monthly(basis: Basis) -> Content:
    """The report. Raises RuleError when the rules of that month are not known."""
    site, month, ledger, series = basis.site, basis.period, basis.ledger, basis.series
    assembly = Assembly(month, basis.packs)
    bench = Bench(site, month, ledger, series, assembly)
    accept(bench)
    lines = [line for line in site.potline if line.runs_in(month.first, month.after)]
    for line in lines:
        add_potline(bench, line)
        add_potline_auxiliary(assembly, site, line, ledger, series, GUIDE)
    add_totals(bench, [line.id for line in lines])
    add_plant_auxiliary(assembly, site, [line.id for line in lines], ledger, GUIDE)
    lodging = bench.law("lodging_days")
    return conclude(
        basis,
        assembly,
        report=NAME,
        title=TITLE,
        potlines=lines,
        duties=(
            DutyUse(
                id="lodge",
                text=Text(zh="月度存证", en="lodge the month"),
                due=month.days[-1] + timedelta(days=int(lodging.number)),
                legal=lodging.id,
            ),
        ),
        headline=tuple(f"{PLANT}.{name}" for name in ("aluminium", "emission", "intensity")),
        warnings=doubts(assembly.lines, lines, month),
        chapters=_chapters(tuple(assembly.lines.values()), lines),
    )


_SUMMARY: Final = (
    *("aluminium", "anode_consumed", "anode_net", "anode_co2", "pfc", "emission", "intensity"),
)
_BESIDE: Final = (
    *("electricity_ac", "specific_energy", "electricity_aux", "heat_process", "indirect_co2"),
)


def _chapters(lines: tuple[Line, ...], running: list[Potline]) -> tuple[Chapter, ...]:
    """What is printed: summary, auxiliary figures, processes, then each figure and its sources."""
    places = (
        *((line.id, words(line.name)) for line in running),
        (PLANT, Text(zh="全厂合计", en="Plant total")),
    )
    bought = tuple(f"{PLANT}.{name}" for name in ("electricity_purchased", "heat_purchased"))
    details = (
        Details(title=name, lines=tuple(line.id for line in lines if line.scope == scope))
        for scope, name in places
    )
    return (
        Chapter(
            title=Text(zh="排放汇总", en="Summary"),
            front=True,
            blocks=(Grid(places=places, names=_SUMMARY, sums=True),),
        ),
        Chapter(
            title=Text(zh="辅助参数（不计入排放量）", en="Auxiliary figures (not counted)"),
            front=True,
            blocks=(
                Grid(places=places, names=_BESIDE),
                Details(lines=bought),
                Standard(part="signatures"),
            ),
        ),
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
