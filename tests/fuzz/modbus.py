"""
Modbus replies on TCP and RTU, and registers of every type.

Held for each input: a reply is taken, waited for, refused as nonsense or told as an exception, and
nothing else raises; what is taken is the data of a frame that answers this very question, as an
own reading of the specification finds it; what is decoded is a number and good, or NaN and not.
"""

import random
from collections.abc import Callable

import numpy as np

from drivers.decode import PAD, Decoder, Place
from drivers.modbus.wire import (
    ExceptionReply,
    Framing,
    Request,
    frame_of,
    judge_rtu,
    judge_tcp,
    late_reply,
    read_request,
)
from drivers.model import Equipment, NonsenseError, Point, Quality
from drivers.plan import Table
from drivers.quantities import quantities
from tests.drivers.opponent import crc16
from tests.fuzz.mutants import mutated

TABLES = (Table.COIL, Table.DISCRETE, Table.HOLDING, Table.INPUT)
PIECES = (b"\0\0", b"\x83\x02", b"\x01\x03", b"\xff\xff", b"\0\0\0\0\0\x06\x01\x03", b"\x03\x04")
TYPES = (
    *("bool", "uint16", "int16", "uint32", "int32", "uint48", "int48", "uint64", "int64"),
    *("float32", "float64", "bcd16", "bcd32", "bcd48", "bcd64", "ascii:8"),
)
WORDS = {"32": 2, "48": 3, "64": 4, ":8": 4}


def make() -> Callable[[random.Random], str]:
    """The target."""
    decoder, size = _decoder()

    def trial(chance: random.Random) -> str:
        if chance.random() < 0.25:
            return _decoded(decoder, size, chance)
        return _judged(chance)

    return trial


def _judged(chance: random.Random) -> str:
    table = chance.choice(TABLES)
    framing: Framing = "tcp" if chance.random() < 0.5 else "rtu"
    request = read_request(
        chance.randrange(1, 5), table, chance.randrange(9), chance.randrange(1, 20)
    )
    frame = frame_of(request, framing, chance.randrange(1, 4))
    data = mutated(_reply(request, frame, framing, chance), PIECES, chance)
    late_reply(data, request.head, exceptions=chance.random() < 0.5)
    try:
        if framing == "tcp":
            taken = judge_tcp(data, frame, request)
        else:
            judged = judge_rtu(data, frame, request)
            taken = judged[0] if judged else None
    except NonsenseError:
        return f"nonsense on {framing}"
    except ExceptionReply:
        return f"exceptions on {framing}"
    if taken is None:
        return f"not whole on {framing}"
    assert len(taken) == request.octets, (data.hex(), taken.hex())
    assert _answers(data, taken, request, frame, framing), data.hex()
    return f"taken on {framing}"


def _reply(request: Request, frame: bytes, framing: Framing, chance: random.Random) -> bytes:
    body = request.head + chance.randbytes(request.octets)
    if chance.random() < 0.2:
        body = bytes((request.unit, request.pdu[0] | 0x80, chance.choice((1, 2, 4, 6, 11, 200))))
    if framing == "tcp":
        return frame[:4] + len(body).to_bytes(2, "big") + body
    echo = frame if chance.random() < 0.2 else b""
    return echo + body + crc16(body)


def _answers(data: bytes, taken: bytes, request: Request, frame: bytes, framing: Framing) -> bool:
    """Whether the data came in a frame that the specification calls the answer."""
    body = bytes((request.unit, request.pdu[0], request.octets)) + taken
    if framing == "tcp":
        return data == frame[:2] + b"\0\0" + len(body).to_bytes(2, "big") + body
    whole = body + crc16(body)
    return data.startswith((whole, frame + whole))


def _decoder() -> tuple[Decoder, int]:
    """Every type in every order, one behind the other."""
    whole, at = quantities()["pot.feed_shots"], 2
    points, places = list[Point](), list[Place | None]()
    for kind in TYPES:
        for order in ("ABCD", "CDAB", "BADC", "DCBA"):
            equipment = Equipment("line1", f"p{len(points)}")
            points.append(Point(equipment, whole, "plc", "holding:0", kind, order=order))
            places.append(Place(at))
            at += 2 * WORDS.get(kind[-2:], 1)
    return Decoder(points, places, at), at


def _decoded(decoder: Decoder, size: int, chance: random.Random) -> str:
    data = PAD + chance.randbytes(size - 2)
    if chance.random() < 0.5:  # ends of the ranges, NaN and infinity come up by this
        for _ in range(30):
            at = chance.randrange(1, size // 2) * 2
            word = chance.choice(
                (b"\0\0", b"\xff\xff", b"\x7f\xf0", b"\x80\0", b"\x7f\x80", b"\x7f\xc0")
            )
            data = data[:at] + word + data[at + 2 :]
    found = decoder.decode(data)
    good = found.quality == Quality.GOOD
    number = np.isfinite(found.values)
    assert (number == good).all(), data.hex()
    return "registers decoded"
