"""Servers that a client must refuse, each with the reason, and three clients that must do so."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa

from agent.influx.api import door_of
from agent.influx.config import InfluxConfig
from agent.mqtt import MqttConfig, connection
from drivers.config import DeviceConfig, TlsConfig
from drivers.modbus.driver import ModbusDriver
from drivers.model import DriverError, Equipment, Group, Point
from drivers.peer import Refusal, Why, refusal_in
from drivers.quantities import quantities
from drivers.tls import refusal_of
from reports.periods import Period
from reports.series.influx import InfluxSeries
from reports.series.store import SeriesError
from reports.site import Influx
from tests.security.listener import Listener
from tests.security.pki import CLIENT, Maker, Signed

SECRET = "not-for-you-canary-7f31"  # noqa: S105 - looked for in what wrong servers heard


KINDS = {  # the case, and why its server is refused
    "unknown authority": Why.UNKNOWN,
    "forged in the name of ours": Why.BROKEN,
    "self-signed": Why.UNKNOWN,
    "expired": Why.EXPIRED,
    "not yet valid": Why.NOT_YET,
    "wrong host": Why.HOST,
    "certificate of a client": Why.USE,
    "weak key": Why.WEAK_KEY,
    "TLS 1.0": Why.VERSION,
    "TLS 1.1": Why.VERSION,
    "no TLS": Why.NOT_TLS,
    "revoked": Why.REVOKED,
    "outdated revocation list": Why.NO_LIST,
    "TLS 1.2": Why.VERSION,
}


@dataclass(frozen=True)
class Wrong:
    """What a server shows, and why it is refused; ``client`` changes the client's settings."""

    name: str
    reason: Why
    shown: Signed | None
    most: str = "1.3"
    client: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class World:
    """The good authority, and all that is wrong."""

    maker: Maker
    good: Signed
    ours: Signed
    wrong: dict[str, Wrong]
    password: Path


def world(folder: Path) -> World:
    """Made once; keys are P-256 but for the weak one."""
    good, other = Maker(folder / "good", "site"), Maker(folder / "other", "another site")
    same = Maker(folder / "same", "site")
    leaf = good.leaf
    revoked = leaf("revoked")
    listed = ("crl", good.revoke(revoked))
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - to be refused
    shown: dict[str, tuple[Any, ...]] = {
        "unknown authority": (other.leaf("server"),),
        "forged in the name of ours": (same.leaf("server"),),
        "self-signed": (leaf("alone", alone=True),),
        "expired": (leaf("expired", days=(-20, -0.01)),),
        "not yet valid": (leaf("early", days=(0.1, 20)),),
        "wrong host": (leaf("elsewhere", hosts=("192.0.2.9", "plc9")),),
        "certificate of a client": (leaf("client", use=CLIENT),),
        "weak key": (leaf("weak", key=weak),),
        "TLS 1.0": (leaf("old0"), "1.0"),
        "TLS 1.1": (leaf("old1"), "1.1"),
        "no TLS": (None,),
        "revoked": (revoked, "1.3", (listed,)),
        "outdated revocation list": (leaf("unlisted"), "1.3", (("crl", good.revoke(days=-1)),)),
        "TLS 1.2": (leaf("old2"), "1.2", (("tls_min", "1.3"),)),
    }
    wrong = {name: Wrong(name, reason, *shown[name]) for name, reason in KINDS.items()}
    password = folder / "password"
    password.write_text(SECRET)
    password.chmod(0o600)
    ours = good.leaf("demo-gw1", use=CLIENT)
    return World(good, good.leaf("server"), ours, wrong, password)


Client = Callable[[World, int, dict[str, Any]], Coroutine[None, None, Refusal | None]]


async def by_mqtt(made: World, port: int, more: dict[str, Any]) -> Refusal | None:
    """Logs in with name and password."""
    files = {"ca": made.maker.path, "cert": made.ours.cert, "key": made.ours.key}
    login = {"username": "gw1", "password_file": made.password}
    broker = MqttConfig(url=f"mqtts://127.0.0.1:{port}", **{**files, **login, **more})
    try:
        async with asyncio.timeout(20), connection(broker, "gw1") as client:
            await client.publish("t", SECRET, qos=1)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is judged by what it stands for
        return refusal_in(error)
    return None


