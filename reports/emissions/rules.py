"""By which numbers hours, days and months of a stack count: read from the packs, with source."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from reports.periods import Period
from reports.rules.packs import Legal, RulePack

HJ212: Final = "cn_hj212"
HJ75: Final = "cn_hj75"
HJ76: Final = "cn_hj76"
MINUTES: Final = 60
HOURS: Final = 24


@dataclass(frozen=True, slots=True)
class Validity:
    """Both tests of validity: counts of lower-level values, and their share of all."""

    normal_share: Legal
    hour_minutes: Legal
    day_hours: Legal
    month_days: Legal
    month_days_february: Legal

    @property
    def share(self) -> float:
        return float(self.normal_share.fraction)

    @property
    def minutes(self) -> float:
        """Good minutes of a valid hour, by the stricter of the two tests."""
        return max(float(self.hour_minutes.number), self.share * MINUTES)

    @property
    def hours(self) -> float:
        """Valid hours of a valid day."""
        return max(float(self.day_hours.number), self.share * HOURS)

    def days(self, month: Period) -> float:
        """Valid days of a valid month; February has a number of its own."""
        february = month.first.month == FEBRUARY
        least = self.month_days_february if february else self.month_days
        return float(least.number)

    @property
    def all(self) -> tuple[Legal, ...]:
        return (
            self.normal_share,
            self.hour_minutes,
            self.day_hours,
            self.month_days,
            self.month_days_february,
        )


FEBRUARY: Final = 2


def validity(packs: Mapping[str, RulePack], day: date) -> Validity:
    """The rules of a day. Raises RuleError."""
    return Validity(
        normal_share=packs[HJ212].at("normal_share", day),
        hour_minutes=packs[HJ212].at("hour_minutes", day),
        day_hours=packs[HJ212].at("day_hours", day),
        month_days=packs[HJ76].at("month_days", day),
        month_days_february=packs[HJ76].at("month_days_february", day),
    )


@dataclass(frozen=True, slots=True)
class StandIn:
    """What stands in for a missing hourly amount: windows in valid hours, tiers of capture."""

    high_capture: Legal
    least_capture: Legal
    short_gap: Legal
    window_short: Legal
    window_long: Legal
    window_low_capture: Legal
    missing_most: Legal
    capture_least: Legal

    @property
    def all(self) -> tuple[Legal, ...]:
        return tuple(getattr(self, name) for name in self.__slots__)


def stand_in(packs: Mapping[str, RulePack], day: date) -> StandIn:
    """The rules of a day. Raises RuleError."""
    pack = packs[HJ75]
    return StandIn(
        high_capture=pack.at("substitution_high_capture", day),
        least_capture=pack.at("substitution_least_capture", day),
        short_gap=pack.at("substitution_short_gap", day),
        window_short=pack.at("substitution_window_short", day),
        window_long=pack.at("substitution_window_long", day),
        window_low_capture=pack.at("substitution_window_low_capture", day),
        missing_most=pack.at("missing_share_most", day),
        capture_least=pack.at("capture_least", day),
    )
