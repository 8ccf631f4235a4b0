"""The doctor: with everything running, with half of it away, and with what is usually wrong."""

import asyncio
import json
import os
import re
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agent.batches.log import BatchLog
from agent.doctor import configs, host, logs, reach
from agent.doctor.broker import check as broker_check
from agent.doctor.logbook import held_by, log_state
from drivers.authority import Authority
from drivers.cli import _app
from drivers.doctor import Finding, Given, Text, examine, worst
from drivers.doctor_command import doctor
from tests import servers
from tests.agent.logs import numbered
from tests.agent.small_plant import device, running, server, write_config, write_table
from tests.security.tenants import A, client, shipped, site

RUN = CliRunner()


def levels(found: list[Finding]) -> dict[str, str]:
    return {each.where: each.level for each in found}


def given(path: Path, **more: object) -> Given:
    return Given(gateway=path, limit_s=2.0, **more)  # type: ignore[arg-type]


async def test_a_device_that_answers_one_that_is_silent_and_one_left_alone(tmp_path: Path) -> None:
    write_table(tmp_path)
    write_table(tmp_path, "far.csv", "line2/pot001,pot.voltage,holding:0,float32,V,,,,\n")
    async with server() as plc:
        far = device("far", servers.free_port(), "far.csv")
        path = write_config(tmp_path, device("plc", plc.port) + far)
        found = await asyncio.to_thread(lambda: list(reach.devices(given(path))))
        good, silent = found
        assert (good.level, good.where) == ("ok", f"plc 127.0.0.1:{plc.port}")
        assert good.what.en.startswith("3 of 3 points are good")
        assert silent.level == "bad"
        assert "look at cable" in silent.what_to_do.en
    (note,) = reach.devices(given(path, devices=False))
    assert note.level == "note"


async def test_the_doctor_throws_nobody_off_the_shipped_broker(tmp_path: Path) -> None:
    """Gateway and historian hold their sessions under the certificates that the doctor shows."""
    write_table(tmp_path)
    site(tmp_path)
    broker = shipped(tmp_path).start()
    try:
        url = f"mqtts://127.0.0.1:{broker.port}"
        configs = []
        for name, path in (
            (A, write_config(tmp_path, device("plc", 1))),
            ("historian", tmp_path / "historian.toml"),
        ):
            old = path.read_text() if path.exists() else 'data_dir = "h"\n[mqtt]\nurl = ""\n'
            files = f'ca = "ca.pem"\ncert = "{name}.pem"\nkey = "{name}.key"'
            path.write_text(re.sub(r'url = ".*"', f'url = "{url}"\n{files}', old))
            configs.append(path)
        at = tmp_path, broker.port
        receipts = "smelter/v1/demo/gw1/receipt"
        async with client(*at, A) as gateway, client(*at, "historian") as historian:
            await gateway.subscribe(receipts, qos=1)
            look = given(configs[0], historian=configs[1])
            found = await asyncio.to_thread(lambda: list(broker_check(look)))
            assert [each.level for each in found if each.where == url] == ["ok", "ok"], found
            await historian.publish(receipts, b"still here", qos=1)
            async with asyncio.timeout(60):
                heard = await anext(aiter(gateway.messages))
            assert heard.payload == b"still here"
        assert "already connected" not in (tmp_path / "broker.log").read_text()
        (tmp_path / f"{A}.pem").write_bytes((tmp_path / "reader.pem").read_bytes())
        (tmp_path / f"{A}.key").write_bytes((tmp_path / "reader.key").read_bytes())
        Authority(tmp_path).revoke("reader", "lost")
    finally:
        broker.end()
    broker = shipped(tmp_path)
    broker.start()
    try:
        text = configs[0].read_text()
        configs[0].write_text(
            re.sub(r"127\.0\.0\.1:\d+\"", f'127.0.0.1:{broker.port}"', text, count=1)
        )
        (bad, *_) = await asyncio.to_thread(lambda: list(broker_check(given(configs[0]))))
        assert bad.level == "bad"
        assert "我方证书已被吊销" in bad.what.zh
        assert "our certificate is revoked" in bad.what.en
    finally:
        broker.end()


def test_a_store_that_is_away_is_told_without_numbers_of_errors(tmp_path: Path) -> None:
    path = tmp_path / "historian.toml"
    url = f"http://127.0.0.1:{servers.free_port()}"
    influx = f'[[influxdb]]\napi = "v1"\nurl = "{url}"\ndatabase = "plant"\n'
    path.write_text(f'data_dir = "h"\n[mqtt]\nurl = "mqtt://127.0.0.1:1"\n{influx}')
    (bad,) = (each for each in reach.stores(Given(historian=path)) if each.level == "bad")
    assert bad.what.zh == "InfluxDB 没有应答：连接被拒绝（该端口没有程序监听）"
    assert bad.what.en == "InfluxDB does not answer: Connection refused"


