"""Polling real OPC UA servers: values, status codes, arrays, namespaces, chunks, errors."""

import asyncio
import contextlib
import math
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio
from asyncua import ua

from drivers.model import (
    ConfigError,
    NonsenseError,
    Quality,
    UnreachableError,
)
from drivers.opcua.driver import OpcUaDriver
from drivers.opcua.session import ReadOnlyGate, open_session
from tests.drivers.opcua_points import S, device, group_of, point, pots, read
from tests.drivers.opcua_server import URI, Plant, Running, serving, stamped
from tests.servers import free_port

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def plant() -> AsyncIterator[tuple[int, Running]]:
    port = free_port()
    async with serving(Plant(port)) as running:
        yield port, running


def at(name: str) -> str:
    return f"nsu={URI};s={name}"


V = ua.VariantType
NAN = math.nan
TYPES: list[tuple[Any, ua.VariantType, float, Quality]] = [
    (True, V.Boolean, 1.0, Quality.GOOD),
    (False, V.Boolean, 0.0, Quality.GOOD),
    (-7, V.SByte, -7.0, Quality.GOOD),
    (200, V.Byte, 200.0, Quality.GOOD),
    (-30000, V.Int16, -30000.0, Quality.GOOD),
    (60000, V.UInt16, 60000.0, Quality.GOOD),
    (-(2**31), V.Int32, -(2.0**31), Quality.GOOD),
    (2**32 - 1, V.UInt32, 2.0**32 - 1, Quality.GOOD),
    (2**53, V.Int64, 2.0**53, Quality.GOOD),
    (2**53 + 1, V.Int64, NAN, Quality.UNDECODABLE),
    (-(2**53) - 1, V.Int64, NAN, Quality.UNDECODABLE),
    (2**64 - 1, V.UInt64, NAN, Quality.UNDECODABLE),
    (0.5, V.Float, 0.5, Quality.GOOD),
    (4.012, V.Double, 4.012, Quality.GOOD),
    (NAN, V.Double, NAN, Quality.NOT_AVAILABLE),
    (-math.inf, V.Float, NAN, Quality.NOT_AVAILABLE),
    ("4.25", V.String, 4.25, Quality.GOOD),
    (" -1e3 ", V.String, -1000.0, Quality.GOOD),
    ("1_000", V.String, NAN, Quality.UNDECODABLE),
    ("nan", V.String, NAN, Quality.UNDECODABLE),
    ("stopped", V.String, NAN, Quality.UNDECODABLE),
    (b"\x01\x02", V.ByteString, NAN, Quality.UNDECODABLE),
    (ua.LocalizedText("4"), V.LocalizedText, 4.0, Quality.GOOD),
    (datetime(2026, 11, 23, tzinfo=UTC), V.DateTime, 1795392000.0, Quality.GOOD),
    ([1.0, 2.0], V.Double, NAN, Quality.UNDECODABLE),
    (ua.NodeId("x", 1), V.NodeId, NAN, Quality.UNDECODABLE),
    (ua.QualifiedName("x", 1), V.QualifiedName, NAN, Quality.UNDECODABLE),
    (ua.Range(0.0, 1.0), V.ExtensionObject, NAN, Quality.UNDECODABLE),
]


async def test_every_type_becomes_a_number_or_a_reason(plant: tuple[int, Running]) -> None:
    port, running = plant
    for i, (value, kind, _, _) in enumerate(TYPES):
        await running.put(f"t{i}", value, kind)
    group = group_of(*(at(f"t{i}") for i in range(len(TYPES))))
    async with OpcUaDriver((device(port),), (group,)) as driver:
        frame = await read(driver, group)
    for i, (value, kind, expected, quality) in enumerate(TYPES):
        assert Quality(frame.quality[i]) is quality, (value, kind)
        assert frame.values[i] == pytest.approx(expected, abs=0, rel=0, nan_ok=True), (value, kind)


async def test_one_node_of_a_strange_type_does_not_change_the_others(
    plant: tuple[int, Running],
) -> None:
    """The general decoder must give the same as ours: NodeIds make the answer unusual."""
    port, running = plant
    await running.put("strange", ua.NodeId("x", 1), V.NodeId)
    await running.put("matrix", [[1.0, 2.0], [3.0, 4.0]], V.Double)
    plain = group_of(at("Pot003.V"), at("matrix[2]"))
    mixed = group_of(at("Pot003.V"), at("matrix[2]"), at("strange"))
    async with OpcUaDriver((device(port),), (plain, mixed)) as driver:
        first, second = await read(driver, plain), await read(driver, mixed)
    assert first.values.tolist() == [3.0, 3.0]
    assert second.quality.tolist() == [0, 0, Quality.UNDECODABLE]
    assert first.device_ns is not None
    assert second.device_ns is not None
    assert second.values[0] == first.values[0]
    assert second.device_ns[:2].tolist() == first.device_ns.tolist()


