"""The running gateway says what it knows of its clock; the config says whose time counts."""

import asyncio
import re
import urllib.request
from pathlib import Path

import numpy as np
import pytest

from drivers.config import DeviceConfig
from drivers.hj212.known import Known
from drivers.hj212.station import Station, _Clock
from drivers.opcua.subscription import Subscription
from tests.agent.small_plant import device, lines, running, server, write_config, write_table
from tests.agent.test_gateway import polls, until
from tests.agent.time_bench import SYNCED, UNSYNCED

SECOND = 10**9
NOW_NS = 1_790_000_000 * SECOND


async def test_batches_metrics_and_the_clock_file_tell_the_state(tmp_path: Path) -> None:
    write_table(tmp_path)
    said = [UNSYNCED]
    async with server() as plc:
        path = write_config(tmp_path, device("plc", plc.port))
        async with running(path, kernel=lambda: said[-1]) as gateway:
            await until(lambda: polls(gateway) >= 3)
            text = await asyncio.to_thread(_metrics, gateway.port)
            assert 'smelter_clock_state{state="unsynced"} 1' in text
            assert "smelter_clock_maxerror_seconds 16" in text
            said.append(SYNCED)
            before = gateway._logs["raw"].newest
            await until(lambda: gateway._time.health.state == "locked")
            await until(lambda: gateway._logs["raw"].newest >= before + 10)
            text = await asyncio.to_thread(_metrics, gateway.port)
            assert 'smelter_clock_state{state="locked"} 1' in text
            assert "smelter_clock_offset_seconds 1e-06" in text
    heads = [x for x in await lines(tmp_path, "raw") if x.startswith("batch,")]
    states = [re.search(r'clock="(\w+)"', head)[1] for head in heads]  # type: ignore[index]
    assert states[0] == "unsynced"
    assert states[-1] == "locked"
    monos = [int(re.search(r",mono=(\d+)i", head)[1]) for head in heads]  # type: ignore[index]
    assert monos == sorted(monos)
    boots = {re.search(r'boot="([0-9a-f]{12})"', head)[1] for head in heads}  # type: ignore[index]
    assert len(boots) == 1
    assert (tmp_path / "data" / "clock.json").exists()
    assert not [x for x in await lines(tmp_path, "record") if "kind=retimed" in x], "it was right"


def _metrics(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        text: str = answer.read().decode()
        return text


def station(tmp_path: Path, time: str) -> Station:
    config = DeviceConfig.model_validate(
        {
            "name": "cems1",
            "driver": "hj212",
            "address": "127.0.0.1:9",
            "points": "p.csv",
            "time": time,
            "hj212": {"mn": "010000A8900016F000169DC0"},
        }
    )
    return Station(config, (), Known({}), lambda: NOW_NS, lambda: 0.0)


@pytest.mark.parametrize(
    ("rule", "expected"), [("device", NOW_NS - 5 * SECOND), ("gateway", NOW_NS)]
)
def test_whose_time_a_logger_s_values_have(tmp_path: Path, rule: str, expected: int) -> None:
    """A logger 5 s slow is believed by default; the config may want the time of arrival."""
    assert station(tmp_path, rule)._time_of(NOW_NS - 5 * SECOND, _Clock()) == expected


def test_a_logger_whose_clock_stands_still_is_kept_by_arrival(tmp_path: Path) -> None:
    clock, frozen_ns, now = _Clock(), NOW_NS - 3600 * SECOND, [NOW_NS]
    kept = station(tmp_path, "gateway")
    kept.wall_ns = lambda: now[0]
    assert kept._time_of(frozen_ns, clock) == NOW_NS
    now[0] += 30 * SECOND
    assert kept._time_of(frozen_ns, clock) == NOW_NS + 30 * SECOND
    now[0] += SECOND
    assert kept._time_of(frozen_ns, clock) == 0, "the same packet twice in a moment"
    assert kept.counts["late_real_time"] == 1


@pytest.mark.parametrize("by_arrival", [False, True])
def test_whose_time_a_subscribed_value_has(by_arrival: bool) -> None:
    subscription = Subscription.__new__(Subscription)
    subscription.by_arrival = by_arrival
    subscription._last_ns = np.zeros(1, dtype=np.int64)
    arrival = np.array([NOW_NS])
    times = subscription._times(np.array([0]), arrival - 2 * SECOND, arrival, arrival - 1000)
    assert times.tolist() == [NOW_NS - (1000 if by_arrival else 2 * SECOND)]
