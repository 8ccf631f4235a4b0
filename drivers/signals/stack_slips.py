"""Slips of unit in what a person writes of a stack: a fraction for a percentage, kPa for Pa."""

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from drivers.language import say


@dataclass(frozen=True, slots=True)
class _Range:
    """Low and high are our own bounds of what a stack can have; both are allowed, and so is 0."""

    low: float
    high: float
    zero: bool  # 0 can be meant
    unit: tuple[str, str]
    write: tuple[str, str]


_PERCENT: Final = "%"
_OF: Final = {
    "reference_o2": _Range(
        1, 20.9, True, (_PERCENT,) * 2, ("15 % 写 15，不写 0.15", "for 15 % write 15, not 0.15")
    ),
    "initial_o2": _Range(
        1, 100, False, (_PERCENT,) * 2, ("空气写 21，不写 0.21", "for air write 21, not 0.21")
    ),
    "moisture_percent": _Range(
        0.5, 59.9, True, (_PERCENT,) * 2, ("8 % 写 8，不写 0.08", "for 8 % write 8, not 0.08")
    ),
    "area_m2": _Range(
        0.05,
        500,
        False,
        ("m²", "m²"),
        (
            "以平方米写断面面积：直径 4 m 的圆形烟道写 12.57",
            "write the section in square metres: 12.57 for a duct of 4 m across",
        ),
    ),
    "velocity_coefficient": _Range(
        0.5,
        2,
        False,
        ("（无量纲）", "(a plain number)"),
        ("105 % 写 1.05，不写 105", "for 105 % write 1.05, not 105"),
    ),
    "ambient_pa": _Range(
        50_000,
        110_000,
        False,
        ("Pa", "Pa"),
        (
            "101.325 kPa（1013.25 hPa）写 101325",
            "for 101.325 kPa (1013.25 hPa) write 101325",
        ),
    ),
    "static_pa": _Range(
        1,
        20_000,
        True,
        ("Pa，相对大气压", "Pa against the air outside"),
        ("-0.5 kPa 写 -500", "for -0.5 kPa write -500"),
    ),
}
SLIPS: Final = tuple(_OF)  # keys of [[stacks]] that are looked at


def refuse_slip(key: str, value: object) -> None:
    """
    Raises ValueError for a number that no stack has, with the way to write what was meant.

    ``static_pa`` is judged by its size, whichever sign it has.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return  # told as a wrong type
    known, number = _OF[key], float(value)
    size = abs(number) if key == "static_pa" else number
    if (known.zero and number == 0) or known.low <= size <= known.high:
        return
    if not math.isfinite(number):
        return
    raise ValueError(
        say(
            f"{value} 不合理：{key} 的单位是 {known.unit[0]}，应在 {known.low:g} 至 {known.high:g} "
            f"之间；{known.write[0]}",
            f"{value} cannot be meant: {key} is in {known.unit[1]}, from {known.low:g} to "
            f"{known.high:g}; {known.write[1]}",
        )
    )
