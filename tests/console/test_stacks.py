"""Stacks in the console: hours under their limit, exceedances, capture, checks due, CSV."""

import csv
import io
import json
import re
from collections.abc import Iterator
from datetime import datetime
from html import unescape
from pathlib import Path

import pytest

from reports.periods import PLANT_TIME
from tests.console.stack_plant import DAY, Room, build, room


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    found = room(build(tmp_path_factory.mktemp("lake")), tmp_path_factory.mktemp("stacks"))
    yield found
    found.served.end()


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("zh", ("排放口", "数据捕集率", "新增标记")),
        ("en", ("Stacks", "Data capture", "Add a mark")),
    ],
)
def test_the_page_says_its_cards_in_both_languages(
    stacks: Room, lang: str, words: tuple[str, ...]
) -> None:
    page = stacks.client("officer", lang).get("/stacks")
    assert page.status_code == 200
    for word in words:
        assert word in page.text
    assert "DA001" in page.text


def test_a_viewer_sees_all_and_is_offered_no_act(stacks: Room) -> None:
    viewer = stacks.client("viewer")
    for address in (
        "/stacks",
        "/stacks/now",
        "/stacks/above?period=2025-10",
        "/stacks/capture?period=2025-10",
        "/stacks/due",
        "/stacks/reports",
        "/stacks/records",
        "/stacks/records/waiting",
        "/stacks/DA001?view=week&on=2025-10-05",
        "/stacks/DA001/hours?view=week&on=2025-10-05",
    ):
        answer = viewer.get(address)
        assert answer.status_code == 200, address
        assert "/stacks/records/new" not in answer.text, address
        assert "/reports/make" not in answer.text, address


def test_hours_have_their_state_and_the_curves_the_same(stacks: Room) -> None:
    api = stacks.client().get(f"/api/v1/stacks/DA001/hours?period={DAY}").json()
    states = [each["state"] for each in api["hours"]]
    # 24 hours: 02:00 has 20 good minutes beside 40 of calibration, 21:00 is at 50 of 35 mg/m3
    assert [states[n] for n in (0, 2, 20, 21, 22)] == [
        "valid",
        "excluded",
        "valid",
        "above",
        "valid",
    ]
    assert states.count("valid") == 22
    assert api["hours"][21]["mean"] == 50
    assert api["hours"][21]["limit"] == 35
    assert api["hours"][2]["minutes"] == 20
    piece = stacks.client().get(f"/stacks/DA001/hours?view=day&on={DAY}").text
    found = re.search(r"data-shape='([^']*)'", piece)
    assert found
    shape = json.loads(unescape(found[1]))
    assert shape["pollutants"][0]["state"] == states
    assert shape["pollutants"][0]["mean"][21] == 50
    start_s = shape["start"][21]
    assert f"/stacks/DA001/hour?pollutant=so2&amp;at={start_s}" in piece


@pytest.mark.parametrize(("lang", "words"), [("zh", "有效，超过限值"), ("en", "above the limit")])
def test_an_hour_opens_with_the_minutes_it_stands_on(stacks: Room, lang: str, words: str) -> None:
    client = stacks.client("officer", lang)
    nine = int(datetime(2025, 10, 5, 21, tzinfo=PLANT_TIME).timestamp())
    drawer = client.get(f"/stacks/DA001/hour?pollutant=so2&at={nine}").text
    assert words in drawer
    assert "60 / 60" in drawer
    assert "排污许可证 表 5" in drawer
    assert drawer.count("/evidence/figure?point=gtc1%2Fstack1+stack.so2") == 60
    two = client.get(f"/stacks/DA001/hour?pollutant=so2&at={nine - 19 * 3600}").text
    assert "20 / 60" in two  # 02:00–02:40 calibrates
    assert two.count("/evidence/figure?") == 20
    for wrong in ("at=soon", "at=1", f"at={nine}&pollutant=gold"):
        assert client.get(f"/stacks/DA001/hour?{wrong}").status_code == 422


def test_hours_come_in_pages_and_as_a_table(stacks: Room) -> None:
    client = stacks.client()
    first = client.get(f"/api/v1/stacks/DA001/hours?period={DAY}&limit=20").json()
    rest = client.get(f"/api/v1/stacks/DA001/hours?period={DAY}&after={first['next']}").json()
    assert (len(first["hours"]), len(rest["hours"]), rest["next"]) == (20, 4, None)
    table = client.get(f"/api/v1/stacks/DA001/hours?period={DAY}&format=csv")
    assert table.headers["content-type"].startswith("text/csv")
    assert table.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(table.content.decode("utf-8-sig"))))
    assert len(rows) == 24
    assert rows[21]["start"] == "2025-10-05 21:00"
    assert (rows[21]["mean"], rows[21]["state"]) == ("50.0", "above")


