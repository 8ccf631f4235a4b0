"""The console over a year of 400 pots: building the hourly layer, zooms, first page, memory."""

import json
import math
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pyarrow as pa
from pyarrow import parquet

from benchmarks.children import end_process
from benchmarks.measure import rss_mb
from benchmarks.plant import SMELTER, Setting
from benchmarks.table import Row, Section
from reports.console.doors.passwords import hashed
from reports.console.doors.roles import Role
from reports.console.doors.store import Store
from reports.console.office import Office

PLANT_TIME = timezone(timedelta(hours=8))
LAST = date(2026, 9, 30)
DAYS = 365
MINUTE_DAYS = 10  # the newest: windows of minutes, as a gateway makes them
POTS = 400
QUANTITIES = (
    *("pot.bath_temperature", "pot.feed_shots", "pot.noise_lf", "pot.pseudo_resistance"),
    "pot.voltage",
)
ZOOMS = 60
PASSWORD = "quiet-river-under-frost"  # noqa: S105 - of nobody
SPLIT = ("mean", "min", "max", "last", "good", "inc")
DELTA = ("seq", "ts", "period_s", "n")
TEXTS = {"gateway": "gw1", "log": "3f9a000000000001"}


@dataclass(frozen=True)
class Layer:
    """What building it took."""

    minute_day_s: float
    hour_day_s: float
    month_s: float
    megabytes: float
    lake_megabytes: float
    peak_mb: float


def run(setting: Setting) -> Section:
    """Write the lake, build the layer with the product, then ask a real server."""
    folder = setting.folder
    windows = _lake(folder / "lake")
    site = folder / "site.toml"
    site.write_text(SITE, "utf-8")
    layer = _build(folder, site)
    with _served(folder, site) as (client, server):
        began = time.perf_counter()
        assert client.get("/explore").is_success  # noqa: S101 - else nothing is measured
        page_s = time.perf_counter() - began
        first_s = _ask(client, 1, 365 * 86_400, 0.0)[0]
        again_s = statistics.median(_ask(client, n, 365 * 86_400, 0.0)[0] for n in range(2, 12))
        one = _zooms(client, 1)
        eight = _zooms(client, 8)
        server_mb, child_mb = _resident(server)
    return Section(
        "console",
        "A year of 400 pots on /explore",
        f"{POTS} pots × {len(QUANTITIES)} quantities, {DAYS} days. The newest {MINUTE_DAYS} days "
        f"are windows of a minute, the others of an hour, {windows:,} windows in all: a year of "
        "minutes would be 1.05 billion. The hourly layer is built by the product from all of it "
        "and is as large as it would be from minutes. `smelter serve` is a process of its own; "
        f"asked over HTTP with a session, {ZOOMS} random zooms each (log-uniform from an hour to "
        "the year, anywhere in it), 2,000 steps, from the question to the last byte.",
        (
            Row("a day of minutes into the layer", layer.minute_day_s, "s"),
            Row("a day of hours into the layer", layer.hour_day_s, "s"),
            Row("a month of days merged", layer.month_s, "s"),
            Row("peak memory of the builder", layer.peak_mb, "MB"),
            Row("the layer of the year", layer.megabytes, "MB"),
            Row("the lake below it", layer.lake_megabytes, "MB"),
            Row("page /explore", page_s, "s", at_most=1.0),
            Row("first curve of a year, the child just started", first_s, "s"),
            Row("another point over the year, median", again_s, "s", at_most=1.0),
            Row("zoom, 1 point, median", statistics.median(one), "s", at_most=1.0),
            Row("zoom, 1 point, slowest", max(one), "s", at_most=1.0),
            Row("zoom, 8 points, median", statistics.median(eight), "s", at_most=1.0),
            Row("zoom, 8 points, slowest", max(eight), "s"),
            Row("server, resident memory", server_mb, "MB", at_most=150.0),
            Row("its child, resident memory", child_mb, "MB"),
        ),
    )


