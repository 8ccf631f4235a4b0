"""
The first stack of a simulated plant's year: planted, and kept as an archive keeps it.

The control system's history has hours until the end of September; from October on the gateway was
there and has minutes. The plan is the usual one without what would stop the potline.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from simulators.months import LOCAL
from simulators.smoke import StackMinutes
from simulators.smoke_files import SmokeYear, simulate_smoke, truth_json, write_minutes
from simulators.smoke_officer import write_journal_table
from simulators.smoke_plan import RUNNING, plan_of_year
from simulators.smoke_site import design_of
from simulators.smoke_truth import ENOUGH
from simulators.truth import write
from simulators.wander import Floats
from simulators.year import STATE, Hours, MonthOfYear, Year

STOPS = ("shut_down", "stop", "start_up")
USUAL = {"pm": 3.6, "so2": 19.0, "nox": 5.0, "fluoride": 0.55}
GATEWAY_FROM = 10  # month


def smoke_of_year(year: Year) -> SmokeYear:
    """The stack of the first potline, which runs throughout."""
    plan = plan_of_year(year.year, year.plant.scenario.seed)
    design = replace(design_of(year.plant.sections[0]), usual=USUAL)
    kept = tuple(one for one in plan.happenings if one.kind not in STOPS)
    return simulate_smoke(replace(plan, stacks=(design,), happenings=kept))


def lay_in(months: list[MonthOfYear], made: SmokeYear) -> None:
    """Puts the hours of the planted stack in the place of the plain ones; from October on none."""
    stack = made.stacks[0]
    hours = hourly(stack)
    for month in months:
        own = [point for point in month.hours if _same(point, stack) or point in hours]
        for point in own:
            del month.hours[point]
        if int(month.month[5:]) >= GATEWAY_FROM:
            continue
        first = round((month.begin_s - float(stack.time_s[0])) / 3600)
        count = round((_after(month) - month.begin_s) / 3600)
        for point, values in hours.items():
            month.hours[point] = [Hours(month.begin_s, values[first : first + count])]


def _same(point: str, stack: StackMinutes) -> bool:
    return point.startswith(f"{stack.design.equipment} ")


def _after(month: MonthOfYear) -> float:
    begin = datetime.fromtimestamp(month.begin_s, LOCAL)
    return (begin.replace(day=1) + timedelta(days=32)).replace(day=1).timestamp()


def hourly(stack: StackMinutes) -> dict[str, Floats]:
    """What an archive of hours holds: means of running minutes, nothing where they are too few."""
    there = (stack.there & ~stack.off).reshape(-1, 60)
    runs = there & (stack.state == RUNNING).reshape(-1, 60)
    found: dict[str, Floats] = {}
    for point, values in stack.shown.items():
        if point.startswith("line"):  # the potline's own history has it
            continue
        state = point.endswith(STATE) or not _same(point, stack)
        use = there if state else runs
        count = use.sum(axis=1)
        total = np.where(use, np.nan_to_num(values.reshape(-1, 60)), 0.0).sum(axis=1)
        mean = total / np.maximum(count, 1)
        found[point] = np.where(count >= ENOUGH, mean, np.nan)
    return found


def write_smoke_year(folder: Path, office: Path, made: SmokeYear) -> int:
    """Minutes from October on, truth and the officer's journal; returns the rows of minutes."""
    name = str(made.plan.begin.year)
    begin_s = datetime(made.plan.begin.year, GATEWAY_FROM, 1, tzinfo=LOCAL).timestamp()
    late = SmokeYear(made.plan, tuple(since(stack, begin_s) for stack in made.stacks), ())
    rows = write_minutes(folder / f"smoke-{name}.parquet", late)
    write(folder / f"truth-smoke-{name}.json", truth_json(made) | {"history_rows": rows})
    write_journal_table(office / "journal", made)
    return rows


def since(stack: StackMinutes, begin_s: float) -> StackMinutes:
    """The later part; the current of the potline is left to the potline's history."""
    at = stack.time_s >= begin_s
    return replace(
        stack,
        time_s=stack.time_s[at],
        state=stack.state[at],
        there=stack.there[at],
        off=stack.off[at],
        shown={
            point: values[at]
            for point, values in stack.shown.items()
            if not point.startswith("line")
        },
    )
