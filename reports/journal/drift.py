"""What a check shows: drift in % of full scale, judged by the limits of the packs. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from drivers.language import say
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


def drift_percent(reading: Decimal, reference: Decimal, full_scale: Decimal) -> Decimal:
    """Drift in % of full scale, signed: 100 · (reading - reference) / full scale."""
    return (reading - reference) / full_scale * 100


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
    failed: list[bool | None] = []
    lost: list[bool | None] = []
    for end in sorted(read, reverse=True):
        drift = _drift(facts, end)
        made[f"{end}_drift"] = f"{drift.quantize(_PLACES, ROUND_HALF_UP):f}"
        for name, found in ((f"{end}_limit", failed), (f"{end}_control", lost)):
            limit = _limit(name, facts, channel(pollutants[0]), packs, day, sources)
            if limit is not None:
                made[name] = f"{limit:f}"
            found.append(None if limit is None else abs(drift) > limit)
    made |= _result(facts, failed, lost)
    source = facts.get("limit_source", "")
    made["limit_source"] = "; ".join(dict.fromkeys([*sources, *([source] if source else [])]))
    return Shown(made, tuple(_unjudged(made)))


def _drift(facts: Mapping[str, str], end: str) -> Decimal:
    reference = Decimal(facts.get(f"{end}_reference", "0"))
    return drift_percent(Decimal(facts[f"{end}_before"]), reference, Decimal(facts["full_scale"]))


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


def _limit(  # noqa: PLR0913 - where a limit may come from
    name: str,
    facts: Mapping[str, str],
    group: str,
    packs: Mapping[str, RulePack],
    day: date,
    sources: list[str],
) -> Decimal | None:
    """From the packs, else typed by hand, else None; a pack's source is noted."""
    legal = rule(packs, f"{name.replace('_limit', '_drift')}_{group}", day)
    if legal is not None:
        sources.append(cited(legal))
        return legal.number
    return Decimal(facts[name]) if name in facts else None


def rule(packs: Mapping[str, RulePack], name: str, day: date) -> Legal | None:
    """A value of HJ 75, or None where the pack has none on that day."""
    try:
        return packs[PACK].at(name, day)
    except (KeyError, RuleError):
        return None


def cited(legal: Legal) -> str:
    """The rule by its id and how well it was confirmed."""
    return f"{legal.id} ({legal.confirmed.value})"


def _result(
    facts: Mapping[str, str], failed: list[bool | None], lost: list[bool | None]
) -> dict[str, str]:
    known = [x for x in failed if x is not None]
    made = {}
    if known:
        made["result"] = "fail" if any(known) else "pass"
    elif "result" in facts:
        made["result"] = facts["result"]
    control = [x for x in lost if x is not None]
    if control:
        made["out_of_control"] = "yes" if any(control) else "no"
    return made


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
