"""The stacks of a period on disk: an import file of minutes, and the truth as JSON."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from simulators.smoke import StackMinutes, minutes_of
from simulators.smoke_plan import CALIBRATION, FAULT, MAINTENANCE, SmokePlan
from simulators.smoke_truth import StackTruth, as_json, truth_of_stack
from simulators.truth import write

QUALITY = {CALIBRATION: "calibration", MAINTENANCE: "maintenance", FAULT: "device_fault"}
AT_ONCE = 31 * 1440  # minutes of one row group


@dataclass(frozen=True, slots=True)
class SmokeYear:
    """A plan and what came of it, in the order of its stacks."""

    plan: SmokePlan
    stacks: tuple[StackMinutes, ...]
    truths: tuple[StackTruth, ...]


def simulate_smoke(plan: SmokePlan) -> SmokeYear:
    """Every stack of the plan, and the truth of its hours."""
    stacks = tuple(minutes_of(plan, stack) for stack in plan.stacks)
    return SmokeYear(plan, stacks, tuple(truth_of_stack(plan, made) for made in stacks))


def write_minutes(path: Path, made: SmokeYear) -> int:
    """
    The minutes as an import file (docs/architecture.md, "Import file"); returns the rows.

    What the instrument does stands in the column ``quality``, as a gateway would have recorded it;
    a stack without ``flags`` has the point ``stack.instrument_state`` besides.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    text = pa.dictionary(pa.int32(), pa.string())
    schema = pa.schema(
        [
            ("time", pa.timestamp("us", tz="UTC")),
            ("equipment", text),
            ("quantity", text),
            ("value", pa.float64()),
            ("quality", text),
        ]
    )
    time_s = made.stacks[0].time_s
    rows = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for first in range(0, len(time_s), AT_ONCE):
            table = _table(schema, made, slice(first, first + AT_ONCE))
            writer.write_table(table)
            rows += table.num_rows
    return rows


def _table(schema: Any, made: SmokeYear, part: slice) -> Any:
    """Rows of some minutes in order of time; points are columns until here."""
    import pyarrow as pa

    points = [(stack, point) for stack in made.stacks for point in stack.shown]
    words = ["", *QUALITY.values(), "no_data"]
    values = np.stack([stack.shown[point][part] for stack, point in points], axis=1)
    there = np.stack([stack.there[part] for stack, _ in points], axis=1)
    quality = np.stack([_quality(stack, point, part) for stack, point in points], axis=1)
    time_us = np.round(made.stacks[0].time_s[part] * 1e6).astype(np.int64)
    kept = there.ravel()
    names = np.tile(np.arange(len(points), dtype=np.int32), len(time_us))[kept]
    flat = values.ravel()[kept]
    columns = [
        pa.array(np.repeat(time_us, len(points))[kept], schema.field("time").type),
        *(
            pa.DictionaryArray.from_arrays(
                pa.array(names), [point.partition(" ")[where] for _, point in points]
            )
            for where in (0, 2)
        ),
        pa.array(flat, mask=np.isnan(flat)),
        pa.DictionaryArray.from_arrays(pa.array(quality.ravel()[kept]), words),
    ]
    return pa.Table.from_arrays(
        [column.cast(kind.type) for column, kind in zip(columns, schema, strict=True)],
        schema=schema,
    )


def _quality(stack: StackMinutes, point: str, part: slice) -> Any:
    """Numbers into the words of ``_table``, one a minute."""
    found = np.zeros(len(stack.time_s[part]), dtype=np.int32)
    own, _, quantity = point.partition(" ")
    if own == stack.design.equipment and quantity != "stack.instrument_state":
        for number, state in enumerate(QUALITY, 1):
            found[stack.state[part] == state] = number
    found[np.isnan(stack.shown[point][part])] = len(QUALITY) + 1
    return found


def write_smoke(folder: Path, plan: SmokePlan, name: str) -> SmokeYear:
    """``smoke-<name>.parquet`` and ``truth-smoke-<name>.json`` below ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    made = simulate_smoke(plan)
    rows = write_minutes(folder / f"smoke-{name}.parquet", made)
    write(folder / f"truth-smoke-{name}.json", truth_json(made) | {"history_rows": rows})
    return made


def truth_json(made: SmokeYear) -> dict[str, Any]:
    """What was planted, and what became of every hour."""
    return {
        "begin": made.plan.begin.isoformat(),
        "end": made.plan.end.isoformat(),
        "seed": made.plan.seed,
        "planted": [one.truth() for one in made.plan.happenings],
        "forged": [one.truth() for one in made.plan.forged],
        "stacks": {truth.made.design.id: as_json(truth) for truth in made.truths},
    }
