"""
The lake: Parquet files by table, plant and day, made from batches exactly once.

A flush stages its files, then names them all, with the new cursors, in ``state.json`` – that one
rename is the commit – and only then moves them to their places; a start finishes the moves that a
crash left over. So every batch is in the lake wholly or not at all, and a batch that comes again
is known by its cursor.

Small files of a day are merged beside the folder, and the folder is exchanged for the merged one
in a single step: who lists ``*.parquet`` sees either the old files or the new one. Who wants none
of them to vanish while it reads holds a shared ``flock`` on ``<lake>/.reading``; merging waits.
"""

import fcntl
import json
import os
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

import pyarrow as pa

from agent.batches.durable import exchange, make_folder, replace_text, sync
from agent.lake.merge import merge_files
from agent.lake.tables import BATCHES, SCHEMAS, Gathered, Partition, Table, writer
from agent.lake.tiers import Job, is_tidy, job_of
from agent.views import StoredBatch
from agent.wire.parse import Parser

_PIECE_BYTES: Final = 1 << 19  # payload parsed at once; its strings take twenty times that


@dataclass(frozen=True, slots=True)
class State:
    """What is committed: cursors, the number of the last flush, and its moves."""

    flush: int = 0
    upto: dict[str, int] = field(default_factory=dict)
    moves: tuple[tuple[str, str], ...] = ()  # staged name -> place, both below the lake
    resetting: bool = False

    def text(self) -> str:
        return json.dumps(
            {"flush": self.flush, "upto": self.upto, "moves": self.moves, "reset": self.resetting}
        )

    @classmethod
    def read(cls, text: str) -> "State":
        got = json.loads(text)
        moves = tuple((staged, place) for staged, place in got["moves"])
        return cls(got["flush"], got["upto"], moves, got["reset"])


