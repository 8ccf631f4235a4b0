"""
Line protocol of our batches -> columns, fast where lines are regular and strict where they are not.

Lines with the same measurement and field names are gathered as a group and turned into columns at
once. Whatever does not fit (quotes with commas, escapes, foreign lines) is read again, one by one,
by the strict grammar; what that refuses is kept as a Reject. Nothing raises and nothing is dropped.
"""

import math
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, Final

import numpy as np

from agent.views import StoredBatch
from agent.wire.columns import (
    NONE,
    Columns,
    EventRow,
    Names,
    Origin,
    Reject,
    RetimedRow,
    Samples,
    Windows,
)
from agent.wire.fieldvalues import count_column, number, number_column, text_column, typed
from agent.wire.layouts import TEXT, Head, Layout, Part, head_of, layout_of
from agent.wire.lines import Line, LineError, Value, read_line

_DIGITS: Final = "0123456789,"
_SAMPLE_TYPES: Final = (np.int64, np.int32, np.int32, np.float64, np.int32, np.int32)
_WINDOW_TYPES: Final = (
    *(np.int64, np.int32, np.int32, np.int32),
    *(np.float64,) * 5,
    *(np.int32, np.float64, np.int32, np.object_, np.int32),
)
_NAN: Final = math.nan
_NO_HEADS: Final = {"event", "audit", "batch", "frame"}  # read strictly


def _text(line: Line, key: str) -> str:
    value = line.fields[key]
    if not isinstance(value, str):
        raise LineError(f"{key} is not text")
    return value


def _whole(line: Line, key: str) -> int:
    value = line.fields[key]
    if not isinstance(value, int) or isinstance(value, bool):
        raise LineError(f"{key} is no whole number")
    return value


class _Group:
    """Lines of one measurement and one set of field names, waiting to become columns."""

    __slots__ = ("batch", "head", "layout", "lines", "rows", "stamps")

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.rows: list[list[str]] = []
        self.stamps: list[str] = []
        self.head: list[Head] = []
        self.batch: list[int] = []
        self.lines: list[str] = []


class _Found:
    """What one call of ``parse`` has collected so far."""

    def __init__(self, origins: tuple[Origin, ...]) -> None:
        self.origins = origins
        self.groups: dict[tuple[str, int, tuple[str, ...]], _Group] = {}
        self.samples: list[Sequence[Any]] = []  # chunks: a column each, in the order of Samples
        self.windows: list[Sequence[Any]] = []
        self.loose_samples: list[tuple[Any, ...]] = []  # rows, from the strict path
        self.loose_windows: list[tuple[Any, ...]] = []
        self.events: list[EventRow] = []
        self.rejects: list[Reject] = []
        self.retimed: list[RetimedRow] = []
        self.frames = 0

    def columns(self) -> Columns:
        return Columns(
            self.origins,
            Samples(*_stack(self.samples, self.loose_samples, _SAMPLE_TYPES)),
            Windows(*_stack(self.windows, self.loose_windows, _WINDOW_TYPES)),
            self.events,
            self.rejects,
            self.retimed,
            self.frames,
        )


def _stack(
    chunks: list[Sequence[Any]], rows: list[tuple[Any, ...]], types: Sequence[type]
) -> list[Any]:
    if rows:
        chunks = [*chunks, list(zip(*rows, strict=True))]
    if not chunks:
        return [np.empty(0, kind) for kind in types]
    columns = zip(*chunks, strict=True)
    return [
        np.concatenate([np.asarray(part, kind) for part in column])
        for column, kind in zip(columns, types, strict=True)
    ]


