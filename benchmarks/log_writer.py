"""Child: appends batches of raw lines to a batch log and says how many bytes that were."""

import argparse
import os
from pathlib import Path

import uvloop

from agent.batches.log import BatchLog
from agent.wire.encode import BatchHead, FrameEncoder, batch_payload
from benchmarks.backlog import GATEWAY, PLANT, device_of, frames_of, series_of
from benchmarks.children import say
from benchmarks.layout import BLOCK, Bank
from benchmarks.measure import written_bytes


async def write(folder: Path, batches: int, values: int) -> None:
    bank = Bank("line1", "u", 1, 2, BLOCK)
    _, group = device_of(folder, bank, "d00", 0.1)
    encoder = FrameEncoder(PLANT, GATEWAY, group)
    frames = max(1, round(values / bank.points))
    parts = [encoder.encode(f) for f in frames_of(group, series_of(group, bank, frames, 1))]
    head = BatchHead(PLANT, GATEWAY, "raw", "0" * 16)
    before = written_bytes(os.getpid())
    stored = plain = 0
    async with BatchLog(folder, stream="raw") as log:
        start = written_bytes(os.getpid())
        for number in range(batches):
            named = {"log": log.log_id, "closed_ns": number}
            batch = await log.append(
                lambda seq, prev, named=named: batch_payload(  # type: ignore[misc]
                    head, parts, seq=seq, prev=prev, **named
                ),
                closed_ns=number,
            )
            stored += len(batch.stored)
            plain += batch.size
        disk = written_bytes(os.getpid()) - start
    say(disk_bytes=disk, opening_bytes=start - before, stored_bytes=stored, plain_bytes=plain)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("batches", type=int)
    parser.add_argument("values", type=int)
    given = parser.parse_args()
    uvloop.run(write(given.folder, given.batches, given.values))


if __name__ == "__main__":
    main()
