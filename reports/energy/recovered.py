"""Waste heat: what the exchangers recovered, less what their fans and pumps took, and its worth."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Final

from reports.carbon.auxiliary import read_all
from reports.energy.bench import Bench, Wanted, by_time, head, stated, unstated, worked
from reports.energy.electricity import KWH, MWH
from reports.energy.specific import COAL
from reports.metered import amount
from reports.model import Coverage, How, Line
from reports.rules.packs import RuleError
from reports.series.store import TimeOn
from reports.site import PLANT
from reports.site_energy import Exchanger
from reports.values import Text

GJ_PER_KWH: Final = Decimal("0.0036")
FACTORS: Final = "cn_ets_aluminium_2024"
L_HEAT: Final = Text(zh="余热回收量（毛）", en="Heat recovered, gross")
L_POWER: Final = Text(zh="换热增加的风机、水泵用电", en="Extra electricity of fans and pumps")
L_NET: Final = Text(zh="余热回收量（净，扣除增加的用电）", en="Heat recovered, net of that")
L_COAL: Final = Text(zh="净回收热量折标煤", en="Net heat as standard coal")
L_CO2: Final = Text(zh="净回收热量相当的二氧化碳", en="CO2 of as much purchased heat")
HEAT_FLOW: Final = "heat_recovery.heat_flow"
POWERS: Final = ("heat_recovery.fan_power", "heat_recovery.pump_power")
_NO_POWER: Final = Text(
    zh="没有风机、水泵功率：净值无法给出", en="no power of fans and pumps: no net figure"
)


def add_recovered(bench: Bench) -> None:
    """Heat and extra power of every exchanger of the piece, and what was made of the heat."""
    exchangers = bench.exchangers
    if exchangers:
        power = [row for name in POWERS for row in bench.basis.series.time_on(name, bench.period)]
        flow: list[TimeOn] | None = None
        for exchanger in exchangers:
            if _counted(bench, exchanger).how is How.NONE:
                if flow is None:
                    flow = bench.basis.series.time_on(HEAT_FLOW, bench.period)
                _integrated(bench, exchanger, flow)
            _power(bench, exchanger, power)
    for name, unit, zh, en in (
        ("heat_power", MWH, "余热发电量", "Power made of waste heat"),
        ("heat_supplied", "GJ", "余热供热量", "Waste heat used for heating"),
    ):
        stated(bench, Wanted(name, name, Text(zh=zh, en=en), unit), None)


def _name(name: str, exchanger: Exchanger) -> str:
    return f"{name}.{exchanger.equipment}"


def _counted(bench: Bench, exchanger: Exchanger) -> Line:
    """By the counter of the exchanger; not stated when it has no reading at all."""
    label = _of(L_HEAT, exchanger)
    what = head(PLANT, _name("heat_recovered", exchanger), label, "GJ")
    span = worked(exchanger, bench.period)
    metered = read_all(bench.assembly, bench.basis.series, exchanger.counters, span)
    value = metered.argument.input.value
    if value is None:
        for meter in exchanger.counters:
            del bench.assembly.meters[str(meter)]
        return unstated(bench.assembly, what)
    return bench.assembly.state(
        what, value, How.METERED, metered.inputs, coverage=metered.coverage, notes=metered.notes
    )


def _integrated(bench: Bench, exchanger: Exchanger, flow: list[TimeOn]) -> None:
    """By the heat flow, over the time for which it was known."""
    mine = _of_days(flow, exchanger)
    what = head(PLANT, _name("heat_recovered", exchanger), _of(L_HEAT, exchanger), "GJ")
    if not mine:
        why = Text(
            zh=f"{exchanger.equipment} 既无热量表读数，也无热功率",
            en=f"{exchanger.equipment}: neither a heat counter nor a heat flow",
        )
        bench.assembly.state(what, None, How.MISSING, [], missing=[why])
        return
    gj = amount(sum(row.on_s for row in mine)) / 1_000_000  # kW·s
    line = bench.assembly.state(what, gj, How.METERED, [], coverage=_known(bench, exchanger, mine))
    bench.assembly.put(line, equation="Q = ∫ q dt")


def _of_days(rows: list[TimeOn], exchanger: Exchanger) -> list[TimeOn]:
    """Those of the exchanger, of days on which it worked."""
    return [
        row
        for row in rows
        if row.equipment == exchanger.equipment
        and exchanger.works_in(row.day, row.day + timedelta(days=1))
    ]


def _known(bench: Bench, exchanger: Exchanger, rows: list[TimeOn]) -> Coverage:
    hours = worked(exchanger, bench.period).hours
    share = amount(sum(row.good_s for row in rows)) / (hours * 3600)
    shown = min(Decimal(1), share).quantize(Decimal("0.0001"))
    text = Text(zh=f"已知时间 {shown * 100:.2f} %", en=f"known for {shown * 100:.2f} % of the time")
    return Coverage(share=shown, text=text)


def _power(bench: Bench, exchanger: Exchanger, rows: list[TimeOn]) -> None:
    mine = _of_days(rows, exchanger)
    what = head(PLANT, _name("heat_extra_power", exchanger), _of(L_POWER, exchanger), MWH)
    if not mine:
        unstated(bench.assembly, what)
        return
    mwh = amount(sum(row.on_s for row in mine)) / 3_600_000
    line = bench.assembly.state(what, mwh, How.METERED, [])
    bench.assembly.put(line, equation="W = ∫ (P_fan + P_pump) dt")


def _of(label: Text, exchanger: Exchanger) -> Text:
    name = exchanger.label
    return Text(zh=f"{label.zh}：{name.zh}", en=f"{label.en}: {name.en}")


def add_heat_coverage(whole: Bench, pieces: Sequence[Bench]) -> None:
    """Of each exchanger over all pieces: by the time for which it worked in each of them."""
    for exchanger in whole.exchangers:
        line = whole.line(f"{PLANT}.{_name('heat_recovered', exchanger)}")
        if line is None:
            continue
        hours = {
            f"{line.id}@{piece.period}": worked(exchanger, piece.period).hours
            for piece in pieces
            if exchanger in piece.exchangers
        }
        whole.assembly.put(line, coverage=by_time(whole, hours))


def add_recovered_total(bench: Bench) -> None:
    """Gross, net, coal and CO2 from the lines of the exchangers on the bench."""
    exchangers = bench.exchangers
    if not exchangers:
        return
    assembly = bench.assembly
    heats = [f"{PLANT}.{_name('heat_recovered', each)}" for each in exchangers]
    powers = [f"{PLANT}.{_name('heat_extra_power', each)}" for each in exchangers]
    gross = assembly.add_up(head(PLANT, "heat_recovered", L_HEAT, "GJ"), heats)
    hours = (worked(each, bench.period).hours for each in exchangers)
    assembly.put(gross, coverage=by_time(bench, dict(zip(heats, hours, strict=True))))
    net = head(PLANT, "heat_net", L_NET, "GJ")
    what = head(PLANT, "heat_extra_power", L_POWER, MWH)
    if any(bench.value(identity) is None for identity in powers):
        for each in (what, net):
            unstated(assembly, each, _NO_POWER)
    else:
        power = assembly.add_up(what, powers)
        inputs = [assembly.from_line(line.id, line.id) for line in (gross, power)]
        taken = (power.value or Decimal(0)) / KWH * GJ_PER_KWH
        value = None if gross.value is None else gross.value - taken
        missing = inputs[0].missing
        line = assembly.state(net, value, How.COMPUTED, inputs, missing=missing)
        assembly.put(line, equation="Q_net = Q − 3.6 × W")
    _worth(bench)


def _worth(bench: Bench) -> None:
    """Coal and CO2 of the net heat; of the gross one where no power is known, and that is said."""
    assembly = bench.assembly
    name = "heat_net" if bench.value(f"{PLANT}.heat_net") is not None else "heat_recovered"
    notes = [] if name == "heat_net" else [_NO_POWER]
    heat = assembly.from_line("gj_heat", f"{PLANT}.{name}")
    coal = assembly.law_or_absent("kgce_per_unit", COAL, "heat")
    basis = Text(zh="折标口径：热力当量值", en="basis: equivalent value of heat")
    assembly.compute(
        head(PLANT, "heat_tce", L_COAL, "tce"),
        "standard_coal",
        [heat, coal],
        key="tce",
        words={"basis": "equivalent"},
        notes=[*notes, basis],
    )
    what = head(PLANT, "heat_co2", L_CO2, "tCO2")
    try:
        factor = assembly.law("factor_t_per_gj", assembly.legal(FACTORS, "heat_factor"))
    except RuleError:
        unstated(assembly, what)
        return
    basis = Text(
        zh="口径：替代外购热力，按其排放因子；不计入排放报告",
        en="basis: it stands in for purchased heat, at its factor; not part of the carbon report",
    )
    heat_gj = assembly.from_line("heat_gj", f"{PLANT}.{name}")
    assembly.compute(what, "indirect_co2_heat", [heat_gj, factor], notes=[*notes, basis])
