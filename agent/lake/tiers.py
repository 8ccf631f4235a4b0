"""Which small files of the lake are worth merging: by level while a day is written, all later."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from agent.lake.tables import UTC8_NS, Partition

FAN: Final = 8  # files of one level that become one of the next
COLD_S: Final = 3600.0  # after a day is over, and after its last late file
_MERGE_BYTES: Final = 512 << 20  # a file of this size is left alone


@dataclass(frozen=True, slots=True)
class Job:
    """Files of one folder to become one."""

    partition: Partition
    inputs: tuple[str, ...]
    output: str


def job_of(root: Path, partition: Partition, now_s: float) -> Job | None:
    """What to merge in this folder now."""
    files = _files(root / partition.folder)
    inputs = _hot(files)
    if not inputs and _cold(partition, files, now_s):
        inputs = _alike(files)
    if not inputs:
        return None
    # A number belongs to one file of a folder at a time, so the name cannot be taken.
    number, level = max(each.number for each in inputs), max(each.level for each in inputs) + 1
    names = tuple(each.name for each in inputs)
    return Job(partition, names, f"{number:012d}-{level}.parquet")


def is_tidy(root: Path, partition: Partition, now_s: float) -> bool:
    """True when nothing is to be done here until something is written."""
    files = _files(root / partition.folder)
    return not files or (_cold(partition, files, now_s) and not _alike(files))


@dataclass(frozen=True, slots=True, order=True)
class _File:
    """A file of the lake: flush number and level are its name."""

    number: int
    level: int
    size: int
    written_s: float

    @property
    def name(self) -> str:
        return f"{self.number:012d}-{self.level}.parquet"


def _files(folder: Path) -> list[_File]:
    found: list[_File] = []
    if not folder.exists():
        return found
    with os.scandir(folder) as entries:
        for entry in entries:
            number, _, level = entry.name.removesuffix(".parquet").partition("-")
            if number.isdecimal() and level.isdecimal():
                about = entry.stat()
                found.append(_File(int(number), int(level), about.st_size, about.st_mtime))
    return sorted(found)


def _hot(files: list[_File]) -> list[_File]:
    """The oldest FAN files of one level, when there are that many."""
    levels: dict[int, list[_File]] = {}
    for each in files:
        levels.setdefault(each.level, []).append(each)
    for _, same in sorted(levels.items()):
        if len(same) >= FAN and sum(each.size for each in same[:FAN]) <= _MERGE_BYTES:
            return same[:FAN]
    return []


def _cold(partition: Partition, files: list[_File], now_s: float) -> bool:
    start = datetime.fromisoformat(partition.day).replace(tzinfo=UTC).timestamp()
    over_s = start + 86400 - UTC8_NS / 1e9
    written_s = max((each.written_s for each in files), default=0.0)
    return now_s >= max(over_s, written_s) + COLD_S


def _alike(files: list[_File]) -> list[_File]:
    """Small files; a big one only beside others half its size: a late row rewrites no day."""
    taken: list[_File] = []
    total = 0
    for each in sorted(files, key=lambda file: file.size):
        if (taken and each.size > 2 * total) or total + each.size > _MERGE_BYTES:
            break
        taken.append(each)
        total += each.size
    return taken if len(taken) > 1 else []
