"""The potline pages: pots on a map, one pot, ranking and advice; the same for programs."""

import csv
import io
import json
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from playwright.sync_api import Browser

from drivers.language import speaking
from drivers.model import ConfigError
from reports.console.figures import potlines_advice, potlines_list, potlines_pot
from reports.console.figures.potline_times import Stretch, day_of, newest_day, stretch_of
from reports.console.figures.potlines import counted, excess_mv, heat, kept_heat, newest, weighted
from reports.console.office import Office
from reports.periods import PLANT_TIME
from reports.series.store import EventRecord
from tests.console.browser import seat
from tests.console.potroom_plant import DAY, build
from tests.console.served import Served, people, serve

AT = str(DAY)
NOON = datetime(2025, 10, 5, 12, 0, tzinfo=PLANT_TIME)


@pytest.fixture(scope="module")
def potroom(tmp_path_factory: pytest.TempPathFactory) -> Office:
    made = build(tmp_path_factory.mktemp("potroom") / "plant")
    return Office(made.site_file)


@pytest.fixture(scope="module")
def served(potroom: Office) -> Iterator[Served]:
    people(potroom.site_file)
    found = serve(potroom.site_file)
    yield found
    found.end()


def layer(told: dict[str, Any], name: str) -> list[float | None]:
    found: list[float | None] = next(x for x in told["layers"] if x["id"] == name)["values"]
    return found


@pytest.fixture(scope="module")
def viewer(served: Served) -> httpx.Client:
    return served.client("viewer")


# --- figures


def test_a_day_of_the_map_is_what_the_pots_had(potroom: Office) -> None:
    told = heat(potroom, "line1", AT)
    assert told["pots"] == ("line1/pot001", "line1/pot002", "line1/pot003", "line1/pot004")
    assert told["states"] == ["running", "running", "running", "unknown"]
    assert layer(told, "voltage") == [4.0, 4.1, 3.9, None]
    # the quarter of 3.9, 4.0, 4.1 V is 3.95 V
    assert layer(told, "excess") == [50.0, 150.0, -50.0, None]
    assert layer(told, "above_set") == [50.0, 150.0, -50.0, None]
    assert layer(told, "noise") == [10.0, 20.0, 30.0, None]
    assert layer(told, "effects") == [0.0, 1.0, 0.0, None]
    assert layer(told, "known") == [100.0, 100.0, 100.0, None]
    assert {"risk", "pseudo_resistance", "bath_temperature"}.isdisjoint(
        x["id"] for x in told["layers"]
    )  # nothing is known of them, so they are not offered


def test_a_pot_that_stands_has_no_voltage_and_says_so(potroom: Office) -> None:
    told = heat(potroom, "line1", "2025-10-07")
    assert told["states"][2] == "stopped"
    assert layer(told, "voltage")[2] is None
    with speaking("en"):
        assert "stopped" in heat(potroom, "line1", "2025-10-07")["reasons"][2]


