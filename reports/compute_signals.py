"""What ``smelter compute`` knows beyond the formulas: anode effects in a trace of a pot."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from math import isnan
from typing import NamedTuple

import numpy as np

from drivers.signals.anode_effects import AnodeEffect, EffectLimits, find_effects
from drivers.signals.effect import SECOND_NS
from reports.formulas import FORMULAS, GROUPS, Formula, Group
from reports.formulas.numbers import FormulaError, Number, amount, positive, pot_volts
from reports.formulas.parameter import Check

IN_OPERATION = 1
LINK_LOST = 1
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class EffectsFound(NamedTuple):
    """Anode effects, one row each, in order of time."""

    events: list[dict[str, object]]


class Sample(NamedTuple):
    """A row of a trace; NaN is not seen, or not told."""

    time_ns: int
    voltage_v: float
    target_v: float
    running: bool


def anode_effects(
    trace: object,
    threshold_v: Number = 8,
    hold_s: Number = 3,
    over_s: Number = 3,
    merge_s: Number = 120,
    target_v: Number = 4,
) -> EffectsFound:
    """
    Anode effects in a recorded voltage of one pot, as the gateway finds them on live data.

        effect = V >= V_AE for t_AE or longer; overvoltage = integral of (V - V_target) dt

    V voltage (V) by time_s (seconds, or days and times), V_AE threshold (V) and t_AE time it must
    hold (s); it is over after over_s below (s), and goes on where it comes back within merge_s (s).
    V_target from the column target_v, else the parameter (V). Rows with a mode other than 1 are no
    effect; an empty voltage, or link 1, is time not seen: gap_s tells how much of it lies inside
    an effect. Effects at low voltage cannot be seen so. Source: usual convention of 8 V
    for 3 s, recalled; overvoltage as in EU 601/2012 annex IV 8.B.
    """
    text = _texts(trace)
    samples = [_sample(number, row) for number, row in enumerate(text, 1)]
    _check_order(samples)
    try:
        limits = EffectLimits(
            threshold_v=float(positive("threshold_v", threshold_v)),
            hold_s=float(amount("hold_s", hold_s)),
            over_s=float(amount("over_s", over_s)),
            merge_s=float(amount("merge_s", merge_s)),
            target_v=float(amount("target_v", target_v)),
        )
    except ValueError as error:
        if isinstance(error, FormulaError):
            raise
        raise FormulaError(
            f"target_v：目标电压须低于判定电压 threshold_v（{threshold_v} V）",
            f"target_v: must be below threshold_v ({threshold_v} V)",
        ) from None
    times = np.array([each.time_ns for each in samples], dtype=np.int64)
    usual_s = float(np.median(np.diff(times))) / SECOND_NS if len(times) > 1 else 1.0
    found = find_effects(
        times,
        np.array([each.voltage_v for each in samples]),
        target=np.array([each.target_v for each in samples]),
        running=np.array([each.running for each in samples], dtype=np.bool_),
        limits=replace(limits, stale_s=3 * usual_s),
    )
    first = text[0].get("time_s")
    return EffectsFound([_event(effect, first) for effect in found])


def _texts(trace: object) -> list[Mapping[str, object]]:
    bad = isinstance(trace, str | Mapping) or not isinstance(trace, Sequence)
    rows = [] if bad else [row for row in trace if isinstance(row, Mapping)]  # type: ignore[attr-defined]
    if not rows:
        raise FormulaError(
            "trace：须为表格，至少一行；列：time_s, voltage_v，可加 target_v, mode, link",
            "trace: a table of at least one row is needed, columns time_s, voltage_v, and "
            "target_v, mode, link where known",
        )
    return rows


def _seconds(value: object) -> Decimal | None:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


def _sample(number: int, row: Mapping[str, object]) -> Sample:
    where = f"trace[{number}]"
    volt = _optional(where, "voltage_v", row, pot_volts)
    lost = _optional(where, "link", row) == LINK_LOST
    mode = _optional(where, "mode", row)
    return Sample(
        time_ns=_time_ns(f"{where}.time_s", row.get("time_s")),
        voltage_v=float("nan") if lost else volt,
        target_v=_optional(where, "target_v", row),
        running=isnan(mode) or mode == IN_OPERATION,
    )


def _optional(where: str, column: str, row: Mapping[str, object], check: Check = amount) -> float:
    value = row.get(column)
    return float("nan") if value is None else float(check(f"{where}.{column}", value))


def _time_ns(name: str, value: object) -> int:
    seconds = _seconds(value)
    if seconds is not None and seconds.is_finite() and not isinstance(value, bool):
        return int(seconds * SECOND_NS)
    try:
        moment = _moment(value)
    except ValueError:
        raise FormulaError(
            f"{name}：{value!r} 不是时间；请填写秒数或 2026-10-01T08:00:00",
            f"{name}: {value!r} is no time; write seconds or 2026-10-01T08:00:00",
        ) from None
    since = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - EPOCH
    return since // timedelta(microseconds=1) * 1000


def _moment(value: object) -> datetime:
    return datetime.fromisoformat(str(value).replace("/", "-"))


def _check_order(samples: Sequence[Sample]) -> None:
    for number, (before, after) in enumerate(pairwise(samples), 2):
        if after.time_ns <= before.time_ns:
            raise FormulaError(
                f"trace[{number}].time_s：不晚于上一行；请按时间先后排列，去掉重复",
                f"trace[{number}].time_s: not after the row before; sort by time, drop doubles",
            )


def _event(effect: AnodeEffect, first: object) -> dict[str, object]:
    """A row; times are written as the trace begins: seconds, or days and times of its zone."""

    def time(at_ns: int | None) -> object:
        if at_ns is None or _seconds(first) is not None:
            return None if at_ns is None else Decimal(at_ns) / SECOND_NS
        moment, zone = EPOCH + timedelta(microseconds=at_ns // 1000), _moment(first).tzinfo
        return (moment.astimezone(zone) if zone else moment.replace(tzinfo=None)).isoformat()

    return {
        "start": time(effect.start_ns),
        "end": time(effect.end_ns),
        "duration_s": round(effect.duration_s, 3),
        "peak_v": effect.peak_v,
        "mean_v": round(effect.mean_v, 6),
        "overvoltage_vs": round(effect.overvoltage_vs, 6),
        "gap_s": round(effect.gap_s, 3),
        "ignitions": effect.ignitions,
        "ending": effect.ending.value,
    }


def _all() -> Iterator[Group]:
    yield from GROUPS
    yield Group("单槽信号", "Signals of a pot", CATALOGUE)


CATALOGUE = (
    Formula(
        anode_effects,
        ("V(t)", "V_AE", "t_AE", "t_over", "t_merge", "V_target"),
        "effect = V >= V_AE for t_AE or longer",
        "录波中的阳极效应",
        "anode effects in a trace",
    ),
)
COMPUTABLE_GROUPS = tuple(_all())
COMPUTABLE: dict[str, Formula] = FORMULAS | {each.name: each for each in CATALOGUE}
