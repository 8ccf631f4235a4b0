"""
The historian as witness: computes each root from its own originals, cosigns, refuses forks.

A head is believed only when the gateway's pinned key signed it, the historian's own batches give
its root, and it grew from the last one cosigned here. Everything else is said as an event.
"""

import asyncio
import json
import logging
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from agent.batches.durable import make_folder, replace_text
from agent.batches.in_thread import in_full
from agent.batches.log import BatchLog, LogError
from agent.evidence.growth import LogTree, MissingLeavesError
from agent.evidence.heads import HeadStore
from agent.evidence.keys import KeyFileError, KeyHistoryError, KeyRing, signed_by
from agent.evidence.messages import Message, MessageError, SaidHead, read_message
from agent.evidence.note import Note, NoteError
from agent.evidence.pins import KeyRefusedError, Pins
from agent.evidence.tiles import TornTreeError, UnknownLeafError
from agent.evidence.tree import UnavailableError
from agent.historian.originals import Originals
from agent.historian.received import STREAMS, Sender
from agent.historian.witnessed import Client, Judged, WitnessCounts, WitnessedLog
from agent.views import Source
from agent.wire.events import Happening

_log = logging.getLogger(__name__)

OWNER = "smelter/historian/"
MOST_SENDERS = 1024
_PACE_S = 0.25
_MOST_TOLD = 4096
_ORIGIN = re.compile(r"smelter/([^/]+)/([^/]+)/([a-z]+)/([0-9a-f]{16})(/sm3)?")
_WRONG = (
    *(UnavailableError, LogError, OSError, UnknownLeafError, TornTreeError, NoteError),
    MissingLeavesError,
)

Tell = Callable[[str, Happening, str], Awaitable[None]]
"""(plant, kind, text): an event of the historian's own."""


