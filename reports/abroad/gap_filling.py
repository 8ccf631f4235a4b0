"""What rules abroad put in the place of a month that was not measured; pure, by method name."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from reports.rules.packs import RuleError
from reports.values import Text

Known = Sequence[Decimal | None]  # by month, in order; None = not measured
MEAN_OF_TWO_AFTER: Final = "mean_of_two_after"
WORST_MONTH: Final = "conservative_estimate"
NONE: Final = "none"
METHODS: Final = (MEAN_OF_TWO_AFTER, WORST_MONTH, NONE)


@dataclass(frozen=True, slots=True)
class Filled:
    """A substitute and the places of the values it was made from; or why there is none."""

    value: Decimal | None
    made_from: tuple[int, ...] = ()
    why_not: Text | None = None


def fill(method: str, known: Known, at: int, *, upward: bool) -> Filled:
    """
    The substitute of the month ``at`` by the method that a rule names.

    ``upward``: a higher value means more emission. Raises RuleError for a method not built.
    """
    if method == MEAN_OF_TWO_AFTER:
        return two_after(known, at)
    if method == WORST_MONTH:
        return worst_month(known, upward=upward)
    if method == NONE:
        return Filled(None, why_not=_NO_METHOD)
    raise RuleError(f"missing data: {method!r} is not built; known: {METHODS}")


def two_after(known: Known, at: int) -> Filled:
    """
    Mean of the two most recent values after the gap (40 CFR 98.65(b)).

    ``known`` may go on beyond the year, since the values after a gap at its end lie in the next.
    """
    after = [value for value in known[at + 1 :] if value is not None]
    if len(after) < 2:
        return Filled(
            None,
            why_not=Text(
                zh="该规则以缺口之后最近两个实测值的平均数替代；"
                f"缺口之后目前只有 {len(after)} 个实测值",
                en="the rule takes the mean of the two most recent values after the gap; "
                f"{len(after)} measured after it so far",
            ),
        )
    places = [n for n in range(at + 1, len(known)) if known[n] is not None]
    return Filled((after[0] + after[1]) / 2, tuple(places[:2]))


def worst_month(known: Known, *, upward: bool) -> Filled:
    """
    Conservative estimate: the month measured that gives the most emission.

    That is the highest, or the lowest where more means less emission (``upward`` false).
    """
    measured = {n: value for n, value in enumerate(known) if value is not None}
    if not measured:
        return Filled(None, why_not=_NOTHING)
    choose = max if upward else min
    worst = choose(measured, key=lambda n: measured[n])
    return Filled(measured[worst], (worst,))


_NO_METHOD: Final = Text(
    zh="该规则未给出可采用的替代方法", en="the rule gives no substitution that could be used"
)
_NOTHING: Final = Text(
    zh="全年没有任何实测月份，无法作保守估计",
    en="no month was measured, so there is nothing to estimate conservatively from",
)
