"""Samples of one stack, group by group, as far back as its minute may need them."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from drivers.model import Codes, Floats, Frame, Group, Indices, Quality

SECOND_NS = 1_000_000_000
HOLD_INTERVALS = 3
REPEATED_NS = 30 * SECOND_NS  # a subscription says again each 10 s what stands still
MOST_FRAMES = 20_000  # of one group, whatever its cadence


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Of one reading, by time; ``hold_ns`` is how long each stands for what comes after."""

    times: Indices
    values: Floats
    quality: Codes
    hold_ns: int

    def at(self, times: Indices) -> tuple[Floats, Codes]:
        """Value and quality at these times: the newest sample before, unless it is too old."""
        if not len(self.times):
            return np.full(len(times), np.nan), np.full(len(times), Quality.NO_DATA, np.uint8)
        place = np.searchsorted(self.times, times, side="right") - 1
        near = np.maximum(place, 0)
        fresh = (place >= 0) & (times - self.times[near] <= self.hold_ns)
        values = np.where(fresh, self.values[near], np.nan)
        return values, np.where(fresh, self.quality[near], Quality.NO_DATA).astype(np.uint8)


class Feed:
    """What one group tells of one stack; ``places`` maps a reading to its point in the group."""

    def __init__(self, group: Group, places: Mapping[str, int]) -> None:
        self.group = group
        self.places = dict(places)
        self._columns = np.array(list(self.places.values()), dtype=np.int64)
        self._frames: deque[Frame] = deque(maxlen=MOST_FRAMES)
        self.step_ns = max(round(group.interval_s * SECOND_NS), 1)
        self.hold_ns = HOLD_INTERVALS * self.step_ns
        self.steady = group.mode == "poll"  # a reading at each slot, not only when it changes
        if not self.steady:
            self.hold_ns = max(self.hold_ns, REPEATED_NS)

    def add(self, frame: Frame) -> None:
        self._frames.append(frame)

    def forget(self, before_ns: int) -> None:
        """Drop frames that no minute from ``before_ns`` on needs."""
        while self._frames and self._frames[0].slot_ns < before_ns - self.hold_ns:
            self._frames.popleft()

    def samples(self, end_ns: int) -> dict[str, Samples]:
        """Each reading up to ``end_ns``, what is held from before the minute included."""
        if self.steady and all(frame.index is None for frame in self._frames):
            return self._dense(end_ns)
        return self._sparse(end_ns)

    def _dense(self, end_ns: int) -> dict[str, Samples]:
        frames = [frame for frame in self._frames if frame.slot_ns < end_ns]
        times = np.array([frame.slot_ns for frame in frames], dtype=np.int64)
        shape = (len(frames), len(self._columns))
        values = np.array([f.values[self._columns] for f in frames]).reshape(shape)
        quality = np.array([f.quality[self._columns] for f in frames], np.uint8).reshape(shape)
        return {
            name: Samples(times, values[:, i], quality[:, i], self.hold_ns)
            for i, name in enumerate(self.places)
        }

    def _sparse(self, end_ns: int) -> dict[str, Samples]:
        parts: dict[str, list[tuple[Indices, Floats, Codes]]] = {name: [] for name in self.places}
        for frame in self._frames:
            index = np.arange(len(frame.values)) if frame.index is None else frame.index
            times = frame.times_ns
            if times is None:
                times = np.full(len(index), frame.slot_ns, dtype=np.int64)
            for name, place in self.places.items():
                chosen = (index == place) & (times < end_ns)
                if chosen.any():
                    found = times[chosen], frame.values[chosen], frame.quality[chosen]
                    parts[name].append(found)
        return {name: self._joined(found) for name, found in parts.items()}

    def _joined(self, parts: list[tuple[Indices, Floats, Codes]]) -> Samples:
        if not parts:
            none = np.empty(0)
            return Samples(none.astype(np.int64), none, none.astype(np.uint8), self.hold_ns)
        times, values, quality = (np.concatenate(column) for column in zip(*parts, strict=True))
        order = np.argsort(times, kind="stable")
        return Samples(times[order], values[order], quality[order].astype(np.uint8), self.hold_ns)

    def moments(self, samples: Samples, start_ns: int, end_ns: int) -> Indices:
        """
        When a reading counts: each of its samples; of a subscription, which is silent while a value
        stands still, each interval.
        """
        if self.steady:
            times = samples.times
            found: Indices = times[(times >= start_ns) & (times < end_ns)]
            return found
        return np.arange(start_ns, end_ns, self.step_ns, dtype=np.int64)
