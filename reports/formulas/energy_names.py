"""What the names in the formulas of energy, heat, water and green power mean."""

from reports.formulas.numbers import (
    absolute_kpa,
    calendar_day,
    celsius,
    efficiency,
    exact,
    fraction,
    positive,
    pot_volts,
)
from reports.formulas.parameter import Parameter

P = Parameter
T, FRACTION, PERCENT, KWH_T = "t", "fraction", "%", "kWh/t"

INDICATORS = (
    "liquid_ac",
    "liquid_comprehensive_ac",
    "ingot_comprehensive_ac",
    "ingot_comprehensive_energy",
    "alumina_bayer_process",
    "alumina_bayer_comprehensive",
)
BASES = ("equivalent", "coal_rate")
READINGS = ("above_base", "above_incentive")

ENERGY: dict[str, P] = {
    # pots
    "current_efficiency": P(
        FRACTION,
        "电流效率（小数，如 0.94）",
        "current efficiency, as a fraction (0.94)",
        efficiency,
    ),
    "tapped_t": P(T, "出铝量", "metal tapped"),
    "inventory_change_t": P(
        T, "在产铝量变化（期末减期初）", "change of the metal in the pots, end minus begin", exact
    ),
    "inventory_uncertainty_t": P(
        T, "一次在产铝盘存的不确定度", "uncertainty of one inventory of the metal in the pots"
    ),
    "tapped_uncertainty_percent": P(PERCENT, "出铝量不确定度", "uncertainty of the tapped metal"),
    "current_uncertainty_percent": P(
        PERCENT, "系列电流不确定度", "uncertainty of the line current"
    ),
    "voltage_v": P("V", "槽电压（平均）", "pot voltage (mean)", pot_volts),
    "ae_per_cell_day": P(
        "1/(cell·d)", "阳极效应系数（次/槽·日）", "anode effects per cell and day"
    ),
    "minutes": P("min", "阳极效应平均持续时间", "mean duration of an anode effect"),
    "ae_voltage_v": P("V", "效应电压", "voltage in an anode effect", pot_volts),
    "external_v": P("V", "槽外母线压降", "voltage drop outside the pot (bus bars)"),
    "emf_v": P("V", "反电动势（外推值）", "extrapolated back e.m.f.", positive),
    "voltage_change_mv": P("mV", "槽电压变化", "change of the pot voltage", exact),
    # energy of a period
    "dc_mwh": P("MWh", "直流电量", "DC electricity"),
    "rectifier_mwh": P("MWh", "整流交流电量", "AC electricity into the rectifiers"),
    "start_mwh": P("MWh", "焙烧启动用电量", "electricity to bake and start pots"),
    "short_mwh": P("MWh", "停槽短路口损耗电量", "loss in the bus bars of short-circuited pots"),
    "auxiliary_mwh": P("MWh", "电解辅助用电量", "electricity of potroom auxiliaries"),
    "desulphurisation_mwh": P("MWh", "脱硫用电量", "electricity of desulphurisation"),
    "liquid_comprehensive_kwh_per_t": P(
        KWH_T, "铝液综合交流电耗", "comprehensive AC electricity per t of liquid aluminium"
    ),
    "cast_metal_t": P(T, "入铸造铝液量", "liquid aluminium sent to the cast house"),
    "cast_mwh": P("MWh", "铸造用电量", "electricity of the cast house"),
    "ingot_t": P(T, "合格铝锭产量", "qualified ingots"),
    "energies": P(
        "table",
        "各能源：实物量、折标系数",
        "energies: quantity, coal equivalent",
        columns=("quantity", "kgce_per_unit"),
    ),
    "kgce_per_unit": P(
        "kgce/kWh | kgce/t | kgce/m3 | kgce/MJ", "折标准煤系数", "coal equivalent of a unit"
    ),
    "comprehensive_tce": P("tce", "综合能源消费量", "comprehensive energy"),
    # limits and prices
    "indicator": P("word", "指标", "indicator", words=INDICATORS),
    "day": P("date", "日期", "day, 2026-10-01", calendar_day),
    "limit_1": P("kWh/t | kgce/t", "1 级限值", "limit of level 1"),
    "limit_2": P("kWh/t | kgce/t", "2 级限值", "limit of level 2"),
    "limit_3": P("kWh/t | kgce/t", "3 级限值", "limit of level 3"),
    "index_kwh_per_t": P(KWH_T, "指标值（吨铝电耗）", "indicator: electricity per t"),
    "limit_kwh_per_t": P(KWH_T, "目标限值", "limit to reach"),
    "saving_kwh_per_t": P(KWH_T, "吨铝节电", "electricity saved per t", exact),
    "price_cny_per_kwh": P("CNY/kWh", "电价", "price of electricity"),
    "cny_per_kwh": P("CNY/kWh", "阶梯电价加价", "surcharge of the ladder tariff"),
    "nonhydro_share": P(
        FRACTION, "非水可再生能源电量占比", "non-hydro renewable share of all electricity", fraction
    ),
    "incentive_share": P(
        FRACTION,
        "所在省上年非水可再生能源消纳激励性权重",
        "incentive weight of the province for non-hydro renewables, year before",
        fraction,
    ),
    "threshold_kwh_per_t": P(KWH_T, "阶梯电价分档标准", "threshold of the ladder tariff"),
    "step_kwh_per_t": P(KWH_T, "阶梯步长", "width of a step"),
    "step_cny_per_kwh": P("CNY/kWh", "每档加价", "surcharge of a step"),
    "base_share": P(FRACTION, "减免起点比例（15 %）", "share from which relief counts", fraction),
    "reading": P(
        "word",
        "减免起算口径（超 15 % 部分；超激励性权重部分）",
        "what the relief counts from: the base share, or the incentive weight",
        words=READINGS,
    ),
    # heat
    "actual_m3_per_h": P("m3/h", "工况流量", "flow as it is"),
    "pressure_kpa": P("kPa", "绝对压力", "absolute pressure", absolute_kpa),
    "flow_nm3_per_h": P("Nm3/h", "标况流量", "flow at 0 degrees C and 101.325 kPa"),
    "cp_kj_per_nm3_k": P("kJ/(Nm3·K)", "定压比热容", "heat capacity of the gas", positive),
    "inlet_c": P("°C", "进口温度", "gas temperature before", celsius),
    "outlet_c": P("°C", "出口温度", "gas temperature after", celsius),
    "gas_in_c": P("°C", "烟气进口温度", "gas into the exchanger", celsius),
    "gas_out_c": P("°C", "烟气出口温度", "gas out of the exchanger", celsius),
    "water_kg_per_s": P("kg/s", "水流量", "water flow", positive),
    "water_in_c": P("°C", "进水温度", "water into the exchanger", celsius),
    "ua_kw_per_k": P("kW/K", "换热器 UA 值", "UA of the exchanger"),
    "clean_ua_kw_per_k": P("kW/K", "清洁状态 UA 值", "UA when clean", positive),
    "clean_flow_nm3_per_h": P(
        "Nm3/h", "清洁状态时的标况流量", "flow when the clean UA was found", positive
    ),
    "flow_exponent": P("1", "流量修正指数", "exponent of the flow", fraction),
    "heat_kw": P("kW", "回收热功率", "heat recovered"),
    "orc_efficiency": P(FRACTION, "ORC 发电效率", "efficiency of the ORC", efficiency),
    "pump_kw": P("kW", "泵功率", "power of the pumps"),
    "extra_fan_kw": P("kW", "风机增加的功率", "extra power of the fans"),
    "kwh": P("kWh", "电量", "electricity"),
    "m3_gas": P("m3", "天然气量（标况）", "natural gas, standard state"),
    "gj_heat": P("GJ", "热量", "heat"),
    "basis": P(
        "word",
        "折标基准：当量值或等价值（供电煤耗）",
        "basis of conversion: equivalent value, or coal rate of power stations",
        words=BASES,
    ),
    # water, solids, green power
    "reused_m3": P("m3", "重复利用水量", "water reused"),
    "fresh_m3": P("m3", "取新水量", "fresh water"),
    "used_t": P(T, "当年产生并综合利用量", "used of what was generated in the period"),
    "stock_used_t": P(T, "综合利用往年贮存量", "used from old stock"),
    "generated_t": P(T, "产生量", "generated"),
    "recycled_t": P(T, "再生铝用量", "recycled metal"),
    "primary_t": P(T, "原铝用量", "primary metal"),
    "own_mwh": P("MWh", "自发自用绿电", "green electricity made on site and used"),
    "traded_mwh": P("MWh", "绿电交易电量", "green electricity bought by trade"),
    "certificates_mwh": P("MWh", "绿证对应电量", "electricity of certificates bought apart"),
    "green_mwh": P("MWh", "绿色电力合计", "green electricity"),
    "required_fraction": P(FRACTION, "绿电消费比例要求", "green share required", fraction),
    "mwh_by_month": P("table", "各月上网电量", "electricity by month", columns=("month", "mwh")),
    "month": P("text", "月份", "month"),
    "mwh": P("MWh", "电量", "electricity"),
    "start_carry_mwh": P("MWh", "上期结转电量", "remainder carried in"),
    # a recorded pot
    "trace": P(
        "table",
        "单槽录波：时间、电压；可加目标电压、槽状态、通信状态",
        "trace of a pot: time and voltage; also target, mode and link where known",
        columns=("time_s", "voltage_v"),
        gaps=("voltage_v", "target_v", "mode", "link"),
    ),
    "time_s": P("text", "时间（秒，或 2026-10-01T08:00:00）", "time in s, or 2026-10-01T08:00:00"),
    "target_v": P("V", "目标电压（过电压由此起算）", "voltage from which overvoltage counts"),
    "mode": P("1", "槽状态（1 为正常生产）", "pot mode (1: in operation)"),
    "link": P("1", "通信状态（0 正常，1 中断）", "link (0: good, 1: lost)"),
    "threshold_v": P("V", "效应判定电压", "voltage at which an effect begins", positive),
    "hold_s": P("s", "高于判定电压的持续时间", "time above it until an effect begins"),
    "over_s": P("s", "低于判定电压的持续时间", "time below it until an effect is over"),
    "merge_s": P("s", "再次发生时并入同一效应的间隔", "pause after which it is a new effect"),
    # change of the specific energy
    "before_kwh_per_t": P(KWH_T, "基期吨铝直流电耗", "DC electricity per t, before", positive),
    "after_kwh_per_t": P(KWH_T, "报告期吨铝直流电耗", "DC electricity per t, after", positive),
    "voltage_before_v": P("V", "基期槽平均电压", "mean pot voltage, before", positive),
    "voltage_after_v": P("V", "报告期槽平均电压", "mean pot voltage, after", positive),
    "current_efficiency_before": P(
        FRACTION, "基期电流效率", "current efficiency, before", efficiency
    ),
    "current_efficiency_after": P(
        FRACTION, "报告期电流效率", "current efficiency, after", efficiency
    ),
    "aeo_before_mv": P("mV", "基期效应分摊电压", "anode-effect overvoltage, before"),
    "aeo_after_mv": P("mV", "报告期效应分摊电压", "anode-effect overvoltage, after"),
    "stopped_before_mv": P("mV", "基期停槽分摊电压", "voltage of stopped pots, before"),
    "stopped_after_mv": P("mV", "报告期停槽分摊电压", "voltage of stopped pots, after"),
}

