"""
What stands in for missing data by 40 CFR 75.33(b), by article 45(3) of (EU) 2018/2066, and by us.

No report of this product is made by the two foreign rules; they are here to be computed and
compared. That of China is in ``stack_substitution``.
"""

from collections.abc import Mapping, Sequence
from decimal import ROUND_CEILING, Decimal
from typing import NamedTuple

from reports.formulas.formula import Formula
from reports.formulas.numbers import FormulaError, Number, amount, positive
from reports.formulas.parameters import read_table
from reports.formulas.stack_checks import INVALID, VALID, rule
from reports.formulas.stack_names import gas_percent, whole

Rows = Sequence[Mapping[str, object]]
HOURS_PER_DAY = 24


class Availability(NamedTuple):
    """Percent of the hours the unit operated."""

    availability_percent: Decimal


class Part75(NamedTuple):
    """
    ``value`` in the unit given, ``method`` the code beside it: what the value is, not the branch.

    ``mean-before-after``, ``p90-720`` (percentile, hours), ``max720``, ``potential``;
    ``hours_used`` of the look-back, where it was looked at.
    """

    method: str
    value: Decimal
    hours_used: Decimal | None = None


class ReferenceHour(NamedTuple):
    """Valid or not, and the share of readings in percent."""

    verdict: str
    share_percent: Decimal


class Article45(NamedTuple):
    """All in the unit given; ``notice`` yes where the authority has to be told."""

    method: str
    value: Decimal
    mean_value: Decimal
    standard_deviation: Decimal
    hours_used: Decimal
    notice: str


class ConservativeAnode(NamedTuple):
    """Anode of the month (t), and the use per tonne it was taken from."""

    anode_t: Decimal
    highest_t_per_t: Decimal


class ConservativeMetal(NamedTuple):
    """Aluminium of the month (t): what is safe as output, and what is safe for emission."""

    least_t: Decimal
    most_t: Decimal


def monitor_availability(
    quality_assured_hours: Number,
    operating_hours: Number,
    availability_base_h: Number | None = None,
) -> Availability:
    """
    How much of the time a unit operated there were quality-assured data.

        alpha = h_q / h_o * 100

    h_q hours with quality-assured data (h), h_o hours the unit operated (h), of the last 8,760 at
    most (all same unit). Source: 40 CFR 75.32(a), as summed up in a study; not opened.
    """
    assured = whole("quality_assured_hours", quality_assured_hours)
    operated = positive("operating_hours", whole("operating_hours", operating_hours))
    base = rule("availability_base_h", availability_base_h, positive)
    if operated > base:
        raise FormulaError(
            f"operating_hours：{operated} 多于统计的 {base} 小时；请只取最近 {base} 个运行小时",
            f"operating_hours: {operated} is more than the {base} h that count; take the last "
            f"{base} of them",
        )
    if assured > operated:
        raise FormulaError(
            f"quality_assured_hours：{assured} 多于运行的 {operated} 小时；请核对",
            f"quality_assured_hours: {assured} is more than the {operated} h operated; check it",
        )
    return Availability(assured / operated * 100)


def part75_substitution(  # noqa: PLR0913, PLR0917 - rules of the section, filled in from the pack
    gap_h: Number,
    availability_percent: Number,
    value_before: Number | None = None,
    value_after: Number | None = None,
    earlier: Rows | None = None,
    potential_value: Number | None = None,
    high_availability_percent: Number | None = None,
    middle_availability_percent: Number | None = None,
    least_availability_percent: Number | None = None,
    short_gap_high_h: Number | None = None,
    short_gap_middle_h: Number | None = None,
    percentile_high: Number | None = None,
    percentile_middle: Number | None = None,
    lookback_h: Number | None = None,
) -> Part75:
    """
    What stands in for each hour of a gap of SO2 concentrations under US part 75.

        v = m (g <= g1) or max(P1, m) where alpha >= a1; m (g <= g2) or max(P2, m) where
        a2 <= alpha < a1; max(v_i) where a3 <= alpha < a2; v_p where alpha < a3

    v value (any unit, the same), m mean of the hour before and the hour after, g gap (h), alpha
    availability (%), P1 and P2 percentiles of the last w assured hours v_i, v_p maximum potential
    value. Not here, since not known well enough: NOx and flow (paragraph c), single fuels, the
    first hours after certification (75.31), the EPA's numbers of methods (our codes instead), and
    how a percentile is taken (the smallest hour that at least P % of the hours do not exceed).
    Source: 40 CFR 75.33(b) as summed up in a study (a1 = 95, a2 = 90, a3 = 80 %, g1 = 24,
    g2 = 8 h, P1 = 90, P2 = 95 %, w = 720 h); its text was seen in part only.
    """
    gap = positive("gap_h", gap_h)
    share = gas_percent("availability_percent", availability_percent)
    high, middle, least = _tiers(
        high_availability_percent, middle_availability_percent, least_availability_percent
    )
    gap_high = rule("short_gap_high_h", short_gap_high_h, positive)
    gap_middle = rule("short_gap_middle_h", short_gap_middle_h, positive)
    p_high = rule("percentile_high", percentile_high, gas_percent)
    p_middle = rule("percentile_middle", percentile_middle, gas_percent)
    window = positive("lookback_h", rule("lookback_h", lookback_h, whole))
    before, after = _maybe("value_before", value_before), _maybe("value_after", value_after)
    potential = _maybe("potential_value", potential_value)
    hours = [] if earlier is None else _hours("earlier", earlier)[-int(window) :]
    if share < least:
        return Part75("potential", _needed("potential_value", potential))
    if share < middle:
        return Part75(f"max{window:f}", max(_any(hours)), Decimal(len(hours)))
    mean = (_needed("value_before", before) + _needed("value_after", after)) / 2
    if gap <= (gap_high if share >= high else gap_middle):
        return Part75("mean-before-after", mean)
    percent = p_high if share >= high else p_middle
    found = _percentile(_any(hours), percent)
    method = f"p{percent:f}-{window:f}" if found >= mean else "mean-before-after"
    return Part75(method, max(found, mean), Decimal(len(hours)))


