"""
Goods, scrap and bought metal of a CBAM year: what was made, of what, with what it brought along.

Lines: ``plant.saleable``, ``plant.scrap.<kind>``, ``plant.scrap_per_t``, ``plant.pre_consumer``,
``plant.precursor.<name>`` and ``plant.cbam_precursors``, months with ``@``.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from reports.abroad.cbam_emission import cbam_head
from reports.abroad.rules import Bench
from reports.entered import entered
from reports.entries.ledger import Entry
from reports.model import How
from reports.periods import Period
from reports.site import PLANT
from reports.values import Text

UNWROUGHT: Final = "7601"  # CN heading
SALEABLE: Final = Text(zh="可销售产品产量（CN 7601）", en="Saleable goods (CN 7601)")
PRECURSORS: Final = Text(zh="前体隐含排放", en="Emission embedded in precursors")
SCRAP: Final = {
    "pre_consumer": Text(zh="消费前废铝投入量", en="Pre-consumer scrap"),
    "post_consumer": Text(zh="消费后废铝投入量", en="Post-consumer scrap"),
}
_PER_T: Final = Text(zh="吨产品废铝用量", en="Scrap per tonne of goods")
_SHARE: Final = Text(zh="其中消费前废铝占比", en="Pre-consumer share of scrap")


def add_goods(bench: Bench, months: Sequence[Period]) -> None:
    """Saleable goods by month and year; scrap and off-spec are not among them."""
    assembly = bench.assembly
    for month in months:
        made = [e for e in _of(bench, "product_saleable", month) if _is_unwrought(e)]
        arguments = [assembly.entry(entry.figure.item, entry) for entry in made]
        total = sum((entry.figure.amount for entry in made), Decimal(0)) if made else None
        why = [] if made else [_no_goods(month)]
        head = cbam_head(f"saleable@{month}", SALEABLE, "t")
        assembly.state(head, total, How.ENTERED, arguments, missing=why)
    parts = [f"{PLANT}.saleable@{month}" for month in months]
    assembly.add_up(cbam_head("saleable", SALEABLE, "t"), parts)


def by_code(bench: Bench, months: Sequence[Period]) -> dict[str, Decimal]:
    """Tonnes of the year by CN code, unwrought aluminium only."""
    found: dict[str, Decimal] = {}
    for month in months:
        for entry in _of(bench, "product_saleable", month):
            if _is_unwrought(entry):
                item = entry.figure.item
                found[item] = found.get(item, Decimal(0)) + entry.figure.amount
    return dict(sorted(found.items()))


def _is_unwrought(entry: Entry) -> bool:
    return entry.figure.item.startswith(UNWROUGHT)


def add_scrap(bench: Bench, months: Sequence[Period]) -> None:
    """Scrap per tonne and its pre-consumer share, reported beside; scrap brings no emission."""
    assembly = bench.assembly
    if not any(_of(bench, "scrap_consumed", month) for month in months):
        for name, label, unit in (("scrap_per_t", _PER_T, "t/t"), ("pre_consumer", _SHARE, "1")):
            assembly.state(cbam_head(name, label, unit), None, How.NONE, [], notes=[_NO_SCRAP])
        return
    for item, label in SCRAP.items():
        entries = [
            entry
            for month in months
            if (entry := entered(bench.basis.ledger, "scrap_consumed", PLANT, month, item))
        ]
        total = sum((entry.figure.amount for entry in entries), Decimal(0))
        arguments = [assembly.entry(str(entry.figure.period), entry) for entry in entries]
        silent = len(months) - len(entries)
        assembly.state(
            cbam_head(f"scrap.{item}", label, "t"),
            total,
            How.ENTERED,
            arguments,
            notes=[_silent(silent)] if silent else [],
        )
    given = [
        assembly.from_line("pre_consumer_t", f"{PLANT}.scrap.pre_consumer"),
        assembly.from_line("post_consumer_t", f"{PLANT}.scrap.post_consumer"),
        assembly.from_line("activity_t", f"{PLANT}.saleable"),
    ]
    assembly.compute(
        cbam_head("scrap_per_t", _PER_T, "t/t"), "scrap_share", given, key="scrap_t_per_t"
    )
    assembly.compute(
        cbam_head("pre_consumer", _SHARE, "t/t"), "scrap_share", given, key="pre_consumer_fraction"
    )


def add_precursors(bench: Bench, months: Sequence[Period]) -> None:
    """Bought metal times the emission embedded in it, month by month."""
    assembly = bench.assembly
    head = cbam_head("cbam_precursors", PRECURSORS)
    declared = bench.basis.site.abroad.precursors
    stated = {
        e.figure.item: None for month in months for e in _of(bench, "precursor_consumed", month)
    }
    items = list(dict.fromkeys([*(declared or ()), *sorted(stated)]))
    if not items and declared is None:
        assembly.state(head, None, How.MISSING, [], missing=[_NOT_DECLARED])
        return
    if not items:
        assembly.state(head, Decimal(0), How.ENTERED, [], notes=[_DECLARED_NONE])
        return
    parts = []
    for item in items:
        label = Text(zh=f"前体 {item} 隐含排放", en=f"Embedded in precursor {item}")
        used = [m for m in months if item in (declared or ()) or _mass(bench, item, m)]
        for month in used:
            _precursor(bench, item, label, month)
        ids = [f"{PLANT}.precursor.{item}@{month}" for month in used]
        parts.append(assembly.add_up(cbam_head(f"precursor.{item}", label), ids).id)
    assembly.add_up(head, parts)


def _mass(bench: Bench, item: str, month: Period) -> Entry | None:
    return entered(bench.basis.ledger, "precursor_consumed", PLANT, month, item)


def _precursor(bench: Bench, item: str, label: Text, month: Period) -> None:
    assembly, head = bench.assembly, cbam_head(f"precursor.{item}@{month}", label)
    mass = _mass(bench, item, month)
    see = entered(bench.basis.ledger, "precursor_see", PLANT, month, item)
    if mass is not None and see is not None:
        given = [assembly.entry("mass_t", mass), assembly.entry("see_t_per_t", see)]
        assembly.compute(head, "cbam_precursor", given)
        return
    lacks = "precursor_consumed" if mass is None else "precursor_see"
    why = Text(
        zh=f"{month} 前体 {item} 缺少 {lacks} 录入",
        en=f"{month}: no entry {lacks} for precursor {item}",
    )
    assembly.state(head, None, How.MISSING, [], missing=[why])


def _of(bench: Bench, kind: str, month: Period) -> list[Entry]:
    """Entries of a kind in the month, whatever their item, in order of item."""
    found = [
        entry
        for entry in bench.basis.ledger.current().values()
        if entry.figure.kind.id == kind and entry.figure.period == month
    ]
    return sorted(found, key=lambda entry: entry.figure.item)


def _no_goods(month: Period) -> Text:
    return Text(
        zh=f"缺少 {month} 的可销售产品产量（product_saleable，CN 7601 各编码）",
        en=f"no entry product_saleable of any CN 7601 code in {month}",
    )


def _silent(months: int) -> Text:
    return Text(
        zh=f"{months} 个月没有录入，合计不含这些月份",
        en=f"nothing entered for {months} months: not in the sum",
    )


_NO_SCRAP: Final = Text(zh="没有录入废铝投入量：未填报", en="no scrap was entered: not stated")
_NOT_DECLARED: Final = Text(
    zh="未录入前体（外购未锻轧铝），site.toml 也未声明；确无外购时请写 abroad.precursors = []",
    en="no precursor (bought unwrought aluminium) entered, none declared; if none was bought, "
    "write abroad.precursors = [] in site.toml",
)
_DECLARED_NONE: Final = Text(
    zh="site.toml 声明没有外购前体", en="site.toml declares that no precursor is bought"
)
