"""Hours of a stack from its minutes, and the hours above the limit: what others ask this room."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np

from drivers.model import Floats
from reports.basis import Basis
from reports.emissions.exceedances import exceedances
from reports.emissions.judging import NEARLY, Spans, hour_mean, hourly, judge
from reports.emissions.marks import (
    automatic_marks,
    disproved,
    joined,
    journal_of,
    marks_of,
    out_of_control_of,
)
from reports.emissions.minutes import StackMinutes, read_minutes
from reports.emissions.rules import validity
from reports.emissions.states import (
    Exceedance,
    Mark,
    PollutantHours,
    StackHours,
    State,
    hour_starts,
)
from reports.periods import Period
from reports.series.minutes import Written
from reports.site_stacks import Stack

__all__ = [
    "Exceedance",
    "Mark",
    "PollutantHours",
    "StackHours",
    "State",
    "exceedances",
    "part_of",
    "pieces",
    "stack_hours",
]

ARRAYS: Final = tuple(f.name for f in fields(PollutantHours) if f.name != "pollutant")
GAS: Final = ("o2", "temperature", "humidity", "pressure")


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    """Hours of a month at most, and what is kept of its minutes."""

    pollutants: dict[str, PollutantHours]
    gas: dict[str, Floats]
    methods: Counter[str]
    period: Period
    written: tuple[Written, ...]


def stack_hours(basis: Basis, stack: Stack) -> StackHours:
    """All hours of ``basis.period`` of one stack. Raises SeriesError, RuleError, ConfigError."""
    period = basis.period
    control = out_of_control_of(basis, stack)
    marks, automatic, found = marks_of(basis, stack), list[Mark](), list[_Piece]()
    for part in pieces(period):
        rules = validity(basis.packs, part.first)
        minutes = read_minutes(basis.series, basis.site, stack, part, rules.share)
        marks = tuple(disproved(mark, minutes) for mark in marks)
        automatic += automatic_marks(minutes)
        found.append(_judged(minutes, stack, Spans(marks, control), rules.minutes))
    journal = journal_of(basis)
    said = journal.exceedances(stack.equipment, period.start_ns, period.end_ns)
    return StackHours(
        stack=stack,
        period=period,
        start_ns=hour_starts(period),
        pollutants={name: _joined(found, name) for name in stack.pollutants},
        marks=(*marks, *joined(automatic)),
        out_of_control=tuple(control),
        methods=dict(sum((piece.methods for piece in found), Counter[str]())),
        written=tuple((piece.period, piece.written) for piece in found),
        said=said,
        **{name: np.concatenate([x.gas[name] for x in found]) for name in found[0].gas},
    )


def pieces(period: Period) -> Iterator[Period]:
    """The period month by month, the first and last perhaps in part."""
    first = period.first
    while first < period.after:
        month = Period.month(first.year, first.month)
        yield Period(first, min(month.after, period.after))
        first = month.after


def part_of(hours: StackHours, period: Period) -> StackHours:
    """The hours of a period inside; marks are those that touch it."""
    at = hours.slice_of(period)
    start_ns, end_ns = period.start_ns, period.end_ns

    def touching(marks: Sequence[Mark]) -> tuple[Mark, ...]:
        return tuple(m for m in marks if m.start_ns < end_ns and m.end_ns > start_ns)

    return replace(
        hours,
        period=period,
        start_ns=hours.start_ns[at],
        pollutants={
            name: replace(each, **{key: getattr(each, key)[at] for key in ARRAYS})
            for name, each in hours.pollutants.items()
        },
        marks=touching(hours.marks),
        out_of_control=touching(hours.out_of_control),
        written=tuple(
            (month, found)
            for month, found in hours.written
            if month.first < period.after and month.after > period.first
        ),
        said=tuple(each for each in hours.said if each.touches(start_ns, end_ns)),
        **{key: getattr(hours, key)[at] for key in ("flow", "running", *GAS)},
    )


def _judged(minutes: StackMinutes, stack: Stack, spans: Spans, least: float) -> _Piece:
    methods: Counter[str] = Counter()
    for name, each in minutes.pollutants.items():
        methods.update({f"{name}.{method}": count for method, count in each.methods.items()})
    gas = {name: hour_mean(minutes.gas[name], np.ones(len(minutes.running))) for name in GAS}
    flow_counts = np.where(np.isfinite(minutes.flow), minutes.flow_good, 0.0)
    flow = hour_mean(minutes.flow, flow_counts)
    gas["flow"] = np.where(hourly(flow_counts) >= least - NEARLY, flow, np.nan)
    gas["running"] = hour_mean(minutes.running, np.ones(len(minutes.running)))
    return _Piece(
        pollutants={name: judge(minutes, stack, name, spans, least) for name in minutes.pollutants},
        gas=gas,
        methods=methods,
        period=minutes.period,
        written=minutes.written,
    )


def _joined(found: Sequence[_Piece], name: str) -> PollutantHours:
    parts = [piece.pollutants[name] for piece in found]
    return PollutantHours(
        pollutant=name,
        **{key: np.concatenate([getattr(part, key) for part in parts]) for key in ARRAYS},
    )
