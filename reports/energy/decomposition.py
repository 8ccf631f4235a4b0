"""Why energy per tonne changed against the year before (or the month before): lines and chapter."""

from dataclasses import replace
from decimal import Decimal
from typing import Final

from reports.assembly import Assembly, Head
from reports.basis import Basis
from reports.chapters import Block, Cell, Chapter, Column, Paragraph, Table
from reports.conclude import words
from reports.energy.anode_effects import Effects, add_effect_rates, add_effects, plant_sums
from reports.energy.assemble import assemble
from reports.energy.bench import Bench, days_run, running, unstated
from reports.energy.months import of_month
from reports.energy.shares_of_change import FACTORS, Operation, shares_of_change
from reports.energy.year_before import earlier
from reports.formulas.faraday import KWH_PER_T_PER_V
from reports.model import How, Line, Section
from reports.periods import Period
from reports.site import PLANT
from reports.values import Text

REASONS: Final = {
    "voltage": Text(zh="工作电压", en="working voltage"),
    "anode_effects": Text(zh="阳极效应", en="anode effects"),
    "stopped_pots": Text(zh="停槽与启动", en="stopped and starting pots"),
    "current_efficiency": Text(zh="电流效率", en="current efficiency"),
    "rectifier": Text(zh="整流效率", en="rectifier efficiency"),
    "auxiliary": Text(zh="辅助用电", en="auxiliaries"),
    "other": Text(zh="其他（扣除项、四舍五入）", en="other (what is left out, rounding)"),
}
PARTS: Final = (*FACTORS, "auxiliary", "other")
TOTAL: Final = Text(zh="电耗变化合计", en="change of energy per tonne")
FIGURES: Final = ("liquid_comprehensive_ac", "liquid_ac")


def operation_of(lines: dict[str, Line], scope: str, figure: str) -> Operation | None:
    """How a place ran, from its lines; None when current, voltage or metal is not known."""

    def value(name: str) -> Decimal | None:
        line = lines.get(f"{scope}.{name}")
        return None if line is None else line.value

    total, dc, ac = value(figure), value("dc_specific"), value("ac_specific")
    efficiency = value("current_efficiency_tapping")
    if not total or not dc or not ac or not efficiency:
        return None
    volts = dc * efficiency / KWH_PER_T_PER_V
    known = value("ae_overvoltage")
    effects = Decimal(0) if known is None else known / 1000  # unknown: inside the working voltage
    rectifier, metal = value("electricity_rectifier"), value("aluminium")
    out = sum(((value(f"electricity_{x}") or Decimal(0)) for x in ("start", "short")), Decimal(0))
    stopped = volts * out / rectifier if rectifier else Decimal(0)
    auxiliary = Decimal(0)
    if figure == FIGURES[0] and metal:
        mwh = (value("electricity_aux") or Decimal(0)) + (value("electricity_fgd") or Decimal(0))
        auxiliary = mwh * 1000 / metal
    return Operation(
        total_kwh_per_t=total,
        working_v=volts - effects - stopped,
        effects_v=effects,
        stopped_v=stopped,
        current_efficiency=efficiency,
        rectifier_efficiency=dc / ac,
        auxiliary_kwh_per_t=auxiliary,
    )


def add_decomposition(basis: Basis, assembly: Assembly) -> Chapter | None:
    """The chapter and the lines ``<scope>.change_…``; None with nothing to compare with."""
    then = _before(basis)
    if then is None:
        return None
    before = _lines_of(basis, then)
    now = {key: line for key, line in assembly.lines.items() if "@" not in key}
    places = {line.id: words(line.name) for line in running(basis)}
    places[PLANT] = Text(zh="全厂", en="Plant")
    mix = _other_lines(basis, then)
    rows: list[tuple[Cell, ...]] = []
    for scope, place in places.items():
        found = _both(before, now, scope)
        if found is None:
            continue
        figure, runs, told = found
        parts: dict[str, Decimal | None] = {**shares_of_change(*runs)}
        if not told:
            parts["anode_effects"] = None
        _state(assembly, (scope, figure), parts, mix if scope == PLANT else None)
        total = sum((part for part in parts.values() if part is not None), Decimal(0))
        shown = [_shown(parts[name]) for name in PARTS]
        rows.append((place, now[f"{scope}.{figure}"].label, _shown(total), *shown))
    if not rows:
        return None
    title = Text(zh="电耗变化的原因", en="Why energy per tonne changed")
    return Chapter(title=title, blocks=_blocks(rows, then, mix))


def _shown(part: Decimal | None) -> Decimal | None:
    return None if part is None else part.quantize(Decimal("0.01")) + 0  # no minus zero


def _other_lines(basis: Basis, then: Period) -> Text | None:
    """Lines that did not run for the same share of both periods; they move the plant's figures."""
    now = basis.period
    moved = [
        line
        for line in basis.site.potline
        if days_run(line, then) * len(now.days) != days_run(line, now) * len(then.days)
    ]
    if not moved:
        return None
    zh = "、".join(words(line.name).zh for line in moved)
    en = ", ".join(words(line.name).en for line in moved)
    return Text(
        zh=f"两期运行的系列不同（{zh}）：全厂各项含系列构成变化的影响，未单列；请以各系列的分解为准",
        en=f"Not the same lines ran in both periods ({en}): every part of the plant holds the "
        "change in the mix of lines, which is not told apart; go by those of each line",
    )


