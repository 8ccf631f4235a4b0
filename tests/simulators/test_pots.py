"""Physics of the pots: balances, statistics, and the traps that public models fell into."""

import numpy as np
import pytest

from simulators.pots import (
    AE_ALUMINA,
    ALUMINA_PER_AL,
    KG_PER_KA_S,
    PotDesign,
    Pots,
    curve_v,
)

START_S = 1_790_784_000.0  # 2026-10-01 00:00 UTC+8


def run(pots: Pots, steps: int, dt_s: float, current_ka: float = 400.0) -> dict[str, float]:
    """Steps the pots and sums what they did."""
    sums = dict.fromkeys(("produced", "tapped", "carbon", "anodes", "v_s", "effect_s"), 0.0)
    for k in range(steps):
        pots.step(dt_s, START_S + (k + 1) * dt_s, current_ka)
        sums["produced"] += pots.produced_kg.sum()
        sums["tapped"] += pots.tapped_kg.sum()
        sums["carbon"] += pots.carbon_kg.sum()
        sums["anodes"] += pots.anodes_kg.sum()
        sums["v_s"] += pots.voltage.sum() * dt_s
        sums["effect_s"] += pots.effect_share.sum() * dt_s
    return sums


def test_curve_meets_the_published_points() -> None:
    """Dupuis 2011: 2.21 % Al2O3 gives 4.071 V at 4 cm and 4.346 V at 5 cm."""
    volts = curve_v(np.full(2, 2.21), np.array([4.0, 5.0]))
    assert volts == pytest.approx([4.071, 4.346], abs=0.001)


def test_faraday_constant() -> None:
    """0.335573 g per A·h; half of it is a known mistake of a public simulator."""
    assert pytest.approx(0.335573, rel=1e-5) == KG_PER_KA_S * 3600
    assert pytest.approx(1.8895, abs=2e-4) == ALUMINA_PER_AL
    design = PotDesign(current_ka=140, efficiency=0.95)
    assert design.metal_kg_s * 86_400 == pytest.approx(1071, abs=1)


def test_same_seed_same_values_whatever_the_clock() -> None:
    one, two, other = (Pots(PotDesign(), 12, seed) for seed in ((7, 1), (7, 1), (8, 1)))
    for pots in (one, two, other):
        run(pots, 300, 60)
    assert np.array_equal(one.voltage, two.voltage)
    assert np.array_equal(one.alumina, two.alumina)
    assert not np.array_equal(one.voltage, other.voltage)


def test_ten_days_of_a_potline_are_ordinary() -> None:
    pots = Pots(PotDesign(), 60, (3, 1))
    metal = pots.metal_kg.sum()
    alumina, fed = pots.alumina.copy(), pots.fed_kg.sum()
    days = 10
    sums = run(pots, days * 1440, 60)
    pot_days = 60 * days
    # Metal: what was made was tapped or is still there.
    assert sums["produced"] - sums["tapped"] == pytest.approx(pots.metal_kg.sum() - metal)
    theory = KG_PER_KA_S * 400 * days * 86_400 * 60
    assert 0.915 < sums["produced"] / theory < 0.945
    assert 2_850 < sums["tapped"] / pot_days < 3_100
    # Alumina: fed less used is what the bath gained.
    gained = ((pots.alumina - alumina) / 100 * 7_500).sum()
    used = sums["produced"] * ALUMINA_PER_AL
    assert pots.fed_kg.sum() - fed - used == pytest.approx(gained, rel=1e-3, abs=60)
    # Energy: a modern 400 kA line.
    mean_v = sums["v_s"] / (days * 86_400 * 60)
    assert 3.90 < mean_v < 4.00
    dc = mean_v * 400 * days * 24 * 60 / (sums["produced"] / 1000)
    assert 12_400 < dc < 12_900
    # Anodes: gross and net carbon.
    assert 0.39 < sums["carbon"] / sums["produced"] < 0.41
    assert sums["anodes"] * (1 - 0.1518) == pytest.approx(sums["carbon"], rel=0.03)
    assert 935 < pots.temperature_c.min() < pots.temperature_c.max() < 975
    assert 3.2 <= pots.acd_cm.min() < pots.acd_cm.max() <= 5


def test_anode_effects_are_like_those_of_plants() -> None:
    pots = Pots(PotDesign(), 200, (5, 2))
    voltages = []
    days = 4
    for k in range(days * 1440):
        pots.step(60, START_S + (k + 1) * 60, 400.0)
        voltages.append(pots.voltage[pots.effect_share > 0.99])
    count = len(pots.effects)
    assert 0.015 < count / (200 * days) < 0.09
    assert count == pots.effect_count.sum()
    lengths = np.array([effect.duration_s for effect in pots.effects])
    assert 60 <= lengths.min() < lengths.max() <= 300
    seen = np.concatenate(voltages)
    assert 14 < seen.min() < seen.max() < 42
    assert pots.voltage[pots.effect_share == 0].max() < 6


def test_effect_begins_when_alumina_runs_out() -> None:
    pots = Pots(PotDesign(block_per_day=0), 4, (1, 1))
    pots.blocked_s[2] = 7_200
    pots.alumina[2] = AE_ALUMINA + 0.05
    for k in range(40):
        pots.step(60, START_S + (k + 1) * 60, 400.0)
    assert [effect.pot for effect in pots.effects] == [3]
    run(pots, 30, 60)
    assert pots.alumina[2] > 2.3


def test_short_and_long_steps_agree() -> None:
    """The month in minutes and the live plant in seconds are the same kind of plant."""
    results = []
    for dt_s in (1.0, 60.0):
        pots = Pots(PotDesign(block_per_day=0), 20, (9, 1))
        sums = run(pots, round(4 * 3600 / dt_s), dt_s)
        results.append((sums["produced"], sums["v_s"], sums["carbon"]))
    for fine, coarse in zip(*results, strict=True):
        assert fine == pytest.approx(coarse, rel=0.006)


def test_noise_is_there_at_one_second_and_gone_in_minutes() -> None:
    pots = Pots(PotDesign(block_per_day=0), 40, (2, 1))
    trace = []
    for k in range(600):
        pots.step(1.0, START_S + 3600 + k, 400.0)
        trace.append(pots.voltage.copy())
    volts = np.array(trace)
    residual = volts[1:] - volts[:-1]
    assert 0.004 < residual.std() < 0.030  # 4-30 mV from second to second
    minutes = volts.reshape(10, 60, 40).mean(axis=1)
    assert np.diff(minutes, axis=0).std() < 0.006


def test_one_tap_a_pot_and_day_between_eight_and_evening() -> None:
    pots = Pots(PotDesign(), 12, (4, 1))
    hours = set()
    taps = 0
    for k in range(2 * 1440):
        before = pots.tap_left_kg.copy()
        pots.step(60, START_S + (k + 1) * 60, 400.0)
        begun = (before == 0) & (pots.tapped_kg > 0)
        taps += int(begun.sum())
        if begun.any():
            hours.add(((k + 1) // 60) % 24)
    assert taps == 24
    assert min(hours) == 8
    assert max(hours) <= 17
