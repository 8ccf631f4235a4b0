"""
Hours with minutes whose oxygen is too near that of air: what cannot be converted is shown as it is.

Such minutes count in amounts by their dry concentration; for the limit they have no value. An hour
with too few others is valid, and not judged: a person must say why there was so much air.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from reports.chapters import Cell, Table
from reports.emissions.figures import column, label_of, maybe
from reports.emissions.made import StackYear
from reports.emissions.states import HOUR_NS
from reports.model import Doubt
from reports.periods import clock_text
from reports.values import Text
from reports.words import short_text

LISTED: Final = 60


@dataclass(frozen=True, slots=True)
class _Run:
    """Hours one after the other, [first, after), of which some or all could not be judged."""

    pollutant: str
    first: int
    after: int


def unconverted_doubts(made: StackYear) -> Iterator[Doubt]:
    """Per pollutant how many valid hours were not held against the limit."""
    for name in made.stack.pollutants:
        hours, label = int(made.hours.pollutants[name].not_convertible.sum()), label_of(name)
        if hours:
            yield Doubt(
                line=f"{made.stack.id}.{name}_valid_hours",
                text=Text(
                    zh=f"{label.zh}：{hours} 个有效小时含氧量接近环境空气，无法折算，"
                    "未参与超标判定",
                    en=f"{label.en}: {hours} valid hours cannot be converted (O2 near that of "
                    "air) and were not judged",
                ),
            )


def unconverted_table(made: StackYear) -> Table | None:
    """Stretches of such hours with oxygen and dry concentration; None where there are none."""
    runs = [run for name in made.stack.pollutants for run in _runs(made, name)]
    if not runs:
        return None
    stack = made.stack
    near, initial = short_text(stack.near_o2), short_text(stack.initial_o2)
    more = len(runs) - LISTED
    left = Text(zh=f"另有 {more} 段未列出。", en=f" {more} more are not listed.")
    return Table(
        id=f"unconverted-{stack.id}",
        title=Text(zh=f"{stack.id} 无法折算的小时", en=f"{stack.id}: hours not converted"),
        columns=(
            column("污染物", "pollutant", width=14),
            column("开始", "from", width=16),
            column("结束", "to", width=16),
            column("小时数", "hours", "h", 0, 8),
            column("无法折算的分钟", "minutes not converted", "min", 0, 11),
            column("未判定小时", "hours not judged", "h", 0, 10),
            column("干基含氧量", "O2, dry", "%", 2, 9),
            column("标干浓度最大", "highest dry", "mg/m3", 2, 10),
        ),
        rows=tuple(_row(made, run) for run in runs[:LISTED]),
        note=Text(
            zh=f"干基含氧量与 {initial} % 相差不足 {near} 个百分点时折算无意义，不折算，也不截断；"
            "标干浓度为未折算的小时均值。排放量按标干浓度计，不受影响。"
            + (left.zh if more > 0 else ""),
            en=f"Nearer to {initial} % O2 than {near} points a conversion means nothing: none is "
            "made, and nothing is cut off. Dry is the hourly mean without conversion; amounts are "
            "made from it and stand." + (left.en if more > 0 else ""),
        ),
    )


def _runs(made: StackYear, pollutant: str) -> Iterator[_Run]:
    some = made.hours.pollutants[pollutant].unconverted > 0
    edges = np.flatnonzero(np.diff(np.concatenate([[False], some, [False]]).astype(np.int8)))
    for first, after in edges.reshape(-1, 2).tolist():
        yield _Run(pollutant, first, after)


def _row(made: StackYear, run: _Run) -> tuple[Cell, ...]:
    hours, at = made.hours, slice(run.first, run.after)
    each = hours.pollutants[run.pollutant]
    start_ns = int(hours.start_ns[run.first])
    end_ns = start_ns + (run.after - run.first) * HOUR_NS
    o2, dry = hours.o2[at], each.dry[at]
    return (
        label_of(run.pollutant),
        clock_text(start_ns)[:16],
        clock_text(end_ns)[:16],
        maybe(run.after - run.first),
        maybe(int(each.unconverted[at].sum())),
        maybe(int(each.not_convertible[at].sum())),
        maybe(float(np.nanmean(o2)), 2) if np.isfinite(o2).any() else None,
        maybe(float(np.nanmax(dry)), 2) if np.isfinite(dry).any() else None,
    )
