"""What the names in the formulas of missing hours abroad, and of our own rule, mean."""

from typing import Final

from reports.formulas.numbers import positive
from reports.formulas.parameter import Parameter
from reports.formulas.stack_names import gas_percent, whole

P = Parameter
PERCENT, H, T = "%", "h", "t"

MISSING: Final[dict[str, P]] = {
    # 40 CFR 75
    "quality_assured_hours": P(H, "有质量保证数据的运行小时数", "hours with assured data", whole),
    "operating_hours": P(H, "运行小时数", "hours the unit operated", whole),
    "availability_base_h": P(H, "可用率统计的运行小时数上限", "hours counted at most", positive),
    "availability_percent": P(PERCENT, "监测数据可用率（如 96）", "availability (96)", gas_percent),
    "value_before": P("any", "缺失前一小时的数值", "value of the hour before the gap"),
    "value_after": P("any", "缺失后一小时的数值", "value of the hour after the gap"),
    "earlier": P(
        "table",
        "缺失前有质量保证的小时值（由早到晚）",
        "assured hours before the gap, oldest first",
        columns=("hour_value",),
    ),
    "hour_value": P("any", "小时值（各行单位一致）", "value of an hour, one unit in all rows"),
    "potential_value": P("any", "最大潜在值", "maximum potential value"),
    "high_availability_percent": P(PERCENT, "高可用率下限", "high availability", gas_percent),
    "middle_availability_percent": P(PERCENT, "中可用率下限", "middle availability", gas_percent),
    "least_availability_percent": P(
        PERCENT, "仍可用实测值替代的最低可用率", "availability that hours still serve", gas_percent
    ),
    "short_gap_high_h": P(H, "高可用率时短缺失的上限", "longest short gap, high", positive),
    "short_gap_middle_h": P(H, "中可用率时短缺失的上限", "longest short gap, middle", positive),
    "percentile_high": P(PERCENT, "高可用率时的百分位", "percentile, high", gas_percent),
    "percentile_middle": P(PERCENT, "中可用率时的百分位", "percentile, middle", gas_percent),
    "lookback_h": P(H, "回溯的小时数", "hours looked back over", whole),
    # EU 2018/2066
    "period_values": P(
        "table",
        "报告期内全部有效小时值",
        "all valid hours of the reporting period",
        columns=("hour_value",),
    ),
    "sigma_factor": P("1", "标准偏差的倍数", "standard deviations added", positive),
    "notice_days": P("d", "须报告主管机关的连续停用天数", "days out before it is told", positive),
    # conservative_v1
    "months": P(
        "table",
        "此前数据完整的月份",
        "whole months before",
        columns=("anode_t", "aluminium_t"),
    ),
    "known_t": P(T, "本月已知铝液产量", "aluminium of the days known"),
    "known_days": P("d", "本月已知天数", "days known", positive),
    "missing_days": P("d", "本月缺失天数", "days missing", positive),
    "day_months": P(
        "table",
        "此前数据完整的月份（产量与天数）",
        "whole months before, with their days",
        columns=("aluminium_t", "month_days"),
    ),
    "month_days": P("d", "当月天数", "days of the month", positive),
}

MISSING_RESULTS: Final[dict[str, P]] = {
    "notice": P("word", "是否须报告主管机关", "whether the authority is told"),
    "mean_value": P("any", "平均值", "mean"),
    "standard_deviation": P("any", "标准偏差（n-1）", "standard deviation (n - 1)"),
    "highest_t_per_t": P("t/t", "最高吨铝单耗", "highest use per t"),
    "least_t": P(T, "产量侧取值（偏低）", "as output: the low value"),
    "most_t": P(T, "排放侧取值（偏高）", "for emission: the high value"),
}