def _both(
    before: dict[str, Line], now: dict[str, Line], scope: str
) -> tuple[str, tuple[Operation, Operation], bool] | None:
    """The widest figure of both periods, how the place ran, whether effects are told apart."""
    for figure in FIGURES:
        one, two = operation_of(before, scope, figure), operation_of(now, scope, figure)
        if one is not None and two is not None:
            known = [lines.get(f"{scope}.ae_overvoltage") for lines in (before, now)]
            told = all(line is not None and line.value is not None for line in known)
            if not told:
                one, two = (_without_effects(run) for run in (one, two))
            return figure, (one, two), told
    return None


def _without_effects(run: Operation) -> Operation:
    """Anode effects inside the working voltage: one period does not tell them apart."""
    return replace(run, working_v=run.working_v + run.effects_v, effects_v=Decimal(0))


def _before(basis: Basis) -> Period | None:
    """The same period a year before, else the month before a month; with metal entered."""
    months = {
        entry.figure.period.first.replace(day=1)
        for entry in basis.ledger.current().values()
        if entry.figure.kind.id == "aluminium_tapped"
    }
    wanted = [earlier(basis.period)]
    if basis.period.is_month:
        wanted.append(basis.period.previous)
    return next((p for p in wanted if p.months and all(m.first in months for m in p.months)), None)


def _lines_of(basis: Basis, period: Period) -> dict[str, Line]:
    if period.is_month:
        return _with_effects(of_month(basis, period)).assembly.lines
    return assemble(basis.of(period)).bench.assembly.lines


def _with_effects(bench: Bench) -> Bench:
    effects = Effects(bench.basis.series)
    for line in bench.potlines:
        add_effects(bench, effects, line)
    plant_sums(bench)
    for scope in bench.scopes:
        add_effect_rates(bench, scope)
    return bench


def _state(
    assembly: Assembly,
    of: tuple[str, str],
    parts: dict[str, Decimal | None],
    mix: Text | None,
) -> None:
    """Lines of a place and its figure; a part that is not known has none and stands in no sum."""
    scope, figure = of
    inputs = [assembly.from_line(figure, f"{scope}.{figure}")]
    notes = () if mix is None else (mix,)
    for name in PARTS:
        reason = REASONS[name]
        if name == "voltage" and parts["anode_effects"] is None:
            reason = _WITH_EFFECTS
        label = Text(zh=f"电耗变化：{reason.zh}", en=f"Change by {reason.en}")
        what = Head(scope, f"change_{name}", Section.ENERGY, label, "kWh/t", 2)
        if parts[name] is None:
            unstated(assembly, what, _EFFECTS_UNKNOWN)
        else:
            assembly.state(what, parts[name], How.COMPUTED, inputs, notes=notes)
    total = Head(scope, "change_total", Section.ENERGY, TOTAL, "kWh/t", 2)
    known = [f"{scope}.change_{name}" for name in PARTS if parts[name] is not None]
    assembly.put(assembly.add_up(total, known), notes=notes)


def _blocks(rows: list[tuple[Cell, ...]], then: Period, mix: Text | None) -> tuple[Block, ...]:
    parts = (Column(label=REASONS[name], unit="kWh/t", decimals=2, width=12) for name in PARTS)
    table = Table(
        id="change-reasons",
        title=Text(zh=f"与 {then} 相比的变化", en=f"Change against {then}"),
        columns=(
            Column(label=Text(zh="核算单元", en="Place")),
            Column(label=Text(zh="指标", en="Figure"), width=24),
            Column(label=Text(zh="合计", en="Total"), unit="kWh/t", decimals=2, width=12),
            *parts,
        ),
        rows=tuple(rows),
        note=Text(zh="各项之和等于合计（Shapley 分解）", en="the parts sum to the total (Shapley)"),
    )
    first: list[Block] = [Paragraph(text=_ABOUT)]
    if mix is not None:
        first.append(Paragraph(text=mix, tone="note"))
    return (*first, table)


_ABOUT: Final = Text(
    zh="电耗 = 2979.98 ×（工作电压 + 效应电压 + 停槽与启动折电压）/（电流效率 × 整流效率）"
    "+ 辅助用电。各因素的贡献取所有变化次序的平均（Shapley 值），与先后次序无关；"
    "效应过电压未知时该项不列（“—”），其影响含在工作电压一项中。",
    en="Energy = 2979.98 x (working + anode-effect + stopped-pot voltage) / (current efficiency x "
    "rectifier efficiency) + auxiliaries. Each factor's part is its mean over every order of "
    "changing (Shapley), so no order is preferred; where the overvoltage of anode effects is not "
    "known its part is not given (a dash), and the part of the working voltage holds it.",
)
_WITH_EFFECTS: Final = Text(
    zh="工作电压（含阳极效应，未能区分）", en="working voltage, anode effects not told apart inside"
)
_EFFECTS_UNKNOWN: Final = Text(
    zh="两期中至少一期的效应过电压未知：不单列，其影响含在“工作电压”一项中",
    en="the overvoltage of anode effects is not known in both periods: not told apart, it is "
    "inside the part of the working voltage",
)
