"""
The gateway's side of the evidence: grows the trees, signs checkpoints, keeps the cosigned ones.

Nothing here may stop acquisition: what goes wrong stops the checkpoints, and says so.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from agent.batches.durable import make_folder, replace_text
from agent.batches.in_thread import in_full
from agent.batches.log import BatchLog, LogError
from agent.evidence.growth import LogTree, MissingLeavesError, tree_folder
from agent.evidence.keys import KeyFileError, KeyRing, signed_by
from agent.evidence.messages import Message, MessageError, SaidHead, read_message
from agent.evidence.note import Note, NoteError, read_head, read_note
from agent.evidence.pins import KeyRefusedError, Pins
from agent.evidence.proof import cosigned
from agent.evidence.tiles import UnknownLeafError
from agent.evidence.tree import UnavailableError

_log = logging.getLogger(__name__)

WITNESS = "smelter/historian/"
_WAY_OUT = "smelter agent keys accept-witness"
_DAY_S = 86400  # two clocks may differ
BACK = "went-back"  # beside the tiles: what was signed here and is here no more
Tell = Callable[[str, str], None]
"""(kind of event, text)"""


@dataclass(slots=True)
class NotaryCounts:
    """Since the start; for /metrics."""

    checkpoints: int = 0
    cosignatures: int = 0
    refusals: int = 0  # the witness refused one
    unreadable: int = 0
    failures: int = 0


@dataclass(slots=True, eq=False)
class _Lane:
    """One log."""

    log: BatchLog
    tree: LogTree
    signed: Note | None = None
    cosigned: Note | None = None
    stopped: str = ""
    wanted: tuple[tuple[int, int], ...] = ()


class Notary:
    """Entered once the logs are open; ``checkpoint`` and ``heard`` are called by one task each."""

    def __init__(
        self,
        data_dir: Path,
        plant: str,
        gateway: str,
        tell: Tell,
        *,
        hash_name: str = "sha256",
        signature: str = "ed25519",
    ) -> None:
        self.owner = f"smelter/{plant}/{gateway}"
        self.counts = NotaryCounts()
        self.trouble = ""
        self._refused = ""
        self._folder = data_dir / "keys"
        self._source = f"{plant}/{gateway}"
        self._data_dir = data_dir
        self._tell = tell
        self._hash, self._signature = hash_name, signature
        self._ring: KeyRing | None = None
        self._pins: Pins | None = None
        self._lanes: dict[str, _Lane] = {}
        self._working = asyncio.Lock()

    async def open(self, logs: Mapping[str, BatchLog]) -> None:
        """Keys and trees. Never raises for what is wrong with them: ``trouble`` says it."""
        try:
            self._ring = await asyncio.to_thread(
                KeyRing.opened, self._folder, self.owner, self._signature
            )
            self._pins = await asyncio.to_thread(Pins, self._folder / "witness", WITNESS, _WAY_OUT)
            self._tell_rotations()
        except (KeyFileError, UnavailableError, OSError, ValueError) as error:
            self._fail(error)
            return
        for stream, log in logs.items():
            try:
                self._lanes[stream] = await asyncio.to_thread(self._lane, stream, log)
            except (UnavailableError, OSError, ValueError, MissingLeavesError) as error:
                self._fail(error)

    def _fail(self, error: Exception) -> None:
        self.counts.failures += 1
        if str(error) != self.trouble:
            self.trouble = str(error)
            _log.error("no checkpoints: %s", error)
            self._tell("evidence_stopped", f"no checkpoints are signed: {error}")

    def _lane(self, stream: str, log: BatchLog) -> _Lane:
        folder = self._data_dir / stream / log.log_id
        name = self._hash
        if tree_folder(folder, "sm3").exists():
            name = "sm3"  # a log that went over to it stays with it
        tree = LogTree(folder, f"{self._source}/{stream}/{log.log_id}", name)
        signed = _stored(tree.folder / "checkpoint")
        head = read_head(signed.text) if signed else None
        after = head.after if head else 0
        if head is None and name != "sha256":
            before = _stored(tree_folder(folder, "sha256") / "checkpoint")
            after = read_head(before.text).size if before else 0
        tree.open(head, after)
        lane = _Lane(log, tree, signed, _stored(tree.folder / "cosigned"))
        if head is not None and head.size > log.newest:
            text = f"{tree.origin}: signed up to {head.size}, but batches end at {log.newest}"
            self._went_back(lane, text, signed)
        elif head is None and log.oldest > 1:
            lane.stopped = f"{tree.origin}: batches to {log.oldest - 1} were pruned without a tree"
            make_folder(tree.folder)
            replace_text(tree.folder / BACK, lane.stopped + "\n")
            self._tell("evidence_stopped", f"{lane.stopped}; the next start begins a new log")
        elif (tree.folder / BACK).exists():
            lane.stopped = (tree.folder / BACK).read_text("utf-8").partition("\n")[0]
        self._hold(lane)
        return lane

    @staticmethod
    def _hold(lane: _Lane) -> None:
        """What has no leaf on the disk yet must not be pruned: its leaf would be lost."""
        lane.log.hold(None if lane.stopped else lane.tree.tree.durable)

    def _went_back(self, lane: _Lane, text: str, proof: Note | None) -> None:
        """What was signed is gone here: nothing of this log is signed any more."""
        lane.stopped = f"{text}: the disk forgot, or a backup was restored"
        make_folder(lane.tree.folder)
        replace_text(lane.tree.folder / BACK, f"{lane.stopped}\n\n{proof.whole if proof else ''}")
        _log.error("no more checkpoints of this log: %s", lane.stopped)
        self._hold(lane)
        self._tell("fork", f"{lane.stopped}; a new log begins when all is receipted")

    # keys

    def _tell_rotations(self) -> None:
        """One event for each key that the log has not been told of; also what a stop missed."""
        assert self._ring is not None  # noqa: S101 - opened
        path = self._folder / "told"
        told = int(path.read_text("ascii")) if path.exists() else 1
        for entry in self._ring.entries[told:]:
            note = read_note(entry.note)
            crossed = note.signatures[0].line.strip()
            self._tell(
                "key_rotation", f"{entry.previous} to {entry.vkey}; the former signed: {crossed}"
            )
        if len(self._ring.entries) != told:
            replace_text(path, str(len(self._ring.entries)))

    # checkpoints

    async def checkpoint(self) -> bytes | None:
        """Signs what was appended since; the message to publish, None when nothing is new."""
        if not self._lanes:
            return None
        async with self._working:
            try:
                fresh = await self._sign_all()
            except (KeyFileError, UnavailableError, LogError, OSError, UnknownLeafError) as error:
                if isinstance(error, KeyFileError | UnavailableError):
                    self._let_go()  # only a person can mend it: retention goes on
                self._fail(error)
                return None
        self.trouble = "; ".join(lane.stopped for lane in self._lanes.values() if lane.stopped)
        return self.message() if fresh else None

    async def _sign_all(self) -> bool:
        assert self._ring is not None  # noqa: S101 - lanes are there, so keys are
        ring = await in_full(self._ring.again)
        fresh = rotated = ring is not self._ring
        self._ring = ring
        if rotated:
            self._tell_rotations()
        for lane in self._lanes.values():
            if not lane.stopped:
                fresh |= await self._sign_one(lane, rotated=rotated)
        return fresh

    async def _sign_one(self, lane: _Lane, *, rotated: bool) -> bool:
        if lane.log.oldest > lane.tree.size + 1 and not lane.tree.salvages:
            text = (
                f"{lane.tree.origin}: batches to {lane.log.oldest - 1} were pruned without a leaf"
            )
            self._went_back(lane, text, lane.signed)
            return False
        await lane.tree.catch_up((lane.log,), lane.log.newest)
        known = read_head(lane.signed.text) if lane.signed else None
        if known is not None and lane.tree.tree.root(known.size) != known.root:
            text = f"{known.origin}: batches no longer give the root signed at {known.size}"
            self._went_back(lane, text, lane.signed)
            return False
        self._hold(lane)
        if lane.tree.size <= (known.size if known else 0) and not (rotated and known):
            return False
        await lane.tree.flush()
        self._hold(lane)
        lane.signed = await in_full(self._sign, lane)
        return True

    def _sign(self, lane: _Lane) -> Note:
        assert self._ring is not None  # noqa: S101 - see above
        note = self._ring.signed(lane.tree.head())
        replace_text(lane.tree.folder / "checkpoint", note.whole)
        self.counts.checkpoints += 1
        return note

    def _let_go(self) -> None:
        for lane in self._lanes.values():
            lane.log.hold(None)

    def message(self) -> bytes | None:
        """All that is to be said now; None before the first checkpoint."""
        if self._ring is None:
            return None
        heads = [
            SaidHead(lane.signed, lane.tree.origin, tuple(_spans(lane)))
            for lane in self._lanes.values()
            if lane.signed is not None and not lane.stopped
        ]
        return Message(tuple(self._ring.notes), tuple(heads)).payload() if heads else None

    # the witness

    async def heard(self, payload: bytes) -> bytes | None:
        """
        Takes a message of the witness: cosignatures are checked and kept, wishes are noted.

        Returns a message when one should be said again.
        """
        try:
            said = read_message(payload)
            async with self._working:
                return await in_full(self._take, said)
        except KeyRefusedError as error:
            self.counts.unreadable += 1
            if str(error) != self._refused:
                self._refused = str(error)
                _log.warning("cosignature not believed: %s", error)
                self._tell("checkpoint_refused", f"cosignature not believed: {error}")
        except (MessageError, UnavailableError, NoteError, OSError, UnknownLeafError) as error:
            self.counts.unreadable += 1
            _log.warning("cosignature not believed: %s", error)
        return None

    def _take(self, said: Message) -> bytes | None:
        if self._pins is None or self._ring is None:
            return None
        if said.keys and self._pins.learn(list(said.keys)) == "first":
            _log.info("witness %s pinned", self._pins.entries[-1].vkey)
        asked = False
        lanes = {lane.tree.origin: lane for lane in self._lanes.values()}
        for each in said.heads:
            lane = lanes.get(each.origin)
            if lane is None or lane.stopped:
                continue
            if each.note is not None:
                self._keep(lane, each.note)
            if each.refused:
                self.counts.refusals += 1
                _log.warning("checkpoint refused by the witness: %s", each.refused)
            asked |= bool(each.wanted) and each.wanted != lane.wanted
            lane.wanted = each.wanted
        return self.message() if asked else None

    def _keep(self, lane: _Lane, note: Note) -> None:
        """A head the witness knows: ours, or proof that we went back."""
        assert self._ring is not None  # noqa: S101 - checked by the caller
        assert self._pins is not None  # noqa: S101 - checked by the caller
        head = read_head(note.text)
        if not any(signed_by(note, head.origin, entry.key) for entry in self._ring.entries):
            raise NoteError(f"{head.origin}: not signed by a key of ours")
        if head.size > lane.tree.size or lane.tree.tree.root(head.size) != head.root:
            text = f"{head.origin}: the witness holds a head of {head.size} that we signed"
            self._went_back(lane, f"{text} and no longer have", note)
            return
        if not self._pins.entries or not cosigned(note, self._pins.entries, time.time() + _DAY_S):
            raise NoteError(f"{head.origin}: no cosignature of the pinned witness")
        known = read_head(lane.cosigned.text).size if lane.cosigned else -1
        if head.size >= known and note != lane.cosigned:
            replace_text(lane.tree.folder / "cosigned", note.whole)
            lane.cosigned = note
            self.counts.cosignatures += 1

    def waiting_sizes(self) -> dict[str, tuple[int, int]]:
        """By stream: up to which batch the historian has receipted, and up to which cosigned."""
        cosigned = self.cosigned_sizes()
        return {
            stream: (lane.log.receipted, cosigned[stream])
            for stream, lane in self._lanes.items()
            if not lane.stopped
        }

    @property
    def witnessed(self) -> bool:
        """A historian's key is known here."""
        return self._pins is not None and bool(self._pins.entries)

    def cosigned_sizes(self) -> dict[str, int]:
        """By stream: up to which batch the witness has signed."""
        return {
            stream: read_head(lane.cosigned.text).size if lane.cosigned else 0
            for stream, lane in self._lanes.items()
        }


def _spans(lane: _Lane) -> list[tuple[int, int, tuple[bytes, ...]]]:
    found = []
    for first, last in lane.wanted:
        try:
            if first <= last <= lane.tree.size:
                found.append(lane.tree.span(first, last))
        except UnknownLeafError as error:
            _log.warning(
                "%s: cannot say what %d to %d are: %s", lane.log.stream, first, last, error
            )
    return found


def _stored(path: Path) -> Note | None:
    """A note kept here; None when there is none. Raises NoteError for a damaged one."""
    if not path.exists():
        return None
    note = read_note(path.read_text("utf-8"))
    read_head(note.text)
    return note


def must_begin_anew(log_folder: Path) -> bool:
    """Whether this log contradicts what was signed of it, so that a new one is better."""
    return any((tree_folder(log_folder, name) / BACK).exists() for name in ("sha256", "sm3"))
