"""
What Modbus bytes mean: requests that can only read, and replies judged against their question.

Pure. Requests, frames and CRC come from pymodbus; its reply PDUs are not used, because they turn
every register into a Python integer and take a short reply for a good one.
"""

from dataclasses import dataclass
from typing import Literal

from pymodbus.framer import FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU
from pymodbus.pdu.bit_message import ReadCoilsRequest, ReadDiscreteInputsRequest
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest, ReadInputRegistersRequest

from drivers.model import NonsenseError
from drivers.plan import Table

Framing = Literal["tcp", "rtu"]

READ_FUNCTIONS = frozenset(table.value for table in Table)
IDENTIFY = b"\x2b\x0e"  # read device identification, MEI type 14
EXCEPTIONS = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "device failure",
    5: "acknowledged, still working",
    6: "device busy",
    7: "negative acknowledge",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway: target does not answer",
}
_REQUESTS = {
    Table.COIL: ReadCoilsRequest,
    Table.DISCRETE: ReadDiscreteInputsRequest,
    Table.HOLDING: ReadHoldingRegistersRequest,
    Table.INPUT: ReadInputRegistersRequest,
}
_TCP = FramerSocket(DecodePDU(is_server=False))
_RTU = FramerRTU(DecodePDU(is_server=False))


class ExceptionReply(Exception):  # noqa: N818 - Modbus calls it an exception; it is an answer
    """The device understood the request and said no: a whole, checked reply, not a broken one."""

    def __init__(self, code: int) -> None:
        super().__init__(f"{EXCEPTIONS.get(code, 'unknown exception')} ({code:02d})")
        self.code = code


@dataclass(frozen=True, slots=True)
class Request:
    """One question to one unit, and the beginning every good reply to it must have."""

    unit: int
    pdu: bytes
    octets: int  # data bytes asked for
    head: bytes  # unit, function, byte count

    def __str__(self) -> str:
        if self.pdu[:2] == IDENTIFY:
            return f"unit {self.unit} identification"
        start, count = int.from_bytes(self.pdu[1:3], "big"), int.from_bytes(self.pdu[3:5], "big")
        return f"unit {self.unit} {Table(self.pdu[0]).word}:{start}-{start + count - 1}"


def read_request(unit: int, table: Table, start: int, count: int) -> Request:
    """ValueError when the count is more than the protocol carries."""
    pdu = bytes((table.value,)) + _REQUESTS[table](address=start, count=count).encode()
    octets = (count + 7) // 8 if table.packed else 2 * count
    return Request(unit, pdu, octets, bytes((unit, table.value, octets)))


def identify_request(unit: int, level: int, first: int) -> Request:
    """Device identification from object ``first`` on; its reply is as long as it is."""
    return Request(unit, IDENTIFY + bytes((level, first)), 0, bytes((unit, *IDENTIFY)))


def frame_of(request: Request, framing: Framing, transaction: int) -> bytes:
    """
    The bytes that go out: the one place every byte to a device passes.

    PermissionError for anything that is not a read, whoever made the request. A longer one is none
    either: a serial device takes what follows the checksum for the next request.
    """
    pdu = request.pdu
    reads = len(pdu) == 5 and pdu[0] in READ_FUNCTIONS
    if not reads and not (len(pdu) == 4 and pdu[:2] == IDENTIFY):
        raise PermissionError(f"function {pdu[:2].hex()} is not a read; nothing was sent")
    framer = _TCP if framing == "tcp" else _RTU
    return framer.encode(request.pdu, request.unit, transaction)


def judge_tcp(data: bytes, frame: bytes, request: Request) -> bytes | None:
    """
    Payload of the reply in ``data``, None while it is not whole.

    Raises ExceptionReply, or NonsenseError when it is not the answer to ``frame``.
    """
    octets = request.octets
    length = (3 + octets).to_bytes(2, "big")
    if len(data) == 9 + octets and data[:9] == frame[:4] + length + request.head:
        return data[9:]
    if len(data) < 8:
        return None
    size = int.from_bytes(data[4:6], "big")
    if data[2:4] != b"\0\0" or not 3 <= size <= 254:
        raise NonsenseError(f"no Modbus/TCP header in the reply to {request}", data)
    if len(data) < 6 + size:
        return None
    if len(data) > 6 + size:
        raise NonsenseError(f"more than one reply to {request}", data)
    if data[:2] != frame[:2]:
        raise NonsenseError(f"reply to another transaction than {request}", data)
    return _judge_pdu(data, data[6:], request)


def judge_rtu(data: bytes, frame: bytes, request: Request) -> tuple[bytes, int] | None:
    """
    As ``judge_tcp``, and how many bytes followed the reply.

    A half-duplex adapter's echo of ``frame`` in front is passed over; a reply of the very same
    bytes cannot be told from it and is none. Of two replies that fit the question one is old, and
    nothing says which: neither is taken.
    """
    whole = 5 + request.octets
    if data.startswith(frame) and (whole == len(frame) or not _is_reply(data, request)):
        data = data[len(frame) :]
    elif len(data) < len(frame) and frame.startswith(data):
        return None
    if len(data) < 3:
        return None
    if data[0] == request.unit and data[1] == request.pdu[0] | 0x80:
        whole = 5
    elif data[:3] != request.head:
        _judge_pdu(data, data, request)
    if len(data) < whole:
        return None
    if not _crc_fits(data[:whole]):
        raise NonsenseError(f"wrong CRC in the reply to {request}", data)
    if data[whole : whole + 3] == request.head:
        raise NonsenseError(f"more than one reply to {request}", data)
    return _judge_pdu(data, data[: whole - 2], request), len(data) - whole


def _is_reply(data: bytes, request: Request) -> bool:
    """Whether a good reply begins the data, though it may begin like an echo of the request."""
    whole = 5 + request.octets
    return len(data) >= whole and data[:3] == request.head and _crc_fits(data[:whole])


def _judge_pdu(data: bytes, reply: bytes, request: Request) -> bytes:
    """``reply`` is unit and PDU, whole; ``data`` what came, for the message."""
    if reply[0] != request.unit:
        raise NonsenseError(f"unit {reply[0]} answered instead of {request}", data)
    function = request.pdu[0]
    if reply[1] == function | 0x80 and len(reply) == 3:
        raise ExceptionReply(reply[2])
    if reply[1] != function:
        raise NonsenseError(f"function {reply[1]} in reply to {request}", data)
    if request.pdu[:2] == IDENTIFY and reply[2] == IDENTIFY[1]:
        return reply[3:]
    if reply[2] != request.octets or len(reply) != 3 + request.octets:
        raise NonsenseError(
            f"{len(reply) - 3} bytes of data, {request.octets} asked for by {request}", data
        )
    return reply[3:]


def late_reply(data: bytes, head: bytes, *, exceptions: bool) -> int:
    """
    Length of the RTU frame at the start of ``data`` if it answers a question whose good replies
    begin with ``head`` (an exception reply only counts on request); 0 if not, -1 while it may.
    """
    whole = 5 + head[2] if data[:3] == head[: len(data)] else 0
    if exceptions and data[:2] == bytes((head[0], head[1] | 0x80)):
        whole = 5
    if whole and len(data) < whole:
        return -1
    return whole if whole and _crc_fits(data[:whole]) else 0


def _crc_fits(data: bytes) -> bool:
    return FramerRTU.compute_CRC(data[:-2]) == int.from_bytes(data[-2:], "big")
