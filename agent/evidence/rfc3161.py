"""RFC 3161 time stamps: the request, and an answer checked before it is believed. Pure DER."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import new, sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

_SHA256 = bytes.fromhex("608648016503040201")
_SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
_TST_INFO = bytes.fromhex("2a864886f70d0109100104")
_CONTENT_TYPE = bytes.fromhex("2a864886f70d010903")
_MESSAGE_DIGEST = bytes.fromhex("2a864886f70d010904")
_SIGNING_CERTIFICATE = bytes.fromhex("2a864886f70d010910020c")
_SIGNING_CERTIFICATE_V2 = bytes.fromhex("2a864886f70d010910022f")
_DIGESTS = {
    _SHA256: "sha256",
    bytes.fromhex("608648016503040202"): "sha384",
    bytes.fromhex("608648016503040203"): "sha512",
}
_RSA = bytes.fromhex("2a864886f70d0101")
_ECDSA = bytes.fromhex("2a8648ce3d0403")
_INT, _OCTETS, _OID, _TIME, _SEQ, _SET = 2, 4, 6, 0x18, 0x30, 0x31
MOST_BYTES = 64 << 10


class StampError(Exception):
    """An answer that is not believed, and why."""


class UnknownSchemeError(StampError):
    """Signed with an algorithm that is not checked here; the openssl program may know it."""


# DER


def _der(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    if len(body) < 128:
        return bytes((tag, len(body))) + body
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(size))) + size + body


@dataclass(frozen=True, slots=True)
class _Item:
    """One DER element: ``whole`` with its header, ``body`` without."""

    tag: int
    body: bytes
    whole: bytes

    def items(self) -> list["_Item"]:
        return _items(self.body)

    def expect(self, tag: int) -> "_Item":
        if self.tag != tag:
            raise StampError(f"DER: tag {self.tag:#x} where {tag:#x} belongs")
        return self


def _items(data: bytes) -> list[_Item]:
    """Every byte is used, every length is the shortest form."""
    found, at = [], 0
    while at < len(data):
        start, head = at, data[at : at + 2]
        if len(head) < 2 or head[0] & 0x1F == 0x1F:
            raise StampError("DER: cut off")
        size, at = head[1], at + 2
        if size & 0x80:
            count = size & 0x7F
            size = int.from_bytes(data[at : at + count], "big")
            at += count
            if not 1 <= count <= 4 or size < max(128, 1 << 8 * (count - 1)):
                raise StampError("DER: a length in the wrong form")
        if at + size > len(data):
            raise StampError("DER: cut off")
        found.append(_Item(head[0], data[at : at + size], data[start : at + size]))
        at += size
    return found


def _only(data: bytes, tag: int) -> _Item:
    found = _items(data)
    if len(found) != 1:
        raise StampError(f"DER: {len(found)} elements where one belongs")
    return found[0].expect(tag)


# request


def request(imprint: bytes, nonce: int) -> bytes:
    """TimeStampReq over a SHA-256 digest; asks for the certificate."""
    algorithm = _der(_SEQ, _der(_OID, _SHA256), _der(5))
    number = nonce.to_bytes(nonce.bit_length() // 8 + 1, "big")
    return _der(
        _SEQ,
        _der(_INT, b"\1"),
        _der(_SEQ, algorithm, _der(_OCTETS, imprint)),
        _der(_INT, number),
        _der(1, b"\xff"),
    )


# answer


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a verified answer says."""

    at: datetime  # UTC
    serial: int
    signer: str  # subject of the certificate

    @classmethod
    def by_program(cls, time: str, signer: str) -> "Stamp":
        """Of the text that ``openssl ts -reply -text`` prints. Raises StampError."""
        for form in ("%b %d %H:%M:%S %Y GMT", "%b %d %H:%M:%S.%f %Y GMT"):
            try:
                return cls(datetime.strptime(time, form).replace(tzinfo=UTC), 0, signer)
            except ValueError:
                continue
        raise StampError(f"openssl says no time: {time!r}")


@dataclass(frozen=True, slots=True)
class _Token:
    info: _Item  # TSTInfo
    certificates: tuple[bytes, ...]
    signer: list[_Item]  # SignerInfo


