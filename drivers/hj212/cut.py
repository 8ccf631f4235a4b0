"""
Where a packet begins and ends in some bytes, and whether length and sum are right.

The declared length is believed when the sum agrees, or when four hex digits and a line end stand
where they should. Else the packet ends with its line, or where the next one begins, and what
follows is looked at anew: one damaged packet never takes the next one with it.
"""

import re
from dataclasses import dataclass
from enum import Enum

from drivers.hj212.crc import CrcKind, crc16, name_crc
from drivers.hj212.sm4 import BLOCK, decrypt_body

LENGTH_MOST = 9999  # four digits; the standard allows 1024, some devices send more
_BEFORE, _SUM, _END = 6, 4, 2  # bytes: ## and length, CRC, CR LF
PACKET_MOST = _BEFORE + LENGTH_MOST + _SUM + _END

_START = re.compile(rb"##(?:(\d{4})|(?=[^#\r\n]{0,6}?(?:QN|ST|CN)=))")
_LINE_END = re.compile(rb"[\r\n]|(?=##\d{4})")
_INNER = re.compile(rb"[\r\n]##\d{4}")
_HEX = re.compile(rb"[0-9A-Fa-f]{4}")
_LOOKS_LIKE_ONE = re.compile(rb"(?:QN|ST|CN|PW|MN|CP)=")
_FLAG_2025 = re.compile(rb"Flag=(?:[89]|1[01]);")
_HEAD_MOST = 256  # bytes before the body; a longer head is never one of cipher text
_OPEN, _CLOSE = b"CP=&&", b"&&"
_MAY_GO_ON = 16  # bytes at the end of a buffer in which a packet may just begin
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")


class Nothing(Enum):
    """Why there is no packet."""

    WAIT = 1  # bytes are missing
    NONE = 2  # no packet begins in these bytes


@dataclass(frozen=True, slots=True)
class Cut:
    """A packet in its buffer, from ``start`` to ``end``; the rest as in ``Frame``."""

    start: int
    end: int
    declared: int | None
    wire: bytes  # segment as on the wire
    plain: bytes
    crc: bytes
    kind: CrcKind
    encrypted: bool
    whole: bool  # the declared length holds
    line_end: bool  # ends with CR LF


def find_cut(
    data: bytes | bytearray, at: int, *, key: bytes | None, final: bool
) -> tuple[Cut | Nothing, int]:
    """
    The first packet from byte ``at`` on, and where to look next: before it there is only noise.

    ``final``: nothing follows these bytes. With WAIT, look again from there when there are more.
    """
    while True:
        found = _START.search(data, at)
        if found is None:
            return Nothing.NONE, _tail(data, at, final=final)
        start, digits = found.start(), found[1]
        cut = _by_length(data, start, int(digits), key, final=final) if digits else None
        if cut is None:
            cut = _by_line(data, start, int(digits) if digits else None, key, final=final)
        if cut is Nothing.WAIT:
            return Nothing.WAIT, start
        if isinstance(cut, Cut):
            return cut, cut.end
        at = start + 2  # two hashes in some noise


def _tail(data: bytes | bytearray, at: int, *, final: bool) -> int:
    """From where on bytes must be kept because a packet may begin there."""
    if final:
        return len(data)
    hashes = data.rfind(b"##", max(at, len(data) - _MAY_GO_ON))
    if hashes >= 0:
        return hashes
    return len(data) - 1 if data.endswith(b"#") and len(data) > at else len(data)


def _by_length(
    data: bytes | bytearray, start: int, length: int, key: bytes | None, *, final: bool
) -> Cut | Nothing | None:
    """The packet as its length says; None when that cannot be."""
    first = start + _BEFORE
    last = first + length
    if len(data) < last + _SUM + _END and not final:
        return Nothing.WAIT
    wire, crc = bytes(data[first:last]), bytes(data[last : last + _SUM])
    if len(wire) < length or not _HEX.fullmatch(crc):
        return None
    end, line_end = _end(data, last + _SUM)
    plain, kind, encrypted = judge(wire, int(crc, 16), key)
    if kind != "right":
        ended = line_end or end >= len(data) or data[end : end + 2] == b"##" or end > last + _SUM
        if not ended or (kind != "encrypted" and _INNER.search(wire)):
            return None
        if kind == "wrong":
            kind = name_crc(wire, int(crc, 16))
    return Cut(start, end, length, wire, plain, crc, kind, encrypted, True, line_end)


def _by_line(
    data: bytes | bytearray, start: int, length: int | None, key: bytes | None, *, final: bool
) -> Cut | Nothing | None:
    """The packet up to the end of its line, its length being wrong or missing; None: no packet."""
    first = start + (2 if length is None else _BEFORE)
    found = _LINE_END.search(data, first, start + PACKET_MOST + _BEFORE)
    if found is None and not final and len(data) - start < PACKET_MOST:
        return Nothing.WAIT
    stop = len(data) if found is None else found.start()
    if stop + 1 == len(data) and data[stop:] == b"\r" and not final:
        return Nothing.WAIT  # its LF may come
    stop = min(stop, start + PACKET_MOST)
    text = bytes(data[first:stop])
    if length is None:  # whatever stands for the length
        named = _LOOKS_LIKE_ONE.search(text)
        text = text[named.start() :] if named else text
    close = text.rfind(_CLOSE)
    crc = text[close + 2 :].strip()[:_SUM] if close >= 0 else b""
    if _HEX.fullmatch(crc):
        wire = text[: close + 2]
        plain, kind, encrypted = judge(wire, int(crc, 16), key)
        if kind == "wrong":
            kind = name_crc(wire, int(crc, 16))
    else:
        wire = plain = text
        crc, kind, encrypted = b"", "missing", False
    if kind in {"wrong", "missing"} and not _LOOKS_LIKE_ONE.search(wire[:256]):
        return None
    end, line_end = _end(data, stop)
    return Cut(start, end, length, wire, plain, crc, kind, encrypted, len(wire) == length, line_end)


def _end(data: bytes | bytearray, at: int) -> tuple[int, bool]:
    """The byte after the line end that stands there, and whether it is CR LF."""
    if data[at : at + 2] == b"\r\n":
        return at + 2, True
    return (at + 1 if data[at : at + 1] in (b"\r", b"\n") else at), False


def judge(wire: bytes, received: int, key: bytes | None) -> tuple[bytes, CrcKind, bool]:
    """The plain segment, whether the sum fits (right, wrong, encrypted), whether it was cipher."""
    cipher = _cipher_body(wire)
    fits = crc16(wire) == received
    if cipher is None:
        return wire, "right" if fits else "wrong", False
    start, end, opaque = cipher
    if key is not None and (opaque or not fits):
        plain = wire[:start] + decrypt_body(wire[start:end], key) + wire[end:]
        if crc16(plain) == received and _is_text(plain):
            return plain, "right", True
    if opaque:
        return wire, "encrypted", True
    return wire, "right" if fits else "wrong", False


def _cipher_body(wire: bytes) -> tuple[int, int, bool] | None:
    """Where a body stands that may be SM4 cipher text, and whether it is no text."""
    start = wire.find(_OPEN, 0, _HEAD_MOST)
    if start < 0 or not wire.endswith(_CLOSE):
        return None
    start += len(_OPEN)
    end = len(wire) - len(_CLOSE)
    if end - start < BLOCK or not _FLAG_2025.search(wire, 0, start):
        return None
    return start, end, not _is_text(wire[start:end])


def _is_text(octets: bytes) -> bool:
    if octets.isascii():
        return _CONTROL.search(octets) is None
    try:
        octets.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return _CONTROL.search(octets) is None
