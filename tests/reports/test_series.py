"""Reading windows: from a lake as the historian leaves it, and the same from a real InfluxDB."""

import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from reports.periods import Period
from reports.series.counter_total import EDGE_NS, counter_total
from reports.series.influx import InfluxSeries
from reports.series.lake import open_lake
from reports.series.store import Series, SeriesError
from reports.site import Influx, Meter
from tests import servers
from tests.reports import plant
from tests.reports.conftest import Built

ENERGY = "meter.energy_import"
METERS = [Meter(f"line1/{unit}", ENERGY) for unit in ("ac1", "ac2", "aux1")]
HOURS = Meter("line2/ac1", ENERGY)


@pytest.fixture
def lake(built: Built) -> Iterator[Series]:
    with open_lake("demo", built.root / "lake") as series:
        yield series


def total_of(series: Series, meter: Meter) -> float | None:
    month = plant.OCTOBER
    rows = series.windows(meter, month.start_ns - EDGE_NS, month.end_ns + EDGE_NS)
    return counter_total(rows, series.events(meter.equipment, month), month).total


def test_lake_counters_are_what_really_passed(lake: Series, built: Built) -> None:
    truth = built.truth
    found = [total_of(lake, meter) for meter in (*METERS, HOURS)]
    assert found == pytest.approx([truth.ac1, truth.ac2, truth.aux1, truth.line2], rel=1e-12)


def test_lake_leads_to_the_batches(lake: Series) -> None:
    month = plant.OCTOBER
    rows = lake.windows(METERS[0], month.start_ns, month.end_ns)
    assert len(rows) == 31 * 24 * 60
    assert set(rows.gateway) == {"gw1"}
    assert (rows.seq.min(), rows.seq.max()) == (2, 745)
    assert rows.raw[0] == f"{round(rows.last[0] * 10):08x}"


def test_lake_gaps_are_explicit(lake: Series) -> None:
    rows = lake.windows(METERS[1], plant.GAP_FROM_NS - plant.HOUR_NS, plant.GAP_TO_NS + 1)
    assert len(rows) == 61
    assert rows.reason[-1] == "no_data"
    assert rows.good[-1] == pytest.approx(0.9)


def test_lake_hours(lake: Series) -> None:
    table = lake.hourly([*METERS, HOURS], Period.parse("2026-10-10")).to_pylist()
    by_meter = {name: [r for r in table if r["equipment"] == name] for name in ("line1/ac1",)}
    assert [row["inc"] for row in by_meter["line1/ac1"]] == [2400.0 * 60] * 24
    ac2 = [row for row in table if row["equipment"] == "line1/ac2"]
    assert len(ac2) == 22  # two hours without any window have no row
    assert [row["share"] for row in ac2].count(1.0) == 21
    assert len([row for row in table if row["equipment"] == "line2/ac1"]) == 24


def test_lake_events_once(lake: Series) -> None:
    events = lake.events("line1/ac1", plant.OCTOBER)
    assert [(event.kind, event.amount) for event in events] == [("rollover", 2400.0)]
    assert lake.events("line1/ac2", plant.OCTOBER) == []
    assert lake.events("line1/ac1", Period.month(2026, 9)) == []


def test_an_effect_is_told_once_with_what_was_measured(lake: Series) -> None:
    (effect,) = lake.happened("anode_effect", plant.OCTOBER)
    assert (effect.equipment, effect.text, effect.amount) == ("line1/pot001", "over", 150.0)
    assert (effect.peak, effect.mean, effect.integral, effect.gap) == (34.5, 28.25, 3630.0, 0.0)
    assert effect.end_ns == effect.start_ns + 150 * 1_000_000_000


def test_events_of_files_that_knew_no_measures_are_read(tmp_path: Path) -> None:
    day = plant.OCTOBER.start_ns // 10**9
    folder = tmp_path / "events" / "plant=demo" / "day=2026-10-01"
    folder.mkdir(parents=True)
    old = {
        "ts": pa.array([day * 10**6], pa.timestamp("us", "UTC")),
        "end": pa.array([None], pa.timestamp("us", "UTC")),
        **{name: [name] for name in ("kind", "equipment", "id", "text", "gateway", "log")},
        "amount": pa.array([None], pa.float64()),
        "seq": [1],
    }
    pq.write_table(pa.table(old), folder / "a.parquet")
    with open_lake("demo", tmp_path) as found:
        (event,) = found.events("equipment", plant.OCTOBER)
    assert (event.kind, event.peak, event.gap) == ("kind", None, None)


def test_a_month_without_files_is_empty_and_no_lake_is_an_error(
    lake: Series, tmp_path: Path
) -> None:
    early = Period.month(2020, 1)
    assert len(lake.windows(METERS[0], early.start_ns, early.end_ns)) == 0
    assert lake.hourly(METERS, early).num_rows == 0
    with pytest.raises(SeriesError, match="no lake there"), open_lake("demo", tmp_path / "no"):
        pass


