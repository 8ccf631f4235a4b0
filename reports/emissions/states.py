"""What the hours of a stack are: arrays over all hours of a period, and what became of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import IntEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from drivers.model import Floats, Indices
from reports.journal.record import Record
from reports.periods import PLANT_TIME, Period
from reports.series.minutes import Written
from reports.site_stacks import Stack
from reports.values import Text

Bools = npt.NDArray[np.bool_]
States = npt.NDArray[np.int8]
HOUR_NS: Final = 3_600_000_000_000
AUTOMATIC: Final = -1  # in place of the number of a mark: the instrument itself said so


class State(IntEnum):
    """What became of an hour of one pollutant."""

    VALID = 0
    INVALID = 1  # fewer good minutes than the rule asks
    MISSING = 2  # not one good minute
    EXCLUDED = 3  # by a mark of device or person; ``mark`` says which
    OUT_OF_CONTROL = 4  # a check failed, or was overdue
    STOPPED = 5  # the source stood still
    OUTSIDE = 6  # the stack was not in use yet, or no longer


@dataclass(frozen=True, slots=True)
class Mark:
    """
    What a person, or the instrument, said of a stretch of time; [start_ns, end_ns).

    ``number`` is that of the record in the journal, AUTOMATIC for a device status.
    ``contradicted`` names the trace that speaks against it: such a mark excuses nothing.
    """

    number: int
    kind: str  # start_up, shut_down, stopped, calibration, maintenance, fault, force_majeure
    start_ns: int
    end_ns: int
    pollutants: tuple[str, ...] = ()  # () = all
    author: str = ""
    reason: str = ""
    evidence: tuple[str, ...] = ()
    contradicted: Text | None = None
    supported: bool = False  # by the trace that is kept with it
    unconfirmed: bool = False  # no trace tells, and no second person confirmed it: no excuse
    usual: tuple[tuple[int, int], ...] = ()  # parts that its trace shows as usual: not excused
    says: Text | None = None  # of a time out of control: why

    @property
    def excuses(self) -> bool:
        return self.contradicted is None and not self.unconfirmed

    def concerns(self, pollutant: str) -> bool:
        return not self.pollutants or pollutant in self.pollutants


@dataclass(frozen=True, slots=True, eq=False)
class PollutantHours:
    """
    Hours of one pollutant. Concentrations mg/m3, NaN = not there.

    ``measured`` as the instruments give it; ``dry`` at 273 K, 101,325 Pa, dry; ``converted`` at the
    reference O2 of the permit, equal to ``dry`` where it sets none. All three are means over the
    valid minutes. ``shown`` is the converted mean over all minutes that carry a value, whatever a
    mark says of them. ``minutes`` counts the valid ones. ``mark`` is the number of the mark
    that made an hour EXCLUDED or exempt, AUTOMATIC for a device status, 0 for none. ``exempt``
    hours count in amounts, but not as exceedances (start-up, shut-down). ``amount_kg`` is what was
    measured, NaN where concentration or flow are not valid. ``unconverted`` counts minutes whose
    O2 is too near that of the combustion air to be converted.
    """

    pollutant: str
    measured: Floats
    dry: Floats
    converted: Floats
    shown: Floats
    minutes: Floats
    state: States
    mark: Indices
    exempt: Bools
    amount_kg: Floats
    unconverted: Indices

    def having(self, *states: State) -> Bools:
        found: Bools = np.isin(self.state, [int(state) for state in states])
        return found

    @property
    def valid(self) -> Bools:
        return self.having(State.VALID)

    @property
    def not_convertible(self) -> Bools:
        """Valid hours without a value at the reference O2: conversion means nothing there."""
        return self.valid & (self.unconverted > 0) & np.isnan(self.converted)

    @property
    def judged(self) -> Bools:
        """Hours whose mean can be compared with a limit, where one is in force."""
        return self.valid & ~self.exempt & np.isfinite(self.converted)


@dataclass(frozen=True, slots=True, eq=False)
class StackHours:
    """
    All hours of ``period``, in order; ``start_ns`` are their starts, UTC.

    ``flow`` Nm3/h dry, ``o2`` % dry, ``temperature`` °C, ``humidity`` %, ``pressure`` Pa,
    ``running`` share of the hour in which the source ran (NaN = unknown). ``methods`` counts
    minutes by the way their values came about. ``written`` says which batches hold them.
    """

    stack: Stack
    period: Period
    start_ns: Indices
    pollutants: Mapping[str, PollutantHours]
    flow: Floats
    o2: Floats
    temperature: Floats
    humidity: Floats
    pressure: Floats
    running: Floats
    marks: tuple[Mark, ...]
    out_of_control: tuple[Mark, ...]
    said: tuple[Record, ...]  # what the journal says of exceedances
    methods: Mapping[str, int]
    written: tuple[tuple[Period, tuple[Written, ...]], ...]  # month by month

    @property
    def days(self) -> tuple[date, ...]:
        return self.period.days

    def limits(self, pollutant: str) -> Floats:
        """Hourly limit of the permit in force in each hour, mg/m3; NaN where it states none."""
        found = [self.stack.limit(pollutant, day) for day in self.days]
        levels = [np.nan if limit is None else float(limit.hour_mg_m3) for limit in found]
        return np.repeat(np.array(levels), 24)

    def without_limit(self, pollutant: str) -> Bools:
        """Hours with a mean that could be judged, if a limit had been in force that day."""
        return self.pollutants[pollutant].judged & np.isnan(self.limits(pollutant))

    def of_day(self, values: Floats) -> Floats:
        """The same as days × 24."""
        return values.reshape(len(self.period.days), 24)

    def slice_of(self, period: Period) -> slice:
        """Where the hours of a part of the period stand."""
        first = (period.first - self.period.first) // timedelta(hours=1)
        return slice(first, first + period.hours)


@dataclass(frozen=True, slots=True)
class Exceedance:
    """
    Hours one after the other whose mean is above the limit.

    ``hours`` how many, ``highest`` and ``mean`` mg/m3, ``limit`` the permit's; ``marks`` touch it
    without excusing it (contradicted, or too short); ``handled`` are the records of the journal
    that say what it was and who was told. ``hidden_by`` is set where a mark keeps it from being
    judged: 0 = judged. ``why`` says what hides it: the state of the hours, or the mark's kind.
    """

    stack: str
    pollutant: str
    start_ns: int
    hours: int
    highest: float
    mean: float
    limit: float
    source: str  # of the limit
    marks: tuple[int, ...] = ()
    handled: tuple[int, ...] = ()
    hidden_by: int = 0
    why: str = ""

    @property
    def end_ns(self) -> int:
        return self.start_ns + self.hours * HOUR_NS

    @property
    def judged(self) -> bool:
        return self.why == ""


def hour_starts(period: Period) -> Indices:
    """Starts of all hours; plant time is a whole number of hours from UTC, without summer time."""
    return np.arange(period.start_ns, period.end_ns, HOUR_NS, dtype=np.int64)


def day_of(time_ns: int) -> date:
    """The plant day of a moment."""
    return datetime.fromtimestamp(time_ns // 10**9, UTC).astimezone(PLANT_TIME).date()
