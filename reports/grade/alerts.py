"""What was done in an alert against what the plan promises: energy, pots, lines, fuel, the gate."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

import numpy as np

from drivers.model import Floats
from drivers.quantities import quantities
from reports.assembly import Argument
from reports.emissions.states import HOUR_NS, Bools, day_of
from reports.grade.alert_plan import AlertPlan, Measure, Plan, plan_on
from reports.grade.bench import Bench, Hours, figure
from reports.grade.ours import ours
from reports.grade.running import used
from reports.journal.record import Record
from reports.periods import PLANT_TIME, Period
from reports.site import Meter, Potline
from reports.values import Text
from reports.words import rounded

DUST: Final = 1e-9  # of float sums
HALF_A_POT: Final = 0.5  # hourly means of a count of pots are not whole


class Kept(StrEnum):
    """Whether a promise was kept; nobody can tell is unknown."""

    KEPT = "kept"
    BROKEN = "broken"
    UNKNOWN = "unknown"


KEPT_TEXT: Final = {
    Kept.KEPT: Text(zh="已落实", en="kept"),
    Kept.BROKEN: Text(zh="未落实", en="not kept"),
    Kept.UNKNOWN: Text(zh="未知", en="unknown"),
}


@dataclass(frozen=True, slots=True)
class Curve:
    """What proves a measure by the hour, before and during the alert, and the level due."""

    start_ns: int
    values: Floats
    due: float | None
    unit: str


@dataclass(frozen=True, slots=True)
class Done:
    """
    A measure in an alert. ``baseline``, ``due`` and ``actual`` in ``unit``, None = not known.

    ``hours_off`` counts hours of the alert in which the promise was not kept, where it is one by
    the hour.
    """

    measure: Measure
    kept: Kept
    text: Text
    unit: str = "1"
    baseline: Decimal | None = None
    due: Decimal | None = None
    actual: Decimal | None = None
    hours_off: int | None = None
    inputs: tuple[Argument, ...] = ()
    curve: Curve | None = None


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert of the journal: [start_ns, end_ns), the plan of its first day, what was done."""

    record: Record
    start_ns: int
    end_ns: int
    plan: Plan | None
    done: tuple[Done, ...]

    @property
    def level(self) -> str:
        return self.record.what


def alerts(bench: Bench, plan: AlertPlan | None) -> list[Alert]:
    """Every alert that touches the year, with each measure that was due."""
    found = []
    for record in bench.journal.alerts(bench.period.start_ns, bench.period.end_ns):
        end_ns = min(record.end_ns or bench.period.end_ns, bench.period.end_ns)
        in_force = None if plan is None else plan_on(plan, day_of(record.start_ns))
        due = () if in_force is None else in_force.measures
        done = tuple(
            _done(bench, record, (record.start_ns, end_ns), measure)
            for measure in due
            if record.what in measure.levels
        )
        found.append(Alert(record, record.start_ns, end_ns, in_force, done))
    return found


def _done(bench: Bench, record: Record, span: tuple[int, int], measure: Measure) -> Done:
    begin_ns = span[0] + measure.within_hours * HOUR_NS
    if begin_ns >= span[1]:
        text = Text(zh="预警在要求时限前已解除", en="the alert was over before it had to be done")
        return Done(measure, Kept.KEPT, text)
    if measure.unit == "transport":
        return _transport(bench, span, measure)
    look = _Look(bench, measure, begin_ns, span, _other_alerts(bench, record))
    if measure.unit == "percent_load":
        return look.load()
    if measure.unit == "pots" and not measure.points:
        return look.pots()
    return look.lines() if measure.unit == "lines" and not measure.points else look.stopped()


def _other_alerts(bench: Bench, record: Record) -> tuple[tuple[int, int | None], ...]:
    """Other alerts: their hours are no reference."""
    every = bench.journal.of("alert")
    return tuple((x.start_ns, x.end_ns) for x in every if x.number != record.number)


