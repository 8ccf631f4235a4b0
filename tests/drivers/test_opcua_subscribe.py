"""Subscriptions to real OPC UA servers: nothing lost, silence noticed, recovery after a restart."""

import asyncio
import contextlib
import math
import os
import signal
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from asyncua import ua

from drivers.model import DriverError, Frame, Group, Quality, UnreachableError
from drivers.opcua.driver import OpcUaDriver
from drivers.opcua.subscription import AGE_MAX_NS
from drivers.points import group_points, load_points
from tests.drivers import opcua_points
from tests.drivers.opcua_points import S, device, read
from tests.drivers.opcua_server import URI, Plant, Running, child, serving, stamped
from tests.servers import free_port

group_of = partial(opcua_points.group_of, mode="subscribe")
pots = partial(opcua_points.pots, mode="subscribe")

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def plant() -> AsyncIterator[tuple[int, Running]]:
    port = free_port()
    async with serving(Plant(port)) as running:
        yield port, running


def at(name: str) -> str:
    return f"nsu={URI};s={name}"


def samples(frames: list[Frame], point: int) -> list[tuple[int, float, Quality]]:
    """(time, value, quality) of one point, repeats of an unchanged value included."""
    found = []
    for frame in frames:
        assert frame.index is not None
        assert frame.times_ns is not None
        found += [
            (int(frame.times_ns[k]), float(frame.values[k]), Quality(frame.quality[k]))
            for k in np.flatnonzero(frame.index == point)
        ]
    return found


async def frames_of(driver: OpcUaDriver, group: Group, seconds: float) -> list[Frame]:
    frames = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        frames.append(await read(driver, group))
        await asyncio.sleep(group.interval_s)
    return frames


async def until_read(driver: OpcUaDriver, group: Group, timeout_s: float) -> Frame:
    """Reads as a poller would, until the device answers again."""
    end = time.monotonic() + timeout_s
    while True:
        try:
            return await read(driver, group)
        except UnreachableError:
            assert time.monotonic() < end, "not back in time"
            await asyncio.sleep(0.1)


async def until_lost(driver: OpcUaDriver, group: Group, frames: list[Frame]) -> str:
    """Reads on, keeping the frames, until the driver says that the device is gone; says why."""
    end = time.monotonic() + 8
    while time.monotonic() < end:
        try:
            frames.append(await read(driver, group))
        except UnreachableError as error:
            return str(error)
        await asyncio.sleep(0.1)
    pytest.fail("the driver did not notice")


def well_formed(frames: list[Frame]) -> None:
    """What Frame promises: times rise for each point, nothing older than `complete_ns` follows."""
    last: dict[int, int] = {}
    complete_ns = 0
    for frame in frames:
        assert frame.index is not None
        assert frame.times_ns is not None
        assert frame.device_ns is not None
        assert (np.diff(frame.times_ns) >= 0).all()
        assert frame.complete_ns >= complete_ns
        for i, t in zip(frame.index.tolist(), frame.times_ns.tolist(), strict=True):
            assert t > last.get(i, 0)
            last[i] = t
        changed = frame.times_ns[frame.times_ns == frame.device_ns]
        assert (changed >= complete_ns - 50_000_000).all(), "came after its time was complete"
        complete_ns = frame.complete_ns


async def test_first_frame_has_every_point_with_a_reason(plant: tuple[int, Running]) -> None:
    port, running = plant
    await running.put("nocomm", stamped(1.0, ua.StatusCodes.BadNoCommunication))
    await running.put("volts", [4.0, 4.1], ua.VariantType.Double)
    group = group_of(
        at("Pot001.V"), at("nowhere"), at("nocomm"), "nsu=urn:other;s=x", at("volts[1]"),
        at("volts[2]"), at("Pot001.V"),
    )  # fmt: skip
    async with OpcUaDriver((device(port),), (group,)) as driver:
        frame = await read(driver, group)
    assert frame.index is not None
    assert sorted(frame.index.tolist()) == list(range(7))
    by_point = {int(i): k for k, i in enumerate(frame.index)}
    qualities = [Quality(frame.quality[by_point[i]]) for i in range(7)]
    refused = Quality.REFUSED
    assert qualities == [
        Quality.GOOD, refused, Quality.NO_DATA, refused, Quality.GOOD, refused, Quality.GOOD,
    ]  # fmt: skip
    assert frame.values[[by_point[0], by_point[4], by_point[6]]].tolist() == [1.0, 4.1, 1.0]
    for part in ("BadNodeIdUnknown: line1/pot0001", "namespace urn:other", "BadNoCommunication"):
        assert part in frame.reason


