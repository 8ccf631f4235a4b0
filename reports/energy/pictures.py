"""Pictures of the energy report, from lines already stated and from series of the store."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

import numpy as np

from drivers.model import Floats
from reports.assembly import Assembly
from reports.basis import Basis
from reports.chapters import Block, Chapter, Paragraph
from reports.charts.of_energy import (
    duration_curve,
    energy_flow,
    level,
    months_with_levels,
    waterfall,
)
from reports.charts.of_pots import Effect, Trace, exchanger_trend, pot_heat_map, pot_trace
from reports.conclude import words
from reports.energy.assemble import Energy
from reports.energy.bench import Bench, running
from reports.energy.exchangers import State
from reports.energy.operation import hours_of
from reports.energy.pots import PotDays, read_pots
from reports.formulas.electrolysis import METAL_V, METAL_V_PER_CE
from reports.periods import PLANT_TIME, Period
from reports.pictures import Axis, Chart, Threshold, Tone
from reports.series.store import EventRecord, Windows
from reports.site import PLANT, Meter, Potline
from reports.values import Text

_GRADES: Final[tuple[tuple[int, Tone], ...]] = ((1, "target"), (2, "mean"), (3, "limit"))
PER_TONNE: Final = ("liquid_ac", "dc_specific")  # drawn by month
MOST_DAYS: Final = 62  # columns of a heat map; longer periods are shown by means of several days
KWH_PER_GJ: Final = Decimal("0.0036")  # GJ of one kWh
MEASURES: Final = (  # heat maps of a line: column of the pot days, axis, title
    ("voltage", Axis(label=Text(zh="槽电压", en="voltage"), unit="V", decimals=3)),
    ("ae_s", Axis(label=Text(zh="效应时间", en="time in anode effect"), unit="min/d", decimals=1)),
)


def months_pictures(made: Energy, places: Sequence[tuple[str, Text]]) -> Iterator[Chart]:
    """Electricity per tonne of each place by month, with the levels it is held against."""
    months = [str(piece.period) for piece in made.pieces]
    if len(months) < 2:
        return
    for name in PER_TONNE:
        lines = [
            (label, [made.bench.value(f"{scope}.{name}@{month}") for month in months])
            for scope, label in places
        ]
        known = [(label, values) for label, values in lines if any(v is not None for v in values)]
        sample = next(
            (line for s, _ in places if (line := made.bench.line(f"{s}.{name}")) is not None), None
        )
        if known and sample is not None:
            axis = Axis(label=sample.label, unit=sample.unit)
            levels = _levels(made.bench, places, name)
            yield months_with_levels(f"months-{name}", sample.label, axis, months, known, levels)


def _levels(bench: Bench, places: Sequence[tuple[str, Text]], name: str) -> list[Threshold | None]:
    """The limits that the level of any place was found by: inputs of its line."""
    for scope, _ in places:
        found = bench.line(f"{scope}.level_{name}")
        if found is None:
            continue
        limits = {x.name: x.value for x in found.inputs if x.name.startswith("limit_")}
        return [
            level(Text(zh=f"{grade} 级 {limit}", en=f"level {grade}: {limit}"), limit, tone)
            for grade, tone in _GRADES
            if (limit := limits.get(f"limit_{grade}")) is not None
        ]
    return []


def exchanger_picture(bench: Bench, state: State) -> Chart:
    """What is left of the clean UA, day by day."""
    return exchanger_trend(
        f"exchanger-ua-{state.exchanger.equipment}",
        state.exchanger.label,
        [day.day for day in state.days],
        state.ratios,
        bench.basis.site.energy.fouling_alarm,
        state.exchanger.cleaned,
    )


def flow_picture(bench: Bench) -> Chart | None:
    """The plant's electricity from the supply to what it did, GWh."""
    flows = _flows(bench)
    caption = Text(
        zh="按计量树；电解反应用电按 V = 0.48 + 1.65 × 电流效率估算，余热回收为净值，"
        "其中含阳极燃烧放热，仅供对照。",
        en="By the meter tree; the share of the reaction is estimated by V = 0.48 + 1.65 CE. Heat "
        "recovered is net and holds heat of burning anodes too: for comparison only.",
    )
    title = Text(zh="全厂能流图", en="Where the plant's energy goes")
    axis = Axis(label=Text(zh="能量", en="energy"), unit="MWh", decimals=0)
    return energy_flow("energy-flow", title, axis, flows, caption)


