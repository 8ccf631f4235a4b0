"""The agent by Modbus: 1,000 points a second; 50 devices at 10 Hz; 50 devices flat out."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.children import Child
from benchmarks.layout import BLOCK, POT, Bank, image, write_modbus_table
from benchmarks.measure import Usage, Watch
from benchmarks.plant import (
    SETTLE_S,
    DeviceTable,
    Metrics,
    Setting,
    agent,
    broker,
    plc,
    quantile_ms,
)
from benchmarks.table import Row, Section

FLOOR_S = 10.0
LATENESS = "smelter_lateness_seconds"


def run_points1000(setting: Setting) -> Section:
    """One device, 1,000 points of mixed types, once a second."""
    bank = Bank("line1", "pot", 1, 50, POT, pad_to=40)
    watched = _watch(setting, [bank], interval_s=1.0, variants=256, floor_values=1000)
    usage, floor = watched.usage, watched.floor
    return Section(
        "points1000",
        "1,000 points of one device at 1 s",
        "50 pots × 20 points of mixed types (float32, uint16, uint32 counters), 2,000 registers in "
        f"16 requests a second; batch log, MQTT and receipts on. {setting.seconds:.0f} s after "
        "settling. The floor reads 1,000 float32 from the same PLC.",
        (
            Row("agent", usage.core_percent, "% of a core", at_most=2.0, floor=floor["percent"]),
            Row("agent, resident memory", usage.rss_mb, "MB", at_most=60.0, floor=floor["rss_mb"]),
            Row("good values", watched.good_per_s, "1/s", at_least=990.0),
            Row("values not good", watched.bad, "", at_most=0.0),
            *watched.jitter(),
        ),
    )


def run_modbus50(setting: Setting) -> Section:
    """50 devices × 125 registers at a fixed 10 Hz."""
    banks = [Bank(f"l{n:02d}", "u", 1, 2, BLOCK) for n in range(50)]
    watched = _watch(setting, banks, interval_s=0.1, variants=64, floor_values=62)
    usage, floor = watched.usage, watched.floor
    pymodbus = watched.floor_pymodbus
    us = 1e6 * usage.cpu_s / (watched.good_per_s * usage.wall_s)
    return Section(
        "modbus50",
        "50 Modbus devices × 125 registers at a fixed 10 Hz",
        "62 float32 a device, 31,000 values/s, into the batch log and out by MQTT to a receiver "
        f"that answers with receipts. {setting.seconds:.0f} s after settling.",
        (
            Row("agent", usage.core_percent, "% of a core", at_most=12.0, floor=floor["percent"]),
            Row("agent, CPU per value", us, "µs", floor=floor["us"]),
            Row("floor with pymodbus instead", pymodbus["us"], "µs", floor=floor["us"]),
            Row("agent, resident memory", usage.rss_mb, "MB", floor=floor["rss_mb"]),
            Row("good values", watched.good_per_s, "1/s", at_least=30_690.0),
            Row("values not good", watched.bad, "", at_most=0.0),
            *watched.jitter(),
            Row("raw stream", watched.bytes_per_value, "bytes/value", note="before compression"),
        ),
    )


def run_flatout(setting: Setting) -> Section:
    """More than one process can do: what it delivers then, counting what it leaves out."""
    banks = [Bank(f"l{n:02d}", "u", 1, 16, BLOCK) for n in range(50)]
    seconds = min(setting.seconds, 20.0)
    short = Setting(setting.folder, seconds)
    watched = _watch(short, banks, interval_s=0.02, variants=16, floor_values=496, flat=True)
    usage = watched.usage
    us = 1e6 * usage.cpu_s / (watched.good_per_s * usage.wall_s)
    return Section(
        "flatout",
        "50 Modbus devices, as fast as one process can",
        f"50 devices × 496 float32 asked for at 50 Hz: 1,240,000 values/s. {seconds:.0f} s after "
        "settling. What is left out is counted as overload, not queued. Receiver, broker and PLC "
        "take part of the other core.",
        (
            Row(
                "good values delivered",
                watched.good_per_s,
                "1/s",
                at_least=400_000.0,
                floor=watched.floor["per_s"],
            ),
            Row("floor with pymodbus instead", watched.floor_pymodbus["per_s"], "1/s"),
            Row("agent", usage.core_percent, "% of a core"),
            Row("agent, CPU per value", us, "µs", floor=watched.floor["us"]),
            Row("agent, resident memory", usage.rss_mb, "MB", note="at the end"),
            Row("slots left out, counted", watched.overload, ""),
        ),
    )


class Watched:
    """What a steady minute of an agent showed."""

    def __init__(self, usage: Usage, before: Metrics, after: Metrics) -> None:
        self.usage = usage
        self.before, self.after = before, after
        self.floor: dict[str, float] = {}
        self.floor_pymodbus: dict[str, float] = {}
        self.bytes_per_value = 0.0
        self.seen: dict[str, Any] = {}  # what the sink says at the end

    def change(self, name: str, **labels: str) -> float:
        return self.after.total(name, **labels) - self.before.total(name, **labels)

    @property
    def good_per_s(self) -> float:
        return self.change("smelter_quality_total", quality="good") / self.usage.wall_s

    @property
    def bad(self) -> float:
        total = self.change("smelter_quality_total")
        return total - self.change("smelter_quality_total", quality="good")

    @property
    def overload(self) -> float:
        return self.change("smelter_overload_slots_total")

    def jitter(self) -> tuple[Row, ...]:
        """Lateness of polls behind their slot, from the agent's own histogram."""
        p50 = quantile_ms(self.before, self.after, LATENESS, 0.5)
        p99 = quantile_ms(self.before, self.after, LATENESS, 0.99)
        note = "upper edge of the bucket in /metrics"
        return (
            Row("poll behind its slot, p50", p50, "ms", floor=self.floor["p50_ms"], note=note),
            Row("poll behind its slot, p99", p99, "ms", floor=self.floor["p99_ms"], note=note),
        )


