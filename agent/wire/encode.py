r"""
Frames, windows, events → InfluxDB line protocol, and the batch around them.

Pure: each function and encoder returns bytes, lines joined by ``\n`` without one at the end.
The contract is in docs/architecture.md, "On the wire".
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from agent.minutes.quality import is_text
from agent.minutes.windows import Windows
from agent.wire.events import Event, Retimed
from drivers.model import Codes, Equipment, Floats, Frame, Group, Indices, Kind, Point, Quality

Mask = npt.NDArray[np.bool_]

WIRE_QUALITY = tuple(quality.wire for quality in Quality)
HAS_VALUE = np.array([quality.has_value for quality in Quality])
PATTERNS = 64  # of qualities, kept per group: a sensor that is always bad costs nothing more
DEADBAND_REPEAT_NS = 60_000_000_000  # a value inside its deadband is repeated each minute
_WHOLE_TYPES = ("bool", "uint", "int", "bcd")
_STAMP = "\0"


def number(value: float) -> str:
    """The shortest text that reads back as exactly this float64."""
    value = float(value)  # a type checker lets an int through, which has no is_integer in 3.11
    if value and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return repr(value)


def nine_digits(value: float) -> str:
    """Text that reads back as exactly the same float32."""
    return "%.9g" % value  # noqa: UP031 - as fast and the same as in the templates


def text(value: str) -> str:
    """A quoted string field; line breaks become spaces."""
    flat = " ".join(value.splitlines())
    return '"' + flat.replace("\\", "\\\\").replace('"', '\\"') + '"'


def template_of(point: Point) -> str:
    """The %-conversion by which good values of a point read back exactly."""
    unscaled = point.scale == 1 and point.offset == 0
    if point.type == "float32" and unscaled:
        return "%.9g"
    if (
        point.type.startswith(_WHOLE_TYPES)
        and point.scale.is_integer()
        and point.offset.is_integer()
    ):
        return "%d"
    return "%r"


def format_of(point: Point) -> Callable[[float], str]:
    """The same for single values."""
    return nine_digits if template_of(point) == "%.9g" else number


def tags_of(plant: str, equipment: Equipment) -> str:
    """Tags of an equipment, in the order of the contract."""
    return f"plant={plant},line={equipment.line},unit={equipment.unit}"


@dataclass(frozen=True, slots=True)
class EquipmentLine:
    """The points of one equipment and measurement in a group: they share a line."""

    head: str  # up to and without the space before the fields
    points: tuple[int, ...]
    fields: tuple[str, ...]


def equipment_lines(
    plant: str, points: Sequence[Point], ending: str = ""
) -> tuple[EquipmentLine, ...]:
    """How points share lines; text points have no number and take no part."""
    found: dict[tuple[str, Equipment], list[int]] = {}
    for i, point in enumerate(points):
        if not is_text(point):
            found.setdefault((point.quantity.measurement, point.equipment), []).append(i)
    return tuple(
        EquipmentLine(
            f"{measurement}{ending},{tags_of(plant, equipment)}",
            tuple(members),
            tuple(points[i].quantity.field for i in members),
        )
        for (measurement, equipment), members in found.items()
    )


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """The %-template of all lines of a frame with certain qualities, and what goes into it."""

    template: str
    order: Indices | None  # points with a value; None = all, as they stand


def pattern_of(
    lines: Sequence[EquipmentLine], points: Sequence[Point], codes: Sequence[int]
) -> Pattern:
    """Good points bring a value, others their reason, and some both."""
    order = [i for line in lines for i in line.points if HAS_VALUE[codes[i]]]
    texts = []
    for line in lines:
        fields = []
        for i, name in zip(line.points, line.fields, strict=True):
            if HAS_VALUE[codes[i]]:
                fields.append(f"{name}={template_of(points[i])}")
            if codes[i]:
                fields.append(f'{name}_q="{WIRE_QUALITY[codes[i]]}"')
        texts.append(f"{line.head} {','.join(fields)} {_STAMP}")
    in_order = order == list(range(len(points)))
    return Pattern("\n".join(texts), None if in_order else np.array(order, dtype=np.int64))


class FrameEncoder:
    """
    Raw lines of one group: one %-template per pattern of qualities.

    Frames thinned by a deadband and samples of subscriptions go through a loop.
    """

    def __init__(self, plant: str, gateway: str, group: Group) -> None:
        points = group.points
        self._lines = equipment_lines(plant, points)
        self._points = points
        self._patterns: dict[bytes, Pattern] = {}
        self._formats = [format_of(point) for point in points]
        self._place = {
            i: (n, name)
            for n, line in enumerate(self._lines)
            for i, name in zip(line.points, line.fields, strict=True)
        }
        self._head = (
            f"frame,plant={plant},gateway={gateway},device={group.device},"
            f"interval={group.interval_s:g}"
        )
        if group.mode == "subscribe":  # polls at this interval have the same slots
            self._head += ",mode=subscribe"
        bands = np.array([point.deadband for point in points])
        self._bands = bands if bands.any() else None
        self._sent = np.full(len(points), np.nan)
        self._sent_ns = np.zeros(len(points), dtype=np.int64)

    def encode(self, frame: Frame) -> bytes:
        """All lines of a frame, the frame's own first."""
        bad = int(np.count_nonzero(frame.quality))
        head = self._frame_line(frame, bad)
        if bad and bad == len(frame.quality) and _one_reason(frame):
            return head.encode()
        if frame.index is not None:
            return "\n".join([head, *self._sparse(frame, frame.index)]).encode()
        due = None if self._bands is None else self._due(frame, self._bands)
        if due is not None:
            return "\n".join([head, *self._dense(frame, due)]).encode()
        pattern = self._pattern(frame.quality)
        values = frame.values if pattern.order is None else frame.values[pattern.order]
        if bad and not np.isfinite(values).all():
            return "\n".join([head, *self._dense(frame, None)]).encode()
        body = pattern.template % tuple(values.tolist())
        return f"{head}\n{body.replace(_STAMP, str(frame.slot_ns))}".encode()

    def _pattern(self, quality: Codes) -> Pattern:
        key = quality.tobytes()
        pattern = self._patterns.get(key)
        if pattern is None:
            if len(self._patterns) >= PATTERNS:
                self._patterns.clear()
            pattern = self._patterns[key] = pattern_of(self._lines, self._points, quality.tolist())
        return pattern

    def _frame_line(self, frame: Frame, bad: int) -> str:
        lag_ms = (frame.read_ns - frame.slot_ns) / 1e6
        reason = f",reason={text(frame.reason)}" if frame.reason else ""
        counts = f"points={len(frame.values)}i,bad={bad}i,lag_ms={lag_ms:.6g}"
        device_ns = 0 if frame.device_ns is None else int(frame.device_ns.max(initial=0))
        device = f",device_time={device_ns}i" if device_ns else ""
        return f"{self._head} {counts}{device}{reason} {frame.slot_ns}"

    def _due(self, frame: Frame, bands: Floats) -> Mask | None:
        """Which points to write by their deadband; None for all."""
        values, good = frame.values, frame.quality == Quality.GOOD
        quiet = np.abs(values - self._sent) <= bands  # NaN compares false: it is written
        quiet &= frame.slot_ns - self._sent_ns < DEADBAND_REPEAT_NS
        quiet &= (bands > 0) & good
        due: Mask = ~quiet
        self._sent = np.where(due, np.where(good, values, np.nan), self._sent)
        self._sent_ns[due] = frame.slot_ns
        return None if due.all() else due

    def _dense(self, frame: Frame, due: Mask | None) -> Iterable[str]:
        values, codes = frame.values.tolist(), frame.quality.tolist()
        for line in self._lines:
            fields = [
                self._field(name, i, values[i], codes[i])
                for i, name in zip(line.points, line.fields, strict=True)
                if due is None or due[i]
            ]
            if fields:
                yield f"{line.head} {','.join(fields)} {frame.slot_ns}"

    def _field(self, name: str, i: int, value: float, code: int) -> str:
        if not code:
            return f"{name}={self._formats[i](value)}"
        reason = f'{name}_q="{WIRE_QUALITY[code]}"'
        if HAS_VALUE[code] and math.isfinite(value):
            return f"{name}={self._formats[i](value)},{reason}"
        return reason

    def _sparse(self, frame: Frame, index: Indices) -> Iterable[str]:
        """Samples of one equipment at one time share a line; a second one gets a ns of its own."""
        times = np.full(len(index), frame.slot_ns) if frame.times_ns is None else frame.times_ns
        lines: dict[tuple[int, int], dict[str, str]] = {}
        samples = zip(
            index.tolist(),
            times.tolist(),
            frame.values.tolist(),
            frame.quality.tolist(),
            strict=True,
        )
        for i, time_ns, value, code in samples:
            if i not in self._place:
                continue
            n, name = self._place[i]
            at = time_ns
            while name in (fields := lines.setdefault((n, at), {})):
                at += 1
            fields[name] = self._field(name, i, value, code)
        for (n, at), fields in lines.items():
            yield f"{self._lines[n].head} {','.join(fields.values())} {at}"


