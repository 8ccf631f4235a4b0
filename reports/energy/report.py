"""``energy``: the report of a month, a year, or any interval; wiring of its topics and chapters."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from typing import Final

from reports.assembly import Assembly
from reports.basis import Basis
from reports.chapters import Block, Chapter, Details, Grid, Months, Paragraph, Standard, Table
from reports.conclude import conclude, words
from reports.energy.assemble import Energy, assemble
from reports.energy.bench import Bench, running
from reports.energy.exchangers import State, add_exchangers, fouled, state_table
from reports.energy.green import issue_table, lot_doubts, lot_table, lots
from reports.energy.levels import against_benchmark, levels_table
from reports.energy.pictures import exchanger_picture, months_pictures
from reports.energy.voltage_check import add_voltage_check
from reports.energy.year_before import year_before
from reports.model import Content, How
from reports.series.remembered import Remembered
from reports.site import PLANT
from reports.values import Text

NAME: Final = "energy"
TITLE: Final = Text(zh="能源消耗与能效报告", en="Energy report of an aluminium smelter")
TOTAL: Final = Text(zh="全厂", en="Plant")
HEADLINE: Final = ("aluminium", "liquid_ac", "dc_specific", "liquid_comprehensive_ac")
Places = tuple[tuple[str, Text], ...]
PER_TONNE: Final = (
    *("aluminium", "dc_specific", "liquid_ac", "liquid_comprehensive_ac"),
    "liquid_comprehensive_ac_without_fgd",
)
INGOT: Final = (
    *("ingot", "ingot_comprehensive_ac", "comprehensive_energy"),
    "ingot_comprehensive_energy",
)
TREE: Final = (
    *("electricity_rectifier", "electricity_dc", "electricity_start", "electricity_short"),
    *("electricity_aux", "electricity_fgd", "electricity_cast", "electricity_total"),
)
RUNNING: Final = (
    *("mean_voltage", "mean_current", "pots_running", "rectifier_efficiency"),
    *("current_efficiency_tapping", "current_efficiency_inventory"),
    "current_efficiency_inventory_uncertainty",
)
EFFECTS: Final = ("ae_frequency", "ae_minutes", "ae_overvoltage")
TARIFF: Final = (
    *("electricity_price", "ladder_surcharge", "ladder_surcharge_incentive", "ladder_notice"),
    "price_with_surcharge",
    *("electricity_liquid", "ladder_cost", "ladder_cost_incentive", "ladder_notice_cost"),
    "ten_kwh_electricity_left",
    *("ten_kwh_price", "ladder_surcharge_after_ten", "ladder_cost_after_ten", "ten_kwh_worth"),
)
GREEN: Final = (
    *("green_own", "green_traded", "gec_retired", "gec_bundled", "green_certificates"),
    *("electricity_total", "green_share", "green_share_wanted", "green_counted", "green_gap"),
)
HEAT: Final = (
    *("heat_recovered", "heat_extra_power", "heat_net", "heat_tce", "heat_co2"),
    *("heat_power", "heat_supplied"),
)
MONTHLY: Final = (
    *("aluminium", "dc_specific", "liquid_ac", "liquid_comprehensive_ac", "mean_voltage"),
    *("mean_current", "current_efficiency_tapping", "rectifier_efficiency", "ae_minutes"),
    "ae_frequency",
)
# chapters of other rooms, in the order of the page: module, function
ROOMS: Final = (
    ("reports.energy.trend", "add_trend"),
    ("reports.energy.decomposition", "add_decomposition"),
    ("reports.energy.ranking", "add_pots"),
    ("reports.energy.pictures", "add_pictures"),
)
Room = Callable[[Basis, Assembly], Chapter | None]


def energy(basis: Basis) -> Content:
    """The report. Raises RuleError."""
    basis = replace(basis, series=Remembered(basis.series, basis.period.after))
    made = assemble(basis)
    bench = made.bench
    assembly = bench.assembly
    by_month = {key: line for key, line in assembly.lines.items() if "@" in key}
    assembly.lines = {key: line for key, line in assembly.lines.items() if "@" not in key}
    states = add_exchangers(bench)
    residuals = add_voltage_check(bench)
    certificates = lots(bench)
    warnings = (*residuals, *fouled(bench, states), *lot_doubts(bench, certificates))
    assembly.lines |= by_month
    potlines = running(basis)
    places: Places = (*((line.id, words(line.name)) for line in potlines), (PLANT, TOTAL))
    tables = [table for table in (lot_table(bench, certificates), _issued(made)) if table]
    return conclude(
        basis,
        assembly,
        report=NAME,
        title=TITLE,
        potlines=potlines,
        headline=tuple(
            f"{PLANT}.{name}" for name in HEADLINE if f"{PLANT}.{name}" in assembly.lines
        ),
        warnings=warnings,
        chapters=tuple(_chapters(made, places, states, tables)),
    )


def _issued(made: Energy) -> Table | None:
    """Own generation by month."""
    benches = made.pieces or (made.bench,)
    own = [(str(b.period), b.value(f"{PLANT}.green_own")) for b in benches]
    known = [(month, mwh) for month, mwh in own if mwh is not None]
    return issue_table(known) if len(known) == len(own) else None


def _chapters(
    made: Energy, places: Places, states: list[State], tables: list[Table]
) -> Iterator[Chapter]:
    bench = made.bench
    per_tonne, tree = (Grid(places=places, names=names) for names in (PER_TONNE, TREE))
    ingot = Grid(places=((PLANT, TOTAL),), names=INGOT)
    blocks = (per_tonne, ingot if _stated(bench, INGOT) else None)
    yield _chapter(("单位产品电耗与能耗", "Energy per tonne"), *blocks, front=True)
    yield _chapter(("用电构成", "Electricity by the meter tree"), tree, front=True)
    yield _levels(bench, places)
    running_, effects = (Grid(places=places, names=names) for names in (RUNNING, EFFECTS))
    check = _there(bench, "voltage_residual")
    yield _chapter(("运行参数", "Operation"), running_, effects, check)
    yield _chapter(("阶梯电价", "Ladder tariff"), _named(bench, TARIFF))
    yield _chapter(("绿色电力", "Green power"), _named(bench, GREEN), *tables)
    yield _chapter(
        ("余热回收", "Waste heat"),
        _named(bench, HEAT),
        *(_exchangers(bench, states)),
        *(exchanger_picture(bench, state) for state in states),
        *(state_table(state) for state in states),
    )
    yield _chapter(("水、固废与再生金属", "Water, solids, recycled metal"), _materials(bench))
    before = year_before(bench, places)
    if before is not None:
        yield before
    yield from _rooms(bench)
    if made.pieces:
        yield _monthly(made, places)
    yield from _ends(bench, places)


def _chapter(title: tuple[str, str], *blocks: Block | None, front: bool = False) -> Chapter:
    there = tuple(block for block in blocks if block is not None)
    return Chapter(title=Text(zh=title[0], en=title[1]), front=front, blocks=there or (_NOTHING,))


_NOTHING: Final = Paragraph(text=Text(zh="未填报。", en="Not stated."))


def _named(bench: Bench, names: tuple[str, ...], scope: str = PLANT) -> Details | None:
    """Lines of a scope that are stated or missing; None when there are none."""
    ids = tuple(
        identity
        for name in names
        if (line := bench.line(identity := f"{scope}.{name}")) is not None
        and line.how is not How.NONE
    )
    return Details(lines=ids) if ids else None


def _stated(bench: Bench, names: tuple[str, ...]) -> bool:
    return any(bench.value(f"{PLANT}.{name}") is not None for name in names)


def _there(bench: Bench, name: str) -> Details | None:
    ids = tuple(
        f"{line.id}.{name}"
        for line in bench.potlines
        if bench.line(f"{line.id}.{name}") is not None
    )
    return Details(lines=ids) if ids else None


def _levels(bench: Bench, places: Places) -> Chapter:
    note = Paragraph(
        text=Text(
            zh="等级 1–3 级，0 表示未达 3 级；各指标单独评定。差距指到上一级限值，按本期产量折算。",
            en="Levels 1 to 3, 0 when none is met; each indicator is graded alone. Distances are "
            "to the next better level, at the output of this period.",
        ),
        tone="note",
    )
    tables = levels_table(bench, places), against_benchmark(bench, places)
    return _chapter(("能耗限额等级（GB 21346-2022）", "Levels of GB 21346-2022"), *tables, note)


def _exchangers(bench: Bench, states: list[State]) -> Iterator[Details]:
    for state in states:
        of = state.exchanger.equipment
        keys = ("effectiveness", "ntu", "ua", "ua_ratio", "ua_trend")
        parts = (
            *(f"{name}.{of}" for name in ("heat_recovered", "heat_extra_power")),
            *(f"exchanger_{key}.{of}" for key in keys),
        )
        found = _named(bench, parts)
        if found is not None:
            yield found.model_copy(update={"title": state.exchanger.label})


def _materials(bench: Bench) -> Details | None:
    names = tuple(
        key.removeprefix(f"{PLANT}.")
        for key in bench.assembly.lines
        if "@" not in key
        and key.startswith((f"{PLANT}.water_", f"{PLANT}.solid", f"{PLANT}.recycled_"))
    )
    return _named(bench, names)


def _rooms(bench: Bench) -> Iterator[Chapter]:
    """What other rooms of the report have to say, where they are built."""
    for module, function in ROOMS:
        if find_spec(module) is None:
            continue
        room: Room | None = getattr(import_module(module), function, None)
        chapter = None if room is None else room(bench.basis, bench.assembly)
        if chapter is not None:
            yield chapter


def _monthly(made: Energy, places: Places) -> Chapter:
    months = tuple(str(piece.period) for piece in made.pieces)
    blocks: list[Block] = [*months_pictures(made, places)]
    for scope, name in places:
        ids = tuple(
            f"{scope}.{figure}"
            for figure in MONTHLY
            if made.bench.value(f"{scope}.{figure}") is not None
        )
        if ids:
            blocks.append(Months(title=name, lines=ids, months=months))
    return _chapter(("逐月数据", "Month by month"), *blocks)


def _ends(bench: Bench, places: Places) -> Iterator[Chapter]:
    yield _chapter(("规则待查", "Values to look up"), Standard(part="absent"))
    yield _chapter(("工序基本信息", "Processes"), Standard(part="potlines"))
    details = (
        Details(
            title=name,
            lines=tuple(
                line.id
                for line in bench.assembly.lines.values()
                if line.scope == scope and "@" not in line.id and line.how is not How.NONE
            ),
        )
        for scope, name in places
    )
    yield _chapter(("逐项结果、公式与来源", "Figures, formulas, sources"), *details)
    for part, zh, en in (
        ("legals", "法规与标准参数", "Legal values"),
        ("entries", "录入数据", "Entries"),
        ("meters", "计量与覆盖率", "Meters"),
        ("changes", "版本差异", "Changes"),
    ):
        yield _chapter((zh, en), Standard.model_validate({"part": part}))