def _flows(bench: Bench) -> dict[tuple[str, str], Decimal | None]:
    def of(name: str) -> Decimal | None:
        return bench.value(f"{PLANT}.{name}")

    flows: dict[tuple[str, str], Decimal | None] = {}
    total, own = of("electricity_total"), of("green_own")
    users = {
        "rectifier": of("electricity_rectifier"),
        "aux": of("electricity_aux"),
        "fgd": of("electricity_fgd"),
        "cast": of("electricity_cast"),
    }
    used = sum((v for v in users.values() if v is not None), Decimal(0))
    supply = max(total or Decimal(0), used)
    if not supply:
        return {}
    flows["grid", "supply"] = supply - min(own or Decimal(0), supply)
    flows["own", "supply"] = None if own is None else min(own, supply)
    flows |= {("supply", user): value for user, value in users.items()}
    rest = supply - used
    flows["supply", "other"] = rest if rest > supply / 1000 else Decimal(0)
    return flows | _inside(bench, users["rectifier"])


def _inside(bench: Bench, rectifier: Decimal | None) -> dict[tuple[str, str], Decimal | None]:
    """Behind the rectifiers: what reaches the pots, and what becomes of it there."""
    direct = bench.value(f"{PLANT}.electricity_dc")
    if rectifier is None or direct is None or direct > rectifier:
        return {}
    flows: dict[tuple[str, str], Decimal | None] = {
        ("rectifier", "cells"): direct,
        ("rectifier", "rectifier_loss"): rectifier - direct,
    }
    volts = bench.value(f"{PLANT}.mean_voltage")
    efficiency = bench.value(f"{PLANT}.current_efficiency_tapping")
    if volts is None or efficiency is None or not 0 < efficiency <= 1:
        return flows
    reaction = direct * min(Decimal(1), (METAL_V + METAL_V_PER_CE * efficiency) / volts)
    heat = direct - reaction
    flows |= {("cells", "reaction"): reaction, ("cells", "heat"): heat}
    recovered = bench.value(f"{PLANT}.heat_net")
    if recovered is not None and recovered > 0:
        mwh = min(recovered / KWH_PER_GJ / 1000, heat)
        flows |= {("heat", "recovered"): mwh, ("heat", "lost"): heat - mwh}
    return flows


def add_pictures(basis: Basis, assembly: Assembly) -> Chapter | None:
    """A chapter of pictures: what moved the figure, duration curves, pots; None without any."""
    bench = Bench(basis, assembly)
    flow = flow_picture(bench)
    blocks: list[Block] = [] if flow is None else [flow]
    blocks += [*_changes(bench), *_durations(bench)]
    pots = read_pots(basis, [line.id for line in running(basis)])
    for days in pots.values():
        blocks += _heat_maps(basis, days)
    trace = _worst(basis, pots)
    if trace is not None:
        blocks.append(trace)
    if not blocks:
        return None
    first = Paragraph(text=_SOURCE, tone="note")
    return Chapter(title=Text(zh="图示", en="Pictures"), blocks=(first, *blocks))


_SOURCE: Final = Text(
    zh="各图由本报告的数据绘制，数值见 JSON 与 Excel；空白为无数据，不是零。",
    en="Drawn from the data of this report; numbers are in the JSON and the workbook. Blank means "
    "no data, not zero.",
)


def _changes(bench: Bench) -> Iterator[Chart]:
    """What moved the figure of each line against the period before; unknown parts have no step."""
    for line in bench.potlines:
        total = bench.value(f"{line.id}.change_total")
        first = bench.line(f"{line.id}.change_voltage")
        figure = None if first is None else bench.line(first.inputs[0].ref)
        if figure is None or figure.value is None or total is None:
            continue
        now = figure.value
        steps: list[tuple[Text, Decimal | None]] = [(Text(zh="对比期", en="before"), now - total)]
        told = bench.value(f"{line.id}.change_anode_effects") is not None
        for name, label in _NAMES.items():
            part = bench.value(f"{line.id}.change_{name}")
            if part is not None:
                merged = name == "voltage" and not told
                steps.append((_WITH_EFFECTS if merged else label, part))
        steps.append((Text(zh="本期", en="now"), now))
        place = words(line.name)
        title = Text(
            zh=f"{place.zh}{figure.label.zh}变化", en=f"{place.en}: what moved {figure.label.en}"
        )
        axis = Axis(label=figure.label, unit="kWh/t", decimals=1)
        yield waterfall(f"change-{line.id}", title, axis, steps)


_WITH_EFFECTS: Final = Text(zh="槽电压（含效应）", en="voltage, with effects")
_NAMES: Final = {
    "voltage": Text(zh="槽电压", en="voltage"),
    "current_efficiency": Text(zh="电流效率", en="current efficiency"),
    "anode_effects": Text(zh="阳极效应", en="anode effects"),
    "stopped_pots": Text(zh="停槽", en="stopped pots"),
    "rectifier": Text(zh="整流", en="rectifiers"),
    "auxiliary": Text(zh="辅助", en="auxiliaries"),
    "other": Text(zh="其他", en="other"),
}


