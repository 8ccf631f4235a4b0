"""
OPC UA answers that carry values, from a server that may send anything.

Held for each input: an answer is decoded, or refused by one of the errors that the session turns
into "broken answer"; a value is finite and without a bad reason, or NaN with one.
"""

import math
import random
import struct
from collections.abc import Callable
from datetime import UTC, datetime

from asyncua import ua
from asyncua.ua.ua_binary import struct_to_binary

from drivers.model import Quality
from drivers.opcua.binary import UnusualError, publish_answer, read_answer
from drivers.opcua.values import number
from tests.fuzz.mutants import mutated

V = ua.VariantType
PIECES = (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\x7f", b"\x0b", b"\x8b", b"\xc6", b"\x16")
REFUSED = (UnusualError, struct.error, IndexError, ValueError)
KINDS = (
    *((V.Double, float), (V.Float, float), (V.Boolean, bool), (V.Int64, int), (V.UInt16, int)),
    *((V.String, str), (V.DateTime, datetime)),
)


def make() -> Callable[[random.Random], str]:
    """The target."""
    stock = random.Random(1)
    reads = [struct_to_binary(ua.ReadResponse(Results=_values(stock))) for _ in range(200)]
    publishes = [struct_to_binary(_published(stock)) for _ in range(200)]

    def trial(chance: random.Random) -> str:
        if chance.random() < 0.5:
            return _taken("read", lambda data: read_answer(data)[1], reads, chance)
        return _taken("publish", lambda data: publish_answer(data)[1].values, publishes, chance)

    return trial


def _taken(
    name: str,
    decode: "Callable[[bytes], list[tuple[object, int, int, int]]]",
    stock: list[bytes],
    chance: random.Random,
) -> str:
    data = mutated(chance.choice(stock), PIECES, chance)
    if chance.random() < 0.05:
        data = chance.randbytes(chance.randrange(200))
    try:
        values = decode(data)
    except REFUSED as error:
        return f"{name} refused by {type(error).__name__}"
    assert len(values) <= len(data), "more values than bytes"
    for raw, status, source_ns, server_ns in values:
        assert 0 <= source_ns < 2**63
        assert 0 <= server_ns < 2**63
        value, code = number(raw, status, chance.choice((None, None, 0, 3)))
        assert math.isfinite(value) == Quality(code).has_value, (raw, status, value, code)
    return f"{name} decoded"


def _values(chance: random.Random) -> list[ua.DataValue]:
    return [_value(chance) for _ in range(chance.randrange(6))]


def _value(chance: random.Random) -> ua.DataValue:
    kind, python = chance.choice(KINDS)
    array = chance.random() < 0.3
    value = [_one(python, chance) for _ in range(chance.randrange(4))] if array else None
    return ua.DataValue(
        Value=ua.Variant(_one(python, chance) if value is None else value, kind, is_array=array),
        StatusCode=ua.StatusCode(ua.UInt32(chance.choice((0, 0, 0x80050000, 0x40910000)))),
        SourceTimestamp=datetime(2026, 1, 1, tzinfo=UTC),
    )


def _one(python: type, chance: random.Random) -> object:
    choices: dict[type, tuple[object, ...]] = {
        float: (1.5, -0.0, math.nan, math.inf, 5e-324),
        bool: (True, False),
        int: (0, 7, 65535),
        str: ("4.2", "", "x", "1e999", "电压"),
        datetime: (datetime(2026, 1, 1, tzinfo=UTC),),
    }
    return chance.choice(choices[python])


def _published(chance: random.Random) -> ua.PublishResponse:
    items = [
        ua.MonitoredItemNotification(ClientHandle=ua.UInt32(k), Value=value)
        for k, value in enumerate(_values(chance))
    ]
    answer = ua.PublishResponse()
    answer.Parameters.SubscriptionId = ua.UInt32(7)
    answer.Parameters.NotificationMessage.PublishTime = datetime(2026, 1, 1, tzinfo=UTC)
    answer.Parameters.NotificationMessage.NotificationData = [
        ua.DataChangeNotification(MonitoredItems=items)
    ]
    return answer
