"""Heat exchangers behind the gateway: windows of several devices in, figures and alarms out."""

import json
import math
import re
import struct
import time
from pathlib import Path

import numpy as np
import pytest

from agent.edge.config import load_gateway
from agent.exchangers.exchangers import FILE, Exchangers, keep, load, save
from agent.exchangers.settings import ExchangersConfig, OneConfig
from agent.minutes.windows import Minutes
from agent.wire.encode import event_line
from agent.wire.events import Event, Happening, Told
from drivers.model import ConfigError, Equipment, Group, Quality
from drivers.signals.exchanger import INPUTS
from simulators.modbus import ModbusServer
from simulators.plant import Plant, Scenario
from simulators.registers import Bank
from tests.agent.points import MINUTE_NS, START_NS, frame, group, point
from tests.agent.small_plant import device, lines, running, write_config
from tests.agent.test_gateway import near_minute, until

SECOND = 10**9
HX = "gtc1/hx1"
GAS = ("gas_flow", "gas_in_temperature", "gas_out_temperature", "gas_pressure_drop", "fan_power")
WATER = ("water_flow", "water_in_temperature", "water_out_temperature", "pump_power")
BY_HAND = {  # tests/drivers/test_signals_exchanger.py; with 1.35 kJ/Nm3K: 1200 kW, UA 26.414 kW/K
    "gas_flow": 80_000.0,
    "gas_in_temperature": 130.0,
    "gas_out_temperature": 90.0,
    "gas_pressure_drop": 600.0,
    "fan_power": 60.0,
    "water_flow": 10.0,
    "water_in_temperature": 50.0,
    "water_out_temperature": 78.0,
    "pump_power": 10.0,
}
CLEAN = OneConfig(
    clean_flow_nm3_per_h=80_000, clean_ua_kw_per_k=30.0, clean_drop_pa=500.0, fan_before_kw=20.0
)
SETTINGS = ExchangersConfig(gas_kj_per_nm3_k=1.35, each={HX: CLEAN})


def of(names: tuple[str, ...], device: str, unit: str = HX) -> Group:
    points = (point(f"heat_recovery.{name}", unit, device=device) for name in names)
    return group(*points, interval_s=10.0, device=device)


GAS_SIDE, WATER_SIDE = of(GAS, "gas-plc"), of(WATER, "water-plc")
GRACE = {GAS_SIDE: 2 * SECOND, WATER_SIDE: 2 * SECOND}


class Bench:
    """Minutes of frames for each group; what came of them."""

    def __init__(self, settings: ExchangersConfig = SETTINGS, *groups: Group) -> None:
        self.groups = groups or (GAS_SIDE, WATER_SIDE)
        self.exchangers = Exchangers("demo", settings)
        self.exchangers.exchange(self.groups, START_NS)
        self.minutes = {each: Minutes(each) for each in self.groups}
        self.events: list[Event] = []
        self.lines: list[str] = []

    def hear(self, told: Told) -> None:
        self.events += told.events
        self.lines += [line for block in told.lines for line in block.decode().split("\n")]

    def minute(self, number: int, *silent: Group, **other: float) -> None:
        """A frame each ten seconds; NaN is no data."""
        for each in self.groups:
            if each in silent:
                continue
            for k in range(0, 60, 10):
                names = [p.quantity.field for p in each.points]
                values = [(BY_HAND | other).get(name, 0.0) for name in names]
                codes = [int(Quality.STUCK) if math.isnan(v) else 0 for v in values]
                sent = frame(each, START_NS + number * MINUTE_NS + k * SECOND, values, codes)
                self.close(each, self.minutes[each].add(sent))

    def close(self, each: Group, closed: list) -> None:  # type: ignore[type-arg]
        for windows in closed:
            self.hear(self.exchangers.take(each, windows))

    def run(self, since: int, count: int, **other: float) -> int:
        for number in range(since, since + count):
            self.minute(number, **other)
        return since + count

    def window(self, number: int, unit: str = "hx1") -> dict[str, str]:
        """Fields of the derived window of a minute."""
        stamp = f" {START_NS + number * MINUTE_NS}"
        (line,) = [x for x in self.lines if f"unit={unit} " in x and x.endswith(stamp)]
        assert line.startswith("heat_recovery_1m,plant=demo,line=gtc1,")
        return dict(part.split("=") for part in line.split(" ")[1].split(","))


