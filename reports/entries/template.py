"""The empty table that officers fill in: an XLSX with lists to choose from and both languages."""

from pathlib import Path
from typing import Any

from reports.entries.kinds import KINDS, EntryKind, Place, Span
from reports.entries.table import COLUMNS, SHEET
from reports.periods import Period
from reports.site import PLANT, Site

NOTES = "说明 Notes"
LISTS = "选项 Lists"
ROWS = 500  # rows with lists and formats
ASKED = ("aluminium_tapped", "anode_consumed")  # what a month cannot do without
_WIDTHS = {"kind": 46, "line": 20, "period": 13, "value": 15, "unit": 10, "note": 36}
_RULES = (
    ("每行一个数字；请勿改动表头。", "One figure per row; leave the header as it is."),
    ("期间：月份 2026-10，或日期 2026-10-05。", "Period: a month 2026-10 or a day 2026-10-05."),
    ("没有数据的行请删除：空白不等于零。", "Delete rows without data: empty is not zero."),
    (
        "凭证文件：与本表放在同一文件夹的扫描件或台账文件名，导入时记录其 SHA-256。",
        "Document: name of a scan or ledger file beside this table; its SHA-256 is recorded.",
    ),
    (
        "有一处错误则全部不导入；更正已导入的数据用 smelter entries revise。",
        "One mistake and nothing is imported; correct imported data by smelter entries revise.",
    ),
)


def write_template(path: Path, site: Site | None, month: Period | None) -> None:
    """Write the template to ``path``, with the rows a month needs when site and month are given."""
    import xlsxwriter

    with xlsxwriter.Workbook(path, {"strings_to_numbers": False}) as book:
        styles = {
            "head": book.add_format(
                {"bold": True, "bg_color": "#1F4E79", "font_color": "white", "border": 1}
            ),
            "text": book.add_format({"num_format": "@"}),
            "value": book.add_format({"num_format": "#,##0.######"}),
            "wrap": book.add_format({"text_wrap": True, "valign": "top"}),
        }
        sheet = book.add_worksheet(SHEET)
        notes = book.add_worksheet(NOTES)
        lists = book.add_worksheet(LISTS)
        places = _places(site)
        _lists(lists, places)
        _head(sheet, styles)
        _validations(sheet, len(places))
        if site is not None and month is not None:
            _asked(sheet, styles, site, month)
        _notes(notes, styles)


def _places(site: Site | None) -> list[str]:
    lines = [] if site is None else [f"{line.id} {line.name.zh}" for line in site.potline]
    return [*(lines or ["line1"]), PLANT]


def _units() -> list[str]:
    return sorted({unit for kind in KINDS.values() for unit in kind.units})


def _head(sheet: Any, styles: dict[str, Any]) -> None:
    for n, column in enumerate(COLUMNS):
        cell_style = styles["value"] if column.id == "value" else styles["text"]
        sheet.set_column(n, n, _WIDTHS.get(column.id, 20), cell_style)
        sheet.write_string(0, n, column.header, styles["head"])
    sheet.freeze_panes(1, 0)


def _lists(sheet: Any, places: list[str]) -> None:
    """Lists live on a sheet: a list inside a validation may have 255 characters only."""
    sheet.write_column(0, 0, [kind.label for kind in KINDS.values()])
    sheet.write_column(0, 1, places)
    sheet.write_column(0, 2, _units())
    sheet.hide()


def _validations(sheet: Any, places: int) -> None:
    at = {column.id: n for n, column in enumerate(COLUMNS)}
    for name, letter, count in (
        ("kind", "A", len(KINDS)),
        ("line", "B", places),
        ("unit", "C", len(_units())),
    ):
        sheet.data_validation(
            1,
            at[name],
            ROWS,
            at[name],
            {
                "validate": "list",
                "source": f"='{LISTS}'!${letter}$1:${letter}${count}",
                "error_title": "请从列表选择 Choose from the list",
                "error_message": "请从列表选择 Choose from the list",
            },
        )
    sheet.data_validation(
        1,
        at["value"],
        ROWS,
        at["value"],
        {
            "validate": "decimal",
            "criteria": ">=",
            "value": 0,
            "error_title": "数值 value",
            "error_message": "请填零或正数 Write a number, zero or more",
        },
    )


def _asked(sheet: Any, styles: dict[str, Any], site: Site, month: Period) -> None:
    row = 1
    for line in site.potline:
        if not line.runs_in(month.first, month.after):
            continue
        for kind in (KINDS[name] for name in ASKED):
            place = f"{line.id} {line.name.zh}"
            for n, text in ((0, kind.label), (1, place), (2, str(month)), (4, kind.unit)):
                sheet.write_string(row, n, text, styles["text"])
            row += 1


def _notes(sheet: Any, styles: dict[str, Any]) -> None:
    sheet.set_column(0, 0, 46, styles["wrap"])
    sheet.set_column(1, 3, 24, styles["wrap"])
    for n, (zh, en) in enumerate(_RULES):
        sheet.merge_range(n, 0, n, 3, f"{zh} {en}", styles["wrap"])
        sheet.set_row(n, 32)
    top = len(_RULES) + 1
    for n, head in enumerate(("项目 kind", "单位 unit", "期间 period", "工序 line")):
        sheet.write_string(top, n, head, styles["head"])
    for row, kind in enumerate(KINDS.values(), top + 1):
        sheet.write_string(row, 0, kind.label)
        sheet.write_string(row, 1, " / ".join(kind.units))
        sheet.write_string(row, 2, _span(kind))
        sheet.write_string(row, 3, "全厂 plant" if kind.place is Place.PLANT else "工序 potline")


def _span(kind: EntryKind) -> str:
    return "日或月 day or month" if kind.span is Span.DAY_OR_MONTH else "月 month"
