"""A boot that does not know the time: everything is kept, flagged, and moved to its true time."""

import asyncio
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from agent.batches.batch import Batch
from agent.wire.encode import BatchHead, batch_payload, retimed_line
from agent.wire.events import Retimed
from reports.clocks import clock_doubts
from reports.model import Doubt
from reports.periods import Period
from reports.series.lake import open_lake
from tests.agent.time_bench import (
    MINUTE_NS,
    POINT,
    SECOND,
    SYNCED,
    TRUE_NS,
    UNSYNCED,
    Run,
    World,
    errors_s,
    run,
)

DAY_NS = 86_400 * SECOND


async def ten_minutes_then_sync(world: World) -> None:
    """A clock that was ahead is drawn in at five per cent: wait for that."""
    await asyncio.sleep(600)
    ahead_s = world.wrong_ns / SECOND if 0 < world.wrong_ns < 600 * SECOND else 0.0
    world.wrong_ns, world.kernel = 0, SYNCED
    await asyncio.sleep(150 + 21 * ahead_s)


@pytest.mark.parametrize("wrong_s", [-1_790_000_000, -7200, -5, 5, 40, 7200, 3600 * 24 * 400])
def test_unsynced_minutes_move_to_their_true_time(tmp_path: Path, wrong_s: int) -> None:
    """750 s are served at least: 12 minutes less the broken ones; each within a second."""
    world = World(wrong_ns=wrong_s * SECOND, kernel=UNSYNCED)
    done = run(Run(tmp_path), world, ten_minutes_then_sync)
    windows = done.windows(TRUE_NS - DAY_NS, TRUE_NS + DAY_NS)
    errors = errors_s(windows)
    assert len(errors) >= 10
    assert max(map(abs, errors)) <= 1.0
    assert len(set(done.slots)) == len(done.slots), "no slot twice"
    retimed = done.events("retimed")[0]
    assert float(re.search(r"amount=([^ ,]+)", retimed)[1]) == pytest.approx(-wrong_s, abs=60)  # type: ignore[index]
    (event,) = done.happened("clock_unsynced", TRUE_NS)
    assert abs(event.start_ns - TRUE_NS) < 2 * SECOND, "events stand at their true time too"


@pytest.mark.parametrize("wrong_s", [-1_790_000_000, -40, 40, 7200])
def test_raw_samples_move_to_their_true_time(tmp_path: Path, wrong_s: int) -> None:
    """Each sample is the true time at which it was taken."""
    world = World(wrong_ns=wrong_s * SECOND, kernel=UNSYNCED)
    done = run(Run(tmp_path), world, ten_minutes_then_sync)
    with open_lake("demo", done.lake()) as series:
        rows = series.samples(POINT, TRUE_NS - DAY_NS, TRUE_NS + DAY_NS)
        none = series.samples(POINT, TRUE_NS - 90 * DAY_NS, TRUE_NS - 89 * DAY_NS)
    at_s = rows["ts"].cast("int64").to_numpy() / 1e6 - TRUE_NS / 1e9
    wrong = at_s - rows["value"].to_numpy()
    assert len(rows) >= 700
    assert len(none) == 0
    assert abs(wrong).max() <= 1.0
    stamps = [int(x.rpartition(" ")[2]) for x in done.raw.lines() if x.startswith("heat,")]
    assert stamps[0] == pytest.approx(TRUE_NS + wrong_s * SECOND, abs=2 * SECOND)


def test_a_stretch_that_becomes_known_days_later_is_told(tmp_path: Path) -> None:
    """Five days without time, then set: the report of the first day says so."""
    zero_ns, five_ns = 41 * SECOND, 5 * DAY_NS
    retimed = Retimed(zero_ns, zero_ns + five_ns, TRUE_NS - zero_ns, TRUE_NS - zero_ns, 1, "b001")
    done = Run(tmp_path)
    head = BatchHead("demo", "gw1", "record", "0" * 16)
    place = {"log": done.record.log_id, "seq": 1, "prev": "0" * 64, "closed_ns": TRUE_NS + five_ns}
    lines = [retimed_line("demo", "gw1", retimed)]
    payload, count = batch_payload(head, lines, **place)  # type: ignore[arg-type]
    done.record.batches.append(Batch.of(1, TRUE_NS + five_ns, count + 1, payload))
    (doubt,) = doubts_of(done)
    assert "re-timed along its monotonic clock (stretches: 1, by +1789999999.0 s" in doubt.text.en
    assert "clock first set 2026-09-26" in doubt.text.en


