"""A table of records (XLSX or CSV) as rows of text, with sheet and row for every message."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from drivers.language import say, why
from drivers.model import ConfigError
from reports.entries.sheets import Sheet, read_sheets
from reports.entries.table import LISTS, NOTES, place
from reports.journal.forms import FACTS, As, Form, find_form
from reports.values import Text


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table; a header may say any of its names."""

    id: str
    name: Text
    timed: bool = False  # a day and minute, or a day

    @property
    def header(self) -> str:
        """What the template writes."""
        return f"{self.name.zh} {self.name.en}"

    @property
    def names(self) -> tuple[str, ...]:
        return (self.id, self.name.zh.lower(), self.name.en.lower(), self.header.lower())


BASE: Final = (
    Column("kind", Text(zh="类别", en="kind")),
    Column("what", Text(zh="内容", en="what")),
    Column("equipment", Text(zh="排放口", en="stack")),
    Column("pollutants", Text(zh="污染物", en="pollutants")),
    Column("start", Text(zh="开始", en="start"), timed=True),
    Column("end", Text(zh="结束", en="end"), timed=True),
)
LAST: Final = (
    Column("reason", Text(zh="理由", en="reason")),
    Column("evidence", Text(zh="证据文件", en="evidence")),
    Column("confirmed_by", Text(zh="确认人", en="confirmed by")),
)
COLUMNS: Final[Mapping[str, Column]] = {
    column.id: column
    for column in (
        *BASE,
        *(
            Column(fact.id, fact.name, timed=fact.how in {As.DATE, As.MOMENT})
            for fact in FACTS.values()
        ),
        *LAST,
    )
}


def columns_of(form: Form) -> tuple[Column, ...]:
    """The columns a kind needs, in the order of every table."""
    return (*BASE, *(COLUMNS[fact.id] for fact in form.facts), *LAST)


@dataclass(frozen=True, slots=True)
class Row:
    """One row that is not empty: texts by column id, and where it stands."""

    cells: Mapping[str, str]
    sheet: str = ""
    row: int = 0

    @property
    def where(self) -> str:
        return place(self.sheet, self.row)


def read_rows(path: Path) -> tuple[Row, ...]:
    """All rows of the file. Raises ConfigError with every mistake of its form."""
    try:
        sheets = read_sheets(path)
    except OSError as error:
        raise ConfigError([f"{path}: {why(error)}"]) from None
    problems: list[str] = []
    rows: list[Row] = []
    headed = 0
    for sheet in sheets:
        top = _top(sheet)
        if top < 0 and sheet.lines and sheet.name not in {NOTES, LISTS}:
            missing = say("没有表头，未读取", "has no header line and is not read")
            problems.append(place(sheet.name, 1) + say("：", ": ") + missing)
        if top >= 0:
            headed += 1
            rows += _rows(sheet, top, problems)
    if not headed:
        needed = ", ".join(column.header for column in BASE)
        problems = [say(f"没有表头；须有列 {needed}", f"no header line; it names {needed}")]
    elif not rows and not problems:
        problems = [say("没有数据", "nothing is written in it")]
    if problems:
        raise ConfigError([f"{path}: {problem}" for problem in problems])
    return tuple(rows)


def _top(sheet: Sheet) -> int:
    """The index of the header line; -1 when there is none."""
    found = (n for n, line in enumerate(sheet.lines) if len(_columns(line)) >= len(BASE) - 1)
    return next(found, -1)


def _columns(line: Sequence[str]) -> dict[int, Column]:
    names = {name: column for column in COLUMNS.values() for name in column.names}
    found = {}
    for n, cell in enumerate(line):
        column = names.get(" ".join(cell.lower().split()))
        if column is not None:
            found[n] = column
    return found


def _rows(sheet: Sheet, top: int, problems: list[str]) -> list[Row]:
    columns = _columns(sheet.lines[top])
    before = len(problems)
    problems += _header_problems(sheet, top, columns)
    if len(problems) > before:
        return []
    form = find_form(sheet.name)
    rows: list[Row] = []
    for number, cells in enumerate(sheet.lines[top + 1 :], top + 2):
        problems += [
            f"{place(sheet.name, number)}: {column.header}: {text}"
            for n, column in columns.items()
            if (text := sheet.faults.get((number, n)))
        ]
        found = {
            column.id: sheet.moments.get((number, n), cells[n]) if column.timed else cells[n]
            for n, column in columns.items()
            if n < len(cells) and cells[n]
        }
        if found:
            usual = {} if form is None else {"kind": form.kind}
            rows.append(Row(usual | found, sheet.name, number))
    return rows


def _header_problems(sheet: Sheet, top: int, columns: Mapping[int, Column]) -> list[str]:
    line = sheet.lines[top]
    named = [column.id for column in columns.values()]
    optional = {"kind"} if find_form(sheet.name) else set()
    missing = [c.header for c in BASE if c.id not in named and c.id not in optional]
    twice = sorted({name for name in named if named.count(name) > 1})
    unknown = [cell for n, cell in enumerate(line) if cell and n not in columns]
    where = place(sheet.name, top + 1)
    return [
        f"{where}: {text}: {', '.join(names)}"
        for text, names in (
            (say("缺少列", "columns missing"), missing),
            (say("重复的列", "columns named twice"), twice),
            (say("未知的列", "unknown columns"), unknown),
        )
        if names
    ]
