"""
Does the trace of the control system support a mark, contradict it, or not tell? Pure.

The limits below are our own engineering choice, no rule names them; they stand in the text of each
verdict as minutes, so that a reviewer can judge for himself.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from drivers.model import Floats, Quality
from reports.journal.record import MINUTE_NS, Judgement, Mark
from reports.journal.trace import Curve, Role, Trace
from reports.values import Text

SUPPORTED_FROM: Final = 0.8  # of the marked minutes show what the mark says
CONTRADICTED_FROM: Final = 0.5  # of them show that all ran as usual …
UNBROKEN_MIN: Final = 60  # … or one unbroken hour does: it would be an hour excused for nothing
STABLE_MIN: Final = 120  # of full production in a start-up or shut-down; packs may say other
MOSTLY: Final = 0.5  # of a window: then it counts as good
RAMP: Final = 0.3  # of its greatest value a measured production must rise or fall by

_STATES: Final = {Mark.CALIBRATION: 1, Mark.MAINTENANCE: 2, Mark.FAULT: 3}
_REASONS: Final = {
    Mark.CALIBRATION: Quality.CALIBRATION.wire,
    Mark.MAINTENANCE: Quality.MAINTENANCE.wire,
    Mark.FAULT: Quality.DEVICE_FAULT.wire,
}
_NAMES: Final = {
    Mark.CALIBRATION: Text(zh="校准", en="calibration"),
    Mark.MAINTENANCE: Text(zh="维护", en="maintenance"),
    Mark.FAULT: Text(zh="故障", en="a fault"),
}

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the trace says, in words with minutes; ``usual`` minutes are never excused, ns."""

    judgement: Judgement
    says: Text
    usual: tuple[tuple[int, int], ...] = ()  # [start, end) in which all ran as usual


@dataclass(frozen=True, slots=True)
class _Told:
    """Per minute of the marked time: the mark is shown, or all ran as usual; neither: unknown."""

    shown: Bools
    usual: Bools


def judge_mark(
    what: Mark, trace: Trace, start_ns: int, end_ns: int, *, stable_min: int = STABLE_MIN
) -> Verdict:
    """``start_ns``, ``end_ns``: the marked time, on whole minutes, inside the trace."""
    if trace.empty:
        nothing = Text(zh="数据库中没有该时段的数据", en="the store holds nothing of that time")
        return Verdict(Judgement.NOT_TOLD, nothing)
    if what in {Mark.START_UP, Mark.SHUT_DOWN}:
        return _ramp(what, trace, start_ns, end_ns, stable_min)
    if what is Mark.STOPPED:
        told, words = _stopped(trace, start_ns, end_ns), _WORDS_STOPPED
    elif what is Mark.FORCE_MAJEURE:
        told, words = _missing(trace, start_ns, end_ns), _WORDS_MISSING
    else:
        name = _NAMES[what]
        shown = Text(zh=f"仪器或设备状态为{name.zh}", en=f"state or flags say {name.en}")
        told, words = _instrument(what, trace, start_ns, end_ns), (shown, _USUAL)
    return replace(_weigh(told, *words), usual=_stretches(told.usual, start_ns))


_USUAL: Final = Text(zh="仪器和设备运行正常", en="instrument and equipment ran as usual")
_WORDS_STOPPED: Final = (
    Text(zh="生产或烟气停止", en="production or gas flow stood still"),
    Text(zh="生产或烟气正常", en="production or gas flow went on"),
)
_WORDS_MISSING: Final = (
    Text(zh="没有有效数据", en="there are no valid data"),
    Text(zh="数据正常", en="the data are there and good"),
)


def _weigh(told: _Told, shown: Text, usual: Text) -> Verdict:
    """From minutes to a verdict; running as usual for an hour outweighs the rest."""
    minutes = len(told.shown)
    yes, no = int(told.shown.sum()), int(told.usual.sum())
    longest = _longest(told.usual)
    says = Text(
        zh=f"标记 {minutes} 分钟：{shown.zh} {yes} 分钟，{usual.zh} {no} 分钟（连续最长 {longest} "
        f"分钟），其余 {minutes - yes - no} 分钟无法判断",
        en=f"{minutes} minutes marked: {shown.en} in {yes}; {usual.en} in {no} "
        f"(at most {longest} unbroken); {minutes - yes - no} cannot be told",
    )
    if no >= CONTRADICTED_FROM * minutes or longest >= UNBROKEN_MIN:
        return Verdict(Judgement.CONTRADICTED, says)
    if yes >= SUPPORTED_FROM * minutes:
        return Verdict(Judgement.SUPPORTED, says)
    return Verdict(Judgement.NOT_TOLD, says)


