"""
A month of the plant at once: minute values as an import file, and the truth of the same steps.

The pots are stepped minute by minute; all that is a function of time follows in one go from
their sums, so that truth, meters and voltages belong to one another exactly.
"""

from collections.abc import Container
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from simulators.line import LineState
from simulators.months import month_span
from simulators.plant import Plant, Scenario, Section
from simulators.points import Column, meters
from simulators.registers import encode
from simulators.truth import Ledger, PotSums
from simulators.wander import Floats

STEP_S = 60.0
POT_QUANTITIES = ("pot.voltage", "pot.anode_effect")
DETAIL = (  # of the pots, where the scenario asks for it
    *("set_voltage", "target_voltage", "noise_lf", "noise_hf", "bath_temperature"),
    *("feed_state", "feed_shots", "mode", "link"),
)
# What a control system's archive keeps for years; the gateway itself records more.
MEASUREMENTS = ("meter.energy_import", "stack.", "heat_recovery.", "potline.", "pv.energy")
MORE = ("green_power.energy", "water.volume", "gas.volume", "heat.energy")
LEFT_OUT = (
    "potline.pots_running",
    "heat_recovery.fan_power",
    "heat_recovery.pump_power",
    "heat_recovery.water_flow",
    "stack.flow",
)


@dataclass(frozen=True, slots=True)
class Trace:
    """Minute arrays of one potline; rows are minutes, columns pots."""

    voltage: Floats
    effect_share: Floats
    tapped_kg: Floats
    state: LineState
    sums: PotSums
    anodes_changed: int
    detail: dict[str, Floats] = field(default_factory=dict)  # further quantities of the pots


@dataclass(frozen=True, slots=True)
class Month:
    """One simulated month: series by point id, truth, and what the officer needs."""

    month: str
    plant: Plant
    begin_s: float
    series: dict[str, Floats]  # one value a minute
    before: dict[str, float]  # counters at the beginning of the month
    originals: dict[str, Column]  # where a point's registers are kept beside its value
    truth: dict[str, Any]
    tapped_kg: list[Floats]  # per line: days by pots


def simulate_month(scenario: Scenario, month: str) -> Month:
    """Simulate ``month`` (``2026-10``, UTC+8); the scenario's start is replaced by its begin."""
    begin_s, end_s = month_span(month)
    plant = Plant(replace(scenario, start_s=begin_s))
    ledger = Ledger(plant)
    time_s = np.arange(begin_s + STEP_S, end_s + 1, STEP_S)
    traces = [trace_line(section, time_s) for section in plant.sections]
    plant.time_s = end_s
    states = [trace.state for trace in traces]
    ledger.add(states, [trace.sums for trace in traces], STEP_S)
    series, before, steps = _series(plant, traces, states, begin_s)
    return Month(
        month=month,
        plant=plant,
        begin_s=begin_s,
        series=series,
        before=before,
        originals=originals(plant, steps, series),
        truth=ledger.truth(),
        tapped_kg=[_by_day(trace.tapped_kg) for trace in traces],
    )


def _by_day(minutes: Floats) -> Floats:
    """Sums of each local day; the month begins at local midnight."""
    days: Floats = minutes.reshape(-1, 1440, minutes.shape[1]).sum(axis=1)
    return days


def trace_line(section: Section, time_s: Floats, step_s: float = STEP_S) -> Trace:
    """Steps the pots of one line through all instants, which are ``step_s`` apart."""
    pots, line = section.pots, section.line
    n, count = len(time_s), pots.count
    voltage, share, tapped = np.empty((n, count)), np.empty((n, count)), np.empty((n, count))
    produced, anodes, carbon = np.empty(n), np.empty(n), np.empty(n)
    steady = line.current_ka(time_s, np.zeros(n))
    current = np.empty(n)
    detail = {name: np.empty((n, count)) for name in (DETAIL if section.pot_detail else ())}
    running = None if pots.ailments is None else np.empty(n)
    changed = 0
    for k, end_s in enumerate(time_s.tolist()):
        current[k] = steady[k] - line.dip_ka(pots.effect_share.sum())
        pots.step(step_s, end_s, float(current[k]))
        voltage[k], share[k], tapped[k] = pots.voltage, pots.effect_share, pots.tapped_kg
        produced[k], anodes[k] = pots.produced_kg.sum(), pots.anodes_kg.sum()
        carbon[k] = pots.carbon_kg.sum()
        changed += int(np.count_nonzero(pots.anodes_kg))
        if running is not None:
            running[k] = pots.running
        if detail:
            columns = section.pot_columns(float(current[k]))
            for name, values in detail.items():
                values[k] = columns[name]
    before = np.concatenate([[0.0], share.sum(axis=1)[:-1]])
    state = LineState(time_s, current, voltage.sum(axis=1), carbon / step_s, before, running)
    sums = PotSums(produced, tapped.sum(axis=1), anodes, carbon, share.sum(axis=1) * step_s)
    shown = pots.shown_v(voltage, time_s)
    return Trace(shown, share, tapped, state, sums, changed, detail)


