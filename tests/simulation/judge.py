"""
Who sees everything and believes nobody: what was promised, and whether it holds.

Own reader of the segment files, written from docs/architecture.md; shares no code with the agent.
"""

import hashlib
import itertools
import json
import re
import struct
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import zstandard

from agent.wire.lines import read_line
from tests.simulation.disk import Disk, File
from tests.simulation.plant import strange

HEAD = struct.Struct("<4sIQqIBBH32sI")
SEGMENT = re.compile(r"(.*)/([a-z]+)/([0-9a-f]{16}(?:-[ac][0-9-]+)?)/([0-9]{20})\.seg")
PIECE = re.compile(r"-a[0-9]+")
MOST_BEFORE_LIVE = 40  # batches: two windows; what is on the way, and in the receiver's queue
Key = tuple[str, int]
"""(log id, number)"""


class BrokenPromiseError(AssertionError):
    """An invariant does not hold."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A whole record of a segment file."""

    log: str
    seq: int
    digest: bytes
    payload: bytes


def records(log: str, data: bytes) -> Iterator[Kept]:
    """Every whole record, wherever it lies."""
    at = data.find(b"SMB1")
    while at >= 0:
        kept = _record(log, data, at)
        at = data.find(b"SMB1", at + (1 if kept is None else HEAD.size))
        if kept is not None:
            yield kept


def _record(log: str, data: bytes, at: int) -> Kept | None:
    if at + HEAD.size > len(data):
        return None
    _, length, seq, _, _, codec, kind, _, digest, crc = HEAD.unpack_from(data, at)
    stored = data[at + HEAD.size : at + HEAD.size + length]
    if len(stored) < length or zlib.crc32(stored, zlib.crc32(data[at : at + 64])) != crc:
        return None
    plain = zstandard.ZstdDecompressor().decompressobj().decompress(stored) if codec else stored
    if kind != 1 or hashlib.sha256(plain).digest() != digest:
        raise BrokenPromiseError(f"{log}: record {seq} has another digest than its payload")
    return Kept(log, seq, digest, plain)


def logs_on(disk: Disk, below: str) -> dict[str, list[Kept]]:
    """By log id: what counts of each. Where a segment begins, the ones before it have ended."""
    segments: dict[str, list[tuple[int, bytes]]] = {}
    for path, file in disk.files():
        found = SEGMENT.fullmatch(path)
        if found and path.startswith(below):
            segments.setdefault(found[3], []).append((int(found[4]), bytes(file.data)))
    logs: dict[str, list[Kept]] = {}
    for log, parts in segments.items():
        parts.sort()
        bounds = [first for first, _ in parts[1:]] + [1 << 63]
        logs[log] = [
            kept
            for (_, data), bound in zip(parts, bounds, strict=True)
            for kept in records(log, data)
            if kept.seq < bound
        ]
    return logs


@dataclass(frozen=True, slots=True)
class Overtaking:
    """A batch made while a live run overtakes a backlog; ``undisturbed``: as things were then."""

    begin: int
    stored: int  # batches of the backlog by then
    undisturbed: tuple[object, ...]


