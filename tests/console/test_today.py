"""The page Today: the line in words, completeness counted by hand, and every card over the wire."""

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from drivers.language import speaking
from reports import periods
from reports.console.figures import completeness, drafts, today
from reports.console.figures.happened import NAMES, event_name
from reports.console.live import Snapshot
from reports.console.office import Office
from reports.console.pages.today_line import Line, picture
from reports.periods import PLANT_TIME
from tests import servers
from tests.console.conftest import plant_folder
from tests.console.historian_end import RECORD, HistorianEnd
from tests.console.served import Served, people, serve
from tests.reports.conftest import Built

PIECES = ("line", "potlines", "heat", "carbon", "duties", "events", "waiting", "completeness")

# the line in words


def device(name: str, **more: object) -> dict[str, Any]:
    known: dict[str, Any] = {
        "name": name,
        "up": True,
        "points": 20,
        "bad": 0,
        "reason": "",
        "lag_ms": 3.0,
        "since_ms": 1_790_000_000_000,
        "last_ms": 1_790_000_000_000,
    }
    return known | more


def gateway(**more: object) -> dict[str, Any]:
    now_ms = int(time.time() * 1000)
    stream = {"newest": 9, "upto": 9, "closed_ms": now_ms, "lag_s": 1.0, "waiting": 0}
    known: dict[str, Any] = {
        "name": "gw1",
        "online": True,
        "since_ms": now_ms,
        "streams": {"record": dict(stream), "raw": dict(stream)},
        "devices": [device("plc1"), device("plc2")],
    }
    return known | more


def view(**more: object) -> dict[str, Any]:
    known: dict[str, Any] = {"name": "lake", "behind": 0, "lag_s": None, "trouble": ""}
    return known | more


def line(*gateways: dict[str, Any], views: tuple[dict[str, Any], ...] = ()) -> Line:
    known = Snapshot(reachable=True, since_s=time.time(), gateways=list(gateways))
    known.views, known.broker_up = list(views or (view(),)), True
    return picture(known, "")


@pytest.mark.parametrize(("lang", "word"), [("zh", "全线正常"), ("en", "all is well")])
def test_all_is_well(lang: str, word: str) -> None:
    with speaking(lang):
        found = line(gateway())
    assert (found.state, found.word, found.troubles) == ("good", word, [])
    assert found.ways[0].well == 2


# What differs from a gateway that is well; its times are of the test, not of the collection.
WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"online": False}, "bad", "gw1: offline, since "),
    (
        {"devices": [device("plc1", up=False, reason="timeout after 0.5 s")]},
        "bad",
        "plc1: no answer, since 2026-09-21 22:13, timeout after 0.5 s",
    ),
    ({"devices": [device("plc1", bad=3)]}, "warn", "plc1: 3 of 20 points are not good"),
]


@pytest.mark.parametrize(("wrong", "state", "trouble"), WRONG)
def test_what_is_wrong_is_said_with_since_when(
    wrong: dict[str, Any], state: str, trouble: str
) -> None:
    with speaking("en"):
        found = line(gateway(**wrong))
    assert found.state == state
    assert found.word == "1 in trouble"
    (told,) = found.troubles
    assert told.startswith(trouble)


def test_a_backlog_a_gateway_that_stands_still_and_a_store_that_fails() -> None:
    behind = gateway()
    behind["streams"]["raw"]["waiting"] = 500
    with speaking("en"):
        assert line(behind).troubles == ["gw1: catching up, 500 batches wait to be sent"]
        still = gateway()
        for stream in still["streams"].values():
            stream["closed_ms"] -= 600_000
        (told,) = line(still).troubles
        assert told.startswith("gw1: nothing new comes, last data 20")
        failing = line(gateway(), views=(view(trouble="disk full", behind=70),))
        assert failing.troubles == [
            "data lake: cannot be written, trying again, disk full, 70 batches behind"
        ]
        assert failing.state == "bad"


