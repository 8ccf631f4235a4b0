"""``smelter agent init`` against real simulators: scripted and at a terminal; nothing half done."""

import asyncio
import contextlib
import json
import os
import pty
import re
import select
import signal
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from agent.edge.config import load_gateway
from simulators.modbus import ModbusServer
from simulators.registers import Bank
from tests.drivers.opcua_server import Plant, serving
from tests.servers import free_port

CODE = "from drivers.cli import main; main()"
LIMIT_S = 120.0
PAC = {801: 4.5e9, 809: 1e6, 817: 2e6, 65: 1.25e6, 67: -3e4, 69: 0.98, 55: 49.99, 57: 231.5}


def environment(lang: str = "en") -> dict[str, str]:
    return {**os.environ, "SMELTER_LANG": lang, "PYTHONPATH": str(Path(__file__).parents[2])}


async def ran(*arguments: object, lang: str = "en") -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", CODE, "agent", "init", *map(str, arguments)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(lang),
    )
    async with asyncio.timeout(LIMIT_S):
        out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


@asynccontextmanager
async def meter(unit: int = 3, order: str = "ABCD") -> AsyncIterator[ModbusServer]:
    """A PAC4200 as its manual has it, on one unit id only."""
    bank = Bank(holding=900, identity=("Siemens", "PAC4200", "2.0"))
    for address, value in PAC.items():
        kind = "float64" if address > 800 else "float32"
        bank.put_value("holding", address, value, kind, order)
    async with ModbusServer({unit: bank}) as server:
        yield server


def spec(port: int, more: str = "", name: str = "ac1") -> str:
    where = f"modbus-tcp://127.0.0.1:{port}?name={name}&equipment=line1/{name}"
    return f"{where}&profile=siemens-pac4200&timeout_s=5{more}"


