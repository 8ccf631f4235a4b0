"""Resistance, noise, slope, feeding and warning of pots: worked by hand on made-up signals."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.model import Floats
from drivers.signals.feeding import Deficit, Phase, alumina_need
from drivers.signals.noise import Flicker, Swing
from drivers.signals.pots import PotMinute, PotSignals, SignalLimits
from drivers.signals.resistance import Slope, normalised_voltage, pseudo_resistance, straight_lines
from drivers.signals.warning import Growth, Lasting, WarningLimits, score

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
T0 = 1_790_000_040 * SECOND  # a whole minute
NOT_SEEN = math.nan


def test_resistance_and_voltage_at_nominal_current() -> None:
    ohms = pseudo_resistance(np.array([4.05, NOT_SEEN]), 400.0, 1.65)
    assert ohms[0] == pytest.approx(6.0)  # 2.40 V / 400 kA
    assert math.isnan(ohms[1])
    assert normalised_voltage(ohms, 410.0, 1.65)[0] == pytest.approx(1.65 + 2.46)


@given(
    st.floats(-100, 100),
    st.floats(-50, 50),
    st.lists(st.integers(0, 30), min_size=3, max_size=20, unique=True),
)
def test_a_straight_line_is_found_with_holes_in_it(
    at_0: float, slope: float, known: list[int]
) -> None:
    times = np.arange(31.0)
    values = np.full((31, 2), NOT_SEEN)
    values[known, 0] = at_0 + slope * times[known]
    found, rest = straight_lines(times, values)
    assert found[0] == pytest.approx(slope, abs=1e-6)
    assert np.nanmax(np.abs(rest[:, 0])) < 1e-6
    assert math.isnan(found[1])


def test_slope_of_a_ramp_and_of_a_jump() -> None:
    slope = Slope(3)
    for second in range(1440 + 1):
        hours = second / 3600
        jump = 0.2 if second > 800 else 0.0
        slope.add(T0 + second * SECOND, np.array([6 + 0.9 * hours, 6 + jump, NOT_SEEN]))
    assert slope.value[0] == pytest.approx(0.9)
    assert slope.steady[0] == pytest.approx(0.9)
    assert slope.value[1] > 0.5  # a new anode tilts the line
    assert slope.steady[1] == 0.0  # but is no steady rise
    assert np.isnan([slope.value[2], slope.steady[2]]).all()
    # steady from the sixth mean on: five steps of two minutes, and one more for each mean after
    assert slope.rise[0] == pytest.approx(0.9 * 2 / 60 * len(range(6, 13)), rel=1e-6)


def test_swing_of_a_wave_is_its_amplitude_and_a_trend_is_no_swing() -> None:
    swing = Swing(3, 1.0)
    for second in range(400):
        wave = 0.05 * math.sin(2 * math.pi * second / 60)
        swing.add(T0 + second * SECOND, np.array([6 + wave, 6 + 0.01 * second, 6.0]))
    # the mean of six seconds of a wave of sixty damps it by sin(x)/x of x = pi/10: 0.984
    assert swing.value()[0] == pytest.approx(0.05 * 0.984, rel=0.02)
    assert swing.value()[1] == pytest.approx(0.0, abs=1e-9)
    assert swing.value()[2] == pytest.approx(0.0, abs=1e-9)


def test_flicker_of_white_noise_is_its_rms_and_a_slow_wave_is_none() -> None:
    draw = np.random.default_rng(3)
    flicker = Flicker(2, 1.0)
    for second in range(3000):
        wave = 0.05 * math.sin(2 * math.pi * second / 60)
        noise = draw.normal(0, 0.02)
        flicker.add(T0 + second * SECOND, np.array([6 + noise, 6 + wave]))
    found = flicker.take(30)
    assert found[0] == pytest.approx(0.02, rel=0.05)
    assert found[1] < 0.001
    assert np.isnan(flicker.take(30)).all()  # nothing since
    assert np.isnan(Flicker(1, 5.0).take(1)).all()  # no cadence for it


def test_what_electrolysis_needs_and_a_blocked_feeder_leaves() -> None:
    # 400 kA at 0.93 makes 400 × 0.335573 × 0.93 = 124.83 kg of metal an hour; 1.88946 kg each
    assert alumina_need(400, 0.93, 3600) == pytest.approx(235.87, abs=0.02)
    deficit = Deficit(3, shot_kg=1.8, current_efficiency=0.93, forget_s=1e12)
    shots = np.array([100.0, 100.0, 100.0])
    assert np.isnan(deficit.step(shots, 400, 60)).all()  # no reading before
    for minute in range(60):
        shots = shots + np.array([235.87 / 60 / 1.8, 0.0, 0.0])
        shots[2] = 100 if minute < 59 else 5  # a reset in the last minute
        found = deficit.step(shots.copy(), 400, 60)
    assert found[0] == pytest.approx(0.0, abs=0.05)
    assert found[1] == pytest.approx(235.87, abs=0.05)
    assert math.isnan(found[2])
    assert deficit.step(shots, 400, 60)[2] == pytest.approx(235.87 / 60, abs=0.01)  # anew


def test_time_in_the_feed_phase() -> None:
    phase = Phase(2)
    phase.add(T0, np.array([2.0, NOT_SEEN]))
    phase.add(T0 + 100 * SECOND, np.array([2.0, NOT_SEEN]))
    phase.add(T0 + 300 * SECOND, np.array([3.0, NOT_SEEN]))
    assert phase.seconds(T0 + 360 * SECOND).tolist()[0] == 60.0
    assert math.isnan(phase.seconds(T0)[1])


def test_signs_are_counted_and_unknown_is_no_sign() -> None:
    limits = WarningLimits(slope_uohm_h=1, rise_uohm=1, deficit_kg=30, noise_growth=2)
    nothing = np.full(3, NOT_SEEN)
    slope, deficit = np.array([1.0, 0.9, NOT_SEEN]), np.array([30.0, 50.0, NOT_SEEN])
    found = score(slope, nothing, deficit, nothing, limits)
    assert found[:2].tolist() == [2.0, 1.0]
    assert math.isnan(found[2])


def test_growth_is_against_the_time_before() -> None:
    growth = Growth(1, memory_min=1e9, least_min=10)
    found = [float(growth.minute(np.array([10.0]))[0]) for _ in range(11)]
    assert all(map(math.isnan, found[:10]))
    assert found[10] == pytest.approx(1.0)
    assert growth.minute(np.array([25.0]))[0] == pytest.approx(2.5)


def test_a_sign_has_to_last_to_begin_and_to_be_gone_to_end() -> None:
    lasting = Lasting(1, on_min=3, off_min=2)
    shown = "001100111010011000"
    told = []
    for minute, letter in enumerate(shown):
        flag = np.array([letter == "1"])
        begins, ends = lasting.minute(flag, flag, np.array([False]))
        told += [("on", minute)] * len(begins) + [("off", minute)] * len(ends)
    assert told == [("on", 8), ("off", 12)]
    always = np.array([True])
    for _ in range(3):
        lasting.minute(always, always, ~always)
    assert lasting.on[0]
    _, ends = lasting.minute(always, always, always)
    assert ends.tolist() == [0]  # barred: at once


# --- minutes


def minutes(
    volts: Floats, current: Floats, limits: SignalLimits, step_s: int = 1
) -> list[PotMinute]:
    """Feed ``volts[k]`` (pots) at step k."""
    signals = PotSignals(volts.shape[1], float(step_s), limits)
    found: list[PotMinute] = []
    for k in range(len(volts)):
        at_ns = T0 + k * step_s * SECOND
        signals.effects.frame(at_ns, volts[k])
        signals.row(at_ns, volts[k], float(current[k]))
        found += signals.ready(at_ns)
    return found


def test_a_minute_has_what_was_there_and_nothing_else() -> None:
    volts = np.full((200, 3), 4.05)
    volts[60:90, 1] = NOT_SEEN
    volts[:, 2] = NOT_SEEN
    volts[20:30, 0] = 30.0
    current = np.full(200, 400.0)
    current[120:180] = NOT_SEEN
    first, second, third = minutes(volts, current, SignalLimits(nominal_ka=410.0))
    assert [m.start_ns for m in (first, second, third)] == [T0, T0 + MINUTE, T0 + 2 * MINUTE]
    assert first.values["ae_seconds"].tolist()[:2] == [10.0, 0.0]
    assert first.values["ae_overvoltage"].tolist()[:2] == [260.0, 0.0]
    assert math.isnan(first.values["ae_seconds"][2])  # nobody saw that pot
    assert first.values["pseudo_resistance"][0] == pytest.approx(6.0)  # without its effect
    assert first.values["normalised_voltage"][0] == pytest.approx(4.11)
    assert (second.seen.tolist(), second.expected) == ([60, 30, 0], 60)
    assert second.values["ae_seconds"][1] == 0.0
    assert np.isnan(third.values["pseudo_resistance"]).all()  # no line current, no resistance
    assert third.values["ae_seconds"][0] == 0.0
    assert np.isnan(third.values["ae_risk"]).all()


def test_a_rolling_metal_pad_is_unstable_after_ten_minutes_and_quiet_again() -> None:
    seconds = np.arange(60 * 60)
    rolling = (seconds > 600) & (seconds < 2400)
    wave = np.where(rolling, 0.06, 0.005) * np.sin(2 * math.pi * seconds / 45)
    volts = np.stack([4.0 + wave, np.full(len(seconds), 4.0)], axis=1)
    limits = SignalLimits(unstable_min=10)
    found = minutes(volts, np.full(len(seconds), 400.0), limits)
    begins = [k for k, m in enumerate(found) if 0 in m.unstable[0]]
    ends = [k for k, m in enumerate(found) if 0 in m.unstable[1]]
    assert not any(1 in m.unstable[0] for m in found)
    # above 40 mV once two of the five minutes roll, and then ten minutes; below 20 mV likewise
    assert len(begins) == len(ends) == 1
    assert 20 <= begins[0] <= 23
    assert 52 <= ends[0] <= 55
    assert found[30].values["swing"][0] == pytest.approx(60 * 0.97, rel=0.03)


def test_a_pot_that_runs_out_of_alumina_is_warned_of_before_its_effect() -> None:
    """
    Slope and rise show: the voltage rises by 0.25 V · ln(3000 s / time left).

    The slope is 0.25 · 3600 / left / 0.4 µΩ/h, 0.75 from the first on. The rise is 0.35 µΩ when
    ln(3000 / left) is 0.14 V / 0.25 V: 1714 s before the end, in minute 88; means and median
    follow some minutes late.
    """
    seconds = np.arange(2 * 3600)
    left_s = 7000 - seconds
    rise = np.where(left_s > 0, 0.25 * np.log(3000 / np.clip(left_s, 60, 3000)), 0.0)
    usual = 4.0 + 0.008 * np.sin(2 * math.pi * seconds / 45)
    volts = np.stack([usual + rise, usual], axis=1)
    volts[7000:7100, 0] = 30.0
    found = minutes(volts, np.full(len(seconds), 400.0), SignalLimits())
    begins = [k for k, m in enumerate(found) if 0 in m.warned[0]]
    ends = [k for k, m in enumerate(found) if 0 in m.warned[1]]
    assert len(begins) == 1
    assert 88 <= begins[0] <= 96  # the effect comes in minute 116
    assert ends == [116]  # it has come true
    assert not any(1 in m.warned[0] for m in found)
