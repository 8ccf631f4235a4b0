"""Factor codes: what ``a21026``, ``g12701``, ``i12001``, ``SB1`` or the old ``02`` stand for."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import TypedDict

from drivers.language import say

_FOREIGN = re.compile(r"[we]\d{5}|L(?:A|5|10|50|90|95|eq|dn|d|n|Mx|Mn)")  # water, noise: not ours
_KNOWN_MOST = 4096  # codes remembered; a hostile peer could send any number of them


@dataclass(frozen=True, slots=True)
class Factor:
    """A code; ``""`` where the standard gives nothing. Types are Nx.y: x digits, y decimals."""

    code: str
    zh: str
    en: str
    unit: str = ""  # of Rtd, Avg, Zs…
    total_unit: str = ""  # of Cou
    width: str = ""  # 2017
    width_2025: str = ""
    old: str = ""  # HJ/T 212-2005
    low: float | None = None  # usual range, ours: outside of it there is a remark
    high: float | None = None
    states: Mapping[int, tuple[str, str]] | None = None

    @property
    def name(self) -> str:
        return say(self.zh, self.en)


@dataclass(frozen=True, slots=True)
class Suffix:
    """What stands after the hyphen."""

    name: str
    zh: str
    en: str
    number: bool
    since: int
    unit: str


class _Entry(TypedDict, total=False):
    zh: str
    en: str
    unit: str
    total: str
    type: str
    type_2025: str
    old: str
    range: list[float]
    states: dict[str, list[str]]
    number: bool
    since: int


class _File(TypedDict):
    air: dict[str, _Entry]
    process: dict[str, _Entry]
    site: dict[str, _Entry]
    site_2025: dict[str, _Entry]
    patterns: dict[str, list[str]]
    states: dict[str, dict[str, list[str]]]
    suffixes: dict[str, _Entry]


@cache
def _file() -> _File:
    text = files("drivers.hj212").joinpath("factors.toml").read_text("utf-8")
    loaded: _File = tomllib.loads(text)  # type: ignore[assignment]
    return loaded


def _factor(code: str, entry: _Entry) -> Factor:
    low, high = entry.get("range", (None, None))
    states = entry.get("states")
    return Factor(
        code=code,
        zh=entry["zh"],
        en=entry["en"],
        unit=entry.get("unit", ""),
        total_unit=entry.get("total", ""),
        width=entry.get("type", ""),
        width_2025=entry.get("type_2025", ""),
        old=entry.get("old", ""),
        low=low,
        high=high,
        states=None if states is None else {int(k): (v[0], v[1]) for k, v in states.items()},
    )


@cache
def factors() -> dict[str, Factor]:
    """All codes without a running number, by code."""
    tables = _file()
    rooms = (tables["air"], tables["process"], tables["site"], tables["site_2025"])
    return {code: _factor(code, entry) for room in rooms for code, entry in room.items()}


@cache
def old_codes() -> dict[str, str]:
    """Codes of HJ/T 212-2005 (``02``, ``S01``) → today's."""
    return {factor.old: code for code, factor in factors().items() if factor.old}


@cache
def suffixes() -> dict[str, Suffix]:
    """Field suffixes by name."""
    return {
        name: Suffix(
            name,
            entry["zh"],
            entry["en"],
            entry["number"],
            entry.get("since", 2017),
            entry.get("unit", ""),
        )
        for name, entry in _file()["suffixes"].items()
    }


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], Factor], ...]:
    states = {int(k): (v[0], v[1]) for k, v in _file()["states"]["RS"].items()}
    return tuple(
        (
            re.compile(pattern),
            Factor(
                "", zh=zh, en=en, unit=unit, states=states if pattern.startswith("SB") else None
            ),
        )
        for pattern, (zh, en, unit) in _file()["patterns"].items()
    )


@lru_cache(maxsize=_KNOWN_MOST)
def find_factor(code: str) -> Factor | None:
    """What a code as sent means, old codes and unit numbers included; None: not known here."""
    known = factors()
    found = known.get(code) or known.get(old_codes().get(code, ""))
    if found is not None:
        return found
    if len(code) == 6 and code[0] == "g" and code[4:].isdigit():
        return known.get(code[:4]) or known.get(f"g1{code[2:4]}")
    for pattern, factor in _patterns():
        if pattern.fullmatch(code):
            return factor
    return known["i33400"] if code == "I33400" else None  # so printed in table B.10


def is_foreign(code: str) -> bool:
    """A code of water or noise: none of a stack's, read without name and unit."""
    return _FOREIGN.fullmatch(code) is not None


def largest(width: str) -> tuple[int, int] | None:
    """Digits before and after the point of a type: ``N4.2`` → (4, 2)."""
    found = re.fullmatch(r"N(\d+)(?:\.(\d+))?", width)
    return None if found is None else (int(found[1]), int(found[2] or 0))
