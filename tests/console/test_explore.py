"""Explore over HTTP and in a browser: points, envelopes, events, files to take away."""

import csv
import io
import time
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Browser, Page, expect

from reports.acts import trail_of
from reports.console.figures.explore_export import MOST_ROWS
from reports.console.office import Office
from reports.periods import PLANT_TIME
from tests.console.served import Served
from tests.reports import plant

AC1 = "line1/ac1 meter.energy_import"
AC2 = "line1/ac2 meter.energy_import"
LINE2 = "line2/ac1 meter.energy_import"
MONTH = {"from": "2026-10-01", "to": "2026-11-01"}


@pytest.fixture(scope="module")
def officer(console: Served) -> httpx.Client:
    """Logged in, in English where nothing else is said."""
    return console.client("officer", "en")


def series(client: httpx.Client, **asked: Any) -> dict[str, Any]:
    answer = client.get("/api/v1/series", params=asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_points_are_found_by_words_of_both_languages(console: Served) -> None:
    for lang, name in (("zh", "正向有功电能"), ("en", "active energy import")):
        client = console.client("viewer", lang)
        for q in ("ac1 kwh", "有功 ac1", "ENERGY ac1"):
            said = client.get("/api/v1/points", params={"q": q}).json()
            points = {row["point"]: row for row in said["points"]}
            assert set(points) == {AC1, LINE2}
            assert (points[AC1]["name"], points[AC1]["unit"]) == (name, "kWh")
            assert points[AC1]["form"] == "counter"
    assert (
        "一系列 ac1" in client.get("/explore/points", params={"q": "一系列 ac1", "lang": "zh"}).text
    )
    empty = client.get("/api/v1/points", params={"q": "nothing such"}).json()
    assert (empty["points"], empty["total"], empty["known"] > 3) == ([], 0, True)


def test_points_come_in_pages_and_as_csv(officer: httpx.Client) -> None:
    first = officer.get("/api/v1/points", params={"limit": 1}).json()
    assert first["more"]
    asked = {"limit": 5000, "after": first["points"][0]["point"]}
    rest = officer.get("/api/v1/points", params=asked).json()
    names = [row["point"] for row in (*first["points"], *rest["points"])]
    assert names == sorted(names)
    assert len(names) == first["total"]
    text = officer.get("/api/v1/points", params={"format": "csv"}).content.decode("utf-8-sig")
    assert [row["point"] for row in csv.DictReader(io.StringIO(text))] == names


def test_a_counter_is_shown_as_increments_and_a_gap_as_a_gap(
    officer: httpx.Client, console_plant: Any
) -> None:
    said = series(officer, point=[AC1, AC2], **MONTH)
    ac1, ac2 = said["points"]
    assert (ac1["mean"], ac1["low"], ac1["source"], ac1["bucket_s"]) == (
        None,
        None,
        "windows",
        1800,
    )
    assert sum(ac1["amount"]) == pytest.approx(console_plant.truth.ac1, rel=1e-6)
    gap = range(plant.GAP_FROM_NS, plant.GAP_TO_NS, 1800 * 10**9)
    numbers = [int(at // 10**9 - ac2["origin_s"]) // 1800 for at in gap]
    assert {ac2["windows"][at] for at in numbers[:-1]} == {0}
    assert {ac2["amount"][at] for at in numbers[:-1]} == {None}
    assert ac2["origin_s"] == datetime(2026, 10, 1, tzinfo=PLANT_TIME).timestamp()
    reason = next(each for each in ac2["reasons"] if each["code"] == "no_data")
    assert reason["name"] == "no data"


def test_steps_are_bounded_and_widen_with_the_time(officer: httpx.Client) -> None:
    for last, most in (("1h", 60), ("24h", 2000), ("35d", 2000), ("1y", 2000)):
        for point in series(officer, point=[AC1], last=last)["points"]:
            assert 0 < point["count"] <= most + 1
            assert len(point["windows"]) == len(point["amount"]) == point["count"]
    few = series(officer, point=[AC1], buckets=10, **MONTH)["points"][0]
    assert few["count"] <= 11
    hours = series(officer, point=[LINE2], last="24h")["points"][0]
    assert hours["bucket_s"] == 3600  # windows of an hour are not cut up


def test_the_layer_is_made_in_the_background_and_says_the_same(own_console: Served) -> None:
    client = own_console.client("officer")
    year = {"from": "2026-01-01", "to": "2027-01-01"}
    deadline = time.monotonic() + 1200  # the long lane yields to everything else
    while (said := series(client, point=[AC1], **year))["waiting"]:
        assert time.monotonic() < deadline, said["waiting"]
        time.sleep(0.5)
    before = said["points"][0]
    while (said := series(client, point=[AC1], **year))["days_ready"] < said["days"]:
        assert time.monotonic() < deadline
        time.sleep(0.5)
    after = said["points"][0]
    assert (after["amount"], after["windows"]) == (before["amount"], before["windows"])
    layer = Office(own_console.site_file).data / "envelopes" / "demo"
    assert (layer / "index.json").is_file()


def test_events_of_an_equipment(officer: httpx.Client) -> None:
    asked = {"equipment": ["line1/ac1"], **MONTH}
    (event,) = officer.get("/api/v1/series/events", params=asked).json()["events"]
    assert (event["kind"], event["name"], event["amount"]) == ("rollover", "rollover", 2400.0)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({}, "point"),
        ({"point": ["line1/ac1"]}, "no such quantity"),
        ({"point": ["line1 meter.energy_import"]}, "line1"),
        ({"point": [AC1], "from": "yesterday"}, "2026-10-05T08:00"),
        ({"point": [AC1], "from": "2026-10-02", "to": "2026-10-01"}, "before"),
        ({"point": [AC1], "from": "0001-01-01", "to": "9999-12-31"}, "before"),
        ({"point": [AC1], "from": "9998-01-01", "to": "9999-12-31T23:59:59"}, "2199"),
        ({"point": [AC1], "last": "5d"}, "last"),
        ({"point": [f"line1/pot{n:03d} pot.voltage" for n in range(9)]}, "8"),
        ({"point": [AC1], "buckets": 5000}, "buckets"),
    ],
)
def test_what_cannot_be_shown_is_refused_with_what_to_write(
    officer: httpx.Client, asked: dict[str, Any], told: str
) -> None:
    answer = officer.get("/api/v1/series", params=asked)
    assert answer.status_code == 422
    assert told in " ".join(answer.json()["problems"])


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"resolution": "raw", **MONTH}, "1 day"),
        ({"resolution": "minute", "format": "xlsx", "last": "1y"}, f"{MOST_ROWS['xlsx']:,}"),
        ({"resolution": "second"}, "resolution"),
    ],
)
def test_too_much_at_once_is_refused(
    officer: httpx.Client, asked: dict[str, Any], told: str
) -> None:
    answer = officer.get("/api/v1/samples", params={"point": [AC1], "format": "csv"} | asked)
    assert answer.status_code == 422
    assert told in " ".join(answer.json()["problems"])


