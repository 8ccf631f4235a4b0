"""Stock carried over a month: what a month begins with is what the one before ended with."""

from collections.abc import Iterator, Sequence

from reports.entered import entered
from reports.entries.ledger import Ledger
from reports.model import Doubt
from reports.periods import Period
from reports.site import PLANT, Potline
from reports.values import Text


def stock_doubts(
    ledger: Ledger, month: Period, potlines: Sequence[Potline], fuels: Sequence[str]
) -> tuple[Doubt, ...]:
    """Stocks at the begin that differ from those at the end of the month before."""
    found: list[Doubt] = []
    for line in potlines:
        found += _carried(ledger, month, "anode", line.id, "", f"{line.id}.anode_consumed")
    for fuel in fuels:
        found += _carried(ledger, month, "fuel", PLANT, fuel, f"{PLANT}.fuel_consumed.{fuel}")
    return tuple(found)


def _carried(
    ledger: Ledger, month: Period, family: str, place: str, item: str, figure: str
) -> Iterator[Doubt]:
    before = entered(ledger, f"{family}_stock_end", place, month.previous, item)
    begin = entered(ledger, f"{family}_stock_begin", place, month, item)
    if before is None or begin is None or before.figure.amount == begin.figure.amount:
        return
    was, now = before.figure.amount, begin.figure.amount
    yield Doubt(
        line=figure,
        text=Text(
            zh=f"期初库存 {now} t 与上月期末库存 {was} t 不一致"
            f"（第 {begin.number} 条、第 {before.number} 条）",
            en=f"stock at begin {now} t is not what the month before ended with, {was} t "
            f"(entries {begin.number} and {before.number})",
        ),
    )