@dataclass
class Ledger:
    """What each end said it made durable, and what it ever tried to write."""

    durable: dict[str, dict[Key, bytes]] = field(default_factory=lambda: {"gw": {}, "store": {}})
    home: dict[str, set[Key]] = field(default_factory=lambda: {"gw": set(), "store": set()})
    tried: set[tuple[str, int, bytes]] = field(default_factory=set)  # gateway
    overtaking: dict[Key, "Overtaking"] = field(default_factory=dict)
    backlog: Counter[str] = field(default_factory=Counter)  # by log: stored while live ones wait
    counts: Counter[str] = field(default_factory=Counter)

    def wrote(self, host: str, log: str, seq: int, digest: bytes) -> None:
        """``log`` may be a piece that came ahead of its backlog: its numbers are the log's."""
        piece, log = PIECE.search(log), PIECE.sub("", log)
        if piece:
            self.counts["batches ahead"] += 1
        else:
            self.home[host].add((log, seq))
        known = self.durable[host].get((log, seq))
        if known is not None and known != digest:
            raise BrokenPromiseError(f"{host}: {log} {seq} was durable and is written anew")
        self.durable[host][log, seq] = digest
        self.counts[f"{host} batches"] += 1

    def made_live(self, log: str, seq: int, begin: int, undisturbed: tuple[object, ...]) -> None:
        """The gateway made a batch while its live run, from ``begin`` on, overtakes a backlog."""
        self.overtaking[log, seq] = Overtaking(begin, self.backlog[log], undisturbed)

    def arrived(self, log: str, seq: int, begin: int, undisturbed: tuple[object, ...]) -> None:
        """The store has it; if nothing went wrong since, no backlog worth telling came before."""
        log = PIECE.sub("", log)
        if begin and seq < begin:
            self.backlog[log] += 1
        made = self.overtaking.pop((log, seq), None)
        if made is None or made.undisturbed != undisturbed or begin not in {made.begin, 0}:
            return  # 0: the backlog has met it since
        self.counts["live batches judged"] += 1
        if self.backlog[log] - made.stored > MOST_BEFORE_LIVE:
            waited = self.backlog[log] - made.stored
            raise BrokenPromiseError(f"{log} {seq}: live, and {waited} of the backlog came before")

    def stored(self, log: str, seq: int, digest: bytes | None) -> bool:
        """Whether the store said so, in the log or in a branch of it."""
        held = self.durable["store"]
        return any(
            name.partition("-")[0] == log and (digest is None or found == digest)
            for name, found in ((name, held.get((name, seq))) for name in self.logs_of(log))
            if found is not None
        )

    def logs_of(self, log: str) -> list[str]:
        return [log, *sorted({n for n, _ in self.branches if n.startswith(log + "-")})]

    @property
    def branches(self) -> list[Key]:
        return [key for key in self.durable["store"] if "-" in key[0]]

    def receipted(self, log: str, upto: int, since: int) -> None:
        """The gateway believes that everything to ``upto`` is durable at the store."""
        own = self.durable["gw"]
        for seq in range(since + 1, upto + 1):
            if not self.stored(log, seq, own.get((log, seq))):
                raise BrokenPromiseError(f"receipt to {upto} of {log}, but {seq} is not stored")
        self.counts["receipts"] += 1

    def unlinking(self, host: str, path: str, file: File) -> None:
        """Before a segment is deleted: nothing in it may be the last copy."""
        found = SEGMENT.fullmatch("/" + path)
        if found is None:
            return
        for kept in records(PIECE.sub("", found[3]), bytes(file.data)):
            digest = self.durable[host].get((kept.log, kept.seq))
            if digest != kept.digest:
                continue  # never acknowledged
            if PIECE.search(found[3]) and (kept.log, kept.seq) in self.home[host]:
                continue  # it was joined: the log itself has it, too
            if host == "store" or not self.stored(kept.log, kept.seq, kept.digest):
                raise BrokenPromiseError(f"{host}: {kept.log} {kept.seq} deleted, not receipted")
        self.counts[f"{host} segments pruned"] += 1


def check_originals(ledger: Ledger, disk: Disk, due: dict[Key, bytes]) -> None:
    """At the end: all that is ``due`` is there, everything there is true, nothing twice."""
    logs = logs_on(disk, "/data/originals/demo/gw1/")
    ahead = [log for log in logs if PIECE.search(log)]
    if ahead:
        raise BrokenPromiseError(f"{ahead}: still apart, though no backlog is left")
    held = {(log, kept.seq): kept for log, found in logs.items() for kept in found}
    for (log, seq), digest in ledger.durable["store"].items():
        there = held.get((log, seq))
        if not log_is_own(disk, log) and (there is None or there.digest != digest):
            raise BrokenPromiseError(f"store: {log} {seq} was durable and is not there")
    for (log, seq), digest in due.items():
        names = ledger.logs_of(log)
        digests = [held[name, seq].digest for name in names if (name, seq) in held]
        if digest not in digests:
            state = "altered" if digests else "missing"
            raise BrokenPromiseError(f"{log} {seq}: durable at the gateway, {state} in the store")
    slots: Counter[tuple[str, str, int]] = Counter()
    for log, found in logs.items():
        numbers = [kept.seq for kept in found]
        if "-" in log:
            raise BrokenPromiseError(f"{log}: a branch, though nobody forgot anything")
        if numbers != list(range(1, len(numbers) + 1)):
            raise BrokenPromiseError(f"{log}: numbers {numbers}")
        for each in found:
            if (log, each.seq, each.digest) not in ledger.tried:
                raise BrokenPromiseError(f"{log} {each.seq}: nobody ever made it")
            _check_lines(each, slots)
    twice = [slot for slot, count in slots.items() if count > 1]
    if twice:
        raise BrokenPromiseError(f"slots twice: {twice[:3]}")
    ledger.counts["slots"] = len(slots)
    raw = {"pot001": 1_000_000_000, "ac1": 2_000_000_000}
    ledger.counts["stretches without samples"] = check_losses(logs, raw)


