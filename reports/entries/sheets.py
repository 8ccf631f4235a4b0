"""The cells of an XLSX or CSV file as texts, as a person saw them in the spreadsheet."""

import csv
import os
import re
import resource
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any, Final

from drivers.language import say
from drivers.model import ConfigError

SERIAL_FIRST: Final = 30000  # 1982; a smaller number is no day of a plant's books
SERIAL_LAST: Final = 80000  # 2119
UNPACKED_MOST: Final = 256 << 20  # bytes; a hostile workbook must not take the memory
CELLS_MOST: Final = 1_000_000  # of a sheet from its first to its last: one far cell is enough
READING_MOST: Final = 384 << 20  # bytes of memory more than there were, while a workbook is read
_MERGED: Final = re.compile(
    rb"<(?:\w+:)?mergeCell\s[^>]*?ref=.([A-Z]{1,3}\d{1,7}:[A-Z]{1,3}\d{1,7})"
)
_DIGITS: Final = 15  # what a spreadsheet shows of a binary number


@dataclass(slots=True)
class Sheet:
    """
    Texts by line and column; ``faults`` and ``dates`` by (row from 1, column from 0).

    ``moments`` are real times of day, to the minute; their text shows the day only.
    """

    name: str
    lines: list[list[str]]
    faults: dict[tuple[int, int], str] = field(default_factory=dict)
    dates: dict[tuple[int, int], str] = field(default_factory=dict)
    moments: dict[tuple[int, int], str] = field(default_factory=dict)

    def date_text(self, row: int, column: int) -> str:
        """The cell as a day, where a number in it can only be one."""
        return self.dates.get((row, column), self.lines[row - 1][column])


def read_sheets(path: Path) -> list[Sheet]:
    """All sheets; a CSV is one without a name. Raises ConfigError, OSError."""
    return _csv(path) if path.suffix.lower() == ".csv" else _xlsx(path)


def _csv(path: Path) -> list[Sheet]:
    content = path.read_bytes()
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise ConfigError(
            [
                f"{path}: "
                + say(
                    "不是 UTF-8 或 GBK 编码；请另存为“CSV UTF-8”",
                    "neither UTF-8 nor GBK; save it as CSV UTF-8",
                )
            ]
        )
    try:
        read = []
        cells = 0
        for line in csv.reader(StringIO(text, newline=""), strict=True):
            cells += max(1, len(line))
            _refuse_wide(cells)
            read.append(line)
    except (csv.Error, ValueError) as error:
        raise ConfigError([f"{path}: {say('不是 CSV', 'no CSV')}: {error}"]) from None
    lines = [[] if _is_remark(line) else [cell.strip() for cell in line] for line in read]
    return [Sheet("", lines)]


def _is_remark(line: list[str]) -> bool:
    return bool(line) and line[0].startswith("#")


def _xlsx(path: Path) -> list[Sheet]:
    from openpyxl import load_workbook

    try:
        _refuse_bomb(path)
        with _bounded():
            shown, typed = (load_workbook(path, data_only=only) for only in (True, False))
        for sheet in shown.worksheets:
            _refuse_wide(sheet.max_row * sheet.max_column)
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001 - what a broken workbook makes openpyxl raise
        raise ConfigError(
            [
                f"{path}: "
                + say(
                    f"不是 XLSX 工作簿（{error}）；请另存为 .xlsx 或 .csv",
                    f"no XLSX workbook ({error}); save it as .xlsx or .csv",
                )
            ]
        ) from None
    return [_sheet(sheet, typed[sheet.title], shown.epoch) for sheet in shown.worksheets]


def _refuse_bomb(path: Path) -> None:
    from openpyxl.utils.cell import coordinate_to_tuple

    with zipfile.ZipFile(path) as parts:
        unpacked = sum(part.file_size for part in parts.infolist())
        if unpacked <= UNPACKED_MOST:
            for name in parts.namelist():
                for found in _MERGED.finditer(parts.read(name)):
                    corners = found[1].decode().split(":")
                    (top, left), (bottom, right) = map(coordinate_to_tuple, corners)
                    _refuse_wide((right - left + 1) * (bottom - top + 1))
    if unpacked > UNPACKED_MOST:
        raise ValueError(
            say(
                f"解压后有 {unpacked >> 20} MiB，最多 {UNPACKED_MOST >> 20} MiB",
                f"{unpacked >> 20} MiB unpacked, at most {UNPACKED_MOST >> 20} MiB are read",
            )
        )


def _refuse_wide(cells: int) -> None:
    if cells > CELLS_MOST:
        raise ValueError(
            say(
                f"表格范围有 {cells:,} 格，最多 {CELLS_MOST:,} 格；请删除远处的多余单元格",
                f"it spans {cells:,} cells, at most {CELLS_MOST:,} are read; delete what stands "
                "far away",
            )
        )


@contextmanager
def _bounded() -> Iterator[None]:
    """What would take the memory (merged cells without end) ends as MemoryError instead."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    most = pages * os.sysconf("SC_PAGESIZE") + READING_MOST
    if soft != resource.RLIM_INFINITY:
        most = min(most, soft)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _sheet(shown: Any, typed: Any, epoch: datetime) -> Sheet:
    from openpyxl.utils.datetime import from_excel

    made = Sheet(shown.title, [])
    for row, (cells, formulas) in enumerate(
        zip(shown.iter_rows(), typed.iter_rows(), strict=True), 1
    ):
        made.lines.append([_text(cell.value, cell.number_format) for cell in cells])
        for n, (cell, formula) in enumerate(zip(cells, formulas, strict=True)):
            value = cell.value
            if value is None and formula.data_type == "f":
                made.faults[row, n] = say(
                    f"公式 {formula.value} 没有计算结果；请在表格软件中打开并保存，或填写数值",
                    f"the formula {formula.value} has no result; open the file in a spreadsheet "
                    "and save it, or write the value",
                )
            if isinstance(value, datetime) and "h" in cell.number_format.lower():
                made.moments[row, n] = f"{value:%Y-%m-%d %H:%M}"
            if isinstance(value, int | float) and SERIAL_FIRST <= value <= SERIAL_LAST:
                made.dates[row, n] = f"{from_excel(value, epoch):%Y-%m-%d}"
    for merged in shown.merged_cells.ranges:
        for row in range(merged.min_row, merged.max_row + 1):
            for column in range(merged.min_col, merged.max_col + 1):
                made.faults[row, column - 1] = say(
                    f"合并的单元格 {merged.coord}；请取消合并，每行各填一格",
                    f"merged cells {merged.coord}; unmerge them and fill in each row",
                )
    return made


def _text(cell: object, number_format: str) -> str:
    """A cell as a person sees it; a spreadsheet makes a date of 2026-10, but shows no day."""
    if cell is None:
        return ""
    if isinstance(cell, date | datetime):
        return f"{cell:%Y-%m-%d}" if "d" in number_format.lower() else f"{cell:%Y-%m}"
    if isinstance(cell, time | bool):
        return str(cell)
    if isinstance(cell, int | float):
        return _number(cell, percent="%" in number_format)
    return str(cell).strip()


def _number(value: float, *, percent: bool) -> str:
    """At most 15 digits, as the spreadsheet shows it: 0.1 + 0.2 is 0.3."""
    number = Decimal(value) if isinstance(value, int) else Decimal(format(value, f".{_DIGITS}g"))
    if not percent:
        return format(number, "f")
    return f"{(number * 100).normalize():f}%"