def test_figures_of_a_minute_from_two_devices() -> None:
    bench = Bench()
    bench.run(0, 2)
    seen = bench.window(0)
    assert (seen["heat_gas"], seen["heat_water"], seen["heat_net"]) == ("1200", "1172.1", "1122.1")
    assert (seen["effectiveness"], seen["balance_error"]) == ("0.5", "0.0233")  # 27.92/1200
    assert float(seen["ua"]) == pytest.approx(26.414, abs=0.001)
    assert seen["ua_clean"] == "30"
    assert float(seen["ua_ratio"]) == pytest.approx(0.8805, abs=0.0001)  # 26.414 / 30
    assert seen["drop_ratio"] == "1.2"  # 600 / 500
    assert (seen["ua_n"], seen["ua_trend_n"], seen["ua_trend_q"]) == ("6i", "0i", '"not_available"')
    assert "ua_q" not in seen
    assert "ua_good" not in seen


def test_half_the_gas_has_another_clean_value() -> None:
    bench = Bench()
    bench.run(0, 2, gas_flow=40_000.0)
    # 30 kW/K · 0.5^0.6 = 30 · 0.659754 = 19.793
    assert bench.window(0)["ua_clean"] == "19.793"


def test_what_is_missing_has_a_reason_and_no_value() -> None:
    bench = Bench()
    bench.run(0, 2, gas_out_temperature=math.nan)
    seen = bench.window(0)
    for name in ("heat_gas", "effectiveness", "ntu", "ua", "ua_ratio", "balance_error"):
        assert name not in seen
        assert (seen[f"{name}_n"], seen[f"{name}_good"]) == ("0i", "0")
        assert seen[f"{name}_q"] == '"stuck"'
    assert seen["heat_water"] == "1172.1"
    assert seen["heat_net"] == "1122.1"


def test_standing_and_contradicting_are_told_apart() -> None:
    bench = Bench()
    now = bench.run(0, 1, water_flow=0.0)
    bench.run(now, 2, gas_in_temperature=90.0, gas_out_temperature=130.0)
    standing, swapped = bench.window(0), bench.window(1)
    assert (standing["heat_water"], standing["ua_q"]) == ("0.0", '"not_available"')
    assert "ua" not in standing
    assert "heat_water" not in swapped
    assert swapped["heat_water_q"] == swapped["ua_q"] == '"out_of_range"'


def test_a_silent_device_holds_nothing_up() -> None:
    bench = Bench()
    bench.minute(0)
    bench.minute(1, WATER_SIDE)
    bench.minute(2, WATER_SIDE)
    assert bench.lines == []
    # the water side's minute closes by itself, and of the next one nothing ever comes
    for each, minutes in bench.minutes.items():
        bench.close(each, minutes.close_until(START_NS + 3 * MINUTE_NS, 5 * SECOND))
    bench.hear(bench.exchangers.passed(START_NS + 3 * MINUTE_NS, GRACE))
    assert bench.window(0)["ua_n"] == "6i"
    bench.hear(bench.exchangers.passed(START_NS + 4 * MINUTE_NS, GRACE))
    seen = bench.window(1)
    assert seen["heat_gas"] == "1200"
    assert seen["heat_water_q"] == seen["ua_q"] == '"no_data"'


def test_a_minute_seen_by_half_is_said_to_be() -> None:
    bench = Bench()
    for number in range(2):
        for k in range(0, 60, 10):
            for each in bench.groups:
                seen = number == 1 or k >= 20 or each is GAS_SIDE
                values = [BY_HAND[p.quantity.field] for p in each.points]
                codes = [0 if seen else int(Quality.OUT_OF_RANGE)] * len(values)
                at_ns = START_NS + number * MINUTE_NS + k * SECOND
                bench.close(each, bench.minutes[each].add(frame(each, at_ns, values, codes)))
    told = bench.window(0)
    assert (told["ua_n"], told["ua_good"], told["ua_q"]) == (
        "4i",
        "0.6666666666666666",
        '"out_of_range"',
    )
    assert "heat_gas_q" not in told


