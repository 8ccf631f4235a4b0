"""How well an instrument of a stack measures: against a reference, and its drift."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

from reports.formulas.formula import Formula
from reports.formulas.numbers import FormulaError, Number, choice, exact, positive
from reports.formulas.parameters import read_table
from reports.formulas.stack_checks import rule
from reports.formulas.stack_names import INSTRUMENTS, whole

STUDENT_95: Final = dict(  # t of Student, two-sided 95 %, by degrees of freedom
    enumerate(
        (
            *("12.706", "4.303", "3.182", "2.776", "2.571", "2.447", "2.365", "2.306", "2.262"),
            *("2.228", "2.201", "2.179", "2.160", "2.145", "2.131", "2.120", "2.110", "2.101"),
            *("2.093", "2.086", "2.080", "2.074", "2.069", "2.064", "2.060", "2.056", "2.052"),
            *("2.048", "2.045", "2.042"),
        ),
        1,
    )
)


class Accuracy(NamedTuple):
    """A test against reference measurements; differences in the unit of the pairs."""

    ra_percent: Decimal
    mean_difference: Decimal
    deviation: Decimal
    confidence: Decimal
    re_percent: Decimal


class Drift(NamedTuple):
    """Percent of full scale, and what follows: within | adjust | out_of_control."""

    drift_percent: Decimal
    verdict: str


def relative_accuracy(
    pairs: Sequence[Mapping[str, object]], least_pairs: Number | None = None
) -> Accuracy:
    """
    Relative accuracy of a CEMS by pairs with the reference method.

        d = ref - cems    CC = t * Sd / sqrt(n)    RA = (|mean d| + |CC|) / mean ref * 100
        RE = mean(cems - ref) / mean ref * 100

    ref and cems (any unit, the same, same state), Sd standard deviation with n - 1, t of Student at
    95 % with n - 1 degrees of freedom (2.571 for 6 pairs, 2.306 for 9), RA and RE (%). 2 to 31
    pairs; refused when the mean reference is not above zero. Nothing is rounded. Source: public
    programs that cite HJ 75-2017; t tables of statistics.
    """
    rows = read_table("pairs", pairs, {"reference_value": exact, "cems_value": exact})
    n = len(rows)
    asked = 2 if least_pairs is None else int(whole("least_pairs", least_pairs))
    least = max(asked, 2)
    if n < least or n - 1 not in STUDENT_95:
        raise FormulaError(
            f"pairs：{n} 对；须有 {least} 至 {len(STUDENT_95) + 1} 对",
            f"pairs: {n} of them; {least} to {len(STUDENT_95) + 1} are needed",
        )
    mean_reference = sum((r["reference_value"] for r in rows), Decimal(0)) / n
    positive("reference_value", mean_reference)
    differences = [r["reference_value"] - r["cems_value"] for r in rows]
    mean = sum(differences, Decimal(0)) / n
    squares = sum(((d - mean) ** 2 for d in differences), Decimal(0))
    deviation = (squares / (n - 1)).sqrt()
    confidence = Decimal(STUDENT_95[n - 1]) * deviation / Decimal(n).sqrt()
    ra = (abs(mean) + confidence) / mean_reference * 100
    return Accuracy(ra, mean, deviation, confidence, -mean / mean_reference * 100)


def _drift(
    shown: Number,
    true_value: Number,
    full_scale: Number,
    instrument: str,
    limits: tuple[Number | None, Number | None],
) -> Drift:
    choice("instrument", instrument, INSTRUMENTS)
    allowed = rule("limit_percent", limits[0], positive)
    control = rule("control_percent", limits[1], positive)
    if control < allowed:
        raise FormulaError(
            f"control_percent：失控限值 {control} 小于漂移限值 {allowed}",
            f"control_percent: {control} is below the drift allowed, {allowed}",
        )
    scale = positive("full_scale", full_scale)
    true = exact("true_value", true_value)
    if abs(true) > scale:
        raise FormulaError(
            f"true_value：{true} 超出满量程 {scale}", f"true_value: {true} is beyond full scale"
        )
    drift = (exact("shown", shown) - true) / scale * 100
    size = abs(drift)
    verdict = "within" if size <= allowed else "adjust" if size <= control else "out_of_control"
    return Drift(drift, verdict)


def zero_drift(
    shown: Number,
    true_value: Number,
    full_scale: Number,
    instrument: str,
    limit_percent: Number | None = None,
    control_percent: Number | None = None,
) -> Drift:
    """
    Zero drift.

        ZD = (Z - Z0) / R * 100

    Z shown with zero gas and Z0 its value or the zero after the last calibration (any unit), R full
    scale (same unit), ZD (%); within the limit, to be adjusted, or beyond the control limit: then
    data are out of control since the last good check. Limits (%) by the kind of instrument. Source:
    HJ 75-2017; its limits are recalled, check them.
    """
    return _drift(shown, true_value, full_scale, instrument, (limit_percent, control_percent))


def span_drift(
    shown: Number,
    true_value: Number,
    full_scale: Number,
    instrument: str,
    limit_percent: Number | None = None,
    control_percent: Number | None = None,
) -> Drift:
    """
    Span drift.

        SD = (S - S0) / R * 100

    S shown with span gas and S0 its value (any unit), R full scale (same unit), SD (%); judged as
    in zero_drift. Source: HJ 75-2017; its limits are recalled, check them.
    """
    return _drift(shown, true_value, full_scale, instrument, (limit_percent, control_percent))


def _drift_rules(which: str) -> Any:
    def found(values: Mapping[str, Any]) -> Mapping[str, str]:
        kind = values.get("instrument")
        kind = kind if kind in INSTRUMENTS else "gas"
        allowed, control = f"{which}_drift_{kind}", f"{which}_control_{kind}"
        return {"limit_percent": f"cn_hj75.{allowed}", "control_percent": f"cn_hj75.{control}"}

    return found


_DRIFT = ("S", "S0", "R", "kind", "limit", "control")

CATALOGUE = (
    Formula(
        relative_accuracy,
        ("ref, cems", "n0"),
        "RA = (|mean d| + |CC|) / mean ref × 100; CC = t × Sd / √n; d = ref − cems",
        "相对准确度",
        "relative accuracy",
        {"least_pairs": "cn_hj75.accuracy_pairs"},
    ),
    Formula(
        zero_drift,
        _DRIFT,
        "ZD = (Z − Z0) / R × 100",
        "零点漂移",
        "zero drift",
        _drift_rules("zero"),
    ),
    Formula(
        span_drift,
        _DRIFT,
        "SD = (S − S0) / R × 100",
        "量程漂移",
        "span drift",
        _drift_rules("span"),
    ),
)
