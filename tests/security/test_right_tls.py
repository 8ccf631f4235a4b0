"""The other side of the wrong peers: real servers behind TLS, and certificates that are renewed."""

import asyncio
import shutil
import ssl
from pathlib import Path

import pytest

from agent.influx.api import door_of
from agent.influx.config import InfluxConfig
from agent.mqtt import MqttConfig, connection
from tests.agent.ends import until
from tests.agent.small_plant import lines, running, server, write_table
from tests.security.listener import Listener
from tests.security.mosquitto import CASES, serving
from tests.security.pki import CLIENT, Signed
from tests.security.told import CONFIG
from tests.security.wrong_tls import SECRET, World, by_mqtt, world


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> World:
    return world(tmp_path_factory.mktemp("pki"))


@pytest.mark.parametrize("kind", CASES)
async def test_a_real_broker_that_is_the_wrong_one_hears_nothing(
    made: World, kind: str, tmp_path: Path
) -> None:
    """Mosquitto itself shows the wrong certificate; its log tells what it heard."""
    wrong = made.wrong[kind]
    assert wrong.shown is not None
    with serving(tmp_path, wrong.shown, made.maker.path) as broker:
        refusal = await by_mqtt(made, broker.port, dict(wrong.client))
        assert refusal is not None, kind
        assert refusal.reason is wrong.reason, str(refusal)
        said = broker.log.read_text("utf-8", "replace")
    assert "New client connected" not in said
    assert SECRET not in said


async def test_the_same_broker_with_its_right_certificate_is_believed(
    made: World, tmp_path: Path
) -> None:
    with serving(tmp_path, made.good, made.maker.path) as broker:
        files = {"ca": made.maker.path, "cert": made.ours.cert, "key": made.ours.key}
        config = MqttConfig(url=f"mqtts://127.0.0.1:{broker.port}", **files)
        async with asyncio.timeout(30), connection(config, "gw1") as client:
            await client.publish("t", b"x", qos=1)
        assert "New client connected" in broker.log.read_text("utf-8", "replace")


def _context(made: Signed, ca: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.cert, made.key)
    context.load_verify_locations(ca)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def _install(made: Signed, folder: Path) -> None:
    """As `certificates renew` leaves them: whole files under the same names."""
    for path, name in ((made.cert, "own.pem"), (made.key, "own.key")):
        shutil.copy(path, folder / f".{name}")
        (folder / f".{name}").replace(folder / name)


async def test_values_come_through_modbus_tls_and_a_renewed_certificate_is_used_after_sighup(
    made: World, tmp_path: Path
) -> None:
    """A simulated device behind TLS and a real broker: end to end, then renew and reload."""
    old = made.maker.leaf("demo-gw1-old", use=CLIENT)
    new = made.maker.leaf("demo-gw1-new", use=CLIENT)
    write_table(tmp_path)
    _install(old, tmp_path)
    plc = server()
    plc.tls = _context(made.good, made.maker.path)
    with serving(tmp_path, made.good, made.maker.path) as broker:
        async with plc:
            path = tmp_path / "gateway.toml"
            files = {"ca": made.maker.path, "cert": "own.pem", "key": "own.key"}
            path.write_text(CONFIG.format(broker=broker.port, plc=plc.port, **files))
            async with running(path) as gateway:
                await until(lambda: plc.statistics.requests > 3, "polled over TLS", 60)
                await until(lambda: _named(broker.log, "demo-gw1-old"), "the old certificate", 60)
                _install(new, tmp_path)
                gateway.reload()
                await until(lambda: _named(broker.log, "demo-gw1-new"), "the new certificate", 60)
                before = plc.statistics.requests
                await until(lambda: plc.statistics.requests > before + 3, "polling goes on", 60)
    raw = [line for line in await lines(tmp_path, "raw") if line.startswith("pot,")]
    assert any("voltage=4.25" in line for line in raw), raw[:3]
    assert plc.statistics.writes == 0


def _named(log: Path, name: str) -> bool:
    """Mosquitto logs the user, which is the name of the certificate."""
    return f"u'{name}'" in log.read_text("utf-8", "replace")


async def test_the_historian_takes_new_files_at_its_next_connection(
    made: World, tmp_path: Path
) -> None:
    """Its broker settings and the door of its store, both held since the start."""
    old = made.maker.leaf("historian-old", use=CLIENT)
    new = made.maker.leaf("historian-new", use=CLIENT)
    _install(old, tmp_path)
    files = {"ca": made.maker.path, "cert": tmp_path / "own.pem", "key": tmp_path / "own.key"}
    with serving(tmp_path, made.good, made.maker.path) as broker:
        config = MqttConfig(url=f"mqtts://127.0.0.1:{broker.port}", **files)
        for signed in (old, new):
            _install(signed, tmp_path)
            async with asyncio.timeout(30), connection(config, "historian") as client:
                await client.publish("t", b"x", qos=1)
            name = signed.cert.stem
            await until(lambda name=name: _named(broker.log, name), name, 30)  # type: ignore[misc]
    answer = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
    _install(old, tmp_path)
    with Listener(made.good, answer=answer, ca=str(made.maker.path)) as store:
        table = {"api": "v1", "database": "d", "url": f"https://127.0.0.1:{store.port}"}
        door = door_of(InfluxConfig.model_validate({**table, **files}))
        for signed in (old, new):
            _install(signed, tmp_path)
            assert (await asyncio.to_thread(door.post, b"m v=1 1")).status == 204
        door.close()
        assert store.clients == ["historian-old", "historian-new"]
