"""The report as a workbook: summary, a sheet for each chapter and table, then the data sheets."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from io import BytesIO
from typing import Any, Final

from reports.chapters import Block, Chapter, Details, Facts, Grid, Months, Paragraph, Signed, Table
from reports.chapters import Cell as Written
from reports.model import How, Line, Report
from reports.pictures import Chart
from reports.render.blocks import (
    Pages,
    fact_text,
    month_name,
    pages_of,
    stated,
    total_label,
)
from reports.render.datasheets import (
    changes_sheet,
    entries_sheet,
    inputs_sheet,
    legals_sheet,
    lines_sheet,
    meters_sheet,
)
from reports.render.labels import HOW, SHORT, month_head, unit_text, whole_text
from reports.render.live import LINE_ROUNDED, Names, Places
from reports.render.parts import standard
from reports.render.printed import ZERO_WIDTH_SPACE
from reports.render.sums import signs_of, sum_of_places, total_of
from reports.render.view import front_alarms, front_facts, period_text
from reports.render.workbook import (
    Alarm,
    Book,
    Cell,
    Column,
    Drawn,
    Figure,
    Pair,
    Rows,
    SumAcross,
    SumDown,
    Words,
)
from reports.render.workbook_charts import chart_items
from reports.values import Text

_SUMMARY: Final = Text(zh="汇总", en="Summary")
_LINES: Final = Text(zh="逐项结果", en="Lines")
_INPUTS: Final = Text(zh="输入", en="Inputs")
_LEGALS: Final = Text(zh="法规参数", en="Legals")
_ENTRIES: Final = Text(zh="录入数据", en="Entries")
_METERS: Final = Text(zh="计量与覆盖率", en="Coverage")
_CHANGES: Final = Text(zh="版本差异", en="Changes")
_LODGED: Final = Text(zh="与已上报的差异", en="Since lodged")
_DATA: Final = frozenset({"legals", "entries", "meters", "changes"})  # have sheets of their own

Item = Words | Pair | Rows | Drawn


def render_xlsx(report: Report, lang: str) -> bytes:
    """XLSX bytes; the same report gives the same bytes."""
    import xlsxwriter

    buffer = BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_numbers": False}) as file:
        content = report.content
        end = datetime.fromisoformat(content.period.end).replace(tzinfo=None)
        title = content.title.of(lang)
        file.set_properties({"title": title, "created": end})
        pages = pages_of(report, lang)
        period = period_text(content.period.name, lang)
        header = f"{pages.of(content.plant.name)}  {title}  {period}  v{report.version}"
        footer = f"SHA-256 {report.content_sha256[:32]}"
        _Writer(Book(file, header.replace("&", "&&"), footer), pages).write()
    return buffer.getvalue()


class _Writer:
    """One workbook of one report."""

    def __init__(self, book: Book, pages: Pages) -> None:
        self._book, self._pages = book, pages
        content, lang = pages.report.content, pages.lang
        self._summary = book.name(_SUMMARY.of(lang))
        data = (_LINES, _INPUTS, _LEGALS, _ENTRIES, _METERS)
        self._names = Names(*(book.name(text.of(lang)) for text in data))
        self._changes, self._lodged = book.name(_CHANGES.of(lang)), book.name(_LODGED.of(lang))
        counters = [meter for meter in content.meters if not meter.is_gauge]
        self._places = Places(self._names, content.lines, content.legals, content.entries, counters)
        self._sheets: list[tuple[str, list[Item]]] = []  # of chapters, in order

    def write(self) -> None:
        pages, book, report = self._pages, self._book, self._pages.report
        first: list[Item] = [Words(pages.of(report.content.title), "title")]
        first += [Pair(name, value) for name, value in front_facts(pages)]
        first.append(Pair(pages.say("内容摘要 SHA-256", "Content SHA-256"), report.content_sha256))
        first += [Words(alarm, "alarm") for alarm in front_alarms(pages)]
        for chapter in report.content.chapters:
            if chapter.front:
                first += self._front(chapter)
            else:
                self._chapter(chapter)
        book.sheet(self._summary, first)
        for name, stack in self._sheets:
            book.sheet(name, stack)
        book.sheet(self._names.lines, [lines_sheet(pages, self._places)])
        book.sheet(self._names.inputs, [inputs_sheet(pages, self._places)])
        book.sheet(self._names.legals, [legals_sheet(pages)])
        book.sheet(self._names.entries, [entries_sheet(pages)])
        book.sheet(self._names.meters, meters_sheet(pages))
        if report.changes:
            book.sheet(self._changes, [changes_sheet(pages, report.changes)])
        if report.since_lodged:
            book.sheet(self._lodged, [changes_sheet(pages, report.since_lodged)])

    # --- chapters

    def _front(self, chapter: Chapter) -> list[Item]:
        items = [item for block in chapter.blocks for item in self._items(block)]
        return [Words(self._pages.of(chapter.title), "heading"), *items] if items else []

    def _chapter(self, chapter: Chapter) -> None:
        """A sheet of its own for each table, with the text before it; one for all the rest."""
        pages = self._pages
        title = pages.of(chapter.title)
        rest: list[Item] = []
        text: list[Item] = []
        for block in chapter.blocks:
            if isinstance(block, Chart):
                name = self._book.name(pages.of(block.title))
                self._sheets.append((name, [*text, *chart_items(pages, block)]))
                text = []
                continue
            items = self._items(block)
            if isinstance(block, Table):
                name = self._book.name(pages.of(block.title) or block.id)
                self._sheets.append((name, [*text, *items]))
                text = []
            elif isinstance(block, Paragraph | Facts):
                text += items
            else:
                rest += [*text, *items]
                text = []
        rest += text
        if rest:
            heading = Words(title, "heading")
            self._sheets.append((self._book.name(title), [heading, *rest]))

    def _items(self, block: Block) -> list[Item]:
        """What a block is on a sheet; details stand on the sheet of lines."""
        if isinstance(block, Details):
            return []
        if isinstance(block, Chart):
            return [*chart_items(self._pages, block)]
        makers: dict[str, Callable[[Any], list[Item]]] = {
            "paragraph": self._paragraph,
            "facts": self._facts,
            "grid": self._grid,
            "months": self._months,
            "table": self._table,
            "standard": self._standard,
        }
        return makers[block.block](block)

    def _paragraph(self, block: Paragraph) -> list[Item]:
        style = {"plain": "text", "note": "note", "warning": "alarm"}[block.tone]
        return [Words(self._pages.of(block.text), style)]

    def _facts(self, block: Facts) -> list[Item]:
        pages = self._pages
        return [Pair(pages.of(name), fact_text(pages, value)) for name, value in block.facts]

    def _heading(self, title: Text | None) -> list[Item]:
        return [Words(self._pages.of(title), "heading")] if title is not None else []

    def _standard(self, block: Any) -> list[Item]:
        """The printed part as a table of texts; those with data sheets stand there."""
        if block.part in _DATA:
            return []
        found: list[Item] = []
        for view in standard(self._pages, block.part):
            if view["kind"] == "table":
                columns = tuple(Column(_label(h["label"], h["unit"]), 20) for h in view["heads"])
                rows = [
                    [_text(c, h["right"]) for h, c in zip(view["heads"], row["cells"], strict=True)]
                    for row in view["rows"]
                ]
                found.append(Rows(columns, rows))
            elif view["kind"] == "signatures":
                colon = self._pages.say("：", ": ")
                found += [Pair(f"{who}{colon}", "________________") for who in view["who"]]
        return found

    # --- figures

    def _figure(self, line: Line | None) -> Cell:
        """A line's exact figure as a reference to it, shown with its decimals."""
        if line is None:
            return None
        if line.how is How.MISSING:
            return Alarm(HOW[line.how].of(self._pages.lang))
        if line.value is None:
            return Alarm(HOW[line.how].of(self._pages.lang), quiet=True)
        formula = f"={self._places.line(line.id)}"
        return Figure(line.value, line.decimals, self._pages.marks[line.id], formula)

    def _grid(self, block: Grid) -> list[Item]:
        """Places down, figures across; the last place is a live sum where it is one."""
        pages, lines = self._pages, self._pages.lines
        scopes = [scope for scope, _ in block.places]
        names = [n for n in block.names if any(stated(lines.get(f"{s}.{n}")) for s in scopes)]
        if not names:
            return []
        columns = [Column(pages.say("核算单元", "Place"), 24)]
        for name in names:
            sample = next(lines[f"{s}.{name}"] for s in scopes if f"{s}.{name}" in lines)
            head = _label(
                SHORT.get(name, sample.label).of(pages.lang), unit_text(sample.unit, pages.lang)
            )
            columns.append(Column(head, 18))
        rows: list[list[Cell]] = [
            [pages.of(label), *(self._figure(lines.get(f"{scope}.{name}")) for name in names)]
            for scope, label in block.places
        ]
        total = lines.get
        for n, name in enumerate(names, 1):
            line = total(f"{scopes[-1]}.{name}")
            above = [f"{scope}.{name}" for scope in scopes[:-1]]
            if line is not None and above and self._adds_up(line, above):
                mark = pages.marks[line.id]
                rows[-1][n] = SumDown(line.value, line.decimals, 0, len(above) - 1, mark)
        if block.sums:
            rows.append([pages.say("修约值之和", "Sum of rounded")])
            rows[-1] += [self._sum_of_rounded(block, name) for name in names]
        strong = len(scopes) - 1 if len(scopes) > 1 else None
        return [*self._heading(block.title), Rows(tuple(columns), rows, strong)]

    def _adds_up(self, total: Line, above: Sequence[str]) -> bool:
        """Whether the lines above, those that are there, are exactly the parts of the total."""
        there = {key for key in above if key in self._pages.lines}
        return bool(there) and set(self._places.parts(total)) == there

    def _sum_of_rounded(self, block: Grid, name: str) -> Cell:
        found = sum_of_places(self._pages.lines, block, name)
        if found is None:
            return None
        cells = ",".join(self._places.line(key, LINE_ROUNDED) for key in found.lines)
        return Figure(found.total, found.decimals, formula=f"=SUM({cells})")

    def _months(self, block: Months) -> list[Item]:
        """Figures down, months across; the year is a live sum of the months where it is one."""
        pages, lines = self._pages, self._pages.lines
        columns = [Column(pages.say("项目", "Figure"), 30), Column(pages.say("单位", "Unit"), 12)]
        columns += [Column(month_head(month, pages.lang), 14) for month in block.months]
        columns.append(Column(whole_text(pages.report.content.period.name, pages.lang), 16))
        rows: list[list[Cell]] = []
        for key in block.lines:
            months = [lines.get(f"{key}@{month}") for month in block.months]
            year = lines.get(key)
            known = year or next((line for line in months if line is not None), None)
            if known is None:
                continue
            cells: list[Cell] = [
                month_name(pages, block, known),
                unit_text(known.unit, pages.lang),
                *(self._figure(line) for line in months),
            ]
            if year is not None and self._adds_up(year, [f"{key}@{m}" for m in block.months]):
                mark = pages.marks[year.id]
                cells.append(SumAcross(year.value, year.decimals, 2, len(months) + 1, mark))
            else:
                cells.append(self._figure(year))
            rows.append(cells)
        return [*self._heading(block.title), Rows(tuple(columns), rows)] if rows else []

    def _table(self, block: Table) -> list[Item]:
        """Rows that are no lines, and live sums below the columns that want one."""
        pages = self._pages
        columns = tuple(
            Column(
                _label(pages.of(c.label), unit_text(c.unit, pages.lang)),
                max(8, c.width),
                c.decimals,
            )
            for c in block.columns
        )
        places = [column.decimals for column in block.columns]
        stated = [*block.rows, *([block.total] if block.total else [])]
        rows: list[list[Cell]] = [
            [self._table_cell(cell, n) for cell, n in zip(row, places, strict=True)]
            for row in stated
        ]
        strong = len(block.rows) if block.total else None
        if rows and any(column.total for column in block.columns):
            strong = len(rows)
            rows.append([self._total(block, n) for n in range(len(columns))])
        note = [Words(pages.of(block.note), "note")] if block.note else []
        return [*self._heading(block.title), Rows(columns, rows, strong), *note]

    def _table_cell(self, cell: Written, decimals: int | None) -> Cell:
        """A figure of a line as a reference to it, with its signs."""
        if not isinstance(cell, Signed):
            return self._pages.of(cell) if isinstance(cell, Text) else cell
        line = self._pages.lines.get(cell.of)
        if line is not None and line.value is not None and line.value == cell.value:
            made = self._figure(line)
            return replace(made, decimals=decimals) if isinstance(made, Figure) else made
        if line is not None and line.how is How.MISSING and cell.value is None:
            return self._figure(line)
        return Figure(cell.value, decimals, self._pages.sign(cell.of))

    def _total(self, block: Table, n: int) -> Cell:
        column = block.columns[n]
        if not column.total:
            return total_label(self._pages, block) if n == 0 else ""
        value, _ = total_of(block, n)
        mark = signs_of(self._pages.sign, block, n)
        return SumDown(value, column.decimals, 0, len(block.rows) - 1, mark)


def _label(label: str, unit: str) -> str:
    return f"{label}\n{unit}" if unit else label


def _text(cell: Sequence[dict[str, Any]], number: bool) -> Cell:
    """A printed cell in one text; a figure becomes a number again."""
    text = "\n".join(f"{line['t']}{line['m']}" for line in cell).replace(ZERO_WIDTH_SPACE, "")
    plain = text.replace(",", "")
    return Decimal(plain) if number and re.fullmatch(r"(0|[1-9]\d*)(\.\d+)?", plain) else text
