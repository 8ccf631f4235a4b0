"""Sessions with a broker: ended for good when they are cancelled."""

import asyncio
import time

from agent.mqtt import Pauses, keep_connected


async def test_a_session_that_swallows_a_cancellation_is_ended_all_the_same() -> None:
    """As ``asyncio.wait_for`` of Python 3.11 does when its answer arrives at the same moment."""
    swallowed = asyncio.Event()

    async def session() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            swallowed.set()
        await asyncio.sleep(60)

    def lost(reason: BaseException) -> None:
        raise AssertionError(reason)

    keeping = asyncio.create_task(keep_connected(session, lost, Pauses()))
    await asyncio.sleep(0.05)
    keeping.cancel()
    began = time.monotonic()
    done, _ = await asyncio.wait((keeping,), timeout=10)
    assert done
    assert keeping.cancelled()
    assert swallowed.is_set()
    assert time.monotonic() - began < 5
