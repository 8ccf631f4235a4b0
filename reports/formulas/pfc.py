"""Perfluorocarbons from anode effects: by default factors, slope, overvoltage, or measured."""

from decimal import Decimal
from typing import NamedTuple

from reports.formulas.formula import Formula
from reports.formulas.numbers import Number, amount, fraction, high_percent, positive


class Pfc(NamedTuple):
    """Masses of both gases and their CO2 equivalent."""

    cf4_kg: Decimal
    c2f6_kg: Decimal
    t_co2e: Decimal


def _equivalent(cf4_kg: Decimal, c2f6_kg: Decimal, gwp_cf4: Number, gwp_c2f6: Number) -> Pfc:
    """The masses with their CO2 equivalent, t: E = sum(m_i * GWP_i) / 1000."""
    t_co2e = (cf4_kg * amount("gwp_cf4", gwp_cf4) + c2f6_kg * amount("gwp_c2f6", gwp_c2f6)) / 1000
    return Pfc(cf4_kg, c2f6_kg, t_co2e)


def pfc_default(
    aluminium_t: Number,
    ef_cf4_kg_per_t: Number,
    ef_c2f6_kg_per_t: Number,
    gwp_cf4: Number,
    gwp_c2f6: Number,
) -> Pfc:
    """
    CF4 and C2F6 of anode effects by default factors, and their CO2 equivalent.

        m_i = P * EF_i              E = sum(m_i * GWP_i) / 1000

    m mass (kg), P liquid aluminium (t), EF default factor (kg per t of aluminium), GWP 100-year
    global warming potential (t CO2e per t), E emission (t CO2e). Source: CETS-AG-04.01-V01-2024
    chapter 6, as restated by others; the same form is IPCC 2006 volume 3 equation 4.25 (tier 1).
    Counted or timed anode effects have no influence.
    """
    aluminium = amount("aluminium_t", aluminium_t)
    cf4_kg = aluminium * amount("ef_cf4_kg_per_t", ef_cf4_kg_per_t)
    c2f6_kg = aluminium * amount("ef_c2f6_kg_per_t", ef_c2f6_kg_per_t)
    return _equivalent(cf4_kg, c2f6_kg, gwp_cf4, gwp_c2f6)


def pfc_slope(
    aluminium_t: Number,
    aem_min_per_cell_day: Number,
    slope_kg_per_t_per_min: Number,
    c2f6_fraction: Number,
    gwp_cf4: Number,
    gwp_c2f6: Number,
) -> Pfc:
    """
    CF4 and C2F6 from measured anode-effect minutes, by the slope of the cell technology.

        m_CF4 = S * AEM * P         m_C2F6 = F * m_CF4         E = sum(m_i * GWP_i) / 1000

    m mass (kg), S slope (kg CF4 per t of aluminium, per minute and cell-day), AEM anode-effect
    minutes per cell-day (frequency times mean duration), P aluminium (t), F weight of C2F6 per
    CF4 (fraction), E emission (t CO2e). Source: IPCC 2006 volume 3 equation 4.26 (tier 2 with
    default, tier 3 with measured slope); EU 2025/2547 annex II B.7.1 equations 21, 22 and 26; 40
    CFR 98.63 equations F-2 and F-4. Never for the Chinese ETS, whose factor is fixed.
    """
    cf4_kg = (
        amount("slope_kg_per_t_per_min", slope_kg_per_t_per_min)
        * amount("aem_min_per_cell_day", aem_min_per_cell_day)
        * amount("aluminium_t", aluminium_t)
    )
    c2f6_kg = cf4_kg * fraction("c2f6_fraction", c2f6_fraction)
    return _equivalent(cf4_kg, c2f6_kg, gwp_cf4, gwp_c2f6)


