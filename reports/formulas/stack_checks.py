"""Whether stack data are valid: minutes to months, capture rate, effective transmission."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from reports.formulas.formula import Formula
from reports.formulas.numbers import FormulaError, Number, amount, positive
from reports.formulas.stack_names import gas_percent, whole

VALID, INVALID = "valid", "invalid"
NORMAL, FAULT = "N", "D"


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


_SHARE = {"least_share_percent": "cn_hj212.normal_share"}
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
        effective_transmission_rate,
        ("expected", "sent", "due", "valid"),
        "rate = (sent / expected) × (valid / due) × 100",
        "传输有效率",
        "effective transmission rate",
    ),
)
