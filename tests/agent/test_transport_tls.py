"""TLS with client certificates and the access rules we ship: tested by what arrives."""

import asyncio
import datetime as dt
import ipaddress
import json
import re
import ssl
from pathlib import Path

import aiomqtt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from agent.mqtt import MqttConfig
from tests import servers
from tests.agent.ends import append, gateway_end, historian_end, kept, until

CONFIG = Path(__file__).parents[2] / "config" / "mosquitto"


class Authority:
    """A certificate authority for one test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test-ca")])
        self.certificate = self._sign(self.name, self.key.public_key(), ca=True)
        (folder / "ca.pem").write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def _sign(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, *, ca: bool = False
    ) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([address]), critical=False)
            .sign(self.key, hashes.SHA256())
        )

    def issue(self, name: str) -> None:
        """``<name>.pem`` and ``<name>.key``."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self._sign(subject, key.public_key())
        pem = serialization.Encoding.PEM
        (self.folder / f"{name}.pem").write_bytes(certificate.public_bytes(pem))
        (self.folder / f"{name}.key").write_bytes(
            key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )

    def config(self, port: int, name: str) -> MqttConfig:
        return MqttConfig(
            url=f"mqtts://127.0.0.1:{port}",
            ca=self.folder / "ca.pem",
            cert=self.folder / f"{name}.pem",
            key=self.folder / f"{name}.key",
        )

    def client(self, port: int, name: str) -> aiomqtt.Client:
        context = ssl.create_default_context(cafile=str(self.folder / "ca.pem"))
        context.load_cert_chain(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        return aiomqtt.Client("127.0.0.1", port, tls_context=context)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    made = Authority(tmp_path)
    for name in ("broker", "demo-gw1", "demo-import", "historian", "reader"):
        made.issue(name)
    return made


@pytest.fixture
def secured(tmp_path: Path, authority: Authority) -> servers.Server:
    """Mosquitto with the configuration we ship; only paths, port and persistence are changed."""
    port = servers.free_port()
    text = (CONFIG / "smelter.conf").read_text("utf-8")
    text = text.replace("listener 8883", f"listener {port} 127.0.0.1")
    text = text.replace("/etc/mosquitto/smelter/acl", str(CONFIG / "acl"))
    text = text.replace("/etc/mosquitto/smelter", str(tmp_path))
    text = re.sub(r"persistence_location .*", f"persistence_location {tmp_path}/", text)
    config = tmp_path / "broker.conf"
    config.write_text(text + "\nuser root\n", "utf-8")
    return servers.Server(
        [servers.program("mosquitto", "mosquitto"), "-c", str(config)],
        port,
        lambda: servers.listening(port),
        tmp_path / "broker.log",
    )


async def test_delivery_over_tls_with_the_shipped_rules(
    tmp_path: Path, authority: Authority, secured: servers.Server
) -> None:
    secured.start()
    try:
        async with (
            historian_end(tmp_path, authority.config(secured.port, "historian")),
            gateway_end(tmp_path / "edge", authority.config(secured.port, "demo-gw1")) as (logs, _),
        ):
            await append(logs["record"], 20)
            await until(lambda: logs["record"].receipted == 20, "receipts over TLS")
        assert len(kept(tmp_path, "record")[next(iter(kept(tmp_path, "record")))]) == 20
    finally:
        secured.end()


async def test_nobody_but_the_historian_can_receipt(
    tmp_path: Path, authority: Authority, secured: servers.Server
) -> None:
    secured.start()
    try:
        mine = authority.config(secured.port, "demo-gw1")
        async with gateway_end(tmp_path / "edge", mine, timeout_s=30) as (logs, publisher):
            await append(logs["record"], 5)
            await until(lambda: publisher.counts.batches == 5, "sent")
            receipt = json.dumps({"log": logs["record"].log_id, "stream": "record", "upto": 5})
            for name in ("demo-gw1", "demo-import", "reader"):
                async with authority.client(secured.port, name) as client:
                    await client.publish("smelter/v1/demo/gw1/receipt", receipt, qos=1)
            async with authority.client(secured.port, "historian") as client:
                await client.publish("smelter/v1/demo/gw1/receipt", receipt, qos=1)
            await until(lambda: logs["record"].receipted == 5, "the true receipt")
            assert publisher.counts.receipts == 1
    finally:
        secured.end()


async def test_a_gateway_cannot_speak_for_another(
    tmp_path: Path, authority: Authority, secured: servers.Server
) -> None:
    secured.start()
    try:
        historian = authority.config(secured.port, "historian")
        async with historian_end(tmp_path, historian) as (_, receiver):
            async with authority.client(secured.port, "demo-import") as client:
                await client.publish("smelter/v1/demo/gw1/record", b"batch", qos=1)
                await client.publish("smelter/v1/demo/import/record", b"batch", qos=1)
            await until(lambda: receiver.counts.messages == 1, "only its own")
            await asyncio.sleep(0.1)
            assert receiver.counts.messages == 1
    finally:
        secured.end()


async def test_a_stranger_with_another_authority_stays_outside(
    tmp_path: Path, authority: Authority, secured: servers.Server
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    Authority(other).issue("historian")
    secured.start()
    try:
        context = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
        context.load_cert_chain(other / "historian.pem", other / "historian.key")
        with pytest.raises(aiomqtt.MqttError):
            async with aiomqtt.Client(
                "127.0.0.1", secured.port, tls_context=context, timeout=2
            ) as client:
                await client.publish("smelter/v1/demo/gw1/receipt", b"{}", qos=1, timeout=2)
    finally:
        secured.end()


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ({"url": "http://192.0.2.1"}, "write mqtt://host:1883"),
        ({"url": "mqtt://192.0.2.1:99999"}, "write mqtt://host:1883"),
        ({"url": "mqtt://user:secret@192.0.2.1"}, "username and password_file"),
        ({"url": "mqtt://192.0.2.1", "ca": "ca.pem"}, "need TLS"),
        ({"url": "mqtts://192.0.2.1", "cert": "c.pem"}, "give both or none"),
        ({"url": "mqtt://192.0.2.1", "username": "gw1"}, "give both or none"),
        ({"url": "mqtt://192.0.2.1", "qos": 1}, "Extra inputs"),
    ],
)
def test_mistakes_in_the_mqtt_table_are_named(table: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        MqttConfig.model_validate(table)


def test_unreadable_files_are_problems(tmp_path: Path) -> None:
    config = MqttConfig(url="mqtts://192.0.2.1", ca=Path("no-such.pem")).below(tmp_path)
    assert config.problems() == [f"mqtt.ca: {tmp_path}/no-such.pem: No such file or directory"]
    (tmp_path / "no-such.pem").write_text("not a certificate")
    assert "is not usable" in config.problems()[0]
