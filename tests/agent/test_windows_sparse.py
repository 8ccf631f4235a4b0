"""A minute of a subscription closes when the server said that nothing older will follow."""

from dataclasses import replace

import numpy as np

from agent.minutes.windows import Minutes
from tests.agent.points import GOOD, MINUTE_NS, START_NS, group, point, sparse

S = 1_000_000_000
END_NS = START_NS + MINUTE_NS


def test_a_sample_from_before_the_minute_that_comes_after_it_is_not_late() -> None:
    of = group(point())
    minutes = Minutes(of)
    closed = []
    for second in range(60):
        slot_ns = START_NS + second * S
        frame = sparse(of, slot_ns, [(START_NS, 0, 4.0, GOOD)] if second == 0 else [])
        closed += minutes.add(replace(frame, complete_ns=slot_ns - S // 3))
    at_end = sparse(of, END_NS, [])
    closed += minutes.add(replace(at_end, complete_ns=END_NS - S // 3))
    assert not closed, "the server may still hold changes of this minute"
    late = sparse(of, END_NS + S, [(END_NS - 15 * S, 0, 8.0, GOOD)])
    closed += minutes.add(replace(late, complete_ns=END_NS + S - S // 3))
    (window,) = closed
    assert minutes.late == 0
    np.testing.assert_allclose(window.mean, [4.0 * 0.75 + 8.0 * 0.25])
    assert window.good.tolist() == [1.0]
    assert window.last.tolist() == [8.0]


def test_nothing_is_known_beyond_what_the_server_said() -> None:
    """The session fell silent 20 s before the end: frames go on, knowledge does not."""
    of = group(point(), interval_s=1.0)
    minutes = Minutes(of)
    closed = []
    for second in range(63):
        slot_ns = START_NS + second * S
        frame = sparse(of, slot_ns, [(START_NS, 0, 4.0, GOOD)] if second == 0 else [])
        known_ns = min(slot_ns, START_NS + 40 * S)
        closed += minutes.add(replace(frame, complete_ns=known_ns))
    closed += minutes.close_until(END_NS + 10 * S, 5 * S)
    assert len(closed) == 1
    assert 40 / 60 <= closed[0].good[0] <= 43.1 / 60
