"""A plant made up for the grade: a year of hours in a lake, official tables that nobody issued.

Everything "official" here is invented by the test and says so: the documents are named TEST.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from agent.lake.lake import Lake
from reports.assembly import Assembly
from reports.basis import Basis
from reports.entries.documents import keep
from reports.entries.kinds import KINDS
from reports.entries.ledger import Document, Figure, change_ledger, read_ledger
from reports.grade.bench import Bench
from reports.grade.report import grade
from reports.journal.journal import change_journal, read_journal
from reports.journal.record import Evidence, Kind, Record, minute_ns
from reports.lodgings import read_lodgings
from reports.model import Content
from reports.periods import Period
from reports.rules.packs import packs
from reports.series.store import open_series
from reports.site import load_site
from tests.reports.energy import HOURS, Value, hours
from tests.reports.plant import HOUR_NS, batches, by_hour, store

OCTOBER = Period.month(2026, 10)
YEAR = Period.parse("2025-11-01_2026-10-31")
NOW = datetime(2026, 11, 3, 4, 0, tzinfo=UTC)

SITE = """
plant = "demo"
name = { zh = "示例铝业有限公司", en = "Example Aluminium Co., Ltd." }
province = "henan"
lake = "LAKE/lake"
originals = "LAKE/originals"
entries = "entries.jsonl"
# plant

[grade]
industries = ["electrolytic_aluminium"]
generations = ["CN-2020"]
tables = [TABLES]
dcs = ["line1/series potline.current", "gtc1/scrubber1 scrubber.running"]

