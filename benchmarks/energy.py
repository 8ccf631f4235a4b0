"""A year's energy report of 400 pots: the simulator's year of hours, brought in the real way."""

import json
import time
from pathlib import Path

from benchmarks.measure import peak_mb
from benchmarks.plant import Setting, broker, historian
from benchmarks.report import drain, smelter
from benchmarks.table import Row, Section

YEAR = "2025"
POTS = 400
REPEATS = 3


def run(setting: Setting) -> Section:
    """Simulate, import, enter the figures of twelve months; then the report, several times."""
    folder = setting.folder
    plant = folder / "plant"
    asked = ("--no-serve", "--dir", plant, "--year", YEAR, "--pots", POTS, "--seed", 7)
    smelter(folder, "simulate", *asked)
    truth = json.loads((plant / "history" / f"truth-{YEAR}.json").read_text("utf-8"))
    rows = int(truth["history_rows"])
    start = time.monotonic()
    with broker(folder) as mqtt, historian(folder, mqtt.port) as store:
        to = ("--mqtt", f"mqtt://127.0.0.1:{mqtt.port}", "--plant", "demo")
        history = plant / "history" / f"{YEAR}.parquet"
        where = ("--period", 3600, "--data-dir", folder / "import")
        smelter(folder, "import", history, *where, *to)
        drain(store)
        took_s, store_peak = time.monotonic() - start, peak_mb(store.pid)
    site = _site(folder, truth)
    said = ("--site", site, "--author", "benchmark", "--reason", "simulated year", "--yes")
    for book in sorted((plant / "entries").glob(f"entries-{YEAR}-*.xlsx")):
        smelter(folder, "entries", "import", book, *said)
    full = [_report(folder, site, n, "json,xlsx,pdf") for n in range(REPEATS)]
    data = _report(folder, site, REPEATS, "json")
    return Section(
        "energy",
        "A year's energy report over 400 pots",
        f"The simulator's year of three potlines, {POTS} pots together: {rows:,} rows of hours, "
        "imported over the broker with receipts and then read from the lake by `smelter report "
        f"energy --year`; a new process each, median of {REPEATS}.",
        (
            Row("report, JSON + XLSX + PDF", sorted(f[0] for f in full)[1], "s", at_most=30.0),
            Row("peak memory", max(found[1] for found in full), "MB", at_most=2000.0),
            Row("report, JSON only", data[0], "s"),
            Row("import until it is in the lake", rows / took_s, "rows/s"),
            Row("historian, peak memory meanwhile", store_peak, "MB"),
        ),
    )


def _report(folder: Path, site: Path, number: int, formats: str) -> tuple[float, float]:
    where = ("--site", site, "--year", YEAR, "--out", folder / f"out{number}")
    return smelter(folder, "report", "energy", *where, "--format", formats)


def _site(folder: Path, truth: dict[str, dict[str, dict[str, str]]]) -> Path:
    """The simulated plant with every meter the energy report asks for."""
    lines = ""
    for number, (name, run_) in enumerate(truth["runs"].items(), start=1):
        began, ended = run_["started"] or "2020-01-01", run_["stopped"]
        lines += (
            f'[[potline]]\nid = "{name}"\nname = {{ zh = "系列{number}", en = "Potline {number}" }}'
            f'\nprocess = "{number}"\ncapacity_t_per_year = 223561\ndesign_current_ka = 400\n'
            f"design_voltage_v = 4.0\npots = {POTS // 3}\nrectifiers = 6\nstarted = {began}\n"
            + (f"stopped = {ended}\n" if ended else "")
            + f'ac_meters = ["{name}/ac1", "{name}/ac2"]\naux_meters = ["{name}/aux1"]\n'
            f'dc_meters = ["{name}/dc1"]\nfgd_meters = ["{name}/fgd1"]\n'
        )
    site = folder / "site.toml"
    site.write_text(
        'plant = "demo"\nname = { zh = "基准", en = "Benchmark" }\nprovince = "henan"\n'
        'lake = "historian/lake"\noriginals = "historian/originals"\nentries = "entries.jsonl"\n'
        'pv_meters = ["plant/pv1"]\nwater_meters = { fresh = ["plant/water1"] }\n'
        "tariff = { price_cny_per_kwh = 0.45 }\n"
        '[[exchangers]]\nequipment = "gtc1/hx1"\n' + lines,
        "utf-8",
    )
    return site