def test_an_import_that_is_over_is_no_trouble_and_no_gateway() -> None:
    imported = gateway(name="import", online=False, devices=[])
    del imported["streams"]["raw"]
    with speaking("en"):
        assert line(gateway(), imported).state == "good"
        alone = line(imported)
    assert (alone.state, alone.word) == ("unknown", "no gateway has sent anything yet")


def test_without_the_historian_nothing_is_said_to_be_well() -> None:
    known = Snapshot(reachable=False, since_s=1_790_000_000.0, gateways=[gateway()])
    with speaking("en"):
        found = picture(known, "the historian has not answered since …")
    assert found.state == "bad"
    assert {found.broker.state, *(way.gateway.state for way in found.ways)} == {"unknown"}
    assert found.historian.facts == ("since 2026-09-21 22:13",)


def test_every_kind_of_event_has_words() -> None:
    from agent.wire.events import Happening

    assert set(NAMES) == {kind.value for kind in Happening}
    with speaking("zh"):
        assert event_name("anode_effect") == "阳极效应"
        assert event_name("of a later version") == "of a later version"


# completeness by hand

NOW = datetime(2026, 11, 12, 6, 5, tzinfo=PLANT_TIME)  # 6 h of the day have settled


def write_day(lake: Path, day: date, minutes: dict[tuple[str, str], int], good: float = 1) -> None:
    """So many minutes of each point from midnight on."""
    start = datetime(day.year, day.month, day.day, tzinfo=PLANT_TIME).astimezone(UTC)
    rows = [
        {
            "ts": start + timedelta(minutes=n),
            "period_s": 60,
            "equipment": equipment,
            "quantity": quantity,
            "mean": 4.0,
            "min": 4.0,
            "max": 4.0,
            "last": 4.0,
            "inc": None,
            "n": 60,
            "good": good,
            "q": None,
            "raw": None,
            "gateway": "gw1",
            "log": "3f9a",
            "seq": 1,
        }
        for (equipment, quantity), count in minutes.items()
        for n in range(count)
    ]
    kinds = {"ts": pa.timestamp("us", "UTC"), "period_s": pa.int32(), "n": pa.int32()}
    floats = dict.fromkeys(("mean", "min", "max", "last", "inc", "good"), pa.float64())
    kinds |= floats | {"seq": pa.int64()}
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in rows[0]])
    folder = lake / "windows" / "plant=demo" / f"day={day}"
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema), folder / "a.parquet")


@pytest.fixture
def counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, console_plant: Built) -> Office:
    monkeypatch.setattr(periods, "wall_clock", lambda: NOW)
    site_file = plant_folder(tmp_path / "plant", console_plant.root)
    text = site_file.read_text("utf-8")
    site_file.write_text(text.replace(f"{console_plant.root}/lake", "lake"), "utf-8")
    lake = site_file.parent / "lake"
    one, two, meter = (
        ("line1/pot001", "pot.voltage"),
        ("line1/pot002", "pot.voltage"),
        ("line1/ac1", "meter.energy_import"),
    )
    write_day(lake, date(2026, 11, 10), {one: 1440, two: 1440, meter: 1440})
    write_day(lake, date(2026, 11, 11), {one: 1440, two: 720, meter: 1440})
    write_day(
        lake, date(2026, 11, 12), {one: 360, two: 360, meter: 180, ("gw1/agent", "agent.x"): 9}
    )
    return Office(site_file)


