"""One pot: its curves with the line beside it, what happened to it, what it is now."""

from datetime import date
from typing import Any, Final

import numpy as np

from drivers.language import say
from drivers.model import ConfigError, Floats
from reports.console.figures.potline_times import (
    SECOND_NS,
    SPANS,
    Stretch,
    line_of,
    newest_day,
    now_ns,
    stretch_of,
)
from reports.console.figures.potlines import numbered, plain, weighted
from reports.console.figures.potlines_list import newest_figure
from reports.console.office import Office
from reports.periods import Period, clock_text, plant_now
from reports.series.minutes import MINUTE_S
from reports.series.store import EventRecord, Series, SeriesError, Windows, open_series
from reports.site import Meter, Potline
from reports.values import Text

VOLTAGE: Final = "pot.voltage"
CURVES: Final = (  # quantity, name, unit, decimals, panel
    (VOLTAGE, Text(zh="槽电压", en="Voltage"), "V", 3, "voltage"),
    ("pot.set_voltage", Text(zh="设定电压", en="Set voltage"), "V", 3, "voltage"),
    ("pot.pseudo_resistance", Text(zh="计算槽电阻", en="Pseudo-resistance"), "µΩ", 2, "resistance"),
    ("pot.swing", Text(zh="摆动（计算值）", en="Swing, computed"), "mV", 1, "noise"),
    ("pot.noise_lf", Text(zh="低频噪声", en="Low-frequency noise"), "mV", 1, "noise"),
    ("pot.flicker", Text(zh="针振（计算值）", en="Flicker, computed"), "mV", 1, "noise"),
    ("pot.noise_hf", Text(zh="高频噪声", en="High-frequency noise"), "mV", 1, "noise"),
    ("pot.bath_temperature", Text(zh="电解质温度", en="Bath temperature"), "℃", 1, "bath"),
    ("pot.feed_interval", Text(zh="下料间隔", en="Feed interval"), "s", 0, "feed"),
)
PANELS: Final = {
    "voltage": Text(zh="电压", en="Voltage"),
    "resistance": Text(zh="槽电阻", en="Resistance"),
    "noise": Text(zh="噪声", en="Noise"),
    "bath": Text(zh="电解质温度", en="Bath temperature"),
    "feed": Text(zh="下料间隔", en="Feed interval"),
}
STEPS_S: Final = {"24h": 60, "7d": 600}
HOUR_S: Final = 3600
KINDS: Final = {
    "anode_effect": Text(zh="阳极效应", en="anode effect"),
    "anode_effect_warning": Text(zh="效应预警", en="anode-effect warning"),
    "unstable": Text(zh="电压摆动", en="unstable"),
}
NOW_S: Final = 600
FACTS: Final = (  # what the head of the page says, newest minute of each
    ("pot.voltage", Text(zh="槽电压", en="Voltage"), "V", 3),
    ("pot.set_voltage", Text(zh="设定电压", en="Set voltage"), "V", 3),
    ("pot.pseudo_resistance", Text(zh="计算槽电阻", en="Pseudo-resistance"), "µΩ", 2),
    ("pot.swing", Text(zh="摆动（计算值）", en="Swing, computed"), "mV", 1),
    ("pot.bath_temperature", Text(zh="电解质温度", en="Bath temperature"), "℃", 1),
    ("pot.metal_level", Text(zh="铝水平", en="Metal level"), "cm", 1),
    ("pot.feed_interval", Text(zh="下料间隔", en="Feed interval"), "s", 0),
    ("pot.ae_risk", Text(zh="效应预警分（0–4）", en="Signs of an effect (0–4)"), "", 0),
)


def span_of(office: Office, span: str, until: str) -> Stretch:
    """
    24 h or 7 d that end now, or with the day ``until``.

    Without ``until`` and without data of today they end with the newest day there is. Raises
    ConfigError.
    """
    if span not in SPANS:
        known = ", ".join(SPANS)
        raise ConfigError(
            [say(f"时段 {span!r} 无法识别；请写 {known}", f"no span {span!r}; write {known}")]
        )
    today, newest = plant_now().date(), newest_day(office)
    if not until and newest is not None and newest < today:
        until = str(newest)
    end_ns = min(stretch_of(until).end_ns, now_ns()) if until else now_ns()
    return Stretch.between_ns(end_ns - int(SPANS[span].total_seconds()) * SECOND_NS, end_ns)


