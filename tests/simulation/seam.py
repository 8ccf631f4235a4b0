"""
Between the product and the system: ``os``, ``io.open``, ``time``, ``flock`` and chance.

``install`` is called before anything of the product is imported, once in a process. What is not of
the simulated world (paths below ROOT, calls while no world is in force) goes on to the system.
"""

import errno
import fcntl
import io
import os
import posixpath
import random
import secrets
import shutil
import stat
import time
from collections.abc import Callable
from typing import Any, Protocol, Self, cast

from tests.simulation.disk import Disk, File, Folder, Handle, failed
from tests.simulation.loop import PROCESS, Killed, Process

ROOT = "/simulated"
_FIRST = 1 << 20


class World(Protocol):
    """Whose disk and clock a call meets."""

    chance: random.Random

    def disk(self, host: str) -> Disk: ...
    def wall_ns(self, process: Process | None) -> int: ...
    def mono_ns(self) -> int: ...
    def boot_ns(self, process: Process | None) -> int: ...


class _Seam:
    def __init__(self) -> None:
        self.world: World | None = None
        self.handles: dict[int, Handle] = {}
        self.next = _FIRST

    def enter(self, world: World | None) -> None:
        self.world = world
        self.handles, self.next = {}, _FIRST

    def place(self, path: Any) -> tuple[Disk, str] | None:
        """The disk and the path on it; None for a path of the real system."""
        if isinstance(path, int):
            return None
        text = os.fspath(path)
        if not isinstance(text, str) or not (text + "/").startswith(ROOT + "/"):
            return None
        process = PROCESS.get()
        if self.world is None or (process is not None and not process.alive):
            raise Killed
        host, _, inside = text[len(ROOT) + 1 :].partition("/")
        if not host and process is not None:
            host = process.host
        if process is not None and process.host != host:
            raise AssertionError(f"{process} touches {text}")
        return self.world.disk(host), posixpath.normpath(inside).removeprefix(".")

    def handle(self, number: Any) -> Handle | None:
        if not isinstance(number, int) or number < _FIRST:
            return None
        found = self.handles.get(number)
        if found is None:
            raise failed(errno.EBADF)
        return found

    def disk_of(self, handle: Handle) -> Disk:
        owner = cast("Process | None", handle.owner)
        if self.world is None or owner is None:
            raise Killed
        if not owner.alive:
            raise Killed
        return self.world.disk(owner.host)


SEAM = _Seam()


def _open(place: tuple[Disk, str], flags: int, mode: int = 0o644) -> int:
    disk, path = place
    process = PROCESS.get()
    handle = disk.open(path, flags, mode, process)
    if handle.append and isinstance(handle.node, File):
        handle.position = len(handle.node.data)
    SEAM.next += 1
    SEAM.handles[SEAM.next] = handle
    return SEAM.next


def _close(number: int, handle: Handle) -> None:
    SEAM.handles.pop(number, None)
    if isinstance(handle.node, File) and handle.node.locked_by is handle:
        handle.node.locked_by = None


class _Raw(io.RawIOBase):
    """What ``open`` gives for a simulated file. Of a dead process it does nothing, silently."""

    def __init__(self, number: int, *, reads: bool, writes: bool) -> None:
        self._number, self._reads, self._writes = number, reads, writes
        self._handle = SEAM.handles[number]
        self.name = self._handle.path

    def _disk(self) -> Disk | None:
        try:
            return SEAM.disk_of(self._handle)
        except Killed:
            if PROCESS.get() is not None and PROCESS.get() is self._handle.owner:
                raise
            return None

    def fileno(self) -> int:
        return self._number

    def readable(self) -> bool:
        return self._reads

    def writable(self) -> bool:
        return self._writes

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        disk = self._disk()
        if disk is None:
            return 0
        found = disk.read(self._handle, len(buffer), self._handle.position)
        buffer[: len(found)] = found
        self._handle.position += len(found)
        return len(found)

    def write(self, data: Any) -> int:
        disk = self._disk()
        if disk is None:
            return len(data)
        done = disk.write(self._handle, bytes(data), self._handle.position)
        self._handle.position += done
        return done

    def seek(self, offset: int, whence: int = 0) -> int:
        node = self._handle.node
        size = len(node.data) if isinstance(node, File) else 0
        self._handle.position = offset + (0, self._handle.position, size)[whence]
        return self._handle.position

    def tell(self) -> int:
        return self._handle.position

    def close(self) -> None:
        if not self.closed:
            _close(self._number, self._handle)
        super().close()


