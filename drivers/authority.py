"""
A small authority for one site: it signs certificates of gateways, brokers and servers, and revokes.

A folder: authority.pem, authority.key (0600), crl.pem, issued.jsonl. It belongs on a stick in a
safe, not on a gateway. RSA, because OPC UA takes no other signature; keys of TLS are P-256.
"""

import datetime as dt
import ipaddress
import json
import os
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from drivers.language import say
from drivers.model import ConfigError
from drivers.secret import OpenKeyError, refuse_open_key

Use = Literal["client", "server", "opcua"]
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
PEM = serialization.Encoding.PEM
AUTHORITY_DAYS, DAYS = 3650, 825
EARLIER = dt.timedelta(hours=1)  # clocks of a plant differ
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._@-]{0,63}")
# Modbus/TCP Security, MB-TCP-Security-v36 §8.4: the role of a client, a UTF8String.
ROLE = x509.ObjectIdentifier("1.3.6.1.4.1.50316.802.1")
_USES = {
    "client": [ExtendedKeyUsageOID.CLIENT_AUTH],
    "server": [ExtendedKeyUsageOID.SERVER_AUTH],
    "opcua": [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH],
}


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose certificate it is to be: CN, hosts or addresses, ApplicationUri, Modbus role."""

    name: str
    hosts: tuple[str, ...] = ()
    uri: str = ""
    role: str = ""


@dataclass(frozen=True, slots=True)
class Issued:
    """A line of issued.jsonl. Times are UTC, ISO 8601."""

    serial: str
    name: str
    use: str
    made: str
    until: str
    revoked: str = ""
    why: str = ""


def new_key(use: Use) -> Key:
    """RSA 3072 for OPC UA, P-256 for TLS."""
    if use == "opcua":
        return rsa.generate_private_key(public_exponent=65537, key_size=3072)
    return ec.generate_private_key(ec.SECP256R1())


def key_bytes(key: Key) -> bytes:
    """PKCS#8 in PEM, without password: the file's mode guards it."""
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(PEM, form, serialization.NoEncryption())


def request_of(key: Key, owner: Owner) -> x509.CertificateSigningRequest:
    """What is carried to an authority: the key itself stays where it was made."""
    wanted = x509.CertificateSigningRequestBuilder().subject_name(_subject(owner.name))
    names = _alternative(owner)
    if names:
        wanted = wanted.add_extension(x509.SubjectAlternativeName(names), critical=False)
    if owner.role:
        wanted = wanted.add_extension(_role(owner.role), critical=False)
    return wanted.sign(key, hashes.SHA256())


def self_signed(key: Key, owner: Owner, use: Use, days: int) -> x509.Certificate:
    """For peers that pin or list it by hand."""
    csr = request_of(key, owner)
    now = dt.datetime.now(dt.UTC)
    builder = _leaf(csr, use, now, now + dt.timedelta(days=days))
    return builder.issuer_name(csr.subject).sign(key, hashes.SHA256())


