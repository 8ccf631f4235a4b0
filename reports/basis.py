"""What a report is made from: the site, its period, and every store a figure may come out of."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from reports.entries.ledger import Ledger
from reports.lodgings import Lodgings
from reports.periods import Period
from reports.rules.packs import RulePack
from reports.series.store import Series
from reports.site import Site


@dataclass(frozen=True, slots=True)
class Basis:
    """At hand for whoever makes a report; nothing in it depends on the clock."""

    site: Site
    period: Period
    ledger: Ledger
    series: Series
    packs: Mapping[str, RulePack]  # the program's own, with the site's overlays laid over them
    lodgings: Lodgings
    preliminary: bool = False  # a trial of a period that still runs: what is to come is forecast
    archive: Path | None = None  # folder of the reports made before

    def of(self, period: Period) -> "Basis":
        """The same stores for another period."""
        return replace(self, period=period)
