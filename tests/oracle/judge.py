"""
The judge: what originals, lake and InfluxDB hold against what the devices served. Own code only.

Counts, never adjectives: *missing* was served (or promised) and is not there; *altered* is there
with another value, or at another time; *invented* was never served; *duplicated* is there twice.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.oracle.device import FakePlc, Real, Whole, numbers_of
from tests.oracle.ledger import Key
from tests.originals_reader import Kept, read_stream, records

STREAMS = ("record", "raw")
_LINE = re.compile(
    rb"^rectifier,plant=demo,line=sub1,unit=rec(\d+) dc_voltage=([^, ]+) (\d{19})$",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Judgement:
    """``in_flight``: not there, but served so near a kill that nobody had promised them yet."""

    served: int = 0
    stored: int = 0
    missing: int = 0
    altered: int = 0
    invented: int = 0
    duplicated: int = 0
    in_flight: int = 0

    @property
    def clean(self) -> bool:
        return self.missing == self.altered == self.invented == self.duplicated == 0

    def __str__(self) -> str:
        return (
            f"{self.stored:,} of {self.served:,} there, {self.missing} missing, "
            f"{self.altered} altered, {self.invented} invented, {self.duplicated} twice"
        )


@dataclass(frozen=True, slots=True)
class Samples:
    """Found somewhere: point (1 …), time in ns, value; one array each."""

    points: Whole
    times_ns: Whole
    values: Real

    @classmethod
    def of(cls, rows: Sequence[tuple[int, int, float]]) -> "Samples":
        points, times, values = zip(*rows, strict=True) if rows else ((), (), ())
        return cls(np.array(points, "i8"), np.array(times, "i8"), np.array(values, "f8"))


def samples_of(payloads: Iterable[bytes]) -> Samples:
    """The good values of raw batches."""
    rows = [
        (int(found[1]), int(found[3]), float(found[2]))
        for payload in payloads
        for found in _LINE.finditer(payload)
    ]
    return Samples.of(rows)


def judge(
    plc: FakePlc,
    found: Samples,
    *,
    excuses: Sequence[tuple[int, int]] = (),
    late_ns: int = 1_500_000_000,
) -> Judgement:
    """
    ``excuses`` are (from, to) in ns when what was served may rightly be in nobody's hands: around
    kills of the gateway, or gaps it declared. ``late_ns``: from slot to answer at most.
    """
    served = np.array(plc.served, "i8").reshape(-1, 3)
    at_ns, first, count = served.T
    points = found.points - 1
    numbers = numbers_of(plc.device, points, found.values)
    known = (numbers >= 0) & (numbers < len(served))
    safe = np.where(known, numbers, 0)
    if len(served):
        known &= (points >= first[safe]) & (points < first[safe] + count[safe])
        late = at_ns[safe] - found.times_ns
        known &= (late >= -late_ns) & (late <= late_ns)
    keys = numbers[known] * plc.points + points[known]
    own, times = np.unique(keys, return_counts=True)
    altered, invented, covered = _strays(
        served, plc, points[~known], found.times_ns[~known], late_ns
    )
    absent, when = _absent(served, plc, np.concatenate([own, covered]))
    excused = np.zeros(len(absent), bool)
    for start, end in excuses:
        excused |= (when >= start) & (when <= end)
    return Judgement(
        served=int(count.sum()) if len(served) else 0,
        stored=len(own),
        missing=int((~excused).sum()),
        altered=altered,
        invented=invented,
        duplicated=int((times - 1).sum()),
        in_flight=int(excused.sum()),
    )


def _absent(served: Whole, plc: FakePlc, there: Whole) -> tuple[Whole, Whole]:
    """(answer · points + point, time it was served) of every value that is not ``there``."""
    at_ns, first, count = served.T
    total = np.repeat(np.arange(len(served)) * plc.points + first, count)
    inside = np.arange(len(total)) - np.repeat(np.cumsum(count) - count, count)
    absent = np.setdiff1d(total + inside, there)
    return absent, at_ns[absent // plc.points] if len(served) else absent


def absent_ns(plc: FakePlc, found: Samples) -> Whole:
    """
    For each value that ``found`` does not have, in the order in which they were served, when the
    read that asked for it began at the device, in ns: a read begins with the first point.
    """
    served = np.array(plc.served, "i8").reshape(-1, 3)
    numbers = numbers_of(plc.device, found.points - 1, found.values)
    known = (numbers >= 0) & (numbers < len(served))
    there = numbers[known] * plc.points + found.points[known] - 1
    absent, _ = _absent(served, plc, there)
    first_of = np.maximum.accumulate(np.where(served[:, 1] == 0, np.arange(len(served)), 0))
    began: Whole = served[first_of[absent // plc.points], 0]
    return began


def _strays(
    served: Whole, plc: FakePlc, points: Whole, times_ns: Whole, late_ns: int
) -> tuple[int, int, Whole]:
    """Values that no answer explains: altered where something was served then, else invented."""
    altered = invented = 0
    covered: list[int] = []
    for point, time_ns in zip(points.tolist(), times_ns.tolist(), strict=True):
        near = [
            (abs(at - time_ns), number)
            for number, (at, first, count) in enumerate(served.tolist())
            if first <= point < first + count and abs(at - time_ns) <= late_ns
        ]
        if near:
            altered += 1
            covered.append(min(near)[1] * plc.points + point)
        else:
            invented += 1
    return altered, invented, np.array(covered, "i8")


# batches


def batches_in(folder: Path) -> dict[tuple[str, str, int], str]:
    """
    (stream, log, seq) → SHA-256 of the payload, of a gateway's spool or of its originals.

    What a segment holds from the first number of the next one on was given up after a failed sync.
    """
    found = {}
    for stream in STREAMS:
        for log in sorted((folder / stream).glob("*")):
            segments = sorted(log.glob("*.seg"))
            bounds = [int(path.stem) for path in segments[1:]] + [1 << 62]
            for path, bound in zip(segments, bounds, strict=True):
                for batch in records(path):
                    if batch.seq < bound:
                        digest = hashlib.sha256(batch.payload).hexdigest()
                        found[stream, log.name, batch.seq] = digest
    return found


def raw_in(folder: Path) -> Samples:
    """The good values below ``<folder>/raw``."""
    kept: list[Kept] = [
        batch for batches in read_stream(folder / "raw").values() for batch in batches
    ]
    return samples_of(batch.payload for batch in kept)


def held_in(originals: Path, spool: Path) -> Samples:
    """The same, and what the gateway holds durable beyond that: it had no more time to send it."""
    kept: list[Kept] = []
    theirs = read_stream(originals / "raw")
    for log, batches in theirs.items():
        newest = batches[-1].seq if batches else 0
        segments = sorted((spool / "raw" / log).glob("*.seg"))[-2:]
        later = {batch.seq: batch for path in segments for batch in records(path)}
        kept += [*batches, *(batch for seq, batch in sorted(later.items()) if seq > newest)]
    return samples_of(batch.payload for batch in kept)


def judge_batches(
    held: Mapping[tuple[str, str, int], str],
    sent: Mapping[Key, Mapping[int, str]],
    receipted: Mapping[Key, int],
    *,
    complete: bool = True,
) -> Judgement:
    """
    Batches against promises: each one ``sent``, and each number up to ``receipted``.

    ``complete``: what is held and was never seen on the wire counts as invented (a ledger that was
    away now and then cannot say that).
    """
    promised = {(*key, seq): digest for key, seqs in sent.items() for seq, digest in seqs.items()}
    numbers = {(*key, n) for key, upto in receipted.items() for n in range(1, upto + 1)}
    altered = sum(key in held and held[key] != digest for key, digest in promised.items())
    missing = len((promised.keys() | numbers) - held.keys())
    return Judgement(
        served=len(promised.keys() | numbers),
        stored=len(held),
        missing=missing,
        altered=altered,
        invented=len(held.keys() - promised.keys()) if complete else 0,
    )