async def test_changes_come_with_their_own_times(plant: tuple[int, Running]) -> None:
    port, running = plant
    group = group_of(at("Pot002.V"), at("Pot003.V"))
    async with OpcUaDriver((device(port),), (group,)) as driver:
        frames = [await read(driver, group)]
        sent = []
        for value in (7.0, 8.0, 7.0, 9.0):
            data = stamped(value)
            sent.append((data.SourceTimestamp, value))
            await running.put("Pot002.V", data)
            await asyncio.sleep(0.03)
        frames += await frames_of(driver, group, 0.6)
    got = samples(frames, 0)[1:]
    assert [(t // 1000, v) for t, v, _ in got] == [
        ((moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1), value)
        for moment, value in sent
    ]
    assert len(samples(frames, 1)) == 1, "what did not change is not repeated within 10 s"
    assert frames[-1].complete_ns > frames[0].slot_ns, "but known to be unchanged"
    well_formed(frames)


async def test_silent_points_are_repeated_every_ten_seconds(
    plant: tuple[int, Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("drivers.opcua.subscription.REPEAT_S", 0.3)
    port, _ = plant
    group = group_of(at("Pot005.V"), at("nowhere"))
    async with OpcUaDriver((device(port),), (group,)) as driver:
        frames = await frames_of(driver, group, 1.6)
    good, refused = samples(frames, 0), samples(frames, 1)
    assert 3 <= len(good) <= 8
    assert {(v, q) for _, v, q in good} == {(5.0, Quality.GOOD)}
    assert {q for _, _, q in refused} == {Quality.REFUSED}
    well_formed(frames)


@pytest.mark.parametrize("skew_s", [-3600.0, -3.0, -0.4, 0.4, 5.0, 86400.0])
async def test_a_wrong_clock_of_the_device_never_breaks_the_order(
    plant: tuple[int, Running], skew_s: float
) -> None:
    port, running = plant
    name = f"skew{skew_s}"
    await running.put(name, stamped(0.0))
    group = group_of(at(name))
    async with OpcUaDriver((device(port),), (group,)) as driver:
        frames = [await read(driver, group)]
        begin_ns = time.time_ns()
        for value in range(1, 6):
            source = datetime.now(UTC) + timedelta(seconds=skew_s)
            await running.put(name, stamped(float(value), source=source))
            await asyncio.sleep(0.05)
        frames += await frames_of(driver, group, 0.5)
    got = samples(frames, 0)[1:]
    assert [v for _, v, _ in got] == [1.0, 2.0, 3.0, 4.0, 5.0]
    times = [t for t, _, _ in got]
    assert times == sorted(set(times))
    if skew_s in {-3600.0, 5.0, 86400.0}:  # no plausible time: the gateway's, as it was sampled
        assert all(begin_ns - S // 4 <= t <= time.time_ns() for t in times)
        assert times[-1] - times[0] > S // 10, "the spacing is kept"
    for frame in frames[1:]:
        assert frame.device_ns is not None
        assert frame.times_ns is not None
        offset = np.abs(frame.device_ns - frame.times_ns)
        assert (offset <= abs(skew_s) * S + S).all()
    assert AGE_MAX_NS == 10 * S


async def test_no_change_is_lost_at_ten_hertz(tmp_path: Path) -> None:
    count, steps = 200, 25
    start = tmp_path / "start"
    shown = Plant(free_port(), count=count, rate_hz=10.0, steps=steps, start_file=str(start))
    server = child(tmp_path, shown).start()
    try:
        group = pots(count, interval_s=0.5)
        wanted = device(server.port, sampling_ms=50, timeout_s=5.0)
        async with OpcUaDriver((wanted,), (group,)) as driver:
            frames = [await read(driver, group)]
            start.touch()
            frames += await frames_of(driver, group, steps / 10 + 1.5)
    finally:
        server.end()
    well_formed(frames)
    for i in range(count):
        values = [v for _, v, _ in samples(frames, i)]
        assert values[0] == float(i)
        assert values[1:] == [1000.0 + step for step in range(1, steps + 1)], f"point {i}"
    assert all(not frame.reason for frame in frames)
    sources = {t for t, v, _ in samples(frames, 0) if v == 1007.0}
    assert sources == {t for t, v, _ in samples(frames, count - 1) if v == 1007.0}


async def test_slow_reader_holds_the_server_back_and_loses_nothing(
    plant: tuple[int, Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is dropped here: beyond the bound the server is not asked to publish more."""
    monkeypatch.setattr("drivers.opcua.subscription.BACKLOG_MIN", 5)
    port, running = plant
    await running.put("fast", stamped(0.0))
    group = group_of(at("fast"))
    wanted = device(port, sampling_ms=10)
    async with OpcUaDriver((wanted,), (group,)) as driver:
        await read(driver, group)
        for value in range(1, 61):
            await running.put("fast", stamped(float(value)))
            await asyncio.sleep(0.02)
        assert driver._open is not None
        subscription = driver._open.subscriptions[group]
        assert 5 < subscription.backlog < 40
        frames = await frames_of(driver, group, 1.0)
    assert [v for _, v, _ in samples(frames, 0)] == [float(v) for v in range(1, 61)]


async def test_overflow_of_the_servers_queue_is_a_sample_a_count_and_a_reason(
    plant: tuple[int, Running],
) -> None:
    port, running = plant
    await running.put("lossy", stamped(0.0))
    await running.put("lossless", stamped(0.0))
    group = group_of(at("lossy"), at("lossless"))
    async with OpcUaDriver((device(port),), (group,)) as driver:
        frames = [await read(driver, group)]
        known_ns = frames[0].complete_ns
        await running.put("lossy", stamped(1.0, ua.StatusCodes.Good | 0x480))
        await running.put("lossless", stamped(1.0))
        frames += await frames_of(driver, group, 0.5)
    lost, found = samples(frames, 0)[1:]
    assert (lost[2], found[1:]) == (Quality.OVERLOAD, (1.0, Quality.GOOD))
    assert math.isnan(lost[1])
    assert known_ns <= lost[0] < found[0], "from where everything was known to the next value"
    assert [q for _, _, q in samples(frames, 1)] == [Quality.GOOD] * 2
    assert sum(frame.lost for frame in frames) == 1
    assert any("queues overflowed 1 times: changes lost" in frame.reason for frame in frames)
    well_formed(frames)


async def test_after_a_lost_message_no_value_is_believed_until_all_are_asked_for_anew(
    plant: tuple[int, Running],
) -> None:
    port, running = plant
    for name in ("changed", "kept"):
        await running.put(name, stamped(0.0))
    group = group_of(at("changed"), at("kept"))
    async with OpcUaDriver((device(port),), (group,)) as driver:
        frames = [await read(driver, group)]
        known_ns = frames[0].complete_ns
        served = running.server.iserver.subscription_service.subscriptions
        (inner,) = served.values()
        await running.put("changed", stamped(1.0))
        inner._triggered_datachanges.clear()  # sent, numbered, and never seen again
        inner._notification_seq += 1
        await running.put("changed", stamped(2.0))
        frames += await frames_of(driver, group, 1.2)
        assert list(served.values()) != [inner]
        assert len(served) == 1, "the torn subscription is not left behind"
    changed, kept = samples(frames, 0), samples(frames, 1)
    good, lost = Quality.GOOD, Quality.OVERLOAD
    assert [v for _, v, q in changed if q is good] == [0.0, 2.0, 2.0]
    assert [q for _, _, q in changed] == [good, lost, good, good]
    assert [q for _, _, q in kept] == [good, lost, good]
    assert all(t >= known_ns for t, _, q in changed + kept if q is lost)
    assert sum(frame.lost for frame in frames) == 1
    assert any("1 publish messages lost" in frame.reason for frame in frames)
    well_formed(frames)


async def test_killed_server_is_unreachable_and_subscribed_again_after_its_restart(
    tmp_path: Path,
) -> None:
    server = child(tmp_path, Plant(free_port(), count=20, rate_hz=10.0)).start()
    group = pots(20)
    frames: list[Frame] = []
    try:
        wanted = device(server.port)
        async with OpcUaDriver((wanted,), (group,)) as driver:
            frames += await frames_of(driver, group, 1.0)
            server.kill()
            known_ns = time.time_ns()
            await until_lost(driver, group, frames)
            rest = samples(frames, 3)
            assert all(t <= known_ns for t, _, quality in rest if quality is Quality.GOOD)
            with pytest.raises(UnreachableError):
                await read(driver, group)
            server.start()
            frames.append(await until_read(driver, group, 10.0))
            again = await frames_of(driver, group, 1.0)
    finally:
        server.end()
    well_formed(frames + again)
    values = [v for _, v, q in samples(again, 3) if q is Quality.GOOD]
    assert len(values) >= 5
    assert values == sorted(values)


async def test_what_had_arrived_before_the_end_is_not_thrown_away(
    plant: tuple[int, Running],
) -> None:
    port, running = plant
    await running.put("late", stamped(0.0))
    one, two = group_of(at("late")), group_of(at("late"), at("Pot001.V"))
    async with OpcUaDriver((device(port),), (one, two)) as driver:
        await read(driver, one)
        await read(driver, two)
        await running.put("late", stamped(5.0))
        await asyncio.sleep(0.3)
        assert driver._open is not None
        driver._open.session.client.uaclient.protocol.transport.abort()
        await asyncio.sleep(0.05)
        slot_ns = time.time_ns()
        last = await driver.read(one, slot_ns)
        other = await driver.read(two, slot_ns)
        assert samples([last], 0)[0][1:] == (5.0, Quality.GOOD)
        assert samples([last], 0)[-1][0] == slot_ns
        assert samples([last], 0)[-1][2] is Quality.NO_DATA
        assert [q for _, _, q in samples([other], 1)] == [Quality.NO_DATA]
        assert "publish" in last.reason
        back = await read(driver, one)
        assert [(v, q) for _, v, q in samples([back], 0)] == [(5.0, Quality.GOOD)]


@pytest.mark.usefixtures("hurried")
async def test_frozen_server_is_noticed_and_its_return_too(tmp_path: Path) -> None:
    server = child(tmp_path, Plant(free_port(), count=5)).start()
    assert server.process is not None
    group = pots(5)
    try:
        wanted = device(server.port, timeout_s=0.5)
        async with OpcUaDriver((wanted,), (group,)) as driver:
            frames = await frames_of(driver, group, 0.6)
            os.kill(server.process.pid, signal.SIGSTOP)
            begin = time.monotonic()
            await until_lost(driver, group, frames)
            assert time.monotonic() - begin < 4.0
            stopped_ns = time.time_ns() - round((time.monotonic() - begin) * S)
            assert frames[-1].complete_ns < stopped_ns + S // 2, "nothing is known of the silence"
            begin = time.monotonic()
            with pytest.raises(UnreachableError):
                await read(driver, group)
            assert time.monotonic() - begin < 6.0
            os.kill(server.process.pid, signal.SIGCONT)
            frame = await until_read(driver, group, 10.0)
            assert len(samples([frame], 0)) == 1
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(server.process.pid, signal.SIGCONT)
        server.end()


async def test_leaving_while_the_server_is_frozen_does_not_hang(tmp_path: Path) -> None:
    server = child(tmp_path, Plant(free_port(), count=5)).start()
    assert server.process is not None
    group = pots(5)
    try:
        async with OpcUaDriver((device(server.port),), (group,)) as driver:
            await read(driver, group)
            os.kill(server.process.pid, signal.SIGSTOP)
            begin = time.monotonic()
        assert time.monotonic() - begin < 2.0
    finally:
        os.kill(server.process.pid, signal.SIGCONT)
        server.end()


async def test_subscription_that_goes_silent_on_a_living_server_is_dead(
    plant: tuple[int, Running],
) -> None:
    port, running = plant
    group = group_of(at("Pot001.V"))
    async with OpcUaDriver((device(port, timeout_s=0.3),), (group,)) as driver:
        await read(driver, group)
        for inner in running.server.iserver.subscription_service.subscriptions.values():
            inner._task.cancel()  # the server answers everything but publishes no more
        assert "silent" in await until_lost(driver, group, [])
        assert (await read(driver, group)).values.tolist() == [1.0]


async def test_a_refused_item_comes_back_when_the_node_does(
    plant: tuple[int, Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("drivers.opcua.subscription.RETRY_S", 0.2)
    port, running = plant
    group = group_of(at("Pot001.V"), at("downloaded"))
    async with OpcUaDriver((device(port),), (group,)) as driver:
        first = await read(driver, group)
        assert samples([first], 1)[-1][2] is Quality.REFUSED
        await running.put("downloaded", stamped(3.5))
        frames = await frames_of(driver, group, 1.0)
    assert [(v, q) for _, v, q in samples(frames, 1)] == [(3.5, Quality.GOOD)]
    assert "BadNodeIdUnknown" not in frames[-1].reason


async def test_poll_and_subscription_of_one_server(plant: tuple[int, Running]) -> None:
    port, _ = plant
    changes = pots(3)
    points = opcua_points.pots(2).points
    polled = Group("meter", 0.2, tuple(replace(p, device="meter") for p in points))
    devices = (device(port), device(port, name="meter"))
    async with OpcUaDriver(devices, (changes, polled)) as driver:
        sparse, dense = await read(driver, changes), await read(driver, polled)
    assert sparse.index is not None
    assert dense.index is None
    assert dense.values.tolist() == [0.0, 1.0]


async def test_each_point_of_a_device_is_polled_or_subscribed_as_its_table_says(
    plant: tuple[int, Running], tmp_path: Path
) -> None:
    port, _ = plant
    (tmp_path / "points.csv").write_text(
        "equipment,quantity,address,mode\n"
        f"l/pot{{5..7}},pot.voltage,nsu={URI};s=Pot{{005..007}}.V,\n"
        f"l/pot{{8..9}},pot.voltage,nsu={URI};s=Pot{{008..009}}.V,poll\n"
    )
    config = device(port, mode="subscribe")
    changes, polled = group_points(load_points(config, tmp_path))
    async with OpcUaDriver((config,), (changes, polled)) as driver:
        sparse, dense = await read(driver, changes), await read(driver, polled)
    assert sparse.index is not None
    assert sorted(sparse.values.tolist()) == [5.0, 6.0, 7.0]
    assert dense.index is None
    assert dense.values.tolist() == [8.0, 9.0]


async def test_random_outages_never_bring_an_error_but_driver_errors(tmp_path: Path) -> None:
    """Connections are cut at any moment of connecting, subscribing and reading."""
    server = child(tmp_path, Plant(free_port(), count=5, rate_hz=20.0)).start()
    rng = np.random.default_rng(20261123)
    good = 0
    frames: list[Frame] = []
    group = pots(5, interval_s=0.1)

    async def cut_off(listener_port: int, target: int) -> asyncio.Server:
        async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError):
                while data := await reader.read(65536):
                    writer.write(data)
                    await writer.drain()
            writer.close()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            there, back = await asyncio.open_connection("127.0.0.1", target)
            pipes = asyncio.gather(pipe(reader, back), pipe(there, writer))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(pipes, float(rng.exponential(0.1)))
            back.transport.abort()
            writer.transport.abort()

        return await asyncio.start_server(serve, "127.0.0.1", listener_port)

    port = free_port()
    try:
        proxy = await cut_off(port, server.port)
        wanted = device(port, timeout_s=0.3)
        async with proxy, OpcUaDriver((wanted,), (group,)) as driver:
            end = time.monotonic() + 3
            while time.monotonic() < end:
                try:
                    frames.append(await read(driver, group))
                    good += 1
                except DriverError:
                    pass
                await asyncio.sleep(0.02)
    finally:
        server.end()
    assert good > 5
    well_formed(frames)
