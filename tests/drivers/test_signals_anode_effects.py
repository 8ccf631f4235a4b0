"""Anode effects from voltage: by hand, against another way of finding them, however split."""

import json
import math
import time
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.model import Floats, Indices
from drivers.signals.anode_effects import (
    AnodeEffect,
    AnodeEffects,
    EffectLimits,
    Ending,
    find_effects,
)
from simulators.pots import PotDesign, Pots

SECOND = 1_000_000_000
T0 = 1_790_000_040 * SECOND
NOT_SEEN = math.nan
LIMITS = EffectLimits()


def trace(*parts: tuple[int, float], step_s: float = 1.0) -> tuple[Indices, Floats]:
    """``(how many, volts)`` one after the other, from T0 on."""
    volts = np.concatenate([np.full(many, value) for many, value in parts])
    times = T0 + np.round(np.arange(len(volts)) * step_s * SECOND).astype(np.int64)
    return times, volts


def at_s(effect: AnodeEffect) -> tuple[float, float | None]:
    """Start and end in seconds after T0."""
    end = None if effect.end_ns is None else (effect.end_ns - T0) / SECOND
    return (effect.start_ns - T0) / SECOND, end


def test_an_effect_worked_by_hand() -> None:
    times, volts = trace((10, 4.1), (20, 30.0), (40, 20.0), (200, 4.3))
    (effect,) = find_effects(times, volts)
    assert at_s(effect) == (10.0, 70.0)
    assert effect.duration_s == 60.0
    assert effect.peak_v == 30.0
    assert effect.mean_v == pytest.approx((20 * 30 + 40 * 20) / 60)  # 23.33 V
    assert effect.overvoltage_vs == pytest.approx(20 * 26 + 40 * 16)  # over 4 V: 1160 V·s
    assert (effect.gap_s, effect.ignitions, effect.ending) == (0.0, 1, Ending.BELOW)


def test_overvoltage_counts_from_the_set_voltage_of_its_time() -> None:
    times, volts = trace((5, 4.0), (10, 24.0), (20, 4.0))
    target = np.full(len(volts), 3.9)
    target[10:] = 4.4  # changed in the middle of the effect
    (effect,) = find_effects(times, volts, target=target)
    assert effect.overvoltage_vs == pytest.approx(5 * (24 - 3.9) + 5 * (24 - 4.4))
    target[:] = NOT_SEEN
    (effect,) = find_effects(times, volts, target=target)
    assert effect.overvoltage_vs == pytest.approx(10 * 20)  # the limits' 4.0 V


@pytest.mark.parametrize(("high", "found"), [(29, 0), (30, 1)])
def test_2_9_seconds_are_none_and_3_0_are_one(high: int, found: int) -> None:
    times, volts = trace((20, 4.0), (high, 25.0), (100, 4.0), step_s=0.1)
    effects = find_effects(times, volts, limits=replace(LIMITS, stale_s=0.3))
    assert len(effects) == found


@pytest.mark.parametrize(("volt", "found"), [(7.999, 0), (8.0, 1)])
def test_the_threshold_itself_is_above(volt: float, found: int) -> None:
    times, volts = trace((5, 4.0), (10, volt), (10, 4.0))
    assert len(find_effects(times, volts)) == found


def test_the_first_sample_may_be_above_and_the_last_too() -> None:
    times, volts = trace((10, 30.0), (400, 4.0), (10, 25.0))
    first, last = find_effects(times, volts)
    assert at_s(first) == (0.0, 10.0)
    assert at_s(last) == (410.0, None)
    assert (last.ending, last.duration_s) == (Ending.LASTS, 9.0)  # up to the last sample


def test_one_sample_at_a_slow_cadence_is_no_effect_but_two_are() -> None:
    one = find_effects(*trace((5, 4.0), (1, 30.0), (5, 4.0), step_s=10))
    assert one == []
    (two,) = find_effects(*trace((5, 4.0), (2, 30.0), (50, 4.0), step_s=10))
    assert two.duration_s == 20.0


def test_a_short_dip_belongs_to_the_effect_and_a_long_one_is_a_pause() -> None:
    (dip,) = find_effects(*trace((10, 30.0), (2, 4.0), (10, 30.0), (300, 4.0)))
    assert (dip.duration_s, dip.ignitions) == (22.0, 1)
    (pause,) = find_effects(*trace((10, 30.0), (3, 4.0), (10, 30.0), (300, 4.0)))
    assert (pause.duration_s, pause.ignitions) == (20.0, 2)
    assert at_s(pause) == (0.0, 23.0)


