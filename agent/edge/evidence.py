"""Wiring of the gateway's evidence: checkpoints each minute and at a stop, cosignatures kept."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from agent.batches.log import BatchLog, new_log_id, newest_log
from agent.edge.publish import Publisher
from agent.evidence.notary import Notary, must_begin_anew
from agent.evidence.settings import EvidenceConfig
from agent.evidence.waiting import (
    LATE_S,
    LOOK_S,
    CosignatureWatch,
    Turn,
    again_text,
    gateway_text,
)
from agent.health import Metrics
from agent.wire.events import Happening

_log = logging.getLogger(__name__)

Tell = Callable[[Happening, str], None]
STRANGE_EVERY_S = 600.0  # receipts that cannot be ours make at most one event in this time
_SAID_S = 1.0


class Evidence:
    """One gateway's; ``tell`` writes an event and is called in the loop."""

    def __init__(
        self, data_dir: Path, plant: str, gateway: str, settings: EvidenceConfig, tell: Tell
    ) -> None:
        self._every_s = settings.checkpoint_s
        self.watch = CosignatureWatch(max(LATE_S, 3 * settings.checkpoint_s))
        self._tell = tell
        self._loop = asyncio.get_running_loop()
        self._publisher: Publisher | None = None
        self._receipts = False
        self._heard: asyncio.Queue[bytes] = asyncio.Queue(8)
        self._strange = 0
        self._strange_at = float("-inf")
        self.notary = Notary(
            data_dir,
            plant,
            gateway,
            self._from_thread,
            hash_name=settings.hash,
            signature=settings.signature,
        )

    def _from_thread(self, kind: str, text: str) -> None:
        self._loop.call_soon_threadsafe(self._tell, Happening(kind), text)

    async def open(self, logs: Mapping[str, BatchLog]) -> None:
        """Once the logs are open."""
        await self.notary.open(logs)

    def attach(self, publisher: Publisher, *, receipts: bool = True) -> Publisher:
        """
        From now on the publisher speaks for us; it is returned.

        ``receipts``: a historian is at the other end, so cosignatures should come.
        """
        self._publisher, self._receipts = publisher, receipts
        publisher.on_cosignature = self._take
        publisher.on_strange = self._strange_receipt
        publisher.announce(self.notary.message())
        return publisher

    def _take(self, payload: bytes) -> None:
        if not self._heard.full():
            self._heard.put_nowait(payload)

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._sign_now_and_then())
            tasks.create_task(self._hear())
            tasks.create_task(self._watch())

    async def _sign_now_and_then(self) -> None:
        while True:
            await self.sign()
            await asyncio.sleep(self._every_s)

    async def _hear(self) -> None:
        while True:
            answer = await self.notary.heard(await self._heard.get())
            if answer is not None and self._publisher is not None:
                self._publisher.announce(answer)

    async def _watch(self) -> None:
        while True:
            self.look(time.monotonic())
            await asyncio.sleep(min(LOOK_S, self.watch.late_s / 4))

    def look(self, now_s: float) -> None:
        """Whether cosignatures come; where receipts are not a historian's, once one was heard."""
        expected = self._receipts or self.notary.witnessed
        turn = self.watch.look(self.notary.waiting_sizes() if expected else {}, now_s)
        if turn is not None:
            late = turn is Turn.LATE
            text = gateway_text(self.watch.age_s) if late else again_text(self.notary.owner)
            _log.warning("%s", text)
            self._tell(Happening.EVIDENCE_STOPPED, text)

    def metrics(self, metrics: Metrics) -> None:
        """Beside the notary's counts."""
        text = "seconds that receipted batches have waited for a cosignature"
        metrics.add("cosignature_age_seconds", self.watch.age_s, "gauge", text)

    @property
    def remark(self) -> str:
        """For /healthz; "" when cosignatures come."""
        return gateway_text(self.watch.age_s) if self.watch.late else ""

    async def sign(self) -> None:
        """A checkpoint of what is new, announced."""
        message = await self.notary.checkpoint()
        if message is not None and self._publisher is not None:
            self._publisher.announce(message)

    async def close(self) -> None:
        """The last checkpoint, said while there is a connection."""
        await self.sign()
        if self._publisher is not None:
            await self._publisher.wait_said(_SAID_S)

    def _strange_receipt(self, text: str) -> None:
        self._strange += 1
        now = time.monotonic()
        if now - self._strange_at >= STRANGE_EVERY_S:
            self._strange_at = now
            _log.warning("receipt not believed: %s", text)
            self._tell(
                Happening.RECEIPT_REFUSED, f"not believed: {text}; {self._strange} of the kind"
            )


async def log_to_open(data_dir: Path, stream: str) -> str | None:
    """
    The stream's log, None for "the newest or a new one".

    A log that contradicts what was signed of it is left for a new one as soon as every batch of
    it is receipted.
    """
    name = newest_log(data_dir / stream)
    if name is None or not must_begin_anew(data_dir / stream / name):
        return name
    async with BatchLog(data_dir, stream=stream, log=name) as log:
        done = log.receipted == log.newest
    if done:
        _log.warning("%s log %s contradicts its checkpoints; a new log begins", stream, name)
    return new_log_id() if done else name
