"""The tables of the lake: their schema, columns -> Arrow, and how a Parquet file is written."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from agent.lake.arrays import Array, dictionary, mask, numbers, plain, texts
from agent.lake.float32 import float32_readings
from agent.wire.columns import Columns, Names, Origin, Samples, Windows
from drivers.model import Indices

DAY_NS: Final = 86_400_000_000_000
BATCHES: Final = "smelter.batches"  # file metadata: [[plant, gateway, stream, log, first, last]]
_RUN, _TRIED = 4096, 16  # rows in a run, runs tried, to choose an encoding
UTC8_NS: Final = 8 * 3_600_000_000_000  # a plant day is Beijing time

Table = Any

_TEXT = pa.dictionary(pa.int32(), pa.string())
_TIME = pa.timestamp("us", tz="UTC")
_FROM = [("gateway", _TEXT), ("log", _TEXT), ("seq", pa.int64())]
_NUMBERS = ("mean", "min", "max", "last", "inc")
SCHEMAS: Final[dict[str, pa.Schema]] = {
    "windows": pa.schema(
        [
            *[("ts", _TIME), ("period_s", pa.int32()), ("equipment", _TEXT), ("quantity", _TEXT)],
            *[(name, pa.float64()) for name in _NUMBERS],
            *[("n", pa.int32()), ("good", pa.float64()), ("q", _TEXT), ("raw", pa.string())],
            *_FROM,
        ]
    ),
    "raw": pa.schema(
        [
            *[("ts", _TIME), ("equipment", _TEXT), ("quantity", _TEXT)],
            *[("value", pa.float64()), ("q", _TEXT)],
            *_FROM,
        ]
    ),
    "events": pa.schema(
        [
            *[("ts", _TIME), ("end", _TIME), ("kind", _TEXT), ("equipment", _TEXT)],
            *[("id", pa.string()), ("text", pa.string()), ("amount", pa.float64())],
            *[(name, pa.float64()) for name in ("peak", "mean", "integral", "gap")],
            *_FROM,
        ]
    ),
    "retimed": pa.schema(
        [
            *[("ts", _TIME), ("end", _TIME), ("shift_us", pa.int64())],
            *[("shift_end_us", pa.int64()), ("boot", _TEXT)],
            *_FROM,
        ]
    ),
    "rejects": pa.schema([("ts", _TIME), ("line", pa.string()), ("reason", pa.string()), *_FROM]),
}
SORTED_BY: Final = {
    "windows": ("equipment", "quantity", "ts"),
    "raw": ("equipment", "quantity", "ts"),
    "events": ("ts",),
    "retimed": ("ts",),
    "rejects": ("ts",),
}


@dataclass(frozen=True, slots=True, order=True)
class Partition:
    """One folder of the lake: a table's rows of one plant and one day (UTC+8)."""

    table: str
    plant: str
    day: str

    @property
    def folder(self) -> Path:
        return Path(self.table) / f"plant={self.plant}" / f"day={self.day}"


