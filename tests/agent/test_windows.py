"""Windows against a reference that holds each sample nanosecond by nanosecond, in fractions."""

import json
import math
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.minutes.counters import Counters
from agent.minutes.windows import Minutes, Windows
from drivers.model import Group, Quality
from tests.agent.points import BAD, GOOD, MINUTE_NS, START_NS, frame, group, point, sparse

TWO = group(point("pot.voltage"), point("pot.current"))
HOLD_NS = 3_000_000_000
TICK_NS = 500_000_000


@dataclass
class Sums:
    total: Fraction = Fraction(0)
    cover: int = 0
    held: list[float] = field(default_factory=list)
    count: int = 0
    last: float = math.nan


def reference(samples: list[tuple[int, float, int]], end_ns: int) -> dict[int, Sums]:
    """Window start -> sums, for the samples of one point in order of time."""
    found: dict[int, Sums] = {}
    for k, (at, value, code) in enumerate(samples):
        following = samples[k + 1][0] if k + 1 < len(samples) else end_ns
        until = min(following, at + HOLD_NS, end_ns)
        first = at - at % MINUTE_NS
        if code == GOOD:
            here = found.setdefault(first, Sums())
            here.count += 1
            here.last = value
            here.held.append(value)
        start = first
        while code == GOOD and start < until:
            took = min(until, start + MINUTE_NS) - max(at, start)
            here = found.setdefault(start, Sums())
            here.total += Fraction(value) * took
            here.cover += took
            here.held.append(value)
            if math.isnan(here.last):
                here.last = value
            start += MINUTE_NS
    return found


def check(windows: list[Windows], column: int, expected: dict[int, Sums]) -> None:
    seen = set()
    for window in windows:
        assert window.start_ns not in seen
        seen.add(window.start_ns)
        sums = expected.get(window.start_ns, Sums())
        assert window.count[column] == sums.count
        assert window.good[column] == sums.cover / MINUTE_NS
        if sums.cover:
            mean = float(sums.total / sums.cover)
            # Values that cancel out leave the rounding of the largest of them; denormals lose bits.
            off = max(1e-12 * max(map(abs, sums.held)), 1e-290)
            assert math.isclose(window.mean[column], mean, abs_tol=off)
        if sums.held:
            assert window.low[column] == min(sums.held)
            assert window.high[column] == max(sums.held)
            assert window.last[column] == sums.last
            assert window.low[column] <= window.mean[column] <= window.high[column]
        else:
            assert math.isnan(window.mean[column])
        assert (window.reason[column] != Quality.GOOD) == (sums.cover < MINUTE_NS)
    assert {start for start, sums in expected.items() if sums.cover or sums.count} <= seen


poll = st.tuples(
    st.integers(1, 12),
    st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=2),
    st.lists(st.sampled_from([GOOD, GOOD, GOOD, BAD, int(Quality.STUCK)]), min_size=2, max_size=2),
)


@settings(deadline=None, max_examples=150)
@given(st.lists(poll, min_size=1, max_size=150), st.booleans())
def test_dense_windows_are_what_the_reference_says(
    polls: list[tuple[int, list[float], list[int]]], all_good: bool
) -> None:
    minutes, at, windows = Minutes(TWO), START_NS, list[Windows]()
    samples: list[list[tuple[int, float, int]]] = [[], []]
    for ticks, values, codes in polls:
        at += ticks * TICK_NS
        quality = [GOOD, GOOD] if all_good else codes
        windows += minutes.add(frame(TWO, at, values, quality))
        for column in (0, 1):
            samples[column].append((at, values[column], quality[column]))
    end_ns = at - at % MINUTE_NS + MINUTE_NS
    windows += minutes.close_until(end_ns, 0)
    for column in (0, 1):
        check(windows, column, reference(samples[column], end_ns))


def test_a_value_read_at_the_turn_of_the_minute_holds_into_it() -> None:
    minutes = Minutes(TWO)
    for second in (57, 60):  # the longest pause a value may hold over, then silence
        minutes.add(frame(TWO, START_NS + second * 1_000_000_000, [4.0, 5.0]))
    (window,) = minutes.close_until(START_NS + 2 * MINUTE_NS, 0)
    assert window.start_ns == START_NS + MINUTE_NS
    assert window.count.tolist() == [1, 1]
    assert window.good.tolist() == [3 / 60, 3 / 60]


sparse_sample = st.tuples(
    st.integers(0, 40), st.integers(0, 1), st.floats(-1e6, 1e6), st.sampled_from([GOOD, GOOD, BAD])
)


@settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(st.integers(1, 40), st.lists(sparse_sample, max_size=6)), max_size=60))
def test_sparse_windows_hold_while_the_session_lives(
    frames: list[tuple[int, list[tuple[int, int, float, int]]]],
) -> None:
    minutes, slot, windows = Minutes(TWO), START_NS, list[Windows]()
    windows += minutes.add(sparse(TWO, slot, [(slot, 0, 1.0, GOOD), (slot, 1, 2.0, GOOD)]))
    samples: list[list[tuple[int, float, int]]] = [
        [(slot, 1.0, GOOD)],
        [(slot, 2.0, GOOD)],
    ]
    for ticks, chosen in frames:
        before, slot = slot, slot + ticks * TICK_NS
        got = sorted(
            (before + 1 + back * (slot - before - 1) // 40, i, value, code)
            for back, i, value, code in chosen
        )
        windows += minutes.add(sparse(TWO, slot, got))
        for at, i, value, code in got:
            samples[i].append((at, value, code))
    windows += minutes.close_until(slot - slot % MINUTE_NS, 0)
    for column in (0, 1):
        # While the session lives a value holds as if it were sampled again at each frame.
        full = [s for s in samples[column] if s[0] < slot - slot % MINUTE_NS]
        expected: dict[int, Sums] = {}
        for k, (at, value, code) in enumerate(full):
            until = full[k + 1][0] if k + 1 < len(full) else slot - slot % MINUTE_NS
            start = at - at % MINUTE_NS
            if code == GOOD:
                here = expected.setdefault(start, Sums())
                here.count += 1
                here.last = value
                here.held.append(value)
            while code == GOOD and start < until:
                took = min(until, start + MINUTE_NS) - max(at, start)
                here = expected.setdefault(start, Sums())
                here.total += Fraction(value) * took
                here.cover += took
                if took:
                    here.held.append(value)
                if math.isnan(here.last):
                    here.last = value
                start += MINUTE_NS
        check(windows, column, expected)


def test_a_minute_of_polls_is_whole_and_a_constant_is_itself() -> None:
    minutes = Minutes(TWO)
    closed: list[Windows] = []
    for second in range(61):
        closed += minutes.add(frame(TWO, START_NS + second * 10**9, [0.1, 350.3]))
    (window,) = closed
    assert window.good.tolist() == [1.0, 1.0]
    assert window.mean.tolist() == [0.1, 350.3] == window.low.tolist() == window.high.tolist()
    assert window.count.tolist() == [60, 60]
    assert window.reason.tolist() == [0, 0]


def test_a_value_does_not_hold_over_a_gap() -> None:
    minutes = Minutes(TWO)
    minutes.add(frame(TWO, START_NS, [4.0, 350.0]))
    minutes.add(frame(TWO, START_NS + 10 * 10**9, [6.0, 350.0]))
    (window,) = minutes.close_until(START_NS + MINUTE_NS, 0)
    assert window.good[0] == 6 / 60
    assert window.mean[0] == 5.0
    assert window.reason[0] == Quality.NO_DATA


def test_a_late_frame_is_counted_not_taken() -> None:
    minutes = Minutes(TWO)
    minutes.add(frame(TWO, START_NS, [4.0, 350.0]))
    minutes.close_until(START_NS + MINUTE_NS + 2 * 10**9, 2 * 10**9)
    assert not minutes.add(frame(TWO, START_NS + 59 * 10**9, [9.0, 350.0]))
    assert minutes.late == 2


def test_minutes_without_any_frame_are_not_invented() -> None:
    minutes = Minutes(TWO)
    minutes.add(frame(TWO, START_NS, [4.0, 350.0]))
    closed = minutes.add(frame(TWO, START_NS + 86400 * 10**9, [4.0, 350.0]))
    assert [window.start_ns for window in closed] == [START_NS]
    assert minutes.start_ns == START_NS + 86400 * 10**9


def test_state_goes_on_after_a_restart() -> None:
    values = [[4.0 + k % 7, 350.0 - k] for k in range(60)]
    codes = [[BAD if k % 11 == 3 else GOOD, GOOD] for k in range(60)]
    through, before = Minutes(TWO), Minutes(TWO)
    for k in range(30):
        through.add(frame(TWO, START_NS + k * 10**9, values[k], codes[k]))
        before.add(frame(TWO, START_NS + k * 10**9, values[k], codes[k]))
    after = Minutes(TWO)
    assert after.restore(json.loads(json.dumps(before.state()))) == 2
    for k in range(30, 60):
        through.add(frame(TWO, START_NS + k * 10**9, values[k], codes[k]))
        after.add(frame(TWO, START_NS + k * 10**9, values[k], codes[k]))
    (one,) = through.close_until(START_NS + MINUTE_NS, 0)
    (two,) = after.close_until(START_NS + MINUTE_NS, 0)
    for name in ("mean", "low", "high", "last", "count", "good", "reason"):
        assert np.array_equal(getattr(one, name), getattr(two, name)), name
    assert Minutes(group(point("pot.mode"))).restore(before.state()) == 0


def meters() -> Group:
    return group(
        point("meter.energy_import", "line1/ac1", type="uint32", counter_max_per_s=100.0),
        interval_s=10.0,
    )


def test_the_reading_at_the_end_belongs_to_the_minute() -> None:
    of = meters()
    counters, minutes = Counters(of), Minutes(of)
    closed: list[Windows] = []
    for k in range(13):
        counted = counters.add(frame(of, START_NS + k * 10 * 10**9, [1000.0 + 5 * k]))
        closed += minutes.add(counted.frame, counted)
    assert [w.increment[0] for w in closed] == [30.0, 30.0]
    assert [w.last[0] for w in closed] == [1030.0, 1060.0]
    assert [w.count[0] for w in closed] == [6, 6]


def test_the_same_for_a_subscription() -> None:
    of = meters()
    counters, minutes = Counters(of), Minutes(of)
    closed: list[Windows] = []
    for k in range(13):
        at = START_NS + k * 10 * 10**9
        counted = counters.add(sparse(of, at, [(at, 0, 1000.0 + 5 * k, GOOD)]))
        closed += minutes.add(counted.frame, counted)
    assert [w.increment[0] for w in closed] == [30.0, 30.0]
    assert [w.last[0] for w in closed] == [1030.0, 1060.0]
