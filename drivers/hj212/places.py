"""Addresses of a point table: ``rtd:a21026``, ``min+hour+day:a21026-ZsAvg`` → field of a packet."""

import re
from dataclasses import dataclass

from drivers.hj212.factors import find_factor, suffixes
from drivers.language import say

KINDS = {"rtd": "2011", "state": "2021", "min": "2051", "hour": "2061", "day": "2031"}
SUMMED = frozenset({"2051", "2061", "2031"})
_FORM = re.compile(r"(?P<kinds>[a-z+]+):(?P<code>[A-Za-z0-9]{2,12})(?:-(?P<suffix>[A-Za-z0-9]+))?")
_SHORT = {"": "Rtd", "Zs": "ZsRtd"}


@dataclass(frozen=True, slots=True)
class Place:
    """A field of a factor in packets of some commands: ``2051``, ``2061`` …"""

    commands: frozenset[str]
    code: str
    suffix: str

    @property
    def summed(self) -> bool:
        """In minutes, hours or days; else in what holds for a moment."""
        return self.commands <= SUMMED

    @property
    def lowest(self) -> str:
        """The suffix of the lowest value beside this mean, "" where there is none."""
        return self._beside("Min")

    @property
    def highest(self) -> str:
        return self._beside("Max")

    def _beside(self, other: str) -> str:
        return self.suffix[:-3] + other if self.suffix in {"Avg", "ZsAvg"} else ""


def parse_place(text: str) -> Place:
    """ValueError says what to write instead."""
    found = _FORM.fullmatch(text)
    example = (
        "rtd:a21026、min+hour+day:a21026-ZsAvg"
        if say("zh", "en") == "zh"
        else ("rtd:a21026 or min+hour+day:a21026-ZsAvg")
    )
    if found is None:
        raise ValueError(say(f"{text!r}：请写成 {example}", f"{text!r}: write it like {example}"))
    kinds = found["kinds"].split("+")
    strange = [kind for kind in kinds if kind not in KINDS]
    if strange or len(set(kinds)) != len(kinds):
        known = ", ".join(KINDS)
        raise ValueError(
            say(
                f"{text!r}：冒号前只能写 {known}，用 + 连接，不可重复",
                f"{text!r}: before the colon write {known}, each once, with + between",
            )
        )
    commands = frozenset(KINDS[kind] for kind in kinds)
    if not (commands <= SUMMED or len(commands) == 1):
        raise ValueError(
            say(
                f"{text!r}：只有 min、hour、day 可以用 + 连接",
                f"{text!r}: only min, hour and day may stand together",
            )
        )
    return Place(commands, _code(found["code"]), _suffix(text, found["suffix"] or "", commands))


def _code(text: str) -> str:
    """Today's code where an old one was written: what is received is compared by today's."""
    factor = find_factor(text)
    return text if factor is None or not factor.code or text[0] == "g" else factor.code


def _suffix(text: str, suffix: str, commands: frozenset[str]) -> str:
    if commands == {"2021"}:
        suffix = suffix or "RS"
    elif commands <= SUMMED:
        suffix = suffix or "Avg"
    else:
        suffix = _SHORT.get(suffix, suffix)
    if suffix not in suffixes() or suffix == "Flag":
        known = ", ".join(name for name in suffixes() if name != "Flag")
        raise ValueError(
            say(
                f"{text!r}：没有后缀 {suffix}；可用 {known}",
                f"{text!r}: no suffix {suffix}; known: {known}",
            )
        )
    return suffix