@dataclass(frozen=True, slots=True)
class _Look:
    """A measure in the hours of an alert, and in the days before it."""

    bench: Bench
    measure: Measure
    begin_ns: int  # from then on it must be done
    span: tuple[int, int]
    others: tuple[tuple[int, int | None], ...]

    @property
    def period(self) -> Period:
        """Whole days that hold the reference and the alert."""
        first = day_of(self.span[0]) - timedelta(days=self.measure.baseline.days)
        return Period(first, day_of(self.span[1] - 1) + timedelta(days=1))

    def masks(self) -> tuple[Bools, Bools]:
        """Hours of the reference, and whole hours in which the measure was due."""
        starts = self.period.start_ns + np.arange(self.period.hours) * HOUR_NS
        ends = starts + HOUR_NS
        reference = ends <= self.span[0]
        reference &= starts >= self.span[0] - self.measure.baseline.days * 24 * HOUR_NS
        for start_ns, end_ns in self.others:
            last = np.iinfo(np.int64).max if end_ns is None else end_ns
            reference &= ~((starts < last) & (ends > start_ns))
        return reference, (starts >= self.begin_ns) & (ends <= self.span[1])

    def _lines(self) -> tuple[Potline, ...]:
        site = self.bench.basis.site
        named = self.measure.potlines
        return tuple(line for line in site.potline if not named or line.id in named)

    def _energy_meters(self) -> tuple[Meter, ...]:
        return self.measure.meters or tuple(m for line in self._lines() for m in line.ac_meters)

    def _hours(self, points: Sequence[Meter]) -> list[Hours]:
        return self.bench.points(points, self.period)

    def _inputs(self, points: Sequence[Meter]) -> tuple[Argument, ...]:
        return tuple(used(self.bench, point) for point in points)

    def load(self) -> Done:
        """Energy or fuel by the hour, during against before: the mean of the alert counts."""
        meters = self._energy_meters()
        if not meters:
            return _unknown(self.measure, "没有电能表或燃料表", "no meters of energy or fuel")
        amounts = sum((hours.inc for hours in self._hours(meters)), np.zeros(self.period.hours))
        reference, during = self.masks()
        unit = f"{quantities()[meters[0].quantity].unit}/h"
        stated = self.measure.baseline.stated
        base = float(stated) / 24 if stated is not None else _mean(amounts, reference)
        actual = _mean(amounts, during)
        if base is None or actual is None:
            return _unknown(self.measure, "预警期或参照期数据不足", "too few data, then or before")
        # in decimals: a promise of 34 % is kept at 34 %, whatever a binary fraction makes of it
        usual, found = _exact(base), _exact(actual)
        due = usual * (1 - (self.measure.amount or Decimal(0)) / 100)
        off = int((amounts[during] > float(due) * (1 + DUST)).sum())
        known = int((~np.isnan(amounts[during])).sum())
        kept = Kept.KEPT if found <= due else Kept.BROKEN
        cut = rounded(100 * (1 - found / usual), 2) if usual else Decimal(0)
        return Done(
            self.measure,
            kept,
            Text(
                zh=f"平均压减 {cut} %，要求 {self.measure.amount} %；"
                f"{known} 小时中 {off} 小时高于承诺负荷",
                en=f"cut by {cut} % on average, promised {self.measure.amount} %; "
                f"{off} of {known} hours above the promised load",
            ),
            unit,
            usual,
            due,
            found,
            off,
            self._inputs(meters),
            Curve(self.period.start_ns, amounts, float(due), unit),
        )

    def pots(self) -> Done:
        """Pots running, each hour of the alert against the mean before it."""
        lines = self._lines()
        points = [Meter(x.series or f"{x.id}/series", "potline.pots_running") for x in lines]
        running = sum((hours.mean for hours in self._hours(points)), np.zeros(self.period.hours))
        return self._stopped(points, running, "pots", HALF_A_POT)

    def stopped(self) -> Done:
        """Units by their running flags: how many run, each hour, against before."""
        points = self.measure.points
        running = sum((_flag(hours) for hours in self._hours(points)), np.zeros(self.period.hours))
        return self._stopped(points, running, self.measure.unit, 1e-6)

    def lines(self) -> Done:
        """Whole lines by their power: one that draws next to nothing is stopped."""
        site = self.bench.basis.site
        named = [line for line in self._lines() if line.ac_meters]
        if len(named) != len(self._lines()) or not site.potline:
            return _unknown(self.measure, "有系列没有电能表", "a line has no meters")
        reference, _ = self.masks()
        running, meters = np.zeros(self.period.hours), list[Meter]()
        for line in named:
            power = sum(
                (hours.inc for hours in self._hours(line.ac_meters)), np.zeros(self.period.hours)
            )
            base = _mean(power, reference)
            if base is None:
                return _unknown(self.measure, "参照期数据不足", "too few data before the alert")
            limit = base * float(ours().stopped_percent) / 100
            running += np.where(np.isnan(power), np.nan, (power > limit).astype(float))
            meters += line.ac_meters
        return self._stopped(meters, running, "lines", 1e-6)

    def _stopped(self, points: Sequence[Meter], running: Floats, unit: str, slack: float) -> Done:
        reference, during = self.masks()
        stated = self.measure.baseline.stated
        base = float(stated) if stated is not None else _mean(running, reference)
        if base is None or _mean(running, during) is None:
            return _unknown(self.measure, "预警期或参照期数据不足", "too few data, then or before")
        due = base - float(self.measure.amount or 0)
        known = running[during][~np.isnan(running[during])]
        off = int((known > due + slack).sum())
        most = float(known.max())
        fewest = Decimal(repr(round(base - most, 1)))
        return Done(
            self.measure,
            Kept.BROKEN if off else Kept.KEPT,
            Text(
                zh=f"最少时停 {fewest}，要求停 {self.measure.amount}；"
                f"{len(known)} 小时中 {off} 小时未达到",
                en=f"at least {fewest} stopped, promised {self.measure.amount}; "
                f"{off} of {len(known)} hours fell short",
            ),
            unit,
            _exact(base),
            _exact(due),
            _exact(most),
            off,
            self._inputs(points),
            Curve(self.period.start_ns, running, due, unit),
        )


