"""How the Modbus driver behaves towards a device: refusals, dead units, closing peers, manners."""

import asyncio
import os
import time
from collections.abc import Callable, Iterable

import numpy as np
import pytest

import drivers.modbus.driver as driver_module
from drivers.config import DeviceConfig
from drivers.modbus.driver import ModbusDriver
from drivers.modbus.wire import Request, frame_of
from drivers.model import (
    ConfigError,
    DriverError,
    Equipment,
    Frame,
    Group,
    NonsenseError,
    Point,
    Quality,
    UnreachableError,
)
from drivers.points import group_points
from drivers.quantities import quantities
from tests.drivers.opponent import Asked, Medium, Opponent, register

DRIVERS = {"tcp": "modbus-tcp", "rtu": "modbus-rtu-over-tcp", "serial": "modbus-rtu"}
EVERYWHERE = pytest.mark.parametrize("medium", ["tcp", "rtu", "serial"])


def device(opponent: Opponent, **rest: object) -> DeviceConfig:
    known: dict[str, object] = {
        "name": "plc",
        "driver": DRIVERS[opponent.medium],
        "address": opponent.address,
        "timeout_s": 0.2,
        "serial": {"baudrate": 115200, "parity": "N"},
        "points": "table.csv",
    }
    return DeviceConfig.model_validate(known | rest)


def registers(addresses: Iterable[int], name: str = "plc", **rest: object) -> Group:
    quantity = quantities()["pot.feed_shots"]
    (group,) = group_points(
        Point(Equipment("line1", f"p{at}"), quantity, name, f"holding:{at}", "uint16", **rest)  # type: ignore[arg-type]
        for at in addresses
    )
    return group


def qualities(frame: Frame) -> dict[int, Quality]:
    """Quality of each point that is not good, by its register."""
    return {
        int(point.address.partition(":")[2]): Quality(quality)
        for point, quality in zip(frame.group.points, frame.quality, strict=True)
        if quality
    }


def check_values(frame: Frame, opponent: Opponent, unit: int = 1) -> None:
    for point, value, quality in zip(frame.group.points, frame.values, frame.quality, strict=True):
        at = int(point.address.partition(":")[2])
        if quality == Quality.GOOD:
            assert value == register(unit, 3, at, opponent.cycle)
        else:
            assert np.isnan(value)


# --- refusals ---------------------------------------------------------------------------------


@EVERYWHERE
async def test_one_bad_register_costs_only_itself_and_is_remembered(medium: Medium) -> None:
    async with Opponent(medium, refused=frozenset({17, 63})) as opponent:
        group = registers(range(100))
        async with ModbusDriver((device(opponent),), (group,)) as driver:
            frame = await driver.read(group, 0)
            assert qualities(frame) == {17: Quality.REFUSED, 63: Quality.REFUSED}
            check_values(frame, opponent)
            assert "illegal data address (02) at holding:17" in frame.reason
            assert len(opponent.asked) < 40
            opponent.asked.clear()
            opponent.cycle = 1
            frame = await driver.read(group, 0)
            assert qualities(frame) == {17: Quality.REFUSED, 63: Quality.REFUSED}
            check_values(frame, opponent)
            assert "refused by the device before: holding:17, holding:63" in frame.reason
            assert [(a.address, a.count) for a in opponent.asked] in (
                [(0, 17), (18, 45), (64, 36)],
                [(0, 17), (18, 45), (64, 37)],
            )
        assert opponent.connections <= 1


@EVERYWHERE
async def test_a_refused_gap_is_no_longer_bridged(medium: Medium) -> None:
    """Two good ranges with a hole between: no point is lost, the hole is not read again."""
    async with Opponent(medium, refused=frozenset(range(20, 28))) as opponent:
        group = registers([*range(10, 20), *range(28, 38)])
        async with ModbusDriver((device(opponent),), (group,)) as driver:
            for opponent.cycle in range(3):
                opponent.asked.clear()
                frame = await driver.read(group, 0)
                assert qualities(frame) == {}
                check_values(frame, opponent)
            assert all(
                not set(range(a.address, a.address + a.count)) & opponent.refused
                for a in opponent.asked
            )


async def test_a_device_that_refuses_everything_is_asked_a_bounded_number_of_times() -> None:
    async with Opponent("tcp", refused=frozenset(range(65536))) as opponent:
        group = registers(range(0, 600, 2))
        async with ModbusDriver((device(opponent),), (group,)) as driver:
            most = 0
            for _ in range(25):
                opponent.asked.clear()
                frame = await driver.read(group, 0)
                assert set(frame.quality) == {Quality.REFUSED}
                most = max(most, len(opponent.asked))
            assert most <= driver_module.PROBES + 5
            assert opponent.asked == []  # all is known by now


