"""Causes of uncertainty and what each moves: instruments, parameters; how they are combined."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from reports.assembly import Assembly
from reports.basis import Basis
from reports.carbon.enterprise import is_gas
from reports.plan.plan import Instrument, Plan
from reports.site import PLANT
from reports.values import Text

# Limits of error ±a, any value within them as likely: standard uncertainty a/√3, twice that ~95 %.
COVERAGE: Final = 2 / Decimal(3).sqrt()
PERCENT: Final = "%"
BURNED: Final = "burned"  # scope of what fuels and carbonates bring


@dataclass(frozen=True, slots=True)
class Effect:
    """How far a cause moves the emission and the relative intensity of a scope (95 %)."""

    cause: str
    scope: str
    what: Text
    percent: Decimal  # of what was measured, at 95 %
    t_co2e: Decimal  # emission; a sign tells the direction when the cause goes up
    intensity: Decimal  # intensity, as a share of it

    @property
    def size(self) -> Decimal:
        return abs(self.t_co2e)


def combine(effects: Iterable[Effect]) -> Decimal:
    """Emission, t CO2e: effects of one cause added, then the root of the sum of squares."""
    return _root([(each.cause, each.t_co2e) for each in effects])


def combine_intensity(effects: Iterable[Effect]) -> Decimal:
    """The same of the intensity, as a share of it."""
    return _root([(each.cause, each.intensity) for each in effects])


def _root(parts: Sequence[tuple[str, Decimal]]) -> Decimal:
    by_cause: dict[str, Decimal] = {}
    for cause, value in parts:
        by_cause[cause] = by_cause.get(cause, Decimal(0)) + value
    return sum((value**2 for value in by_cause.values()), Decimal(0)).sqrt()


def class_percent(accuracy_class_percent: Decimal) -> Decimal:
    """Expanded uncertainty (k = 2) of an instrument of that class, %."""
    return COVERAGE * accuracy_class_percent


def worst(instruments: Iterable[Instrument], basis: Basis) -> Instrument | None:
    """The coarsest that was in place on any day of the period: cautious when there were several."""
    days = basis.period.days
    there = [each for each in instruments if any(each.in_place(day) for day in days)]
    return max(there, key=lambda each: each.accuracy_class_percent, default=None)


def value_of(assembly: Assembly, identity: str) -> Decimal | None:
    """The exact figure of a line; None when it is missing or not there at all."""
    line = assembly.lines.get(identity)
    return None if line is None else line.value


def burned_effects(assembly: Assembly, basis: Basis, plan: Plan) -> tuple[list[Effect], list[Text]]:
    """Fuels and carbonates: what was weighed or metered, heat value, carbon, purity."""
    found: list[Effect] = []
    unknown: list[Text] = []
    for identity, line in assembly.lines.items():
        name, _, item = identity.removeprefix(f"{PLANT}.").partition(".")
        if name not in _AMOUNTS or not item or "@" in item or not line.value:
            continue
        figures = [f"{PLANT}.{each}.{item}" for each in (name, *_AMOUNTS[name])]
        scales = [x for figure in figures for x in plan.instruments_for(figure)]
        scale = worst(scales, basis)
        if scale is None:
            unknown.append(
                Text(
                    zh=f"{identity}（{line.label.zh}）：计划未列计量器具，不计",
                    en=f"{identity} ({line.label.en}): the plan names no instrument: not counted",
                )
            )
        else:
            percent = class_percent(scale.accuracy_class_percent)
            what = Text(
                zh=f"{line.label.zh}：{scale.name.zh}（{scale.id}），准确度等级 "
                f"{scale.accuracy_class_percent}",
                en=f"{line.label.en}: {scale.name.en} ({scale.id}), class "
                f"{scale.accuracy_class_percent}",
            )
            found.append(_burned(scale.id, what, percent, line.value))
        for quality in _qualities(assembly, identity, item):
            effect = _of_quality(plan, quality, item)
            if isinstance(effect, Effect):
                found.append(effect)
            else:
                unknown.append(effect)
    return found, unknown


@dataclass(frozen=True, slots=True)
class _Quality:
    """A value that turns a quantity into emission, and the emission of the months it stood for."""

    figure: str  # of the plan, without item: plant.gas_ncv
    label: Text
    measured: bool
    emission: Decimal


def _qualities(assembly: Assembly, identity: str, item: str) -> list[_Quality]:
    """Heat value, carbon, oxidation, purity, factor: as tested, or the rule's, over the months."""
    sums: dict[tuple[str, bool], tuple[Text, Decimal]] = {}
    for line in assembly.lines.values():
        if line.id.partition("@")[0] != identity or "@" not in line.id or not line.value:
            continue
        for given in line.inputs:
            if given.kind == "entry":
                entry = assembly.entries[int(given.ref)]
                key, label = (f"{PLANT}.{entry.kind}", True), entry.label
            elif given.kind == "legal":
                name = _QUALITIES.get(given.name, given.name)
                name = name.replace("fuel_", "gas_") if is_gas(item) else name
                key, label = (f"{PLANT}.{name}", False), assembly.legals[given.ref].label
            else:
                continue
            known = sums.get(key, (label, Decimal(0)))[1]
            sums[key] = label, known + line.value
    return [_Quality(key[0], label, key[1], total) for key, (label, total) in sums.items()]


def _of_quality(plan: Plan, quality: _Quality, item: str) -> Effect | Text:
    """Its effect by the uncertainty that the plan states of it, else that it is not counted."""
    figure = f"{quality.figure}.{item}"
    parameter = plan.parameter_of(figure)
    if parameter is not None and parameter.uncertainty_percent is not None:
        cause, percent = f"{parameter.figure} {item}", parameter.uncertainty_percent
        return _burned(cause, parameter.name, percent, quality.emission)
    label = quality.label
    if quality.measured:
        return Text(
            zh=f"{figure}（{label.zh}）：化验值，计划未给出其不确定度（uncertainty_percent），不计",
            en=f"{figure} ({label.en}): found by the laboratory; the plan states no uncertainty "
            "of it (uncertainty_percent): not counted",
        )
    return Text(
        zh=f"{figure}（{label.zh}）：缺省值，计划未给出其不确定度，不计",
        en=f"{figure} ({label.en}): a default; the plan states no uncertainty of it: not counted",
    )


def _burned(cause: str, what: Text, percent: Decimal, emission: Decimal) -> Effect:
    return Effect(cause, BURNED, what, percent, emission * percent / 100, Decimal(0))


# Kinds of entry behind an emission: the quantity, and what a laboratory finds of it.
_AMOUNTS: Final = {
    "fuel_co2": ("fuel_consumed", "gas_consumed"),
    "carbonate_co2": ("carbonate_consumed",),
}
# What a default is called in the plan, by the name it has in the formula.
_QUALITIES: Final = {
    "ncv_gj_per_unit": "fuel_ncv",
    "carbon_tc_per_gj": "fuel_carbon_per_heat",
    "oxidation_fraction": "fuel_oxidation",
    "purity_fraction": "carbonate_purity",
    "ef_t_per_t": "carbonate_factor",
}
