"""The historian as a process: kills at random instants, views, config, verification."""

import asyncio
import json
import random
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import duckdb
import pytest

from agent.historian.config import load_historian
from drivers.model import ConfigError
from tests import kill_harness, servers

KILLS = 50
EXAMPLE = Path(__file__).parents[2] / "config" / "historian.example.toml"


def command(*arguments: str, code: int = 0) -> str:
    program = "from agent.historian.commands import historian_app; historian_app()"
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("seed", [20261123])
async def test_fifty_kills_lose_alter_and_invent_nothing(
    tmp_path: Path, mosquitto: servers.Server, seed: int
) -> None:
    """Gateway, historian and broker are killed in turn, at random; then all is compared."""
    print(f"seed {seed}")
    chance = random.Random(seed)
    with (
        kill_harness.feeder(tmp_path, mosquitto.port, compression="zstd") as feeder,
        kill_harness.historian(tmp_path, mosquitto.port) as historian,
    ):
        for _ in range(KILLS):
            await asyncio.sleep(chance.uniform(0, 0.7))
            child = chance.choice([feeder, historian, feeder, historian, None])
            if child is None:
                mosquitto.kill()
                await asyncio.sleep(chance.uniform(0, 0.2))
                mosquitto.start()
            else:
                child.end()
                child.start()
        stored = feeder.out.stat().st_size
        servers.wait_until(lambda: feeder.out.stat().st_size > stored, "the feeder", 60)
        assert feeder.end(signal.SIGTERM) == 0, feeder.errors[-2000:]
        servers.wait_until(  # what came ahead of a backlog is put behind it right after its receipt
            lambda: kill_harness.arrived(tmp_path), "all of it in one log", 60
        )
        batches = kill_harness.judge(tmp_path)
        print(f"{KILLS} kills, {batches} batches, receipts {kill_harness.receipted(tmp_path)}")
        assert batches > 100
        assert historian.end(signal.SIGTERM) == 0, historian.errors[-2000:]
        said = historian.errors + feeder.errors
        assert "Traceback" not in said, said[said.index("Traceback") - 500 :][:4000]

    config = str(tmp_path / "historian.toml")
    said = command("verify", config)
    assert "DAMAGED" not in said
    command("rebuild", "lake", "--config", config)
    views = json.loads(command("status", config, "--json"))["views"]
    assert views == {"lake": 0}
    assert lake_rows(tmp_path) == (batches * 20, batches * 20)


def lake_rows(folder: Path) -> tuple[int, int]:
    """Rows of the feeder's values in the lake, and how many of them differ from one another."""
    files = f"{folder}/historian/lake/raw/**/*.parquet"
    query = f"select count(*), count(distinct (equipment, value, log, seq)) from '{files}'"  # noqa: S608 - our own path
    rows = duckdb.connect().execute(query).fetchall()
    return int(rows[0][0]), int(rows[0][1])


async def test_verify_finds_every_kind_of_change(tmp_path: Path, mosquitto: servers.Server) -> None:
    feeder = kill_harness.feeder(tmp_path, mosquitto.port).start()
    historian = kill_harness.historian(tmp_path, mosquitto.port).start()
    servers.wait_until(lambda: feeder.out.read_bytes().count(b"\n") > 40, "the feeder", 60)
    assert feeder.end(signal.SIGTERM) == 0, feeder.errors
    config = str(tmp_path / "historian.toml")
    command("verify", config)  # beside the running historian
    reports = json.loads(command("verify", config, "--json"))
    assert {report["source"].split("/")[2] for report in reports} == {"record", "raw"}
    assert historian.end(signal.SIGTERM) == 0, historian.errors
    segment = next((tmp_path / "historian" / "originals" / "demo" / "gw1" / "raw").rglob("*.seg"))
    sound = segment.read_bytes()
    broken = bytearray(sound)
    broken[len(sound) // 2] ^= 1
    segment.write_bytes(broken)
    assert "are no record" in command("verify", config, code=1)
    segment.write_bytes(sound)
    command("verify", config)


async def test_health_is_served_and_a_lost_broker_is_said(
    tmp_path: Path, mosquitto: servers.Server
) -> None:
    port = servers.free_port()
    historian = kill_harness.historian(tmp_path, mosquitto.port)
    path = tmp_path / "historian.toml"
    path.write_text(path.read_text().replace('listen = ""', f'listen = "127.0.0.1:{port}"'))
    started = time.monotonic()
    historian.start()

    def get(what: str) -> str:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/{what}", timeout=2) as answer:
                return str(answer.read().decode())
        except OSError as error:
            return str(error)

    servers.wait_until(lambda: get("healthz").startswith("ok"), "healthy historian")
    print(f"healthy after {time.monotonic() - started:.2f} s")
    metrics = get("metrics")
    assert "smelter_broker_up 1" in metrics
    assert 'smelter_view_behind{view="lake"}' in metrics
    mosquitto.kill()
    servers.wait_until(lambda: "503" in get("healthz"), "unhealthy without a broker")
    assert historian.end(signal.SIGTERM) == 0, historian.errors


def test_the_example_config_is_valid(tmp_path: Path) -> None:
    path = tmp_path / "historian.toml"
    text = EXAMPLE.read_text("utf-8").replace("mqtts://", "mqtt://")
    text = re.sub(
        r"(?m)^(ca|cert|key) .*\n|^# (\[timestamp\]|url = .*tsa|ca ).*\n", "", text
    )  # files of a site
    head, start, optional = text.partition("# [[influxdb]]")
    path.write_text(head + start[2:] + re.sub(r"(?m)^# ", "", optional), "utf-8")
    config = load_historian(path)
    assert config.view_names == ("lake", "influxdb")
    assert "originals" in command("check", str(path))


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "historian.toml"
    path.write_text(
        'data_dir = "x"\nplants = ["a b"]\ncolour = 1\n[mqtt]\nurl = "tcp://h"\n'
        '[lake]\nflush_s = 0\n[[influxdb]]\napi = "v1"\nurl = "http://h:1"\n'
    )
    with pytest.raises(ConfigError) as caught:
        load_historian(path)
    said = "\n".join(caught.value.problems)
    for what in ("plants", "colour", "mqtt", "flush_s", "database"):
        assert what in said, said
    assert "historian.toml:7" in said
    path.write_text(
        'data_dir = "x"\n[mqtt]\nurl = "mqtt://192.0.2.1"\n[[influxdb]]\nname = "lake"\n'
        'api = "v1"\nurl = "https://192.0.2.2:8086"\ndatabase = "d"\nca = "no.pem"\n'
    )
    with pytest.raises(ConfigError, match="name is taken") as caught:
        load_historian(path)
    assert len(caught.value.problems) == 2


def test_an_unknown_view_is_named(tmp_path: Path) -> None:
    path = tmp_path / "historian.toml"
    path.write_text('data_dir = "x"\n[mqtt]\nurl = "mqtt://192.0.2.1"\n')
    assert "lake" in command("rebuild", "cake", "--config", str(path), code=2)