def _tiers(*given: Number | None) -> list[Decimal]:
    """Limits of availability, highest first."""
    names = [f"{word}_availability_percent" for word in ("high", "middle", "least")]
    found = [rule(name, value, gas_percent) for name, value in zip(names, given, strict=True)]
    if found != sorted(found, reverse=True):
        told = ", ".join(f"{each:f}" for each in found)
        raise FormulaError(
            f"{'、'.join(names)}：{told} 须由大到小", f"{', '.join(names)}: {told} must not rise"
        )
    return found


def _maybe(name: str, value: Number | None) -> Decimal | None:
    return None if value is None else amount(name, value)


def _needed(name: str, value: Decimal | None) -> Decimal:
    if value is None:
        raise FormulaError(
            f"{name}：此可用率和缺失时长下必须填写；没有该数值就没有替代值",
            f"{name}: is needed at this availability and length of the gap; without it nothing "
            "can stand in",
        )
    return value


def _any(hours: Sequence[Decimal]) -> Sequence[Decimal]:
    if not hours:
        raise FormulaError(
            "earlier：此可用率和缺失时长下须填写缺失之前的小时值",
            "earlier: the hours before the gap are needed at this availability and length",
        )
    return hours


def _hours(name: str, rows: object) -> list[Decimal]:
    return [row["hour_value"] for row in read_table(name, rows, {"hour_value": amount})]


def _percentile(hours: Sequence[Decimal], percent: Decimal) -> Decimal:
    """Nearest rank: the smallest value that at least ``percent`` of the hours do not exceed."""
    rank = (percent * len(hours) / 100).to_integral_value(ROUND_CEILING)
    return sorted(hours)[max(int(rank), 1) - 1]


def mrr_hour(
    valid_readings: Number, expected_readings: Number, least_share_percent: Number | None = None
) -> ReferenceHour:
    """
    Whether an hour (or shorter reference period) counts in a European CO2 or N2O measurement.

        s = n / N * 100;  valid where s >= s0

    n readings there are, N readings there can be (all same unit, 1), s share (%). Source: article
    44(2) of (EU) 2018/2066 as read in public copies (s0 = 80 %).
    """
    valid = whole("valid_readings", valid_readings)
    expected = positive("expected_readings", whole("expected_readings", expected_readings))
    least = rule("least_share_percent", least_share_percent, gas_percent)
    if valid > expected:
        raise FormulaError(
            f"valid_readings：{valid} 多于应有的 {expected}；请核对",
            f"valid_readings: {valid} is more than the {expected} there can be; check it",
        )
    share = valid / expected * 100
    return ReferenceHour(VALID if share >= least else INVALID, share)


def mrr_substitution(
    gap_h: Number,
    period_values: Rows,
    sigma_factor: Number | None = None,
    notice_days: Number | None = None,
) -> Article45:
    """
    What stands in for each missing hour of a concentration under the EU ETS.

        C* = C + k * sigma;  notice where g > d * 24

    C mean of the valid hours of the reporting period, sigma their standard deviation (any unit, the
    same; divided by n - 1, our reading of "best estimate"), g hours the instrument is out in one
    piece (h), d days (d). The same whatever the length of the gap and the availability. Flow and
    other parameters that are no concentration (paragraph 4: balances of mass or energy) are not
    built. Source: article 45(1) and (3) of (EU) 2018/2066 as read in public copies (k = 2, d = 5);
    the consolidated text was not opened.
    """
    gap = positive("gap_h", gap_h)
    hours = _hours("period_values", period_values)
    factor = rule("sigma_factor", sigma_factor, positive)
    days = rule("notice_days", notice_days, positive)
    if len(hours) < 2:
        raise FormulaError(
            "period_values：至少两个有效小时才有标准偏差",
            "period_values: a standard deviation needs at least two valid hours",
        )
    mean = sum(hours, Decimal(0)) / len(hours)
    squares = sum(((each - mean) ** 2 for each in hours), Decimal(0))
    deviation = (squares / (len(hours) - 1)).sqrt()
    return Article45(
        method=f"mean+{factor.normalize():f}sigma",
        value=mean + factor * deviation,
        mean_value=mean,
        standard_deviation=deviation,
        hours_used=Decimal(len(hours)),
        notice="yes" if gap > days * HOURS_PER_DAY else "no",
    )


