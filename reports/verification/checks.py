"""Comparing a figure with its second sources: difference, threshold, explanation, files."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from reports.basis import Basis
from reports.entries.ledger import Document, Entry
from reports.model import How, Line
from reports.periods import Period
from reports.plan.plan import Plan
from reports.values import Text
from reports.verification.sources import Source, second_sources

HUNDRED: Final = Decimal(100)
EXPLANATIONS: Final = ("差异说明：", "差异说明:", "explain:")
# Figures that stand on records of the plant; all others are made from these.
RECORDED: Final = (
    *("aluminium", "anode_consumed", "electricity_ac", "electricity_aux", "heat_process"),
    *("electricity_purchased", "heat_purchased", "fuel_consumed", "carbonate_consumed"),
)


@dataclass(frozen=True, slots=True)
class Check:
    """A figure of one month against one other source. ``threshold`` and ``percent`` in %."""

    figure: str
    month: Period
    label: Text
    unit: str
    value: Decimal
    source: Source
    threshold: Decimal
    own: tuple[Entry, ...]  # entries of the figure itself

    @property
    def difference(self) -> Decimal:
        return self.source.amount - self.value

    @property
    def percent(self) -> Decimal | None:
        """Of the reported value; None when that is 0 and the source is not."""
        return percent_of(self.difference, self.value)

    @property
    def above(self) -> bool:
        return self.percent is None or abs(self.percent) > self.threshold

    @property
    def explanation(self) -> str:
        """Notes at the entries of either side that say so: a remark by the way explains nothing."""
        notes = (entry.figure.note for entry in (*self.source.entries, *self.own))
        told = (
            note.removeprefix(prefix).strip()
            for note in notes
            for prefix in EXPLANATIONS
            if note.startswith(prefix)
        )
        return "; ".join(dict.fromkeys(each for each in told if each))

    @property
    def unexplained(self) -> bool:
        return self.above and not self.explanation

    @property
    def documents(self) -> tuple[Document, ...]:
        """Vouchers, and the tables the entries of either side were imported from."""
        figures = [entry.figure for entry in (*self.source.entries, *self.own)]
        files = (file for x in figures for file in (x.document, x.source) if file is not None)
        return tuple(dict.fromkeys(files))


def percent_of(difference: Decimal, value: Decimal) -> Decimal | None:
    """``difference`` in % of ``value``; two zeros agree."""
    if value == 0:
        return Decimal(0) if difference == 0 else None
    return difference / value * HUNDRED


def recorded(lines: Mapping[str, Line]) -> Iterator[Line]:
    """Lines of months that stand on records and have a value; the plant's metal for its sum."""
    for line in lines.values():
        figure, _, month = line.id.partition("@")
        scope, _, name = figure.partition(".")
        name = name.partition(".")[0]
        if not month or line.value is None or name not in RECORDED:
            continue
        summed = line.how is How.SUM and not (scope == "plant" and name == "aluminium")
        if not summed:
            yield line


def checks(basis: Basis, lines: Mapping[str, Line], plan: Plan | None) -> tuple[Check, ...]:
    """Every month's figure against each of its second sources, in the order of ``lines``."""
    entries = {str(entry.number): entry for entry in basis.ledger.entries}
    found = []
    for line in recorded(lines):
        figure, _, month = line.id.partition("@")
        if line.value is None:
            continue
        period = Period.parse(month)
        own = tuple(entries[number] for number in _own(lines, line))
        found += [
            Check(
                figure=figure,
                month=period,
                label=line.label,
                unit=line.unit,
                value=line.value,
                source=source,
                threshold=threshold(plan, figure),
                own=own,
            )
            for source in second_sources(basis, line, period)
        ]
    return tuple(found)


def _own(lines: Mapping[str, Line], line: Line) -> Iterator[str]:
    """Numbers of the entries a line is made of; of a sum, those of its parts."""
    for given in line.inputs:
        if given.kind == "entry":
            yield given.ref
        elif given.kind == "line":
            yield from _own(lines, lines[given.ref])


DEFAULT_THRESHOLD: Final = Decimal(1)  # % where no plan states one: a house rule, not law


def threshold(plan: Plan | None, figure: str) -> Decimal:
    """By how much, in %, the sources of a figure may differ unexplained."""
    return DEFAULT_THRESHOLD if plan is None else plan.threshold_percent(figure)


@dataclass(frozen=True, slots=True)
class YearCheck:
    """A figure of the year against one kind of source, over the months that have it."""

    figure: str
    label: Text
    unit: str
    source: Text
    months: tuple[Check, ...]

    @property
    def value(self) -> Decimal:
        return sum((each.value for each in self.months), Decimal(0))

    @property
    def amount(self) -> Decimal:
        return sum((each.source.amount for each in self.months), Decimal(0))

    @property
    def percent(self) -> Decimal | None:
        return percent_of(self.amount - self.value, self.value)

    @property
    def above(self) -> tuple[Check, ...]:
        return tuple(each for each in self.months if each.above)

    @property
    def unexplained(self) -> tuple[Check, ...]:
        return tuple(each for each in self.months if each.unexplained)


def by_year(found: tuple[Check, ...]) -> tuple[YearCheck, ...]:
    """The checks of all months, put together by figure and source."""
    groups: dict[tuple[str, str], list[Check]] = {}
    for each in found:
        groups.setdefault((each.figure, each.source.label.en), []).append(each)
    return tuple(
        YearCheck(first.figure, first.label, first.unit, first.source.label, tuple(group))
        for group in groups.values()
        for first in group[:1]
    )


def single(lines: Mapping[str, Line], found: tuple[Check, ...]) -> dict[str, tuple[Line, ...]]:
    """Figures with months that no second source speaks of, and those months' lines."""
    spoken = {(each.figure, str(each.month)) for each in found}
    alone: dict[str, list[Line]] = {}
    for line in recorded(lines):
        figure, _, month = line.id.partition("@")
        if (figure, month) not in spoken and not _in_sum(figure, month, spoken):
            alone.setdefault(figure, []).append(line)
    return {figure: tuple(months) for figure, months in alone.items()}


def _in_sum(figure: str, month: str, spoken: set[tuple[str, str]]) -> bool:
    """A potline's metal is checked within the plant's: nobody weighs it twice by line."""
    return figure.endswith(".aluminium") and ("plant.aluminium", month) in spoken
