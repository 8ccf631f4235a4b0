"""Modbus requests and replies as bytes: the simulator's own codec, pure."""

import struct

from simulators.registers import Bank

_AREAS = {1: "coil", 2: "discrete", 3: "holding", 4: "input"}
_LIMITS = {1: 2000, 2: 2000, 3: 125, 4: 125}
READS = frozenset({1, 2, 3, 4, 43})  # every other function is counted as a write
ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE, NO_TARGET = 1, 2, 3, 11


def _crc_table() -> tuple[int, ...]:
    table = []
    for value in range(256):
        crc = value
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
        table.append(crc)
    return tuple(table)


_CRC = _crc_table()


def crc16(data: bytes) -> bytes:
    """Modbus RTU checksum, low byte first."""
    crc = 0xFFFF
    for byte in data:
        crc = (crc >> 8) ^ _CRC[(crc ^ byte) & 0xFF]
    return crc.to_bytes(2, "little")


def answer(bank: Bank, pdu: bytes) -> bytes:
    """The reply PDU to a request PDU; pure."""
    function = pdu[0]
    if function == 43:
        return _identify(bank, pdu)
    if function not in _AREAS:
        return bytes((function | 0x80, ILLEGAL_FUNCTION))
    if len(pdu) != 5:
        return bytes((function | 0x80, ILLEGAL_VALUE))
    address, count = struct.unpack_from(">HH", pdu, 1)
    if not 1 <= count <= _LIMITS[function]:
        return bytes((function | 0x80, ILLEGAL_VALUE))
    area = _AREAS[function]
    if not bank.allows(area, address, count):
        return bytes((function | 0x80, ILLEGAL_ADDRESS))
    read = bank.registers if function > 2 else bank.bits
    data = read(area, address, count)
    return bytes((function, len(data))) + data


def _identify(bank: Bank, pdu: bytes) -> bytes:
    if len(pdu) != 4 or pdu[1] != 14 or pdu[2] not in {1, 4}:
        return bytes((0xAB, ILLEGAL_VALUE))
    wanted = range(3) if pdu[2] == 1 else (pdu[3],)
    if any(number > 2 for number in wanted):
        return bytes((0xAB, ILLEGAL_ADDRESS))
    objects = b"".join(
        bytes((number, len(text))) + text
        for number in wanted
        for text in [bank.identity[number].encode("ascii")]
    )
    return bytes((43, 14, pdu[2], 0x81, 0, 0, len(wanted))) + objects


def rtu_length(buffer: bytes) -> int:
    """Length of the RTU request that begins here, as far as the bytes tell."""
    function = buffer[1]
    if function == 43:
        return 7
    if function in {15, 16}:
        return 9 + buffer[6] if len(buffer) > 6 else 9
    if function == 23:
        return 13 + buffer[10] if len(buffer) > 10 else 13
    if function == 22:
        return 10
    return 8
