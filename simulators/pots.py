"""
Physics of the pots of one line, vectorised: alumina, voltage, anode effects, metal, anodes.

Voltage follows the low-alumina curve of Dupuis (2011) in alumina and anode-cathode distance;
metal and alumina follow Faraday's law with the current efficiency of each pot. A pot controller
alternates under- and over-feeding and moves the beam; crews tap once a day and change anodes.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulators.planted import Ailments

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

FARADAY_A_S = 96_485.33
ALUMINIUM_G = 26.98154
KG_PER_KA_S = ALUMINIUM_G / (3 * FARADAY_A_S)  # kg metal per kA and second at 100 % efficiency
ALUMINA_PER_AL = 101.961 / (2 * ALUMINIUM_G)  # kg Al2O3 per kg Al
AE_ALUMINA = 1.965  # wt %, where the curve ends: the anode effect
BACK_EMF_V = 1.65  # extrapolated to zero current, for resistance
_LN_A = (np.log(2.0328e-24), np.log(9.2408e-27))  # at 4 and 5 cm
_B = (13.747, 14.118)
NORMAL, UNDER, OVER = 1.0, 2.0, 3.0
_FEED_RATE = np.array([0.0, 1.0, 0.70, 1.40])  # share of the consumption, by feed state
LOCAL_S = 28_800


def curve_v(alumina: Floats, acd_cm: Floats) -> Floats:
    """Pot voltage, V, at nominal current for dissolved alumina (wt %) and distance (cm)."""
    lack = -np.log(np.maximum(alumina - AE_ALUMINA, 0.01))
    at4 = (lack - _LN_A[0]) / _B[0]
    at5 = (lack - _LN_A[1]) / _B[1]
    volts: Floats = at4 + (acd_cm - 4) * (at5 - at4)
    return volts


@dataclass(frozen=True, slots=True)
class PotDesign:
    """Size and habits of one kind of pot; defaults are those of a 400 kA pot."""

    current_ka: float = 400.0
    set_voltage_v: float = 3.93
    efficiency: float = 0.932
    bath_kg: float = 7_500.0
    cavity_m2: float = 60.0
    metal_density: float = 2_290.0  # kg/m3
    metal_after_tap_kg: float = 31_000.0
    shot_kg: float = 1.8
    anode_kg: float = 1_150.0
    carbon_per_al: float = 0.398  # net, kg/kg
    butt_share: float = 0.1518
    block_per_day: float = 0.045  # feeder blockages per pot and day; most end in an anode effect
    tap_s: float = 600.0
    tap_begin_h: float = 8.0  # local time, the first pot; the last pot ten hours later
    bath_c: float = 950.0

    @property
    def metal_kg_s(self) -> float:
        return KG_PER_KA_S * self.current_ka * self.efficiency

    @property
    def alumina_kg_s(self) -> float:
        return self.metal_kg_s * ALUMINA_PER_AL


@dataclass(frozen=True, slots=True)
class AnodeEffect:
    """One anode effect: pot number from 1, start, length and mean voltage."""

    pot: int
    start_s: float
    duration_s: float
    voltage_v: float


class Pots:
    """
    State of all pots of a line; every attribute is an array over pots.

    ``step`` advances it; the same seed, start and step length give the same values.
    """

    def __init__(
        self,
        design: PotDesign,
        count: int,
        seed: tuple[int, ...],
        ailments: Ailments | None = None,
    ) -> None:
        self.design = design
        self.ailments = ailments
        self.extra_v, self.feed_arrives = np.zeros(count), np.ones(count)  # planted
        self.mode, self.link = np.ones(count), np.zeros(count)
        self.count = count
        self._draw = np.random.default_rng(seed)
        draw = self._draw
        self.efficiency_base = design.efficiency + draw.normal(0, 0.006, count)
        self.set_v = design.set_voltage_v + np.round(draw.normal(0, 0.02, count), 2)
        self.carbon_per_al = design.carbon_per_al + draw.normal(0, 0.002, count)
        self.tap_at_s = design.tap_begin_h * 3600 + np.arange(count) * (36_000.0 / count)
        self.wave_s = draw.uniform(20, 60, count)
        self.phase = draw.uniform(0, 2 * np.pi, count)
        self._begin(draw)

    def _begin(self, draw: np.random.Generator) -> None:
        n, design = self.count, self.design
        zero = np.zeros(n)
        self.alumina = draw.uniform(2.3, 2.9, n)
        self.feed = np.where(draw.random(n) < 0.5, UNDER, OVER)
        self.low, self.high = draw.normal(2.25, 0.03, n), draw.normal(2.95, 0.06, n)
        self.feed_age_s, self.blocked_s, self.move_wait_s = zero.copy(), zero.copy(), zero.copy()
        self.acd_cm = 4 + (self.set_v - curve_v(self.alumina, np.full(n, 4.0))) / 0.275
        self.temperature_c = design.bath_c + draw.normal(0, 2, n)
        self.bath_sample_c = np.round(self.temperature_c)
        self.alf3 = np.round(draw.normal(10.5, 0.8, n), 1)
        self.metal_kg = design.metal_after_tap_kg + draw.uniform(0, 3_000, n)
        self.level_sample_cm = np.round(self.metal_level_cm(), 1)
        self.bath_level_cm = np.round(draw.normal(18, 1, n), 1)
        self.tap_left_kg, self.tap_rate = zero.copy(), zero.copy()
        self.burnt_kg = draw.uniform(0, design.anode_kg * (1 - design.butt_share), n)
        self.new_anode_v, self.after_effect_v = zero.copy(), zero.copy()
        self.effect_left_s, self.effect_v = zero.copy(), zero.copy()
        self.effect_share = zero.copy()  # part of the last step in anode effect
        self.effect_count = zero.copy()
        self.lf_mv, self.hf_mv = draw.uniform(5, 14, n), draw.uniform(5, 11, n)
        self.restless_s = zero.copy()
        self.beam_cm = draw.uniform(10, 38, n)
        self.smooth_v = self.set_v.copy()
        self.voltage = self.set_v.copy()
        self.efficiency = self.efficiency_base.copy()
        self.fed_kg = zero.copy()  # since the beginning
        self.produced_kg, self.tapped_kg, self.carbon_kg, self.anodes_kg = (
            zero.copy(),
            zero.copy(),
            zero.copy(),
            zero.copy(),
        )  # during the last step
        self.effects: deque[AnodeEffect] = deque(maxlen=100_000)

    def metal_level_cm(self) -> Floats:
        """True metal height."""
        area = self.design.metal_density * self.design.cavity_m2
        level: Floats = self.metal_kg / area * 100
        return level

    def resistance_uohm(self, current_ka: float) -> Floats:
        """Pseudo-resistance of the last voltage, µΩ."""
        ohms: Floats = (self.voltage - BACK_EMF_V) / max(current_ka, 1.0) * 1000
        return ohms

    def step(self, dt_s: float, end_s: float, current_ka: float) -> None:
        """Advance by ``dt_s`` to ``end_s`` (unix seconds) with that line current."""
        chance = self._draw.random((4, self.count))
        normal = self._draw.standard_normal((4, self.count))
        local = (end_s + LOCAL_S) % 86_400
        if self.ailments is not None:
            self.ailments.before(self, dt_s, end_s)
        self._effects(dt_s, end_s, chance[0])
        self._alumina(dt_s, current_ka, chance[1], normal[0])
        self._metal(dt_s, local, current_ka, normal[1])
        self._anodes(dt_s, chance[2])
        self._noise(dt_s, chance[3])
        self._voltage(dt_s, current_ka, normal[2])
        self._beam(dt_s, normal[3])
        self._heat(dt_s, local, normal[0])
        if self.ailments is not None:
            self.ailments.after(self, end_s)

    @property
    def running(self) -> float:
        """How many pots carry current through their bath."""
        return float(np.count_nonzero((self.mode == 1) | (self.mode == 2)))

    def shown_v(self, voltage: Floats, time_s: Floats) -> Floats:
        """Voltages (instants by pots) as the sensors show them."""
        return voltage if self.ailments is None else self.ailments.shown(voltage, time_s)

    def _effects(self, dt_s: float, end_s: float, chance: Floats) -> None:
        burning = self.effect_left_s > 0
        starts = (self.alumina < AE_ALUMINA + 0.015) & ~burning
        if starts.any():
            self._start_effects(np.flatnonzero(starts), end_s - dt_s, chance)
        self.effect_share = np.minimum(self.effect_left_s, dt_s) / dt_s
        self.effect_left_s = np.maximum(self.effect_left_s - dt_s, 0)
        self.after_effect_v *= np.exp(-dt_s / 3_600)
        self.after_effect_v[(self.effect_share > 0) & (self.effect_left_s <= 0)] = 0.05

    def _start_effects(self, pots: npt.NDArray[np.int64], start_s: float, chance: Floats) -> None:
        for pot in pots:
            length = 60 + 240 * chance[pot] ** 2
            volts = 15 + 25 * float(self._draw.random())
            self.effect_left_s[pot], self.effect_v[pot] = length, volts
            self.effect_count[pot] += 1
            self.blocked_s[pot] = 0  # the crew frees the feeder
            self.effects.append(AnodeEffect(int(pot) + 1, start_s, float(length), volts))

    def _alumina(self, dt_s: float, current_ka: float, chance: Floats, normal: Floats) -> None:
        design = self.design
        self.blocked_s = np.maximum(self.blocked_s - dt_s, 0)
        blocks = chance < design.block_per_day * dt_s / 86_400
        self.blocked_s[blocks] = 7_200
        self.feed_age_s += dt_s
        lean = (self.feed != OVER) & (self.alumina < self.low)
        rich = (self.feed == OVER) & (self.alumina > self.high)
        late = (self.feed == NORMAL) & (self.feed_age_s > 1_800)
        if lean.any() or rich.any() or late.any():
            self.feed = np.where(lean, OVER, np.where(rich | late, UNDER, self.feed))
            self.feed_age_s[lean | rich | late] = 0
            self.low = np.where(rich, 2.25 + 0.03 * normal, self.low)
            self.high = np.where(lean, 2.95 + 0.06 * normal, self.high)
        rate = design.alumina_kg_s * _FEED_RATE[self.feed.astype(np.intp)]
        rate = np.where(self.blocked_s > 0, 0.3 * rate, rate)
        rate += self.effect_share * 7 * design.alumina_kg_s  # the controller's extra shots
        fed = np.where(self.alumina > 4.5, 0.0, rate * dt_s)
        used = KG_PER_KA_S * ALUMINA_PER_AL * current_ka * self.efficiency * dt_s
        self.fed_kg += fed
        self.alumina += (fed * self.feed_arrives - used) / design.bath_kg * 100

    def _metal(self, dt_s: float, local_s: float, current_ka: float, normal: Floats) -> None:
        self.produced_kg = KG_PER_KA_S * current_ka * dt_s * self.efficiency
        due = np.mod(local_s - self.tap_at_s, 86_400) < dt_s
        if due.any():
            excess = self.metal_kg - self.design.metal_after_tap_kg + 80 * normal
            order = np.clip(np.round(excess / 10) * 10, 0, 6_000)  # the ladle scale shows 10 kg
            self.tap_left_kg = np.where(due, order, self.tap_left_kg)
            self.tap_rate = self.tap_left_kg / self.design.tap_s
            self.feed[due], self.feed_age_s[due] = NORMAL, 0
            self.acd_cm += np.where(due, 0.03 * normal, 0)
        self.tapped_kg = np.minimum(self.tap_left_kg, self.tap_rate * dt_s)
        self.tap_left_kg = self.tap_left_kg - self.tapped_kg
        self.metal_kg += self.produced_kg - self.tapped_kg

    def _anodes(self, dt_s: float, chance: Floats) -> None:
        design = self.design
        self.carbon_kg = self.produced_kg * self.carbon_per_al
        self.burnt_kg += self.carbon_kg
        self.new_anode_v *= np.exp(-dt_s / 25_000)
        change = self.burnt_kg >= design.anode_kg * (1 - design.butt_share)
        if change.any():
            mass = np.round(design.anode_kg + 20 * (chance - 0.5))
            self.anodes_kg = np.where(change, mass, 0)
            self.burnt_kg -= np.where(change, mass * (1 - design.butt_share), 0)
            self.new_anode_v += np.where(change, 0.04 + 0.06 * chance, 0)
            self.feed[change], self.feed_age_s[change] = NORMAL, 0
        elif self.anodes_kg.any():
            self.anodes_kg = np.zeros(self.count)

    def _noise(self, dt_s: float, chance: Floats) -> None:
        self.restless_s = np.maximum(self.restless_s - dt_s, 0)
        self.restless_s[chance < 0.04 * dt_s / 86_400] = 4 * 3_600  # a rolling metal pad
        rolling = np.where(self.restless_s > 0, 55.0, 6 + 8 * np.sin(self.phase / 997) ** 2)
        self.lf_mv += (rolling - self.lf_mv) * (1 - np.exp(-dt_s / 900))

    def _voltage(self, dt_s: float, current_ka: float, normal: Floats) -> None:
        self.phase += 2 * np.pi * dt_s / self.wave_s
        steady = curve_v(self.alumina, self.acd_cm)
        quiet = BACK_EMF_V + (steady - BACK_EMF_V) * (current_ka / self.design.current_ka)
        wave = 0.001 * self.lf_mv * np.sin(self.phase) if dt_s < 15 else 0.0
        hiss = 0.001 * self.hf_mv * normal / np.sqrt(max(dt_s, 1.0))
        usual = quiet + self.new_anode_v + self.after_effect_v + wave + hiss + self.extra_v
        effect = self.effect_v * (1 + 0.02 * normal)
        self.voltage = np.where(
            self.effect_share > 0,
            self.effect_share * effect + (1 - self.effect_share) * usual,
            usual,
        )
        self.smooth_v += (steady - self.smooth_v) * (1 - np.exp(-dt_s / 5_400))

    def _beam(self, dt_s: float, normal: Floats) -> None:
        self.acd_cm += 0.004 * normal * np.sqrt(dt_s / 600) + 0.006 * dt_s / 3_600
        self.move_wait_s = np.maximum(self.move_wait_s - dt_s, 0)
        wrong = self.smooth_v - self.set_v
        move = (np.abs(wrong) > 0.012) & (self.move_wait_s <= 0) & (self.effect_share <= 0)
        if move.any():
            by = np.where(move, np.clip(-wrong / 0.275, -0.06, 0.06), 0)
            self.acd_cm += by
            self.smooth_v += by * 0.275
            self.beam_cm += by
            self.move_wait_s[move] = 900
        self.acd_cm = np.clip(self.acd_cm, 3.2, 5.0)
        self.beam_cm -= 0.0005 * dt_s / 60  # the beam follows the burning anodes
        self.beam_cm = np.where(self.beam_cm < 6, 38.0, self.beam_cm)  # beam raising

    def _heat(self, dt_s: float, local_s: float, normal: Floats) -> None:
        target = self.design.bath_c + 40 * (self.smooth_v - self.set_v)
        self.temperature_c += (target - self.temperature_c) * (1 - np.exp(-dt_s / 18_000))
        self.temperature_c += 0.05 * normal * np.sqrt(dt_s / 60)
        self.temperature_c += 4 * self.effect_share * dt_s / 60
        drift = 0.0015 * (self.temperature_c - self.design.bath_c) + 0.0002 * (self.lf_mv - 10)
        self.efficiency = np.clip(self.efficiency_base - drift, 0.86, 0.965)
        self.efficiency *= 1 - 0.5 * self.effect_share
        sampled = np.mod(local_s - self.tap_at_s, 28_800) < dt_s  # each shift, by hand
        if sampled.any():
            read = np.round(self.temperature_c + 1.5 * normal)
            self.bath_sample_c = np.where(sampled, read, self.bath_sample_c)
            level = np.round(self.metal_level_cm() + 0.4 * normal, 1)
            self.level_sample_cm = np.where(sampled, level, self.level_sample_cm)
