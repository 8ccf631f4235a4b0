"""MQTT, Modbus/TCP Security and HTTPS before wrong servers: refused before anything is said."""

import asyncio
from pathlib import Path

import pytest

from drivers.peer import PeerRefusedError, Refusal, RefusedPeers, Why
from reports.site import Influx
from tests.security.listener import Listener
from tests.security.wrong_tls import CLIENTS, KINDS, SECRET, World, meet, world


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> World:
    return world(tmp_path_factory.mktemp("pki"))


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("kind", KINDS)
async def test_refused_before_anything_is_said(made: World, client: str, kind: str) -> None:
    met = await meet(made, client, made.wrong[kind])
    assert met.good, f"{met.refusal} heard {met.heard!r}"


@pytest.mark.parametrize("client", CLIENTS)
async def test_the_right_server_hears_what_the_wrong_ones_did_not(made: World, client: str) -> None:
    """The other side of the test above: the listener does hear where it is believed."""
    refused_login = b"\x20\x02\x00\x05"
    with Listener(made.good, answer=refused_login, ca=str(made.maker.path)) as server:
        refusal = await CLIENTS[client](made, server.port, {})
        assert refusal is None
        async with asyncio.timeout(10):
            while not server.heard:  # noqa: ASYNC110 - a thread hears it
                await asyncio.sleep(0.01)
    if client == "MQTT":
        assert SECRET.encode() in server.heard


async def test_what_was_shown_and_what_to_do_stand_in_both_languages(
    made: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = (await meet(made, "MQTT", made.wrong["expired"])).refusal
    assert refusal is not None
    assert "CN=expired" in refusal.shown
    assert "TLS ≥ 1.2" in refusal.expected
    for language, word in (("zh", "证书已过期"), ("en", "has expired")):
        monkeypatch.setenv("SMELTER_LANG", language)
        assert word in str(refusal)
        assert "expired" in str(refusal)
        assert "127.0.0.1" in str(refusal)


def test_every_reason_is_said_in_both_languages(monkeypatch: pytest.MonkeyPatch) -> None:
    for reason in Why:
        said = set()
        for language in ("zh", "en"):
            monkeypatch.setenv("SMELTER_LANG", language)
            said.add(str(PeerRefusedError(Refusal("192.0.2.1:1", reason, "a", "b"))))
        assert len(said) == 2


def test_a_refusal_is_told_once_for_each_reason() -> None:
    peers = RefusedPeers()
    first = Refusal("a:1", Why.EXPIRED, "", "CN=x")
    assert [peers.take("a", first) for _ in range(4)] == [0, None, None, None]
    assert peers.take("a", Refusal("a:1", Why.HOST, "", "CN=x")) == 3
    assert peers.take("b", first) == 0
    assert peers.take("a", Refusal("a:1", Why.HOST, "", "CN=y")) == 0  # another impostor
    peers.accepted("a")
    assert peers.take("a", Refusal("a:1", Why.HOST, "", "CN=y")) == 0
    assert peers.total == 8


def test_no_password_in_plain_text_to_another_machine(tmp_path: Path) -> None:
    from agent.influx.config import InfluxConfig
    from agent.mqtt import BrokerConfig

    secret = tmp_path / "password"
    login = {"username": "gw1", "password_file": secret}
    with pytest.raises(ValueError, match="would cross the network readable"):
        BrokerConfig.model_validate({"url": "mqtt://192.0.2.1", **login})
    for url in ("mqtt://127.0.0.1", "mqtt://localhost", "mqtts://192.0.2.1"):
        BrokerConfig.model_validate({"url": url, **login})
    said = {"url": "mqtt://192.0.2.1", "allow_plain_password": True, **login}
    assert BrokerConfig.model_validate(said).plain
    table = {"api": "v2", "bucket": "b", "token_file": secret}
    with pytest.raises(ValueError, match="would cross the network readable"):
        InfluxConfig.model_validate({"url": "http://192.0.2.1:8086", **table})
    for url in ("https://192.0.2.1:8086", "http://127.0.0.1:8086", "http://[::1]:8086"):
        InfluxConfig.model_validate({"url": url, **table})
    store = {"database": "d", "token_file": secret}  # what site.toml says of it
    with pytest.raises(ValueError, match="would cross the network readable"):
        Influx.model_validate({"url": "http://192.0.2.1:8086", **store})
    with pytest.raises(ValueError, match="need https://"):
        Influx.model_validate({"url": "http://127.0.0.1:8086", "ca": secret, **store})
    for url in ("https://192.0.2.1:8086", "http://127.0.0.1:8086"):
        Influx.model_validate({"url": url, **store})
