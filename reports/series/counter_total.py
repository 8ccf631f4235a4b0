"""
What a counter counted in a period: sum of increments, bridged gaps, and what stays unknown.

A meter goes on counting while nobody reads it. So a gap is bridged by the register before and
after it, unless a reset or replacement lies between. A gap across the edge of the period is split
by time, and said so. What no register can tell is unknown: it is not estimated and not zero.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import fsum, isfinite
from typing import Final

import numpy as np

from drivers.model import Indices
from reports.periods import Period
from reports.series.store import EventRecord, Windows

EDGE_NS: Final = 3 * 86_400 * 1_000_000_000  # how far outside the period a register is looked for
BREAKS: Final = frozenset({"reset", "replacement"})  # the register before says nothing about after
SAME: Final = 1e-6  # relative; registers are decimals, increments their float differences


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch without increments. ``amount`` is what the register says passed, None = unknown."""

    start_ns: int
    end_ns: int
    reason: str
    amount: float | None
    split: bool = False  # reaches over the edge of the period; amount is the part by time


@dataclass(frozen=True, slots=True)
class Register:
    """A reading of the meter and the batch that holds it."""

    end_ns: int
    start_ns: int
    last: float
    raw: str
    gateway: str
    log: str
    seq: int


@dataclass(frozen=True, slots=True)
class BatchRange:
    """Batches of one log from which windows were taken."""

    gateway: str
    log: str
    first_seq: int
    last_seq: int
    batches: int
    windows: int


@dataclass(frozen=True, slots=True)
class CounterTotal:
    """``total`` is None when nothing at all is known; times are seconds of the period."""

    total: float | None
    period_s: int
    measured_s: float
    bridged_s: float
    windows: int
    doubles: int
    conflicts: int
    gaps: tuple[Gap, ...]
    events: tuple[EventRecord, ...]
    begin: Register | None
    end: Register | None
    batches: tuple[BatchRange, ...]

    @property
    def unknown_s(self) -> float:
        return max(0.0, self.period_s - self.measured_s - self.bridged_s)

    @property
    def coverage(self) -> float:
        """Share of the period for which the counter is known."""
        return 1.0 - self.unknown_s / self.period_s


@dataclass(frozen=True, slots=True)
class _Stretch:
    start_ns: int
    end_ns: int
    amount: float
    bridged: bool
    reason: str


def counter_total(rows: Windows, events: Sequence[EventRecord], period: Period) -> CounterTotal:
    """
    Sum over ``period``; ``rows`` reach EDGE_NS beyond it on both sides.

    Valid for a counter that never runs backwards.
    """
    begin_ns, after_ns = period.start_ns, period.end_ns
    stretches = _stretches(rows, events, (begin_ns, after_ns))
    parts: list[float] = []
    gaps: list[Gap] = []
    known_ns = {False: 0, True: 0}
    at_ns = begin_ns
    for stretch in stretches:
        start_ns, end_ns = max(stretch.start_ns, begin_ns), min(stretch.end_ns, after_ns)
        if start_ns >= end_ns:
            continue
        if start_ns > at_ns:
            gaps.append(Gap(at_ns, start_ns, _reason(rows, at_ns, start_ns), None))
        whole = end_ns - start_ns == stretch.end_ns - stretch.start_ns
        share = 1.0 if whole else (end_ns - start_ns) / (stretch.end_ns - stretch.start_ns)
        parts.append(stretch.amount * share)
        known_ns[stretch.bridged] += end_ns - start_ns
        if stretch.bridged:
            gaps.append(
                Gap(start_ns, end_ns, stretch.reason, stretch.amount * share, split=not whole)
            )
        at_ns = end_ns
    if at_ns < after_ns:
        gaps.append(Gap(at_ns, after_ns, _reason(rows, at_ns, after_ns), None))
    inside = np.flatnonzero((rows.start_ns >= begin_ns) & (rows.start_ns < after_ns))
    before = np.flatnonzero(rows.end_ns <= begin_ns)
    return CounterTotal(
        total=round(fsum(parts), 9) if parts else None,
        period_s=(after_ns - begin_ns) // 10**9,
        measured_s=known_ns[False] / 1e9,
        bridged_s=known_ns[True] / 1e9,
        windows=len(inside),
        doubles=rows.doubles,
        conflicts=rows.conflicts,
        gaps=tuple(gaps),
        events=tuple(events),
        begin=_register(rows, before) or _register(rows, inside[:1]),
        end=_register(rows, inside),
        batches=_batches(rows, inside),
    )


