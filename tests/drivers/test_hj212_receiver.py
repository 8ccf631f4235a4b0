"""A gateway and a simulated CEMS logger: what the logger knew is in the record log."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from agent.edge.config import load_gateway
from agent.edge.gateway import Gateway
from agent.wire.layouts import measurement_and_period
from drivers.config import DeviceConfig
from drivers.hj212.gate import ForbiddenError, sealed
from drivers.hj212.known import Known, runs, whole_period
from drivers.hj212.places import parse_place
from drivers.hj212.segment import Field, Segment, flag_of
from drivers.model import ConfigError, Quality
from drivers.points import load_points
from simulators.cems_data import Analyser, Marked, Record, summed
from simulators.cems_logger import CemsLogger, Platform, Settings
from simulators.faults import Fault, Faults
from simulators.hj212 import seconds
from simulators.hj212_platform import OfficePlatform
from tests.agent.small_plant import lines, running
from tests.servers import free_port

MN = "010000A8900016F000169DC0"
MIDNIGHT_S = 1_767_196_800.0  # 2026-01-01 00:00 in Beijing
TABLE = """equipment,quantity,address,scale,unit
gtc1/stack1,stack.so2,rtd:a21026,,mg/m3
gtc1/stack1,stack.pressure,rtd:a01013,1000,Pa
gtc1/stack1,cems.so2,min+hour+day:a21026-Avg,,mg/m3
gtc1/stack1,cems.so2_converted,min+hour+day:a21026-ZsAvg,,mg/m3
gtc1/stack1,cems.so2_mass,min+hour+day:a21026-Cou,,kg
gtc1/stack1,cems.flow_total,min+hour+day:a00000-Cou,,m3
gtc1/stack1,cems.pressure,min+hour+day:a01013-Avg,1000,Pa
"""


def fast_clock(start_s: float, times: float = 300.0) -> Callable[[], float]:
    begun_s = time.monotonic()
    return lambda: start_s + (time.monotonic() - begun_s) * times


def write(folder: Path, port: int, more: str = "", device: str = "") -> Path:
    (folder / "points.csv").write_text(TABLE)
    path = folder / "gateway.toml"
    path.write_text(
        'plant = "demo"\ngateway = "gw1"\ndata_dir = "data"\n'
        f'[mqtt]\nurl = "mqtt://127.0.0.1:{free_port()}"\n'
        '[log]\nbatch_interval_s = 0.1\n[health]\nlisten = "127.0.0.1:0"\n'
        f'[[device]]\nname = "cems1"\ndriver = "hj212"\naddress = "127.0.0.1:{port}"\n'
        f'interval_s = 0.5\ntimeout_s = 0.5\npoints = "points.csv"\n{device}\n'
        f'[device.hj212]\nmn = "{MN}"\nexecution_s = 2\n{more}\n'
    )
    return path


@asynccontextmanager
async def receiving(folder: Path, more: str = "", port: int = 0) -> AsyncIterator[Gateway]:
    async with running(write(folder, port or free_port(), more)) as gateway:
        await until(lambda: driver_of(gateway).server.listening)
        yield gateway


def driver_of(gateway: Gateway) -> Any:
    (line,) = gateway._lines.values()
    return line.line._driver


def port_of(gateway: Gateway) -> int:
    (device,) = gateway.config.devices
    return int(device.address.rpartition(":")[2])


def odd(gateway: Gateway) -> dict[str, int]:
    return gateway._desk.tally("cems1").odd


async def until(check: Callable[[], bool], timeout_s: float = 10.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not check():  # noqa: ASYNC110 - what is awaited lies in another task's counts
            await asyncio.sleep(0.02)


async def fetched(gateway: Gateway) -> None:
    """The poller has taken what had come by now."""
    station = driver_of(gateway).stations["cems1"]
    await until(lambda: not any(station._summaries.values()))
    await asyncio.sleep(0.2)


def logger_for(gateway: Gateway, **more: Any) -> CemsLogger:
    answers, version = more.pop("wants_answers", True), more.pop("version", 2017)
    platform = Platform("127.0.0.1", port_of(gateway), version=version, wants_answers=answers)
    more.setdefault("clock", fast_clock(MIDNIGHT_S - 100))
    return CemsLogger([platform], **more)


WINDOW = re.compile(r"cems_(1m|1h|1d|\d+s),plant=demo,line=gtc1,unit=stack1 (.*) (\d{19})$")


async def windows(folder: Path) -> dict[tuple[str, float], list[dict[str, str]]]:
    """Fields of each window line by ending and start, in the order they were written."""
    found: dict[tuple[str, float], list[dict[str, str]]] = {}
    for line in await lines(folder, "record"):
        if match := WINDOW.match(line):
            fields = dict(part.split("=", 1) for part in match[2].split(","))
            found.setdefault((match[1], int(match[3]) / 1e9), []).append(fields)
    return found


def expected(record: Record) -> dict[str, float | None]:
    so2, flow, pressure = record["a21026"], record["a00000"], record["a01013"]
    assert so2.converted is not None
    return {
        "so2": so2.avg,
        "so2_min": so2.low,
        "so2_max": so2.high,
        "so2_converted": so2.converted[1],
        "so2_mass_inc": so2.amount,
        "flow_total_inc": flow.amount,
        "pressure": pressure.avg * 1000,
    }


def agrees(fields: dict[str, str], record: Record) -> None:
    for name, value in expected(record).items():
        assert float(fields[name]) == pytest.approx(value, rel=1e-9), name


async def test_minutes_hours_and_days_of_the_logger_are_windows_of_the_record(
    tmp_path: Path,
) -> None:
    async with receiving(tmp_path) as gateway:
        async with logger_for(gateway) as logger:
            await until(lambda: logger.seen.answered["2031"] >= 2)  # two parts
            await until(lambda: logger.seen.answered["2051"] >= 5)
        assert logger.seen.controls == 0
        assert logger.seen.unanswered == 0
        station = driver_of(gateway).stations["cems1"]
        await until(lambda: not any(station._summaries.values()))
    found = await windows(tmp_path)
    kinds = {ending for ending, _ in found}
    assert kinds == {"1m", "1h", "1d"}
    assert ("1d", MIDNIGHT_S - 86400) in found
    assert ("1h", MIDNIGHT_S - 3600) in found
    spans = {"1m": 60, "1h": 3600, "1d": 86400}
    for (ending, start_s), written in found.items():
        assert len(written) == 1
        agrees(written[0], logger.analyser.period(start_s, spans[ending]))
        assert written[0]["so2_n"] == "1i"
        assert "so2_q" not in written[0]
    record = await lines(tmp_path, "record")
    assert not [line for line in record if line.startswith("cems_1m") and "_n=0i" in line]


async def test_flags_are_the_quality_and_the_figure_stays(tmp_path: Path) -> None:
    start = MIDNIGHT_S + 12 * 3600
    letters = "NFMSDCTB"
    marks = [Marked(start + 60 * k, start + 60 * (k + 1), flag) for k, flag in enumerate(letters)]
    wanted = {
        "F": "stopped",
        "M": "maintenance",
        "S": "set_by_hand",
        "D": "device_fault",
        "C": "calibration",
        "T": "out_of_range",
        "B": "no_data",
    }
    async with receiving(tmp_path) as gateway:
        clock = fast_clock(start - 30)
        async with logger_for(gateway, analyser=Analyser(marks=marks), clock=clock) as logger:
            await until(lambda: logger.seen.answered["2051"] >= 20)  # in two parts each
        await fetched(gateway)
    found = await windows(tmp_path)
    for k, flag in enumerate(letters):
        (fields,) = found["1m", start + 60 * k]
        if flag == "N":
            assert "so2_q" not in fields
            continue
        assert (fields["so2_n"], fields["so2_good"]) == ("0i", "0")
        assert fields["so2_q"] == f'"{wanted[flag]}"'
        assert ("so2" in fields) == (flag != "B")
        assert "pressure_q" not in fields, "each factor has its own flag"


async def test_real_time_values_are_ordinary_samples(tmp_path: Path) -> None:
    settings = Settings(real_time_s=1)
    async with (
        receiving(tmp_path) as gateway,
        logger_for(gateway, settings=settings, clock=time.time) as logger,
    ):
        await until(lambda: logger.seen.answered["2011"] >= 3)
        await asyncio.sleep(0.5)
    raw = await lines(tmp_path, "raw")
    samples = [line for line in raw if line.startswith("stack,")]
    assert len(samples) >= 3
    for line in samples:
        fields = dict(part.split("=") for part in line.split(" ")[1].split(","))
        at_s = int(line[-19:]) / 1e9
        truth = logger.analyser.now(at_s)
        assert at_s == int(at_s), "the time of a sample is its DataTime"
        assert float(fields["so2"]) == pytest.approx(truth["a21026"].avg)
        assert float(fields["pressure"]) == pytest.approx(truth["a01013"].avg * 1000)
    assert any("device=cems1,interval=0.5,mode=subscribe" in line for line in raw)


async def test_a_lost_logger_is_no_data_and_an_event(tmp_path: Path) -> None:
    settings = Settings(real_time_s=1)
    async with (
        receiving(tmp_path) as gateway,
        logger_for(gateway, settings=settings, clock=time.time) as logger,
    ):
        await until(lambda: logger.seen.answered["2011"] >= 2)
        logger.unplug()
        await until(lambda: not gateway._desk.tally("cems1").online)
        logger.plug()
        await until(lambda: gateway._desk.tally("cems1").online)
    record = await lines(tmp_path, "record")
    lost = [line for line in record if "kind=device_lost" in line]
    assert any(MN in line and ",end=" not in line for line in lost)
    assert any(",end=" in line for line in lost)
    raw = await lines(tmp_path, "raw")
    assert any(line.startswith("frame,") and "bad=2i" in line for line in raw)


async def test_after_an_outage_the_gap_is_asked_for_and_filled(tmp_path: Path) -> None:
    async with receiving(tmp_path) as gateway:
        async with logger_for(gateway) as logger:
            await until(lambda: logger.seen.answered["2051"] >= 3)
            logger.unplug()
            await asyncio.sleep(2.0)  # ten minutes of the logger
            logger.plug()
            await until(lambda: logger.seen.requests["2051"] >= 1, 20)
            await until(lambda: odd(gateway).get("history_filled", 0) >= 1)
            await until(lambda: logger.seen.answered["2051"] >= 6)
        assert logger.seen.controls == 0
        assert set(logger.seen.requests) <= {"2051", "2061", "2031"}
        assert set(driver_of(gateway).server.sent) <= {"9013", "9014", "2051", "2061", "2031"}
    found = await windows(tmp_path)
    minutes = sorted(start for ending, start in found if ending == "1m")
    assert minutes == [minutes[0] + 60 * k for k in range(len(minutes))], "no minute is missing"
    for start_s in minutes:
        assert len(found["1m", start_s]) == 1
        agrees(found["1m", start_s][0], logger.analyser.period(start_s, 60))
    assert not [line for line in await lines(tmp_path, "record") if "kind=cems_gap" in line]


async def test_what_2025_backfills_comes_in_without_asking(tmp_path: Path) -> None:
    async with receiving(tmp_path) as gateway, logger_for(gateway, version=2025) as logger:
        await until(lambda: logger.seen.answered["2051"] >= 3)
        logger.unplug()
        await asyncio.sleep(2.0)
        logger.plug()
        await until(lambda: odd(gateway).get("backfilled", 0) >= 2)
        await until(lambda: not logger.reporters[0].missed)
        await asyncio.sleep(0.6)
    found = await windows(tmp_path)
    minutes = sorted(start for ending, start in found if ending == "1m")
    assert minutes == [minutes[0] + 60 * k for k in range(len(minutes))]
    assert all(len(each) == 1 for each in found.values())


async def test_a_logger_without_the_data_leaves_a_gap_that_is_told(tmp_path: Path) -> None:
    faults = Faults([Fault("deaf")])
    async with (
        receiving(tmp_path, "retries = 0") as gateway,
        logger_for(gateway, faults=faults) as logger,
    ):
        await until(lambda: logger.seen.answered["2051"] >= 2)
        logger.unplug()
        await asyncio.sleep(2.0)
        logger.plug()
        await until(lambda: odd(gateway).get("history_silent", 0) >= 1, 20)
        await asyncio.sleep(0.5)
    gaps = [line for line in await lines(tmp_path, "record") if "kind=cems_gap" in line]
    assert gaps
    assert "line=gtc1,unit=stack1" in gaps[0]
    assert ",end=" in gaps[0]


async def test_a_restart_asks_for_what_it_missed_and_writes_nothing_twice(tmp_path: Path) -> None:
    port = free_port()
    clock = fast_clock(MIDNIGHT_S + 3600)
    platform = Platform("127.0.0.1", port)
    async with CemsLogger([platform], clock=clock) as logger:
        async with receiving(tmp_path, port=port) as gateway:
            await until(lambda: logger.seen.answered["2051"] >= 4)
            station = driver_of(gateway).stations["cems1"]
            await until(lambda: not any(station._summaries.values()))
            for mine in station.known.windows.values():  # as if they lay some minutes back
                for window in mine.values():
                    window.taken_s -= 1000
        await asyncio.sleep(2.0)
        async with receiving(tmp_path, port=port) as gateway:
            await until(lambda: odd(gateway).get("history_filled", 0) >= 1, 20)
            count = logger.seen.answered["2051"]
            await until(lambda: logger.seen.answered["2051"] >= count + 2)
    found = await windows(tmp_path)
    minutes = sorted(start for ending, start in found if ending == "1m")
    assert minutes == [minutes[0] + 60 * k for k in range(len(minutes))]
    assert all(len(each) == 1 for each in found.values())


DEFECTS = (  # fault, what is counted of it, whether what it says can be used
    ("modbus_crc", "crc_modbus", False),
    ("swapped_crc", "crc_modbus_swapped", False),
    ("lower_crc", "crc_lower_case", True),
    ("short_qn", "qn_form", True),
    ("water_st", "st_wrong_kind", True),
    ("commas", "item_comma", True),
    ("flag_zero", "flag_2005", True),
    ("no_flags", "data_flag_missing", True),
    ("wrong_mn", "unknown_mn", False),
    ("wrong_pw", "wrong_pw", False),
    ("twice", "late_real_time", True),
    ("slow_bytes", "", True),
)


async def test_each_defect_is_counted_and_costs_no_more_than_it_must(tmp_path: Path) -> None:
    async with asyncio.TaskGroup() as tasks:
        for name, counted, usable in DEFECTS:
            folder = tmp_path / name
            folder.mkdir()
            tasks.create_task(defect(folder, name, counted, usable=usable))


async def defect(folder: Path, name: str, counted: str, *, usable: bool) -> None:
    faults = Faults([Fault(name)])
    async with receiving(folder, 'pw = "123456"\nflagless = "good"') as gateway:
        async with logger_for(
            gateway, faults=faults, wants_answers=False, clock=fast_clock(MIDNIGHT_S - 100, 60.0)
        ) as logger:
            await until(lambda: logger.seen.sent["2051"] >= 4, 30)
            if counted:
                await until(lambda: odd(gateway).get(counted, 0) > 0, 30)
            if usable:
                station = driver_of(gateway).stations["cems1"]
                await until(lambda: station.known.windows.get("2051", {}) != {}, 30)
        await fetched(gateway)
    found = await windows(folder)
    assert bool([key for key in found if key[0] == "1m"]) == usable, name
    record = await lines(folder, "record")
    bad = [line for line in record if "kind=bad_frame" in line]
    assert bool(bad) != usable, name
    assert len(bad) <= 1, "an event an hour, not one a packet"
    for (ending, start_s), written in found.items():
        if ending == "1m":
            agrees(written[0], logger.analyser.period(start_s, 60))


def test_a_day_is_a_window_that_the_lake_knows() -> None:
    assert measurement_and_period("cems_1d") == ("cems", 86400)
    assert measurement_and_period("cems_300s") == ("cems", 300)


async def test_the_crc_of_modbus_can_be_allowed(tmp_path: Path) -> None:
    async with receiving(tmp_path, "modbus_crc = true") as gateway:
        faults = Faults([Fault("modbus_crc")])
        async with logger_for(gateway, faults=faults, wants_answers=False) as logger:
            await until(lambda: logger.seen.sent["2051"] >= 4)
            await until(lambda: odd(gateway).get("crc_modbus", 0) >= 2)
            await asyncio.sleep(0.3)
    assert await windows(tmp_path)


async def test_flipped_bits_never_become_windows(tmp_path: Path) -> None:
    faults = Faults([Fault("bit_flip", share=0.5)], seed=3)
    async with receiving(tmp_path) as gateway:
        settings = Settings(answer_s=0.2, tries=20)
        async with logger_for(gateway, faults=faults, settings=settings) as logger:
            await until(lambda: logger.seen.answered["2051"] >= 12, 20)
        assert odd(gateway).get("unusable", 0) > 0
    found = await windows(tmp_path)
    spans = {"1m": 60, "1h": 3600, "1d": 86400}
    for (ending, start_s), written in found.items():
        agrees(written[-1], logger.analyser.period(start_s, spans[ending]))


async def test_without_flags_a_value_is_uncertain(tmp_path: Path) -> None:
    async with (
        receiving(tmp_path) as gateway,
        logger_for(gateway, faults=Faults([Fault("no_flags")])) as logger,
    ):
        await until(lambda: logger.seen.answered["2051"] >= 2)
        await asyncio.sleep(0.5)
    for written in (await windows(tmp_path)).values():
        assert written[0]["so2_q"] == '"uncertain"'


async def test_a_half_open_connection_makes_room_for_the_next(tmp_path: Path) -> None:
    async with receiving(tmp_path, "max_connections = 1") as gateway:
        _, writer = await asyncio.open_connection("127.0.0.1", port_of(gateway))
        await asyncio.sleep(0.1)
        reader, second = await asyncio.open_connection("127.0.0.1", port_of(gateway))
        assert await reader.read(1) == b"", "the second is turned away"
        second.close()
        await until(lambda: odd(gateway).get("refused_full", 0) == 1)
        writer.close()
        await asyncio.sleep(0.1)
        async with logger_for(gateway) as logger:
            await until(lambda: logger.seen.answered["2051"] >= 1)


async def test_only_peers_may_connect(tmp_path: Path) -> None:
    async with receiving(tmp_path, 'peers = ["192.0.2.0/24"]') as gateway:
        reader, writer = await asyncio.open_connection("127.0.0.1", port_of(gateway))
        assert await reader.read(1) == b""
        writer.close()
        await until(lambda: odd(gateway).get("refused_peer", 0) == 1)


async def test_noise_neither_kills_nor_fills_it(tmp_path: Path) -> None:
    async with receiving(tmp_path) as gateway:
        _, writer = await asyncio.open_connection("127.0.0.1", port_of(gateway))
        for chunk in (b"\x00\xff##9999", b"##0010abc", b"GET / HTTP/1.1\r\n\r\n", b"#" * 70_000):
            writer.write(chunk)
            await writer.drain()
        async with logger_for(gateway) as logger:
            await until(lambda: logger.seen.answered["2051"] >= 1)
        writer.close()


async def test_what_a_platform_gets_is_what_the_logger_said(tmp_path: Path) -> None:
    async with OfficePlatform(mn="F" * 24) as office:
        device = (
            f'[[forward]]\nname = "office"\naddress = "127.0.0.1:{office.port}"\n'
            f'equipment = "gtc1/stack1"\nmn = "{"F" * 24}"\ntimeout_s = 1.0\npause_most_s = 0.2\n'
        )
        path = write(tmp_path, free_port())
        path.write_text(path.read_text() + device)
        async with running(path) as gateway:
            await until(lambda: driver_of(gateway).server.listening)
            async with logger_for(gateway) as logger:
                await until(lambda: len(office.ledger.order.get("2051", [])) >= 3)
                await until(lambda: "2031" in office.ledger.order)
            metrics = gateway.exposition()
    assert 'forward_up{platform="office"} 1' in metrics
    assert 'forward_refused_total{platform="office"} 0' in metrics
    for cn, told in office.ledger.data.items():
        for time_text, data in told.items():
            sent = dict(part.split("=") for part in data.replace(";", ",").split(","))
            record = logger.analyser.period(seconds(time_text), logger.period_s(cn))
            so2, pressure = record["a21026"], record["a01013"]
            assert float(sent["a21026-Avg"]) == pytest.approx(so2.avg)
            assert float(sent["a21026-Cou"]) == pytest.approx(so2.amount)
            assert float(sent["a01013-Avg"]) == pytest.approx(pressure.avg)
            assert sent["a21026-Flag"] == so2.flag
    assert office.ledger.broken == 0


def test_the_profile_names_what_a_usual_logger_sends() -> None:
    folder = Path(__file__).parents[2] / "config" / "profiles"
    made = DeviceConfig.model_validate(
        {
            "name": "c",
            "driver": "hj212",
            "address": "127.0.0.1:9212",
            "profile": "cems-hj212.csv",
            "equipment": "gtc1/stack1",
            "hj212": {"mn": MN},
        }
    )
    points = load_points(made, folder)
    modes = {p.quantity.measurement: p.mode for p in points}
    assert modes == {"stack": "subscribe", "cems": "report"}
    assert len(points) == 28
    sent = {
        (code, name) for code, fields in summed(Analyser().period(0, 60)).items() for name in fields
    }
    asked = {(p.code, p.suffix) for p in map(parse_place, [q.address for q in points]) if p.summed}
    assert asked <= sent


def test_the_gate_lets_answers_and_questions_pass_and_nothing_else() -> None:
    flag = flag_of(2017, answer=True)

    def said(cn: str, **fields: str) -> Segment:
        body = tuple((Field(name, value),) for name, value in fields.items())
        return Segment("20260101000000000", "31", cn, "123456", MN, flag, body)

    times = {"BeginTime": "20260101000000", "EndTime": "20260101010000"}
    assert b"CN=2051" in sealed(said("2051", **times), None)
    assert b"CN=9014" in sealed(said("9014"), None)
    for cn in ("1000", "1012", "1062", "1064", "1072", "2011", "2012", "3011", "3012", "3013"):
        with pytest.raises(ForbiddenError):
            sealed(said(cn, **times), None)
    with pytest.raises(ForbiddenError):
        sealed(said("2051", PolId="a21026"), None)


def test_known_windows_survive_a_restart_and_fresh_ones_are_asked_for_again(
    tmp_path: Path,
) -> None:
    known = Known()
    for k in (0, 1, 2, 5):
        assert known.take("2051", 60 * k, f"d{k}", now_s=100.0 + k) == "new"
    assert known.take("2051", 60, "d1", 110.0) == "same"
    assert known.take("2051", 120, "other", 110.0) == "other"
    assert known.missing("2051", 60, back_s=3600, upto_s=420) == [180, 240, 360]
    path = tmp_path / "known.json"
    path.write_text(known.text(now_s=222.0))  # of 100, 101 and 105, two are 120 s old or more
    again = Known.read(path)
    assert sorted(again.windows["2051"]) == [0, 60]
    assert again.missing("2051", 60, back_s=3600, upto_s=420) == [120, 180, 240, 300, 360]
    again.give_up("2051", [180, 240])
    assert again.missing("2051", 60, back_s=3600, upto_s=420) == [120, 300, 360]
    assert runs([120, 180, 300, 360, 420], 60, 2) == [(120, 180), (300, 360), (420, 420)]
    path.write_text("{}")
    with pytest.raises(ValueError, match=r"known\.json"):
        Known.read(path)
    assert Known.read(tmp_path / "absent.json").windows == {}


def test_a_day_begins_at_midnight_in_beijing() -> None:
    assert whole_period(MIDNIGHT_S + 5, 86400) == MIDNIGHT_S
    assert whole_period(MIDNIGHT_S - 1, 86400) == MIDNIGHT_S - 86400


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("21026", "write it like"),
        ("year:a21026", "before the colon write"),
        ("min+min:a21026", "each once"),
        ("rtd+min:a21026", "only min, hour and day"),
        ("min:a21026-Foo", "no suffix Foo"),
        ("min:a21026-Flag", "no suffix Flag"),
    ],
)
def test_a_wrong_address_says_what_to_write(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        parse_place(text)


def test_mistakes_of_a_config_are_told_at_once(tmp_path: Path) -> None:
    path = write(tmp_path, 9212)
    path.write_text(path.read_text().replace(MN, "12").replace("execution_s = 2", "minutes = 7"))
    (tmp_path / "points.csv").write_text(
        "equipment,quantity,address,unit\ngtc1/stack1,cems.so2,rtd:a21026,mg/m3\n"
    )
    with pytest.raises(ConfigError) as caught:
        load_gateway(path)
    told = "\n".join(caught.value.problems)
    assert "mn" in told
    assert "minutes" in told
    assert "rtd and state others" in told


def test_a_logger_needs_its_table_and_has_times_of_its_own() -> None:
    made = DeviceConfig.model_validate(
        {
            "name": "c",
            "driver": "hj212",
            "address": "127.0.0.1:9212",
            "points": "p.csv",
            "hj212": {"mn": MN},
        }
    )
    assert (made.interval_s, made.timeout_s) == (30.0, 10.0)
    with pytest.raises(ValueError, match="go together"):
        DeviceConfig(name="c", driver="hj212", address="127.0.0.1:9212", points=Path("p.csv"))


def test_the_new_qualities_have_a_value_and_stay_at_the_end() -> None:
    assert [q.wire for q in Quality][-2:] == ["stopped", "set_by_hand"]
    assert Quality.STOPPED.has_value
    assert Quality.SET_BY_HAND.has_value
