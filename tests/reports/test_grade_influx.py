"""Evidence of the grade from InfluxDB is that of the lake; a stop a person marked is no gap."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from reports.assembly import Assembly
from reports.grade.bench import Bench
from reports.grade.evidence import Interlock, LimitsMet, NoExceedance, Retention, Uptime
from reports.grade.exceeded import no_exceedance
from reports.grade.findings import Status
from reports.grade.kept import retention
from reports.grade.measured import cems_uptime, limits_met
from reports.grade.running import dcs_uptime, interlock
from reports.journal.journal import read_journal
from reports.series.influx import InfluxSeries
from reports.site import Influx
from tests import servers
from tests.reports.emitted import SITE, STACK1, Smoke, Values
from tests.reports.noted import SCRUBBER, WORKS
from tests.reports.test_series import post, url_of

INDUSTRY = "electrolytic_aluminium"
GAS: Values = {
    "stack.so2": 9.0,
    "stack.velocity": 11.0,
    "stack.temperature": 80.0,
    "stack.pressure": -200.0,
    "stack.humidity": 5.0,
}
LIMIT = LimitsMet(kind="limits_met", pollutant="so2", limit=Decimal(35))


@pytest.fixture
def smoke(tmp_path: Path) -> Smoke:
    """A day at 9 mg/m3, from 12:00 to 14:00 without production point; so2 100 from 20:00."""
    made = Smoke(tmp_path, site=SITE + WORKS)
    made.minutes(STACK1, "2026-10-05T00:00", 1200, GAS)
    made.minutes(STACK1, "2026-10-05T20:00", 240, {**GAS, "stack.so2": 100.0})
    made.minutes(SCRUBBER, "2026-10-05T00:00", 1440, {"scrubber.running": 1.0})
    made.minutes("line1/all", "2026-10-05T00:00", 720, {"potline.current": 400.0})
    made.minutes("line1/all", "2026-10-05T14:00", 600, {"potline.current": 400.0})
    made.build()
    good = {"result": "pass"}
    made.mark("calibration", "2026-10-05T00:00", "2026-10-05T00:01", kind="check", facts=good)
    return made


def benches(smoke: Smoke) -> Iterator[Bench]:
    for basis in smoke.basis("2026-10-05"):
        yield Bench(basis, Assembly(basis.period, basis.packs), read_journal(basis.site.journal))


def told(bench: Bench) -> list[tuple[Status, Decimal | None, tuple[object, ...]]]:
    found = (
        limits_met(bench, INDUSTRY, LIMIT),
        no_exceedance(bench, INDUSTRY, NoExceedance(kind="no_exceedance")),
        cems_uptime(bench, INDUSTRY, Uptime(kind="uptime", of="cems", percent=Decimal(95))),
        dcs_uptime(bench, INDUSTRY, Uptime(kind="uptime", of="dcs", percent=Decimal(95))),
        interlock(bench, INDUSTRY, Interlock(kind="interlock")),
        retention(bench, INDUSTRY, Retention(kind="retention", of="cems", days=1)),
    )
    return [(each.status, each.figure, each.cases) for each in found]


def test_influx_proves_what_the_lake_proves(smoke: Smoke, influxd: servers.Server) -> None:
    post(influxd, "/query?q=CREATE+DATABASE+smelter", b"")
    body = "\n".join(line for _, line in smoke.lines).encode()
    post(influxd, "/write?db=smelter&precision=ns", body)
    series = InfluxSeries("demo", Influx(url=url_of(influxd), database="smelter"))
    for lake in benches(smoke):
        basis = replace(lake.basis, series=series)
        there = Bench(basis, Assembly(lake.period, basis.packs), lake.journal)
        from_lake = told(lake)
        assert told(there) == from_lake
    assert from_lake[0][0] is Status.FAILED  # four hours above
    assert from_lake[5][0] is Status.PROVEN


def test_a_stop_that_a_person_marked_is_no_unknown_production(smoke: Smoke) -> None:
    """12:00 to 14:00 nobody knows whether production ran: 120 of 1,440 minutes, above 1 %."""
    asked = Interlock(kind="interlock")
    for bench in benches(smoke):
        found = interlock(bench, INDUSTRY, asked)
        assert found.status is Status.UNKNOWN
        assert "unknown 120 min" in found.text.en
    smoke.mark("stopped", "2026-10-05T12:00", "2026-10-05T14:00")
    for bench in benches(smoke):
        found = interlock(bench, INDUSTRY, asked)
        assert found.status is Status.PROVEN
        assert "unknown 0 min" in found.text.en
