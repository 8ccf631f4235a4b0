"""Used again: water, solids (red mud and others), recycled metal; by meter or entry."""

from typing import Final

from reports.energy.bench import Bench, Wanted, head, stated, unstated
from reports.entries.kinds import KINDS
from reports.model import How
from reports.site import PLANT
from reports.values import Text

M3: Final = "m3"
L_FRESH: Final = Text(zh="新水量", en="Fresh water")
L_REUSED: Final = Text(zh="重复利用水量", en="Reused water")
L_WATER: Final = Text(zh="水重复利用率", en="Reuse of water")
L_RECYCLED: Final = Text(zh="再生铝投入量", en="Recycled metal")
L_RECYCLED_SHARE: Final = Text(zh="再生铝占比", en="Share of recycled metal")
SOLIDS: Final = ("solid_generated", "solid_used", "solid_stock_used")


def add_materials(bench: Bench) -> None:
    """Amounts of the piece."""
    water = bench.basis.site.water_meters
    for wanted in (
        Wanted("water_fresh", "water_fresh", L_FRESH, M3, water.fresh),
        Wanted("water_reused", "water_reused", L_REUSED, M3, water.reused),
        Wanted("recycled_metal", "recycled_metal", L_RECYCLED, "t"),
    ):
        stated(bench, wanted, None)
    for item in _items(bench):
        for kind in SOLIDS:
            _solid(bench, kind, item)


def _items(bench: Bench) -> list[str]:
    """Solids that were entered for the piece."""
    return sorted(
        {
            entry.figure.item
            for entry in bench.basis.ledger.current().values()
            if entry.figure.kind.id in SOLIDS and entry.figure.period == bench.period
        }
    )


def _solid(bench: Bench, kind: str, item: str) -> None:
    entry = bench.basis.ledger.current().get((kind, PLANT, bench.period, item))
    known = KINDS[kind]
    label = Text(zh=f"{item} {known.zh}", en=f"{item}: {known.en}")
    what = head(PLANT, f"{kind}.{item}", label, "t")
    if entry is None:
        unstated(bench.assembly, what)
        return
    inputs = [bench.assembly.entry(kind, entry)]
    bench.assembly.state(what, entry.figure.amount, How.ENTERED, inputs)


def add_ratios(bench: Bench) -> None:
    """Shares, from amounts that stand on the bench."""
    _ratio(
        bench,
        ("water_reuse", L_WATER, "water_reuse"),
        {"reused_m3": "water_reused", "fresh_m3": "water_fresh"},
    )
    _ratio(
        bench,
        ("recycled_metal_share", L_RECYCLED_SHARE, "recycled_share"),
        {"recycled_t": "recycled_metal", "primary_t": "aluminium"},
    )
    marker = f"{PLANT}.solid_generated."
    items = [i.removeprefix(marker) for i in bench.assembly.lines if i.startswith(marker)]
    for item in items:
        if "@" in item:
            continue
        label = Text(zh=f"{item}综合利用率", en=f"Use of {item}")
        given = {"used_t": f"solid_used.{item}", "generated_t": f"solid_generated.{item}"}
        stock = f"solid_stock_used.{item}"
        if bench.value(f"{PLANT}.{stock}") is not None:
            given["stock_used_t"] = stock
        _ratio(bench, (f"solids_{item}", label, "solid_utilisation"), given)


def _ratio(bench: Bench, of: tuple[str, Text, str], parts: dict[str, str]) -> None:
    """By formula, when all its parts are stated and not all of them are zero."""
    name, label, formula = of
    what = head(PLANT, name, label, "fraction")
    lines = [bench.line(f"{PLANT}.{part}") for part in parts.values()]
    if any(line is None or line.how is How.NONE for line in lines):
        unstated(bench.assembly, what)
    elif all(line is not None and line.value == 0 for line in lines):
        unstated(
            bench.assembly, what, Text(zh="均为 0：没有比率", en="all zero: there is no ratio")
        )
    else:
        arguments = [
            bench.assembly.from_line(given, f"{PLANT}.{part}") for given, part in parts.items()
        ]
        bench.assembly.compute(what, formula, arguments)