def _watch(
    setting: Setting,
    banks: Sequence[Bank],
    *,
    interval_s: float,
    variants: int,
    floor_values: int,
    flat: bool = False,
) -> Watched:
    folder = setting.folder
    tables = []
    for number, bank in enumerate(banks):
        table = folder / f"device{number:02d}.csv"
        write_modbus_table(table, bank)
        tables.append(table)
    images = [image(bank, variants, seed) for seed, bank in enumerate(banks)]
    with broker(folder) as mqtt, plc(folder, images, interval_s) as device:
        ports: list[int] = device.hello["ports"]
        devices = [
            DeviceTable(f"d{n:02d}", "modbus-tcp", f"127.0.0.1:{port}", table, interval_s)
            for n, (port, table) in enumerate(zip(ports, tables, strict=True))
        ]
        watched = watch_agent(setting, mqtt.port, devices, len(banks))
        interval = 0.0 if flat else interval_s
        watched.floor = _floor(folder, ports, floor_values, interval, "bare")
        if len(banks) > 1:
            watched.floor_pymodbus = _floor(folder, ports, floor_values, interval, "pymodbus")
    return watched


def watch_agent(
    setting: Setting, port: int, devices: Sequence[DeviceTable], least: int, *sink_options: str
) -> Watched:
    """An agent with these devices and the sink; watched after ``least`` good values."""
    log = setting.folder / "sink.log"
    with (
        Child("benchmarks.sink", port, *sink_options, log=log) as sink,
        agent(setting.folder, port, devices) as process,
    ):
        process.wait_for("smelter_quality_total", least, quality="good")
        time.sleep(SETTLE_S)
        before, watch = process.metrics(), Watch(process.pid)
        time.sleep(setting.seconds)
        usage, after = watch.usage(), process.metrics()
        seen = sink.finish()
    watched = Watched(usage, before, after)
    if not watched.good_per_s:
        raise RuntimeError(f"the agent brought no good value; see {process.log}")
    watched.seen = seen
    watched.bytes_per_value = seen["bytes"].get("raw", 0) / max(1, seen["good"])
    return watched


def _floor(
    folder: Path, ports: Sequence[int], values: int, interval_s: float, client: str
) -> dict[str, float]:
    """The floor on the same PLC; its line of JSON in the figures used here."""
    (folder / "floor.sqlite").unlink(missing_ok=True)
    with Child(
        "benchmarks.floor",
        folder,
        "--ports",
        *ports,
        "--values",
        values,
        "--interval",
        interval_s,
        "--seconds",
        FLOOR_S,
        "--client",
        client,
        log=folder / "floor.log",
    ) as child:
        said = child.hello
    return {
        "percent": 100 * said["cpu_s"] / said["wall_s"],
        "us": 1e6 * said["cpu_s"] / said["values"],
        "per_s": said["values"] / said["wall_s"],
        "rss_mb": said["rss_mb"],
        "p50_ms": said["late_p50_ms"],
        "p99_ms": said["late_p99_ms"],
    }
