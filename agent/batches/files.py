"""
The files of one batch log: recovery, durable writes, pruning, receipt, reserve. Synchronous.

One thread writes at a time (``BatchLog`` sees to it); any thread may read what is durable.
"""

import contextlib
import errno
import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.batches.batch import NO_DIGEST, Batch, Damage, Found
from agent.batches.damage import DamageBook
from agent.batches.durable import make_folder, replace_text, sync, write_all
from agent.batches.room import Room, disk_of
from agent.batches.segment import Segment

SEGMENT_BYTES = 64 << 20
SEGMENT_BYTES_MIN = 256 << 10
RESERVE_BYTES = 1 << 20
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class LogError(Exception):
    """The log could not do it; nothing was acknowledged."""


class LogFullError(LogError):
    """No room: nothing un-receipted is dropped to make some. Count it, say it, try again later."""


class LogWriteError(LogError):
    """The disk failed twice in a row; the batch may or may not be on it. Try again later."""


class LogInUseError(LogError):
    """Another process has this log open."""


@dataclass(slots=True)
class LogCounts:
    """Since the log was opened; for /metrics."""

    appended: int = 0
    payload_bytes: int = 0
    written_bytes: int = 0
    syncs: int = 0
    sync_errors: int = 0
    write_errors: int = 0
    refused_full: int = 0
    torn_bytes: int = 0
    pruned: int = 0  # segments