def test_csv_opens_in_excel_with_units_and_quality(console: Served, console_plant: Any) -> None:
    client = console.client("officer", "zh")
    asked = {"point": [AC1, AC2], "format": "csv", "resolution": "hour", **MONTH}
    answer = client.get("/api/v1/samples", params=asked)
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert "attachment" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    mine = [row for row in rows if row["点"] == AC1]
    assert len(mine) == 31 * 24
    assert mine[0]["开始时间（北京时间 UTC+8）"] == "2026-10-01 00:00:00"
    assert (mine[0]["单位"], mine[0]["有效占比（%）"]) == ("kWh", "100.0")
    total = sum(float(row["增量（计数器）"]) for row in mine)
    assert total == pytest.approx(console_plant.truth.ac1, rel=1e-9)
    other = [row for row in rows if row["点"] == AC2]
    assert len(other) == 31 * 24 - 2  # two hours without a window have no row
    assert any(row["无效原因"] == "通信中断" for row in other)


def test_a_long_csv_is_sent_in_parts_without_losing_a_row(officer: httpx.Client) -> None:
    asked = {"point": [AC1, AC2], "format": "csv", "resolution": "minute", **MONTH}
    with officer.stream("GET", "/api/v1/samples", params=asked) as answer:
        lines = list(answer.iter_lines())
    times = [line.partition(",")[0] for line in lines[1:] if AC1 in line]
    begin = datetime(2026, 10, 1, tzinfo=PLANT_TIME)
    expected = [f"{begin + timedelta(minutes=n):%Y-%m-%d %H:%M:%S}" for n in range(31 * 1440)]
    assert times == expected


