"""
The Merkle tree over a batch log: leaves, roots, proofs (RFC 6962 section 2.1). Pure.

A tree is given as ``Nodes``: ``node(level, index)`` is the hash of the 2**level leaves from
index * 2**level on. The formats are in docs/evidence.md.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Protocol

Nodes = Callable[[int, int], bytes]

HASHES = ("sha256", "sm3")
HASH_BYTES = 32


class UnavailableError(Exception):
    """The OpenSSL of this machine lacks an algorithm; says which and what to do."""


class ProofError(ValueError):
    """A proof that does not prove; the text says where it fails."""


class _Digest(Protocol):
    def digest(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Hash:
    """One hash algorithm by its name, used as RFC 6962 uses SHA-256."""

    name: str
    start: Callable[[bytes], "_Digest"] = field(repr=False, compare=False)

    def of(self, data: bytes) -> bytes:
        return self.start(data).digest()

    def leaf(self, data: bytes) -> bytes:
        return self.start(b"\0" + data).digest()

    def node(self, left: bytes, right: bytes) -> bytes:
        return self.start(b"\1" + left + right).digest()

    @property
    def empty(self) -> bytes:
        """The root of a tree without leaves."""
        return self.start(b"").digest()


@cache
def hash_named(name: str) -> Hash:
    """Raises UnavailableError when there is no such algorithm here."""
    if name not in HASHES:
        raise UnavailableError(f"hash {name!r} is none of {', '.join(HASHES)}")
    try:
        hashlib.new(name, b"")
    except ValueError:
        raise UnavailableError(
            f"hash {name}: the OpenSSL of this Python has none; use sha256 or another OpenSSL"
        ) from None
    return Hash(name, hashlib.sha256 if name == "sha256" else partial(hashlib.new, name))


# leaves


def leaf_bytes(log: str, seq: int, digest_name: str, digest: bytes) -> bytes:
    """
    What a leaf commits to. ``log`` is ``<plant>/<gateway>/<stream>/<log id>``.

    ``digest_name`` is ``sha256`` or ``sm3`` (of the batch's plain payload), or ``leaf-sha256``: the
    hash this leaf had in the SHA-256 tree of the same log, before the tree's hash was changed.
    """
    return f"smelter-leaf/1\n{log}\n{seq}\n{digest_name}:{digest.hex()}\n".encode()


# subtrees


def widest(low: int, high: int) -> int:
    """Level of the largest whole subtree that begins at leaf ``low`` and ends by ``high``."""
    fits = (high - low).bit_length() - 1
    return fits if low == 0 else min(fits, (low & -low).bit_length() - 1)


def whole_subtrees(low: int, high: int) -> Iterator[tuple[int, int]]:
    """(level, index) of the whole subtrees that make up the leaves [low, high), left to right."""
    while low < high:
        level = widest(low, high)
        yield level, low >> level
        low += 1 << level


def _split(count: int) -> int:
    """The largest power of two below ``count`` (at least 2)."""
    return 1 << ((count - 1).bit_length() - 1)


def range_root(algorithm: Hash, low: int, high: int, node: Nodes) -> bytes:
    """MTH of the leaves [low, high); ``low`` as RFC 6962's recursion makes it."""
    if low == high:
        return algorithm.empty
    found: bytes | None = None
    for level, index in reversed(list(whole_subtrees(low, high))):
        part = node(level, index)
        found = part if found is None else algorithm.node(part, found)
    assert found is not None  # noqa: S101 - there is at least one subtree in a range that is not empty
    return found


def root_of(algorithm: Hash, size: int, node: Nodes) -> bytes:
    """The hash that stands for the first ``size`` leaves."""
    return range_root(algorithm, 0, size, node)


# proofs


def inclusion_path(algorithm: Hash, index: int, size: int, node: Nodes) -> list[bytes]:
    """From the leaf's sibling up to the root's child. ValueError when there is no such leaf."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size}")
    path: list[bytes] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            path.append(range_root(algorithm, middle, high, node))
            high = middle
        else:
            path.append(range_root(algorithm, low, middle, node))
            low = middle
    return path[::-1]


def consistency_path(algorithm: Hash, old: int, new: int, node: Nodes) -> list[bytes]:
    """RFC 6962 PROOF(old, D[new]); empty when ``old`` is 0 or equal to ``new``."""
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {new} does not grow from one of {old}")
    if old in {0, new}:
        return []
    path: list[bytes] = []
    low, high, whole = 0, new, True
    while old != high:
        middle = low + _split(high - low)
        if old <= middle:
            path.append(range_root(algorithm, middle, high, node))
            high = middle
        else:
            path.append(range_root(algorithm, low, middle, node))
            low, whole = middle, False
    if not whole:
        path.append(range_root(algorithm, low, high, node))
    return path[::-1]


def root_from_inclusion(
    algorithm: Hash, leaf: bytes, index: int, size: int, path: Sequence[bytes]
) -> bytes:
    """The root that a leaf hash and its path lead to (RFC 9162 section 2.1.3.2)."""
    if not 0 <= index < size:
        raise ProofError(f"leaf {index} is not in a tree of {size}")
    at, last, found = index, size - 1, leaf
    for part in path:
        if last == 0:
            raise ProofError("the path is too long")
        if at & 1 or at == last:
            found = algorithm.node(part, found)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            found = algorithm.node(found, part)
        at, last = at >> 1, last >> 1
    if last:
        raise ProofError("the path is too short")
    return found


def check_consistency(
    algorithm: Hash,
    old: int,
    old_root: bytes,
    new: int,
    new_root: bytes,
    path: Sequence[bytes],
) -> None:
    """Raises ProofError unless ``new`` grew from ``old`` (RFC 9162 section 2.1.4.2)."""
    if not 0 <= old <= new or (old == new and old_root != new_root):
        raise ProofError(f"a tree of {new} with this root does not grow from one of {old}")
    if old in {0, new}:
        if path:
            raise ProofError("a path where none is needed")
        return
    parts = [old_root, *path] if old & (old - 1) == 0 else list(path)
    first, second, complete = _climb(algorithm, old - 1, new - 1, parts)
    if not complete or first != old_root or second != new_root:
        raise ProofError(f"the tree of {new} did not grow from the tree of {old}")


def _climb(
    algorithm: Hash, at: int, last: int, parts: Sequence[bytes]
) -> tuple[bytes, bytes, bool]:
    """The roots of the old and the new tree that ``parts`` lead to, and whether they are all."""
    if not parts:
        return b"", b"", False
    while at & 1:
        at, last = at >> 1, last >> 1
    first = second = parts[0]
    for part in parts[1:]:
        if last == 0:
            return first, second, False
        if at & 1 or at == last:
            first, second = algorithm.node(part, first), algorithm.node(part, second)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            second = algorithm.node(second, part)
        at, last = at >> 1, last >> 1
    return first, second, last == 0