class LogFiles:
    """Segments, ``receipt.json``, ``reserve`` and ``quarantine/`` of one log folder."""

    def __init__(
        self, folder: Path, keep_ns: int | None, max_bytes: int | None, *, yields: bool
    ) -> None:
        self.folder = folder
        self.yields = yields  # rather deletes what is receipted than takes nothing any more
        self.keep_ns = keep_ns
        self.max_bytes = max_bytes
        self.segments: tuple[Segment, ...] = ()  # replaced, never changed: readers keep theirs
        self.newest = 0
        self.digest = NO_DIGEST
        self.receipted = 0
        self.held: int | None = None  # nothing behind it is deleted
        self.damage = DamageBook(folder)
        self.counts = LogCounts()
        self._saved_receipt = (0, True)  # and whether a power cut leaves it
        self._active: int | None = None
        self._lock: int | None = None

    @property
    def oldest(self) -> int:
        return self.segments[0].first if self.segments else self.newest + 1

    @property
    def written_at_ns(self) -> int:
        return self.segments[-1].path.stat().st_mtime_ns if self.segments else 0

    # opening and closing

    def open(self) -> None:
        """Takes the lock, cuts a torn tail, finds the newest whole record and the receipt."""
        make_folder(self.folder)
        self._take_lock()
        self.segments = tuple(Segment.all_in(self.folder))
        self._find_newest()
        self._read_receipt()
        self.keep_reserve()

    def _take_lock(self) -> None:
        lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o640)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            raise LogInUseError(
                f"{self.folder}: another process writes this log; stop it first"
            ) from None
        self._lock = lock

    def close(self) -> None:
        self.save_receipt()
        self._close_active()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _close_active(self) -> None:
        if self._active is not None:
            os.close(self._active)
            self._active = None

    def _recover(self, segment: Segment) -> Batch | None:
        """The last whole record; a torn tail behind it is cut, damage before it is told."""
        last: Batch | None = None
        whole, seq = 0, segment.first
        damages: list[Damage] = []
        for item in segment.scan():
            if isinstance(item, Damage):
                damages.append(item)
                continue
            self.damage.tell(segment, damages, seq, item.batch.seq)
            damages.clear()
            last, whole, seq = item.batch, item.end, item.batch.seq + 1
        if whole < segment.size:
            self.damage.keep_aside(segment, Damage(whole, segment.size))
            self.counts.torn_bytes += segment.size - whole
            segment.cut(whole)
        sync(segment.path)  # what was written when the last run was killed counts from now on
        sync(self.folder)
        return last

    def _find_newest(self) -> None:
        if not self.segments:
            return
        *earlier, newest = self.segments
        last = self._recover(newest)
        bound = newest.first
        self.newest = bound - 1
        while last is None and earlier:
            segment = earlier.pop()
            for item in segment.scan():
                if isinstance(item, Found) and item.batch.seq < bound:
                    last = item.batch
            bound = segment.first
        if last is not None:
            self.newest, self.digest = max(self.newest, last.seq), last.digest

    # receipt

    def _read_receipt(self) -> None:
        try:
            upto = int(json.loads((self.folder / "receipt.json").read_text("utf-8"))["upto"])
        except (OSError, ValueError, KeyError, TypeError):
            upto = 0  # too old a receipt means duplicates, never loss
        self._saved_receipt = (upto, True)
        self.receipted = max(0, min(upto, self.newest))
        # More than the newest: the disk forgot what it had said was durable. Its numbers are used
        # again, so the receipt must not cover them; the historian keeps both branches.
        self._replace_receipt(durable=True)

    def save_receipt(self, *, durable: bool = True) -> None:
        """
        Not ``durable`` it is cheap, and survives the process: a kill costs no repeats.

        A disk that is full keeps the old one: that costs repeats, and must not stop the pruning
        that makes room.
        """
        with contextlib.suppress(OSError):
            self._replace_receipt(durable=durable)

    def _replace_receipt(self, *, durable: bool) -> None:
        upto = self.receipted
        if self._saved_receipt not in {(upto, True), (upto, durable)}:
            text = json.dumps({"upto": upto})
            replace_text(self.folder / "receipt.json", text, durable=durable)
            self._saved_receipt = (upto, durable)

    # writing

    def write(self, batches: list[Batch]) -> None:
        """
        All of them durable when it returns, with one sync; else an error and none counts.

        Raises LogFullError or LogWriteError.
        """
        try:
            self._write_once(batches)
        except OSError as error:
            if error.errno in _FULL and error.errno != errno.EFBIG:  # the next file may take it
                raise self._full(error) from error
            self.counts.write_errors += 1
            self._write_again(batches, error)
        self.newest, self.digest = batches[-1].seq, batches[-1].digest
        self.counts.appended += len(batches)
        self.counts.payload_bytes += sum(batch.size for batch in batches)

    def _write_again(self, batches: list[Batch], first: OSError) -> None:
        """The segment is in an unknown state: the same records go into a new one."""
        try:
            self._abandon()
            self._write_once(batches)
        except OSError as error:
            self._abandon()
            if error.errno in _FULL:
                raise self._full(error) from error
            raise LogWriteError(
                f"{self.folder}: cannot write ({first}), nor to a new segment ({error}); "
                "check the disk"
            ) from error

    def _full(self, error: OSError) -> LogFullError:
        return LogFullError(f"{self.folder}: no room ({error.strerror}); free disk space")

    def _write_once(self, batches: list[Batch]) -> None:
        segment, file = self._active_segment(batches[0].seq)
        records = [batch.record() for batch in batches]
        data = b"".join(records)
        try:
            write_all(file, data, segment.size)
        except OSError:
            os.ftruncate(file, segment.size)
            raise
        try:
            os.fdatasync(file)
        except OSError as error:
            # The kernel marks the pages clean: a second sync of this file would lie.
            self.counts.sync_errors += 1
            raise OSError(errno.EIO, f"fdatasync: {error.strerror}") from error
        finally:
            self.counts.syncs += 1
        self.counts.written_bytes += len(data)
        for batch, record in zip(batches, records, strict=True):
            segment.extend(batch.seq, len(record))

    def _active_segment(self, first: int) -> tuple[Segment, int]:
        last = self.segments[-1] if self.segments else None
        if last is not None and not last.sealed and last.size < self._segment_bytes():
            if self._active is None:
                self._active = os.open(last.path, os.O_RDWR)
            return last, self._active
        self._close_active()
        if last is not None and last.size == 0:
            last.path.unlink(missing_ok=True)  # nothing in it was ever acknowledged
            self.segments = self.segments[:-1]
        segment = Segment.named(self.folder, first)
        self._active = os.open(segment.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o640)
        self.segments = (*self.segments, segment)
        sync(self.folder)
        return segment, self._active

    def _segment_bytes(self) -> int:
        """Small logs get small segments, so that pruning has something to take."""
        return max(SEGMENT_BYTES_MIN, min(SEGMENT_BYTES, self.room() // 16))

    def _abandon(self) -> None:
        """Never touches the active file again; what in it is not yet durable counts for nothing."""
        if self.segments:
            self.segments[-1].sealed = True
            if self._active is not None:  # the next run would find it in the page cache
                with contextlib.suppress(OSError):
                    os.ftruncate(self._active, self.segments[-1].size)
        self._close_active()

    # room

    def own_bytes(self) -> int:
        return sum(segment.size for segment in self.segments)

    def room(self) -> int:
        """Bytes this log could ever have."""
        return Room(0, self.own_bytes(), disk_of(self.folder)[0], self.max_bytes).size

    def _prune_to(self) -> int | None:
        """Bytes to come down to when retention bends: below the first level of alarm."""
        if not self._bends:
            return None
        short = (self.own_bytes() + disk_of(self.folder)[0]) * 13 // 20
        return short if self.max_bytes is None else min(short, self.max_bytes * 9 // 10)

    def look(self, now_ns: int) -> Room:
        """How full it is."""
        own = self.own_bytes()
        held = own - sum(segment.size for segment in self._deletable(now_ns))
        if self.receipted == self.newest and self.segments and self._bends:
            held -= self.segments[-1].size
        free, inodes = disk_of(self.folder)
        reserve = self.folder / "reserve"
        aside = RESERVE_BYTES if reserve.exists() else 0
        return Room(held, own, free, self.max_bytes, inodes, aside)

    @property
    def _bends(self) -> bool:
        """Retention ends early, for what is receipted, when there is no room."""
        return self.yields or self.max_bytes is not None

    def _deletable(self, now_ns: int) -> list[Segment]:
        """Whole receipted segments, oldest first: past retention, or any when retention bends."""
        found: list[Segment] = []
        upto = min(self.receipted, self.newest - 1, *([] if self.held is None else [self.held]))
        for segment, following in zip(self.segments, self.segments[1:], strict=False):
            if following.first - 1 > upto:  # the newest stays: the next one names its digest
                break
            young = self.keep_ns is None or segment.mtime_ns() > now_ns - self.keep_ns
            if young and not self._bends:
                break
            found.append(segment)
        return found

    def prune(self, now_ns: int) -> int:
        """Deletes what retention allows, never an un-receipted batch. Number of segments."""
        self.save_receipt()
        limit = self._prune_to()
        done = 0
        for segment in self._deletable(now_ns):
            old = self.keep_ns is not None and segment.mtime_ns() <= now_ns - self.keep_ns
            if not old and (limit is None or self.own_bytes() <= limit):
                break
            self.segments = self.segments[1:]
            segment.path.unlink()
            done += 1
        if done:
            sync(self.folder)
        self.counts.pruned += done
        return done

    def keep_reserve(self) -> None:
        """Room set aside for the event that says that there is no room."""
        path = self.folder / "reserve"
        if path.exists() or self.room() < 8 * RESERVE_BYTES:
            return
        try:
            with path.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, RESERVE_BYTES)
        except OSError:
            path.unlink(missing_ok=True)

    def release_reserve(self) -> bool:
        path = self.folder / "reserve"
        if not path.exists():
            return False
        path.unlink()
        return True

    # reading

    def read(self, seq: int, limit_bytes: int) -> list[Batch]:
        """Batches from ``seq`` on, in order: at least one if there is one, then to the limit."""
        newest, segments = self.newest, self.segments
        start = max(0, sum(segment.first <= seq for segment in segments) - 1)
        batches: list[Batch] = []
        size = 0
        for at in range(start, len(segments)):
            bound = segments[at + 1].first if at + 1 < len(segments) else newest + 1
            for batch in self._sound(segments[at], seq, bound):
                batches.append(batch)
                size += batch.size
                seq = batch.seq + 1
                if size >= limit_bytes:
                    return batches
            seq = max(seq, bound)
        return batches

    def _sound(self, segment: Segment, seq: int, bound: int) -> Iterator[Batch]:
        """Good records in [seq, bound); damage on the way is kept aside and told."""
        damages: list[Damage] = []
        try:
            for item in segment.records_from(seq):
                if isinstance(item, Damage):
                    damages.append(item)
                elif item.batch.seq >= bound:
                    break
                elif item.batch.seq >= seq:
                    self.damage.tell(segment, damages, seq, item.batch.seq)
                    damages.clear()
                    seq = item.batch.seq + 1
                    yield item.batch
        except FileNotFoundError:
            return  # pruned meanwhile: `oldest` has moved
        self.damage.tell(segment, damages, seq, bound)
