"""Where a figure comes from, against a real console over a sealed month."""

import re
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest

from reports.versions import read_report
from tests.console.evidence_scene import HARM, METER, MONTH, Scene
from tests.reports import plant

MIDDLE_NS = plant.OCTOBER.start_ns + 5 * 24 * plant.HOUR_NS


@pytest.fixture(scope="module")
def officer(scene: Scene) -> httpx.Client:
    return scene.served.client("officer")


@pytest.fixture(scope="module")
def english(scene: Scene) -> httpx.Client:
    return scene.served.client("viewer", "en")


class Tags(HTMLParser):
    """Names of the tags and attributes of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]


def drawer(client: httpx.Client, address: str = "/evidence/figure", **of: Any) -> str:
    got = client.get(address, params=of or None, headers={"HX-Request": "true"})
    assert got.status_code == 200, got.text
    return got.text


# --- lines, and what they stand on


def test_every_line_and_every_input_of_it_can_be_opened(scene: Scene) -> None:
    report = read_report(scene.office.reports / "carbon-monthly-2026-10-v2.json")
    seen: dict[str, set[str]] = {"line": set(), "entry": set(), "legal": set(), "meter": set()}
    for line in report.content.lines:
        said = scene.ask("figures.evidence:figure", asked=MONTH, kind="line", ref=line.id)
        assert (said["value"] is None) == (line.value is None)
        assert said["how"]["code"] == line.how.value
        assert [each["ref"] for each in said["inputs"]] == [each.ref for each in line.inputs]
        for each in said["inputs"]:
            assert each["there"], each
            seen[each["kind"]].add(each["ref"])
        if line.equation and line.formula and line.value is not None:
            assert said["formula"]["equation"] == line.equation
    assert all(seen.values()), seen
    for kind, refs in seen.items():
        for ref in refs:
            said = scene.ask("figures.evidence:figure", asked=MONTH, kind=kind, ref=ref)
            assert said["users"], (kind, ref)
    hows = {line.how.value for line in report.content.lines}
    assert {"metered", "entered", "computed", "default", "none"} <= hows


def test_a_formula_has_the_numbers_of_the_report_in_it(english: httpx.Client) -> None:
    """I = E / P, with E and P as the lines below it have them."""
    got = english.get("/api/v1/evidence/figure", params=MONTH | {"line": "line1.intensity"})
    said = got.json()
    emission, aluminium = said["more"]["inputs"]
    assert said["more"]["formula"]["equation"] == "I = E / P"
    assert said["more"]["formula"]["filled"] == f"I = {emission['shown']} / {aluminium['shown']}"
    assert aluminium["shown"] == "21,050.25"
    assert said["value"] == pytest.approx(emission["value"] / 21050.25, rel=1e-12)


def test_the_drawer_walks_down_and_back(officer: httpx.Client) -> None:
    page = drawer(officer, **MONTH, line="line1.intensity")
    assert "<html" not in page
    below = re.search(r'hx-get="(/evidence/figure\?[^"]*line=line1\.emission[^"]*)"', page)
    assert below is not None
    second = drawer(officer, below[1].replace("&amp;", "&"))
    assert "←" in second
    back = re.search(r'class="back".*?hx-get="([^"]*)"', second, re.DOTALL)
    assert back is not None
    assert "铝电解工序排放强度" in drawer(officer, back[1].replace("&amp;", "&"))


def test_the_same_address_is_a_page_to_send(english: httpx.Client) -> None:
    got = english.get("/evidence/figure", params=MONTH | {"line": "line1.intensity"})
    assert "<html" in got.text
    assert "Emission intensity" in got.text
    assert "file=carbon-monthly-2026-10-v2.json" in got.text  # what is sent does not change


def test_a_legal_value_says_source_place_and_confirmation(officer: httpx.Client) -> None:
    said = officer.get("/api/v1/evidence/figure", params=MONTH | {"line": "line1.pfc"}).json()
    legal = next(each for each in said["more"]["inputs"] if each["kind"] == "legal")
    page = drawer(officer, **MONTH, legal=legal["ref"])
    for words in ("二手资料", "CETS-AG-04.01", "须有人打开", "SHA-256"):
        assert words in page


def test_proof_reaches_registers_and_checkpoint(officer: httpx.Client) -> None:
    params = MONTH | {"line": "line1.electricity_ac"}
    said = officer.get("/api/v1/evidence/proof", params=params).json()
    assert said["holds"] is True
    assert (said["readings_good"], said["readings_count"], said["under_checkpoint"]) == (4, 4, 4)
    rolled = [each for each in said["readings"] if each["raw"]]
    for each in rolled:  # the register counts 0.1 kWh, two words of 16 bits
        high, low = each["registers"]
        assert (high * 65536 + low) / 10 == pytest.approx(each["last"], abs=0.1)
    assert rolled
    page = drawer(officer, "/evidence/proof", **params)
    for words in ("成立", "与原始批次一致", "在检查点之下", "会签"):
        assert words in page


def test_a_window_is_shown_proved_and_followed_to_reports(english: httpx.Client) -> None:
    """2,400 kWh pass ``line1/ac1`` in each minute."""
    of: dict[str, Any] = {"point": METER, "at": MIDDLE_NS + 30 * 10**9}
    window = english.get("/api/v1/evidence/figure", params=of).json()["windows"][0]
    assert (window["inc"], window["period_s"], window["start_ns"]) == (2400.0, 60, MIDDLE_NS)
    reading = english.get("/api/v1/evidence/proof", params=of).json()["reading"]
    assert (reading["verified"], reading["inclusion"], reading["seq"]) == (
        True, "proved", window["seq"],
    )  # fmt: skip
    used = english.get("/api/v1/evidence/used", params=of).json()["reports"]
    assert [each["version"] for each in used] == [1, 2]
    assert any(line["id"] == "line1.electricity_ac" for line in used[0]["lines"])
    empty = english.get("/api/v1/evidence/figure", params=of | {"at": 10**18}).json()
    assert empty["windows"] == []
    assert "Nothing is not zero" in drawer(english, **of | {"at": 10**18})


def test_a_minute_of_a_meter_on_demand(officer: httpx.Client) -> None:
    params = MONTH | {"meter": METER, "moment": "2026-10-06T00:00"}
    said = officer.get("/api/v1/evidence/proof", params=params).json()
    assert "所问窗口" in {each["end"] for each in said["readings"]}


def test_a_draft_says_that_it_is_one_and_what_it_lacks(scene: Scene, officer: httpx.Client) -> None:
    """November was not entered: its intensity is missing, which is not zero."""
    november = {"report": "carbon-monthly", "period": "2026-11"}
    scene.ask("figures.drafts:make", **november)
    said = officer.get(
        "/api/v1/evidence/figure", params=november | {"line": "line1.intensity"}
    ).json()
    assert (said["source"]["draft"], said["value"], said["shown"]) == (True, None, "—")
    assert said["more"]["missing"]
    page = drawer(officer, **november, line="line1.intensity")
    for words in ("试算", "缺数据", "尚未成为报告"):
        assert words in page
    none = MONTH | {"version": 0, "line": "line1.intensity"}
    assert officer.get("/api/v1/evidence/figure", params=none).status_code == 404


# --- what is not there


@pytest.mark.parametrize(
    "of",
    [
        MONTH | {"line": "line1.nothing"},
        MONTH | {"legal": "no.such"},
        MONTH | {"entry": "999"},
        MONTH | {"meter": "x"},
        MONTH | {"site": "x"},
        MONTH | {"version": 7, "line": "line1.intensity"},
        {"report": "carbon-annual", "period": "2026", "line": "plant.emission"},
        {"file": "carbon-monthly-2026-10-v9.json", "line": "plant.emission"},
        {"file": "..%2F..%2Fetc%2Fpasswd", "line": "plant.emission"},
        {"point": "line1/ac1 no.quantity", "at": 1},
    ],
)
def test_what_is_not_there_is_said_in_words(
    officer: httpx.Client, english: httpx.Client, of: dict[str, Any]
) -> None:
    for client in (officer, english):
        got = client.get("/api/v1/evidence/figure", params=of)
        assert got.status_code in {404, 422}, got.text
        assert got.json()["problems"]
        page = client.get("/evidence/figure", params=of, headers={"HX-Request": "true"})
        assert page.status_code == got.status_code
        assert "<html" not in page.text
    if of.get("line") == "line1.nothing":
        assert "has no line line1.nothing" in english.get("/evidence/figure", params=of).text


@pytest.mark.parametrize(
    "name",
    ["..%2Fsite.toml", "site.toml", "%2e%2e%2fentries.jsonl", "carbon-monthly-2026-10-v1.json.bak"],
)
def test_no_other_file_is_handed_out(officer: httpx.Client, name: str) -> None:
    assert officer.get(f"/evidence/file/{name}").status_code == 404
    good = officer.get("/evidence/file/carbon-monthly-2026-10-v1.json")
    assert good.status_code == 200
    assert "attachment" in good.headers["content-disposition"]


# --- the archive


def test_versions_digests_and_changes(scene: Scene, english: httpx.Client) -> None:
    rows = english.get("/api/v1/evidence/reports").json()
    versions = rows["reports"][0]["versions"]
    assert [each["version"] for each in versions] == [2, 1]
    for each in versions:
        report = read_report(scene.office.reports / each["file"])
        assert each["content_sha256"] == report.content_sha256
    lines = english.get("/api/v1/evidence/lines", params=MONTH | {"q": "intensity"}).json()
    assert {each["id"] for each in lines["lines"]} >= {"line1.intensity", "plant.intensity"}
    assert lines["changes"]
    page = english.get("/evidence/report", params=MONTH).text
    assert "Against the version before" in page
    one = english.get("/api/v1/evidence/lines", params=MONTH | {"limit": 1, "after": 1}).json()
    assert (len(one["lines"]), one["found"]) == (1, one["all"])


def test_find_by_name_in_either_language(officer: httpx.Client) -> None:
    for words in ("排放强度", "intensity", "line1.intensity", "一系列 强度"):
        assert "line1.intensity" in drawer(officer, "/evidence/found", q=words)
    assert "没有找到" in drawer(officer, "/evidence/found", q="氧化铝球团")


def test_words_of_the_ledger_stay_words(scene: Scene, officer: httpx.Client) -> None:
    report = read_report(scene.office.reports / "carbon-monthly-2026-10-v2.json")
    entry = next(each for each in report.content.entries if HARM in each.voucher)
    pages = [
        drawer(officer, **MONTH, entry=str(entry.number)),
        officer.get("/evidence/figure", params=MONTH | {"entry": str(entry.number)}).text,
        officer.get("/evidence/report", params=MONTH).text,
        drawer(officer, "/evidence/found", q=HARM),
        drawer(officer, **MONTH, line="line1.intensity", via=f"line|{HARM}|{HARM}"),
    ]
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in pages[0]
    for page in pages:
        assert HARM not in page
        assert not any(name.startswith("on") or name == "style" for name in Tags(page).attributes)
        assert "img" not in Tags(page).tags
