"""A report as one page: everything the paper says, escaped, nothing fetched, shown by a browser."""

import re
import shutil
import subprocess
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest

from reports.chapters import Chapter, Column, Facts, Paragraph, Table
from reports.model import Report
from reports.render.html import POLICY, render_html, safe
from reports.values import Text
from tests.reports import pictured
from tests.reports.conftest import Office, Smelter
from tests.reports.specimen import report as specimen

EVIL = '<script>alert(1)</script><img src="http://evil.example/x" onerror="x()"> "\'&'
VOID = {"meta", "br", "wbr"}


class Page(HTMLParser):
    """Tags in order, with what they must close; the text a person reads."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text.append(data)


def read(content: bytes) -> Page:
    page = Page()
    page.feed(content.decode())
    assert page.open == []  # every tag is closed by its own
    return page


@cache
def html(lang: str) -> bytes:
    return render_html(pictured.report(), lang)


def with_chapter(chapter: Chapter) -> Report:
    report = specimen()
    content = report.content.model_copy(update={"chapters": (chapter,)})
    return report.model_copy(update={"content": content})


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_page_says_what_the_paper_says(lang: str) -> None:
    report = pictured.report()
    page = read(html(lang))
    said = "".join(page.text).replace(" ", "")
    content = report.content
    wanted = [content.title, content.plant.name, *(c.title for c in content.chapters)]
    wanted += [stamp.parameters[0] for stamp in content.stamps]
    wanted += [warning.text for warning in content.warnings]
    wanted += [duty.text for duty in content.duties]
    wanted += [chart.title for chart in pictured.charts()]
    for text in wanted:
        assert text.of(lang).replace(" ", "") in said, text
    for word in ("485,207.58", report.content_sha256, "HZ-20270102-001"):
        assert word in said
    alarm = "数据不完整——不得上报" if lang == "zh" else "Notcomplete–nottobelodged"
    assert alarm in said


def test_the_same_report_gives_the_same_page() -> None:
    assert render_html(pictured.report(), "zh") == html("zh")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_nothing_is_fetched_and_nothing_runs(lang: str) -> None:
    content = html(lang).decode()
    page = read(html(lang))
    for tag, attributes in page.tags:
        assert tag not in {"script", "link", "img", "iframe", "object", "embed", "form", "base"}
        assert not {"src", "style", "action", "srcset", "xlink:href"} & set(attributes)
        assert (attributes.get("href") or "#").startswith("#")
        assert not [name for name in attributes if name.startswith("on")]
    assert re.findall(r"https?://[^\"' <]+", content) == ["http://www.w3.org/2000/svg"] * 8
    assert "@import" not in content
    assert "url(" not in content
    policies = [a["content"] for _, a in page.tags if "http-equiv" in a]
    assert policies == [POLICY]
    assert "default-src 'none'" in POLICY


def test_hostile_words_stay_words() -> None:
    evil = Text(zh=EVIL, en=EVIL)
    chapter = Chapter(
        title=evil,
        blocks=(
            Paragraph(text=evil),
            Facts(facts=((evil, EVIL),)),
            Table(id="t", title=evil, columns=(Column(label=evil, unit=EVIL),), rows=((EVIL,),)),
        ),
    )
    page = read(render_html(with_chapter(chapter), "zh"))
    assert not [tag for tag, _ in page.tags if tag in {"script", "img"}]
    assert "".join(page.text).count("<script>alert(1)</script>") >= 6


def test_formulas_are_lowered_and_long_runs_may_break() -> None:
    assert safe("tCO2 & C2F6") == "tCO<sub>2</sub> &amp; C<sub>2</sub>F<sub>6</sub>"
    assert safe("Nm3\u200b<") == "Nm<sup>3</sup><wbr>&lt;"


def test_tables_have_heads_that_stick_and_a_page_for_paper() -> None:
    page = read(html("zh"))
    tables = sum(tag == "table" for tag, _ in page.tags)
    assert tables == sum(tag == "thead" for tag, _ in page.tags) > 10
    style = html("zh").decode()
    assert re.search(r"thead th \{[^}]*position: sticky", style)
    assert "@media print" in style
    assert "width=device-width" in style


def test_chapters_can_be_reached_from_the_contents() -> None:
    page = read(html("en"))
    there = {attributes.get("id") for _, attributes in page.tags}
    links = [a["href"] for tag, a in page.tags if tag == "a"]
    assert len(links) >= 13
    assert {str(link).removeprefix("#") for link in links} <= there


def test_the_command_writes_it(kept: Office, smelter: Smelter, tmp_path: Path) -> None:
    out = tmp_path / "out"
    site = str(kept.site_file)
    arguments = ("report", "carbon-monthly", "--site", site, "--month", "2026-10")
    code, said = smelter(*arguments, "--out", str(out), "--format", "html", "--lang", "en")
    assert code == 0, said
    (page,) = out.glob("*.html")
    assert page.name == "carbon-monthly-2026-10-v1.en.html"
    assert "48,745.28" in "".join(read(page.read_bytes()).text)


@pytest.mark.parametrize("width", [1200, 500])
def test_a_browser_shows_it(width: int, tmp_path: Path) -> None:
    """Real Chromium: no wider than the screen, all pictures seen, nothing asked for."""
    browser = shutil.which("chromium")
    assert browser, "install chromium: apt-get install chromium (.ci/servers does)"
    file = tmp_path / "page.html"
    probe = (
        "<script>addEventListener('load',()=>{const s=[...document.querySelectorAll('svg')];"
        "document.title=['MEASURED',document.documentElement.scrollWidth,innerWidth,s.length,"
        "s.filter(x=>x.getBoundingClientRect().height>40).length,"
        "performance.getEntriesByType('resource').length].join(' ')})</script>"
    )
    page = html("zh").decode()
    open_page = re.sub(r"<meta http-equiv=[^>]+>", "", page)  # only so that the probe may run
    file.write_text(open_page.replace("</body>", f"{probe}</body>"), "utf-8")
    done = subprocess.run(
        [
            *(browser, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"),
            *(f"--window-size={width},900", f"--user-data-dir={tmp_path}/profile"),
            file.as_uri(),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    measured = re.search(r"<title>MEASURED ([\d ]+)</title>", done.stdout)
    assert measured is not None
    wide, room, pictures, seen, asked = map(int, measured[1].split())
    assert wide <= room
    assert pictures == seen == 8
    assert asked == 0
