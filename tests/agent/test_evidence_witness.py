"""Gateway signs, historian computes the root from its own originals and cosigns, or refuses."""

import asyncio
import json
import shutil
from functools import partial
from pathlib import Path

from agent.evidence.keys import KeyRing
from agent.evidence.messages import Message, SaidHead, read_message
from agent.evidence.note import Head, read_head, read_note
from agent.historian.witnessed import WitnessCounts
from tests import servers
from tests.agent.ends import GATEWAY, PLANT, append, broker_at, events, kept, until
from tests.agent.evidence_ends import edge_end, last_said, say, stored_head, witness_end

OWNER = f"smelter/{PLANT}/{GATEWAY}"


def heads_of(folder: Path) -> list[Path]:
    return sorted((folder / "checkpoints").glob(f"{PLANT}/{GATEWAY}/record/*/checkpoint"))


def forks_of(folder: Path) -> list[Path]:
    kept = (folder / "checkpoints").glob(f"{PLANT}/{GATEWAY}/record/*/forks/*/refused")
    return sorted(path.parent for path in kept)


def forked(folder: Path, count: int) -> bool:
    return len(forks_of(folder)) == count


async def test_every_batch_comes_under_a_cosigned_checkpoint(
    tmp_path: Path, mosquitto: servers.Server
) -> None:
    broker = broker_at(mosquitto.port)
    async with (
        witness_end(tmp_path / "h", broker) as witness,
        edge_end(tmp_path / "g", broker) as edge,
    ):
        await edge.add(5)
        await edge.until_cosigned(5)
        await edge.add(300)
        await edge.add(7, "raw")
        await edge.until_cosigned(305)
        await edge.until_cosigned(7, "raw")
        assert witness.counts.forks == witness.counts.unsigned == 0
        log = edge.logs["record"].log_id
    mine = stored_head(tmp_path / "g" / "record" / log / "tree" / "cosigned")
    (theirs,) = heads_of(tmp_path / "h")
    assert mine == stored_head(theirs)
    assert mine.origin == f"{OWNER}/record/{log}"
    assert mine.size == 305
    assert len(list(theirs.parent.glob("days/*"))) in {1, 2}, "2 when midnight passed"
    assert not edge.told
    told = events(tmp_path / "h")
    assert told.count("kind=key_rotation") == 1, "learned on first use"


async def test_a_checkpoint_that_comes_before_its_batches_waits(
    tmp_path: Path, mosquitto: servers.Server
) -> None:
    broker = broker_at(mosquitto.port)
    async with edge_end(tmp_path / "g", broker) as edge:
        await edge.add(3)
        payload = edge.evidence.notary.message()
    assert payload is not None
    async with witness_end(tmp_path / "h", broker) as witness:
        await say(mosquitto.port, "checkpoint", payload)
        await until(lambda: witness.counts.waiting > 0, "waiting")
        assert witness.counts.cosigned == 0
        async with edge_end(tmp_path / "g", broker) as edge:
            await edge.until_cosigned(3)


async def test_an_older_checkpoint_is_refused_and_not_believed(
    tmp_path: Path, mosquitto: servers.Server
) -> None:
    """What a broker with an old retained message, or somebody with a copy, can do."""
    broker = broker_at(mosquitto.port)
    async with (
        witness_end(tmp_path / "h", broker) as witness,
        edge_end(tmp_path / "g", broker) as edge,
    ):
        await edge.add(4)
        await edge.until_cosigned(4)
        old = await last_said(mosquitto.port, "checkpoint")
        await edge.add(4)
        await edge.until_cosigned(8)
        for _ in range(3):
            await say(mosquitto.port, "checkpoint", old)
            await asyncio.sleep(0.4)
        await until(lambda: witness.counts.older >= 1, "refused as older")
        assert witness.counts.forks == 0
        assert stored_head(heads_of(tmp_path / "h")[0]).size == 8
        assert not edge.told, "the witness' answer names the head that we signed last"
        await edge.add(1)
        await edge.until_cosigned(9)
    told = events(tmp_path / "h")
    assert told.count("kind=checkpoint_refused") == 1, "one event, however often it comes"
    assert "is older than the one known, of 8" in told
    assert not forks_of(tmp_path / "h")