class Parser:
    """Reads batches; keeps the codes of names and the layouts it has seen (both bounded)."""

    def __init__(self, max_names: int = 200_000, max_layouts: int = 20_000) -> None:
        self.equipment = Names(max_names)
        self.quantity = Names(max_names)
        self.reason = Names(max_names)
        self._max_layouts = max_layouts
        self._heads: dict[str, Head] = {}
        self._layouts: dict[tuple[str, int, tuple[str, ...]], Layout] = {}

    def parse(self, batches: Sequence[StoredBatch]) -> Columns:
        """All lines of the batches as columns. Takes ~20 times the payload: feed it 1-8 MB."""
        origins = tuple(Origin(each.source, each.seq, each.batch.closed_ns) for each in batches)
        found = _Found(origins)
        for at, each in enumerate(batches):
            self._batch(found, at, each.source.plant, each.payload)
        for group in found.groups.values():
            self._close(found, group)
        return found.columns()

    def _batch(self, found: _Found, number: int, plant: str, payload: bytes) -> None:
        try:
            lines = payload.decode().split("\n")
        except UnicodeDecodeError:
            lines = payload.decode(errors="backslashreplace").split("\n")
        if lines[-1] == "":
            lines.pop()
        for line in lines[1:]:  # the first is the batch's own
            if not self._regular(found, number, plant, line):
                self._strict(found, number, line)

    def _regular(self, found: _Found, number: int, plant: str, line: str) -> bool:
        """Put a line without surprises into its group; False when it needs the strict path."""
        try:
            text, fields, stamp = line.split(" ")
            head = self._heads.get(text) or self._head(text)
        except (ValueError, OverflowError):
            return False
        parts = fields.replace("=", ",").split(",")
        if len(parts) & 1 or head.plant != plant or "\\" in line:
            return False
        key = (head.measurement, head.period_s, tuple(parts[::2]))
        group = found.groups.get(key)
        if group is None:
            layout = self._layout(head, key)
            if layout is None:
                return False
            group = found.groups[key] = _Group(layout)
        group.rows.append(parts[1::2])
        group.stamps.append(stamp)
        group.head.append(head)
        group.batch.append(number)
        group.lines.append(line)
        return True

    def _head(self, text: str) -> Head:
        measurement, *tags = text.split(",")
        pairs = [tag.partition("=")[::2] for tag in tags]
        if [name for name, _ in pairs] != ["plant", "line", "unit"] or "\\" in text:
            raise LineError("not one of our heads")
        if any(not value or "=" in value for _, value in pairs) or not measurement:
            raise LineError("not one of our heads")
        if measurement in _NO_HEADS or len(self._heads) >= self.equipment.limit:
            raise LineError("read strictly")
        head = self._heads[text] = head_of(measurement, dict(pairs), self.equipment)
        return head

    def _layout(self, head: Head, key: tuple[str, int, tuple[str, ...]]) -> Layout | None:
        found = self._layouts.get(key)
        if found is None and len(self._layouts) < self._max_layouts:
            if not all(name.isidentifier() and name.isascii() for name in key[2]):
                return None
            try:
                found = self._layouts[key] = layout_of(head, key[2], self.quantity)
            except (LineError, OverflowError):
                return None
        return found

    def _close(self, found: _Found, group: _Group) -> None:
        """A group becomes columns, or its lines go the strict way when one of them is odd."""
        kind = group.head[0].period_s
        try:
            chunks = self._window_chunks(group) if kind else self._sample_chunks(group)
        except (ValueError, OverflowError):
            for number, line in zip(group.batch, group.lines, strict=True):
                self._strict(found, number, line)
            return
        (found.windows if kind else found.samples).extend(chunks)

    def _sample_chunks(self, group: _Group) -> list[Sequence[Any]]:
        ts, equipment, batch = _common(group)
        columns = _values(group, self.reason.code)
        size = len(ts)
        chunks: list[Sequence[Any]] = []
        for part in group.layout:
            value = columns.get(part.at.get("value", NONE))
            reason = columns.get(part.at.get("reason", NONE))
            chunks.append(
                (
                    ts,
                    equipment,
                    np.full(size, part.quantity, np.int32),
                    np.full(size, _NAN) if value is None else value,
                    np.full(size, NONE, np.int32) if reason is None else reason,
                    batch,
                )
            )
        return chunks

    def _window_chunks(self, group: _Group) -> list[Sequence[Any]]:
        ts, equipment, batch = _common(group)
        columns = _values(group, self.reason.code)
        size = len(ts)
        period = np.full(size, group.head[0].period_s, np.int32)
        absent = np.full(size, _NAN)
        chunks: list[Sequence[Any]] = []
        for part in group.layout:
            at = {name: columns[position] for name, position in part.at.items()}
            mean = at.get("mean", absent)
            chunks.append(
                (
                    ts,
                    period,
                    equipment,
                    np.full(size, part.quantity, np.int32),
                    mean,
                    at.get("low", mean),
                    at.get("high", mean),
                    at.get("last", mean),
                    at.get("inc", absent),
                    at["n"],
                    at["good"] if "good" in at else np.ones(size),
                    at["reason"] if "reason" in at else np.full(size, NONE, np.int32),
                    at["registers"] if "registers" in at else np.full(size, None, np.object_),
                    batch,
                )
            )
        return chunks

    def _strict(self, found: _Found, number: int, text: str) -> None:
        try:
            self._line(found, number, read_line(text))
        except (LineError, OverflowError) as error:
            found.rejects.append(Reject(text, str(error), number))

    def _line(self, found: _Found, number: int, line: Line) -> None:
        if line.measurement == "event":
            found.events.append(_event(line, number))
            return
        if line.measurement == "audit":
            found.events.append(_audit(line, number))
            return
        if line.measurement == "frame":
            found.frames += 1
            return
        if line.measurement == "retimed":
            found.retimed.append(_retimed(line, number))
            return
        if line.measurement == "batch":
            raise LineError("a second batch header")
        head = head_of(line.measurement, line.tags, self.equipment)
        if head.plant != found.origins[number].source.plant:
            raise LineError(f"a line of plant {head.plant} in a batch of another plant")
        values = list(line.fields.values())
        row = self._window_row if head.period_s else self._sample_row
        rows = [
            row(line.time_ns, head, part, values, number)
            for part in layout_of(head, tuple(line.fields), self.quantity)
        ]
        (found.loose_windows if head.period_s else found.loose_samples).extend(rows)

    def _sample_row(
        self, ts_ns: int, head: Head, part: Part, values: list[Value], number: int
    ) -> tuple[Any, ...]:
        at = typed(part, values, self.reason.code)
        value, reason = at.get("value", _NAN), at.get("reason", NONE)
        return ts_ns, head.equipment, part.quantity, value, reason, number

    def _window_row(
        self, ts_ns: int, head: Head, part: Part, values: list[Value], number: int
    ) -> tuple[Any, ...]:
        at = typed(part, values, self.reason.code)
        mean = at.get("mean", _NAN)
        return (
            ts_ns,
            head.period_s,
            head.equipment,
            part.quantity,
            mean,
            *(at.get(name, mean) for name in ("low", "high", "last")),
            at.get("inc", _NAN),
            at["n"],
            at.get("good", 1.0),
            at.get("reason", NONE),
            at.get("registers"),
            number,
        )


