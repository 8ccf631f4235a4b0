"""Gateway → broker → originals → receipts: all arrives once, in order, unaltered, or is stated."""

import asyncio
import gc
import json
import shutil
from hashlib import sha256
from pathlib import Path

import aiomqtt
import pytest
import zstandard

from agent.edge.lane import WINDOW
from agent.mqtt import AWAY
from tests import servers
from tests.agent.ends import (
    GATEWAY,
    PLANT,
    RawGateway,
    append,
    broker_at,
    events,
    gateway_end,
    historian_end,
    kept,
    listen,
    running,
    until,
)
from tests.kill_harness import body_of

TOPIC = f"smelter/v1/{PLANT}/{GATEWAY}"


def check_all(folder: Path, stream: str, log: str, count: int, lines: int = 3) -> None:
    batches = kept(folder, stream)[log]
    assert [batch.seq for batch in batches] == list(range(1, count + 1))
    for batch in batches:
        assert batch.payload.partition(b"\n")[2] == body_of(log, batch.seq, lines)


@pytest.mark.parametrize("compression", ["none", "zstd"])
@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
async def test_everything_arrives_once_and_is_receipted(
    tmp_path: Path, mosquitto: servers.Server, compression: str, protocol: str
) -> None:
    broker = broker_at(mosquitto.port, compression=compression, protocol=protocol)
    async with (
        historian_end(tmp_path, broker) as (_, receiver),
        gateway_end(tmp_path / "edge", broker) as (logs, publisher),
    ):
        await append(logs["record"], 30)
        await append(logs["raw"], 60, lines=40)
        await until(
            lambda: (logs["record"].receipted, logs["raw"].receipted) == (30, 60), "receipts"
        )
        check_all(tmp_path, "record", logs["record"].log_id, 30)
        check_all(tmp_path, "raw", logs["raw"].log_id, 60, lines=40)
        assert publisher.counts.again == receiver.counts.known == 0
        assert publisher.counts.foreign == publisher.counts.unreadable == 0


async def test_embedded_broker_carries_a_backlog(tmp_path: Path) -> None:
    from simulators.broker import broker as embedded

    async with embedded() as address:
        port = int(address.rpartition(":")[2])
        broker = broker_at(port)
        async with (
            gateway_end(tmp_path / "edge", broker) as (logs, _),
            historian_end(tmp_path, broker),
        ):
            await append(logs["record"], 100)
            await append(logs["raw"], 50, lines=500)
            await until(
                lambda: (logs["record"].receipted, logs["raw"].receipted) == (100, 50),
                "receipts through the embedded broker",
            )
        check_all(tmp_path, "raw", next(iter(kept(tmp_path, "raw"))), 50, lines=500)


async def test_forged_and_foreign_receipts_move_nothing(
    tmp_path: Path, mosquitto: servers.Server
) -> None:
    async with gateway_end(tmp_path, broker_at(mosquitto.port), timeout_s=30) as (logs, publisher):
        await append(logs["record"], 5)
        await until(lambda: publisher.counts.batches >= 1, "a batch sent")
        log = logs["record"].log_id
        forged: list[object] = [
            {"log": "f" * 16, "stream": "record", "upto": 3},
            {"log": log, "stream": "record", "upto": 6},
            {"log": log, "stream": "record", "upto": 2**70},
            {"log": log, "stream": "raw", "upto": 1},
            {"log": log, "stream": "other", "upto": 1},
            {"log": log, "stream": "record", "resend_from": 99},
            {"log": log, "stream": "record", "upto": -1},
            {"log": log, "stream": "record", "upto": True},
            {"log": log, "stream": "record", "upto": "3"},
            {"log": log, "stream": ["record"], "upto": 3},
            {"log": log, "stream": "record"},
            [],
            7,
            "x" * 5000,
        ]
        said = [json.dumps(each).encode() for each in forged]
        async with aiomqtt.Client("127.0.0.1", mosquitto.port) as client:
            for text in [*said, b"\xff\xfe", b"", b"[" * 3000]:
                await client.publish(f"{TOPIC}/receipt", text, qos=1)
        counts = publisher.counts
        await until(lambda: counts.foreign + counts.unreadable == len(forged) + 3, "all counted")
        assert counts.foreign == 6
        assert counts.receipts == counts.resends == 0
        assert logs["record"].receipted == 0


