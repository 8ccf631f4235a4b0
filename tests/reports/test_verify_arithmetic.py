"""The verifier's own arithmetic against other programs and the examples of docs/evidence.md."""

import hashlib
import json
import random
import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from reports.package import verify as program
from tests.reports import proven

VECTORS = json.loads(
    (Path(__file__).parents[1] / "cases" / "evidence" / "vectors.json").read_text("utf-8")
)


def test_ed25519_agrees_with_another_library() -> None:
    chance = random.Random(1)
    for _ in range(12):
        key = Ed25519PrivateKey.from_private_bytes(chance.randbytes(32))
        public, message = key.public_key().public_bytes_raw(), chance.randbytes(70)
        signature = bytearray(key.sign(message))
        assert program.ed25519(public, message, bytes(signature))
        assert not program.ed25519(public, message + b"x", bytes(signature))
        signature[chance.randrange(64)] ^= 1 << chance.randrange(8)
        assert not program.ed25519(public, message, bytes(signature))


def test_ed25519_refuses_a_second_way_to_write_a_signature() -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    signature = key.sign(b"m")
    order = 2**252 + 27742317777372353535851937790883648493
    larger = (int.from_bytes(signature[32:], "little") + order).to_bytes(32, "little")
    public = key.public_key().public_bytes_raw()
    assert not program.ed25519(public, b"m", signature[:32] + larger)
    assert not program.ed25519(b"\xff" * 32, b"m", signature)
    assert not program.ed25519(public, b"m", b"")


def test_rfc_8032_first_example() -> None:
    public = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    signature = bytes.fromhex(
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bac"
        "c61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    )
    assert program.ed25519(public, b"", signature)


def test_sm3_agrees_with_the_standard_and_openssl() -> None:
    assert program.sm3(b"abc").hex() == (
        "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    )  # GB/T 32905-2016, example 1
    for size in (0, 55, 56, 63, 64, 65, 1000):
        data = random.Random(size).randbytes(size)
        assert program.sm3(data) == hashlib.new("sm3", data).digest()


def test_sm2_agrees_with_openssl(tmp_path: Path) -> None:
    assert shutil.which("openssl"), "install openssl 3"
    ring = proven.ring(tmp_path / "keys", "smelter/reports/demo", "sm2")
    key = program.Key("sm2", ring.entries[-1].key.raw)
    note = program.Note(ring.notes[0])
    signature = note.signatures[0][2]
    assert key.verifies(note.text.encode(), signature)
    assert not key.verifies(note.text.encode() + b"x", signature)
    chance = random.Random(3)
    for _ in range(6):
        changed = bytearray(signature)
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
        assert not key.verifies(note.text.encode(), bytes(changed))


@pytest.mark.parametrize("tree", VECTORS["trees"], ids=lambda tree: tree["hash"])
def test_trees_of_the_page(tree: dict[str, list[dict[str, object]]]) -> None:
    name, log = str(tree["hash"]), VECTORS["log"]
    after = 3 if name == "sm3" else 0
    leaves = []
    for each in VECTORS["trees"][("sha256", "sm3").index(name)]["leaves"]:
        leaves.append(program.leaf_hash(name, after, log, each["seq"], each["payload"].encode()))
        assert leaves[-1].hex() == each["leaf_hash"]
    roots = [program.root_of(name, leaves[:size]).hex() for size in range(len(leaves) + 1)]
    whole = VECTORS["trees"][("sha256", "sm3").index(name)]
    assert roots == whole["roots"]
    for each in whole["inclusion"]:
        path = [bytes.fromhex(part) for part in each["path"]]
        index, size = each["index"], each["size"]
        root = bytes.fromhex(roots[size])
        assert program.root_by_path(name, leaves[index], index, size, path) == root
        assert program.root_by_path(name, leaves[index], index, size, [*path, root]) is None
        assert program.root_by_path(name, leaves[index], index, size, path[:-1]) != root
    for each in whole["consistency"]:
        if 0 < each["old"] < each["new"]:
            path = [bytes.fromhex(part) for part in each["path"]]
            one, two = (bytes.fromhex(roots[each[key]]) for key in ("old", "new"))
            assert program.grew(name, each["old"], one, each["new"], two, path)
            assert not program.grew(name, each["old"], two, each["new"], one, path)


def test_keys_and_checkpoints_of_the_page() -> None:
    history = program.History(VECTORS["keys"]["notes"])
    assert [key.vkey(history.owner) for key in history.keys] == VECTORS["keys"]["vkeys"]
    for tree in VECTORS["trees"]:
        for text in tree["checkpoints"]:
            note = program.Note(text)
            head = program.Head(note)
            assert head.hash == tree["hash"]
            assert head.root.hex() == tree["roots"][head.size]
            assert any(note.signed_by(head.origin, key) for key in history.keys)
    with pytest.raises(program.Broken):
        program.Head(program.Note(VECTORS["keys"]["notes"][0]))


@pytest.mark.parametrize(
    "text", ["", "a\n", "a\n\nb\n", "a\n\n\u2014 x AAAA\n", "a\n\n\u2014 x AAAAAAA\n", "\n\n"]
)
def test_what_is_no_note(text: str) -> None:
    with pytest.raises(program.Broken):
        program.Note(text)