def _common(group: _Group) -> tuple[Any, Any, Any]:
    """Time, equipment and batch columns of a group."""
    size = len(group.rows)
    if ",".join(group.stamps).strip(_DIGITS):
        raise ValueError("time stamp")
    return (
        np.fromiter(map(int, group.stamps), np.int64, size),
        np.fromiter((head.equipment for head in group.head), np.int32, size),
        np.asarray(group.batch, np.int32),
    )


def _values(group: _Group, reason: Callable[[str], int]) -> dict[int, Any]:
    """Columns of a group by position; ValueError when any value is not of its column's type."""
    names = {at: name for part in group.layout for name, at in part.at.items()}
    if not (TEXT | {"n"}) & set(names.values()):
        size, width = len(group.rows), len(names)
        flat = list(chain.from_iterable(group.rows))
        return dict(enumerate(number_column(flat).reshape(size, width).T))
    found: dict[int, Any] = {}
    for at, texts in enumerate(zip(*group.rows, strict=True)):
        if names[at] in TEXT:
            found[at] = text_column(texts, reason if names[at] == "reason" else None)
        elif names[at] == "n":
            found[at] = count_column(texts)
        else:
            found[at] = number_column(texts)
    return found


def _retimed(line: Line, batch: int) -> RetimedRow:
    try:
        end, shift, shift_end = (_whole(line, name) for name in ("end", "shift", "shift_end"))
    except KeyError as error:
        raise LineError(f"retimed without {error}") from None
    return RetimedRow(line.time_ns, end, shift, shift_end, line.tags.get("boot"), batch)


def _audit(line: Line, batch: int) -> EventRow:
    """An act, kept as an event of kind ``audit``; LineError when it is not whole."""
    try:
        what, n = line.tags["what"], _whole(line, "n")
        said = {name: _text(line, name) for name in ("who", "target", "result", "why", "hash")}
    except KeyError as error:
        raise LineError(f"audit without {error}") from None
    text = f"{said['who']}: {what} {said['target']} [{said['result']}]"
    told = _text(line, "details") if "details" in line.fields else ""
    return EventRow(
        ts_ns=line.time_ns,
        end_ns=None,
        kind="audit",
        equipment=None,
        id=f"audit-{n}-{said['hash'][:16]}",
        text=" ".join(part for part in (text, said["why"], told) if part),
        amount=None,
        batch=batch,
        peak=None,
        mean=None,
        integral=None,
        gap=None,
    )


def _event(line: Line, batch: int) -> EventRow:
    """An event line; LineError when kind, id or text are missing or of another type."""
    try:
        kind, name, text = line.tags["kind"], _text(line, "id"), _text(line, "text")
        end = _whole(line, "end") if "end" in line.fields else None
    except KeyError as error:
        raise LineError(f"event without {error}") from None
    numbers = {
        name: None if name not in line.fields else number(name, line.fields[name])
        for name in ("amount", "peak_v", "mean_v", "overvoltage_vs", "gap_s")
    }
    parts = [line.tags[tag] for tag in ("line", "unit") if tag in line.tags]
    return EventRow(
        ts_ns=line.time_ns,
        end_ns=end,
        kind=kind,
        equipment="/".join(parts) or None,
        id=name,
        text=text,
        amount=numbers["amount"],
        batch=batch,
        peak=numbers["peak_v"],
        mean=numbers["mean_v"],
        integral=numbers["overvoltage_vs"],
        gap=numbers["gap_s"],
    )
