"""A plant of one small potline whose energy can be computed by hand: hours in a lake, entries."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from agent.lake.lake import Lake
from agent.views import Source
from reports.basis import Basis
from reports.energy.report import energy
from reports.entries.ledger import read_ledger
from reports.lodgings import read_lodgings
from reports.model import Content
from reports.periods import Period
from reports.rules.packs import RulePack, packs
from reports.series.store import open_series
from reports.site import load_site
from tests.reports.plant import HOUR_NS, batches, by_hour
from tests.reports.year import YearOffice

OCTOBER = Period.month(2026, 10)
HOURS = Source("demo", "import", "record", "3f9a0000000000e1")
SITE = """
plant = "demo"
name = { zh = "示例铝业有限公司", en = "Example Aluminium Co., Ltd." }
province = "henan"
lake = "lake"
entries = "entries.jsonl"
tariff = { price_cny_per_kwh = 0.5 }
# plant

[[potline]]
id = "line1"
name = { zh = "一系列", en = "Potline 1" }
process = "1"
capacity_t_per_year = 2500
design_current_ka = 400
design_voltage_v = 4.0
pots = 2
rectifiers = 4
started = 2015-06-01
ac_meters = ["line1/ac1"]
dc_meters = ["line1/dc1"]
aux_meters = ["line1/aux1"]
fgd_meters = ["line1/fgd1"]
# line
"""
# kWh an hour, or the value of a gauge
USUAL: Mapping[str, float] = {
    "line1/ac1 meter.energy_import": 3250.0,
    "line1/dc1 meter.energy_import": 3200.0,
    "line1/aux1 meter.energy_import": 100.0,
    "line1/fgd1 meter.energy_import": 25.0,
    "line1/series potline.current": 400.0,
    "line1/series potline.voltage": 8.0,
}
METAL = "aluminium_tapped,line1,2026-10,,185,t,\n"
Value = float | Callable[[int], float | None]


def hour_line(point: str, start_ns: int, value: float, register: float) -> str:
    """An hour as the wire has it: a counter's increment and register, or a gauge's mean."""
    equipment, _, quantity = point.partition(" ")
    line, _, unit = equipment.partition("/")
    measurement, _, name = quantity.partition(".")
    tags = f"{measurement}_1h,plant=demo,line={line},unit={unit}"
    if name in {"energy_import", "energy", "volume", "heat_energy"}:
        return f"{tags} {name}_inc={value!r},{name}_last={register!r},{name}_n=1i {start_ns}"
    return f"{tags} {name}={value!r},{name}_n=1i {start_ns}"


def hours(points: Mapping[str, Value], period: Period) -> Iterator[tuple[int, str]]:
    """Lines of every hour of the period; a point that is None in an hour has no window there."""
    for point, value in points.items():
        register = 1000.0
        for number, start_ns in enumerate(range(period.start_ns, period.end_ns, HOUR_NS)):
            now = value(number) if callable(value) else value
            if now is not None:
                register += now
                yield start_ns, hour_line(point, start_ns, now, register)


@dataclass
class EnergyOffice(YearOffice):
    """One potline of two pots; ``store`` fills the lake, ``report`` makes the report."""

    site_text: str = SITE
    _stored: int = 0
    more_packs: dict[str, RulePack] = field(default_factory=dict)

    def store(
        self,
        points: Mapping[str, Value] = USUAL,
        period: Period = OCTOBER,
        more: Sequence[tuple[int, str]] = (),
    ) -> None:
        self._stored += 1
        source = replace(HOURS, log=f"{HOURS.log[:-1]}{self._stored}")
        made = batches(source, by_hour(iter(sorted([*hours(points, period), *more]))))
        lake = Lake(self.root / "lake")
        try:
            lake.open()
            lake.write(made)
        finally:
            lake.close()

    def report(self, period: Period = OCTOBER) -> Content:
        site = load_site(self.site_file)
        with open_series(site) as series:
            ledger, lodgings = read_ledger(site.entries), read_lodgings(site.entries)
            rules = packs() | self.more_packs
            return energy(Basis(site, period, ledger, series, rules, lodgings))


def office(root: Path, rows: str = METAL) -> EnergyOffice:
    made = EnergyOffice(root)
    if rows:
        made.enter(rows)
    return made


def number(content: Content, identity: str) -> float | None:
    value = content.line(identity).value
    return None if value is None else float(value)
