"""Electricity by the meter tree: rectifiers, DC, start-up, stopped pots, auxiliaries, casting."""

from decimal import Decimal
from typing import Final

from reports.energy.bench import Bench, Wanted, head, stated, sum_of, unstated
from reports.entered import month_of
from reports.model import How
from reports.site import PLANT, Potline
from reports.values import Text

KWH: Final = Decimal("0.001")  # MWh in one kWh of a meter
MWH: Final = "MWh"
ALUMINIUM: Final = Text(zh="铝液产量", en="Liquid aluminium")
LABELS: Final = {
    "electricity_rectifier": Text(zh="整流交流电量", en="AC electricity into the rectifiers"),
    "electricity_dc": Text(zh="直流电量", en="DC electricity"),
    "electricity_start": Text(zh="焙烧启动用电量", en="Electricity to bake and start pots"),
    "electricity_short": Text(zh="停槽短路母线损耗电量", en="Electricity lost in stopped pots"),
    "electricity_aux": Text(zh="电解辅助用电量", en="Auxiliary electricity of the potrooms"),
    "electricity_fgd": Text(zh="脱硫用电量", en="Electricity of desulphurisation"),
    "electricity_cast": Text(zh="铸造用电量", en="Electricity of the cast house"),
    "electricity_total": Text(zh="用电总量", en="Electricity used, total"),
}
_BY_WINDOWS: Final = Text(
    zh="未装直流电能表：按系列电压×系列电流积分",
    en="no DC meter: integral of line volts and current",
)
PARTS: Final = ("rectifier", "aux", "fgd", "cast")  # what the total is made of


def add_potline_electricity(bench: Bench, line: Potline) -> None:
    """Metal and every role of one potline; the line's own windows must be there already."""
    _aluminium(bench, line)
    roles = (
        ("rectifier", "electricity_ac", line.ac_meters),
        ("start", "electricity_start", line.start_meters),
        ("short", "electricity_short", line.short_meters),
        ("aux", "electricity_aux", line.aux_meters),
        ("fgd", "electricity_fgd", line.fgd_meters),
    )
    for role, kind, meters in roles:
        name = f"electricity_{role}"
        required = role == "rectifier"
        stated(bench, Wanted(name, kind, LABELS[name], MWH, meters, KWH, required), line)
    name = "electricity_dc"
    direct = stated(bench, Wanted(name, name, LABELS[name], MWH, line.dc_meters, KWH), line)
    windows = f"{line.id}.series_energy"
    if direct.how is How.NONE and bench.value(windows) is not None:
        made = bench.assembly.add_up(head(line.id, name, LABELS[name], MWH), [windows])
        measured = bench.assembly.lines[windows]
        bench.assembly.put(made, how=How.COMPUTED, coverage=measured.coverage, notes=(_BY_WINDOWS,))


def _aluminium(bench: Bench, line: Potline) -> None:
    metal = month_of(bench.basis.ledger, "aluminium_tapped", line, bench.period)
    bench.assembly.state(
        head(line.id, "aluminium", ALUMINIUM, "t"),
        metal.amount,
        How.ENTERED,
        metal.inputs(bench.assembly),
        coverage=metal.coverage,
        missing=metal.missing,
    )


def add_plant_electricity(bench: Bench) -> None:
    """Sums over the potlines, what all share, and the cast house."""
    site, ids = bench.basis.site, [line.id for line in bench.potlines]
    sum_of(bench, head(PLANT, "aluminium", ALUMINIUM, "t"), [f"{i}.aluminium" for i in ids])
    for role in ("rectifier", "dc", "start", "short", "fgd"):
        name = f"electricity_{role}"
        parts = [f"{i}.{name}" for i in ids]
        sum_of(
            bench, head(PLANT, name, LABELS[name], MWH), parts, every=role in {"rectifier", "dc"}
        )
    shared = Text(zh="公用辅助用电量", en="Electricity of shared auxiliaries")
    kind = "electricity_shared"
    common = stated(bench, Wanted(kind, kind, shared, MWH, site.aux_meters, KWH), None)
    name = "electricity_aux"
    parts = [f"{i}.{name}" for i in ids]
    alone = common.how is How.NONE  # else the shared meter may count what a line does not
    parts = parts if alone else [*parts, common.id]
    sum_of(bench, head(PLANT, name, LABELS[name], MWH), parts, every=alone)
    name = "electricity_cast"
    meters = (*site.cast_meters, *(m for line in bench.potlines for m in line.cast_meters))
    stated(bench, Wanted(name, name, LABELS[name], MWH, meters, KWH), None)
    ingot = Text(zh="合格铝锭产量", en="Qualified ingot")
    stated(bench, Wanted("ingot", "ingot_qualified", ingot, "t"), None)
    cast = Text(zh="铸造用铝液量", en="Liquid aluminium cast")
    stated(bench, Wanted("aluminium_cast", "aluminium_cast_received", cast, "t"), None)


def add_total(bench: Bench) -> None:
    """All electricity that the plant used; by the purchase and its own when they are stated."""
    what = head(PLANT, "electricity_total", LABELS["electricity_total"], MWH)
    bought = month_of(bench.basis.ledger, "electricity_purchased", None, bench.period)
    if bought.amount is not None:
        parts = [bench.assembly.entry(str(e.figure.period), e) for e in bought.entries]
        own = bench.value(f"{PLANT}.green_own") or Decimal(0)
        if own:
            parts.append(bench.assembly.from_line("green_own", f"{PLANT}.green_own"))
        line = bench.assembly.state(what, bought.amount + own, How.SUM, parts)
        bench.assembly.put(line, equation="Σ")
        return
    parts_there = [f"{PLANT}.electricity_{part}" for part in PARTS]
    line = sum_of(bench, what, parts_there)
    if line.how is How.NONE:
        unstated(bench.assembly, what)
