"""Lines on their way into the log: what a stop in the middle of a slow sync leaves."""

import asyncio
import os
import time
from pathlib import Path

import pytest

from agent.batches.log import BatchLog
from agent.edge.outbox import Outbox
from agent.wire.encode import BatchHead


async def test_a_stop_in_a_slow_sync_writes_no_line_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.fdatasync

    def slow(file: int) -> None:
        time.sleep(0.2)
        real(file)

    async with BatchLog(tmp_path, stream="raw") as log:
        box = Outbox(log, BatchHead("demo", "gw1", "raw", "0" * 16), time.time_ns)
        monkeypatch.setattr(os, "fdatasync", slow)
        box.add(b"pot,plant=demo,line=line1,unit=pot001 voltage=4 1790000000000000000")
        flushing = asyncio.create_task(box.flush())
        await asyncio.sleep(0.05)
        flushing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await flushing
        await box.flush()
        assert log.newest == 1
        assert box.waiting_bytes == 0
        only = await log.read(1)
        assert only is not None
        assert only.payload.count(b"voltage") == 1
