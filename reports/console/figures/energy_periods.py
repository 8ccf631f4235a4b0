"""Which periods the energy page offers, and where the report of one lies; light enough to ask."""

import re
from datetime import date
from pathlib import Path
from typing import Any, Final

from reports.console.figures.potline_times import newest_day, oldest_day
from reports.console.office import Office
from reports.periods import Period, plant_now

NAME: Final = "energy"
MONTHS, QUARTERS, YEARS = 24, 8, 5
_FILE: Final = re.compile(r"energy-(\S+?)-v(\d+)\.json")


def newest_period(office: Office) -> str:
    """The month of the newest data."""
    day = newest_day(office) or plant_now().date()
    return str(Period.between(day, day).whole_month)


def offered(office: Office) -> dict[str, Any]:
    """Months, quarters and years with data, newest first, and the reports of the archive."""
    last = newest_day(office) or plant_now().date()
    first = oldest_day(office) or last
    kept = archived(office)
    return {
        "months": _back(first, last, "whole_month", MONTHS),
        "quarters": _back(first, last, "whole_quarter", QUARTERS),
        "years": _back(first, last, "whole_year", YEARS),
        "archived": sorted(kept),
    }


def _back(first: date, last: date, whole: str, most: int) -> list[str]:
    found: list[str] = []
    period: Period = getattr(Period.between(last, last), whole)
    while period.after > first and len(found) < most:
        found.append(str(period))
        before = date.fromordinal(max(period.first.toordinal() - 1, 1))
        period = getattr(Period.between(before, before), whole)
    return found


def archived(office: Office) -> dict[str, Path]:
    """The newest version of each energy report, by period."""
    found: dict[str, tuple[int, Path]] = {}
    try:
        files = list(office.reports.iterdir())
    except OSError:
        return {}
    for path in files:
        name = _FILE.fullmatch(path.name)
        if name is not None and int(name[2]) > found.get(name[1], (0, path))[0]:
            found[name[1]] = int(name[2]), path
    return {period: path for period, (_, path) in found.items()}


def archive_file(office: Office, period: str, source: str) -> Path | None:
    """
    What the page of a period shows: the newest version of the archive once the period is over.

    None: the draft; so it is asked for (``source`` draft), the period runs, or nothing was made.
    """
    if source == "draft" or Period.parse(period).end > plant_now():
        return None
    return archived(office).get(period)
