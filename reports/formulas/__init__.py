"""
The catalogue: every formula of the system by name, pure arithmetic without I/O, dates or packs.

A formula takes plain numbers and returns a named tuple whose field names carry the units.
"""

from collections.abc import Callable
from decimal import Decimal
from inspect import getdoc, signature
from typing import Any, NamedTuple

from reports.formulas.anode import anode_co2, anode_net, anode_stock
from reports.formulas.energy import energy_mwh, indirect_co2, specific_energy
from reports.formulas.intensity import carbon_floor, faraday_metal, intensity, process_emission
from reports.formulas.pfc import pfc_default


class Formula(NamedTuple):
    """
    A formula and how to speak of it.

    ``equation`` is the line reports print, ``symbols`` stand in it for the parameters, in order.
    """

    function: Callable[..., Any]
    symbols: tuple[str, ...]
    equation: str
    zh: str
    en: str

    @property
    def name(self) -> str:
        return self.function.__name__

    @property
    def parameters(self) -> tuple[str, ...]:
        return tuple(signature(self.function).parameters)

    @property
    def results(self) -> tuple[str, ...]:
        """Names of what it returns."""
        kind = self.function.__annotations__["return"]
        fields: tuple[str, ...] = kind._fields
        return fields

    @property
    def text(self) -> str:
        return getdoc(self.function) or ""

    def __call__(self, **values: Decimal | float) -> dict[str, Decimal]:
        result: dict[str, Decimal] = self.function(**values)._asdict()
        return result


_ALL = (
    Formula(
        anode_stock,
        ("B", "R", "E"),
        "C = B + R − E",
        "阳极消耗量（库存法）",
        "anode consumed, by stock",
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
        pfc_default,
        ("P", "EF_CF4", "EF_C2F6", "GWP_CF4", "GWP_C2F6"),
        "E_AE = P × (EF_CF4 × GWP_CF4 + EF_C2F6 × GWP_C2F6) / 1000",
        "阳极效应排放（缺省因子法）",
        "anode-effect PFC by default factors",
    ),
    Formula(
        process_emission,
        ("E_anode", "E_AE"),
        "E = E_anode + E_AE",
        "铝电解工序排放量",
        "process emission",
    ),
    Formula(intensity, ("E", "P"), "I = E / P", "铝电解工序排放强度", "emission intensity"),
    Formula(energy_mwh, ("ΣΔW",), "W = ΣΔW / 1000", "电量换算", "electricity in MWh"),
    Formula(
        specific_energy, ("W", "P"), "w = W × 1000 / P", "铝液交流电耗", "AC electricity per tonne"
    ),
    Formula(
        indirect_co2, ("W", "f"), "E = W × f", "电力间接排放（参考）", "indirect CO2 of electricity"
    ),
    Formula(
        carbon_floor,
        ("CE",),
        "e = 3 M_C / (4 M_Al) / CE × 44/12",
        "炭阳极排放的理论下限",
        "physical floor of anode CO2",
    ),
    Formula(
        faraday_metal,
        ("I", "n", "h", "CE"),
        "P = 0.33557 × I × n × h × CE / 1000",
        "法拉第理论铝产量",
        "aluminium by Faraday's law",
    ),
)

FORMULAS: dict[str, Formula] = {formula.name: formula for formula in _ALL}
