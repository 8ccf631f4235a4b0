"""By which day a month must be lodged: so many days after it, or the day set for the first ones."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Final

from reports.periods import Period
from reports.rules.packs import Legal, RuleError

GUIDE: Final = "cn_ets_aluminium_2024"
CALENDAR: Final = "cn_calendar"


def lodging_due(law: Callable[[str, str], Legal], month: Period) -> tuple[date, Legal] | None:
    """
    The last day and the rule that sets it; None for months before there was such a duty.

    ``law`` gives a rule of that month by pack and name, or raises RuleError.
    """
    try:
        days = law(GUIDE, "lodging_days")
    except RuleError:
        pass
    else:
        return month.days[-1] + timedelta(days=int(days.number)), days
    try:
        backlog = law(CALENDAR, "lodging_backlog_due")
    except RuleError:
        return None
    return backlog.day, backlog