class Lake:
    """
    The files of one lake, of which this is the only writer.

    One call at a time, from any thread; only ``merge`` may run beside the others.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.rows = 0
        self.rejects = 0
        self.can_merge = True
        self._staging = root / ".staging"
        self._state = State()
        self._parser = Parser()
        self._lock: IO[str] | None = None
        self._touched: set[Partition] = set()
        self._unknown = False  # files without state.json

    def open(self) -> None:
        """Take the lake, finish what a crash left half-done, drop what was not committed."""
        pa.set_memory_pool(pa.system_memory_pool())  # gives memory back; a fifth less at the peak
        make_folder(self._staging)
        self._lock = (self.root / ".writer").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.close()
            raise RuntimeError(f"{self.root}: another historian writes to this lake") from None
        (self.root / ".reading").touch()
        state = self.root / "state.json"
        if state.exists():
            self._state = State.read(state.read_text("utf-8"))
        else:
            self._unknown = bool(self._partitions())
        if self._state.resetting:
            self.reset()
        self._move()
        self._sweep()
        self._touched = self._partitions()

    def close(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def write(self, batches: Sequence[StoredBatch]) -> None:
        """Bring batches into the lake; durable on return. Those it has already are skipped."""
        if self._unknown:
            raise RuntimeError(
                f"{self.root} has files but no state.json, so nobody knows which batches are in "
                "it: run smelter historian rebuild lake"
            )
        self._move()
        upto = dict(self._state.upto)
        fresh = []
        for batch in batches:
            if batch.seq > upto.get(str(batch.kept_in), 0):
                upto[str(batch.kept_in)] = batch.seq
                fresh.append(batch)
        if not fresh:
            return
        gathered, rejects = self._gather(fresh)
        flush = self._state.flush + 1
        moves = self._stage(flush, gathered.tables(), {BATCHES: _spans(fresh)})
        self._commit(State(flush, upto, moves))
        self.rejects += rejects
        self._move()

    def reset(self) -> None:
        """Delete every row and every cursor, so that all batches may come again."""
        self._commit(State(flush=self._state.flush, resetting=True))
        for table in SCHEMAS:
            if (self.root / table).exists():
                shutil.rmtree(self.root / table)
        self._sweep()
        self._touched.clear()
        self._commit(State(flush=self._state.flush))
        self._unknown = False

    def due(self, now_s: float | None = None) -> Job | None:
        """The next merge worth doing, if any."""
        now_s = time.time() if now_s is None else now_s
        for partition in sorted(self._touched) if self.can_merge else ():
            job = job_of(self.root, partition, now_s)
            if job is not None:
                return job
            if is_tidy(self.root, partition, now_s):
                self._touched.discard(partition)
        return None

    def give_up(self, job: Job) -> None:
        """Leave a folder that cannot be merged as it is until something is written to it."""
        self._touched.discard(job.partition)

    def merge(self, job: Job, stopped: Callable[[], bool] = lambda: False) -> Path:
        """The merged file, staged; the folder is untouched. Raises Stopped."""
        folder = self.root / job.partition.folder
        staged = self._staging / f"merge-{job.output}"
        paths = [folder / name for name in job.inputs]
        merge_files(paths, staged, job.partition.table, stopped)
        sync(staged)
        return staged

    def swap(self, job: Job, staged: Path) -> bool:
        """Exchange the folder for one with the merged file; False while a reader forbids it."""
        folder, fresh = self.root / job.partition.folder, self._staging / "swap"
        with (self.root / ".reading").open() as reading:
            try:
                fcntl.flock(reading, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            if fresh.exists():  # an earlier swap failed before or after its exchange
                shutil.rmtree(fresh)
            fresh.mkdir()
            staged.rename(fresh / job.output)
            for path in folder.iterdir():
                if path.name not in job.inputs:
                    os.link(path, fresh / path.name)
            sync(fresh)
            self.can_merge = exchange(folder, fresh)
        shutil.rmtree(fresh)
        return True

    def _gather(self, batches: list[StoredBatch]) -> tuple[Gathered, int]:
        names = self._parser.equipment, self._parser.quantity, self._parser.reason
        gathered, rejects = Gathered(*names), 0
        start = size = 0
        for number, batch in enumerate(batches, 1):
            size += batch.batch.size
            if size >= _PIECE_BYTES or number == len(batches):
                columns = self._parser.parse(batches[start:number])
                self.rows += columns.values
                rejects += len(columns.rejects)
                gathered.add(columns)
                start, size = number, 0
        return gathered, rejects

    def _stage(
        self, flush: int, tables: dict[Partition, Table], about: dict[str, str]
    ) -> tuple[tuple[str, str], ...]:
        moves = []
        for number, (partition, table) in enumerate(sorted(tables.items())):
            staged = self._staging / f"{flush:012d}-{number}.parquet"
            with writer(staged, partition.table, table, about) as out:
                out.write_table(table, row_group_size=1 << 20)
            sync(staged)
            place = partition.folder / f"{flush:012d}-0.parquet"
            moves.append((str(staged.relative_to(self.root)), str(place)))
        sync(self._staging)
        return tuple(moves)

    def _commit(self, state: State) -> None:
        replace_text(self.root / "state.json", state.text())
        self._state = state

    def _move(self) -> None:
        """Bring committed files to their places; done again after a crash, it changes nothing."""
        folders = set()
        for staged, place in self._state.moves:
            target = self.root / place
            self._touched.add(_partition(target.parent))
            if (self.root / staged).exists():
                make_folder(target.parent)
                (self.root / staged).rename(target)
                folders.add(target.parent)
        for folder in sorted(folders):
            sync(folder)

    def _sweep(self) -> None:
        for path in self._staging.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()

    def _partitions(self) -> set[Partition]:
        found = (path for table in SCHEMAS for path in (self.root / table).glob("plant=*/day=*"))
        return {_partition(path) for path in found}


def _partition(folder: Path) -> Partition:
    day, plant = folder.name.removeprefix("day="), folder.parent.name.removeprefix("plant=")
    return Partition(folder.parent.parent.name, plant, day)


def _spans(batches: list[StoredBatch]) -> str:
    found: dict[Any, list[int]] = {}
    for each in batches:
        found.setdefault(each.source, [each.seq, each.seq])[1] = each.seq
    return json.dumps(
        [
            [source.plant, source.gateway, source.stream, source.log, *span]
            for source, span in found.items()
        ]
    )