def conservative_anode(aluminium_t: Number, months: Rows) -> ConservativeAnode:
    """
    Anode of a month that is missing, by ``conservative_v1`` of a quality plan.

        C = max(C_m / P_m) * P

    C anode (t), P aluminium of the month (t), C_m and P_m those of whole months before; the report
    looks back on 12. Source: our own rule, held to be safe; the guide gives none that we could
    read, and it counts only where the plan in force names it.
    """
    metal = amount("aluminium_t", aluminium_t)
    rows = read_table("months", months, {"anode_t": amount, "aluminium_t": positive})
    highest = max(row["anode_t"] / row["aluminium_t"] for row in rows)
    return ConservativeAnode(highest * metal, highest)


def conservative_metal(
    known_t: Number, known_days: Number, missing_days: Number, day_months: Rows
) -> ConservativeMetal:
    """
    Aluminium of a month with missing days, by ``conservative_v1`` of a quality plan.

        P_low = P_k + n * min(p);  P_high = P_k + n * max(p);  p = P_k / d_k, P_m / d_m

    P_k aluminium (t) of the d_k days known, n days missing (d), P_m and d_m those of whole months
    before. The low value counts as output, the high one where metal drives emission. Source: our
    own rule, held to be safe; it counts only where the quality plan in force names it.
    """
    known = amount("known_t", known_t)
    days = positive("known_days", known_days)
    lacking = positive("missing_days", missing_days)
    rows = read_table("day_months", day_months, {"aluminium_t": amount, "month_days": positive})
    means = [known / days, *(row["aluminium_t"] / row["month_days"] for row in rows)]
    return ConservativeMetal(known + lacking * min(means), known + lacking * max(means))


CATALOGUE = (
    Formula(
        monitor_availability,
        ("h_q", "h_o", "w"),
        "α = h_q / h_o × 100",
        "监测数据可用率（美国 40 CFR 75.32）",
        "monitor data availability (US 40 CFR 75.32)",
        {"availability_base_h": "us_40cfr75.availability_base"},
    ),
    Formula(
        part75_substitution,
        (
            *("g", "α", "v_b", "v_a", "v_i", "v_p"),
            *("a1", "a2", "a3", "g1", "g2", "P1", "P2", "w"),
        ),
        "v = m | max(P1, m) (α ≥ a1), m | max(P2, m) (α ≥ a2), max(v_i) (α ≥ a3), v_p (α < a3)",
        "缺失小时的替代（美国 40 CFR 75.33(b)，SO2）",
        "what stands in for a missing hour (US 40 CFR 75.33(b), SO2)",
        {
            "high_availability_percent": "us_40cfr75.availability_high",
            "middle_availability_percent": "us_40cfr75.availability_middle",
            "least_availability_percent": "us_40cfr75.availability_least",
            "short_gap_high_h": "us_40cfr75.short_gap_high",
            "short_gap_middle_h": "us_40cfr75.short_gap_middle",
            "percentile_high": "us_40cfr75.percentile_high",
            "percentile_middle": "us_40cfr75.percentile_middle",
            "lookback_h": "us_40cfr75.lookback_so2",
        },
    ),
    Formula(
        mrr_hour,
        ("n", "N", "s0"),
        "s = n / N × 100; s ≥ s0",
        "参考时段有效性（欧盟 MRR 第44条）",
        "validity of a reference hour (EU MRR article 44)",
        {"least_share_percent": "eu_mrr.hour_share"},
    ),
    Formula(
        mrr_substitution,
        ("g", "C_i", "k", "d"),
        "C* = C + k × σ",
        "缺失小时浓度的替代（欧盟 MRR 第45条第3款）",
        "what stands in for a missing concentration (EU MRR article 45(3))",
        {"sigma_factor": "eu_mrr.sigma_factor", "notice_days": "eu_mrr.outage_notice"},
    ),
    Formula(
        conservative_anode,
        ("P", "C_m, P_m"),
        "C = max(C_m / P_m) × P",
        "阳极消耗量缺失的替代（conservative_v1）",
        "missing anode consumption (conservative_v1)",
    ),
    Formula(
        conservative_metal,
        ("P_k", "d_k", "n", "P_m, d_m"),
        "P = P_k + n × min(p) | max(p); p = P_k / d_k, P_m / d_m",
        "缺失日产量的替代（conservative_v1）",
        "missing days of aluminium (conservative_v1)",
    ),
)
