"""Recorded history -> window and event lines, one block per interval, with the agent's counters."""

import fnmatch
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from pydantic import Field

from agent.history.file import History, Series
from agent.minutes.counters import Counted, Counters, CounterStep, Step
from agent.wire.encode import WIRE_QUALITY, event_line, tags_of
from agent.wire.events import Event, EventBook, Happening
from drivers.config import Strict
from drivers.model import Codes, Floats, Frame, Group, Indices, Kind, Point, Quality

_STAMP = "\0"
_GOOD, _COUNTED, _FIRST, _BRIDGED, _BAD = range(5)  # _BAD + quality
_RAW = 128  # added to each of them where the row has its registers
_MOST_TEMPLATES = 256
_HAPPENING = {
    Step.ON: Happening.GAP,
    Step.ROLLOVER: Happening.ROLLOVER,
    Step.RESET: Happening.RESET,
    Step.REPLACEMENT: Happening.REPLACEMENT,
}


class CounterConfig(Strict):
    """``[[counter]]`` of ``import.toml``: where registers roll over, how fast they can run."""

    equipment: str = "*"  # a name or a pattern such as line1/ac*
    quantity: str = "*"
    modulus: float = Field(default=0.0, ge=0)
    max_per_s: float = Field(default=float("inf"), gt=0)

    def fits(self, series: Series) -> bool:
        return fnmatch.fnmatchcase(str(series.equipment), self.equipment) and fnmatch.fnmatchcase(
            series.quantity.name, self.quantity
        )


@dataclass(frozen=True, slots=True)
class Block:
    """All lines of one interval."""

    start_ns: int
    text: bytes
    rows: int
    events: int


@dataclass(frozen=True, slots=True, eq=False)
class _Template:
    """The text of one interval's lines with gaps for numbers, and which numbers go there."""

    text: str
    take: Indices  # positions among (increment, value) pairs
    raws: tuple[tuple[int, int], ...]  # which gap takes the registers of which row instead


