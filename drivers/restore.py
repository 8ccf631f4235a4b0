"""
Reading a backup: whether every byte of it is what was written, and putting it in a new place.

A backup is a plain tar, so that each file of it can be judged where it lies, in bounded memory.
"""

import hashlib
import json
import os
import shutil
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from drivers.backup import MANIFEST, PIECE, SEALED, Kept, Manifest
from drivers.keeping import Keeper
from drivers.keeping_files import MOST_SECRET, holds_key, named_secret
from drivers.language import say, why
from drivers.model import ConfigError
from drivers.tomlfile import read_tables

MOST_MANIFEST = 256 << 20


@dataclass(frozen=True, slots=True)
class Lies:
    """Where a file of the manifest lies in the backup."""

    kept: Kept
    start: int

    @property
    def end(self) -> int:
        return self.start + self.kept.bytes


class Backup:
    """A backup file, opened for reading; use ``opened``."""

    def __init__(
        self, file: int, path: Path, manifest: Manifest, found: list[Lies], digest: str
    ) -> None:
        self.file, self.path = file, path
        self.manifest, self.found = manifest, found
        self.digest = digest  # SHA-256 of the manifest, as the audit trail has it

    def must_be(self, digest: str) -> None:
        """Raises ConfigError when it is another backup than the one the trail tells of."""
        if digest and digest.strip().lower() != self.digest:
            told = say(
                "清单 SHA-256 与所给不符，不是那份备份",
                "the manifest has another SHA-256: it is not that backup",
            )
            raise ConfigError([f"{self.path}: {told}: {self.digest}"])

    def pieces(self, lies: Lies) -> Iterator[bytes]:
        """Its bytes. Raises ConfigError at the end when they are not what was hashed."""
        digest, at = hashlib.sha256(), lies.start
        while at < lies.end:
            data = os.pread(self.file, min(PIECE, lies.end - at), at)
            if not data:
                break
            digest.update(data)
            at += len(data)
            yield data
        if digest.hexdigest() != lies.kept.sha256:
            told = say("内容与清单的 SHA-256 不符", "is not what the manifest's SHA-256 says")
            raise ConfigError([f"{self.path}: {lies.kept.place}: {told}"])


@contextmanager
def opened(path: Path) -> Iterator[Backup]:
    """Raises ConfigError for what is no whole backup of ours."""
    try:
        handle = path.open("rb")
    except OSError as error:
        raise ConfigError([f"{path}: {why(error)}"]) from None
    with handle:
        try:
            with tarfile.open(fileobj=handle, mode="r:") as tar:
                places = {each.name: each for each in tar}
                last = places.pop(MANIFEST, None)
                named = last is not None and last.isreg() and last.size < MOST_MANIFEST
                file = tar.extractfile(last) if last is not None and named else None
                content = file.read() if file else b""
                manifest = Manifest.read(content) if content else None
        except (tarfile.TarError, ValueError, OSError) as error:
            raise _broken(path, str(error)) from None
        if manifest is None:
            raise _broken(path, say("没有清单，备份未写完", "no manifest: it was not finished"))
        found = _placed(path, manifest, places)
        yield Backup(handle.fileno(), path, manifest, found, hashlib.sha256(content).hexdigest())


def _broken(path: Path, detail: str) -> ConfigError:
    return ConfigError([f"{path}: {say('不是完整的备份', 'is no whole backup')}: {detail}"])


def _placed(path: Path, manifest: Manifest, places: dict[str, tarfile.TarInfo]) -> list[Lies]:
    """Files of the manifest with their offsets; what is too many, lacks or is unsafe is told."""
    problems, found = [], []
    for kept in manifest.files:
        info = places.pop(kept.place + SEALED * kept.sealed, None)
        if not _ours(kept, manifest):
            problems.append(f"{path}: {kept.place!r}: {say('路径不合法', 'is no place of ours')}")
        elif info is None or not info.isreg() or info.size != kept.bytes:
            told = say("缺失或大小不符", "is lacking or has another size")
            problems.append(f"{path}: {kept.place}: {told}")
        else:
            found.append(Lies(kept, info.offset_data))
    configs = {f"{name}/etc/{part['config']}" for name, part in manifest.parts.items()}
    plain = {lies.kept.place for lies in found if not lies.kept.sealed}
    told = say("配置文件缺失", "the config is lacking")
    problems += [f"{path}: {place}: {told}" for place in sorted(configs - plain)]
    told = say("不在清单中", "is not in the manifest")
    problems += [f"{path}: {name}: {told}" for name in places]
    if problems:
        raise ConfigError(problems)
    return found


def _ours(kept: Kept, manifest: Manifest) -> bool:
    """Is it a place below the folder of a part, written in the one way it can be written?"""
    place = PurePosixPath(kept.place)
    return (
        str(place) == kept.place
        and not place.is_absolute()
        and len(place.parts) > 1
        and place.parts[0] in manifest.parts
        and ".." not in place.parts
        and "\0" not in kept.place
        and kept.bytes >= 0
        and kept.mtime_ns >= 0
    )


def open_keys(backup: Backup) -> list[str]:
    """Private keys that lie in it unsealed, as they did in backups of earlier versions."""
    found = []
    for lies in backup.found:
        place, small = lies.kept.place, lies.kept.bytes <= MOST_SECRET
        if lies.kept.sealed or place.endswith(".jsonl"):
            continue
        content = b"".join(backup.pieces(lies)) if small and not place.endswith(".seg") else b""
        if named_secret(place) or holds_key(content):
            found.append(place)
    return found