def _instrument(what: Mark, trace: Trace, start_ns: int, end_ns: int) -> _Told:
    """By the state of the instrument, the flags of its values and, for a fault, the controls."""
    shown = usual = _none(start_ns, end_ns)
    for curve in trace.of(Role.STATE):
        state = _values(curve, start_ns, end_ns)
        shown = shown | (np.abs(state - _STATES[what]) < 0.05)
        usual = usual | (np.abs(state) < 0.05)
    for role in (Role.POLLUTANT, Role.LOGGER):
        for curve in trace.of(role):
            reasons = _reasons(curve, start_ns, end_ns)
            shown = shown | (reasons == _REASONS[what])
            if role is Role.LOGGER or curve.flagged:  # no flag then says that nothing is wrong
                usual = usual | (~np.isnan(_values(curve, start_ns, end_ns)) & (reasons == ""))
    if what is Mark.FAULT:
        for curve in trace.of(Role.CONTROL):
            shown = shown | _idle(curve, start_ns, end_ns)
    return _Told(shown, usual & ~shown)


def _stopped(trace: Trace, start_ns: int, end_ns: int) -> _Told:
    """By production where there is such a point, else by the gas flow."""
    shown = usual = _none(start_ns, end_ns)
    flows = trace.of(Role.FLOW)
    moves = shown
    for curve in flows:
        moves = moves | _runs(curve, start_ns, end_ns)
    for curve in trace.of(Role.PRODUCTION):
        shown = shown | _idle(curve, start_ns, end_ns)
        usual = usual | _runs(curve, start_ns, end_ns)
    if trace.of(Role.PRODUCTION):
        return _Told(shown & ~usual & ~moves, usual)
    for curve in flows:
        shown = shown | _idle(curve, start_ns, end_ns)
    return _Told(shown & ~moves, moves)


def _missing(trace: Trace, start_ns: int, end_ns: int) -> _Told:
    """By the values of the pollutants; a point that was never recorded tells nothing."""
    good = _none(start_ns, end_ns)
    for curve in trace.of(Role.POLLUTANT):
        good = good | ~np.isnan(_values(curve, start_ns, end_ns))
    known = np.full(len(good), bool(trace.of(Role.POLLUTANT)))
    return _Told(known & ~good, good)


def _ramp(what: Mark, trace: Trace, start_ns: int, end_ns: int, stable_min: int) -> Verdict:
    """Production must pass from idle to running, or the other way; or rise, or fall, by much."""
    curves = trace.of(Role.PRODUCTION) or trace.of(Role.FLOW)[:1]
    if not curves:
        nothing = Text(zh="没有生产或烟气数据", en="nothing is known of production or gas flow")
        return Verdict(Judgement.NOT_TOLD, nothing)
    values = _values(curves[0], trace.start_ns, trace.end_ns)
    inside = _values(curves[0], start_ns, end_ns)
    idle = curves[0].drawn.idle
    stable = _longest(_full(inside, values) & (inside > idle))
    known = values[~np.isnan(values)]
    passed = _passes(what, known > idle) or _moved(what, known)
    says = Text(
        zh=f"标记 {len(inside)} 分钟：前后 1 小时内{'有' if passed else '没有'}"
        f"{'启动' if what is Mark.START_UP else '停机'}过程，其间满负荷连续最长 {stable} 分钟",
        en=f"{len(inside)} minutes marked: production {'does' if passed else 'does not'} "
        f"{'start' if what is Mark.START_UP else 'stop'} within an hour of it; at most {stable} "
        "minutes of unbroken full production inside",
    )
    if not passed and len(known) >= CONTRADICTED_FROM * len(values):
        return Verdict(Judgement.CONTRADICTED, says)
    if stable >= stable_min:
        return Verdict(Judgement.CONTRADICTED, says)
    usual = _stretches(_before(what, curves[0], (start_ns, end_ns), trace), start_ns)
    return Verdict(Judgement.SUPPORTED if passed else Judgement.NOT_TOLD, says, usual)


