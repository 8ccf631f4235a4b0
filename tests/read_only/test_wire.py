"""What leaves the drivers on real connections before devices that answer with anything."""

import contextlib
import random
import ssl
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.config import DeviceConfig, TlsConfig
from drivers.hj212.encode import EncodeError
from drivers.hj212.gate import MARKS, sealed
from drivers.hj212.segment import Segment
from drivers.modbus.driver import ModbusDriver
from drivers.modbus.wire import Request, frame_of, read_request
from drivers.model import ConfigError, DriverError, Equipment, Group, Point
from drivers.plan import parse_address
from drivers.points import group_points, load_points
from drivers.quantities import quantities
from simulators.modbus import ModbusServer
from simulators.registers import Bank
from tests.drivers.opponent import Medium, Opponent
from tests.security.pki import CLIENT, Maker

FAULTS = (
    *("good", "silent", "late", "short", "long", "half", "split", "lying", "foreign", "function"),
    *("crossed", "echo", "echo+good", "twice", "again", "garbage", "flipped", "close"),
    *("exception1", "exception2", "exception6", "exception11"),
)
HOSTILE_ADDRESSES = st.one_of(
    st.builds("{}:{}".format, st.sampled_from(("holding", "input", "coil", "discrete", "write",
        "6", "holding.w", "HOLDING")), st.integers(-10, 70_000)),
    st.text("holdinginput:0123456789.-{}", max_size=14),
)  # fmt: skip
HOSTILE_TYPES = st.sampled_from(
    ("uint16", "float32", "bool", "ascii:8", "ascii:60", "bcd64", "write", "")
)


@pytest.mark.parametrize("medium", ["tcp", "rtu", "serial"])
async def test_a_hostile_device_gets_reads_and_nothing_else(medium: Medium) -> None:
    """Every byte that came is a read; what the answers say changes nothing in it."""
    chance = random.Random(20261123)
    async with Opponent(medium, script=lambda _: chance.choice(FAULTS), late_s=0.01) as device:
        wanted = DeviceConfig.model_validate({
            "name": "plc", "address": device.address, "points": "points.csv", "timeout_s": 0.1,
            "driver": {"tcp": "modbus-tcp", "rtu": "modbus-rtu-over-tcp", "serial": "modbus-rtu"}[
                medium
            ],
            **({"serial": {"parity": "N"}} if medium == "serial" else {}),
        })  # fmt: skip
        points = tuple(
            Point(Equipment("line1", f"pot{n:03d}"), quantities()["pot.voltage"], "plc",
                  f"{table}:{n * 90}", "bool" if table in {"coil", "discrete"} else "uint16")
            for n, table in enumerate(("holding", "input", "coil", "discrete"))
        )  # fmt: skip
        (group,) = group_points(points)
        async with ModbusDriver((wanted,), (group,)) as driver:
            for slot in range(12):
                with contextlib.suppress(DriverError):
                    await driver.read(group, slot)
    assert len(device.asked) >= 12
    for asked in device.asked:
        assert asked.function in {1, 2, 3, 4}
        pdu = asked.raw[7:] if medium == "tcp" else asked.raw[1:-2]
        assert len(pdu) == 5, asked.raw


@settings(max_examples=150, deadline=None)
@given(address=HOSTILE_ADDRESSES, kind=HOSTILE_TYPES, unit=st.integers(0, 255))
def test_a_hostile_point_table_becomes_reads_or_nothing(
    tmp_path_factory: pytest.TempPathFactory, address: str, kind: str, unit: int
) -> None:
    folder = tmp_path_factory.getbasetemp()
    (folder / "points.csv").write_text(
        f"equipment,quantity,address,type\nline1/pot001,pot.voltage,{address},{kind}\n"
    )
    device = DeviceConfig.model_validate(
        {"name": "plc", "driver": "modbus-tcp", "address": "127.0.0.1", "points": "points.csv"}
    )
    try:
        points = load_points(device, folder)
    except ConfigError:
        return
    for point in points:
        place = parse_address(point.address)
        frame = frame_of(read_request(unit, place.table, place.number, 1), "tcp", 1)
        assert frame[7] in {1, 2, 3, 4}
        assert len(frame) == 12


async def test_modbus_security_is_counted_like_the_rest(tmp_path: Path) -> None:
    maker = Maker(tmp_path, "site")
    shown, ours = maker.leaf("server"), maker.leaf("gw1", use=CLIENT)
    server = ModbusServer({1: Bank(holding=4)})
    server.tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(maker.path))
    server.tls.verify_mode = ssl.CERT_REQUIRED
    server.tls.load_cert_chain(shown.cert, shown.key)
    async with server:
        wanted = DeviceConfig(
            name="dcs",
            driver="modbus-tcp",
            address=server.address,
            points=Path("points.csv"),
            timeout_s=20.0,
            tls=TlsConfig(ca=maker.path, cert=ours.cert, key=ours.key),
        )
        voltage = quantities()["pot.voltage"]
        point = Point(Equipment("line1", "pot001"), voltage, "dcs", "holding:0", "uint16")
        group = Group("dcs", 0.2, (point,))
        async with ModbusDriver((wanted,), (group,)) as driver:
            await driver.read(group, 0)
        assert server.statistics.by_function == {3: 1}


@pytest.mark.parametrize("framing", ["tcp", "rtu"])
@pytest.mark.parametrize("pdu", [b"\3\0\0\0\1" + bytes.fromhex("840a010600010002"), b"\3", b""])
def test_a_read_with_a_write_behind_it_does_not_pass(framing: str, pdu: bytes) -> None:
    """On a serial line the bytes after the checksum are the next request."""
    with pytest.raises(PermissionError, match="is not a read"):
        frame_of(Request(1, pdu, 2, b""), framing, 1)  # type: ignore[arg-type]


@pytest.mark.parametrize("mark", [*sorted(MARKS), "\r", "\x00"])
def test_an_answer_repeats_no_separator_of_a_device(mark: str) -> None:
    for bad in (("q" + mark, "1", "m"), ("q", "1" + mark, "m"), ("q", "1", "m" + mark)):
        qn, pw, mn = bad
        with pytest.raises(EncodeError):
            sealed(Segment(qn, "91", "9014", pw, mn, 4), None)
    assert b"CN=9014" in sealed(
        Segment("20260101000000000", "91", "9014", "123456", "M" * 24, 4), None
    )
