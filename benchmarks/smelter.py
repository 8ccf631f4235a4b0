"""The nominal smelter: 400 pots × 20 points at 1 s and 1,000 points at 5 s, agent to lake."""

import json
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.children import Child
from benchmarks.edge import Watched
from benchmarks.layout import METER, POT, Bank, Image, image, write_modbus_table, write_opcua_table
from benchmarks.measure import Usage, Watch
from benchmarks.observer import Observer
from benchmarks.plant import SETTLE_S, DeviceTable, Process, Setting, agent, broker, historian, plc
from benchmarks.table import Row, Section
from benchmarks.ua_server import URI

POTS = tuple(Bank("line1", "pot", 1 + 50 * n, 50, POT, pad_to=40) for n in range(8))
AUXILIARIES = Bank("aux", "m", 1, 100, METER)
POINTS = sum(bank.points for bank in POTS) + AUXILIARIES.points
PER_S = 8_200
STILL = "pot.link"  # were it to change, the pot's other values would not be good
CHANGES_PER_S = PER_S - 400
WARM_S = 12.0  # the lake's first flush is past


def run_modbus(setting: Setting) -> Section:
    """Eight PLCs with 50 pots each and one with the auxiliaries."""
    folder = setting.folder
    banks = (*POTS, AUXILIARIES)
    tables = modbus_tables(folder, banks)
    images = [image(bank, 512, seed) for seed, bank in enumerate(banks)]
    images[0] = with_clock(images[0])
    clock = (0, POTS[0].stride * POTS[0].count)
    with (
        broker(folder) as mqtt,
        plc(folder, images, 1.0, clock=clock) as device,
        historian(folder, mqtt.port) as store,
        Observer(mqtt.port, device.hello["epochs_ns"][0]) as observer,
        agent(folder, mqtt.port, modbus_devices(device.hello["ports"], tables)) as edge,
    ):
        watched, stored = _watch(setting, edge, store)
        p50, p99 = observer.latency_s(time.time() - setting.seconds)
        behind = store.metrics().total("smelter_view_behind")
    usage = watched.usage
    return Section(
        "smelter",
        "Nominal smelter by Modbus, from register to lake",
        f"400 pots × 20 points at 1 s (8 PLCs), 1,000 points at 5 s (1 PLC): {PER_S:,} values/s; "
        f"agent, mosquitto and historian with lake. {setting.seconds:.0f} s after settling. "
        "*Durable* is the historian's receipt, sent after the sync of the originals.",
        (
            Row("agent", usage.core_percent, "% of a core", at_most=6.0),
            Row("agent, resident memory", usage.rss_mb, "MB", at_most=120.0),
            Row("historian with lake", stored.core_percent, "% of a core", at_most=20.0),
            Row("historian, resident memory", stored.rss_mb, "MB", at_most=250.0),
            Row("historian, peak memory", stored.peak_mb, "MB", at_most=250.0),
            Row("register change → durable, p50", p50, "s"),
            Row("register change → durable, p99", p99, "s", at_most=2.0),
            Row("good values", watched.good_per_s, "1/s", at_least=0.99 * PER_S),
            Row("values not good", watched.bad, "", at_most=0.0),
            Row("agent, bytes written to disk", usage.written_bytes / usage.wall_s / 1e3, "kB/s"),
            Row("historian, same", stored.written_bytes / stored.wall_s / 1e3, "kB/s"),
            Row("batches the lake lacks at the end", behind, ""),
        ),
    )


def run_opcua(setting: Setting) -> Section:
    """The same points from one OPC UA server by subscription."""
    folder = setting.folder
    nodes = folder / "nodes.json"
    nodes.write_text(json.dumps(opcua_nodes()), "utf-8")
    tables = [folder / f"ua{n}.csv" for n in range(9)]
    for table, bank in zip(tables, (*POTS, AUXILIARIES), strict=True):
        write_opcua_table(table, bank, URI)
    with (
        broker(folder) as mqtt,
        Child("benchmarks.ua_server", nodes, log=folder / "server.log") as server,
        historian(folder, mqtt.port) as store,
        agent(folder, mqtt.port, _opcua_devices(server.hello["port"], tables)) as edge,
    ):
        watched, stored = _watch(setting, edge, store)
    usage = watched.usage
    return Section(
        "smelter-opcua",
        "Nominal smelter by OPC UA subscription",
        f"The same {POINTS:,} points as items of one OPC UA server (asyncua, other process); all "
        f"but the 400 link states change at their interval, {CHANGES_PER_S:,} changes/s. "
        f"{setting.seconds:.0f} s after settling.",
        (
            Row("agent", usage.core_percent, "% of a core", at_most=25.0),
            Row("agent, resident memory", usage.rss_mb, "MB", at_most=120.0),
            Row("historian with lake", stored.core_percent, "% of a core", at_most=20.0),
            Row("good values", watched.good_per_s, "1/s", at_least=0.99 * CHANGES_PER_S),
            Row("values not good", watched.bad, "", at_most=0.0),
        ),
    )


def with_clock(registers: Image) -> Image:
    """Two more registers, for the PLC's clock."""
    return np.pad(registers, ((0, 0), (0, 2)))


def _watch(setting: Setting, edge: Process, store: Process) -> tuple[Watched, Usage]:
    edge.wait_for("smelter_quality_total", PER_S, quality="good")
    time.sleep(WARM_S if setting.seconds >= WARM_S else SETTLE_S)
    before, of_edge, of_store = edge.metrics(), Watch(edge.pid), Watch(store.pid)
    time.sleep(setting.seconds)
    usage, stored = of_edge.usage(), of_store.usage()
    return Watched(usage, before, edge.metrics()), stored


def modbus_tables(folder: Path, banks: Sequence[Bank]) -> list[Path]:
    """A table per PLC; the first one has the clock."""
    tables = []
    for number, bank in enumerate(banks):
        table = folder / f"plc{number}.csv"
        write_modbus_table(table, bank, clock=number == 0)
        tables.append(table)
    return tables


def modbus_devices(ports: Sequence[int], tables: Sequence[Path]) -> list[DeviceTable]:
    return [
        DeviceTable(
            f"plc{n}", "modbus-tcp", f"127.0.0.1:{port}", table, 5.0 if n == len(ports) - 1 else 1.0
        )
        for n, (port, table) in enumerate(zip(ports, tables, strict=True))
    ]


def _opcua_devices(port: int, tables: Sequence[Path]) -> list[DeviceTable]:
    return [
        DeviceTable(
            f"ua{n}",
            "opcua",
            f"opc.tcp://127.0.0.1:{port}",
            table,
            5.0 if n == len(tables) - 1 else 1.0,
            'mode = "subscribe"\nsecurity = "none"',
        )
        for n, table in enumerate(tables)
    ]


def opcua_nodes() -> list[dict[str, object]]:
    """A bank of the server per quantity, so that every value swings inside its range."""
    banks: list[dict[str, object]] = []
    for members, interval_s in ((POTS, 1.0), ((AUXILIARIES,), 5.0)):
        for channel in members[0].channels:
            swing = max(channel.swing, 0.01 * channel.base) if not channel.counter else 90.0
            low = channel.base
            if channel.type == "uint16":
                swing = 0.0 if channel.quantity == STILL else 1.0
            names = [
                f"{bank.area}/{unit}.{channel.quantity}" for bank in members for unit in bank.units
            ]
            banks.append(
                {"names": names, "interval_s": interval_s, "low": low, "high": low + swing}
            )
    return banks
