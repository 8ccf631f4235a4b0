"""The grade in the console: indicators, what keeps from A, documents that end, tables to type."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import openpyxl
import pytest

from reports.periods import plant_now
from tests import servers
from tests.console.stack_plant import Room, build, room

PERIOD = "2025-10"
RECORD = {
    "kind": "document",
    "what": "document",
    "start": "2025-01-05",
    "fact_title": "门禁验收意见（仿真）",
    "fact_serves": "gate_acceptance",
    "fact_person": "张三（仿真）",
    "reason": "验收",
}


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    found = room(build(tmp_path_factory.mktemp("lake")), tmp_path_factory.mktemp("grade"))
    yield found
    found.served.end()


@pytest.fixture(scope="module")
def graded(plant: Room) -> dict[str, Any]:
    """The draft, once it is there."""
    client = plant.client("viewer")

    def there() -> bool:
        answer = client.get(f"/api/v1/grade/{PERIOD}")
        assert answer.status_code in {200, 404}, answer.text
        return answer.status_code == 200

    servers.wait_until(there, "the draft of the grade", 300, 0.3)
    found: dict[str, Any] = client.get(f"/api/v1/grade/{PERIOD}").json()
    return found


def document(client: httpx.Client, **fields: str) -> httpx.Response:
    return client.post(
        "/stacks/records/preview",
        data=RECORD | fields,
        files={"evidence": ("gate.txt", "验收意见\n".encode())},
    )


def test_no_level_is_claimed_from_what_nobody_confirmed(graded: dict[str, Any]) -> None:
    assert graded["until"] == "2025-10-31"
    assert graded["version"] == 0
    assert {each["provable"] for each in graded["verdicts"]} == {"无可证明等级"}
    assert all(each["status"] != "proven" for each in graded["indicators"])
    named = {each["generation"] for each in graded["indicators"]}
    assert {"CN-2020", "HA-2024"} <= named
    assert any("电解铝" in each["label"] for each in graded["absent"])
    assert all(each["title"] and each["where"] for each in graded["absent"])


@pytest.mark.parametrize(("lang", "word"), [("zh", "未知"), ("en", "unknown")])
def test_the_table_is_filtered_and_says_each_state_as_a_word(
    plant: Room, graded: dict[str, Any], lang: str, word: str
) -> None:
    client = plant.client("officer", lang)
    whole = client.get(f"/grade/table?period={PERIOD}").text
    assert word in whole
    assert whole.count("<tr") > len(graded["verdicts"])
    failed = client.get(f"/grade/table?period={PERIOD}&status=proven").text
    assert ("没有符合筛选的指标" if lang == "zh" else "No indicator fits") in failed
    one = client.get(
        f"/grade/table?period={PERIOD}&level=A&industry=electrolytic_aluminium.CN-2020"
    )
    assert one.text.count('<details class="card level"') == 1
    page = client.get(f"/grade?period={PERIOD}")
    assert page.status_code == 200
    way = client.get(f"/grade/way?period={PERIOD}").text
    assert "/grade/tables/cn_2020_electrolytic_aluminium.xlsx" in way


def test_an_indicator_opens_with_its_findings_and_the_way_to_its_trace(
    plant: Room, graded: dict[str, Any]
) -> None:
    line = next(x["line"] for x in graded["indicators"] if "transport_companion" in x["line"])
    drawer = plant.client().get("/grade/indicator", params={"period": PERIOD, "line": line}).text
    assert "evidence/figure?report=grade" in drawer
    assert "data-close" in drawer
    assert "fact_serves=gate_acceptance" in drawer
    told = plant.client().get(f"/api/v1/grade/{PERIOD}/indicator", params={"line": line}).json()
    assert len(told["findings"]) == 2
    assert told["documents"] == []
    wrong = plant.client().get("/grade/indicator", params={"period": PERIOD, "line": "plant.no"})
    assert wrong.status_code == 422


def test_a_document_is_recorded_and_its_days_are_counted(
    plant: Room, graded: dict[str, Any]
) -> None:
    client = plant.client()
    assert document(plant.client("viewer")).status_code == 403
    soon = plant_now().date() + timedelta(days=30)
    without = client.post("/stacks/records/preview", data=RECORD)
    assert without.status_code == 422
    assert "须附证据文件" in without.text
    made = document(client, fact_valid_until=soon.isoformat())
    assert made.status_code == 303, made.text
    assert client.post(made.headers["location"] + "/record").status_code == 303
    rows = client.get("/api/v1/grade/documents").json()
    assert [(x["serves"], x["until"], x["days_left"], x["state"]) for x in rows] == [
        (["gate_acceptance"], soon.isoformat(), 30, "soon")
    ]
    piece = client.get("/grade/documents").text
    assert "还剩 30 天" in piece
    assert rows[0]["files"][0]["sha256"] in piece
    table = client.get("/api/v1/grade/documents?format=csv").content.decode("utf-8-sig")
    assert next(csv.DictReader(io.StringIO(table)))["title"] == "门禁验收意见（仿真）"
    line = next(x["line"] for x in graded["indicators"] if "transport_companion" in x["line"])
    drawer = client.get("/grade/indicator", params={"period": PERIOD, "line": line}).text
    assert "门禁验收意见（仿真）" in drawer


def test_a_table_is_downloaded_to_be_typed_and_every_mistake_is_told(plant: Room) -> None:
    client = plant.client()
    got = client.get("/grade/tables/cn_2020_electrolytic_aluminium.xlsx")
    assert got.status_code == 200
    book = openpyxl.load_workbook(io.BytesIO(got.content))
    assert len(book.sheetnames) >= 3
    listed = client.get("/grade/tables").text
    assert "cn_2020_electrolytic_aluminium" in listed
    answer = client.post(
        "/grade/tables/check", files={"table": ("typed.xlsx", got.content)}
    )  # as it comes: nothing is typed
    assert answer.status_code == 200
    assert re.search(r"有 \d+ 处须改正", answer.text)
    assert "/uploads/" not in answer.text  # no folder of the server
    assert client.post("/grade/tables/check").status_code == 422
    wrong = client.post("/grade/tables/check", files={"table": ("typed.doc", b"x")})
    assert wrong.status_code == 415
    assert "只接受这些文件" in wrong.text
    assert client.get("/grade/tables/none.xlsx").status_code == 422
    viewer = plant.client("viewer")
    assert viewer.post("/grade/tables/check").status_code == 403


def test_alerts_say_when_no_plan_is_named(plant: Room, graded: dict[str, Any]) -> None:
    piece = plant.client().get(f"/grade/alerts?period={PERIOD}").text
    assert "alert_plan" in piece
    assert "kind=alert" in piece


@pytest.mark.parametrize(
    "address",
    [
        "/grade?period=2025-13",
        "/grade/table?period=soon",
        "/api/v1/grade/2025-13",
        "/api/v1/grade/soon",
        "/api/v1/grade/2025-10?status=good",
        "/api/v1/grade/2025-10/indicator",
        "/api/v1/grade/2025-10/indicator?line=" + "x" * 300,
    ],
)
def test_what_is_asked_wrongly_is_refused(plant: Room, address: str) -> None:
    assert plant.client().get(address).status_code == 422
