"""Batch logs in a backup: read while they are written, and judged where they lie."""

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from agent.batches.batch import Damage, peek, read_record, walk
from drivers.keeping import Member
from drivers.keeping_files import data_members


def log_members(folder: Path, place: str) -> Iterator[Member]:
    """
    One log: its tree first, so that no checkpoint is newer than the batches; then the segments.

    Segments are opened before the tree is read: what retention deletes meanwhile is still there,
    and its leaves are in the tree. The last one counts up to its last whole record.
    """
    with ExitStack() as stack:
        opened: dict[Path, BinaryIO] = {}
        for path in sorted(folder.glob("*.seg")):
            _open(path, opened, stack)
        yield from data_members(folder, leave=folder.glob("*.seg"), place=place)
        for path in sorted(folder.glob("*.seg")):
            if path not in opened:
                _open(path, opened, stack)
        for path, file in opened.items():
            last = path == max(opened)
            end = whole_end(file.fileno()) if last else None
            yield Member(f"{place}/{path.name}", path, source=file, end=end)


def _open(path: Path, opened: dict[Path, BinaryIO], stack: ExitStack) -> None:
    try:
        opened[path] = stack.enter_context(path.open("rb"))
    except FileNotFoundError:
        return


def whole_end(file: int) -> int:
    """Where the last whole record of a segment ends that may be growing."""
    size = os.fstat(file).st_size
    last = whole = 0
    while (claim := peek(file, whole)) is not None and claim[1] <= size:
        last, whole = whole, claim[1]
    if whole and read_record(file, last, whole) is None:
        whole = 0  # what the headers said is not so: look at every byte
    for item in walk(file, whole, size):
        if not isinstance(item, Damage):
            whole = item.end
    return whole


def log_faults(file: int, start: int, end: int, place: str) -> Iterable[str]:
    """Damaged records of a segment that lies in ``file`` from ``start`` to ``end``."""
    if not place.endswith(".seg"):
        return
    first = int(Path(place).stem) if Path(place).stem.isdigit() else 1
    seq = first - 1
    for item in walk(file, start, end):
        if isinstance(item, Damage):
            yield f"bytes {item.offset - start}-{item.end - start}: no record"
            continue
        if item.batch.seq <= seq:
            yield f"batch {item.batch.seq} after {seq}"
        seq = item.batch.seq


def first_times(folder: Path) -> list[int]:
    """When the oldest batch of each log below was closed, ns."""
    found = []
    for log in sorted({path.parent for path in folder.rglob("*.seg")}):
        oldest = min(log.glob("*.seg"))
        with oldest.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            record = read_record(file.fileno(), 0, size)
        if record is not None:
            found.append(record.batch.closed_ns)
    return found
