"""The pot as a consumer: anode-effect voltage, heat loss, resistance, reasons of a change."""

from decimal import Decimal
from typing import NamedTuple

from reports.formulas.faraday import KWH_PER_T_PER_V
from reports.formulas.formula import Formula
from reports.formulas.numbers import (
    FormulaError,
    Number,
    amount,
    efficiency,
    line_ka,
    positive,
    pot_volts,
)

MINUTES_PER_DAY = 1440
# Voltage that goes into making metal: V = 0.48 + 1.65 * CE (heating of feed; reaction).
METAL_V = Decimal("0.48")
METAL_V_PER_CE = Decimal("1.65")
EMF_V = Decimal("1.65")
REASON_DIGITS = Decimal("1e-12")  # so that the reasons add up to the last digit


class Overvoltage(NamedTuple):
    """Mean overvoltage of anode effects, mV."""

    aeo_mv: Decimal


class HeatLoss(NamedTuple):
    """Heat a pot gives off, kW."""

    kw: Decimal


class Resistance(NamedTuple):
    """Pseudo-resistance of a pot, micro-ohm."""

    resistance_uohm: Decimal


class EnergyChange(NamedTuple):
    """Reasons of a change of the specific energy, kWh per t; they add up to the total."""

    change_voltage: Decimal
    change_current_efficiency: Decimal
    change_anode_effects: Decimal
    change_stopped_pots: Decimal
    change_other: Decimal
    change_total: Decimal


def ae_overvoltage(
    ae_per_cell_day: Number, minutes: Number, ae_voltage_v: Number, voltage_v: Number
) -> Overvoltage:
    """
    What anode effects add to the mean voltage of a pot.

        AEO = AEF * AED * (V_AE - V) / 1440 * 1000

    AEO (mV), AEF anode effects per cell and day, AED their mean duration (minutes), V_AE voltage in
    the effect and V before it (V). Source: definition of the anode-effect overvoltage, EU 601/2012
    annex IV 8.B, with constant voltages.
    """
    above = pot_volts("ae_voltage_v", ae_voltage_v) - pot_volts("voltage_v", voltage_v)
    if above < 0:
        raise FormulaError(
            f"ae_voltage_v：效应电压 {ae_voltage_v} V 低于正常槽电压 {voltage_v} V；请核对",
            f"ae_voltage_v: {ae_voltage_v} V in the effect is below the normal {voltage_v} V; "
            "check both",
        )
    share = (
        amount("ae_per_cell_day", ae_per_cell_day) * amount("minutes", minutes) / MINUTES_PER_DAY
    )
    if share > 1:
        raise FormulaError(
            "minutes：每槽每日效应时间超过 1440 分钟；请核对效应系数与持续时间（分钟）",
            "minutes: more than 1440 minutes per cell and day in anode effect; check how many, "
            "and the duration in minutes",
        )
    return Overvoltage(share * above * 1000)


def heat_loss(
    current_ka: Number, voltage_v: Number, external_v: Number, current_efficiency: Number
) -> HeatLoss:
    """
    Heat that a pot gives off.

        Q = I * (V - V_ext - (0.48 + 1.65 * CE))

    Q (kW), I current (kA), V pot voltage and V_ext its part in the bus bars outside the pot (V), CE
    current efficiency (fraction, 0.94 not 94). 0.48 V heat the feed, 1.65 V per CE make the metal:
    engineering figures, recalled. Source: heat balance of the pot; agrees with a published balance
    of a 200 kA pot (376.5 of 377 kW).
    """
    metal = METAL_V + METAL_V_PER_CE * efficiency("current_efficiency", current_efficiency)
    left = pot_volts("voltage_v", voltage_v) - amount("external_v", external_v) - metal
    if left < 0:
        raise FormulaError(
            f"voltage_v：{voltage_v} V 扣除母线压降和产铝所需 {metal} V 后为负；请核对（单位 V）",
            f"voltage_v: {voltage_v} V less bus bars is below the {metal} V that make the metal; "
            "check both, in V",
        )
    return HeatLoss(line_ka("current_ka", current_ka) * left)


