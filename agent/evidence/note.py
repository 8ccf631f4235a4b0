"""Signed notes and checkpoints as text: C2SP signed-note, tlog-checkpoint, cosignatures. Pure."""

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

MOST_BYTES = 16 << 10
MOST_SIGNATURES = 32
_DASH = "\u2014 "
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_NAME = re.compile(r"[^\s+\x00-\x1f]{1,300}")

SIGNS, COSIGNS = "signs", "cosigns"
TYPES = {
    ("ed25519", SIGNS): b"\x01",
    ("ed25519", COSIGNS): b"\x04",
    ("sm2", SIGNS): b"\xffsm2",
    ("sm2", COSIGNS): b"\xffsm2-cosignature",
}
KEY_BYTES = {"ed25519": 32, "sm2": 65}


class NoteError(ValueError):
    """Text that is no note, or a note that says nothing believable."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """``raw``: 32 bytes (Ed25519) or the uncompressed point, 65 bytes from 04 on (SM2)."""

    algorithm: str
    raw: bytes

    def key_id(self, name: str, purpose: str = SIGNS) -> bytes:
        """Four bytes; with the name they tell which key and algorithm a signature line is of."""
        kind = TYPES[self.algorithm, purpose]
        return sha256(name.encode() + b"\n" + kind + self.raw).digest()[:4]

    def vkey(self, name: str, purpose: str = SIGNS) -> str:
        kind = TYPES[self.algorithm, purpose]
        return f"{name}+{self.key_id(name, purpose).hex()}+{b64(kind + self.raw)}"


def key_of(vkey: str) -> tuple[str, str, PublicKey]:
    """(name, purpose, key). Raises NoteError for what is no verifier key."""
    name, _, rest = vkey.partition("+")
    claimed, _, packed = rest.partition("+")
    data = unb64(packed)
    for (algorithm, purpose), kind in TYPES.items():
        raw = data[len(kind) :]
        if data.startswith(kind) and len(raw) == KEY_BYTES[algorithm]:
            key = PublicKey(algorithm, raw)
            if key.key_id(name, purpose).hex() == claimed and _NAME.fullmatch(name):
                return name, purpose, key
    raise NoteError(f"{vkey[:120]!r} is no verifier key")


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: ``data`` is what follows the four bytes of the key id."""

    name: str
    key_id: bytes
    data: bytes

    @property
    def line(self) -> str:
        return f"{_DASH}{self.name} {b64(self.key_id + self.data)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """``text`` ends with a line break; the empty line after it is not part of it."""

    text: str
    signatures: tuple[Signature, ...]

    @property
    def whole(self) -> str:
        return self.text + "\n" + "".join(each.line for each in self.signatures)

    def by(self, name: str, key_id: bytes) -> list[Signature]:
        return [each for each in self.signatures if (each.name, each.key_id) == (name, key_id)]

    def with_lines(self, added: Iterable[Signature]) -> "Note":
        new = tuple(each for each in added if each not in self.signatures)
        return Note(self.text, self.signatures + new)


def read_note(whole: str) -> Note:
    """Raises NoteError. Nothing is verified here."""
    if len(whole) > MOST_BYTES:
        raise NoteError(f"a note of {len(whole)} characters, at most {MOST_BYTES} are read")
    text, gap, lines = whole.rpartition("\n\n")
    if not gap or not text or not lines.endswith("\n"):
        raise NoteError("no empty line between text and signatures, or no line break at the end")
    if any(ord(sign) < 0x20 and sign != "\n" for sign in whole):
        raise NoteError("a control character")
    found = [_signature(line) for line in lines[:-1].split("\n")]
    if len(found) > MOST_SIGNATURES:
        raise NoteError(f"{len(found)} signatures, at most {MOST_SIGNATURES} are read")
    return Note(text + "\n", tuple(found))


def _signature(line: str) -> Signature:
    name, gap, packed = line.removeprefix(_DASH).partition(" ")
    data = unb64(packed)
    if not line.startswith(_DASH) or not gap or not _NAME.fullmatch(name) or len(data) < 5:
        raise NoteError(f"{line[:80]!r} is no signature line")
    return Signature(name, data[:4], data[4:])


@dataclass(frozen=True, slots=True)
class Head:
    """
    What a checkpoint says. ``root`` is 32 bytes.

    ``hash_name`` other than sha256 is an extension line, with ``after``: so many leaves were taken
    over from the SHA-256 tree of the log (their digest name is ``leaf-sha256``).
    """

    origin: str
    size: int
    root: bytes
    hash_name: str = "sha256"
    after: int = 0

    @property
    def text(self) -> str:
        lines = [self.origin, str(self.size), b64(self.root)]
        if self.hash_name != "sha256":
            lines.append(f"hash {self.hash_name} after {self.after}")
        return "\n".join(lines) + "\n"


_HASH_LINE = re.compile(r"hash (sm3) after (0|[1-9][0-9]{0,18})")


def read_head(text: str) -> Head:
    """Raises NoteError unless ``text`` is a checkpoint of ours to the last byte."""
    lines = text.split("\n")
    if len(lines) not in {4, 5} or lines.pop():
        raise NoteError("a checkpoint has three lines, or four")
    origin, size, root = lines[:3]
    raw = unb64(root)
    if not _NAME.fullmatch(origin) or not _SIZE.fullmatch(size) or len(raw) != 32:
        raise NoteError("no checkpoint: origin, size and root of 32 bytes")
    said = _HASH_LINE.fullmatch(lines[3]) if len(lines) == 4 else None
    if len(lines) == 4 and said is None:
        raise NoteError(f"extension line {lines[3][:40]!r} is none of ours")
    if said is None:
        return Head(origin, int(size), raw)
    return Head(origin, int(size), raw, said[1], int(said[2]))


def cosigned_message(text: str, at_s: int) -> bytes:
    """What a cosignature/v1 signs; ``at_s`` seconds since 1970."""
    return f"cosignature/v1\ntime {at_s}\n{text}".encode()


def cosigned_at(signature: Signature) -> tuple[int, bytes]:
    """(seconds since 1970, signature) of a cosignature line's data."""
    return int.from_bytes(signature.data[:8], "big"), signature.data[8:]


def b64(data: bytes) -> str:
    """Standard base64 with padding."""
    return base64.b64encode(data).decode()


def unb64(text: str) -> bytes:
    """Strict: one way to write the same bytes. Raises NoteError."""
    try:
        data = base64.b64decode(text.encode(), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise NoteError(f"{text[:60]!r} is not base64") from None
    if b64(data) != text:
        raise NoteError(f"{text[:60]!r} is not how these bytes are written")
    return data
