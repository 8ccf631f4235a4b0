"""An MQTT 3.1.1 broker's front that swallows chosen messages and confirms them all the same."""

import threading
from collections.abc import Callable

from tests.oracle.proxy import Filter


class Swallow:
    """
    For ``Proxy.filter``: of the PUBLISHes a client sends, those that ``wanted`` names get a PUBACK
    from here and never reach the broker.
    """

    def __init__(self, wanted: Callable[[bytes, bytes], bool]) -> None:
        self.wanted = wanted  # (topic, payload)
        self.swallowed = 0
        self._lock = threading.Lock()

    def __call__(self) -> Filter:
        buffer = bytearray()

        def sieve(data: bytes) -> tuple[bytes, bytes]:
            buffer.extend(data)
            on, back = bytearray(), bytearray()
            while (end := _packet_end(buffer)) is not None:
                packet = bytes(buffer[:end])
                del buffer[:end]
                confirmed = self._swallow(packet)
                if confirmed is None:
                    on += packet
                else:
                    back += confirmed
            return bytes(on), bytes(back)

        return sieve

    def _swallow(self, packet: bytes) -> bytes | None:
        if packet[0] >> 4 != 3 or not packet[0] & 0x06:
            return None
        at = 1
        while packet[at] & 0x80:
            at += 1
        length = int.from_bytes(packet[at + 1 : at + 3], "big")
        topic, rest = packet[at + 3 : at + 3 + length], packet[at + 3 + length :]
        with self._lock:
            if not self.wanted(topic, rest[2:]):
                return None
            self.swallowed += 1
        return b"\x40\x02" + rest[:2]


def _packet_end(buffer: bytearray) -> int | None:
    """Where the first packet ends; None when it is not whole yet."""
    length, shift = 0, 0
    for at in range(1, min(5, len(buffer))):
        length |= (buffer[at] & 0x7F) << shift
        shift += 7
        if not buffer[at] & 0x80:
            end = at + 1 + length
            return end if len(buffer) >= end else None
    return None
