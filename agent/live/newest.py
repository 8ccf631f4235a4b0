"""The newest value of each point and window of one plant, each with when it was learned."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from agent.live.happenings import Happenings
from agent.live.polls import Polls, Seen, silent
from agent.live.ring import AHEAD_NS, Kept
from agent.views import StoredBatch
from agent.wire.columns import NONE, Columns
from agent.wire.parse import Parser

MOST_VALUES = 200_000  # points and windows of a plant; what is beyond is counted only
MOST_NAMES = 150_000  # of a parser, then a new one is taken
REACH_S = 7200  # what ended longer ago is not of now
MINUTE_S = 60
SILENT = "silent"  # reason: nothing was heard of the device for three intervals
NOT_FINITE = "not_finite"
BIGGEST = 1e300  # beyond, a number is taken for none

Key = tuple[str, str]  # equipment, quantity


@dataclass(slots=True)
class Row:
    """``at_ms``: when it was so, or where the window began; ``good``: share of the window."""

    at_ms: int
    value: float | None
    reason: str
    mark: int
    good: float = 1.0
    period_s: int = 0
    count: int = 0  # good samples of the window
    low: float | None = None
    high: float | None = None
    silent: bool = False

    def point(self, hold_s: float) -> list[object]:
        reason = SILENT if self.silent else self.reason
        return [self.at_ms, self.value, reason, round(hold_s)]

    def window(self) -> list[object]:
        extent = [self.count, self.low, self.high]
        return [self.at_ms, self.value, round(self.good, 4), self.reason, self.period_s, *extent]


class Newest:
    """Fed with batches in the order they came; answers what changed since a mark."""

    def __init__(self, plant: str) -> None:
        self.plant = plant
        self.polls = Polls()
        self.events = Happenings()
        self.left_out = 0
        self._parser = Parser()
        self._points: dict[Key, Row] = {}
        self._windows: dict[Key, Row] = {}
        self._heads: dict[str, list[Key]] = {}  # measurement and tags of a line → its points
        self._quiet: set[str] = set()  # heads of which nothing is heard now

    # taking

    def take(self, live: list[Kept], late: list[Kept], mark: int, now_ns: int) -> None:
        """Reads those batches; takes about 10 ms for 100 kB."""
        if max(len(self._parser.equipment.texts), len(self._parser.quantity.texts)) > MOST_NAMES:
            self._parser = Parser()
        self._events(self._parse(late), mark)
        found = self._parse(live)
        self._events(found, mark)
        for source, batch in live:
            if source.stream == "raw":
                self.polls.take(source.gateway, batch.payload, now_ns + AHEAD_NS)
        self._samples(found, mark, now_ns)
        self._take_windows(found, mark, now_ns)

    def _parse(self, kept: list[Kept]) -> Columns:
        return self._parser.parse([StoredBatch(source, batch) for source, batch in kept])

    def _events(self, found: Columns, mark: int) -> None:
        for row in found.events:
            origin = found.origins[row.batch]
            self.events.take(row, origin.source, origin.seq, mark)

    def _samples(self, found: Columns, mark: int, now_ns: int) -> None:
        rows = found.samples
        reasons = self._parser.reason.texts
        for at in _last(rows.ts_ns, rows.equipment, rows.quantity, now_ns, 0):
            key = self._key(rows.equipment[at], rows.quantity[at])
            reason = "" if rows.reason[at] == NONE else reasons[rows.reason[at]][:80]
            row = _row(int(rows.ts_ns[at]), float(rows.value[at]), reason, mark)
            if self._put(self._points, key, row):
                head = self._head(key)
                known = self._heads.setdefault(head, [])
                if key not in known:
                    known.append(key)

    def _take_windows(self, found: Columns, mark: int, now_ns: int) -> None:
        rows = found.windows
        reasons = self._parser.reason.texts
        periods = np.unique(rows.period_s) if len(rows) else ()
        for period in periods:
            mine = np.flatnonzero(rows.period_s == period)
            columns = rows.ts_ns[mine], rows.equipment[mine], rows.quantity[mine]
            for place in _last(*columns, now_ns, int(period)):
                at = mine[place]
                equipment, quantity = self._key(rows.equipment[at], rows.quantity[at])
                if period != MINUTE_S:
                    quantity = f"{quantity}@{period}"
                value = rows.mean[at] if math.isfinite(rows.mean[at]) else rows.inc[at]
                reason = "" if rows.reason[at] == NONE else reasons[rows.reason[at]][:80]
                row = _row(int(rows.ts_ns[at]), float(value), reason, mark)
                good = float(rows.good[at])
                row.good = good if 0 <= good <= 1 else 0.0
                row.period_s, row.count = int(period), int(rows.n[at])
                row.low, row.high = _finite(rows.low[at]), _finite(rows.high[at])
                self._put(self._windows, (equipment, quantity), row)

    def _key(self, equipment: Any, quantity: Any) -> Key:
        return self._parser.equipment.texts[equipment], self._parser.quantity.texts[quantity]

    def _head(self, key: Key) -> str:
        line, _, unit = key[0].partition("/")
        return f"{key[1].partition('.')[0]},plant={self.plant},line={line},unit={unit}"

    def _put(self, rows: dict[Key, Row], key: Key, row: Row) -> bool:
        known = rows.get(key)
        if known is None:
            if len(self._points) + len(self._windows) >= MOST_VALUES:
                self.left_out += 1
                return False
        elif known.at_ms > row.at_ms:
            return False
        elif known.silent is row.silent and known.at_ms == row.at_ms:
            same = (known.value, known.reason, known.good, known.count)
            if same == (row.value, row.reason, row.good, row.count):
                return False
        rows[key] = row
        return True

    # what is not heard

    def settle(self, mark: int, now_ns: int) -> None:
        """Points whose device fails or is not heard say so; what is old goes."""
        quiet: set[str] = set()
        for poll, heads in self.polls.heads_of.items():
            seen = self.polls.seen[poll]
            if silent(poll, seen, now_ns):
                quiet |= heads
            elif not seen.up:
                self._failed(heads, seen, mark)
        for head in quiet ^ self._quiet:
            for key in self._heads.get(head, ()):
                if (row := self._points.get(key)) is not None:
                    row.silent, row.mark = head in quiet, mark
        self._quiet = quiet
        for rows in (self._points, self._windows):
            for key, row in list(rows.items()):
                if row.at_ms + row.period_s * 1000 < now_ns // 1_000_000 - REACH_S * 1000:
                    del rows[key]

    def _failed(self, heads: set[str], seen: Seen, mark: int) -> None:
        """A frame that failed as a whole has no lines of its points: its reason is theirs."""
        at_ms = seen.slot_ns // 1_000_000
        reason = seen.reason or "failed"
        for head in heads:
            if len(self.polls.polls_of[head]) > 1:
                continue  # another cadence of the device brings some of them
            for key in self._heads.get(head, ()):
                row = self._points.get(key)
                if row is None or at_ms <= row.at_ms:
                    continue
                if row.value is not None or row.reason != reason:
                    self._points[key] = Row(at_ms, None, reason, mark)

    # answering

    def points(self, mark: int) -> dict[str, dict[str, list[object]]]:
        """By equipment and quantity, what was learned after ``mark``."""
        found: dict[str, dict[str, list[object]]] = {}
        for (equipment, quantity), row in _since(self._points, mark):
            hold_s = self.polls.hold_s(self._head((equipment, quantity)))
            found.setdefault(equipment, {})[quantity] = row.point(hold_s)
        return found

    def windows(self, mark: int) -> dict[str, dict[str, list[object]]]:
        """The same of windows; those not of a minute are ``quantity@seconds``."""
        found: dict[str, dict[str, list[object]]] = {}
        for (equipment, quantity), row in _since(self._windows, mark):
            found.setdefault(equipment, {})[quantity] = row.window()
        return found


def _since(rows: dict[Key, Row], mark: int) -> Iterator[tuple[Key, Row]]:
    return ((key, row) for key, row in rows.items() if row.mark > mark)


def _row(ts_ns: int, value: float, reason: str, mark: int) -> Row:
    if math.isnan(value):
        return Row(ts_ns // 1_000_000, None, reason or "no_value", mark)
    if abs(value) > BIGGEST:
        return Row(ts_ns // 1_000_000, None, reason or NOT_FINITE, mark)
    return Row(ts_ns // 1_000_000, value, reason, mark)


def _finite(value: Any) -> float | None:
    return float(value) if abs(value) <= BIGGEST else None


def _last(ts_ns: Any, equipment: Any, quantity: Any, now_ns: int, period_s: int) -> list[int]:
    """Positions of the newest row of each (equipment, quantity) that is of our time."""
    period_ns = period_s * 1_000_000_000
    oldest, latest = now_ns - REACH_S * 1_000_000_000 - period_ns, now_ns + AHEAD_NS
    ours = np.flatnonzero((ts_ns >= oldest) & (ts_ns <= latest))
    if not len(ours):
        return []
    order = ours[np.lexsort((ts_ns[ours], quantity[ours], equipment[ours]))]
    differs = (np.diff(equipment[order]) != 0) | (np.diff(quantity[order]) != 0)
    return [int(at) for at in order[np.append(differs, True)]]
