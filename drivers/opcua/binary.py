"""
The two OPC UA answers that carry values (Read, Publish), decoded straight into tuples.

OPC 10000-6 §5.2. No object per value: about 1 µs each, a tenth of the general decoder. An answer
with parts that values never need (diagnostics, headers of others) raises UnusualError; the caller
then takes the general decoder. Timestamps are ns since 1970 UTC, 0 where the server gave none.
"""

import struct
from dataclasses import dataclass
from operator import itemgetter

Value = tuple[object, int, int, int]  # raw, status code, source time ns, server time ns

_EPOCH_TICKS = 116_444_736_000_000_000  # 1601-01-01 to 1970-01-01, in steps of 100 ns
_I32 = struct.Struct("<i")
_U32 = struct.Struct("<I")
_HEADER = struct.Struct("<qII")
_MESSAGE = struct.Struct("<Iq")
_SIMPLE = {1: "?", 2: "b", 3: "B", 4: "h", 5: "H", 6: "i", 7: "I", 8: "q", 9: "Q", 10: "f", 11: "d"}
_SIZES = {code: struct.calcsize("<" + letter) for code, letter in _SIMPLE.items()}
_DATE_TIME, _STATUS = 13, 19
_DATA_CHANGE, _STATUS_CHANGE = 811, 820  # binary encoding ids of the two notifications


class UnusualError(Exception):
    """Correct perhaps, but nothing this decoder reads."""


@dataclass(frozen=True, slots=True)
class Published:
    """One Publish answer; ``values[k]`` belongs to the item with handle ``handles[k]``."""

    subscription: int
    sequence: int  # of a keep-alive: the number the next message will have
    published_ns: int
    keep_alive: bool
    handles: list[int]
    values: list[Value]
    status: int  # of a StatusChangeNotification, else 0


def _layouts() -> "dict[int, tuple[struct.Struct, itemgetter[tuple[object, ...]]]]":
    """(mask of the DataValue, encoding of its Variant) → how to unpack and sort the whole of it."""
    found: dict[int, tuple[struct.Struct, itemgetter[tuple[object, ...]]]] = {}
    for mask in range(1, 64, 2):
        parts, order, fields = "", [0], 1
        for bit, letter in ((0x02, "I"), (0x04, "q"), (0x10, "2x"), (0x08, "q"), (0x20, "2x")):
            if mask & bit:
                parts += letter
            if letter != "2x":
                order.append(fields if mask & bit else -1)
                fields += bool(mask & bit)
        for code, letter in _SIMPLE.items():
            found[mask << 8 | code] = (struct.Struct(f"<2x{letter}{parts}"), itemgetter(*order))
    return found


_LAYOUTS = _layouts()
_NOTHING = (0,)


def ticks_to_ns(ticks: int) -> int:
    """OPC UA DateTime to ns since 1970 UTC; 0 for "none" and for the ends of its range."""
    ns = (ticks - _EPOCH_TICKS) * 100
    return ns if 0 < ns < 2**63 else 0


def read_answer(data: bytes) -> tuple[int, list[Value]]:
    """Service result and one Value per node of a ReadResponse."""
    result, at = _response_header(data)
    if result:
        return result, []
    (count,) = _I32.unpack_from(data, at)
    values, at = _data_values(data, at + 4, count, handles=None)
    return 0, values


def publish_answer(data: bytes) -> tuple[int, Published]:
    """Service result and content of a PublishResponse."""
    result, at = _response_header(data)
    if result:
        return result, Published(0, 0, 0, keep_alive=True, handles=[], values=[], status=0)
    (subscription,) = _U32.unpack_from(data, at)
    (available,) = _I32.unpack_from(data, at + 4)
    at += 8 + 4 * max(0, available) + 1  # and "more notifications"
    sequence, published = _MESSAGE.unpack_from(data, at)
    (count,) = _I32.unpack_from(data, at + 12)
    at += 16
    handles: list[int] = []
    values: list[Value] = []
    status = 0
    for _ in range(count):
        kind, at, end = _extension(data, at)
        if kind == _DATA_CHANGE:
            (items,) = _I32.unpack_from(data, at)
            found, _ = _data_values(data, at + 4, items, handles)
            values += found
        elif kind == _STATUS_CHANGE:
            (status,) = _U32.unpack_from(data, at)
        at = end
    return 0, Published(
        subscription, sequence, ticks_to_ns(published), count <= 0, handles, values, status
    )


def _response_header(data: bytes) -> tuple[int, int]:
    """Service result and where the parameters start."""
    at = _skip_node_id(data, 0)
    _, _, result = _HEADER.unpack_from(data, at)
    at += _HEADER.size
    if data[at]:
        raise UnusualError("diagnostics")
    (strings,) = _I32.unpack_from(data, at + 1)
    at += 5
    for _ in range(strings):
        at = _skip_bytes(data, at)
    at = _skip_node_id(data, at)
    if data[at]:
        raise UnusualError("additional header")
    return result, at + 1


