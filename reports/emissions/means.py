"""Days and months of a pollutant from its hours, by the counts that make them valid."""

from dataclasses import dataclass

import numpy as np

from drivers.model import Floats
from reports.emissions.rules import Validity
from reports.emissions.states import Bools, StackHours
from reports.periods import Period


@dataclass(frozen=True, slots=True, eq=False)
class Days:
    """
    Days of a period. ``dry`` and ``converted`` mg/m3 are means of the valid hours, NaN of none.

    ``valid`` says whether there were enough of them; ``hours`` how many. Hours that cannot be
    converted are not among them: they have no value for the limit.
    """

    dry: Floats
    converted: Floats
    highest: Floats
    hours: Floats
    valid: Bools


def days_of(hours: StackHours, pollutant: str, rules: Validity) -> Days:
    """Of all days of the period."""
    each = hours.pollutants[pollutant]
    counts = hours.of_day((each.valid & ~each.not_convertible).astype(np.float64)).sum(axis=1)
    return Days(
        dry=_means(hours, each.dry, each.valid),
        converted=_means(hours, each.converted, each.valid),
        highest=_highest(hours.of_day(np.where(each.valid, each.converted, np.nan))),
        hours=counts,
        valid=np.asarray(counts >= rules.hours, dtype=np.bool_),
    )


@dataclass(frozen=True, slots=True)
class Month:
    """A month: mean of its valid days, mg/m3, None where they are too few; how many they are."""

    dry: float | None
    converted: float | None
    days: int
    valid: bool


def month_of(days: Days, month: Period, rules: Validity) -> Month:
    """``days`` are those of ``month``, which may be a part of one: then it is hardly valid."""
    count = int(days.valid.sum())
    valid = count >= rules.days(month)
    dry, converted = days.dry[days.valid], days.converted[days.valid]
    converted = converted[np.isfinite(converted)]
    return Month(
        dry=float(dry.mean()) if valid else None,
        converted=float(converted.mean()) if valid and len(converted) else None,
        days=count,
        valid=valid,
    )


def _means(hours: StackHours, values: Floats, valid: Bools) -> Floats:
    use = valid & np.isfinite(values)
    count = hours.of_day(use.astype(np.float64)).sum(axis=1)
    total = hours.of_day(np.where(use, values, 0.0)).sum(axis=1)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(count > 0, total / count, np.nan))


def _highest(values: Floats) -> Floats:
    low = np.where(np.isfinite(values), values, -np.inf).max(axis=1)
    return np.asarray(np.where(np.isfinite(low), low, np.nan))
