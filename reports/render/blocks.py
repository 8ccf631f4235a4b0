"""Blocks of a chapter as printed shapes: text, facts, grid, months, details, table."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any, Final

from reports.chapters import Block, Column, Details, Facts, Grid, Months, Paragraph, Signed, Table
from reports.chapters import Cell as Written
from reports.charts.draw import svg
from reports.model import How, Line, Report
from reports.pictures import Chart
from reports.render.items import input_texts
from reports.render.labels import (
    HOW,
    METHODS,
    SHORT,
    coverage_text,
    exact_text,
    label,
    month_head,
    reference_labels,
    rounded_text,
    spelled,
    unit_text,
    whole_text,
)
from reports.render.marks import marks, sign_of
from reports.render.printed import EVEN, Cell, Head, View, said, table
from reports.render.sums import signs_of, sum_of_months, sum_of_places, total_of
from reports.site import PLANT
from reports.values import Text
from reports.words import number_text

_DETAILS: Final = (1.25, 0.95, 0.95, 0.6, 2.9)  # shares of the width


@dataclass(frozen=True, slots=True)
class Pages:
    """What every block is printed from: the report, its lines by id, names and signs."""

    report: Report
    lang: str
    lines: dict[str, Line]
    labels: dict[str, str]
    marks: dict[str, str]
    rule_marks: dict[str, str]

    def sign(self, of: str) -> str:
        """The signs of a line or a rule."""
        return self.marks.get(of) or self.rule_marks.get(of, "")

    def say(self, zh: str, en: str) -> str:
        return zh if self.lang == "zh" else en

    def of(self, text: Text | None) -> str:
        return "" if text is None else text.of(self.lang)


def pages_of(report: Report, lang: str) -> Pages:
    """Everything at hand, once for a report."""
    lines = {line.id: line for line in report.content.lines}
    content = report.content
    rules = {legal.id: sign_of(legal) for legal in content.legals}
    return Pages(report, lang, lines, reference_labels(report, lang), marks(content), rules)


def printed(pages: Pages, block: Block, *, front: bool = False) -> list[View]:
    """The shapes of one block; on the front details are said in short. Standard parts: parts.py."""
    if isinstance(block, Details) and front and block.title is None:
        return _in_short(pages, block)
    return _PRINTERS[type(block)](pages, block)


def _paragraph(pages: Pages, block: Paragraph) -> list[View]:
    return [{"kind": "paragraph", "text": pages.of(block.text), "tone": block.tone}]


def _facts(pages: Pages, block: Facts) -> list[View]:
    facts = [[pages.of(name), fact_text(pages, value)] for name, value in block.facts]
    return [{"kind": "facts", "facts": facts}]


def fact_text(pages: Pages, value: Text | Signed | str) -> str:
    """A fact in words; a figure with its signs and unit."""
    if not isinstance(value, Signed):
        return value if isinstance(value, str) else pages.of(value)
    line = pages.lines.get(value.of)
    if line is None or value.value is None:
        return HOW[How.MISSING].of(pages.lang)
    number, sign = number_text(value.value, line.decimals), pages.sign(value.of)
    return f"{number}{sign} {unit_text(line.unit, pages.lang)}"


def _grid(pages: Pages, block: Grid) -> list[View]:
    """Places down, figures across; a column that nobody states is left out."""
    lines = pages.lines
    names = [
        name
        for name in block.names
        if any(stated(lines.get(f"{scope}.{name}")) for scope, _ in block.places)
    ]
    if not names:
        return [nothing(pages)]
    heads = [Head(pages.say("核算单元", "Place"), width=14.0)]
    heads += [_grid_head(pages, block, name) for name in names]
    rows: list[list[Cell]] = [
        [
            [said(pages.of(label))],
            *([figure(pages, lines.get(f"{scope}.{name}"))] for name in names),
        ]
        for scope, label in block.places
    ]
    total = block.places[-1][0]
    notes = []
    sums = [sum_of_places(lines, block, name) for name in names]
    if block.sums and any(sums):
        rows.append(
            [
                [said(pages.say("修约值之和", "Sum of rounded"))],
                *([said("" if s is None else number_text(s.total, s.decimals))] for s in sums),
            ]
        )
        notes.append(
            pages.say(
                "合计由未修约值相加后修约（四舍五入）；下行为上列各单元修约值之和，供对照。",
                "Totals are sums of exact figures, rounded half up; the row below sums the "
                "rounded figures of the places above.",
            )
        )
    last = len(block.places) - 1 if total == PLANT and len(block.places) > 1 else None
    small = len(block.places) if block.sums and any(sums) else None
    title = pages.of(block.title)
    return [table(heads, rows, title=title, notes=notes, strong=last, small=small) | EVEN]


def _grid_head(pages: Pages, block: Grid, name: str) -> Head:
    keys = (f"{scope}.{name}" for scope, _ in block.places)
    sample = next(pages.lines[key] for key in keys if key in pages.lines)
    unit = unit_text(sample.unit, pages.lang)
    return Head(SHORT.get(name, sample.label).of(pages.lang), unit, right=True)


def stated(line: Line | None) -> bool:
    """Whether there is something to print: a value, or the word that it is missing."""
    return line is not None and (line.value is not None or line.how is How.MISSING)


def figure(pages: Pages, line: Line | None) -> View:
    """A figure as it is reported, with its signs; what is missing is said, never left empty."""
    if line is None:
        return said("—")
    if line.how is How.MISSING:
        return said(HOW[line.how].of(pages.lang), "amber")
    return said(rounded_text(line), mark=pages.marks[line.id] if line.value is not None else "")


def _months(pages: Pages, block: Months) -> list[View]:
    """Figures down, months and the whole across."""
    heads = [Head(pages.say("项目", "Figure"), width=13.0)]
    heads += [Head(month_head(month, pages.lang), right=True) for month in block.months]
    heads.append(Head(whole_text(pages.report.content.period.name, pages.lang), right=True))
    rows: list[list[Cell]] = []
    notes: list[str] = []
    for key in block.lines:
        across = [pages.lines.get(f"{key}@{month}") for month in block.months]
        across.append(pages.lines.get(key))
        known = next((line for line in reversed(across) if line is not None), None)
        if known is None:
            continue
        name = month_name(pages, block, known)
        year = [figure(pages, across[-1]) | {"s": _year_style(across[-1])}]
        short = sum_of_months(across)
        if short:
            year.append(said(f"Σ {short}", "small"))
            notes = [
                pages.say(
                    "全年由未修约值相加后修约；其下小字 Σ 为各月修约值之和，供对照。",
                    "The year is the sum of exact figures, rounded; Σ in small type below it is "
                    "the sum of the rounded months.",
                )
            ]
        rows.append(
            [
                [said(name), said(unit_text(known.unit, pages.lang), "small")],
                *([figure(pages, line)] for line in across[:-1]),
                year,
            ]
        )
    title = pages.of(block.title)
    return [table(heads, rows, title=title, notes=notes) | EVEN] if rows else [nothing(pages)]


def month_name(pages: Pages, block: Months, line: Line) -> str:
    """A figure's name; with its place when the title does not say the place of all of them."""
    places = {key.partition(".")[0] for key in block.lines}
    if block.title is not None and len(places) == 1:
        return pages.of(line.label)
    return pages.labels[line.id].removesuffix(line.id.partition("@")[2]).rstrip()


