"""Days of a simulated potroom as the store gives them: hours of windows, no lake in between."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import numpy as np
import pyarrow as pa

from drivers.model import Floats
from reports.energy.pot_parameters import PotParameters
from reports.energy.pots import PotDays, pot_days_of
from reports.periods import PLANT_TIME, Period
from reports.series.duck import connect
from reports.series.pot_days import days_of
from simulators.history import trace_line
from simulators.plant import Plant, Scenario
from simulators.planted import Planted

FIRST = date(2026, 3, 1)
STEP_S = 300.0
IN_HOUR = 12
COUNTED = ("feed_shots",)


def hours(scenario: Scenario, days: int) -> tuple[dict[str, Floats], Floats, list[str]]:
    """Hourly values of every quantity (hours by pots) of line 1, its voltage, and its pots."""
    begin_s = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=PLANT_TIME).timestamp()
    section = Plant(replace(scenario, start_s=begin_s, pot_detail=True, lines=1)).sections[0]
    steps = np.arange(1, days * 24 * IN_HOUR + 1, dtype=np.float64)
    time_s: Floats = begin_s + STEP_S * steps
    trace = trace_line(section, time_s, STEP_S)
    columns = {"voltage": trace.voltage, "anode_effect": trace.effect_share, **trace.detail}
    found = {}
    for name, values in columns.items():
        hourly = values.reshape(-1, IN_HOUR, values.shape[1])
        if name in COUNTED:
            found[name] = np.diff(hourly[:, -1], axis=0, prepend=hourly[:1, 0])
        else:
            found[name] = hourly.mean(axis=1)
    series_v = section.line.line_v(trace.state).reshape(-1, IN_HOUR * 24).mean(axis=1)
    pots = [f"line1/pot{k + 1:03d}" for k in range(section.pots.count)]
    return found, series_v, pots


def windows(values: dict[str, Floats], pots: list[str]) -> pa.Table:
    """The hours as windows of the lake; NaN = not there."""
    start = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=PLANT_TIME)
    parts = []
    for name, hourly in values.items():
        count = len(hourly)
        us = int(start.timestamp()) * 10**6 + np.arange(count) * 3_600_000_000
        flat = hourly.reshape(-1)
        known = np.isfinite(flat)
        counter = name in COUNTED
        numbers = pa.array(flat, mask=~known)
        nothing = pa.nulls(len(flat), pa.float64())
        parts.append(
            pa.table(
                {
                    "ts": pa.array(np.repeat(us, len(pots))).cast(pa.timestamp("us", "UTC")),
                    "period_s": pa.array(np.full(len(flat), 3600, dtype=np.int32)),
                    "equipment": pa.array(pots * count),
                    "quantity": pa.array([f"pot.{name}"] * len(flat)),
                    "mean": nothing if counter else numbers,
                    "min": nothing,
                    "max": nothing,
                    "inc": numbers if counter else nothing,
                    "good": pa.array(known.astype(np.float64)),
                    "seq": pa.array(np.ones(len(flat), dtype=np.int64)),
                }
            ).filter(pa.array(known))
        )
    return pa.concat_tables(parts)


def pot_days(table: pa.Table, days: int, parameters: PotParameters | None = None) -> PotDays:
    period = Period(FIRST, FIRST + timedelta(days=days))
    with connect() as duck:
        duck.register("windows", table)
        return pot_days_of(days_of(duck), [], "line1", period, parameters)


def potroom(
    *planted: Planted, pots: int = 36, seed: int = 7, days: int = 30
) -> tuple[PotDays, Floats]:
    """Days of the pots and the voltage of the series (V by day)."""
    scenario = Scenario(0.0, pots, seed, lines=1, planted=planted)
    values, series_v, names = hours(scenario, days)
    return pot_days(windows(values, names), days), series_v