def curves(office: Office, line: str, pot: str, span: str, until: str = "") -> dict[str, Any]:
    """Curves of a pot in even steps; voltage with lowest and highest of each step."""
    line_of(office, line)
    period, equipment = span_of(office, span, until), f"{line}/{pot}"
    others = [Meter(equipment, each[0]) for each in CURVES[1:]]
    try:
        with open_series(office.site) as series:
            volts = series.windows(Meter(equipment, VOLTAGE), period.start_ns, period.end_ns)
            grid = series.minutes(others, period)
            events = _events(series, equipment, period)
    except SeriesError as error:
        raise ConfigError([str(error)]) from None
    step_s = STEPS_S[span]
    if len(volts):  # hours that were imported stay hours
        step_s = max(step_s, int(np.median(volts.period_ns)) // SECOND_NS)
    found = [_voltage(volts, period, step_s)]
    for row, each in enumerate(CURVES[1:]):
        values = grouped(grid.mean[row], grid.good[row], step_s // MINUTE_S)
        found.append(_curve(each, values))
    return _head(period, step_s) | {
        "equipment": equipment,
        "panels": {key: text.of(say("zh", "en")) for key, text in PANELS.items()},
        "curves": [each for each in found if any(v is not None for v in each["values"])],
        "events": events,
    }


def _curve(each: tuple[str, Text, str, int, str], values: Floats) -> dict[str, Any]:
    quantity, name, unit, decimals, panel = each
    return {
        "quantity": quantity,
        "name": name.of(say("zh", "en")),
        "unit": unit,
        "decimals": decimals,
        "panel": panel,
        "values": plain(values, decimals + 1),
    }


def _voltage(windows: Windows, period: Stretch, step_s: int) -> dict[str, Any]:
    """With lowest and highest of each step."""
    curve = _curve(CURVES[0], stepped(windows, windows.mean, period, step_s))
    for key, values in (("low", windows.low), ("high", windows.high)):
        edge = np.where(np.isfinite(values), values, windows.mean)
        curve[key] = plain(stepped(windows, edge, period, step_s, key), 4)
    return curve


def grouped(values: Floats, weights: Floats, size: int) -> Floats:
    """Weighted means of every ``size`` minutes; NaN where none of them is known."""
    count = -(-len(values) // size)
    padded = np.full((2, count * size), np.nan)
    padded[0, : len(values)], padded[1, : len(values)] = values, weights
    return weighted(padded[0].reshape(count, size), padded[1].reshape(count, size))


def _head(period: Stretch, step_s: int) -> dict[str, Any]:
    return {
        "start_s": period.start_ns // SECOND_NS,
        "end_s": period.end_ns // SECOND_NS,
        "step_s": step_s,
        "start": clock_text(period.start_ns),
        "end": clock_text(period.end_ns),
    }


def stepped(
    windows: Windows, values: Floats, period: Stretch, step_s: int, edge: str = ""
) -> Floats:
    """Values in even steps: means by good time, or the ``low`` or ``high`` edge; NaN = unknown."""
    step_ns = step_s * SECOND_NS
    count = -(-(period.end_ns - period.start_ns) // step_ns)
    known = np.isfinite(values)
    at = ((windows.start_ns - period.start_ns) // step_ns)[known]
    use = values[known]
    if edge:
        found = np.full(count, np.nan)
        (np.fmax if edge == "high" else np.fmin).at(found, at, use)
        return found
    weight = np.nan_to_num(windows.good[known], nan=1.0) * windows.period_ns[known]
    total = np.bincount(at, weights=use * weight, minlength=count)
    amount = np.bincount(at, weights=weight, minlength=count)
    mean: Floats = np.divide(total, amount, out=np.full(count, np.nan), where=amount > 0)
    return mean


def of_line(office: Office, line: str, span: str, until: str = "") -> dict[str, Any]:
    """Voltage of the pots of a line by the hour: quartiles, and how many pots are in them."""
    potline, period = line_of(office, line), span_of(office, span, until)
    hours = int((period.end_ns - period.start_ns) // (HOUR_S * SECOND_NS))
    try:
        with open_series(office.site) as series:
            parts = [_quartiles(series, potline, part) for part in _parts(period, min(hours, 24))]
    except SeriesError as error:
        raise ConfigError([str(error)]) from None
    low, middle, high, pots = (np.concatenate([part[k] for part in parts]) for k in range(4))
    return _head(period, HOUR_S) | {
        "low": plain(low, 4),
        "middle": plain(middle, 4),
        "high": plain(high, 4),
        "pots": [int(n) for n in pots],
    }


def _parts(period: Stretch, hours: int) -> list[Stretch]:
    """A day at a time: the minutes of a week of 400 pots would be many."""
    size = hours * HOUR_S * SECOND_NS
    starts = range(period.start_ns, period.end_ns, size)
    return [Stretch.between_ns(start, min(start + size, period.end_ns)) for start in starts]


def _quartiles(
    series: Series, line: Potline, part: Stretch
) -> tuple[Floats, Floats, Floats, Floats]:
    grid = series.minutes([Meter(pot, "pot.voltage") for pot in numbered(line)], part)
    count = grid.minutes // 60
    known = np.isfinite(grid.mean[:, : count * 60])
    shape = (len(grid.points), count, 60)
    amount = known.reshape(shape).sum(axis=2)
    total = np.where(known, grid.mean[:, : count * 60], 0.0).reshape(shape).sum(axis=2)
    means = np.divide(total, amount, out=np.full(total.shape, np.nan), where=amount > 0)
    seen = np.isfinite(means).sum(axis=0)
    found = np.full((3, count), np.nan)
    for hour in np.flatnonzero(seen):
        column = means[:, hour]
        found[:, hour] = np.quantile(column[np.isfinite(column)], (0.25, 0.5, 0.75))
    return found[0], found[1], found[2], seen.astype(np.float64)


def _events(series: Series, equipment: str, period: Period) -> list[dict[str, Any]]:
    """Newest first."""
    return [_event(each) for each in reversed(series.events(equipment, period))]


def _event(event: EventRecord) -> dict[str, Any]:
    kind = KINDS.get(event.kind)
    ended = event.end_ns is not None
    return {
        "id": event.id,
        "kind": event.kind,
        "name": event.kind if kind is None else kind.of(say("zh", "en")),
        "start": clock_text(event.start_ns),
        "start_s": event.start_ns / SECOND_NS,
        "end": clock_text(event.end_ns) if event.end_ns is not None else None,
        "end_s": event.end_ns / SECOND_NS if event.end_ns is not None else None,
        "lasts": not ended,
        "seconds": event.amount if event.kind == "anode_effect" else _lasted(event),
        "peak_v": event.peak,
        "mean_v": event.mean,
        "overvoltage_vs": event.integral,
        "gap_s": event.gap,
        "amount": None if event.kind == "anode_effect" else event.amount,
        "text": event.text,
    }


def _lasted(event: EventRecord) -> float | None:
    return None if event.end_ns is None else (event.end_ns - event.start_ns) / SECOND_NS


def events(office: Office, line: str, pot: str, days: int = 30, until: str = "") -> dict[str, Any]:
    """What happened to a pot in the ``days`` up to now, or to the end of ``until``."""
    line_of(office, line)
    last: date = stretch_of(until).days[-1] if until else span_of(office, "24h", "").days[-1]
    first = date.fromordinal(max(last.toordinal() - days + 1, 1))
    period = Period.between(first, last)
    try:
        with open_series(office.site) as series:
            found = _events(series, f"{line}/{pot}", period)
    except SeriesError as error:
        raise ConfigError([str(error)]) from None
    return {"first": first, "last": last, "events": found}


def facts(office: Office, line: str, pot: str) -> dict[str, Any]:
    """Newest minute of each quantity, at most ten minutes old, and where its evidence begins."""
    line_of(office, line)
    equipment, end_ns = f"{line}/{pot}", now_ns()
    period = Stretch.between_ns(end_ns - NOW_S * SECOND_NS, end_ns)
    points = [Meter(equipment, each[0]) for each in FACTS]
    try:
        with open_series(office.site) as series:
            grid = series.minutes(points, period)
    except SeriesError as error:
        raise ConfigError([str(error)]) from None
    found = [
        {"name": name.of(say("zh", "en")), "unit": unit, "decimals": decimals}
        | newest_figure(grid, point, period)
        for (_, name, unit, decimals), point in zip(FACTS, points, strict=True)
    ]
    return {"equipment": equipment, "facts": found, "newest_day": newest_day(office)}
