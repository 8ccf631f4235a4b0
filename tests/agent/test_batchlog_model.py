"""The batch log against a list: append, reopen, torn tails, flipped bits, receipts, pruning."""

import asyncio
import random
import shutil
import struct
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from agent.batches import files as logfiles
from agent.batches.log import BatchLog
from tests.agent.logs import numbered, open_log, payload_of

SEGMENT = 4000
FAST = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - only syncs are faster there


def extents(folder: Path) -> list[tuple[Path, int, int, int]]:
    """(file, start, end, seq) of every record, read from the headers of sound files."""
    found = []
    for path in sorted(folder.glob("*.seg")):
        data, at = path.read_bytes(), 0
        while at < len(data):
            length, seq = struct.unpack_from("<IQ", data, at + 4)
            found.append((path, at, at + 68 + length, seq))
            at += 68 + length
    return found


class LogMachine(RuleBasedStateMachine):
    """``held`` is what the log must hold: number → payload."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = Path(tempfile.mkdtemp(prefix="smelter-log-", dir=FAST))
        self.held: dict[int, bytes] = {}
        self.lost: set[int] = set()
        self.next = 1
        self.receipted = 0
        self.damaged = False

    @initialize()
    def begin(self) -> None:
        self.log: BatchLog = self.runner.run(open_log(self.folder, keep_ns=0))
        self.place = self.folder / "record" / self.log.log_id

    def teardown(self) -> None:
        self.runner.run(self.log.__aexit__(None, None, None))
        self.runner.close()
        shutil.rmtree(self.folder)

    def close(self) -> None:
        self.runner.run(self.log.__aexit__(None, None, None))

    def open(self) -> None:
        self.log = self.runner.run(open_log(self.folder, keep_ns=0))

    @rule(sizes=st.lists(st.integers(0, 1500), min_size=1, max_size=6))
    def append(self, sizes: list[int]) -> None:
        async def all_at_once() -> list[int]:
            batches = await asyncio.gather(
                *(self.log.append(numbered(size), closed_ns=7) for size in sizes)
            )
            return [batch.seq for batch in batches]

        numbers = self.runner.run(all_at_once())
        assert numbers == list(range(self.next, self.next + len(sizes)))
        for seq, size in zip(numbers, sizes, strict=True):
            self.held[seq] = payload_of(seq, size)
        self.next += len(sizes)

    @rule()
    def reopen(self) -> None:
        self.close()
        self.open()

    @precondition(lambda self: self.held and not self.damaged)
    @rule(cut=st.integers(1, 3000))
    def crash_with_torn_tail(self, cut: int) -> None:
        """What the disk forgot is forgotten; its numbers are used again."""
        self.close()
        records = extents(self.place)
        path = max(self.place.glob("*.seg"))  # older ones were complete before this one began
        size = max(0, path.stat().st_size - cut)
        with path.open("rb+") as file:
            file.truncate(size)
        for where, _, end, seq in records:
            if where == path and end > size:
                self.held.pop(seq, None)
                self.lost.discard(seq)
                self.next = min(self.next, seq)
        self.receipted = min(self.receipted, self.next - 1)
        self.open()

    @precondition(lambda self: self.held and not self.damaged)
    @rule(seed=st.integers(0, 2**32))
    def flip_a_bit(self, seed: int) -> None:
        """One record is gone, every other is there, and the log says which is missing."""
        self.close()
        chance = random.Random(seed)
        records = extents(self.place)
        path, start, end, seq = chance.choice(records)
        data = bytearray(path.read_bytes())
        data[chance.randrange(start, end)] ^= 1 << chance.randrange(8)
        path.write_bytes(data)
        self.held.pop(seq, None)
        if seq == self.next - 1 and path == max(self.place.glob("*.seg")):
            self.next = seq  # cannot be told from a torn tail
            self.receipted = min(self.receipted, self.next - 1)
        else:
            self.lost.add(seq)
            self.damaged = True  # headers of this file can no longer be walked by `extents`
        self.open()

    @precondition(lambda self: self.next > 1)
    @rule(share=st.floats(0, 1))
    def receipt(self, share: float) -> None:
        upto = round(share * (self.next - 1))
        assert self.log.set_receipted(upto)
        self.receipted = max(self.receipted, upto)
        assert not self.log.set_receipted(self.next)

    @rule()
    def prune(self) -> None:
        before = set(self.held)
        self.runner.run(self.log.prune())
        oldest = self.log.oldest
        gone = {seq for seq in before if seq < oldest}
        assert all(seq <= self.receipted for seq in gone), "pruned without a receipt"
        for seq in gone:
            del self.held[seq]
        self.lost = {seq for seq in self.lost if seq >= oldest}

    @invariant()
    def holds_exactly_what_it_should(self) -> None:
        if not hasattr(self, "log"):
            return
        found: dict[int, bytes] = {}
        seq = self.log.oldest
        while batches := self.runner.run(self.log.read_from(seq, 2000)):
            for batch in batches:
                assert batch.seq >= seq
                found[batch.seq] = batch.payload.partition(b"\n")[2]
                seq = batch.seq + 1
        assert found == self.held
        assert self.log.newest == self.next - 1
        assert self.log.receipted == self.receipted
        told = {n for first, last in self.log.lost for n in range(first, last + 1)}
        assert {seq for seq in self.lost if seq >= self.log.oldest} <= told
        assert not told & set(self.held)


def test_log_equals_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logfiles, "SEGMENT_BYTES", SEGMENT)
    monkeypatch.setattr(logfiles, "SEGMENT_BYTES_MIN", SEGMENT)
    monkeypatch.setattr(logfiles, "RESERVE_BYTES", 4096)
    run_state_machine_as_test(
        LogMachine,
        settings=settings(
            max_examples=120,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
