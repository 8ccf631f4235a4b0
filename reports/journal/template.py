"""The table that people fill in: a sheet per kind with lists to choose from, or one CSV."""

import csv
from collections.abc import Sequence
from io import BytesIO, StringIO
from typing import Any, Final

from reports.entries.table import LISTS, NOTES
from reports.journal.forms import End, Form, word_label
from reports.journal.rows import BASE, COLUMNS, LAST, columns_of
from reports.site import PLANT, Site
from reports.values import Text

SPARE: Final = 500  # rows with lists and formats
_WIDTHS: Final = {
    "kind": 12,
    "what": 26,
    "equipment": 20,
    "start": 18,
    "end": 18,
    "reason": 40,
    "evidence": 34,
    "pairs": 40,
    "cause": 34,
    "measures": 34,
}
TITLE: Final = Text(
    zh="环保记录填报表 smelter journal import", en="Table for smelter journal import"
)
NOTES_TEXT: Final = (
    Text(
        zh="每行一条记录。时间为厂区时间，写到分钟：2026-03-05 08:00；24:00 为当日结束。",
        en="One record per row. Times are plant time to the minute, 2026-03-05 08:00; 24:00 ends a "
        "day.",
    ),
    Text(
        zh="标记必须有理由和依据：证据文件放在表格旁边，多个用分号隔开；数据曲线由程序从数据库取得并留存。",
        en="A mark needs its reason and evidence: put the files beside the table, separated by "
        "semicolons; the trace is drawn from the store and kept.",
    ),
    Text(
        zh="污染物留空表示全部；有示值的校准、校验和超标处置每行一个污染物。",
        en="No pollutant means all; a check with readings, a verification and an exceedance name "
        "one.",
    ),
    Text(
        zh="漂移和相对准确度由程序计算；规则没有限值时才手填限值，并写明出处。",
        en="Drift and relative accuracy are computed; type limits, with their source, only where "
        "the rules have none.",
    ),
    Text(
        zh="与数据曲线矛盾的标记会如实记录，但不作为豁免。虚假标记按篡改、伪造监测数据处理。",
        en="A mark that the trace contradicts is kept as such and excuses nothing. A false mark is "
        "treated as tampering.",
    ),
)


def csv_template(forms: Sequence[Form]) -> bytes:
    """All columns these kinds need, UTF-8 with BOM so that a spreadsheet reads the Chinese."""
    facts = dict.fromkeys(fact.id for form in forms for fact in form.facts)
    columns = (*BASE, *(COLUMNS[name] for name in facts), *LAST)
    text = StringIO(newline="")
    writer = csv.writer(text)
    for note in (TITLE, *NOTES_TEXT):
        writer.writerow([f"# {note.zh} {note.en}"])
    for form in forms:
        words = ", ".join(word_label(word, name) for word, name in form.words.items())
        writer.writerow([f"# {form.sheet} [{form.kind}]: {words}"])
    writer.writerow([column.header for column in columns])
    return text.getvalue().encode("utf-8-sig")


def xlsx_template(forms: Sequence[Form], site: Site | None) -> bytes:
    """One sheet per kind, and before them one that explains."""
    import xlsxwriter

    content = BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        styles = _styles(book)
        notes = book.add_worksheet(NOTES)
        pages = [(form, book.add_worksheet(form.sheet)) for form in forms]
        lists = book.add_worksheet(LISTS)
        for n, (form, page) in enumerate(pages):
            _page(page, form, styles)
            _choices(page, form, lists, n * 2, _places(form, site))
        _explain(notes, styles, forms)
        lists.hide()
        notes.activate()
    return content.getvalue()


def _styles(book: Any) -> dict[str, Any]:
    edge = {"border": 1, "border_color": "#BFBFBF"}
    head = {"bold": True, "font_color": "white", "border": 1, "text_wrap": True}
    return {
        "head": book.add_format({**head, "bg_color": "#1F4E79", "valign": "vcenter"}),
        "more": book.add_format({**head, "bg_color": "#5B7FA6", "valign": "vcenter"}),
        "text": book.add_format({"num_format": "@", **edge}),
        "title": book.add_format({"bold": True, "font_size": 14}),
        "wrap": book.add_format({"text_wrap": True, "valign": "top"}),
    }


def _page(page: Any, form: Form, styles: dict[str, Any]) -> None:
    needed = _needed(form)
    for n, column in enumerate(columns_of(form)):
        page.set_column(n, n, _WIDTHS.get(column.id, 16), styles["text"])
        style = "head" if column.id in needed else "more"
        page.write_string(0, n, column.header, styles[style])
    page.set_row(0, 46)
    page.freeze_panes(1, 2)
    _on_paper(page)
    page.repeat_rows(0)


def _on_paper(page: Any) -> None:
    page.set_landscape()
    page.set_paper(9)  # A4
    page.fit_to_pages(1, 0)


def _needed(form: Form) -> set[str]:
    """Columns that may not be left empty; the others have a paler header."""
    found = {"what", "start", "reason"} | {fact.id for fact in form.facts if fact.needed}
    found |= {"end"} if form.end is End.NEEDED else set()
    found |= {"equipment"} if form.of_stack else set()
    found |= {"pollutants"} if form.one else set()
    return found | ({"evidence"} if form.document or form.kind == "mark" else set())


def _places(form: Form, site: Site | None) -> list[str]:
    stacks = [] if site is None else [f"{x.id} {x.name.zh}" for x in site.stacks]
    return stacks if form.of_stack else [PLANT, *stacks]


def _choices(page: Any, form: Form, lists: Any, used: int, places: list[str]) -> None:
    from xlsxwriter.utility import xl_col_to_name

    words = [word_label(word, name) for word, name in form.words.items()]
    at = {column.id: n for n, column in enumerate(columns_of(form))}
    for n, (column, texts) in enumerate((("what", words), ("equipment", places)), used):
        if not texts:
            continue
        letter = xl_col_to_name(n)
        lists.write_column(0, n, texts)
        source = f"='{LISTS}'!${letter}$1:${letter}${len(texts)}"
        page.data_validation(
            1, at[column], SPARE, at[column], {"validate": "list", "source": source}
        )
    kind = {"validate": "list", "source": [form.kind], "error_type": "warning"}
    page.data_validation(1, at["kind"], SPARE, at["kind"], kind)


def _explain(page: Any, styles: dict[str, Any], forms: Sequence[Form]) -> None:
    page.set_column(0, 0, 24)
    page.set_column(1, 1, 110, styles["wrap"])
    page.write_string(0, 0, TITLE.zh, styles["title"])
    _on_paper(page)
    row = 2
    for note in NOTES_TEXT:
        page.write_string(row, 1, f"{note.zh}\n{note.en}", styles["wrap"])
        page.set_row(row, 34)
        row += 1
    row += 1
    for form in forms:
        words = "；".join(f"{name.zh} {name.en}" for name in form.words.values())
        page.write_string(row, 0, form.sheet)
        page.write_string(row, 1, words, styles["wrap"])
        row += 1