def test_a_month_says_where_hours_are_missing_and_an_empty_one_where_data_are(
    stacks: Room,
) -> None:
    client = stacks.client()
    rows = client.get("/api/v1/capture?period=2025-10").json()
    # 31 days of 24 hours; one day of data with one hour lost to the calibration
    assert (rows[0]["counted"], rows[0]["valid"], rows[0]["above"]) == (744, 23, 1)
    assert rows[0]["rate"] == pytest.approx(23 / 744)
    assert rows[0]["counts"]["missing"] == 720
    empty = client.get("/stacks/capture?period=2025-08").text
    assert "本月没有数据" in empty
    assert 'href="/stacks?period=2025-10"' in empty
    assert "2025-10-05" in client.get("/stacks/DA001/hours?view=week&on=2025-08-05").text


def test_an_exceedance_waits_to_be_explained_until_measures_are_recorded(stacks: Room) -> None:
    client = stacks.client()
    before = client.get("/api/v1/exceedances?period=2025-10").json()
    assert [(x["start"], x["end"], x["highest"], x["done"]) for x in before if x["judged"]] == [
        ("2025-10-05 21:00", "2025-10-05 22:00", 50, [])
    ]
    assert "尚未说明" in client.get("/stacks/above?period=2025-10").text
    form = {
        "kind": "exceedance",
        "what": "control",
        "equipment": "DA001",
        "pollutants": "so2",
        "start": "2025-10-05T21:00",
        "end": "2025-10-05T22:00",
        "fact_cause": "循环泵跳停",
        "fact_measures": "切换备用泵",
        "fact_reported_to": "县局",
        "fact_reported_at": "2025-10-05T21:35",
        "reason": "运行日志",
    }
    held = client.post("/stacks/records/preview", data=form)
    assert held.status_code == 303, held.text
    made = client.post(held.headers["location"] + "/record")
    assert made.status_code == 303
    after = client.get("/api/v1/exceedances?period=2025-10").json()
    assert after[0]["done"][0]["measures"] == "切换备用泵"
    assert after[0]["done"][0]["author"] == "王敏"
    shown = client.get("/stacks/above?period=2025-10").text
    assert "切换备用泵" in shown
    assert "尚未说明" not in shown


def test_what_was_never_checked_is_due_with_its_rule(stacks: Room) -> None:
    rows = stacks.client().get("/api/v1/checks-due").json()
    never = {row["id"]: row for row in rows if row["due"] is None}
    assert {"calibration", "verification", "full_path"} <= set(never)
    assert all(row["overdue"] and row["source"] for row in never.values())
    piece = stacks.client().get("/stacks/due").text
    assert "从未做过" in piece
    assert "/stacks/records/new?kind=check" in piece


def test_without_a_historian_nothing_passes_for_live(stacks: Room) -> None:
    now = stacks.client().get("/api/v1/stacks/now").json()
    assert now["reachable"] is False
    assert [(x["mean"], x["forecast"], x["state"]) for x in now["rows"]] == [
        (None, None, "unknown")
    ]
    assert "历史库没有应答" in stacks.client().get("/stacks/now").text


@pytest.mark.parametrize(
    "address",
    [
        "/api/v1/stacks/DA009/hours?period=2025-10",
        "/api/v1/stacks/DA001/hours?period=2025-13",
        "/api/v1/stacks/DA001/hours?period=banana",
        "/api/v1/stacks/DA001/hours",
        "/api/v1/stacks/DA001/hours?period=2020-01-01_2025-01-01",
        "/api/v1/stacks/DA001/hours?period=2025-10&pollutant=gold",
        "/api/v1/exceedances?period=2025-10&stack=DA009",
        "/api/v1/capture?period=9999",
        "/api/v1/checks-due?days=-1",
        "/stacks?period=2025-10-05",
        "/stacks/DA009",
        "/stacks/DA001?view=century",
        "/stacks/DA001?on=yesterday",
        "/stacks/DA001/hours?view=day&on=0001-01-01",
    ],
)
def test_what_is_asked_wrongly_is_refused_and_never_fails(stacks: Room, address: str) -> None:
    answer = stacks.client().get(address)
    if address == "/api/v1/capture?period=9999":
        assert answer.status_code in {200, 422}
        return
    assert answer.status_code in {404, 422}, answer.text[:300]


def test_reports_are_listed_by_period_newest_version_first(stacks: Room) -> None:
    folder: Path = stacks.root / "reports"
    folder.mkdir(exist_ok=True)
    for name in ("emissions-2025-10-v1", "emissions-2025-10-v2", "emissions-2025-Q3-v1"):
        (folder / f"{name}.json").write_text("{}", "utf-8")
    piece = stacks.client().get("/stacks/reports").text
    assert "/reports/paper/emissions-2025-10-v2.json?kind=pdf" in piece
    assert "emissions-2025-10-v1" not in piece
    assert "/reports/files/emissions-2025-Q3-v1.json" in piece
    for path in folder.glob("emissions-*"):
        path.unlink()
