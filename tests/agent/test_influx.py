"""InfluxDB view against Debian's real influxd, through /write and through the v2 proxy."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from agent.influx import view as influx
from agent.influx.config import InfluxConfig
from tests import servers
from tests.agent.batches import RAW, RECORD, T0_NS, batch, pots, raw
from tests.agent.influx_tools import ask, count, view, view_of
from tests.servers import Server
from tests.v2_proxy import TOKEN, v2_proxy


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses between tries short enough for a test."""
    monkeypatch.setattr(influx, "_FIRST_PAUSE_S", 0.02)
    monkeypatch.setattr(influx, "_LONGEST_PAUSE_S", 0.05)
    monkeypatch.setattr(influx, "_PERSON_PAUSE_S", 0.05)


async def until_in_trouble(task: asyncio.Task[None], mine: influx.InfluxView) -> str:
    await asyncio.to_thread(servers.wait_until, lambda: bool(mine.trouble), "trouble")
    assert not task.done()
    return mine.trouble


async def test_raw_lines_are_read_back_exactly(influxd: Server, tmp_path: Path) -> None:
    async with view(influxd, tmp_path) as mine:
        await mine.write([raw(1), raw(2)])
    found = ask(influxd.port, 'select "line", "unit", "voltage", "noise_hf" from "pot"')
    want = [
        [T0_NS + second * 10**9, "line1", f"pot{pot:03d}", 4 + pot / 64 + second / 1024, pot]
        for second in (1, 2)
        for pot in range(4)
    ]
    assert sorted(found) == sorted(want)
    heads = ask(influxd.port, 'select "seq" from "batch"')
    assert [seq for _, seq in heads] == [1, 2]


async def test_windows_and_events_arrive_with_their_texts(influxd: Server, tmp_path: Path) -> None:
    lines = [
        f'pot_1m,plant=demo,line=l,unit=p voltage=4.5,voltage_n=9i,voltage_q="stuck" {T0_NS}',
        f'event,plant=demo,gateway=gw1,kind=gap id="e",text="a \\"b\\", c=d" {T0_NS}',
    ]
    async with view(influxd, tmp_path) as mine:
        await mine.write([batch(RECORD, 1, lines)])
    assert ask(influxd.port, 'select "voltage_n", "voltage_q" from "pot_1m"') == [
        [T0_NS, 9, "stuck"]
    ]
    assert ask(influxd.port, 'select "text" from "event"') == [[T0_NS, 'a "b", c=d']]


async def test_only_the_streams_that_are_asked_for(influxd: Server, tmp_path: Path) -> None:
    async with view(influxd, tmp_path, streams=["record"]) as mine:
        await mine.write([raw(1), batch(RECORD, 1, pots(5))])
    assert count(influxd.port) == 4


async def test_duplicates_replace_themselves(influxd: Server, tmp_path: Path) -> None:
    async with view(influxd, tmp_path) as mine:
        for _ in range(3):
            await mine.write([raw(1), raw(2)])
    assert count(influxd.port) == 8


@pytest.mark.parametrize("lines", [1, 3, 7, 5000])
async def test_any_size_of_request(influxd: Server, tmp_path: Path, lines: int) -> None:
    async with view(influxd, tmp_path, lines_per_request=lines, gzip=lines != 7) as mine:
        await mine.write([raw(n, 10) for n in range(1, 6)])
        assert mine.lines == 5 * 11
    assert count(influxd.port) == 50
    assert len(ask(influxd.port, 'select "seq" from "batch"')) == 5


async def test_one_bad_line_in_a_thousand_costs_only_itself(
    influxd: Server, tmp_path: Path
) -> None:
    bad = f"pot,plant=demo,line=line1,unit=pot001 voltage=nonsense {T0_NS}"
    lines = pots(1, 999)
    lines.insert(567, bad)
    async with view(influxd, tmp_path) as mine:
        await mine.write([raw(1), batch(RAW, 2, lines)])
        (dead,) = mine.dead_letters.all()
    assert (dead.line, dead.source, dead.seq) == (bad, RAW, 2)
    assert dead.reason.startswith("400 ")
    assert "invalid" in dead.reason
    assert count(influxd.port) == 999  # the first batch holds four of them too