def _one_reason(frame: Frame) -> bool:
    first = frame.quality[0]
    return bool((frame.quality == first).all()) and not HAS_VALUE[first]


class WindowEncoder:
    """Record lines of the windows of some points (a group, or one series of an import)."""

    def __init__(self, plant: str, points: Sequence[Point], period_s: int = 60) -> None:
        ending = {60: "_1m", 3600: "_1h", 86400: "_1d"}.get(period_s, f"_{period_s}s")
        self._lines = equipment_lines(plant, points, ending)
        self._counter = [point.quantity.kind is Kind.COUNTER for point in points]
        self._formats = [format_of(point) for point in points]

    def encode(self, windows: Windows) -> bytes:
        """One line per equipment and measurement."""
        w = windows
        columns = (w.mean, w.low, w.high, w.last, w.increment, w.count, w.good, w.reason)
        rows = list(zip(*(column.tolist() for column in columns), strict=True))
        lines = []
        for line in self._lines:
            fields = [
                part
                for i, name in zip(line.points, line.fields, strict=True)
                for part in self._fields(name, i, rows[i], windows.words.get(i))
            ]
            lines.append(f"{line.head} {','.join(fields)} {windows.start_ns}")
        return "\n".join(lines).encode()

    def _fields(
        self,
        name: str,
        i: int,
        row: tuple[float, float, float, float, float, int, float, int],
        words: bytes | None,
    ) -> Iterable[str]:
        mean, low, high, last, increment, count, good, reason = row
        write = self._formats[i]
        if self._counter[i]:
            if not math.isnan(increment):
                yield f"{name}_inc={number(increment)}"
            if not math.isnan(last):
                yield f"{name}_last={write(last)}"
        elif not math.isnan(mean):
            yield f"{name}={write(mean) if low == high else number(mean)}"
            for ending, value in (("min", low), ("max", high), ("last", last)):
                if value != mean:
                    yield f"{name}_{ending}={write(value)}"
        yield f"{name}_n={count}i"
        if good != 1:
            yield f"{name}_good={number(good) if good else 0}"
        if reason:
            yield f'{name}_q="{WIRE_QUALITY[reason]}"'
        if words is not None:
            yield f'{name}_raw="{words.hex()}"'


