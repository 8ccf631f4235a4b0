"""The lake: exactly once whatever is killed and repeated, whole for every reader, small on disk."""

import asyncio
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest

from agent.lake.lake import Lake
from agent.lake.tables import SCHEMAS
from agent.lake.tiers import FAN
from agent.lake.view import LakeView
from agent.views import Source, StoredBatch
from reports.periods import Period
from reports.series.lake import open_lake
from tests.agent.batches import RAW, RECORD, T0_NS, batch, pots, raw
from tests.servers import wait_until

FAR_S = 4e9  # a time of day when every day is long over


class PowerCutError(BaseException):
    """Stands for kill -9: not an Exception, so no code under test may take it for a disk error."""


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    made = Lake(tmp_path / "lake")
    made.open()
    yield made
    made.close()


def rows(root: Path, table: str = "raw") -> list[tuple[Any, ...]]:
    """What a reader sees: a plain glob over *.parquet."""
    if not list((root / table).glob("*/*/*.parquet")):
        return []
    glob = f"{root}/{table}/*/*/*.parquet"
    return duckdb.read_parquet(glob, hive_partitioning=False).order("all").fetchall()


def expected(batches: list[StoredBatch], folder: Path) -> list[tuple[Any, ...]]:
    """The same batches written once, without any trouble."""
    shutil.rmtree(folder, ignore_errors=True)
    plain = Lake(folder)
    plain.open()
    plain.write(batches)
    plain.close()
    return rows(folder)


def files(root: Path) -> list[Path]:
    return sorted(root.glob("*/plant=*/day=*/*.parquet"))


def merge_all(lake: Lake, now_s: float | None = None) -> int:
    done = 0
    while job := lake.due(now_s):
        assert lake.swap(job, lake.merge(job))
        done += 1
    return done


def test_values_arrive_exactly_with_their_way_back(lake: Lake) -> None:
    lake.write([raw(1), raw(2)])
    glob = f"{lake.root}/raw/plant=demo/day=2026-09-21/*.parquet"
    columns = "equipment, quantity, value, gateway, log, seq, epoch_us(ts)"
    seen = duckdb.read_parquet(glob).project(columns).fetchall()
    want = [
        (
            f"line1/pot{pot:03d}",
            quantity,
            value,
            "gw1",
            RAW.log,
            second,
            T0_NS // 1000 + second * 10**6,
        )
        for second in (1, 2)
        for pot in range(4)
        for quantity, value in (
            ("pot.voltage", 4 + pot / 64 + second / 1024),
            ("pot.noise_hf", float(pot)),
        )
    ]
    assert Counter(seen) == Counter(want)


def test_files_are_encoded_and_sorted_as_promised(lake: Lake) -> None:
    lake.write([raw(n) for n in range(1, 40)])
    (path,) = files(lake.root)
    group = pq.ParquetFile(path).metadata.row_group(0)
    columns = {group.column(i).path_in_schema: group.column(i) for i in range(group.num_columns)}
    assert "DELTA_BINARY_PACKED" in columns["ts"].encodings
    assert "BYTE_STREAM_SPLIT" in columns["value"].encodings
    assert "RLE_DICTIONARY" in columns["equipment"].encodings
    assert {column.compression for column in columns.values()} == {"ZSTD"}
    table = pq.read_table(path).to_pylist()
    keys = [(row["equipment"], row["quantity"], row["ts"]) for row in table]
    assert keys == sorted(keys)


def test_a_day_is_a_day_in_beijing(lake: Lake) -> None:
    midnight_s = 1_790_006_400 - T0_NS // 10**9  # 2026-09-22 00:00 at UTC+8
    lake.write([batch(RAW, 1, [*pots(midnight_s - 1), *pots(midnight_s)])])
    assert [path.parent.name for path in files(lake.root)] == ["day=2026-09-21", "day=2026-09-22"]


