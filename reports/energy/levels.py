"""Levels of GB 21346, benchmark and baseline, and how far the next better level is."""

from decimal import Decimal
from typing import Final

from reports.assembly import Argument
from reports.chapters import Cell, Column, Table
from reports.energy.bench import Bench, given, head, unstated
from reports.energy.specific import LABELS, LEVELS
from reports.energy.tariff import FULL_PRICE
from reports.entered import month_of
from reports.model import How, Line
from reports.rules.packs import Legal, RuleError
from reports.site import PLANT
from reports.values import Text

PER_TONNE: Final = ("liquid_ac", "liquid_comprehensive_ac", "ingot_comprehensive_ac")
INDICATORS: Final = (*PER_TONNE, "ingot_comprehensive_energy")
GRADES: Final = (1, 2, 3)
BEST: Final = Decimal(1)
METAL: Final = {"ingot_comprehensive_ac": "ingot", "ingot_comprehensive_energy": "ingot"}
L_PRICE: Final = Text(zh="电价", en="Electricity price")
_MET: Final = Text(zh="已达 1 级", en="level 1 is met")
_FULL: Final = Text(
    zh="按含阶梯加价的电价；加价标准本身的变化不计",
    en="at the price with the ladder surcharge; a change of the surcharge itself is not in it",
)
_NO_LIMIT: Final = Text(
    zh="该期间没有适用的限额值（见规则包 cn_energy_levels）",
    en="no limit in force in this period (rule pack cn_energy_levels)",
)


def add_price(bench: Bench) -> None:
    """``plant.electricity_price``: by entry, else as the site file says."""
    what = head(PLANT, "electricity_price", L_PRICE, "CNY/kWh")
    entry = month_of(bench.basis.ledger, "electricity_price", None, bench.period)
    fixed = bench.basis.site.tariff.price_cny_per_kwh
    if entry.amount is not None:
        inputs = entry.inputs(bench.assembly)
        bench.assembly.state(what, entry.amount, How.ENTERED, inputs)
    elif fixed is not None:
        stated = given("price_cny_per_kwh", fixed, "CNY/kWh", "tariff.price_cny_per_kwh")
        bench.assembly.state(what, fixed, How.DEFAULT, [stated])
    else:
        unstated(bench.assembly, what)


def add_levels(bench: Bench, scope: str) -> None:
    """Level and distance of each indicator that the scope states."""
    for indicator in INDICATORS:
        line = bench.line(f"{scope}.{indicator}")
        if line is None or line.how is How.NONE:
            continue
        limits = _limits(bench, indicator)
        label = LABELS[indicator]
        name = Text(zh=f"{label.zh}等级（GB 21346）", en=f"Level of: {label.en}")
        what = head(scope, f"level_{indicator}", name, "1")
        if not limits:
            unstated(bench.assembly, what, _NO_LIMIT)
            continue
        arguments = [
            bench.assembly.from_line("value", line.id),
            *(bench.assembly.law(f"limit_{grade}", limits[grade]) for grade in GRADES),
        ]
        words = {"indicator": indicator, "day": str(bench.period.first)}
        found = bench.assembly.compute(what, "energy_level", arguments, words=words)
        _distance(bench, scope, indicator, found, limits)


def _limits(bench: Bench, indicator: str) -> dict[int, Legal]:
    try:
        return {grade: bench.assembly.legal(LEVELS, f"{indicator}_{grade}") for grade in GRADES}
    except RuleError:
        return {}


def _distance(
    bench: Bench, scope: str, indicator: str, level: Line, limits: dict[int, Legal]
) -> None:
    """To the next better level: per tonne, and for kWh also MWh and CNY of this period."""
    assembly = bench.assembly
    unit = "kgce/t" if indicator not in PER_TONNE else "kWh/t"
    label = LABELS[indicator]
    name = Text(zh=f"{label.zh}与上一级的差距", en=f"To the next level: {label.en}")
    what = head(scope, f"distance_{indicator}", name, unit)
    if level.value is None:
        assembly.state(what, None, How.MISSING, [], missing=level.missing)
        return
    if level.value == BEST:
        unstated(assembly, what, _MET)
        return
    wanted = limits[int(level.value) - 1 if level.value else GRADES[-1]]
    index = assembly.from_line("index_kwh_per_t", f"{scope}.{indicator}")
    limit = assembly.law("limit_kwh_per_t", wanted)
    if unit == "kgce/t":
        value = (index.input.value or Decimal(0)) - wanted.number
        line = assembly.state(what, value, How.COMPUTED, [index, limit])
        assembly.put(line, equation="d = e − L")
        return
    metal = assembly.from_line("aluminium_t", f"{scope}.{METAL.get(indicator, 'aluminium')}")
    price = _price(bench, indicator)
    parts = [index, limit, metal, price]
    for ending, key, shown in (
        ("", "distance_kwh_per_t", "kWh/t"),
        ("_mwh", "distance_mwh", "MWh"),
        ("_cny", "distance_cny", "CNY"),
    ):
        head_of = head(scope, f"distance_{indicator}{ending}", name, shown)
        if ending == "_cny" and not price.input.ref:
            unstated(assembly, head_of)
            continue
        full = ending == "_cny" and price.input.ref.endswith(FULL_PRICE)
        notes = [_FULL] if full else []
        assembly.compute(head_of, "distance_to_level", parts, key=key, notes=notes)


