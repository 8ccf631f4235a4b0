"""What lies in a batch log, read from outside: numbers, ages, receipts. Takes no lock."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.batches.batch import peek, read_record
from agent.batches.segment import Segment
from agent.keeping.logs import whole_end

DAY_NS = 86_400_000_000_000
SHORTEST_NS = 600_000_000_000  # too short a history says nothing of a day


@dataclass(frozen=True, slots=True)
class Rate:
    """How much lies in a folder, and how fast it came."""

    bytes: int
    bytes_per_day: float


def per_day(folder: Path, now_ns: int) -> Rate | None:
    """From the sizes and times of its files; None where there is nothing to judge by."""
    total, oldest = 0, now_ns
    for path in _files(folder):
        try:
            found = path.stat()
        except OSError:
            continue
        total += found.st_size
        oldest = min(oldest, _first_ns(path) or found.st_mtime_ns)
    if not total or now_ns - oldest < SHORTEST_NS:
        return None
    return Rate(total, total / ((now_ns - oldest) / DAY_NS))


def _files(folder: Path) -> Iterator[Path]:
    for at, _, names in os.walk(folder):
        yield from (Path(at) / name for name in names if name.endswith((".seg", ".parquet")))


def _first_ns(path: Path) -> int | None:
    """When the first batch of a segment was closed."""
    if path.suffix != ".seg":
        return None
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            found = read_record(file.fileno(), 0, size)
    except OSError:
        return None
    return found.batch.closed_ns if found else None


@dataclass(frozen=True, slots=True)
class LogState:
    """One log as it stands on the disk."""

    folder: Path
    oldest: int
    newest: int
    newest_ns: int  # when the newest batch was closed
    receipted: int
    waiting_since_ns: int  # when the first batch that is not receipted was closed; 0: none
    damaged: int  # places that were kept aside

    @property
    def waiting(self) -> int:
        return max(0, self.newest - max(self.receipted, self.oldest - 1))


def log_state(folder: Path) -> LogState | None:
    """None for a log without a batch. Raises OSError where this user may not read."""
    segments = Segment.all_in(folder)
    newest = next((found for s in reversed(segments) if (found := _last(s))), None)
    if newest is None:
        return None
    try:
        receipted = int(json.loads((folder / "receipt.json").read_text("utf-8"))["upto"])
    except (OSError, ValueError, KeyError, TypeError):
        receipted = 0
    since = _closed_ns(segments, max(receipted + 1, segments[0].first))
    damaged = len(list((folder / "quarantine").glob("*.bin")))
    return LogState(folder, segments[0].first, *newest, receipted, since, damaged)


def _last(segment: Segment) -> tuple[int, int] | None:
    """Number and time of the last whole record."""
    with segment.path.open("rb") as file:
        handle = file.fileno()
        end, at, last = whole_end(handle), 0, 0
        while at < end and (claim := peek(handle, at)) is not None:
            last, at = at, claim[1]
        found = read_record(handle, last, end)
    return (found.batch.seq, found.batch.closed_ns) if found else None


def _closed_ns(segments: list[Segment], seq: int) -> int:
    """When batch ``seq`` was closed; 0 when it is not here."""
    for segment in reversed(segments):
        if segment.first > seq:
            continue
        with segment.path.open("rb") as file:
            handle, at = file.fileno(), 0
            while (claim := peek(handle, at)) is not None and claim[0] < seq:
                at = claim[1]
            found = read_record(handle, at, segment.size)
        return found.batch.closed_ns if found and found.batch.seq >= seq else 0
    return 0


def held_by(path: Path) -> int | None:
    """The process that holds the lock on ``path``, as the kernel tells; nothing is locked here."""
    try:
        inode = path.stat().st_ino
        locks = Path("/proc/locks").read_text("ascii").splitlines()
    except OSError:
        return None
    for line in locks:
        parts = line.split()
        if len(parts) >= 6 and parts[5].rpartition(":")[2] == str(inode):
            return int(parts[4])
    return None
