"""
A batch and its record on disk: encode, check, walk. The form is in docs/architecture.md.

Nothing here trusts a byte: a record counts only when its CRC covers header and payload.
"""

import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

import zstandard

MAGIC = b"SMB1"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
PLAIN, ZSTD = 0, 1
SHA256 = 1
MAX_PAYLOAD = 16 << 20  # bytes; a hostile length or zstd frame must not take the memory
NO_DIGEST = bytes(32)  # `prev` of the first batch of a log

_HEADER = struct.Struct("<4sIQqIBBH32s")
_CRC = struct.Struct("<I")
HEAD = _HEADER.size + _CRC.size
_CHUNK = 1 << 20


def line_count(payload: bytes) -> int:
    """Lines of a payload, the first included, whether or not the last ends with a line break."""
    return payload.count(b"\n") + (bool(payload) and not payload.endswith(b"\n"))


class PayloadError(ValueError):
    """Bytes that are no payload: broken or oversized zstd frame."""


def unpack(frame: bytes) -> bytes:
    """The plain payload of one zstd frame; refuses frames that would grow past MAX_PAYLOAD."""
    try:
        size = zstandard.frame_content_size(frame)
        if size > MAX_PAYLOAD:
            raise PayloadError(f"zstd frame of {size} bytes, at most {MAX_PAYLOAD} are taken")
        return zstandard.ZstdDecompressor().decompress(
            frame, max_output_size=MAX_PAYLOAD, allow_extra_data=False
        )
    except zstandard.ZstdError as error:
        raise PayloadError(f"broken zstd frame of {len(frame)} bytes: {error}") from None


@dataclass(frozen=True, slots=True)
class Batch:
    """What is stored, sent, hashed and receipted: a number and bytes."""

    seq: int
    closed_ns: int
    lines: int  # of the payload, the first included
    digest: bytes  # SHA-256 of the plain payload
    codec: int
    stored: bytes  # the payload, plain or as one zstd frame

    @classmethod
    def of(
        cls, seq: int, closed_ns: int, lines: int, payload: bytes, packed: bytes | None = None
    ) -> "Batch":
        """Keeps ``packed`` (the payload as zstd frame) when that is shorter."""
        digest = sha256(payload).digest()
        if packed is not None and len(packed) < len(payload):
            return cls(seq, closed_ns, lines, digest, ZSTD, packed)
        return cls(seq, closed_ns, lines, digest, PLAIN, payload)

    @property
    def payload(self) -> bytes:
        """Plain line protocol, unpacked anew at each use so that a kept batch stays small."""
        return unpack(self.stored) if self.codec == ZSTD else self.stored

    @property
    def size(self) -> int:
        """Bytes of the plain payload, without unpacking it."""
        if self.codec == PLAIN:
            return len(self.stored)
        size: int = zstandard.frame_content_size(self.stored)
        return size if size >= 0 else len(self.payload)

    def record(self) -> bytes:
        """The bytes that go to the segment file."""
        head = _HEADER.pack(
            MAGIC,
            len(self.stored),
            self.seq,
            self.closed_ns,
            self.lines,
            self.codec,
            SHA256,
            0,
            self.digest,
        )
        crc = zlib.crc32(self.stored, zlib.crc32(head))
        return b"".join((head, _CRC.pack(crc), self.stored))


@dataclass(frozen=True, slots=True)
class Found:
    """A whole record and where it lies."""

    offset: int
    end: int
    batch: Batch


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes that are no record."""

    offset: int
    end: int


def peek(file: int, offset: int) -> tuple[int, int] | None:
    """(seq, end) as an unchecked header claims, to hop over records; None when it is no header."""
    head = os.pread(file, 16, offset)
    if len(head) < 16 or not head.startswith(MAGIC):
        return None
    length, seq = struct.unpack_from("<IQ", head, 4)
    return seq, offset + HEAD + length


def read_record(file: int, offset: int, end: int) -> Found | None:
    """The record at ``offset`` when every byte of it is right and it ends before ``end``."""
    head = os.pread(file, HEAD, offset)
    if len(head) < HEAD or not head.startswith(MAGIC):
        return None
    _, length, seq, closed_ns, lines, codec, kind, zero, digest = _HEADER.unpack_from(head)
    stop = offset + HEAD + length
    if length > MAX_PAYLOAD or stop > end or codec > ZSTD or kind != SHA256 or zero:
        return None
    stored = os.pread(file, length, offset + HEAD)
    (crc,) = _CRC.unpack_from(head, _HEADER.size)
    if len(stored) < length or zlib.crc32(stored, zlib.crc32(head[: _HEADER.size])) != crc:
        return None
    return Found(offset, stop, Batch(seq, closed_ns, lines, digest, codec, stored))


def walk(file: int, start: int, end: int) -> Iterator[Found | Damage]:
    """Every record from ``start`` on; what lies between records comes as Damage."""
    offset = start
    while offset < end:
        found = read_record(file, offset, end)
        if found is None:
            found = _resync(file, offset + 1, end)
            yield Damage(offset, found.offset if found else end)
            if found is None:
                return
        yield found
        offset = found.end


def _resync(file: int, offset: int, end: int) -> Found | None:
    while offset < end:
        chunk = os.pread(file, min(_CHUNK + len(MAGIC) - 1, end - offset), offset)
        at = chunk.find(MAGIC)
        while at >= 0:
            found = read_record(file, offset + at, end)
            if found is not None:
                return found
            at = chunk.find(MAGIC, at + 1)
        offset += _CHUNK
    return None
