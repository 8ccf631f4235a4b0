"""
The enterprise level of a month: fossil fuels and carbonates beside anodes and anode effects.

A fuel counts by its measured carbon, else by heat value, carbon per heat and oxidation, each of
them measured or the rule's. What nobody entered is not stated, unless the site declares it.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Final

from drivers.language import say
from drivers.model import ConfigError
from reports.assembly import Argument, Head
from reports.carbon.process import Bench, named
from reports.chapters import Cell, Column, Signed, Table
from reports.entered import Entered, entered, month_of
from reports.entries.kinds import KINDS
from reports.entries.ledger import Entry
from reports.model import Doubt, How, Input, Line, Section
from reports.site import PLANT
from reports.values import Text

PARTS: Final = ("fuel_co2", "anode_co2", "pfc", "carbonate_co2")
_LABELS: Final = {
    "fuel_co2": Text(zh="化石燃料燃烧排放", en="CO2 from fossil fuels"),
    "carbonate_co2": Text(zh="碳酸盐分解排放", en="CO2 from carbonates"),
    "enterprise_emission": Text(zh="企业层级排放总量", en="Emission at enterprise level"),
}
_CONSUMED: Final = Text(zh="消耗量", en="consumed")
_HEAT_VALUE: Final = Text(zh="低位发热量", en="net calorific value")
_BURNED: Final = Text(zh="燃烧排放", en="CO2 of burning")
_DECOMPOSED: Final = Text(zh="分解排放", en="CO2 of decomposition")
_DECLARED_NONE: Final = Text(zh="site.toml 声明不使用", en="site.toml declares that none is used")
_NOT_STATED: Final = Text(
    zh="没有录入，site.toml 也未声明：未填报，不计入合计",
    en="nothing entered, nothing declared in site.toml: not stated, and not in the sum",
)
OTHERS: Final = Text(
    zh="自备电厂等其他设施按各自行业指南核算，不在本表内",
    en="captive power units and other facilities follow their own guides and are not in here",
)


def add_enterprise(bench: Bench) -> tuple[Doubt, ...]:
    """Fuels, carbonates and the sum of all four sources; warnings about how they were found."""
    doubts = add_combustion(bench)
    add_enterprise_sum(bench)
    return doubts


def add_combustion(bench: Bench) -> tuple[Doubt, ...]:
    """Fuels and carbonates, each and in sum; warnings about how they were found."""
    doubts: list[Doubt] = []
    fuels = in_use(bench, FUEL_KINDS, bench.site.fuels)
    for fuel in fuels:
        doubts += _fuel(bench, fuel)
    _sum(bench, "fuel_co2", fuels, declared=bench.site.fuels is not None)
    carbonates = in_use(bench, CARBONATE_KINDS, bench.site.carbonates)
    for carbonate in carbonates:
        _carbonate(bench, carbonate)
    _sum(bench, "carbonate_co2", carbonates, declared=bench.site.carbonates is not None)
    return tuple(doubts)


FUEL_KINDS: Final = (
    *("fuel_consumed", "fuel_stock_begin", "fuel_purchased", "fuel_sold", "fuel_stock_end"),
    *("gas_consumed", "gas_purchased", "gas_sold"),
)
LEDGER: Final = ("stock_begin", "purchased", "sold", "stock_end")
CARBONATE_KINDS: Final = ("carbonate_consumed",)


def in_use(bench: Bench, kinds: Sequence[str], declared: Sequence[str] | None) -> tuple[str, ...]:
    """
    Items the site declares, and those entered in this year up to this month, in kinds' order.

    Raises ConfigError for an item nobody knows.
    """
    year = bench.month.whole_year
    stated = {
        entry.figure.item
        for entry in bench.ledger.current().values()
        if entry.figure.kind.id in kinds
        and year.first <= entry.figure.period.first < bench.month.after
    }
    known = [item for kind in kinds for item in names_of(kind)]
    wrong = [item for item in declared or () if item not in known]
    if wrong:
        names = ", ".join(dict.fromkeys(known))
        raise ConfigError(
            [
                say(
                    f"site.toml：未知的燃料或碳酸盐 {item!r}；可写：{names}",
                    f"site.toml: unknown fuel or carbonate {item!r}; known: {names}",
                )
                for item in wrong
            ]
        )
    return tuple(item for item in dict.fromkeys(known) if item in {*stated, *(declared or ())})


def names_of(kind: str) -> dict[str, Text]:
    """The closed list of items of a kind."""
    items = KINDS[kind].items
    return {} if items is None else items.names


def is_gas(fuel: str) -> bool:
    """True when it is counted in 10^4 Nm3, not in tonnes."""
    return fuel in names_of("gas_consumed")


def _item_head(bench: Bench, name: str, item: str, what: Text, unit: str, rule: str) -> Head:
    names = {kind: names_of(kind) for kind in ("fuel_consumed", "gas_consumed", *CARBONATE_KINDS)}
    word = next(found[item] for found in names.values() if item in found)
    label = Text(zh=f"{word.zh}{what.zh}", en=f"{word.en}: {what.en}")
    decimals = int(bench.law(rule).number)
    return Head(PLANT, f"{name}.{item}", Section.ENTERPRISE, label, unit, decimals)


# --- fuels


def _fuel(bench: Bench, fuel: str) -> list[Doubt]:
    family = "gas" if is_gas(fuel) else "fuel"
    method = named(bench, "fuel_quantity_method", QUANTITY)
    QUANTITY[method](bench, family, fuel)
    assembly = bench.assembly
    head = _item_head(bench, "fuel_co2", fuel, _BURNED, "tCO2", "emission_decimals")
    quantity = assembly.from_line("quantity", f"{PLANT}.fuel_consumed.{fuel}")
    oxidation = assembly.law("oxidation_fraction", bench.law(f"oxidation_{fuel}"), as_fraction=True)
    carbon = entered(bench.ledger, f"{family}_carbon", PLANT, bench.month, fuel)
    if carbon is not None:
        given = assembly.entry("carbon_tc_per_unit", carbon)
        made = assembly.compute(head, "fuel_co2_carbon", [quantity, given, oxidation])
        assembly.put(made, method="carbon_measured")
        return []
    ncv, first = _value(bench, f"{family}_ncv", fuel, "ncv_gj_per_unit", f"ncv_{fuel}")
    per_heat, second = _value(
        bench, f"{family}_carbon_per_heat", fuel, "carbon_tc_per_gj", f"carbon_{fuel}"
    )
    _heat_value(bench, family, fuel, ncv)
    how = How.COMPUTED if first or second else How.DEFAULT
    made = assembly.compute(head, "fuel_co2", [quantity, ncv, per_heat, oxidation], how=how)
    assembly.put(made, method="ncv_measured" if first else "ncv_default")
    fallen = [
        kind
        for kind, measured in (
            (f"{family}_carbon", False),
            (f"{family}_ncv", first),
            (f"{family}_carbon_per_heat", second),
        )
        if not measured and _measured_before(bench, kind, fuel) is not None
    ]
    return [_back_to_default(bench, kind, fuel, head.id) for kind in fallen]


def _value(bench: Bench, kind: str, fuel: str, parameter: str, rule: str) -> tuple[Argument, bool]:
    """The laboratory's figure and True, or the rule's and False."""
    entry = entered(bench.ledger, kind, PLANT, bench.month, fuel)
    if entry is not None:
        return bench.assembly.entry(parameter, entry), True
    return bench.assembly.law(parameter, bench.law(rule)), False


def _heat_value(bench: Bench, family: str, fuel: str, ncv: Argument) -> None:
    """The heat value that was used, as a figure of its own: the year needs its weighted mean."""
    unit = KINDS[f"{family}_ncv"].unit
    head = _item_head(bench, f"{family}_ncv", fuel, _HEAT_VALUE, unit, "ncv_decimals")
    how = How.ENTERED if ncv.input.kind == "entry" else How.DEFAULT
    bench.assembly.state(head, ncv.input.value, how, [ncv])


def _measured_before(bench: Bench, kind: str, fuel: str) -> Entry | None:
    """The first laboratory figure of the same year before this month."""
    for month in bench.month.whole_year.months:
        if month.first >= bench.month.first:
            return None
        entry = entered(bench.ledger, kind, PLANT, month, fuel)
        if entry is not None:
            return entry
    return None


def _back_to_default(bench: Bench, kind: str, fuel: str, line: str) -> Doubt:
    word, known = KINDS[kind], _measured_before(bench, kind, fuel)
    since = "" if known is None else str(known.figure.period)
    return Doubt(
        line=line,
        text=Text(
            zh=f"{word.zh}自 {since} 起已实测，{bench.month} 没有化验值而用了缺省值："
            "一经实测，年内不得改回缺省值",
            en=f"{word.en} has been measured since {since}, but {bench.month} has no laboratory "
            "figure and the default was used: once measured, never back within the year",
        ),
    )


def _consumed_then_stock(bench: Bench, family: str, fuel: str) -> None:
    """Quantity burned: as entered, else by the ledger of purchase, sale and stock."""
    assembly = bench.assembly
    unit = KINDS[f"{family}_consumed"].unit
    head = _item_head(bench, "fuel_consumed", fuel, _CONSUMED, unit, "fuel_decimals")
    figure = month_of(bench.ledger, f"{family}_consumed", None, bench.month, fuel)
    given = _ledger(bench, family, fuel)
    if figure.amount is None and given:
        assembly.compute(head, "stock_consumed", given)
        return
    notes = []
    missing = figure.missing
    if figure.amount is None:
        missing = (*missing, *_incomplete(bench, family, fuel))
    if figure.amount is not None and given:
        notes = _compared(figure.amount, given, unit)
    assembly.state(
        head,
        figure.amount,
        How.ENTERED,
        figure.inputs(assembly),
        coverage=figure.coverage,
        missing=missing,
        notes=notes,
    )


def _ledger(bench: Bench, family: str, fuel: str) -> list[Argument]:
    """Stock at begin, purchased, sold, stock at end; empty when one of them is missing."""
    found = _stated_in_ledger(bench, family, fuel)
    stated = {name: bench.assembly.entry(name, e) for name, e in found.items() if e is not None}
    if len(stated) < len(found):
        return []
    return [stated.get(name) or _no_stock(name, KINDS["gas_sold"].unit) for name in LEDGER]


def _stated_in_ledger(bench: Bench, family: str, fuel: str) -> dict[str, Entry | None]:
    names = LEDGER if family == "fuel" else ("purchased", "sold")
    return {
        name: entered(bench.ledger, f"{family}_{name}", PLANT, bench.month, fuel) for name in names
    }


def _incomplete(bench: Bench, family: str, fuel: str) -> tuple[Text, ...]:
    """What a ledger that was begun still lacks; write 0 when nothing was sold."""
    found = _stated_in_ledger(bench, family, fuel)
    lacking = [KINDS[f"{family}_{name}"] for name, entry in found.items() if entry is None]
    if len(lacking) == len(found):
        return ()
    zh, en = "、".join(kind.zh for kind in lacking), ", ".join(kind.en for kind in lacking)
    return (
        Text(
            zh=f"购销存台账不全，缺：{zh}（没有则填 0）",
            en=f"the ledger lacks {en} (write 0 where there was none)",
        ),
    )


def _no_stock(name: str, unit: str) -> Argument:
    """A gas comes by pipe: there is no stock of it."""
    return Argument(Input(name=name, kind="site", ref="pipeline", value=Decimal(0), unit=unit))


def _compared(amount: Decimal, given: Sequence[Argument], unit: str) -> list[Text]:
    names = {argument.input.name: argument.input.value for argument in given}
    balance = (
        (names["stock_begin"] or 0)
        + (names["purchased"] or 0)
        - (names["sold"] or 0)
        - (names["stock_end"] or 0)
    )
    return [
        Text(
            zh=f"购销存台账为 {balance} {unit}，与录入的消耗量相差 {balance - amount} {unit}",
            en=f"the ledger of purchase, sale and stock gives {balance} {unit}, "
            f"{balance - amount} {unit} off the entered figure",
        )
    ]


QUANTITY: Final[Mapping[str, Callable[[Bench, str, str], None]]] = {
    "consumed_then_stock": _consumed_then_stock
}

# --- carbonates


def _carbonate(bench: Bench, carbonate: str) -> None:
    assembly = bench.assembly
    mass: Entered = month_of(bench.ledger, "carbonate_consumed", None, bench.month, carbonate)
    head = _item_head(bench, "carbonate_consumed", carbonate, _CONSUMED, "t", "carbonate_decimals")
    assembly.state(
        head,
        mass.amount,
        How.ENTERED,
        mass.inputs(assembly),
        coverage=mass.coverage,
        missing=mass.missing,
    )
    tested = entered(bench.ledger, "carbonate_purity", PLANT, bench.month, carbonate)
    purity = (
        assembly.law("purity_fraction", bench.law("carbonate_purity_default"), as_fraction=True)
        if tested is None
        else assembly.entry("purity_fraction", tested)
    )
    assembly.compute(
        _item_head(bench, "carbonate_co2", carbonate, _DECOMPOSED, "tCO2", "emission_decimals"),
        "carbonate_co2",
        [
            assembly.from_line("mass_t", head.id),
            assembly.law("ef_t_per_t", bench.law(f"ef_{carbonate}")),
            purity,
        ],
        how=How.DEFAULT if tested is None else How.COMPUTED,
    )


# --- sums


def _sum(bench: Bench, name: str, items: Sequence[str], *, declared: bool) -> None:
    assembly = bench.assembly
    decimals = int(bench.law("emission_decimals").number)
    head = Head(PLANT, name, Section.ENTERPRISE, _LABELS[name], "tCO2", decimals)
    if items:
        assembly.add_up(head, [f"{PLANT}.{name}.{item}" for item in items])
    elif declared:
        assembly.state(head, Decimal(0), How.ENTERED, (), notes=[_DECLARED_NONE])
    else:
        assembly.state(head, None, How.NONE, (), notes=[_NOT_STATED])


def add_enterprise_sum(bench: Bench) -> None:
    """Fuels, anodes, anode effects and carbonates; what is not stated is named, not counted."""
    assembly, name = bench.assembly, "enterprise_emission"
    decimals = int(bench.law("enterprise_decimals").number)
    head = Head(PLANT, name, Section.ENTERPRISE, _LABELS[name], "tCO2e", decimals)
    parts = [f"{PLANT}.{part}" for part in PARTS]
    unstated = [part for part in parts if assembly.lines[part].how is How.NONE]
    stated = [part for part in parts if part not in unstated]
    notes = [without(assembly.lines[part].label) for part in unstated]
    if not stated:
        assembly.state(head, None, How.NONE, (), notes=notes)
        return
    made = assembly.add_up(head, stated)
    assembly.put(made, notes=(*notes, OTHERS))


def without(label: Text) -> Text:
    """That a part of a sum is not in it."""
    return Text(zh=f"不含{label.zh}（未填报）", en=f"without {label.en} (not stated)")


_COLUMNS: Final = (
    Column(label=Text(zh="品种", en="Item"), width=18),
    Column(label=Text(zh="消耗量", en="Consumed"), decimals=2, width=14),
    Column(label=Text(zh="单位", en="Unit"), width=8),
    Column(label=Text(zh="低位发热量", en="NCV"), unit="GJ/t, GJ/万Nm3", width=12),
    Column(label=Text(zh="单位热值含碳量", en="Carbon per heat"), unit="tC/GJ", width=12),
    Column(label=Text(zh="元素碳含量", en="Carbon"), unit="tC/t, tC/万Nm3", width=12),
    Column(label=Text(zh="氧化率或纯度", en="Oxidised or pure"), width=12),
    Column(label=Text(zh="碳酸盐因子", en="Carbonate factor"), unit="tCO2/t", width=12),
    Column(label=Text(zh="排放量", en="Emission"), unit="tCO2", decimals=2, total=True, width=14),
)
_GAS_UNIT: Final = Text(zh="万Nm3", en="10^4 Nm3")
_INPUTS: Final = (
    *("ncv_gj_per_unit", "carbon_tc_per_gj", "carbon_tc_per_unit"),
    *("oxidation_fraction|purity_fraction", "ef_t_per_t"),
)


def fuel_table(lines: Sequence[Line]) -> Table | None:
    """Fuels and carbonates one by one, with the values behind each; None when there are none."""
    known = {line.id: line for line in lines}
    rows: list[tuple[Cell, ...]] = []
    for line in lines:
        name, _, item = line.id.removeprefix(f"{PLANT}.").partition(".")
        if not item or name not in {"fuel_co2", "carbonate_co2"}:
            continue
        consumed = known[f"{PLANT}.{name.removesuffix('_co2')}_consumed.{item}"]
        given = {each.name: Signed(of=each.ref, value=each.value) for each in line.inputs}
        values = [
            next((given[one] for one in name.split("|") if one in given), None) for name in _INPUTS
        ]
        burned = Signed(of=consumed.id, value=consumed.value)
        emitted = Signed(of=line.id, value=line.value)
        word = names_of("fuel_consumed") | names_of("gas_consumed") | names_of(*CARBONATE_KINDS)
        unit = _GAS_UNIT if consumed.unit == _GAS_UNIT.zh else consumed.unit
        rows.append((word[item], burned, unit, *values, emitted))
    if not rows:
        return None
    title = Text(zh="化石燃料与碳酸盐", en="Fossil fuels and carbonates")
    return Table(id="fuels", title=title, columns=_COLUMNS, rows=tuple(rows))