def pfc_overvoltage(
    aluminium_t: Number,
    aeo_mv: Number,
    current_efficiency_percent: Number,
    overvoltage_coefficient: Number,
    c2f6_fraction: Number,
    gwp_cf4: Number,
    gwp_c2f6: Number,
) -> Pfc:
    """
    CF4 and C2F6 from measured anode-effect overvoltage.

        m_CF4 = OVC * AEO / CE * P  m_C2F6 = F * m_CF4         E = sum(m_i * GWP_i) / 1000

    m mass (kg), OVC overvoltage coefficient (kg CF4 per t of aluminium and mV, with CE in
    percent), AEO anode-effect overvoltage per cell (mV), CE current efficiency (%, 50 < CE <= 100;
    a fraction is refused, it would overstate a hundred times), P aluminium (t), F weight of C2F6
    per CF4 (fraction), E emission (t CO2e). Source: IPCC 2006 volume 3 equation 4.27; EU 2025/2547
    annex II B.7.2 equations 24 to 26; 40 CFR 98.63 equation F-3.
    """
    cf4_kg = (
        amount("overvoltage_coefficient", overvoltage_coefficient)
        * amount("aeo_mv", aeo_mv)
        / high_percent("current_efficiency_percent", current_efficiency_percent)
        * amount("aluminium_t", aluminium_t)
    )
    c2f6_kg = cf4_kg * fraction("c2f6_fraction", c2f6_fraction)
    return _equivalent(cf4_kg, c2f6_kg, gwp_cf4, gwp_c2f6)


def pfc_measured(
    cf4_duct_kg: Number,
    c2f6_duct_kg: Number,
    collection_efficiency_fraction: Number,
    gwp_cf4: Number,
    gwp_c2f6: Number,
) -> Pfc:
    """
    CF4 and C2F6 measured in the duct, with what the hoods did not collect.

        m_i = m_duct,i / eta        E = sum(m_i * GWP_i) / 1000

    m and m_duct mass (kg), eta collection efficiency of the hoods (fraction, more than 0; measured
    together with the installation factor), E emission (t CO2e). Source: EU 2025/2547 annex II B.7
    equations 20 and 26.
    """
    efficiency = positive(
        "collection_efficiency_fraction",
        fraction("collection_efficiency_fraction", collection_efficiency_fraction),
    )
    cf4_kg = amount("cf4_duct_kg", cf4_duct_kg) / efficiency
    c2f6_kg = amount("c2f6_duct_kg", c2f6_duct_kg) / efficiency
    return _equivalent(cf4_kg, c2f6_kg, gwp_cf4, gwp_c2f6)


CATALOGUE = (
    Formula(
        pfc_default,
        ("P", "EF_CF4", "EF_C2F6", "GWP_CF4", "GWP_C2F6"),
        "E_AE = P × (EF_CF4 × GWP_CF4 + EF_C2F6 × GWP_C2F6) / 1000",
        "阳极效应排放（缺省因子法）",
        "anode-effect PFC by default factors",
    ),
    Formula(
        pfc_slope,
        ("P", "AEM", "S", "F", "GWP_CF4", "GWP_C2F6"),
        "CF4 = S × AEM × P; C2F6 = F × CF4; E = (CF4 × GWP_CF4 + C2F6 × GWP_C2F6) / 1000",
        "阳极效应排放（斜率法）",
        "anode-effect PFC by slope",
    ),
    Formula(
        pfc_overvoltage,
        ("P", "AEO", "CE", "OVC", "F", "GWP_CF4", "GWP_C2F6"),
        "CF4 = OVC × AEO / CE × P; C2F6 = F × CF4; E = (CF4 × GWP_CF4 + C2F6 × GWP_C2F6) / 1000",
        "阳极效应排放（过电压法）",
        "anode-effect PFC by overvoltage",
    ),
    Formula(
        pfc_measured,
        ("CF4_d", "C2F6_d", "η", "GWP_CF4", "GWP_C2F6"),
        "E = (CF4_d × GWP_CF4 + C2F6_d × GWP_C2F6) / η / 1000",
        "PFC 实测排放（按集气效率还原）",
        "PFC measured in the duct, by collection efficiency",
    ),
)
