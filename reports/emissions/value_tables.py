"""Tables of values: the summary, hours of a day, days of a month, months, captures, stand-ins."""

from collections.abc import Iterator, Sequence
from dataclasses import fields
from datetime import date
from typing import Final

import numpy as np

from reports.assembly import Assembly
from reports.chapters import Cell, Column, Signed, Table
from reports.emissions.amounts import Capture, quarters
from reports.emissions.made import StackYear, label_of, maybe
from reports.emissions.means import Days, days_of, month_of
from reports.emissions.states import HOUR_NS, State
from reports.emissions.words import STATES, method_text
from reports.periods import Period, clock_text
from reports.values import Text

DAYS: Final = tuple(field.name for field in fields(Days))
_SHORT: Final = {
    State.VALID: Text(zh="有效", en="valid"),
    State.INVALID: STATES["invalid"],
    State.MISSING: Text(zh="缺失", en="missing"),
    State.EXCLUDED: STATES["mark"],
    State.OUT_OF_CONTROL: STATES["out_of_control"],
    State.STOPPED: STATES["stopped"],
    State.OUTSIDE: STATES["outside"],
}


def column(
    zh: str, en: str, unit: str = "", decimals: int | None = None, width: int = 11
) -> Column:
    """A column by its names."""
    return Column(label=Text(zh=zh, en=en), unit=unit, decimals=decimals, width=width)


def summary_table(assembly: Assembly, stacks: Sequence[StackYear]) -> Table:
    """One row per stack and pollutant; numbers are lines of the report."""

    def signed(made: StackYear, name: str) -> Signed:
        identity = f"{made.stack.id}.{name}"
        return Signed(of=identity, value=assembly.lines[identity].rounded)

    rows = [
        (
            made.stack.id,
            label_of(name),
            _limit_text(made, name),
            signed(made, f"{name}_hour_max"),
            signed(made, f"{name}_hour_mean"),
            signed(made, f"{name}_valid_hours"),
            signed(made, f"{name}_exceeded_hours"),
            signed(made, f"{name}_capture"),
            signed(made, f"{name}_total"),
            signed(made, f"{name}_substituted_hours"),
        )
        for made in stacks
        for name in made.stack.pollutants
    ]
    return Table(
        id="summary",
        title=Text(zh="各排放口汇总", en="All stacks"),
        columns=(
            column("排放口", "stack", width=9),
            column("污染物", "pollutant", width=12),
            column("小时限值", "hourly limit", "mg/m3", None, 9),
            column("最大小时均值", "highest hour", "mg/m3", 2, 10),
            column("平均", "mean", "mg/m3", 2, 9),
            column("有效小时", "valid hours", "h", 0, 9),
            column("超标小时", "above limit", "h", 0, 9),
            column("捕集率", "capture", "", 4, 9),
            column("排放量", "emitted", "t", 4, 11),
            column("替代小时", "replaced", "h", 0, 9),
        ),
        rows=tuple(rows),
    )


def _limit_text(made: StackYear, name: str) -> str:
    """The limit, or those in force one after the other."""
    days = made.hours.days
    found = dict.fromkeys(
        format(limit.hour_mg_m3.normalize(), "f") if limit else "—"
        for limit in (made.stack.limit(name, day) for day in days)
    )
    return " → ".join(found)


def hours_table(made: StackYear) -> Table:
    """Of a day: every hour with its mean and what it counts as."""
    hours, names = made.hours, made.stack.pollutants
    rows: list[tuple[Cell, ...]] = []
    for n, start_ns in enumerate(hours.start_ns.tolist()):
        cells: list[Cell] = [clock_text(start_ns)[11:16]]
        for name in names:
            each = hours.pollutants[name]
            kg = made.kg(name, hours.period)[n]
            value = each.converted[n] if each.valid[n] else np.nan
            cells += [maybe(value, 2), _SHORT[State(int(each.state[n]))], maybe(kg, 3)]
        cells += [maybe(hours.flow[n], 0), maybe(hours.o2[n], 2), maybe(hours.temperature[n], 1)]
        rows.append((*cells, maybe(hours.humidity[n], 2)))
    return Table(
        id=f"hours-{made.stack.id}",
        title=Text(zh=f"{made.stack.id} 逐时数据", en=f"{made.stack.id}: hours"),
        columns=(
            column("时", "hour", width=7),
            *(c for name in names for c in _of_pollutant(name, ("状态", "state", ""), "kg")),
            *_GAS,
        ),
        rows=tuple(rows),
    )


