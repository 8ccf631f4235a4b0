"""How much of what should have been recorded was: by day and group of equipment, from windows."""

import json
import os
import time
from collections.abc import Iterable
from contextlib import suppress
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from drivers.language import say
from drivers.model import ConfigError
from reports.console.office import Office
from reports.periods import Period, plant_now
from reports.series.lake import LakeSeries
from reports.series.store import SeriesError, open_series
from reports.values import Text

DAY_S: Final = 86_400
SETTLING_S: Final = 300  # the newest minutes are still on their way
# Derived and the gateway's own figures come and go with what they are made from.
LEFT_OUT: Final = ("agent", "device")
GROUPS: Final = {
    "pot": Text(zh="电解槽", en="pots"),
    "potline": Text(zh="系列", en="series"),
    "rectifier": Text(zh="整流机组", en="rectifiers"),
    "meter": Text(zh="电能表", en="power meters"),
    "stack": Text(zh="烟气在线监测", en="stack monitoring"),
    "cems": Text(zh="数采仪数据", en="data logger"),
    "heat_recovery": Text(zh="余热换热器", en="heat exchangers"),
    "scrubber": Text(zh="干法净化", en="dry scrubbers"),
    "desulphurisation": Text(zh="脱硫", en="desulphurisation"),
    "water": Text(zh="水表", en="water"),
    "gas": Text(zh="燃气表", en="gas"),
    "heat": Text(zh="热量表", en="heat meters"),
    "pv": Text(zh="光伏", en="photovoltaics"),
    "green_power": Text(zh="绿电", en="green power"),
}

# One row a group: points that were there, and the time (s) for which they were good. Of a quantity
# that comes in several lengths (minutes and hours of a data logger) the shortest counts.
_SQL: Final = """
with mine as (
  select equipment, quantity, period_s, sum(good * period_s) as good_s
  from windows
  where epoch_ns(ts) >= {start} and epoch_ns(ts) < {end}
  group by equipment, quantity, period_s
), one as (
  select equipment, quantity, arg_min(good_s, period_s) as good_s
  from mine group by equipment, quantity
)
select split_part(equipment, '/', 1) as place, split_part(quantity, '.', 1) as kind,
       count(*) as points, count(distinct equipment) as machines, sum(good_s) as good_s
from one where split_part(quantity, '.', 1) not in ({left_out})
group by place, kind order by place, kind
"""


def completeness(office: Office) -> dict[str, Any]:
    """Yesterday, today and the month so far; per group and together."""
    now = plant_now()
    today = now.date()
    elapsed_s = max(0, int((now - Period.between(today, today).start).total_seconds()) - SETTLING_S)
    first = today.replace(day=1)
    begun = _edge(office, 0) or today  # nothing was due before anything was recorded
    days = [first + timedelta(days=n) for n in range((today - first).days)]
    days = [day for day in days if day >= begun]
    yesterday = today - timedelta(days=1)
    if office.site.lake is not None and not office.site.lake.is_dir():
        nothing = dict.fromkeys(("yesterday", "today", "month"))  # was received yet
        days_told = {"yesterday": yesterday, "first": first, "newest": None}
        return {**days_told, "groups": [], "whole": nothing}
    found: dict[date, list[dict[str, Any]]] = {}
    try:
        with open_series(office.site) as series:
            if not isinstance(series, LakeSeries):
                raise ConfigError([_no_lake()])
            for day in sorted({*days, yesterday}):
                found[day] = _whole_day(office, series, day)
            found[today] = _day(series, today)
    except SeriesError as error:
        raise ConfigError([str(error)]) from None
    spans = {
        "yesterday": {yesterday: DAY_S} if yesterday >= begun else {},
        "today": {today: elapsed_s},
        "month": {**dict.fromkeys(days, DAY_S), today: elapsed_s},
    }
    keys = sorted({(row["place"], row["kind"]) for rows in found.values() for row in rows})
    groups = [_group(key, found, spans) for key in keys]
    return {
        "yesterday": yesterday,
        "first": first,
        "groups": groups,
        "whole": {name: _together(groups, name) for name in spans},
        "newest": None if keys else _edge(office, -1),
    }


