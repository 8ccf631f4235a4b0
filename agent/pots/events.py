"""Anode effects, warnings and unrest of pots → events of the record stream."""

from dataclasses import replace

from agent.wire.events import Event, Happening, Measured
from drivers.model import Equipment
from drivers.signals.effect import AnodeEffect, EffectLimits, Ending

SECOND_NS = 1_000_000_000


def effect_event(pot: Equipment, effect: AnodeEffect, limits: EffectLimits) -> Event:
    """The same id from begin to end, over re-ignitions and restarts."""
    kind = Happening.ANODE_EFFECT
    return Event(
        kind=kind,
        start_ns=effect.start_ns,
        id=f"{kind}-{pot}-{effect.start_ns}",
        text=_text(effect, limits),
        equipment=pot,
        end_ns=effect.end_ns,
        amount=effect.duration_s,
        measured=Measured(
            peak_v=round(effect.peak_v, 4),
            mean_v=round(effect.mean_v, 4),
            overvoltage_vs=round(effect.overvoltage_vs, 4),
            gap_s=effect.gap_s,
        ),
    )


def _text(effect: AnodeEffect, limits: EffectLimits) -> str:
    text = f"pot voltage at or above {limits.threshold_v:g} V, {effect.duration_s:g} s so far"
    if effect.end_ns is not None:
        text = f"pot voltage at or above {limits.threshold_v:g} V for {effect.duration_s:g} s"
    if effect.ignitions > 1:
        text += f", {effect.ignitions} ignitions"
    if effect.gap_s:
        text += f", of these not seen for {effect.gap_s:g} s"
    if effect.ending is Ending.UNSEEN:
        text += "; it ended unseen, after the time told here"
    if effect.ending is Ending.STOPPED:
        text += "; ended by the pot's mode, which says that it is not in operation"
    return text


def closed_unseen(event: Event) -> Event:
    """An effect that an earlier run left open and nobody follows any more."""
    known_ns = round((event.amount or 0.0) * SECOND_NS)
    text = f"{event.text.removesuffix(' so far')}; it ended unseen, after the time told here"
    return replace(event, end_ns=event.start_ns + known_ns, text=text)


class OpenSigns:
    """Warnings and unrest that last, by kind and pot."""

    def __init__(self) -> None:
        self._open: dict[tuple[Happening, Equipment], Event] = {}

    def begin(
        self, kind: Happening, pot: Equipment, at_ns: int, text: str, amount: float | None
    ) -> Event:
        event = Event(kind, at_ns, f"{kind}-{pot}-{at_ns}", text, pot, amount=amount)
        self._open[kind, pot] = event
        return event

    def end(self, kind: Happening, pot: Equipment, at_ns: int) -> list[Event]:
        """The ended event, or nothing."""
        event = self._open.pop((kind, pot), None)
        return [replace(event, end_ns=max(at_ns, event.start_ns))] if event else []

    def end_all(self, at_ns: int) -> list[Event]:
        return [event for kind, pot in list(self._open) for event in self.end(kind, pot, at_ns)]