def test_an_hour_is_read_from_minutes(potroom: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reports.periods.wall_clock", lambda: NOON)
    told = heat(potroom, "line1", "hour")
    assert (told["start"], told["end"]) == ("2025-10-05 11:00:00", "2025-10-05 12:00:00")
    assert layer(told, "voltage") == [4.0, 4.1, 3.9, None]
    assert layer(told, "excess") == [50.0, 150.0, -50.0, None]
    assert layer(told, "above_set") == [50.0, 150.0, -50.0, None]
    monkeypatch.setattr("reports.periods.wall_clock", lambda: NOON.replace(hour=11))
    assert layer(heat(potroom, "line1", "hour"), "effects")[1] == 1.0  # begun at ten


def test_a_time_without_data_shows_no_layer_and_the_newest_day(potroom: Office) -> None:
    told = heat(potroom, "line1", "2025-09-01")
    assert told["layers"] == []
    assert set(told["states"]) == {"unknown"}
    assert str(told["newest"]) == "2025-10-31"


def test_what_is_no_time_or_line_is_refused_with_what_to_write(potroom: Office) -> None:
    with speaking("en"):
        for at in ("tomorrow", "2025-13-01", "", "9999-12-31x"):
            with pytest.raises(ConfigError, match="write now, hour"):
                heat(potroom, "line1", at)
        with pytest.raises(ConfigError, match=r"site\.toml has line1"):
            heat(potroom, "line9", AT)
        with pytest.raises(ConfigError, match="write 24h, 7d"):
            potlines_pot.curves(potroom, "line1", "pot001", "1y")


def test_a_day_that_is_over_is_made_once(potroom: Office) -> None:
    made = kept_heat(potroom, "line1", AT)
    [path] = potroom.drafts.glob(f"map-line1-{AT}-*.json")
    told = json.loads(path.read_bytes())
    told["name"] = "as kept"
    path.write_text(json.dumps(told), "utf-8")
    assert kept_heat(potroom, "line1", AT)["name"] == "as kept"
    os.utime(path, (0, 0))  # too old
    assert kept_heat(potroom, "line1", AT)["name"] == made["name"]
    assert kept_heat(potroom, "line1", "2025-09-01")["layers"] == []  # may yet come: not kept
    assert len(list(potroom.drafts.glob("map-*"))) == 1


def test_pieces_of_arithmetic() -> None:
    nan = np.nan
    values = np.array([[1.0, 3.0, nan], [nan, nan, nan]])
    assert weighted(values, np.array([[1.0, 3.0, 9.0], [1.0, 1.0, 1.0]])).tolist()[0] == 2.5
    assert np.isnan(weighted(values, np.ones((2, 3)))[1])
    assert newest(values)[0] == 3.0
    assert np.isnan(newest(values)[1])
    assert np.isnan(excess_mv(np.array([nan, nan]))).all()
    event = EventRecord("anode_effect", "a", 0, None, "1", "", None)
    found = counted([event, event], ("a", "b", "c"), np.array([False, True, False]))
    assert found.tolist()[:2] == [2.0, 0.0]  # an event tells by itself that it was told
    assert np.isnan(found[2])


def test_curves_keep_hours_and_the_line_stands_beside_them(potroom: Office) -> None:
    told = potlines_pot.curves(potroom, "line1", "pot002", "24h", AT)
    assert told["step_s"] == 3600
    volts = next(x for x in told["curves"] if x["quantity"] == "pot.voltage")
    assert volts["values"] == [4.1] * 24
    assert (told["start"], told["end"]) == ("2025-10-05 00:00:00", "2025-10-06 00:00:00")
    assert [x["id"] for x in told["events"]] == ["effect-1"]
    others = potlines_pot.of_line(potroom, "line1", "24h", AT)
    assert others["middle"] == [4.0] * 24
    assert (others["low"][0], others["high"][0]) == (3.95, 4.05)
    assert others["pots"] == [3] * 24
    week = potlines_pot.of_line(potroom, "line1", "7d", AT)
    assert len(week["middle"]) == 168
    assert week["middle"][0] is None  # 29 September
    assert week["middle"][-1] == 4.0


def test_curves_end_with_the_newest_data_where_today_has_none(potroom: Office) -> None:
    assert str(newest_day(potroom)) == "2025-10-31"
    told = potlines_pot.curves(potroom, "line1", "pot001", "24h")
    assert told["end"] == "2025-11-01 00:00:00"
    assert told["curves"] == []


def test_events_tell_peak_duration_and_overvoltage(potroom: Office) -> None:
    told = potlines_pot.events(potroom, "line1", "pot002", 30, "2025-10-20")
    assert (str(told["first"]), str(told["last"])) == ("2025-09-21", "2025-10-20")
    [event] = told["events"]
    assert event["start"] == "2025-10-05 10:00:00"
    measured = [event[key] for key in ("seconds", "peak_v", "mean_v", "overvoltage_vs", "gap_s")]
    assert measured == [150.0, 34.5, 28.25, 3630.0, 0.0]
    assert potlines_pot.events(potroom, "line1", "pot002", 5, "2025-10-20")["events"] == []


def test_the_list_computes_power_from_current_and_voltage(
    potroom: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = NOON.replace(minute=10)
    monkeypatch.setattr("reports.periods.wall_clock", lambda: clock)
    [line] = potlines_list.potlines(potroom)
    assert line["power_mw"] == pytest.approx(400 * 8 / 1000)  # 400 kA at 8 V
    assert line["current"]["point"] == "line1/series potline.current"
    assert line["current"]["at_ns"] == int(clock.timestamp() - 60) * 10**9
    assert line["effects_today"] == 1
    monkeypatch.setattr("reports.periods.wall_clock", lambda: NOON.replace(year=2026))
    [later] = potlines_list.potlines(potroom)
    assert later["power_mw"] is None
    assert later["current"]["value"] is None
    assert later["effects_today"] is None  # nobody told of today: not zero


def test_the_ranking_is_made_once_and_again_after_an_act(potroom: Office) -> None:
    assert potlines_advice.kept(potroom, "2025-10", since_s=9e12) is None
    made = potlines_advice.make(potroom, "2025-10")
    assert set(made["lines"]) == {"line1"}
    assert potlines_advice.make(potroom, "2025-10")["made"] == made["made"]
    assert potlines_advice.make(potroom, "2025-10", since_s=made["made"] + 0.001) != made
    told = potlines_advice.of_pot(potroom, "2025-10", "line1", "pot002")
    assert told is not None
    assert told["pot"]["rank"] is None  # nine days of fourteen
    assert "14" in told["pot"]["sentence"]["en"]
    assert potlines_advice.of_pot(potroom, "2025-10", "line1", "pot999") is None
    with pytest.raises(ConfigError):
        potlines_advice.month_of("2025")


def test_bounds_of_a_stretch_are_not_those_of_its_days() -> None:
    hour = Stretch.between_ns(DAY.start_ns + 1, DAY.start_ns + 2)
    assert hour.days == DAY.days
    assert (hour.start_ns, hour.end_ns) == (DAY.start_ns + 1, DAY.start_ns + 2)
    assert stretch_of(AT) == DAY
    assert day_of(DAY.end_ns - 1) == DAY.first


# --- pages and API


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_pages_are_there_in_both_languages(served: Served, lang: str) -> None:
    client = served.client("viewer", lang)
    words = {"zh": ("槽况图", "现在", "事件"), "en": ("Map of pots", "Now", "Events")}[lang]
    for path, expected in (
        ("/potlines", ""),
        ("/potlines/list", words[0]),
        ("/potlines/line1", words[0]),
        ("/potlines/line1/energy?month=2025-10", ""),
        ("/potlines/line1/ranking?month=2025-10", "pot002"),
        ("/potlines/line1/pot002", words[0][:0]),
        ("/potlines/line1/pot002/now", words[1]),
        ("/potlines/line1/pot002/events?until=2025-10-20", words[2]),
        ("/potlines/line1/pot002/advice?month=2025-10", "14"),
    ):
        answer = client.get(path)
        assert answer.status_code == 200, f"{path}: {answer.text[:500]}"
        assert expected in answer.text, path
        assert " style=" not in answer.text, path  # the policy would not show it
    assert "34.5" in client.get("/potlines/line1/pot002/events?until=2025-10-20").text


def test_a_line_without_data_of_today_opens_with_its_newest_day(viewer: httpx.Client) -> None:
    text = viewer.get("/potlines/line1").text
    assert 'at=2025-10-31"' in text
    assert 'value="day" selected' in text


def test_the_api_says_what_the_pages_say(viewer: httpx.Client) -> None:
    client = viewer
    told = client.get(f"/api/v1/potlines/line1/pots?at={AT}").json()
    assert layer(told, "excess") == [50.0, 150.0, -50.0, None]
    assert [x["id"] for x in client.get("/api/v1/potlines").json()] == ["line1"]
    given = "span=24h&until=2025-10-05"
    curves = client.get(f"/api/v1/pots/line1/pot002/curves?{given}").json()
    assert curves["curves"][0]["values"] == [4.1] * 24
    assert client.get(f"/api/v1/potlines/line1/voltage?{given}").json()["middle"][0] == 4.0
    advice = client.get("/api/v1/pots/line1/pot002/advice?month=2025-10").json()
    assert advice["advice"]["pot"]["pot"] == "line1/pot002"
    ranking = client.get("/api/v1/potlines/line1/ranking?month=2025-10").json()
    assert len(ranking["ranking"]["pots"]) == 3


def rows_of(text: bytes) -> list[list[str]]:
    assert text.startswith(b"\xef\xbb\xbf")  # Excel takes it for UTF-8 by this
    return list(csv.reader(io.StringIO(text.decode("utf-8-sig"))))


def test_tables_come_as_csv_and_hold_no_formula(served: Served) -> None:
    client = served.client("viewer", "en")
    rows = rows_of(client.get(f"/api/v1/potlines/line1/pots?at={AT}&format=csv").content)
    assert rows[0][:3] == ["pot", "state", "Voltage (V)"]
    assert rows[2][:3] == ["line1/pot002", "running", "4.1"]
    assert rows[4][:3] == ["line1/pot004", "unknown", ""]
    given = "format=csv&until=2025-10-20"
    events = rows_of(client.get(f"/api/v1/pots/line1/pot002/events?{given}").content)
    assert events[1][3:5] == ["150.0", "34.5"]
    assert events[1][-1] == "'=over"  # what a gateway writes is no formula of ours
    given = "format=csv&until=2025-10-05"
    curves = rows_of(client.get(f"/api/v1/pots/line1/pot002/curves?{given}").content)
    assert curves[1][:2] == ["2025-10-05T00:00:00+08:00", "4.1"]
    ranking = client.get("/api/v1/potlines/line1/ranking?month=2025-10&format=csv")
    assert len(rows_of(ranking.content)) == 4


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/potlines/line9", 404),
        ("/potlines/line9/pot001/now", 404),
        ("/potlines/line1/ranking?month=2025", 422),
        ("/potlines/line1/pot001/events?days=0", 422),
        ("/api/v1/potlines/line9/pots", 404),
        ("/api/v1/potlines/line1/pots?at=yes", 422),
        ("/api/v1/potlines/line1/pots?at=0000-01-01", 422),
        ("/api/v1/potlines/line1/pots?at=2001-01-01", 200),
        ("/api/v1/potlines/line1/pots?at=0001-01-01", 422),
        ("/api/v1/potlines/line1/voltage?span=1y", 422),
        ("/api/v1/potlines/line1/voltage?until=0001-01-01", 422),
        ("/api/v1/pots/line1/pot001/curves?until=0001-01-01", 422),
        ("/api/v1/pots/line1/pot001/curves?until=9999-12-31", 422),
        ("/api/v1/pots/line1/pot001/events?days=93", 422),
        ("/api/v1/pots/line1/pot001/events?until=0001-01-01", 422),
        ("/api/v1/pots/line1/pot004/advice?month=2025-10", 404),
        ("/api/v1/potlines/line1/ranking?month=0001-01", 422),
        ("/api/v1/pots/line1/pot%00/curves", 422),
    ],
)
def test_what_cannot_be_is_refused_and_never_a_fault(
    viewer: httpx.Client, path: str, status: int
) -> None:
    answer = viewer.get(path)
    assert answer.status_code == status, answer.text[:500]
    if path.startswith("/api") and status >= 400:
        assert answer.json()["problems"]


