"""The months of a year as they were lodged: when, whether in time, and what the year says now."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from reports.assembly import Assembly
from reports.basis import Basis
from reports.carbon.lodging_day import lodging_due
from reports.carbon.monthly import NAME
from reports.chapters import Block, Cell, Chapter, Column, Paragraph, Table
from reports.lodgings import Lodging
from reports.model import Content, Doubt, Line
from reports.periods import Period
from reports.site import PLANT
from reports.values import Text
from reports.versions import read_report

YES, NO = Text(zh="一致", en="the same"), Text(zh="不一致", en="differs")
IN_TIME, LATE = Text(zh="按时", en="in time"), Text(zh="逾期", en="late")
NOT_LODGED = Text(zh="未登记存证", en="not lodged")


@dataclass(frozen=True, slots=True)
class LodgedMonths:
    """The chapter, and the months that were late or differ."""

    chapter: Chapter
    warnings: tuple[Doubt, ...]


@dataclass(frozen=True, slots=True)
class _Difference:
    line: Line  # of the year; of the lodged month where the year has none
    was: Decimal | None
    now: Decimal | None


def lodged_months(basis: Basis, assembly: Assembly) -> LodgedMonths:
    """Raises ConfigError when a lodged copy cannot be read."""
    rows: list[tuple[Cell, ...]] = []
    moved: list[tuple[Cell, ...]] = []
    doubts: list[Doubt] = []
    later: list[Block] = []
    for month in basis.period.months:
        due = _due(assembly, month)
        lodging = basis.lodgings.latest(NAME, str(month))
        if lodging is None:
            rows.append((str(month), None, None, None, _day(due), NOT_LODGED, None))
            continue
        content = read_report(basis.lodgings.copy(lodging)).content
        found = list(_differences(assembly, content, month))
        first = next(x for x in basis.lodgings.lodgings if _same(x, month))
        in_time = _in_time(first, due)
        later += _later(month, lodging)
        same = NO if found else YES
        number = f"v{lodging.version}"
        rows.append(
            (str(month), number, lodging.receipt, str(lodging.on), _day(due), in_time, same)
        )
        moved += [_row(month, each) for each in found]
        doubts += _doubts(month, first, due, found)
    blocks: list[Block] = [_months(rows), *later]
    blocks.append(_moved(moved) if moved else Paragraph(text=_none_differ(rows)))
    title = Text(zh="与各月存证的一致性", en="The months as they were lodged")
    return LodgedMonths(Chapter(title=title, blocks=tuple(blocks)), tuple(doubts))


def _in_time(first: Lodging, due: date | None) -> Text | None:
    """By the first lodging; None before there was a duty."""
    if due is None:
        return None
    word = IN_TIME if first.on <= due else LATE
    if not first.backdated:
        return word
    return Text(zh=f"{word.zh}（补登）", en=f"{word.en} (recorded later)")


def _later(month: Period, lodging: Lodging) -> list[Block]:
    """When and why a lodging was recorded after its day."""
    if not lodging.backdated:
        return []
    text = Text(
        zh=f"{month}：登记的存证日 {lodging.on} 早于报告编制日，补登于 {lodging.recorded}，"
        f"理由：{lodging.backdated}",
        en=f"{month}: lodged on {lodging.on} as recorded later, on {lodging.recorded}, after the "
        f"report was written; reason: {lodging.backdated}",
    )
    return [Paragraph(text=text, tone="note")]


def _same(lodging: Lodging, month: Period) -> bool:
    return (lodging.report, lodging.period) == (NAME, str(month))


def _due(assembly: Assembly, month: Period) -> date | None:
    """None before there was a duty to lodge."""
    due = lodging_due(replace(assembly, period=month).legal, month)
    return None if due is None else due[0]


def _day(day: date | None) -> str | None:
    return None if day is None else str(day)


def _differences(assembly: Assembly, content: Content, month: Period) -> Iterator[_Difference]:
    """Lines of the month whose value is another now, or that only one of the two has."""
    lodged = {line.id: line for line in content.lines}
    now = {
        line.id.partition("@")[0]: line
        for line in assembly.lines.values()
        if line.id.endswith(f"@{month}")
    }
    for identity in dict.fromkeys([*now, *lodged]):
        first, second = lodged.get(identity), now.get(identity)
        was, value = (None if line is None else line.value for line in (first, second))
        line = second or first
        if line is not None and _as_filed(was) != _as_filed(value):
            yield _Difference(line, was, value)


def _as_filed(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def _row(month: Period, found: _Difference) -> tuple[Cell, ...]:
    line, was, now = found.line, found.was, found.now
    less = None if was is None or now is None else now - was
    zh = "全厂" if line.scope == PLANT else line.scope
    name = Text(zh=f"{zh} {line.label.zh}", en=f"{line.scope} {line.label.en}")
    return str(month), name, line.unit, was, now, less


def _doubts(
    month: Period, first: Lodging, due: date | None, found: Sequence[_Difference]
) -> Iterator[Doubt]:
    headline = f"{PLANT}.emission"
    if due is not None and first.on > due:
        text = Text(
            zh=f"{month} 于 {first.on} 存证，晚于期限 {due}",
            en=f"{month} was lodged on {first.on}, after {due}",
        )
        yield Doubt(line=headline, text=text)
    if found:
        text = Text(
            zh=f"{month} 有 {len(found)} 项与已存证的数据不一致，见“与各月存证的一致性”",
            en=f"{month}: {len(found)} figures differ from what was lodged; see the table",
        )
        yield Doubt(line=headline, text=text)


def _months(rows: Sequence[tuple[Cell, ...]]) -> Table:
    return Table(
        id="lodged_months",
        title=Text(zh="各月存证", en="Months lodged"),
        columns=(
            Column(label=Text(zh="月份", en="Month"), width=10),
            Column(label=Text(zh="版本", en="Version"), width=8),
            Column(label=Text(zh="回执", en="Receipt"), width=20),
            Column(label=Text(zh="存证日期", en="Lodged on"), width=12),
            Column(label=Text(zh="期限", en="Due"), width=12),
            Column(label=Text(zh="是否按时", en="In time"), width=12),
            Column(label=Text(zh="与年度报告", en="Against the year"), width=12),
        ),
        rows=tuple(rows),
        note=Text(
            zh="是否按时以首次存证为准；版本与回执为最近一次",
            en="in time by the first lodging; version and receipt are the newest",
        ),
    )


def _moved(rows: Sequence[tuple[Cell, ...]]) -> Table:
    return Table(
        id="lodged_differences",
        title=Text(zh="与存证不一致的数据", en="Figures that differ from what was lodged"),
        columns=(
            Column(label=Text(zh="月份", en="Month"), width=10),
            Column(label=Text(zh="指标", en="Figure"), width=32),
            Column(label=Text(zh="单位", en="Unit"), width=9),
            Column(label=Text(zh="存证值", en="Lodged"), width=16),
            Column(label=Text(zh="现值", en="Now"), width=16),
            Column(label=Text(zh="差", en="Difference"), width=14),
        ),
        rows=tuple(rows),
    )


def _none_differ(rows: Sequence[tuple[Cell, ...]]) -> Text:
    count = sum(1 for row in rows if row[1] is not None)
    return Text(
        zh=f"已登记存证 {count} 个月，数据均与本报告一致" if count else "没有登记任何一个月的存证",
        en=f"{count} months were lodged, and all their figures are those of this report"
        if count
        else "no month was recorded as lodged",
    )
