"""
Reading the originals: segment files of the historian's batch log, checked byte by byte.

Written from docs/architecture.md ("Batch log on disk") and sharing no code with the writer, so
that a trace does not believe the program that wrote the data.
"""

import hashlib
import re
import struct
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import zstandard

_HEADER: Final = struct.Struct("<4sIQqIBBH32sI")
_PREV: Final = re.compile(rb'[ ,]prev="([0-9a-f]{64})"')
MAX_PAYLOAD: Final = 64 << 20
LATE_NS: Final = 7 * 86_400 * 1_000_000_000  # a window may wait that long for its batch
IMPORT: Final = "import"  # the gateway that brings recorded history in, at any later time


class OriginalsError(Exception):
    """A batch is not there or not what its digest says."""


@dataclass(frozen=True, slots=True)
class Original:
    """One batch as it lies on disk: CRC and digest hold."""

    path: Path
    offset: int
    seq: int
    closed_ns: int
    digest: str
    payload: bytes

    @property
    def log(self) -> tuple[str, str, str]:
        """Gateway, stream, log; also of a batch that still lies in a piece, ``<log>-a<seq>``."""
        place = self.path.parent
        return place.parent.parent.name, place.parent.name, place.name.partition("-a")[0]

    @property
    def prev(self) -> str:
        """Digest of the batch before, as the header line states it."""
        found = _PREV.search(self.payload[:1000])
        return found[1].decode() if found else ""

    def lines(self) -> list[str]:
        return self.payload.decode("utf-8").splitlines()


@dataclass(frozen=True, slots=True)
class _Place:
    path: Path
    offset: int
    seq: int
    closed_ns: int
    length: int


_MOST_WALKED: Final = 64  # segments of which the headers are remembered
_walked: dict[Path, tuple[tuple[int, int, int], list[_Place]]] = {}


def log_folder(root: Path, plant: str, gateway: str, log: str) -> Path:
    """Where the record stream of a log lies."""
    return root / plant / gateway / "record" / log


def read_batch(folder: Path, seq: int) -> Original:
    """Batch ``seq`` of a log. Raises OriginalsError."""
    segments = _segments(folder)
    holding = [path for path in segments if int(path.stem) <= seq]
    for place in _places(holding[-1]) if holding else ():
        if place.seq == seq:
            return _read(place)
    raise OriginalsError(f"{folder}: batch {seq} is not there ({len(segments)} segment files)")


def read_batches(folder: Path, seqs: Collection[int]) -> Iterator[Original]:
    """Those batches of a log that are there, in order. Raises OriginalsError for damaged ones."""
    if not seqs:
        return
    first, last = min(seqs), max(seqs)
    segments = _segments(folder)
    for path, following in zip(segments, [*segments[1:], None], strict=True):
        if int(path.stem) > last or (following is not None and int(following.stem) <= first):
            continue
        for place in _places(path):
            if place.seq in seqs:
                yield _read(place)


def find_line(folder: Path, start: str, end: str, after_ns: int) -> Original | None:
    """The first batch closed at or after ``after_ns`` with a line of that start and end."""
    imported = folder.parent.parent.name == IMPORT
    words = start.encode(), end.encode()
    for path in _segments(folder):
        for place in _places(path):
            late = not imported and place.closed_ns > after_ns + LATE_NS
            if late or place.closed_ns < after_ns:
                continue
            original = _read(place)
            if any(word not in original.payload for word in words):
                continue  # far cheaper than to look at each line
            if find_in(original, start, end) is not None:
                return original
    return None


def closed_between(folder: Path, first_ns: int, last_ns: int) -> Iterator[Original]:
    """Batches of a log that were closed in [first, last] by the gateway's clock, in order."""
    for path in _segments(folder):
        for place in _places(path):
            if first_ns <= place.closed_ns <= last_ns:
                yield _read(place)


def oldest_batch(folder: Path) -> int:
    """When the oldest batch of a log that is still there was closed, ns. Raises OriginalsError."""
    for path in _segments(folder):
        for place in _places(path):
            return place.closed_ns
    raise OriginalsError(f"{folder}: no batch")


def find_in(original: Original, start: str, end: str) -> str | None:
    """The line of a batch that starts and ends so."""
    for line in original.lines():
        if line.startswith(start) and line.endswith(end):
            return line
    return None


def fields(line: str) -> dict[str, str]:
    """Fields of an equipment line as text; its names need no escapes, texts are quoted."""
    body = line.partition(" ")[2].rpartition(" ")[0]
    found = re.findall(r'([A-Za-z0-9_]+)=("(?:[^"\\]|\\.)*"|[^,]+)', body)
    return {key: value.strip('"') for key, value in found}


def _segments(folder: Path) -> list[Path]:
    """Of the log, and of what came ahead of its backlog and is not behind it yet."""
    ahead = list(folder.parent.glob(f"{folder.name}-a*/*.seg"))
    if not folder.is_dir() and not ahead:
        raise OriginalsError(f"{folder}: no such log")
    found = [path for path in (*folder.glob("*.seg"), *ahead) if path.stem.isdigit()]
    return sorted(found, key=lambda path: path.name)


def _places(path: Path) -> Iterator[_Place]:
    """Headers of a segment, hopped over without reading payloads; each once while it is as was."""
    found = path.stat()
    state = found.st_ino, found.st_size, found.st_mtime_ns
    known = _walked.get(path)
    if known is None or known[0] != state:
        if len(_walked) >= _MOST_WALKED:
            _walked.clear()
        known = _walked[path] = state, []
    places = known[1]
    yield from places
    offset = places[-1].offset + _HEADER.size + places[-1].length if places else 0
    with path.open("rb") as file:
        while offset + _HEADER.size <= found.st_size:
            file.seek(offset)
            magic, length, seq, closed_ns, *_ = _HEADER.unpack(file.read(_HEADER.size))
            if magic != b"SMB1" or length > MAX_PAYLOAD:
                raise OriginalsError(f"{path}: damaged at byte {offset}")
            place = _Place(path, offset, seq, closed_ns, length)
            if not places or places[-1].offset < offset:
                places.append(place)
            yield place
            offset += _HEADER.size + length


def _read(place: _Place) -> Original:
    where = f"{place.path}: batch {place.seq} at byte {place.offset}"
    with place.path.open("rb") as file:
        file.seek(place.offset)
        head = file.read(_HEADER.size)
        stored = file.read(place.length)
    *_, codec, kind, _zero, digest, crc = _HEADER.unpack(head)
    if len(stored) < place.length or zlib.crc32(stored, zlib.crc32(head[:64])) != crc:
        raise OriginalsError(f"{where}: CRC does not hold")
    payload = _unpacked(where, stored) if codec == 1 else stored
    if kind != 1 or hashlib.sha256(payload).digest() != digest:
        raise OriginalsError(f"{where}: SHA-256 does not hold")
    return Original(place.path, place.offset, place.seq, place.closed_ns, digest.hex(), payload)


def _unpacked(where: str, stored: bytes) -> bytes:
    try:
        return zstandard.ZstdDecompressor().decompress(stored, max_output_size=MAX_PAYLOAD)
    except zstandard.ZstdError as error:
        raise OriginalsError(f"{where}: broken zstd frame: {error}") from None
