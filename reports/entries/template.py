"""The table that officers fill in: XLSX with lists to choose from, or CSV; rows of this site."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from io import BytesIO, StringIO
from typing import Any, Final

from reports.entries.asked import SHEETS, Asked, SheetAsked, period_words, place_words
from reports.entries.kinds import EntryKind, Group, Place, item_label
from reports.entries.reading import shown
from reports.entries.table import BEFORE, COLUMNS, INSTRUMENT, LISTS, NOTES, Column
from reports.entries.template_notes import NOTES_TEXT, TITLE
from reports.site import PLANT, Site

SPARE: Final = 200  # empty rows with lists and formats below those that are filled in
_WIDTHS: Final = {"kind": 56, "line": 20, "item": 32, "period": 13, "value": 15, "unit": 13}
_WIDTHS_MORE: Final = {"accreditation": 26, "note": 30, "before": 30}
_LIST_CHARACTERS: Final = 255  # a list inside a validation may not be longer
_CHOOSE: Final = "请从列表选择 Choose from the list"


def csv_template(sheets: Sequence[SheetAsked]) -> bytes:
    """All rows in one table, UTF-8 with BOM so that a spreadsheet reads the Chinese."""
    columns = _columns([kind for sheet in sheets for kind in sheet.kinds])
    text = StringIO(newline="")
    writer = csv.writer(text)
    for note in (TITLE, *NOTES_TEXT):
        writer.writerow([f"# {note.zh} {note.en}"])
    writer.writerow([column.header for column in columns])
    for sheet in sheets:
        for row in sheet.rows:
            cells = _cells(row)
            writer.writerow([cells.get(column.id, "") for column in columns])
    return text.getvalue().encode("utf-8-sig")


def xlsx_template(sheets: Sequence[SheetAsked], site: Site | None) -> bytes:
    """One sheet per group, and before them one that explains."""
    import xlsxwriter

    content = BytesIO()
    with xlsxwriter.Workbook(content, {"strings_to_numbers": False, "in_memory": True}) as book:
        styles = _styles(book)
        notes = book.add_worksheet(NOTES)
        made = [(sheet, book.add_worksheet(SHEETS[sheet.group])) for sheet in sheets]
        lists = _Lists(book.add_worksheet(LISTS))
        for sheet, page in made:
            _Page(page, styles, sheet, lists, site).write()
        _notes(notes, styles, [kind for sheet in sheets for kind in sheet.kinds])
        lists.page.hide()
        filled = [page for sheet, page in made if sheet.rows]
        (filled[0] if filled else notes).activate()
    return content.getvalue()


def _styles(book: Any) -> dict[str, Any]:
    edge = {"border": 1, "border_color": "#BFBFBF"}
    return {
        "head": book.add_format(
            {
                "bold": True,
                "bg_color": "#1F4E79",
                "font_color": "white",
                "border": 1,
                "text_wrap": True,
                "valign": "vcenter",
            }
        ),
        "given": book.add_format({"num_format": "@", "bg_color": "#EAF1F8", **edge}),
        "text": book.add_format({"num_format": "@", **edge}),
        "value": book.add_format({"num_format": "#,##0.######", "bold": True, **edge}),
        "before": book.add_format({"font_color": "#808080", "italic": True}),
        "title": book.add_format({"bold": True, "font_size": 14}),
        "wrap": book.add_format({"text_wrap": True, "valign": "top"}),
    }


def _columns(kinds: Sequence[EntryKind]) -> list[Column]:
    """The columns these kinds need, in the order of every table."""
    optional = {"item"} if any(kind.items for kind in kinds) else set()
    optional |= {fact.id for kind in kinds for fact in kind.facts}
    always = {"kind", "line", "period", "value", "unit", "voucher", "document", "note", "before"}
    instruments = all(kind.place is Place.INSTRUMENT for kind in kinds)
    return [
        INSTRUMENT if column.id == "line" and instruments else column
        for column in COLUMNS
        if column.id in always | optional
    ]


def _cells(row: Asked) -> dict[str, str]:
    return {
        "kind": row.kind.label,
        "line": row.line,
        "item": row.item,
        "period": row.period,
        "unit": "%" if "%" in row.kind.units else row.kind.unit,  # as laboratories write a share
        BEFORE.id: row.before,
    }


@dataclass(slots=True)
class _Lists:
    """The hidden sheet that holds the lists: a list inside a validation may have 255 characters."""

    page: Any
    used: int = 0

    def add(self, texts: Sequence[str]) -> str:
        from xlsxwriter.utility import xl_col_to_name

        letter = xl_col_to_name(self.used)
        self.page.write_column(0, self.used, texts)
        self.used += 1
        return f"='{LISTS}'!${letter}$1:${letter}${len(texts)}"


@dataclass(slots=True)
class _Page:
    """One sheet of figures."""

    page: Any
    styles: dict[str, Any]
    sheet: SheetAsked
    lists: _Lists
    site: Site | None

    def write(self) -> None:
        columns = _columns(self.sheet.kinds)
        at = {column.id: n for n, column in enumerate(columns)}
        last = len(self.sheet.rows) + SPARE
        for column, n in zip(columns, at.values(), strict=True):
            self._column(column, n)
        self.page.set_row(0, 32)
        self.page.freeze_panes(1, 1)
        _on_paper(self.page)
        self.page.repeat_rows(0)
        for number, row in enumerate(self.sheet.rows, 1):
            self._row(number, row, at)
        self._choices(at, last)

    def _column(self, column: Column, n: int) -> None:
        style = {"value": "value", BEFORE.id: "before"}.get(column.id, "text")
        width = (_WIDTHS | _WIDTHS_MORE).get(column.id, 18)
        self.page.set_column(n, n, width, self.styles[style])
        self.page.write_string(0, n, column.header, self.styles["head"])

    def _row(self, number: int, row: Asked, at: dict[str, int]) -> None:
        for name, text in _cells(row).items():
            if not text or name not in at:
                continue
            style = {"unit": "text", BEFORE.id: "before"}.get(name, "given")
            self.page.write_string(number, at[name], text, self.styles[style])
        self._choose(number, number, at["unit"], list(row.kind.units))

    def _choices(self, at: dict[str, int], last: int) -> None:
        kinds, first = self.sheet.kinds, len(self.sheet.rows) + 1
        self._choose(1, last, at["kind"], self.lists.add([kind.label for kind in kinds]))
        if self.sheet.group is not Group.INSTRUMENTS:
            self._choose(1, last, at["line"], self.lists.add(self._places()))
        units = list(dict.fromkeys(unit for kind in kinds for unit in kind.units))
        self._choose(first, last, at["unit"], self.lists.add(units))
        if "item" in at and (items := self._items()):
            self._choose(1, last, at["item"], self.lists.add(items), strict=False)
        for fact in {fact for kind in kinds for fact in kind.facts if fact.choices}:
            self._choose(1, last, at[fact.id], list(fact.choices))
        low = min((kind.low for kind in kinds), default=Decimal(0))
        message = "请填数字 Write a number" if low < 0 else "请填零或正数 Write zero or more"
        self.page.data_validation(
            *(1, at["value"], last, at["value"]),
            {
                "validate": "decimal",
                "criteria": ">=",
                "value": float(min(low, Decimal(0))),
                "error_title": "数值 value",
                "error_message": message,
            },
        )

    def _choose(
        self, first: int, last: int, n: int, source: str | list[str], *, strict: bool = True
    ) -> None:
        if isinstance(source, list) and len(",".join(source)) > _LIST_CHARACTERS:
            source = self.lists.add(source)
        self.page.data_validation(
            *(first, n, last, n),
            {
                "validate": "list",
                "source": source,
                "error_title": _CHOOSE,
                "error_message": _CHOOSE,
                "error_type": "stop" if strict else "information",
            },
        )

    def _places(self) -> list[str]:
        lines = [] if self.site is None else [shown(line) for line in self.site.potline]
        return [*(lines or ["line1"]), PLANT]

    def _items(self) -> list[str]:
        """Every item of the closed lists; those of free ones that stand in the rows."""
        known = [
            item_label(item, name)
            for kind in self.sheet.kinds
            if kind.items is not None
            for item, name in kind.items.names.items()
        ]
        return list(dict.fromkeys([*known, *(row.item for row in self.sheet.rows if row.item)]))


def _on_paper(page: Any) -> None:
    """A4 across, as wide as the sheet; only rows with something in them are printed."""
    page.set_landscape()
    page.set_paper(9)
    page.fit_to_pages(1, 0)


def _notes(page: Any, styles: dict[str, Any], kinds: Sequence[EntryKind]) -> None:
    page.set_column(0, 0, 50, styles["wrap"])
    page.set_column(1, 3, 24, styles["wrap"])
    page.set_column(4, 4, 44, styles["wrap"])
    _on_paper(page)
    page.write_string(0, 0, f"{TITLE.zh} {TITLE.en}", styles["title"])
    for n, note in enumerate(NOTES_TEXT, 1):
        page.merge_range(n, 0, n, 4, f"{note.zh}\n{note.en}", styles["wrap"])
        page.set_row(n, 32)
    top = len(NOTES_TEXT) + 2
    heads = ("项目 kind", "单位 unit", "期间 period", "归属 of", "品种、附加信息 items, facts")
    for n, head in enumerate(heads):
        page.write_string(top, n, head, styles["head"])
    for row, kind in enumerate(kinds, top + 1):
        facts = [f"{fact.zh} {fact.en}" for fact in kind.facts]
        items = [] if kind.items is None else [f"{kind.items.what.zh} {kind.items.what.en}"]
        cells = (
            *(kind.label, " / ".join(kind.units), period_words(kind), place_words(kind)),
            "; ".join([*items, *facts]),
        )
        for n, text in enumerate(cells):
            page.write_string(row, n, text)
