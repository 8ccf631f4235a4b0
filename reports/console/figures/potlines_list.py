"""Every potline with its state and the newest minute of its current and voltage."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, Final

import numpy as np

from drivers.language import say
from drivers.model import ConfigError
from reports.console.figures.potline_times import (
    MINUTE_NS,
    NOW,
    SECOND_NS,
    Stretch,
    newest_day,
    now_ns,
    stretch_of,
)
from reports.console.figures.potlines import numbered
from reports.console.office import Office
from reports.periods import Period, plant_now
from reports.series.minutes import MinuteGrid
from reports.series.store import EventRecord, SeriesError, open_series
from reports.site import Meter, Potline

TOLD: Final = ("pot.ae_seconds", "pot.anode_effect")  # who has one of these tells of effects


def potlines(office: Office) -> list[dict[str, Any]]:
    """Every potline with its state and the newest minute of its current and voltage."""
    today, newest_known = plant_now().date(), newest_day(office)
    lines = office.site.potline
    until_ns = now_ns()
    span = Stretch.between_ns(until_ns - int(NOW.total_seconds()) * SECOND_NS, until_ns)
    points = [
        Meter(line.series or f"{line.id}/series", f"potline.{name}")
        for line in lines
        for name in ("current", "voltage")
    ]
    try:
        with open_series(office.site) as series:
            grid = series.minutes(points, span)
            effects = series.happened("anode_effect", stretch_of("today"))
            told = series.minutes(
                [Meter(p, q) for line in lines for p in numbered(line) for q in TOLD], span
            )
    except SeriesError as error:
        raise ConfigError([str(error)]) from None
    known = np.asarray(np.isfinite(told.mean).any(axis=1), dtype=np.bool_)
    hear = {told.points[int(row)].equipment for row in np.flatnonzero(known)}
    return [
        _line_facts(line, today, newest_known, grid, span)
        | {"effects_today": _begun(line, effects, hear)}
        for line in lines
    ]


def _begun(line: Potline, effects: Sequence[EventRecord], hear: set[str]) -> int | None:
    """Anode effects of the line; None where no pot tells now whether it has one."""
    mine = [each for each in effects if each.equipment.startswith(f"{line.id}/")]
    told = any(pot in hear for pot in numbered(line))
    return len(mine) if mine or told else None


def _line_facts(
    line: Potline,
    today: date,
    newest_known: date | None,
    grid: MinuteGrid,
    span: Period,
) -> dict[str, Any]:
    place = line.series or f"{line.id}/series"
    current = newest_figure(grid, Meter(place, "potline.current"), span)
    voltage = newest_figure(grid, Meter(place, "potline.voltage"), span)
    both = current["value"] is not None and voltage["value"] is not None
    runs = line.runs_in(today, today + timedelta(days=1))
    return {
        "id": line.id,
        "name": line.name.of(say("zh", "en")),
        "pots": line.pots,
        "design_current_ka": line.design_current_ka,
        "capacity_t_per_year": line.capacity_t_per_year,
        "started": line.started,
        "stopped": line.stopped,
        "runs": runs,
        "newest": newest_known,
        "current": current,
        "voltage": voltage,
        "power_mw": current["value"] * voltage["value"] / 1000 if both else None,
    }


def newest_figure(grid: MinuteGrid, point: Meter, span: Period) -> dict[str, Any]:
    """The newest known minute of a point, and what the evidence of it is asked by."""
    row = grid.row(point)
    name = f"{point.equipment} {point.quantity}"
    if row is None or not np.isfinite(grid.mean[row]).any():
        return {"value": None, "at_ns": None, "point": name}
    at = int(np.flatnonzero(np.isfinite(grid.mean[row]))[-1])
    start_ns = span.start_ns + at * MINUTE_NS
    return {"value": float(grid.mean[row][at]), "at_ns": start_ns, "point": name}
