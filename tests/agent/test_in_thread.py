"""Work in a thread that a stop meets: it ends, and the stop is never lost."""

import asyncio
import threading

import pytest

from agent.batches.in_thread import in_full, to_the_end


@pytest.mark.parametrize("way", [to_the_end, in_full])
async def test_a_stop_is_not_lost_behind_a_failure(way: object) -> None:
    """Whoever catches the failure and goes on would never end: the trail did, on Python 3.11."""
    go, ended = threading.Event(), []

    def work() -> None:
        go.wait(10)
        ended.append(True)
        raise OSError("no room")

    task = asyncio.create_task(way(work))  # type: ignore[operator]
    await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.sleep(0.05)
    assert not task.done(), "the disk is not left half-way"
    go.set()
    await asyncio.wait({task})
    assert task.cancelled()
    assert ended


async def test_a_failure_alone_is_raised() -> None:
    def work() -> None:
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        await in_full(work)