def event_line(plant: str, gateway: str, event: Event) -> bytes:
    """The line of an event; written again, with ``end``, when it is over."""
    where = f",line={event.equipment.line},unit={event.equipment.unit}" if event.equipment else ""
    end = f",end={event.end_ns}i" if event.end_ns is not None else ""
    numbers = {"amount": event.amount} | (asdict(event.measured) if event.measured else {})
    more = "".join(
        f",{name}={number(value)}"
        for name, value in numbers.items()
        if value is not None and math.isfinite(value)
    )
    return (
        f"event,plant={plant},gateway={gateway},kind={event.kind}{where} "
        f"id={text(event.id)},text={text(event.text)}{end}{more} {event.start_ns}"
    ).encode()


def retimed_line(plant: str, gateway: str, retimed: Retimed) -> bytes:
    """By how much to move what was stamped from its time to ``end``; the originals stay."""
    r = retimed
    boot = f",boot={r.boot}" if r.boot else ""
    fields = f"end={r.end_ns}i,shift={r.shift_ns}i,shift_end={r.shift_end_ns}i,mono={r.mono_ns}i"
    return f"retimed,plant={plant},gateway={gateway}{boot} {fields} {r.start_ns}".encode()


@dataclass(frozen=True, slots=True)
class BatchHead:
    """What the first line of every batch of one stream says about its origin."""

    plant: str
    gateway: str
    stream: str
    config: str  # first 16 hex digits of the config's SHA-256
    more: tuple[tuple[str, str], ...] = ()  # an import: source, source_sha256


def batch_payload(
    head: BatchHead,
    parts: Sequence[bytes],
    *,
    log: str,
    seq: int,
    prev: str,
    closed_ns: int,
    clock: str = "",
) -> tuple[bytes, int]:
    """
    The plain payload of a batch and the number of lines in it beside the first.

    ``parts`` are blocks of one or more lines each, without a line break at their ends; ``clock``
    are fields about the clock, each after a comma.
    """
    body = b"\n".join(parts)
    lines = body.count(b"\n") + 1 if body else 0
    more = "".join(f",{key}={text(value)}" for key, value in head.more)
    first = (
        f"batch,plant={head.plant},gateway={head.gateway},stream={head.stream} "
        f'log="{log}",seq={seq}i,lines={lines}i,config="{head.config}",prev="{prev}"{more}{clock} '
        f"{closed_ns}"
    ).encode()
    return (b"\n".join((first, body)) if body else first), lines
