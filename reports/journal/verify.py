"""A comparison with the reference method: accuracy of its pairs, judged by the packs. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from drivers.language import say
from reports.formulas.numbers import FormulaError
from reports.formulas.stack import MOLAR_MASS, ppm_to_mg
from reports.formulas.stack_instruments import relative_accuracy
from reports.journal.drift import Shown, channel, cited, rule
from reports.journal.written import read_pairs
from reports.rules.packs import Legal, RulePack

_AS_GAS: Final = {"nox": "no2"}  # nitrogen oxides are written as NO2
_PLACES: Final = Decimal("0.0001")
_PM_FROM: Final = (200, 100, 50, 20, 10, 0)  # mg/m3, as the parameters are named


@dataclass(frozen=True, slots=True)
class Criterion:
    """What is compared with the limit: ``ra`` and ``re`` in %, ``error`` in the unit of pairs."""

    measure: str
    limit: Decimal
    legal: Legal | None


@dataclass(frozen=True, slots=True)
class _Rules:
    packs: Mapping[str, RulePack]
    day: date

    def get(self, name: str) -> Legal | None:
        return rule(self.packs, f"accuracy_{name}", self.day)


def judge_verification(
    facts: Mapping[str, str], pollutants: tuple[str, ...], packs: Mapping[str, RulePack], day: date
) -> Shown:
    """
    Relative accuracy, mean difference and relative error, and pass or fail.

    A class of the packs is taken by the mean of the reference; a limit (% relative accuracy) typed
    by hand, with its source, stands where the packs name none for it.
    """
    pairs = read_pairs(facts["pairs"]) or ()
    least = rule(packs, "accuracy_pairs", day)
    table = [{"reference_value": one, "cems_value": other} for one, other in pairs]
    try:
        found = relative_accuracy(table, None if least is None else least.number)
    except FormulaError as error:
        return Shown({}, (f"{error}",))
    mean = sum((one for one, _ in pairs), Decimal(0)) / len(pairs)
    made = {
        "mean_reference": _text(mean),
        "mean_cems": _text(mean - found.mean_difference),
        "relative_accuracy": _text(found.ra_percent),
        "relative_error": _text(found.re_percent),
    }
    criterion = criterion_of(pollutants[0], mean, packs, day) or _by_hand(facts)
    if criterion is None:
        return _unjudged(facts, made)
    size = {"ra": found.ra_percent, "re": abs(found.re_percent)}
    value = size.get(criterion.measure, abs(found.mean_difference))
    made["limit"] = _text(criterion.limit)
    made["measure"] = criterion.measure
    made["result"] = "pass" if value <= criterion.limit else "fail"
    if criterion.legal is not None:
        made["limit_source"] = cited(criterion.legal)
    elif not facts.get("limit_source"):
        return Shown({}, (_sourceless(),))
    return Shown(made)


def criterion_of(
    pollutant: str, mean: Decimal, packs: Mapping[str, RulePack], day: date
) -> Criterion | None:
    """Which accuracy is asked at that mean (mg/m3, %, m/s or °C); None where no rule says."""
    rules = _Rules(packs, day)
    if pollutant == "o2":
        return _oxygen(mean, rules)
    if pollutant == "temperature":
        return _made("error", rules.get("temperature"))
    if pollutant == "velocity":
        return _made("re", rules.get(f"velocity_{'fast' if mean > 10 else 'slow'}"))
    if pollutant == "humidity":
        wet = mean > 5
        return _made("re" if wet else "error", rules.get(f"humidity_{'wet' if wet else 'dry'}"))
    if pollutant == "pm":
        above = next((x for x in _PM_FROM if mean > x), 0)
        return _made("re" if above >= 20 else "error", rules.get(f"pm_from_{above}"))
    return _gas(pollutant, mean, rules) if channel(pollutant) == "gas" else None


def _oxygen(mean: Decimal, rules: _Rules) -> Criterion | None:
    low = rules.get("o2_low")
    if low is None:
        return None
    absolute = mean <= low.number
    return _made("error" if absolute else "ra", rules.get("o2_error" if absolute else "o2_ra"))


def _gas(pollutant: str, mean: Decimal, rules: _Rules) -> Criterion | None:
    """By class of concentration; those are in ppm, so a gas without molar mass has none."""
    gas = _AS_GAS.get(pollutant, pollutant)
    classes = [rules.get(f"gas_{name}_ppm") for name in ("high", "middle", "low")]
    if gas not in MOLAR_MASS:
        return None
    high, middle, low = (
        None if legal is None else ppm_to_mg(legal.number, gas).c_mg_m3 for legal in classes
    )
    if high is None or middle is None or low is None:
        return None
    if mean >= high:
        return _made("ra", rules.get("gas_ra"))
    if mean >= middle:
        return _in_mg(rules.get("gas_middle_error_ppm"), gas)
    if mean >= low:
        return _made("re", rules.get("gas_low_error"))
    return _in_mg(rules.get("gas_least_error_ppm"), gas)


def _made(measure: str, legal: Legal | None) -> Criterion | None:
    return None if legal is None else Criterion(measure, legal.number, legal)


def _in_mg(legal: Legal | None, gas: str) -> Criterion | None:
    if legal is None:
        return None
    limit = ppm_to_mg(legal.number, gas).c_mg_m3
    return Criterion("error", limit, legal)


def _by_hand(facts: Mapping[str, str]) -> Criterion | None:
    return Criterion("ra", Decimal(facts["limit"]), None) if "limit" in facts else None


def _unjudged(facts: Mapping[str, str], made: dict[str, str]) -> Shown:
    """The person's own result, with its source."""
    if "result" not in facts:
        return Shown(
            {},
            (
                say(
                    "规则中没有该参数的准确度限值；请填写限值（相对准确度 %）或结论，并写明出处",
                    "the rules have no limit of accuracy for it; write a limit (% relative "
                    "accuracy) or the result, and its source",
                ),
            ),
        )
    return Shown(made) if facts.get("limit_source") else Shown({}, (_sourceless(),))


def _sourceless() -> str:
    return say(
        "手填的限值或结论须写明限值出处", "limits or a result typed by hand need their source"
    )


def _text(value: Decimal) -> str:
    return f"{value.quantize(_PLACES, ROUND_HALF_UP).normalize():f}"
