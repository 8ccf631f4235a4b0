"""Whom the historian believes: the broker, databases, and how long certificates are still good."""

import asyncio
import datetime as dt
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from agent.certificates.named import named_in
from agent.certificates.watch import Watch, look
from agent.health import Metrics
from agent.wire.events import Happening
from drivers.model import ConfigError
from drivers.peer import Refusal, RefusedPeers, refusal_in

_log = logging.getLogger(__name__)

LOOK_S = 6 * 3600.0
WAITING = 100
BROKER = "broker"


class HistorianPeers:
    """Refusals arrive in callbacks; they are told, each reason once, by ``run``."""

    def __init__(
        self,
        path: Path,
        tell: Callable[[Happening, str], Awaitable[None]],
        connected: Callable[[], int],
    ) -> None:
        self._path, self._tell, self._connected = path, tell, connected
        self._refused = RefusedPeers()
        self._watch = Watch(self._ends)
        self._waiting: asyncio.Queue[tuple[Happening, str]] = asyncio.Queue(WAITING)
        self._seen = 0

    def broker(self, reason: BaseException) -> None:
        """Why the broker was lost."""
        if self._connected() != self._seen:
            self._seen = self._connected()
            self._refused.accepted(BROKER)
        refusal = refusal_in(reason)
        if refusal is not None:
            self.database(BROKER, refusal)

    def database(self, name: str, refusal: Refusal | None) -> None:
        """A database was refused; None: it is the right one again."""
        if refusal is None:
            self._refused.accepted(name)
            return
        before = self._refused.take(name, refusal)
        if before is not None:
            text = f"{name}: {refusal}"
            text += f" (the last reason was met {before} times more)" if before else ""
            _log.error("peer refused: %s", text)
            self._put(Happening.PEER_REFUSED, text)

    def _ends(self, text: str) -> None:
        _log.warning("certificate: %s", text)
        self._put(Happening.CERTIFICATE, text)

    def _put(self, kind: Happening, text: str) -> None:
        if not self._waiting.full():  # it is in the log of the process all the same
            self._waiting.put_nowait((kind, text))

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._look())
            while True:
                await self._tell(*await self._waiting.get())

    async def _look(self) -> None:
        while True:
            try:
                found = await asyncio.to_thread(lambda: look(named_in(self._path).files))
            except (ConfigError, OSError) as error:  # a disk that fails ends no session
                _log.warning("certificates not looked at: %s", error)
            else:
                self._watch.pass_on(found, dt.datetime.now(dt.UTC))
            await asyncio.sleep(LOOK_S)

    def metrics(self, metrics: Metrics) -> None:
        text = "connections refused because of who the peer is"
        metrics.add("peers_refused_total", self._refused.total, "counter", text)
        self._watch.metrics(metrics)
