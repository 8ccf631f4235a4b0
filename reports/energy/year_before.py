"""The period beside the same one a year before."""

from datetime import date
from decimal import Decimal
from typing import Final

from reports.chapters import Cell, Chapter, Column, Table
from reports.energy.assemble import assemble
from reports.energy.bench import Bench
from reports.periods import Period
from reports.rules.packs import RuleError
from reports.site import PLANT
from reports.values import Text

COMPARED: Final = (
    *("aluminium", "dc_specific", "liquid_ac", "liquid_comprehensive_ac"),
    *("ingot_comprehensive_ac", "ingot_comprehensive_energy", "comprehensive_energy"),
    *("mean_voltage", "mean_current", "current_efficiency_tapping", "rectifier_efficiency"),
    *("ae_frequency", "ae_minutes", "green_share", "heat_recovered", "heat_net"),
    *("water_reuse", "recycled_metal_share"),
)


def earlier(period: Period) -> Period:
    """The same days of the year before; 29 February has no such day and becomes the 28th."""

    def back(day: date) -> date:
        leap = (day.month, day.day) == (2, 29)
        return day.replace(year=day.year - 1, day=28 if leap else day.day)

    return Period(back(period.first), back(period.after))


def year_before(bench: Bench, places: tuple[tuple[str, Text], ...]) -> Chapter | None:
    """A table of what both periods state; None when the earlier one has no metal entered."""
    then = earlier(bench.period)
    if not any(
        entry.figure.kind.id == "aluminium_tapped"
        and then.first <= entry.figure.period.first < then.after
        for entry in bench.basis.ledger.current().values()
    ):
        return None
    try:
        before = assemble(bench.basis.of(then)).bench
    except RuleError:
        return None
    solids = tuple(
        key.removeprefix(f"{PLANT}.")
        for key in bench.assembly.lines
        if key.startswith(f"{PLANT}.solids_") and "@" not in key
    )
    rows: list[tuple[Cell, ...]] = []
    for scope, place in places:
        for name in (*COMPARED, *solids):
            line, old = bench.line(f"{scope}.{name}"), before.line(f"{scope}.{name}")
            if line is None or old is None or line.value is None or old.value is None:
                continue
            share = (line.value - old.value) / old.value * 100 if old.value else None
            decimals = Decimal(1).scaleb(-line.decimals)
            shown = [value.quantize(decimals) for value in (line.value, old.value)]
            change = (line.value - old.value).quantize(decimals)
            rows.append((place, line.label, line.unit, *shown, change, share))
    if not rows:
        return None
    columns = (
        Column(label=Text(zh="核算单元", en="Place")),
        Column(label=Text(zh="项目", en="Figure"), width=30),
        Column(label=Text(zh="单位", en="Unit"), width=10),
        Column(label=Text(zh="本期", en="This period")),
        Column(label=Text(zh="上年同期", en="Year before")),
        Column(label=Text(zh="增减", en="Change")),
        Column(label=Text(zh="增减率", en="Change"), unit="%", decimals=2),
    )
    title = Text(zh=f"与上年同期（{then}）比较", en=f"Against the year before ({then})")
    table = Table(id="year-before", title=title, columns=columns, rows=tuple(rows))
    return Chapter(title=Text(zh="同比", en="Year on year"), blocks=(table,))
