"""``smelter agent init`` in the folder a package made, with the wrong device, by a serial line."""

import asyncio
import json
import os
import pwd
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.edge.config import load_gateway
from agent.setup.commands import _handed_over
from agent.setup.preview import columns
from drivers.authority import Authority
from drivers.cli import main
from drivers.model import ConfigError
from drivers.profiles import folder as shipped
from drivers.profiles import profiles, read_head
from simulators.modbus import ModbusServer
from simulators.registers import Bank
from tests.drivers.opponent import Opponent
from tests.servers import free_port

PAC = {801: 4.5e9, 809: 1e6, 817: 2e6, 65: 1.25e6, 67: -3e4, 69: 0.98, 55: 49.99, 57: 231.5}
Ran = tuple[int, str, str]
Init = Callable[..., Ran]


@dataclass(frozen=True)
class Ports:
    """Of simulated devices, unit id 1: a PAC4200, one that is all zeros, and quite another."""

    meter: int
    zeros: int
    other: int
    serial: str  # a port with a meter of other registers on it


async def _serve(told: "list[Ports]", ready: threading.Event, over: asyncio.Event) -> None:
    meter = Bank(holding=900, identity=("Siemens", "PAC4200", "2.0"))
    for address, value in PAC.items():
        meter.put_value("holding", address, value, "float64" if address > 800 else "float32")
    other = Bank(holding=400)  # has no register 801
    for address in (65, 67, 69, 57):
        other.put_value("holding", address, 230.5, "float32", "ABCD")
    async with AsyncExitStack() as stack:
        banks = (meter, Bank(holding=900), other)
        servers = [await stack.enter_async_context(ModbusServer({1: bank})) for bank in banks]
        line = await stack.enter_async_context(Opponent("serial"))
        meter_at, zeros_at, other_at = (server.port for server in servers)
        told.append(Ports(meter_at, zeros_at, other_at, line.address))
        ready.set()
        await over.wait()
        assert not any(server.statistics.writes for server in servers)


@pytest.fixture(scope="module")
def ports() -> Iterator[Ports]:
    """One set of devices for all tests, on a thread: the commands run in this one."""
    told: list[Ports] = []
    ready, over = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()
    serving = threading.Thread(target=loop.run_until_complete, args=(_serve(told, ready, over),))
    serving.start()
    assert ready.wait(60)
    yield told[0]
    loop.call_soon_threadsafe(over.set)
    serving.join(60)
    loop.close()


