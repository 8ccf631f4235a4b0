"""Files that are there whole or not at all, also after a power cut."""

import contextlib
import ctypes
import errno
import os
from pathlib import Path

_EXCHANGE = 2
_HERE = -100  # AT_FDCWD


def sync(path: Path) -> None:
    """Bring a file's bytes, or a folder's entries, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_folder(path: Path) -> None:
    """``mkdir -p`` whose result survives a power cut, also where an earlier try was killed."""
    missing = [each for each in (path, *path.parents) if not each.exists()]
    there = missing[-1].parent if missing else path
    with contextlib.suppress(PermissionError):  # above our own folders it is not our business
        sync(there.parent)
    for each in reversed(missing):
        each.mkdir(exist_ok=True)
        sync(each.parent)


def write_all(file: int, data: bytes, offset: int) -> None:
    """Every byte, however many calls it takes."""
    view = memoryview(data)
    while view:
        done = os.pwrite(file, view, offset)
        view, offset = view[done:], offset + done


def replace_text(path: Path, text: str, *, durable: bool = True) -> None:
    """
    Write a small file: the old text or the new one, never half of it.

    Not ``durable``: that holds when the process dies; after a power cut it may also be empty.
    """
    fresh = path.with_name(path.name + ".new")
    with fresh.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        if durable:
            os.fsync(file.fileno())
    fresh.replace(path)
    if durable:
        sync(path.parent)


def exchange(first: Path, second: Path) -> bool:
    """Swap two folders in one step; False where the file system cannot (NFS, some FUSE)."""
    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is None:
        return False
    if call(_HERE, os.fsencode(first), _HERE, os.fsencode(second), _EXCHANGE) == 0:
        sync(first.parent)
        sync(second.parent)
        return True
    code = ctypes.get_errno()
    if code in {errno.EINVAL, errno.ENOSYS, errno.EXDEV, errno.ENOTSUP}:
        return False
    raise OSError(code, os.strerror(code), str(first))
