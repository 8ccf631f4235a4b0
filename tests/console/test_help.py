"""Help for a new officer in both languages, and the API described without anything from outside."""

import re
from datetime import date

import httpx
import pytest

from reports.console.app import rights
from reports.console.help.texts import TOPICS, inline, source, topics
from reports.console.navigation import PLACES
from tests.console.served import Served

# What each page of the navigation leads to; "/help" is the help itself.
PAGES = [(each.path, each.path.strip("/") or "today") for each in PLACES if each.path != "/help"]


@pytest.fixture(scope="module")
def viewer(console: Served) -> httpx.Client:
    return console.client("viewer")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_page_has_its_text(console: Served, lang: str) -> None:
    page = console.client("viewer", lang).get("/help").text
    for place in PLACES:
        name = place.path.strip("/") or "today"
        assert name == "help" or f'id="{name}"' in page
    for name in TOPICS:
        assert f'id="{name}"' in page
        assert f'href="#{name}"' in page
    assert "**" not in page
    assert "{month}" not in page


def test_both_languages_say_the_same_things() -> None:
    """As many steps, points and links in the one as in the other."""
    for name in TOPICS:
        zh, en = source(name, "zh"), source(name, "en")
        for sign in (r"^\d+\. ", r"^- ", r"^## ", r"\]\("):
            assert len(re.findall(sign, zh, re.MULTILINE)) == len(
                re.findall(sign, en, re.MULTILINE)
            ), (name, sign)
        assert not re.search(r"[\u4e00-\u9fff]", en), name


def test_links_lead_to_pages_that_are_there() -> None:
    known = [re.sub(r"\{\w+\}", "[^/]+", path) for method, path in rights() if method == "GET"]
    for name in TOPICS:
        for lang in ("zh", "en"):
            text = source(name, lang).replace("{month}", "2026-10")
            for to in re.findall(r"\]\(([^)]+)\)", text):
                path, _, anchor = to.partition("#")
                assert not anchor or anchor in TOPICS, to
                assert not path or any(re.fullmatch(each, path) for each in known), to


def test_the_month_meant_is_the_one_before() -> None:
    month = next(each for each in topics("en", date(2027, 1, 5)) if each.name == "month")
    assert 'href="/carbon/2026-12/need"' in "".join(month.blocks[1].texts)


def test_a_text_cannot_bring_markup_of_its_own() -> None:
    assert inline("<b>x</b> [a](javascript:alert(1)) [b](/carbon)") == (
        '&lt;b&gt;x&lt;/b&gt; [a](javascript:alert(1)) <a href="/carbon">b</a>'
    )


def test_every_page_links_to_its_help(viewer: httpx.Client) -> None:
    for path, topic in PAGES:
        assert f'href="/help#{topic}"' in viewer.get(path).text


@pytest.mark.parametrize(
    ("lang", "title"), [("zh", "铝厂证据台接口"), ("en", "Smelter console API")]
)
def test_the_api_describes_itself(console: Served, lang: str, title: str) -> None:
    client = console.client("viewer", lang)
    told = client.get("/api/openapi.json").json()
    assert told["info"]["title"] == title
    named = {
        (method.upper(), path) for path, methods in told["paths"].items() for method in methods
    }
    assert named == {each for each in rights() if each[1].startswith("/api/v1/")}
    for path, methods in told["paths"].items():
        for method, operation in methods.items():
            assert operation.get("summary"), path
            assert operation.get("x-right") == rights()[method.upper(), path]
            refused = operation["responses"]["422"]["content"]["application/json"]["schema"]
            assert refused == {"$ref": "#/components/schemas/Refusal"}
    page = client.get("/help/api").text
    assert title in page
    assert "/api/v1/evidence/figure" in page
    assert not re.search(r'(?:src|href)="https?://', page)


def test_the_description_is_for_those_who_may_see(console: Served) -> None:
    nobody = console.nobody()
    assert nobody.get("/api/openapi.json").status_code == 401
    assert nobody.get("/help").status_code == 303


def test_help_for_programs(viewer: httpx.Client) -> None:
    told = viewer.get("/api/v1/help").json()["topics"]
    assert [each["name"] for each in told] == list(TOPICS)
    assert told[0]["text"].startswith("# 第一天")
