"""From what an OPC UA server answered to a float64 and a Quality: status codes, types, elements."""

import math
import re
from functools import cache

from drivers.model import Quality

_GOOD = int(Quality.GOOD)
_NO_VALUE = int(Quality.NOT_AVAILABLE)
_UNDECODABLE = int(Quality.UNDECODABLE)
_REFUSED = int(Quality.REFUSED)
_EXACT_MAX = 2**53
_NUMBER = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*")

LOCAL_OVERRIDE = 0x0096_0000  # Good, but a person put the value there
SUBSTITUTE_VALUE = 0x4091_0000
OVERFLOW = 0x0480  # info bits: the server's queue of this item overflowed, values were lost

# OPC 10000-4 §7.39 and 10000-8 §6.3; every other bad code is the server refusing this node.
_BAD = {
    Quality.NO_DATA: (
        0x8005, 0x800A, 0x800C, 0x800D, 0x800E, 0x8031, 0x8032, 0x8085, 0x8086, 0x808A, 0x809B,
        0x809D, 0x809E, 0x80AC, 0x80AD, 0x80AE, 0x80B1,
    ),  # communication, time-out, halted, not connected, waiting for the first value, no data
    Quality.DEVICE_FAULT: (0x8002, 0x808B, 0x808C),  # internal, device failure, sensor failure
    Quality.NOT_AVAILABLE: (0x8037, 0x803C, 0x808D),  # no index range, out of range / service
    Quality.UNDECODABLE: (0x8006, 0x8007, 0x8038, 0x8039, 0x8074),  # coding, encoding, type
    Quality.OVERLOAD: (0x8003, 0x8004, 0x8010, 0x807D, 0x80DB, 0x80EE),  # resources, too busy
}  # fmt: skip
_BAD_CODES = {code: quality for quality, codes in _BAD.items() for code in codes}


@cache
def quality_of(status: int) -> Quality:
    """The Quality an OPC UA status code stands for."""
    severity, code = status >> 30, status & 0xFFFF_0000
    if severity == 0:
        return Quality.SUBSTITUTED if code == LOCAL_OVERRIDE else Quality.GOOD
    if severity == 1:
        return Quality.SUBSTITUTED if code == SUBSTITUTE_VALUE else Quality.UNCERTAIN
    return _BAD_CODES.get(code >> 16, Quality.REFUSED)


@cache
def status_name(status: int) -> str:
    """``BadNodeIdUnknown``, for messages."""
    from asyncua import ua

    return str(ua.status_codes.get_name_and_doc(status & 0xFFFF_0000)[0])


def number(raw: object, status: int, element: int | None) -> tuple[float, int]:
    """Value (NaN when there is none) and quality code; texts are UNDECODABLE unless a number."""
    if status:
        quality = quality_of(status)
        if status >> 31:  # whatever comes with a bad status is no value
            return math.nan, int(quality)
        value, other = number(raw, 0, element)
        return value, other or int(quality)
    if element is not None:
        if not isinstance(raw, list | tuple):
            return math.nan, _NO_VALUE if raw is None else _UNDECODABLE
        if element >= len(raw):
            return math.nan, _REFUSED
        raw = raw[element]
    return _scalar(raw)


def _scalar(raw: object) -> tuple[float, int]:
    if isinstance(raw, float):
        return (raw, _GOOD) if math.isfinite(raw) else (math.nan, _NO_VALUE)
    if isinstance(raw, int):  # bool and enum too
        return (float(raw), _GOOD) if -_EXACT_MAX <= raw <= _EXACT_MAX else (math.nan, _UNDECODABLE)
    if isinstance(raw, str) and _NUMBER.fullmatch(raw):
        return _scalar(float(raw))
    return math.nan, _NO_VALUE if raw is None else _UNDECODABLE
