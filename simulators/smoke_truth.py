"""
What really became of every hour of a simulated stack, with the simulator's own arithmetic.

The rules are the simulator's reading of the reference: 45 minutes make an hour; a source that
stands has no hours to judge; an hour's amount is mean concentration times mean flow; what is lost
is substituted with the highest of so many valid hours before it, by the quarter's capture rate.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from simulators.months import LOCAL
from simulators.smoke import FULL_SCALE, SPAN, Mask, StackMinutes
from simulators.smoke_plan import CHECK_AT, CHECK_MINUTES, RUNNING, Happening, SmokePlan
from simulators.wander import Floats

HOUR_S, MINUTES = 3600, 60
ENOUGH = 45  # valid minutes of an hour
VALID, INVALID, MISSING, EXCLUDED, OUT, STOPPED = (
    "valid",
    "invalid",
    "missing",
    "excluded",
    "out_of_control",
    "stopped",
)
EXEMPT = ("start_up", "shut_down")
TOLERATED = 0.10  # span drift, share of full scale, beyond which a channel is out of control
Names = npt.NDArray[np.str_]


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a stack that somebody will write down, [begin, end)."""

    kind: str
    begin: datetime
    end: datetime
    pollutants: tuple[str, ...] = ()

    def inside(self, time_s: Floats) -> Mask:
        found: Mask = (time_s >= self.begin.timestamp()) & (time_s < self.end.timestamp())
        return found


@dataclass(slots=True)
class PollutantTruth:
    """Arrays over the hours of the period; mg/m3 and kg, NaN where there is none."""

    dry: Floats
    converted: Floats
    minutes: npt.NDArray[np.int64]
    state: Names
    exempt: Mask
    exceeds: Mask
    amount_kg: Floats  # of valid hours
    substituted_kg: Floats  # of hours that were lost
    emitted_kg: Floats  # what really left the stack


@dataclass(slots=True)
class StackTruth:
    """Truth of one stack."""

    made: StackMinutes
    hour_s: Floats
    flow_nm3: Floats
    marks: tuple[Span, ...]
    out_of_control: tuple[Span, ...]
    pollutants: dict[str, PollutantTruth] = field(default_factory=dict)


def marks_of(plan: SmokePlan, stack: str) -> tuple[Span, ...]:
    """What an honest officer marks: work on the instrument, its failures, and the source."""
    kinds = {
        "maintenance": "maintenance",
        "fault": "fault",
        "stop": "stopped",
        "start_up": "start_up",
        "shut_down": "shut_down",
    }
    return tuple(
        Span(kinds[one.kind], one.begin, one.end) for one in plan.of(stack) if one.kind in kinds
    )


def out_of_control(plan: SmokePlan, stack: str) -> tuple[Span, ...]:
    """From the last good check before a drift is found until the calibration after it has ended."""
    planted = plan.of(stack)
    found = []
    for one in planted:
        if one.kind != "drift":
            continue
        if abs(one.size) * SPAN[one.pollutant] <= TOLERATED * FULL_SCALE[one.pollutant]:
            continue
        check = next_check(one)
        mended = min(x.end for x in planted if x.kind == "calibration" and x.begin >= check)
        found.append(Span(OUT, check - timedelta(days=1), mended, (one.pollutant,)))
    return tuple(found)


def next_check(drift: Happening) -> datetime:
    """End of the first daily check that begins in a drift."""
    midnight = drift.begin.replace(hour=0, minute=0)
    checks = (midnight + timedelta(days=n) + CHECK_AT for n in range(400))
    return next(x for x in checks if x >= drift.begin) + timedelta(minutes=CHECK_MINUTES)


def truth_of_stack(plan: SmokePlan, made: StackMinutes) -> StackTruth:
    """Every hour of one stack."""
    stack = made.design
    marks, out = marks_of(plan, stack.id), out_of_control(plan, stack.id)
    hours = made.time_s[::MINUTES]
    seen = _by_hour(made.there & ~made.off & (made.state == RUNNING))
    flow = _mean(made.gas_nm3_h, seen)
    stands = _by_hour(made.load > 0).sum(axis=1) == 0
    truth = StackTruth(made, hours, np.where(seen.sum(axis=1) >= ENOUGH, flow, np.nan), marks, out)
    for name in stack.usual:
        truth.pollutants[name] = _pollutant(truth, name, seen, stands)
    for one in truth.pollutants.values():
        _substitute(truth, one)
    return truth