def _lake(root: Path) -> int:
    """Days as the historian leaves them after merging: sorted, one file each."""
    count = 0
    for n in range(DAYS):
        day = LAST - timedelta(days=DAYS - 1 - n)
        period_s = 60 if n >= DAYS - MINUTE_DAYS else 3600
        table = _day(day, period_s)
        file = root / "windows" / "plant=demo" / f"day={day}" / "000000000001-1.parquet"
        file.parent.mkdir(parents=True)
        parquet.write_table(
            table,
            file,
            compression="zstd",
            row_group_size=1 << 17,
            data_page_version="2.0",
            use_dictionary=["equipment", "quantity", *TEXTS],
            column_encoding=dict.fromkeys(SPLIT, "BYTE_STREAM_SPLIT")
            | dict.fromkeys(DELTA, "DELTA_BINARY_PACKED"),
        )
        count += len(table)
    return count


def _day(day: date, period_s: int) -> pa.Table:
    """Every point a level of its own with noise; the shots are counted."""
    random = np.random.default_rng(day.toordinal())
    pots = [f"line{1 + n // 200}/pot{n % 200 + 1:03d}" for n in range(POTS)]
    steps, points = 86_400 // period_s, POTS * len(QUANTITIES)
    midnight = int(datetime(day.year, day.month, day.day, tzinfo=PLANT_TIME).timestamp())
    ts = np.tile(midnight + period_s * np.arange(steps), points)
    rows = len(ts)
    level = 1 + 4 * np.random.default_rng(1).random(points)
    mean = np.round(np.repeat(level, steps) + 0.02 * random.standard_normal(rows), 4)
    names = np.tile(np.repeat(np.arange(len(QUANTITIES)), steps), POTS).astype(np.int32)
    counter = names == QUANTITIES.index("pot.feed_shots")
    nobody, zeros = pa.nulls(rows, pa.string()), np.zeros(rows, np.int32)
    pot = np.repeat(np.arange(POTS), steps * len(QUANTITIES)).astype(np.int32)
    return pa.table(
        {
            "ts": pa.array(ts * 1_000_000, pa.timestamp("us", "UTC")),
            "period_s": pa.array(np.full(rows, period_s, np.int32)),
            "equipment": pa.DictionaryArray.from_arrays(pa.array(pot), pa.array(pots)),
            "quantity": pa.DictionaryArray.from_arrays(pa.array(names), pa.array(QUANTITIES)),
            "mean": pa.array(mean, mask=counter),
            "min": pa.array(np.round(mean - 0.03, 4), mask=counter),
            "max": pa.array(np.round(mean + 0.03, 4), mask=counter),
            "last": mean,
            "inc": pa.array(np.round(10 * mean), mask=~counter),
            "n": pa.array(np.full(rows, 60, np.int32)),
            "good": np.ones(rows),
            **dict.fromkeys(("q", "raw"), nobody),
            **{
                name: pa.DictionaryArray.from_arrays(pa.array(zeros), pa.array([text]))
                for name, text in TEXTS.items()
            },
            "seq": ts // 60,
        }
    )


def _build(folder: Path, site: Path) -> Layer:
    """One step a question, by the child of the console that does it there."""
    where = Office(site).data / "envelopes"
    minute_s: list[float] = []
    hour_s: list[float] = []
    month_s: list[float] = []
    with _child(folder, site) as ask:
        while True:
            files = len(list(where.glob("demo/*.parquet")))
            told, peak_mb = ask({"budget_s": -1})
            merged = files - len(list(where.glob("demo/*.parquet")))
            if told["made"]:
                minutes = told["ready"] <= MINUTE_DAYS  # the newest come first
                (minute_s if minutes else hour_s).append(told["took_s"])
            elif merged > 0:
                month_s.append(told["took_s"])
            else:
                break
    if told["left"]:
        raise RuntimeError(f"{told['left']} days are not in the layer")
    return Layer(
        statistics.median(minute_s),
        statistics.median(hour_s),
        statistics.median(month_s),
        _size_mb(where),
        _size_mb(folder / "lake"),
        peak_mb,
    )


Ask = Callable[[dict[str, Any]], tuple[dict[str, Any], float]]