def _stretches(
    rows: Windows, events: Sequence[EventRecord], edges: tuple[int, int]
) -> list[_Stretch]:
    """
    Times with a known amount, in order, without overlap.

    Windows that follow one another without a gap are one stretch, cut at the edges of the period.
    """
    at = _readable(rows)
    start, end, inc, last = rows.start_ns[at], rows.end_ns[at], rows.inc[at], rows.last[at]
    reason = rows.reason[at]
    plain = np.isfinite(inc) & np.r_[False, start[1:] == end[:-1]][: len(inc)]
    cuts = set(np.flatnonzero(~plain).tolist()) | {len(inc)}
    for edge in edges:
        first = int(np.searchsorted(end, edge, "right"))
        cuts |= {min(first, len(inc)), min(first + 1, len(inc))}
    with_last = np.flatnonzero(np.isfinite(last))
    found: list[_Stretch] = []
    for i, j in pairwise(sorted(cuts)):
        row = _Stretch(
            int(start[i]), int(end[i]), float(inc[i]), bridged=False, reason=reason[i] or ""
        )
        if plain[i]:
            found.append(row)
        else:
            before = int(np.searchsorted(with_last, i)) - 1
            prev_last = float(last[with_last[before]]) if before >= 0 else float("nan")
            prev_end_ns = int(end[i - 1]) if i else 0
            step = _step(prev_end_ns, prev_last, float(last[i]), row, events)
            found += _after_gap(row, prev_end_ns, step)
        if j > i + 1:
            run = fsum(inc[i + 1 : j].tolist())
            found.append(_Stretch(row.end_ns, int(end[j - 1]), run, bridged=False, reason=""))
    return found


def _readable(rows: Windows) -> Indices:
    """Windows that say something, none of which overlaps the one before."""
    at = np.flatnonzero(np.isfinite(rows.last) | np.isfinite(rows.inc))
    start, end = rows.start_ns[at], rows.end_ns[at]
    if (start[1:] >= end[:-1]).all():
        return at
    kept: list[int] = []
    for i in at.tolist():
        if not kept or rows.start_ns[i] >= rows.end_ns[kept[-1]]:
            kept.append(i)
    return np.array(kept, dtype=np.int64)


def _step(
    prev_end_ns: int, prev_last: float, last: float, row: _Stretch, events: Sequence[EventRecord]
) -> float | None:
    """The way of the register over the gap before ``row``; None when events deny one."""
    kinds = {event.kind for event in events if prev_end_ns < event.start_ns < row.end_ns}
    if kinds & BREAKS:
        return None
    step = last - prev_last
    if step < 0 and "rollover" in kinds:
        return row.amount  # the gateway followed it over the gap
    return step


def _after_gap(row: _Stretch, prev_end_ns: int, step: float | None) -> list[_Stretch]:
    """
    The first window after a gap, ``step`` being the way of the register since the last one.

    Its increment may already hold the gap (then it equals the step), or start behind it.
    """
    known = step is not None and isfinite(step) and step >= 0
    if not known or step is None:
        return [row] if isfinite(row.amount) else []
    if not isfinite(row.amount):
        return [_Stretch(prev_end_ns, row.end_ns, step, bridged=True, reason=row.reason)]
    missed = step - row.amount
    if abs(missed) <= SAME * max(1.0, step):
        return [_Stretch(prev_end_ns, row.end_ns, step, bridged=True, reason=row.reason)]
    if missed < 0:
        return [row]
    return [_Stretch(prev_end_ns, row.start_ns, missed, bridged=True, reason=row.reason), row]


def _reason(rows: Windows, start_ns: int, end_ns: int) -> str:
    """The reason most windows of an unknown stretch give, or that there were none."""
    here = (rows.start_ns >= start_ns) & (rows.start_ns < end_ns)
    reasons: list[str] = [reason for reason in rows.reason[here].tolist() if reason]
    if not reasons:
        return "no_windows" if not here.any() else "no_register"
    return max(sorted(set(reasons)), key=reasons.count)


def _register(rows: Windows, chosen: Indices) -> Register | None:
    """The newest reading among some windows."""
    known = chosen[np.isfinite(rows.last[chosen])]
    if not len(known):
        return None
    i = int(known[-1])
    return Register(
        end_ns=int(rows.end_ns[i]),
        start_ns=int(rows.start_ns[i]),
        last=float(rows.last[i]),
        raw=rows.raw[i] or "",
        gateway=rows.gateway[i] or "",
        log=rows.log[i] or "",
        seq=int(rows.seq[i]),
    )


def _batches(rows: Windows, chosen: Indices) -> tuple[BatchRange, ...]:
    gateways, logs, seqs = rows.gateway[chosen], rows.log[chosen], rows.seq[chosen]
    pairs = set(zip(gateways.tolist(), logs.tolist(), strict=True))
    found = []
    for gateway, log in sorted(pair for pair in pairs if all(pair)):
        mine = seqs[(gateways == gateway) & (logs == log)]
        first, last, batches = int(mine.min()), int(mine.max()), len(np.unique(mine))
        found.append(BatchRange(gateway, log, first, last, batches, len(mine)))
    return tuple(found)
