"""
``emissions`` against the truth of a simulated year: hours above limits, lost hours, amounts.

Read from report.json as anybody could: lines by id, tables by their English headings.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from drivers.language import say
from drivers.quantities import quantities
from simulators.compare import Deviation
from simulators.months import LOCAL

Table = list[dict[str, Any]]
EXACT = 1e-6  # relative: nothing is lost between the minutes and the report
Hours = set[tuple[str, str, str]]  # stack, pollutant, hour


@dataclass(frozen=True, slots=True)
class SmokeFindings:
    """Hours that the report has and the truth has not, and the other way; and its figures."""

    missed: tuple[str, ...]  # hours above a limit that the report does not have
    invented: tuple[str, ...]
    lost_missed: tuple[str, ...]  # hours that count for nothing, which the report takes as valid
    lost_invented: tuple[str, ...]
    forged: int  # forged marks that the report shows as contradicted
    forged_true: int
    figures: tuple[Deviation, ...]

    def good(self, allowed: float = EXACT) -> bool:
        hours = (self.missed, self.invented, self.lost_missed, self.lost_invented)
        near = all(x.share is not None and abs(x.share) <= allowed for x in self.figures)
        return not any(hours) and self.forged == self.forged_true and near


def smoke_findings(report: dict[str, Any], truth: dict[str, Any]) -> SmokeFindings:
    """
    Everything that both know of the stacks of the truth; ``report`` is of its whole period.

    Lost hours are compared one by one where the report lists its gaps one by one; a report with
    very many gaps sums them by month, and then their number is among the figures only.
    """
    content = report["content"]
    stacks: dict[str, Any] = truth["stacks"]
    above, lost = true_hours(stacks, "exceeded"), true_hours(stacks, "lost")
    shown = {x for x in hours_above(content) if x[0] in stacks}
    listed = {stack: hours_replaced(content, stack) for stack in stacks}
    replaced: Hours = set().union(*(x for x in listed.values() if x is not None))
    lost = {x for x in lost if listed[x[0]] is not None}
    return SmokeFindings(
        missed=_texts(above - shown),
        invented=_texts(shown - above),
        lost_missed=_texts(lost - replaced),
        lost_invented=_texts(replaced - lost),
        forged=sum(contradicted(content, one) for one in truth["forged"]),
        forged_true=len(truth["forged"]),
        figures=tuple(figures(content, stacks)),
    )


def _texts(hours: Hours) -> tuple[str, ...]:
    return tuple(" ".join(hour) for hour in sorted(hours))


def true_hours(stacks: dict[str, Any], which: str) -> Hours:
    """``exceeded``; or ``lost``: all that are neither valid nor of a source that stood."""
    found: Hours = set()
    for stack, told in stacks.items():
        for name, one in told["pollutants"].items():
            if which == "exceeded":
                hours = one["exceeded"]
            else:
                hours = [x["hour"] for x in one["hours"] if x["state"] != "stopped"]
            found |= {(stack, name, hour[:16]) for hour in hours}
    return found


def hours_above(content: dict[str, Any]) -> Hours:
    """Every hour of the stretches above a limit that the report judges."""
    names = pollutants()
    return {
        (row["stack"], names[row["pollutant"]], hour)
        for row in rows_of(content, "exceedances")
        for hour in _hours(row)
    }


def hours_replaced(content: dict[str, Any], stack: str) -> Hours | None:
    """Every hour without data, with a stand-in or none; None where gaps are summed by month."""
    names = pollutants()
    found: Hours = set()
    for row in rows_of(content, f"substitution-{stack}"):
        if "from" not in row:
            return None
        mine = [names[head] for head, kg in row.items() if head in names and kg is not None]
        found |= {(stack, name, hour) for name in mine for hour in _hours(row)}
    return found


def _hours(row: dict[str, Any]) -> Iterator[str]:
    """Of a row that says ``from`` and how many ``hours``: ``2025-04-17T13:00``."""
    first = datetime.fromisoformat(row["from"]).replace(tzinfo=LOCAL)
    for number in range(round(float(row["hours"]))):
        yield (first + timedelta(hours=number)).isoformat(timespec="minutes")[:16]


def pollutants() -> dict[str, str]:
    """Names of the dictionary by their English label."""
    return {
        quantity.en: name.partition(".")[2]
        for name, quantity in quantities().items()
        if name.startswith("stack.")
    }


def rows_of(content: dict[str, Any], table: str) -> Table:
    """Rows of a table of the report by English headings and texts; none when it is not there."""
    for chapter in content["chapters"]:
        for block in chapter["blocks"]:
            if block.get("id") == table:
                heads = [column["label"]["en"] for column in block["columns"]]
                return [dict(zip(heads, map(_text, row), strict=True)) for row in block["rows"]]
    return []


def _text(cell: Any) -> Any:
    if isinstance(cell, dict):
        return cell.get("en", cell.get("value"))
    return cell


def contradicted(content: dict[str, Any], forged: dict[str, Any]) -> bool:
    """True when the report lists the forged mark and says that the data speak against it."""
    begin = forged["begin"][:16].replace("T", " ")
    return any(
        row["from"] == begin
        and row["number"] != "—"
        and str(row["what the data say"]).startswith("contradicted")
        for row in rows_of(content, f"marks-{forged['stack']}")
    )


def figures(content: dict[str, Any], stacks: dict[str, Any]) -> Iterator[Deviation]:
    """Of each stack and pollutant, for the whole and for each month."""
    values = {line["id"]: line["value"] for line in content["lines"]}
    for stack, told in stacks.items():
        line = f"{stack}.flow_total"
        label = say("标干烟气量", "dry gas")
        yield Deviation(line, label, "Nm3", values.get(line), told["flow_nm3"])
        for name, one in told["pollutants"].items():
            parts = [("", one["total"])]
            if len(one["months"]) > 1:  # a report of one month has no lines of months
                parts += [(f"@{month}", sums) for month, sums in one["months"].items()]
            for ending, sums in parts:
                yield from _of_pollutant(f"{stack}.{name}", ending, sums, values)


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _of_pollutant(
    scope: str, ending: str, sums: dict[str, float], values: dict[str, float | None]
) -> Iterator[Deviation]:
    total = sums["measured_t"] + sums["substituted_t"]
    if sums["lost_hours"] > sums["substituted_hours"]:
        total = math.nan  # hours without data and without a stand-in: the report must not add up
    for name, label, unit, true in (
        ("total", say("排放量", "mass emitted"), "t", total),
        ("capture", say("捕集率", "capture rate"), "fraction", sums["capture"]),
        ("exceeded_hours", say("超标小时", "hours above"), "h", sums["exceeded_hours"]),
        ("hour_max", say("最大小时均值", "highest hour"), "mg/m3", _number(sums["hour_max"])),
        ("substituted_hours", say("替代小时", "hours replaced"), "h", sums["substituted_hours"]),
    ):
        line = f"{scope}_{name}{ending}"
        yield Deviation(line, label, unit, values.get(line), true)
    if not ending:
        valid, mass = sums["valid_hours"], sums["substituted_t"]
        hours = say("有效小时", "valid hours")
        yield Deviation(
            f"{scope}_valid_hours", hours, "h", values.get(f"{scope}_valid_hours"), valid
        )
        told = values.get(f"{scope}_substituted")
        yield Deviation(f"{scope}_substituted", say("替代排放量", "stand-ins"), "t", told, mass)
