"""
What leaves for a device: requests and answers made from anything, before the gates of all drivers.

Held for each input: the gate refuses it, or the bytes that would leave are exactly one request
that reads, as own readers of the three protocols find it. No other error stops it half way.
"""

import random
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from asyncua import ua
from asyncua.ua.ua_binary import nodeid_from_binary, struct_to_binary

from drivers.hj212.encode import EncodeError, answer
from drivers.hj212.frame import decode_frame
from drivers.hj212.gate import PLANT_TIME, ForbiddenError, question, sealed
from drivers.hj212.segment import Field, Segment
from drivers.modbus.wire import Framing, Request, frame_of, identify_request, read_request
from drivers.opcua.gate import gated
from drivers.plan import Table
from simulators.counting import OPCUA_READS
from simulators.hj212 import Packet, packets
from tests.drivers.opponent import crc16
from tests.fuzz.mutants import mutated

MODBUS_READS = {1, 2, 3, 4}
HJ212_SAID = {"9013", "9014"}
HJ212_ASKED = {"2051", "2061", "2031"}
KEY = bytes(range(16))
PDUS = (
    *(b"\5\0\1\xff\0", b"\6\0\1\0\2", b"\x10\0\1\0\1\2\0\5", b"\x16\0\1\0\0\0\0", b"\x2b\x0d\0\0"),
    *(b"\3\0\0\0\1", b"\3\0\0\0\1\x84\x0a\1\6\0\1\0\2", b"\x2b\x0e\1\0", b"", b"\x15", b"\x17"),
)
PIECES = (b"\6", b"\x10", b"\0", b"\xff", b"\1\6\0\1\0\2\x59\xcb", b"\3", b"\x2b\x0e")
TEXTS = (
    *("", "010000A8900016F000169DC0", "123456", "20260101000000000", "CN=3015", ";CN=1012;", "&&"),
    *("x;CN=1012;PW=1", "&&\r\n##0010", "##0099QN=1;ST=31;CN=3012;", "\0", "电", "9" * 40, ","),
)
CNS = (
    *("9011", "9012", "9013", "9014", "2051", "2061", "2031", "2011", "1000", "1011", "1012"),
    *("1062", "1072", "3011", "3012", "3015", "3020", "", "9014;CN=1012", "2051&&"),
)
PACKET_PIECES = (
    *(b";CN=1012", b"CN=3015;", b"&&", b";", b"=", b"##", b"\r\n", b"MN=;", b"QN=", b"Flag=9;"),
)


def make() -> Callable[[random.Random], str]:
    """The target."""
    services = [
        each
        for name, each in sorted(vars(ua).items())
        if re.fullmatch(r"[A-Z]\w+Request", name) and hasattr(each, "TypeId")
    ]
    client = gated("opc.tcp://127.0.0.1:1", 1.0).uaclient
    wire = _Wire()
    client.protocol = wire

    def trial(chance: random.Random) -> str:
        dice = chance.random()
        if dice < 0.45:
            return _modbus(chance)
        if dice < 0.85:
            return _hj212(chance)
        return _opcua(client, wire, chance.choice(services))

    return trial


def _modbus(chance: random.Random) -> str:
    framing: Framing = "tcp" if chance.random() < 0.5 else "rtu"
    unit = chance.randrange(256)
    request = Request(unit, mutated(chance.choice(PDUS), PIECES, chance, most=3), 0, b"")
    if chance.random() < 0.3:
        try:
            request = read_request(
                unit,
                chance.choice(list(Table)),
                chance.randrange(-9, 70_000),
                chance.randrange(-2, 3000),
            )
        except ValueError:
            return "modbus refused as a question"
    elif chance.random() < 0.1:
        request = identify_request(unit, chance.randrange(256), chance.randrange(256))
    try:
        frame = frame_of(request, framing, chance.randrange(1, 65_536))
    except PermissionError:
        return "modbus refused"
    if framing == "tcp":
        assert frame[2:4] == b"\0\0", frame
        assert int.from_bytes(frame[4:6], "big") == len(frame) - 6, frame
        pdu = frame[7:]
    else:
        assert crc16(frame[:-2]) == frame[-2:], frame
        pdu = frame[1:-2]
    identifies = pdu[:2] == b"\x2b\x0e" and len(pdu) == 4
    assert identifies or (pdu[0] in MODBUS_READS and len(pdu) == 5), frame
    return "modbus read"


