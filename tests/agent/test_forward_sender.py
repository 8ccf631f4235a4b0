"""A forwarder against a platform that refuses, forgets and dies: everything arrives, in order."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from agent.batches.log import BatchLog
from agent.forward.forwarder import Forwarder
from agent.forward.settings import ForwardConfig
from simulators.hj212 import seconds, stamp
from simulators.hj212_platform import Ledger, OfficePlatform
from tests.agent.forward_process import MN, Place, append, settings, window
from tests.servers import free_port

MIDNIGHT_S = 1_767_196_800


async def until(check: Callable[[], bool], timeout_s: float = 10.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not check():  # noqa: ASYNC110 - what is awaited lies in another task's counts
            await asyncio.sleep(0.01)


@asynccontextmanager
async def forwarding(
    folder: Path, record: BatchLog, config: ForwardConfig
) -> AsyncIterator[Forwarder]:
    async with Forwarder(config, Place(folder), record) as forwarder:
        task = asyncio.create_task(forwarder.run())
        await asyncio.sleep(0.05)  # it has looked where the record log ends
        try:
            yield forwarder
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def write(record: BatchLog, first: int, count: int, *, now: bool = False) -> None:
    for k in range(first, first + count):
        start_s = MIDNIGHT_S + 60 * k
        closed_ns = time.time_ns() if now else (start_s + 65) * 10**9
        await append(record, window(start_s, float(k)), closed_ns)


def minutes(count: int, first: int = 0) -> list[str]:
    return [stamp(MIDNIGHT_S + 60 * k) for k in range(first, first + count)]


def is_right(ledger: Ledger) -> bool:
    """Each minute holds its own value, and no other."""
    return all(
        f"a21026-Avg={(seconds(time_) - MIDNIGHT_S) / 60:g}," in data.replace(";", ",")
        for time_, data in ledger.data["2051"].items()
    )


async def test_everything_arrives_in_order(tmp_path: Path) -> None:
    async with (
        BatchLog(tmp_path, stream="record") as record,
        OfficePlatform(mn=MN) as office,
        forwarding(tmp_path, record, settings(office.port)) as forwarder,
    ):
        await write(record, 0, 30, now=True)
        await until(lambda: len(office.ledger.order.get("2051", [])) == 30)
        await until(lambda: forwarder.sender.unsent == 0)
        assert forwarder.sender.counts.acknowledged == 30
    assert office.ledger.order["2051"] == minutes(30)
    assert is_right(office.ledger)
    assert (office.ledger.doubles, office.ledger.broken) == (0, 0)
    assert not office.ledger.backfilled, "2017 knows no RF"
    assert {p.flag for p in office.ledger.packets} == {5}


async def test_a_lost_answer_costs_a_repetition_of_the_same_packet(tmp_path: Path) -> None:
    async with BatchLog(tmp_path, stream="record") as record, OfficePlatform() as office:
        office.mood.lose_answers = 0.3
        async with forwarding(tmp_path, record, settings(office.port, retries=10)) as forwarder:
            await write(record, 0, 12, now=True)
            await until(lambda: forwarder.sender.unsent == 0 and record.newest == 12, 20)
            again = forwarder.sender.counts.again
    assert office.ledger.order["2051"] == minutes(12)
    assert office.ledger.doubles == again > 0
    assert office.ledger.differing == 0
    assert len({p.qn for p in office.ledger.packets}) == 12, "a repetition keeps its QN"


async def test_a_platform_that_dies_in_the_middle_gets_everything_later(tmp_path: Path) -> None:
    async with BatchLog(tmp_path, stream="record") as record, OfficePlatform() as office:
        office.mood.die_every = 4
        async with forwarding(tmp_path, record, settings(office.port)) as forwarder:
            await write(record, 0, 20, now=True)
            await until(lambda: forwarder.sender.unsent == 0 and record.newest == 20, 20)
            assert forwarder.sender.counts.lost >= 4
    assert office.ledger.order["2051"] == minutes(20)
    assert office.ledger.differing == 0


async def test_an_outage_is_backfilled_after_live_data_with_rf(tmp_path: Path) -> None:
    port = free_port()
    config = settings(port, version=2025)
    ledger = Ledger()
    async with (
        BatchLog(tmp_path, stream="record") as record,
        forwarding(tmp_path, record, config) as forwarder,
    ):
        await write(record, 0, 300)  # nobody listens
        await until(lambda: forwarder.sender._spool.newest == 300)
        async with OfficePlatform(port=port, ledger=ledger) as office:
            await until(lambda: len(ledger.order.get("2051", [])) >= 3)
            await write(record, 300, 3, now=True)
            await until(lambda: forwarder.sender.unsent == 0 and record.newest == 303)
        assert office.ledger.connections >= 1
    order = ledger.order["2051"]
    assert sorted(order) == minutes(303)
    old, new = set(minutes(300)), minutes(3, 300)
    assert [each for each in order if each in old] == minutes(300), "the backlog in order"
    assert [each for each in order if each not in old] == new, "and what is new"
    assert order.index(new[0]) < len(order) - 3, "new data did not wait for the backlog"
    assert ledger.backfilled["2051"] == minutes(300)
    assert {p.version for p in ledger.packets} == {2025}


async def test_what_was_not_acknowledged_is_sent_after_a_restart(tmp_path: Path) -> None:
    async with OfficePlatform() as office:
        config = settings(office.port)
        async with (
            BatchLog(tmp_path, stream="record") as record,
            forwarding(tmp_path, record, config) as forwarder,
        ):
            await write(record, 0, 5, now=True)
            await until(lambda: forwarder.sender.unsent == 0 and record.newest == 5)
            office.mood.silent = True
            await write(record, 5, 5, now=True)
            await until(lambda: forwarder.sender._spool.newest == 10)
        office.mood.silent = False
        async with BatchLog(tmp_path, stream="record") as record:
            await write(record, 10, 5, now=True)  # while no forwarder ran
            async with forwarding(tmp_path, record, config) as forwarder:
                await until(lambda: forwarder.sender.unsent == 0)
                await until(lambda: len(office.ledger.order["2051"]) == 15)
    assert office.ledger.order["2051"] == minutes(15)
    assert (office.ledger.doubles, office.ledger.differing) == (0, 0)


async def test_kill_9_loses_nothing_and_invents_nothing(tmp_path: Path) -> None:
    count = 240
    async with OfficePlatform(mn=MN) as office:
        office.mood.die_every = 37
        kills = 0
        process = None
        end_s = time.monotonic() + 40
        while len(office.ledger.order.get("2051", [])) < count:
            assert time.monotonic() < end_s, f"{len(office.ledger.order.get('2051', []))} arrived"
            if process is None:
                arguments = [str(tmp_path), str(office.port), str(MIDNIGHT_S), str(count)]
                process = await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "tests.agent.forward_process", *arguments
                )
                started_s = time.monotonic()
                before = len(office.ledger.packets)
            await asyncio.sleep(0.02)
            arrived = len(office.ledger.packets) - before
            if kills < 4 and arrived > 20 and time.monotonic() - started_s > 0.2:
                process.kill()
                await process.wait()
                process, kills = None, kills + 1
        await until(lambda: len(office.ledger.order.get("2061", [])) == count // 60)
        if process is not None:
            process.kill()
            await process.wait()
    assert kills == 4
    assert office.ledger.order["2051"] == minutes(count)
    assert office.ledger.order["2061"] == [stamp(MIDNIGHT_S + 3600 * k) for k in range(count // 60)]
    assert office.ledger.differing == 0
    assert is_right(office.ledger)


async def test_a_wrong_mn_is_refused_and_said_and_waits(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with BatchLog(tmp_path, stream="record") as record, OfficePlatform(mn="F" * 24) as office:
        async with forwarding(tmp_path, record, settings(office.port)) as forwarder:
            await write(record, 0, 2, now=True)
            await until(lambda: forwarder.sender.counts.refused >= 1)
        assert forwarder.sender.unsent == 2
        assert not office.ledger.packets
    assert any("does not accept MN" in message for message in caplog.messages)


async def test_one_refused_packet_does_not_hold_up_the_others(tmp_path: Path) -> None:
    async with (
        BatchLog(tmp_path, stream="record") as record,
        OfficePlatform() as office,
        forwarding(tmp_path, record, settings(office.port)) as forwarder,
    ):
        office.mood.refuse = 2
        await write(record, 0, 1, now=True)
        await until(lambda: forwarder.sender.counts.refused == 1)
        office.mood.refuse = 0
        await write(record, 1, 3, now=True)
        await until(lambda: len(office.ledger.order.get("2051", [])) == 3)
        assert forwarder.sender.unsent == 1
        forwarder.sender._set_aside.clear()  # ten minutes later
        await write(record, 4, 1, now=True)
        await until(lambda: forwarder.sender.unsent == 0)
    assert sorted(office.ledger.order["2051"]) == minutes(5)


async def test_orders_of_the_platform_are_refused(tmp_path: Path) -> None:
    async with (
        BatchLog(tmp_path, stream="record") as record,
        OfficePlatform(mn=MN) as office,
        forwarding(tmp_path, record, settings(office.port)) as forwarder,
    ):
        for cn, cp in (("1012", "SystemTime=20260101000000"), ("3011", "PolId=a21026")):
            (answer,) = await office.ask(cn, cp)
            assert (answer.cn, answer.cp) == ("9011", "QnRtn=2")
        assert forwarder.sender.counts.orders_refused == 2


async def test_encrypted_packets_arrive(tmp_path: Path) -> None:
    key = tmp_path / "office.key"
    key.write_text("0123456789abcdef\n")
    key.chmod(0o600)
    async with (
        BatchLog(tmp_path, stream="record") as record,
        OfficePlatform(key=b"0123456789abcdef") as office,
    ):
        config = settings(office.port, version=2025, key_file=str(key))
        async with forwarding(tmp_path, record, config):
            await write(record, 0, 3, now=True)
            await until(lambda: len(office.ledger.order.get("2051", [])) == 3)
    assert is_right(office.ledger)
