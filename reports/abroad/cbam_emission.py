"""
Direct emission of the year that CBAM attributes to unwrought aluminium, part by part.

Lines: ``plant.cbam_electrodes``, ``plant.fuel_co2``, ``plant.carbonate_co2``, ``plant.cbam_pfc``
and their sum ``plant.cbam_attributed``; below them the EU lines of each potline, and fuels and
carbonates by month as the enterprise level counts them.
"""

from collections.abc import Sequence
from typing import Final

from reports.abroad.co2 import add_co2
from reports.abroad.international_chapters import Found
from reports.abroad.pfc import Result, add_pfc
from reports.abroad.rules import Bench, months_of
from reports.abroad.series import add_series
from reports.assembly import Assembly, Head
from reports.basis import Basis
from reports.carbon.enterprise import add_combustion
from reports.carbon.process import Bench as MonthBench
from reports.model import Doubt, How, Section
from reports.periods import Period
from reports.site import PLANT, Potline
from reports.values import Text

PARTS: Final = {
    "cbam_electrodes": Text(zh="电极（阳极）CO2", en="CO2 of electrodes"),
    "fuel_co2": Text(zh="燃料燃烧 CO2（含铸造）", en="CO2 of all fuels, casting included"),
    "carbonate_co2": Text(zh="烟气净化碳酸盐 CO2", en="CO2 of carbonates, flue-gas treatment"),
    "cbam_pfc": Text(zh="阳极效应 PFC", en="PFC of anode effects"),
}
ATTRIBUTED: Final = Text(zh="归属的直接排放", en="Attributed direct emission")


def cbam_head(name: str, label: Text, unit: str = "tCO2e") -> Head:
    """A figure of the plant; tonnes with two decimals, ratios with four."""
    return Head(PLANT, name, Section.CBAM, label, unit, 4 if "/" in unit else 2)


def add_emission(bench: Bench, lines: Sequence[Potline]) -> tuple[list[Found], list[Doubt]]:
    """All parts and their sum; what was found for each potline, and doubts about fuels."""
    assembly, found = bench.assembly, []
    for line in lines:
        add_series(bench.basis, assembly, bench.flags, line)
        found.append(_potline(bench, line))
    doubts = [doubt for month in _months(bench.basis, lines) for doubt in _month(bench, month)]
    for name, results in (
        ("cbam_electrodes", [each.co2 for each in found]),
        ("cbam_pfc", [each.pfc for each in found]),
    ):
        _add_up(assembly, name, results)
    for name in ("fuel_co2", "carbonate_co2"):
        _year(bench, name, _months(bench.basis, lines))
    head = cbam_head("cbam_attributed", ATTRIBUTED)
    assembly.add_up(head, [f"{PLANT}.{name}" for name in PARTS])
    return found, doubts


def _potline(bench: Bench, line: Potline) -> Found:
    co2, pfc = add_co2(bench, line), add_pfc(bench, line)
    chosen = [next((each.line for each in results if each.line), "") for results in (co2, pfc)]
    return Found(bench, line, tuple(co2), tuple(pfc), frozenset(filter(None, chosen)))


def _add_up(assembly: Assembly, name: str, potlines: Sequence[Sequence[Result]]) -> None:
    """The first method that applies of each potline; a potline without any makes it missing."""
    chosen, why = [], []
    for results in potlines:
        line = next((each.line for each in results if each.line), "")
        if line:
            chosen.append(line)
        else:
            why += [each.why_not for each in results if each.why_not is not None]
            why += [] if results else [_NO_CELL]
    head = cbam_head(name, PARTS[name])
    if why:
        assembly.state(head, None, How.MISSING, [], missing=why)
    else:
        assembly.add_up(head, chosen)


def _months(basis: Basis, lines: Sequence[Potline]) -> list[Period]:
    """Months in which any potline ran; in a trial, up to the last one entered."""
    return sorted({month for line in lines for month in months_of(basis, line)})


def _month(bench: Bench, month: Period) -> tuple[Doubt, ...]:
    """Fuels and carbonates of a month, laid on the year's bench under ids of their own."""
    basis, assembly = bench.basis, bench.assembly
    made = Assembly(month, basis.packs)
    doubts = add_combustion(MonthBench(basis.site, month, basis.ledger, basis.series, made))
    for line in made.lines.values():
        inputs = tuple(
            given.model_copy(update={"ref": f"{given.ref}@{month}"})
            if given.kind == "line"
            else given
            for given in line.inputs
        )
        identity = f"{line.id}@{month}"
        assembly.lines[identity] = line.model_copy(update={"id": identity, "inputs": inputs})
    assembly.legals |= made.legals
    assembly.entries |= made.entries
    assembly.absent |= made.absent
    return tuple(Doubt(line=f"{doubt.line}@{month}", text=doubt.text) for doubt in doubts)


def _year(bench: Bench, name: str, months: Sequence[Period]) -> None:
    """The months of fuels or carbonates added up; a month that nobody stated is missing."""
    assembly, head = bench.assembly, cbam_head(name, PARTS[name])
    ids = [f"{PLANT}.{name}@{month}" for month in months]
    silent = [month for month, key in zip(months, ids, strict=True) if _unstated(assembly, key)]
    if silent:
        assembly.state(head, None, How.MISSING, [], missing=[_not_stated(name, silent)])
    else:
        assembly.add_up(head, ids)


def _unstated(assembly: Assembly, identity: str) -> bool:
    return assembly.lines[identity].how is How.NONE


def _not_stated(name: str, months: Sequence[Period]) -> Text:
    kind, zh, en = (
        ("fuels", "燃料", "fuels") if name == "fuel_co2" else ("carbonates", "碳酸盐", "carbonates")
    )
    return Text(
        zh=f"{months[0]} 等 {len(months)} 个月未录入{zh}；"
        f"确无使用时请在 site.toml 写明 {kind} = []",
        en=f"no {en} entered for {len(months)} months from {months[0]}; if none are used, write "
        f"{kind} = [] in site.toml",
    )


_NO_CELL: Final = Text(
    zh="site.toml 未写明该系列的槽型（cell）",
    en="site.toml does not say which technology (cell) the potline is",
)
