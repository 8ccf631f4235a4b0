"""OPC UA servers that must be refused: no session is opened, so no name and no password is sent."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from drivers.opcua.trust import REJECTED_MOST, Asked, TrustList
from drivers.peer import Why
from tests.security.pki import Maker
from tests.security.wrong_opcua import KINDS, SECRET, Shown, World, world

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def made(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with world(tmp_path_factory.mktemp("opcua")) as found:
        yield found


@pytest.mark.parametrize("kind", KINDS)
async def test_refused_before_a_session(made: World, kind: str) -> None:
    wanted = next(each for each in made.shown if each.name == kind)
    assert wanted.reason is KINDS[kind]
    refusal, error = await made.meet(wanted)
    assert error is not None
    if wanted.reason is not None:
        assert refusal is not None, str(error)
        assert refusal.reason is wanted.reason, str(refusal)
    assert made.running.users.asked == []
    assert made.sessions == 0
    if wanted.reason is Why.UNKNOWN:
        assert len(made.rejected) == 1
        shown = x509.load_der_x509_certificate(made.rejected[0].read_bytes())
        assert shown == wanted.signed.certificate


async def test_the_right_server_is_believed_by_its_authority_and_by_itself(made: World) -> None:
    good = next(each for each in made.shown if each.name == "wrong ApplicationUri").signed
    assert await made.meet(Shown("right", None, good)) == (None, None)
    assert made.running.users.asked[-1] == ("smelter", SECRET)
    assert made.sessions == 1


async def test_what_an_operator_moves_from_rejected_to_trusted_is_believed(made: World) -> None:
    alone = next(each for each in made.shown if each.name == "self-signed").signed
    refusal, _ = await made.meet(Shown("self-signed", Why.UNKNOWN, alone))
    assert refusal is not None
    (rejected,) = made.rejected
    assert str(rejected) in refusal.shown
    trust = TrustList(rejected.parents[1])
    rejected.rename(rejected.parents[1] / "trusted" / rejected.name)
    uri = "urn:plc:server"
    assert trust.judge(alone.certificate, [], Asked("192.0.2.200", uri)) is None  # host: its own
    assert trust.judge(alone.certificate, [], Asked("127.0.0.1", "urn:x")) is Why.URI


async def test_rejected_holds_a_bounded_number(tmp_path: Path) -> None:
    maker, trust = Maker(tmp_path / "ca", "scanner"), TrustList(tmp_path / "trust")
    certificates = [maker.leaf(f"s{i}").certificate for i in range(REJECTED_MOST + 5)]
    for each in certificates:
        await asyncio.to_thread(trust.reject, each)
        await asyncio.to_thread(trust.reject, each)
    kept = list((tmp_path / "trust" / "rejected").iterdir())
    assert len(kept) == REJECTED_MOST


async def test_rubbish_in_the_folders_is_believed_by_nobody(tmp_path: Path) -> None:
    maker, trust = Maker(tmp_path / "ca", "site"), TrustList(tmp_path / "trust")
    trust.make()
    for name in ("trusted", "crl", "issuers"):
        (tmp_path / "trust" / name / "note.txt").write_bytes(b"-----BEGIN CERTIFICATE-----\nno")
        (tmp_path / "trust" / name / "half.der").write_bytes(b"\x30\x82\x01")
    shown = maker.leaf("server", uri="urn:s").certificate
    assert trust.judge(shown, [], Asked("127.0.0.1", "urn:s")) is Why.UNKNOWN
    assert trust.judge(shown, [maker.ca], Asked("127.0.0.1", "urn:s")) is Why.UNKNOWN


URI = "urn:s"
DAY = dt.timedelta(days=1)
By = tuple[str, ec.EllipticCurvePrivateKey]
USAGES = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
    *("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
)


class Chain:
    """Certificates with every constraint as wanted, and a trust list."""

    def __init__(self, folder: Path) -> None:
        self.trust = TrustList(folder)
        self.trust.make()
        self.now = dt.datetime.now(dt.UTC)

    def made(
        self,
        name: str,
        by: By | None = None,
        *,
        ca: bool = True,
        room: int | None = None,
        signs: bool | None = None,
        lists: bool = True,
        days: float = 5,
        key: ec.EllipticCurvePrivateKey | None = None,
    ) -> tuple[x509.Certificate, By]:
        """``signs`` None: no keyUsage at all."""
        own = key or ec.generate_private_key(ec.SECP256R1())
        issuer, signer = by or (name, own)
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(name))
            .issuer_name(_name(issuer))
            .public_key(own.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now - 9 * DAY)
            .not_valid_after(self.now + days * DAY)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=room), critical=True)
        )
        if signs is not None:
            usage = dict.fromkeys(USAGES, False) | {"key_cert_sign": signs, "crl_sign": lists}
            builder = builder.add_extension(x509.KeyUsage(**usage), critical=True)
        if not ca:
            names = [x509.UniformResourceIdentifier(URI), x509.DNSName("plc")]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(signer, hashes.SHA256()), (name, own)

    def put(self, folder: str, certificate: x509.Certificate) -> Path:
        path = self.trust.folder / folder / f"{certificate.serial_number}.der"
        path.write_bytes(certificate.public_bytes(Encoding.DER))
        return path

    def clean(self, by: By) -> None:
        """A list without entries."""
        builder = x509.CertificateRevocationListBuilder().issuer_name(_name(by[0]))
        builder = builder.last_update(self.now - DAY).next_update(self.now + DAY)
        data = builder.sign(by[1], hashes.SHA256()).public_bytes(Encoding.DER)
        (self.trust.folder / "crl" / by[0]).write_bytes(data)

    def judge(self, leaf: x509.Certificate, *chain: x509.Certificate) -> Why | None:
        return self.trust.judge(leaf, chain, Asked("plc", URI))


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@pytest.mark.parametrize(
    ("middle", "expected"),
    [
        ({}, None),
        ({"signs": True}, None),
        ({"signs": False}, Why.UNKNOWN),  # keyUsage without keyCertSign signs no certificates
        ({"ca": False}, Why.UNKNOWN),
        ({"signs": True, "lists": False}, Why.NO_LIST),  # nor, without cRLSign, a list
    ],
)
async def test_an_authority_signs_only_what_it_may(
    tmp_path: Path, middle: dict[str, bool], expected: Why | None
) -> None:
    made = Chain(tmp_path)
    root, by_root = made.made("root", room=1, signs=True)
    between, by_between = made.made("between", by_root, **middle)  # type: ignore[arg-type]
    leaf, _ = made.made("plc", by_between, ca=False)
    made.put("trusted", root)
    made.clean(by_root)
    made.clean(by_between)
    assert made.judge(leaf, between) is expected


async def test_a_chain_longer_than_its_root_allows_is_not_believed(tmp_path: Path) -> None:
    made = Chain(tmp_path)
    root, by_root = made.made("root", room=0)
    between, by_between = made.made("between", by_root)
    leaf, _ = made.made("plc", by_between, ca=False)
    direct, _ = made.made("plc", by_root, ca=False)
    made.put("trusted", root)
    made.clean(by_root)
    made.clean(by_between)
    assert made.judge(leaf, between) is Why.UNKNOWN
    assert made.judge(direct) is None


async def test_an_outdated_issuer_does_not_hide_the_renewed_one(tmp_path: Path) -> None:
    """The same authority, its certificate renewed with the same key; whichever is met first."""
    made = Chain(tmp_path)
    key = ec.generate_private_key(ec.SECP256R1())
    old, by_ca = made.made("ca", days=-1, key=key)
    new, _ = made.made("ca", key=key)
    leaf, _ = made.made("plc", by_ca, ca=False)
    made.clean(by_ca)
    (made.trust.folder / "trusted" / "0-old.der").write_bytes(old.public_bytes(Encoding.DER))
    kept = made.put("trusted", new)
    assert made.judge(leaf, old) is None
    kept.unlink()
    assert made.judge(leaf, old) is Why.EXPIRED
