"""The closed list of units a legal value may have, what fits each, and how people write them."""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

from drivers.language import say
from reports.values import Text


class RuleUnit(StrEnum):
    """The closed list of units a legal value may have."""

    ONE = "1"
    PERCENT = "%"
    KG_PER_T = "kg_per_t"
    T_PER_T = "t_per_t"
    T_CO2_PER_T = "t_co2_per_t"
    T_CO2E_PER_T = "t_co2e_per_t"
    T_CO2E = "t_co2e"
    T_CO2_PER_GJ = "t_co2_per_gj"
    KG_CO2_PER_KWH = "kg_co2_per_kwh"
    GJ_PER_T = "gj_per_t"
    GJ_PER_10K_NM3 = "gj_per_10k_nm3"
    TC_PER_GJ = "tc_per_gj"
    KG_PER_T_PER_MIN = "kg_per_t_per_min"  # kg CF4 per t Al, per anode-effect minute per cell-day
    KG_PER_T_PER_MV = "kg_per_t_per_mv"  # kg CF4 per t Al, per mV over CE in percent
    MIN_PER_CELL_DAY = "min_per_cell_day"
    MV = "mv"
    KWH_PER_T = "kwh_per_t"
    KGCE_PER_T = "kgce_per_t"  # kg of standard coal
    KGCE_PER_KG = "kgce_per_kg"
    KGCE_PER_KWH = "kgce_per_kwh"
    KGCE_PER_M3 = "kgce_per_m3"
    KGCE_PER_MJ = "kgce_per_mj"
    M3_PER_T = "m3_per_t"
    MWH = "mwh"
    CNY = "cny"
    CNY_PER_T = "cny_per_t"
    CNY_PER_KWH = "cny_per_kwh"
    MG_PER_M3 = "mg_per_m3"
    PPM = "ppm"
    KELVIN = "kelvin"  # of a temperature, or of a difference
    PASCAL = "pascal"
    COUNT = "count"
    DECIMALS = "decimals"
    SECONDS = "seconds"
    MINUTES = "minutes"
    HOURS = "hours"
    DAYS = "days"
    MONTHS = "months"
    YEARS = "years"
    YEAR = "year"  # a calendar year, e.g. of a vintage
    DATE = "date"
    NAME = "name"


