"""
A backup file: a plain tar that is written in one go, its manifest last.

Nothing is locked and nothing waits: files are read as far as they count (``Member``), in pieces of
1 MiB, each hashed as it is written. ``manifest.json`` names every file with size, time and
SHA-256; what was left out is named too. The SHA-256 of the manifest goes into the audit trail.
"""

import contextlib
import errno
import hashlib
import io
import json
import os
import re
import tarfile
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO

from drivers.keeping import Member
from drivers.keeping_files import MOST_SECRET
from drivers.language import say
from drivers.language import why as why_not
from drivers.model import ConfigError

FORM = "smelter.backup/1"
MANIFEST = "manifest.json"
SEALED = ".sealed"
PIECE = 1 << 20


_PART = re.compile(r"[A-Za-z0-9][\w.-]*")  # a folder of the restored installation
_FILE = re.compile(r"[^/\x00-\x1f]+")


@dataclass(frozen=True, slots=True)
class Kept:
    """One file of the manifest."""

    place: str
    bytes: int
    sha256: str  # of the bytes in the backup
    mtime_ns: int
    sealed: bool = False


@dataclass(slots=True)
class Manifest:
    """What is in a backup, and what is not."""

    made: str  # RFC 3339, UTC
    by: str
    why: str
    parts: dict[str, dict[str, str]]  # folder -> kind of config, name of its file
    files: list[Kept] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)  # secrets without a passphrase
    vanished: list[str] = field(default_factory=list)  # retention deleted it meanwhile
    classes: dict[str, str] = field(default_factory=dict)  # part -> highest class of data in it
    program: str = ""
    form: str = FORM

    def text(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, indent=0, sort_keys=True) + "\n"

    @property
    def size(self) -> int:
        """Bytes of all files in it."""
        return sum(each.bytes for each in self.files)

    @classmethod
    def read(cls, content: bytes) -> "Manifest":
        """Raises ValueError for what is no manifest of ours: whoever made it may mean harm."""
        from pydantic import TypeAdapter, ValidationError

        try:
            found = TypeAdapter(cls).validate_json(content, strict=True)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise ValueError(f"{where}: {first['msg']}") from None
        if found.form != FORM:
            raise ValueError(f"form {found.form!r}")
        for name, part in found.parts.items():
            if not _PART.fullmatch(name) or {*part} != {"kind", "config"}:
                raise ValueError(f"parts: {name!r}")
            if not _FILE.fullmatch(part["config"]) or part["config"] in {".", ".."}:
                raise ValueError(f"parts: {name}: config {part['config']!r}")
        places = [each.place for each in found.files]
        if len({*places}) < len(places):
            raise ValueError("files: a place twice")
        return found


@dataclass(frozen=True, slots=True)
class Part:
    """One config of the backup: its folder in there, and every file that belongs to it."""

    folder: str
    kind: str
    config: Path
    members: Iterable[Member]
    data_class: str


Seal = Callable[[bytes, str], bytes]


def write_backup(
    target: Path, parts: Iterable[Part], *, by: str, why: str, seal: Seal | None
) -> tuple[Manifest, str]:
    """
    The manifest and its SHA-256. The file is there whole or not at all, mode 0600.

    Raises ConfigError when the target exists or cannot be written.
    """
    if target.exists():
        raise _there(target)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    manifest = Manifest(now, by, why, {}, program=f"smelter {version('smelter-agent')}")
    fresh = target.with_name(target.name + ".part")
    try:
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        told = say(
            "已存在：另一备份正在进行，或上次被中断；确认后请删除它",
            "is there: another backup is under way, or one was broken off; then delete it",
        )
        raise ConfigError([f"{fresh}: {told}"]) from None
    except OSError as error:
        raise ConfigError([f"{error.filename or target}: {why_not(error)}"]) from None
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), 0o600)
            content = _write(file, parts, manifest, seal)
            file.flush()
            os.fsync(file.fileno())
        _name(fresh, target)
    except OSError as error:
        raise ConfigError([f"{error.filename or target}: {why_not(error)}"]) from None
    finally:
        fresh.unlink(missing_ok=True)
        _sync(target.parent)
    return manifest, hashlib.sha256(content).hexdigest()


