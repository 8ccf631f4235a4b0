"""CO2 from carbon anodes: gross to net consumption, net to CO2, prebake and Söderberg."""

from decimal import Decimal
from typing import NamedTuple

from reports.formulas.formula import Formula
from reports.formulas.numbers import (
    CO2_PER_CARBON,
    FormulaError,
    Number,
    amount,
    fraction,
    per_tonne,
)


class AnodeMass(NamedTuple):
    """Anode consumed, t."""

    anode_t: Decimal


class AnodeNet(NamedTuple):
    """Net anode consumption, t."""

    net_anode_t: Decimal


class Co2(NamedTuple):
    """CO2, t."""

    t_co2: Decimal


def carbon_share(sulphur_fraction: Number, ash_fraction: Number) -> Decimal:
    """What is neither sulphur nor ash, 0 to 1. Raises FormulaError."""
    sulphur = fraction("sulphur_fraction", sulphur_fraction)
    ash = fraction("ash_fraction", ash_fraction)
    if sulphur + ash > 1:
        raise FormulaError(
            "sulphur_fraction + ash_fraction：合计大于 1，没有剩余碳",
            "sulphur_fraction + ash_fraction: more than 1; nothing is left of it",
        )
    return 1 - sulphur - ash


def anode_stock(stock_begin_t: Number, received_t: Number, stock_end_t: Number) -> AnodeMass:
    """
    Anode consumed, from the stock ledger of the same period and place.

        C = B + R - E

    C anode consumed (t), B and E stock at begin and end of the period (t), R received (t).
    Valid when nothing was sold or moved elsewhere. Source: purchase, sale and stock ledger as in
    the sister guide CETS-AG-03.01 (by analogy). Refuses a stock that grew by more than was
    received: then a figure is wrong.
    """
    consumed = (
        amount("stock_begin_t", stock_begin_t)
        + amount("received_t", received_t)
        - amount("stock_end_t", stock_end_t)
    )
    if consumed < 0:
        raise FormulaError(
            f"stock_end_t：{stock_end_t} 大于 stock_begin_t + received_t；请核对三个数",
            f"stock_end_t: {stock_end_t} is more than stock_begin_t + received_t; "
            "check the three figures",
        )
    return AnodeMass(consumed)


def anode_by_count(anode_count: Number, unit_mass_kg: Number) -> AnodeMass:
    """
    Anode consumed by the change log, to check the weighed figure.

        C = N * m / 1000

    C anode consumed (t), N anodes set (pieces), m mean mass of one (kg). Source: cross-check of
    the change log, as verifiers make it; no rule accounts by it.
    """
    mass_kg = amount("anode_count", anode_count) * amount("unit_mass_kg", unit_mass_kg)
    return AnodeMass(mass_kg / 1000)


def anode_net(anode_t: Number, loss_fraction: Number) -> AnodeNet:
    """
    Net consumption of carbon anodes.

        NC = C * (1 - r)

    NC net consumption (t), C anode consumed, gross (t), r anode loss rate (fraction, 0 to 1:
    butts and other losses). Source: CETS-AG-04.01-V01-2024 chapter 6, as restated by others
    (docs/decisions.md). Prebaked anodes; purchased and own alike.
    """
    return AnodeNet(amount("anode_t", anode_t) * (1 - fraction("loss_fraction", loss_fraction)))


def anode_co2(net_anode_t: Number, sulphur_fraction: Number, ash_fraction: Number) -> Co2:
    """
    CO2 from the net consumption of carbon anodes.

        E = NC * (1 - S - A) * 44/12

    E emission (t CO2), NC net consumption (t), S sulphur and A ash in the anode (fractions, 0 to
    1). The rest of the anode is taken as carbon, all of it as CO2. Source: CETS-AG-04.01-V01-2024
    chapter 6, as restated by others; the same form is IPCC 2006 volume 3 equation 4.21.
    """
    carbon = carbon_share(sulphur_fraction, ash_fraction)
    return Co2(amount("net_anode_t", net_anode_t) * carbon * CO2_PER_CARBON)


def prebake_co2(
    net_anode_t_per_t: Number,
    aluminium_t: Number,
    sulphur_fraction: Number,
    ash_fraction: Number,
) -> Co2:
    """
    CO2 from the net consumption of prebaked anodes per tonne of aluminium.

        E = NAC * MP * (1 - S_a - Ash_a) * 44/12

    E emission (t CO2), NAC net anode consumption (t per t of aluminium, at most 5: kg per t are
    refused), MP aluminium (t), S_a sulphur and Ash_a ash in the anode (fractions). Source: IPCC
    2006 volume 3 equation 4.21; 40 CFR 98.63 equation F-5.
    """
    net_t = per_tonne("net_anode_t_per_t", net_anode_t_per_t) * amount("aluminium_t", aluminium_t)
    return Co2(net_t * carbon_share(sulphur_fraction, ash_fraction) * CO2_PER_CARBON)


