"""/latest: newest values from batches that are held, bounded, with reasons; nothing old as new."""

import asyncio
import json
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from agent.health import serve
from agent.live import happenings, newest, ring
from agent.live.latest import Latest
from agent.views import Source
from tests import servers
from tests.agent.batches import batch
from tests.agent.ends import RawGateway, broker_at, historian_end, until

SECOND_NS = 1_000_000_000
RAW = Source("demo", "gw1", "raw", "3f9a3f9a3f9a3f9a")
RECORD = Source("demo", "gw1", "record", "77aa77aa77aa77aa")


def empty() -> Latest:
    return Latest(dict, list)


def put(latest: Latest, source: Source, seq: int, lines: Sequence[str], ago_s: float = 0) -> None:
    stored = batch(source, seq, lines, time.time_ns() - int(ago_s * SECOND_NS))
    latest.stored(source, stored.batch)


async def said(latest: Latest, after: int = 0, plant: str = "demo") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(await latest.answer(f"after={after}&plant={plant}"))
    return found


def frame(ns: int, *, points: int = 2, bad: int = 0, reason: str = "", interval: int = 1) -> str:
    why = f',reason="{reason}"' if reason else ""
    head = f"frame,plant=demo,gateway=gw1,device=plc,interval={interval}"
    return f"{head} points={points}i,bad={bad}i,lag_ms=2.5{why} {ns}"


def pot(ns: int, fields: str, unit: str = "pot001") -> str:
    return f"pot,plant=demo,line=line1,unit={unit} {fields} {ns}"


