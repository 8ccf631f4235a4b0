"""The agent by OPC UA: 1,000 items at 10 Hz by subscription, and the same items polled."""

import json
import time
from pathlib import Path

from benchmarks.children import Child
from benchmarks.edge import watch_agent
from benchmarks.layout import Bank, Channel, write_opcua_table
from benchmarks.measure import Watch
from benchmarks.plant import DeviceTable, Setting, broker
from benchmarks.table import Row, Section
from benchmarks.ua_server import URI

# Quantities so wide that a value can be its own sequence number.
WIDE = tuple(
    Channel(f"meter.{name}", 0.0, 0.0)
    for name in ("active_power", "reactive_power", "voltage", "current")
)
BANK = Bank("line1", "m", 1, 250, WIDE)


def node_names(bank: Bank) -> list[str]:
    return [f"{bank.area}/{unit}.{c.quantity}" for unit in bank.units for c in bank.channels]


def run(setting: Setting) -> Section:
    """Loss is counted: every value is its own sequence number, every item's sequence is checked."""
    folder = setting.folder
    nodes = folder / "nodes.json"
    bank = {"names": node_names(BANK), "interval_s": 0.1, "low": None, "high": None}
    nodes.write_text(json.dumps([bank]), "utf-8")
    table = folder / "items.csv"
    write_opcua_table(table, BANK, URI)
    with (
        broker(folder) as mqtt,
        Child("benchmarks.ua_server", nodes, log=folder / "server.log") as server,
    ):
        address = f"opc.tcp://127.0.0.1:{server.hello['port']}"
        subscribed = _watch(setting, mqtt.port, table, address, 0.1, "subscribe")
        server_watch = Watch(server.pid)
        time.sleep(1.0)
        idle = server_watch.usage().core_percent
        polled = _watch(
            Setting(_sub(folder), min(20.0, setting.seconds)),
            mqtt.port,
            table,
            address,
            1.0,
            "poll",
        )
    return Section(
        "opcua",
        "OPC UA, 1,000 items",
        "asyncua server in a process of its own; all 1,000 values change every 100 ms, each value "
        "is its own sequence number and the receiver checks every item's sequence in what came out "
        f"by MQTT. {setting.seconds:.0f} s after settling.",
        (
            *_rows("subscription at 10 Hz", subscribed, at_most=35.0),
            Row("values lost, by the sequence numbers", subscribed["lost"], "", at_most=0.0),
            Row("sessions lost meanwhile", subscribed["device_lost"], "", note="a busy machine"),
            Row("items whose sequence was checked", subscribed["series"], "", at_least=1000),
            *_rows("polled at 1 s in chunks", polled),
            Row("server alone, for comparison", idle, "% of a core"),
        ),
    )


def _sub(folder: Path) -> Path:
    inner = folder / "polled"
    inner.mkdir()
    return inner


def _rows(
    name: str, found: dict[str, float], at_most: float | None = None
) -> tuple[Row, Row, Row, Row]:
    return (
        Row(f"agent, {name}", found["percent"], "% of a core", at_most=at_most),
        Row(f"agent, CPU per value, {name}", found["us"], "µs"),
        Row(f"agent, resident memory, {name}", found["rss_mb"], "MB"),
        Row(f"good values, {name}", found["good_per_s"], "1/s"),
    )


def _watch(
    setting: Setting, port: int, table: Path, address: str, interval_s: float, mode: str
) -> dict[str, float]:
    more = f'mode = "{mode}"\nsecurity = "none"'
    devices = [DeviceTable("ua", "opcua", address, table, interval_s, more)]
    check = ["--check"] if mode == "subscribe" else []
    watched = watch_agent(setting, port, devices, 3, *check)
    usage = watched.usage
    return {
        "percent": usage.core_percent,
        "us": 1e6 * usage.cpu_s / (watched.good_per_s * usage.wall_s),
        "rss_mb": usage.rss_mb,
        "good_per_s": watched.good_per_s,
        "lost": watched.seen["lost"],
        "device_lost": watched.seen["events"].get("device_lost", 0),
        "series": watched.seen["series"],
    }
