"""Simulated devices count each request; a session in which one was written to fails."""

import ast
import asyncio
import os
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
from asyncua import Client, ua

from simulators import counting
from simulators.hj212 import Packet
from simulators.modbus import ModbusServer
from simulators.registers import Bank
from simulators.serial_line import SerialLine
from tests.drivers.opcua_server import Plant, serving
from tests.servers import free_port

ROOT = Path(__file__).resolve().parent.parent.parent
WRITER = """
import asyncio
from pymodbus.client import AsyncModbusTcpClient
from simulators.modbus import ModbusServer
from simulators.registers import Bank

async def test_something():
    async with ModbusServer({1: Bank(holding=4)}) as server:
        client = AsyncModbusTcpClient("127.0.0.1", port=server.port)
        await client.connect()
        await client.read_holding_registers(0, count=1)
        CALL
        client.close()
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Counts of this test alone: the session's are not touched."""
    monkeypatch.setattr(counting, "_BOOK", counting._Book())
    monkeypatch.setattr(counting, "flush", counting._BOOK.flush)
    monkeypatch.setenv(counting.FOLDER, str(tmp_path))
    return tmp_path


def ask(unit: int, pdu: bytes) -> bytes:
    return b"\0\1\0\0" + (len(pdu) + 1).to_bytes(2, "big") + bytes((unit,)) + pdu


async def say(port: int, frame: bytes, tls: ssl.SSLContext | None = None) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls)
    writer.write(frame)
    await reader.read(5)
    writer.close()


async def test_every_modbus_simulator_counts_by_function(folder: Path) -> None:
    bank = Bank(holding=4)
    async with ModbusServer({1: bank}) as tcp, ModbusServer({1: bank}, framing="rtu") as rtu:
        for function in (3, 4, 6, 16, 43, 90):
            await say(tcp.port, ask(1, bytes((function, 0, 0, 0, 1))))
        await say(rtu.port, bytes.fromhex("010600010002 59cb"))
    heard = counting.total(folder)
    assert heard.requests["modbus 3"] == heard.requests["modbus 43"] == 1
    assert heard.requests["modbus 6"] == 2
    assert heard.writes == {"modbus 6": 2, "modbus 16": 1, "modbus 90": 1}


async def test_the_serial_line_counts(folder: Path) -> None:
    async with SerialLine({1: Bank(holding=4)}) as line:
        fd = os.open(line.path, os.O_RDWR | os.O_NOCTTY)
        os.write(fd, bytes.fromhex("010600010002 59cb"))
        async with asyncio.timeout(20):
            while not line.statistics.writes:  # noqa: ASYNC110 - the device reads in this loop
                await asyncio.sleep(0.01)
        os.close(fd)
    assert counting.total(folder).writes == {"modbus 6": 1}


async def test_opcua_counts_by_service(folder: Path) -> None:
    port = free_port()
    url = f"opc.tcp://127.0.0.1:{port}"
    async with serving(Plant(port, count=2)) as running, Client(url) as client:
        node = client.get_node(running.nodes[0].nodeid)
        await node.read_value()
        with pytest.raises(ua.UaStatusCodeError):
            await node.write_value(5.0)
        with pytest.raises(ua.UaStatusCodeError):
            await client.nodes.objects.call_method(ua.NodeId(99, 1))
    heard = counting.total(folder)
    assert heard.requests["opcua CreateSession"] == 1
    assert heard.requests["opcua Read"] >= 1
    assert heard.writes == {"opcua Write": 1, "opcua Call": 1}


def test_hj212_counts_what_is_not_a_question() -> None:
    from simulators.cems_logger import READING

    assert not READING & {"1000", "1012", "1062", "1064", "1072", "3011", "3012", "3015", "3020"}
    assert Packet("1012").cn not in READING


def test_a_killed_process_leaves_its_writes(tmp_path: Path) -> None:
    code = (
        "import os, signal\nfrom simulators.counting import heard\n"
        "heard('modbus', 3, writes=False)\nheard('modbus', 6, writes=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    environment = {**os.environ, counting.FOLDER: str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT, env=environment)
    heard = counting.total(tmp_path)
    assert heard.writes == {"modbus 6": 1}
    assert heard.requests["modbus 3"] == 1


@pytest.mark.parametrize(
    ("call", "code", "told"),
    [
        ("await client.write_register(0, 1)", 1, "WRITE: modbus 6, 1 times"),
        ("await client.read_coils(0, count=1)", 0, "2 requests (modbus 1 1, modbus 3 1); 0 writes"),
    ],
)
def test_a_session_that_writes_fails(tmp_path: Path, call: str, code: int, told: str) -> None:
    """A whole pytest session of its own, with this repository's conftest."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "conftest.py").write_text("from tests.conftest import *  # noqa: F403\n")
    (tmp_path / "tests" / "test_it.py").write_text(WRITER.replace("CALL", call))
    environment = {k: v for k, v in os.environ.items() if k != counting.FOLDER}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c"]
    command += [str(ROOT / "pyproject.toml"), str(tmp_path / "tests" / "test_it.py")]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert "1 passed" in done.stdout, done.stdout + done.stderr
    assert told in done.stdout
    assert done.returncode == code


def test_nothing_that_may_write_on_purpose_is_the_product() -> None:
    """Tests of the simulators are counted apart, so no driver may be among them."""
    for path in (ROOT / "tests" / "simulators").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [each.name for each in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                assert not name.startswith(("drivers.modbus", "drivers.opcua", "drivers.hj212"))
                assert not name.startswith(("agent.edge", "agent.setup")), path
    own = [
        path.name
        for path in sorted((ROOT / "tests").rglob("*.py"))
        if "on_purpose()" in path.read_text("utf-8") and "read_only" not in path.parts
    ]
    assert own == ["conftest.py"]
