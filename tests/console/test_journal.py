"""The journal in the console: a mark seen before it counts, two persons, corrections, refusals."""

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from reports.acts import trail_of
from reports.entries.documents import folder_of
from reports.journal.journal import read_journal
from reports.site import load_site
from tests.console.stack_plant import DAY, Room, build, room

ORDER = "检修单 2025-10-05：循环泵\n".encode()
FAULT = {
    "kind": "mark",
    "what": "fault",
    "equipment": "DA001",
    "start": f"{DAY}T21:00",
    "end": f"{DAY}T22:00",
    "reason": "洗涤塔停运检修",
}


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    found = room(build(tmp_path_factory.mktemp("lake")), tmp_path_factory.mktemp("stacks"))
    yield found
    found.served.end()


def look(
    client: httpx.Client, fields: dict[str, str] | None = None, **files: tuple[str, bytes]
) -> httpx.Response:
    """The form, sent; a document is with it unless ``evidence`` says another."""
    given = files or {"evidence": ("检修单.txt", ORDER)}
    return client.post("/stacks/records/preview", data=FAULT | (fields or {}), files=given)


def held(client: httpx.Client, fields: dict[str, str] | None = None) -> str:
    """The address of a record in hand."""
    answer = look(client, fields)
    assert answer.status_code == 303, problems(answer)
    return answer.headers["location"]


def problems(answer: httpx.Response) -> str:
    found = re.search(r'<div class="problems".*?</div>', answer.text, re.DOTALL)
    return re.sub(r"<[^>]+>", " ", found[0]) if found else answer.text[:500]


def recorded(client: httpx.Client, address: str) -> int:
    """Written by its author; its number."""
    answer = client.post(f"{address}/record")
    assert answer.status_code == 303, answer.text
    return int(answer.headers["location"].rpartition("/")[2])


def of_hour(stacks: Room, hour: int = 21) -> tuple[str, int]:
    """State and mark of an hour of the day, as the API says them."""
    answer = stacks.client().get(f"/api/v1/stacks/DA001/hours?period={DAY}").json()
    each = answer["hours"][hour]
    return each["state"], each["mark"]


def withdrawn(stacks: Room, number: int) -> None:
    client = stacks.client()
    answer = client.post(f"/stacks/records/{number}/withdraw", data={"reason": "试验结束"})
    assert answer.status_code == 303, answer.text
    recorded(client, answer.headers["location"])


def acts(stacks: Room) -> list[dict[str, Any]]:
    trail = trail_of(load_site(stacks.root / "site.toml"))
    return [
        json.loads(line)
        for path in sorted(trail.folder.glob("*.jsonl"))
        for line in path.read_text("utf-8").splitlines()
    ]


def test_a_mark_shows_what_it_changes_then_counts_and_can_be_taken_back(stacks: Room) -> None:
    client = stacks.client()
    assert of_hour(stacks) == ("above", 0)
    address = held(client)
    told = client.get(f"/api/v1/journal/hand/{address.rpartition('/')[2]}").json()
    assert told["effect"]["rows"] == [
        {
            "stack": "DA001",
            "pollutant": "so2",
            "start": "2025-10-05 21:00",
            "end": "2025-10-05 22:00",
            "hours": 1,
            "was": "above",
            "is_": "excluded",
            "lost": True,
            "gained": False,
        }
    ]
    assert (told["effect"]["lost"], told["effect"]["excused"]) == (1, 1)
    assert told["new"][0]["verdict"]["judgement"] == "supported"
    page = client.get(address).text
    assert "失去有效 1 小时" in page
    assert "不再判为超标 1 小时" in page
    assert of_hour(stacks) == ("above", 0)  # nothing is written yet
    number = recorded(client, address)
    assert of_hour(stacks) == ("excluded", number)
    record = read_journal(stacks.root / "journal.jsonl").all[number - 1]
    assert (record.author, record.reason) == ("王敏", "洗涤塔停运检修")
    digest = hashlib.sha256(ORDER).hexdigest()
    assert digest in {each.sha256 for each in record.evidence}
    kept = folder_of(stacks.root / "entries.jsonl") / f"{digest}-检修单.txt"
    assert kept.read_bytes() == ORDER
    got = client.get(f"/stacks/evidence/{digest}")
    assert got.content == ORDER
    assert "attachment" in got.headers["content-disposition"]
    done = [each for each in acts(stacks) if each["what"] == "mark.added"][-1]
    assert (done["who"], done["source"].startswith("console")) == ("王敏", True)
    back = client.post(f"/stacks/records/{number}/withdraw", data={"reason": "登记有误"})
    assert "新判为超标 1 小时" in client.get(back.headers["location"]).text
    recorded(client, back.headers["location"])
    assert of_hour(stacks) == ("above", 0)
    assert "已撤回，不计入" in client.get(f"/stacks/records/{number}").text


