"""CO2 from making anodes: pitch burnt in baking, packing coke, coke calcination, whole balances."""

from decimal import Decimal
from typing import NamedTuple

from reports.formulas.anode import Co2, carbon_share
from reports.formulas.formula import Formula
from reports.formulas.numbers import (
    CO2_PER_CARBON,
    FormulaError,
    Number,
    amount,
    fraction,
    per_tonne,
    positive,
)

CO2_PER_METHANE = Decimal(44) / Decimal(16)


class CarbonMass(NamedTuple):
    """Carbon, t."""

    carbon_t: Decimal


def pitch_co2(
    green_anode_t: Number, hydrogen_fraction: Number, baked_anode_t: Number, waste_tar_t: Number
) -> Co2:
    """
    CO2 from pitch volatiles burnt in anode baking.

        E = (GA - H_w * GA - BA - WT) * 44/12

    E emission (t CO2), GA green anodes set in (t), H_w hydrogen in green anodes
    (fraction), BA baked anodes (t), WT waste tar collected (t). Source: IPCC 2006 volume 3
    equation 4.22; 40 CFR 98.63 equation F-7. Refused when more comes out than went in.
    """
    green = amount("green_anode_t", green_anode_t)
    lost = (
        green * (1 - fraction("hydrogen_fraction", hydrogen_fraction))
        - amount("baked_anode_t", baked_anode_t)
        - amount("waste_tar_t", waste_tar_t)
    )
    if lost < 0:
        raise FormulaError(
            "green_anode_t：焙烧块与废焦油之和大于生块；请核对三个数",
            "green_anode_t: baked anodes and tar are more than the green anodes; check the figures",
        )
    return Co2(lost * CO2_PER_CARBON)


def packing_co2(
    packing_t_per_t: Number,
    baked_anode_t: Number,
    sulphur_fraction: Number,
    ash_fraction: Number,
) -> Co2:
    """
    CO2 from packing coke burnt in anode baking.

        E = PCC * BA * (1 - S_pc - Ash_pc) * 44/12

    E emission (t CO2), PCC packing coke consumed (t per t of baked anode, at most 5: kg per t are
    refused), BA baked anodes (t), S_pc sulphur and Ash_pc ash in packing coke (fractions). Source:
    IPCC 2006 volume 3 equation 4.23; 40 CFR 98.63 equation F-8.
    """
    packing_t = per_tonne("packing_t_per_t", packing_t_per_t) * amount(
        "baked_anode_t", baked_anode_t
    )
    return Co2(packing_t * carbon_share(sulphur_fraction, ash_fraction) * CO2_PER_CARBON)


def coke_calcination_co2(  # noqa: PLR0913, PLR0917 - the equation has nine terms
    green_coke_t: Number,
    moisture_fraction: Number,
    volatiles_fraction: Number,
    sulphur_fraction: Number,
    calcined_coke_t: Number,
    undercalcined_coke_t: Number,
    coke_dust_t: Number,
    calcined_sulphur_fraction: Number,
    methane_fraction: Number,
) -> Co2:
    """
    CO2 from calcining petroleum coke.

        E = [GC * (1 - H - V - S) - (CC + UC + D) * (1 - S_c)] * 44/12 + GC * m * 44/16

    E emission (t CO2), GC green coke (t), H moisture, V volatiles and S sulphur in it (fractions),
    CC calcined coke, UC under-calcined coke, D dust (t), S_c sulphur in calcined coke (fraction), m
    methane in the volatiles as a share of the green coke (fraction). Source: IAI/GHG Protocol
    aluminium workbook 2.0, coke calcination. Refused when more carbon comes out than went in: with
    the workbook's own typical values that is easily so.
    """
    rest = (
        1
        - fraction("moisture_fraction", moisture_fraction)
        - fraction("volatiles_fraction", volatiles_fraction)
        - fraction("sulphur_fraction", sulphur_fraction)
    )
    green = amount("green_coke_t", green_coke_t)
    kept = (
        amount("calcined_coke_t", calcined_coke_t)
        + amount("undercalcined_coke_t", undercalcined_coke_t)
        + amount("coke_dust_t", coke_dust_t)
    ) * (1 - fraction("calcined_sulphur_fraction", calcined_sulphur_fraction))
    lost = green * rest - kept
    if lost < 0:
        raise FormulaError(
            "green_coke_t：产出碳大于投入碳；请核对生焦、煅后焦和收尘量",
            "green_coke_t: more carbon comes out than goes in; check green coke, calcined coke, "
            "dust",
        )
    methane = green * fraction("methane_fraction", methane_fraction)
    return Co2(lost * CO2_PER_CARBON + methane * CO2_PER_METHANE)


def carbon_content(mass_t: Number, carbon_fraction: Number) -> CarbonMass:
    """
    Carbon in a material stream.

        C = M * w

    C carbon (t), M material (t), w carbon content (fraction). Source: EU 2025/2547 annex II
    B.3.2, the term of one stream in a mass balance.
    """
    return CarbonMass(amount("mass_t", mass_t) * fraction("carbon_fraction", carbon_fraction))


