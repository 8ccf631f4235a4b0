"""A Merkle tree on disk as C2SP tiles of height 8: grows on the right, keeps what it has."""

import json
import os
import shutil
from pathlib import Path

from agent.batches.durable import make_folder, replace_text, sync
from agent.evidence.tree import HASH_BYTES, Hash, root_of

WIDTH = 256
UNKNOWN = bytes(HASH_BYTES)
_FULL = WIDTH * HASH_BYTES
_PENDING = 256  # full tiles that may wait in memory
_CACHED = 64


class TornTreeError(Exception):
    """Tiles that should be there are not; the tree must be computed again."""


class UnknownLeafError(Exception):
    """Only the hash of a subtree around this leaf is known, or its tile is gone."""


def tile_path(level: int, index: int, width: int = WIDTH) -> str:
    """``tile/<L>/<N>[.p/<W>]`` below the tree's folder."""
    parts = [f"{index % 1000:03d}"]
    while index := index // 1000:
        parts.append(f"x{index % 1000:03d}")
    path = f"tile/{level}/" + "/".join(reversed(parts))
    return path if width == WIDTH else f"{path}.p/{width}"


class TileTree:
    """
    ``append`` leaf hashes, ``flush`` to make them durable; ``node`` serves roots and proofs.

    ``stated`` holds hashes of subtrees whose leaves are not known here. Synchronous; one writer.
    """

    def __init__(self, folder: Path, algorithm: Hash) -> None:
        self.folder = folder
        self.algorithm = algorithm
        self.size = 0
        self.durable = 0
        self.stated: dict[tuple[int, int], bytes] = {}
        self._stated_saved = 0
        self._edges: list[bytearray] = []  # the tile at the right end of each tile level
        self._pending: dict[tuple[int, int], bytes] = {}
        self._cache: dict[tuple[int, int], bytes] = {}

    @classmethod
    def opened(cls, folder: Path, algorithm: Hash, size: int | None = None) -> "TileTree":
        """
        What was flushed, or its first ``size`` leaves: what comes after may then be other than it
        was. Raises TornTreeError when there is less.
        """
        tree = cls(folder, algorithm)
        if size == 0:
            return tree
        try:
            flushed = int((folder / "size").read_text("ascii"))
            stated = folder / "stated.json"
            rows = json.loads(stated.read_text("ascii")) if stated.exists() else []
            known = {(int(a), int(b)): bytes.fromhex(h) for a, b, h in rows}
        except FileNotFoundError:
            if size is None:
                return tree
            raise TornTreeError(f"{folder}: no tiles of {size} leaves") from None
        except (OSError, ValueError, TypeError) as error:
            raise TornTreeError(f"{folder}: {error}") from None
        wanted = flushed if size is None else size
        if wanted > flushed:
            raise TornTreeError(f"{folder}: {flushed} leaves of {wanted}")
        tree.stated = {at: found for at, found in known.items() if (at[1] + 1) << at[0] <= wanted}
        tree._stated_saved = len(known)
        tree._load_edges(wanted)
        return tree

    def _load_edges(self, size: int) -> None:
        self.size = self.durable = size
        level = 0
        while size >> 8 * level:
            index, width = divmod(size >> 8 * level, WIDTH)
            data = self._read(level, index, width) if width else b""
            if len(data) < width * HASH_BYTES:
                raise TornTreeError(f"{self.folder / tile_path(level, index)}: less than {width}")
            self._edges.append(bytearray(data[: width * HASH_BYTES]))
            level += 1

    # growing

    def append(self, leaf_hash: bytes) -> None:
        """The next leaf."""
        self.size += 1
        self._push(0, leaf_hash)
        if len(self._pending) >= _PENDING:
            self.flush()

    def append_subtree(self, level: int, found: bytes) -> None:
        """2**level leaves of which only the subtree's hash is known; ``size`` is aligned to it."""
        if self.size % (1 << level):
            raise ValueError(f"a subtree of level {level} does not begin at leaf {self.size}")
        tiles, rest = divmod(level, 8)
        self.stated[level, self.size >> level] = found
        self.size += 1 << level
        if rest:
            for _ in range(1 << rest):
                self._push(tiles, UNKNOWN)
        else:
            self._push(tiles, found)

    def _push(self, level: int, entry: bytes) -> None:
        while len(self._edges) <= level:
            self._edges.append(bytearray())
        edge = self._edges[level]
        edge += entry
        if len(edge) == _FULL:
            index = (self.size >> 8 * level) - 1 >> 8
            self._pending[level, index] = bytes(edge)
            self._edges[level] = bytearray()
            self._push(level + 1, self._fold(8 * level + 8, index))

    # reading

    def root(self, size: int | None = None) -> bytes:
        """Of the first ``size`` leaves, all by default."""
        wanted = self.size if size is None else size
        if wanted > self.size:
            raise ValueError(f"{wanted} leaves of {self.size}")
        return root_of(self.algorithm, wanted, self.node)

    def node(self, level: int, index: int) -> bytes:
        """Hash of a whole subtree. Raises UnknownLeafError inside what is only stated."""
        stated = self.stated.get((level, index))
        if stated is not None:
            return stated
        tiles, rest = divmod(level, 8)
        if rest:
            return self._fold(level, index)
        tile = self._tile(tiles, index // WIDTH)
        entry = tile[index % WIDTH * HASH_BYTES :][:HASH_BYTES]
        if len(entry) < HASH_BYTES or entry == UNKNOWN:
            raise UnknownLeafError(f"{self.folder.parent.name}: node {level}/{index} is not known")
        return entry

    def _fold(self, level: int, index: int) -> bytes:
        """From the entries of one tile; level is not a multiple of 8, or stands for a full tile."""
        tiles = (level - 1) // 8
        count = 1 << (level - 8 * tiles)
        first = index * count
        data = self._tile(tiles, first // WIDTH)
        start = first % WIDTH * HASH_BYTES
        entries = [
            data[at : at + HASH_BYTES]
            for at in range(start, start + count * HASH_BYTES, HASH_BYTES)
        ]
        if UNKNOWN in entries or len(entries[-1]) < HASH_BYTES:
            left, right = self.node(level - 1, 2 * index), self.node(level - 1, 2 * index + 1)
            return self.algorithm.node(left, right)
        join = self.algorithm.node
        while len(entries) > 1:
            entries = [join(entries[i], entries[i + 1]) for i in range(0, len(entries), 2)]
        return entries[0]

    def _tile(self, level: int, index: int) -> bytes:
        pending = self._pending.get((level, index))
        if pending is not None:
            return pending
        if level < len(self._edges) and index == self.size >> 8 * (level + 1):
            return bytes(self._edges[level])
        data = self._cache.pop((level, index), None)
        if data is None:
            data = self._read(level, index)
        self._cache[level, index] = data
        while len(self._cache) > _CACHED:
            self._cache.pop(next(iter(self._cache)))
        return data

    def _read(self, level: int, index: int, width: int = WIDTH) -> bytes:
        """The tile of that width, or else the full one (its beginning may be all that counts)."""
        for wanted in (width, WIDTH):
            try:
                return (self.folder / tile_path(level, index, wanted)).read_bytes()
            except OSError:
                continue
        return b""

    # on disk

    def flush(self) -> None:
        """Everything appended is durable when it returns: first tiles, then ``size``."""
        if self.size == self.durable:
            return
        folders: set[Path] = set()
        for (level, index), data in self._pending.items():
            self._write(tile_path(level, index), data, folders)
        for level, edge in enumerate(self._edges):
            if edge:
                index, width = divmod(self.size >> 8 * level, WIDTH)
                self._write(tile_path(level, index, width), bytes(edge), folders)
        for folder in folders:
            sync(folder)
        if len(self.stated) != self._stated_saved:
            rows = [[level, index, found.hex()] for (level, index), found in self.stated.items()]
            replace_text(self.folder / "stated.json", json.dumps(rows))
            self._stated_saved = len(self.stated)
        replace_text(self.folder / "size", str(self.size))
        self.durable = self.size
        for level, index in self._pending:
            path = self.folder / tile_path(level, index)
            shutil.rmtree(path.with_name(path.name + ".p"), ignore_errors=True)
        self._pending.clear()

    def _write(self, name: str, data: bytes, folders: set[Path]) -> None:
        path = self.folder / name
        if path.parent not in folders:
            make_folder(path.parent)
            folders.add(path.parent)
        fresh = path.with_name(path.name + ".new")
        with fresh.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
