"""
Hourly amounts with stand-ins for what is missing, by the capture rate of each quarter.

Concentrations and gas parameters are never replaced, only the mass of an hour. Whatever stands in
carries its code: how many valid hours were looked back over.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from drivers.model import Floats, Indices
from reports.emissions.rules import StandIn
from reports.emissions.states import Bools, PollutantHours, StackHours, State
from reports.periods import Period

MEASURED: Final = ""
NO_VALUE: Final = "none"  # the rule gives no stand-in, or there is nothing to look back on
CONTROL, INVALID = "C", "M"  # out of control; invalid or missing
Earlier = Callable[[], Floats]


@dataclass(frozen=True, slots=True)
class Capture:
    """
    Hours of a quarter, as far as it is known: ``stopped`` leave the denominator.

    ``valid`` have a valid concentration for the limit, ``amounts`` a valid mass; an hour that
    cannot be converted has a mass, and no concentration for the limit.
    """

    hours: int
    stopped: int
    valid: int
    amounts: int

    @property
    def counted(self) -> int:
        return self.hours - self.stopped

    @property
    def rate(self) -> Decimal | None:
        """Capture rate of the concentration, 0 to 1; None when the source stood all the time."""
        return Decimal(self.valid) / self.counted if self.counted else None

    @property
    def amount_rate(self) -> Decimal | None:
        return Decimal(self.amounts) / self.counted if self.counted else None

    def reaches(self, fraction: Decimal) -> bool:
        """True when the amounts are there for at least that share; exact at the limit."""
        return Decimal(self.amounts) >= fraction * self.counted


@dataclass(frozen=True, slots=True)
class Gap:
    """Hours without amount, one after the other, of one cause and quarter, and what stands in."""

    first: int  # hour of the period
    hours: int
    length: int  # of the whole gap that it is a part of
    cause: str
    code: str
    kg: float | None  # an hour
    looked_back: int  # valid hours that were there to look back on


@dataclass(frozen=True, slots=True, eq=False)
class Amounts:
    """``kg`` of each hour with stand-ins, NaN where there is none; ``code`` index of ``codes``."""

    pollutant: str
    kg: Floats
    replaced: Bools
    gaps: tuple[Gap, ...]
    captures: dict[Period, Capture]
    known: int  # hours of the period up to the last one that counts


def known_hours(hours: StackHours, least: int) -> int:
    """Hours up to the last one of which anything is known, at least ``least``."""
    something = np.isfinite(hours.flow) | np.isfinite(hours.running)
    for each in hours.pollutants.values():
        something |= each.minutes > 0
    last = np.flatnonzero(something)
    return max(least, int(last[-1]) + 1 if len(last) else 0)


def quarters(hours: StackHours) -> Iterator[tuple[Period, slice]]:
    """The quarters of a period, each with its hours; the first and last perhaps in part."""
    first = hours.period.first
    while first < hours.period.after:
        quarter = Period(first, first).whole_quarter
        part = Period(first, min(quarter.after, hours.period.after))
        yield quarter, hours.slice_of(part)
        first = quarter.after


def capture(each: PollutantHours, at: slice) -> Capture:
    """Of some hours."""
    state, kg = each.state[at], each.amount_kg[at]
    outside = state == State.OUTSIDE
    valid = state == State.VALID
    return Capture(
        hours=int((~outside).sum()),
        stopped=int((state == State.STOPPED).sum()),
        valid=int((valid & ~each.not_convertible[at]).sum()),
        amounts=int((valid & np.isfinite(kg)).sum()),
    )


def fill_in(
    hours: StackHours, pollutant: str, known: int, rules: StandIn, earlier: Earlier
) -> Amounts:
    """
    The amounts of one pollutant, of hours that hold whole quarters up to ``known``.

    ``earlier`` gives the valid amounts before the first hour, oldest first; asked only when needed.
    """
    each = hours.pollutants[pollutant]
    captures: dict[Period, Capture] = {}
    quarter_of: npt.NDArray[np.int64] = np.zeros(len(each.state), dtype=np.int64)
    for n, (quarter, at) in enumerate(quarters(hours)):
        quarter_of[at] = n
        captures[quarter] = capture(each, slice(at.start, min(at.stop, max(known, at.start))))
    kg = each.amount_kg.copy()
    usable = np.flatnonzero((each.state == State.VALID) & np.isfinite(each.amount_kg))
    back = _Back(each.amount_kg, usable, earlier)
    gaps: list[Gap] = []
    for first, after in _runs(np.isnan(kg[:known])):
        for part, end in _parts(each.state, quarter_of, first, after):
            rate = list(captures.values())[int(quarter_of[part])]
            cause = CONTROL if each.state[part] == State.OUT_OF_CONTROL else INVALID
            window = _window(rate, after - first, rules)
            since = _since(hours, part, cause)
            value, found = (None, 0) if window == 0 else back.highest(since, window)
            code = NO_VALUE if value is None else f"{cause}{window}"
            gaps.append(Gap(part, end - part, after - first, cause, code, value, found))
            if value is not None:
                kg[part:end] = value
    return Amounts(
        pollutant=pollutant,
        kg=kg,
        replaced=np.isnan(each.amount_kg) & np.isfinite(kg),
        gaps=tuple(gaps),
        captures=captures,
        known=known,
    )


def _window(rate: Capture, length: int, rules: StandIn) -> int:
    """Valid hours to look back over; 0 where the rule gives no stand-in."""
    if rate.reaches(rules.high_capture.fraction):
        short = length <= rules.short_gap.number
        return int((rules.window_short if short else rules.window_long).number)
    if rate.reaches(rules.least_capture.fraction):
        return int(rules.window_low_capture.number)
    return 0


def _since(hours: StackHours, first: int, cause: str) -> int:
    """The hour before which is looked back: of lost control, that of the last good calibration."""
    if cause == INVALID:
        return first
    at_ns = int(hours.start_ns[first])
    spans = [
        x.start_ns for x in hours.out_of_control if x.start_ns < at_ns + 1 and x.end_ns > at_ns
    ]
    if not spans:
        return first
    return max(0, int(np.searchsorted(hours.start_ns, min(spans), side="right")) - 1)


@dataclass(slots=True)
class _Back:
    """Valid amounts, oldest first, to look back on."""

    kg: Floats
    usable: Indices
    earlier: Earlier
    _before: Floats | None = None

    def highest(self, first: int, count: int) -> tuple[float | None, int]:
        """The highest of the last ``count`` valid hours before hour ``first``; and how many."""
        here = self.kg[self.usable[: int(np.searchsorted(self.usable, first))]][-count:]
        if len(here) < count:
            if self._before is None:
                self._before = self.earlier()
            here = np.concatenate([self._before, here])[-count:]
        return (float(here.max()), len(here)) if len(here) else (None, 0)


def _runs(lacking: Bools) -> Iterator[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], lacking, [False]]).astype(np.int8)))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _parts(
    state: npt.NDArray[np.int8], quarter: Indices, first: int, after: int
) -> Iterator[tuple[int, int]]:
    """A gap cut where its cause or its quarter changes."""
    control = state[first:after] == State.OUT_OF_CONTROL
    changes = np.diff(control.astype(np.int8)) != 0
    changes |= np.diff(quarter[first:after]) != 0
    yield from pairwise([first, *(first + 1 + np.flatnonzero(changes)).tolist(), after])