@pytest.mark.parametrize(("pause", "found"), [(120, 1), (121, 2)])
def test_re_ignition_within_120_s_is_the_same_effect(pause: int, found: int) -> None:
    effects = find_effects(*trace((10, 30.0), (pause, 4.0), (10, 30.0), (300, 4.0)))
    assert len(effects) == found
    assert sum(effect.duration_s for effect in effects) == 20.0


def test_a_gap_inside_is_stated_and_counted_as_effect() -> None:
    (effect,) = find_effects(*trace((20, 30.0), (15, NOT_SEEN), (10, 20.0), (300, 4.0)))
    assert at_s(effect) == (0.0, 45.0)
    assert (effect.duration_s, effect.gap_s) == (45.0, 15.0)
    assert effect.mean_v == pytest.approx((20 * 30 + 10 * 20) / 30)
    assert effect.overvoltage_vs == pytest.approx(20 * 26 + 10 * 16)


def test_missing_samples_are_a_gap_too_once_the_last_went_stale() -> None:
    times, volts = trace((20, 30.0), (15, NOT_SEEN), (10, 20.0), (300, 4.0))
    seen = np.isfinite(volts)
    (effect,) = find_effects(times[seen], volts[seen])
    assert (effect.duration_s, effect.gap_s) == (45.0, 13.0)  # a sample holds for three steps


def test_an_effect_that_came_back_unseen_ends_where_it_was_last_seen() -> None:
    (effect,) = find_effects(*trace((20, 30.0), (60, NOT_SEEN), (300, 4.0)))
    assert at_s(effect) == (0.0, 20.0)
    assert (effect.duration_s, effect.gap_s, effect.ending) == (20.0, 0.0, Ending.UNSEEN)


@pytest.mark.parametrize(("gap", "found"), [(599, 1), (600, 2)])
def test_an_effect_not_seen_for_ten_minutes_is_given_up(gap: int, found: int) -> None:
    effects = find_effects(*trace((20, 30.0), (gap, NOT_SEEN), (20, 30.0), (300, 4.0)))
    assert len(effects) == found
    assert effects[0].gap_s == (599.0 if found == 1 else 0.0)


def test_a_stopped_pot_has_no_effect_and_a_stop_ends_one() -> None:
    times, volts = trace((5, 4.0), (60, 30.0), (60, 4.0))
    running = np.ones(len(volts), dtype=bool)
    running[25:] = False
    (effect,) = find_effects(times, volts, running=running)
    assert at_s(effect) == (5.0, 25.0)
    assert effect.ending is Ending.STOPPED
    assert find_effects(times, volts, running=np.zeros(len(volts), dtype=bool)) == []
    running = ~running
    (effect,) = find_effects(times, volts, running=running)  # started at 25 s, still high
    assert at_s(effect) == (25.0, 65.0)


def test_what_makes_no_trace_is_refused() -> None:
    times, volts = trace((5, 4.0))
    with pytest.raises(ValueError, match="one value per sample"):
        find_effects(times, volts[:-1])
    with pytest.raises(ValueError, match="sample 3: its time is not after"):
        find_effects(times[[0, 2, 1, 3, 4]], volts)
    with pytest.raises(ValueError, match="below threshold_v"):
        EffectLimits(threshold_v=4.0)
    assert find_effects(times[:0], volts[:0]) == []


# --- against another way


def slowly(volts: list[float], limits: EffectLimits) -> list[tuple[int, int, float]]:
    """
    Start, end and seconds in effect at one sample a second, by runs of text.

    ``H`` above, ``l`` below; a trace that is seen throughout and ends low.
    """
    text = "".join("H" if volt >= limits.threshold_v else "l" for volt in volts)
    over, hold, merge = int(limits.over_s), int(limits.hold_s), int(limits.merge_s)
    runs: list[list[int]] = []  # [start, end) of ignitions
    at = 0
    while (start := text.find("H", at)) >= 0:
        end = start
        while end < len(text) and text[end] == "H":
            end += 1
        if end - start < hold:
            at = end
            continue
        while (more := text.find("H", end)) >= 0 and more - end < over:
            end = more
            while end < len(text) and text[end] == "H":
                end += 1
        runs.append([start, end])
        at = end
    found: list[tuple[int, int, float]] = []
    for start, end in runs:
        if found and start - found[-1][1] <= merge:
            first, _, seconds = found[-1]
            found[-1] = (first, end, seconds + end - start)
        else:
            found.append((start, end, float(end - start)))
    return found


