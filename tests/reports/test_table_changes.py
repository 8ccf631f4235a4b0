"""What differs between two versions of a table, also when its columns are others."""

from decimal import Decimal

from reports.chapters import Cell, Column, Table
from reports.table_changes import _rows
from reports.values import Text


def table(columns: tuple[str, ...], *rows: tuple[Cell, ...]) -> Table:
    return Table(
        id="summary",
        title=Text(zh="汇总", en="Summary"),
        columns=tuple(Column(label=Text(zh=name, en=name)) for name in columns),
        rows=rows,
    )


def test_one_cell() -> None:
    (change,) = _rows(
        table(("item", "figure"), ("a", Decimal(1))), table(("item", "figure"), ("a", Decimal(2)))
    )
    assert (change.before, change.after) == (Decimal(1), Decimal(2))


def test_a_row_of_more_columns_is_told_whole() -> None:
    (change,) = _rows(
        table(("item", "figure", "low"), ("a", Decimal(1), Decimal(0))),
        table(("item", "figure"), ("a", Decimal(1))),
    )
    assert change.before == Text(zh="figure 1；low 0", en="figure 1; low 0")
    assert change.after == Text(zh="figure 1", en="figure 1")
