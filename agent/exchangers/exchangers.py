"""All heat exchangers of a gateway, over the groups and devices that read them."""

import asyncio
import json
import logging
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.exchangers.events import OpenTroubles, text_of
from agent.exchangers.exchanger import Exchanger
from agent.exchangers.settings import MEASUREMENT, ExchangersConfig
from agent.minutes.window import Windows
from agent.wire.encode import WindowEncoder
from agent.wire.events import Event, Told
from drivers.model import Equipment, Group
from drivers.signals.fouling import MINUTE_NS, Judged, Trouble
from drivers.signals.lasting import Change

_log = logging.getLogger(__name__)

FILE = "exchangers.json"
SAVED_NS = 10 * MINUTE_NS  # a kill forgets no more than this
_FORM = 1


@dataclass(slots=True, eq=False)
class _Place:
    """An exchanger that is followed, its open events and how its figures are written."""

    exchanger: Exchanger
    troubles: OpenTroubles
    encoder: WindowEncoder


class Exchangers:
    """
    Hands closed windows to the exchangers that they concern.

    What was learned and what lasts is ``state``; it is kept in a file of its own, because clean
    values and alarms are older than anything that the tail of the record log could tell.
    """

    def __init__(self, plant: str, settings: ExchangersConfig) -> None:
        self._plant = plant
        self._settings = settings
        self._places: dict[Equipment, _Place] = {}
        self._hears: dict[Group, list[_Place]] = {}
        self.unsaved = False  # something began or ended, or time has passed
        self.failing = False  # the file could not be written

    def take(self, group: Group, windows: Windows) -> Told:
        """A closed window of a group."""
        told = Told()
        for place in self._hears.get(group, ()):
            place.exchanger.take(group, windows)
            self._settle(place, place.exchanger.whole(), told)
        return told

    def passed(self, now_ns: int, grace_ns: Mapping[Group, int]) -> Told:
        """Minutes that wait for a group that is silent."""
        told = Told()
        for place in self._places.values():
            self._settle(place, place.exchanger.over(now_ns, grace_ns), told)
        return told

    def _settle(self, place: _Place, minutes: Iterable[int], told: Told) -> None:
        exchanger = place.exchanger
        for at_ns in minutes:
            windows, judged = exchanger.settle(at_ns)
            if exchanger.points:
                told.lines.append(place.encoder.encode(windows))
            told.events += self._events(place, judged.changes, judged)
            self.unsaved |= bool(judged.changes) or at_ns % SAVED_NS == 0

    def _events(
        self, place: _Place, changes: Iterable[tuple[Trouble, Change]], judged: Judged | None = None
    ) -> list[Event]:
        limits = place.exchanger.watch.limits
        return [
            place.troubles.tell(
                trouble, change, text_of(trouble, change, judged, limits) if judged else ""
            )
            for trouble, change in changes
        ]

    # --- groups come and go

    def exchange(
        self, groups: Iterable[Group], now_ns: int, settings: ExchangersConfig | None = None
    ) -> list[Event]:
        """Follow the exchangers of these groups, by these settings, from now on."""
        groups = list(groups)
        if settings is not None:
            self._settings = settings
        named = {
            point.equipment
            for group in groups
            for point in group.points
            if point.quantity.measurement == MEASUREMENT
        }
        wanted = named if self._settings.enabled else set()
        read = {point.id for group in groups for point in group.points}
        events: list[Event] = []
        before, self._places = self._places, {}
        for equipment in sorted(wanted):
            place = self._place(equipment, before.pop(equipment, None))
            place.exchanger.meet(groups, read)
            place.encoder = WindowEncoder(self._plant, place.exchanger.points)
            self._places[equipment] = place
        for place in before.values():
            events += self._events(place, place.exchanger.watch.stop(now_ns))
        places = self._places.values()
        self._hears = {g: [p for p in places if p.exchanger.hears(g)] for g in groups}
        self.unsaved = self.unsaved or bool(before)
        return events

    def _place(self, equipment: Equipment, before: _Place | None) -> _Place:
        """Kept with its memory; new settings hold at once."""
        if before is not None:
            before.exchanger.use(self._settings)
            return before
        exchanger = Exchanger(equipment, self._settings)
        return _Place(exchanger, OpenTroubles(equipment), WindowEncoder(self._plant, ()))

    # --- over a restart

    def state(self) -> dict[str, Any]:
        """As JSON, by exchanger."""
        self.unsaved = False
        return {
            str(equipment): {
                "watch": place.exchanger.watch.state(),
                "open": place.troubles.state(),
            }
            for equipment, place in self._places.items()
        }

    def restore(
        self, states: Mapping[str, Any], open_events: Iterable[Event], end_ns: int
    ) -> list[Event]:
        """
        Go on with what an earlier run saved, and with what it had begun after it last saved.

        Returns the ends of those whose exchangers are followed no more.
        """
        ended = []
        for name, state in states.items():
            troubles = OpenTroubles(Equipment.parse(name))
            place = self._places.get(troubles.equipment)
            try:
                troubles.restore(state["open"])
                if place is None:
                    ended += [troubles.end(event, end_ns) for event in troubles.lasting()]
                else:
                    place.exchanger.watch.restore(state["watch"])
                    place.troubles = troubles
            except (KeyError, TypeError, ValueError) as error:
                _log.warning("state of exchanger unusable exchanger=%s error=%r", name, error)
        for event in open_events:
            place = self._places.get(event.equipment) if event.equipment else None
            if place is None:
                ended.append(OpenTroubles.end(event, end_ns))
            elif place.troubles.adopt(event):
                place.exchanger.watch.begun(Trouble(event.kind), event.start_ns)
        return ended


async def keep(exchangers: Exchangers, folder: Path) -> None:
    """Save what is unsaved; a full disk is told once, and tried again at the next call."""
    if not exchangers.unsaved:
        return
    try:
        await asyncio.to_thread(save, folder, exchangers.state())
    except OSError as error:
        exchangers.unsaved = True
        if not exchangers.failing:
            _log.warning("state of exchangers not saved path=%s error=%r", folder / FILE, error)
        exchangers.failing = True
    else:
        exchangers.failing = False


def save(folder: Path, states: Mapping[str, Any]) -> None:
    """Write ``exchangers.json`` so that either the old or the new one is there whole."""
    path = folder / FILE
    fresh = path.with_suffix(".tmp")
    with fresh.open("w", encoding="utf-8") as file:
        json.dump({"form": _FORM, "exchangers": states}, file, allow_nan=False)
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(path)


def load(folder: Path) -> dict[str, Any]:
    """What ``save`` wrote; empty when there is none or it cannot be read."""
    path = folder / FILE
    try:
        content = json.loads(path.read_text("utf-8"))
        found: dict[str, Any] = dict(content["exchangers"]) if content["form"] == _FORM else {}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError) as error:
        _log.warning(
            "state file unusable path=%s error=%r; clean values are learned anew", path, error
        )
        return {}
    return found