def test_nobody_sees_a_pot_without_an_account(served: Served) -> None:
    client = served.nobody()
    assert client.get("/potlines/line1").status_code == 303
    assert client.get("/api/v1/potlines").status_code == 401


def test_the_web_process_does_not_read_the_store(served: Served, viewer: httpx.Client) -> None:
    assert viewer.get("/potlines/list").status_code == 200
    maps = Path(f"/proc/{served.process.pid}/maps").read_text()
    assert "duckdb" not in maps
    assert "pyarrow" not in maps


# --- as a person with a keyboard meets it


def test_the_map_is_walked_by_keys_and_a_point_shows_its_evidence(
    browser: Browser, served: Served
) -> None:
    viewer = seat(browser, served, "viewer", "en")
    page = viewer.page
    page.goto(f"{served.url}/potlines/line1?at={AT}")
    page.wait_for_selector("#map-box[data-drawn]")
    page.focus("#map-box")
    assert "Pot 001 · Voltage 4.000 V · running" in page.inner_text("#map-said")
    page.keyboard.press("ArrowRight")
    assert "Pot 002 · Voltage 4.100 V" in page.inner_text("#map-said")
    page.keyboard.press("ArrowDown")  # pots 3 and 4 stand opposite, 3 beside 2
    assert "Pot 003 · Voltage 3.900 V" in page.inner_text("#map-said")
    page.keyboard.press("ArrowLeft")
    assert "Pot 004 · Voltage — · no data" in page.inner_text("#map-said")
    page.select_option("#map-layer", "excess")
    page.focus("#map-box")
    page.keyboard.press("Home")
    assert "Excess voltage 50 mV" in page.inner_text("#map-said")
    page.click("#map-table summary")
    assert page.locator("#map-table tbody tr").count() == 4
    page.focus("#map-box")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_url("**/potlines/line1/pot002")
    page.fill("#curves-until", AT)
    page.wait_for_selector("#curves-box .u-over")
    page.locator("#curves-said", has_text="3600").wait_for()
    page.locator("#curves-box .u-over").first.click()
    page.wait_for_selector("#drawer.open")
    assert "4.1" in page.inner_text("#drawer")
    assert not viewer.barriers()
    assert not viewer.faults
    viewer.leave()
