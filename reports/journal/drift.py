"""What a check shows: drift in % of full scale, judged by the limits of the packs. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from drivers.language import say
from reports.formulas.numbers import FormulaError
from reports.formulas.stack_instruments import span_drift, zero_drift
from reports.rules.packs import Legal, RuleError, RulePack

PACK: Final = "cn_hj75"
GASES: Final = frozenset({"so2", "nox", "no", "no2", "fluoride", "hcl", "nh3", "co", "o2"})
_PM: Final = frozenset({"pm", "asphalt_fume"})
_VELOCITY: Final = frozenset({"velocity", "flow"})
_ENDS: Final = (("zero", "零点", "zero"), ("span", "跨度", "span"))
_PLACES: Final = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Shown:
    """Facts that follow from what was read, and what is wrong with what was read."""

    facts: dict[str, str]
    problems: tuple[str, ...] = ()


def channel(pollutant: str) -> str:
    """Which of the rule's groups an instrument belongs to; "" for one that it does not name."""
    groups = (("pm", _PM), ("velocity", _VELOCITY), ("gas", GASES))
    return next((name for name, members in groups if pollutant in members), "")


def judge_check(
    facts: Mapping[str, str], pollutants: tuple[str, ...], packs: Mapping[str, RulePack], day: date
) -> Shown:
    """
    Drift of zero and span before adjusting, pass or fail, and whether it was out of control.

    A limit comes from the packs; one typed by hand (with its source) stands where the packs have
    none. Without readings the person's own result stands.
    """
    read = {end for end, _, _ in _ENDS if f"{end}_before" in facts}
    if not read:
        return _typed(facts)
    problems = _lacking(facts, read, pollutants)
    if problems:
        return Shown({}, tuple(problems))
    made: dict[str, str] = {}
    sources: list[str] = []
    verdicts: list[str] = []
    after: list[str] = []
    for end in sorted(read, reverse=True):
        limits = _limits(end, facts, channel(pollutants[0]), packs, day, sources)
        made |= {name: f"{limit:f}" for name, limit in limits.items()}
        try:
            drift, verdict = _drift(facts, f"{end}_before", limits)
        except FormulaError as error:
            return Shown({}, (f"{error}",))
        made[f"{end}_drift"] = f"{drift.quantize(_PLACES, ROUND_HALF_UP):f}"
        verdicts += [verdict] if verdict else []
        if f"{end}_after" in facts and verdict:
            after.append(_drift(facts, f"{end}_after", limits)[1])
    made |= _result(facts, verdicts)
    if after and len(after) == len(verdicts):
        made["after"] = "pass" if all(each == "within" for each in after) else "fail"
    source = facts.get("limit_source", "")
    made["limit_source"] = "; ".join(dict.fromkeys([*sources, *([source] if source else [])]))
    return Shown(made, tuple(_unjudged(made)))


def _drift(
    facts: Mapping[str, str], reading: str, limits: Mapping[str, Decimal]
) -> tuple[Decimal, str]:
    """Drift of a reading in % of full scale, and the verdict of the formula; "" without limit."""
    end = reading.partition("_")[0]
    limit = limits.get(f"{end}_limit")
    control = limits.get(f"{end}_control", limit)
    found = (zero_drift if end == "zero" else span_drift)(
        Decimal(facts[reading]),
        Decimal(facts.get(f"{end}_reference", "0")),
        Decimal(facts["full_scale"]),
        "gas",  # only which limits are meant; they are given
        limit or Decimal(1),
        control or Decimal(1),
    )
    return found.drift_percent, "" if limit is None else found.verdict


def _lacking(facts: Mapping[str, str], read: set[str], pollutants: tuple[str, ...]) -> list[str]:
    problems = []
    if len(pollutants) != 1:
        problems.append(
            say(
                "有示值的校准须写明一个污染物或参数，如 so2、velocity",
                "a check with readings is of one pollutant or parameter, e.g. so2, velocity",
            )
        )
    if Decimal(facts.get("full_scale", "0")) <= 0:
        problems.append(say("缺少量程（大于零）", "the full scale is missing (above zero)"))
    if "span" in read and "span_reference" not in facts:
        problems.append(say("缺少跨度标准值", "the span reference is missing"))
    return problems


def _limits(
    end: str,
    facts: Mapping[str, str],
    group: str,
    packs: Mapping[str, RulePack],
    day: date,
    sources: list[str],
) -> dict[str, Decimal]:
    """From the packs, else typed by hand, else not there; the source of a pack is noted."""
    found = {}
    for name, of_rule in ((f"{end}_limit", "drift"), (f"{end}_control", "control")):
        legal = rule(packs, f"{end}_{of_rule}_{group}", day)
        if legal is not None:
            sources.append(cited(legal))
            found[name] = legal.number
        elif name in facts:
            found[name] = Decimal(facts[name])
    return found


def rule(packs: Mapping[str, RulePack], name: str, day: date) -> Legal | None:
    """A value of HJ 75, or None where the pack has none on that day."""
    try:
        return packs[PACK].at(name, day)
    except (KeyError, RuleError):
        return None


def cited(legal: Legal) -> str:
    """The rule by its id and how well it was confirmed."""
    return f"{legal.id} ({legal.confirmed.value})"


def _result(facts: Mapping[str, str], verdicts: list[str]) -> dict[str, str]:
    """Pass within the limit; beyond the control limit the instrument was out of control."""
    if not verdicts:
        return {"result": facts["result"]} if "result" in facts else {}
    return {
        "result": "pass" if all(each == "within" for each in verdicts) else "fail",
        "out_of_control": "yes" if "out_of_control" in verdicts else "no",
    }


def _unjudged(made: Mapping[str, str]) -> list[str]:
    if "result" not in made:
        return [
            say(
                "规则中没有该参数的漂移限值；请填写限值（% FS）及其出处，或结论及其出处",
                "the rules have no drift limit for it; write the limits (% FS) and their source, "
                "or the result and its source",
            )
        ]
    if not made.get("limit_source"):
        return [_sourceless()]
    return []


def _typed(facts: Mapping[str, str]) -> Shown:
    """A check without readings: what the person says, with its source."""
    if "result" not in facts:
        return Shown({})
    return Shown({}, () if facts.get("limit_source") else (_sourceless(),))


def _sourceless() -> str:
    return say(
        "手填的限值或结论须写明限值出处", "limits or a result typed by hand need their source"
    )
