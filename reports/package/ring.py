"""
The key with which a plant signs its packages: ``report-keys/`` beside the ledger.

Made at first use. The form of the ``.pub`` notes is that of docs/evidence.md, the owner
smelter/reports/<plant>.
"""

import base64
import os
import subprocess
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from drivers.language import say
from drivers.model import ConfigError
from reports.package.verify import Broken, History, Key

_SM2_SPKI: Final = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d034200")
_SM2_OPTIONS: Final = ("-rawin", "-digest", "sm3", "-pkeyopt", "distid:1234567812345678")


@dataclass(frozen=True, slots=True)
class Ring:
    """``notes``: public history, oldest first; ``sign`` uses the newest key."""

    owner: str
    notes: tuple[str, ...]
    _pem: bytes
    _key: Key

    @property
    def vkey(self) -> str:
        return self._key.vkey(self.owner)

    def signed(self, text: str) -> str:
        """``text`` as a signed note."""
        return f"{text}\n{_line(self.owner, self._key, _sign(self._pem, self._key, text))}"


def open_ring(
    ledger: Path, plant: str, algorithm: str = "ed25519", *, rotate: bool = False
) -> Ring:
    """
    The ring of a plant; its first key is made where there is none, a further one to rotate.

    Raises ConfigError: a private key that others can read or that is gone, or is no key.
    """
    folder, owner = ledger.parent / "report-keys", f"smelter/reports/{plant}"
    notes = _notes(folder)
    if not notes or rotate:
        before = _open(folder, owner, notes) if notes else None
        _make(folder, owner, algorithm, before)
        notes = _notes(folder)
    return _open(folder, owner, notes)


def _notes(folder: Path) -> tuple[str, ...]:
    return tuple(path.read_text("utf-8") for path in sorted(folder.glob("[0-9]*.pub")))


def _open(folder: Path, owner: str, notes: tuple[str, ...]) -> Ring:
    path = folder / f"{len(notes):04d}.key"
    try:
        history = History(list(notes))
        if history.owner != owner:
            raise ConfigError([f"{folder}: {history.owner}, {owner}"])
        mode = (path.stat().st_mode | folder.stat().st_mode) & 0o077
        if mode:
            raise ConfigError(
                [
                    say(
                        f"{path}：他人可读，视为已泄露；请 chmod 600 {path}、chmod 700 {folder}，"
                        "并用 smelter package --rotate-key 更换",
                        f"{path}: others can read it, so it may be known to them; chmod 600 "
                        f"{path}, chmod 700 {folder}, then smelter package --rotate-key",
                    )
                ]
            )
        pem = path.read_bytes()
        public = _public(history.keys[-1].algorithm, pem)
    except Broken as error:
        raise ConfigError([f"{folder}: {say(error.zh, error.en)}"]) from None
    except (OSError, ValueError) as error:
        raise ConfigError(
            [
                say(
                    f"{path}：无法读取私钥（{error}）；请从备份恢复",
                    f"{path}: the private key cannot be read ({error}); restore it from a backup",
                )
            ]
        ) from None
    if public.raw != history.keys[-1].raw:
        raise ConfigError([f"{path}: {say('与公钥不成对', 'not the key of its .pub')}"])
    return Ring(owner, notes, pem, public)


def _make(folder: Path, owner: str, algorithm: str, before: Ring | None) -> None:
    """The private key first: a public key that nobody can use would end the history."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    number = len(before.notes) + 1 if before else 1
    pem = _fresh(algorithm)
    key = _public(algorithm, pem)
    made = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    raw = base64.b64encode(key.raw).decode()
    previous = before.vkey if before else "-"
    text = f"smelter-key/1\n{owner}\n{number}\n{algorithm}\n{raw}\n{made}\n{previous}\n"
    lines = [_line(owner, key, _sign(pem, key, text))]
    if before is not None:
        lines.insert(0, before.signed(text).rpartition("\n\n")[2])
    path = folder / f"{number:04d}.key"
    path.unlink(missing_ok=True)  # of a start that was broken off before its .pub was there
    _write(path, pem, 0o600)
    _write(folder / f"{number:04d}.pub", (text + "\n" + "".join(lines)).encode(), 0o644)
    if before is not None:
        (folder / f"{number - 1:04d}.key").unlink()


def _write(path: Path, content: bytes, mode: int) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _line(owner: str, key: Key, signature: bytes) -> str:
    return f"\u2014 {owner} {base64.b64encode(key.id_of(owner) + signature).decode()}\n"


def _fresh(algorithm: str) -> bytes:
    if algorithm == "sm2":
        return _openssl("genpkey", "-algorithm", "SM2")
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _public(algorithm: str, pem: bytes) -> Key:
    if algorithm == "sm2":
        der = _openssl("pkey", "-pubout", "-outform", "DER", given=pem)
        return Key("sm2", der.removeprefix(_SM2_SPKI))
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    public = load_pem_private_key(pem, None).public_key()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    if not isinstance(public, Ed25519PublicKey):
        raise ValueError("no Ed25519 key")  # noqa: TRY004 - a file of the wrong content
    return Key("ed25519", public.public_bytes_raw())


def _sign(pem: bytes, key: Key, text: str) -> bytes:
    if key.algorithm == "sm2":
        with tempfile.TemporaryDirectory(prefix="smelter-") as folder:
            said = Path(folder, "text")
            said.write_bytes(text.encode())
            files = ("-inkey", "/dev/stdin", "-in", str(said))  # the key touches no disk
            return _openssl("pkeyutl", "-sign", *_SM2_OPTIONS, *files, given=pem)
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    loaded = load_pem_private_key(pem, None)
    if not isinstance(loaded, Ed25519PrivateKey):
        raise ValueError("no Ed25519 key")  # noqa: TRY004 - a file of the wrong content
    return loaded.sign(text.encode())


def _openssl(*call: str, given: bytes | None = None) -> bytes:
    try:
        done = subprocess.run(
            ["openssl", *call], input=given, capture_output=True, check=True, timeout=20
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ConfigError(
            [
                say(
                    f"SM2 需要 openssl 程序 3.0 及以上（{error}）；或使用 ed25519",
                    f"SM2 needs the openssl program, 3.0 or later ({error}); or use ed25519",
                )
            ]
        ) from None
    return done.stdout
