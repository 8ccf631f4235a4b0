"""kWh per tonne by the meter tree, and all energies together as standard coal."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from reports.assembly import Argument, Head
from reports.energy.bench import Bench, Wanted, head, stated, unstated
from reports.entered import month_of
from reports.model import How, Input, Line
from reports.rules.packs import Legal, RuleError
from reports.site import PLANT
from reports.values import Text

LEVELS: Final = "cn_energy_levels"
COAL: Final = "cn_energy_conversion"
ZERO: Final = Decimal(0)
PER_T: Final = "kWh/t"
LABELS: Final = {
    "dc_specific": Text(zh="铝液直流电耗", en="DC electricity per t"),
    "ac_specific": Text(
        zh="铝液整流交流电耗（未扣除）", en="Rectifier AC electricity per t, nothing left out"
    ),
    "liquid_ac": Text(zh="铝液交流电耗", en="Liquid AC electricity per t"),
    "liquid_comprehensive_ac": Text(
        zh="铝液综合交流电耗", en="Liquid comprehensive AC electricity per t"
    ),
    "liquid_comprehensive_ac_without_fgd": Text(
        zh="铝液综合交流电耗（不含脱硫）", en="The same without desulphurisation"
    ),
    "ingot_comprehensive_ac": Text(
        zh="铝锭综合交流电耗", en="Ingot comprehensive AC electricity per t"
    ),
    "comprehensive_energy": Text(zh="综合能源消费量（当量值）", en="Energy of all kinds"),
    "ingot_comprehensive_energy": Text(zh="铝锭综合单耗（当量值）", en="Energy per t of ingot"),
}
NO_METAL: Final = Text(zh="本期未产铝，电耗无意义", en="no metal was made: no figure per tonne")
_INSIDE: Final = Text(
    zh="脱硫用电未单独计量：视为已含在辅助用电内，不作扣除（偏保守）",
    en="desulphurisation has no meter of its own: taken as inside the auxiliaries, not subtracted",
)
_NO_AUX: Final = Text(
    zh="辅助用电未计量也未录入：综合电耗无法给出",
    en="auxiliaries have neither meter nor entry: no comprehensive figure",
)
EXCLUDED: Final = {
    "none": (),
    "start": ("start",),
    "short": ("short",),
    "start_and_short": ("start", "short"),
}
HEAT: Final = "heat_purchased"
L_HEAT: Final = Text(zh="净购入热量", en="Net purchased heat")
_BASIS: Final = Text(
    zh="折标口径：当量值（电力 0.1229 kgce/kWh 一档），系数见法规参数",
    en="basis: equivalent value; the factors stand among the legal values",
)
# what burns, and in how many units of the coal equivalent one unit of the entry is
FUELS: Final = {
    "coke": ("coke", 1000),
    "crude_oil": ("crude_oil", 1000),
    "fuel_oil": ("fuel_oil", 1000),
    "petrol": ("petrol", 1000),
    "kerosene": ("kerosene", 1000),
    "diesel": ("diesel", 1000),
    "lpg": ("lpg", 1000),
    "natural_gas": ("natural_gas", 10_000),
}


def made_metal(bench: Bench, scope: str) -> bool:
    """False when the scope is known to have made none."""
    return bench.value(f"{scope}.aluminium") != 0


def add_specific(bench: Bench, scope: str) -> None:
    """Every figure per tonne of liquid aluminium of a potline or the plant."""
    metal = bench.assembly.from_line("aluminium_t", f"{scope}.aluminium")
    for name, energy in (("dc_specific", "dc"), ("ac_specific", "rectifier")):
        what = head(scope, name, LABELS[name], PER_T)
        line = bench.line(f"{scope}.electricity_{energy}")
        if line is None or line.how is How.NONE:
            unstated(bench.assembly, what)
        elif not made_metal(bench, scope):
            unstated(bench.assembly, what, NO_METAL)
        else:
            taken = bench.assembly.from_line("energy_mwh", line.id)
            bench.assembly.compute(what, "specific_energy", [taken, metal])
    _liquid(bench, scope, metal)


def _liquid(bench: Bench, scope: str, metal: Argument) -> None:
    names = ("liquid_ac", "liquid_comprehensive_ac", "liquid_comprehensive_ac_without_fgd")
    heads = [head(scope, name, LABELS[name], PER_T) for name in names]
    if not made_metal(bench, scope):
        for what in heads:
            unstated(bench.assembly, what, NO_METAL)
        return
    rectifier = bench.assembly.from_line("rectifier_mwh", f"{scope}.electricity_rectifier")
    left, notes = _exclusions(bench, scope, "liquid_ac_exclusions")
    bench.assembly.compute(heads[0], "liquid_ac", [rectifier, metal, *left], notes=notes)
    auxiliary = bench.line(f"{scope}.electricity_aux")
    if auxiliary is None or auxiliary.how is How.NONE:
        for what in heads[1:]:
            unstated(bench.assembly, what, _NO_AUX)
        return
    left, notes = _exclusions(bench, scope, "liquid_comprehensive_ac_exclusions")
    aux = bench.assembly.from_line("auxiliary_mwh", auxiliary.id)
    taken = [rectifier, aux, metal, *left]
    fgd = bench.line(f"{scope}.electricity_fgd")
    cleaned: list[Argument] = []
    if fgd is None or fgd.how is How.NONE:
        notes = [*notes, _INSIDE]
    else:
        cleaned = [bench.assembly.from_line("desulphurisation_mwh", fgd.id)]
    formula = "liquid_comprehensive_ac"
    bench.assembly.compute(heads[1], formula, [*taken, *cleaned], notes=notes)
    bench.assembly.compute(heads[2], formula, taken, notes=notes)


def _exclusions(bench: Bench, scope: str, rule: str) -> tuple[list[Argument], list[Text]]:
    """What the clause leaves out; nothing as long as nobody read it, and that is said."""
    parts = {}
    for part in ("start", "short"):
        line = bench.line(f"{scope}.electricity_{part}")
        if line is not None and line.how is not How.NONE:
            parts[part] = line
    try:
        found = bench.assembly.legal_or_absent(LEVELS, rule)
    except RuleError:
        return [], []
    if isinstance(found, Legal):
        wanted = EXCLUDED.get(str(found.value), ())
        return [
            bench.assembly.from_line(f"{part}_mwh", line.id)
            for part, line in parts.items()
            if part in wanted
        ], []
    return [], [_unread(found.locator, list(parts.values()))]


def _unread(clause: str, lines: Sequence[Line]) -> Text:
    """The clause was not read; how much it may be about."""
    mwh = sum((line.value or ZERO for line in lines), ZERO)
    more = Text(zh="", en="")
    if lines:
        more = Text(
            zh=f"；启动、短路口电量共 {mwh.normalize():f} MWh",
            en=f"; starting and stopped pots took {mwh.normalize():f} MWh",
        )
    return Text(
        zh=f"GB 21346-2022 {clause} 原文未核：未作任何扣除{more.zh}",
        en=f"GB 21346-2022, {clause} was not read: nothing is left out{more.en}",
    )


def add_ingot(bench: Bench) -> None:
    """Ingot: electricity and, with fuels and heat, standard coal; of the plant only."""
    assembly = bench.assembly
    name = "ingot_comprehensive_ac"
    what = head(PLANT, name, LABELS[name], PER_T)
    needed = ("aluminium_cast", "electricity_cast", "ingot")
    absent = _not_there(bench, needed)
    if absent or bench.value(f"{PLANT}.liquid_comprehensive_ac") is None:
        why = absent or [_NO_AUX]
        unstated(assembly, what, *why)
    else:
        arguments = [
            assembly.from_line(given_as, f"{PLANT}.{line}")
            for given_as, line in (
                ("liquid_comprehensive_kwh_per_t", "liquid_comprehensive_ac"),
                ("cast_metal_t", "aluminium_cast"),
                ("cast_mwh", "electricity_cast"),
                ("ingot_t", "ingot"),
            )
        ]
        assembly.compute(what, name, arguments)
    _coal_per_ingot(bench)


def _not_there(bench: Bench, names: Sequence[str]) -> list[Text]:
    """Lines of the plant that nobody states."""
    found = []
    for name in names:
        line = bench.line(f"{PLANT}.{name}")
        if line is None or line.how is How.NONE or line.value == 0:
            label = Text(zh=name, en=name) if line is None else line.label
            found.append(Text(zh=f"缺少或为 0：{label.zh}", en=f"not stated or zero: {label.en}"))
    return found


def add_comprehensive(bench: Bench) -> None:
    """Standard coal of every energy of the plant, line by line and together, basis said."""
    what = head(PLANT, "comprehensive_energy", LABELS["comprehensive_energy"], "tce")
    total = bench.line(f"{PLANT}.electricity_total")
    if total is None or total.how is How.NONE:
        unstated(bench.assembly, what)
        return
    label = Text(zh="电力折标煤（当量值）", en="Electricity as coal (equivalent value)")
    parts = [_coal(bench, "electricity", label, _kwh(bench, total), "electricity_equivalent")]
    parts += [*_bought_heat(bench), *_burnt(bench)]
    line = bench.assembly.add_up(what, [part.id for part in parts])
    bench.assembly.put(line, notes=comprehensive_notes(bench, [bench]), coverage=total.coverage)


def comprehensive_notes(bench: Bench, pieces: Sequence[Bench]) -> tuple[Text, ...]:
    """By which basis, and what the sum of those pieces does not hold."""
    zh = "耗能工质（水、压缩空气等）、阳极炭耗；外供余热未扣减"
    en = "water, compressed air, the carbon of anodes; heat that was sold is not subtracted"
    without = [str(p.period) for p in pieces if p.line(f"{PLANT}.tce.{HEAT}") is None]
    if without:
        of_zh, of_en = "、".join(without), ", ".join(without)
        zh = f"外购热力（{of_zh} 未录入 {HEAT}）、{zh}"
        en = f"purchased heat (no entry of {HEAT} for {of_en}), {en}"
    if not bench.basis.site.fuels:
        zh, en = f"燃料（site.toml 未列 fuels）、{zh}", f"fuels (site.toml names none), {en}"
    return (_BASIS, Text(zh=f"未计入：{zh}", en=f"left out: {en}"))


def _bought_heat(bench: Bench) -> list[Line]:
    """Purchased heat where it was entered; without an entry the notes name it as left out."""
    bought = stated(bench, Wanted(HEAT, HEAT, L_HEAT, "GJ"), None)
    if bought.how is How.NONE:
        return []
    label = Text(zh="外购热力折标煤（当量值）", en="Purchased heat as coal (equivalent value)")
    gj = bench.assembly.from_line("gj_heat", bought.id)
    return [_coal(bench, HEAT, label, gj, "heat")]


def _kwh(bench: Bench, total: Line) -> Argument:
    mwh = bench.assembly.from_line("kwh", total.id)
    value = None if mwh.input.value is None else mwh.input.value * 1000
    scaled = Input(name="kwh", kind="line", ref=total.id, value=value, unit="kWh")
    return Argument(scaled, mwh.missing)


def _coal(bench: Bench, name: str, label: Text, amount: Argument, rule: str) -> Line:
    """One energy as coal; ``amount`` is named by its unit as ``standard_coal`` wants it."""
    what = head(PLANT, f"tce.{name}", label, "tce")
    factor = bench.assembly.law_or_absent("kgce_per_unit", COAL, rule)
    words = {"basis": "equivalent"}
    return bench.assembly.compute(what, "standard_coal", [amount, factor], key="tce", words=words)


def _burnt(bench: Bench) -> list[Line]:
    """Fuels by entry; those without a factor are named as missing, not left out in silence."""
    ledger, found = bench.basis.ledger, []
    for fuel in bench.basis.site.fuels or ():
        kind = "gas_consumed" if fuel.endswith("gas") else "fuel_consumed"
        used = month_of(ledger, kind, None, bench.period, fuel)
        what = head(PLANT, f"tce.{fuel}", _fuel_label(kind, fuel), "tce")
        rule, units = FUELS.get(fuel, ("", 0))
        inputs = used.inputs(bench.assembly)
        if not rule or used.amount is None:
            why = used.missing or (_no_factor(fuel),)
            found.append(bench.assembly.state(what, None, How.MISSING, inputs, missing=why))
            continue
        factor = bench.assembly.law_or_absent("k", COAL, rule)
        inputs.append(factor)
        k = factor.input.value
        value = None if k is None else used.amount * units * k / 1000
        line = bench.assembly.state(what, value, How.COMPUTED, inputs, missing=factor.missing)
        found.append(bench.assembly.put(line, equation=f"E = Q × {units} × k / 1000"))
    return found


def _fuel_label(kind: str, fuel: str) -> Text:
    from reports.entries.kinds import KINDS

    name = KINDS[kind].item_name(fuel)
    return Text(zh=f"{name.zh}折标煤", en=f"{name.en[:1].upper()}{name.en[1:]} as coal")


def _no_factor(fuel: str) -> Text:
    return Text(
        zh=f"{fuel} 没有折标系数（规则包 {COAL}）",
        en=f"no coal equivalent of {fuel} in the rule pack {COAL}",
    )


def _coal_per_ingot(bench: Bench) -> None:
    name = "ingot_comprehensive_energy"
    what: Head = head(PLANT, name, LABELS[name], "kgce/t")
    absent = _not_there(bench, ("comprehensive_energy", "ingot"))
    if absent:
        unstated(bench.assembly, what, *absent)
        return
    arguments = [
        bench.assembly.from_line("comprehensive_tce", f"{PLANT}.comprehensive_energy"),
        bench.assembly.from_line("ingot_t", f"{PLANT}.ingot"),
    ]
    bench.assembly.compute(what, name, arguments)
