"""Inclusion proofs as text (C2SP tlog-proof): made from tiles, checked against a payload."""

from collections.abc import Sequence
from pathlib import Path

from agent.evidence.growth import origin_of, tree_folder
from agent.evidence.keys import KeyEntry, signed_by
from agent.evidence.note import (
    COSIGNS,
    Note,
    NoteError,
    b64,
    cosigned_at,
    cosigned_message,
    read_head,
    read_note,
    unb64,
)
from agent.evidence.signing import verifies
from agent.evidence.tiles import TileTree
from agent.evidence.tree import (
    ProofError,
    hash_named,
    inclusion_path,
    leaf_bytes,
    root_from_inclusion,
)

_FORM = "c2sp.org/tlog-proof@v1"
_MOST_LINES = 128


def cosigned(note: Note, witness: Sequence[KeyEntry], latest_s: float) -> bool:
    """Whether a key of the witness has cosigned, by ``latest_s`` (s since 1970)."""
    for entry in witness:
        for line in note.by(entry.owner, entry.key.key_id(entry.owner, COSIGNS)):
            at_s, data = cosigned_at(line)
            if at_s <= latest_s and verifies(entry.key, cosigned_message(note.text, at_s), data):
                return True
    return False


def proof_text(log_folder: Path, seq: int, checkpoint: Note) -> str:
    """
    The proof that batch ``seq`` is under this checkpoint; its segment need not be there any more.

    Raises ValueError (no such leaf), TornTreeError, UnknownLeafError.
    """
    head = read_head(checkpoint.text)
    algorithm = hash_named(head.hash_name)
    tree = TileTree.opened(tree_folder(log_folder, head.hash_name), algorithm)
    if tree.size < head.size:
        raise ValueError(f"the tiles hold {tree.size} leaves, the checkpoint {head.size}")
    path = inclusion_path(algorithm, seq - 1, head.size, tree.node)
    lines = "".join(f"{b64(part)}\n" for part in path)
    return f"{_FORM}\nindex {seq - 1}\n{lines}\n{checkpoint.whole}"


def leaf_hash(source: str, seq: int, payload: bytes, hash_name: str, after: int) -> bytes:
    """Hash of the leaf that a batch's plain payload gives in a tree."""
    algorithm = hash_named(hash_name)
    if hash_name != "sha256" and seq <= after:
        old = leaf_hash(source, seq, payload, "sha256", 0)
        return algorithm.leaf(leaf_bytes(source, seq, "leaf-sha256", old))
    return algorithm.leaf(leaf_bytes(source, seq, hash_name, algorithm.of(payload)))


def check_proof(
    proof: str,
    source: str,
    payload: bytes,
    gateway: Sequence[KeyEntry],
    witness: Sequence[KeyEntry],
    latest_s: float,
) -> int:
    """
    The batch number that is proven for this payload. Raises ProofError, NoteError.

    ``gateway`` and ``witness`` are histories of keys that the caller believes.
    """
    top, _, whole = proof.partition("\n\n")
    lines = top.split("\n")
    if lines[0] != _FORM or len(lines) > _MOST_LINES:
        raise NoteError("no tlog-proof")
    index_at = 2 if lines[1:2] and lines[1].startswith("extra ") else 1
    word, _, number = lines[index_at].partition(" ") if len(lines) > index_at else ("", "", "")
    if word != "index" or not number.isdigit() or str(int(number)) != number:
        raise NoteError("no index in the proof")
    note, index = read_note(whole), int(number)
    head = read_head(note.text)
    if head.origin != origin_of(source, head.hash_name):
        raise ProofError(f"the proof is of {head.origin}")
    if not any(signed_by(note, head.origin, entry.key) for entry in gateway):
        raise ProofError("no signature of a key of the gateway")
    if not cosigned(note, witness, latest_s):
        raise ProofError("no cosignature of a key of the witness")
    leaf = leaf_hash(source, index + 1, payload, head.hash_name, head.after)
    path = [unb64(line) for line in lines[index_at + 1 :]]
    found = root_from_inclusion(hash_named(head.hash_name), leaf, index, head.size, path)
    if found != head.root:
        raise ProofError(f"batch {index + 1} with this payload does not lead to the signed root")
    return index + 1
