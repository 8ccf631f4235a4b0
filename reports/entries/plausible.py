"""What cannot be: a figure outside the range of its kind, or more than the plant could make."""

from decimal import Decimal
from typing import Final

from drivers.language import say
from reports.entries.kinds import EntryKind, Place
from reports.entries.ledger import Figure
from reports.site import Site

LARGEST: Final = Decimal(10) ** 13  # no plant has that much of anything
_DECIMALS: Final = 20


def implausible(figure: Figure, site: Site) -> str:
    """What is wrong with the figure, and what to write; "" when nothing is."""
    return _outside(figure) or _too_much(figure, site)


def _outside(figure: Figure) -> str:
    kind, amount = figure.kind, figure.amount
    exponent = amount.as_tuple().exponent
    if abs(amount) >= LARGEST or (isinstance(exponent, int) and exponent < -_DECIMALS):
        return say(f"数值 {figure.value} 不可能", f"value {figure.value} is impossible")
    if kind.unit == "fraction" and amount > 1:
        return say(
            f"数值 {figure.value} {figure.unit} 超过 100 %；2 % 请填 0.02 fraction 或 2 %",
            f"value {figure.value} {figure.unit} is more than 100 %; 2 % is 0.02 fraction or 2 %",
        )
    if amount < kind.low or (kind.high is not None and amount > kind.high):
        return say(
            f"{kind.zh}不可能为 {figure.value} {figure.unit}；应在 {_range(kind)} 之间"
            f"{_hint(figure)}",
            f"{figure.value} {figure.unit} is impossible for {kind.id}; it lies in {_range(kind)}"
            f"{_hint(figure)}",
        )
    return ""


def _range(kind: EntryKind) -> str:
    high = "…" if kind.high is None else format(kind.high, "f")
    return f"{kind.low:f} – {high} {kind.unit}"


def _hint(figure: Figure) -> str:
    kind = figure.kind
    if kind.hint is not None:
        return say(f"；{kind.hint.zh}", f"; {kind.hint.en}")
    if kind.unit != "fraction":
        return ""
    meant = figure.amount * 100
    if figure.amount >= kind.low or meant < kind.low or meant > (kind.high or 1):
        return say("；2 % 请填 0.02 fraction 或 2 %", "; 2 % is 0.02 fraction or 2 %")
    given, percent = f"{figure.value} {figure.unit}", f"{_plain(meant * 100)} %"
    other = f"{_plain(meant)} fraction"
    also = "" if figure.unit == "fraction" else _plain(figure.amount)
    return say(
        (f"；{given} 即 {also}" if also else "") + f"；{percent} 请填 {percent} 或 {other}",
        (f"; {given} is {also}" if also else "") + f"; for {percent} write {percent} or {other}",
    )


def _plain(number: Decimal) -> str:
    return format(number.normalize(), "f")


def _too_much(figure: Figure, site: Site) -> str:
    """More than ``per_capacity`` for each tonne of capacity: written in another unit."""
    kind, period = figure.kind, figure.period
    if kind.per_capacity is None:
        return ""
    lines = [
        line
        for line in site.potline
        if (kind.place is Place.PLANT or line.id == figure.line)
        and line.runs_in(period.first, period.after)
    ]
    capacity = sum((line.capacity_t_per_year for line in lines), Decimal(0))
    days = Decimal(len(period.days))
    if not lines or figure.amount <= capacity * days / 365 * kind.per_capacity:
        return ""
    other = "kWh" if kind.unit == "MWh" else "kg"
    place = say("全厂", "the plant") if kind.place is Place.PLANT else figure.line
    return say(
        f"{place} 在 {period} 不可能有 {figure.value} {figure.unit}"
        f"（产能 {capacity} t/a）；是否以 {other} 填写？",
        f"value {figure.value} {figure.unit} is impossible for {place} in {period} "
        f"(capacity {capacity} t/a); was it written in {other}?",
    )