_COUNTS: Final = {
    *(RuleUnit.COUNT, RuleUnit.DECIMALS, RuleUnit.DAYS, RuleUnit.MONTHS),
    *(RuleUnit.YEARS, RuleUnit.YEAR),
}
UNIT_TEXT: Final = {
    "1": Text(zh="", en=""),
    "%": Text(zh="%", en="%"),
    "kg_per_t": Text(zh="kg/t", en="kg/t"),
    "t_per_t": Text(zh="t/t", en="t/t"),
    "t_co2_per_t": Text(zh="tCO2/t", en="tCO2/t"),
    "t_co2e_per_t": Text(zh="tCO2e/t", en="tCO2e/t"),
    "t_co2e": Text(zh="tCO2e", en="tCO2e"),
    "t_co2_per_gj": Text(zh="tCO2/GJ", en="tCO2/GJ"),
    "kg_co2_per_kwh": Text(zh="kgCO2/kWh", en="kgCO2/kWh"),
    "gj_per_t": Text(zh="GJ/t", en="GJ/t"),
    "gj_per_10k_nm3": Text(zh="GJ/万Nm3", en="GJ per 10^4 Nm3"),
    "tc_per_gj": Text(zh="tC/GJ", en="tC/GJ"),
    "kg_per_t_per_min": Text(zh="(kgCF4/t)/(min/槽日)", en="(kg CF4/t) per (minute per cell-day)"),
    "kg_per_t_per_mv": Text(zh="(kgCF4/t)/mV", en="(kg CF4/t) per mV"),
    "min_per_cell_day": Text(zh="min/槽日", en="minutes per cell-day"),
    "mv": Text(zh="mV", en="mV"),
    "kwh_per_t": Text(zh="kWh/t", en="kWh/t"),
    "kgce_per_t": Text(zh="kgce/t", en="kgce/t"),
    "kgce_per_kg": Text(zh="kgce/kg", en="kgce/kg"),
    "kgce_per_kwh": Text(zh="kgce/kWh", en="kgce/kWh"),
    "kgce_per_m3": Text(zh="kgce/m3", en="kgce/m3"),
    "kgce_per_mj": Text(zh="kgce/MJ", en="kgce/MJ"),
    "m3_per_t": Text(zh="m3/t", en="m3/t"),
    "mwh": Text(zh="MWh", en="MWh"),
    "cny": Text(zh="元", en="CNY"),
    "cny_per_t": Text(zh="元/t", en="CNY/t"),
    "cny_per_kwh": Text(zh="元/kWh", en="CNY/kWh"),
    "mg_per_m3": Text(zh="mg/m3", en="mg/m3"),
    "ppm": Text(zh="ppm", en="ppm"),
    "kelvin": Text(zh="K", en="K"),
    "pascal": Text(zh="Pa", en="Pa"),
    "count": Text(zh="个", en=""),
    "decimals": Text(zh="位小数", en="decimals"),
    "seconds": Text(zh="秒", en="s"),
    "minutes": Text(zh="分钟", en="minutes"),
    "hours": Text(zh="小时", en="hours"),
    "days": Text(zh="日", en="days"),
    "months": Text(zh="个月", en="months"),
    "years": Text(zh="年", en="years"),
    "year": Text(zh="年度", en=""),
    "date": Text(zh="", en=""),
    "name": Text(zh="", en=""),
}
NAME_TEXT: Final = {
    "half_up": Text(zh="四舍五入", en="half up"),
    "floor": Text(zh="向下取整", en="rounded down"),
    "exact": Text(zh="未修约值之和", en="sum of exact figures"),
    "fixed": Text(zh="取固定值", en="fixed"),
    "measured_or_default": Text(zh="化验值，无则缺省", en="measured, else default"),
    "measured_stays": Text(
        zh="实测或缺省，一经实测不得改回缺省", en="measured or default; once measured, measured"
    ),
    "pfc_default": Text(zh="缺省因子法", en="default factors"),
    "consumed_then_stock": Text(zh="先消耗台账，后库存平衡", en="consumption ledger, then stock"),
    "plan_conservative": Text(
        zh="按数据质量控制计划，保守取值", en="as the quality plan says, conservatively"
    ),
    "arithmetic_mean": Text(zh="算术平均", en="arithmetic mean"),
    "weighted_by_consumption": Text(zh="按消耗量加权平均", en="weighted by consumption"),
    "verified_emission": Text(zh="等于经核查排放量", en="the verified emission"),
    "intensity": Text(zh="强度系数法", en="intensity-coefficient method"),
    "none": Text(zh="无", en="none"),
    "hour_converted": Text(zh="折算浓度小时均值", en="hourly mean at the reference oxygen"),
    "as_no2": Text(zh="以 NO2 计", en="as NO2"),
    "maximum": Text(zh="最大值", en="greatest value"),
    "no2_needed": Text(zh="须测 NO2 或转化", en="NO2 measured or converted"),
    "with_desulphurisation": Text(zh="含脱硫电耗", en="with desulphurisation"),
    "without_desulphurisation": Text(zh="不含脱硫电耗", en="without desulphurisation"),
    "not_counted": Text(zh="不计入", en="not counted"),
    "equal_cut": Text(zh="等量核减", en="cut by the same amount"),
    "no_new_cut": Text(zh="不再新增核减", en="no new cut"),
    "conservative_estimate": Text(zh="保守估计", en="conservative estimate"),
    "mean_of_two_after": Text(zh="其后最近两次值的平均", en="mean of the next two values"),
    "sar": Text(zh="IPCC 第二次评估报告", en="IPCC SAR"),
    "tar": Text(zh="IPCC 第三次评估报告", en="IPCC TAR"),
    "ar4": Text(zh="IPCC 第四次评估报告", en="IPCC AR4"),
    "ar5": Text(zh="IPCC 第五次评估报告", en="IPCC AR5"),
    "ar6": Text(zh="IPCC 第六次评估报告", en="IPCC AR6"),
    "cwpb": Text(zh="中间下料预焙槽", en="CWPB"),
    "start": Text(zh="扣除焙烧启动用电", en="start-up left out"),
    "short": Text(zh="扣除停槽短路口损耗", en="short-circuited pots left out"),
    "start_and_short": Text(
        zh="扣除焙烧启动用电和停槽短路口损耗", en="start-up and short-circuited pots left out"
    ),
}


def misfit(unit: RuleUnit, value: Decimal | date | str) -> str:
    """Why the value cannot be one of that unit; "" when it can."""
    if unit is RuleUnit.NAME:
        right = isinstance(value, str) and value.isidentifier()
        wanted = say("应为加引号的方法名", "write the name of a method in quotes")
    elif unit is RuleUnit.DATE:
        right = isinstance(value, date)
        wanted = say("应为日期，如 2026-03-31，不加引号", "write a date, 2026-03-31, no quotes")
    else:
        right = isinstance(value, Decimal) and value.is_finite() and value >= 0
        wanted = say("应为不小于零的数字，不加引号", "write a number, not negative, no quotes")
        if right and unit is RuleUnit.PERCENT:
            right, wanted = Decimal(str(value)) <= 100, say("百分数不超过 100", "at most 100 %")
        if right and unit in _COUNTS:
            right = Decimal(str(value)) % 1 == 0
            wanted = say("应为整数", "write a whole number")
    if right:
        return ""
    return say(
        f'取值 {value!r} 与单位 "{unit}" 不符：{wanted}',
        f'value {value!r} does not fit unit "{unit}": {wanted}',
    )


def value_text(value: Decimal | date | str, unit: str, lang: str) -> str:
    """The value with its unit, as people write it."""
    if isinstance(value, str):
        known = NAME_TEXT.get(value)
        return (
            value
            if known is None
            else f"{value}（{known.zh}）"
            if lang == "zh"
            else (f"{value} ({known.en})")
        )
    known = UNIT_TEXT.get(unit)
    shown = unit if known is None else known.of(lang)
    return f"{value} {shown}".rstrip()
