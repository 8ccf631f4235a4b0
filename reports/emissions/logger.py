"""Our hours beside those a data logger computed itself (``cems.*``, windows of 3600 s)."""

from decimal import Decimal
from typing import Final

import numpy as np

from drivers.model import Floats, Indices
from drivers.quantities import quantities
from reports.basis import Basis
from reports.chapters import Cell, Table
from reports.emissions.figures import column, label_of, maybe
from reports.emissions.made import StackYear
from reports.emissions.states import HOUR_NS
from reports.emissions.transmission import HOUR_S
from reports.periods import clock_text
from reports.site import Meter
from reports.values import Text

LISTED: Final = 40  # hours that differ most
SAME: Final = Decimal("0.01")  # mg/m3: a logger states so many places


def logger_tables(basis: Basis, made: StackYear) -> list[Table]:
    """Per pollutant how many hours agree, and those that differ most; nothing without a logger."""
    sums: list[tuple[Cell, ...]] = []
    apart: list[tuple[float, tuple[Cell, ...]]] = []
    for name in made.stack.pollutants:
        found = _compared(basis, made, name)
        if found is None:
            continue
        start_ns, ours, theirs = found
        both = np.isfinite(ours) & np.isfinite(theirs)
        way = np.abs(ours - theirs)
        top = float(way[both].max()) if both.any() else None
        close = int((both & (way <= float(SAME))).sum())
        counts = (int(np.isfinite(theirs).sum()), int(both.sum()), close)
        sums.append((label_of(name), *(maybe(n) for n in counts), maybe(top, 3)))
        for n in np.flatnonzero(both & (way > float(SAME))):
            cells = (maybe(ours[n], 3), maybe(theirs[n], 3), maybe(ours[n] - theirs[n], 3))
            start = clock_text(int(start_ns[n]))[:16]
            apart.append((float(way[n]), (label_of(name), start, *cells)))
    if not sums:
        return []
    apart.sort(key=lambda item: -item[0])
    worst = [cells for _, cells in apart[:LISTED]]
    return [_sums(made, sums), *([_worst(made, worst)] if worst else [])]


def _compared(basis: Basis, made: StackYear, name: str) -> tuple[Indices, Floats, Floats] | None:
    """Valid hours of the logger: starts, our valid means, its own; None where there are none."""
    period, stack = basis.period, made.stack
    quantity = f"cems.{name}_converted" if stack.reference_o2 is not None else f"cems.{name}"
    if quantity not in quantities():
        return None
    point = Meter(stack.equipment, quantity)
    found = basis.series.windows(point, period.start_ns, period.end_ns, HOUR_S)
    hour = np.isfinite(found.mean) & (found.good > 0)
    if not hour.any():
        return None
    start_ns = found.start_ns[hour]
    at = (start_ns - period.start_ns) // HOUR_NS
    each = made.hours.pollutants[name]
    return start_ns, np.where(each.valid, each.converted, np.nan)[at], found.mean[hour]


def _sums(made: StackYear, rows: list[tuple[Cell, ...]]) -> Table:
    return Table(
        id=f"logger-{made.stack.id}",
        title=Text(zh=f"{made.stack.id} 与数采仪对照", en=f"{made.stack.id}: against the logger"),
        columns=(
            column("污染物", "pollutant", width=14),
            column("数采仪有效小时数", "valid hours of the logger", "h", 0, 12),
            column("两者均有效", "valid in both", "h", 0, 10),
            column(f"相差不超过 {SAME}", f"within {SAME}", "h", 0, 12),
            column("最大相差", "largest difference", "mg/m3", 3, 12),
        ),
        rows=tuple(rows),
    )


def _worst(made: StackYear, rows: list[tuple[Cell, ...]]) -> Table:
    return Table(
        id=f"logger-worst-{made.stack.id}",
        title=Text(
            zh=f"{made.stack.id} 与数采仪相差最大的小时", en=f"{made.stack.id}: largest differences"
        ),
        columns=(
            column("污染物", "pollutant", width=14),
            column("时间", "hour", width=16),
            column("本程序", "ours", "mg/m3", 3),
            column("数采仪", "logger", "mg/m3", 3),
            column("差", "difference", "mg/m3", 3),
        ),
        rows=tuple(rows),
        note=Text(zh=f"至多列出 {LISTED} 个小时。", en=f"{LISTED} hours at most."),
    )
