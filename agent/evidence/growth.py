"""The tree of one batch log, kept beside its segments: catches up with what is durable there."""

import re
from collections.abc import Sequence
from pathlib import Path

from agent.batches.batch import Batch
from agent.batches.durable import make_folder, replace_text
from agent.batches.in_thread import in_full
from agent.batches.log import BatchLog
from agent.evidence.note import Head
from agent.evidence.tiles import TileTree, TornTreeError, UnknownLeafError
from agent.evidence.tree import Hash, hash_named, leaf_bytes, whole_subtrees

_PIECE_BYTES = 1 << 20
_PREV = re.compile(rb'[ ,]prev="([0-9a-f]{64})"')

Span = tuple[int, int, tuple[bytes, ...]]
"""(first number, last number, hashes of the whole subtrees that make up their leaves)."""


class MissingLeavesError(Exception):
    """Batches ``first`` to ``last`` are not here, nor is what their leaves are."""

    def __init__(self, first: int, last: int) -> None:
        super().__init__(f"batches {first} to {last} are not here")
        self.first, self.last = first, last


def origin_of(source: str, hash_name: str) -> str:
    """The origin line of a log's checkpoints; ``source`` is plant/gateway/stream/log."""
    return f"smelter/{source}" + ("" if hash_name == "sha256" else f"/{hash_name}")


def tree_folder(log_folder: Path, hash_name: str) -> Path:
    """Where the tiles of a log are."""
    return log_folder / ("tree" if hash_name == "sha256" else f"tree-{hash_name}")


def previous_digest(batch: Batch) -> bytes | None:
    """The digest of the batch before, as the first line of this one says."""
    found = _PREV.search(batch.payload.partition(b"\n")[0])
    return bytes.fromhex(found[1].decode()) if found else None


class LogTree:
    """
    Leaves are appended from batches that are durable; ``flush`` before a root is signed.

    ``own`` tells the witness from the gateway: the witness hashes every payload itself, and where
    a batch is missing it raises MissingLeavesError until ``state`` is called; a gateway writes down
    that the number is lost. One task at a time.
    """

    def __init__(
        self, folder: Path, source: str, hash_name: str = "sha256", *, own: bool = False
    ) -> None:
        self.folder = tree_folder(folder, hash_name)
        self.source = source
        self.algorithm: Hash = hash_named(hash_name)
        self.after = 0
        self._log_folder = folder
        self._own = own
        self._salvage: TileTree | None = None
        self.tree = TileTree(self.folder, self.algorithm)

    @property
    def origin(self) -> str:
        return origin_of(self.source, self.algorithm.name)

    @property
    def salvages(self) -> bool:
        """Torn tiles of before tell some leaves."""
        return self._salvage is not None

    @property
    def size(self) -> int:
        return self.tree.size

    # opening

    def open(self, signed: Head | None, after: int = 0) -> None:
        """
        The tree as it was when ``signed`` was; where its tiles are torn it starts anew.

        ``after`` is how many leaves an SM3 tree takes over. Raises MissingLeavesError when the
        SHA-256 tree does not have them.
        """
        self.after = after
        size = signed.size if signed else 0
        try:
            tree = TileTree.opened(self.folder, self.algorithm, size)
            whole = signed is None or tree.root() == signed.root
        except (TornTreeError, UnknownLeafError):
            whole = False
        if whole:
            self.tree = tree
        else:
            self._start_anew()
        if self.algorithm.name != "sha256" and not self.tree.size:
            self._take_over(after)

    def _start_anew(self) -> None:
        """The old tiles stay aside: of pruned batches nothing else tells the leaf."""
        torn = self.folder.with_name(self.folder.name + ".torn")
        if not torn.exists():
            self.folder.rename(torn)
            make_folder(self.folder)
            for name in ("checkpoint", "cosigned"):
                if (torn / name).exists():
                    replace_text(self.folder / name, (torn / name).read_text("utf-8"))
        self._salvage = TileTree(torn, self.algorithm)
        self.tree = TileTree(self.folder, self.algorithm)

    def _take_over(self, count: int) -> None:
        old = TileTree.opened(tree_folder(self._log_folder, "sha256"), hash_named("sha256"))
        if old.size < count:
            raise MissingLeavesError(old.size + 1, count)
        for index in range(count):
            try:
                self._leaf(index + 1, "leaf-sha256", old.node(0, index))
            except UnknownLeafError:
                raise MissingLeavesError(index + 1, count) from None
        self.tree.flush()

    # growing

    def _leaf(self, seq: int, name: str, digest: bytes) -> None:
        self.tree.append(self.algorithm.leaf(leaf_bytes(self.source, seq, name, digest)))

    async def catch_up(self, logs: Sequence[BatchLog], upto: int) -> None:
        """Leaves to batch ``upto``; ``logs`` are the log and its branches, the log first."""
        while self.tree.size < upto:
            found: list[Batch] = []
            for log in logs:
                batches = [
                    batch
                    for batch in await log.read_from(self.tree.size + 1, _PIECE_BYTES)
                    if batch.seq <= upto
                ]
                if batches and (not found or batches[0].seq < found[0].seq):
                    found = batches
                if found and found[0].seq == self.tree.size + 1:
                    break
            await in_full(self._add, found, upto)

    def _add(self, batches: list[Batch], upto: int) -> None:
        for batch in batches:
            if batch.seq > self.tree.size + 1:
                self._missing(batch.seq - 1, batch)
            self._leaf(batch.seq, *self._digest(batch))
        if not batches:
            self._missing(upto, None)

    def _digest(self, batch: Batch) -> tuple[str, bytes]:
        if self.algorithm.name != "sha256" or self._own:
            return self.algorithm.name, self.algorithm.of(batch.payload)
        return "sha256", batch.digest

    def _missing(self, last: int, follower: Batch | None) -> None:
        """Numbers up to ``last`` whose batches are pruned, damaged or were never here."""
        for seq in range(self.tree.size + 1, last + 1):
            salvaged = self._salvaged(seq - 1)
            told = previous_digest(follower) if follower and seq == last else None
            if salvaged is not None:
                self.tree.append(salvaged)
            elif told is not None and self.algorithm.name == "sha256":
                self._leaf(seq, "sha256", told)
            elif self._own:
                tells = follower is not None and last > seq and self.algorithm.name == "sha256"
                raise MissingLeavesError(seq, last - tells)
            else:
                self._leaf(seq, "lost", bytes(32))

    def _salvaged(self, index: int) -> bytes | None:
        if self._salvage is None:
            return None
        try:
            return self._salvage.node(0, index)
        except UnknownLeafError:
            return None

    def state(self, span: Span) -> bool:
        """Takes the gateway's word for leaves that are not here; False when it does not fit."""
        first, last, hashes = span
        parts = list(whole_subtrees(first - 1, last))
        if first != self.tree.size + 1 or len(parts) != len(hashes):
            return False
        for (level, _), found in zip(parts, hashes, strict=True):
            self.tree.append_subtree(level, found)
        return True

    def span(self, first: int, last: int) -> Span:
        """The word for batches ``first`` to ``last``. Raises UnknownLeafError."""
        parts = whole_subtrees(first - 1, last)
        return first, last, tuple(self.tree.node(level, index) for level, index in parts)

    # heads

    async def flush(self) -> None:
        """What was appended is durable when it returns."""
        await in_full(self.tree.flush)

    def head(self, size: int | None = None) -> Head:
        """The checkpoint's text of the tree as it is, or was at ``size``."""
        at = self.tree.size if size is None else size
        return Head(self.origin, at, self.tree.root(at), self.algorithm.name, self.after)
