"""
What found no place in a log that was full: from when to when, and how many values, by device.

Known in memory while it lasts, told as ``gap`` events as soon as there is room again. A file keeps
it over a restart: its blocks are taken at the start, so that a full disk can still be written to,
and two copies take turns, so that a power cut in mid-write leaves one of them.
"""

import contextlib
import json
import logging
import os
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from agent.batches.durable import sync, write_all

_log = logging.getLogger(__name__)

COPY_BYTES = 64 << 10
_OTHERS = "*"  # devices for which the file has no room


class Origin(NamedTuple):
    """Whose lines wait: of which device, at which time, how many values."""

    device: str
    at_ns: int
    values: int


@dataclass(slots=True)
class Stretch:
    """Reads of one device that are lost, from the first to the last."""

    start_ns: int
    end_ns: int
    values: int = 0
    reads: int = 0

    def add(self, other: "Stretch") -> None:
        self.start_ns = min(self.start_ns, other.start_ns)
        self.end_ns = max(self.end_ns, other.end_ns)
        self.values += other.values
        self.reads += other.reads


class Stretches(dict[str, Stretch]):
    """By device."""

    def add(self, origin: Origin) -> None:
        self.merge(origin.device, Stretch(origin.at_ns, origin.at_ns, origin.values, 1))

    def merge(self, device: str, stretch: Stretch) -> None:
        known = self.get(device)
        if known is None:
            self[device] = Stretch(stretch.start_ns, stretch.end_ns, stretch.values, stretch.reads)
        else:
            known.add(stretch)

    @classmethod
    def of(cls, origins: Iterable[Origin]) -> "Stretches":
        found = cls()
        for origin in origins:
            found.add(origin)
        return found


@dataclass(slots=True)
class Losses:
    """Of one stream."""

    gone: Stretches  # found no room
    waiting: Stretches  # in memory, while the log refuses: lost when the process is
    newest: int  # number of the newest batch then


class Lost(NamedTuple):
    """One gap to be told; ``some`` when the first of it may have got into the log after all."""

    stream: str
    device: str
    stretch: Stretch
    some: bool = False

    @property
    def text(self) -> str:
        most = "at most " if self.some else ""
        values, reads = f"{self.stretch.values:,} values", f"{self.stretch.reads:,} reads"
        return (
            f"{self.device or 'gateway'}: {self.stream}: {most}{values} of {reads} found no room, "
            "the log took nothing"
        )


class UntakenBook:
    """What was lost by stream and device, since the start and until it is told."""

    def __init__(self) -> None:
        self._values: Counter[tuple[str, str]] = Counter()  # by stream and device, since the start
        self._reads: Counter[tuple[str, str]] = Counter()
        self._told: list[Lost] = []  # on its way into the record log
        self._file: UntakenFile | None = None

    def open(self, path: Path, newest: Mapping[str, int]) -> list[Lost]:
        """What an earlier run lost and did not tell any more. ``newest`` batch by stream."""
        self._file = UntakenFile(path)
        found = []
        for stream, losses in self._file.read().items():
            for device, stretch in losses.gone.items():
                found.append(Lost(stream, device, stretch))
            some = newest.get(stream, 0) > losses.newest
            for device, stretch in losses.waiting.items():
                found.append(Lost(stream, device, stretch, some))
                self._count(stream, device, stretch)
        self._told += found
        return found

    def _count(self, stream: str, device: str, stretch: Stretch) -> None:
        self._values[stream, device] += stretch.values
        self._reads[stream, device] += stretch.reads

    def totals(self, gone: Mapping[str, Stretches]) -> dict[tuple[str, str], tuple[int, int]]:
        """(values, reads) since the start by (stream, device), with what is not yet told."""
        found = {key: (self._values[key], self._reads[key]) for key in self._reads}
        for stream, stretches in gone.items():
            for device, more in stretches.items():
                values, reads = found.get((stream, device), (0, 0))
                found[stream, device] = values + more.values, reads + more.reads
        return found

    def tell(self, stream: str, gone: Stretches) -> Iterator[Lost]:
        """These now go into the record log as events."""
        for device, stretch in gone.items():
            lost = Lost(stream, device, stretch)
            self._told.append(lost)
            self._count(stream, device, stretch)
            yield lost
        gone.clear()

    def settle(self) -> None:
        """The record log has taken everything that was told."""
        self._told.clear()

    def changed(self, losses: Mapping[str, Losses]) -> bytes | None:
        """What is to be kept, where it is not yet in the file."""
        text = self.text(losses)
        return None if self._file is None or text == self._file.kept else text

    def text(self, losses: Mapping[str, Losses]) -> bytes:
        """What is lost or waits, and what was told and is perhaps not durable."""
        content = {}
        for stream, each in losses.items():
            gone = Stretches()
            told = [(x.device, x.stretch) for x in self._told if x.stream == stream]
            for device, stretch in (*each.gone.items(), *told):
                gone.merge(device, stretch)
            if gone or each.waiting:
                content[stream] = Losses(gone, each.waiting, each.newest)
        return _text(content)

    def keep(self, text: bytes) -> None:
        """Into the file; blocking."""
        if self._file is not None:
            self._file.write(text)