async def test_what_the_running_service_says_of_its_session(tmp_path: Path) -> None:
    write_table(tmp_path)
    plain = servers.mosquitto(tmp_path).start()
    port = servers.free_port()
    async with server() as plc:
        path = write_config(tmp_path, device("plc", plc.port), plain.port)
        path.write_text(path.read_text().replace("127.0.0.1:0", f"127.0.0.1:{port}"))

        async def levels_now() -> list[str]:
            found = await asyncio.to_thread(lambda: list(broker_check(given(path))))
            return [each.level for each in found]

        try:
            assert await levels_now() == ["ok", "note"]  # nobody runs: no login is tried
            async with running(path):
                async with asyncio.timeout(60):
                    while await levels_now() != ["ok", "ok"]:  # noqa: ASYNC110 - of another program
                        await asyncio.sleep(0.2)
                plain.end()
                async with asyncio.timeout(60):
                    while (await levels_now())[:2] != ["bad", "bad"]:  # noqa: ASYNC110
                        await asyncio.sleep(0.2)
        finally:
            plain.end()


def test_no_broker_at_all(tmp_path: Path) -> None:
    write_table(tmp_path)
    found, note = broker_check(given(write_config(tmp_path, device("plc", 1))))
    assert (found.level, note.level) == ("bad", "note")
    assert found.what.zh == "无法连接：连接被拒绝（该端口没有程序监听）"


async def test_what_waits_for_the_historian_and_who_writes(tmp_path: Path) -> None:
    write_table(tmp_path)
    path = write_config(tmp_path, device("plc", 1))
    hour_ago = time.time_ns() - 7_200_000_000_000
    async with BatchLog(tmp_path / "data", stream="record") as log:
        for _ in range(3):
            await log.append(numbered(100), closed_ns=hour_ago)
        log.set_receipted(1)
        await log.save_receipt()
        folder = tmp_path / "data" / "record" / log.log_id
        state = log_state(folder)
        assert state is not None
        assert (state.newest, state.receipted, state.waiting) == (3, 1, 2)
        assert held_by(folder / "lock") == os.getpid()
        found = list(logs.gateway(given(path)))
    told = {each.topic: each for each in found if each.level == "bad"}
    assert "2 batches wait for the historian, the first for 2 h" in told["backlog"].what.en
    assert "the newest batch is 2 h old" in told["log"].what.en
    stopped = [each for each in logs.gateway(given(path)) if "not running" in each.what.en]
    assert stopped[0].what_to_do.en.startswith("systemctl start smelter-agent")


def test_modes_owners_and_room(tmp_path: Path) -> None:
    write_table(tmp_path)
    path = write_config(tmp_path, device("plc", 1))
    keys = tmp_path / "data" / "keys"
    keys.mkdir(parents=True)
    (keys / "0001.key").write_text("secret")
    (keys / "0001.key").chmod(0o644)
    (tmp_path / "data").chmod(0o755)
    pair = tmp_path / "data" / "certificates" / "mqtt.1"
    pair.mkdir(parents=True)
    (pair / "key.pem").write_text("secret")
    (pair / "key.pem").chmod(0o640)
    found = levels(list(host.permissions(given(path))))
    assert found[str(keys / "0001.key")] == "bad"
    assert found[str(pair / "key.pem")] == "bad"
    (pair / "key.pem").chmod(0o600)
    assert found[str(tmp_path / "data")] == "warn"
    (keys / "0001.key").chmod(0o600)
    (tmp_path / "data").chmod(0o750)
    assert set(levels(list(host.permissions(given(path)))).values()) == {"ok"}
    assert any("free" in each.what.en for each in host.disk(given(path)))


def test_every_mistake_of_a_config_is_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    path = write_config(tmp_path, device("plc", 1) + device("plc", 2))  # no table, one name twice
    found = list(configs.check(given(path)))
    assert len(found) >= 2
    assert all(each.level == "bad" for each in found)
    assert not list(logs.gateway(given(path)))
    assert list(host.disk(given(path)))  # the folder is known all the same


def test_one_broken_check_hides_nothing() -> None:
    def breaks(_: Given) -> list[Finding]:
        raise ZeroDivisionError("on purpose")

    def works(_: Given) -> list[Finding]:
        return [Finding("ok", "clock", Text("好", "good"))]

    found = examine(Given(), {"breaks": breaks, "works": works})
    assert worst(found) == "bad"
    assert [each.topic for each in found] == ["program", "clock"]
    assert "on purpose" in found[0].what.zh


def test_the_command_in_both_languages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_table(tmp_path)
    path = write_config(tmp_path, device("plc", 1))
    call = ["--config", str(path), "--no-devices"]
    for tongue, words in (("en", "cannot be reached"), ("zh", "无法连接")):
        monkeypatch.setenv("SMELTER_LANG", tongue)
        done = RUN.invoke(_app("doctor", doctor), call)
        assert done.exit_code == 1  # there is no broker
        assert words in done.output
    table = json.loads(RUN.invoke(_app("doctor", doctor), [*call, "--json"]).output)
    assert table["level"] == "bad"
    assert all(each["what"]["zh"] and each["what"]["en"] for each in table["findings"])


def test_nothing_to_look_at_is_wrong_use(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("drivers.doctor_command.DEFAULTS", tmp_path)
    assert RUN.invoke(_app("doctor", doctor), []).exit_code == 2