async def test_a_historian_that_comes_late_gets_everything(
    tmp_path: Path, mosquitto: servers.Server
) -> None:
    """Without it the gateway sends one batch at a time, less and less often; then all."""
    broker = broker_at(mosquitto.port)
    async with gateway_end(tmp_path / "edge", broker, timeout_s=0.2) as (logs, publisher):
        await append(logs["record"], 100)
        await until(lambda: publisher.counts.timeouts >= 3, "three time-outs")
        assert publisher.counts.batches <= WINDOW + 6
        async with historian_end(tmp_path, broker):
            await until(lambda: logs["record"].receipted == 100, "receipts")
        check_all(tmp_path, "record", logs["record"].log_id, 100)


async def test_nothing_is_sent_to_a_historian_that_the_broker_says_is_gone(
    tmp_path: Path, mosquitto: servers.Server
) -> None:
    """Its last will, or its own word, stops the gateway; one batch asks, then it comes back."""
    broker = broker_at(mosquitto.port)
    async with gateway_end(tmp_path / "edge", broker, timeout_s=30) as (logs, publisher):
        async with historian_end(tmp_path, broker):
            await append(logs["record"], 3)
            await until(lambda: logs["record"].receipted == 3, "receipts")
        await until(lambda: not publisher._alive, "the word that it is gone")
        before = publisher.counts.batches
        for _ in range(30):
            await append(logs["record"], 1)
            await asyncio.sleep(0.05)
        assert publisher.counts.batches <= before + 1  # the one that asks
        async with historian_end(tmp_path, broker):
            await until(lambda: logs["record"].receipted == 33, "receipts")
        check_all(tmp_path, "record", logs["record"].log_id, 33)
        assert publisher.counts.again <= 1
    async with (
        gateway_end(tmp_path / "other", broker) as (logs, publisher),
        historian_end(tmp_path, broker),
    ):
        await append(logs["raw"], 3)
        await until(lambda: logs["raw"].receipted == 3, "receipts")
        async with aiomqtt.Client("127.0.0.1", mosquitto.port) as liar:
            await liar.publish(AWAY, b"{}", qos=1)  # it is not gone at all
        await append(logs["raw"], 200)
        await until(lambda: logs["raw"].receipted == 203, "receipts all the same")


async def test_a_broker_that_lies_loses_nothing(tmp_path: Path, mosquitto: servers.Server) -> None:
    """Killed after its PUBACKs, with everything it had acknowledged only in its memory."""
    broker = broker_at(mosquitto.port)
    async with gateway_end(tmp_path / "edge", broker, timeout_s=0.3) as (logs, publisher):
        for round_ in range(1, 4):
            await append(logs["record"], 10)
            before = publisher.counts.batches
            await until(lambda: publisher.counts.batches > before, "PUBACKs")  # noqa: B023 - awaited here
            await asyncio.to_thread(mosquitto.kill)
            await append(logs["raw"], 5)
            await asyncio.to_thread(mosquitto.start)
            await until(lambda: publisher.online, "back online")
            assert logs["record"].receipted == 0, f"round {round_}"
        async with historian_end(tmp_path, broker):
            await until(
                lambda: (logs["record"].receipted, logs["raw"].receipted) == (30, 15), "receipts"
            )
        check_all(tmp_path, "record", logs["record"].log_id, 30)
        check_all(tmp_path, "raw", logs["raw"].log_id, 15)


