"""The batch log under faults: bit rot, torn tails, failing syncs, a full disk, a slow disk."""

import asyncio
import errno
import os
import random
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agent.batches import files as logfiles
from agent.batches.log import BatchLog, Level, LogFullError, LogInUseError, LogWriteError
from tests.agent.logs import numbered, open_log, payload_of
from tests.originals_reader import read_stream


async def bodies(log: BatchLog) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    seq = log.oldest
    while batches := await log.read_from(seq, 1 << 20):
        for batch in batches:
            found[batch.seq] = batch.payload.partition(b"\n")[2]
        seq = batches[-1].seq + 1
    return found


async def would_take(log: BatchLog, size: int, refusal: str) -> bool:
    """Appends once more; False when the log said that it is full."""
    try:
        await log.append(numbered(size), closed_ns=7)
    except LogFullError as error:
        assert refusal in str(error)  # noqa: PT017 - either outcome is expected here
        return False
    return True


async def fill(folder: Path, sizes: list[int]) -> Path:
    """A closed log with these batches; the folder of its segments."""
    log = await open_log(folder)
    for size in sizes:
        await log.append(numbered(size), closed_ns=7)
    place = folder / "record" / log.log_id
    await log.__aexit__(None, None, None)
    return place


async def test_an_independent_reader_agrees(tmp_path: Path) -> None:
    log = await open_log(tmp_path)
    sizes = [0, 1, 90, 5000, 200_000]
    for size in sizes:
        await log.append(numbered(size), closed_ns=7)
    kept = read_stream(tmp_path / "record")[log.log_id]
    assert [each.payload.partition(b"\n")[2] for each in kept] == [
        payload_of(seq, size) for seq, size in enumerate(sizes, start=1)
    ]
    await log.__aexit__(None, None, None)


async def test_each_bit_flip_is_noticed_and_costs_one_batch(tmp_path: Path) -> None:
    """Every byte of the file in turn: no wrong payload ever, all other batches are there."""
    sizes = [40, 30, 50]
    place = await fill(tmp_path, sizes)
    (segment,) = place.glob("*.seg")
    sound = segment.read_bytes()
    right = {seq: payload_of(seq, size) for seq, size in enumerate(sizes, start=1)}
    chance = random.Random(7)
    for offset in range(len(sound)):
        broken = bytearray(sound)
        broken[offset] ^= 1 << chance.randrange(8)
        segment.write_bytes(broken)
        log = await open_log(tmp_path)
        found = await bodies(log)
        assert found.items() <= right.items(), f"byte {offset}: altered"
        assert len(found) == 2, f"byte {offset}: {sorted(found)} left"
        (missing,) = right.keys() - found.keys()
        assert log.damaged_places + (log.counts.torn_bytes > 0) == 1
        assert log.lost == (((missing, missing),) if missing < 3 else ())
        assert log.newest == (3 if missing < 3 else 2)
        aside = list((place / "quarantine").iterdir())
        assert aside, "the damaged bytes were not kept"
        await log.__aexit__(None, None, None)
        for path in aside:
            path.unlink()


async def test_torn_at_each_byte_opens_and_goes_on(tmp_path: Path) -> None:
    sizes = [40, 30, 50]
    place = await fill(tmp_path, sizes)
    (segment,) = place.glob("*.seg")
    sound = segment.read_bytes()
    for length in range(len(sound)):
        segment.write_bytes(sound[:length])
        log = await open_log(tmp_path)
        whole = await bodies(log)
        assert sorted(whole) == list(range(1, log.newest + 1))
        assert log.lost == ()
        batch = await log.append(numbered(5), closed_ns=7)
        assert batch.seq == log.newest == len(whole) + 1
        assert (await bodies(log))[batch.seq] == payload_of(batch.seq, 5)
        await log.__aexit__(None, None, None)


