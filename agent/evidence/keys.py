"""
A key ring: private keys that only we can read, and a history of public keys, each vouched for.

The form of ``<n>.pub`` and of a history is in docs/evidence.md.
"""

import os
import re
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.batches.durable import make_folder, replace_text, sync
from agent.evidence.note import (
    COSIGNS,
    KEY_BYTES,
    Head,
    Note,
    NoteError,
    PublicKey,
    Signature,
    b64,
    cosigned_message,
    read_note,
    unb64,
)
from agent.evidence.signing import PrivateKey, verifies
from drivers.language import say

MOST_KEYS = 256
_NUMBERED = re.compile(r"[0-9]{4}\.pub")


class KeyFileError(Exception):
    """A key file that others can read, that is missing, or that is no key; says what to do."""


class KeyHistoryError(ValueError):
    """A history of keys that does not hold together."""


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """One key of a history."""

    owner: str
    number: int
    key: PublicKey
    made: str  # RFC 3339, UTC
    previous: str  # vkey, "-" for the first
    note: str

    @property
    def vkey(self) -> str:
        return self.key.vkey(self.owner)


def _text(owner: str, number: int, key: PublicKey, made: str, previous: str) -> str:
    lines = ("smelter-key/1", owner, str(number), key.algorithm, b64(key.raw), made, previous)
    return "\n".join(lines) + "\n"


def read_history(notes: Sequence[str]) -> tuple[KeyEntry, ...]:
    """Every key vouched for by the one before it. Raises KeyHistoryError, UnavailableError."""
    if not 1 <= len(notes) <= MOST_KEYS:
        raise KeyHistoryError(f"{len(notes)} keys")
    found: list[KeyEntry] = []
    for number, whole in enumerate(notes, start=1):
        entry, note = _read_entry(whole)
        before = found[-1] if found else None
        if (
            entry.number != number
            or entry.previous != (before.vkey if before else "-")
            or (before and before.owner != entry.owner)
        ):
            raise KeyHistoryError(f"key {number} does not follow the one before")
        for signer in [entry.key] + ([before.key] if before else []):
            if not signed_by(note, entry.owner, signer):
                raise KeyHistoryError(f"key {number}: {signer.vkey(entry.owner)} did not sign it")
        found.append(entry)
    return tuple(found)


def _read_entry(whole: str) -> tuple[KeyEntry, Note]:
    try:
        note = read_note(whole)
        form, owner, number, algorithm, raw, made, previous = note.text[:-1].split("\n")
        key = PublicKey(algorithm, unb64(raw))
        if form != "smelter-key/1" or len(key.raw) != KEY_BYTES.get(algorithm):
            raise KeyHistoryError("no key of a kind known here")
        return KeyEntry(owner, int(number), key, made, previous, whole), note
    except NoteError as error:
        raise KeyHistoryError(str(error)) from None
    except ValueError:
        raise KeyHistoryError("a key note has seven lines") from None


def signed_by(note: Note, name: str, key: PublicKey) -> bool:
    """Whether a signature line of this key under this name is there and right."""
    lines = note.by(name, key.key_id(name))
    return bool(lines) and all(verifies(key, note.text.encode(), line.data) for line in lines)


