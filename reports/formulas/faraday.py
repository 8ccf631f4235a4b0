"""Faraday's law of the pot: metal, current efficiency and its uncertainty, energy per tonne."""

from decimal import Decimal
from typing import NamedTuple

from reports.formulas.formula import Formula
from reports.formulas.numbers import (
    FormulaError,
    Number,
    amount,
    efficiency,
    exact,
    line_ka,
    positive,
    pot_volts,
)

# Faraday: 3 electrons per atom of Al, M(Al) = 26.98154 g/mol, F = 96485.33 C/mol; kg per kA and h.
KG_ALUMINIUM_PER_KA_H = Decimal("26.98154") * 3600 / (3 * Decimal("96485.33"))
KWH_PER_T_PER_V = 1000 / KG_ALUMINIUM_PER_KA_H  # 2979.98 at a current efficiency of 1


class FaradayMass(NamedTuple):
    """Aluminium, t."""

    aluminium_t: Decimal


class CurrentEfficiency(NamedTuple):
    """Current efficiency, fraction."""

    current_efficiency: Decimal


class CurrentEfficiencyUncertainty(NamedTuple):
    """How far a current efficiency may be off, absolute and relative."""

    uncertainty_fraction: Decimal
    uncertainty_percent: Decimal


class DcEnergy(NamedTuple):
    """DC electricity per tonne, kWh/t."""

    kwh_per_t: Decimal


class VoltageWorth(NamedTuple):
    """What a change of voltage is worth, per tonne and in money."""

    kwh_per_t: Decimal
    value_cny: Decimal


def faraday_mass(
    current_ka: Number, hours: Number, pots: Number, current_efficiency: Number
) -> FaradayMass:
    """
    Aluminium that a line makes (Faraday's law).

        P = 0.335573 * I * h * n * CE / 1000

    P aluminium (t), I line current (kA), h hours, n pots in series, CE current efficiency
    (fraction, 0.94 not 94; 1 gives the most that nature allows). 0.335573 kg per kA and h is
    M * 3600 / (3 * F). Source: handbooks of chemistry.
    """
    metal_kg = (
        KG_ALUMINIUM_PER_KA_H
        * line_ka("current_ka", current_ka)
        * amount("hours", hours)
        * amount("pots", pots)
        * efficiency("current_efficiency", current_efficiency)
    )
    return FaradayMass(metal_kg / 1000)


def current_efficiency(
    tapped_t: Number, inventory_change_t: Number, current_ka: Number, hours: Number, pots: Number
) -> CurrentEfficiency:
    """
    Current efficiency from the metal made, that in the pots counted.

        CE = (M_tap + dM) / (0.335573 * I * h * n / 1000)

    CE (fraction), M_tap metal tapped (t), dM metal in the pots at the end less that at the begin
    (t, may be negative; 0 gives the efficiency by tapping), I line current (kA, more than 0), h
    hours and n pots (more than 0). More than 1 is refused: it is a wrong inventory, weight, current
    or number of pots. Source: Faraday's law; metal balance of the pots.
    """
    metal = amount("tapped_t", tapped_t) + exact("inventory_change_t", inventory_change_t)
    most = (
        KG_ALUMINIUM_PER_KA_H
        * positive("current_ka", line_ka("current_ka", current_ka))
        * positive("hours", hours)
        * positive("pots", pots)
        / 1000
    )
    if metal < 0:
        raise FormulaError(
            f"inventory_change_t：在产铝减少 {-metal} t，多于出铝量；请核对期初、期末盘存",
            f"inventory_change_t: the pots lost {-metal} t more than was tapped; "
            "check the inventories at begin and end",
        )
    if metal > most:
        raise FormulaError(
            f"tapped_t：产铝 {metal} t 超过法拉第理论量 {round(most, 3)} t（电流效率大于 1）；"
            "请核对出铝量、盘存、系列电流（kA）、小时数和槽数",
            f"tapped_t: {metal} t is more than the {round(most, 3)} t of Faraday's law (current "
            "efficiency above 1); check taps, inventories, line current in kA, hours and pots",
        )
    return CurrentEfficiency(metal / most)


