"""Tables of values: the summary, hours of a day, days of a month, months, captures, stand-ins."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import date
from decimal import Decimal
from typing import Final

import numpy as np

from drivers.quantities import quantities
from reports.assembly import Assembly
from reports.chapters import Cell, Column, Signed, Table
from reports.citations import MeterUse
from reports.emissions.amounts import NO_VALUE, Capture, Gap, quarters
from reports.emissions.figures import column, label_of, maybe
from reports.emissions.made import StackYear
from reports.emissions.means import Days, days_of, month_of
from reports.emissions.states import HOUR_NS, State
from reports.emissions.words import STATES, method_text, with_analogy
from reports.periods import Period, clock_text
from reports.values import Text

DAYS: Final = tuple(field.name for field in fields(Days))
LISTED: Final = 60  # gaps that are listed one by one
_SHORT: Final = {
    State.VALID: Text(zh="有效", en="valid"),
    State.INVALID: STATES["invalid"],
    State.MISSING: Text(zh="缺失", en="missing"),
    State.EXCLUDED: STATES["mark"],
    State.OUT_OF_CONTROL: STATES["out_of_control"],
    State.STOPPED: STATES["stopped"],
    State.OUTSIDE: STATES["outside"],
}


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
            lost = each.not_convertible[n]
            word = STATES["not_convertible"] if lost else _SHORT[State(int(each.state[n]))]
            cells += [maybe(value, 2), word, maybe(kg, 3)]
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
        note=with_analogy(
            Text(
                zh="捕集率 =（季度小时数-停运-无效）/（季度小时数-停运）；"
                "排放量替代按流量与浓度均有效的小时计算的捕集率分档。",
                en="(hours - stopped - invalid) / (hours - stopped); stand-ins for amounts go by "
                "the rate of hours in which both concentration and flow are valid.",
            ),
            [n for made in stacks for n in made.stack.pollutants],
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
    """Gaps of the period and what stands in for them; of a long list the sums of each month."""
    period, names = made.hours.period, made.stack.pollutants
    found: dict[tuple[int, int, int, str], dict[str, Gap]] = {}
    for name in names:
        for gap in made.gaps(name, period):
            found.setdefault((gap.first, gap.hours, gap.length, gap.code), {})[name] = gap
    if not found:
        return None
    many = len(found) > LISTED
    rows = _by_month(made, found) if many else _by_gap(made, found)
    first = ("月份", "month", "") if many else ("开始", "from", "")
    title = Text(zh=f"{made.stack.id} 排放量替代", en=f"{made.stack.id}: stand-ins")
    more = Text(
        zh=f"共 {len(found)} 段，按月合计；逐段见各月报告。" if many else "",
        en=f"{len(found)} gaps, summed by month; one by one in the reports of the months. "
        if many
        else "",
    )
    return Table(
        id=f"substitution-{made.stack.id}",
        title=title,
        columns=(
            column(*first, width=16),
            column("小时", "hours", "h", 0, 7),
            column("连续缺失", "longest gap", "h", 0, 8),
            column("方法", "method", width=34),
            *(column(label_of(n).zh, label_of(n).en, "kg", 3, 10) for n in names),
        ),
        rows=tuple(rows),
        note=with_analogy(
            Text(
                zh=f"{more.zh}只替代小时排放量，不替代浓度和烟气参数；取值为回溯时段内的最大小时排放量"
                "乘以缺失小时数。跨出本报告期的缺失按其全部小时列出。",
                en=f"{more.en}Only hourly amounts are replaced, no concentrations: the highest "
                "hour looked back on, times the hours. A gap that reaches beyond the period is "
                "listed with all its hours.",
            ),
            names,
        ),
    )


_NOTHING: Final = Text(zh="无", en="none")
Found = Mapping[tuple[int, int, int, str], Mapping[str, Gap]]


def _by_gap(made: StackYear, found: Found) -> Iterator[tuple[Cell, ...]]:
    for (first, hours, length, code), gaps in sorted(found.items()):
        start = clock_text(int(made.wide.start_ns[first]))[:16]
        cells = [_stand_in(gaps.get(name), hours) for name in made.stack.pollutants]
        yield start, maybe(hours), maybe(length), method_text(code), *cells


def _stand_in(gap: Gap | None, hours: int) -> Cell:
    """Mass in the place of a gap, kg; a word where nothing may stand there; None without a gap."""
    if gap is None:
        return None
    return _NOTHING if gap.kg is None else maybe(gap.kg * hours, 3)


def _by_month(made: StackYear, found: Found) -> Iterator[tuple[Cell, ...]]:
    sums: dict[tuple[str, str], list[tuple[int, int, Mapping[str, Gap]]]] = {}
    for (first, hours, length, code), gaps in sorted(found.items()):
        month = clock_text(int(made.wide.start_ns[first]))[:7]
        sums.setdefault((month, code), []).append((hours, length, gaps))
    for (month, code), parts in sorted(sums.items()):
        cells: list[Cell] = []
        for name in made.stack.pollutants:
            kg = [(gaps[name].kg, hours) for hours, _, gaps in parts if name in gaps]
            total = sum(value * hours for value, hours in kg if value is not None)
            cells.append(maybe(total, 3) if kg and code != NO_VALUE else None)
        hours, longest = sum(part[0] for part in parts), max(part[1] for part in parts)
        yield month, maybe(hours), maybe(longest), method_text(code), *cells


def sources_table(sources: Sequence[MeterUse], months: Sequence[Period]) -> Table:
    """One row per point and log."""
    rows = [
        (
            meter.equipment,
            Text(zh=quantities()[meter.quantity].zh, en=quantities()[meter.quantity].en),
            meter.quantity,
            Decimal(meter.windows),
            *_batches(meter),
        )
        for meter in sources
    ]
    span = f"{months[0].first} – {months[-1].days[-1]}" if months else ""
    return Table(
        id="points",
        title=Text(zh="测点与数据批次", en="Points and batches"),
        columns=(
            column("设备", "equipment", width=14),
            column("量", "quantity", width=22),
            column("名称", "name", width=22),
            column("窗口数", "windows", "", 0, 9),
            column("批次", "batches", width=40),
        ),
        rows=tuple(rows),
        note=Text(
            zh=f"整月统计：{span}。"
            "逐分钟追溯：smelter trace 报告文件 结果编号 --at 2026-10-05T08:01。",
            en=f"Whole months: {span}. Minute by minute: smelter trace REPORT LINE --at "
            "2026-10-05T08:01.",
        ),
    )


def _batches(meter: MeterUse) -> tuple[str]:
    found = [f"{b.gateway} {b.log} {b.first_seq}–{b.last_seq}" for b in meter.batches]
    return (", ".join(found) or "—",)
