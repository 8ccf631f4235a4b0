"""Checks the originals without changing or locking them: CRC, digest, chain and numbers."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from agent.batches.batch import Batch, Damage, PayloadError
from agent.batches.segment import Segment
from agent.historian.originals import sources_in
from agent.historian.received import previous_of
from agent.views import Source
from agent.wire.lines import LineError


@dataclass(slots=True)
class LogReport:
    """What one log holds and what is wrong with it."""

    source: Source
    oldest: int = 0
    newest: int = 0
    batches: int = 0
    lines: int = 0
    stored_bytes: int = 0
    first_ns: int = 0
    last_ns: int = 0
    last_digest: str = ""
    missing: list[tuple[int, int]] = field(default_factory=list)  # stated gaps and damage alike
    problems: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """No byte differs from what was hashed; a gap is no fault of the bytes."""
        return not self.problems


def verify_originals(folder: Path) -> Iterator[LogReport]:
    """Every log there, one after the other; a running historian is not disturbed."""
    for source in sources_in(folder):
        place = folder / source.plant / source.gateway / source.stream / source.log
        yield verify_log(source, place)


def verify_log(source: Source, folder: Path) -> LogReport:
    """Reads every byte of the log and hashes every payload anew."""
    report = LogReport(source)
    chain = _Chain(report)
    segments = Segment.all_in(folder)
    for segment, following in zip(segments, [*segments[1:], None], strict=True):
        bound = following.first if following else None
        report.stored_bytes += segment.size
        tail: Damage | None = None
        for item in segment.scan():
            if tail is not None:
                _damaged(report, segment, tail)
                tail = None
            if isinstance(item, Damage):
                tail = item
            elif bound is None or item.batch.seq < bound:
                chain.add(item.batch)
        if tail is not None and following is not None:
            _damaged(report, segment, tail)  # in the last segment it may be a write under way
    return report


def _damaged(report: LogReport, segment: Segment, damage: Damage) -> None:
    report.problems.append(
        f"{segment.path.name}: bytes {damage.offset} to {damage.end} are no record"
    )


class _Chain:
    """Follows ``prev`` from batch to batch."""

    def __init__(self, report: LogReport) -> None:
        self.report = report
        self.digest: bytes | None = None

    def add(self, batch: Batch) -> None:
        report = self.report
        try:
            payload = batch.payload
            previous = previous_of(payload)
        except (PayloadError, LineError, UnicodeDecodeError) as error:
            report.problems.append(f"batch {batch.seq}: {error}")
            return
        if sha256(payload).digest() != batch.digest:
            report.problems.append(f"batch {batch.seq}: payload does not have its digest")
        if report.newest and batch.seq != report.newest + 1:
            report.missing.append((report.newest + 1, batch.seq - 1))
        elif self.digest is not None and previous != self.digest:
            report.problems.append(f"batch {batch.seq}: does not follow from the batch before")
        report.oldest = report.oldest or batch.seq
        report.first_ns = report.first_ns or batch.closed_ns
        report.newest, report.last_ns = batch.seq, batch.closed_ns
        report.batches += 1
        report.lines += batch.lines
        report.last_digest = batch.digest.hex()
        self.digest = batch.digest
