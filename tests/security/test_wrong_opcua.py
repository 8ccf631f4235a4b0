"""OPC UA servers that must be refused: no session is opened, so no name and no password is sent."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from cryptography import x509

from drivers.opcua.trust import REJECTED_MOST, TrustList
from drivers.peer import Why
from tests.security.pki import Maker
from tests.security.wrong_opcua import SECRET, Shown, World, world

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def made(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with world(tmp_path_factory.mktemp("opcua")) as found:
        yield found


async def test_each_wrong_server_is_refused_before_a_session(made: World) -> None:
    for wanted in made.shown:
        if wanted.pinned is not None:
            continue  # takes its time-out: tests/drivers/test_opcua_secure.py, and case E2
        refusal, error = await made.meet(wanted)
        assert error is not None, wanted.name
        if wanted.reason is not None:
            assert refusal is not None, f"{wanted.name}: {error}"
            assert refusal.reason is wanted.reason, f"{wanted.name}: {refusal}"
        assert made.running.users.asked == [], wanted.name
        assert made.sessions == 0, wanted.name
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
    from drivers.opcua.trust import Asked

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
    from drivers.opcua.trust import Asked

    maker, trust = Maker(tmp_path / "ca", "site"), TrustList(tmp_path / "trust")
    trust.make()
    for name in ("trusted", "crl", "issuers"):
        (tmp_path / "trust" / name / "note.txt").write_bytes(b"-----BEGIN CERTIFICATE-----\nno")
        (tmp_path / "trust" / name / "half.der").write_bytes(b"\x30\x82\x01")
    shown = maker.leaf("server", uri="urn:s").certificate
    assert trust.judge(shown, [], Asked("127.0.0.1", "urn:s")) is Why.UNKNOWN
    assert trust.judge(shown, [maker.ca], Asked("127.0.0.1", "urn:s")) is Why.UNKNOWN
