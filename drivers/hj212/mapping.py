"""Values of a packet -> samples and summaries of the points of a group, with their quality."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from drivers.hj212.places import Place, parse_place
from drivers.hj212.values import Value
from drivers.model import Group, Point, Quality, Summary

FLAGS = {
    "N": Quality.GOOD,
    "F": Quality.STOPPED,
    "M": Quality.MAINTENANCE,
    "S": Quality.SET_BY_HAND,
    "D": Quality.DEVICE_FAULT,
    "C": Quality.CALIBRATION,
    "T": Quality.OUT_OF_RANGE,
    "B": Quality.NO_DATA,
}
Values = dict[tuple[str, str], Value]  # by today's code and suffix


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of one point: ``at`` is its position in the group."""

    at: int
    value: float
    quality: Quality


def by_name(values: Iterable[Value]) -> Values:
    """The first of each name counts."""
    found: Values = {}
    for each in values:
        found.setdefault((each.code, each.suffix), each)
    return found


class Mapping:
    """Which field of which packet belongs to which point of a group."""

    def __init__(self, points: Sequence[Point], *, flagless: Quality) -> None:
        self._flagless = flagless
        self._wanted: dict[str, list[tuple[int, Point, Place]]] = {}
        for at, point in enumerate(points):
            place = parse_place(point.address)
            for command in sorted(place.commands):
                self._wanted.setdefault(command, []).append((at, point, place))

    @classmethod
    def of(cls, group: Group, *, flagless: Quality) -> "Mapping":
        return cls(group.points, flagless=flagless)

    def commands(self) -> frozenset[str]:
        return frozenset(self._wanted)

    def samples(self, command: str, values: Values) -> list[Sample]:
        """What a packet says of the group's points; a factor it does not hold has no sample."""
        found = []
        for at, point, place in self._wanted.get(command, ()):
            said = values.get((place.code, place.suffix))
            if said is not None:
                found.append(Sample(at, *self._judged(point, said)))
        return found

    def summary(
        self, command: str, values: Values, *, start_ns: int, period_s: int, late: bool
    ) -> Summary | None:
        """All points of that command; one the packet does not hold has no data. None: no point."""
        wanted = self._wanted.get(command)
        if not wanted:
            return None
        rows, words = [], {}
        for at, point, place in wanted:
            said = values.get((place.code, place.suffix))
            if said is None:
                rows.append((at, np.nan, np.nan, np.nan, Quality.NO_DATA))
                continue
            value, quality = self._judged(point, said)
            low = self._beside(point, place.lowest, place.code, values)
            high = self._beside(point, place.highest, place.code, values)
            if np.isnan(value):
                low = high = np.nan
            rows.append((at, value, low, high, quality))
            if point.original:
                words[at] = said.text.encode()[:64]
        index, mean, lowest, highest, quality_codes = zip(*rows, strict=True)
        return Summary(
            start_ns=start_ns,
            period_s=period_s,
            index=np.array(index, dtype=np.int64),
            values=np.array(mean),
            low=np.array(lowest),
            high=np.array(highest),
            quality=np.array(quality_codes, dtype=np.uint8),
            words=words,
            late=late,
        )

    def _beside(self, point: Point, suffix: str, code: str, values: Values) -> float:
        said = values.get((code, suffix)) if suffix else None
        return np.nan if said is None or said.number is None else scaled(point, said.number)

    def _judged(self, point: Point, said: Value) -> tuple[float, Quality]:
        """A value that is not good keeps its number, unless there is none behind it."""
        if said.number is None:
            none = Quality.NOT_AVAILABLE if said.not_calculable else Quality.UNDECODABLE
            return np.nan, none
        if said.number in point.not_available:
            return np.nan, Quality.NOT_AVAILABLE
        quality = FLAGS.get(said.flag.upper(), Quality.UNCERTAIN) if said.flag else self._flagless
        if not quality.has_value:
            return np.nan, quality
        return scaled(point, said.number), quality


def scaled(point: Point, number: float) -> float:
    """In the unit of the quantity; 0.001 divides by 1000, as in all drivers."""
    inverse = 1 / point.scale
    whole = round(inverse)
    if abs(point.scale) < 1 and abs(inverse - whole) < 1e-9 * abs(inverse):
        return number / whole + point.offset
    return number * point.scale + point.offset