def test_the_originals_keep_the_stamps_they_had(tmp_path: Path) -> None:
    world = World(wrong_ns=-1_790_000_000 * SECOND, kernel=UNSYNCED)
    done = run(Run(tmp_path), world, ten_minutes_then_sync)
    stamps = [int(x.rpartition(" ")[2]) for x in done.record.lines() if x.startswith("heat_1m,")]
    assert sum(ns < 10**15 for ns in stamps) >= 10, "minutes of 1970"
    heads = [x for x in done.record.lines() if x.startswith("batch,")]
    assert 'clock="unsynced"' in heads[0]
    assert 'boot="b001"' in heads[0]
    assert ",mono=" in heads[0]
    assert 'clock="locked",offset=1000i,maxerror=20000000i,sync="chrony"' in heads[-1]


def test_a_kill_before_the_sync_loses_nothing_of_this_boot(tmp_path: Path) -> None:
    async def five_minutes(_world: World) -> None:
        await asyncio.sleep(300)

    world = World(wrong_ns=-400 * DAY_NS, kernel=UNSYNCED)
    done = run(Run(tmp_path), world, five_minutes)
    done = run(done, world, ten_minutes_then_sync)
    errors = errors_s(done.windows(TRUE_NS - DAY_NS, TRUE_NS + DAY_NS))
    assert len(errors) >= 12, "5 + 12 minutes, less those that were broken off"
    assert max(map(abs, errors)) <= 1.0


def test_another_boot_cannot_be_retimed_and_stays_flagged(tmp_path: Path) -> None:
    async def five_minutes(_world: World) -> None:
        await asyncio.sleep(300)

    world = World(wrong_ns=-400 * DAY_NS, kernel=UNSYNCED)
    done = run(Run(tmp_path), world, five_minutes)
    old = max(done.slots)
    world.boot, world.woke_ns = "b002", 0
    done = run(done, world, ten_minutes_then_sync)
    begin_ns = TRUE_NS - 400 * DAY_NS
    stayed = done.windows(begin_ns - MINUTE_NS, old)
    assert len(stayed) >= 4, "the first boot's minutes stay where they were stamped"
    moved = errors_s(done.windows(TRUE_NS - DAY_NS, TRUE_NS + DAY_NS))
    assert max(map(abs, moved)) <= 1.0


def test_a_clock_that_was_right_all_the_time_is_not_retimed(tmp_path: Path) -> None:
    world = World(kernel=UNSYNCED)
    done = run(Run(tmp_path), world, ten_minutes_then_sync)
    assert not done.events("retimed")
    begun, ended = done.events("clock_unsynced")
    assert ",end=" not in begun
    assert ",end=" in ended


def test_a_future_that_was_stamped_unsynced_does_not_bind_the_next_run(tmp_path: Path) -> None:
    async def two_minutes(_world: World) -> None:
        await asyncio.sleep(120)

    world = World(wrong_ns=400 * DAY_NS, kernel=UNSYNCED)
    done = run(Run(tmp_path), world, two_minutes)
    world.boot, world.woke_ns, world.wrong_ns, world.kernel = "b002", 0, 0, SYNCED
    before = len(done.slots)
    done = run(done, world, two_minutes)
    late = done.slots[before:]
    assert all(abs(ns - TRUE_NS) < 600 * SECOND for ns in late), "the right clock is believed"


def test_a_report_says_what_was_retimed_and_what_cannot_be_confirmed(tmp_path: Path) -> None:
    async def two_minutes(_world: World) -> None:
        await asyncio.sleep(130)

    (tmp_path / "set").mkdir()
    world = World(wrong_ns=-400 * DAY_NS, kernel=UNSYNCED)
    done = run(Run(tmp_path / "set"), world, ten_minutes_then_sync)
    (doubt,) = doubts_of(done)
    assert "+34560000.0 秒" in doubt.text.zh
    assert "recorded before the gateway's clock was set" in doubt.text.en
    assert "stretches: 1, by +34560000.0 s at most" in doubt.text.en
    (tmp_path / "never").mkdir()
    done = run(Run(tmp_path / "never"), World(kernel=UNSYNCED), two_minutes)
    (doubt,) = doubts_of(done)
    assert "无法核实" in doubt.text.zh
    assert "cannot be confirmed" in doubt.text.en


def doubts_of(done: Run) -> tuple[Doubt, ...]:
    with open_lake("demo", done.lake()) as series:
        basis = SimpleNamespace(period=Period.parse("2026-09-21"), series=series)
        return clock_doubts(basis)  # type: ignore[arg-type]