async def by_modbus(made: World, port: int, more: dict[str, Any]) -> Refusal | None:
    """Asks for a register."""
    files = {"ca": made.maker.path, "cert": made.ours.cert, "key": made.ours.key}
    wanted = DeviceConfig(
        name="dcs",
        driver="modbus-tcp",
        address=f"127.0.0.1:{port}",
        points=Path("points.csv"),
        timeout_s=1.0,
        tls=TlsConfig(**{**files, **more}),
    )
    rows = Point(
        Equipment("line1", "pot001"), quantities()["pot.voltage"], "dcs", "holding:0", "uint16"
    )
    group = Group("dcs", 0.2, (rows,))
    async with ModbusDriver((wanted,), (group,)) as driver:
        try:
            await driver.read(group, 1_000_000_000)
        except DriverError as error:
            return refusal_in(error)
    return None


async def by_https(made: World, port: int, more: dict[str, Any]) -> Refusal | None:
    """Writes a line with a password (1.x) and one with a token (2.x)."""
    common: dict[str, Any] = {"url": f"https://127.0.0.1:{port}", "timeout_s": 5}
    files = {"ca": made.maker.path, "cert": made.ours.cert, "key": made.ours.key}
    v1 = {"api": "v1", "database": "d", "username": "gw1", "password_file": made.password}
    v2 = {"api": "v2", "bucket": "b", "org": "o", "token_file": made.password}
    found: list[Refusal | None] = []
    for way in (v1, v2):
        door = door_of(InfluxConfig.model_validate({**common, **files, **way, **more}))
        with contextlib.closing(door):
            answer = await asyncio.to_thread(door.post, b"m v=1 1")
        found.append(answer.refusal)
    first, second = found
    return first if first and second and first.reason is second.reason else None


async def by_report(made: World, port: int, more: dict[str, Any]) -> Refusal | None:
    """A report asks the store that site.toml names, with a token."""
    files = {"ca": made.maker.path, "cert": made.ours.cert, "key": made.ours.key}
    where = {"url": f"https://127.0.0.1:{port}", "database": "d", "token_file": made.password}
    config = Influx.model_validate({**where, **files, **more, "timeout_s": 5})
    try:
        await asyncio.to_thread(_ask, config)
    except SeriesError as error:
        return refusal_of(error, config.url, "TLS")
    return None


def _ask(config: Influx) -> None:
    InfluxSeries("demo", config).events(
        "line1/pot001", Period(date(2026, 11, 1), date(2026, 11, 2))
    )


CLIENTS: dict[str, Client] = {
    "MQTT": by_mqtt,
    "Modbus/TCP Security": by_modbus,
    "HTTPS": by_https,
    "HTTPS of a report": by_report,
}


@dataclass(frozen=True)
class Met:
    """What came of one pair."""

    client: str
    wrong: Wrong
    refusal: Refusal | None
    heard: bytes

    @property
    def good(self) -> bool:
        """Refused for the right reason; nothing was said, without TLS nothing but a greeting."""
        right = self.refusal is not None and self.refusal.reason is self.wrong.reason
        silent = not self.heard if self.wrong.shown else SECRET.encode() not in self.heard
        return right and silent


async def meet(made: World, client: str, wrong: Wrong) -> Met:
    """One client, one wrong server."""
    answer = b"" if wrong.shown else b"HTTP/1.1 400 Bad Request\r\n\r\n"
    with Listener(wrong.shown, most=wrong.most, answer=answer) as server:
        refusal = await CLIENTS[client](made, server.port, dict(wrong.client))
        return Met(client, wrong, refusal, bytes(server.heard))


def pairs(made: World) -> list[tuple[str, Wrong]]:
    """Every client before every wrong server."""
    return [(c, w) for c in CLIENTS for w in made.wrong.values()]