async def test_concurrent_appends_share_syncs_and_keep_their_order(tmp_path: Path) -> None:
    log = await open_log(tmp_path)
    jobs = [asyncio.create_task(log.append(numbered(100), closed_ns=7)) for _ in range(200)]
    await asyncio.sleep(0)
    for job in jobs[3:200:10]:
        job.cancel()  # a caller that goes away takes nobody with it
    done = await asyncio.gather(*jobs, return_exceptions=True)
    numbers = [each.seq for each in done if not isinstance(each, BaseException)]
    assert numbers == sorted(set(numbers))
    assert len(numbers) >= 180
    assert set(numbers) <= set(await bodies(log))
    assert log.counts.syncs <= 20
    chain = [batch.digest for batch in await log.read_from(1, 1 << 20)]
    prevs = [bytes.fromhex(_prev(b.payload)) for b in await log.read_from(1, 1 << 20)]
    assert prevs == [bytes(32), *chain[:-1]]
    await log.__aexit__(None, None, None)


def _prev(payload: bytes) -> str:
    return payload.split(b'prev="')[1][:64].decode()


async def test_one_sync_and_few_bytes_for_each_batch(tmp_path: Path) -> None:
    """The promise: at most 1.3 bytes written for each byte of payload, one sync a batch."""
    line = b"pot,plant=demo,line=line1,unit=pot%03d voltage=%.3f,noise=%.2f 1790000000000000000\n"
    chance = random.Random(1)
    payload = b"".join(line % (n, chance.gauss(4, 0.1), chance.random()) for n in range(400))
    log = await open_log(tmp_path)
    written, syncs = _written_bytes(), log.counts.syncs
    for _ in range(50):
        await log.append(lambda _seq, _prev: (payload, 400), closed_ns=7)
    ratio = (_written_bytes() - written) / (50 * len(payload))
    print(f"{len(payload)} bytes a batch, {ratio:.3f} bytes written for each")
    assert ratio <= 1.3
    assert log.counts.syncs - syncs == 50
    await log.__aexit__(None, None, None)


def _written_bytes() -> int:
    """Bytes this process caused to be written to disk; 0 on file systems in memory."""
    text = Path("/proc/self/io").read_text("ascii")
    return int(text.split("\nwrite_bytes: ")[1].split()[0])


class FailingSync:
    """``os.fdatasync`` that fails from call ``first`` on, ``times`` times."""

    def __init__(self, first: int, times: int) -> None:
        self.real = os.fdatasync
        self.calls, self.first, self.times = 0, first, times

    def __call__(self, handle: int) -> None:
        self.calls += 1
        if self.first <= self.calls < self.first + self.times:
            raise OSError(errno.EIO, "Input/output error")
        self.real(handle)


@pytest.mark.parametrize("first", [1, 2, 3, 5])
async def test_a_failed_sync_is_never_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: int
) -> None:
    """The batch is written again to a new file; the old file is not written any more."""
    log = await open_log(tmp_path)
    monkeypatch.setattr(os, "fdatasync", FailingSync(first, 1))
    for _ in range(6):
        await log.append(numbered(300), closed_ns=7)
    assert log.counts.sync_errors == 1
    place = tmp_path / "record" / log.log_id
    segments = sorted(path.name for path in place.glob("*.seg"))
    expected = [1] if first == 1 else [1, first]
    assert segments == [f"{seq:020d}.seg" for seq in expected]
    right = {seq: payload_of(seq, 300) for seq in range(1, 7)}
    assert await bodies(log) == right
    await log.__aexit__(None, None, None)
    log = await open_log(tmp_path)
    assert await bodies(log) == right
    assert log.lost == ()
    await log.__aexit__(None, None, None)