def _series(
    plant: Plant, traces: list[Trace], states: list[LineState], begin_s: float
) -> tuple[dict[str, Floats], dict[str, float], dict[str, float]]:
    """Values of each minute, counters before the first, and the step of every counter."""
    series: dict[str, Floats] = {}
    before: dict[str, float] = {}
    steps: dict[str, float] = {}
    for section, trace in zip(plant.sections, traces, strict=True):
        for k in range(section.pots.count):
            pot = f"{section.name}/pot{k + 1:03d}"
            series[f"{pot} pot.voltage"] = np.round(trace.voltage[:, k], 4)
            series[f"{pot} pot.anode_effect"] = np.round(trace.effect_share[:, k], 4)
            for name, values in trace.detail.items():
                series[f"{pot} pot.{name}"] = np.round(values[:, k], 4)
    for readings in plant.all_readings(states):
        for point, values in readings.gauges.items():
            if _kept(point):
                series[point] = _rounded(values)
        for point, flow in readings.flows.items():
            steps[point] = flow.step
            if _kept(point):
                start = flow.before(begin_s, point)
                series[point] = flow.shown(start + np.cumsum(flow.rate) * STEP_S)
                before[point] = float(flow.shown(np.array([start]))[0])
    return series, before, steps


def originals(plant: Plant, steps: dict[str, float], series: Container[str]) -> dict[str, Column]:
    """The registers of the energy meters, in the same dialects as they are served live."""
    columns = (column for device in meters(plant, steps) for column in device.columns)
    return {
        point: column
        for column in columns
        if column.original and (point := f"{column.equipment} {column.quantity}") in series
    }


def _kept(point: str) -> bool:
    quantity = point.partition(" ")[2]
    return quantity.startswith((*MEASUREMENTS, *MORE)) and quantity not in LEFT_OUT


def _rounded(values: Floats) -> Floats:
    """Seven figures, as a float32 device would have sent."""
    rounded: Floats = values.astype(np.float32).astype(np.float64)
    return rounded


def write_parquet(path: Path, month: Month) -> int:
    """
    The month as an import file (docs/architecture.md, "Import file"); returns the rows.

    Rows are in time order, one row group a day. A first minute before the month holds the
    counters' registers at its beginning, so that the first increment is known. Where a register
    has gone round, ``value`` counts on as archives do and ``raw`` is what the meter holds.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = sorted(month.series)
    values = np.stack([month.series[name] for name in names], axis=1)
    schema = pa.schema(
        [
            ("time", pa.timestamp("us", tz="UTC")),
            ("equipment", pa.dictionary(pa.int32(), pa.string())),
            ("quantity", pa.dictionary(pa.int32(), pa.string())),
            ("value", pa.float64()),
            ("raw", pa.string()),
        ]
    )
    begin_us = round(month.begin_s * 1e6)
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        first = sorted(month.before)
        opening = np.array([[month.before[name] for name in first]])
        before_us = begin_us - 60_000_000
        writer.write_table(_table(schema, first, opening, before_us, month.originals))
        for row in range(0, len(values), 1440):
            day = values[row : row + 1440]
            day_us = begin_us + row * 60_000_000
            writer.write_table(_table(schema, names, day, day_us, month.originals))
    return values.size + len(first)


def _table(
    schema: Any, names: list[str], values: Floats, begin_us: int, originals: dict[str, Column]
) -> Any:
    """Rows of some minutes: every series of the first minute, then of the next."""
    import pyarrow as pa

    minutes, width = values.shape
    time_us = begin_us + np.arange(minutes, dtype=np.int64) * 60_000_000
    columns: list[Any] = [pa.array(np.repeat(time_us, width), schema.field("time").type)]
    for part in (0, 2):
        texts = [name.partition(" ")[part] for name in names]
        known = sorted(set(texts))
        index = np.tile(np.array([known.index(text) for text in texts], dtype=np.int32), minutes)
        columns.append(pa.DictionaryArray.from_arrays(index, known))
    columns.append(pa.array(values.reshape(-1)))
    raw = np.full(values.shape, None, dtype=object)
    for k, name in enumerate(names):
        if name in originals:
            raw[:, k] = hexadecimal(originals[name], values[:, k])
    columns.append(pa.array(raw.reshape(-1), pa.string()))
    return pa.Table.from_arrays(columns, schema=schema)


def hexadecimal(column: Column, values: Floats) -> list[str]:
    """The registers of each value, as a reply carries them."""
    rows = encode(values / column.scale, column.type, column.order)
    return [row.tobytes().hex() for row in rows]