class Gathered:
    """Columns of several parses, until they become the files of one flush."""

    def __init__(self, equipment: Names, quantity: Names, reason: Names) -> None:
        self._names = {"equipment": equipment, "quantity": quantity, "reason": reason}
        self._parts: list[Columns] = []

    def add(self, columns: Columns) -> None:
        self._parts.append(columns)

    def tables(self) -> dict[Partition, Table]:
        """Sorted Arrow tables, one per partition."""
        origins = [origin for part in self._parts for origin in part.origins]
        found: dict[Partition, Table] = {}
        for plant in sorted({origin.source.plant for origin in origins}):
            mine = np.array([origin.source.plant == plant for origin in origins], dtype=bool)
            whence = _Whence(origins)
            for table, rows in (
                ("raw", self._samples(whence, mine)),
                ("windows", self._windows(whence, mine)),
                ("events", self._events(origins, plant)),
                ("retimed", self._retimed(origins, plant)),
                ("rejects", self._rejects(origins, plant)),
            ):
                if rows is not None:
                    found |= _by_day(table, plant, rows)
        return found

    def _joined(self, part: str, kind: type, mine: Any) -> dict[str, Any] | None:
        """Columns of all parses end to end, of one plant, with ``batch`` counted through."""
        chunks, start = [], 0
        for columns in self._parts:
            chunk = getattr(columns, part)
            arrays = [getattr(chunk, each.name) for each in fields(kind)]
            arrays[-1] = arrays[-1] + start  # batch is the last column
            start += len(columns.origins)
            chunks.append(arrays)
        joined = [np.concatenate(column) for column in zip(*chunks, strict=True)]
        keep = mine[joined[-1]]
        if not keep.any():
            return None
        if not keep.all():
            joined = [column[keep] for column in joined]
        return dict(zip([each.name for each in fields(kind)], joined, strict=True))

    def _samples(self, whence: "_Whence", mine: Any) -> Table | None:
        got = self._joined("samples", Samples, mine)
        if got is None:
            return None
        order, equipment, quantity = self._sort(got)
        take = _taker(got, order)
        kind = plain(quantity.indices, np.int32).astype(np.int64)
        series = plain(equipment.indices, np.int32) * np.int64(len(quantity.dictionary)) + kind
        return pa.table(
            [
                _times(take("ts_ns")),
                equipment,
                quantity,
                _floats(float32_readings(take("value"), series, kind)),
                _words(take("reason"), self._names["reason"].texts),
                *whence.columns(take("batch")),
            ],
            schema=SCHEMAS["raw"],
        )

    def _windows(self, whence: "_Whence", mine: Any) -> Table | None:
        got = self._joined("windows", Windows, mine)
        if got is None:
            return None
        order, equipment, quantity = self._sort(got)
        take = _taker(got, order)
        return pa.table(
            [
                _times(take("ts_ns")),
                numbers(take("period_s")),
                equipment,
                quantity,
                *(_floats(take(name)) for name in ("mean", "low", "high", "last", "inc")),
                numbers(take("n")),
                _floats(take("good")),
                _words(take("reason"), self._names["reason"].texts),
                texts(take("registers")),
                *whence.columns(take("batch")),
            ],
            schema=SCHEMAS["windows"],
        )

    def _sort(self, got: dict[str, Any]) -> tuple[Indices, Array, Array]:
        """Row order, and the two sorted name columns."""
        equipment, first = _ranks(got["equipment"], self._names["equipment"].texts)
        quantity, second = _ranks(got["quantity"], self._names["quantity"].texts)
        series = equipment.astype(np.int64) * max(1, len(second)) + quantity
        order = np.lexsort((got["ts_ns"], series))
        return order, _dictionary(equipment[order], first), _dictionary(quantity[order], second)

    def _events(self, origins: list[Origin], plant: str) -> Table | None:
        rows, start = [], 0
        for part in self._parts:
            for event in part.events:
                origin = origins[start + event.batch]
                if origin.source.plant == plant:
                    end = None if event.end_ns is None else event.end_ns // 1000
                    rows.append(
                        (
                            *(event.ts_ns // 1000, end, event.kind, event.equipment),
                            *(event.id, event.text, event.amount),
                            *(event.peak, event.mean, event.integral, event.gap),
                            *_lead(origin),
                        )
                    )
            start += len(part.origins)
        return _from_rows("events", rows)

    def _retimed(self, origins: list[Origin], plant: str) -> Table | None:
        rows, start = [], 0
        for part in self._parts:
            for each in part.retimed:
                origin = origins[start + each.batch]
                if origin.source.plant == plant:
                    times = each.ts_ns, each.end_ns, each.shift_ns, each.shift_end_ns
                    rows.append((*(ns // 1000 for ns in times), each.boot, *_lead(origin)))
            start += len(part.origins)
        return _from_rows("retimed", rows)

    def _rejects(self, origins: list[Origin], plant: str) -> Table | None:
        rows, start = [], 0
        for part in self._parts:
            for reject in part.rejects:
                origin = origins[start + reject.batch]
                if origin.source.plant == plant:
                    ts = origin.closed_ns // 1000
                    rows.append((ts, reject.line, reject.reason, *_lead(origin)))
            start += len(part.origins)
        return _from_rows("rejects", rows)


class _Whence:
    """Gateway, log and seq of each row, from its batch number."""

    def __init__(self, origins: Sequence[Origin]) -> None:
        self._gateway = Names(len(origins))
        self._log = Names(len(origins))
        sources = [origin.source for origin in origins]
        self._gateways = np.array([self._gateway.code(each.gateway) for each in sources], np.int32)
        self._logs = np.array([self._log.code(each.log) for each in sources], np.int32)
        self._seqs = np.array([origin.seq for origin in origins], np.int64)

    def columns(self, batch: Any) -> tuple[Array, Array, Array]:
        return (
            _words(self._gateways[batch], self._gateway.texts),
            _words(self._logs[batch], self._log.texts),
            numbers(self._seqs[batch]),
        )


def _lead(origin: Origin) -> tuple[str, str, int]:
    return origin.source.gateway, origin.source.log, origin.seq


def _taker(got: dict[str, Any], order: Indices) -> Callable[[str], Any]:
    return lambda name: got[name][order]


def _times(ns: Indices) -> Array:
    return numbers(ns // 1000).cast(_TIME)


def _floats(values: Any) -> Array:
    return numbers(values, np.isnan(values))


def _ranks(codes: Any, texts: list[str]) -> tuple[Any, list[str]]:
    """Codes renumbered in the order of the texts, and only those texts that occur."""
    used = np.flatnonzero(np.bincount(codes, minlength=1))
    names = sorted(texts[code] for code in used)
    place = {name: rank for rank, name in enumerate(names)}
    rank = np.zeros(int(used[-1]) + 1, np.int32)
    rank[used] = [place[texts[code]] for code in used]
    return rank[codes], names


def _dictionary(ranks: Any, names: list[str]) -> Array:
    return dictionary(ranks, names)


def _words(codes: Any, texts: list[str]) -> Array:
    """A dictionary column from codes, -1 being null."""
    present = codes[codes >= 0]
    if not len(present):
        return pa.nulls(len(codes), _TEXT)
    ranks, names = _ranks(np.maximum(codes, present[0]), texts)
    return dictionary(ranks, names, codes < 0)


def _from_rows(table: str, rows: list[tuple[Any, ...]]) -> Table | None:
    if not rows:
        return None
    rows.sort(key=lambda row: row[0])
    schema = SCHEMAS[table]
    columns = zip(*rows, strict=True)
    arrays = [_typed(column, each.type) for column, each in zip(columns, schema, strict=True)]
    return pa.table(arrays, schema=schema)


def _typed(column: tuple[Any, ...], kind: pa.DataType) -> Array:
    if pa.types.is_string(kind):
        return texts(column)
    if pa.types.is_dictionary(kind):
        return texts(column).dictionary_encode()
    absent = np.fromiter((value is None for value in column), bool, len(column))
    values = [0 if value is None else value for value in column]
    whole = not pa.types.is_floating(kind)
    return numbers(np.array(values, np.int64 if whole else np.float64), absent).cast(kind)


def _by_day(table: str, plant: str, rows: Table) -> dict[Partition, Table]:
    us = plain(rows["ts"].chunk(0).cast(pa.int64()), np.int64)
    days = (us + UTC8_NS // 1000) // (DAY_NS // 1000)
    found = {}
    for day in np.unique(days):
        mine = rows if (days == day).all() else rows.filter(mask(days == day))
        name = str(np.datetime64(int(day), "D"))
        found[Partition(table, plant, name)] = mine
    return found


def writer(path: Path, table: str, sample: Table, about: dict[str, str]) -> Any:
    """
    A Parquet writer with the encodings that fit; ``sample`` shows what the values are like.

    Times and counts go up in steps (DELTA), float32 readings differ in few bytes
    (BYTE_STREAM_SPLIT), and decimals such as 4.012 have long mantissas but repeat (dictionary).
    """
    schema = SCHEMAS[table].with_metadata(about)
    words = [each.name for each in schema if pa.types.is_dictionary(each.type)]
    encodings = {}
    for each in schema:
        if pa.types.is_integer(each.type) or pa.types.is_timestamp(each.type):
            encodings[each.name] = "DELTA_BINARY_PACKED"
        elif pa.types.is_floating(each.type):
            encodings[each.name] = "BYTE_STREAM_SPLIT"
    for name in _smaller_as_dictionary(sample):
        del encodings[name]
        words.append(name)
    return pq.ParquetWriter(path, schema, **_options(words, encodings))


def _options(words: list[str], encodings: dict[str, str]) -> dict[str, Any]:
    return {
        "compression": "zstd",
        "compression_level": 3,
        "use_dictionary": words,
        "column_encoding": encodings,
        "data_page_version": "2.0",
        "dictionary_pagesize_limit": 4 << 20,
    }


def _smaller_as_dictionary(table: Table) -> list[str]:
    """Names of the float columns that a dictionary makes smaller, found by trying on some rows."""
    names = [each.name for each in table.schema if pa.types.is_floating(each.type)]
    if not names or table.num_rows < 4096:
        return []
    step = max(1, table.num_rows // _TRIED // _RUN) * _RUN
    runs = [table.select(names).slice(at, _RUN) for at in range(0, table.num_rows, step)]
    some = pa.concat_tables(runs).combine_chunks()
    split = _sizes(some, _options([], dict.fromkeys(names, "BYTE_STREAM_SPLIT")))
    repeated = _sizes(some, _options(names, {}))
    return [name for name in names if repeated[name] < split[name]]


def _sizes(table: Table, options: dict[str, Any]) -> dict[str, int]:
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, table.schema, **options) as out:
        out.write_table(table, row_group_size=table.num_rows)
    group = pq.ParquetFile(pa.BufferReader(sink.getvalue())).metadata.row_group(0)
    columns = (group.column(i) for i in range(group.num_columns))
    return {each.path_in_schema: each.total_compressed_size for each in columns}
