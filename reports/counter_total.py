"""
What a counter counted in a period: sum of increments, bridged gaps, and what stays unknown.

A meter goes on counting while nobody reads it. So a gap is bridged by the register before and
after it, unless a reset or replacement lies between. A gap across the edge of the period is split
by time, and said so. What no register can tell is unknown: it is not estimated and not zero.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum, isfinite
from typing import Final

import numpy as np

from reports.months import Period
from reports.series import EventRecord, Windows

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
    stretches = _stretches(rows, events)
    begin_ns, after_ns = period.start_ns, period.end_ns
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
        begin=_register(rows, np.flatnonzero(rows.end_ns <= begin_ns), inside[:1], newest=True),
        end=_register(rows, inside, inside[:0], newest=True),
        batches=_batches(rows, inside),
    )


def _stretches(rows: Windows, events: Sequence[EventRecord]) -> list[_Stretch]:
    """Times with a known amount, in order, without overlap."""
    found: list[_Stretch] = []
    prev_end_ns, prev_last = 0, float("nan")
    for start_ns, end_ns, inc, last, reason in zip(
        rows.start_ns.tolist(),
        rows.end_ns.tolist(),
        rows.inc.tolist(),
        rows.last.tolist(),
        rows.reason.tolist(),
        strict=True,
    ):
        if start_ns < prev_end_ns or not (isfinite(last) or isfinite(inc)):
            continue
        gap = start_ns > prev_end_ns
        if isfinite(inc) and not gap:
            found.append(_Stretch(start_ns, end_ns, inc, bridged=False, reason=""))
        else:
            kinds = {e.kind for e in events if prev_end_ns < e.start_ns < end_ns}
            row = _Stretch(start_ns, end_ns, inc, bridged=False, reason=reason or "")
            step = None if kinds & BREAKS else last - prev_last
            if step is not None and step < 0 and "rollover" in kinds:
                step = inc  # the gateway followed it over the gap
            found.extend(_after_gap(row, prev_end_ns, step))
        prev_end_ns, prev_last = end_ns, last if isfinite(last) else prev_last
    return found


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


def _register(rows: Windows, first: object, second: object, *, newest: bool) -> Register | None:
    """The newest reading among ``first``, else among ``second``."""
    for chosen in (np.asarray(first), np.asarray(second)):
        known = [int(i) for i in chosen if isfinite(rows.last[i])]
        if known:
            i = known[-1 if newest else 0]
            return Register(
                end_ns=int(rows.end_ns[i]),
                start_ns=int(rows.start_ns[i]),
                last=float(rows.last[i]),
                raw=rows.raw[i] or "",
                gateway=rows.gateway[i] or "",
                log=rows.log[i] or "",
                seq=int(rows.seq[i]),
            )
    return None


def _batches(rows: Windows, inside: object) -> tuple[BatchRange, ...]:
    chosen = np.asarray(inside)
    groups: dict[tuple[str, str], list[int]] = {}
    for gateway, log, seq in zip(
        rows.gateway[chosen].tolist(),
        rows.log[chosen].tolist(),
        rows.seq[chosen].tolist(),
        strict=True,
    ):
        if gateway and log:
            groups.setdefault((gateway, log), []).append(seq)
    return tuple(
        BatchRange(gateway, log, min(seqs), max(seqs), len(set(seqs)), len(seqs))
        for (gateway, log), seqs in sorted(groups.items())
    )
