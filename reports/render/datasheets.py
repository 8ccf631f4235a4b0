"""The data sheets of a workbook: lines, inputs, rules, entries, meters, changes, one row each."""

from collections.abc import Sequence

from reports.model import Change, How
from reports.render.blocks import Pages
from reports.render.items import changed, shown
from reports.render.labels import (
    CONFIRMED,
    EVENTS,
    HOW,
    METHODS,
    REASONS,
    VALUES,
    coverage_text,
    input_text,
    item_text,
    label,
    more_text,
    unit_text,
)
from reports.render.live import Places
from reports.render.marks import sign_of
from reports.render.workbook import Alarm, Cell, Column, Figure, Rows
from reports.rules.places import place_text


def _columns(pages: Pages, *columns: tuple[str, str, int]) -> tuple[Column, ...]:
    return tuple(Column(pages.say(zh, en), width) for zh, en, width in columns)


def lines_sheet(pages: Pages, places: Places) -> Rows:
    """Every line; what is a sum or a short formula is one. Columns C to E: see live.py."""
    lang = pages.lang
    columns = _columns(
        pages,
        ("编号", "Id", 26),
        ("项目", "Figure", 30),
        ("修约值", "Rounded", 14),
        ("未修约值", "Exact", 18),
        ("修约值之和", "Sum of rounded", 14),
        ("单位", "Unit", 10),
        ("取得方式", "How", 12),
        ("标记", "Signs", 8),
        ("方法", "Method", 12),
        ("替代比例", "Share substituted", 10),
        ("公式", "Formula", 30),
        ("输入", "Inputs", 60),
        ("覆盖率", "Coverage", 30),
        ("缺少", "Missing", 40),
        ("备注", "Notes", 40),
    )
    rows: list[list[Cell]] = [
        [
            line.id,
            pages.labels[line.id],
            Figure(line.rounded, line.decimals, formula=places.of_rounded(line)),
            Figure(line.value, None, formula=places.of_exact(line)),
            Figure(line.sum_of_rounded, line.decimals, formula=places.of_sum_of_rounded(line)),
            unit_text(line.unit, lang),
            Alarm(HOW[line.how].of(lang)) if line.how is How.MISSING else HOW[line.how].of(lang),
            pages.marks[line.id],
            label(METHODS, line.method, lang),
            line.substituted,
            line.equation,
            "; ".join(input_text(line, given, lang, pages.labels) for given in line.inputs),
            coverage_text(line.coverage, lang),
            "; ".join(text.of(lang) for text in line.missing),
            "; ".join(text.of(lang) for text in line.notes),
        ]
        for line in pages.report.content.lines
    ]
    return Rows(columns, rows, filtered=True)


def inputs_sheet(pages: Pages, places: Places) -> Rows:
    """Every input of every line, as a reference to where it was taken from."""
    columns = _columns(
        pages,
        ("结果编号", "Line", 26),
        ("公式", "Formula", 18),
        ("参数", "Parameter", 24),
        ("数值", "Value", 20),
        ("单位", "Unit", 14),
        ("来源类型", "Kind", 10),
        ("来源编号", "Reference", 40),
        ("来源", "What it is", 40),
    )
    rows: list[list[Cell]] = [
        [
            line.id,
            line.formula,
            given.name,
            Figure(given.value, None, formula=places.of_input(given)),
            unit_text(given.unit, pages.lang),
            given.kind,
            given.ref,
            pages.labels.get(given.ref, given.ref),
        ]
        for line in pages.report.content.lines
        for given in line.inputs
    ]
    return Rows(columns, rows, filtered=True)


def legals_sheet(pages: Pages) -> Rows:
    """Every rule with its citation."""
    lang = pages.lang
    columns = _columns(
        pages,
        ("编号", "Id", 36),
        ("参数", "Parameter", 34),
        ("取值", "Value", 18),
        ("单位", "Unit", 14),
        ("自", "From", 12),
        ("核实", "Confirmed", 12),
        ("标记", "Sign", 8),
        ("依据文件", "Text", 50),
        ("位置", "Place", 30),
        ("在何处看到", "Where it was read", 50),
    )
    rows: list[list[Cell]] = [
        [
            legal.id,
            legal.label.of(lang),
            label(VALUES, legal.value, lang) if isinstance(legal.value, str) else legal.value,
            unit_text(legal.unit, lang),
            str(legal.applies_from),
            CONFIRMED[legal.confirmed].of(lang),
            sign_of(legal),
            legal.source.title,
            place_text(legal.locator, lang),
            legal.read.of(lang),
        ]
        for legal in pages.report.content.legals
    ]
    return Rows(columns, rows, filtered=True)


