"""Events, losses and a full log: nothing goes without a count and a word."""

import asyncio
import itertools
import math
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.batches.log import BatchLog
from agent.edge.clock import ClockStep
from agent.edge.desk import Desk
from agent.edge.outbox import Outbox
from agent.wire.encode import BatchHead
from drivers.model import Group
from tests.agent.points import BAD, GOOD, MINUTE_NS, START_NS, frame, group, point

SECOND = 10**9
METER = point(
    "meter.energy_import",
    "line1/ac1",
    type="uint16",
    counter_modulus=65536.0,
    counter_max_per_s=50.0,
)
OF = group(point("pot.voltage"), METER)


class Bench:
    """A desk over real logs."""

    def __init__(self, record: BatchLog, raw: BatchLog, room_bytes: int) -> None:
        head = BatchHead("demo", "gw1", "x", "0" * 16)
        self.record = Outbox(record, head, lambda: START_NS)
        self.raw = Outbox(raw, head, lambda: START_NS, room_bytes=room_bytes)
        self.desk = Desk("demo", "gw1", self.record, self.raw)
        self.use(OF)

    def use(self, *groups: Group, now_ns: int = START_NS) -> None:
        self.desk.exchange(dict.fromkeys(groups, SECOND), ["plc"], now_ns)

    async def events(self) -> list[str]:
        """Event lines so far, from the durable log."""
        await self.record.flush()
        batches = await self.record.log.read_from(1, 1 << 30)
        found = [line for batch in batches for line in batch.payload.decode().split("\n")]
        return [line for line in found if line.startswith("event,")]


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with BatchLog(tmp_path, stream="record") as record:
        raw = BatchLog(tmp_path, stream="raw", max_bytes=100_000, shed=True)
        async with raw:
            yield Bench(record, raw, room_bytes=100_000)


async def test_rollover_reset_and_gap_are_told_with_both_readings(bench: Bench) -> None:
    readings = [65500.0, 14.0, 24.0, 3.0, 8.0]
    for k, reading in enumerate(readings):
        bench.desk.frame(frame(OF, START_NS + k * SECOND, [4.0, reading]))
    for k in range(5, 100):
        bench.desk.frame(frame(OF, START_NS + k * SECOND, [4.0, math.nan], [GOOD, BAD]))
    bench.desk.frame(frame(OF, START_NS + 100 * SECOND, [4.0, 508.0]))
    rollover, reset, gap = await bench.events()
    assert "kind=rollover,line=line1,unit=ac1 " in rollover
    assert "65500 → 14 kWh" in rollover
    assert ",amount=50 " in rollover
    assert "kind=reset" in reset
    assert "24 → 3 kWh" in reset
    assert "kind=gap" in gap
    assert f",end={START_NS + 100 * SECOND}i,amount=500 {START_NS + 4 * SECOND}" in gap


async def test_another_serial_number_is_a_replacement(bench: Bench) -> None:
    of = group(point("pot.serial", type="ascii:8"), METER)
    bench.use(of)
    for k, text in enumerate(["A1", "A1", "B7"]):
        sent = frame(of, START_NS + k * SECOND, [math.nan, 5.0], texts={0: text})
        bench.desk.frame(sent)
    (event,) = await bench.events()
    assert "kind=replacement,line=line1,unit=pot001" in event
    assert "'A1' → 'B7'" in event


async def test_another_meter_with_a_higher_register_invents_no_consumption(bench: Bench) -> None:
    """Nothing bounds the rate: without its number 5,000 → 900,000 would be 895,000 kWh."""
    meter = point("meter.energy_import", "line1/ac1", type="uint32")
    of = group(point("meter.serial", "line1/ac1", type="ascii:8"), meter)
    bench.use(of)
    for k, (text, reading, code) in enumerate(
        [
            ("A1", 4990.0, GOOD),
            ("A1", 5000.0, GOOD),
            ("B7", math.nan, BAD),
            ("B7", 900000.0, GOOD),
            ("B7", 900010.0, GOOD),
        ]
    ):
        sent = frame(of, START_NS + k * SECOND, [math.nan, reading], [GOOD, code], texts={0: text})
        bench.desk.frame(sent)
    number, register = await bench.events()
    assert "'A1' → 'B7'" in number
    assert "kind=replacement,line=line1,unit=ac1 " in register
    assert "5000 → 900000 kWh" in register
    assert bench.desk.pipelines[of].minutes.close().increment[1] == 20


