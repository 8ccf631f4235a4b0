"""Energy levels, distance to the next one, and the ladder tariff of aluminium."""

from collections.abc import Mapping
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

from reports.formulas.energy_names import INDICATORS, READINGS
from reports.formulas.formula import Formula
from reports.formulas.numbers import (
    FormulaError,
    Number,
    amount,
    calendar_day,
    choice,
    exact,
    fraction,
    positive,
    rule_given,
)

LIMIT = ("能耗限额", "a limit of the standard")
LADDER = ("阶梯电价", "a figure of the ladder tariff")
FINEST = Decimal("0.000001")  # kWh per t; a quotient is not exact, and no step starts by its rest


class Level(NamedTuple):
    """Level 1 to 3, 0 when none is met."""

    level: Decimal


class Distance(NamedTuple):
    """What is left to the limit; negative when it is met."""

    distance_kwh_per_t: Decimal
    distance_mwh: Decimal
    distance_cny: Decimal


class Surcharge(NamedTuple):
    """Surcharge on a kilowatt-hour."""

    cny_per_kwh: Decimal


class SurchargeCost(NamedTuple):
    """Surcharge of a period."""

    cost_cny: Decimal


class Worth(NamedTuple):
    """Money."""

    value_cny: Decimal


def energy_level(
    indicator: str,
    value: Number,
    day: object,
    limit_1: Number | None = None,
    limit_2: Number | None = None,
    limit_3: Number | None = None,
) -> Level:
    """
    Energy level of an indicator.

        level = 1 if x <= L1, 2 if x <= L2, 3 if x <= L3, otherwise 0

    x the indicator (kWh per t; kgce per t for energy and for alumina), L1 to L3 limits of the day
    (same unit, growing; rules: on the command line the rule pack fills them in by ``day``). Each
    indicator is graded alone, "not more than". Source: GB 21346-2022 clauses 4.1 and 4.2 as
    restated by others.
    """
    choice("indicator", indicator, INDICATORS)
    calendar_day("day", day)
    found = positive("value", value)
    limits = [
        rule_given(name, given, LIMIT)
        for name, given in (("limit_1", limit_1), ("limit_2", limit_2), ("limit_3", limit_3))
    ]
    if sorted(limits) != limits or limits[0] == 0:
        raise FormulaError(
            "limit_1：三级限值须依次增大，且大于 0",
            "limit_1: limits must grow from 1 to 3, above 0",
        )
    if found < limits[0] / 10:
        raise FormulaError(
            f"value：{value} 远小于 1 级限值 {limits[0]}；请核对单位（kWh/t 或 kgce/t）",
            f"value: {value} is far below the limit of level 1, {limits[0]}; check the unit "
            "(kWh per t or kgce per t)",
        )
    return Level(
        next((Decimal(n) for n, most in enumerate(limits, 1) if found <= most), Decimal(0))
    )


def distance_to_level(
    index_kwh_per_t: Number,
    limit_kwh_per_t: Number,
    aluminium_t: Number,
    price_cny_per_kwh: Number,
) -> Distance:
    """
    How far an indicator is from a limit.

        d = w - L      D = d * P / 1000      B = d * P * c

    d (kWh per t) and D (MWh) to be saved, B that at the price (CNY); negative when the limit is
    met. w indicator and L limit (kWh per t), P aluminium of the period (t), c price (CNY per kWh).
    Source: definition.
    """
    distance = amount("index_kwh_per_t", index_kwh_per_t) - amount(
        "limit_kwh_per_t", limit_kwh_per_t
    )
    energy = distance * amount("aluminium_t", aluminium_t)
    return Distance(
        distance, energy / 1000, energy * amount("price_cny_per_kwh", price_cny_per_kwh)
    )


