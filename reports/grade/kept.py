"""Evidence that records are really kept: the archive is asked, point by point and day by day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Final

import numpy as np

from reports.emissions.minutes import points_of
from reports.emissions.states import Bools
from reports.grade.bench import Bench, figure
from reports.grade.evidence import Retention
from reports.grade.findings import Case, Finding, Status, unknown
from reports.grade.running import dcs_points, used
from reports.periods import PLANT_TIME, Period
from reports.site import Meter
from reports.site_stacks import Stack
from reports.trace.originals import OriginalsError, oldest_batch
from reports.values import Text

CASES: Final = 200
_STORES: Final = {"lake": "历史数据存档（Parquet）", "influxdb": " InfluxDB"}  # as Chinese says it
CHUNK: Final = 366  # days asked of the store at once


@dataclass(frozen=True, slots=True)
class _Kept:
    """Days of a point that are in the archive, of those asked for."""

    point: Meter
    oldest: date | None
    holes: tuple[Period, ...]
    hours_missing: int  # outside of those holes
    due: Period  # the part of the days asked for in which its stack or line worked

    @property
    def days(self) -> int:
        return len(self.due.days) - sum(len(hole.days) for hole in self.holes)

    @property
    def whole(self) -> bool:
        return self.oldest is not None and not self.holes


def retention(bench: Bench, industry: str, asked: Retention) -> Finding:
    """Every plant day of the last ``days`` in which its stack or line worked, of every point."""
    points = _points(bench, industry, asked.of)
    if not points:
        return unknown("site.toml 未列可查的点", "site.toml names no points to look for", "set_up")
    wanted = Period.between(bench.day - timedelta(days=asked.days - 1), bench.day)
    kept = _look(bench, points, wanted)
    if not kept:
        return unknown("所查的点在该时段均未投用", "none of the points was in use then", "set_up")
    first = [each.oldest for each in kept if each.oldest is not None]
    worst = min(kept, key=lambda each: (each.days - len(each.due.days), each.days))
    whole = all(each.whole for each in kept)
    label = Text(
        zh=f"{asked.of.upper()} 数据实际留存天数（最少的点）",
        en=f"Days of {asked.of.upper()} data really kept, of the worst point",
    )
    line = bench.line(
        figure("plant", f"{asked.of}_days_kept_of_{asked.days}", label, "d", 0),
        Decimal(worst.days),
        [used(bench, each.point) for each in kept],
    )
    return Finding(
        Status.PROVEN if whole else Status.FAILED,
        _text(bench, kept, worst, wanted, min(first) if first else None),
        Decimal(worst.days),
        "d",
        0,
        (line,),
        tuple(_cases(kept))[:CASES],
        effort="" if whole else "wait",
    )


def _points(bench: Bench, industry: str, of: str) -> tuple[Meter, ...]:
    if of == "dcs":
        return dcs_points(bench, industry)
    found: dict[Meter, None] = {}
    for stack in bench.stacks(industry):
        found |= dict.fromkeys(stack.cems_points or _instruments(bench, stack))
    return tuple(found)


def _instruments(bench: Bench, stack: Stack) -> tuple[Meter, ...]:
    """What the instruments of a stack measure, of those the store knows at all."""
    names = {f"stack.{name}" for name in stack.pollutants} | set(stack.measured)
    mine = [p for p in points_of(bench.basis.site, stack) if p.quantity in names]
    known = [hours.point for hours in bench.points(mine) if hours.there.any()]
    pollutants = {f"stack.{name}" for name in stack.pollutants if name != "nox"}
    asked = [p for p in mine if p in known or p.quantity in pollutants]
    return tuple(dict.fromkeys(asked))


def _look(bench: Bench, points: Sequence[Meter], wanted: Period) -> list[_Kept]:
    there = {point: np.zeros(0, dtype=bool) for point in points}
    first = wanted.first
    while first < wanted.after:
        after = min(first + timedelta(days=CHUNK), wanted.after)
        for hours in bench.points(points, Period(first, after)):
            there[hours.point] = np.concatenate([there[hours.point], hours.there])
        first = after
    lives = {point: _life(bench, point, wanted) for point in points}
    return [
        _kept(point, there[point][24 * (life.first - wanted.first).days :][: life.hours], life)
        for point, life in lives.items()
        if life is not None
    ]


def _life(bench: Bench, point: Meter, wanted: Period) -> Period | None:
    """The days asked for in which a stack or line that the point belongs to worked; None: never."""
    site = bench.basis.site
    spans = [
        stack.within(wanted.first, wanted.after)
        for stack in site.stacks
        if point.equipment == stack.equipment
        or point in {*stack.cems_points, *stack.controls, stack.production}
    ]
    area = point.equipment.partition("/")[0]
    spans += [
        (max(wanted.first, line.started), min(wanted.after, line.stopped or wanted.after))
        for line in site.potline
        if line.id == area
    ]
    if not spans:
        return wanted
    working = [span for span in spans if span[0] < span[1]]
    if not working:
        return None
    return Period(min(first for first, _ in working), max(after for _, after in working))


def _kept(point: Meter, there: Bools, wanted: Period) -> _Kept:
    by_day = there.reshape(-1, 24)
    days: Bools = np.asarray(by_day.any(axis=1), dtype=bool)
    if not days.any():
        return _Kept(point, None, (wanted,), 0, wanted)
    oldest = wanted.days[int(np.flatnonzero(days)[0])]
    holes = []
    for empty, group in groupby(enumerate(bool(day) for day in days), key=lambda each: not each[1]):
        run = [n for n, _ in group]
        if empty:
            holes.append(Period.between(wanted.days[run[0]], wanted.days[run[-1]]))
    return _Kept(point, oldest, tuple(holes), int((~by_day[days]).sum()), wanted)


def _cases(kept: Sequence[_Kept]) -> list[Case]:
    return [
        Case(
            str(each.point),
            hole.start_ns,
            hole.end_ns,
            Text(
                zh=f"缺 {len(hole.days)} 天，存档中没有任何窗口",
                en=f"{len(hole.days)} days without any window in the archive",
            ),
        )
        for each in kept
        for hole in each.holes
    ]


def _text(
    bench: Bench, kept: Sequence[_Kept], worst: _Kept, asked: Period, oldest: date | None
) -> Text:
    have, wanted = worst.days, len(worst.due.days)
    loose = sum(each.hours_missing for each in kept)
    store = bench.basis.series.name
    since = _oldest_batch(bench.basis.site.originals)
    zh = f"查询{_STORES.get(store, store)}：{len(kept)} 个点，最少 {have}/{wanted} 天，"
    zh += f"最早 {oldest or '无'}"
    en = f"asked {store}: {len(kept)} points, least {have} of {wanted} days, oldest {oldest}"
    shorter = [each for each in kept if len(each.due.days) < len(asked.days)]
    if shorter:
        count, days = len(shorter), len(asked.days)
        zh += f"；其中 {count} 个点按其排放口或系列的投用期计（不足 {days} 天）"
        en += f"; {count} of them only while their stack or line worked (less than {days} days)"
    if loose:
        zh, en = f"{zh}；另有零散缺失 {loose} 小时", f"{en}; besides {loose} single hours missing"
    if since is not None:
        zh, en = f"{zh}；原始批次最早 {since}", f"{en}; oldest original batch {since}"
    return Text(zh=zh, en=en)


def _oldest_batch(root: Path | None) -> date | None:
    """Day of the oldest batch of any record log of the originals; None when there are none."""
    if root is None or not root.is_dir():
        return None
    found = []
    for folder in sorted(root.glob("*/*/record/*/")):
        try:
            closed_ns = oldest_batch(folder)
        except OriginalsError:
            continue
        found.append(datetime.fromtimestamp(closed_ns // 10**9, PLANT_TIME).date())
    return min(found, default=None)
