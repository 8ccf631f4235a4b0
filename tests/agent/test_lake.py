"""The lake: exactly once whatever is killed and repeated, whole for every reader, small on disk."""

import fcntl
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest

from agent.lake import Lake
from agent.lakeview import LakeView
from agent.tiers import FAN
from agent.views import Source, StoredBatch
from tests.agent.batches import RAW, RECORD, T0_NS, batch, pots, raw

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
    return duckdb.sql(
        f"select * exclude (plant, day) from read_parquet('{root}/{table}/*/*/*.parquet', "
        "hive_partitioning=true) order by all"
    ).fetchall()


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
    seen = duckdb.sql(
        f"select equipment, quantity, value, gateway, log, seq, epoch_us(ts) from "
        f"read_parquet('{lake.root}/raw/plant=demo/day=2026-09-21/*.parquet')"
    ).fetchall()
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
    lines = [
        "pot_1m,plant=demo,line=line1,unit=pot001 voltage=4.1,voltage_min=4,voltage_max=4.5,"
        f'voltage_n=59i,voltage_good=0.98,voltage_q="no_data" {T0_NS}',
        "meter_1m,plant=demo,line=line1,unit=ac1 energy_import_inc=12.5,energy_import_last=100.25,"
        f'energy_import_n=60i,energy_import_raw="0001e240" {T0_NS}',
        f'pot_1m,plant=demo,line=line1,unit=pot002 voltage_n=0i,voltage_good=0,voltage_q="refused" {T0_NS}',
        f'event,plant=demo,gateway=gw1,kind=gap,line=line1,unit=pot002 id="e1",text="a, \\"b\\" c" {T0_NS}',
        f'event,plant=demo,gateway=gw1,kind=gap id="e1",text="over",end={T0_NS + 5}i,amount=2.5 {T0_NS}',
        "what is this",
    ]
    lake.write([batch(RECORD, 7, lines)])
    windows = rows(lake.root, "windows")
    where = ("gw1", RECORD.log, 7)
    assert [row[1:] for row in windows] == [
        (
            60,
            "line1/ac1",
            "meter.energy_import",
            None,
            None,
            None,
            100.25,
            12.5,
            60,
            1.0,
            None,
            "0001e240",
            *where,
        ),
        (
            60,
            "line1/pot001",
            "pot.voltage",
            4.1,
            4.0,
            4.5,
            4.1,
            None,
            59,
            0.98,
            "no_data",
            None,
            *where,
        ),
        (
            60,
            "line1/pot002",
            "pot.voltage",
            None,
            None,
            None,
            None,
            None,
            0,
            0.0,
            "refused",
            None,
            *where,
        ),
    ]
    events = rows(lake.root, "events")
    assert [row[2:] for row in events] == [
        ("gap", "line1/pot002", "e1", 'a, "b" c', None, *where),
        ("gap", None, "e1", "over", 2.5, *where),
    ] or [row[2:] for row in events] == [
        ("gap", None, "e1", "over", 2.5, *where),
        ("gap", "line1/pot002", "e1", 'a, "b" c', None, *where),
    ]
    ((_, line, reason, *lead),) = rows(lake.root, "rejects")
    assert (line, lead) == ("what is this", list(where))
    assert "=" in reason or "character" in reason
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
    real = __import__("agent.lake", fromlist=["exchange"]).exchange
    monkeypatch.setattr("agent.lake.exchange", guarded(real))
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
