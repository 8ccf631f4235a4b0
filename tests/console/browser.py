"""Pages as Chromium shows them: opened by a role; what goes wrong on them; what axe finds."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests import servers
from tests.console.served import Served

ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_MS: Final = 240_000  # of a machine with much else to do; nothing waits so long when quiet
AXE: Final = Path(__file__).with_name("axe.min.js")  # axe-core 4.14.1, MPL-2.0: LICENSE.axe
SEEN: Final = ("serious", "critical")

# Cards that still load themselves, a draft that is being computed, a request that is under way.
UNSETTLED: Final = (
    ".later, [hx-trigger='load'], .spin:visible, .explore-chart.reading, .htmx-request"
)
READING: Final = re.compile("^(正在读取…|Reading …)$")
STRANGE: Final = """([zh, allowed]) => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const node = walker.currentNode, inside = node.parentElement;
    if (inside.closest("script, style, code, pre, a.language, [lang]:not(html), .mono")) continue;
    let text = node.textContent.trim();
    // Titles of law stay as they were published.
    if (!zh && /年.*(通知|办法|方案|要求|安排)|〔/.test(text)) continue;
    for (const each of allowed) text = text.split(each).join("");
    const strange = zh
      ? !/[\\u4e00-\\u9fff]/.test(text) && /[a-z]{3,}( [a-z]{2,}){2}/.test(text)
      : /[\\u4e00-\\u9fff]/.test(text);
    if (strange) found.push(text.slice(0, 120));
  }
  return found;
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for a module: its loop would be in the way of tests that run one of their own."""
    with chromium() as found:
        yield found


@contextmanager
def chromium() -> Iterator[Browser]:
    """That of the system; a missing one is told with the line that installs it."""
    path = servers.program("chromium", "chromium")
    with sync_playwright() as play:
        found = play.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        expect.set_options(timeout=PATIENCE_MS)
        yield found
        found.close()


@dataclass
class Seat:
    """Somebody before a page; ``faults``: what a browser's own log would tell, and more."""

    page: Page
    url: str
    faults: list[str] = field(default_factory=list)

    def go(self, address: str) -> "Seat":
        """Open it and wait until all its cards are there."""
        self.page.goto(f"{self.url}{address}")
        return self.settle()

    def settle(self) -> "Seat":
        expect(self.page.locator(UNSETTLED)).to_have_count(0)
        expect(self.page.get_by_text(READING).filter(visible=True)).to_have_count(0)
        return self

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def tab_to(self, selector: str, most: int = 80) -> None:
        """As a person without a mouse comes there: by Tab alone."""
        reached = "(s) => document.activeElement !== null && document.activeElement.matches(s)"
        for _ in range(most):
            if self.page.evaluate(reached, selector):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"{selector} is not reached by {most} tabs on {self.page.url}")

    def too_wide(self) -> int:
        """Pixels by which the document sticks out."""
        script = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        return int(self.page.evaluate(script))

    def strange(self, lang: str, *allowed: str) -> list[str]:
        """Texts of the other language; names of persons and plants are ``allowed``."""
        found: list[str] = self.page.evaluate(STRANGE, [lang == "zh", list(allowed)])
        return found

    def barriers(self, *rules: str) -> list[str]:
        """What axe calls serious or critical; all its rules, or these."""
        self.page.evaluate(_axe())
        asked: dict[str, Any] = {"resultTypes": ["violations"]}
        if rules:
            asked["runOnly"] = {"type": "rule", "values": list(rules)}
        found = self.page.evaluate("(asked) => axe.run(document, asked)", asked)
        return [
            f"{each['id']}: {node['target']} {node['html'][:160]} {node['failureSummary'][:300]}"
            for each in found["violations"]
            if each["impact"] in SEEN
            for node in each["nodes"]
        ]

    def leave(self) -> None:
        self.page.context.close()


@cache
def _axe() -> str:
    return AXE.read_text("utf-8")


_cookies: dict[tuple[str, str], list[dict[str, str]]] = {}


def seat(
    browser: Browser, served: Served, role: str = "", lang: str = "zh", width: int = 1280
) -> Seat:
    """``role`` "": nobody is logged in. One login serves every seat of a role."""
    context = browser.new_context(viewport={"width": width, "height": 900}, locale="zh-CN")
    found = [{"name": "lang", "value": lang, "url": served.url}]
    if role:
        if (served.url, role) not in _cookies:
            jar = served.client(role, lang).cookies.jar
            kept = [{"name": each.name, "value": each.value or ""} for each in jar]
            _cookies[served.url, role] = [each for each in kept if each["name"] != "lang"]
        found += [each | {"url": served.url} for each in _cookies[served.url, role]]
    context.add_cookies(found)  # type: ignore[arg-type]
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    made = Seat(page, served.url)
    page.on("pageerror", lambda error: made.faults.append(f"threw: {error}"))
    page.on("console", lambda m: made.faults.append(m.text) if m.type == "error" else None)
    page.on("request", lambda r: _at_home(made, r.url))
    page.on(
        "requestfailed",
        lambda r: (
            made.faults.append(f"failed: {r.url} {r.failure}")
            if "ERR_ABORTED" not in (r.failure or "")  # a live stream ends with its page
            else None
        ),
    )
    return made


def _at_home(seat: Seat, url: str) -> None:
    """Nothing is fetched from elsewhere."""
    if not url.startswith((f"{seat.url}/", "data:", "blob:")):
        seat.faults.append(f"elsewhere: {url}")
