"""
PFC of anode effects by one rule and every method it knows, month by month and for the year.

Lines: ``<line>.<gas>.<rule>.<method>@<month>`` and, summed, the same without month; gas is ``cf4``,
``c2f6`` (kg) or ``pfc`` (t CO2e, by the GWP set that the rule names).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from reports.abroad.rules import CELLS, Bench, head, own
from reports.abroad.series import series_for, stated
from reports.assembly import Argument, Head
from reports.entered import month_of
from reports.model import How, Input
from reports.periods import Period
from reports.rules.packs import Legal, Wanted
from reports.rules.places import place_text
from reports.site import OwnFactor, Potline
from reports.values import Text
from reports.words import short_text

GASES: Final = {
    "cf4": ("cf4_kg", "kg", Text(zh="CF4", en="CF4")),
    "c2f6": ("c2f6_kg", "kg", Text(zh="C2F6", en="C2F6")),
    "pfc": ("t_co2e", "tCO2e", Text(zh="PFC", en="PFC")),
}
METHODS: Final = {
    "duct": Text(zh="烟道实测", en="duct measurement"),
    "own_slope": Text(zh="斜率法，本厂系数", en="slope, own coefficient"),
    "own_overvoltage": Text(zh="过电压法，本厂系数", en="overvoltage, own coefficient"),
    "slope": Text(zh="斜率法", en="slope"),
    "overvoltage": Text(zh="过电压法", en="overvoltage"),
    "tier1": Text(zh="吨铝缺省因子", en="default factor per tonne"),
    "lvae": Text(zh="低电压效应（LVAE）", en="low-voltage effects (LVAE)"),
}
TIER2: Final = "2"
TIER3: Final = "3"


@dataclass(frozen=True, slots=True)
class Result:
    """A method carried out for one potline: the line that holds its sum, and how good it is."""

    line: str  # id; "" when the method does not apply, and then why
    method: str
    tier: str
    uncertainty: Text | None = None
    why_not: Text | None = None


@dataclass(frozen=True, slots=True)
class Coefficient:
    """Factor and C2F6 fraction of a method, and what is known of them."""

    method: str
    factor: Argument
    fraction: Argument
    tier: str
    uncertainty: Text | None
    notes: tuple[Text, ...] = ()


def add_pfc(bench: Bench, line: Potline) -> list[Result]:
    """Every method of the rule, the one to be reported first."""
    cell = bench.rule.cell(line)
    if not cell:
        return [Result("", "slope", "", why_not=_NO_CELL)]
    minutes = _any(bench, line, "ae_minutes")
    overvoltage = stated(bench.basis, line, "anode_effect_overvoltage")
    results = [_duct(bench, line)] if bench.rule.key == "eu" else []
    if line.own_slope is not None:
        results.append(_slope(bench, line, _own(bench, line, "own_slope", line.own_slope)))
    if line.own_overvoltage is not None and overvoltage:
        given = _own(bench, line, "own_overvoltage", line.own_overvoltage)
        results.append(_overvoltage(bench, line, given))
    tiered = _factor(bench, cell) is None
    if minutes or not (overvoltage or tiered):
        results.append(_slope(bench, line, _default(bench, line, cell, "slope")))
    else:
        results.append(Result("", "slope", TIER2, why_not=_NO_MINUTES))
    if overvoltage and bench.knows(f"overvoltage_{cell}"):
        results.append(_overvoltage(bench, line, _default(bench, line, cell, "overvoltage")))
    if tiered:
        results.append(_tier1(bench, line, cell))
    elif bench.knows(f"tier1_cf4_{cell}"):
        results.append(Result("", "tier1", "1", why_not=_factor(bench, cell)))
    return results


def _factor(bench: Bench, cell: str) -> Text | None:
    """None when the rule gives a factor per tonne, else why not."""
    if not bench.knows(f"tier1_cf4_{cell}"):
        return _NO_TIER1
    found = bench.assembly.legal_or_absent(bench.rule.pack, f"tier1_cf4_{cell}")
    return None if isinstance(found, Legal) else unread(found)


def _any(bench: Bench, line: Potline, name: str) -> bool:
    lines = bench.assembly.lines
    return any(lines[f"{line.id}.{name}@{m}"].value is not None for m in bench.months(line))


# --- coefficients


def _default(bench: Bench, line: Potline, cell: str, kind: str) -> Coefficient:
    """The rule's own coefficient; where it gives none, the cell that it lets stand in."""
    notes = _not_low(bench, line, kind)
    fallback = f"fallback_{cell}"
    if bench.knows(fallback):
        other = str(bench.assembly.legal(bench.rule.pack, fallback).value)
        notes = (*notes, _fallen_back(cell, other))
        cell = other
    parameter = "slope_kg_per_t_per_min" if kind == "slope" else "overvoltage_coefficient"
    ratio = f"{kind}_c2f6_fraction_{cell}"
    ratio = ratio if bench.knows(ratio) else f"c2f6_fraction_{cell}"
    return Coefficient(
        kind,
        bench.law(parameter, f"{kind}_{cell}"),
        bench.law("c2f6_fraction", ratio),
        TIER2,
        _uncertainty(bench, cell),
        notes,
    )


