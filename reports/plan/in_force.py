"""Which quality plan governs a day: the newest one lodged for its year by then."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from reports.basis import Basis
from reports.lodgings import Lodging
from reports.model import Report
from reports.plan.plan import Plan
from reports.versions import read_report

REPORT: Final = "quality-plan"


@dataclass(frozen=True, slots=True)
class PlanInForce:
    """A plan as it was handed in."""

    lodging: Lodging
    report: Report
    plan: Plan

    @property
    def name(self) -> str:
        """``2026 v2``: what a reader finds it by."""
        return f"{self.lodging.period} v{self.lodging.version}"


def plan_in_force(basis: Basis, day: date) -> PlanInForce | None:
    """
    The newest plan lodged for the year of ``day`` on or before it; None when there was none.

    Raises ConfigError when the copy of a lodged plan cannot be read.
    """
    found = list(lodged_plans(basis, day.year, by=day))
    return read_plan(basis, found[-1]) if found else None


def lodged_plans(basis: Basis, year: int, *, by: date | None = None) -> Iterator[Lodging]:
    """The plans lodged for a year, in order of handing in."""
    fitting = [
        lodging
        for lodging in basis.lodgings.lodgings
        if lodging.report == REPORT
        and lodging.period == str(year)
        and (by is None or lodging.on <= by)
    ]
    yield from sorted(fitting, key=lambda lodging: (lodging.on, lodging.number))


def read_plan(basis: Basis, lodging: Lodging) -> PlanInForce | None:
    """The lodged copy; None when it carries no plan as data."""
    report = read_report(basis.lodgings.copy(lodging))
    plan = report.content.plan
    return None if plan is None else PlanInForce(lodging, report, plan)
