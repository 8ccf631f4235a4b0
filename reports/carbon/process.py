"""
The electrolysis process of a month by the Chinese ETS guide, line by line.

Per potline and in total: liquid aluminium, anode consumed and net, anode CO2, anode-effect PFC by
default factors, emission, intensity. Electricity and heat are no part of it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from reports.assembly import Argument, Assembly, Head
from reports.basis import Basis
from reports.carbon.plausibility import below_floor
from reports.carbon.substitution import CODE as SUBSTITUTION
from reports.carbon.substitution import Substitute, allowed, anode, metal_days, other_rule
from reports.entered import Entered, entered, month_of
from reports.entries.ledger import Entry, Ledger
from reports.model import How, Section
from reports.periods import Period
from reports.plan.in_force import plan_in_force
from reports.plan.plan import Plan
from reports.rules.packs import Legal, RuleError
from reports.series.store import Series
from reports.site import PLANT, Potline, Site
from reports.values import Text

NOT_RUNNING: Final = Text(zh="本期没有工序运行：未填报", en="no potline ran: not stated")
HIGH: Final = "aluminium_high"
GUIDE: Final = "cn_ets_aluminium_2024"
SUMMED: Final = (
    "aluminium",
    "anode_consumed",
    "anode_net",
    "anode_co2",
    "pfc",
    "cf4",
    "c2f6",
    "emission",
)
_LABELS: Final = {
    "aluminium": Text(zh="铝液产量", en="Liquid aluminium"),
    "aluminium_high": Text(
        zh="铝液产量（缺失日按排放侧保守值，仅用于阳极效应）",
        en="Liquid aluminium, missing days high, for anode effects only",
    ),
    "anode_consumed": Text(zh="阳极消耗量", en="Anode consumed"),
    "anode_net": Text(zh="阳极净消耗量", en="Net anode consumption"),
    "anode_co2": Text(zh="炭阳极消耗排放（能源作为原材料用途）", en="CO2 from anodes"),
    "cf4": Text(zh="阳极效应 CF4 排放", en="CF4 from anode effects"),
    "c2f6": Text(zh="阳极效应 C2F6 排放", en="C2F6 from anode effects"),
    "pfc": Text(zh="阳极效应排放（缺省因子）", en="PFC from anode effects, default factors"),
    "emission": Text(zh="铝电解工序排放量", en="Emission of the electrolysis process"),
    "intensity": Text(zh="铝电解工序排放强度", en="Emission intensity"),
}
_UNITS: Final = {
    "aluminium": ("t", "aluminium_decimals"),
    "aluminium_high": ("t", "aluminium_decimals"),
    "anode_consumed": ("t", "anode_decimals"),
    "anode_net": ("t", "anode_decimals"),
    "anode_co2": ("tCO2", "emission_decimals"),
    "cf4": ("kg", "emission_decimals"),
    "c2f6": ("kg", "emission_decimals"),
    "pfc": ("tCO2e", "emission_decimals"),
    "emission": ("tCO2e", "emission_decimals"),
    "intensity": ("tCO2e/t", "intensity_decimals"),
}


@dataclass(frozen=True, slots=True)
class Bench:
    """What the report is made from, at hand for each step."""

    site: Site
    month: Period
    ledger: Ledger
    series: Series
    assembly: Assembly
    plan: Plan | None = None  # the quality plan in force

    def law(self, name: str) -> Legal:
        return self.assembly.legal(GUIDE, name)

    def head(self, scope: str, name: str) -> Head:
        unit, decimals = _UNITS[name]
        places = int(self.law(decimals).number)
        return Head(scope, name, Section.PROCESS, _LABELS[name], unit, places)


def bench_of(basis: Basis, assembly: Assembly) -> Bench:
    """The bench of the basis' period, with the quality plan in force on its last day."""
    force = plan_in_force(basis, basis.period.days[-1])
    plan = None if force is None else force.plan
    return Bench(basis.site, basis.period, basis.ledger, basis.series, assembly, plan)


