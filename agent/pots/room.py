"""The pots of one area that are read in one group: frames in, events and record lines out."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from agent.pots.events import OpenSigns, effect_event
from agent.pots.minutes import DerivedPoints
from agent.pots.places import ABOUT, VOLTAGE, Places
from agent.pots.settings import PotsConfig
from agent.wire.encode import WindowEncoder
from agent.wire.events import Event, Happening
from drivers.model import Equipment, Floats, Frame, Group, Quality
from drivers.signals.effect import AnodeEffect
from drivers.signals.noise import FLICKER_MAX_S
from drivers.signals.pots import MINUTE_NS, PotMinute, PotSignals

RUNNING = 1.0  # pot.mode


class Room:
    """
    ``take`` gets each frame of its group, ``hear`` those that tell something else of its pots.

    Rows for resistance and noise wait for the next frame of the group, so that the line current of
    their own time is in, whichever device answers first.
    """

    def __init__(
        self,
        plant: str,
        group: Group,
        pots: list[Equipment],
        settings: PotsConfig,
        current: Callable[[int], float],
    ) -> None:
        self.group = group
        self.pots = pots
        self.area = pots[0].line
        self.signals = PotSignals(
            len(pots),
            group.interval_s,
            settings.limits(self.area, group.interval_s, subscribed=group.mode == "subscribe"),
        )
        self._plant = plant
        self._settings = settings
        self._current = current
        voltages = Places.of(group, VOLTAGE, pots)
        assert voltages is not None  # noqa: S101 - rooms are made of groups that read voltages
        self._voltages = voltages
        self._place = np.full(len(group.points), -1, dtype=np.int64)
        self._place[voltages.points] = voltages.pots
        self._held = np.full(len(pots), np.nan)  # subscriptions: the last voltages
        self._linked = np.ones(len(pots), dtype=bool)
        self._about: dict[Group, list[tuple[str, Places]]] = {}
        self._row: tuple[int, Floats] | None = None
        self._signs = OpenSigns()
        self._points: DerivedPoints
        self._encoder: WindowEncoder
        self.meet([group], set())

    def meet(self, groups: Iterable[Group], read: set[str]) -> None:
        """These groups are read now; ``read`` are the ids of all their points."""
        self._about = {}
        told: set[str] = set()
        for group in groups:
            places = [(name, Places.of(group, f"pot.{name}", self.pots)) for name in ABOUT]
            found = [(name, place) for name, place in places if place is not None]
            told |= {name for name, _ in found}
            if found:
                self._about[group] = found
        limits = self.signals.limits
        fields = {"ae_seconds", "ae_overvoltage", "pseudo_resistance", "resistance_slope", "swing"}
        fields |= {"normalised_voltage"} if limits.nominal_ka is not None else set()
        fields |= {"flicker"} if self.group.interval_s <= FLICKER_MAX_S else set()
        fields |= {"feed_phase"} if "feed_state" in told else set()
        fields |= {"feed_deficit"} if "feed_shots" in told and limits.shot_kg else set()
        fields |= {"ae_risk"} if self._settings.warning.enabled else set()
        self._points = DerivedPoints(self.pots, self.group.device, fields, read)
        self._encoder = WindowEncoder(self._plant, self._points.points)

    def hears(self, group: Group) -> bool:
        return group in self._about

    # --- frames

    def hear(self, frame: Frame) -> list[Event]:
        """Set voltage, mode, link and feeding, from whichever group brings them."""
        found = self._about.get(frame.group)
        if not found:
            return []
        notes: list[AnodeEffect] = []
        for name, places in found:
            values = _newest(frame, places)
            notes += self._told(name, frame.slot_ns, places, values)
        return self._events(notes)

    def _told(self, name: str, at_ns: int, places: Places, values: Floats) -> Iterable[AnodeEffect]:
        known = np.isfinite(values)
        pots = places.pots[known]
        values = values[known]
        effects = self.signals.effects
        if name == "set_voltage":
            effects.target[pots] = values
        elif name == "link":
            self._linked[pots] = values == 0
        elif name == "feed_shots":
            self.signals.shots[pots] = values
        elif name == "feed_state":
            states = np.full(len(self.pots), np.nan)
            states[pots] = values
            self.signals.phase.add(at_ns, states)
        elif name == "mode":
            running = effects.running.copy()
            running[pots] = values == RUNNING
            if (running != effects.running).any():
                return effects.operate(at_ns, running)
        return []

    def take(self, frame: Frame) -> tuple[list[Event], list[bytes]]:
        """Voltages of this group."""
        effects = self.signals.effects
        if frame.index is None:
            volts = self._dense(frame)
            notes = effects.frame(frame.slot_ns, volts)
            self._held = volts
        else:
            notes = self._sparse(frame)
            volts = np.where(self._linked, self._held, np.nan)
        events = self._events(notes)
        if self._row is not None:
            at_ns, row = self._row
            self.signals.row(at_ns, row, self._current(at_ns))
        self._row = (frame.slot_ns, volts)
        lines = []
        for minute in self.signals.ready(frame.slot_ns):
            events += self._of_minute(minute)
            lines.append(self._encoder.encode(self._points.windows(minute)))
        return events, lines

    def _dense(self, frame: Frame) -> Floats:
        places = self._voltages
        volts = frame.values[places.points]
        codes = frame.quality[places.points]
        if codes.any() or not self._linked.all():
            volts = np.where((codes == Quality.GOOD) & self._linked, volts, np.nan)
        return volts

    def _sparse(self, frame: Frame) -> list[AnodeEffect]:
        assert frame.index is not None and frame.times_ns is not None  # noqa: S101, PT018 - sparse frames have both
        pots = self._place[frame.index]
        mine = np.flatnonzero(pots >= 0)
        mine = mine[np.argsort(frame.times_ns[mine], kind="stable")]
        pots = pots[mine]
        good = (frame.quality[mine] == Quality.GOOD) & self._linked[pots]
        volts = np.where(good, frame.values[mine], np.nan)
        self._held[pots] = volts  # of several samples of a pot the last one stays
        sure_ns = frame.complete_ns or frame.slot_ns
        return self.signals.effects.samples(pots, frame.times_ns[mine], volts, sure_ns)

    # --- out

    def _events(self, notes: Iterable[AnodeEffect]) -> list[Event]:
        limits = self.signals.limits.effect
        return [effect_event(self.pots[note.pot], note, limits) for note in notes]

    def _of_minute(self, minute: PotMinute) -> list[Event]:
        events = self._events(self.signals.effects.lasting())  # so a kill loses a minute at most
        end_ns = minute.start_ns + MINUTE_NS
        if self._settings.warning.enabled:
            begins, ends = minute.warned
            for pot in begins.tolist():
                risk = float(minute.values["ae_risk"][pot])
                text = f"{risk:.0f} of 4 signs of an anode effect to come: {_signs(minute, pot)}"
                events.append(self._begin(Happening.ANODE_EFFECT_WARNING, pot, end_ns, text, risk))
            for pot in ends.tolist():
                events += self._signs.end(Happening.ANODE_EFFECT_WARNING, self.pots[pot], end_ns)
        begins, ends = minute.unstable
        for pot in begins.tolist():
            swing = float(minute.values["swing"][pot])
            limit = self.signals.limits.swing_unstable_mv
            text = f"swing {swing:.0f} mV, at or above {limit:g} mV for {self._long()} min"
            events.append(self._begin(Happening.UNSTABLE, pot, end_ns, text, round(swing, 2)))
        for pot in ends.tolist():
            events += self._signs.end(Happening.UNSTABLE, self.pots[pot], end_ns)
        return events

    def _long(self) -> int:
        return self.signals.limits.unstable_min

    def _begin(self, kind: Happening, pot: int, at_ns: int, text: str, amount: float) -> Event:
        return self._signs.begin(kind, self.pots[pot], at_ns, text, amount)

    def passed(self, at_ns: int) -> list[Event]:
        """No sample older than ``at_ns`` will come."""
        return self._events(self.signals.effects.passed(at_ns))

    def signs_end(self, at_ns: int) -> list[Event]:
        """Warnings and unrest end: nobody looks any more."""
        return self._signs.end_all(at_ns)

    def close(self, at_ns: int) -> list[Event]:
        """These pots are followed no more: everything ends."""
        return self._events(self.signals.effects.finish(at_ns)) + self.signs_end(at_ns)

    # --- over a restart or another config

    def state(self) -> dict[str, dict[str, Any]]:
        """Pots under close watch, by equipment."""
        return {str(self.pots[s["pot"]]): s for s in self.signals.effects.state()}

    def restore(self, states: dict[str, dict[str, Any]]) -> set[str]:
        """Go on with saved pots; returns those that are here."""
        places = {str(pot): n for n, pot in enumerate(self.pots)}
        mine = {name: state for name, state in states.items() if name in places}
        self.signals.effects.restore({**s, "pot": places[name]} for name, s in mine.items())
        return set(mine)


def _newest(frame: Frame, places: Places) -> Floats:
    """Good values of these points in the frame; NaN where it brings none."""
    if frame.index is None:
        values = frame.values[places.points]
        codes = frame.quality[places.points]
        return np.where(codes == Quality.GOOD, values, np.nan) if codes.any() else values
    latest = np.full(len(frame.group.points), np.nan)
    good = frame.quality == Quality.GOOD
    latest[frame.index[good]] = frame.values[good]
    return latest[places.points]


def _signs(minute: PotMinute, pot: int) -> str:
    named = (
        ("resistance_slope", "slope {:.2f} uOhm/h"),
        ("feed_deficit", "alumina lacking {:.0f} kg"),
        ("swing", "swing {:.0f} mV"),
    )
    values = ((form, float(minute.values[name][pot])) for name, form in named)
    return ", ".join(form.format(value) for form, value in values if np.isfinite(value))
