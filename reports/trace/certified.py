"""Which calibration certificates stood behind a meter in a period."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from reports.citations import MeterUse
from reports.entries.certificates import Certificate, certificates
from reports.entries.ledger import Ledger, read_ledger
from reports.periods import Period
from reports.plan.file import load_plan
from reports.plan.plan import Instrument
from reports.site import Site

Node = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Certified:
    """The ledger's certificates by the instruments of the plan, or by the meter's own name."""

    ledger: Ledger
    instruments: tuple[Instrument, ...] = ()

    @classmethod
    def of_site(cls, site: Site) -> "Certified":
        """Raises ConfigError for a ledger or plan that cannot be read."""
        plan = None if site.plan is None or not site.plan.exists() else load_plan(site.plan)
        return cls(read_ledger(site.entries), () if plan is None else plan.instrument)

    def behind(self, meter: MeterUse, period: Period) -> list[Node]:
        """One node per certificate that covers a day of the period; none when there is none."""
        names = [(each.id, each.serial) for each in self.instruments if _is_of(each, meter)]
        found = []
        for name, serial in names or [(meter.equipment, "")]:
            known = certificates(self.ledger, name)
            found += [_node(each, serial) for each in known if _touches(each, period)]
        return found


def _is_of(instrument: Instrument, meter: MeterUse) -> bool:
    return bool({meter.equipment, f"{meter.equipment} {meter.quantity}"} & {*instrument.measures})


def _touches(certificate: Certificate, period: Period) -> bool:
    last: date = period.days[-1]
    return certificate.calibrated <= last and period.first <= certificate.valid_until


def _node(certificate: Certificate, serial: str) -> Node:
    return {
        "instrument": certificate.instrument,
        "serial": serial,
        "number": certificate.number,
        "body": certificate.body,
        "calibrated": certificate.calibrated.isoformat(),
        "valid_until": certificate.valid_until.isoformat(),
        "passed": certificate.passed,
        "entry": certificate.entry.number,
    }
