"""
A potline as a map of its pots: a value of each pot for each layer.

Days come from the store's own days of pots, hours from its minutes. What is not known is None.
"""

import contextlib
import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from drivers.language import say
from drivers.model import ConfigError, Floats
from reports.console.figures.potline_layers import LAYERS, MODES, Layer
from reports.console.figures.potline_times import (
    Stretch,
    line_of,
    newest_day,
    now_ns,
    stretch_of,
)
from reports.console.office import Office
from reports.energy.pots import Flags, PotDays, lost_text, pot_days_of
from reports.periods import Period, clock_text, plant_now
from reports.series.minutes import MINUTE_S, MinuteGrid
from reports.series.pot_days import DAY_S
from reports.series.store import EventRecord, Series, SeriesError, open_series
from reports.site import Meter, Potline

READ: Final = (  # quantities of a pot that an hour is made from
    *("voltage", "set_voltage", "noise_lf", "noise_hf", "swing", "flicker", "pseudo_resistance"),
    *("ae_seconds", "anode_effect", "ae_risk", "bath_temperature", "metal_level", "mode", "link"),
)


KEPT_S: Final = 6 * 3600.0


@dataclass(slots=True)
class Seen:
    """Values of the pots of one line in one stretch; arrays by pot, NaN = not known."""

    pots: tuple[str, ...]
    values: dict[str, Floats]
    states: list[str]
    reasons: list[str] = field(default_factory=list)


def heat(office: Office, line: str, at: str) -> dict[str, Any]:
    """The map of a line ``now``, in the last ``hour``, ``today``, ``yesterday`` or on a day."""
    potline, period = line_of(office, line), stretch_of(at)
    newest = newest_day(office)
    try:
        with open_series(office.site) as series:
            seen = _hours(series, potline, period) if isinstance(period, Stretch) else None
            if seen is None:
                seen = _days(series, potline, period)
    except SeriesError as error:
        raise ConfigError([str(error)]) from None
    known = [name for name, values in seen.values.items() if np.isfinite(values).any()]
    return {
        "line": line,
        "name": potline.name.of(_lang()),
        "at": at,
        "start": clock_text(period.start_ns),
        "end": clock_text(min(period.end_ns, max(now_ns(), period.start_ns))),
        "made_ms": int(plant_now().timestamp() * 1000),
        "newest": newest,
        "pots": seen.pots,
        "states": seen.states,
        "reasons": seen.reasons,
        "layers": [_layer(layer, seen.values[layer.id]) for layer in LAYERS if layer.id in known],
    }


def kept_heat(office: Office, line: str, at: str) -> dict[str, Any]:
    """
    The map of a day, from the console's own data where it was made before (long).

    A day of minutes of hundreds of pots takes seconds; what came late is there after ``KEPT_S``.
    """
    potline, period = line_of(office, line), stretch_of(at)
    path = office.drafts / f"map-{potline.id}-{period}-{_lang()}.json"
    over = period.end <= plant_now() and str(period) == at
    with contextlib.suppress(OSError, ValueError):
        if over and time.time() - path.stat().st_mtime < KEPT_S:
            found: dict[str, Any] = json.loads(path.read_bytes())
            return found | {"newest": newest_day(office)}
    made = heat(office, line, at)
    if over and made["layers"]:
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f".{path.name}.{os.getpid()}")
        new.write_text(json.dumps(made, ensure_ascii=False, default=str), "utf-8")
        new.replace(path)
    return made


def _lang() -> str:
    return say("zh", "en")


def _layer(layer: Layer, values: Floats) -> dict[str, Any]:
    return {
        "id": layer.id,
        "name": layer.name.of(_lang()),
        "unit": layer.unit,
        "decimals": layer.decimals,
        "scale": layer.scale,
        "live": layer.live,
        "about": layer.about.of(_lang()),
        "values": plain(values, layer.decimals + 1),
    }


def plain(values: Floats, decimals: int) -> list[float | None]:
    """For JSON: rounded, None where not known."""
    rounded = np.round(values, decimals)
    return [float(v) if np.isfinite(v) else None for v in rounded]