@pytest.mark.parametrize("hole", [1, 255, 256, 512])
async def test_holes_of_any_size_are_asked_for(
    tmp_path: Path, mosquitto: servers.Server, hole: int
) -> None:
    async with (
        historian_end(tmp_path, broker_at(mosquitto.port)) as (_, receiver),
        RawGateway.connected(mosquitto.port) as gateway,
    ):
        story = gateway.chain(1, hole + 4)
        for payload in [*story[:2], *story[2 + hole :]]:
            await gateway.send(payload)
        await until(lambda: gateway.asked == [3], "asked for batch 3")
        assert gateway.upto == 2
        while gateway.upto < len(story):
            done = min(gateway.upto + WINDOW, len(story))
            for payload in story[gateway.upto : done]:
                await gateway.send(payload)
            await until(lambda: gateway.upto >= done, "receipts")  # noqa: B023 - awaited here
        assert receiver.counts.stored == hole + 4
        assert [b.payload for b in kept(tmp_path, "record")[gateway.log]] == story


async def test_duplicates_are_receipted_again_and_kept_once(
    tmp_path: Path, mosquitto: servers.Server
) -> None:
    async with (
        historian_end(tmp_path, broker_at(mosquitto.port)) as (_, receiver),
        RawGateway.connected(mosquitto.port) as gateway,
    ):
        story = gateway.chain(1, 6)
        for payload in [*story, *story[2:], story[0]]:
            await gateway.send(payload)
        await until(lambda: receiver.counts.known == 5, "duplicates counted")
        await until(lambda: gateway.upto == 6, "receipt")
        assert [b.payload for b in kept(tmp_path, "record")[gateway.log]] == story
        assert gateway.asked == []


async def test_two_stories_under_one_number_are_both_kept(
    tmp_path: Path, mosquitto: servers.Server
) -> None:
    """A gateway forgot 4 to 6 and went on differently; it may even start in the middle."""
    async with (
        historian_end(tmp_path, broker_at(mosquitto.port)) as (originals, receiver),
        RawGateway.connected(mosquitto.port) as gateway,
    ):
        first = gateway.chain(1, 6)
        other = gateway.chain(4, 9, "b", prev=sha256(first[2]).digest())
        for payload in first:
            await gateway.send(payload)
        await until(lambda: gateway.upto == 6, "first story")
        await gateway.send(other[1])  # 5 of the other story; its 4 is not known here
        await until(lambda: gateway.asked == [4], "asked for where the stories part")
        for payload in other:
            await gateway.send(payload)
        await until(lambda: gateway.upto == 9, "second story")
        found = kept(tmp_path, "record")
        assert [b.payload for b in found[gateway.log]] == first
        assert [b.payload for b in found[f"{gateway.log}-c4"]] == other
        assert receiver.counts.conflicts == 1
        assert "kind=conflict" in events(tmp_path)
        assert {source.log for source in originals.logs if source.gateway == GATEWAY} == set(found)
    async with (  # the branch is found again after a restart
        historian_end(tmp_path, broker_at(mosquitto.port)) as (_, receiver),
        RawGateway.connected(mosquitto.port) as gateway,
    ):
        for payload in gateway.chain(10, 12, "b", prev=sha256(other[-1]).digest()):
            await gateway.send(payload)
        await until(lambda: gateway.upto == 12, "goes on in the branch")
        assert receiver.counts.conflicts == 0
        assert len(kept(tmp_path, "record")[f"{gateway.log}-c4"]) == 9


async def test_a_gateway_restored_from_a_backup_loses_nothing(
    tmp_path: Path, mosquitto: servers.Server
) -> None:
    broker = broker_at(mosquitto.port)
    edge = tmp_path / "edge"
    async with historian_end(tmp_path, broker) as (_, receiver):
        async with gateway_end(edge, broker) as (logs, _):
            await append(logs["record"], 10)
            await until(lambda: logs["record"].receipted == 10, "before the backup")
        shutil.copytree(edge, tmp_path / "backup")
        async with gateway_end(edge, broker) as (logs, _):
            await append(logs["record"], 5)
            await until(lambda: logs["record"].receipted == 15, "after the backup")
        shutil.rmtree(edge)
        shutil.copytree(tmp_path / "backup", edge)
        async with gateway_end(edge, broker) as (logs, _):
            await append(logs["record"], 8, lines=5)  # other bytes under numbers 11 to 18
            await until(lambda: logs["record"].receipted == 18, "restored")
            log = logs["record"].log_id
        assert receiver.counts.conflicts == 1
    found = kept(tmp_path, "record")
    assert [batch.seq for batch in found[log]] == list(range(1, 16))
    assert [batch.seq for batch in found[f"{log}-c11"]] == list(range(11, 19))


