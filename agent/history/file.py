"""Recorded history from a Parquet or CSV file: read whole, checked whole, or refused whole."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
import pyarrow.parquet as pq

from drivers.cli import language
from drivers.model import Codes, ConfigError, Equipment, Floats, Indices, Quality, Quantity
from drivers.quantities import quantities

MOST_ROWS: Final = 20_000_000  # two gigabytes of memory
_TIME = pa.timestamp("us", tz="UTC")
_NEEDED = ("time", "equipment", "quantity", "value")
_MORE = ("quality", "raw")  # columns that may be absent
_WORDS = ("equipment", "quantity", *_MORE)
_MOST_RAW = 500  # hex digits: 125 registers, the most that one Modbus request reads
_RAW = re.compile(r"(?:[0-9a-fA-F]{2})+")
_SHOWN = 10  # rows listed for each kind of mistake
_QUALITIES = {quality.wire: int(quality) for quality in Quality} | {"": 0, "imported": 0}


@dataclass(frozen=True, slots=True)
class Series:
    """One quantity of one piece of equipment in the file."""

    equipment: Equipment
    quantity: Quantity


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """
    The rows of a file, sorted by time and series: arrays of one length.

    ``series`` indexes ``names``, which are in the order of their lines on the wire; ``reason`` is
    a Quality, 0 good; ``value`` is NaN where the file has none. ``raw`` indexes ``registers``, hex
    texts of registers as they were read; -1 where the file has none.
    """

    names: tuple[Series, ...]
    time_ns: Indices
    series: Indices
    value: Floats
    reason: Codes
    raw: Indices
    registers: tuple[str, ...]
    out_of_range: int

    def __len__(self) -> int:
        return len(self.time_ns)


class _Mistakes:
    """Everything wrong in the file, by kind, each with its first rows."""

    def __init__(self, name: str, row_name: Callable[[int], str]) -> None:
        self._name = name
        self._row_name = row_name
        self.lines: list[str] = []

    def add(self, rows: Iterable[int], zh: str, en: str) -> None:
        """The same mistake in these rows (numbers from 0)."""
        rows = list(rows)
        is_zh = language() == "zh"
        what = zh if is_zh else en
        self.lines += [f"{self._row_name(row)}: {what}" for row in rows[:_SHOWN]]
        if len(rows) > _SHOWN:
            more = len(rows) - _SHOWN
            tail = f"另有 {more} 行同样的错误" if is_zh else f"{more} more rows with this mistake"
            self.lines.append(f"{self._name}: {tail}: {what}")

    def whole(self, zh: str, en: str) -> None:
        self.lines.append(f"{self._name}: {zh if language() == 'zh' else en}")

    def raise_any(self) -> None:
        if self.lines:
            raise ConfigError(self.lines)


def read_history(path: Path, period_s: int) -> History:
    """
    The file's rows, all of them good to import.

    Raises ConfigError that lists every kind of mistake with its rows.
    """
    is_csv = path.suffix.lower() == ".csv"
    mistakes = _Mistakes(path.name, _namer(path.name, is_csv=is_csv))
    table = _load(path, mistakes, is_csv=is_csv)
    mistakes.raise_any()
    time_ns = _times(table["time"], mistakes)
    names, series = _series(table, mistakes)
    value, reason = _values(table, mistakes)
    raw, registers = _registers(table, mistakes)
    mistakes.raise_any()  # what follows compares rows, which needs them readable
    _check_times(time_ns, series, period_s, names, mistakes)
    mistakes.raise_any()
    out = _out_of_range(names, series, value, reason)
    reason[out] = Quality.OUT_OF_RANGE
    del table
    if (np.diff(time_ns) < 0).any() or (np.diff(series)[np.diff(time_ns) == 0] < 0).any():
        order = np.lexsort((series, time_ns))
        time_ns, series = time_ns[order], series[order]
        value, reason, raw = value[order], reason[order], raw[order]
    return History(names, time_ns, series, value, reason, raw, registers, int(out.sum()))


def _namer(name: str, *, is_csv: bool) -> Callable[[int], str]:
    if is_csv:
        return lambda row: f"{name}:{row + 2}"
    return lambda row: f"{name} {'行' if language() == 'zh' else 'row'} {row + 1}"


def _load(path: Path, mistakes: _Mistakes, *, is_csv: bool) -> Any:
    try:
        table = _load_csv(path) if is_csv else _load_parquet(path)
    except FileNotFoundError:
        mistakes.whole("没有这个文件", "there is no such file")
        return None
    except (OSError, ValueError, pa.ArrowException) as error:
        kind = "CSV" if is_csv else "Parquet"
        mistakes.whole(f"不是可读的 {kind} 文件：{error}", f"is no readable {kind} file: {error}")
        return None
    missing = [name for name in _NEEDED if name not in table.column_names]
    if missing:
        columns = ", ".join(missing)
        mistakes.whole(f"缺少列 {columns}", f"column {columns} is missing")
    elif not table.num_rows:
        mistakes.whole("没有数据行", "has no rows")
    elif table.num_rows > MOST_ROWS:
        mistakes.whole(
            f"{table.num_rows} 行，最多 {MOST_ROWS} 行：请拆分文件",
            f"{table.num_rows} rows, at most {MOST_ROWS} at once: split it",
        )
    return table


def _load_parquet(path: Path) -> Any:
    there = pq.read_schema(path).names
    words = [name for name in _WORDS if name in there]
    with pq.ParquetFile(path, read_dictionary=words) as file:
        return file.read([name for name in (*_NEEDED, *_MORE) if name in there])


def _load_csv(path: Path) -> Any:
    data = path.read_bytes()
    try:
        data.decode()
        encoding = "utf8"
    except UnicodeDecodeError:
        encoding = "gb18030"
    texts = dict.fromkeys((*_NEEDED, *_MORE), pa.string())
    return pcsv.read_csv(
        pa.py_buffer(data),
        read_options=pcsv.ReadOptions(encoding=encoding),
        convert_options=pcsv.ConvertOptions(
            column_types=texts, null_values=[""], strings_can_be_null=True
        ),
    )


def _nulls(column: Any) -> Indices:
    rows: Indices = np.flatnonzero(column.is_null().to_numpy())
    return rows


def _times(column: Any, mistakes: _Mistakes) -> Indices:
    """Nanoseconds; zeros when the column is no good."""
    nothing = np.zeros(len(column), np.int64)
    if rows := _nulls(column).tolist():
        mistakes.add(rows, "没有时间", "no time")
        return nothing
    if pa.types.is_timestamp(column.type) and column.type.tz is None:
        mistakes.whole("time 列没有时区", "column time has no time zone: store it with one")
        return nothing
    try:
        ns: Indices = column.cast(_TIME).cast(pa.int64()).to_numpy() * 1000
    except pa.ArrowException as error:
        bad = [row for row, text in enumerate(column.to_pylist()) if not _readable(text)]
        zh = "时间应写作 2026-10-01T00:00:00+08:00（须带时区）"
        mistakes.add(bad, zh, "write the time with its offset, e.g. 2026-10-01T00:00:00+08:00")
        if not bad:
            mistakes.whole(f"time 列：{error}", f"column time: {error}")
        return nothing
    return ns


def _readable(text: object) -> bool:
    try:
        return datetime.fromisoformat(str(text)).tzinfo is not None
    except ValueError:
        return False


def _codes(column: Any) -> tuple[Indices, list[str | None]]:
    """Codes of a text column and the texts; a null is the last of them."""
    if not pa.types.is_dictionary(column.type):
        column = column.cast(pa.string()).dictionary_encode()
    words = column.unify_dictionaries().combine_chunks()
    if isinstance(words, pa.ChunkedArray):
        words = words.chunk(0)
    texts: list[str | None] = [*words.dictionary.to_pylist(), None]
    codes: Indices = pc.fill_null(words.indices, len(texts) - 1).to_numpy()
    return codes.astype(np.int32), texts


def _series(table: Any, mistakes: _Mistakes) -> tuple[tuple[Series, ...], Indices]:
    equipment, first = _codes(table["equipment"])
    quantity, second = _codes(table["quantity"])
    used = np.bincount(equipment, minlength=len(first)) > 0
    found_equipment = [
        _equipment(text) if here else "" for text, here in zip(first, used, strict=True)
    ]
    known = quantities()
    for code, each in enumerate(found_equipment):
        if isinstance(each, str) and each:
            zh = f"设备名 {first[code]!r} 应写作 区域/设备，例如 line1/pot007"
            mistakes.add(np.flatnonzero(equipment == code).tolist(), zh, each)
    for code, text in enumerate(second):
        if text not in known and (quantity == code).any():
            zh, en = f"量 {text!r} 不在字典 quantities.toml 中", f"quantity {text!r} is unknown"
            mistakes.add(np.flatnonzero(quantity == code).tolist(), zh, en)
    mistakes.raise_any()
    pair = equipment * np.int64(len(second)) + quantity
    present = np.flatnonzero(np.bincount(pair, minlength=len(first) * len(second)))
    names = [
        Series(each, known[str(second[code % len(second)])])
        for code in present.tolist()
        if isinstance(each := found_equipment[code // len(second)], Equipment)
    ]
    order = sorted(range(len(names)), key=lambda at: _wire_order(names[at]))
    rank = np.zeros(len(first) * len(second), np.int32)
    rank[present[order]] = np.arange(len(order))
    return tuple(names[at] for at in order), rank[pair]


def _wire_order(series: Series) -> tuple[str, Equipment, str]:
    return series.quantity.measurement, series.equipment, series.quantity.field


def _equipment(text: str | None) -> Equipment | str:
    try:
        return Equipment.parse(text or "")
    except ValueError as error:
        return str(error)


def _values(table: Any, mistakes: _Mistakes) -> tuple[Floats, Codes]:
    reason = _reasons(table, mistakes)
    column = table["value"]
    try:
        numbers = column.cast(pa.float64())
    except pa.ArrowException:
        bad = [row for row, text in enumerate(column.to_pylist()) if not _is_number(text)]
        mistakes.add(bad, "value 不是数字", "value is not a number")
        return np.zeros(len(column)), reason
    value: Floats = pc.fill_null(numbers, np.nan).to_numpy()
    absent = numbers.is_null().to_numpy()
    odd = ~np.isfinite(value) & ~absent
    mistakes.add(np.flatnonzero(odd).tolist(), "数值不是有限数", "value is not finite")
    empty = absent & (reason == 0)
    zh = "没有数值：请删除该行，或在 quality 列写明原因"
    en = "no value: leave the row out, or give the reason in column quality"
    mistakes.add(np.flatnonzero(empty).tolist(), zh, en)
    return value.copy(), reason


def _is_number(text: object) -> bool:
    try:
        float(str(text))
    except ValueError:
        return text is None
    return True


def _reasons(table: Any, mistakes: _Mistakes) -> Codes:
    if "quality" not in table.column_names:
        return np.zeros(table.num_rows, np.uint8)
    codes, texts = _codes(table["quality"])
    known = [_QUALITIES.get((text or "").strip().lower()) for text in texts]
    for code, quality in enumerate(known):
        if quality is None:
            names = ", ".join(sorted(filter(None, _QUALITIES)))
            zh = f"quality {texts[code]!r} 未知，可用：{names}"
            en = f"quality {texts[code]!r} is unknown, write one of {names}"
            mistakes.add(np.flatnonzero(codes == code).tolist(), zh, en)
    reasons: Codes = np.array([quality or 0 for quality in known], np.uint8)[codes]
    return reasons


def _is_raw(text: str) -> bool:
    return len(text) <= _MOST_RAW and _RAW.fullmatch(text) is not None


def _registers(table: Any, mistakes: _Mistakes) -> tuple[Indices, tuple[str, ...]]:
    """Which hex text each row has, -1 none, and the texts."""
    if "raw" not in table.column_names:
        return np.full(table.num_rows, -1, np.int64), ()
    column = table["raw"]
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind)):
        mistakes.whole(
            f"raw 列应为十六进制文本，不是 {kind}",
            f"column raw: store it as hex text, not as {kind}",
        )
        return np.full(table.num_rows, -1, np.int64), ()
    codes, words = _codes(column)
    texts = [(word or "").strip() for word in words]
    zh = f"raw 应为成对的十六进制数字，最多 {_MOST_RAW} 位，例如 0010c8e0"
    en = f"raw is pairs of hex digits, at most {_MOST_RAW} of them, e.g. 0010c8e0"
    bad = [code for code, text in enumerate(texts) if text and not _is_raw(text)]
    if bad:
        rows = np.flatnonzero(np.isin(codes, bad)).tolist()
        mistakes.add(rows, zh, en)
    place = np.array([code if text else -1 for code, text in enumerate(texts)], np.int64)
    return place[codes], tuple(text.lower() for text in texts)


def _check_times(
    time_ns: Indices,
    series: Indices,
    period_s: int,
    names: tuple[Series, ...],
    mistakes: _Mistakes,
) -> None:
    off = np.flatnonzero(time_ns % (period_s * 1_000_000_000))
    zh = f"时间不是 {period_s} 秒间隔的起点"
    mistakes.add(off.tolist(), zh, f"time is not the start of an interval of {period_s} s")
    order = np.argsort(series, kind="stable")
    same = series[order[1:]] == series[order[:-1]]
    step = time_ns[order[1:]] - time_ns[order[:-1]]
    for mask, zh, en in (
        (same & (step == 0), "同一时间出现两次", "the same time stands twice"),
        (same & (step < 0), "时间早于前一行", "the time is earlier than in the row before"),
    ):
        rows = np.sort(order[1:][mask])
        for code in np.unique(series[rows]).tolist()[:_SHOWN]:
            who = f"{names[code].equipment} {names[code].quantity.name}"
            mistakes.add(rows[series[rows] == code].tolist(), f"{who}：{zh}", f"{who}: {en}")


def _out_of_range(
    names: tuple[Series, ...], series: Indices, value: Floats, reason: Codes
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    low = np.array([each.quantity.low for each in names])[series]
    high = np.array([each.quantity.high for each in names])[series]
    with np.errstate(invalid="ignore"):
        out: np.ndarray[Any, np.dtype[np.bool_]] = ((value < low) | (value > high)) & (reason == 0)
    return out
