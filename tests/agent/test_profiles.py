"""Every profile that comes along: loads, says where it is from, and reads what its device says."""

import json
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from agent.edge.config import load_gateway
from agent.edge.reading import read_once
from drivers.config import DeviceConfig
from drivers.language import in_both
from drivers.model import ConfigError, Point
from drivers.points import load_points
from drivers.profiles import LEVELS, Profile, doubts, profiles, read_head
from simulators.modbus import ModbusServer
from simulators.registers import Bank, encode
from tests.servers import free_port

ALL = profiles()
MODBUS = [profile for profile in ALL if profile.driver == "modbus"]
VALUES = {  # in the unit of the dictionary: something inside every range, awkward in every type
    "kWh": 4321.12,
    "kvarh": 987.65,
    "kW": 12.3456,
    "kvar": -3.25,
    "Hz": 49.98,
    "1": 1.0,
    "V": 4.123,
    "A": 3.214,
    "kA": 41.37,
    "degC": 96.5,
    "Pa": -480.0,
    "kPa": 250.0,
    "m/s": 12.5,
    "%": 7.5,
    "mg/m3": 23.5,
    "Nm3": 7654321.0,
    "Nm3/h": 812.5,
    "m3/h": 3.5,
    "mV": 25.0,
    "uOhm": 9.87,
    "cm": 22.5,
}
OF = {"pot.bath_temperature": 955.0, "meter.power_factor": 0.97, "pot.feed_shots": 4711.0}
OF |= {"pot.link": 0.0, "stack.instrument_state": 0.0}  # or nothing of it counts as good


def ids(profile: Profile) -> str:
    return profile.name


def test_there_is_one_for_every_kind_of_equipment() -> None:
    assert {profile.kind for profile in ALL} == {"pot", "rectifier", "meter", "flow", "cems"}
    assert {"dlt645-gateway", "cems-hj212", "pot-controller"} <= {x.name for x in ALL}
    folder = ALL[0].path.parent
    assert {x.path for x in ALL} == set(folder.glob("*.csv")), "one has no head"


@pytest.mark.parametrize("profile", ALL, ids=ids)
def test_heads_say_all_in_both_languages(profile: Profile) -> None:
    assert profile.confirmed in LEVELS
    for text in (profile.title, profile.manual, profile.note):
        zh, bar, en = text.partition(" | ")
        assert bar, f"{profile.name}: {text}"
        assert any("\u4e00" <= letter <= "\u9fff" for letter in zh)
        assert not any("\u4e00" <= letter <= "\u9fff" for letter in en)
    assert bool(profile.doubt) == (profile.confirmed != "manual seen")
    assert profile.confirmed == "unverified" or not profile.is_form
    zh, en = in_both(lambda: profile.doubt)
    assert ("供货方" in zh and "ask the supplier" in en) == profile.is_form
    assert not any("\u4e00" <= letter <= "\u9fff" for letter in en)
    assert not re.search(r"unverified|secondary|[（(](none:|无：)", zh)
    assert "(none:" not in en


def device_of(profile: Profile, port: int) -> DeviceConfig:
    said: dict[str, object] = {
        "name": "it",
        "driver": "modbus-tcp" if profile.driver == "modbus" else "hj212",
        "address": f"127.0.0.1:{port}",
        "profile": profile.path,
        "equipment": "area/unit",
    }
    if profile.driver == "hj212":
        said["hj212"] = {"mn": "0" * 24}
    return DeviceConfig.model_validate(said)


@pytest.mark.parametrize("profile", ALL, ids=ids)
def test_loads_without_a_mistake(profile: Profile) -> None:
    points = load_points(device_of(profile, 502), profile.path.parent)
    assert {point.quantity.name for point in points} == set(profile.quantities)