class KeyRing:
    """The keys of one end. ``notes`` is its public history, the last key signs."""

    def __init__(self, folder: Path, entries: tuple[KeyEntry, ...], current: PrivateKey) -> None:
        self.folder = folder
        self.entries = entries
        self._current = current

    @classmethod
    def opened(cls, folder: Path, owner: str, algorithm: str) -> "KeyRing":
        """
        Reads the ring, or makes the first key where there is none.

        ``owner`` ending in ``/`` gets 8 random digits. Raises KeyFileError, UnavailableError.
        """
        notes = _notes(folder)
        if not notes:
            name = owner + secrets.token_hex(4) if owner.endswith("/") else owner
            _add(folder, name, algorithm, None)
            notes = _notes(folder)
        try:
            entries = read_history(notes)
        except KeyHistoryError as error:
            raise KeyFileError(
                say(
                    f"{folder}：密钥历史已损坏（{error}）；请从备份恢复",
                    f"{folder}: the history of keys is damaged ({error}); restore it from a backup",
                )
            ) from None
        if not owner.endswith("/") and entries[0].owner != owner:
            raise KeyFileError(
                say(
                    f"{folder}：密钥属于 {entries[0].owner}，不属于 {owner}；勿在网关之间复制密钥",
                    f"{folder}: the keys are of {entries[0].owner}, not of {owner}; "
                    "keys are never copied from one gateway to another",
                )
            )
        return cls(folder, entries, _read_private(folder, entries[-1]))

    @property
    def owner(self) -> str:
        return self.entries[-1].owner

    @property
    def notes(self) -> list[str]:
        return [entry.note for entry in self.entries]

    def rotated(self, algorithm: str) -> "KeyRing":
        """A new key, vouched for by the present one, which is then deleted."""
        _add(self.folder, self.owner, algorithm, (self._current, self.entries[-1]))
        return KeyRing.opened(self.folder, self.owner, algorithm)

    def again(self) -> "KeyRing":
        """Read anew: somebody may have rotated."""
        if len(_names(self.folder)) == len(self.entries):
            return self
        return KeyRing.opened(self.folder, self.owner, self.entries[-1].key.algorithm)

    def signed(self, head: Head) -> Note:
        """The checkpoint with our signature under the log's own name."""
        data = self._current.sign(head.text.encode())
        key_id = self._current.public.key_id(head.origin)
        return Note(head.text, (Signature(head.origin, key_id, data),))

    def cosigned(self, note: Note, at_s: int) -> Note:
        """The note with our cosignature/v1; an older one of ours makes way."""
        key_id = self._current.public.key_id(self.owner, COSIGNS)
        data = at_s.to_bytes(8, "big") + self._current.sign(cosigned_message(note.text, at_s))
        others = tuple(each for each in note.signatures if each.name != self.owner)
        return Note(note.text, (*others, Signature(self.owner, key_id, data)))


def _names(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    return sorted(path.name for path in folder.iterdir() if _NUMBERED.fullmatch(path.name))


def _notes(folder: Path) -> list[str]:
    return [(folder / name).read_text("utf-8") for name in _names(folder)]


def _add(
    folder: Path, owner: str, algorithm: str, before: tuple[PrivateKey, KeyEntry] | None
) -> None:
    """The private key first: a public key that nobody can use would end the history."""
    make_folder(folder)
    folder.chmod(0o700)
    number = before[1].number + 1 if before else 1
    made = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    key = PrivateKey.made(algorithm)
    previous = before[1].vkey if before else "-"
    text = _text(owner, number, key.public, made, previous)
    signers = ([before[0]] if before else []) + [key]
    signatures = tuple(
        Signature(owner, each.public.key_id(owner), each.sign(text.encode())) for each in signers
    )
    path = folder / f"{number:04d}.key"
    path.unlink(missing_ok=True)  # of a start that was broken off before its .pub was there
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(key.pem)
        file.flush()
        os.fsync(file.fileno())
    sync(folder)
    replace_text(folder / f"{number:04d}.pub", Note(text, signatures).whole)
    if before:
        (folder / f"{before[1].number:04d}.key").unlink(missing_ok=True)
        sync(folder)


def _read_private(folder: Path, entry: KeyEntry) -> PrivateKey:
    path = folder / f"{entry.number:04d}.key"
    for each in (folder, path):
        _refuse_open(each)
    try:
        key = PrivateKey.loaded(entry.key.algorithm, path.read_bytes())
    except FileNotFoundError:
        raise KeyFileError(
            say(
                f"{path}：私钥不存在；请从备份恢复，或清空 {folder.name}/ 后由历史库重新确认新密钥",
                f"{path}: the private key is not there; restore it, or empty {folder.name}/ and "
                "have the historian accept a new key",
            )
        ) from None
    except (OSError, ValueError) as error:
        raise KeyFileError(
            say(f"{path}：无法读取私钥：{error}", f"{path}: no private key can be read: {error}")
        ) from None
    if key.public != entry.key:
        raise KeyFileError(
            say(
                f"{path}：与 {entry.number:04d}.pub 不是一对",
                f"{path}: not the key of {entry.number:04d}.pub",
            )
        )
    return key


def _refuse_open(path: Path) -> None:
    try:
        mode = path.stat().st_mode & 0o777
    except FileNotFoundError:
        return
    if mode & 0o077:
        right = "700" if path.is_dir() else "600"
        raise KeyFileError(
            say(
                f"{path}：权限为 {mode:04o}，他人可读，视为已泄露；"
                f"请执行 chmod {right} {path}，并用 smelter agent keys rotate 更换密钥",
                f"{path}: mode {mode:04o}, others can read it, so it may be known to them; "
                f"chmod {right} {path}, then smelter agent keys rotate",
            )
        )