def test_a_viewer_neither_marks_nor_withdraws_nor_sees_a_draft(stacks: Room) -> None:
    viewer = stacks.client("viewer")
    assert viewer.get("/stacks/records/new").status_code == 403
    assert look(viewer).status_code == 403
    assert viewer.post("/stacks/records/1/withdraw", data={"reason": "x"}).status_code == 403
    assert viewer.post("/api/v1/journal/preview", data=FAULT).status_code == 403
    officer = stacks.client()
    address = held(officer)
    assert viewer.get(address).status_code == 422
    assert stacks.client("officer2").get(address).status_code == 422
    assert viewer.post(f"{address}/record").status_code == 403
    assert stacks.client("officer2").post(f"{address}/record").status_code == 422
    assert officer.post(f"{address}/drop").status_code == 303
    assert officer.get(address).status_code == 422


@pytest.mark.parametrize(
    ("fields", "zh", "en"),
    [
        ({"reason": " "}, "缺少理由", "the reason is missing"),
        ({"end": f"{DAY}T20:00"}, "结束须晚于开始", "the end must be later"),
        ({"end": ""}, "结束时间", "must be a day and minute"),
        ({"start": "2199-01-01T00:00", "end": "2199-01-01T01:00"}, "在将来", "in the future"),
        ({"equipment": "DA009"}, "没有排放口", "unknown stack"),
        ({"what": "holiday"}, "标记没有内容", "cannot be"),
        ({"pollutants": "gold"}, "没有污染物", "no pollutant"),
        ({"points": "nowhere"}, "区域/设备 量名", "write area/unit"),
        ({"start": f"{DAY}T21:00:30"}, "须写到分钟", "must be a day and minute"),
    ],
)
def test_what_is_wrong_is_said_in_both_languages_beside_the_filled_form(
    stacks: Room, fields: dict[str, str], zh: str, en: str
) -> None:
    for lang, words in (("zh", zh), ("en", en)):
        answer = look(stacks.client("officer", lang), fields)
        assert answer.status_code == 422
        assert words in problems(answer), (lang, problems(answer))
        assert "--" not in problems(answer)  # no option of a command
        assert 'name="evidence"' in answer.text
    assert not any((stacks.root / "console" / "slips").glob("*/slip.json"))


def test_evidence_is_demanded_and_must_be_what_its_name_says(stacks: Room) -> None:
    client = stacks.client()
    without = client.post("/stacks/records/preview", data=FAULT)
    assert without.status_code == 422
    assert "须附证据文件" in problems(without)
    wrong = look(client, evidence=("tool.exe", b"MZ"))
    assert wrong.status_code == 415
    assert "只接受这些文件" in problems(wrong)
    disguised = look(client, evidence=("order.pdf", b"<html>"))
    assert disguised.status_code == 415
    assert look(client, evidence=("empty.pdf", b"")).status_code == 422
    (stacks.root / "site.toml").write_text(
        (stacks.root / "site.toml").read_text("utf-8") + "\n[console]\nupload_mb = 1\n", "utf-8"
    )
    large = look(client, evidence=("large.txt", b"x" * ((1 << 20) + 1)))
    assert large.status_code == 413
    named = look(client, evidence=("../../etc/订单;二.txt", ORDER))
    assert named.status_code == 303
    page = client.get(named.headers["location"]).text
    assert "订单_二.txt" in page
    assert not (stacks.root / "etc").exists()
    file = client.get(f"{named.headers['location']}/file/订单_二.txt")
    assert file.content == ORDER
    assert client.get(f"{named.headers['location']}/file/slip.json").status_code == 422
    client.post(f"{named.headers['location']}/drop")


def test_the_same_mark_twice_and_another_over_it(stacks: Room) -> None:
    client = stacks.client()
    first = recorded(client, held(client))
    again = look(client)
    assert again.status_code == 422
    assert f"已有该记录，第 {first} 条" in problems(again)
    other = look(client, {"reason": "别的理由"})
    assert other.status_code == 422
    assert f"请打开第 {first} 条" in problems(other)
    overlapping = held(client, {"start": f"{DAY}T20:30", "end": f"{DAY}T22:00"})
    told = client.get(f"/api/v1/journal/hand/{overlapping.rpartition('/')[2]}").json()
    assert told["effect"]["rows"] == []  # the hour is excluded already, and stays so
    client.post(f"{overlapping}/drop")
    withdrawn(stacks, first)


def test_a_record_is_corrected_by_a_withdrawal_and_a_new_one(stacks: Room) -> None:
    client = stacks.client()
    first = recorded(client, held(client))
    form = client.get(f"/stacks/records/new?replaces={first}").text
    assert f'name="replaces" value="{first}"' in form
    assert f'value="{DAY}T21:00"' in form
    address = held(client, {"replaces": str(first), "reason": "更正：循环泵故障"})
    assert f"更正第 {first} 条" in client.get(address).text
    second = recorded(client, address)
    journal = read_journal(stacks.root / "journal.jsonl")
    assert journal.all[first].withdraws == first  # the line after it takes it back
    assert second == first + 2
    assert of_hour(stacks) == ("excluded", second)
    withdrawn(stacks, second)