def ladder_surcharge(  # noqa: PLR0913, PLR0917 - four figures are filled in by rule
    index_kwh_per_t: Number,
    day: object,
    nonhydro_share: Number = 0,
    incentive_share: Number = 0,
    reading: str = READINGS[0],
    threshold_kwh_per_t: Number | None = None,
    step_kwh_per_t: Number | None = None,
    step_cny_per_kwh: Number | None = None,
    base_share: Number | None = None,
) -> Surcharge:
    """
    Surcharge of the ladder tariff on every kilowatt-hour of liquid aluminium.

        a = c * ceil((w - T) / S) * r      r = 1 - (q - q0) if q > b and q >= g, otherwise 1

    a (CNY per kWh), w comprehensive AC of liquid aluminium (kWh per t, rounded to 0.000001, so that
    the rest of a division starts no step; without desulphurisation since 2023), T threshold and S
    width of a step (kWh per t; a started one counts), c surcharge of a step (CNY per kWh): rules of
    the day. r relief: q non-hydro renewable share of all electricity and g the province's incentive
    weight of the year before (fractions; left out: no relief), b base of 15 %. The text can be read
    in two ways: q0 = b (``above_base``, the literal one) or
    q0 = g, but not below b (``above_incentive``); each point above q0 cuts the surcharge by 1 %.
    Source: NDRC price notice 2021 no. 1239 as restated by others.
    """
    calendar_day("day", day)
    choice("reading", reading, READINGS)
    index = _kwh_per_t(index_kwh_per_t).quantize(FINEST, ROUND_HALF_UP)
    above = index - rule_given("threshold_kwh_per_t", threshold_kwh_per_t, LADDER)
    width = positive("step_kwh_per_t", rule_given("step_kwh_per_t", step_kwh_per_t, LADDER))
    each = rule_given("step_cny_per_kwh", step_cny_per_kwh, LADDER)
    base = fraction("base_share", rule_given("base_share", base_share, LADDER))
    share = fraction("nonhydro_share", nonhydro_share)
    incentive = fraction("incentive_share", incentive_share)
    steps = (max(Decimal(0), above) / width).to_integral_value(ROUND_CEILING)
    relief = Decimal(0)
    if share > base and share >= incentive:
        relief = share - (base if reading == READINGS[0] else max(base, incentive))
    return Surcharge(each * steps * (1 - relief))


def _kwh_per_t(value: Number) -> Decimal:
    index = positive("index_kwh_per_t", value)
    if not 5000 <= index <= 50_000:
        raise FormulaError(
            f"index_kwh_per_t：{value} 不像吨铝电耗；单位应为 kWh/t，如 13450",
            f"index_kwh_per_t: {value} is no electricity per t of aluminium; write kWh per t, "
            "e.g. 13450",
        )
    return index


def surcharge_cost(cny_per_kwh: Number, energy_mwh: Number) -> SurchargeCost:
    """
    What the surcharge costs.

        C = a * E * 1000

    C (CNY), a surcharge (CNY per kWh), E electricity of liquid aluminium that it lies on (MWh).
    Source: NDRC price notice 2021 no. 1239 as restated by others.
    """
    return SurchargeCost(
        amount("cny_per_kwh", cny_per_kwh) * amount("energy_mwh", energy_mwh) * 1000
    )


def electricity_worth(
    saving_kwh_per_t: Number, aluminium_t: Number, price_cny_per_kwh: Number
) -> Worth:
    """
    What some kWh per tonne are worth.

        B = d * P * c

    B (CNY), d electricity saved (kWh per t; negative for more), P aluminium (t), c price with any
    surcharge (CNY per kWh). A change of the surcharge itself is not in it. Source: definition.
    """
    saved = exact("saving_kwh_per_t", saving_kwh_per_t) * amount("aluminium_t", aluminium_t)
    return Worth(saved * amount("price_cny_per_kwh", price_cny_per_kwh))


def _limits(values: Mapping[str, Any]) -> Mapping[str, str]:
    if values.get("indicator") not in INDICATORS:
        return {}
    pack = f"cn_energy_levels.{values['indicator']}"
    return {f"limit_{n}": f"{pack}_{n}" for n in (1, 2, 3)}


CATALOGUE = (
    Formula(
        energy_level,
        ("i", "x", "d", "L1", "L2", "L3"),
        "level = 1 (x <= L1), 2 (x <= L2), 3 (x <= L3), 0",
        "能耗限额等级（GB 21346）",
        "energy level (GB 21346)",
        _limits,
    ),
    Formula(
        distance_to_level,
        ("w", "L", "P", "c"),
        "d = w − L; D = d × P / 1000; B = d × P × c",
        "与限值的差距",
        "distance to a limit",
    ),
    Formula(
        ladder_surcharge,
        ("w", "d", "q", "g", "q0", "T", "S", "c", "b"),
        "a = c × ceil((w − T) / S) × (1 − (q − q0))",
        "阶梯电价加价标准",
        "surcharge of the ladder tariff",
        {
            "threshold_kwh_per_t": "cn_ladder_tariff.threshold",
            "step_kwh_per_t": "cn_ladder_tariff.step_width",
            "step_cny_per_kwh": "cn_ladder_tariff.step_surcharge",
            "base_share": "cn_ladder_tariff.relief_base_share",
        },
    ),
    Formula(surcharge_cost, ("a", "E"), "C = a × E × 1000", "阶梯电价加价电费", "surcharge paid"),
    Formula(
        electricity_worth,
        ("d", "P", "c"),
        "B = d × P × c",
        "吨铝节电的价值",
        "worth of electricity saved per tonne",
    ),
)