def _flag(hours: Hours) -> Floats:
    """1 in hours in which a unit ran at all, 0 where it stood, NaN where nobody can tell."""
    return np.where(np.isnan(hours.high), np.nan, (hours.high > HALF_A_POT).astype(float))


def _mean(values: Floats, mask: Bools) -> float | None:
    """Mean of the hours meant; None where too few of them are known (our own limit)."""
    mine = values[mask]
    known = mine[~np.isnan(mine)]
    if not len(mine) or len(known) * 100 < float(ours().least_capture_percent) * len(mine):
        return None
    return float(known.mean())


def _exact(value: float) -> Decimal:
    return Decimal(repr(round(value, 3)))


def _unknown(measure: Measure, zh: str, en: str) -> Done:
    return Done(measure, Kept.UNKNOWN, Text(zh=zh, en=en))


def _transport(bench: Bench, span: tuple[int, int], measure: Measure) -> Done:
    """Trips of banned classes in the gate log, day by day; a day without entries is unknown."""
    days = _whole_days(*span)
    if not days:
        text = "预警不含整日，门禁台账按日录入", "no whole day, and the gate is entered by day"
        return _unknown(measure, *text)
    trips, missing, doubtful = Decimal(0), [], Decimal(0)
    inputs: list[Argument] = []
    for day in days:
        mine = [
            each
            for each in bench.basis.ledger.current().values()
            if each.figure.kind.id == "gate_trips"
            and each.figure.period == Period.between(day, day)
        ]
        if not mine:
            missing.append(str(day))
        for each in sorted(mine, key=lambda entry: entry.figure.item):
            inputs.append(bench.assembly.entry(f"{day} {each.figure.item}", each))
            if each.figure.item in measure.classes:
                trips += each.figure.amount
            elif each.figure.item == "unknown":
                doubtful += each.figure.amount
    kept = Kept.BROKEN if trips else Kept.UNKNOWN if missing or doubtful else Kept.KEPT
    zh, en = f"禁行车辆进出 {trips} 车次", f"{trips} trips of classes kept out"
    if doubtful:
        zh, en = f"{zh}，阶段不明 {doubtful} 车次", f"{en}, {doubtful} of class not known"
    if missing:
        zh = f"{zh}；缺门禁台账 {'、'.join(missing)}"
        en = f"{en}; no gate entries on {', '.join(missing)}"
    return Done(
        measure, kept, Text(zh=zh, en=en), "trips", None, Decimal(0), trips, None, tuple(inputs)
    )


def _whole_days(start_ns: int, end_ns: int) -> list[date]:
    """Days of plant time that lie wholly inside."""
    begin = datetime.fromtimestamp(start_ns // 10**9, UTC).astimezone(PLANT_TIME)
    first = begin.date() + (
        timedelta(days=1) if begin.time() != datetime.min.time() else timedelta()
    )
    last = datetime.fromtimestamp(end_ns // 10**9, UTC).astimezone(PLANT_TIME).date()
    return [first + timedelta(days=n) for n in range((last - first).days)]


def with_line(bench: Bench, alert: Alert, done: Done) -> Done:
    """The actual amount as a line of the report, so that it can be traced."""
    if done.actual is None:
        return done
    label = Text(
        zh=f"预警 {alert.record.number}：{done.measure.zh}，实际",
        en=f"alert {alert.record.number}: {done.measure.en}, actual",
    )
    name = f"alert.{alert.record.number}.{done.measure.id}"
    line = bench.line(figure("plant", name, label, done.unit, 1), done.actual, done.inputs)
    return replace(done, inputs=(line,))
