"""Auxiliary figures: electricity per tonne, heat of steam and water, and their indirect CO2."""

from decimal import Decimal
from typing import NamedTuple

from reports.formulas.formula import Formula
from reports.formulas.numbers import FormulaError, Number, amount, positive

WATER_KJ_PER_KG_AT_20_C = Decimal("83.74")
WATER_KJ_PER_KG_K = Decimal("4.1868")
WATER_C = 20


class EnergyMwh(NamedTuple):
    """Electricity, MWh."""

    energy_mwh: Decimal


class SpecificEnergy(NamedTuple):
    """Electricity per tonne, kWh/t."""

    kwh_per_t: Decimal


class Heat(NamedTuple):
    """Heat, GJ."""

    heat_gj: Decimal


class IndirectCo2(NamedTuple):
    """CO2 of electricity, t."""

    t_co2: Decimal


def energy_mwh(energy_kwh: Number) -> EnergyMwh:
    """
    Electricity in MWh.

        W = W_kWh / 1000

    W energy (MWh), W_kWh the sum of the meters' increments (kWh). Source: definition; the
    unit of the reports.
    """
    return EnergyMwh(amount("energy_kwh", energy_kwh) / 1000)


def specific_energy(energy_mwh: Number, aluminium_t: Number) -> SpecificEnergy:
    """
    AC electricity per tonne of liquid aluminium.

        w = W * 1000 / P

    w (kWh per t), W AC electricity of the process (MWh), P liquid aluminium (t, more than 0).
    Tapped metal, no correction for metal in the pots: not the figure of GB 21346. Source:
    definition.
    """
    return SpecificEnergy(
        amount("energy_mwh", energy_mwh) * 1000 / positive("aluminium_t", aluminium_t)
    )


def indirect_co2(energy_mwh: Number, factor_kg_per_kwh: Number) -> IndirectCo2:
    """
    CO2 of electricity at an average grid factor.

        E = W * f

    E (t CO2), W electricity (MWh), f grid factor (kg CO2 per kWh = t per MWh). Information only:
    the Chinese ETS does not count it. Source: the announcement of the
    factor, cited where it is used.
    """
    return IndirectCo2(
        amount("energy_mwh", energy_mwh) * amount("factor_kg_per_kwh", factor_kg_per_kwh)
    )


def indirect_co2_heat(heat_gj: Number, factor_t_per_gj: Number) -> IndirectCo2:
    """
    CO2 of purchased heat at an average factor.

        E = Q * f

    E (t CO2), Q heat (GJ), f factor (t CO2 per GJ). Source: as indirect_co2; information only, the
    Chinese ETS does not count it.
    """
    return IndirectCo2(amount("heat_gj", heat_gj) * amount("factor_t_per_gj", factor_t_per_gj))


def steam_heat(steam_t: Number, enthalpy_kj_per_kg: Number) -> Heat:
    """
    Heat of steam above water of 20 degrees.

        Q = M * (h - 83.74) / 1000

    Q heat (GJ), M steam (t), h enthalpy at its pressure and temperature (kJ per kg, at least
    83.74). Source: CETS-AG-03.01-V01-2024, sister guide, heat conversion (by analogy).
    """
    enthalpy = amount("enthalpy_kj_per_kg", enthalpy_kj_per_kg)
    if enthalpy < WATER_KJ_PER_KG_AT_20_C:
        raise FormulaError(
            f"enthalpy_kj_per_kg：{enthalpy} 低于 20 ℃ 水的焓 {WATER_KJ_PER_KG_AT_20_C}；"
            "单位应为 kJ/kg",
            f"enthalpy_kj_per_kg: {enthalpy} is below water of 20 degrees "
            f"({WATER_KJ_PER_KG_AT_20_C}); write kJ per kg",
        )
    return Heat(amount("steam_t", steam_t) * (enthalpy - WATER_KJ_PER_KG_AT_20_C) / 1000)


def hot_water_heat(water_t: Number, temperature_c: Number) -> Heat:
    """
    Heat of hot water above 20 degrees.

        Q = M * (T - 20) * 4.1868 / 1000

    Q heat (GJ), M water (t), T temperature (degrees C, 20 to 250). Source: CETS-AG-03.01-V01-2024,
    sister guide, heat conversion (by analogy).
    """
    temperature = amount("temperature_c", temperature_c)
    if not WATER_C <= temperature <= 250:
        raise FormulaError(
            f"temperature_c：{temperature} 不在 20–250 ℃ 之间",
            f"temperature_c: {temperature} is not between 20 and 250 degrees C",
        )
    return Heat(amount("water_t", water_t) * (temperature - WATER_C) * WATER_KJ_PER_KG_K / 1000)


CATALOGUE = (
    Formula(energy_mwh, ("ΣΔW",), "W = ΣΔW / 1000", "电量换算", "electricity in MWh"),
    Formula(
        specific_energy, ("W", "P"), "w = W × 1000 / P", "铝液交流电耗", "AC electricity per tonne"
    ),
    Formula(
        indirect_co2, ("W", "f"), "E = W × f", "电力间接排放（参考）", "indirect CO2 of electricity"
    ),
    Formula(
        indirect_co2_heat, ("Q", "f"), "E = Q × f", "热力间接排放（参考）", "indirect CO2 of heat"
    ),
    Formula(steam_heat, ("M", "h"), "Q = M × (h − 83.74) / 1000", "蒸汽热量", "heat of steam"),
    Formula(
        hot_water_heat,
        ("M", "T"),
        "Q = M × (T − 20) × 4.1868 / 1000",
        "热水热量",
        "heat of hot water",
    ),
)
