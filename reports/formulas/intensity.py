"""Process emission, its intensity, and the physical limits that show a wrong figure."""

from decimal import Decimal
from typing import NamedTuple

from reports.formulas.faraday import KG_ALUMINIUM_PER_KA_H
from reports.formulas.formula import Formula
from reports.formulas.numbers import (
    CO2_PER_CARBON,
    FormulaError,
    Number,
    amount,
    fraction,
    positive,
)

# 2 Al2O3 + 3 C -> 4 Al + 3 CO2: t of carbon per t of aluminium at a current efficiency of 1.
T_CARBON_PER_T_ALUMINIUM = 3 * Decimal("12.011") / (4 * Decimal("26.9815"))
FLOOR_T_PER_T = T_CARBON_PER_T_ALUMINIUM * CO2_PER_CARBON  # anode CO2 at a current efficiency of 1


def possible_intensity(name: str, value: object) -> Decimal:
    """An intensity that nature allows, t CO2e per t of aluminium. Raises FormulaError."""
    number = positive(name, value)
    if number < FLOOR_T_PER_T:
        raise FormulaError(
            f"{name}：强度 {number:.4f} 低于物理下限 {FLOOR_T_PER_T:.4f} "
            "tCO2/t（电流效率 100 % 时按法拉第定律的碳耗）；请核对排放量和铝液产量",
            f"{name}: intensity {number:.4f} is below the physical floor of {FLOOR_T_PER_T:.4f} "
            "t CO2 per t (carbon by Faraday's law at a current efficiency of 100 %); check "
            "emission and aluminium",
        )
    return number


class ProcessEmission(NamedTuple):
    """Emission of the process, t CO2e."""

    t_co2e: Decimal


class Intensity(NamedTuple):
    """Emission per tonne of liquid aluminium."""

    t_co2e_per_t: Decimal


class CarbonFloor(NamedTuple):
    """Least CO2 per tonne of aluminium."""

    t_co2_per_t: Decimal


class IntensityFloor(NamedTuple):
    """Least process emission per tonne of aluminium."""

    t_co2e_per_t: Decimal


class FaradayMetal(NamedTuple):
    """Aluminium, t."""

    aluminium_t: Decimal


def process_emission(anode_t_co2: Number, pfc_t_co2e: Number) -> ProcessEmission:
    """
    Emission of an electrolysis process.

        E = E_anode + E_AE

    E process emission (t CO2e), E_anode carbon anodes (t CO2), E_AE anode effects (t CO2e).
    Electricity and heat are not part of it. Source: the regulator's own table 2-4 in the draft
    allocation plan of July 2026.
    """
    return ProcessEmission(amount("anode_t_co2", anode_t_co2) + amount("pfc_t_co2e", pfc_t_co2e))


def intensity(t_co2e: Number, aluminium_t: Number) -> Intensity:
    """
    Emission per tonne of liquid aluminium.

        I = E / P

    I intensity (t CO2e per t), E process emission (t CO2e), P liquid aluminium (t, more than 0).
    Source: as process_emission.
    """
    return Intensity(amount("t_co2e", t_co2e) / positive("aluminium_t", aluminium_t))


def carbon_floor(current_efficiency_fraction: Number) -> CarbonFloor:
    """
    The least CO2 of carbon anodes per tonne of aluminium that nature allows.

        e = (3 M_C) / (4 M_Al) / CE * 44/12

    e (t CO2 per t), CE current efficiency (fraction, more than 0). From 2 Al2O3 + 3 C -> 4 Al +
    3 CO2. Source: stoichiometry. Only to flag data errors; no rule uses it.
    """
    efficiency = positive(
        "current_efficiency_fraction",
        fraction("current_efficiency_fraction", current_efficiency_fraction),
    )
    return CarbonFloor(T_CARBON_PER_T_ALUMINIUM / efficiency * CO2_PER_CARBON)


def intensity_floor(
    current_efficiency_fraction: Number, pfc_t_co2e_per_t: Number
) -> IntensityFloor:
    """
    The least process emission per tonne of aluminium.

        I = (3 M_C) / (4 M_Al) / CE * 44/12 + e_AE

    I (t CO2e per t), CE current efficiency (fraction, more than 0: 1 gives the physical floor, that
    of a well-run line the practical one), e_AE anode effects by the fixed factors (t CO2e per t).
    Source: derived from 2 Al2O3 + 3 C -> 4 Al + 3 CO2. A rule that counts gross anode times a fixed
    loss rate can report a few percent less than a line's true carbon; so below the practical floor
    is a warning, below the physical floor of carbon alone a refusal.
    """
    carbon = carbon_floor(current_efficiency_fraction).t_co2_per_t
    return IntensityFloor(carbon + amount("pfc_t_co2e_per_t", pfc_t_co2e_per_t))


def faraday_metal(
    current_ka: Number, pots: Number, hours: Number, current_efficiency_fraction: Number
) -> FaradayMetal:
    """
    Aluminium that a current can make (Faraday's law).

        P = 0.33557 * I * n * h * CE / 1000

    P aluminium (t), I line current (kA), n pots in series, h hours, CE current efficiency
    (fraction; 1 gives the physical maximum). Source: handbooks of chemistry.
    Only to flag data errors; no rule uses it.
    """
    metal_kg = (
        KG_ALUMINIUM_PER_KA_H
        * amount("current_ka", current_ka)
        * amount("pots", pots)
        * amount("hours", hours)
        * fraction("current_efficiency_fraction", current_efficiency_fraction)
    )
    return FaradayMetal(metal_kg / 1000)


CATALOGUE = (
    Formula(
        process_emission,
        ("E_anode", "E_AE"),
        "E = E_anode + E_AE",
        "铝电解工序排放量",
        "process emission",
    ),
    Formula(intensity, ("E", "P"), "I = E / P", "铝电解工序排放强度", "emission intensity"),
    Formula(
        carbon_floor,
        ("CE",),
        "e = 3 M_C / (4 M_Al) / CE × 44/12",
        "炭阳极排放的理论下限",
        "physical floor of anode CO2",
    ),
    Formula(
        intensity_floor,
        ("CE", "e_AE"),
        "I = 3 M_C / (4 M_Al) / CE × 44/12 + e_AE",
        "排放强度的理论下限",
        "floor of the emission intensity",
    ),
    Formula(
        faraday_metal,
        ("I", "n", "h", "CE"),
        "P = 0.33557 × I × n × h × CE / 1000",
        "法拉第理论铝产量",
        "aluminium by Faraday's law",
    ),
)