def _file(  # as io.open
    place: tuple[Disk, str] | int,
    mode: str = "r",
    buffering: int = -1,
    encoding: str | None = None,
    errors: str | None = None,
    newline: str | None = None,
    **_more: Any,
) -> Any:
    kind, plus = mode.replace("b", "").replace("t", "").replace("+", ""), "+" in mode
    reads, writes = kind == "r" or plus, kind != "r" or plus
    flags = os.O_RDWR if reads and writes else os.O_WRONLY if writes else os.O_RDONLY
    flags |= {
        "r": 0,
        "w": os.O_CREAT | os.O_TRUNC,
        "a": os.O_CREAT | os.O_APPEND,
        "x": os.O_CREAT | os.O_EXCL,
    }[kind]
    number = place if isinstance(place, int) else _open(place, flags)
    raw = _Raw(number, reads=reads, writes=writes)
    if buffering == 0:
        return raw
    both = reads and writes
    buffered: Any
    if both:
        buffered = io.BufferedRandom(raw)
    else:
        buffered = io.BufferedWriter(raw) if writes else io.BufferedReader(raw)
    if "b" in mode:
        return buffered
    return io.TextIOWrapper(buffered, encoding or "utf-8", errors, newline)


def _stat(node: File | Folder) -> os.stat_result:
    kind = stat.S_IFREG if isinstance(node, File) else stat.S_IFDIR
    size = len(node.data) if isinstance(node, File) else 4096
    seconds = node.mtime_ns // 1_000_000_000
    ns = node.mtime_ns
    floats = (ns / 1e9,) * 3
    head = (kind | node.mode, 1, 1, 1, 0, 0, size, seconds, seconds, seconds)
    return os.stat_result((*head, *floats, ns, ns, ns))


class _Entry:
    def __init__(self, folder: str, name: str, node: File | Folder) -> None:
        self.name, self.path, self._node = name, f"{folder}/{name}", node

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        return isinstance(self._node, Folder)

    def is_file(self, *, follow_symlinks: bool = True) -> bool:
        return isinstance(self._node, File)

    def is_symlink(self) -> bool:
        return False

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        return _stat(self._node)


class _Scan(list[_Entry]):
    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def close(self) -> None:
        return


def _entries(place: tuple[Disk, str]) -> dict[str, File | Folder]:
    node = place[0].find(place[1])
    if not isinstance(node, Folder):
        raise failed(errno.ENOTDIR, place[1])
    return node.entries


def _by_path(name: str, simulated: Callable[..., Any], module: Any = os) -> None:
    """Replaces ``module.name``, whose first argument is a path."""
    real = getattr(module, name)

    def call(path: Any = ".", *args: Any, **more: Any) -> Any:
        place = SEAM.place(path)
        return real(path, *args, **more) if place is None else simulated(place, *args, **more)

    setattr(module, name, call)


def _by_number(name: str, simulated: Callable[..., Any], module: Any = os) -> None:
    """Replaces ``module.name``, whose first argument is the number of an open file."""
    real = getattr(module, name)

    def call(number: Any, *args: Any, **more: Any) -> Any:
        if not isinstance(number, int) and hasattr(number, "fileno"):
            number = number.fileno()
        if not isinstance(number, int) or number < _FIRST:
            return real(number, *args, **more)
        handle = SEAM.handle(number)
        return simulated(number, handle, *args, **more)

    setattr(module, name, call)


def _install_paths() -> None:
    _by_path("open", _open)
    _by_path("stat", lambda place, **_: _stat(place[0].find(place[1])))
    _by_path("lstat", lambda place, **_: _stat(place[0].find(place[1])))
    _by_path("mkdir", lambda place, mode=0o777, **_: place[0].mkdir(place[1], mode))
    _by_path("rmdir", lambda place, **_: place[0].rmdir(place[1]))
    for name in ("unlink", "remove"):
        _by_path(name, lambda place, **_: place[0].unlink(place[1]))
    for name in ("rename", "replace"):
        _by_path(name, lambda place, new, **_: place[0].rename(place[1], _same(place, new)))
    _by_path("listdir", lambda place: list(_entries(place)))
    _by_path(
        "scandir",
        lambda place: _Scan(_Entry("", name, node) for name, node in _entries(place).items()),
    )
    _by_path("chmod", _chmod)
    _by_path("statvfs", lambda place, **_: _room(place[0]))
    _by_path("rmtree", _rmtree, shutil)
    real_open = io.open

    def open_file(file: Any, mode: str = "r", *args: Any, **more: Any) -> Any:
        if isinstance(file, int) and file >= _FIRST:
            return _file(file, mode, *args, **more)
        place = SEAM.place(file)
        return (
            real_open(file, mode, *args, **more)
            if place is None
            else _file(place, mode, *args, **more)
        )

    io.open = open_file


