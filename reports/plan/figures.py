"""Which figures a quality plan must lay down: what the reports of the plant are made from."""

from collections.abc import Iterator
from typing import Final

from reports.entries.kinds import KINDS
from reports.entries.ledger import Ledger
from reports.periods import Period
from reports.plan.plan import Plan
from reports.site import PLANT, Meter, Potline, Site

PROCESS: Final = (
    *("aluminium", "anode_consumed", "anode_net", "anode_sulphur", "anode_ash", "pfc"),
    "electricity_ac",
)
# What a legal default stands in for: name of the formula's input -> kinds of laboratory entries.
TESTED: Final = {
    "sulphur_fraction": ("anode_sulphur",),
    "ash_fraction": ("anode_ash",),
    "ncv_gj_per_unit": ("fuel_ncv", "gas_ncv"),
    "carbon_tc_per_gj": ("fuel_carbon_per_heat", "gas_carbon_per_heat"),
    "carbon_tc_per_unit": ("fuel_carbon", "gas_carbon"),
    "purity_fraction": ("carbonate_purity",),
}


def monitored(site: Site, ledger: Ledger, period: Period) -> tuple[str, ...]:
    """Figures and measured inputs of the reports of ``period``, potline by potline, then plant."""
    found = [
        figure
        for line in site.potline
        if line.runs_in(period.first, period.after)
        for figure in _process(line)
    ]
    found.append(f"{PLANT}.electricity_purchased")
    stated = {(e.figure.kind.id, e.figure.item) for e in ledger.current().values()}
    if any(kind == "heat_purchased" for kind, _ in stated):
        found.append(f"{PLANT}.heat_purchased")
    fuels = [item for kind, item in sorted(stated) if kind in {"fuel_consumed", "gas_consumed"}]
    for fuel in dict.fromkeys([*(site.fuels or ()), *fuels]):
        gases = KINDS["gas_consumed"].items
        family = "gas" if gases is not None and fuel in gases.names else "fuel"
        found += [f"{PLANT}.fuel_consumed.{fuel}", f"{PLANT}.{family}_ncv.{fuel}"]
    carbonates = [item for kind, item in sorted(stated) if kind == "carbonate_consumed"]
    found += _each("carbonate_consumed", [*(site.carbonates or ()), *carbonates])
    return tuple(dict.fromkeys(found))


def _process(line: Potline) -> Iterator[str]:
    yield from (f"{line.id}.{name}" for name in PROCESS)
    if line.aux_meters:
        yield f"{line.id}.electricity_aux"
    if line.heat_meters:
        yield f"{line.id}.heat_process"


def optional(figure: str) -> bool:
    """True for a figure of a potline that only some have: a pattern alone does not ask for it."""
    return figure.partition(".")[2] in {"electricity_aux", "heat_process"}


def _each(name: str, items: list[str]) -> list[str]:
    return [f"{PLANT}.{name}.{item}" for item in dict.fromkeys(items)]


def gaps(plan: Plan, figures: tuple[str, ...]) -> tuple[str, ...]:
    """Those without a parameter in the plan."""
    return tuple(figure for figure in figures if plan.parameter_of(figure) is None)


def meters(site: Site, period: Period) -> tuple[Meter, ...]:
    """All counters of the potlines that run in the period."""
    return tuple(
        meter
        for line in site.potline
        if line.runs_in(period.first, period.after)
        for meter in (*line.ac_meters, *line.aux_meters, *line.heat_meters)
    )


def figure_of_entry(kind: str, line: str, item: str) -> str:
    """The plan's name of an input that a person entered: ``plant.gas_ncv.natural_gas``."""
    return f"{line}.{kind}.{item}" if item else f"{line}.{kind}"


def is_tested(kind: str) -> bool:
    """True for a kind that a laboratory finds."""
    return any(kind in kinds for kinds in TESTED.values()) and kind in KINDS