def left(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


async def test_a_meter_is_found_read_and_configured(tmp_path: Path) -> None:
    target = tmp_path / "gw"
    async with meter() as plc:
        code, out, err = await ran(
            "--dir", target, "--plant", "demo", "--device", spec(plc.port), "--json"
        )
        assert plc.statistics.writes == 0
    assert code == 0, err + out
    report = json.loads(out)
    (found,) = report["devices"]
    assert found["units"]["3"]["vendor"] == "Siemens"
    assert found["order"] | {"plausible": 0} == {"profile": "ABCD", "best": "ABCD", "plausible": 0}
    values = {row["quantity"]: row["value"] for each in found["values"] for row in each["values"]}
    assert values["meter.energy_import"] == 4.5e6
    assert values["meter.active_power"] == 1250
    config = load_gateway(target / "gateway.toml")
    assert config.devices[0].unit == 3
    assert left(target) == ["gateway.toml", "profiles"]
    assert report["check"]["profiles_to_check"], "an engineer must see that it is second-hand"
    assert "! " not in err


async def test_a_wrong_word_order_is_noticed_and_can_be_set(tmp_path: Path) -> None:
    async with meter(order="CDAB") as plc:
        code, out, _ = await ran(
            "--dir", tmp_path / "a", "--plant", "demo", "--device", spec(plc.port), "--json"
        )
        assert code == 0, out
        assert json.loads(out)["devices"][0]["order"]["best"] == "CDAB"
        code, out, _ = await ran(
            *("--dir", tmp_path / "b", "--plant", "demo", "--json"),
            *("--device", spec(plc.port, "&order=CDAB&unit=3")),
        )
    values = json.loads(out)["devices"][0]["values"]
    told = {row["quantity"]: row["value"] for each in values for row in each["values"]}
    assert told["meter.frequency"] == pytest.approx(49.99)
    assert code == 0
    (point, *_) = load_gateway(tmp_path / "b" / "gateway.toml").points
    assert point.order == "CDAB"


async def test_nothing_is_overwritten_and_nothing_half_is_left(tmp_path: Path) -> None:
    (tmp_path / "gateway.toml").write_text("mine")
    async with meter() as plc:
        one = ("--plant", "demo", "--device", spec(plc.port))
        code, _, err = await ran("--dir", tmp_path, *one, lang="zh")
        assert code == 2
        assert "不会覆盖" in err
        assert left(tmp_path) == ["gateway.toml"]


async def test_a_silent_device_writes_nothing_unless_told_to(tmp_path: Path) -> None:
    port = free_port()
    one = ("--dir", tmp_path / "gw", "--plant", "demo", "--device", spec(port))
    code, _, err = await ran(*one)
    assert code == 1
    assert "nothing was written" in err
    assert left(tmp_path) == []
    code, out, err = await ran(*one, "--no-probe", lang="zh")
    assert code == 0, err
    assert "下一步" in out
    assert load_gateway(tmp_path / "gw" / "gateway.toml").devices[0].unit == 1


async def test_every_mistake_of_the_answers_at_once(tmp_path: Path) -> None:
    answers = tmp_path / "answers.toml"
    answers.write_text(
        'plant = "1x"\n[[device]]\nname = "a"\ndriver = "modbus-tcp"\naddress = "h:502"\n'
        'profle = "x"\n[[device]]\nname = "a"\ndriver = "profibus"\naddress = "h"\n'
    )
    code, _, err = await ran("--dir", tmp_path / "gw", "--answers", answers)
    assert code == 2
    for text in ("answers.toml:1: plant", "profle", "driver"):
        assert text in err, err
    code, _, err = await ran("--plant", "demo", "--device", "modbus://x")
    assert code == 2
    assert "modbus-tcp://" in err
    code, _, err = await ran(
        "--dir", tmp_path / "gw", "--plant", "demo", "--no-probe", "--device", spec(1) + "x"
    )
    assert code == 2
    assert left(tmp_path) == ["answers.toml"]


async def test_a_password_never_stands_in_the_config(tmp_path: Path) -> None:
    answers = tmp_path / "answers.toml"
    own = tmp_path / "own.csv"
    own.write_text("equipment,quantity,address,type\nline1/ac1,meter.frequency,holding:1,float32\n")
    (tmp_path / "ca.pem").write_text("x")
    answers.write_text(
        'plant = "demo"\n[mqtt]\nurl = "mqtt://127.0.0.1:1883"\nusername = "gw"\n'
        '[[device]]\nname = "a"\ndriver = "modbus-tcp"\naddress = "127.0.0.1:502"\n'
        'points = "own.csv"\nprobe = false\n'
    )
    target = tmp_path / "deep" / "gw"
    code, out, err = await ran("--dir", target, "--answers", answers)
    assert code == 0, err
    secret = target / "credentials" / "mqtt"
    assert secret.stat().st_mode & 0o777 == 0o600
    assert str(secret) in out
    assert "password_file" in (target / "gateway.toml").read_text()
    assert (target / "points" / "a.csv").read_text() == own.read_text()


async def test_an_opcua_server_is_asked_browsed_and_read(tmp_path: Path) -> None:
    plant = Plant(free_port(), count=4)
    table = tmp_path / "dcs.csv"
    table.write_text(
        "equipment,quantity,address\nline1/pot001,pot.noise_lf,nsu=urn:plant;s=Pot001.V\n"
    )
    async with serving(plant):
        url = f"opc.tcp://127.0.0.1:{plant.port}?name=dcs"
        one = ("--dir", tmp_path / "gw", "--plant", "demo", "--json", "--device")
        code, out, _ = await ran(*one, url)
        (found,) = json.loads(out)["devices"]
        assert found["endpoints"] == ["None None"]
        assert (code, found["placed"]) == (1, 0), "names nobody can place: nothing is written"
        assert left(tmp_path) == ["dcs.csv"]
        code, out, err = await ran(*one, f"{url}&points={table}")
    assert code == 0, err + out
    assert json.loads(out)["devices"][0]["values"][0]["values"][0]["quality"] == "good"
    (device,) = load_gateway(tmp_path / "gw" / "gateway.toml").devices
    assert device.security == "none", "written out, because nobody shall take it for granted"


async def test_a_logger_tells_its_mn(tmp_path: Path) -> None:
    port = free_port()
    mn = "010000A8900016F000169DC0"

    async def report() -> None:
        end = time.monotonic() + LIMIT_S
        while time.monotonic() < end:
            with contextlib.suppress(OSError):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(f"##0100QN=20261123120000001;ST=31;CN=2011;MN={mn};".encode())
                await writer.drain()
                assert await reader.read(1) == b"", "nothing is answered"
                writer.close()
                return
            await asyncio.sleep(0.05)

    telling = asyncio.create_task(report())
    code, out, err = await ran(
        *("--dir", tmp_path / "gw", "--plant", "demo", "--json"),
        *("--device", f"hj212://127.0.0.1:{port}?name=c1&equipment=gtc1/stack1&listen_s=50"),
    )
    await telling
    assert code == 0, err + out
    assert json.loads(out)["devices"][0]["mn"] == [mn]
    logger = load_gateway(tmp_path / "gw" / "gateway.toml").devices[0].hj212
    assert logger is not None
    assert logger.mn == mn


# --- at a terminal


def talk(folder: Path, said: Sequence[tuple[str, str]], lang: str = "zh") -> tuple[int, str]:
    """Run ``init`` on a terminal of its own; each answer is given when its question was seen."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(folder)
        os.execve(  # noqa: S606
            *(sys.executable, [sys.executable, "-c", CODE, "agent", "init", "--dir", "gw"]),
            environment(lang) | {"TERM": "screen"},
        )
    seen, at, end = "", 0, time.monotonic() + LIMIT_S
    todo = list(said)
    while time.monotonic() < end:
        ready, _, _ = select.select([terminal], [], [], 0.2)
        if ready:
            try:
                chunk = os.read(terminal, 65536)
            except OSError:
                break
            if not chunk:
                break
            seen += chunk.decode("utf-8", "replace")
        if todo and (match := re.search(todo[0][0], seen[at:])):
            at += match.end()
            answer = todo.pop(0)[1]
            os.write(terminal, f"{answer}\n".encode())
    os.close(terminal)  # hangs up, should it still wait
    if time.monotonic() >= end:
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    assert not todo, f"never asked {todo[0][0]}: {seen[-2000:]}"
    return os.waitstatus_to_exitcode(status), seen


def conversation(port: int) -> list[tuple[str, str]]:
    return [
        ("工厂代号", "demo"),
        ("网关代号", ""),
        ("数据目录", "data"),
        ("MQTT 服务器", ""),
        ("用户名", ""),
        ("接口", "1"),
        ("地址", f"127.0.0.1:{port}"),
        ("设备名", "ac1"),
        ("从站号", ""),
        ("寄存器表", numbered("siemens-pac4200")),
        ("对应设备", ""),
        ("base", ""),
        ("采用这台设备", "y"),
        ("再加一台", "n"),
        ("写入 .*gw", "y"),
    ]


def numbered(name: str) -> str:
    from drivers.profiles import profiles

    names = [profile.name for profile in profiles() if profile.driver == "modbus"]
    return str(names.index(name) + 1)


async def test_a_person_at_a_terminal(tmp_path: Path) -> None:
    async with meter() as plc:
        code, seen = await asyncio.to_thread(talk, tmp_path, conversation(plc.port))
        assert plc.statistics.writes == 0
    assert code == 0, seen
    assert "先核对手册" in seen
    assert "49.99" in seen, "values are shown before they are kept"
    config: Any = load_gateway(tmp_path / "gw" / "gateway.toml")
    assert (config.plant, config.gateway, len(config.points)) == ("demo", "gw1", 8)


async def test_mistakes_at_the_prompts_are_asked_again(tmp_path: Path) -> None:
    said = [
        ("plant", "1 bad"),
        ("gateway", ""),
        ("data folder", "data"),
        ("broker", ""),
        ("user name", ""),
        ("plant", "demo"),
        ("gateway", ""),
        ("data folder", "data"),
        ("broker", ""),
        ("user name", ""),
        ("interface", "9"),
        ("a number from 1", "1"),
        ("address", f"127.0.0.1:{free_port()}"),
        ("name of the device", "ac1"),
        ("unit id", "1"),
        ("register map", "1"),
        ("equipment", "line1/pot{001..004}"),
        ("base", "1000"),
        ("registers from one", "20"),
        ("keep it anyway", "y"),
        ("keep this device", "y"),
        ("one more device", "n"),
        ("write to", "y"),
    ]
    code, seen = await asyncio.to_thread(talk, tmp_path, said, "en")
    assert code == 0, seen
    config = load_gateway(tmp_path / "gw" / "gateway.toml")
    assert {str(p.equipment) for p in config.points} == {f"line1/pot{n:03d}" for n in range(1, 5)}
