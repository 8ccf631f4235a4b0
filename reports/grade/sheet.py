"""The workbook into which an officer types an official table: written as template, read back."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from drivers.language import say
from drivers.model import ConfigError
from reports.entries.facts import date_text
from reports.grade.columns import (
    COLUMNS,
    DOCUMENT,
    KIND_LABELS,
    PARTS,
    SHEETS,
    STATES,
    UNITS,
    key_of,
    label,
)
from reports.grade.table import FAMILIES, IndicatorTable
from reports.rules.mistakes import Loc
from reports.values import Text

PAPER, COVERAGE, ROWS, NOTES, LISTS = SHEETS
SPARE: Final = 200  # empty rows below the head
HEAD: Final = 2  # rows above the first one that is filled in: Chinese, English
NOTES_TEXT: Final = (
    Text(
        zh="把官方指标表逐条录入“指标”页，一行一项证据；同一条件需要几项证据时，在下一行重复编号，条件各格可空。",
        en="Type the official table into the sheet of indicators, one row per piece of evidence; "
        "where a condition needs several, repeat its id in the next row and leave the rest empty.",
    ),
    Text(
        zh="“覆盖”页逐项说明每个类别、等级是否已全部录入；写“表中无要求”即确认官方表没有该项要求。留空的仍视为未知。",
        en="In the sheet of coverage say of each family and level whether all of it is typed; "
        "“none” confirms that the table asks nothing there. What is left empty stays unknown.",
    ),
    Text(
        zh="录入人与核对人须为不同两人；依据文件放在本表旁，其内容一变，本表即失效，须重新核对。",
        en="Typed by one person, checked by another. The document lies beside this file; when it "
        "changes, this table counts no longer and is checked anew.",
    ),
    Text(
        zh="检查：smelter rules check 本文件；然后在 site.toml 的 [grade] tables 中列出。",
        en="Check it: smelter rules check FILE; then name it under tables in [grade] of site.toml.",
    ),
)


def xlsx_template(table: IndicatorTable) -> bytes:
    """The workbook for one table: what is known filled in, lists to choose from."""
    import xlsxwriter

    content = BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        edge = {"border": 1, "border_color": "#BFBFBF"}
        head = book.add_format(
            {"bold": True, "bg_color": "#1F4E79", "font_color": "white", "text_wrap": True, **edge}
        )
        styles = {
            "head": head,
            "text": book.add_format({"num_format": "@", "text_wrap": True, **edge}),
            "given": book.add_format({"num_format": "@", "bg_color": "#EAF1F8", **edge}),
            "number": book.add_format(edge),
            "wrap": book.add_format({"text_wrap": True, "valign": "top"}),
        }
        paper, coverage, rows, notes, lists = (book.add_worksheet(name) for name in SHEETS)
        _paper(paper, styles, table)
        _coverage(coverage, styles, table)
        _rows(rows, styles, lists)
        notes.set_column(0, 0, 110, styles["wrap"])
        for number, text in enumerate(NOTES_TEXT):
            notes.write(number, 0, f"{text.zh}\n{text.en}", styles["wrap"])
            notes.set_row(number, 48)
        lists.hide()
        paper.activate()
    return content.getvalue()


def _paper(page: Any, styles: dict[str, Any], table: IndicatorTable) -> None:
    first = next((x for x in table.indicators if x.absent), table.indicators[0])
    source = first.source
    known = {
        "table": table.name,
        "title": source.title,
        "issuer": source.issuer,
        "published": "" if source.published is None else str(source.published),
        "where": source.where,
    }
    page.set_column(0, 0, 44)
    page.set_column(1, 1, 90)
    for number, column in enumerate(DOCUMENT):
        page.write(number, 0, f"{column.head.zh} {column.head.en} [{column.key}]", styles["given"])
        page.write_string(number, 1, known.get(column.key, ""), styles["text"])


def _coverage(page: Any, styles: dict[str, Any], table: IndicatorTable) -> None:
    heads = ("类别 family", "等级 level", "是否录入 typed")
    for at, (head, width) in enumerate(zip(heads, (30, 12, 30), strict=True)):
        page.write(0, at, head, styles["head"])
        page.set_column(at, at, width)
    states = [label(key, text) for key, text in STATES.items()]
    asked = [
        (family, level)
        for level in table.file.levels
        for family in FAMILIES
        if any((x.family, x.level) == (family, level) for x in table.indicators)
    ]
    for number, (family, level) in enumerate(asked, 1):
        page.write(number, 0, label(family, FAMILIES[family]), styles["given"])
        page.write(number, 1, level, styles["given"])
        page.write_blank(number, 2, None, styles["text"])
        page.data_validation(number, 2, number, 2, {"validate": "list", "source": states})
    page.freeze_panes(1, 0)


def _rows(page: Any, styles: dict[str, Any], lists: Any) -> None:
    choices = {
        "family": [label(key, text) for key, text in FAMILIES.items()],
        "kind": list(KIND_LABELS),
        "unit": list(UNITS),
    }
    for at, (key, texts) in enumerate(choices.items()):
        lists.write_column(0, at, texts)
        column = next(n for n, each in enumerate(COLUMNS) if each.key == key)
        letter = "ABC"[at]
        source = f"='{LISTS}'!${letter}$1:${letter}${len(texts)}"
        page.data_validation(
            HEAD, column, HEAD + SPARE, column, {"validate": "list", "source": source}
        )
    for at, each in enumerate(COLUMNS):
        page.set_column(at, at, each.width)
        page.write(0, at, each.head.zh, styles["head"])
        page.write(1, at, f"{each.head.en} [{each.key}]", styles["head"])
        style = styles["number" if each.key in {"number", "reference_o2"} else "text"]
        for row in range(HEAD, HEAD + SPARE):
            page.write_blank(row, at, None, style)
    page.set_row(0, 32)
    page.set_row(1, 46)
    page.freeze_panes(HEAD, 1)


def read_sheet(path: Path) -> tuple[dict[str, Any], Callable[[Loc], str]]:
    """
    The filled-in workbook as the table a TOML file would hold, and where a key of it stands.

    Raises ConfigError when it is no such workbook or a cell cannot be read, all at once; OSError.
    """
    import openpyxl

    try:
        book = openpyxl.load_workbook(BytesIO(path.read_bytes()), data_only=True)
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001 - openpyxl raises whatever its parts raise
        raise ConfigError([f"{path}: {error}"]) from None
    lacking = [name for name in (PAPER, COVERAGE, ROWS) if name not in book.sheetnames]
    if lacking:
        raise ConfigError([f"{path}: " + say("缺少工作表 ", "no sheet ") + ", ".join(lacking)])
    reader = _Reader(path)
    given = reader.paper(book[PAPER])
    given["coverage"] = reader.coverage(book[COVERAGE])
    given["indicators"] = reader.rows(book[ROWS])
    if reader.problems:
        raise ConfigError(reader.problems)
    return given, reader.place


class _Reader:
    """Reads the sheets; remembers in which row each part stood, and what could not be read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: list[str] = []
        self.lines: dict[Loc, str] = {}

    def place(self, loc: Loc) -> str:
        """The cell of the deepest known part of ``loc``."""
        for length in range(len(loc), 0, -1):
            if loc[:length] in self.lines:
                rest = ".".join(str(part) for part in loc[length:] if isinstance(part, str))
                return self.lines[loc[:length]] + (f" {rest}" if rest else "")
        return PAPER if not loc or loc[0] not in {"indicators", "coverage"} else str(loc[0])

    def paper(self, page: Any) -> dict[str, Any]:
        given: dict[str, Any] = {}
        known = {column.key for column in DOCUMENT}
        for number, (head, value, *_) in enumerate(page.iter_rows(values_only=True, max_col=2), 1):
            key = key_of(_text(head))
            if key not in known:
                continue
            self.lines[key,] = f"{PAPER} B{number} {key}"
            if key in {"published", "checked_on"}:
                day = self._day(value, f"{PAPER} B{number}")
                given |= {} if day is None else {key: day}
            elif _text(value):
                given[key] = _text(value)
        return given

    def coverage(self, page: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for number, cells in enumerate(page.iter_rows(values_only=True, min_row=2, max_col=3), 2):
            family, level, state = (key_of(_text(cell)) for cell in cells)
            if state:
                self.lines["coverage", len(found)] = (
                    f"{COVERAGE} {say('第', 'row ')}{number}" + say(" 行", "")
                )
                found.append({"family": family, "level": level, "state": state})
        return found

    def rows(self, page: Any) -> list[dict[str, Any]]:
        heads = [key_of(_text(cell.value)) for cell in page[HEAD]]
        found: list[dict[str, Any]] = []
        for number, cells in enumerate(
            page.iter_rows(values_only=True, min_row=HEAD + 1), HEAD + 1
        ):
            row = {key: cell for key, cell in zip(heads, cells, strict=False) if _text(cell)}
            if not row:
                continue
            where = f"{ROWS} {say(f'第 {number} 行', f'row {number}')}"
            same = found and row.get("name") in {None, found[-1]["name"]}
            if not same:
                self.lines["indicators", len(found)] = where
                found.append(self._condition(row))
            else:
                self._again(row, found[-1], where)
            at = ("indicators", len(found) - 1, "evidence", len(found[-1]["evidence"]))
            self.lines[at] = where
            found[-1]["evidence"].append(self._evidence(row, where))
        return found

    @staticmethod
    def _condition(row: dict[str, Any]) -> dict[str, Any]:
        condition: dict[str, Any] = {
            key: _text(row[key]) for key in ("name", "zh", "en", "locator") if key in row
        }
        condition.setdefault("name", "")
        if "family" in row:
            condition["family"] = key_of(_text(row["family"]))
        condition["levels"] = _list(row.get("levels"))
        condition["evidence"] = []
        return condition

    def _again(self, row: dict[str, Any], first: dict[str, Any], where: str) -> None:
        for key, value in self._condition(row).items():
            if key not in {"evidence", "name"} and value and value != first.get(key):
                self.problems.append(
                    f"{self.path}: {where}: "
                    + say(
                        f"{key} 与同编号上一行不同；另一条件请用另一编号",
                        f"{key} differs from the row above of the same id; give another id",
                    )
                )

    def _evidence(self, row: dict[str, Any], where: str) -> dict[str, Any]:
        kind = key_of(_text(row.get("kind")))
        parts = PARTS.get(kind)
        if parts is None:
            known = ", ".join(PARTS)
            self._wrong(where, say(f"证据种类应为 {known}", f"kind of evidence is one of {known}"))
            return {"kind": kind}
        given: dict[str, Any] = {"kind": kind}
        for column, key in (
            ("subject", parts.subject),
            ("number", parts.number),
            ("items", parts.items),
            ("reference_o2", parts.reference_o2),
        ):
            if column not in row:
                continue
            if not key:
                self._wrong(where, say(f"{kind} 不填 {column}", f"{kind} takes no {column}"))
            elif column in {"number", "reference_o2"}:
                given |= self._number(row[column], key, where)
            else:
                given[key] = _list(row[column]) if column == "items" else key_of(_text(row[column]))
        self._unit(row, parts.unit if "number" in row else "", where)
        return given

    def _unit(self, row: dict[str, Any], unit: str, where: str) -> None:
        written = _text(row.get("unit"))
        if unit and written != unit:
            self._wrong(where, say(f"单位应写 {unit}", f"write the unit {unit}"))
        elif written and not unit:
            self._wrong(where, say("没有数值，不填单位", "a unit without a number"))

    def _number(self, cell: Any, key: str, where: str) -> dict[str, Any]:
        try:
            value = Decimal(_text(cell))
        except InvalidOperation:
            self._wrong(where, say(f"{cell!r} 不是数字", f"{cell!r} is no number"))
            return {}
        return {key: int(value) if key in {"days", "count"} and value % 1 == 0 else value}

    def _day(self, cell: Any, where: str) -> date | None:
        if isinstance(cell, datetime):
            return cell.date()
        if not _text(cell):
            return None
        try:
            return date.fromisoformat(date_text(_text(cell)))
        except ValueError:
            self._wrong(where, say(f"{cell!r} 不是日期", f"{cell!r} is no date"))
            return None

    def _wrong(self, where: str, what: str) -> None:
        self.problems.append(f"{self.path}: {where}: {what}")


def _text(cell: Any) -> str:
    return "" if cell is None else str(cell).strip()


def _list(cell: Any) -> list[str]:
    text = _text(cell)
    for mark in ("，", "、", "；", ";"):
        text = text.replace(mark, ",")
    return [part.strip() for part in text.split(",") if part.strip()]