class Authority:
    """The folder, opened; raises ConfigError for one that is none."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            self.certificate = x509.load_pem_x509_certificate(self.path.read_bytes())
            refuse_open_key(folder / "authority.key")
            key = serialization.load_pem_private_key((folder / "authority.key").read_bytes(), None)
        except OpenKeyError as error:
            raise ConfigError([str(error.strerror)]) from None
        except (OSError, ValueError) as error:
            told = say(f"{folder}：不是证书机构目录", f"{folder}: no folder of an authority")
            raise ConfigError([f"{told}: {error}"]) from None
        if not isinstance(key, rsa.RSAPrivateKey):
            raise ConfigError([f"{folder}/authority.key: RSA"])
        self._key = key

    @classmethod
    def create(cls, folder: Path, name: str, days: int = AUTHORITY_DAYS) -> "Authority":
        """Raises ConfigError rather than replace one that devices trust already."""
        if (folder / "authority.key").exists():
            told = f"{folder}：已有证书机构，不会覆盖", f"{folder}: has an authority, not replaced"
            raise ConfigError([say(*told)])
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
        now = dt.datetime.now(dt.UTC)
        identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        certificate = (
            x509.CertificateBuilder()
            .subject_name(_subject(name))
            .issuer_name(_subject(name))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - EARLIER)
            .not_valid_after(now + dt.timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(ca=True), critical=True)
            .add_extension(identifier, critical=False)
            .sign(key, hashes.SHA256())
        )
        write_file(folder / "authority.key", key_bytes(key), 0o600)
        write_file(folder / "authority.pem", certificate.public_bytes(PEM))
        made = cls(folder)
        made._write([])
        return made

    @property
    def path(self) -> Path:
        return self.folder / "authority.pem"

    @property
    def crl(self) -> Path:
        return self.folder / "crl.pem"

    def issued(self) -> list[Issued]:
        """Raises ConfigError with the line that is none."""
        path = self.folder / "issued.jsonl"
        rows: list[Issued] = []
        try:
            for line in path.read_text("utf-8").splitlines() if path.exists() else []:
                rows.append(Issued(**json.loads(line)))  # noqa: PERF401 - its length is told below
        except (OSError, ValueError, TypeError) as error:
            told = say(
                "无法读取；请用备份恢复此文件，否则无法得知签发和吊销了什么",
                "cannot be read; bring it back from a copy, or nobody knows what was revoked",
            )
            raise ConfigError([f"{path}:{len(rows) + 1}: {told} ({error})"]) from None
        return rows

    def valid(self, name: str) -> Issued | None:
        """The newest certificate of that name that is neither over nor revoked."""
        now = dt.datetime.now(dt.UTC)
        return next(
            (
                each
                for each in reversed(self.issued())
                if each.name == name
                and not each.revoked
                and dt.datetime.fromisoformat(each.until) > now
            ),
            None,
        )

    def sign(
        self,
        csr: x509.CertificateSigningRequest,
        use: Use,
        days: int = DAYS,
        *,
        begin: dt.datetime | None = None,
    ) -> x509.Certificate:
        """Valid at most as long as the authority. ``begin``: now. ConfigError for a bad request."""
        names = csr.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        if not csr.is_signature_valid or len(names) != 1 or not NAME.fullmatch(str(names[0].value)):
            told = "证书请求无效：签名或名称（CN）不对", "no good request: its signature or its CN"
            raise ConfigError([say(*told)])
        start = begin or dt.datetime.now(dt.UTC)
        until = min(start + dt.timedelta(days=days), self.certificate.not_valid_after_utc)
        key = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        made = (
            _leaf(csr, use, start, until)
            .issuer_name(self.certificate.subject)
            .add_extension(key, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        name = str(names[0].value)
        line = Issued(f"{made.serial_number:x}", name, use, _iso(start), _iso(until))
        self._write([*self.issued(), line])
        return made

    def revoke(self, wanted: str, why: str) -> list[Issued]:
        """By serial number (hex) or name; the ones revoked now. The list is written anew."""
        now = _iso(dt.datetime.now(dt.UTC))
        rows = self.issued()
        hit = [r for r in rows if wanted in {r.serial, r.name} and not r.revoked]
        done = [replace(each, revoked=now, why=why) for each in hit]
        by_serial = {each.serial: each for each in done}
        self._write([by_serial.get(each.serial, each) for each in rows])
        return done

    def _write(self, rows: Sequence[Issued]) -> None:
        """The list of revoked ones first: a line in the index alone would revoke nothing."""
        now = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.subject)
            .last_update(now - EARLIER)
            .next_update(self.certificate.not_valid_after_utc)  # carried by hand: see decisions
            .add_extension(x509.CRLNumber(int(now.timestamp())), critical=False)
        )
        for row in rows:
            if row.revoked:
                at = dt.datetime.fromisoformat(row.revoked)
                one = x509.RevokedCertificateBuilder().serial_number(int(row.serial, 16))
                builder = builder.add_revoked_certificate(one.revocation_date(at).build())
        write_file(self.crl, builder.sign(self._key, hashes.SHA256()).public_bytes(PEM))
        text = "".join(json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in rows)
        write_file(self.folder / "issued.jsonl", text.encode())


def write_file(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Whole or not at all, on disk when it returns."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def _leaf(
    csr: x509.CertificateSigningRequest, use: Use, start: dt.datetime, until: dt.datetime
) -> x509.CertificateBuilder:
    """Only names and the role come from the request; what it may be used for does not."""
    identifier = x509.SubjectKeyIdentifier.from_public_key(csr.public_key())
    builder = (
        x509.CertificateBuilder()
        .subject_name(csr.subject)
        .public_key(csr.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start - EARLIER)
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(opcua=use == "opcua"), critical=True)
        .add_extension(x509.ExtendedKeyUsage(_USES[use]), critical=False)
        .add_extension(identifier, critical=False)
    )
    for each in csr.extensions:
        if each.oid in {x509.SubjectAlternativeName.oid, ROLE}:
            builder = builder.add_extension(each.value, critical=False)
    return builder


def _usage(*, ca: bool = False, opcua: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=opcua,
        key_encipherment=opcua,
        data_encipherment=opcua,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _alternative(owner: Owner) -> list[x509.GeneralName]:
    names: list[x509.GeneralName] = []
    if owner.uri:
        names.append(x509.UniformResourceIdentifier(owner.uri))
    for host in owner.hosts:
        try:
            names.append(x509.IPAddress(ipaddress.ip_address(host)))
        except ValueError:
            names.append(x509.DNSName(host))
    return names


def _role(role: str) -> x509.UnrecognizedExtension:
    text = role.encode()
    if len(text) > 127:
        raise ConfigError([say("角色名过长", "the role is too long")])
    return x509.UnrecognizedExtension(ROLE, bytes((0x0C, len(text))) + text)


def _iso(moment: dt.datetime) -> str:
    return moment.isoformat(timespec="seconds")


def names_of(csr: x509.CertificateSigningRequest) -> tuple[str, list[str]]:
    """The name (CN, "" for none) and every other name that a request asks for."""
    found = csr.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    try:
        more = csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return str(found[0].value) if len(found) == 1 else "", []
    others = [f"{type(each).__name__} {each.value}" for each in more]
    return str(found[0].value) if len(found) == 1 else "", others
