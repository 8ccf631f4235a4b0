"""CPU per value of each step on its own: the product's real functions beside the floor's."""

import asyncio
import sqlite3
import statistics
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import uvloop
import zstandard

from agent.batches.log import BatchLog
from agent.edge.publish import Publisher
from agent.minutes.counters import Counters
from agent.minutes.quality import Judge
from agent.minutes.windows import Minutes
from agent.mqtt import MqttConfig
from agent.wire.encode import BatchHead, FrameEncoder, batch_payload
from benchmarks.backlog import GATEWAY, PLANT, device_of, frames_of, series_of
from benchmarks.children import Child
from benchmarks.floor import Block, bare, pymodbus
from benchmarks.layout import BLOCK, Bank, image
from benchmarks.measure import REPEATS, cpu_us
from benchmarks.plant import Setting, broker, plc
from benchmarks.table import Row, Section
from drivers.config import DeviceConfig, make_driver
from drivers.decode import PAD, Decoder
from drivers.model import Floats, Frame, Group
from drivers.plan import limits_of, places_of, plan_blocks, spans_of

FRAMES = 2000
READS = 1000
BATCHES = 20
FRAMES_A_BATCH = 500  # 31,000 values: a second of 50 devices at 10 Hz


def run(setting: Setting) -> Section:
    """Each step for frames of 62 values (one request) and of 806 (13 requests)."""
    rows: list[Row] = []
    for units in (2, 26):
        bank = Bank("line1", "u", 1, units, BLOCK)
        rows += _frame_rows(setting.folder, bank)
    rows += uvloop.run(_batch_rows(setting.folder))
    return Section(
        "steps",
        "CPU per value, step by step",
        "Median of 5 timings of the product's own functions in one process (all its threads); "
        "float32, all good. *read* holds asking, checking the reply, and *decode*. *log* holds "
        "joining, SHA-256, zstd, CRC and the synced write of batches of 31,000 values; its floor "
        "is zstd and a synchronous SQLite commit. *publish* goes to a real broker and waits for "
        "receipts.",
        tuple(rows),
    )


def _frame_rows(folder: Path, bank: Bank) -> list[Row]:
    name = f"{bank.points} values a frame"
    _, group = device_of(folder, bank, "d00", 1.0)
    series = series_of(group, bank, FRAMES, 1)
    frames = list(frames_of(group, series))
    n = FRAMES * len(group.points)
    judge, encoder = Judge(group), FrameEncoder(PLANT, GATEWAY, group)
    product, floor, with_pymodbus = uvloop.run(_read_us(folder, bank))
    sums, lines = _sums_us(series, n), _template_us(series, n)
    return [
        Row(f"read, {name}", product, "µs", floor=floor),
        Row(f"read, {name}: floor with pymodbus", with_pymodbus, "µs", floor=floor),
        _decode_row(folder, name, bank),
        Row(f"quality, {name}", cpu_us(lambda: [judge.judge(f) for f in frames], n), "µs"),
        Row(f"window, {name}", cpu_us(lambda: _windows(group, frames), n), "µs", floor=sums),
        Row(
            f"encode, {name}",
            cpu_us(lambda: [encoder.encode(frame) for frame in frames], n),
            "µs",
            floor=lines,
        ),
    ]


async def _read_us(folder: Path, bank: Bank) -> tuple[float, float, float]:
    """CPU per value of reading: the driver, the bare floor, the floor with pymodbus."""
    with plc(folder, [image(bank, 64, 1)], 0.01) as device:
        port = device.hello["ports"][0]
        config, group = device_of(folder, bank, "d00", 1.0, port)
        async with make_driver((config,), (group,)) as driver:
            product = await _awaited_us(lambda: driver.read(group, 1), READS, bank.points)
        floors = [await _floor_us(await make(port), bank.points) for make in (bare, pymodbus)]
    return product, floors[0], floors[1]


async def _floor_us(read: Callable[[int, int], Awaitable[bytes]], values: int) -> float:
    blocks = [Block(0, 2 * at, min(62, values - at)) for at in range(0, values, 62)]

    async def once() -> None:
        for block in blocks:
            data = await read(block.address, 2 * block.values)
            np.frombuffer(data, ">f4").astype(np.float64)

    return await _awaited_us(once, READS, values)


