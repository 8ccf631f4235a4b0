"""A tiny spreadsheet of our own: recomputes SUM, ROUND and arithmetic of a workbook's cells."""

import re
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from io import BytesIO

from openpyxl import load_workbook

_CELL = r"(?:'((?:[^']|'')+)'!)?\$?([A-Z]{1,3})\$?(\d+)(?::\$?([A-Z]{1,3})\$?(\d+))?"


class Spreadsheet:
    """Formulas and cached values of a workbook; ``overrides`` change a cell before computing."""

    def __init__(
        self, content: bytes, overrides: dict[tuple[str, str], float] | None = None
    ) -> None:
        self.book = load_workbook(BytesIO(content))
        self.cached = load_workbook(BytesIO(content), data_only=True)
        self._known: dict[tuple[str, str], float | None] = dict(overrides or {})

    def formulas(self) -> list[tuple[str, str]]:
        return [
            (sheet.title, cell.coordinate)
            for sheet in self.book
            for row in sheet.iter_rows()
            for cell in row
            if isinstance(cell.value, str) and cell.value.startswith("=")
        ]

    def value(self, sheet: str, cell: str) -> float | None:
        """The recomputed value; text and empty cells are None."""
        if (sheet, cell) not in self._known:
            content = self.book[sheet][cell].value
            if isinstance(content, str) and content.startswith("="):
                self._known[sheet, cell] = self._computed(sheet, content[1:])
            else:
                number = isinstance(content, int | float)
                self._known[sheet, cell] = float(content) if number else None
        return self._known[sheet, cell]

    def _computed(self, sheet: str, formula: str) -> float:
        def reference(found: re.Match[str]) -> str:
            where = (found[1] or sheet).replace("''", "'")
            if found[4] is None:
                return f"cell({where!r}, {found[2] + found[3]!r})"
            return f"area({where!r}, {found[2] + found[3]!r}, {found[4] + found[5]!r})"

        names = {"cell": self._number, "area": self._area, "SUM": _sum, "ROUND": _round}
        names |= {"MAX": max, "MIN": min}
        code = re.sub(_CELL, reference, formula)
        return float(eval(code, {"__builtins__": {}}, names))  # noqa: S307 - our own formulas

    def _number(self, sheet: str, cell: str) -> float:
        value = self.value(sheet, cell)
        assert value is not None, f"{sheet}!{cell} is no number"
        return value

    def _area(self, sheet: str, first: str, last: str) -> list[float]:
        cells = (cell for row in self.book[sheet][f"{first}:{last}"] for cell in row)
        values = [self.value(sheet, cell.coordinate) for cell in cells]
        return [value for value in values if value is not None]


def _sum(*parts: float | Iterable[float]) -> float:
    return sum(part if isinstance(part, float) else sum(part) for part in parts)


def _round(value: float, places: float) -> float:
    """As spreadsheets do: half away from zero, on the 15 digits that they show."""
    step = Decimal(1).scaleb(-int(places))
    return float(Decimal(f"{value:.15g}").quantize(step, rounding=ROUND_HALF_UP))