def _own(bench: Bench, line: Potline, key: str, factor: OwnFactor) -> Coefficient:
    slope = key == "own_slope"
    parameter = "slope_kg_per_t_per_min" if slope else "overvoltage_coefficient"
    uncertainty = factor.uncertainty_percent
    shown = None if uncertainty is None else _percent(uncertainty)
    return Coefficient(
        key,
        own(parameter, line, key, factor, ratio=False),
        own("c2f6_fraction", line, key, factor, ratio=True),
        TIER3,
        shown,
        (_measured_on(factor), *_against_limits(bench, factor)),
    )


def _against_limits(bench: Bench, factor: OwnFactor) -> list[Text]:
    """What the rule says about the age and the uncertainty of a measured coefficient."""
    found = []
    for name in ("factor_renewal_years", "slope_renewal_years"):
        if not bench.knows(name):
            continue
        years = int(bench.assembly.legal(bench.rule.pack, name).number)
        if _expires(factor, years) < bench.basis.period.after:
            found.append(_too_old(years))
    if bench.knows("factor_uncertainty_max"):
        most = bench.assembly.legal(bench.rule.pack, "factor_uncertainty_max").number
        if factor.uncertainty_percent is None or factor.uncertainty_percent > most:
            found.append(_too_uncertain(most))
    return found


def _expires(factor: OwnFactor, years: int) -> date:
    """The day that many years later; 29 February becomes 1 March."""
    day = factor.measured
    leap = (day.month, day.day) == (2, 29)
    return date(day.year + years, 3, 1) if leap else day.replace(year=day.year + years)


def _not_low(bench: Bench, line: Potline, kind: str) -> tuple[Text, ...]:
    """Where a rule lets its default coefficient stand only below a limit, and it is above."""
    limit, name = ("low_aem", "ae_minutes") if kind == "slope" else ("low_aeo", "ae_overvoltage")
    if not bench.knows(limit):
        return ()
    most = bench.assembly.legal(bench.rule.pack, limit)
    values = [bench.assembly.lines[f"{line.id}.{name}@{m}"].value for m in bench.months(line)]
    if all(value is None or value < most.number for value in values):
        return ()
    return (_own_wanted(most),)


def _uncertainty(bench: Bench, cell: str) -> Text | None:
    """Of slope and fraction, as the rule states it beside them."""
    names = (f"slope_uncertainty_{cell}", f"c2f6_fraction_uncertainty_{cell}")
    if not all(bench.knows(name) for name in names):
        return None
    slope, ratio = (bench.assembly.legal_or_absent(bench.rule.pack, name) for name in names)
    if not isinstance(slope, Legal) or not isinstance(ratio, Legal):
        return None
    one, other = short_text(slope.number), short_text(ratio.number)
    return Text(zh=f"系数 ±{one} %，C2F6 比 ±{other} %", en=f"slope ±{one} %, ratio ±{other} %")


# --- methods