def current_efficiency_uncertainty(
    tapped_t: Number,
    inventory_change_t: Number,
    current_efficiency: Number,
    tapped_uncertainty_percent: Number,
    inventory_uncertainty_t: Number,
    current_uncertainty_percent: Number,
) -> CurrentEfficiencyUncertainty:
    """
    How far a current efficiency by inventory may be off.

        u = sqrt((u_tap * M_tap)^2 + 2 * u_inv^2) / (M_tap + dM)      U = sqrt(u^2 + u_I^2)
        dCE = CE * U

    dCE absolute uncertainty (fraction), U relative one (%), CE current efficiency (fraction), M_tap
    metal tapped and dM change of the metal in the pots (t), u_tap of the weighed metal and u_I of
    the line current (%), u_inv of one inventory of all pots (t; it is taken twice). All at the same
    coverage, errors independent of one another. Source: law of error propagation (GUM), product and
    sum.
    """
    tapped = amount("tapped_t", tapped_t)
    metal = tapped + exact("inventory_change_t", inventory_change_t)
    if metal <= 0:
        raise FormulaError(
            "inventory_change_t：出铝量与在产铝变化之和须大于 0",
            "inventory_change_t: tapped metal and change of inventory together must be above zero",
        )
    of_tap = amount("tapped_uncertainty_percent", tapped_uncertainty_percent) / 100 * tapped
    of_inventory = amount("inventory_uncertainty_t", inventory_uncertainty_t)
    of_current = amount("current_uncertainty_percent", current_uncertainty_percent) / 100
    of_metal = (of_tap**2 + 2 * of_inventory**2) / metal**2
    relative = (of_metal + of_current**2).sqrt()
    return CurrentEfficiencyUncertainty(
        efficiency("current_efficiency", current_efficiency) * relative, relative * 100
    )


def dc_specific_energy(voltage_v: Number, current_efficiency: Number) -> DcEnergy:
    """
    DC electricity per tonne from voltage and current efficiency.

        w = 2979.98 * V / CE

    w (kWh per t), V mean voltage of a pot weighted by current, anode effects and bus bars in it
    (V), CE current efficiency (fraction, 0.94 not 94). 2979.98 is 1000 / 0.335573. Source:
    Faraday's law.
    """
    voltage = pot_volts("voltage_v", voltage_v)
    return DcEnergy(
        KWH_PER_T_PER_V * voltage / efficiency("current_efficiency", current_efficiency)
    )


def voltage_worth(
    voltage_change_mv: Number,
    current_efficiency: Number,
    aluminium_t: Number,
    price_cny_per_kwh: Number,
) -> VoltageWorth:
    """
    What a change of the pot voltage is worth.

        dw = 2.97998 * dV / CE      B = dw * P * c

    dw (kWh per t), dV change of the voltage (mV, negative when lowered), CE current efficiency
    (fraction; taken as unchanged), B money (CNY), P aluminium (t), c price (CNY per kWh). Source:
    Faraday's law.
    """
    change = exact("voltage_change_mv", voltage_change_mv) / 1000
    per_t = KWH_PER_T_PER_V * change / efficiency("current_efficiency", current_efficiency)
    worth = per_t * amount("aluminium_t", aluminium_t)
    return VoltageWorth(per_t, worth * amount("price_cny_per_kwh", price_cny_per_kwh))


CATALOGUE = (
    Formula(
        faraday_mass,
        ("I", "h", "n", "CE"),
        "P = 0.335573 × I × h × n × CE / 1000",
        "按法拉第定律计算产铝量",
        "aluminium made, by Faraday's law",
    ),
    Formula(
        current_efficiency,
        ("M_tap", "ΔM", "I", "h", "n"),
        "CE = (M_tap + ΔM) / (0.335573 × I × h × n / 1000)",
        "电流效率（盘存法）",
        "current efficiency by metal balance",
    ),
    Formula(
        current_efficiency_uncertainty,
        ("M_tap", "ΔM", "CE", "u_tap", "u_inv", "u_I"),
        "ΔCE = CE × √(((u_tap × M_tap)² + 2 × u_inv²) / (M_tap + ΔM)² + u_I²)",
        "电流效率的不确定度",
        "uncertainty of a current efficiency",
    ),
    Formula(
        dc_specific_energy,
        ("V", "CE"),
        "w = 2979.98 × V / CE",
        "吨铝直流电耗",
        "DC electricity per tonne",
    ),
    Formula(
        voltage_worth,
        ("ΔV", "CE", "P", "c"),
        "Δw = 2.97998 × ΔV / CE; B = Δw × P × c",
        "槽电压变化的价值",
        "worth of a change of voltage",
    ),
)