def _year_style(line: Line | None) -> str:
    return "amber" if line is not None and line.how is How.MISSING else "strong"


def _details(pages: Pages, block: Details) -> list[View]:
    """Lines one after the other; inputs that the line before had too are not printed again."""
    lines = [pages.lines[key] for key in block.lines if key in pages.lines]
    if not lines:
        return [nothing(pages)]
    say = pages.say
    heads = [
        Head(say("项目", "Figure")),
        Head(say("修约值", "Rounded"), right=True),
        Head(say("未修约值", "Exact"), right=True),
        Head(say("取得方式", "How")),
        Head(say("公式与输入", "Formula and inputs")),
    ]
    rows = [_detail(pages, line, None if n == 0 else lines[n - 1]) for n, line in enumerate(lines)]
    return [table(heads, rows, title=pages.of(block.title), relative=_DETAILS)]


def _detail(pages: Pages, line: Line, before: Line | None) -> list[Cell]:
    lang = pages.lang
    missing = line.how is How.MISSING
    how = [said(HOW[line.how].of(lang), "amber" if missing else "plain")]
    if line.method:
        how.append(said(label(METHODS, line.method, lang), "small"))
    if line.substituted:
        share = f"{exact_text(line.substituted * 100)} %"
        how.append(said(pages.say(f"替代 {share}", f"{share} substituted"), "small"))
    rounded = said("—", "amber") if missing else figure(pages, line) | {"s": "strong"}
    return [
        [said(pages.of(line.label)), said(unit_text(line.unit, lang), "small")],
        [rounded],
        [said(exact_text(line.value), "small")],
        how,
        _reasons(pages, line, before),
    ]


def _reasons(pages: Pages, line: Line, before: Line | None) -> Cell:
    """Formula, inputs, coverage, what is missing, notes."""
    lang = pages.lang
    found = []
    if before is not None and line.inputs and line.inputs == before.inputs:
        found.append(said(pages.say("公式与输入同上", "formula and inputs as above"), "small"))
    else:
        inputs = input_texts(line, pages.labels, lang)
        if line.equation and not (inputs and inputs[0].startswith(line.equation)):
            found.append(said(line.equation, "formula"))
        if inputs:
            found.append(said(pages.say("；", "; ").join(inputs), "small"))
    if line.coverage is not None:
        covered = coverage_text(line.coverage, lang)
        found.append(said(pages.say("覆盖率 ", "coverage ") + covered, "small"))
    found += [said(pages.of(text), "amber") for text in line.missing]
    found += [said(pages.of(text), "grey") for text in line.notes]
    return found


