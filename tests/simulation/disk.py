"""A disk in memory that knows what is synced, so that a power cut can take the rest."""

import errno
import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

SECTOR = 512
_FRAME = 4096


def failed(code: int, path: str = "") -> OSError:
    return OSError(code, os.strerror(code), path or None)


@dataclass(slots=True, eq=False)
class File:
    """
    ``data`` is what a reader sees (page cache), ``durable`` what a power cut leaves for sure.

    ``pending`` are the writes in between. After a failed sync the kernel takes the pages for
    clean: they are still seen, but no later sync writes them (``lost``).
    """

    mtime_ns: int
    mode: int
    data: bytearray = field(default_factory=bytearray)
    durable: bytearray = field(default_factory=bytearray)
    pending: list[tuple[int, bytes]] = field(default_factory=list)  # offset -1: a truncation
    lost: bool = False
    linked: bool = True
    locked_by: object = None

    @property
    def safe(self) -> bool:
        return not self.pending and not self.lost

    def sync(self) -> None:
        for offset, piece in self.pending:
            _apply(self.durable, offset, piece)
        self.pending.clear()

    def fail_sync(self) -> None:
        self.lost = True
        self.pending.clear()

    def evict(self) -> None:
        """The page cache forgets pages it takes for clean."""
        if self.lost and not self.pending:
            self.data[:] = self.durable
            self.lost = False

    def power_cut(self, chance: random.Random) -> None:
        """Of the writes that were not synced any may be there, whole, torn or not at all."""
        kept = chance.random()
        for offset, piece in self.pending:
            if offset < 0:
                if chance.random() < kept:
                    _apply(self.durable, offset, piece)
            elif chance.random() < 0.3:
                _apply(self.durable, offset, piece[: chance.randrange(len(piece) + 1)])
            else:
                for at in range(0, len(piece), SECTOR):
                    if chance.random() < kept:
                        _apply(self.durable, offset + at, piece[at : at + SECTOR])
        if self.pending and len(self.data) > len(self.durable) and chance.random() < 0.3:
            self.durable.extend(bytes(len(self.data) - len(self.durable)))
        self.pending.clear()
        self.data[:] = self.durable
        self.lost = False
        self.locked_by = None


def _apply(data: bytearray, offset: int, piece: bytes) -> None:
    if offset < 0:
        size = -offset - 1
        del data[size:]
        data.extend(bytes(size - len(data)))
        return
    if offset > len(data):
        data.extend(bytes(offset - len(data)))
    data[offset : offset + len(piece)] = piece


@dataclass(slots=True, eq=False)
class Folder:
    """``entries`` as seen, ``durable`` as after a power cut, ``pending`` the changes in between."""

    mtime_ns: int
    mode: int = 0o755
    entries: dict[str, "File | Folder"] = field(default_factory=dict)
    durable: dict[str, "File | Folder"] = field(default_factory=dict)
    pending: list[dict[str, "File | Folder | None"]] = field(default_factory=list)

    def change(self, now_ns: int, names: "dict[str, File | Folder | None]") -> None:
        """Entries set or (None) removed, all in one step."""
        self.mtime_ns = now_ns
        self.pending.append(names)
        _change(self.entries, names)

    def sync(self) -> None:
        self.durable = dict(self.entries)
        self.pending.clear()

    def power_cut(self, chance: random.Random) -> None:
        """Changes come to the disk in order; a seeded number of them did."""
        for names in self.pending[: chance.randrange(len(self.pending) + 1)]:
            _change(self.durable, names)
        self.pending.clear()
        self.entries = dict(self.durable)
        for node in self.entries.values():
            node.power_cut(chance)


def _change(entries: dict[str, File | Folder], names: dict[str, File | Folder | None]) -> None:
    for name, node in names.items():
        if node is None:
            entries.pop(name, None)
        else:
            entries[name] = node


@dataclass(slots=True, eq=False)
class Handle:
    """An open file of a process."""

    node: File | Folder
    path: str
    owner: object
    append: bool = False
    position: int = 0