async def test_a_type_conflict_keeps_the_other_fields(influxd: Server, tmp_path: Path) -> None:
    conflict = f'pot,plant=demo,line=line1,unit=pot009 voltage="text" {T0_NS}'
    async with view(influxd, tmp_path) as mine:
        await mine.write([raw(1)])
        await mine.write([batch(RAW, 2, [conflict, *pots(2)])])
        (dead,) = mine.dead_letters.all()
    assert "field type conflict" in dead.reason
    assert count(influxd.port) == 8


async def test_dead_letters_survive_and_stand_once(influxd: Server, tmp_path: Path) -> None:
    bad = batch(RAW, 1, ["junk"])
    async with view(influxd, tmp_path) as mine:
        await mine.write([bad])
        await mine.write([bad])
    async with view(influxd, tmp_path) as again:
        assert [each.line for each in again.dead_letters.all()] == ["junk"]
        await again.reset()
        assert again.dead_letters.count() == 0


async def test_a_body_that_is_too_large_is_halved(tmp_path: Path) -> None:
    server = servers.influxd(tmp_path, "  max-body-size = 2000").start()
    try:
        async with view(server, tmp_path, gzip=False) as mine:
            huge = f'event,plant=demo,gateway=gw1,kind=gap id="e",text="{"x" * 3000}" {T0_NS}'
            await mine.write([raw(1, 200), batch(RECORD, 1, [huge, *pots(2)])])
            (dead,) = mine.dead_letters.all()
        assert dead.line == huge
        assert dead.reason.startswith("413")
        assert count(server.port) == 204
    finally:
        server.end()


BUSY = """
  max-concurrent-write-limit = 1
  max-enqueued-write-limit = 1
  enqueued-write-timeout = "5ms"
"""


