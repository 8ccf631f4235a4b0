"""E3: no gateway speaks or reads for another, nobody but the historian receipts, under our ACL."""

from collections.abc import Iterator
from pathlib import Path

import aiomqtt
import pytest

from drivers.authority import Authority
from tests import servers
from tests.agent.ends import append, gateway_end, until
from tests.security.tenants import (
    SHIPPED,
    B,
    Tenants,
    client,
    config_of,
    delivered,
    forged_receipts,
    shipped,
    site,
)

OF_B = [f"smelter/v1/demo/gw2/{leaf}" for leaf in ("record", "raw", "state", "checkpoint")]
OTHER = ["smelter/v1/other/gw1/record", "smelter/v1/demo/gw1/record/x", "smelter/v1/demo/record"]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return site(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def broker(authority: Authority) -> Iterator[servers.Server]:
    server = shipped(authority.folder).start()
    yield server
    server.end()


async def test_the_shipped_configuration_lets_the_right_ones_through(
    tmp_path: Path, authority: Authority, broker: servers.Server
) -> None:
    assert await delivered(authority.folder, tmp_path, broker.port) == 20


async def test_nobody_speaks_for_another(authority: Authority, broker: servers.Server) -> None:
    tenants = Tenants(authority.folder, broker.port)
    await tenants.speaks("demo-gw1", OF_B + OTHER, "forged by gw1")
    await tenants.speaks("reader", [*OF_B, "smelter/v1/demo/gw1/record"], "forged by reader")
    await tenants.speaks("stranger", OF_B, "forged by a certificate without a role")
    await tenants.will()
    await tenants.client_id()
    assert tenants.held == []
    assert len(tenants.refused) == 7 + 5 + 4 + 2


async def test_nobody_reads_for_another(authority: Authority, broker: servers.Server) -> None:
    tenants = Tenants(authority.folder, broker.port)
    await tenants.listens("demo-gw1", [RECEIPTS, *OF_B])
    await tenants.listens("demo-gw1", [RECEIPTS, "#", "smelter/#", "smelter/v1/demo/+/record"])
    assert tenants.held == []


RECEIPTS = "smelter/v1/demo/gw1/receipt"


async def test_only_the_historian_writes_receipts_and_cosignatures(
    tmp_path: Path, authority: Authority, broker: servers.Server
) -> None:
    mine = config_of(authority.folder, broker.port, "demo-gw1")
    async with gateway_end(tmp_path / "edge", mine, timeout_s=30) as (logs, publisher):
        await append(logs["record"], 5)
        await until(lambda: publisher.counts.batches >= 1, "sent")
        receipt = f'{{"log":"{logs["record"].log_id}","stream":"record","upto":1}}'
        heard: list[bytes] = []
        publisher.on_cosignature = heard.append
        for name in (B, "demo-import", "reader", "stranger"):
            async with client(authority.folder, broker.port, name) as forger:
                await forger.publish(RECEIPTS, receipt, qos=1)
                await forger.publish("smelter/v1/demo/gw1/cosignature", b"forged", qos=1)
        async with client(authority.folder, broker.port, "historian") as historian:
            await historian.publish("smelter/v1/demo/gw1/cosignature", b"true", qos=1)
            await historian.publish(RECEIPTS, receipt, qos=1)
        await until(lambda: logs["record"].receipted == 1, "the true receipt")
        assert publisher.counts.receipts == 1
        assert heard == [b"true"]


async def test_a_forged_receipt_deletes_nothing_even_where_the_broker_lets_it_through(
    tmp_path: Path, mosquitto: servers.Server
) -> None:
    async with forged_receipts(tmp_path, mosquitto.port) as lost:
        assert lost == []


async def test_a_revoked_gateway_stays_outside(tmp_path: Path) -> None:
    made = site(tmp_path)
    assert [each.name for each in made.revoke(B, "stolen")] == [B]
    server = shipped(tmp_path).start()
    try:
        with pytest.raises(aiomqtt.MqttError):
            async with client(tmp_path, server.port, B, timeout=5) as stolen:
                await stolen.publish("smelter/v1/demo/gw2/record", b"x", qos=1, timeout=5)
        async with client(tmp_path, server.port, "demo-gw1") as good:
            await good.publish("smelter/v1/demo/gw1/record", b"x", qos=1)
    finally:
        server.end()


def test_the_shipped_broker_is_bounded_and_listens_where_it_is_told() -> None:
    text = (SHIPPED / "smelter.conf").read_text("utf-8")
    settings = dict(
        line.split(maxsplit=1) for line in text.splitlines() if " " in line and line[0] != "#"
    )
    assert settings["listener"] == "8883 127.0.0.1"
    for name, least in (("memory_limit", 1 << 28), ("max_queued_bytes", 1 << 26)):
        assert int(settings[name]) >= least
    assert int(settings["max_connections"]) >= 100
    assert int(settings["message_size_limit"]) < int(settings["max_queued_bytes"])
