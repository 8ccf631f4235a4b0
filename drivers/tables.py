"""
CSV tables that people edit in spreadsheets: encoding, separator, header, templates, writing.

Nothing here knows what the columns mean; ``drivers/points.py`` does.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TextIO

from drivers.language import say
from drivers.model import ConfigError

COLUMNS = (
    "equipment",
    "quantity",
    "address",
    "type",
    "stride",
    "order",
    "scale",
    "offset",
    "unit",
    "interval_s",
    "mode",
    "low",
    "high",
    "not_available",
    "counter_modulus",
    "counter_max_per_s",
    "stuck_after_s",
    "deadband",
    "original",
    "note",
)
REQUIRED = ("equipment", "quantity", "address", "type")
ALWAYS_WRITTEN = (*REQUIRED, "scale", "unit", "interval_s", "note")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: its cells by column, without outer blanks, empty where left out."""

    where: str  # file:line
    cells: Mapping[str, str]


def read_rows(
    text: str, name: str, required: Iterable[str], verbatim: Collection[str] = ()
) -> tuple[list[Row], list[str]]:
    """
    Rows of a table and what is wrong with its header; with a wrong header there are no rows.

    Blank lines and lines beginning with ``#`` are skipped. Full-width signs become plain ones but
    in the columns ``verbatim``.
    """
    lines_with_text = (line for line in text.splitlines() if line.strip())
    first = next((line for line in lines_with_text if not line.lstrip().startswith("#")), "")
    separator = max(",;\t", key=first.count)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    header: list[str] = []
    rows: list[Row] = []
    problems: list[str] = []
    for cells in lines:
        if not any(map(str.strip, cells)) or cells[0].lstrip().startswith("#"):
            continue
        where = f"{name}:{lines.line_num}"
        if not header:
            header = [_plain(cell).lower() for cell in cells]
            problems = list(_header_problems(header, where, required))
            if problems:
                return [], problems
            continue
        if len(cells) > len(header) and any(map(str.strip, cells[len(header) :])):
            found, known = len(cells), len(header)
            told = say(
                f"有 {found} 个单元格，而表头只有 {known} 列；含逗号的单元格请加引号",
                f"{found} cells under {known} columns; quote cells with commas",
            )
            problems.append(f"{where}: {told}")
            continue
        filled = {
            column: cell.strip() if column in verbatim else _plain(cell)
            for column, cell in zip(header, cells, strict=False)
            if column
        }
        rows.append(Row(where, filled))
    if not header:
        begin = ",".join(REQUIRED)
        told = say(f"表是空的；首行请写 {begin}", f"the table is empty; begin with {begin}")
        problems.append(f"{name}:1: {told}")
    return rows, problems


def _plain(cell: str) -> str:
    """Without outer blanks; full-width letters, digits and signs as the plain ones they mean."""
    cell = cell.strip()
    return cell if cell.isascii() else unicodedata.normalize("NFKC", cell).strip()


def _header_problems(header: list[str], where: str, required: Iterable[str]) -> Iterator[str]:
    for i, name in enumerate(header):
        if name and name not in COLUMNS:
            yield f"{where}: {in_column(i + 1)}: {_unknown_column(name)}"
        if name and name in header[:i]:
            told = say(f"{name} 重复；请删去一列", f"{name} is there twice; remove one")
            yield f"{where}: {in_column(i + 1)}: {told}"
    for name in COLUMNS:
        if name in required and name not in header:
            told = say(
                f"缺少列 {name}；请在首行补上",
                f"the column {name} is missing; add it to the first line",
            )
            yield f"{where}: {told}"


def in_column(column: str | int) -> str:
    """How a mistake names its column, by name or number."""
    if isinstance(column, int):
        return say(f"第 {column} 列", f"column {column}")
    return say(f"列 {column}", f"column {column}")


def _unknown_column(name: str) -> str:
    if near := get_close_matches(name, COLUMNS, 1):
        return say(
            f"未知的列 {name!r}；请写 {near[0]}", f"unknown column {name!r}; write {near[0]}"
        )
    known = ", ".join(COLUMNS)
    return say(
        f"未知的列 {name!r}；可用的列：{known}", f"unknown column {name!r}; columns are {known}"
    )


def decode_table(data: bytes, name: str) -> str:
    """Text of a table saved as UTF-8 (with or without BOM), UTF-16 with BOM, or GBK."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    told = say(
        "既不是 UTF-8 也不是 GBK 文本；请另存为“CSV UTF-8”格式",
        "neither UTF-8 nor GBK text; save it as CSV UTF-8",
    )
    raise ConfigError([f"{name}: {told}"])


_RANGE = re.compile(r"\{(\d+)\.\.(\d+)\}")


def expansions(template: str) -> list[str]:
    """
    ``pot{001..036}`` → pot001 … pot036; a text without a template is itself.

    ValueError when the template cannot be read, runs backwards or there are two.
    """
    found = _RANGE.findall(template)
    rest = _RANGE.sub("", template)
    if "{" in rest or "}" in rest or len(found) > 1:
        raise ValueError(
            say(
                f"{template!r}：花括号中请只写一个数字范围，例如 pot{{001..036}}",
                f"{template!r}: write one range of numbers in braces, e.g. pot{{001..036}}",
            )
        )
    if not found:
        return [template]
    first, last = found[0]
    if int(last) < int(first):
        raise ValueError(
            say(
                f"{template!r} 的范围前大后小；请写 {{{last}..{first}}}",
                f"{template!r} runs backwards; write {{{last}..{first}}}",
            )
        )
    if int(last) - int(first) >= 10_000:
        raise ValueError(
            say(f"{template!r} 超过 10000 行", f"{template!r} makes more than 10000 rows")
        )
    before, _, behind = template.partition("{")
    behind = behind.partition("}")[2]
    return [f"{before}{n:0{len(first)}d}{behind}" for n in range(int(first), int(last) + 1)]


def write_points(rows: Iterable[Mapping[str, object]], stream: TextIO) -> None:
    """
    A point table ready to edit: the usual columns and every other that some row fills.

    ``rows`` have columns of ``COLUMNS`` as keys; an unknown one raises ValueError.
    """
    kept = [{key: "" if cell is None else str(cell) for key, cell in row.items()} for row in rows]
    filled = {key for row in kept for key, cell in row.items() if cell}
    if unknown := filled.difference(COLUMNS):
        raise ValueError(f"no such columns: {sorted(unknown)}")
    columns = [name for name in COLUMNS if name in ALWAYS_WRITTEN or name in filled]
    writer = csv.DictWriter(stream, columns, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(kept)