def _in_short(pages: Pages, block: Details) -> list[View]:
    """Name, value and notes in running text."""
    lines = [pages.lines[key] for key in block.lines if key in pages.lines]
    told = []
    for line in lines:
        notes = pages.say("；", "; ").join(pages.of(text) for text in (*line.missing, *line.notes))
        aside = pages.say(f"（{notes}）", f" ({notes})") if notes else ""
        colon = pages.say("：", ": ")
        told.append(
            {
                "name": f"{pages.of(line.label)}{colon}",
                "figure": figure(pages, line),
                "rest": f" {unit_text(line.unit, pages.lang)}{aside}",
            }
        )
    return [{"kind": "short", "lines": told}] if told else []


def _table(pages: Pages, block: Table) -> list[View]:
    """Rows that are no lines; below them the sums of the columns that want one."""
    if not block.on_paper:
        title, count = pages.of(block.title), len(block.rows)
        told = pages.say(
            f"{title}：{count} 行，见 XLSX 工作簿和 JSON。",
            f"{title}: {count} rows, in the workbook (XLSX) and the JSON.",
        )
        return notes_below([told])
    numeric = [
        any(isinstance(row[n], Decimal | Signed) for row in block.rows) for n in _range(block)
    ]
    heads = [
        Head(
            pages.of(c.label),
            unit_text(c.unit, pages.lang),
            right=numeric[n] or c.total or c.decimals is not None,
            width=c.width * 0.56,
        )
        for n, c in enumerate(block.columns)
    ]
    stated = [*block.rows, *([block.total] if block.total else [])]
    rows: list[list[Cell]] = [
        [[_table_cell(pages, cell, block.columns[n])] for n, cell in enumerate(row)]
        for row in stated
    ]
    strong = len(block.rows) if block.total else None
    if any(column.total for column in block.columns) and block.rows:
        strong = len(rows)
        signs = [signs_of(pages.sign, block, n) for n in _range(block)]
        rows.append([[said(t, mark=m)] for t, m in zip(_totals(pages, block), signs, strict=True)])
    notes = [pages.of(block.note)] if block.note else []
    if not rows:
        return [nothing(pages, pages.of(block.title))]
    return [table(heads, rows, title=pages.of(block.title), notes=notes, strong=strong)]


def _table_cell(pages: Pages, cell: Written, column: Column) -> View:
    """A cell with its signs; what a line lacks is said as everywhere."""
    if not isinstance(cell, Signed):
        return said(cell_text(pages, cell, column))
    line = pages.lines.get(cell.of)
    if cell.value is None and line is not None and line.how is How.MISSING:
        return figure(pages, line)
    return said(
        cell_text(pages, cell.value, column),
        mark="" if cell.value is None else pages.sign(cell.of),
    )


def _range(block: Table) -> range:
    return range(len(block.columns))


def cell_text(pages: Pages, cell: Written, column: Column) -> str:
    """A cell in words; one that is not there is a dash."""
    if cell is None:
        return "—"
    if isinstance(cell, Signed):
        return cell_text(pages, cell.value, column)
    if isinstance(cell, Decimal):
        places = column.decimals
        return exact_text(cell) if places is None else number_text(cell, places)
    return spelled(cell, pages.lang) if isinstance(cell, str) else pages.of(cell)


def total_label(pages: Pages, block: Table) -> str:
    """``合计``, and how many cells could not be added up."""
    absent = sum(total_of(block, n)[1] for n in _range(block) if block.columns[n].total)
    if not absent:
        return pages.say("合计", "Total")
    return pages.say(f"合计（另缺 {absent} 项）", f"Total ({absent} missing)")


def _totals(pages: Pages, block: Table) -> list[str]:
    found = []
    for n, column in enumerate(block.columns):
        if column.total:
            found.append(cell_text(pages, total_of(block, n)[0], column))
        else:
            found.append(total_label(pages, block) if n == 0 else "")
    return found


def _chart(pages: Pages, block: Chart) -> list[View]:
    """A picture; it is drawn when the width of the paper is known."""
    notes = [pages.of(block.caption)] if block.caption else []
    draw = partial(svg, block, pages.lang)
    return [{"kind": "chart", "title": pages.of(block.title), "draw": draw, "notes": notes}]


def nothing(pages: Pages, title: str = "") -> View:
    """The word for an empty block."""
    return {
        "kind": "paragraph",
        "text": pages.say("无。", "None."),
        "tone": "note",
        "title": title,
    }


def notes_below(texts: Sequence[str]) -> list[View]:
    """Small remarks, one paragraph each."""
    return [{"kind": "paragraph", "text": text, "tone": "note"} for text in texts]


_PRINTERS: Final[dict[type, Callable[[Pages, Any], list[View]]]] = {
    Paragraph: _paragraph,
    Facts: _facts,
    Grid: _grid,
    Months: _months,
    Details: _details,
    Table: _table,
    Chart: _chart,
}
