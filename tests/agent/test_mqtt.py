"""Sessions with a broker: ended for good when they are cancelled."""

import asyncio
import contextlib
import time

import aiomqtt
import pytest

from agent.mqtt import BrokerConfig, Pauses, _Client, connection, keep_connected


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


async def test_a_cancellation_that_comes_with_the_answer_is_not_lost() -> None:
    """A publish that is acknowledged and cancelled in one turn of the loop is cancelled."""
    client = _Client("127.0.0.1")
    answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    waiting = asyncio.create_task(client._wait_for(answer, 5.0))
    await asyncio.sleep(0)
    answer.set_result(1)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


@pytest.mark.parametrize("reset", [False, True])
async def test_a_connection_that_breaks_before_the_answer_fails_at_once(reset: bool) -> None:
    async def break_it(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)  # the first byte of CONNECT: closing with more unread is a reset
        if not reset:
            await reader.read(1 << 16)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    async with await asyncio.start_server(break_it, "127.0.0.1", 0) as server:
        broker = BrokerConfig(url=f"mqtt://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        with pytest.raises(aiomqtt.MqttError, match="broke before CONNACK"):  # not: timed out
            async with connection(broker, "x"):
                pass
