"""Allowances of the Chinese ETS: allocation by intensity, its band, position, price."""

from decimal import ROUND_FLOOR, Decimal
from fractions import Fraction
from math import floor
from typing import NamedTuple

from reports.formulas.formula import Formula
from reports.formulas.intensity import possible_intensity
from reports.formulas.numbers import (
    FormulaError,
    Number,
    amount,
    decimal,
    exact,
    fraction,
    positive,
)


class Allowance(NamedTuple):
    """Allocation of one electrolysis process, and its distance to the emission."""

    allowance_t: Decimal
    position_t: Decimal
    alpha: Decimal
    x: Decimal
    intensity_t_per_t: Decimal


class Band(NamedTuple):
    """Between what an unknown balance value lets the allocation lie."""

    allowance_low_t: Decimal
    allowance_high_t: Decimal
    position_low_t: Decimal
    position_high_t: Decimal


class PreAllocation(NamedTuple):
    """Pre-allocated allowances, whole t."""

    pre_allocation_t: Decimal


class Position(NamedTuple):
    """What can be sold and what must be bought, t; one of them is 0."""

    saleable_t: Decimal
    shortfall_t: Decimal


class Value(NamedTuple):
    """Money, CNY."""

    value_cny: Decimal


class Emission(NamedTuple):
    """Emission, t CO2e."""

    t_co2e: Decimal


def _whole(tonnes: Decimal) -> Decimal:
    """Cut down to whole tonnes, as allowances are."""
    return tonnes.to_integral_value(ROUND_FLOOR)


def _alpha_cap(slope: Decimal, clip: Decimal) -> Decimal:
    """The most that alpha can be; see allowance. Raises FormulaError."""
    if clip >= slope:
        return slope * clip
    if clip >= slope / 2:
        raise FormulaError(
            f"clip_fraction：{clip} 含义不明；限制 α 时填 α 的上限（如 0.03），"
            f"限制偏离度 X 时填不小于 slope 的值（如 0.20），或填 slope × X 的上限 {slope * clip}",
            f"clip_fraction: {clip} is ambiguous; write the cap of alpha (as 0.03), or the clip of "
            f"X when it is not less than the slope (as 0.20), or the slope times it: "
            f"{slope * clip}",
        )
    return clip


def allowance(
    emission_t: Number,
    aluminium_t: Number,
    balance_t_per_t: Number,
    slope: Number,
    clip_fraction: Number,
) -> Allowance:
    """
    Allocation of one electrolysis process by its intensity.

        I = E / P    X = (BP - I) / BP    alpha = slope * X, -c <= alpha <= c
        A = floor(E * (1 + alpha))        position = A - E

    A allowances (whole t, cut down), E verified emission (t CO2e), P liquid aluminium (t), I
    intensity and BP balance value of the sector (t CO2e per t), X deviation (positive is better
    than the sector), alpha coefficient, slope alpha per X (fraction), position A - E (t; negative
    must be bought). ``clip_fraction`` is c, the cap of alpha (0.03). A value of at least ``slope``
    could never cap alpha, for X is below 1: it is the clip of X, as the official text puts it
    (0.20), and c = slope * clip_fraction: the same figure. From half the slope up to the slope it
    could mean either and is refused. An intensity below the carbon that Faraday's law asks for at
    a current efficiency of 100 % (1.2242 t CO2 per t) is refused: a figure is wrong. Source: draft
    allocation plan of July 2026 for steel, cement and aluminium (method as in 2025), annex.
    """
    emission = amount("emission_t", emission_t)
    aluminium = positive("aluminium_t", aluminium_t)
    intensity = emission / aluminium
    balance = positive("balance_t_per_t", balance_t_per_t)
    rise = fraction("slope", slope)
    cap = _alpha_cap(rise, fraction("clip_fraction", clip_fraction))
    possible_intensity("emission_t / aluminium_t", intensity)
    # As ratios: a third that Decimal cuts off would cost a whole tonne where A comes out even.
    deviation = 1 - Fraction(emission) / Fraction(aluminium) / Fraction(balance)
    alpha = max(-Fraction(cap), min(Fraction(cap), Fraction(rise) * deviation))
    whole = Decimal(floor(Fraction(emission) * (1 + alpha)))
    return Allowance(whole, whole - emission, decimal(alpha), decimal(deviation), intensity)


