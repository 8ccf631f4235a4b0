"""All signals of the pots that are read together: rows of voltages in, figures of minutes out."""

from dataclasses import dataclass, field

import numpy as np

from drivers.model import Floats
from drivers.signals.anode_effects import AnodeEffects
from drivers.signals.effect import EffectLimits
from drivers.signals.feeding import Deficit, Phase
from drivers.signals.noise import Flicker, Swing
from drivers.signals.resistance import Slope, normalised_voltage, pseudo_resistance
from drivers.signals.warning import Counts, Growth, Lasting, WarningLimits, score

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
LEAST_KA = 10.0  # with less current than this a resistance is noise


@dataclass(frozen=True, slots=True)
class SignalLimits:
    """Parameters of all signals of a pot; every one is the plant's to set."""

    effect: EffectLimits = field(default_factory=EffectLimits)
    warning: WarningLimits = field(default_factory=WarningLimits)
    back_emf_v: float = 1.65
    nominal_ka: float | None = None  # None: no voltage at nominal current
    shot_kg: float | None = None  # alumina of one shot; None: no feed deficit
    current_efficiency: float = 0.93
    forget_h: float = 2.0  # of the feed deficit
    swing_watch_mv: float = 20.0
    swing_unstable_mv: float = 40.0
    unstable_min: int = 10
    after_effect_min: int = 30  # no warning so soon after an effect


@dataclass(frozen=True, slots=True, eq=False)
class PotMinute:
    """
    Figures of one minute, arrays over the pots; ``values`` by field of measurement ``pot``.

    ``seen`` is how many voltages were good, ``expected`` how many a whole minute has.
    """

    start_ns: int
    values: dict[str, Floats]
    seen: Counts
    expected: int
    warned: tuple[Counts, Counts]  # pots where a warning begins, and where it ends
    unstable: tuple[Counts, Counts]


class PotSignals:
    """
    The state of the pots of one group: one interval, one line current.

    ``effects`` takes voltages as they come; ``row`` takes them again, in order, once the line
    current of their time is known. ``ready`` gives the minutes whose effects are settled.
    """

    def __init__(self, count: int, interval_s: float, limits: SignalLimits) -> None:
        self.limits = limits
        self.effects = AnodeEffects(count, limits.effect)
        self.phase = Phase(count)
        self.shots = np.full(count, np.nan)
        self._interval_s = interval_s
        self._slope = Slope(count)
        self._swing = Swing(count, interval_s)
        self._flicker = Flicker(count, interval_s)
        self._deficit = Deficit(
            count, limits.shot_kg or np.nan, limits.current_efficiency, limits.forget_h * 3600
        )
        self._growth = Growth(count)
        self._warned = Lasting(count, limits.warning.on_min, limits.warning.off_min)
        self._unstable = Lasting(count, limits.unstable_min, limits.unstable_min)
        self._barred_ns = np.zeros(count, dtype=np.int64)
        self._closed: list[PotMinute] = []
        self._settle_ns = round(
            (limits.effect.hold_s + limits.effect.over_s + 2 * interval_s) * SECOND_NS
        )
        self._start_ns = 0
        self._open(0)

    def _open(self, start_ns: int) -> None:
        n = len(self.shots)
        self._start_ns = start_ns
        self._ohms = np.zeros(n)
        self._ohm_rows = np.zeros(n)
        self._seen: Counts = np.zeros(n, dtype=np.int64)
        self._ka, self._ka_rows = 0.0, 0

    def row(self, at_ns: int, volts: Floats, current_ka: float) -> None:
        """Voltages (NaN: not known) and the line current (kA, NaN: not known) of one instant."""
        start_ns = at_ns - at_ns % MINUTE_NS
        if start_ns < self._start_ns:
            return  # the clock was set back
        if start_ns > self._start_ns:
            if self._start_ns:
                self._close()
            self._open(start_ns)
        self._seen += np.isfinite(volts)
        self._bar(at_ns)
        if current_ka >= LEAST_KA:
            quiet = (volts < self.limits.effect.threshold_v) & self.effects.running
            ohms = pseudo_resistance(volts, current_ka, self.limits.back_emf_v)
            self._ka += current_ka
            self._ka_rows += 1
        else:
            quiet, ohms = np.zeros(len(volts), dtype=bool), volts
        ohms = np.where(quiet, ohms, np.nan)
        self._ohms += np.where(quiet, ohms, 0.0)
        self._ohm_rows += quiet
        self._slope.add(at_ns, ohms)
        self._swing.add(at_ns, ohms)
        self._flicker.add(at_ns, ohms)

    def ready(self, at_ns: int) -> list[PotMinute]:
        """Minutes of which every voltage before ``at_ns`` cannot change the effects any more."""
        found = []
        while self._closed:
            first = self._closed[0]
            if first.start_ns + MINUTE_NS + self._settle_ns > at_ns:
                break
            seconds, volt_seconds = self.effects.burned(first.start_ns, first.start_ns + MINUTE_NS)
            seen = first.seen > 0
            first.values["ae_seconds"] = np.where(seen, seconds, np.nan)
            first.values["ae_overvoltage"] = np.where(seen, volt_seconds, np.nan)
            found.append(self._closed.pop(0))
        return found

    def _bar(self, at_ns: int) -> None:
        for effect in self.effects.recent():
            self._barred_ns[effect] = at_ns + self.limits.after_effect_min * MINUTE_NS

    def _close(self) -> None:
        limits, end_ns = self.limits, self._start_ns + MINUTE_NS
        rows = np.where(self._ohm_rows > 0, self._ohm_rows, np.nan)
        ohms: Floats = self._ohms / rows
        mean_ka = self._ka / self._ka_rows if self._ka_rows else np.nan
        scale_ka = limits.nominal_ka or mean_ka  # µΩ × kA = mV
        least = round(0.5 * MINUTE_NS / SECOND_NS / self._interval_s)
        swing = self._swing.value() * scale_ka
        deficit = self._deficit.step(self.shots, mean_ka, MINUTE_NS / SECOND_NS)
        growth = self._growth.minute(swing)
        slope = self._slope
        signs = score(slope.steady, slope.rise, deficit, growth, limits.warning)
        values = {
            "pseudo_resistance": ohms,
            "resistance_slope": slope.value,
            "swing": swing,
            "flicker": self._flicker.take(least) * scale_ka,
            "feed_phase": self.phase.seconds(end_ns),
            "feed_deficit": deficit.copy(),
            "ae_risk": np.where(self._ohm_rows > 0, signs, np.nan),
        }
        if limits.nominal_ka is not None:
            values["normalised_voltage"] = normalised_voltage(
                ohms, limits.nominal_ka, limits.back_emf_v
            )
        barred = (self._barred_ns > end_ns) | ~self.effects.running
        shown = values["ae_risk"] >= limits.warning.score
        restless, restful = swing >= limits.swing_unstable_mv, ~(swing < limits.swing_watch_mv)
        minute = PotMinute(
            start_ns=self._start_ns,
            values=values,
            seen=self._seen,
            expected=round(MINUTE_NS / SECOND_NS / self._interval_s),
            warned=self._warned.minute(shown, shown, barred),
            unstable=self._unstable.minute(restless, restful, ~self.effects.running),
        )
        self._closed.append(minute)