def test_only_what_can_be_computed_and_is_not_read() -> None:
    gas = of(GAS[:3], "plc")
    bench = Bench(SETTINGS, gas)
    bench.run(0, 2)
    assert {k for k in bench.window(0) if "_" in k and not k.endswith(("_n", "_q", "_good"))} == {
        "heat_gas"
    }
    told = of((*GAS, *WATER, "effectiveness", "heat_flow"), "plc")
    bench = Bench(SETTINGS, told)
    bench.run(0, 2, effectiveness=0.6, heat_flow=1000.0)
    assert "effectiveness" not in bench.window(0)
    assert "ua" in bench.window(0)
    other = Bench(SETTINGS, of(("heat_flow",), "plc"))
    other.run(0, 2)
    assert other.lines == []
    off = Bench(ExchangersConfig(enabled=False))
    off.run(0, 2)
    assert off.lines == []


def test_a_fouled_exchanger_is_told_and_told_again_when_cleaned() -> None:
    bench = Bench(SETTINGS.model_copy(update={"acid_dew_c": 60.0}))
    # 975 of 2400 kW; NTU = ln((1 − 0.40625·0.716675)/0.59375)/0.283325 = 0.17719/0.283325 = 0.6254
    dirty = {"gas_out_temperature": 97.5, "water_out_temperature": 50 + 975 * 0.97 / 41.86}
    now = bench.run(0, 400, **dirty)
    (begun,) = bench.events
    hour_ns = 60 * MINUTE_NS
    first_ns = -(-START_NS // hour_ns) * hour_ns - hour_ns  # the hour in which it was first seen
    assert START_NS - hour_ns < first_ns <= START_NS
    assert (begun.kind, begun.start_ns, begun.end_ns) == (Happening.FOULING, first_ns, None)
    assert begun.amount == pytest.approx(0.6254, abs=0.0001)  # UA 0.6254 · 30 of 30
    assert begun.text == "UA is 62.5% of the clean one at the same gas flow, below 80% for 6 h"
    bench.run(now, 800, gas_out_temperature=85.0, water_out_temperature=50 + 1350 * 0.97 / 41.86)
    _, ended = bench.events
    assert ended.id == begun.id == f"fouling-{HX}-{first_ns}"
    assert ended.end_ns is not None
    line = event_line("demo", "gw1", ended).decode()
    assert line.startswith("event,plant=demo,gateway=gw1,kind=fouling,line=gtc1,unit=hx1 ")
    assert f",end={ended.end_ns}i," in line


def test_other_alarms_say_what_to_look_at() -> None:
    bench = Bench()
    now = bench.run(0, 61, water_flow=8.0)
    now = bench.run(now, 61, gas_in_temperature=90.0, gas_out_temperature=130.0)
    bench.run(now, 12, gas_out_temperature=80.0, water_out_temperature=50 + 1500 * 0.97 / 41.86)
    texts = [(e.kind.value, e.text) for e in bench.events if e.end_ns is None]
    assert texts == [
        (
            "heat_balance",  # 8 · 4.186 · 28 = 937.7 of 1200 kW
            (
                "gas side and water side differ by 21.9% of the heat of the gas, more than 10% for "
                "60 min: a sensor, or gas by-passes"
            ),
        ),
        ("acid_dew", "gas leaves with 80.0 degC, below 85 degC for 10 min: acid may condense"),
    ]
    swapped = Bench()
    swapped.run(0, 62, gas_in_temperature=90.0, gas_out_temperature=130.0)
    (event,) = swapped.events
    assert event.text.startswith("temperatures and flows contradict one another for 60 min")
    assert event.amount is None


# --- over restarts and other configs


def low_dew(bench: Bench, since: int, count: int) -> int:
    return bench.run(
        since, count, gas_out_temperature=80.0, water_out_temperature=50 + 1500 * 0.97 / 41.86
    )


def next_run(before: Bench, folder: Path, open_events: list[Event], end_ns: int) -> Bench:
    fresh = Bench()
    fresh.events += fresh.exchangers.restore(load(folder), open_events, end_ns)
    return fresh


def test_an_alarm_outlives_the_process(tmp_path: Path) -> None:
    bench = Bench()
    now = low_dew(bench, 0, 12)
    (begun,) = bench.events
    assert bench.exchangers.unsaved
    save(tmp_path, bench.exchangers.state())
    assert not bench.exchangers.unsaved
    fresh = next_run(bench, tmp_path, [], 0)
    now = low_dew(fresh, now, 20)
    assert fresh.events == [], "it is not told twice"
    fresh.run(now, 12)
    (ended,) = fresh.events
    assert (ended.id, ended.start_ns, ended.text) == (begun.id, begun.start_ns, begun.text)
    assert ended.end_ns == START_NS + now * MINUTE_NS


def test_what_began_after_the_last_save_is_gone_on_with(tmp_path: Path) -> None:
    bench = Bench()
    now = low_dew(bench, 0, 12)
    (begun,) = bench.events
    fresh = next_run(bench, tmp_path, [begun], 0)  # killed: only the record log knows of it
    now = low_dew(fresh, now, 20)
    fresh.run(now, 12)
    (ended,) = fresh.events
    assert ended.id == begun.id


def test_nobody_follows_it_any_more(tmp_path: Path) -> None:
    bench = Bench()
    low_dew(bench, 0, 12)
    save(tmp_path, bench.exchangers.state())
    gone = Bench(SETTINGS, of(GAS, "plc", "gtc2/hx1"))
    end_ns = START_NS + 15 * MINUTE_NS
    (ended,) = gone.exchangers.restore(load(tmp_path), [], end_ns)
    assert (ended.equipment, ended.end_ns) == (Equipment.parse(HX), end_ns)
    (again,) = gone.exchangers.restore({}, bench.events, end_ns)
    assert again == ended
    reloaded = bench.exchangers.exchange([WATER_SIDE], end_ns)
    assert reloaded == [], "the water side is the same exchanger"
    (dropped,) = bench.exchangers.exchange([], end_ns)
    assert dropped.end_ns == START_NS + 11 * MINUTE_NS, "where it was last seen"


def test_other_settings_hold_at_once_and_nothing_is_forgotten() -> None:
    bench = Bench()
    now = low_dew(bench, 0, 12)
    warmer = SETTINGS.model_copy(
        update={"each": {HX: CLEAN.model_copy(update={"acid_dew_c": 70.0})}}
    )
    assert bench.exchangers.exchange(bench.groups, START_NS, warmer) == []
    low_dew(bench, now, 12)
    begun, ended = bench.events
    assert ended.id == begun.id, "80 degC are well above 70"


async def test_state_is_kept_when_there_is_something_to_keep(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bench = Bench()
    await keep(bench.exchangers, tmp_path)
    assert not (tmp_path / FILE).exists()
    low_dew(bench, 0, 12)
    await keep(bench.exchangers, tmp_path / "absent")
    await keep(bench.exchangers, tmp_path / "absent")
    assert len(caplog.records) == 1, "told once"
    assert bench.exchangers.unsaved
    await keep(bench.exchangers, tmp_path)
    assert json.loads((tmp_path / FILE).read_text())["exchangers"][HX]["open"]


@pytest.mark.parametrize("text", ["", "{", '{"form": 9}', '{"form": 1, "exchangers": 3}'])
def test_an_unusable_state_file_is_said_and_left(
    tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / FILE).write_text(text)
    assert load(tmp_path) == {}
    if text != '{"form": 9}':
        assert "learned anew" in caplog.text
    bench = Bench()
    assert bench.exchangers.restore({HX: {"open": [], "watch": {}}}, [], 0) == []
    assert "unusable" in caplog.text


# --- config


@pytest.fixture(params=["zh", "en"])
def language(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setenv("SMELTER_LANG", request.param)
    return request.param


def test_mistakes_in_the_config(tmp_path: Path, language: str) -> None:
    (tmp_path / "points.csv").write_text(TABLE)
    path = write_config(tmp_path, device("plc", 502))
    text = path.read_text()
    path.write_text(text + "[exchangers]\nfouling_ratio = 0.9\ndrop_clean_ratio = 2.0\n")
    with pytest.raises(ConfigError) as caught:
        load_gateway(path)
    told = "\n".join(caught.value.problems)
    assert "clean_ratio" in told
    assert "drop_clean_ratio" in told
    path.write_text(text + "[exchangers]\nfouling = 0.9\n")
    with pytest.raises(ConfigError, match=r"gateway.toml:\d+: exchangers fouling"):
        load_gateway(path)
    path.write_text(text + '[exchangers.each."gtc1/hx1"]\nclean_ua_kw_per_k = 30\n')
    with pytest.raises(ConfigError, match="clean_flow_nm3_per_h"):
        load_gateway(path)
    path.write_text(text + '[exchangers.each."gtc1/hx9"]\ncleaned = 2026-11-20\n')
    wanted = "没有读取该设备" if language == "zh" else "no point reads"
    with pytest.raises(ConfigError, match=f"gateway.toml:\\d+: .*gtc1/hx9.*{wanted}"):
        load_gateway(path)


# --- the whole way, with the simulator's exchanger

HEAD = "equipment,quantity,address,type,unit\n"
UNITS = {"flow": "Nm3/h", "temperature": "degC", "drop": "Pa", "power": "kW"}


def unit_of(name: str) -> str:
    return "kg/s" if name == "water_flow" else UNITS[name.rpartition("_")[2]]


TABLE = HEAD + "".join(
    f"{HX},heat_recovery.{name},holding:{2 * k},float32,{unit_of(name)}\n"
    for k, name in enumerate(INPUTS)
)


async def test_from_the_simulated_exchanger_to_the_record(tmp_path: Path) -> None:
    plant = Plant(Scenario(START_NS / 1e9))
    plant.step(60)
    bank = Bank(holding=100)
    for k, name in enumerate(INPUTS):
        value = plant.gauges[f"{HX} heat_recovery.{name}"]
        bank.put("holding", 2 * k, struct.pack(">f", value))
    (tmp_path / "points.csv").write_text(TABLE)
    async with ModbusServer({1: bank}, name="plc") as plc:
        path = write_config(tmp_path, device("plc", plc.port))
        path.write_text(path.read_text() + "[exchangers]\nleast_share = 0.005\n")
        async with running(path, wall_ns=near_minute(1.2)) as gateway:
            await until(lambda: gateway._desk.tally("plc").polls >= 18)
    record = await lines(tmp_path, "record")
    (line,) = [x for x in record if x.startswith("heat_recovery_1m,") and " heat_gas=" in x]
    seen = dict(re.findall(r"([a-z_]+)=([-\d.]+)(?:,| )", line))
    heat = plant.sections[0].heat
    time_s = np.array([plant.time_s])
    flow = plant.gauges[f"{HX} heat_recovery.gas_flow"]
    nominal = heat.clean_kw_k / 1.5 / 1.31 * 3600  # CLEAN_NTU, GAS_KJ_NM3K
    truth = heat.clean_kw_k / (1 + 0.3 * heat.fouling(time_s)[0]) * (flow / nominal) ** 0.6
    assert float(seen["ua"]) == pytest.approx(truth, rel=1e-4)
    assert float(seen["balance_error"]) == pytest.approx(0.03, abs=1e-4)
    water_kw = plant.gauges[f"{HX} heat_recovery.heat_flow"]
    assert float(seen["heat_water"]) == pytest.approx(water_kw, rel=1e-4)
    spent = sum(plant.gauges[f"{HX} heat_recovery.{name}"] for name in ("fan_power", "pump_power"))
    assert float(seen["heat_net"]) == pytest.approx(water_kw - spent, rel=1e-4)
    assert 'ua_ratio_q="no' in line
    assert HX in load(tmp_path / "data")


def test_cost_of_twenty_exchangers() -> None:
    """Once a minute; on the slow machines of a plant it must not be felt."""
    names = [f"gtc{k}/hx1" for k in range(1, 21)]
    every = group(
        *(point(f"heat_recovery.{field}", name) for name in names for field in INPUTS),
        interval_s=10.0,
    )
    bench = Bench(ExchangersConfig(), every)
    closed = []
    for number in range(101):
        values = [BY_HAND[p.quantity.field] for p in every.points]
        at_ns = START_NS + number * MINUTE_NS
        closed += bench.minutes[every].add(frame(every, at_ns, values))
    begun_s = time.process_time()
    for windows in closed:
        bench.hear(bench.exchangers.take(every, windows))
    each_ms = (time.process_time() - begun_s) / len(closed) * 1000
    assert len(bench.lines) == 20 * len(closed)
    print(f"{each_ms:.2f} ms a minute for 20 exchangers")
    assert each_ms < 60
