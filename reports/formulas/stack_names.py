"""What the names in the formulas of stack gas and of its monitoring mean, and their refusals."""

from decimal import Decimal
from typing import Final

from reports.formulas.numbers import FormulaError, amount, exact, fraction, positive
from reports.formulas.parameter import Parameter

P = Parameter
PERCENT, MG, FLOW, H = "%", "mg/m3", "m3/h", "h"

GASES: Final = ("so2", "no", "no2", "nh3", "hcl", "hf", "co")
INSTRUMENTS: Final = ("gas", "pm", "velocity")
REASONS: Final = ("out_of_control", "invalid")


def gas_percent(name: str, value: object) -> Decimal:
    """Oxygen or capture in percent, 0 to 100. Raises FormulaError (often a fraction)."""
    number = amount(name, value)
    if 0 < number < 1:
        raise FormulaError(
            f"{name}：{value} 像是小数；此处须填百分数，17.2 % 写作 17.2",
            f"{name}: {value} looks like a fraction; write percent here, 17.2 for 17.2 %",
        )
    if number > 100:
        raise FormulaError(
            f"{name}：{value} 大于 100 %；请核对", f"{name}: {value} is more than 100 %; check it"
        )
    return number


def gas_moisture(name: str, value: object) -> Decimal:
    """Moisture as a fraction below 1, because 1 − X divides. Raises FormulaError."""
    number = fraction(name, value)
    if number == 1:
        raise FormulaError(
            f"{name}：含湿量为 1 即无干烟气，无法换算；8 % 写作 0.08",
            f"{name}: gas that is all steam has no dry part; write 0.08 for 8 %",
        )
    return number


def air_pascal(name: str, value: object) -> Decimal:
    """The pressure of the air, 50,000 to 110,000 Pa. Raises FormulaError (often in kPa)."""
    number = exact(name, value)
    if not 50_000 <= number <= 110_000:
        raise FormulaError(
            f"{name}：{value} 不像大气压；单位应为 Pa，101.325 kPa 写作 101325",
            f"{name}: {value} is no pressure of the air; write Pa, 101325 for 101.325 kPa",
        )
    return number


def duct_pascal(name: str, value: object) -> Decimal:
    """Static pressure in a duct against the air, with its sign. Raises FormulaError."""
    number = exact(name, value)
    if abs(number) > 20_000:
        raise FormulaError(
            f"{name}：{value} 不像烟道静压（相对大气压，带正负号，Pa）；绝对压力请先减去大气压",
            f"{name}: {value} is no static pressure in a duct (Pa against the air, with its sign); "
            "from an absolute pressure take that of the air first",
        )
    return number


def gas_celsius(name: str, value: object) -> Decimal:
    """The temperature of stack gas, -60 to 600 degrees C. Raises FormulaError."""
    number = exact(name, value)
    if not -60 <= number <= 600:
        raise FormulaError(
            f"{name}：{value} 不在 -60–600 ℃ 之间；请填写摄氏度（不是 K）",
            f"{name}: {value} is not between -60 and 600; write degrees C (not K)",
        )
    return number


def whole(name: str, value: object) -> Decimal:
    """A count, zero or more. Raises FormulaError."""
    number = amount(name, value)
    if number != number.to_integral_value():
        raise FormulaError(
            f"{name}：{value} 不是整数；此处为个数",
            f"{name}: {value} is not whole; it is a count",
        )
    return number


