"""How the tables of two versions of a report differ: row by row, by what stands in first column."""

from collections.abc import Iterator
from decimal import Decimal

from reports.chapters import Cell, Column, Signed, Table
from reports.model import Change, Content
from reports.values import Text
from reports.words import short_text

Row = tuple[Cell, ...]


def table_changes(before: Content, after: Content) -> Iterator[Change]:
    """A change for each cell that differs, and one for each row that came or went."""
    old, new = _tables(before), _tables(after)
    for name in dict.fromkeys([*old, *new]):
        yield from _rows(old.get(name), new.get(name))


def _tables(content: Content) -> dict[str, Table]:
    return {
        block.id: block
        for chapter in content.chapters
        for block in chapter.blocks
        if isinstance(block, Table)
    }


def _rows(before: Table | None, after: Table | None) -> Iterator[Change]:
    table = after or before
    if table is None:
        return
    old, new = _by_key(before), _by_key(after)
    for key in dict.fromkeys([*old, *new]):
        first, second = old.get(key), new.get(key)
        row = second or first or ()
        label = _joined(table.title, _words(row[0]))
        ref = f"{table.id}/{key}"
        if first is None or second is None or len(first) != len(second):
            whole = [
                None if each is None or of is None else _whole(of.columns, each)
                for of, each in ((before, first), (after, second))
            ]
            if whole[0] != whole[1]:
                yield Change(what="table", ref=ref, label=label, before=whole[0], after=whole[1])
            continue
        for number, column in enumerate(table.columns):
            if not _alike(first[number], second[number]):
                yield Change(
                    what="table",
                    ref=f"{ref}/{number}",
                    label=_joined(label, column.label),
                    before=_plain(first[number]),
                    after=_plain(second[number]),
                )


def _by_key(table: Table | None) -> dict[str, Row]:
    """Rows by their first cell; a second one of that name gets a number."""
    found: dict[str, Row] = {}
    for row in () if table is None else table.rows:
        name = _words(row[0]).en if row else ""
        key, count = name, 1
        while key in found:
            count += 1
            key = f"{name} ({count})"
        found[key] = row
    return found


def _whole(columns: tuple[Column, ...], row: Row) -> Text:
    cells = [
        (column.label, _words(cell))
        for column, cell in zip(columns[1:], row[1:], strict=True)
        if cell is not None
    ]
    return Text(
        zh="；".join(f"{label.zh} {cell.zh}" for label, cell in cells),
        en="; ".join(f"{label.en} {cell.en}" for label, cell in cells),
    )


def _alike(one: Cell, other: Cell) -> bool:
    """The same; a figure that is a line or a rule is told of as such, not once more here."""
    if isinstance(one, Signed) and isinstance(other, Signed):
        return one.of == other.of or one.value == other.value
    return _plain(one) == _plain(other)


def _plain(cell: Cell) -> Decimal | Text | str | None:
    return cell.value if isinstance(cell, Signed) else cell


def _words(cell: Cell) -> Text:
    cell = _plain(cell)
    if isinstance(cell, Text):
        return cell
    text = "—" if cell is None else cell if isinstance(cell, str) else short_text(cell)
    return Text(zh=text, en=text)


def _joined(one: Text, other: Text) -> Text:
    return Text(zh=f"{one.zh}：{other.zh}", en=f"{one.en}: {other.en}")