def allowance_band(emission_t: Number, cap_fraction: Number) -> Band:
    """
    Between what the allocation lies while the balance value is unknown.

        A_low = floor(E * (1 - c))     A_high = floor(E * (1 + c))

    A allowances (whole t), E emission (t CO2e), c cap of alpha (fraction), position A - E (t).
    Source: as allowance; the balance value stands only on the national platform.
    """
    emission = amount("emission_t", emission_t)
    cap = fraction("cap_fraction", cap_fraction)
    low, high = _whole(emission * (1 - cap)), _whole(emission * (1 + cap))
    return Band(low, high, low - emission, high - emission)


def pre_allocation(previous_emission_t: Number, share: Number) -> PreAllocation:
    """
    Allowances issued in advance, as a share of last year's verified emission.

        A_pre = floor(E_prev * s)

    A_pre pre-allocation (whole t, cut down), E_prev verified emission of the year before (t CO2e),
    s share (fraction; the province may set a lower one). Source: allocation plans of November 2025
    and, in draft, July 2026.
    """
    return PreAllocation(
        _whole(amount("previous_emission_t", previous_emission_t) * fraction("share", share))
    )


def saleable_surplus(held_t: Number, due_t: Number, reserve_t: Number) -> Position:
    """
    Allowances that can be sold, or are short, once the duty is met.

        S = max(0, H - D - R)     Q = max(0, D - H)

    S saleable surplus and Q shortfall (t), H allowances held that count for the duty (t), D
    emission due (t), R reserve the owner keeps (t; does not raise the shortfall). Source:
    definition.
    """
    held, due = amount("held_t", held_t), amount("due_t", due_t)
    reserve = amount("reserve_t", reserve_t)
    zero = Decimal(0)
    return Position(max(zero, held - due - reserve), max(zero, due - held))


def allowance_value(position_t: Number, price_cny_per_t: Number) -> Value:
    """
    What a surplus is worth, or a shortfall costs (negative).

        V = T * p

    V value (CNY), T position (t; negative is a shortfall), p price the user gives (CNY per t).
    Source: definition.
    """
    return Value(exact("position_t", position_t) * amount("price_cny_per_t", price_cny_per_t))


def year_forecast(measured_t_co2e: Number, planned_t_co2e: Number) -> Emission:
    """
    Emission of the year from months measured and months planned.

        E = E_meas + E_plan

    E forecast emission (t CO2e), E_meas of the months that are over, E_plan of the rest by plan
    (t CO2e). Source: definition.
    """
    return Emission(
        amount("measured_t_co2e", measured_t_co2e) + amount("planned_t_co2e", planned_t_co2e)
    )


CATALOGUE = (
    Formula(
        allowance,
        ("E", "P", "BP", "k", "c"),
        "I = E / P; X = (BP − I) / BP; α = k × X, |α| ≤ c; A = ⌊E × (1 + α)⌋",
        "配额核定（强度系数法）",
        "allowance by intensity",
    ),
    Formula(
        allowance_band,
        ("E", "c"),
        "A = ⌊E × (1 − c)⌋ … ⌊E × (1 + c)⌋",
        "配额区间（平衡值未知）",
        "allowance band (balance value unknown)",
    ),
    Formula(
        pre_allocation,
        ("E_prev", "s"),
        "A_pre = ⌊E_prev × s⌋",
        "配额预分配",
        "pre-allocation",
    ),
    Formula(
        saleable_surplus,
        ("H", "D", "R"),
        "S = max(0, H − D − R); Q = max(0, D − H)",
        "可出售盈余与缺口",
        "saleable surplus and shortfall",
    ),
    Formula(allowance_value, ("T", "p"), "V = T × p", "配额盈缺价值", "value of a position"),
    Formula(
        year_forecast,
        ("E_meas", "E_plan"),
        "E = E_meas + E_plan",
        "全年排放预测",
        "forecast to the end of the year",
    ),
)
