"""What the plant holds against what it must surrender, in tonnes and at a price the user gives."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

from reports.allowance.rules import PACK, T, head, subtract
from reports.assembly import Argument, Assembly, Head
from reports.basis import Basis
from reports.entries.ledger import Entry
from reports.formulas import FORMULAS
from reports.model import Doubt, How, Line, Section
from reports.rules.packs import Legal, RuleError
from reports.site import PLANT
from reports.values import Text

HOLDINGS: Final = {
    "allowance_held": Text(zh="结转及已持有配额量（可用年份）", en="Held before, usable vintages"),
    "allowance_bought": Text(zh="买入配额量（可用年份）", en="Bought, usable vintages"),
    "allowance_sold": Text(zh="卖出配额量（可用年份）", en="Sold, usable vintages"),
}
_SALE: Final = {
    "saleable": Text(zh="可出售盈余", en="Saleable surplus"),
    "shortfall": Text(zh="缺口（须补足）", en="Shortfall to be covered"),
}


@dataclass(frozen=True, slots=True)
class Vintage:
    """Allowances of one year as entered; ``usable`` for what is owed for the year reported."""

    entry: Entry
    usable: bool


def add_position(
    basis: Basis, assembly: Assembly, scopes: Sequence[str]
) -> tuple[tuple[Vintage, ...], tuple[Doubt, ...]]:
    """Lines of the plant: allowance, holdings, position, band, surplus and shortfall, money."""
    for name in ("allowance", "pre_allocation"):
        _sum(assembly, name, scopes)
    have = f"{PLANT}.allowance"
    if any(f"{scope}.allocated" in assembly.lines for scope in scopes):
        names = [f"{x}.allocated" for x in scopes]
        parts = [x if x in assembly.lines else x.replace("allocated", "allowance") for x in names]
        have = assembly.add_up(head(PLANT, "allocated"), parts).id
    _take_back(assembly, have)
    subtract(assembly, head(PLANT, "position"), have, f"{PLANT}.emission")
    for name in ("allowance_low", "allowance_high", "position_low", "position_high"):
        _band(assembly, name, scopes)
    vintages, doubts = _holdings(basis, assembly)
    net = _net(assembly)
    _sale(assembly, net)
    _money(basis, assembly)
    _offset(assembly)
    return vintages, doubts


def _sum(assembly: Assembly, name: str, scopes: Sequence[str]) -> None:
    parts = [f"{scope}.{name}" for scope in scopes]
    stated = [part for part in parts if assembly.lines[part].how is not How.NONE]
    if stated:
        assembly.add_up(head(PLANT, name), stated)
        return
    notes = dict.fromkeys(note for part in parts for note in assembly.lines[part].notes)
    assembly.state(head(PLANT, name), None, How.NONE, (), notes=tuple(notes))


def _take_back(assembly: Assembly, have: str) -> None:
    """Line ``plant.take_back``: issued ahead beyond what is due; none when it is not."""
    ahead = assembly.lines[f"{PLANT}.pre_allocation"].value
    due = assembly.lines[have].value
    if ahead is None or due is None or ahead <= due:
        return
    label = Text(zh="预分配多发、将被收回的配额", en="Issued ahead and to be taken back")
    given = [
        assembly.from_line("pre_allocation_t", f"{PLANT}.pre_allocation"),
        assembly.from_line("allowance_t", have),
    ]
    of = Head(PLANT, "take_back", Section.ALLOWANCE, label, T, 0)
    assembly.put(assembly.state(of, ahead - due, How.COMPUTED, given), equation="P − A")


def _band(assembly: Assembly, name: str, scopes: Sequence[str]) -> None:
    """Low and high ends added up; a process without a band stands with its one figure."""
    if not any(f"{scope}.{name}" in assembly.lines for scope in scopes):
        return
    point = name.rpartition("_")[0]
    parts = [
        f"{scope}.{name}" if f"{scope}.{name}" in assembly.lines else f"{scope}.{point}"
        for scope in scopes
    ]
    assembly.add_up(head(PLANT, name), parts)


def _holdings(basis: Basis, assembly: Assembly) -> tuple[tuple[Vintage, ...], tuple[Doubt, ...]]:
    """Allowances of other years on the account; those that may not be used do not count."""
    legal = _known(assembly, "vintage_first_usable")
    first = None if legal is None else int(legal.number)
    found, doubts = [], []
    for kind, label in HOLDINGS.items():
        entries = [
            entry
            for entry in basis.ledger.current().values()
            if entry.figure.kind.id == kind and entry.figure.period == basis.period
        ]
        vintages = [Vintage(x, first is None or int(x.figure.item) >= first) for x in entries]
        found += vintages
        usable = [assembly.entry(x.entry.figure.item, x.entry) for x in vintages if x.usable]
        of = Head(PLANT, kind.removeprefix("allowance_"), Section.ALLOWANCE, label, T, 0)
        if not usable:
            none = Text(zh="未录入，按没有计", en="none entered: none counted")
            assembly.state(of, None, How.NONE, (), notes=[none])
            continue
        law = [] if legal is None else [assembly.law("vintage_first_usable", legal)]
        total = sum((a.input.value or Decimal(0) for a in usable), Decimal(0))
        assembly.state(of, total, How.ENTERED, [*usable, *law])
    old = [x for x in found if not x.usable and x.entry.figure.kind.id != "allowance_sold"]
    for vintage in old:
        figure = vintage.entry.figure
        doubts.append(
            Doubt(
                line=f"{PLANT}.held",
                text=Text(
                    zh=f"{figure.item} 年配额 {figure.amount} t 不能用于 {basis.period} 年度清缴"
                    f"（{first} 年起的配额方可使用），未计入",
                    en=f"{figure.amount} t of vintage {figure.item} may not be surrendered for "
                    f"{basis.period} (usable from vintage {first}): not counted",
                ),
            )
        )
    return tuple(found), tuple(doubts)


def _known(assembly: Assembly, name: str) -> Legal | None:
    """A rule that may be missing for the year without stopping the report."""
    try:
        found = assembly.legal_or_absent(PACK, name)
    except RuleError:
        return None
    return found if isinstance(found, Legal) else None


def _net(assembly: Assembly) -> str:
    """Line ``plant.net_position`` when something is held besides; the line that counts."""
    stated = [
        line
        for kind in HOLDINGS
        if (line := assembly.lines[f"{PLANT}.{kind.removeprefix('allowance_')}"]).value is not None
    ]
    position = f"{PLANT}.position"
    if not stated:
        return position
    label = Text(
        zh="清缴后余缺（含结转和买卖）", en="Position after surrender, holdings and trade included"
    )
    arguments = [assembly.from_line("position", position)]
    arguments += [assembly.from_line(line.id, line.id) for line in stated]
    value = assembly.lines[position].value
    if value is not None:
        for line in stated:
            sign = -1 if line.id.endswith(".sold") else 1
            value += sign * (line.value or Decimal(0))
    missing = tuple(dict.fromkeys(text for a in arguments for text in a.missing))
    of = Head(PLANT, "net_position", Section.ALLOWANCE, label, T, 2)
    line = assembly.state(of, value, How.COMPUTED, arguments, missing=missing)
    assembly.put(line, equation="A − E + H + B − S")
    return line.id


def whole_surplus(position: Decimal) -> Decimal:
    """Whole tonnes that can be sold; 0 when something is short."""
    return max(Decimal(0), position.to_integral_value(ROUND_FLOOR))


def whole_shortfall(position: Decimal) -> Decimal:
    """Whole tonnes that must be brought; 0 when there is enough."""
    return max(Decimal(0), (-position).to_integral_value(ROUND_CEILING))


def _sale(assembly: Assembly, net: str) -> None:
    for name, whole, equation in (
        ("saleable", whole_surplus, "max(0, ⌊Δ⌋)"),
        ("shortfall", whole_shortfall, "max(0, ⌈−Δ⌉)"),
    ):
        given = assembly.from_line("position", net)
        value = None if given.input.value is None else whole(given.input.value)
        of = Head(PLANT, name, Section.ALLOWANCE, _SALE[name], T, 0)
        line = assembly.state(of, value, How.COMPUTED, [given], missing=given.missing)
        assembly.put(line, equation=equation)


def price(basis: Basis) -> Entry | None:
    """The newest price that was entered, whatever its month."""
    entries = [
        entry
        for entry in basis.ledger.current().values()
        if entry.figure.kind.id == "allowance_price"
    ]
    return max(entries, key=lambda entry: entry.figure.period, default=None)


def _money(basis: Basis, assembly: Assembly) -> None:
    """Surplus and shortfall at the price entered; without one there are only tonnes."""
    entry = price(basis)
    for name, label in _SALE.items():
        of = Head(
            PLANT,
            f"{name}_cny",
            Section.ALLOWANCE,
            Text(zh=f"{label.zh}金额", en=f"{label.en}, money"),
            "CNY",
            0,
        )
        if entry is None:
            none = Text(
                zh="未录入配额价格（allowance_price），只给吨数",
                en="no price entered (allowance_price): tonnes only",
            )
            assembly.state(of, None, How.NONE, (), notes=[none])
            continue
        line = assembly.from_line("position_t", f"{PLANT}.{name}")
        arguments = [line, assembly.entry("price_cny_per_t", entry)]
        assembly.compute(of, "allowance_value", arguments)


def _offset(assembly: Assembly) -> Line | None:
    """Most that certified reductions (CCER) may cover: information."""
    legal = _known(assembly, "offset_share")
    if legal is None:
        return None
    due = assembly.from_line("due_t", f"{PLANT}.emission")
    label = Text(zh="CCER 抵销量上限（参考）", en="Most that CCER may offset (information)")
    value = None
    if due.input.value is not None:
        value = (due.input.value * legal.fraction).to_integral_value(ROUND_FLOOR)
    arguments: list[Argument] = [due, assembly.law("share", legal, as_fraction=True)]
    line = assembly.state(
        Head(PLANT, "offset_max", Section.INFORMATION, label, T, 0),
        value,
        How.COMPUTED,
        arguments,
        missing=due.missing,
    )
    return assembly.put(line, equation="⌊E × s⌋")


def value_at(tonnes: Decimal, entry: Entry | None) -> Decimal | None:
    """CNY at the price entered; None without one."""
    if entry is None:
        return None
    return FORMULAS["allowance_value"](position_t=tonnes, price_cny_per_t=entry.figure.amount)[
        "value_cny"
    ]