def mass_balance_co2(carbon_in_t: Number, carbon_out_t: Number, f_ratio: Number) -> Co2:
    """
    CO2 by mass balance over a boundary: carbon that goes in and does not come out.

        E = f * (C_in - C_out)

    E emission (t CO2), C_in and C_out carbon in all inputs and outputs (t), f CO2 per carbon
    (t per t: a rule may print 3.664 where others print 44/12). Source: EU 2025/2547 annex II
    B.3.2; EU 2018/2066 annex IV section 7. Refused when more carbon comes out than goes in.
    """
    ratio = positive("f_ratio", f_ratio)
    if not Decimal("3.6") < ratio < Decimal("3.7"):
        raise FormulaError(
            f"f_ratio：{f_ratio} 不是 CO2 与碳的质量比（约 3.66）",
            f"f_ratio: {f_ratio} is not the mass of CO2 per carbon (about 3.66)",
        )
    left = amount("carbon_in_t", carbon_in_t) - amount("carbon_out_t", carbon_out_t)
    if left < 0:
        raise FormulaError(
            "carbon_out_t：产出碳大于投入碳；请核对各物流",
            "carbon_out_t: more carbon comes out than goes in; check the streams",
        )
    return Co2(ratio * left)


def anode_balance_co2(  # noqa: PLR0913, PLR0917 - six streams, four carbon contents
    pitch_t: Number,
    coke_t: Number,
    packing_t: Number,
    byproduct_carbon_t: Number,
    bought_anode_t: Number,
    sold_anode_t: Number,
    pitch_carbon_fraction: Number,
    coke_carbon_fraction: Number,
    packing_carbon_fraction: Number,
    anode_carbon_fraction: Number,
) -> Co2:
    """
    CO2 of making and using anodes together, by the streams of materials (alternative method).

        E = (P * w_p + C * w_c + K * w_k + (B - S) * w_a - W) * 44/12

    E emission (t CO2), P pitch, C calcined coke, K packing coke (t consumed), B and S anodes
    bought and sold (t), w their carbon contents (fractions), W carbon in by-products and tar (t).
    Source: IAI/GHG Protocol aluminium workbook 2.0, alternative mass-balance method.
    """
    anode = fraction("anode_carbon_fraction", anode_carbon_fraction)
    carbon = (
        amount("pitch_t", pitch_t) * fraction("pitch_carbon_fraction", pitch_carbon_fraction)
        + amount("coke_t", coke_t) * fraction("coke_carbon_fraction", coke_carbon_fraction)
        + amount("packing_t", packing_t)
        * fraction("packing_carbon_fraction", packing_carbon_fraction)
        + amount("bought_anode_t", bought_anode_t) * anode
        - amount("sold_anode_t", sold_anode_t) * anode
        - amount("byproduct_carbon_t", byproduct_carbon_t)
    )
    if carbon < 0:
        raise FormulaError(
            "sold_anode_t：产出碳大于投入碳；请核对各物流",
            "sold_anode_t: more carbon comes out than goes in; check the streams",
        )
    return Co2(carbon * CO2_PER_CARBON)


CATALOGUE = (
    Formula(
        pitch_co2,
        ("GA", "H_w", "BA", "WT"),
        "E = (GA − H_w × GA − BA − WT) × 44/12",
        "焙烧沥青挥发分排放",
        "CO2 from pitch in baking",
    ),
    Formula(
        packing_co2,
        ("PCC", "BA", "S_pc", "Ash_pc"),
        "E = PCC × BA × (1 − S_pc − Ash_pc) × 44/12",
        "焙烧填充焦排放",
        "CO2 from packing coke",
    ),
    Formula(
        coke_calcination_co2,
        ("GC", "H", "V", "S", "CC", "UC", "D", "S_c", "m"),
        "E = [GC × (1 − H − V − S) − (CC + UC + D) × (1 − S_c)] × 44/12 + GC × m × 44/16",
        "石油焦煅烧排放",
        "CO2 from coke calcination",
    ),
    Formula(carbon_content, ("M", "w"), "C = M × w", "物料含碳量", "carbon in a stream"),
    Formula(
        mass_balance_co2,
        ("C_in", "C_out", "f"),
        "E = f × (C_in − C_out)",
        "碳质量平衡法排放",
        "CO2 by mass balance",
    ),
    Formula(
        anode_balance_co2,
        ("P", "C", "K", "W", "B", "S", "w_p", "w_c", "w_k", "w_a"),
        "E = (P × w_p + C × w_c + K × w_k + (B − S) × w_a − W) × 44/12",
        "阳极生产与消耗排放（物料平衡替代法）",
        "CO2 of anodes by streams (alternative method)",
    ),
)