def raw_of(point: Point) -> tuple[float, float]:
    """The raw number nearest to the value that is to be read, and that value exactly."""
    name = point.quantity.name
    wanted = OF.get(name, VALUES[str(point.quantity.unit)])
    scale = Decimal(repr(point.scale))
    raw = float(Decimal(repr(wanted)) / scale)
    if not point.type.startswith("float"):
        raw = float(round(raw))
    if point.type == "float32":
        raw = float(np.float32(raw))
    return raw, float(Decimal(repr(raw)) * scale)


def put(bank: Bank, point: Point, raw: float) -> None:
    area, _, at = point.address.partition(":")
    if point.type == "bool":
        number, _, bit = at.partition(".")
        if raw:  # other bits of the register are of other points
            bank.put(area, int(number), (1 << int(bit)).to_bytes(2, "big"))
    elif point.type.startswith("bcd"):
        bank.put(area, int(at), bytes.fromhex(f"{int(raw):0{int(point.type[3:]) // 4}d}"))
    else:
        bank.put(area, int(at), encode(raw, point.type, point.order)[0].tobytes())


@pytest.mark.parametrize("profile", MODBUS, ids=ids)
async def test_reads_what_the_registers_hold(profile: Profile, tmp_path: Path) -> None:
    """Registers filled by the simulator's own encoding: type, word order, scale, address."""
    bank = Bank(holding=20000, input=2000)
    async with ModbusServer({1: bank}) as server:
        text = (
            'plant = "demo"\ngateway = "gw1"\ndata_dir = "data"\n[mqtt]\n'
            f'url = "mqtt://127.0.0.1:{free_port()}"\n[[device]]\nname = "it"\n'
            f'driver = "modbus-tcp"\naddress = "127.0.0.1:{server.port}"\ntimeout_s = 5\n'
            f'profile = "{profile.path}"\nequipment = "area/unit"\n'
        )
        path = tmp_path / "gateway.toml"
        await asyncio_write(path, text)
        config = load_gateway(path)
        expected = {}
        for point in config.points:
            raw, value = raw_of(point)
            put(bank, point, raw)
            expected[point.quantity.name] = value
        readings = await read_once(config)
        assert server.statistics.writes == 0
    found = {
        str(row["quantity"]): row
        for reading in readings
        for row in reading.as_json()["values"]  # type: ignore[attr-defined]
    }
    for name, value in expected.items():
        row = found[name]
        assert row["quality"] == "good", row
        assert row["value"] == pytest.approx(value, rel=1e-7), row


async def asyncio_write(path: Path, text: str) -> None:
    path.write_text(text)  # noqa: ASYNC240 - a few bytes


def test_check_says_what_to_verify(tmp_path: Path) -> None:
    heads = {profile.name: profile for profile in ALL}
    assert doubts([heads["suto-s401"].path]) == []
    (told,) = doubts([heads["rectifier"].path] * 2)
    assert "rectifier.csv" in told
    own = tmp_path / "own.csv"
    own.write_text("quantity,address,type\nmeter.active_power,holding:+1,float32\n")
    assert read_head(own) is None, "a plant's own profile needs no head"
    own.write_text("# confirmed: surely\nquantity,address,type\n")
    with pytest.raises(ConfigError, match=r"own\.csv"):
        read_head(own)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_command_lists_them(lang: str) -> None:
    def ran(*more: str) -> subprocess.CompletedProcess[str]:
        code = "from drivers.cli import main; main()"
        command = [sys.executable, "-c", code, "agent", "profiles", *more]
        environment = {"SMELTER_LANG": lang, "PATH": "/usr/bin:/bin"}
        return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)

    listed = ran()
    assert listed.returncode == 0, listed.stderr
    for profile in ALL:
        assert profile.name in listed.stdout
    assert ("先核对手册" if lang == "zh" else "check the manual first") in listed.stdout
    one = json.loads(ran("dlt645-gateway", "--json").stdout)
    assert one[0]["confirmed"] == "unverified"
    assert "meter.energy_import" in one[0]["quantities"]
    assert ran("nothing").returncode == 2
