"""
A Modbus device whose every value is a pure function of (device, point, slot), and its ledger.

The slot of an answer is its number: answer k serves, for each of its points, ``value(point, k)``.
That function can be turned round, so that a judge who finds a value knows which answer it came
from, and sees at once what was altered, mixed, moved in time, invented or kept twice. Own codec.
"""

import asyncio
import struct
import threading
import time
from collections.abc import Iterable
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from simulators.counting import heard

NUMBERS = 1 << 22  # answers before values repeat
STEP, PLACE = 2_654_435_761 % NUMBERS | 1, 1_299_721
BACK = pow(STEP, -1, NUMBERS)
LOW, FINE = 1024.0, 8192.0  # values lie in [1024, 1536) V, each exact in float32

Whole = npt.NDArray[np.int64]
Real = npt.NDArray[np.float64]


def value(device: int, point: int, number: int) -> float:
    """What ``point`` of ``device`` reads in answer ``number``; exact in float32."""
    return LOW + ((number * STEP + (point + 4096 * device) * PLACE) % NUMBERS) / FINE


def numbers_of(device: int, points: Whole, values: Real) -> Whole:
    """The answers that would carry these values; -1 where no answer can."""
    codes = (values - LOW) * FINE
    whole = np.rint(codes)
    sound = (np.abs(codes - whole) < 0.045) & (whole >= 0) & (whole < NUMBERS)
    moved = (
        np.where(sound, whole, 0).astype(np.int64) - (points + 4096 * device) * PLACE
    ) % NUMBERS
    # STEP · k = moved (mod 2^22); both factors are below 2^22, so the product fits
    return np.where(sound, moved * BACK % NUMBERS, -1)


class FakePlc:
    """
    Serves holding registers 0 … 2 · points − 1 over Modbus TCP from a thread of its own.

    ``served[k]`` is (time_ns, first point, how many). ``writes`` counts what nobody may ask.
    """

    def __init__(self, points: int, *, device: int = 0, rtu: bool = False) -> None:
        self.points, self.device, self.rtu = points, device, rtu
        self.served: list[tuple[int, int, int]] = []
        self.writes = self.connections = 0
        self.port = 0
        self._server: asyncio.Server | None = None

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(10)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        assert self._server is not None
        self._server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def answer(self, first: int, count: int) -> bytes:
        """The registers from ``first`` on; the next number is used up."""
        number, point, beyond = len(self.served), first // 2, (first + count + 1) // 2
        self.served.append((time.time_ns(), point, beyond - point))
        values: Iterable[float] = (value(self.device, p, number) for p in range(point, beyond))
        data = struct.pack(f">{beyond - point}f", *values)
        return data[(first % 2) * 2 :][: count * 2]

    def _reply(self, request: bytes) -> bytes:
        unit, function = request[0], request[1]
        heard("modbus", function, writes=function not in {1, 2, 3, 4, 43})
        if function != 3:
            self.writes += function in {5, 6, 15, 16, 21, 22, 23}
            return bytes([unit, function | 0x80, 1])
        first, count = struct.unpack(">HH", request[2:6])
        if first + count > 2 * self.points:
            return bytes([unit, 0x83, 2])
        data = self.answer(first, count)
        return bytes([unit, 3, len(data)]) + data

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                if self.rtu:
                    request = await reader.readexactly(8)
                    reply = self._reply(request[:6])
                    writer.write(reply + crc16(reply))
                else:
                    head = await reader.readexactly(6)
                    transaction, _, length = struct.unpack(">HHH", head)
                    reply = self._reply(await reader.readexactly(length))
                    writer.write(struct.pack(">HHH", transaction, 0, len(reply)) + reply)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # cancelled only when the device is closed
        finally:
            writer.close()


def crc16(frame: bytes) -> bytes:
    """Of Modbus RTU, low byte first."""
    crc = 0xFFFF
    for byte in frame:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return struct.pack("<H", crc)
