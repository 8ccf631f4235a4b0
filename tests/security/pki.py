"""Certificates of every kind of wrong, by an own maker: ours is tested from outside."""

import datetime as dt
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
PEM = serialization.Encoding.PEM
DAY = dt.timedelta(days=1)
SERVER, CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH
URI = "urn:plc:server"


@dataclass(frozen=True)
class Signed:
    """``<name>.pem`` and ``<name>.key`` below a folder."""

    cert: Path
    key: Path
    certificate: x509.Certificate

    @property
    def der(self) -> Path:
        path = self.cert.with_suffix(".der")
        path.write_bytes(self.certificate.public_bytes(serialization.Encoding.DER))
        return path


class Maker:
    """One authority in one folder."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = _name(name)
        self.ca = self._make(self.name, self.key, self.name, self.key, ca=True)
        self.path = folder / "ca.pem"
        self.path.write_bytes(self.ca.public_bytes(PEM))
        self.crl = self.revoke()

    def leaf(
        self,
        name: str,
        *,
        hosts: Sequence[str] = ("127.0.0.1",),
        use: ObjectIdentifier = SERVER,
        days: tuple[float, float] = (-1, 2),
        uri: str = "",
        key: Key | None = None,
        alone: bool = False,
    ) -> Signed:
        """``alone``: signed by itself. ``days`` from now: valid from, until."""
        own = key or ec.generate_private_key(ec.SECP256R1())
        issuer = (_name(name), own) if alone else (self.name, self.key)
        certificate = self._make(
            _name(name), own, *issuer, hosts=hosts, use=use, days=days, uri=uri
        )
        made = Signed(self.folder / f"{name}.pem", self.folder / f"{name}.key", certificate)
        made.cert.write_bytes(certificate.public_bytes(PEM))
        made.key.write_bytes(
            own.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
        made.key.chmod(0o600)
        return made

    def revoke(self, *signed: Signed, days: float = 30) -> Path:
        """The list of revoked ones."""
        now = dt.datetime.now(dt.UTC)
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.name)
        builder = builder.last_update(now - 40 * DAY).next_update(now + days * DAY)
        for each in signed:
            one = x509.RevokedCertificateBuilder().serial_number(each.certificate.serial_number)
            builder = builder.add_revoked_certificate(one.revocation_date(now - DAY).build())
        path = self.folder / f"crl{len(signed)}{days:g}.pem"
        path.write_bytes(builder.sign(self.key, hashes.SHA256()).public_bytes(PEM))
        return path

    def _make(
        self,
        subject: x509.Name,
        key: Key,
        issuer: x509.Name,
        signer: Key,
        *,
        ca: bool = False,
        hosts: Sequence[str] = (),
        use: ObjectIdentifier = SERVER,
        days: tuple[float, float] = (-1, 2),
        uri: str = "",
    ) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + days[0] * DAY)
            .not_valid_after(now + days[1] * DAY)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        names: list[x509.GeneralName] = [_host(host) for host in hosts]
        if uri:
            names.append(x509.UniformResourceIdentifier(uri))
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        if not ca:
            builder = builder.add_extension(x509.ExtendedKeyUsage([use]), critical=False)
        return builder.sign(signer, hashes.SHA256())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