def test_completeness_is_time_good_over_time_due(counted: Office) -> None:
    """
    Pots: two points. Yesterday 1440 + 720 of 2880 minutes = 0.75; today 720 of 720 = 1.

    The lake begins on the 10th, so the month is two days and six hours: 2 × (2 × 1440 + 360) =
    6,480 minutes due, of which 2880 + 2160 + 720 = 5,760 were there. The meter: today 180 of 360.
    """
    with speaking("en"):
        found = completeness.completeness(counted)
    pots, meter = ({g["kind"]: g for g in found["groups"]}[k] for k in ("pot", "meter"))
    assert (pots["points"], pots["machines"], pots["name"]) == (2, 2, "line1 pots")
    assert (pots["yesterday"], pots["today"]) == (0.75, 1.0)
    assert pots["month"] == pytest.approx(5760 / 6480)
    assert (meter["yesterday"], meter["today"]) == (1.0, 0.5)
    # together: 1440 + 720 + 1440 of 3 × 1440
    assert found["whole"]["yesterday"] == pytest.approx(3600 / 4320)
    assert {group["kind"] for group in found["groups"]} == {"pot", "meter"}  # not our own figures


def test_a_day_without_any_window_counts_as_lost_and_one_before_the_first_does_not(
    counted: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(periods, "wall_clock", lambda: NOW + timedelta(days=2))
    later = completeness.completeness(counted)
    assert later["whole"]["yesterday"] == 0.0  # the 13th: nothing came
    monkeypatch.setattr(periods, "wall_clock", lambda: NOW - timedelta(days=2))
    first = completeness.completeness(counted)
    assert first["whole"]["yesterday"] is None  # the 9th: nothing was due
    assert first["whole"]["today"] == 1.0


def test_a_day_is_counted_again_when_something_came_late(counted: Office) -> None:
    first = completeness.completeness(counted)
    assert (counted.data / "completeness" / "2026-11-11.json").exists()
    assert completeness.completeness(counted) == first
    assert counted.site.lake is not None
    points = {(f"line1/pot00{n}", "pot.voltage"): 1440 for n in (1, 2)}
    write_day(counted.site.lake, date(2026, 11, 11), points)
    (pots,) = (g for g in completeness.completeness(counted)["groups"] if g["kind"] == "pot")
    assert pots["yesterday"] == 1.0


def test_half_good_minutes_count_half(counted: Office) -> None:
    assert counted.site.lake is not None
    write_day(counted.site.lake, date(2026, 11, 11), {("line1/pot001", "pot.voltage"): 1440}, 0.5)
    (pots,) = (g for g in completeness.completeness(counted)["groups"] if g["kind"] == "pot")
    assert pots["yesterday"] == 0.25  # 720 of 2 × 1440: the second pot is still due


# drafts, duties, what waits


@pytest.fixture
def october(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, console_plant: Built) -> Office:
    """On 12 November; October was entered, but not all that is needed."""
    monkeypatch.setattr(periods, "wall_clock", lambda: NOW)
    return Office(plant_folder(tmp_path / "plant", console_plant.root))


def test_the_periods_of_today_and_of_new_year(
    october: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert today.running(october)["last_month"] == "2026-10"
    monkeypatch.setattr(
        periods, "wall_clock", lambda: datetime(2027, 1, 1, 0, 5, tzinfo=PLANT_TIME)
    )
    assert today.running(october) == {
        "today": "2027-01-01",
        "yesterday": "2026-12-31",
        "month": "2027-01",
        "last_month": "2026-12",
        "year": "2027",
    }


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_what_waits_is_each_reason_once(october: Office, lang: str) -> None:
    with speaking(lang):
        before = today.waiting(october, "2026-10", "2026-11")
        assert before["known"] is False
        assert before["missing"] == []
        drafts.make(october, "carbon-monthly", "2026-10")
        after = today.waiting(october, "2026-10", "2026-11")
        shown = today.carbon(october, "2026-10", "2026")
    content = drafts.content(october, "carbon-monthly", "2026-10")
    assert content is not None
    assert after["known"] is True
    assert bool(after["missing"]) is bool(content["missing"])
    texts = [each["text"] for each in after["missing"]]
    assert len(texts) == len(set(texts))
    figure = shown["month"]["aluminium"]
    assert figure["id"] == "plant.aluminium"
    assert figure["period"] == "2026-10"
    assert shown["year"]["emission"]["value"] is None  # no such draft: nothing is made up


def test_duties_say_the_days_left_and_where_to_go(october: Office) -> None:
    with speaking("zh"):
        found = today.duties_left(october)
    assert str(found["on"]) == "2026-11-12"
    lodge = next(x for x in found["rows"] if x["id"] == "lodge" and x["period"] == "2026-10")
    assert lodge["left"] == (lodge["due"] - found["on"]).days
    assert lodge["mend"] == "/carbon/2026-10"
    assert sum(found["counts"].values()) >= len(found["rows"])


# over the wire


@pytest.fixture(scope="module")
def plant(
    console_plant: Built, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Served, HistorianEnd]]:
    with HistorianEnd() as historian:
        site_file = plant_folder(tmp_path_factory.mktemp("today"), console_plant.root)
        text = site_file.read_text("utf-8")
        site_file.write_text(f'{text}\n[console]\nhistorian = "{historian.address}"\n', "utf-8")
        people(site_file)
        served = serve(site_file)
        yield served, historian
        served.end()


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_card_comes(plant: tuple[Served, HistorianEnd], lang: str) -> None:
    served, historian = plant
    historian.state(online=True)
    historian.pot(4.0)
    client = served.client("viewer", lang)
    whole = client.get("/")
    assert whole.status_code == 200
    for piece in PIECES:
        assert f'hx-get="/today/{piece}"' in whole.text
        answer = client.get(f"/today/{piece}", headers={"HX-Request": "true"})
        assert answer.status_code == 200, answer.text
        assert "<section" in answer.text
        assert " style=" not in answer.text
        assert "<script" not in answer.text


def test_the_picture_follows_the_gateway(plant: tuple[Served, HistorianEnd]) -> None:
    served, historian = plant
    client = served.client("viewer", "en")

    def state() -> dict[str, Any]:
        return dict(client.get("/api/v1/today/line").json())

    historian.state(online=True)
    historian.pot(4.0)
    historian.put([], RECORD)
    servers.wait_until(lambda: state()["state"] == "good", "the line to be well", 240, 0.1)
    assert state()["gateways"][0]["well"] == 1
    historian.state(online=False)
    servers.wait_until(lambda: state()["state"] == "bad", "the gateway to be offline", 240, 0.1)
    assert any(each.startswith("gw1: offline") for each in state()["troubles"])


def test_open_events_are_shown_until_they_end(plant: tuple[Served, HistorianEnd]) -> None:
    served, historian = plant
    client = served.client("viewer", "zh")
    head = "event,plant=demo,gateway=gw1,kind=anode_effect,line=line1,unit=pot007"
    at_ns = time.time_ns()

    def kinds() -> list[str]:
        rows = client.get("/api/v1/today/events").json()
        return [each["name"] for each in rows if each["equipment"] == "line1/pot007"]

    historian.put([f'{head} id="ae-7",text="AE" {at_ns}'], RECORD)
    servers.wait_until(lambda: kinds() == ["阳极效应"], "the event", 240, 0.1)
    assert "line1/pot007" in client.get("/today/events").text
    historian.put([f'{head} id="ae-7",text="AE",end={at_ns + 10**9}i {at_ns}'], RECORD)
    servers.wait_until(lambda: kinds() == [], "its end", 240, 0.1)


def test_the_interface_answers_and_asks_who_it_is(plant: tuple[Served, HistorianEnd]) -> None:
    served, _ = plant
    names = ("line", "duties", "events", "completeness", "carbon", "energy", "waiting")
    client = served.client("viewer")
    for name in names:
        answer = client.get(f"/api/v1/today/{name}")
        assert answer.status_code == 200, f"{name}: {answer.text}"
        nobody = httpx.get(f"{served.url}/api/v1/today/{name}", trust_env=False)
        assert nobody.status_code == 401
