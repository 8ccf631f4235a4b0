"""How much of the room that a log could ever have is taken by what it must not delete."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path


class Level(IntEnum):
    """What a log of this fullness still takes."""

    OK = 0
    WARN = 1  # over 70 %
    SHED = 2  # over 85 %: logs opened with `shed` take nothing any more
    FULL = 3  # over 95 %: only urgent batches are taken


@dataclass(frozen=True, slots=True)
class Room:
    """Of one log, bytes; ``inodes``: used share of those of the disk, 0 where it has no limit."""

    held: int = 0  # must not be deleted
    own: int = 0
    free: int = 0  # on the disk, for this user
    most: int | None = None  # that the log may take
    inodes: float = 0.0
    aside: int = 0  # taken by the reserve: no room for batches

    @property
    def size(self) -> int:
        """Bytes the log could ever have: its own and what is free, at most ``most``."""
        room = self.own + self.free
        return room if self.most is None else min(room, self.most)

    @property
    def share(self) -> float:
        return self.held / max(self.size, 1)

    @property
    def level(self) -> Level:
        return Level(sum(self.share > limit for limit in (0.70, 0.85, 0.95)))


def disk_of(folder: Path) -> tuple[int, float]:
    """Bytes free for this user, and the used share of the inodes."""
    disk = os.statvfs(folder)
    inodes = 1 - disk.f_favail / disk.f_files if disk.f_files else 0.0
    return disk.f_bavail * disk.f_frsize, inodes


def filled(rooms: Iterable[Room]) -> float:
    """The worst share of logs on one disk: of one alone, of all together, of the inodes."""
    known = list(rooms)
    together = sum(room.own + room.aside for room in known)
    together += min((room.free for room in known), default=0)
    held = sum(room.held + room.aside for room in known) / max(together, 1)
    return max((held, *(room.share for room in known), *(room.inodes for room in known)))
