"""Minute grids: the lake and InfluxDB give the same; long windows, doubles, reasons."""

from pathlib import Path

import numpy as np
import pytest

from drivers.model import Quality
from reports.periods import Period
from reports.series.influx import InfluxSeries
from reports.series.lake import open_lake
from reports.series.minutes import Filling, MinuteGrid
from reports.site import Influx, Meter
from tests import servers
from tests.reports.emitted import STACK1, Smoke
from tests.reports.test_series import post, url_of

DAY = Period.parse("2026-10-05")
SO2, O2 = Meter(STACK1, "stack.so2"), Meter(STACK1, "stack.o2")
RUNS = Meter("line1/series", "potline.current")
POINTS = (SO2, O2, RUNS)


@pytest.fixture
def smoke(tmp_path: Path) -> Smoke:
    made = Smoke(tmp_path)
    made.hours(STACK1, "2026-10-05T08:00", 1, {"stack.so2": (10.0, 0.5, "no_data")})
    made.minutes(STACK1, "2026-10-05T08:30", 30, {"stack.so2": 20.0, "stack.o2": 5.0})
    made.minutes(STACK1, "2026-10-05T09:00", 5, {"stack.so2": (None, 0.0, "calibration")})
    made.minutes("line1/series", "2026-10-04T23:59", 2, {"potline.current": 400.0})
    made.build()
    return made


def check(grid: MinuteGrid) -> None:
    so2, eight = grid.mean[0], 8 * 60
    assert grid.mean.shape == (3, 1440)
    assert (so2[eight : eight + 30] == 10).all()  # the hour, spread
    assert (so2[eight + 30 : eight + 60] == 20).all()  # minutes stand above it
    assert np.isnan(so2[eight + 60 :]).all()
    assert grid.coarse[0].sum() == 30
    assert (grid.good[0][eight : eight + 30] == 0.5).all()
    assert (grid.reason[0][eight + 60 : eight + 65] == int(Quality.CALIBRATION)).all()
    assert np.isfinite(grid.mean[1]).sum() == 30
    assert np.flatnonzero(np.isfinite(grid.mean[2])).tolist() == [0]  # midnight of the plant
    assert {w.point: w.windows for w in grid.written} == {SO2: 36, O2: 30, RUNS: 1}


def test_the_lake_fills_a_grid(smoke: Smoke) -> None:
    with open_lake("demo", smoke.root / "lake") as lake:
        grid = lake.minutes(POINTS, DAY)
    check(grid)
    assert all(each.log and each.first_seq >= 1 for each in grid.written)


def test_influx_fills_the_same_grid(smoke: Smoke, influxd: servers.Server) -> None:
    post(influxd, "/query?q=CREATE+DATABASE+smelter", b"")
    body = "\n".join(line for _, line in smoke.lines).encode()
    post(influxd, "/write?db=smelter&precision=ns", body)
    check(
        InfluxSeries("demo", Influx(url=url_of(influxd), database="smelter")).minutes(POINTS, DAY)
    )


def test_of_two_windows_of_one_minute_the_later_batch_counts() -> None:
    import pyarrow as pa

    def rows(*given: tuple[int, float, int]) -> object:
        return pa.record_batch(
            {
                "point": pa.array([0] * len(given), pa.int64()),
                "second": [row[0] for row in given],
                "mean": [row[1] for row in given],
                "good": [1.0] * len(given),
                "q": pa.array([None] * len(given), pa.string()),
                "period_s": pa.array([60] * len(given), pa.int32()),
                "seq": [row[2] for row in given],
            }
        )

    filling = Filling([SO2], DAY)
    filling.lay(rows((60, 1.0, 7), (60, 2.0, 9), (60, 3.0, 8), (120, 4.0, 5)))
    filling.lay(rows((120, 5.0, 4), (180, 6.0, 1)))
    mean = filling.grid([]).mean[0]
    assert mean[1:4].tolist() == [2.0, 4.0, 6.0]