def faults(backup: Backup, keepers: Mapping[str, Keeper]) -> Iterator[str]:
    """Everything that is wrong: hashes of all files, chains of lines, records of batches."""
    for lies in backup.found:
        place = lies.kept.place
        try:
            lines = _Lines() if place.endswith(".jsonl") else None
            for piece in backup.pieces(lies):
                if lines is not None:
                    lines.take(piece)
        except ConfigError as error:
            yield from error.problems
            continue
        if lines is not None and lines.broken:
            told = say("哈希链断开", "the chain is broken")
            yield f"{backup.path}: {place}:{lines.broken}: {told}"
        part = backup.manifest.parts[place.partition("/")[0]]
        keeper = keepers.get(part["kind"])
        if keeper is not None and not lies.kept.sealed:
            told_all = keeper.faults(backup.file, lies.start, lies.end, place)
            yield from (f"{backup.path}: {place}: {each}" for each in told_all)


class _Lines:
    """Follows ``prev`` through a file of hash-chained lines; ``broken`` is the first bad line."""

    def __init__(self) -> None:
        self.broken = 0
        self._rest = b""
        self._number = 0
        self._prev = ""

    def take(self, piece: bytes) -> None:
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            self._number += 1
            self.broken = self.broken or (0 if self._follows(line) else self._number)
            self._prev = hashlib.sha256(line).hexdigest()

    def _follows(self, line: bytes) -> bool:
        try:
            prev = json.loads(line)["prev"]
        except (ValueError, KeyError, TypeError):
            return False
        return prev == self._prev if self._prev else isinstance(prev, str)


Unseal = Callable[[bytes, str], bytes]


def restore(
    backup: Backup, target: Path, keepers: Mapping[str, Keeper], unseal: Unseal | None
) -> dict[str, Path]:
    """
    Everything below ``target``, durable and with the times it had; the folder of each part.

    Raises ConfigError when there is something at ``target`` already, before anything is written.
    """
    fresh = target / ".restoring"
    if target.exists() and (not target.is_dir() or {*target.iterdir()} - {fresh}):
        told = say(
            "已有数据，恢复只写入空目录；请另选目录，或先移走旧数据",
            "has data already; a restore needs an empty folder: name another, or move it away",
        )
        raise ConfigError([f"{target}: {told}"])
    try:
        if fresh.exists():
            shutil.rmtree(fresh)  # an earlier try that was broken off
        _write_all(backup, fresh, keepers, unseal)
        os.sync()
        for name in backup.manifest.parts:
            (fresh / name).rename(target / name)
        fresh.rmdir()
        os.sync()
    except OSError as error:
        shutil.rmtree(fresh, ignore_errors=True)
        raise ConfigError([f"{error.filename or target}: {why(error)}"]) from None
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    return {name: target / name for name in backup.manifest.parts}


def _write_all(
    backup: Backup, fresh: Path, keepers: Mapping[str, Keeper], unseal: Unseal | None
) -> None:
    fresh.mkdir(mode=0o750, parents=True)
    for lies in backup.found:
        if not lies.kept.sealed or unseal is not None:
            _write(backup, lies, fresh, unseal)
    for folder in (each for each in fresh.rglob("*") if each.is_dir()):
        folder.chmod(folder.stat().st_mode & 0o750)
    parts = {name: Path("..") / ".." / name for name in backup.manifest.parts}
    for name, part in backup.manifest.parts.items():
        keeper = keepers.get(part["kind"])
        if keeper is not None:
            _settle(keeper, fresh / name, part["config"], parts)


def _settle(keeper: Keeper, folder: Path, name: str, parts: Mapping[str, Path]) -> None:
    """ConfigError for a config that is of another kind, or still speaks of a place outside."""
    config = folder / "etc" / name
    if not keeper.mine(read_tables(config)):
        told = say("配置与其种类不符", "this config is not of the kind that the manifest says")
        raise ConfigError([f"{name}: {told}"])
    keeper.settle(config, parts)
    if not keeper.audit(config).resolve().is_relative_to(folder.resolve()):
        told = say(
            "无法将其数据目录改到恢复位置（data_dir 或 entries 的写法）",
            "its data folder could not be changed to the restored one (how data_dir or entries "
            "is written)",
        )
        raise ConfigError([f"{name}: {told}"])


def _write(backup: Backup, lies: Lies, fresh: Path, unseal: Unseal | None) -> None:
    kept = lies.kept
    path = fresh / kept.place
    if not path.resolve().is_relative_to(fresh.resolve()):
        raise ConfigError([f"{kept.place!r}: {say('路径不合法', 'is no place of ours')}"])
    path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    mode = 0o600 if kept.sealed or named_secret(path.name) else 0o640
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with os.fdopen(os.open(path, flags, mode), "wb") as file:
        if kept.sealed and unseal is not None:
            path.parent.chmod(0o700)
            file.write(unseal(b"".join(backup.pieces(lies)), kept.place))
        else:
            for piece in backup.pieces(lies):
                file.write(piece)
    os.utime(path, ns=(kept.mtime_ns, kept.mtime_ns))
