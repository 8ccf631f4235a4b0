"""
Application certificates of OPC UA clients: made once, kept beside the config, shown by fingerprint.

The private key is readable by its owner only and is never replaced by this program.
"""

import datetime as dt
import os
import socket
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from drivers.secret import refuse_open_key

KEY_BITS = 3072  # all supported policies allow 2048 to 4096
VALID_DAYS = 10 * 365  # a gateway outlives its installer's memory; the server pins it anyway


def create_certificate(
    folder: Path, name: str = "smelter-agent", host: str = "", *, server: bool = False
) -> tuple[Path, Path]:
    """
    A self-signed application certificate ``<name>.der`` and its key ``<name>.key.pem`` (mode 0600).

    Raises FileExistsError rather than replace a key a server may trust already.
    """
    host = host or socket.gethostname()
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    certificate = _self_signed(key, name, host, server=server)
    folder.mkdir(parents=True, exist_ok=True)
    key_path, certificate_path = folder / f"{name}.key.pem", folder / f"{name}.der"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    with os.fdopen(os.open(key_path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(private)
    with certificate_path.open("xb") as file:
        file.write(certificate.public_bytes(serialization.Encoding.DER))
    return certificate_path, key_path


def _self_signed(key: rsa.RSAPrivateKey, name: str, host: str, *, server: bool) -> x509.Certificate:
    """OPC 10000-6 §6.2.2: the ApplicationUri and the host stand in the subjectAltName."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name}@{host}")])
    uses = [ExtendedKeyUsageOID.CLIENT_AUTH] + [ExtendedKeyUsageOID.SERVER_AUTH] * server
    now = dt.datetime.now(dt.UTC)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))  # clocks of PLCs differ
        .not_valid_after(now + dt.timedelta(days=VALID_DAYS))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.UniformResourceIdentifier(f"urn:{host}:{name}"), x509.DNSName(host)]
            ),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                content_commitment=True,
                key_encipherment=True,
                data_encipherment=True,
                key_agreement=False,
                key_cert_sign=True,
                crl_sign=False,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        .add_extension(identifier, critical=False)
        .sign(key, hashes.SHA256())
    )


def load_certificate(path: Path) -> x509.Certificate:
    """DER or PEM. Raises OSError or ValueError."""
    data = path.read_bytes()
    if b"-----BEGIN" in data:
        return x509.load_pem_x509_certificate(data)
    return x509.load_der_x509_certificate(data)


def load_key(path: Path) -> rsa.RSAPrivateKey:
    """DER or PEM without password. Raises OSError, also when others can read it, or ValueError."""
    refuse_open_key(path)
    data = path.read_bytes()
    pem = b"-----BEGIN" in data
    load = serialization.load_pem_private_key if pem else serialization.load_der_private_key
    key = load(data, password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("OPC UA needs an RSA key")  # noqa: TRY004 - the file is wrong, not the type
    return key


def application_uri(certificate: x509.Certificate) -> str:
    """The ApplicationUri a certificate speaks for. Raises ValueError when it has none."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        names = None
    uris = names.get_values_for_type(x509.UniformResourceIdentifier) if names else []
    if not uris:
        raise ValueError("the certificate has no ApplicationUri in its subjectAltName")
    return uris[0]


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256, as engineering tools show it: ``3F:9A:…``."""
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()
