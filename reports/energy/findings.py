"""
What stands out about a pot against its line: set voltage, resistance, noise, effects, sensors.

Measurements are judged against the spread of the pots of the same line (median and median absolute
deviation, with an engineering floor), so that a line without a bad pot yields nothing. A set
voltage is an order and repeated effects are too many anywhere: these are judged by absolute
limits, so that many bad pots of a line do not hide one another.
"""

from dataclasses import dataclass
from math import exp, lgamma, log
from typing import Final, Literal

import numpy as np

from drivers.model import Floats
from reports.energy.pot_parameters import PotParameters
from reports.energy.pot_statistics import robust_score, step_of, theil_sen
from reports.energy.pots import PotDays, median_of, noise_mv
from reports.values import Text

Cause = Literal[
    "sensor", "set_voltage", "voltage", "resistance", "drift", "feeder", "effects", "noise"
]
CAUSES: Final = {
    "sensor": Text(zh="电压测量可疑", en="suspect voltage sensor"),
    "set_voltage": Text(zh="设定电压偏高", en="set voltage too high"),
    "resistance": Text(
        zh="工作电压高于设定（极距或接触、阴极压降）",
        en="works above its set voltage (distance, joints or cathode)",
    ),
    "voltage": Text(
        zh="工作电压偏高（设定电压未采集）", en="works high (set voltage not recorded)"
    ),
    "drift": Text(zh="工作电压持续上升", en="working voltage keeps rising"),
    "feeder": Text(zh="下料器堵塞或缺料", en="feeder blocked or short-filled"),
    "effects": Text(zh="阳极效应频发", en="repeated anode effects"),
    "noise": Text(zh="槽况不稳（低频噪声）", en="unstable (low-frequency noise)"),
}
NOISE_FLOOR_MV: Final = 4.0
SAME_STEP: Final = 0.5  # the series' rest moved by that share of the pot's step, the other way
STEP_SCORE: Final = 8.0
TIE_MV: Final = 0.1  # orders come in whole mV, their means not quite
EFFECTS_LEAST: Final = 3  # fewer are no repetition
SUM_SHARE: Final = 0.95  # of a day, for a pot to be in the sum of that day
SUM_POTS: Final = 0.9  # of the pots, for their sum to be one


@dataclass(frozen=True, slots=True)
class Finding:
    """What stands out: figure in ``unit``, against ``usual`` of the line."""

    cause: Cause
    figure: float
    usual: float
    unit: str
    text: Text


def findings_of(
    days: PotDays, by: PotParameters, series_v: Floats | None = None
) -> list[list[Finding]]:
    """
    Findings of every pot, the most telling first.

    ``series_v`` is the voltage of the series by day (V, NaN where unknown), for the check of the
    sensors against the sum of the pots. A pot with too few days has none but on its sensor.
    """
    found: list[list[Finding]] = [[] for _ in days.pots]
    enough = days.days >= by.days_least
    for judge in (_sensors, _set_voltage, _voltage, _drift, _resistance, _feeder, _effects, _noise):
        made = judge(days, by, series_v)
        for pot, finding in made.items():
            known = {each.cause for each in found[pot]}
            told = "sensor" in known or ("drift" in known and finding.cause == "resistance")
            if (enough[pot] or finding.cause == "sensor") and not told:
                found[pot].append(finding)
    return found


def _sensors(days: PotDays, by: PotParameters, series_v: Floats | None) -> dict[int, Finding]:
    found = {
        int(k): Finding(
            "sensor",
            float(days.lost["frozen"][k]),
            0.0,
            "d",
            Text(
                zh=f"电压信号冻结 {days.lost['frozen'][k]:.0f} 天，检查测量线与槽控机",
                en=f"voltage did not move on {days.lost['frozen'][k]:.0f} days: check the leads",
            ),
        )
        for k in np.flatnonzero(days.lost["frozen"] > 0)
    }
    if series_v is None:
        return found
    rest = _unexplained(days, series_v)
    volts = _against_line(days)
    for k in range(len(days.pots)):
        step = step_of(volts[:, k])
        if step is None or abs(step.size) < by.sensor_step_mv / 1000 or step.score < STEP_SCORE:
            continue
        before, after = rest[: step.at], rest[step.at :]
        moved = median_of(after) - median_of(before)
        if abs(moved + step.size) <= SAME_STEP * abs(step.size):
            found.setdefault(
                k,
                Finding(
                    "sensor",
                    step.size * 1000,
                    moved * 1000,
                    "mV",
                    Text(
                        zh=f"电压跳变 {step.size * 1000:+.0f} mV，系列电压未随之变化，检查测量",
                        en=f"voltage stepped {step.size * 1000:+.0f} mV, the series' did not: "
                        "check the measurement",
                    ),
                ),
            )
    return found


