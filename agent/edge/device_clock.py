"""
Clocks of devices beside the gateway's: their difference by the minute, and what is wrong with them.

Only a time stamp that moved says anything: an OPC UA server gives a value that rests the stamp of
its last change. The freshest moved stamp of a minute is the difference of that minute.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from agent.edge.clock_told import back_text, frozen_text, off_text
from agent.wire.encode import number
from agent.wire.events import Event, EventBook, Happening
from drivers.model import Floats, Frame, Group, Indices

MINUTE_NS = 60_000_000_000
LIMIT_S = 10.0  # further off is an event
OFF_MINUTES = 2  # in a row
FROZEN_MINUTES = 5  # in a row with values that changed and a stamp that did not
BACK_NS = 1_000_000_000


@dataclass(slots=True, eq=False)
class _Last:
    """Of each point of a group: the stamp and value seen last."""

    stamp_ns: Indices
    value: Floats


@dataclass(slots=True, eq=False)
class _Device:
    minute_ns: int = 0
    offsets_s: list[float] = field(default_factory=list)
    changed: bool = False  # a value did, in this minute
    moved: bool = False  # a stamp did
    newest_ns: int = 0  # stamp
    back_ns: int = 0  # size of a step back seen in this minute
    off: int = 0  # minutes in a row
    frozen: int = 0


class DeviceClocks:
    """Frames in; each minute lines of ``device.clock_offset`` and events out."""

    def __init__(self, plant: str, gateway: str, book: EventBook) -> None:
        self._plant, self._gateway, self._book = plant, gateway, book
        self._last: dict[Group, _Last] = {}
        self._devices: dict[str, _Device] = {}
        self.offset_s: dict[str, float] = {}  # of the last minute, by device

    def take(self, frame: Frame) -> None:
        """Compare the device's stamps with the time the frame was read."""
        if frame.device_ns is None:
            return
        device = self._devices.setdefault(frame.group.device, _Device())
        size = len(frame.group.points)
        last = self._last.get(frame.group)
        if last is None:
            last = _Last(np.zeros(size, dtype=np.int64), np.full(size, np.nan))
            self._last[frame.group] = last
        index = np.arange(size) if frame.index is None else frame.index
        given = frame.device_ns > 0
        index, stamps, values = index[given], frame.device_ns[given], frame.values[given]
        arrived = np.full(len(index), frame.read_ns)
        if frame.times_ns is not None:
            late = frame.read_ns - frame.times_ns[given]
            arrived = np.where((late > 0) & (late < MINUTE_NS), frame.times_ns[given], arrived)
        before, known = last.stamp_ns[index], last.stamp_ns[index] > 0
        moved = known & (stamps > before)
        if moved.any():
            at = int(np.argmax(np.where(moved, stamps - arrived, np.iinfo(np.int64).min)))
            device.offsets_s.append((int(stamps[at]) - int(arrived[at])) / 1e9)
            device.moved = True
        back = int((before - stamps)[known].max(initial=0))
        device.back_ns = max(device.back_ns, back)
        device.moved |= back > BACK_NS
        device.newest_ns = int(stamps.max(initial=0)) or device.newest_ns
        changed = known & (stamps == before) & (values != last.value[index])
        device.changed |= bool((changed & np.isfinite(values)).any())
        last.stamp_ns[index], last.value[index] = stamps, values

    def passed(self, now_ns: int) -> Iterator[tuple[list[Event], bytes]]:
        """Once a minute and device: what it was about."""
        minute_ns = now_ns - now_ns % MINUTE_NS
        for name, device in self._devices.items():
            if not device.minute_ns:
                device.minute_ns = minute_ns
            if minute_ns == device.minute_ns:
                continue
            start_ns, device.minute_ns = device.minute_ns, minute_ns
            events = list(self._judge(name, device, start_ns))
            lines = self._line(name, device.offsets_s, start_ns)
            device.offsets_s, device.back_ns = [], 0
            device.changed = device.moved = False
            if lines or events:
                yield events, lines

    def forget(self, device: str, at_ns: int) -> Iterable[Event]:
        """The device is read no more, or anew."""
        self._devices.pop(device, None)
        self.offset_s.pop(device, None)
        self._last = {g: last for g, last in self._last.items() if g.device != device}
        ends = (self._book.finish(Happening.DEVICE_CLOCK, s, at_ns) for s in _subjects(device))
        return [event for event in ends if event is not None]

    def _judge(self, name: str, device: _Device, start_ns: int) -> Iterator[Event]:
        off, frozen = _subjects(name)
        end_ns = start_ns + MINUTE_NS
        kind = Happening.DEVICE_CLOCK
        if device.back_ns > BACK_NS:
            size_s = device.back_ns / 1e9
            text = back_text(name, size_s)
            yield self._book.once(kind, start_ns, text, end_ns=end_ns, amount=-size_s)
        if device.offsets_s:
            offset_s = self.offset_s[name] = _middle(device.offsets_s)
            wrong = abs(offset_s) > LIMIT_S
            device.off = device.off + 1 if wrong else 0
            if device.off == OFF_MINUTES:
                text = off_text(name, offset_s, LIMIT_S)
                yield from _told(self._book.begin(kind, off, start_ns, text))
            if not wrong:
                yield from _told(self._book.finish(kind, off, start_ns))
        if device.moved:
            device.frozen = 0
            yield from _told(self._book.finish(kind, frozen, start_ns))
        elif device.changed:
            device.frozen += 1
            if device.frozen == FROZEN_MINUTES:
                text = frozen_text(name, device.newest_ns)
                yield from _told(self._book.begin(kind, frozen, start_ns, text))

    def _line(self, device: str, offsets_s: list[float], start_ns: int) -> bytes:
        if not offsets_s:
            return b""
        mean, low, high = _middle(offsets_s), min(offsets_s), max(offsets_s)
        fields = [f"clock_offset={number(round(mean, 6))}"]
        if low != high:
            fields += [f"clock_offset_min={number(round(low, 6))}"]
            fields += [f"clock_offset_max={number(round(high, 6))}"]
            fields += [f"clock_offset_last={number(round(offsets_s[-1], 6))}"]
        fields.append(f"clock_offset_n={len(offsets_s)}i")
        tags = f"plant={self._plant},line={self._gateway},unit={device}"
        return f"device_1m,{tags} {','.join(fields)} {start_ns}".encode()


def _subjects(device: str) -> tuple[str, str]:
    return device, f"{device}-frozen"


def _middle(values: list[float]) -> float:
    return float(np.median(values))


def _told(event: Event | None) -> Iterator[Event]:
    if event is not None:
        yield event
