"""
What every formula demands of its numbers, and the constants of chemistry they share.

Formulas work in Decimal, so that a figure recomputed by hand is the same figure. A float is taken
as the decimal it prints as: 0.1518 is 0.1518, not the nearest binary fraction.
"""

from decimal import Decimal

Number = Decimal | float | int

CO2_PER_CARBON = Decimal(44) / Decimal(12)  # the ratio the guides print, not 44.009/12.011


class FormulaError(ValueError):
    """A formula was given a number it cannot mean; the text says which and what to write."""


def exact(name: str, value: Number) -> Decimal:
    """``value`` as Decimal, finite. Raises FormulaError."""
    if isinstance(value, bool) or not isinstance(value, Decimal | float | int):
        raise FormulaError(f"{name}: {value!r} is not a number")
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not number.is_finite():
        raise FormulaError(f"{name}: {value} is not a finite number; a missing value is no number")
    return number


def amount(name: str, value: Number) -> Decimal:
    """``value`` as Decimal, zero or more. Raises FormulaError."""
    number = exact(name, value)
    if number < 0:
        raise FormulaError(f"{name}: {value} is negative; write an amount of zero or more")
    return number


def positive(name: str, value: Number) -> Decimal:
    """``value`` as Decimal, more than zero. Raises FormulaError."""
    number = amount(name, value)
    if number == 0:
        raise FormulaError(f"{name}: must be more than zero, because it divides")
    return number


def fraction(name: str, value: Number) -> Decimal:
    """``value`` as Decimal from 0 to 1. Raises FormulaError (often a percent figure)."""
    number = amount(name, value)
    if number > 1:
        raise FormulaError(
            f"{name}: {value} is more than 1; write a fraction, e.g. 0.02 for 2 % (not 2)"
        )
    return number
