"""The scan finds nothing in the product, and finds each kind of thing that is planted."""

import re
import shutil
from pathlib import Path

import pytest

from drivers.opcua.gate import ALLOWED_REQUESTS
from tests.read_only.scan import DECLARED, OPCUA_REQUESTS, scan, scan_file, undeclared

ROOT = Path(__file__).resolve().parent.parent.parent

PLANTED = {  # rule -> (file, what is added to its end)
    "a register by pymodbus": ("drivers/modbus/line.py", "line.write_register(1, 2)"),
    "several registers": ("drivers/modbus/session.py", "x = lambda c: c.write_registers(1, [2])"),
    "a coil": ("agent/edge/poll.py", "write = client.write_coil"),
    "a name as text": ("agent/edge/poll.py", 'getattr(client, "mask_write_register")(1)'),
    "pymodbus' client": ("agent/edge/poll.py", "from pymodbus.client import AsyncModbusTcpClient"),
    "pymodbus' write PDU": (
        "drivers/modbus/wire.py",
        "from pymodbus.pdu.register_message import WriteSingleRegisterRequest",
    ),
    "pymodbus whole": ("drivers/identify.py", "import pymodbus.client as m"),
    **{
        f"function {code}": (
            "drivers/modbus/driver.py",
            f"_frame = bytes(({code}, 0, 1, 0, 2))",
        )
        for code in (5, 6, 15, 16, 21, 22, 23)
    },
    "a PDU as bytes": ("drivers/modbus/driver.py", r'_PDU = b"\x06\0\1\0\2"'),
    "a PDU packed": ("drivers/modbus/driver.py", '_P = struct.pack(">BHH", 6, 1, 2)'),
    "a question of one's own": ("agent/setup/modbus_probe.py", "q = Request(1, pdu, 2, head)"),
    "an OPC UA value": ("drivers/opcua/session.py", "async def f(n): await n.write_value(1)"),
    "an OPC UA value, old name": ("agent/setup/other_probes.py", "f = node.set_value(1)"),
    "a method": ("drivers/opcua/browse.py", 'f = node.call_method("1:start")'),
    "a node added": ("drivers/opcua/browse.py", "f = client.add_nodes([])"),
    "nodes deleted": ("drivers/opcua/browse.py", "f = client.delete_nodes([])"),
    "the Write service": ("drivers/opcua/session.py", "r = ua.WriteRequest()"),
    "the Call service": ("drivers/opcua/session.py", "r = ua.CallRequest()"),
    "another service": ("drivers/opcua/session.py", "r = ua.RegisterServerRequest()"),
    "a client without the gate": ("drivers/opcua/browse.py", "from asyncua import Client"),
    "a server's node": ("agent/setup/other_probes.py", "from asyncua.common.node import Node"),
    "a request past the gate": ("drivers/opcua/browse.py", "p = c.protocol.send_request(r)"),
    "the clock of a logger": ("drivers/hj212/asking.py", 'SET_TIME = "1012"'),
    "the interval of a logger": ("drivers/hj212/asking.py", 'SET_INTERVAL = "1062"'),
    "calibration": ("drivers/hj212/station.py", 'ask("3012")'),
    "sampling": ("agent/edge/desk.py", 'ask("3015")'),
    "past the gate of HJ 212": (
        "drivers/hj212/station.py",
        "from drivers.hj212.encode import encode",
    ),
    "Sparkplug": ("agent/edge/publish.py", 'T = "spBv1.0/plant/NCMD/gw"'),
    "a command topic": ("agent/edge/publish.py", 'T = f"{plant}/pot001/cmd"'),
    "a set topic": ("agent/mqtt.py", 'T = "plant/pot001/voltage/set"'),
    "a new publisher": ("agent/edge/poll.py", 'f = client.publish("x", b"1")'),
    "a socket": ("drivers/modbus/driver.py", "import socket"),
    "a connection": ("agent/edge/poll.py", 'f = asyncio.open_connection("plc", 502)'),
    "a serial port": ("drivers/modbus/driver.py", "from serial import Serial"),
    "bytes past the gate": ("drivers/modbus/line.py", "session._transport.write(b'')"),
    "S7": ("drivers/plan.py", "import snap7"),
    "HTTP": ("drivers/plan.py", "import http.client"),
    "hidden": ("drivers/plan.py", 'eval("1")'),
}


def test_nothing_in_the_product_could_write() -> None:
    assert [str(find) for find in undeclared(ROOT)] == []


def test_every_declared_exception_is_there_and_says_why() -> None:
    found = {find.key for find in scan(ROOT)}
    assert sorted(DECLARED.keys() - found) == [], "take these lines out of DECLARED"
    assert all(len(reason) > 15 for reason in DECLARED.values())


def test_the_scan_and_the_gate_name_the_same_services() -> None:
    assert OPCUA_REQUESTS == ALLOWED_REQUESTS
    assert not re.search("Write|Call|Add|History|Register|DeleteNodes", " ".join(OPCUA_REQUESTS))


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that something is planted in."""
    root = tmp_path_factory.mktemp("planted")
    for name in {path for path, _ in PLANTED.values()}:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, root / name)
    return root


@pytest.mark.parametrize("kind", PLANTED)
def test_what_is_planted_is_found(copy: Path, kind: str) -> None:
    assert found_when_planted(copy, kind), PLANTED[kind]


def found_when_planted(root: Path, kind: str) -> bool:
    """Whether the scan of a copy tells of the line put at the end of its file."""
    name, line = PLANTED[kind]
    whole = (root / name).read_text("utf-8")
    try:
        (root / name).write_text(f"{whole}\n\n{line}\n", "utf-8")
        return any(each.line > whole.count("\n") for each in scan_file(root, name))
    finally:
        (root / name).write_text(whole, "utf-8")