def test_workbook_says_what_it_is(console: Served) -> None:
    client = console.client("officer", "zh")
    asked = {"point": [AC1], "format": "xlsx", "resolution": "day", **MONTH}
    book = openpyxl.load_workbook(io.BytesIO(client.get("/api/v1/samples", params=asked).content))
    assert book.sheetnames == ["数据", "说明"]
    rows = list(book["数据"].iter_rows(values_only=True))
    assert rows[0][0] == "开始时间（北京时间 UTC+8）"
    assert (len(rows), rows[1][0]) == (32, datetime(2026, 10, 1))  # noqa: DTZ001 - a cell has no zone
    assert rows[1][5] == "kWh"
    told = {row[0]: row[1] for row in book["说明"].iter_rows(values_only=True)}
    assert told["时区"] == "北京时间 UTC+08:00"
    assert "王敏" in str(told["导出"])
    folder = Office(console.site_file).data / "exports"
    assert list(folder.glob("*.xlsx")) == []  # who fetched it deletes it


def test_parquet_has_types_zone_and_meaning(officer: httpx.Client) -> None:
    asked = {"point": [AC1, LINE2], "format": "parquet", "resolution": "hour", **MONTH}
    content = officer.get("/api/v1/samples", params=asked).content
    table = pq.read_table(io.BytesIO(content))
    assert table.schema.field("time").type == pa.timestamp("us", "+08:00")
    assert set(table["unit"].to_pylist()) == {"kWh"}
    about = table.schema.metadata
    assert about[b"time_zone"] == b"UTC+08:00, fixed"
    assert "计数器" in about[b"amount"].decode()
    stamps = table["time"].cast("int64").to_pylist()
    assert stamps == sorted(stamps)
    assert table.num_rows == 2 * 31 * 24


def test_json_rows_come_in_pages(officer: httpx.Client) -> None:
    asked: dict[str, Any] = {"point": [AC1, AC2], "resolution": "hour", "limit": 400, **MONTH}
    found: list[tuple[str, str]] = []
    for _ in range(9):
        said = officer.get("/api/v1/samples", params=asked).json()
        found += [(row["time"], row["point"]) for row in said["rows"]]
        if said["next"] is None:
            break
        asked["from"] = said["next"]
    assert len(found) == len(set(found)) == 2 * 31 * 24 - 2
    assert found == sorted(found, key=lambda row: row[0])


def test_every_file_is_an_act(console: Served) -> None:
    client = console.client("engineer")
    asked = {"point": [AC1], "format": "csv", "resolution": "day", **MONTH}
    assert client.get("/api/v1/samples", params=asked).status_code == 200
    acts = [each.act for each in trail_of(Office(console.site_file).site).read()]
    act = [each for each in acts if each.what == "export.made" and each.who == "李强"][-1]
    assert act.target == "demo-202610010000-202611010000-day.csv"
    assert (act.details["class"], act.details["points"]) == ("important", AC1)