async def test_another_root_at_the_same_size_is_a_fork(
    tmp_path: Path, mosquitto: servers.Server
) -> None:
    """Signed with the gateway's own key: only the historian's own batches can tell."""
    broker = broker_at(mosquitto.port)
    async with (
        witness_end(tmp_path / "h", broker) as witness,
        edge_end(tmp_path / "g", broker) as edge,
    ):
        await edge.add(6)
        await edge.until_cosigned(6)
        ring = KeyRing.opened(tmp_path / "g" / "keys", OWNER, "ed25519")
        (path,) = heads_of(tmp_path / "h")
        origin = stored_head(path).origin
        for size in (6, 5):
            lie = ring.signed(Head(origin, size, bytes(32)))
            message = Message(tuple(ring.notes), (SaidHead(lie, origin),)).payload()
            await say(mosquitto.port, "checkpoint", message)
            await until(partial(forked, tmp_path / "h", 7 - size), "kept")
        assert stored_head(path).size == 6
        assert witness.counts.cosigned == 1
        for fork in forks_of(tmp_path / "h"):
            lies = stored_head(fork / "refused")
            assert lies.root == bytes(32)
            own = read_head((fork / "own").read_text())
            assert own.size == lies.size
            assert own.root != lies.root
            assert stored_head(fork / "known").size == 6
            assert json.loads((fork / "keys.json").read_text()) == ring.notes
        await edge.add(2)
        await edge.until_cosigned(8)
    assert events(tmp_path / "h").count("kind=fork") == 1


async def test_growth_that_is_not_of_our_batches_is_a_fork(
    tmp_path: Path, mosquitto: servers.Server
) -> None:
    """One batch was changed in the historian's originals: it cosigns nothing it cannot compute."""
    broker = broker_at(mosquitto.port)
    async with edge_end(tmp_path / "g", broker) as edge, witness_end(tmp_path / "h", broker):
        await append(edge.logs["record"], 9)
        await until(lambda: edge.logs["record"].receipted == 9, "receipts")
        log = edge.logs["record"].log_id
    other = tmp_path / "other"
    async with edge_end(other, broker_at(servers.free_port())) as forger:
        await append(forger.logs["record"], 9)
        liar = forger.logs["record"].log_id
    theirs = tmp_path / "h" / "originals" / PLANT / GATEWAY / "record" / log
    shutil.copy(next((other / "record" / liar).glob("*.seg")), next(theirs.glob("*.seg")))
    async with edge_end(tmp_path / "g", broker) as edge, witness_end(tmp_path / "h", broker) as w:
        await edge.evidence.sign()
        await until(lambda: w.counts.forks == 1, "refused")
        assert edge.cosigned() == 0
    assert not heads_of(tmp_path / "h")


async def test_a_gateway_restored_from_a_backup_is_refused_and_begins_a_new_log(
    tmp_path: Path, mosquitto: servers.Server
) -> None:
    broker = broker_at(mosquitto.port)
    async with witness_end(tmp_path / "h", broker) as witness:
        async with edge_end(tmp_path / "g", broker) as edge:
            await edge.add(5)
            await edge.until_cosigned(5)
            log = edge.logs["record"].log_id
        shutil.copytree(tmp_path / "g", tmp_path / "backup")
        async with edge_end(tmp_path / "g", broker) as edge:
            await edge.add(5)
            await edge.until_cosigned(10)
        shutil.rmtree(tmp_path / "g")
        shutil.copytree(tmp_path / "backup", tmp_path / "g")
        async with edge_end(tmp_path / "g", broker) as edge:
            await until(lambda: "fork" in edge.kinds(), "the gateway learns that it went back")
            assert "holds a head of 10 that we signed and no longer have" in edge.told[0][1]
            assert edge.evidence.notary.trouble == "" or "no longer" in edge.evidence.notary.trouble
            await append(edge.logs["record"], 8, lines=2)
            await edge.evidence.sign()
            assert "no longer have" in edge.evidence.notary.trouble
            await until(lambda: edge.logs["record"].receipted == 13, "all of it is kept")
            assert edge.cosigned() <= 5
        async with edge_end(tmp_path / "g", broker) as edge:
            fresh = edge.logs["record"].log_id
            assert fresh != log
            await edge.add(2)
            await edge.until_cosigned(2)
        assert witness.counts.forks == 0
        (head, _) = sorted(stored_head(path).size for path in heads_of(tmp_path / "h"))[::-1]
        assert head == 10
    assert "came again with other bytes; both are kept" in events(tmp_path / "h")