def pseudo_resistance(voltage_v: Number, current_ka: Number, emf_v: Number = EMF_V) -> Resistance:
    """
    Pseudo-resistance of a pot.

        R = (V - V0) / I * 1000

    R (uOhm, one pot), V voltage (V, at least V0), V0 extrapolated back e.m.f. (V; 1.65 unless
    given, plants use 1.6 to 1.7), I line current (kA, more than 0). Source: practice of pot
    control, V0 as Banta 2003 has it.
    """
    emf = positive("emf_v", emf_v)
    above = pot_volts("voltage_v", voltage_v) - emf
    if above < 0:
        raise FormulaError(
            f"voltage_v：{voltage_v} V 低于反电动势 {emf} V；停槽、短路或断线时没有表观电阻",
            f"voltage_v: {voltage_v} V is below the back e.m.f. of {emf} V; a stopped pot or a "
            "lost link has no pseudo-resistance",
        )
    return Resistance(above / positive("current_ka", line_ka("current_ka", current_ka)) * 1000)


def energy_change(  # noqa: PLR0913, PLR0917 - two periods, five figures each
    before_kwh_per_t: Number,
    after_kwh_per_t: Number,
    voltage_before_v: Number,
    voltage_after_v: Number,
    current_efficiency_before: Number,
    current_efficiency_after: Number,
    aeo_before_mv: Number = 0,
    aeo_after_mv: Number = 0,
    stopped_before_mv: Number = 0,
    stopped_after_mv: Number = 0,
) -> EnergyChange:
    """
    Why the DC electricity per tonne changed; the reasons add up to the change, to the last digit.

        a = 2979.98 * (1/CE1 + 1/CE2) / 2      b = 2979.98 * (V1 + V2) / 2
        change = a * (V2 - V1) + b * (1/CE2 - 1/CE1) + other

    All kWh per t. V1, V2 mean voltage before and after (V) with everything in it, CE1, CE2 current
    efficiency (fraction). Of V2 - V1 the change of the anode-effect overvoltage and that of stopped
    pots (mV each, spread over the working pots) are told apart. Other is what the measured energies
    w1, w2 changed beyond that: meters, currents, rounding. Source: the product 2979.98 * V / CE
    split evenly between its two factors (Shapley), exact for any size of change.
    """
    voltages = (
        positive("voltage_before_v", voltage_before_v),
        positive("voltage_after_v", voltage_after_v),
    )
    inverse = (
        1 / efficiency("current_efficiency_before", current_efficiency_before),
        1 / efficiency("current_efficiency_after", current_efficiency_after),
    )
    effects = amount("aeo_after_mv", aeo_after_mv) - amount("aeo_before_mv", aeo_before_mv)
    stopped = amount("stopped_after_mv", stopped_after_mv) - amount(
        "stopped_before_mv", stopped_before_mv
    )
    total = positive("after_kwh_per_t", after_kwh_per_t) - positive(
        "before_kwh_per_t", before_kwh_per_t
    )
    per_volt = KWH_PER_T_PER_V * (inverse[0] + inverse[1]) / 2
    rest = voltages[1] - voltages[0] - (effects + stopped) / 1000
    by_voltage, by_efficiency, by_effects, by_stopped = (
        each.quantize(REASON_DIGITS)
        for each in (
            per_volt * rest,
            KWH_PER_T_PER_V * (voltages[0] + voltages[1]) / 2 * (inverse[1] - inverse[0]),
            per_volt * effects / 1000,
            per_volt * stopped / 1000,
        )
    )
    other = total - by_voltage - by_efficiency - by_effects - by_stopped
    return EnergyChange(by_voltage, by_efficiency, by_effects, by_stopped, other, total)


CATALOGUE = (
    Formula(
        ae_overvoltage,
        ("AEF", "AED", "V_AE", "V"),
        "AEO = AEF × AED × (V_AE − V) / 1440 × 1000",
        "阳极效应分摊电压",
        "anode-effect overvoltage",
    ),
    Formula(
        heat_loss,
        ("I", "V", "V_ext", "CE"),
        "Q = I × (V − V_ext − (0.48 + 1.65 × CE))",
        "电解槽散热功率",
        "heat loss of a pot",
    ),
    Formula(
        pseudo_resistance,
        ("V", "I", "V0"),
        "R = (V − V0) / I × 1000",
        "表观电阻",
        "pseudo-resistance",
    ),
    Formula(
        energy_change,
        ("w1", "w2", "V1", "V2", "CE1", "CE2", "AEO1", "AEO2", "S1", "S2"),
        "w2 − w1 = a × ΔV + b × Δ(1/CE) + other",
        "吨铝直流电耗变化的原因分解",
        "reasons of a change of DC electricity per tonne",
    ),
)
