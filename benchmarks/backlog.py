"""What an agent would have sent: real pipelines fed with frames, kept in real batch logs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agent.batches.log import BatchLog
from agent.edge.pipeline import GroupPipeline
from agent.wire.encode import BatchHead, batch_payload
from benchmarks.layout import Bank, Channel, write_modbus_table
from drivers.config import DeviceConfig
from drivers.model import Floats, Frame, Group
from drivers.points import group_points, load_points

PLANT, GATEWAY = "bench", "gw1"
START_NS = 1_790_000_000_000_000_000 // 60_000_000_000 * 60_000_000_000


def device_of(
    folder: Path, bank: Bank, name: str, interval_s: float, port: int = 502
) -> tuple[DeviceConfig, Group]:
    """The bank as the agent would read it, through a real point table."""
    table = folder / f"{name}.csv"
    write_modbus_table(table, bank)
    config = DeviceConfig(
        name=name,
        driver="modbus-tcp",
        address=f"127.0.0.1:{port}",
        points=table,
        interval_s=interval_s,
    )
    (group,) = group_points(load_points(config, folder))
    return config, group


def series_of(group: Group, bank: Bank, frames: int, seed: int) -> Floats:
    """Frames × points: float32 random walks, counters that only grow, states that stay."""
    random = np.random.default_rng(seed)
    known = {channel.quantity: channel for channel in bank.channels}
    columns = [_column(known[point.quantity.name], frames, random) for point in group.points]
    return np.stack(columns, axis=1)


def _column(channel: Channel, frames: int, random: np.random.Generator) -> Floats:
    if channel.counter:
        grown = random.poisson(channel.swing, frames) if channel.swing else np.zeros(frames)
        return channel.base + np.cumsum(grown).astype(np.float64)
    walk = channel.swing * 0.05 * np.cumsum(random.normal(0, 1, frames))
    held = channel.base + channel.swing * np.tanh(walk / max(channel.swing, 1e-9))
    return held.astype(np.float32).astype(np.float64)


def frames_of(group: Group, series: Floats) -> Iterator[Frame]:
    good = np.zeros(len(group.points), dtype=np.uint8)
    step_ns = round(group.interval_s * 1e9)
    for number, values in enumerate(series):
        slot_ns = START_NS + number * step_ns
        yield Frame(group, slot_ns, slot_ns + 12_345_678, values, good)


@dataclass(frozen=True, slots=True)
class Backlog:
    """What lies in the logs."""

    values: int
    windows: int
    payload_bytes: int
    stored_bytes: int


async def fill(folder: Path, groups: Sequence[tuple[Group, Bank]], seconds: int) -> Backlog:
    """Both streams of a gateway, one batch a second, as originals of a historian in ``folder``."""
    pipelines = [GroupPipeline(PLANT, GATEWAY, group) for group, _ in groups]
    plenty = [
        frames_of(group, series_of(group, bank, seconds, seed))
        for seed, (group, bank) in enumerate(groups)
    ]
    values = windows = 0
    home = folder / "originals" / PLANT / GATEWAY
    async with BatchLog(home, stream="raw") as raw, BatchLog(home, stream="record") as record:
        for frames in zip(*plenty, strict=True):
            outcomes = [pipe.take(frame) for pipe, frame in zip(pipelines, frames, strict=True)]
            values += sum(len(frame.values) for frame in frames)
            closed_ns = frames[0].slot_ns + 1_000_000_000
            await _append(raw, "raw", [outcome.raw for outcome in outcomes], closed_ns)
            lines = [closed.lines for outcome in outcomes for closed in outcome.closed]
            if lines:
                windows += sum(len(group.points) for group, _ in groups)
                await _append(record, "record", lines, closed_ns)
        counts = (raw.counts, record.counts)
    return Backlog(
        values,
        windows,
        sum(count.payload_bytes for count in counts),
        sum(count.written_bytes for count in counts),
    )


async def _append(log: BatchLog, stream: str, parts: Sequence[bytes], closed_ns: int) -> None:
    head = BatchHead(PLANT, GATEWAY, stream, "0" * 16)

    def make(seq: int, prev: str) -> tuple[bytes, int]:
        return batch_payload(head, parts, log=log.log_id, seq=seq, prev=prev, closed_ns=closed_ns)

    await log.append(make, closed_ns=closed_ns)