ENERGY_RESULTS: dict[str, P] = {
    "uncertainty_fraction": P(FRACTION, "不确定度（绝对值）", "uncertainty, absolute"),
    "kw": P("kW", "热功率", "heat"),
    "level": P("1", "能耗等级（1–3；0 为未达 3 级）", "level 1 to 3; 0 when none is met"),
    "distance_kwh_per_t": P(KWH_T, "与限值的差距", "distance to the limit"),
    "distance_mwh": P("MWh", "与限值的差距（电量）", "distance to the limit, electricity"),
    "distance_cny": P("CNY", "与限值的差距（电费）", "distance to the limit, money"),
    "cost_cny": P("CNY", "加价电费", "cost of the surcharge"),
    "nm3_per_h": P("Nm3/h", "标况流量", "flow at 0 degrees C and 101.325 kPa"),
    "water_out_c": P("°C", "出水温度", "water out of the exchanger"),
    "effectiveness": P(FRACTION, "换热效能", "effectiveness"),
    "ntu": P("1", "传热单元数", "number of transfer units"),
    "ua_ratio": P(FRACTION, "UA 与清洁状态之比（流量修正）", "UA over clean UA at this flow"),
    "net_kw": P("kW", "净发电功率", "net power"),
    "ratio": P(FRACTION, "比率", "ratio"),
    "issued": P("table", "各月核发绿证", "certificates issued by month"),
    "carry": P("MWh", "结转电量", "remainder carried on"),
    "gap_certificates": P("1", "绿证缺口（张）", "certificates missing"),
    "green_fraction": P(FRACTION, "绿电消费比例", "green share"),
    "rectifier_efficiency": P(FRACTION, "整流效率", "rectifier efficiency"),
    "kgce_per_t": P("kgce/t", "吨铝综合能耗", "comprehensive energy per t"),
    "tce": P("tce", "标准煤", "standard coal"),
    "events": P("table", "阳极效应", "anode effects"),
    "resistance_uohm": P("uOhm", "表观电阻", "pseudo-resistance"),
    "change_voltage": P(KWH_T, "电压引起的变化", "change by voltage"),
    "change_current_efficiency": P(KWH_T, "电流效率引起的变化", "change by current efficiency"),
    "change_anode_effects": P(KWH_T, "阳极效应引起的变化", "change by anode effects"),
    "change_stopped_pots": P(KWH_T, "停槽引起的变化", "change by stopped pots"),
    "change_other": P(KWH_T, "其他变化", "change by all else"),
    "change_total": P(KWH_T, "变化合计", "total change"),
}