def _data_values(
    data: bytes, at: int, count: int, handles: list[int] | None
) -> tuple[list[Value], int]:
    """``count`` DataValues, each after its client handle when ``handles`` is given."""
    values: list[Value] = []
    append = values.append
    layouts = _LAYOUTS.get
    handle_at = _U32.unpack_from
    for _ in range(count):
        if handles is not None:
            handles.append(handle_at(data, at)[0])
            at += 4
        layout = layouts(data[at] << 8 | data[at + 1])
        if layout is None:
            value, at = _any_data_value(data, at)
        else:
            form, pick = layout
            value = pick(form.unpack_from(data, at) + _NOTHING)
            at += form.size
        append(value)
    ns = ticks_to_ns
    return [(raw, status, ns(source), ns(server)) for raw, status, source, server in values], at


def _any_data_value(data: bytes, at: int) -> tuple[Value, int]:
    """A DataValue of any type; times still in ticks."""
    mask = data[at]
    at += 1
    raw: object = None
    if mask & 0x01:
        raw, at = _variant(data, at)
    fields = [0, 0, 0]
    for bit, place, letter in (
        (0x02, 0, "<I"), (0x04, 1, "<q"), (0x10, -1, "<H"), (0x08, 2, "<q"), (0x20, -1, "<H"),
    ):  # fmt: skip
        if mask & bit:
            (number,) = struct.unpack_from(letter, data, at)
            at += struct.calcsize(letter)
            if place >= 0:
                fields[place] = number
    return (raw, fields[0], fields[1], fields[2]), at


def _variant(data: bytes, at: int) -> tuple[object, int]:
    encoding = data[at]
    code = encoding & 0x3F
    at += 1
    if not encoding & 0x80:
        return _scalar(data, at, code)
    (length,) = _I32.unpack_from(data, at)
    at += 4
    length = max(0, length)
    if length > len(data) - at:  # every element takes a byte at least
        raise UnusualError(f"array of {length}")
    array: tuple[object, ...]
    if code in _SIMPLE:
        array = struct.unpack_from(f"<{length}{_SIMPLE[code]}", data, at)
        at += length * _SIZES[code]
    else:
        elements = []
        for _ in range(length):
            element, at = _scalar(data, at, code)
            elements.append(element)
        array = tuple(elements)
    if encoding & 0x40:
        (dimensions,) = _I32.unpack_from(data, at)
        at += 4 + 4 * max(0, dimensions)
    return array, at


def _scalar(  # noqa: PLR0911 - one line per built-in type
    data: bytes, at: int, code: int
) -> tuple[object, int]:
    """Number, text, seconds since 1970 (DateTime), None, or bytes for what is no value to us."""
    if code in _SIMPLE:
        return struct.unpack_from("<" + _SIMPLE[code], data, at)[0], at + _SIZES[code]
    if code == 0:
        return None, at
    if code == _DATE_TIME:
        (ticks,) = struct.unpack_from("<q", data, at)
        return (ticks - _EPOCH_TICKS) / 1e7 if ticks > 0 else None, at + 8
    if code == _STATUS:
        return _U32.unpack_from(data, at)[0], at + 4
    if code == 12:
        return _text(data, at)
    if code in {15, 16}:  # ByteString, XmlElement
        return b"", _skip_bytes(data, at)
    if code == 14:  # Guid
        return b"", at + 16
    if code == 21:  # LocalizedText
        mask = data[at]
        at = _skip_bytes(data, at + 1) if mask & 1 else at + 1
        return _text(data, at) if mask & 2 else (None, at)
    if code == 22:
        return b"", _extension(data, at)[2]
    raise UnusualError(f"built-in type {code}")


def _text(data: bytes, at: int) -> tuple[str | None, int]:
    (length,) = _I32.unpack_from(data, at)
    at += 4
    if length < 0:
        return None, at
    if length > len(data) - at:
        raise UnusualError(f"text of {length} bytes")
    return data[at : at + length].decode("utf-8", "replace"), at + length


def _skip_bytes(data: bytes, at: int) -> int:
    length: int = _I32.unpack_from(data, at)[0]
    if length > len(data) - at:
        raise UnusualError(f"{length} bytes")
    return at + 4 + max(0, length)


def _skip_node_id(data: bytes, at: int) -> int:
    kind = data[at]
    if kind > 5:
        raise UnusualError(f"node id encoding {kind}")
    if kind in {3, 5}:  # String, ByteString
        return _skip_bytes(data, at + 3)
    return at + (2, 4, 7, 0, 19)[kind]


def _extension(data: bytes, at: int) -> tuple[int, int, int]:
    """Numeric id of the type (namespace 0; else 0), start and end of the body."""
    kind = 0
    if data[at] == 1 and data[at + 1] == 0:
        (kind,) = struct.unpack_from("<H", data, at + 2)
    elif data[at] == 2 and data[at + 1 : at + 3] == b"\0\0":
        (kind,) = struct.unpack_from("<I", data, at + 3)
    at = _skip_node_id(data, at)
    encoding = data[at]
    at += 1
    if not encoding:
        return kind, at, at
    end = _skip_bytes(data, at)
    return kind, at + 4, end
