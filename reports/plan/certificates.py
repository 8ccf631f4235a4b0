"""The instruments of a plan and their certificates: which days are covered, and when next."""

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from reports.entries.certificates import Certificate, certificates
from reports.entries.ledger import Ledger
from reports.periods import Period
from reports.plan.plan import Instrument


@dataclass(frozen=True, slots=True)
class Calibration:
    """An instrument and all its certificates, oldest first."""

    instrument: Instrument
    certificates: tuple[Certificate, ...]

    @property
    def last(self) -> Certificate | None:
        return self.certificates[-1] if self.certificates else None

    def before(self, day: date) -> Certificate | None:
        """The newest calibration by ``day``, valid or not."""
        made = [each for each in self.certificates if each.calibrated <= day]
        return made[-1] if made else None

    def due(self, certificate: Certificate) -> date:
        """The last day on which it counts: its own end, or the plan's interval if that is less."""
        interval = months_later(certificate.calibrated, self.instrument.interval_months)
        return min(certificate.valid_until, interval)

    def uncovered(self, period: Period) -> tuple[date, ...]:
        """Days of the period on which it was in place without a valid certificate."""
        found = []
        for day in period.days:
            last = self.before(day)
            if self.instrument.in_place(day) and (last is None or not last.covers(day)):
                found.append(day)
        return tuple(found)

    def late(self, period: Period) -> tuple[date, ...]:
        """Days with a valid certificate, but longer after it than the plan's interval allows."""
        found = []
        for day in period.days:
            last = self.before(day)
            if last is not None and last.covers(day) and self.instrument.in_place(day):
                interval = months_later(last.calibrated, self.instrument.interval_months)
                found += [day] if day > interval else []
        return tuple(found)


def calibrations(ledger: Ledger, instruments: Sequence[Instrument]) -> tuple[Calibration, ...]:
    """Each instrument with its certificates."""
    return tuple(Calibration(each, certificates(ledger, each.id)) for each in instruments)


def months_later(day: date, months: int) -> date:
    """The same day of a later month, or its last day where that month is shorter."""
    count = day.month - 1 + months
    year, month = day.year + count // 12, count % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))
