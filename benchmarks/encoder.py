"""The line-protocol encoder beside influxdb-client's Point, for the same lines."""

from influxdb_client import Point, WritePrecision

from agent.wire.encode import FrameEncoder
from benchmarks.backlog import GATEWAY, PLANT, device_of, frames_of, series_of
from benchmarks.layout import POT, Bank
from benchmarks.measure import cpu_us
from benchmarks.plant import Setting
from benchmarks.table import Row, Section
from drivers.model import Frame, Group

FRAMES = 20


def run(setting: Setting) -> Section:
    """50 pots × 20 points: 100 lines a frame."""
    bank = Bank("line1", "pot", 1, 50, POT, pad_to=40)
    _, group = device_of(setting.folder, bank, "d00", 1.0)
    frames = list(frames_of(group, series_of(group, bank, FRAMES, 1)))
    encoder = FrameEncoder(PLANT, GATEWAY, group)
    n = FRAMES * len(group.points)
    ours = cpu_us(lambda: [encoder.encode(frame) for frame in frames], n)
    theirs = cpu_us(lambda: [_points(group, frame) for frame in frames], n)
    single = cpu_us(lambda: [_single(group, frame) for frame in frames], n)
    return Section(
        "encoder",
        "Line-protocol encoder beside influxdb-client's Point",
        "The same values, tags and times in the same run, CPU per value. Point is given its best "
        "case too: all quantities of a pot as fields of one Point.",
        (
            Row("our encoder", ours, "µs"),
            Row("Point, one per pot and measurement", theirs, "µs"),
            Row("Point, one per value", single, "µs"),
            Row("times faster than Point per pot", theirs / ours, "×", at_least=8.0),
            Row("times faster than Point per value", single / ours, "×"),
        ),
    )


def _points(group: Group, frame: Frame) -> list[str]:
    found: dict[tuple[str, str], Point] = {}
    for point, value in zip(group.points, frame.values.tolist(), strict=True):
        key = (point.equipment.unit, point.quantity.measurement)
        line = found.get(key)
        if line is None:
            line = found[key] = _line(point.quantity.measurement, point.equipment.unit, frame)
        line.field(point.quantity.field, value)
    return [line.to_line_protocol() for line in found.values()]


def _single(group: Group, frame: Frame) -> list[str]:
    return [
        _line(point.quantity.measurement, point.equipment.unit, frame)
        .field(point.quantity.field, value)
        .to_line_protocol()
        for point, value in zip(group.points, frame.values.tolist(), strict=True)
    ]


def _line(measurement: str, unit: str, frame: Frame) -> Point:
    return (
        Point(measurement)
        .tag("plant", PLANT)
        .tag("line", "line1")
        .tag("unit", unit)
        .time(frame.slot_ns, WritePrecision.NS)
    )