async def _awaited_us(work: Callable[[], Awaitable[object]], times: int, values: int) -> float:
    """Median CPU µs per value of awaiting ``work`` over and over."""
    for _ in range(10):
        await work()
    found = []
    for _ in range(REPEATS):
        start = time.process_time_ns()
        for _ in range(times // REPEATS):
            await work()
        found.append((time.process_time_ns() - start) / 1e3 / (times // REPEATS * values))
    return statistics.median(found)


def _decode_row(folder: Path, name: str, bank: Bank) -> Row:
    config, group = device_of(folder, bank, "d00", 1.0)
    decoder, size = _decoder(config, group)
    buffers = [PAD + row.tobytes()[: size - len(PAD)] for row in image(bank, 64, 3)]

    def product() -> None:
        for number in range(FRAMES):
            decoder.decode(buffers[number % 64])

    def floor() -> None:
        for number in range(FRAMES):
            np.frombuffer(buffers[number % 64], ">f4", -1, len(PAD)).astype(np.float64)

    n = FRAMES * len(group.points)
    return Row(f"decode, {name}", cpu_us(product, n), "µs", floor=cpu_us(floor, n))


def _decoder(config: DeviceConfig, group: Group) -> tuple[Decoder, int]:
    blocks = plan_blocks(spans_of(group.points), limits_of(config))
    places, size = places_of(group.points, blocks)
    return Decoder(group.points, places, size), size


def _windows(group: Group, frames: list[Frame]) -> None:
    minutes, counters = Minutes(group), Counters(group)
    for frame in frames:
        minutes.add(frame, counters.add(frame) if len(counters) else None)


def _sums_us(series: Floats, n: int) -> float:
    def sums() -> None:
        total = np.zeros(series.shape[1])
        for values in series:
            total += values

    return cpu_us(sums, n)


def _template_us(series: Floats, n: int) -> float:
    template = ",".join(f"v{number}=%.9g" for number in range(series.shape[1])) + " %d"
    return cpu_us(lambda: [(template % (*v.tolist(), 1)).encode() for v in series], n)


async def _batch_rows(folder: Path) -> list[Row]:
    bank = Bank("line1", "u", 1, 2, BLOCK)
    _, group = device_of(folder, bank, "d00", 0.1)
    encoder = FrameEncoder(PLANT, GATEWAY, group)
    series = series_of(group, bank, FRAMES_A_BATCH, 2)
    parts = [encoder.encode(frame) for frame in frames_of(group, series)]
    values = FRAMES_A_BATCH * bank.points
    async with BatchLog(folder / "log", stream="raw") as log:
        log_us = await _log_us(log, parts, values)
        publish_us = await _publish_us(folder, log, BATCHES * values)
    return [
        Row("log", log_us, "µs", floor=_commit_us(folder, b"\n".join(parts), values)),
        Row("publish", publish_us, "µs"),
    ]


async def _log_us(log: BatchLog, parts: list[bytes], values: int) -> float:
    head = BatchHead(PLANT, GATEWAY, "raw", "0" * 16)
    times = []
    for _ in range(BATCHES):
        now_ns = time.time_ns()

        def make(seq: int, prev: str, now_ns: int = now_ns) -> tuple[bytes, int]:
            named = {"log": log.log_id, "seq": seq, "prev": prev, "closed_ns": now_ns}
            return batch_payload(head, parts, **named)  # type: ignore[arg-type]

        start = time.process_time_ns()
        await log.append(make, closed_ns=now_ns)
        times.append((time.process_time_ns() - start) / 1e3 / values)
    return statistics.median(times)


def _commit_us(folder: Path, payload: bytes, values: int) -> float:
    database = sqlite3.connect(folder / "floor.sqlite", isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE batch (seq INTEGER PRIMARY KEY, data BLOB)")
    packer = zstandard.ZstdCompressor(level=1)

    def commit() -> None:
        database.execute("INSERT INTO batch (data) VALUES (?)", (packer.compress(payload),))

    found = cpu_us(commit, values)
    database.close()
    return found


async def _publish_us(folder: Path, log: BatchLog, values: int) -> float:
    """Send everything in the log and hear the receipts; own CPU only, the broker is a child."""
    with broker(folder) as mqtt, Child("benchmarks.sink", mqtt.port, log=folder / "s.log"):
        config = MqttConfig(url=f"mqtt://127.0.0.1:{mqtt.port}")
        publisher = Publisher(config, PLANT, GATEWAY, {"raw": log})
        start = time.process_time_ns()
        task = asyncio.create_task(publisher.run())
        try:
            async with asyncio.timeout(60):
                while log.receipted < log.newest:  # noqa: ASYNC110 - a receipt is no event there
                    await asyncio.sleep(0.01)
        finally:
            used_us = (time.process_time_ns() - start) / 1e3
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    return used_us / values