def accept(bench: Bench) -> None:
    """Rules about the manner of counting that this code knows only one way to follow."""
    for name, known in (("rounding", {"half_up"}), ("sum_of", {"exact"})):
        rule = bench.law(name)
        if rule.value not in known:
            raise RuleError(f"{rule.id}: {rule.value!r} is not built; known: {sorted(known)}")


def add_potline(bench: Bench, line: Potline) -> None:
    """Every figure of one electrolysis process."""
    assembly = bench.assembly
    _aluminium(bench, line)
    ANODE_QUANTITY[named(bench, "anode_quantity_method", ANODE_QUANTITY)](bench, line)
    assembly.compute(
        bench.head(line.id, "anode_net"),
        "anode_net",
        [
            assembly.from_line("anode_t", f"{line.id}.anode_consumed"),
            assembly.law("loss_fraction", bench.law("anode_loss_rate"), as_fraction=True),
        ],
    )
    _anode_co2(bench, line)
    PFC[named(bench, "pfc_method", PFC)](bench, line)
    assembly.compute(
        bench.head(line.id, "emission"),
        "process_emission",
        [
            assembly.from_line("anode_t_co2", f"{line.id}.anode_co2"),
            assembly.from_line("pfc_t_co2e", f"{line.id}.pfc"),
        ],
    )
    _intensity(bench, line.id)


def _aluminium(bench: Bench, line: Potline) -> None:
    """Metal as entered; a missing day only as the quality plan says, for both of its roles."""
    assembly, head = bench.assembly, bench.head(line.id, "aluminium")
    metal = month_of(bench.ledger, "aluminium_tapped", line, bench.month)
    if metal.amount is None:
        rule = allowed(assembly, GUIDE, bench.plan, head.id)
        given = rule and metal_days(assembly, bench.ledger, line, bench.month, metal, rule)
        if given:
            _substituted(bench, head, line, given)
            low = assembly.from_line("aluminium_t", head.id)
            high = bench.head(line.id, HIGH)
            made = assembly.state(high, given.high, How.COMPUTED, [low], notes=given.notes)
            assembly.put(made, method=SUBSTITUTION)
            return
    assembly.state(
        head,
        metal.amount,
        How.ENTERED,
        metal.inputs(assembly),
        coverage=metal.coverage,
        missing=(*metal.missing, *_by_hand(bench, head, metal)),
        notes=part_of(line, bench.month),
    )


def _by_hand(bench: Bench, head: Head, found: Entered) -> tuple[Text, ...]:
    return () if found.amount is not None else other_rule(bench.plan, head.id)


def _substituted(bench: Bench, head: Head, line: Potline, given: Substitute) -> None:
    notes = [*part_of(line, bench.month), *given.notes]
    made = bench.assembly.state(head, given.value, How.SUBSTITUTED, given.inputs, notes=notes)
    bench.assembly.put(made, method=SUBSTITUTION, substituted=given.share, equation=given.equation)


def part_of(line: Potline, period: Period) -> list[Text]:
    """For which days of the period the figures of a line count, when not for all."""
    found = []
    for day, zh, en in (
        (line.started, "投运", "put into operation on {}"),
        (
            line.acquired,
            "购入，此前数据属另一报告主体",
            "acquired on {}; another entity reports what was before",
        ),
    ):
        if day is not None and day == line.begins and day > period.first:
            words = en.format(day)
            found.append(Text(zh=f"{day} {zh}，自该日起计", en=f"{words}: counted from then"))
    for day, zh, en in (
        (line.stopped, "停运", "stopped on {}"),
        (
            line.sold,
            "出让，自该日起数据属另一报告主体",
            "sold on {}; another entity reports from then on",
        ),
    ):
        if day is not None and day == line.ends and day < period.after:
            words = en.format(day)
            found.append(Text(zh=f"{day} {zh}，计至前一日", en=f"{words}: counted until then"))
    for pause in line.pauses:
        if pause.stopped < period.after and (pause.restarted or period.after) > period.first:
            until = pause.restarted
            found.append(
                Text(
                    zh=f"{pause.stopped} 停运" + (f"，{until} 重启" if until else ""),
                    en=f"stopped on {pause.stopped}" + (f", restarted on {until}" if until else ""),
                )
            )
    return found


