"""Batch logs for tests: numbered payloads that a judge can compute again."""

import random
from pathlib import Path

from agent.batches.log import BatchLog, MakePayload


def payload_of(seq: int, size: int) -> bytes:
    """The body of batch ``seq``: text that does not compress away."""
    return bytes(random.Random(seq * 1_000_003 + size).choices(b"abcdefghijklmnop", k=size))


def numbered(size: int) -> MakePayload:
    """A first line with number and chain, then ``payload_of``."""

    def make(seq: int, prev: str) -> tuple[bytes, int]:
        head = f'batch,plant=demo,gateway=gw1,stream=record log="x",seq={seq}i,prev="{prev}" 7\n'
        return head.encode() + payload_of(seq, size), 1

    return make


async def open_log(
    folder: Path, *, keep_ns: int | None = None, max_bytes: int | None = None, shed: bool = False
) -> BatchLog:
    """Entered; the caller leaves it. No tail in memory: what is read comes from the disk."""
    log = BatchLog(
        folder, stream="record", keep_ns=keep_ns, max_bytes=max_bytes, shed=shed, tail_bytes=0
    )
    return await log.__aenter__()