async def test_the_newest_of_each_point_and_only_what_changed_since_a_cursor() -> None:
    latest, now = empty(), time.time_ns()
    put(latest, RAW, 1, [frame(now), pot(now, "voltage=4.01,noise_hf=8")])
    first = await said(latest)
    assert first["whole"] is True
    assert first["points"]["line1/pot001"]["pot.voltage"] == [now // 1_000_000, 4.01, "", 63]
    assert set(first["points"]["line1/pot001"]) == {"pot.voltage", "pot.noise_hf"}

    later = now + SECOND_NS
    put(latest, RAW, 2, [frame(later), pot(later, "voltage=4.02")])
    second = await said(latest, first["cursor"])
    assert second["whole"] is False
    assert second["points"] == {"line1/pot001": {"pot.voltage": [later // 1_000_000, 4.02, "", 63]}}
    nothing = await said(latest, second["cursor"])
    assert nothing["points"] == nothing["windows"] == {}
    assert nothing["cursor"] >= second["cursor"]

    # a batch that came late is no newer for that
    put(latest, RAW, 3, [frame(now - SECOND_NS), pot(now - SECOND_NS, "voltage=3.9")])
    assert (await said(latest, nothing["cursor"]))["points"] == {}


async def test_a_cursor_of_another_life_gets_everything() -> None:
    latest, now = empty(), time.time_ns()
    put(latest, RAW, 1, [frame(now), pot(now, "voltage=4.01")])
    first = await said(latest)
    for foreign in (1, first["life"] - 1, first["cursor"] + 10**9):
        again = await said(latest, foreign)
        assert again["whole"] is True
        assert again["points"] == first["points"]
    for wrong in ("x", "-1", "1e3", "9" * 30, "1;2"):
        status, body = await latest.respond(f"after={wrong}&plant=demo")
        assert status.startswith("400")
        assert "cursor" in json.loads(body)["problem"]


async def test_what_is_not_good_carries_its_reason() -> None:
    latest, now = empty(), time.time_ns()
    lines = [
        frame(now, points=3, bad=2),
        pot(now, 'voltage=4.01,noise_hf=8,noise_hf_q="stuck",swing_q="not_available"'),
    ]
    put(latest, RAW, 1, lines)
    at_ms = now // 1_000_000
    points = (await said(latest))["points"]["line1/pot001"]
    assert points["pot.voltage"] == [at_ms, 4.01, "", 63]
    assert points["pot.noise_hf"] == [at_ms, 8.0, "stuck", 63]
    assert points["pot.swing"] == [at_ms, None, "not_available", 63]

    # a frame that failed as a whole has no lines: its reason is that of its points
    later = now + SECOND_NS
    put(latest, RAW, 2, [frame(later, points=3, bad=3, reason="timeout after 0.5 s")])
    answer = await said(latest)
    points = answer["points"]["line1/pot001"]
    late_ms = later // 1_000_000
    assert points["pot.voltage"] == [late_ms, None, "timeout after 0.5 s", 63]
    (device,) = answer["gateways"][0]["devices"] if answer["gateways"] else (None,)
    assert device is None or device["up"] is False


async def test_a_device_of_which_nothing_is_heard_is_silent_until_it_is_heard_again() -> None:
    latest, now = empty(), time.time_ns()
    old = now - 30 * SECOND_NS  # more than three intervals and the way
    put(latest, RAW, 1, [frame(old), pot(old, "voltage=4.01")], ago_s=30)
    row = (await said(latest))["points"]["line1/pot001"]["pot.voltage"]
    assert row[1:3] == [4.01, newest.SILENT]
    put(latest, RAW, 2, [frame(now), pot(now, "noise_hf=8")])  # within a deadband: no voltage
    row = (await said(latest))["points"]["line1/pot001"]["pot.voltage"]
    assert row[:3] == [old // 1_000_000, 4.01, ""]


async def test_windows_say_start_share_samples_and_extremes() -> None:
    latest = empty()
    start = (time.time_ns() // (60 * SECOND_NS) - 1) * 60 * SECOND_NS
    so2 = "stack_1m,plant=demo,line=gtc1,unit=stack1"
    hourly = "so2_hour=24.5,so2_hour_min=20,so2_hour_max=30,so2_hour_n=44i,so2_hour_good=0.75"
    hourly += ',so2_hour_q="calibration"'
    meter = "meter_1m,plant=demo,line=line1,unit=ac1"
    hour = "cems_1h,plant=demo,line=gtc1,unit=stack1"
    lines = [
        f"{so2} {hourly} {start}",
        f'{so2} o2_dry_n=0i,o2_dry_good=0,o2_dry_q="no_data" {start}',
        f"{hour} so2=23,so2_n=1i {start}",
        f"{meter} energy_import_inc=320,energy_import_n=60i {start}",
    ]
    put(latest, RECORD, 1, lines)
    windows = (await said(latest))["windows"]
    at_ms = start // 1_000_000
    assert windows["gtc1/stack1"]["stack.so2_hour"] == [
        *(at_ms, 24.5, 0.75, "calibration", 60),
        *(44, 20.0, 30.0),
    ]
    assert windows["gtc1/stack1"]["stack.o2_dry"][:5] == [at_ms, None, 0.0, "no_data", 60]
    assert windows["gtc1/stack1"]["cems.so2@3600"][1] == 23.0
    assert windows["line1/ac1"]["meter.energy_import"][1] == 320.0  # an increment has no mean


async def test_events_last_until_their_end_and_the_later_word_counts() -> None:
    latest, now = empty(), time.time_ns()
    head = "event,plant=demo,gateway=gw1,kind={},line=line1,unit=pot001"
    effect = head.format("anode_effect")
    put(latest, RECORD, 1, [f'{effect} id="a",text="AE" {now}'])
    put(latest, RECORD, 2, [f'{head.format("rollover")} id="r",text="over" {now}'])
    first = await said(latest)
    by_id = {each["id"]: each for each in first["events"]}
    assert by_id["a"]["end_ms"] is None
    assert by_id["r"]["end_ms"] == now // 1_000_000  # a moment: nothing waits for its end

    put(latest, RECORD, 5, [f'{effect} id="a",text="AE",end={now + SECOND_NS}i,amount=1 {now}'])
    # the backlog tells its beginning again, hours later: it is over all the same
    put(latest, RECORD, 4, [f'{effect} id="a",text="AE" {now}'], ago_s=7200)
    (after,) = (await said(latest, first["cursor"]))["events"]
    assert (after["id"], after["end_ms"], after["amount"]) == (
        *("a", (now + SECOND_NS) // 1_000_000),
        1.0,
    )


async def test_events_of_a_backlog_are_heard_though_its_values_are_old() -> None:
    latest = empty()
    then = time.time_ns() - 3 * 3600 * SECOND_NS
    event = f'event,plant=demo,gateway=gw1,kind=device_lost id="d",text="plc: timeout" {then}'
    window = f"pot_1m,plant=demo,line=line1,unit=pot001 voltage=4,voltage_n=60i {then}"
    put(latest, RECORD, 1, [event, window], ago_s=3 * 3600)
    answer = await said(latest)
    assert [each["id"] for each in answer["events"]] == ["d"]
    assert answer["windows"] == {}


async def test_nothing_grows_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newest, "MOST_VALUES", 50)
    monkeypatch.setattr(happenings, "MOST_OPEN", 10)
    monkeypatch.setattr(happenings, "MOST_OVER", 10)
    monkeypatch.setattr(ring, "MOST_BYTES", 40_000)
    latest, now = empty(), time.time_ns()
    for seq in range(1, 41):
        lines = [frame(now)]
        lines += [pot(now, "voltage=4", f"pot{seq:03d}x{n}") for n in range(20)]
        put(latest, RAW, seq, lines)
        kind = "event,plant=demo,gateway=gw1,kind=device_lost"
        put(latest, RECORD, seq, [f'{kind} id="{seq}-{n}",text="t" {now}' for n in range(5)])
    assert latest.ring.bytes <= 3 * 40_000
    assert latest.ring.gone > 0
    answer = await said(latest)
    assert sum(len(each) for each in answer["points"].values()) == 50
    assert answer["left_out"] > 0
    assert len(answer["events"]) <= 20


async def test_numbers_and_times_that_are_none_do_no_harm() -> None:
    latest, now = empty(), time.time_ns()
    put(
        latest,
        *(RAW, 1),
        [
            frame(now),
            pot(now, "voltage=1e999"),  # no number: the line is not understood
            pot(now, "noise_hf=-1e305"),
            pot(now + 10**15, "voltage=4", "future"),
            pot(1, "voltage=4", "ancient"),
            frame(now).replace("lag_ms=2.5", "lag_ms=1e999"),
            "nonsense",
            f"pot,plant=other,line=line1,unit=pot001 voltage=4 {now}",
        ],
    )
    status, body = await latest.respond("after=0&plant=demo")
    answer = json.loads(body)
    assert status == "200 OK"
    assert list(answer["points"]) == ["line1/pot001"]
    assert set(answer["points"]["line1/pot001"]) == {"pot.noise_hf"}
    assert answer["points"]["line1/pot001"]["pot.noise_hf"][1:3] == [None, newest.NOT_FINITE]


async def test_plants_are_kept_apart() -> None:
    latest, now = empty(), time.time_ns()
    other = Source("north", "gw1", "raw", "3f9a3f9a3f9a3f9a")
    put(latest, RAW, 1, [frame(now), pot(now, "voltage=4.01")])
    put(latest, other, 1, [pot(now, "voltage=5").replace("plant=demo", "plant=north")])
    assert (await said(latest))["points"]["line1/pot001"]["pot.voltage"][1] == 4.01
    north = await said(latest, plant="north")
    assert north["points"]["line1/pot001"]["pot.voltage"][1] == 5.0
    status, body = await latest.respond("after=0")
    assert status.startswith("400")
    assert "demo, north" in json.loads(body)["problem"]


async def test_only_what_is_held_is_shown(tmp_path: Path, mosquitto: servers.Server) -> None:
    """A batch that is asked for again, or is not the sender's, changes nothing."""
    import aiomqtt

    async with historian_end(tmp_path, broker_at(mosquitto.port)) as (originals, receiver):
        latest = Latest(lambda: originals.logs, list)
        receiver.on_stored = latest.stored
        receiver.on_state = lambda sender, payload: latest.gateways.state(
            sender.plant, sender.gateway, payload, time.time_ns()
        )
        async with aiomqtt.Client("127.0.0.1", mosquitto.port) as client:
            gateway = RawGateway(client, "raw")
            now = time.time_ns()

            async def send(seq: int, value: float, gateway_name: str = "gw1") -> None:
                source = Source("demo", gateway_name, "raw", gateway.log)
                lines = [frame(now), pot(now + seq, f"voltage={value}")]
                payload = batch(source, seq, lines, now).payload
                await client.publish("smelter/v1/demo/gw1/raw", payload, qos=1)

            state = {"raw": {"log": gateway.log, "oldest": 1, "newest": 3}}
            text = json.dumps({"online": True, "logs": state})
            await client.publish("smelter/v1/demo/gw1/state", text, qos=1, retain=True)
            await send(7, 9.0)  # six are missing before it: asked for, not taken
            await send(1, 8.0, "gw2")  # on the topic of another
            await until(lambda: receiver.counts.refused == 1, "the refusal")
            assert (await said(latest))["points"] == {}
            await send(1, 4.0)
            await until(lambda: receiver.counts.stored == 1, "the batch")
            answer = await said(latest)
            assert answer["points"]["line1/pot001"]["pot.voltage"][1] == 4.0
            (gw1,) = answer["gateways"]
            assert (gw1["name"], gw1["online"]) == ("gw1", True)
            assert gw1["streams"]["raw"]["upto"] == 1
            assert gw1["streams"]["raw"]["waiting"] == 2
            assert gw1["devices"][0]["up"] is True
            await client.publish(
                "smelter/v1/demo/gw1/state", '{"online":false}', qos=1, retain=True
            )
            await asyncio.sleep(0)

        async def offline() -> bool:
            return (await said(latest))["gateways"][0]["online"] is False

        for _ in range(600):
            if await offline():
                break
            await asyncio.sleep(0.05)
        assert await offline()
        # a new life begins with what is on the disk, without waiting for the next batch
        fresh = await said(Latest(lambda: originals.logs, list))
        assert fresh["points"]["line1/pot001"]["pot.voltage"][1] == 4.0


@pytest.mark.parametrize(
    ("host", "code"), [("", 200), ("evil.example", 403), ("evil.example:80", 403)]
)
async def test_served_on_the_health_listener_to_this_machine_only(host: str, code: int) -> None:
    latest, now = empty(), time.time_ns()
    put(latest, RAW, 1, [frame(now), pot(now, "voltage=4.01")])
    async with serve("127.0.0.1:0", lambda: "", lambda: (True, "ok"), latest.respond) as port:

        def get() -> tuple[int, bytes]:
            headers = {"Host": host} if host else {}
            where = f"http://127.0.0.1:{port}/latest?after=0"
            try:
                with urllib.request.urlopen(urllib.request.Request(where, headers=headers)) as got:
                    return got.status, got.read()
            except urllib.error.HTTPError as error:
                return error.code, error.read()

        status, body = await asyncio.to_thread(get)
    assert status == code
    assert (b"pot.voltage" in body) is (code == 200)