STATUS: list[tuple[int, Quality]] = [
    (ua.StatusCodes.Good, Quality.GOOD),
    (ua.StatusCodes.GoodClamped, Quality.GOOD),
    (ua.StatusCodes.GoodLocalOverride, Quality.SUBSTITUTED),
    (ua.StatusCodes.Good | 0x480, Quality.GOOD),
    (ua.StatusCodes.Uncertain, Quality.UNCERTAIN),
    (ua.StatusCodes.UncertainLastUsableValue, Quality.UNCERTAIN),
    (ua.StatusCodes.UncertainSubstituteValue, Quality.SUBSTITUTED),
    (ua.StatusCodes.Bad, Quality.REFUSED),
    (ua.StatusCodes.BadNotReadable, Quality.REFUSED),
    (ua.StatusCodes.BadUserAccessDenied, Quality.REFUSED),
    (ua.StatusCodes.BadNoCommunication, Quality.NO_DATA),
    (ua.StatusCodes.BadWaitingForInitialData, Quality.NO_DATA),
    (ua.StatusCodes.BadDeviceFailure, Quality.DEVICE_FAULT),
    (ua.StatusCodes.BadSensorFailure, Quality.DEVICE_FAULT),
    (ua.StatusCodes.BadOutOfService, Quality.NOT_AVAILABLE),
    (ua.StatusCodes.BadTypeMismatch, Quality.UNDECODABLE),
    (ua.StatusCodes.BadTooManyOperations, Quality.OVERLOAD),
]


async def test_status_codes_become_qualities_and_a_bad_value_never_travels(
    plant: tuple[int, Running],
) -> None:
    port, running = plant
    for i, (status, _) in enumerate(STATUS):
        await running.put(f"s{i}", stamped(4.5, status))
    group = group_of(*(at(f"s{i}") for i in range(len(STATUS))))
    async with OpcUaDriver((device(port),), (group,)) as driver:
        frame = await read(driver, group)
    assert [Quality(q) for q in frame.quality] == [quality for _, quality in STATUS]
    for (status, _), value in zip(STATUS, frame.values, strict=True):
        assert math.isnan(value) == (status >> 30 == 2), hex(status)
    assert "BadNoCommunication: line1/pot0010 pot.voltage" in frame.reason


async def test_good_status_without_a_value_is_not_available(plant: tuple[int, Running]) -> None:
    port, running = plant
    await running.put("empty", ua.DataValue(ua.Variant(None, V.Null)))
    await running.put("nulls", ua.DataValue(ua.Variant([], V.Double, is_array=True)))
    group = group_of(at("empty"), at("nulls[0]"), at("empty[0]"))
    async with OpcUaDriver((device(port),), (group,)) as driver:
        frame = await read(driver, group)
    assert frame.quality.tolist() == [
        Quality.NOT_AVAILABLE,
        Quality.REFUSED,
        Quality.NOT_AVAILABLE,
    ]


async def test_arrays_by_index_read_the_node_once(plant: tuple[int, Running]) -> None:
    port, running = plant
    await running.put("volts", [4.0, 4.1, NAN, 4.3], V.Double)
    await running.put("names", ["7", "x"], V.String)
    await running.put("flags", [True, False], V.Boolean)
    await running.put("name[3]", 9.5, V.Double)  # no array: some servers name their nodes so
    group = group_of(
        *(at(f"volts[{i}]") for i in range(5)),
        at("names[0]"), at("names[1]"), at("flags[0]"), at("name[3]"), at("Pot000.V[0]"),
    )  # fmt: skip
    async with OpcUaDriver((device(port),), (group,)) as driver:
        frame = await read(driver, group)
        assert driver._open is not None
        request = driver._open._requests[group][0]
        assert len(request.Parameters.NodesToRead) == 5
    assert frame.values.tolist()[:2] == [4.0, 4.1]
    assert [Quality(q).name for q in frame.quality] == [
        "GOOD", "GOOD", "NOT_AVAILABLE", "GOOD", "REFUSED", "GOOD", "UNDECODABLE", "GOOD", "GOOD",
        "UNDECODABLE",
    ]  # fmt: skip
    assert frame.values[[5, 7, 8]].tolist() == [7.0, 1.0, 9.5]