async def test_a_gateway_whose_disk_forgot_signs_no_more(tmp_path: Path) -> None:
    """The tree's checkpoint was kept, the batches it covers were not: found at the next start."""
    broker = broker_at(servers.free_port())
    async with edge_end(tmp_path, broker) as edge:
        await edge.add(5)
        place = tmp_path / "record" / edge.logs["record"].log_id
        segment = next(place.glob("*.seg")).read_bytes()
        await edge.add(4)
    next(place.glob("*.seg")).write_bytes(segment)
    async with edge_end(tmp_path, broker) as edge:
        await asyncio.sleep(0)
        assert edge.kinds() == ["fork"]
        assert "signed up to 9, but batches end at 5" in edge.told[0][1]
        await edge.add(9)
        assert stored_head(place / "tree" / "checkpoint").size == 9


async def test_a_historian_restored_from_a_backup_catches_up(
    tmp_path: Path, mosquitto: servers.Server
) -> None:
    broker = broker_at(mosquitto.port)
    async with edge_end(tmp_path / "g", broker) as edge:
        async with witness_end(tmp_path / "h", broker):
            await edge.add(5)
            await edge.until_cosigned(5)
        shutil.copytree(tmp_path / "h", tmp_path / "backup")
        async with witness_end(tmp_path / "h", broker):
            await edge.add(5)
            await edge.until_cosigned(10)
        shutil.rmtree(tmp_path / "h")
        shutil.copytree(tmp_path / "backup", tmp_path / "h")
        async with witness_end(tmp_path / "h", broker) as witness:
            await edge.add(1)
            await edge.until_cosigned(11)
            assert witness.counts.forks == 0
    assert "kind=fork" not in events(tmp_path / "h")
    [sent] = kept(tmp_path / "h", "record").values()  # receipted once, and there again
    assert [batch.seq for batch in sent] == [*range(1, 12)]


async def test_what_the_gateway_no_longer_has_is_stated_and_said_so(
    tmp_path: Path, mosquitto: servers.Server
) -> None:
    """The historian lost its disk, the gateway has pruned: hashes only, from its tiles."""
    broker = broker_at(mosquitto.port)
    async with edge_end(tmp_path / "g", broker) as edge:
        async with witness_end(tmp_path / "h", broker):
            await edge.add(700)
            await edge.until_cosigned(700)
        files = edge.logs["record"]._files
        assert files is not None
        files.segments[-1].sealed = True  # what follows goes to a new segment
        await edge.add(3)
        async with witness_end(tmp_path / "h", broker):
            await edge.until_cosigned(703)
        files.keep_ns = 0
        assert await edge.logs["record"].prune() == 1
        assert edge.logs["record"].oldest == 701
        shutil.rmtree(tmp_path / "h" / "originals")
        shutil.rmtree(tmp_path / "h" / "checkpoints")
        async with witness_end(tmp_path / "h", broker) as witness:
            await edge.add(2)
            await until(lambda: witness.counts.cosigned >= 1, "cosigned again")
            await edge.until_cosigned(705)
    told = events(tmp_path / "h")
    assert "batches 1 to 699 were never seen here; their hashes are its word" in told
    assert stored_head(heads_of(tmp_path / "h")[0]).size == 705


async def test_a_rotated_key_is_believed_and_recorded(
    tmp_path: Path, mosquitto: servers.Server
) -> None:
    broker = broker_at(mosquitto.port)
    async with (
        witness_end(tmp_path / "h", broker) as witness,
        edge_end(tmp_path / "g", broker) as edge,
    ):
        await edge.add(4)
        await edge.until_cosigned(4)
        ring = KeyRing.opened(tmp_path / "g" / "keys", OWNER, "ed25519")
        fresh = ring.rotated("ed25519")
        await edge.add(3)
        await edge.until_cosigned(7)
        assert witness.counts.keys_refused == 0
        ((kind, text),) = edge.told
        assert kind == "key_rotation"
        assert text.startswith(f"{ring.entries[-1].vkey} to {fresh.entries[-1].vkey}")
        assert read_note(fresh.notes[1]).signatures[0].line.strip() in text
    assert "is vouched for by the key before" in events(tmp_path / "h")
    async with edge_end(tmp_path / "g", broker) as edge:
        await asyncio.sleep(0)
        assert not edge.told, "told once"


