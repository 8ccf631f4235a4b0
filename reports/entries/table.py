"""A table of figures (XLSX or CSV) as rows of text, with sheet and row for every message."""

import csv
import zipfile
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path

from drivers.language import say, why
from drivers.model import ConfigError

SHEET = "填报 Entries"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table; a header may say any of its names."""

    id: str
    zh: str
    en: str
    required: bool = True

    @property
    def header(self) -> str:
        """What the template writes."""
        return f"{self.zh} {self.en}"


COLUMNS = (
    Column("kind", "项目", "kind"),
    Column("line", "工序", "line"),
    Column("period", "期间", "period"),
    Column("value", "数值", "value"),
    Column("unit", "单位", "unit"),
    Column("voucher", "凭证编号", "voucher", required=False),
    Column("document", "凭证文件", "document", required=False),
    Column("note", "说明", "note", required=False),
)


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row that is not empty: texts by column id, and where it stands."""

    sheet: str
    row: int
    cells: dict[str, str]

    @property
    def where(self) -> str:
        row = say(f"第 {self.row} 行", f"row {self.row}")
        return say(f"工作表“{self.sheet}”", f"sheet {self.sheet}, ") + row if self.sheet else row


def read_table(path: Path) -> list[TableRow]:
    """All rows of the file. Raises ConfigError when it is no such table."""
    try:
        sheets = _csv(path) if path.suffix.lower() == ".csv" else _xlsx(path)
    except OSError as error:
        raise ConfigError([f"{path}: {why(error)}"]) from None
    rows = [row for name, lines in sheets for row in _rows(path, name, lines)]
    if not rows:
        raise ConfigError([f"{path}: no figures in it"])
    return rows


def _csv(path: Path) -> list[tuple[str, list[list[str]]]]:
    content = path.read_bytes()
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise ConfigError([f"{path}: neither UTF-8 nor GBK; save it as CSV UTF-8"])
    return [("", [[cell.strip() for cell in line] for line in csv.reader(StringIO(text))])]


def _xlsx(path: Path) -> list[tuple[str, list[list[str]]]]:
    from openpyxl import load_workbook

    try:
        book = load_workbook(path, data_only=True)
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise ConfigError(
            [f"{path}: no XLSX workbook ({error}); save it as .xlsx or .csv"]
        ) from None
    names = [SHEET] if SHEET in book.sheetnames else book.sheetnames[:1]
    return [
        (name, [[_text(cell.value, cell.number_format) for cell in line] for line in book[name]])
        for name in names
    ]


def _text(cell: object, number_format: str) -> str:
    """A cell as a person typed it; a spreadsheet makes a date of 2026-10, but shows no day."""
    if cell is None:
        return ""
    if isinstance(cell, date | datetime):
        return f"{cell:%Y-%m-%d}" if "d" in number_format.lower() else f"{cell:%Y-%m}"
    if isinstance(cell, float):
        return format(Decimal(repr(cell)), "f")
    return str(cell).strip()


def _rows(path: Path, sheet: str, lines: list[list[str]]) -> list[TableRow]:
    headers = ((n, _header(cells)) for n, cells in enumerate(lines))
    top, found = next(
        ((n, header) for n, header in headers if {"kind", "value"} & set(header.values())), (-1, {})
    )
    if not found:
        raise ConfigError([f"{path}: no header line; it must name {_needed()}"])
    line = lines[top]
    missing = [c.header for c in COLUMNS if c.required and c.id not in found.values()]
    if missing:
        raise ConfigError([f"{path}: row {top + 1}: columns missing: {', '.join(missing)}"])
    unknown = [cell for n, cell in enumerate(line) if cell and n not in found]
    if unknown:
        raise ConfigError([f"{path}: row {top + 1}: unknown columns: {', '.join(unknown)}"])
    return [
        TableRow(sheet, number, {name: cells[n] for n, name in found.items() if n < len(cells)})
        for number, cells in enumerate(lines[top + 1 :], top + 2)
        if any(cells)
    ]


def _header(line: list[str]) -> dict[int, str]:
    """Column ids by position, of the cells that name one."""
    names = {
        name: column.id
        for column in COLUMNS
        for name in (column.id, column.zh, column.en, column.header.lower())
    }
    return {n: names[cell.lower()] for n, cell in enumerate(line) if cell.lower() in names}


def _needed() -> str:
    return ", ".join(column.header for column in COLUMNS if column.required)
