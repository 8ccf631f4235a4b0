"""The simulated CEMS logger and platform: the standard's own words, faults on purpose, history."""

import asyncio
import time
from collections.abc import Callable
from itertools import pairwise

import pytest

from simulators.cems_data import Analyser, Marked, summed
from simulators.cems_logger import CemsLogger, Platform, Settings
from simulators.faults import LOGGER_FAULTS, Fault, Faults
from simulators.hj212 import Packet, crc, data, modbus_crc, packets, parts, seconds, sm4, stamp
from simulators.hj212_platform import OfficePlatform

MN = "010000A8900016F000169DC0"
MIDNIGHT_S = 1_767_196_800.0  # 2026-01-01 00:00 in Beijing


def fast_clock(start_s: float, times: float = 60.0) -> Callable[[], float]:
    begun_s = time.monotonic()
    return lambda: start_s + (time.monotonic() - begun_s) * times


async def until(check: Callable[[], bool], timeout_s: float = 8.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not check():  # noqa: ASYNC110 - what is awaited lies in another task's counts
            await asyncio.sleep(0.02)


def test_the_worked_example_of_appendix_a() -> None:
    segment = (
        b"QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=010000A8900016F000169DC0;Flag=5;"
        b"CP=&&RtdInterval=30&&"
    )
    assert (len(segment), f"{crc(segment):04X}") == (101, "1C80")
    packet = Packet("1062", "RtdInterval=30", "20160801085857223", "32", "100000", MN, 5)
    assert packet.encoded() == b"##0101" + segment + b"1C80\r\n"
    assert modbus_crc(b"123456789") == 0x4B37, "the check value of CRC-16/MODBUS"


def test_sm4_is_that_of_gb_t_32907() -> None:
    key = bytes.fromhex("0123456789abcdeffedcba9876543210")
    cipher = bytes.fromhex("681edf34d206965e86b3e94f536e4246")
    assert sm4(key, key) == cipher
    assert sm4(cipher + b"tail", key, decrypt=True) == key + b"tail"


def test_an_encrypted_packet_reads_back_and_keeps_its_plain_length() -> None:
    key = b"0" * 16
    packet = Packet("2011", "DataTime=20260101000000;a21026-Rtd=27.1,a21026-Flag=N", flag=9)
    raw = packet.encoded(key)
    assert raw[2:6] == b"%04d" % len(packet.segment())
    assert b"a21026" not in raw
    (back,) = packets(bytearray(b"noise" + raw), key)
    assert (back.cp, back.known) == (packet.cp, "standard")


def test_a_long_packet_is_split_with_the_time_in_each_part() -> None:
    groups = {f"a{n:05d}": {"Avg": "1.23456", "Flag": "N"} for n in range(60)}
    whole = Packet("2051", data(MIDNIGHT_S, groups), "20260101000000000", flag=5)
    pieces = parts(whole)
    assert [(p.pnum, p.pno, p.flag) for p in pieces] == [(3, n, 7) for n in (1, 2, 3)]
    assert all(p.cp.startswith("DataTime=20260101000000;") for p in pieces)
    assert all(len(p.cp) <= 950 and len(p.segment()) <= 1024 for p in pieces)
    assert len({p.qn for p in pieces}) == 3
    together = {name for p in pieces for name in p.values()}
    assert together == set(whole.values())


def test_times_are_beijing_times() -> None:
    assert stamp(MIDNIGHT_S) == "20260101000000"
    assert stamp(MIDNIGHT_S + 0.25, milliseconds=True) == "20260101000000250"
    assert seconds("20260101000000") == MIDNIGHT_S


def test_an_hour_is_flagged_when_less_than_three_quarters_are_normal() -> None:
    hour = MIDNIGHT_S + 12 * 3600
    for minutes, flag in ((15, "N"), (16, "D")):
        marks = [Marked(hour, hour + minutes * 60, "D")]
        assert Analyser(marks=marks).period(hour, 3600)["a21026"].flag == flag
    mixed = [Marked(hour, hour + 600, "M"), Marked(hour + 600, hour + 1200, "D")]
    assert Analyser(marks=mixed).period(hour, 3600)["a21026"].flag == "D"


def test_the_mean_of_an_hour_is_that_of_its_normal_minutes() -> None:
    hour = MIDNIGHT_S + 12 * 3600
    analyser = Analyser(marks=[Marked(hour, hour + 300, "M")])
    minutes = [analyser.period(hour + 60 * k, 60)["a21026"] for k in range(60)]
    normal = [each.avg for each in minutes if each.flag == "N"]
    assert len(normal) == 55
    assert analyser.period(hour, 3600)["a21026"].avg == pytest.approx(sum(normal) / 55, abs=1e-5)


def test_where_oxygen_allows_no_conversion_the_largest_value_is_sent() -> None:
    analyser = Analyser(reference_o2=15.0)
    record = analyser.period(MIDNIGHT_S, 60)
    o2, so2 = record["a19001"].avg, record["a21026"]
    factor = (21 - 15) / (21 - o2)
    assert so2.converted is not None
    assert so2.converted[1] == pytest.approx(so2.avg * factor, rel=2e-3)
    assert "ZsAvg" in summed(record)["a21026"]


async def test_it_reports_to_two_platforms_and_answers_history() -> None:
    key = b"0123456789abcdef"
    clock = fast_clock(MIDNIGHT_S - 90)
    async with OfficePlatform(mn=MN) as first, OfficePlatform(key=key) as second:
        platforms = [
            Platform("127.0.0.1", first.port),
            Platform("127.0.0.1", second.port, version=2025, key=key),
        ]
        async with CemsLogger(platforms, clock=clock) as logger:
            await until(lambda: all("2031" in each.ledger.order for each in (first, second)))
            answers = await first.ask("2051", "BeginTime=20251231120000,EndTime=20251231120900")
    assert [a.cn for a in answers] == ["9011", *["2051"] * 20, "9012"], "in two parts each"
    assert len({a.qn[:14] for a in answers}) == 1, "an answer repeats the QN of its request"
    sent = answers[1].values() | answers[2].values()
    assert sent["DataTime"] == "20251231120000"
    truth = logger.analyser.period(MIDNIGHT_S - 12 * 3600, 60)["a21026"]
    assert (float(sent["a21026-Avg"]), sent["a21026-Flag"]) == (truth.avg, "N")
    assert first.ledger.data["2061"] == second.ledger.data["2061"]
    assert {p.version for p in second.ledger.packets} == {2025}
    assert first.ledger.broken == second.ledger.broken == 0


def holes(times: list[str]) -> set[float]:
    """Minutes between the first and the last that are not there."""
    minutes = {seconds(t) for t in times}
    first, last = int(min(minutes)), int(max(minutes))
    return {float(at) for at in range(first, last, 60)} - minutes


async def test_after_an_outage_2025_backfills_with_rf_and_2017_waits_to_be_asked() -> None:
    clock = fast_clock(MIDNIGHT_S + 3600, 180.0)
    async with OfficePlatform() as old, OfficePlatform() as new:
        platforms = [
            Platform("127.0.0.1", old.port),
            Platform("127.0.0.1", new.port, version=2025),
        ]
        async with CemsLogger(platforms, clock=clock) as logger:
            await until(lambda: len(new.ledger.order.get("2051", [])) >= 2)
            logger.unplug()
            cut_s = clock()
            await asyncio.sleep(1.5)
            logger.plug()
            await until(lambda: len(new.ledger.backfilled.get("2051", [])) >= 3)
            await until(lambda: any(seconds(t) > cut_s + 200 for t in old.ledger.order["2051"]))
            await until(lambda: not holes(new.ledger.order["2051"]), 30)
    assert not old.ledger.backfilled
    asked = sorted(seconds(t) for t in old.ledger.order["2051"])
    assert len(asked) < asked[-1] / 60 - asked[0] / 60 + 1, "2017 leaves the gap"


async def test_each_fault_shows_on_the_wire() -> None:
    async with asyncio.TaskGroup() as tasks:
        for name in LOGGER_FAULTS:
            tasks.create_task(shows(name))


async def shows(name: str) -> None:
    faults = Faults([Fault(name)])
    clock = fast_clock(MIDNIGHT_S + 3600, 120.0)
    raw = bytearray()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(4096):
            raw.extend(chunk)
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    platform = Platform("127.0.0.1", port, wants_answers=False)
    async with CemsLogger([platform], clock=clock, faults=faults):
        await asyncio.sleep(2.0)
    server.close()
    text = bytes(raw)
    read = list(packets(bytearray(text)))
    good = [p for p in read if p.known]
    expected = {
        "modbus_crc": not good and bool(read),
        "swapped_crc": not good and bool(read),
        "lower_crc": bool(good),
        "bit_flip": len(good) < len(read),
        "short_qn": all(len(p.qn) == 13 for p in good) and bool(good),
        "water_st": {p.st for p in good} == {"32"},
        "commas": any(";a21026" not in p.cp and ",a21026" in p.cp for p in good),
        "flag_zero": {p.flag for p in good} == {0},
        "no_flags": bool(good) and not any("-Flag" in p.cp for p in good),
        "pascal": any(abs(float(p.values().get("a01013-Rtd", "0"))) > 50 for p in good),
        "cut_packet": not read and b"##" in text,
        "twice": any(a == b for a, b in pairwise(good)),
        "half_open": not text,
        "burst": bool(good),
        "wrong_mn": {p.mn for p in good} == {"F" * 24},
        "wrong_pw": {p.pw for p in good} == {"000000"},
        "disorder": [p.qn for p in good] != sorted(p.qn for p in good),
        "slow_bytes": text.startswith(b"##"),
        "deaf": bool(good),
    }
    assert expected[name], name


def test_settings_outside_the_standard_are_refused() -> None:
    with pytest.raises(ValueError, match="minute interval 7"):
        Settings(minutes=7)
    with pytest.raises(ValueError, match="HOST:PORT"):
        Platform.parse("9212")
    with pytest.raises(ValueError, match="1 to 4"):
        CemsLogger([Platform("127.0.0.1", 1)] * 5)
    assert Platform.parse("127.0.0.1:9212/2025").version == 2025
