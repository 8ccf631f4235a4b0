"""Alarms of exchangers → events of the record stream, with ids that outlive a restart."""

import math
from dataclasses import replace
from typing import Any

from agent.wire.events import Event, Happening
from drivers.model import Equipment
from drivers.signals.fouling import FoulingLimits, Judged, Trouble
from drivers.signals.lasting import Change

KINDS = frozenset(Happening(trouble) for trouble in Trouble)


class OpenTroubles:
    """Events of one exchanger that last."""

    def __init__(self, equipment: Equipment) -> None:
        self.equipment = equipment
        self._open: dict[Happening, Event] = {}

    def tell(self, trouble: Trouble, change: Change, text: str) -> Event:
        """A change as an event; ``text`` is for one that begins."""
        kind = Happening(trouble)
        known = self._open.pop(kind, None)
        if change.end_ns is not None and known is not None:
            return replace(known, end_ns=max(change.end_ns, known.start_ns))
        name = f"{kind}-{self.equipment}-{change.start_ns}"
        amount = None if math.isnan(change.value) else round(change.value, 4)
        event = Event(kind, change.start_ns, name, text, self.equipment, change.end_ns, amount)
        if change.end_ns is None:
            self._open[kind] = event
        return event

    def lasting(self) -> list[Event]:
        return list(self._open.values())

    @staticmethod
    def end(event: Event, at_ns: int) -> Event:
        """Nobody follows its exchanger any more."""
        return replace(event, end_ns=max(at_ns, event.start_ns))

    def adopt(self, event: Event) -> bool:
        """Go on with an event of an earlier run, unless one of its kind is open."""
        if event.kind in self._open:
            return False
        self._open[event.kind] = event
        return True

    def state(self) -> list[dict[str, Any]]:
        return [
            {"kind": e.kind, "start_ns": e.start_ns, "text": e.text, "amount": e.amount}
            for e in self._open.values()
        ]

    def restore(self, states: list[dict[str, Any]]) -> None:
        for state in states:
            kind, start_ns = Happening(state["kind"]), int(state["start_ns"])
            name = f"{kind}-{self.equipment}-{start_ns}"
            text, amount = str(state["text"]), state["amount"]
            self._open[kind] = Event(kind, start_ns, name, text, self.equipment, None, amount)


def text_of(trouble: Trouble, change: Change, judged: Judged, limits: FoulingLimits) -> str:
    """Why it begins, in one sentence."""
    value = change.value
    if trouble is Trouble.FOULING:
        return (
            f"UA is {value:.1%} of the clean one at the same gas flow, below {limits.fouled:.0%} "
            f"for {limits.hold_h} h{_falling(judged)}"
        )
    if trouble is Trouble.PRESSURE_DROP:
        return (
            f"pressure drop is {value:.2f} times the clean one at the same gas flow, above "
            f"{limits.drop_high:g} times for {limits.hold_h} h"
        )
    if trouble is Trouble.ACID_DEW:
        return (
            f"gas leaves with {value:.1f} degC, below {limits.dew_c:g} degC for {limits.dew_min} "
            "min: acid may condense"
        )
    if math.isnan(value):
        return (
            f"temperatures and flows contradict one another for {limits.balance_min} min: "
            "check the sensors"
        )
    return (
        f"gas side and water side differ by {value:.1%} of the heat of the gas, more than "
        f"{limits.balance:.0%} for {limits.balance_min} min: a sensor, or gas by-passes"
    )


def _falling(judged: Judged) -> str:
    trend = judged.ua_trend
    return "" if math.isnan(trend) else f"; it changes by {trend:+.1f} % in 30 days"
