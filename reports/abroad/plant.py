"""
What rules abroad count for the whole plant: anode baking and soda ash; and the sums of each rule.

Lines: ``plant.pitch_co2.<rule>``, ``plant.packing_co2.<rule>``, ``plant.soda_ash_co2``;
``<line>.total.<rule>``, ``<line>.intensity.<rule>`` and the same of the plant.
"""

from collections.abc import Sequence
from typing import Final

from reports.abroad.rules import Bench, head
from reports.abroad.series import ALUMINIUM, GUIDE
from reports.assembly import Argument
from reports.entered import entered, month_of
from reports.model import How
from reports.site import PLANT, Potline
from reports.values import Text

BAKING: Final = {
    "green_anode": Text(zh="生阳极投料量", en="Green anodes set in"),
    "baked_anode": Text(zh="焙烧阳极产量", en="Baked anodes"),
    "waste_tar": Text(zh="回收焦油量", en="Waste tar collected"),
}
PACKING: Final = Text(zh="填充焦消耗量", en="Packing coke consumed")
SODA: Final = "sodium_carbonate"
_PITCH_CO2: Final = Text(zh="阳极焙烧沥青挥发分 CO2", en="CO2 of pitch burnt in anode baking")
_PACKING_CO2: Final = Text(zh="阳极焙烧填充焦 CO2", en="CO2 of packing coke burnt in baking")
_SODA_CO2: Final = Text(zh="纯碱（烟气净化等）CO2", en="CO2 of soda ash")
_TOTAL: Final = Text(zh="排放总量", en="Total emission")
_INTENSITY: Final = Text(zh="吨铝排放", en="Emission per tonne of aluminium")
_BUYS: Final = Text(
    zh="site.toml 声明不自产阳极，没有焙烧排放",
    en="site.toml declares that no anodes are baked here",
)
_NOT_DECLARED: Final = Text(
    zh="未录入焙烧数据，site.toml 也未声明是否自产阳极（bakes_anodes）：未填报，不计入合计",
    en="nothing entered on baking, and site.toml does not declare bakes_anodes: not stated, and "
    "not in the sum",
)


def add_plant_inputs(bench: Bench) -> None:
    """Masses of anode baking and CO2 of soda ash of the year, the same for every rule."""
    if _bakes(bench):
        for kind, label in BAKING.items():
            _year_of(bench, kind, label)
        if _any(bench, "packing_coke"):
            _year_of(bench, "packing_coke", PACKING)
    if _any(bench, "carbonate_consumed", SODA):
        _soda_ash(bench)


def _any(bench: Bench, kind: str, item: str = "") -> bool:
    ledger, months = bench.basis.ledger, bench.basis.period.months
    return any(entered(ledger, kind, PLANT, month, item) for month in months)


def _bakes(bench: Bench) -> bool:
    declared = bench.basis.site.abroad.bakes_anodes
    return any(_any(bench, kind) for kind in BAKING) if declared is None else declared


def _year_of(bench: Bench, kind: str, label: Text, item: str = "") -> None:
    """Each month as entered, and the year as their sum: ``plant.<kind>``."""
    name = f"{kind}.{item}" if item else kind
    months = bench.basis.period.months
    for month in months:
        figure = month_of(bench.basis.ledger, kind, None, month, item)
        bench.assembly.state(
            head(PLANT, f"{name}@{month}", label, "t"),
            figure.amount,
            How.ENTERED,
            figure.inputs(bench.assembly),
            missing=figure.missing,
        )
    parts = [f"{PLANT}.{name}@{month}" for month in months]
    bench.assembly.add_up(head(PLANT, name, label, "t"), parts)


def _soda_ash(bench: Bench) -> None:
    """By the factor and purity of the Chinese guide, month by month where purity was tested."""
    label = Text(zh="纯碱消耗量", en="Soda ash consumed")
    _year_of(bench, "carbonate_consumed", label, SODA)
    assembly, months = bench.assembly, bench.basis.period.months
    factor = assembly.legal(GUIDE, f"ef_{SODA}")
    for month in months:
        tested = entered(bench.basis.ledger, "carbonate_purity", PLANT, month, SODA)
        purity = (
            bench.law("purity_fraction", "carbonate_purity_default", GUIDE)
            if tested is None
            else assembly.entry("purity_fraction", tested)
        )
        arguments = [
            assembly.from_line("mass_t", f"{PLANT}.carbonate_consumed.{SODA}@{month}"),
            assembly.law("ef_t_per_t", factor),
            purity,
        ]
        at = head(PLANT, f"soda_ash_co2@{month}", _SODA_CO2, "tCO2")
        assembly.compute(at, "carbonate_co2", arguments)
    parts = [f"{PLANT}.soda_ash_co2@{month}" for month in months]
    assembly.add_up(head(PLANT, "soda_ash_co2", _SODA_CO2, "tCO2"), parts)


