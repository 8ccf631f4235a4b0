"""Calibration certificates of instruments, out of the ledger: which one covers a day, if any."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from reports.entries.ledger import Entry, Ledger
from reports.periods import Period

KIND: Final = "instrument_certificate"
_PASSED: Final = ("", "合格", "pass")


@dataclass(frozen=True, slots=True)
class Certificate:
    """One calibration; it covers the days from ``calibrated`` to ``valid_until``, both included."""

    instrument: str
    calibrated: date
    valid_until: date
    body: str
    number: str
    error_percent: Decimal
    passed: bool
    entry: Entry

    def covers(self, day: date) -> bool:
        return self.passed and self.calibrated <= day <= self.valid_until


def certificates(ledger: Ledger, instrument: str) -> tuple[Certificate, ...]:
    """Those of the instrument that count, oldest calibration first."""
    found = [
        _certificate(entry)
        for entry in ledger.current().values()
        if entry.figure.kind.id == KIND and entry.figure.line == instrument
    ]
    return tuple(sorted(found, key=lambda each: each.calibrated))


def valid_on(ledger: Ledger, instrument: str, day: date) -> Certificate | None:
    """The certificate that covers the day: the newest calibration decides, also when it failed."""
    return _covering(certificates(ledger, instrument), day)


def expired_part(ledger: Ledger, instrument: str, period: Period) -> tuple[date, ...]:
    """The days of ``period`` that no certificate covers, in order; empty = covered throughout."""
    known = certificates(ledger, instrument)
    return tuple(day for day in period.days if _covering(known, day) is None)


def _covering(known: tuple[Certificate, ...], day: date) -> Certificate | None:
    until = [each for each in known if each.calibrated <= day]
    return until[-1] if until and until[-1].covers(day) else None


def _certificate(entry: Entry) -> Certificate:
    figure = entry.figure
    return Certificate(
        instrument=figure.line,
        calibrated=figure.period.first,
        valid_until=date.fromisoformat(figure.fact("valid_until")),
        body=figure.fact("body"),
        number=figure.fact("certificate"),
        error_percent=figure.amount,
        passed=figure.fact("result") in _PASSED,
        entry=entry,
    )
