"""A month's report of a smelter with 400 pots: the simulator's month, brought in the real way."""

import json
import time
from pathlib import Path

import pyarrow.compute as pc
from pyarrow import dataset, parquet

from benchmarks.children import run_and_measure
from benchmarks.measure import peak_mb
from benchmarks.plant import SMELTER, Process, Setting, broker, historian
from benchmarks.table import Row, Section

MONTH = "2026-10"
DRAIN_S = 300.0
REPEATS = 3


def run(setting: Setting) -> Section:
    """Simulate, import, enter the figures; then the report, several times."""
    folder = setting.folder
    plant = folder / "plant"
    smelter(folder, "simulate", "pots400", "--no-serve", "--dir", plant, "--history", MONTH)
    truth = json.loads((plant / "history" / f"truth-{MONTH}.json").read_text("utf-8"))
    rows = int(truth["history_rows"])
    parts = _split(plant / "history" / f"{MONTH}.parquet")
    start = time.monotonic()
    with broker(folder) as mqtt, historian(folder, mqtt.port) as store:
        to = ("--mqtt", f"mqtt://127.0.0.1:{mqtt.port}", "--plant", "demo")
        importer_peak = 0.0
        for part in parts:
            _, peak = smelter(folder, "import", part, *to, "--data-dir", folder / "import")
            importer_peak = max(peak, importer_peak)
        drain(store)
        took_s, store_peak = time.monotonic() - start, peak_mb(store.pid)
    site = _site(folder)
    book = plant / "entries" / f"entries-{MONTH}.xlsx"
    said = ("--site", site, "--author", "benchmark", "--reason", "simulated month", "--yes")
    smelter(folder, "entries", "import", book, *said)
    full = [_report(folder, site, n, "json,xlsx,pdf") for n in range(REPEATS)]
    data = _report(folder, site, REPEATS, "json")
    lake = sum(path.stat().st_size for path in (folder / "historian" / "lake").rglob("*.parquet"))
    return Section(
        "report",
        "A month's report over 400 pots",
        f"The simulator's month of two potlines with 200 pots each: {rows:,} minute rows, imported "
        "over the broker with receipts and then read from the lake by `smelter report "
        f"carbon-monthly`; a new process each, median of {REPEATS}.",
        (
            Row("report, JSON + XLSX + PDF", sorted(f[0] for f in full)[1], "s", at_most=10.0),
            Row("peak memory", max(found[1] for found in full), "MB", at_most=500.0),
            Row("report, JSON only", data[0], "s"),
            Row("import until it is in the lake", rows / took_s, "rows/s"),
            Row("importer, peak memory of a part", importer_peak, "MB"),
            Row("historian, peak memory meanwhile", store_peak, "MB"),
            Row("lake", lake / rows, "bytes/row"),
        ),
    )


def _split(history: Path) -> list[Path]:
    """One file per potline and one for the rest: an import takes at most 20 million rows."""
    table = dataset.dataset(history)
    area = pc.field("equipment").cast("string")
    lines = [pc.starts_with(area, pattern=f"line{n}/") for n in (1, 2)]
    found = []
    for name, rows in (("1", lines[0]), ("2", lines[1]), ("rest", ~(lines[0] | lines[1]))):
        path = history.with_name(f"part-{name}.parquet")
        parquet.write_table(table.to_table(filter=rows), path)
        found.append(path)
    return found


def smelter(folder: Path, *arguments: object) -> tuple[float, float]:
    """Wall seconds and peak MB of one command; an error when it does not end well."""
    log = folder / "commands.log"
    command = [str(SMELTER), *map(str, arguments)]
    code, wall_s, _, peak = run_and_measure(command, log, timeout_s=1800.0)
    if code:
        tail = log.read_text("utf-8")[-800:]
        raise RuntimeError(f"smelter {arguments[0]} ended with {code}: {tail}")
    return wall_s, peak


def _report(folder: Path, site: Path, number: int, formats: str) -> tuple[float, float]:
    out = folder / f"out{number}"
    where = ("--site", site, "--month", MONTH, "--out", out)
    return smelter(folder, "report", "carbon-monthly", *where, "--format", formats)


def drain(store: Process) -> None:
    """Waits until every batch is in the lake."""
    deadline = time.monotonic() + DRAIN_S
    while store.metrics().total("smelter_view_behind") > 0:
        if time.monotonic() > deadline:
            raise RuntimeError(f"the lake still lacks batches after {DRAIN_S} s; see {store.log}")
        time.sleep(0.2)


def _site(folder: Path) -> Path:
    """Two potlines as the simulator lays them out; the historian's folders are ours."""
    lines = "".join(
        f'[[potline]]\nid = "line{n}"\nname = {{ zh = "系列{n}", en = "Potline {n}" }}\n'
        f'process = "{n}"\ncapacity_t_per_year = 223561\ndesign_current_ka = 400\n'
        "design_voltage_v = 4.0\npots = 200\nrectifiers = 6\nstarted = 2024-01-01\n"
        f'ac_meters = ["line{n}/ac1", "line{n}/ac2"]\naux_meters = ["line{n}/aux1"]\n'
        for n in (1, 2)
    )
    site = folder / "site.toml"
    site.write_text(
        'plant = "demo"\nname = { zh = "基准", en = "Benchmark" }\nprovince = "henan"\n'
        'lake = "historian/lake"\noriginals = "historian/originals"\nentries = "entries.jsonl"\n'
        + lines,
        "utf-8",
    )
    return site