async def test_what_was_refused_is_asked_for_again_after_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with Opponent("tcp", refused=frozenset({5})) as opponent:
        group = registers(range(10))
        async with ModbusDriver((device(opponent),), (group,)) as driver:
            await driver.read(group, 0)
            opponent.refused = frozenset()
            assert qualities(await driver.read(group, 0)) == {5: Quality.REFUSED}
            loop = asyncio.get_running_loop()
            later = loop.time() + driver_module.AGAIN_FIRST_S + 1
            with monkeypatch.context() as patch:
                patch.setattr(loop, "time", lambda: later)
                assert qualities(await driver.read(group, 0)) == {}
            assert qualities(await driver.read(group, 0)) == {}


@pytest.mark.parametrize(
    ("code", "quality", "asked"),
    [
        (1, Quality.REFUSED, [0, 50]),  # no such function: remembered
        (4, Quality.REFUSED, [0, 50]),
        (5, Quality.NO_DATA, [0]),  # busy: the rest is not asked for
        (6, Quality.NO_DATA, [0]),
        (8, Quality.REFUSED, [0, 50]),
    ],
)
async def test_exception_codes(code: int, quality: Quality, asked: list[int]) -> None:
    def script(request: Asked) -> str:
        return f"exception{code}" if request.address == 0 else "good"

    async with Opponent("tcp", script) as opponent:
        group = registers([*range(10), *range(50, 60)])
        async with ModbusDriver((device(opponent),), (group,)) as driver:
            frame = await driver.read(group, 0)
            found = qualities(frame)
            assert {found[at] for at in range(10)} == {quality}
            assert f"({code:02d})" in frame.reason
            assert [a.address for a in opponent.asked] == asked
            check_values(frame, opponent)
            opponent.script = lambda _asked: "good"
            again = qualities(await driver.read(group, 0))
            assert bool(again) == (code == 1)
            assert opponent.connections == 1


async def test_a_gateway_without_answer_is_an_unreachable_unit_and_the_session_stays() -> None:
    def script(request: Asked) -> str:
        return "exception11" if request.unit == 2 else "good"

    async with Opponent("tcp", script) as opponent:
        good, dead = registers(range(10), "good"), registers(range(10), "dead")
        devices = device(opponent, name="good"), device(opponent, name="dead", unit=2)
        async with ModbusDriver(devices, (good, dead)) as driver:
            for opponent.cycle in range(5):
                check_values(await driver.read(good, 0), opponent)
                with pytest.raises(UnreachableError, match="target does not answer"):
                    await driver.read(dead, 0)
        assert opponent.connections == 1


# --- dead units, closing peers ----------------------------------------------------------------


@EVERYWHERE
async def test_a_dead_unit_on_a_shared_line_costs_at_most_one_timeout(medium: Medium) -> None:
    async with Opponent(medium, units=frozenset({1, 3})) as opponent:
        names = {"a": 1, "dead": 2, "c": 3}
        devices = tuple(device(opponent, name=n, unit=u, timeout_s=0.4) for n, u in names.items())
        groups = {n: registers([*range(20), *range(200, 220)], n) for n in names}
        async with ModbusDriver(devices, tuple(groups.values())) as driver:
            for opponent.cycle in range(4):
                start = time.monotonic()
                frames = {n: await tried(driver, g) for n, g in groups.items()}
                took = time.monotonic() - start
                assert frames["dead"] is None
                for name in ("a", "c"):
                    frame = frames[name]
                    assert frame is not None
                    assert qualities(frame) == {}
                    check_values(frame, opponent, names[name])
                assert took < 0.75, took  # one timeout, draining, and a busy machine: not two
        assert sum(asked.unit == 2 for asked in opponent.asked) == 4


async def tried(driver: ModbusDriver, group: Group) -> Frame | None:
    try:
        return await driver.read(group, 0)
    except DriverError:
        return None


@EVERYWHERE
async def test_a_late_unit_does_not_spoil_its_neighbour(medium: Medium) -> None:
    """Unit 2 always answers after its timeout: its replies come into the questions to unit 1."""

    def script(request: Asked) -> str:
        return "late" if request.unit == 2 else "good"

    async with Opponent(medium, script, late_s=0.13) as opponent:
        names = {"good": 1, "slow": 2}
        devices = tuple(device(opponent, name=n, unit=u, timeout_s=0.1) for n, u in names.items())
        groups = {n: registers([*range(20), *range(200, 220)], n) for n in names}
        async with ModbusDriver(devices, tuple(groups.values())) as driver:
            for opponent.cycle in range(10):
                slow = await tried(driver, groups["slow"])
                assert slow is None or len(qualities(slow)) == 40, "a late value passed for good"
                for _ in range(15):
                    frame = await driver.read(groups["good"], 0)
                    assert qualities(frame) == {}
                    check_values(frame, opponent)
                    await asyncio.sleep(0.004)