async def test_a_key_that_nobody_vouches_for_is_refused_until_a_person_accepts_it(
    tmp_path: Path, mosquitto: servers.Server
) -> None:
    broker = broker_at(mosquitto.port)
    async with witness_end(tmp_path / "h", broker) as witness:
        async with edge_end(tmp_path / "g", broker) as edge:
            await edge.add(4)
            await edge.until_cosigned(4)
        shutil.rmtree(tmp_path / "g" / "keys")
        async with edge_end(tmp_path / "g", broker) as edge:
            await edge.add(3)
            await until(lambda: witness.counts.keys_refused >= 1, "refused")
            assert stored_head(heads_of(tmp_path / "h")[0]).size == 4
            vkey = KeyRing.opened(tmp_path / "g" / "keys", OWNER, "ed25519").entries[-1].vkey
            pins = tmp_path / "h" / "checkpoints" / PLANT / GATEWAY
            (pins / "accept.txt").write_text(vkey + "\n")
            await edge.add(1)
            await until(lambda: stored_head(heads_of(tmp_path / "h")[0]).size == 8, "accepted")
            assert len(list(pins.glob("keys-before-*.json"))) == 1
    told = events(tmp_path / "h")
    assert "is not vouched for by the pinned key" in told
    assert "is accepted by a person" in told


NONSENSE = [
    b"{}",
    b"[]",
    b"\xff",
    b'{"form":1,"keys":[],"heads":[]}',
    b'{"form":1,"keys":["x"],"heads":[{"origin":"a","note":"b"}]}',
    b'{"form":1,"keys":[],"heads":[{"origin":"a","note":null,"spans":[[1,2,["x"]]]}]}',
    b"[" * 5000,
    b'{"form":1,"keys":' + b"[" * 2000,
    b"x" * (1 << 20),
]


def refused(counts: WitnessCounts, count: int) -> bool:
    return counts.unreadable + counts.keys_refused >= count


async def test_nonsense_on_both_topics_moves_nothing(
    tmp_path: Path, mosquitto: servers.Server
) -> None:
    broker = broker_at(mosquitto.port)
    async with (
        witness_end(tmp_path / "h", broker) as witness,
        edge_end(tmp_path / "g", broker) as edge,
    ):
        for count, payload in enumerate(NONSENSE, start=1):
            await say(mosquitto.port, "checkpoint", payload)
            await say(mosquitto.port, "cosignature", payload)
            await until(partial(refused, witness.counts, count), "read and refused")
        await edge.add(2)
        await edge.until_cosigned(2)
        assert witness.counts.failures == 0
        assert edge.evidence.notary.counts.unreadable >= len(NONSENSE) - 1


async def test_a_receipt_for_numbers_never_sent_is_an_event(
    tmp_path: Path, mosquitto: servers.Server
) -> None:
    broker = broker_at(mosquitto.port)
    async with edge_end(tmp_path, broker) as edge:
        await append(edge.logs["record"], 3)
        await until(lambda: edge.publisher.counts.batches >= 1, "one asks")
        log = edge.logs["record"].log_id
        for _ in range(50):
            await say(mosquitto.port, "receipt", {"log": log, "stream": "record", "upto": 99})
        await until(lambda: edge.publisher.counts.foreign == 50, "all counted")
        ((kind, text),) = edge.told
        assert kind == "receipt_refused"
        assert "record receipted to 99, but only 1 were sent" in text
        assert edge.logs["record"].receipted == 0


