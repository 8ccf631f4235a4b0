"""One client connection of a simulated device: framing, order of answers, line faults."""

import asyncio
import struct
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Protocol

from simulators.faults import Fault, Faults
from simulators.pdu import crc16, rtu_length


class Answering(Protocol):
    """What a connection needs from the server behind it."""

    name: str
    faults: Faults

    def opened(self, transport: asyncio.Transport) -> bool: ...

    def closed(self, transport: asyncio.Transport) -> None: ...

    def reply(self, unit: int, pdu: bytes) -> bytes | None: ...

    def broken(self) -> None: ...

    def overlapped(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its right answer."""

    head: bytes  # transaction id on TCP
    unit: int
    request_pdu: bytes
    reply_pdu: bytes
    request: bytes


class Connection(asyncio.Protocol, ABC):
    """One client: collects bytes, answers whole requests in order, applies line faults."""

    def __init__(self, server: Answering) -> None:
        self.server = server
        self.buffer = b""
        self.transport: asyncio.Transport | None = None
        self.previous = b""
        self.waiting = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - TCP gives nothing else
        if self.server.opened(transport):
            self.transport = transport
        else:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if self.transport is not None:
            self.server.closed(self.transport)
        self.transport = None

    @abstractmethod
    def frame(self, head: bytes, unit: int, pdu: bytes) -> bytes:
        """Head, unit and PDU as one frame of this framing."""

    def handle(self, head: bytes, unit: int, pdu: bytes, request: bytes) -> None:
        server = self.server
        if self.waiting:
            server.overlapped()
        fault = server.faults.of_request(server.name, f"{server.name}/{unit}")
        reply = server.reply(unit, pdu)
        if reply is None:
            return
        if fault is None:
            self.previous = self.frame(head, unit, reply)
            self.send(self.previous)
        else:
            self.misbehave(fault, Exchange(head, unit, pdu, reply, request))

    def misbehave(self, fault: Fault, now: Exchange) -> None:
        good = self.frame(now.head, now.unit, now.reply_pdu)
        amount = fault.amount
        match fault.name:
            case "drop":
                if self.transport is not None:
                    self.transport.abort()
            case "stall":
                pass
            case "late":
                self.send_later(1.0 if amount is None else amount, good)
            case "split":
                self.send(good[:5])
                self.send_later(0.02 if amount is None else amount, good[5:])
            case "stale":
                self.send(self.previous + good)
                self.previous = good
            case _:
                self.send(self.spoiled(fault, now, good))

    def spoiled(self, fault: Fault, now: Exchange, good: bytes) -> bytes:
        reply = now.reply_pdu
        match fault.name:
            case "exception":
                code = 4 if fault.amount is None else int(fault.amount)
                wrong = self.frame(now.head, now.unit, bytes((reply[0] | 0x80, code)))
            case "short":
                less = bytes((reply[0], max(reply[1] - 2, 0))) + reply[2:-2]
                wrong = self.frame(now.head, now.unit, less)
            case "cut":
                wrong = good[: max(len(good) // 2, 1)]
            case "crossed":
                other = bytes(byte ^ 0x5A for byte in now.head)
                wrong = self.frame(other, now.unit, reply)
            case "foreign":
                wrong = self.frame(now.head, (now.unit + 1) % 248, reply)
            case "echo":
                wrong = now.request
            case "crc":
                wrong = good[:-1] + bytes((good[-1] ^ 0xFF,))
            case _:
                wrong = self.server.faults.noise(len(good))
        return wrong

    def send(self, data: bytes) -> None:
        if self.transport is not None:
            self.transport.write(data)

    def send_later(self, delay_s: float, data: bytes) -> None:
        self.waiting += 1

        def now() -> None:
            self.waiting -= 1
            self.send(data)

        asyncio.get_running_loop().call_later(delay_s, now)


class TcpConnection(Connection):
    """MBAP framing: transaction id, protocol 0, length, unit."""

    def frame(self, head: bytes, unit: int, pdu: bytes) -> bytes:
        return head + struct.pack(">HHB", 0, len(pdu) + 1, unit) + pdu

    def data_received(self, data: bytes) -> None:
        buffer = self.buffer + data if self.buffer else data
        while len(buffer) >= 8:
            protocol, length = struct.unpack_from(">HH", buffer, 2)
            if protocol != 0 or not 2 <= length <= 254:
                self.server.broken()
                if self.transport is not None:
                    self.transport.abort()
                return
            end = 6 + length
            if len(buffer) < end:
                break
            self.handle(buffer[:2], buffer[6], buffer[7:end], buffer[:end])
            buffer = buffer[end:]
        self.buffer = buffer


class RtuConnection(Connection):
    """RTU framing: unit, PDU, CRC; the length follows from the function."""

    def frame(self, head: bytes, unit: int, pdu: bytes) -> bytes:
        body = head + bytes((unit,)) + pdu
        return body + crc16(body)

    def data_received(self, data: bytes) -> None:
        buffer = self.buffer + data
        while len(buffer) >= 4:
            length = rtu_length(buffer)
            if len(buffer) < length:
                break
            request = buffer[:length]
            if crc16(request[:-2]) != request[-2:]:
                self.server.broken()
                buffer = b""  # a slave waits for silence; on a stream the rest is dropped
                break
            self.handle(b"", request[0], request[1:-2], request)
            buffer = buffer[length:]
        self.buffer = buffer
