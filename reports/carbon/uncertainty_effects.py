"""Causes of uncertainty and what each moves: instruments, parameters; how they are combined."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from reports.assembly import Assembly
from reports.basis import Basis
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
        for each in _QUALITIES[name]:
            parameter = plan.parameter_of(f"{PLANT}.{each}.{item}")
            if parameter is not None and parameter.uncertainty_percent is not None:
                cause = f"{parameter.figure} {item}"
                found.append(
                    _burned(cause, parameter.name, parameter.uncertainty_percent, line.value)
                )
    return found, unknown


def _burned(cause: str, what: Text, percent: Decimal, emission: Decimal) -> Effect:
    return Effect(cause, BURNED, what, percent, emission * percent / 100, Decimal(0))


# Kinds of entry behind an emission: the quantity, and what a laboratory finds of it.
_AMOUNTS: Final = {
    "fuel_co2": ("fuel_consumed", "gas_consumed"),
    "carbonate_co2": ("carbonate_consumed",),
}
_QUALITIES: Final = {
    "fuel_co2": (
        *("fuel_ncv", "gas_ncv", "fuel_carbon_per_heat", "gas_carbon_per_heat"),
        *("fuel_carbon", "gas_carbon"),
    ),
    "carbonate_co2": ("carbonate_purity",),
}