STACK: dict[str, P] = {
    "c_mg_m3": P(MG, "污染物浓度", "concentration of the pollutant"),
    "c": P("mg/m3 | %", "湿基或干基浓度（或含氧量）", "concentration (or oxygen), wet or dry"),
    "ambient_pa": P("Pa", "环境大气压", "pressure of the air", air_pascal),
    "static_pa": P("Pa", "烟气静压（带正负号）", "static pressure, with its sign", duct_pascal),
    "o2_dry_percent": P(PERCENT, "干基含氧量（如 17.2）", "oxygen, dry (17.2)", gas_percent),
    "o2_ref_percent": P(PERCENT, "基准含氧量", "reference oxygen", gas_percent),
    "o2_initial_percent": P(
        PERCENT, "助燃空气初始含氧量", "oxygen of the combustion air", gas_percent
    ),
    "alpha_ref": P("1", "基准过量空气系数", "reference excess-air factor", positive),
    "ppm": P("ppm", "体积浓度", "concentration by volume"),
    "gas": P("word", "气体", "gas", words=GASES),
    "no_mg_m3": P(MG, "NO 质量浓度", "NO by mass"),
    "no2_mg_m3": P(MG, "NO2 质量浓度", "NO2 by mass"),
    "no_ppm": P("ppm", "NO 体积浓度", "NO by volume"),
    "no2_ppm": P("ppm", "NO2 体积浓度", "NO2 by volume"),
    "area_m2": P("m2", "测定断面面积", "area of the section", positive),
    "velocity_m_s": P("m/s", "测点烟气流速", "velocity at the point of measurement"),
    "velocity_coefficient": P("1", "速度场系数", "velocity-field coefficient", positive),
    "flow_m3_h": P(FLOW, "标干烟气流量", "dry flow at standard state"),
    # minutes, hours, days, months
    "valid_readings": P("1", "有效读数个数", "valid readings", whole),
    "expected_readings": P("1", "应有读数个数", "readings there should be", whole),
    "spacing_s": P("s", "读数间隔", "spacing of the readings", positive),
    "least_readings": P("1", "最少有效读数", "least valid readings", whole),
    "most_spacing_s": P("s", "读数最大间隔", "greatest spacing of readings", positive),
    "least_share_percent": P(PERCENT, "正常数据占比要求", "share of normal data", gas_percent),
    "valid_minutes": P("min", "有效分钟数", "valid minutes", whole),
    "least_minutes": P("min", "最少有效分钟数", "least valid minutes", whole),
    "valid_hours": P(H, "有效小时数", "valid hours", whole),
    "least_hours": P(H, "最少有效小时数", "least valid hours", whole),
    "valid_days": P("d", "有效日数", "valid days", whole),
    "least_days": P("d", "最少有效日数", "least valid days", whole),
    "month_number": P("1", "月份（1–12）", "month, 1 to 12", whole),
    "expected": P("1", "应传输的数据组数", "groups that should be sent", whole),
    "sent": P("1", "实际传输的数据组数", "groups that were sent", whole),
    "due": P("1", "应有效的数据组数", "groups that should be valid", whole),
    "valid": P("1", "实际有效的数据组数", "groups that are valid", whole),
    # capture and stand-ins
    "stopped": P(H, "停运小时数", "hours in which the source stood"),
    "invalid": P(H, "无效小时数", "invalid hours"),
    "reason": P("word", "缺失原因：失控或无效", "why: out of control, or invalid", words=REASONS),
    "gap_h": P(H, "连续缺失小时数", "hours of the gap", positive),
    "capture_percent": P(PERCENT, "有效数据捕集率（如 93）", "capture rate (93)", gas_percent),
    "before": P(
        "table",
        "此前有效小时的排放量（由早到晚）",
        "emission of the valid hours before, oldest first",
        columns=("kg_per_h",),
    ),
    "kg_per_h": P("kg/h", "小时排放量", "emission of an hour"),
    "high_capture_percent": P(
        PERCENT, "较短替代时段适用的捕集率", "capture rate of the short windows", gas_percent
    ),
    "least_capture_percent": P(
        PERCENT, "可替代的最低捕集率", "capture rate below which nothing stands in", gas_percent
    ),
    "short_gap_h": P(H, "短缺失的上限", "longest short gap", positive),
    "window_short_h": P(H, "短缺失回溯有效小时", "valid hours back, short gap", positive),
    "window_long_h": P(H, "长缺失回溯有效小时", "valid hours back, long gap", positive),
    "window_low_h": P(
        H, "捕集率较低时回溯有效小时", "valid hours back at a lower capture rate", positive
    ),
    # tests against a reference, drift
    "pairs": P(
        "table",
        "参比方法与 CEMS 的数据对",
        "pairs of the reference method and the CEMS",
        columns=("reference_value", "cems_value"),
    ),
    "reference_value": P("any", "参比方法测定值", "value of the reference method", exact),
    "cems_value": P("any", "CEMS 测定值", "value of the CEMS", exact),
    "least_pairs": P("1", "最少数据对数", "least pairs", whole),
    "shown": P("any", "仪器示值", "what the instrument shows", exact),
    "true_value": P("any", "零气或标准气体标称值", "value of the zero or span gas", exact),
    "full_scale": P("any", "满量程值", "full scale", positive),
    "instrument": P("word", "仪器类别", "kind of instrument", words=INSTRUMENTS),
    "limit_percent": P(PERCENT, "漂移限值", "drift allowed"),
    "control_percent": P(PERCENT, "失控限值", "drift beyond which data are out of control"),
}

STACK_RESULTS: dict[str, P] = {
    "excess_air": P("1", "过量空气系数 α", "excess-air factor"),
    "share_percent": P(PERCENT, "正常数据占比", "share of normal data"),
    "verdict": P("word", "判定：有效或无效", "valid or invalid"),
    "flag": P("word", "数据标记（N 正常，D 故障）", "flag of HJ 212 (N normal, D fault)"),
    "rule": P("word", "所用判定方法", "rule it was judged by"),
    "method": P("word", "替代方法代码", "code of the way of standing in"),
    "window_h": P(H, "回溯有效小时数", "valid hours looked back over"),
    "hours_used": P(H, "实际回溯小时数", "hours there were to look back over"),
    "ra_percent": P(PERCENT, "相对准确度", "relative accuracy"),
    "mean_difference": P("any", "数据对差的平均值（绝对误差）", "mean of reference less CEMS"),
    "deviation": P("any", "数据对差的标准偏差", "standard deviation of the differences"),
    "confidence": P("any", "置信系数", "confidence coefficient"),
    "re_percent": P(PERCENT, "相对误差", "relative error, CEMS less reference"),
    "drift_percent": P(PERCENT, "漂移（占满量程）", "drift, of full scale"),
    "rate_percent": P(PERCENT, "传输有效率", "effective transmission rate"),
    "sent_percent": P(PERCENT, "传输率", "transmission rate"),
    "valid_percent": P(PERCENT, "有效率", "valid rate"),
}
