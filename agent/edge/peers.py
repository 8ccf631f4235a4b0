"""Whom this gateway believes: refused peers told once per reason, certificates that end soon."""

import asyncio
import datetime as dt
import logging
from collections.abc import Callable
from pathlib import Path

from agent.certificates.named import named_in
from agent.certificates.watch import Watch, look
from agent.edge.publish import Publisher
from agent.health import Metrics
from agent.wire.events import Happening
from drivers.model import ConfigError
from drivers.peer import Refusal, RefusedPeers, refusal_in

_log = logging.getLogger(__name__)

LOOK_S = 6 * 3600.0
BROKER = "broker"


class Peers:
    """Events ``peer_refused`` (an act as well, see ``agent/edge/audit.py``) and ``certificate``."""

    def __init__(self, path: Path, tell: Callable[[Happening, str], None]) -> None:
        self._path, self._tell = path, tell
        self._refused = RefusedPeers()
        self._watch = Watch(self._ends)

    def device(self, name: str, refusal: Refusal | None) -> None:
        """A device was refused; None: it answers as the right one."""
        self._take(name, refusal)

    def attach(self, publisher: Publisher) -> None:
        """The broker is judged anew once it was connected in between."""
        connected = publisher.counts.connected

        def lost(reason: BaseException) -> None:
            nonlocal connected
            if publisher.counts.connected != connected:
                connected = publisher.counts.connected
                self._refused.accepted(BROKER)
            refusal = refusal_in(reason)
            if refusal is not None:
                self._take(BROKER, refusal)

        publisher.on_lost = lost

    def _take(self, subject: str, refusal: Refusal | None) -> None:
        if refusal is None:
            self._refused.accepted(subject)
            return
        before = self._refused.take(subject, refusal)
        if before is None:
            return
        text = f"{subject}: {refusal}"
        text += f" (the last reason was met {before} times more)" if before else ""
        _log.error("peer refused: %s", text)
        self._tell(Happening.PEER_REFUSED, text)

    def _ends(self, text: str) -> None:
        _log.warning("certificate: %s", text)
        self._tell(Happening.CERTIFICATE, text)

    async def run(self) -> None:
        """Looks at every certificate that the config names, now and four times a day."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """At once: after a reload too."""
        try:
            found = await asyncio.to_thread(lambda: look(named_in(self._path).files))
        except (ConfigError, OSError):
            return  # told by the reload already; or a disk that fails, which ends nothing here
        self._watch.pass_on(found, dt.datetime.now(dt.UTC))

    def metrics(self, metrics: Metrics) -> None:
        text = "connections refused because of who the peer is"
        metrics.add("peers_refused_total", self._refused.total, "counter", text)
        self._watch.metrics(metrics)