_LOSSES = {"gap", "overload", "log_full", "dropped", "clock_step", "device_lost"}
_MOVED = re.compile(r"(?:gateway time moved by|clock stepped by) (-[0-9.]+) s(?:; followed|$)")
_NEAR_NS = 2_500_000_000  # what waited for a batch when the process died


def check_losses(logs: dict[str, list[Kept]], intervals_ns: dict[str, int]) -> int:
    """Every stretch without samples meets an event that says why; the number of stretches."""
    told: dict[str, tuple[int, int]] = {}
    slots: dict[str, set[int]] = {unit: set() for unit in intervals_ns}
    for found in logs.values():
        for kept in found:
            for text in kept.payload.decode().split("\n")[1:]:
                line = read_line(text)
                if line.measurement == "event" and line.tags["kind"] in _LOSSES:
                    name, end = str(line.fields["id"]), line.fields.get("end", 1 << 62)
                    known = told.get(name, (line.time_ns, 1 << 62))
                    told[name] = line.time_ns, min(known[1], int(str(end)))
                    moved = _MOVED.search(str(line.fields["text"]))
                    if moved:  # back: what lies between was stamped before, or never lived
                        told[name] = line.time_ns, line.time_ns + round(float(moved[1]) * 1e9)
                elif line.tags.get("unit") in slots and line.measurement in ("pot", "meter"):
                    slots[line.tags["unit"]].add(line.time_ns)
    events = [(min(a, b), max(a, b)) for a, b in told.values()]
    holes = 0
    for unit, interval_ns in intervals_ns.items():
        seen = sorted(slots[unit])
        for before, after in itertools.pairwise(seen):
            if after - before <= interval_ns:
                continue
            holes += 1
            if not any(a <= after + _NEAR_NS and b >= before - _NEAR_NS for a, b in events):
                raise BrokenPromiseError(f"{unit}: nobody says why {before} to {after} is empty")
    return holes


def log_is_own(disk: Disk, log: str) -> bool:
    """The store's own events lie in a log of its own."""
    return any(f"/historian/record/{log}/" in path for path, _ in disk.files())


def _check_lines(kept: Kept, slots: Counter[tuple[str, str, int]]) -> None:
    head, *lines = kept.payload.decode().split("\n")
    if "stream=raw" not in head:
        return
    for text in lines:
        line = read_line(text)
        wrong = strange(line)
        if wrong:
            raise BrokenPromiseError(f"{kept.log} {kept.seq}: {text}: {wrong}")
        if "unit" in line.tags:
            slots[line.tags["line"], line.tags["unit"], line.time_ns] += 1


def check_view(disk: Disk, upto: dict[str, int]) -> None:
    """Each batch exactly once in the view, to the byte; ``upto``: what it says it has."""
    shelf: dict[tuple[str, int], str] = {}
    for path, file in disk.files():
        if not path.startswith("/data/shelf/") or not path.endswith(".json"):
            continue
        for source, seq, digest in json.loads(bytes(file.data)):
            if (source, seq) in shelf:
                raise BrokenPromiseError(f"view: {source} {seq} twice")
            shelf[source, seq] = digest
    logs = logs_on(disk, "/data/originals/")
    true: dict[str, dict[int, str]] = {log: {} for log in logs}
    for found in logs.values():
        for kept in found:
            true[kept.log][kept.seq] = kept.digest.hex()
    for (source, seq), digest in shelf.items():
        if true.get(source.rpartition("/")[2], {}).get(seq) != digest:
            raise BrokenPromiseError(f"view: {source} {seq} is not what the originals hold")
    for source, last in upto.items():
        for seq in true.get(source.rpartition("/")[2], {}):
            if seq <= last and (source, seq) not in shelf:
                raise BrokenPromiseError(f"view: {source} {seq} missing, cursor at {last}")
