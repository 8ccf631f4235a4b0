"""Stacks the whole way: registers, the gateway process, the record log, a kill; and its config."""

import struct
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.batches.log import BatchLog
from agent.edge.check import describe, summary
from agent.edge.config import load_gateway
from agent.edge.outbox import Outbox
from agent.stacks.resume import minutes_of
from agent.wire.encode import BatchHead
from drivers.model import ConfigError, Equipment
from simulators.modbus import ModbusServer
from simulators.registers import Bank
from tests.agent.small_plant import device, lines, running, write_config
from tests.agent.stack_bench import DUCT, GASES, HOT, HOUR, MINUTE, NAME, SECOND
from tests.agent.test_gateway import until

HEAD = "equipment,quantity,address,type,unit\n"
UNITS = {"o2": "%", "humidity": "%", "velocity": "m/s", "temperature": "degC", "pressure": "Pa"}
NAMES = (*DUCT, *(name for name in GASES if name != "instrument_state"))
STACK = f'[[stacks]]\nequipment = "{NAME}"\narea_m2 = 12.5\n'
LIMITS = (
    '[[stacks.limits]]\npollutant = "so2"\nhour_mg_m3 = 35\nfrom = 2026-01-01\nsource = "p. 1"\n'
)


def rows(*names: str) -> str:
    return HEAD + "".join(
        f"{NAME},stack.{name},holding:{2 * k},float32,{UNITS.get(name, 'mg/m3')}\n"
        for k, name in enumerate(names)
    )


def config(folder: Path, stacks: str, *names: str, port: int = 502, more: str = "") -> Path:
    (folder / "points.csv").write_text(rows(*(names or NAMES)))
    path = write_config(folder, device("plc", port, more=more))
    path.write_text(path.read_text() + stacks)
    return path


def at_half_past(seconds: float) -> Callable[[], int]:
    """A wall clock that stands so many seconds before half past an hour."""
    shift = HOUR // 2 - (time.time_ns() + round(seconds * SECOND)) % HOUR
    return lambda: time.time_ns() + shift


async def write_hour(folder: Path, now_ns: int, minutes: int, level: float) -> None:
    """What an earlier run wrote: a line of windows for each minute before now, and other lines."""
    async with BatchLog(folder / "data", stream="record") as log:
        box = Outbox(log, BatchHead("demo", "gw1", "record", "0" * 16), lambda: now_ns)
        first = now_ns - now_ns % MINUTE - minutes * MINUTE
        for at_ns in range(first, first + minutes * MINUTE, MINUTE):
            line = f"stack_1m,plant=demo,line=gtc1,unit=stack1 so2_converted={level},so2_dry=1"
            box.add(f"{line} {at_ns}".encode())
            other = "stack_1m,plant=demo,line=gtc1,unit=stack2 so2_converted=999"
            box.add(f"{other} {at_ns}\nmeter_1m,plant=demo,line=l,unit=m power=1 {at_ns}".encode())
            await box.flush()


async def test_from_registers_to_the_record_over_a_restart(tmp_path: Path) -> None:
    """29 minutes at 30 mg/m3 are in the log; the 30th is read: (29·30 + 31.8688)/30 = 30.0623."""
    bank = Bank(holding=100)
    for k, name in enumerate(NAMES):
        bank.put("holding", 2 * k, struct.pack(">f", HOT[name]))
    wall_ns = at_half_past(2.5)
    await write_hour(tmp_path, wall_ns(), 29, 30.0)
    stacks = STACK + "wet = true\nvelocity_coefficient = 1.05\nambient_pa = 100000\n"
    stacks += "minute_share = 0.001\n" + LIMITS
    async with ModbusServer({1: bank}, name="plc") as plc:
        path = config(tmp_path, stacks, port=plc.port)
        async with running(path, wall_ns=wall_ns) as gateway:
            await until(lambda: gateway._desk.tally("plc").polls >= 32)
    found = [line for line in await lines(tmp_path, "record") if ",unit=stack1 " in line]
    (fields,) = [
        dict(part.split("=") for part in line.split(" ")[1].split(","))
        for line in found
        if "so2_hour=" in line
    ]
    assert fields["so2_dry"] == "31.8688"
    assert float(fields["flow_standard"]) == pytest.approx(332_111.74, abs=0.1)
    assert (fields["so2_hour"], fields["so2_hour_n"]) == ("30.0623", "30i")