def named(bench: Bench, rule: str, table: Mapping[str, object]) -> str:
    """The method a rule names. Raises RuleError when it is not built."""
    legal = bench.law(rule)
    if legal.value not in table:
        raise RuleError(f"{legal.id}: {legal.value!r} is not built; known: {sorted(table)}")
    return str(legal.value)


def _consumed_then_stock(bench: Bench, line: Potline) -> None:
    """Anode consumed as entered, else from the stock ledger; both are compared."""
    assembly, head = bench.assembly, bench.head(line.id, "anode_consumed")
    stock = [
        entered(bench.ledger, kind, line.id, bench.month)
        for kind in ("anode_stock_begin", "anode_received", "anode_stock_end")
    ]
    balance = [entry for entry in stock if entry is not None]
    whole = month_of(bench.ledger, "anode_consumed", line, bench.month)
    if whole.amount is None and len(balance) == len(stock):
        names = ("stock_begin_t", "received_t", "stock_end_t")
        arguments = [assembly.entry(n, e) for n, e in zip(names, balance, strict=True)]
        assembly.compute(head, "anode_stock", arguments, notes=part_of(line, bench.month))
        return
    if whole.amount is None:
        rule = allowed(assembly, GUIDE, bench.plan, head.id)
        metal = assembly.from_line("aluminium_t", _driving(bench, line))
        given = rule and anode(assembly, bench.ledger, line, bench.month, metal, rule)
        if given:
            _substituted(bench, head, line, given)
            return
    notes = part_of(line, bench.month)
    if whole.amount is not None and len(balance) == len(stock):
        notes += _compared(whole.amount, [entry.figure.amount for entry in balance])
    assembly.state(
        head,
        whole.amount,
        How.ENTERED,
        whole.inputs(assembly),
        coverage=whole.coverage,
        missing=(*whole.missing, *_by_hand(bench, head, whole)),
        notes=notes,
    )


def _compared(consumed: Decimal, stock: list[Decimal]) -> list[Text]:
    begin, received, end = stock
    balance = begin + received - end
    off = balance - consumed
    return [
        Text(
            zh=f"库存法为 {balance} t，与录入的消耗量相差 {off} t",
            en=f"the stock balance gives {balance} t, {off} t off the entered figure",
        )
    ]


def _anode_co2(bench: Bench, line: Potline) -> None:
    assembly = bench.assembly
    method = named(bench, "anode_quality_method", ANODE_QUALITY)
    sulphur, first = ANODE_QUALITY[method](bench, line, "anode_sulphur", "sulphur_fraction")
    ash, second = ANODE_QUALITY[method](bench, line, "anode_ash", "ash_fraction")
    assembly.compute(
        bench.head(line.id, "anode_co2"),
        "anode_co2",
        [assembly.from_line("net_anode_t", f"{line.id}.anode_net"), sulphur, ash],
        notes=[*first, *second],
    )


def _fixed(bench: Bench, line: Potline, kind: str, parameter: str) -> tuple[Argument, list[Text]]:
    """The value of the rule; a laboratory figure is named, and not used."""
    legal = bench.law(kind)
    argument = bench.assembly.law(parameter, legal, as_fraction=True)
    entry = entered(bench.ledger, kind, line.id, bench.month)
    return argument, [] if entry is None else [_unused(entry, legal)]


def _measured(
    bench: Bench, line: Potline, kind: str, parameter: str
) -> tuple[Argument, list[Text]]:
    """The laboratory figure when there is one, else the value of the rule."""
    entry = entered(bench.ledger, kind, line.id, bench.month)
    if entry is None:
        return _fixed(bench, line, kind, parameter)
    return bench.assembly.entry(parameter, entry), []


