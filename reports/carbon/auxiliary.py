"""Auxiliary figures of ``carbon-monthly``: electricity and heat, reported but not counted."""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from reports.assembly import Assembly, Head
from reports.entered import Entered, month_of
from reports.entries.ledger import Ledger
from reports.metered import Metered, add_meters, read_meter
from reports.model import How, Section
from reports.periods import Period
from reports.rules.packs import Legal, RuleError
from reports.series.store import Series
from reports.site import PLANT, Meter, Potline, Site
from reports.values import Text

GRID: Final = "cn_grid_factors"
_YEAR: Final = re.compile(r"(20\d\d)年")  # the year a factor is for stands in the title
AGREE: Final = Decimal("0.01")  # metered and entered figures differ by more: said so
KWH_DECIMALS: Final = 1
_AC = Text(zh="工序交流电量", en="AC electricity of the process")
_AUX = Text(zh="工序动力电量", en="Auxiliary electricity of the process")
_HEAT = Text(zh="工序耗热量", en="Heat used by the process")
_SPECIFIC = Text(zh="铝液交流电耗", en="AC electricity per tonne of liquid aluminium")
_INDIRECT = Text(
    zh="电力间接排放（参考，不计入排放量）", en="Indirect CO2 of electricity (information only)"
)
_PURCHASED = {
    "electricity_purchased": Text(zh="净购入电量", en="Net purchased electricity"),
    "heat_purchased": Text(zh="净购入热量", en="Net purchased heat"),
}
_PURCHASED_CO2 = {
    "electricity_purchased": Text(
        zh="净购入电力间接排放（参考，不计入排放量）",
        en="Indirect CO2 of purchased electricity (information only)",
    ),
    "heat_purchased": Text(
        zh="净购入热力间接排放（参考，不计入排放量）",
        en="Indirect CO2 of purchased heat (information only)",
    ),
}
_NOT_STATED = Text(zh="未配置计量表，也没有录入：未填报", en="no meter and no entry: not stated")


def add_potline_auxiliary(
    assembly: Assembly, site: Site, line: Potline, ledger: Ledger, series: Series, guide: str
) -> None:
    """Electricity and heat of one process, and what follows from them."""
    mwh = int(assembly.legal(guide, "electricity_decimals").number)
    gj = int(assembly.legal(guide, "heat_decimals").number)
    stated = (
        ("electricity_ac", _AC, "MWh", mwh, line.ac_meters),
        ("electricity_aux", _AUX, "MWh", mwh, line.aux_meters),
        ("heat_process", _HEAT, "GJ", gj, line.heat_meters),
    )
    for kind, label, unit, decimals, meters in stated:
        head = Head(line.id, kind, Section.AUXILIARY, label, unit, decimals)
        figure = month_of(ledger, kind, line, assembly.period)
        if meters:
            ours = owned(line, assembly.period)
            _metered(assembly, head, read_all(assembly, series, meters, ours), figure)
        else:
            _entered(assembly, head, figure, required=kind == "electricity_ac")
    _information(assembly, site, line.id, guide)


def add_plant_auxiliary(
    assembly: Assembly, site: Site, lines: Sequence[str], ledger: Ledger, guide: str
) -> None:
    """Sums over the processes, and what the plant purchased."""
    mwh = int(assembly.legal(guide, "electricity_decimals").number)
    gj = int(assembly.legal(guide, "heat_decimals").number)
    for kind, label, unit, decimals in (
        ("electricity_ac", _AC, "MWh", mwh),
        ("electricity_aux", _AUX, "MWh", mwh),
        ("heat_process", _HEAT, "GJ", gj),
    ):
        head = Head(PLANT, kind, Section.AUXILIARY, label, unit, decimals)
        parts = [f"{line}.{kind}" for line in lines]
        stated = [part for part in parts if assembly.lines[part].how is not How.NONE]
        if stated:
            assembly.add_up(head, stated)
        else:
            assembly.state(head, None, How.NONE, (), notes=[_NOT_STATED])
    for kind, label in _PURCHASED.items():
        electricity = kind.startswith("electricity")
        head = Head(
            PLANT,
            kind,
            Section.AUXILIARY,
            label,
            "MWh" if electricity else "GJ",
            mwh if electricity else gj,
        )
        _entered(assembly, head, month_of(ledger, kind, None, assembly.period), required=False)
        _purchased_co2(assembly, site, kind, guide)
    _information(assembly, site, PLANT, guide)


def _purchased_co2(assembly: Assembly, site: Site, kind: str, guide: str) -> None:
    """CO2 of what was bought, by the factor of the year, beside it."""
    bought = assembly.lines[f"{PLANT}.{kind}"]
    if bought.value is None:
        return
    decimals = int(assembly.legal(guide, "emission_decimals").number)
    head = Head(PLANT, f"{kind}_co2", Section.INFORMATION, _PURCHASED_CO2[kind], "tCO2", decimals)
    if kind == "heat_purchased":
        factor = assembly.law("factor_t_per_gj", assembly.legal(guide, "heat_factor"))
        heat = assembly.from_line("heat_gj", bought.id)
        assembly.compute(head, "indirect_co2_heat", [heat, factor])
        return
    grid = grid_factor(assembly, site.province)
    energy = assembly.from_line("energy_mwh", bought.id)
    factor = assembly.law("factor_kg_per_kwh", grid)
    notes = _of_another_year(grid, assembly.period)
    assembly.compute(head, "indirect_co2", [energy, factor], notes=notes)


