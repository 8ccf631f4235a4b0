"""
A scan of the product's sources for anything that could write to a device.

It reads syntax trees, never text: a name in a comment is nothing, ``getattr(x, "write_coil")`` is
a find. Whatever it finds is a mistake, or is declared in ``DECLARED`` with its reason.
"""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOMS = ("agent", "drivers", "reports")

# Names by which pymodbus and asyncua write, call or change an address space.
WRITING = re.compile(
    r"write_(registers?|coils?|file_record|values?|params|attribute\w*|attributes)|"
    r"(mask_write|readwrite)_registers?|(set|put)_(values?|writable|attribute)|call_method|"
    r"(add|delete)_(nodes?|references?)|history_update\w*|"
    r"(Write|MaskWrite|ReadWrite)\w*(Request|PDU)|"
    r"(HistoryUpdate|Call|AddNodes|DeleteNodes|AddReferences|DeleteReferences)Request"
)
WRITE_CODES = frozenset({5, 6, 15, 16, 21, 22, 23})
PYMODBUS = frozenset({
    "FramerRTU", "FramerSocket", "DecodePDU", "create_serial_connection", "ReadCoilsRequest",
    "ReadDiscreteInputsRequest", "ReadHoldingRegistersRequest", "ReadInputRegistersRequest",
})  # fmt: skip
OPCUA_REQUESTS = frozenset({
    "GetEndpointsRequest", "CreateSessionRequest", "ActivateSessionRequest", "CloseSessionRequest",
    "ReadRequest", "BrowseRequest", "BrowseNextRequest", "CreateSubscriptionRequest",
    "CreateMonitoredItemsRequest", "DeleteSubscriptionsRequest", "PublishRequest",
})  # fmt: skip
# HJ 212: commands that set, calibrate or switch; 1xxx with an odd end only ask.
SETTING_CN = re.compile(r"10(00|12|14|62|64|72)|30\d\d")
COMMAND_TOPIC = re.compile(
    r"\b[ND]CMD\b|/(cmd|commands?|set|write|control)(/|$)|^(cmd|commands?|set|write|control)/",
    re.IGNORECASE,
)
OPENING = frozenset({
    "create_connection", "open_connection", "create_datagram_endpoint", "create_unix_connection",
    "open_unix_connection", "create_serial_connection", "open_serial_connection", "sock_sendall",
    "sock_connect", "sendto", "sendmsg",
})  # fmt: skip
RAW_MODULES = frozenset({
    "socket", "serial", "serial_asyncio", "telnetlib", "ftplib", "smtplib", "snap7", "pycomm3",
    "scapy", "can", "bacpypes", "minimalmodbus", "urllib3", "http", "requests", "httpx",
})  # fmt: skip

HTTP = frozenset({"urllib.request"})
HIDING = frozenset({"__import__", "eval", "exec", "import_module"})  # what a scan cannot follow