def test_a_mark_that_its_trace_contradicts_excuses_nothing_and_says_so(stacks: Room) -> None:
    client = stacks.client()
    address = held(client, {"what": "stopped", "start": f"{DAY}T10:00", "end": f"{DAY}T12:00"})
    page = client.get(address).text
    assert "与数据矛盾，不作豁免" in page
    assert "没有小时因此改变" in page
    assert "虚假标记按篡改、伪造监测数据处理" in page
    english = stacks.client("officer", "en").get(address).text
    assert "excuses nothing" in english
    client.post(f"{address}/drop")


def test_two_persons_where_the_site_demands_them(stacks: Room) -> None:
    stacks.two_persons(demanded=True)
    try:
        officer, second = stacks.client(), stacks.client("officer2")
        address = held(officer)
        assert "须由第二人确认" in officer.get(address).text
        refused = officer.post(f"{address}/record")
        assert refused.status_code == 422
        assert "第二人" in refused.text
        assert officer.post(f"{address}/ask").status_code == 303
        assert of_hour(stacks) == ("above", 0)
        assert "须由他人确认" in officer.get("/stacks/records/waiting").text
        own = officer.post(f"{address}/confirm")
        assert own.status_code == 422
        assert "填报人不能确认自己的记录" in own.text
        assert stacks.client("viewer").post(f"{address}/confirm").status_code == 403
        waiting = second.get("/stacks/records/waiting").text
        assert address in waiting
        page = second.get(address).text
        assert "确认并写入" in page
        assert second.get(f"{address}/file/检修单.txt").content == ORDER
        made = second.post(f"{address}/confirm")
        assert made.status_code == 303, made.text
        number = int(made.headers["location"].rpartition("/")[2])
        record = read_journal(stacks.root / "journal.jsonl").all[number - 1]
        assert (record.author, record.confirmed_by) == ("王敏", "周洁")
        assert of_hour(stacks) == ("excluded", number)
        assert second.post(f"{address}/confirm").status_code == 422  # it is written already
        back = officer.post(f"/stacks/records/{number}/withdraw", data={"reason": "登记有误"})
        assert officer.post(f"{back.headers['location']}/record").status_code == 422
        officer.post(f"{back.headers['location']}/ask")
        assert second.post(f"{back.headers['location']}/confirm").status_code == 303
        assert of_hour(stacks) == ("above", 0)
    finally:
        stacks.two_persons(demanded=False)


def test_the_second_person_may_refuse_and_says_why(stacks: Room) -> None:
    officer, engineer = stacks.client(), stacks.client("engineer")
    address = held(officer)
    officer.post(f"{address}/ask")
    assert engineer.post(f"{address}/refuse", data={"reason": " "}).status_code == 422
    assert engineer.post(f"{address}/refuse", data={"reason": "日期不符"}).status_code == 303
    assert officer.get(address).status_code == 422
    assert of_hour(stacks) == ("above", 0)
    last = [each for each in acts(stacks) if each["what"] == "mark.added"][-1]
    assert (last["who"], last["result"], last["why"]) == ("李强", "refused", "日期不符")


def test_programs_keep_the_journal_by_the_same_rules(stacks: Room) -> None:
    client = stacks.client()
    kinds = {each["kind"]: each for each in client.get("/api/v1/journal/kinds").json()}
    assert set(kinds) == {"mark", "check", "verification", "exceedance", "alert", "document"}
    given = {
        "kind": "check",
        "what": "calibration",
        "stack": "DA001",
        "pollutants": "so2",
        "start": "2025-10-05 02:00",
        "end": "2025-10-05 02:40",
        "reason": "周校准",
        "facts": ["full_scale=100", "zero_reference=0", "zero_before=0.5", "span_reference=80",
                  "span_before=80.8"],
    }  # fmt: skip
    made = client.post("/api/v1/journal/preview", data=given)
    assert made.status_code == 200, made.text
    # drift = 100·(reading − reference)/full scale: (0.5 − 0)/100 = 0.5 %, (80.8 − 80)/100 = 0.8 %
    facts = {each["id"]: each["text"] for each in made.json()["new"][0]["facts"]}
    assert (float(facts["zero_drift"]), float(facts["span_drift"])) == (0.5, 0.8)
    assert facts["result"] == "合格"
    done = client.post(f"/api/v1/journal/hand/{made.json()['id']}/record").json()
    assert done["state"] == "recorded"
    listed = client.get("/api/v1/journal?kind=check&period=2025-10").json()
    assert [each["number"] for each in listed["records"]] == done["numbers"]
    one = client.get(f"/api/v1/journal/{done['numbers'][0]}").json()
    assert one["reason"] == "周校准"
    table = client.get("/api/v1/journal?kind=check&format=csv").content.decode("utf-8-sig")
    assert "full_scale=100" in table
    wrong = client.post("/api/v1/journal/preview", data=given | {"start": "soon"})
    assert wrong.status_code == 422
    assert wrong.json()["problems"][0].startswith("开始时间")
    assert client.get("/api/v1/journal/99999").status_code == 422
    assert client.post("/api/v1/journal/hand/20251005-aaaaaaaaaaaa/record").status_code == 422
    assert client.get("/api/v1/journal/evidence/" + "0" * 64).status_code == 422
