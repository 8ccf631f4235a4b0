"""Odd values: remarks only, by limits of our own; nothing is changed and nothing is refused."""

from drivers.hj212.defects import Defects
from drivers.hj212.factors import find_factor
from drivers.hj212.values import Value

_TOTAL_APART = 0.05  # total against mean × time
_ZERO = 1e-9


def look_at(values: tuple[Value, ...], period_s: int, defects: Defects) -> None:
    """Notes what somebody should look at; ``period_s``: what the values stand for, 0 a moment."""
    of_factor: dict[str, dict[str, Value]] = {}
    for value in values:
        of_factor.setdefault(value.factor, {})[value.suffix] = value
        if value.not_calculable:
            name = f"{value.factor}-{value.suffix}={value.text}"
            defects.add("not_calculable", value.at, text=name)
        elif value.number is not None:
            _range(value, value.number, defects)
    for factor, fields in of_factor.items():
        _order(factor, fields, defects)
        if period_s >= 3600 and fields.keys() >= {"Cou", "Avg"} and fields["Avg"].unit == "m3/s":
            _total(factor, fields, period_s, defects)


def _range(value: Value, number: float, defects: Defects) -> None:
    factor = find_factor(value.factor)
    if factor is None or factor.low is None or factor.high is None or value.suffix == "Cou":
        return
    if factor.low <= number <= factor.high or not value.unit:
        return
    text = f"{value.factor}-{value.suffix}={value.text}"
    if factor.unit == "kPa" and abs(number) > factor.high:
        defects.add("pressure_pa", value.at, text=text)
    elif factor.unit == "m3/s" and number > factor.high:
        defects.add("flow_m3_h", value.at, text=text)
    else:
        low, high = f"{factor.low:g}", f"{factor.high:g}"
        defects.add("implausible", value.at, text=text, low=low, high=high, unit=factor.unit)


def _order(factor: str, fields: dict[str, Value], defects: Defects) -> None:
    for prefix in ("", "Zs"):
        trio = [fields.get(prefix + name) for name in ("Min", "Avg", "Max")]
        numbers = [each.number for each in trio if each is not None and each.number is not None]
        if numbers != sorted(numbers):
            at = next(each.at for each in trio if each is not None)
            defects.add("min_avg_max", at, factor=factor)


def _total(factor: str, fields: dict[str, Value], period_s: int, defects: Defects) -> None:
    total, mean = fields["Cou"].number, fields["Avg"].number
    if total is None or mean is None or mean < _ZERO:
        return
    apart = total / (mean * period_s) - 1
    if abs(apart) > _TOTAL_APART:
        percent = f"{100 * apart:+.0f}"
        defects.add("total_differs", fields["Cou"].at, factor=factor, percent=percent)
