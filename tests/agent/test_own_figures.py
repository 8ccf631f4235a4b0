"""The gateway's own figures: a point of each a minute, what is not known is missing, never 0."""

import asyncio
import re
import urllib.request
from pathlib import Path

import duckdb

from agent.edge.gateway import Gateway
from agent.edge.own import DIGITS, waiting_bytes
from agent.lake.lake import Lake
from drivers.quantities import quantities
from tests.agent.batches import RECORD, batch
from tests.agent.logs import numbered, open_log
from tests.agent.small_plant import device, lines, running, server, write_config, write_table
from tests.agent.test_gateway import near_minute, until
from tests.servers import free_port, mosquitto


def fields(line: str) -> dict[str, str]:
    return {
        name: value for part in line.split(" ")[1].split(",") for name, value in [part.split("=")]
    }


def scrape(gateway: Gateway) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{gateway.port}/metrics", timeout=5) as page:
        text: str = page.read().decode()
    return text


async def test_a_point_of_each_figure_after_the_minute(tmp_path: Path) -> None:
    write_table(tmp_path)
    rows = (tmp_path / "points.csv").read_text().replace("line1/", "line2/")
    (tmp_path / "other.csv").write_text(rows)
    async with server() as plc:
        gone = device("gone", free_port(), "other.csv")
        path = write_config(tmp_path, device("plc", plc.port) + gone)
        async with running(path, wall_ns=near_minute(1.5)) as gateway:
            await until(lambda: gateway._own._written_ns > 0)
            first = gateway._own._written_ns
            await until(lambda: gateway._own._written_ns > first, 30)
            metrics = await asyncio.to_thread(scrape, gateway)
    (line,) = [x for x in await lines(tmp_path, "record") if x.startswith("agent_1m,")]
    assert line.startswith("agent_1m,plant=demo,line=gw1,unit=agent ")
    assert int(line.rsplit(" ", 1)[1]) == first
    found = fields(line)
    assert {name for name in DIGITS if f"{name}_n" in found} == set(DIGITS)
    assert (float(found["devices_lost"]), float(found["broker_up"])) == (1, 0)
    assert float(found["failed_reads"]) >= 1
    assert float(found["queue_batches"]) >= 2
    assert float(found["queue_bytes"]) > 500
    assert "last_receipt_age_s" not in found, "there never was a receipt"
    assert found["last_receipt_age_s_q"] == '"no_data"'
    assert found["last_receipt_age_s_n"] == "0i"
    assert 10e6 < float(found["memory_bytes"]) < 4e9
    assert 0 < float(found["disk_used_share"]) < 1
    assert re.search(r"^smelter_devices_lost 1$", metrics, re.MULTILINE)
    assert re.search(r"^smelter_disk_free_bytes \d", metrics, re.MULTILINE)
    assert "smelter_last_receipt_age_seconds " not in metrics
    in_lake(tmp_path / "lake", line, found)


def in_lake(folder: Path, line: str, found: dict[str, str]) -> None:
    lake = Lake(folder)
    lake.open()
    lake.write([batch(RECORD, 1, [line])])
    lake.close()
    found_rows = duckdb.read_parquet(f"{folder}/windows/*/*/*.parquet")
    rows = found_rows.project("equipment, quantity, mean, q").fetchall()
    assert {quantity for _, quantity, _, _ in rows} == {f"agent.{name}" for name in DIGITS}
    assert {equipment for equipment, _, _, _ in rows} == {"gw1/agent"}
    means = {quantity: mean for _, quantity, mean, _ in rows}
    assert means["agent.memory_bytes"] == float(found["memory_bytes"])
    assert means["agent.last_receipt_age_s"] is None


def test_every_figure_is_a_quantity_and_every_quantity_a_figure() -> None:
    assert {f"agent.{x}" for x in DIGITS} == {x for x in quantities() if x.startswith("agent.")}


async def test_a_receipt_is_noticed(tmp_path: Path) -> None:
    broker = mosquitto(tmp_path).start()
    try:
        write_table(tmp_path)
        async with server() as plc:
            path = write_config(tmp_path, device("plc", plc.port), broker.port)
            async with running(path) as gateway:
                await until(lambda: gateway._publisher.online, 20)
                await until(lambda: gateway._logs["record"].newest > 0, 20)
                gateway._logs["record"].set_receipted(1)
                await until(lambda: gateway._own._receipt_s is not None, 20)
                text = await asyncio.to_thread(scrape, gateway)
                assert re.search(r"^smelter_last_receipt_age_seconds \d", text, re.MULTILINE)
                assert re.search(r"^smelter_broker_up 1$", text, re.MULTILINE)
    finally:
        broker.end()


async def test_what_waits_is_counted_by_share_of_a_segment(tmp_path: Path) -> None:
    log = await open_log(tmp_path)
    try:
        for _ in range(4):
            await log.append(numbered(3000), closed_ns=1)
        whole = waiting_bytes(tmp_path, log)
        assert whole == await asyncio.to_thread(size, tmp_path)
        log.set_receipted(1)
        assert waiting_bytes(tmp_path, log) == whole * 3 // 4
        log.set_receipted(4)
        assert waiting_bytes(tmp_path, log) == 0
    finally:
        await log.__aexit__(None, None, None)


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*.seg"))