[[stacks]]
id = "DA001"
name = { zh = "一系列净化", en = "Scrubber of line 1" }
equipment = "gtc1/stack1"
industry = "electrolytic_aluminium"
area_m2 = 12.5
wet = false
potlines = ["line1"]
production = "line1/series potline.current"
production_above = 10
controls = ["gtc1/scrubber1 scrubber.running"]
[[stacks.limits]]
pollutant = "so2"
hour_mg_m3 = 35
from = 2021-01-01
source = "permit, p. 4"

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
ac_meters = ["line1/ac1"]
"""
HEAD = """table = "{table}"
title = "TEST table, made up"
issuer = "nobody"
where = "nowhere"
seen = "made up for a test"
document = "table.txt"
sha256 = "{sha256}"
entered_by = "{entered}"
checked_by = "{checked}"
checked_on = 2026-10-20
coverage = [{coverage}]
"""
ROW = """
[[indicators]]
name = "{name}"
family = "{family}"
levels = ["A"]
zh = "测试条件 {name}"
locator = "row {name}"
evidence = [{evidence}]
"""
ALL = (
    *("energy", "equipment", "technique", "limits", "fugitive", "monitoring"),
    *("management", "transport", "transport_control"),
)
CLEAN = '["electric", "national_vi"]'
EVIDENCE: Mapping[str, tuple[str, str]] = {  # name -> family, evidence
    "fuel": ("energy", '{ kind = "document", what = "fuel" }'),
    "cells": ("equipment", '{ kind = "declaration", what = "cells" }'),
    "scrubbing": ("technique", '{ kind = "interlock" }'),
    "so2": ("limits", '{ kind = "limits_met", pollutant = "so2", limit = 30 }'),
    "permit": ("fugitive", '{ kind = "no_exceedance" }'),
    "cems": ("monitoring", '{ kind = "uptime", of = "cems", percent = 95 }'),
    "dcs": ("monitoring", '{ kind = "uptime", of = "dcs", percent = 95 }'),
    "kept": ("monitoring", '{ kind = "retention", of = "cems", days = 365 }'),
    "penalty": ("management", '{ kind = "no_penalty" }'),
    "ledgers": ("management", '{ kind = "ledger", entries = ["consumable_used"] }'),
    "trucks": (
        "transport",
        '{ kind = "share", of = "gate_trips", percent = 80, classes = CLEAN }',
    ),
    "gate": ("transport_control", '{ kind = "document", what = "gate" }'),
}
USUAL: Mapping[str, Value] = {
    "gtc1/stack1 stack.so2": 12.0,
    "gtc1/stack1 stack.so2_dry": 12.0,
    "gtc1/stack1 stack.so2_converted": 12.0,
    "gtc1/stack1 stack.flow_standard": 100_000.0,
    "line1/series potline.current": 400.0,
    "line1/series potline.pots_running": 240.0,
    "gtc1/scrubber1 scrubber.running": 1.0,
    "line1/ac1 meter.energy_import": 50_000.0,
}


def hour_of(text: str) -> int:
    """Number of an hour in YEAR, by plant time ``2026-03-05 08:00``."""
    return (minute_ns(text.replace(" ", "T") + "+08:00") - YEAR.start_ns) // HOUR_NS


def build(root: Path) -> None:
    """A good year, and beside it what goes wrong, each at an equipment of its own."""
    jump, stop = hour_of("2026-03-05 08:00"), hour_of("2026-06-10 12:00")
    hole = range(hour_of("2026-02-03 00:00"), hour_of("2026-02-06 00:00"))
    half = hour_of("2026-08-01 00:00")
    begin, end = hour_of("2026-09-14 18:00"), hour_of("2026-09-17 00:00")

    def above(n: int) -> float:
        return 40.0 if jump <= n < jump + 2 else 12.0

    points: dict[str, Value] = dict(USUAL)
    for name in ("so2", "so2_dry", "so2_converted"):
        points[f"gtc2/stack1 stack.{name}"] = above  # two hours at 40 mg/m3
        points[f"gtc3/stack1 stack.{name}"] = lambda n: None if n in hole else 12.0
        points[f"gtc4/stack1 stack.{name}"] = lambda n: None if n % 10 == 0 else 12.0
    points["gtc2/scrubber1 scrubber.running"] = lambda n: 0.75 if n == stop else 1.0
    points["gtc3/scrubber1 scrubber.running"] = lambda n: None if n >= half else 1.0
    points["line2/ac1 meter.energy_import"] = lambda n: 33_000.0 if begin <= n < end else 50_000.0
    points["line2/series potline.pots_running"] = lambda n: 200.0 if begin <= n < end else 240.0
    points["line3/ac1 meter.energy_import"] = lambda n: 1000.0 if begin <= n < end else 50_000.0
    made = batches(HOURS, by_hour(iter(sorted(hours(points, YEAR)))))
    store(root / "originals", made)
    lake = Lake(root / "lake")
    try:
        lake.open()
        lake.write(made)
    finally:
        lake.close()


@dataclass
class GradeOffice:
    """An officer's folder beside that lake."""

    root: Path
    lake: Path
    evidence: dict[str, tuple[str, str]] = field(default_factory=lambda: dict(EVIDENCE))
    site_text: str = SITE
    levels: str = "A"

    def __post_init__(self) -> None:
        (self.root / "table.txt").write_text("TEST\n", "utf-8")
        self.write_tables()

    @property
    def site_file(self) -> Path:
        return self.root / "site.toml"

    def write_tables(self, entered: str = "张三", checked: str = "李四") -> None:
        """The made-up official tables, and a site that names them."""
        (self.root / "own.toml").write_text(
            overlay_text("cn_2020_electrolytic_aluminium", self.evidence, ALL, entered, checked),
            "utf-8",
        )
        none = ("conditions", "limits", "monitoring", "transport_control")
        (self.root / "general.toml").write_text(
            overlay_text("cn_2020_general", {"uptime": EVIDENCE["dcs"]}, none, entered, checked),
            "utf-8",
        )
        self.write_site()

    def write_site(self, old: str = "", new: str = "") -> None:
        text = self.site_text.replace("LAKE", str(self.lake))
        text = text.replace("TABLES", '"own.toml", "general.toml"')
        self.site_file.write_text(text.replace(old, new) if old else text, "utf-8")

    def paper(
        self,
        serves: str,
        what: str = "document",
        start: str = "2025-12-01",
        until: str = "",
        person: str = "王敏",
    ) -> Path:
        """A document of the journal with its file; returns where the file is kept."""
        file = self.root / f"{serves}.txt"
        file.write_text(f"TEST {serves} {what} {start}\n", "utf-8")
        kept = keep(load_site(self.site_file).entries, Document.of(file), file)
        facts = {"title": serves, "serves": serves, "person": person}
        facts |= {"valid_until": until} if until else {}
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        self.record(
            "document", what, start, facts, Evidence(kind="document", sha256=digest, name=file.name)
        )
        return kept

    def record(
        self, kind: Kind, what: str, start: str, facts: dict[str, str], *evidence: Evidence,
        end: str = "", equipment: str = "",
    ) -> None:  # fmt: skip
        site = load_site(self.site_file)
        made = Record(
            kind=kind,
            what=what,
            equipment=equipment,
            start_ns=_ns(start),
            end_ns=_ns(end) if end else None,
            facts=facts,
            reason="test",
            author="王敏",
            at=NOW,
            evidence=evidence,
        )
        change_journal(site.journal, lambda _: [made])

    def checked(self) -> "GradeOffice":
        """Each stack was verified well every second month, from before the year."""
        days = ("2025-10-20", "2025-12-20", *(f"2026-{month:02}-20" for month in (2, 4, 6, 8, 10)))
        made = [
            Record(
                kind="verification", what="verification", equipment=f"gtc{number}/stack1",
                start_ns=_ns(day), end_ns=_ns(f"{day}T04:00"), facts={"result": "pass"},
                reason="test", author="王敏", at=NOW,
            )
            for number in range(1, 5)
            for day in days
        ]  # fmt: skip
        change_journal(load_site(self.site_file).journal, lambda _: made)
        return self

    def enter(self, *rows: tuple[str, str, str, float]) -> None:
        """Entries of the plant: kind, period, item, amount."""
        figures = [
            Figure(KINDS[kind], "plant", Period.parse(period), Decimal(str(value)),
                   KINDS[kind].unit, item=item)
            for kind, period, item, value in rows
        ]  # fmt: skip
        change_ledger(
            load_site(self.site_file).entries,
            lambda ledger: ledger.added(figures, author="王敏", reason="test", time=NOW),
        )

    def proven(self) -> "GradeOffice":
        """Everything the made-up table of grade A asks for."""
        self.checked()
        self.paper("fuel", until="2027-06-30")
        self.paper("gate")
        self.paper("cells", "declaration")
        self.paper("no_penalty", "declaration", start="2026-10-25")
        for month in YEAR.months:
            self.enter(
                ("consumable_used", str(month), "lime", 10),
                ("gate_trips", str(month), "electric", 50),
                ("gate_trips", str(month), "national_vi", 40),
                ("gate_trips", str(month), "national_v", 10),
            )
        return self

    def basis(self, period: Period = OCTOBER) -> Iterator[Basis]:
        site = load_site(self.site_file)
        with open_series(site) as series:
            ledger, lodgings = read_ledger(site.entries), read_lodgings(site.entries)
            yield Basis(site, period, ledger, series, packs(), lodgings)

    def content(self) -> Content:
        for basis in self.basis():
            return grade(basis)
        raise AssertionError

    def bench(self) -> Iterator[Bench]:
        for basis in self.basis(YEAR):
            yield Bench(basis, Assembly(YEAR, basis.packs), read_journal(basis.site.journal))


def overlay_text(
    table: str,
    evidence: Mapping[str, tuple[str, str]],
    families: tuple[str, ...],
    entered: str = "张三",
    checked: str = "李四",
) -> str:
    """An overlay of grade A: these indicators, every family told."""
    typed = {family for family, _ in evidence.values()}
    coverage = ", ".join(
        f'{{ family = "{family}", level = "A", state = "'
        f'{"complete" if family in typed else "none"}" }}'
        for family in families
    )
    digest = hashlib.sha256(b"TEST\n").hexdigest()
    head = HEAD.format(
        table=table, sha256=digest, entered=entered, checked=checked, coverage=coverage
    )
    rows = (
        ROW.format(name=name, family=family, evidence=what.replace("CLEAN", CLEAN))
        for name, (family, what) in evidence.items()
    )
    return head + "".join(rows)


def _ns(text: str) -> int:
    return minute_ns((text if "T" in text else f"{text}T00:00") + "+08:00")


__all__ = ["EVIDENCE", "OCTOBER", "YEAR", "GradeOffice", "build", "overlay_text", "replace"]