def soderberg_co2(  # noqa: PLR0913, PLR0917 - the equation has ten terms
    paste_t_per_t: Number,
    aluminium_t: Number,
    tar_kg_per_t: Number,
    binder_fraction: Number,
    pitch_sulphur_fraction: Number,
    pitch_ash_fraction: Number,
    pitch_hydrogen_fraction: Number,
    coke_sulphur_fraction: Number,
    coke_ash_fraction: Number,
    dust_t_per_t: Number,
) -> Co2:
    """
    CO2 from the paste of Söderberg cells.

        E = MP * [PC - CSM/1000 - BC * PC * (S_p + Ash_p + H_p)
                  - (1 - BC) * PC * (S_c + Ash_c) - CD] * 44/12

    E emission (t CO2), MP aluminium (t), PC paste consumption (t per t, at most 5), CSM emissions
    of cyclohexane-soluble matter, tar (kg per t), BC binder (pitch) in the paste (fraction), S, Ash
    and H sulphur, ash and hydrogen in pitch (p) and calcined coke (c) (fractions), CD carbon dust
    from the cell (t per t). Source: IPCC 2006 volume 3 equation 4.24; 40 CFR 98.63 equation F-6.
    Refused when more is taken away than the paste holds.
    """
    paste = per_tonne("paste_t_per_t", paste_t_per_t)
    binder = fraction("binder_fraction", binder_fraction)
    in_pitch = (
        fraction("pitch_sulphur_fraction", pitch_sulphur_fraction)
        + fraction("pitch_ash_fraction", pitch_ash_fraction)
        + fraction("pitch_hydrogen_fraction", pitch_hydrogen_fraction)
    )
    in_coke = fraction("coke_sulphur_fraction", coke_sulphur_fraction) + fraction(
        "coke_ash_fraction", coke_ash_fraction
    )
    carbon = (
        paste
        - amount("tar_kg_per_t", tar_kg_per_t) / 1000
        - binder * paste * in_pitch
        - (1 - binder) * paste * in_coke
        - per_tonne("dust_t_per_t", dust_t_per_t)
    )
    if carbon < 0:
        raise FormulaError(
            "paste_t_per_t：扣除项大于阳极糊本身；请核对阳极糊单耗、焦油、粉尘和杂质",
            "paste_t_per_t: more is taken away than the paste holds; check paste, tar, dust and "
            "impurities",
        )
    return Co2(amount("aluminium_t", aluminium_t) * carbon * CO2_PER_CARBON)


def co2_tier1(aluminium_t: Number, ef_co2_t_per_t: Number) -> Co2:
    """
    CO2 of the anodes by a default factor per tonne of aluminium.

        E = MP * EF

    E emission (t CO2), MP aluminium (t), EF default factor of the cell technology (t CO2 per t).
    Source: IPCC 2006 volume 3 equation 4.20 (tier 1); 40 CFR 98.65 uses it where anode or paste
    data are missing.
    """
    return Co2(amount("aluminium_t", aluminium_t) * per_tonne("ef_co2_t_per_t", ef_co2_t_per_t))


CATALOGUE = (
    Formula(
        anode_stock,
        ("B", "R", "E"),
        "C = B + R − E",
        "阳极消耗量（库存法）",
        "anode consumed, by stock",
    ),
    Formula(
        anode_by_count,
        ("N", "m"),
        "C = N × m / 1000",
        "阳极消耗量（换极记录法）",
        "anode consumed, by change log",
    ),
    Formula(anode_net, ("C", "r"), "NC = C × (1 − r)", "阳极净消耗量", "net anode consumption"),
    Formula(
        anode_co2,
        ("NC", "S", "A"),
        "E_anode = NC × (1 − S − A) × 44/12",
        "炭阳极消耗排放",
        "CO2 from anodes",
    ),
    Formula(
        prebake_co2,
        ("NAC", "MP", "S_a", "Ash_a"),
        "E = NAC × MP × (1 − S_a − Ash_a) × 44/12",
        "预焙阳极消耗排放（IPCC）",
        "CO2 from prebaked anodes (IPCC)",
    ),
    Formula(
        soderberg_co2,
        ("PC", "MP", "CSM", "BC", "S_p", "Ash_p", "H_p", "S_c", "Ash_c", "CD"),
        "E = MP × [PC − CSM/1000 − BC × PC × (S_p + Ash_p + H_p) "
        "− (1 − BC) × PC × (S_c + Ash_c) − CD] × 44/12",
        "自焙阳极糊消耗排放（IPCC）",
        "CO2 from Söderberg paste (IPCC)",
    ),
    Formula(
        co2_tier1,
        ("MP", "EF"),
        "E = MP × EF",
        "阳极消耗排放（缺省因子法）",
        "anode CO2 by default factor",
    ),
)
