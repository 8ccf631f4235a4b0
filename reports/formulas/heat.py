"""Waste heat: normal flow, heat of a gas, the exchanger and its fouling, net power of an ORC."""

from decimal import Decimal
from typing import NamedTuple

from reports.formulas.formula import Formula
from reports.formulas.numbers import (
    FormulaError,
    Number,
    absolute_kpa,
    amount,
    celsius,
    efficiency,
    fraction,
    positive,
)

ZERO_C_IN_K = Decimal("273.15")
NORMAL_KPA = Decimal("101.325")
WATER_KJ_PER_KG_K = Decimal("4.186")
NEAR_ONE = Decimal("1e-9")  # capacity flows so alike that the counterflow formula divides by zero
FLOW_EXPONENT = Decimal("0.6")  # heat transfer on the gas side grows with the flow


class NormalFlow(NamedTuple):
    """Flow of a gas in normal state."""

    nm3_per_h: Decimal


class HeatFlow(NamedTuple):
    """Heat, kW."""

    kw: Decimal


class Exchanger(NamedTuple):
    """A counterflow heat exchanger at work."""

    kw: Decimal
    water_out_c: Decimal
    effectiveness: Decimal
    ntu: Decimal
    ua_kw_per_k: Decimal


class Fouling(NamedTuple):
    """UA over clean UA, at the same flow."""

    ua_ratio: Decimal


class NetPower(NamedTuple):
    """Power that is left, kW."""

    net_kw: Decimal


def normal_flow(actual_m3_per_h: Number, temperature_c: Number, pressure_kpa: Number) -> NormalFlow:
    """
    Flow of a gas in normal state (0 degrees C, 101.325 kPa), moisture included.

        V_N = V * 273.15 / (273.15 + t) * p / 101.325

    V_N (Nm3 per h), V flow as it is (m3 per h), t temperature (degrees C), p absolute pressure
    (kPa: gauge plus the air pressure of the place; a gauge pressure is refused). Source: gas law.
    """
    volume = amount("actual_m3_per_h", actual_m3_per_h)
    kelvin = ZERO_C_IN_K + celsius("temperature_c", temperature_c)
    return NormalFlow(
        volume * ZERO_C_IN_K / kelvin * absolute_kpa("pressure_kpa", pressure_kpa) / NORMAL_KPA
    )


def heat_recovered(
    flow_nm3_per_h: Number, cp_kj_per_nm3_k: Number, inlet_c: Number, outlet_c: Number
) -> HeatFlow:
    """
    Heat that a gas gives off.

        Q = V_N * c / 3600 * (t1 - t2)

    Q (kW), V_N flow (Nm3 per h), c heat capacity (kJ per Nm3 and K, 1.31 for pot gas), t1 before
    and t2 after (degrees C, same or lower). Source: heat balance.
    """
    flow = amount("flow_nm3_per_h", flow_nm3_per_h)
    capacity = flow * positive("cp_kj_per_nm3_k", cp_kj_per_nm3_k) / 3600
    return HeatFlow(capacity * _drop("outlet_c", "inlet_c", outlet_c, inlet_c))


def _drop(after: str, before: str, outlet: Number, inlet: Number) -> Decimal:
    drop = celsius(before, inlet) - celsius(after, outlet)
    if drop < 0:
        raise FormulaError(
            f"{after}：出口 {outlet} ℃ 高于进口 {inlet} ℃，烟气没有放热；请核对测点是否接反",
            f"{after}: {outlet} degrees after is above {inlet} before, so the gas gives off no "
            "heat; check whether the two are swapped",
        )
    return drop


def heat_exchanger(
    flow_nm3_per_h: Number,
    cp_kj_per_nm3_k: Number,
    gas_in_c: Number,
    gas_out_c: Number,
    water_kg_per_s: Number,
    water_in_c: Number,
) -> Exchanger:
    """
    A counterflow gas-water heat exchanger without loss to the air.

        Q = V_N * c / 3600 * (t_g1 - t_g2)      t_w2 = t_w1 + Q / (4.186 * m)
        eff = Q / (C_min * (t_g1 - t_w1))       C_r = C_min / C_max
        NTU = ln((1 - eff * C_r) / (1 - eff)) / (1 - C_r)      UA = NTU * C_min

    Q heat (kW), V_N gas flow (Nm3 per h, more than 0), c its heat capacity (kJ per Nm3 and K), t_g
    gas and t_w water, 1 in and 2 out (degrees C), m water (kg per s), C the capacity flows of gas
    and water (kW per K), NTU = eff / (1 - eff) where they are alike, UA (kW per K). Refused: gas
    that leaves warmer than it came or colder than the water comes, water that would leave hotter
    than the gas comes. Source: textbooks of heat transfer, effectiveness-NTU method.
    """
    gas = (
        positive("flow_nm3_per_h", flow_nm3_per_h)
        * positive("cp_kj_per_nm3_k", cp_kj_per_nm3_k)
        / 3600
    )
    water = positive("water_kg_per_s", water_kg_per_s) * WATER_KJ_PER_KG_K
    gas_in, gas_out = celsius("gas_in_c", gas_in_c), celsius("gas_out_c", gas_out_c)
    water_in = celsius("water_in_c", water_in_c)
    heat = gas * _drop("gas_out_c", "gas_in_c", gas_out_c, gas_in_c)
    water_out = water_in + heat / water
    _check_temperatures(gas_in, gas_out, water_in, water_out)
    least, most = sorted([gas, water])
    effectiveness = heat / (least * (gas_in - water_in))
    ratio = least / most
    if 1 - ratio < NEAR_ONE:
        ntu = effectiveness / (1 - effectiveness)
    else:
        ntu = ((1 - effectiveness * ratio) / (1 - effectiveness)).ln() / (1 - ratio)
    return Exchanger(heat, water_out, effectiveness, ntu, ntu * least)