def _unexplained(days: PotDays, series_v: Floats) -> Floats:
    """
    Series voltage less the sum of the pots by day, V; NaN where too few pots are known.

    A pot in operation that was not seen is taken at its own median, which is good for a step.
    """
    seen = np.nan_to_num(days.values["counted_s"]) >= SUM_SHARE * 86_400
    off = sum(np.nan_to_num(days.values[f"{r}_s"]) for r in ("stopped", "cut_out"))
    out = off >= SUM_SHARE * 86_400
    volts = np.where(seen, days.values["voltage"], np.nan)
    middle = median_of(volts)
    usual = np.array([median_of(column) for column in volts.T])
    stands_in = np.where(out, 0.0, np.where(np.isfinite(usual), usual, middle))
    total = np.where(seen, np.nan_to_num(volts), stands_in).sum(axis=1)
    whole = (seen | out).mean(axis=1) >= SUM_POTS
    rest: Floats = np.where(whole, series_v - total, np.nan)
    return rest


def _against_line(days: PotDays) -> Floats:
    """Working voltage less the line's median of the day, V; NaN where a day does not count."""
    volts = np.where(days.counts, days.values["working"], np.nan)
    middle = np.array([median_of(row) for row in volts])
    against: Floats = volts - middle[:, None]
    return against


def _set_voltage(days: PotDays, by: PotParameters, _: Floats | None) -> dict[int, Finding]:
    set_v = days.mean("set_voltage")
    usual = set_reference(set_v, by)
    above = (set_v - usual) * 1000
    high = np.flatnonzero(np.nan_to_num(above) >= by.set_high_mv - TIE_MV)
    known = int(np.isfinite(set_v).sum())
    many = len(high) > 1
    return {
        int(k): Finding(
            "set_voltage",
            float(set_v[k]),
            usual,
            "V",
            Text(
                zh=f"设定电压 {set_v[k]:.3f} V，比系列参考值 {usual:.3f} V 高 {above[k]:.0f} mV"
                + (f"（{known} 台中 {len(high)} 台同样偏高）" if many else ""),
                en=f"set voltage {set_v[k]:.3f} V, {above[k]:.0f} mV above the line's reference "
                f"{usual:.3f} V" + (f" ({len(high)} of {known} pots are too high)" if many else ""),
            ),
        )
        for k in high
    }


def set_reference(set_v: Floats, by: PotParameters) -> float:
    """
    The line's usual set voltage, V, whatever is ordered on up to some half of its pots.

    Median of the pots less than ``set_high_mv`` above the lower quartile; NaN where none is known.
    """
    known = set_v[np.isfinite(set_v)]
    if not len(known):
        return float("nan")
    low = float(np.quantile(known, 0.25))
    return median_of(known[known < low + (by.set_high_mv - TIE_MV) / 1000])


def _voltage(days: PotDays, by: PotParameters, _: Floats | None) -> dict[int, Finding]:
    """Where no set voltage is recorded, the working voltage itself."""
    set_v, target = days.mean("set_voltage"), days.mean("target_voltage")
    unknown = ~np.isfinite(set_v) & ~np.isfinite(target)
    working = np.where(unknown, days.mean("working"), np.nan)
    score, middle = robust_score(working, by.usual_set_mv / 1000)
    return {
        int(k): Finding(
            "voltage",
            float(working[k]),
            middle,
            "V",
            Text(
                zh=f"工作电压 {working[k]:.3f} V，系列中位数 {middle:.3f} V，核对设定电压与压降",
                en=f"works at {working[k]:.3f} V, the line's median {middle:.3f} V: check the set "
                "voltage and the drops",
            ),
        )
        for k in np.flatnonzero(score >= by.stands_out)
    }


def _resistance(days: PotDays, by: PotParameters, _: Floats | None) -> dict[int, Finding]:
    target, set_v = days.mean("target_voltage"), days.mean("set_voltage")
    above = (days.mean("working") - np.where(np.isfinite(target), target, set_v)) * 1000
    score, middle = robust_score(above, by.usual_deviation_mv)
    return {
        int(k): Finding(
            "resistance",
            float(above[k]),
            middle,
            "mV",
            Text(
                zh=f"工作电压高于目标 {above[k]:.0f} mV（系列 {middle:.0f} mV），"
                "测量极距、卡具和炉底压降",
                en=f"works {above[k]:.0f} mV above its target (line {middle:.0f} mV): measure "
                "anode distance, clamps and cathode",
            ),
        )
        for k in np.flatnonzero(score >= by.stands_out)
    }


