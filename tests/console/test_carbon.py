"""The carbon year: cards, totals, reports of the year, for people and programs."""

import csv
import io

from tests.console.served import Served


def test_the_page_is_there_at_once_and_its_pieces_say_the_year(console: Served) -> None:
    viewer = console.client("viewer")
    page = viewer.get("/carbon?year=2026")
    assert page.status_code == 200
    assert "/carbon/cards?year=2026" in page.text
    cards = viewer.get("/carbon/cards?year=2026").text
    assert cards.count('<article class="card month') == 12
    assert "启用前" in cards  # nothing was entered before October
    assert "逾期" not in cards  # so January, due in March, is no duty here, as Today says too
    assert "/carbon/2026-01" in cards  # though it may be entered
    english = console.client("viewer", "en").get("/carbon/cards?year=2026").text
    assert "before the start" in english


def test_programs_get_the_same_months_also_as_a_table(console: Served) -> None:
    viewer = console.client("viewer")
    found = viewer.get("/api/v1/carbon/months?year=2026").json()
    october = found["cards"][9]
    assert (october["month"], october["entries"]) == ("2026-10", 7)
    assert october["state"] in {"entered", "reported"}  # another test makes its report
    assert october["due"] == "2026-12-10"  # 31 October and 40 days
    table = viewer.get("/api/v1/carbon/months?year=2026&format=csv")
    assert table.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(table.text.lstrip("\ufeff"))))
    assert rows[0]["state"] == "before"  # the first one entered is October
    assert rows[0]["emission_tco2e"] == ""  # not known is not zero


def test_what_is_no_year_or_month_is_told(console: Served) -> None:
    viewer = console.client("viewer")
    assert viewer.get("/carbon?year=26").status_code == 422
    assert viewer.get("/carbon/2026-13").status_code == 404
    assert viewer.get("/carbon/2026-10/dance").status_code in {404, 422}
    assert viewer.get("/api/v1/carbon/months?year=1850").status_code == 422
    assert viewer.get("/api/v1/carbon/months/2026-00").status_code == 422


def test_totals_without_a_report_say_that_a_draft_is_computed(console: Served) -> None:
    text = console.client("officer").get("/carbon/totals?year=2026").text
    assert "没有上年年度报告" in text
    assert "正在计算" in text or "数据来自试算" in text
    ahead = console.client("officer").get("/carbon/totals?year=2027").text
    assert "该年尚未开始" in ahead


def test_entries_of_a_month_for_programs_are_paged(console: Served) -> None:
    viewer = console.client("viewer")
    first = viewer.get("/api/v1/entries?period=2026-10&limit=3").json()
    assert [x["number"] for x in first["entries"]] == [1, 2, 3]
    rest = viewer.get(f"/api/v1/entries?period=2026-10&after={first['next']}").json()
    assert [x["number"] for x in rest["entries"]] == [4, 5, 6, 7]
    assert rest["next"] is None
    assert first["entries"][0]["value"] == "21050.25"
    assert first["entries"][0]["author"] == "王敏"
