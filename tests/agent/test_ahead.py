"""What is new does not wait for a backlog, and a connection begins with what the other end has."""

import json
from hashlib import sha256
from pathlib import Path

import pytest

from agent.edge import lane, publish
from reports.trace.originals import read_batch
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
    until,
)


def numbers(folder: Path, stream: str = "record") -> dict[str, list[int]]:
    return {log: [each.seq for each in found] for log, found in kept(folder, stream).items()}


async def test_new_batches_go_before_a_backlog_and_end_behind_it(
    tmp_path: Path, mosquitto: servers.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane, "BEHIND", 20)
    for where in (lane, publish):
        monkeypatch.setattr(where, "WINDOW", 2)  # slow enough to look at
    broker = broker_at(mosquitto.port)
    async with gateway_end(tmp_path / "edge", broker) as (logs, publisher):
        for log in logs.values():
            await append(log, 400)
        async with historian_end(tmp_path, broker):
            await until(lambda: publisher._lanes["raw"].live is not None, "a live run")
            await append(logs["raw"], 5)
            await until(lambda: publisher.has("raw", 405), "the new ones")
            behind = 400 - logs["raw"].receipted
            assert behind > 100, "the backlog came first"
            await until(lambda: logs["raw"].receipted == 405, "all of it", 60)
            await until(lambda: logs["record"].receipted == 400, "all of it", 60)
            await until(lambda: len(numbers(tmp_path, "raw")) == 1, "joined")
            assert publisher._lanes["raw"].live is None
    assert [*numbers(tmp_path, "raw").values()] == [list(range(1, 406))]
    assert not events(tmp_path), "nothing to tell"


async def test_what_came_ahead_is_found_again_and_joined(
    tmp_path: Path, mosquitto: servers.Server
) -> None:
    broker = broker_at(mosquitto.port)
    async with RawGateway.connected(mosquitto.port) as gateway:
        sent = gateway.chain(1, 12)
        async with historian_end(tmp_path, broker):
            await gateway.say_state(1, 12, ahead=10)
            for payload in (*sent[:3], *sent[9:11]):
                await gateway.send(payload)
            await until(lambda: gateway.upto == 11, "the live run")
            ahead = [each for each in gateway.heard if int(str(each.get("upto", 0))) > 3]
            assert {each.get("from") for each in ahead} == {10}
            await gateway.send(sent[11])
            await until(lambda: gateway.upto == 12, "the live run goes on")
        place = tmp_path / "originals" / PLANT / GATEWAY / "record"
        assert numbers(tmp_path) == {
            gateway.log: [1, 2, 3],
            f"{gateway.log}-a10": [10, 11, 12],
        }
        found = read_batch(place / gateway.log, 11)
        assert found.payload == sent[10], "a trace finds it where it lies"
        assert found.log == (GATEWAY, "record", gateway.log)
        gateway.heard.clear()
        async with historian_end(
            tmp_path, broker
        ):  # the retained state: what it has, from where on
            await until(lambda: len(gateway.heard) >= 3, "the answers")
            said = [(x.get("from"), x.get("upto"), x.get("resend_from")) for x in gateway.heard]
            assert said[:3] == [(None, 3, 4), (10, 12, None), (None, None, 13)]
            for payload in sent[3:9]:
                await gateway.send(payload)
            await until(lambda: any(x.get("upto") == 9 for x in gateway.heard), "the backlog")
            await until(lambda: len(numbers(tmp_path)) == 1, "joined without another batch")
            gateway.heard.clear()
            await gateway.send(sent[11])
            await until(lambda: bool(gateway.heard), "known")
            assert gateway.heard[0]["upto"] == 12
            assert "from" not in gateway.heard[0], "now it speaks for all"
    assert numbers(tmp_path) == {gateway.log: [*range(1, 13)]}


