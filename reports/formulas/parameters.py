"""
What a name means in every formula: unit, words in both languages, and which values it can have.

The same name means the same thing wherever it stands. A table is rows of named columns; each
column is such a name too.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from reports.formulas.energy_names import ENERGY, ENERGY_RESULTS
from reports.formulas.missing_names import MISSING, MISSING_RESULTS
from reports.formulas.numbers import (
    FormulaError,
    accuracy_class,
    carbon_per_heat,
    celsius,
    exact,
    fraction,
    high_percent,
    line_ka,
    per_tonne,
    positive,
    year_number,
)
from reports.formulas.parameter import Check, Parameter
from reports.formulas.stack_names import STACK, STACK_RESULTS

__all__ = ["PARAMETERS", "RESULTS", "Check", "Parameter", "meaning", "read_table"]

T, FRACTION, PERCENT = "t", "fraction", "%"
P = Parameter

PARAMETERS: dict[str, Parameter] = {
    # anodes
    "stock_begin_t": P(T, "期初库存", "stock at begin"),
    "received_t": P(T, "收入量", "received"),
    "stock_end_t": P(T, "期末库存", "stock at end"),
    "anode_t": P(T, "阳极消耗量（毛耗）", "anode consumed, gross"),
    "anode_count": P("pieces", "换极块数", "anodes set"),
    "unit_mass_kg": P("kg", "阳极单块质量", "mean mass of an anode"),
    "loss_fraction": P(FRACTION, "阳极损失率", "anode loss rate", fraction),
    "net_anode_t": P(T, "阳极净消耗量", "net anode consumption"),
    "net_anode_t_per_t": P("t/t", "吨铝阳极净耗", "net anode per t of aluminium", per_tonne),
    "sulphur_fraction": P(FRACTION, "含硫量", "sulphur", fraction),
    "ash_fraction": P(FRACTION, "灰分", "ash", fraction),
    "ef_co2_t_per_t": P("tCO2/t", "吨铝 CO2 缺省因子", "default CO2 factor", per_tonne),
    "paste_t_per_t": P("t/t", "吨铝阳极糊单耗", "paste per t of aluminium", per_tonne),
    "tar_kg_per_t": P("kg/t", "环己烷可溶物（焦油）排放", "cyclohexane-soluble matter"),
    "binder_fraction": P(FRACTION, "糊料沥青含量", "binder in the paste", fraction),
    "pitch_sulphur_fraction": P(FRACTION, "沥青含硫量", "sulphur in pitch", fraction),
    "pitch_ash_fraction": P(FRACTION, "沥青灰分", "ash in pitch", fraction),
    "pitch_hydrogen_fraction": P(FRACTION, "沥青含氢量", "hydrogen in pitch", fraction),
    "coke_sulphur_fraction": P(FRACTION, "煅后焦含硫量", "sulphur in calcined coke", fraction),
    "coke_ash_fraction": P(FRACTION, "煅后焦灰分", "ash in calcined coke", fraction),
    "dust_t_per_t": P("t/t", "吨铝炭渣量", "carbon dust per t of aluminium", per_tonne),
    # baking and balances
    "green_anode_t": P(T, "生阳极装炉量", "green anodes set in"),
    "hydrogen_fraction": P(FRACTION, "生阳极含氢量", "hydrogen in green anodes", fraction),
    "baked_anode_t": P(T, "焙烧阳极产量", "baked anodes"),
    "waste_tar_t": P(T, "废焦油收集量", "waste tar collected"),
    "packing_t_per_t": P("t/t", "吨焙烧块填充焦单耗", "packing coke per baked anode", per_tonne),
    "green_coke_t": P(T, "生焦投入量", "green coke"),
    "moisture_fraction": P(
        FRACTION,
        "含湿量（烟气为水蒸气体积比，生焦为水分质量比）",
        "moisture (of flue gas: steam by volume; of green coke: water by mass)",
        fraction,
    ),
    "volatiles_fraction": P(FRACTION, "生焦挥发分", "volatiles of green coke", fraction),
    "calcined_coke_t": P(T, "煅后焦产量", "calcined coke made"),
    "undercalcined_coke_t": P(T, "欠烧焦量", "under-calcined coke"),
    "coke_dust_t": P(T, "焦尘量", "coke dust"),
    "calcined_sulphur_fraction": P(FRACTION, "煅后焦含硫量", "sulphur in calcined coke", fraction),
    "methane_fraction": P(FRACTION, "挥发分甲烷占生焦比例", "methane per green coke", fraction),
    "mass_t": P(T, "质量", "mass"),
    "carbon_fraction": P(FRACTION, "含碳量", "carbon content", fraction),
    "carbon_in_t": P("tC", "投入碳", "carbon in inputs"),
    "carbon_out_t": P("tC", "产出碳", "carbon in outputs"),
    "f_ratio": P("tCO2/tC", "CO2 与碳之比", "CO2 per carbon", positive),
    "pitch_t": P(T, "沥青消耗量", "pitch"),
    "coke_t": P(T, "煅后焦消耗量", "calcined coke"),
    "packing_t": P(T, "填充焦消耗量", "packing coke"),
    "byproduct_carbon_t": P("tC", "副产物含碳量", "carbon in by-products"),
    "bought_anode_t": P(T, "外购阳极", "anodes bought"),
    "sold_anode_t": P(T, "外售阳极", "anodes sold"),
    "pitch_carbon_fraction": P(FRACTION, "沥青含碳量", "carbon in pitch", fraction),
    "coke_carbon_fraction": P(FRACTION, "煅后焦含碳量", "carbon in calcined coke", fraction),
    "packing_carbon_fraction": P(FRACTION, "填充焦含碳量", "carbon in packing coke", fraction),
    "anode_carbon_fraction": P(FRACTION, "阳极含碳量", "carbon in anodes", fraction),
    # anode effects
    "aluminium_t": P(T, "铝液产量", "liquid aluminium"),
    "ef_cf4_kg_per_t": P("kg/t", "CF4 排放因子", "CF4 factor"),
    "ef_c2f6_kg_per_t": P("kg/t", "C2F6 排放因子", "C2F6 factor"),
    "gwp_cf4": P("tCO2e/t", "CF4 全球变暖潜势", "GWP of CF4"),
    "gwp_c2f6": P("tCO2e/t", "C2F6 全球变暖潜势", "GWP of C2F6"),
    "aem_min_per_cell_day": P(
        "min/(cell·d)", "阳极效应分钟数（每槽日）", "anode-effect minutes per cell-day"
    ),
    "slope_kg_per_t_per_min": P("(kg/t)/(min/(cell·d))", "CF4 斜率系数", "CF4 slope"),
    "c2f6_fraction": P("kg/kg", "C2F6 与 CF4 质量比", "weight of C2F6 per CF4", fraction),
    "aeo_mv": P("mV", "阳极效应过电压", "anode-effect overvoltage"),
    "current_efficiency_percent": P(
        PERCENT, "电流效率（百分数，如 95）", "current efficiency, in percent (95)", high_percent
    ),
    "overvoltage_coefficient": P("(kg/t)/mV", "过电压系数", "overvoltage coefficient"),
    "cf4_duct_kg": P("kg", "烟道实测 CF4", "CF4 measured in the duct"),
    "c2f6_duct_kg": P("kg", "烟道实测 C2F6", "C2F6 measured in the duct"),
    "collection_efficiency_fraction": P(FRACTION, "集气效率", "collection efficiency", fraction),
    # process
    "anode_t_co2": P("tCO2", "炭阳极消耗排放", "CO2 from anodes"),
    "pfc_t_co2e": P("tCO2e", "阳极效应排放", "PFC from anode effects"),
    "t_co2e": P("tCO2e", "排放量", "emission"),
    "current_efficiency_fraction": P(
        FRACTION, "电流效率（小数）", "current efficiency, as a fraction", fraction
    ),
    "pfc_t_co2e_per_t": P("tCO2e/t", "吨铝阳极效应排放", "PFC per t of aluminium"),
    "current_ka": P("kA", "系列电流", "line current", line_ka),
    "pots": P("pots", "电解槽数", "pots in series"),
    "hours": P("h", "小时数", "hours"),
    # fuels, carbonates
    "stock_begin": P("t | 10^4 Nm3", "期初库存", "stock at begin"),
    "purchased": P("t | 10^4 Nm3", "购入量", "purchased"),
    "sold": P("t | 10^4 Nm3", "外销量", "sold"),
    "stock_end": P("t | 10^4 Nm3", "期末库存", "stock at end"),
    "quantity": P("t | 10^4 Nm3", "燃料消耗量", "fuel consumed"),
    "ncv_gj_per_unit": P("GJ/t | GJ/10^4 Nm3", "低位发热量", "net calorific value"),
    "carbon_tc_per_gj": P("tC/GJ", "单位热值含碳量", "carbon per heat", carbon_per_heat),
    "carbon_tc_per_unit": P("tC/t | tC/10^4 Nm3", "元素碳含量", "measured carbon"),
    "oxidation_fraction": P(FRACTION, "碳氧化率", "oxidised share of carbon", fraction),
    "ef_t_per_t": P("tCO2/t", "碳酸盐排放因子", "factor of the carbonate", fraction),
    "purity_fraction": P(FRACTION, "纯度", "purity", fraction),
    "calcined_fraction": P(FRACTION, "煅烧比例", "calcined share", fraction),
    # electricity and heat
    "energy_kwh": P("kWh", "电量", "electricity"),
    "energy_mwh": P("MWh", "电量", "electricity"),
    "factor_kg_per_kwh": P("kgCO2/kWh", "电网排放因子", "grid factor"),
    "heat_gj": P("GJ", "热量", "heat"),
    "factor_t_per_gj": P("tCO2/GJ", "热力排放因子", "heat factor"),
    "steam_t": P(T, "蒸汽量", "steam"),
    "enthalpy_kj_per_kg": P("kJ/kg", "蒸汽焓值", "enthalpy of the steam"),
    "water_t": P(T, "热水量", "hot water"),
    "temperature_c": P("°C", "温度", "temperature", celsius),
    # allowances
    "emission_t": P("tCO2e", "核查排放量", "verified emission"),
    "balance_t_per_t": P("tCO2e/t", "平衡值", "balance value", positive),
    "slope": P("1", "调整系数斜率", "slope of alpha over X", fraction),
    "clip_fraction": P(
        FRACTION, "α 的上限（如 0.03；也可填偏离度上限）", "cap of alpha (or clip of X)", fraction
    ),
    "x_clip_fraction": P(FRACTION, "偏离度 X 的上下限", "clip of the deviation X", fraction),
    "cap_fraction": P(FRACTION, "α 的上限", "cap of alpha", fraction),
    "lines": P(
        "table",
        "各工序：编号、铝液产量、排放强度",
        "processes: number, aluminium, intensity",
        columns=("process", "aluminium_t", "intensity_t_per_t"),
    ),
    "process": P("text", "工序编号", "process number"),
    "intensity_t_per_t": P("tCO2e/t", "排放强度", "emission intensity", positive),
    "previous_emission_t": P("tCO2e", "上年度核查排放量", "verified emission of the year before"),
    "share": P(FRACTION, "预分配比例", "share issued in advance", fraction),
    "held_t": P(T, "持有配额", "allowances held"),
    "due_t": P(T, "应清缴量", "emission due"),
    "reserve_t": P(T, "预留量", "reserve kept"),
    "position_t": P(T, "配额盈缺", "position", exact),
    "price_cny_per_t": P("CNY/t", "碳价", "price"),
    "measured_t_co2e": P("tCO2e", "已发生月份排放量", "months that are over"),
    "planned_t_co2e": P("tCO2e", "计划月份排放量", "months by plan"),
    # CBAM
    "base_t_per_t": P("tCO2e/t", "国别缺省值", "default of the country"),
    "year": P("year", "年份", "year", year_number),
    "mark_up_fraction": P(FRACTION, "加成比例", "mark-up", fraction),
    "see_t_per_t": P("tCO2e/t", "特定隐含排放", "specific embedded emission"),
    "benchmark_t_per_t": P("tCO2e/t", "基准值", "benchmark"),
    "free_share": P(FRACTION, "免费配额剩余比例", "share of free allocation left", fraction),
    "cscf": P(FRACTION, "跨行业修正系数", "cross-sectoral correction factor", fraction),
    "attributed_t_co2e": P("tCO2e", "归属排放", "attributed emission"),
    "precursor_t_co2e": P("tCO2e", "前体隐含排放合计", "emission of precursors"),
    "activity_t": P(T, "活动水平（可售货物量）", "activity level: saleable goods"),
    "pre_consumer_t": P(T, "消费前废料", "pre-consumer scrap"),
    "post_consumer_t": P(T, "消费后废料", "post-consumer scrap"),
    # meters, uncertainty, stand-ins
    "value": P("any", "数值", "figure", exact),
    "accuracy_class_percent": P(PERCENT, "准确度等级（如 0.5）", "accuracy class", accuracy_class),
    "kind": P("word", "排放侧或产量侧", "side of the figure", words=("emission", "output")),
    "found_error_percent": P(PERCENT, "检定示值误差", "error found at calibration"),
    "first_percent": P(PERCENT, "第一项不确定度", "uncertainty of the first"),
    "second_percent": P(PERCENT, "第二项不确定度", "uncertainty of the second"),
    "third_percent": P(PERCENT, "第三项不确定度", "uncertainty of the third"),
    "fourth_percent": P(PERCENT, "第四项不确定度", "uncertainty of the fourth"),
    "parts": P("table", "各项", "terms", columns=("value", "uncertainty_percent")),
    "results": P("table", "检测结果及权重", "test results", columns=("value", "weight")),
    "uncertainty_percent": P(PERCENT, "不确定度", "uncertainty"),
    "weight": P("t | 10^4 Nm3", "消耗量（权重）", "consumption it stands for"),
    "first_value": P("any", "缺口后第一次数值", "first value after the gap"),
    "second_value": P("any", "缺口后第二次数值", "second value after the gap"),
    "other_value": P("any", "第二来源数值", "figure of the second source"),
    **ENERGY,
    **STACK,
    **MISSING,
}

# What formulas return, where it is not a name that goes into one too.
RESULTS: dict[str, Parameter] = {
    "t_co2": P("tCO2", "CO2 排放量", "CO2"),
    "cf4_kg": P("kg", "CF4 排放量", "CF4"),
    "c2f6_kg": P("kg", "C2F6 排放量", "C2F6"),
    "t_co2_per_t": P("tCO2/t", "吨铝 CO2", "CO2 per t of aluminium"),
    "t_co2e_per_t": P("tCO2e/t", "排放强度", "emission intensity"),
    "carbon_t": P("tC", "含碳量", "carbon"),
    "kwh_per_t": P("kWh/t", "吨铝电耗", "electricity per t of aluminium"),
    "allowance_t": P(T, "配额", "allowances"),
    "alpha": P("1", "配额调整系数 α", "coefficient alpha"),
    "x": P("1", "偏离度 X", "deviation X"),
    "allowance_low_t": P(T, "配额下限", "allowances, low"),
    "allowance_high_t": P(T, "配额上限", "allowances, high"),
    "position_low_t": P(T, "盈缺下限", "position, low"),
    "position_high_t": P(T, "盈缺上限", "position, high"),
    "low_t_per_t": P("tCO2e/t", "平衡值区间下限", "least value that balances"),
    "high_t_per_t": P("tCO2e/t", "平衡值区间上限", "greatest value that balances"),
    "pre_allocation_t": P(T, "预分配配额", "pre-allocated allowances"),
    "saleable_t": P(T, "可出售盈余", "saleable surplus"),
    "shortfall_t": P(T, "缺口", "shortfall"),
    "value_cny": P("CNY", "价值", "value"),
    "t_per_t": P("tCO2e/t", "吨产品排放", "emission per t of goods"),
    "certificates_per_t": P("1/t", "每吨货物证书数", "certificates per t of goods"),
    "scrap_t_per_t": P("t/t", "吨产品废料用量", "scrap per t of goods"),
    "pre_consumer_fraction": P(FRACTION, "消费前废料占比", "pre-consumer share"),
    "total": P("any", "合计", "sum"),
    "uncertainty": P("any", "不确定度（绝对值）", "uncertainty, in the unit of the sum"),
    "difference": P("any", "差异", "difference"),
    "difference_percent": P(PERCENT, "差异率", "difference, in percent"),
    **ENERGY_RESULTS,
    **STACK_RESULTS,
    **MISSING_RESULTS,
}


def meaning(name: str) -> Parameter:
    """What a parameter, column or result is."""
    return RESULTS.get(name) or PARAMETERS[name]


def read_table(
    name: str,
    rows: object,
    checks: Mapping[str, Check],
    unique: str = "",
) -> list[dict[str, Decimal]]:
    """
    The numbers of a table, row by row. Raises FormulaError that names every bad row.

    ``unique`` names a column whose words may not repeat; empty ones may.
    """
    if isinstance(rows, str | Mapping) or not isinstance(rows, Sequence) or not rows:
        columns = ", ".join([*filter(None, [unique]), *checks])
        raise FormulaError(
            f"{name}：须为表格，至少一行；列：{columns}",
            f"{name}: a table of at least one row is needed, columns {columns}",
        )
    found: list[dict[str, Decimal]] = []
    faults: list[FormulaError] = []
    for number, row in enumerate(rows, 1):
        numbers: dict[str, Decimal] = {}
        for column, check in checks.items():
            try:
                numbers[column] = check(f"{name}[{number}].{column}", _cell(row, column))
            except FormulaError as error:
                faults.append(error)
        found.append(numbers)
    faults += _repeated(name, rows, unique)
    if faults:
        raise FormulaError("\n".join(f.zh for f in faults), "\n".join(f.en for f in faults))
    return found


def _cell(row: object, column: str) -> object:
    return row.get(column) if isinstance(row, Mapping) else None


def _repeated(name: str, rows: Sequence[object], column: str) -> Iterator[FormulaError]:
    first: dict[object, int] = {}
    for number, row in enumerate(rows, 1):
        word = _cell(row, column)
        if not column or word is None or word == "":
            continue
        before = first.setdefault(word, number)
        if before != number:
            yield FormulaError(
                f"{name}[{number}].{column}：{word} 与第 {before} 行重复",
                f"{name}[{number}].{column}: {word} stands in row {before} already",
            )
