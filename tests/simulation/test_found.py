"""Defects that the simulation found, each as small as it gets, on real files and clocks."""

import asyncio
import errno
import itertools
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.batches import files as logfiles
from agent.batches.batch import Batch
from agent.batches.files import LogFiles
from agent.batches.log import BatchLog
from agent.edge.clock_state import KernelClock
from agent.edge.pipeline import GroupPipeline
from agent.edge.resume import Resume, load, save
from agent.edge.timekeeper import Timekeeper
from agent.evidence.growth import LogTree
from agent.historian.peers import HistorianPeers
from agent.wire.events import Happening
from drivers.peer import Refusal, Why
from tests.agent.logs import numbered
from tests.agent.points import frame, group, point
from tests.agent.test_poll import Book, Plant, poll
from tests.agent.virtual_time import WallClock

SECOND_NS = 1_000_000_000
START_NS = 1_790_000_040 * SECOND_NS


def _once(real: Callable[..., object]) -> Callable[..., object]:
    """Fails the first time."""
    left = [OSError(5, "Input/output error")]

    def call(*args: object, **more: object) -> object:
        if left:
            raise left.pop()
        return real(*args, **more)

    return call


def test_an_empty_segment_that_cannot_be_deleted_does_not_stop_the_log_for_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder's sync failed, then the deletion of the file just made: EEXIST ever after."""
    files = LogFiles(tmp_path / "log", None, None, yields=False)
    files.open()
    batch = Batch.of(1, START_NS, 1, b"x")
    monkeypatch.setattr(logfiles, "sync", _once(logfiles.sync))  # type: ignore[attr-defined]
    monkeypatch.setattr(Path, "unlink", _once(Path.unlink))
    with pytest.raises(logfiles.LogWriteError):
        files.write([batch])
    files.write([batch])
    assert [each.seq for each in files.read(1, 1000)] == [1]
    files.close()


def test_what_a_failed_sync_left_is_not_taken_for_durable_by_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was in the page cache only: sent, receipted, and gone when the cache was."""
    files = LogFiles(tmp_path / "log", None, None, yields=False)
    files.open()
    files.write([Batch.of(1, START_NS, 1, b"x")])

    def failing(_file: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fdatasync", failing)
    with pytest.raises(logfiles.LogWriteError):
        files.write([Batch.of(2, START_NS, 1, b"never acknowledged")])
    monkeypatch.undo()
    files.close()
    again = LogFiles(tmp_path / "log", None, None, yields=False)
    again.open()
    assert again.newest == 1
    again.close()


def test_what_a_killed_run_wrote_is_synced_before_it_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between write and sync: sent and receipted after the restart, then a power cut."""
    files = LogFiles(tmp_path / "log", None, None, yields=False)
    files.open()
    files.write([Batch.of(1, START_NS, 1, b"x")])
    files.close()
    synced: list[str] = []
    real = logfiles.sync  # type: ignore[attr-defined]

    def sync(path: Path) -> None:
        synced.append(path.name)
        real(path)

    monkeypatch.setattr(logfiles, "sync", sync)
    again = LogFiles(tmp_path / "log", None, None, yields=False)
    again.open()
    assert f"{1:020d}.seg" in synced
    again.close()


def test_the_newest_batch_is_not_pruned_though_an_empty_segment_follows(tmp_path: Path) -> None:
    """Its digest went with it, and the next batch contradicted the historian's copy."""
    files = LogFiles(tmp_path / "log", 0, None, yields=False)
    files.open()
    batch = Batch.of(1, START_NS, 1, b"x")
    files.write([batch])
    (tmp_path / "log" / f"{2:020d}.seg").touch()  # its first write failed
    files.close()
    again = LogFiles(tmp_path / "log", 0, None, yields=False)
    again.open()
    again.receipted = 1
    assert again.prune(START_NS * 2) == 0
    assert (again.newest, again.digest) == (1, batch.digest)
    again.close()


def test_what_has_no_leaf_yet_is_not_pruned(tmp_path: Path) -> None:
    """A full disk stopped the tree and hastened the pruning: a power cut then made it a fork."""
    files = LogFiles(tmp_path / "log", 0, None, yields=False)
    files.open()
    for seq in (1, 2, 3):
        files.write([Batch.of(seq, START_NS, 1, b"x")])
        files.segments[-1].sealed = True
    files.receipted = 3
    files.held = 1
    assert files.prune(START_NS * 2) == 1
    assert files.oldest == 2
    files.held = None
    assert files.prune(START_NS * 2) == 1
    assert files.oldest == 3
    files.close()


async def test_a_checkpoint_that_a_stop_cancels_leaves_no_leaf_behind_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread went on while the last checkpoint added the same batch: a leaf too many."""
    real = LogTree._add

    def slow(self: LogTree, batches: list[Batch], upto: int) -> None:
        time.sleep(0.2)  # the disk of a busy gateway
        real(self, batches, upto)

    monkeypatch.setattr(LogTree, "_add", slow)
    async with BatchLog(tmp_path, stream="record") as log:
        await log.append(numbered(10), closed_ns=START_NS)
        tree = LogTree(tmp_path / "record" / log.log_id, f"demo/gw1/record/{log.log_id}")
        first = asyncio.create_task(tree.catch_up((log,), 1))
        await asyncio.sleep(0.05)
        first.cancel()
        await asyncio.wait({first})
        await tree.catch_up((log,), 1)
        assert tree.size == 1


class _Bench:
    """A clock that says it is right, and is set back an hour."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.wall_ns, self.mono_ns = folder, START_NS, SECOND_NS
        self.synced = True

    def start(self, used_ns: int) -> Timekeeper:
        return Timekeeper(
            self.folder,
            used_ns,
            wall_ns=lambda: self.wall_ns,
            mono_ns=lambda: self.mono_ns,
            line_mono_ns=lambda: self.mono_ns,
            kernel=lambda: KernelClock(self.synced, 0, 1_000_000, "chrony"),
            boot="b",
        )

    def live(self, keeper: Timekeeper, seconds: float) -> int:
        """Time passes with two looks a second; the newest time stamped."""
        for _ in range(round(seconds * 2)):
            self.wall_ns += SECOND_NS // 2
            self.mono_ns += SECOND_NS // 2
            keeper.look()
            keeper.settle()
            if keeper.unsaved:
                keeper.save()
        return keeper.clock.now_ns()


