"""
Anode effects from pot voltage: of many pots as frames come in, or of one recorded trace.

Deterministic and without a clock: the same samples give the same effects, however they are split
into frames. Pots below the threshold cost one comparison of arrays; only a pot above it, or just
come back, has an object of its own (``effect.py``). An effect at low voltage, in which only few
anodes take part, is not visible in the pot's voltage and is not found here.
"""

from collections.abc import Iterable
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from drivers.model import Floats, Indices
from drivers.signals.effect import (
    SECOND_NS,
    AnodeEffect,
    EffectLimits,
    Ending,
    Phase,
    Sums,
    Watch,
)

__all__ = ["AnodeEffect", "AnodeEffects", "EffectLimits", "Ending", "find_effects"]

Flags = npt.NDArray[np.bool_]


class AnodeEffects:
    """
    The effects of ``count`` pots.

    ``running`` and ``target`` (V, NaN: that of the limits) are arrays over the pots and hold until
    they are changed; a pot that is not running has no effect. What each call returns: effects that
    began, went on after a pause (``end_ns`` None), or ended; pot and start say which.
    """

    def __init__(self, count: int, limits: EffectLimits) -> None:
        self.limits = limits
        self.target = np.full(count, np.nan)
        self.running: Flags = np.ones(count, dtype=bool)
        self._watches: dict[int, Watch] = {}

    def __len__(self) -> int:
        """How many pots are watched closely just now."""
        return len(self._watches)

    def operate(self, at_ns: int, running: Flags) -> list[AnodeEffect]:
        """From ``at_ns`` on these pots are in operation and the others are not."""
        stopped = [pot for pot in self._watches if not running[pot]]
        self.running = running.copy()
        for pot in stopped:
            self._watches[pot].stop(at_ns)
        return self._told(at_ns) if stopped else []

    def frame(self, at_ns: int, volts: Floats) -> list[AnodeEffect]:
        """The voltage of every pot at one time; NaN where it is not known."""
        above = volts >= self.limits.threshold_v
        if above.any():
            for pot in np.flatnonzero(above & self.running).tolist():
                self._watch(pot)
        if not self._watches:
            return []
        for pot, watch in self._watches.items():
            if self.running[pot]:
                watch.observe(at_ns, float(volts[pot]), float(self.target[pot]))
        return self._told(at_ns)

    def samples(
        self, index: Indices, times_ns: Indices, volts: Floats, complete_ns: int
    ) -> list[AnodeEffect]:
        """Samples of a subscription in order of time; the rest is unchanged to ``complete_ns``."""
        high = volts >= self.limits.threshold_v
        if not self._watches and not high.any():
            return []
        found: list[AnodeEffect] = []
        closely = set(self._watches) | set(index[high].tolist())
        rows = zip(index.tolist(), times_ns.tolist(), volts.tolist(), high.tolist(), strict=True)
        for pot, at_ns, volt, above in rows:
            if pot not in closely or not self.running[pot]:
                continue
            watch = self._watch(pot) if above else self._watches.get(pot)
            if watch is not None:
                watch.alive(at_ns)  # it was what it was until it changed
                watch.observe(at_ns, volt, float(self.target[pot]))
        for watch in self._watches.values():
            watch.alive(complete_ns)
        return found + self._told(complete_ns)

    def passed(self, at_ns: int) -> list[AnodeEffect]:
        """No sample older than ``at_ns`` will come any more: what follows from that."""
        if not self._watches:
            return []
        for watch in self._watches.values():
            watch.passed(at_ns)
        return self._told(at_ns)

    def burned(self, start_ns: int, end_ns: int) -> tuple[Floats, Floats]:
        """
        Seconds in effect and overvoltage (V·s) of each pot in an interval, as far as it was seen.

        Complete once ``hold_s + over_s`` after the interval was seen. Forgets what was before it.
        """
        seconds, volt_seconds = np.zeros(len(self.running)), np.zeros(len(self.running))
        for pot, watch in self._watches.items():
            for since, until, above in watch.pieces:
                took_s = (min(until, end_ns) - max(since, start_ns)) / SECOND_NS
                if took_s > 0:
                    seconds[pot] += took_s
                    volt_seconds[pot] += above * took_s
            watch.pieces = [piece for piece in watch.pieces if piece[1] > end_ns]
        return seconds, volt_seconds

    def recent(self) -> list[int]:
        """Pots in an effect, or in one that ended just now."""
        return [pot for pot, watch in self._watches.items() if watch.start_ns]

    def lasting(self) -> list[AnodeEffect]:
        """Effects that are under way."""
        burning = {Phase.BURNING, Phase.DIPPING}
        return [w.so_far() for w in self._watches.values() if w.phase in burning]

    def finish(self, at_ns: int) -> list[AnodeEffect]:
        """Nobody looks at these pots any more: what lasts ends where it was last seen."""
        for watch in self._watches.values():
            watch.lose(at_ns)
        return self._told(at_ns)

    # --- over a restart

    def state(self) -> list[dict[str, Any]]:
        """The pots under close watch as JSON, for ``restore``."""
        return [
            {name: value for name, value in asdict(watch).items() if name != "limits"}
            for watch in self._watches.values()
        ]

    def restore(self, states: Iterable[dict[str, Any]]) -> None:
        """Go on with saved pots; ``pot`` in each is the place here."""
        for state in states:
            watch = Watch(self.limits, int(state["pot"]))
            for name in ("since_ns", "alive_ns", "run_ns", "readings", "start_ns", "end_ns"):
                setattr(watch, name, int(state[name]))
            watch.phase, watch.ignitions = Phase(state["phase"]), int(state["ignitions"])
            watch.volt, watch.target = float(state["volt"]), float(state["target"])
            watch.total, watch.run = Sums(**state["total"]), Sums(**state["run"])
            watch.run_pieces = [(int(a), int(b), float(v)) for a, b, v in state["run_pieces"]]
            watch.pieces = [(int(a), int(b), float(v)) for a, b, v in state["pieces"]]
            self._watches[watch.pot] = watch

    # --- inside

    def _watch(self, pot: int) -> Watch:
        found = self._watches.get(pot)
        if found is None:
            found = self._watches[pot] = Watch(self.limits, pot)
        return found

    def _told(self, at_ns: int) -> list[AnodeEffect]:
        found: list[AnodeEffect] = []
        idle = []
        for pot, watch in self._watches.items():
            if watch.notes:
                found += watch.notes
                watch.notes = []
            if watch.done(at_ns):
                idle.append(pot)
        for pot in idle:
            del self._watches[pot]
        return found


