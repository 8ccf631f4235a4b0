"""Ed25519 by ``cryptography``, SM2 by the ``openssl`` program: make keys, sign, verify."""

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agent.evidence.note import KEY_BYTES, PublicKey
from agent.evidence.tree import UnavailableError
from drivers.language import say

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ALGORITHMS = tuple(KEY_BYTES)
_SM2_SPKI = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d034200")
_SM2_OPTIONS = ("-rawin", "-digest", "sm3", "-pkeyopt", "distid:1234567812345678")
_PATIENCE_S = 20


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A key that signs; ``pem`` is PKCS#8 and never printed."""

    public: PublicKey
    pem: bytes

    def __repr__(self) -> str:
        return f"PrivateKey({self.public!r})"

    @classmethod
    def made(cls, algorithm: str) -> "PrivateKey":
        """A new key. Raises UnavailableError."""
        if algorithm == "sm2":
            return cls.loaded(algorithm, _openssl("genpkey", "-algorithm", "SM2"))
        from cryptography.hazmat.primitives.asymmetric import ed25519
        from cryptography.hazmat.primitives.serialization import (
            Encoding,
            NoEncryption,
            PrivateFormat,
        )

        fresh = ed25519.Ed25519PrivateKey.generate()
        pem = fresh.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return cls.loaded(algorithm, pem)

    @classmethod
    def loaded(cls, algorithm: str, pem: bytes) -> "PrivateKey":
        """Raises ValueError when ``pem`` is no such key."""
        if algorithm == "sm2":
            der = _openssl("pkey", "-pubout", "-outform", "DER", given=pem)
            if not der.startswith(_SM2_SPKI):
                raise ValueError("no SM2 key")
            return cls(PublicKey("sm2", der[len(_SM2_SPKI) :]), pem)
        return cls(PublicKey("ed25519", _ed25519(pem).public_key().public_bytes_raw()), pem)

    def sign(self, message: bytes) -> bytes:
        """64 bytes (Ed25519) or DER (SM2)."""
        if self.public.algorithm == "sm2":
            with tempfile.TemporaryDirectory(prefix="smelter-") as folder:
                said = Path(folder, "message")
                said.write_bytes(message)
                files = ("-inkey", "/dev/stdin", "-in", str(said))  # the key touches no disk
                return _openssl("pkeyutl", "-sign", *_SM2_OPTIONS, *files, given=self.pem)
        return _ed25519(self.pem).sign(message)


def _ed25519(pem: bytes) -> "Ed25519PrivateKey":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key = load_pem_private_key(pem, None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("no Ed25519 key")  # noqa: TRY004 - a file of the wrong content
    return key


def verifies(key: PublicKey, message: bytes, signature: bytes) -> bool:
    """Whether the signature is of this key. Raises UnavailableError where it cannot be told."""
    if key.algorithm == "sm2":
        return _sm2_verifies(key, message, signature)
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(key.raw).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _sm2_verifies(key: PublicKey, message: bytes, signature: bytes) -> bool:
    with tempfile.TemporaryDirectory(prefix="smelter-") as folder:
        names = ("message", "signature", "key")
        said, signed, public = (Path(folder, name) for name in names)
        said.write_bytes(message)
        signed.write_bytes(signature)
        public.write_bytes(_SM2_SPKI + key.raw)
        files = ("-inkey", str(public), "-in", str(said), "-sigfile", str(signed))
        call = (_program(), "pkeyutl", "-verify", "-pubin", "-keyform", "DER")
        done = subprocess.run(
            [*call, *_SM2_OPTIONS, *files], capture_output=True, check=False, timeout=_PATIENCE_S
        )
    return done.returncode == 0


def _program() -> str:
    path = shutil.which("openssl")
    if path is None:
        raise UnavailableError(
            say(
                "SM2 需要 openssl 程序（3.0 及以上），本机没有；请安装，或使用 ed25519",
                "SM2 needs the openssl program (3.0 or later), which is not here; install it, "
                "or use ed25519",
            )
        )
    return path


def _openssl(*call: str, given: bytes | None = None) -> bytes:
    done = subprocess.run(
        [_program(), *call], input=given, capture_output=True, check=False, timeout=_PATIENCE_S
    )
    if done.returncode:
        told = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise UnavailableError(
            say(
                f"openssl {call[0]} 失败（{told}）；openssl 需支持 SM2（3.0 及以上）",
                f"openssl {call[0]} failed ({told}); it must know SM2 (3.0 or later)",
            )
        )
    return done.stdout