def numbered(line: Potline) -> tuple[str, ...]:
    """Pots by the usual names of point tables, ``line1/pot001`` …, as many as the line has."""
    return tuple(f"{line.id}/pot{n:03d}" for n in range(1, line.pots + 1))


# --- some hours, from minutes


def _hours(series: Series, line: Potline, period: Stretch) -> Seen | None:
    """None when no pot by the usual name has a value there: its day may know other names."""
    pots = numbered(line)
    grid = series.minutes([Meter(pot, f"pot.{name}") for pot in pots for name in READ], period)
    by = {name: slice(k, None, len(READ)) for k, name in enumerate(READ)}
    if not np.isfinite(grid.mean[by["voltage"]]).any():
        return None
    happened = series.happened("anode_effect", period)
    return seen_in(grid, by, pots, [e for e in happened if _begins_in(e, period)])


def _begins_in(event: EventRecord, period: Period) -> bool:
    return period.start_ns <= event.start_ns < period.end_ns


def seen_in(
    grid: MinuteGrid,
    by: Mapping[str, slice],
    pots: Sequence[str],
    happened: Sequence[EventRecord],
) -> Seen:
    """Layers of a stretch from a grid whose rows ``by[quantity]`` are the pots in order."""

    def mean(name: str) -> Floats:
        return weighted(grid.mean[by[name]], grid.good[by[name]])

    def last(name: str) -> Floats:
        return newest(grid.mean[by[name]])

    states = _states(last("mode"), last("link"), _any(grid.mean[by["voltage"]]))
    runs = np.array([state == "running" for state in states])
    volts = np.where(runs, mean("voltage"), np.nan)
    seconds = grid.mean[by["ae_seconds"]]
    flag = grid.mean[by["anode_effect"]] * MINUTE_S
    effect = np.where(np.isfinite(seconds), seconds, flag)
    calm = np.where(np.nan_to_num(effect) > 0, 0.0, grid.good[by["voltage"]])
    working = weighted(grid.mean[by["voltage"]], calm)
    swing, noise = mean("swing"), mean("noise_lf")
    flicker, noise_hf = mean("flicker"), mean("noise_hf")
    known = np.where(np.isfinite(grid.mean[by["voltage"]]), grid.good[by["voltage"]], 0.0)
    values = {
        "voltage": volts,
        "excess": excess_mv(volts),
        "above_set": np.where(runs, (working - mean("set_voltage")) * 1000, np.nan),
        "effects": counted(happened, pots, _any(effect)),
        "effect_s": np.where(_any(effect), np.nansum(effect, axis=1), np.nan),
        "noise": np.where(np.isfinite(swing), swing, noise),
        "flicker": np.where(np.isfinite(flicker), flicker, noise_hf),
        "pseudo_resistance": mean("pseudo_resistance"),
        "risk": last("ae_risk"),
        "bath_temperature": mean("bath_temperature"),
        "metal_level": mean("metal_level"),
        "known": known.mean(axis=1) * 100,
    }
    return Seen(tuple(pots), values, states, ["" for _ in pots])


def _any(values: Floats) -> Flags:
    """Rows of which something is known."""
    found: Flags = np.asarray(np.isfinite(values).any(axis=1), dtype=np.bool_)
    return found


def weighted(values: Floats, weights: Floats) -> Floats:
    """Mean of each row over its known minutes; NaN without any."""
    use = np.where(np.isfinite(values), weights, 0.0)
    total, amount = (np.nan_to_num(values) * use).sum(axis=1), use.sum(axis=1)
    found: Floats = np.divide(total, amount, out=np.full(len(total), np.nan), where=amount > 0)
    return found


def newest(values: Floats) -> Floats:
    """The last known value of each row; NaN without any."""
    known = np.isfinite(values)
    at = values.shape[1] - 1 - known[:, ::-1].argmax(axis=1)
    found: Floats = np.where(known.any(axis=1), values[np.arange(len(values)), at], np.nan)
    return found


def excess_mv(volts: Floats) -> Floats:
    """Above the mean voltage that a quarter of the pots does not exceed."""
    known = volts[np.isfinite(volts)]
    if not len(known):
        return np.full(len(volts), np.nan)
    found: Floats = (volts - np.quantile(known, 0.25)) * 1000
    return found


