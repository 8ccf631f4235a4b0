"""The running console: tells the service manager, renews its certificate, stops in order."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import ssl
from collections.abc import Iterator
from typing import Final

import uvicorn
from fastapi import FastAPI

from drivers.model import ConfigError
from reports.console.doors.limits import HEAD_BYTES, PatientProtocol
from reports.console.doors.listener import Listener

_log = logging.getLogger(__name__)

MOST_CONNECTIONS: Final = 300
STOP_S: Final = 8  # open pages with a live stream are cut then
ALIVE_S: Final = 10.0


def run(app: FastAPI, listener: Listener) -> None:
    """Until SIGTERM or SIGINT; SIGHUP loads a renewed certificate."""
    config = uvicorn.Config(
        app,
        http=PatientProtocol,
        ws="none",
        loop="asyncio",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # an address that anybody may claim locks out anybody
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=STOP_S,
        h11_max_incomplete_event_size=HEAD_BYTES,
        ssl_context_factory=None if listener.tls is None else lambda *_: _tls(listener),
    )
    asyncio.run(_serve(_Server(config), listener))


def _tls(listener: Listener) -> ssl.SSLContext:
    assert listener.tls is not None  # noqa: S101 - asked for only then
    return listener.tls


async def _serve(server: uvicorn.Server, listener: Listener) -> None:
    def renew() -> None:
        try:
            listener.renew()
        except ConfigError as error:
            _log.error("%s", error)
        else:
            _log.warning("certificate loaded again")

    def stop() -> None:
        server.force_exit = server.should_exit and server.started
        server.should_exit = True

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, renew)
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stop)
    alive = asyncio.create_task(_alive())
    try:
        await server.serve(sockets=[listener.socket])
    finally:
        alive.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await alive


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Ours are set already; uvicorn's end the process by the signal, as if it had failed."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            tell("READY=1")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        tell("STOPPING=1")
        await super().shutdown(sockets)


async def _alive() -> None:
    """Signs of life for the service manager, while the loop turns."""
    while True:
        tell("WATCHDOG=1")
        await asyncio.sleep(ALIVE_S)


def tell(message: str) -> None:
    """To the service manager, if there is one (``NOTIFY_SOCKET``)."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    address = chr(0) + address[1:] if address.startswith("@") else address
    with (
        contextlib.suppress(OSError),
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender,
    ):
        sender.connect(address)
        sender.send(message.encode())
