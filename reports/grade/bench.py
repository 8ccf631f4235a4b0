"""What the evidence is looked for in: a year of a plant's stores, asked once each."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np

from drivers.model import Floats, Indices
from reports.assembly import Argument, Assembly, Head
from reports.basis import Basis
from reports.emissions.hours import stack_hours
from reports.emissions.sources import sources_of
from reports.emissions.states import HOUR_NS, StackHours
from reports.journal.journal import Journal
from reports.metered import amount
from reports.model import How, Input, Section
from reports.periods import Period
from reports.site import Meter
from reports.site_stacks import Stack
from reports.values import Text


@dataclass(frozen=True, slots=True, eq=False)
class Hours:
    """Hours of a point over a period, NaN where the store has none; ``share`` is the good part."""

    point: Meter
    mean: Floats
    low: Floats
    high: Floats
    inc: Floats  # of a counter
    share: Floats  # good part of the hour

    @property
    def there(self) -> Any:
        """Hours of which the store has at least one window."""
        return ~np.isnan(self.share)


@dataclass(slots=True)
class Bench:
    """
    One plant and ``basis.period``, the twelve months that are looked at; lines go onto
    ``assembly``, with ``suffix`` to their names where it is another span.
    """

    basis: Basis
    assembly: Assembly
    journal: Journal
    suffix: str = ""
    _stacks: dict[str, StackHours] = field(default_factory=dict)
    _points: dict[tuple[Meter, Period], Hours] = field(default_factory=dict)

    @property
    def period(self) -> Period:
        return self.basis.period

    @property
    def day(self) -> date:
        """The day on which the grade is asked for: the last of the year."""
        return self.period.days[-1]

    def stacks(self, industry: str, named: Sequence[str] = ()) -> tuple[Stack, ...]:
        """Stacks of an industry that worked in the year; the ones named, when any are."""
        return tuple(
            stack
            for stack in self.basis.site.stacks
            if (stack.id in named if named else stack.industry == industry)
            and stack.works_in(self.period.first, self.period.after)
        )

    def hours(self, stack: Stack) -> StackHours:
        """All hours of the year of a stack, its sources noted as used."""
        if stack.id not in self._stacks:
            found = stack_hours(self.basis, stack)
            for source in sources_of(found):
                self.assembly.meters.setdefault(source.id, source)
            self._stacks[stack.id] = found
        return self._stacks[stack.id]

    def points(self, points: Sequence[Meter], period: Period | None = None) -> list[Hours]:
        """Hours of points, in the order asked for."""
        asked = period or self.period
        new = [point for point in points if (point, asked) not in self._points]
        if new:
            table = self.basis.series.hourly(new, asked)
            for point in new:
                self._points[point, asked] = _hours_of(point, table, asked)
        return [self._points[point, asked] for point in points]

    def sources(self, found: StackHours, names: Sequence[str]) -> tuple[Argument, ...]:
        """The points behind some quantities of a stack, as inputs of a line."""
        wanted = {f"{found.stack.equipment} stack.{name}" for name in names}
        return tuple(
            Argument(Input(name=use.id, kind="meter", ref=use.id, value=use.total, unit=use.unit))
            for use in sources_of(found)
            if use.id in wanted
        )

    def line(
        self, head: Head, value: float | Decimal | None, inputs: Sequence[Argument] = ()
    ) -> Argument:
        """A figure of a stack or of the plant, put down once, and ready as an input."""
        head = replace(head, name=f"{head.name}{self.suffix}")
        if head.id not in self.assembly.lines:
            exact = value if value is None or isinstance(value, Decimal) else amount(value)
            how = How.COMPUTED if exact is not None else How.NONE
            self.assembly.state(head, exact, how, inputs)
        return self.assembly.from_line(head.id, head.id)


def figure(place: str, name: str, label: Text, unit: str, decimals: int) -> Head:
    """What a figure behind a proof is, before its value is known."""
    return Head(place, name, Section.INFORMATION, label, unit, decimals)


def _hours_of(point: Meter, table: Any, period: Period) -> Hours:
    mine = table.filter(
        np.asarray(table["equipment"].to_numpy(zero_copy_only=False) == point.equipment)
        & np.asarray(table["quantity"].to_numpy(zero_copy_only=False) == point.quantity)
    )
    starts: Indices = np.asarray(mine["hour_ns"].to_numpy(), dtype=np.int64)
    at = (starts - period.start_ns) // HOUR_NS
    columns = {}
    for name in ("mean", "min", "max", "inc", "share"):
        column = np.full(period.hours, np.nan)
        column[at] = np.asarray(mine[name].to_numpy(zero_copy_only=False), dtype=np.float64)
        columns[name] = column
    return Hours(point, *(columns[name] for name in ("mean", "min", "max", "inc", "share")))
