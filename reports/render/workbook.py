"""A workbook under way: styles, stacks of text and tables on sheets, cells with live formulas."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Protocol
from unicodedata import east_asian_width

SHEET_NAME: Final = 31  # letters of a sheet's name at most
LANDSCAPE_FROM: Final = 95  # letters across; wider sheets are printed on turned paper
READABLE: Final = 215  # letters across that can be read on A4; data sheets print no more columns
TEXT_COLUMNS: Final = 7  # across which running text is spread
PLACES_SHOWN: Final = 8


@dataclass(frozen=True, slots=True)
class Column:
    """Head and width (letters) of a column; ``decimals`` None = as many as a number has."""

    label: str
    width: int
    decimals: int | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its own decimals and signs; ``formula`` gives the same value, live."""

    value: Decimal | None
    decimals: int | None
    mark: str = ""
    formula: str | None = None


@dataclass(frozen=True, slots=True)
class SumDown:
    """The sum of the table's rows ``first`` to ``last`` in this column."""

    value: Decimal | None
    decimals: int | None
    first: int
    last: int
    mark: str = ""


@dataclass(frozen=True, slots=True)
class SumAcross:
    """The sum of the columns ``first`` to ``last`` in this row."""

    value: Decimal | None
    decimals: int | None
    first: int
    last: int
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Alarm:
    """A word instead of a figure: ``quiet`` when nothing is wrong with that."""

    text: str
    quiet: bool = False


Cell = str | Decimal | int | datetime | Figure | SumDown | SumAcross | Alarm | None


@dataclass(frozen=True, slots=True)
class Words:
    """Running text on a sheet: title, heading, text, note or alarm."""

    text: str
    style: str = "text"


