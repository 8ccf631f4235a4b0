"""A table of figures (XLSX or CSV) as rows of text, with sheet and row for every message."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from drivers.language import say, why
from drivers.model import ConfigError
from reports.entries.kinds import FACTS
from reports.entries.sheets import Sheet, read_sheets


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table; a header may say any of its names."""

    id: str
    zh: str
    en: str
    required: bool = True
    also: tuple[str, ...] = ()
    is_date: bool = False

    @property
    def header(self) -> str:
        """What the template writes."""
        return f"{self.zh} {self.en}"

    @property
    def names(self) -> tuple[str, ...]:
        return (self.id, self.zh.lower(), self.en, self.header.lower(), *self.also)


BEFORE = Column("before", "已录入", "entered before", required=False)  # only to look at, never read
INSTRUMENT = Column("line", "计量器具", "instrument")  # what the place of a certificate is called
COLUMNS = (
    Column("kind", "项目", "kind"),
    Column("line", "工序", "line", also=INSTRUMENT.names[1:]),
    Column("item", "品种", "item", required=False),
    Column("period", "期间", "period", is_date=True),
    Column("value", "数值", "value"),
    Column("unit", "单位", "unit"),
    *(
        Column(fact.id, fact.zh, fact.en, required=False, is_date=fact.is_date)
        for fact in FACTS.values()
    ),
    Column("voucher", "凭证编号", "voucher", required=False),
    Column("document", "凭证文件", "document", required=False),
    Column("note", "说明", "note", required=False),
    BEFORE,
)
# Sheets of the template that hold no figures; any other that is left out is named.
NOTES = "说明 Notes"
LISTS = "选项 Lists"


@dataclass(frozen=True, slots=True)
class TableRow:
    """
    One row that is not empty: texts by column id, and where it stands.

    ``asked`` is a row of the template in which nobody wrote anything.
    """

    sheet: str
    row: int
    cells: dict[str, str]
    asked: bool = False

    @property
    def where(self) -> str:
        return place(self.sheet, self.row)


@dataclass(frozen=True, slots=True)
class Table:
    """All figures of a file; ``ignored`` names the sheets that are no tables of figures."""

    rows: tuple[TableRow, ...]
    ignored: tuple[str, ...] = ()


def place(sheet: str, row: int) -> str:
    """Where something stands, in words."""
    text = say(f"第 {row} 行", f"row {row}")
    return say(f"工作表“{sheet}”", f"sheet {sheet}, ") + text if sheet else text


def read_table(path: Path) -> Table:
    """All rows of the file. Raises ConfigError with every mistake of its form."""
    try:
        sheets = read_sheets(path)
    except OSError as error:
        raise ConfigError([f"{path}: {why(error)}"]) from None
    tops = {sheet.name: _top(sheet) for sheet in sheets}
    figures = [sheet for sheet in sheets if tops[sheet.name] >= 0]
    if not figures:
        needed = ", ".join(column.header for column in COLUMNS if column.required)
        raise ConfigError(
            [
                f"{path}: "
                + say(f"没有表头；须有列 {needed}", f"no header line; it must name {needed}")
            ]
        )
    problems: list[str] = []
    rows = [row for sheet in figures for row in _rows(sheet, tops[sheet.name], problems)]
    if problems:
        raise ConfigError([f"{path}: {problem}" for problem in problems])
    if not rows:
        raise ConfigError([f"{path}: {say('没有数据', 'no figures in it')}"])
    own = {NOTES, LISTS}
    ignored = [s.name for s in sheets if s not in figures and s.lines and s.name not in own]
    return Table(tuple(rows), tuple(ignored))


def _top(sheet: Sheet) -> int:
    """The index of the header line; -1 when there is none."""
    found = (n for n, line in enumerate(sheet.lines) if _is_header(_columns(line)))
    return next(found, -1)


def _is_header(columns: dict[int, Column]) -> bool:
    names = {column.id for column in columns.values()}
    return "value" in names and len(names) >= 3


def _columns(line: Sequence[str]) -> dict[int, Column]:
    """Columns by position, of the cells that name one; ``任意中文 tested_on`` names one too."""
    names = {name: column for column in COLUMNS for name in column.names}
    ids = {column.id: column for column in COLUMNS}
    found: dict[int, Column] = {}
    for n, cell in enumerate(line):
        text = " ".join(cell.lower().split())
        column = names.get(text) or ids.get(text.rpartition(" ")[2])
        if column is not None:
            found[n] = column
    return found


def _rows(sheet: Sheet, top: int, problems: list[str]) -> list[TableRow]:
    columns = _columns(sheet.lines[top])
    before = len(problems)
    problems += _header_problems(sheet, top, columns)
    if len(problems) > before:
        return []
    asked = any(column is BEFORE for column in columns.values())
    rows: list[TableRow] = []
    for number, cells in enumerate(sheet.lines[top + 1 :], top + 2):
        problems += [
            f"{place(sheet.name, number)}: {column.header}: {text}"
            for n, column in columns.items()
            if column is not BEFORE and (text := sheet.faults.get((number, n)))
        ]
        found = {
            column.id: sheet.date_text(number, n) if column.is_date else cells[n]
            for n, column in columns.items()
            if n < len(cells) and column is not BEFORE
        }
        if any(found.values()):
            rows.append(TableRow(sheet.name, number, found, asked=asked and _untouched(found)))
    return rows


def _untouched(cells: dict[str, str]) -> bool:
    """Only what the template itself writes."""
    given = {name for name, text in cells.items() if text}
    return given <= {"kind", "line", "item", "period", "unit"}


def _header_problems(sheet: Sheet, top: int, columns: dict[int, Column]) -> list[str]:
    line = sheet.lines[top]
    named = [column.id for column in columns.values()]
    missing = [c.header for c in COLUMNS if c.required and c.id not in named]
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
