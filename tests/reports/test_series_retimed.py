"""InfluxDB does not say whose a window is: an unsynced stretch is moved where it can be told."""

import asyncio
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from reports.clocks import clock_doubts
from reports.periods import Period
from reports.series.influx import InfluxSeries
from reports.series.lake import open_lake
from reports.series.store import Series
from reports.site import Influx
from tests import servers
from tests.agent.time_bench import POINT, SECOND, SYNCED, TRUE_NS, UNSYNCED, Run, World, run
from tests.reports.test_series import post, url_of

DAY = Period.parse("2026-09-21")


async def ten_minutes_then_sync(world: World) -> None:
    await asyncio.sleep(600)
    world.wrong_ns, world.kernel = 0, SYNCED
    await asyncio.sleep(120)


def doubts(series: Series) -> list[str]:
    basis = SimpleNamespace(period=DAY, series=series)
    return [doubt.text.en for doubt in clock_doubts(basis)]  # type: ignore[arg-type]


def test_influx_moves_the_stretch_of_a_gateway_that_was_alone(
    tmp_path: Path, influxd: servers.Server
) -> None:
    """The same minutes, events and doubt as the lake says; with a second gateway a plain doubt."""
    world = World(wrong_ns=-40 * SECOND, kernel=UNSYNCED)
    done = run(Run(tmp_path), world, ten_minutes_then_sync)
    post(influxd, "/query?q=CREATE+DATABASE+smelter", b"")
    post(influxd, "/write?db=smelter&precision=ns", "\n".join(done.record.lines()).encode())
    config = Influx(url=url_of(influxd), database="smelter")
    influx = InfluxSeries("demo", config)
    with open_lake("demo", done.lake()) as lake:
        stores = (influx, lake)
        one, other = (each.windows(POINT, DAY.start_ns, DAY.end_ns) for each in stores)
        grids = [each.minutes([POINT], DAY) for each in stores]
        events = [each.happened("clock_unsynced", DAY) for each in stores]
        told = [doubts(each) for each in stores]
    assert len(one) >= 11
    assert np.abs(one.start_ns - other.start_ns).max() <= SECOND
    assert np.array_equal(one.mean, other.mean, equal_nan=True)
    whole = one.n >= 60
    wrong_s = (one.start_ns[whole] - TRUE_NS) / 1e9 - one.low[whole]
    assert np.abs(wrong_s).max() <= 1.0
    assert [np.isfinite(grid.mean).sum() for grid in grids] == [len(one)] * 2
    assert [abs(each[0].start_ns - TRUE_NS) < 2 * SECOND for each in events] == [True, True]
    assert told[0] == told[1]
    assert "re-timed along its monotonic clock" in told[0][0]

    beside = f"batch,plant=demo,gateway=gw2,stream=record seq=1i {TRUE_NS + 60 * SECOND}"
    post(influxd, "/write?db=smelter&precision=ns", beside.encode())
    unsure = InfluxSeries("demo", config)
    still = unsure.windows(POINT, DAY.start_ns, DAY.end_ns)
    assert int(still.start_ns[0]) < int(one.start_ns[0]), "as they were stamped"
    (doubt,) = doubts(unsure)
    assert "several gateways wrote at once" in doubt
    assert "make the report from the lake" in doubt
