"""``smelter browse modbus-tcp://…``: who a device is, from good and from bad answers."""

import asyncio
import csv
import io
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from drivers.config import DeviceConfig
from drivers.identify import Identity, identify
from drivers.model import NonsenseError, UnreachableError
from drivers.points import load_points
from simulators.faults import Fault, Faults
from simulators.modbus import ModbusServer
from simulators.registers import Bank
from tests.servers import free_port

SIMULATED = Identity("Smelter simulator", "ACM-9", "1.2")


def device(address: str, **more: object) -> DeviceConfig:
    given = {"name": "plc", "driver": "modbus-tcp", "address": address, "points": "p.csv"}
    return DeviceConfig.model_validate({**given, "timeout_s": 1.0, **more})


def simulated(*, faults: Sequence[str] = ()) -> ModbusServer:
    bank = Bank(identity=("Smelter simulator", "ACM-9", "1.2"))
    return ModbusServer({3: bank}, faults=Faults([Fault.parse(text) for text in faults]))


async def test_the_simulator_says_who_it_is() -> None:
    async with simulated() as server:
        assert await identify(device(server.address, unit=3)) == SIMULATED
        assert server.statistics.by_function == {43: 1}
        with pytest.raises(UnreachableError, match=r"unit 9 at .*: gateway: target"):
            await identify(device(server.address, unit=9))
    assert server.statistics.writes == 0


@pytest.mark.parametrize("fault", ["garbage", "crossed", "foreign", "echo", "drop", "cut", "stall"])
async def test_no_wrong_answer_is_taken(fault: str) -> None:
    async with simulated(faults=[fault]) as server:
        with pytest.raises((NonsenseError, UnreachableError)):
            await identify(device(server.address, unit=3, timeout_s=0.3))


@asynccontextmanager
async def answering(replies: Sequence[bytes]) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A device that gives these reply PDUs, one after another, to one client."""
    asked: list[bytes] = []
    ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            for reply in replies:
                head = await reader.readexactly(7)
                asked.append(await reader.readexactly(int.from_bytes(head[4:6], "big") - 1))
                writer.write(head[:4] + (len(reply) + 1).to_bytes(2, "big") + head[6:7] + reply)
            await reader.read()
        writer.transport.abort()
        ended.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}", asked
        await ended.wait()


def reply(objects: dict[int, bytes], level: int = 1, more: int = 0) -> bytes:
    body = b"".join(bytes((number, len(text))) + text for number, text in objects.items())
    head = bytes((43, 14, level, 0x82, 0xFF if more else 0, more, len(objects)))
    return head + body


async def test_all_objects_of_the_standards_example_and_beyond_one_reply() -> None:
    """The basic part is the example of the application protocol V1.1b3, 6.21, in two replies."""
    name = b"Company identification"
    replies = [
        reply({0: name}, more=1),
        reply({1: b"Product code XX", 2: b"V2.11"}),
        reply({3: b"http://x", 4: "整流器".encode("gbk")}, 2, more=5),
        reply({5: b"M\x005 ", 6: "一系列".encode()}, 2),
    ]
    async with answering(replies) as (address, asked):
        found = await identify(device(address))
    assert found == Identity(
        name.decode(), "Product code XX", "V2.11", "http://x", "整流器", "M5", "一系列"
    )
    wanted = ["2b0e0100", "2b0e0101", "2b0e0203", "2b0e0205"]
    assert [pdu.hex() for pdu in asked] == wanted


async def test_a_device_without_identification_and_one_that_claims_more_than_it_gives() -> None:
    async with answering([b"\xab\x01"]) as (address, _):
        assert await identify(device(address)) is None
    async with answering([reply({0: b"A", 1: b"B", 2: b"C"}), b"\xab\x03"]) as (address, _):
        assert await identify(device(address)) == Identity("A", "B", "C")


@pytest.mark.parametrize(
    "wrong",
    [
        b"\x2b\x0e\x01",
        b"\x2b\x0d\x01\x01\x00\x00\x00",
        b"\x2b\x0e\x01\x01\x00\x00\x03\x00\x01A",
        b"\x2b\x0e\x01\x01\x00\x00\x01\x00\x09short",
        b"\x03\x02\x00\x00",
    ],
    ids=lambda wrong: wrong.hex(),
)
async def test_broken_answers_are_nonsense(wrong: bytes) -> None:
    async with answering([wrong]) as (address, _):
        with pytest.raises(NonsenseError):
            await identify(device(address))


async def test_a_device_that_promises_more_for_ever_is_asked_a_few_times_only() -> None:
    async with answering([reply({0: b"A"}, more=1)] * 50) as (address, asked):
        assert await identify(device(address)) == Identity("A")
    assert len(asked) == 10


async def smelter(*arguments: str, lang: str = "en") -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", "from drivers.cli import main; main()", "browse", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"SMELTER_LANG": lang, "PYTHONUTF8": "1"},
    )


async def test_the_command_prints_the_identity_and_a_table_to_fill_in(tmp_path: Path) -> None:
    async with simulated() as server:
        said = await smelter(f"modbus-tcp://{server.address}?unit=3")
        zh = await smelter(f"modbus-tcp://{server.address}?unit=3", "--device", "ac1", lang="zh")
    assert said.returncode == 0, said.stderr
    for part in ("vendor: Smelter simulator", "product code: ACM-9", "revision: 1.2"):
        assert part in said.stderr
    assert "Modbus has no address space to browse" in said.stderr
    assert "unit    = 3" in said.stderr
    for part in ("厂商: Smelter simulator", "Modbus 没有可浏览的地址空间", '"points/ac1.csv"'):
        assert part in zh.stderr
    header, example = csv.reader(io.StringIO(said.stdout))
    assert header[:6] == ["equipment", "quantity", "address", "type", "stride", "order"]
    example[0] = example[0].removeprefix("# ")  # what an engineer does first
    with (tmp_path / "p.csv").open("w", newline="") as file:
        csv.writer(file).writerows([header, example])
    assert len(load_points(device(server.address), tmp_path)) == 36


@pytest.mark.parametrize(
    ("url", "code", "answer"),
    [
        ("modbus-rtu://x", 2, "write modbus-tcp://"),
        ("modbus-tcp://127.0.0.1:502?unit=256", 2, "write modbus-tcp://"),
        ("modbus-tcp://127.0.0.1:502?slave=1", 2, "write modbus-tcp://"),
        ("modbus-tcp://127.0.0.1:port", 2, "write host:port"),
        ("modbus-tcp://127.0.0.1:{free}", 1, "cannot reach 127.0.0.1"),
    ],
)
async def test_wrong_use_is_told(url: str, code: int, answer: str) -> None:
    said = await smelter(url.format(free=free_port()))
    assert said.returncode == code
    assert answer in said.stderr
    assert "Traceback" not in said.stderr
