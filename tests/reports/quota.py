"""An officer's folder for a year of allowances: a site without a lake, entries, reports of it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from reports.allowance.report import allowance
from reports.basis import Basis
from reports.entries.importing import read_figures
from reports.entries.ledger import Ledger, change_ledger, read_ledger
from reports.lodgings import read_lodgings
from reports.model import Content
from reports.periods import Period
from reports.rules.overlay import load_packs
from reports.series.store import open_series
from reports.site import Site, load_site
from tests.reports import plant

NOW = datetime(2027, 6, 23, 4, 0, tzinfo=UTC)
HEAD = "kind,line,period,value,unit,item,document"
ONE_LINE = plant.SITE.partition('[[potline]]\nid = "line2"')[0]


@dataclass(frozen=True)
class Quota:
    """The folder and what is entered in it."""

    root: Path

    @property
    def site(self) -> Site:
        return load_site(self.root / "site.toml")

    @property
    def ledger(self) -> Ledger:
        return read_ledger(self.site.entries)

    def enter(self, *rows: str) -> "Quota":
        path = self.root / "entries.csv"
        path.write_text("\n".join((HEAD, *rows)) + "\n", "utf-8")
        change_ledger(
            self.site.entries,
            lambda ledger: ledger.added(
                read_figures(path, self.site, ledger, NOW),
                author="王敏",
                reason="年度台账",
                time=NOW,
            ),
        )
        return self

    def verified(self, year: int, emission: str, aluminium: str, line: str = "line1") -> "Quota":
        return self.enter(
            f"emission_verified,{line},{year},{emission},tCO2e,,",
            f"aluminium_verified,{line},{year},{aluminium},t,,",
        )

    def balance(self, year: int, value: str) -> "Quota":
        (self.root / "platform.png").write_bytes(b"screenshot")
        return self.enter(f"balance_value,plant,{year},{value},tCO2e/t,,platform.png")

    def basis(self, year: int, *, preliminary: bool = False) -> Basis:
        site = self.site
        with open_series(site) as series:
            lodgings = read_lodgings(site.entries)
            period = Period.year(year)
            return Basis(site, period, self.ledger, series, load_packs(site), lodgings, preliminary)

    def content(self, year: int, *, preliminary: bool = False) -> Content:
        return allowance(self.basis(year, preliminary=preliminary))


def office(root: Path, text: str = ONE_LINE) -> Quota:
    """A new one; ``text`` is its site file."""
    (root / "lake").mkdir(exist_ok=True)
    (root / "site.toml").write_text(text, "utf-8")
    return Quota(root)


def months(year: int, line: str, per_month: dict[int, tuple[str, str]]) -> list[str]:
    """Rows of aluminium and anode (t) of the months given."""
    return [
        f"{kind},{line},{year}-{month:02d},{value},t,,"
        for month, pair in per_month.items()
        for kind, value in zip(("aluminium_tapped", "anode_consumed"), pair, strict=True)
    ]


def value(content: Content, line: str) -> Decimal:
    """The figure of a line that has one."""
    found = content.line(line).value
    assert found is not None, content.line(line).missing
    return found
