"""
Second sources of the figures of a month: what else in the ledger should say the same.

Each source is a figure of its own: receipts, stores issue, stock balance, sales, invoices. What was
not entered is no source; the source a figure was itself taken from is not a second one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from reports.basis import Basis
from reports.entered import month_of
from reports.entries.ledger import Entry
from reports.model import Line
from reports.periods import Period
from reports.plan.words import text
from reports.site import PLANT, Potline
from reports.values import Text

_STOCK: Final = ("anode_stock_begin", "anode_received", "anode_stock_end")


@dataclass(frozen=True, slots=True)
class Source:
    """What another record says; ``amount`` in the unit of the figure."""

    label: Text
    amount: Decimal
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class _Books:
    """The entries of one place and month."""

    basis: Basis
    month: Period
    potline: Potline | None = None
    item: str = ""

    def sum(self, **signs: int) -> tuple[Decimal, tuple[Entry, ...]] | None:
        """Σ sign × entry over kinds; None when one of them was not entered."""
        total = Decimal(0)
        used: list[Entry] = []
        for kind, sign in signs.items():
            found = month_of(self.basis.ledger, kind, self.potline, self.month, self.item)
            if found.amount is None:
                return None
            total += sign * found.amount
            used += found.entries
        return total, tuple(used)

    def has(self, kind: str) -> bool:
        return self.sum(**{kind: 1}) is not None

    def source(self, zh: str, en: str, **signs: int) -> Iterator[Source]:
        found = self.sum(**signs)
        if found is not None:
            yield Source(text(zh, en), *found)


def second_sources(basis: Basis, line: Line, month: Period) -> tuple[Source, ...]:
    """Those of a line of the month, without the one it was taken from."""
    scope, _, name = line.id.partition("@")[0].partition(".")
    name, _, item = name.partition(".")
    potline = basis.site.line(scope)
    books = _Books(basis, month, potline, item)
    found: Sequence[Source] = ()
    if name == "aluminium" and scope == PLANT:
        found = (*_metal(books),)
    elif name == "anode_consumed" and potline is not None:
        found = (*_anode(books),)
    elif name in {"electricity_ac", "electricity_aux", "heat_process"} and potline is not None:
        found = (*books.source("人工录入值", "entered figure", **{name: 1}),)
    elif name == "electricity_purchased":
        found = (*books.source("电费结算单", "invoice", electricity_invoiced=1),)
    elif name == "heat_purchased":
        found = (*books.source("热力结算单", "invoice", heat_invoiced=1),)
    elif name == "fuel_consumed":
        found = (*_fuel(books),)
    own = {given.ref for given in line.inputs if given.kind == "entry"}
    return tuple(x for x in found if {str(entry.number) for entry in x.entries} - own)


def _metal(books: _Books) -> Iterator[Source]:
    """Liquid aluminium of all potlines: received, cast, sold. Direct sale counts where entered."""
    sold = {"liquid_sold": 1} if books.has("liquid_sold") else {}
    scrap = {"scrap_remelted": -1} if books.has("scrap_remelted") else {}
    received = {"aluminium_cast_received": 1, **sold}
    yield from books.source(
        "铸造车间接收量＋铝液外销量", "cast-house receipts + liquid sold", **received
    )
    cast = {"ingot_produced": 1, **sold, **scrap}
    yield from books.source(
        "铝锭产量＋铝液外销量－重熔废铝", "ingot produced + liquid sold - scrap", **cast
    )
    stock = {"ingot_sold": 1, "ingot_stock_end": 1, "ingot_stock_begin": -1, **sold, **scrap}
    yield from books.source(
        "销售量＋库存变化－重熔废铝", "sales + change of stock - scrap", **stock
    )


def _anode(books: _Books) -> Iterator[Source]:
    yield from books.source("阳极消耗台账", "entered consumption", anode_consumed=1)
    yield from books.source("仓库领用量", "issued by the store", anode_issued=1)
    begin, received, end = _STOCK
    yield from books.source(
        "期初库存＋入库－期末库存", "stock balance", **{begin: 1, received: 1, end: -1}
    )
    pieces, mass = books.sum(anode_changed=1), books.sum(anode_unit_mass=1)
    if pieces is not None and mass is not None:
        label = text("换极块数×单块质量", "anodes changed x mass of one")
        yield Source(label, pieces[0] * mass[0], (*pieces[1], *mass[1]))


def _fuel(books: _Books) -> Iterator[Source]:
    """By purchase and stock, and by invoice and stock; gas is not stored."""
    family = "gas" if books.has("gas_consumed") or books.has("gas_purchased") else "fuel"
    sold = {f"{family}_sold": -1} if books.has(f"{family}_sold") else {}
    stock = {} if family == "gas" else {"fuel_stock_begin": 1, "fuel_stock_end": -1}
    yield from books.source("消耗台账", "entered consumption", **{f"{family}_consumed": 1})
    yield from books.source(
        "购入量－外销量±库存变化",
        "purchased - sold, change of stock",
        **{f"{family}_purchased": 1, **sold, **stock},
    )
    yield from books.source(
        "结算量－外销量±库存变化",
        "invoiced - sold, change of stock",
        **{f"{family}_invoiced": 1, **sold, **stock},
    )
