"""
The check sum of HJ 212 (Appendix A), and the wrong ones that real devices send.

r starts as 0xFFFF; for each byte r = (r >> 8) xor byte, then eight shifts with 0xA001. What is
kept from byte to byte is therefore eight bits only, h → M(h xor byte) with a linear M, and M to the
power of eight is the identity. So the sum of a text is that of the xor of its 8-byte words, which
is how it is calculated here; what it can therefore not detect stands in docs/hj212.md.
"""

from typing import Literal

CrcKind = Literal["right", "modbus", "modbus_swapped", "swapped", "wrong", "missing", "encrypted"]

_POLYNOMIAL = 0xA001
_WORD = 64  # bits after which M repeats


def _shifted(register: int) -> int:
    for _ in range(8):
        register = (register >> 1) ^ (_POLYNOMIAL if register & 1 else 0)
    return register


_TABLE = tuple(_shifted(octet) for octet in range(256))


def crc16(segment: bytes) -> int:
    """The sum over the plain data segment; 0xFFFF for an empty one."""
    if not segment:
        return 0xFFFF
    bits = 8 * len(segment)
    folded = int.from_bytes(segment) ^ 0xFF << bits - 8
    while bits > _WORD:
        half = -(-bits // (2 * _WORD)) * _WORD
        folded = (folded >> half) ^ (folded & (1 << half) - 1)
        bits = half
    register = 0
    for octet in folded.to_bytes(_WORD // 8):
        register = _TABLE[register >> 8 ^ octet]
    return register


def crc16_modbus(segment: bytes) -> int:
    """The Modbus sum, for naming it when a device sends it by mistake."""
    register = 0xFFFF
    for octet in segment:
        register = register >> 8 ^ _TABLE[register & 0xFF ^ octet]
    return register


def crc_text(value: int) -> str:
    """Four capital hex digits, high byte first."""
    return f"{value:04X}"


def swapped(value: int) -> int:
    """Low byte first."""
    return (value & 0xFF) << 8 | value >> 8


def name_crc(segment: bytes, received: int) -> CrcKind:
    """Which sum of the segment was sent; a symmetric one counts as the right one."""
    expected = crc16(segment)
    if received == expected:
        return "right"
    modbus = crc16_modbus(segment)
    if received == modbus:
        return "modbus"
    if received == swapped(modbus):
        return "modbus_swapped"
    return "swapped" if received == swapped(expected) else "wrong"