class Disk:
    """The files of one host. ``before`` is asked before each operation and may raise."""

    def __init__(self, capacity: int, now_ns: Callable[[], int]) -> None:
        self.capacity = capacity
        self.others = 0  # bytes that somebody else takes
        self.used = 0
        self.root = Folder(0)
        self.now_ns = now_ns
        self.before: Callable[[str, str, int], int] = lambda _op, _path, size: size
        self.unlinking: Callable[[str, File], None] = lambda _path, _file: None

    # room

    @property
    def free(self) -> int:
        return max(0, self.capacity - self.others - self.used)

    def _count(self) -> None:
        self.used = sum(len(file.data) for _, file in self.files())

    def files(self, folder: Folder | None = None, path: str = "") -> Iterator[tuple[str, File]]:
        for name, node in (folder or self.root).entries.items():
            where = f"{path}/{name}"
            if isinstance(node, File):
                yield where, node
            else:
                yield from self.files(node, where)

    # finding

    def find(self, path: str) -> File | Folder:
        node: File | Folder = self.root
        for part in path.split("/"):
            if not part:
                continue
            if not isinstance(node, Folder):
                raise failed(errno.ENOTDIR, path)
            found = node.entries.get(part)
            if found is None:
                raise failed(errno.ENOENT, path)
            node = found
        return node

    def parent(self, path: str) -> tuple[Folder, str]:
        where, _, name = path.rstrip("/").rpartition("/")
        folder = self.find(where)
        if not isinstance(folder, Folder):
            raise failed(errno.ENOTDIR, path)
        return folder, name

    # operations

    def open(self, path: str, flags: int, mode: int, owner: object) -> Handle:
        try:
            node = self.find(path)
        except FileNotFoundError:
            if not flags & os.O_CREAT:
                self.before("open", path, 0)
                raise
            self.before("create", path, 0)
            folder, name = self.parent(path)
            node = File(self.now_ns(), mode)
            folder.change(self.now_ns(), {name: node})
            return Handle(node, path, owner)
        self.before("open", path, 0)
        if flags & os.O_CREAT and flags & os.O_EXCL:
            raise failed(errno.EEXIST, path)
        writes = flags & (os.O_WRONLY | os.O_RDWR)
        if isinstance(node, Folder) and writes:
            raise failed(errno.EISDIR, path)
        if isinstance(node, File) and flags & os.O_TRUNC and writes:
            self.truncate(Handle(node, path, owner), 0)
        return Handle(node, path, owner, bool(flags & os.O_APPEND))

    def read(self, handle: Handle, size: int, offset: int) -> bytes:
        if isinstance(handle.node, Folder):
            raise failed(errno.EISDIR, handle.path)
        self.before("read", handle.path, size)
        return bytes(handle.node.data[offset : offset + size])

    def write(self, handle: Handle, piece: bytes, offset: int) -> int:
        file = self._file(handle)
        size = self.before("write", handle.path, len(piece))
        grows = max(0, offset + size - len(file.data))
        if grows and file.linked and grows > self.free:
            size -= grows - self.free // _FRAME * _FRAME
            if size <= 0:
                raise failed(errno.ENOSPC, handle.path)
        done = piece[:size]
        before = len(file.data)
        _apply(file.data, offset, done)
        self.used += (len(file.data) - before) * file.linked
        file.pending.append((offset, done))
        file.mtime_ns = self.now_ns()
        return len(done)

    def truncate(self, handle: Handle, size: int) -> None:
        file = self._file(handle)
        self.before("truncate", handle.path, 0)
        if size == len(file.data):
            return
        self.used += (size - len(file.data)) * file.linked
        _apply(file.data, -size - 1, b"")
        file.pending.append((-size - 1, b""))
        file.mtime_ns = self.now_ns()

    def allocate(self, handle: Handle, size: int) -> None:
        file = self._file(handle)
        self.before("write", handle.path, size)
        if size - len(file.data) > self.free:
            raise failed(errno.ENOSPC, handle.path)
        missing = size - len(file.data)
        if missing > 0:
            file.pending.append((len(file.data), bytes(missing)))
            file.data.extend(bytes(missing))
            self.used += missing * file.linked

    def _file(self, handle: Handle) -> File:
        if not isinstance(handle.node, File):
            raise failed(errno.EISDIR, handle.path)
        return handle.node

    def sync(self, handle: Handle) -> None:
        try:
            self.before("sync", handle.path, 0)
        except OSError:
            if isinstance(handle.node, File):
                handle.node.fail_sync()
            raise
        handle.node.sync()

    def mkdir(self, path: str, mode: int) -> None:
        self.before("mkdir", path, 0)
        folder, name = self.parent(path)
        if name in folder.entries:
            raise failed(errno.EEXIST, path)
        folder.change(self.now_ns(), {name: Folder(self.now_ns(), mode)})

    def unlink(self, path: str) -> None:
        self.before("unlink", path, 0)
        folder, name = self.parent(path)
        node = self.find(path)
        if not isinstance(node, File):
            raise failed(errno.EISDIR, path)
        self.unlinking(path, node)
        node.linked = False
        self.used -= len(node.data)
        folder.change(self.now_ns(), {name: None})

    def rmdir(self, path: str) -> None:
        self.before("rmdir", path, 0)
        folder, name = self.parent(path)
        node = self.find(path)
        if not isinstance(node, Folder):
            raise failed(errno.ENOTDIR, path)
        if node.entries:
            raise failed(errno.ENOTEMPTY, path)
        folder.change(self.now_ns(), {name: None})

    def rename(self, old: str, new: str) -> None:
        self.before("rename", f"{old} {new.rpartition('/')[2]}", 0)
        (source, name), (target, other) = self.parent(old), self.parent(new)
        node = self.find(old)
        there = target.entries.get(other)
        if isinstance(there, Folder) and there.entries:
            raise failed(errno.ENOTEMPTY, new)
        if isinstance(there, File) and there is not node:
            self.unlinking(new, there)
            there.linked = False
            self.used -= len(there.data)
        if source is target:
            source.change(self.now_ns(), {other: node, name: None})
        else:
            target.change(self.now_ns(), {other: node})
            source.change(self.now_ns(), {name: None})

    def power_cut(self, chance: random.Random) -> None:
        self.root.power_cut(chance)
        self._count()

    def settle(self) -> None:
        """Everything as it is now is durable (what an installation leaves)."""
        for _, file in self.files():
            file.sync()
        for folder in self._folders(self.root):
            folder.sync()

    def _folders(self, folder: Folder) -> Iterator[Folder]:
        yield folder
        for node in folder.entries.values():
            if isinstance(node, Folder):
                yield from self._folders(node)

    def is_durable(self, path: str) -> bool:
        """Whether a power cut now would leave this file as it is, under this name."""
        node: File | Folder = self.root
        for part in path.split("/"):
            if not part:
                continue
            if not isinstance(node, Folder):
                return False
            found = node.durable.get(part)
            if found is None or found is not node.entries.get(part):
                return False
            node = found
        return isinstance(node, File) and node.safe
