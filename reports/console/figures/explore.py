"""Any point over any time: envelopes and events of points, and going on with the hourly layer."""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np

from drivers.language import language, say
from drivers.model import ConfigError, Equipment, Floats
from drivers.quantities import quantities
from reports.console.figures.explore_points import Labels, exploring
from reports.console.office import Office
from reports.periods import PLANT_TIME
from reports.render.labels import EVENTS, REASONS
from reports.series.envelope import (
    DAY_S,
    HOUR_S,
    LADDER,
    MOST,
    Envelope,
    bucket_for,
    envelope,
    floor_to,
    form_of,
    of_samples,
    typical_s,
)
from reports.series.envelope_store import Explorer
from reports.site import Meter
from reports.values import Text

MOST_POINTS: Final = 8
RAW_S: Final = 3 * HOUR_S  # shorter intervals show samples, where they are kept
FINE_DAYS: Final = 64  # points × days that are read from windows of minutes while somebody waits
MINUTE_S: Final = 60  # a window, where there is none to ask
LONGEST_S: Final = 50 * 366 * DAY_S
LATEST_S: Final = 7_258_089_600  # the year 2200 begins
MOST_EVENTS: Final = 300
LASTS: Final = {
    "1h": HOUR_S,
    "3h": 3 * HOUR_S,
    "24h": DAY_S,
    "7d": 7 * DAY_S,
    "35d": 35 * DAY_S,
    "1y": 365 * DAY_S,
}
WORDS: Final = {  # why a value is not good; those of the reports, and the others
    **REASONS,
    "out_of_range": Text(zh="超量程", en="out of range"),
    "stuck": Text(zh="数值不变", en="stuck"),
    "device_fault": Text(zh="仪表故障", en="device fault"),
    "calibration": Text(zh="校准", en="calibration"),
    "maintenance": Text(zh="维护", en="maintenance"),
    "uncertain": Text(zh="不可靠", en="uncertain"),
    "substituted": Text(zh="替代值", en="substituted"),
    "imported": Text(zh="导入", en="imported"),
}
HAPPENINGS: Final = {
    **EVENTS,
    "anode_effect": Text(zh="阳极效应", en="anode effect"),
    "anode_effect_warning": Text(zh="效应预警", en="anode-effect warning"),
    "unstable": Text(zh="电压摆动", en="unstable"),
}


@dataclass(frozen=True, slots=True)
class Interval:
    """Whole seconds UTC, [start, end); ``live``: it ends now."""

    start_s: int
    end_s: int
    live: bool


def series(
    office: Office,
    points: Sequence[str],
    start: str = "",
    end: str = "",
    last: str = "",
    buckets: int = MOST,
) -> dict[str, Any]:
    """Envelopes of up to eight points; see ``api/explore.py`` for what the fields mean."""
    meters = meters_of(points)
    labels = Labels(office.site)
    now_s = time.time()
    with exploring(office) as explorer:
        interval = interval_of(explorer, start, end, last, now_s)
        days = (interval.end_s - interval.start_s) / DAY_S
        most = min(max(10, buckets), MOST)
        bucket_s = bucket_for(interval.start_s, interval.end_s, most)
        fine = bucket_s < HOUR_S and math.ceil(days) * len(meters) <= FINE_DAYS
        bucket_s = bucket_s if fine else max(bucket_s, HOUR_S)
        waiting: set[str] = set()
        rows = []
        for meter in meters:
            source, made, late = _one(
                explorer, meter, interval, bucket_s, most=most, many=len(meters)
            )
            waiting.update(late)
            rows.append(labels.head(meter) | {"source": source} | _plain(meter, made))
        progress = explorer.progress()
    return {
        "from_s": interval.start_s,
        "to_s": interval.end_s,
        "live": interval.live,
        "now_s": now_s,
        "points": rows,
        "waiting": sorted(waiting),
        "days": progress.days,
        "days_ready": progress.ready,
    }