runs = st.lists(
    st.tuples(st.integers(1, 8), st.sampled_from([4.0, 30.0, 4.2, 9.5])), min_size=1, max_size=30
)


@settings(max_examples=300, deadline=None)
@given(runs, st.integers(1, 5), st.integers(1, 5), st.integers(0, 20))
def test_the_same_as_a_slow_search_in_text(
    parts: list[tuple[int, float]], hold: int, over: int, merge: int
) -> None:
    limits = EffectLimits(hold_s=hold, over_s=over, merge_s=merge, readings=1)
    times, volts = trace(*parts, (40, 4.0))
    found = find_effects(times, volts, limits=limits)
    want = slowly(volts.tolist(), limits)
    assert [(*at_s(effect), effect.duration_s) for effect in found] == want
    inside = np.zeros(len(volts), dtype=bool)
    for start, end, _ in want:
        inside[start:end] = True
    assert all(effect.gap_s == 0 for effect in found)
    if not any(effect.ignitions > 1 for effect in found):
        total = sum(effect.overvoltage_vs for effect in found)
        assert total == pytest.approx(float((volts[inside] - 4.0).sum()))


samples = st.lists(
    st.tuples(st.integers(1, 12), st.sampled_from([4.0, 30.0, NOT_SEEN, 12.0])),
    min_size=1,
    max_size=25,
)


def last_word(notes: list[AnodeEffect]) -> dict[tuple[int, int], AnodeEffect]:
    return {(note.pot, note.start_ns): note for note in notes}


@settings(max_examples=150, deadline=None)
@given(st.lists(samples, min_size=1, max_size=4), st.data())
def test_frames_of_many_pots_give_what_each_trace_gives(
    pots: list[list[tuple[int, float]]], data: st.DataObject
) -> None:
    """And ticks of the clock, or a restart in between, change nothing."""
    traces = [trace(*parts, (150, 4.0))[1] for parts in pots]
    length = max(map(len, traces))
    volts = np.array([np.pad(t, (0, length - len(t)), constant_values=4.0) for t in traces])
    times = T0 + np.arange(length) * SECOND
    ticks = data.draw(st.sets(st.integers(0, length - 1), max_size=5))
    restart = data.draw(st.integers(0, length - 1))
    watcher = AnodeEffects(len(pots), LIMITS)
    notes: list[AnodeEffect] = []
    for k in range(length):
        if k in ticks:
            notes += watcher.passed(int(times[k]))
        if k == restart:
            saved = json.loads(json.dumps(watcher.state()))
            watcher = AnodeEffects(len(pots), LIMITS)
            watcher.restore(saved)
        notes += watcher.frame(int(times[k]), volts[:, k])
    told = last_word(notes)
    want = [
        effect
        for pot in range(len(pots))
        for effect in find_effects(times, volts[pot], limits=LIMITS, pot=pot)
    ]
    assert told == last_word(want)


@settings(max_examples=150, deadline=None)
@given(samples, st.data())
def test_a_subscription_gives_the_same_however_its_changes_are_split(
    parts: list[tuple[int, float]], data: st.DataObject
) -> None:
    """Only changes travel; any frames of them give the effects of the whole trace."""
    limits = replace(LIMITS, readings=1)
    times, volts = trace((3, 4.0), *parts, (200, 4.0))
    same = (volts[1:] == volts[:-1]) | (np.isnan(volts[1:]) & np.isnan(volts[:-1]))
    changes = np.flatnonzero(np.concatenate([[True], ~same]))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(volts) - 1), max_size=12)))
    watcher = AnodeEffects(2, limits)
    notes: list[AnodeEffect] = []
    for begin, end in zip([0, *cuts], [*cuts, len(volts)], strict=True):
        mine = changes[(changes >= begin) & (changes < end)]
        index = np.ones(len(mine), dtype=np.int64)
        complete_ns = int(times[end - 1])
        notes += watcher.samples(index, times[mine], volts[mine], complete_ns)
    want = last_word(find_effects(times, volts, limits=limits, pot=1))
    told = last_word(notes)
    assert told.keys() == want.keys()
    for key, effect in want.items():
        assert told[key].end_ns == effect.end_ns
        assert told[key].duration_s == effect.duration_s
        assert told[key].gap_s == effect.gap_s
        assert told[key].overvoltage_vs == pytest.approx(effect.overvoltage_vs)