def post(server: servers.Server, path: str, body: bytes) -> None:
    url = f"http://127.0.0.1:{server.port}{path}"
    with urllib.request.urlopen(urllib.request.Request(url, data=body), timeout=60) as answer:
        assert answer.status in {200, 204}
        told = answer.read()
        assert b'"error"' not in told, told


@pytest.fixture
def influx(influxd: servers.Server) -> InfluxSeries:
    """A real InfluxDB with the record stream of the built plant, line by line as on the wire."""
    post(influxd, "/query?q=CREATE+DATABASE+smelter", b"")
    lines = [line for _, line in plant.meter_lines()]
    lines += [
        plant.line_of("line2/ac1", step, "1h")
        for step in plant.steady(182_500.5, plant.HOUR_NS, 77_000.0)
    ]
    # another quantity of the same equipment: rows in which the asked fields are not there
    lines += [
        f"meter_1m,plant=demo,line=line1,unit=ac1 active_power=144000,active_power_n=1i {t + 1}"
        for t in range(plant.OCTOBER.start_ns, plant.OCTOBER.start_ns + 10**9, 10**8)
    ]
    for at in range(0, len(lines), 20_000):
        body = "\n".join(lines[at : at + 20_000]).encode()
        post(influxd, "/write?db=smelter&precision=ns", body)
    return InfluxSeries("demo", Influx(url=url_of(influxd), database="smelter"))


def url_of(server: servers.Server) -> str:
    return f"http://127.0.0.1:{server.port}"


def test_influx_says_the_same_as_the_lake(influx: InfluxSeries, lake: Series, built: Built) -> None:
    truth = built.truth
    found = [total_of(influx, meter) for meter in (*METERS, HOURS)]
    assert found == pytest.approx([truth.ac1, truth.ac2, truth.aux1, truth.line2], rel=1e-12)
    day = Period.parse("2026-10-10")
    hours = [store.hourly([*METERS, HOURS], day).to_pylist() for store in (influx, lake)]
    assert len(hours[0]) == len(hours[1]) == 94
    for one, other in zip(*hours, strict=True):
        assert one == pytest.approx(other)  # sums in another order
    events = [store.events("line1/ac1", plant.OCTOBER) for store in (influx, lake)]
    assert events[0] == events[1]
    effects = [store.happened("anode_effect", plant.OCTOBER) for store in (influx, lake)]
    assert effects[0] == effects[1]


def test_influx_errors_inside_200_and_outside(influxd: servers.Server) -> None:
    month = plant.OCTOBER
    missing = InfluxSeries("demo", Influx(url=url_of(influxd), database="no_such"))
    with pytest.raises(SeriesError, match="database not found"):
        missing.windows(METERS[0], month.start_ns, month.end_ns)
    post(influxd, "/query?q=CREATE+DATABASE+smelter", b"")
    line = b"meter_1m,plant=demo x=1 1790000000000000000"
    post(influxd, "/write?db=smelter&precision=ns", line)
    config = Influx(url=url_of(influxd), database="smelter", retention_policy="none")
    lost = InfluxSeries("demo", config)
    with pytest.raises(SeriesError, match="retention policy not found"):
        lost.windows(METERS[0], month.start_ns, month.end_ns)
    good = InfluxSeries("demo", Influx(url=url_of(influxd), database="smelter"))
    assert len(good.windows(METERS[0], month.start_ns, month.end_ns)) == 0
    influxd.end()
    with pytest.raises(SeriesError, match=url_of(influxd)):
        good.windows(METERS[0], month.start_ns, month.end_ns)


def test_influx_password_comes_from_a_file(tmp_path: Path) -> None:
    server = servers.influxd(tmp_path, "  auth-enabled = true\n").start()
    try:
        query = "/query?q=CREATE+USER+root+WITH+PASSWORD+'geheim'+WITH+ALL+PRIVILEGES"
        post(server, query, b"")
        post(server, "/query?u=root&p=geheim&q=CREATE+DATABASE+smelter", b"")
        secret = tmp_path / "password"
        secret.write_text("geheim\n")
        secret.chmod(0o600)
        config = Influx(
            url=url_of(server), database="smelter", username="root", password_file=secret
        )
        month = plant.OCTOBER
        assert (
            len(InfluxSeries("demo", config).windows(METERS[0], month.start_ns, month.end_ns)) == 0
        )
        secret.write_text("wrong")
        with pytest.raises(SeriesError, match="HTTP 401"):
            InfluxSeries("demo", config).windows(METERS[0], month.start_ns, month.end_ns)
    finally:
        server.end()
