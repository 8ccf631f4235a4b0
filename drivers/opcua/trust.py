"""
A trust list as a folder: trusted/ issuers/ rejected/ crl/ (OPC 10000-12 §7.8 in files).

A server's certificate is believed when it, or an authority it leads to, lies in trusted/; issuers/
only completes chains. Dates, use, ApplicationUri and revocation count for every one; the host only
for those that an authority vouches for, since it vouches for many. What is not believed lies in
rejected/ until a person looks at its fingerprint and moves it.
"""

import datetime as dt
import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import ExtendedKeyUsageOID

from drivers.peer import Why

FOLDERS = ("trusted", "issuers", "rejected", "crl")
REJECTED_MOST = 50  # a scanner in the network must not fill the disk
LONGEST_CHAIN = 6
MOST_PATHS = 16  # what a server sends beside its certificate cannot keep us busy


@dataclass(frozen=True, slots=True)
class Asked:
    """Who the server should be."""

    host: str  # of the address
    uri: str  # the ApplicationUri its endpoint names


class TrustList:
    """One folder; read anew for each question, so that a moved file counts at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def make(self) -> None:
        """The empty folders, so that an engineer sees where what belongs."""
        for name in FOLDERS:
            (self.folder / name).mkdir(parents=True, exist_ok=True)

    def judge(
        self, shown: x509.Certificate, chain: Iterable[x509.Certificate], asked: Asked
    ) -> Why | None:
        """None when ``shown`` may be believed; ``chain`` is what the server sent beside it."""
        now = dt.datetime.now(dt.UTC)
        trusted = self._certificates("trusted")
        known = [*trusted, *self._certificates("issuers")]
        known += islice(chain, LONGEST_CHAIN)  # who sends more wants to keep us busy
        believed = {_finger(each) for each in trusted}
        paths = (p for p in _paths([shown], known) if any(_finger(x) in believed for x in p))
        reasons: list[Why] = []
        for path in islice(paths, MOST_PATHS):
            outdated = next((found for each in path if (found := _dates(each, now))), None)
            reason = outdated or self._revoked(path, now)
            if reason is None:
                return _mismatch(shown, asked, vouched=_finger(shown) not in believed)
            reasons.append(reason)
        return reasons[0] if reasons else Why.UNKNOWN

    def reject(self, shown: x509.Certificate) -> Path:
        """Keep it for a person to look at; of very many only the newest."""
        folder = self.folder / "rejected"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{_finger(shown)[:40]}.der"
        if not path.exists():
            fresh = path.with_suffix(".tmp")
            fresh.write_bytes(shown.public_bytes(serialization.Encoding.DER))
            fresh.replace(path)
            kept = sorted(folder.glob("*.der"), key=lambda each: each.stat().st_mtime_ns)
            for old in kept[:-REJECTED_MOST]:
                old.unlink(missing_ok=True)
        return path

    def _certificates(self, name: str) -> list[x509.Certificate]:
        found: list[x509.Certificate] = []
        for data in _files(self.folder / name):
            try:
                if b"-----BEGIN" in data:
                    found += x509.load_pem_x509_certificates(data)
                else:
                    found.append(x509.load_der_x509_certificate(data))
            except ValueError:  # somebody's notes, or half a copy: it is believed by nobody
                continue
        return found

    def _revoked(self, path: list[x509.Certificate], now: dt.datetime) -> Why | None:
        """Every certificate but the root must stand on the good side of its issuer's list."""
        lists = list(self._lists())
        for each, issuer in pairwise(path):
            usable = [crl for crl in lists if _of(crl, issuer, now)]
            if not usable:
                return Why.NO_LIST
            if any(
                crl.get_revoked_certificate_by_serial_number(each.serial_number) for crl in usable
            ):
                return Why.REVOKED
        return None

    def _lists(self) -> Iterable[x509.CertificateRevocationList]:
        for data in _files(self.folder / "crl"):
            try:
                load = x509.load_pem_x509_crl if b"-----BEGIN" in data else x509.load_der_x509_crl
                yield load(data)
            except ValueError:
                continue


def _mismatch(shown: x509.Certificate, asked: Asked, *, vouched: bool) -> Why | None:
    """Of a certificate that is genuine: is it one of a server, and of this one?"""
    if not _for_servers(shown):
        return Why.USE
    if asked.uri not in _uris(shown):
        return Why.URI
    return Why.HOST if vouched and not _of_host(shown, asked.host) else None


def _files(folder: Path) -> Iterable[bytes]:
    if folder.is_dir():
        for path in sorted(folder.iterdir()):
            if path.is_file() and not path.name.startswith("."):
                yield path.read_bytes()


def _paths(
    path: list[x509.Certificate], known: list[x509.Certificate]
) -> Iterator[list[x509.Certificate]]:
    """
    Every way from the leaf up to a self-signed one: an authority that was renewed or signed by two
    others has several, and one of them may be outdated.
    """
    last = path[-1]
    if _signed(last, last):
        yield path
        return
    if len(path) > LONGEST_CHAIN:
        return
    met = {_finger(each) for each in path}
    for each in known:
        below = len(path) - 1  # authorities between this one and the leaf
        if _finger(each) not in met and _authority(each, below) and _signed(last, each):
            met.add(_finger(each))  # sent and listed: once
            yield from _paths([*path, each], known)


def _signed(each: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        each.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _authority(each: x509.Certificate, below: int) -> bool:
    """May it sign certificates, with ``below`` authorities under it (RFC 5280 §4.2.1.9)?"""
    try:
        limits = each.extensions.get_extension_for_class(x509.BasicConstraints).value
    except (x509.ExtensionNotFound, ValueError):
        return False
    room = limits.path_length is None or below <= limits.path_length
    return limits.ca and room and _may(each, "key_cert_sign")


def _may(each: x509.Certificate, deed: str) -> bool:
    """A certificate without keyUsage may do everything (§4.2.1.3)."""
    try:
        usage = each.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return True
    except ValueError:
        return False
    return bool(getattr(usage, deed))


def _dates(each: x509.Certificate, now: dt.datetime) -> Why | None:
    if now < each.not_valid_before_utc:
        return Why.NOT_YET
    return Why.EXPIRED if now > each.not_valid_after_utc else None


def _of(crl: x509.CertificateRevocationList, issuer: x509.Certificate, now: dt.datetime) -> bool:
    """Signed by that issuer and not outdated."""
    key = issuer.public_key()
    try:
        mine = crl.issuer == issuer.subject and crl.is_signature_valid(key)  # type: ignore[arg-type]
        mine = mine and _may(issuer, "crl_sign")
    except (TypeError, ValueError):
        return False
    until = crl.next_update_utc
    return mine and crl.last_update_utc <= now and (until is None or now <= until)


def _for_servers(shown: x509.Certificate) -> bool:
    """A certificate that names no use may be used for all."""
    try:
        uses = shown.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return ExtendedKeyUsageOID.SERVER_AUTH in uses


def _names(shown: x509.Certificate) -> x509.SubjectAlternativeName | None:
    try:
        return shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return None


def _uris(shown: x509.Certificate) -> list[str]:
    names = _names(shown)
    return names.get_values_for_type(x509.UniformResourceIdentifier) if names else []


def _of_host(shown: x509.Certificate, host: str) -> bool:
    names = _names(shown)
    if names is None:
        return False
    try:
        return ipaddress.ip_address(host) in names.get_values_for_type(x509.IPAddress)
    except ValueError:
        return host.lower() in {each.lower() for each in names.get_values_for_type(x509.DNSName)}


def _finger(each: x509.Certificate) -> str:
    return each.fingerprint(hashes.SHA256()).hex()