def _hj212(chance: random.Random) -> str:
    key = KEY if chance.random() < 0.2 else None
    try:
        data = sealed(_said(chance), key)
    except (ForbiddenError, EncodeError) as error:
        return f"hj212 {type(error).__name__}"
    assert data.count(b"##") == 1, data
    assert data.endswith(b"\r\n"), data
    found = re.findall(rb"(?:^|;|#\d{4})CN=([^;]*)", data)
    assert len(found) == 1, data
    number = found[0].decode()
    secret = b"" if b"CP=&&&&" in data or b"BeginTime=" in data else key or b""
    for packet in packets(bytearray(data), secret):  # none where the head lacks a part
        assert packet.cn == number, data
        names = [part.partition("=")[0] for part in packet.cp.split(";") if part]
        assert names == ([] if number in HJ212_SAID else ["BeginTime", "EndTime"]), data
    assert number in HJ212_SAID | HJ212_ASKED, data
    assert number in HJ212_ASKED or b"CP=&&&&" in data, data
    return "hj212 answer" if number in HJ212_SAID else "hj212 question"


def _said(chance: random.Random) -> Segment:
    """An answer to a hostile packet, a question with hostile settings, or a packet made up."""
    dice = chance.random()
    if dice < 0.4:
        packet = Packet("2011", "DataTime=20260101000000;a21026-Rtd=1", flag=chance.choice((5, 9)))
        if chance.random() < 0.5:
            cn, cp, qn, st, pw, mn = chance.choices(TEXTS, k=6)
            packet = Packet(cn, cp, qn, st, pw, mn)
        got = decode_frame(mutated(packet.encoded(), PACKET_PIECES, chance)).segment
        if got is not None:
            return answer(got, chance.choice(("9013", "9014", chance.choice(CNS))))
    if dice < 0.7:
        return question(
            chance.choice(CNS) if chance.random() < 0.3 else "2051",
            1_790_000_000,
            1_790_000_000 + chance.randrange(9999),
            mn=_text(TEXTS[1], chance),
            pw=_text(TEXTS[2], chance),
            version=chance.choice((2017, 2025)),
            qn=_moment(chance),
        )
    fields = tuple(
        (Field(chance.choice(("BeginTime", "EndTime", "SystemTime", "PolId")), text),)
        for text in chance.choices(TEXTS, k=chance.randrange(3))
    )
    qn, st, pw, mn = chance.choices(TEXTS, k=4)
    return Segment(qn, st, chance.choice(CNS), pw, mn, chance.choice((None, 4, 5, 8, 9)), fields)


def _text(good: str, chance: random.Random) -> str:
    return good if chance.random() < 0.7 else chance.choice(TEXTS)


def _moment(chance: random.Random) -> datetime:
    return datetime.fromtimestamp(1_790_000_000 + chance.randrange(10**6), PLANT_TIME)


class _Wire:
    """Stands where the connection would: keeps the bytes of what would be sent."""

    def __init__(self) -> None:
        self.sent = b""

    async def send_request(self, request: Any, *_: object) -> bytes:
        self.sent = struct_to_binary(request)
        return b""


def _opcua(client: Any, wire: _Wire, service: Any) -> str:
    wire.sent = b""
    going = client._send_request(service())
    try:
        going.send(None)
    except StopIteration:
        pass
    except PermissionError:
        assert not wire.sent, "it left all the same"
        return "opcua refused"
    number = nodeid_from_binary(ua.utils.Buffer(wire.sent)).Identifier
    name = ua.ObjectIdNames[number].removesuffix("Request_Encoding_DefaultBinary")
    assert name in OPCUA_READS, name
    return "opcua read"