def _slope(bench: Bench, line: Potline, given: Coefficient) -> Result:
    use = series_for(bench, line, "ae_minutes")
    return _monthly(
        bench, line, given, "pfc_slope",
        lambda month: [bench.assembly.from_line("aem_min_per_cell_day", use[month])],
    )  # fmt: skip


def _overvoltage(bench: Bench, line: Potline, given: Coefficient) -> Result:
    volts = series_for(bench, line, "ae_overvoltage")
    efficiency = series_for(bench, line, "current_efficiency", upward=False)
    return _monthly(
        bench, line, given, "pfc_overvoltage",
        lambda month: [
            bench.assembly.from_line("aeo_mv", volts[month]),
            bench.assembly.from_line("current_efficiency_percent", efficiency[month]),
        ],
    )  # fmt: skip


def _monthly(
    bench: Bench,
    line: Potline,
    given: Coefficient,
    formula: str,
    inputs: Callable[[Period], list[Argument]],
) -> Result:
    """Each month by the formula, the year as their sum, with the share that was substituted."""
    assembly = bench.assembly
    gwp = bench.gwp.arguments(assembly)
    months = bench.months(line)
    replaced = 0
    for month in months:
        stated_ = inputs(month)
        methods = [assembly.lines[each.input.ref].method for each in stated_]
        substituted = [each for each in methods if each]
        replaced += len(month.days) if substituted else 0
        arguments = [
            assembly.from_line("aluminium_t", f"{line.id}.aluminium@{month}"),
            *stated_,
            given.factor,
            given.fraction,
            *gwp,
        ]
        for gas, (key, _, _) in GASES.items():
            made = assembly.compute(
                _head(bench, line, gas, given.method, f"@{month}"),
                formula,
                arguments,
                key=key,
                how=How.SUBSTITUTED if substituted else How.COMPUTED,
                notes=given.notes,
            )
            if substituted and made.value is not None:
                assembly.put(made, method=substituted[0], substituted=Decimal(1))
            else:
                assembly.put(made, method=f"tier{given.tier}_{given.method}")
    share = share_of(replaced, months)
    for gas in GASES:
        at = _head(bench, line, gas, given.method)
        summed = assembly.add_up(at, [f"{at.id}@{month}" for month in months])
        assembly.put(
            summed,
            method=f"tier{given.tier}_{given.method}",
            substituted=share if replaced and summed.value is not None else None,
            notes=given.notes,
        )
    return Result(at.id, given.method, given.tier, given.uncertainty)


def share_of(days: int, months: Sequence[Period]) -> Decimal:
    """Days as a share of the months, four decimals."""
    whole = sum(len(month.days) for month in months)
    return (Decimal(days) / whole).quantize(Decimal("0.0001"))


def _tier1(bench: Bench, line: Potline, cell: str) -> Result:
    """By default factors per tonne of the year; anode effects have no influence."""
    assembly = bench.assembly
    arguments = [
        assembly.from_line("aluminium_t", f"{line.id}.aluminium"),
        bench.law("ef_cf4_kg_per_t", f"tier1_cf4_{cell}"),
        bench.law("ef_c2f6_kg_per_t", f"tier1_c2f6_{cell}"),
        *bench.gwp.arguments(assembly),
    ]
    for gas, (key, _, _) in GASES.items():
        at = _head(bench, line, gas, "tier1")
        made = assembly.compute(at, "pfc_default", arguments, key=key, how=How.DEFAULT)
        assembly.put(made, method="tier1")
    return Result(at.id, "tier1", "1")


def _duct(bench: Bench, line: Potline) -> Result:
    """Masses measured in the duct, with what the hoods did not collect (EU 2025/2547 B.7)."""
    if not any(stated(bench.basis, line, kind) for kind in ("cf4_measured", "c2f6_measured")):
        return Result("", "duct", TIER3, why_not=_NO_DUCT)
    assembly, gwp = bench.assembly, bench.gwp.arguments(bench.assembly)
    names = {
        "cf4_measured": "cf4_duct_kg",
        "c2f6_measured": "c2f6_duct_kg",
        "collection_efficiency": "collection_efficiency_fraction",
    }
    months = bench.months(line)
    for month in months:
        arguments = [
            _entry(bench, line, kind, parameter, month) for kind, parameter in names.items()
        ]
        for gas, (key, _, _) in GASES.items():
            at = _head(bench, line, gas, "duct", f"@{month}")
            made = assembly.compute(at, "pfc_measured", [*arguments, *gwp], key=key)
            assembly.put(made, method="duct")
    for gas in GASES:
        at = _head(bench, line, gas, "duct")
        made = assembly.add_up(at, [f"{at.id}@{month}" for month in months])
        assembly.put(made, method="duct")
    return Result(at.id, "duct", TIER3)


