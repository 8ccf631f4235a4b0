"""Standard coal of electricity, gas and heat, with the basis of the conversion beside it."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from reports.formulas.energy_names import BASES
from reports.formulas.formula import Formula
from reports.formulas.numbers import FormulaError, Number, amount, choice, rule_given

QUANTITIES = {"kwh": "electricity", "m3_gas": "natural_gas", "gj_heat": "heat"}
FACTOR = ("折标准煤系数", "the coal equivalent")


class StandardCoal(NamedTuple):
    """Standard coal, and on which basis."""

    tce: Decimal
    basis: str


def standard_coal(
    kwh: Number | None = None,
    m3_gas: Number | None = None,
    gj_heat: Number | None = None,
    basis: str | None = None,
    kgce_per_unit: Number | None = None,
) -> StandardCoal:
    """
    Standard coal of one quantity: electricity, natural gas or heat.

        E = Q * k / 1000

    E (tce), Q exactly one of electricity (kWh), natural gas (m3, standard state) and heat (GJ), k
    its coal equivalent (kgce per kWh, m3 or MJ of heat; a rule: on the command line the rule pack
    fills it in). ``basis`` must be said for electricity: ``equivalent`` (0.1229, by heat content,
    that of GB 21346) or ``coal_rate`` (what power stations burn, about 0.3); gas and heat are
    always equivalent. Source: GB/T 2589-2020 as restated by others.
    """
    given = {"kwh": kwh, "m3_gas": m3_gas, "gj_heat": gj_heat}
    found = [(name, value) for name, value in given.items() if value is not None]
    if len(found) != 1:
        names = ", ".join(QUANTITIES)
        raise FormulaError(f"{names}：须且只须给出其中一项", f"{names}: give exactly one of them")
    name, value = found[0]
    quantity = amount(name, value)
    if name != "kwh" and basis == BASES[1]:
        raise FormulaError(
            f"basis：等价值（coal_rate）只用于电力，{name} 请用 equivalent 或不写",
            f"basis: coal_rate is for electricity only; write equivalent or nothing for {name}",
        )
    if name != "kwh" and basis is None:
        basis = BASES[0]
    if basis is None:
        raise FormulaError(
            "basis：电力折标有两种口径，结果相差约 2.5 倍；请写 equivalent（当量值）或 coal_rate"
            "（等价值）",
            "basis: electricity has two, 2.5 times apart; write equivalent or coal_rate",
        )
    choice("basis", basis, BASES)
    factor = rule_given("kgce_per_unit", kgce_per_unit, FACTOR)
    units = quantity * 1000 if name == "gj_heat" else quantity  # MJ
    return StandardCoal(units * factor / 1000, basis)


def _factor(values: Mapping[str, Any]) -> Mapping[str, str]:
    given = [word for name, word in QUANTITIES.items() if name in values]
    if len(given) != 1:
        return {}
    if given != ["electricity"]:
        return {"kgce_per_unit": f"cn_energy_conversion.{given[0]}"}
    basis = values.get("basis")
    return {"kgce_per_unit": f"cn_energy_conversion.electricity_{basis}"} if basis in BASES else {}


CATALOGUE = (
    Formula(
        standard_coal,
        ("W", "V", "Q", "basis", "k"),
        "E = Q × k / 1000",
        "折标准煤",
        "standard coal",
        _factor,
    ),
)
