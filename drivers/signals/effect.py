"""One pot while something happens to it: from voltages to an anode effect with its sums."""

from dataclasses import dataclass, field, replace
from enum import IntEnum, StrEnum
from math import isnan, nan

SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class EffectLimits:
    """
    When a pot is in anode effect. 8 V for 3 s is the usual convention, not a law.

    Raises ValueError for limits that contradict one another.
    """

    threshold_v: float = 8.0  # at or above
    hold_s: float = 3.0  # at or above for so long: it begins, at its first sample
    over_s: float = 3.0  # below for so long: it ended, at the first sample below
    merge_s: float = 120.0  # above again so soon after the end: the same effect goes on
    lost_s: float = 600.0  # not seen for so long: it ended where it was last seen
    target_v: float = 4.0  # overvoltage counts from here where the pot tells no set voltage
    stale_s: float = 3.0  # a sample holds until the next one, but no longer than this
    readings: int = 2  # so many samples above at least (1: subscriptions, which tell every change)

    def __post_init__(self) -> None:
        times = (self.hold_s, self.over_s, self.merge_s)
        if min(times) < 0 or min(self.lost_s, self.stale_s) <= 0 or self.readings < 1:
            raise ValueError("hold_s, over_s, merge_s: 0 or more; lost_s, stale_s: more than 0")
        if not self.target_v < self.threshold_v:
            raise ValueError("target_v lies below threshold_v")


class Ending(StrEnum):
    """How an effect ended, or that it lasts."""

    LASTS = "lasts"
    BELOW = "below"  # the voltage was seen below the threshold
    STOPPED = "stopped"  # the pot was stopped, cut out or started anew
    UNSEEN = "unseen"  # not seen any more; the end is where it was last seen


@dataclass(frozen=True, slots=True)
class AnodeEffect:
    """
    One effect as far as it is known; ``end_ns`` is None while it lasts.

    ``duration_s`` leaves out the pauses between ignitions (``end - start`` has them) and counts the
    ``gap_s`` seconds inside in which the voltage was not seen. Mean and overvoltage are over the
    time that was seen.
    """

    pot: int
    start_ns: int
    end_ns: int | None
    duration_s: float
    peak_v: float
    mean_v: float
    overvoltage_vs: float  # ∫(V − target) dt
    gap_s: float
    ignitions: int
    ending: Ending


@dataclass(slots=True)
class Sums:
    """Over the time in effect."""

    known_ns: int = 0
    gap_ns: int = 0
    peak_v: float = nan
    volt_s: float = 0.0
    over_vs: float = 0.0

    def add(self, other: "Sums") -> None:
        self.known_ns += other.known_ns
        self.gap_ns += other.gap_ns
        self.peak_v = max_of(self.peak_v, other.peak_v)
        self.volt_s += other.volt_s
        self.over_vs += other.over_vs


def max_of(one: float, other: float) -> float:
    """The greater; NaN is nothing."""
    return other if isnan(one) or other > one else one


class Phase(IntEnum):
    """REST: no effect, or one that is over and may come back."""

    REST = 0
    RISING = 1  # above, not yet long enough
    BURNING = 2
    DIPPING = 3  # below, not yet long enough


Piece = tuple[int, int, float]  # from, to (ns), volts above the target


