"""E2, E3: peers that are not who they should be, and tenants of one broker."""

import asyncio
import time
from pathlib import Path

from tests import servers
from tests.reliability.cases import Outcome, Setting, case
from tests.security import wrong_opcua, wrong_tls
from tests.security.tenants import Tenants, delivered, forged_receipts, forgeries, shipped, site
from tests.security.told import what_a_gateway_tells


@case(
    "E2",
    fault="wrong peer",
    procedure="MQTT, Modbus/TCP Security and HTTPS (InfluxDB 1 and 2, a report's store) with "
    "name, password, token "
    "and client certificate before recording servers of 14 kinds: unknown or forged authority, "
    "self-signed, expired, not yet valid, revoked, outdated CRL, wrong host, client's certificate, "
    "weak key, TLS 1.0, 1.1, below the set minimum, no TLS; OPC UA with a trust list before a real "
    "server of 14 kinds, also wrong ApplicationUri, policies None, Sign and Basic256, pin; then a "
    "whole gateway whose broker and devices are all wrong",
    mark="100 % refused for the right reason (≥ 12 cases), nothing but a handshake sent; event "
    "`peer_refused` and act `peer.refused` once per reason",
)
def wrong_peers(setting: Setting) -> Outcome:
    made = wrong_tls.world(setting.folder / "tls")
    met = asyncio.run(_meet_all(made))
    bad = [f"{m.client} {m.wrong.name}: {m.refusal}" for m in met if not m.good]
    opcua = asyncio.run(_meet_opcua(setting.folder / "opcua"))
    told = asyncio.run(what_a_gateway_tells(setting.folder / "gateway"))
    kinds = len({m.wrong.name for m in met} | set(opcua))
    strange = bad + [text for text in opcua.values() if text] + told.missing
    right = len(met) + len(opcua) - len(bad) - sum(map(bool, opcua.values()))
    inside = sum(len(m.heard) for m in met if m.wrong.shown)
    figure = (
        f"{len(met)} pairs over TLS and {len(opcua)} of OPC UA, {kinds} kinds: "
        f"{right} refused for the right reason; {inside} bytes heard inside TLS, "
        f"0 OPC UA sessions or logins; a gateway with {told.peers} wrong peers told {told.events} "
        f"events and {told.acts} acts in {told.tries} tries" + "".join(f"; {s}" for s in strange)
    )
    return Outcome(not strange and kinds >= 12, figure)


async def _meet_all(made: wrong_tls.World) -> list[wrong_tls.Met]:
    return [await wrong_tls.meet(made, name, wrong) for name, wrong in wrong_tls.pairs(made)]


async def _meet_opcua(folder: Path) -> dict[str, str]:
    """What is wrong with each; nothing where all is as it should be."""
    found: dict[str, str] = {}
    async with wrong_opcua.world(folder) as made:
        for wanted in made.shown:
            refusal, error = await made.meet(wanted)
            right = error is not None and (
                wanted.reason is None or (refusal is not None and refusal.reason is wanted.reason)
            )
            silent = not made.running.users.asked and not made.sessions
            found[wanted.name] = "" if right and silent else f"OPC UA {wanted.name}: {error}"
    return found


@case(
    "E3",
    fault="other tenant",
    procedure="mosquitto with the shipped configuration and ACL, certificates of our own "
    "authority: gateway, reader and a certificate without a role publish in others' names, read "
    "others' data, leave a last will, take a client id, write receipts and cosignatures; then ten "
    "forged receipts on a broker that lets everybody write them",
    mark="100 % refused; a forged receipt never deletes; the right ones get through",
)
def other_tenant(setting: Setting) -> Outcome:
    site(setting.folder)
    server = shipped(setting.folder).start()
    try:
        through = asyncio.run(delivered(setting.folder, setting.folder / "own", server.port))
        tenants = Tenants(setting.folder, server.port)
        began = time.monotonic()
        asyncio.run(_try_all(tenants))
        took_s = time.monotonic() - began
    finally:
        server.end()
    open_broker = servers.mosquitto(setting.folder).start()
    try:
        lost = asyncio.run(_forge(setting.folder / "forged", open_broker.port))
    finally:
        open_broker.end()
    count = len(tenants.refused) + len(tenants.held)
    figure = (
        f"{len(tenants.refused)} of {count} attempts refused in {took_s:.1f} s; "
        f"{len(forgeries('x'))} forged receipts took {len(lost)} batches away; {through} of 20 "
        "batches delivered and receipted over TLS"
    )
    return Outcome(not tenants.held and not lost and through == 20, figure)


async def _try_all(tenants: Tenants) -> None:
    def of(gateway: str, *leaves: str) -> list[str]:
        return [f"smelter/v1/demo/{gateway}/{leaf}" for leaf in leaves]

    data = ("record", "raw", "state", "checkpoint")
    await tenants.speaks("demo-gw1", [*of("gw2", *data), "smelter/v1/other/gw1/record"], "1")
    await tenants.speaks("reader", of("gw1", *data), "2")
    await tenants.speaks("stranger", of("gw1", *data), "3")
    await tenants.listens("demo-gw1", [*of("gw1", "receipt"), *of("gw2", *data, "receipt")])
    await tenants.listens("demo-gw1", [*of("gw1", "receipt"), "#", "smelter/v1/+/+/record"])
    for name in ("demo-gw1", "demo-gw2", "reader", "stranger"):
        await tenants.receipts(name)
    await tenants.will()
    await tenants.client_id()


async def _forge(folder: Path, port: int) -> list[str]:
    async with forged_receipts(folder, port) as lost:
        return list(lost)
