"""
What the fields of a body mean: one Value per field of a factor, with unit and the logger's flag.

A number keeps its text. ``number`` is None where there is none to use: no number at all, or the
largest value of the type, which since 2025 says "cannot be calculated" of a converted value.
"""

import re
from dataclasses import dataclass

from drivers.hj212.factors import Factor, Suffix, find_factor, largest, suffixes

_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)", re.ASCII)
_SCIENTIFIC = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)[eE][+-]?\d{1,2}", re.ASCII)
_NINES = re.compile(r"(9+)(?:\.(9+))?")
_NUMBER_LETTERS = 24  # longer digits are no measurement


@dataclass(frozen=True, slots=True)
class Value:
    """One field of a factor: ``a21026-ZsAvg=12.30`` with the flag of its factor."""

    factor: str  # code as sent, a21026 or the old 02
    code: str  # today's code, a21026; as sent where unknown
    suffix: str  # Rtd, Avg, ZsAvg, Cou, Info …
    number: float | None
    text: str
    flag: str  # N F M S D C T B, "" where the logger sent none
    unit: str  # default unit of the standard, "" where none or unknown
    not_calculable: bool
    at: int  # byte in the frame


def make_value(factor: str, suffix: str, text: str, flag: str, at: int) -> Value:
    """A field of a body → Value; whether its text is in order is for ``body.py`` to say."""
    meaning, kind = find_factor(factor), suffixes().get(suffix)
    number = None if kind is None else read_number(text)
    stands_for_nothing = number is not None and is_not_calculable(meaning, suffix, text)
    return Value(
        factor=factor,
        code=factor if meaning is None or not meaning.code or factor[0] == "g" else meaning.code,
        suffix=suffix,
        number=None if stands_for_nothing else number,
        text=text,
        flag=flag,
        unit=_unit(meaning, kind),
        not_calculable=stands_for_nothing,
        at=at,
    )


def _unit(factor: Factor | None, suffix: Suffix | None) -> str:
    if factor is None or suffix is None:
        return ""
    if suffix.name == "Cou":
        return factor.total_unit
    return suffix.unit or (factor.unit if suffix.number or suffix.name == "Info" else "")


def read_number(text: str) -> float | None:
    """The number of a text; None for anything else (no nan, no inf, no 1_000)."""
    if len(text) > _NUMBER_LETTERS:
        return None
    if _NUMBER.fullmatch(text) or _SCIENTIFIC.fullmatch(text):
        return float(text)
    return None


def is_plain_number(text: str) -> bool:
    """As the standard writes one: digits, perhaps a point."""
    return len(text) <= _NUMBER_LETTERS and _NUMBER.fullmatch(text) is not None


def is_not_calculable(factor: Factor | None, suffix: str, text: str) -> bool:
    """
    Whether a converted value is the largest of its type (2025, 8.1.1 d: "such as 9999.99").

    The type table of 2025 was seen for nine factors only, so four nines before the point count too.
    """
    if not suffix.startswith("Zs"):
        return False
    nines = _NINES.fullmatch(text)
    if nines is None:
        return False
    before, after = len(nines[1]), len(nines[2] or "")
    if before >= 4:
        return True
    widths = () if factor is None else (factor.width, factor.width_2025)
    return before + after >= 3 and (before, after) in {largest(width) for width in widths}