def _before(what: Mark, curve: Curve, at: tuple[int, int], trace: Trace) -> Bools:
    """
    Full production that is no part of the change: before a shut-down begins to show, and before
    a start-up's last standstill. What follows a start-up is measured by the rule's own hours.
    """
    inside, idle = _values(curve, *at), curve.drawn.idle
    full = _full(inside, _values(curve, trace.start_ns, trace.end_ns)) & (inside > idle)
    if what is Mark.SHUT_DOWN:
        return full
    still = np.flatnonzero(inside <= idle)
    return np.asarray(full & (np.arange(len(full)) < (still[-1] if len(still) else 0)))


def _stretches(flags: Bools, start_ns: int) -> tuple[tuple[int, int], ...]:
    """Minutes one after the other, as [start, end) in ns."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return tuple(
        (start_ns + first * MINUTE_NS, start_ns + after * MINUTE_NS)
        for first, after in edges.reshape(-1, 2).tolist()
    )


def _full(inside: Floats, values: Floats) -> Bools:
    """Minutes within a tenth of the greatest value that was drawn."""
    known = values[~np.isnan(values)]
    top = float(known.max()) if len(known) else np.inf
    return np.asarray(inside >= 0.9 * top, dtype=np.bool_)


def _passes(what: Mark, runs: Bools) -> bool:
    """From idle to running for a start-up, from running to idle for a shut-down."""
    if not len(runs):
        return False
    first, last = (False, True) if what is Mark.START_UP else (True, False)
    at = np.flatnonzero(runs == first)
    return bool(len(at)) and bool((runs[at[0] :] == last).any())


def _moved(what: Mark, known: Floats) -> bool:
    """The last quarter above the first one by much, or below it."""
    quarter = len(known) // 4
    if not quarter:
        return False
    rise = float(known[-quarter:].mean() - known[:quarter].mean())
    return (rise if what is Mark.START_UP else -rise) >= RAMP * float(known.max()) > 0


def _none(start_ns: int, end_ns: int) -> Bools:
    return np.zeros((end_ns - start_ns) // MINUTE_NS, dtype=np.bool_)


def _values(curve: Curve, start_ns: int, end_ns: int) -> Floats:
    """Good values by minute; NaN where there is none. A longer window fills all its minutes."""
    found = np.full((end_ns - start_ns) // MINUTE_NS, np.nan)
    of = curve.windows
    good = (of.good >= MOSTLY) & ~np.isnan(of.mean)
    for n in np.flatnonzero(good):
        found[_minutes(curve, int(n), start_ns)] = of.mean[n]
    return found


def _reasons(curve: Curve, start_ns: int, end_ns: int) -> npt.NDArray[np.object_]:
    """Why most of a minute was not good, "" where it was or nothing is known."""
    found = np.full((end_ns - start_ns) // MINUTE_NS, "", dtype=np.object_)
    for n, reason in enumerate(curve.windows.reason):
        if reason and curve.windows.good[n] < MOSTLY:
            found[_minutes(curve, n, start_ns)] = reason
    return found


def _minutes(curve: Curve, n: int, start_ns: int) -> slice:
    of = curve.windows
    first = int(of.start_ns[n] - start_ns) // MINUTE_NS
    after = int(of.start_ns[n] + of.period_ns[n] - start_ns) // MINUTE_NS
    return slice(max(first, 0), max(after, 0))


def _runs(curve: Curve, start_ns: int, end_ns: int) -> Bools:
    return np.asarray(_values(curve, start_ns, end_ns) > curve.drawn.idle, dtype=np.bool_)


def _idle(curve: Curve, start_ns: int, end_ns: int) -> Bools:
    return np.asarray(_values(curve, start_ns, end_ns) <= curve.drawn.idle, dtype=np.bool_)


def _longest(flags: Bools) -> int:
    """The longest unbroken run of True."""
    longest = run = 0
    for flag in flags:
        run = run + 1 if flag else 0
        longest = max(longest, run)
    return longest
