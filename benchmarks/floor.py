"""
Child: the floor – the least a program can do for the same registers; kept beside the product.

uvloop, a bare protocol (or pymodbus), one numpy view per block, one precompiled %-template per
block, minute sums, zstd and one synchronous commit a second. No MQTT, no per-value quality, no
receipts, no time-outs. Float32 only. ``--interval 0`` reads as fast as the devices answer.
"""

import argparse
import asyncio
import os
import sqlite3
import struct
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import uvloop
import zstandard
from pymodbus.client import AsyncModbusTcpClient

from benchmarks.children import say
from benchmarks.measure import percentile, rss_mb

Read = Callable[[int, int], Awaitable[bytes]]  # address, count -> big-endian registers


class Bare(asyncio.Protocol):
    """One request at a time, matched by nothing: only a floor may do this."""

    def __init__(self) -> None:
        self.answer: asyncio.Future[bytes] | None = None
        self.rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self.rest += data
        if len(self.rest) >= 9 and len(self.rest) >= 9 + self.rest[8]:
            data, self.rest = self.rest, b""
            if self.answer is not None:
                self.answer.set_result(data[9:])

    def read(self, address: int, count: int) -> Awaitable[bytes]:
        self.answer = asyncio.get_running_loop().create_future()
        self.transport.write(struct.pack(">HHHBBHH", 1, 0, 6, 1, 3, address, count))
        return self.answer


async def bare(port: int) -> Read:
    loop = asyncio.get_running_loop()
    _, protocol = await loop.create_connection(Bare, "127.0.0.1", port)
    return protocol.read


async def pymodbus(port: int) -> Read:
    client = AsyncModbusTcpClient("127.0.0.1", port=port, timeout=1.0, retries=0)
    await client.connect()

    async def read(address: int, count: int) -> bytes:
        reply = await client.read_holding_registers(address, count=count, device_id=1)
        return np.array(reply.registers, dtype=">u2").tobytes()

    return read


class Block:
    """Up to 62 float32 that one request brings: view, line, minute sums."""

    def __init__(self, device: int, address: int, values: int) -> None:
        self.address, self.values = address, values
        fields = ",".join(f"v{number}=%.9g" for number in range(values))
        self.template = f"pot,plant=p,line=l{device},unit=b{address} {fields} %d"
        self.sums = np.zeros(values)
        self.count = 0

    def line(self, data: bytes, now_ns: int) -> str:
        values = np.frombuffer(data, ">f4").astype(np.float64)
        self.sums += values
        self.count += 1
        return self.template % (*values.tolist(), now_ns)


class Floor:
    """Polls until the time is over; ``lines`` go to disk once a second."""

    def __init__(self, path: Path) -> None:
        self.database = sqlite3.connect(path, isolation_level=None)
        self.database.execute("PRAGMA journal_mode=WAL")
        self.database.execute("PRAGMA synchronous=FULL")
        self.database.execute("CREATE TABLE batch (seq INTEGER PRIMARY KEY, data BLOB)")
        self.compressor = zstandard.ZstdCompressor(level=1)
        self.lines: list[str] = []
        self.values = 0
        self.late_ms: list[float] = []

    async def poll(self, read: Read, blocks: list[Block], interval_s: float, end: float) -> None:
        due = time.monotonic() + interval_s
        while (now := time.monotonic()) < end:
            if interval_s:
                await asyncio.sleep(due - now)
                self.late_ms.append((time.monotonic() - due) * 1e3)
                due += interval_s
            for block in blocks:
                data = await read(block.address, 2 * block.values)
                self.lines.append(block.line(data, time.time_ns()))
                self.values += block.values

    async def commit(self, end: float) -> None:
        while time.monotonic() < end:
            await asyncio.sleep(1.0)
            lines, self.lines = self.lines, []
            packed = self.compressor.compress("\n".join(lines).encode())
            self.database.execute("INSERT INTO batch (data) VALUES (?)", (packed,))


async def run(given: argparse.Namespace) -> None:
    floor = Floor(given.folder / "floor.sqlite")
    make = bare if given.client == "bare" else pymodbus
    reads = [await make(port) for port in given.ports]
    plan = [_blocks(number, given.values) for number in range(len(reads))]
    await asyncio.sleep(0.5)
    cpu, start, late_from = time.process_time(), time.monotonic(), len(floor.late_ms)
    async with asyncio.TaskGroup() as group:
        for read, blocks in zip(reads, plan, strict=True):
            group.create_task(floor.poll(read, blocks, given.interval, start + given.seconds))
        group.create_task(floor.commit(start + given.seconds))
    wall_s = time.monotonic() - start
    late = floor.late_ms[late_from:] or [0.0]
    say(
        values=floor.values,
        wall_s=wall_s,
        cpu_s=time.process_time() - cpu,
        rss_mb=rss_mb(os.getpid()),
        late_p50_ms=percentile(late, 0.5),
        late_p99_ms=percentile(late, 0.99),
    )


def _blocks(device: int, values: int) -> list[Block]:
    return [Block(device, 2 * at, min(62, values - at)) for at in range(0, values, 62)]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--ports", type=int, nargs="+", required=True)
    parser.add_argument("--values", type=int, default=62, help="float32 values of each device")
    parser.add_argument("--interval", type=float, default=1.0)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--client", choices=("bare", "pymodbus"), default="bare")
    uvloop.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
