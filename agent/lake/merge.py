"""Sorted Parquet files of one lake table -> one sorted file, in bounded memory."""

import json
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from agent.lake.arrays import numbers, plain
from agent.lake.tables import BATCHES, SCHEMAS, SORTED_BY, writer

GROUP_ROWS: Final = 1 << 16  # rows of a row group, held in memory while merging
_READ_ROWS: Final = 1 << 16  # rows of all inputs together, likewise


class Stopped(Exception):  # noqa: N818 - no error: the historian is going down
    """Merging was given up half-way; nothing of it is left to see."""


class _Input:
    """One file, read batch by batch; ``rows`` is what was read and not yet merged."""

    def __init__(self, path: Path, table: str, batch_rows: int) -> None:
        words = [each.name for each in SCHEMAS[table] if pa.types.is_dictionary(each.type)]
        self.file = pq.ParquetFile(path, read_dictionary=words)
        self._table = table
        self._keys = SORTED_BY[table]
        self._batches: Iterator[Any] = self.file.iter_batches(batch_rows, use_threads=False)
        self.rows: Any = None
        self.ended = False

    def fill(self) -> None:
        while not self.ended and (self.rows is None or not self.rows.num_rows):
            rows = next(self._batches, None)
            self.ended = rows is None
            self.rows = None if rows is None else _grown(rows, self._table)

    def key(self, row: int) -> tuple[Any, ...]:
        return tuple(_plain_value(self.rows[name][row]) for name in self._keys)

    def cut(self, bound: tuple[Any, ...]) -> Any:
        """The rows up to ``bound``, which are taken away."""
        at = bisect_right(range(self.rows.num_rows), bound, key=self.key)
        head, self.rows = self.rows.slice(0, at), self.rows.slice(at)
        return head


def merge_files(
    inputs: Sequence[Path], output: Path, table: str, stopped: Callable[[], bool]
) -> int:
    """
    Write all rows of ``inputs`` to ``output``, sorted; returns how many. Not yet fsynced.

    Raises Stopped when ``stopped()`` says so; the caller deletes what was written.
    """
    streams = [_Input(path, table, max(4096, _READ_ROWS // len(inputs))) for path in inputs]
    about = _about(streams)
    waiting: list[Any] = []
    rows = written = 0
    out = None
    try:
        for piece in _pieces(streams, table):
            if stopped():
                raise Stopped
            waiting.append(piece)
            rows += piece.num_rows
            if rows - written >= GROUP_ROWS:
                out = out or writer(output, table, piece, about)
                written += _write(out, waiting)
        if waiting:
            out = out or writer(output, table, waiting[0], about)
            _write(out, waiting)
    finally:
        if out is not None:
            out.close()
        for stream in streams:
            stream.file.close()
    expected = sum(stream.file.metadata.num_rows for stream in streams)
    if rows != expected:
        raise RuntimeError(f"merging {len(inputs)} files into {output}: {rows} of {expected} rows")
    return rows


def _write(out: Any, waiting: list[Any]) -> int:
    table = pa.concat_tables(waiting).unify_dictionaries()
    waiting.clear()
    out.write_table(table, row_group_size=2 * GROUP_ROWS)
    return int(table.num_rows)


def _pieces(streams: list[_Input], table: str) -> Iterator[Any]:
    """Sorted tables that follow one another: everything up to the least key still to be read."""
    while True:
        for stream in streams:
            stream.fill()
        live = [stream for stream in streams if not stream.ended]
        if not live:
            return
        bound = min(stream.key(stream.rows.num_rows - 1) for stream in live)
        batches = [part for stream in live if (part := stream.cut(bound)).num_rows]
        yield _sorted([pa.Table.from_batches([batch]) for batch in batches], table)


def _sorted(parts: list[Any], table: str) -> Any:
    if len(parts) == 1:
        return parts[0]
    rows = pa.concat_tables(parts).unify_dictionaries().combine_chunks()
    keys = []
    for name in SORTED_BY[table]:
        column = rows[name].chunk(0)
        if pa.types.is_dictionary(column.type):
            words = column.dictionary.to_pylist()
            rank = np.argsort(np.argsort(np.array(words, dtype=object)))
            keys.append(rank[plain(column.indices, np.int32)])
        else:
            keys.append(plain(column.cast(pa.int64()), np.int64))
    return rows.take(numbers(np.lexsort(keys[::-1])))


def _grown(rows: Any, table: str) -> Any:
    """Rows of an older file with the columns that the table has got since, empty."""
    schema = SCHEMAS[table]
    if rows.schema.names == schema.names:
        return rows
    columns = [
        rows[each.name] if each.name in rows.schema.names else pa.nulls(rows.num_rows, each.type)
        for each in schema
    ]
    return pa.record_batch(columns, names=schema.names)


def _plain_value(scalar: Any) -> Any:
    """Text, or microseconds: a Timestamp would bring pandas into memory."""
    return scalar.value if pa.types.is_timestamp(scalar.type) else scalar.as_py()


def _about(streams: list[_Input]) -> dict[str, str]:
    """Which batches the file holds rows of, for people who look into it."""
    found: dict[tuple[str, ...], tuple[int, int]] = {}
    for stream in streams:
        text = (stream.file.metadata.metadata or {}).get(BATCHES.encode(), b"[]")
        for *source, first, last in json.loads(text):
            low, high = found.get(tuple(source), (first, last))
            found[tuple(source)] = min(low, first), max(high, last)
    return {BATCHES: json.dumps([[*source, *span] for source, span in sorted(found.items())])}
