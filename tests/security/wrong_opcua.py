"""A real OPC UA server that shows one certificate after another, and a client with a trust list."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from asyncua import ua
from cryptography.hazmat.primitives.asymmetric import rsa

from drivers.model import DriverError
from drivers.opcua.driver import OpcUaDriver
from drivers.opcua.trust import TrustList
from drivers.peer import Refusal, Why, refusal_in
from tests.drivers.opcua_points import device, pots, read
from tests.drivers.opcua_server import Plant, Running, serving
from tests.security.pki import CLIENT, URI, Maker, Signed
from tests.servers import free_port

SECRET = "not-for-you-canary-52c8"  # noqa: S105 - looked for in what a wrong server is asked
SAFE = ("Basic256Sha256_SignAndEncrypt",)


KINDS: dict[str, Why | None] = {  # the case, and why its server is refused
    "unknown authority": Why.UNKNOWN,
    "self-signed": Why.UNKNOWN,
    "expired": Why.EXPIRED,
    "not yet valid": Why.NOT_YET,
    "revoked": Why.REVOKED,
    "no revocation list": Why.NO_LIST,
    "outdated revocation list": Why.NO_LIST,
    "wrong host": Why.HOST,
    "wrong ApplicationUri": Why.URI,
    "certificate of a client": Why.USE,
    "only None and Sign offered": Why.POLICY,
    "only Basic256 offered": Why.POLICY,
    "another than the pinned": Why.NOT_PINNED,
    "a known certificate without its key": None,  # fails in the handshake, which tells no reason
}


@dataclass(frozen=True)
class Shown:
    """What the server shows, and why it is refused (None: it is the right one)."""

    name: str
    reason: Why | None
    signed: Signed
    policies: tuple[str, ...] = SAFE
    uri: str = URI
    listed: str = "crl"  # which list lies in crl/; "" for none
    pinned: Signed | None = None
    key: Signed | None = None  # the server holds this key instead


@dataclass
class World:
    """The server, its authority, the client's files."""

    running: Running
    port: int
    maker: Maker
    folder: Path
    ours: Signed
    shown: tuple[Shown, ...]
    sessions: int = 0
    settings: dict[str, Any] = field(default_factory=dict)

    def show(self, wanted: Shown) -> None:
        """From the next connection on."""
        server: Any = self.running.server
        server.iserver.certificate = wanted.signed.certificate
        server.iserver.private_key = _key(wanted.key or wanted.signed)
        server._application_uri = wanted.uri
        server._security_policy = [ua.SecurityPolicyType[name] for name in wanted.policies]
        server.iserver.endpoints.clear()
        server._policies.clear()

    async def meet(self, wanted: Shown) -> tuple[Refusal | None, Exception | None]:
        """A client comes; why it refused, or what else went wrong."""
        self.show(wanted)
        server: Any = self.running.server
        await server._setup_server_nodes()
        server.bserver.set_policies(server._policies)
        self.running.users.asked.clear()
        self.sessions = 0
        settings = {**self.settings, **self._believed(wanted)}
        group = pots(1)
        async with OpcUaDriver((device(self.port, **settings),), (group,)) as driver:
            try:
                await read(driver, group)
            except DriverError as error:
                return refusal_in(error), error
        return None, None

    def _believed(self, wanted: Shown) -> dict[str, Any]:
        if wanted.pinned is not None:
            return {"server_certificate": wanted.pinned.der}
        folder = self.folder / "trust"
        shutil.rmtree(folder, ignore_errors=True)
        TrustList(folder).make()
        shutil.copy(self.maker.path, folder / "trusted")
        if wanted.listed:
            shutil.copy(self.maker.folder / f"{wanted.listed}.pem", folder / "crl")
        return {"trust": folder}

    @property
    def rejected(self) -> list[Path]:
        return sorted((self.folder / "trust" / "rejected").glob("*.der"))


def _key(signed: Signed) -> Any:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    return load_pem_private_key(signed.key.read_bytes(), None)


def _shown(maker: Maker, other: Maker, key: rsa.RSAPrivateKey) -> tuple[Shown, ...]:
    def leaf(name: str, by: Maker = maker, **more: Any) -> Signed:
        return by.leaf(name, key=key, **{"uri": URI, **more})

    good, revoked = leaf("server"), leaf("revoked")
    shutil.copy(maker.revoke(revoked), maker.folder / "crl.pem")
    shutil.copy(maker.revoke(revoked, days=-1), maker.folder / "old.pem")
    stolen = other.leaf("thief", key=rsa.generate_private_key(public_exponent=65537, key_size=2048))
    weak = ("NoSecurity", "Basic256Sha256_Sign")
    return (
        Shown("unknown authority", Why.UNKNOWN, leaf("stranger", other)),
        Shown("self-signed", Why.UNKNOWN, leaf("alone", alone=True)),
        Shown("expired", Why.EXPIRED, leaf("expired", days=(-20, -0.01))),
        Shown("not yet valid", Why.NOT_YET, leaf("early", days=(0.1, 20))),
        Shown("revoked", Why.REVOKED, revoked),
        Shown("no revocation list", Why.NO_LIST, good, listed=""),
        Shown("outdated revocation list", Why.NO_LIST, good, listed="old"),
        Shown("wrong host", Why.HOST, leaf("elsewhere", hosts=("192.0.2.9",))),
        Shown("wrong ApplicationUri", Why.URI, good, uri="urn:another:server"),
        Shown("certificate of a client", Why.USE, leaf("client", use=CLIENT)),
        Shown("only None and Sign offered", Why.POLICY, good, policies=weak),
        Shown("only Basic256 offered", Why.POLICY, good, policies=("Basic256_SignAndEncrypt",)),
        Shown("another than the pinned", Why.NOT_PINNED, good, pinned=stolen),
        Shown("a known certificate without its key", None, good, key=stolen),
    )


@asynccontextmanager
async def world(folder: Path) -> AsyncIterator[World]:
    """A server that wants a name and a password, and a client that has them."""
    maker, other = Maker(folder / "good", "site"), Maker(folder / "other", "another site")
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    shown = _shown(maker, other, key)
    ours = maker.leaf("demo-gw1", use=CLIENT, uri="urn:gw1:smelter-agent", key=key)
    port = free_port()
    secret = folder / "password"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    key_file = folder / "server-key.pem"
    shutil.copy(shown[5].signed.key, key_file)
    certificate = str(shown[5].signed.der)
    plant = Plant(port, 1, certificate=certificate, key=str(key_file), policies=SAFE)
    async with serving(Plant(**{**vars(plant), "users": {"smelter": SECRET}})) as running:
        made = World(running, port, maker, folder, ours, shown)
        made.settings = {
            "security": "Basic256Sha256",
            "certificate": ours.der,
            "key": ours.key,
            "username": "smelter",
            "password_file": secret,
            "timeout_s": 2.0,
        }
        _count_sessions(made)
        yield made


def _count_sessions(made: World) -> None:
    inner: Any = made.running.server.iserver
    create = inner.create_session

    def counted(*words: Any, **more: Any) -> Any:
        made.sessions += 1
        return create(*words, **more)

    inner.create_session = counted
