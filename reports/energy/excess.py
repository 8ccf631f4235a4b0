"""
Where a pot's excess voltage comes from: parts in mV that add up exactly to V_mean - V_ref.

Anode effects: mean less working voltage. Set point: set voltage less reference. Noise: what a
restless metal pad costs, estimated and never more than the pot works above its target. Deviation:
working voltage less target and noise. Rest: what the controller adds to the set voltage.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

import numpy as np

from drivers.model import Floats
from reports.energy.pot_parameters import PotParameters
from reports.energy.pots import PotDays, median_of, noise_mv
from reports.values import Text

Reference = Literal["set", "target", "quartile"]
PARTS: Final = ("effects", "set_point", "deviation", "noise", "rest")
PART_NAMES: Final = {
    "effects": Text(zh="阳极效应", en="anode effects"),
    "set_point": Text(zh="设定电压", en="set voltage"),
    "deviation": Text(zh="电压偏差", en="above target"),
    "noise": Text(zh="噪声附加", en="noise"),
    "rest": Text(zh="附加及其他", en="controller, other"),
}
REFERENCE_NAMES: Final = {
    "set": Text(zh="设定电压", en="own set voltage"),
    "target": Text(zh="目标电压", en="own target voltage"),
    "quartile": Text(zh="系列最优四分位", en="best quartile of the line"),
}


@dataclass(frozen=True, slots=True)
class Split:
    """Parts of V_mean - V_ref, mV with two decimals; ``total`` is their exact sum."""

    effects: Decimal
    set_point: Decimal
    deviation: Decimal
    noise: Decimal
    rest: Decimal

    @property
    def total(self) -> Decimal:
        return self.effects + self.set_point + self.deviation + self.noise + self.rest


@dataclass(frozen=True, slots=True)
class Telling:
    """
    The part that tells a pot from the reference pots: ``size`` mV more than theirs.

    ``shared`` of ``pots`` pots have as much or more than is worth a look (``look_mv``) of it.
    """

    part: str
    size: float
    shared: int
    pots: int


def telling(found: Sequence[Split | None], by: PotParameters) -> list[Telling | None]:
    """What distinguishes each pot from the pots of the best quartile, whose own parts are usual."""
    known = [split for split in found if split is not None]
    best = [split for split in known if split.total <= 0] or known
    parts = {
        part: np.array([float(getattr(split, part)) for split in best], dtype=np.float64)
        for part in PARTS
    }
    usual = {part: median_of(values) for part, values in parts.items()}

    def more(split: Split, part: str) -> float:
        return float(getattr(split, part)) - usual[part]

    shared = {part: sum(more(split, part) >= by.look_mv for split in known) for part in PARTS}
    made: list[Telling | None] = []
    for split in found:
        if split is None:
            made.append(None)
            continue
        sizes = {part: more(split, part) for part in PARTS}
        part = max(PARTS, key=sizes.__getitem__)
        made.append(Telling(part, sizes[part], shared[part], len(known)))
    return made


def best_quartile(days: PotDays) -> float:
    """The mean voltage, V, that a quarter of the line's pots does not exceed; NaN without any."""
    known = days.mean("voltage")
    known = known[np.isfinite(known)]
    return float(np.quantile(known, 0.25)) if len(known) else float("nan")


def split_of(mean_v: float, parts: dict[str, float], reference_v: float) -> Split:
    """
    The split of one pot.

    ``parts`` may hold ``working``, ``set``, ``target`` (V) and ``noise`` (mV estimated, at least
    0); what is NaN or absent is not told apart and falls to the rest.
    """
    total = _mv(mean_v - reference_v)
    working, set_v = parts.get("working", np.nan), parts.get("set", np.nan)
    target = parts.get("target", np.nan)
    aim = target if np.isfinite(target) else set_v
    effects = _mv(mean_v - working)
    set_point = _mv(set_v - reference_v)
    above = working - aim
    extra = parts.get("noise", np.nan)
    noise = Decimal(0)
    if np.isfinite(above) and np.isfinite(extra):
        noise = min(_mv(extra / 1000), max(_mv(above), Decimal(0)))
    deviation = _mv(above) - noise if np.isfinite(above) else Decimal(0)
    rest = total - effects - set_point - noise - deviation
    return Split(effects, set_point, deviation, noise, rest)


def splits(
    days: PotDays, by: PotParameters, reference: Reference = "quartile"
) -> list[Split | None]:
    """The split of every pot of a line; None for a pot without a day that counts."""
    mean = days.mean("voltage")
    working, set_v, target = (days.mean(n) for n in ("working", "set_voltage", "target_voltage"))
    noise = noise_mv(days)
    extra = by.noise_volts * np.maximum(noise - median_of(noise), 0.0)
    own = {"set": set_v, "target": target, "quartile": np.full(len(mean), best_quartile(days))}
    against: Floats = own[reference]
    found: list[Split | None] = []
    for k in range(len(days.pots)):
        if not (np.isfinite(mean[k]) and np.isfinite(against[k])):
            found.append(None)
            continue
        parts = {"working": working[k], "set": set_v[k], "target": target[k], "noise": extra[k]}
        found.append(split_of(float(mean[k]), parts, float(against[k])))
    return found


def _mv(volts: float) -> Decimal:
    """Volts as mV with two decimals; 0 where not known."""
    return Decimal(f"{volts * 1000:.2f}") if np.isfinite(volts) else Decimal(0)
