"""A year's emissions report of four stacks: minutes of 20 quantities each, from the lake."""

from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from benchmarks.plant import Setting
from benchmarks.report import smelter
from benchmarks.table import Row, Section

PLANT_TIME = timezone(timedelta(hours=8))
YEAR = 2025
STACKS = 4
LIMITS = {"pm": 10, "so2": 35, "nox": 100, "fluoride": 2}
GAS = {
    "flow_standard": 450_000,
    "o2_dry": 20.4,
    "o2": 18.4,
    "velocity": 14,
    "temperature": 85,
    "pressure": -300,
    "humidity": 9,
    "instrument_state": 0,
}


def run(setting: Setting) -> Section:
    """Write the lake, then make the report in all formats and as data only."""
    folder = setting.folder
    rows = _lake(folder)
    site = folder / "site.toml"
    site.write_text(_site(), "utf-8")
    full = _report(folder, site, "full", "json,xlsx,pdf")
    data = _report(folder, site, "data", "json")
    return Section(
        "emissions",
        "A year's emissions report of four stacks",
        f"{STACKS} stacks with four pollutants, minutes of a year: {rows:,} windows in a lake of "
        "one file a day, read by `smelter report emissions --year`; a new process each.",
        (
            Row("report, JSON + XLSX + PDF", full[0], "s", at_most=180.0),
            Row("peak memory", full[1], "MB", at_most=1500.0),
            Row("report, JSON only", data[0], "s"),
            Row("peak memory, JSON only", data[1], "MB"),
        ),
    )


def _report(folder: Path, site: Path, name: str, formats: str) -> tuple[float, float]:
    where = ("--site", site, "--year", str(YEAR), "--out", folder / name)
    return smelter(folder, "report", "emissions", *where, "--format", formats)


def _lake(folder: Path) -> int:
    """Windows as the historian files them, but for the way there; returns how many."""
    random = np.random.default_rng(7)
    first, count = date(YEAR, 1, 1), 0
    for n in range((date(YEAR + 1, 1, 1) - first).days):
        day = first + timedelta(days=n)
        table = pa.concat_tables([_day(random, day, stack) for stack in range(1, STACKS + 1)])
        file = folder / "lake" / "windows" / "plant=demo" / f"day={day}" / "minutes.parquet"
        file.parent.mkdir(parents=True)
        parquet.write_table(table, file, compression="zstd")
        count += len(table)
    return count


def _day(random: np.random.Generator, day: date, stack: int) -> pa.Table:
    """A wave and noise around 60 % of each limit; twenty minutes of some days are lost."""
    midnight = int(datetime(day.year, day.month, day.day, tzinfo=PLANT_TIME).timestamp())
    lost = day.toordinal() % 9 == stack
    minute = np.array([m for m in range(1440) if not (lost and 600 <= m < 620)])
    ts = midnight + 60 * minute
    usual = {name: np.full(len(ts), float(value)) for name, value in GAS.items()}
    for name, limit in LIMITS.items():
        wave = 0.6 * limit * (1 + 0.3 * np.sin(ts / 20_000))
        usual |= dict.fromkeys((name, f"{name}_dry", f"{name}_converted"), wave)
    rows = len(ts) * len(usual)
    mean = np.concatenate(list(usual.values())) * (1 + 0.05 * (random.random(rows) - 0.5))
    names = np.repeat([f"stack.{name}" for name in usual], len(ts))
    texts = {"gateway": "gw1", "log": "3f9a000000000001", "equipment": f"gtc{stack}/stack1"}
    return pa.table(
        {
            "ts": pa.array(np.tile(ts, len(usual)) * 1_000_000, pa.timestamp("us", "UTC")),
            "period_s": pa.array(np.full(rows, 60), pa.int32()),
            "quantity": pa.array(names).dictionary_encode(),
            **{name: pa.array(mean) for name in ("mean", "min", "max", "last")},
            "inc": pa.nulls(rows, pa.float64()),
            "n": pa.array(np.full(rows, 12), pa.int32()),
            "good": pa.array(np.ones(rows)),
            **{name: pa.nulls(rows, pa.string()) for name in ("q", "raw")},
            **{name: pa.array([text] * rows).dictionary_encode() for name, text in texts.items()},
            "seq": pa.array(np.tile(ts // 60, len(usual)), pa.int64()),
        }
    )


def _site() -> str:
    head = f"""
plant = "demo"
name = {{ zh = "示例铝业有限公司", en = "Example Aluminium Co., Ltd." }}
province = "henan"
lake = "lake"
entries = "entries.jsonl"

[[potline]]
id = "line1"
name = {{ zh = "一系列", en = "Potline 1" }}
process = "1"
capacity_t_per_year = 250000
design_current_ka = 400
design_voltage_v = 4.0
pots = 240
rectifiers = 6
started = {YEAR - 10}-06-01
ac_meters = ["line1/ac1"]
"""
    stacks = [
        f"""
[[stacks]]
id = "DA00{n}"
name = {{ zh = "{n} 号排放口", en = "stack {n}" }}
equipment = "gtc{n}/stack1"
industry = "electrolytic_aluminium"
area_m2 = 12.5
wet = true
started = {YEAR - 10}-06-01
"""
        + "".join(
            f"""
[[stacks.limits]]
pollutant = "{name}"
hour_mg_m3 = {limit}
from = {YEAR - 10}-06-01
source = "permit of the benchmark"
"""
            for name, limit in LIMITS.items()
        )
        for n in range(1, STACKS + 1)
    ]
    return "".join([head, *stacks])
