"""The tree, its tiles and its texts: against RFC 6962 written naively, and stored examples."""

import json
import random
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.evidence.keys import KeyEntry, KeyHistoryError, read_history, signed_by
from agent.evidence.note import (
    COSIGNS,
    Head,
    Note,
    NoteError,
    PublicKey,
    b64,
    key_of,
    read_head,
    read_note,
)
from agent.evidence.proof import check_proof, cosigned
from agent.evidence.tiles import TileTree, TornTreeError, UnknownLeafError, tile_path
from agent.evidence.tree import (
    ProofError,
    UnavailableError,
    check_consistency,
    consistency_path,
    hash_named,
    inclusion_path,
    leaf_bytes,
    root_from_inclusion,
    whole_subtrees,
)

SHA256 = hash_named("sha256")
VECTORS = json.loads(
    (Path(__file__).parent.parent / "cases" / "evidence" / "vectors.json").read_text("utf-8")
)


def naive_root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962 2.1, word for word, over leaf hashes."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\1" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


def some_leaves(count: int, seed: int = 7) -> list[bytes]:
    chance = random.Random(seed)
    return [chance.randbytes(32) for _ in range(count)]


def tree_of(folder: Path, leaves: list[bytes]) -> TileTree:
    tree = TileTree.opened(folder, SHA256)
    for leaf in leaves:
        tree.append(leaf)
    tree.flush()
    return tree


def test_known_answers_of_rfc_6962() -> None:
    """Leaves "" , 00, 10 of the test vectors of certificate-transparency: roots as published."""
    leaves = [SHA256.leaf(bytes.fromhex(each)) for each in ("", "00", "10")]
    expected = (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    )
    for count, root in enumerate(expected, start=1):
        assert naive_root(leaves[:count]).hex() == root
    assert SHA256.empty.hex() == sha256(b"").hexdigest()


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 700), st.data())
def test_proofs_prove_and_nothing_else_does(
    tmp_path_factory: pytest.TempPathFactory, size: int, data: st.DataObject
) -> None:
    leaves = some_leaves(size)
    tree = TileTree(Path("/nowhere"), SHA256)
    for leaf in leaves:
        tree.append(leaf)
    assert tree.root() == naive_root(leaves)
    index = data.draw(st.integers(0, size - 1))
    path = inclusion_path(SHA256, index, size, tree.node)
    assert root_from_inclusion(SHA256, leaves[index], index, size, path) == tree.root()
    old = data.draw(st.integers(0, size))
    grown = consistency_path(SHA256, old, size, tree.node)
    check_consistency(SHA256, old, tree.root(old), size, tree.root(), grown)
    for wrong in (path[:-1], [*path, bytes(32)]):
        if wrong != path:
            with pytest.raises(ProofError):
                root_from_inclusion(SHA256, leaves[index], index, size, wrong)
    other = root_from_inclusion(SHA256, bytes(32), index, size, path)
    assert other != tree.root()
    if 0 < old < size:
        for root, new in ((bytes(32), tree.root()), (tree.root(old), bytes(32))):
            with pytest.raises(ProofError):
                check_consistency(SHA256, old, root, size, new, grown)
        for broken in (grown[:-1], [*grown, bytes(32)], [bytes(32), *grown[1:]]):
            with pytest.raises(ProofError):
                check_consistency(SHA256, old, tree.root(old), size, tree.root(), broken)
    with pytest.raises(ProofError):
        check_consistency(SHA256, size + 1, tree.root(), size, tree.root(), [])
    with pytest.raises(ValueError, match="is not in a tree"):
        inclusion_path(SHA256, size, size, tree.node)


def test_tile_paths_are_those_of_the_specification() -> None:
    assert tile_path(0, 1234067) == "tile/0/x001/x234/067"
    assert tile_path(2, 0, 1) == "tile/2/000.p/1"


def test_a_tree_of_70000_has_the_tiles_the_specification_counts(tmp_path: Path) -> None:
    """C2SP: 273 full level-0 tiles and one of 112; one full level-1 tile and 17; level 2: 1."""
    leaves = some_leaves(70_000)
    tree = tree_of(tmp_path, leaves)
    files = {
        str(p.relative_to(tmp_path)): p.stat().st_size for p in tmp_path.rglob("*") if p.is_file()
    }
    full = [name for name in files if name.startswith("tile/0/") and ".p" not in name]
    assert len(full) == 273
    assert all(files[name] == 8192 for name in full)
    assert files["tile/0/273.p/112"] == 112 * 32
    assert files["tile/1/000"] == 8192
    assert files["tile/1/001.p/17"] == 17 * 32
    assert files["tile/2/000.p/1"] == 32
    assert files["size"] == len("70000")
    assert len(files) == 273 + 5
    assert TileTree.opened(tmp_path, SHA256).root() == tree.root() == naive_root(leaves)


