"""
Changes a server threw away or that got lost on the way: a sample of OVERLOAD where they belong.

What a value was in between is not known, so from the moment everything was known until the next
sample the point has none. Pure.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from drivers.model import Indices


@dataclass(frozen=True, slots=True)
class Loss:
    """At least one change of each of these points never came."""

    before: int  # it lies in front of this sample of the frame
    points: tuple[int, ...]
    known_ns: int  # nothing was lost before this time


def marks(
    losses: Iterable[Loss], index: Indices, times_ns: Indices, last_ns: Indices
) -> tuple[Indices, Indices]:
    """
    Point and time of each OVERLOAD sample: after what was known, before what came next.

    ``index`` and ``times_ns`` are the samples of the frame in order of arrival, ``last_ns`` the
    latest time of each point before them.
    """
    found: dict[tuple[int, int], None] = {}
    for loss in losses:
        for point in loss.points:
            mine = index == point
            earlier = times_ns[: loss.before][mine[: loss.before]]
            later = times_ns[loss.before :][mine[loss.before :]]
            known_ns = int(earlier[-1] if len(earlier) else last_ns[point])
            at_ns = max(known_ns, loss.known_ns) + 1
            if len(later):
                at_ns = min(at_ns, int(later[0]) - 1)
            if known_ns < at_ns and at_ns > 1:  # 1: nothing is known at all yet
                found[point, at_ns] = None
    table = np.array(list(found), dtype=np.int64).reshape(-1, 2)
    return table[:, 0], table[:, 1]