async def test_scale_offset_and_codes_for_no_value(plant: tuple[int, Running]) -> None:
    port, running = plant
    await running.put("raw", 4012, V.Int16)
    await running.put("code", 32767, V.Int16)
    await running.put("float", -9999.9, V.Float)
    points = (
        point(0, at("raw"), scale=0.001),
        point(1, at("raw"), scale=2.0, offset=-24.0),
        point(2, at("code"), scale=0.001, not_available=(32767.0, -32768.0)),
        point(3, at("float"), not_available=(-9999.9,)),
        point(4, at("raw"), not_available=(32767.0,)),
    )
    group = pots(0).__class__("dcs", 0.2, points)
    async with OpcUaDriver((device(port),), (group,)) as driver:
        frame = await read(driver, group)
    assert frame.values[[0, 1, 4]].tolist() == [4.012, 8000.0, 4012.0]
    assert frame.quality.tolist() == [0, 0, Quality.NOT_AVAILABLE, Quality.NOT_AVAILABLE, 0]
    assert frame.index is None


async def test_text_quantity(plant: tuple[int, Running]) -> None:
    port, running = plant
    await running.put("serial", "SN-0042", V.String)
    group = group_of(at("serial"), quantity="pot.serial")
    async with OpcUaDriver((device(port),), (group,)) as driver:
        frame = await read(driver, group)
    assert frame.texts == {0: "SN-0042"}
    assert frame.quality.tolist() == [0]


async def test_times_of_the_device_are_kept(plant: tuple[int, Running]) -> None:
    port, running = plant
    then = datetime(2026, 11, 23, 4, 5, 6, 123456, UTC)
    await running.put("old", stamped(1.0, source=then))
    await running.put("none", ua.DataValue(ua.Variant(2.0)))
    group = group_of(at("old"), at("none"))
    async with OpcUaDriver((device(port),), (group,)) as driver:
        slot_ns = time.time_ns()
        frame = await driver.read(group, slot_ns)
    assert frame.device_ns is not None
    assert frame.device_ns.tolist() == [int(then.timestamp()) * S + 123456000, 0]
    assert slot_ns == frame.slot_ns <= frame.read_ns <= time.time_ns()


async def test_a_bad_node_costs_only_itself(plant: tuple[int, Running]) -> None:
    port, _ = plant
    group = group_of(
        at("Pot001.V"), at("nowhere"), at("Pot002.V"), "nsu=urn:other;s=x", "ns=99;s=x",
        "ns=2;s=Pot004.V", "i=2259", f"nsu={URI};g=5f3b2a10-0000-4000-8000-000000000001",
        f"nsu={URI};b=AAEC", f"nsu={URI};i=4000000000",
    )  # fmt: skip
    async with OpcUaDriver((device(port),), (group,)) as driver:
        frame = await read(driver, group)
    assert frame.quality.tolist() == [0, 2, 0, 2, 2, 0, 0, 2, 2, 2]
    assert frame.values[[0, 2, 5, 6]].tolist() == [1.0, 2.0, 4.0, 0.0]
    assert "BadNodeIdUnknown: line1/pot0001 pot.voltage and 4 more" in frame.reason
    assert "namespace urn:other is not on this server" in frame.reason


async def test_namespace_may_move_when_the_server_starts_again() -> None:
    port = free_port()
    group = pots(3)
    async with OpcUaDriver((device(port),), (group,)) as driver:
        async with serving(Plant(port, namespaces=(URI, "urn:b"))):
            assert (await read(driver, group)).values.tolist() == [0.0, 1.0, 2.0]
        with pytest.raises(UnreachableError):
            await read(driver, group)
        async with serving(Plant(port, namespaces=("urn:a", "urn:b", URI))) as running:
            assert running.index == 4
            assert (await read(driver, group)).values.tolist() == [0.0, 1.0, 2.0]


@pytest.mark.parametrize(("asked", "limit", "calls"), [(7, 0, 4), (500, 10, 3), (500, 0, 1)])
async def test_reads_are_chunked(asked: int, limit: int, calls: int) -> None:
    port = free_port()
    async with serving(Plant(port, count=25, read_limit=limit)):
        group = pots(25)
        wanted = device(port, max_nodes_per_read=asked)
        async with OpcUaDriver((wanted,), (group,)) as driver:
            frame = await read(driver, group)
            assert driver._open is not None
            requests = driver._open._requests[group]
    assert len(requests) == calls
    assert frame.values.tolist() == [float(i) for i in range(25)]