async def test_a_log_that_is_full_is_told_and_what_found_no_room_is_counted(bench: Bench) -> None:
    source = random.Random(1)
    slots = itertools.count(START_NS, SECOND)

    async def hundred() -> None:
        for _ in range(100):
            bench.desk.frame(frame(OF, next(slots), [source.uniform(3, 5), 100.0]))
        await bench.raw.flush()
        bench.desk.log_state(next(slots))

    async with asyncio.timeout(20):
        while not bench.raw.refused:
            await hundred()
        for _ in range(8):
            await hundred()
        assert bench.raw.waiting_bytes <= 100_000
        assert bench.raw.dropped > 0
        bench.raw.log.set_receipted(bench.raw.log.newest)
        await bench.raw.log.prune()
        while bench.raw.refused:
            await hundred()
        await hundred()
    assert bench.raw.waiting_bytes == 0
    told = await bench.events()
    for kind in ("log_full", "dropped"):
        begun, ended = [line for line in told if f"kind={kind} " in line]
        assert ",end=" not in begun
        assert ",end=" in ended
    lost = int(ended.split("amount=")[1].split(" ")[0])
    assert 0 < lost <= bench.raw.dropped


async def test_a_clock_step_forward_is_also_a_gap(bench: Bench) -> None:
    hour = 3600 * SECOND
    bench.desk.stepped(ClockStep(START_NS, hour, followed=True, moved_ns=hour))
    bench.desk.stepped(ClockStep(START_NS + 5 * SECOND, -SECOND, followed=False))
    step, gap, back = await bench.events()
    assert "kind=clock_step" in step
    assert ",amount=3600 " in step
    assert f"end={START_NS + 3600 * SECOND}i" in gap
    assert ",amount=-1 " in back


async def test_a_point_that_is_read_no_more_keeps_its_part_of_the_minute(bench: Bench) -> None:
    for k in range(30):
        bench.desk.frame(frame(OF, START_NS + k * SECOND, [4.0, 100.0 + k]))
    smaller = group(METER)
    bench.use(smaller, now_ns=START_NS + 30 * SECOND)
    for k in range(30, 61):
        bench.desk.frame(frame(smaller, START_NS + k * SECOND, [100.0 + k]))
    await bench.record.flush()
    payload = b"".join(b.payload for b in await bench.record.log.read_from(1, 1 << 30)).decode()
    (pot,) = [line for line in payload.split("\n") if line.startswith("pot_1m")]
    (meter,) = [line for line in payload.split("\n") if line.startswith("meter_1m")]
    assert 'voltage=4,voltage_n=30i,voltage_good=0.5333333333333333,voltage_q="no_data"' in pot
    assert "energy_import_inc=60,energy_import_last=160,energy_import_n=60i " in meter


async def test_a_silent_group_still_closes_its_minute(bench: Bench) -> None:
    bench.desk.frame(frame(OF, START_NS, [4.0, 100.0]))
    bench.desk.close_minutes(START_NS + MINUTE_NS + SECOND - 1)
    assert bench.record.waiting_bytes == 0
    bench.desk.close_minutes(START_NS + MINUTE_NS + SECOND)
    assert bench.record.waiting_bytes > 0


async def test_minutes_go_on_after_a_step_back_into_time_never_used(bench: Bench) -> None:
    """A day ahead for a while, then back: the minute of the future ends, the next is not late."""
    day = 86_400 * SECOND
    bench.desk.frame(frame(OF, START_NS + day, [4.0, 1.0]))
    bench.desk.stepped(ClockStep(START_NS + day + SECOND, -day, followed=True, moved_ns=-day))
    for k in range(2, 62):
        bench.desk.frame(frame(OF, START_NS + k * SECOND, [4.2, 1.0]))
    (pipeline,) = bench.desk.pipelines.values()
    assert pipeline.minutes.late == 0
    await bench.record.flush()
    batches = await bench.record.log.read_from(1, 1 << 30)
    found = [x for b in batches for x in b.payload.decode().split("\n") if x.startswith("pot_1m,")]
    assert [int(x.rpartition(" ")[2]) - START_NS for x in found] == [day, 0]
    assert "voltage=4.2," in found[1]