_GAS: Final = (
    column("标干流量", "dry flow", "Nm3/h", 0, 10),
    column("含氧量", "O2, dry", "%", 2, 8),
    column("烟温", "temperature", "degC", 1, 8),
    column("含湿量", "moisture", "%", 2, 8),
)


def _of_pollutant(name: str, what: tuple[str, str, str], mass: str) -> Iterator[Column]:
    label = label_of(name)
    yield column(f"{label.zh} 均值", f"{label.en}, mean", "mg/m3", 2, 10)
    yield column(f"{label.zh} {what[0]}", f"{label.en}, {what[1]}", what[2], 0, 10)
    yield column(f"{label.zh} 排放量", f"{label.en}, mass", mass, 3, 10)


def days_table(made: StackYear) -> Table:
    """Of a month: every day with its mean, valid hours and amount."""
    names = made.stack.pollutants
    days = {name: days_of(made.hours, name, made.rules) for name in names}
    rows: list[tuple[Cell, ...]] = []
    for n, day in enumerate(made.hours.days):
        cells: list[Cell] = [str(day)]
        for name in names:
            each = days[name]
            value = each.converted[n] if each.valid[n] else None
            cells += [maybe(value, 2), maybe(each.hours[n], 0), _kg(made, name, day)]
        rows.append(tuple(cells))
    return Table(
        id=f"days-{made.stack.id}",
        title=Text(zh=f"{made.stack.id} 逐日数据", en=f"{made.stack.id}: days"),
        columns=(
            column("日期", "day", width=11),
            *(c for name in names for c in _of_pollutant(name, ("有效小时", "valid", "h"), "kg")),
        ),
        rows=tuple(rows),
        note=Text(
            zh=f"日均值须有至少 {made.rules.hours:g} 个有效小时，否则不给出；排放量含替代值。",
            en=f"A day needs {made.rules.hours:g} valid hours for a mean; mass with stand-ins.",
        ),
    )


def _kg(made: StackYear, name: str, day: date) -> Cell:
    kg = made.kg(name, Period.between(day, day))
    return None if np.isnan(kg).any() else maybe(float(kg.sum()), 3)


def months_table(made: StackYear, months: Sequence[Period]) -> Table:
    """Month means, by the count of valid days."""
    rows: list[tuple[Cell, ...]] = []
    for name in made.stack.pollutants:
        days = days_of(made.hours, name, made.rules)
        for month in months:
            first = (month.first - made.hours.period.first).days
            at = slice(first, first + len(month.days))
            part = Days(**{key: getattr(days, key)[at] for key in DAYS})
            mean = month_of(part, month, made.rules)
            high = part.highest[np.isfinite(part.highest)]
            row = (label_of(name), str(month), maybe(mean.days), maybe(mean.converted, 2))
            rows.append((*row, maybe(float(high.max()), 2) if len(high) else None))
    return Table(
        id=f"months-{made.stack.id}",
        title=Text(zh=f"{made.stack.id} 月均值", en=f"{made.stack.id}: months"),
        columns=(
            column("污染物", "pollutant", width=14),
            column("月份", "month", width=12),
            column("有效日数", "valid days", "d", 0),
            column("月均值", "mean", "mg/m3", 2),
            column("最大小时均值", "highest hour", "mg/m3", 2),
        ),
        rows=tuple(rows),
        note=Text(
            zh=f"有效月须有至少 {made.rules.month_days.number:f} 个有效日"
            f"（2 月 {made.rules.month_days_february.number:f} 个）；月均值为有效日均值的平均。",
            en=f"A month needs {made.rules.month_days.number:f} valid days (February "
            f"{made.rules.month_days_february.number:f}); its mean is that of the valid days.",
        ),
    )


