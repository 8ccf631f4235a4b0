"""Blocks of a report as a page shows them: figures with their reason and signs, tables, charts."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from drivers.language import say
from reports.chapters import (
    Block,
    Cell,
    Chapter,
    Details,
    Facts,
    Grid,
    Months,
    Paragraph,
    Signed,
    Table,
)
from reports.model import Content, How, Line
from reports.pictures import Chart
from reports.render.labels import unit_text
from reports.render.marks import marks
from reports.values import Text
from reports.words import number_text, short_text

PERCENT: Final = Decimal(100)
PERCENT_DECIMALS: Final = 2


@dataclass(frozen=True, slots=True)
class Pages:
    """A report in one language."""

    content: Content
    lines: dict[str, Line]
    signs: dict[str, str]
    lang: str

    @classmethod
    def of(cls, content: Content) -> "Pages":
        lines = {line.id: line for line in content.lines}
        return cls(content, lines, marks(content), say("zh", "en"))

    def figure(self, identity: str) -> dict[str, Any] | None:
        """A line as the page shows it, fractions in per cent; None when there is no such line."""
        line = self.lines.get(identity)
        if line is None:
            return None
        value, unit, decimals = line.rounded, unit_text(line.unit, self.lang), line.decimals
        if line.unit == "fraction":
            value = None if value is None else value * PERCENT
            unit, decimals = "%", max(decimals - PERCENT_DECIMALS, 0)
        reasons = line.missing or (line.notes if value is None else ())
        return {
            "line": identity,
            "label": line.label.of(self.lang),
            "value": value,
            "unit": unit,
            "decimals": decimals,
            "marks": self.signs.get(identity, ""),
            "stated": line.how is not How.NONE,
            "why": say("；", "; ").join(text.of(self.lang) for text in reasons),
            "notes": [text.of(self.lang) for text in line.notes] if value is not None else [],
        }

    def figures(self, ids: tuple[str, ...] | list[str]) -> list[dict[str, Any]]:
        """Those of the lines that there are."""
        return [found for identity in ids if (found := self.figure(identity)) is not None]

    def grid(self, places: list[tuple[str, Text]], names: tuple[str, ...]) -> dict[str, Any]:
        """Places down, figures across; figures that no place has are left out."""
        used = [n for n in names if any(f"{scope}.{n}" in self.lines for scope, _ in places)]
        heads = []
        for name in used:
            first = next(f for s, _ in places if (f := self.figure(f"{s}.{name}")) is not None)
            heads.append({"label": first["label"], "unit": first["unit"]})
        rows = [
            {
                "place": label.of(self.lang),
                "cells": [self.figure(f"{scope}.{name}") for name in used],
            }
            for scope, label in places
            if any(f"{scope}.{name}" in self.lines for name in used)
        ]
        return {"block": "grid", "columns": heads, "rows": rows}

    def table(self, table: Table) -> dict[str, Any]:
        """Cells as texts; numbers with the decimals of their column."""
        columns: list[dict[str, Any]] = [
            {"label": column.label.of(self.lang), "unit": unit_text(column.unit, self.lang)}
            for column in table.columns
        ]
        rows = [
            [
                self._cell(cell, column.decimals)
                for cell, column in zip(r, table.columns, strict=True)
            ]
            for r in table.rows
        ]
        for k, column in enumerate(columns):
            column["number"] = any(row[k]["number"] for row in rows)
        note = None if table.note is None else table.note.of(self.lang)
        title = table.title.of(self.lang)
        base = {"block": "table", "id": table.id, "title": title, "note": note}
        return base | {"columns": columns, "rows": rows}

    def _cell(self, cell: Cell, decimals: int | None) -> dict[str, Any]:
        if isinstance(cell, Signed):
            return self._cell(cell.value, decimals) | {"line": cell.of}
        if isinstance(cell, Decimal):
            text = short_text(cell) if decimals is None else number_text(cell, decimals)
            return {"text": text, "number": True, "link": ""}
        if isinstance(cell, Text):
            return {"text": cell.of(self.lang), "number": False, "link": ""}
        if cell is None:
            return {"text": "—", "number": False, "link": ""}
        return {"text": cell, "number": False, "link": self._pot(cell)}

    def _pot(self, cell: str) -> str:
        """Address of the page of the pot that a cell names."""
        line, _, pot = cell.partition("/")
        known = {each.id for each in self.content.potlines}
        return f"/potlines/{line}/{pot}" if line in known and pot.isalnum() else ""

    def block(self, block: Block) -> dict[str, Any] | None:
        """Any block; None for parts that the page does not show."""
        if isinstance(block, Paragraph):
            return {"block": "paragraph", "text": block.text.of(self.lang), "tone": block.tone}
        if isinstance(block, Table):
            return self.table(block)
        if isinstance(block, Chart):
            return self.chart(block)
        if isinstance(block, Grid):
            return self.grid(list(block.places), block.names)
        if isinstance(block, Details):
            return {"block": "figures", "figures": self.figures(list(block.lines))}
        return self._rest(block)

    def _rest(self, block: Block) -> dict[str, Any] | None:
        if isinstance(block, Months):
            names = [*block.months, ""]
            rows = [
                {
                    "label": self.lines[each].label.of(self.lang),
                    "unit": unit_text(self.lines[each].unit, self.lang),
                    "cells": [self.figure(f"{each}@{m}" if m else each) for m in names],
                }
                for each in block.lines
                if each in self.lines
            ]
            title = "" if block.title is None else block.title.of(self.lang)
            return {"block": "months", "title": title, "months": block.months, "rows": rows}
        if isinstance(block, Facts):
            told = [(name.of(self.lang), self._fact(value)) for name, value in block.facts]
            return {"block": "facts", "facts": told}
        return None

    def _fact(self, value: Text | Signed | str) -> str:
        text: str = self._cell(value, None)["text"]
        return text

    def chart(self, chart: Chart) -> dict[str, Any]:
        """Where the picture is; its numbers stay in the report."""
        caption = "" if chart.caption is None else chart.caption.of(self.lang)
        title = chart.title.of(self.lang)
        return {"block": "chart", "id": chart.id, "title": title, "caption": caption}

    def blocks(self, chapter: Chapter | None) -> list[dict[str, Any]]:
        """What a chapter says."""
        if chapter is None:
            return []
        return [found for each in chapter.blocks if (found := self.block(each)) is not None]
