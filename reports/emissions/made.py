"""Everything a report says of one stack, before it is put into lines and tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final

import numpy as np

from drivers.model import Floats
from reports.basis import Basis
from reports.citations import MeterUse
from reports.emissions.amounts import Amounts, Capture, Gap, capture, fill_in, known_hours
from reports.emissions.exceedances import exceedances
from reports.emissions.hours import part_of, stack_hours
from reports.emissions.rules import StandIn, Validity, stand_in, validity
from reports.emissions.sources import sources_of
from reports.emissions.states import Exceedance, StackHours, State
from reports.periods import Period
from reports.site_stacks import Stack

LOOK_BACK_DAYS: Final = 120  # 2,160 valid hours at a capture rate of 75 %


@dataclass(frozen=True, slots=True, eq=False)
class StackYear:
    """
    One stack: ``hours`` of the period, ``wide`` of the quarters it touches, amounts of ``wide``.

    A quarter that is not over counts up to its last known hour.
    """

    stack: Stack
    hours: StackHours
    wide: StackHours
    amounts: Mapping[str, Amounts]
    above: Sequence[Exceedance]
    rules: Validity
    stand_in: StandIn
    sources: tuple[MeterUse, ...]

    def at(self, period: Period) -> slice:
        """Where the hours of a part of the period stand in ``wide``."""
        return self.wide.slice_of(period)

    def kg(self, pollutant: str, period: Period) -> Floats:
        """Hourly amounts with stand-ins."""
        return self.amounts[pollutant].kg[self.at(period)]

    def gaps(self, pollutant: str, period: Period) -> list[Gap]:
        """Those that touch a period."""
        at = self.at(period)
        found = self.amounts[pollutant].gaps
        return [gap for gap in found if gap.first < at.stop and gap.first + gap.hours > at.start]

    def capture(self, pollutant: str, period: Period) -> Capture:
        return capture(self.wide.pollutants[pollutant], self.at(period))

    def judged(self, pollutant: str) -> list[Exceedance]:
        return [x for x in self.above if x.pollutant == pollutant and x.judged]


def make(basis: Basis, stack: Stack) -> StackYear:
    """Read and judge one stack. Raises SeriesError, RuleError, ConfigError."""
    period = basis.period
    first = period.whole_quarter.first
    last = Period(period.days[-1], period.after).whole_quarter.after
    wide = stack_hours(basis.of(Period(first, last)), stack)
    hours = part_of(wide, period)
    known = known_hours(wide, wide.slice_of(period).stop)
    rules = stand_in(basis.packs, period.first)
    before = _Before(basis, stack, Period(first - timedelta(days=LOOK_BACK_DAYS), first))
    return StackYear(
        stack=stack,
        hours=hours,
        wide=wide,
        amounts={
            name: fill_in(wide, name, known, rules, partial(before.amounts, name))
            for name in stack.pollutants
        },
        above=exceedances(hours, stack),
        rules=validity(basis.packs, period.first),
        stand_in=rules,
        sources=sources_of(hours),
    )


@dataclass(slots=True)
class _Before:
    """The hours before the first quarter, read once and only when a gap asks for them."""

    basis: Basis
    stack: Stack
    period: Period
    _hours: StackHours | None = None

    def amounts(self, pollutant: str) -> Floats:
        if self._hours is None:
            self._hours = stack_hours(self.basis.of(self.period), self.stack)
        each = self._hours.pollutants[pollutant]
        usable = (each.state == State.VALID) & np.isfinite(each.amount_kg)
        found: Floats = each.amount_kg[usable]
        return found