def test_growth_in_steps_over_restarts_and_back(tmp_path: Path) -> None:
    leaves = some_leaves(1000)
    for upto in (1, 2, 255, 256, 257, 511, 512, 700, 1000):
        tree = TileTree.opened(tmp_path, SHA256)
        for leaf in leaves[tree.size : upto]:
            tree.append(leaf)
        tree.flush()
        assert TileTree.opened(tmp_path, SHA256).root() == naive_root(leaves[:upto])
    again = TileTree.opened(tmp_path, SHA256, 700)
    assert again.root() == naive_root(leaves[:700])
    others = leaves[:700] + some_leaves(400, seed=9)
    for leaf in others[700:]:
        again.append(leaf)
    again.flush()
    assert TileTree.opened(tmp_path, SHA256).root() == naive_root(others)


def test_torn_tiles_are_noticed(tmp_path: Path) -> None:
    tree_of(tmp_path, some_leaves(300))
    partial = tmp_path / "tile" / "0" / "001.p" / "44"
    partial.write_bytes(partial.read_bytes()[:-1])
    with pytest.raises(TornTreeError):
        TileTree.opened(tmp_path, SHA256)
    (tmp_path / "size").write_text("many")
    with pytest.raises(TornTreeError):
        TileTree.opened(tmp_path, SHA256)
    with pytest.raises(TornTreeError):
        TileTree.opened(tmp_path / "none", SHA256, 5)


@pytest.mark.parametrize(("low", "high"), [(0, 300), (5, 9), (100, 1400), (256, 512), (3, 1027)])
def test_leaves_that_are_only_stated(tmp_path: Path, low: int, high: int) -> None:
    leaves = some_leaves(1500)
    whole = tree_of(tmp_path / "whole", leaves)
    part = TileTree.opened(tmp_path / "part", SHA256)
    for leaf in leaves[:low]:
        part.append(leaf)
    for level, index in whole_subtrees(low, high):
        part.append_subtree(level, whole.node(level, index))
    for leaf in leaves[high:]:
        part.append(leaf)
    part.flush()
    part = TileTree.opened(tmp_path / "part", SHA256)
    assert part.root() == whole.root()
    assert part.root(high) == whole.root(high)
    assert part.root(low) == whole.root(low)
    path = inclusion_path(SHA256, 1499, 1500, part.node)
    assert root_from_inclusion(SHA256, leaves[1499], 1499, 1500, path) == whole.root()
    with pytest.raises(UnknownLeafError):
        inclusion_path(SHA256, low + 1, 1500, part.node)


# texts


@pytest.mark.parametrize("tree", VECTORS["trees"], ids=["sha256", "sm3"])
def test_the_examples_for_other_verifiers_hold(tree: dict[str, object]) -> None:
    algorithm = hash_named(str(tree["hash"]))
    rows: list[dict[str, str]] = tree["leaves"]  # type: ignore[assignment]
    hashes = []
    for row in rows:
        data = leaf_bytes(
            VECTORS["log"], int(row["seq"]), row["digest_name"], bytes.fromhex(row["digest"])
        )
        assert data.decode() == row["leaf"]
        if row["digest_name"] == algorithm.name:
            assert algorithm.of(row["payload"].encode()).hex() == row["digest"]
        hashes.append(algorithm.leaf(data))
        assert hashes[-1].hex() == row["leaf_hash"]
    built = TileTree(Path("/nowhere"), algorithm)
    for each in hashes:
        built.append(each)
    assert [built.root(size).hex() for size in range(8)] == tree["roots"]
    gateway = read_history(VECTORS["keys"]["notes"][:1])
    witness_name, _, witness_key = key_of(VECTORS["keys"]["witness_vkey"])
    witness = [KeyEntry(witness_name, 1, witness_key, "", "-", "")]
    for whole in tree["checkpoints"]:  # type: ignore[attr-defined]
        note = read_note(whole)
        head = read_head(note.text)
        assert built.root(head.size) == head.root
        assert head.text == note.text
        assert signed_by(note, head.origin, gateway[0].key)
        assert cosigned(note, witness, 1790000000)
        assert not cosigned(note, witness, 1789999999), "not before it was signed"
    proof = str(tree["proof_of_seq_5"])
    payload = rows[4]["payload"].encode()
    assert check_proof(proof, VECTORS["log"], payload, gateway, witness, 2e9) == 5
    with pytest.raises(ProofError, match="batch 5 with this payload does not lead"):
        check_proof(proof, VECTORS["log"], payload + b" ", gateway, witness, 2e9)
    with pytest.raises(ProofError, match="no signature of a key of the gateway"):
        check_proof(proof, VECTORS["log"], payload, read_history_2(), witness, 2e9)
    with pytest.raises(ProofError, match="no cosignature"):
        check_proof(proof, VECTORS["log"], payload, gateway, [], 2e9)
    with pytest.raises(ProofError, match="the proof is of"):
        check_proof(proof, "demo/gw2/record/00112233445566ff", payload, gateway, witness, 2e9)


