"""Small plants with stacks: minutes written as a gateway sends them, lake and originals of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from agent.lake.lake import Lake
from reports.basis import Basis
from reports.emissions.hours import StackHours, stack_hours
from reports.entries.ledger import read_ledger
from reports.journal.journal import change_journal
from reports.journal.record import Evidence, Record
from reports.lodgings import read_lodgings
from reports.periods import PLANT_TIME, Period
from reports.rules.packs import packs
from reports.series.store import open_series
from reports.site import load_site
from tests.reports import plant

MINUTE_NS = plant.MINUTE_NS
HOUR_NS = plant.HOUR_NS
STACK1, STACK2 = "gtc1/stack1", "gtc2/stack1"

SITE = plant.SITE

STACK = """
[[stacks]]
id = "DA001"
name = { zh = "一系列电解烟气排放口", en = "pot gas of potline 1" }
equipment = "gtc1/stack1"
industry = "electrolytic_aluminium"
area_m2 = 12.5
velocity_coefficient = 1.05
ambient_pa = 100000
wet = true
permit = { number = "91410000SIM000001X001P", document = "permit.txt" }
started = 2020-01-01

[[stacks.limits]]
pollutant = "so2"
hour_mg_m3 = 35
from = 2020-01-01
source = "排污许可证 表 5"
"""

Values = Mapping[str, float | tuple[float | None, float, str]]
# value, or value (None: none), good share and the reason why not all was good


def at(text: str) -> int:
    """``2026-10-05T08:00`` of plant time as ns."""
    return int(datetime.fromisoformat(text).replace(tzinfo=PLANT_TIME).timestamp()) * 10**9


def window(equipment: str, start_ns: int, values: Values, ending: str = "1m") -> str:
    """One line of the wire: windows of some quantities of one measurement of one equipment."""
    line, _, unit = equipment.partition("/")
    measurement = next(iter(values)).partition(".")[0]
    fields: list[str] = []
    for quantity, given in values.items():
        name = quantity.partition(".")[2]
        value, good, reason = given if isinstance(given, tuple) else (given, 1.0, "")
        if value is not None:
            fields.append(f"{name}={value!r}")
        fields.append(f"{name}_n={12 if value is not None else 0}i")
        if good != 1:
            fields.append(f"{name}_good={good!r}")
        if reason:
            fields.append(f'{name}_q="{reason}"')
    return (
        f"{measurement}_{ending},plant=demo,line={line},unit={unit} {','.join(fields)} {start_ns}"
    )


@dataclass
class Smoke:
    """A plant while its minutes are put down."""

    root: Path
    site: str = SITE + STACK
    lines: list[tuple[int, str]] = field(default_factory=list)

    def minutes(self, equipment: str, start: str, count: int, values: Values) -> None:
        """``count`` equal minutes from a moment of plant time on."""
        for n in range(count):
            ns = at(start) + n * MINUTE_NS
            self.lines.append((ns, window(equipment, ns, values)))

    def hours(self, equipment: str, start: str, count: int, values: Values) -> None:
        """Windows of an hour, as an import brings them."""
        for n in range(count):
            ns = at(start) + n * HOUR_NS
            self.lines.append((ns, window(equipment, ns, values, "1h")))

    def mark(
        self,
        what: str,
        start: str,
        end: str,
        *,
        pollutants: tuple[str, ...] = (),
        equipment: str = STACK1,
        facts: Mapping[str, str] | None = None,
        kind: str = "mark",
    ) -> None:
        """A record of the journal."""
        record = Record.model_validate(
            {
                "kind": kind,
                "equipment": equipment,
                "start_ns": at(start),
                "end_ns": at(end),
                "what": what,
                "pollutants": pollutants,
                "facts": ({"judgement": "supported"} if kind == "mark" else {}) | dict(facts or {}),
                "reason": "例行工作",
                "author": "王敏",
                "at": datetime(2026, 11, 20, 4, 0, tzinfo=UTC),
                "evidence": (Evidence(kind="document", sha256="0" * 64, name="record.pdf"),),
            }
        )
        change_journal(self.root / "journal.jsonl", lambda _: [record])

    def build(self) -> None:
        """Lake, originals and site file."""
        made = plant.batches(plant.GATEWAY, plant.by_hour(iter(self.lines)))
        plant.store(self.root / "originals", made)
        lake = Lake(self.root / "lake")
        try:
            lake.open()
            lake.write(made)
        finally:
            lake.close()
        (self.root / "site.toml").write_text(self.site, "utf-8")

    def basis(self, period: str) -> Iterator[Basis]:
        site = load_site(self.root / "site.toml")
        with open_series(site) as series:
            ledger, lodgings = read_ledger(site.entries), read_lodgings(site.entries)
            yield Basis(site, Period.parse(period), ledger, series, packs(), lodgings)

    def of(self, period: str, stack: str = "DA001") -> StackHours:
        """The hours of a stack."""
        for basis in self.basis(period):
            found = basis.site.stack(stack)
            assert found is not None
            return stack_hours(basis, found)
        raise AssertionError
