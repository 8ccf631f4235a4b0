"""Counters: a table of what the steps mean, and totals that equal the truth."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.minutes.counters import Counters, CounterStep, Step, rounds, steps
from drivers.model import Group, Quality
from tests.agent.points import BAD, GOOD, START_NS, frame, group, point, sparse

SECOND = 10**9


@pytest.mark.parametrize(
    ("before", "now", "elapsed_s", "modulus", "max_per_s", "step", "increment"),
    [
        (100, 101, 1, 65536, 10, Step.ON, 1),
        (100, 100, 1, 65536, 10, Step.ON, 0),
        (65530, 4, 1, 65536, 10, Step.ROLLOVER, 10),
        (65530, 5, 1, 65536, 10, Step.RESET, 0),  # 11 is more than it can run in a second
        (40000, 0, 1, 65536, 10, Step.RESET, 0),
        (40000, 10, 1, 65536, 10, Step.RESET, 0),
        (40000, 11, 1, 65536, 10, Step.REPLACEMENT, 0),
        (40000, 39999, 1, 65536, 10, Step.REPLACEMENT, 0),
        (100, 111, 1, 65536, 10, Step.REPLACEMENT, 0),
        (100, 111, 2, 65536, 10, Step.ON, 11),
        (100, 5, 100, 0, 10, Step.RESET, 0),
        (9.9e8, 3, 1, 1e9, 1e7, Step.ROLLOVER, 1e7 + 3 - 3),
        (40000, 100, 1e6, 65536, 10, Step.ROLLOVER, 25636),
        (4000, 100, 1e6, 65536, 10, Step.RESET, 0),  # more than half the modulus: not believed
        (65500, 100, 1, 65536, math.inf, Step.ROLLOVER, 136),
        (40000, 100, 1, 65536, math.inf, Step.RESET, 0),
        (40000, 30000, 1, 65536, math.inf, Step.REPLACEMENT, 0),
        (100, 1e6, 1, 0, math.inf, Step.ON, 1e6 - 100),
        (50, 49, 1, 0, math.inf, Step.REPLACEMENT, 0),
    ],
)
def test_what_a_step_means(
    before: float,
    now: float,
    elapsed_s: float,
    modulus: float,
    max_per_s: float,
    step: Step,
    increment: float,
) -> None:
    if before == 9.9e8:
        before, increment = 1e9 - 1e7 + 3, 1e7
    got, code = steps(
        np.array([before]),
        np.array([float(now)]),
        np.array([float(elapsed_s)]),
        np.array([float(modulus)]),
        np.array([float(max_per_s)]),
    )
    assert (Step(code[0]), got[0]) == (step, increment)


def counter_group(
    modulus: float = 65536.0, max_per_s: float = 200.0, interval_s: float = 1.0
) -> Group:
    return group(
        point("pot.voltage"),
        point(
            "meter.energy_import",
            "line1/ac1",
            type="uint16",
            counter_modulus=modulus,
            counter_max_per_s=max_per_s,
        ),
        interval_s=interval_s,
    )


@settings(deadline=None, max_examples=200)
@given(
    st.integers(0, 65535),
    st.lists(st.tuples(st.integers(0, 200), st.booleans()), min_size=1, max_size=600),
    st.booleans(),
)
def test_the_total_of_increments_is_the_truth(
    first: int, seconds: list[tuple[int, bool]], as_subscription: bool
) -> None:
    """Random consumption, rollovers and lost readings: nothing lost, nothing invented."""
    of = counter_group()
    counters, truth, total, last_good = Counters(of), first, 0.0, first
    for k, (used, answered) in enumerate([(0, True), *seconds, (0, True)]):
        truth += used
        if answered and k:
            last_good = truth
        at = START_NS + k * SECOND
        value, code = (truth % 65536, GOOD) if answered else (math.nan, BAD)
        got = (
            sparse(of, at, [(at, 1, value, code)])
            if as_subscription
            else frame(of, at, [4.0, value], [GOOD, code])
        )
        counted = counters.add(got)
        total += float(np.nansum(counted.increments))
        assert not [s for s in counted.steps if s.step in {Step.RESET, Step.REPLACEMENT}]
        assert not (counted.frame.quality == Quality.JUMP).any()
    assert total == last_good - first


def run(counters: Counters, readings: list[float]) -> tuple[list[float], list[int], list[Step]]:
    increments, codes, seen = [], [], []
    for k, reading in enumerate(readings):
        at = START_NS + k * SECOND
        counted = counters.add(frame(counters.group, at, [4.0, reading]))
        increments.append(float(counted.increments[1]))
        codes.append(int(counted.frame.quality[1]))
        seen += [step.step for step in counted.steps]
    return increments, codes, seen


def test_a_torn_reading_costs_nothing() -> None:
    increments, codes, seen = run(
        Counters(counter_group(modulus=0)), [50000.0, 50010.0, 12.0, 50030.0, 50040.0]
    )
    assert np.nansum(increments) == 40
    assert codes == [GOOD, GOOD, Quality.JUMP, GOOD, GOOD]
    assert seen == []


def test_a_reset_is_an_event_once_confirmed_and_invents_nothing() -> None:
    increments, codes, seen = run(
        Counters(counter_group(modulus=0)), [50000.0, 50010.0, 20.0, 35.0, 50.0]
    )
    assert increments[1:] == [10, 0, 15, 15]
    assert codes == [GOOD, GOOD, Quality.JUMP, GOOD, GOOD]
    assert seen == [Step.RESET]


def test_a_replacement_names_both_readings() -> None:
    counters = Counters(counter_group(modulus=0))
    noted: list[CounterStep] = []
    for k, reading in enumerate([50010.0, 777000.0, 777005.0]):
        noted += counters.add(frame(counters.group, START_NS + k * SECOND, [4.0, reading])).steps
    (step,) = noted
    assert (step.step, step.before, step.now, step.increment) == (
        Step.REPLACEMENT,
        50010.0,
        777000.0,
        5.0,
    )


def test_an_increment_over_a_gap_is_kept_and_flagged() -> None:
    counters = Counters(counter_group())
    counters.add(frame(counters.group, START_NS, [4.0, 1000.0]))
    for k in range(1, 300):
        counters.add(frame(counters.group, START_NS + k * SECOND, [math.nan] * 2, [BAD, BAD]))
    counted = counters.add(frame(counters.group, START_NS + 300 * SECOND, [4.0, 5000.0]))
    assert counted.increments[1] == 4000
    assert counted.bridged.tolist() == [1]
    (step,) = counted.steps
    assert (step.step, step.increment, step.ambiguous) == (Step.ON, 4000, False)
    later = counters.add(frame(counters.group, START_NS + 700 * SECOND, [4.0, 5100.0]))
    assert later.steps[0].ambiguous  # 400 s at 200/s is more than one turn


def test_a_slow_register_may_step_far_after_standing_still() -> None:
    """A meter that updates its register each quarter of an hour is no replacement."""
    counters = Counters(counter_group(modulus=0, max_per_s=1.0))
    readings = [1000.0] * 900 + [1800.0] * 3
    increments, codes, seen = run(counters, readings)
    assert np.nansum(increments) == 800
    assert set(codes) == {GOOD}
    assert seen == []


def test_readings_go_on_after_a_restart() -> None:
    before = Counters(counter_group())
    run(before, [65000.0, 65100.0])
    after = Counters(counter_group())
    after.restore(before.readings())
    counted = after.add(frame(after.group, START_NS + 10 * SECOND, [4.0, 64.0]))
    assert counted.increments[1] == 500
    assert [step.step for step in counted.steps] == [Step.ROLLOVER]


@given(st.lists(st.integers(0, 5), max_size=40))
def test_rounds_name_each_point_once_and_keep_order(index: list[int]) -> None:
    got = rounds(np.array(index, dtype=np.int64))
    assert sorted(k for chosen in got for k in chosen.tolist()) == list(range(len(index)))
    for chosen in got:
        assert len({index[k] for k in chosen}) == len(chosen)
    for value in set(index):
        order = [k for chosen in got for k in chosen.tolist() if index[k] == value]
        assert order == sorted(order)