def _drift(days: PotDays, by: PotParameters, _: Floats | None) -> dict[int, Finding]:
    volts = _against_line(days) * 1000
    slopes = np.array([theil_sen(volts[:, k]) for k in range(volts.shape[1])]) * 30
    score, middle = robust_score(slopes, by.usual_drift_mv)
    return {
        int(k): Finding(
            "drift",
            float(slopes[k]),
            middle,
            "mV/30d",
            Text(
                zh=f"工作电压每 30 天上升 {slopes[k]:.0f} mV",
                en=f"working voltage rises {slopes[k]:.0f} mV per 30 days",
            ),
        )
        for k in np.flatnonzero((score >= by.stands_out) & (slopes > 0))
        if not _stepped(volts[:, k])
    }


def _stepped(volts_mv: Floats) -> bool:
    """A single step is no drift: around it the halves are flat."""
    step = step_of(volts_mv / 1000)
    if step is None or not step.size:
        return False
    parts = (volts_mv[: step.at], volts_mv[step.at :])
    inside = sum(abs(theil_sen(part)) * len(part) for part in parts)
    return bool(inside < 0.35 * abs(step.size) * 1000)


def _feeder(days: PotDays, by: PotParameters, _: Floats | None) -> dict[int, Finding]:
    seen_days = days.values["counted_s"] / 86_400
    rate = np.where(days.counts, days.values["shots"] / seen_days, np.nan)
    shots = np.array([median_of(rate[:, k]) for k in range(rate.shape[1])])
    ratio = shots / median_of(shots)
    score, _middle = robust_score(ratio, by.usual_feed_share)
    return {
        int(k): Finding(
            "feeder",
            float(shots[k]),
            median_of(shots),
            "1/d",
            Text(
                zh=f"日下料 {shots[k]:.0f} 次，为系列的 {ratio[k] * 100:.0f} %，检查下料器与定容",
                en=f"{shots[k]:.0f} shots a day, {ratio[k] * 100:.0f} % of the line's: check the "
                "feeder and its dose",
            ),
        )
        for k in np.flatnonzero(score >= by.stands_out)
    }


def _effects(days: PotDays, by: PotParameters, _: Floats | None) -> dict[int, Finding]:
    number = np.where(days.counts, days.effects, 0.0).sum(axis=0)
    known = days.days
    many = (number >= EFFECTS_LEAST) & (number >= by.effects_many * known)
    found = {}
    for k in np.flatnonzero(number >= EFFECTS_LEAST):
        others = ~many  # pots of repeated effects say nothing of what is usual
        others[k] = False
        others_days = float(known[others].sum())
        rate = (float(number[others].sum()) + 0.5) / others_days if others_days > 0 else 0.0
        chance = poisson_tail(int(number[k]), rate * known[k]) if others_days > 0 else 1.0
        if many[k] or chance < by.effects_chance / len(days.pots):
            found[int(k)] = Finding(
                "effects",
                float(number[k] / known[k]),
                rate,
                "1/d",
                Text(
                    zh=f"阳极效应 {number[k]:.0f} 次，{number[k] / known[k]:.2f} 次/槽·日"
                    f"（其余槽 {rate:.3f}）",
                    en=f"{number[k]:.0f} anode effects, {number[k] / known[k]:.2f} per day "
                    f"(other pots {rate:.3f})",
                ),
            )
    return found


def _noise(days: PotDays, by: PotParameters, _: Floats | None) -> dict[int, Finding]:
    noise = noise_mv(days)
    score, middle = robust_score(noise, NOISE_FLOOR_MV)
    loud = (score >= by.stands_out) & (np.nan_to_num(noise) > by.noise_high_mv)
    return {
        int(k): Finding(
            "noise",
            float(noise[k]),
            middle,
            "mV",
            Text(
                zh=f"低频噪声 {noise[k]:.0f} mV（系列 {middle:.0f} mV），先稳槽再降压",
                en=f"low-frequency noise {noise[k]:.0f} mV (line {middle:.0f} mV): steady it first",
            ),
        )
        for k in np.flatnonzero(loud)
    }


def poisson_tail(count: int, mean: float) -> float:
    """P(at least ``count``) of a Poisson variable with that mean."""
    if mean <= 0:
        return 0.0 if count > 0 else 1.0
    below = sum(exp(k * log(mean) - mean - lgamma(k + 1)) for k in range(count))
    return max(0.0, 1.0 - below)