def _by_hour(minutes: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return minutes.reshape(-1, MINUTES)


def _mean(minutes: Floats, good: Mask) -> Floats:
    """Mean over the good minutes of each hour, NaN without any."""
    count = good.sum(axis=1)
    values = np.where(good, np.nan_to_num(_by_hour(minutes)), 0.0).sum(axis=1)
    mean: Floats = np.where(count > 0, values / np.maximum(count, 1), np.nan)
    return mean


def _pollutant(truth: StackTruth, name: str, seen: Mask, stands: Mask) -> PollutantTruth:
    made = truth.made
    flat, converts = made.time_s, _by_hour(np.isfinite(made.converted[name]))
    lost = np.zeros(len(flat), dtype=bool)
    for mark in truth.marks:
        if mark.kind not in (*EXEMPT, "stopped"):
            lost |= mark.inside(flat)
    out = np.zeros(len(flat), dtype=bool)
    for span in truth.out_of_control:
        if name in span.pollutants:
            out |= span.inside(flat)
    good = seen & ~_by_hour(lost) & ~_by_hour(out)
    minutes = good.sum(axis=1)
    state = _states(made, minutes, _by_hour(lost), _by_hour(out), stands)
    exempt = np.zeros(len(state), dtype=bool)
    for mark in truth.marks:
        if mark.kind in EXEMPT:
            exempt |= _by_hour(mark.inside(flat)).any(axis=1)
    gain = made.gain[name]  # a drift that nobody has found yet is in what counts
    dry = _mean(made.true[name] * gain, good)
    meant = (good & converts).sum(axis=1)
    converted = _mean(made.converted[name] * gain, good & converts)
    # Too few minutes that can be converted, because of the air in the rest, are no hour.
    converted = np.where((meant < ENOUGH) & (good & ~converts).any(axis=1), np.nan, converted)
    limit = made.design.limits[name]
    counts = state == VALID
    # A sum of sixty exact values may be off in the sixteenth digit.
    above = np.nan_to_num(converted) > limit * (1 + 1e-9)
    emitted = _by_hour(made.true[name] * made.gas_nm3_h).mean(axis=1) * 1e-6
    return PollutantTruth(
        dry=dry,
        converted=converted,
        minutes=minutes,
        state=state,
        exempt=exempt,
        exceeds=counts & ~exempt & above & (meant >= ENOUGH),
        amount_kg=np.where(counts, dry * truth.flow_nm3 * 1e-6, np.nan),
        substituted_kg=np.full(len(state), np.nan),
        emitted_kg=emitted,
    )


def _states(
    made: StackMinutes,
    minutes: npt.NDArray[np.int64],
    lost: Mask,
    out: Mask,
    stands: Mask,
) -> Names:
    """One word for each hour: the strongest reason for which it does not count."""
    said = _by_hour(made.state != RUNNING) & ~_by_hour(made.off) & _by_hour(made.there)
    told = (said | lost).sum(axis=1)
    alone = (out & ~(said | lost)).sum(axis=1)
    few = minutes < ENOUGH
    state = np.where(few, INVALID, VALID)
    state = np.where(few & (minutes + told + alone >= ENOUGH), EXCLUDED, state)
    state = np.where(few & (alone > 0) & (alone >= told), OUT, state)
    state = np.where((minutes == 0) & (told + alone == 0), MISSING, state)
    found: Names = np.where(stands, STOPPED, state)
    return found


def quarter_of(hour_s: Floats) -> npt.NDArray[np.int64]:
    """Quarters of plant time, counted on from 1970."""
    months = ((hour_s + 28_800).astype("datetime64[s]")).astype("datetime64[M]").astype(np.int64)
    quarters: npt.NDArray[np.int64] = months // 3
    return quarters


def capture(state: Names, concentration: Floats | None = None) -> float:
    """
    (H - stopped - not valid) / (H - stopped), of 1; NaN when the source never ran.

    With ``concentration`` an hour counts that has one for the limit: air in the gas leaves none.
    """
    ran = np.count_nonzero(state != STOPPED)
    valid = state == VALID
    if concentration is not None:
        valid &= np.isfinite(concentration)
    return np.count_nonzero(valid) / ran if ran else float("nan")


def _substitute(truth: StackTruth, one: PollutantTruth) -> None:
    """Amounts of what was lost, gap by gap; nothing where the quarter is too poor."""
    quarters = quarter_of(truth.hour_s)
    lost = ~np.isin(one.state, (VALID, STOPPED))
    edges = np.flatnonzero(np.diff(np.r_[False, lost, False]))
    for first, after in edges.reshape(-1, 2):
        rate = capture(one.state[quarters == quarters[first]])
        if rate < 0.75:
            continue
        hours = 2160 if rate < 0.90 else 720 if after - first > 24 else 180
        kept = one.amount_kg[:first][one.state[:first] == VALID][-hours:]
        if len(kept):
            one.substituted_kg[first:after] = kept.max()


def as_json(truth: StackTruth) -> dict[str, Any]:
    """One stack for the truth file: sums, and every hour that is not an ordinary one."""
    return {
        "equipment": truth.made.design.equipment,
        "hours": len(truth.hour_s),
        "marks": [_span(mark) for mark in truth.marks],
        "out_of_control": [_span(span) for span in truth.out_of_control],
        "flow_nm3": float(np.nansum(truth.flow_nm3)),
        "pollutants": {name: _pollutant_json(truth, name) for name in truth.pollutants},
    }


def _span(span: Span) -> dict[str, Any]:
    return {
        "kind": span.kind,
        "begin": span.begin.isoformat(),
        "end": span.end.isoformat(),
        "pollutants": list(span.pollutants),
    }


def _pollutant_json(truth: StackTruth, name: str) -> dict[str, Any]:
    one = truth.pollutants[name]
    quarters = quarter_of(truth.hour_s)
    months = (truth.hour_s + 28_800).astype("datetime64[s]").astype("datetime64[M]")
    return {
        "limit": truth.made.design.limits[name],
        "exceeded": [hour_text(truth.hour_s[k]) for k in np.flatnonzero(one.exceeds)],
        "states": {
            word: int(np.count_nonzero(one.state == word)) for word in sorted(set(one.state))
        },
        "hours": [
            {
                "hour": hour_text(truth.hour_s[k]),
                "state": str(one.state[k]),
                "minutes": int(one.minutes[k]),
            }
            for k in np.flatnonzero(one.state != VALID)
        ],
        "capture": {
            quarter_text(int(q)): capture(one.state[quarters == q], one.converted[quarters == q])
            for q in np.unique(quarters)
        },
        "months": {str(month): _sums(one, months == month) for month in np.unique(months)},
        "total": _sums(one, np.ones(len(one.state), dtype=bool)),
    }


def _sums(one: PollutantTruth, mine: Mask) -> dict[str, float | None]:
    levels = one.converted[mine & (one.state == VALID) & np.isfinite(one.converted)]
    return {
        "valid_hours": len(levels),
        "lost_hours": int(np.count_nonzero(~np.isin(one.state[mine], (VALID, STOPPED)))),
        "capture": capture(one.state[mine], one.converted[mine]),
        "measured_t": float(np.nansum(one.amount_kg[mine])) / 1000,
        "substituted_t": float(np.nansum(one.substituted_kg[mine])) / 1000,
        "substituted_hours": int(np.isfinite(one.substituted_kg[mine]).sum()),
        "emitted_t": float(one.emitted_kg[mine].sum()) / 1000,
        "exceeded_hours": int(one.exceeds[mine].sum()),
        "hour_max": float(levels.max()) if len(levels) else None,
    }


def hour_text(time_s: float) -> str:
    """``2025-04-17T13:00+08:00``."""
    return datetime.fromtimestamp(time_s, LOCAL).isoformat(timespec="minutes")


def quarter_text(quarter: int) -> str:
    """``2025-Q1``."""
    return f"{1970 + quarter // 4}-Q{quarter % 4 + 1}"
