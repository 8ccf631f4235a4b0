"""A Modbus device for judges: every answer carries its own number, and it keeps a ledger of them.

Registers 0–1 hold the number k of the answer (uint32), 2–3 a float32 that is a pure function of k,
4–5 k again. So a judge sees any value that was lost, altered, mixed or invented. Own codec.
"""

import asyncio
import struct
import time
from types import TracebackType
from typing import Self


def reading(number: int) -> float:
    """The float that answer ``number`` carries; exact in float32."""
    return (number * 7919 % 4096) / 64


class NumberedPlc:
    """Serves function 3 on loopback; ``served[k]`` is when answer k was given (time.time_ns)."""

    def __init__(self) -> None:
        self.served: list[int] = []
        self.writes = 0
        self.port = 0
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
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

    def _registers(self) -> bytes:
        number = len(self.served)
        self.served.append(time.time_ns())
        return struct.pack(">IfI", number, reading(number), number)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readexactly(8)
                transaction, _, length, unit, function = struct.unpack(">HHHBB", head)
                body = await reader.readexactly(length - 2)
                if function != 3:
                    self.writes += function in {5, 6, 15, 16, 21, 22, 23}
                    answer = struct.pack(">BBB", unit, function | 0x80, 1)
                else:
                    first, count = struct.unpack(">HH", body)
                    data = self._registers()[first * 2 : (first + count) * 2]
                    answer = struct.pack(">BBB", unit, 3, len(data)) + data
                writer.write(struct.pack(">HHH", transaction, 0, len(answer)) + answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