def _unused(entry: Entry, legal: Legal) -> Text:
    figure = entry.figure
    return Text(
        zh=f"化验值（{figure.kind.zh} {figure.value} {figure.unit}，第 {entry.number} 条）未采用："
        f"规则规定取固定值 {legal.value} {legal.unit}",
        en=f"laboratory figure {figure.value} {figure.unit} (entry {entry.number}) not used: "
        f"the rule fixes {legal.value} {legal.unit}",
    )


def _driving(bench: Bench, line: Potline) -> str:
    """The line of metal that drives emission: with missing days high, where there are such."""
    high = f"{line.id}.{HIGH}"
    return high if high in bench.assembly.lines else f"{line.id}.aluminium"


def _pfc_default(bench: Bench, line: Potline) -> None:
    assembly = bench.assembly
    arguments = [
        assembly.from_line("aluminium_t", _driving(bench, line)),
        assembly.law("ef_cf4_kg_per_t", bench.law("ef_cf4")),
        assembly.law("ef_c2f6_kg_per_t", bench.law("ef_c2f6")),
        assembly.law("gwp_cf4", bench.law("gwp_cf4")),
        assembly.law("gwp_c2f6", bench.law("gwp_c2f6")),
    ]
    for name, key in (("pfc", "t_co2e"), ("cf4", "cf4_kg"), ("c2f6", "c2f6_kg")):
        assembly.compute(
            bench.head(line.id, name), "pfc_default", arguments, key=key, how=How.DEFAULT
        )


def add_totals(bench: Bench, lines: list[str]) -> None:
    """Sums over the processes, and the intensity of all."""
    for name in SUMMED:
        head = bench.head(PLANT, name)
        if lines:
            bench.assembly.add_up(head, [f"{line}.{name}" for line in lines])
        else:
            bench.assembly.state(head, None, How.NONE, (), notes=[NOT_RUNNING])
    _intensity(bench, PLANT)


def _intensity(bench: Bench, scope: str) -> None:
    add_intensity(bench.assembly, bench.head(scope, "intensity"))


def add_intensity(assembly: Assembly, head: Head) -> None:
    """Emission per tonne of a scope; one that chemistry does not allow is refused."""
    scope = head.scope
    metal = assembly.lines[f"{scope}.aluminium"]
    if metal.value == 0 or metal.how is How.NONE:
        none = Text(zh="铝液产量为零，无排放强度", en="no aluminium, so no intensity")
        assembly.state(head, None, How.NONE, (), notes=[none])
        return
    emission, aluminium = (
        assembly.from_line("t_co2e", f"{scope}.emission"),
        assembly.from_line("aluminium_t", f"{scope}.aluminium"),
    )
    made = assembly.compute(head, "intensity", [emission, aluminium])
    pfc = assembly.lines[f"{scope}.pfc"]
    if made.value is None or pfc.value is None or not metal.value:
        return
    found = below_floor(made.value, pfc.value / metal.value)
    refused = _refused_parts(assembly) if scope == PLANT else ()
    if found is not None or refused:
        missing = (*(() if found is None else (found,)), *refused)
        assembly.put(made, value=None, rounded=None, how=How.MISSING, missing=missing)


def _refused_parts(assembly: Assembly) -> tuple[Text, ...]:
    """Why the intensity of a potline was refused: then that of the plant is no better."""
    lines = [line for line in assembly.lines.values() if line.id == f"{line.scope}.intensity"]
    return tuple(text for line in lines if line.scope != PLANT for text in line.missing)


ANODE_QUANTITY: Final[Mapping[str, Callable[[Bench, Potline], None]]] = {
    "consumed_then_stock": _consumed_then_stock
}
ANODE_QUALITY: Final[
    Mapping[str, Callable[[Bench, Potline, str, str], tuple[Argument, list[Text]]]]
] = {"fixed": _fixed, "measured_or_default": _measured}
PFC: Final[Mapping[str, Callable[[Bench, Potline], None]]] = {"pfc_default": _pfc_default}
