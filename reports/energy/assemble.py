"""
The lines of a month, or of months and parts of months together.

First the amounts are stated, piece by piece; then everything that divides is made of them, in each
piece and of the whole in the same way. So a year's kWh per tonne is that of its sums.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from reports.assembly import Assembly, Head
from reports.basis import Basis
from reports.energy.anode_effects import Effects, add_effect_rates, add_effects, plant_sums
from reports.energy.bench import Bench, given, sum_of, unstated
from reports.energy.electricity import (
    add_plant_electricity,
    add_potline_electricity,
    add_total,
)
from reports.energy.green import add_green, add_green_share
from reports.energy.levels import add_levels, add_price
from reports.energy.materials import add_materials, add_ratios
from reports.energy.operation import (
    add_change,
    add_inventory,
    add_means,
    add_operation,
    add_plant_inventory,
    add_plant_operation,
)
from reports.energy.recovered import add_heat_coverage, add_recovered, add_recovered_total
from reports.energy.specific import (
    add_comprehensive,
    add_ingot,
    add_specific,
    comprehensive_notes,
)
from reports.energy.tariff import add_tariff
from reports.model import How, Line
from reports.periods import Period
from reports.site import PLANT, Potline
from reports.values import Text

RATES: Final = {  # entered rates, and by what a period's mean of them is weighted
    "ae_frequency": "pot_days",
    "ae_minutes": "pot_days",
    "ae_overvoltage": "pot_days",
    "electricity_price": "electricity_total",
}
SUM_OF: Final = {  # what a rate is made of where signals tell it
    "ae_frequency": "ae_count",
    "ae_minutes": "ae_time",
    "ae_overvoltage": "ae_volt_seconds",
}
PARTLY: Final = ("solid", "heat_recovered.", "heat_extra_power.")  # of things not always there
OCCASIONAL: Final = {  # nothing stated in a month means that there was none
    *("electricity_start", "electricity_short", "green_traded", "gec_retired", "gec_bundled"),
    *("heat_power", "heat_supplied", "heat_purchased", "tce.heat_purchased"),
}


@dataclass(frozen=True, slots=True)
class Energy:
    """The whole period on one bench; ``pieces`` are its months, none when it is one itself."""

    bench: Bench
    pieces: tuple[Bench, ...]


def pieces_of(period: Period) -> tuple[Period, ...]:
    """The months of the period, cut where it begins and ends."""
    found, first = [], period.first
    while first < period.after:
        month = Period.month(first.year, first.month)
        after = min(month.after, period.after)
        found.append(Period(first, after))
        first = after
    return tuple(found)


def assemble(basis: Basis) -> Energy:
    """Every line of the period. Raises RuleError."""
    spans = pieces_of(basis.period)
    effects = Effects(basis.series)
    if len(spans) == 1:
        return Energy(assemble_piece(basis, effects), ())
    pieces = tuple(assemble_piece(basis.of(span), effects) for span in spans)
    whole = Bench(basis, Assembly(basis.period, basis.packs))
    for piece in pieces:
        whole.assembly.absorb(piece.assembly)
    by_month = dict(whole.assembly.lines)
    _sums(whole, pieces)
    derive(whole)
    whole.assembly.lines = {k: v for k, v in whole.assembly.lines.items() if "@" not in k}
    whole.assembly.lines |= by_month
    return Energy(whole, pieces)


def assemble_piece(basis: Basis, effects: Effects) -> Bench:
    """One month, or a part of one."""
    bench = Bench(basis, Assembly(basis.period, basis.packs))
    for line in bench.potlines:
        _state_line(bench, effects, line)
    if bench.potlines:
        add_plant_operation(bench, [line.id for line in bench.potlines], bench.period)
        add_plant_electricity(bench)
        plant_sums(bench)
    add_green(bench)
    add_total(bench)
    add_comprehensive(bench)
    add_recovered(bench)
    add_materials(bench)
    add_price(bench)
    derive(bench)
    return bench


def _state_line(bench: Bench, effects: Effects, line: Potline) -> None:
    add_operation(bench, line)
    add_inventory(bench, line)
    add_potline_electricity(bench, line)
    add_effects(bench, effects, line)


def derive(bench: Bench) -> None:
    """Everything that follows from the amounts on the bench."""
    scopes = bench.scopes if bench.potlines else ()
    for scope in scopes:
        add_means(bench, scope)
        add_effect_rates(bench, scope)
        add_specific(bench, scope)
    if scopes:
        add_ingot(bench)
    add_recovered_total(bench)
    add_ratios(bench)
    add_green_share(bench)
    if scopes:
        add_tariff(bench)
    for scope in scopes:
        add_levels(bench, scope)


def _amounts(pieces: tuple[Bench, ...]) -> dict[str, list[tuple[Period, Line]]]:
    """Lines of the pieces that are amounts, by id, in the order in which they came."""
    found: dict[str, list[tuple[Period, Line]]] = {}
    for piece in pieces:
        for line in piece.assembly.lines.values():
            found.setdefault(line.id, []).append((piece.period, line))
    return {key: lines for key, lines in found.items() if all(_adds_up(x) for _, x in lines)}


_MADE: Final = ("distance_", "ladder_", "ten_kwh", "heat_net", "heat_tce", "heat_co2", "metal_")
_LATER: Final = {"green_certificates", "green_counted", "green_gap", "electricity_liquid"}
_TOTALS: Final = {"heat_recovered", "heat_extra_power", "pots_running"}
_AMOUNTS: Final = {"MWh", "t", "d", "h", "kAh", "GJ", "m3", "min", "V·s", "tce"}


def _adds_up(line: Line) -> bool:
    name = line.id.partition(".")[2]
    if name.startswith(_MADE) or name in _LATER or name in _TOTALS:
        return False
    return line.unit in _AMOUNTS or name == "ae_count"


def _sums(whole: Bench, pieces: tuple[Bench, ...]) -> None:
    """Amounts of the whole, means of entered rates, inventory of the first and last day."""
    for identity, lines in _amounts(pieces).items():
        sample = lines[-1][1]
        name = identity.partition(".")[2]
        what = Head(sample.scope, name, sample.section, sample.label, sample.unit, sample.decimals)
        rare = name in OCCASIONAL or name.startswith(PARTLY)
        # a piece in which the place ran but has no such line leaves the whole without a sum
        ran = [p.period for p in pieces if p.line(f"{sample.scope}.aluminium") is not None]
        spans = [period for period, _ in lines] if rare else {*ran, *(p for p, _ in lines)}
        sum_of(whole, what, [f"{identity}@{span}" for span in sorted(spans)], every=not rare)
    coal = whole.line(f"{PLANT}.comprehensive_energy")
    if coal is not None and coal.how is not How.NONE:
        whole.assembly.put(coal, notes=comprehensive_notes(whole, pieces))
    add_heat_coverage(whole, pieces)
    _notice(whole, pieces)
    for scope in whole.scopes:
        _inventory(whole, pieces, scope)
        for name, weight in RATES.items():
            _mean(whole, pieces, scope, (name, weight))


def _notice(whole: Bench, pieces: tuple[Bench, ...]) -> None:
    """What the tier of the local notice cost, month by month together."""
    name = f"{PLANT}.ladder_notice_cost"
    there = [piece for piece in pieces if piece.value(name) is not None]
    if there:
        sample = there[0].assembly.lines[name]
        what = Head(
            PLANT, "ladder_notice_cost", sample.section, sample.label, "CNY", sample.decimals
        )
        sum_of(whole, what, [f"{name}@{piece.period}" for piece in there])


def _inventory(whole: Bench, pieces: tuple[Bench, ...], scope: str) -> None:
    if scope == PLANT:  # lines do not all run in the first piece, nor in the last
        add_plant_inventory(whole, [line.id for line in whole.potlines])
        return
    there = [p for p in pieces if p.line(f"{scope}.metal_change") is not None]
    if not there:
        return
    for end, piece in (("begin", there[0]), ("end", there[-1])):
        line = piece.assembly.lines[f"{scope}.metal_{end}"]
        name = f"metal_{end}"
        what = Head(scope, name, line.section, line.label, line.unit, line.decimals)
        sum_of(whole, what, [f"{line.id}@{piece.period}"])
    add_change(whole, scope)


def _mean(whole: Bench, pieces: tuple[Bench, ...], scope: str, of: tuple[str, str]) -> None:
    """A rate that was entered month by month, weighted; only when every piece has it."""
    name, weight = of
    if name in SUM_OF and whole.value(f"{scope}.{SUM_OF[name]}") is not None:
        return
    there = [p for p in pieces if p.line(f"{scope}.{name}") is not None]
    if not there:
        return
    sample = there[0].assembly.lines[f"{scope}.{name}"]
    what = Head(scope, name, sample.section, sample.label, sample.unit, sample.decimals)
    pairs = [(p.value(f"{scope}.{name}"), p.value(f"{scope}.{weight}")) for p in there]
    known = [(rate, by) for rate, by in pairs if rate is not None and by]
    if len(known) < len(pairs):
        fixed = whole.basis.site.tariff.price_cny_per_kwh
        if name == "electricity_price" and fixed is not None:
            inputs = [given(name, fixed, "CNY/kWh", "tariff.price_cny_per_kwh")]
            whole.assembly.state(what, fixed, How.DEFAULT, inputs)
            return
        unstated(whole.assembly, what)
        return
    total = sum((by for _, by in known), Decimal(0))
    value = sum((rate * by for rate, by in known), Decimal(0)) / total
    inputs = [whole.assembly.from_line(str(p.period), f"{scope}.{name}@{p.period}") for p in there]
    note = Text(
        zh=f"各月按{'槽日' if weight == 'pot_days' else '用电量'}加权", en=f"weighted by {weight}"
    )
    whole.assembly.state(what, value, How.COMPUTED, inputs, notes=[note])