# file, rule, what was found -> why it is none. A line that is no longer needed fails the test.
OWN_TOPIC = "own topics below smelter/v1/, on our broker; docs/certificates.md has the ACL"
HOST_NAME = "the name of this machine for a certificate or an act; nothing is opened"
OWN_ROOM = "a room of this program by its name, loaded when it is needed"
DECLARED: dict[tuple[str, str, str], str] = {
    # the gates themselves: wire bytes tested in tests/read_only/test_wire.py
    ("drivers/modbus/session.py", "way_out", "_transport.write"): "frame_of made the frame",
    ("drivers/modbus/line.py", "way_out", "create_connection"): "Modbus TCP, TLS or not",
    ("drivers/modbus/line.py", "way_out", "create_serial_connection"): "Modbus RTU on a port",
    ("drivers/opcua/gate.py", "opcua", "asyncua.Client"): "gated() puts the gate before it",
    ("drivers/opcua/session.py", "opcua", "asyncua.Client"): "a type; gated() makes it",
    ("drivers/opcua/session.py", "opcua", "_send_request"): "passes the observer, so the gate",
    ("drivers/opcua/subscription.py", "opcua", "ua.MonitoredItemCreateRequest"): (
        "no service: an item of CreateMonitoredItems, the asker's own subscription"
    ),
    ("drivers/hj212/gate.py", "hj212", "encode"): "sealed() is the gate",
    ("drivers/hj212/server.py", "way_out", "writer.write"): "only what sealed() made",
    # what looks like it and goes to no device
    ("drivers/hj212/commands.py", "hj212", "encode"): "`smelter hj212 encode` prints for a person",
    ("drivers/hj212/commands.py", "hj212", "packet"): "the same; no connection is opened",
    ("drivers/hj212/sm4.py", "hj212", "1014"): "which packets are encrypted, on receipt",
    ("drivers/hj212/sm4.py", "hj212", "3020"): "which packets are encrypted, on receipt",
    ("agent/forward/link.py", "hj212", "encode"): "to a platform of the authority, as a logger",
    ("agent/forward/link.py", "way_out", "open_connection"): "the same: reports minute data up",
    ("agent/edge/publish.py", "mqtt", "publish"): OWN_TOPIC,
    ("agent/historian/receive.py", "mqtt", "publish"): OWN_TOPIC,
    ("agent/doctor/broker.py", "way_out", "socket"): "asks whether our broker is there",
    ("agent/doctor/broker.py", "way_out", "create_connection"): "a handshake with our broker",
    ("agent/doctor/broker.py", "way_out", "http.client"): "the service's own health page",
    ("drivers/language.py", "way_out", "socket"): "names of its errors, in two languages",
    ("agent/mqtt.py", "way_out", "socket"): "option TCP_NODELAY of the broker's connection",
    ("agent/notify.py", "way_out", "socket"): "systemd's notification socket on this machine",
    ("agent/certificates/commands.py", "way_out", "socket"): HOST_NAME,
    ("drivers/opcua/certificates.py", "way_out", "socket"): HOST_NAME,
    ("drivers/audit.py", "way_out", "socket"): HOST_NAME,
    ("agent/doctor/reach.py", "way_out", "urllib3"): "asks InfluxDB whether it lives",
    ("agent/influx/api.py", "way_out", "urllib3"): "the lake's view: InfluxDB",
    ("agent/historian/stamps.py", "way_out", "urllib.request"): "RFC 3161 time stamps",
    ("reports/series/influx.py", "way_out", "urllib3"): "reads figures from InfluxDB",
    ("reports/series/influx_answers.py", "way_out", "urllib3"): "reads figures from InfluxDB",
    ("reports/console/live.py", "way_out", "urllib.request"): "asks the historian for what is now",
    ("reports/console/notices/mail.py", "way_out", "smtplib"): "notices to persons by mail",
    (
        "reports/console/notices/webhook.py",
        "way_out",
        "http.client",
    ): "notices to a named address",
    ("reports/console/doors/sign_on.py", "way_out", "urllib3"): "the company's sign-on",
    ("reports/console/doors/listener.py", "way_out", "socket"): "the console's own listener",
    ("reports/console/serving.py", "way_out", "socket"): "systemd's notification socket",
    ("reports/console/doors/guard.py", "way_out", "http"): "names of status codes",
    ("reports/console/pages/doors.py", "way_out", "http"): "names of status codes",
    ("reports/console/refusals.py", "way_out", "http"): "names of status codes",
    ("reports/console/app.py", "way_out", "import_module"): OWN_ROOM,
    ("reports/console/worker.py", "way_out", "import_module"): OWN_ROOM,
    ("agent/commands.py", "way_out", "import_module"): OWN_ROOM,
    ("reports/energy/report.py", "way_out", "import_module"): OWN_ROOM,
    ("reports/make.py", "way_out", "import_module"): OWN_ROOM,
    ("reports/rules/commands.py", "way_out", "import_module"): OWN_ROOM,
}


@dataclass(frozen=True, slots=True)
class Find:
    """Something that could write, and where."""

    path: str
    line: int
    rule: str
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}: {self.what}"

    @property
    def key(self) -> tuple[str, str, str]:
        return self.path, self.rule, self.what


def scan(root: Path) -> list[Find]:
    """Everything found in the rooms below ``root``, declared or not."""
    paths = [path for room in ROOMS for path in sorted((root / room).rglob("*.py"))]
    return [find for path in paths for find in scan_file(root, path.relative_to(root).as_posix())]


def scan_file(root: Path, name: str) -> list[Find]:
    """What one file below ``root`` holds; texts that stand alone are documentation."""
    tree = ast.parse((root / name).read_text("utf-8"), name)
    told = {id(each.value) for each in ast.walk(tree) if isinstance(each, ast.Expr)}
    return [
        Find(name, getattr(node, "lineno", 0), rule.__name__[1:], what)
        for node in ast.walk(tree)
        if not (isinstance(node, ast.Constant) and id(node) in told)
        for rule in RULES
        for what in rule(node, name)
    ]


def undeclared(root: Path) -> list[Find]:
    """What is left when the declared exceptions are taken out: must be empty."""
    return [find for find in scan(root) if find.key not in DECLARED]