@dataclass(slots=True)
class Watch:
    """
    Follows one pot from its first sample above the threshold until nothing can come of it any more.

    ``observe`` and ``stop`` come in order of time. What is to tell is in ``notes``; what the pot
    burned, for sums over minutes, in ``pieces``; whoever reads them clears them.
    """

    limits: EffectLimits
    pot: int
    phase: Phase = Phase.REST
    since_ns: int = 0  # the held value, or the blindness (volt NaN), began here
    alive_ns: int = 0  # the held value was last known to be so
    volt: float = nan
    target: float = nan
    run_ns: int = 0  # the rise or the dip began here
    readings: int = 0
    start_ns: int = 0  # of the effect; 0: none yet
    end_ns: int = 0  # of the effect when it is over
    ignitions: int = 0
    total: Sums = field(default_factory=Sums)
    run: Sums = field(default_factory=Sums)
    run_pieces: list[Piece] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)
    notes: list[AnodeEffect] = field(default_factory=list)

    # --- in

    def observe(self, at_ns: int, volt: float, target: float) -> None:
        """The voltage at ``at_ns`` (NaN: not seen) and what it should be (NaN: not told)."""
        if at_ns < self.alive_ns:
            return
        self.passed(at_ns)
        if isnan(volt):
            self._blind(at_ns)
            return
        blind_ns = self._keep(at_ns)
        if volt >= self.limits.threshold_v:
            self._above(at_ns, blind_ns)
        else:
            self._below(at_ns, blind_ns)
        self.volt, self.since_ns, self.alive_ns = volt, at_ns, at_ns
        self.target = self.limits.target_v if isnan(target) else target

    def alive(self, at_ns: int) -> None:
        """A subscription says that nothing changed up to ``at_ns``."""
        if not isnan(self.volt):
            self.alive_ns = max(self.alive_ns, at_ns)
        self.passed(at_ns)

    def stop(self, at_ns: int) -> None:
        """The pot is not in operation from here on: whatever its voltage is, it is no effect."""
        if at_ns < self.alive_ns:
            return
        self.passed(at_ns)
        blind_ns = self._keep(at_ns)
        if self.phase is Phase.BURNING:
            self._end(at_ns - blind_ns, Ending.STOPPED)
        elif self.phase is Phase.DIPPING:
            self._end(self.run_ns, Ending.STOPPED)
        self._drop()
        self.volt, self.end_ns, self.start_ns = nan, 0, 0
        self.since_ns = self.alive_ns = at_ns

    def passed(self, at_ns: int) -> None:
        """All samples before ``at_ns`` are in: what follows from time alone."""
        limits, seen_ns = self.limits, self._seen_until(at_ns)
        if self.phase is Phase.RISING:
            known_ns = self.run.known_ns + self._held(seen_ns)
            if known_ns >= _ns(limits.hold_s) and self.readings >= limits.readings:
                self._begin(seen_ns)
            elif at_ns - seen_ns > _ns(limits.over_s):
                self._drop()
        if self.phase is Phase.BURNING and at_ns - seen_ns >= _ns(limits.lost_s):
            self._keep(at_ns)
            self._end(seen_ns, Ending.UNSEEN)
        elif self.phase is Phase.DIPPING and at_ns - self.run_ns >= _ns(limits.over_s):
            self._end(self.run_ns, Ending.BELOW)

    def finish(self) -> None:
        """Nothing more will come: a pot that was last seen below the threshold has ended."""
        if self.phase is Phase.DIPPING:
            self._end(self.run_ns, Ending.BELOW)

    def lose(self, at_ns: int) -> None:
        """Nothing more will be seen."""
        self.finish()
        if self.phase is Phase.BURNING:
            seen_ns = self._seen_until(at_ns)
            self._keep(at_ns)
            self._end(seen_ns, Ending.UNSEEN)

    def done(self, at_ns: int) -> bool:
        """Nothing that comes from ``at_ns`` on can belong to what was seen."""
        idle = self.phase is Phase.REST and not self.notes and not self.pieces
        return idle and (not self.start_ns or at_ns - self.end_ns > _ns(self.limits.merge_s))

    def so_far(self) -> AnodeEffect:
        """The effect up to the last sample."""
        return self._lasting(self.alive_ns)

    # --- transitions

    def _above(self, at_ns: int, blind_ns: int) -> None:
        if self.phase is Phase.REST:
            self.phase, self.run_ns, self.readings = Phase.RISING, at_ns, 1
            if self.start_ns and at_ns - self.end_ns > _ns(self.limits.merge_s):
                self.start_ns = 0
            return
        self.readings += 1
        if self.phase is Phase.RISING:
            self.run.gap_ns += blind_ns
            return
        if self.phase is Phase.DIPPING:
            self._commit()
            self.phase = Phase.BURNING
        self.total.gap_ns += blind_ns

    def _below(self, at_ns: int, blind_ns: int) -> None:
        if self.phase is Phase.RISING:
            self._drop()
        elif self.phase is Phase.BURNING and blind_ns:
            self._end(at_ns - blind_ns, Ending.UNSEEN)
        elif self.phase is Phase.BURNING:
            self.phase, self.run_ns = Phase.DIPPING, at_ns
        elif self.phase is Phase.DIPPING:
            self.run.gap_ns += blind_ns

    def _begin(self, seen_ns: int) -> None:
        """The rise lasted long enough: an effect, or the one before goes on."""
        if not self.start_ns:
            self.start_ns, self.ignitions, self.total = self.run_ns, 0, Sums()
        self.ignitions += 1
        self.end_ns = 0
        self._commit()
        self.phase = Phase.BURNING
        self.notes.append(self._lasting(seen_ns))

    def _end(self, end_ns: int, ending: Ending) -> None:
        self.end_ns = end_ns
        self._drop()
        self.notes.append(self._told(end_ns, ending, self.total))

    def _drop(self) -> None:
        self.phase, self.run, self.run_pieces = Phase.REST, Sums(), []

    def _commit(self) -> None:
        self.total.add(self.run)
        self.pieces += self.run_pieces
        self.run, self.run_pieces = Sums(), []

    # --- time

    def _blind(self, at_ns: int) -> None:
        """The value is not known from here on, or from where it went stale."""
        seen_ns = self._seen_until(at_ns)
        self._keep(at_ns)
        if not isnan(self.volt):
            self.volt, self.since_ns = nan, seen_ns
        self.alive_ns = at_ns

    def _seen_until(self, at_ns: int) -> int:
        if isnan(self.volt):
            return min(self.since_ns, at_ns)
        return min(at_ns, self.alive_ns + _ns(self.limits.stale_s))

    def _held(self, seen_ns: int) -> int:
        return 0 if isnan(self.volt) else max(seen_ns - self.since_ns, 0)

    def _keep(self, at_ns: int) -> int:
        """Put what was held up to ``at_ns`` into the sums; returns the time not seen (ns)."""
        seen_ns = self._seen_until(at_ns)
        stretch = self._stretch(seen_ns)
        if stretch.known_ns and self.phase is not Phase.REST:
            burning = self.phase is Phase.BURNING
            sums, pieces = (self.total, self.pieces) if burning else (self.run, self.run_pieces)
            sums.add(stretch)
            pieces.append((self.since_ns, seen_ns, self.volt - self.target))
            self.since_ns = seen_ns
        return at_ns - seen_ns

    def _stretch(self, seen_ns: int) -> Sums:
        """What the held value has brought since it came."""
        took_ns = self._held(seen_ns)
        took_s = took_ns / SECOND_NS
        if not took_ns:
            return Sums()
        return Sums(took_ns, 0, self.volt, self.volt * took_s, (self.volt - self.target) * took_s)

    # --- out

    def _lasting(self, seen_ns: int) -> AnodeEffect:
        sums = replace(self.total)
        if self.phase is Phase.BURNING:
            sums.add(self._stretch(seen_ns))
        return self._told(None, Ending.LASTS, sums)

    def _told(self, end_ns: int | None, ending: Ending, sums: Sums) -> AnodeEffect:
        known_s = sums.known_ns / SECOND_NS
        return AnodeEffect(
            pot=self.pot,
            start_ns=self.start_ns,
            end_ns=end_ns,
            duration_s=(sums.known_ns + sums.gap_ns) / SECOND_NS,
            peak_v=sums.peak_v,
            mean_v=sums.volt_s / known_s if known_s else self.volt,
            overvoltage_vs=sums.over_vs,
            gap_s=sums.gap_ns / SECOND_NS,
            ignitions=self.ignitions,
            ending=ending,
        )


def _ns(seconds: float) -> int:
    return round(seconds * SECOND_NS)
