"""``smelter browse`` against real servers; its table must load as it is."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from asyncua import Server, ua

from drivers.opcua.browse import describe, walk
from drivers.opcua.certificates import create_certificate, fingerprint, load_certificate
from drivers.opcua.driver import OpcUaDriver
from drivers.opcua.guess import guess
from drivers.opcua.session import open_session
from drivers.points import group_points, load_points
from tests.drivers.opcua_points import device, read
from tests.drivers.opcua_server import Plant, serving
from tests.servers import free_port

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(
    ("path", "equipment", "quantity"),
    [
        ("line1/pot001/voltage", "line1/pot001", "pot.voltage"),
        ("Plant/line1/Pot001/SetVoltage", "line1/Pot001", "pot.set_voltage"),
        ("line1/pot001/槽电压", "line1/pot001", "pot.voltage"),
        ("line1/pot001/低频噪声", "line1/pot001", "pot.noise_lf"),
        ("一车间/1号槽/槽电压", None, "pot.voltage"),
        ("line1/ac1/active energy import", "line1/ac1", "meter.energy_import"),
        ("gtc1/stack1/stack.so2", "gtc1/stack1", "stack.so2"),
        ("line1/xyz/voltage", "line1/xyz", None),
        ("line1.pot001.voltage", "line1/pot001", "pot.voltage"),
        ("something", None, None),
    ],
)
async def test_guess(path: str, equipment: str | None, quantity: str | None) -> None:
    found = guess(path.split("/"))
    assert (str(found.equipment) if found.equipment else None) == equipment
    assert (found.quantity.name if found.quantity else None) == quantity


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def port() -> AsyncIterator[int]:
    """Areas, equipment, an array, labels in Chinese, units, a cycle, a string, a method."""
    number = free_port()
    async with serving(Plant(number, count=0)) as running:
        await _build(running.server, running.index)
        yield number


async def _build(server: Server, index: int) -> None:
    def name(text: str) -> tuple[ua.NodeId, ua.QualifiedName]:
        return ua.NodeId(text, index), ua.QualifiedName(text.rpartition("/")[2], index)

    line = await server.nodes.objects.add_folder(*name("line1"))
    for unit in ("pot001", "pot002"):
        pot = await line.add_folder(*name(f"line1/{unit}"))
        volts = await pot.add_variable(*name(f"line1/{unit}/voltage"), 4.012)
        units = ua.EUInformation("urn:u", 1, ua.LocalizedText("V"), ua.LocalizedText("volt"))
        await volts.add_property(0, "EngineeringUnits", units)
        about = ua.DataValue(ua.Variant(ua.LocalizedText("cell voltage,\n filtered")))
        await volts.write_attribute(ua.AttributeIds.Description, about)
        await pot.add_variable(*name(f"line1/{unit}/电解质温度"), 955.5)
        await pot.add_variable(*name(f"line1/{unit}/operator"), "Zhang")
        await pot.add_reference(line.nodeid, ua.ObjectIds.HasComponent)  # a cycle
    series = await line.add_object(*name("line1/series"))
    await series.add_variable(*name("line1/series/volts"), [4.0, 4.1, 4.2])
    bad = await series.add_variable(*name("line1/series/current"), 400.0)
    await bad.write_value(
        ua.DataValue(StatusCode=ua.StatusCode(ua.UInt32(ua.StatusCodes.BadSensorFailure)))
    )
    await series.add_variable(ua.NodeId(4711, index), ua.QualifiedName("by number", index), 1)


def run(*arguments: str, lang: str = "en") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "SMELTER_LANG": lang, "COLUMNS": "200"}
    command = [sys.executable, "-c", "from drivers.cli import main; main()", "browse", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, env=environment
    )


async def smelter(*arguments: str, lang: str = "en") -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(run, *arguments, lang=lang)


async def test_table_loads_as_it_is_and_reads(port: int, tmp_path: Path) -> None:
    table = tmp_path / "points.csv"
    done = await smelter(f"opc.tcp://127.0.0.1:{port}", "--out", str(table), "--device", "dcs")
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert table.read_bytes().startswith(b"\xef\xbb\xbf"), "a BOM, so that Excel shows Chinese"
    points = load_points(device(port), tmp_path)
    assert {point.id for point in points} == {
        f"line1/{unit} pot.{field}"
        for unit in ("pot001", "pot002")
        for field in ("voltage", "bath_temperature")
    }
    (group,) = group_points(points)
    async with OpcUaDriver((device(port),), (group,)) as driver:
        frame = await read(driver, group)
    assert sorted(frame.values.tolist()) == [4.012, 4.012, 955.5, 955.5]
    assert 'points  = "points/dcs.csv"' in done.stderr
    assert "9 variables; 4 with a guessed" in done.stderr


async def test_rows_say_type_value_path_unit_and_description(port: int) -> None:
    done = await smelter(f"opc.tcp://127.0.0.1:{port}", lang="zh")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("equipment,quantity,address,type,")
    volts = next(line for line in lines if "pot001/voltage" in line)
    assert volts.startswith("line1/pot001,pot.voltage,nsu=urn:plant;s=line1/pot001/voltage,")
    assert "Double 4.012 V; line1/pot001/voltage; cell voltage, filtered" in volts
    array = next(line for line in lines if "volts" in line)
    assert array.startswith("# line1/series,,nsu=urn:plant;s=line1/series/volts[0],")
    assert "Double [0] to [2]" in array
    assert "BadSensorFailure" in next(line for line in lines if "series/current" in line)
    number = next(line for line in lines if "by number" in line)
    assert "nsu=urn:plant;i=4711" in number
    assert "9 个变量，其中 4 个" in done.stderr


async def test_walk_is_bounded_and_meets_each_node_once(port: int) -> None:
    session = await open_session(device(port))
    try:
        everything = await walk(session)
        assert len({found.node for found in everything.variables}) == 9
        assert len(everything.variables) == 9
        assert not everything.cut
        assert (await walk(session, most=5)).cut == "stopped at 5 nodes"
        assert (await walk(session, depth=1)).cut == "stopped at level 1"
        below = await walk(session, "nsu=urn:plant;s=line1/pot002")
        assert len(below.variables) == 9, "the cycle leads to the rest of the line"
        session.limits["browse"] = session.limits["read"] = 1
        assert (await walk(session)).variables == everything.variables
        assert len(list(await describe(session, everything))) == 9
        with pytest.raises(LookupError):
            await walk(session, "nsu=urn:none;s=x")
    finally:
        await session.drop()


async def test_wrong_use_is_told_in_plain_words(port: int) -> None:
    url = f"opc.tcp://127.0.0.1:{port}"
    wrong = await smelter(url, "--root", "line1")
    assert wrong.returncode == 2
    assert "--root: 'line1' is no OPC UA node id" in wrong.stderr
    half = await smelter(url, "--security", "Basic256Sha256")
    assert half.returncode == 2
    assert "needs server_certificate" in half.stderr
    nobody = await smelter(f"opc.tcp://127.0.0.1:{free_port()}")
    assert nobody.returncode == 1
    assert "connect opc.tcp" in nobody.stderr
    assert "Traceback" not in wrong.stderr + half.stderr + nobody.stderr
    helped = await smelter("--help", lang="zh")
    assert "服务器证书" in helped.stdout


async def test_certificate_is_fetched_and_then_pinned(tmp_path: Path) -> None:
    number = free_port()
    certificate, key = create_certificate(tmp_path, "server", "plc", server=True)
    ours, our_key = create_certificate(tmp_path, "client", "gw1")
    shown = Plant(
        number,
        count=3,
        certificate=str(certificate),
        key=str(key),
        policies=("Aes256Sha256RsaPss_SignAndEncrypt",),
    )
    url = f"opc.tcp://127.0.0.1:{number}"
    pinned = tmp_path / "plc.der"
    async with serving(shown):
        fetched = await smelter(url, "--save-server-certificate", str(pinned))
        assert fetched.returncode == 0, fetched.stderr
        assert pinned.read_bytes() == certificate.read_bytes()
        assert fingerprint(load_certificate(certificate)) in fetched.stderr
        done = await smelter(
            url, "--security", "Aes256Sha256RsaPss", "--server-certificate", str(pinned),
            "--certificate", str(ours), "--key", str(our_key),
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "nsu=urn:plant;s=Pot002.V" in done.stdout
