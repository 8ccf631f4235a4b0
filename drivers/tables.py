"""
CSV tables that people edit in spreadsheets: encoding, separator, header, templates, writing.

Nothing here knows what the columns mean; ``drivers/points.py`` does.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TextIO

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


def read_rows(text: str, name: str, required: Iterable[str]) -> tuple[list[Row], list[str]]:
    """
    Rows of a table and what is wrong with its header; with a wrong header there are no rows.

    Blank lines and lines beginning with ``#`` are skipped.
    """
    first = next((line for line in text.splitlines() if line.strip()), "")
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
            problems.append(
                f"{where}: {len(cells)} cells under {len(header)} columns; quote cells with commas"
            )
            continue
        filled = {c: _plain(cell) for c, cell in zip(header, cells, strict=False) if c}
        rows.append(Row(where, filled))
    if not header:
        problems.append(f"{name}:1: the table is empty; begin with {','.join(COLUMNS[:4])}")
    return rows, problems


def _plain(cell: str) -> str:
    """Without outer blanks; full-width letters, digits and signs as the plain ones they mean."""
    cell = cell.strip()
    return cell if cell.isascii() else unicodedata.normalize("NFKC", cell).strip()


def _header_problems(header: list[str], where: str, required: Iterable[str]) -> Iterator[str]:
    for i, name in enumerate(header):
        if name and name not in COLUMNS:
            near = get_close_matches(name, COLUMNS, 1)
            hint = f"write {near[0]}" if near else f"columns are {', '.join(COLUMNS)}"
            yield f"{where}: column {i + 1}: unknown column {name!r}; {hint}"
        if name and name in header[:i]:
            yield f"{where}: column {i + 1}: {name} is there twice; remove one"
    for name in COLUMNS:
        if name in required and name not in header:
            yield f"{where}: the column {name} is missing; add it to the first line"


def decode_table(data: bytes, name: str) -> str:
    """Text of a table saved as UTF-8 (with or without BOM), UTF-16 with BOM, or GBK."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ConfigError([f"{name}: neither UTF-8 nor GBK text; save it as CSV UTF-8"])


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
            f"{template!r}: write one range of numbers in braces, e.g. pot{{001..036}}"
        )
    if not found:
        return [template]
    first, last = found[0]
    if int(last) < int(first):
        raise ValueError(f"{template!r} runs backwards; write {{{last}..{first}}}")
    if int(last) - int(first) >= 10_000:
        raise ValueError(f"{template!r} makes more than 10000 rows")
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
