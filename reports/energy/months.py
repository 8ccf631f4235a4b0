"""The months up to the end of a period, as far back as metal was entered: figures per tonne."""

from datetime import timedelta
from decimal import Decimal

from reports.assembly import Assembly
from reports.basis import Basis
from reports.energy.bench import Bench
from reports.energy.electricity import add_plant_electricity, add_potline_electricity
from reports.energy.operation import add_inventory, add_means, add_operation, add_plant_operation
from reports.energy.specific import add_specific
from reports.model import Line
from reports.periods import Period

MOST = 36  # months looked back upon


def months_until(basis: Basis) -> list[Period]:
    """Whole months that end with the period or before it, oldest first, without a hole in them."""
    entered = {
        (entry.figure.period.first.year, entry.figure.period.first.month)
        for entry in basis.ledger.current().values()
        if entry.figure.kind.id == "aluminium_tapped"
    }
    last = basis.period.after - timedelta(days=1)
    month = Period.month(last.year, last.month)
    if month.after > basis.period.after:
        month = month.previous
    found: list[Period] = []
    while len(found) < MOST and (month.first.year, month.first.month) in entered:
        found.append(month)
        month = month.previous
    return found[::-1]


def month_values(
    basis: Basis, assembly: Assembly, months: list[Period], names: tuple[str, ...]
) -> list[dict[str, Decimal | None]]:
    """The named figures (``scope.name``) of each month: from the report where it has them."""
    return [_values(_lines(basis, assembly, month, names), month, names) for month in months]


def _lines(
    basis: Basis, assembly: Assembly, month: Period, names: tuple[str, ...]
) -> dict[str, Line]:
    lines = assembly.lines
    if month == basis.period or any(f"{name}@{month}" in lines for name in names):
        return lines if month != basis.period else {f"{k}@{month}": v for k, v in lines.items()}
    bench = of_month(basis, month)
    return {f"{key}@{month}": line for key, line in bench.assembly.lines.items()}


def _values(
    lines: dict[str, Line], month: Period, names: tuple[str, ...]
) -> dict[str, Decimal | None]:
    found = {name: lines.get(f"{name}@{month}") for name in names}
    return {name: None if line is None else line.value for name, line in found.items()}


def of_month(basis: Basis, month: Period) -> Bench:
    """Electricity, metal and operation of one month, on a bench of its own."""
    bench = Bench(basis.of(month), Assembly(month, basis.packs))
    for line in bench.potlines:
        add_operation(bench, line)
        add_inventory(bench, line)
        add_potline_electricity(bench, line)
    if bench.potlines:
        add_plant_operation(bench, [line.id for line in bench.potlines], month)
        add_plant_electricity(bench)
        for scope in bench.scopes:
            add_means(bench, scope)
            add_specific(bench, scope)
    return bench