def _price(bench: Bench, indicator: str) -> Argument:
    """With the ladder surcharge for liquid aluminium, which alone bears it."""
    names = (FULL_PRICE, "electricity_price") if indicator.startswith("liquid") else ()
    for name in names or ("electricity_price",):
        if bench.value(f"{PLANT}.{name}") is not None:
            return bench.assembly.from_line("price_cny_per_kwh", f"{PLANT}.{name}")
    return given("price_cny_per_kwh", Decimal(0), "CNY/kWh", "")  # the distance needs none


def levels_table(bench: Bench, scopes: tuple[tuple[str, Text], ...]) -> Table | None:
    """Every graded indicator, its level, and the way to the next better one."""
    rows: list[tuple[Cell, ...]] = []
    for scope, name in scopes:
        for indicator in INDICATORS:
            level = bench.value(f"{scope}.level_{indicator}")
            value = bench.value(f"{scope}.{indicator}")
            if level is None or value is None:
                continue
            far = (bench.value(f"{scope}.distance_{indicator}{e}") for e in ("", "_mwh", "_cny"))
            unit = "kWh/t" if indicator in PER_TONNE else "kgce/t"
            rows.append((name, LABELS[indicator], unit, value, level, *far))
    columns = (
        Column(label=Text(zh="核算单元", en="Place"), width=10),
        Column(label=Text(zh="指标", en="Indicator"), width=30),
        Column(label=Text(zh="单位", en="Unit"), width=9),
        Column(label=Text(zh="数值", en="Figure"), decimals=1),
        Column(label=Text(zh="等级", en="Level"), decimals=0, width=9),
        Column(label=Text(zh="距上一级", en="To the next"), decimals=1),
        Column(label=Text(zh="折电量", en="That is"), unit="MWh", decimals=1),
        Column(label=Text(zh="折电费", en="That costs"), unit="CNY", decimals=0),
    )
    title = Text(zh="等级与差距", en="Levels and distances")
    return Table(id="levels", title=title, columns=columns, rows=tuple(rows)) if rows else None


def against_benchmark(bench: Bench, scopes: tuple[tuple[str, Text], ...]) -> Table | None:
    """Liquid AC electricity against benchmark and baseline; None when no rule is in force."""
    try:
        best, least = (
            bench.assembly.legal(LEVELS, f"{name}_liquid_ac") for name in ("benchmark", "baseline")
        )
    except RuleError:
        return None
    rows: list[tuple[Cell, ...]] = []
    for scope, name in scopes:
        value = bench.value(f"{scope}.liquid_ac")
        if value is None:
            continue
        verdict = (
            Text(zh="达到标杆水平", en="benchmark met")
            if value <= best.number
            else Text(zh="介于标杆与基准之间", en="between benchmark and baseline")
            if value <= least.number
            else Text(zh="低于基准水平", en="below the baseline")
        )
        rows.append(
            (name, value, best.number, value - best.number, least.number, value - least.number,
             verdict)
        )  # fmt: skip
    columns = (
        Column(label=Text(zh="核算单元", en="Place")),
        Column(label=LABELS["liquid_ac"], unit="kWh/t", decimals=1),
        Column(label=Text(zh="标杆水平", en="Benchmark"), unit="kWh/t", decimals=0),
        Column(label=Text(zh="与标杆之差", en="Above it by"), unit="kWh/t", decimals=1),
        Column(label=Text(zh="基准水平", en="Baseline"), unit="kWh/t", decimals=0),
        Column(label=Text(zh="与基准之差", en="Above it by"), unit="kWh/t", decimals=1),
        Column(label=Text(zh="结论", en="Verdict"), width=24),
    )
    title = Text(zh="标杆水平与基准水平", en="Benchmark and baseline")
    return Table(id="benchmark", title=title, columns=columns, rows=tuple(rows)) if rows else None