def events(
    office: Office, equipment: Sequence[str], start: str = "", end: str = "", last: str = ""
) -> dict[str, Any]:
    """What happened to some equipments in an interval, the first 300 of it."""
    asked = [_equipment(name) for name in dict.fromkeys(equipment)]
    lang = language()
    with exploring(office) as explorer:
        interval = interval_of(explorer, start, end, last, time.time())
        found = explorer.events(asked, interval.start_s, interval.end_s, MOST_EVENTS + 1)
    shown = [
        {
            "kind": each.kind,
            "name": HAPPENINGS[each.kind].of(lang) if each.kind in HAPPENINGS else each.kind,
            "equipment": each.equipment,
            "start_s": each.start_s,
            "end_s": each.end_s,
            "text": each.text or "",
            "amount": each.amount,
        }
        for each in found[:MOST_EVENTS]
    ]
    return {"events": shown, "more": len(found) > MOST_EVENTS}


def build(office: Office, budget_s: float = 10.0) -> dict[str, Any]:
    """Go on with the hourly layer for a while; the long lane asks again until nothing is left."""
    began = time.monotonic()
    with exploring(office) as explorer:
        before = explorer.progress()
        made = explorer.build(budget_s)
    took_s = round(time.monotonic() - began, 2)
    return {
        "days": made.days,
        "ready": made.ready,
        "left": made.left,
        "made": made.ready - before.ready,
        "took_s": took_s,
    }


def meters_of(points: Sequence[str]) -> list[Meter]:
    """Raises ConfigError with every one that is no point."""
    problems = []
    found = []
    for text in dict.fromkeys(points):
        equipment, _, quantity = text.partition(" ")
        try:
            Equipment.parse(equipment)
        except ValueError as error:
            problems.append(f"{text!r}: {error}")
            continue
        if quantity in quantities():
            found.append(Meter(equipment, quantity))
        else:
            problems.append(say(f"{text!r}：没有这个量", f"{text!r}: no such quantity"))
    if not found and not problems:
        problems = [say("请至少选一个点", "choose at least one point")]
    if len(found) > MOST_POINTS:
        problems.append(
            say(f"一次最多 {MOST_POINTS} 个点", f"at most {MOST_POINTS} points at once")
        )
    if problems:
        raise ConfigError(problems)
    return found


def interval_of(explorer: Explorer, start: str, end: str, last: str, now_s: float) -> Interval:
    """
    ``start`` and ``end`` in plant time, or the ``last`` 24h before ``end``; without end: now.

    Where the newest data are of an earlier day, "now" is the end of that day.
    """
    live = not end
    end_s = _moment(end) if end else math.ceil(now_s)
    if live and (span := explorer.span()) is not None:
        day = span[1] + timedelta(days=1)
        newest_s = int(datetime(day.year, day.month, day.day, tzinfo=PLANT_TIME).timestamp())
        if newest_s < end_s:
            end_s, live = newest_s, False
    if start:
        start_s = _moment(start)
    elif (last or "24h") in LASTS:
        start_s = end_s - LASTS[last or "24h"]
    else:
        known = ", ".join(LASTS)
        raise ConfigError([say(f"last 请写 {known} 之一", f"last: write one of {known}")])
    if not 0 <= start_s < end_s <= min(start_s + LONGEST_S, LATEST_S):
        told = say(
            "开始时间须早于结束时间，1970 年以后、2200 年以前，最长 50 年",
            "the start must be before the end, from 1970 to 2199, 50 years at most",
        )
        raise ConfigError([f"{told}: {start or last} … {end}"])
    return Interval(start_s, end_s, live)


def _moment(text: str) -> int:
    """``2026-10-05``, ``2026-10-05T08:00`` of plant time, or with an offset; whole seconds."""
    try:
        found = datetime.fromisoformat(text.strip())
        found = found if found.tzinfo else found.replace(tzinfo=PLANT_TIME)
        return math.floor(found.timestamp())
    except (ValueError, OverflowError):
        wish = "2026-10-05T08:00"
        told = say(f"时间 {text!r} 无法识别；请写 {wish}", f"no time {text!r}; write {wish}")
        raise ConfigError([told]) from None


