"""
Where certificates lie: ``certificates/<use>/`` with cert.pem and key.pem, replaced as one.

``<use>`` is a link to ``<use>.<n>``. A renewal is completed beside it and then the link is turned,
so that a power cut leaves either the old pair or the new one, never one file of each.
"""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from drivers.authority import Key, Owner, key_bytes, new_key, request_of, write_file
from drivers.authority import Use as IssuedUse
from drivers.language import say
from drivers.model import ConfigError

Use = Literal["mqtt", "modbus", "opcua"]
USES: tuple[Use, ...] = ("mqtt", "modbus", "opcua")


def issued_use(use: Use) -> IssuedUse:
    """What the certificate must be good for."""
    return "opcua" if use == "opcua" else "client"


@dataclass(frozen=True, slots=True)
class Place:
    """One use of one process."""

    folder: Path  # <data_dir>/certificates
    use: Use

    @property
    def current(self) -> Path:
        return self.folder / self.use

    @property
    def pending(self) -> Path:
        return self.folder / f"{self.use}.next"

    @property
    def there(self) -> bool:
        return (self.current / "cert.pem").exists()

    def begin(self, owner: Owner) -> tuple[Key, Path]:
        """A new key and its request, beside what is in use; an earlier request is forgotten."""
        shutil.rmtree(self.pending, ignore_errors=True)
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.pending.mkdir(mode=0o700)
        key = new_key(issued_use(self.use))
        write_file(self.pending / "key.pem", key_bytes(key), 0o600)
        request = self.pending / "request.csr"
        write_file(request, request_of(key, owner).public_bytes(Encoding.PEM))
        return key, request

    def complete(self, chain: list[x509.Certificate]) -> Path:
        """
        Put the signed certificate (and those between it and the root) into use.

        ConfigError when it does not belong to the key that waits for it.
        """
        try:
            kept = (self.pending / "key.pem").read_bytes()
            key = serialization.load_pem_private_key(kept, None)
        except (OSError, ValueError):
            told = "没有待签的请求，请先 create 或 renew", "no request waits: create or renew first"
            raise ConfigError([f"{self.pending}: {say(*told)}"]) from None
        if not chain or _public(chain[0].public_key()) != _public(key.public_key()):
            told = "证书与待签密钥不匹配", "this certificate is not of the key that waits for it"
            raise ConfigError([f"{self.pending}: {say(*told)}"])
        pem = b"".join(each.public_bytes(Encoding.PEM) for each in chain)
        write_file(self.pending / "cert.pem", pem)
        write_file(self.pending / "cert.der", chain[0].public_bytes(Encoding.DER))
        return self._turn()

    def _turn(self) -> Path:
        numbers = [int(p.suffix[1:]) for p in self._generations()]
        fresh = self.folder / f"{self.use}.{max(numbers, default=0) + 1}"
        _sync(self.pending)
        self.pending.rename(fresh)
        link = self.folder / f".{self.use}.link"
        link.unlink(missing_ok=True)
        link.symlink_to(fresh.name)
        link.replace(self.current)
        _sync(self.folder)
        for old in sorted(self._generations(), key=lambda p: int(p.suffix[1:]))[:-2]:
            shutil.rmtree(old, ignore_errors=True)
        return self.current

    def _generations(self) -> list[Path]:
        return [p for p in self.folder.glob(f"{self.use}.*") if p.suffix[1:].isdigit()]


def certificates_in(data: bytes) -> list[x509.Certificate]:
    """PEM (any number) or DER; ValueError for neither."""
    if b"-----BEGIN" in data:
        return x509.load_pem_x509_certificates(data)
    return [x509.load_der_x509_certificate(data)]


def _public(key: object) -> bytes:
    wanted = getattr(key, "public_bytes", None)
    found: bytes = wanted(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) if wanted else b""
    return found


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
