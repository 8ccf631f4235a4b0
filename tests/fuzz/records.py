"""
Segment files of a batch log after any damage.

Held for each input: reading ends; what is found and what is called damage lie side by side and
cover the file; a record that was not touched is found with its own bytes, one that is found with
a known number and other bytes has a digest of its own to be told by.
"""

import os
import random
from collections.abc import Callable
from hashlib import sha256

import zstandard

from agent.batches.batch import HEAD, Batch, Damage, walk
from tests.fuzz.mutants import mutated

PIECES = (b"SMB1", b"SMB1\xff\xff\xff\x00", b"\0" * 512, b"\xff" * 16, b"SMB1\0\0\0\0" * 40)


def make() -> Callable[[random.Random], str]:
    """The target."""
    file = os.memfd_create("segment")
    stock = random.Random(1)
    batches = [_batch(stock, seq) for seq in range(1, 40)]
    records = [batch.record() for batch in batches]

    def trial(chance: random.Random) -> str:
        first, many = chance.randrange(30), chance.randrange(1, 6)
        data = b"".join(records[first : first + many])
        damaged = mutated(data, PIECES, chance)
        os.ftruncate(file, 0)
        os.pwrite(file, damaged, 0)
        return _walked(file, damaged, {batch.seq: batch for batch in batches}, records)

    return trial


def _batch(chance: random.Random, seq: int) -> Batch:
    payload = chance.randbytes(chance.randrange(1, 40)).hex().encode() * chance.randrange(1, 8)
    packed = zstandard.ZstdCompressor().compress(payload)
    return Batch.of(seq, 1_790_000_000 + seq, 1, payload, packed)


def _walked(file: int, data: bytes, known: dict[int, Batch], records: list[bytes]) -> str:
    at, found, damage = 0, list[Batch](), 0
    for item in walk(file, 0, len(data)):
        assert item.offset == at, "a hole, or bytes read twice"
        assert item.end > item.offset or isinstance(item, Damage)
        at = item.end
        if isinstance(item, Damage):
            damage += 1
            continue
        found.append(item.batch)
        assert item.end - item.offset == HEAD + len(item.batch.stored)
        assert item.batch == known[item.batch.seq], "a record nobody wrote"
        assert sha256(item.batch.payload).digest() == item.batch.digest
    assert at == len(data)
    whole = sum(record in data for record in records)
    assert len({batch.seq for batch in found}) >= whole, "a whole record was not found"
    return "damaged" if damage else "whole"