async def test_a_dead_disk_is_said_and_survived(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While every sync fails nothing is acknowledged; afterwards the log goes on by itself."""
    log = await open_log(tmp_path)
    await log.append(numbered(10), closed_ns=7)
    monkeypatch.setattr(os, "fdatasync", FailingSync(1, 10))
    failed = 0
    while failed < 5:
        with pytest.raises(LogWriteError, match="check the disk"):
            await log.append(numbered(20), closed_ns=7)
        failed += 1
        assert log.newest == 1
    batch = await log.append(numbered(30), closed_ns=7)
    assert batch.seq == 2
    right = {1: payload_of(1, 10), 2: payload_of(2, 30)}
    assert await bodies(log) == right
    await log.__aexit__(None, None, None)
    log = await open_log(tmp_path)
    assert await bodies(log) == right, "what was never acknowledged came back"
    await log.__aexit__(None, None, None)


class SmallDisk:
    """``os.pwrite`` on a disk of ``room`` bytes, of which the reserve file takes its part."""

    def __init__(self, folder: Path, room: int) -> None:
        self.real, self.folder, self.room = os.pwrite, folder, room

    def __call__(self, handle: int, data: bytes, offset: int) -> int:
        used = sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())
        free = self.room - used
        if free <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return self.real(handle, bytes(data)[:free], offset)


async def test_full_disk_keeps_a_reserve_for_saying_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = await open_log(tmp_path)
    monkeypatch.setattr(os, "pwrite", SmallDisk(tmp_path, logfiles.RESERVE_BYTES + 20_000))
    taken = 0
    while await would_take(log, 3000, "free disk space"):
        taken += 1
    assert 3 <= taken <= 20
    assert log.counts.refused_full == 1
    urgent = await log.append(numbered(3000), closed_ns=7, urgent=True)
    assert urgent.seq == taken + 1
    monkeypatch.undo()
    assert (await log.append(numbered(50), closed_ns=7)).seq == taken + 2
    await log.__aexit__(None, None, None)
    log = await open_log(tmp_path)
    assert sorted(await bodies(log)) == list(range(1, taken + 3))
    assert log.lost == ()
    await log.__aexit__(None, None, None)


FILE_LIMIT = """
import asyncio, resource, sys
from pathlib import Path
from agent.batches.log import LogFullError
from tests.agent.logs import numbered, open_log

async def main():
    log = await open_log(Path(sys.argv[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    for _ in range(40):
        await log.append(numbered(9000), closed_ns=7)
    try:
        await log.append(numbered(400_000), closed_ns=7)
    except LogFullError:
        await log.append(numbered(9000), closed_ns=7)
        print(log.newest)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

asyncio.run(main())
"""


def test_a_file_that_may_not_grow_is_followed_by_the_next_one(tmp_path: Path) -> None:
    """The kernel's own refusal, in the middle of a write; what fits no file is a full disk."""
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
    child = subprocess.run(
        [sys.executable, "-c", FILE_LIMIT, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": "."},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert child.returncode == 0, child.stderr
    newest = int(child.stdout)
    (log,) = read_stream(tmp_path / "record").values()
    assert [batch.seq for batch in log] == list(range(1, newest + 1))
    assert newest == 41
    assert len(list((tmp_path / "record").glob("*/*.seg"))) > 1


async def test_unreceipted_batches_fill_the_room_in_three_levels(tmp_path: Path) -> None:
    room = 8 << 20
    raw = await open_log(tmp_path, max_bytes=room, shed=True)
    levels = set()
    while await would_take(raw, 200_000, "shed"):
        await raw.prune()
        levels.add(raw.level)
    assert levels == {Level.OK, Level.WARN, Level.SHED}
    assert raw.oldest == 1, "dropped without a receipt"
    newest = raw.newest
    assert raw.counts.refused_full == 1
    await raw.append(numbered(100), closed_ns=7, urgent=True)
    raw.set_receipted(newest)
    await raw.prune()
    assert raw.level == Level.OK
    for _ in range(80):
        raw.set_receipted((await raw.append(numbered(200_000), closed_ns=7)).seq)
    await raw.prune()
    assert raw.oldest > 1
    place = tmp_path / "record" / raw.log_id
    assert sum(path.stat().st_size for path in place.glob("*.seg")) <= room
    await raw.__aexit__(None, None, None)


@pytest.mark.parametrize("shed", [True, False])
async def test_a_short_disk_ends_the_retention_of_raw_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shed: bool
) -> None:
    """All is receipted and young: raw deletes its oldest and goes on, record keeps and refuses."""
    disk = 8 << 20
    real = os.statvfs

    def small(path: Path) -> os.statvfs_result:
        used = sum(each.stat().st_size for each in tmp_path.rglob("*.seg"))
        fields = list(real(path))
        fields[1], fields[4] = 1, max(0, disk - used)  # f_frsize, f_bavail
        return os.statvfs_result(fields)

    monkeypatch.setattr(os, "statvfs", small)
    log = await open_log(tmp_path, keep_ns=10**18, shed=shed)
    taken = 0
    while taken < 150 and await would_take(log, 200_000, "must be kept"):
        log.set_receipted(log.newest)
        await log.prune()
        taken += 1
    assert (taken == 150) == shed
    assert (log.oldest > 1) == shed
    await log.__aexit__(None, None, None)


async def test_a_slow_disk_does_not_stop_the_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = await open_log(tmp_path)
    real = os.fdatasync

    def slow(handle: int) -> None:
        time.sleep(0.2)
        real(handle)

    monkeypatch.setattr(os, "fdatasync", slow)
    job = asyncio.create_task(log.append(numbered(100), closed_ns=7))
    longest, before = 0.0, time.monotonic()
    while not job.done():
        await asyncio.sleep(0.005)
        longest, before = max(longest, time.monotonic() - before), time.monotonic()
    assert longest < 0.15
    await log.__aexit__(None, None, None)


async def test_two_processes_cannot_write_one_log(tmp_path: Path) -> None:
    log = await open_log(tmp_path)
    with pytest.raises(LogInUseError, match="another process"):
        await open_log(tmp_path)
    await log.__aexit__(None, None, None)


async def test_receipt_survives_and_damage_of_it_costs_only_duplicates(tmp_path: Path) -> None:
    place = await fill(tmp_path, [10] * 5)
    log = await open_log(tmp_path)
    log.set_receipted(4)
    await log.__aexit__(None, None, None)
    log = await open_log(tmp_path)
    assert log.receipted == 4
    await log.__aexit__(None, None, None)
    for text in ("", "{", "[]", '{"upto": "x"}', '{"upto": -3}', "\0\0\0"):
        (place / "receipt.json").write_text(text)
        log = await open_log(tmp_path)
        assert log.receipted == 0
        await log.__aexit__(None, None, None)


async def test_an_oversized_batch_is_refused_alone(tmp_path: Path) -> None:
    log = await open_log(tmp_path)

    def huge(_seq: int, _prev: str) -> tuple[bytes, int]:
        return b"x" * (17 << 20), 1

    results = await asyncio.gather(
        log.append(numbered(10), closed_ns=7),
        log.append(huge, closed_ns=7),
        log.append(numbered(10), closed_ns=7),
        return_exceptions=True,
    )
    assert isinstance(results[1], ValueError)
    assert sorted(await bodies(log)) == [1, 2]
    await log.__aexit__(None, None, None)


async def test_waiters_wake_on_news_and_on_close(tmp_path: Path) -> None:
    log = await open_log(tmp_path)
    waiting = asyncio.create_task(log.wait_beyond(0))
    await asyncio.sleep(0)
    await log.append(numbered(1), closed_ns=7)
    await asyncio.wait_for(waiting, 1)
    waiting = asyncio.create_task(log.wait_beyond(1))
    await asyncio.sleep(0)
    await log.__aexit__(None, None, None)
    await asyncio.wait_for(waiting, 1)
