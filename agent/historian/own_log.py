"""
The historian's own log under checkpoints: its events, its acts and the office's, signed by its key.

The log is a batch log among the originals (gateway ``historian``); its tree lies beside it and its
signed heads under ``checkpoints/`` like those of any gateway, so the same proofs hold.
"""

import asyncio
import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from agent.audit import Auditor, HistorianAuditConfig
from agent.batches.durable import make_folder, replace_text
from agent.batches.in_thread import in_full
from agent.batches.log import BatchLog, LogError
from agent.evidence.growth import LogTree, MissingLeavesError
from agent.evidence.heads import HeadStore
from agent.evidence.keys import KeyFileError, KeyRing
from agent.evidence.note import NoteError
from agent.evidence.tiles import TornTreeError, UnknownLeafError
from agent.evidence.tree import UnavailableError
from agent.historian.originals import Originals
from agent.historian.received import OWN_GATEWAY
from agent.views import Source
from agent.wire.events import Happening
from drivers.audit_act import Result

_log = logging.getLogger(__name__)

EVERY_S = 60.0
NO_PLANT = "_"  # of acts before any plant is known
_WRONG = (
    *(KeyFileError, UnavailableError, LogError, OSError, NoteError, ValueError),
    *(UnknownLeafError, TornTreeError, MissingLeavesError),
)

# Events that are acts; start and stop are told once by the process, not once for each plant.
ACTS: dict[str, tuple[str, Result]] = {
    "key_rotation": ("key.accepted", "ok"),
    "fork": ("log.damaged", "failed"),
    "conflict": ("log.damaged", "failed"),
    "checkpoint_refused": ("peer.refused", "refused"),
    "peer_refused": ("peer.refused", "refused"),
}


@dataclass(slots=True, eq=False)
class _Lane:
    log: BatchLog
    tree: LogTree
    store: HeadStore
    stopped: str = ""


class OwnLog:
    """Entered originals; ``run`` until cancelled, then ``close``."""

    def __init__(
        self,
        data_dir: Path,
        originals: Originals,
        audit: HistorianAuditConfig,
        plants: tuple[str, ...],
        *,
        ring: Callable[[], KeyRing | None],
    ) -> None:
        self._originals = originals
        self._folder = data_dir / "checkpoints"
        self._ring = ring  # the witness' keys; None until it has them
        self._lanes: dict[Source, _Lane] = {}
        self.signed = 0
        self.trouble = ""
        self._troubles: list[str] = []
        known = [*plants, *sorted(originals.plants - {NO_PLANT})]
        self.plant = next(iter(known), NO_PLANT)
        self.auditor = Auditor(
            self.plant,
            OWN_GATEWAY,
            audit.trail(data_dir / "audit"),
            data_dir / "audit.json",
            self._troubles.append,
            follow=audit.follow,
        )

    def heard(self, plant: str, kind: Happening, text: str) -> None:
        """An event of ours that is also an act."""
        if kind in ACTS:
            what, result = ACTS[kind]
            self.auditor.note(what, plant, result=result, details={"said": text})

    async def run(self) -> None:
        """Acts at once, a checkpoint each minute."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.auditor.run(self._keep))
            tasks.create_task(self._sign_now_and_then())

    async def close(self) -> None:
        """The last acts and their checkpoint."""
        await self.auditor.close(self._keep)
        await self.sign()

    async def _sign_now_and_then(self) -> None:
        while True:
            await self.sign()
            await asyncio.sleep(EVERY_S if self._ring() else 1.0)

    async def _keep(self, lines: list[bytes]) -> None:
        try:
            await self._originals.keep_own(self.plant, lines)
        except LogError as error:
            raise OSError(str(error)) from error

    async def sign(self) -> None:
        """A head of every own log that grew; what is wrong stops no other work."""
        told, self._troubles[:] = list(self._troubles), []
        for text in told:
            try:
                await self._originals.tell_audit(self.plant, text)
            except LogError as error:
                _log.error("event not stored: %s", error)
        if (held := self._ring()) is None:
            return
        try:
            ring = await in_full(held.again)
            for source, log in list(self._originals.logs.items()):
                if source.gateway == OWN_GATEWAY:
                    await self._sign_one(source, log, ring)
        except _WRONG as error:
            self._fail(str(error))
            return
        self.trouble = "; ".join(lane.stopped for lane in self._lanes.values() if lane.stopped)

    def _fail(self, text: str) -> None:
        if text != self.trouble:
            _log.error("no checkpoint of our own log: %s", text)
        self.trouble = text

    async def _sign_one(self, source: Source, log: BatchLog, ring: KeyRing) -> None:
        lane = self._lanes.get(source)
        if lane is None:
            lane = self._lanes[source] = await asyncio.to_thread(self._lane, source, log)
        known = lane.store.head
        if lane.stopped or log.newest <= (known.size if known else 0):
            return
        await lane.tree.catch_up((log,), log.newest)
        if known is not None and lane.tree.tree.root(known.size) != known.root:
            self._stop(lane, f"{known.origin}: batches no longer give the root signed")
            return
        await lane.tree.flush()
        await in_full(self._sign, lane, ring, source)

    def _lane(self, source: Source, log: BatchLog) -> _Lane:
        store = HeadStore(self._folder / str(source))
        tree = LogTree(self._originals.folder / str(source), str(source))
        lane = _Lane(log, tree, store)
        known = store.head
        if known is not None and known.size > log.newest:
            text = f"{known.origin}: signed up to {known.size}, but batches end at {log.newest}"
            self._stop(lane, text)
        else:
            tree.open(known)
        return lane

    def _stop(self, lane: _Lane, text: str) -> None:
        lane.stopped = f"{text}: the disk forgot, or a backup was restored"
        _log.error("%s", lane.stopped)
        self.auditor.note("log.damaged", lane.tree.source, result="failed", why=lane.stopped)

    def _sign(self, lane: _Lane, ring: KeyRing, source: Source) -> None:
        at_s = int(time.time())
        keys = self._folder / source.plant / source.gateway / "keys.json"
        make_folder(keys.parent)
        replace_text(keys, json.dumps(ring.notes))
        lane.store.keep(ring.cosigned(ring.signed(lane.tree.head()), at_s), at_s)
        self.signed += 1