def counted(happened: Sequence[EventRecord], pots: Sequence[str], told: Flags) -> Floats:
    """Anode effects begun, by pot; NaN for a pot of which nobody told whether there were any."""
    place = {pot: k for k, pot in enumerate(pots)}
    found = np.where(told, 0.0, np.nan)
    for event in happened:
        if event.equipment in place:
            k = place[event.equipment]
            found[k] = np.nan_to_num(found[k]) + 1
    return found


def _states(mode: Floats, link: Floats, known: Flags) -> list[str]:
    found = []
    for code, lost, there in zip(mode, link, known, strict=True):
        if np.isfinite(lost) and lost > 0:
            found.append("link")
        elif np.isfinite(code) and round(code) in range(len(MODES)):
            found.append(MODES[round(code)])
        else:
            found.append("running" if there else "unknown")
    return found


# --- a whole day, from the days of pots


def _days(series: Series, line: Potline, period: Period) -> Seen:
    """A stretch of hours is answered by its first day: the pots and that nothing is known."""
    if isinstance(period, Stretch):
        return _silent(numbered(line))
    days = pot_days_of(
        series.pot_days(period), series.happened("anode_effect", period), line.id, period
    )
    if not days.pots:
        return _silent(numbered(line))
    return seen_on(days, line)


def _silent(pots: tuple[str, ...]) -> Seen:
    return Seen(pots, {}, ["unknown"] * len(pots), [""] * len(pots))


def seen_on(days: PotDays, line: Potline) -> Seen:
    """Layers of one day."""
    row = {name: values[0] for name, values in days.values.items()}
    nothing = np.full(len(days.pots), np.nan)
    swing, noise = row["swing"], row["noise_lf"]
    flicker, noise_hf = row["flicker"], row["noise_hf"]
    seen = np.nan_to_num(row["counted_s"]) > 0
    values = {
        "voltage": row["voltage"],
        "excess": excess_mv(np.where(seen, row["voltage"], np.nan)),
        "above_set": (row["working"] - row["set_voltage"]) * 1000,
        "effects": np.where(seen, days.effects[0], np.nan),
        "effect_s": np.where(seen, row["ae_s"], np.nan),
        "noise": np.where(np.isfinite(swing), swing, noise),
        "flicker": np.where(np.isfinite(flicker), flicker, noise_hf),
        "pseudo_resistance": row["pseudo_resistance"],
        "risk": nothing,
        "bath_temperature": row["bath_temperature"],
        "metal_level": row["metal_level"],
        "known": np.nan_to_num(row["heard_s"]) / DAY_S * 100,
    }
    lost = [lost_text(days, k) for k in range(len(days.pots))]
    reasons = ["" if text is None else text.of(_lang()) for text in lost]
    found = Seen(days.pots, values, [_main_state(days, k) for k in range(len(lost))], reasons)
    return _with_silent(found, numbered(line))


def _main_state(days: PotDays, k: int) -> str:
    """What the pot mostly was that day."""
    if np.nan_to_num(days.values["counted_s"][0][k]) > 0:
        return "running"
    amounts = {
        name: float(np.nan_to_num(days.values[f"{name}_s"][0][k]))
        for name in ("stopped", "starting", "cut_out", "link")
    }
    most = max(amounts, key=lambda name: amounts[name])
    return most if amounts[most] > 0 else "unknown"


def _with_silent(seen: Seen, usual: tuple[str, ...]) -> Seen:
    """Where pots have the usual names, those that the store knows nothing of stand there too."""
    if not set(seen.pots) <= set(usual):
        return seen
    place = {pot: k for k, pot in enumerate(usual)}
    at = np.array([place[pot] for pot in seen.pots])
    values = {}
    for name, known in seen.values.items():
        values[name] = np.full(len(usual), np.nan)
        values[name][at] = known
    states, reasons = ["unknown"] * len(usual), [""] * len(usual)
    for pot, state, reason in zip(seen.pots, seen.states, seen.reasons, strict=True):
        states[place[pot]], reasons[place[pot]] = state, reason
    return Seen(usual, values, states, reasons)
