"""``smelter agent run`` as systemd sees it: a process, its signals, its words, its size."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.agent.small_plant import device, lines, server, write_config, write_table
from tests.servers import free_port

PROGRAM = "from drivers.cli import main; main()"


@contextmanager
def manager(path: Path) -> Iterator[socket.socket]:
    """The socket on which systemd would listen."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(path))
        listener.settimeout(10)
        yield listener


def start(config: Path, notify: Path, **more: str) -> "subprocess.Popen[bytes]":
    with (config.parent / "agent.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-c", PROGRAM, "agent", "run", str(config)],
            stderr=log,
            stdout=log,
            env=os.environ | {"NOTIFY_SOCKET": str(notify)} | more,
        )


def words(listener: socket.socket, wanted: str) -> list[str]:
    """What was said until ``wanted`` came."""
    heard: list[str] = []
    while not heard or not heard[-1].startswith(wanted):
        heard.append(listener.recv(4096).decode())
    return heard


async def test_ready_reloading_watchdog_stopping(tmp_path: Path) -> None:
    write_table(tmp_path)
    async with server() as plc:
        config = write_config(tmp_path, device("plc", plc.port))
        with manager(tmp_path / "notify") as listener:
            begun_s = time.monotonic()
            process = start(
                config, tmp_path / "notify", WATCHDOG_USEC="1000000", JOURNAL_STREAM="8:1"
            )
            try:
                words(listener, "READY=1")
                assert time.monotonic() - begun_s < 8, "goal 1.5 s; the machine may be busy"
                words(listener, "WATCHDOG=1")
                good = config.read_text()
                config.write_text("plant = 3")
                process.send_signal(signal.SIGHUP)
                assert "MONOTONIC_USEC=" in words(listener, "RELOADING=1")[-1]
                words(listener, "READY=1")
                config.write_text(good)
                process.send_signal(signal.SIGTERM)
                words(listener, "STOPPING=1")
                assert process.wait(10) == 0
            finally:
                process.kill()
                process.wait()
    log = (tmp_path / "agent.log").read_text()
    assert "<6>agent.edge.gateway: running plant=demo gateway=gw1" in log
    assert "<3>agent.edge.gateway: new config refused: gateway.toml" in log
    assert "Traceback" not in log
    record = await lines(tmp_path, "record")
    assert [line for line in record if "kind=stop" in line]


async def test_a_bad_config_ends_with_2_and_an_absent_one_too(tmp_path: Path) -> None:
    config = tmp_path / "gateway.toml"
    for text in ("plant = 3", None):
        if text:
            config.write_text(text)
        else:
            config.unlink()
        process = start(config, tmp_path / "none")
        assert process.wait(20) == 2
    assert "Traceback" not in (tmp_path / "agent.log").read_text()


def test_nothing_heavy_is_loaded_for_modbus() -> None:
    heavy = ["asyncua", "pyarrow", "duckdb", "ibis", "influxdb_client", "rich", "cryptography"]
    code = (
        "import sys, agent.commands, agent.edge.gateway, drivers.modbus.driver\n"
        f"print(sorted(set({heavy}) & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_read_prints_one_poll(tmp_path: Path, language: str) -> None:
    write_table(tmp_path)
    async with server() as plc:
        config = write_config(tmp_path, device("plc", plc.port))
        code, out = await run("read", str(config), language=language)
        assert code == 0
        assert "4.25" in out
        assert ("槽电压" if language == "zh" else "pot voltage") in out
        code, out = await run("read", str(config), "--json", language=language)
        values = json.loads(out)[0]["values"]
        assert [v["value"] for v in values] == [4.25, 350.0, 5000.0]
        code, out = await run("read", str(config), "--device", "nobody", language=language)
        assert code == 2
    dead = write_config(tmp_path, device("plc", free_port()))
    code, out = await run("read", str(dead), language=language)
    assert code == 1


async def run(*arguments: str, language: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PROGRAM,
        "agent",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=os.environ | {"SMELTER_LANG": language, "COLUMNS": "200"},
    )
    out, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode()
