"""A message from a gateway, checked before anything believes it: names, numbers, digest. Pure."""

import re
from dataclasses import dataclass

import zstandard

from agent.batches.batch import MAX_PAYLOAD, ZSTD_MAGIC, Batch, PayloadError, line_count, unpack
from agent.wire.lines import Line, LineError, read_line

STREAMS = ("record", "raw")
OWN_GATEWAY = "historian"  # its own events; nobody may send under that name
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_LOG = re.compile(r"[0-9a-f]{16}")
_PREV = re.compile(r"[0-9a-f]{64}")
_MOST = 2**63 - 1


class RefusedBatchError(ValueError):
    """The message is no batch of the gateway whose topic it came on."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who may speak on a topic."""

    plant: str
    gateway: str


@dataclass(frozen=True, slots=True)
class Received:
    """A batch as sent: digest computed here, ``previous`` as the sender claims."""

    sender: Sender
    stream: str
    log: str
    previous: bytes
    batch: Batch


def read_topic(name: str) -> tuple[Sender, str]:
    """Sender and last part of ``smelter/v1/<plant>/<gateway>/<leaf>``."""
    parts = name.split("/")
    if len(parts) != 5 or not all(_NAME.fullmatch(part) for part in parts[2:4]):
        raise RefusedBatchError(f"topic {name[:200]!r} is none of ours")
    if parts[3] == OWN_GATEWAY:
        raise RefusedBatchError(f"gateway name {OWN_GATEWAY!r} is taken by the historian itself")
    return Sender(parts[2], parts[3]), parts[4]


def read_batch(sender: Sender, stream: str, message: bytes) -> Received:
    """
    Unpacks, hashes and packs what came on the topic of ``sender`` and ``stream``.

    Raises RefusedBatchError. Slow for large batches: call it in a thread.
    """
    if len(message) > MAX_PAYLOAD:
        raise RefusedBatchError(f"{len(message)} bytes, at most {MAX_PAYLOAD} are taken")
    packed = message.startswith(ZSTD_MAGIC)
    try:
        payload = unpack(message) if packed else message
        head = _head(payload)
    except (PayloadError, LineError, UnicodeDecodeError) as error:
        raise RefusedBatchError(f"no batch: {error}") from None
    claimed = (head.tags.get("plant"), head.tags.get("gateway"), head.tags.get("stream"))
    if head.measurement != "batch" or claimed != (sender.plant, sender.gateway, stream):
        raise RefusedBatchError(f"{head.measurement} of {claimed} on a topic of another")
    log, seq, prev = (head.fields.get(name) for name in ("log", "seq", "prev"))
    if not (isinstance(log, str) and _LOG.fullmatch(log)):
        raise RefusedBatchError(f"log {log!r} is not 16 hex digits")
    if not isinstance(seq, int) or isinstance(seq, bool) or not 1 <= seq <= _MOST:
        raise RefusedBatchError(f"seq {seq!r} is no number from 1 on")
    if not (isinstance(prev, str) and _PREV.fullmatch(prev)):
        raise RefusedBatchError("prev is not 64 hex digits")
    frame = message if packed else zstandard.ZstdCompressor(level=3).compress(payload)
    batch = Batch.of(seq, head.time_ns, line_count(payload), payload, frame)
    return Received(sender, stream, log, bytes.fromhex(prev), batch)


def _head(payload: bytes) -> Line:
    first = payload.partition(b"\n")[0]
    if len(first) > 4096:
        raise LineError("the first line is too long")
    return read_line(first.decode())


def previous_of(payload: bytes) -> bytes:
    """The digest of the batch before, as the first line of a stored batch says."""
    prev = _head(payload).fields.get("prev")
    if not (isinstance(prev, str) and _PREV.fullmatch(prev)):
        raise LineError("the first line has no prev of 64 hex digits")
    return bytes.fromhex(prev)
