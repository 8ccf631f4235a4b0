"""The whole gateway process signs by itself: each interval, at a stop, and after a kill."""

import asyncio
import re
import urllib.request
from functools import partial
from pathlib import Path

import pytest

from agent.batches.log import BatchLog
from agent.edge.config import load_gateway
from agent.edge.gateway import Gateway
from agent.evidence.notary import Notary
from drivers.model import ConfigError
from tests import servers
from tests.agent.ends import broker_at, until
from tests.agent.evidence_ends import stored_head, witness_end
from tests.agent.small_plant import device, lines, running, server, write_config, write_table

KEYS = "[evidence]\ncheckpoint_s = 0.3\n"


def checkpoint(folder: Path, stream: str) -> Path:
    (path,) = (folder / "data" / stream).glob("*/tree/checkpoint")
    return path


async def test_checkpoints_are_signed_each_interval_and_at_the_stop(
    tmp_path: Path, mosquitto: servers.Server
) -> None:
    write_table(tmp_path)
    async with server() as plc, witness_end(tmp_path / "h", broker_at(mosquitto.port)) as witness:
        path = write_config(tmp_path, device("plc", plc.port) + KEYS, mosquitto.port)
        async with running(path) as gateway:
            notary = gateway._evidence.notary
            await until(lambda: notary.counts.checkpoints >= 4, "signed by the clock")
            await until(lambda: notary.cosigned_sizes()["raw"] > 0, "cosigned")
            assert gateway.healthy() == (True, "ok")
            address = f"http://127.0.0.1:{gateway.port}/metrics"
            text = await asyncio.to_thread(lambda: urllib.request.urlopen(address).read().decode())
            assert re.search(r'smelter_evidence_cosigned\{stream="raw"\} [1-9]', text)
        at_stop = {name: stored_head(checkpoint(tmp_path, name)) for name in ("record", "raw")}
        for name, head in at_stop.items():
            async with BatchLog(tmp_path / "data", stream=name) as log:
                assert head.size == log.newest, "everything to the stop is signed"
        known = sorted((tmp_path / "h" / "checkpoints" / "demo" / "gw1").glob("*/*/checkpoint"))
        await until(
            lambda: {stored_head(p).size for p in known} == {h.size for h in at_stop.values()},
            "cosigned after the stop",
        )
        assert witness.counts.forks == witness.counts.older == 0


def signed_since(notary: Notary, count: int) -> bool:
    return notary.counts.checkpoints > count


async def test_a_kill_costs_no_checkpoint_and_makes_no_fork(
    tmp_path: Path, mosquitto: servers.Server
) -> None:
    write_table(tmp_path)
    async with server() as plc, witness_end(tmp_path / "h", broker_at(mosquitto.port)) as witness:
        path = write_config(tmp_path, device("plc", plc.port) + KEYS, mosquitto.port)
        for _ in range(4):
            gateway = Gateway(load_gateway(path))
            task = asyncio.create_task(gateway.run())
            await until(gateway.started.is_set, "started")
            notary = gateway._evidence.notary
            before = notary.counts.checkpoints
            await until(partial(signed_since, notary, before + 1), "signed")
            task.cancel()
            with pytest.raises((asyncio.CancelledError, BaseExceptionGroup)):
                await task
        async with running(path):
            await asyncio.sleep(0.5)
        assert witness.counts.forks == 0
        assert witness.counts.cosigned >= 4
    assert not [line for line in await lines(tmp_path, "record") if "kind=fork" in line]


async def test_keys_that_others_can_read_stop_the_checkpoints_only(tmp_path: Path) -> None:
    write_table(tmp_path)
    async with server() as plc:
        path = write_config(tmp_path, device("plc", plc.port) + KEYS)
        async with running(path):
            pass
        (tmp_path / "data" / "keys" / "0001.key").chmod(0o640)
        async with running(path) as gateway:
            await until(lambda: gateway._desk.tally("plc").polls >= 5, "acquisition goes on")
            good, why = gateway.healthy()
            assert not good
            assert "no checkpoints: " in why
            assert "others can read it" in why
    told = [line for line in await lines(tmp_path, "record") if "kind=evidence_stopped" in line]
    assert len(told) == 1


def test_what_the_config_may_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_table(tmp_path)
    for text, what in (
        ('hash = "md5"', "'sha256' or 'sm3'"),
        ('signature = "rsa"', "'ed25519' or 'sm2'"),
        ("checkpoint_s = 0", "checkpoint_s"),
        ("colour = 1", "colour"),
    ):
        path = write_config(tmp_path, device("plc", 502) + f"[evidence]\n{text}\n")
        with pytest.raises(ConfigError, match=what):
            load_gateway(path)
    path = write_config(tmp_path, device("plc", 502))
    assert load_gateway(path).evidence.checkpoint_s == 60