@contextmanager
def _child(folder: Path, site: Path) -> Iterator[Ask]:
    command = [sys.executable, "-m", "reports.console.worker", str(site)]
    with (folder / "child.log").open("ab") as log:
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
    if child.stdin is None or child.stdout is None:
        raise RuntimeError("no pipes")
    talk, hear = child.stdin, child.stdout

    def ask(arguments: dict[str, Any]) -> tuple[dict[str, Any], float]:
        question = {"job": "figures.explore:build", "lang": "en", "who": ["", ""]}
        talk.write(json.dumps(question | {"arguments": arguments}).encode() + b"\n")
        talk.flush()
        said = json.loads(hear.readline())
        if "said" not in said:
            raise RuntimeError(str(said))
        return said["said"], float(said["peak_mb"])

    try:
        yield ask
    finally:
        end_process(child)


def _zooms(client: httpx.Client, points: int) -> list[float]:
    random = np.random.default_rng(points)
    found = []
    for n in range(ZOOMS):
        length_s = 3600 * math.exp(random.random() * math.log(DAYS * 24))
        found.append(_ask(client, n + 20, length_s, random.random(), points)[0])
    return found


def _ask(
    client: httpx.Client, seed: int, length_s: float, place: float, points: int = 1
) -> tuple[float, int]:
    """Seconds and bytes of one question; ``place`` 0 … 1 is where in the year."""
    random = np.random.default_rng(seed)
    after = datetime(LAST.year, LAST.month, LAST.day, tzinfo=PLANT_TIME) + timedelta(days=1)
    first = after - timedelta(days=DAYS)
    start = first + timedelta(seconds=place * (DAYS * 86_400 - length_s))
    quantity = str(random.choice(QUANTITIES))
    chosen = random.choice(POTS, points, replace=False)
    asked = {
        "from": start.isoformat(timespec="seconds"),
        "to": (start + timedelta(seconds=length_s)).isoformat(timespec="seconds"),
        "point": [f"line{1 + pot // 200}/pot{pot % 200 + 1:03d} {quantity}" for pot in chosen],
    }
    began = time.perf_counter()
    answer = client.get("/api/v1/series", params=asked)
    took_s = time.perf_counter() - began
    said = answer.raise_for_status().json()
    if said["waiting"] or not any(said["points"][0]["windows"]):
        raise RuntimeError(f"not everything was there: {said['waiting'][:3]}")
    return took_s, len(answer.content)


@contextmanager
def _served(folder: Path, site: Path) -> Iterator[tuple[httpx.Client, int]]:
    """A logged-in client and the process of the server."""
    store = Store(Office(site).data)
    store.add_user("viewer", "赵云", [Role.VIEWER], hashed(PASSWORD), "bench", must_change=False)
    store.close()
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    with (folder / "serve.log").open("ab") as log:
        command = [str(SMELTER), "serve", "--config", str(site), "--listen", f"127.0.0.1:{port}"]
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        with httpx.Client(base_url=url, headers={"Origin": url}, trust_env=False) as client:
            client.timeout = httpx.Timeout(120)
            deadline = time.monotonic() + 60
            while True:
                try:
                    client.get("/alive").raise_for_status()
                    break
                except httpx.HTTPError:
                    if time.monotonic() > deadline or process.poll() is not None:
                        raise
                    time.sleep(0.1)
            done = client.post("/login", data={"name": "viewer", "password": PASSWORD})
            if done.status_code != 303:
                raise RuntimeError(f"no login: {done.status_code}")
            yield client, process.pid
    finally:
        end_process(process)


def _resident(server: int) -> tuple[float, float]:
    """Of the server and of its largest child, MB."""
    said = Path(f"/proc/{server}/task/{server}/children").read_text("ascii")
    return rss_mb(server), max((rss_mb(int(pid)) for pid in said.split()), default=0.0)


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _size_mb(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*.parquet")) / 2**20


SITE = """
plant = "demo"
name = { zh = "示例铝业有限公司", en = "Example Aluminium Co., Ltd." }
province = "henan"
lake = "lake"
entries = "entries.jsonl"
""" + "".join(
    f"""
[[potline]]
id = "line{n}"
name = {{ zh = "{n} 系列", en = "Potline {n}" }}
process = "{n}"
capacity_t_per_year = 223561
design_current_ka = 400
design_voltage_v = 4.0
pots = 200
rectifiers = 6
started = 2015-06-01
ac_meters = ["line{n}/ac1"]
"""
    for n in (1, 2)
)