class Witness:
    """``take`` what came, ``run`` to judge it, ``answers`` to publish; one per historian."""

    def __init__(self, data_dir: Path, originals: Originals, *, signature: str = "ed25519") -> None:
        self.folder = data_dir / "checkpoints"
        self.counts = WitnessCounts()
        self.answers: dict[Sender, bytes] = {}
        self.trouble = ""
        self._keys = data_dir / "keys"
        self._originals = originals
        self._signature = signature
        self._ring: KeyRing | None = None
        self._clients: dict[Sender, Client] = {}
        self._new: dict[Sender, bytes] = {}
        self._told: set[tuple[str, str]] = set()
        self._wake = asyncio.Event()
        self._said = asyncio.Event()

    @property
    def ring(self) -> KeyRing | None:
        """Our keys; None until they are open."""
        return self._ring

    @property
    def vkey(self) -> str:
        """Our public key; empty when there is none."""
        return self._ring.entries[-1].vkey if self._ring else ""

    # in and out

    def take(self, sender: Sender, payload: bytes) -> None:
        """The newest message of each gateway counts."""
        if sender in self._new or len(self._new) < MOST_SENDERS:
            self._new[sender] = payload
            self._wake.set()

    async def wait_answer(self) -> None:
        """Returns when there is a new answer after the call."""
        await self._said.wait()

    def _answer(self, sender: Sender, client: Client) -> None:
        assert self._ring is not None  # noqa: S101 - nothing is judged without keys
        heads = tuple(
            SaidHead(lane.store.known, origin, (), lane.wanted, lane.refused)
            for origin, lane in client.lanes.items()
            if lane.store.known or lane.wanted or lane.refused
        )
        payload = Message(tuple(self._ring.notes), heads).payload()
        if payload != self.answers.get(sender):
            self.answers[sender] = payload
            self._said.set()
            self._said = asyncio.Event()

    # judging

    async def run(self) -> None:
        """Until cancelled. What is wrong with one gateway delays no other."""
        while not await self._open_keys():  # noqa: ASYNC110 - a person mends a file
            await asyncio.sleep(60)
        while True:
            waits = any(client.message for client in self._clients.values())
            if waits:
                await self._originals_or_news()
            else:
                await self._wake.wait()
            self._wake.clear()
            await asyncio.sleep(_PACE_S)
            await self.look()

    async def _open_keys(self) -> bool:
        try:
            self._ring = await asyncio.to_thread(KeyRing.opened, self._keys, OWNER, self._signature)
        except (KeyFileError, UnavailableError, OSError) as error:
            if str(error) != self.trouble:
                self.trouble = str(error)
                _log.error("nothing is cosigned: %s", error)
            return False
        self.trouble = ""
        await asyncio.to_thread(self._publish_keys, self._ring)
        return True

    def _publish_keys(self, ring: KeyRing) -> None:
        """Our public keys beside the heads: reports may not look into the folder of the keys."""
        make_folder(self.folder)
        replace_text(self.folder / "witness.json", json.dumps(ring.notes))

    async def _originals_or_news(self) -> None:
        waiting = [
            asyncio.ensure_future(self._originals.wait_news()),
            asyncio.ensure_future(self._wake.wait()),
        ]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED, timeout=5.0)
        finally:
            for each in waiting:
                each.cancel()

    async def look(self) -> None:
        """Judges what came and what waits."""
        new, self._new = self._new, {}
        for sender, payload in new.items():
            await self._read(sender, payload)
        for sender, client in self._clients.items():
            if client.message is None:
                continue
            try:
                await self._judge_all(sender, client)
            except _WRONG as error:
                self.counts.failures += 1
                _log.warning("checkpoints of %s/%s: %s", sender.plant, sender.gateway, error)
                client.message = None

    async def _read(self, sender: Sender, payload: bytes) -> None:
        self.counts.messages += 1
        try:
            message = read_message(payload)
            client = self._clients.get(sender) or self._client(sender)
            learnt = await in_full(client.pins.learn, list(message.keys))
        except (MessageError, KeyHistoryError, OSError, UnavailableError, ValueError) as error:
            self.counts.unreadable += 1
            _log.warning("%s/%s: %s", sender.plant, sender.gateway, error)
            return
        except KeyRefusedError as error:
            self.counts.keys_refused += 1
            await self._tell_once(sender, Happening.CHECKPOINT_REFUSED, str(error))
            return
        if learnt:
            text = f"{sender.gateway}: key {client.pins.entries[-1].vkey} is {_LEARNT[learnt]}"
            await self._tell(sender, Happening.KEY_ROTATION, text)
        client.message = message

    def _client(self, sender: Sender) -> Client:
        owner = f"smelter/{sender.plant}/{sender.gateway}"
        client = Client(Pins(self.folder / sender.plant / sender.gateway, owner))
        self._clients[sender] = client
        return client

    async def _judge_all(self, sender: Sender, client: Client) -> None:
        assert client.message is not None  # noqa: S101 - the caller looked
        waits = False
        for said in client.message.heads:
            judged = await self._judge(sender, client, said)
            waits |= judged is Judged.WAITS
        if not waits:
            client.message = None
        self._answer(sender, client)

    async def _judge(self, sender: Sender, client: Client, said: SaidHead) -> Judged:
        lane = self._lane(sender, client, said)
        if lane is None or said.note is None:
            return await self._refuse(sender, None, said.origin, "is no log of this gateway")
        head, known = said.head, lane.store.head
        if not signed_by(said.note, head.origin, client.pins.entries[-1].key):
            if known is not None and lane.store.known and said.note.text == lane.store.known.text:
                return Judged.SAME  # signed by the key before
            self.counts.unsigned += 1
            return await self._refuse(sender, lane, head.text, "is not signed by the pinned key")
        logs = self._originals.logs_of(_source(sender, said.origin))
        if head.size > max((log.newest for log in logs), default=0):
            self.counts.waiting += 1
            return Judged.WAITS
        if not lane.ready:
            after = known.after if known else head.after
            if after and known is None:
                await self._complete_sha256(lane, logs, after)
            await in_full(lane.tree.open, known, after)
            lane.ready = True
        if known is not None and head.size < known.size:
            return await self._older(sender, client, lane, said.note)
        return await self._grow(sender, client, lane, said, logs)

    async def _complete_sha256(
        self, lane: WitnessedLog, logs: Sequence[BatchLog], size: int
    ) -> None:
        """The tree that an SM3 tree takes its first leaves from, as far as it takes them."""
        before = LogTree(
            self._originals.folder / lane.tree.source, lane.tree.source, "sha256", own=True
        )
        known = HeadStore(self.folder / lane.tree.source).head
        await asyncio.to_thread(before.open, known)
        await before.catch_up(logs, size)
        await before.flush()

    def _lane(self, sender: Sender, client: Client, said: SaidHead) -> WitnessedLog | None:
        lane = client.lanes.get(said.origin)
        if lane is None:
            found = _ORIGIN.fullmatch(said.origin)
            if found is None or (found[1], found[2]) != (sender.plant, sender.gateway):
                return None
            if found[3] not in STREAMS or len(client.lanes) > MOST_SENDERS:
                return None
            source = _source(sender, said.origin)
            name = "sm3" if found[5] else "sha256"
            if said.note is None or said.head.hash_name != name:
                return None
            tree = LogTree(self._originals.folder / str(source), str(source), name, own=True)
            place = self.folder / str(source)
            store = HeadStore(place / name if found[5] else place)
            lane = client.lanes[said.origin] = WitnessedLog(tree, store)
        return lane

    async def _grow(
        self,
        sender: Sender,
        client: Client,
        lane: WitnessedLog,
        said: SaidHead,
        logs: Sequence[BatchLog],
    ) -> Judged:
        assert said.note is not None  # noqa: S101 - the caller looked
        head, known = said.head, lane.store.head
        try:
            stated = await self._catch_up(lane, said, logs)
        except MissingLeavesError as error:
            lane.ready = False
            lane.wanted = ((error.first, error.last),)
            return Judged.WANTS
        grew = known is None or lane.tree.tree.root(known.size) == known.root
        if not grew or lane.tree.head(head.size) != head:
            return await self._fork(sender, client, lane, said.note)
        if known is not None and head == known and lane.store.known is not None:
            there = lane.store.known.signatures
            if all(each in there for each in said.note.signatures):
                self.counts.same += 1
                lane.refused = ""
                return Judged.SAME
        await lane.tree.flush()
        at_s = int(time.time())
        await in_full(self._cosign, lane.store, said.note, at_s)
        self.counts.cosigned += 1
        lane.wanted, lane.refused = (), ""
        if stated:
            text = f"{head.origin}: {stated} were never seen here; their hashes are its word"
            await self._tell(sender, Happening.HASH_STATED, text)
        return Judged.COSIGNED

    def _cosign(self, store: HeadStore, note: Note, at_s: int) -> None:
        assert self._ring is not None  # noqa: S101 - nothing is judged without keys
        ring = self._ring.again()
        if ring is not self._ring:
            self._ring = ring
            self._publish_keys(ring)
        store.keep(self._ring.cosigned(note, at_s), at_s)

    async def _catch_up(self, lane: WitnessedLog, said: SaidHead, logs: Sequence[BatchLog]) -> str:
        """The tree to the head's size; what had to be taken on the gateway's word."""
        spans = {(first, last): (first, last, hashes) for first, last, hashes in said.spans}
        stated = []
        while True:
            try:
                await lane.tree.catch_up(logs, said.head.size)
            except MissingLeavesError as error:
                span = spans.pop((error.first, error.last), None)
                if span is None or not lane.tree.state(span):
                    raise
                stated.append(f"batches {error.first} to {error.last}")
            else:
                return ", ".join(stated)

    # what is not believed

    async def _older(
        self, sender: Sender, client: Client, lane: WitnessedLog, note: Note
    ) -> Judged:
        """Old news, or a log that went back: told apart by the root there was at that size."""
        head = SaidHead(note, "").head
        if lane.tree.tree.root(head.size) != head.root:
            return await self._fork(sender, client, lane, note)
        self.counts.older += 1
        known = lane.store.head
        at = known.size if known else 0
        return await self._refuse(sender, lane, head.text, f"is older than the one known, of {at}")

    async def _fork(self, sender: Sender, client: Client, lane: WitnessedLog, note: Note) -> Judged:
        self.counts.forks += 1
        head = SaidHead(note, "").head
        own = lane.tree.head(head.size)
        kept = await asyncio.to_thread(
            lane.store.fork, note, own, [entry.note for entry in client.pins.entries]
        )
        lane.ready = False  # back to what is cosigned: nothing that was stated now may stay
        lane.refused = f"size {head.size} has another root here"
        where = kept.relative_to(self.folder) if kept else "forks"
        text = f"{head.origin}: {lane.refused}; not cosigned, both heads are kept in {where}"
        await self._tell_once(sender, Happening.FORK, text, head.origin)
        return Judged.REFUSED

    async def _refuse(
        self, sender: Sender, lane: WitnessedLog | None, what: str, reason: str
    ) -> Judged:
        first = " ".join(what.split("\n")[:2])[:200]
        if lane is not None:
            lane.refused = f"{first} {reason}"
        await self._tell_once(sender, Happening.CHECKPOINT_REFUSED, f"{first} {reason}", what)
        return Judged.REFUSED

    async def _tell_once(self, sender: Sender, kind: Happening, text: str, about: str = "") -> None:
        """A fork goes on minute after minute, an old checkpoint may come again: one event each."""
        key = (f"{sender.plant}/{sender.gateway}/{kind}", about or text)
        if key not in self._told and len(self._told) < _MOST_TOLD:
            self._told.add(key)
            await self._tell(sender, kind, text)

    async def _tell(self, sender: Sender, kind: Happening, text: str) -> None:
        _log.warning("%s %s/%s: %s", kind, sender.plant, sender.gateway, text)
        try:
            await self._originals.tell(sender.plant, kind, text)
        except LogError as error:
            _log.error("event %s not stored: %s", kind, error)


_LEARNT = {
    "first": "learned on first use and pinned",
    "rotated": "vouched for by the key before",
    "accepted": "accepted by a person",
}


def _source(sender: Sender, origin: str) -> Source:
    """Only of an origin that was matched."""
    found = _ORIGIN.fullmatch(origin)
    assert found is not None  # noqa: S101 - lanes are made of matched origins
    return Source(sender.plant, sender.gateway, found[3], found[4])
