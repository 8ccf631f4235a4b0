"""
The historian's Merkle trees and signed heads, read from its folders as docs/evidence.md says.

Shares no code with the writer: what is read here is proven by arithmetic, not by trust.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from drivers.language import say
from reports.package.verify import Broken, Head, Note, grew, joined, root_by_path, root_of

_WIDTH: Final = 256
_BYTES: Final = 32
_UNKNOWN: Final = bytes(_BYTES)


class TreeError(Exception):
    """No proof can be had; the text says why and what to do."""


@dataclass
class Tiles:
    """One tree on disk; ``node(level, index)`` stands for 2**level leaves."""

    folder: Path
    algorithm: str
    _read: dict[tuple[int, int], bytes] = field(default_factory=dict, repr=False)
    _stated: dict[tuple[int, int], bytes] | None = field(default=None, repr=False)
    _joined: dict[tuple[int, int], bytes] = field(default_factory=dict, repr=False)

    def node(self, level: int, index: int) -> bytes:
        """Raises TreeError where the tiles do not know."""
        if (level, index) in self.stated:
            return self.stated[level, index]
        tiles, rest = divmod(level, 8)
        if rest == 0:
            found = self._entry(tiles, index)
            if found is not None:
                return found
        if level == 0:
            raise TreeError(
                say(
                    f"{self.folder}：缺少第 {index + 1} 个批次的叶子；请运行历史库以重算",
                    f"{self.folder}: leaf of batch {index + 1} is not there; run the historian, "
                    "it computes what is missing",
                )
            )
        if (level, index) not in self._joined:  # asked for again by the path of every batch
            left, right = self.node(level - 1, 2 * index), self.node(level - 1, 2 * index + 1)
            self._joined[level, index] = joined(self.algorithm, left, right)
        return self._joined[level, index]

    @property
    def stated(self) -> dict[tuple[int, int], bytes]:
        """Subtrees of which only the gateway told the hash."""
        if self._stated is None:
            path = self.folder / "stated.json"
            rows = json.loads(path.read_text("ascii")) if path.exists() else []
            self._stated = {(int(a), int(b)): bytes.fromhex(text) for a, b, text in rows}
        return self._stated

    def _entry(self, level: int, index: int) -> bytes | None:
        tile = self._tile(level, index // _WIDTH)
        entry = tile[index % _WIDTH * _BYTES :][:_BYTES]
        return None if len(entry) < _BYTES or entry == _UNKNOWN else entry

    def _tile(self, level: int, number: int) -> bytes:
        if (level, number) not in self._read:
            self._read[level, number] = _widest(self.folder / "tile" / str(level), number)
        return self._read[level, number]

    def root(self, low: int, high: int) -> bytes:
        """Of the leaves [low, high), as RFC 6962's recursion asks for them."""
        if high - low == 1:
            return self.node(0, low)
        size = high - low
        if size & (size - 1) == 0 and low % size == 0:
            return self.node(size.bit_length() - 1, low // size)
        middle = low + _split(size)
        return joined(self.algorithm, self.root(low, middle), self.root(middle, high))

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """From the leaf's sibling up (RFC 6962 section 2.1.1)."""
        path, low, high = [], 0, size
        while high - low > 1:
            middle = low + _split(high - low)
            if index < middle:
                path.append(self.root(middle, high))
                high = middle
            else:
                path.append(self.root(low, middle))
                low = middle
        return path[::-1]

    def consistency(self, old: int, new: int) -> list[bytes]:
        """RFC 6962 section 2.1.2, for 0 < old < new."""
        path, low, high, whole = [], 0, new, True
        while old != high:
            middle = low + _split(high - low)
            if old <= middle:
                path.append(self.root(middle, high))
                high = middle
            else:
                path.append(self.root(low, middle))
                low, whole = middle, False
        return (path if whole else [*path, self.root(low, high)])[::-1]

    def leaves(self, size: int) -> list[bytes]:
        """All leaf hashes. Raises TreeError."""
        return [self.node(0, index) for index in range(size)]


def _split(count: int) -> int:
    """The largest power of two below ``count``."""
    return 1 << ((count - 1).bit_length() - 1)


def _widest(folder: Path, number: int) -> bytes:
    """A tile, full if it is there, else the widest part of it; b"" when there is none."""
    parts = [f"{number % 1000:03d}"]
    while number := number // 1000:
        parts.append(f"x{number % 1000:03d}")
    path = folder.joinpath(*reversed(parts))
    if path.is_file():
        return path.read_bytes()
    beside = path.with_name(f"{path.name}.p")
    widths = (int(part.name) for part in beside.glob("*") if part.name.isdigit())
    widest = max(widths, default=0)
    return (beside / str(widest)).read_bytes() if widest else b""


@dataclass(frozen=True)
class SignedHead:
    """The newest cosigned checkpoint of a log, and the tree it speaks of."""

    log: str  # plant/gateway/stream/log
    text: str
    head: Head
    tiles: Tiles

    def path(self, seq: int) -> list[bytes]:
        """Inclusion path of batch ``seq``. Raises TreeError."""
        if seq > self.head.size:
            raise TreeError(
                say(
                    f"批次 {seq} 晚于最新会签的检查点（{self.head.size}），约一分钟后可证明",
                    f"batch {seq} is newer than the newest cosigned checkpoint "
                    f"({self.head.size}); it can be proven in about a minute",
                )
            )
        return self.tiles.inclusion(seq - 1, self.head.size)

    def proves(self, seq: int, leaf: bytes) -> bool:
        """Whether this leaf hash is leaf ``seq - 1`` under the signed root. Raises TreeError."""
        found = root_by_path(self.head.hash, leaf, seq - 1, self.head.size, self.path(seq))
        return found == self.head.root

    def leaves(self) -> list[bytes]:
        """All of them, or none when some are not known; they lead to the root."""
        try:
            found = self.tiles.leaves(self.head.size)
        except TreeError:
            return []
        return found if root_of(self.head.hash, found) == self.head.root else []

    def since(self, known: Head) -> list[bytes]:
        """Proof that the log went on from ``known``. Raises TreeError."""
        path = self.tiles.consistency(known.size, self.head.size)
        roots = (known.size, known.root, self.head.size, self.head.root)
        if not grew(self.head.hash, *roots, path):
            raise TreeError(
                say(
                    f"{self.log}：检查点（{known.size}）不属于本日志的历史",
                    f"{self.log}: the checkpoint of {known.size} is not of this log's history",
                )
            )
        return path


@dataclass(frozen=True, slots=True)
class Heads:
    """``checkpoints/`` beside the originals: what the historian cosigned, and whose keys."""

    originals: Path

    @property
    def folder(self) -> Path:
        return self.originals.parent / "checkpoints"

    def of(self, log: str) -> SignedHead | None:
        """The newest of a log (plant/gateway/stream/log); None when nothing was cosigned yet."""
        for part, tree in (("sm3", "tree-sm3"), ("", "tree")):
            path = self.folder / log / part / "checkpoint"
            if path.is_file():
                text = path.read_text("utf-8")
                try:
                    head = Head(Note(text))
                except Broken as error:
                    raise TreeError(f"{path}: {say(error.zh, error.en)}") from None
                return SignedHead(log, text, head, Tiles(self.originals / log / tree, head.hash))
        return None

    def keys(self, sender: str) -> bytes | None:
        """History of keys of plant/gateway, or of the historian itself ("")."""
        path = self.folder / sender / "keys.json" if sender else self.folder / "witness.json"
        return path.read_bytes() if path.is_file() else None

    def older(self, log: str) -> Iterator[Head]:
        """The last head of each day."""
        for path in sorted((self.folder / log / "days").glob("*")):
            yield Head(Note(path.read_text("utf-8")))

    def stamps(self, log: str) -> dict[str, bytes]:
        """The newest day that names the log, and the newest that was stamped, with the answers."""
        days = sorted((self.folder / "daily").glob("*.txt"), reverse=True)
        naming = [day for day in days if f"/{log} " in day.read_text("utf-8")]
        stamped = [day for day in naming if day.with_suffix(".tsr").is_file()]
        found: dict[str, bytes] = {}
        for day in {*naming[:1], *stamped[:1]}:
            for path in (day, day.with_suffix(".tsq"), day.with_suffix(".tsr")):
                if path.is_file():
                    found[path.name] = path.read_bytes()
        return found
