"""Taking data away: rows of points at a resolution, as CSV in parts or as pages of JSON."""

import csv
import io
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np

from drivers.classes import RANK, Wish, permit, rules_around
from drivers.language import language, say
from drivers.model import ConfigError
from drivers.quantities import quantities
from reports.console.figures.explore import WORDS, Interval, interval_of, meters_of, numbers
from reports.console.figures.explore_points import Labels, exploring, sign_of
from reports.console.office import Office
from reports.periods import PLANT_TIME, plant_now
from reports.series.envelope import DAY_S, HOUR_S, Pieces, envelope, floor_to, form_of
from reports.series.envelope_store import Explorer
from reports.site import Meter
from reports.values import Text

STEPS: Final = {"raw": 1, "minute": 60, "hour": HOUR_S, "day": DAY_S}  # usual seconds of a row
MOST_ROWS: Final = {"csv": 2_000_000, "parquet": 2_000_000, "xlsx": 100_000, "json": 50_000_000}
RAW_DAYS: Final = 1  # samples are many
PART_ROWS: Final = 40_000  # of one answer of the child
PART_DAYS: Final = 31
COLUMNS: Final = {
    "time": Text(zh="开始时间（北京时间 UTC+8）", en="start time (UTC+8)"),
    "seconds": Text(zh="时长（s）", en="duration (s)"),
    "equipment": Text(zh="设备", en="equipment"),
    "point": Text(zh="点", en="point"),
    "name": Text(zh="名称", en="name"),
    "unit": Text(zh="单位", en="unit"),
    "mean": Text(zh="平均值", en="mean"),
    "low": Text(zh="最小值", en="minimum"),
    "high": Text(zh="最大值", en="maximum"),
    "amount": Text(zh="增量（计数器）", en="increment (counter)"),
    "good": Text(zh="有效占比（%）", en="good share (%)"),
    "windows": Text(zh="窗口数", en="windows"),
    "quality": Text(zh="无效原因", en="why not good"),
}
DIGITS: Final = 12


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of some points in order of time, then point; columns as in COLUMNS."""

    columns: dict[str, list[Any]]

    def __len__(self) -> int:
        return len(self.columns["time"])


def begin(
    office: Office,
    points: Sequence[str],
    start: str = "",
    end: str = "",
    last: str = "",
    resolution: str = "hour",
    form: str = "csv",
) -> dict[str, Any]:
    """
    What will be taken, in parts; nothing is read yet but where the data end.

    Raises ConfigError: too much at once, a class of data that may not leave.
    """
    meters = meters_of(points)
    with exploring(office) as explorer:
        interval = interval_of(explorer, start, end, last, time.time())
    rows = _refuse_too_much(interval, len(meters), resolution, form)
    classes, _ = rules_around(office.site_file)
    highest = max((classes.of(each.quantity) for each in meters), key=RANK.index)
    details = permit(classes, highest, Wish("console", form), plant_now().date())
    first = datetime.fromtimestamp(interval.start_s, PLANT_TIME)
    after = datetime.fromtimestamp(interval.end_s, PLANT_TIME)
    return {
        "parts": list(_parts(interval, len(meters), resolution)),
        "rows": rows,
        "name": f"{office.site.plant}-{first:%Y%m%d%H%M}-{after:%Y%m%d%H%M}-{resolution}",
        "details": details | {"points": ", ".join(map(str, meters)), "rows_at_most": str(rows)},
        "start_s": interval.start_s,
        "end_s": interval.end_s,
    }


def csv_part(
    office: Office, points: Sequence[str], part: Sequence[int], resolution: str, head: bool
) -> str:
    """Some rows as CSV; with the names of the columns where ``head``."""
    with exploring(office) as explorer:
        rows = rows_of(office, explorer, meters_of(points), (part[0], part[1]), resolution)
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    if head:
        writer.writerow(column_names())
    columns = [_texts(name, values) for name, values in rows.columns.items()]
    writer.writerows(zip(*columns, strict=True))
    return out.getvalue()


def page(
    office: Office,
    points: Sequence[str],
    start: str = "",
    end: str = "",
    last: str = "",
    resolution: str = "hour",
    limit: int = 1000,
) -> dict[str, Any]:
    """At most about ``limit`` rows as JSON, and ``next``: the ``from`` of the page after."""
    planned = begin(office, points, start, end, last, resolution, "json")
    found: list[dict[str, Any]] = []
    following: str | None = None
    meters = meters_of(points)
    with exploring(office) as explorer:
        for part in planned["parts"]:
            rows = rows_of(office, explorer, meters, part, resolution)
            names = list(rows.columns)
            found += [
                dict(zip(names, row, strict=True))
                for row in zip(*rows.columns.values(), strict=True)
            ]
            if len(found) > limit:
                cut_s = found[limit]["time"]
                kept = [row for row in found if row["time"] < cut_s]
                found = kept or [row for row in found if row["time"] == cut_s]
                following = _iso(cut_s) if kept else None
                break
    for row in found:
        row["time"] = _iso(row["time"])
    return {"rows": found, "next": following, "time_zone": "+08:00", "resolution": resolution}


def _refuse_too_much(interval: Interval, count: int, resolution: str, form: str) -> int:
    span_s = interval.end_s - interval.start_s
    if resolution == "raw" and span_s > RAW_DAYS * DAY_S:
        told = say(
            f"原始采样一次最多导出 {RAW_DAYS} 天；请缩短时段，或选“分钟”",
            f"raw samples: at most {RAW_DAYS} day at once; shorten the interval or take minutes",
        )
        raise ConfigError([told])
    rows = count * -(-span_s // STEPS[resolution])
    if rows > MOST_ROWS[form]:
        told = say(
            f"约 {rows:,} 行，超过 {form.upper()} 一次 {MOST_ROWS[form]:,} 行的上限；请缩短时段、"
            "减少点数，或选较粗的分辨率",
            f"about {rows:,} rows; {form.upper()} takes {MOST_ROWS[form]:,} at once: shorten the "
            "interval, take fewer points or a coarser resolution",
        )
        raise ConfigError([told])
    return rows


def _parts(interval: Interval, count: int, resolution: str) -> Iterator[tuple[int, int]]:
    """Stretches that begin at whole rows; each gives a bounded number of them."""
    step_s = max(STEPS[resolution], 60)
    length_s = PART_ROWS // count * STEPS[resolution]
    whole_s = DAY_S if resolution == "day" else HOUR_S
    length_s = max(whole_s, min(length_s, PART_DAYS * DAY_S) // whole_s * whole_s)
    at_s = floor_to(step_s, interval.start_s) if resolution != "raw" else interval.start_s
    while at_s < interval.end_s:
        after_s = min(floor_to(whole_s, at_s) + length_s, interval.end_s)
        yield at_s, after_s
        at_s = after_s


def rows_of(
    office: Office,
    explorer: Explorer,
    meters: Sequence[Meter],
    part: tuple[int, int],
    resolution: str,
) -> Rows:
    """All columns; times are seconds UTC yet."""
    labels, lang = Labels(office.site), language()
    blocks = [_block(explorer, meter, (part[0], part[1]), resolution) for meter in meters]
    found: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    for meter, block in zip(meters, blocks, strict=True):
        quantity, count = quantities()[meter.quantity], len(block["time"])
        same = {
            "equipment": labels.equipment(meter.equipment, lang),
            "point": str(meter),
            "name": quantity.zh if lang == "zh" else quantity.en,
            "unit": sign_of(quantity),
        }
        for name in COLUMNS:
            found[name] += [same[name]] * count if name in same else block[name]
    order = np.argsort(np.array(found["time"], dtype=np.float64), kind="stable")
    return Rows({name: [column[at] for at in order] for name, column in found.items()})


def _block(
    explorer: Explorer, meter: Meter, part: tuple[int, int], resolution: str
) -> dict[str, list[Any]]:
    """The columns of one point that differ from row to row."""
    form = form_of(quantities()[meter.quantity])
    if resolution == "raw":
        return _of_pieces(explorer.samples(meter, *part), form, lasting=False)
    if resolution == "minute":
        found = explorer.pieces(meter, *part, 60, 0).pieces
        inside = (found.start_s >= part[0]) & (found.start_s < part[1])
        return _of_pieces(found.only(inside), form, lasting=True)
    step_s = STEPS[resolution]
    begin_s = floor_to(step_s, part[0])
    hours = explorer.pieces(meter, begin_s, part[1], step_s, 2 * PART_DAYS).pieces
    made = envelope(hours, begin_s, part[1], step_s, time.time())
    some = np.flatnonzero(made.windows > 0)  # a gap has no row: nothing is filled in
    lengths = np.full(len(some), float(step_s))
    zero = np.zeros(len(some))
    rows = Pieces(
        made.start_s[some],
        made.low[some],
        made.high[some],
        made.mean[some],
        zero,
        made.inc[some],
        made.good[some] * step_s,
        lengths,
        made.windows[some],
        made.reason[some],
    )
    return _of_pieces(rows, form, lasting=True)


def _of_pieces(rows: Pieces, form: str, *, lasting: bool) -> dict[str, list[Any]]:
    nothing: list[Any] = [None] * len(rows)
    counter = form == "counter" and lasting
    share = 100.0 * rows.good_s / np.maximum(rows.span_s, 1e-9)
    lang = language()
    words = {code: WORDS[code].of(lang) if code in WORDS else code for code in set(rows.reason)}
    return {
        "time": rows.start_s.tolist(),
        "seconds": rows.span_s.astype(int).tolist() if lasting else nothing,
        "mean": nothing if counter or (form == "state" and lasting) else numbers(rows.mean, DIGITS),
        "low": nothing if counter else numbers(rows.low, DIGITS),
        "high": nothing if counter else numbers(rows.high, DIGITS),
        "amount": numbers(rows.inc, DIGITS) if counter else nothing,
        "good": numbers(np.round(share, 2)),
        "windows": rows.windows.tolist(),
        "quality": [words[code] for code in rows.reason.tolist()],
    }


def column_names() -> list[str]:
    """In the language of the visitor, with unit and time zone."""
    return [text.of(language()) for text in COLUMNS.values()]


def _texts(name: str, values: list[Any]) -> list[Any]:
    return [clock_of(each) for each in values] if name == "time" else values


def clock_of(at_s: float) -> str:
    """As Excel reads it: ``2026-10-05 08:00:00``; milliseconds of samples."""
    moment = datetime.fromtimestamp(at_s, PLANT_TIME)
    form = "%Y-%m-%d %H:%M:%S"
    return moment.strftime(form) + (f".{moment.microsecond // 1000:03d}" if at_s % 1 else "")


def _iso(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, PLANT_TIME).isoformat()
