"""Originals with trees and cosigned checkpoints, as gateway and historian leave them."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from agent.evidence.keys import KeyRing
from agent.evidence.note import Head, Note
from agent.evidence.proof import leaf_hash
from agent.evidence.tiles import TileTree
from agent.evidence.tree import hash_named
from tests.originals_reader import read_stream

COSIGNED_S = 1_795_000_000


@dataclass(frozen=True)
class Ends:
    """The keys of both ends; ``root`` holds ``originals/`` and ``checkpoints/``."""

    root: Path
    witness: KeyRing
    gateways: dict[str, KeyRing]

    @property
    def trusted(self) -> str:
        return self.witness.entries[-1].vkey


def ring(folder: Path, owner: str, algorithm: str = "ed25519") -> KeyRing:
    return KeyRing.opened(folder, owner, algorithm)


def prove(
    root: Path,
    originals: Path,
    *,
    hash_name: str = "sha256",
    after: int = 0,
    algorithm: str = "ed25519",
    size: Callable[[int], int] = lambda whole: whole,
) -> Ends:
    """Copies ``originals`` below ``root`` and signs and cosigns every log of the record stream."""
    copy = root / "originals"
    if not copy.exists():
        shutil.copytree(originals, copy)
    witness = ring(root / "witness-keys", "smelter/historian/", algorithm)
    gateways: dict[str, KeyRing] = {}
    checkpoints = root / "checkpoints"
    for stream in sorted(copy.glob("*/*/record")):
        sender = stream.parent.relative_to(copy).as_posix()
        folder = root / "gateway-keys" / sender
        gateways[sender] = ring(folder, f"smelter/{sender}", algorithm)
        keys = checkpoints / sender / "keys.json"
        keys.parent.mkdir(parents=True, exist_ok=True)
        keys.write_text(json.dumps(gateways[sender].notes), "utf-8")
        for log, batches in read_stream(stream).items():
            source = f"{sender}/record/{log}"
            payloads = {each.seq: each.payload for each in batches}
            note = signed(copy / source, source, payloads, gateways[sender], hash_name, after, size)
            part = "sm3" if hash_name == "sm3" else ""
            path = checkpoints / source / part / "checkpoint"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(witness.cosigned(note, COSIGNED_S).whole, "utf-8")
    (checkpoints / "witness.json").write_text(json.dumps(witness.notes), "utf-8")
    return Ends(root, witness, gateways)


def signed(
    folder: Path,
    source: str,
    payloads: dict[int, bytes],
    gateway: KeyRing,
    hash_name: str = "sha256",
    after: int = 0,
    size: Callable[[int], int] = lambda whole: whole,
) -> Note:
    """Tiles of the log beside its segments, and the gateway's checkpoint."""
    algorithm = hash_named(hash_name)
    tree_folder = folder / ("tree-sm3" if hash_name == "sm3" else "tree")
    shutil.rmtree(tree_folder, ignore_errors=True)
    tree = TileTree(tree_folder, algorithm)
    for seq, payload in sorted(payloads.items()):
        tree.append(leaf_hash(source, seq, payload, hash_name, after))
    tree.flush()
    count = size(tree.size)
    origin = f"smelter/{source}" + ("/sm3" if hash_name == "sm3" else "")
    return gateway.signed(Head(origin, count, tree.root(count), hash_name, after))