def test_batches_that_come_again_change_nothing(lake: Lake) -> None:
    lake.write([raw(1), raw(2)])
    before = rows(lake.root)
    lake.write([raw(1), raw(2)])
    lake.write([raw(2), raw(3)])
    assert rows(lake.root) == sorted(before + [row for row in rows(lake.root) if row[-1] == 3])
    assert len(rows(lake.root)) == 24


def test_logs_have_cursors_of_their_own(lake: Lake) -> None:
    other = Source("demo", "gw2", "raw", "0123456789abcdef")
    lake.write([raw(1), batch(other, 1, pots(50))])
    assert len(rows(lake.root)) == 16


def test_windows_events_and_rejects_have_their_tables(lake: Lake) -> None:
    lines = f"""\
pot_1m,plant=demo,line=line1,unit=pot001 \
voltage=4.1,voltage_min=4,voltage_max=4.5,voltage_n=9i,voltage_good=0.98,voltage_q="stuck" {T0_NS}
gas_1m,plant=demo,line=line1,unit=ac1 \
volume_inc=12.5,volume_last=100.25,volume_n=60i,volume_raw="01e2" {T0_NS}
pot_1m,plant=demo,line=line1,unit=pot002 voltage_n=0i,voltage_good=0,voltage_q="refused" {T0_NS}
event,plant=demo,gateway=gw1,kind=gap,line=line1,unit=pot002 id="e1",text="a, \\"b\\" c" {T0_NS}
event,plant=demo,gateway=gw1,kind=gap id="e2",text="ov",end={T0_NS + 5000}i,amount=2 {T0_NS + 1000}
event,plant=demo,gateway=gw1,kind=anode_effect,line=line1,unit=pot002 id="e3",text="ae",\
end={T0_NS + 9000}i,amount=90.5,peak_v=32,mean_v=25.5,overvoltage_vs=1950,gap_s=0 {T0_NS + 3000}
what is this""".split("\n")
    lake.write([batch(RECORD, 7, lines)])
    where = ("gw1", RECORD.log, 7)
    meter, pot1, pot2 = (row[1:] for row in rows(lake.root, "windows"))
    nothing = (None,) * 4
    assert meter[:3] == (60, "line1/ac1", "gas.volume")
    assert meter[3:] == (None, None, None, 100.25, 12.5, 60, 1.0, None, "01e2", *where)
    assert pot1[:3] == (60, "line1/pot001", "pot.voltage")
    assert pot1[3:] == (4.1, 4.0, 4.5, 4.1, None, 9, 0.98, "stuck", None, *where)
    assert pot2[:3] == (60, "line1/pot002", "pot.voltage")
    assert pot2[3:] == (*nothing, None, 0, 0.0, "refused", None, *where)
    lasting, over, effect = rows(lake.root, "events")
    assert lasting[1:] == (None, "gap", "line1/pot002", "e1", 'a, "b" c', None, *nothing, *where)
    assert over[2:] == ("gap", None, "e2", "ov", 2.0, *nothing, *where)
    measured = (90.5, 32.0, 25.5, 1950.0, 0.0)
    assert effect[2:] == ("anode_effect", "line1/pot002", "e3", "ae", *measured, *where)
    assert (over[1] - over[0]).total_seconds() == 4e-6
    ((_, line, reason, *lead),) = rows(lake.root, "rejects")
    assert (line, lead) == ("what is this", list(where))
    assert "character" in reason
    assert lake.rejects == 1


STEPS = ("rename", "replace", "fsync", "mkdir", "unlink", "rmdir", "link")


