"""A process over the year: verified, or its own months, with those to come forecast."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from reports.allowance.forecast import (
    LEVEL_PERCENT,
    Ahead,
    Deviation,
    Expected,
    Measured,
    deviation,
    expect,
)
from reports.assembly import Argument, Assembly, Head
from reports.basis import Basis
from reports.carbon.process import GUIDE, Bench, accept, add_potline, bench_of
from reports.entered import entered
from reports.entries.ledger import Entry
from reports.model import How, Input, Line, Section
from reports.periods import Period
from reports.site import PLANT, Potline
from reports.values import Text
from reports.words import rounded

FORECAST: Final = "forecast"
MONTHLY: Final = ("aluminium", "anode_consumed", "emission")
NO_MONTH: Final = Text(
    zh="没有任何实测月份，且以后月份的铝液和阳极计划不全，无法预测",
    en="no month was measured, and aluminium and anode are not planned for every month to come: "
    "nothing to forecast from",
)


@dataclass(frozen=True, slots=True)
class MonthOf:
    """A month of a process; what was put together for it lies on a bench of its own."""

    month: Period
    bench: Bench
    forecast: bool = False

    @property
    def measured(self) -> bool:
        return not self.forecast and self.value("emission") is not None

    def value(self, name: str) -> Decimal | None:
        found = [x for x in self.bench.assembly.lines.values() if x.id.endswith(f".{name}")]
        return found[0].value if found else None


@dataclass(frozen=True, slots=True)
class YearOf:
    """What became of the year of a process."""

    line: Potline
    months: tuple[MonthOf, ...]
    verified: Entry | None
    deviation: Deviation | None
    ends: tuple[tuple[Decimal, Decimal], ...]  # emission and aluminium at the ends of the forecast

    @property
    def forecast(self) -> bool:
        return self.verified is None and any(month.forecast for month in self.months)

    @property
    def stated(self) -> bool:
        """True when its own months are part of the report."""
        known = [month.value("emission") is not None for month in self.months]
        return any(known) if self.verified is None else all(known)


def add_year(basis: Basis, assembly: Assembly, line: Potline) -> YearOf:
    """Lines ``aluminium``, ``anode_consumed``, ``emission``, ``intensity`` of the year."""
    bench = _bench(basis, basis.period, assembly)
    months = [m for m in basis.period.months if line.runs_in(m.first, m.after)]
    made = [_measure(basis, line, month) for month in months]
    verified = entered(basis.ledger, "emission_verified", line.id, basis.period)
    off = None
    if basis.preliminary and verified is None:
        made, off = _forecast(basis, line, made)
    if verified is None or all(month.value("emission") is not None for month in made):
        for month in made:
            _adopt(assembly, month)
    for name in MONTHLY:
        _year_line(bench, line, name, made)
    ends = () if off is None else _interval(bench, line, made, off)
    _intensity(bench, line.id)
    return YearOf(line, tuple(made), verified, off, ends)


def _bench(basis: Basis, period: Period, assembly: Assembly) -> Bench:
    return bench_of(basis.of(period), assembly)


def _measure(basis: Basis, line: Potline, month: Period) -> MonthOf:
    bench = _bench(basis, month, Assembly(month, basis.packs))
    accept(bench)
    add_potline(bench, line)
    return MonthOf(month, bench)


def _adopt(assembly: Assembly, month: MonthOf) -> None:
    """The lines of the month as ``id@month``, with the rules and entries they stand on."""
    source = month.bench.assembly
    for old in source.lines.values():
        inputs = tuple(_suffixed(given, month.month) for given in old.inputs)
        identity = f"{old.id}@{month.month}"
        assembly.lines[identity] = old.model_copy(update={"id": identity, "inputs": inputs})
    assembly.legals.update(source.legals)
    assembly.entries.update(source.entries)
    assembly.absent.update(source.absent)


def _suffixed(given: Input, month: Period) -> Input:
    if given.kind != "line":
        return given
    return given.model_copy(update={"ref": f"{given.ref}@{month}"})


# --- the months to come


def _forecast(
    basis: Basis, line: Potline, made: list[MonthOf]
) -> tuple[list[MonthOf], Deviation | None]:
    """The months after the last measured one, forecast; a month missing before it stays so."""
    last = max((n for n, month in enumerate(made) if month.measured), default=-1)
    over, rest = made[: last + 1], made[last + 1 :]
    measured = [_measured(basis, line, month) for month in over if month.measured]
    measured = [month for month in measured if month.aluminium_t > 0]
    ahead = [_ahead(basis, line, month.month) for month in rest]
    expected = expect(measured, ahead)
    if expected is None:
        return [*over, *(_unknown(month) for month in rest)], None
    return (
        [*over, *(_expected(basis, line, m, e) for m, e in zip(rest, expected, strict=True))],
        deviation(measured, ahead, expected) if rest else None,
    )


def days_run(line: Potline, month: Period) -> int:
    """Days of the month on which the line runs."""
    return sum(line.runs_in(day.first, day.after) for day in map(_day, month.days))


def _day(day: object) -> Period:
    return Period.parse(str(day))


def _measured(basis: Basis, line: Potline, month: MonthOf) -> Measured:
    plan = entered(basis.ledger, "aluminium_planned", line.id, month.month)
    return Measured(
        days_run(line, month.month),
        month.value("aluminium") or Decimal(0),
        month.value("anode_consumed") or Decimal(0),
        None if plan is None else plan.figure.amount,
    )


def _ahead(basis: Basis, line: Potline, month: Period) -> Ahead:
    metal, anode = (
        entered(basis.ledger, kind, line.id, month)
        for kind in ("aluminium_planned", "anode_planned")
    )
    return Ahead(
        days_run(line, month),
        None if metal is None else metal.figure.amount,
        None if anode is None else anode.figure.amount,
    )


def _unknown(month: MonthOf) -> MonthOf:
    assembly = month.bench.assembly
    for line in list(assembly.lines.values()):
        if line.how is How.MISSING:
            assembly.put(line, missing=(NO_MONTH,))
    return month


def _expected(basis: Basis, line: Potline, month: MonthOf, expected: Expected) -> MonthOf:
    """The month on a new bench: quantities as expected, emission by the formulas of the guide."""
    bench = _bench(basis, month.month, Assembly(month.month, basis.packs))
    for name, kind, value in (
        ("aluminium", "aluminium", expected.aluminium_t),
        ("anode_consumed", "anode", expected.anode_t),
    ):
        entry = entered(basis.ledger, f"{kind}_planned", line.id, month.month)
        inputs = [] if entry is None else [bench.assembly.entry(str(month.month), entry)]
        planned = kind in expected.planned
        stated = bench.assembly.state(
            bench.head(line.id, name), value, How.COMPUTED, inputs, notes=[_basis(kind, planned)]
        )
        bench.assembly.put(stated, method=FORECAST)
    _emit(bench, line.id)
    return MonthOf(month.month, bench, forecast=True)


def _basis(kind: str, planned: bool) -> Text:
    if planned:
        return Text(zh="预测：取录入的计划值", en="forecast: the plan that was entered")
    if kind == "aluminium":
        return Text(
            zh="预测：未录入计划，取已计量月份的平均日产量 × 天数",
            en="forecast: no plan entered, so mean daily output of the measured months × days",
        )
    return Text(
        zh="预测：未录入计划，取已计量月份的平均吨铝阳极消耗 × 铝液产量",
        en="forecast: no plan entered, so mean anode rate of the measured months × aluminium",
    )


def _emit(bench: Bench, scope: str) -> None:
    """Emission of what is expected, by the fixed values of the guide."""
    assembly, law = bench.assembly, bench.law
    assembly.compute(
        bench.head(scope, "anode_net"),
        "anode_net",
        [
            assembly.from_line("anode_t", f"{scope}.anode_consumed"),
            assembly.law("loss_fraction", law("anode_loss_rate"), as_fraction=True),
        ],
    )
    assembly.compute(
        bench.head(scope, "anode_co2"),
        "anode_co2",
        [
            assembly.from_line("net_anode_t", f"{scope}.anode_net"),
            assembly.law("sulphur_fraction", law("anode_sulphur"), as_fraction=True),
            assembly.law("ash_fraction", law("anode_ash"), as_fraction=True),
        ],
    )
    assembly.compute(
        bench.head(scope, "pfc"),
        "pfc_default",
        [assembly.from_line("aluminium_t", f"{scope}.aluminium"), *pfc_factors(assembly)],
        key="t_co2e",
        how=How.DEFAULT,
    )
    emission = assembly.compute(
        bench.head(scope, "emission"),
        "process_emission",
        [
            assembly.from_line("anode_t_co2", f"{scope}.anode_co2"),
            assembly.from_line("pfc_t_co2e", f"{scope}.pfc"),
        ],
    )
    assembly.put(emission, method=FORECAST)


def pfc_factors(assembly: Assembly) -> list[Argument]:
    """The default factors and potentials of the guide, as arguments of ``pfc_default``."""
    names = {
        "ef_cf4_kg_per_t": "ef_cf4",
        "ef_c2f6_kg_per_t": "ef_c2f6",
        "gwp_cf4": "gwp_cf4",
        "gwp_c2f6": "gwp_c2f6",
    }
    return [assembly.law(name, assembly.legal(GUIDE, rule)) for name, rule in names.items()]


# --- the year


def _year_line(bench: Bench, line: Potline, name: str, made: Sequence[MonthOf]) -> None:
    assembly, head = bench.assembly, bench.head(line.id, name)
    own = [month.value(name) for month in made]
    known = [value for value in own if value is not None]
    total = sum(known, Decimal(0)) if made and len(known) == len(own) else None
    kind = {"emission": "emission_verified", "aluminium": "aluminium_verified"}.get(name)
    entry = None if kind is None else entered(bench.ledger, kind, line.id, bench.month)
    if entry is not None:
        notes = [] if total is None else [_compared(head, total, entry)]
        argument = assembly.entry(str(bench.month), entry)
        assembly.state(head, entry.figure.amount, How.ENTERED, [argument], notes=notes)
        return
    parts = [f"{line.id}.{name}@{month.month}" for month in made]
    if not all(part in assembly.lines for part in parts):  # the emission is verified, this is not
        if kind is None:  # … and nothing depends on it
            return
        why = [text for m in made for x in m.bench.assembly.lines.values() for text in x.missing]
        assembly.state(head, total, How.SUM, (), missing=tuple(dict.fromkeys(why)))
        return
    added = assembly.add_up(head, parts)
    ahead = [month.month for month in made if month.forecast]
    if ahead:
        assembly.put(added, method=FORECAST, notes=(_share(len(made), len(ahead)),))


def _compared(head: Head, own: Decimal, entry: Entry) -> Text:
    off = rounded(entry.figure.amount - own, head.decimals)
    own = rounded(own, head.decimals)
    return Text(
        zh=f"采用核查值；各月合计 {own} {head.unit}，核查值与之相差 {off} {head.unit}",
        en=f"the verified figure counts; the months add up to {own} {head.unit}, {off} off",
    )


def _share(months: int, ahead: int) -> Text:
    return Text(
        zh=f"{months - ahead} 个月为实测，{ahead} 个月为预测",
        en=f"{months - ahead} months measured, {ahead} forecast",
    )


def _interval(
    bench: Bench, line: Potline, made: Sequence[MonthOf], off: Deviation
) -> tuple[tuple[Decimal, Decimal], ...]:
    """
    Low and high end of the year's emission, as lines.

    Returned are emission and aluminium with more or less anode, more or less metal, and both.
    """
    assembly = bench.assembly
    ahead = [month for month in made if month.forecast]

    def total(name: str) -> Decimal:
        return sum((month.value(name) or Decimal(0) for month in ahead), Decimal(0))

    year, metal = (assembly.lines[f"{line.id}.{name}"].value for name in ("emission", "aluminium"))
    if year is None or metal is None or not total("aluminium") or not total("anode_consumed"):
        return ()
    per_anode = total("anode_co2") / total("anode_consumed")
    per_metal = total("emission") / total("aluminium")
    half = off.emission_t(per_anode, per_metal)
    note = _method(off)
    for end, sign in (("low", -1), ("high", 1)):
        head = bench.head(line.id, "emission")
        label = Text(
            zh=f"全年排放量预测{'下限' if sign < 0 else '上限'}",
            en=f"Emission of the year, {end} end",
        )
        assembly.state(
            Head(line.id, f"emission_{end}", Section.ALLOWANCE, label, head.unit, head.decimals),
            year + sign * half,
            How.COMPUTED,
            [assembly.from_line("emission", f"{line.id}.emission")],
            notes=[note],
        )
    anode, output = per_anode * off.anode_t, off.aluminium_t
    signs = [(a, m) for a in (-1, 0, 1) for m in (-1, 0, 1)]
    return tuple((year + a * anode + m * output * per_metal, metal + m * output) for a, m in signs)


def _method(off: Deviation) -> Text:
    """How the interval was found."""
    rate = rounded(off.rate_deviation, 5)
    output = rounded(off.output_deviation * 100, 2)
    which = (
        Text(zh="产量与计划的偏差（均方根）", en="output against plan (rms)")
        if off.against_plan
        else Text(zh="日产量相对标准差", en="standard deviation of the daily output")
    )
    return Text(
        zh=f"{LEVEL_PERCENT} % 预测区间：月度吨铝阳极消耗标准差 {rate} t/t，"
        f"{which.zh} {output} %，t = {off.t}（自由度 {off.freedom}）",
        en=f"{LEVEL_PERCENT} % prediction interval: standard deviation of the monthly anode rate "
        f"{rate} t/t, {which.en} {output} %, t = {off.t} ({off.freedom} degrees of freedom)",
    )


def _intensity(bench: Bench, scope: str) -> Line:
    assembly = bench.assembly
    return assembly.compute(
        bench.head(scope, "intensity"),
        "intensity",
        [
            assembly.from_line("t_co2e", f"{scope}.emission"),
            assembly.from_line("aluminium_t", f"{scope}.aluminium"),
        ],
    )


def add_totals(basis: Basis, assembly: Assembly, years: Sequence[YearOf]) -> None:
    """The plant: sums of its processes, low and high ends added up (they deviate together)."""
    bench = _bench(basis, basis.period, assembly)
    for name in MONTHLY:
        parts = [f"{year.line.id}.{name}" for year in years]
        if all(part in assembly.lines for part in parts):
            assembly.add_up(bench.head(PLANT, name), parts)
    moving = [year for year in years if year.forecast]
    if moving and all(year.deviation is not None for year in moving):
        for end, zh in (("low", "下限"), ("high", "上限")):
            head = bench.head(PLANT, "emission")
            label = Text(zh=f"全年排放量预测{zh}", en=f"Emission of the year, {end} end")
            names = (f"{year.line.id}.emission" for year in years)
            parts = [f"{x}_{end}" if f"{x}_{end}" in assembly.lines else x for x in names]
            assembly.add_up(
                Head(PLANT, f"emission_{end}", Section.ALLOWANCE, label, head.unit, head.decimals),
                parts,
            )
    _intensity(bench, PLANT)
