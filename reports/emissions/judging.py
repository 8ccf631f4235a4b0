"""
From minutes to hours: which minutes count, what an hour is when too few do.

A minute counts when it is good and no mark of device or person, and no out-of-control time, says
that its value is none. An hour counts by the stricter of both tests of the rule. Start-up and
shut-down take nothing from the data; they only keep an hour from being judged.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from drivers.model import Floats, Indices
from drivers.signals.stack import mass_rate
from reports.emissions.marks import EXEMPT, INVALID, STOPPED, covered, excused
from reports.emissions.minutes import KINDS, PollutantMinutes, StackMinutes
from reports.emissions.states import AUTOMATIC, Bools, Mark, PollutantHours, State
from reports.site_stacks import Stack

HOUR: Final = 60
DEVICE_STOPPED: Final = KINDS.index("stopped")
FLOW: Final = ("velocity", "flow")
NEARLY: Final = 1e-6  # of a minute: shares of imported hours are no whole minutes


@dataclass(frozen=True, slots=True)
class Spans:
    """What is said of the time of a stack."""

    marks: Sequence[Mark]
    out_of_control: Sequence[Mark]  # number 0; kind = what failed


@dataclass(frozen=True, slots=True, eq=False)
class _Touch:
    """Per minute: touched by marks of some kind; per hour: by which most, and how many minutes."""

    minutes: Bools
    number: Indices
    longest: Floats


def hourly(values: Floats | Bools) -> Floats:
    """Sums of the hours."""
    found: Floats = np.asarray(values, dtype=np.float64).reshape(-1, HOUR).sum(axis=1)
    return found


def hour_mean(values: Floats, weight: Floats) -> Floats:
    """Mean over the minutes that have a value and a weight; NaN where there are none."""
    use = np.where(np.isfinite(values), weight, 0.0)
    total = hourly(use)
    summed = hourly(np.where(use > 0, values, 0.0) * use)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(total > 0, summed / total, np.nan))


def standing(piece: StackMinutes, spans: Spans) -> Bools:
    """
    Minutes in which the source stands.

    The production point says so; a person's mark, or an instrument that is switched off, only where
    that point does not show the source running.
    """
    unknown = np.isnan(piece.running)
    stands = piece.running == 0
    for mark in spans.marks:
        if mark.kind == STOPPED and mark.excuses and not mark.pollutants:
            stands |= excused(mark, piece) & (piece.running != 1)
    off = np.ones(len(unknown), dtype=np.bool_)
    for minutes in piece.pollutants.values():
        off &= minutes.device == DEVICE_STOPPED
    return np.asarray(stands | (off & unknown), dtype=np.bool_)


def _touch(piece: StackMinutes, marks: Sequence[Mark], pollutant: str) -> _Touch:
    count = len(piece.running)
    hours = count // HOUR
    found = _Touch(np.zeros(count, np.bool_), np.zeros(hours, np.int64), np.zeros(hours))
    for mark in marks:
        if not mark.concerns(pollutant):
            continue
        at = covered(mark, piece)
        if at.stop <= at.start:
            continue
        own = excused(mark, piece)
        found.minutes[own] = True
        for hour in range(at.start // HOUR, (at.stop - 1) // HOUR + 1):
            minutes = int(own[hour * HOUR : (hour + 1) * HOUR].sum())
            if minutes > found.longest[hour]:
                found.longest[hour], found.number[hour] = minutes, mark.number
    return found


def judge(
    piece: StackMinutes, stack: Stack, pollutant: str, spans: Spans, least: float
) -> PollutantHours:
    """The hours of one pollutant in a piece; ``least`` good minutes make an hour."""
    minutes = piece.pollutants[pollutant]
    excusing = [mark for mark in spans.marks if mark.excuses]
    invalid = _touch(piece, [m for m in excusing if m.kind in INVALID], pollutant)
    exempt = _touch(piece, [m for m in excusing if m.kind in EXEMPT], pollutant)
    control = _touch(piece, spans.out_of_control, pollutant)
    stands = standing(piece, spans)
    device = (minutes.device > 0) & ~((minutes.device == DEVICE_STOPPED) & ~stands)
    marked = invalid.minutes | device
    taken = marked | control.minutes
    good = np.where(np.isfinite(minutes.dry), minutes.good, 0.0)
    counts = np.where(taken, 0.0, good)
    valid = hourly(counts)
    state = _states(piece, stack, stands, valid, least)
    lost = np.isin(state, (State.INVALID, State.MISSING))
    by_marks, by_control = hourly(marked), hourly(control.minutes & ~marked)
    would = valid + by_marks + by_control >= least - NEARLY
    failed = lost & would & (by_control >= by_marks) & (by_control > 0)
    excluded = lost & would & ~failed & (by_marks > 0)
    state[failed], state[excluded] = State.OUT_OF_CONTROL, State.EXCLUDED
    unmarked = hourly(np.where(exempt.minutes, 0.0, counts))
    excused = (state == State.VALID) & (hourly(exempt.minutes) > 0) & (unmarked < least - NEARLY)
    number = np.zeros(len(state), dtype=np.int64)
    number[excluded] = np.where(invalid.number[excluded] > 0, invalid.number[excluded], AUTOMATIC)
    number[excused] = exempt.number[excused]
    return PollutantHours(
        pollutant=pollutant,
        measured=hour_mean(minutes.measured, counts),
        dry=hour_mean(minutes.dry, counts),
        converted=_converted(minutes, counts, least),
        shown=hour_mean(minutes.converted, good),
        minutes=valid,
        state=state.astype(np.int8),
        mark=number,
        exempt=excused,
        amount_kg=_amount(piece, minutes, (counts, state, stands, _flow(piece, spans)), least),
        unconverted=hourly(minutes.meaningless & (counts > 0)).astype(np.int64),
    )


def _converted(minutes: PollutantMinutes, counts: Floats, least: float) -> Floats:
    """Mean of the converted minutes; none where too many of the minutes cannot be converted."""
    can = np.where(np.isfinite(minutes.converted), counts, 0.0)
    mean = hour_mean(minutes.converted, can)
    short = (hourly(can) < least - NEARLY) & (hourly(minutes.meaningless & (counts > 0)) > 0)
    return np.asarray(np.where(short, np.nan, mean))


def _states(
    piece: StackMinutes, stack: Stack, stands: Bools, valid: Floats, least: float
) -> Indices:
    state = np.full(len(valid), int(State.INVALID), dtype=np.int64)
    state[valid == 0] = State.MISSING
    state[valid >= least - NEARLY] = State.VALID
    state[hourly(stands) >= least] = State.STOPPED
    works = np.repeat([stack.works_on(day) for day in piece.period.days], 24)
    state[~works] = State.OUTSIDE
    return state


def _flow(piece: StackMinutes, spans: Spans) -> Floats:
    """Weights of the minutes of the flow; none while its instrument is out of control."""
    lost = np.zeros(len(piece.flow), dtype=np.bool_)
    for name in FLOW:
        lost |= _touch(piece, spans.out_of_control, name).minutes
    return np.where(np.isfinite(piece.flow) & ~lost, piece.flow_good, 0.0)


def _amount(
    piece: StackMinutes,
    minutes: PollutantMinutes,
    of: tuple[Floats, Indices, Bools, Floats],
    least: float,
) -> Floats:
    """
    Mass of each hour in kg: hourly mean times hourly mean, where both are valid.

    Of an hour in which the source stands only what its running minutes show, minute by minute.
    """
    counts, state, stands, flow_counts = of
    whole = mass_rate(hour_mean(minutes.dry, counts), hour_mean(piece.flow, flow_counts))
    enough = (state == State.VALID) & (hourly(flow_counts) >= least - NEARLY)
    runs = ~stands & (counts > 0) & (flow_counts > 0)
    rest = hourly(np.where(runs, mass_rate(minutes.dry, piece.flow), 0.0)) / HOUR
    amount = np.where(enough, whole, np.nan)
    amount = np.where(state == State.STOPPED, rest, amount)
    return np.asarray(np.where(state == State.OUTSIDE, 0.0, amount))
