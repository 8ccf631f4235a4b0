"""
Keys in a backup: sealed under a passphrase (scrypt, AES-256-GCM), or not in it at all.

``SMS1 ‖ salt (16) ‖ nonce (12) ‖ ciphertext``; scrypt with N = 2**17, r = 8, p = 1 (128 MB, RFC
7914); the place of the file is authenticated with it, so that sealed files cannot be exchanged.
"""

import os
from collections.abc import Callable
from pathlib import Path

from drivers.language import say
from drivers.model import ConfigError
from drivers.secret import read_secret

MAGIC = b"SMS1"
LEAST = 12  # characters of a passphrase
_SALT, _NONCE = 16, 12
CREDENTIAL = "backup-passphrase"


def read_passphrase(file: Path | None) -> str:
    """
    From a 0600 file, or the systemd credential ``backup-passphrase``; never from an argument.

    Raises ConfigError that says what to do.
    """
    if file is None and not os.environ.get("CREDENTIALS_DIRECTORY"):
        raise ConfigError(
            [
                say(
                    f"--with-keys 须有口令：--passphrase-file 文件（权限 0600），"
                    f"或 systemd 凭据 {CREDENTIAL}",
                    f"--with-keys needs a passphrase: --passphrase-file FILE (mode 0600), "
                    f"or the systemd credential {CREDENTIAL}",
                )
            ]
        )
    path = file or Path(f"credential:{CREDENTIAL}")
    text = read_secret(path)
    if len(text) < LEAST:
        told = say(
            f"{path}：口令过短，至少 {LEAST} 个字符",
            f"{path}: the passphrase is too short, {LEAST} characters at least",
        )
        raise ConfigError([told])
    return text


def sealer(passphrase: str) -> Callable[[bytes, str], bytes]:
    """``seal(content, place)``; one salt for all of a backup, a fresh nonce for each file."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    salt = os.urandom(_SALT)
    cipher = AESGCM(_derived(passphrase, salt))

    def seal(content: bytes, place: str) -> bytes:
        nonce = os.urandom(_NONCE)
        return MAGIC + salt + nonce + cipher.encrypt(nonce, content, place.encode())

    return seal


def opener(passphrase: str) -> Callable[[bytes, str], bytes]:
    """``open(sealed, place)``. Raises ConfigError for a wrong passphrase or other bytes."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    ciphers: dict[bytes, AESGCM] = {}

    def unseal(sealed: bytes, place: str) -> bytes:
        salt = sealed[len(MAGIC) : len(MAGIC) + _SALT]
        rest = sealed[len(MAGIC) + _SALT :]
        try:
            if salt not in ciphers:
                ciphers[salt] = AESGCM(_derived(passphrase, salt))
            return ciphers[salt].decrypt(rest[:_NONCE], rest[_NONCE:], place.encode())
        except (InvalidTag, ValueError):
            told = say(
                "口令不对，或密文被改动",
                "the passphrase is wrong, or the sealed bytes were changed",
            )
            raise ConfigError([f"{place}: {told}"]) from None

    return unseal


def _derived(passphrase: str, salt: bytes) -> bytes:
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    return Scrypt(salt=salt, length=32, n=1 << 17, r=8, p=1).derive(passphrase.encode())
