"""Showing numbers to people."""

from decimal import ROUND_HALF_UP, Decimal


def rounded(value: Decimal, decimals: int) -> Decimal:
    """``value`` rounded half up (away from zero), with exactly that many decimals."""
    return value.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)


def number_text(value: Decimal | None, decimals: int) -> str:
    """``12,345.60``; a missing value is a dash, never 0."""
    return "—" if value is None else f"{rounded(value, decimals):,f}"


def short_text(value: Decimal) -> str:
    """A number without needless zeros: 0.0200 is 0.02, 6630 stays 6630."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