class UntakenFile:
    """Two copies in one file whose blocks are its own; the newer whole one counts."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._number = 0
        self.kept = b"{}"
        self._trouble = ""

    def read(self) -> dict[str, Losses]:
        """Empty when there is none, or none that is whole."""
        data = b""
        with contextlib.suppress(OSError):
            data = self.path.read_bytes()
        found: dict[str, Losses] = {}
        for at in (0, COPY_BYTES):
            number, content = _whole(data[at : at + COPY_BYTES])
            if number > self._number:
                self._number, found = number, content
        self.kept = _text(found)
        if len(data) < 2 * COPY_BYTES:
            self._make(data)
        return found

    def _make(self, data: bytes) -> None:
        try:
            file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o640)
            try:
                write_all(file, data.ljust(2 * COPY_BYTES, b"\0"), 0)
                os.fsync(file)
            finally:
                os.close(file)
            sync(self.path.parent)
        except OSError as error:
            self._tell(f"{self.path}: no room for what a full log did not take: {error}")

    def write(self, text: bytes) -> None:
        """Durable when it returns, or a word in the log of the process."""
        number = self._number + 1
        body = f"{number} {text.decode()}".encode()
        copy = (b"%08x %s\n" % (zlib.crc32(body), body)).ljust(COPY_BYTES, b"\0")
        try:
            file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o640)
            try:
                write_all(file, copy, number % 2 * COPY_BYTES)
                os.fdatasync(file)
            finally:
                os.close(file)
        except OSError as error:
            self._tell(f"{self.path}: what the log does not take is not kept: {error}")
            return
        self._number, self.kept, self._trouble = number, text, ""

    def _tell(self, trouble: str) -> None:
        if not self._trouble:
            _log.error("%s", trouble)
        self._trouble = trouble


def _text(losses: Mapping[str, Losses]) -> bytes:
    """JSON that fits into a copy: where devices are too many, the rest is added up."""
    for most in (1 << 20, 400, 100, 0):
        said = {
            stream: [each.newest, _rows(each.gone, most), _rows(each.waiting, most)]
            for stream, each in sorted(losses.items())
        }
        text = json.dumps(said, separators=(",", ":")).encode()
        if len(text) < COPY_BYTES - 64:
            break
    return text


def _rows(stretches: Stretches, most: int) -> list[list[Any]]:
    merged = Stretches()
    for at, (device, stretch) in enumerate(stretches.items()):
        merged.merge(device if at < most else _OTHERS, stretch)
    return [[d, s.start_ns, s.end_ns, s.values, s.reads] for d, s in merged.items()]


def _whole(copy: bytes) -> tuple[int, dict[str, Losses]]:
    """(number, content) of a copy; 0 when it is torn or empty."""
    line = copy.split(b"\n", 1)[0]
    try:
        crc, body = line[:8], line[9:]
        if int(crc, 16) != zlib.crc32(body):
            return 0, {}
        number, _, text = body.partition(b" ")
        said = json.loads(text)
        return int(number), {
            str(stream): Losses(_stretches(gone), _stretches(waiting), int(newest))
            for stream, (newest, gone, waiting) in said.items()
        }
    except (ValueError, TypeError, AttributeError):
        return 0, {}


def _stretches(rows: Iterable[tuple[str, int, int, int, int]]) -> Stretches:
    return Stretches({str(row[0]): Stretch(*map(int, row[1:])) for row in rows})