def test_times_stamped_by_a_wrong_clock_are_not_stamped_again_by_the_run_after_the_next(
    tmp_path: Path,
) -> None:
    """Re-timed stretches were forgotten, and a third run began at the last good time."""
    bench = _Bench(tmp_path)
    keeper = bench.start(0)
    bench.live(keeper, 5)
    bench.wall_ns -= 3600 * SECOND_NS
    used_ns = bench.live(keeper, 10)
    for _ in range(4):
        keeper = bench.start(used_ns)
        assert keeper.clock.now_ns() > used_ns
        used_ns = bench.live(keeper, 4)


def test_a_restart_after_a_step_back_that_was_followed_begins_behind_all_that_was_stamped(
    tmp_path: Path,
) -> None:
    """The newest batch is then not the latest time in the log."""
    bench = _Bench(tmp_path)
    keeper = bench.start(0)
    bench.live(keeper, 5)
    bench.synced = False
    bench.wall_ns -= 3600 * SECOND_NS
    latest_ns = bench.live(keeper, 10)
    bench.synced = True
    used_ns = bench.live(keeper, 10)
    assert used_ns < latest_ns, "the clock that became right was not followed"
    restarted = bench.start(used_ns).clock
    stamped = [slot for slot in range(START_NS, latest_ns, SECOND_NS) if slot <= latest_ns]
    assert restarted.next_slot(restarted.now_ns(), SECOND_NS) not in stamped


async def test_a_config_that_cannot_be_read_for_a_moment_ends_no_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An EIO while the historian looked at certificates: it never connected again."""
    told = []

    async def tell(_: Happening, text: str) -> None:
        told.append(text)

    def broken(_: Path) -> None:
        raise OSError(errno.EIO, "input/output error")

    monkeypatch.setattr("agent.historian.peers.named_in", broken)
    peers = HistorianPeers(tmp_path, tell, lambda: 0)
    running = asyncio.create_task(peers.run())
    await asyncio.sleep(0.2)
    peers.database("influxdb", Refusal("192.0.2.1:8086", Why.EXPIRED))
    await asyncio.wait({running}, timeout=0.2)
    assert not running.done()
    assert len(told) == 1
    running.cancel()
    await asyncio.wait({running})


_PLANT = "plant=demo,line=line1,unit=ac1"


async def _killed_after_a_stop(folder: Path, more: str) -> Resume:
    """A run stopped in mid-minute; the next one wrote ``more`` into the record log and died."""
    counter = point("meter.energy_import", "line1/ac1", type="uint32")
    pipeline = GroupPipeline("demo", "gw1", group(counter))
    for slot in range(10):
        pipeline.take(frame(pipeline.group, START_NS + slot * SECOND_NS, [100.0 + slot]))
    async with BatchLog(folder, stream="record") as log:
        state = Resume(pipeline.counters.readings(), [pipeline.state()])
        save(folder / "state.json", state, log.log_id, log.newest)
        await log.append(lambda *_: (f"batch\n{more}".encode(), 1), closed_ns=START_NS)
        return await load(folder / "state.json", log, "demo", [counter])


async def test_a_kill_soon_after_a_restart_loses_no_consumption(tmp_path: Path) -> None:
    """Readings of the state file went on, but what was counted up to them was thrown away."""
    started = f'event,plant=demo,gateway=gw1,kind=start id="s",text="x" {START_NS}'
    left = await _killed_after_a_stop(tmp_path, started)
    assert [value for value, _ in left.readings.values()] == [109.0]
    assert [minute["arrays"]["increment"] for minute in left.minutes] == [[9.0]]


async def test_a_minute_that_was_written_since_the_stop_is_not_gone_on_with(
    tmp_path: Path,
) -> None:
    window = f"energy_import_inc=30,energy_import_last=130,energy_import_n=31i {START_NS}"
    left = await _killed_after_a_stop(tmp_path, f"meter_1m,{_PLANT} {window}")
    assert [value for value, _ in left.readings.values()] == [130.0]
    assert left.minutes == []


def test_slots_that_pass_before_a_line_gets_to_them_are_told() -> None:
    """The gap of a restart ended when its event was made, and polling began some slots later."""

    async def script(_plant: Plant, _wall: WallClock, _book: Book) -> None:
        await asyncio.sleep(6.0)

    _, book, _ = poll(script, {"a": 0.01}, begun_before_s=3.5)
    slots = book.slots("a")
    assert slots[0] <= START_NS + SECOND_NS
    assert [b - a for a, b in itertools.pairwise(slots)] == [SECOND_NS] * (len(slots) - 1)