def entries_sheet(pages: Pages) -> Rows:
    """Every entry with its documents."""
    lang = pages.lang
    columns = _columns(
        pages,
        ("条目", "Entry", 8),
        ("项目", "Figure", 24),
        ("工序", "Line", 10),
        ("期间", "Period", 12),
        ("数值", "Value", 16),
        ("单位", "Unit", 10),
        ("品种", "Item", 14),
        ("填报人", "Author", 14),
        ("时间", "Time", 20),
        ("理由", "Reason", 30),
        ("凭证编号", "Voucher", 20),
        ("凭证文件", "Document", 24),
        ("凭证 SHA-256", "Document SHA-256", 34),
        ("来源表", "Table", 24),
        ("来源表 SHA-256", "Table SHA-256", 34),
        ("行", "Row", 8),
        ("修订条目", "Revises", 10),
        ("附加信息", "Further facts", 40),
        ("条目摘要", "Entry hash", 34),
    )
    rows: list[list[Cell]] = [
        [
            entry.number,
            entry.label.of(lang),
            entry.line,
            entry.period,
            entry.value,
            unit_text(entry.unit, lang),
            item_text(entry.kind, entry.item, lang) if entry.item else "",
            entry.author,
            entry.time,
            entry.reason,
            entry.voucher,
            entry.document.name if entry.document else "",
            entry.document.sha256 if entry.document else "",
            entry.source.name if entry.source else "",
            entry.source.sha256 if entry.source else "",
            entry.row or None,
            entry.revises,
            more_text(entry.more, lang),
            entry.hash,
        ]
        for entry in pages.report.content.entries
    ]
    return Rows(columns, rows, filtered=True)


def meters_sheet(pages: Pages) -> list[Rows]:
    """Every meter, and below them its gaps and events."""
    columns = _columns(
        pages,
        ("计量表", "Meter", 30),
        ("累计", "Counted", 18),
        ("单位", "Unit", 20),
        ("期初表底", "Register at begin", 20),
        ("时刻", "At", 20),
        ("期末表底", "Register at end", 20),
        ("时刻", "At", 20),
        ("逐窗口计量 h", "Measured h", 14),
        ("按表底补齐 h", "Bridged h", 14),
        ("未知 h", "Unknown h", 14),
        ("窗口数", "Windows", 10),
        ("批次", "Batches", 50),
    )
    rows: list[list[Cell]] = [
        [
            meter.id,
            Figure(meter.total, 3),
            meter.unit,
            Figure(meter.begin.last if meter.begin else None, 3),
            meter.begin.time if meter.begin else "",
            Figure(meter.end.last if meter.end else None, 3),
            meter.end.time if meter.end else "",
            Figure(meter.measured_s / 3600, 3),
            Figure(meter.bridged_s / 3600, 3),
            Figure(meter.unknown_s / 3600, 3),
            meter.windows,
            "; ".join(f"{b.gateway} {b.log} {b.first_seq}-{b.last_seq}" for b in meter.batches),
        ]
        for meter in pages.report.content.meters
        if not meter.is_gauge
    ]
    gauges, gaps = _gauges(pages), _gaps(pages)
    found = [x for x in (Rows(columns, rows), gauges, gaps) if x.rows]
    return found or [Rows(columns, rows)]


def _gauges(pages: Pages) -> Rows:
    """Points without a register: what of the period they cover, and from which batches."""
    columns = _columns(
        pages,
        ("测点", "Point", 30),
        ("单位", "Unit", 18),
        ("有数据 h", "With data h", 20),
        ("无数据 h", "Without h", 20),
        ("覆盖率 %", "Coverage %", 20),
        ("窗口数", "Windows", 20),
        ("批次", "Batches", 20),
    )
    rows: list[list[Cell]] = [
        [
            meter.id,
            unit_text(meter.unit, pages.lang),
            Figure(meter.measured_s / 3600, 3),
            Figure(meter.unknown_s / 3600, 3),
            Figure(meter.measured_s / meter.period_s * 100, 2),
            meter.windows,
            "; ".join(f"{b.gateway} {b.log} {b.first_seq}-{b.last_seq}" for b in meter.batches),
        ]
        for meter in pages.report.content.meters
        if meter.is_gauge
    ]
    return Rows(columns, rows)


def _gaps(pages: Pages) -> Rows:
    lang = pages.lang
    columns = _columns(
        pages,
        ("缺口与事件", "Gaps and events", 30),
        ("数量", "Amount", 18),
        ("单位", "Unit", 20),
        ("原因", "Reason", 20),
        ("开始", "From", 20),
        ("结束", "To", 20),
        ("说明", "Text", 20),
    )
    rows: list[list[Cell]] = []
    for meter in pages.report.content.meters:
        rows += [
            [
                meter.id,
                Figure(gap.amount, 3),
                meter.unit,
                label(REASONS, gap.reason, lang),
                *(gap.start, gap.end, ""),
            ]
            for gap in meter.gaps
        ]
        rows += [
            [
                meter.id,
                Figure(event.amount, 3),
                meter.unit,
                label(EVENTS, event.kind, lang),
                *(event.start, event.end or "", event.text),
            ]
            for event in meter.events
        ]
    return Rows(columns, rows)


def changes_sheet(pages: Pages, changes: Sequence[Change]) -> Rows:
    """What was, what is, and why."""
    columns = _columns(
        pages,
        ("类别", "What", 10),
        ("编号", "Reference", 40),
        ("项目", "Figure", 40),
        ("原值", "Before", 30),
        ("现值", "Now", 30),
        ("原值（未修约）", "Before, exact", 22),
        ("现值（未修约）", "Now, exact", 22),
        ("原因", "Why", 50),
    )
    rows: list[list[Cell]] = [
        [
            change.what,
            change.ref,
            changed(change, pages.labels, pages.lang),
            shown(change.before, pages.lang),
            shown(change.after, pages.lang),
            change.exact_before,
            change.exact_after,
            pages.of(change.why),
        ]
        for change in changes
    ]
    return Rows(columns, rows)