def _check_temperatures(
    gas_in: Decimal, gas_out: Decimal, water_in: Decimal, water_out: Decimal
) -> None:
    """Raises FormulaError where no exchanger, however large, could do it."""
    if water_in < 0:
        raise FormulaError(
            f"water_in_c：{water_in} ℃ 低于冰点；请核对",
            f"water_in_c: {water_in} is below freezing",
        )
    if gas_out <= water_in:
        raise FormulaError(
            f"gas_out_c：烟气出口 {gas_out} ℃ 不高于进水 {water_in} ℃，不可能；请核对温度测点",
            f"gas_out_c: gas that leaves with {gas_out} degrees is not above the water that comes "
            f"with {water_in}, which cannot be; check the sensors",
        )
    if water_out >= gas_in:
        raise FormulaError(
            f"water_kg_per_s：按热平衡出水将达 {round(water_out, 1)} ℃，不低于烟气进口 {gas_in} ℃，"
            "物理上不可能；请核对水流量（kg/s）和烟气流量",
            f"water_kg_per_s: by the heat balance the water would leave with {round(water_out, 1)} "
            f"degrees, not below the gas that comes with {gas_in}; check the water flow (kg per s) "
            "and the gas flow",
        )


def fouling(
    ua_kw_per_k: Number,
    clean_ua_kw_per_k: Number,
    flow_nm3_per_h: Number,
    clean_flow_nm3_per_h: Number,
    flow_exponent: Number = FLOW_EXPONENT,
) -> Fouling:
    """
    How much of a clean exchanger's UA is left, corrected for the gas flow.

        r = UA / (UA0 * (V_N / V_N0)^n)

    r (fraction; may be above 1 when it is cleaner than it was), UA now and UA0 clean (kW per K),
    V_N flow now and V_N0 then (Nm3 per h, more than 0), n exponent (0.6 unless given). Below 0.8 is
    worth an alarm: an engineering default. Source: heat transfer of gas across tubes, engineering
    practice.
    """
    flow = positive("flow_nm3_per_h", flow_nm3_per_h)
    clean_flow = positive("clean_flow_nm3_per_h", clean_flow_nm3_per_h)
    expected = positive("clean_ua_kw_per_k", clean_ua_kw_per_k) * (flow / clean_flow) ** fraction(
        "flow_exponent", flow_exponent
    )
    return Fouling(amount("ua_kw_per_k", ua_kw_per_k) / expected)


def orc_net(
    heat_kw: Number, orc_efficiency: Number, pump_kw: Number, extra_fan_kw: Number
) -> NetPower:
    """
    Power of an organic Rankine cycle that is left for use.

        W = eta * Q - W_pump - W_fan

    W net power (kW; negative when it takes more than it gives), eta efficiency of the cycle
    (fraction; 0.05 to 0.09 for gas of 100 to 150 degrees C), Q heat (kW), W_pump pumps and W_fan
    what the exchanger adds to the fans (kW). Source: heat balance; the fans may take as much as the
    cycle gives (Nikolaisen and Andresen 2020).
    """
    made = amount("heat_kw", heat_kw) * efficiency("orc_efficiency", orc_efficiency)
    return NetPower(made - amount("pump_kw", pump_kw) - amount("extra_fan_kw", extra_fan_kw))


CATALOGUE = (
    Formula(
        normal_flow,
        ("V", "t", "p"),
        "V_N = V × 273.15 / (273.15 + t) × p / 101.325",
        "标况流量换算",
        "flow in normal state",
    ),
    Formula(
        heat_recovered,
        ("V_N", "c", "t1", "t2"),
        "Q = V_N × c / 3600 × (t1 − t2)",
        "烟气余热回收功率",
        "heat recovered from a gas",
    ),
    Formula(
        heat_exchanger,
        ("V_N", "c", "t_g1", "t_g2", "m", "t_w1"),
        "Q = V_N × c / 3600 × (t_g1 − t_g2); NTU = ln((1 − eff × C_r) / (1 − eff)) / (1 − C_r); "
        "UA = NTU × C_min",
        "烟气—水换热器（逆流）",
        "gas-water exchanger, counterflow",
    ),
    Formula(
        fouling,
        ("UA", "UA0", "V_N", "V_N0", "n"),
        "r = UA / (UA0 × (V_N / V_N0)^n)",
        "换热器积灰（UA 比，流量修正）",
        "fouling of an exchanger",
    ),
    Formula(
        orc_net,
        ("Q", "η", "W_pump", "W_fan"),
        "W = η × Q − W_pump − W_fan",
        "ORC 净发电功率",
        "net power of an ORC",
    ),
)
