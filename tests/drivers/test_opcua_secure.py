"""Encrypted connections: policies, the pinned certificate, passwords, what reaches an impostor."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from pydantic import ValidationError

from drivers.model import Mode, RefusedError, UnreachableError
from drivers.opcua.certificates import (
    create_certificate,
    fingerprint,
    load_certificate,
)
from drivers.opcua.driver import OpcUaDriver
from tests.drivers.opcua_points import device, pots, read
from tests.drivers.opcua_server import Plant, Running, serving
from tests.servers import free_port

pytestmark = pytest.mark.asyncio(loop_scope="module")
POLICIES = ("Basic256Sha256_SignAndEncrypt", "Aes256Sha256RsaPss_SignAndEncrypt")
SECRET = "对牛弹琴 not for everyone"  # noqa: S105 - of a server in this test


@dataclass(frozen=True)
class Keys:
    folder: Path
    server: tuple[Path, Path]
    other: tuple[Path, Path]
    client: tuple[Path, Path]

    def settings(self, pinned: Path | None = None, **more: Any) -> dict[str, Any]:
        return {
            "security": "Basic256Sha256",
            "server_certificate": pinned or self.server[0],
            "certificate": self.client[0],
            "key": self.client[1],
            "timeout_s": 2.0,
            **more,
        }

    def password(self, text: str) -> Path:
        path = self.folder / "password"
        path.write_text(text + "\n", "utf-8")
        path.chmod(0o600)
        return path


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    folder = tmp_path_factory.mktemp("pki")
    return Keys(
        folder,
        create_certificate(folder, "server", "plc", server=True),
        create_certificate(folder, "other", "plc", server=True),
        create_certificate(folder, "client", "gw1"),
    )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def plant(keys: Keys) -> AsyncIterator[tuple[int, Running]]:
    port = free_port()
    certificate, key = map(str, keys.server)
    async with serving(
        Plant(port, 3, certificate=certificate, key=key, policies=POLICIES)
    ) as running:
        yield port, running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def guarded(keys: Keys) -> AsyncIterator[tuple[int, Running]]:
    """A server that wants a name and a password."""
    port = free_port()
    certificate, key = map(str, keys.server)
    shown = Plant(port, 3, certificate=certificate, key=key, policies=POLICIES)
    async with serving(Plant(**{**vars(shown), "users": {"smelter": SECRET}})) as running:
        yield port, running


@pytest.mark.parametrize("policy", ["Basic256Sha256", "Aes256Sha256RsaPss"])
@pytest.mark.parametrize("mode", ["poll", "subscribe"])
async def test_encrypted_policies(
    plant: tuple[int, Running], keys: Keys, policy: str, mode: Mode
) -> None:
    group = pots(3, mode=mode)
    wanted = device(plant[0], **keys.settings(security=policy))
    async with OpcUaDriver((wanted,), (group,)) as driver:
        frame = await read(driver, group)
        assert driver._open is not None
        channel = driver._open.session.client.security_policy
        assert channel.Mode.name == "SignAndEncrypt"
        assert channel.URI.endswith(policy.replace("Aes256Sha256", "Aes256_Sha256_"))
    assert sorted(frame.values.tolist()) == [0.0, 1.0, 2.0]


async def test_renewed_encrypted_channel_goes_on(plant: tuple[int, Running], keys: Keys) -> None:
    group = pots(3, mode="subscribe")
    wanted = device(plant[0], **keys.settings())
    async with OpcUaDriver((wanted,), (group,)) as driver:
        await read(driver, group)
        assert driver._open is not None
        session = driver._open.session
        session._renewed_s -= 0.8 * session.client.secure_channel_timeout / 1000
        for value in (1.5, 2.5):
            await plant[1].nodes[0].write_value(value)
            await asyncio.sleep(0.3)
            frame = await read(driver, group)
            assert frame.values.tolist() == [value]
    await plant[1].nodes[0].write_value(0.0)


async def test_password_opens_and_a_wrong_one_does_not(
    guarded: tuple[int, Running], keys: Keys
) -> None:
    port, running = guarded
    group = pots(3)
    login: dict[str, Any] = {"username": "smelter", "password_file": keys.password(SECRET)}
    async with OpcUaDriver((device(port, **keys.settings(**login)),), (group,)) as driver:
        assert (await read(driver, group)).values.tolist() == [0.0, 1.0, 2.0]
    assert running.users.asked[-1] == ("smelter", SECRET)
    login["password_file"] = keys.password("guess")
    async with OpcUaDriver((device(port, **keys.settings(**login)),), (group,)) as driver:
        with pytest.raises(RefusedError, match=r"Bad(UserAccessDenied|IdentityToken)"):
            await read(driver, group)
    async with OpcUaDriver((device(port, **keys.settings()),), (group,)) as driver:
        with pytest.raises(RefusedError):
            await read(driver, group)
    missing = {**login, "password_file": Path("nowhere")}
    async with OpcUaDriver((device(port, **keys.settings(**missing)),), (group,)) as driver:
        with pytest.raises(RefusedError, match=r"password_file .*: No such file"):
            await read(driver, group)


@pytest.mark.usefixtures("hurried")
async def test_another_certificate_is_refused_before_any_password(
    guarded: tuple[int, Running], keys: Keys
) -> None:
    """An impostor with a certificate of his own learns neither name nor password."""
    port, running = guarded
    running.users.asked.clear()
    login: dict[str, Any] = {"username": "smelter", "password_file": keys.password(SECRET)}
    wanted = device(port, **keys.settings(pinned=keys.other[0], **login))
    group = pots(3)
    begin = time.monotonic()
    async with OpcUaDriver((wanted,), (group,)) as driver:
        with pytest.raises(RefusedError) as caught:
            await read(driver, group)
    assert time.monotonic() - begin < 12
    assert running.users.asked == []
    for path in (keys.server[0], keys.other[0]):
        assert fingerprint(load_certificate(path)) in str(caught.value)


async def test_nothing_readable_leaves_for_an_impostor(keys: Keys) -> None:
    """The bytes that reach a listener who holds another key hold no name and no password."""
    heard = bytearray()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            heard.extend(await reader.read(65536))
            acknowledge = b"ACKF" + (28).to_bytes(4, "little") + bytes(4)
            acknowledge += 2 * (65536).to_bytes(4, "little") + bytes(8)
            writer.write(acknowledge)
            heard.extend(await reader.read(65536))
            await asyncio.sleep(0.1)
            writer.close()
            await writer.wait_closed()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    login: dict[str, Any] = {"username": "smelter", "password_file": keys.password(SECRET)}
    group = pots(1)
    async with (
        server,
        OpcUaDriver((device(port, **keys.settings(**login)),), (group,)) as driver,
    ):
        with pytest.raises(UnreachableError):
            await read(driver, group)
    assert b"OPNF" in heard
    assert b"smelter\x00" not in heard
    assert SECRET.encode() not in heard


async def test_a_password_never_goes_over_a_plain_connection(keys: Keys) -> None:
    with pytest.raises(ValidationError, match="only sent over an encrypted connection"):
        device(free_port(), username="x", password_file=keys.password(SECRET))
    with pytest.raises(ValidationError, match="needs password_file"):
        device(free_port(), **keys.settings(username="x"))


@pytest.mark.usefixtures("hurried")
async def test_server_without_our_policy_is_refused_not_downgraded(keys: Keys) -> None:
    port = free_port()
    certificate, key = map(str, keys.server)
    group = pots(3)
    async with (
        serving(Plant(port, 3, certificate=certificate, key=key, policies=("NoSecurity",))),
        OpcUaDriver((device(port, **keys.settings()),), (group,)) as driver,
    ):
        with pytest.raises((RefusedError, UnreachableError)):
            await read(driver, group)


async def test_unreadable_key_files_are_named(keys: Keys, tmp_path: Path) -> None:
    rubbish = tmp_path / "rubbish.pem"
    rubbish.write_text("no key")
    group = pots(1)
    for change in ({"key": rubbish}, {"certificate": rubbish}, {"server_certificate": rubbish}):
        wanted = device(free_port(), **{**keys.settings(), **change})
        async with OpcUaDriver((wanted,), (group,)) as driver:
            with pytest.raises(RefusedError, match=r"rubbish\.pem"):
                await read(driver, group)