async def test_the_log_is_read_back_only_as_far_as_needed(tmp_path: Path) -> None:
    now_ns = 1_790_000_000 * SECOND // HOUR * HOUR + 20 * MINUTE
    await write_hour(tmp_path, now_ns, 150, 12.5)
    stack = Equipment.parse(NAME)
    async with BatchLog(tmp_path / "data", stream="record") as log:
        found = await minutes_of(log, "demo", [stack])
        assert await minutes_of(log, "demo", []) == {}
        assert await minutes_of(log, "other", [stack]) == {stack: {}}
    minutes = found[stack]
    assert len(minutes) == 150  # all closed at one time here; each line is taken
    assert set(map(tuple, (each.items() for each in minutes.values()))) == {(("so2", 12.5),)}


# --- config


@pytest.fixture(params=["zh", "en"])
def language(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("SMELTER_LANG", request.param)
    return str(request.param)


MISTAKES = [
    ("area_m2 = 0\nwet = true\n", NAMES, "area_m2", "area_m2"),
    ("wet = true\nvelocity = 3\n", NAMES, "stacks 1 velocity", "stacks 1 velocity"),
    ("", NAMES, "wet", "wet"),
    ('wet = ["so3"]\n', NAMES, "wet：没有 'so3'", "wet: unknown 'so3'"),
    ('wet = false\nactual = ["o2"]\n', NAMES, "actual：没有 'o2'", "actual: unknown 'o2'"),
    (
        "wet = true\nreference_o2 = 15\ninitial_o2 = 14\n",
        NAMES,
        "须低于初始含氧量",
        "must be below initial_o2",
    ),
    (
        "wet = true\n" + LIMITS.replace('"so2"', '"sox"'),
        NAMES,
        "没有污染物 sox",
        "unknown sox; write pm",
    ),
    ("wet = true\n" + LIMITS + LIMITS, NAMES, "限值时段重叠", "overlap"),
    (
        "wet = true\n" + LIMITS + "until = 2025-12-31\n",
        NAMES,
        "until 早于 from",
        "until is before from",
    ),
    ("wet = true\n" + LIMITS, ("pm", *DUCT[1:]), "没有测点 stack.so2", "no point reads stack.so2"),
    ("wet = true\n", ("so2",), "缺测点 stack.humidity", "add points stack.humidity"),
    (
        "wet = false\nactual = false\nreference_o2 = 15\n",
        ("so2",),
        "缺测点 stack.o2",
        "add points stack.o2",
    ),
    (
        'wet = true\nnox_from = "no+no2"\n' + LIMITS.replace("so2", "nox"),
        NAMES,
        "stack.no",
        "stack.no",
    ),
]


@pytest.mark.parametrize(("text", "names", "zh", "en"), MISTAKES)
def test_a_mistake_is_told_with_its_line(
    tmp_path: Path, language: str, text: str, names: tuple[str, ...], zh: str, en: str
) -> None:
    stack = STACK if "area_m2" not in text else STACK.replace("area_m2 = 12.5\n", "")
    path = config(tmp_path, stack + text, *dict.fromkeys(names))
    with pytest.raises(ConfigError) as caught:
        load_gateway(path)
    told = "\n".join(caught.value.problems)
    assert (zh if language == "zh" else en) in told
    assert all(problem.startswith("gateway.toml:") for problem in caught.value.problems)


def test_a_name_that_nobody_reads_and_one_listed_twice(tmp_path: Path, language: str) -> None:
    stranger = STACK.replace(NAME, "gtc1/stack9") + "wet = true\n"
    twice = (STACK + "wet = true\n") * 2
    path = config(tmp_path, stranger + twice)
    with pytest.raises(ConfigError) as caught:
        load_gateway(path)
    first, second = caught.value.problems
    zh = language == "zh"
    assert ("没有读取该设备" if zh else "no point reads") in first
    assert ("设备重复" if zh else "listed twice") in second


def test_stand_ins_are_enough_where_nothing_measures(tmp_path: Path) -> None:
    more = "wet = true\nstatic_pa = -500\nmoisture_percent = 8\n"
    loaded = load_gateway(config(tmp_path, STACK + more, "so2", "temperature"))
    (stack,) = loaded.stacks
    assert stack.gas().moisture == 0.08


def test_check_says_how_a_stack_is_judged(tmp_path: Path, language: str) -> None:
    slow = rows(*NAMES).replace("unit\n", "unit,interval_s\n").replace("mg/m3\n", "mg/m3,10\n")
    path = config(tmp_path, STACK + "wet = true\n" + LIMITS)
    (tmp_path / "points.csv").write_text(
        "\n".join(line if line.count(",") == 5 else f"{line}," for line in slow.splitlines())
    )
    said = summary(describe(load_gateway(path), plan=False))
    assert NAME in said
    assert ("按占比判定" if language == "zh" else "by their share") in said
    assert ("无限值" if language == "zh" else "no limit") in said
