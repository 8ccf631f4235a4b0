"""Hours of a stack from its minutes, and the hours above the limit: what others ask this room."""

from reports.basis import Basis
from reports.emissions.states import Exceedance, Mark, PollutantHours, StackHours, State
from reports.site_stacks import Stack

__all__ = [
    "Exceedance",
    "Mark",
    "PollutantHours",
    "StackHours",
    "State",
    "exceedances",
    "stack_hours",
]


def stack_hours(basis: Basis, stack: Stack) -> StackHours:
    """All hours of ``basis.period`` of one stack. Raises SeriesError, RuleError."""
    raise NotImplementedError


def exceedances(hours: StackHours, stack: Stack) -> list[Exceedance]:
    """
    Consecutive hours above the limit, joined; by pollutant, in order of time.

    Hours that a mark keeps from being judged are listed too, as such (``judged`` is False).
    """
    raise NotImplementedError
