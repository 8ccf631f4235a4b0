"""Pictures of pots: the line as a heat map, one pot with its anode effects."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from reports.charts.thinning import Value, envelope, figure, figures_of
from reports.pictures import Axis, Chart, Curves, Event, HeatMap, Series, Threshold
from reports.values import Text

STRETCHES: Final = 720  # of a trace; as many as a page can show
POT: Final = Text(zh="槽号", en="pot")
EFFECT: Final = Text(zh="阳极效应", en="Anode effect")
_MINUTE: Final = timedelta(minutes=1)
_VOLTAGE: Final = Text(zh="槽电压", en="Voltage")
_RESISTANCE: Final = Text(zh="槽电阻", en="Resistance")
_PANELS: Final = (
    Axis(label=Text(zh="槽电压", en="voltage"), unit="V"),
    Axis(label=Text(zh="槽电阻", en="resistance"), unit="μΩ"),
)


def pot_heat_map(  # noqa: PLR0913 - a picture has a name, a title, two edges and a measure
    identity: str,
    title: Text,
    measure: Axis,
    pots: Sequence[str],
    days: Sequence[date],
    rows: Sequence[Sequence[Value]],
    *,
    middle: Value = None,
    caption: Text | None = None,
) -> Chart:
    """``rows`` are pots by days; what is not there is shown as not there."""
    return Chart(
        id=identity,
        title=title,
        caption=caption,
        picture=HeatMap(
            x=_day_names(days),
            y=tuple(pot.rpartition("/")[2].removeprefix("pot") for pot in pots),
            across=Axis(label=_span(days)),
            down=Axis(label=POT),
            measure=measure,
            cells=tuple(figures_of(row, 4) for row in rows),
            middle=figure(middle, 4),
        ),
    )


def _day_names(days: Sequence[date]) -> tuple[str, ...]:
    """``5`` inside one month, ``11-5`` where several are shown."""
    one = (days[0].year, days[0].month) == (days[-1].year, days[-1].month)
    return tuple(str(day.day) if one else f"{day.month}-{day.day}" for day in days)


def _span(days: Sequence[date]) -> Text:
    first, last = days[0], days[-1]
    return Text(zh=f"{first} 至 {last}，日", en=f"day, {first} to {last}")


def pot_floor(
    identity: str,
    title: Text,
    measure: Axis,
    pots: Sequence[str],
    values: Sequence[Value],
    across: int = 40,
) -> Chart:
    """The line as it stands: one cell per pot, ``across`` pots in a row."""
    rows = [range(n, min(n + across, len(pots))) for n in range(0, len(pots), across)]
    names = [pot.rpartition("/")[2].removeprefix("pot") for pot in pots]
    cells = tuple(
        figures_of([values[k] for k in row] + [None] * (across - len(row)), 4) for row in rows
    )
    return Chart(
        id=identity,
        title=title,
        picture=HeatMap(
            x=tuple(f"+{n}" for n in range(across)),
            y=tuple(names[row[0]] for row in rows),
            across=Axis(label=Text(zh="自行首起", en="from the first pot of the row")),
            down=Axis(label=POT),
            measure=measure,
            cells=cells,
        ),
    )


@dataclass(frozen=True, slots=True)
class Effect:
    """An anode effect of the pot shown; voltages in V."""

    start: datetime  # plant time without offset
    end: datetime
    peak_v: float | None = None


@dataclass(frozen=True, slots=True)
class Trace:
    """One pot from ``start`` on (plant time without offset), a value each ``step``, or None."""

    pot: str
    start: datetime
    voltage_v: Sequence[Value]
    resistance_uohm: Sequence[Value]
    step: timedelta = _MINUTE
    highest_v: Sequence[Value] = ()  # of each step, when it is known


def pot_trace(trace: Trace, effects: Sequence[Effect], *, cut_v: Value = 6) -> Chart:
    """Voltage above, resistance below, anode effects across; volts above ``cut_v`` are cut off."""
    volts = envelope(trace.voltage_v, STRETCHES)
    ohms = envelope([*trace.resistance_uohm] or [None] * len(trace.voltage_v), STRETCHES)
    highs = envelope(trace.highest_v, STRETCHES).highs if trace.highest_v else volts.highs
    times = [trace.start + trace.step * n for n in volts.starts]
    last = times[-1] if times else trace.start
    name = trace.pot
    shown = any(value is not None for value in ohms.means)  # else there is no second panel
    series = [Series(name=_VOLTAGE, values=volts.means, low=volts.lows, high=highs)]
    if shown:
        second = Series(
            name=_RESISTANCE, values=ohms.means, low=ohms.lows, high=ohms.highs, panel=1
        )
        series.append(second)
    axis = _PANELS[0].model_copy(update={"highest": figure(cut_v)})
    marked = tuple(_event(e) for e in effects if e.end >= trace.start and e.start <= last)
    cut = any(high is not None and cut_v is not None and high > cut_v for high in highs)
    return Chart(
        id=f"trace_{name.replace('/', '_')}",
        title=_trace_title(name, resistance=shown, effects=bool(marked)),
        caption=_trace_caption(
            cut_v if cut else None, peaks=any(figure(e.peak_v, 3) is not None for e in effects)
        ),
        picture=Curves(
            scale="time",
            across=Axis(label=Text(zh="北京时间", en="plant time")),
            x=tuple(time.isoformat(timespec="minutes") for time in times),
            panels=(axis, _PANELS[1]) if shown else (axis,),
            series=tuple(series),
            events=marked,
        ),
    )


def _trace_title(name: str, *, resistance: bool, effects: bool) -> Text:
    """What the picture shows, and nothing that it does not."""
    zh, en = ("槽电压与槽电阻", "voltage and resistance") if resistance else ("槽电压", "voltage")
    if effects:
        zh, en = f"{zh}（含阳极效应）", f"{en} with its anode effects"
    return Text(zh=f"{name} {zh}", en=f"{name}: {en}")


def _trace_caption(cut_v: Value, *, peaks: bool) -> Text:
    """How to read it; ``cut_v`` is None where nothing is cut off."""
    zh, en = (
        "线为均值，色带为最小至最大；空白为无数据",
        "Line: means, band: lowest to highest; blank: no data",
    )
    if cut_v is not None:
        zh, en = f"{zh}；{cut_v} V 以上截断", f"{en}; cut off above {cut_v} V"
        if peaks:
            zh, en = f"{zh}，效应峰值见标注", f"{en}, peaks are said at the effects"
    return Text(zh=f"{zh}。", en=f"{en}.")


def _event(effect: Effect) -> Event:
    seconds = round((effect.end - effect.start).total_seconds())
    peak = figure(effect.peak_v, 3)
    note = Text(zh=f"{seconds} 秒", en=f"{seconds} s")
    if peak is not None:
        note = Text(zh=f"{note.zh}，峰值 {peak} V", en=f"{note.en}, peak {peak} V")
    return Event(
        label=EFFECT,
        start=effect.start.isoformat(timespec="seconds"),
        end=effect.end.isoformat(timespec="seconds"),
        note=note,
    )


def exchanger_trend(
    identity: str,
    name: Text,
    days: Sequence[date],
    ratios: Sequence[Value],
    alarm: Value,
    cleaned: Sequence[date] = (),
) -> Chart:
    """UA of an exchanger over its clean UA by day, the alarm across, cleanings as events."""
    known = dict(zip(days, ratios, strict=True))
    count = (days[-1] - days[0]).days + 1 if days else 0
    all_days = [days[0] + timedelta(days=n) for n in range(count)]
    limit = figure(alarm)
    thresholds: tuple[Threshold, ...] = ()
    if limit is not None:
        label = Text(zh=f"报警 {limit}", en=f"alarm {limit}")
        thresholds = (Threshold(label=label, value=limit),)
    return Chart(
        id=identity,
        title=Text(zh=f"{name.zh}：UA 与清洁值之比", en=f"{name.en}: UA over clean UA"),
        caption=Text(
            zh="日均值，已按流量修正；空白为数据不足的日子。",
            en="Daily means at the same flow; blank: days without enough data.",
        ),
        picture=Curves(
            scale="time",
            across=Axis(label=Text(zh="日期", en="day")),
            x=tuple(day.isoformat() for day in all_days),
            panels=(Axis(label=Text(zh="UA / UA（清洁）", en="UA / clean UA")),),
            series=(
                Series(
                    name=Text(zh="UA 比", en="UA ratio"),
                    values=figures_of(known.get(day) for day in all_days),
                ),
            ),
            thresholds=thresholds,
            events=tuple(
                Event(
                    label=Text(zh="清洗", en="Cleaned"), start=day.isoformat(), end=day.isoformat()
                )
                for day in cleaned
                if all_days and all_days[0] <= day <= all_days[-1]
            ),
        ),
    )
