"""The report as a workbook: the same figures as real numbers, one sheet per question."""

from datetime import datetime
from io import BytesIO
from typing import Any, Final

from reports.model import Report
from reports.render.items import shown
from reports.render.labels import (
    CONFIRMED,
    EVENTS,
    HOW,
    REASONS,
    VALUES,
    coverage_text,
    input_text,
    label,
    reference_labels,
    unit_text,
)
from reports.render.workbook import Book, Cell, Column, Figure
from reports.values import Text

_SHEETS: Final = {
    "summary": Text(zh="汇总", en="Summary"),
    "lines": Text(zh="逐项结果", en="Lines"),
    "inputs": Text(zh="输入", en="Inputs"),
    "legals": Text(zh="法规参数", en="Legals"),
    "entries": Text(zh="录入数据", en="Entries"),
    "coverage": Text(zh="计量与覆盖率", en="Coverage"),
    "changes": Text(zh="版本差异", en="Changes"),
}


def render_xlsx(report: Report, lang: str) -> bytes:
    """XLSX bytes; the same report gives the same bytes."""
    import xlsxwriter

    buffer = BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_numbers": False}) as file:
        content = report.content
        end = datetime.fromisoformat(content.period.end).replace(tzinfo=None)
        file.set_properties({"title": content.title.of(lang), "created": end})
        book = Book(file, lang, reference_labels(report, lang))
        _summary(book, report)
        _lines(book, report)
        _inputs(book, report)
        _legals(book, report)
        _entries(book, report)
        _coverage(book, report)
        if report.changes:
            _changes(book, report)
    return buffer.getvalue()


