"""The console reaches no device: not by what it imports, not by a socket it opens."""

import ipaddress
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.console.served import Served

DEVICES = ("pymodbus", "asyncua", "serial", "aiomqtt", "paho", "amqtt", "agent", "simulators")
OURS = ("drivers.modbus", "drivers.opcua", "drivers.hj212", "drivers.plan", "drivers.points")
HEAVY = ("ibis", "duckdb", "pyarrow", "openpyxl", "typst", "cryptography", "pandas")


def loaded(program: str) -> set[str]:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            program + "\nimport json, sys; print(json.dumps(list(sys.modules)))",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def inside(modules: set[str], names: tuple[str, ...]) -> set[str]:
    return {
        each for each in modules for name in names if each == name or each.startswith(name + ".")
    }


def test_the_web_process_loads_neither_devices_nor_what_is_heavy() -> None:
    modules = loaded(
        "import reports.console.app, reports.console.commands, reports.console.serving"
    )
    assert inside(modules, DEVICES + OURS) == set()
    assert inside(modules, HEAVY) == set()


def test_its_children_load_no_way_to_a_device() -> None:
    """Every module of figures, and what makes reports."""
    folder = Path(__file__).parents[2] / "reports/console/figures"
    names = [f"reports.console.figures.{each.stem}" for each in sorted(folder.glob("[a-z]*.py"))]
    modules = loaded(f"import reports.console.worker, reports.make, {', '.join(names)}")
    assert inside(modules, DEVICES + OURS) == set()


LISTENS = "0A"
End = tuple[str, int]


def family(pid: int) -> list[int]:
    """The process and its children, theirs too."""
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [pid, *(each for child in text.split() for each in family(int(child)))]


def sockets(pid: int) -> Iterator[tuple[str, End, End]]:
    """State, own end, other end of each TCP socket that the process has open."""
    links = (
        str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir() if each.is_symlink()
    )
    own = {each[8:-1] for each in links if each.startswith("socket:[")}
    for name in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/{pid}/net/{name}").read_text().splitlines()[1:]:
            part = line.split()
            if part[9] in own:
                yield part[3], end(part[1]), end(part[2])


def end(text: str) -> End:
    address, _, port = text.partition(":")
    packed = bytes.fromhex(address)
    words = b"".join(packed[at : at + 4][::-1] for at in range(0, len(packed), 4))
    return str(ipaddress.ip_address(words)), int(port, 16)


def test_it_listens_where_it_was_told_and_speaks_to_nobody_else(console: Served) -> None:
    """While pages are asked for: its own port, and the historian's address."""
    client = console.client("officer")
    for path in ("/", "/account", "/api/v1/me", "/settings/tokens"):
        client.get(path)
    port = int(console.url.rpartition(":")[2])
    found = set()
    for pid in family(console.process.pid):
        for state, (_, here), (address, there) in sockets(pid):
            if state == LISTENS:
                found.add(f"listens {here}")
            elif here != port and there:
                found.add(f"speaks to {address}:{there}")
    assert found <= {f"listens {port}", "speaks to 127.0.0.1:9465"}
    assert f"listens {port}" in found


def test_it_stays_small(console: Served) -> None:
    """150 MB with its first pages; the children that work on data are counted by themselves."""
    console.client("viewer").get("/account")
    status = Path(f"/proc/{console.process.pid}/status").read_text()
    resident_kb = int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0])
    assert resident_kb < 150 << 10, f"{resident_kb >> 10} MB"


@pytest.mark.parametrize("path", ["/alive", "/login"])
def test_what_is_open_tells_nothing_of_the_plant(console: Served, path: str) -> None:
    text = console.nobody().get(path).text
    assert "王敏" not in text
    assert "line1" not in text