def _there(target: Path) -> ConfigError:
    return ConfigError([f"{target}: {say('已存在，不会覆盖', 'exists and is not replaced')}"])


def _name(fresh: Path, target: Path) -> None:
    """Never over what somebody put there meanwhile, as a rename would."""
    try:
        os.link(fresh, target)
    except FileExistsError:
        raise _there(target) from None
    except OSError as error:
        if error.errno not in {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}:
            raise
        try:  # a stick with FAT knows no links: hold the name, then take it
            os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))
        except FileExistsError:
            raise _there(target) from None
        fresh.replace(target)


def _sync(folder: Path) -> None:
    """The name is durable as well; where a folder cannot be synced, it is as good as it gets."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _write(file: BinaryIO, parts: Iterable[Part], manifest: Manifest, seal: Seal | None) -> bytes:
    """All parts, then the manifest, whose bytes are returned."""
    with tarfile.open(fileobj=file, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        for part in parts:
            manifest.parts[part.folder] = {"kind": part.kind, "config": part.config.name}
            manifest.classes[part.folder] = part.data_class
            _add_part(tar, part, manifest, seal)
        content = manifest.text().encode()
        tar.addfile(_info(MANIFEST, len(content), 0), io.BytesIO(content))
    return content


def _add_part(tar: tarfile.TarFile, part: Part, manifest: Manifest, seal: Seal | None) -> None:
    done: set[str] = set()
    for member in part.members:
        place = f"{part.folder}/{member.place}"
        source = member.source
        try:
            if place in done:  # named by the config, and found in a folder
                continue
            done.add(place)
            if member.secret and seal is None:
                manifest.left_out.append(place)
                continue
            if source is None:
                source = member.path.open("rb")
            kept = _add(tar, place, member, source, seal)
        except FileNotFoundError:
            manifest.vanished.append(place)
            continue
        finally:
            if source is not None:
                source.close()
        manifest.files.append(kept)


def _add(
    tar: tarfile.TarFile, place: str, member: Member, source: BinaryIO, seal: Seal | None
) -> Kept:
    found = os.fstat(source.fileno())
    size = found.st_size if member.end is None else min(member.end, found.st_size)
    if member.whole_lines:
        size = _whole_lines(source, size)
    if member.secret and seal is not None:
        secret = source.read(MOST_SECRET + 1)
        if len(secret) > MOST_SECRET:
            told = say("密钥或口令文件超过 1 MiB，无法加密备份", "a secret of more than 1 MiB")
            raise ConfigError([f"{member.path}: {told}"])
        content = seal(secret, place)
        tar.addfile(_info(place + SEALED, len(content), found.st_mtime_ns), io.BytesIO(content))
        digest = hashlib.sha256(content).hexdigest()
        return Kept(place, len(content), digest, found.st_mtime_ns, sealed=True)
    reader = _Hashing(source)
    tar.addfile(_info(place, size, found.st_mtime_ns), reader)
    with contextlib.suppress(OSError):  # so much is not read twice: leave the cache to the others
        os.posix_fadvise(source.fileno(), 0, size, os.POSIX_FADV_DONTNEED)
    return Kept(place, size, reader.digest.hexdigest(), found.st_mtime_ns)


def _info(place: str, size: int, mtime_ns: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(place)
    info.size, info.mode, info.mtime = size, 0o600, mtime_ns // 10**9
    return info


def _whole_lines(source: BinaryIO, size: int) -> int:
    """Bytes to the last line break: a line that is being written does not count yet."""
    end = size
    while end > 0:
        start = max(0, end - 4096)
        at = os.pread(source.fileno(), end - start, start).rfind(b"\n")
        if at >= 0:
            return start + at + 1
        end = start
    return 0


class _Hashing:
    """A file as tarfile reads it, hashed on the way."""

    def __init__(self, source: BinaryIO) -> None:
        self.digest = hashlib.sha256()
        self._source = source

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(size)
        self.digest.update(data)
        return data
