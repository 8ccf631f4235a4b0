"""What every topic of the energy report works on: the bench, heads of lines, stated amounts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Final

from reports.assembly import Argument, Assembly, Head
from reports.basis import Basis
from reports.carbon.auxiliary import read_all
from reports.entered import Entered, month_of
from reports.metered import Metered
from reports.model import Coverage, How, Input, Line, Section
from reports.periods import Period
from reports.site import PLANT, Meter, Potline
from reports.site_energy import Exchanger
from reports.values import Text

DECIMALS: Final = {
    "MWh": 3,
    "kWh/t": 1,
    "t": 3,
    "fraction": 4,
    "V": 4,
    "kA": 3,
    "mV": 2,
    "GJ": 3,
    "CNY": 0,
    "CNY/kWh": 4,
    "kgce/t": 2,
    "tce": 2,
    "tCO2": 2,
    "1": 0,
    "%": 3,
    "min": 2,
    "m3": 0,
}
USUAL_DECIMALS: Final = 4
NOT_STATED: Final = Text(
    zh="未配置计量表，也没有录入：未填报", en="no meter and no entry: not stated"
)
AGREE: Final = Decimal("0.01")  # metered and entered figures differ by more: said so


@dataclass(slots=True)
class Bench:
    """One piece of the period – a month, or part of one – and its assembly."""

    basis: Basis
    assembly: Assembly

    @property
    def period(self) -> Period:
        return self.basis.period

    @property
    def potlines(self) -> tuple[Potline, ...]:
        """Those that ran."""
        return running(self.basis)

    @property
    def scopes(self) -> tuple[str, ...]:
        return (*(line.id for line in self.potlines), PLANT)

    @property
    def exchangers(self) -> tuple[Exchanger, ...]:
        """Those that worked."""
        period = self.period
        known = self.basis.site.exchangers
        return tuple(x for x in known if x.works_in(period.first, period.after))

    def line(self, identity: str) -> Line | None:
        return self.assembly.lines.get(identity)

    def value(self, identity: str) -> Decimal | None:
        """The value of a line; None when it is missing, not stated, or not there."""
        found = self.assembly.lines.get(identity)
        return None if found is None else found.value


def running(basis: Basis) -> tuple[Potline, ...]:
    """Potlines that ran on any day of the period, in the order of the site file."""
    period = basis.period
    return tuple(x for x in basis.site.potline if x.runs_in(period.first, period.after))


def active(line: Potline, period: Period) -> Period:
    """From the first day of the period on which the line ran to the last; it must have run."""
    days = [day for day in period.days if line.runs_in(day, day + timedelta(days=1))]
    return Period(days[0], days[-1] + timedelta(days=1))


def worked(exchanger: Exchanger, period: Period) -> Period:
    """The part of the period between its first day and its last; it must have worked."""
    first = max(period.first, exchanger.started or period.first)
    return Period(first, min(period.after, exchanger.stopped or period.after))


def days_run(line: Potline, period: Period) -> int:
    """Days of the period on which the line ran."""
    return sum(line.runs_in(day, day + timedelta(days=1)) for day in period.days)


def head(scope: str, name: str, label: Text, unit: str) -> Head:
    """The head of an energy line; its unit says how many decimals are usual."""
    decimals = DECIMALS.get(unit, USUAL_DECIMALS)
    return Head(scope, name, Section.ENERGY, label, unit, decimals)


def unstated(assembly: Assembly, what: Head, *why: Text) -> Line:
    """A line that nobody states: no figure, and no mistake either."""
    return assembly.state(what, None, How.NONE, (), notes=why or (NOT_STATED,))


def given(name: str, value: Decimal, unit: str, ref: str) -> Argument:
    """A value of the site file on its way into a formula; ``ref`` is its key there."""
    return Argument(Input(name=name, kind="site", ref=ref, value=value, unit=unit))


def quotient(bench: Bench, what: Head, parts: tuple[str, str], factor: Decimal, text: str) -> Line:
    """``first / second * factor`` of two lines; not stated when either is, or nothing divides."""
    assembly = bench.assembly
    first, second = (bench.line(identity) for identity in parts)
    if first is None or second is None or How.NONE in {first.how, second.how}:
        return unstated(assembly, what)
    arguments = [assembly.from_line(line.id, line.id) for line in (first, second)]
    missing = tuple(dict.fromkeys(t for argument in arguments for t in argument.missing))
    if missing or first.value is None or second.value is None:
        return assembly.state(what, None, How.MISSING, arguments, missing=missing)
    if second.value == 0:
        nothing = Text(zh=f"{second.label.zh}为 0，无法相除", en=f"{second.label.en} is 0")
        return unstated(assembly, what, nothing)
    line = assembly.state(what, first.value * factor / second.value, How.COMPUTED, arguments)
    return assembly.put(line, equation=text, coverage=first.coverage)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One amount of a month: by meters when there are any, else by entry."""

    name: str
    kind: str  # of entries
    label: Text
    unit: str
    meters: tuple[Meter, ...] = ()
    per_unit: Decimal = Decimal(1)  # of the report's unit in one of the meters'
    required: bool = False