@pytest.mark.usefixtures("quick")
async def test_a_server_that_is_too_busy_gets_everything_later(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server = servers.influxd(tmp_path, BUSY).start()
    try:
        async with view(server, tmp_path, lines_per_request=1000) as mine:
            batches = [raw(n, 1000) for n in range(1, 9)]
            # Three views at once against one slot: most requests are turned away with 503.
            async with (
                view(server, tmp_path / "b") as second,
                view(server, tmp_path / "c") as third,
                asyncio.TaskGroup() as tasks,
            ):
                for each in (mine, second, third):
                    tasks.create_task(each.write(batches))
            assert mine.dead_letters.count() == 0
        assert count(server.port) == 8000
        assert "503" in caplog.text
    finally:
        server.end()


@pytest.mark.usefixtures("quick")
async def test_a_dead_server_loses_nothing(influxd: Server, tmp_path: Path) -> None:
    async with view(influxd, tmp_path) as mine:
        await mine.write([raw(1)])
        influxd.kill()
        writing = asyncio.create_task(mine.write([raw(2), raw(3)]))
        trouble = await until_in_trouble(writing, mine)
        assert str(influxd.port) in trouble
        await asyncio.to_thread(influxd.start)
        await writing
        assert mine.trouble == ""
        assert mine.dead_letters.count() == 0
    assert count(influxd.port) == 12, "also what was there before kill -9"


@pytest.mark.usefixtures("quick")
async def test_kill_9_while_writing_and_the_same_batches_again(
    influxd: Server, tmp_path: Path
) -> None:
    batches = [raw(n, 500) for n in range(1, 41)]
    async with view(influxd, tmp_path, lines_per_request=500) as mine:
        writing = asyncio.create_task(mine.write(batches))
        await asyncio.to_thread(servers.wait_until, lambda: mine.lines >= 3000, "3000 lines")
        await asyncio.to_thread(influxd.kill)
        await asyncio.to_thread(influxd.start)
        await writing
    assert count(influxd.port) == 20_000


@pytest.mark.usefixtures("quick")
async def test_a_missing_database_is_said_and_waited_for(influxd: Server, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{influxd.port}"
    async with view_of(url, tmp_path, database="other") as mine:
        writing = asyncio.create_task(mine.write([raw(1)]))
        trouble = await until_in_trouble(writing, mine)
        assert "404" in trouble
        assert "no such database" in trouble
        ask(influxd.port, "create database other")
        await writing
    assert ask(influxd.port, 'select count("voltage") from "pot"', "other")[0][1] == 4


@pytest.mark.usefixtures("quick")
async def test_a_wrong_password_is_said_and_a_right_one_works(tmp_path: Path) -> None:
    server = servers.influxd(tmp_path, "  auth-enabled = true").start()
    (tmp_path / "right").write_text("secret of a test\n")
    (tmp_path / "wrong").write_text("another\n")
    for each in ("right", "wrong"):
        (tmp_path / each).chmod(0o600)
    try:
        ask(server.port, "create user boss with password 'secret of a test' with all privileges")
        url = f"http://127.0.0.1:{server.port}"
        more: dict[str, Any] = {"username": "boss", "password_file": tmp_path / "wrong"}
        async with view_of(url, tmp_path / "a", **more) as mine:
            writing = asyncio.create_task(mine.write([raw(1)]))
            assert "password or token is wrong" in await until_in_trouble(writing, mine)
            writing.cancel()
        more["password_file"] = tmp_path / "right"
        async with view_of(url, tmp_path / "b", **more) as mine:
            writing = asyncio.create_task(mine.write([raw(1)]))
            assert "no such database" in await until_in_trouble(writing, mine)
            writing.cancel()
    finally:
        server.end()


def v2(url: str, folder: Path, **more: Any) -> influx.InfluxView:
    folder.mkdir(exist_ok=True)
    (folder / "token").write_text(f"{TOKEN}\n")
    (folder / "token").chmod(0o600)
    config = {"api": "v2", "url": url, "bucket": "plant", "org": "works"}
    config |= {"token_file": folder / "token"} | more
    return influx.InfluxView(InfluxConfig.model_validate(config), folder)


async def test_v2_write_requests_over_a_1x_engine(influxd: Server, tmp_path: Path) -> None:
    ask(influxd.port, "create database plant")
    bad = f"pot,plant=demo,line=line1,unit=pot001 voltage=nonsense {T0_NS}"
    with v2_proxy(influxd.port) as url:
        async with v2(url, tmp_path) as mine:
            await mine.write([raw(1), batch(RAW, 2, [*pots(2), bad, *pots(3)])])
            (dead,) = mine.dead_letters.all()
    assert dead.line == bad
    assert dead.reason.startswith("400 ")
    found = ask(influxd.port, 'select "voltage" from "pot" where "unit" = \'pot003\'')
    assert [value for _, value in found] == [4 + 3 / 64 + n / 1024 for n in (1, 2, 3)]


@pytest.mark.usefixtures("quick")
async def test_v2_wrong_token_and_dead_server_over_a_1x_engine(
    influxd: Server, tmp_path: Path
) -> None:
    ask(influxd.port, "create database plant")
    with v2_proxy(influxd.port) as url:
        async with v2(url, tmp_path) as mine:
            await mine.write([raw(1)])
        (tmp_path / "bad").write_text("wrong")
        (tmp_path / "bad").chmod(0o600)
        async with v2(url, tmp_path, token_file=tmp_path / "bad") as mine:
            writing = asyncio.create_task(mine.write([raw(2)]))
            assert "401" in await until_in_trouble(writing, mine)
            writing.cancel()
    async with v2(f"http://127.0.0.1:{servers.free_port()}", tmp_path) as mine:
        writing = asyncio.create_task(mine.write([raw(2)]))
        assert "refused" in await until_in_trouble(writing, mine)
        writing.cancel()
    assert count(influxd.port) == 4


@pytest.mark.parametrize(
    ("table", "word"),
    [
        ({"api": "v1", "url": "http://x:8086"}, "database"),
        ({"api": "v2", "url": "http://x:8086", "bucket": "b"}, "token_file"),
        ({"api": "v1", "url": "x:8086", "database": "d"}, "url"),
        ({"api": "v1", "url": "http://x", "database": "d", "bucket": "b"}, "belong"),
        ({"api": "v1", "url": "http://x", "database": "d", "username": "u"}, "together"),
        ({"api": "v1", "url": "http://x", "database": "d", "tokens": "u"}, "tokens"),
    ],
)
def test_a_wrong_table_is_refused(table: dict[str, str], word: str) -> None:
    with pytest.raises(ValidationError, match=word):
        InfluxConfig.model_validate(table)