class WindowWriter:
    """Turns a History into blocks, in time order; deterministic, so that it can be resumed."""

    def __init__(
        self,
        history: History,
        plant: str,
        gateway: str,
        period_s: int,
        counters: Sequence[CounterConfig] = (),
    ) -> None:
        self._history = history
        self._plant, self._gateway, self._period_s = plant, gateway, period_s
        self._ending = {60: "_1m", 3600: "_1h"}.get(period_s, f"_{period_s}s")
        self._templates: dict[bytes, _Template] = {}
        self._book = EventBook()
        points = [_point(each, period_s, counters) for each in history.names]
        is_counter = [point.quantity.kind is Kind.COUNTER for point in points]
        self._counter_at = np.cumsum(is_counter) - 1  # series -> place in the group of counters
        self._is_counter = np.array(is_counter)
        mine = tuple(p for p, counts in zip(points, is_counter, strict=True) if counts)
        self._group = Group("import", float(period_s), mine)
        self._counters = Counters(self._group)

    def blocks(self) -> Iterator[Block]:
        history = self._history
        starts = np.flatnonzero(np.diff(history.time_ns, prepend=history.time_ns[0] - 1))
        for first, last in zip(starts, [*starts[1:], len(history)], strict=True):
            yield self._block(int(history.time_ns[first]), slice(first, last))

    def _block(self, start_ns: int, rows: slice) -> Block:
        series, value = self._history.series[rows], self._history.value[rows]
        state = np.where(self._history.reason[rows], self._history.reason[rows] + _BAD, _GOOD)
        state = state.astype(np.uint8)
        numbers = np.empty((len(series), 2))
        numbers[:, 1] = value
        counted = np.flatnonzero(self._is_counter[series])
        events = []
        if len(counted):
            events = self._count(start_ns, series[counted], counted, state, numbers)
        raw = self._history.raw[rows]
        state[raw >= 0] |= _RAW
        template = self._template(series, state)
        gaps = numbers.ravel()[template.take].tolist()
        for gap, row in template.raws:
            gaps[gap] = self._history.registers[raw[row]]
        body = template.text % tuple(gaps)
        text = body.replace(_STAMP, str(start_ns)).encode()
        lines = [event_line(self._plant, self._gateway, event) for event in events]
        return Block(start_ns, b"\n".join([text, *lines]), len(series), len(lines))

    def _count(
        self, start_ns: int, series: Indices, rows: Indices, state: Codes, numbers: Floats
    ) -> list[Event]:
        """Judge the registers at the interval's end; fills in state and increments."""
        end_ns = start_ns + self._period_s * 1_000_000_000
        size = len(self._group.points)
        at = self._counter_at[series]
        values, quality = np.full(size, np.nan), np.full(size, Quality.NO_DATA, np.uint8)
        good = state[rows] == _GOOD
        values[at[good]] = numbers[rows[good], 1]
        quality[at[good]] = Quality.GOOD
        frame = Frame(self._group, end_ns, end_ns, values, quality)
        counted = self._counters.add(frame)
        numbers[rows, 0] = counted.increments[at]
        state[rows[good]] = _counter_state(counted, at[good])
        return [self._event(step) for step in counted.steps]

    def _event(self, step: CounterStep) -> Event:
        quantity = step.point.quantity
        change = f"{step.before:.12g} -> {step.now:.12g} {quantity.unit}"
        what = {
            Step.ON: "no readings in between, the increment is counted at the end",
            Step.ROLLOVER: "the register rolled over",
            Step.RESET: "the register began again, what it lost is not counted",
            Step.REPLACEMENT: "another register, what lies between is not counted",
        }[step.step]
        unsure = "; it may have gone round unseen" if step.ambiguous else ""
        return self._book.once(
            _HAPPENING[step.step],
            step.before_ns,
            f"{quantity.name}: {what}: {change}{unsure}",
            equipment=step.point.equipment,
            end_ns=step.now_ns,
            amount=step.increment,
        )

    def _template(self, series: Indices, state: Codes) -> _Template:
        key = series.tobytes() + state.tobytes()
        found = self._templates.get(key)
        if found is None:
            if len(self._templates) >= _MOST_TEMPLATES:
                self._templates.clear()
            found = self._templates[key] = self._make(series.tolist(), state.tolist())
        return found

    def _make(self, series: list[int], state: list[int]) -> _Template:
        names = self._history.names
        take: list[int] = []
        raws: list[tuple[int, int]] = []
        lines = []
        rows = enumerate(zip(series, state, strict=True))
        for (measurement, equipment), members in groupby(
            rows,
            key=lambda row: (names[row[1][0]].quantity.measurement, names[row[1][0]].equipment),
        ):
            fields = []
            for row, (code, how) in members:
                name = names[code].quantity.field
                text, numbers = _fields(name, how & ~_RAW)
                if how & ~_RAW == _GOOD and self._is_counter[code]:
                    raise AssertionError(f"{name} was not counted")
                fields.append(text)
                take += [2 * row + column for column in numbers]
                if how & _RAW:
                    fields.append(f'{name}_raw="%s"')
                    raws.append((len(take), row))
                    take.append(2 * row)
            head = f"{measurement}{self._ending},{tags_of(self._plant, equipment)}"
            lines.append(f"{head} {','.join(fields)} {_STAMP}")
        return _Template("\n".join(lines), np.array(take, dtype=np.int64), tuple(raws))


def _counter_state(counted: Counted, at: Indices) -> Codes:
    """States of good register readings, after they were judged."""
    quality = counted.frame.quality[at]
    bridged = np.isin(at, counted.bridged)
    first = np.isnan(counted.increments[at])
    state = np.where(first, _FIRST, np.where(bridged, _BRIDGED, _COUNTED))
    judged: Codes = np.where(quality, quality + _BAD, state).astype(np.uint8)
    return judged


def _fields(name: str, state: int) -> tuple[str, tuple[int, ...]]:
    """Fields of one row and which of (increment, value) they take."""
    if state == _GOOD:
        return f"{name}=%r,{name}_n=1i", (1,)
    if state == _COUNTED:
        return f"{name}_inc=%r,{name}_last=%r,{name}_n=1i", (0, 1)
    if state == _FIRST:
        return f"{name}_last=%r,{name}_n=1i", (1,)
    if state == _BRIDGED:
        return f'{name}_inc=%r,{name}_last=%r,{name}_n=1i,{name}_q="no_data"', (0, 1)
    return f'{name}_n=0i,{name}_good=0,{name}_q="{WIRE_QUALITY[state - _BAD]}"', ()


def _point(series: Series, period_s: int, counters: Sequence[CounterConfig]) -> Point:
    known = next((each for each in counters if each.fits(series)), CounterConfig())
    return Point(
        equipment=series.equipment,
        quantity=series.quantity,
        device="import",
        address="",
        type="float64",
        interval_s=float(period_s),
        counter_modulus=known.modulus,
        counter_max_per_s=known.max_per_s,
    )