async def test_a_server_that_says_too_many_is_asked_for_fewer(
    plant: tuple[int, Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, running = plant
    session = running.server.iserver.isession.__class__
    answer = session.read  # of the server

    async def limited(self: Any, parameters: Any) -> Any:
        if len(parameters.NodesToRead) > 4:
            raise ua.UaStatusCodeError(ua.StatusCodes.BadTooManyOperations)
        return await answer(self, parameters)

    group = pots(10)
    async with OpcUaDriver((device(port),), (group,)) as driver:
        await read(driver, group)
        monkeypatch.setattr(session, "read", limited)
        frame = await read(driver, group)
        assert driver._open is not None
        assert driver._open.read_size <= 4
    assert frame.values.tolist() == [float(i) for i in range(10)]


async def test_nobody_there_is_unreachable_within_the_timeout() -> None:
    group = pots(1)
    async with OpcUaDriver((device(free_port()),), (group,)) as driver:
        with pytest.raises(UnreachableError, match=r"connect opc\.tcp"):
            await read(driver, group)


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"ACKF" + b"\xff" * 60]
)
@pytest.mark.usefixtures("hurried")
async def test_a_server_of_another_protocol_is_an_error_in_time(answer: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        with contextlib.suppress(OSError):
            if not answer:
                await reader.read()  # silent until the client gives up
            writer.close()
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    group = pots(1)
    begin = time.monotonic()
    async with server, OpcUaDriver((device(port),), (group,)) as driver:
        with pytest.raises((UnreachableError, NonsenseError)):
            await read(driver, group)
    assert time.monotonic() - begin < 6


async def test_two_groups_and_two_devices_share_one_session(plant: tuple[int, Running]) -> None:
    port, running = plant
    one, two = pots(2), pots(3)
    devices = (device(port), device(port, name="dcs2"))
    async with OpcUaDriver(devices, (one, two)) as driver:
        await read(driver, one)
        await read(driver, two)
        assert len(running.server.bserver.clients) == 1
    with pytest.raises(ConfigError, match="dcs2: certificate is not that of dcs"):
        OpcUaDriver((devices[0], device(port, name="dcs2", certificate="x.der")), (one,))


async def test_wrong_addresses_are_all_named() -> None:
    group = group_of("Pot001", "nsu=urn:plant;i=x", "ns=2;s=fine", "i=1;s=", "g=12")
    with pytest.raises(ConfigError) as caught:
        OpcUaDriver((device(4840),), (group,))
    problems = caught.value.problems
    assert len(problems) == 4
    assert "nsu=<namespace URI>;s=<name>" in problems[0]
    assert "behind i= belongs a number, not 'x'" in problems[1]


async def test_leaving_ends_the_session_at_the_server(plant: tuple[int, Running]) -> None:
    port, running = plant
    group = pots(2)
    async with OpcUaDriver((device(port),), (group,)) as driver:
        await read(driver, group)
    for _ in range(100):
        if not running.server.bserver.clients:
            break
        await asyncio.sleep(0.02)
    assert not running.server.bserver.clients


async def test_cancelled_read_leaves_nothing_behind(plant: tuple[int, Running]) -> None:
    port, _ = plant
    group = pots(2)
    async with OpcUaDriver((device(port),), (group,)) as driver:
        task = asyncio.create_task(driver.read(group, 1))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await read(driver, group)).values.tolist() == [0.0, 1.0]
    assert len(asyncio.all_tasks()) < 20


async def test_nothing_but_reading_services_can_be_sent(plant: tuple[int, Running]) -> None:
    port, running = plant
    session = await open_session(device(port))
    node = session.client.get_node(running.nodes[0].nodeid)
    for attempt in (node.write_value(1.0), node.delete(), node.call_method("1:x")):
        with pytest.raises(PermissionError, match="never writes"):
            await attempt
    assert await running.nodes[0].read_value() == 0.0
    await session.drop()
    with pytest.raises(PermissionError):
        ReadOnlyGate().observe_request(ua.CallRequest())


async def test_session_channel_is_renewed(plant: tuple[int, Running]) -> None:
    port, _ = plant
    group = pots(2)
    async with OpcUaDriver((device(port),), (group,)) as driver:
        await read(driver, group)
        assert driver._open is not None
        session = driver._open.session
        token = session.client.uaclient.protocol._connection.security_token.TokenId
        session._renewed_s -= 0.8 * session.client.secure_channel_timeout / 1000
        assert (await read(driver, group)).values.tolist() == [0.0, 1.0]
        renewed = session.client.uaclient.protocol._connection.security_token.TokenId
        assert renewed != token
        assert (await read(driver, group)).values.tolist() == [0.0, 1.0]
