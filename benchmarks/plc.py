"""
Child: a fast Modbus TCP responder for many devices; own code, replies built beforehand.

``python -m benchmarks.plc IMAGES.npz --period S [--clock DEVICE:REGISTER]…``: array ``n``
(variants × registers) is device ``n`` on its own port; every ``period`` seconds all devices
show their next variant. Two clock registers hold the ms since the PLC's epoch as uint32.
"""

import argparse
import asyncio
import signal
import struct
import time
from pathlib import Path

import numpy as np
import uvloop

from benchmarks.children import say

REQUEST = struct.Struct(">HHHBBHH")
HEAD = struct.Struct(">HHHBBB")
NOT_A_FUNCTION, NOT_AN_ADDRESS = 1, 2


class Device:
    """The registers of one device; ``reply`` is everything of an answer behind transaction id."""

    def __init__(self, variants: list[bytes], period_s: float, clock: int | None) -> None:
        self.variants = variants
        self.period_s = period_s
        self.clock = clock
        self.epoch_ns = time.time_ns()
        self.requests = 0
        self._made: dict[tuple[int, int, int, int, int], bytes] = {}

    def reply(self, unit: int, function: int, address: int, count: int) -> bytes:
        self.requests += 1
        now_ns = time.time_ns() - self.epoch_ns
        variant = int(now_ns / 1e9 / self.period_s) % len(self.variants)
        key = (variant, unit, function, address, count)
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = self._make(*key)
        if self.clock is not None and address <= self.clock <= address + count - 2:
            at = 7 + 2 * (self.clock - address)
            return made[:at] + struct.pack(">I", now_ns // 1_000_000) + made[at + 4 :]
        return made

    def _make(self, variant: int, unit: int, function: int, address: int, count: int) -> bytes:
        registers = self.variants[variant]
        if function not in (3, 4):
            return struct.pack(">HHBBB", 0, 3, unit, function | 0x80, NOT_A_FUNCTION)
        data = registers[2 * address : 2 * (address + count)]
        if len(data) != 2 * count or not 1 <= count <= 125:
            return struct.pack(">HHBBB", 0, 3, unit, function | 0x80, NOT_AN_ADDRESS)
        return struct.pack(">HHBBB", 0, 3 + len(data), unit, function, len(data)) + data


class Connection(asyncio.Protocol):
    """One client; pipelined requests are answered in one write."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        data = self.rest + data if self.rest else data
        at, answers = 0, []
        while len(data) - at >= REQUEST.size:
            _, _, length, unit, function, address, count = REQUEST.unpack_from(data, at)
            if length != 6:
                self.transport.close()
                return
            answers.append(data[at : at + 2] + self.device.reply(unit, function, address, count))
            at += REQUEST.size
        self.rest = data[at:]
        self.transport.write(b"".join(answers))


async def serve(path: Path, period_s: float, clocks: dict[int, int]) -> None:
    images = np.load(path)
    loop = asyncio.get_running_loop()
    devices, ports = [], []
    for number in range(len(images.files)):
        image = images[str(number)]
        variants = [row.tobytes() for row in image]
        device = Device(variants, period_s, clocks.get(number))
        server = await loop.create_server(lambda d=device: Connection(d), "127.0.0.1", 0)  # type: ignore[misc]
        devices.append(device)
        ports.append(server.sockets[0].getsockname()[1])
    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    say(ports=ports, epochs_ns=[device.epoch_ns for device in devices])
    await ended.wait()
    say(requests=[device.requests for device in devices])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("images", type=Path)
    parser.add_argument("--period", type=float, default=1.0)
    parser.add_argument("--clock", action="append", default=[])
    given = parser.parse_args()
    pairs = (text.split(":") for text in given.clock)
    clocks = {int(device): int(register) for device, register in pairs}
    uvloop.run(serve(given.images, given.period, clocks))


if __name__ == "__main__":
    main()