def cut_power_at(step: int, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Let the ``step``-th change of a folder or sync never happen, nor anything after it."""
    count = 0

    def guarded(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal count
            count += 1
            if count >= step:
                raise PowerCutError
            return real(*args, **kwargs)

        return call

    for name in STEPS:
        monkeypatch.setattr(os, name, guarded(getattr(os, name)))
    real = __import__("agent.lake.lake", fromlist=["exchange"]).exchange
    monkeypatch.setattr("agent.lake.lake.exchange", guarded(real))
    return lambda: count


def test_a_power_cut_at_every_step_of_a_flush(tmp_path: Path) -> None:
    batches = [raw(1), batch(RECORD, 1, [*pots(1, offset=1.0), *pots(90_000)])]
    want = expected([*batches, raw(2)], tmp_path / "plain")
    step = survived = 0
    while not survived:
        step += 1
        root = tmp_path / f"lake{step}"
        with pytest.MonkeyPatch.context() as patch:
            lake = Lake(root)
            lake.open()
            count = cut_power_at(step, patch)
            try:
                lake.write(batches)
                survived = 1
            except PowerCutError:
                assert count() == step
        lake.close()
        again = Lake(root)
        again.open()
        assert rows(root) in ([], [row for row in want if row[-1] == 1])
        again.write(batches)  # the historian's cursor did not move
        again.write([raw(2)])
        assert rows(root) == want, f"step {step}"
        again.close()
    assert step > 8


def test_a_power_cut_at_every_step_of_a_merge(tmp_path: Path) -> None:
    batches = [raw(n) for n in range(1, FAN + 2)]
    want = expected(batches, tmp_path / "plain")
    step = survived = 0
    while not survived:
        step += 1
        root = tmp_path / f"lake{step}"
        lake = Lake(root)
        lake.open()
        for each in batches:
            lake.write([each])
        with pytest.MonkeyPatch.context() as patch:
            cut_power_at(step, patch)
            try:
                merge_all(lake)
                survived = 1
            except PowerCutError:
                assert rows(root) == want, f"right after the cut at step {step}"
        lake.close()
        again = Lake(root)
        again.open()
        merge_all(again)
        assert rows(root) == want, f"step {step}"
        assert len(files(root)) == 2
        assert not list((root / ".staging").iterdir())
        again.close()
    assert step > 5


def test_merging_keeps_every_row_and_makes_levels(lake: Lake) -> None:
    batches = [raw(n) for n in range(1, FAN * FAN + 3)]
    for each in batches:
        lake.write([each])
        merge_all(lake)
    assert len(files(lake.root)) == 3  # one of the second level, two fresh ones
    assert rows(lake.root) == expected(batches, lake.root.parent / "plain")
    table = pq.read_table(files(lake.root)[0]).to_pylist()
    keys = [(row["equipment"], row["quantity"], row["ts"]) for row in table]
    assert keys == sorted(keys)
    assert len(table) == FAN * FAN * 8


def test_every_table_can_be_merged(lake: Lake) -> None:
    for n in range(1, FAN + 1):
        ns = T0_NS + n * 60_000_000_000
        lines = [
            f"pot_1m,plant=demo,line=line1,unit=pot{n:03d} voltage=4.{n},voltage_n=60i {ns}",
            f'meter_1m,plant=demo,line=l,unit=m a_inc=1,a_last=2,a_n=1i,a_raw="{n:04x}" {ns}',
            f'event,plant=demo,gateway=gw1,kind=gap id="e{n}",text="t",end={ns}i {ns}',
            f"broken {n}",
        ]
        lake.write([batch(RECORD, n, lines)])
    before = {table: rows(lake.root, table) for table in SCHEMAS}
    assert merge_all(lake) == 3
    assert {table: rows(lake.root, table) for table in SCHEMAS} == before
    assert len(before["windows"]) == 2 * FAN
    assert len(before["rejects"]) == FAN


def test_events_of_before_their_newer_columns_are_merged_and_read(lake: Lake) -> None:
    line = "event,plant=demo,gateway=gw1,kind=anode_effect,line=line1,unit=pot001 "
    for n in range(1, FAN + 1):
        ns = T0_NS + n * 60_000_000_000
        lines = [f'{line}id="e{n}",text="t",end={ns + n}i,amount={n},peak_v=30 {ns}']
        lake.write([batch(RECORD, n, lines)])
    newer = ["peak", "mean", "integral", "gap"]
    for path in sorted(lake.root.glob("events/*/*/*.parquet"))[: FAN // 2]:
        table = pq.read_table(path, partitioning=None)
        pq.write_table(table.drop_columns(newer), path)
    period = Period(date(2026, 1, 1), date(2027, 1, 1))
    with open_lake("demo", lake.root) as series:
        assert len(series.events("line1/pot001", period)) == FAN
    assert merge_all(lake) == 1
    found = rows(lake.root, "events")
    peaks = [row[7] for row in found]
    assert [row[6] for row in found] == list(range(1, FAN + 1))
    assert sorted(peaks, key=str) == [30.0] * (FAN - FAN // 2) + [None] * (FAN // 2)
    with open_lake("demo", lake.root) as series:
        assert len(series.events("line1/pot001", period)) == FAN


def test_late_rows_join_their_old_day(lake: Lake) -> None:
    day = [raw(n, 900) for n in range(1, 150)]
    lake.write(day)
    lake.write([raw(200)])  # late, and far smaller than the day's file
    assert lake.due() is None
    assert merge_all(lake, FAR_S) == 0, "a day is not rewritten for a late row"
    for n in range(201, 204):
        lake.write([raw(n)])
    assert merge_all(lake, FAR_S) == 1
    assert len(files(lake.root)) == 2
    late = [raw(n) for n in range(200, 204)]
    assert rows(lake.root) == expected([*day, *late], lake.root.parent / "plain")


def test_a_reader_that_holds_the_lake_keeps_its_files(lake: Lake) -> None:
    for n in range(1, FAN + 1):
        lake.write([raw(n)])
    before = files(lake.root)
    job = lake.due()
    assert job
    staged = lake.merge(job)
    with (lake.root / ".reading").open() as reading:
        fcntl.flock(reading, fcntl.LOCK_SH)
        assert not lake.swap(job, staged)
        assert files(lake.root) == before
    assert lake.swap(job, staged)
    assert len(files(lake.root)) == 1


def test_where_folders_cannot_be_exchanged_files_stay_as_they_are(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(1, FAN + 1):
        lake.write([raw(n)])
    before = files(lake.root), rows(lake.root)
    monkeypatch.setattr("agent.lake.lake.exchange", lambda *_: False)  # as on NFS
    merge_all(lake)
    assert (files(lake.root), rows(lake.root)) == before
    assert not lake.can_merge


async def test_readers_never_see_a_row_twice_or_not_at_all(tmp_path: Path) -> None:
    """A reader without any lock counts through a glob while files are written and merged."""
    root, done, counts = tmp_path / "lake", threading.Event(), []

    def read() -> None:
        connection = duckdb.connect()
        while not done.is_set():
            try:
                found = connection.read_parquet(f"{root}/raw/*/*/*.parquet")
                ((count,),) = found.count("*").fetchall()
            except duckdb.IOException:  # a listed file was merged away: list again
                continue
            counts.append(count)

    async with LakeView(root) as view:
        await view.write([raw(1)])
        reader = asyncio.create_task(asyncio.to_thread(read))
        for n in range(2, 4 * FAN * FAN // 3):
            await view.write([raw(n)])
        await asyncio.sleep(0)
        done.set()
        await reader
    assert counts == sorted(counts), "a count fell: rows were hidden, or seen twice before"
    assert {count % 8 for count in counts} == {0}
    assert len(set(counts)) > 5


async def test_merging_happens_by_itself(tmp_path: Path) -> None:
    async with LakeView(tmp_path / "lake") as view:
        for n in range(1, 2 * FAN + 1):
            await view.write([raw(n)])

        def merged() -> bool:
            return len(files(tmp_path / "lake")) == 2

        await asyncio.to_thread(wait_until, merged, "two merged files")
        assert len(rows(tmp_path / "lake")) == 2 * FAN * 8


async def test_reset_takes_everything_and_all_may_come_again(tmp_path: Path) -> None:
    async with LakeView(tmp_path / "lake") as view:
        await view.write([raw(1), raw(2)])
        before = rows(tmp_path / "lake")
        await view.reset()
        assert rows(tmp_path / "lake") == []
        await view.write([raw(1), raw(2)])
        assert rows(tmp_path / "lake") == before


def test_one_writer_only(lake: Lake) -> None:
    with pytest.raises(RuntimeError, match="another historian"):
        Lake(lake.root).open()


def test_a_lake_that_lost_its_cursors_asks_to_be_rebuilt(lake: Lake) -> None:
    lake.write([raw(1)])
    lake.close()
    (lake.root / "state.json").unlink()
    again = Lake(lake.root)
    again.open()
    with pytest.raises(RuntimeError, match="rebuild lake"):
        again.write([raw(1)])
    again.reset()
    again.write([raw(1)])
    assert len(rows(lake.root)) == 8
    again.close()


WRITER = """
import sys
from pathlib import Path
from agent.lake.lake import Lake
from tests.servers import wait_until
from tests.agent.batches import raw
lake = Lake(Path(sys.argv[1]))
lake.open()
print("open", flush=True)
for n in range(1, 100000):
    lake.write([raw(n)])
    while job := lake.due():
        lake.swap(job, lake.merge(job))
"""


def test_kill_9_at_any_time(tmp_path: Path) -> None:
    """The writer starts from batch 1 each time, as a historian without a cursor would."""
    rng, root = np.random.default_rng(20261123), tmp_path / "lake"
    reached = 0
    for _ in range(6):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(root)],
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        ) as writer:
            assert writer.stdout
            assert writer.stdout.readline() == b"open\n"
            with pytest.raises(subprocess.TimeoutExpired):
                writer.wait(float(rng.uniform(0.05, 0.7)))
            writer.send_signal(signal.SIGKILL)
        lake = Lake(root)
        lake.open()
        lake.close()
        seen = rows(root)
        reached = max((row[-1] for row in seen), default=0)
        per_batch = Counter(row[-1] for row in seen)
        assert per_batch == dict.fromkeys(range(1, reached + 1), 8)
    assert rows(root) == expected([raw(n) for n in range(1, reached + 1)], tmp_path / "plain")
    assert reached > FAN


def test_float32_sensors_take_at_most_three_bytes_a_sample(lake: Lake) -> None:
    """Random walks as a float32 device sends them, noisy to the last bit, merged."""
    rng = np.random.default_rng(7)
    pots_, seconds = 40, 600
    walk = 500 + rng.normal(0, 0.05, (seconds, pots_, 5)).cumsum(axis=0)
    walk = walk.astype(np.float32)
    names = ("voltage", "resistance", "noise_lf", "noise_hf", "bath_temperature")
    pending: list[StoredBatch] = []
    for n in range(seconds):
        ns = T0_NS + n * 10**9
        lines = [
            f"pot,plant=demo,line=line1,unit=pot{pot:03d} "
            + ",".join(f"{k}={v:.9g}" for k, v in zip(names, walk[n, pot].tolist(), strict=True))
            + f" {ns}"
            for pot in range(pots_)
        ]
        pending.append(batch(RAW, n + 1, lines, ns))
        if len(pending) == 60:
            lake.write(pending)
            pending = []
    merge_all(lake, FAR_S)
    assert sum(path.stat().st_size for path in files(lake.root)) / walk.size <= 3.0
    table = duckdb.read_parquet(f"{lake.root}/raw/*/*/*.parquet").order("equipment, quantity, ts")
    got = np.array([value for (value,) in table.project("value").fetchall()])
    got = got.reshape(pots_, 5, seconds)
    order = [sorted(names).index(name) for name in names]
    assert np.array_equal(got[:, order], walk.transpose(1, 2, 0).astype(np.float64))


def test_decimals_are_not_taken_for_float32(lake: Lake) -> None:
    """Meter readings with nine digits: some of them read like a float32, all must stay."""
    values = [123456.0 + n * 0.789 for n in range(500)]
    texts = [f"{value:.3f}" for value in values]
    lines = [
        f"meter,plant=demo,line=line1,unit=ac1 energy_import={text} {T0_NS + n * 10**9}"
        for n, text in enumerate(texts)
    ]
    lake.write([batch(RAW, 1, lines)])
    assert [row[3] for row in rows(lake.root)] == [float(text) for text in texts]
