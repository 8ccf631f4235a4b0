"""Application certificates as OPC 10000-6 wants them."""

import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from drivers.opcua.certificates import (
    application_uri,
    create_certificate,
    load_certificate,
    load_key,
)


def test_created_certificate(tmp_path: Path) -> None:
    paths = create_certificate(tmp_path / "pki", "client", "gw1")
    certificate, key = load_certificate(paths[0]), load_key(paths[1])
    assert application_uri(certificate) == "urn:gw1:client"
    assert certificate.public_key() == key.public_key()
    assert key.key_size == 3072
    assert stat.S_IMODE(paths[1].stat().st_mode) == 0o600
    uses = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(uses) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.digital_signature
    assert usage.content_commitment
    assert usage.key_encipherment
    assert usage.data_encipherment
    assert certificate.not_valid_after_utc.year >= 2036
    with pytest.raises(FileExistsError):
        create_certificate(tmp_path / "pki", "client", "gw1")
    assert load_key(paths[1]).public_key() == key.public_key()
