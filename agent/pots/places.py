"""Which points of a group tell what about which pots."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from drivers.model import Equipment, Group, Indices

VOLTAGE = "pot.voltage"
CURRENT = "potline.current"
ABOUT = ("set_voltage", "mode", "link", "feed_state", "feed_shots")  # of measurement pot


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """``points[k]`` of a group speaks about ``pots[k]`` of a room."""

    points: Indices
    pots: Indices

    @classmethod
    def of(cls, group: Group, quantity: str, pots: Sequence[Equipment]) -> "Places | None":
        """None when the group tells this quantity of none of the pots."""
        place = {pot: n for n, pot in enumerate(pots)}
        pairs = [
            (i, place[point.equipment])
            for i, point in enumerate(group.points)
            if point.quantity.name == quantity and point.equipment in place
        ]
        if not pairs:
            return None
        points, found = zip(*pairs, strict=True)
        return cls(np.array(points, dtype=np.int64), np.array(found, dtype=np.int64))


def areas_of(group: Group) -> dict[str, list[Equipment]]:
    """Pots whose voltage the group reads, by area, in the order of its points."""
    found: dict[str, list[Equipment]] = {}
    for point in group.points:
        if point.quantity.name == VOLTAGE:
            found.setdefault(point.equipment.line, []).append(point.equipment)
    return found


def currents_of(group: Group) -> dict[int, str]:
    """Points that are the current of a whole line -> the area."""
    return {
        i: point.equipment.line
        for i, point in enumerate(group.points)
        if point.quantity.name == CURRENT
    }
