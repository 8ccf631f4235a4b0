"""What is good: range, stuck while others move, and what a device says about its own points."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from drivers.model import Codes, Floats, Frame, Group, Indices, Kind, Point, Quality

# A state point that speaks about the other points of its equipment: value -> their quality.
SPEAKS_FOR: dict[str, dict[int, Quality]] = {
    "stack.instrument_state": {
        1: Quality.CALIBRATION,
        2: Quality.MAINTENANCE,
        3: Quality.DEVICE_FAULT,
        4: Quality.STOPPED,
    },
    "pot.link": {1: Quality.DEVICE_FAULT},  # the PLC repeats the pot controller's last values
}


def is_text(point: Point) -> bool:
    """True for points that bring a text (a serial number) and no number."""
    return point.type.startswith("ascii")


class Judge:
    """Looks at each frame of one group; hands back the same frame when nothing is wrong."""

    def __init__(self, group: Group) -> None:
        points = group.points
        self.group = group
        text = np.array([is_text(p) for p in points], dtype=bool)
        self._text = text if text.any() else None
        self._low = np.array([max(p.low, p.quantity.low) for p in points])
        self._high = np.array([min(p.high, p.quantity.high) for p in points])
        self._speakers = _speakers(points)
        self._stuck = Stuck(group) if any(p.stuck_after_s > 0 for p in points) else None

    def judge(self, frame: Frame) -> Frame:
        """The frame with the qualities that follow from its values."""
        values = frame.values
        if frame.index is None:
            inside = (values >= self._low) & (values <= self._high)
        else:
            inside = (values >= self._low[frame.index]) & (values <= self._high[frame.index])
        quality = frame.quality
        if not inside.all() and (outside := ~inside & (quality == Quality.GOOD)).any():
            quality = self._outside(frame, outside)
        if self._speakers and frame.index is None:
            quality = self._spoken(frame, quality)
        if self._stuck is not None and frame.index is None:
            quality = self._stuck.judge(frame.slot_ns, values, quality)
        if quality is frame.quality:
            return frame
        gone = (quality == Quality.NOT_AVAILABLE) & ~np.isnan(values)
        return replace(
            frame, quality=quality, values=np.where(gone, np.nan, values) if gone.any() else values
        )

    def _outside(self, frame: Frame, outside: npt.NDArray[np.bool_]) -> Codes:
        if self._text is not None:
            text = self._text if frame.index is None else self._text[frame.index]
            outside &= ~text
        finite = np.isfinite(frame.values)
        quality = frame.quality.copy()
        quality[outside & finite] = Quality.OUT_OF_RANGE
        quality[outside & ~finite] = Quality.NOT_AVAILABLE
        return quality

    def _spoken(self, frame: Frame, quality: Codes) -> Codes:
        for speaker, others, meaning in self._speakers:
            value = frame.values[speaker]
            if not value or quality[speaker] != Quality.GOOD:
                continue
            said = meaning.get(int(value))
            if said is not None:
                quality = quality.copy() if quality is frame.quality else quality
                quality[others[quality[others] == Quality.GOOD]] = said
        return quality


def _speakers(
    points: tuple[Point, ...],
) -> tuple[tuple[int, Indices, dict[int, Quality]], ...]:
    found = []
    for i, point in enumerate(points):
        meaning = SPEAKS_FOR.get(point.quantity.name)
        if meaning is None:
            continue
        others = [
            k
            for k, other in enumerate(points)
            if other.equipment == point.equipment
            and other.quantity.measurement == point.quantity.measurement
            and other.quantity.name not in SPEAKS_FOR
            and other.quantity.kind is not Kind.COUNTER
        ]
        found.append((i, np.array(others, dtype=np.int64), meaning))
    return tuple(found)


class Stuck:
    """
    Calls a value stuck when it stands still for ``stuck_after_s`` while another gauge moved.

    Only for points that set ``stuck_after_s``, and only in polls: a subscription is silent when a
    value stands still. Time without an answer does not count.
    """

    def __init__(self, group: Group) -> None:
        points = group.points
        after = np.array([p.stuck_after_s for p in points])
        self._watched = np.flatnonzero(after > 0)
        self._after_ns = (after[self._watched] * 1e9).astype(np.int64)
        self._gauges = np.array([p.quantity.kind is Kind.GAUGE for p in points], dtype=bool)
        self._values = np.full(len(points), np.nan)
        self._changed_ns = np.zeros(len(points), dtype=np.int64)
        self._moved_ns = 0  # when a gauge last changed from one value to another

    def judge(self, slot_ns: int, values: Floats, quality: Codes) -> Codes:
        """The qualities with STUCK where it holds."""
        changed = (
            values != self._values
        )  # NaN always counts: time without an answer is no stand-still
        self._changed_ns[changed] = slot_ns
        if (changed & self._gauges & np.isfinite(values) & np.isfinite(self._values)).any():
            self._moved_ns = slot_ns
        self._values = values
        since = self._changed_ns[self._watched]
        still = slot_ns - since >= self._after_ns
        if not still.any():
            return quality
        stuck = self._watched[still & (slot_ns - self._moved_ns < self._after_ns)]
        stuck = stuck[quality[stuck] == Quality.GOOD]
        if len(stuck):
            quality = quality.copy()
            quality[stuck] = Quality.STUCK
        return quality
