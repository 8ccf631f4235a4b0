"""What cannot be read any more in a batch log: kept aside, counted, stated as ranges of numbers."""

import threading
from pathlib import Path

from agent.batches.batch import MAX_PAYLOAD, Damage
from agent.batches.segment import Segment

_LOST_RANGES = 1000


class DamageBook:
    """One for each log; any thread may write into it, and each place counts once."""

    def __init__(self, folder: Path) -> None:
        self.lost: tuple[tuple[int, int], ...] = ()
        self.places = 0
        self._folder = folder / "quarantine"
        self._seen: set[tuple[int, int]] = set()
        self._writing = threading.Lock()

    @property
    def lost_numbers(self) -> int:
        return sum(last - first + 1 for first, last in self.lost)

    def tell(self, segment: Segment, damages: list[Damage], first: int, following: int) -> None:
        """``damages`` lie where the numbers from ``first`` to before ``following`` should be."""
        with self._writing:
            for damage in damages:
                if (segment.first, damage.offset) not in self._seen:
                    self._seen.add((segment.first, damage.offset))
                    self.places += 1
                    self.keep_aside(segment, damage)
            if damages and following > first:
                self.lost = merge_ranges(self.lost, (first, following - 1))[-_LOST_RANGES:]

    def keep_aside(self, segment: Segment, damage: Damage) -> None:
        """A copy of the bytes that could not be read; whoever looks into it wants to see them."""
        try:
            with segment.path.open("rb") as file:
                file.seek(damage.offset)
                data = file.read(min(damage.end - damage.offset, MAX_PAYLOAD))
            if data.strip(b"\0"):
                self._folder.mkdir(exist_ok=True)
                (self._folder / f"{segment.path.stem}-{damage.offset}.bin").write_bytes(data)
        except OSError:
            return  # a full disk must not keep the log from opening; the count stands


def merge_ranges(
    ranges: tuple[tuple[int, int], ...], new: tuple[int, int]
) -> tuple[tuple[int, int], ...]:
    """Inclusive ranges, sorted and joined where they touch."""
    merged: list[tuple[int, int]] = []
    for first, last in sorted((*ranges, new)):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return tuple(merged)
