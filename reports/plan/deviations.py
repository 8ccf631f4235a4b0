"""
Where a report was not made as the quality plan in force says: each deviation as a warning.

A figure is held against the plan that had been lodged for its month; what the plan does not name
is a deviation too. Nothing is corrected here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from reports.basis import Basis
from reports.entries.ledger import Entry
from reports.model import Doubt, How, Line
from reports.periods import Period
from reports.plan.certificates import Calibration, calibrations
from reports.plan.figures import TESTED, figure_of_entry, is_tested
from reports.plan.in_force import REPORT, PlanInForce, plan_in_force
from reports.plan.plan import Acquisition, Frequency, Instrument, Parameter, Plan
from reports.plan.words import joined, text
from reports.site import PLANT
from reports.values import Text

_SILENT: Final = frozenset({How.SUM, How.NONE, How.MISSING})
WHOLE: Final = f"{PLANT}.emission"  # what is said of no figure alone
_SHOWN: Final = 3  # days named in a message


def deviations(basis: Basis, lines: Sequence[Line]) -> list[Doubt]:
    """
    Warnings, in the order of ``lines``; of a year those of its months, ``id@2026-03``.

    None for a site that neither has a plan nor ever lodged one.
    """
    lodged = any(each.report == REPORT for each in basis.lodgings.lodgings)
    if basis.site.plan is None and not lodged:
        return []
    by_month = any("@" in line.id for line in lines)
    found: list[Doubt] = []
    checks: dict[Period, _Check | None] = {}
    stated = frozenset(_figure(line) for line in lines)
    for line in lines:
        if by_month and "@" not in line.id:
            continue
        month = line.id.partition("@")[2]
        period = Period.parse(month) if month else basis.period
        if line.how in _SILENT:
            continue
        if period not in checks:
            checks[period] = _check(basis, period, stated)
            found += _unfiled(basis, period, f"{WHOLE}{'@' if month else ''}{month}")
        check = checks[period]
        if check is not None:
            words = dict.fromkeys(check.of(line))
            found += [Doubt(line=line.id, text=_by(check.force, each)) for each in words]
    return found


def _by(force: PlanInForce, words: Text) -> Text:
    return text(f"{words.zh}（计划 {force.name}）", f"{words.en} (plan {force.name})")


def _unfiled(basis: Basis, period: Period, line: str) -> list[Doubt]:
    """That no plan governed the period, or only the end of it."""
    last = plan_in_force(basis, period.days[-1])
    if last is None:
        words = text(
            "当月没有已报送的数据质量控制计划，无法核对",
            "no quality plan had been lodged for the month: nothing to hold the figures against",
        )
        return [Doubt(line=line, text=words)]
    if plan_in_force(basis, period.first) is None:
        words = text(
            f"计划 {last.name} 于 {last.lodging.on} 才报送，此前的日期没有计划",
            f"plan {last.name} was lodged on {last.lodging.on}; the days before had none",
        )
        return [Doubt(line=line, text=words)]
    return []


def _check(basis: Basis, period: Period, stated: frozenset[str]) -> "_Check | None":
    force = plan_in_force(basis, period.days[-1])
    if force is None:
        return None
    entries = {str(entry.number): entry for entry in basis.ledger.entries}
    known = {x.instrument.id: x for x in calibrations(basis.ledger, force.plan.instrument)}
    return _Check(force, period, entries, known, stated)


@dataclass(frozen=True, slots=True)
class _Check:
    """One period under one plan."""

    force: PlanInForce
    period: Period
    entries: dict[str, Entry]
    calibrations: dict[str, Calibration]
    stated: frozenset[str]  # figures that have a line of their own

    @property
    def plan(self) -> Plan:
        return self.force.plan

    def of(self, line: Line) -> Iterator[Text]:
        parameter = self.plan.parameter_of(_figure(line))
        if parameter is None and (self.entered(line) or _meters(line)):
            yield text("计划中没有这一参数", "the plan has no parameter for this figure")
        # What was substituted stands on other months; only the way it was done is compared.
        for step in () if line.how is How.SUBSTITUTED else _STEPS:
            yield from step(self, line, parameter)
        yield from _substitution(line, parameter)

    def entered(self, line: Line) -> list[Entry]:
        """What was entered for the figure itself; laboratory results are figures of their own."""
        return [each for each in self._all(line) if not is_tested(each.figure.kind.id)]

    def tested(self, line: Line) -> list[Entry]:
        return [each for each in self._all(line) if is_tested(each.figure.kind.id)]

    def elsewhere(self, line: Line, figure: str) -> bool:
        """True when what is to be said of ``figure`` is said at a line of its own."""
        return figure in self.stated and figure != _figure(line)

    def _all(self, line: Line) -> list[Entry]:
        return [self.entries[x.ref] for x in line.inputs if x.kind == "entry"]

    def instrument(self, meter: str) -> Instrument | None:
        """Behind a counter, on any day of the period."""
        for day in (self.period.days[-1], self.period.first):
            found = self.plan.meter_of(meter, day)
            if found is not None:
                return found
        return None

    def in_place(self, instrument: Instrument) -> bool:
        return any(instrument.in_place(day) for day in self.period.days)


def _figure(line: Line) -> str:
    return line.id.partition("@")[0]


def _meters(line: Line) -> list[str]:
    """Counters behind the figure; in a report of a year they carry their month."""
    return [given.ref.partition("@")[0] for given in line.inputs if given.kind == "meter"]


# --- what is compared


def _source(check: _Check, line: Line, parameter: Parameter | None) -> Iterator[Text]:
    """Entries of another kind than the plan says, or entries in the place of meters."""
    if parameter is None:
        return
    for kind in {entry.figure.kind.id: entry.figure.kind for entry in check.entered(line)}.values():
        if parameter.entries and kind.id not in parameter.entries:
            yield text(
                f"数据来自“{kind.zh}”，不是计划规定的来源",
                f"it comes from {kind.en}, not from the source of the plan",
            )
    promised = [x for x in check.plan.instruments_for(_figure(line)) if x.meters and x.counts]
    if promised and check.entered(line) and not _meters(line):
        yield text(
            "计划规定由计量表采集，实际为人工录入",
            "the plan promises meters, the figure was entered by hand",
        )
    if _meters(line) and not promised and parameter.entries:
        yield text(
            "计划规定取自录入记录，实际取自计量表",
            "the plan promises entered records, the figure was taken from meters",
        )


def _meter(check: _Check, line: Line, parameter: Parameter | None) -> Iterator[Text]:
    """Counters behind which no instrument stands, or one that the plan gives to another figure."""
    named = check.plan.instruments_for(_figure(line)) if parameter is not None else ()
    used = _meters(line)
    for meter in used:
        instrument = check.instrument(meter)
        if instrument is None:
            yield text(
                f"计量表 {meter} 不在计划的计量器具中",
                f"the meter {meter} is no instrument of the plan",
            )
        elif parameter is not None and instrument not in named:
            yield text(
                f"使用了计量器具 {instrument.id}，计划没有规定由它计量",
                f"the instrument {instrument.id} was used; the plan does not name it here",
            )
    for each in named:
        unused = each.meters and each.counts and check.in_place(each)
        if used and unused and not any(each.is_meter(meter) for meter in used):
            yield text(
                f"计划规定的计量器具 {each.id} 没有使用",
                f"the instrument {each.id} of the plan was not used",
            )


def _certificate(check: _Check, line: Line, parameter: Parameter | None) -> Iterator[Text]:
    """Instruments without a valid certificate, or longer after it than the plan allows."""
    used = [x for meter in _meters(line) if (x := check.instrument(meter)) is not None]
    if not used and check.entered(line) and parameter is not None:
        used = [x for x in check.plan.instruments_for(_figure(line)) if not x.meters]
    for each in used:
        if not each.counts:
            continue
        calibration = check.calibrations[each.id]
        if calibration.before(check.period.days[-1]) is None:
            yield text(
                f"{each.id} {each.name.zh}没有检定/校准证书",
                f"{each.id} {each.name.en} has no calibration certificate",
            )
            continue
        uncovered, late = calibration.uncovered(check.period), calibration.late(check.period)
        if uncovered:
            days = _days(uncovered)
            yield text(
                f"{each.id} {each.name.zh}有 {len(uncovered)} 天不在证书有效期内：{days}",
                f"{each.id} {each.name.en}: {len(uncovered)} days without a valid "
                f"certificate: {days}",
            )
        if late:
            days = _days(late)
            yield text(
                f"{each.id} {each.name.zh}超过计划的检定周期 {each.interval_months} 个月，"
                f"共 {len(late)} 天：{days}",
                f"{each.id} {each.name.en}: more than the {each.interval_months} months of the "
                f"plan since it was calibrated, {len(late)} days: {days}",
            )


def _days(days: Sequence[date]) -> str:
    if len(days) <= _SHOWN:
        return ", ".join(map(str, days))
    return f"{days[0]} … {days[-1]}"


def _frequency(check: _Check, line: Line, parameter: Parameter | None) -> Iterator[Text]:
    """A record promised by the day, and entered by the month."""
    if parameter is None:
        return
    spans = {
        Frequency.DAILY if len(entry.figure.period.days) == 1 else Frequency.MONTHLY
        for entry in check.entered(line)
    }
    if any(each.rarer_than(parameter.recording) for each in spans - {Frequency.DAILY}):
        yield text(
            "按月录入，记录频次低于计划规定",
            "entered by the month, more seldom than the plan says",
        )


def _default(check: _Check, line: Line, parameter: Parameter | None) -> Iterator[Text]:
    """A default where the plan promises a measurement."""
    measured = {Acquisition.MEASURED, Acquisition.LABORATORY}
    if parameter is not None and line.how is How.DEFAULT and parameter.acquisition in measured:
        yield text(
            "计划规定实测，实际采用缺省值", "the plan promises a measurement, a default was used"
        )
    item = _figure(line).split(".")[2:]
    for given in line.inputs:
        if given.kind != "legal":
            continue
        for kind in TESTED.get(given.name, ()):
            figure = figure_of_entry(kind, line.scope, ".".join(item))
            promised = check.plan.parameter_of(figure)
            if check.elsewhere(line, figure) or figure == _figure(line):
                continue
            if promised is not None and promised.acquisition in measured:
                yield text(
                    f"计划规定{promised.name.zh}为实测，实际采用缺省值",
                    f"the plan promises that {promised.name.en} is measured, a default was used",
                )


def _laboratory(check: _Check, line: Line, _: Parameter | None) -> Iterator[Text]:
    """Laboratory figures against method, laboratory and accreditation of the plan."""
    for entry in check.tested(line):
        figure = entry.figure
        name = figure_of_entry(figure.kind.id, figure.line, figure.item)
        if check.elsewhere(line, name):
            continue
        promised = check.plan.parameter_of(name)
        facts = None if promised is None else promised.laboratory
        if promised is None or facts is None:
            yield text(
                f"采用了{figure.kind.zh}，计划没有规定检测",
                f"{figure.kind.en} was used; the plan lays down no analysis of it",
            )
            continue
        for zh, en, given, wanted in (
            ("检测方法", "the method", figure.fact("method"), {facts.method}),
            (
                "检测机构",
                "the laboratory",
                figure.fact("laboratory"),
                {facts.laboratory.zh, facts.laboratory.en},
            ),
            ("资质编号", "the accreditation", figure.fact("accreditation"), {facts.accreditation}),
        ):
            known = {_plain(each) for each in wanted if each}
            if known and _plain(given) not in known:
                stated = joined(sorted(each for each in wanted if each))
                yield text(
                    f"{figure.kind.zh}的{zh}为“{given}”，计划为“{stated.zh}”",
                    f"{en} of {figure.kind.en} is {given!r}, in the plan {stated.en!r}",
                )


def _plain(words: str) -> str:
    return "".join(words.split()).lower()


def _substitution(line: Line, parameter: Parameter | None) -> Iterator[Text]:
    """A missing value replaced in another way than the plan says."""
    if line.how is not How.SUBSTITUTED and line.substituted is None:
        return
    promised = "" if parameter is None else parameter.missing.code
    if line.method != promised:
        yield text(
            f"缺失数据按 {line.method or '—'} 处理，计划规定为 {promised or '—'}",
            f"missing data were replaced by {line.method or '-'}; the plan names {promised or '-'}",
        )


_STEPS: Final = (_source, _meter, _certificate, _frequency, _default, _laboratory)
