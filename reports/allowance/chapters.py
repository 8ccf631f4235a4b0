"""What the allowance report prints: what we have, what we owe, what it hangs on, what to do."""

from typing import Final

from reports.allowance.front import Findings, front
from reports.allowance.rules import case_text
from reports.allowance.tables import (
    anode_table,
    balance_table,
    milestone_table,
    months_table,
    vintage_table,
)
from reports.chapters import (
    Block,
    Chapter,
    Details,
    Grid,
    Paragraph,
    Standard,
)
from reports.conclude import words
from reports.site import PLANT
from reports.values import Text

PROCESSES: Final = (
    *("aluminium", "emission", "intensity", "x", "alpha"),
    *("allowance", "allocated", "position", "pre_allocation"),
)
BAND: Final = ("allowance_low", "allowance_high", "position_low", "position_high")


def chapters(found: Findings) -> tuple[Chapter, ...]:
    """In the order a manager asks."""
    scopes = [(year.line.id, words(year.line.name)) for year in found.years]
    places = (*scopes, (PLANT, Text(zh="全厂合计", en="Plant total")))
    lines = [key for key in found.assembly.lines if "@" not in key]  # months stand in their table
    details = [
        Details(title=name, lines=tuple(x for x in lines if x.startswith(f"{scope}.")))
        for scope, name in places
    ]
    made = [
        front(found),
        _processes(found, places),
        _hangs_on(found),
        _months(found),
        _holdings(found),
        Chapter(
            title=Text(zh="何时办什么", en="What to do by when"),
            blocks=(_calendar(found),),
        ),
        Chapter(
            title=Text(zh="逐项结果、公式与来源", en="Figures, formulas, sources"),
            blocks=(*details,),
        ),
        Chapter(title=Text(zh="法规参数", en="Legal values"), blocks=(Standard(part="legals"),)),
        Chapter(
            title=Text(zh="待查法规参数", en="Values to look up"),
            blocks=(Standard(part="absent"),),
        )
        if found.assembly.absent
        else None,
        Chapter(title=Text(zh="录入数据", en="Entries"), blocks=(Standard(part="entries"),)),
        Chapter(title=Text(zh="版本差异", en="Changes"), blocks=(Standard(part="changes"),)),
    ]
    return tuple(chapter for chapter in made if chapter is not None)


# --- the chapters behind it


def _processes(found: Findings, places: tuple[tuple[str, Text], ...]) -> Chapter:
    lines = found.assembly.lines
    blocks: list[Block] = [Grid(places=places, names=PROCESSES)]
    if f"{PLANT}.allowance_low" in lines:
        blocks.append(
            Grid(
                title=Text(zh="区间", en="Band"),
                places=tuple(p for p in places if f"{p[0]}.allowance_low" in lines),
                names=BAND,
            )
        )
    for year in found.years:
        text = case_text(found.rules[year.line.id])
        name = year.line.name
        blocks.append(Paragraph(text=Text(zh=f"{name.zh}：{text.zh}", en=f"{name.en}: {text.en}")))
    return Chapter(title=Text(zh="各工序配额核定", en="Process by process"), blocks=tuple(blocks))


def _hangs_on(found: Findings) -> Chapter | None:
    """How the position moves with the balance value and with a kilogram of anode."""
    if found.balance is None:
        return None
    blocks: list[Block] = [Paragraph(text=found.balance.note, tone="note")]
    tables = (
        balance_table(found.assembly, found.rules, found.balance, found.price),
        anode_table(found.assembly, found.years, found.rules, found.balance, found.price),
    )
    blocks += [table for table in tables if table is not None]
    return Chapter(title=Text(zh="结果取决于什么", en="What it hangs on"), blocks=tuple(blocks))


def _months(found: Findings) -> Chapter | None:
    """Month by month, and how those to come were found."""
    tables = [months_table(year) for year in found.years if year.stated]
    if not tables:
        return None
    title = Text(zh="各月数据", en="Month by month")
    if not any(year.forecast for year in found.years):
        return Chapter(title=title, blocks=tuple(tables))
    method = Text(
        zh="余下月份：铝液取计划，无计划取已实测月份平均日产量 × 天数；阳极取计划，无计划取已实测"
        "月份平均吨铝消耗 × 铝液。95 % 预测区间由两部分合成：月度吨铝阳极消耗的离散程度，以及产量与"
        "计划（或平均日产量）的偏差；各工序区间按同向偏差直接相加（从严）。只有一个实测月份时不给区间。",
        en="Months to come: aluminium by plan, else mean daily output of the measured months times "
        "days; anode by plan, else their mean anode rate times aluminium. The 95 % interval joins "
        "two parts: the scatter of the monthly anode rate, and how far output was off its plan (or "
        "off the mean day); the intervals of the processes are added as if all deviated the same "
        "way (cautious). With one measured month none is stated.",
    )
    title = Text(zh="各月数据与全年预测", en="Month by month, and the forecast")
    return Chapter(title=title, blocks=(Paragraph(text=method), *tables))


def _holdings(found: Findings) -> Chapter:
    table = vintage_table(found.vintages)
    text = Text(
        zh="结转及已持有配额不含本年度下发量；不可用年份的配额不计入。2025 年及以后年份盈余的结转"
        "限制未见正式规定。",
        en="What is held does not include this year's issue; vintages that may not be used are not "
        "counted. A limit on carrying over surpluses of 2025 and later was not seen.",
    )
    return Chapter(
        title=Text(zh="持有与结转", en="Holdings and vintages"),
        blocks=(Paragraph(text=text), *((table,) if table is not None else ())),
    )


def _calendar(found: Findings) -> Block:
    """The days of the year, ours and those of others."""
    if not found.days:
        text = Text(
            zh="该年度的时间安排尚未公布（见“待查法规参数”）。",
            en="The days of this year are not published yet (see the values to look up).",
        )
        return Paragraph(text=text, tone="note")
    return milestone_table(found.days)