def _durations(bench: Bench) -> Iterator[Chart]:
    """How long each line carried which current."""
    for line in bench.potlines:
        current = hours_of(bench, line).current
        if not np.isfinite(current).any():
            continue
        name = words(line.name)
        title = Text(zh=f"{name.zh}系列电流持续曲线", en=f"{name.en}: duration of the line current")
        axis = Axis(label=Text(zh="电流（小时均值）", en="current, hourly means"), unit="kA")
        design = level(_design(line), line.design_current_ka, "mean")
        yield duration_curve(
            f"duration-{line.id}", title, axis, [(name, current.tolist())], [design]
        )


def _design(line: Potline) -> Text:
    amount = f"{line.design_current_ka:f} kA"
    return Text(zh=f"设计 {amount}", en=f"design {amount}")


def _heat_maps(basis: Basis, days: PotDays) -> Iterator[Chart]:
    """The pots of a line day by day; of a long period by means of several days."""
    line = next(line for line in basis.site.potline if line.id == days.line)
    name = words(line.name)
    step = max(1, -(-len(days.period.days) // MOST_DAYS))
    for column, axis in MEASURES:
        values = days.values[column] / (60.0 if column == "ae_s" else 1.0)
        if not np.isfinite(values).any() or (column == "ae_s" and not np.nansum(values) > 0):
            continue
        caption = None
        if step > 1:
            caption = Text(
                zh=f"每格为 {step} 天均值。", en=f"Each cell is the mean of {step} days."
            )
        title = Text(
            zh=f"{name.zh}各槽{axis.label.zh}", en=f"{name.en}: {axis.label.en} of each pot"
        )
        yield pot_heat_map(
            f"pots-{column}-{days.line}",
            title,
            axis,
            days.pots,
            days.period.days[::step],
            _bunched(values, step).T.tolist(),
            caption=caption,
        )


def _bunched(values: Floats, step: int) -> Floats:
    """Means of every ``step`` rows; NaN where none of them is known."""
    rows = []
    for first in range(0, len(values), step):
        part = values[first : first + step]
        count = np.isfinite(part).sum(axis=0)
        total = np.nansum(part, axis=0)
        rows.append(np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0))
    return np.array(rows)


def _worst(basis: Basis, pots: dict[str, PotDays]) -> Chart | None:
    """The pot and day with most seconds in anode effect; None when there was no effect."""
    worst: tuple[float, str, date] | None = None
    for days in pots.values():
        seconds = np.nan_to_num(days.values["ae_s"])
        at = np.unravel_index(int(seconds.argmax()), seconds.shape)
        found = (float(seconds[at]), days.pots[at[1]], days.period.days[int(at[0])])
        if found[0] > 0 and (worst is None or found > worst):
            worst = found
    if worst is None:
        return None
    _, pot, day = worst
    span = Period(day, day + timedelta(days=1))
    volts = basis.series.windows(Meter(pot, "pot.voltage"), span.start_ns, span.end_ns)
    ohms = basis.series.windows(Meter(pot, "pot.pseudo_resistance"), span.start_ns, span.end_ns)
    effects = [e for e in basis.series.events(pot, span) if e.kind == "anode_effect"]
    if not len(volts):
        return None
    step_ns = int(np.median(volts.period_ns))
    trace = Trace(
        pot,
        datetime.combine(day, datetime.min.time()),
        _steps(volts, volts.mean, span, step_ns),
        _steps(ohms, ohms.mean, span, step_ns),
        step=timedelta(seconds=step_ns // 10**9),
        highest_v=_steps(volts, volts.high, span, step_ns),
    )
    return pot_trace(trace, [_effect(event, span) for event in effects])


def _steps(windows: Windows, values: Floats, span: Period, step_ns: int) -> list[float]:
    """The steps of the day; NaN where there is no window. Windows without extremes are flat."""
    column = np.full(-(-(span.end_ns - span.start_ns) // step_ns), np.nan)
    shown = np.where(np.isfinite(values), values, windows.mean)
    column[(windows.start_ns - span.start_ns) // step_ns] = shown
    found: list[float] = column.tolist()
    return found


def _effect(event: EventRecord, span: Period) -> Effect:
    """An event in plant time; one that still lasts is drawn to the end of the day."""
    ends = event.end_ns if event.end_ns is not None else span.end_ns
    start, end = (
        datetime.fromtimestamp(ns // 10**9, PLANT_TIME).replace(tzinfo=None)
        for ns in (event.start_ns, ends)
    )
    peak = getattr(event, "peak", None)
    return Effect(start, end, None if peak is None else float(peak))