def stated(bench: Bench, wanted: Wanted, line: Potline | None) -> Line:
    """Add the amount; not stated when nobody measures or enters it and it is not required."""
    assembly, basis = bench.assembly, bench.basis
    place = PLANT if line is None else line.id
    what = head(place, wanted.name, wanted.label, wanted.unit)
    entry = month_of(basis.ledger, wanted.kind, line, bench.period)
    if wanted.meters:
        span = bench.period if line is None else active(line, bench.period)
        metered = read_all(assembly, basis.series, wanted.meters, span)
        return _metered(assembly, what, metered, entry, wanted)
    if not entry.entries and not wanted.required:
        return unstated(assembly, what)
    return assembly.state(
        what,
        entry.amount,
        How.ENTERED,
        entry.inputs(assembly),
        coverage=entry.coverage,
        missing=entry.missing,
    )


def _metered(
    assembly: Assembly, what: Head, metered: Metered, entry: Entered, wanted: Wanted
) -> Line:
    argument = metered.argument
    read = argument.input.value
    value = None if read is None else read * wanted.per_unit
    notes = list(metered.notes)
    if value is not None and entry.amount is not None:
        notes += _differ(value, entry.amount, wanted.unit)
    return assembly.state(
        what,
        value,
        How.METERED,
        metered.inputs,
        coverage=metered.coverage,
        missing=argument.missing,
        notes=notes,
    )


def _differ(metered: Decimal, entered: Decimal, unit: str) -> list[Text]:
    if abs(metered - entered) <= AGREE * max(metered, entered):
        return []
    return [
        Text(
            zh=f"录入值 {entered} {unit} 与计量值相差 {entered - metered:.3f} {unit}，采用计量值",
            en=f"an entry states {entered} {unit}, {entered - metered:.3f} {unit} off the meters; "
            "the meters count",
        )
    ]


def sum_of(bench: Bench, what: Head, parts: Sequence[str], *, every: bool = False) -> Line:
    """The sum of those lines that are stated; with ``every`` a part not stated leaves no sum."""
    there = [
        identity
        for identity in parts
        if (line := bench.line(identity)) is not None and line.how is not How.NONE
    ]
    if not there:
        return unstated(bench.assembly, what)
    absent = [identity for identity in parts if identity not in there]
    if absent and every:
        return unstated(bench.assembly, what, _not_by_all(absent))
    line = bench.assembly.add_up(what, there)
    return bench.assembly.put(line, coverage=lowest(bench, there))


def _not_by_all(absent: Sequence[str]) -> Text:
    named = ", ".join(absent)
    return Text(
        zh=f"未全部填报，不作合计：{named}", en=f"not stated by all, so not added up: {named}"
    )


def lowest(bench: Bench, parts: Sequence[str]) -> Coverage | None:
    """The coverage of the part that is known least."""
    found = [
        line.coverage
        for identity in parts
        if (line := bench.line(identity)) is not None and line.coverage is not None
    ]
    return min(found, key=lambda coverage: coverage.share, default=None)


def by_time(bench: Bench, hours: Mapping[str, int]) -> Coverage | None:
    """Coverage of parts that are integrals over time, by line and its hours."""
    known, whole = Decimal(0), sum(hours.values())
    for identity, its in hours.items():
        line = bench.line(identity)
        if line is not None and line.coverage is not None:
            known += line.coverage.share * its
    if not whole:
        return None
    share = (known / whole).quantize(Decimal("0.0001"), rounding=ROUND_DOWN)
    text = Text(
        zh=f"已知时间 {share * 100:.2f} %（按各部分工作时间加权）",
        en=f"known for {share * 100:.2f} % of the time, weighted by the hours of its parts",
    )
    return Coverage(share=share, text=text)


Topic = Callable[[Bench], None]
