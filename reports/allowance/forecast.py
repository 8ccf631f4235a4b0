"""
A process to the end of its year, from the months that were measured and the plan for the others.

Aluminium to come is the plan, else the mean daily output of the measured months times the days to
come. Anode to come is the plan, else the mean anode rate of the measured months times the
aluminium. How far the year may be off is a prediction interval: from the scatter of the monthly
anode rates, and from how far the plan (or the mean day) was off so far.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

LEVEL_PERCENT: Final = 95
# Student's t, two-sided 95 %, by degrees of freedom 1 … 11 (a table of mathematics, no rule).
T_975: Final = tuple(
    Decimal(t)
    for t in (
        *("12.706", "4.303", "3.182", "2.776", "2.571", "2.447"),
        *("2.365", "2.306", "2.262", "2.228", "2.201"),
    )
)


@dataclass(frozen=True, slots=True)
class Measured:
    """A month that is over: days run, liquid aluminium and anode (t), and what had been planned."""

    days: int
    aluminium_t: Decimal
    anode_t: Decimal
    planned_t: Decimal | None = None  # aluminium

    @property
    def rate(self) -> Decimal:
        """Anode per tonne of aluminium."""
        return self.anode_t / self.aluminium_t


@dataclass(frozen=True, slots=True)
class Ahead:
    """A month to come: days it will run, and the plan where there is one (t)."""

    days: int
    aluminium_t: Decimal | None = None
    anode_t: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Expected:
    """What is expected of a month to come, t; ``planned`` names what came from the plan."""

    aluminium_t: Decimal
    anode_t: Decimal
    planned: tuple[str, ...]  # of "aluminium", "anode"


@dataclass(frozen=True, slots=True)
class Deviation:
    """
    Half widths of the prediction interval at ``LEVEL_PERCENT``, for the months to come together.

    ``anode_t`` because the anode rate scatters, at the expected aluminium; ``aluminium_t`` because
    the output may be another. ``t`` and ``freedom`` say which quantile was used.
    """

    anode_t: Decimal
    aluminium_t: Decimal
    rate_deviation: Decimal  # standard deviation of the monthly anode rate, t/t
    output_deviation: Decimal  # of the output, relative
    against_plan: bool  # the output deviation is that from the plan, not that between days
    t: Decimal
    freedom: int

    def emission_t(self, per_anode: Decimal, per_aluminium: Decimal) -> Decimal:
        """Half width of the emission, t CO2e, from t per t of anode and of aluminium."""
        return ((per_anode * self.anode_t) ** 2 + (per_aluminium * self.aluminium_t) ** 2).sqrt()


def expect(measured: Sequence[Measured], ahead: Sequence[Ahead]) -> tuple[Expected, ...] | None:
    """The months to come, each; None when neither plan nor any measured month tells."""
    daily, rate = _daily(measured), _rate(measured)
    found = []
    for month in ahead:
        aluminium = month.aluminium_t
        if aluminium is None and daily is not None:
            aluminium = daily * month.days
        anode = month.anode_t
        if anode is None and aluminium is not None and rate is not None:
            anode = rate * aluminium
        if aluminium is None or anode is None:
            return None
        given = {"aluminium": month.aluminium_t, "anode": month.anode_t}
        planned = tuple(name for name, value in given.items() if value is not None)
        found.append(Expected(aluminium, anode, planned))
    return tuple(found)


def deviation(
    measured: Sequence[Measured], ahead: Sequence[Ahead], expected: Sequence[Expected]
) -> Deviation | None:
    """
    How far the months to come may be off; None when fewer than two months were measured.

        anode:     t * s_c * sqrt(ΣP_j² + (ΣP_j)² / n)
        aluminium: by mean day  t * s_d * sqrt(ΣP_j² + (ΣP_j)² / n)
                   by plan      t * r * ΣP_j      (a plan that is missed stays missed)

    s_c standard deviation of the monthly anode rate around its mean, s_d that of the daily output
    relative to its mean, r root mean square of output / plan − 1, P_j aluminium of a month to
    come, n measured months, t two-sided quantile with n − 1 degrees of freedom. A plan counts
    when two months or more can be compared with it.
    """
    freedom = len(measured) - 1
    total = sum((month.aluminium_t for month in expected), Decimal(0))
    if freedom < 1 or any(month.aluminium_t <= 0 for month in measured):
        return None
    t = T_975[min(freedom, len(T_975)) - 1]
    squares = sum((month.aluminium_t**2 for month in expected), Decimal(0))
    spread = (squares + total**2 / len(measured)).sqrt()
    rates = _scatter([month.rate for month in measured])
    days = [month.aluminium_t / month.days for month in measured]
    mean_day = sum(days, Decimal(0)) / len(days)
    output, weight, against_plan = _scatter(days) / mean_day, spread, False
    compared = [m.aluminium_t / m.planned_t - 1 for m in measured if m.planned_t]
    if len(compared) > 1 and any(month.aluminium_t is not None for month in ahead):
        mean_square = sum((off**2 for off in compared), Decimal(0)) / len(compared)
        output, weight, against_plan = mean_square.sqrt(), total, True
    return Deviation(
        t * rates * spread, t * output * weight, rates, output, against_plan, t, freedom
    )


def _daily(measured: Sequence[Measured]) -> Decimal | None:
    days = sum(month.days for month in measured)
    metal = sum((month.aluminium_t for month in measured), Decimal(0))
    return metal / days if days else None


def _rate(measured: Sequence[Measured]) -> Decimal | None:
    metal = sum((month.aluminium_t for month in measured), Decimal(0))
    anode = sum((month.anode_t for month in measured), Decimal(0))
    return anode / metal if metal else None


def _scatter(values: Sequence[Decimal]) -> Decimal:
    """Standard deviation of the values around their mean, n − 1."""
    mean = sum(values, Decimal(0)) / len(values)
    squares = sum(((value - mean) ** 2 for value in values), Decimal(0))
    return (squares / (len(values) - 1)).sqrt()
