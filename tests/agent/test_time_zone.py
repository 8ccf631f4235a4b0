"""Days are plant days (UTC+8) wherever the host believes to be."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent.lake.lake import Lake
from tests.agent.batches import RECORD, batch

MIDNIGHT_S = 1_790_006_400  # 2026-09-22 00:00 plant time, 16:00 UTC the day before
HALF_H_S = 1800
READ = """
import json, sys
from pathlib import Path
from reports.periods import Period
from reports.series.lake import open_lake
from reports.site import Meter
point, day = Meter("line1/ac1", "meter.power"), Period.parse("2026-09-22")
with open_lake("demo", Path(sys.argv[1])) as lake:
    windows = lake.windows(point, day.start_ns, day.end_ns)
    hours = lake.hourly([point], day)
    grid = lake.minutes([point], day)
print(json.dumps({
    "first_s": int(windows.start_ns[0]) // 10**9,
    "windows": len(windows),
    "hours": [ns // 10**9 for ns in hours["hour_ns"].to_pylist()],
    "minutes": [n for n, mean in enumerate(grid.mean[0].tolist()) if mean == mean],
}))
"""


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An hour of minutes around a midnight of plant time."""
    root = tmp_path_factory.mktemp("zone") / "lake"
    made = Lake(root)
    made.open()
    rows = [
        f"meter_1m,plant=demo,line=line1,unit=ac1 power={n},power_n=60i "
        f"{(MIDNIGHT_S - HALF_H_S + 60 * n) * 10**9}"
        for n in range(60)
    ]
    made.write([batch(RECORD, 1, rows)])
    made.close()
    return root


@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai", "Europe/Berlin", "America/St_Johns"])
def test_a_plant_day_does_not_depend_on_the_zone_of_the_host(lake: Path, zone: str) -> None:
    """30 minutes lie before midnight and 30 after it: the day has the later half."""
    told = subprocess.run(
        [sys.executable, "-c", READ, str(lake)],
        env=os.environ | {"TZ": zone},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert json.loads(told) == {
        "first_s": MIDNIGHT_S,
        "windows": 30,
        "hours": [MIDNIGHT_S],
        "minutes": list(range(30)),
    }