def _one(
    explorer: Explorer,
    meter: Meter,
    interval: Interval,
    bucket_s: int,
    *,
    most: int,
    many: int,
) -> tuple[str, Envelope, list[str]]:
    """Where it comes from (samples, windows, hours), the envelope, and days still to wait for."""
    start_s, end_s = interval.start_s, interval.end_s
    now_s = time.time() if interval.live else None
    gauge = form_of(quantities()[meter.quantity]) != "counter"
    if gauge and end_s - start_s <= RAW_S:
        raw = explorer.samples(meter, start_s, end_s)
        if len(raw):
            step_s = 0 if len(raw) <= most else bucket_for(start_s, end_s, most)
            made = of_samples(raw, step_s, start_s, end_s) if step_s else _each(raw)
            return "samples", made, []
    first_s = floor_to(max(bucket_s, 60), start_s)
    after_s = floor_to(max(bucket_s, 60), end_s - 1) + max(bucket_s, 60)
    found = explorer.pieces(meter, first_s, after_s, bucket_s, max(4, FINE_DAYS // many))
    usual_s = typical_s(found.pieces) or MINUTE_S
    wide_s = next((step for step in LADDER if step >= usual_s), LADDER[-1])
    made = envelope(found.pieces, first_s, after_s, max(bucket_s, wide_s), now_s)
    return found.source, made, [str(day) for day in found.waiting]


def _each(raw: Any) -> Envelope:
    """Samples as they are, one a row."""
    return Envelope(
        0, raw.start_s, raw.low, raw.high, raw.mean, raw.inc, raw.good_s, raw.windows, raw.reason
    )


def _plain(meter: Meter, made: Envelope) -> dict[str, Any]:
    """An envelope as JSON: numbers of seven digits, null where nothing is known."""
    form = form_of(quantities()[meter.quantity])
    counter, some = form == "counter", made.windows > 0
    lang = language()
    found: dict[str, Any] = {
        "bucket_s": made.bucket_s,
        "origin_s": float(made.start_s[0]) if len(made) else None,
        "count": len(made),
        "times_s": made.start_s.tolist() if made.bucket_s == 0 else None,
        "good": numbers(np.where(some, made.good, np.nan), 3),
        "windows": made.windows.tolist(),
        "reasons": [
            {"first": first, "last": last, "code": code, "name": _word(code, lang)}
            for first, last, code in _runs(made)
        ],
    }
    if counter:
        return found | {"low": None, "high": None, "mean": None, "amount": numbers(made.inc)}
    mean = None if form == "state" else numbers(made.mean)
    bounds = {"low": numbers(made.low), "high": numbers(made.high)}
    return found | bounds | {"mean": mean, "amount": None}


def _runs(made: Envelope) -> Iterator[tuple[int, int, str]]:
    """Buckets in a row that are not wholly good for one reason: first, last, reason."""
    begin, before = 0, None
    for at, code in enumerate([*made.reason.tolist(), None]):
        if code != before:
            if before is not None:
                yield begin, at - 1, before
            begin, before = at, code


def _word(code: str, lang: str) -> str:
    return WORDS[code].of(lang) if code in WORDS else code


def numbers(values: Floats, digits: int = 7) -> list[float | None]:
    """JSON numbers rounded to some significant digits; null for what is not there."""
    known = np.isfinite(values)
    size = np.abs(np.where(known & (values != 0), values, 1.0))
    scale = 10.0 ** (digits - 1 - np.floor(np.log10(size)))
    rounded = np.where(known, np.round(np.where(known, values, 0.0) * scale) / scale, np.nan)
    return [value if there else None for value, there in zip(rounded.tolist(), known, strict=True)]


def _equipment(name: str) -> str:
    try:
        return str(Equipment.parse(name))
    except ValueError as error:
        raise ConfigError([str(error)]) from None
