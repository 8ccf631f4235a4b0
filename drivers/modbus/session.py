"""
One open Modbus connection: a question out, its reply in, or an error at once.

Above it ``drivers/modbus/line.py`` decides when to connect, to drop and to doubt.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from drivers.config import DeviceConfig
from drivers.modbus.wire import ExceptionReply, Framing, Request, judge_rtu, judge_tcp
from drivers.model import NonsenseError, UnreachableError

LAST_LOOK_S = 0.001  # when time is up, the socket is read once more: see `Session._watch`


class Manners:
    """How a device wants to be asked: its time to answer, and its rest between questions."""

    def __init__(self, timeout_s: float, pause_s: float, spacing_s: float) -> None:
        self.timeout_s = timeout_s
        self._pause_s = pause_s  # from a reply to the next question
        self._spacing_s = spacing_s  # from question to question
        self._free_at = 0.0

    async def turn(self) -> None:
        """Wait until the device may be asked."""
        if not self._pause_s and not self._spacing_s:
            return
        loop = asyncio.get_running_loop()
        if self._free_at > loop.time():
            await asyncio.sleep(self._free_at - loop.time())
        self._free_at = loop.time() + self._spacing_s

    def asked(self) -> None:
        if self._pause_s:
            rested = asyncio.get_running_loop().time() + self._pause_s
            self._free_at = max(self._free_at, rested)


def manners_of(device: DeviceConfig) -> Manners:
    """One object per device, shared by its groups."""
    spacing_s = 1 / device.max_requests_per_s if device.max_requests_per_s else 0.0
    return Manners(device.timeout_s, device.pause_s, spacing_s)


class Session(asyncio.Protocol):
    """One connection: at most one question in flight, one lazy timer instead of one for each."""

    def __init__(self, framing: Framing, late: Callable[[bytes, Request], int]) -> None:
        self._framing = framing
        self._late = late  # length of a late reply in front of the data, see `Line.late`
        self._loop = asyncio.get_running_loop()
        self._transport: Any = None
        self._buffer = b""
        self._frame = b""
        self._request: Request | None = None
        self._waiter: asyncio.Future[bytes] | None = None
        self._deadline = 0.0
        self._looked = False
        self._closed = False
        self._timer: asyncio.TimerHandle | None = None
        self.made = self._loop.create_future()
        self.lost = ""
        self.stray = 0  # bytes nobody asked for

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        if self._closed:  # too late: a serial port would stay locked by this process
            self.close()
            return
        if not self.made.done():
            self.made.set_result(None)

    def data_received(self, data: bytes) -> None:
        waiter, request = self._waiter, self._request
        if waiter is None or request is None or waiter.done():
            self.stray += len(data)
            return
        self._buffer = self._buffer + data if self._buffer else data
        try:
            payload = self._judge(request)
        except (NonsenseError, ExceptionReply) as error:
            waiter.set_exception(error)
        else:
            if payload is not None:
                waiter.set_result(payload)

    def _judge(self, request: Request) -> bytes | None:
        if self._framing == "tcp":
            return judge_tcp(self._buffer, self._frame, request)
        while self._buffer:
            passed = self._late(self._buffer, request)
            if not passed:
                judged = judge_rtu(self._buffer, self._frame, request)
                payload, extra = judged or (None, 0)
                self.stray += extra
                return payload
            if passed < 0:
                return None
            self._buffer = self._buffer[passed:]
        return None

    def eof_received(self) -> bool:
        self._fail("the device closed the connection")
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(f"connection lost: {exc}" if exc else "the device closed the connection")

    def _fail(self, reason: str) -> None:
        self.lost = self.lost or reason
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(UnreachableError(reason))
        if not self.made.done():
            self.made.set_exception(UnreachableError(reason))

    async def exchange(self, frame: bytes, request: Request, timeout_s: float) -> bytes:
        self._frame, self._request, self._buffer = frame, request, b""
        self._waiter = self._loop.create_future()
        self._deadline, self._looked = self._loop.time() + timeout_s, False
        if self._timer is None or self._timer.when() > self._deadline:
            self._arm()
        self._transport.write(frame)
        try:
            return await self._waiter
        finally:
            self._waiter = self._request = None

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._deadline, self._watch)

    def _watch(self) -> None:
        """
        Most questions are answered long before: the timer finds a later deadline, or none.

        After a pause of this process the answer may lie in the socket while the timer comes first
        (on uvloop it does), so the loop gets one more chance to read.
        """
        self._timer = None
        if self._waiter is None or self._waiter.done():
            return
        if self._loop.time() < self._deadline:
            self._arm()
        elif not self._looked:
            self._looked = True
            self._timer = self._loop.call_later(LAST_LOOK_S, self._watch)
        else:
            self._waiter.set_exception(TimeoutError())

    def close(self) -> None:
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._transport is not None:
            self._transport.abort()
