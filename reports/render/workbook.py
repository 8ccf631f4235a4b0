"""A workbook under way: styles, tables with real numbers, texts in one language."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from reports.values import Text


@dataclass(frozen=True, slots=True)
class Column:
    """Head and width of a column; ``decimals`` for numbers, None = as many as a number has."""

    zh: str
    en: str
    width: int
    decimals: int | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its own decimals."""

    value: Decimal | None
    decimals: int


Cell = str | Decimal | int | Figure | None


class Book:
    """An open workbook with its styles."""

    def __init__(self, file: Any, lang: str, labels: dict[str, str]) -> None:
        self.file = file
        self.lang = lang
        self.labels = labels
        self._head = file.add_format(
            {
                "bold": True,
                "bg_color": "#1F4E79",
                "font_color": "white",
                "text_wrap": True,
                "valign": "vcenter",
                "border": 1,
            }
        )
        self._text = file.add_format({"text_wrap": True, "valign": "top"})
        self._numbers: dict[int, Any] = {}
        self.bold = file.add_format({"bold": True, "font_size": 14})
        self.alarm = file.add_format({"bold": True, "font_color": "#B3261E", "text_wrap": True})

    def say(self, zh: str, en: str) -> str:
        return zh if self.lang == "zh" else en

    def number(self, decimals: int) -> Any:
        if decimals not in self._numbers:
            shown = f"#,##0.{'0' * decimals}".rstrip(".")
            self._numbers[decimals] = self.file.add_format({"num_format": shown, "valign": "top"})
        return self._numbers[decimals]

    def sheet(self, name: Text) -> Any:
        return self.file.add_worksheet(name.of(self.lang))

    def table(
        self,
        sheet: Any,
        columns: Sequence[Column],
        rows: Sequence[Sequence[Cell]],
        top: int = 0,
    ) -> int:
        """Write a table at row ``top``; returns the first row below it."""
        for n, column in enumerate(columns):
            if top == 0:
                sheet.set_column(n, n, column.width)
            sheet.write_string(top, n, self.say(column.zh, column.en), self._head)
        for at, row in enumerate(rows, top + 1):
            for n, cell in enumerate(row):
                self._write(sheet, at, n, cell, columns[n].decimals)
        if top == 0 and rows:
            sheet.freeze_panes(1, 0)
            sheet.autofilter(0, 0, len(rows), len(columns) - 1)
        return top + len(rows) + 1

    def _write(self, sheet: Any, row: int, column: int, cell: Cell, decimals: int | None) -> None:
        value = cell.value if isinstance(cell, Figure) else cell
        if value is None:
            sheet.write_blank(row, column, None, self._text)
        elif isinstance(value, str):
            sheet.write_string(row, column, value, self._text)
        else:
            wanted = cell.decimals if isinstance(cell, Figure) else decimals
            places = _places(value) if wanted is None else wanted
            sheet.write_number(row, column, float(value), self.number(places))


def _places(value: Decimal | int) -> int:
    """As many decimals as the number has, at most eight."""
    exponent = Decimal(value).normalize().as_tuple().exponent
    return min(8, max(0, -exponent)) if isinstance(exponent, int) else 0
