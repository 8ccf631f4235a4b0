"""A plant that lives by entries alone: two potlines, a year of months, no meters, an empty lake."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from reports.basis import Basis
from reports.carbon.annual import carbon_annual
from reports.carbon.monthly import carbon_monthly
from reports.entries.importing import read_figures
from reports.entries.ledger import Ledger, change_ledger, read_ledger
from reports.lodgings import read_lodgings
from reports.model import Content
from reports.periods import Period
from reports.rules.packs import packs
from reports.series.store import open_series
from reports.site import load_site

NOW = datetime(2027, 1, 20, 4, 0, tzinfo=UTC)
HEAD = "kind,line,period,item,value,unit,note\n"
Y2026 = Period.year(2026)

SITE = """
plant = "demo"
name = { zh = "示例铝业有限公司", en = "Example Aluminium Co., Ltd." }
province = "henan"
lake = "lake"
entries = "entries.jsonl"
# more

[[potline]]
id = "line1"
name = { zh = "一系列", en = "Potline 1" }
process = "1"
capacity_t_per_year = 250000
design_current_ka = 400
design_voltage_v = 4.0
pots = 240
rectifiers = 6
started = 2015-06-01

[[potline]]
id = "line2"
name = { zh = "二系列", en = "Potline 2" }
process = "2"
capacity_t_per_year = 120000
design_current_ka = 300
design_voltage_v = 4.0
pots = 150
rectifiers = 5
started = 2010-01-01
"""

# t of metal and of anode, MWh, by line: the same in every month unless a test says otherwise
USUAL = {"line1": (20000, 9400, 270000), "line2": (10000, 4700, 135000)}


@dataclass
class YearOffice:
    """A folder with site and ledger; ``enter`` imports rows as the command does."""

    root: Path
    site_text: str = SITE
    now: datetime = NOW
    archive: Path | None = None  # folder of reports made before
    _tables: int = field(default=0)

    def __post_init__(self) -> None:
        (self.root / "lake").mkdir(parents=True, exist_ok=True)
        self.write_site()

    @property
    def site_file(self) -> Path:
        return self.root / "site.toml"

    def write_site(self, change: Callable[[str], str] = str) -> None:
        self.site_text = change(self.site_text)
        self.site_file.write_text(self.site_text, "utf-8")

    def enter(self, rows: str) -> Ledger:
        return self.enter_table(HEAD + rows)

    def revise(self, number: int, value: str | None) -> Ledger:
        """Another value for an entry, or None, as ``smelter entries revise`` leaves it."""

        def change(ledger: Ledger) -> Ledger:
            amount = None if value is None else Decimal(value)
            figure = replace(ledger.entries[number - 1].figure, value=amount)
            return ledger.added([figure], author="李强", reason="磅单更正", time=self.now)

        return change_ledger(load_site(self.site_file).entries, change)

    def enter_table(self, text: str, encoding: str = "utf-8") -> Ledger:
        """A table with a head of its own."""
        self._tables += 1
        path = self.root / f"table{self._tables}.csv"
        path.write_text(text, encoding)
        site = load_site(self.site_file)
        return change_ledger(
            site.entries,
            lambda ledger: ledger.added(
                read_figures(path, site, ledger, self.now),
                author="王敏",
                reason="月度台账",
                time=self.now,
            ),
        )

    def content(self, period: Period = Y2026, *, preliminary: bool = False) -> Content:
        site = load_site(self.site_file)
        make = carbon_annual if period.is_year else carbon_monthly
        with open_series(site) as series:
            ledger, lodgings = read_ledger(site.entries), read_lodgings(site.entries)
            basis = Basis(site, period, ledger, series, packs(), lodgings, preliminary)
            return make(replace(basis, archive=self.archive))


def month_rows(
    month: Period,
    line: str,
    metal: float | Decimal,
    anode: float | Decimal,
    energy: float | Decimal = 0,
) -> str:
    """The three rows every month of a line needs; no energy row when it is 0."""
    rows = (
        f"aluminium_tapped,{line},{month},,{metal},t,\nanode_consumed,{line},{month},,{anode},t,\n"
    )
    return rows + (f"electricity_ac,{line},{month},,{energy},MWh,\n" if energy else "")


def usual_year(
    year: Period = Y2026,
    usual: Mapping[str, tuple[float, float, float]] = USUAL,
    skip: Callable[[Period, str], bool] = lambda _month, _line: False,
) -> str:
    """Rows of a whole year."""
    return "".join(
        month_rows(month, line, *usual[line])
        for month in year.months
        for line in usual
        if not skip(month, line)
    )
