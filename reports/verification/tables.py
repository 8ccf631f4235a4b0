"""Tables of the ``verification`` report: figures beside their second sources and earlier selves."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from reports.chapters import Cell, Column, Table
from reports.lodgings import Lodging
from reports.model import Content, How, Line
from reports.periods import Period
from reports.plan.in_force import PlanInForce
from reports.plan.words import joined, text
from reports.values import Text
from reports.verification.checks import Check, YearCheck
from reports.verification.lodged import Lodged
from reports.words import rounded, short_text

Rows = list[tuple[Cell, ...]]
HASH_SHOWN: Final = 12
DAYS_SHOWN: Final = 3
_DIFFERENCE = Column(label=text("差值", "Difference"), width=12)
PERCENT = Column(label=text("相对偏差", "Difference"), unit="%", decimals=2, width=10)
_ALLOWED = Column(label=text("允许偏差", "Allowed"), unit="%", width=9)
_VERDICT = Column(label=text("结论", "Verdict"), width=14)


def columns(*heads: tuple[str, str, int]) -> tuple[Column, ...]:
    """Heads and widths in characters."""
    return tuple(Column(label=text(zh, en), width=width) for zh, en, width in heads)


def _short(value: Decimal | None) -> Decimal | None:
    """Six decimals are more than any meter has."""
    return None if value is None else Decimal(short_text(rounded(value, 6)))


def _percent(value: Decimal | None) -> Decimal | None:
    """Four decimals, and no negative zero."""
    return None if value is None else rounded(value, 4) + 0


def _verdict(*, above: bool, unexplained: bool) -> Text:
    if not above:
        return text("一致", "agrees")
    if unexplained:
        return text("超差，无说明", "above, unexplained")
    return text("超差，已说明", "above, explained")


def year_table(found: Sequence[YearCheck], alone: Mapping[str, Sequence[Line]]) -> Table:
    """A row for each figure and second source of the year, then the figures that have none."""
    rows: Rows = [
        (
            x.figure,
            x.label,
            x.unit,
            _short(x.value),
            x.source,
            _short(x.amount),
            _short(x.amount - x.value),
            _percent(x.percent),
            Decimal(len(x.months)),
            x.months[0].threshold,
            _verdict(above=bool(x.above), unexplained=bool(x.unexplained)),
        )
        for x in found
    ]
    for figure, lines in alone.items():
        value = sum((line.value or Decimal(0) for line in lines), Decimal(0))
        none = text("单一来源", "single source")
        empty = (None, None, None)
        count = Decimal(len(lines))
        first = lines[0]
        rows.append(
            (figure, first.label, first.unit, _short(value), none, *empty, count, None, none)
        )
    return Table(
        id="crosscheck",
        title=text("年度交叉核对", "Cross-check of the year"),
        columns=(
            *columns(("参数", "Figure", 26), ("名称", "Name", 18), ("单位", "Unit", 7)),
            Column(label=text("报告值", "Reported"), width=14),
            *columns(("核对来源", "Second source", 26)),
            Column(label=text("来源值", "Source says"), width=14),
            _DIFFERENCE,
            PERCENT,
            Column(label=text("月数", "Months"), width=6),
            _ALLOWED,
            _VERDICT,
        ),
        rows=tuple(rows),
        note=text(
            "报告值与来源值均只计有该来源的月份；任一月份超差即为超差。"
            "单一来源的参数没有可供核对的其他记录。",
            "Both sides count only the months that have the source; one month above is above. "
            "A single-source figure has no other record to be held against.",
        ),
    )


def month_table(found: Sequence[Check]) -> Table:
    """Each month against each source, with explanation and files."""
    return Table(
        id="crosscheck_months",
        title=text("逐月交叉核对", "Cross-check by month"),
        columns=(
            *columns(("参数与月份", "Figure and month", 34)),
            Column(label=text("报告值", "Reported"), width=12),
            *columns(("核对来源", "Second source", 24)),
            Column(label=text("来源值", "Source says"), width=12),
            _DIFFERENCE,
            PERCENT,
            _ALLOWED,
            _VERDICT,
            *columns(
                ("超差说明", "Explanation", 26),
                ("凭证和导入表（SHA-256 前 12 位）", "Vouchers, imported tables (SHA-256)", 34),
            ),
        ),
        rows=tuple(
            (
                f"{x.figure}@{x.month}",
                _short(x.value),
                x.source.label,
                _short(x.source.amount),
                _short(x.difference),
                _percent(x.percent),
                x.threshold,
                _verdict(above=x.above, unexplained=x.unexplained),
                (x.explanation or None) if x.above else None,
                _files(x),
            )
            for x in found
        ),
    )


def _files(check: Check) -> Text | None:
    if not check.documents:
        return None
    return joined(f"{each.name} {each.sha256[:HASH_SHOWN]}" for each in check.documents)


def lodged_table(
    months: Mapping[Period, tuple[Lodging, Content] | None],
    plans: Mapping[Period, PlanInForce | None],
    found: Sequence[Lodged],
) -> Table:
    """Each month: what was lodged, under which plan, and how many figures differ now."""
    rows: Rows = []
    for month, known in months.items():
        plan = plans[month]
        differ = [x for x in found if x.month == month and x.differs]
        rows.append(
            (
                str(month),
                text("未存证", "not lodged") if known is None else f"v{known[0].version}",
                None if known is None else _lodged_on(known[0]),
                None if known is None else known[0].receipt,
                text("无", "none") if plan is None else plan.name,
                None if known is None else Decimal(len(differ)),
                None if known is None else Decimal(sum(x.unexplained for x in differ)),
            )
        )
    return Table(
        id="lodged_months",
        title=text("月度存证与计划版本", "Months lodged, and the plan in force"),
        columns=columns(
            ("月份", "Month", 10),
            ("存证版本", "Version", 12),
            ("存证日期", "Lodged on", 12),
            ("回执", "Receipt", 24),
            ("当月有效的计划", "Plan in force", 16),
            ("现有差异项数", "Figures that differ", 14),
            ("其中无说明", "Unexplained", 12),
        ),
        rows=tuple(rows),
    )


def _lodged_on(lodging: Lodging) -> Text | str:
    """The day, and when it was recorded where that was afterwards."""
    day, recorded = lodging.on.isoformat(), lodging.recorded.isoformat()
    if not lodging.backdated:
        return day
    return text(f"{day}（补登于 {recorded}）", f"{day} (recorded later, on {recorded})")


def differences_table(found: Sequence[Lodged]) -> Table:
    """Figures of lodged months that are not what they were."""
    return Table(
        id="lodged_differences",
        title=text("存证值与现值的差异", "Lodged figures that differ now"),
        columns=(
            *columns(
                ("参数与月份", "Figure and month", 34), ("名称", "Name", 18), ("单位", "Unit", 8)
            ),
            Column(label=text("存证值", "Lodged"), width=14),
            Column(label=text("现值", "Now"), width=14),
            *columns(("说明（录入修订、存证备注）", "Explanation", 50)),
        ),
        rows=tuple(
            (
                f"{x.figure}@{x.month}",
                x.label,
                x.unit,
                x.before,
                x.now,
                x.explanation or text("无说明", "unexplained"),
            )
            for x in found
            if x.differs
        ),
    )


def sums_table(lines: Mapping[str, Line], found: Sequence[Lodged]) -> Table:
    """The year against the sum of the months as they were lodged, where all are."""
    groups: dict[str, list[Lodged]] = {}
    for each in found:
        groups.setdefault(each.figure, []).append(each)
    rows: Rows = []
    for figure, months in groups.items():
        line = lines.get(figure)
        if line is None or line.how is not How.SUM:
            continue
        stated = [x for x in months if x.before is not None]
        before, now = (
            sum((value or Decimal(0) for value in values), Decimal(0))
            for values in ([x.before for x in stated], [x.now for x in stated])
        )
        whole = line.rounded if len(stated) == len(line.inputs) else None
        rows.append(
            (
                figure,
                line.label,
                line.unit,
                Decimal(len(stated)),
                before,
                now,
                now - before,
                whole,
                None if whole is None else whole - before,
            )
        )
    return Table(
        id="lodged_sums",
        title=text("年度值与已存证月份之和", "The year and the sum of the lodged months"),
        columns=(
            *columns(("参数", "Figure", 28), ("名称", "Name", 20), ("单位", "Unit", 8)),
            Column(label=text("已存证月数", "Months lodged"), width=8),
            Column(label=text("存证值之和", "Sum as lodged"), width=14),
            Column(label=text("同月现值之和", "The same months now"), width=14),
            _DIFFERENCE,
            Column(label=text("年度值", "Year"), width=14),
            Column(label=text("年度值－存证值之和", "Year - sum as lodged"), width=14),
        ),
        rows=tuple(rows),
        note=text(
            "存证值按修约后的月度值相加；年度值只在全部月份都已存证时比较，可有修约差。",
            "The lodged months are added as they were rounded; the year is compared only when all "
            "of its months are lodged, and may differ by rounding.",
        ),
    )