@pytest.fixture
def init(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Init]:
    """The command in this process: exit code, output, errors."""
    before = {sign: signal.getsignal(sign) for sign in (signal.SIGTERM, signal.SIGHUP)}

    def run(*arguments: object, lang: str = "en") -> Ran:
        monkeypatch.setenv("SMELTER_LANG", lang)
        monkeypatch.setattr(sys, "argv", ["smelter", "agent", "init", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
        told = capsys.readouterr()
        return int(left.value.code or 0), told.out, told.err

    yield run
    for sign, what in before.items():
        signal.signal(sign, what)


def device(port: int, profile: str = "siemens-pac4200", name: str = "ac1", more: str = "") -> str:
    where = f"modbus-tcp://127.0.0.1:{port}?unit=1&name={name}&equipment=line1/{name}"
    return f"{where}&profile={profile}&timeout_s=5{more}"


def left(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


# --- in the folder of the package


def test_profiles_of_the_package_are_used_as_they_are(
    tmp_path: Path, init: Init, ports: Ports
) -> None:
    """The guide says: cd /etc/smelter, smelter agent init."""
    there = tmp_path / "profiles" / "siemens-pac4200.csv"
    there.parent.mkdir()
    there.write_bytes((shipped() / "siemens-pac4200.csv").read_bytes())
    mark = there.stat()
    code, out, err = init("--dir", tmp_path, "--plant", "demo", "--device", device(ports.meter))
    assert code == 0, err + out
    assert (there.stat().st_ino, there.stat().st_mtime_ns) == (mark.st_ino, mark.st_mtime_ns)
    assert left(tmp_path) == ["gateway.toml", "profiles/siemens-pac4200.csv"]
    assert len(load_gateway(tmp_path / "gateway.toml").points) == 8


def test_an_edited_profile_stays_and_the_device_gets_its_own(
    tmp_path: Path, init: Init, ports: Ports
) -> None:
    there = tmp_path / "profiles" / "siemens-pac4200.csv"
    there.parent.mkdir()
    there.write_text("mine")
    one = ("--dir", tmp_path, "--plant", "demo", "--device", device(ports.meter))
    code, out, err = init(*one)
    assert code == 0, err + out
    assert there.read_text() == "mine"
    config = load_gateway(tmp_path / "gateway.toml")
    assert config.devices[0].profile is not None
    assert config.devices[0].profile.name == "ac1.csv"
    (tmp_path / "gateway.toml").unlink()
    (tmp_path / "profiles" / "ac1.csv").write_text("mine too")
    code, _, err = init(*one, lang="zh")
    assert code == 2
    assert "ac1.csv：" in err or "ac1.csv:" in err
    assert "不会覆盖" in err
    assert left(tmp_path) == ["profiles/ac1.csv", "profiles/siemens-pac4200.csv"]


def test_secrets_made_by_root_are_for_the_service(tmp_path: Path) -> None:
    secret, plain = tmp_path / "mqtt", tmp_path / "gateway.toml"
    secret.touch(0o600)
    plain.touch(0o644)
    if os.geteuid() != 0:  # only root gives files away; anybody else keeps them, and says nothing
        assert _handed_over([secret, plain], "nobody") == []
        assert secret.stat().st_uid == os.geteuid()
        return
    (told,) = _handed_over([secret, plain], "nobody")
    assert secret.stat().st_uid == pwd.getpwnam("nobody").pw_uid
    assert plain.stat().st_uid == 0
    assert str(secret) in told
    (told,) = _handed_over([secret], "nobody-has-this-name")
    assert f"sudo chown nobody-has-this-name: {secret}" in told
    assert _handed_over([plain]) == []


# --- the wrong device, registers nobody verified


def test_a_device_that_refuses_registers_is_not_called_plausible(
    tmp_path: Path, init: Init, ports: Ports
) -> None:
    """No register 801 and above: three of the eight points of the profile are refused."""
    one = ("--dir", tmp_path / "gw", "--plant", "demo", "--device", device(ports.other))
    code, out, err = init(*one)
    assert code == 1
    assert "plausible as" not in out
    assert "the device refuses 3 of 8 points (meter.energy_import holding:801" in out
    (line,) = [line for line in out.splitlines() if "! out of range: " in line]
    assert "meter.power_factor holding:69" in line
    assert "meter.frequency holding:55" in line
    assert "nothing was written" in err
    assert left(tmp_path) == []
    code, out, err = init(*one, "--accept-unverified", lang="zh")
    assert code == 0, err
    assert "8 个测点中有 3 个被设备拒绝" in out


def test_zeros_tell_no_word_order(tmp_path: Path, init: Init, ports: Ports) -> None:
    one = ("--plant", "demo", "--device", device(ports.zeros))
    code, out, _ = init("--dir", tmp_path / "a", *one, "--json")
    (found,) = json.loads(out)["devices"]
    assert (code, found["order"]["best"]) == (0, "")
    assert set(found["order"]["plausible"].values()) == {0}
    code, out, _ = init("--dir", tmp_path / "b", *one, lang="zh")
    assert code == 0
    assert "字序无法判断" in out
    assert "的值合理" not in out


def test_values_are_printed_within_80_columns(tmp_path: Path, init: Init, ports: Ports) -> None:
    one = ("--plant", "demo", "--device", device(ports.meter))
    for lang in ("zh", "en"):
        code, out, err = init("--dir", tmp_path / lang, *one, lang=lang)
        assert code == 0, err
        rows = [line for line in out.splitlines() if line.startswith("  line1/ac1 ")]
        assert len(rows) == 8
        assert "4500000 kWh" in rows[0]
        assert max(map(columns, rows)) <= 80


@pytest.mark.parametrize(
    "name", ["pot-controller", "rectifier", "cems-modbus", "flow-computer-gas"]
)
def test_a_form_to_fill_in_must_be_accepted(
    tmp_path: Path, init: Init, ports: Ports, name: str
) -> None:
    one = ("--dir", tmp_path / "gw", "--plant", "demo", "--no-probe", "--json", "--device")
    code, out, _ = init(*one, device(ports.zeros, name))
    assert code == 1
    assert f"{name}.csv" in " ".join(json.loads(out)["problems"])
    assert left(tmp_path) == []
    code, out, _ = init(*one, device(ports.zeros, name, more="&accept_unverified=true"))
    assert code == 0, out
    assert json.loads(out)["devices"][0]["to_accept"]


# --- giving up at the prompts


def conversation(port: int) -> list[str]:
    known = [profile.name for profile in profiles() if profile.driver == "modbus"]
    number = str(known.index("siemens-pac4200") + 1)
    first = ["demo", "", "data", "", "", "1", f"127.0.0.1:{port}", "ac1", "1"]
    return [*first, number, "", "", "y", "n", "y"]


@pytest.fixture
def say_it(monkeypatch: pytest.MonkeyPatch) -> Callable[[list[str]], None]:
    """Answers for the prompts; \\x03 is Ctrl-C, and after the last the input ends."""

    def answers(said: list[str]) -> None:
        todo = iter(said)

        def answer(_question: str) -> str:
            found = next(todo, None)
            if found == "\x03":
                raise KeyboardInterrupt
            if found is None:
                raise EOFError
            return found

        monkeypatch.setattr("builtins.input", answer)

    return answers


@pytest.mark.parametrize(("after", "word"), [(0, "q"), (6, "\x03"), (12, "q"), (14, "n")])
def test_giving_up_leaves_nothing(
    tmp_path: Path,
    init: Init,
    ports: Ports,
    say_it: Callable[[list[str]], None],
    after: int,
    word: str,
) -> None:
    say_it([*conversation(ports.meter)[:after], word])
    code, _, err = init("--dir", tmp_path / "gw", lang="zh")
    assert code == 1
    assert "未写入任何文件" in err
    assert list(tmp_path.iterdir()) == []


def test_interrupted_while_a_device_is_asked(
    tmp_path: Path, init: Init, say_it: Callable[[list[str]], None]
) -> None:
    """A device that takes the connection and says nothing; then Ctrl-C, the real signal."""
    with socket.create_server(("127.0.0.1", 0)) as silent:

        def press() -> None:
            with silent.accept()[0] as held:
                held.recv(1)
                os.kill(os.getpid(), signal.SIGINT)
                held.recv(1)

        pressing = threading.Thread(target=press)
        pressing.start()
        say_it(conversation(silent.getsockname()[1]))
        code, _, err = init("--dir", tmp_path / "gw")
        pressing.join(60)
    assert code == 1
    assert "left, nothing was written" in err
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_the_broker_is_looked_at_when_it_is_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    init: Init,
    ports: Ports,
    say_it: Callable[[list[str]], None],
) -> None:
    """It is named from where the person is, and found again wherever the config lies."""
    monkeypatch.chdir(tmp_path)
    Path("ca.pem").write_bytes(Authority.create(tmp_path / "ca", "demo").path.read_bytes())
    first, rest = conversation(ports.meter)[:3], conversation(ports.meter)[5:]
    say_it([*first, "mqtts://127.0.0.1:8883", "no.pem", "ca.pem", "", "", "", *rest])
    code, out, err = init("--dir", "gw", lang="zh")
    assert code == 0, err + out
    assert f"! {tmp_path / 'no.pem'}: 文件不存在" in out
    assert load_gateway(tmp_path / "gw" / "gateway.toml").mqtt.ca == tmp_path / "ca.pem"


# --- a serial line, and what a profile says of its device


def test_a_meter_on_a_serial_port(tmp_path: Path, init: Init, ports: Ports) -> None:
    table = tmp_path / "own.csv"
    table.write_text("equipment,quantity,address,type\nline1/ac2,pot.mode,holding:7,uint16\n")
    line = f"modbus-rtu://{ports.serial}?baud=19200&parity=N&stopbits=2&timeout_s=5&name=ac2"
    one = ("--plant", "demo", "--device", f"{line}&points={table}")
    code, out, err = init("--dir", tmp_path / "gw", *one)
    assert code == 0, err + out
    assert f"serial port {ports.serial} opens" in out
    assert "no unit id given: 1 is read" in out
    (device,) = load_gateway(tmp_path / "gw" / "gateway.toml").devices
    assert (device.driver, device.address, device.unit) == ("modbus-rtu", ports.serial, 1)
    assert device.serial.model_dump() == {
        "baudrate": 19200,
        "parity": "N",
        "stopbits": 2,
        "bytesize": 8,
    }


def test_a_serial_port_that_is_not_there(tmp_path: Path, init: Init) -> None:
    profile = "profile=acrel-adl3000&equipment=line1/ac2&name=ac2"
    for port, told in (("/dev/ttyUSB-none", "文件不存在"), ("/dev/null", "不是串口")):
        one = ("--plant", "demo", "--device", f"modbus-rtu://{port}?unit=3&baud=9600&{profile}")
        code, _, err = init("--dir", tmp_path / "gw", *one, lang="zh")
        assert code == 1
        assert told in err
        assert list(tmp_path.iterdir()) == []
    code, out, err = init("--dir", tmp_path / "gw", *one, "--no-probe")
    assert code == 0, err + out
    code, _, err = init("--plant", "demo", "--device", "modbus-rtu://ttyUSB0?unit=3")
    assert code == 2
    assert "modbus-rtu:///dev/ttyUSB0?" in err


def test_the_limit_of_a_profile_is_written(tmp_path: Path, init: Init, ports: Ports) -> None:
    """Eastron answers at most 30 values a request."""
    one = ("--plant", "demo", "--no-probe", "--device", device(ports.zeros, "eastron-sdm630"))
    code, out, err = init("--dir", tmp_path / "gw", *one)
    assert code == 0, err + out
    assert load_gateway(tmp_path / "gw" / "gateway.toml").devices[0].max_registers == 60
    wrong = tmp_path / "wrong.csv"
    text = (shipped() / "eastron-sdm630.csv").read_text()
    wrong.write_text(text.replace("# max_registers: 60", "# max_registers: 600"))
    with pytest.raises(ConfigError, match="1 to 125"):
        read_head(wrong)


# --- in Chinese


def test_mistakes_and_reasons_are_told_in_chinese(tmp_path: Path, init: Init) -> None:
    """No English of a library, and no word of a list that is only too short for being wrong."""
    code, _, err = init("--device", device(502, more="&unit=999"), lang="zh")
    assert code == 2
    assert sorted(err.splitlines()) == ["device 1 unit: 不能大于 255", "plant: 缺少此项"]
    port = free_port()
    code, _, err = init("--dir", tmp_path, "--plant", "demo", "--device", device(port), lang="zh")
    assert code == 1
    assert f"ac1: 连不上 127.0.0.1:{port}：连接被拒绝，或网络不通" in err


def test_prompts_are_in_chinese(
    tmp_path: Path, init: Init, say_it: Callable[[list[str]], None]
) -> None:
    """A plant with a space, a meter where nobody is."""
    port = free_port()
    said = conversation(port)
    say_it(["1 bad", *said[1:5], *said[:12], "n", "q"])
    code, out, _ = init("--dir", tmp_path / "gw", lang="zh")
    assert code == 1
    assert "! plant: 只能用字母、数字" in out
    assert "（二手资料，先核对手册）" in out or "(二手资料，先核对手册)" in out
    assert "(unverified)" not in out
    assert f"! ac1: 连不上 127.0.0.1:{port}" in out
