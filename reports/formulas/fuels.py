"""CO2 from fossil fuels and carbonates, and what a stock ledger says was consumed."""

from decimal import Decimal
from typing import NamedTuple

from reports.formulas.anode import Co2
from reports.formulas.formula import Formula
from reports.formulas.numbers import (
    CO2_PER_CARBON,
    FormulaError,
    Number,
    amount,
    carbon_per_heat,
    fraction,
)


class Quantity(NamedTuple):
    """A quantity, in the unit it was given in."""

    quantity: Decimal


def stock_consumed(
    stock_begin: Number, purchased: Number, sold: Number, stock_end: Number
) -> Quantity:
    """
    What was consumed, from the purchase, sale and stock ledger.

        Q = B + P - S - E

    Q consumed, B and E stock at begin and end, P purchased, S sold (all in one unit, t or
    10^4 Nm3). Source: CETS-AG-03.01-V01-2024, sister guide (by analogy). Refused when negative.
    """
    consumed = (
        amount("stock_begin", stock_begin)
        + amount("purchased", purchased)
        - amount("sold", sold)
        - amount("stock_end", stock_end)
    )
    if consumed < 0:
        raise FormulaError(
            "stock_end：期末库存与外销之和大于期初库存与购入之和；请核对台账",
            "stock_end: stock left and sold are more than stock and purchases; check the ledger",
        )
    return Quantity(consumed)


def fuel_co2(
    quantity: Number,
    ncv_gj_per_unit: Number,
    carbon_tc_per_gj: Number,
    oxidation_fraction: Number,
) -> Co2:
    """
    CO2 from burning a fossil fuel, by heat value and carbon per heat.

        E = FC * NCV * CC * OF * 44/12

    E emission (t CO2), FC fuel consumed (t or 10^4 Nm3), NCV net calorific value (GJ per t or GJ
    per 10^4 Nm3), CC carbon per heat (tC per GJ, at most 1: tC/TJ is refused), OF oxidised share
    of the carbon (fraction). Source: CETS-AG-04.01-V01-2024 chapter 7, as restated by others.
    """
    carbon_t = (
        amount("quantity", quantity)
        * amount("ncv_gj_per_unit", ncv_gj_per_unit)
        * carbon_per_heat("carbon_tc_per_gj", carbon_tc_per_gj)
    )
    return Co2(carbon_t * fraction("oxidation_fraction", oxidation_fraction) * CO2_PER_CARBON)


def fuel_co2_carbon(
    quantity: Number, carbon_tc_per_unit: Number, oxidation_fraction: Number
) -> Co2:
    """
    CO2 from burning a fossil fuel, by measured carbon.

        E = FC * C_ar * OF * 44/12

    E emission (t CO2), FC fuel consumed (t or 10^4 Nm3), C_ar carbon as received (tC per t or per
    10^4 Nm3), OF oxidised share of the carbon (fraction). Source: CETS-AG-04.01-V01-2024 chapter 7,
    as restated by others.
    """
    carbon_t = amount("quantity", quantity) * amount("carbon_tc_per_unit", carbon_tc_per_unit)
    return Co2(carbon_t * fraction("oxidation_fraction", oxidation_fraction) * CO2_PER_CARBON)


def carbonate_co2(mass_t: Number, ef_t_per_t: Number, purity_fraction: Number) -> Co2:
    """
    CO2 from a carbonate that decomposes.

        E = M * EF * PUR

    E emission (t CO2), M carbonate consumed (t), EF emission factor (t CO2 per t, at most 1), PUR
    purity (fraction). Source: CETS-AG-04.01-V01-2024 chapter 7, as restated by others.
    """
    return Co2(
        amount("mass_t", mass_t)
        * fraction("ef_t_per_t", ef_t_per_t)
        * fraction("purity_fraction", purity_fraction)
    )


def soda_ash_co2(
    mass_t: Number, purity_fraction: Number, calcined_fraction: Number, ef_t_per_t: Number
) -> Co2:
    """
    CO2 from soda ash used in the process.

        E = M * PUR * F * EF

    E emission (t CO2), M soda ash (t), PUR purity (fraction), F calcined share (fraction), EF
    stoichiometric ratio (t CO2 per t of Na2CO3, at most 1). Source: IAI/GHG Protocol aluminium
    workbook 2.0, soda ash.
    """
    return Co2(
        amount("mass_t", mass_t)
        * fraction("purity_fraction", purity_fraction)
        * fraction("calcined_fraction", calcined_fraction)
        * fraction("ef_t_per_t", ef_t_per_t)
    )


CATALOGUE = (
    Formula(
        stock_consumed,
        ("B", "P", "S", "E"),
        "Q = B + P − S − E",
        "消耗量（购销存台账）",
        "consumed, by the stock ledger",
    ),
    Formula(
        fuel_co2,
        ("FC", "NCV", "CC", "OF"),
        "E = FC × NCV × CC × OF × 44/12",
        "化石燃料燃烧排放（热值法）",
        "CO2 from fuel, by heat value",
    ),
    Formula(
        fuel_co2_carbon,
        ("FC", "C_ar", "OF"),
        "E = FC × C_ar × OF × 44/12",
        "化石燃料燃烧排放（实测元素碳）",
        "CO2 from fuel, by measured carbon",
    ),
    Formula(
        carbonate_co2,
        ("M", "EF", "PUR"),
        "E = M × EF × PUR",
        "碳酸盐分解排放",
        "CO2 from carbonates",
    ),
    Formula(
        soda_ash_co2,
        ("M", "PUR", "F", "EF"),
        "E = M × PUR × F × EF",
        "纯碱使用排放",
        "CO2 from soda ash",
    ),
)
