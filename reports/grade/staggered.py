"""Staggered production in autumn and winter: what an exemption stands on, and what is proven."""

from dataclasses import replace
from typing import Final

from reports.chapters import Block, Chapter, Facts, Paragraph
from reports.grade.alert_plan import AlertPlan, Season
from reports.grade.bench import Bench
from reports.grade.overlay import Overlay, lay
from reports.grade.scheme import Graded, Scheme, graded, industries
from reports.grade.table import tables
from reports.periods import Period
from reports.values import Text

TABLE: Final = "cn_staggered"
_NOTE: Final = Text(
    zh="只有有组织和无组织排放均经官方限值证明，才写“可证明”；限值未录入的一律未知。",
    en="Provable only where both kinds of emission are proven by official limits; without the "
    "limits it is unknown.",
)


def season_of(bench: Bench, plan: AlertPlan | None) -> Season | None:
    """The newest season that had begun by the day, and ended within the year or still lasts."""
    known = () if plan is None else plan.season
    begun = [x for x in known if x.first <= bench.day and x.last >= bench.period.first]
    return max(begun, key=lambda each: each.first, default=None)


def seasons(
    bench: Bench, plan: AlertPlan | None, overlays: list[Overlay]
) -> tuple[Season | None, Bench, list[Graded]]:
    """The season, its bench, and each industry judged over it."""
    season = season_of(bench, plan)
    if season is None:
        return None, bench, []
    period = Period.between(season.first, min(season.last, bench.day))
    suffix = f".season_{season.first:%Y_%m}"
    mine = replace(bench, basis=bench.basis.of(period), suffix=suffix, _stacks={}, _points={})
    made = []
    for industry in industries(bench.basis):
        table = lay(tables(), overlays, industry)[TABLE]
        made.append(graded(mine, Scheme(industry, table.file.generation, (table,))))
    return season, mine, made


def staggered_blocks(season: Season, bench: Bench, made: list[Graded]) -> tuple[Block, ...]:
    """What the chapter says before its tables."""
    facts: list[tuple[Text, Text | str]] = [
        (Text(zh="错峰季", en="Season"), f"{season.first} – {season.last}"),
        (Text(zh="已审视", en="Looked at"), str(bench.period)),
        (Text(zh="依据", en="From"), f"{season.document}  sha256 {season.sha256[:16]}…"),
    ]
    facts += [(each.scheme.name, _verdict(each)) for each in made]
    return Facts(facts=tuple(facts)), Paragraph(text=_NOTE, tone="note")


def _verdict(each: Graded) -> Text:
    counted = each.counted[0]
    if counted.met:
        return Text(zh="豁免条件可证明", en="exemption provable")
    return Text(
        zh=f"豁免条件无法证明：{counted.unknown} 项未知，{counted.failed} 项不满足",
        en=f"exemption not provable: {counted.unknown} unknown, {counted.failed} failed",
    )


def staggered_chapter(
    season: Season, bench: Bench, made: list[Graded], tables_of: tuple[Block, ...]
) -> Chapter:
    """The whole chapter; ``tables_of`` are the indicators of each industry."""
    return Chapter(
        title=Text(zh="秋冬季错峰生产豁免", en="Exemption from staggered production"),
        blocks=(*staggered_blocks(season, bench, made), *tables_of),
    )
