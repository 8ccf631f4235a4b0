"""What was handed in before against what the books say now: months, and the year before."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from reports.basis import Basis
from reports.carbon.verification_checks import RECORDED, percent_of
from reports.entries.ledger import Entry
from reports.lodgings import Lodging
from reports.model import Content, Line, Section
from reports.periods import Period
from reports.plan import Plan, PlannedChange
from reports.site import PLANT
from reports.values import Text
from reports.versions import read_report

MONTHLY: Final = "carbon-monthly"
ANNUAL: Final = "carbon-annual"
MOVEMENT_PERCENT: Final = Decimal(5)  # from one year to the next: more asks for a reason
_COMPARED: Final = (*RECORDED, "emission", "enterprise_emission", "intensity")


@dataclass(frozen=True, slots=True)
class Lodged:
    """A figure as it was lodged for a month, and as it is now; None = not stated."""

    figure: str
    month: Period
    label: Text
    unit: str
    before: Decimal | None
    now: Decimal | None
    explanation: str

    @property
    def differs(self) -> bool:
        return self.before != self.now

    @property
    def unexplained(self) -> bool:
        return self.differs and not self.explanation


def lodged_months(basis: Basis) -> dict[Period, tuple[Lodging, Content] | None]:
    """Each month of the year with its newest lodging and the copy of it."""
    found: dict[Period, tuple[Lodging, Content] | None] = {}
    for month in basis.period.months:
        lodging = basis.lodgings.latest(MONTHLY, str(month))
        found[month] = None if lodging is None else (lodging, _copy(basis, lodging))
    return found


def _copy(basis: Basis, lodging: Lodging) -> Content:
    return read_report(basis.lodgings.copy(lodging)).content


def compared(
    basis: Basis,
    lines: Mapping[str, Line],
    months: Mapping[Period, tuple[Lodging, Content] | None],
) -> tuple[Lodged, ...]:
    """The figures of each lodged month, as they were handed in and as they are now."""
    found = []
    for month, known in months.items():
        if known is None:
            continue
        lodging, content = known
        before = {line.id: line for line in content.lines if _counts(line.id)}
        now = {
            line.id.partition("@")[0]: line
            for line in lines.values()
            if line.id.endswith(f"@{month}") and _counts(line.id)
        }
        for figure in dict.fromkeys([*before, *now]):
            sample = now.get(figure) or before[figure]
            found.append(
                Lodged(
                    figure=figure,
                    month=month,
                    label=sample.label,
                    unit=sample.unit,
                    before=_short(before.get(figure)),
                    now=_short(now.get(figure)),
                    explanation=_revised(basis, figure, month, lodging),
                )
            )
    return tuple(found)


def _counts(identity: str) -> bool:
    return identity.partition("@")[0].split(".")[1] in _COMPARED


def _short(line: Line | None) -> Decimal | None:
    """As it is reported: a copy keeps no more digits than a float has."""
    return None if line is None else line.rounded


def _revised(basis: Basis, figure: str, month: Period, lodging: Lodging) -> str:
    """Why entries of the month were changed or added after it was lodged; and its own note."""
    scope = figure.partition(".")[0]
    later = [
        f"#{entry.number} {entry.author}: {entry.reason}"
        for entry in basis.ledger.entries
        if entry.time > lodging.time and _within(entry, scope, month)
    ]
    return "; ".join(dict.fromkeys([*later, *([lodging.note] if lodging.note else [])]))


def _within(entry: Entry, scope: str, month: Period) -> bool:
    figure = entry.figure
    inside = month.first <= figure.period.first and figure.period.after <= month.after
    return inside and scope in {PLANT, figure.line}


# --- the year before


@dataclass(frozen=True, slots=True)
class Movement:
    """A figure of this year beside the one that was lodged for the year before."""

    figure: str
    label: Text
    unit: str
    before: Decimal
    now: Decimal
    reasons: tuple[PlannedChange, ...]

    @property
    def percent(self) -> Decimal | None:
        return percent_of(self.now - self.before, self.before)

    @property
    def large(self) -> bool:
        return self.percent is None or abs(self.percent) > MOVEMENT_PERCENT

    @property
    def unexplained(self) -> bool:
        return self.large and not self.reasons


def movements(
    basis: Basis, lines: Mapping[str, Line], plan: Plan | None
) -> tuple[Movement, ...] | None:
    """Figures of the year against the last annual report lodged; None when there was none."""
    year = basis.period.first.year - 1
    lodging = basis.lodgings.latest(ANNUAL, str(year))
    if lodging is None:
        return None
    before = {line.id: line for line in _copy(basis, lodging).lines if "@" not in line.id}
    return tuple(
        Movement(
            figure=line.id,
            label=line.label,
            unit=line.unit,
            before=then,
            now=line.rounded,
            reasons=tuple(_reasons(plan, line.id, year)),
        )
        for line in _of_year(lines.values())
        if line.rounded is not None
        and (old := before.get(line.id)) is not None
        and (then := old.rounded) is not None
    )


def _of_year(lines: Iterable[Line]) -> Iterator[Line]:
    for line in lines:
        if "@" not in line.id and line.section is not Section.CHECK and _counts(line.id):
            yield line


def _reasons(plan: Plan | None, figure: str, year: int) -> Iterator[PlannedChange]:
    """Changes since the year before began that move the figure, or what it is made from."""
    if plan is None:
        return
    scope, _, name = figure.partition(".")
    for change in plan.change:
        if change.on.year < year:
            continue
        scopes = {pattern.partition(".")[0] for pattern in change.figures}
        names = {pattern.partition(".")[2] for pattern in change.figures}
        made_of = name.partition(".")[0] not in RECORDED
        summed = scope == PLANT and (made_of or name in names)
        if change.touches(figure) or summed or (made_of and scopes & {scope, "*"}):
            yield change
