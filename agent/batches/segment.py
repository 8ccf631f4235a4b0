"""One segment file of a batch log: where its records lie, and reading them in order."""

import os
import threading
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path

from agent.batches.batch import Damage, Found, peek, walk

_EVERY = 64  # records between two entries of the sparse index
_HINTS = 16  # readers that continue where they stopped


class Segment:
    """
    The append-only file ``<first seq, 20 digits>.seg``.

    ``size`` counts only bytes known to be durable; readers never look behind it, so one writer
    and several readers do not wait for one another.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.first = int(path.stem)
        self.size = path.stat().st_size if path.exists() else 0
        self.sealed = False  # a failed sync left it in an unknown state: never written again
        self._mtime_ns: int | None = None
        self._seqs = [self.first]
        self._offsets = [0]
        self._since = 0
        self._hints: dict[int, int] = {}
        self._hints_lock = threading.Lock()

    @classmethod
    def named(cls, folder: Path, first: int) -> "Segment":
        return cls(folder / f"{first:020d}.seg")

    @staticmethod
    def all_in(folder: Path) -> "list[Segment]":
        paths = sorted(folder.glob("*.seg"))
        return [Segment(path) for path in paths if len(path.stem) == 20 and path.stem.isdigit()]

    def extend(self, seq: int, length: int) -> None:
        """A record of ``length`` bytes became durable at the end."""
        self._note(seq, self.size)
        self.size += length

    def _note(self, seq: int, offset: int) -> None:
        self._since += 1
        if self._since >= _EVERY and seq > self._seqs[-1]:
            self._offsets.append(offset)  # first: a reader finds its place by _seqs
            self._seqs.append(seq)
            self._since = 0

    def mtime_ns(self) -> int:
        """When it was last written; asked only of segments that are complete."""
        if self._mtime_ns is None:
            self._mtime_ns = self.path.stat().st_mtime_ns
        return self._mtime_ns

    def cut(self, size: int) -> None:
        """Durably removes everything behind ``size``."""
        file = os.open(self.path, os.O_RDWR)
        try:
            os.ftruncate(file, size)
            os.fdatasync(file)
        finally:
            os.close(file)
        self.size = size

    def scan(self) -> Iterator[Found | Damage]:
        """Everything in the file, checked byte by byte; fills the index on the way."""
        with self.path.open("rb", buffering=0) as file:
            for item in walk(file.fileno(), 0, os.fstat(file.fileno()).st_size):
                if isinstance(item, Found):
                    self._note(item.batch.seq, item.offset)
                yield item

    def records_from(self, seq: int) -> Iterator[Found | Damage]:
        """Records numbered ``seq`` or higher, in order, and the damage met on the way."""
        with self.path.open("rb", buffering=0) as file:
            start = self._start_for(file.fileno(), seq)
            for item in walk(file.fileno(), start, self.size):
                if isinstance(item, Damage):
                    yield item
                elif item.batch.seq >= seq:
                    self._hint(item.batch.seq + 1, item.end)
                    yield item

    def _hint(self, seq: int, offset: int) -> None:
        with self._hints_lock:
            self._hints[seq] = offset
            self._hints.pop(seq - 1, None)
            while len(self._hints) > _HINTS:
                self._hints.pop(next(iter(self._hints)))

    def _start_for(self, file: int, seq: int) -> int:
        hint = self._hints.get(seq)
        if hint is not None:
            return hint
        at = bisect_right(self._seqs, seq) - 1
        anchor = offset = self._offsets[max(at, 0)]
        while offset < self.size:
            claim = peek(file, offset)
            if claim is None:
                return anchor  # a header on the way lies: walk every byte from the last sure place
            if claim[0] >= seq:
                return offset
            offset = claim[1]
        return offset if offset == self.size else anchor
