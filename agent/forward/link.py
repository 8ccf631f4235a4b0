"""One connection to a platform: packets out, their answers in; whatever it orders is refused."""

import asyncio
import logging
from collections.abc import Callable

from drivers.config import host_and_port
from drivers.hj212.encode import ECHOED, EncodeError, answer, encode
from drivers.hj212.reader import FrameReader
from drivers.hj212.segment import Segment

_log = logging.getLogger(__name__)

READ_BYTES = 16 << 10
CONNECT_S = 10.0
ACKNOWLEDGED = frozenset({"9013", "9014"})
REFUSED, READY = 2, "1"


class RefusedError(Exception):
    """The platform answered 9011 with another QnRtn than 1; ``code`` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(f"QnRtn={code}")
        self.code = code


class Link:
    """Opened by ``connect``; ``listen`` must run beside ``deliver``."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        key: bytes | None,
        asked: Callable[[Segment], None],
    ) -> None:
        self._reader, self._writer, self._key, self._asked = reader, writer, key, asked
        self._waiting: dict[str, asyncio.Future[Segment]] = {}

    @classmethod
    async def connect(
        cls, address: str, key: bytes | None, asked: Callable[[Segment], None]
    ) -> "Link":
        """OSError or TimeoutError when nobody is there."""
        host, port = host_and_port(address)
        async with asyncio.timeout(CONNECT_S):
            reader, writer = await asyncio.open_connection(host, port)
        return cls(reader, writer, key, asked)

    def close(self) -> None:
        self._writer.transport.abort()
        for future in self._waiting.values():
            if not future.done():
                future.cancel()

    async def listen(self) -> None:
        """Until the platform closes: then ConnectionError."""
        packets = FrameReader(key=self._key)
        while data := await self._reader.read(READ_BYTES):
            for packet in packets.feed(data):
                if packet.ok:
                    await self._take(packet.segment)
        raise ConnectionResetError("the platform closed the connection")

    async def _take(self, segment: Segment) -> None:
        future = self._waiting.get(segment.qn)
        if segment.cn in ACKNOWLEDGED or segment.cn in {"9011", "9012"}:
            if future is not None and not future.done():
                future.set_result(segment)
            return
        self._asked(segment)
        _log.warning("the platform orders CN=%s: refused, nothing is set from outside", segment.cn)
        try:
            reply = encode(answer(segment, "9011", qn_rtn=REFUSED), tolerate=ECHOED)
        except EncodeError as error:
            _log.warning("no answer to CN=%s: %s", segment.cn, error)
            return
        await self._send(reply)

    async def _send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def deliver(
        self, segment: Segment, timeout_s: float, retries: int, again: Callable[[], None]
    ) -> None:
        """Send until it is acknowledged. TimeoutError after all tries, RefusedError for a no."""
        key = self._key if segment.version == 2025 else None
        data = encode(segment, key=key)
        future: asyncio.Future[Segment] = asyncio.get_running_loop().create_future()
        self._waiting[segment.qn] = future
        try:
            for attempt in range(retries + 1):
                if attempt:
                    again()
                await self._send(data)
                if (reply := await _within(future, timeout_s)) is not None:
                    break
            else:
                raise TimeoutError(f"CN={segment.cn} QN={segment.qn}: no answer")
        finally:
            del self._waiting[segment.qn]
        if reply.cn not in ACKNOWLEDGED and reply.get("QnRtn") != READY:
            raise RefusedError(reply.get("QnRtn") or "?")


async def _within(future: "asyncio.Future[Segment]", timeout_s: float) -> Segment | None:
    done: set[asyncio.Future[Segment]]
    done, _ = await asyncio.wait({future}, timeout=timeout_s)
    if not done:
        return None
    if future.cancelled():
        raise ConnectionResetError("the connection was closed")
    return future.result()
