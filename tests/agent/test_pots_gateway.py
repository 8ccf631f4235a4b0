"""Pots end to end: simulated PLCs over Modbus, the gateway process, the lake; and [pots] itself."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from agent.batches.log import BatchLog
from agent.edge.config import load_gateway
from agent.edge.gateway import Gateway
from agent.lake.lake import Lake
from agent.views import Source, StoredBatch
from drivers.model import ConfigError
from simulators.folder import Folder, write_folder
from simulators.plant import Scenario
from simulators.world import World
from tests.agent.small_plant import device, running, server, write_config, write_table
from tests.servers import free_port

MINUTE_NS = 60 * 10**9
START_S = 1_790_000_000.0


@asynccontextmanager
async def simulated(folder: Path) -> AsyncIterator[tuple[World, Path]]:
    """A plant of four pots, a device that shows 350 kA, and the gateway.toml that reads both."""
    async with World(Scenario(START_S, pots=4), opcua=False) as world, server() as series:
        write_folder(Folder(folder), world, f"127.0.0.1:{free_port()}", {})
        path = folder / "gateway.toml"
        text = path.read_text().replace("[mqtt]", '[health]\nlisten = ""\n\n[mqtt]')
        row = "line1/series,potline.current,holding:2,uint16,kA,1,,,\n"
        write_table(folder, "series.csv", row)
        text += device("series", series.port, "series.csv")
        path.write_text(text + "\n[pots]\nnominal_ka = { line1 = 360.0 }\nshot_kg = 1.8\n")
        moving = asyncio.create_task(world.run())
        try:
            yield world, path
        finally:
            moving.cancel()


def burn(world: World, pot: int, seconds: float, volt: float) -> None:
    pots = world.plant.sections[0].pots
    pots.effect_left_s[pot], pots.effect_v[pot] = seconds, volt


def before_a_minute(seconds: float) -> Callable[[], int]:
    shift = MINUTE_NS - (time.time_ns() + round(seconds * 1e9)) % MINUTE_NS
    return lambda: time.time_ns() + shift


async def until_told(gateway: Gateway, check: Callable[[str], bool], timeout_s: float) -> str:
    """The first record line that passes."""
    async with asyncio.timeout(timeout_s):
        while True:
            await asyncio.sleep(0.2)
            for batch in await gateway._logs["record"].read_from(1, 1 << 30):
                for line in batch.payload.decode().split("\n"):
                    if check(line):
                        return line


async def into_lake(data: Path, lake: Path) -> None:
    made = Lake(lake)
    made.open()
    async with BatchLog(data, stream="record") as log:
        source = Source("demo", "gw1", "record", log.log_id)
        made.write([StoredBatch(source, each) for each in await log.read_from(1, 1 << 30)])
    made.close()


def table(lake: Path, name: str) -> list[dict[str, object]]:
    (path,) = lake.glob(f"{name}/*/*/*.parquet")
    rows: list[dict[str, object]] = pq.read_table(path, partitioning=None).to_pylist()
    return rows


async def test_a_simulated_effect_reaches_the_lake_with_its_measures(tmp_path: Path) -> None:
    async with simulated(tmp_path) as (world, path):
        gateway = Gateway(load_gateway(path), wall_ns=before_a_minute(9.0))
        task = asyncio.create_task(gateway.run())
        await asyncio.wait_for(gateway.started.wait(), 10)
        await asyncio.sleep(1.5)
        burn(world, 1, 5.0, 30.0)
        effect = "kind=anode_effect,line=line1,unit=pot002"
        begun = await until_told(gateway, lambda line: effect in line, 10)
        assert ",end=" not in begun
        await until_told(gateway, lambda line: effect in line and ",end=" in line, 15)
        await until_told(gateway, lambda line: "ae_seconds" in line, 30)
        gateway.stop()
        await asyncio.wait_for(task, 10)
    await into_lake(tmp_path / "data" / "agent", tmp_path / "lake")
    told = [row for row in table(tmp_path / "lake", "events") if row["kind"] == "anode_effect"]
    assert {row["equipment"] for row in told} == {"line1/pot002"}
    assert len({row["id"] for row in told}) == 1
    (over,) = [row for row in told if row["end"] is not None]
    assert over["amount"] == pytest.approx(5, abs=1)
    assert over["peak"] == pytest.approx(30, rel=0.1)
    assert over["mean"] == pytest.approx(30, rel=0.1)
    assert over["integral"] == pytest.approx(26 * 5, rel=0.3)
    assert over["gap"] == 0.0
    found = {
        (row["equipment"], row["quantity"]): row for row in table(tmp_path / "lake", "windows")
    }
    seconds = found["line1/pot002", "pot.ae_seconds"]["mean"]
    assert seconds == pytest.approx(over["amount"])
    assert found["line1/pot001", "pot.ae_seconds"]["mean"] == 0.0
    computed = found["line1/pot001", "pot.pseudo_resistance"]["mean"]
    volts = float(str(found["line1/pot001", "pot.voltage"]["mean"]))
    assert computed == pytest.approx((volts - 1.65) / 0.350, rel=0.01)
    normal = found["line1/pot001", "pot.normalised_voltage"]["mean"]
    assert normal == pytest.approx(1.65 + 0.36 * float(str(computed)), abs=1e-3)


@pytest.mark.parametrize("kill", [True, False])
async def test_an_effect_outlives_the_process(tmp_path: Path, kill: bool) -> None:
    """Stopped or killed in the middle: the next run goes on with the same event."""
    async with simulated(tmp_path) as (world, path):
        burn(world, 2, 1000.0, 25.0)
        first = Gateway(load_gateway(path))
        task = asyncio.create_task(first.run())
        await asyncio.wait_for(first.started.wait(), 10)
        begun = await until_told(first, lambda line: "kind=anode_effect," in line, 10)
        if kill:
            task.cancel()
            with pytest.raises((asyncio.CancelledError, BaseExceptionGroup)):
                await task
        else:
            first.stop()
            await asyncio.wait_for(task, 10)
        async with running(path) as again:
            await asyncio.sleep(2.5)
            burn(world, 2, 0.0, 25.0)
            over = await until_told(
                again, lambda line: "kind=anode_effect," in line and ",end=" in line, 15
            )
    name = re.search(r'id="([^"]+)"', begun)
    assert name is not None
    assert f'id="{name[1]}"' in over
    assert begun.rsplit(" ", 1)[1] == over.rsplit(" ", 1)[1]
    gap = re.search(r"gap_s=([0-9.]+)", over)
    assert gap is not None
    assert float(gap[1]) <= 5


# --- [pots]


def write(folder: Path, table: str) -> Path:
    write_table(folder)
    return write_config(folder, device("plc", 502) + table)


def test_without_a_table_the_usual_parameters_hold(tmp_path: Path) -> None:
    pots = load_gateway(write(tmp_path, "")).pots
    assert pots.enabled
    limits = pots.limits("line1", 1.0, subscribed=False)
    assert (limits.effect.threshold_v, limits.effect.hold_s) == (8.0, 3.0)
    assert (limits.nominal_ka, limits.shot_kg) == (None, None)


def test_every_parameter_of_the_example_is_the_default_or_optional() -> None:
    example = load_gateway(Path("config/gateway.example.toml")).pots
    usual = type(example)()
    different = {
        name
        for name in type(example).model_fields
        if getattr(example, name) != getattr(usual, name)
    }
    assert different == {"nominal_ka", "shot_kg"}  # no default could be right for a plant
    text = Path("config/gateway.example.toml").read_text()
    for name in (*type(example).model_fields, *type(example.warning).model_fields):
        assert re.search(rf"^(\[pots\.)?{name}\b", text, re.MULTILINE), name


@pytest.mark.parametrize(
    ("table", "zh", "en"),
    [
        ("anode_effect_v = 3", "不能小于 5", "5"),
        ("treshold = 8", "未知的键", "unknown key"),
        ("target_v = 6.5\nanode_effect_v = 6", "target_v 必须小于", "lower than anode_effect_v"),
        ("swing_watch_mv = 50", "swing_watch_mv 不能大于", "must not be higher than"),
        ("nominal_ka = { line1 = 4.0 }", "line1：4 kA", "line1: 4 kA"),
        ("[pots.warning]\nscore = 5", "不能大于 4", "4"),
    ],
)
@pytest.mark.parametrize("spoken", ["zh", "en"])
def test_mistakes_are_told_with_their_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: str, zh: str, en: str, spoken: str
) -> None:
    monkeypatch.setenv("SMELTER_LANG", spoken)
    path = write(tmp_path, f"[pots]\n{table}\n")
    with pytest.raises(ConfigError) as refused:
        load_gateway(path)
    (problem,) = refused.value.problems
    assert re.match(r"gateway\.toml:\d+: ", problem), problem
    assert (zh if spoken == "zh" else en) in problem