def _summary(book: Book, report: Report) -> None:
    content, lang = report.content, book.lang
    sheet = book.sheet(_SHEETS["summary"])
    sheet.set_column(0, 0, 36)
    sheet.set_column(1, 30, 18)
    sheet.write_string(0, 0, content.title.of(lang), book.bold)
    facts = (
        (book.say("厂区", "Plant"), content.plant.name.of(lang)),
        (book.say("核算期", "Month"), content.period.name),
        (book.say("版本", "Version"), f"v{report.version}"),
        *((duty.text.of(lang), str(duty.due)) for duty in content.duties),
        (book.say("内容摘要 SHA-256", "Content SHA-256"), report.content_sha256),
    )
    row = 1
    for name, value in facts:
        sheet.write_string(row, 0, name)
        sheet.write_string(row, 1, value)
        row += 1
    for alarm in _alarms(book, report):
        sheet.merge_range(row, 0, row, 6, alarm, book.alarm)
        sheet.set_row(row, 15 * (1 + len(alarm) // 70))
        row += 1
    scopes = [*((line.id, line.name.of(lang)) for line in content.potlines)]
    scopes.append(("plant", book.say("全厂合计", "Plant total")))
    columns = [Column("项目", "Figure", 36), Column("单位", "Unit", 18)]
    columns += [Column(name, name, 18) for _, name in scopes]
    columns.append(Column("修约值之和", "Sum of rounded", 18))
    known = {line.id: line for line in content.lines}
    rows: list[list[Cell]] = []
    for line in content.lines:
        if line.scope != "plant":
            continue
        name = line.id.partition(".")[2]
        cells: list[Cell] = [line.label.of(lang), line.unit]
        for scope, _ in scopes:
            found = known.get(f"{scope}.{name}")
            shown = None if found is None else found.rounded
            cells.append(
                HOW[found.how].of(lang) if found and shown is None else Figure(shown, line.decimals)
            )
        cells.append(Figure(line.sum_of_rounded, line.decimals))
        rows.append(cells)
    book.table(sheet, columns, rows, row + 1)


def _alarms(book: Book, report: Report) -> list[str]:
    content, lang = report.content, book.lang
    found = []
    if not content.complete:
        names = "；".join(book.labels[key] for key in content.missing)
        found.append(book.say(f"数据不完整，不得上报：{names}", f"Not complete: {names}"))
    for stamp in content.stamps:
        names = "、".join(text.of(lang) for text in stamp.parameters)
        found.append(
            book.say(
                f"法规参数未经官方文本核实，须打开 {stamp.source.title}（{stamp.source.where}）"
                f"核对：{names}",
                f"Not confirmed in the official text; open {stamp.source.title} "
                f"({stamp.source.where}) and check: {names}",
            )
        )
    found += [f"{book.labels.get(d.line, d.line)}: {d.text.of(lang)}" for d in content.warnings]
    return found


def _lines(book: Book, report: Report) -> None:
    lang = book.lang
    columns = (
        Column("编号", "Id", 26),
        Column("项目", "Figure", 34),
        Column("修约值", "Rounded", 16),
        Column("未修约值", "Exact", 20),
        Column("修约值之和", "Sum of rounded", 16),
        Column("单位", "Unit", 10),
        Column("取得方式", "How", 14),
        Column("公式", "Formula", 40),
        Column("输入", "Inputs", 60),
        Column("覆盖率", "Coverage", 30),
        Column("缺少", "Missing", 40),
        Column("备注", "Notes", 40),
    )
    rows: list[list[Cell]] = [
        [
            line.id,
            book.labels[line.id],
            Figure(line.rounded, line.decimals),
            line.value,
            Figure(line.sum_of_rounded, line.decimals),
            line.unit,
            HOW[line.how].of(lang),
            line.equation,
            "; ".join(input_text(line, given, lang, book.labels) for given in line.inputs),
            coverage_text(line.coverage, lang),
            "; ".join(text.of(lang) for text in line.missing),
            "; ".join(text.of(lang) for text in line.notes),
        ]
        for line in report.content.lines
    ]
    book.table(book.sheet(_SHEETS["lines"]), columns, rows)


def _inputs(book: Book, report: Report) -> None:
    columns = (
        Column("结果编号", "Line", 26),
        Column("公式", "Formula", 18),
        Column("参数", "Parameter", 24),
        Column("数值", "Value", 20),
        Column("单位", "Unit", 14),
        Column("来源类型", "Kind", 10),
        Column("来源编号", "Reference", 50),
        Column("来源", "What it is", 40),
    )
    rows: list[list[Cell]] = [
        [
            line.id,
            line.formula,
            given.name,
            given.value,
            given.unit,
            given.kind,
            given.ref,
            book.labels.get(given.ref, given.ref),
        ]
        for line in report.content.lines
        for given in line.inputs
    ]
    book.table(book.sheet(_SHEETS["inputs"]), columns, rows)


def _legals(book: Book, report: Report) -> None:
    lang = book.lang
    columns = (
        Column("编号", "Id", 50),
        Column("参数", "Parameter", 34),
        Column("取值", "Value", 22),
        Column("单位", "Unit", 14),
        Column("自", "From", 12),
        Column("核实", "Confirmed", 12),
        Column("依据文件", "Text", 50),
        Column("位置", "Place", 30),
        Column("在何处看到", "Where it was read", 70),
    )
    rows: list[list[Cell]] = [
        [
            legal.id,
            legal.label.of(lang),
            label(VALUES, legal.value, lang) if isinstance(legal.value, str) else legal.value,
            unit_text(legal.unit, lang),
            str(legal.applies_from),
            CONFIRMED[legal.confirmed].of(lang),
            legal.source.title,
            legal.locator,
            legal.seen,
        ]
        for legal in report.content.legals
    ]
    book.table(book.sheet(_SHEETS["legals"]), columns, rows)


def _entries(book: Book, report: Report) -> None:
    columns = (
        Column("条目", "Entry", 8, 0),
        Column("项目", "Figure", 24),
        Column("工序", "Line", 10),
        Column("期间", "Period", 12),
        Column("数值", "Value", 16),
        Column("单位", "Unit", 10),
        Column("填报人", "Author", 14),
        Column("时间", "Time", 26),
        Column("理由", "Reason", 30),
        Column("凭证编号", "Voucher", 20),
        Column("凭证文件", "Document", 24),
        Column("凭证 SHA-256", "Document SHA-256", 66),
        Column("来源表", "Table", 24),
        Column("来源表 SHA-256", "Table SHA-256", 66),
        Column("行", "Row", 8, 0),
        Column("修订条目", "Revises", 10, 0),
        Column("条目摘要", "Entry hash", 66),
    )
    rows: list[list[Cell]] = [
        [
            entry.number,
            entry.label.of(book.lang),
            entry.line,
            entry.period,
            entry.value,
            entry.unit,
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
            entry.hash,
        ]
        for entry in report.content.entries
    ]
    book.table(book.sheet(_SHEETS["entries"]), columns, rows)


def _coverage(book: Book, report: Report) -> None:
    columns = (
        Column("计量表", "Meter", 30),
        Column("累计", "Counted", 18, 3),
        Column("单位", "Unit", 8),
        Column("期初表底", "Register at begin", 18, 3),
        Column("时刻", "At", 20),
        Column("期末表底", "Register at end", 18, 3),
        Column("时刻", "At", 20),
        Column("逐窗口计量 h", "Measured h", 14, 3),
        Column("按表底补齐 h", "Bridged h", 14, 3),
        Column("未知 h", "Unknown h", 14, 3),
        Column("窗口数", "Windows", 10, 0),
        Column("批次", "Batches", 50),
    )
    meters = report.content.meters
    rows: list[list[Cell]] = [
        [
            meter.id,
            meter.total,
            meter.unit,
            meter.begin.last if meter.begin else None,
            meter.begin.time if meter.begin else "",
            meter.end.last if meter.end else None,
            meter.end.time if meter.end else "",
            meter.measured_s / 3600,
            meter.bridged_s / 3600,
            meter.unknown_s / 3600,
            meter.windows,
            "; ".join(f"{b.gateway} {b.log} {b.first_seq}-{b.last_seq}" for b in meter.batches),
        ]
        for meter in meters
    ]
    sheet = book.sheet(_SHEETS["coverage"])
    below = book.table(sheet, columns, rows)
    _gaps(book, report, sheet, below + 1)


def _gaps(book: Book, report: Report, sheet: Any, top: int) -> None:
    lang = book.lang
    meters = report.content.meters
    gaps: list[list[Cell]] = [
        [meter.id, gap.amount, meter.unit, label(REASONS, gap.reason, lang), gap.start, "", gap.end]
        for meter in meters
        for gap in meter.gaps
    ]
    gaps += [
        [
            meter.id,
            event.amount,
            meter.unit,
            label(EVENTS, event.kind, lang),
            event.start,
            event.text,
        ]
        for meter in meters
        for event in meter.events
    ]
    heads = (
        Column("缺口与事件", "Gaps and events", 30),
        Column("数量", "Amount", 18, 3),
        Column("单位", "Unit", 8),
        Column("原因", "Reason", 18),
        Column("开始", "From", 20),
        Column("说明", "Text", 18),
        Column("结束", "To", 20),
    )
    book.table(sheet, heads, gaps, top)


def _changes(book: Book, report: Report) -> None:
    columns = (
        Column("类别", "What", 10),
        Column("编号", "Reference", 50),
        Column("上一版", "Before", 36),
        Column("本版", "Now", 36),
    )
    rows: list[list[Cell]] = [
        [change.what, change.ref, shown(change.before, book.lang), shown(change.after, book.lang)]
        for change in report.changes
    ]
    book.table(book.sheet(_SHEETS["changes"]), columns, rows)
