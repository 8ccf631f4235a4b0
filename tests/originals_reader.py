"""An independent reader of the batch log, written from docs/architecture.md and sharing no code.

Used by tests as the judge: what it does not find is lost, whatever our own reader says.
"""

import hashlib
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import zstandard

HEADER = struct.Struct("<4sIQqIBBH32sI")


@dataclass(frozen=True)
class Kept:
    """One batch as it lies on disk, digest and CRC checked."""

    log: str
    seq: int
    payload: bytes

    def lines(self) -> list[str]:
        return self.payload.decode("utf-8").splitlines()


def records(path: Path) -> Iterator[Kept]:
    data = path.read_bytes()
    at = 0
    while at + HEADER.size <= len(data):
        magic, length, seq, _, lines, codec, kind, _, digest, crc = HEADER.unpack_from(data, at)
        stored = data[at + HEADER.size : at + HEADER.size + length]
        if magic != b"SMB1" or len(stored) < length:
            return  # a torn tail: whatever is behind it was never acknowledged
        assert zlib.crc32(stored, zlib.crc32(data[at : at + 64])) == crc, f"{path}@{at}"
        plain = zstandard.ZstdDecompressor().decompressobj().decompress(stored) if codec else stored
        assert kind == 1
        assert hashlib.sha256(plain).digest() == digest, f"{path}@{at}"
        assert plain.count(b"\n") + (not plain.endswith(b"\n")) == lines
        yield Kept(path.parent.name, seq, plain)
        at += HEADER.size + length


def read_stream(folder: Path) -> dict[str, list[Kept]]:
    """All batches below ``<folder>/<log>/*.seg`` by log, in order; numbers must be consecutive."""
    found: dict[str, list[Kept]] = {}
    for log in sorted(path for path in folder.iterdir() if path.is_dir()):
        kept: list[Kept] = []
        for segment in sorted(log.glob("*.seg")):
            kept.extend(records(segment))
        numbers = [batch.seq for batch in kept]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers))) if numbers else True
        found[log.name] = kept
    return found
