"""
Warming potentials come in sets: CF4 and C2F6 of one assessment report, never one of each.

The sets are those of the pack ``gwp``; a plant changes one only with both of its halves.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Final

from drivers.language import say
from reports.rules.packs import RuleError, RulePack

Pair = tuple[Decimal, Decimal]
PACK: Final = "gwp"
GASES: Final = ("cf4", "c2f6")


def known_sets(packs: Mapping[str, RulePack], day: date) -> dict[str, Pair]:
    """CF4 and C2F6 of each assessment report on that day, as (CF4, C2F6), t CO2e per t."""
    pack = packs[PACK]
    names = [name.removeprefix("cf4_") for name in pack.parameters if name.startswith("cf4_")]
    pairs = {name: _pair(pack, [f"{gas}_{name}" for gas in GASES], day) for name in names}
    return {name: pair for name, pair in pairs.items() if pair is not None}


def not_a_set(packs: Mapping[str, RulePack], pair: Pair, day: date) -> str:
    """Why these two may not be used together; "" when they are a set."""
    sets = known_sets(packs, day)
    if pair in sets.values():
        return ""
    shown = ", ".join(f"{name} {cf4} / {c2f6}" for name, (cf4, c2f6) in sets.items())
    return say(
        f"CF4 {pair[0]} 与 C2F6 {pair[1]} 不属于同一套全球变暖潜势；不得混用。"
        f"成套取值（CF4 / C2F6）：{shown}",
        f"CF4 {pair[0]} and C2F6 {pair[1]} are no set of warming potentials, and sets are never "
        f"mixed; the sets (CF4 / C2F6): {shown}",
    )


def mixed(packs: Mapping[str, RulePack]) -> Iterator[str]:
    """Every day from which what was laid over the packs would mix two sets."""
    for pack in packs.values():
        names = [name for name in pack.parameters if name.startswith(("cf4_", "gwp_cf4"))]
        for one in names:
            other = one.replace("cf4", "c2f6")
            if {*pack.overlays} & {one, other}:
                yield from _mixed(packs, pack, [one, other])


def _mixed(packs: Mapping[str, RulePack], pack: RulePack, names: list[str]) -> Iterator[str]:
    stretches = [stretch for name in names for stretch in pack.stretches(name)]
    days = {s.legal.applies_from for s in stretches} | {s.until for s in stretches if s.until}
    for day in sorted(days):
        if pack.name == PACK:
            halves = [any(s.covers(day) for s in pack.overlays.get(n, ())) for n in names]
            whole, own = _pair(pack, names, day), _own(pack, names, day)
            fault = "" if all(halves) or whole == own else _half(names, day)
        else:
            pair = _pair(pack, names, day)
            fault = "" if pair is None else not_a_set(packs, pair, day)
        if fault:
            yield f"{pack.name}.{names[0]}, {names[1]} ({day}): {fault}"


def _half(names: list[str], day: date) -> str:
    return say(
        f"{day} 起只改了成套取值的一半；请将 {names[0]} 与 {names[1]} 一并录入",
        f"only one half of a set is changed from {day}; enter {names[0]} and {names[1]} together",
    )


def _pair(pack: RulePack, names: list[str], day: date) -> Pair | None:
    try:
        cf4, c2f6 = (pack.at(name, day).number for name in names)
    except RuleError:
        return None
    return cf4, c2f6


def _own(pack: RulePack, names: list[str], day: date) -> Pair | None:
    return _pair(replace(pack, overlays={}), names, day)
