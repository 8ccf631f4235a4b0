"""How a potline ran: mean current and voltage, current efficiency, rectifiers, Σ of the pots."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_DOWN, Decimal
from typing import Final

import numpy as np

from drivers.model import Floats
from reports.assembly import Argument
from reports.energy.bench import Bench, active, days_run, given, head, quotient, sum_of, unstated
from reports.entered import entered, month_of
from reports.metered import amount
from reports.model import Coverage, How
from reports.periods import Period
from reports.site import PLANT, Meter, Potline
from reports.values import Text

HOUR_NS: Final = 3_600_000_000_000
ENOUGH: Final = Decimal("0.75")  # ours, no rule's: with less of the time known there is no mean
KWH: Final = Decimal(1000)
L_HOURS: Final = Text(zh="运行小时数", en="Hours of operation")
L_POT_DAYS: Final = Text(zh="运行槽日数", en="Pot-days of operation")
L_CHARGE: Final = Text(zh="电量累计（电流×运行槽数×时间）", en="Charge through the pots")
L_ENERGY: Final = Text(zh="系列直流电量（电压×电流）", en="DC electricity by windows")
L_VOLTAGE: Final = Text(zh="平均电压（按电流加权）", en="Mean pot voltage, weighted by current")
L_CURRENT: Final = Text(zh="平均电流", en="Mean current")
L_POTS: Final = Text(zh="平均运行槽数", en="Pots in operation, mean")
L_CHANGE: Final = Text(zh="在产铝变化量", en="Change of metal in the pots")
L_TAPPING: Final = Text(zh="电流效率（出铝法）", en="Current efficiency by tapping")
L_INVENTORY: Final = Text(zh="电流效率（盘存法）", en="Current efficiency by inventory")
L_UNCERTAINTY: Final = Text(zh="盘存法电流效率的不确定度", en="Uncertainty of that by inventory")
L_RECTIFIER: Final = Text(zh="整流效率", en="Rectifier efficiency")
_NO_CURRENT: Final = Text(
    zh="没有系列电流数据（potline.current）：未填报", en="no windows of potline.current: not stated"
)


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours of a line: current (kA), voltage (V), pots in operation; NaN = not known."""

    current: Floats
    voltage: Floats
    pots: Floats
    wanted: int  # hours of the days on which the line ran

    @property
    def known(self) -> Decimal:
        """Share of those hours with a current."""
        if not self.wanted:
            return Decimal(0)
        return min(Decimal(1), Decimal(int(np.isfinite(self.current).sum())) / self.wanted)


