"""Imports: the whole way over a real broker into originals and lake, or refused as a whole."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from agent.batches.log import BatchLog
from agent.batches.segment import Segment
from agent.historian.config import load_historian
from agent.historian.process import Historian
from agent.history.file import read_history
from agent.history.importer import Job, Progress, job_of, run_import
from drivers.model import ConfigError
from tests.servers import Server, wait_until

START = datetime(2026, 10, 1, tzinfo=UTC)
Row = tuple[datetime, str, str, float | None]


def minutes(
    equipment: str, quantity: str, values: Sequence[float | None], skip: int = 0
) -> list[Row]:
    return [
        (START + timedelta(minutes=skip + n), equipment, quantity, value)
        for n, value in enumerate(values)
    ]


def parquet(
    path: Path,
    rows: list[Row],
    quality: list[str | None] | None = None,
    raw: Sequence[object] | None = None,
) -> Path:
    columns: dict[str, Any] = {
        "time": pa.array([row[0] for row in rows], pa.timestamp("us", tz="UTC")),
        "equipment": [row[1] for row in rows],
        "quantity": [row[2] for row in rows],
        "value": pa.array([row[3] for row in rows], pa.float64()),
    }
    if quality is not None:
        columns["quality"] = quality
    if raw is not None:
        columns["raw"] = pa.array(raw)
    pq.write_table(pa.table(columns), path)
    return path


def csv(path: Path, lines: list[str], encoding: str = "utf-8") -> Path:
    path.write_bytes("\r\n".join(["time,equipment,quantity,value", *lines, ""]).encode(encoding))
    return path


def job(file: Path, server: Server, folder: Path, **more: Any) -> Job:
    url = f"mqtt://127.0.0.1:{server.port}"
    return job_of(file, mqtt=url, plant="demo", data_dir=folder / "import", **more)


@asynccontextmanager
async def historian(server: Server, folder: Path) -> AsyncIterator[Path]:
    """A real historian in this process; yields its lake."""
    config = folder / "historian.toml"
    config.write_text(
        f'data_dir = "{folder}/historian"\n[mqtt]\nurl = "mqtt://127.0.0.1:{server.port}"\n'
        '[lake]\nflush_s = 0.1\n[health]\nlisten = ""\n'
    )
    stop, ready = asyncio.Event(), asyncio.Event()
    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        tasks.create_task(Historian(load_historian(config)).run(stop, ready.set))
        await ready.wait()
        try:
            yield folder / "historian" / "lake"
        finally:
            stop.set()


COLUMNS = "epoch(ts)::bigint, equipment, quantity, mean, last, inc, n, good, q"


async def windows(lake: Path, count: int, columns: str = COLUMNS) -> list[tuple[Any, ...]]:
    """Window rows of the import, once there are that many."""

    def read() -> list[tuple[Any, ...]]:
        if not list(lake.glob("windows/*/*/*.parquet")):
            return []
        table = duckdb.read_parquet(f"{lake}/windows/*/*/*.parquet").filter("gateway = 'import'")
        return table.project(columns).order("all").fetchall()

    await asyncio.to_thread(wait_until, lambda: len(read()) >= count, f"{count} windows")
    return await asyncio.to_thread(read)


def at(minute: int) -> int:
    return int(START.timestamp()) + 60 * minute


async def test_all_values_arrive_in_the_lake(mosquitto: Server, tmp_path: Path) -> None:
    volts = [4.1 + n / 1000 for n in range(300)]
    file = parquet(
        tmp_path / "h.parquet",
        [
            *minutes("line1/pot001", "pot.voltage", volts),
            *minutes("line1/pot002", "pot.voltage", volts[::-1]),
            *minutes("line1/pot001", "pot.noise_hf", [5.0] * 300),
        ],
    )
    async with historian(mosquitto, tmp_path) as lake:
        entry, history = await run_import(job(file, mosquitto, tmp_path))
        found = await windows(lake, 900)
    assert history
    assert (entry.rows, len(history)) == (900, 900)
    want = [
        (at(n), unit, quantity, value, value, None, 1, 1.0, None)
        for n in range(300)
        for unit, quantity, value in (
            ("line1/pot001", "pot.voltage", volts[n]),
            ("line1/pot002", "pot.voltage", volts[299 - n]),
            ("line1/pot001", "pot.noise_hf", 5.0),
        )
    ]
    assert found == sorted(want)


async def test_batches_say_where_they_come_from(mosquitto: Server, tmp_path: Path) -> None:
    file = parquet(tmp_path / "h.parquet", minutes("line1/pot001", "pot.voltage", [4.1, 4.2]))
    async with historian(mosquitto, tmp_path):
        entry, _ = await run_import(job(file, mosquitto, tmp_path))
    log = tmp_path / "historian/originals/demo/import/record" / entry.log
    (segment,) = Segment.all_in(log)
    (item,) = [each for each in segment.scan() if hasattr(each, "batch")]
    head = item.batch.payload.decode().split("\n")[0]
    assert 'source="h.parquet"' in head
    assert f'source_sha256="{entry.sha256}"' in head
    assert head.startswith("batch,plant=demo,gateway=import,stream=record ")


async def test_counters_are_judged_like_the_agents(mosquitto: Server, tmp_path: Path) -> None:
    """Going on, a rollover, a torn reading, a reset, a gap: increments and events."""
    config = tmp_path / "import.toml"
    config.write_text(
        f'plant = "demo"\ndata_dir = "import"\n[mqtt]\nurl = "mqtt://127.0.0.1:{mosquitto.port}"\n'
        '[[counter]]\nequipment = "line1/ac*"\nquantity = "meter.energy_import"\n'
        "modulus = 1000\nmax_per_s = 1\n"
    )
    rolled = [950.0, 980.0, 10.0, 40.0]
    torn = [100.0, 110.0, 900.0, 120.0, 130.0]
    reset = [500.0, 510.0, 2.0, 5.0, 9.0]
    rows = [
        *minutes("line1/ac1", "meter.energy_import", rolled),
        *minutes("line1/ac2", "meter.energy_import", torn),
        *minutes("line1/ac3", "meter.energy_import", reset),
        *minutes("line1/ac4", "meter.energy_import", [10.0, 20.0]),
        *minutes("line1/ac4", "meter.energy_import", [80.0], skip=30),
    ]
    file = parquet(tmp_path / "h.parquet", rows)
    async with historian(mosquitto, tmp_path) as lake:
        await run_import(job_of(file, config))
        found = await windows(lake, len(rows))
        kinds = duckdb.read_parquet(f"{lake}/events/*/*/*.parquet").filter("gateway = 'import'")
        events = kinds.project("kind, equipment, amount").order("all").fetchall()
    inc = {
        name: [(row[5], row[8]) for row in found if row[1] == f"line1/{name}"]
        for name in ("ac1", "ac2", "ac3", "ac4")
    }
    assert inc["ac1"] == [(None, None), (30.0, None), (30.0, None), (30.0, None)]
    assert inc["ac2"] == [(None, None), (10.0, None), (None, "jump"), (10.0, None), (10.0, None)]
    assert [value for value, _ in inc["ac3"]] == [None, 10.0, None, 3.0, 4.0]
    assert inc["ac4"] == [(None, None), (10.0, None), (60.0, "no_data")]
    assert events == [
        ("gap", "line1/ac4", 60.0),
        ("reset", "line1/ac3", 3.0),
        ("rollover", "line1/ac1", 30.0),
    ]


async def test_bad_values_are_windows_with_a_reason(mosquitto: Server, tmp_path: Path) -> None:
    file = parquet(
        tmp_path / "h.parquet",
        minutes("line1/pot001", "pot.voltage", [4.1, None, 4.3, 999.0]),
        [None, "maintenance", "good", ""],
    )
    async with historian(mosquitto, tmp_path) as lake:
        _, history = await run_import(job(file, mosquitto, tmp_path))
        found = await windows(lake, 4)
    assert history
    assert history.out_of_range == 1
    assert [(row[3], row[6], row[7], row[8]) for row in found] == [
        (4.1, 1, 1.0, None),
        (None, 0, 0.0, "maintenance"),
        (4.3, 1, 1.0, None),
        (None, 0, 0.0, "out_of_range"),
    ]


async def test_registers_travel_beside_the_values(mosquitto: Server, tmp_path: Path) -> None:
    """Each row its own, whatever the order of the file; none where the file has none."""
    rows = [
        *minutes("line1/ac1", "meter.energy_import", [100.0, 110.0, 115.0]),
        *minutes("line1/pot001", "pot.voltage", [4.1, 4.2, 4.3]),
        *minutes("line1/ac2", "meter.energy_import", [7.0, 9000.0, 8.0]),
        *minutes("line1/ac1", "meter.active_power", [900.0, 1e300, 901.0]),
    ]
    raw = ["00000064", "0000006E", None, None, "", " ", "0007", "2328", "0008", "a1", "a2", "a3"]
    file = parquet(tmp_path / "h.parquet", rows, raw=raw)
    config = tmp_path / "import.toml"
    config.write_text(
        f'plant = "demo"\ndata_dir = "import"\n[mqtt]\nurl = "mqtt://127.0.0.1:{mosquitto.port}"\n'
        '[[counter]]\nequipment = "line1/ac2"\nmodulus = 65536\nmax_per_s = 1\n'
    )
    async with historian(mosquitto, tmp_path) as lake:
        await run_import(job_of(file, config))
        found = await windows(lake, len(rows), "equipment, quantity, epoch(ts)::bigint, raw, q")
    of = {(unit, quantity, at): (raw, q) for unit, quantity, at, raw, q in found}
    energy, power, volts = "meter.energy_import", "meter.active_power", "pot.voltage"
    assert [of["line1/ac1", energy, at(n)][0] for n in range(3)] == ["00000064", "0000006e", None]
    assert [of["line1/ac1", power, at(n)] for n in range(3)] == [
        ("a1", None),
        ("a2", "out_of_range"),
        ("a3", None),
    ]
    assert [of["line1/ac2", energy, at(n)] for n in range(3)] == [
        ("0007", None),
        ("2328", "jump"),
        ("0008", None),
    ]
    assert [of["line1/pot001", volts, at(n)][0] for n in range(3)] == [None] * 3


async def test_the_same_content_is_refused_the_second_time(
    mosquitto: Server, tmp_path: Path
) -> None:
    file = parquet(tmp_path / "h.parquet", minutes("line1/pot001", "pot.voltage", [4.1, 4.2]))
    async with historian(mosquitto, tmp_path) as lake:
        await run_import(job(file, mosquitto, tmp_path))
        other = tmp_path / "renamed.parquet"
        other.write_bytes(file.read_bytes())
        with pytest.raises(ConfigError, match=r"h\.parquet\) was imported"):
            await run_import(job(other, mosquitto, tmp_path))
        assert len(await windows(lake, 2)) == 2


async def test_an_import_that_was_broken_off_is_taken_up(
    mosquitto: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.history.importer._BATCH_BYTES", 500)
    values = [4 + n / 1000 for n in range(200)]
    file = parquet(tmp_path / "h.parquet", minutes("line1/pot001", "pot.voltage", values))
    real, appended = BatchLog.append, 0

    async def append(log: BatchLog, *args: Any, **more: Any) -> Any:
        nonlocal appended
        appended += 1
        if appended == 7:
            raise RuntimeError("killed")
        return await real(log, *args, **more)

    monkeypatch.setattr(BatchLog, "append", append)
    with pytest.raises(ExceptionGroup):
        await run_import(job(file, mosquitto, tmp_path))
    another = parquet(tmp_path / "b.parquet", minutes("line1/pot002", "pot.voltage", [4.1]))
    with pytest.raises(ConfigError, match=r"h\.parquet was broken off"):
        await run_import(job(another, mosquitto, tmp_path))
    async with historian(mosquitto, tmp_path) as lake:
        entry, _ = await run_import(job(file, mosquitto, tmp_path))
        found = await windows(lake, 200)
    assert entry.batches
    assert entry.batches > 7
    assert [row[3] for row in found] == values


async def test_without_a_historian_it_waits_and_a_second_run_finishes(
    mosquitto: Server, tmp_path: Path
) -> None:
    file = parquet(tmp_path / "h.parquet", minutes("line1/pot001", "pot.voltage", [4.1, 4.2]))
    shown = asyncio.Event()

    def show(progress: Progress) -> None:
        if progress.batches:
            shown.set()

    waiting = asyncio.create_task(run_import(job(file, mosquitto, tmp_path), show))
    await shown.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    async with historian(mosquitto, tmp_path) as lake:
        entry, history = await run_import(job(file, mosquitto, tmp_path))
        assert len(await windows(lake, 2)) == 2
    assert history is None, "nothing was converted again"
    assert entry.done
    assert json.loads((tmp_path / "import/imports.json").read_text())[0]["batches"] == 1


def test_csv_in_gbk_with_offsets(tmp_path: Path) -> None:
    file = tmp_path / "h.csv"
    file.write_bytes(
        "time,equipment,quantity,value,备注\r\n"
        "2026-10-01T08:00:00+08:00,line1/pot001,pot.voltage,4.1,好\r\n"
        "2026-10-01 00:01:00Z,line1/pot001,pot.voltage,4.2,\r\n".encode("gbk")
    )
    history = read_history(file, 60)
    assert [ns // 10**9 for ns in history.time_ns.tolist()] == [at(0), at(1)]
    assert history.value.tolist() == [4.1, 4.2]


MISTAKES = {
    "h.csv:2: write the time with its offset": "2026-10-01T00:00:00,line1/pot001,pot.voltage,4",
    "h.csv:2: no time": ",line1/pot001,pot.voltage,4",
    "h.csv:2: equipment pot001": "2026-10-01T00:00:00Z,pot001,pot.voltage,4",
    "h.csv:2: quantity 'pot.volts' is unknown": "2026-10-01T00:00:00Z,line1/pot001,pot.volts,4",
    "h.csv:2: value is not a number": "2026-10-01T00:00:00Z,line1/pot001,pot.voltage,four",
    "h.csv:2: value is not finite": "2026-10-01T00:00:00Z,line1/pot001,pot.voltage,inf",
    "h.csv:2: no value": "2026-10-01T00:00:00Z,line1/pot001,pot.voltage,",
    "h.csv:2: time is not the start": "2026-10-01T00:00:07Z,line1/pot001,pot.voltage,4",
    "h.csv:3: line1/pot001 pot.voltage: the same time": (
        "2026-10-01T00:00:00Z,line1/pot001,pot.voltage,4\r\n"
        "2026-10-01T00:00:00Z,line1/pot001,pot.voltage,4"
    ),
    "h.csv:3: line1/pot001 pot.voltage: the time is earlier": (
        "2026-10-01T00:01:00Z,line1/pot001,pot.voltage,4\r\n"
        "2026-10-01T00:00:00Z,line1/pot001,pot.voltage,4"
    ),
}


@pytest.mark.parametrize(("message", "lines"), MISTAKES.items())
def test_every_mistake_names_its_row(message: str, lines: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read_history(csv(tmp_path / "h.csv", [lines]), 60)
    assert any(problem.startswith(message) for problem in caught.value.problems), caught.value


@pytest.mark.parametrize("raw", ["abc", "0x10", "zz", "00 01", "ab" * 251])
def test_registers_that_are_no_hex_name_their_rows(raw: str, tmp_path: Path) -> None:
    lines = [
        "time,equipment,quantity,value,raw",
        "2026-10-01T00:00:00Z,line1/ac1,meter.energy_import,1,0001",
        f"2026-10-01T00:01:00Z,line1/ac1,meter.energy_import,2,{raw}",
        "2026-10-01T00:02:00Z,line1/ac1,meter.energy_import,3,",
    ]
    file = tmp_path / "h.csv"
    file.write_text("\n".join(lines))
    with pytest.raises(ConfigError) as caught:
        read_history(file, 60)
    assert [problem[:26] for problem in caught.value.problems] == ["h.csv:3: raw is pairs of h"]


def test_registers_of_a_csv_keep_their_leading_zeros(tmp_path: Path) -> None:
    file = tmp_path / "h.csv"
    file.write_text(
        "time,equipment,quantity,value,raw\n"
        "2026-10-01T00:00:00Z,line1/ac1,meter.energy_import,1,0001\n"
    )
    history = read_history(file, 60)
    assert [history.registers[code] for code in history.raw] == ["0001"]


def test_registers_stored_as_numbers_are_refused(tmp_path: Path) -> None:
    rows = minutes("line1/ac1", "meter.energy_import", [1.0, 2.0])
    with pytest.raises(ConfigError, match="column raw: store it as hex text, not as int64"):
        read_history(parquet(tmp_path / "h.parquet", rows, raw=[10, 11]), 60)


def test_many_mistakes_are_listed_together_and_cut_short(tmp_path: Path) -> None:
    good = "2026-10-01T00:00:00Z,line1/pot001,pot.voltage,4"
    bad = [f"2026-10-01T00:{n:02d}:00Z,pot{n},pot.voltage,4" for n in range(3)]
    worse = ["2026-10-01T00:00:00Z,line1/pot001,nothing.known,4"] * 30
    with pytest.raises(ConfigError) as caught:
        read_history(csv(tmp_path / "h.csv", [good, *bad, *worse]), 60)
    text = str(caught.value)
    assert all(f"h.csv:{n}: equipment" in text for n in (3, 4, 5))
    assert "h.csv:6: quantity 'nothing.known'" in text
    assert "20 more rows" in text
    assert "h.csv:2:" not in text


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"time": [1], "equipment": ["a/b"], "quantity": ["pot.voltage"]},
            "column value is missing",
        ),
        (
            {
                "time": [datetime(2026, 10, 1)],  # noqa: DTZ001 - the mistake under test
                "equipment": ["line1/pot001"],
                "quantity": ["pot.voltage"],
                "value": [4.0],
            },
            "no time zone",
        ),
    ],
)
def test_wrong_columns(columns: dict[str, Any], message: str, tmp_path: Path) -> None:
    file = tmp_path / "h.parquet"
    pq.write_table(pa.table(columns), file)
    with pytest.raises(ConfigError, match=message):
        read_history(file, 60)


async def test_a_wrong_file_sends_and_stores_nothing(mosquitto: Server, tmp_path: Path) -> None:
    rows = minutes("line1/pot001", "pot.voltage", [4.1] * 5000)
    rows[4999] = (rows[4999][0], "line1/pot001", "pot.volts", 4.1)
    file = parquet(tmp_path / "h.parquet", rows)
    with pytest.raises(ExceptionGroup) as caught:
        await run_import(job(file, mosquitto, tmp_path))
    assert caught.group_contains(ConfigError, match="row 5000")
    async with BatchLog(tmp_path / "import", stream="record") as log:
        assert log.newest == 0
    assert not (tmp_path / "import/imports.json").exists()


COMMAND = (
    "import sys\nfrom drivers.cli import main\n"
    "sys.argv = ['smelter', 'import', *sys.argv[1:]]\nmain()"
)


def run(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", COMMAND, *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={"SMELTER_LANG": "zh", "PATH": ""},
        cwd=Path(__file__).parents[2],
    )


async def test_the_command_speaks_chinese_and_is_quiet_in_a_pipe(
    mosquitto: Server, tmp_path: Path
) -> None:
    file = parquet(tmp_path / "h.parquet", minutes("line1/pot001", "pot.voltage", [4.1, 4.2]))
    options = ("--mqtt", f"mqtt://127.0.0.1:{mosquitto.port}", "--plant", "demo")
    more = ("--data-dir", tmp_path / "import")
    async with historian(mosquitto, tmp_path):
        done = await asyncio.to_thread(run, file, *options, *more)
        again = await asyncio.to_thread(run, file, *options, *more)
    wrong = await asyncio.to_thread(run, tmp_path / "none.parquet", *options, *more)
    nothing = await asyncio.to_thread(run, file)
    assert (done.returncode, done.stderr) == (0, "")
    assert "已导入 2 行" in done.stdout
    assert again.returncode == 2
    assert "无需再次导入" in again.stderr
    assert wrong.returncode == 2
    assert "无法读取" in wrong.stderr
    assert nothing.returncode == 2
    assert "--mqtt" in nothing.stderr
