"""Inclusion proofs from tiles: after pruning, after a restart, out of ten years of batches."""

import random
import shutil
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agent.evidence.growth import LogTree, MissingLeavesError
from agent.evidence.keys import KeyRing
from agent.evidence.note import Head, read_head, read_note
from agent.evidence.proof import check_proof, proof_text
from agent.evidence.tiles import TileTree
from agent.evidence.tree import ProofError, hash_named, root_from_inclusion
from agent.historian.commands import historian_app
from tests import servers
from tests.agent.ends import GATEWAY, PLANT, append, broker_at, until
from tests.agent.evidence_ends import edge_end, stored_head, witness_end

SHA256 = hash_named("sha256")
OWNER = f"smelter/{PLANT}/{GATEWAY}"


async def test_a_pruned_batch_is_still_proven(tmp_path: Path, mosquitto: servers.Server) -> None:
    """From the historian's files with the command; the gateway has deleted the segment."""
    broker = broker_at(mosquitto.port)
    async with witness_end(tmp_path / "h", broker), edge_end(tmp_path / "g", broker) as edge:
        await edge.add(300)
        await edge.until_cosigned(300)
        await until(lambda: edge.logs["record"].receipted == 300, "receipts")
        log, record = edge.logs["record"].log_id, edge.logs["record"]
        batches = await record.read_from(1, 1 << 30)
        files = record._files
        assert files is not None
        files.segments[-1].sealed = True
        await append(record, 1)
        await until(lambda: record.receipted == 301, "receipts")
        files.keep_ns = 0
        assert await record.prune() == 1
        assert record.oldest == 301
    source = f"{PLANT}/{GATEWAY}/record/{log}"
    gateway = KeyRing.opened(tmp_path / "g" / "keys", OWNER, "ed25519").entries
    witness = KeyRing.opened(tmp_path / "h" / "keys", "smelter/historian/", "ed25519").entries
    payload = batches[16].payload
    cosigned = tmp_path / "g" / "record" / log / "tree" / "cosigned"
    proof = proof_text(tmp_path / "g" / "record" / log, 17, read_note(cosigned.read_text()))
    assert check_proof(proof, source, payload, gateway, witness, time.time()) == 17
    with pytest.raises(ProofError):
        check_proof(proof, source, batches[17].payload, gateway, witness, time.time())
    config = tmp_path / "historian.toml"
    config.write_text('data_dir = "h"\nmqtt.url = "mqtt://127.0.0.1:1"\n')
    done = CliRunner().invoke(historian_app, ["proof", str(config), source, "17"])
    assert done.exit_code == 0, done.output
    assert check_proof(done.output, source, payload, gateway, witness, time.time()) == 17
    for what, seq, code in ((source, "999", 1), ("demo/gw1/record/ffffffffffffffff", "1", 1)):
        assert (
            CliRunner().invoke(historian_app, ["proof", str(config), what, seq]).exit_code == code
        )
    assert CliRunner().invoke(historian_app, ["proof", str(config), "x", "1"]).exit_code == 2


async def test_a_tree_that_was_lost_is_computed_again(tmp_path: Path) -> None:
    broker = broker_at(servers.free_port())
    async with edge_end(tmp_path, broker) as edge:
        await edge.add(300)
        log = edge.logs["record"].log_id
    place = tmp_path / "record" / log / "tree"
    before = stored_head(place / "checkpoint")
    for harm in ("tile", "torn", "all"):
        if harm == "tile":
            shutil.rmtree(place / "tile" / "0")
        elif harm == "torn":
            (place / "tile" / "1" / "000.p" / "1").write_bytes(bytes(32))
        else:
            shutil.rmtree(place)
        async with edge_end(tmp_path, broker) as edge:
            await edge.add(1)
            assert not edge.told
        after = stored_head(place / "checkpoint")
        assert after.size == before.size + 1
        tree = TileTree.opened(place, SHA256)
        assert tree.root(before.size) == before.root
        before = after


async def test_damaged_batches_keep_their_leaves(tmp_path: Path) -> None:
    """One bit of batch 3 flips; its leaf is in the tiles, or follows from batch 4's `prev`."""
    broker = broker_at(servers.free_port())
    async with edge_end(tmp_path, broker) as edge:
        await append(edge.logs["record"], 3)
        await append(edge.logs["record"], 2)
        log = edge.logs["record"].log_id
        await edge.evidence.sign()
    place = tmp_path / "record" / log
    whole = stored_head(place / "tree" / "checkpoint")
    segment = next(place.glob("*.seg"))
    data = bytearray(segment.read_bytes())
    data[data.find(b"SMB1", data.find(b"SMB1", data.find(b"SMB1") + 1) + 1) + 70] ^= 1
    segment.write_bytes(data)
    shutil.rmtree(place / "tree")
    async with edge_end(tmp_path, broker) as edge:
        await edge.evidence.sign()
        assert edge.logs["record"].lost == ((3, 3),)
    assert stored_head(place / "tree" / "checkpoint").root == whole.root


def test_a_witness_asks_for_what_is_missing(tmp_path: Path) -> None:
    tree = LogTree(tmp_path, "demo/gw1/record/00112233445566ff", own=True)
    tree.open(None)
    with pytest.raises(MissingLeavesError) as error:
        tree._missing(4, None)
    assert (error.value.first, error.value.last) == (1, 4)
    assert not tree.state((2, 4, (bytes(32),)))
    assert not tree.state((1, 4, (bytes(32), bytes(32))))
    assert tree.state((1, 4, (b"x" * 32,)))
    assert tree.size == 4


def test_ten_years_of_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """D8: 3.65 million leaves (1,000 a day); a proof within 100 ms, each with the tree reopened."""
    monkeypatch.setattr("os.fsync", lambda _: None)  # the making is not what is measured
    chance = random.Random(11)
    block = chance.randbytes(32 * 3650)
    tree = TileTree.opened(tmp_path, SHA256)
    for day in range(1000):
        mark = day.to_bytes(4, "big")
        for at in range(0, len(block), 32):
            tree.append(mark + block[at + 4 : at + 32])
    tree.flush()
    assert tree.size == 3_650_000
    root = tree.root()
    took_ms = []
    for _ in range(50):
        seq = chance.randrange(1, 3_650_001)
        begin = time.perf_counter()
        opened = TileTree.opened(tmp_path, SHA256)
        note = Head("o", opened.size, root)
        path = _path(opened, seq)
        took_ms.append((time.perf_counter() - begin) * 1000)
        day, row = divmod(seq - 1, 3650)
        leaf = day.to_bytes(4, "big") + block[row * 32 + 4 : row * 32 + 32]
        assert root_from_inclusion(SHA256, leaf, seq - 1, note.size, path) == root
    size = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
    print(f"proof: median {sorted(took_ms)[25]:.1f} ms, most {max(took_ms):.1f} ms; {size} bytes")
    assert sorted(took_ms)[25] <= 100
    assert size < 3_650_000 * 33


def _path(tree: TileTree, seq: int) -> list[bytes]:
    from agent.evidence.tree import inclusion_path

    return inclusion_path(SHA256, seq - 1, tree.size, tree.node)


def test_read_head_is_what_was_written() -> None:
    head = Head("smelter/demo/gw1/record/00112233445566ff", 3, bytes(32))
    assert read_head(head.text) == head
