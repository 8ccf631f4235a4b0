"""
What the fields of a body mean: one Value per number, with factor, unit and the logger's flag.

A number keeps its text. ``number`` is None where there is none to use: no number at all, or the
largest value of the type, which since 2025 says "cannot be calculated" of a converted value.
"""

from dataclasses import dataclass


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