async def test_a_historian_that_lost_its_disk_is_filled_again(
    tmp_path: Path, mosquitto: servers.Server
) -> None:
    broker = broker_at(mosquitto.port)
    async with gateway_end(tmp_path / "edge", broker) as (logs, publisher):
        async with historian_end(tmp_path, broker):
            await append(logs["record"], 50)
            await until(lambda: logs["record"].receipted == 50, "receipts")
        shutil.rmtree(tmp_path / "originals")
        async with historian_end(tmp_path, broker):
            await append(logs["record"], 1)
            await until(lambda: publisher.counts.resends >= 1, "asked again")
            await until(lambda: logs["record"].receipted == 51, "all receipted again")
        check_all(tmp_path, "record", logs["record"].log_id, 51)


async def test_what_the_gateway_no_longer_has_becomes_a_gap_event(
    tmp_path: Path, mosquitto: servers.Server
) -> None:
    """A new historian meets a gateway that has pruned 1-499 and lost 503-504 to bad sectors."""
    async with (
        historian_end(tmp_path, broker_at(mosquitto.port)) as (_, receiver),
        RawGateway.connected(mosquitto.port) as gateway,
    ):
        await gateway.say_state(500, 506, lost=[[503, 504]])
        story = gateway.chain(500, 506, prev=b"\x07" * 32)
        del story[3:5]
        for payload in story:
            await gateway.send(payload)
        await until(lambda: gateway.upto == 506, "receipt")
        assert (receiver.counts.gaps, receiver.counts.missing) == (2, 501)
        said = events(tmp_path)
        assert "batches 1 to 499 are gone" in said
        assert "batches 503 to 504 are gone" in said
        assert gateway.asked == []


async def test_strangers_are_refused_and_counted(tmp_path: Path, mosquitto: servers.Server) -> None:
    bomb = zstandard.ZstdCompressor().compress(bytes(64 << 20))
    async with (
        historian_end(tmp_path, broker_at(mosquitto.port)) as (originals, receiver),
        RawGateway.connected(mosquitto.port) as gateway,
    ):
        good = gateway.payload(1, bytes(32))
        bad = [
            gateway.payload(1, bytes(32), gateway="gw2"),
            gateway.payload(1, bytes(32), stream="raw"),
            good.replace(b"seq=1i", b"seq=0i"),
            good.replace(b"seq=1i", b"seq=1.0"),
            good.replace(gateway.log.encode(), b"../../../../etc"),
            good.replace(b"batch,", b"botch,"),
            good[5:],
            b"\x28\xb5\x2f\xfd" + good,
            bomb,
            b"\xff" * 100,
            b"x" * 10_000,
        ]
        for payload in bad:
            await gateway.send(payload)
        for topic in ("smelter/v1/demo/historian", "smelter/v1/de mo/gw1", "smelter/v1/../gw1"):
            await gateway.send(good, topic)
        await until(lambda: receiver.counts.refused == len(bad) + 3, "all refused")
        assert gateway.heard == []
        await gateway.send(good)
        await until(lambda: gateway.upto == 1, "the good one after all the bad")
        assert [str(source) for source in originals.logs] == [
            f"{PLANT}/{GATEWAY}/record/{gateway.log}"
        ]


