"""An office that reports abroad: the year of entries, technology of the cells, twelve months."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from reports.abroad.international import international
from reports.basis import Basis
from reports.entries.ledger import read_ledger
from reports.lodgings import read_lodgings
from reports.model import Content
from reports.periods import Period
from reports.rules.packs import RulePack, packs
from reports.series.store import open_series
from reports.site import load_site
from tests.reports.year import Y2026, YearOffice, month_rows

MONTHS = Y2026.months
METAL = 20000  # t a month
ANODE = 9400


def one_line(text: str) -> str:
    """The site with its first potline only."""
    return text[: text.index("[[potline]]", text.index("[[potline]]") + 1)]


@dataclass
class AbroadOffice(YearOffice):
    """One potline, ``line1``."""

    def technology(self, cell: str, more: str = "") -> None:
        self.write_site(
            lambda text: text.replace(
                "started = 2015-06-01", f'started = 2015-06-01\ncell = "{cell}"\n{more}'
            )
        )

    def make(
        self,
        maker: Callable[[Basis], Content] = international,
        year: Period = Y2026,
        *,
        preliminary: bool = False,
        packs_: Mapping[str, RulePack] | None = None,
    ) -> Content:
        site = load_site(self.site_file)
        with open_series(site) as series:
            ledger, lodgings = read_ledger(site.entries), read_lodgings(site.entries)
            return maker(
                Basis(site, year, ledger, series, packs_ or packs(), lodgings, preliminary)
            )

    def year(self, minutes: Mapping[int, float] | float | None = None) -> None:
        """Metal and anode of every month; anode-effect minutes of the months given."""
        rows = "".join(month_rows(month, "line1", METAL, ANODE) for month in MONTHS)
        if minutes is not None:
            given = (
                minutes if isinstance(minutes, Mapping) else dict.fromkeys(range(1, 13), minutes)
            )
            rows += "".join(minute_row(MONTHS[m - 1], value) for m, value in given.items())
        self.enter(rows)


def minute_row(month: Period, value: float, line: str = "line1") -> str:
    return f"anode_effect_minutes,{line},{month},,{value},min/cell-day,\n"


def every_month(kind: str, value: float, unit: str, line: str = "line1", item: str = "") -> str:
    return "".join(f"{kind},{line},{month},{item},{value},{unit},\n" for month in MONTHS)


def office(root: Path, cell: str = "pfpb_m", more: str = "") -> AbroadOffice:
    made = AbroadOffice(root)
    made.write_site(one_line)
    made.technology(cell, more)
    return made
