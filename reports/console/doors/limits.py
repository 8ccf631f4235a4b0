"""How much and how slowly a visitor may send: size of a body, time for a head and for a body."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, ClassVar, Final

from fastapi import HTTPException, Request
from uvicorn.protocols.http.h11_impl import H11Protocol

from drivers.language import say
from reports.console.doors.roles import NOBODY

FORM_BYTES: Final = 2 << 20  # what is no upload
NOBODY_BYTES: Final = 64 << 10  # of whoever is not logged in: a name and a password
UPLOADS: Final = ("multipart/form-data", "application/octet-stream", "application/zip")
HEAD_BYTES: Final = 32 << 10  # request line and headers
URL_CHARS: Final = 8 << 10
HEAD_S: Final = 15.0  # from the first byte, or from connecting
EACH_ADDRESS: Final = 100  # connections; a browser has six
SILENT_S: Final = 20.0  # between two pieces of a body
BODY_S: Final = 30.0  # and as long again for every 10 kB/s …
LEAST_BYTES_S: Final = 10_000.0

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]


def most_bytes(request: Request, upload_mb: int) -> int:
    """An upload as ``[console] upload_mb`` says; anything else, and a stranger's, is short."""
    if not getattr(request.state, "visitor", NOBODY).known:
        return NOBODY_BYTES
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    return upload_mb << 20 if kind in UPLOADS else FORM_BYTES


def too_large(upload_mb: int) -> str:
    """What a visitor is told."""
    return say(
        f"内容超过上限（上传文件最大 {upload_mb} MB，见 [console] upload_mb）",
        f"larger than allowed (uploads up to {upload_mb} MB, [console] upload_mb)",
    )


class Limits:
    """Around the whole application: a body is counted and timed while it comes in."""

    def __init__(self, app: App, upload_mb: int) -> None:
        self._app, self._upload_mb = app, upload_mb

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = most_bytes(Request(scope), self._upload_mb)
        began, taken, more = time.monotonic(), 0, True

        async def counted() -> Message:
            nonlocal taken, more
            if not more:  # waits for the visitor to go away
                return await receive()
            allowed_s = BODY_S + taken / LEAST_BYTES_S - (time.monotonic() - began)
            try:
                async with asyncio.timeout(max(0.0, min(SILENT_S, allowed_s))):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408, say("发送过慢，已中止", "sent too slowly")) from None
            taken += len(message.get("body", b""))
            more = bool(message.get("more_body", False))
            if taken > most:
                raise HTTPException(413, too_large(self._upload_mb))
            return message

        await self._app(scope, counted, send)


class PatientProtocol(H11Protocol):
    """HTTP/1.1 that does not wait for ever for a head, nor gives one address all there is."""

    _patience: "asyncio.TimerHandle | None" = None
    _open: ClassVar[Counter[str]] = Counter()
    _host = ""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._patience = self.loop.call_later(HEAD_S, self._no_head)
        self._host = self.client[0] if self.client else ""
        self._open[self._host] += 1
        if self._open[self._host] > EACH_ADDRESS:
            transport.abort()

    def handle_events(self) -> None:
        super().handle_events()
        waits = self.cycle is None or self.cycle.response_complete
        if not waits:
            self._end_patience()
        elif self._patience is None and self.conn.trailing_data[0]:
            self._patience = self.loop.call_later(HEAD_S, self._no_head)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_patience()
        self._open[self._host] -= 1
        if self._open[self._host] <= 0:
            del self._open[self._host]
        super().connection_lost(exc)

    def _end_patience(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _no_head(self) -> None:
        self._patience = None
        if (self.cycle is None or self.cycle.response_complete) and self.transport is not None:
            self.transport.close()