def test_seconds_by_the_minute_add_up_to_the_duration() -> None:
    times, volts = trace((50, 4.0), (100, 30.0), (20, NOT_SEEN), (30, 20.0), (130, 4.0))
    watcher = AnodeEffects(1, LIMITS)
    seconds, volt_seconds = [], []
    minute = T0
    last: AnodeEffect | None = None
    for at_ns, volt in zip(times.tolist(), volts.tolist(), strict=True):
        if at_ns >= minute + 70 * SECOND:
            one, other = watcher.burned(minute, minute + 60 * SECOND)
            seconds.append(float(one[0]))
            volt_seconds.append(float(other[0]))
            minute += 60 * SECOND
        last = [last, *watcher.frame(at_ns, np.array([volt]))][-1]
    assert seconds == [10.0, 60.0, 40.0, 20.0, 0.0]  # the gap from 150 s to 170 s is not seen
    assert volt_seconds == [260.0, 60 * 26.0, 30 * 26.0 + 10 * 16.0, 20 * 16.0, 0]
    assert last is not None
    assert last.duration_s == sum(seconds) + last.gap_s == 150.0
    assert last.overvoltage_vs == pytest.approx(sum(volt_seconds))


# --- the simulator's truth


@pytest.mark.parametrize(("step_s", "hours", "pots"), [(1.0, 2, 60), (10.0, 12, 60)])
def test_every_simulated_effect_is_found_and_none_is_invented(
    step_s: float, hours: int, pots: int
) -> None:
    """With feeders that block ten times a day in every pot; durations are within one sample."""
    start_s = 1_790_000_040.0
    design = PotDesign(block_per_day=10.0)
    simulated = Pots(design, pots, (5, 1))
    watcher = AnodeEffects(pots, replace(LIMITS, stale_s=3 * step_s))
    notes: list[AnodeEffect] = []
    steps = round(hours * 3600 / step_s)
    for k in range(1, steps + 1):
        simulated.step(step_s, start_s + k * step_s, design.current_ka)
        at_ns = round((start_s + k * step_s) * SECOND)
        notes += watcher.frame(at_ns, simulated.voltage)
    begun = {(e.pot - 1, e.start_s): e for e in simulated.effects}
    found = {key: note for key, note in last_word(notes).items() if note.end_ns is not None}
    over_s = start_s + hours * 3600 - 330  # an effect lasts five minutes at most
    truth = {key: e for key, e in begun.items() if e.start_s < over_s}
    assert len(truth) >= 5
    for (pot, at_s), true in truth.items():
        (mine,) = [
            f for f in found.values() if f.pot == pot and abs(f.start_ns / SECOND - at_s) <= step_s
        ]
        assert abs(mine.duration_s - true.duration_s) <= step_s
        assert mine.mean_v == pytest.approx(true.voltage_v, rel=0.15)
    for effect in found.values():
        at_s = effect.start_ns / SECOND
        assert any(pot == effect.pot and abs(at_s - start) <= step_s for pot, start in begun)


# --- cost


def test_quiet_pots_cost_next_to_nothing() -> None:
    """400 pots at one second may take 1 % of a core at most: 10 ms. They take some µs."""
    watcher = AnodeEffects(400, LIMITS)
    volts = np.random.default_rng(1).normal(4.0, 0.05, 400)
    for k in range(100):
        watcher.frame(T0 + k * SECOND, volts)
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    started = time.process_time()
    for k in range(100, 2100):
        watcher.frame(T0 + k * SECOND, volts)
    took_s = (time.process_time() - started) / 2000
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(watcher) == 0
    assert after - before < 10_000
    assert took_s < 0.0005, f"{took_s * 1e6:.0f} µs per frame of 400 pots"


def test_a_burning_pot_keeps_no_more_than_its_last_minutes() -> None:
    watcher = AnodeEffects(1, LIMITS)
    burning = np.array([30.0])
    sizes = []
    for minute in range(30):
        for second in range(60):
            watcher.frame(T0 + (60 * minute + second) * SECOND, burning)
        start_ns = T0 + 60 * (minute - 1) * SECOND
        watcher.burned(start_ns, start_ns + 60 * SECOND)
        sizes.append(len(json.dumps(watcher.state())))
    assert max(sizes[5:]) < 1.2 * sizes[4]
