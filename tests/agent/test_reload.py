"""Reload under load: unchanged lines are not interrupted, nothing is ignored in silence."""

import asyncio
import logging
from dataclasses import fields
from itertools import pairwise
from pathlib import Path

import pytest

from agent.edge import reload
from agent.edge.config import GatewayConfig
from agent.edge.gateway import Gateway
from tests.agent.small_plant import ROWS, device, lines, running, server, write_config, write_table
from tests.agent.test_gateway import events, frames, near_minute, polls, until

TENTH_NS = 10**8
PAUSE_NS = 2 * 10**9  # A17: an unchanged device is not seen for so long at most


def config(folder: Path, ports: tuple[int, int], more: str = "", interval: float = 0.1) -> Path:
    changing = device("changing", ports[1], "other.csv")
    changing = changing.replace("interval_s = 0.1", f"interval_s = {interval}")
    return write_config(folder, device("plc", ports[0]) + changing + more)


async def reloaded(gateway: Gateway, caplog: pytest.LogCaptureFixture, times: int = 1) -> None:
    def told() -> int:
        said = ("reloaded config", "the old config runs")
        return sum(any(text in record.getMessage() for text in said) for record in caplog.records)

    before = told()
    gateway.reload()
    await until(lambda: told() >= before + times, 60)


async def test_unchanged_lines_go_on_while_others_change(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    write_table(tmp_path)
    write_table(tmp_path, "other.csv", ROWS.replace("line1/", "line2/"))
    async with server() as steady, server() as changing:
        ports = steady.port, changing.port
        path = config(tmp_path, ports)
        async with running(path) as gateway:
            await until(lambda: polls(gateway) >= 5, 60)
            logs = [log.log_id for log in gateway._logs.values()]
            spool = gateway._logs["record"].newest
            for interval in (0.2, 0.5, 0.1, 0.2):
                config(tmp_path, ports, interval=interval)
                await reloaded(gateway, caplog)
                await until(lambda: polls(gateway, "changing") >= 1, 60)
            write_table(tmp_path, "other.csv", ROWS.replace("line1/", "line3/"))
            await reloaded(gateway, caplog)
            write_config(tmp_path, device("plc", steady.port))
            await reloaded(gateway, caplog)
            config(tmp_path, ports)
            await reloaded(gateway, caplog)
            await until(lambda: polls(gateway, "changing") >= 3, 60)
            assert [log.log_id for log in gateway._logs.values()] == logs
            assert gateway._logs["record"].newest >= spool
        assert steady.statistics.connections == 1, "the line of an unchanged device stays"
    raw, record = await lines(tmp_path, "raw"), await lines(tmp_path, "record")
    slots = [slot for slot, _ in frames(raw)]
    assert all((b - a) % TENTH_NS == 0 for a, b in pairwise(slots))
    good = [slot for slot, fine in frames(raw) if fine]
    assert max(b - a for a, b in pairwise(good)) <= PAUSE_NS
    assert len(events(record, "config_change")) == 7
    assert "changed: device" in record[-1] + "".join(events(record, "config_change"))


def test_every_section_takes_effect_or_needs_a_restart() -> None:
    told = {*reload.NEEDS_RESTART, *reload.AT_ONCE}
    elsewhere = {"path", "lines", "digest", "broker_key"}  # lines: [[device]]; the key: of [mqtt]
    assert {field.name for field in fields(GatewayConfig)} == told | elsewhere


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (b"plant = ", "gateway.toml"),
        (b"\xff\xfe\x00broken", "gateway.toml"),
        (None, "gateway.toml"),
        (b'plant = "other"', "plant"),
    ],
    ids=["syntax", "bytes", "gone", "moved"],
)
async def test_a_bad_config_is_refused_and_the_old_one_runs(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, broken: bytes | None, said: str
) -> None:
    caplog.set_level(logging.INFO)
    write_table(tmp_path)
    async with server() as plc:
        path = write_config(tmp_path, device("plc", plc.port))
        async with running(path) as gateway:
            await until(lambda: polls(gateway) >= 3, 60)
            await asyncio.to_thread(spoil, path, broken)
            await reloaded(gateway, caplog)
            at = polls(gateway)
            await until(lambda: polls(gateway) >= at + 3, 60)
        assert plc.statistics.connections == 1
    told = [record.getMessage() for record in caplog.records]
    assert any("new config refused" in text and said in text for text in told), told
    assert any("the old config runs" in text for text in told)


def spoil(path: Path, broken: bytes | None) -> None:
    if broken is None:
        path.unlink()
    elif broken.startswith(b'plant = "'):
        path.write_text(path.read_text().replace('plant = "demo"', broken.decode()))
    else:
        path.write_bytes(broken)


async def test_sections_take_effect_or_are_refused_by_name(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    write_table(tmp_path)
    async with server() as plc:
        path = write_config(tmp_path, device("plc", plc.port))
        first = path.read_text()
        async with running(path, wall_ns=near_minute(30)) as gateway:
            await until(lambda: polls(gateway) >= 3, 60)
            publishing = gateway._publishing
            path.write_text(
                first.replace("batch_interval_s = 0.1", "batch_interval_s = 0.2\nraw_days = 7")
                .replace("mqtt://127.0.0.1", "mqtt://localhost")
                .replace("[health]", "[pots]\nanode_effect_v = 9.0\n[health]")
            )
            await reloaded(gateway, caplog)
            assert gateway._publishing is not publishing
            files = gateway._logs["raw"]._files
            assert files is not None
            assert files.keep_ns == 7 * 86_400 * 10**9
            assert gateway._desk.pots is not None
            told = [record.getMessage() for record in caplog.records]
            assert any("changed: mqtt, log, pots" in text for text in told), told
            for table, name in (
                ("[evidence]\ncheckpoint_s = 30.0\n", "evidence"),
                ('[health]\nlisten = "127.0.0.1:1"\n', "health"),
            ):
                base = first.replace('[health]\nlisten = "127.0.0.1:0"\n', "")
                where = base.index("[[device]]")
                path.write_text(base[:where] + table + base[where:])
                before = len(caplog.records)
                await reloaded(gateway, caplog)
                said = " ".join(record.getMessage() for record in caplog.records[before:])
                assert name in said, said
                assert "restart" in said or "重启" in said