def find_effects(
    time_ns: Indices,
    voltage: Floats,
    *,
    target: Floats | None = None,
    running: Flags | None = None,
    limits: EffectLimits | None = None,
    pot: int = 0,
) -> list[AnodeEffect]:
    """
    All effects of one recorded trace, in order of time; NaN is "not seen".

    ``time_ns`` rises strictly. Without ``limits`` the usual ones hold, and a sample holds for three
    of the trace's usual steps. An effect that lasts to the end of the trace has no ``end_ns``.
    Raises ValueError for arrays of different lengths or times that do not rise.
    """
    count = len(time_ns)
    if len(voltage) != count or any(a is not None and len(a) != count for a in (target, running)):
        raise ValueError("time, voltage, target and running have one value per sample each")
    steps = np.diff(time_ns)
    if (steps <= 0).any():
        raise ValueError(f"sample {int(np.argmax(steps <= 0)) + 2}: its time is not after the last")
    if limits is None:
        usual_s = float(np.median(steps)) / SECOND_NS if count > 1 else 1.0
        limits = replace(EffectLimits(), stale_s=3 * usual_s)
    above = voltage >= limits.threshold_v
    if running is not None:
        above &= running
    targets = np.full(count, np.nan) if target is None else target
    found: dict[int, AnodeEffect] = {}
    highs = np.flatnonzero(above)
    at = 0
    while (nth := int(np.searchsorted(highs, at))) < len(highs):
        watch = Watch(limits, pot)
        at = _follow(watch, int(highs[nth]), time_ns, voltage, targets, running)
        watch.finish()
        found |= {effect.start_ns: effect for effect in watch.notes}
        if watch.phase is Phase.BURNING:
            found[watch.start_ns] = watch.so_far()
    return list(found.values())


def _follow(
    watch: Watch,
    first: int,
    time_ns: Indices,
    voltage: Floats,
    target: Floats,
    running: Flags | None,
) -> int:
    """Feed a pot's samples from ``first`` on until nothing can come of them; the next sample."""
    notes: list[AnodeEffect] = []
    end = first
    for at in range(first, len(time_ns)):
        now_ns = int(time_ns[at])
        if running is None or running[at]:
            watch.observe(now_ns, float(voltage[at]), float(target[at]))
        else:
            watch.stop(now_ns)
        notes, watch.notes = notes + watch.notes, []
        watch.pieces = []
        end = at + 1
        if watch.done(now_ns):
            break
    watch.notes = notes
    return end