def check(
    answer: bytes, imprint: bytes, nonce: int | None, anchors: "Sequence[Certificate]"
) -> Stamp:
    """
    Raises StampError unless ``answer`` (TimeStampResp) stamps ``imprint`` (SHA-256), has the nonce
    (None: not asked), and is signed by a time-stamping certificate that leads to ``anchors``.
    """
    if len(answer) > MOST_BYTES:
        raise StampError(f"{len(answer)} bytes")
    try:
        token = _token(answer)
        at, serial = _info(token.info, imprint, nonce)
        signer = _signer(token, anchors, at)
        return Stamp(at, serial, signer.subject.rfc4514_string())
    except StampError:
        raise
    except Exception as error:  # noqa: BLE001 - the library raises many kinds for hostile bytes
        raise StampError(f"not readable: {type(error).__name__}: {error}") from None


def _token(answer: bytes) -> _Token:
    parts = _only(answer, _SEQ).items()
    status = parts[0].expect(_SEQ).items() if parts else []
    if not status or status[0].whole != b"\2\1\0":
        words = status[0].body.hex() if status else "none"
        raise StampError(f"the authority did not grant it (status {words})")
    if len(parts) != 2:
        raise StampError("no token in the answer")
    kind, content = _two(parts[1].expect(_SEQ))
    if kind.whole != _der(_OID, _SIGNED_DATA):
        raise StampError("the token is no SignedData")
    version, digests, wrapped, *rest = _only(content.expect(0xA0).body, _SEQ).items()
    if version.whole != b"\2\1\3" or len(rest) != 2:
        raise UnknownSchemeError("SignedData in a form that is not known here")
    kind, content = _two(wrapped.expect(_SEQ))
    if kind.whole != _der(_OID, _TST_INFO):
        raise StampError("SignedData without TSTInfo")
    info = _only(_only(content.expect(0xA0).body, _OCTETS).body, _SEQ)
    certificates = tuple(each.expect(_SEQ).whole for each in rest[0].expect(0xA0).items())
    signers = rest[1].expect(_SET).items()
    if len(signers) != 1:
        raise StampError(f"{len(signers)} signers")
    signer = signers[0].expect(_SEQ).items()
    if [each.whole for each in digests.expect(_SET).items()] != [signer[2].whole]:
        raise StampError("SignedData names another digest than its signer")
    return _Token(info, certificates, signer)


def _two(item: _Item) -> tuple[_Item, _Item]:
    found = item.items()
    if len(found) != 2:
        raise StampError(f"DER: {len(found)} elements where two belong")
    return found[0], found[1]


def _info(info: _Item, imprint: bytes, nonce: int | None) -> tuple[datetime, int]:
    version, policy, stamped, serial, time, *more = info.items()
    policy.expect(_OID)
    algorithm, digest = _two(stamped.expect(_SEQ))
    if version.whole != b"\2\1\1" or algorithm.items()[0].whole != _der(_OID, _SHA256):
        raise StampError("TSTInfo of another version or digest")
    if digest.expect(_OCTETS).body != imprint:
        raise StampError("the stamp is of other data")
    said = [int.from_bytes(each.body, "big") for each in more if each.tag == _INT]
    if nonce is not None and said != [nonce]:
        raise StampError("the stamp answers another request")
    text = time.expect(_TIME).body.decode("ascii", "replace")
    try:
        form = "%Y%m%d%H%M%S.%fZ" if "." in text else "%Y%m%d%H%M%SZ"
        at = datetime.strptime(text, form).replace(tzinfo=UTC)
    except ValueError:
        raise StampError(f"no time: {text!r}") from None
    return at, int.from_bytes(serial.expect(_INT).body, "big")


def _signer(token: _Token, anchors: "Sequence[Certificate]", at: datetime) -> "Certificate":
    """The certificate that signed, when everything about it is right."""
    from cryptography.x509 import load_der_x509_certificate

    version, _, digest, attributes, scheme, signature, *rest = token.signer
    if version.whole != (b"\2\1\1" if token.signer[1].tag == _SEQ else b"\2\1\3") or rest:
        raise UnknownSchemeError("SignerInfo in a form that is not known here")
    if any(_only(each, _SEQ).items()[2].body[:1] != b"\0" for each in token.certificates):
        raise StampError("a certificate's signature with unused bits")  # libraries overlook them
    bag = [load_der_x509_certificate(each) for each in token.certificates]
    name = _DIGESTS.get(digest.items()[0].body)
    if name is None:
        raise UnknownSchemeError("a digest that is not known here")
    said = _attributes(attributes.expect(0xA0))
    if said.get(_CONTENT_TYPE) != _der(_OID, _TST_INFO):
        raise StampError("the signature is of something else")
    if said.get(_MESSAGE_DIGEST) != _der(_OCTETS, new(name, token.info.whole).digest()):
        raise StampError("the signature is of another TSTInfo")
    signer = _named(said, bag)
    if _identity(token.signer[1], signer):
        raise StampError("the signer names another certificate")
    _verify(signer, scheme, name, signature.expect(_OCTETS).body, _der(_SET, attributes.body))
    for each in bag:
        _leads_to(each, bag, anchors, at)
    return signer


