"""Every query of every Grafana panel against the real influxd, filled by the simulated plant.

Simulators → gateway → mosquitto → historian → InfluxDB, all real; an hour of a stack's derived
minutes comes from the gateway's own code for them (an hour would be too long to wait).
"""

import asyncio
import json
import re
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from agent.edge.config import load_gateway
from agent.edge.gateway import Gateway
from agent.wire.encode import event_line
from simulators.folder import Folder, write_folder
from simulators.plant import Scenario
from simulators.world import World
from tests import servers
from tests.agent import stack_bench
from tests.agent.influx_tools import ask
from tests.agent.test_pots_gateway import START_S, before_a_minute

CONFIG = Path(__file__).parents[2] / "config" / "grafana"
BOARDS = sorted((CONFIG / "dashboards").glob("*.json"))
PANELS = [
    (board.stem, panel["title"], target["query"])
    for board in BOARDS
    for panel in json.loads(board.read_text("utf-8"))["panels"]
    for target in panel["targets"]
]
HOUR_NS = 3600 * 10**9


def historian(folder: Path, broker: int, influx: int) -> "subprocess.Popen[bytes]":
    config = folder / "historian.toml"
    config.write_text(
        f'plants = ["demo"]\ndata_dir = "historian"\n[mqtt]\nurl = "mqtt://127.0.0.1:{broker}"\n'
        '[health]\nlisten = ""\n[[influxdb]]\nname = "influx"\napi = "v1"\n'
        f'url = "http://127.0.0.1:{influx}"\ndatabase = "plant"\n',
        "utf-8",
    )
    command = (sys.executable, "-c", "from drivers.cli import main; main()")
    with (folder / "historian.log").open("wb") as log:
        return subprocess.Popen(
            [*command, "historian", "run", str(config)], stdout=log, stderr=subprocess.STDOUT
        )


async def through_a_minute(folder: Path, broker: int, influx: int) -> None:
    """The plant with all its devices, and a gateway that reads it over the end of a minute."""
    async with World(Scenario(START_S, pots=4)) as world:
        write_folder(Folder(folder), world, f"127.0.0.1:{broker}", {})
        path = folder / "gateway.toml"
        text = path.read_text().replace("[mqtt]", '[health]\nlisten = ""\n\n[mqtt]')
        path.write_text(text)
        moving = asyncio.create_task(world.run())
        gateway = Gateway(load_gateway(path), wall_ns=before_a_minute(9.0))
        running = asyncio.create_task(gateway.run())
        await asyncio.wait_for(gateway.started.wait(), 240)
        effects = asyncio.create_task(have_effects(world))
        await asyncio.to_thread(
            servers.wait_until,
            lambda: not lacking(influx),
            "rows for every panel, of this minute or of one of the next",
            600,
            1.0,
        )
        gateway.stop()
        await asyncio.wait_for(running, 120)
        effects.cancel()
        moving.cancel()


async def have_effects(world: World) -> None:
    """An anode effect of 4 s again and again, for the events: a slow machine may miss one."""
    pots = world.plant.sections[0].pots
    while True:
        pots.effect_left_s[1], pots.effect_v[1] = 4.0, 30.0
        await asyncio.sleep(20)


def lacking(influx: int) -> str:
    """The first panel without a value whatever is chosen; "": none."""
    for board, title, query in PANELS:
        values = dict.fromkeys(re.findall(r"\$(\w+)\$", query), "(.*)")
        if not has_value(ask(influx, filled(query, values))):
            return f"{board}: {title}"
    return ""


def has_value(rows: list[list[Any]]) -> bool:
    return any(value is not None for row in rows for value in row[1:])


def derived_hour(influx: int) -> None:
    """72 minutes of a stack: an hour above its limit, with what the gateway makes of it."""
    bench = stack_bench.Bench()
    bench.flush(bench.run(0, 72, so2=25.0))  # 39.8 mg/m3 where 35 is the limit
    lines = [line.encode() for line in bench.lines]
    lines += [event_line("demo", "gw1", event) for event in bench.events]
    where = f"http://127.0.0.1:{influx}/write?db=plant&precision=ns"
    with urllib.request.urlopen(where, b"\n".join(lines), timeout=120) as answer:
        assert answer.status == 204