def _same(place: tuple[Disk, str], new: Any) -> str:
    other = SEAM.place(new)
    if other is None or other[0] is not place[0]:
        raise failed(errno.EXDEV)
    return other[1]


def _chmod(place: tuple[Disk, str], mode: int, **_: Any) -> None:
    place[0].find(place[1]).mode = mode


def _room(disk: Disk) -> os.statvfs_result:
    blocks = disk.free // 4096
    return os.statvfs_result((4096, 4096, disk.capacity // 4096, blocks, blocks, 0, 0, 0, 0, 255))


def _rmtree(place: tuple[Disk, str], ignore_errors: bool = False) -> None:
    disk, path = place
    try:
        node = disk.find(path)
        if isinstance(node, Folder):
            for name, each in list(node.entries.items()):
                if isinstance(each, Folder):
                    _rmtree((disk, f"{path}/{name}"), ignore_errors)
                else:
                    disk.unlink(f"{path}/{name}")
            disk.rmdir(path)
    except OSError:
        if not ignore_errors:
            raise


def _install_numbers() -> None:
    def disk(handle: Handle) -> Disk:
        return SEAM.disk_of(handle)

    _by_number("close", _close)
    _by_number("pread", lambda _, h, size, at: disk(h).read(h, size, at))
    _by_number("pwrite", lambda _, h, data, at: disk(h).write(h, bytes(data), at))
    _by_number("fsync", lambda _, h: disk(h).sync(h))
    _by_number("fdatasync", lambda _, h: disk(h).sync(h))
    _by_number("ftruncate", lambda _, h, size: disk(h).truncate(h, size))
    _by_number("fstat", lambda _, h: _stat(h.node))
    _by_number("posix_fallocate", lambda _, h, at, size: disk(h).allocate(h, at + size))
    _by_number("flock", _flock, fcntl)


def _flock(_number: int, handle: Handle, operation: int) -> None:
    disk = SEAM.disk_of(handle)
    disk.before("lock", handle.path, 0)
    if not isinstance(handle.node, File) or not operation & fcntl.LOCK_EX:
        raise failed(errno.EINVAL, handle.path)
    holder = handle.node.locked_by
    if isinstance(holder, Handle) and holder is not handle:
        owner = holder.owner
        if isinstance(owner, Process) and owner.alive:
            raise BlockingIOError(errno.EWOULDBLOCK, os.strerror(errno.EWOULDBLOCK))
    handle.node.locked_by = handle


def _install_time() -> None:
    def clock(name: str, simulated: Callable[[World], Any]) -> None:
        real = getattr(time, name)

        def call() -> Any:
            return real() if SEAM.world is None else simulated(SEAM.world)

        setattr(time, name, call)

    clock("time_ns", lambda world: world.wall_ns(PROCESS.get()))
    clock("time", lambda world: world.wall_ns(PROCESS.get()) / 1e9)
    clock("monotonic_ns", lambda world: world.mono_ns())
    clock("monotonic", lambda world: world.mono_ns() / 1e9)
    real_clock = time.clock_gettime_ns

    def clock_gettime_ns(number: int) -> int:
        if SEAM.world is None or number != time.CLOCK_BOOTTIME:
            return real_clock(number)
        return SEAM.world.boot_ns(PROCESS.get())

    time.clock_gettime_ns = clock_gettime_ns
    real_gmtime = time.gmtime

    def gmtime(seconds: float | None = None) -> time.struct_time:
        return real_gmtime(time.time() if seconds is None else seconds)

    time.gmtime = gmtime  # type: ignore[assignment]


def _install_chance() -> None:
    real_urandom, real_bytes = os.urandom, secrets.token_bytes

    def urandom(size: int) -> bytes:
        return real_urandom(size) if SEAM.world is None else SEAM.world.chance.randbytes(size)

    def token_bytes(nbytes: int | None = None) -> bytes:
        size = 32 if nbytes is None else nbytes
        return real_bytes(size) if SEAM.world is None else SEAM.world.chance.randbytes(size)

    os.urandom = urandom
    secrets.token_bytes = token_bytes
    secrets.token_hex = lambda nbytes=None: token_bytes(nbytes).hex()


def install() -> None:
    """Once; before the product is imported, so that default arguments bind to these, too."""
    _install_paths()
    _install_numbers()
    _install_time()
    _install_chance()
