"""
A small fast Modbus server with its own codec, over TCP or as RTU over TCP.

It answers functions 1-4 and 43/14, refuses every write and counts it.
"""

import asyncio
import ssl
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Self

from simulators.counting import heard
from simulators.faults import Faults
from simulators.framing import RtuConnection, TcpConnection
from simulators.pdu import NO_TARGET, READS, answer
from simulators.registers import Bank

Observer = Callable[[int, bytes, bytes], None]  # unit, request PDU, reply PDU


@dataclass
class Statistics:
    """What the server saw; ``writes`` must stay 0 for a read-only client."""

    connections: int = 0
    open_connections: int = 0
    max_open_connections: int = 0
    refused_connections: int = 0
    requests: int = 0
    registers: int = 0
    writes: int = 0
    exceptions: int = 0
    bad_frames: int = 0
    overlapping: int = 0  # a request came before the last one was answered
    max_requests_per_s: int = 0
    by_function: Counter[int] = field(default_factory=Counter)
    _second: int = 0
    _in_second: int = 0

    def count(self, function: int) -> None:
        self.requests += 1
        heard("modbus", function, writes=function not in READS)
        self.by_function[function] += 1
        if function not in READS:
            self.writes += 1
        second = int(time.monotonic())
        if second != self._second:
            self._second, self._in_second = second, 0
        self._in_second += 1
        self.max_requests_per_s = max(self.max_requests_per_s, self._in_second)


class ModbusServer:
    """
    Serves banks by unit id on a loopback port while entered; ``port`` and ``address`` say where.

    ``observe(unit, request, reply)`` sees every answered request. On TCP an unknown unit is
    answered with exception 11, on RTU framing with silence. ``max_connections`` 0 is no limit.
    """

    def __init__(
        self,
        banks: Mapping[int, Bank],
        *,
        name: str = "modbus",
        framing: Literal["tcp", "rtu"] = "tcp",
        faults: Faults | None = None,
        port: int = 0,
        max_connections: int = 0,
        observe: Observer | None = None,
    ) -> None:
        self.banks = banks
        self.name = name
        self.framing = framing
        self.faults = faults or Faults()
        self.port = port
        self.max_connections = max_connections
        self.observe = observe
        self.tls: ssl.SSLContext | None = None  # set before entering: Modbus/TCP Security
        self.statistics = Statistics()
        self.connections: set[asyncio.Transport] = set()
        self._server: asyncio.Server | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        make = TcpConnection if self.framing == "tcp" else RtuConnection
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: make(self), "127.0.0.1", self.port, ssl=self.tls
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._server is not None:
            self._server.close()
            self.drop_connections()
            await self._server.wait_closed()
            self._server = None

    def drop_connections(self) -> None:
        """Cuts every open connection at once."""
        for transport in list(self.connections):
            transport.abort()

    def opened(self, transport: asyncio.Transport) -> bool:
        """Counts a new connection; False when the limit is reached."""
        seen = self.statistics
        seen.connections += 1
        if self.max_connections and len(self.connections) >= self.max_connections:
            seen.refused_connections += 1
            return False
        self.connections.add(transport)
        seen.open_connections = len(self.connections)
        seen.max_open_connections = max(seen.max_open_connections, seen.open_connections)
        return True

    def closed(self, transport: asyncio.Transport) -> None:
        self.connections.discard(transport)
        self.statistics.open_connections = len(self.connections)

    def broken(self) -> None:
        """A frame that is none came in."""
        self.statistics.bad_frames += 1

    def overlapped(self) -> None:
        """A request came before the last one was answered."""
        self.statistics.overlapping += 1

    def reply(self, unit: int, pdu: bytes) -> bytes | None:
        """Counts the request and answers it; None is silence."""
        self.statistics.count(pdu[0])
        bank = self.banks.get(unit)
        if bank is not None:
            reply = answer(bank, pdu)
        elif self.framing == "tcp":
            reply = bytes((pdu[0] | 0x80, NO_TARGET))
        else:
            return None
        if reply[0] & 0x80:
            self.statistics.exceptions += 1
        else:
            self.statistics.registers += len(reply) // 2 - 1
        if self.observe is not None:
            self.observe(unit, pdu, reply)
        return reply
