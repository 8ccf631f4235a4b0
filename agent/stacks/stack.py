"""One stack: readings from whatever groups bring them in; minutes, hours and events out."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from agent.minutes.window import Windows
from agent.stacks.alarm import Alarm
from agent.stacks.minute import MINUTE_NS, NOTHING, MinuteMean, minute_means
from agent.stacks.readings import Feed
from agent.stacks.settings import MEASUREMENT, STATE, StackConfig
from agent.wire.events import Event
from drivers.model import Equipment, Floats, Frame, Group, Point, Quality
from drivers.quantities import quantities
from drivers.signals.stack import GAS, POLLUTANTS, needs
from drivers.signals.stack_hour import HOUR_NS, HourSoFar

READINGS = frozenset((*POLLUTANTS, *GAS, STATE))
_HOUR, _FORECAST = "hour", "hour_forecast"


@dataclass(slots=True, eq=False)
class Settled:
    """A whole minute: its derived windows, and what happened."""

    windows: Windows
    events: list[Event] = field(default_factory=list)


class Stack:
    """``hear`` collects frames, ``closed`` tells which minutes are over, ``settle`` makes one."""

    def __init__(self, config: StackConfig) -> None:
        self.config = config
        self.equipment = Equipment.parse(config.equipment)
        self.points: tuple[Point, ...] = ()
        self._feeds: dict[Group, Feed] = {}
        self._closed: dict[Group, int] = {}
        self._pending: set[int] = set()
        self._settled_ns = -1
        self._fields: dict[str, tuple[str, ...]] = {}
        self._alarms: dict[str, Alarm] = {}

    def use(self, config: StackConfig) -> None:
        """These settings from now on."""
        self.config = config
        for alarm in self._alarms.values():
            alarm.use(config)

    def meet(self, groups: Iterable[Group], read: set[str]) -> None:
        """These groups are read now; what a device tells by itself (``read``) is not derived."""
        before, self._feeds = self._feeds, {}
        for group in groups:
            places = {
                point.quantity.field: i
                for i, point in enumerate(group.points)
                if point.equipment == self.equipment
                and point.quantity.measurement == MEASUREMENT
                and point.quantity.field in READINGS
            }
            if places and group.mode != "report":
                self._feeds[group] = before.get(group) or Feed(group, places)
        self._closed = {g: ns for g, ns in self._closed.items() if g in self._feeds}
        told = frozenset(name for feed in self._feeds.values() for name in feed.places)
        self._fields = needs(self.config.gas(), told)
        followed = [p for p in POLLUTANTS if f"{p}_converted" in self._fields]
        self._alarms = {
            p: self._alarms.get(p) or Alarm(self.equipment, p, self.config) for p in followed
        }
        names = [*self._fields, *(f"{p}_{end}" for p in followed for end in (_HOUR, _FORECAST))]
        device = next((group.device for group in self._feeds), "")
        known = quantities()
        made = (
            Point(self.equipment, known[f"{MEASUREMENT}.{n}"], device, "computed", "float64")
            for n in names
        )
        self.points = tuple(point for point in made if point.id not in read)

    def hears(self, group: Group) -> bool:
        return group in self._feeds

    @property
    def groups(self) -> tuple[Group, ...]:
        return tuple(self._feeds)

    # --- readings in

    def hear(self, frame: Frame) -> None:
        """Samples of a frame that was judged."""
        self._feeds[frame.group].add(frame)

    def closed(self, group: Group, start_ns: int) -> None:
        """A minute of this group is over: no more samples of it will come."""
        self._closed[group] = start_ns
        if start_ns > self._settled_ns:
            self._pending.add(start_ns)

    def whole(self) -> list[int]:
        """Pending minutes that all groups have closed, oldest first."""
        upto_ns = min((self._closed.get(group, -1) for group in self._feeds), default=-1)
        return sorted(at_ns for at_ns in self._pending if at_ns <= upto_ns)

    def over(self, now_ns: int, grace_ns: Mapping[Group, int]) -> list[int]:
        """Pending minutes for which nothing more can come, though some group is silent."""
        wait_ns = self._wait_ns(grace_ns)
        return sorted(at_ns for at_ns in self._pending if at_ns + MINUTE_NS + wait_ns <= now_ns)

    def _wait_ns(self, grace_ns: Mapping[Group, int]) -> int:
        return max((grace_ns.get(group, 0) for group in self._feeds), default=0) + MINUTE_NS

    # --- minutes out

    def settle(self, at_ns: int) -> Settled:
        """The figures of a pending minute; minutes are settled in order of time."""
        self._pending.discard(at_ns)
        self._settled_ns = at_ns
        gas = self.config.gas()
        means = minute_means(self._feeds.values(), self._fields, self.config, gas, at_ns)
        for feed in self._feeds.values():
            feed.forget(at_ns + MINUTE_NS)
        events: list[Event] = []
        for pollutant, alarm in self._alarms.items():
            events += alarm.minute(at_ns, means[f"{pollutant}_converted"].mean)
            means[f"{pollutant}_{_HOUR}"] = _so_far(alarm.hours)
            means[f"{pollutant}_{_FORECAST}"] = _forecast(alarm.hours)
            if (at_ns + MINUTE_NS) % HOUR_NS == 0:
                events += alarm.over(at_ns + MINUTE_NS)
        return Settled(self._windows(at_ns, means), events)

    def passed(self, now_ns: int, grace_ns: Mapping[Group, int]) -> list[Event]:
        """Hours that are over though their minutes stayed away."""
        sure_ns = now_ns - self._wait_ns(grace_ns)
        return [event for alarm in self._alarms.values() for event in alarm.over(sure_ns)]

    def stop(self, at_ns: int) -> list[Event]:
        """Nobody looks any more: warnings end."""
        return [event for alarm in self._alarms.values() for event in alarm.stop(at_ns)]

    def remember(self, minutes: Mapping[int, Mapping[str, float]]) -> list[Event]:
        """Minutes of an earlier run, by their start: converted means by pollutant."""
        events: list[Event] = []
        for at_ns in sorted(minutes):
            self._settled_ns = at_ns
            for pollutant, alarm in self._alarms.items():
                value = minutes[at_ns].get(pollutant, float("nan"))
                events += alarm.remember(at_ns, value)
        return events

    def _windows(self, at_ns: int, means: Mapping[str, MinuteMean]) -> Windows:
        rows = [means.get(point.quantity.field, NOTHING) for point in self.points]
        mean: Floats = np.array([row.mean for row in rows])
        return Windows(
            points=self.points,
            start_ns=at_ns,
            period_s=60,
            mean=mean,
            low=np.array([row.low for row in rows]),
            high=np.array([row.high for row in rows]),
            last=np.array([row.last for row in rows]),
            increment=np.full(len(rows), np.nan),
            count=np.array([row.count for row in rows], dtype=np.int64),
            good=np.array([row.share for row in rows]),
            reason=np.array([row.reason for row in rows], dtype=np.uint8),
        )


def _so_far(hours: HourSoFar) -> MinuteMean:
    """Mean of the hour so far; ``count`` valid minutes, ``share`` of those that passed."""
    hour = hours.hour()
    if not hour.valid:
        return NOTHING
    mean = round(hour.mean, 4)
    share = min(hour.valid / max(hours.passed, 1), 1.0)
    reason = int(Quality.GOOD if share == 1.0 else Quality.NO_DATA)
    return MinuteMean(mean, mean, mean, mean, hour.valid, share, reason)


def _forecast(hours: HourSoFar) -> MinuteMean:
    """Where the hour will end; ``low`` and ``high`` are the band."""
    told = hours.forecast()
    if math.isnan(told.expected):
        return NOTHING
    mean, low, high = (round(x, 4) for x in (told.expected, told.low, told.high))
    return MinuteMean(mean, low, high, mean, told.valid, 1.0, int(Quality.GOOD))