def capture_table(stacks: Sequence[StackYear]) -> Table:
    """Every quarter that the report touches, as far as it is known."""
    rows: list[tuple[Cell, ...]] = []
    for made in stacks:
        for name in made.stack.pollutants:
            amounts = made.amounts[name]
            for quarter, at in quarters(made.wide):
                got = amounts.captures[quarter]
                row = (made.stack.id, label_of(name), str(quarter), *_captured(got))
                rows.append((*row, _so_far(made, amounts.known, at)))
    return Table(
        id="captures",
        title=Text(zh="季度有效数据捕集率", en="Capture rates of the quarters"),
        columns=(
            column("排放口", "stack", width=9),
            column("污染物", "pollutant", width=12),
            column("季度", "quarter", width=9),
            column("小时数", "hours", "h", 0, 8),
            column("停运", "stopped", "h", 0, 8),
            column("无效或缺失", "invalid", "h", 0, 10),
            column("捕集率", "capture", "%", 2, 9),
            column("含流量的捕集率", "with flow", "%", 2, 11),
            column("季度未完，计至", "so far, to", width=16),
        ),
        rows=tuple(rows),
        note=Text(
            zh="捕集率 =（季度小时数-停运-无效）/（季度小时数-停运）；"
            "排放量替代按流量与浓度均有效的小时计算的捕集率分档。",
            en="(hours - stopped - invalid) / (hours - stopped); stand-ins for amounts go by the "
            "rate of hours in which both concentration and flow are valid.",
        ),
    )


def _so_far(made: StackYear, known: int, quarter: slice) -> str:
    """Up to when a quarter counts that is not known to its end."""
    if quarter.stop <= known:
        return "—"
    return clock_text(int(made.wide.start_ns[0]) + known * HOUR_NS)[:16]


def _captured(got: Capture) -> tuple[Cell, ...]:
    rate, whole = got.rate, got.amount_rate
    return (
        maybe(got.hours),
        maybe(got.stopped),
        maybe(got.counted - got.valid),
        None if rate is None else round(rate * 100, 2),
        None if whole is None else round(whole * 100, 2),
    )


def substitution_table(made: StackYear) -> Table | None:
    """Every gap of the period, and what stands in for it."""
    period = made.hours.period
    rows: list[tuple[Cell, ...]] = []
    for name in made.stack.pollutants:
        for gap in made.gaps(name, period):
            start_ns = int(made.wide.start_ns[gap.first])
            total = None if gap.kg is None else maybe(gap.kg * gap.hours, 3)
            rows.append(
                (
                    label_of(name),
                    clock_text(start_ns)[:16],
                    maybe(gap.hours),
                    maybe(gap.length),
                    method_text(gap.code),
                    maybe(gap.looked_back),
                    maybe(gap.kg, 4),
                    total,
                )
            )
    if not rows:
        return None
    return Table(
        id=f"substitution-{made.stack.id}",
        title=Text(zh=f"{made.stack.id} 排放量替代", en=f"{made.stack.id}: stand-ins"),
        columns=(
            column("污染物", "pollutant", width=12),
            column("开始", "from", width=16),
            column("小时", "hours", "h", 0, 7),
            column("连续缺失", "whole gap", "h", 0, 8),
            column("方法", "method", width=34),
            column("回溯到的有效小时", "hours looked back on", "h", 0, 10),
            column("每小时替代值", "an hour", "kg", 4, 10),
            column("合计", "together", "kg", 3, 10),
        ),
        rows=tuple(rows),
        note=Text(
            zh="只替代小时排放量，不替代浓度和烟气参数。跨出本报告期的缺失按其全部小时列出。",
            en="Only hourly amounts are replaced, no concentrations. A gap that reaches beyond the "
            "period is listed with all its hours.",
        ),
    )
