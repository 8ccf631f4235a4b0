"""Electricity and energy per tonne by the meter tree: liquid, comprehensive, ingot; rectifiers."""

from decimal import Decimal
from typing import NamedTuple

from reports.formulas.formula import Formula
from reports.formulas.numbers import FormulaError, Number, amount, positive
from reports.formulas.parameters import read_table


class PerTonneAc(NamedTuple):
    """Electricity per tonne, kWh/t."""

    kwh_per_t: Decimal


class RectifierEfficiency(NamedTuple):
    """DC out over AC in, fraction."""

    rectifier_efficiency: Decimal


class Coal(NamedTuple):
    """Energy as standard coal."""

    tce: Decimal


class PerTonneCoal(NamedTuple):
    """Standard coal per tonne, kgce/t."""

    kgce_per_t: Decimal


def rectifier_efficiency(dc_mwh: Number, rectifier_mwh: Number) -> RectifierEfficiency:
    """
    Efficiency of the rectifiers.

        eta = E_DC / E_rect

    eta (fraction), E_DC energy of the line, sum of V * I (MWh), E_rect AC energy into the rectifier
    transformers (MWh, more than 0). More than 1 is refused: a meter or its ratio is wrong. Source:
    definition.
    """
    direct = amount("dc_mwh", dc_mwh)
    taken = positive("rectifier_mwh", rectifier_mwh)
    if direct > taken:
        raise FormulaError(
            f"dc_mwh：直流电量 {direct} MWh 大于整流交流电量 {taken} MWh；"
            "请核对互感器变比、电流传感器和时段",
            f"dc_mwh: {direct} MWh DC is more than the {taken} MWh AC that went in; check the "
            "transformer ratio, the current sensor and the interval",
        )
    return RectifierEfficiency(direct / taken)


def _after_exclusions(rectifier_mwh: Number, start_mwh: Number, short_mwh: Number) -> Decimal:
    taken = amount("rectifier_mwh", rectifier_mwh)
    left = taken - amount("start_mwh", start_mwh) - amount("short_mwh", short_mwh)
    if left < 0:
        raise FormulaError(
            "rectifier_mwh：扣除的启动和短路口电量多于整流交流电量；请核对",
            "rectifier_mwh: more is excluded for starting and short-circuited pots than went in; "
            "check the meters",
        )
    return left


def liquid_ac(
    rectifier_mwh: Number, aluminium_t: Number, start_mwh: Number = 0, short_mwh: Number = 0
) -> PerTonneAc:
    """
    AC electricity per tonne of liquid aluminium.

        w = (E_rect - E_start - E_short) * 1000 / P

    w (kWh per t), E_rect AC energy into the rectifiers, E_start part that baked and started pots,
    E_short loss in the bus bars of stopped pots (MWh), P liquid aluminium (t, more than 0). Which
    parts may be excluded is said by clause 6.2.1 of GB 21346-2022, whose text was not read: 0
    excludes nothing. Source: GB 21346-2022, recalled.
    """
    left = _after_exclusions(rectifier_mwh, start_mwh, short_mwh)
    return PerTonneAc(left * 1000 / positive("aluminium_t", aluminium_t))


def liquid_comprehensive_ac(
    rectifier_mwh: Number,
    auxiliary_mwh: Number,
    aluminium_t: Number,
    desulphurisation_mwh: Number = 0,
    start_mwh: Number = 0,
    short_mwh: Number = 0,
) -> PerTonneAc:
    """
    Comprehensive AC electricity per tonne of liquid aluminium.

        w = (E_rect - E_start - E_short + E_aux + E_fgd) * 1000 / P

    w (kWh per t), E_rect, E_start, E_short as in liquid_ac, E_aux potroom auxiliaries, E_fgd
    desulphurisation (MWh; left out or 0 for the price rule, which counts without it since 2023), P
    liquid aluminium (t, more than 0). Clause 6.2.2 was not read. Source: GB 21346-2022, recalled.
    """
    taken = (
        _after_exclusions(rectifier_mwh, start_mwh, short_mwh)
        + amount("auxiliary_mwh", auxiliary_mwh)
        + amount("desulphurisation_mwh", desulphurisation_mwh)
    )
    return PerTonneAc(taken * 1000 / positive("aluminium_t", aluminium_t))


