"""Long series made short for a picture: means with lowest and highest, curves of duration."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from math import isfinite
from typing import Final

Value = Decimal | float | int | None
FIGURES: Final = 5  # significant figures that a picture can show


def figure(value: Value, figures: int = FIGURES) -> Decimal | None:
    """The value with so many significant figures; None for what is not there (NaN too)."""
    if value is None or (isinstance(value, float) and not isfinite(value)):
        return None
    exact = value if isinstance(value, Decimal) else Decimal(repr(value))
    if not exact.is_finite():
        return None
    if exact == 0:
        return Decimal(0)
    last = Decimal(1).scaleb(exact.adjusted() - figures + 1)
    short = exact.quantize(last, rounding=ROUND_HALF_UP)
    return short.quantize(Decimal(1)) if short == short.to_integral() else short.normalize()


def figures_of(values: Iterable[Value], figures: int = FIGURES) -> tuple[Decimal | None, ...]:
    """Each of them with so many significant figures."""
    return tuple(figure(value, figures) for value in values)


@dataclass(frozen=True, slots=True)
class Envelope:
    """Stretches of a series: where each begins, its mean, lowest and highest; None in a gap."""

    starts: tuple[int, ...]
    means: tuple[Decimal | None, ...]
    lows: tuple[Decimal | None, ...]
    highs: tuple[Decimal | None, ...]


def envelope(values: Sequence[Value], most: int, figures: int = FIGURES) -> Envelope:
    """
    At most ``most`` stretches of the same length; no peak is lost, it is the highest of one.

    A stretch without any value is a gap; one with some values is told by those.
    """
    length = max(1, -(-len(values) // max(most, 1)))
    starts = tuple(range(0, len(values), length))
    parts = [[x for v in values[s : s + length] if (x := _number(v)) is not None] for s in starts]
    return Envelope(
        starts,
        figures_of((sum(p) / len(p) if p else None for p in parts), figures),
        figures_of((min(p, default=None) for p in parts), figures),
        figures_of((max(p, default=None) for p in parts), figures),
    )


def exceeded(values: Iterable[Value], shares: Sequence[int]) -> tuple[Decimal | None, ...]:
    """
    The value that is reached or exceeded for each share (%) of the known time.

    0 gives the highest, 100 the lowest; between two samples it is read off the straight line.
    """
    known = sorted((x for v in values if (x := _number(v)) is not None), reverse=True)
    if not known:
        return (None,) * len(shares)
    found = []
    for share in shares:
        at = (len(known) - 1) * share / 100
        n = min(int(at), len(known) - 1)
        after = known[min(n + 1, len(known) - 1)]
        found.append(figure(known[n] + (after - known[n]) * (at - n)))
    return tuple(found)


def _number(value: Value) -> float | None:
    number = None if value is None else float(value)
    return number if number is not None and isfinite(number) else None