def read_history_2() -> tuple[KeyEntry, ...]:
    """Only the second key."""
    return read_history(VECTORS["keys"]["notes"])[1:]


def test_an_old_batch_is_proven_through_the_change_of_hash() -> None:
    """D9: batch 2 has the leaf of the SHA-256 tree, wrapped; its payload is all one needs."""
    tree = VECTORS["trees"][1]
    built = TileTree(Path("/nowhere"), hash_named("sm3"))
    for row in tree["leaves"]:
        built.append(bytes.fromhex(row["leaf_hash"]))
    gateway = read_history(VECTORS["keys"]["notes"][:1])
    name, _, key = key_of(VECTORS["keys"]["witness_vkey"])
    path = inclusion_path(hash_named("sm3"), 1, 7, built.node)
    lines = "".join(f"{b64(each)}\n" for each in path)
    proof = f"c2sp.org/tlog-proof@v1\nindex 1\n{lines}\n{tree['checkpoints'][1]}"
    payload = VECTORS["trees"][0]["leaves"][1]["payload"].encode()
    witness = [KeyEntry(name, 1, key, "", "-", "")]
    assert check_proof(proof, VECTORS["log"], payload, gateway, witness, 2e9) == 2


def test_keys_vouch_for_the_next() -> None:
    notes = VECTORS["keys"]["notes"]
    history = read_history(notes)
    assert [entry.vkey for entry in history] == VECTORS["keys"]["vkeys"]
    for wrong in (
        [],
        notes[1:],
        [notes[0], notes[0]],
        notes[::-1],
        [notes[0], notes[1].replace("2026-10-21", "2026-10-22")],
        [notes[0], "\n".join(notes[1].split("\n")[:9]) + "\n"],  # only the old key signed
        ["x"],
        [notes[0] * 400],
    ):
        with pytest.raises(KeyHistoryError):
            read_history(wrong)


def test_the_example_of_the_signed_note_specification() -> None:
    """C2SP signed-note: its vkey verifies its note."""
    name, purpose, key = key_of(
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
    )
    assert (name, purpose) == ("example.com/foo", "signs")
    note = read_note(
        "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXpp"
        "zi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
    )
    assert signed_by(note, name, key)
    assert not signed_by(Note("This is another.\n", note.signatures), name, key)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a\n",
        "a\n\n",
        "a\n\nx\n",
        "a\n\n— n\n",
        "a\n\n— n AAAA\n",
        "a\n\n— n AAAAAAA\n",
        "a\n\n— a+b AAAAAAAA\n",
        "a\n\n— n AAAAAAAA",
        "a\x01\n\n— n AAAAAAAA\n",
        "a\n\n" + "— n AAAAAAAA\n" * 33,
        "a" * 20000 + "\n\n— n AAAAAAAA\n",
    ],
)
def test_what_is_no_note(text: str) -> None:
    with pytest.raises(NoteError):
        read_note(text)


ROOT = b64(bytes(32))


@pytest.mark.parametrize(
    "text",
    [
        f"o\n1\n{ROOT}",
        f"o\n01\n{ROOT}\n",
        f"o\n-1\n{ROOT}\n",
        f"o\n1\n{ROOT[:-4]}\n",
        f"\n1\n{ROOT}\n",
        f"o\n1\n{ROOT}\nmore\n",
        f"o\n1\n{ROOT}\nhash sm3 after 01\n",
        f"o\n1\n{ROOT}\nhash md5 after 1\n",
        f"o\n1\n{ROOT}\nhash sm3 after 1\nmore\n",
        f"o o\n1\n{ROOT}\n",
    ],
)
def test_what_is_no_checkpoint(text: str) -> None:
    with pytest.raises(NoteError):
        read_head(text)
    assert read_head(f"o\n1\n{ROOT}\nhash sm3 after 7\n") == Head("o", 1, bytes(32), "sm3", 7)


def test_what_is_no_verifier_key() -> None:
    good = PublicKey("ed25519", bytes(32)).vkey("n")
    assert key_of(good)[0] == "n"
    assert key_of(PublicKey("sm2", bytes(65)).vkey("n", COSIGNS))[1] == COSIGNS
    for wrong in ("", "n", "n+aa", good[:-4], good.replace("n+", "m+"), good[:-2] + "BB"):
        with pytest.raises(NoteError):
            key_of(wrong)
    with pytest.raises(UnavailableError):
        hash_named("md5")
