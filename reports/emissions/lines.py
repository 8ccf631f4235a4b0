"""Lines of a stack: totals, capture rates, hours above the limit; for the period and its months."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import numpy as np

from drivers.model import Floats
from reports.assembly import Argument, Assembly, Head
from reports.citations import MeterUse
from reports.emissions.amounts import NO_VALUE
from reports.emissions.figures import decimal, label_of, maybe
from reports.emissions.hours import part_of
from reports.emissions.judged import judging, silence_text, silences
from reports.emissions.made import StackYear
from reports.emissions.sources import sources_of
from reports.emissions.standing import (
    FLOW,
    MASS,
    STATE,
    concentration,
    formulas_note,
    gauges,
    points,
    stated,
)
from reports.emissions.states import State
from reports.model import Coverage, How, Input, Line, Section
from reports.periods import Period, clock_text
from reports.site import PLANT
from reports.values import Text

DECIMALS: Final = {"t": 4, "fraction": 4, "mg/m3": 2, "h": 0, "Nm3": 0}
MONTHLY: Final = (
    *("total", "capture", "exceeded_hours", "hour_mean", "hour_max", "substituted_hours"),
)
KG_PER_T: Final = Decimal(1000)
LISTED: Final = 12  # stretches above the limit that a figure names itself


def add_stack(assembly: Assembly, made: StackYear, months: Sequence[Period]) -> None:
    """All lines of a stack; with several months those of each stand in the sums of the whole."""
    sources = {month: sources_of(part_of(made.wide, month), str(month)) for month in months}
    for meter in (*made.sources, *(each for of in sources.values() for each in of)):
        assembly.meters[meter.id] = meter
    for legal in made.rules.all:
        assembly.cite(legal)
    period = made.hours.period
    quiet = {
        part: silence_text(made.stack.id, of)
        for part, of in silences(made.wide, period, months).items()
    }
    for name in made.stack.pollutants:
        for month in months:
            piece = _Piece(assembly, made, name, _Part(month, sources[month], quiet, f"@{month}"))
            piece.add(MONTHLY)
        whole = _Piece(assembly, made, name, _Part(period, made.sources, quiet))
        if months:
            _sum(assembly, whole, months)
        whole.add(())
    _add_hours(assembly, made, quiet.get(period))


def add_plant(assembly: Assembly, stacks: Sequence[StackYear]) -> None:
    """Sums over all stacks."""
    names = dict.fromkeys(name for made in stacks for name in made.stack.pollutants)
    for name in names:
        parts = [f"{x.stack.id}.{name}_total" for x in stacks if name in x.stack.pollutants]
        label = label_of(name)
        head = Text(zh=f"全厂{label.zh}排放量", en=f"{label.en}, all stacks")
        assembly.add_up(Head(PLANT, f"{name}_total", Section.EMISSIONS, head, "t", 4), parts)
    parts = [
        f"{made.stack.id}.{name}_exceeded_hours"
        for made in stacks
        for name in made.stack.pollutants
    ]
    label = Text(zh="超标小时数（各排放口、各污染物合计）", en="hours above limits, all stacks")
    assembly.add_up(Head(PLANT, "exceeded_hours", Section.EMISSIONS, label, "h", 0), parts)


def _share(value: Decimal) -> Decimal:
    """A share as it is shown; the exact one is a quotient of hours, both stated."""
    return round(value, 6)


@dataclass(frozen=True, slots=True)
class _Part:
    """The period or a month of it: its points, and which parts have no data at all."""

    period: Period
    sources: Sequence[MeterUse]
    quiet: Mapping[Period, Text]
    ending: str = ""


class _Piece:
    """Lines of one pollutant of a stack over the period, or over a month of it."""

    def __init__(self, assembly: Assembly, made: StackYear, name: str, part: _Part) -> None:
        self.assembly, self.made, self.name = assembly, made, name
        self.period, self.ending, self._sources = part.period, part.ending, part.sources
        self._silence = part.quiet.get(part.period)  # no data at all: then nothing is known
        self._at = made.at(part.period)
        self._label = label_of(name)

    def head(self, figure: str, zh: str, en: str, unit: str) -> Head:
        label = Text(zh=f"{self._label.zh}{zh}", en=f"{self._label.en}, {en}")
        scope, name = self.made.stack.id, f"{self.name}_{figure}{self.ending}"
        return Head(scope, name, Section.EMISSIONS, label, unit, DECIMALS[unit])

    def add(self, only: Sequence[str]) -> None:
        """Lines that are not there yet; all, or only those named."""
        makers = {
            "total": self._total,
            "capture": self._capture,
            "valid_hours": self._valid,
            "invalid_hours": self._invalid,
            "exceeded_hours": self._exceeded,
            "hour_mean": self._mean,
            "hour_max": self._max,
            "substituted_hours": self._substituted_hours,
            "substituted": self._substituted,
        }
        for figure, maker in makers.items():
            identity = f"{self.made.stack.id}.{self.name}_{figure}{self.ending}"
            if identity not in self.assembly.lines and (not only or figure in only):
                maker()

    # --- amounts

    def _total(self) -> Line:
        kg = self.made.kg(self.name, self.period)
        lacking = int(np.isnan(kg).sum())
        value = None if lacking else decimal(float(kg.sum())) / KG_PER_T
        line = self.assembly.state(
            self.head("total", "排放量", "mass emitted", "t"),
            value,
            How.COMPUTED,
            [*self._points(flow=True), *self._laws()],
            missing=() if value is not None else (self._silence or self._why(lacking),),
        )
        return self.finish(line)

    def finish(self, line: Line) -> Line:
        """What was measured of a total, and what stands in by which code."""
        at, amounts = self._at, self.made.amounts[self.name]
        capture = self.made.capture(self.name, self.period)
        replaced = int(amounts.replaced[at].sum())
        codes = sorted({g.code for g in self.made.gaps(self.name, self.period)} - {NO_VALUE})
        rate = capture.amount_rate
        note = Text(
            zh=f"{capture.counted} 小时应测，{capture.amounts} 小时实测，{replaced} 小时替代",
            en=f"{capture.counted} hours due, {capture.amounts} measured, {replaced} replaced",
        )
        how = line.how
        if replaced and line.value is not None and how is How.COMPUTED:
            how = How.SUBSTITUTED
        return self.assembly.put(
            line,
            how=how,
            equation=line.equation if line.equation == "Σ" else MASS,
            notes=(*line.notes, formulas_note(self.made.stack, self.name, flow=True)),
            method="+".join(codes),
            substituted=_share(Decimal(replaced) / capture.counted) if replaced else None,
            coverage=None if rate is None else Coverage(share=_share(rate), text=note),
        )

    def _why(self, lacking: int) -> Text:
        at = self._at
        first = int(np.flatnonzero(np.isnan(self.made.amounts[self.name].kg[at]))[0]) + at.start
        when = clock_text(int(self.made.wide.start_ns[first]))
        return Text(
            zh=f"{self.made.stack.id} {self._label.zh}：{lacking} 小时既无有效数据也无可用替代值"
            f"（首个 {when}；季度捕集率不足或之前没有有效小时）",
            en=f"{self.made.stack.id} {self._label.en}: {lacking} hours have neither valid data "
            f"nor a stand-in (first {when}; capture rate of the quarter too low, or no valid "
            "hours before)",
        )

    def _substituted_hours(self) -> Line:
        count = int(self.made.amounts[self.name].replaced[self._at].sum())
        what = self.head("substituted_hours", "替代小时数", "hours replaced", "h")
        return self._count(what, count)

    def _substituted(self) -> Line:
        amounts = self.made.amounts[self.name]
        kg = amounts.kg[self._at][amounts.replaced[self._at]]
        value = decimal(float(kg.sum())) / KG_PER_T
        what = self.head("substituted", "替代排放量", "mass that stands in", "t")
        if self._silence and not amounts.replaced[self._at].any():
            return self._unknown(what, self._silence, self._laws())
        return self.assembly.state(what, value, How.COMPUTED, self._laws())

    # --- hours

    def _capture(self) -> Line:
        capture = self.made.capture(self.name, self.period)
        what = self.head("capture", "有效数据捕集率", "capture rate", "fraction")
        note = Text(
            zh=f"（{capture.hours}-{capture.stopped}-{capture.counted - capture.valid}）/"
            f"（{capture.hours}-{capture.stopped}）",
            en=f"({capture.hours} - {capture.stopped} - {capture.counted - capture.valid}) / "
            f"({capture.hours} - {capture.stopped}) hours",
        )
        if self._silence:
            return self._unknown(what, self._silence)
        how = How.NONE if capture.rate is None else How.COMPUTED
        return self.assembly.state(
            what, capture.rate, how, self._points(), notes=[note] if capture.rate else ()
        )

    def _valid(self) -> Line:
        capture = self.made.capture(self.name, self.period)
        return self._count(
            self.head("valid_hours", "有效小时数", "valid hours", "h"), capture.valid
        )

    def _invalid(self) -> Line:
        capture = self.made.capture(self.name, self.period)
        what = self.head("invalid_hours", "无效或缺失小时数", "invalid or missing hours", "h")
        return self._count(what, capture.counted - capture.valid)

    def _exceeded(self) -> Line:
        start_ns, end_ns = self.period.start_ns, self.period.end_ns
        hour_ns = 3_600_000_000_000
        count = sum(
            start_ns <= each.start_ns + n * hour_ns < end_ns
            for each in self.made.judged(self.name)
            for n in range(each.hours)
        )
        what = self.head("exceeded_hours", "超标小时数", "hours above the limit", "h")
        found = judging(self.made.wide, self.name, self._at)
        if found.unknown:
            why = self._silence or found.why(self.made.stack.id, self._label)
            return self._unknown(what, why, [*self._points(), *self._limits()])
        inputs = [*self._points(), *self._limits()]
        line = self._count(what, count, inputs, [*self._stretches(), self._formulas])
        return self.assembly.put(line, equation=f"N(C > L), C = {self._mean_hour}")

    def _stretches(self) -> list[Text]:
        """When it was above the limit, as far as a few words go; all are in the table."""
        found = [
            x
            for x in self.made.judged(self.name)
            if x.start_ns < self.period.end_ns and x.end_ns > self.period.start_ns
        ]
        told = [
            Text(
                zh=f"{clock_text(x.start_ns)[:16]} 起 {x.hours} 小时，最大 {x.highest:.2f} mg/m3",
                en=f"{x.hours} h from {clock_text(x.start_ns)[:16]}, highest {x.highest:.2f} mg/m3",
            )
            for x in found[:LISTED]
        ]
        more = len(found) - LISTED
        if more > 0:
            told.append(
                Text(zh=f"另有 {more} 段，见超标时段表", en=f"{more} more, see the table of hours")
            )
        return told

    def _mean(self) -> Line:
        name = "mean of the hourly means"
        return self._level("hour_mean", "小时均值的平均", name, ("Σ/n", np.mean))

    def _max(self) -> Line:
        return self._level("hour_max", "最大小时均值", "highest hourly mean", ("max", np.max))

    @property
    def _mean_hour(self) -> str:
        """The equation of an hourly mean that is judged."""
        return f"Σ C'/n, C' = {concentration(self.made.stack, self.name)}"

    @property
    def _formulas(self) -> Text:
        return formulas_note(self.made.stack, self.name, flow=False)

    def _level(
        self, figure: str, zh: str, en: str, how_made: tuple[str, Callable[[Floats], float]]
    ) -> Line:
        sign, of = how_made
        each = self.made.wide.pollutants[self.name]
        values = each.converted[self._at][each.valid[self._at]]
        values = values[np.isfinite(values)]
        known = maybe(float(of(values))) if len(values) else None
        how = How.NONE if known is None else How.COMPUTED
        what = self.head(figure, zh, en, "mg/m3")
        if self._silence:
            return self._unknown(what, self._silence)
        line = self.assembly.state(what, known, how, self._points(), notes=[self._formulas])
        return self.assembly.put(line, equation=f"{sign}({self._mean_hour})")

    def _count(
        self,
        what: Head,
        count: int,
        inputs: Sequence[Argument] = (),
        notes: Sequence[Text] = (),
    ) -> Line:
        given = inputs or self._points()
        if self._silence and count == 0:
            return self._unknown(what, self._silence, given)
        return self.assembly.state(what, Decimal(count), How.COMPUTED, given, notes=notes)

    def _unknown(self, what: Head, why: Text, inputs: Sequence[Argument] = ()) -> Line:
        given = inputs or self._points()
        return self.assembly.state(what, None, How.MISSING, given, missing=(why,))

    # --- inputs

    def _points(self, *, flow: bool = False) -> list[Argument]:
        """Points with their batches of this stretch, and what the site file says of the gas."""
        stack, sources = self.made.stack, self._sources
        found = points(stack, self.name, sources, flow=flow)
        return [*found, *stated(stack, sources, flow=flow)] if found else []

    def _laws(self) -> list[Argument]:
        rules, stand_in = self.made.rules, self.made.stand_in
        used = [rules.hour_minutes, rules.normal_share]
        if self.made.gaps(self.name, self.period):
            used += stand_in.all
        return [self.assembly.law(legal.name, self.assembly.cite(legal)) for legal in used]

    def _limits(self) -> list[Argument]:
        stack = self.made.stack
        found = {limit: None for d in self.period.days if (limit := stack.limit(self.name, d))}
        return [
            Argument(
                Input(
                    name=f"hour_mg_m3 {limit.first}",
                    kind="site",
                    ref=f"stacks.{stack.id}.limits.{self.name}: {limit.source}",
                    value=limit.hour_mg_m3,
                    unit="mg/m3",
                )
            )
            for limit in found
        ]


def _sum(assembly: Assembly, whole: _Piece, months: Sequence[Period]) -> None:
    """The total of the whole is the sum of its months."""
    scope, name = whole.made.stack.id, whole.name
    parts = [f"{scope}.{name}_total@{month}" for month in months]
    whole.finish(assembly.add_up(whole.head("total", "排放量", "mass emitted", "t"), parts))


def _add_hours(assembly: Assembly, made: StackYear, silence: Text | None) -> None:
    """Hours in use and stopped, and the gas that was discharged."""
    scope, hours = made.stack.id, made.hours
    first = next(iter(hours.pollutants.values()), None)
    if first is None:
        return
    used = int((first.state != State.OUTSIDE).sum())
    stopped = int((first.state == State.STOPPED).sum())
    for name, zh, en, count in (
        ("hours", "在用小时数", "hours in use", used),
        ("stopped_hours", "停运小时数", "hours the source stood", stopped),
    ):
        head = Head(scope, name, Section.EMISSIONS, Text(zh=zh, en=en), "h", 0)
        if silence and count == 0:
            assembly.state(head, None, How.MISSING, (), missing=(silence,))
        else:
            assembly.state(head, Decimal(count), How.COMPUTED, ())
    runs = (first.state != State.OUTSIDE) & (first.state != State.STOPPED)
    flow = hours.flow[runs & np.isfinite(hours.flow)]
    label = Text(zh="标干烟气量", en="dry gas at standard state")
    lost = int(runs.sum()) - len(flow)
    note = Text(
        zh=f"有效小时之和；缺失 {lost} 小时未计", en=f"sum of valid hours; {lost} are missing"
    )
    fields = [*STATE, *FLOW]
    meters = [
        *gauges(made.stack, fields, made.sources),
        *stated(made.stack, made.sources, flow=True),
    ]
    assembly.state(
        Head(scope, "flow_total", Section.EMISSIONS, label, "Nm3", 0),
        decimal(float(flow.sum())) if len(flow) else None,
        How.COMPUTED if len(flow) else How.MISSING if silence else How.NONE,
        meters,
        missing=[silence] if silence and not len(flow) else (),
        notes=[note],
    )
