"""All pots of a gateway, over the groups and devices that tell about them."""

from collections import deque
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import numpy as np

from agent.pots.events import closed_unseen
from agent.pots.places import areas_of, currents_of
from agent.pots.room import Room
from agent.pots.settings import PotsConfig
from agent.wire.events import Event
from drivers.model import Frame, Group, Quality
from drivers.signals.effect import SECOND_NS, EffectLimits, Phase, Sums, Watch

_KEPT = 128  # readings of a line current that are remembered


class LineCurrents:
    """The last good readings of the current of each potline."""

    def __init__(self, age_s: float) -> None:
        self.age_ns = round(age_s * SECOND_NS)
        self._readings: dict[str, deque[tuple[int, float]]] = {}
        self._held: dict[str, float] = {}  # in subscriptions

    def take(self, frame: Frame, points: dict[int, str]) -> None:
        """Readings of a frame; bad ones are no readings."""
        if frame.index is None:
            for i, area in points.items():
                if frame.quality[i] == Quality.GOOD:
                    self._keep(area, frame.slot_ns, float(frame.values[i]))
            return
        times = frame.times_ns if frame.times_ns is not None else np.array([], dtype=np.int64)
        for k, i in enumerate(frame.index.tolist()):
            if i not in points:
                continue
            self._held.pop(points[i], None)
            if frame.quality[k] == Quality.GOOD:
                self._held[points[i]] = float(frame.values[k])
                self._keep(points[i], int(times[k]), float(frame.values[k]))
        for area in points.values():
            if area in self._held:  # a session that lives says that it is still so
                self._keep(area, frame.complete_ns or frame.slot_ns, self._held[area])

    def _keep(self, area: str, at_ns: int, ka: float) -> None:
        self._readings.setdefault(area, deque(maxlen=_KEPT)).append((at_ns, ka))

    def at(self, area: str, at_ns: int) -> float:
        """The last reading at or before ``at_ns``, kA; NaN when it is too old or there is none."""
        for read_ns, ka in reversed(self._readings.get(area, ())):
            if read_ns <= at_ns:
                return ka if at_ns - read_ns <= self.age_ns else float("nan")
        return float("nan")


class Pots:
    """Hands each frame to the rooms that it concerns; state outlives a change of groups."""

    def __init__(self, plant: str, settings: PotsConfig) -> None:
        self._plant = plant
        self._settings = settings
        self._currents = LineCurrents(settings.current_age_s)
        self._current_points: dict[Group, dict[int, str]] = {}
        self._rooms: list[Room] = []
        self._hears: dict[Group, list[Room]] = {}
        self._takes: dict[Group, list[Room]] = {}

    def take(self, frame: Frame) -> tuple[list[Event], list[bytes]]:
        """Events and record lines that follow from one judged frame."""
        points = self._current_points.get(frame.group)
        if points:
            self._currents.take(frame, points)
        events: list[Event] = []
        lines: list[bytes] = []
        for room in self._hears.get(frame.group, ()):
            events += room.hear(frame)
        for room in self._takes.get(frame.group, ()):
            more_events, more_lines = room.take(frame)
            events += more_events
            lines += more_lines
        return events, lines

    def passed(self, at_ns: dict[Group, int]) -> list[Event]:
        """Of these groups no sample older than this will come."""
        return [
            event
            for room in self._rooms
            if room.group in at_ns
            for event in room.passed(at_ns[room.group])
        ]

    def exchange(
        self, groups: Iterable[Group], now_ns: int, settings: PotsConfig | None = None
    ) -> list[Event]:
        """Follow the pots of these groups, by these settings, from now on."""
        groups = list(groups)
        anew = settings is not None and settings != self._settings
        if settings is not None and anew:
            self._settings = settings
            self._currents.age_ns = round(settings.current_age_s * SECOND_NS)
        kept = [] if anew else [room for room in self._rooms if room.group in groups]
        gone = [room for room in self._rooms if room not in kept]
        known = {room.group for room in kept}
        added = [
            Room(self._plant, group, pots, self._settings, self._current_of(area))
            for group in groups
            if self._settings.enabled and group not in known
            for area, pots in areas_of(group).items()
        ]
        events: list[Event] = []
        states = {name: state for room in gone for name, state in room.state().items()}
        moved = {name for room in added for name in room.restore(states)}
        for room in gone:
            events += room.signs_end(now_ns)
            left = [event for event in room.close(now_ns) if str(event.equipment) not in moved]
            events += left
        self._rooms = kept + added
        self._wire(groups)
        return events

    def _current_of(self, area: str) -> "_Current":
        return _Current(self._currents, area)

    def _wire(self, groups: list[Group]) -> None:
        read = {point.id for group in groups for point in group.points}
        for room in self._rooms:
            room.meet(groups, read)
        self._current_points = {group: found for group in groups if (found := currents_of(group))}
        self._hears = {group: [r for r in self._rooms if r.hears(group)] for group in groups}
        self._takes = {group: [r for r in self._rooms if r.group is group] for group in groups}

    def end_signs(self, at_ns: int) -> list[Event]:
        """Warnings and unrest end when the agent stops looking; effects go on with the next run."""
        return [event for room in self._rooms for event in room.signs_end(at_ns)]

    # --- over a restart

    def state(self) -> dict[str, dict[str, Any]]:
        return {name: state for room in self._rooms for name, state in room.state().items()}

    def restore(self, states: dict[str, dict[str, Any]], open_events: list[Event]) -> list[Event]:
        """
        Go on with what an earlier run saved, or after a kill with the effects it had told.

        Returns the ends of those whose pots are followed no more.
        """
        told = {
            str(event.equipment): asdict(_told_before(event)) | {"limits": None}
            for event in open_events
        }
        here = {name for room in self._rooms for name in room.restore(told | states)}
        return [closed_unseen(event) for event in open_events if str(event.equipment) not in here]


class _Current:
    """The current of one area, as a room asks for it."""

    def __init__(self, currents: LineCurrents, area: str) -> None:
        self._currents = currents
        self._area = area

    def __call__(self, at_ns: int) -> float:
        return self._currents.at(self._area, at_ns)


def _told_before(event: Event) -> Watch:
    """A watch that was burning when it was last told, and not seen since."""
    watch = Watch(EffectLimits(), 0, phase=Phase.BURNING, start_ns=event.start_ns, ignitions=1)
    duration_s = event.amount or 0.0
    watch.since_ns = watch.alive_ns = event.start_ns + round(duration_s * SECOND_NS)
    if event.measured is not None:
        gap_s, known_s = event.measured.gap_s, duration_s - event.measured.gap_s
        watch.total = Sums(
            known_ns=round(known_s * SECOND_NS),
            gap_ns=round(gap_s * SECOND_NS),
            peak_v=event.measured.peak_v,
            volt_s=event.measured.mean_v * known_s,
            over_vs=event.measured.overvoltage_vs,
        )
    return watch