@dataclass(frozen=True, slots=True)
class Pair:
    """A name and its value side by side."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Rows:
    """A table on a sheet; rows from ``strong`` on are totals."""

    columns: tuple[Column, ...]
    rows: Sequence[Sequence[Cell]]
    strong: int | None = None
    filtered: bool = False


class Drawn(Protocol):
    """Something put over the table above it; ``place`` is sheet, first and last row of its body."""

    def put(self, file: Any, sheet: Any, place: tuple[str, int, int]) -> None: ...


Stack = Sequence[Words | Pair | Rows | Drawn]
Place = tuple[int, int, int]  # first row of the table's body, row in the body, column


class Book:
    """An open workbook with its styles; ``footer`` stands below every printed page."""

    def __init__(self, file: Any, header: str, footer: str) -> None:
        self.file = file
        self._header, self._footer = header, footer
        self._formats: dict[tuple[object, ...], Any] = {}
        self._names: set[str] = set()

    # --- sheets

    def name(self, wanted: str) -> str:
        """A name for a sheet: allowed, short enough, not taken; it is taken from now on."""
        plain = re.sub(r"[\[\]:*?/\\]", " ", wanted).strip(" '")[:SHEET_NAME] or "1"
        found, n = plain, 1
        while found.lower() in self._names | {"history"}:
            n += 1
            found = f"{plain[: SHEET_NAME - len(str(n)) - 1]} {n}"
        self._names.add(found.lower())
        return found

    def sheet(self, name: str, stack: Stack) -> None:
        """A sheet with texts and tables below one another, ready to print on A4."""
        sheet = self.file.add_worksheet(name)
        widths = _widths(stack)
        for n, width in enumerate(widths):
            sheet.set_column(n, n, width)
        row, heads = 0, []
        for item in stack:
            if isinstance(item, Words):
                self._words(sheet, row, item, widths)
                row += 1
            elif isinstance(item, Pair):
                sheet.write_string(row, 0, item.name, self._format(bold=True, wrap=True))
                across = max(1, min(TEXT_COLUMNS, len(widths)) - 1)
                self._spread(sheet, row, 1, across, item.value, self._format(wrap=True))
                row += 1
            elif isinstance(item, Rows):
                heads.append(row)
                row = self._rows(sheet, row, item) + 1
            elif row - 2 > heads[-1]:
                item.put(self.file, sheet, (name, heads[-1] + 1, row - 2))
        across = len(widths)
        if any(isinstance(item, Rows) and item.filtered for item in stack):
            across = _readable(widths)
            sheet.print_area(0, 0, max(row - 2, 0), across - 1)
        self._paper(sheet, sum(widths[:across]), heads)

    def _paper(self, sheet: Any, width: float, heads: Sequence[int]) -> None:
        """A4, as wide as the page, the head of the only table on every page."""
        sheet.set_paper(9)
        if width > LANDSCAPE_FROM:
            sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.set_margins(left=0.5, right=0.5, top=0.7, bottom=0.7)
        sheet.set_header(f"&L&8{self._header}")
        sheet.set_footer(f"&L&8{self._footer}&R&8&P / &N")
        if len(heads) == 1:
            sheet.freeze_panes(heads[0] + 1, 1)
            sheet.repeat_rows(heads[0])

    # --- what stands on them

    def _words(self, sheet: Any, row: int, words: Words, widths: Sequence[float]) -> None:
        style = {
            "title": self._format(bold=True, size=14),
            "heading": self._format(bold=True, size=11, colour="#1F4E79"),
            "text": self._format(wrap=True),
            "note": self._format(wrap=True, colour="#595959"),
            "alarm": self._format(bold=True, wrap=True, colour="#B3261E"),
        }[words.style]
        if words.style in {"title", "heading"}:
            sheet.write_string(row, 0, words.text, style)
            sheet.set_row(row, 22)
            return
        self._spread(sheet, row, 0, min(TEXT_COLUMNS, len(widths)), words.text, style)
        across = sum(widths[:TEXT_COLUMNS])
        sheet.set_row(row, _height(words.text, across))

    @staticmethod
    def _spread(sheet: Any, row: int, first: int, across: int, text: str, style: Any) -> None:
        if across > 1:
            sheet.merge_range(row, first, row, first + across - 1, "", style)
        sheet.write_string(row, first, text, style)

    def _rows(self, sheet: Any, top: int, table: Rows) -> int:
        """Write a table whose head is row ``top``; returns the first row below it."""
        head = self._format(head=True)
        widths = [column.width for column in table.columns]
        labels = [column.label for column in table.columns]
        for n, text in enumerate(labels):
            sheet.write_string(top, n, text, head)
        sheet.set_row(top, _row_height(labels, widths) + 3)
        for at, row in enumerate(table.rows):
            seen = _readable(widths) if table.filtered else len(widths)
            sheet.set_row(top + 1 + at, _row_height(row[:seen], widths[:seen]))
            strong = table.strong is not None and at == table.strong
            for n, cell in enumerate(row):
                place = (top + 1, at, n)
                self._write(sheet, place, cell, table.columns[n].decimals, strong=strong)
        if table.filtered and table.rows:
            sheet.autofilter(top, 0, top + len(table.rows), len(table.columns) - 1)
        return top + len(table.rows) + 1

    def _write(
        self,
        sheet: Any,
        place: Place,
        cell: Cell,
        decimals: int | None,
        strong: bool,
    ) -> None:
        top, at, n = place
        row = top + at
        if isinstance(cell, str):
            sheet.write_string(row, n, cell, self._format(wrap=True, bold=strong, fill=strong))
        elif isinstance(cell, datetime):
            style = self._format(number="yyyy-mm-dd hh:mm", left=True)
            sheet.write_datetime(row, n, cell, style)
        elif isinstance(cell, Alarm):
            colour = "#595959" if cell.quiet else "#8A5A00"
            style = self._format(bold=not cell.quiet, right=True, colour=colour)
            sheet.write_string(row, n, cell.text, style)
        elif cell is None or (not isinstance(cell, Decimal | int) and cell.value is None):
            sheet.write_blank(row, n, None, self._format(bold=strong, fill=strong))
        elif isinstance(cell, Decimal | int):
            places = decimals_of(Decimal(cell)) if decimals is None else decimals
            sheet.write_number(row, n, float(cell), self._number(places, "", strong))
        else:
            self._figure(sheet, place, cell, strong)

    def _figure(
        self,
        sheet: Any,
        place: Place,
        cell: Figure | SumDown | SumAcross,
        strong: bool,
    ) -> None:
        """A number, or a formula with the value it has now for viewers that do not calculate."""
        top, at, n = place
        value = cell.value or Decimal(0)
        places = decimals_of(value) if cell.decimals is None else cell.decimals
        style = self._number(places, cell.mark, strong)
        formula = _formula(cell, top, top + at, n)
        if formula is None:
            sheet.write_number(top + at, n, float(value), style)
        else:
            sheet.write_formula(top + at, n, formula, style, float(value))

    # --- styles

    def _number(self, decimals: int, mark: str, strong: bool) -> Any:
        shown = f"#,##0.{'0' * decimals}".rstrip(".") + (f'"{mark}"' if mark else "")
        return self._format(number=shown, bold=strong, fill=strong)

    def _format(self, **wish: Any) -> Any:
        """One format object for each set of wishes."""
        key = tuple(sorted(wish.items()))
        if key not in self._formats:
            look: dict[str, Any] = {"valign": "top", "font_size": wish.get("size", 10)}
            if wish.get("head"):
                look |= {"bg_color": "#1F4E79", "font_color": "white", "border": 1}
                look |= {"bold": True, "text_wrap": True, "valign": "vcenter", "align": "center"}
            if wish.get("bold"):
                look["bold"] = True
            if wish.get("right"):
                look["align"] = "right"
            if wish.get("left"):
                look["align"] = "left"
            if wish.get("wrap"):
                look["text_wrap"] = True
            if wish.get("fill"):
                look |= {"bg_color": "#EAF1F8", "top": 1}
            if "colour" in wish:
                look["font_color"] = wish["colour"]
            if "number" in wish:
                look["num_format"] = wish["number"]
            self._formats[key] = self.file.add_format(look)
        return self._formats[key]


def _formula(cell: Figure | SumDown | SumAcross, top: int, row: int, column: int) -> str | None:
    from xlsxwriter.utility import xl_range

    if isinstance(cell, SumDown):
        return f"=SUM({xl_range(top + cell.first, column, top + cell.last, column)})"
    if isinstance(cell, SumAcross):
        return f"=SUM({xl_range(row, cell.first, row, cell.last)})"
    return cell.formula


def _height(text: str, width: float) -> float:
    """Points that a wrapped text takes in a column; Excel does not find out by itself."""
    lines = sum(1 + int(_letters(part) / max(width - 1, 1.0)) for part in text.split("\n"))
    return min(400.0, 13.5 * lines + 1.5)


def _readable(widths: Sequence[float]) -> int:
    """How many columns can be read on one A4 page."""
    return next(n for n in range(len(widths), 0, -1) if sum(widths[:n]) <= READABLE)


def _row_height(cells: Sequence[Cell], widths: Sequence[float]) -> float:
    texts = ((c, w) for c, w in zip(cells, widths, strict=True) if isinstance(c, str))
    return max((_height(text, width) for text, width in texts), default=15.0)


def _letters(text: str) -> int:
    """Width in letters of the latin alphabet; a Chinese character is two."""
    return sum(2 if east_asian_width(c) in {"W", "F"} else 1 for c in text)


def _widths(stack: Stack) -> list[float]:
    """Letters across of each column: what the tables on the sheet want, and room for text."""
    found: list[float] = []
    for item in stack:
        if isinstance(item, Rows):
            for n, column in enumerate(item.columns):
                if n == len(found):
                    found.append(column.width)
                found[n] = max(found[n], column.width)
    if any(not isinstance(item, Rows) for item in stack):
        found += [14.0] * (TEXT_COLUMNS - len(found))
        if any(isinstance(item, Pair) for item in stack):
            found[0] = max(found[0], 24.0)
    return found


def decimals_of(value: Decimal) -> int:
    """As many decimals as the number has, at most eight."""
    exponent = value.normalize().as_tuple().exponent
    return min(PLACES_SHOWN, max(0, -exponent)) if isinstance(exponent, int) else 0
