"""Points, groups and frames for tests of the agent."""

import numpy as np

from drivers.model import Codes, Equipment, Floats, Frame, Group, Point, Quality
from drivers.quantities import quantities

MINUTE_NS = 60_000_000_000
START_NS = 1_790_000_040_000_000_000  # a whole minute


def point(quantity: str = "pot.voltage", equipment: str = "line1/pot001", **more: object) -> Point:
    fields: dict[str, object] = {"device": "plc", "address": "holding:0", "type": "float32"}
    return Point(Equipment.parse(equipment), quantities()[quantity], **(fields | more))  # type: ignore[arg-type]


def group(*points: Point, interval_s: float = 1.0, device: str = "plc") -> Group:
    return Group(device, interval_s, points)


def frame(
    of: Group, slot_ns: int, values: list[float], codes: list[int] | None = None, **more: object
) -> Frame:
    quality: Codes = np.array(codes or [0] * len(values), dtype=np.uint8)
    numbers: Floats = np.array(values, dtype=np.float64)
    read_ns = slot_ns + 3_500_000
    return Frame(of, slot_ns, read_ns, numbers, quality, **more)  # type: ignore[arg-type]


def sparse(of: Group, slot_ns: int, samples: list[tuple[int, int, float, int]]) -> Frame:
    """Samples are (time ns, point, value, quality code)."""
    return Frame(
        of,
        slot_ns,
        slot_ns + 1_000_000,
        np.array([s[2] for s in samples], dtype=np.float64),
        np.array([s[3] for s in samples], dtype=np.uint8),
        index=np.array([s[1] for s in samples], dtype=np.int64),
        times_ns=np.array([s[0] for s in samples], dtype=np.int64),
    )


GOOD, BAD = int(Quality.GOOD), int(Quality.NO_DATA)