def test_a_class_that_may_not_leave_stays(own_console: Served) -> None:
    site = own_console.site_file
    site.write_text(site.read_text("utf-8") + '\n[export]\nimportant = "refused"\n', "utf-8")
    client = own_console.client("officer", "en")
    asked = {"point": [AC1], "format": "csv", **MONTH}
    answer = client.get("/api/v1/samples", params=asked)
    assert answer.status_code == 422
    assert "refused" in answer.json()["problems"][0]


def test_nobody_sees_anything_without_a_login(console: Served) -> None:
    nobody = console.nobody()
    for path in ("/api/v1/points", "/api/v1/series", "/api/v1/samples", "/api/v1/series/events"):
        assert nobody.get(path, params={"point": AC1}).status_code == 401
    assert nobody.get("/explore").status_code == 303


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_page_stands_without_any_answer_of_the_store(console: Served, lang: str) -> None:
    text = console.client("viewer", lang).get("/explore").text
    assert ("查找点" if lang == "zh" else "Find a point") in text
    assert "style=" not in text
    assert "onclick" not in text


def opened(browser: Browser, console: Served, address: str, width: int = 1280) -> Page:
    """A page of somebody who is logged in; whatever the script throws fails the test."""
    context = browser.new_context(viewport={"width": width, "height": 800})
    for each in console.client("officer", "en").cookies.jar:
        context.add_cookies([{"name": each.name, "value": each.value or "", "url": console.url}])
    page = context.new_page()
    page.set_default_timeout(240_000)
    page.goto(f"{console.url}{address}")
    return page


def test_zoom_by_keys_and_wheel_is_in_the_address_and_goes_back(
    browser: Browser, console: Served
) -> None:
    faults: list[str] = []
    query = urlencode({"point": AC1, **MONTH})
    page = opened(browser, console, f"/explore?{query}")
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.wait_for_selector("#explore-chart .uplot")
    page.focus("#explore-chart")
    page.keyboard.press("+")
    page.wait_for_url("**from=2026-10-08T18*")  # the middle half of 31 days: 7 d 18 h are cut off
    page.wait_for_selector("#explore-chart:not(.reading)")
    page.keyboard.press("ArrowRight")  # by a quarter of 15.5 days
    page.wait_for_url("**from=2026-10-12T15*")
    page.wait_for_selector("#explore-chart:not(.reading)")
    place = page.locator(".u-over").bounding_box()
    assert place is not None
    page.mouse.move(place["x"] + place["width"] / 2, place["y"] + 50)
    before = page.url
    page.mouse.wheel(0, -300)
    page.wait_for_url(lambda url: url != before)
    page.go_back()
    page.wait_for_url(before)
    page.go_back()
    page.wait_for_url("**from=2026-10-08T18*")
    page.wait_for_selector("#explore-chart:not(.reading)")
    page.click("#explore-table-card summary")
    page.wait_for_selector("#explore-table tbody tr")
    assert "kWh / " in page.inner_text("#explore-table")
    page.fill("#explore-q", "ac2")
    page.click(f'[data-point="{AC2}"]')
    expect(page.locator("#explore-chosen li")).to_have_count(2, timeout=240_000)
    assert urlencode({"point": AC2}) in page.url
    page.click(f'[data-point="{AC2}"]')
    expect(page.locator("#explore-chosen li")).to_have_count(1, timeout=240_000)
    assert faults == []
    page.context.close()


def test_a_click_leads_to_the_evidence_and_a_phone_needs_no_scrolling_aside(
    browser: Browser, console: Served
) -> None:
    query = urlencode({"point": AC1, **MONTH})
    page = opened(browser, console, f"/explore?{query}", width=360)
    page.wait_for_selector("#explore-chart .uplot")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.locator(".u-over").click()
    page.wait_for_selector("#drawer.open")
    assert "line1/ac1" in page.inner_text("#drawer")
    page.context.close()
