"""What ``carbon-annual`` prints, in the order of the guide's chapters."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from reports.assembly import Assembly
from reports.basis import Basis
from reports.carbon.annual_pictures import year_pictures
from reports.carbon.monthly import BESIDE, PURCHASED, SUMMARY, TOTAL, enterprise_blocks
from reports.carbon.process import part_of
from reports.carbon.uncertainty import add_uncertainty
from reports.chapters import (
    Block,
    Cell,
    Chapter,
    Column,
    Details,
    Facts,
    Grid,
    Months,
    Paragraph,
    Standard,
    Table,
)
from reports.conclude import words
from reports.model import How
from reports.periods import Period
from reports.site import PLANT, Names, Potline
from reports.values import Text

_NOT_GIVEN: Final = Text(zh="未填写", en="not given")


@dataclass(frozen=True, slots=True)
class Parts:
    """Chapters that are made elsewhere."""

    quality: Chapter
    comparison: Chapter
    lodged: Chapter
    disclosure: Chapter


def annual_chapters(
    basis: Basis, assembly: Assembly, potlines: Sequence[Potline], parts: Parts
) -> tuple[Chapter, ...]:
    """The chapters of the year."""
    places = (*((line.id, words(line.name)) for line in potlines), (PLANT, TOTAL))
    made = (
        _summary(assembly, places),
        _enterprise_facts(basis),
        _boundary(assembly, potlines, basis.period),
        _process(assembly, places),
        _enterprise(assembly, basis.period),
        _production(assembly, places, basis.period),
        parts.quality,
        _changes(potlines, basis.period),
        parts.comparison,
        _auxiliary(assembly, places),
        _monthly(assembly, places, basis.period),
        parts.lodged,
        parts.disclosure,
        _sources(assembly, places),
    )
    uncertainty = add_uncertainty(assembly, basis, potlines)  # its lines stand there only
    return (*made, *(() if uncertainty is None else (uncertainty,)), *_ends())


Places = tuple[tuple[str, Text], ...]


def _summary(assembly: Assembly, places: Places) -> Chapter:
    whole = tuple(line for line in assembly.lines.values() if "@" not in line.id)
    return Chapter(
        title=Text(zh="排放汇总", en="Summary"),
        front=True,
        blocks=(
            Grid(places=places, names=SUMMARY, sums=True),
            *enterprise_blocks(whole)[:1],
            Standard(part="duties"),
            Standard(part="signatures"),
        ),
    )


def _enterprise_facts(basis: Basis) -> Chapter:
    site = basis.site
    firm = site.enterprise
    facts: list[tuple[Text, Text | str]] = [
        (Text(zh="单位名称", en="Enterprise"), words(site.operator or site.name)),
        (Text(zh="统一社会信用代码", en="Unified credit code"), site.credit_code or _NOT_GIVEN),
        (Text(zh="单位地址", en="Address"), _or_not(firm.address)),
        (Text(zh="生产场所地址", en="Production site"), _or_not(firm.production_site)),
        (Text(zh="行业分类代码", en="Sector code, GB/T 4754"), firm.industry_code),
        (Text(zh="法定代表人", en="Legal representative"), firm.legal_representative or _NOT_GIVEN),
        (Text(zh="排污许可证编号", en="Discharge permit"), firm.discharge_permit or _NOT_GIVEN),
        (Text(zh="联系人", en="Contact"), f"{firm.contact} {firm.telephone}".strip() or _NOT_GIVEN),
    ]
    return Chapter(
        title=Text(zh="企业基本情况", en="The enterprise"),
        blocks=(Facts(facts=tuple(facts)), Standard(part="potlines")),
    )


def _or_not(names: Names | None) -> Text:
    return _NOT_GIVEN if names is None else words(names)


_SOURCES: Final = (
    (
        Text(zh="炭阳极消耗（能源作为原材料用途）", en="carbon anodes consumed"),
        "CO2",
        Text(zh="铝电解工序、企业层级", en="process and enterprise"),
        "anode_co2",
    ),
    (
        Text(zh="阳极效应", en="anode effects"),
        "CF4, C2F6",
        Text(zh="铝电解工序、企业层级", en="process and enterprise"),
        "pfc",
    ),
    (
        Text(zh="化石燃料燃烧", en="fossil fuels burned"),
        "CO2",
        Text(zh="企业层级", en="enterprise"),
        "fuel_co2",
    ),
    (
        Text(zh="碳酸盐分解", en="carbonates decomposed"),
        "CO2",
        Text(zh="企业层级", en="enterprise"),
        "carbonate_co2",
    ),
)


def _boundary(assembly: Assembly, potlines: Sequence[Potline], year: Period) -> Chapter:
    rows: list[tuple[Cell, ...]] = [
        (name, gas, level, _stated(assembly, figure)) for name, gas, level, figure in _SOURCES
    ]
    table = Table(
        id="sources",
        title=Text(zh="排放源", en="Sources"),
        columns=(
            Column(label=Text(zh="排放源", en="Source"), width=30),
            Column(label=Text(zh="气体", en="Gas")),
            Column(label=Text(zh="核算边界", en="Boundary"), width=24),
            Column(label=Text(zh="本年度", en="This year")),
        ),
        rows=tuple(rows),
        note=Text(
            zh="购入电力和热力的间接排放不计入，仅作为辅助参数列出",
            en="indirect emission of power and heat is not counted; it stands among the auxiliary "
            "figures",
        ),
    )
    return Chapter(
        title=Text(zh="核算边界和排放源", en="Boundaries and sources"),
        blocks=(_boundary_text(potlines, year), table),
    )


def _stated(assembly: Assembly, figure: str) -> Text:
    how = assembly.lines[f"{PLANT}.{figure}"].how
    if how is How.NONE:
        return Text(zh="未填报", en="not stated")
    if how is How.MISSING:
        return Text(zh="缺数据", en="missing")
    return Text(zh="已核算", en="counted")


def _boundary_text(potlines: Sequence[Potline], year: Period) -> Paragraph:
    zh = "、".join(f"{line.name.zh}（工序 {line.process}）" for line in potlines)
    en = ", ".join(f"{line.name.en} (process {line.process})" for line in potlines)
    return Paragraph(
        text=Text(
            zh=f"{year} 年核算 {len(potlines)} 个铝电解工序：{zh}。铝电解工序层级核算炭阳极消耗和"
            "阳极效应的排放；企业层级另计化石燃料燃烧和碳酸盐分解的排放。",
            en=f"In {year} there are {len(potlines)} electrolysis processes: {en}. The process "
            "counts carbon anodes and anode effects; the enterprise also fuels and carbonates.",
        )
    )


def _process(assembly: Assembly, places: Places) -> Chapter:
    names = tuple(name for name in SUMMARY if f"{PLANT}.{name}" in assembly.lines)
    return Chapter(
        title=Text(zh="铝电解工序排放", en="The electrolysis processes"),
        blocks=(Grid(places=places, names=names, sums=True),),
    )


def _enterprise(assembly: Assembly, year: Period) -> Chapter:
    whole = tuple(line for line in assembly.lines.values() if "@" not in line.id)
    blocks: list[Block] = list(enterprise_blocks(whole)[:1])
    items = tuple(line.id for line in whole if line.scope == PLANT and line.id.count(".") == 2)
    if items:
        blocks.append(Months(lines=items, months=tuple(map(str, year.months))))
    return Chapter(title=Text(zh="企业层级排放", en="The enterprise"), blocks=tuple(blocks))


def _production(assembly: Assembly, places: Places, year: Period) -> Chapter:
    lines = tuple(f"{scope}.aluminium" for scope, _ in places)
    return Chapter(
        title=Text(zh="生产数据", en="Production"),
        blocks=(Months(lines=_there(assembly, lines), months=tuple(map(str, year.months))),),
    )


def _changes(potlines: Sequence[Potline], year: Period) -> Chapter:
    """Lines started, stopped, bought or sold in the year."""
    rows: list[tuple[Cell, ...]] = [
        (words(line.name), line.process, note) for line in potlines for note in part_of(line, year)
    ]
    none = Text(zh="本年度没有投运、停运、购入或出让的工序", en="no line started, stopped or sold")
    table = Table(
        id="line_changes",
        title=Text(zh="工序变化", en="Changes of the processes"),
        columns=(
            Column(label=Text(zh="工序", en="Process"), width=24),
            Column(label=Text(zh="编号", en="Number"), width=10),
            Column(label=Text(zh="变化", en="Change"), width=56),
        ),
        rows=tuple(rows),
    )
    return Chapter(
        title=Text(zh="变化情况", en="Changes"),
        blocks=(table if rows else Paragraph(text=none),),
    )


def _auxiliary(assembly: Assembly, places: Places) -> Chapter:
    bought = _there(assembly, tuple(f"{PLANT}.{name}" for name in PURCHASED))
    return Chapter(
        title=Text(zh="辅助参数（不计入排放量）", en="Auxiliary figures (not counted)"),
        blocks=(Grid(places=places, names=BESIDE), Details(lines=bought)),
    )


def _monthly(assembly: Assembly, places: Places, year: Period) -> Chapter:
    months = tuple(map(str, year.months))
    blocks: list[Block] = [*year_pictures(assembly, places, months)]
    for scope, name in places:
        lines = tuple(
            line.id
            for line in assembly.lines.values()
            if line.scope == scope
            and "@" not in line.id
            and line.id.count(".") == 1
            and line.how is not How.NONE
        )
        blocks.append(Months(title=name, lines=lines, months=months))
    return Chapter(title=Text(zh="各月数据", en="Month by month"), blocks=tuple(blocks))


def _sources(assembly: Assembly, places: Places) -> Chapter:
    blocks = tuple(
        Details(
            title=name,
            lines=tuple(
                line.id
                for line in assembly.lines.values()
                if line.scope == scope and "@" not in line.id
            ),
        )
        for scope, name in places
    )
    return Chapter(
        title=Text(zh="逐项结果、公式与来源", en="Figures, formulas, sources"), blocks=blocks
    )


def _ends() -> tuple[Chapter, ...]:
    return (
        Chapter(
            title=Text(zh="法规参数", en="Legal values"),
            blocks=(Standard(part="legals"), Standard(part="absent")),
        ),
        Chapter(title=Text(zh="录入数据", en="Entries"), blocks=(Standard(part="entries"),)),
        Chapter(title=Text(zh="计量与覆盖率", en="Meters"), blocks=(Standard(part="meters"),)),
        Chapter(title=Text(zh="版本差异", en="Changes"), blocks=(Standard(part="changes"),)),
    )


def _there(assembly: Assembly, ids: Sequence[str]) -> tuple[str, ...]:
    return tuple(identity for identity in ids if identity in assembly.lines)