@pytest.mark.parametrize("medium", ["tcp", "rtu"])
async def test_a_peer_that_closes_is_told_at_once_and_reconnected_at_the_next_read(
    medium: Medium,
) -> None:
    async with Opponent(medium) as opponent:
        group = registers(range(10))
        async with ModbusDriver((device(opponent, timeout_s=5),), (group,)) as driver:
            await driver.read(group, 0)
            opponent.script = lambda _asked: "close"
            start = time.monotonic()
            with pytest.raises(UnreachableError, match="closed the connection"):
                await driver.read(group, 0)
            assert time.monotonic() - start < 1
            opponent.script = lambda _asked: "good"
            opponent.cycle = 1
            check_values(await driver.read(group, 0), opponent)
            assert opponent.connections == 2


async def test_an_idle_connection_that_was_closed_costs_no_read() -> None:
    async with Opponent("tcp") as opponent:
        group = registers(range(10))
        async with ModbusDriver((device(opponent),), (group,)) as driver:
            await driver.read(group, 0)
            opponent._hang_up()
            await asyncio.sleep(0.05)
            check_values(await driver.read(group, 0), opponent)
            assert opponent.connections == 2


async def test_nobody_there() -> None:
    async with Opponent("tcp") as opponent:
        config = device(opponent)
    group = registers(range(10))
    async with ModbusDriver((config,), (group,)) as driver:
        with pytest.raises(UnreachableError, match=r"cannot reach 127\.0\.0\.1"):
            await driver.read(group, 0)


async def test_no_such_serial_port() -> None:
    async with Opponent("serial") as opponent:
        config = device(opponent, address="/dev/ttyNOTHING")
    group = registers(range(10))
    async with ModbusDriver((config,), (group,)) as driver:
        with pytest.raises(UnreachableError, match="/dev/ttyNOTHING"):
            await driver.read(group, 0)


async def test_an_adapter_pulled_out_and_put_back() -> None:
    group = registers(range(10))
    async with Opponent("serial") as opponent:
        config = device(opponent)
        driver = ModbusDriver((config,), (group,))
        check_values(await driver.read(group, 0), opponent)
        loop = asyncio.get_running_loop()
        loop.remove_reader(opponent._fds[0])
        for fd in opponent._fds:
            os.close(fd)
        opponent._fds = ()
        for _ in range(3):
            with pytest.raises(UnreachableError):
                await driver.read(group, 0)
        opponent._open_pty()  # mostly the same name again, as for an adapter
        if opponent.address == config.address:
            check_values(await driver.read(group, 0), opponent)
        await driver.__aexit__(None, None, None)


@EVERYWHERE
async def test_a_cancelled_read_leaves_nothing_behind_that_could_be_mistaken(
    medium: Medium,
) -> None:
    async with Opponent(medium, lambda _asked: "late", late_s=0.05) as opponent:
        group = registers([*range(10), *range(100, 110)])
        async with ModbusDriver((device(opponent),), (group,)) as driver:
            for cycle in range(8):
                opponent.cycle = cycle
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.02):
                        await driver.read(group, 0)
                opponent.script = lambda _asked: "good"
                opponent.cycle = cycle + 100
                frame = await tried(driver, group)
                if frame:
                    check_values(frame, opponent)
                opponent.script = lambda _asked: "late"


async def test_a_later_block_that_fails_keeps_what_the_earlier_brought() -> None:
    def script(request: Asked) -> str:
        return "silent" if request.address == 100 else "good"

    async with Opponent("tcp", script) as opponent:
        group = registers([*range(10), *range(100, 110), *range(200, 210)])
        async with ModbusDriver((device(opponent),), (group,)) as driver:
            frame = await driver.read(group, 0)
            check_values(frame, opponent)
            found = qualities(frame)
            assert set(found) == {*range(100, 110), *range(200, 210)}
            assert set(found.values()) == {Quality.NO_DATA}
            assert "no answer" in frame.reason


@pytest.mark.parametrize("fault", ["short", "foreign", "function", "stale id", "protocol", "twice"])
async def test_a_broken_reply_is_nonsense_and_carries_the_bytes(fault: str) -> None:
    async with Opponent("tcp", lambda _asked: fault) as opponent:
        group = registers(range(10))
        async with ModbusDriver((device(opponent),), (group,)) as driver:
            with pytest.raises(NonsenseError) as caught:
                await driver.read(group, 0)
            assert len(caught.value.received) > 8
            opponent.script = lambda _asked: "good"
            check_values(await driver.read(group, 0), opponent)