def add_baking(bench: Bench) -> None:
    """Pitch (eq. 4.22, F-7) and packing coke (eq. 4.23, F-8) of the year, by this rule."""
    rule, assembly = bench.rule, bench.assembly
    if not rule.baking:
        return
    pitch = head(PLANT, f"pitch_co2.{rule.key}", _PITCH_CO2, "tCO2")
    packing = head(PLANT, f"packing_co2.{rule.key}", _PACKING_CO2, "tCO2")
    if not _bakes(bench):
        declared = bench.basis.site.abroad.bakes_anodes is False
        for at in (pitch, packing):
            assembly.state(at, None, How.NONE, [], notes=[_BUYS if declared else _NOT_DECLARED])
        return
    baked = assembly.from_line("baked_anode_t", f"{PLANT}.baked_anode")
    green = assembly.from_line("green_anode_t", f"{PLANT}.green_anode")
    tar = assembly.from_line("waste_tar_t", f"{PLANT}.waste_tar")
    hydrogen = bench.law("hydrogen_fraction", "pitch_hydrogen", rule.anode_pack)
    assembly.compute(pitch, "pitch_co2", [green, hydrogen, baked, tar])
    quality = [
        bench.law(f"{name}_fraction", f"packing_{name}", rule.anode_pack)
        for name in ("sulphur", "ash")
    ]
    assembly.compute(packing, "packing_co2", [_packing(bench), baked, *quality])


def _packing(bench: Bench) -> Argument:
    """Packing coke per tonne of baked anode: the plant's own, else the rule's."""
    lines = bench.assembly.lines
    own = lines.get(f"{PLANT}.packing_coke")
    if own is None:
        return bench.law("packing_t_per_t", "packing_coke", bench.rule.anode_pack)
    baked = lines[f"{PLANT}.baked_anode"]
    value = own.value / baked.value if own.value is not None and baked.value else None
    label = Text(zh="吨焙烧阳极填充焦消耗", en="Packing coke per tonne of baked anode")
    inputs = [bench.assembly.from_line(name, lines[name].id) for name in (own.id, baked.id)]
    why = () if value is not None else tuple(text for each in inputs for text in each.missing)
    at = head(PLANT, "packing_rate", label, "t/t")
    made = bench.assembly.state(at, value, How.COMPUTED, inputs, missing=why)
    bench.assembly.put(made, equation="PCC = PC / BA")
    return bench.assembly.from_line("packing_t_per_t", at.id)


# --- sums


def add_total(bench: Bench, line: Potline, parts: Sequence[str], why: Sequence[Text]) -> None:
    """CO2 and PFC of one potline by the methods to be reported, and per tonne."""
    at = head(line.id, f"total.{bench.rule.key}", _named(bench, _TOTAL), "tCO2e")
    if why:
        bench.assembly.state(at, None, How.MISSING, [], missing=why)
    else:
        bench.assembly.add_up(at, parts)
    _per_tonne(bench, line.id)


def add_plant_total(bench: Bench, lines: Sequence[Potline]) -> None:
    """All potlines, and what the rule counts for the plant as a whole."""
    assembly, key = bench.assembly, bench.rule.key
    shared = [f"{PLANT}.pitch_co2.{key}", f"{PLANT}.packing_co2.{key}"]
    shared += [f"{PLANT}.soda_ash_co2"] if bench.rule.soda_ash else []
    counted = [
        name
        for name in shared
        if name in assembly.lines and assembly.lines[name].how is not How.NONE
    ]
    parts = [*(f"{line.id}.total.{key}" for line in lines), *counted]
    assembly.add_up(head(PLANT, f"total.{key}", _named(bench, _TOTAL), "tCO2e"), parts)
    _per_tonne(bench, PLANT)


def add_plant_metal(bench: Bench, lines: Sequence[Potline]) -> None:
    """Aluminium of all potlines of the year."""
    parts = [f"{line.id}.aluminium" for line in lines]
    bench.assembly.add_up(head(PLANT, "aluminium", ALUMINIUM, "t"), parts)


def _per_tonne(bench: Bench, scope: str) -> None:
    at = head(scope, f"intensity.{bench.rule.key}", _named(bench, _INTENSITY), "tCO2e/t")
    given = [
        bench.assembly.from_line("t_co2e", f"{scope}.total.{bench.rule.key}"),
        bench.assembly.from_line("aluminium_t", f"{scope}.aluminium"),
    ]
    bench.assembly.compute(at, "intensity", given)


def _named(bench: Bench, label: Text) -> Text:
    rule, gwp = bench.rule.name, bench.gwp.label
    return Text(zh=f"{label.zh}（{rule.zh}，GWP {gwp}）", en=f"{label.en} ({rule.en}, GWP {gwp})")