def _attributes(attributes: _Item) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for each in attributes.items():
        kind, values = _two(each.expect(_SEQ))
        value = values.expect(_SET).items()
        if len(value) != 1 or kind.body in found:
            raise StampError("a signed attribute that is not there once")
        found[kind.expect(_OID).body] = value[0].whole
    return found


def _named(said: dict[bytes, bytes], bag: "list[Certificate]") -> "Certificate":
    """The certificate whose hash is among the signed attributes (ESSCertID, ESSCertIDv2)."""
    from cryptography.hazmat.primitives.serialization import Encoding

    for oid, plain in ((_SIGNING_CERTIFICATE_V2, "sha256"), (_SIGNING_CERTIFICATE, "sha1")):
        if oid not in said:
            continue
        first = _only(said[oid], _SEQ).items()[0].items()[0].items()
        named = plain
        if first[0].tag == _SEQ:
            named = _DIGESTS.get(first.pop(0).items()[0].body, "")
        if not named:
            raise UnknownSchemeError("a certificate named by a digest that is not known here")
        wanted = first[0].expect(_OCTETS).body
        for each in bag:
            if new(named, each.public_bytes(Encoding.DER)).digest() == wanted:
                return each
    raise StampError("the certificate that signed is not in the answer")


def _identity(said: _Item, signer: "Certificate") -> bool:
    """Whether issuer and serial number are other than the certificate's."""
    if said.tag != _SEQ:
        return said.tag != 0x80
    issuer, serial = _two(said)
    number = int.from_bytes(serial.expect(_INT).body, "big", signed=True)
    return issuer.whole != signer.issuer.public_bytes() or number != signer.serial_number


def _verify(
    signer: "Certificate", scheme: _Item, digest: str, signature: bytes, message: bytes
) -> None:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

    kind = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}[digest]
    named, *parameters = scheme.expect(_SEQ).items()
    oid = named.expect(_OID).body
    if any(each.whole != b"\5\0" for each in parameters):
        raise UnknownSchemeError("a signature algorithm with parameters")
    key = signer.public_key()
    try:
        if isinstance(key, rsa.RSAPublicKey) and oid in (_RSA + b"\1", _RSA + _RSA_WITH[digest]):
            key.verify(signature, message, padding.PKCS1v15(), kind)
        elif isinstance(key, ec.EllipticCurvePublicKey) and oid == _ECDSA + _ECDSA_WITH[digest]:
            key.verify(signature, message, ec.ECDSA(kind))
        else:
            raise UnknownSchemeError("a signature algorithm that is not known here")
    except InvalidSignature:
        raise StampError("the signature is wrong") from None


_RSA_WITH = {"sha256": b"\x0b", "sha384": b"\x0c", "sha512": b"\x0d"}
_ECDSA_WITH = {"sha256": b"\2", "sha384": b"\3", "sha512": b"\4"}


def _leads_to(
    certificate: "Certificate",
    bag: "Sequence[Certificate]",
    anchors: "Sequence[Certificate]",
    at: datetime,
) -> None:
    """Each link signed by the next, valid at the time, the first for time stamps only."""
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID

    usage = ExtendedKeyUsageOID.TIME_STAMPING
    for _ in range(8):
        if certificate in anchors:
            return
        if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
            raise StampError(f"{certificate.subject.rfc4514_string()} was not valid at {at}")
        if not _is_authority(certificate):
            try:
                found = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
            except x509.ExtensionNotFound:
                found = None
            if found is None or list(found.value) != [usage]:
                raise StampError("the certificate is not for time stamps")
        issuer = next((c for c in (*anchors, *bag) if _issued(certificate, c)), None)
        if issuer is None:
            break
        certificate = issuer
    raise StampError(
        f"{certificate.subject.rfc4514_string()} does not lead to a certificate of `ca`"
    )


def _is_authority(certificate: "Certificate") -> bool:
    from cryptography import x509

    try:
        found = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except x509.ExtensionNotFound:
        return False
    return found.value.ca


def _issued(certificate: "Certificate", issuer: "Certificate") -> bool:
    from cryptography.exceptions import InvalidSignature

    if certificate == issuer or not _is_authority(issuer):
        return False
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def imprint_of(data: bytes) -> bytes:
    """What a stamp is asked for."""
    return sha256(data).digest()
