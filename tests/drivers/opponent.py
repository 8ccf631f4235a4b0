"""
A scripted Modbus device that misbehaves on demand: TCP, RTU over TCP, serial on a pty.

Written from the Modbus specifications with nothing shared with ``drivers/``. What it serves is a
pure function of (unit, table, address, cycle), so that a test can tell every wrong value.
"""

import asyncio
import os
import tty
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Self

from simulators.counting import heard

Medium = Literal["tcp", "rtu", "serial"]
Script = Callable[["Asked"], str]


def crc16(data: bytes) -> bytes:
    """Bitwise, as in the specification's appendix; low byte first."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
    return bytes((crc & 0xFF, crc >> 8))


def register(unit: int, function: int, address: int, cycle: int) -> int:
    """What a register holds: scrambled, so that neighbours and cycles have nothing in common."""
    return ((unit * 40503 + function * 8191 + address * 2654435761 + cycle * 97003) >> 5) & 0xFFFF


@dataclass(frozen=True)
class Asked:
    """One request as it came, and how often the device was asked before."""

    unit: int
    function: int
    address: int
    count: int
    number: int
    raw: bytes  # the whole frame


@dataclass
class Opponent:
    """
    ``script(asked)`` names what happens to each request: "good", or one of ``faults()``.

    ``cycle`` is set by the test; ``refused`` are registers answered with exception 2.
    """

    medium: Medium
    script: Script = lambda _asked: "good"
    late_s: float = 0.05
    cycle: int = 0
    refused: frozenset[int] = frozenset()
    units: frozenset[int] = frozenset(range(1, 248))
    requests: Counter[int] = field(default_factory=Counter)
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    played: Counter[str] = field(default_factory=Counter)
    address: str = ""

    async def __aenter__(self) -> Self:
        self._out: Callable[[bytes], None] = lambda _data: None
        self._hang_up: Callable[[], None] = lambda: None
        self._tasks: set[asyncio.Task[None]] = set()
        self._served: dict[asyncio.Task[None] | None, asyncio.StreamWriter] = {}
        self._buffer = b""
        self._previous = b""
        self._server: asyncio.Server | None = None
        self._fds: tuple[int, ...] = ()
        if self.medium == "serial":
            self._open_pty()
        else:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
            self.address = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._server:
            self._server.close()
        for writer in self._served.values():
            writer.close()
        await asyncio.gather(*(task for task in self._served if task))
        for fd in self._fds:
            asyncio.get_running_loop().remove_reader(fd)
            os.close(fd)

    def _open_pty(self) -> None:
        ours, theirs = os.openpty()
        tty.setraw(ours)
        tty.setraw(theirs)
        os.set_blocking(ours, False)
        self.address = os.ttyname(theirs)
        self._fds = (ours, theirs)
        asyncio.get_running_loop().add_reader(ours, self._readable, ours)
        self._out = self._to_pty

    def _to_whoever_is_there(self, data: bytes) -> None:
        self._out(data)

    def _to_pty(self, data: bytes) -> None:
        os.write(self._fds[0], data)

    def _readable(self, fd: int) -> None:
        self._received(os.read(fd, 4096))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._buffer = b""
        self._served[asyncio.current_task()] = writer
        self._out = lambda data: None if writer.is_closing() else writer.write(data)
        self._hang_up = writer.close
        try:
            while data := await reader.read(4096):
                self._received(data)
        except ConnectionError:
            pass
        finally:
            writer.close()

    def _received(self, data: bytes) -> None:
        self._buffer += data
        while request := self._next_request():
            self.asked.append(request)
            self.requests[request.function] += 1
            heard("modbus", request.function, writes=request.function not in {1, 2, 3, 4, 43})
            self._answer(request)

    def _next_request(self) -> Asked | None:
        size = 12 if self.medium == "tcp" else 8
        if len(self._buffer) < size:
            return None
        raw, self._buffer = self._buffer[:size], self._buffer[size:]
        pdu = raw[6:] if self.medium == "tcp" else raw[:-2]
        if self.medium != "tcp":
            assert crc16(raw[:-2]) == raw[-2:], raw.hex()
        return Asked(
            unit=pdu[0],
            function=pdu[1],
            address=int.from_bytes(pdu[2:4], "big"),
            count=int.from_bytes(pdu[4:6], "big"),
            number=len(self.asked),
            raw=raw,
        )

    def good(self, asked: Asked) -> bytes:
        """Unit and PDU of the right answer."""
        span = range(asked.address, asked.address + asked.count)
        if self.refused.intersection(span):
            return bytes((asked.unit, asked.function | 0x80, 2))
        words = [register(asked.unit, asked.function, at, self.cycle) for at in span]
        if asked.function in {1, 2}:
            bits = sum((word & 1) << i for i, word in enumerate(words))
            data = bits.to_bytes((asked.count + 7) // 8, "little")
        else:
            data = b"".join(word.to_bytes(2, "big") for word in words)
        return bytes((asked.unit, asked.function, len(data))) + data

    def framed(self, asked: Asked, reply: bytes) -> bytes:
        if self.medium == "tcp":
            return asked.raw[:4] + len(reply).to_bytes(2, "big") + reply
        return reply + crc16(reply)

    def _answer(self, asked: Asked) -> None:
        # An RTU gateway passes a late reply to whoever is connected by then, TCP to who asked.
        out = self._out if self.medium == "tcp" else self._to_whoever_is_there
        what = self.script(asked) if asked.unit in self.units else "silent"
        self.played[what] += 1
        reply = self.good(asked)
        before = self._previous
        if what != "exception6":  # a busy device has no answer that could come later
            self._previous = self.framed(asked, reply)
        for delay_s, data in self._play(what, asked, reply, before):
            if delay_s == 0:
                out(data)
            elif delay_s < 0:
                asyncio.get_running_loop().call_soon(out, data)
            else:
                self._later(delay_s, data, out)
        if what == "close":
            self._hang_up()

    def _later(self, delay_s: float, data: bytes, out: Callable[[bytes], None]) -> None:
        async def send() -> None:
            await asyncio.sleep(delay_s)
            out(data)

        task = asyncio.get_running_loop().create_task(send())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _play(
        self, what: str, asked: Asked, reply: bytes, before: bytes
    ) -> list[tuple[float, bytes]]:
        """(delay, bytes) of everything that is sent for one request."""
        framed = self.framed(asked, reply)
        unit, function, data = asked.unit, asked.function, reply[3:]
        if what.startswith("exception"):
            code = int(what.removeprefix("exception"))
            return [(0, self.framed(asked, bytes((unit, function | 0x80, code))))]
        half = len(framed) // 2
        short = bytes((unit, function, max(len(data) - 2, 0))) + data[:-2]
        long = bytes((unit, function, min(len(data) + 2, 252))) + data + b"\x12\x34"
        other = bytes((unit, 3 if function == 4 else 4)) + reply[2:]
        plays: dict[str, list[tuple[float, bytes]]] = {
            "good": [(0, framed)],
            "silent": [],
            "close": [],
            "late": [(self.late_s, framed)],
            "later": [(3 * self.late_s, framed)],
            "short": [(0, self.framed(asked, short))],
            "long": [(0, self.framed(asked, long))],
            "half": [(0, framed[:half])],
            "split": [(0, framed[:half]), (0.002, framed[half:])],
            "lying": [(0, self.framed(asked, reply[:-2]))],
            "foreign": [(0, self.framed(asked, bytes((unit % 247 + 1,)) + reply[1:]))],
            "function": [(0, self.framed(asked, other))],
            "crossed": [(0, before)],
            "echo": [(0, asked.raw)],
            "echo+good": [(0, asked.raw + framed)],
            "twice": [(0, framed + framed)],
            "again": [(0, framed), (-1, framed)],  # meets the next question
            "garbage": [(0, b"\xa5\x00\xff" * 7)],
            "flipped": [(0, framed[:-1] + bytes((framed[-1] ^ 0x55,)))],
            "stale id": [(0, b"\0\0" + framed[2:])],
            "protocol": [(0, framed[:2] + b"\x01\x00" + framed[4:])],
        }
        return plays[what]
