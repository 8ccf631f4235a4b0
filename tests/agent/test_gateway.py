"""The edge process with real devices: what is in the logs afterwards is what the devices served."""

import asyncio
import logging
import re
import struct
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from agent.edge.config import load_gateway
from agent.edge.gateway import Gateway
from tests.agent.small_plant import ROWS, device, lines, running, server, write_config, write_table
from tests.servers import free_port

MINUTE_NS = 60 * 10**9
TENTH_NS = 10**8


def near_minute(before_s: float) -> Callable[[], int]:
    """A system clock that shows this many seconds before a full minute."""
    shift = MINUTE_NS - (time.time_ns() + round(before_s * 1e9)) % MINUTE_NS
    return lambda: time.time_ns() + shift


async def until(check: Callable[[], bool], timeout_s: float = 8.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not check():  # noqa: ASYNC110 - what is awaited lies in another task's counts
            await asyncio.sleep(0.02)


def frames(found: list[str], name: str = "plc") -> list[tuple[int, bool]]:
    """(slot, all good) of each frame of a device."""
    pattern = re.compile(rf"frame,.*device={name},\S+ points=(\d+)i,bad=(\d+)i.* (\d+)$")
    matches = [m for line in found if (m := pattern.match(line))]
    return [(int(m[3]), m[2] == "0") for m in matches]


def events(found: list[str], kind: str) -> list[str]:
    return [line for line in found if line.startswith("event,") and f"kind={kind}" in line]


def polls(gateway: Gateway, name: str = "plc") -> int:
    return gateway._desk.tally(name).polls


async def test_from_register_to_both_logs(tmp_path: Path) -> None:
    write_table(tmp_path)
    async with server() as plc:
        path = write_config(tmp_path, device("plc", plc.port))
        async with running(path, wall_ns=near_minute(0.9)) as gateway:
            await until(lambda: polls(gateway) >= 4)
            plc.banks[1].put("holding", 10, struct.pack(">I", 5007))
            await until(lambda: gateway._logs["record"].newest >= 2 and polls(gateway) >= 18)
        assert plc.statistics.writes == 0
    raw, record = await lines(tmp_path, "raw"), await lines(tmp_path, "record")
    slots = frames(raw)
    assert all(good for _, good in slots)
    assert all(b - a == TENTH_NS for (a, _), (b, _) in pairwise(slots))
    pots = [line for line in raw if line.startswith("pot,")]
    assert {line.rpartition(" ")[0] for line in pots} == {
        "pot,plant=demo,line=line1,unit=pot001 voltage=4.25,current=350"
    }
    (meter,) = [line for line in record if line.startswith("meter_1m,")]
    assert "energy_import_inc=7,energy_import_last=5007" in meter
    assert 'energy_import_raw="0000138f"' in meter
    (pot,) = [line for line in record if line.startswith("pot_1m,")]
    assert "voltage=4.25,voltage_n=" in pot
    assert 'voltage_q="no_data"' in pot, "the minute was not watched from its start"
    assert len(events(record, "start")) == len(events(record, "stop")) == 1


async def test_a_restart_goes_on_where_it_stopped(tmp_path: Path) -> None:
    write_table(tmp_path)
    wall = near_minute(4.0)
    async with server() as plc:
        path = write_config(tmp_path, device("plc", plc.port))
        async with running(path, wall_ns=wall) as gateway:
            await until(lambda: polls(gateway) >= 5)
        plc.banks[1].put("holding", 10, struct.pack(">I", 5100))
        async with running(path, wall_ns=wall):
            await until(lambda: 0.5e9 < wall() % MINUTE_NS < 30e9)
    record = await lines(tmp_path, "record")
    (meter,) = [line for line in record if line.startswith("meter_1m,")]
    assert "energy_import_inc=100,energy_import_last=5100" in meter
    count = int(re.search(r"energy_import_n=(\d+)i", meter)[1])  # type: ignore[index]
    assert count >= 10, "both runs share the minute"
    (gap,) = events(record, "gap")
    assert "the agent was not running" in gap
    assert ",end=" in gap


async def test_counters_survive_a_kill(tmp_path: Path) -> None:
    write_table(tmp_path)
    wall = near_minute(0.8)
    async with server() as plc:
        path = write_config(tmp_path, device("plc", plc.port))
        killed = Gateway(load_gateway(path), wall_ns=wall)
        task = asyncio.create_task(killed.run())
        await until(lambda: killed.started.is_set() and killed._logs["record"].newest >= 2)
        await until(lambda: wall() % MINUTE_NS > 0.6e9)
        task.cancel()
        with pytest.raises((asyncio.CancelledError, BaseExceptionGroup)):
            await task
        assert not (tmp_path / "data" / "state.json").exists()
        plc.banks[1].put("holding", 10, struct.pack(">I", 5250))
        async with running(path, wall_ns=wall) as gateway:
            await until(lambda: polls(gateway) >= 3)
            (pipeline,) = gateway._desk.pipelines.values()
            assert pipeline.minutes._increment[2] == 250


async def test_an_absent_device_does_not_hold_up_the_others(tmp_path: Path) -> None:
    write_table(tmp_path)
    write_table(tmp_path, "other.csv", ROWS.replace("line1/", "line2/"))
    port = free_port()
    async with server() as plc:
        devices = device("plc", plc.port) + device("late", port, "other.csv")
        path = write_config(tmp_path, devices)
        async with running(path) as gateway:
            await until(lambda: polls(gateway) >= 10)
            async with server(port=port):
                await until(
                    lambda: gateway._desk.tally("late").online and polls(gateway, "late") > 3
                )
                await until(
                    lambda: any(
                        q == 0 and n > 9 for q, n in gateway._desk.tally("late").quality.items()
                    )
                )
    raw, record = await lines(tmp_path, "raw"), await lines(tmp_path, "record")
    assert all(good for _, good in frames(raw))
    late = frames(raw, "late")
    assert all(b - a == TENTH_NS for (a, _), (b, _) in pairwise(late)), "a frame for every slot"
    assert not late[0][1]
    for kind in ("device_lost", "gap"):
        first, last = events(record, kind)
        assert ",end=" not in first
        assert ",end=" in last
        assert first.split('id="')[1].split('"')[0] == last.split('id="')[1].split('"')[0]


async def test_a_reload_loses_nothing_and_refuses_nonsense(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_table(tmp_path)
    write_table(tmp_path, "other.csv", ROWS.replace("line1/", "line2/"))
    caplog.set_level(logging.INFO)
    async with server() as plc, server() as other:
        devices = device("plc", plc.port)
        path = write_config(tmp_path, devices + device("b", other.port, "other.csv"))
        async with running(path) as gateway:
            await until(lambda: polls(gateway, "b") >= 5)
            log_id, digest = gateway._logs["raw"].log_id, gateway.config.digest
            good = path.read_text()
            path.write_text(good.replace("0.3", '"fast"').replace("points.csv", "absent.csv"))
            gateway.reload()
            await until(lambda: "the old config runs on" in caplog.text)
            assert "absent.csv" in caplog.text
            assert "timeout_s: write a number" in caplog.text
            assert gateway.config.digest == digest
            write_table(
                tmp_path,
                "other.csv",
                ROWS.replace("line1/", "line2/")
                + "line2/pot002,pot.mode,holding:20,uint16,1,,,,\n",
            )
            path.write_text(good)
            gateway.reload()
            await until(lambda: gateway.config.digest != digest)
            before = polls(gateway, "b")
            await until(lambda: polls(gateway, "b") >= before + 5)
            assert gateway._logs["raw"].log_id == log_id
    raw, record = await lines(tmp_path, "raw"), await lines(tmp_path, "record")
    for name in ("plc", "b"):
        slots = frames(raw, name)
        assert all(good for _, good in slots)
        gaps = [(b - a) // TENTH_NS for (a, _), (b, _) in pairwise(slots)]
        assert max(gaps) <= (1 if name == "plc" else 20)
    assert any("unit=pot002 mode=" in line for line in raw)
    assert len(events(record, "config_change")) == 1
    digests = set(re.findall(r'config="(\w+)"', "\n".join(raw)))
    assert len(digests) == 2


async def test_metrics_and_health(tmp_path: Path) -> None:
    write_table(tmp_path)
    async with server() as plc:
        path = write_config(tmp_path, device("plc", plc.port))
        async with running(path) as gateway:
            await until(lambda: polls(gateway) >= 5 and gateway._logs["raw"].newest > 0)
            status, metrics = await fetch(gateway.port, "/metrics")
            assert status == 200
            assert 'smelter_device_up{device="plc"} 1' in metrics
            assert re.search(r'smelter_quality_total\{device="plc",quality="good"\} \d\d', metrics)
            assert re.search(r'smelter_lag_seconds_bucket\{device="plc",le="\+Inf"\} \d', metrics)
            assert 'smelter_lag_p99_seconds{device="plc"}' in metrics
            assert 'smelter_batches_unreceipted{stream="raw"}' in metrics
            assert "smelter_process_resident_bytes" in metrics
            names = [line.split()[2] for line in metrics.splitlines() if line.startswith("# TYPE")]
            assert len(names) == len(set(names))
            assert await fetch(gateway.port, "/healthz") == (200, "ok\n")
            assert (await fetch(gateway.port, "/etc/passwd"))[0] == 404
            assert (await fetch(gateway.port, "/metrics", "POST"))[0] == 405


async def fetch(port: int, path: str, method: str = "GET") -> tuple[int, str]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
    writer.close()
    return int(head.split()[1]), body
