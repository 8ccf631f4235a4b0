"""The historian's views from a backlog: the lake, and a real InfluxDB; rebuilt by its command."""

import json
import urllib.parse
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop

from agent.lake.lake import Lake
from benchmarks.backlog import Backlog, device_of, fill
from benchmarks.children import run_and_measure
from benchmarks.layout import BLOCK, POT, Bank
from benchmarks.plant import SMELTER, Setting
from benchmarks.table import Row, Section
from tests.servers import influxd

SECONDS = 600
BYTES = "bytes/sample"
POTS = tuple(Bank("line1", "pot", 1 + 50 * n, 50, POT, pad_to=40) for n in range(8))
FLOATS = Bank("line1", "u", 1, 26, BLOCK)  # 806 sensors whose float32 changes each second
FAR_S = 4e9  # later than any day of the lake: everything is cold


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What one ``smelter historian rebuild`` cost."""

    backlog: Backlog
    wall_s: float
    cpu_s: float
    peak_mb: float

    @property
    def values(self) -> int:
        return self.backlog.values

    def rows(self, name: str) -> tuple[Row, Row, Row]:
        return (
            Row(f"values to {name}", self.values / self.wall_s, "1/s", at_least=300_000),
            Row("CPU per value", 1e6 * self.cpu_s / self.values, "µs"),
            Row("peak memory", self.peak_mb, "MB"),
        )


def run_lake(setting: Setting) -> Section:
    """Ten minutes of the smelter's raw and record streams into an empty lake."""
    pots = _rebuild(setting.folder / "pots", POTS, "lake")
    floats = _rebuild(setting.folder / "floats", (FLOATS,), "lake")
    lake, dense = setting.folder / "pots" / "lake", setting.folder / "floats" / "lake"
    fresh = _bytes(lake, "raw") / pots.values, _bytes(dense, "raw") / floats.values
    _merge(lake)
    _merge(dense)
    return Section(
        "lake",
        "Historian → lake, from a backlog",
        f"`smelter historian rebuild lake`, start of the process included; {pots.values:,} values "
        f"and {pots.backlog.windows:,} windows in {2 * SECONDS} batches or fewer. *Sensors* are "
        "806 float32 random walks that change in every sample; the smelter mix also has states "
        "and set-points.",
        (
            *pots.rows("the lake"),
            Row("raw, sensors, merged", _bytes(dense, "raw") / floats.values, BYTES, at_most=3.0),
            Row("raw, sensors, as flushed", fresh[1], BYTES),
            Row("raw, smelter mix, merged", _bytes(lake, "raw") / pots.values, BYTES),
            Row("raw, smelter mix, as flushed", fresh[0], BYTES),
            Row("originals, smelter mix", pots.backlog.stored_bytes / pots.values, BYTES),
        ),
    )


def run_influx(setting: Setting) -> Section:
    """The same backlog into InfluxDB 1.x."""
    folder = setting.folder / "influxd"
    folder.mkdir()
    server = influxd(folder, "max-body-size = 0").start()
    try:
        url = f"http://127.0.0.1:{server.port}"
        _query(url, "CREATE DATABASE bench")
        more = f'[[influxdb]]\napi = "v1"\nurl = "{url}"\ndatabase = "bench"\n'
        built = _rebuild(setting.folder / "pots", POTS, "influxdb", more)
        stored = _stored(url)
    finally:
        server.end()
    return Section(
        "influx",
        "Historian → InfluxDB 1.6, from a backlog",
        f"`smelter historian rebuild influxdb`, start of the process included; {built.values:,} "
        "values over /write with gzip, read back by a count of every field.",
        (
            *built.rows("InfluxDB"),
            Row("share of the values found there", stored / built.values, "", at_least=1.0),
        ),
    )


def _rebuild(folder: Path, banks: Sequence[Bank], view: str, more: str = "") -> Rebuilt:
    folder.mkdir()
    groups = [
        (device_of(folder, bank, f"d{number:02d}", 1.0)[1], bank)
        for number, bank in enumerate(banks)
    ]
    backlog = uvloop.run(fill(folder, groups, SECONDS))
    config = folder / "historian.toml"
    config.write_text(f'data_dir = "{folder}"\n[mqtt]\nurl = "mqtt://127.0.0.1:1"\n{more}', "utf-8")
    log = folder / "rebuild.log"
    command = [str(SMELTER), "historian", "rebuild", view, "--config", str(config)]
    code, wall_s, cpu_s, peak_mb = run_and_measure(command, log)
    if code:
        raise RuntimeError(f"rebuild {view} ended with {code}: {log.read_text('utf-8')[-500:]}")
    return Rebuilt(backlog, wall_s, cpu_s, peak_mb)


def _bytes(lake: Path, table: str) -> int:
    return sum(path.stat().st_size for path in (lake / table).rglob("*.parquet"))


def _merge(root: Path) -> None:
    """What the running historian does beside its work, once a day is over."""
    lake = Lake(root)
    lake.open()
    try:
        while (job := lake.due(FAR_S)) is not None:
            lake.swap(job, lake.merge(job))
    finally:
        lake.close()


def _query(url: str, text: str) -> list[dict[str, Any]]:
    """Series of an InfluxQL answer; POST is what changes something."""
    query = urllib.parse.urlencode({"db": "bench", "q": text})
    method = "GET" if text.startswith("SELECT") else "POST"
    request = urllib.request.Request(f"{url}/query?{query}", method=method)  # noqa: S310 - http
    with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310 - http
        result = json.loads(answer.read())["results"][0]
    found: list[dict[str, Any]] = result.get("series", [])
    return found


def _stored(url: str) -> int:
    """Raw values in the database: every field of the measurements that are no windows."""
    series = _query(url, "SELECT count(*) FROM pot, meter")
    return sum(count or 0 for one in series for count in one["values"][0][1:])
