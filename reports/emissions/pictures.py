"""Pictures of the emissions report: hourly means against the limit, minutes of a day."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

import numpy as np

from drivers.model import Floats
from reports.basis import Basis
from reports.chapters import Paragraph
from reports.emissions.exceedances import limits_of
from reports.emissions.figures import label_of, maybe
from reports.emissions.hours import part_of
from reports.emissions.made import StackYear
from reports.emissions.minutes import read_minutes
from reports.emissions.states import AUTOMATIC, HOUR_NS, Bools, State
from reports.emissions.words import MARKS
from reports.periods import Period, clock_text
from reports.pictures import Axis, Chart, Curves, Event, Series, Threshold
from reports.values import Text
from reports.words import short_text

LONGEST_DAYS: Final = 92  # of one picture of hours: a quarter
SHADED_NS: Final = HOUR_NS  # automatic marks from that long on are shaded
TIME: Final = Axis(label=Text(zh="时间", en="time"))
SHADES: Final = (  # kinds of marks in the order of their colours
    *("calibration", "maintenance", "fault", "start_up", "shut_down"),
    *("stopped", "force_majeure"),
)
LIMIT: Final = Text(zh="限值", en="limit")


def hour_pictures(made: StackYear) -> Iterator[Chart | Paragraph]:
    """
    Hourly means of every pollutant, one panel each; long periods in several pictures.

    Where there is nothing to draw a sentence says so.
    """
    period = made.hours.period
    first = period.first
    while first < period.after:
        quarter = Period(first, first).whole_quarter
        after = min(quarter.after, period.after)
        whole = len(period.days) <= LONGEST_DAYS
        part = period if whole else Period(first, after)
        yield _hours(made, part) if _readings(made, part) else _nothing(made, part)
        first = period.after if whole else after


def _readings(made: StackYear, part: Period) -> bool:
    hours = part_of(made.hours, part)
    return any(np.isfinite(each.shown).any() for each in hours.pollutants.values())


def _nothing(made: StackYear, part: Period) -> Paragraph:
    name = made.stack.id
    return Paragraph(
        text=Text(
            zh=f"{name} {part} 没有任何浓度数据，不绘图。",
            en=f"{name}: no reading at all in {part}; there is nothing to draw.",
        )
    )


def _hours(made: StackYear, part: Period) -> Chart:
    hours, stack = part_of(made.hours, part), made.stack
    series: list[Series] = []
    thresholds: list[Threshold] = []
    panels: list[Axis] = []
    for panel, name in enumerate(stack.pollutants):
        each = hours.pollutants[name]
        limits, levels = limits_of(hours, stack, name)
        panels.append(_axis(name))
        series.append(_series(label_of(name), np.where(each.valid, each.converted, np.nan), panel))
        not_judged = np.where(each.having(State.VALID, State.OUTSIDE), np.nan, each.shown)
        if np.isfinite(not_judged).any():
            series.append(_series(_not_judged(name), not_judged, panel, points=True))
        if len(set(limits)) == 1 and limits[0] is not None:
            thresholds.append(_threshold(limits[0].hour_mg_m3, panel))
        elif np.isfinite(levels).any():
            step = _series(LIMIT, levels, panel)
            series.append(step.model_copy(update={"look": "step"}))
    return Chart(
        id=f"hours-{stack.id}-{part}",
        title=Text(
            zh=f"{stack.id} 小时均值与限值（{part}）",
            en=f"{stack.id}: hourly means, limits ({part})",
        ),
        caption=Text(
            zh="断开处为无有效小时均值；点为有读数但未参与判定的小时；阴影为标记、停运或失控时段。",
            en="Breaks: no valid mean. Points: hours with readings that are not judged. Shaded: "
            "marks, stops, times out of control.",
        ),
        picture=Curves(
            scale="time",
            across=TIME,
            x=tuple(_time(start_ns) for start_ns in hours.start_ns.tolist()),
            panels=tuple(panels),
            series=tuple(series),
            thresholds=tuple(thresholds),
            events=tuple(_shades(made, part)),
        ),
    )


def minute_picture(basis: Basis, made: StackYear) -> Chart:
    """The minutes of a day."""
    period, stack = made.hours.period, made.stack
    minutes = read_minutes(basis.series, basis.site, stack, period, made.rules.share)
    starts = [period.start_ns + n * 60_000_000_000 for n in range(len(minutes.running))]
    series, thresholds, panels = [], [], []
    for panel, name in enumerate(stack.pollutants):
        panels.append(_axis(name))
        series.append(_series(label_of(name), minutes.pollutants[name].converted, panel))
        limit = stack.limit(name, period.first)
        if limit is not None:
            label = Text(zh="小时均值限值", en="limit of the hourly mean")
            thresholds.append(Threshold(label=label, value=limit.hour_mg_m3, panel=panel))
    return Chart(
        id=f"minutes-{stack.id}-{period}",
        title=Text(
            zh=f"{stack.id} 分钟值（{period.first}）", en=f"{stack.id}: minutes, {period.first}"
        ),
        caption=Text(
            zh="限值针对小时均值，单个分钟高于限值不构成超标。",
            en="The limit is one of hourly means: a minute above it is no exceedance.",
        ),
        picture=Curves(
            scale="time",
            across=TIME,
            x=tuple(_time(start_ns) for start_ns in starts),
            panels=tuple(panels),
            series=tuple(series),
            thresholds=tuple(thresholds),
            events=tuple(_shades(made, period)),
        ),
    )


def _axis(name: str) -> Axis:
    return Axis(label=label_of(name), unit="mg/m3", zero=True)


def _not_judged(name: str) -> Text:
    label = label_of(name)
    return Text(zh=f"{label.zh}（未判定）", en=f"{label.en}, not judged")


def _threshold(value: Decimal, panel: int) -> Threshold:
    label = Text(zh=f"限值 {short_text(value)}", en=f"limit {short_text(value)}")
    return Threshold(label=label, value=value, panel=panel)


def _series(name: Text, values: Floats, panel: int, *, points: bool = False) -> Series:
    return Series(
        name=name,
        values=tuple(maybe(value, 2) for value in values.tolist()),
        look="points" if points else "line",
        panel=panel,
    )


def _shades(made: StackYear, part: Period) -> Iterator[Event]:
    """
    Marks of persons, long ones of the instrument, stops and times out of control.

    In the order of their kinds: so a kind has, as far as may be, one colour in all pictures.
    """
    for mark in sorted(made.hours.marks, key=lambda m: SHADES.index(m.kind)):
        long = mark.end_ns - mark.start_ns >= SHADED_NS
        if mark.number != AUTOMATIC or (long and mark.kind != "stopped"):
            yield from _shade(MARKS[mark.kind], mark.start_ns, mark.end_ns, part)
    for span in made.hours.out_of_control:
        yield from _shade(MARKS["out_of_control"], span.start_ns, span.end_ns, part)
    for first, after in _stops(made):
        start_ns = int(made.hours.start_ns[first])
        label = Text(zh="停运小时", en="hours the source stood")
        yield from _shade(label, start_ns, start_ns + (after - first) * HOUR_NS, part)


def _stops(made: StackYear) -> Iterator[tuple[int, int]]:
    each = next(iter(made.hours.pollutants.values()), None)
    if each is None:
        return
    stopped: Bools = np.concatenate([[False], each.having(State.STOPPED), [False]])
    edges = np.flatnonzero(np.diff(stopped.astype(np.int8)))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _shade(label: Text, start_ns: int, end_ns: int, part: Period) -> Iterator[Event]:
    last_ns = part.end_ns - HOUR_NS
    first, after = max(start_ns, part.start_ns), min(end_ns, last_ns)
    if first < after:
        yield Event(label=label, start=_time(first), end=_time(after))


def _time(time_ns: int) -> str:
    return clock_text(time_ns)[:16].replace(" ", "T")