def _no_lake() -> str:
    return say(
        "数据完整性从数据湖统计；本厂 site.toml 用 [influxdb]，请改写 lake，或在数据浏览页查看",
        "completeness is counted in the lake; this site.toml names [influxdb]: name the lake too",
    )


def _group(
    key: tuple[str, str],
    found: dict[date, list[dict[str, Any]]],
    spans: dict[str, dict[date, int]],
) -> dict[str, Any]:
    rows = {
        day: row
        for day, all_ in found.items()
        for row in all_
        if (row["place"], row["kind"]) == key
    }
    points = max(row["points"] for row in rows.values())
    row: dict[str, Any] = {
        "place": key[0],
        "kind": key[1],
        "name": _name(key),
        "points": points,
        "machines": max(row["machines"] for row in rows.values()),
    }
    for name, days in spans.items():
        due_s = points * sum(days.values())
        good_s = sum(rows[day]["good_s"] for day in days if day in rows)
        row[name] = min(1.0, good_s / due_s) if due_s else None
        row[f"{name}_due_s"], row[f"{name}_good_s"] = due_s, min(good_s, due_s)
    return row


def _name(key: tuple[str, str]) -> str:
    words = GROUPS.get(key[1])
    return f"{key[0]} {say(words.zh, words.en) if words else key[1]}"


def _together(groups: list[dict[str, Any]], name: str) -> float | None:
    due_s = sum(group[f"{name}_due_s"] for group in groups)
    return sum(group[f"{name}_good_s"] for group in groups) / due_s if due_s else None


def _day(series: LakeSeries, day: date) -> list[dict[str, Any]]:
    period = Period.between(day, day)
    duck = series.reading("windows", period.start_ns, period.end_ns)
    if duck is None:
        return []
    left_out = ", ".join(f"'{name}'" for name in LEFT_OUT)
    text = _SQL.format(start=period.start_ns, end=period.end_ns, left_out=left_out)
    names = ("place", "kind", "points", "machines", "good_s")
    rows = [dict(zip(names, row, strict=True)) for row in duck.sql(text).fetchall()]
    return [row | {"good_s": float(row["good_s"] or 0)} for row in rows]


def _whole_day(office: Office, series: LakeSeries, day: date) -> list[dict[str, Any]]:
    """Counted once; again when the day's files are others: something came late."""
    files = series._paths("windows", *_ends(day))  # noqa: SLF001 - which files a day has
    stamp = sha256("\n".join([*files, *_sizes(files)]).encode()).hexdigest()[:16]
    folder = office.data / "completeness"
    path = folder / f"{day}.json"
    with suppress(OSError, ValueError, KeyError, TypeError):
        kept = json.loads(path.read_bytes())
        if kept["files"] == stamp:
            rows: list[dict[str, Any]] = kept["rows"]
            return rows
    rows = _day(series, day)
    folder.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.{os.getpid()}")
    new.write_text(json.dumps({"files": stamp, "made": time.time(), "rows": rows}), "utf-8")
    new.replace(path)
    return rows


def _ends(day: date) -> tuple[int, int]:
    period = Period.between(day, day)
    return period.start_ns, period.end_ns


def _sizes(files: Iterable[str]) -> list[str]:
    return [str(Path(file).stat().st_size) for file in files]


def _edge(office: Office, which: int) -> date | None:
    """The first (0) or the newest (-1) day the lake has."""
    if office.site.lake is None:
        return None
    folder = office.site.lake / "windows" / f"plant={office.site.plant}"
    days = sorted(path.name[4:] for path in folder.glob("day=*"))
    with suppress(ValueError, IndexError):
        return date.fromisoformat(days[which])
    return None
