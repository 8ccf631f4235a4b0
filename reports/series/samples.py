"""Raw samples of the lake, at their true time: what a minute was made of, as long as it is kept."""

from typing import Any, Final

import ibis

from reports.site import Meter

SAMPLES: Final = ("ts", "value", "q", "gateway", "log", "seq")
RAW: Final = {
    "ts": "timestamp('UTC')",
    **dict.fromkeys(("equipment", "quantity", "q", "gateway", "log"), "string"),
    "value": "float64",
    "seq": "int64",
}
_SECOND_NS: Final = 1_000_000_000


def samples_between(meter: Meter, start_ns: int, end_ns: int) -> Any:
    """Of the table ``raw``, as an expression; whole seconds count."""
    table = ibis.table(RAW, name="raw")
    mine = table.filter((table.equipment == meter.equipment) & (table.quantity == meter.quantity))
    at_s = mine.ts.epoch_seconds().cast("int64")
    inside = mine.filter((at_s >= start_ns // _SECOND_NS) & (at_s < end_ns // _SECOND_NS))
    return inside.order_by("ts").select(*SAMPLES)


def no_samples() -> Any:
    """A table of samples without rows."""
    import pyarrow as pa

    kinds = {"ts": pa.timestamp("us", "UTC"), "value": pa.float64(), "seq": pa.int64()}
    return pa.table({name: pa.array([], kinds.get(name, pa.string())) for name in SAMPLES})