def owned(line: Potline, period: Period) -> Period:
    """The part of the period in which the line's meters count for this plant."""
    return Period(
        max(period.first, line.acquired or period.first),
        min(period.after, line.sold or period.after),
    )


def read_all(
    assembly: Assembly, series: Series, meters: Sequence[Meter], period: Period
) -> Metered:
    """The sum of the meters over the period, each noted as used."""
    uses = [read_meter(series, meter, period) for meter in meters]
    assembly.meters.update({use.id: use for use in uses})
    return add_meters("energy_kwh", uses)


def _metered(assembly: Assembly, head: Head, metered: Metered, figure: Entered) -> None:
    notes = list(metered.notes)
    if head.unit == "MWh":
        assembly.compute(head, "energy_mwh", [metered.argument], how=How.METERED)
        line = assembly.lines[head.id]
    else:
        line = assembly.state(
            head, metered.argument.input.value, How.METERED, [], missing=metered.argument.missing
        )
    if figure.amount is not None and line.value is not None:
        notes += _differ(line.value, figure.amount, head.unit)
    assembly.put(
        line,
        inputs=tuple(argument.input for argument in metered.inputs),
        coverage=metered.coverage,
        notes=tuple(notes),
    )


def _differ(metered: Decimal, stated: Decimal, unit: str) -> list[Text]:
    if abs(metered - stated) <= AGREE * max(metered, stated):
        return []
    return [
        Text(
            zh=f"录入值 {stated} {unit} 与计量值相差 {stated - metered:.3f} {unit}，采用计量值",
            en=f"an entry states {stated} {unit}, {stated - metered:.3f} {unit} off the meters; "
            "the meters count",
        )
    ]


def _entered(assembly: Assembly, head: Head, figure: Entered, *, required: bool) -> None:
    if figure.amount is None and not figure.entries and not required:
        assembly.state(head, None, How.NONE, (), notes=[_NOT_STATED])
        return
    assembly.state(
        head,
        figure.amount,
        How.ENTERED,
        figure.inputs(assembly),
        coverage=figure.coverage,
        missing=figure.missing,
    )


def _information(assembly: Assembly, site: Site, scope: str, guide: str) -> None:
    energy = assembly.lines[f"{scope}.electricity_ac"]
    metal = assembly.lines[f"{scope}.aluminium"]
    if energy.value is None or not metal.value:
        return
    assembly.compute(
        Head(scope, "specific_energy", Section.INFORMATION, _SPECIFIC, "kWh/t", KWH_DECIMALS),
        "specific_energy",
        [
            assembly.from_line("energy_mwh", energy.id),
            assembly.from_line("aluminium_t", metal.id),
        ],
    )
    factor = grid_factor(assembly, site.province)
    decimals = int(assembly.legal(guide, "emission_decimals").number)
    assembly.compute(
        Head(scope, "indirect_co2", Section.INFORMATION, _INDIRECT, "tCO2", decimals),
        "indirect_co2",
        [
            assembly.from_line("energy_mwh", energy.id),
            assembly.law("factor_kg_per_kwh", factor),
        ],
        notes=_of_another_year(factor, assembly.period),
    )


def grid_factor(assembly: Assembly, province: str) -> Legal:
    """
    The factor of the year of the period, else the newest one that was published.

    That of the province comes before the national one. Raises RuleError when the pack has neither.
    """
    pack, year = assembly.packs[GRID], assembly.period.first.year
    names = [name for name in (f"factor_{province}", "factor_national") if name in pack.parameters]
    known = [each.legal for name in names for each in reversed(pack.stretches(name))]
    own = [legal for legal in known if year_of(legal) == year]
    if not known:
        where = "；".join(source.title for source in pack.sources.values())
        raise RuleError(f"{GRID}.factor_{province}: {where}")
    return assembly.cite((own or known)[0])


def year_of(factor: Legal) -> int | None:
    """The year a factor is for: as the pack says, else by the title of its announcement."""
    found = _YEAR.search(factor.source.title)
    return factor.data_year or (None if found is None else int(found[1]))


def _of_another_year(factor: Legal, period: Period) -> list[Text]:
    """Says so when the factor was published for another year than the period's."""
    year, title = year_of(factor), factor.source.title
    if year == period.first.year:
        return []
    return [
        Text(
            zh=f"采用最近公布的 {year or '?'} 年因子（{title}）：不是 {period.first.year} 年的"
            "因子，截至所用规则包尚无当年因子",
            en=f"factor of {year or '?'}, the most recently published ({title}): not that of "
            f"{period.first.year}, for which the rules at hand hold none",
        )
    ]
