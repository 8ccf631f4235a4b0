"""A14, A15: a time-series store that rejects, and one that comes back from its backup."""

import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from tests import servers
from tests.oracle.device import FakePlc
from tests.oracle.influx import FakeInflux, poison, value_of
from tests.oracle.judge import Samples, judge, raw_in
from tests.oracle.ledger import Ledger
from tests.oracle.plant import MAIN, ROOT, Plant, wait
from tests.reliability.cases import Outcome, Setting, case
from tests.reliability.links import verdict


def _dead(plant: Plant) -> list[str]:
    assert plant.historian_dir is not None
    path = plant.historian_dir / "views" / "influxdb" / "influxdb-refused.sqlite"
    if not path.exists():
        return []
    base = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return [str(line) for (line,) in base.execute("select line from refused")]
    finally:
        base.close()


def _together(first: Samples, second: Samples) -> Samples:
    return Samples(
        np.concatenate([first.points, second.points]),
        np.concatenate([first.times_ns, second.times_ns]),
        np.concatenate([first.values, second.values]),
    )


@case(
    "A14",
    fault="store rejects",
    procedure="a fake InfluxDB: 5 % of its requests meet 500, 429 with Retry-After, a partial "
    "write, 200 with a broken body, or an answer lost after the commit; one value in 1,000 is "
    "refused for good with 400; 2,000 values/s; what is stored over the last three quarters of the "
    "time, against what was served in them: without faults that is all",
    mark="good values 100 % through; each poison value in dead letters ≤ 60 s; 0 twice; throughput "
    "≥ 80 % of normal",
)
def store_rejects(setting: Setting) -> Outcome:
    seconds = setting.size(cut=12, full=120)
    broker = servers.mosquitto(setting.folder).start()
    try:
        with (
            FakePlc(200) as plc,
            FakeInflux(setting.seed, faulty=0.05, poisoned=True) as store,
            Plant(setting.folder, plc.port, broker.port, influx_url=store.url) as plant,
            Ledger(broker.port) as ledger,
        ):
            plant.agent.start()
            plant.historian.start()
            wait(lambda: bool(plc.served), "reading", 20)
            time.sleep(max(3.0, seconds / 4))
            first = _progress(plc, store)
            time.sleep(seconds * 3 / 4)
            last, end_ns = _progress(plc, store), time.time_ns()
            through = (last[1] - first[1]) / (last[0] - first[0])
            caught_up = time.monotonic()
            plant.settle(120, views=("lake", "influxdb"))
            behind_s = time.monotonic() - caught_up
            clean, text = verdict(plant, plc, ledger, end_ns)
            dead = _dead(plant)
            rows = [row for row in map(value_of, dead) if row is not None]
            found = _together(store.samples(), Samples.of(rows))
            kept = judge(plc, found, excuses=((end_ns - 2_000_000_000, time.time_ns()),))
            strange = [line for line in dead if not poison(line.encode())]
            let_in = len(raw_in(plant.originals).points) - len(found.points)
            met = ", ".join(f"{count} × {name}" for name, count in sorted(store.met.items()))
    finally:
        broker.end()
    figure = (
        f"{store.requests} requests, {met}; store and dead letters together: {kept}; {len(dead)} "
        f"poison values in dead letters, {len(strange)} good ones among them; all of it in "
        f"{behind_s:.0f} s after the end; throughput {through:.0%} of what was served; "
        f"originals: {text}"
    )
    good = kept.clean and not strange and rows and let_in == 0 and store.overwritten == 0
    fast = (
        through >= 0.8 or not setting.full
    )  # in twelve seconds of a loaded machine it says little
    return Outcome(bool(clean and good and behind_s <= 60 and fast), figure)


def _progress(plc: FakePlc, store: FakeInflux) -> tuple[int, int]:
    """Values served, and values in the store."""
    return sum(count for _, _, count in list(plc.served)), len(store.samples().points)


@case(
    "A15",
    fault="store restored from an old backup",
    procedure="a fake InfluxDB is put back to what it held some time ago while the historian "
    "thinks it has everything; then `smelter historian rebuild` sends all of the originals again",
    mark="0 gaps, 0 altered, 0 twice",
)
def restored_store(setting: Setting) -> Outcome:
    seconds = setting.size(cut=6, full=60)
    broker = servers.mosquitto(setting.folder).start()
    try:
        with (
            FakePlc(200) as plc,
            FakeInflux(setting.seed) as store,
            Plant(setting.folder, plc.port, broker.port, influx_url=store.url) as plant,
            Ledger(broker.port) as ledger,
        ):
            plant.agent.start()
            plant.historian.start()
            wait(lambda: len(store.lines) > 1000, "values in the store", 30)
            with store.lock:
                backup = dict(store.lines)
            time.sleep(seconds)
            end_ns = time.time_ns()
            plant.settle(60, views=("lake", "influxdb"))
            full, store.lines = store.lines, backup
            lacking = len(full) - len(backup)
            began = time.monotonic()
            told = _rebuild(plant.historian_toml)
            took = time.monotonic() - began
            excuses = ((end_ns - 2_000_000_000, time.time_ns()),)
            again = judge(plc, store.samples(), excuses=excuses)
            clean, text = verdict(plant, plc, ledger, end_ns)
    finally:
        broker.end()
    figure = (
        f"{lacking:,} of {len(full):,} lines put back to nothing; after {took:.1f} s of rebuild "
        f"{again}; {len(store.lines):,} lines; originals: {text}"
    )
    same = full.items() <= store.lines.items() and not store.overwritten
    return Outcome(again.clean and clean and same and lacking > 0 and not told, figure + told)


def _rebuild(config: Path) -> str:
    """What went wrong; nothing if nothing did."""
    done = subprocess.run(
        [sys.executable, "-c", MAIN, "historian", "rebuild", "influxdb", "-c", str(config)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "SMELTER_LANG": "en"},
        capture_output=True,
        text=True,
        check=False,
    )
    return f"; rebuild ended with {done.returncode}: {done.stderr}" if done.returncode else ""