async def test_a_second_story_of_what_came_ahead_is_kept_beside_it(
    tmp_path: Path, mosquitto: servers.Server
) -> None:
    """The gateway's disk forgot from batch 3 on, after 5 had come ahead of 3 and 4."""
    broker = broker_at(mosquitto.port)
    async with (
        historian_end(tmp_path, broker),
        RawGateway.connected(mosquitto.port) as gateway,
    ):
        first = gateway.chain(1, 6)
        await gateway.say_state(1, 6, ahead=5)
        for payload in (*first[:2], *first[4:6]):
            await gateway.send(payload)
        await until(lambda: gateway.upto == 6, "the live run")
        prev = sha256(first[1]).digest()
        again = gateway.chain(3, 7, "b", prev)
        await gateway.say_state(1, 7)
        for payload in again:
            await gateway.send(payload)
        await until(lambda: gateway.upto == 7, "the second story")
    held = {
        log: [each.payload for each in found] for log, found in kept(tmp_path, "record").items()
    }
    assert held[gateway.log] == [*first[:2], *again[:2]]
    assert held[f"{gateway.log}-a5"] == first[4:6]
    assert held[f"{gateway.log}-c5"] == again[2:]
    assert "came again with other bytes" in events(tmp_path)


async def test_a_gateway_that_forgot_its_receipts_sends_nothing_again(
    tmp_path: Path, mosquitto: servers.Server
) -> None:
    broker = broker_at(mosquitto.port)
    async with historian_end(tmp_path, broker):
        async with gateway_end(tmp_path / "edge", broker) as (logs, _):
            await append(logs["record"], 30)
            await until(lambda: logs["record"].receipted == 30, "receipts")
        for path in (tmp_path / "edge").glob("*/*/receipt.json"):
            path.unlink()
        async with gateway_end(tmp_path / "edge", broker) as (logs, publisher):
            await until(lambda: logs["record"].receipted == 30, "the historian says it")
            await append(logs["record"], 1)
            await until(lambda: logs["record"].receipted == 31, "it goes on")
            assert publisher.counts.batches == 1


async def test_a_digest_that_is_not_ours_receipts_nothing(
    tmp_path: Path, mosquitto: servers.Server
) -> None:
    """As of a log whose disk forgot: the same number, another batch."""
    broker = broker_at(mosquitto.port)
    async with (
        RawGateway.connected(mosquitto.port) as other,
        gateway_end(tmp_path / "edge", broker, timeout_s=30) as (logs, publisher),
    ):
        await append(logs["record"], 5)
        await until(lambda: publisher.counts.batches >= 1, "one asks")
        log = logs["record"].log_id
        for said in ({"upto": 4}, {"from": 2, "upto": 4}, {"upto": 2**63}):
            text = json.dumps({"log": log, "stream": "record", "digest": "ab" * 32} | said)
            await other.client.publish(f"smelter/v1/{PLANT}/{GATEWAY}/receipt", text, qos=1)
        await until(lambda: publisher.counts.receipts == 3, "heard")
        assert logs["record"].receipted == 0
        assert not publisher.has("record", 4)


async def test_a_piece_that_a_power_cut_left_empty_is_no_story_of_its_own(
    tmp_path: Path, mosquitto: servers.Server
) -> None:
    """Its file was there and knew its number, and no batch in it: what followed went astray."""
    broker = broker_at(mosquitto.port)
    async with RawGateway.connected(mosquitto.port) as gateway:
        sent = gateway.chain(1, 12)
        async with historian_end(tmp_path, broker):
            for payload in sent[:9]:
                await gateway.send(payload)
            await until(lambda: gateway.upto == 9, "the first ones")
        piece = tmp_path / "originals" / PLANT / GATEWAY / "record" / f"{gateway.log}-a10"
        piece.mkdir()
        (piece / f"{10:020d}.seg").touch()
        async with historian_end(tmp_path, broker):
            for payload in sent[9:]:
                await gateway.send(payload)
            await until(lambda: gateway.upto == 12, "all of it")
            await until(lambda: not piece.exists(), "gone")
    assert numbers(tmp_path) == {gateway.log: [*range(1, 13)]}
    assert not events(tmp_path), "nothing to tell"