def _names(node: ast.AST) -> Iterator[str]:
    """Every name a node uses: attribute, imported, plain, or as text for getattr and friends."""
    if isinstance(node, ast.Attribute):
        yield node.attr
    elif isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.ImportFrom | ast.Import):
        for each in node.names:
            yield each.name.rpartition(".")[2]


def _writing_name(node: ast.AST, path: str) -> Iterator[str]:
    names = list(_names(node))
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        names.append(node.value)
    for name in names:
        if WRITING.fullmatch(name):
            yield name


def _modbus_code(node: ast.AST, path: str) -> Iterator[str]:
    """A PDU that begins with a writing function, wherever Modbus bytes are made."""
    if not path.startswith(("drivers/modbus/", "drivers/identify", "agent/setup/")):
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, bytes):
        if node.value[:1] and node.value[0] in WRITE_CODES:
            yield repr(node.value)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
        called = next(_names(node.func))
        for argument in node.args[:2] if called in {"bytes", "bytearray", "pack"} else ():
            first: ast.expr = argument
            if isinstance(argument, ast.Tuple | ast.List) and argument.elts:
                first = argument.elts[0]
            elif called != "pack":
                continue
            if isinstance(first, ast.Constant) and first.value in WRITE_CODES:
                yield f"{called}({first.value}, …)"
        if called == "Request" and path != "drivers/modbus/wire.py":
            yield "Request(…)"


def _pymodbus(node: ast.AST, path: str) -> Iterator[str]:
    """Only the codec of reads, and only in two files."""
    if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "pymodbus":
        for each in node.names:
            if each.name not in PYMODBUS or not path.startswith("drivers/modbus/"):
                yield f"{node.module}.{each.name}"
    elif isinstance(node, ast.Import):
        yield from (each.name for each in node.names if each.name.split(".")[0] == "pymodbus")


def _opcua(node: ast.AST, path: str) -> Iterator[str]:
    """Requests of other services; a client that was not made behind the gate."""
    if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "asyncua":
        for each in node.names:
            if each.name in {"Client", "UaClient", "Server", "Node", "UaSocketProtocol"}:
                yield f"{node.module}.{each.name}"
    elif isinstance(node, ast.Import):
        yield from (each.name for each in node.names if each.name.startswith("asyncua.client"))
    elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        if node.value.id == "ua" and re.fullmatch(r"[A-Z]\w+Request", node.attr):
            if node.attr not in OPCUA_REQUESTS:
                yield f"ua.{node.attr}"
        elif node.attr in {"send_request", "_send_request"}:
            yield node.attr
    elif isinstance(node, ast.Attribute) and node.attr in {"send_request", "_send_request"}:
        yield node.attr


def _hj212(node: ast.AST, path: str) -> Iterator[str]:
    """Numbers of commands that set something; the encoder used past the gate."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        if path.startswith(("drivers/hj212/", "agent/")) and SETTING_CN.fullmatch(node.value):
            yield node.value
    elif isinstance(node, ast.ImportFrom) and node.module == "drivers.hj212.encode":
        yield from (each.name for each in node.names if each.name in {"encode", "packet"})


def _mqtt(node: ast.AST, path: str) -> Iterator[str]:
    """Topics on which others take commands, and every place that publishes."""
    if path.startswith("reports/"):
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        if "\n" not in node.value and " " not in node.value and COMMAND_TOPIC.search(node.value):
            yield node.value
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        yield from ["publish"] if node.func.attr == "publish" and node.args else ()


def _way_out(node: ast.AST, path: str) -> Iterator[str]:
    """Sockets, ports and connections; in drivers also every write to one."""
    if isinstance(node, ast.Import):
        ways = (each.name for each in node.names)
        yield from (way for way in ways if way.split(".")[0] in RAW_MODULES or way in HTTP)
    elif isinstance(node, ast.ImportFrom):
        if (node.module or "").split(".")[0] in RAW_MODULES or node.module in HTTP:
            yield str(node.module)
    elif isinstance(node, ast.Call):
        called = next(_names(node.func), "")
        if called in OPENING | HIDING:
            yield called
        if isinstance(node.func, ast.Attribute) and called in {"write", "writelines"}:
            of = next(_names(node.func.value), "")
            if path.startswith("drivers/") and re.search("writer|transport|sock|port|link", of):
                yield f"{of}.{called}"


RULES: tuple[Callable[[ast.AST, str], Iterator[str]], ...] = (
    *(_writing_name, _modbus_code, _pymodbus, _opcua, _hj212, _mqtt, _way_out),
)
