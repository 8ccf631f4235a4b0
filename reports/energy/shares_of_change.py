"""
What a change of kWh per tonne is made of: an additive decomposition that sums to it exactly.

    w = 2979.98 * (V_w + V_ae + V_s) / (CE * eta) + a

V_w working voltage, V_ae of anode effects, V_s of stopped and starting pots (V), CE current
efficiency, eta rectifier efficiency, a auxiliaries per tonne (kWh/t). The product is shared out by
Shapley's value: the mean over every order in which the factors could have changed. So the parts sum
to the change, nothing changed gives nothing, and exchanging the periods turns every sign.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations
from math import factorial
from typing import Final

from reports.formulas.faraday import KWH_PER_T_PER_V

FACTORS: Final = ("voltage", "anode_effects", "stopped_pots", "current_efficiency", "rectifier")
PLACES: Final = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Operation:
    """
    How a place ran: volts per pot, efficiencies as fractions, auxiliaries in kWh/t.

    ``total_kwh_per_t`` is the figure whose change is explained.
    """

    total_kwh_per_t: Decimal
    working_v: Decimal
    effects_v: Decimal
    stopped_v: Decimal
    current_efficiency: Decimal
    rectifier_efficiency: Decimal
    auxiliary_kwh_per_t: Decimal = Decimal(0)


def shares_of_change(before: Operation, after: Operation) -> dict[str, Decimal]:
    """kWh/t by reason: FACTORS, ``auxiliary`` and ``other``; they sum to the change exactly."""
    one, two = _factors(before), _factors(after)
    parts = {name: _shapley(name, one, two).quantize(PLACES) for name in FACTORS}
    parts["auxiliary"] = after.auxiliary_kwh_per_t - before.auxiliary_kwh_per_t
    total = after.total_kwh_per_t - before.total_kwh_per_t
    parts["other"] = total - sum(parts.values())
    return parts


def _factors(run: Operation) -> dict[str, Decimal]:
    return {
        "voltage": run.working_v,
        "anode_effects": run.effects_v,
        "stopped_pots": run.stopped_v,
        "current_efficiency": run.current_efficiency,
        "rectifier": run.rectifier_efficiency,
    }


def _energy(factors: Mapping[str, Decimal]) -> Decimal:
    volts = factors["voltage"] + factors["anode_effects"] + factors["stopped_pots"]
    return KWH_PER_T_PER_V * volts / (factors["current_efficiency"] * factors["rectifier"])


def _shapley(name: str, one: Mapping[str, Decimal], two: Mapping[str, Decimal]) -> Decimal:
    others = [factor for factor in FACTORS if factor != name]
    total = Decimal(0)
    for size in range(len(others) + 1):
        weight = Decimal(factorial(size) * factorial(len(others) - size)) / factorial(len(FACTORS))
        for changed in combinations(others, size):
            mixed = {factor: (two if factor in changed else one)[factor] for factor in FACTORS}
            total += weight * (_energy(mixed | {name: two[name]}) - _energy(mixed))
    return total
