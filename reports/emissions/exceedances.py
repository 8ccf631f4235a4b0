"""Hours above the limit of the permit, joined; those that a mark hides are listed as such."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from drivers.model import Floats
from reports.emissions.states import AUTOMATIC, HOUR_NS, Bools, Exceedance, StackHours, State
from reports.site_stacks import Limit, Stack

EXACT: Final = 1e-9  # relative; a mean that equals the limit is not above it
WHY: Final = {
    State.INVALID: "invalid",
    State.EXCLUDED: "mark",
    State.OUT_OF_CONTROL: "out_of_control",
    State.STOPPED: "stopped",
    State.OUTSIDE: "outside",
}


def exceedances(hours: StackHours, stack: Stack) -> list[Exceedance]:
    """
    Consecutive hours above the limit, joined; by pollutant, in order of time.

    Hours that a mark, a stop or too few minutes keep from being judged are listed too, as such
    (``judged`` is False); they are above the limit by the mean of all minutes that have a value.
    """
    found: list[Exceedance] = []
    for name in stack.pollutants:
        limits, levels = limits_of(hours, stack, name)
        each = hours.pollutants[name]
        over = _above(each.converted, levels) & each.judged
        hidden = _above(each.shown, levels) & ~each.judged
        keys = np.where(over, 0, -1).astype(np.int64)  # hours of one key are joined
        for n in np.flatnonzero(hidden):
            keys[n] = 1 + int(each.state[n]) * 2 + int(each.exempt[n])
        for first, after in _runs(keys, each.mark, limits):
            limit = limits[first]
            if limit is not None:
                found.append(_exceedance(hours, name, limit, (first, after), bool(over[first])))
    return found


def limits_of(hours: StackHours, stack: Stack, pollutant: str) -> tuple[list[Limit | None], Floats]:
    """The limit of each hour, and its hourly level, NaN where the permit states none."""
    days = [stack.limit(pollutant, day) for day in hours.days]
    limits = [limit for limit in days for _ in range(24)]
    return limits, hours.limits(pollutant)


def _above(values: Floats, levels: Floats) -> Bools:
    with np.errstate(invalid="ignore"):
        return np.asarray(values > levels * (1 + EXACT), dtype=np.bool_)


def _runs(
    keys: np.ndarray[tuple[int], np.dtype[np.int64]],
    marks: np.ndarray[tuple[int], np.dtype[np.int64]],
    limits: list[Limit | None],
) -> Iterator[tuple[int, int]]:
    """Stretches of one key, one mark and one limit; -1 is no stretch."""
    first = 0
    while first < len(keys):
        after = first + 1
        if keys[first] >= 0:
            while (
                after < len(keys)
                and keys[after] == keys[first]
                and marks[after] == marks[first]
                and limits[after] is limits[first]
            ):
                after += 1
            yield first, after
        first = after


def _exceedance(
    hours: StackHours, name: str, limit: Limit, at: tuple[int, int], judged: bool
) -> Exceedance:
    first, after = at
    each = hours.pollutants[name]
    values = (each.converted if judged else each.shown)[first:after]
    start_ns, end_ns = (
        int(hours.start_ns[first]),
        int(hours.start_ns[first]) + (after - first) * HOUR_NS,
    )
    touching = [
        mark
        for mark in hours.marks
        if mark.concerns(name) and mark.start_ns < end_ns and mark.end_ns > start_ns
    ]
    said = [x for x in hours.said if x.covers(name) and x.touches(start_ns, end_ns)]
    why = ""
    if not judged:
        state = State(int(each.state[first]))
        why = "exempt" if each.exempt[first] else WHY.get(state, "not_convertible")
    return Exceedance(
        stack=hours.stack.id,
        pollutant=name,
        start_ns=start_ns,
        hours=after - first,
        highest=float(values.max()),
        mean=float(values.mean()),
        limit=float(limit.hour_mg_m3),
        source=limit.source,
        marks=tuple(mark.number for mark in touching if mark.number != AUTOMATIC),
        handled=tuple(record.number for record in said),
        hidden_by=0 if judged else int(each.mark[first]),
        why=why,
    )