# --- manners ----------------------------------------------------------------------------------


async def test_requests_keep_their_distance() -> None:
    async with Opponent("tcp") as opponent:
        group = registers(range(0, 200, 20))
        config = device(opponent, max_requests_per_s=50)
        async with ModbusDriver((config,), (group,)) as driver:
            start = time.monotonic()
            await driver.read(group, 0)
            await driver.read(group, 0)
            assert time.monotonic() - start >= 19 / 50
            assert len(opponent.asked) == 20
        async with ModbusDriver((device(opponent, pause_s=0.02),), (group,)) as driver:
            start = time.monotonic()
            await driver.read(group, 0)
            assert time.monotonic() - start >= 9 * 0.02


async def test_originals_texts_and_bits_travel_with_the_frame() -> None:
    def at(name: str, address: str, kind: str, **rest: object) -> Point:
        quantity = quantities()[name]
        return Point(Equipment("l", "p"), quantity, "plc", address, kind, **rest)  # type: ignore[arg-type]

    async with Opponent("tcp") as opponent:
        (group,) = group_points(
            [
                at("meter.energy_import", "input:10", "uint32", original=True, order="CDAB"),
                at("pot.anode_effect", "discrete:9", "bool"),
                at("pot.link", "holding:7.15", "bool"),
            ]
        )
        async with ModbusDriver((device(opponent),), (group,)) as driver:
            before = time.time_ns()
            frame = await driver.read(group, 123)
            low, high = register(1, 4, 10, 0), register(1, 4, 11, 0)
            assert frame.values.tolist() == [
                (high << 16) | low,
                register(1, 2, 9, 0) & 1,
                register(1, 3, 7, 0) >> 15,
            ]
            assert frame.words == {0: low.to_bytes(2, "big") + high.to_bytes(2, "big")}
            assert frame.slot_ns == 123
            assert before <= frame.read_ns <= time.time_ns()
            opponent.script = lambda asked: "silent" if asked.function == 4 else "good"
            frame = await driver.read(group, 0)
            assert frame.words == {}
            assert qualities_of(frame) == [Quality.NO_DATA, Quality.NO_DATA, Quality.GOOD]


def qualities_of(frame: Frame) -> list[Quality]:
    return [Quality(code) for code in frame.quality]


@pytest.mark.parametrize(
    "pdu",
    [bytes((code,)) + b"\0\0\0\1" for code in range(256) if code not in {1, 2, 3, 4}]
    + [b"\x2b\x0d\0", b"\x2b\x00"],
)
def test_nothing_but_reads_passes_the_gate(pdu: bytes) -> None:
    for framing in ("tcp", "rtu"):
        with pytest.raises(PermissionError, match="is not a read"):
            frame_of(Request(1, pdu, 0, b""), framing, 1)


def test_reads_pass_the_gate_as_the_specification_writes_them() -> None:
    """The holding-register example of the application protocol, 6.3, and its RTU checksum."""
    request = Request(0x11, bytes.fromhex("03006B0003"), 6, bytes.fromhex("110306"))
    assert frame_of(request, "tcp", 1) == bytes.fromhex("0001000000061103006B0003")
    assert frame_of(request, "rtu", 1) == bytes.fromhex("1103006B00037687")
    assert frame_of(Request(1, b"\x2b\x0e\x01\0", 0, b""), "tcp", 1)[7:9] == b"\x2b\x0e"


async def test_devices_of_one_bus_must_agree_on_its_settings() -> None:
    async with Opponent("serial") as opponent:
        one = device(opponent)
        two = device(opponent, name="plc2", serial={"baudrate": 9600})
    with pytest.raises(ConfigError, match="device plc2: serial differs from that of plc"):
        ModbusDriver((one, two), (registers(range(3)),))


# --- exactness under load ---------------------------------------------------------------------


async def test_split_segments_of_every_size() -> None:
    """A reply cut at each of its bytes, on TCP and on RTU."""
    for medium in ("tcp", "rtu"):
        async with Opponent(medium) as opponent:
            group = registers(range(3))
            async with ModbusDriver((device(opponent),), (group,)) as driver:
                await driver.read(group, 0)
                for cut in range(1, 11):
                    opponent._play = cutter(opponent, cut)  # type: ignore[method-assign]
                    opponent.cycle = cut
                    frame = await driver.read(group, 0)
                    assert qualities(frame) == {}
                    check_values(frame, opponent)


def cutter(opponent: Opponent, cut: int) -> Callable[..., list[tuple[float, bytes]]]:
    def play(_what: str, asked: Asked, reply: bytes, _before: bytes) -> list[tuple[float, bytes]]:
        framed = opponent.framed(asked, reply)
        return [(0.001, framed[:cut]), (0.005, framed[cut:])]

    return play
