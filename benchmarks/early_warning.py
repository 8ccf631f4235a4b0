"""
How well the early warning does on simulated pots: ``python -m benchmarks.early_warning``.

The truth is the simulator's own list of effects. A warning is right when an effect of its pot
begins while it lasts or within the horizon after it began; an effect is foretold when a warning
of its pot began before it, at most the horizon earlier or still on.
"""

import argparse
import time
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np

from drivers.model import Floats
from drivers.signals.pots import PotMinute, PotSignals, SignalLimits
from simulators.plant import Scenario, Section
from simulators.pots import PotDesign

SECOND_NS = 1_000_000_000
START_S = 1_790_000_040
WARM_UP_S = 6 * 3600  # slopes and means are not yet there
RATES = np.array([0.0, 1.0, 0.70, 1.40])  # feed states, as the controller commands them


class Shots(StrEnum):
    """What the shot counters of the pots count."""

    FELL = "as they fell"
    ORDERED = "as ordered"
    NONE = "not read"


@dataclass(slots=True)
class Found:
    """Warnings (pot, begin, end) and true effects (pot, start) in seconds since the start."""

    pot_days: float = 0.0
    warnings: list[tuple[int, float, float]] = field(default_factory=list)
    effects: list[tuple[int, float]] = field(default_factory=list)


def simulate(pots: int, days: float, step_s: float, seed: int, shots: Shots) -> Found:
    """
    Run a simulated line and let the signals watch it.

    The simulator's shot counter counts alumina that really fell, so it sees a blocked feeder;
    most real feeders count what was ordered, and some tell nothing.
    """
    section = Section(1, pots, Scenario(float(START_S), pots=pots, seed=seed, lines=1))
    limits = SignalLimits(nominal_ka=PotDesign().current_ka, shot_kg=PotDesign().shot_kg)
    stale = replace(limits.effect, stale_s=3 * step_s)
    signals = PotSignals(pots, step_s, replace(limits, effect=stale))
    ordered_kg = np.zeros(pots)
    begun: dict[int, float] = {}
    found = Found(pot_days=pots * (days - WARM_UP_S / 86_400))
    for number in range(1, round(days * 86_400 / step_s) + 1):
        now_s = number * step_s
        state = section.advance(step_s, START_S + now_s)
        ka = float(state.current_ka[0])
        columns = section.pot_columns(ka)
        ordered_kg += section.design.alumina_kg_s * step_s * ordered_rate(section)
        if shots is Shots.FELL:
            signals.shots = columns["feed_shots"]
        elif shots is Shots.ORDERED:
            signals.shots = np.floor(ordered_kg / section.design.shot_kg)
        at_ns = round((START_S + now_s) * SECOND_NS)
        signals.effects.frame(at_ns, columns["voltage"])
        signals.row(at_ns, columns["voltage"], ka)
        for minute in signals.ready(at_ns):
            _note(found, begun, minute, now_s)
    found.warnings += [(pot, at_s, days * 86_400) for pot, at_s in begun.items()]
    found.effects = [(e.pot - 1, e.start_s - START_S) for e in section.pots.effects]
    found.warnings = [w for w in found.warnings if w[1] >= WARM_UP_S]
    found.effects = [e for e in found.effects if e[1] >= WARM_UP_S]
    return found


def ordered_rate(section: Section) -> Floats:
    """What the controllers order, as a share of what the pots need."""
    rate: Floats = RATES[section.pots.feed.astype(np.intp)] + 7 * section.pots.effect_share
    return rate


def _note(found: Found, begun: dict[int, float], minute: PotMinute, now_s: float) -> None:
    begins, ends = minute.warned
    for pot in begins.tolist():
        begun[pot] = now_s  # when a person hears of it
    for pot in ends.tolist():
        found.warnings.append((pot, begun.pop(pot), now_s))


def figures(found: Found, horizon_s: float) -> dict[str, float]:
    """Precision, recall, median lead in minutes, alarms per pot-day, and what chance gives."""
    right = sum(
        any(p == pot and on < at < max(off, on + horizon_s) for p, at in found.effects)
        for pot, on, off in found.warnings
    )
    leads = []
    for pot, at in found.effects:
        earlier = [
            on for p, on, off in found.warnings if p == pot and on < at < max(off, on + horizon_s)
        ]
        if earlier:
            leads.append((at - min(earlier)) / 60)
    rate = len(found.effects) / found.pot_days
    return {
        "pot_days": found.pot_days,
        "effects": len(found.effects),
        "warnings": len(found.warnings),
        "precision": right / len(found.warnings) if found.warnings else float("nan"),
        "recall": len(leads) / len(found.effects) if found.effects else float("nan"),
        "lead_min": float(np.median(leads)) if leads else float("nan"),
        "lead_10_min": float(np.mean(np.array(leads) >= 10)) if leads else float("nan"),
        "alarms_per_pot_day": len(found.warnings) / found.pot_days,
        "chance": 1 - float(np.exp(-rate * horizon_s / 86_400)),
    }


def main() -> None:
    """Print the table of docs/early-warning.md."""
    parser = argparse.ArgumentParser(description="early warning against simulated truth")
    parser.add_argument("--pots", type=int, default=200)
    parser.add_argument("--days", type=float, default=10)
    parser.add_argument("--step", type=float, default=10.0, help="s between samples")
    parser.add_argument("--horizon", type=float, default=60.0, help="minutes")
    parser.add_argument("--seed", type=int, default=101)
    asked = parser.parse_args()
    print(
        "| shots | pot-days | effects | warnings | per pot-day | precision | by chance | recall |"
        " median lead, min | lead ≥ 10 min |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for shots in Shots:
        began_s = time.monotonic()
        found = simulate(asked.pots, asked.days, asked.step, asked.seed, shots)
        f = figures(found, asked.horizon * 60)
        print(
            f"| {shots} | {f['pot_days']:.0f} | {f['effects']:.0f} | {f['warnings']:.0f} |"
            f" {f['alarms_per_pot_day']:.3f} | {f['precision']:.2f} | {f['chance']:.3f} |"
            f" {f['recall']:.2f} | {f['lead_min']:.0f} | {f['lead_10_min']:.2f} |"
            f"  <!-- {time.monotonic() - began_s:.0f} s -->"
        )


if __name__ == "__main__":
    main()
