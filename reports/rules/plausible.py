"""Whether a rule's value can be at all, or was written in another unit."""

from datetime import date
from decimal import Decimal
from typing import Final

from drivers.language import say
from reports.rules.units import UNIT_TEXT, RuleUnit

_SLIPS: Final = (1000, 100, 10_000, 1_000_000)  # k, %, 10^4 (万), M: the likely one first
_BY_HUNDRED: Final = {RuleUnit.PERCENT, RuleUnit.GJ_PER_10K_NM3}  # from kJ/m3 it is a hundred


def outside(
    value: Decimal | date | str, unit: str, low: Decimal, high: Decimal, *, or_zero: bool = False
) -> str:
    """
    Why the value cannot be meant, and what was perhaps meant; "" when it can.

    ``low`` and ``high`` belong to it, in ``unit``; ``or_zero``: so does nothing at all.
    """
    if not isinstance(value, Decimal) or low <= value <= high or (or_zero and value == 0):
        return ""
    zh, en = UNIT_TEXT[unit].zh, UNIT_TEXT[unit].en
    span = f"{low:f} – {high:f}"
    told = say(
        f"{value:f} {zh} 不可能".replace("  ", " ") + f"；应在 {span} {zh}".rstrip() + " 之间",
        f"{value:f} {en}".rstrip() + f" cannot be; it lies in {span} {en}".rstrip(),
    )
    if unit == RuleUnit.PERCENT and value < low <= value * 100 <= high:
        percent = _plain(value * 100)
        return told + say(
            f"（{value:f} % 是 {_plain(value / 100)}；{percent} % 请填 {percent}）",
            f" ({value:f} % is {_plain(value / 100)}; for {percent} % write {percent})",
        )
    slips = (100, *_SLIPS) if unit in _BY_HUNDRED else _SLIPS
    meant = [n for s in slips for n in (value * s, value / s) if low <= n <= high]
    if not meant:
        return told
    other = _plain(meant[0])
    return told + say(
        f"（单位不同？是否应为 {other}）", f" (another unit? perhaps {other} is meant)"
    )


def misrange(low: object, high: object) -> str:
    """What is wrong with a range itself; "" when nothing is, or there is none."""
    if low is None and high is None:
        return ""
    if isinstance(low, Decimal) and isinstance(high, Decimal) and 0 <= low < high:
        return ""
    return say(
        "low 与 high 须同时给出，且 0 ≤ low < high",
        "give low and high together, 0 <= low < high",
    )


def _plain(number: Decimal) -> str:
    return format(number.normalize(), "f")
