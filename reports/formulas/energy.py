"""Auxiliary figures: electricity per tonne, and what electricity means in CO2 elsewhere."""

from decimal import Decimal
from typing import NamedTuple

from reports.formulas.numbers import Number, amount, positive


class EnergyMwh(NamedTuple):
    """Electricity, MWh."""

    energy_mwh: Decimal


class SpecificEnergy(NamedTuple):
    """Electricity per tonne, kWh/t."""

    kwh_per_t: Decimal


class IndirectCo2(NamedTuple):
    """CO2 of electricity, t."""

    t_co2: Decimal


def energy_mwh(energy_kwh: Number) -> EnergyMwh:
    """
    Electricity in MWh.

        W = W_kWh / 1000

    W energy (MWh), W_kWh the sum of the meters' increments (kWh). The unit of the reports.
    """
    return EnergyMwh(amount("energy_kwh", energy_kwh) / 1000)


def specific_energy(energy_mwh: Number, aluminium_t: Number) -> SpecificEnergy:
    """
    AC electricity per tonne of liquid aluminium.

        w = W * 1000 / P

    w (kWh per t), W AC electricity of the process (MWh), P liquid aluminium (t, more than 0).
    Tapped metal, no correction for metal in the pots: not the figure of GB 21346.
    """
    return SpecificEnergy(
        amount("energy_mwh", energy_mwh) * 1000 / positive("aluminium_t", aluminium_t)
    )


def indirect_co2(energy_mwh: Number, factor_kg_per_kwh: Number) -> IndirectCo2:
    """
    CO2 of electricity at an average grid factor.

        E = W * f

    E (t CO2), W electricity (MWh), f grid factor (kg CO2 per kWh = t per MWh). Information only:
    the Chinese ETS does not count it.
    """
    return IndirectCo2(
        amount("energy_mwh", energy_mwh) * amount("factor_kg_per_kwh", factor_kg_per_kwh)
    )