async def test_a_receipt_for_what_waits_unsent_is_not_believed(
    tmp_path: Path, mosquitto: servers.Server
) -> None:
    """Batches 2 and on are in the log but never left: nobody answered the first."""
    broker = broker_at(mosquitto.port)
    async with edge_end(tmp_path, broker) as edge:
        await append(edge.logs["record"], 30)
        await until(lambda: edge.publisher.counts.batches >= 1, "one asks")
        log = edge.logs["record"].log_id
        await say(mosquitto.port, "receipt", {"log": log, "stream": "record", "upto": 25})
        await until(lambda: edge.publisher.counts.foreign == 1, "counted")
        assert edge.logs["record"].receipted == 0


async def test_sm3_and_sm2_in_mid_log(tmp_path: Path, mosquitto: servers.Server) -> None:
    """D9: the log goes on with an SM3 tree and an SM2 key; the SHA-256 tree keeps its proofs."""
    broker = broker_at(mosquitto.port)
    async with witness_end(tmp_path / "h", broker, "sm2") as witness:
        async with edge_end(tmp_path / "g", broker) as edge:
            await edge.add(300)
            await edge.until_cosigned(300)
        ring = KeyRing.opened(tmp_path / "g" / "keys", OWNER, "ed25519")
        assert ring.rotated("sm2").entries[-1].key.algorithm == "sm2"
        async with edge_end(tmp_path / "g", broker, hash="sm3", signature="sm2") as edge:
            await edge.add(5)
            await edge.until_cosigned(305)
            assert witness.counts.forks == 0
            log = edge.logs["record"].log_id
        async with edge_end(tmp_path / "g", broker) as edge:  # the config forgot it
            await edge.add(1)
            await edge.until_cosigned(306)
    head = stored_head(tmp_path / "g" / "record" / log / "tree-sm3" / "cosigned")
    assert (head.hash_name, head.after, head.size) == ("sm3", 300, 306)
    assert head.origin == f"{OWNER}/record/{log}/sm3"
    old = stored_head(tmp_path / "g" / "record" / log / "tree" / "cosigned")
    assert (old.hash_name, old.size) == ("sha256", 300)
    assert read_message(await last_said(mosquitto.port, "cosignature")).heads


async def test_a_historian_that_lost_its_keys_is_believed_again_by_a_person(
    tmp_path: Path, mosquitto: servers.Server
) -> None:
    broker = broker_at(mosquitto.port)
    async with edge_end(tmp_path / "g", broker) as edge:
        async with witness_end(tmp_path / "h", broker):
            await edge.add(2)
            await edge.until_cosigned(2)
        shutil.rmtree(tmp_path / "h" / "keys")
        async with witness_end(tmp_path / "h", broker) as witness:
            await edge.add(2)
            await until(lambda: "checkpoint_refused" in edge.kinds(), "not believed")
            assert "smelter agent keys accept-witness" in edge.told[0][1]
            assert edge.cosigned() == 2
            pins = tmp_path / "g" / "keys" / "witness"
            (pins / "accept.txt").write_text(witness.vkey + "\n")
            await edge.add(1)
            await edge.until_cosigned(5)
            assert (pins / "accept.txt").read_text() == "", "used up"


async def test_a_log_that_was_pruned_before_trees_were_kept_gives_way_to_a_new_one(
    tmp_path: Path, mosquitto: servers.Server
) -> None:
    """An installation of before: what its first leaves were nobody can say."""
    broker = broker_at(mosquitto.port)
    async with witness_end(tmp_path / "h", broker) as witness:
        async with edge_end(tmp_path / "g", broker) as edge:
            record = edge.logs["record"]
            await append(record, 5)
            await until(lambda: record.receipted == 5, "receipts")
            files = record._files
            assert files is not None
            files.segments[-1].sealed = True
            await append(record, 1)
            await until(lambda: record.receipted == 6, "receipts")
            files.keep_ns = 0
            record.hold(None)  # there was no tree to wait for
            assert await record.prune() == 1
            log = record.log_id
        shutil.rmtree(tmp_path / "g" / "record" / log / "tree", ignore_errors=True)
        async with edge_end(tmp_path / "g", broker) as edge:
            await until(lambda: "evidence_stopped" in edge.kinds(), "said")
            assert "batches to 5 were pruned without a tree" in edge.told[0][1]
        async with edge_end(tmp_path / "g", broker) as edge:
            assert edge.logs["record"].log_id != log
            await edge.add(2)
            await edge.until_cosigned(2)
        assert witness.counts.forks == 0
