"""The simulated Modbus devices against pymodbus and against raw bytes."""

import asyncio
import struct
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus import FramerType
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ModbusIOException
from pymodbus.pdu.mei_message import ReadDeviceInformationResponse

from simulators.faults import LINE_FAULTS, Fault, Faults
from simulators.modbus import ModbusServer
from simulators.pdu import answer, crc16
from simulators.registers import Bank, encode
from simulators.serial_line import SerialLine


def bank() -> Bank:
    made = Bank(holding=200, input=50, coil=40, discrete=10, holes=frozenset({("holding", 150)}))
    made.put("holding", 0, struct.pack(">20H", *range(100, 120)))
    made.put_value("holding", 30, 4.0125, "float32")
    made.put_value("holding", 32, 4.0125, "float32", "CDAB")
    made.put_value("input", 3, -5, "int16")
    made.put_value("coil", 9, 1, "bool")
    made.put_value("discrete", 2, 1, "bool")
    return made


@pytest.fixture
async def tcp() -> AsyncIterator[ModbusServer]:
    async with ModbusServer({1: bank()}, faults=Faults(seed=5)) as server:
        yield server


async def raw(server: ModbusServer, *requests: bytes, want: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    for request in requests:
        writer.write(request)
    try:
        return await asyncio.wait_for(reader.readexactly(want), 2)
    finally:
        writer.close()


def ask(address: int, count: int, *, tid: int = 7, unit: int = 1, function: int = 3) -> bytes:
    return struct.pack(">HHHBBHH", tid, 0, 6, unit, function, address, count)


async def test_pymodbus_reads_every_area(tcp: ModbusServer) -> None:
    client = AsyncModbusTcpClient("127.0.0.1", port=tcp.port)
    assert await client.connect()
    words = await client.read_holding_registers(0, count=20)
    assert words.registers == list(range(100, 120))
    swapped = await client.read_holding_registers(30, count=4)
    assert swapped.registers[:2] == swapped.registers[:1:-1]
    assert client.convert_from_registers(
        swapped.registers[:2], client.DATATYPE.FLOAT32
    ) == pytest.approx(4.0125, rel=1e-7)
    inputs = await client.read_input_registers(3, count=1)
    assert inputs.registers == [65531]
    assert (await client.read_coils(8, count=3)).bits[:3] == [False, True, False]
    assert (await client.read_discrete_inputs(2, count=1)).bits[0] is True
    client.close()
    assert tcp.statistics.requests == 5
    assert tcp.statistics.writes == 0


async def test_exceptions(tcp: ModbusServer) -> None:
    client = AsyncModbusTcpClient("127.0.0.1", port=tcp.port)
    await client.connect()
    for address, count in ((199, 2), (149, 2), (150, 1)):
        assert (await client.read_holding_registers(address, count=count)).exception_code == 2
    assert not (await client.read_holding_registers(151, count=49)).isError()
    assert (await client.read_holding_registers(0, count=1, device_id=9)).exception_code == 11
    client.close()
    over = await raw(tcp, ask(0, 126), want=9)
    assert over[7:] == bytes((0x83, 3))


async def test_writes_are_refused_and_counted(tcp: ModbusServer) -> None:
    client = AsyncModbusTcpClient("127.0.0.1", port=tcp.port)
    await client.connect()
    assert (await client.write_register(0, 5)).exception_code == 1
    assert (await client.write_registers(0, [5, 6])).exception_code == 1
    assert (await client.write_coil(0, value=True)).exception_code == 1
    assert (await client.write_coils(0, [True])).exception_code == 1
    assert (await client.mask_write_register(address=0)).exception_code == 1
    assert (await client.read_holding_registers(0, count=1)).registers == [100]
    client.close()
    assert tcp.statistics.writes == 5


async def test_identification(tcp: ModbusServer) -> None:
    client = AsyncModbusTcpClient("127.0.0.1", port=tcp.port)
    await client.connect()
    found = await client.read_device_information(read_code=1)
    assert isinstance(found, ReadDeviceInformationResponse)
    assert found.information == {0: b"Simulated", 1: b"SIM-1", 2: b"1.0"}
    client.close()


async def test_pipelined_and_torn_segments(tcp: ModbusServer) -> None:
    both = await raw(tcp, ask(0, 1, tid=1) + ask(1, 1, tid=2), want=22)
    assert both[:2] + both[9:11] == bytes((0, 1, 0, 100))
    assert both[11:13] + both[20:] == bytes((0, 2, 0, 101))
    request = ask(2, 1)
    assert (await raw(tcp, request[:3], request[3:], want=11))[9:] == bytes((0, 102))


async def test_garbage_ends_the_connection(tcp: ModbusServer) -> None:
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await raw(tcp, b"GET / HTTP/1.1\r\n\r\n", want=1)
    assert tcp.statistics.bad_frames == 1


async def test_rtu_over_tcp_units_and_silence() -> None:
    other = Bank(holding=4)
    other.put_value("holding", 0, 7, "uint16")
    async with ModbusServer({11: bank(), 12: other}, framing="rtu") as server:
        client = AsyncModbusTcpClient(
            "127.0.0.1", port=server.port, framer=FramerType.RTU, timeout=0.2, retries=0
        )
        await client.connect()
        first = await client.read_holding_registers(0, count=2, device_id=11)
        assert first.registers == [100, 101]
        assert (await client.read_holding_registers(0, count=1, device_id=12)).registers == [7]
        assert (await client.write_registers(0, [1, 2], device_id=12)).exception_code == 1
        with pytest.raises(ModbusIOException):
            await client.read_holding_registers(0, count=1, device_id=13)
        client.close()
        assert server.statistics.writes == 1


async def test_serial_line() -> None:
    async with SerialLine({3: bank()}) as line:
        client = AsyncModbusSerialClient(line.path, baudrate=19200, timeout=1, retries=0)
        assert await client.connect()
        for _ in range(3):
            words = await client.read_holding_registers(0, count=20, device_id=3)
            assert words.registers == list(range(100, 120))
        client.close()
    assert line.statistics.requests == 3


async def test_connection_limit_and_rates() -> None:
    async with ModbusServer({1: bank()}, max_connections=1) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        for _ in range(50):
            writer.write(ask(0, 1))
        await reader.readexactly(50 * 11)
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await raw(server, ask(0, 1), want=11)
        writer.close()
        assert server.statistics.refused_connections == 1
        assert server.statistics.requests == 50
        assert 25 <= server.statistics.max_requests_per_s <= 50


@pytest.mark.parametrize("name", sorted(set(LINE_FAULTS) - {"crc"}))
async def test_line_faults_on_tcp(tcp: ModbusServer, name: str) -> None:
    """Raw bytes of every fault: what an opponent would see on the wire."""
    amount = {"late": 0.05, "split": 0.02}.get(name)
    good = await raw(tcp, ask(0, 3), want=15)
    tcp.faults.add(Fault(name, amount=amount))
    reader, writer = await asyncio.open_connection("127.0.0.1", tcp.port)
    writer.write(ask(0, 3))
    await asyncio.sleep(0.15)
    writer.write_eof()
    try:
        seen = await asyncio.wait_for(reader.read(), 1)
    except ConnectionResetError:
        seen = b""
    writer.close()
    expected = {
        "drop": b"",
        "stall": b"",
        "late": good,
        "split": good,
        "stale": good,
        "echo": ask(0, 3),
        "cut": good[:7],
        "exception": good[:4] + bytes((0, 3, 1, 0x83, 4)),
        "short": good[:4] + bytes((0, 7, 1, 3, 4)) + good[9:13],
        "crossed": bytes((good[0] ^ 0x5A, good[1] ^ 0x5A)) + good[2:],
        "foreign": good[:6] + bytes((2,)) + good[7:],
    }
    if name == "garbage":
        assert len(seen) == len(good)
        assert seen != good
    else:
        assert seen == expected[name]
    assert tcp.faults.applied[name] == 1
    tcp.faults.remove(name)
    assert await raw(tcp, ask(0, 3), want=15) == good


async def test_crc_fault() -> None:
    async with ModbusServer({1: bank()}, framing="rtu", faults=Faults([Fault("crc")])) as server:
        body = bytes((1, 3, 0, 0, 0, 1))
        reply = await raw(server, body + crc16(body), want=7)
        assert crc16(reply[:-2]) != reply[-2:]


def test_fault_text() -> None:
    fault = Fault.parse("late:cems@30+60%25=0.8")
    assert fault == Fault("late", "cems", 30, 90, 0.25, 0.8)
    assert Fault.parse("link_lost:line1/pot003").target == "line1/pot003"
    for wrong in ("", "late now", "explode:cems"):
        with pytest.raises(ValueError, match="fault"):
            Fault.parse(wrong)


def test_schedule_and_share() -> None:
    now = [0.0]
    faults = Faults([Fault("stall", "plc", 10, 20, 0.5)], seed=1, clock=lambda: now[0])
    assert faults.of_request("plc") is None
    now[0] = 15
    hits = sum(faults.of_request("plc", "plc/1") is not None for _ in range(1000))
    assert 420 < hits < 580
    assert faults.of_request("other") is None
    now[0] = 20
    assert faults.of_request("plc") is None


def test_torn_words_come_from_the_tick_before() -> None:
    made = Bank(holding=4)
    made.put_value("holding", 0, 0x0001FFFF, "uint32")
    made.tick()
    made.put_value("holding", 0, 0x00020000, "uint32")
    assert made.registers("holding", 0, 2) == bytes((0, 2, 0, 0))
    made.torn = True
    assert made.registers("holding", 0, 2) == bytes((0, 2, 0xFF, 0xFF))


def test_crc_known_vector() -> None:
    assert crc16(bytes.fromhex("010300000001")) == bytes.fromhex("840a")


@given(st.binary(min_size=1, max_size=20))
def test_any_request_gets_a_wellformed_answer(pdu: bytes) -> None:
    reply = answer(bank(), pdu)
    assert reply[0] & 0x7F == pdu[0] & 0x7F
    assert len(reply) <= 253


@given(st.floats(width=32, allow_nan=False), st.sampled_from(["ABCD", "CDAB", "BADC", "DCBA"]))
def test_float_orders(value: float, order: str) -> None:
    data = encode(value, "float32", order)[0].tobytes()
    names = dict(zip(order, data, strict=True))
    assert struct.unpack(">f", bytes(names[letter] for letter in "ABCD"))[0] == value


@given(st.integers(-(2**31), 2**31 - 1))
def test_integers_wrap_and_round(value: int) -> None:
    assert encode(value, "int32")[0].tobytes() == struct.pack(">i", value)
    assert encode(value, "uint16")[0].tobytes() == struct.pack(">H", value % 65536)


def test_missing_integers() -> None:
    assert encode(float("nan"), "int16")[0].tobytes() == b"\x80\x00"
    assert encode(float("nan"), "uint32")[0].tobytes() == b"\xff\xff\xff\xff"