async def test_a_state_that_is_nonsense_costs_no_session(
    tmp_path: Path, mosquitto: servers.Server
) -> None:
    """1e999 is a number in JSON and infinite in Python; retained, it would come back each time."""
    async with (
        historian_end(tmp_path, broker_at(mosquitto.port)) as (_, receiver),
        RawGateway.connected(mosquitto.port) as gateway,
    ):
        log = '{"log":"%s","oldest":%s,"lost":[[%s,2]]}'
        for oldest, lost in (("1e999", "1"), ("1", "-1e999"), ("NaN", "1"), ("[]", "1")):
            text = log % (gateway.log, oldest, lost)
            state = f'{{"online":true,"logs":{{"record":{text}}}}}'
            await gateway.client.publish("smelter/v1/demo/gw1/state", state, qos=1, retain=True)
        await until(lambda: receiver.counts.refused == 4, "all refused")
        await gateway.send(gateway.payload(1, bytes(32)))
        await until(lambda: gateway.upto == 1, "the good one after all the bad")
        assert (receiver.counts.connected, receiver.counts.lost) == (1, 0)


async def test_state_says_who_is_there_and_the_will_who_is_not(
    tmp_path: Path, mosquitto: servers.Server
) -> None:
    seen: list[bytes] = []
    async with running(listen(mosquitto.port, f"{TOPIC}/state", seen)):
        async with gateway_end(tmp_path, broker_at(mosquitto.port)) as (logs, _):
            await until(lambda: bool(seen), "online")
            said = json.loads(seen[0])
            assert said["online"] is True
            assert said["logs"]["raw"] == {"log": logs["raw"].log_id, "oldest": 1, "newest": 0}
        await until(lambda: len(seen) > 1, "offline")
        assert json.loads(seen[1])["online"] is False


async def test_puback_delivery_for_foreign_consumers(
    tmp_path: Path, mosquitto: servers.Server
) -> None:
    got: list[bytes] = []

    broker = broker_at(mosquitto.port, delivery="puback")
    consumer = listen(mosquitto.port, f"{TOPIC}/record", got)
    async with running(consumer), gateway_end(tmp_path, broker) as (logs, _):
        await append(logs["record"], 100)
        await until(lambda: logs["record"].receipted == 100, "PUBACKs")
        await until(lambda: len(got) == 100, "at the consumer")


async def test_record_goes_before_a_raw_backlog(tmp_path: Path, mosquitto: servers.Server) -> None:
    """With a long raw backlog a new record batch is receipted before most of it."""
    broker = broker_at(mosquitto.port)
    async with (
        gateway_end(tmp_path / "edge", broker, timeout_s=5) as (logs, _),
    ):
        await append(logs["raw"], 400, lines=200)
        async with historian_end(tmp_path, broker):
            await until(lambda: logs["raw"].receipted > 0, "backlog begins to drain")
            await append(logs["record"], 1)
            await until(lambda: logs["record"].receipted == 1, "record receipted")
            assert logs["raw"].receipted < 350
            await until(lambda: logs["raw"].receipted == 400, "raw drained", 30)


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


async def test_a_flapping_broker_leaves_no_file_and_no_task_behind(
    tmp_path: Path, mosquitto: servers.Server
) -> None:
    broker = broker_at(mosquitto.port)
    async with (
        gateway_end(tmp_path / "edge", broker, timeout_s=0.3) as (logs, publisher),
        historian_end(tmp_path, broker) as (_, receiver),
    ):
        await append(logs["record"], 3)
        await until(lambda: logs["record"].receipted == 3, "steady")
        files, tasks = open_files(), len(asyncio.all_tasks())
        for number in range(8):
            await asyncio.to_thread(mosquitto.kill)
            await append(logs["record"], 3)
            await asyncio.to_thread(mosquitto.start)
            done = 3 * (number + 2)
            await until(lambda: logs["record"].receipted == done, "after a restart")  # noqa: B023 - awaited here
        assert publisher.counts.connected == receiver.counts.connected == 9
        gc.collect()
        await until(lambda: open_files() <= files, "files closed")
        await until(lambda: len(asyncio.all_tasks()) <= tasks, "tasks ended")
