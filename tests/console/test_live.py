"""Newest values in the console: one poller, streams, and a historian that is absent."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from reports.console.live import EVERY_S, Live, asked_for
from tests import servers
from tests.console.conftest import plant_folder
from tests.console.historian_end import RECORD, HistorianEnd
from tests.console.served import Served, people, serve
from tests.reports.conftest import Built

SECOND_NS = 1_000_000_000


async def until(ready: Callable[[], bool], what: str) -> None:
    async with asyncio.timeout(240):
        while not ready():  # noqa: ASYNC110 - watches a poller that has no event for it
            await asyncio.sleep(0.02)
    assert ready(), what


async def test_values_come_with_their_age_and_stale_ones_say_so() -> None:
    with HistorianEnd() as historian:
        historian.pot(4.015)
        async with Live(historian.address, "demo").open() as live:
            known = await live.ready(240)
            assert known.reachable
            assert live.trouble() == ""
            found = live.value("line1/pot001", "pot.voltage")
            assert (found.value, found.reason, found.fresh) == (4.015, "", True)
            assert live.value("line1/pot001", "pot.noise_hf").value is None
            assert live.value("line1/pot001", "pot.noise_hf").stale

            # three intervals and the way are over: it is stale, though the historian answers
            known.values["line1/pot001 pot.voltage"].at_ms -= 64_000
            old = live.value("line1/pot001", "pot.voltage")
            assert old.value == 4.015
            assert old.stale
            assert old.age_s is not None
            assert old.age_s >= 64


async def test_parts_of_a_window_are_named_as_on_the_wire() -> None:
    start = (time.time_ns() // (60 * SECOND_NS) - 1) * 60 * SECOND_NS
    line = (
        "stack_1m,plant=demo,line=gtc1,unit=stack1 so2_hour=24.5,so2_hour_n=44i,"
        f"so2_hour_min=20,so2_hour_max=30 {start}"
    )
    with HistorianEnd() as historian:
        historian.put([line], RECORD)
        async with Live(historian.address, "demo").open() as live:
            await live.ready(240)
            values = {
                name: live.window("gtc1/stack1", f"stack.so2_hour{name}").value
                for name in ("", "_n", "_min", "_max", "_forecast")
            }
    assert values == {"": 24.5, "_n": 44, "_min": 20, "_max": 30, "_forecast": None}


async def test_an_absent_historian_leaves_nothing_that_passes_for_live() -> None:
    with HistorianEnd() as historian:
        port = historian.port
        historian.pot(4.0)
        live = Live(historian.address, "demo")
        stack = live.open()
        await stack.__aenter__()
        await live.ready(240)
        assert live.value("line1/pot001", "pot.voltage").fresh
    try:
        await until(lambda: not live.now().reachable, "the loss")
        gone = live.value("line1/pot001", "pot.voltage")
        assert gone.value == 4.0  # the last known, and said to be old
        assert gone.stale
        assert not gone.fresh
        assert "自 20" in live.trouble() or "since 20" in live.trouble()
        # another life of it: everything anew, nothing of the old one is kept
        with HistorianEnd(port) as again:
            again.pot(4.2)
            await until(
                lambda: live.value("line1/pot001", "pot.voltage").value == 4.2, "the return"
            )
            assert live.now().reachable
            assert live.trouble() == ""
    finally:
        await stack.__aexit__(None, None, None)


async def test_nobody_looks_nobody_asks() -> None:
    with HistorianEnd() as historian:
        async with Live(historian.address, "demo").open() as live:
            await asyncio.sleep(3 * EVERY_S)
            assert historian.asked == 0
            live.now()
            await until(lambda: historian.asked > 0, "a question")


async def test_without_a_historian_it_is_said_where_to_write_one() -> None:
    async with Live("", "demo").open() as live:
        known = await live.ready(0.1)
        assert not known.reachable
        assert "[console]" in live.trouble()


def test_what_is_asked_for_begins_so() -> None:
    assert asked_for("line1/pot001 pot.voltage", ("line1/",))
    assert asked_for("gtc1/stack1 stack.so2_hour", ("line1/", "stack."))
    assert not asked_for("gtc1/stack1 stack.so2_hour", ("line1/", "pot."))


# over the wire


@pytest.fixture(scope="module")
def fed(
    console_plant: Built, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Served, HistorianEnd]]:
    """A console that follows a historian which the test feeds."""
    with HistorianEnd() as historian:
        site_file = with_historian(tmp_path_factory.mktemp("live"), console_plant, historian)
        served = serve(site_file)
        yield served, historian
        served.end()


def with_historian(root: Path, built: Built, historian: HistorianEnd) -> Path:
    site_file = plant_folder(root, built.root)
    text = site_file.read_text("utf-8")
    site_file.write_text(f'{text}\n[console]\nhistorian = "{historian.address}"\n', "utf-8")
    people(site_file)
    return site_file


@contextmanager
def events(client: httpx.Client, of: str) -> Iterator[Iterator[tuple[str, Any]]]:
    """Events of a stream as (name, data)."""
    with client.stream("GET", f"/live?of={of}", timeout=240) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield _read(answer)


def _read(answer: httpx.Response) -> Iterator[tuple[str, Any]]:
    name = ""
    for line in answer.iter_lines():
        if line.startswith("event: "):
            name = line[7:]
        elif line.startswith("data: "):
            yield name, json.loads(line[6:])


def test_a_stream_tells_what_is_asked_for_as_it_comes(fed: tuple[Served, HistorianEnd]) -> None:
    served, historian = fed
    historian.pot(4.1)
    historian.put([f"meter,plant=demo,line=line1,unit=ac1 active_power=19000 {time.time_ns()}"])
    with events(served.client("viewer"), "line1/pot") as told:
        seen = wait_for(told, "values", "line1/pot001 pot.voltage", 4.1)
        assert not any("active_power" in key for key in seen)
        historian.pot(4.3)
        wait_for(told, "values", "line1/pot001 pot.voltage", 4.3)
        effect = "event,plant=demo,gateway=gw1,kind=anode_effect,line=line1,unit=pot001"
        historian.put([f'{effect} id="a1",text="AE" {time.time_ns()}'], RECORD)
        _, data = next(each for each in told if each[0] == "happened")
        assert [each["id"] for each in data] == ["a1"]


def wait_for(told: Iterator[tuple[str, Any]], kind: str, key: str, value: float) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    for name, data in told:
        if name == kind:
            seen |= data["points"]
            if seen.get(key, [0, None])[1] == value:
                return seen
    raise AssertionError(f"the stream ended before {key} was {value}")


def test_a_stream_ends_when_its_session_does(fed: tuple[Served, HistorianEnd]) -> None:
    served, _ = fed
    client, other = served.client("viewer", fresh=True), None
    with events(client, "line1/") as told:
        assert next(told)[0] == "state"
        other = httpx.Client(
            base_url=served.url, headers=client.headers, cookies=client.cookies, trust_env=False
        )
        assert other.post("/logout").status_code == 303
        assert any(name == "ended" for name, _ in told)
    other.close()


def test_a_stream_wants_somebody_known_and_reasonable(fed: tuple[Served, HistorianEnd]) -> None:
    served, _ = fed
    assert served.nobody().get("/live").status_code == 303
    client = served.client("viewer")
    assert client.get("/live", params={"of": ",".join(map(str, range(50)))}).status_code == 422
    assert client.get("/live", params={"of": "x" * 3000}).status_code == 422


def test_the_interface_says_values_and_their_state(fed: tuple[Served, HistorianEnd]) -> None:
    served, historian = fed
    historian.pot(4.4)
    client = served.client("viewer")

    def newest() -> dict[str, Any]:
        said: dict[str, Any] = client.get("/api/v1/live", params={"of": "line1/pot001"}).json()
        return said

    servers.wait_until(
        lambda: [x["value"] for x in newest()["values"]] == [4.4], "the value", 240, 0.1
    )
    (value,) = newest()["values"]
    assert (value["equipment"], value["quantity"]) == ("line1/pot001", "pot.voltage")
    assert value["stale"] is False
    assert newest()["reachable"] is True
    assert client.get("/api/v1/live", params={"limit": 0}).status_code == 422


async def test_a_historian_on_another_machine_says_why_nothing_is_live() -> None:
    """It tells newest values to its own machine only: another name in Host is refused the same."""
    with HistorianEnd() as historian:
        elsewhere = historian.address.replace("127.0.0.1", "127.1")
        live = Live(elsewhere, "demo")
        async with live.open():
            live.now()  # somebody looks
            await until(lambda: live.trouble() != "", "the refusal")
            assert "run the console there" in live.trouble() or "本机" in live.trouble()