def hours_of(bench: Bench, line: Potline) -> Hours:
    """The hours of a line's series in the days on which it ran."""
    names = ("potline.current", "potline.voltage", "potline.pots_running")
    span = active(line, bench.period)
    place = line.series or f"{line.id}/series"
    table = bench.basis.series.hourly([Meter(place, n) for n in names], span)
    starts = np.asarray(table["hour_ns"].to_numpy(), dtype=np.int64)
    quantity = np.array(table["quantity"].to_pylist(), dtype=object)
    mean = np.asarray(table["mean"].to_numpy(), dtype=np.float64)
    columns: list[Floats] = []
    for name in names:
        column = np.full(span.hours, np.nan)
        mine = quantity == name
        column[(starts[mine] - span.start_ns) // HOUR_NS] = mean[mine]
        columns.append(column)
    current, voltage, pots = columns
    return Hours(current, voltage, pots, days_run(line, bench.period) * 24)


def add_operation(bench: Bench, line: Potline) -> None:
    """Sums of the piece from which means are made: hours, pot-days, charge, energy."""
    assembly, scope = bench.assembly, line.id
    hours = hours_of(bench, line)
    assembly.state(head(scope, "hours_run", L_HOURS, "h"), Decimal(hours.wanted), How.SUM, [])
    known = hours.known
    pots = _pots(bench, line, hours)
    pot_days = pots * hours.wanted / 24
    assembly.state(head(scope, "pot_days", L_POT_DAYS, "d"), pot_days, How.COMPUTED, [])
    heads = (head(scope, "charge", L_CHARGE, "kAh"), head(scope, "series_energy", L_ENERGY, "MWh"))
    if known == 0:
        for what in heads:
            unstated(assembly, what, _NO_CURRENT)
        return
    coverage = _coverage(known)
    for what, total in zip(heads, _sums(hours, float(pots)), strict=True):
        if total is None:
            unstated(assembly, what, _NO_CURRENT)
        elif known < ENOUGH:
            assembly.state(what, None, How.MISSING, [], coverage=coverage, missing=[_few(known)])
        else:
            notes = [] if known == 1 else [_scaled(known)]
            assembly.state(what, total / known, How.METERED, [], coverage=coverage, notes=notes)


def _sums(hours: Hours, pots: float) -> tuple[Decimal | None, Decimal | None]:
    """Σ I·n·h (kAh) over hours with a current, and Σ V·I·h (MWh) as if V were always known."""
    current = hours.current
    n = np.where(np.isfinite(hours.pots), hours.pots, pots)
    at = np.isfinite(current)
    both = at & np.isfinite(hours.voltage)
    charge = amount(float((current[at] * n[at]).sum()))
    passed = float(current[both].sum())
    if passed <= 0:
        idle = Decimal(0) if both.any() else None
        return charge, idle
    volts = float((hours.voltage[both] * current[both]).sum()) / passed
    return charge, amount(volts * float(current[at].sum()) / 1000)


def _pots(bench: Bench, line: Potline, hours: Hours) -> Decimal:
    """Mean number of pots in operation: by windows, else those of the site less stopped ones."""
    if np.isfinite(hours.pots).any():
        return amount(float(np.nanmean(hours.pots)))
    stopped = month_of(bench.basis.ledger, "pots_stopped_days", line, bench.period)
    days = Decimal(hours.wanted) / 24
    if stopped.amount is None or not days:
        return Decimal(line.pots)
    stopped.inputs(bench.assembly)
    return max(Decimal(0), line.pots - stopped.amount / days)


def _coverage(known: Decimal) -> Coverage:
    share = known.quantize(Decimal("0.0001"), rounding=ROUND_DOWN)
    return Coverage(
        share=share,
        text=Text(
            zh=f"已知系列电流的小时占 {share * 100:.2f} %",
            en=f"hours with a line current: {share * 100:.2f} %",
        ),
    )


def _few(known: Decimal) -> Text:
    return Text(
        zh=f"系列电流仅覆盖运行小时的 {known * 100:.1f} %（不足 {ENOUGH * 100:.0f} %），不作推算",
        en=f"line current known for {known * 100:.1f} % of the hours only (less than "
        f"{ENOUGH * 100:.0f} %): not extended to all",
    )


def _scaled(known: Decimal) -> Text:
    return Text(
        zh=f"缺测小时按其余 {known * 100:.2f} % 小时的均值推算",
        en=f"hours without data are taken as the mean of the other {known * 100:.2f} %",
    )


def add_inventory(bench: Bench, line: Potline) -> None:
    """Metal in the pots at begin and end, as the pots were measured."""
    found = []
    for end, zh, en in (("begin", "期初", "at begin"), ("end", "期末", "at end")):
        label = Text(zh=f"{zh}在产铝液量", en=f"Metal in the pots {en}")
        what = head(line.id, f"metal_{end}", label, "t")
        entry = entered(bench.basis.ledger, f"metal_in_pots_{end}", line.id, bench.period)
        if entry is None:
            unstated(bench.assembly, what)
            continue
        inputs = [bench.assembly.entry(f"metal_{end}", entry)]
        found.append(bench.assembly.state(what, entry.figure.amount, How.ENTERED, inputs).value)
    add_change(bench, line.id)


def add_change(bench: Bench, scope: str) -> None:
    """What the pots gained in metal."""
    what = head(scope, "metal_change", L_CHANGE, "t")
    begin, end = (bench.value(f"{scope}.metal_{name}") for name in ("begin", "end"))
    if begin is None or end is None:
        unstated(bench.assembly, what)
        return
    inputs = [bench.assembly.from_line(n, f"{scope}.metal_{n}") for n in ("end", "begin")]
    line = bench.assembly.state(what, end - begin, How.COMPUTED, inputs)
    bench.assembly.put(line, equation="ΔM = M_2 − M_1")


def add_plant_operation(bench: Bench, ids: Sequence[str], period: Period) -> None:
    """Sums over the potlines."""
    hours = Decimal(period.hours)
    bench.assembly.state(head(PLANT, "hours_run", L_HOURS, "h"), hours, How.SUM, [])
    for name, label, unit in (
        ("pot_days", L_POT_DAYS, "d"),
        ("charge", L_CHARGE, "kAh"),
        ("series_energy", L_ENERGY, "MWh"),
    ):
        parts = [f"{i}.{name}" for i in ids]
        sum_of(bench, head(PLANT, name, label, unit), parts, every=True)
    add_plant_inventory(bench, ids)


def add_plant_inventory(bench: Bench, ids: Sequence[str]) -> None:
    """Metal in the pots of all lines, each at its own begin and end: some start or stop between."""
    for name, label in (
        ("metal_begin", Text(zh="期初在产铝液量", en="Metal in the pots at begin")),
        ("metal_end", Text(zh="期末在产铝液量", en="Metal in the pots at end")),
        ("metal_change", L_CHANGE),
    ):
        parts = [f"{i}.{name}" for i in ids]
        if any(bench.value(part) is None for part in parts):  # half an inventory is none
            unstated(bench.assembly, head(PLANT, name, label, "t"))
        else:
            sum_of(bench, head(PLANT, name, label, "t"), parts, every=True)


def add_means(bench: Bench, scope: str) -> None:
    """Means and efficiencies of a scope, from sums that stand on the bench already."""

    def of(name: str) -> str:
        return f"{scope}.{name}"

    quotient(
        bench,
        head(scope, "mean_voltage", L_VOLTAGE, "V"),
        (of("series_energy"), of("charge")),
        KWH,
        "V = W × 1000 / Σ(I × n × h)",
    )
    quotient(
        bench,
        head(scope, "mean_current", L_CURRENT, "kA"),
        (of("charge"), of("pot_days")),
        1 / Decimal(24),
        "I = Σ(I × n × h) / (24 × d)",
    )
    quotient(
        bench,
        replace(head(scope, "pots_running", L_POTS, "1"), decimals=1),
        (of("pot_days"), of("hours_run")),
        Decimal(24),
        "n = d × 24 / h",
    )
    _efficiencies(bench, scope)
    what = head(scope, "rectifier_efficiency", L_RECTIFIER, "fraction")
    names = (("dc_mwh", of("electricity_dc")), ("rectifier_mwh", of("electricity_rectifier")))
    if any(bench.value(identity) in {None, Decimal(0)} for _, identity in names):
        unstated(bench.assembly, what)
        return
    arguments = [bench.assembly.from_line(name, identity) for name, identity in names]
    bench.assembly.compute(what, "rectifier_efficiency", arguments)


def _efficiencies(bench: Bench, scope: str) -> None:
    """By tapping and by inventory, this one with what it may be off by."""
    assembly = bench.assembly
    tapping = head(scope, "current_efficiency_tapping", L_TAPPING, "fraction")
    inventory = head(scope, "current_efficiency_inventory", L_INVENTORY, "fraction")
    unsure = head(scope, f"{inventory.name}_uncertainty", L_UNCERTAINTY, "fraction")
    if not bench.value(f"{scope}.mean_current") or not bench.value(f"{scope}.pot_days"):
        for what in (tapping, inventory, unsure):
            unstated(assembly, what, _NO_CURRENT)
        return
    run = [
        assembly.from_line("tapped_t", f"{scope}.aluminium"),
        assembly.from_line("current_ka", f"{scope}.mean_current"),
        assembly.from_line("hours", f"{scope}.hours_run"),
        assembly.from_line("pots", f"{scope}.pots_running"),
    ]
    none = given("inventory_change_t", Decimal(0), "t", "0")
    assembly.compute(tapping, "current_efficiency", [*run, none])
    if bench.value(f"{scope}.metal_change") is None:
        for what in (inventory, unsure):
            unstated(assembly, what)
        return
    change = assembly.from_line("inventory_change_t", f"{scope}.metal_change")
    assembly.compute(inventory, "current_efficiency", [*run, change])
    assembly.compute(
        unsure, "current_efficiency_uncertainty", _unsure(bench, scope, run[0], change)
    )


def _unsure(bench: Bench, scope: str, tapped: Argument, change: Argument) -> list[Argument]:
    bounds = bench.basis.site.energy
    metal = max(bench.value(f"{scope}.metal_{end}") or Decimal(0) for end in ("begin", "end"))
    percents = (
        ("tapped_uncertainty_percent", bounds.metal_uncertainty_percent, "metal"),
        ("current_uncertainty_percent", bounds.current_uncertainty_percent, "current"),
    )
    share = bounds.inventory_uncertainty_percent
    key = "energy.inventory_uncertainty_percent"
    return [
        tapped,
        change,
        bench.assembly.from_line("current_efficiency", f"{scope}.current_efficiency_inventory"),
        given("inventory_uncertainty_t", metal * share / 100, "t", key),
        *(given(n, v, "%", f"energy.{short}_uncertainty_percent") for n, v, short in percents),
    ]
