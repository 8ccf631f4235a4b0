"""
``[retention]``: how long samples of each class stay at the historian, and deleting what is older.

Only samples (stream ``raw``) are ever deleted. Windows, events, checkpoints and trees stay:
reports, traces and proofs are made from them. A batch holds quantities of several classes and is
hashed as a whole, so originals go by the longest time, whole segments at once; in the lake each
class goes by its own. What is deleted is told in the audit trail, with the digest of the last one:
what shall go before anything goes, and each piece as it went.

Time is counted from the newest batch, not from this machine's clock alone: a clock that is set to
2036 deletes nothing. What came ahead of a backlog (``<log>-a<seq>``) is left alone: it is not
joined yet.
"""

import fcntl
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from pydantic import Field

from agent.batches.batch import peek, read_record
from agent.batches.durable import sync
from agent.batches.segment import Segment
from agent.historian.branches import is_piece
from agent.historian.originals import sources_in
from drivers.classes import RANK, ClassRules
from drivers.config import Strict
from drivers.language import say
from drivers.model import ConfigError, DataClass
from drivers.quantities import quantities

LEAST_DAYS = 183.0  # our own floor: half a year in which a report may be questioned by its samples
DAY_NS = 86_400_000_000_000


class RetentionConfig(Strict):
    """Days that samples stay, by class; left out: without end."""

    general: float | None = Field(default=None, ge=LEAST_DAYS)
    important: float | None = Field(default=None, ge=LEAST_DAYS)
    core: float | None = Field(default=None, ge=LEAST_DAYS)

    def of(self, data_class: DataClass) -> float | None:
        found: float | None = getattr(self, data_class.value)
        return found

    @property
    def longest(self) -> float | None:
        """How long whole batches stay; None: without end."""
        found = [self.of(each) for each in RANK]
        return None if None in found else max(each for each in found if each is not None)


@dataclass(frozen=True, slots=True)
class Due:
    """Something that is past its time."""

    path: Path
    bytes: int
    told: dict[str, str]  # for the audit trail
    quantities: frozenset[str] = frozenset()  # rows to leave out; empty: the whole file


def newest_ns(originals: Path) -> int:
    """When the newest batch that is here was closed; 0 where there is none."""
    newest = 0
    for source in sources_in(originals):
        folder = originals / source.plant / source.gateway / source.stream / source.log
        found = (_last_ns(segment) for segment in reversed(Segment.all_in(folder)))
        newest = max(newest, next((at_ns for at_ns in found if at_ns), 0))
    return newest


def _last_ns(segment: Segment) -> int:
    with segment.path.open("rb") as file:
        at = last = 0
        while (claim := peek(file.fileno(), at)) is not None and claim[1] <= segment.size:
            last, at = at, claim[1]
        found = read_record(file.fileno(), last, segment.size)
    return found.batch.closed_ns if found else 0


def due(
    originals: Path, lake: Path, settings: RetentionConfig, rules: ClassRules, now_ns: int
) -> Iterator[Due]:
    """Everything that may go now. Changes nothing."""
    if settings.longest is not None:
        yield from _segments(originals, now_ns - int(settings.longest * DAY_NS))
    for of in RANK:
        kept = settings.of(of)
        if kept is not None:
            today = datetime.fromtimestamp(now_ns / 1e9, UTC).date()
            yield from _rows(lake, of, rules, today - timedelta(days=kept))


def _segments(originals: Path, before_ns: int) -> Iterator[Due]:
    """Whole segments of samples whose every batch is older; never the last of a log."""
    for source in sources_in(originals):
        if source.stream != "raw" or is_piece(source.log):
            continue
        folder = originals / source.plant / source.gateway / source.stream / source.log
        for segment in Segment.all_in(folder)[:-1]:
            if segment.mtime_ns() > before_ns:
                break
            last = None
            for item in segment.scan():
                last = getattr(item, "batch", last)
            if last is None or last.closed_ns > before_ns:
                break
            told = {
                "log": str(source),
                "from": str(segment.first),
                "upto": str(last.seq),
                "last_sha256": last.digest.hex(),
            }
            yield Due(segment.path, segment.size, told)


def _rows(lake: Path, of: DataClass, rules: ClassRules, before: date) -> Iterator[Due]:
    """Files of samples of days before ``before`` that have rows of that class."""
    import pyarrow.parquet as pq

    names = frozenset(name for name in quantities() if rules.of(name) is of)
    for folder in sorted((lake / "raw").glob("plant=*/day=*/")):
        found = re.fullmatch(r"day=(\d{4}-\d\d-\d\d)", folder.name)
        if found is None or date.fromisoformat(found[1]) >= before:
            continue
        for path in sorted(folder.glob("*.parquet")):
            rows = pq.read_table(path, columns=["quantity"]).column("quantity")
            there = names & set(rows.unique().to_pylist())
            if there:
                told = {"lake": f"raw/{folder.parent.name}/{folder.name}", "class": str(of)}
                yield Due(path, path.stat().st_size, told, frozenset(there))


@contextmanager
def alone(found: Iterable[Due], originals: Path, lake: Path) -> Iterator[None]:
    """While entered no historian runs. ConfigError where one does: it would not notice."""
    held = []
    try:
        places = [lake / ".writer"] if (lake / ".writer").exists() else []
        places += [each.path.parent / "lock" for each in found if each.path.suffix == ".seg"]
        for place in dict.fromkeys(places):
            held.append(lock := os.open(place, os.O_RDWR | os.O_CREAT, 0o640))
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        told = say(
            "历史库正在运行；请先停止：systemctl stop smelter-historian（网关会保留数据）",
            "the historian is running; stop it first: systemctl stop smelter-historian "
            "(gateways keep what comes)",
        )
        raise ConfigError([f"{originals}: {told}"]) from None
    finally:
        for lock in held:
            os.close(lock)


def delete(due: Due) -> None:
    """
    One piece, durably; only while ``alone``. Raises OSError.

    A file of the lake that has rows of other classes is written anew without those that go.
    """
    if due.quantities:
        _without(due)
    else:
        due.path.unlink()
    sync(due.path.parent)


def _without(due: Due) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    table = pq.ParquetFile(due.path).read()
    goes = pc.is_in(pc.cast(table.column("quantity"), pa.string()), pa.array(due.quantities))
    left = table.filter(pc.invert(goes))
    if not left.num_rows:
        due.path.unlink()
        return
    fresh = due.path.with_name(due.path.name + ".new")
    pq.write_table(left, fresh, compression="zstd")
    sync(fresh)
    fresh.replace(due.path)
