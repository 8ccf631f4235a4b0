"""A simulated year on disk: one import file of hours, and the truth month by month as JSON."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from simulators.history import hexadecimal, originals
from simulators.points import Column
from simulators.truth import Sums, carbon
from simulators.wander import Floats
from simulators.year import HOUR_S, Hours, MonthOfYear, Year

HOUR_US = round(HOUR_S * 1e6)


def write_hours(path: Path, year: Year, months: list[MonthOfYear]) -> int:
    """
    The year as an import file of hourly windows (docs/architecture.md, "Import file").

    Rows are in order of time, one row group a month. A counter that is read for the first time
    has a row an hour earlier, so that its first increment is known. Returns the rows.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema(
        [
            ("time", pa.timestamp("us", tz="UTC")),
            ("equipment", pa.dictionary(pa.int32(), pa.string())),
            ("quantity", pa.dictionary(pa.int32(), pa.string())),
            ("value", pa.float64()),
            ("raw", pa.string()),
        ]
    )
    points = {point for month in months for point in month.hours}
    columns = originals(year.plant, year.steps, points)
    rows = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for month in months:
            table = _table(schema, month, columns)
            writer.write_table(table)
            rows += table.num_rows
    return rows


def _table(schema: Any, month: MonthOfYear, columns: dict[str, Column]) -> Any:
    import pyarrow as pa

    times, names, values, raw = [], [], [], []
    for point in sorted(month.hours):
        for time_us, shown in _rows(month.hours[point]):
            times.append(time_us)
            values.append(shown)
            names.append(np.full(len(shown), point, dtype=object))
            texts = np.full(len(shown), None, dtype=object)
            if point in columns:
                texts[:] = hexadecimal(columns[point], shown)
            raw.append(texts)
    time_us = np.concatenate(times)
    order = np.argsort(time_us, kind="stable")
    point_names = np.concatenate(names)[order]
    parts = [[name.partition(" ")[part] for name in point_names] for part in (0, 2)]
    arrays = [
        pa.array(time_us[order], schema.field("time").type),
        *(pa.array(texts, pa.string()).dictionary_encode() for texts in parts),
        pa.array(np.concatenate(values)[order]),
        pa.array(np.concatenate(raw)[order], pa.string()),
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def _rows(stretches: list[Hours]) -> Iterator[tuple[Any, Floats]]:
    """
    Start of each hour (µs) and its value; of a new counter one row more before the first.

    An hour without value (NaN) has no row.
    """
    for stretch in stretches:
        first_us = round(stretch.begin_s * 1e6)
        time_us = first_us + np.arange(len(stretch.values), dtype=np.int64) * HOUR_US
        if stretch.before is not None:
            yield np.array([first_us - HOUR_US]), np.array([stretch.before])
        there = np.isfinite(stretch.values)
        yield time_us[there], stretch.values[there]


def truth_of(year: Year, months: list[MonthOfYear]) -> dict[str, Any]:
    """What really happened, per month and line and for the year, ready for JSON."""
    by_month = {month.month: _month(month) for month in months}
    total = Sums()
    lines: dict[str, Sums] = {}
    for month in months:
        for name, sums in month.lines.items():
            _add(lines.setdefault(name, Sums()), sums)
            _add(total, sums)
    effect = {
        name: sum(float(m.effect_s[name].sum()) for m in months if name in m.effect_s)
        for name in lines
    }
    pot_days = {
        section.name: lines[section.name].seconds / 86_400 * section.pots.count
        for section in year.plant.sections
        if section.name in lines
    }
    return {
        "plant": year.plant.scenario.name,
        "seed": year.plant.scenario.seed,
        "year": year.year,
        "runs": {
            name: {"started": str(run.started or ""), "stopped": str(run.stopped or "")}
            for name, run in year.runs.items()
        },
        "months": by_month,
        "lines": {name: _line(sums, effect[name], pot_days[name]) for name, sums in lines.items()},
        "total": _line(total, sum(effect.values()), sum(pot_days.values())),
        "shared": {
            point: sum(month.shared.get(point, 0.0) for month in months)
            for point in sorted(months[0].shared)
        },
    }


def _add(into: Sums, more: Sums) -> None:
    for name in ("seconds", "ka_s", "ac_kwh", "dc_kwh", "aux_kwh", "fgd_kwh", "produced_kg"):
        setattr(into, name, getattr(into, name) + getattr(more, name))
    for name in ("tapped_kg", "anodes_kg", "carbon_kg", "heat_gj"):
        setattr(into, name, getattr(into, name) + getattr(more, name))


def _month(month: MonthOfYear) -> dict[str, Any]:
    return {
        "lines": {
            name: _line(
                sums,
                float(month.effect_s[name].sum()),
                sums.seconds / 86_400 * len(month.effect_s[name]),
            )
            for name, sums in month.lines.items()
        },
        "shared": dict(month.shared),
    }


def _line(sums: Sums, effect_s: float, pot_days: float) -> dict[str, Any]:
    """Masses in t, electricity in kWh, anode effects in minutes per pot and day."""
    return {
        "aluminium_t": sums.tapped_kg / 1000,
        "produced_t": sums.produced_kg / 1000,
        "anode_t": sums.anodes_kg / 1000,
        "carbon": carbon(sums.anodes_kg / 1000, sums.tapped_kg / 1000),
        "ac_kwh": sums.ac_kwh,
        "aux_kwh": sums.aux_kwh,
        "fgd_kwh": sums.fgd_kwh,
        "effect_minutes": effect_s / 60,
        "pot_days": pot_days,
        "aem_min_per_cell_day": effect_s / 60 / pot_days if pot_days else None,
    }