def _entry(bench: Bench, line: Potline, kind: str, parameter: str, month: Period) -> Argument:
    figure = month_of(bench.basis.ledger, kind, line, month)
    if figure.entries and figure.amount is not None:
        return bench.assembly.entry(parameter, figure.entries[0])
    return missing(parameter, figure.missing)


def missing(parameter: str, why: Sequence[Text]) -> Argument:
    """An argument that nobody stated."""
    return Argument(Input(name=parameter, kind="entry", ref="", value=None, unit=""), tuple(why))


def _head(bench: Bench, line: Potline, gas: str, method: str, at: str = "") -> Head:
    _, unit, word = GASES[gas]
    label = Text(
        zh=f"阳极效应 {word.zh}（{bench.rule.name.zh}，{METHODS[method].zh}）",
        en=f"Anode-effect {word.en} ({bench.rule.name.en}, {METHODS[method].en})",
    )
    return head(line.id, f"{gas}.{bench.rule.key}.{method}{at}", label, unit)


# --- words

_NO_CELL: Final = Text(
    zh="site.toml 未写明该系列的槽型（cell）",
    en="site.toml does not say which technology (cell) the potline is",
)
_NO_MINUTES: Final = Text(
    zh="全年没有阳极效应时间，不采用斜率法",
    en="no anode-effect minutes in any month: slope not applied",
)
_NO_DUCT: Final = Text(zh="未录入烟道实测值", en="nothing measured in the duct was entered")
_NO_TIER1: Final = Text(zh="该规则没有吨铝缺省因子", en="the rule has no factor per tonne")


def unread(wanted: Wanted) -> Text:
    """That nobody could read the factor, and where it stands."""
    return Text(
        zh=f"缺省因子未能查到：请打开 {wanted.source.title}（{wanted.locator}）",
        en=f"the factor could not be read: open {wanted.source.title} "
        f"({place_text(wanted.locator, 'en')})",
    )


def _percent(value: Decimal) -> Text:
    shown = f"±{short_text(value)} %"
    return Text(zh=shown, en=shown)


def _measured_on(factor: OwnFactor) -> Text:
    return Text(
        zh=f"本厂系数测定于 {factor.measured}，依据 {factor.source}",
        en=f"own coefficient of {factor.measured}, {factor.source}",
    )


def _too_old(years: int) -> Text:
    return Text(
        zh=f"该系数在本年度结束前已超过 {years} 年，该规则要求重新测定",
        en=f"older than {years} years before this year ends: the rule wants it measured anew",
    )


def _too_uncertain(most: Decimal) -> Text:
    return Text(
        zh=f"该规则要求系数不确定度不超过 ±{short_text(most)} %，未满足或未写明",
        en=f"the rule wants at most ±{short_text(most)} % of uncertainty: exceeded or not stated",
    )


def _own_wanted(limit: Legal) -> Text:
    return Text(
        zh=f"有月份不低于 {short_text(limit.number)}（{limit.locator}），"
        "该规则要求采用本厂实测系数",
        en=f"not below {short_text(limit.number)} in every month ({limit.locator}): the rule wants "
        "a coefficient measured at the smelter",
    )


def _fallen_back(cell: str, other: str) -> Text:
    return Text(
        zh=f"{CELLS[cell].zh} 须实测；未实测，按规则以 {CELLS[other].zh} 系数代替",
        en=f"{CELLS[cell].en} must be measured; it was not, so the rule lets the coefficient of "
        f"{CELLS[other].en} stand in",
    )