@pytest.fixture(scope="module")
def influx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Port of an InfluxDB that the historian filled."""
    folder = tmp_path_factory.mktemp("grafana")
    stores = [folder / name for name in ("influxd", "mosquitto", "plant")]
    for each in stores:
        each.mkdir()
    database = servers.influxd(stores[0]).start()
    broker = servers.mosquitto(stores[1]).start()
    ask(database.port, "create database plant")
    reader = historian(stores[2], broker.port, database.port)
    try:
        with pytest.MonkeyPatch.context() as patch:
            start_ns = time.time_ns() // HOUR_NS * HOUR_NS - HOUR_NS
            patch.setattr(stack_bench, "START", start_ns)
            derived_hour(database.port)
        asyncio.run(through_a_minute(stores[2], broker.port, database.port))
        yield database.port
    finally:
        reader.terminate()
        reader.wait(120)
        broker.end()
        database.end()


@pytest.fixture(scope="module")
def chosen(influx: int) -> dict[str, dict[str, str]]:
    """Per board: what each variable would be after the page was opened, all of it chosen."""
    found: dict[str, dict[str, str]] = {}
    for path in BOARDS:
        board = json.loads(path.read_text("utf-8"))
        values = found.setdefault(path.stem, {})
        for variable in board["templating"]["list"]:
            rows = ask(influx, filled(variable["query"], values))
            assert rows, f"{path.stem}: {variable['name']} has nothing to choose"
            texts = sorted({str(row[1]) for row in rows})
            values[variable["name"]] = f"({'|'.join(map(re.escape, texts))})"
    return found


def filled(query: str, values: dict[str, str]) -> str:
    """As Grafana sends it: variables, the time on the page, the step of the graph."""
    for name, text in values.items():
        query = query.replace(f"${name}", text)
    query = query.replace("$timeFilter", "time >= now() - 6h AND time <= now() + 1h")
    query = query.replace("$__interval", "1m")
    assert "$" not in query.replace("$/", ""), query
    return query


@pytest.mark.parametrize(
    ("board", "title", "query"), PANELS, ids=[f"{b}-{t}" for b, t, _ in PANELS]
)
def test_every_panel_has_rows(
    influx: int, chosen: dict[str, dict[str, str]], board: str, title: str, query: str
) -> None:
    rows = ask(influx, filled(query, chosen[board]))
    assert has_value(rows), f"{board}: {title}: {query}"


@pytest.mark.parametrize("path", BOARDS, ids=[path.stem for path in BOARDS])
def test_a_board_is_one_that_grafana_can_provision(path: Path) -> None:
    board: dict[str, Any] = json.loads(path.read_text("utf-8"))
    source = yaml.safe_load((CONFIG / "provisioning/datasources/smelter.yaml").read_text("utf-8"))
    uid = source["datasources"][0]["uid"]
    assert board["uid"] == f"smelter-{path.stem}"
    assert re.search(r"[一-鿿].*[A-Za-z]", board["title"])
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)
    for panel in board["panels"]:
        assert re.search(r"[一-鿿].*[A-Za-z]", panel["title"]), "both languages"
        assert panel["datasource"]["uid"] == uid
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for target in panel["targets"]:
            assert target["rawQuery"] is True
            assert "$timeFilter" in target["query"]
    taken = {
        (x, y)
        for panel in board["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    }
    area = sum(panel["gridPos"]["w"] * panel["gridPos"]["h"] for panel in board["panels"])
    assert len(taken) == area, "no panel lies on another"


def test_the_provisioning_names_what_is_there() -> None:
    boards = yaml.safe_load((CONFIG / "provisioning/dashboards/smelter.yaml").read_text("utf-8"))
    assert boards["providers"][0]["options"]["path"] == "/etc/grafana/smelter/dashboards"
    source = (CONFIG / "provisioning/datasources/smelter.yaml").read_text("utf-8")
    assert "password: $SMELTER_INFLUXDB_PASSWORD" in source  # never the password itself
    assert {path.stem for path in BOARDS} == {"line", "potline", "stacks", "energy", "gateways"}
    assert urllib.parse.urlsplit(source.split("url: ")[1].split()[0]).scheme in {"", "http"}
