"""Where the sample of OVERLOAD goes when a server lost changes."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from drivers.opcua.losses import Loss, marks

POINTS = 3
samples = st.lists(st.tuples(st.integers(0, POINTS - 1), st.integers(1, 50)), max_size=30)


@given(samples, st.lists(st.tuples(st.integers(0, 30), st.integers(0, 900)), max_size=4))
def test_a_mark_lies_between_what_was_known_and_what_came_next(
    steps: list[tuple[int, int]], where: list[tuple[int, int]]
) -> None:
    last_ns = np.array([100, 0, 300])
    now, index, times = last_ns.copy(), [], []
    for point, step in steps:
        now[point] += step
        index.append(point)
        times.append(int(now[point]))
    losses = [Loss(min(at, len(steps)), (0, 2), known_ns) for at, known_ns in where]
    points, at_ns = marks(losses, np.array(index, np.int64), np.array(times, np.int64), last_ns)
    taken = list(zip(index, times, strict=True))
    found = list(zip(points.tolist(), at_ns.tolist(), strict=True))
    assert len(set(found + taken)) == len(found) + len(taken), "no time of a point comes twice"
    assert set(points.tolist()) <= {0, 2}
    for point, at in found:
        assert at > last_ns[point]
    for loss in losses:
        for point in loss.points:
            before = [t for i, t in taken[: loss.before] if i == point] or [int(last_ns[point])]
            behind = [t for i, t in taken[loss.before :] if i == point] or [10_000]
            mine = [t for i, t in found if i == point and before[-1] < t < behind[0]]
            assert mine or behind[0] == before[-1] + 1, "told, unless there is no time for it"


def test_a_loss_before_anything_was_known_has_a_time_only_from_the_next_sample() -> None:
    nothing, none = np.zeros(0, np.int64), np.zeros(1, np.int64)
    assert not len(marks([Loss(0, (0,), 0)], nothing, nothing, none)[0])
    _, at_ns = marks([Loss(0, (0,), 0)], np.array([0]), np.array([5000]), none)
    assert not len(at_ns)
    _, at_ns = marks([Loss(0, (0,), 4000)], np.array([0]), np.array([5000]), none)
    assert at_ns.tolist() == [4001]
