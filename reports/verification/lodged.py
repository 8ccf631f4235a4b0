"""Months as they were lodged against what the books say of them now."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from reports.basis import Basis
from reports.entries.ledger import Entry
from reports.lodgings import Lodging
from reports.model import Content, Line
from reports.periods import Period
from reports.site import PLANT
from reports.values import Text
from reports.verification.checks import RECORDED
from reports.versions import read_report
from reports.words import short_text

MONTHLY: Final = "carbon-monthly"
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
                    explanation=_revised(basis, figure, lodging),
                )
            )
    return tuple(found)


def _counts(identity: str) -> bool:
    return identity.partition("@")[0].split(".")[1] in _COMPARED


def _short(line: Line | None) -> Decimal | None:
    """As it is reported: a copy keeps no more digits than a float has."""
    if line is None or line.rounded is None:
        return None
    return Decimal(short_text(line.rounded))


def _revised(basis: Basis, figure: str, lodging: Lodging) -> str:
    """Why entries of the month were changed or added after it was lodged; and its own note."""
    scope = figure.partition(".")[0]
    later = [
        f"#{entry.number} {entry.author}: {entry.reason}"
        for entry in basis.ledger.entries
        if entry.time > lodging.time and _moves(entry, scope, lodging)
    ]
    return "; ".join(dict.fromkeys([*later, *([lodging.note] if lodging.note else [])]))


def _moves(entry: Entry, scope: str, lodging: Lodging) -> bool:
    """True for an entry the lodged month was made from, in the place of the figure."""
    figure = entry.figure
    return lodging.seals(figure.kind, figure.period) and scope in {PLANT, figure.line}
