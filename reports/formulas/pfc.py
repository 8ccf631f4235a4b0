"""Perfluorocarbons from anode effects, by default factors per tonne of aluminium."""

from decimal import Decimal
from typing import NamedTuple

from reports.formulas.numbers import Number, amount


class PfcDefault(NamedTuple):
    """Masses of both gases and their CO2 equivalent."""

    cf4_kg: Decimal
    c2f6_kg: Decimal
    t_co2e: Decimal


def pfc_default(
    aluminium_t: Number,
    ef_cf4_kg_per_t: Number,
    ef_c2f6_kg_per_t: Number,
    gwp_cf4: Number,
    gwp_c2f6: Number,
) -> PfcDefault:
    """
    CF4 and C2F6 of anode effects by default factors, and their CO2 equivalent.

        m_i = P * EF_i              E = sum(m_i * GWP_i) / 1000

    m mass (kg), P liquid aluminium (t), EF default factor (kg per t of aluminium), GWP 100-year
    global warming potential (t CO2e per t), E emission (t CO2e). Source: CETS-AG-04.01-V01-2024
    chapter 6, as restated by others. Counted or timed anode effects have no influence.
    """
    aluminium = amount("aluminium_t", aluminium_t)
    cf4_kg = aluminium * amount("ef_cf4_kg_per_t", ef_cf4_kg_per_t)
    c2f6_kg = aluminium * amount("ef_c2f6_kg_per_t", ef_c2f6_kg_per_t)
    t_co2e = (cf4_kg * amount("gwp_cf4", gwp_cf4) + c2f6_kg * amount("gwp_c2f6", gwp_c2f6)) / 1000
    return PfcDefault(cf4_kg, c2f6_kg, t_co2e)
