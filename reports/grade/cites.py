"""Numbers of indicator tables as rules of a report: cited, stamped, traced like any other."""

from collections.abc import Iterable
from typing import Final

from reports.assembly import Argument, Assembly
from reports.citations import AbsentUse, SourceText
from reports.grade.evidence import Evidence, number_of
from reports.grade.listing import evidence_text
from reports.grade.table import FAMILIES, INDUSTRIES, PREFIX, Indicator, IndicatorTable, level_name
from reports.model import Input
from reports.rules.packfile import Confirmed, Parameter
from reports.rules.packs import Legal, RulePack
from reports.rules.units import RuleUnit
from reports.values import Text

FEW: Final = 3  # families named one by one


def as_packs(tables: Iterable[IndicatorTable]) -> dict[str, RulePack]:
    """Each table as a pack whose parameters are its indicators, for citing."""
    return {
        table.id: RulePack(
            name=table.id,
            title=table.file.title,
            digest=table.digest,
            parameters={
                _key(each, n): Parameter(what=each.text.en, zh=each.text.zh, unit=RuleUnit.ONE)
                for each in table.indicators
                for n in range(len(each.evidence))
            },
            sources=table.file.sources,
        )
        for table in tables
    }


def _key(indicator: Indicator, number: int) -> str:
    more = f".{number + 1}" if number else ""
    return f"{indicator.level}.{indicator.name}{more}"


def cite(
    assembly: Assembly, table: IndicatorTable, indicator: Indicator, number: int, asked: Evidence
) -> Argument | None:
    """The number of an indicator as an input of its line; None where it has none."""
    found = number_of(asked)
    if found is None or indicator.absent:
        return None
    value, unit = found
    proof, level = evidence_text(asked, numbered=False), level_name(indicator.level)
    legal = Legal(
        pack=table.id,
        name=_key(indicator, number),
        what=f"{level.en}: {proof.en}",
        zh=f"{level.zh}：{proof.zh}",
        value=value,
        unit=RuleUnit(unit),
        applies_from=indicator.applies_from,
        source=indicator.source,
        locator=indicator.locator,
        confirmed=Confirmed(indicator.confirmed),
        seen=indicator.seen.en,
        seen_zh=indicator.seen.zh,
        overlay=indicator.overlay,
    )
    assembly.cite(legal)
    return Argument(
        Input(name="required", kind="legal", ref=legal.id, value=value, unit=str(legal.unit))
    )


def note_absent(assembly: Assembly, table: IndicatorTable, indicator: Indicator) -> None:
    """A table nobody could read: the text to open, once for each table and text."""
    source = indicator.source
    known = [
        each
        for each in assembly.absent.values()
        if each.id == f"{PREFIX}{table.base}" and each.source.title == source.title
    ]
    mine = [x for x in table.indicators if x.absent and x.source.title == source.title]
    if known or not mine:
        return
    levels = [level_name(each) for each in dict.fromkeys(each.level for each in mine)]
    families = [FAMILIES[key] for key in dict.fromkeys(each.family for each in mine)]
    name = INDUSTRIES.get(table.file.industry)
    zh, en = ("", "") if name is None else (name.zh, f"{name.en}, ")
    few, rules = len(families) <= FEW, table.file.generation
    told = Text(
        zh="、".join(x.zh for x in families) if few else f"{len(families)} 类指标",
        en=", ".join(x.en for x in families) if few else f"{len(families)} families of indicators",
    )
    assembly.absent[f"{table.id}@{source.title}"] = AbsentUse(
        id=f"{PREFIX}{table.base}",
        label=Text(
            zh=f"{zh}绩效分级（{rules}）{'、'.join(x.zh for x in levels)}：{told.zh}",
            en=f"{en}grading {rules}, {', '.join(x.en for x in levels)}: {told.en}",
        ),
        unit="1",
        source=SourceText(
            title=source.title,
            issuer=source.issuer,
            published=source.published,
            where=source.where,
        ),
        locator=indicator.locator,
    )
