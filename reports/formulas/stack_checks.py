"""Whether stack data are valid: minutes to months, capture rate, drift, tests, transmission."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

from reports.formulas.formula import Formula
from reports.formulas.numbers import FormulaError, Number, amount, choice, exact, positive
from reports.formulas.parameters import read_table
from reports.formulas.stack_names import INSTRUMENTS, gas_percent, whole

VALID, INVALID = "valid", "invalid"
NORMAL, FAULT = "N", "D"
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


class Validity(NamedTuple):
    """Valid or not, the share of normal data in percent and the flag that follows from it."""

    verdict: str
    share_percent: Decimal
    flag: str


class MinuteValidity(NamedTuple):
    """As Validity; ``rule``: by the count of readings, or by their share where they are rare."""

    verdict: str
    share_percent: Decimal
    flag: str
    rule: str


class MonthValidity(NamedTuple):
    """Valid or not."""

    verdict: str
    least_days: Decimal


class Capture(NamedTuple):
    """Percent of the hours the source ran."""

    capture_percent: Decimal


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


class Transmission(NamedTuple):
    """Percent."""

    rate_percent: Decimal
    sent_percent: Decimal
    valid_percent: Decimal


def rule(name: str, value: object, check: Any = amount) -> Decimal:
    """A number of the rules. Raises FormulaError when it was left out."""
    if value is None:
        raise FormulaError(
            f"{name}：属标准规定的参数，公式内不设缺省值；请填写（smelter compute 自动取自规则包）",
            f"{name}: is a number of the standard and not known to the formula; give it (smelter "
            "compute takes it from the rule pack)",
        )
    found: Decimal = check(name, value)
    return found


def _share(
    name: str, valid: Decimal, most: Decimal, least_share_percent: Number | None
) -> tuple[Decimal, str]:
    if valid > most:
        raise FormulaError(
            f"{name}：{valid} 多于应有的 {most}；请核对",
            f"{name}: {valid} is more than the {most} there can be; check it",
        )
    share = valid / most * 100
    normal = share >= rule("least_share_percent", least_share_percent, gas_percent)
    return share, NORMAL if normal else FAULT


def minute_validity(
    valid_readings: Number,
    expected_readings: Number,
    spacing_s: Number,
    least_readings: Number | None = None,
    most_spacing_s: Number | None = None,
    least_share_percent: Number | None = None,
) -> MinuteValidity:
    """
    Whether a minute mean is valid.

        valid = n >= n0 and share >= p0 where readings are no more than d0 apart, else share >= p0

    n valid readings of the minute and n0 how many are needed (count), share = n / expected (%), p0
    the least share (%), spacing of readings and d0 (s). Where they come less often than d0, no
    count is asked and the share alone decides: ``rule`` says which way it was judged. Source: HJ
    212-2017 appendix D.2 equation 23 (n0 = 12, d0 = 5 s), notes to tables C.16 to C.18 (p0 = 75 %);
    to use the share for rare readings is our own reading.
    """
    n = whole("valid_readings", valid_readings)
    expected = positive("expected_readings", whole("expected_readings", expected_readings))
    share, flag = _share("valid_readings", n, expected, least_share_percent)
    dense = positive("spacing_s", spacing_s) <= rule("most_spacing_s", most_spacing_s, positive)
    good = flag == NORMAL and n > 0
    if dense:
        good = good and n >= rule("least_readings", least_readings, whole)
    verdict = VALID if good else INVALID
    return MinuteValidity(verdict, share, flag, "count" if dense else "share")


def hour_validity(
    valid_minutes: Number,
    least_minutes: Number | None = None,
    least_share_percent: Number | None = None,
) -> Validity:
    """
    Whether an hour mean is valid.

        valid = k >= k0;  flag = N where k / 60 >= p0, else D

    k valid minutes and k0 how many are needed (min), p0 the least share of normal data (%). Source:
    HJ 212-2017 appendix D.2 equation 24 (k0 = 45), note to table C.17 (p0 = 75 %).
    """
    k = whole("valid_minutes", valid_minutes)
    share, flag = _share("valid_minutes", k, Decimal(60), least_share_percent)
    good = k >= rule("least_minutes", least_minutes, whole)
    return Validity(VALID if good else INVALID, share, flag)


def day_validity(
    valid_hours: Number,
    least_hours: Number | None = None,
    least_share_percent: Number | None = None,
) -> Validity:
    """
    Whether a day mean is valid; it is a stricter question than its flag.

        valid = m >= m0;  flag = N where m / 24 >= p0, else D

    m valid hours and m0 how many are needed (h), p0 the least share of normal data (%): with 18 or
    19 hours the day is flagged N and yet its mean is not valid. Source: HJ 212-2017 appendix D.2
    equation 25 (m0 = 20), note to table C.18 (p0 = 75 %).
    """
    m = whole("valid_hours", valid_hours)
    share, flag = _share("valid_hours", m, Decimal(24), least_share_percent)
    good = m >= rule("least_hours", least_hours, whole)
    return Validity(VALID if good else INVALID, share, flag)


def month_validity(
    valid_days: Number, month_number: Number, least_days: Number | None = None
) -> MonthValidity:
    """
    Whether a month mean is valid.

        valid = d >= d0

    d valid days and d0 how many are needed (all in d): 25, of February 23. Source: HJ 76-2017
    appendix B as restated by others.
    """
    number = whole("month_number", month_number)
    if not 1 <= number <= 12:
        raise FormulaError(
            f"month_number：{month_number} 不是月份；请写 1–12",
            f"month_number: {month_number} is no month; write 1 to 12",
        )
    days = whole("valid_days", valid_days)
    if days > 31:
        raise FormulaError(
            f"valid_days：{days} 日，一个月没有这么多日",
            f"valid_days: no month has {days} days",
        )
    least = rule("least_days", least_days, whole)
    return MonthValidity(VALID if days >= least else INVALID, least)


def capture_rate(hours: Number, stopped: Number, invalid: Number) -> Capture:
    """
    Share of valid data in the hours that the source ran.

        alpha = (H - stop - invalid) / (H - stop) * 100

    alpha (%), H hours of the quarter, stop hours flagged F (source stopped), invalid hours that are
    neither F nor N, missing ones among them (all in h). Refused when the source stood all the time:
    there is nothing to capture. Source: public programs that cite HJ 75-2017.
    """
    whole_time, stood = amount("hours", hours), amount("stopped", stopped)
    lost = amount("invalid", invalid)
    if stood + lost > whole_time:
        raise FormulaError(
            f"stopped、invalid：{stood} + {lost} 小时多于总小时 {whole_time}；停运小时不计入无效",
            f"stopped, invalid: {stood} + {lost} hours are more than the {whole_time} of the "
            "period; a stopped hour is not an invalid one as well",
        )
    if stood == whole_time:
        raise FormulaError(
            "stopped：整个时段停运，没有捕集率",
            "stopped: the source stood all the time, there is no capture rate",
        )
    return Capture((whole_time - stood - lost) / (whole_time - stood) * 100)


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


def effective_transmission_rate(
    expected: Number, sent: Number, due: Number, valid: Number
) -> Transmission:
    """
    Effective transmission rate of a monitoring point.

        rate = (sent / expected) * (valid / due) * 100

    Groups of data that should be sent and were, that should be valid and are (all counts), rates
    (%). Groups that are not counted (a stop that was reported) are left out of both counts. Source:
    public programs of the national platform's users.
    """
    should, did = whole("expected", expected), whole("sent", sent)
    ought, are = whole("due", due), whole("valid", valid)
    for name, part, most in (("sent", did, should), ("valid", are, ought)):
        if part > most:
            raise FormulaError(
                f"{name}：{part} 多于应有的 {most}",
                f"{name}: {part} is more than the {most} there should be",
            )
    sent_share = did / positive("expected", should)
    valid_share = are / positive("due", ought)
    return Transmission(sent_share * valid_share * 100, sent_share * 100, valid_share * 100)


def _month_rule(values: Mapping[str, Any]) -> Mapping[str, str]:
    february = values.get("month_number") in {2, "2"}
    return {"least_days": f"cn_hj76.month_days{'_february' if february else ''}"}


def _drift_rules(which: str) -> Any:
    def found(values: Mapping[str, Any]) -> Mapping[str, str]:
        kind = values.get("instrument")
        kind = kind if kind in INSTRUMENTS else "gas"
        allowed, control = f"{which}_drift_{kind}", f"{which}_control_{kind}"
        return {"limit_percent": f"cn_hj75.{allowed}", "control_percent": f"cn_hj75.{control}"}

    return found


_SHARE = {"least_share_percent": "cn_hj212.normal_share"}
_DRIFT = ("S", "S0", "R", "kind", "limit", "control")

CATALOGUE = (
    Formula(
        minute_validity,
        ("n", "expected", "d", "n0", "d0", "p0"),
        "valid = n ≥ n0 and n / expected ≥ p0 (d ≤ d0); n / expected ≥ p0 (d > d0)",
        "分钟均值有效性",
        "validity of a minute",
        {
            "least_readings": "cn_hj212.minute_readings",
            "most_spacing_s": "cn_hj212.reading_spacing",
            **_SHARE,
        },
    ),
    Formula(
        hour_validity,
        ("k", "k0", "p0"),
        "valid = k ≥ k0; flag = N if k / 60 ≥ p0",
        "小时均值有效性",
        "validity of an hour",
        {"least_minutes": "cn_hj212.hour_minutes", **_SHARE},
    ),
    Formula(
        day_validity,
        ("m", "m0", "p0"),
        "valid = m ≥ m0; flag = N if m / 24 ≥ p0",
        "日均值有效性",
        "validity of a day",
        {"least_hours": "cn_hj212.day_hours", **_SHARE},
    ),
    Formula(
        month_validity,
        ("d", "month", "d0"),
        "valid = d ≥ d0",
        "月均值有效性",
        "validity of a month",
        _month_rule,
    ),
    Formula(
        capture_rate,
        ("H", "stop", "invalid"),
        "α = (H − stop − invalid) / (H − stop) × 100",
        "季度有效数据捕集率",
        "capture rate of a quarter",
    ),
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
    Formula(
        effective_transmission_rate,
        ("expected", "sent", "due", "valid"),
        "rate = (sent / expected) × (valid / due) × 100",
        "传输有效率",
        "effective transmission rate",
    ),
)
