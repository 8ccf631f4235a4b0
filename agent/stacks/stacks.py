"""All stacks of a gateway, over the groups and devices that read them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from agent.minutes.window import Windows
from agent.stacks.settings import StackConfig
from agent.stacks.stack import Stack
from agent.wire.encode import WindowEncoder
from agent.wire.events import Event, Told
from drivers.model import Equipment, Frame, Group

Minutes = Mapping[Equipment, Mapping[int, Mapping[str, float]]]


@dataclass(slots=True, eq=False)
class _Place:
    """A stack that is followed, and how its figures are written."""

    stack: Stack
    encoder: WindowEncoder


class Stacks:
    """
    Hands frames and closed minutes to the stacks that they concern.

    Nothing is saved: the hour under way is in the record log, minute by minute (``resume.py``).
    """

    def __init__(self, plant: str, settings: Iterable[StackConfig]) -> None:
        self._plant = plant
        self._settings = tuple(settings)
        self._places: dict[Equipment, _Place] = {}
        self._hears: dict[Group, list[_Place]] = {}

    @property
    def equipment(self) -> tuple[Equipment, ...]:
        return tuple(self._places)

    def hear(self, frame: Frame) -> None:
        """A frame that was judged; before ``take`` of the minutes it closed."""
        for place in self._hears.get(frame.group, ()):
            place.stack.hear(frame)

    def take(self, group: Group, windows: Windows) -> Told:
        """A closed minute of a group."""
        told = Told()
        for place in self._hears.get(group, ()):
            place.stack.closed(group, windows.start_ns)
            self._settle(place, place.stack.whole(), told)
        return told

    def passed(self, now_ns: int, grace_ns: Mapping[Group, int]) -> Told:
        """Minutes and hours that wait for a group that is silent."""
        told = Told()
        for place in self._places.values():
            self._settle(place, place.stack.over(now_ns, grace_ns), told)
            told.events += place.stack.passed(now_ns, grace_ns)
        return told

    @staticmethod
    def _settle(place: _Place, minutes: Iterable[int], told: Told) -> None:
        for at_ns in minutes:
            settled = place.stack.settle(at_ns)
            if place.stack.points:
                told.lines.append(place.encoder.encode(settled.windows))
            told.events += settled.events

    # --- which stacks

    def exchange(
        self,
        groups: Iterable[Group],
        now_ns: int,
        settings: Iterable[StackConfig] | None = None,
    ) -> list[Event]:
        """Follow the stacks of these groups, by these settings, from now on."""
        groups = list(groups)
        if settings is not None:
            self._settings = tuple(settings)
        read = {point.id for group in groups for point in group.points}
        before, self._places = self._places, {}
        for config in self._settings:
            known = before.pop(Equipment.parse(config.equipment), None)
            stack = known.stack if known else Stack(config)
            stack.use(config)
            stack.meet(groups, read)
            if stack.groups:
                place = _Place(stack, WindowEncoder(self._plant, stack.points))
                self._places[stack.equipment] = place
            else:
                before[stack.equipment] = _Place(stack, WindowEncoder(self._plant, ()))
        places = self._places.values()
        self._hears = {g: [p for p in places if p.stack.hears(g)] for g in groups}
        return [event for gone in before.values() for event in gone.stack.stop(now_ns)]

    def end_signs(self, at_ns: int) -> list[Event]:
        """Warnings end when the agent stops looking; the next run judges the hour anew."""
        return [event for place in self._places.values() for event in place.stack.stop(at_ns)]

    def restore(self, minutes: Minutes) -> list[Event]:
        """Go on with the hour of an earlier run; tells hours that ended while nobody looked."""
        return [
            event
            for equipment, known in minutes.items()
            if (place := self._places.get(equipment)) is not None
            for event in place.stack.remember(known)
        ]
