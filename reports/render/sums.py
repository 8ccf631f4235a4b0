"""Sums that stand below or beside printed figures: of places, of rounded months, of a column."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from reports.chapters import Grid, Signed, Table
from reports.model import How, Line
from reports.render.expressions import close
from reports.words import number_text


@dataclass(frozen=True, slots=True)
class SumOfPlaces:
    """Rounded figures added up, and the lines they are of."""

    total: Decimal
    decimals: int
    lines: tuple[str, ...]


def sum_of_places(lines: Mapping[str, Line], block: Grid, name: str) -> SumOfPlaces | None:
    """Of the places above the last one, where that is their sum; None for ratios."""
    total = lines.get(f"{block.places[-1][0]}.{name}")
    keys = [f"{scope}.{name}" for scope, _ in block.places[:-1]]
    above = [lines[key] for key in keys if key in lines]
    values = [line.value for line in above if line.value is not None]
    if total is None or total.value is None or total.how is not How.SUM:
        return None
    if not values or not close(sum(values, Decimal(0)), total.value):
        return None
    stated = [line for line in above if line.rounded is not None]
    short = sum((line.rounded or Decimal(0) for line in stated), Decimal(0))
    return SumOfPlaces(short, total.decimals, tuple(line.id for line in stated))


def sum_of_months(across: Sequence[Line | None]) -> str:
    """The sum of the rounded months, where it is not what the year says."""
    year, months = across[-1], {line.id for line in across[:-1] if line is not None}
    if year is None or year.sum_of_rounded is None or year.sum_of_rounded == year.rounded:
        return ""
    parts = {given.ref for given in year.inputs}
    return number_text(year.sum_of_rounded, year.decimals) if parts <= months else ""


def total_of(block: Table, n: int) -> tuple[Decimal | None, int]:
    """Sum of a column, and how many of its cells are not there; None when none is."""
    cells = [c.value if isinstance(c, Signed) else c for c in (row[n] for row in block.rows)]
    numbers = [cell for cell in cells if isinstance(cell, Decimal)]
    if not numbers:
        return None, len(block.rows)
    return sum(numbers, Decimal(0)), sum(cell is None for cell in cells)


def signs_of(sign: Callable[[str], str], block: Table, n: int) -> str:
    """The signs of a column's sum: those of its figures, each once."""
    if not block.columns[n].total:
        return ""
    cells = [row[n] for row in block.rows]
    found = "".join(sign(cell.of) for cell in cells if isinstance(cell, Signed))
    return "".join(dict.fromkeys(found))
