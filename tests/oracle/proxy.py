"""
A TCP proxy that breaks things: latency, rate, slices, cuts, resets, silence, doubled or bent bytes.

It runs in a thread of its own; ``faults`` may be changed at any time and holds from the next bytes.
"""

import asyncio
import random
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

Filter = Callable[[bytes], tuple[bytes, bytes]]
"""(from the client) → (on to the server, back to the client)."""


@dataclass
class Faults:
    """What is wrong with the line; nothing at first."""

    down: bool = False  # refuses new connections
    silent: bool = False  # half-open: takes bytes and passes none on
    latency_s: float = 0.0
    bytes_per_s: float = 0.0
    slice: int = 0  # bytes passed on at a time
    cut: float = 0.0  # chance per chunk that the connection is reset in the middle of it
    double: float = 0.0  # chance per chunk that it is passed on twice
    flip: float = 0.0  # chance per chunk that one bit is flipped


@dataclass
class Proxy:
    """Between ``port`` (loopback, chosen at entry) and ``target``."""

    target: int
    seed: int = 1
    filter: Callable[[], Filter] | None = None  # one for each connection
    faults: Faults = field(default_factory=Faults)
    port: int = 0
    connections: int = 0
    open: set[asyncio.StreamWriter] = field(default_factory=set)

    def __enter__(self) -> Self:
        self._chance = random.Random(self.seed)
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(lambda *_: None)  # broken pipes are its trade
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def reset(self) -> None:
        """Every connection ends with RST, in the middle of whatever it is saying."""
        self._loop.call_soon_threadsafe(self._reset)

    async def _start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        self._server.close()
        self._reset()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _reset(self) -> None:
        for writer in list(self.open):
            _abort(writer)
        self.open.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.faults.down:
            _abort(writer)
            return
        self.connections += 1
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            _abort(writer)
            return
        pair = {writer, back}
        self.open |= pair
        sieve = self.filter() if self.filter else None
        ways = [
            asyncio.ensure_future(self._pump(reader, back, writer, sieve)),
            asyncio.ensure_future(self._pump(there, writer, back, None)),
        ]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        for each in pair & self.open:
            each.close()
        self.open -= pair

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        origin: asyncio.StreamWriter,
        sieve: Filter | None,
    ) -> None:
        while data := await reader.read(1 << 16):
            if sieve is not None:
                data, answer = sieve(data)
                origin.write(answer)
            faults, chance = self.faults, self._chance
            while self.faults.silent:  # noqa: ASYNC110 - a switch turned in another thread
                await asyncio.sleep(0.05)
            if faults.latency_s:
                await asyncio.sleep(faults.latency_s * chance.random())
            if chance.random() < faults.cut:
                writer.write(data[: chance.randrange(len(data) + 1)])
                await asyncio.sleep(0)
                _abort(writer)
                _abort(origin)
                return
            if data and chance.random() < faults.flip:
                at = chance.randrange(len(data))
                data = data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]
            if chance.random() < faults.double:
                data += data
            await self._pass_on(data, writer)

    async def _pass_on(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        step = self.faults.slice or len(data) or 1
        for at in range(0, len(data), step):
            piece = data[at : at + step]
            writer.write(piece)
            await writer.drain()
            if self.faults.bytes_per_s:
                await asyncio.sleep(len(piece) / self.faults.bytes_per_s)
            elif self.faults.slice:
                await asyncio.sleep(0)


def _abort(writer: asyncio.StreamWriter) -> None:
    """RST instead of FIN."""
    own = writer.get_extra_info("socket")
    if own is not None:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
