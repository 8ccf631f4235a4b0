"""
SM4 of HJ 212-2025 (6.4, A.2): the CP body in ECB, whole 16-byte blocks only, the tail stays plain.

Length and sum are those of the plain text; on the wire stand the raw cipher bytes. That they are
raw follows from the lengths printed in the standard's two examples; not yet tried with a platform.
"""

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.modes import ECB

BLOCK = 16
KEY_BYTES = 16


class WrongKeyError(ValueError):
    """An SM4 key that has not 16 bytes."""


@lru_cache(maxsize=64)
def _cipher(key: bytes) -> "Cipher[ECB]":
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    if len(key) != KEY_BYTES:
        raise WrongKeyError(f"SM4 key of {len(key)} bytes, not {KEY_BYTES}")
    return Cipher(algorithms.SM4(key), modes.ECB())  # noqa: S305 - the standard asks for ECB


def encrypt_body(body: bytes, key: bytes) -> bytes:
    """Plain body → what goes onto the wire, as long as before."""
    whole = len(body) // BLOCK * BLOCK
    engine = _cipher(key).encryptor()
    return engine.update(body[:whole]) + engine.finalize() + body[whole:]


def decrypt_body(body: bytes, key: bytes) -> bytes:
    """The way back."""
    whole = len(body) // BLOCK * BLOCK
    engine = _cipher(key).decryptor()
    return engine.update(body[:whole]) + engine.finalize() + body[whole:]


def must_encrypt(cn: str) -> bool:
    """Whether 2025 asks for encryption of this command on the internet (6.4.4)."""
    return cn in {"1014", "3020"} or (len(cn) == 4 and cn.isdecimal() and cn[0] == "2")