def ingot_comprehensive_ac(
    liquid_comprehensive_kwh_per_t: Number, cast_metal_t: Number, cast_mwh: Number, ingot_t: Number
) -> PerTonneAc:
    """
    Comprehensive AC electricity per tonne of ingot.

        w = (w_liq * M + E_cast * 1000) / P_ing

    w (kWh per t), w_liq that of liquid aluminium (kWh per t), M liquid aluminium cast (t), E_cast
    electricity of the cast house (MWh), P_ing qualified ingots (t, more than 0). Source: GB
    21346-2022, recalled.
    """
    metal = amount("liquid_comprehensive_kwh_per_t", liquid_comprehensive_kwh_per_t) * amount(
        "cast_metal_t", cast_metal_t
    )
    cast = amount("cast_mwh", cast_mwh) * 1000
    return PerTonneAc((metal + cast) / positive("ingot_t", ingot_t))


def comprehensive_energy(energies: object) -> Coal:
    """
    Energy of all kinds as standard coal.

        E = sum(Q_i * k_i) / 1000

    E (tce), Q_i quantity of an energy in its unit (kWh, m3, t, MJ), k_i its coal equivalent (kgce
    per that unit). All k must be on one basis: the equivalent value for GB 21346. Source: GB/T
    2589-2020, sum over energies.
    """
    rows = read_table("energies", energies, {"quantity": amount, "kgce_per_unit": amount})
    return Coal(sum((row["quantity"] * row["kgce_per_unit"] for row in rows), Decimal(0)) / 1000)


def ingot_comprehensive_energy(comprehensive_tce: Number, ingot_t: Number) -> PerTonneCoal:
    """
    Comprehensive energy per tonne of ingot.

        e = E * 1000 / P_ing

    e (kgce per t), E comprehensive energy (tce), P_ing qualified ingots (t, more than 0). Source:
    GB 21346-2022, recalled.
    """
    coal = amount("comprehensive_tce", comprehensive_tce)
    return PerTonneCoal(coal * 1000 / positive("ingot_t", ingot_t))


CATALOGUE = (
    Formula(
        rectifier_efficiency, ("E_DC", "E_rect"), "η = E_DC / E_rect", "整流效率", "rectifiers"
    ),
    Formula(
        liquid_ac,
        ("E_rect", "P", "E_start", "E_short"),
        "w = (E_rect − E_start − E_short) × 1000 / P",
        "铝液交流电耗",
        "AC electricity per t of liquid aluminium",
    ),
    Formula(
        liquid_comprehensive_ac,
        ("E_rect", "E_aux", "P", "E_fgd", "E_start", "E_short"),
        "w = (E_rect − E_start − E_short + E_aux + E_fgd) × 1000 / P",
        "铝液综合交流电耗",
        "comprehensive AC electricity per t of liquid aluminium",
    ),
    Formula(
        ingot_comprehensive_ac,
        ("w_liq", "M", "E_cast", "P_ing"),
        "w = (w_liq × M + E_cast × 1000) / P_ing",
        "铝锭综合交流电耗",
        "comprehensive AC electricity per t of ingot",
    ),
    Formula(
        comprehensive_energy,
        ("Q_i, k_i",),
        "E = Σ(Q_i × k_i) / 1000",
        "综合能源消费量",
        "comprehensive energy",
    ),
    Formula(
        ingot_comprehensive_energy,
        ("E", "P_ing"),
        "e = E × 1000 / P_ing",
        "铝锭综合单耗",
        "comprehensive energy per t of ingot",
    ),
)
